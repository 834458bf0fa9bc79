"""From ticket events to counts per series and time: distinct requesters, late events, replays, too many series.

A source partition's counts are kept apart and carry the offset that they were counted through. What is told of a bucket
is always its whole count so far, to be put in the place of what was told before: a record that Kafka delivers twice, or
a partition that is read again from an older offset, changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.counts import BucketCounts, CountedTicket
from schemas.decisions import Decision
from schemas.events import EventKind

_MOST_NAME, _MOST_SUBJECT = 100, 200
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

OTHER = "other"
"""Where the tickets of series go for which there is no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingSettings:
    """How time is cut and memory bounded.

    `lateness` is how long after the newest event an older one is still counted; `distinct_for` is the time within
    which one requester counts once in a series; `most_series` bounds the names that are kept, per dimension.
    """

    bucket: timedelta = timedelta(seconds=10)
    lateness: timedelta = timedelta(minutes=2)
    distinct_for: timedelta = timedelta(minutes=60)
    most_series: int = 1000
    most_requesters: int = 200_000
    most_tickets: int = 20
    """Tickets that are kept of a bucket, to tell causes from."""


NAMED_FREELY = frozenset({"product", "tag"})
"""Dimensions of which sources may give any number of values."""


def dimension_of(series: str) -> str:
    """The dimension of a series that is named `dimension=value`."""
    return series.partition("=")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What is counted of one event; `series` maps dimensions to values: {"team": ("money",), "tag": ("eu", "trial")}.

    With a `ticket_id` it is kept as an example of its bucket, while there is room.
    """

    offset: int
    occurred_at: datetime
    requester: str
    series: Mapping[str, tuple[str, ...]]
    ticket_id: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialCount:
    """All tickets of one series in one bucket that came from one partition, up to and with the event at `through`.

    It replaces every earlier one with the same partition, bucket and series.
    """

    partition: int
    bucket: datetime
    series: str
    count: int
    through: int


def counted(decision: Decision, offset: int, requester: str, told_at: datetime) -> Counted | None:
    """What is counted of the decision at `offset`: a ticket, when it comes in; None of what happens to it later.

    `requester` tells people apart, or is empty. Names and subjects are cut off, so that a record of counts has room. No
    ticket came in after `told_at`, the time of the decision's record: one whose source says so would make all others
    late.
    """
    if decision.kind is not EventKind.CREATED:
        return None
    return Counted(
        offset=offset,
        occurred_at=max(_EARLIEST, min(decision.occurred_at, told_at)),
        requester=requester[:_MOST_NAME],
        series=series_of(decision),
        ticket_id=decision.ticket_id,
        subject=decision.subject[:_MOST_SUBJECT],
    )


def series_of(decision: Decision) -> dict[str, tuple[str, ...]]:
    """The dimensions in which a ticket is counted, with its values there: of tags several, of all others one."""
    series = {
        "all": ("tickets",),
        "category": (decision.category.label,),
        "team": (decision.team,),
        "tenant": (decision.tenant,),
        "channel": (decision.channel,),
        "language": (decision.language.label,),
        "product": (decision.product,),
        "tag": decision.tags,
    }
    cut = {dimension: tuple(value[:_MOST_NAME] for value in values if value) for dimension, values in series.items()}
    return {dimension: values for dimension, values in cut.items() if values}


class HeavyHitters:
    """The most frequent of many names in bounded memory: Space-Saving (Metwally, Agrawal and El Abbadi 2005).

    A name is admitted once it has a place of its own; a new name takes the place of the rarest when that has been seen
    less often than the new one may have been. At most `most` names are kept.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError("there has to be room for one name at least")
        self._most = most
        self._counts: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._floor = 0
        """No kept name has been seen less often: counts only grow, so that the rarest is looked for seldom."""

    @classmethod
    def restored(cls, most: int, state: Mapping[str, Any]) -> HeavyHitters:
        """Go on from a snapshot."""
        new = cls(most)
        new._counts.update(state["counts"])
        new._waiting.update(state["waiting"])
        return new

    def snapshot(self) -> dict[str, Any]:
        """The state as JSON has it."""
        return {"counts": dict(self._counts), "waiting": dict(self._waiting)}

    def __contains__(self, name: str) -> bool:
        """Whether `name` is among those that are kept."""
        return name in self._counts

    def admit(self, name: str, times: int = 1) -> bool:
        """Note so many more of `name`, and say whether it is among the names that are kept."""
        if name in self._counts:
            self._counts[name] += times
            return True
        if len(self._counts) < self._most:
            self._counts[name] = times
            return True
        seen = self._waiting[name] = self._waiting.get(name, 0) + times
        if len(self._waiting) > self._most:
            # The rarest half of those that wait starts anew: their number stays bounded.
            kept = sorted(self._waiting.items(), key=lambda item: -item[1])[: self._most // 2]
            self._waiting = dict(kept)
        if seen <= self._floor:
            return False
        rarest = min(self._counts, key=self._counts.__getitem__)
        self._floor = self._counts[rarest]
        if seen <= self._floor:
            return False
        self._waiting.pop(name, None)
        self._waiting[rarest] = self._counts.pop(rarest)
        self._counts[name] = seen
        return True


@dataclass(slots=True)
class _Partition:
    through: int = -1
    newest: float = float("-inf")
    late: int = 0
    counts: dict[float, dict[str, int]] = field(default_factory=dict[float, dict[str, int]])
    tickets: dict[float, list[CountedTicket]] = field(default_factory=dict[float, list[CountedTicket]])
    requesters: OrderedDict[str, float] = field(default_factory=OrderedDict[str, float])
    names: dict[str, HeavyHitters] = field(default_factory=dict[str, HeavyHitters])


class PartitionCounter:
    """Counts the events of source partitions, each for itself: who owns a partition owns its counts."""

    def __init__(self, settings: CountingSettings | None = None) -> None:
        self._settings = settings or CountingSettings()
        self._bucket_s = self._settings.bucket.total_seconds()
        self._partitions: dict[int, _Partition] = {}

    def through(self, partition: int) -> int:
        """The offset that `partition` is counted through, -1 where nothing is."""
        return self._partitions[partition].through if partition in self._partitions else -1

    def late(self, partition: int) -> int:
        """Events of `partition` that came after their bucket was closed, and were left out."""
        return self._partitions[partition].late if partition in self._partitions else 0

    def count(self, partition: int, events: Iterable[Counted]) -> list[PartialCount]:
        """Count events of `partition` in the order of their offsets; gives the new counts of the buckets they touch.

        Events at or below the offset that is counted already are passed over.
        """
        known = self._partitions.setdefault(partition, _Partition())
        touched: dict[tuple[float, str], None] = {}
        lateness = self._settings.lateness.total_seconds()
        # Dropped before rather than after: one long batch may begin and end a bucket, and is told of it.
        self._close(known, lateness)
        for event in events:
            if event.offset <= known.through:
                continue
            known.through = event.offset
            at = event.occurred_at.timestamp()
            bucket = at // self._bucket_s * self._bucket_s
            if bucket + self._bucket_s + lateness <= known.newest:
                known.late += 1
                continue
            known.newest = max(known.newest, at)
            counted: list[str] = []
            named = (
                self._series(known, dimension, value) for dimension, values in event.series.items() for value in values
            )
            for series in dict.fromkeys(named):  # several tags without room of their own count once in `other`
                if self._is_repeat(known, event.requester, series, at):
                    continue
                row = known.counts.setdefault(bucket, {})
                row[series] = row.get(series, 0) + 1
                touched[bucket, series] = None
                counted.append(series)
            if counted and event.ticket_id:
                self._keep(known, bucket, event, counted)
        return [
            PartialCount(
                partition=partition,
                bucket=datetime.fromtimestamp(bucket, tz=UTC),
                series=series,
                count=known.counts[bucket][series],
                through=known.through,
            )
            for bucket, series in touched
        ]

    def count_buckets(self, partition: int, events: Iterable[Counted]) -> list[BucketCounts]:
        """As `count`, but each bucket that they touch as a whole, the oldest first."""
        touched = sorted({count.bucket for count in self.count(partition, events)})
        known = self._partitions[partition]
        return [
            BucketCounts(
                partition=partition,
                bucket=bucket,
                through=known.through,
                counts=dict(known.counts[bucket.timestamp()]),
                tickets=tuple(known.tickets.get(bucket.timestamp(), ())),
            )
            for bucket in touched
        ]

    def forget(self, partition: int) -> None:
        """Drop what is known of a partition that another process has taken over."""
        self._partitions.pop(partition, None)

    def snapshot(self, partition: int) -> dict[str, Any]:
        """The state of a partition as JSON has it."""
        known = self._partitions[partition]
        return {
            "through": known.through,
            "newest": known.newest if known.newest > float("-inf") else None,
            "late": known.late,
            "counts": [[bucket, dict(row)] for bucket, row in known.counts.items()],
            "tickets": [[bucket, [_ticket_value(one) for one in kept]] for bucket, kept in known.tickets.items()],
            "requesters": [[key, at] for key, at in known.requesters.items()],
            "names": {dimension: names.snapshot() for dimension, names in known.names.items()},
        }

    def restore(self, partition: int, state: Mapping[str, Any]) -> None:
        """Go on with a partition from its snapshot."""
        most = self._settings.most_series
        self._partitions[partition] = _Partition(
            through=state["through"],
            newest=float("-inf") if state["newest"] is None else state["newest"],
            late=state["late"],
            counts={bucket: dict(row) for bucket, row in state["counts"]},
            tickets={bucket: [_ticket(*value) for value in kept] for bucket, kept in state["tickets"]},
            requesters=OrderedDict((key, at) for key, at in state["requesters"]),
            names={dimension: HeavyHitters.restored(most, names) for dimension, names in state["names"].items()},
        )

    def _series(self, known: _Partition, dimension: str, value: str) -> str:
        if dimension not in known.names:
            known.names[dimension] = HeavyHitters(self._settings.most_series)
        return f"{dimension}={value if known.names[dimension].admit(value) else OTHER}"

    def _is_repeat(self, known: _Partition, requester: str, series: str, at: float) -> bool:
        """Whether the requester was counted in the series a short time ago. Nobody in particular is never a repeat."""
        if not requester:
            return False
        key = f"{requester}\0{series}"
        last = known.requesters.get(key)
        if last is not None and abs(at - last) < self._settings.distinct_for.total_seconds():
            return True
        known.requesters[key] = at
        known.requesters.move_to_end(key)
        if len(known.requesters) > self._settings.most_requesters:
            known.requesters.popitem(last=False)
        return False

    def _keep(self, known: _Partition, bucket: float, event: Counted, series: list[str]) -> None:
        kept = known.tickets.setdefault(bucket, [])
        if len(kept) < self._settings.most_tickets:
            kept.append(
                CountedTicket(
                    ticket_id=event.ticket_id,
                    occurred_at=event.occurred_at,
                    requester=event.requester,
                    subject=event.subject,
                    series=tuple(series),
                )
            )

    def _close(self, known: _Partition, lateness: float) -> None:
        """Drop buckets that no event can change any more."""
        limit = known.newest - lateness - self._bucket_s
        for bucket in [bucket for bucket in known.counts if bucket <= limit]:
            del known.counts[bucket]
            known.tickets.pop(bucket, None)


class CountTable:
    """Counts per bucket and series, put together from the partitions' partial counts.

    A bucket is complete when the watermark, the oldest of the partitions' newest buckets less the lateness, has passed
    it. A partition that has been silent for `idle_after` while others went on does not hold the watermark back.

    Where the number of `partitions` is said, all of them have to be heard of, and a silent one holds the watermark back
    until it is marked: partitions that are read at different paces, as after a crash, lose nothing.
    """

    def __init__(
        self,
        settings: CountingSettings | None = None,
        *,
        idle_after: timedelta = timedelta(minutes=1),
        partitions: int | None = None,
    ) -> None:
        self._settings = settings or CountingSettings()
        self._idle_s = idle_after.total_seconds()
        self._partitions = partitions
        self._cells: dict[float, dict[tuple[int, str], PartialCount]] = {}
        self._newest: dict[int, float] = {}
        self._done = float("-inf")

    def put(self, count: PartialCount) -> bool:
        """Put a partial count in the place of an older one; false where it is older itself, or its bucket is done."""
        bucket = count.bucket.timestamp()
        self._newest[count.partition] = max(self._newest.get(count.partition, float("-inf")), bucket)
        if bucket <= self._done:
            return False
        row = self._cells.setdefault(bucket, {})
        key = (count.partition, count.series)
        known = row.get(key)
        if known is not None and known.through >= count.through:
            return False
        row[key] = count
        return True

    def mark(self, partition: int, until: datetime) -> None:
        """Expect no more of `partition` before `until`."""
        self._newest[partition] = max(self._newest.get(partition, float("-inf")), until.timestamp())

    def totals(self, bucket: datetime) -> dict[str, int]:
        """The count of each series in a bucket, over all partitions."""
        totals: dict[str, int] = {}
        for (_, series), cell in sorted(self._cells.get(bucket.timestamp(), {}).items()):
            totals[series] = totals.get(series, 0) + cell.count
        return totals

    @property
    def watermark(self) -> float:
        """Seconds since 1970 before which no more counts are expected; minus infinity before the first."""
        if not self._newest or (self._partitions is not None and len(self._newest) < self._partitions):
            return float("-inf")
        if self._partitions is not None:
            return min(self._newest.values()) - self._settings.lateness.total_seconds()
        latest = max(self._newest.values())
        active = [newest for newest in self._newest.values() if newest >= latest - self._idle_s]
        return min(active) - self._settings.lateness.total_seconds()

    @property
    def newest(self) -> Mapping[int, float]:
        """The newest bucket of each partition, in seconds since 1970."""
        return self._newest

    @property
    def done(self) -> float:
        """The newest bucket that is complete, in seconds since 1970; minus infinity before the first."""
        return self._done

    def snapshot(self) -> dict[str, Any]:
        """The state as JSON has it."""
        return {
            "cells": [
                [bucket, [[cell.partition, cell.series, cell.count, cell.through] for cell in row.values()]]
                for bucket, row in self._cells.items()
            ],
            "newest": list(self._newest.items()),
            "done": self._done if self._done > float("-inf") else None,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        self._cells = {
            bucket: {
                (partition, series): PartialCount(
                    partition=partition,
                    bucket=datetime.fromtimestamp(bucket, tz=UTC),
                    series=series,
                    count=count,
                    through=through,
                )
                for partition, series, count, through in row
            }
            for bucket, row in state["cells"]
        }
        self._newest = dict(state["newest"])
        self._done = float("-inf") if state["done"] is None else state["done"]

    def complete(self) -> list[tuple[datetime, dict[str, int]]]:
        """The buckets that are complete and were not given before, oldest first; they are dropped here."""
        watermark = self.watermark
        ready = sorted(bucket for bucket in self._cells if bucket + self._settings.bucket.total_seconds() <= watermark)
        given: list[tuple[datetime, dict[str, int]]] = []
        for bucket in ready:
            moment = datetime.fromtimestamp(bucket, tz=UTC)
            given.append((moment, self.totals(moment)))
            del self._cells[bucket]
        if watermark > float("-inf"):
            # Buckets without a ticket are complete, too: what comes for one later is late.
            bucket_s = self._settings.bucket.total_seconds()
            self._done = max(self._done, watermark // bucket_s * bucket_s - bucket_s)
        return given


def _ticket_value(ticket: CountedTicket) -> list[Any]:
    return [ticket.ticket_id, ticket.occurred_at.timestamp(), ticket.requester, ticket.subject, list(ticket.series)]


def _ticket(ticket_id: str, at: float, requester: str, subject: str, series: list[str]) -> CountedTicket:
    return CountedTicket(
        ticket_id=ticket_id,
        occurred_at=datetime.fromtimestamp(at, tz=UTC),
        requester=requester,
        subject=subject,
        series=tuple(series),
    )
