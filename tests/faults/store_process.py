"""ClickHouse as a process of its own that can be made to fail: the engine behind the project's HTTP front.

    python tests/faults/store_process.py FOLDER PORT

`POST /faults?before=2&after=1&late=1` drops the connections of the next inserts: `before` the query is run, `after` it
was, or `late`: at once, and the query is run two seconds later, as when a server is slow and its client has given up.
`GET` says how many are still to be dropped.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

from aiohttp import web

from sinks.front import StoreFront
from sinks.store import Store, StoreAccess

PASSWORD = "of a run"  # noqa: S105  of a store that lives for one
LATE_SECONDS = 2.0
KINDS = ("before", "after", "late")


class FaultyFront(StoreFront):
    """Drops connections as told; only inserts are counted, since they are what must not be lost or doubled."""

    def __init__(self, store: Store, port: int) -> None:
        super().__init__(store, password=PASSWORD, port=port)
        self._faults: Counter[str] = Counter()
        self._running: set[asyncio.Task[web.Response]] = set()
        self.application.router.add_post("/faults", self._set)
        self.application.router.add_get("/faults", self._left)

    async def _set(self, request: web.Request) -> web.Response:
        self._faults.update({kind: int(request.query.get(kind, 0)) for kind in KINDS})
        return web.Response(text="Ok.\n")

    async def _left(self, _request: web.Request) -> web.Response:
        return web.Response(text=str(self._faults.total()))

    async def answer(self, request: web.Request) -> web.Response:
        """As the front does, or not at all."""
        insert = "INSERT" in request.query.get("query", "")[:20] or (await request.read())[:6].upper() == b"INSERT"
        fault = next((kind for kind in KINDS if insert and self._faults[kind]), None)
        if fault is None:
            return await super().answer(request)
        self._faults[fault] -= 1
        if fault == "after":
            await super().answer(request)
        elif fault == "late":
            await request.read()
            self._running.add(task := asyncio.ensure_future(self._later(request)))
            task.add_done_callback(self._running.discard)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _later(self, request: web.Request) -> web.Response:
        await asyncio.sleep(LATE_SECONDS)
        return await super().answer(request)


async def serve(folder: Path, port: int) -> None:
    with Store(StoreAccess(url=f"chdb://{folder}")) as store:
        async with FaultyFront(store, port) as front:
            print(front.url, flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
