"""Health over HTTP: `/livez` and `/readyz` with the reasons as JSON, and `/metrics` as Prometheus reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from schemas.errors import BadSettings
from streams.metrics import EXPOSITION, Metric, exposition

_OK, _UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Why the worker should be ended, why it does no work now, and how far each agent is."""

    stuck: str | None
    not_ready: tuple[str, ...]
    agents: dict[str, Any]


@asynccontextmanager
async def served_health(
    host: str, port: int, health: Callable[[], Health], metrics: Callable[[], Iterable[Metric]] = tuple
) -> AsyncIterator[int]:
    """Answer on `host` and `port`, 0 for a free one; gives the port. Raises BadSettings where it is taken."""

    def answer(problems: list[str]) -> web.Response:
        body = {"status": "ok" if not problems else "; ".join(problems), "agents": health().agents}
        return web.json_response(body, status=_OK if not problems else _UNAVAILABLE)

    async def live(_: web.Request) -> web.Response:
        stuck = health().stuck
        return answer([stuck] if stuck else [])

    async def ready(_: web.Request) -> web.Response:
        now = health()
        return answer([now.stuck] if now.stuck else list(now.not_ready))

    async def measured(_: web.Request) -> web.Response:
        return web.Response(body=exposition(metrics()).encode(), headers={"Content-Type": EXPOSITION})

    app = web.Application()
    app.add_routes([web.get("/livez", live), web.get("/readyz", ready), web.get("/metrics", measured)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise BadSettings(f"TRIAGE_HEALTH_PORT: {host}:{port} cannot be used: {error.strerror}") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
