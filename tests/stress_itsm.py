"""Real incidents as an event stream: counted, watched and stored while workers are killed, then held against the log.

python3 dev.py stress-itsm --days 14 --kills 2

The events are of ServiceNow's log at an IT company (UCI, *Incident management process enriched event log*). Times and
order are theirs, the pace is not. They have no text: the subject is made of the fields, and their category stands in
the place of the channel, since the models' categories are others. Everything else is the pipeline as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord
from pipeline import Pipeline

from models.counting import PartitionCounter, counted
from models.forecast import HOUR
from models.staffing import ServiceLevel
from models.watching import SpikeWatch
from schemas import topics
from schemas.alerts import Alert, AlertStage
from schemas.cloudevents import REQUESTER_HEADER
from schemas.counts import BucketCounts
from schemas.decisions import Decision
from schemas.events import EventKind, TicketEvent
from sinks.forecasts import ForecastRow
from streams import wiring
from streams.agents.count import SETTINGS
from streams.batches import time_of
from streams.broker import Broker
from streams.planning import BACK, LEAST_HOURS, LONGEST_SILENCE, largest, planned
from streams.topic_admin import committed_offsets

DATA = Path(__file__).parents[2] / "shared" / "data" / "itsm" / "incident_event_log.zip"
_FORECAST = ("all=", "team=", "category=")
ENDS = {"Resolved": EventKind.RESOLVED, "Closed": EventKind.CLOSED}


def events(file: Path, days: int) -> list[TicketEvent]:
    """The first `days` of the log, in the order of their times."""
    with zipfile.ZipFile(file) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".csv")]
        lines = csv.reader(io.StringIO(archive.read(name).decode()))
    # Its header names two columns "category": the second is the subcategory.
    header = ",".join(next(lines)).replace("category,category", "category,subcategory").split(",")
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    timed = sorted(enumerate(rows), key=lambda item: (_time(item[1]["sys_updated_at"]), item[0]))
    until = _time(timed[0][1]["sys_updated_at"]) + timedelta(days=days)
    return list(_events([(number, row) for number, row in timed if _time(row["sys_updated_at"]) < until]))


def _events(rows: list[tuple[int, dict[str, str]]]) -> Iterator[TicketEvent]:
    seen: set[str] = set()
    for number, row in rows:
        ticket = row["number"]
        kind = ENDS.get(row["ident_state"], EventKind.CHANGED) if ticket in seen else EventKind.CREATED
        seen.add(ticket)
        yield TicketEvent(
            event_id=f"{ticket}-{number}",
            kind=kind,
            ticket_id=ticket,
            source="itsm",
            tenant="itsm",
            channel=row["category"].replace("?", "unknown"),
            requester=row["caller_id"].replace("?", ""),
            subject=f"{row['category']} {row['subcategory']} {row['u_symptom']} {row['cmdb_ci']}".replace("?", ""),
            occurred_at=_time(row["sys_updated_at"]),
        )


@cache
def _time(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


class Run:
    """One replay: feeds, kills, waits until all is through, and compares."""

    def __init__(self, pipeline: Pipeline, kills: int, seed: int) -> None:
        self._pipeline = pipeline
        self._kills = kills
        self._random = random.Random(seed)
        self.report: dict[str, Any] = {}

    def run(self, replayed: list[TicketEvent], within_seconds: float) -> list[str]:
        """The problems that were found."""
        pipeline = self._pipeline
        began = time.monotonic()
        # A year in minutes leaves agents behind, which is no word of the log of counts.
        start = partial(pipeline.start_worker, TRIAGE_SNAPSHOT_SECONDS="5", TRIAGE_ALERT_LAG_RECORDS="0")
        worker = start()
        pipeline.publish(replayed)
        for _ in range(self._kills):
            before = self._counts_end()
            pipeline.wait_for(
                "counts to be killed in", lambda at=before: self._counts_end() > at + 500, within_seconds=within_seconds
            )
            time.sleep(self._random.uniform(0, 5))
            worker.kill()
            worker = start()
        pipeline.wait_for("all to be through", self._is_through, within_seconds=within_seconds)
        self.report["seconds"] = round(time.monotonic() - began)
        problems = self._compare()
        worker.stop()
        return problems

    def _counts_end(self) -> int:
        return asyncio.run(self._pipeline.ends([(topics.COUNTS.name, 0)]))[topics.COUNTS.name, 0]

    def _is_through(self) -> bool:
        """Whether each group has committed what its topics hold, twice in a row: what it writes is read by the next."""
        ends = [self._left(), self._counts_end()]
        time.sleep(3)
        return ends == [0, self._counts_end()] and self._left() == 0

    def _left(self) -> int:
        reads = {
            "triage": (topics.EVENTS,),
            "count": (topics.DECISIONS,),
            "watch": (topics.COUNTS,),
            "archive": (topics.EVENTS, topics.DECISIONS, topics.COUNTS, topics.ALERTS),
        }
        left = 0
        for group, read in reads.items():
            places = [(one.name, number) for one in read for number in range(one.partitions or topics.PARTITIONS)]
            ends = asyncio.run(self._pipeline.ends(places))
            settings = self._pipeline.settings
            done = asyncio.run(committed_offsets(f"{settings.app_id}.{group}", places, settings))
            left += sum(max(0, end - done.get(place, 0)) for place, end in ends.items())
        return left

    def _compare(self) -> list[str]:
        pipeline, problems = self._pipeline, []
        codec = pipeline.codec
        log = pipeline.read(topics.COUNTS)
        owners = {name: label.team for name, label in wiring.load_taxonomy(pipeline.settings).categories.items()}
        watch = SpikeWatch(owners, topics.PARTITIONS)
        fold: list[Alert] = []
        began = time.monotonic()
        for record in log:
            fold += watch.take(record.offset, codec.decode(record.value, BucketCounts))
        self.report["fold of the log, seconds"] = round(time.monotonic() - began)
        # Words of one incident share a partition: their order is its order, that of incidents among each other is not.
        told = {repr(codec.decode(record.value, Alert)) for record in pipeline.read(topics.ALERTS)}
        if told != {repr(word) for word in fold}:
            problems.append(f"{len(told)} words were told, {len(fold)} follow from the log of counts")
        stored = pipeline.ask_store("SELECT count() FROM (SELECT DISTINCT incident_id, at FROM alerts)")[0][0]
        if stored != len(fold):
            problems.append(f"{stored} words are in the store, {len(fold)} follow from the log of counts")

        expected = self._expected_counts()
        rows = pipeline.ask_store("SELECT bucket, series, tickets FROM counts")
        counts = {(bucket.replace(tzinfo=UTC), series): tickets for bucket, series, tickets in rows}
        if counts != dict(expected):
            problems.append(f"{sum(counts.values())} are counted in the store, {sum(expected.values())} in the log")
        problems += self._compare_forecasts(log)
        self.report |= {
            "decisions": len(pipeline.read(topics.DECISIONS)),
            "records of counts": len(log),
            "tickets counted, over all series": sum(expected.values()),
            "incidents": sum(word.stage is AlertStage.OPENED for word in fold),
            "words on them": len(fold),
            "words told twice": len(pipeline.read(topics.ALERTS)) - len(fold),
        }
        return problems

    def _compare_forecasts(self, log: list[ConsumerRecord]) -> list[str]:
        """Forecasts as they follow from the log of counts, hour after hour, against those in the store."""
        hours = self._whole_hours(log)
        wanted = ServiceLevel(handling=timedelta(minutes=self._pipeline.settings.handling_minutes))
        expected: list[tuple[Any, ...]] = []
        for made_at in (hour + HOUR for hour in hours):
            known = {hour: counts for hour, counts in hours.items() if made_at - BACK <= hour < made_at and counts}
            start = min(known, default=made_at)
            if made_at - start >= LEAST_HOURS * HOUR and made_at - max(known) <= LONGEST_SILENCE:
                for series in largest(known):
                    counts = {hour: some[series] for hour, some in known.items() if series in some}
                    expected += map(astuple, planned(series, counts, start, made_at, wanted))
        last = max((made for row in expected if isinstance(made := row[2], datetime)), default=None)
        columns = ", ".join(one.name for one in fields(ForecastRow))

        def stored() -> list[tuple[Any, ...]]:
            rows = self._pipeline.ask_store(f"SELECT {columns} FROM forecasts FINAL")  # noqa: S608  our own names
            return [(row[0], row[1].replace(tzinfo=UTC), row[2].replace(tzinfo=UTC), *row[3:]) for row in rows]

        if last is not None:
            self._pipeline.wait_for(
                "the last forecast", lambda: any(row[2] >= last for row in stored()), within_seconds=1800
            )
        # Time goes on at the clock's pace while all is compared.
        found = [_rounded(row) for row in stored() if last is None or row[2] <= last]
        self.report["rows of forecasts"] = len(found)
        differing = Counter(found) - Counter(map(_rounded, expected)) | Counter(map(_rounded, expected)) - Counter(
            found
        )
        return [f"{differing.total()} rows of forecasts differ, as {min(differing)}"] if differing else []

    def _whole_hours(self, log: list[ConsumerRecord]) -> dict[datetime, Counter[str]]:
        """The tickets of each hour at the record with which its last partition has passed it; from the first on."""
        lateness = SETTINGS.lateness
        newest: dict[int, datetime] = {}
        told: dict[tuple[datetime, int], BucketCounts] = {}
        found: dict[datetime, Counter[str]] = {}
        following: datetime | None = None
        for record in log:
            word = self._pipeline.codec.decode(record.value, BucketCounts)
            newest[word.partition] = max(word.bucket, newest.get(word.partition, word.bucket))
            if word.counts:
                known = told.get((word.bucket, word.partition))
                if known is None or known.through < word.through:
                    told[word.bucket, word.partition] = word
            if len(newest) < topics.PARTITIONS or not told:
                continue
            if following is None:
                following = min(bucket for bucket, _ in told).replace(minute=0, second=0)
            while min(newest.values()) - lateness >= following + HOUR:
                counts = found.setdefault(following, Counter())
                for bucket, partition in [place for place in told if place[0] < following + HOUR]:
                    part = told.pop((bucket, partition))
                    if bucket >= following:
                        counts.update({name: n for name, n in part.counts.items() if name.startswith(_FORECAST)})
                following += HOUR
        return found

    def _expected_counts(self) -> Counter[tuple[datetime, str]]:
        """Each partition's decisions counted in one go, without process, snapshot or store."""
        counter = PartitionCounter(SETTINGS)
        newest: dict[tuple[int, datetime], BucketCounts] = {}
        for record in self._pipeline.read(topics.DECISIONS):
            decision = self._pipeline.codec.decode(record.value, Decision)
            one = counted(
                decision, record.offset, dict(record.headers).get(REQUESTER_HEADER, b"").decode(), time_of(record)
            )
            for told in counter.count_buckets(record.partition, [] if one is None else [one]):
                newest[told.partition, told.bucket] = told
        found: Counter[tuple[datetime, str]] = Counter()
        for told in newest.values():
            found.update({(told.bucket, series): count for series, count in told.counts.items()})
        return found


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(value, 5) if isinstance(value, float) else value for value in row)


def main() -> int:
    """Replay and compare; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--days", type=int, default=14, help="so much of the log; it has a year")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30, help="give up after so long")
    given = parser.parse_args()
    replayed = events(given.data, given.days)
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "kafka") as broker:
        pipeline = Pipeline(broker.bootstrap, Path(folder) / "data")
        with pipeline.with_topics(delete=False):
            run = Run(pipeline, given.kills, given.seed)
            problems = run.run(replayed, given.minutes * 60)
    print(json.dumps({"events": len(replayed), "kills": given.kills, **run.report, "problems": problems}, indent=1))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
