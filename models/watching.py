"""From the log of counts to alerts: a fold, so that the same log gives the same alerts again.

A record of counts moves the watermark; each hop that it completes is scored for all series at once, and what the scores
change is told as the newest word on each incident. What people answer stands on the same log, and takes effect at the
end of the last hop before it. Nothing else goes in: no clock, no order of arrival but the log's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.alerts import AlertBook, AlertSettings
from models.belonging import LONGEST, is_noise, newest_of, opened, strong_terms
from models.causes import RecentTickets, SeenTicket, TermBaseline, explain, have_a_word_in_common, rank_children
from models.counting import NAMED_FREELY, CountingSettings, CountTable, HeavyHitters, PartialCount, dimension_of
from models.detector import DetectorSettings, Flags, Floats
from models.incidents import IncidentBook, IncidentSettings
from models.negative_binomial import NegativeBinomialDetector, threshold
from models.packing import DAMAGE, packed, unpacked
from models.text import terms_of
from models.weeks import WeekCalendar
from schemas.alerts import (
    Alert,
    AlertAnswer,
    AlertAnswered,
    AlertKind,
    AlertStage,
    AnswerKind,
    CausePart,
    IncidentClosed,
    IncidentJoined,
    IncidentOpened,
    PageHeldBack,
    SpikeCause,
    SpikeEvent,
    SpikeOpened,
    SpikeResolved,
    SpikeSize,
)
from schemas.counts import BucketCounts, CountedTicket
from schemas.errors import BadSnapshot
from schemas.open_incidents import OpenIncident

ALL = "all=tickets"
"""The series of every ticket: all others are a part of it."""

FORMAT = "triage.watch.4"
"""Names the arrays of a snapshot and what they mean."""

_DIMENSIONS = ("category", "team", "product", "tag", "tenant", "channel", "language", "all")
"""The most telling first: of series that open at once, the first gives the incident its name."""

_THIN_BASELINE = 50.0
_SKETCH_WIDTH = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """What is watched and how long late counts are waited for.

    `slots` is how many series there is room for: the detector's memory is reserved for all of them, and a series that
    comes after the last is not watched. Products and tags have `named_slots` of them at most, the most frequent ones:
    they take no room from teams and categories. A silence of all tickets longer than `longest_silence` counts as not
    seen.
    """

    slots: int = 512
    named_slots: int = 256
    lateness: timedelta = timedelta(seconds=30)
    longest_silence: timedelta = timedelta(hours=24)
    false_alarms_per_week: float = 2.0
    """Of a hundred series together."""
    calendar: WeekCalendar = field(default_factory=WeekCalendar)
    """The clock and the holidays of those who write the tickets."""
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    incidents: IncidentSettings = field(default_factory=IncidentSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What was told last of an open incident. `alerts` are its open alerts, series by id."""

    word: Alert
    alert_id: str
    alerts: Mapping[str, str]


class SpikeWatch:
    """Watches the counts of all series. `owners` maps categories to teams; `partitions` is how many sources count.

    `unwatched` is how many series there was no room for.
    """

    def __init__(self, owners: Mapping[str, str], partitions: int, settings: WatchSettings | None = None) -> None:
        self._owners = dict(owners)
        self._settings = settings = settings or WatchSettings()
        detector = settings.detector
        self._hop_s = detector.hop.total_seconds()
        self._table = CountTable(
            CountingSettings(bucket=detector.hop, lateness=settings.lateness), partitions=partitions
        )
        parents = [-1] + [0] * (settings.slots - 1)
        self._detector = NegativeBinomialDetector(settings.slots, detector, settings.calendar, parents)
        limit = threshold(100, settings.false_alarms_per_week)
        self._alerts = AlertBook([""] * settings.slots, AlertSettings(threshold=limit), detector)
        self._incidents = IncidentBook(
            self._team_of, self._related, settings.incidents, muted_until=self._alerts.muted_until
        )
        self._places: dict[str, int] = {}
        self._named = HeavyHitters(settings.named_slots)
        self._named_places = 0
        """How many products and tags have a place."""
        self._place(ALL)
        self.unwatched = 0
        self.through = -1
        """The offset in the log of counts that is taken in, and all before it."""
        self._next: float | None = None
        self._first: float | None = None
        """The beginning of the first hop."""
        self._tickets: dict[float, dict[int, tuple[CountedTicket, ...]]] = {}
        self._recent = RecentTickets(most=2000)
        self._series_of: dict[str, tuple[str, ...]] = {}
        self._terms: dict[str, TermBaseline] = {}
        self._told: dict[str, _Told] = {}
        self._past: list[_Told] = []
        """The last words on incidents that some of the recent tickets were of."""
        hops = timedelta(hours=1) // detector.hop
        self._observed = np.zeros((hops, settings.slots), dtype=np.float32)
        self._expected = np.zeros((hops, settings.slots), dtype=np.float32)
        self._ends = np.full(hops, -np.inf)
        self._seen = 0

    @property
    def newest(self) -> datetime | None:
        """The end of the last hop that was scored."""
        return None if self._next is None else _moment(self._next)

    @property
    def series(self) -> int:
        """How many series have been heard of."""
        return len(self._places)

    @property
    def heard(self) -> Mapping[int, float]:
        """How far each source partition has been counted: its newest bucket, in seconds since 1970."""
        return self._table.newest

    @property
    def open_incidents(self) -> list[Alert]:
        """The newest word on each incident that is open."""
        return [told.word for told in self._told.values()]

    @property
    def taking_tickets(self) -> tuple[OpenIncident, ...]:
        """The open incidents as decisions have to know them, but for those that a person called noise."""
        return newest_of(
            [opened(told.word, set(told.alerts.values())) for told in self._told.values() if not is_noise(told.word)]
        )

    def take(self, offset: int, record: BucketCounts | AlertAnswered) -> list[Alert]:
        """What the record at `offset` of the log changes, in order; nothing where it was taken before."""
        if offset <= self.through:
            return []
        self.through = offset
        if isinstance(record, AlertAnswered):
            return self._answered(record)
        if not record.counts:
            self._table.mark(record.partition, record.bucket)
        else:
            self._put(record)
        words: list[Alert] = []
        for hops, totals in self._ready():
            words += self._hop(totals) if totals else self._silence(hops)
        return words

    def to_bytes(self) -> bytes:
        """The whole state. The alerts that follow from it are those that follow from the log as a whole."""
        arrays: dict[str, NDArray[Any]] = {f"detector.{name}": one for name, one in self._detector.snapshot().items()}
        alerts = self._alerts.snapshot()
        ids = [str(name) for name in alerts.pop("ids")]
        arrays |= {f"alerts.{name}": one for name, one in alerts.items()}
        arrays |= {"observed": self._observed, "expected": self._expected, "ends": self._ends}
        for series, baseline in self._terms.items():
            arrays |= {f"terms.{self._places[series]}.{name}": one for name, one in baseline.snapshot().items()}
        meta = {
            "format": FORMAT,
            "through": self.through,
            "next": self._next,
            "first": self._first,
            "calendar": self._calendar_until_now(),
            "seen": self._seen,
            "unwatched": self.unwatched,
            "names": list(self._places),
            "named": self._named.snapshot(),
            "alert_ids": ids,
            "table": self._table.snapshot(),
            "incidents": self._incidents.snapshot(),
            "told": [[name, _told_value(told)] for name, told in self._told.items()],
            "past": [_told_value(told) for told in self._past],
            "terms": list(self._terms),
            "tickets": [
                [bucket, [[partition, [_ticket_value(one) for one in some]] for partition, some in by.items()]]
                for bucket, by in self._tickets.items()
            ],
            "recent": [
                [one.ticket_id, one.occurred_at.timestamp(), one.requester, sorted(one.terms)]
                for one in self._recent.since(_moment(0))
            ],
            "series_of": self._series_of,
        }
        text = json.dumps(meta, ensure_ascii=False)
        return packed(arrays, text)

    def restore(self, data: bytes) -> None:
        """Go on from `to_bytes` of a watch with the same settings. Raises BadSnapshot where it is of others.

        Its calendar may differ in days to come: what has been scored is then as if it had always been this one.
        """
        try:
            arrays, text = unpacked(data)
            meta: dict[str, Any] = json.loads(text)
            if meta["format"] != FORMAT:
                raise BadSnapshot(f"the snapshot's format is {meta['format']!r}, not {FORMAT!r}")
            self._restore(meta, arrays)
        except DAMAGE as error:
            raise BadSnapshot(f"the snapshot of the watch is of no use here: {error}") from error

    def _restore(self, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        def part(prefix: str) -> dict[str, NDArray[Any]]:
            return {name.removeprefix(prefix): one for name, one in arrays.items() if name.startswith(prefix)}

        self._first, self._next = meta["first"], meta["next"]
        if meta["calendar"] != self._calendar_until_now():
            raise ValueError("it has scored its time by another calendar")
        self._detector.restore(part("detector."))
        self._alerts.restore({**part("alerts."), "ids": np.array(meta["alert_ids"], dtype="U36")})
        if arrays["observed"].shape != self._observed.shape:
            raise ValueError("the hour's counts are of other series")
        self._observed, self._expected, self._ends = (arrays[name].copy() for name in ("observed", "expected", "ends"))
        self._places, self._named_places = {}, 0
        for name in meta["names"]:
            self._place(name)
        self._named = HeavyHitters.restored(self._settings.named_slots, meta["named"])
        self.through, self.unwatched, self._seen = meta["through"], meta["unwatched"], meta["seen"]
        self._table.restore(meta["table"])
        self._incidents.restore(meta["incidents"])
        self._told = {name: _told(*value) for name, value in meta["told"]}
        self._past = [_told(*value) for value in meta["past"]]
        self._tickets = {
            bucket: {partition: tuple(_counted(*value) for value in some) for partition, some in by}
            for bucket, by in meta["tickets"]
        }
        self._recent = RecentTickets(most=2000)
        for ticket_id, at, requester, terms in meta["recent"]:
            seen = SeenTicket(ticket_id=ticket_id, occurred_at=_moment(at), requester=requester, terms=frozenset(terms))
            self._recent.add(seen)
        self._series_of = {name: tuple(series) for name, series in meta["series_of"].items()}
        self._terms = {}
        for series in meta["terms"]:
            baseline = self._terms[series] = TermBaseline(width=_SKETCH_WIDTH)
            baseline.restore(part(f"terms.{self._places[series]}."))

    def _calendar_until_now(self) -> list[str]:
        """What the calendar says of all time that was scored: the zone, and its holidays."""
        if self._first is None or self._next is None:
            return []
        calendar = self._settings.calendar
        return [str(calendar.zone), *map(str, calendar.holidays_between(self._first, self._next))]

    def _place(self, series: str) -> int | None:
        """The place of a series, the next free one where it is new; None where there is no room."""
        if series not in self._places:
            if len(self._places) >= self._settings.slots:
                return None
            self._places[series] = len(self._places)
            self._named_places += dimension_of(series) in NAMED_FREELY
            self._alerts.rename(self._places[series], series)
        return self._places[series]

    def _place_among_named(self, series: str, count: int) -> int | None:
        """The place of a product or tag with so many new tickets; None while it is not among the most frequent.

        It takes over the place of one that is not any more, and of which no open incident tells.
        """
        if not self._named.admit(series, count):
            return None
        if series in self._places:
            return self._places[series]
        if self._named_places < self._settings.named_slots and len(self._places) < self._settings.slots:
            return self._place(series)
        told = {name for one in self._told.values() for name in (one.word.subject, *one.alerts.values())}
        known = (name for name in self._places if dimension_of(name) in NAMED_FREELY)
        gone = next((name for name in known if name not in self._named and name not in told), None)
        if gone is None:
            return None
        place = self._places[gone]
        # In the order of places, as a snapshot tells them.
        self._places = {series if name == gone else name: at for name, at in self._places.items()}
        self._alerts.hand_over(place, series)
        self._detector.forget(place)
        self._observed[:, place] = self._expected[:, place] = 0.0
        return place

    def _put(self, record: BucketCounts) -> None:
        taken = [
            self._table.put(
                PartialCount(
                    partition=record.partition,
                    bucket=record.bucket,
                    series=series,
                    count=count,
                    through=record.through,
                )
            )
            for series, count in record.counts.items()
        ]
        if any(taken):
            self._tickets.setdefault(record.bucket.timestamp(), {})[record.partition] = record.tickets

    def _ready(self) -> Iterator[tuple[int, Mapping[str, int]]]:
        """The hops that have become complete, from `_next` on: how many, and what one of them holds, or all do not."""
        complete = [(moment.timestamp(), totals) for moment, totals in self._table.complete()]
        if self._next is None:
            if not complete:
                return
            self._next = self._first = complete[0][0]
        silence = self._settings.longest_silence.total_seconds()
        for bucket, totals in complete:
            if bucket - self._next > silence:
                self._next = bucket
            if bucket > self._next:
                yield round((bucket - self._next) / self._hop_s), {}
            yield 1, totals
        if self._next <= self._table.done <= self._next + silence:
            yield round((self._table.done - self._next) / self._hop_s) + 1, {}

    def _step(self, hops: int = 1) -> float:
        """The end of the next hop, where so many of them are scored at once."""
        assert self._next is not None  # noqa: S101  `_ready` has set it
        end = self._next + self._hop_s
        self._next += hops * self._hop_s
        return end

    def _present(self) -> Flags:
        """A place that nobody has yet is not seen: its first hour is still to come."""
        return np.arange(self._settings.slots) < len(self._places)

    def _hop(self, totals: Mapping[str, int]) -> list[Alert]:
        counts = np.zeros(self._settings.slots, dtype=np.float32)
        for series, count in sorted(totals.items()):
            named = dimension_of(series) in NAMED_FREELY
            place = self._place_among_named(series, count) if named else self._place(series)
            if place is None:
                self.unwatched += 1
            else:
                counts[place] = count
        end = self._step()
        scores = self._detector.observe(end, counts, self._present())
        self._note(end, scores.hop_observed, scores.hop_expected)
        self._see(end - self._hop_s)
        return self._words(self._alerts.advance(scores))

    def _silence(self, hops: int) -> list[Alert]:
        """So many hops without a ticket: told as hop by hop, with fewer calls."""
        words: list[Alert] = []
        present = self._present()
        while hops:
            assert self._next is not None  # noqa: S101  `_ready` has set it
            scores = self._detector.observe_silence(self._next + self._hop_s, hops, present)
            hops -= len(scores.ends)
            quiet = self._alerts.pass_quietly(scores)
            for place, end in enumerate(scores.ends):
                self._step()
                self._note(end, 0.0, scores.hop_expected[place])
                if not quiet:
                    words += self._words(self._alerts.advance(scores.hop(place)))
        return words

    def _note(self, end: float, observed: Floats | float, expected: Floats) -> None:
        """Keep what a hop had and was expected to have, for an hour."""
        row = self._seen % len(self._ends)
        self._observed[row], self._expected[row], self._ends[row] = observed, expected, end
        self._seen += 1

    def _see(self, bucket: float) -> None:
        """Keep the tickets of a hop for causes; those of an hour ago become what is usual."""
        by_partition = self._tickets.pop(bucket, {})
        tickets = [ticket for some in by_partition.values() for ticket in some]
        for ticket in sorted(tickets, key=lambda one: (one.occurred_at, one.ticket_id)):
            self._series_of[ticket.ticket_id] = ticket.series
            seen = SeenTicket(
                ticket_id=ticket.ticket_id,
                occurred_at=ticket.occurred_at,
                requester=ticket.requester,
                terms=terms_of(ticket.subject),
            )
            for gone in self._recent.add(seen):
                of_gone = self._series_of.pop(gone.ticket_id, ())
                if self._is_of_an_incident(gone):
                    continue
                for series in of_gone:
                    if series == ALL or series.startswith(("category=", "team=")):
                        if series not in self._places:
                            continue
                        self._terms.setdefault(series, TermBaseline(width=_SKETCH_WIDTH)).learn(gone)
        if len(self._series_of) > 2 * 2000:  # tickets that made room for others rather than grew old
            kept = {one.ticket_id for one in self._recent.since(_moment(0))}
            self._series_of = {name: series for name, series in self._series_of.items() if name in kept}

    def _is_of_an_incident(self, ticket: SeenTicket) -> bool:
        """Whether a ticket of an hour ago was an incident's. It is not usual, or the next one would have no words."""
        at = ticket.occurred_at
        self._past = [told for told in self._past if at <= told.word.at]
        return any(
            word.opened_at <= at < word.opened_at + LONGEST and not ticket.terms.isdisjoint(strong_terms(word.cause))
            for word in (told.word for told in (*self._told.values(), *self._past))
            if not is_noise(word)
        )

    def _answered(self, said: AlertAnswered) -> list[Alert]:
        """The word that tells of an answer; none where the incident is not open or the answer is known."""
        told, now = self._told.get(said.incident_id), self.newest
        if told is None or now is None:
            return []
        others = tuple(one for one in told.word.answers if one.kind is not said.kind)
        known = {one.answer_id for one in told.word.answers}
        if said.answer_id in known or (len(others) < len(known) and said.kind is not AnswerKind.MUTED):
            return []
        until = now + timedelta(milliseconds=said.mute_ms)
        for series in sorted({told.word.subject, *told.alerts.values()}):
            match said.kind:
                case AnswerKind.ACKNOWLEDGED:
                    self._alerts.acknowledge(series)
                case AnswerKind.DISMISSED:
                    self._alerts.dismiss(series)
                case AnswerKind.MUTED:
                    self._alerts.mute(series, until)
        answer = AlertAnswer(
            answer_id=said.answer_id,
            kind=said.kind,
            actor=said.actor,
            reason=said.reason,
            at=now,
            until=until if said.kind is AnswerKind.MUTED else None,
        )
        word = replace(told.word, stage=AlertStage.ACKNOWLEDGED, at=now, answers=(*others, answer))
        self._told[said.incident_id] = replace(told, word=word)
        return [word]

    def _words(self, events: Iterable[SpikeEvent]) -> list[Alert]:
        """The newest word on each incident that `events`, all of one hop, are about."""
        said: dict[str, Alert] = {}
        for event in sorted(events, key=_order):
            for incident_id in self._take(event):
                told = self._told[incident_id]
                said[incident_id] = told.word
                if told.word.stage is AlertStage.RESOLVED:
                    self._past.append(told)
                    del self._told[incident_id]
        return list(said.values())

    def _take(self, event: SpikeEvent) -> list[str]:
        """Take in an event; the incident that it changes."""
        changes = self._incidents.take(event)
        if isinstance(event, SpikeOpened):
            first = changes[0]
            if isinstance(first, IncidentOpened):
                held = next((change.reason for change in changes if isinstance(change, PageHeldBack)), None)
                word = Alert(
                    incident_id=first.incident_id,
                    kind=AlertKind.SPIKE,
                    stage=AlertStage.OPENED,
                    subject=event.series,
                    team=first.team,
                    opened_at=event.onset,
                    at=event.detected_at,
                    size=event.size,
                    cause=self._cause(event.series, event.onset, event.detected_at),
                    page=held is None,
                    note=held or "",
                )
                self._told[first.incident_id] = _Told(
                    word=word, alert_id=event.alert_id, alerts={event.alert_id: event.series}
                )
                return [first.incident_id]
            if isinstance(first, IncidentJoined):
                told = self._told[first.incident_id]
                word = _with_owner(told.word, event.series, self._owner(event.series))
                told = replace(told, word=word, alerts={**told.alerts, event.alert_id: event.series})
                self._told[first.incident_id] = self._again(told, event.detected_at, told.word.size)
                return [first.incident_id]
        for incident_id, told in self._told.items():
            if event.alert_id in told.alerts:
                size = event.size if event.alert_id == told.alert_id else told.word.size
                if isinstance(event, SpikeResolved):
                    left = {name: series for name, series in told.alerts.items() if name != event.alert_id}
                    over = any(isinstance(change, IncidentClosed) for change in changes)
                    stage = AlertStage.RESOLVED if over else AlertStage.UPDATED
                    # Its cause stays what it was while it was hot.
                    word = replace(told.word, stage=stage, at=event.resolved_at, size=size)
                    self._told[incident_id] = replace(told, word=word, alerts=left)
                elif not isinstance(event, SpikeOpened):
                    self._told[incident_id] = self._again(told, event.at, size)
                return [incident_id]
        return []

    def _again(self, told: _Told, at: datetime, size: SpikeSize) -> _Told:
        """The incident as it is at `at`. What opens within one hop is one word: it has opened."""
        word = told.word
        stage = word.stage if word.at == at else AlertStage.UPDATED
        named = told.alert_id in told.alerts  # else what gave it its name is over, and others go on
        cause = self._cause(word.subject, word.opened_at, at) if named else word.cause
        return replace(told, word=replace(word, stage=stage, at=at, size=size, cause=cause))

    def _cause(self, series: str, onset: datetime, at: datetime) -> SpikeCause:
        return explain(self._since(onset, series), self._usual(series, at), self._children(series, onset), at=at)

    def _since(self, onset: datetime, series: str) -> list[SeenTicket]:
        return [one for one in self._recent.since(onset) if series in self._series_of.get(one.ticket_id, ())]

    def _usual(self, series: str, at: datetime) -> TermBaseline:
        """The words of a series before; of one with few tickets, those of all."""
        baseline = self._terms.get(series)
        if baseline is None or baseline.tickets(at) < _THIN_BASELINE:
            baseline = self._terms.get(ALL) or TermBaseline(width=16)
        return baseline

    def _children(self, series: str, onset: datetime) -> tuple[CausePart, ...]:
        """What else has grown since the onset, but for what holds the same tickets by definition."""
        since = self._ends > onset.timestamp()
        dimension = dimension_of(series)
        left_out = {"category": ("all", dimension, "team"), "tag": ("all",)}.get(dimension, ("all", dimension))
        names = {
            name: place
            for name, place in self._places.items()
            if name != series and (dimension == "all" or dimension_of(name) not in left_out)
        }
        observed = self._observed[since].sum(axis=0, dtype=np.float64)
        expected = self._expected[since].sum(axis=0, dtype=np.float64)
        return rank_children(
            {name: float(observed[place]) for name, place in names.items()},
            {name: float(expected[place]) for name, place in names.items()},
        )

    def _team_of(self, series: str) -> str:
        """The team that owns a series; of one that no team owns, the team whose tickets have grown the most."""
        if (owner := self._owner(series)) is not None:
            return owner
        teams = [name for name in self._places if dimension_of(name) == "team"]
        recent = self._ends > self._ends.max() - timedelta(minutes=15).total_seconds()
        growth = {
            name: float((self._observed[recent, place] - self._expected[recent, place]).sum(dtype=np.float64))
            for name in teams
            for place in [self._places[name]]
        }
        best = max(sorted(growth), key=growth.__getitem__, default="")
        return best.partition("=")[2]

    def _owner(self, series: str) -> str | None:
        dimension, _, value = series.partition("=")
        return value if dimension == "team" else self._owners.get(value) if dimension == "category" else None

    def _related(self, alert: SpikeOpened, series: str) -> bool:
        """Whether `alert` and one that is open of `series` may be one outage; of two teams, if one word tells both."""
        mine, other = self._owner(alert.series), self._owner(series)
        if mine is None or other is None or mine == other:
            return True
        since = [told.word.opened_at for told in self._told.values() if series in told.alerts.values()]
        left, right = self._since(alert.onset, alert.series), self._since(min([alert.onset, *since]), series)
        return have_a_word_in_common(left, right, self._usual(ALL, alert.detected_at), at=alert.detected_at)


def _with_owner(word: Alert, series: str, owner: str | None) -> Alert:
    """The word on an incident that `series` has joined: it names the owner, where that is not the team it pages."""
    if owner in {None, word.team} or f" of {owner} rose with it" in word.note:
        return word
    return replace(word, note="; ".join(filter(None, (word.note, f"{series} of {owner} rose with it"))))


def _order(event: SpikeEvent) -> tuple[bool, int, float, str]:
    """What goes on comes before what begins; of that, the most telling first."""
    dimension = dimension_of(event.series)
    rank = _DIMENSIONS.index(dimension) if dimension in _DIMENSIONS else len(_DIMENSIONS)
    return isinstance(event, SpikeOpened), rank, -event.size.score, event.series


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _ticket_value(ticket: CountedTicket) -> list[Any]:
    return [ticket.ticket_id, ticket.occurred_at.timestamp(), ticket.requester, ticket.subject, list(ticket.series)]


def _counted(ticket_id: str, at: float, requester: str, subject: str, series: list[str]) -> CountedTicket:
    return CountedTicket(
        ticket_id=ticket_id, occurred_at=_moment(at), requester=requester, subject=subject, series=tuple(series)
    )


def _answer(answer_id: str, kind: str, actor: str, reason: str, at: float, until: float | None) -> AlertAnswer:
    ends = None if until is None else _moment(until)
    return AlertAnswer(
        answer_id=answer_id, kind=AnswerKind(kind), actor=actor, reason=reason, at=_moment(at), until=ends
    )


def _answer_value(one: AlertAnswer) -> list[Any]:
    until = None if one.until is None else one.until.timestamp()
    return [one.answer_id, one.kind.value, one.actor, one.reason, one.at.timestamp(), until]


def _told_value(told: _Told) -> list[Any]:
    word, cause = told.word, told.word.cause
    parts = [
        [[part.text, part.observed, part.expected, part.g2] for part in some] for some in (cause.children, cause.terms)
    ]
    return [
        [word.incident_id, word.stage.value, word.subject, word.team],
        [word.opened_at.timestamp(), word.at.timestamp()],
        [word.size.observed, word.size.expected, word.size.score],
        [*parts, list(cause.examples), cause.first_ticket, cause.requesters],
        [word.page, word.note],
        [told.alert_id, list(told.alerts.items())],
        [_answer_value(one) for one in word.answers],
    ]


def _told(names: Any, times: Any, size: Any, cause: Any, page: Any, alerts: Any, answers: Any) -> _Told:
    incident_id, stage, subject, team = names
    children, terms = (
        tuple(CausePart(text=text, observed=seen, expected=mean, g2=value) for text, seen, mean, value in some)
        for some in cause[:2]
    )
    word = Alert(
        incident_id=incident_id,
        kind=AlertKind.SPIKE,
        stage=AlertStage(stage),
        subject=subject,
        team=team,
        opened_at=_moment(times[0]),
        at=_moment(times[1]),
        size=SpikeSize(observed=size[0], expected=size[1], score=size[2]),
        cause=SpikeCause(
            children=children, terms=terms, examples=tuple(cause[2]), first_ticket=cause[3], requesters=cause[4]
        ),
        page=page[0],
        note=page[1],
        answers=tuple(_answer(*one) for one in answers),
    )
    return _Told(word=word, alert_id=alerts[0], alerts=dict(alerts[1]))
