"""The demo's live view."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.alerts import Alert, AlertStage
from schemas.decisions import Decision
from sinks.notify.counterpart import Incident
from sinks.notify.pagerduty import dedup_key
from streams.tail import BAND_STYLE, PRIORITY_STYLE

SHOWN_DECISIONS = 12
_SHOWN_INCIDENTS = 3
_BAR_WIDTH = 18


@dataclass(slots=True)
class DemoState:
    """What the live view shows."""

    broker: str = ""
    store: str = ""
    phase: str = "starting"
    simulated: datetime | None = None
    fed: int = 0
    decided: int = 0
    stored: int = 0
    dead: int = 0
    rate: float = 0.0
    latest: deque[Decision] = field(default_factory=lambda: deque(maxlen=SHOWN_DECISIONS))
    categories: Counter[str] = field(default_factory=Counter[str])
    languages: Counter[str] = field(default_factory=Counter[str])
    bands: Counter[str] = field(default_factory=Counter[str])
    incidents: dict[str, Alert] = field(default_factory=dict[str, Alert])
    """The newest word on each incident, the oldest incident first."""
    named: Counter[str] = field(default_factory=Counter[str])
    """By incident: the decisions that name it."""
    opened: dict[str, tuple[Alert, float]] = field(default_factory=dict[str, tuple[Alert, float]])
    """The first word on each, and when it was on the topic, in seconds since 1970."""
    pages: list[Incident] = field(default_factory=list[Incident])
    """What PagerDuty's counterpart has."""
    fed_at: list[tuple[datetime, float]] = field(default_factory=list[tuple[datetime, float]])
    """When the tickets up to a time were fed, in seconds since 1970; one entry for each batch."""

    def page_of(self, incident_id: str) -> list[Incident]:
        """PagerDuty's incidents by the key of ours: one, where all is well."""
        return [one for one in self.pages if one.key == dedup_key(incident_id)]

    def all_told(self) -> bool:
        """Whether each incident that is to page has paged."""
        return all(self.page_of(name) for name, alert in self.incidents.items() if alert.page)

    def all_over(self) -> bool:
        """Whether each incident is resolved, at PagerDuty, too."""
        resolved = all(alert.stage is AlertStage.RESOLVED for alert in self.incidents.values())
        return resolved and self.all_told() and all(one.status == "resolved" for one in self.pages)


def live_view(state: DemoState) -> RenderableType:
    """The whole view."""
    counters = Table.grid(padding=(0, 2))
    simulated = state.simulated.strftime("%a %Y-%m-%d %H:%M UTC") if state.simulated else ""
    counters.add_row(
        f"[b]{state.fed:,}[/] fed",
        f"[b]{state.decided:,}[/] decided",
        f"[b]{state.stored:,}[/] in the store",
        f"[b red]{state.dead:,}[/] dead letters",
        f"[b]{state.rate:,.0f}[/]/s",
        f"[dim]tickets of[/] {simulated}",
    )
    decisions = Table(expand=True, box=None, header_style="dim", pad_edge=False)
    for title, ratio in (
        ("pri", 1),
        ("lang", 2),
        ("category", 3),
        ("p", 1),
        ("queue", 3),
        ("mood", 2),
        ("subject", 10),
    ):
        decisions.add_column(title, ratio=ratio, no_wrap=True, overflow="ellipsis")
    for decision in reversed(state.latest):
        decisions.add_row(
            Text(decision.priority.label, PRIORITY_STYLE.get(decision.priority.label, "")),
            decision.language.label,
            decision.category.label,
            f"{decision.category.probability:.2f}",
            Text(decision.queue, BAND_STYLE[decision.band]),
            decision.sentiment.label,
            escape(decision.subject),
        )
    bars = Columns(
        [
            Panel(_bars(state.categories, 8), title="category", title_align="left", width=48),
            Panel(_bars(state.languages, 8), title="language", title_align="left", width=42),
            Panel(_bars(state.bands, 8), title="band", title_align="left", width=42),
        ]
    )
    return Group(
        Panel(
            counters,
            title=f"triage demo: {state.phase}",
            title_align="left",
            subtitle=f"Kafka {state.broker}   store {state.store}",
            subtitle_align="left",
        ),
        Panel(decisions, title="latest decisions", title_align="left"),
        Panel(_incidents(state), title="incidents", title_align="left"),
        bars,
        Text("Ctrl-C ends the demo; what it decided stays for: triage query", style="dim"),
    )


def incident_line(alert: Alert) -> Text:
    """An incident in a line or two: what rose, whose it is, its words and its tickets."""
    over = alert.stage is AlertStage.RESOLVED
    words = ", ".join(part.text for part in alert.cause.terms)
    return Text.assemble(
        ("over " if over else "spike", "green" if over else "bold red"),
        f" {alert.opened_at:%a %H:%M} {alert.subject}: {alert.size.observed:.0f} tickets instead of "
        f"{alert.size.expected:.1f}, for {alert.team}{'' if alert.page else ' (no page)'}; ",
        (f"words: {words}; ", "bold"),
        f"tickets: {', '.join(alert.cause.examples[:3])}",
    )


def page_line(state: DemoState, incident_id: str) -> Text:
    """How an incident went on from its onset: to the topic, to PagerDuty, to its end.

    Seconds are real ones, since the tickets of the moment at which the detector saw it were fed.
    """
    if incident_id not in state.opened:
        return Text("  it had opened before this run", style="dim")
    first, on_topic = state.opened[incident_id]
    seen = timedelta(seconds=(first.at - first.opened_at).total_seconds())
    text = f"  seen {seen.total_seconds() / 60:.1f} min of the tickets' time after its onset"
    place = bisect_left(state.fed_at, (first.at, 0.0))
    if place == len(state.fed_at):
        return Text(text)
    fed = state.fed_at[place][1]
    text += f"; on the topic {on_topic - fed:.1f} s later"
    if not first.page:
        return Text(f"{text}; no page: {first.note}")
    pages = state.page_of(incident_id)
    if not pages:
        return Text(f"{text}; PagerDuty has not been told")
    triggers = sum(one.events.count("trigger") for one in pages)
    text += f", paged {pages[0].came_at[0] - fed:.1f} s later, {'once' if triggers == 1 else f'{triggers} times'}"
    over = all(one.status == "resolved" for one in pages)
    return Text(f"{text}; {'resolved' if over else 'not over yet'} by the key {pages[0].key}")


def named_line(state: DemoState, alert: Alert) -> Text:
    """How many tickets belonged to an incident, of those that were decided once it was known."""
    number = state.named[alert.incident_id]
    text = f"{number:,} tickets that came once it was known name it, and went to {alert.team}"
    return Text(f"  {text if number else 'no ticket of it came once it was known'}", style="dim")


def _incidents(state: DemoState) -> RenderableType:
    latest = list(state.incidents.values())[-_SHOWN_INCIDENTS:]
    if not latest:
        return Text("none yet; the first outage comes six hours into the tickets' time", style="dim")
    return Group(*(incident_line(alert) for alert in reversed(latest)))


def _bars(counts: Counter[str], most: int) -> RenderableType:
    total = max(1, counts.total())
    table = Table.grid(padding=(0, 1))
    for name, count in counts.most_common(most):
        filled = round(_BAR_WIDTH * count / total)
        table.add_row(name, f"[blue]{'█' * filled}[/]", f"{100 * count / total:.0f} %")
    return table
