"""Arrays and a text about them as bytes, in the safetensors format: no code runs when they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import numpy as safetensors

DAMAGE = (SafetensorError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
"""What reading bytes that were not written here may raise."""

_ENTRY = "triage"
"""One entry: several would be written in any order."""


def packed(arrays: Mapping[str, NDArray[Any]], text: str) -> bytes:
    """`arrays` and `text` as bytes; the same ones give the same bytes."""
    return safetensors.save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {_ENTRY: text})


def unpacked(data: bytes) -> tuple[dict[str, NDArray[Any]], str]:
    """What `packed` was given. Raises one of DAMAGE for other bytes."""
    size = int.from_bytes(data[:8], "little")
    text: str = json.loads(data[8 : 8 + size])["__metadata__"][_ENTRY]
    return safetensors.load(data), text
