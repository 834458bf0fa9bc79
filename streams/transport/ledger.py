"""What of one partition was handed out, and up to where it is finished without a gap. Pure: no Kafka, no Faust."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Protocol


class Receipt(Protocol):
    """What tells that a batch is finished: all that follows from its records is safe."""

    @property
    def acked(self) -> bool:
        """Whether it is finished; once true, it stays so."""
        ...


@dataclass(frozen=True, slots=True)
class _Delivery:
    start: int
    end: int
    size: int
    receipt: Receipt


class Ledger:
    """The ledger of one partition.

    `position` is where the next batch has to begin, `finished` the offset that may be committed: each record below
    it is finished, or was left out by a seek that somebody asked for. Offsets are those of Kafka, which may have
    holes; batches are compared by where they begin and end and never counted.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self.finished = position
        self.bytes_in_hand = 0
        self._in_hand: deque[_Delivery] = deque()

    def __len__(self) -> int:
        """Batches that were handed out and do not yet belong to the finished prefix."""
        return len(self._in_hand)

    def deliver(self, start: int, end: int, size: int, receipt: Receipt) -> bool:
        """Note that a batch is handed out which covers the offsets from `start` up to, not including, `end`.

        False, and nothing noted, where it does not begin at `position`: the batch before it was lost on its way
        (seek back to `position`), or it was handed out before. `size` is in bytes.
        """
        if start != self.position or end <= start:
            return False
        self._in_hand.append(_Delivery(start, end, size, receipt))
        self.position = end
        self.bytes_in_hand += size
        return True

    def settle(self) -> int:
        """Move `finished` over the batches that are finished, as far as there is no gap, and return it."""
        in_hand = self._in_hand
        while in_hand and in_hand[0].receipt.acked:
            delivery = in_hand.popleft()
            self.finished = delivery.end
            self.bytes_in_hand -= delivery.size
        return self.finished

    def seek(self, position: int) -> None:
        """The next batch will begin at `position`.

        Batches that begin there or later will be handed out again, so that their old receipts no longer count. Those
        that begin before it stay in hand, and nothing behind them counts as finished before they are.
        """
        self.settle()
        while self._in_hand and self._in_hand[-1].start >= position:
            self.bytes_in_hand -= self._in_hand.pop().size
        if not self._in_hand:
            self.finished = position
        elif self._in_hand[-1].end > position:
            self._in_hand[-1] = replace(self._in_hand[-1], end=position)
        self.position = position
