"""The store's HTTP front, served from another thread as another process would."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from sinks.front import StoreFront
from sinks.store import Store

PASSWORD = "front door"  # noqa: S105  of a store that lives for a test


@contextmanager
def served(store: Store, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a front over `store`, run by a loop in another thread."""
    url: Future[str] = Future()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with StoreFront(store, password=PASSWORD, tls=tls) as front:
            url.set_result(front.url)
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield url.result(10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
