"""An HTTP front for the embedded store, so that other processes can ask it while one has it open.

It speaks as much of ClickHouse's HTTP interface as the ClickHouse clients need: queries in the body or the URL,
settings and `param_*` in the URL, `INSERT ... FORMAT Native` with the data in the body, lz4 or no compression.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import lz4.frame
from aiohttp import web

from schemas.errors import TriageError
from sinks.store import Store

HOST = "127.0.0.1"
USER = "triage"
MOST_BYTES = 256 * 1024 * 1024

# What clients send for the transport alone.
_NOT_SETTINGS = frozenset(
    {
        "query",
        "query_id",
        "database",
        "session_id",
        "session_timeout",
        "session_check",
        "compress",
        "user",
        "password",
    }
    | {"client_protocol_version", "wait_end_of_query", "send_progress_in_http_headers", "buffer_size", "role"}
    | {
        "http_headers_progress_interval_ms",
        "enable_http_compression",
        "cancel_http_readonly_queries_on_client_close",
    }
)

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}


class StoreFront:
    """Serves `store` on loopback (`port` 0: a free one) to whoever has the `password`, over `tls` where given.

    An async context manager.
    """

    def __init__(self, store: Store, *, password: str, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._store = store
        self._port = port
        self._password = password
        self._tls = tls
        self.application = web.Application(client_max_size=MOST_BYTES)
        self.application.router.add_get("/ping", self._ping)
        self.application.router.add_route("*", "/", self.answer)
        self._runner = web.AppRunner(self.application, access_log=None)
        self.url = ""

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port, ssl_context=self._tls)
        await site.start()
        _, port = self._runner.addresses[0][:2]
        self.url = f"{'https' if self._tls else 'http'}://{HOST}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a query as a server does."""
        if not self._is_known(request.headers):
            return _failure(516, "AUTHENTICATION_FAILED", "the password is wrong", status=403)
        body = await request.read()
        if request.headers.get("Content-Encoding") == "lz4":
            body = _every_frame(body)
        sql = request.query.get("query", "")
        settings = {name: value for name, value in request.query.items() if _is_setting(name)}
        parameters = {
            name.removeprefix("param_"): value for name, value in request.query.items() if name.startswith("param_")
        }
        parameters = {name: _unescaped(value) for name, value in parameters.items()}
        database = request.query.get("database")
        try:
            return await asyncio.to_thread(self._run, sql, body, database, settings, parameters)
        except TriageError as error:
            code = getattr(error.__cause__, "code", None) or 1002
            return _failure(code, type(error).__name__, str(error), status=500)

    def _run(
        self,
        sql: str,
        body: bytes,
        database: str | None,
        settings: Mapping[str, str],
        parameters: Mapping[str, str],
    ) -> web.Response:
        text, data = (sql, body) if sql else _split(body)
        if text.lstrip()[:6].upper() == "INSERT" and data:
            written = self._store.raw_insert(text, data, database=database, settings=settings)
            return _success(b"", written)
        return _success(self._store.raw(text, database=database, settings=settings, parameters=parameters), 0)

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        given = headers.get("X-ClickHouse-Key", "")
        scheme, _, encoded = headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            given = base64.b64decode(encoded).decode(errors="replace").partition(":")[2]
        return hmac.compare_digest(given.encode(), self._password.encode())


def _split(body: bytes) -> tuple[str, bytes]:
    """The statement and the data of a body that holds both: an INSERT ends its statement with its FORMAT line."""
    if body.lstrip()[:6].upper() == b"INSERT":
        statement, _, data = body.partition(b"\n")
        return statement.decode(), data
    return body.decode(), b""


def _every_frame(body: bytes) -> bytes:
    """All LZ4 frames of `body`: clients send one frame per block, and reading the first alone loses rows."""
    out = bytearray()
    while body:
        frame = lz4.frame.LZ4FrameDecompressor()
        out += frame.decompress(body)
        body = bytes(frame.unused_data or b"")
    return bytes(out)


def _unescaped(value: str) -> str:
    """A `param_*` value without the escapes of ClickHouse's text formats, which the engine adds again by itself."""
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), value)


def _is_setting(name: str) -> bool:
    return name not in _NOT_SETTINGS and not name.startswith("param_")


def _success(data: bytes, written: int) -> web.Response:
    summary = json.dumps({"read_rows": "0", "written_rows": str(written)})
    return web.Response(body=data, headers={"X-ClickHouse-Summary": summary})


def _failure(code: int, name: str, message: str, *, status: int) -> web.Response:
    text = message if message.startswith("Code:") else f"Code: {code}. DB::Exception: {message}. ({name})"
    return web.Response(status=status, text=text, headers={"X-ClickHouse-Exception-Code": str(code)})
