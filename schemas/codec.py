"""Words to bytes and back: Avro in the Confluent wire format, `0x00`, a 4-byte big-endian schema id, the record."""

from __future__ import annotations

import math
import struct
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from io import BytesIO
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import fastavro

from schemas import words
from schemas.errors import DeadLettered, InvalidEvent, NotFramed, TooLarge, Undecodable, UnknownSchema
from schemas.events import MOST_EVENT_BYTES
from schemas.words import Word

MAGIC = 0
_FRAME = struct.Struct(">bI")

# Compiled; their stubs leave the file's type open.
_fastavro = cast("Any", fastavro)
_write: Callable[..., None] = _fastavro.schemaless_writer
_read: Callable[..., Any] = _fastavro.schemaless_reader

W = TypeVar("W", bound=Word)
Convert = Callable[[Any], Any]


class Codec:
    """Encodes and decodes words.

    Without a schema registry the ids in frames are those of the packaged schemas; with one, the registry's client
    tells the codec each id that it learns (`assign` for what we write, `learn` for what others wrote). Packaged
    ids stay readable either way.
    """

    def __init__(self) -> None:
        self._writer_schemas = {schema.packaged_id: schema.parsed for schema in words.packaged()}
        self._written_ids = {word: schema.packaged_id for word, schema in words.current().items()}

    def assign(self, word: type[Word], schema_id: int) -> None:
        """Write `word` under `schema_id` from now on."""
        self._written_ids[word] = schema_id
        self._writer_schemas[schema_id] = words.current()[word].parsed

    def learn(self, schema_id: int, text: str) -> None:
        """Know that `schema_id` means the schema of JSON `text`.

        Raises Undecodable where that is not Avro, or none whose records can be read in bounded time.
        """
        try:
            parsed = words.parse(text)
            words.check_bounded(parsed)
        except Exception as error:
            raise Undecodable(f"schema {schema_id} of the registry is of no use here: {error}") from error
        self._writer_schemas[schema_id] = parsed

    def encode(self, value: Word) -> bytes:
        """The framed bytes of `value`."""
        word = type(value)
        out = BytesIO()
        out.write(_FRAME.pack(MAGIC, self._written_ids[word]))
        _write(out, words.current()[word].parsed, _to_record(word)(value))
        return out.getvalue()

    def frame(self, word: type[Word]) -> bytes:
        """The first bytes of every `word` that is written now: they name its schema."""
        return _FRAME.pack(MAGIC, self._written_ids[word])

    def lacking(self, data: bytes, word: type[Word]) -> frozenset[str]:
        """The fields of `word` that the schema of framed bytes which were decoded does not have: newer ones."""
        writer_schema = self._writer_schemas[_FRAME.unpack_from(data)[1]]
        return frozenset(item.name for item in fields(word)) - {item["name"] for item in writer_schema["fields"]}

    def decode(self, data: bytes | None, word: type[W]) -> W:
        """The value in framed bytes, whichever version wrote it.

        Raises NotFramed, TooLarge, UnknownSchema, Undecodable or InvalidEvent, whatever the bytes.
        """
        if data is None or len(data) < _FRAME.size:
            raise NotFramed("no value" if data is None else f"{len(data)} bytes are too few for a frame")
        magic, schema_id = _FRAME.unpack_from(data)
        if magic != MAGIC:
            raise NotFramed(f"the first byte is 0x{data[0]:02x}, not 0x00")
        if len(data) > MOST_EVENT_BYTES:
            raise TooLarge(f"{len(data)} bytes, {MOST_EVENT_BYTES} are the most")
        writer_schema = self._writer_schemas.get(schema_id)
        if writer_schema is None:
            raise UnknownSchema(schema_id)
        body = BytesIO(data)
        body.seek(_FRAME.size)
        reader_schema = words.current()[word].parsed
        try:
            record = _read(body, writer_schema, None if writer_schema is reader_schema else reader_schema)
        except Exception as error:
            raise Undecodable(f"not a {word.__name__}: {type(error).__name__}: {error}") from error
        if body.tell() != len(data):
            raise Undecodable(f"{len(data) - body.tell()} bytes follow the {word.__name__}")
        try:
            return cast("W", _from_record(word)(record))
        except DeadLettered:
            raise
        except Exception as error:
            raise InvalidEvent(f"not a valid {word.__name__}: {error}") from error


def to_json(value: Any) -> Any:
    """`value` as JSON can carry it: enums as text, times in ISO 8601, bytes as text with escapes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_json(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        return {key: to_json(item) for key, item in mapping.items()}
    if isinstance(value, tuple):
        return [to_json(item) for item in cast("tuple[Any, ...]", value)]
    return value


@cache
def _to_record(cls: type) -> Convert:
    """A function that turns an instance of dataclass `cls` into the dict that fastavro writes."""
    hints = get_type_hints(cls)
    plan = [(item.name, _writer_of(hints[item.name])) for item in fields(cls)]

    def convert(value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) if inner is None else inner(getattr(value, name)) for name, inner in plan}

    return convert


@cache
def _from_record(cls: type) -> Convert:
    """A function that turns a dict that fastavro read into an instance of dataclass `cls`."""
    hints = get_type_hints(cls)
    plan = [(item.name, _reader_of(hints[item.name])) for item in fields(cls)]
    assert all(item.kw_only or item.default is MISSING for item in fields(cls))  # noqa: S101  a rule of words

    def convert(record: Mapping[str, Any]) -> Any:
        return cls(**{name: record[name] if inner is None else inner(record[name]) for name, inner in plan})

    return convert


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise InvalidEvent(f"a number is {number}")
    return number


def _writer_of(hint: Any) -> Convert | None:
    """How a field of type `hint` becomes what fastavro writes; None where it already is that."""
    if is_dataclass(hint):
        return _to_record(cast("type", hint))
    if get_origin(hint) is tuple:
        inner = _writer_of(get_args(hint)[0])
        return None if inner is None else lambda items: [inner(item) for item in items]
    return None


def _reader_of(hint: Any) -> Convert | None:
    """How what fastavro read becomes a field of type `hint`; None where it already is that."""
    if is_dataclass(hint):
        return _from_record(cast("type", hint))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if hint is float:
        return _finite
    if get_origin(hint) is tuple:
        inner = _reader_of(get_args(hint)[0])
        return tuple if inner is None else lambda items: tuple(inner(item) for item in items)
    if get_origin(hint) in (Union, types.UnionType):
        inner = next((found for arg in get_args(hint) if (found := _reader_of(arg)) is not None), None)
        return None if inner is None else lambda item: None if item is None else inner(item)
    return None
