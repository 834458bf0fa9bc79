"""What commands share: their settings, running their work, exit codes, a progress bar."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from streams.settings import Settings

T = TypeVar("T")

EXIT_FAILED = 1
EXIT_REFUSED = 3
"""Some rows or letters were refused, the others went through."""
EXIT_INTERRUPTED = 130


def settings_of(context: typer.Context) -> Settings:
    """The settings that the command line's common options and the environment make. Raises BadSettings."""
    load: Callable[[], Settings] = context.obj
    return load()


def run(work: Coroutine[Any, Any, T], runner: Callable[[Coroutine[Any, Any, T]], T] = asyncio.run) -> T:
    """Run `work`; Ctrl-C ends it without a traceback."""
    try:
        return runner(work)
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None


def work_bar(console: Console, *, transient: bool = True) -> Progress:
    """A bar of how much is done of how much there is; a `transient` one leaves nothing behind."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=transient)
