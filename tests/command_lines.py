"""Command lines that stand in documents and files, checked against the command line itself."""

from __future__ import annotations

from collections.abc import Sequence

import click
import pytest


def check_arguments(command: click.Command, arguments: Sequence[str], line: str) -> None:
    """Parse `arguments` as click would, without running anything; fail for what `line` names and nobody knows."""
    context = click.Context(command, info_name="triage")
    try:
        if isinstance(command, click.Group):
            rest = command.make_parser(context).parse_args(list(arguments))[1]
            name, found, rest = command.resolve_command(context, rest)
            assert found is not None, f"{line}: no command {name}"
            check_arguments(found, rest, line)
        else:
            command.make_context("triage", list(arguments), parent=context)
    except click.ClickException as error:
        pytest.fail(f"{line}: {error.format_message()}")
