"""State that carries its offset: whatever is delivered again, each record counts once."""

from __future__ import annotations

import json

from examples import position
from hypothesis import given
from hypothesis import strategies as st

from models.through import Through


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[tuple[int, int]], dict[int, int]]:
    """Partition and offset of records of up to three partitions, as a consumer that crashes now and then gets them."""
    ends = {partition: draw(st.integers(0, 12)) for partition in range(draw(st.integers(1, 3)))}
    reached = dict.fromkeys(ends, 0)
    given_out: list[tuple[int, int]] = []
    while unfinished := [partition for partition, end in ends.items() if reached[partition] < end]:
        partition = draw(st.sampled_from(unfinished))
        given_out.append((partition, reached[partition]))
        reached[partition] += 1
        if draw(st.integers(0, 4)) == 0:  # a crash: a partition goes on from some offset before
            again = draw(st.sampled_from(sorted(ends)))
            reached[again] = draw(st.integers(0, reached[again]))
        if len(given_out) > 200:
            break
    return given_out, ends


@given(deliveries())
def test_each_record_counts_once_however_often_it_comes(
    delivered: tuple[list[tuple[int, int]], dict[int, int]],
) -> None:
    records, _ = delivered
    kept: Through[list[list[int]]] = Through([])
    for partition, offset in records:
        kept = kept.take(position(offset, partition), lambda seen, new=[partition, offset]: [*seen, new])
        # As a table's changelog would hand it back after a crash.
        kept = Through.of_value(json.loads(json.dumps(kept.as_value())), [])
    assert sorted(map(tuple, kept.state)) == sorted(set(records))
    assert len(kept.state) == len(set(records))


def test_sources_do_not_hide_each_other() -> None:
    kept = Through(0).take(position(5), lambda count: count + 1)
    assert kept.has(position(5))
    assert kept.has(position(4))
    assert not kept.has(position(6))
    assert not kept.has(position(0, partition=1))
    assert not kept.has(position(0, topic="tickets.feedback.v1"))
    assert kept.take(position(0, topic="tickets.feedback.v1"), lambda count: count + 1).state == 2


def test_a_table_without_a_value_begins_at_the_start() -> None:
    assert Through.of_value(None, 7) == Through(7)
    assert Through.of_value({}, 7) == Through(7)
