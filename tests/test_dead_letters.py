"""Dead letters as values: which are meant, what goes back, what is too large, and how they are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from examples import NOON, dead_letters, position
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letters import (
    LEFT_OUT_HEADER,
    REDRIVEN_HEADER,
    DeadLetter,
    Header,
    LetterFilter,
    Place,
    left_out,
    mark_headers,
    marked_place,
    redriven_headers,
    refusal,
    shortened,
)
from schemas.decisions import LogPosition
from schemas.errors import BadSettings
from sinks.rows import dead_letter_row
from streams.redrive import Listed, to_redrive
from streams.redrive_cli import hex_dump
from streams.times import moment

NAMES = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=8)
HEADERS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=8)), max_size=4)
PLACES = st.builds(Place, st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))


def letter(**changes: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "origin": position(offset=17, partition=3),
        "stage": "decode",
        "exception": "schemas.errors.NotFramed",
        "message": "no value",
        "stacktrace": "...",
        "key": b"T-1",
        "value": b"\x01\x02",
        "failed_at": NOON,
    }
    return DeadLetter(**{**fields, **changes})


def listed(place: Place, *, redriven: bool = False, **changes: Any) -> Listed:
    return Listed(
        place=place,
        letter=letter(**changes),
        value_bytes=2,
        left_out="",
        redriven_at=NOON if redriven else None,
    )


@given(dead_letters, HEADERS, PLACES)
def test_a_redriven_record_has_the_headers_that_it_came_with_and_says_which_letter_it_was(
    dead: DeadLetter, original: list[Header], place: Place
) -> None:
    again = redriven_headers(dead.headers(original), place)
    assert again == [*original, (REDRIVEN_HEADER, str(place).encode())]
    # When it fails once more and is redriven once more, there is still one such header: the newest.
    other = Place(1, 2)
    assert redriven_headers(dead.headers(again), other) == [*original, (REDRIVEN_HEADER, b"1:2")]


@given(dead_letters, HEADERS, PLACES)
def test_a_mark_is_told_from_a_letter_even_of_a_redriven_record_without_a_value(
    dead: DeadLetter, original: list[Header], place: Place
) -> None:
    assert marked_place(None, mark_headers(place)) == place
    assert marked_place(None, dead.headers(redriven_headers(original, place))) is None
    assert marked_place(b"", mark_headers(place)) is None
    assert marked_place(None, [(REDRIVEN_HEADER, b"here")]) is None


@pytest.mark.parametrize("text", ["", "3", "3:", ":3", "-1:2", "1:2:3", "1: 2", "a:b", "\u0661:2", f"1:{10**19}"])
def test_what_is_no_place_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="3:17"):
        Place.parse(text)


@pytest.mark.parametrize(
    ("chosen", "fits"),
    [
        (LetterFilter(), True),
        (LetterFilter(stage="decode"), True),
        (LetterFilter(stage="decide"), False),
        (LetterFilter(error="NotFramed"), True),
        (LetterFilter(error="errors.NotFramed"), True),
        (LetterFilter(error="schemas.errors.NotFramed"), True),
        (LetterFilter(error="Framed"), False),
        (LetterFilter(topic="tickets.events.v1", partition=3), True),
        (LetterFilter(topic="tickets.decisions.v1"), False),
        (LetterFilter(partition=0), False),
        (LetterFilter(since=NOON), True),
        (LetterFilter(since=NOON + timedelta(seconds=1)), False),
        (LetterFilter(until=NOON), False),
        (LetterFilter(until=NOON + timedelta(seconds=1)), True),
        (LetterFilter(ticket=b"T-1"), True),
        (LetterFilter(ticket=b"T-2"), False),
    ],
)
def test_a_filter_means_the_letters_that_it_describes(chosen: LetterFilter, fits: bool) -> None:
    assert chosen.fits(letter()) is fits


def test_letters_that_cannot_go_back_are_refused_with_the_reason() -> None:
    ours = {"tickets.events.v1": 8}
    assert refusal(letter(), ours) is None
    assert "another program" in str(refusal(letter(origin=LogPosition(topic="", partition=-1, offset=-1)), ours))
    assert "no topic of this pipeline" in str(refusal(letter(origin=position(topic="orders")), ours))
    assert "no partition 8" in str(refusal(letter(origin=position(partition=8)), ours))


def test_a_letter_is_redriven_once_whether_it_was_marked_or_repeats_another() -> None:
    first, repeated, other = listed(Place(0, 1)), listed(Place(0, 2)), listed(Place(0, 3), origin=position(offset=18))
    done = listed(Place(0, 4), redriven=True, origin=position(offset=19))
    foreign = [listed(Place(0, at), origin=LogPosition(topic="", partition=-1, offset=-1)) for at in (5, 6)]
    every = [first, repeated, other, done, *foreign]
    assert to_redrive(every, again=False) == [repeated, other, *foreign]
    assert to_redrive(every, again=True) == [repeated, other, done, *foreign]


@given(dead_letters, HEADERS, st.integers(300, 2_000), st.integers(0, 3_000), st.integers(0, 3_000))
def test_a_letter_fits_and_says_what_it_leaves_out(
    dead: DeadLetter, original: list[Header], most: int, value_bytes: int, key_bytes: int
) -> None:
    dead = letter(key=b"k" * key_bytes, value=b"v" * value_bytes)
    room = most + 800  # for the letter's own headers
    kept = dead.fitted(original, most_bytes=room)
    said = dict(part.split("=") for part in left_out(kept.headers).split())
    size = len(kept.key or b"") + len(kept.value or b"") + sum(len(n) + len(v or b"") for n, v in kept.headers)
    assert size <= room
    assert kept.value == (b"" if "value" in said else dead.value)
    assert kept.key == (None if "key" in said else dead.key)
    assert said.get("value", str(value_bytes)) == str(value_bytes)
    if not said:
        assert kept == (dead.key, dead.value, dead.headers(original))
    assert DeadLetter.read(kept.key, kept.value, kept.headers, failed_at=NOON).origin == dead.origin


def test_only_as_much_is_left_out_as_has_to_be() -> None:
    original = [("ce_id", b"1"), ("h", b"x" * 5_000)]
    assert left_out(letter(value=b"v" * 100).fitted(original, most_bytes=100_000).headers) == ""
    kept = letter(value=b"v" * 100_000).fitted(original, most_bytes=50_000)
    assert (kept.key, kept.value, left_out(kept.headers)) == (b"T-1", b"", "value=100000")
    assert kept.headers[:2] == original
    kept = letter(value=b"v" * 100_000).fitted(original, most_bytes=5_000)
    assert (kept.key, left_out(kept.headers)) == (b"T-1", "value=100000 headers=5007")
    # A letter that is redriven and fails again begins anew.
    assert LEFT_OUT_HEADER not in dict(letter().headers(kept.headers))


@given(st.text(), st.integers(100, 400))
def test_a_shortened_text_is_short_and_keeps_its_ends(text: str, most: int) -> None:
    short = shortened(text * 20, most)
    assert len(short.encode(errors="backslashreplace")) <= most
    if short != text * 20:
        assert "left out" in short
        assert short[:5] == (text * 20)[:5]


def test_an_error_with_half_a_character_in_its_text_has_a_letter_all_the_same() -> None:
    headers = dict(letter(message=shortened("half \ud83d", 100)).headers())
    assert headers["__streams.errors.message"] == b"half \\ud83d"


@pytest.mark.parametrize("offset", ["", "-1", "1e3", "9" * 19, "9" * 5_000, "1_0", " 1", "0x1", "²"])
def test_what_a_foreign_writer_says_of_an_offset_that_is_none_is_no_origin(offset: str) -> None:
    headers = [
        ("__streams.errors.topic", b"tickets.events.v1"),
        ("__streams.errors.partition", b"0"),
        ("__streams.errors.offset", offset.encode()),
    ]
    read = DeadLetter.read(b"k", b"v", headers, failed_at=NOON)
    assert not read.has_origin
    own = position(4, topic="tickets.deadletters.v1")
    assert dead_letter_row(read, own).position == own


def test_a_partition_that_the_store_has_no_room_for_is_no_position_of_its_row() -> None:
    own = position(4, topic="tickets.deadletters.v1")
    assert dead_letter_row(letter(origin=position(partition=2**16)), own).position == own
    assert dead_letter_row(letter(), own).position == letter().origin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", NOON - timedelta(hours=2)),
        ("90m", NOON - timedelta(minutes=90)),
        ("3d", NOON - timedelta(days=3)),
        ("1w", NOON - timedelta(weeks=1)),
        ("999999999w", datetime.fromtimestamp(0, UTC)),
        ("2026-03-02", NOON.replace(hour=0)),
        ("2026-03-02T12:00", NOON),
        ("2026-03-02T13:00+01:00", NOON),
        ("2026-03-02T12:00Z", NOON),
    ],
)
def test_times_are_ages_or_iso_8601(text: str, expected: datetime) -> None:
    assert moment(text, NOON) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2x", "-2h", "12:00"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadSettings, match="3d"):
        moment(text, NOON)


def test_a_hex_dump_shows_offset_bytes_and_text_and_says_what_it_leaves_out() -> None:
    lines = list(hex_dump(bytes(range(64, 96)) + b"\x00\xff", most=33))
    assert lines[0] == "00000000  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO"
    assert lines[2] == f"00000020  {'00':<48} ."
    assert lines[3] == "... 1 bytes more; --value FILE writes all"
    assert list(hex_dump(b"")) == []
