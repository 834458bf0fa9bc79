"""How a worker's process runs: event loop, garbage collector, threads. `bench-pipeline` runs it with and without."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

_COLLECT_AFTER = (10_000, 20, 50)
"""Of each generation. Records make few cycles; Python's own (700, 10, 10) looks through every batch again and again."""

_SWITCH_SECONDS = 0.001
"""How long a decision may keep the consumer's thread from its sockets; Python's own is 5 ms."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` as asyncio.run does, for a process that works until it is stopped."""
    # By policy, since Faust's consumer thread makes an event loop of its own.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    gc.set_threshold(*_COLLECT_AFTER)
    sys.setswitchinterval(_SWITCH_SECONDS)
    return asyncio.run(main)


def settled() -> None:
    """All that stays for good is loaded: the collector need not look at it again."""
    gc.freeze()
