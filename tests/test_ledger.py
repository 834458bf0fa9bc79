"""The ledger of a partition: what may be committed never passes work in hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streams.transport.ledger import Ledger


@dataclass
class Receipt:
    acked: bool = False


def delivered(ledger: Ledger, start: int, end: int, size: int = 10) -> Receipt:
    receipt = Receipt()
    assert ledger.deliver(start, end, size, receipt)
    return receipt


def test_nothing_is_finished_before_its_receipt() -> None:
    ledger = Ledger(5)
    first = delivered(ledger, 5, 10)
    assert (ledger.settle(), ledger.position) == (5, 10)
    first.acked = True
    assert ledger.settle() == 10


def test_a_batch_that_is_finished_early_waits_for_those_before_it() -> None:
    ledger = Ledger(0)
    first, second, third = delivered(ledger, 0, 3), delivered(ledger, 3, 9), delivered(ledger, 9, 12)
    third.acked = second.acked = True
    assert ledger.settle() == 0
    first.acked = True
    assert ledger.settle() == 12


def test_holes_between_offsets_are_no_gaps() -> None:
    ledger = Ledger(0)
    # A compacted log: offsets 0, 7 and 40 are all that is left.
    first, second = delivered(ledger, 0, 8), delivered(ledger, 8, 41)
    first.acked = second.acked = True
    assert ledger.settle() == 41


def test_a_batch_that_does_not_begin_where_the_last_one_ended_is_refused() -> None:
    ledger = Ledger(0)
    delivered(ledger, 0, 3)
    assert not ledger.deliver(5, 8, 1, Receipt())
    assert not ledger.deliver(0, 3, 1, Receipt())
    assert not ledger.deliver(3, 3, 1, Receipt())
    assert (ledger.position, len(ledger)) == (3, 1)


def test_bytes_in_hand_are_those_of_the_unfinished_prefix() -> None:
    ledger = Ledger(0)
    first, second = delivered(ledger, 0, 3, 100), delivered(ledger, 3, 9, 50)
    assert ledger.bytes_in_hand == 150
    second.acked = True
    ledger.settle()
    assert ledger.bytes_in_hand == 150  # it is kept until the first one is finished
    first.acked = True
    ledger.settle()
    assert ledger.bytes_in_hand == 0


def test_a_seek_back_makes_late_receipts_worthless() -> None:
    ledger = Ledger(0)
    old = delivered(ledger, 0, 10)
    ledger.seek(0)
    new = delivered(ledger, 0, 6)
    old.acked = True
    assert ledger.settle() == 0
    assert ledger.bytes_in_hand == 10
    new.acked = True
    assert ledger.settle() == 6


def test_a_seek_into_a_batch_leaves_what_stands_before_it_in_hand() -> None:
    ledger = Ledger(0)
    old = delivered(ledger, 0, 10)
    ledger.seek(4)
    new = delivered(ledger, 4, 10)
    new.acked = True
    assert ledger.settle() == 0
    old.acked = True
    assert ledger.settle() == 10


def test_a_seek_forward_does_not_pass_what_is_in_hand() -> None:
    ledger = Ledger(0)
    before = delivered(ledger, 0, 10)
    ledger.seek(500)
    after = delivered(ledger, 500, 510)
    after.acked = True
    assert ledger.settle() == 0
    before.acked = True
    assert ledger.settle() == 510


@pytest.mark.parametrize("position", [0, 4, 10, 700])
def test_a_seek_with_empty_hands_begins_anew(position: int) -> None:
    ledger = Ledger(0)
    delivered(ledger, 0, 10).acked = True
    ledger.seek(position)
    assert (ledger.position, ledger.settle(), len(ledger)) == (position, position, 0)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_whatever_the_order_of_receipts_everything_is_finished_in_the_end(sizes: list[int], random: object) -> None:
    ledger, receipts, end = Ledger(0), list[Receipt](), 0
    for size in sizes:
        receipts.append(delivered(ledger, end, end + size, size))
        end += size
    random.shuffle(receipts)  # type: ignore[attr-defined]  hypothesis types it as random.Random
    for receipt in receipts:
        receipt.acked = True
        ledger.settle()
    assert (ledger.settle(), ledger.bytes_in_hand, len(ledger)) == (end, 0, 0)


class LedgerAgainstASetOfOffsets(RuleBasedStateMachine):
    """The model: each offset that was handed out, and whether the newest delivery of it is finished."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(0)
        self.live: list[tuple[int, int, Receipt]] = []
        self.dropped: list[Receipt] = []

    @rule(size=st.integers(1, 5))
    def deliver(self, size: int) -> None:
        start = self.ledger.position
        self.live.append((start, start + size, delivered(self.ledger, start, start + size, size)))

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.live))[2].acked = True

    @precondition(lambda self: self.dropped)
    @rule(data=st.data())
    def finish_late(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.dropped)).acked = True

    @rule(position=st.integers(0, 60))
    def seek(self, position: int) -> None:
        self.ledger.seek(position)
        self.dropped += [receipt for start, _, receipt in self.live if start >= position]
        self.live = [(start, min(end, position), receipt) for start, end, receipt in self.live if start < position]

    @rule()
    def settle(self) -> None:
        self.ledger.settle()

    @invariant()
    def what_may_be_committed_never_passes_work_in_hand(self) -> None:
        finished = self.ledger.settle()
        assert all(start >= finished for start, _, receipt in self.live if not receipt.acked)
        assert finished <= self.ledger.position

    @invariant()
    def what_is_finished_without_a_gap_may_be_committed(self) -> None:
        if all(receipt.acked for _, _, receipt in self.live) and self.live:
            assert self.ledger.settle() in {self.live[-1][1], self.ledger.position}


TestLedgerAgainstASetOfOffsets = LedgerAgainstASetOfOffsets.TestCase
