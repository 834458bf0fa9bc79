from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from schemas.codec import Codec
from schemas.events import EventKind, TicketEvent
from streams.demo import generator
from streams.demo.generator import TOPICS, Rhythm, generate, generate_labelled

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def labelled() -> list[tuple[TicketEvent, str]]:
    """Twenty thousand events: about three and a half weeks."""
    return list(islice(generate_labelled(seed=7, start=MONDAY), 20_000))


@pytest.fixture(scope="module")
def events(labelled: list[tuple[TicketEvent, str]]) -> list[TicketEvent]:
    return [event for event, _ in labelled]


@pytest.fixture(scope="module")
def created(events: list[TicketEvent]) -> list[TicketEvent]:
    return [event for event in events if event.kind is EventKind.CREATED]


def first(count: int, **arguments: object) -> list[TicketEvent]:
    return list(islice(generate(**{"seed": 7, "start": MONDAY} | arguments), count))


def test_the_same_seed_gives_the_same_events(events: list[TicketEvent]) -> None:
    assert first(2000) == events[:2000]
    assert first(50, start=MONDAY.astimezone(BERLIN)) == events[:50]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"start": MONDAY + timedelta(milliseconds=1)},
        {"tenant": "other"},
        {"rhythm": Rhythm(base_per_hour=61)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_other_argument_gives_other_events_and_other_ids(
    change: dict[str, object], events: list[TicketEvent]
) -> None:
    others = first(500, **change)
    assert not {event.event_id for event in others} & {event.event_id for event in events}
    assert not {event.ticket_id for event in others} & {event.ticket_id for event in events}


def test_another_seed_gives_other_texts(events: list[TicketEvent]) -> None:
    bodies = {event.body for event in events if event.kind is EventKind.CREATED}
    assert not any(event.body in bodies for event in first(500, seed=8) if event.kind is EventKind.CREATED)


def test_two_streams_at_once_do_not_disturb_each_other() -> None:
    streams = generate(seed=7, start=MONDAY), generate(seed=7, start=MONDAY)
    assert all(one == other for one, other in islice(zip(*streams, strict=True), 500))


def test_labels_come_with_the_very_events_of_the_plain_stream(
    labelled: list[tuple[TicketEvent, str]],
) -> None:
    assert first(500) == [event for event, _ in labelled[:500]]
    assert {topic for _, topic in labelled} == set(TOPICS)


def test_all_events_of_a_ticket_have_its_topic(labelled: list[tuple[TicketEvent, str]]) -> None:
    topics: defaultdict[str, set[str]] = defaultdict(set)
    for event, topic in labelled:
        topics[event.ticket_id].add(topic)
    assert all(len(found) == 1 for found in topics.values())


def test_times_never_go_backwards_are_utc_and_have_whole_milliseconds(events: list[TicketEvent]) -> None:
    times = [event.occurred_at for event in events]
    assert times[0] >= MONDAY
    assert times == sorted(times)
    assert all(time.tzinfo is UTC and time.microsecond % 1000 == 0 for time in times)


def test_nothing_happens_before_a_start_between_two_milliseconds() -> None:
    start = MONDAY + timedelta(microseconds=1)
    assert first(1, start=start, rhythm=Rhythm(base_per_hour=1e12))[0].occurred_at > start


def test_monday_at_ten_is_far_busier_than_sunday_at_three() -> None:
    counts: Counter[tuple[int, int]] = Counter()
    for event in generate(seed=3, start=MONDAY):
        if event.occurred_at >= MONDAY + timedelta(weeks=4):
            break
        if event.kind is EventKind.CREATED:
            local = event.occurred_at.astimezone(BERLIN)
            counts[local.weekday(), local.hour] += 1
    assert counts[0, 10] > 20 * max(counts[6, 3], 1)
    assert counts[0, 10] > 1.3 * counts[0, 12]  # lunch
    assert counts[0, 10] > 1.1 * counts[2, 10]
    expected = Rhythm().per_hour(datetime(2026, 3, 2, 10, tzinfo=BERLIN)) * 4
    assert abs(counts[0, 10] - expected) < 4 * expected**0.5  # four standard deviations of a Poisson count


def test_the_rhythm_follows_the_clocks_of_berlin_through_the_change_to_summer_time() -> None:
    only_nine = tuple(float(hour == 9) for hour in range(24))
    rhythm = Rhythm(workday=only_nine, weekend=only_nine)
    created = [
        event
        for event in first(800, start=datetime(2026, 3, 26, tzinfo=UTC), rhythm=rhythm)
        if event.kind is EventKind.CREATED
    ]
    assert {event.occurred_at.astimezone(BERLIN).hour for event in created} == {9}
    assert {event.occurred_at.hour for event in created} == {7, 8}


def test_the_languages_have_about_their_stated_shares(created: list[TicketEvent]) -> None:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    sample = created[:3000]
    found = Counter(identifier.classify(event.body)[0] for event in sample)
    german, english = found["de"] / len(sample), found["en"] / len(sample)
    assert 0.55 <= german <= 0.65  # 55 % and most of the 7 % that are mixed
    assert 0.32 <= english <= 0.41
    assert 0.015 <= 1 - german - english <= 0.045
    assert {"fr", "es", "pl", "it", "tr"} <= found.keys()


def test_language_hints_are_often_missing_and_sometimes_given(created: list[TicketEvent]) -> None:
    hints = Counter(event.language_hint for event in created)
    assert 0.35 < hints[None] / len(created) < 0.45
    assert hints["de"] > hints["en"] > hints["fr"] > 0


def test_the_kinds_of_events_have_about_their_stated_shares(events: list[TicketEvent]) -> None:
    shares = {kind: times / len(events) for kind, times in Counter(event.kind for event in events).items()}
    assert 0.58 < shares[EventKind.CREATED] < 0.72
    assert 0.10 < shares[EventKind.MESSAGE_ADDED] < 0.14
    assert 0.01 < shares[EventKind.CHANGED] < 0.06
    assert shares[EventKind.RESOLVED] > shares[EventKind.CLOSED] > 0.04
    assert 0 < shares[EventKind.REOPENED] < 0.02


def test_event_ids_are_unique_and_name_their_ticket(events: list[TicketEvent]) -> None:
    assert len({event.event_id for event in events}) == len(events)
    assert all(event.event_id.startswith(f"{event.ticket_id}-") for event in events)


def test_a_ticket_begins_with_its_creation_and_goes_on_later(events: list[TicketEvent]) -> None:
    last: dict[str, TicketEvent] = {}
    for event in events:
        before = last.get(event.ticket_id)
        assert (before is None) == (event.kind is EventKind.CREATED)
        if before is not None:
            assert event.occurred_at > before.occurred_at
            assert (event.source, event.channel, event.requester, event.subject) == (
                before.source,
                before.channel,
                before.requester,
                before.subject,
            )
        last[event.ticket_id] = event


def test_nothing_follows_a_closed_ticket_but_its_reopening(events: list[TicketEvent]) -> None:
    after: defaultdict[EventKind, Counter[EventKind]] = defaultdict(Counter)
    last: dict[str, EventKind] = {}
    for event in events:
        if event.ticket_id in last:
            after[last[event.ticket_id]][event.kind] += 1
        last[event.ticket_id] = event.kind
    assert set(after[EventKind.CLOSED]) == {EventKind.REOPENED}
    assert all(EventKind.CLOSED not in after[kind] for kind in (EventKind.CREATED, EventKind.REOPENED))


def test_only_changes_carry_what_a_person_set(events: list[TicketEvent]) -> None:
    carrying = [event for event in events if event.human_set]
    assert carrying
    assert {event.kind for event in carrying} == {EventKind.CHANGED}
    assert all(event.human_set["priority"] in {"P1", "P2", "P3", "P4"} for event in carrying)


def test_ten_thousand_tickets_hardly_repeat_a_body(created: list[TicketEvent]) -> None:
    bodies = [event.body for event in created[:10_000]]
    assert len(bodies) == 10_000
    assert len(set(bodies)) > 9_500


def test_bodies_are_as_long_as_those_of_tickets(events: list[TicketEvent], created: list[TicketEvent]) -> None:
    assert all(40 <= len(event.body) <= 900 for event in created)
    assert 250 <= median(len(event.body) for event in created) <= 350
    written = (EventKind.MESSAGE_ADDED, EventKind.REOPENED)
    assert all(40 <= len(event.body) <= 900 for event in events if event.kind in written)


def test_no_template_leaves_a_slot_or_a_bracket_behind(events: list[TicketEvent]) -> None:
    texts = "\n".join(f"{event.subject}\n{event.body}" for event in events)
    assert not set("{}[]#") & set(texts)


def test_some_requesters_write_often_and_most_seldom(created: list[TicketEvent]) -> None:
    times = Counter(event.requester for event in created)
    assert all(requester.endswith("@example.com") and requester.isascii() for requester in times)
    assert times.most_common(1)[0][1] > 5 * median(times.values())
    assert len(times) > 2000


def test_a_requester_keeps_the_tier(events: list[TicketEvent]) -> None:
    tiers: defaultdict[str, set[str | None]] = defaultdict(set)
    for event in [*events, *first(3000, seed=8)]:
        tiers[event.requester].add(event.customer_tier)
    assert all(len(found) == 1 for found in tiers.values())
    assert set.union(*tiers.values()) == {None, "standard", "enterprise", "vip"}


@pytest.mark.parametrize("language", ["de", "en"])
def test_each_topic_has_a_dozen_families_per_language(language: str) -> None:
    families = generator._VOICES[language].families
    assert set(families) == set(TOPICS)
    assert all(len(found) >= 12 for found in families.values())


def test_every_event_survives_encoding_and_decoding(events: list[TicketEvent]) -> None:
    codec = Codec()
    for event in events:
        assert codec.decode(codec.encode(event), TicketEvent) == event


def test_what_is_kept_for_later_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "_MOST_PENDING", 20)
    desk = generator._Desk(1, MONDAY, Rhythm(base_per_hour=5000), "demo")
    most = max(len(desk._pending) for _ in islice(desk.events(), 3000))
    assert most == 20


@pytest.mark.parametrize(
    "arguments",
    [{"start": datetime(2026, 3, 2)}, {"tenant": " "}],  # noqa: DTZ001  the missing zone is the point
    ids=["no zone", "no tenant"],
)
def test_wrong_arguments_are_refused_at_once(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no time zone|tenant is empty"):
        generate(**{"seed": 1, "start": MONDAY} | arguments)


@pytest.mark.parametrize(
    "factors",
    [
        {"base_per_hour": 0.0},
        {"base_per_hour": float("inf")},
        {"workday": (1.0,) * 23},
        {"weekdays": (1.0,) * 6 + (-1.0,)},
        {"weekdays": (0.0,) * 7},
    ],
    ids=str,
)
def test_a_rhythm_without_sense_is_refused(factors: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"base_per_hour|factors"):
        Rhythm(**factors)
