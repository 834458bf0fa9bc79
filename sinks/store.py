"""ClickHouse behind one small class: the engine in process (chdb) or any server by URL, with the same code.

This is the one module that knows the ClickHouse driver. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import errno
import itertools
import logging
import re
import tempfile
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import SplitResult, urlsplit

import clickhouse_connect
import lz4.frame
from clickhouse_connect.driver.exceptions import ClickHouseError, DataError, OperationalError, ProgrammingError
from clickhouse_connect.driver.transform import NativeTransform

from schemas.errors import BadSettings, StoreRejected, StoreUnavailable

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

EMBEDDED_SCHEME = "chdb"
SERVER_SCHEMES = ("http", "https")
MOST_ROWS = 10_000
"""Rows of one insert: more cost memory and, past the driver's block size, the one part that makes it atomic."""

# The defaults of both changed between releases; the exactly-once effect needs these.
_SETTINGS: Mapping[str, Any] = {"async_insert": 0, "deduplicate_blocks_in_dependent_materialized_views": 1}

# One insert is one part, whatever a profile on the server says.
_ONE_PART = {
    "max_insert_threads": 1,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 1 << 30,
}

# Server-side errors that pass: TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR,
# QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING (the driver's second try), MEMORY_LIMIT_EXCEEDED, TABLE_IS_READ_ONLY,
# NOT_ENOUGH_SPACE, TOO_MANY_PARTS, QUERY_WAS_CANCELLED, KEEPER_EXCEPTION.
_PASSING_CODES = frozenset({159, 202, 209, 210, 216, 241, 242, 243, 252, 394, 999})

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the engine in process meets before ClickHouse's own code 243: the driver's temporary files."""

_NO_TABLES_CODES = frozenset({60, 81})  # UNKNOWN_TABLE, UNKNOWN_DATABASE

_INSERT = re.compile(
    r"INSERT\s+INTO\s+(?P<table>[^\s(]+)\s*(?:\((?P<columns>[^)]*)\))?\s*FORMAT\s+(?P<format>\w+)",
    re.IGNORECASE,
)
_CONDITIONAL_INSERT = re.compile(
    r"(?P<insert>INSERT INTO \S+ \([^)]*\) SELECT .*? FROM) input\((?P<structure>'(?:[^'\\]|\\.)*')\) "
    r"(?P<condition>WHERE .*) FORMAT Native",
    re.DOTALL,
)
_INSERT_ID = "triage-insert-"


_WRONG_URL = "the ClickHouse URL is none: write https://host:8443, http://host:8123 or chdb:///folder"

# How the driver words a connection that does not come about: the HTTP library's whole history of it.
_NO_CONNECTION = re.compile(r"Max retries exceeded.*?: (?P<reason>[^:]*?)\"?\)+ executing .*\((?P<url>\S+)\)$")

logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)  # what it logs, it also raises


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAccess:
    """Where the store is. `url` is `chdb:///folder` or `http[s]://host:port`."""

    url: str
    database: str = "triage"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    @property
    def embedded_folder(self) -> Path | None:
        """The folder of an embedded store, None for a server."""
        parts = urlsplit(self.url)
        return Path(parts.path) if parts.scheme == EMBEDDED_SCHEME else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rows of a query and the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Store:
    """An open store; calls are serialised, so that it may be used from several threads.

    Raises StoreUnavailable for what may pass (no connection, overload) and StoreRejected for what will not.
    """

    def __init__(self, access: StoreAccess) -> None:
        self.database = access.database
        self.exclusive = access.embedded_folder is not None
        """No other process can write while this store is open."""
        self._lock = threading.Lock()
        self._salt = uuid.uuid4().hex
        self._inserts = itertools.count()
        self._client = _open(access)

    def command(self, sql: str) -> None:
        """Run a statement that gives no rows."""
        self._call(lambda: self._client.command(sql))

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        """Run a query; `{name:Type}` in it takes `parameters`."""
        result = self._call(lambda: self._client.query(sql, parameters=dict(parameters or {})))
        return Answer(columns=tuple(result.column_names), rows=tuple(tuple(row) for row in result.result_rows))

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        only_if: str | None = None,
        partitions: Collection[int] = (),
    ) -> None:
        """Insert `rows`, at most MOST_ROWS, into one partition of `table`, all or none.

        With `only_if`, a condition in SQL that the server evaluates as it begins, StoreUnavailable is raised where it
        does not hold; `running_inserts` finds the insert by the Kafka `partitions` that it is of. The token makes the
        driver's own silent second try harmless; it is salted per process, since the dedup log of a MergeTree may name
        parts that a crash has lost. After an error, ask the table what it holds.
        """
        if len(rows) > MOST_ROWS:
            raise ValueError(f"{len(rows)} rows are more than {MOST_ROWS} in one insert")
        settings = {
            **_SETTINGS,
            **_ONE_PART,
            "insert_deduplication_token": f"{self._salt}:{next(self._inserts)}",
            "query_id": f"{self._insert_id(table)}{_marks(partitions)}-{uuid.uuid4().hex}",
        }

        def work() -> int:
            context = self._client.create_insert_context(
                table, list(columns), self.database, settings=settings, data=rows
            )
            if only_if is None:
                return self._client.insert(context=context).written_rows
            # The driver writes no INSERT ... SELECT: its encoding of the rows is taken, its statement is not.
            block = b"".join(NativeTransform.build_insert(context)).partition(b"\n")[2]
            if context.insert_exception is not None:
                raise context.insert_exception
            names = ", ".join(f"`{name}`" for name in columns)
            structure = ", ".join(
                f"`{name}` {kind.name}" for name, kind in zip(columns, context.column_types, strict=True)
            )
            source = f"({names}) SELECT {names} FROM input({_quoted(structure)}) WHERE {only_if}"  # noqa: S608  ours
            # An iterator can be read once: the driver cannot send it again by itself, unasked.
            body = iter([lz4.frame.compress(block)])
            summary = self._client.raw_insert(
                f"{context.table} {source}", None, cast("Any", body), settings, "Native", "lz4"
            )
            return summary.written_rows

        written = self._call(work)
        if written == 0 and only_if is not None:
            raise StoreUnavailable(f"another process has taken over what this one was to write into {table}")
        if written != len(rows):
            raise StoreUnavailable(f"{table}: {written} of {len(rows)} rows are reported as written")

    def running_inserts(self, table: str, partitions: Collection[int]) -> set[str]:
        """The ids of the inserts into `table` of any of `partitions` that the server is at work on."""
        sql = "SELECT query_id FROM system.processes WHERE startsWith(query_id, {prefix:String})"
        found = {name for (name,) in self.query(sql, {"prefix": self._insert_id(table)}).rows}
        return {name for name in found if any(_marks([partition]) in name for partition in partitions)}

    def _insert_id(self, table: str) -> str:
        return f"{_INSERT_ID}{self.database}-{table}-"

    def kill(self, query_ids: Collection[str]) -> None:
        """Have the server give these queries up; it may take a while."""
        names = ", ".join(_quoted(name) for name in sorted(query_ids))
        self.command(f"KILL QUERY WHERE query_id IN ({names}) ASYNC")

    def create_database(self) -> None:
        """Create the store's database where it is missing."""
        sql = f"CREATE DATABASE IF NOT EXISTS {self.database}"
        self._call(lambda: self._client.command(sql, use_database=False))

    def raw(
        self, sql: str, *, database: str | None, settings: Mapping[str, str], parameters: Mapping[str, str]
    ) -> bytes:
        """The bytes that a server's HTTP interface would answer to `sql`, in the format that it names."""
        return bytes(
            self._call(
                lambda: self._client.raw_query(
                    sql,
                    parameters=dict(parameters),
                    settings=dict(settings),
                    use_database=database is not None,
                ),
                database=database,
            )
        )

    def raw_insert(self, sql: str, data: bytes, *, database: str | None, settings: Mapping[str, str]) -> int:
        """Run an INSERT with `data` in the format that it names; gives the rows written.

        `INSERT INTO table [(columns)] FORMAT name`, or what `insert` sends where it has a condition.
        """
        if (conditional := _CONDITIONAL_INSERT.fullmatch(sql.strip())) is not None:
            return self._insert_conditionally(conditional, data, database=database, settings=settings)
        match = _INSERT.fullmatch(sql.strip())
        if match is None:
            raise StoreRejected(f"not an INSERT INTO table (columns) FORMAT name: {sql[:200]}")
        columns = [name.strip(" `") for name in match["columns"].split(",")] if match["columns"] else None
        summary = self._call(
            lambda: self._client.raw_insert(
                match["table"], columns, data, settings=dict(settings), fmt=match["format"]
            ),
            database=database,
        )
        return int(summary.written_rows)

    def _insert_conditionally(
        self, match: re.Match[str], data: bytes, *, database: str | None, settings: Mapping[str, str]
    ) -> int:
        """As a server does it; the engine in process reads a file where a server reads the request."""
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            file.write(data)
            file.flush()
            source = f"file({_quoted(file.name)}, 'Native', {match['structure']}) {match['condition']}"

            def work() -> int:
                # The engine does not say what it wrote. Calls are serialised: between the two nothing changes.
                rows = self._client.query(f"SELECT count() FROM {source}").result_rows[0][0]  # noqa: S608  ours
                self._client.command(f"{match['insert']} {source}", settings=dict(settings))
                return rows

            return self._call(work, database=database)

    def close(self) -> None:
        """Close the store; an embedded one can be opened by another process then."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, work: Callable[[], Any], *, database: str | None = None) -> Any:
        """Run `work` alone, in `database` (by default the store's own)."""
        with self._lock:
            self._client.database = database or self.database
            try:
                return work()
            except ClickHouseError as error:
                raise _named(error) from error
            except OSError as error:
                raise _full(error) from error


def _open(access: StoreAccess) -> Client:
    folder = access.embedded_folder
    try:
        if folder is not None:
            return _open_embedded(folder)
        parts = _server(access.url)
        return clickhouse_connect.get_client(
            host=parts.hostname or "",
            port=parts.port or 0,
            interface=parts.scheme,
            username=access.user,
            password=access.password or "",
            ca_cert=access.ca_file,
            settings=dict(_SETTINGS),
            autogenerate_session_id=False,  # a session would serialise queries on the server
            send_receive_timeout=60,
        )
    except ClickHouseError as error:
        raise _named(error) from error
    except OSError as error:
        raise _full(error) from error


def _open_embedded(folder: Path) -> Client:
    folder.mkdir(parents=True, exist_ok=True)
    _use_private_temporary_files(folder.parent / f"{folder.name}.tmp")
    try:
        return clickhouse_connect.get_client(interface="chdb", path=str(folder), settings=dict(_SETTINGS))
    except ProgrammingError as error:
        if "Error initializing EmbeddedServer" in str(error) or "Unable to open" in str(error):
            raise StoreUnavailable(
                f"the embedded store in {folder} cannot be opened: another process has it open, or it is damaged"
            ) from error
        raise
    except ImportError as error:
        raise BadSettings(
            "the embedded store needs its extra: pip install 'triage[embedded]', or a server in TRIAGE_CLICKHOUSE_URL"
        ) from error


def _use_private_temporary_files(folder: Path) -> None:
    """Point temporary files at `folder`, emptied: the driver passes each insert through one, which a kill leaks."""
    folder.mkdir(parents=True, exist_ok=True)
    for leaked in folder.iterdir():
        if leaked.is_file():
            leaked.unlink()
    tempfile.tempdir = str(folder)


def _marks(partitions: Iterable[int]) -> str:
    """Partitions within a query's id, so that one is not found within another."""
    return "".join(f".{partition}." for partition in partitions)


def _quoted(text: str) -> str:
    """`text` as a literal of ClickHouse's SQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _full(error: OSError) -> StoreUnavailable | OSError:
    return StoreUnavailable(f"ClickHouse: {error}") if error.errno in _NO_SPACE else error


def _named(error: ClickHouseError) -> StoreUnavailable | StoreRejected:
    if isinstance(error, DataError):
        return StoreRejected(f"a row does not fit its table: {error}")
    code = getattr(error, "code", None)
    text = str(error).split("(for url")[0].strip()[:1000]
    if (refused := _NO_CONNECTION.search(text)) is not None:
        return StoreUnavailable(f"ClickHouse at {refused['url']} does not answer: {refused['reason']}")
    if isinstance(error, OperationalError) or code is None or code in _PASSING_CODES or "No space left" in text:
        return StoreUnavailable(f"ClickHouse: {text}")
    if code in _NO_TABLES_CODES:
        return StoreRejected(
            f"the store has no such table yet: run triage migrate, or start a worker. ClickHouse: {text}"
        )
    return StoreRejected(f"ClickHouse: {text}")


def _server(url: str) -> SplitResult:
    """The parts of a server's URL. The driver would speak plain HTTP where it is given an https one as a whole."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadSettings(_WRONG_URL) from None
    if parts.scheme not in SERVER_SCHEMES or not parts.hostname or port == 0:
        raise BadSettings(_WRONG_URL)
    return parts
