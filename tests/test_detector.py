"""The laws of the detector: one by one is all at once, a restored one goes on as it was, time is an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.detector import DetectorSettings, Scores
from models.negative_binomial import NegativeBinomialDetector, threshold
from models.tails import lognormal_tail, negative_binomial_tail
from models.weeks import WeekCalendar, slot_width

START = datetime(2026, 3, 2, tzinfo=UTC).timestamp()  # a Monday
MINUTE = timedelta(minutes=1)
FIVE = DetectorSettings.for_spacing(timedelta(minutes=5))
FIELDS = ("score", "short", "observed", "expected", "hop_expected", "learning")


def counts(seed: int, hops: int, rates: list[float]) -> Any:
    """Poisson counts, (hops, series), with a spike of ten times the rate near the end."""
    table = np.random.default_rng(seed).poisson(rates, size=(hops, len(rates))).astype(float)
    table[hops - 20 : hops - 10] *= 10
    return table


def run(detector: NegativeBinomialDetector, table: Any, first: int = 0) -> list[Scores]:
    hop = detector.settings.hop.total_seconds()
    return [detector.observe(START + (first + at + 1) * hop, row) for at, row in enumerate(table)]


def assert_equal(left: Scores, right: Scores) -> None:
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=f"{name} at {left.at}")


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), rates=st.lists(st.floats(0.01, 50), min_size=1, max_size=4))
def test_all_series_at_once_score_as_each_alone(seed: int, rates: list[float]) -> None:
    table = counts(seed, 400, rates)
    together = run(NegativeBinomialDetector(len(rates), FIVE), table)
    for place in range(len(rates)):
        alone = run(NegativeBinomialDetector(1, FIVE), table[:, [place]])
        for both, one in zip(together, alone, strict=True):
            for name in FIELDS:
                assert getattr(both, name)[place] == getattr(one, name)[0], name


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), cut=st.integers(1, 399))
def test_a_detector_restored_in_the_middle_goes_on_as_if_nothing_had_been(seed: int, cut: int) -> None:
    short = DetectorSettings(hop=timedelta(seconds=20))
    table = counts(seed, 400, [3.0, 0.2])
    whole = run(NegativeBinomialDetector(2, short), table)
    first = NegativeBinomialDetector(2, short)
    run(first, table[:cut])
    second = NegativeBinomialDetector(2, short)
    second.restore(first.snapshot())
    for left, right in zip(whole[cut:], run(second, table[cut:], cut), strict=True):
        assert_equal(left, right)


def test_a_snapshot_is_a_copy_and_inputs_stay_as_they_are() -> None:
    detector = NegativeBinomialDetector(1, FIVE)
    row = np.array([3.0])
    detector.observe(START, row)
    kept = detector.snapshot()
    before = {name: value.copy() for name, value in kept.items()}
    run(detector, counts(1, 30, [4.0]), 0)
    assert row == [3.0]
    for name, value in before.items():
        np.testing.assert_array_equal(kept[name], value)


def test_a_snapshot_of_other_series_is_refused() -> None:
    with pytest.raises(ValueError, match="other series"):
        NegativeBinomialDetector(2, FIVE).restore(NegativeBinomialDetector(3, FIVE).snapshot())


def test_a_spike_scores_high_and_its_ordinary_hour_does_not() -> None:
    scores = run(NegativeBinomialDetector(1, FIVE), counts(5, 1000, [20.0]))
    assert max(float(score.score[0]) for score in scores[:979] if not score.learning[0]) < 4
    assert max(float(score.score[0]) for score in scores[979:]) > 6


def test_hops_left_out_are_hops_not_seen() -> None:
    table = counts(7, 300, [6.0])
    told, silent = NegativeBinomialDetector(1, FIVE), NegativeBinomialDetector(1, FIVE)
    hop = FIVE.hop.total_seconds()
    for at, row in enumerate(table):
        if 100 <= at < 150:
            told.observe(START + (at + 1) * hop, row, np.array([False]))
            continue
        assert_equal(told.observe(START + (at + 1) * hop, row), silent.observe(START + (at + 1) * hop, row))


def test_a_gap_is_no_lull_and_its_end_no_spike() -> None:
    detector = NegativeBinomialDetector(1, FIVE)
    hop = FIVE.hop.total_seconds()
    table = np.random.default_rng(3).poisson(12.0, size=(3000, 1)).astype(float)
    highest = 0.0
    for at, row in enumerate(table):
        if not 1500 <= at < 2500:
            highest = max(highest, float(detector.observe(START + (at + 1) * hop, row).score[0]))
    assert highest < 4.5


def test_time_does_not_go_back_and_keeps_to_its_hops() -> None:
    detector = NegativeBinomialDetector(1, FIVE)
    detector.observe(START, np.array([1.0]))
    for wrong in (START, START - 300, START + 10):
        with pytest.raises(ValueError, match="does not follow"):
            detector.observe(wrong, np.array([1.0]))


def test_history_gives_a_profile_before_the_first_hop() -> None:
    rates = 2 + 10 * (np.arange(24 * 28) % 24 >= 8)
    history = np.random.default_rng(1).poisson(rates * 4)[:, None].astype(float)
    starts = [START + 3600 * at for at in range(len(rates))]
    hourly = DetectorSettings.for_spacing(timedelta(hours=1))
    warm = NegativeBinomialDetector(1, hourly)
    warm.warm_start(starts, timedelta(hours=1), history)
    expected = [
        float(warm.observe(START + 3600 * (len(rates) + at + 1), np.array([4.0 * rates[at]])).hop_expected[0])
        for at in range(24)
    ]
    assert 5 < np.mean(expected[:7]) < 12
    assert 40 < np.mean(expected[9:]) < 56
    with pytest.raises(ValueError, match="warm it first"):
        warm.warm_start(starts, timedelta(hours=1), history)


def test_a_child_borrows_its_parents_profile() -> None:
    hourly = DetectorSettings.for_spacing(timedelta(hours=1))
    detector = NegativeBinomialDetector(2, hourly, parents=[1, -1])
    day = np.where(np.arange(24 * 21) % 24 >= 12, 100.0, 5.0)
    for at, count in enumerate(day):
        child = 1.0 if at % 10 == 0 else 0.0  # too rare to have a profile of its own
        scores = detector.observe(START + 3600 * (at + 1), np.array([child, count]))
        if at == 24 * 20 + 4:
            night = float(scores.hop_expected[0])
    assert float(scores.hop_expected[0]) > 1.5 * night


def test_series_cannot_be_their_own_ancestors() -> None:
    with pytest.raises(ValueError, match="ancestor"):
        NegativeBinomialDetector(2, parents=[1, 0])


def test_the_tail_is_that_of_scipys_negative_binomial() -> None:
    observed, mean, extra = np.array([5.0, 30.0, 200.0]), np.array([1.0, 9.0, 100.0]), np.array([0.6, 20.0, 400.0])
    size = mean**2 / extra
    wanted = -stats.nbinom.logsf(observed - 1, size, size / (size + mean)) / np.log(10)
    np.testing.assert_allclose(negative_binomial_tail(observed, mean, extra), wanted, rtol=1e-9)


def test_the_longer_tail_is_that_of_scipys_log_normal() -> None:
    observed, mean, variance = np.array([30.0, 200.0]), np.array([9.0, 100.0]), np.array([29.0, 500.0])
    spread = np.log1p(variance / mean**2)
    law = stats.lognorm(np.sqrt(spread), scale=np.exp(np.log(mean) - spread / 2))
    np.testing.assert_allclose(
        lognormal_tail(observed, mean, variance), -law.logsf(observed - 0.5) / np.log(10), rtol=1e-9
    )


def test_what_lasts_for_hours_is_expected_and_what_does_not_is_not() -> None:
    random = np.random.default_rng(4)
    hours = np.repeat(random.choice([0.6, 1.4], size=24 * 8 // 6), 72)
    minutes = random.choice([0.6, 1.4], size=hours.size)
    table = random.poisson(20 * np.column_stack([hours, minutes])).astype(float)
    scores = run(NegativeBinomialDetector(2, replace(FIVE, cold_for=timedelta(days=1))), table)
    expected = np.array([score.hop_expected for score in scores])[288 * 4 :]
    lasting = np.corrcoef(expected[:, 0], hours[288 * 4 :])[0, 1]
    passing = np.corrcoef(expected[:, 1], minutes[288 * 4 :])[0, 1]
    assert lasting > 0.6
    assert abs(passing) < 0.2


def test_a_holiday_busier_than_a_sunday_is_followed_and_the_day_after_is_itself_again() -> None:
    holiday = date(2026, 3, 25)  # a Wednesday in the fourth week
    days = np.arange(26)
    rates = np.where(days % 7 >= 5, 4.0, 20.0)
    rates[23] = 10.0
    table = np.random.default_rng(8).poisson(np.repeat(rates, 288))[:, None].astype(float)
    detector = NegativeBinomialDetector(1, FIVE, WeekCalendar(holidays=[holiday]))
    scores = run(detector, table)
    expected = np.array([score.hop_expected[0] for score in scores]).reshape(26, 288)
    assert 8 < expected[23, 36:].mean() < 12
    assert 16 < expected[24, 36:].mean() < 24
    assert max(float(score.score[0]) for score in scores[23 * 288 : 25 * 288]) < threshold(1, 0.02, FIVE.bucket)


def test_a_spike_on_a_holiday_that_is_quieter_than_a_sunday_is_seen() -> None:
    random = np.random.default_rng(11)
    rates = np.repeat(np.where(np.arange(24) % 7 >= 5, 40.0, 120.0), 288)
    rates *= np.exp(np.repeat(random.normal(0, 0.2, 24 * 24), 12))
    rates[23 * 288 :] *= 0.1  # a tenth of a Wednesday, which is a third of a Sunday
    rates[-144:-138] *= 5  # half an hour at noon
    detector = NegativeBinomialDetector(3, FIVE, WeekCalendar(holidays=[date(2026, 3, 25)]))
    scores = run(detector, random.poisson(np.repeat(rates[:, None], 3, axis=1)).astype(float))
    limit = threshold(100, 2, FIVE.bucket)
    assert np.max([score.score for score in scores[-144:-137]], axis=0).min() > limit
    assert np.max([score.score for score in scores[-288:-144]]) < limit


def test_the_threshold_grows_with_series_and_falls_with_what_is_allowed() -> None:
    assert threshold(100, 2) == pytest.approx(4.1, abs=0.01)
    assert threshold(1, 0.1, timedelta(hours=1)) == pytest.approx(np.log10(168) + 1)
    with pytest.raises(ValueError, match="positive"):
        threshold(0, 1)


@pytest.mark.parametrize("spacing", [10, 60, 120, 300, 420, 900, 1800, 3600, 7200, 86_400, 604_800])
def test_any_spacing_has_settings_that_work(spacing: int) -> None:
    chosen = DetectorSettings.for_spacing(timedelta(seconds=spacing))
    detector = NegativeBinomialDetector(1, chosen)
    table = counts(3, 200, [10.0])
    assert max(float(score.score[0]) for score in run(detector, table)[-20:]) > 5


def test_holidays_stand_where_sundays_do_and_the_clock_is_the_walls() -> None:
    berlin = WeekCalendar(ZoneInfo("Europe/Berlin"), [date(2026, 4, 6)])
    summer, winter = datetime(2026, 7, 6, 6, tzinfo=UTC), datetime(2026, 12, 7, 7, tzinfo=UTC)
    assert berlin.place(summer.timestamp()) == berlin.place(winter.timestamp()) == (8 * 3600, False)
    assert berlin.place(datetime(2026, 4, 6, 6, tzinfo=UTC).timestamp()) == (6 * 86_400 + 8 * 3600, True)


@pytest.mark.parametrize("hops", [360, 361, 7 * 360 + 5])
def test_a_series_that_is_forgotten_begins_as_one_that_was_never_seen(hops: int) -> None:
    random = np.random.default_rng(3)
    used, unused = (NegativeBinomialDetector(3, DetectorSettings(), parents=[-1, 0, 0]) for _ in "ab")
    at, new = START, np.array([True, True, False])
    for row in random.poisson([5, 2, 3], size=(hops, 3)):
        at += 10
        used.observe(at, row)
        unused.observe(at, row, new)
    used.forget(2)
    for row in random.poisson([5, 2, 3], size=(800, 3)):
        at += 10
        assert_equal(used.observe(at, row), unused.observe(at, row))


def test_a_slot_of_the_week_holds_a_bucket() -> None:
    widths = [slot_width(timedelta(minutes=minutes)) for minutes in (1, 15, 20, 60, 100, 1440, 2000)]
    assert widths == [timedelta(minutes=minutes) for minutes in (15, 15, 30, 60, 120, 1440, 10_080)]


@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    holiday=st.booleans(),
    unseen=st.booleans(),
    rates=st.lists(st.floats(0.01, 20), min_size=1, max_size=4),
)
def test_hops_without_a_ticket_score_together_as_one_by_one(
    seed: int, holiday: bool, unseen: bool, rates: list[float]
) -> None:
    random = np.random.default_rng(seed)
    cut = DetectorSettings(hop=timedelta(seconds=20), cold_for=timedelta(hours=int(random.integers(1, 9))))
    calendar = WeekCalendar(holidays=[date(2026, 3, 2)] if holiday else [])
    single, batched = (NegativeBinomialDetector(len(rates), cut, calendar, [-1, *[0] * (len(rates) - 1)]) for _ in "ab")
    at, present = START, np.ones(len(rates), dtype=np.bool_)
    present[-1] = not unseen
    for _ in range(25):
        for row in random.poisson(rates, size=(random.integers(1, 30), len(rates))):
            at += 20
            assert_equal(single.observe(at, row, present), batched.observe(at, row, present))
        if random.random() < 0.1:
            at += 20 * int(random.integers(1, 1500))
        left = int(random.integers(1, 200))
        while left:
            scored = batched.observe_silence(at + 20, left, present)
            assert scored.ends == tuple(at + 20 * hop for hop in range(1, len(scored.ends) + 1))
            for place, at in enumerate(scored.ends):
                one = single.observe(at, np.zeros(len(rates)), present)
                assert_equal(one, scored.hop(place))
                np.testing.assert_array_equal(one.window, scored.hop(place).window)
                np.testing.assert_array_equal(one.now_observed, scored.hop(place).now_observed)
                np.testing.assert_array_equal(one.now_expected, scored.hop(place).now_expected)
            left -= len(scored.ends)
    for name, value in single.snapshot().items():
        np.testing.assert_array_equal(value, batched.snapshot()[name], err_msg=name)


def test_how_much_activity_wanders_and_how_long_it_lasts_is_learned_for_each_series() -> None:
    random = np.random.default_rng(11)
    spreads, lasts = np.array([0.1, 0.1, 0.02]), np.array([30.0, 150.0, 60.0])  # minutes
    stay = np.exp(-5 / lasts)
    walk = random.normal(0, np.sqrt(np.log1p(spreads)))
    detector = NegativeBinomialDetector(3, replace(FIVE, cold_for=timedelta(days=1)))
    for at in range(288 * 28):
        walk = walk * stay + random.normal(0, np.sqrt(np.log1p(spreads) * (1 - stay**2)))
        activity = np.exp(walk - np.log1p(spreads) / 2)
        detector.observe(START + 300 * (at + 1), random.poisson(50 * activity).astype(float))
    known = detector.snapshot()
    np.testing.assert_allclose(known["spread"], spreads, rtol=0.4)
    np.testing.assert_allclose(-5 / np.log(known["stay"]), lasts, rtol=0.4)
    # Where the activity is: nearer to what it was than the baseline is, which is 1.
    assert np.abs(known["active"][:2] - activity[:2]).mean() < np.abs(activity[:2] - 1).mean()


def test_what_made_single_days_busy_is_not_taken_for_the_profile_however_many_tickets_there_are() -> None:
    random, stay, spread = np.random.default_rng(17), np.exp(-1 / 8), np.log1p(0.1)
    detector = NegativeBinomialDetector(5, DetectorSettings.for_spacing(timedelta(minutes=15)))
    walk, errors = np.zeros(5), []
    for at in range(96 * 28):
        walk = walk * stay + random.normal(0, np.sqrt(spread * (1 - stay**2)), 5)
        rates = 500 * np.exp(walk - spread / 2)  # at any time of the week the same, but for activity
        detector.observe(START + 900 * (at + 1), random.poisson(rates).astype(float))
        if at >= 96 * 21:
            errors.append(detector.snapshot()["profile"][0] - 1)
    error = np.sqrt(np.mean(np.square(errors)))
    assert error < 0.1
    # Nor does it say that it were surer than that.
    assert np.sqrt(detector.snapshot()["doubt"]).mean() == pytest.approx(error, rel=0.6)


def test_the_day_after_a_long_spike_is_held_against_the_baseline_again() -> None:
    table = np.random.default_rng(6).poisson(20.0, size=(288 * 6, 1)).astype(float)
    table[288 * 4 : 288 * 4 + 24] *= 4  # two hours, of which the second is learned as a new level
    again = 288 * 4 + 24 + 36  # three hours later
    table[again : again + 12] += np.linspace(5, 60, 12)[:, None]  # a slow rise, which a last hour would hide
    scores = run(NegativeBinomialDetector(1, replace(FIVE, cold_for=timedelta(days=1))), table)
    expected = [float(score.hop_expected[0]) for score in scores[again - 6 : again]]
    assert np.mean(expected) == pytest.approx(20, rel=0.3)
    assert max(float(score.score[0]) for score in scores[again : again + 12]) > threshold(100, 2, FIVE.bucket)
