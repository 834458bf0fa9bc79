"""The store's behaviour, stated once and run on each kind: the engine in process, the same engine over HTTP, and a
real server where CLICKHOUSE_URL names one."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from examples import NOON, alert, forecast_row, position, ticket_event
from serving import PASSWORD, served

from models.decide import Models, decide
from schemas.dead_letters import PREFIX, DeadLetter, Header
from schemas.decisions import AUDITED, LogPosition, Reason
from schemas.errors import MigrationChanged, StoreAheadOfLog, StoreRejected, StoreUnavailable
from sinks import archive as archive_module
from sinks import claims as claims_module
from sinks.archive import TABLES, Archive
from sinks.claims import Claims
from sinks.forecasts import write as write_forecasts
from sinks.front import USER
from sinks.migrations import Migration, migrate, packaged_migrations
from sinks.queries import named_queries
from sinks.rows import Row, alert_row, dead_letter_row, decision_row, event_row
from sinks.store import MOST_ROWS, Store, StoreAccess

# The engine drops what its TTL says is old by its own clock.
TODAY = datetime.now(UTC).replace(microsecond=0)


# A real server joins where one is named.
KINDS = ["embedded", "over HTTP", *(["server"] if os.environ.get("CLICKHOUSE_URL") else [])]


@pytest.fixture(params=KINDS)
def access(request: pytest.FixtureRequest, engine_folder: Path) -> Iterator[StoreAccess]:
    database = f"test_{uuid.uuid4().hex}"
    embedded = StoreAccess(url=f"chdb://{engine_folder}", database=database)
    if request.param == "embedded":
        yield embedded
    elif request.param == "over HTTP":
        with Store(embedded) as engine, served(engine) as url:
            yield StoreAccess(url=url, database=database, user=USER, password=PASSWORD)
    else:
        yield StoreAccess(
            url=os.environ["CLICKHOUSE_URL"],
            database=database,
            user=os.environ.get("CLICKHOUSE_USER"),
            password=os.environ.get("CLICKHOUSE_PASSWORD"),
        )


@pytest.fixture
def store(access: StoreAccess) -> Iterator[Store]:
    with Store(access) as opened:
        migrate(opened)
        yield opened
        opened.command(f"DROP DATABASE {access.database}")


@pytest.fixture
def shared(store: Store) -> Store:
    """A store that several processes may write to."""
    if store.exclusive:
        pytest.skip("one process alone has an embedded store open")
    return store


def events(first: int, last: int, partition: int = 0) -> list[Row]:
    return [
        event_row(ticket_event(event_id=f"{partition}-{at}", tags=("a", "ö")), position(at, partition))
        for at in range(first, last + 1)
    ]


def count(store: Store, table: str = "ticket_events") -> int:
    return int(store.query(f"SELECT count() FROM {table}").rows[0][0])  # noqa: S608  our own table names


def test_migrations_are_applied_once(store: Store) -> None:
    assert migrate(store) == []
    recorded = store.query("SELECT version, name FROM schema_migrations FINAL ORDER BY version").rows
    assert [version for version, _ in recorded] == [migration.version for migration in packaged_migrations()]


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(store: Store) -> None:
    first = packaged_migrations()[0]
    changed = Migration(version=first.version, name=first.name, text=first.text + "\n-- an afterthought\n")
    with pytest.raises(MigrationChanged, match="0001_events"):
        migrate(store, (changed,))


def test_a_migration_that_was_broken_off_can_run_again(access: StoreAccess) -> None:
    with Store(access) as store:
        migrate(store, ())
        for migration in packaged_migrations():
            for statement in migration.statements:  # and then the process ended, before it could note that
                store.command(statement)
            assert migrate(store, (migration,)) == [migration]
        assert migrate(store) == []
        store.command(f"DROP DATABASE {access.database}")


def test_what_was_written_is_there_with_every_field(store: Store) -> None:
    event = ticket_event(
        tags=("büro", "a'b"), customer_tier="vip", language_hint="de", human_set={"priority": "P1"}, requester="x\ty"
    )
    Archive(store).write([event_row(event, position(7, 3))], now=TODAY)
    answer = store.query("SELECT * FROM ticket_events")
    row = dict(zip(answer.columns, answer.rows[0], strict=True))
    assert row["subject"] == event.subject
    assert list(row["tags"]) == list(event.tags)
    assert row["human_set"] == {"priority": "P1"}
    assert row["requester"] == "x\ty"
    assert (row["src_topic"], row["src_partition"], row["src_offset"]) == ("tickets.events.v1", 3, 7)
    assert row["occurred_at"].replace(tzinfo=UTC) == event.occurred_at


def test_a_decision_and_a_dead_letter_are_written_whole(store: Store, models: Models) -> None:
    decision = decide(ticket_event(), position(5), models)
    letter = DeadLetter(
        origin=position(9, 2),
        stage="decode",
        exception="NotFramed",
        message="no",
        stacktrace="...",
        key=b"k",
        value=b"\xff\x00\xfe",
        failed_at=NOON,
    )
    rows = [decision_row(decision, decided_at=NOON, latency_ms=12), dead_letter_row(letter, position(0))]
    assert Archive(store).write(rows, now=TODAY) == 2
    category, top, band = store.query("SELECT category, top['category'], band FROM ticket_decisions").rows[0]
    assert (category, band) == (decision.category.label, decision.band)
    assert [item["label"] for item in top] == [item.label for item in decision.category.top]
    assert store.query("SELECT hex(value), src_offset FROM dead_letters").rows == (("FF00FE", 9),)


def test_rows_delivered_again_are_left_out(store: Store) -> None:
    archive = Archive(store)
    assert archive.write(events(0, 9), now=TODAY) == 10
    assert archive.write(events(5, 14), now=TODAY) == 5
    assert archive.write(events(0, 14), now=TODAY) == 0
    assert count(store) == 15


def test_a_new_process_goes_on_where_the_store_stands(store: Store) -> None:
    Archive(store).write([*events(0, 9), *events(0, 3, partition=1)], now=TODAY)
    another = Archive(store)
    assert another.write([*events(8, 11), *events(2, 5, partition=1)], now=TODAY) == 4
    assert count(store) == 18
    assert another.high_water()["ticket_events", "tickets.events.v1", 1] == 5


def test_a_redriven_row_is_written_though_later_ones_are_there_and_once(store: Store) -> None:
    archive = Archive(store)
    archive.write([*events(0, 3), *events(5, 9)], now=TODAY)
    late = [replace(row, late=True) for row in (*events(4, 4), *events(4, 4), *events(8, 8))]
    assert archive.write(late, now=TODAY) == 1
    assert Archive(store).write([*late, *events(9, 10)], now=TODAY) == 1
    assert count(store) == 11


def test_the_decision_on_an_event_that_was_sent_again_is_kept_once(
    store: Store, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decisions(*offsets: int, sent: str = "again") -> list[Row]:
        event = ticket_event(event_id=sent)
        return [decision_row(decide(event, position(at), models), decided_at=NOON, latency_ms=1) for at in offsets]

    archive = Archive(store)
    assert archive.write(decisions(3, 5), now=TODAY) == 1
    assert archive.write(decisions(9), now=TODAY) == 0
    assert archive.write(decisions(10, sent="another"), now=TODAY) == 1
    assert Archive(store).write([*decisions(9), *decisions(11)], now=TODAY) == 0, "the store remembers, not the process"
    monkeypatch.setattr(archive_module, "REPEATED_WITHIN", 5)
    assert Archive(store).write(decisions(30), now=TODAY) == 1, "much later it is a row of its own"
    assert store.query("SELECT src_offset FROM ticket_decisions ORDER BY src_offset").rows == ((3,), (10,), (30,))


def test_the_same_record_twice_in_one_batch_is_one_row(store: Store) -> None:
    assert Archive(store).write([*events(0, 3), *events(0, 5)], now=TODAY) == 6


def test_a_batch_larger_than_one_insert_is_written_in_parts(store: Store) -> None:
    assert Archive(store).write(events(0, MOST_ROWS + 4), now=TODAY) == MOST_ROWS + 5
    assert count(store) == MOST_ROWS + 5
    with pytest.raises(ValueError, match="more than"):
        store.insert("ticket_events", ["event_id"], [["x"]] * (MOST_ROWS + 1))


def test_an_insert_that_failed_midway_is_asked_about_before_it_is_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(store)
    archive.write(events(0, 4), now=TODAY)
    real = store.insert

    def arrives_but_the_answer_is_lost(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        raise StoreUnavailable("connection reset")

    monkeypatch.setattr(store, "insert", arrives_but_the_answer_is_lost)
    with pytest.raises(StoreUnavailable):
        archive.write(events(3, 9), now=TODAY)
    monkeypatch.undo()
    assert archive.write(events(3, 9), now=TODAY) == 0
    assert count(store) == 10


def test_a_writer_whose_partitions_others_have_taken_over_writes_nothing_twice(shared: Store) -> None:
    frozen, successor = Archive(shared), Archive(shared)
    frozen.write(events(0, 9), now=TODAY)
    assert successor.write(events(5, 14), now=TODAY) == 5
    with pytest.raises(StoreUnavailable, match="another process has taken over"):
        frozen.write(events(10, 19), now=TODAY)
    assert count(shared) == 15
    assert frozen.write(events(10, 19), now=TODAY) == 5, "with a claim of its own it sees what is there"
    with pytest.raises(StoreUnavailable, match="another process has taken over"):
        successor.write(events(15, 24), now=TODAY)
    assert successor.write(events(15, 24), now=TODAY) == 5
    assert count(shared) == 25


def test_writers_of_other_partitions_and_tables_do_not_disturb_each_other(shared: Store, models: Models) -> None:
    first, second = Archive(shared), Archive(shared)
    decision = decision_row(decide(ticket_event(), position(0), models), decided_at=NOON, latency_ms=1)
    for start in range(0, 30, 10):
        assert first.write(events(start, start + 9), now=TODAY) == 10
        assert second.write([*events(start, start + 9, partition=1), decision], now=TODAY) == 10 + (start == 0)


def test_of_two_claims_at_once_one_is_the_newest(shared: Store) -> None:
    claims = [Claims(shared) for _ in range(4)]
    threads = [threading.Thread(target=one.take, args=("ticket_events", {0, 1})) for one in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for partition in (0, 1):
        conditions = [one.condition("ticket_events", {partition}) for one in claims]
        assert sum(shared.query(f"SELECT {condition}").rows[0][0] for condition in conditions) == 1


def test_a_claim_waits_for_an_insert_that_is_under_way_and_ends_it_when_it_lasts(
    shared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims_module, "_KILL_AFTER_SECONDS", 0.1)
    running = {"triage-insert-ticket_events-1"}
    killed: list[set[str]] = []
    monkeypatch.setattr(shared, "running_inserts", lambda *_: set(running))

    def kill(names: set[str]) -> None:
        killed.append(set(names))
        running.clear()

    monkeypatch.setattr(shared, "kill", kill)
    assert Claims(shared).take("ticket_events", {0})
    assert killed == [{"triage-insert-ticket_events-1"}]


def test_a_server_names_the_inserts_that_it_is_at_work_on_and_ends_them(store: Store) -> None:
    assert store.running_inserts("ticket_events", {0, 1}) == set()
    store.kill({"triage-insert-ticket_events-1"})


def test_a_value_that_fits_no_column_is_rejected_and_not_tried_for_ever(shared: Store) -> None:
    row = replace(events(0, 0)[0], position=position(0, -1))
    with pytest.raises(StoreRejected):
        Archive(shared).write([row], now=TODAY)
    assert count(shared) == 0


def test_a_store_that_is_ahead_of_its_log_stops_the_archive(store: Store) -> None:
    archive = Archive(store)
    archive.write(events(0, 9), now=TODAY)
    archive.check_log("tickets.events.v1", 0, 10)
    archive.check_log("tickets.events.v1", 1, 0)
    with pytest.raises(StoreAheadOfLog, match=r"offset 9 of tickets\.events\.v1"):
        archive.check_log("tickets.events.v1", 0, 9)


def test_the_per_minute_counts_equal_the_rows(store: Store, models: Models) -> None:
    decisions = [
        decide(ticket_event(event_id=str(at), occurred_at=NOON + timedelta(seconds=20 * at)), position(at), models)
        for at in range(30)
    ]
    Archive(store).write([decision_row(item, decided_at=NOON, latency_ms=1) for item in decisions], now=TODAY)
    counts = store.query("SELECT minute, sum(decisions) FROM decisions_per_minute GROUP BY minute ORDER BY minute").rows
    assert [int(times) for _, times in counts] == [3] * 10
    plan = store.query(
        "EXPLAIN SELECT toStartOfMinute(occurred_at), category, count() FROM ticket_decisions "
        "GROUP BY toStartOfMinute(occurred_at), category"
    ).rows
    assert any("per_minute" in str(line) for line in plan), "the projection is not used"


def test_every_named_query_runs_on_an_empty_and_on_a_filled_store(store: Store, models: Models) -> None:
    for query in named_queries().values():
        assert query.about
        query.refresh(store)
        assert query.run(store).rows == ()
    french = ticket_event(subject="Imprimante", body="Bonjour, mon imprimante ne marche plus depuis ce matin, merci.")
    decided = decide(french, position(0), models)
    drawn = replace(decided.category, reasons=(Reason(text=AUDITED, weight=0.0),))
    decided = replace(decided, category=drawn, incident_id=alert().incident_id)
    rows = [decision_row(decided, decided_at=NOON, latency_ms=3)]
    letter = DeadLetter.read(b"k", b"v", [], failed_at=NOON)
    rows.append(dead_letter_row(letter, position(4, topic="tickets.deadletters.v1")))
    rows.append(alert_row(alert(), position(5, topic="tickets.alerts.v1")))
    Archive(store).write(rows, now=TODAY)
    end = NOON + timedelta(hours=2)
    write_forecasts(store, [forecast_row(), forecast_row(hour=end, made_at=end)], now=TODAY)
    for query in named_queries().values():
        if not query.views:  # trends: tests/test_trends.py
            assert query.run(store).rows, query.name


def test_parameters_are_values_and_never_sql(store: Store) -> None:
    tricky = "o'k\\ \n\t{x:String} -- ;"
    assert store.query("SELECT {value:String}", {"value": tricky}).rows == ((tricky,),)


def test_a_wrong_statement_is_rejected_with_the_servers_words(store: Store) -> None:
    with pytest.raises(StoreRejected, match="nope"):
        store.query("SELECT nope FROM ticket_events")


def test_missing_tables_say_what_to_run(access: StoreAccess) -> None:
    with Store(access) as empty, pytest.raises(StoreRejected, match="triage migrate"):
        named_queries()["overview"].run(empty)


def test_archive_tables_are_those_of_the_migrations(store: Store) -> None:
    answer = store.query("SELECT name FROM system.tables WHERE database = {name:String}", {"name": store.database})
    assert set(TABLES) <= {name for (name,) in answer.rows}
    assert archive_module.TABLES == TABLES


def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        Store(StoreAccess(url="http://127.0.0.1:9"))


def test_a_wrong_password_is_rejected(engine_folder: Path) -> None:
    with (
        Store(StoreAccess(url=f"chdb://{engine_folder}")) as engine,
        served(engine) as url,
        pytest.raises(StoreRejected, match="password"),
    ):
        Store(StoreAccess(url=url, user=USER, password="wrong"))  # noqa: S106  it is wrong


def test_several_threads_may_use_one_store(store: Store) -> None:
    answers: list[int] = []

    def ask() -> None:
        answers.extend(int(store.query("SELECT 1").rows[0][0]) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 80


@pytest.mark.parametrize(
    ("partition", "offset"),
    [(b"", b""), (b"", b"7"), (b"-1", b"7"), (b"70000", b"7"), (b"0", b"-1"), (b"0", b"%d" % 2**70)],
)
def test_a_letter_without_an_origin_that_can_be_stands_for_its_own_place(partition: bytes, offset: bytes) -> None:
    own = LogPosition(topic="tickets.deadletters.v1", partition=2, offset=11)
    origin: list[Header] = [(f"{PREFIX}topic", b"t"), (f"{PREFIX}partition", partition), (f"{PREFIX}offset", offset)]
    assert dead_letter_row(DeadLetter.read(None, None, origin, failed_at=NOON), own).position == own
