"""A head as bytes: arrays and JSON in the safetensors format, with a checksum. No code runs when one is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibrator
from models.classifier import TextClassifier
from models.packing import DAMAGE, packed, unpacked
from schemas.errors import BadSnapshot

FORMAT = "triage.head.1"
"""Names the arrays and what features mean: another format is another model."""

_PARAMETERS = ("bits", "rate", "mixing_rate", "smoothing", "max_labels")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One head: the classifier, its calibrator, and whatever JSON its maker wrote beside them."""

    model: TextClassifier
    calibrator: Calibrator
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])


def to_bytes(snapshot: Snapshot) -> bytes:
    """The snapshot as bytes: the same model gives the same bytes.

    Raises ValueError for a label that is no text, number or truth value.
    """
    model, calibrator = snapshot.model, snapshot.calibrator
    if odd := [label for label in model.labels if not isinstance(label, str | int | float | bool)]:
        raise ValueError(f"{odd[0]!r} cannot be written: labels are texts, numbers or truth values")
    _, labels, state = model.arrays()
    touched, rows = model.touched()
    arrays: dict[str, NDArray[Any]] = {
        "touched": touched,
        "table": rows,
        "labels": labels,
        "state": state,
        "scales": calibrator.scales,
        "shift": calibrator.shift,
        "curvatures": calibrator.curvatures,
    }
    text = json.dumps(
        {
            "format": FORMAT,
            "labels": model.labels,
            "parameters": {name: getattr(model, name) for name in _PARAMETERS},
            "about": dict(snapshot.about),
        },
        ensure_ascii=False,
        sort_keys=True,
    )
    return packed(arrays, json.dumps([text, _checksum(text, arrays)]))


def from_bytes(data: bytes, *, compiled: bool | None = None) -> Snapshot:
    """The snapshot in `data`: it predicts and goes on learning as the one that was written.

    Raises BadSnapshot for bytes that are damaged, or of another format.
    """
    try:
        arrays, entry = unpacked(data)
        text, checksum = json.loads(entry)
        meta: dict[str, Any] = json.loads(text)
    except DAMAGE as error:
        raise BadSnapshot(f"the snapshot is damaged ({type(error).__name__}); load an earlier one") from error
    if meta.get("format") != FORMAT:
        raise BadSnapshot(f"the snapshot's format is {meta.get('format')!r}, not {FORMAT!r}; train it anew")
    if checksum != _checksum(text, arrays):
        raise BadSnapshot("the snapshot does not match its checksum; load an earlier one")
    try:
        model = TextClassifier(**meta["parameters"], compiled=compiled)
        model.restore(meta["labels"], arrays["touched"], arrays["table"], arrays["labels"], arrays["state"])
        calibrator = Calibrator(compiled=compiled)
        calibrator.restore(arrays["scales"], arrays["shift"], arrays["curvatures"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadSnapshot(f"the snapshot contradicts itself: {error}; load an earlier one") from error
    return Snapshot(model, calibrator, meta["about"])


def _checksum(text: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    found = sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
