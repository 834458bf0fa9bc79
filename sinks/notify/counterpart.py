"""A counterpart for each receiver of alerts: an HTTP server that holds requests against the receiver's own contract.

It answers as the real one does: what breaks the contract is refused with the receiver's own words. It can be told to be
ill for a while, and it remembers what it took. Tests and the demo run it in place of the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
SLACK_PATH = "/services/T000/B000/s3cr3tpath"
SIGNING_KEY = bytes(range(32))
WEBHOOK_SECRET = "whsec_" + base64.b64encode(SIGNING_KEY).decode()
LOGIN = ("triage", "am-password")

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Illness:
    """An answer that a receiver gives instead of looking at the request."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "ill"


@dataclass
class Incident:
    """At PagerDuty: one per dedup key, and once more where a trigger comes after its resolution."""

    key: str
    status: str = "triggered"
    events: list[str] = field(default_factory=list[str])
    came_at: list[float] = field(default_factory=list[float])
    """When each event came, in seconds since 1970."""
    payload: dict[str, Any] = field(default_factory=dict[str, Any])


class Counterpart:
    """All four receivers behind one port."""

    def __init__(self) -> None:
        self.illnesses: deque[Illness] = deque()
        self.requests: list[tuple[float, str]] = []
        """When each request came, by a clock that only goes forward, and its path."""
        self.refusals: list[str] = []
        self.incidents: list[Incident] = []
        self.messages: list[dict[str, Any]] = []
        """At Slack."""
        self.alerts: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        """At Alertmanager, by their labels."""
        self.tellings: list[dict[str, Any]] = []
        """Every alert that Alertmanager took, repeats included."""
        self.deliveries: dict[str, list[dict[str, Any]]] = {}
        """At the webhook, by webhook-id: more than one is a repeat that it leaves out."""
        self.answer_after = 0.0
        """Seconds that an answer takes once the request has been taken."""
        self.url = ""

    def application(self) -> web.Application:
        """The routes of all four, by the paths that the real ones have."""

        @web.middleware
        async def ill(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._ill(request, handler)

        app = web.Application(middlewares=[ill])
        app.router.add_post("/v2/enqueue", self._pagerduty)
        app.router.add_post(SLACK_PATH, self._slack)
        app.router.add_post("/api/v2/alerts", self._alertmanager)
        app.router.add_post("/hook", self._webhook)
        return app

    def environment(self, *names: str) -> dict[str, str]:
        """The settings that make a worker tell the receivers `names`."""
        settings = {
            "pagerduty": {
                "TRIAGE_NOTIFY_PAGERDUTY_ROUTING_KEY": ROUTING_KEY,
                "TRIAGE_NOTIFY_PAGERDUTY_URL": f"{self.url}/v2/enqueue",
            },
            "slack": {"TRIAGE_NOTIFY_SLACK_URL": self.url + SLACK_PATH},
            "alertmanager": {
                "TRIAGE_NOTIFY_ALERTMANAGER_URL": self.url,
                "TRIAGE_NOTIFY_ALERTMANAGER_USERNAME": LOGIN[0],
                "TRIAGE_NOTIFY_ALERTMANAGER_PASSWORD": LOGIN[1],
            },
            "webhook": {
                "TRIAGE_NOTIFY_WEBHOOK_URL": f"{self.url}/hook",
                "TRIAGE_NOTIFY_WEBHOOK_SECRET": WEBHOOK_SECRET,
            },
        }
        return {name: value for chosen in names for name, value in settings[chosen].items()}

    async def _ill(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((time.monotonic(), request.path))
        if self.illnesses:
            illness = self.illnesses.popleft()
            return web.Response(status=illness.status, headers=dict(illness.headers), text=illness.body)
        answer = await handler(request)
        await asyncio.sleep(self.answer_after)
        return answer

    async def _pagerduty(self, request: web.Request) -> web.Response:
        raw = await request.read()
        event = json.loads(raw)
        faults = list(pagerduty_faults(event))
        if len(raw) > 512 * 1024:
            return web.json_response({"status": "payload too large"}, status=413)
        if faults:
            self.refusals += faults
            body = {"status": "invalid event", "message": "Event object is invalid", "errors": faults}
            return web.json_response(body, status=400)
        key = event["dedup_key"]
        live = next((one for one in reversed(self.incidents) if one.key == key and one.status != "resolved"), None)
        if event["event_action"] == "trigger":
            if live is None:
                live = Incident(key=key)
                self.incidents.append(live)
            live.payload = event["payload"]
        elif live is not None:
            live.status = {"acknowledge": "acknowledged", "resolve": "resolved"}[event["event_action"]]
        if live is not None:
            live.events.append(event["event_action"])
            live.came_at.append(_now())
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": key}, status=202)

    async def _slack(self, request: web.Request) -> web.Response:
        message = await request.json()
        faults = list(slack_faults(message))
        if faults:
            self.refusals += faults
            return web.Response(status=400, text="invalid_blocks")
        self.messages.append(message)
        return web.Response(text="ok")

    async def _alertmanager(self, request: web.Request) -> web.Response:
        login = base64.b64encode(":".join(LOGIN).encode()).decode()
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Basic {login}"):
            return web.Response(status=401, text="Unauthorized")
        alerts = await request.json()
        faults = [fault for alert in alerts for fault in alertmanager_faults(alert)]
        if faults:
            self.refusals += faults
            return web.json_response(faults[0], status=400)
        for alert in alerts:
            self.alerts[tuple(sorted(alert["labels"].items()))] = alert
            self.tellings.append(alert)
        return web.Response()

    async def _webhook(self, request: web.Request) -> web.Response:
        body = await request.read()
        number, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = hmac.new(SIGNING_KEY, f"{number}.{stamp}.".encode() + body, hashlib.sha256).digest()
        versions = [part.split(",", 1) for part in request.headers["webhook-signature"].split(" ")]
        expected = base64.b64encode(signed).decode()
        good = any(version == "v1" and hmac.compare_digest(given, expected) for version, given in versions)
        if not good or abs(_now() - int(stamp)) > _TOLERANCE_SECONDS:
            self.refusals.append("signature")
            return web.Response(status=401, text="bad signature")
        self.deliveries.setdefault(number, []).append(json.loads(body))
        return web.Response(status=204)


def _now() -> float:
    return time.time()


def pagerduty_faults(event: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the event, as Events API v2 refuses it."""
    if not re.fullmatch(r"[0-9a-f]{32}", str(event.get("routing_key"))):
        yield "'routing_key' is invalid"
    if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        yield "'event_action' is invalid"
    if not 1 <= len(event.get("dedup_key", "")) <= 255:
        yield "'dedup_key' is missing or longer than 255 characters"
    if event.get("event_action") != "trigger":
        return
    yield from _payload_faults(event.get("payload", {}))
    for link in event.get("links", []):
        if not str(link.get("href", "")).startswith(("http://", "https://")):
            yield "'links.href' is invalid"


def _payload_faults(payload: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(payload.get("summary", "")) <= 1024:
        yield "'payload.summary' is missing or longer than 1024 characters"
    if not payload.get("source"):
        yield "'payload.source' is missing"
    if payload.get("severity") not in {"critical", "error", "warning", "info"}:
        yield "'payload.severity' is invalid"
    if "timestamp" in payload and not _is_time(payload["timestamp"]):
        yield "'payload.timestamp' is invalid"


def slack_faults(message: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the message, as an incoming webhook refuses it."""
    if not message.get("text") or len(message["text"]) > 40_000:
        yield "no text"
    blocks = message.get("blocks", [])
    if len(blocks) > 50:
        yield "too many blocks"
    for block in blocks:
        yield from _block_faults(block)


def _block_faults(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            if block["text"]["type"] != "plain_text" or not 1 <= len(block["text"]["text"]) <= 150:
                yield "header"
        case "section":
            fields, text = block.get("fields", []), block.get("text")
            if text is None and not fields:
                yield "section without text"
            if text is not None and not 1 <= len(text["text"]) <= 3000:
                yield "section text"
            if len(fields) > 10 or any(not 1 <= len(item["text"]) <= 2000 for item in fields):
                yield "section fields"
        case "context":
            if not 1 <= len(block["elements"]) <= 10:
                yield "context"
        case kind:
            yield f"unknown block {kind}"


def alertmanager_faults(alert: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the alert, as API v2 refuses it."""
    labels = alert.get("labels", {})
    if not labels:
        yield "at least one label pair required"
    for name in (*labels, *alert.get("annotations", {})):
        if not _LABEL.fullmatch(name):
            yield f"invalid label name: {name!r}"
    times = {}
    for name in ("startsAt", "endsAt"):
        if name in alert:
            if not _is_time(alert[name]):
                yield f"{name} is no RFC 3339 time"
                return
            times[name] = datetime.fromisoformat(alert[name])
    if len(times) == 2 and times["startsAt"] > times["endsAt"]:
        yield "start time must be before end time"


def _is_time(text: str) -> bool:
    return _RFC3339.fullmatch(text) is not None


def is_firing(alert: dict[str, Any], now: datetime) -> bool:
    """As Alertmanager sees it: until its end, or for five minutes where it names none."""
    ends = alert.get("endsAt")
    limit = datetime.fromisoformat(alert["startsAt"]) + timedelta(minutes=5)
    return now < (datetime.fromisoformat(ends) if ends else limit)


@contextmanager
def served(port: int = 0) -> Iterator[Counterpart]:
    """A counterpart, run by a loop in another thread; `port` 0 is a free one."""
    counterpart = Counterpart()
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(counterpart.application(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        ready.set_result(f"http://127.0.0.1:{runner.addresses[0][1]}")
        await stop.wait()
        await runner.cleanup()
        late = asyncio.all_tasks() - {asyncio.current_task()}  # answers that were to take longer than the test
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        counterpart.url = ready.result(10)
        yield counterpart
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
