"""The topic table: every Kafka topic of the pipeline, from which topics are created, verified and documented."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from schemas.alerts import Alert
from schemas.counts import BucketCounts, CountingState
from schemas.decisions import Assignment, Decision
from schemas.events import MOST_EVENT_BYTES, TicketEvent
from schemas.feedback import Feedback
from schemas.lessons import Lesson
from schemas.model_log import ModelsActivated, ModelSet, ShadowCompared, SnapshotPublished
from schemas.words import Word

REVIEW_QUEUE = "review"
PARTITIONS = 8
"""Topics of tickets have the same number, so that one ticket's events, decisions and feedback share a partition."""


MOST_RECORD_BYTES = 2 * 1024 * 1024
"""The largest record that we write: an event of any size, with all that a dead letter adds to it."""

MOST_BYTES_SETTING = "max.message.bytes"


class Cleanup(StrEnum):
    """What Kafka does with old records."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. `word` is None where values are foreign bytes; `retention` None keeps records for ever.

    `most_bytes` is what a record may have, with its key, its headers and Kafka's framing. `partitions` None is as many
    as the topics of tickets have.
    """

    name: str
    key: str
    word: type[Word] | None
    about: str
    retention: timedelta | None
    cleanup: Cleanup = Cleanup.DELETE
    partitions: int | None = None
    """Where it is not what all others have."""
    most_bytes: int = MOST_RECORD_BYTES

    def config(self) -> Mapping[str, str]:
        """The topic's settings in Kafka's own names and units."""
        retention_ms = -1 if self.retention is None else self.retention // timedelta(milliseconds=1)
        return {
            "cleanup.policy": self.cleanup.value,
            "retention.ms": str(retention_ms),
            MOST_BYTES_SETTING: str(self.most_bytes),
        }


EVENTS = Topic(
    name="tickets.events.v1",
    key="ticket_id",
    word=TicketEvent,
    about="What sources tell: one record per event of a ticket; and, without a value, when other models take over.",
    retention=timedelta(days=30),
    most_bytes=MOST_EVENT_BYTES,
)
DECISIONS = Topic(
    name="tickets.decisions.v1",
    key="ticket_id",
    word=Decision,
    about="The routing decision on each event, in the partition of its event and in the events' order.",
    retention=timedelta(days=30),
)
FEEDBACK = Topic(
    name="tickets.feedback.v1",
    key="ticket_id",
    word=Feedback,
    about="Corrections, reassignments, resolutions and ratings.",
    retention=timedelta(days=90),
    most_bytes=MOST_EVENT_BYTES,
)
DEAD_LETTERS = Topic(
    name="tickets.deadletters.v1",
    key="as in the original record",
    word=None,
    about="Records that could not be handled: their bytes untouched, the reason in the headers of KIP-1034.",
    retention=timedelta(days=90),
)

MODEL_SETS = Topic(
    name="models.sets.v1",
    key="version",
    word=ModelSet,
    about="Every set of models that has ever decided: what it takes to make it again.",
    retention=None,
    cleanup=Cleanup.COMPACT,
)
MODEL_ACTIVATIONS = Topic(
    name="models.activations.v1",
    key="partition:offset",
    word=ModelsActivated,
    about="From which event on each set of models was live.",
    retention=None,
    cleanup=Cleanup.COMPACT,
)
MODEL_SNAPSHOTS = Topic(
    name="models.snapshots.v1",
    key="head@version",
    word=SnapshotPublished,
    about="Which snapshots of what people taught are in the snapshot store.",
    retention=None,
    cleanup=Cleanup.COMPACT,
)
MODEL_SHADOW = Topic(
    name="models.shadow.v1",
    key="challenger|live|head",
    word=ShadowCompared,
    about="How challengers do beside the live models: the newest comparison of each two sets.",
    retention=None,
    cleanup=Cleanup.COMPACT,
)
COUNTS = Topic(
    name="tickets.counts.v1",
    key="partition|bucket",
    word=BucketCounts,
    about="Tickets per series in each ten seconds, by source partition, and what people answered to incidents: one "
    "partition, so that there is one order.",
    retention=timedelta(days=14),
    partitions=1,
)
COUNTING = Topic(
    name="tickets.counting.v1",
    key="partition",
    word=CountingState,
    about="Where the counting of each partition stands, in the partition of its tickets.",
    retention=None,
    cleanup=Cleanup.COMPACT,
)
ALERTS = Topic(
    name="tickets.alerts.v1",
    key="incident_id",
    word=Alert,
    about="What on-call is told: the newest word on each incident.",
    retention=None,
    cleanup=Cleanup.COMPACT,
)
LESSONS = Topic(
    name="models.lessons.v1",
    key="feedback_id",
    word=Lesson,
    about="What people taught, with the text that it was taught on: one partition, since the order is part of it.",
    retention=None,
    partitions=1,
)


def assignments(queue: str) -> Topic:
    """The topic that carries the assignments of one queue: a team's, or `review`."""
    return Topic(
        name=f"assignments.{queue}.v1",
        key="ticket_id",
        word=Assignment,
        about=f"Tickets for {queue}." if queue != REVIEW_QUEUE else "Tickets that a person routes, with the top three.",
        retention=timedelta(days=14),
    )


def topic_table(teams: Iterable[str]) -> tuple[Topic, ...]:
    """Every topic of a pipeline with these `teams`."""
    return (
        EVENTS,
        DECISIONS,
        FEEDBACK,
        DEAD_LETTERS,
        MODEL_SETS,
        MODEL_ACTIVATIONS,
        MODEL_SNAPSHOTS,
        MODEL_SHADOW,
        COUNTS,
        COUNTING,
        LESSONS,
        ALERTS,
        *(assignments(queue) for queue in (*teams, REVIEW_QUEUE)),
    )
