"""Everything that can go wrong here, in three branches: wait and retry, dead-letter, halt.

TriageError
├── RetryLater            a dependency is away: the same call may succeed later; offsets stay uncommitted
│   ├── StoreUnavailable
│   ├── RegistryUnavailable
│   ├── KafkaUnavailable
│   ├── ReceiverAway      one that alerts are told to does not take them now
│   └── WorkerStuck       this process cannot go on by itself: a new one can
├── DeadLettered          this one event is at fault: its bytes go to the dead letters, the next one follows
│   ├── NotFramed         no Confluent frame: `0x00` and a 4-byte schema id
│   ├── TooLarge          more bytes than an event may have
│   ├── UnknownSchema     the frame names a schema that nobody here knows
│   ├── Undecodable       the bytes do not match the schema that they name
│   ├── InvalidEvent      readable, but it breaks a rule of the event
│   ├── UnknownModels     models are to take over that were never recorded
│   └── ReceiverRefused   a receiver of alerts will never take this one
└── Halted                a person has to act: the process ends with a message that says what to do
    ├── BadSettings
    ├── BadTaxonomy
    ├── BadFile           a file given on the command line
    ├── BadSnapshot
    ├── NoSuchTicket      nothing is stored of it
    ├── TopicsDiffer
    ├── MigrationChanged
    ├── StoreRejected
    ├── StoreAheadOfLog
    ├── BrokerFailed
    ├── PublishFailed
    ├── ModelsNotReproducible
    └── WorkFailed
"""

from __future__ import annotations

from datetime import timedelta


class TriageError(Exception):
    """Base of every error that this project raises on purpose."""


class RetryLater(TriageError):  # noqa: N818  the branch's name says what to do, as do its leaves'
    """A dependency is away; `retry_after` is a hint, not a promise."""

    def __init__(self, message: str, *, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreUnavailable(RetryLater):
    """ClickHouse cannot be reached or is overloaded."""


class RegistryUnavailable(RetryLater):
    """The schema registry cannot be reached."""


class KafkaUnavailable(RetryLater):
    """Brokers have not acknowledged records for too long, or will take no more of them from this producer."""


class ReceiverAway(RetryLater):
    """A receiver of alerts cannot be reached or is overloaded; `retry_after` is what it asked for."""


class WorkerStuck(RetryLater):
    """The worker makes no progress: it ends, and a new one in its place goes on."""


class DeadLettered(TriageError):  # noqa: N818  as above
    """One event is at fault."""


class NotFramed(DeadLettered):
    """The value does not start with `0x00` and a 4-byte schema id, or there is no value."""


class TooLarge(DeadLettered):
    """The value has more bytes than one that we can judge in time; compressed, Kafka lets it pass."""


class UnknownSchema(DeadLettered):
    """The frame's schema id is known neither to the package nor to the registry."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema id {schema_id} is neither packaged nor in the schema registry")
        self.schema_id = schema_id


class Undecodable(DeadLettered):
    """The bytes are not a record of the schema that the frame names."""


class InvalidEvent(DeadLettered):
    """A decoded event breaks one of its own rules."""


class UnknownTicket(DeadLettered):
    """Feedback on a ticket of which the events' topic holds no event: there is no text to learn from."""


class UnknownModels(DeadLettered):
    """A record activates a set of models that `models.sets.v1` does not hold: the ones before it decide on."""


class ReceiverRefused(DeadLettered):
    """A receiver of alerts said no for good; the message has its answer."""


class Halted(TriageError):  # noqa: N818  as above
    """Nothing can go on before a person has acted."""


class BadSettings(Halted):
    """A `TRIAGE_*` setting is missing or wrong."""


class BadTaxonomy(Halted):
    """The taxonomy file breaks a rule; the message names the entry."""


class BadFile(Halted):
    """A file given on the command line cannot be used; the message says where and why."""


class NoSuchTicket(Halted):
    """The store has no decision on a ticket, or several tickets have its id."""


class BadSnapshot(Halted):
    """A model's snapshot is damaged, missing or of another format."""


class TopicsDiffer(Halted):
    """Topics are missing or differ from the topic table in a way that only a person may change."""


class MigrationChanged(Halted):
    """A migration that was applied has another text now."""


class StoreRejected(Halted):
    """ClickHouse refused a statement for good: access, a missing table, a wrong type."""


class StoreAheadOfLog(Halted):
    """The store holds offsets that the Kafka log does not have: they belong to another log."""


class BrokerFailed(Halted):
    """The embedded Kafka broker did not start or has died."""


class PublishFailed(Halted):
    """Brokers refused a record for good: the offsets behind it stay uncommitted."""


class ModelsNotReproducible(Halted):
    """Another version of the code made these decisions: this one can not make them again."""


class WorkFailed(Halted):
    """An agent met an error that is nobody's input: its offset stays uncommitted."""
