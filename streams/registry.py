"""The schema registry's client: the Confluent REST interface, as far as a codec needs it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import aiohttp

from schemas import words
from schemas.codec import Codec
from schemas.errors import BadSettings, RegistryUnavailable, UnknownSchema
from schemas.topics import Topic

_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_CONFLICT, _UNPROCESSABLE, _NOT_FOUND, _SERVER_ERROR = 409, 422, 404, 500


class SchemaRegistry:
    """Registers what we write and looks up what others wrote. Raises RegistryUnavailable while it is away."""

    def __init__(self, url: str, codec: Codec, *, login: tuple[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._codec = codec
        self._auth = aiohttp.BasicAuth(*login) if login else None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auth=self._auth, timeout=_TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def register(self, topics: Iterable[Topic], *, create: bool = True) -> None:
        """Register the current schema of each topic under `<topic>-value` and write under the ids given back.

        Without `create` they are looked up alone, and one that is not there is written under its packaged id. Raises
        BadSettings where the registry refuses a schema as incompatible.
        """
        for topic in topics:
            if topic.word is None:
                continue
            text = words.current()[topic.word].text
            path = f"/subjects/{topic.name}-value" + ("/versions" if create else "")
            status, answer = await self._ask("POST", path, {"schema": text})
            if status == _NOT_FOUND and not create:
                continue
            if status in (_CONFLICT, _UNPROCESSABLE):
                raise BadSettings(
                    f"the schema registry refuses the schema of {topic.name}: {answer.get('message', answer)}. Another "
                    "version of triage, or another program, has registered one that this is not compatible with"
                )
            self._check(status, answer)
            self._codec.assign(topic.word, int(answer["id"]))

    async def look_up(self, schema_id: int) -> None:
        """Teach the codec what `schema_id` means. Raises UnknownSchema where the registry does not know it."""
        status, answer = await self._ask("GET", f"/schemas/ids/{schema_id}")
        if status == _NOT_FOUND:
            raise UnknownSchema(schema_id)
        self._check(status, answer)
        self._codec.learn(schema_id, str(answer["schema"]))

    async def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            raise RuntimeError("the registry's client is used outside of its context")
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": _CONTENT_TYPE, "Accept": _CONTENT_TYPE},
            ) as response:
                return response.status, await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise RegistryUnavailable(f"the schema registry at {self._url} does not answer: {error}") from error

    def _check(self, status: int, answer: dict[str, Any]) -> None:
        if status >= _SERVER_ERROR:
            raise RegistryUnavailable(f"the schema registry at {self._url} answers {status}: {answer}")
        if status != 200:  # noqa: PLR2004  OK
            raise BadSettings(f"the schema registry at {self._url} answers {status}: {answer.get('message', answer)}")
