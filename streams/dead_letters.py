"""Making the dead letter of a record."""

from __future__ import annotations

import traceback
from datetime import datetime

from schemas import topics
from schemas.dead_letters import MOST_MESSAGE_BYTES, MOST_STACKTRACE_BYTES, DeadLetter, shortened
from streams.batches import Record, position_of
from streams.publish import Outgoing


def dead_letter(record: Record, stage: str, error: Exception, now: datetime) -> Outgoing:
    """The dead letter of `record`: its key, value and headers untouched, the error added, as far as all that fits.

    It goes to the partition that the record stood in, so that letters of one partition stay in its order.
    """
    letter = DeadLetter(
        origin=position_of(record),
        stage=stage,
        exception=f"{type(error).__module__}.{type(error).__qualname__}",
        message=shortened(str(error), MOST_MESSAGE_BYTES),
        stacktrace=shortened("".join(traceback.format_exception(error)), MOST_STACKTRACE_BYTES),
        key=record.key,
        value=record.value,
        failed_at=now,
    )
    kept = letter.fitted(record.headers, most_bytes=topics.DEAD_LETTERS.most_bytes)
    return Outgoing(
        topic=topics.DEAD_LETTERS.name,
        key=kept.key,
        value=kept.value,
        headers=kept.headers,
        partition=record.partition,
    )
