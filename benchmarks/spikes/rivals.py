"""What others detect spikes with, each from its published formula, as scores per minute over all series at once.

Every function takes counts per 5 minutes, (steps, series), NaN where nothing was seen, and gives scores of the same
shape: larger is stranger, and a score rests on the steps up to its own. Counts under 5 score 0, as with our detector.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]

QUARTER, HALF_HOUR, DAY, WEEK = 3, 6, 288, 2016
"""In steps of 5 minutes."""

_LEAST = 5.0
warnings.filterwarnings("ignore", "(All-NaN|Mean of empty|Degrees of freedom)", RuntimeWarning)


def sliding(counts: Table, steps: int) -> Table:
    """The sum of the last `steps` steps at each step; what was not seen counts as its neighbours do."""
    seen = np.cumsum(np.vstack([np.zeros(counts.shape[1]), ~np.isnan(counts)]), axis=0)
    total = np.cumsum(np.vstack([np.zeros(counts.shape[1]), np.nan_to_num(counts)]), axis=0)
    before = np.maximum(np.arange(counts.shape[0]) + 1 - steps, 0)
    parts = seen[1:] - seen[before]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(parts > steps / 2, (total[1:] - total[before]) * steps / parts, np.nan)


def _back(table: Table, steps: int) -> Table:
    """The table as it was `steps` ago."""
    moved = np.full_like(table, np.nan)
    moved[steps:] = table[:-steps]
    return moved


def _same_time(table: Table) -> Table:
    """The same time of up to four earlier weeks, half an hour either side: (20, steps, series)."""
    offs = (-HALF_HOUR, -QUARTER, 0, QUARTER, HALF_HOUR)
    return np.stack([_back(table, week * WEEK + off) for week in (1, 2, 3, 4) for off in offs])


def _scores(x: Table, z: Table) -> Table:
    return np.where(np.isfinite(z) & (x >= _LEAST), z, 0.0)


def farrington(counts: Table) -> Table:
    """Farrington, Andrews, Beale and Catchpole 1996, with the 2/3 power, per 15 minutes.

    The baseline is the same time of the week in up to four earlier weeks, half an hour either side; counts that were
    unusual themselves are down-weighted there by replacing them with the median of their week's five values.
    """
    x = sliding(counts, QUARTER)
    past = _same_time(x)
    with np.errstate(all="ignore"):
        middle = np.nanmedian(past, axis=0)
        past = np.minimum(past, middle + 3 * np.sqrt(middle + 1))
        known = np.sum(~np.isnan(past), axis=0)
        mu = np.maximum(np.nanmean(past, axis=0), 0.1)
        phi = np.maximum(np.nanvar(past, axis=0, ddof=1) / mu, 1.0)
        spread = np.sqrt(4 / 9 * phi * mu ** (1 / 3) * (1 + 1 / known))
        z = (x ** (2 / 3) - mu ** (2 / 3)) / spread
    return _scores(x, np.where(known >= 5, z, np.nan))  # noqa: PLR2004  one week


def ears_c2(counts: Table) -> Table:
    """EARS C2 (Hutwagner, Thompson, Seeman and Treadwell 2003): seven days at the same time, two days back."""
    x = sliding(counts, QUARTER)
    past = np.stack([_back(x, day * DAY) for day in range(3, 10)])
    with np.errstate(all="ignore"):
        return _scores(x, (x - np.nanmean(past, axis=0)) / np.maximum(np.nanstd(past, axis=0, ddof=1), 1.0))


def hour_of_week(counts: Table) -> Table:
    """Median and median absolute deviation of the same time of the week, an hour around it, up to four weeks back."""
    x = sliding(counts, QUARTER)
    past = _same_time(x)
    with np.errstate(all="ignore"):
        middle = np.nanmedian(past, axis=0)
        spread = 1.4826 * np.nanmedian(np.abs(past - middle), axis=0)
        return _scores(x, (x - middle) / np.maximum(spread, np.sqrt(middle + 1)))


def grafana_bands(counts: Table) -> Table:
    """The adaptive bands of Grafana's promql-anomaly-detection: mean and deviation of 5-minute rates over a day."""
    x = counts
    mean = sliding(x, DAY) / DAY
    square = sliding(x * x, DAY) / DAY
    with np.errstate(invalid="ignore"):
        return _scores(x, (x - mean) / np.sqrt(np.maximum(square - mean**2, 1.0)))


def tukey(counts: Table) -> Table:
    """Tukey's fences over the last day, as ClickHouse's seriesOutliersDetectTukey has them, per 15 minutes."""
    x = sliding(counts, QUARTER)
    scores = np.zeros_like(x)
    for at in range(DAY, x.shape[0], QUARTER):
        low, high = np.nanpercentile(x[at - DAY : at : QUARTER], (10, 90), axis=0)
        scores[at : at + QUARTER] = (x[at : at + QUARTER] - high) / np.maximum(high - low, 1.0)
    return _scores(x, scores)


def _river(make: Callable[[], Any], score: Callable[[Any, float], float]) -> Callable[[Table], Table]:
    def detect(counts: Table) -> Table:
        scores = np.zeros_like(counts)
        for place in range(counts.shape[1]):
            model = make()
            for at, value in enumerate(counts[:, place].tolist()):
                if not math.isnan(value):
                    scores[at, place] = score(model, value)
        return _scores(counts, scores)

    return detect


def _gaussian(model: Any, value: float) -> float:
    found = model.score_one(None, value)
    model.learn_one(None, value)
    # Its score is a cumulative probability that rounds to 1: the distance tells more.
    # The rolling variance can drift below zero, and its root is complex then.
    mean, deviation = model.gaussian.mu, max(complex(model.gaussian.sigma).real, 1.0)
    return float((value - mean) / deviation) if found > 0.5 else 0.0  # noqa: PLR2004  above the median


def _holt_winters(model: Any, value: float) -> float:
    try:
        expected = model["forecast"].forecast(horizon=1)[0]
    except (ValueError, IndexError, TypeError):
        expected = value
    model["forecast"].learn_one(value)
    off = value - expected
    z = off / max(model["residual"].get() ** 0.5, 1.0)
    model["residual"].update(off)
    return float(z)


def _trees(model: Any, value: float) -> float:
    # Its features lie in 0 to 1: the count against the largest so far.
    model["most"] = max(model["most"], value, 1.0)
    features = {"x": value / model["most"]}
    found = float(model["trees"].score_one(features))
    model["trees"].learn_one(features)
    return found


def river_rivals() -> Mapping[str, Callable[[Table], Table]]:
    """River's detectors per 5 minutes, series after series."""
    from river import anomaly, stats, time_series  # noqa: PLC0415  slow to import

    def forecaster() -> dict[str, Any]:
        model = time_series.HoltWinters(alpha=0.1, beta=0.001, gamma=0.1, seasonality=DAY)
        return {"forecast": model, "residual": stats.EWVar(fading_factor=0.01)}

    def trees() -> dict[str, Any]:
        return {"trees": anomaly.HalfSpaceTrees(seed=1, window_size=DAY), "most": 1.0}

    return {
        "river GaussianScorer": _river(lambda: anomaly.GaussianScorer(window_size=DAY, grace_period=50), _gaussian),
        "river HoltWinters residual": _river(forecaster, _holt_winters),
        "river HalfSpaceTrees": _river(trees, _trees),
    }


RIVALS: Mapping[str, Callable[[Table], Table]] = {
    "Farrington 2/3 power, 15 min": farrington,
    "EARS C2, same time of 7 days": ears_c2,
    "hour of week, median and MAD": hour_of_week,
    "Grafana adaptive bands": grafana_bands,
    "Tukey's fences over a day": tukey,
}
