"""The command `triage explain`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sinks.explanations import Explanation
from sinks.explanations import explain as explained
from streams import wiring
from streams.terminal import settings_of

out = Console()


def explain(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="The ticket's id.")],
    tenant: Annotated[str | None, typer.Option(help="Its tenant, where several have such an id.")] = None,
    source: Annotated[str | None, typer.Option(help="Its source, where several have such an id.")] = None,
    similar: Annotated[int, typer.Option(min=0, help="How many similar tickets that people judged to show.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Why a ticket was decided as it was: what spoke for and against, and similar tickets that people judged.

    Shows the newest decision that is in the store. Weights are in nats of log odds: 0.7 doubles the odds of a label.
    """
    with wiring.open_store(settings_of(context)) as store:
        found = explained(store, ticket, tenant=tenant, source=source, similar=similar)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, default=str))  # noqa: T201  for machines
    else:
        _print(found)


def _print(found: Explanation) -> None:
    out.print(f"[b]{escape(found.ticket_id)}[/]  {escape(found.subject)}")
    out.print(
        escape(
            f"{found.kind} at {found.occurred_at:%Y-%m-%d %H:%M:%S} UTC, {found.source}, tenant {found.tenant}; "
            f"{found.place}, models {found.models.get('set', 'unknown')}"
        ),
        style="dim",
    )
    out.print(f"team [b]{escape(found.team)}[/], queue [b]{escape(found.queue)}[/], band [b]{escape(found.band)}[/]")
    heads = Table("", "label", "sure", "else", "what spoke for (+) and against (-) it")
    for head in found.heads:
        others = ", ".join(f"{label} {chance:.2f}" for label, chance in head.top if label != head.label)
        reasons = (
            "a person set it"
            if head.human
            else ", ".join(f"{weight:+.1f} {text}" if weight else text for text, weight in head.reasons)
        )
        heads.add_row(
            head.head,
            escape(head.label),
            f"{head.probability:.2f}",
            escape(others),
            escape(reasons or "no rule, no word"),
        )
    out.print(heads)
    if not found.similar:
        out.print("no similar ticket has feedback yet", style="dim")
        return
    table = Table(
        "alike", "ticket", "subject", "people said", title="Similar tickets with feedback", title_justify="left"
    )
    for ticket in found.similar:
        said = ", ".join(f"{field}: {value}" for field, value in sorted(ticket.said.items()))
        table.add_row(f"{ticket.alike:.2f}", escape(ticket.ticket_id), escape(ticket.subject), escape(said))
    out.print(table)
