"""Which incidents are open, as the events' topic says it: tickets that belong to one go to the team that owns it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from schemas.dead_letters import Header

INCIDENTS_HEADER = "triage_incidents"
"""On a record without a value on the events' topic: what follows is decided with these incidents open."""

MOST_INCIDENTS, MOST_SERIES, MOST_TERMS = 20, 20, 5
"""Incidents of one record, series and terms of an incident: a record always has room for them."""

_MOST_CHARACTERS = 1_000
_FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident that is open: whose it is, the series that are out of the ordinary, and the words that tell it.

    `terms` are words and pairs of words of subjects, folded; none where no word tells the incident from the usual.
    """

    incident_id: str
    team: str
    opened_at: datetime
    series: tuple[str, ...]
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncidents:
    """All incidents that were open after the record at `through` of the log of counts: it replaces what was told."""

    through: int
    incidents: tuple[OpenIncident, ...] = ()

    @property
    def header(self) -> Header:
        """The header that tells it, the same bytes for the same incidents."""
        told = {
            "format": _FORMAT,
            "through": self.through,
            "incidents": [
                {
                    "id": one.incident_id,
                    "team": one.team,
                    "opened_at_ms": (one.opened_at - _EPOCH) // timedelta(milliseconds=1),
                    "series": list(one.series),
                    "terms": list(one.terms),
                }
                for one in self.incidents
            ],
        }
        return INCIDENTS_HEADER, json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def told_incidents(value: bytes | None, headers: Iterable[Header]) -> OpenIncidents | None:
    """The incidents that are open from a record on the events' topic on; None where it is another record, or none."""
    if value is not None:
        return None
    text = next((text for name, text in headers if name == INCIDENTS_HEADER), None)
    if text is None:
        return None
    try:
        told = json.loads(text)
        through, some = told["through"], told["incidents"]
        if told["format"] != _FORMAT or type(through) is not int or len(some) > MOST_INCIDENTS:
            return None
        return OpenIncidents(through=through, incidents=tuple(_incident(one) for one in some))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _incident(told: Mapping[str, Any]) -> OpenIncident:
    return OpenIncident(
        incident_id=_text(told["id"]),
        team=_text(told["team"]),
        opened_at=_EPOCH + timedelta(milliseconds=told["opened_at_ms"]),
        series=_texts(told["series"], MOST_SERIES),
        terms=_texts(told["terms"], MOST_TERMS),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        raise ValueError("no text, or too long")
    return value


def _texts(value: object, most: int) -> tuple[str, ...]:
    if not isinstance(value, list) or len(cast("list[object]", value)) > most:
        raise ValueError("no list, or too long")
    return tuple(_text(one) for one in cast("list[object]", value))
