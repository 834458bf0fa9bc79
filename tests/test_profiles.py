"""Profiles of the week: what a slot leans on, and whether its doubt is the error that is left."""

from datetime import timedelta

import numpy as np
import pytest

from models.detector import Floats
from models.profiles import WeekProfiles, WeeksSeen

SLOTS, SERIES = 672, 400
QUARTER = timedelta(minutes=15)
HOURS = np.arange(SLOTS) / 4 % 24
SHAPE = 0.1 + 2.4 * np.exp(-(((HOURS - 13) / 3) ** 2))
WEEKEND = np.arange(SLOTS) >= 5 * 96


def profiles() -> WeekProfiles:
    return WeekProfiles(SLOTS, QUARTER, timedelta(minutes=1), timedelta(hours=1), [(np.arange(SERIES), None)])


def seen(true: Floats, tickets_a_slot: float) -> WeeksSeen:
    """Chance alone about a profile, where the level expects so many tickets in each slot."""
    counts = np.random.default_rng(3).poisson(true[:, None] * tickets_a_slot, (SLOTS, SERIES)).astype(np.float32)
    return WeeksSeen(
        tickets=counts,
        expected=np.full((SLOTS, SERIES), tickets_a_slot, dtype=np.float32),
        weekend_tickets=counts[WEEKEND].sum(axis=0, dtype=np.float64),
        weekend_expected=np.full(SERIES, SHAPE[WEEKEND].sum() * tickets_a_slot),
    )


@pytest.mark.parametrize("hour", [2, 13, 20])
@pytest.mark.parametrize("day", [1, 6])
def test_the_doubt_is_the_squared_relative_error_that_is_left_at_any_hour(day: int, hour: int) -> None:
    slot = day * 96 + hour * 4
    value, doubt = profiles().of(slot, seen(SHAPE, 30.0), np.zeros(SERIES))
    # A slot of a smooth profile is like those around it, so that less is left than its doubt allows for.
    assert 0.4 < np.mean((value / SHAPE[slot] - 1) ** 2 / doubt) < 1.5


def test_a_weekend_of_few_tickets_has_the_hours_of_workdays() -> None:
    true = SHAPE * np.where(WEEKEND, 0.3, 1.0)
    few = seen(true, 10.0)
    slots = [6 * 96 + hour * 4 for hour in (1, 4, 22)]
    around = [[day * 96 + slot % 96 + off for day in (5, 6) for off in (-4, -3, -2, -1, 0, 1, 2, 3)] for slot in slots]
    alone = np.array([few.tickets[rows].sum(axis=0) / few.expected[rows].sum(axis=0) for rows in around])
    found = np.array([profiles().of(slot, few, np.zeros(SERIES))[0] for slot in slots])
    off, off_alone = (np.sqrt(np.mean((each / true[slots][:, None] - 1) ** 2)) for each in (found, alone))
    assert off < off_alone / 2
    assert off < 0.3


def test_tickets_of_its_own_outweigh_what_a_slot_leans_on() -> None:
    true = np.where(WEEKEND, 1.0, SHAPE)  # a weekend that is nothing like workdays
    found = profiles().of(6 * 96 + 3 * 4, seen(true, 500.0), np.zeros(SERIES))[0]
    assert found == pytest.approx(1, rel=0.15)
