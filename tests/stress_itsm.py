"""Real incidents as an event stream: counted, watched and stored while workers are killed, then held against the log.

python3 dev.py stress-itsm --days 14 --kills 2

The events are of ServiceNow's log at an IT company (UCI, *Incident management process enriched event log*). Times and
order are theirs, the pace is not. They have no text: the subject is made of the fields, and their category stands in
the place of the channel, since the models' categories are others. Their first priority is the ticket's. The
rest is the pipeline as it is: alerts, forecasts, and what became of tickets are held against folds of the log.
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
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord
from lives import Life, attainment, lives_of
from pipeline import Pipeline, Worker

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
from streams.planning import RecentHours
from streams.topic_admin import committed_offsets
from streams.watch import EXIT_TRY_LATER

DATA = Path(__file__).parents[2] / "shared" / "data" / "itsm" / "incident_event_log.zip"
_FORECAST = ("all=", "team=", "category=")
AHEAD = 5_000
"""So many events are published before those before them are decided and stored."""
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
    states: dict[str, str] = {}
    for number, row in rows:
        ticket, state = row["number"], row["ident_state"]
        kind = _kind(states.get(ticket), state)
        states[ticket] = state
        opens = kind is EventKind.CREATED
        yield TicketEvent(
            event_id=f"{ticket}-{number}",
            kind=kind,
            ticket_id=ticket,
            source="itsm",
            tenant="itsm",
            channel=row["category"].replace("?", "unknown"),
            requester=row["caller_id"].replace("?", "") if opens else f"agent {row['sys_updated_by']}",
            subject=f"{row['category']} {row['subcategory']} {row['u_symptom']} {row['cmdb_ci']}".replace("?", ""),
            human_set={"priority": f"P{row['priority'][0]}"} if opens else {},
            occurred_at=_time(row["sys_updated_at"]),
        )


def _kind(before: str | None, state: str) -> EventKind:
    """What a row tells. An agent who takes a ticket up, or asks something back, has answered it."""
    if before is None:
        return EventKind.CREATED
    if state in ENDS:
        return ENDS[state]
    if before in ENDS:
        return EventKind.REOPENED
    return EventKind.CHANGED if state == before else EventKind.MESSAGE_ADDED


@cache
def _time(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


class Run:
    """One replay: feeds, kills, waits until all is through, and compares."""

    def __init__(self, pipeline: Pipeline, kills: int, seed: int) -> None:
        self._pipeline = pipeline
        self._kills = kills
        self._random = random.Random(seed)
        self._worker: Worker
        self.report: dict[str, Any] = {}

    def run(self, replayed: list[TicketEvent], within_seconds: float) -> list[str]:
        """The problems that were found."""
        pipeline = self._pipeline
        began = time.monotonic()
        self._start()
        feed = threading.Thread(target=self._feed, args=(replayed,), daemon=True)
        feed.start()
        # Every ticket is a record of counts, and some are told twice.
        apart = max(500, sum(one.kind is EventKind.CREATED for one in replayed) // (self._kills + 1))
        for _ in range(self._kills):
            before = self._counts_end()
            pipeline.wait_for(
                "counts to be killed in",
                lambda at=before: self._goes_on() and self._counts_end() > at + apart,
                within_seconds=within_seconds,
            )
            time.sleep(self._random.uniform(0, 5))
            self._worker.kill()
            self._say("killed")
            self._start()
        pipeline.wait_for(
            "all to be through",
            lambda: self._goes_on() and not feed.is_alive() and self._is_through(),
            within_seconds=within_seconds,
        )
        self.report["seconds"] = round(time.monotonic() - began)
        self._say("all is through")
        problems = self._compare(replayed)
        self._worker.stop()
        return problems

    def _start(self) -> None:
        # Not waited for: on a busy machine it may take its time. A year in minutes leaves agents behind, which is no
        # word of the log of counts.
        self._worker = self._pipeline.start_worker(
            wait=False, TRIAGE_SNAPSHOT_SECONDS="10", TRIAGE_ALERT_LAG_RECORDS="0"
        )

    def _goes_on(self) -> bool:
        """See to it that a worker runs: one that leaves so that another may try is followed by one, as in operation."""
        if self._worker.process.poll() == EXIT_TRY_LATER:
            self._say(f"a worker left: {self._worker.log().splitlines()[-1]}")
            self.report["workers that left"] = self.report.get("workers that left", 0) + 1
            self._start()
        return True

    def _feed(self, replayed: list[TicketEvent]) -> None:
        """Publish the events in their order, as fast as they are decided and stored."""
        places = [(topics.EVENTS.name, number) for number in range(topics.PARTITIONS)]
        for first in range(0, len(replayed), AHEAD):
            while first - min(self._done(group, places) for group in ("triage", "archive")) >= AHEAD:
                time.sleep(1)
            self._pipeline.publish(replayed[first : first + AHEAD])
            self._say(f"{first + len(replayed[first : first + AHEAD])} events are published")

    def _done(self, group: str, places: list[tuple[str, int]]) -> int:
        """How many records a group has committed."""
        settings = self._pipeline.settings
        return sum(asyncio.run(committed_offsets(f"{settings.app_id}.{group}", places, settings)).values())

    def _say(self, what: str) -> None:
        print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)

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

    def _compare(self, replayed: list[TicketEvent]) -> list[str]:
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
        self._say("counts are compared")
        decisions = [codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS)]
        decided = {(one.ticket_id, one.event_id) for one in decisions}
        if decided != {(one.ticket_id, one.event_id) for one in replayed if one.kind.needs_decision}:
            problems.append(f"{len(decided)} events are decided, which are not those that need it")
        problems += self._compare_lives(replayed, decisions)
        self._say("lives are compared")
        problems += self._compare_forecasts(log)
        self.report |= {
            "decisions": len(decisions),
            "events that need none, since nobody has to act": sum(not one.kind.needs_decision for one in replayed),
            "records of counts": len(log),
            "tickets counted, over all series": sum(expected.values()),
            "incidents": sum(word.stage is AlertStage.OPENED for word in fold),
            "words on them": len(fold),
            "words told twice": len(pipeline.read(topics.ALERTS)) - len(fold),
        }
        return problems

    def _compare_lives(self, replayed: list[TicketEvent], decisions: list[Decision]) -> list[str]:
        """Time to the first answer, to the resolution, and whether that was in time: each ticket's, and the query's."""
        pipeline, problems = self._pipeline, list[str]()
        shown = pipeline.triage("query", "sla", "--fresh", "--json", timeout=600)
        if shown.returncode:
            return [f"triage query sla ended with {shown.returncode}: {shown.stderr[-500:]}"]
        expected = lives_of(replayed, decisions)
        found = {
            row[0]: Life(
                created_at=row[1].replace(tzinfo=UTC),
                priority=row[2],
                team=row[3],
                response=None if row[4] is None else timedelta(seconds=row[4]),
                resolution=None if row[5] is None else timedelta(seconds=row[5]),
                answered_in_time=row[6],
                resolved_in_time=row[7],
                reopens=row[8],
            )
            for row in pipeline.ask_store(
                "SELECT ticket_id, created_at, priority, team, response_seconds, resolution_seconds, answered_in_time, "
                "resolved_in_time, reopens FROM ticket_lives"
            )
        }
        differing = [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)]
        if differing:
            name = min(differing)
            problems.append(
                f"the lives of {len(differing)} tickets differ, as {name}: {found.get(name)}, not {expected.get(name)}"
            )
        told = {
            (row["priority"], row["team"]): (row["tickets"], row["answered_percent"], row["resolved_percent"])
            for row in json.loads(shown.stdout)
        }
        if told != (wanted := attainment(expected.values())):
            problems.append(f"the query sla tells {told}, not {wanted}")
        known = list(expected.values())
        self.report |= {
            "tickets with a life": len(known),
            "of them answered and resolved": [
                sum(one.response is not None for one in known),
                sum(one.resolution is not None for one in known),
            ],
            "of them in time": [
                sum(one.answered_in_time is True for one in known),
                sum(one.resolved_in_time is True for one in known),
            ],
            "reopened": sum(one.reopens > 0 for one in known),
        }
        return problems

    def _compare_forecasts(self, log: list[ConsumerRecord]) -> list[str]:
        """Forecasts as they follow from the log of counts, hour after hour, against those in the store."""
        hours = self._whole_hours(log)
        wanted = ServiceLevel(handling=timedelta(minutes=self._pipeline.settings.handling_minutes))
        recent, expected = RecentHours(), Counter[tuple[Any, ...]]()
        rows, differing, example = 0, 0, ""
        last, newest = max(hours, default=None), datetime.min.replace(tzinfo=UTC)
        for hour, counts in hours.items():
            recent.add(hour, counts)
            made_at = hour + HOUR
            if made := recent.forecast(wanted):
                newest = made_at
                expected.update(_rounded(astuple(row)) for row in made)
            if expected and (made_at.hour == 0 or hour == last):
                begin = made_at - timedelta(days=1)
                found = Counter(map(_rounded, self._forecasts(begin, made_at, newest)))
                rows += found.total()
                off = found - expected | expected - found
                differing += off.total()
                example = example or str(min(off, default=""))
                expected.clear()
        self.report["rows of forecasts"] = rows
        if last is not None:
            upto = f"made_at <= toDateTime({int((last + HOUR).timestamp())}, 'UTC')"
            stored = self._pipeline.ask_store(f"SELECT count() FROM forecasts FINAL WHERE {upto}")[0][0]  # noqa: S608  ours
            differing += stored - rows
        return [f"{differing} rows of forecasts differ, as {example}"] if differing else []

    def _forecasts(self, after: datetime, until: datetime, newest: datetime) -> list[tuple[Any, ...]]:
        """What the store has of the forecasts of a day, once the `newest` is there: they are made in time."""
        begin, end, wanted = (int(at.timestamp()) for at in (after, until, newest))
        made = f"SELECT count() FROM forecasts WHERE made_at >= toDateTime({wanted}, 'UTC')"  # noqa: S608  our own numbers
        self._pipeline.wait_for(
            f"the forecasts of {newest}", lambda: self._pipeline.ask_store(made)[0][0] > 0, within_seconds=3600
        )
        columns = ", ".join(one.name for one in fields(ForecastRow))
        stored = self._pipeline.ask_store(
            f"SELECT {columns} FROM forecasts FINAL "  # noqa: S608  our own names and numbers
            f"WHERE made_at > toDateTime({begin}, 'UTC') AND made_at <= toDateTime({end}, 'UTC')"
        )
        return [(row[0], row[1].replace(tzinfo=UTC), row[2].replace(tzinfo=UTC), *row[3:]) for row in stored]

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
    parser.add_argument("--days", type=int, default=14, help="so much of the log; 354 are all of it")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="give up after so long")
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
