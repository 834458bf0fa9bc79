"""The published scoring of the Numenta Anomaly Benchmark, for its files of tweet counts.

Lavin and Ahmad 2015, *Evaluating Real-time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark*.
A detection inside a labelled window earns up to 1, more the earlier it comes; one outside costs up to 0.11, less if it
comes soon after a window; a window without one costs 1. The sum is scaled so that silence is 0 and perfection 100. The
first 15 % of a file, at most 750 rows, count for nothing.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE = 1.0, 0.11, 1.0  # the profile "standard"
_PROBATION_SHARE, _PROBATION_ROWS = 0.15, 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One file: times in seconds since 1970, counts, and the labelled windows as first and last row."""

    name: str
    times: Floats
    values: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Rows at the start that do not count."""
        return math.floor(_PROBATION_SHARE * min(len(self.values), _PROBATION_ROWS))


def read_tweets(folder: Path) -> list[Labelled]:
    """The files of `realTweets` in a copy of the benchmark's data."""
    labels = json.loads((folder / "combined_windows.json").read_text(encoding="utf-8"))
    found: list[Labelled] = []
    for path in sorted((folder / "realTweets").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [(_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
        times = np.array([time for time, _ in rows])
        windows = tuple(
            (int(np.searchsorted(times, _seconds(first))), int(np.searchsorted(times, _seconds(last))))
            for first, last in labels[f"realTweets/{path.name}"]
        )
        found.append(
            Labelled(name=path.stem, times=times, values=np.array([value for _, value in rows]), windows=windows)
        )
    return found


def scaled_sigmoid(position: float) -> float:
    """What a detection is worth at a position where 0 is the end of a window and -1 its start."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1  # noqa: PLR2004  as published


def worth(file: Labelled) -> tuple[Floats, NDArray[np.int64]]:
    """What a detection in each row is worth, and the window that the row is in, or -1."""
    rows = len(file.values)
    value, inside = np.full(rows, -FALSE_POSITIVE), np.full(rows, -1, dtype=np.int64)
    ends = [*(first for first, _ in file.windows[1:]), rows]
    for place, ((first, last), until) in enumerate(zip(file.windows, ends, strict=True)):
        width = last - first + 1
        for row in range(first, last + 1):
            value[row] = TRUE_POSITIVE * scaled_sigmoid(-(last - row + 1) / width) / scaled_sigmoid(-1.0)
            inside[row] = place
        for row in range(last + 1, until):
            value[row] = FALSE_POSITIVE * scaled_sigmoid((row - last) / (width - 1))
    return value, inside


def raw_score(file: Labelled, scores: Floats, threshold: float) -> float:
    """The sum of rewards and costs where each row at or above `threshold` is a detection."""
    value, inside = worth(file)
    hits = np.flatnonzero(scores >= threshold)
    hits = hits[hits >= file.probation]
    total = float(value[hits[inside[hits] < 0]].sum())
    for place in range(len(file.windows)):
        within = hits[inside[hits] == place]
        total += float(value[within].max()) if within.size else -FALSE_NEGATIVE
    return total


def normalised(files: Sequence[Labelled], raw: float) -> float:
    """The score on the scale of 0 (no detection at all) to 100 (each window at its first row, nothing else)."""
    windows = sum(len(file.windows) for file in files)
    return 100 * (raw + FALSE_NEGATIVE * windows) / ((TRUE_POSITIVE + FALSE_NEGATIVE) * windows)


def curve(file: Labelled, scores: Floats, thresholds: Floats) -> Floats:
    """The raw score at each of `thresholds`."""
    value, inside = worth(file)
    rows = np.arange(file.probation, len(scores))
    outside = rows[inside[rows] < 0]
    order = outside[np.argsort(-scores[outside], kind="stable")]
    costs = np.concatenate([[0.0], np.cumsum(value[order])])
    total = costs[np.searchsorted(-scores[order], -thresholds, side="right")]
    for place in range(len(file.windows)):
        within = rows[inside[rows] == place]
        # The first detection of a window is worth the most: the running maximum of scores tells from when one is in.
        peak = np.maximum.accumulate(scores[within])
        at = np.searchsorted(peak, thresholds, side="left")
        total = total + np.where(at < within.size, value[within[np.minimum(at, within.size - 1)]], -FALSE_NEGATIVE)
    return total


def best_threshold(files: Sequence[Labelled], scores: Sequence[Floats]) -> tuple[float, float]:
    """The threshold that is best for all files together, and the score with it."""
    thresholds = np.unique(np.concatenate(scores))
    if thresholds.size > _MOST_THRESHOLDS:
        thresholds = np.unique(np.quantile(thresholds, np.linspace(0, 1, _MOST_THRESHOLDS)))
    total = np.sum([curve(file, own, thresholds) for file, own in zip(files, scores, strict=True)], axis=0)
    best = int(np.argmax(total))
    return float(thresholds[best]), normalised(files, float(total[best]))


def left_out(files: Sequence[Labelled], *candidates: Sequence[Floats]) -> float:
    """The score where each file is judged with the threshold, and the detector, that are best for the others.

    `candidates` are the scores of each detector.
    """
    raw = 0.0
    for out, file in enumerate(files):
        others = [at for at in range(len(files)) if at != out]
        known = [files[at] for at in others]
        best = [best_threshold(known, [scores[at] for at in others]) for scores in candidates]
        chosen = max(range(len(best)), key=lambda place: best[place][1])
        raw += raw_score(file, candidates[chosen][out], best[chosen][0])
    return normalised(files, raw)


_MOST_THRESHOLDS = 20_000


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
