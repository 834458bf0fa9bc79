"""The watch is a fold of the log of counts: what it tells follows from the log, wherever it was stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.belonging import strong_terms
from models.counting import Counted, PartitionCounter, counted
from models.text import terms_of
from models.watching import ALL, SpikeWatch, WatchSettings
from schemas.alerts import Alert, AlertAnswered, AlertStage, AnswerKind
from schemas.counts import BucketCounts
from schemas.decisions import Band, Decision, Judgement, LogPosition
from schemas.errors import BadSnapshot, InvalidEvent
from schemas.events import EventKind

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
OWNERS = {"network": "net", "billing": "money", "access": "it"}
CATEGORIES = tuple(OWNERS)
PARTITIONS = 2
SETTINGS = WatchSettings(slots=32)


def watch(partitions: int = PARTITIONS, settings: WatchSettings = SETTINGS) -> SpikeWatch:
    return SpikeWatch(OWNERS, partitions, settings)


def mark(partition: int, second: float) -> BucketCounts:
    at = START + timedelta(seconds=second)
    return BucketCounts(partition=partition, bucket=at, through=-1, counts={})


def ticket(
    offset: int, second: float, category: str, subject: str = "Invoice is wrong", **named: tuple[str, ...]
) -> Counted:
    return Counted(
        offset=offset,
        occurred_at=START + timedelta(seconds=second),
        requester=f"r{offset}",
        series={"all": ("tickets",), "category": (category,), "team": (OWNERS[category],), **named},
        ticket_id=f"T-{offset}-{category}",
        subject=subject,
    )


def log_of(
    outages: dict[str, tuple[float, float]],
    hours: float = 3.0,
    *,
    later: Mapping[str, tuple[float, float]] | None = None,
    subject: str = "{} gateway drops constantly",
) -> list[BucketCounts]:
    """A log of counts: four tickets a minute, and during an outage of a category (from, to, in minutes) 18 more."""
    all_outages = [*outages.items(), *(later or {}).items()]
    random = np.random.default_rng(5)
    counter, log, offsets = PartitionCounter(), [], [0] * PARTITIONS
    for second in range(0, int(hours * 3600), 10):
        for partition in range(PARTITIONS):
            found = [(CATEGORIES[random.integers(3)], "Invoice is wrong") for _ in range(random.poisson(0.33))]
            for category, (begins, ends) in all_outages:
                if begins * 60 <= second < ends * 60:
                    found += [(category, subject.format(category))] * random.poisson(1.5)
            events = []
            for category, said in found:
                offsets[partition] += 1
                events.append(ticket(PARTITIONS * offsets[partition] + partition, second + 5, category, said))
            log += counter.count_buckets(partition, events) or [mark(partition, second)]
    return log


PRODUCTS, TAGS = ("Lagerix", "Planoro", "Vertiqo", "Montiva", "Kundari", "Belegona"), ("update", "eu", "trial")


def log_of_products(
    hours: float, failing: tuple[float, float] = (0, 0), *, names: int = 0, late: float | None = None
) -> list[BucketCounts]:
    """A log of counts: 30 tickets a minute of six products and three tags, each of one.

    From minute to minute of `failing` there are twelve more, of all categories, about Lagerix since an update. With
    `names` each ticket has one of so many tags besides; from the minute `late` on each has the tag `late`.
    """
    random = np.random.default_rng(7)
    counter, log, offset = PartitionCounter(), [], 0
    for second in range(0, int(hours * 3600), 10):
        found = [
            (PRODUCTS[random.integers(6)], TAGS[random.integers(3)], "Invoice is wrong")
            for _ in range(random.poisson(5.0))
        ]
        if failing[0] * 60 <= second < failing[1] * 60:
            found += [("Lagerix", "update", "Stock is empty since the update")] * random.poisson(2.0)
        events = []
        for product, tag, subject in found:
            offset += 1
            more = (f"name-{offset % names}",) if names else ()
            more += ("late",) if late is not None and second >= late * 60 else ()
            category = CATEGORIES[random.integers(3)]
            events.append(ticket(offset, second + 5, category, subject, product=(product,), tag=(tag, *more)))
        log += counter.count_buckets(0, events) or [mark(0, second)]
    return log


def test_a_product_that_fails_in_all_categories_is_one_incident_with_its_tag_as_a_cause() -> None:
    words = told(watch(1), log_of_products(3.5, (150, 170)))
    assert len({word.incident_id for word in words}) == 1
    first, last = words[0], words[-1]
    assert (first.subject, first.stage, first.page) == ("product=Lagerix", AlertStage.OPENED, True)
    assert abs(first.opened_at - START - timedelta(minutes=150)) <= timedelta(minutes=3)
    children = {part.text for word in words for part in word.cause.children}
    assert "tag=update" in children
    assert not any(child.startswith(("product=", "all=")) for child in children)
    assert "stock" in {part.text for part in words[1].cause.terms}
    assert last.stage is AlertStage.RESOLVED


def test_tags_take_no_room_from_others_and_the_most_frequent_have_places() -> None:
    crowded = WatchSettings(slots=32, named_slots=12)  # six products, three tags, and three more
    one = watch(1, crowded)
    told(one, log_of_products(1.5, names=500, late=30))
    assert {ALL, "category=network", "team=net", "tag=update", "tag=late", "product=Lagerix"} <= set(one._places)
    assert len(one._places) == 1 + 2 * len(CATEGORIES) + crowded.named_slots
    assert sorted(one._places.values()) == list(range(len(one._places)))
    assert one.unwatched > 0


def test_nothing_takes_the_place_of_what_an_open_incident_tells_of() -> None:
    one = watch(1, WatchSettings(slots=32, named_slots=9))
    log = log_of_products(3.0, (150, 180))
    words = told(one, log)
    assert {word.subject for word in words} == {"product=Lagerix"}
    assert one.open_incidents
    loud = {f"tag=new-{number}": 10_000 for number in range(20)}
    rest = [
        BucketCounts(partition=0, bucket=log[-1].bucket + timedelta(seconds=at), through=10**9, counts=loud)
        for at in range(10, 120, 10)
    ]
    told(one, [*log, *rest], len(log))
    assert "product=Lagerix" in one._places
    assert "product=Lagerix" not in one._named
    assert "tag=new-0" in one._places


Log = list[BucketCounts | AlertAnswered]


def said(incident_id: str, kind: AnswerKind, answer_id: str = "a-1", hours: float = 0.0) -> AlertAnswered:
    return AlertAnswered(
        answer_id=answer_id,
        incident_id=incident_id,
        kind=kind,
        actor="jo",
        reason="known",
        mute_ms=round(hours * 3_600_000),
        occurred_at=START + timedelta(days=99),  # a person's clock decides nothing
    )


def answered_after(log: list[BucketCounts], minute: float, *answers: AlertAnswered) -> Log:
    """The log with `answers` in it, as if they had been given at `minute`."""
    at = next(place for place, one in enumerate(log) if one.bucket >= START + timedelta(minutes=minute))
    return [*log[:at], *answers, *log[at:]]


def told(over: SpikeWatch, log: Sequence[BucketCounts | AlertAnswered], start: int = 0) -> list[Alert]:
    return [word for offset, record in enumerate(log[start:], start) for word in over.take(offset, record)]


def test_an_outage_is_one_incident_with_one_page_its_words_and_its_tickets() -> None:
    log = log_of({"network": (120, 140)})
    words = told(watch(), log)
    assert len({word.incident_id for word in words}) == 1
    assert [word.stage for word in words].count(AlertStage.OPENED) == 1
    first, last = words[0], words[-1]
    assert (first.stage, first.subject, first.team, first.page) == (AlertStage.OPENED, "category=network", "net", True)
    assert abs(first.opened_at - START - timedelta(minutes=120)) <= timedelta(minutes=3)
    assert first.at - START <= timedelta(minutes=123)
    assert last.stage is AlertStage.RESOLVED
    assert [word.at for word in words] == sorted({word.at for word in words}), "one word at a time"
    assert "gateway drops" in {part.text for part in last.cause.terms}
    assert {part.text for part in last.cause.terms} <= terms_of("network gateway drops constantly")
    subjects = {one.ticket_id: one.subject for record in log for one in record.tickets}
    assert {subjects[name] for name in last.cause.examples} == {"network gateway drops constantly"}
    assert last.cause.requesters > 100


def test_outages_of_two_teams_are_two_incidents_though_usual_words_tell_both() -> None:
    log = log_of({"network": (120, 135), "billing": (123, 140)}, subject="{} is wrong")
    opened = [word for word in told(watch(), log) if word.stage is AlertStage.OPENED]
    assert {word.team for word in opened} == {"net", "money"}


def test_an_outage_that_two_teams_tickets_tell_in_the_same_words_is_one_incident_with_one_page() -> None:
    log = log_of({"network": (120, 135), "billing": (123, 140)}, subject="vpn gateway drops constantly")
    words = told(watch(), log)
    assert len({word.incident_id for word in words}) == 1
    assert words[0].team == "net"
    assert "category=billing of money rose with it" in words[-1].note
    assert words[-1].stage is AlertStage.RESOLVED


AGAIN = {"network": (120, 140)}, {"network": (280, 300)}


def test_the_same_outage_again_is_told_by_the_same_words() -> None:
    log = log_of(AGAIN[0], hours=5.5, later=AGAIN[1])
    words = told(watch(), log)
    first, second = (word for word in words if word.stage is AlertStage.OPENED)
    assert "gateway" in strong_terms(first.cause)
    assert "gateway" in strong_terms(second.cause)
    # The tickets of the first are still held back from what is usual, or have just been: either way it goes on so.
    for minute in (139, 170, 230):
        cut = next(place for place, one in enumerate(log) if one.bucket >= START + timedelta(minutes=minute))
        before, after = watch(), watch()
        said_before = told(before, log[:cut])
        after.restore(before.to_bytes())
        assert said_before + told(after, log, cut) == words


def test_what_a_person_called_noise_is_usual_the_next_time() -> None:
    log = log_of(AGAIN[0], hours=5.5, later=AGAIN[1])
    first = told(watch(), log)[0]
    noise = answered_after(log, 125, said(first.incident_id, AnswerKind.DISMISSED))
    second = {
        dismissed: next(word for word in told(watch(), one) if word.opened_at > START + timedelta(minutes=200))
        for dismissed, one in ((True, noise), (False, log))
    }
    assert "gateway" in strong_terms(second[False].cause)
    assert "gateway" not in strong_terms(second[True].cause)


@pytest.mark.parametrize("cut", [0, 1, 900, 1500, 1530, 1600])
def test_a_watch_goes_on_from_its_snapshot_as_if_it_had_never_stopped(cut: int) -> None:
    log = log_of({"network": (120, 140)})
    whole = watch()
    expected = told(whole, log)
    before = watch()
    first = told(before, log[:cut])
    after = watch()
    after.restore(before.to_bytes())
    again = max(0, cut - 7)  # what Kafka delivers once more
    assert first + told(after, log, again) == expected
    assert after.to_bytes() == whole.to_bytes()


class HopByHop(SpikeWatch):
    """A watch that takes a silence in one hop after the other."""

    def _silence(self, hops: int) -> list[Alert]:
        return [word for _ in range(hops) for word in self._hop({})]


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**31), dismissed=st.booleans())
def test_a_silence_tells_what_its_hops_tell_one_by_one_to_the_bit(seed: int, dismissed: bool) -> None:
    random = np.random.default_rng(seed)
    counter, offset = PartitionCounter(), 0
    log: list[BucketCounts] = []
    second = 0.0
    for _ in range(int(random.integers(20, 60))):
        # Bursts and silences: of seconds, of hours, and now and then of more than a day, which counts as not seen.
        busy = random.random() < 0.3
        for _ in range(int(random.integers(20, 120)) if busy else 1):
            offset += 1
            second += float(random.exponential(4 if busy else 60))
            log += counter.count_buckets(0, [ticket(offset, second, CATEGORIES[random.integers(2)])])
        second += float(random.choice([10, 400, 5_000, 30_000, 100_000], p=[0.4, 0.3, 0.2, 0.08, 0.02]))
        log.append(mark(0, second))
    together, one_by_one = watch(1), HopByHop(OWNERS, 1, SETTINGS)
    words = 0
    for place, record in enumerate(log):
        heard = together.take(place, record)
        assert heard == one_by_one.take(place, record)
        words += len(heard)
        if dismissed and heard and heard[0].stage is AlertStage.OPENED:
            answer = said(heard[0].incident_id, AnswerKind.DISMISSED, f"a-{place}")
            # In the middle of the log, as the watch would be told.
            assert together._answered(answer) == one_by_one._answered(answer)  # pyright: ignore[reportPrivateUsage]
    assert together.to_bytes() == one_by_one.to_bytes()
    assert words or len(log) < 2_000


def test_counts_that_are_told_again_change_nothing() -> None:
    log = log_of({"network": (120, 140)})
    doubled = [one for at, record in enumerate(log) for one in (record, log[max(0, at - 1)])]
    assert told(watch(), doubled) == told(watch(), log)


def test_a_partition_that_is_read_late_is_waited_for() -> None:
    """After a crash partitions are read at different paces: here one altogether before the other."""
    log = log_of({"network": (120, 140)})
    apart = sorted(log, key=lambda record: record.partition)
    words = told(watch(), log)
    assert told(watch(), apart) == words
    assert words


def test_a_partition_that_was_never_heard_of_holds_everything_back_until_it_is_marked() -> None:
    three = watch(3)
    log = log_of({"network": (120, 140)})
    assert told(three, log) == []
    assert three.newest is None
    words = three.take(len(log), mark(2, 3 * 3600))
    assert [word for word in words if word.stage is AlertStage.OPENED]


def test_a_record_that_is_late_is_not_taken_into_a_hop_that_was_scored() -> None:
    over = watch(1)
    counter = PartitionCounter()
    for offset, record in enumerate(counter.count_buckets(0, [ticket(0, 0, "network"), ticket(1, 100, "network")])):
        over.take(offset, record)
    newest = over.newest
    assert newest == START + timedelta(seconds=70), "100 s less the lateness of 30 s"
    late = PartitionCounter().count_buckets(0, [ticket(0, 20, "network")])[0]
    assert over.take(9, late) == []
    assert over.newest == newest


ALL_KINDS = (AnswerKind.ACKNOWLEDGED, AnswerKind.MUTED, AnswerKind.DISMISSED)


def test_an_answer_is_told_once_at_the_time_of_the_tickets_and_stays_on_the_incident() -> None:
    log = log_of({"network": (120, 140)})
    plain = told(watch(), log)
    name = plain[0].incident_id
    taken = said(name, AnswerKind.ACKNOWLEDGED)
    words = told(watch(), answered_after(log, 126, taken, taken, replace(taken, answer_id="a-2")))
    (word,) = [word for word in words if word.stage is AlertStage.ACKNOWLEDGED]
    (answer,) = word.answers
    assert (answer.answer_id, answer.actor, answer.reason, answer.until) == ("a-1", "jo", "known", None)
    assert answer.at == word.at
    assert timedelta(minutes=125) <= word.at - START <= timedelta(minutes=126)
    later = words[words.index(word) + 1 :]
    assert later[-1].stage is AlertStage.RESOLVED
    assert {one.answers for one in later} == {word.answers}
    assert [replace(one, answers=()) for one in words if one is not word] == plain, "nothing else has changed"


def test_answers_to_what_is_not_open_change_nothing() -> None:
    log = log_of({"network": (120, 140)})
    expected = told(watch(), log)
    name = expected[0].incident_id
    answers = [said(name, kind, hours=2 if kind is AnswerKind.MUTED else 0) for kind in ALL_KINDS]
    whole = answered_after(log, 170, *answers, said("nobody knows it", AnswerKind.DISMISSED))
    assert told(watch(), [*answers, *answered_after(log, 60, *answers), *whole[len(log) :]]) == expected
    assert told(watch(), whole) == expected


LATER = {"network": (190.0, 197.0), "billing": (190.0, 197.0)}


@pytest.mark.parametrize(("hours", "pages"), [(2.0, False), (0.5, True)], ids=["muted", "the mute is over"])
def test_a_muted_series_opens_and_pages_nobody_until_the_mute_ends_and_another_pages(hours: float, pages: bool) -> None:
    log = log_of({"network": (120, 126)}, hours=4.0, later=LATER, subject="Invoice is wrong")
    first = told(watch(), log)[0]
    words = told(watch(), answered_after(log, 124, said(first.incident_id, AnswerKind.MUTED, hours=hours)))
    (mute,) = [word for word in words if word.stage is AlertStage.ACKNOWLEDGED]
    assert mute.answers[-1].until == mute.at + timedelta(hours=hours)
    opened = {word.subject: word for word in words if word.stage is AlertStage.OPENED}
    assert words[0] == first
    assert opened["category=network"].incident_id != first.incident_id
    assert opened["category=network"].page is pages
    assert ("category=network is muted until 2026-03-02 12:0" in opened["category=network"].note) is not pages
    assert opened["category=billing"].page


def test_a_dismissed_incidents_series_need_more_to_open_the_next_one_and_one_dismissal_counts_once() -> None:
    log = log_of({"network": (120, 126)}, hours=4.0, later={"network": (212, 212.5)})
    plain = told(watch(), log)
    name = plain[0].incident_id
    subjects = [word.subject for word in plain if word.stage is AlertStage.OPENED]
    assert subjects == ["category=network", "category=network"]
    noise = [said(name, AnswerKind.DISMISSED, answer_id=f"a-{number}") for number in range(9)]
    once, often = (told(watch(), answered_after(log, 124, *noise[:number])) for number in (1, 9))
    assert [word.subject for word in once if word.stage is AlertStage.OPENED] == subjects[:1]
    assert often == once


def test_a_snapshot_keeps_what_people_answered() -> None:
    log = log_of({"network": (120, 126)}, hours=4.0, later=LATER)
    name = told(watch(), log)[0].incident_id
    answers = [said(name, kind, f"a-{kind}", hours=2 if kind is AnswerKind.MUTED else 0) for kind in ALL_KINDS]
    whole_log = answered_after(log, 124, *answers)
    whole = watch()
    expected = told(whole, whole_log)
    cut = next(place for place, one in enumerate(whole_log) if isinstance(one, AlertAnswered)) + 2
    before = watch()
    first = told(before, whole_log[:cut])
    after = watch()
    after.restore(before.to_bytes())
    assert first + told(after, whole_log, cut - 2) == expected, "two answers come once more"
    assert after.to_bytes() == whole.to_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": AnswerKind.MUTED, "mute_ms": 0},
        {"kind": AnswerKind.MUTED, "mute_ms": 31 * 24 * 3_600_000},
        {"mute_ms": 5},
        {"actor": " "},
        {"actor": "x" * 201},
        {"reason": "x" * 1001},
        {"occurred_at": datetime(2026, 3, 2)},  # noqa: DTZ001  no time zone is what is tried
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidEvent):
        replace(said("i", AnswerKind.ACKNOWLEDGED), **changes)  # type: ignore[arg-type]  some are wrong, that is the point


def test_series_beyond_the_room_are_not_watched_and_said_so() -> None:
    over = watch(1, WatchSettings(slots=3))
    for offset, record in enumerate(log_of({}, hours=0.2)):
        over.take(offset, replace(record, partition=0))
    assert over.unwatched > 0


def test_a_snapshot_of_other_settings_or_none_is_refused() -> None:
    data = watch().to_bytes()
    with pytest.raises(BadSnapshot):
        watch(settings=WatchSettings(slots=16)).restore(data)
    for broken in (b"", b"{}", data[:50], data[: len(data) // 2], json.dumps({"format": 1}).encode() * 9):
        with pytest.raises(BadSnapshot):
            watch().restore(broken)


def test_terms_are_words_and_pairs_without_numbers() -> None:
    assert terms_of("VPN-Tunnel bricht ab: 4711") == {"vpn", "tunnel", "bricht", "vpn tunnel", "tunnel bricht"}


def decision(**changes: object) -> Decision:
    judged = Judgement(label="network", probability=0.9, top=())
    fields: dict[str, object] = {
        **dict.fromkeys(("decision_id", "event_id", "source"), "x"),
        **dict.fromkeys(("category", "intent", "priority", "sentiment", "language"), judged),
        "event": LogPosition(topic="t", partition=0, offset=0),
        "kind": EventKind.CREATED,
        "ticket_id": "T-1",
        "tenant": "acme",
        "channel": "",
        "customer_tier": None,
        "subject": "s" * 999,
        "sentiment_score": 0.0,
        "team": "net",
        "queue": "review",
        "band": Band.REVIEW,
        "models": {},
        "occurred_at": START,
    }
    return Decision(**{**fields, **changes})  # type: ignore[arg-type]  the fields are right, as a whole


def test_a_ticket_counts_when_it_comes_in_and_not_when_something_happens_to_it() -> None:
    one = counted(decision(tenant="t" * 500), 7, "ann", START)
    assert one is not None
    assert one.series == {
        "all": (ALL.partition("=")[2],),
        "category": ("network",),
        "team": ("net",),
        "tenant": ("t" * 100,),
        "language": ("network",),
    }, "a source that names no channel, product or tag has none"
    about = counted(decision(product="Lagerix", tags=("eu", "trial")), 7, "ann", START)
    assert about is not None
    assert (about.series["product"], about.series["tag"]) == (("Lagerix",), ("eu", "trial"))
    assert (len(one.subject), one.ticket_id, one.requester, one.offset) == (200, "T-1", "ann", 7)
    assert counted(decision(kind=EventKind.MESSAGE_ADDED), 7, "ann", START) is None


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (datetime(9999, 12, 31, tzinfo=UTC), START),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
        (START - timedelta(days=1), START - timedelta(days=1)),
    ],
)
def test_a_source_that_gets_time_wrong_makes_no_other_ticket_late(said: datetime, taken: datetime) -> None:
    one = counted(decision(occurred_at=said), 7, "ann", START)
    assert one is not None
    assert one.occurred_at == taken
