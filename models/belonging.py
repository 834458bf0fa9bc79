"""Whether a ticket belongs to an open incident. One that is moved by mistake costs more than one that is missed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from models.counting import NAMED_FREELY, dimension_of
from models.text import terms_of
from schemas.alerts import Alert, AnswerKind, SpikeCause
from schemas.open_incidents import MOST_INCIDENTS, MOST_SERIES, MOST_TERMS, OpenIncident

LONGEST = timedelta(hours=12)
"""From its onset on, in the time of the tickets: an incident whose end is never told takes no tickets after that."""

STRONG = 10.0
"""Tickets seen for each one expected: nine in ten of the tickets that hold such a term are the incident's."""


def opened(word: Alert, series: Collection[str]) -> OpenIncident:
    """What a decision has to know of an incident: the newest word on it, and its series that are open."""
    return OpenIncident(
        incident_id=word.incident_id,
        team=word.team,
        opened_at=word.opened_at,
        series=tuple(sorted(sorted(series, key=_freely_named_last)[:MOST_SERIES])),
        terms=tuple(sorted(strong_terms(word.cause)[:MOST_TERMS])),
    )


def strong_terms(cause: SpikeCause) -> list[str]:
    """The terms of a cause that nearly only its tickets hold, best first."""
    return [part.text for part in cause.terms if part.observed >= STRONG * part.expected]


def is_noise(word: Alert) -> bool:
    """Whether a person said of an incident that it is none."""
    return any(one.kind is AnswerKind.DISMISSED for one in word.answers)


def _freely_named_last(series: str) -> tuple[bool, str]:
    """An order in which products and tags, of which there may be many, come last."""
    return dimension_of(series) in NAMED_FREELY, series


def newest_of(incidents: Collection[OpenIncident]) -> tuple[OpenIncident, ...]:
    """As many as are told of, those that opened last, in the order of their ids."""
    newest = sorted(incidents, key=lambda one: (one.opened_at, one.incident_id))[-MOST_INCIDENTS:]
    return tuple(sorted(newest, key=lambda one: one.incident_id))


def incident_of(
    subject: str, series: Mapping[str, tuple[str, ...]], at: datetime, incidents: Collection[OpenIncident]
) -> tuple[OpenIncident, tuple[str, ...]] | None:
    """The incident that a ticket belongs to, and its terms that the subject holds; None where it belongs to none.

    `series` maps dimensions to the ticket's values, as they are counted; `at` is when its event occurred. It belongs
    where it is of one of the incident's series, occurred within LONGEST of the onset, and holds one of the terms. To be
    moved from another team's tickets it needs half of them, and where no word tells the incident, none are moved. Of
    several it belongs to the one with the most terms in it, of those to the one that opened first.
    """
    names = {f"{dimension}={value}" for dimension, values in series.items() for value in values}
    near = [one for one in incidents if one.opened_at <= at < one.opened_at + LONGEST and names & set(one.series)]
    if not near:
        return None
    terms = terms_of(subject)
    found = [(one, tuple(term for term in one.terms if term in terms)) for one in near]
    fitting = [item for item in found if _fits(*item, series.get("team", ()))]
    return min(fitting, key=lambda item: (-len(item[1]), item[0].opened_at, item[0].incident_id), default=None)


def _fits(incident: OpenIncident, held: tuple[str, ...], team: tuple[str, ...]) -> bool:
    if incident.team not in team:
        return bool(held) and 2 * len(held) >= len(incident.terms)
    return bool(held) or not incident.terms
