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

from schemas.alerts import Alert, AlertAnswered
from schemas.counts import BucketCounts, CountingState
from schemas.dead_letters import DeadLetter
from schemas.decisions import Assignment, Decision
from schemas.events import TicketEvent
from schemas.feedback import Feedback
from schemas.lessons import Lesson
from schemas.model_log import ModelsActivated, ModelSet, ShadowCompared, SnapshotPublished

Word = (
    TicketEvent
    | Decision
    | Assignment
    | Feedback
    | DeadLetter
    | ModelSet
    | ModelsActivated
    | ShadowCompared
    | SnapshotPublished
    | Alert
    | AlertAnswered
    | BucketCounts
    | CountingState
    | Lesson
)

WORDS: Mapping[str, type[Word]] = {
    "ticket_event": TicketEvent,
    "decision": Decision,
    "assignment": Assignment,
    "feedback": Feedback,
    "dead_letter": DeadLetter,
    "lesson": Lesson,
    "model_set": ModelSet,
    "models_activated": ModelsActivated,
    "shadow_compared": ShadowCompared,
    "snapshot_published": SnapshotPublished,
    "alert": Alert,
    "alert_answered": AlertAnswered,
    "bucket_counts": BucketCounts,
    "counting_state": CountingState,
}

MOST_NODES = 1_000
"""Of a schema, counted as often as it uses them: our largest has fewer than 200."""

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


def check_bounded(parsed: Any) -> None:
    """Raise ValueError where few bytes of a compiled schema could take unbounded time, memory or stack to read.

    That is a schema that nests in itself, one that multiplies (a record of twice a record of twice a record ...), and
    one with an array of what takes no bytes, of which nine bytes can claim any number.
    """
    named: Mapping[str, Any] = {}
    if isinstance(parsed, dict):
        named = cast("dict[str, Any]", parsed).get("__named_schemas", named)
    _Measure(named).of(parsed)


class _Measure:
    """Measures schemas: the least number of bytes of a value, and the number of nodes that reading it visits."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self._known: dict[str, tuple[int, int]] = {}
        self._open: set[str] = set()

    def of(self, schema: Any) -> tuple[int, int]:
        """Least bytes and nodes of `schema`. Raises ValueError as `check_bounded`."""
        least, nodes = self._of(schema)
        if nodes > MOST_NODES:
            raise ValueError(f"reading it visits more than {MOST_NODES} nodes")
        return least, nodes

    def _of(self, schema: Any) -> tuple[int, int]:
        if isinstance(schema, list):
            return 1, 1 + max((self.of(branch)[1] for branch in cast("list[Any]", schema)), default=0)
        if isinstance(schema, str):
            return self._of_name(schema)
        kind = schema["type"]
        if kind in ("record", "error"):
            return self._of_record(schema)
        if kind in ("array", "map"):
            least, nodes = self.of(schema["items" if kind == "array" else "values"])
            if kind == "array" and not least:
                raise ValueError("it has an array of items that take no bytes")
            return 1, 1 + nodes
        if kind == "fixed":
            return int(schema["size"]), 1
        return (1, 1) if kind == "enum" else self.of(kind)

    def _of_name(self, name: str) -> tuple[int, int]:
        if name not in self._named:
            return (0, 1) if name == "null" else (1, 1)
        return self._known[name] if name in self._known else self.of(self._named[name])

    def _of_record(self, schema: Mapping[str, Any]) -> tuple[int, int]:
        name = str(schema["name"])
        if name in self._open:
            raise ValueError(f"{name} nests in itself")
        self._open.add(name)
        measured = [self.of(field["type"]) for field in schema["fields"]]
        self._open.remove(name)
        self._known[name] = sum(least for least, _ in measured), 1 + sum(nodes for _, nodes in measured)
        return self._known[name]
