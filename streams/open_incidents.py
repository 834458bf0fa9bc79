"""Which incidents are open at each event, as the events' topic has it: tickets that belong to one go to its owner.

The watch tells of them by records without a value, one in each partition, that hold all incidents which are open; the
newest such record before an event holds. So an event that is delivered again, or is decided again from the log alone,
meets the same incidents. What is told twice changes nothing. The watch repeats what holds: a record holds for a bounded
number of records, and whoever looks back for it looks no further.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from models.decide import Models
from schemas import topics
from schemas.open_incidents import OpenIncidents, told_incidents
from streams.batches import Record
from streams.publish import Outgoing
from streams.reading import PatientReader, Place, newest_before, places_of
from streams.settings import Settings

HOLDS_FOR = 100_000
"""Records of its partition for which a record holds. It is repeated every minute, in which fewer come."""


class LiveIncidents:
    """The open incidents, for each partition of the events."""

    def __init__(self, settings: Settings, source: PatientReader) -> None:
        self._settings = settings
        self._source = source
        self._alert_places: list[Place] = []
        self._any_alert: bool | None = None
        """Whether an alert had been told when that was looked up."""
        self._told: dict[int, tuple[int, OpenIncidents] | None] = {}
        """By partition: where the newest record stands, and what it says; None where none holds."""
        self._at: dict[int, int] = {}
        """By partition: the last offset that was come to."""

    def forget(self) -> None:
        """Look anew what is told: partitions have come, and others have worked on them."""
        self._told.clear()
        self._any_alert = None

    async def come_to(self, partition: int, offset: int) -> None:
        """Know what holds at `offset`, before it is decided on: anew where it was come to before."""
        if partition not in self._told or offset <= self._at[partition]:
            if offset <= self._at.get(partition, -1):
                self._any_alert = None  # one may have been told since partitions came
            self._told[partition] = await self.newest(partition, offset)
        self._at[partition] = offset

    def take(self, told: OpenIncidents, partition: int, offset: int) -> None:
        """Know what the record at `offset` tells."""
        self._told[partition] = offset, told

    def knowing(self, models: Models, partition: int, offset: int) -> Models:
        """`models` with the incidents that are open at `offset` of `partition`, which was come to."""
        told = self._told.get(partition)
        if told is None or not told[1].incidents or offset - told[0] > HOLDS_FOR:
            return models
        return replace(models, incidents=told[1].incidents)

    async def newest(self, partition: int, offset: int) -> tuple[int, OpenIncidents] | None:
        """The newest record that holds at `offset` of a partition of the events, where it stands and what it says."""
        if not await self.any_alert():
            return None
        place, least = (topics.EVENTS.name, partition), offset - HOLDS_FOR
        return await self._source.asked(
            place[0], lambda source: newest_before(source, place, offset, _told, least=least)
        )

    async def any_alert(self) -> bool:
        """Whether an alert had been told when partitions came: it is told before decisions know of it.

        Without one there is nothing to look back for.
        """
        if self._any_alert is None:
            if not self._alert_places:
                self._alert_places = await places_of([topics.ALERTS.name], self._settings)
            places = self._alert_places
            bounds = await self._source.asked(topics.ALERTS.name, lambda source: source.bounds(places))
            self._any_alert = any(end for _, end in bounds.values())
        return self._any_alert


def _told(record: Record) -> tuple[int, OpenIncidents] | None:
    told = told_incidents(record.value, record.headers)
    return None if told is None else (record.offset, told)


def incident_records(told: OpenIncidents, partitions: Iterable[int]) -> list[Outgoing]:
    """The records that tell which incidents are open: one in each of `partitions` of the events' topic."""
    headers = [told.header, ("ce_type", b"triage.incidents.told.v1")]
    return [
        Outgoing(topic=topics.EVENTS.name, key=None, value=None, headers=headers, partition=number)
        for number in partitions
    ]
