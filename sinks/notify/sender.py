"""Delivery over HTTP: what is worth another try, when, and how fast at most."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp

from schemas.errors import ReceiverAway, ReceiverRefused
from sinks.notify.receivers import Answer, Receiver, Request

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=1)
LONGEST_ASKED_FOR = timedelta(minutes=15)
"""A receiver may ask for a longer pause than ours with Retry-After, up to this one."""

_ANSWERS_WITHIN = aiohttp.ClientTimeout(total=15, connect=5)
_MOST_ANSWER_BYTES = 4096
_BURST = 5
_TOO_MANY, _SERVER_ERROR = 429, 500


class Sender:
    """Posts to one receiver; an async context manager. Nothing that it says or raises shows a secret."""

    def __init__(self, receiver: Receiver, clock: Callable[[], datetime], *, tls: ssl.SSLContext | None = None) -> None:
        self._receiver = receiver
        self._clock = clock
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._tls if self._tls is not None else True)
        self._session = aiohttp.ClientSession(timeout=_ANSWERS_WITHIN, connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> Answer:
        """Post `request` once; gives the receiver's yes.

        Raises ReceiverAway where another try may help (no connection, no answer in time, 429, 5xx) and
        ReceiverRefused for any other no, a redirect included: what goes there is not for anybody else.
        """
        if self._session is None:
            raise RuntimeError("the sender is used outside of its context")
        name = self._receiver.name
        try:
            async with self._session.post(
                request.url, data=request.body, headers=dict(request.headers), allow_redirects=False
            ) as response:
                answer = Answer(status=response.status, text=await self._beginning(response))
                retry_after = response.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # From None: the error's own text may have the URL in it, which may be a secret.
            raise ReceiverAway(f"{name} does not answer: {_reason(error)}", retry_after=timedelta(0)) from None
        if self._receiver.accepted(answer):
            return answer
        said = f"{name} answers {answer.status}: {answer.text or 'nothing'}"
        if answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR:
            raise ReceiverAway(said, retry_after=asked_for(retry_after, self._clock()))
        raise ReceiverRefused(said)

    async def _beginning(self, response: aiohttp.ClientResponse) -> str:
        raw = await response.content.read(_MOST_ANSWER_BYTES)
        text = re.sub(r"\s+", " ", raw.decode(errors="replace")).strip()
        for secret in self._receiver.secrets:
            text = text.replace(secret, "[secret]")
        return text


class Pace:
    """How fast at most: one request each `gap` on the long run, a few at once (generic cell rate algorithm)."""

    def __init__(self, gap: timedelta, *, burst: int = _BURST) -> None:
        self._gap = gap.total_seconds()
        self._burst = burst
        self._next = 0.0

    def wait_seconds(self, now_seconds: float) -> float:
        """Take the next turn, at `now_seconds` of a clock that only goes forward; gives how long it is until then."""
        turn = max(self._next, now_seconds - self._gap * (self._burst - 1))
        self._next = turn + self._gap
        return max(0.0, turn - now_seconds)


def pause(failures: int, asked: timedelta, draw: float) -> timedelta:
    """How long to wait after so many failures in a row (1 or more).

    Twice as long each time, up to LONGEST_PAUSE; `draw`, from 0 to 1, takes up to half of it away, so that many workers
    do not come back at once. Never less than what the receiver `asked` for, up to LONGEST_ASKED_FOR.
    """
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 16))
    return max(longest * (1 - draw / 2), min(asked, LONGEST_ASKED_FOR))


def asked_for(retry_after: str | None, now: datetime) -> timedelta:
    """What `Retry-After` asks for: seconds or a date; nothing where it is missing or neither."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d{1,9}", text, re.ASCII):
        return timedelta(seconds=int(text))
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    return max(timedelta(0), (date if date.tzinfo else date.replace(tzinfo=UTC)) - now)


def _reason(error: Exception) -> str:
    """What went wrong, without the URL."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return os.strerror(number) if number and number > 0 else type(error.os_error).__name__
    return type(error).__name__
