"""What a person said of a ticket's fields by feedback, as the events' topic has it: it holds from there on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, cast

from schemas.dead_letters import Header
from schemas.events import HUMAN_FIELDS

HELD_HEADER = "triage_human"
"""On a record without a value on the events' topic: JSON of a HumanWord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanWord:
    """That a person set `field` of a ticket to `value`; or, with `revokes`, took back what a feedback of that id set.

    `feedback_id` is that of the feedback which says so: a word that is written twice is one word.
    """

    tenant: str
    source: str
    ticket_id: str
    feedback_id: str
    field: str = ""
    value: str = ""
    revokes: str = ""

    @property
    def header(self) -> Header:
        """The header that says it."""
        return HELD_HEADER, json.dumps(asdict(self), ensure_ascii=False).encode()


def human_word(value: bytes | None, headers: Iterable[Header]) -> HumanWord | None:
    """What a record on the events' topic says that a person set; None where it is another record, or no such word."""
    text = None if value is not None else next((text for name, text in headers if name == HELD_HEADER), None)
    if text is None:
        return None
    try:
        found: Any = json.loads(text)
        if not all(isinstance(part, str) for part in cast("dict[str, object]", found).values()):
            return None
        word = HumanWord(**found)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return word if bool(word.revokes) != (word.field in HUMAN_FIELDS and bool(word.value)) else None
