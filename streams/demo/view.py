"""The demo's live view."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.alerts import Alert, AlertStage
from schemas.decisions import Decision
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
