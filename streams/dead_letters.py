"""Making the dead letter of a record."""

from __future__ import annotations

import traceback
from datetime import datetime

from schemas import topics
from schemas.dead_letters import DeadLetter
from streams.batches import Record, position_of
from streams.publish import Outgoing


def dead_letter(record: Record, stage: str, error: Exception, now: datetime) -> Outgoing:
    """The dead letter of `record`: its key, value and headers untouched, the error added.

    It goes to the partition that the record stood in, so that letters of one partition stay in its order.
    """
    letter = DeadLetter(
        origin=position_of(record),
        stage=stage,
        exception=f"{type(error).__module__}.{type(error).__qualname__}",
        message=str(error),
        stacktrace="".join(traceback.format_exception(error)),
        key=record.key,
        value=record.value,
        failed_at=now,
    )
    return Outgoing(
        topic=topics.DEAD_LETTERS.name,
        key=record.key,
        value=record.value,
        headers=letter.headers(record.headers),
        partition=record.partition,
    )
