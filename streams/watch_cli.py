"""`triage watch`: what the watch of spikes knows."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from streams.terminal import run, settings_of

app = typer.Typer(no_args_is_help=True, help="What the watch of spikes knows.")
out = Console()
err = Console(stderr=True)


@app.callback()
def _watch() -> None:  # pyright: ignore[reportUnusedFunction]  typer would make the one command the group itself
    """What the watch of spikes knows."""


@app.command("warm-start")
def warm_start_command(
    context: typer.Context,
    weeks: Annotated[int, typer.Option(min=1, help="How far back in the store.")] = 8,
    anew: Annotated[bool, typer.Option("--anew", help="Replace what the watch has learned.")] = False,
) -> None:
    """Have the watch begin with what the store's counts teach, where the log no longer reaches back.

    Run it before the workers with the role watch start. Nothing is told of what is over by then.
    """
    from streams.warm_start import warm_start  # noqa: PLC0415  it brings the detector, which other commands do without

    learned = run(warm_start(settings_of(context), weeks, anew=anew))
    if learned.newest is None:
        err.print("[yellow]neither the store nor the log has counts[/]: the watch begins with nothing", soft_wrap=True)
    else:
        since = "" if learned.since is None else f", since {learned.since:%Y-%m-%d %H:%M} UTC"
        out.print(
            f"learned {learned.series} series from {learned.stored} records of the store{since}, and "
            f"{learned.logged} of the log, until {learned.newest:%Y-%m-%d %H:%M} UTC",
            soft_wrap=True,
        )
    if learned.missing:
        err.print(
            f"[yellow]{learned.missing} records of counts are neither in the store nor in the log any more[/]: "
            "that time counts as one with fewer tickets",
            soft_wrap=True,
        )
    if learned.open_incidents:
        out.print(f"{learned.open_incidents} incidents are open, and the watch goes on with them")
    out.print(f"a worker with the role watch begins from {escape(str(learned.snapshot))}", soft_wrap=True)
