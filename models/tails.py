"""How improbable a count of so many or more is, in decades: the tails of overdispersed laws."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, cast

import numpy as np

from models.detector import Floats

_MOST = 300.0
"""Decades: what is less probable than a float can tell."""
_DECADES_A_NAT = 1 / math.log(10)


def improbability(observed: Floats, mean: Floats, clumping: Floats | float, dispersion: Floats) -> Floats:
    """-log10 of the probability of at least `observed`; the variance is mean (1 + clumping + dispersion mean)."""
    extra = mean * (clumping + dispersion * mean)
    tail = negative_binomial_tail(observed, mean, extra)
    # Activities multiply: the more of the variance is theirs, the more the tail is a log-normal's, which is longer.
    part = dispersion * mean * mean / (mean + extra)
    return tail + part * (lognormal_tail(observed, mean, mean + extra) - tail)


def lognormal_tail(observed: Floats, mean: Floats, variance: Floats) -> Floats:
    """-log10 of the probability of at least `observed` of a log-normal with that mean and variance."""
    log_variance = np.log1p(variance / (mean * mean))
    above = np.maximum(observed - 0.5, observed / 2)
    z = (np.log(above / mean) + log_variance / 2) / np.sqrt(log_variance)
    return np.minimum(-_DECADES_A_NAT * _special().log_ndtr(-z), _MOST)


def negative_binomial_tail(observed: Floats, mean: Floats, extra: Floats) -> Floats:
    """-log10 of the probability of at least `observed` where the variance is `mean` + `extra`; all of one shape.

    The tail of the negative binomial is a regularised incomplete beta function (Abramowitz and Stegun, 26.5.26).
    """
    size = mean * mean / np.maximum(extra, 1e-9 * mean)
    probability = _special().betainc(observed, size, mean / (mean + size))
    with np.errstate(divide="ignore"):
        return np.minimum(-np.log10(probability), _MOST)


@cache
def _special() -> Any:
    """Scipy takes a fifth of a second to import: at the first use."""
    from scipy import special  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]  it ships none

    return cast("Any", special)
