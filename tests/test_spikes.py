"""Counting, alerts, causes, staffing, the simulator and NAB's scoring."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.alerts import AlertBook, AlertSettings
from models.causes import (
    RecentTickets,
    SeenTicket,
    TermBaseline,
    explain,
    have_a_word_in_common,
    rank_children,
    signed_g2,
)
from models.counting import OTHER, Counted, CountingSettings, CountTable, HeavyHitters, PartitionCounter
from models.detector import DetectorSettings, Scores
from models.novelty import THRESHOLD, LeakyPeakDetector
from models.simulator import SimulatorSettings, simulate
from models.staffing import ServiceLevel, agents_needed, agents_rostered, answered_within, waiting_probability
from schemas.alerts import SpikeOpened, SpikeResolved, SpikeUpdated

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event(offset: int, second: float, requester: str = "", **series: str) -> Counted:
    at = START + timedelta(seconds=second)
    values = {dimension: (value,) for dimension, value in (series or {"category": "login"}).items()}
    return Counted(offset=offset, occurred_at=at, requester=requester, series=values)


def totals(table: CountTable, second: float = 0) -> dict[str, int]:
    return table.totals(START + timedelta(seconds=second))


@settings(max_examples=50, deadline=None)
@given(
    seconds=st.lists(st.integers(0, 60), min_size=1, max_size=30),
    again=st.lists(st.integers(0, 29), max_size=10),
)
def test_redelivered_events_and_counts_change_nothing(seconds: list[int], again: list[int]) -> None:
    events = [event(offset, second, f"u{offset % 7}") for offset, second in enumerate(seconds)]
    once, twice = CountTable(), CountTable()
    for count in PartitionCounter().count(0, events):
        once.put(count)
    counter = PartitionCounter()
    told = []
    for one in events:
        told.extend(counter.count(0, [one]))
        told.extend(counter.count(0, events[: one.offset + 1]))
    for count in [*told, *(told[at] for at in again if at < len(told))]:
        twice.put(count)
    assert [totals(once, at) for at in range(0, 70, 10)] == [totals(twice, at) for at in range(0, 70, 10)]


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 40), back=st.integers(0, 10), seed=st.integers(0, 1000))
def test_a_counter_restored_from_an_older_offset_tells_the_same_counts(cut: int, back: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    events = [
        event(offset, int(random.integers(0, 600)), f"u{random.integers(5)}", category=f"c{random.integers(4)}")
        for offset in range(40)
    ]
    small = CountingSettings(most_series=2)
    whole, table = CountTable(small), CountTable(small)
    for count in PartitionCounter(small).count(0, events):
        whole.put(count)
    first = PartitionCounter(small)
    first.count(0, [])
    kept = max(0, cut - back)
    for count in first.count(0, events[:kept]):
        table.put(count)
    snapshot = first.snapshot(0)
    for count in first.count(0, events[kept:cut]):
        table.put(count)
    second = PartitionCounter(small)
    second.restore(0, snapshot)
    for count in second.count(0, events[kept:]):
        table.put(count)
    assert [totals(table, at) for at in range(0, 600, 10)] == [totals(whole, at) for at in range(0, 600, 10)]


def test_a_requester_counts_once_an_hour_in_a_series() -> None:
    counter = PartitionCounter()
    counter.count(0, [event(0, 0, "ann", category="login", team="it")])
    assert counter.count(0, [event(1, 5, "ann", category="login", team="it")]) == []
    (other,) = counter.count(0, [event(2, 5, "ann", category="billing")])
    assert (other.series, other.count) == ("category=billing", 1)
    (later,) = counter.count(0, [event(3, 3700, "ann")])
    assert later.count == 1
    assert [count.count for count in counter.count(0, [event(4, 3700), event(5, 3700)])] == [3], "nobody is no repeat"


def test_events_later_than_stated_are_left_out_and_told() -> None:
    counter = PartitionCounter(CountingSettings(lateness=timedelta(seconds=30)))
    counter.count(0, [event(0, 100)])
    assert counter.count(0, [event(1, 75)]) != []
    assert counter.count(0, [event(2, 40)]) == []
    assert counter.late(0) == 1


def test_buckets_are_complete_when_the_watermark_has_passed_and_silent_partitions_do_not_hold_it() -> None:
    table = CountTable(CountingSettings(lateness=timedelta(seconds=20)))
    counter = PartitionCounter()
    for count in counter.count(0, [event(0, 0)]) + counter.count(1, [event(0, 0)]):
        table.put(count)
    for count in counter.count(0, [event(1, 40)]):
        table.put(count)
    assert table.complete() == [], "partition 1 may still have some"
    for count in counter.count(1, [event(1, 40)]):
        table.put(count)
    assert table.complete() == [(START, {"category=login": 2})]
    (late,) = PartitionCounter().count(2, [event(0, 5)])
    assert not table.put(late), "what is complete stays as it was"
    for count in counter.count(0, [event(2, 400)]):
        table.put(count)
    assert [bucket for bucket, _ in table.complete()] == [START + timedelta(seconds=40)]


def test_names_beyond_the_room_are_folded_and_a_frequent_one_moves_in() -> None:
    names = HeavyHitters(2)
    assert [names.admit(name) for name in ("a", "b", "c", "a")] == [True, True, False, True]
    assert [names.admit("c") for _ in range(3)] == [True, True, True]
    assert not names.admit("b")
    counter = PartitionCounter(CountingSettings(most_series=1))
    counts = counter.count(0, [event(0, 0, category="x"), event(1, 0, category="y")])
    assert [count.series for count in counts] == ["category=x", f"category={OTHER}"]


def test_a_ticket_counts_once_in_each_of_its_tags_and_once_in_the_rest() -> None:
    tagged = replace(event(0, 0), series={"category": ("login",), "tag": ("a", "b", "c")})
    counts = PartitionCounter().count(0, [tagged])
    assert {count.series: count.count for count in counts} == {"category=login": 1, "tag=a": 1, "tag=b": 1, "tag=c": 1}
    (whole,) = PartitionCounter(CountingSettings(most_series=1)).count_buckets(0, [replace(tagged, ticket_id="T-1")])
    assert whole.counts == {"category=login": 1, "tag=a": 1, f"tag={OTHER}": 1}
    assert whole.tickets[0].series == ("category=login", "tag=a", f"tag={OTHER}")
    counter = PartitionCounter()
    counter.count(0, [replace(tagged, requester="ann")])
    again = replace(event(1, 5, "ann"), series={"category": ("login",), "tag": ("c", "d")})
    assert [count.series for count in counter.count(0, [again])] == ["tag=d"], "a requester counts once in each"


def test_many_at_once_count_as_so_many() -> None:
    one_by_one, at_once = HeavyHitters(2), HeavyHitters(2)
    for name, times in (("a", 3), ("b", 1), ("c", 2), ("d", 1), ("a", 1), ("c", 4)):
        admitted = [one_by_one.admit(name) for _ in range(times)]
        assert at_once.admit(name, times) == admitted[-1]
    assert one_by_one.snapshot() == at_once.snapshot()
    assert "c" in at_once
    assert "b" not in at_once


def test_a_flood_of_names_stays_in_bounded_memory() -> None:
    names = HeavyHitters(50)
    for at in range(5000):
        names.admit(f"n{at}")
    state = names.snapshot()
    assert len(state["counts"]) == 50
    assert len(state["waiting"]) <= 51


FIVE = DetectorSettings.for_spacing(timedelta(minutes=5))


def scores(minute: float, *values: float, learning: bool = False) -> Scores:
    array = np.array(values)
    return Scores(
        at=(START + minute * MINUTE).timestamp(),
        score=array,
        short=array,
        window=np.zeros(array.size, dtype=np.int64),
        observed=array * 10,
        expected=np.ones(array.size),
        hop_observed=array * 10,
        hop_expected=np.ones(array.size),
        now_observed=array * 10,
        now_expected=np.ones(array.size),
        learning=np.full(array.size, learning),
    )


def book(*names: str, threshold: float = 4.0) -> AlertBook:
    return AlertBook(names or ("a",), AlertSettings(threshold=threshold), FIVE)


def test_a_spike_opens_goes_on_and_is_resolved_after_ten_quiet_minutes() -> None:
    alerts = book()
    (opened,) = alerts.advance(scores(5, 6.0))
    assert isinstance(opened, SpikeOpened)
    assert (opened.onset, opened.detected_at) == (START, START + 5 * MINUTE)
    (updated,) = alerts.advance(scores(10, 8.0))
    assert isinstance(updated, SpikeUpdated)
    assert (updated.size.observed, updated.size.expected, updated.size.score) == (140, 2, 8)
    assert alerts.advance(scores(15, 0.5)) == []
    (updated,) = alerts.advance(scores(20, 2.0))
    assert isinstance(updated, SpikeUpdated), "a dip of five minutes ends nothing"
    assert alerts.advance(scores(25, 0.0)) == []
    (resolved,) = alerts.advance(scores(30, 0.0))
    assert isinstance(resolved, SpikeResolved)
    assert (resolved.ended_at, resolved.resolved_at) == (START + 20 * MINUTE, START + 30 * MINUTE)
    assert resolved.size.observed == 165, "what came in the dip belongs to the spike"
    assert alerts.open_alerts == {}


def test_the_id_of_an_alert_follows_from_series_and_moment() -> None:
    first, second = (alerts.advance(scores(5, 6.0, 6.0)) for alerts in (book("a", "b"), book("a", "b")))
    assert first == second
    assert len({event.alert_id for event in first}) == 2


def test_learning_series_stay_silent_muted_ones_open_and_dismissed_ones_need_more() -> None:
    alerts = book()
    assert alerts.advance(scores(5, 9.0, learning=True)) == []
    alerts.mute("a", START + 60 * MINUTE)
    assert alerts.muted_until("a", START + 10 * MINUTE) == START + 60 * MINUTE
    assert alerts.muted_until("a", START + 60 * MINUTE) is None
    assert [type(event) for event in alerts.advance(scores(10, 9.0))] == [SpikeOpened], "it is told, and pages nobody"
    alerts = book()
    alerts.advance(scores(5, 0.0))
    alerts.dismiss("a")
    assert alerts.threshold_of("a") == 4.5
    assert alerts.advance(scores(10, 4.3)) == []
    alerts.advance(scores(10 + 28 * 1440, 0.0))
    assert alerts.threshold_of("a") == pytest.approx(4.25, abs=0.001)
    alerts.acknowledge("a")
    assert alerts.threshold_of("a") == pytest.approx(4.0, abs=0.001)


def test_a_book_restored_in_the_middle_tells_the_same_events() -> None:
    values = [0, 6, 7, 0, 2, 0, 0, 9, 9, 9, 0, 0]
    whole, first, second = book(), book(), book()
    wanted = [event for at, value in enumerate(values) for event in whole.advance(scores(5 * at, value))]
    for cut in range(len(values)):
        first, second = book(), book()
        got = [event for at, value in enumerate(values[:cut]) for event in first.advance(scores(5 * at, value))]
        second.restore(first.snapshot())
        got += [event for at in range(cut, len(values)) for event in second.advance(scores(5 * at, values[at]))]
        assert got == wanted, cut


def ticket(at: int, *terms: str) -> SeenTicket:
    return SeenTicket(
        ticket_id=f"t{at:04d}",
        occurred_at=START + at * MINUTE,
        requester=f"u{at}",
        terms=frozenset(terms),
    )


def test_the_terms_of_an_outage_are_named_and_common_words_are_not() -> None:
    baseline = TermBaseline()
    random = np.random.default_rng(1)
    words = [f"w{at}" for at in range(50)]
    for at in range(2000):
        baseline.learn(ticket(at, "please", *random.choice(words, 3)))
    spike = [ticket(2000 + at, "please", "vpn", "tunnel", *random.choice(words, 3)) for at in range(20)]
    spike += [ticket(2020 + at, "please", *random.choice(words, 3)) for at in range(10)]
    cause = explain(spike, baseline, at=START + 2030 * MINUTE)
    assert {part.text for part in cause.terms[:2]} == {"vpn", "tunnel"}
    assert "please" not in {part.text for part in cause.terms}
    assert cause.first_ticket == "t2000"
    assert set(cause.examples) <= {f"t{2000 + at}" for at in range(20)}
    assert cause.requesters == 30


def test_spikes_are_one_where_a_word_that_is_new_tells_both() -> None:
    usual = TermBaseline()
    for at in range(300):
        usual.learn(ticket(at, "please", f"w{at % 40}"))
    vpn = [ticket(300 + at, "please", "vpn", "drops") for at in range(9)]
    mixed = [ticket(310 + at, "please", "vpn", "timeout") for at in range(6)] + [ticket(317, "w3"), ticket(318, "w4")]
    mail = [ticket(320 + at, "please", "mail", "drops" if at % 2 else "bounces") for at in range(9)]
    at = START + 330 * MINUTE
    assert have_a_word_in_common(vpn, mixed, usual, at=at)
    assert have_a_word_in_common(mixed, vpn, usual, at=at)
    assert not have_a_word_in_common(vpn, mail, usual, at=at), "usual words, and one that half of them hold"
    assert not have_a_word_in_common(vpn, mixed[:2], usual, at=at), "too few to tell"


@pytest.mark.parametrize(
    ("tickets", "hold_it", "one"), [(30, 3, True), (30, 5, False), (600, 40, True), (600, 60, False)]
)
def test_a_word_that_a_few_usual_tickets_hold_by_chance_still_tells_two_spikes(
    tickets: int, hold_it: int, one: bool
) -> None:
    usual = TermBaseline()
    for at in range(tickets):
        usual.learn(ticket(0, f"w{at}", *(["vpn"] if at < hold_it else [])))
    spikes = [[ticket(start + at, "vpn", f"v{start + at}") for at in range(6)] for start in (1, 9)]
    assert have_a_word_in_common(*spikes, usual, at=START + 15 * MINUTE) is one


def test_the_sketch_is_never_too_low_and_fades_by_half() -> None:
    baseline = TermBaseline(width=64, half_life=timedelta(days=1))
    for at in range(200):
        baseline.learn(ticket(0, f"x{at % 40}"))
    now = START
    assert all(baseline.count(f"x{at}", now) >= 5 for at in range(40))
    assert baseline.tickets(now) == 200
    assert baseline.tickets(now + timedelta(days=1)) == pytest.approx(100)
    other = TermBaseline(width=64, half_life=timedelta(days=1))
    other.restore(baseline.snapshot())
    assert other.count("x1", now) == baseline.count("x1", now)


def test_g2_is_that_of_the_contingency_table_and_signed() -> None:
    def plain(table: Any) -> float:
        table = np.array(table, dtype=float)
        expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
        return float(2 * (table * np.log(table / expected)).sum())

    assert signed_g2(20, 50, 30, 500) == pytest.approx(plain([[20, 30], [30, 470]]))
    assert signed_g2(1, 50, 100, 500) == pytest.approx(-plain([[1, 49], [100, 400]]))
    assert signed_g2(0, 0, 5, 10) == 0


def test_children_are_ranked_by_what_they_add_and_small_ones_left_out() -> None:
    parts = rank_children({"vpn": 40, "mail": 60, "rare": 2, "down": 1}, {"vpn": 5, "mail": 50, "down": 20})
    assert [part.text for part in parts] == ["vpn"]


def test_recent_tickets_are_bounded_in_time_and_number() -> None:
    recent = RecentTickets(most=3)
    gone = [old.ticket_id for at in (0, 10, 90, 95, 100) for old in recent.add(ticket(at))]
    assert gone == ["t0000", "t0010"]
    assert [kept.ticket_id for kept in recent.since(START + 95 * MINUTE)] == ["t0095", "t0100"]


def test_erlang_c_is_that_of_the_textbook() -> None:
    # 10 erlangs and 12 agents: Erlang B 0.1197, Erlang C 0.4494.
    assert waiting_probability(12, 10) == pytest.approx(0.4494, abs=1e-4)
    # One agent is an M/M/1 queue: who waits is the load.
    assert waiting_probability(1, 0.6) == pytest.approx(0.6)
    call_centre = ServiceLevel(share=0.8, within=timedelta(seconds=20), handling=timedelta(minutes=3), occupancy=1.0)
    # 100 calls in half an hour of 3 minutes each, 80 % within 20 s: 14 agents, who reach 88.8 %.
    assert agents_needed(200, call_centre) == 14
    assert answered_within(14, 10, call_centre) == pytest.approx(0.888, abs=5e-4)


@given(rate=st.floats(0, 2000), more=st.floats(0, 500))
def test_more_tickets_need_no_fewer_agents(rate: float, more: float) -> None:
    wanted = ServiceLevel()
    assert agents_needed(rate, wanted) <= agents_needed(rate + more, wanted)
    assert agents_rostered(10, wanted) == 15


def test_levels_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        ServiceLevel(share=1.0)
    with pytest.raises(ValueError, match="no rate"):
        agents_needed(float("inf"), ServiceLevel())


def test_a_seed_repeats_a_simulation_and_spikes_are_in_its_counts() -> None:
    given = SimulatorSettings(series=6, days=21, hop=MINUTE, start=START, seed=3)
    first, second = simulate(given), simulate(given)
    np.testing.assert_array_equal(first.counts, second.counts)
    assert first.spikes == second.spikes
    assert not np.array_equal(first.counts, simulate(replace(given, seed=4)).counts)
    assert all(spike.begin >= START + given.quiet for spike in first.spikes)
    big = max(first.spikes, key=lambda spike: spike.excess)
    begin, end = ((moment - START) // MINUTE for moment in (big.begin, big.end))
    expected = float(first.rates[begin:end, big.series].sum())
    assert first.counts[begin:end, big.series].sum() > expected + 0.5 * big.excess


sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "spikes"))
import nab  # noqa: E402  a benchmark is no package


def labelled(rows: int, *windows: tuple[int, int]) -> nab.Labelled:
    return nab.Labelled(name="x", times=np.arange(rows) * 300.0, values=np.zeros(rows), windows=windows)


def test_nab_scores_are_those_worked_out_by_hand() -> None:
    file = labelled(100, (50, 59))
    at = np.zeros(100)
    # Silence costs the window, and is the zero of the scale.
    assert nab.raw_score(file, at, 0.5) == -1
    assert nab.normalised([file], -1) == 0
    # The window's first row is worth all, its last one (position -1/10) sigmoid(-0.1) over sigmoid(-1).
    at[50] = 1
    assert nab.raw_score(file, at, 0.5) == pytest.approx(1.0)
    assert nab.normalised([file], 1) == 100
    late = np.zeros(100)
    late[59] = 1
    assert nab.raw_score(file, late, 0.5) == pytest.approx(0.2449187 / 0.9866143, abs=1e-6)
    # Before the first window an alarm costs 0.11; nine rows after the window, a width less one, 0.11 x 0.98661.
    wrong = np.zeros(100)
    wrong[[30, 68]] = 1
    assert nab.raw_score(file, wrong, 0.5) == pytest.approx(-1 - 0.11 - 0.11 * 0.9866143, abs=1e-6)
    # In the first 15 % nothing counts.
    early = np.zeros(100)
    early[14] = 1
    assert nab.raw_score(file, early, 0.5) == -1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_curve_over_thresholds_is_the_score_at_each(seed: int) -> None:
    random = np.random.default_rng(seed)
    file = labelled(200, (60, 80), (120, 150))
    given = np.round(random.random(200), 2)
    thresholds = np.unique(given)
    found = nab.curve(file, given, thresholds)
    wanted = [nab.raw_score(file, given, float(threshold)) for threshold in thresholds]
    np.testing.assert_allclose(found, wanted)


def test_a_file_that_is_left_out_chooses_neither_its_threshold_nor_its_detector() -> None:
    files = [labelled(100, (50, 59)) for _ in range(3)]
    good, bad = np.zeros(100), np.zeros(100)
    good[50], bad[30] = 0.7, 0.9
    assert nab.left_out(files, [good, good, good]) == 100
    assert nab.left_out(files, [good, good, bad], [bad, bad, good]) == pytest.approx(
        nab.normalised(files, 1 + 1 - 1.11)
    ), "the others choose the first, which fails the third file"
    assert nab.left_out(files, [bad, bad, bad], [good, good, good]) == 100


def test_the_files_of_nab_are_read_with_their_windows() -> None:
    folder = Path(__file__).parents[2] / "shared" / "data" / "nab"
    if not folder.exists():
        pytest.skip("the benchmark's data are not in ../shared/data")
    files = nab.read_tweets(folder)
    assert len(files) == 10
    assert sum(len(file.windows) for file in files) == 33
    assert all(file.probation == 750 for file in files)


def test_novelty_finds_what_was_labelled_in_the_tweets() -> None:
    folder = Path(__file__).parents[2] / "shared" / "data" / "nab"
    if not folder.exists():
        pytest.skip("the benchmark's data are not in ../shared/data")
    files = nab.read_tweets(folder)
    rows = max(len(file.values) for file in files)
    counts = np.stack([np.pad(file.values, (0, rows - len(file.values))) for file in files], axis=1)
    detector = LeakyPeakDetector(len(files), DetectorSettings.for_spacing(timedelta(minutes=5)))
    scores = np.array([detector.observe(300.0 * (at + 1), row).score for at, row in enumerate(counts)])
    own = [scores[: len(file.values), place] for place, file in enumerate(files)]
    raw = sum(nab.raw_score(file, score, THRESHOLD) for file, score in zip(files, own, strict=True))
    assert nab.normalised(files, raw) > 82
    assert nab.left_out(files, own) > 80
