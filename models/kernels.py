"""The loops that read and learn tickets: compiled where numba is there, else plain NumPy.

Both give the same buckets bit for bit and the same scores to rounding, which tests compare. numba takes half a second
to import, so that it is chosen at the first use and not before.
"""

from __future__ import annotations

import functools
import unicodedata
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from models.layout import BASIC_PLANE, JOINER, LETTER, MARK

_MARKS = "!?%€$£"
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
_JOINERS = "-_./:@+#&"


@functools.cache
def kernels(*, compiled: bool | None = None) -> ModuleType:
    """The module with `read`, `predict` and `learn`: numba, where it is there; `compiled` insists on one of the two."""
    if compiled is None:
        compiled = find_spec("numba") is not None
    name = "models.compiled_kernels" if compiled else "models.numpy_kernels"
    return import_module(name)  # numba takes half a second


@functools.cache
def character_classes() -> NDArray[np.uint8]:
    """SPACE, LETTER, MARK or JOINER for each code point of the basic plane; shape [65536].

    Letters are letters, digits and what combines with them; marks are emoji and other symbols, ! ? % and currencies.
    """
    classes = np.zeros(BASIC_PLANE, np.uint8)
    for point in range(BASIC_PLANE):
        character = chr(point)
        category = unicodedata.category(character)
        if point in _VARIATION_SELECTORS:  # they tell how an emoji is drawn
            continue
        if character.isalnum() or category[0] == "M":
            classes[point] = LETTER
        elif category == "So" or character in _MARKS:
            classes[point] = MARK
    for character in _JOINERS:
        classes[ord(character)] = JOINER
    classes.setflags(write=False)
    return classes
