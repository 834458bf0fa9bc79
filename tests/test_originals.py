"""The index of tickets: what it finds, what it forgets, and how it comes back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from schemas.errors import BadSettings
from sinks.originals import Originals, Ticket

ONE = Ticket("default", "webform", "T-1")
SAME_ID_ELSEWHERE = Ticket("other", "webform", "T-1")


def test_the_first_event_of_a_ticket_is_found_however_often_it_is_read(tmp_path: Path) -> None:
    index = Originals(tmp_path / "a" / "events-0.sqlite")
    assert (index.next, index.find(ONE)) == (0, None)
    index.add([(ONE, 3), (SAME_ID_ELSEWHERE, 4), (ONE, 7)], 9)
    index.add([(ONE, 5)], 8)  # another worker's late batch
    assert (index.find(ONE), index.find(SAME_ID_ELSEWHERE), index.next) == (3, 4, 10)
    index.close()
    again = Originals(tmp_path / "a" / "events-0.sqlite")
    assert (again.find(ONE), again.next) == (3, 10)
    assert again.span(ONE) == (3, 7)
    again.forget_before(4)
    assert (again.find(ONE), again.find(SAME_ID_ELSEWHERE)) == (None, 4)
    again.start_again()
    assert (again.find(SAME_ID_ELSEWHERE), again.next) == (None, 0)
    again.close()


def test_a_file_of_an_earlier_release_is_made_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "events-0.sqlite")) as file:
        file.executescript("""
            CREATE TABLE tickets (tenant TEXT, source TEXT, ticket_id TEXT, first INTEGER);
            CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 0), next INTEGER NOT NULL);
            INSERT INTO progress VALUES (0, 17);
        """)
    index = Originals(tmp_path / "events-0.sqlite")
    assert index.next == 0
    index.add([(ONE, 3), (ONE, 4)], 4)
    assert (index.span(ONE), index.next) == ((3, 4), 5)
    index.close()


def test_what_was_read_and_how_far_change_together(tmp_path: Path) -> None:
    index = Originals(tmp_path / "events-0.sqlite")

    def breaks_off() -> object:
        yield ONE, 1
        raise RuntimeError("the process is gone")

    with pytest.raises(RuntimeError):
        index.add(breaks_off(), 1)  # type: ignore[arg-type]  # a generator of what is wanted
    assert (index.find(ONE), index.next) == (None, 0)
    index.add([(ONE, 1)], 1)
    assert (index.find(ONE), index.next) == (1, 2)
    index.close()


def test_a_damaged_file_is_begun_again_and_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "events-0.sqlite"
    path.write_bytes(b"this is no database, and long enough to be read as one" * 50)
    index = Originals(path)
    assert index.next == 0
    index.close()
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadSettings, match="TRIAGE_DATA_DIR"):
        Originals(tmp_path / "file" / "events-0.sqlite")
