"""What a person is told at three in the morning: what rose, against what, since when, why, whose it is, what to do.

Pure: the words of each receiver's format are made here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote

from schemas.alerts import Alert, AlertAnswer, AlertKind, AlertStage, AnswerKind, CausePart

TICKET_FIELD = "{ticket_id}"
"""In the URL of a ticket: where its id goes."""

_WHOLE_FROM = 10
"""From here on a count is told without decimals."""


class Severity(StrEnum):
    """How loud."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Fact(NamedTuple):
    """One line of what is known."""

    label: str
    text: str


class Link(NamedTuple):
    """Something to click on."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where tickets and the runbook are. `ticket` is a URL with `{ticket_id}` in it."""

    ticket: str | None = None
    runbook: str | None = None

    def of(self, alert: Alert) -> list[Link]:
        """The runbook, then the example tickets."""
        found = [Link("Runbook", self.runbook)] if self.runbook else []
        if self.ticket:
            tickets = dict.fromkeys([*alert.cause.examples, *_known(alert.cause.first_ticket)])
            found += [Link(name, self.ticket.replace(TICKET_FIELD, quote(name, safe=""))) for name in tickets]
        return found


_TITLES = {
    AlertKind.SPIKE: "Tickets spike",
    AlertKind.DRIFT: "Tickets have changed",
    AlertKind.SLA_AT_RISK: "SLA at risk",
    AlertKind.CONSUMER_LAG: "Triage falls behind",
    AlertKind.DEAD_LETTER_RATE: "Dead letters grow",
}
_UNITS = {
    AlertKind.SPIKE: "tickets",
    AlertKind.DRIFT: "tickets",
    AlertKind.SLA_AT_RISK: "tickets",
    AlertKind.CONSUMER_LAG: "records behind",
    AlertKind.DEAD_LETTER_RATE: "dead letters",
}
_ANSWERED = {AnswerKind.ACKNOWLEDGED: "Taken: ", AnswerKind.MUTED: "Muted: ", AnswerKind.DISMISSED: "Dismissed: "}
_ADVICE = {
    AlertKind.SPIKE: "Read the example tickets. If they tell of an outage, open an incident with {team} and give all "
    "of these tickets one answer. If they do not, dismiss the alert (triage alerts dismiss): the next one on this "
    "series then needs more.",
    AlertKind.DRIFT: "Tickets are not what the models learned from: look at what is named here, correct some of them, "
    "and train on newer tickets (triage train).",
    AlertKind.SLA_AT_RISK: "These tickets miss their time soon: {team} takes them first, or gets help.",
    AlertKind.CONSUMER_LAG: "Ask the worker's /readyz what it waits for, and start another one (triage worker --only "
    "ROLE) where it is merely slow. Kafka keeps what is not done.",
    AlertKind.DEAD_LETTER_RATE: "triage deadletters list --since 1h counts them by error, show prints one. Once the "
    "fault is mended, triage deadletters redrive sends them back.",
}


def headline(alert: Alert) -> str:
    """One line: what it is, how much of it, since when."""
    begun = f"since {_clock(alert.opened_at, alert.at)}"
    if alert.stage is AlertStage.RESOLVED:
        begun = f"from {_clock(alert.opened_at, alert.at)} to {_clock(alert.at, alert.at)}"
    start = "Over: " if alert.stage is AlertStage.RESOLVED else ""
    if alert.stage is AlertStage.ACKNOWLEDGED:
        start = _ANSWERED[alert.answers[-1].kind if alert.answers else AnswerKind.ACKNOWLEDGED]
    much = f"{_count(alert.size.observed)} {_UNITS[alert.kind]} instead of {_count(alert.size.expected)}"
    return f"{start}{_TITLES[alert.kind]}: {alert.subject}, {much} {begun}"


def facts(alert: Alert) -> list[Fact]:
    """What is known, the most telling first. What is not known is left out."""
    size, cause = alert.size, alert.cause
    times = f", {size.ratio:.0f} times as many" if size.expected >= 1 and size.ratio >= 2 else ""  # noqa: PLR2004
    much = f"{_count(size.observed)} {_UNITS[alert.kind]}, {_count(size.expected)} were expected{times}"
    found = [Fact("How much", much)]
    ended = alert.stage is AlertStage.RESOLVED
    lasted = _lasted(alert.at - alert.opened_at)
    found.append(Fact("Since", f"{_moment(alert.opened_at)}, {'over after' if ended else 'for'} {lasted}"))
    if cause.children:
        found.append(Fact("Mostly in", _parts(cause.children)))
    if cause.terms:
        found.append(Fact("Words", _parts(cause.terms)))
    if cause.requesters:
        found.append(Fact("Who asks", "one person" if cause.requesters == 1 else f"{cause.requesters} people"))
    if tickets := list(dict.fromkeys([*cause.examples, *_known(cause.first_ticket)])):
        first = f"; the first was {cause.first_ticket}" if cause.first_ticket else ""
        found.append(Fact("Tickets", ", ".join(tickets) + first))
    if alert.team:
        found.append(Fact("Owner", alert.team))
    if alert.answers:
        found.append(Fact("Answered", "; ".join(map(answered, alert.answers))))
    if not alert.page:
        found.append(Fact("Page", "nobody is woken for it" + (f": {alert.note}" if alert.note else "")))
    elif alert.note:
        found.append(Fact("Note", alert.note))
    return found


def answered(answer: AlertAnswer) -> str:
    """Who answered what, and why."""
    until = "" if answer.until is None else f" until {_moment(answer.until)}"
    return f"{answer.kind.value}{until} by {answer.actor}" + (f": {answer.reason}" if answer.reason else "")


def advice(alert: Alert) -> str:
    """What to do."""
    if alert.stage is AlertStage.RESOLVED:
        return "Nothing: it is over. The tickets that it left are still there."
    return _ADVICE[alert.kind].format(team=alert.team or "the team that owns it")


def severity(alert: Alert) -> Severity:
    """How loud `alert` is. It stays the same while the incident lives: Alertmanager knows an alert by it."""
    if not alert.page:
        return Severity.INFO if alert.kind is AlertKind.DRIFT else Severity.WARNING
    return Severity.WARNING if alert.kind is AlertKind.DRIFT else Severity.CRITICAL


def cut(text: str, most: int) -> str:
    """`text` with at most `most` characters; an ellipsis says that there was more."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _parts(parts: Sequence[CausePart]) -> str:
    return ", ".join(f"{part.text} ({_count(part.observed)} instead of {_count(part.expected)})" for part in parts)


def _known(name: str | None) -> list[str]:
    return [] if name is None else [name]


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= _WHOLE_FROM or number == int(number) else f"{number:.1f}"


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%a %d %b %H:%M UTC")


def _clock(time: datetime, now: datetime) -> str:
    """The hour and minute, with the day where it is not that of `now`."""
    here, there = time.astimezone(UTC), now.astimezone(UTC)
    return here.strftime("%H:%M UTC" if here.date() == there.date() else "%a %d %b %H:%M UTC")


def _lasted(time: timedelta) -> str:
    minutes = max(0, int(time.total_seconds() // 60))
    if minutes < 60:  # noqa: PLR2004  an hour
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"  # noqa: PLR2004  two days
