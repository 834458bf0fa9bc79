"""The demo's outage, through the rules alone: whenever the demo is started, on-call is told of it once, by its word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from models.counting import PartitionCounter, counted
from models.decide import decide, starting_models
from models.watching import SpikeWatch
from schemas.alerts import Alert, AlertStage
from schemas.decisions import LogPosition
from streams import wiring
from streams.agents.count import SETTINGS
from streams.demo.generator import generate
from streams.demo.outage import AT_LATEST, EVERY, FIRST_AFTER, LASTS, SETTLES, Outages
from streams.settings import Settings

SEED = 7
"""The demo's own."""
FED = 600
WEDNESDAY = datetime(2026, 11, 18, tzinfo=UTC)


def words_of(start: datetime) -> list[Alert]:
    """What the watch tells of the first tickets of a demo that begins at `start`."""
    taxonomy = wiring.load_taxonomy(Settings())
    models = starting_models(taxonomy)
    watch = SpikeWatch({name: label.team for name, label in taxonomy.categories.items()}, 1)
    counter, words, records = PartitionCounter(SETTINGS), [], 0
    for offset, event in enumerate(islice(Outages(seed=SEED, start=start).events(), FED)):
        if not event.kind.needs_decision:
            continue
        incidents = replace(models, incidents=watch.taking_tickets)
        decision = decide(event, LogPosition(topic="events", partition=0, offset=offset), incidents)
        found = counted(decision, offset, event.requester or "", event.occurred_at)
        for record in counter.count_buckets(0, [found] if found else []):
            words += watch.take(records, record)
            records += 1
    return words


@pytest.mark.parametrize("hours", range(3, 7 * 24, 21))
def test_whenever_the_demo_starts_each_outage_is_one_incident_told_by_its_word(hours: int) -> None:
    start = WEDNESDAY + timedelta(hours=hours)
    outages, words = Outages(seed=SEED, start=start), words_of(start)
    *_, newest = islice(outages.events(), FED)
    over, begun = outages.over(newest.occurred_at), outages.over(newest.occurred_at + LASTS)
    # The first Monday morning may look like an outage, too, to who has seen nothing but a Sunday.
    near = timedelta(minutes=6)
    of_outages = [word for word in words if (word.opened_at - outages.first + near) % EVERY < LASTS + near]
    told = {
        name: [word for word in words if word.incident_id == name] for name in (one.incident_id for one in of_outages)
    }
    assert 1 <= over <= len(told) <= begun
    first, *_ = told.values()
    assert first[0].opened_at - outages.first < LASTS / 2
    assert [word.stage for word in first].count(AlertStage.OPENED) == 1
    assert all("vpn" in {part.text for part in some[-1].cause.terms} for some in list(told.values())[:over])


def test_the_first_outage_begins_after_so_many_events_or_hours_and_is_settled_an_hour_after_it_ends() -> None:
    busy, quiet = (Outages(seed=SEED, start=WEDNESDAY + timedelta(hours=hours)) for hours in (9, 4 * 24))
    before = list(islice(generate(seed=SEED, start=WEDNESDAY + timedelta(hours=9)), FIRST_AFTER + 1))
    assert list(islice(busy.events(), FIRST_AFTER)) == before[:FIRST_AFTER]
    assert busy.first == before[-1].occurred_at
    assert quiet.first == WEDNESDAY + timedelta(days=4) + AT_LATEST
    ends = busy.first + LASTS
    assert [busy.over(at) for at in (busy.first, ends, ends + EVERY)] == [0, 1, 2]
    assert [busy.is_settled(at) for at in (busy.first, ends, ends + SETTLES)] == [False, False, True]
