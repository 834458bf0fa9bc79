"""`triage watch warm-start`: the first snapshot of a watch, from counts that the store still has and the log does not.

The same fold as the watch's own (`models.watching`), over the store's records up to the beginning of the log, and then
over the log: nothing that it finds on the way is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from models.watching import SpikeWatch
from schemas import topics
from schemas.alerts import AlertAnswered
from schemas.codec import Codec
from schemas.counts import BucketCounts
from schemas.errors import BadSettings, StoreAheadOfLog
from sinks import counts
from sinks.store import Store
from streams import wiring
from streams.agents.watch import HEAD, counted, snapshots
from streams.decoding import Decoder, opened_decoder
from streams.reading import Place, Reader, places_of, reader
from streams.settings import Settings

PLACE: Place = (topics.COUNTS.name, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """What a watch has learned: from so many records of the store and of the log, through the log's offset `through`.

    `since` is the first bucket of the store's, `newest` the end of the last hop.
    """

    stored: int
    logged: int
    through: int
    since: datetime | None
    newest: datetime | None
    series: int
    open_incidents: int
    missing: int
    """Records between those of the store and the log that neither has any more."""
    snapshot: Path


async def warm_start(settings: Settings, weeks: int, *, anew: bool = False) -> WarmStart:
    """Write the snapshot that a worker with the role `watch` begins from, the next time that it starts.

    Raises BadSettings where the watch has one already, unless it is to begin `anew`; StoreAheadOfLog where the store is
    of another log; TopicsDiffer without topics, and what the store raises.
    """
    folder = snapshots(settings)
    if (known := folder.latest(HEAD)) is not None and not anew:
        raise BadSettings(
            f"the watch has learned already, and begins from {folder.folder / known.file_name}. To have it begin anew, "
            "stop the workers with the role watch and add --anew"
        )
    places = await places_of([topics.DECISIONS.name, topics.COUNTS.name], settings)
    make = await asyncio.to_thread(wiring.watch_maker, settings, len(places) - 1)  # the log of counts has one
    watch = make()
    async with opened_decoder(settings, Codec()) as decoder, reader(settings) as source:
        start, end = (await source.bounds([PLACE]))[PLACE]
        with await asyncio.to_thread(wiring.open_store, settings) as store:
            stored, since, last = await asyncio.to_thread(_learn, watch, store, start, end, timedelta(weeks=weeks))
        logged = await _read_on(watch, source, decoder, start, end)
    watch.through = end - 1
    kept = await asyncio.to_thread(folder.save, HEAD, watch.through + 1, watch.to_bytes())
    for older in folder.list(HEAD):
        if older != kept:
            (folder.folder / older.file_name).unlink(missing_ok=True)
    return WarmStart(
        stored=stored,
        logged=logged,
        through=watch.through,
        since=since,
        newest=watch.newest,
        series=watch.series,
        open_incidents=len(watch.open_incidents),
        missing=max(0, start - 1 - last) if stored else 0,
        snapshot=folder.folder / kept.file_name,
    )


def _learn(watch: SpikeWatch, store: Store, start: int, end: int, back: timedelta) -> tuple[int, datetime | None, int]:
    """Fold what the store has of before the log's `start`: the number of records, the first bucket, the last offset."""
    if (newest := counts.newest_offset(store)) is not None and newest >= end:
        raise StoreAheadOfLog(
            f"the store has counts up to offset {newest} of {PLACE[0]}, whose log ends at {end}: it was filled from "
            "another log, and the watch begins with nothing"
        )
    bucket = counts.newest_bucket(store, start)
    if bucket is None:
        return 0, None, -1
    taken, first, last = 0, None, -1
    for offset, word in counts.counts_before(store, start, bucket - back):
        watch.take(offset, word)
        taken, first, last = taken + 1, first or word.bucket, offset
    return taken, first, last


async def _read_on(watch: SpikeWatch, source: Reader, decoder: Decoder, start: int, end: int) -> int:
    """Fold the log, and give the number of records."""

    def fold(words: Sequence[tuple[int, BucketCounts | AlertAnswered]]) -> int:
        for offset, word in words:
            watch.take(offset, word)
        return len(words)

    taken = 0
    async for batch in source.read({PLACE: (start, end)}):
        taken += await asyncio.to_thread(fold, await counted(batch, decoder))
    return taken
