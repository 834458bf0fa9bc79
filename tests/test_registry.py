"""The schema registry's client, against a counterpart that keeps the contract of Confluent's REST interface: subjects
and versions, ids that are the same for the same schema, 409 for an incompatible one, 404 for an unknown id.

Where TRIAGE_TEST_SCHEMA_REGISTRY_URL names a real registry, the same tests run on it.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import fastavro
import pytest
from aiohttp import web
from examples import ticket_event

from schemas import words
from schemas.codec import Codec
from schemas.errors import BadSettings, NotFramed, RegistryUnavailable, UnknownSchema
from schemas.events import TicketEvent
from schemas.topics import EVENTS, Topic, topic_table
from streams.decoding import Decoder
from streams.registry import SchemaRegistry


class Counterpart:
    """The registry's contract in memory. `away` makes it answer 503."""

    def __init__(self) -> None:
        self.schemas: dict[int, str] = {}
        self.subjects: dict[str, list[int]] = {}
        self.away = False
        self.application = web.Application()
        self.application.router.add_post("/subjects/{subject}/versions", self._register)
        self.application.router.add_put("/config/{subject}", self._configure)
        self.application.router.add_get("/schemas/ids/{id}", self._get)

    async def _register(self, request: web.Request) -> web.Response:
        if self.away:
            return web.json_response({"error_code": 50003, "message": "away"}, status=503)
        text = json.loads(await request.text())["schema"]
        versions = self.subjects.setdefault(request.match_info["subject"], [])
        if versions and _names(text) != _names(self.schemas[versions[-1]]):
            message = "Schema being registered is incompatible with an earlier schema"
            return web.json_response({"error_code": 409, "message": message}, status=409)
        schema_id = next((key for key, known in self.schemas.items() if known == text), len(self.schemas) + 1)
        self.schemas[schema_id] = text
        if schema_id not in versions:
            versions.append(schema_id)
        return web.json_response({"id": schema_id})

    async def _configure(self, request: web.Request) -> web.Response:
        return web.json_response(json.loads(await request.text()))

    async def _get(self, request: web.Request) -> web.Response:
        if self.away:
            return web.json_response({"error_code": 50003, "message": "away"}, status=503)
        text = self.schemas.get(int(request.match_info["id"]))
        if text is None:
            return web.json_response({"error_code": 40403, "message": "Schema not found"}, status=404)
        return web.json_response({"schema": text})


def _names(text: str) -> list[str]:
    # Enough for these tests: the real rules are Avro's, which the registry owns.
    return [field["name"] for field in json.loads(text)["fields"] if "default" not in field]


@asynccontextmanager
async def running(counterpart: Counterpart) -> AsyncIterator[str]:
    runner = web.AppRunner(counterpart.application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@pytest.fixture(params=["counterpart", "real registry"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    if request.param == "counterpart":
        async with running(Counterpart()) as served:
            yield served
    elif real := os.environ.get("TRIAGE_TEST_SCHEMA_REGISTRY_URL"):
        yield real
    else:
        pytest.skip("TRIAGE_TEST_SCHEMA_REGISTRY_URL names no schema registry")


def own_topics() -> tuple[Topic, ...]:
    """The topics under names of this test's own, so that a real registry can be asked again."""
    return tuple(replace(topic, name=f"{uuid.uuid4().hex}.{topic.name}") for topic in topic_table(["it"]))


async def test_what_one_process_registers_another_looks_up(url: str) -> None:
    topics, writer, reader = own_topics(), Codec(), Codec()
    async with SchemaRegistry(url, writer) as registry:
        await registry.register(topics)
        first = writer.encode(ticket_event())
        await registry.register(topics)
        assert writer.encode(ticket_event()) == first
    assert first != Codec().encode(ticket_event())
    with pytest.raises(UnknownSchema):
        reader.decode(first, TicketEvent)
    async with SchemaRegistry(url, reader) as registry:
        assert await Decoder(reader, registry).decode(first, TicketEvent) == ticket_event()


async def test_an_incompatible_schema_stops_the_start_with_the_registrys_words(url: str) -> None:
    raw = json.loads(words.current()[TicketEvent].text)
    raw["fields"] = [field for field in raw["fields"] if field["name"] != "ticket_id"]
    raw["fields"].append({"name": "case_id", "type": "string"})
    (topic,) = [replace(EVENTS, name=f"{uuid.uuid4().hex}.events")]
    async with SchemaRegistry(url, Codec()) as registry:
        status, _ = await registry._ask("POST", f"/subjects/{topic.name}-value/versions", {"schema": json.dumps(raw)})
        assert status == 200
        # Confluent's default; other registries start without a rule.
        await registry._ask("PUT", f"/config/{topic.name}-value", {"compatibility": "BACKWARD"})
        with pytest.raises(BadSettings, match=r"(?i)incompatible"):
            await registry.register([topic])


async def test_an_id_that_nobody_knows_is_a_dead_letter(url: str) -> None:
    codec = Codec()
    async with SchemaRegistry(url, codec) as registry:
        decoder = Decoder(codec, registry)
        unknown = await decoder.decode(b"\x00\x7f\x00\x00\x01rest", TicketEvent)
        assert isinstance(unknown, UnknownSchema)
        assert isinstance(await decoder.decode(b"{}", TicketEvent), NotFramed)


async def test_a_registry_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    counterpart = Counterpart()
    counterpart.schemas[77] = words.current()[TicketEvent].text
    data = b"\x00\x00\x00\x00\x4d" + Codec().encode(ticket_event())[5:]
    waits: list[float] = []

    async def comes_back(seconds: float) -> None:
        waits.append(seconds)
        counterpart.away = len(waits) < 3

    async with running(counterpart) as served:
        codec = Codec()
        async with SchemaRegistry(served, codec) as registry:
            counterpart.away = True
            with pytest.raises(RegistryUnavailable, match="503"):
                await registry.register([EVENTS])
            monkeypatch.setattr("streams.decoding.asyncio.sleep", comes_back)
            assert await Decoder(codec, registry).decode(data, TicketEvent) == ticket_event()
    assert [seconds for seconds in waits if seconds] == [1.0, 1.0, 1.0]


async def test_a_registry_that_can_not_be_reached_says_where() -> None:
    async with SchemaRegistry("http://127.0.0.1:9", Codec()) as registry:
        with pytest.raises(RegistryUnavailable, match=r"127\.0\.0\.1:9"):
            await registry.register([EVENTS])


def test_the_schemas_that_are_registered_are_avro() -> None:
    for schema in words.packaged():
        parsed: Any = json.loads(schema.text)
        assert fastavro.schema.fullname(parsed).startswith("triage.")
