"""A ticket's text as hashed features, read once and shared by all heads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import cast

import numpy as np
from numpy.typing import NDArray

from models.kernels import character_classes, kernels

LONGEST_TEXT = 20_000
"""Characters that are read at most: what follows in a longer text is mostly a log."""

BITS = 16
"""log2 of the number of buckets: 2^16 are as accurate as 2^18 on the public sets, and stay in the cache."""


@dataclass(frozen=True, slots=True)
class Bag:
    """Hashed features with their counts: the first `words` are words, the others character n-grams.

    `buckets` int32 and `counts` float32, both of shape [features]; a bucket stands once among the words and once
    among the n-grams at most.
    """

    buckets: NDArray[np.int32]
    counts: NDArray[np.float32]
    words: int


@dataclass(frozen=True, slots=True)
class Bags:
    """Several bags one after the other, as kernels want them: bag i is `starts[i]` to `starts[i + 1]`."""

    starts: NDArray[np.int64]
    splits: NDArray[np.int64]
    buckets: NDArray[np.int32]
    counts: NDArray[np.float32]

    @classmethod
    def of(cls, bags: Sequence[Bag]) -> Bags:
        """The bags in their order."""
        if len(bags) == 1:
            bounds = np.array([0, len(bags[0].buckets), bags[0].words])
            return cls(bounds[:2], bounds[2:], bags[0].buckets, bags[0].counts)
        starts = np.zeros(len(bags) + 1, np.int64)
        np.cumsum([len(bag.buckets) for bag in bags], out=starts[1:])
        return cls(
            starts,
            np.array([bag.words for bag in bags], np.int64),
            np.concatenate([bag.buckets for bag in bags]) if bags else np.zeros(0, np.int32),
            np.concatenate([bag.counts for bag in bags]) if bags else np.zeros(0, np.float32),
        )


class TextReader:
    """Reads texts into bags. Not for two threads at once: it keeps the room that it works in.

    Umlauts and other letters stay what they are, ß becomes ss; case and the way that accents are written do not
    count. `compiled` insists on numba (True) or on plain NumPy (False).
    """

    def __init__(self, bits: int = BITS, *, compiled: bool | None = None) -> None:
        self.bits = bits
        self._kernels = kernels(compiled=compiled)
        self._classes = character_classes()
        self._places = np.full(1 << bits, -1, np.int32)

    def read(self, text: str) -> Bag:
        """The bag of `text`; an empty one where there is no word in it."""
        return Bag(*self._kernels.read(_codes(_folded(text)), self._classes, self.bits, self._places))

    def read_many(self, texts: Iterable[str]) -> Bags:
        """The bags of `texts`, in their order: what `read` gives for each, in less time."""
        folded = [_folded(text) for text in texts]
        ends = np.array(list(accumulate(map(len, folded))), np.int64)
        return Bags(*self._kernels.read_many(_codes("".join(folded)), ends, self._classes, self.bits, self._places))


def named_bag(features: Mapping[str, object], bits: int = BITS) -> Bag:
    """A bag of named values, as river passes them: each feature is a word, and its number the count.

    A text or truth value is part of the name. So is the sign of a number, as counts have none. Zero is nothing.
    """
    amounts: dict[int, float] = {}
    for name, amount in sorted(_named(features)):
        bucket = _bucket_of_name(name, bits)
        amounts[bucket] = amounts.get(bucket, 0.0) + amount
    buckets = sorted(amounts)
    counts = np.array([amounts[bucket] for bucket in buckets], np.float32)
    return Bag(np.array(buckets, np.int32), counts, len(buckets))


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One feature where it stands in a text: the word, pair, code or mark that a person would name, and its bucket."""

    name: str
    bucket: int
    is_word: bool
    """Whether it counts among the words; else it is a character n-gram, named by the word that holds it."""
    count: float = 1.0


def occurrences(given: str | Mapping[str, object], bits: int = BITS) -> list[Occurrence]:
    """What a bag was made of, with names: for explanations, where it need not be fast.

    The buckets are those of `TextReader.read` or `named_bag`, and the counts add up to theirs.
    """
    if not isinstance(given, str):
        return [Occurrence(name, _bucket_of_name(name, bits), True, amount) for name, amount in sorted(_named(given))]
    named = kernels(compiled=False).named(_codes(_folded(given)), character_classes(), bits)
    return [Occurrence(name, bucket, is_word) for name, bucket, is_word in named]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text[:LONGEST_TEXT]).casefold()


def _codes(folded: str) -> NDArray[np.uint32]:
    return np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)


def _named(features: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    for name, value in features.items():
        if isinstance(value, str | bool | np.bool_):
            yield f"{name}={value}", 1.0
        elif isinstance(value, int | float | np.integer | np.floating):
            number = float(cast("float", value))
            if number > 0:
                yield str(name), number
            elif number < 0:
                yield f"-{name}", -number


def _bucket_of_name(name: str, bits: int) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") >> (
        64 - bits
    )
