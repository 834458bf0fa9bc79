"""Labelled files: JSONL, JSON or CSV, plain or gzipped, in whatever encoding, become texts with labels."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

from schemas.errors import BadFile, BadSettings

_SAMPLE = 64 * 1024
_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COLUMNS_IN_MESSAGE = 30


class FileLayout(StrEnum):
    """How a labelled file is written."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where text and label stand: names of columns, with a dot between the levels of nested JSON."""

    text: Sequence[str]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A row of a labelled file; `line` counts from 1."""

    text: str
    label: str
    line: int


@dataclass(slots=True)
class Skipped:
    """How many rows were left out, and why."""

    without_text: int = 0
    without_label: int = 0
    unreadable: int = 0
    first_unreadable: str = ""

    @property
    def total(self) -> int:
        """All of them."""
        return self.without_text + self.without_label + self.unreadable

    def __str__(self) -> str:
        parts = (
            (self.without_text, "without text"),
            (self.without_label, "without label"),
            (self.unreadable, f"unreadable (the first: {self.first_unreadable})"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in parts if count)


@dataclass(slots=True)
class LabelledFile:
    """A labelled file, read whole: what was found in it and how.

    Raises BadFile where it cannot be read or holds no row that can be used, and BadSettings for a column that is not
    there; messages name the columns that are.
    """

    path: Path
    columns: Columns
    layout: FileLayout | None = None
    encoding: str | None = None
    delimiter: str | None = None
    rows: list[Labelled] = field(default_factory=list[Labelled])
    skipped: Skipped = field(default_factory=Skipped)

    def __post_init__(self) -> None:
        self.layout = self.layout or _layout_of(self.path.name)
        text, self.encoding = _decoded(_bytes_of(self.path), self.encoding, self.path)
        if not text.strip():
            raise BadFile(f"{self.path} is empty")
        names: dict[str, None] = {}
        for line, row in self._read(text):
            if isinstance(row, str):
                self.skipped.unreadable += 1
                self.skipped.first_unreadable = self.skipped.first_unreadable or f"line {line}: {row}"
                continue
            names |= dict.fromkeys(row)
            self._take(row, line)
        self._check(names)

    def _read(self, text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
        """Line number and row; a text instead of a row says what is wrong with it."""
        if self.layout is FileLayout.CSV:
            yield from self._read_csv(text)
        elif self.layout is FileLayout.JSON:
            yield from self._read_json(text)
        else:
            for number, line in enumerate(text.split("\n"), 1):
                if line.strip():
                    yield number, _json_object(line)

    def _read_json(self, text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
        try:
            found = json.loads(text)
        except ValueError:
            self.layout = FileLayout.JSONL  # many a .json is one object a line
            yield from self._read(text)
            return
        if not isinstance(found, list):
            found = next((value for value in found.values() if isinstance(value, list)), [found])
        for number, row in enumerate(found, 1):
            yield number, row if isinstance(row, dict) else f"row {number} is no JSON object"

    def _read_csv(self, text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
        self.delimiter = self.delimiter or _delimiter_of(text)
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        header: list[str] | None = None
        try:
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if header is None:
                    header = [cell.strip() for cell in cells]
                elif len(cells) > len(header):
                    yield reader.line_num, f"{len(cells)} cells, {len(header)} columns"
                else:
                    yield reader.line_num, dict(zip(header, cells, strict=False))
        except csv.Error as error:
            raise BadFile(f"{self.path}, line {reader.line_num}: {error}; is it a CSV file?") from error

    def _take(self, row: Mapping[str, Any], line: int) -> None:
        label = _plain(_found(row, self.columns.label))
        if not label:
            self.skipped.without_label += 1
            return
        text = "\n".join(part for name in self.columns.text if (part := _plain(_found(row, name))))
        if not text:
            self.skipped.without_text += 1
            return
        self.rows.append(Labelled(text=text, label=label, line=line))

    def _check(self, names: Mapping[str, None]) -> None:
        given = [*self.columns.text, self.columns.label]
        missing = [name for name in given if name not in names and name.partition(".")[0] not in names]
        if missing and names:
            columns = list(names)
            more = f" and {len(columns) - _COLUMNS_IN_MESSAGE} more" if len(columns) > _COLUMNS_IN_MESSAGE else ""
            listed = ", ".join(columns[:_COLUMNS_IN_MESSAGE])
            raise BadSettings(f"{self.path} has no column {missing[0]!r}; it has {listed}{more}")
        if not self.rows:
            why = f": {self.skipped}" if self.skipped.total else ""
            raise BadFile(f"{self.path} holds no row with a text and a label{why}")


def _layout_of(name: str) -> FileLayout:
    suffix = PurePath(name.removesuffix(".gz")).suffix.lower()
    known = {
        ".csv": FileLayout.CSV,
        ".tsv": FileLayout.CSV,
        ".txt": FileLayout.CSV,
        ".json": FileLayout.JSON,
        ".jsonl": FileLayout.JSONL,
        ".ndjson": FileLayout.JSONL,
    }
    if suffix not in known:
        raise BadSettings(f"{name}: say how it is written, with --format jsonl, json or csv")
    return known[suffix]


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from error
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path} is a damaged gzip file: {error}; make the export anew") from error


def _decoded(data: bytes, encoding: str | None, path: Path) -> tuple[str, str]:
    """The text and the encoding: as given, as the byte order mark says, UTF-8 where it fits, else Windows-1252."""
    if encoding is None:
        encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    try:
        for name in [encoding] if encoding else ["utf-8", "cp1252"]:
            try:
                return data.decode(name), name
            except UnicodeDecodeError:
                if encoding:
                    raise
        return data.decode("latin-1"), "latin-1"
    except LookupError as error:
        raise BadSettings(f"{encoding!r} is no encoding that Python knows; utf-8 and cp1252 are") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not {encoding}: {error.reason} at byte {error.start:,}; try --encoding") from error


def _delimiter_of(text: str) -> str:
    """Of the usual ones, that which splits the header most often, outside of quotes."""
    header = next(line for line in text.splitlines() if line.strip())
    counts = {mark: len(next(csv.reader([header], delimiter=mark))) for mark in _DELIMITERS}
    return max(counts, key=counts.__getitem__)


def _json_object(line: str) -> Mapping[str, Any] | str:
    try:
        found = json.loads(line)
    except ValueError as error:
        return f"no JSON ({error})"
    return found if isinstance(found, dict) else "no JSON object"


def _found(row: Mapping[str, Any], name: str) -> Any:
    """The value of a column, or of a path through nested objects."""
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _plain(value: Any) -> str:
    """A value as text; a list is its parts, an object and nothing are empty."""
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return " ".join(filter(None, map(_plain, value)))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip()
