"""Decoding at the edge: the codec, and the registry for the schema ids that it has not met."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

from schemas.codec import Codec
from schemas.errors import DeadLettered, RegistryUnavailable, UnknownSchema
from schemas.topics import Topic
from schemas.words import Word
from streams.registry import SchemaRegistry
from streams.settings import Settings

W = TypeVar("W", bound=Word)

log = logging.getLogger("triage.decoding")


@asynccontextmanager
async def opened_decoder(
    settings: Settings, codec: Codec, *, written: Iterable[Topic] = (), register: bool = True
) -> AsyncIterator[Decoder]:
    """A decoder over the configured registry, if one is.

    The codec writes the values of the topics `written` under the registry's ids; their schemas are registered where
    they are not yet, unless `register` is off.
    """
    if settings.schema_registry_url is None:
        yield Decoder(codec, None)
        return
    async with SchemaRegistry(settings.schema_registry_url, codec, login=settings.registry_login()) as registry:
        await registry.register(written, create=register)
        yield Decoder(codec, registry)


class Decoder:
    """Decodes values; waits for the registry while it is away, since dropping good events is worse than waiting."""

    def __init__(self, codec: Codec, registry: SchemaRegistry | None) -> None:
        self._codec = codec
        self._registry = registry
        self.waiting_for: str | None = None
        """The registry's error while it is away."""

    async def decode(self, value: bytes | None, word: type[W]) -> W | DeadLettered:
        """The decoded value, or the error that sends it to the dead letters."""
        try:
            return self._codec.decode(value, word)
        except UnknownSchema as unknown:
            if self._registry is None:
                return unknown
            return await self._decode_by_registry(value, word, unknown, self._registry)
        except DeadLettered as error:
            return error

    async def _decode_by_registry(
        self, value: bytes | None, word: type[W], unknown: UnknownSchema, registry: SchemaRegistry
    ) -> W | DeadLettered:
        try:
            while True:
                try:
                    await registry.look_up(unknown.schema_id)
                    return self._codec.decode(value, word)
                except RegistryUnavailable as away:
                    self.waiting_for = str(away)
                    log.warning("%s; asking again in %s", away, away.retry_after)
                    await asyncio.sleep(away.retry_after.total_seconds())
                except DeadLettered as error:
                    return error
        finally:
            self.waiting_for = None
