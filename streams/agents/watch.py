"""The `watch` agent: the log of counts to alerts. The log has one partition, so that one worker at a time watches.

What it knows is a fold of that log (`models.watching`), kept in the data folder with the offset that it holds the
effect of. A worker without it, or with an older one, reads the log again from there: it tells the same alerts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import count

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from models.counting import CountingSettings
from models.watching import SpikeWatch
from schemas import topics
from schemas.alerts import Alert, AlertAnswered, is_answer
from schemas.codec import Codec
from schemas.counts import BucketCounts
from schemas.errors import BadSnapshot, DeadLettered
from schemas.open_incidents import OpenIncidents
from sinks.snapshots import SnapshotFolder
from streams.agents import Role
from streams.batches import Record
from streams.decoding import Decoder
from streams.open_incidents import LiveIncidents, incident_records
from streams.publish import Outgoing, Publisher, alert_record
from streams.reading import Place, Reader, places_of, reader
from streams.settings import Settings
from streams.topic_admin import committed_by

log = logging.getLogger("triage.watch")

HEAD = "watch"
SLICE = 50
"""Records taken in at a stretch, in another thread: each may complete many hops."""
_LOOK_EVERY = timedelta(seconds=1)
REPEATED_EVERY, REPEATED_WHEN_QUIET = timedelta(minutes=1), 10
"""So often it is said again which incidents are open, and each so many times that none is: see HOLDS_FOR."""
_KEPT_SNAPSHOTS = 2
_LONG = timedelta(seconds=20)
"""Days without tickets take their time to score where a log is replayed: no reason to be taken for stuck."""
_BUCKET_S = CountingSettings().bucket.total_seconds()


def snapshots(settings: Settings) -> SnapshotFolder:
    """Where the watch keeps what it knows."""
    return SnapshotFolder(settings.data_dir / "watch" / settings.app_id)


async def counted(records: Sequence[Record], decoder: Decoder) -> list[tuple[int, BucketCounts | AlertAnswered]]:
    """What stands at which offset of the log of counts; what cannot be read is left out."""
    words: list[tuple[int, BucketCounts | AlertAnswered]] = []
    for record in records:
        kind = AlertAnswered if is_answer(record.key) else BucketCounts
        word = await decoder.decode(record.value, kind)
        if isinstance(word, DeadLettered):
            log.warning("%s[%d]@%d is no %s: %s", record.topic, record.partition, record.offset, kind.__name__, word)
        else:
            words.append((record.offset, word))
    return words


class WatchAgent:
    """Tells alerts, and where tickets are decided which incidents are open.

    `make` gives a watch that has seen nothing; `marker` publishes marks and `teller` incidents, apart from the alerts.
    """

    def __init__(
        self,
        *,
        make: Callable[[], SpikeWatch],
        snapshots: SnapshotFolder,
        settings: Settings,
        codec: Codec,
        decoder: Decoder,
        publisher: Publisher,
        marker: Publisher,
        teller: Publisher,
        incidents: LiveIncidents,
        clock: Callable[[], datetime],
    ) -> None:
        self._make = make
        self._snapshots = snapshots
        self._settings = settings
        self._codec = codec
        self._decoder = decoder
        self._publisher = publisher
        self._marker = marker
        self._teller = teller
        self._incidents = incidents
        self._telling = asyncio.Lock()
        self._told: dict[int, OpenIncidents] | None = None
        """By partition of the events: what it says of incidents; None before that was looked up."""
        self._any_alert = False
        """Whether an alert was ever told: before the first one there is nothing to say."""
        self._clock = clock
        self._watch: SpikeWatch | None = None
        self._may_begin = False
        self._kept_at = time.monotonic()
        self._reading: str | None = None
        self._passing: str | None = None
        """What is read again, which may take long: it waits for that, and is not stuck."""

    @property
    def waiting_for(self) -> str | None:
        """The service that is away while it is waited for."""
        return self._decoder.waiting_for or self._publisher.waiting_for or self._reading or self._passing

    @property
    def is_watching(self) -> bool:
        """Whether the counts are this worker's, and it has begun with them."""
        return self._watch is not None

    def forget(self) -> None:
        """Begin from the newest snapshot: others may have watched meanwhile."""
        self._watch = None
        self._told = None
        self._may_begin = True

    async def __call__(self, records: Sequence[Record]) -> None:
        """Take `records` in, and wait until the alerts that follow are on the brokers."""
        watch = self._watch
        if watch is None:
            watch = await self._loaded(records[0].offset)
            self._watch = watch
        for start in range(0, len(records), SLICE):
            for word in await self._taken(watch, records[start : start + SLICE]):
                log.info("%s: %s of %s, %s", word.incident_id, word.stage.value, word.team or "nobody", word.subject)
                self._publisher.enqueue([alert_record(word, self._codec)])
                self._any_alert = True
        # What is kept must never be ahead of what was told.
        await self._publisher.flush()
        await self._tell_decisions(watch)
        await self._keep_now_and_then(watch)

    async def repeat_open_incidents(self) -> None:
        """Say again which incidents are open, until cancelled: the same bytes, so that it changes nothing."""
        for turn in count(1):
            await asyncio.sleep(REPEATED_EVERY.total_seconds())
            async with self._telling:
                told = {number: one for number, one in (self._told or {}).items() if one.through >= 0}
                if turn % REPEATED_WHEN_QUIET == 0 or any(one.incidents for one in told.values()):
                    await self._teller.publish(
                        record for number, one in told.items() for record in incident_records(one, [number])
                    )

    async def _tell_decisions(self, watch: SpikeWatch) -> None:
        """Say in each partition of the events which incidents are open, where that is not what it says already.

        After a crash it may say something newer: that is left until the counts have caught up with it.
        """
        now = OpenIncidents(through=watch.through, incidents=watch.taking_tickets)
        async with self._telling:
            if self._told is None:
                self._told = await self._told_before()
            told = self._told
            due = [
                number
                for number, one in told.items()
                if one.through < now.through and (one.incidents != now.incidents or one.through < 0)
            ]
            if due and self._any_alert:
                await self._teller.publish(incident_records(now, due))
                told.update(dict.fromkeys(due, now))

    async def _told_before(self) -> dict[int, OpenIncidents]:
        self._incidents.forget()
        self._any_alert |= await self._incidents.any_alert()
        nothing, counts = OpenIncidents(through=-1), (topics.COUNTS.name, 0)
        found: dict[int, OpenIncidents] = {}
        async with reader(self._settings) as source:
            places = await places_of([topics.EVENTS.name], self._settings)
            bounds = await source.bounds([*places, counts])
        for place in places:
            newest = await self._incidents.newest(place[1], bounds[place][1])
            # One of another log of counts is of no use here.
            found[place[1]] = newest[1] if newest is not None and newest[1].through < bounds[counts][1] else nothing
        return found

    async def mark_idle_partitions(self) -> None:
        """Say of source partitions without tickets that they are complete, so that the others do not wait for them.

        A partition is idle where all its events are decided and all its decisions counted. Its mark is the newest time
        that was heard of any partition before that was asked; where all are idle, time goes on at the clock's pace.
        """
        async with AsyncExitStack() as stack:
            source = await stack.enter_async_context(reader(self._settings))
            admin = AIOKafkaAdminClient(**self._settings.kafka_options())
            await admin.start()
            stack.push_async_callback(admin.close)
            events = await places_of([topics.EVENTS.name], self._settings)
            decisions = await places_of([topics.DECISIONS.name], self._settings)
            quiet_since: float | None = None
            while True:
                await asyncio.sleep(_LOOK_EVERY.total_seconds())
                await self._begin()
                if (watch := self._watch) is None or (newest := max(watch.heard.values(), default=0.0)) <= 0:
                    quiet_since = None
                    continue
                heard, now, clock = dict(watch.heard), self._clock().timestamp(), time.monotonic()
                try:
                    # Events before decisions: what comes meanwhile makes a partition seem busy.
                    idle = await self._done(source, admin, Role.TRIAGE, events)
                    idle &= await self._done(source, admin, Role.COUNT, decisions)
                except KafkaError as error:
                    log.debug("no offsets to tell idle partitions by: %r", error)
                    continue
                quiet_since = (quiet_since or clock) if len(idle) == len(decisions) else None
                passed = 0.0
                if quiet_since is not None and clock - quiet_since >= _BUCKET_S:
                    passed, quiet_since = clock - quiet_since, clock
                await self._mark(sorted(idle), heard, max(newest, min(newest + passed, now)))

    async def _begin(self) -> None:
        """Have a first record come, which the state is loaded before: time is to go on where no ticket comes."""
        if self._watch is None and self._may_begin:
            self._may_begin = False
            await self._mark([0], {}, 0.0)

    async def _mark(self, idle: Sequence[int], heard: Mapping[int, float], until: float) -> None:
        bucket = until // _BUCKET_S * _BUCKET_S
        marks = [
            BucketCounts(partition=partition, bucket=datetime.fromtimestamp(bucket, UTC), through=-1, counts={})
            for partition in idle
            if bucket > heard.get(partition, float("-inf"))
        ]
        if marks:
            await self._marker.publish(
                Outgoing(topics.COUNTS.name, mark.key, self._codec.encode(mark), partition=0) for mark in marks
            )

    async def _done(self, source: Reader, admin: AIOKafkaAdminClient, role: Role, places: Sequence[Place]) -> set[int]:
        """The partitions of which the agents of `role` have committed all. Ends are asked first, for that reason."""
        bounds = await source.bounds(places)
        group = f"{self._settings.app_id}.{role}"
        committed = await committed_by(admin, group, places)
        return {place[1] for place, (start, end) in bounds.items() if max(start, committed.get(place, -1)) >= end}

    async def _taken(self, watch: SpikeWatch, records: Sequence[Record]) -> list[Alert]:
        words = await counted(records, self._decoder)
        folding = asyncio.ensure_future(
            asyncio.to_thread(lambda: [alert for offset, word in words for alert in watch.take(offset, word)])
        )
        try:
            if not (await asyncio.wait({folding}, timeout=_LONG.total_seconds()))[0]:
                self._passing = f"counts up to {records[-1].offset} are scored, with the time between them"
            return await folding
        finally:
            self._passing = None

    async def _loaded(self, first: int) -> SpikeWatch:
        """The watch as it is just before the record at offset `first`, or after it where a snapshot is newer."""
        place = (topics.COUNTS.name, 0)
        async with reader(self._settings) as source:
            start, end = (await source.bounds([place]))[place]
            watch = await asyncio.to_thread(self._restored, end)
            behind = max(start, watch.through + 1)
            if behind < first:
                self._reading = f"counts {behind} to {first - 1} are taken in again"
                log.info("%s", self._reading)
                try:
                    async for batch in source.read({place: (behind, first)}):
                        # What follows from them was told before they were committed.
                        for at in range(0, len(batch), SLICE):
                            await self._taken(watch, batch[at : at + SLICE])
                            await self._keep_now_and_then(watch)
                finally:
                    self._reading = None
        return watch

    def _restored(self, end: int) -> SpikeWatch:
        """The newest snapshot that can be read and is of this log, which ends at `end`."""
        for stored in reversed(self._snapshots.list(HEAD)):
            watch = self._make()
            try:
                watch.restore(self._snapshots.load(stored))
            except BadSnapshot as error:
                log.warning("%s", error)
                continue
            if watch.through < end:
                return watch
            log.warning("%s is of another log of counts", stored.file_name)
        return self._make()

    async def _keep_now_and_then(self, watch: SpikeWatch) -> None:
        if time.monotonic() - self._kept_at >= self._settings.snapshot_seconds:
            await asyncio.to_thread(self._keep, watch)
            self._kept_at = time.monotonic()

    def _keep(self, watch: SpikeWatch) -> None:
        self._snapshots.save(HEAD, watch.through + 1, watch.to_bytes())
        self._snapshots.prune(HEAD, _KEPT_SNAPSHOTS)
