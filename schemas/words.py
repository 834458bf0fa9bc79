"""The packaged Avro schemas: every version of every word, and which one is written today."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, cast

from fastavro.schema import parse_schema, to_parsing_canonical_form

from schemas.dead_letters import DeadLetter
from schemas.decisions import Assignment, Decision
from schemas.events import TicketEvent
from schemas.feedback import Feedback
from schemas.model_log import ModelsActivated, ModelSet

Word = TicketEvent | Decision | Assignment | Feedback | DeadLetter | ModelSet | ModelsActivated

WORDS: Mapping[str, type[Word]] = {
    "ticket_event": TicketEvent,
    "decision": Decision,
    "assignment": Assignment,
    "feedback": Feedback,
    "dead_letter": DeadLetter,
    "model_set": ModelSet,
    "models_activated": ModelsActivated,
}

_FILE_NAME = re.compile(r"(?P<word>[a-z_]+)\.v(?P<version>\d+)\.avsc")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSchema:
    """One version of one word's schema. `text` is the JSON as packaged, `parsed` what fastavro compiles."""

    word: type[Word]
    version: int
    text: str
    parsed: Any

    @property
    def packaged_id(self) -> int:
        """The schema id that frames carry where no registry is configured.

        The first 31 bits of the SHA-256 of the schema's parsing canonical form (Avro 1.12, *Parsing Canonical
        Form for Schemas*), with the highest one set: it never changes while the schema does not, and it stays
        clear of the small numbers that registries hand out.
        """
        digest = hashlib.sha256(to_parsing_canonical_form(self.parsed).encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1 | 1 << 30


@cache
def packaged() -> tuple[WordSchema, ...]:
    """Every packaged schema, by word and then version."""
    found: list[WordSchema] = []
    for file in resources.files("schemas").joinpath("avro").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match is None:
            raise ValueError(f"schemas/avro/{file.name} is not named WORD.vN.avsc")
        text = file.read_text(encoding="utf-8")
        found.append(
            WordSchema(word=WORDS[match["word"]], version=int(match["version"]), text=text, parsed=parse(text))
        )
    return tuple(sorted(found, key=lambda schema: (schema.word.__name__, schema.version)))


@cache
def current() -> Mapping[type[Word], WordSchema]:
    """The newest schema of each word: what is written today and what readers resolve to."""
    return {schema.word: schema for schema in packaged()}


def parse(text: str) -> Any:
    """Compile an Avro schema's JSON text. Raises ValueError or a fastavro error where it is none."""
    return cast("Any", parse_schema(json.loads(text)))
