"""Hypothesis strategies for every word, and plain examples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from schemas.alerts import (
    Alert,
    AlertAnswer,
    AlertAnswered,
    AlertKind,
    AlertStage,
    AnswerKind,
    CausePart,
    SpikeCause,
    SpikeSize,
)
from schemas.counts import BucketCounts, CountedTicket, CountingState
from schemas.dead_letters import DeadLetter
from schemas.decisions import Assignment, Band, Candidate, Decision, Judgement, LogPosition, Reason
from schemas.events import HUMAN_FIELDS, EventKind, TicketEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.lessons import AUDITED_HEADS, LEARNED_HEADS, AuditOutcome, Lesson
from schemas.model_log import ModelsActivated, ModelSet, ShadowCompared, SnapshotPublished
from schemas.words import Word
from sinks.forecasts import ForecastRow

EPOCH = datetime.fromtimestamp(0, UTC)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

# Avro strings are UTF-8: lone surrogates are no text.
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
filled = text.filter(lambda value: bool(value.strip()))
times = st.integers(0, 4_000_000_000_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
numbers = st.floats(allow_nan=False, allow_infinity=False)
positions = st.builds(LogPosition, topic=text, partition=st.integers(0, 2**31 - 1), offset=st.integers(0, 2**63 - 1))
candidates = st.builds(Candidate, label=text, probability=st.floats(0, 1))
reasons = st.builds(Reason, text=text, weight=numbers)
judgements = st.builds(
    Judgement,
    label=text,
    probability=st.floats(0, 1),
    top=st.lists(candidates, max_size=3).map(tuple),
    reasons=st.lists(reasons, max_size=3).map(tuple),
    human=st.booleans(),
)
ticket_events = st.builds(
    TicketEvent,
    event_id=filled,
    kind=st.sampled_from(EventKind),
    ticket_id=filled,
    source=filled,
    tenant=filled,
    channel=text,
    requester=text,
    subject=text,
    body=text,
    language_hint=st.none() | text,
    tags=st.lists(text, max_size=3).map(tuple),
    customer_tier=st.none() | text,
    human_set=st.dictionaries(st.sampled_from(sorted(HUMAN_FIELDS)), text),
    occurred_at=times,
    product=text,
)
decisions = st.builds(
    Decision,
    decision_id=text,
    event_id=text,
    event=positions,
    kind=st.sampled_from(EventKind),
    ticket_id=text,
    source=text,
    tenant=text,
    channel=text,
    customer_tier=st.none() | text,
    subject=text,
    category=judgements,
    intent=judgements,
    priority=judgements,
    sentiment=judgements,
    sentiment_score=numbers,
    language=judgements,
    team=text,
    queue=text,
    band=st.sampled_from(Band),
    models=st.dictionaries(text, text, max_size=3),
    occurred_at=times,
    incident_id=st.none() | text,
    product=text,
    tags=st.lists(text, max_size=3).map(tuple),
)
_feedback_fields = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just(FeedbackKind.CORRECTION),
            "field": st.sampled_from(sorted(HUMAN_FIELDS)),
            "value": filled,
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from([FeedbackKind.REASSIGNMENT, FeedbackKind.RESOLUTION, FeedbackKind.RETRACTION]),
            "value": filled,
        }
    ),
    st.fixed_dictionaries({"kind": st.just(FeedbackKind.CSAT), "score": st.integers(1, 5)}),
)


@st.composite
def feedbacks(draw: st.DrawFn) -> Feedback:
    return Feedback(
        feedback_id=draw(filled),
        ticket_id=draw(filled),
        source=draw(filled),
        tenant=draw(filled),
        decision_id=draw(st.none() | text),
        actor=draw(text),
        occurred_at=draw(times),
        **draw(_feedback_fields),
    )


dead_letters = st.builds(
    DeadLetter,
    origin=positions,
    stage=text,
    exception=text,
    message=text,
    stacktrace=text,
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=20),
    failed_at=times,
)

model_sets = st.builds(
    ModelSet,
    version=filled,
    code=filled,
    taxonomy=text,
    heads=st.dictionaries(filled, filled),
    recorded_at=times,
    activated=st.booleans(),
)
models_activated = st.builds(
    ModelsActivated, version=filled, partition=st.integers(-1, 99), offset=st.integers(-1, 2**62)
)

snapshots_published = st.builds(
    SnapshotPublished,
    **dict.fromkeys(("head", "version", "store", "sha256", "format", "code", "feedback_id"), text),
    size_bytes=st.integers(0, 2**62),
    lesson=st.integers(0, 2**62),
)
shadows_compared = st.builds(
    ShadowCompared,
    **dict.fromkeys(("live", "challenger", "head", "verdict"), text),
    **dict.fromkeys(("through", "lessons"), st.integers(0, 2**62)),
    **dict.fromkeys(("live_loss", "challenger_loss", "live_accuracy", "challenger_accuracy", "difference"), numbers),
    radius=st.none() | numbers,
    more_needed=st.none() | st.integers(0, 2**62),
    proposed=st.booleans(),
)

cause_parts = st.builds(CausePart, text=text, observed=numbers, expected=numbers, g2=numbers)
alerts = st.builds(
    Alert,
    incident_id=filled,
    kind=st.sampled_from(AlertKind),
    stage=st.sampled_from(AlertStage),
    subject=text,
    team=text,
    opened_at=times,
    at=times,
    size=st.builds(SpikeSize, observed=numbers, expected=numbers, score=numbers),
    cause=st.builds(
        SpikeCause,
        children=st.lists(cause_parts, max_size=2).map(tuple),
        terms=st.lists(cause_parts, max_size=2).map(tuple),
        examples=st.lists(text, max_size=2).map(tuple),
        first_ticket=st.none() | text,
        requesters=st.integers(0, 2**31 - 1),
    ),
    page=st.booleans(),
    note=text,
    answers=st.lists(
        st.builds(
            AlertAnswer,
            answer_id=filled,
            kind=st.sampled_from(AnswerKind),
            actor=filled,
            reason=text,
            at=times,
            until=st.none() | times,
        ),
        max_size=2,
    ).map(tuple),
)
_answer_fields: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("answer_id", "incident_id", "actor"), filled),
    "reason": text,
    "occurred_at": times,
}
alert_answers = st.one_of(
    st.builds(
        AlertAnswered,
        kind=st.sampled_from([AnswerKind.ACKNOWLEDGED, AnswerKind.DISMISSED]),
        **_answer_fields,
    ),
    st.builds(
        AlertAnswered, kind=st.just(AnswerKind.MUTED), mute_ms=st.integers(1, 30 * 24 * 3_600_000), **_answer_fields
    ),
)

bucket_counts = st.builds(
    BucketCounts,
    partition=st.integers(0, 99),
    bucket=times,
    through=st.integers(-1, 2**62),
    counts=st.dictionaries(text, st.integers(0, 2**62), max_size=4),
    tickets=st.lists(
        st.builds(
            CountedTicket,
            ticket_id=text,
            occurred_at=times,
            requester=text,
            subject=text,
            series=st.lists(text, max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
)
counting_states = st.builds(
    CountingState, partition=st.integers(0, 99), through=st.integers(-1, 2**62), state=st.binary(max_size=40)
)
lessons = st.builds(
    Lesson,
    feedback_id=filled,
    feedback=positions,
    head=st.sampled_from(LEARNED_HEADS),
    label=filled,
    tenant=text,
    source=text,
    ticket_id=text,
    event=positions,
    subject=text,
    body=text,
    language_hint=st.none() | text,
    actor=text,
    occurred_at=times,
    revokes=st.none() | filled,
    team=text,
    weak=st.booleans(),
    audit=st.lists(
        st.builds(
            AuditOutcome,
            head=st.sampled_from(AUDITED_HEADS),
            label=text,
            probability=st.floats(0, 1),
            right=st.booleans(),
            said=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
)

STRATEGIES: dict[type[Word], st.SearchStrategy[Any]] = {
    TicketEvent: ticket_events,
    Decision: decisions,
    Assignment: decisions.map(Assignment.of),
    Feedback: feedbacks(),
    DeadLetter: dead_letters,
    ModelSet: model_sets,
    Lesson: lessons,
    ModelsActivated: models_activated,
    ShadowCompared: shadows_compared,
    SnapshotPublished: snapshots_published,
    Alert: alerts,
    AlertAnswered: alert_answers,
    BucketCounts: bucket_counts,
    CountingState: counting_states,
}


def ticket_event(**changes: Any) -> TicketEvent:
    """A German ticket, with `changes`."""
    fields: dict[str, Any] = {
        "event_id": "e-1",
        "kind": EventKind.CREATED,
        "ticket_id": "T-1",
        "source": "webform",
        "subject": "Netzwerkdrucker druckt nicht",
        "body": "Guten Tag, der Drucker im dritten Stock druckt seit heute früh nicht mehr.",
        "occurred_at": NOON,
    }
    return TicketEvent(**{**fields, **changes})


def position(offset: int = 0, partition: int = 0, topic: str = "tickets.events.v1") -> LogPosition:
    return LogPosition(topic=topic, partition=partition, offset=offset)


def alert(**changes: Any) -> Alert:
    """A spike of failed payments, with `changes`."""
    fields: dict[str, Any] = {
        "incident_id": "6f8c6a36-0d0b-5b7e-9b39-0c0f53d8a111",
        "kind": AlertKind.SPIKE,
        "stage": AlertStage.OPENED,
        "subject": "category=billing",
        "team": "billing",
        "opened_at": NOON,
        "at": NOON + timedelta(minutes=4),
        "size": SpikeSize(observed=143, expected=12.4, score=31.5),
        "cause": SpikeCause(
            children=(CausePart(text="product=checkout", observed=98, expected=3.1, g2=402.0),),
            terms=(CausePart(text="card declined", observed=61, expected=0.4, g2=512.0),),
            examples=("T-17", "T-19"),
            first_ticket="T-11",
            requesters=57,
        ),
    }
    return Alert(**{**fields, **changes})


_TOPICS = {
    "hardware": ("hardware-support", "Drucker druckt Papier Toner Schacht Gerät defekt Bildschirm Tastatur Maus"),
    "network": ("network-ops", "WLAN Netz langsam VPN Verbindung bricht ab Router Leitung Empfang Tunnel"),
    "billing": ("billing", "Rechnung Betrag falsch Gutschrift Konto Zahlung Mahnung Lastschrift Steuer Beleg"),
}


def changing_lessons(*parts: tuple[int, float], seed: int = 1) -> list[Lesson]:
    """Lessons on categories, one a minute: of each part so many, and the share of them whose label is any."""
    random = Random(seed)
    made: list[Lesson] = []
    for share in (share for many, share in parts for _ in range(many)):
        number, topic = len(made), random.choice(list(_TOPICS))
        words = random.sample(_TOPICS[topic][1].split(), 5)
        label = random.choice(list(_TOPICS)) if random.random() < share else topic
        made.append(
            Lesson(
                feedback_id=f"f-{number}",
                feedback=position(number, topic="tickets.feedback.v1"),
                head="category",
                label=label,
                tenant="default",
                source="webform",
                ticket_id=f"T-{number}",
                event=position(number),
                subject="Anliegen",
                body=" ".join(words),
                occurred_at=NOON + timedelta(minutes=number),
                team=_TOPICS[label][0],
            )
        )
    return made


def forecast_row(**changes: Any) -> ForecastRow:
    """A forecast of the hour from NOON on, made a day before."""
    values: dict[str, Any] = {
        "series": "all=tickets",
        "hour": NOON,
        "made_at": NOON - timedelta(days=1),
        "expected": 9.0,
        "low": 5.0,
        "high": 14.0,
        "coverage": 0.9,
        "agents": 3,
        "agents_at_high": 4,
        "rostered": 4,
        "method": "profile",
    }
    return ForecastRow(**(values | changes))
