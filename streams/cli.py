"""The command line: `triage`."""

from __future__ import annotations

import getpass
import json
import logging
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from schemas.codec import Codec
from schemas.errors import BadSettings, Halted, RetryLater, TriageError
from schemas.model_log import Said
from schemas.topics import DECISIONS
from sinks.migrations import migrate as apply_migrations
from sinks.queries import DEFAULT, NamedQuery, named_queries
from sinks.store import Answer
from streams import (
    alerts_cli,
    explain_cli,
    feedback_cli,
    notify_cli,
    redrive_cli,
    series_commands,
    topic_admin,
    watch_cli,
    wiring,
)
from streams.agents import Role
from streams.decoding import opened_decoder
from streams.feed import Layout, Rejected, RowReader, layout_of, read_rows
from streams.feed import feed as feed_rows
from streams.labelled import Columns, FileLayout, LabelledFile
from streams.publish import Publisher
from streams.settings import Settings, load_settings
from streams.terminal import EXIT_FAILED, EXIT_REFUSED, run, settings_of
from streams.times import moment
from streams.watch import EXIT_TRY_LATER

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(
    name="triage",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # an error of ours is one message; any other is a plain traceback to report
    help="Streaming triage of support tickets: decide, route and archive over Kafka, with ClickHouse for trends.",
    epilog="Settings are environment variables TRIAGE_*: see [b]triage settings[/b]. "
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some rows or letters were refused, 75 a service is away.",
)
app.add_typer(redrive_cli.app, name="deadletters")
app.add_typer(feedback_cli.app, name="feedback")
app.add_typer(notify_cli.app, name="notify")
app.add_typer(alerts_cli.app, name="alerts")
app.add_typer(watch_cli.app, name="watch")
app.command()(series_commands.detect)
app.command()(series_commands.forecast)
app.command()(explain_cli.explain)
out = Console()
err = Console(stderr=True)

_BY_DIMENSION = frozenset({DEFAULT, "volumes", "sla"})
"""Queries whose rows are told apart by their first column."""


def main() -> None:
    """Run the command line; errors of ours become one message and an exit code."""
    try:
        app()
    except RetryLater as error:
        err.print(f"[red]not now:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(EXIT_TRY_LATER)
    except BadSettings as error:
        err.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)
    except TriageError as error:
        err.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(EXIT_FAILED)
    except KafkaError as error:
        err.print(
            f"[red]not now:[/] Kafka: {escape(str(error))}. Start one with [b]triage broker[/], or set "
            "KAFKA_BOOTSTRAP_SERVERS and, for TLS and passwords, TRIAGE_KAFKA_*",
            soft_wrap=True,
        )
        sys.exit(EXIT_TRY_LATER)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has seen enough
        sys.exit(0)


@app.callback()
def _common(
    context: typer.Context,
    kafka: Annotated[
        str | None, typer.Option(help="Kafka brokers, host:port[,...]. [dim]KAFKA_BOOTSTRAP_SERVERS[/]")
    ] = None,
    clickhouse: Annotated[str | None, typer.Option(help="ClickHouse server by URL. [dim]CLICKHOUSE_URL[/]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the embedded store. [dim]TRIAGE_DATA_DIR[/]")] = None,
) -> None:
    def settings() -> Settings:
        return load_settings(kafka_bootstrap_servers=kafka, clickhouse_url=clickhouse, data_dir=data_dir)

    context.obj = settings


@app.command()
def demo(
    context: typer.Context,
    tickets: Annotated[
        int | None, typer.Option(min=1, help="Stop once so many events are fed, decided and stored.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Events fed per second.")] = 40.0,
    seed: Annotated[int, typer.Option(help="Seed of the generated tickets.")] = 7,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with an empty Kafka log and an empty store.")] = False,
) -> None:
    """Run everything here: Kafka, worker, ClickHouse engine, generated tickets and a live view. Needs no server.

    Ctrl-C ends it; [b]triage query[/b] reads what it leaves.
    """
    from streams.demo.run import run_demo  # noqa: PLC0415  rendering and generator are for this command alone

    with _jar_progress() as progress:
        run_demo(
            settings_of(context),
            tickets=tickets,
            rate=rate,
            seed=seed,
            fresh=fresh,
            jar_progress=progress,
            console=out,
        )


@app.command()
def worker(
    context: typer.Context,
    only: Annotated[
        list[Role] | None, typer.Option(help="Run this agent alone; may be given again. Default: all.")
    ] = None,
) -> None:
    """Run the agents: decide, archive, learn, try a challenger, count, watch for spikes, tell on-call.

    SIGTERM finishes the batch in hand and commits it.
    """
    from streams import runtime  # noqa: PLC0415  as below
    from streams.worker import run_worker  # noqa: PLC0415  Faust takes half a second to import

    settings = settings_of(context)
    _log_to_stderr(settings.log_level)
    run(run_worker(settings, only or tuple(Role)), runtime.run)


@app.command()
def topics(
    context: typer.Context,
    check_only: Annotated[
        bool, typer.Option("--check", help="Create nothing; fail where a topic is missing or differs.")
    ] = False,
) -> None:
    """Create the topics of the topic table, give them room for larger records, and verify those that exist."""
    settings = settings_of(context)
    table = Table("topic", "parts", "cleanup", "kept", "schema", "state")
    table.columns[0].no_wrap = True
    states = run(topic_admin.ensure_topics(wiring.all_topics(settings), settings, create=not check_only))
    for state in states:
        topic = state.topic
        good = "[green]created[/]" if state.created else "[green]widened[/]" if state.widened else "as it should be"
        verdict = "[red]differs[/]" if state.differences else good
        table.add_row(
            topic.name,
            str(state.partitions),
            topic.cleanup.value,
            "for ever" if topic.retention is None else f"{topic.retention.days} d",
            "bytes" if topic.word is None else topic.word.__name__,
            verdict,
        )
    out.print(table)
    topic_admin.check(states)


@app.command()
def migrate(context: typer.Context) -> None:
    """Bring the store's tables up to date. Repeating it changes nothing."""
    settings = settings_of(context)
    with wiring.open_store(settings) as store:
        applied = apply_migrations(store)
    for migration in applied:
        out.print(f"applied {migration.version:04d}_{migration.name}")
    if not applied:
        out.print("the store is up to date")


@app.command()
def feed(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A JSONL or CSV file, or - for standard input.")],
    layout: Annotated[
        Layout | None,
        typer.Option("--format", help="By default the file's name tells; standard input is jsonl."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Where a field stands: FIELD=COLUMN, such as body=question; may be given again."),
    ] = None,
    source: Annotated[str | None, typer.Option(help="The events' source. Default: the file's name.")] = None,
    tenant: Annotated[str, typer.Option(help="The events' tenant.")] = "default",
    limit: Annotated[int | None, typer.Option(min=1, help="Feed so many rows at most.")] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Write rows that are no ticket event to this JSONL file, with the reason."),
    ] = None,
) -> None:
    """Feed tickets from a file, with a progress bar. Fields are found by their usual column names.

    Rows that are no ticket event are reported and left out; then the exit code is 3.
    """
    settings = settings_of(context)
    pairs = [item.partition("=") for item in column or []]
    if wrong := [name for name, equals, value in pairs if not (name and equals and value)]:
        raise BadSettings(f"--column {wrong[0]}: write FIELD=COLUMN, such as body=question")
    path = None if file == "-" else Path(file)
    reader = RowReader(
        source=source or (path.stem if path else "stdin"),
        tenant=tenant,
        start=wiring.wall_clock(),
        columns={name: value for name, _, value in pairs},
    )
    layout = layout or (layout_of(file) if path else Layout.JSONL)
    with ExitStack() as stack:
        lines = stack.enter_context(_open_text(path)) if path else _stdin()
        sink = stack.enter_context(_open_rejects(rejects)) if rejects else None
        fed, rejected = _feed_with_progress(settings, path, read_rows(lines, layout, reader), limit, sink)
    if rejected:
        where = f"; they are in {rejects}" if rejects else "; keep them with --rejects FILE"
        err.print(f"[yellow]{rejected} rows were rejected{escape(where)}[/]")
        raise typer.Exit(EXIT_REFUSED)
    if not fed:
        err.print("nothing to feed: no rows")


@app.command()
def tail(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="A topic's name, or the start of one that fits no other.")],
    last: Annotated[
        int, typer.Option("--last", "-n", min=0, help="Begin so many records before each partition's end.")
    ] = 5,
    everything: Annotated[bool, typer.Option("--all", help="Begin at the beginning.")] = False,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", "-f", help="Go on with what arrives.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print a topic's records, decoded."""
    from streams.tail import as_json as json_of  # noqa: PLC0415  needed by this command alone
    from streams.tail import one_line  # noqa: PLC0415
    from streams.tail import tail as read_topic  # noqa: PLC0415

    settings = settings_of(context)
    chosen = _named_topic(topic, settings)

    async def show() -> None:
        async for record in read_topic(chosen, settings, last=None if everything else last, follow=follow):
            if as_json:
                print(json.dumps(json_of(record), ensure_ascii=False), flush=True)  # noqa: T201  for machines
            else:
                out.print(one_line(record), soft_wrap=True)

    run(show())


models_app = typer.Typer(no_args_is_help=True, help="Which models decide, and since when.")
app.add_typer(models_app, name="models")


@models_app.command("list")
def models_list(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for machines.")] = False,
) -> None:
    """List every recorded set of models, and from which event on each was live."""
    from streams.models_view import print_sets  # noqa: PLC0415  needed by these commands alone
    from streams.promotion import read_log  # noqa: PLC0415

    print_sets(run(read_log(settings_of(context))), out, as_json=as_json)


@models_app.command("show")
def models_show(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="A recorded version; see [b]triage models list[/].")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Show one set of models: its parts, since when it is live where and why, how it does in the shadow."""
    from streams.models_view import print_set, show_set  # noqa: PLC0415

    print_set(run(show_set(settings_of(context), version)), out, as_json=as_json)


By = Annotated[str | None, typer.Option(help="Who says so. Default: the user of this machine.")]
Reason = Annotated[str, typer.Option(help="Why: kept with the activation.")]


@models_app.command("activate", hidden=True)  # its earlier name
@models_app.command("promote")
def models_promote(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="A recorded version; see [b]triage models list[/].")],
    by: By = None,
    reason: Reason = "",
) -> None:
    """Let a recorded set of models take over, from the next event of each partition on."""
    from streams.promotion import promote  # noqa: PLC0415  needed by these commands alone

    partitions = run(promote(settings_of(context), version, Said(by=by or getpass.getuser(), reason=reason)))
    out.print(f"{version} takes over in {partitions} partitions, after what they hold now")


@models_app.command("rollback")
def models_rollback(context: typer.Context, by: By = None, reason: Reason = "") -> None:
    """Go back to the set of models that was live before the newest one took over.

    It takes over as any other does, from the next event of each partition on. Once only: from there on, promote.
    """
    from streams.promotion import rollback  # noqa: PLC0415

    done = run(rollback(settings_of(context), Said(by=by or getpass.getuser(), reason=reason)))
    out.print(f"{done.version} takes over again in {done.partitions} partitions, after what they hold now")
    since = "" if done.said.at is None else f" on {done.said.at:%Y-%m-%d at %H:%M} UTC"
    who = f" by {done.said.by}" if done.said.by else ""
    why = f": {done.said.reason}" if done.said.reason else ""
    out.print(escape(f"in place of {done.instead_of}, which had taken over{since}{who}{why}"), soft_wrap=True)


@models_app.command("compare")
def models_compare(
    context: typer.Context,
    challenger: Annotated[str, typer.Argument(help="A recorded version, or a taxonomy's file.")],
    against: Annotated[
        str | None, typer.Option(help="What it is compared with: a version or a file. Default: the set that is live.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Compare models on everything that people taught: each answers a lesson before it is learned.

    Reads only: nothing is published, routed or told to anyone.
    """
    from streams.compare_cli import print_comparison, run_comparison  # noqa: PLC0415  needed by this command alone

    print_comparison(run(run_comparison(settings_of(context), challenger, against)), out, as_json=as_json)


@app.command()
def replay(
    context: typer.Context,
    first: Annotated[
        str | None, typer.Option("--from", help="Events from this time on: 2026-11-25T02:30, or an age such as 2h.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Events before this time, or older than this age.")] = None,
    partition: Annotated[int | None, typer.Option(min=0, help="One partition. Default: all.")] = None,
    topic: Annotated[
        str, typer.Option(help="What was emitted: the decisions, or assignments of one queue.")
    ] = DECISIONS.name,
    model: Annotated[
        str | None,
        typer.Option("--model", help="What other models would have decided: a recorded version, or a taxonomy's file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Decide again on what the log holds, and compare byte for byte with what was emitted.

    Reads only: nothing is published, no offset is committed. Ends with 1 where something differs.
    """
    from streams.replay import Range  # noqa: PLC0415  needed by this command alone
    from streams.replay_view import print_report, run_replay  # noqa: PLC0415

    settings, now = settings_of(context), wiring.wall_clock()
    wanted = Range(
        first=None if first is None else moment(first, now),
        last=None if last is None else moment(last, now),
        partition=partition,
        topic=_named_topic(topic, settings).name,
    )
    report = run(run_replay(settings, wanted, model=model, console=err))
    print_report(report, out, compared_with=model, as_json=as_json)
    if not report.good:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def query(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A query's name; see --list.")] = DEFAULT,
    show_list: Annotated[bool, typer.Option("--list", help="List the queries.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Trends: compute them anew first; else they are half an hour old at most.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for machines.")] = False,
) -> None:
    """Ask the store: volumes and trends, teams, answers and resolutions, review queue, latency, dead letters."""
    queries = named_queries()
    if show_list:
        table = Table("name", "what it answers")
        for found in queries.values():
            table.add_row(found.name, found.about)
        out.print(table)
        return
    if name not in queries:
        raise BadSettings(f"there is no query {name!r}; there are {', '.join(queries)}")
    with wiring.open_store(settings_of(context)) as store:
        if fresh or store.exclusive:  # nobody else has it open, who would compute them in time
            queries[name].refresh(store)
        answer = queries[name].run(store)
        computed = queries[name].computed_at(store)
    if as_json:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        print(json.dumps(rows, ensure_ascii=False, default=_plain))  # noqa: T201  for machines
        return
    if not answer.rows:
        err.print(
            "no rows yet: feed tickets with [b]triage feed[/] while [b]triage worker[/] runs, or try [b]triage demo[/]"
        )
        if queries[name].views and not fresh:
            err.print("trends are computed every half hour; [b]--fresh[/] computes them now")
        return
    _print_answer(queries[name], answer, computed)


def _print_answer(asked: NamedQuery, answer: Answer, computed: datetime | None) -> None:
    table = Table(title=asked.about, title_justify="left")
    for index, title in enumerate(answer.columns):
        number = all(row[index] is None or isinstance(row[index], int | float) for row in answer.rows)
        table.add_column(title, justify="right" if number else "left")
    previous: object = None
    for row in answer.rows:
        if asked.name in _BY_DIMENSION and previous not in (None, row[0]):
            table.add_section()
        previous = row[0]
        table.add_row(*("" if value is None else escape(_cell(value)) for value in row))
    if computed is not None:
        table.caption = f"computed at {computed:%H:%M} UTC; --fresh computes it anew"
    out.print(table)


LabelledPath = Annotated[
    Path, typer.Argument(help="A labelled JSONL, JSON or CSV file; .gz is fine.", show_default=False)
]
TextColumns = Annotated[
    str,
    typer.Option(help="Columns with the text, joined in this order. A dot goes into nested JSON: ticket.subject."),
]
LabelColumn = Annotated[str, typer.Option(help="The column with the label.")]
Shuffle = Annotated[
    int | None, typer.Option(help="Shuffle the rows with this seed. Default: as they stand.", show_default=False)
]
Format = Annotated[
    FileLayout | None, typer.Option("--format", help="By default the file's name tells.", show_default=False)
]
Encoding = Annotated[
    str | None,
    typer.Option(help="Default: by the byte order mark, else utf-8 where it fits, else cp1252.", show_default=False),
]
Delimiter = Annotated[str | None, typer.Option(help="Between the cells of a CSV. Default: found.", show_default=False)]
OneObject = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


@app.command()
def evaluate(
    file: LabelledPath,
    text: TextColumns,
    label: LabelColumn,
    delay: Annotated[int, typer.Option(min=0, help="A row's label is learned so many rows later.")] = 0,
    passes: Annotated[int, typer.Option(min=1, help="Learn each row so many times when its label comes.")] = 1,
    against: Annotated[
        str, typer.Option(help="Compare with these in the same run: river, sklearn, vw; with commas between.")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Take so many rows at most, after shuffling.")] = None,
    shuffle: Shuffle = None,
    layout: Format = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    as_json: OneObject = False,
) -> None:
    """Measure how well tickets are classified: each row is answered first, and learned when its label has come.

    Accuracy, macro-F1 (over labels), ECE (calibration error of the probability, 15 bins), coverage (share of the
    tickets, surest first, that can be left to the machine at 90 or 95 % precision) and documents per second
    (answered and learned one at a time, on one core), over all rows and over the last fifth.

    [b]triage evaluate tickets.csv --text subject,body --label queue --delay 100 --against river,sklearn[/]
    """
    from streams.evaluate import run_evaluation  # noqa: PLC0415  learners are for these commands alone

    labelled = LabelledFile(
        path=file,
        columns=Columns(text=_names(text), label=label),
        layout=layout,
        encoding=encoding,
        delimiter=delimiter,
    )
    run_evaluation(
        labelled,
        delay=delay,
        passes=passes,
        against=_names(against),
        limit=limit,
        shuffle=shuffle,
        as_json=as_json,
        clock=wiring.wall_clock,
        out=out,
        err=err,
    )


@app.command()
def train(
    context: typer.Context,
    file: LabelledPath,
    text: TextColumns,
    label: LabelColumn,
    head: Annotated[
        str | None, typer.Option(help="What the model judges. Default: the label's column.", show_default=False)
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(help="Folder of snapshots. Default: snapshots in the data folder.", show_default=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder of the report. Default: reports/HEAD in the data folder.", show_default=False),
    ] = None,
    passes: Annotated[int, typer.Option(min=1, help="Learn each row so many times.")] = 1,
    shuffle: Shuffle = None,
    layout: Format = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    as_json: OneObject = False,
) -> None:
    """Learn from a history of labelled tickets; save a snapshot and a report of how good it was.

    Each ticket is answered before it is learned: the report (figures per label, confusion matrix and calibration plot
    as SVG) is about tickets that the model had not seen. Put the oldest first: later ones count for what is current.

    [b]triage train history.csv --text subject,body --label queue[/]
    """
    from sinks.snapshots import SnapshotFolder  # noqa: PLC0415  learners are for these commands alone
    from streams.train import run_training  # noqa: PLC0415  as above

    name = head or label.rpartition(".")[2]
    data_dir = settings_of(context).data_dir
    run_training(
        LabelledFile(
            path=file,
            columns=Columns(text=_names(text), label=label),
            layout=layout,
            encoding=encoding,
            delimiter=delimiter,
        ),
        head=name,
        store=SnapshotFolder(to or data_dir / "snapshots"),
        report=report or data_dir / "reports" / name,
        passes=passes,
        shuffle=shuffle,
        as_json=as_json,
        clock=wiring.wall_clock,
        out=out,
        err=err,
    )


@app.command()
def broker(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 9092,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the log in this folder. Default: temporary, deleted at the end.")
    ] = None,
) -> None:
    """Run a real single-node Apache Kafka on loopback until Ctrl-C. The first time fetches 40 MB of jars."""
    from streams.broker import Broker  # noqa: PLC0415  needed by this command alone
    from streams.broker.jars import KAFKA_VERSION  # noqa: PLC0415

    # No threading.Event: a signal that finds this thread inside its `wait` would wait for that lock for ever.
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: signals.append(received))
    with _jar_progress() as progress:
        node = Broker(keep, port=port, mirror=settings_of(context).maven_mirror, progress=progress)
    with node:
        out.print(
            f"Apache Kafka {KAFKA_VERSION} answers at {node.bootstrap}; its log: {node.log_path}",
            soft_wrap=True,
        )
        out.print(f"  export KAFKA_BOOTSTRAP_SERVERS={node.bootstrap}")
        out.print("Ctrl-C ends it.")
        while not signals:
            time.sleep(0.2)
            if not node.is_alive():
                raise Halted(f"Kafka has ended by itself; its log: {node.log_path}")


@app.command()
def settings(context: typer.Context) -> None:
    """Print every setting, its value and what it is for. Secrets stay hidden."""
    chosen = settings_of(context)
    table = Table("setting", "value", "what it is for")
    for name, info in Settings.model_fields.items():
        value = getattr(chosen, name)
        table.add_row(f"TRIAGE_{name.upper()}", "" if value is None else escape(str(value)), info.description)
    out.print(table)


def _names(given: str) -> list[str]:
    """Names with commas between."""
    return [name.strip() for name in given.split(",") if name.strip()]


def _named_topic(name: str, chosen: Settings) -> topic_admin.Topic:
    known = {topic.name: topic for topic in wiring.all_topics(chosen)}
    fitting = [topic for full, topic in known.items() if full.startswith(name)]
    if name in known:
        return known[name]
    if len(fitting) == 1:
        return fitting[0]
    raise BadSettings(f"{name!r} names no topic; there are {', '.join(known)}")


def _open_text(path: Path) -> TextIO:
    try:
        # Exports of spreadsheets begin with a byte order mark; a row that is not UTF-8 is rejected with its line.
        return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise BadSettings(f"{path} cannot be read: {error.strerror}") from error


def _stdin() -> TextIO:
    return TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _open_rejects(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8", errors="backslashreplace")  # which JSON reads as what it was
    except OSError as error:
        raise BadSettings(f"--rejects {path} cannot be written: {error.strerror}") from error


def _feed_with_progress(
    chosen: Settings, path: Path | None, rows: Iterator[Any], limit: int | None, rejects: TextIO | None
) -> tuple[int, int]:
    def on_rejected(row: Rejected) -> None:
        if rejects:
            line = {"line": row.line, "reason": row.reason, "text": row.text.rstrip("\n")}
            rejects.write(json.dumps(line, ensure_ascii=False) + "\n")
        bar.console.print(f"[yellow]line {row.line}:[/] {escape(row.reason)}", soft_wrap=True)

    async def prepare() -> None:
        topic_admin.check(await topic_admin.ensure_topics(wiring.all_topics(chosen), chosen, create=False))
        async with opened_decoder(chosen, codec, written=wiring.all_topics(chosen)):
            pass  # the codec writes under the registry's ids now, where there is one

    async def publish() -> tuple[int, int]:
        async with Publisher(chosen.producer_options()) as publisher:
            return await feed_rows(
                rows if limit is None else (row for _, row in zip(range(limit), rows, strict=False)),
                codec=codec,
                publisher=publisher,
                on_progress=on_progress,
                on_rejected=on_rejected,
            )

    def on_progress(events: int, characters: int) -> None:
        nonlocal fed
        fed += events
        seconds = max(1e-9, (wiring.wall_clock() - began).total_seconds())
        bar.update(task, advance=characters, fed=fed, rate=fed / seconds)

    codec = Codec()
    run(prepare())
    fed = 0
    began: datetime = wiring.wall_clock()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[fed]:,} events"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err) as bar:
        # Characters stand for bytes: near enough for a bar.
        total = path.stat().st_size if path and limit is None else None
        task = bar.add_task("feeding", total=total, fed=0, rate=0.0)
        result = run(publish())
        bar.update(task, total=1, completed=1)
    return result


@contextmanager
def _jar_progress() -> Iterator[Callable[[int, int], None]]:
    """A progress bar that appears only where something is fetched."""
    bar: Progress | None = None
    task: Any = None

    def show(done: int, total: int) -> None:
        nonlocal bar, task
        if bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            bar = Progress(*columns, console=err)
            bar.start()
            task = bar.add_task("fetching Apache Kafka, once", total=total)
        bar.update(task, completed=done)
        if done >= total:
            bar.stop()

    try:
        yield show
    finally:
        if bar is not None:
            bar.stop()


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    logging.getLogger("triage").setLevel(level)
    if level == "DEBUG":
        logging.getLogger("faust").setLevel(logging.INFO)


def _plain(value: object) -> object:
    """A value as JSON knows it; the store's times are UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value if isinstance(value, str | int | float) else str(value)


def _cell(value: object) -> str:
    return value.isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else str(value)


if __name__ == "__main__":
    main()
