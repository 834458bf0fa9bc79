"""Novelty: a peak above all before it and a level that lasts are both told, each once, from the rows before alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from models.detector import DetectorSettings
from models.novelty import THRESHOLD, LeakyPeakDetector, NoveltySettings

FIVE = DetectorSettings.for_spacing(timedelta(minutes=5))
DAY = 288


def bursty(seed: int = 1, days: int = 6) -> Any:
    """Ten tickets a row, and a burst of two rows with a hundred more about every three hours."""
    random = np.random.default_rng(seed)
    values = random.poisson(10.0, DAY * days).astype(float)
    for at in range(20, len(values) - 1, 37):
        values[at : at + 2] += random.integers(80, 120)
    return values


def scores(values: Any, threshold: float = THRESHOLD, detector: LeakyPeakDetector | None = None, first: int = 0) -> Any:
    """The score after each row, in a detector of one series."""
    detector = detector or LeakyPeakDetector(1, FIVE, NoveltySettings(threshold=threshold))
    return np.array(
        [
            float(detector.observe(300.0 * (first + at + 1), np.array([value])).score[0])
            for at, value in enumerate(values)
        ]
    )


def test_ordinary_bursts_tell_nothing_and_one_of_thrice_their_height_does() -> None:
    values = bursty()
    assert scores(values)[3 * DAY :].max() < THRESHOLD
    values[1500:1502] += 300
    found = np.flatnonzero(scores(values) >= THRESHOLD)
    assert 1500 in found or 1501 in found


def test_a_level_that_lasts_is_told_though_each_burst_was_higher() -> None:
    values = bursty()
    values[1500:1512] = 60
    assert np.sort(values)[-50] > 60
    found = np.flatnonzero(scores(values) >= THRESHOLD)
    assert set(found[found > 3 * DAY]) & set(range(1500, 1512))


def test_a_burst_that_was_told_is_not_told_again_for_an_hour() -> None:
    values = bursty()
    values[[1500, 1506, 1530]] = 400, 2000, 10_000
    found = np.flatnonzero(scores(values) >= THRESHOLD)
    assert [at for at in (1500, 1506, 1530) if at in found] == [1500, 1530]
    values[1500] = values[1490]
    assert 1506 in np.flatnonzero(scores(values) >= THRESHOLD), "by itself it is told"


def test_a_lower_score_does_not_silence_the_one_that_was_asked_for() -> None:
    values = bursty()
    values[1500:1503] = 260, 260, 2000
    at_once = scores(values)
    assert at_once[1500:1502].max() >= THRESHOLD
    assert at_once[1502] == 0
    assert scores(values, threshold=3.0)[1502] >= 3.0


def test_rows_that_are_missing_change_nothing() -> None:
    values = bursty(days=4)
    detector, told = LeakyPeakDetector(1, FIVE), []
    for at, value in enumerate(values):
        missing = 900 <= at < 960
        given, present = np.array([1e6 if missing else value]), np.array([not missing])
        told.append(float(detector.observe(300.0 * (at + 1), given, present).score[0]))
    assert max(told[900:960]) == 0
    assert max(told[3 * DAY :]) < THRESHOLD


@pytest.mark.parametrize("cut", [1, 700, 1003])
def test_a_detector_restored_in_the_middle_goes_on_as_if_nothing_had_been(cut: int) -> None:
    values = bursty(days=5)
    values[1000:1003] = 400, 500, 900
    whole, first, second = scores(values), LeakyPeakDetector(1, FIVE), LeakyPeakDetector(1, FIVE)
    before = scores(values[:cut], detector=first)
    second.restore(first.snapshot())
    after = scores(values[cut:], detector=second, first=cut)
    np.testing.assert_array_equal(np.concatenate([before, after]), whole)


def test_all_series_at_once_score_as_each_alone() -> None:
    table = np.stack([bursty(seed, days=4) * scale for seed, scale in ((1, 1.0), (2, 5.0), (3, 0.1))], axis=1)
    together = LeakyPeakDetector(3, FIVE)
    found = np.array([together.observe(300.0 * (at + 1), row).score for at, row in enumerate(table)])
    for place in range(3):
        np.testing.assert_array_equal(found[:, place], scores(table[:, place]))


def test_a_longer_view_that_is_shorter_than_a_burst_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 hops, not 3"):
        NoveltySettings(lasting=3)
