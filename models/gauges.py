"""The life of an alert on what is measured of the pipeline itself: a value reaches a limit, stays there, and goes back.

What was told is in the log of alerts alone: `take` its words before `observe`, and whoever measures goes on where
another has stopped. An incident's id follows from what it is of and from the incident of it before, so that two who
measure at once tell of one incident.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.alerts import Alert, AlertKind, AlertStage, SpikeCause, SpikeSize

_INCIDENTS = uuid.UUID("c2f0a1d4-7a39-5e0b-a6c4-1d2b9e6f8a53")
"""The name space of incident ids: fixed for ever."""

KINDS = frozenset({AlertKind.SLA_AT_RISK, AlertKind.CONSUMER_LAG, AlertKind.DEAD_LETTER_RATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured of `subject`, whose team is `team` (empty for nobody's), and tickets to look at."""

    subject: str
    value: float
    team: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeSettings:
    """An incident opens where a value was at `limit` or above for `hold`, and is over after as long below half of it.

    It is told again where the value has doubled since it was told, and every `update_every`. A team gets at most
    `pages` pages within `per`, those for spikes included.
    """

    limit: float
    hold: timedelta = timedelta(minutes=2)
    update_every: timedelta = timedelta(minutes=30)
    pages: int = 4
    per: timedelta = timedelta(hours=1)


class GaugeBook:
    """Follows readings of one kind. Times have to go forward."""

    def __init__(self, kind: AlertKind, settings: GaugeSettings) -> None:
        self._kind = kind
        self._settings = settings
        self._newest: dict[str, Alert] = {}
        """By subject: the newest word on its last incident."""
        self._paged: dict[str, tuple[str, datetime]] = {}
        """By incident that paged: its team, and when it opened."""
        self._since: dict[str, datetime] = {}
        """By subject: since when it is high where nothing is open, or low where an incident is."""

    def take(self, word: Alert) -> None:
        """Know a word of the log of alerts, of any kind; the log may tell it twice."""
        if word.page:
            self._paged[word.incident_id] = word.team, word.opened_at
        known = self._newest.get(word.subject)
        if word.kind is not self._kind or (known is not None and known.at > word.at):
            return
        if known is None or (known.incident_id, known.stage) != (word.incident_id, word.stage):
            self._since.pop(word.subject, None)
        self._newest[word.subject] = word

    def begin_anew(self) -> None:
        """Nobody has measured for a while: what was high then may have been low since."""
        self._since.clear()

    def observe(self, readings: Iterable[Reading], at: datetime) -> list[Alert]:
        """What `readings` of the moment `at` change. What is not among them is 0."""
        found = {reading.subject: reading for reading in readings}
        is_open = [name for name, word in self._newest.items() if word.stage is not AlertStage.RESOLVED]
        for name in self._since.keys() - found.keys() - set(is_open):
            del self._since[name]
        words: list[Alert] = []
        for name in sorted({*found, *is_open}):
            reading = found.get(name) or Reading(subject=name, value=0.0)
            word = self._go_on(self._newest[name], reading, at) if name in is_open else self._begin(reading, at)
            if word is not None:
                self.take(word)
                words.append(word)
        return words

    def _begin(self, reading: Reading, at: datetime) -> Alert | None:
        if reading.value < self._settings.limit:
            self._since.pop(reading.subject, None)
            return None
        since = self._since.setdefault(reading.subject, at)
        if at - since < self._settings.hold:
            return None
        before = self._newest.get(reading.subject)
        identity = f"{self._kind}\0{reading.subject}\0{before.incident_id if before else ''}"
        held = self._held_back(reading.team, at)
        return Alert(
            incident_id=str(uuid.uuid5(_INCIDENTS, identity)),
            kind=self._kind,
            stage=AlertStage.OPENED,
            subject=reading.subject,
            team=reading.team,
            opened_at=since,
            at=at,
            size=self._size(reading.value),
            cause=SpikeCause(examples=reading.examples),
            page=not held,
            note=held,
        )

    def _go_on(self, word: Alert, reading: Reading, at: datetime) -> Alert | None:
        if reading.value < self._settings.limit / 2:
            since = self._since.setdefault(reading.subject, at)
            if at - since >= self._settings.hold:
                return replace(word, stage=AlertStage.RESOLVED, at=at)
            return None
        self._since.pop(reading.subject, None)
        if reading.value < 2 * word.size.observed and at - word.at < self._settings.update_every:
            return None
        cause = SpikeCause(examples=reading.examples)
        return replace(word, stage=AlertStage.UPDATED, at=at, size=self._size(reading.value), cause=cause)

    def _size(self, value: float) -> SpikeSize:
        return SpikeSize(observed=value, expected=self._settings.limit, score=0.0)

    def _held_back(self, team: str, at: datetime) -> str:
        """Why a page for `team` is held back; empty where it is not. Forgets pages that no longer count."""
        self._paged = {name: paged for name, paged in self._paged.items() if paged[1] > at - self._settings.per}
        recent = sum(paged[0] == team for paged in self._paged.values())
        if recent < self._settings.pages:
            return ""
        return f"the team's pages are used up: {recent} pages within {self._settings.per}"
