"""Files of counts or events to counts per hop: `triage detect` and `triage forecast` read with it."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from schemas.errors import BadFile
from streams.series_options import Columns, Missing, Reading

ALL = "all"
OTHER = "other"
NAMELESS = "(none)"
TIME_COLUMNS = ("time", "timestamp", "occurred_at", "created_at", "datetime", "date", "ts", "ds", "opened_at", "_time")

_DELIMITERS = ",;\t|"
_SAMPLE = 65_536
_MISSING = frozenset({"", "nan", "null", "none", "na", "n/a", "-", "nil"})
_EVERY = 20_000
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(?:[ T,]+(.*))?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?:[ T,]+(.*))?")
_YEAR_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(.*)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s*([AaPp])?\.?[Mm]?\.?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}([,.' \u00a0]\d{3})+([.,]\d+)?")
# What a number since 1970 counts, by its size: seconds until the year 5138, then milli-, micro- and nanoseconds.
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (math.inf, 1e9))
# Spacings that files have: a median that is near one of them is it.
_SPACINGS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800),
        *(3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400, 604_800),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a file holds, in the order of time: seconds since 1970, the place of the series' name, the count.

    A count is NaN where the file says that none is known.
    """

    times: NDArray[np.float64]
    places: NDArray[np.int64]
    values: NDArray[np.float64]
    requesters: Sequence[str]
    names: tuple[str, ...]
    notes: tuple[str, ...]
    counted: bool

    def as_events(self) -> Rows:
        """The same rows where each counts for as many events as it says: to be summed up over longer times."""
        return replace(self, counted=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Counts per hop. `starts[i]` is where hop i begins; entries of `cells` name hop, series and count.

    `present` is None where every hop was seen, else (hops, series), false where nothing is known. `all_from` is the
    place of the series that sums up the others, or None.
    """

    first: float
    hop: timedelta
    hops: int
    names: tuple[str, ...]
    cell_hops: NDArray[np.int64]
    cell_series: NDArray[np.int64]
    cell_counts: NDArray[np.float64]
    present: NDArray[np.bool_] | None
    total: int | None
    notes: tuple[str, ...]

    @property
    def parents(self) -> list[int] | None:
        """For each series the place of the one that sums it up, -1 for that one itself; None where there is none."""
        return None if self.total is None else [self.total] * self.total + [-1]

    def __iter__(self) -> Iterator[tuple[float, NDArray[np.float64], NDArray[np.bool_] | None]]:
        """Each hop's end in seconds since 1970, the counts of all series, and which of them are known."""
        hop_s = self.hop.total_seconds()
        edges = np.searchsorted(self.cell_hops, np.arange(self.hops + 1))
        for at in range(self.hops):
            counts = np.zeros(len(self.names))
            chosen = slice(int(edges[at]), int(edges[at + 1]))
            np.add.at(counts, self.cell_series[chosen], self.cell_counts[chosen])
            if self.total is not None:
                counts[self.total] = counts.sum()
            yield self.first + (at + 1) * hop_s, counts, None if self.present is None else self.present[at]


def read_rows(path: Path, reading: Reading, on_progress: Callable[[int, int], None] = lambda *_: None) -> Rows:
    """The rows of a CSV or JSONL file, gzipped or not; `on_progress` gets bytes read and bytes there are.

    Raises BadFile with what to do where the file or a row cannot be used; with `skip_bad`, such rows are left out.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as raw, ExitStack() as stack:
            return _read(raw, stack, path.name, size, reading, on_progress)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror or error}") from error
    except EOFError as error:
        raise BadFile(f"{path} ends in the middle of its gzip stream: fetch it again") from error
    except UnicodeDecodeError as error:
        tried = reading.encoding or "UTF-8"
        raise BadFile(
            f"{path} is not {tried} (byte {error.start} of a block): say --encoding, such as --encoding cp1252"
        ) from error
    except csv.Error as error:
        raise BadFile(f"{path} is no CSV: {error}") from error


def spacing_of(rows: Rows) -> timedelta:
    """The usual time between two rows of one series. Raises BadFile where no series has two times."""
    steps: list[NDArray[np.float64]] = []
    for place in range(len(rows.names)):
        own = np.diff(np.unique(rows.times[rows.places == place]))
        steps.append(own[own > 0])
    every = np.concatenate(steps) if steps else np.array([])
    if not every.size:
        raise BadFile("the file has one time only; a series needs at least two")
    median = timedelta(seconds=float(np.median(np.round(every, 3))))
    near = min(_SPACINGS, key=lambda known: abs(math.log(known / median)))
    if abs(math.log(near / median)) < 0.1:  # noqa: PLR2004  within a tenth: jitter
        return near
    return max(timedelta(seconds=1), timedelta(seconds=round(median.total_seconds())))


def grid_of(rows: Rows, *, hop: timedelta, missing: Missing, most_series: int, with_total: bool) -> Grid:
    """The rows as counts per `hop`; the smallest series beyond `most_series` are folded into one."""
    notes = list(rows.notes)
    hop_s = hop.total_seconds()
    # Counts keep the phase of their own times; events go to whole hops since 1970.
    first = float(rows.times[0]) if rows.counted else math.floor(float(rows.times[0]) / hop_s) * hop_s
    # Times that come a little early belong to the hop that they were meant for.
    slack = 0.25 * hop_s if rows.counted else 0.0
    cell_hops = np.floor((rows.times - first + slack) / hop_s).astype(np.int64)
    names, places = _folded(rows, most_series, notes)
    values = rows.values
    if rows.counted:
        cell_hops, places, values = _without_repeats(rows.times, cell_hops, places, values, notes)
    hops = int(cell_hops[-1]) + 1
    present: NDArray[np.bool_] | None = None
    known = ~np.isnan(values)
    if rows.counted:
        seen = np.zeros((hops, len(names)), dtype=np.bool_)
        seen[cell_hops[known], places[known]] = True
        absent = 1 - float(seen.mean())
        guessed = missing is Missing.AUTO and _leaves_zeros_out(seen, cell_hops, places, values)
        zero = guessed or missing is Missing.ZERO
        if guessed:
            notes.append(f"{absent:.0%} of the times have no row and no row says 0: a missing row is taken as 0")
        if not zero and absent:
            notes.append(f"{absent:.1%} of the times have no row and count as gaps")
            present = seen
    total = None
    if with_total and len(names) > 1:
        total = len(names)
        names = (*names, ALL)
        if present is not None:
            present = np.concatenate([present, present.any(axis=1, keepdims=True)], axis=1)
    return Grid(
        first=first,
        hop=hop,
        hops=hops,
        names=names,
        cell_hops=cell_hops[known],
        cell_series=places[known],
        cell_counts=values[known],
        present=present,
        total=total,
        notes=tuple(notes),
    )


def _read(
    raw: io.BufferedReader,
    stack: ExitStack,
    name: str,
    size: int,
    reading: Reading,
    on_progress: Callable[[int, int], None],
) -> Rows:
    start, stream = raw.peek(4)[:4], raw
    if start[:2] == b"\x1f\x8b":
        stream = stack.enter_context(io.BufferedReader(cast("Any", gzip.GzipFile(fileobj=raw))))
        name = name.removesuffix(".gz")
        start = stream.peek(4)[:4]
    if not start:
        raise BadFile(f"{name} is empty")
    encoding = reading.encoding or ("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    try:
        text = stack.enter_context(io.TextIOWrapper(stream, encoding=encoding))
    except LookupError as error:
        raise BadFile(f"there is no encoding {encoding!r}; usual ones are utf-8, cp1252, latin-1 and utf-16") from error
    sample = text.read(_SAMPLE)
    if not sample.strip():
        raise BadFile(f"{name} is empty")
    lines = _lines(itertools.chain([sample], iter(lambda: text.read(_SAMPLE), "")))
    if sample.lstrip().startswith(("{", "[")) or name.lower().endswith((".jsonl", ".ndjson")):
        rows = _json_rows(lines)
    else:
        rows = _csv_rows(lines, sample)
    return _Collector(reading, name).collect(rows, lambda: on_progress(raw.tell(), size))


def _lines(blocks: Iterable[str]) -> Iterator[str]:
    """Lines with their ends, from blocks of text that end anywhere."""
    rest = ""
    for block in blocks:
        *whole, rest = (rest + block).split("\n")
        yield from (line + "\n" for line in whole)
    if rest:
        yield rest


def _csv_rows(lines: Iterator[str], sample: str) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    header = next(line for line in sample.splitlines() if line.strip())
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    names: list[str] | None = None
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if names is None:
            names = [cell.strip() for cell in cells]
            continue
        # A decimal comma in a file of commas makes one cell more than there are columns: say so instead of guessing.
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            yield reader.line_num, f"has {len(cells)} cells where the first line names {len(names)} columns"
            continue
        yield reader.line_num, dict(zip(names, cells, strict=False))


def _json_rows(lines: Iterator[str]) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    first = next(lines, "")
    if first.lstrip().startswith("["):
        try:
            document = json.loads(first + "".join(lines))
        except ValueError as error:
            raise BadFile(f"the file starts like a JSON array and is none: {error}") from error
        for number, row in enumerate(document, 1):
            yield number, row if isinstance(row, dict) else f"is a JSON {type(row).__name__}, not an object"
        return
    for number, line in enumerate(itertools.chain([first], lines), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield number, f"is not JSON: {error}"
            continue
        yield number, row if isinstance(row, dict) else f"is a JSON {type(row).__name__}, not an object"


class _Collector:
    """Gathers rows into columns and says what is wrong with those that cannot be used."""

    def __init__(self, reading: Reading, name: str) -> None:
        self._reading = reading
        self._name = name
        self._bad = 0
        self._first_bad = ""
        self._raw_times: list[object] = []
        self._values: list[float] = []
        self._requesters: list[str] = []
        self._places: list[int] = []
        self._lines: list[int] = []
        self._names: dict[str, int] = {}

    def collect(self, rows: Iterator[tuple[int, Mapping[str, object] | str]], on_rows: Callable[[], None]) -> Rows:
        chosen: Columns | None = None
        for number, row in rows:
            if isinstance(row, str):
                self._complain(number, row)
                continue
            chosen = chosen or self._choose(self._reading.columns, row)
            try:
                self._take(number, row, chosen)
            except ValueError as error:
                self._complain(number, str(error))
            if len(self._values) % _EVERY == 0:
                on_rows()
        times = self._times()
        on_rows()
        kept = np.flatnonzero(~np.isnan(times))
        if not kept.size:
            raise BadFile(f"{self._name} holds no row that can be used" + (f": {self._first_bad}" if self._bad else ""))
        order = kept[np.argsort(times[kept], kind="stable")]
        note = f"{self._bad} rows could not be used; the first: {self._first_bad}"
        return Rows(
            times=times[order],
            places=np.array(self._places, dtype=np.int64)[order],
            values=np.array(self._values)[order],
            requesters=[self._requesters[at] for at in order.tolist()],
            names=tuple(self._names),
            notes=(note,) if self._bad else (),
            counted=self._reading.columns.value is not None,
        )

    def _take(self, number: int, row: Mapping[str, object], chosen: Columns) -> None:
        value = 1.0 if chosen.value is None else _count(row.get(chosen.value), chosen.value)
        raw = row.get(chosen.time or "")
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            raise ValueError(f"has no {chosen.time}")
        label = str(row.get(chosen.series) or "").strip() or NAMELESS if chosen.series else chosen.value or "events"
        self._raw_times.append(raw)
        self._values.append(value)
        self._lines.append(number)
        self._places.append(self._names.setdefault(label, len(self._names)))
        self._requesters.append(str(row.get(chosen.requester) or "") if chosen.requester else "")

    def _times(self) -> NDArray[np.float64]:
        """Seconds since 1970 of each row, NaN where a row has none that can be read."""
        parse = _TimeParser(self._raw_times, self._reading.zone)
        times = np.full(len(self._raw_times), np.nan)
        for at, raw in enumerate(self._raw_times):
            try:
                times[at] = parse(raw)
            except (ValueError, OverflowError) as error:
                self._complain(self._lines[at], str(error))
        return times

    def _complain(self, line: int, reason: str) -> None:
        self._bad += 1
        message = f"line {line} {reason}"
        self._first_bad = self._first_bad or message
        if not self._reading.skip_bad:
            raise BadFile(f"{self._name}: {message}. Mend it, or leave such rows out with --skip-bad")

    def _choose(self, columns: Columns, row: Mapping[str, object]) -> Columns:
        known = {name.strip().lower(): name for name in row}
        there = ", ".join(row)
        found: dict[str, str | None] = {}
        for option in ("time", "value", "series", "requester"):
            wanted = getattr(columns, option)
            found[option] = None if wanted is None else known.get(wanted.strip().lower())
            if wanted is not None and found[option] is None:
                raise BadFile(f"{self._name} has no column {wanted!r}; it has {there}: choose with --{option}")
        if found["time"] is None:
            found["time"] = next((known[name] for name in TIME_COLUMNS if name in known), None)
        if found["time"] is None:
            raise BadFile(f"{self._name}: none of its columns ({there}) is known to hold the time: say --time COLUMN")
        return Columns(**found)


class _TimeParser:
    """Reads times as they are usually written. Which of day and month comes first in 3/4/2026 the others tell."""

    def __init__(self, examples: Sequence[object], zone: tzinfo) -> None:
        self._zone = zone
        firsts = [match for raw in examples if (match := _SLASHED.fullmatch(str(raw).strip()))]
        self._day_first = any(int(match[1]) > 12 for match in firsts)  # noqa: PLR2004  months

    def __call__(self, raw: object) -> float:
        """Seconds since 1970. Raises ValueError with what is wrong."""
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return _since_1970(float(raw), raw)
        text = str(raw).strip()
        if _NUMBER.fullmatch(text) and not (len(text) == 8 and text.startswith(("19", "20"))):  # noqa: PLR2004  YYYYMMDD
            return _since_1970(float(text), raw)
        try:
            moment = self._moment(text)
        except ValueError as error:
            raise ValueError(f"has {text!r} as its time: write ISO 8601 or seconds since 1970") from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return moment.timestamp()

    def _moment(self, text: str) -> datetime:
        if match := _DOTTED.fullmatch(text):
            day, month, year, clock = match.groups()
        elif match := _SLASHED.fullmatch(text):
            first, second, year, clock = match.groups()
            day, month = (first, second) if self._day_first else (second, first)
        else:
            if match := _YEAR_SLASHED.fullmatch(text):
                text = f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}{match[4]}"
            for spoken in (" UTC", " GMT"):
                text = text[: -len(spoken)] + "+00:00" if text.endswith(spoken) else text
            return datetime.fromisoformat(text)
        full_year = int(year) + (2000 if len(year) == 2 else 0)  # noqa: PLR2004  two digits
        return datetime(full_year, int(month), int(day), *_clock(clock))  # noqa: DTZ001  the caller adds the zone


def _clock(text: str | None) -> tuple[int, int, int, int]:
    if not text:
        return 0, 0, 0, 0
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    hour, minute, seconds, half = int(match[1]), int(match[2]), float((match[3] or "0").replace(",", ".")), match[4]
    if half:
        hour = hour % 12 + (12 if half in "pP" else 0)
    return hour, minute, int(seconds), round(seconds % 1 * 1e6)


def _since_1970(number: float, raw: object) -> float:
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"has {raw!r} as its time: write ISO 8601 or seconds since 1970")
    return next(number / scale for limit, scale in _UNITS if number < limit)


def _count(raw: object, column: str) -> float:
    """The count in a cell, NaN where it is missing. Raises ValueError with what is wrong."""
    if raw is None:
        return math.nan
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise ValueError(f"has {raw!r} as its {column}, which is no number")  # noqa: TRY004  told like the others
    text = str(raw).strip()
    if text.lower() in _MISSING:
        return math.nan
    if not _NUMBER.fullmatch(text):
        text = _plain_number(text)
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"has {raw!r} as its {column}, which is no number") from error
    if not math.isfinite(value):
        raise ValueError(f"has {raw!r} as its {column}, which is no finite number")
    if value < 0:
        raise ValueError(f"has {raw!r} as its {column}: a count cannot be negative")
    return value


def _plain_number(text: str) -> str:
    """A number with decimal comma or grouped thousands, as Python writes it."""
    if _GROUPED.fullmatch(text):
        last = max(text.rfind(","), text.rfind("."))
        separators = {mark for mark in text if mark in ",.' \u00a0"}
        if len(separators) > 1 or (last > 0 and len(text) - last - 1 != 3):  # noqa: PLR2004  thousands
            whole, fraction = text[:last], text[last + 1 :]
            return re.sub(r"[,.' \u00a0]", "", whole) + "." + fraction
        if text.count(",") == 1 and "." not in text:
            return text.replace(",", ".")  # one comma is a decimal one where commas do not part the columns
        return re.sub(r"[,.' \u00a0]", "", text)
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def _folded(rows: Rows, most: int, notes: list[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names and places of the series with the largest totals; the others become one."""
    if len(rows.names) <= most:
        return rows.names, rows.places
    totals = np.bincount(rows.places, weights=np.nan_to_num(rows.values), minlength=len(rows.names))
    kept = np.sort(np.argsort(-totals, kind="stable")[:most])
    moved = np.full(len(rows.names), most, dtype=np.int64)
    moved[kept] = np.arange(most)
    notes.append(f"{len(rows.names) - most} small series are folded into {OTHER!r}; --max-series keeps more")
    return (*(rows.names[at] for at in kept), OTHER), moved[rows.places]


def _leaves_zeros_out(
    seen: NDArray[np.bool_], hops: NDArray[np.int64], places: NDArray[np.int64], values: NDArray[np.float64]
) -> bool:
    """Whether missing rows are zeros that an export left out: none says 0, and counts beside missing ones are small."""
    known = ~np.isnan(values)
    if seen.mean() > 0.95 or (values == 0).any() or not known.any():  # noqa: PLR2004  a twentieth is missing
        return False
    alone = np.zeros_like(seen)
    alone[1:] |= ~seen[:-1]
    alone[:-1] |= ~seen[1:]
    beside = values[known & alone[hops, places]]
    return bool(np.median(beside) <= max(3.0, 0.5 * float(np.median(values[known])))) if beside.size else False


def _without_repeats(
    times: NDArray[np.float64],
    hops: NDArray[np.int64],
    places: NDArray[np.int64],
    values: NDArray[np.float64],
    notes: list[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Without rows of one series and time but the last: a count that was told again is told anew, not more."""
    keys = np.stack([times, places.astype(np.float64)], axis=1)[::-1]
    _, last = np.unique(keys, axis=0, return_index=True)
    if last.size < times.size:
        notes.append(f"{times.size - last.size} rows repeat a time of their series; the last one counts")
    kept = np.sort(times.size - 1 - last)
    return hops[kept], places[kept], values[kept]
