"""The online classifier behind every text head, as a river estimator."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from models import layout
from models.features import BITS, Bag, Bags, TextReader, named_bag, occurrences
from models.kernels import kernels

_ROOM = 4
"""Labels come in blocks of so many columns: with four, a row of the table is one line of the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a label has its score: `base` and the weights of `contributions` add up to `score`, in nats of log odds."""

    label: Any
    score: float
    base: float
    contributions: tuple[tuple[str, float], ...]
    """What a person would name (a word, a pair, a code, a mark) and its signed weight, strongest first."""


class TextClassifier(base.MiniBatchClassifier):
    """A mixture of online experts over hashed words and character n-grams; see `models.numpy_kernels`.

    `x` is a text, a `Bag` that was read before (one for all heads), or a mapping of named values. Labels are any
    hashable values and may come at any time; where there are more than `max_labels`, the one with the fewest tickets
    makes room. Memory is 2^bits * (16 + 12 * labels) bytes, labels in blocks of four and buckets in lines of 64 bytes.
    Nothing here is left to chance: the same tickets in the same order give the same model.

    Learning many is learning one after the other, in order.

    Args:
        bits: log2 of the number of buckets.
        rate: the step of the linear experts, before AdaGrad shortens it.
        mixing_rate: the step of the experts' weights, likewise.
        smoothing: tickets that naive Bayes assumes to have seen of every word with every label.
        max_labels: labels that are kept at most.
        compiled: insist on numba (True) or on plain NumPy (False); by default numba, where it is there.

    >>> model = TextClassifier(bits=12)
    >>> model.learn_one("Drucker druckt nicht", "hardware")
    >>> model.learn_one("Passwort vergessen", "access")
    >>> model.predict_one("Mein Passwort geht nicht mehr")
    'access'
    """

    def __init__(
        self,
        bits: int = BITS,
        rate: float = 1.0,
        mixing_rate: float = 0.15,
        smoothing: float = layout.SMOOTHING,
        max_labels: int = 1024,
        compiled: bool | None = None,
    ) -> None:
        self.bits = bits
        self.rate = rate
        self.mixing_rate = mixing_rate
        self.smoothing = smoothing
        self.max_labels = max_labels
        self.compiled = compiled
        self.labels: list[Any] = []
        self._columns: dict[Any, int] = {}
        self._arrays: dict[str, NDArray[Any]] = _fresh(bits)
        self._reader: TextReader | None = None
        self._column = np.zeros(1, np.int32)
        """Where one label is told to the kernel: to make an array takes as long as to learn a hundred features."""

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"bits": 8}

    @property
    def _multiclass(self) -> bool:
        return True

    @property
    def learned(self) -> int:
        """Tickets learned so far."""
        return int(self._arrays["state"][layout.SEEN])

    def column(self, label: Hashable) -> int:
        """Where the scores of `label` stand; past the last of them for one that was never learned."""
        return self._columns.get(label, len(self.labels))

    def read(self, x: Any) -> Bag:
        """The features of `x` as this model wants them."""
        if isinstance(x, Bag):
            return x
        return self._texts().read(x) if isinstance(x, str) else named_bag(x, self.bits)

    def read_many(self, texts: Iterable[str]) -> Bags:
        """The features of `texts`, for all models with as many buckets: a batch is read and packed in one go."""
        return self._texts().read_many(texts)

    def _texts(self) -> TextReader:
        if self._reader is None:
            self._reader = TextReader(self.bits, compiled=self.compiled)
        return self._reader

    def expect(self, label: Hashable) -> None:
        """Know `label` before its first ticket."""
        if label not in self._columns:
            self._add(label)

    def learn_one(self, x: Any, y: Hashable) -> None:
        """Learn that `x` is labelled `y`."""
        self.learn_bags([self.read(x)], [y])

    def learn_many(self, X: Any, y: Iterable[Hashable]) -> None:  # noqa: N803  river's name
        """Learn the rows of `X`, a DataFrame or texts, in order."""
        self.learn_bags([self.read(x) for x in _rows(X)], list(y))

    def learn_bags(self, bags: Sequence[Bag], labels: Sequence[Hashable]) -> None:
        """Learn bags that were read before, in order. Raises ValueError where the two differ in length."""
        if len(bags) != len(labels):
            raise ValueError(f"{len(bags)} tickets and {len(labels)} labels")
        done = 0
        while done < len(bags):
            # A batch ends before a label that has to take another's column.
            known = len(self.labels)
            columns: list[int] = []
            for label in labels[done:]:
                column = self._columns.get(label)
                if column is None:
                    if len(self.labels) == self.max_labels:
                        if columns:
                            break
                        known = self._make_room()
                    column = self._add(label)
                columns.append(column)
            packed = Bags.of(bags[done : done + len(columns)])
            self._learn(packed, np.array(columns, np.int32), known, np.empty((len(columns), 0)))
            done += len(columns)

    def scores_then_learn(self, bag: Bag | Bags, label: Hashable) -> NDArray[np.float64]:
        """The `scores` of one bag, which is learned then: one look at the table serves both.

        Raises KeyError for a label that was never learned or expected.
        """
        known = len(self.labels)
        scores = np.empty((1, known))
        self._column[0] = self._columns[label]
        self._learn(bag if isinstance(bag, Bags) else Bags.of([bag]), self._column, known, scores)
        return scores

    def predict_proba_one(self, x: Any, **_: Any) -> dict[Any, float]:
        """Probability per label; nothing before anything was learned."""
        if not self.labels:
            return {}
        return dict(zip(self.labels, softmax_rows(self.scores([self.read(x)]))[0].tolist(), strict=True))

    def predict_proba_many(self, X: Any) -> Any:  # noqa: N803  as above
        """Probabilities as a DataFrame, one row for each of `X` and one column for each label."""
        pd: Any = import_module("pandas")  # half a second, for those alone who want river's interface

        rows = list(_rows(X))
        texts = [x for x in rows if isinstance(x, str)]
        bags = self.read_many(texts) if len(texts) == len(rows) else [self.read(x) for x in rows]
        chances = softmax_rows(self.scores(bags)) if self.labels else np.zeros((len(rows), 0))
        return pd.DataFrame(
            chances, index=X.index if hasattr(X, "iloc") else None, columns=pd.Index(self.labels, dtype=object)
        )

    def scores(self, bags: Sequence[Bag] | Bags) -> NDArray[np.float64]:
        """Log odds in nats, of shape [bags, labels], in the order of `labels`."""
        packed, arrays = bags if isinstance(bags, Bags) else Bags.of(bags), self._arrays
        scores = np.zeros((len(packed.splits), len(self.labels)))
        if scores.size:
            kernels(compiled=self.compiled).predict(
                packed.starts,
                packed.splits,
                packed.buckets,
                packed.counts,
                arrays["table"],
                arrays["labels"],
                arrays["state"],
                self.smoothing,
                scores,
            )
        return scores

    def explain_one(self, x: str | Mapping[str, object], label: Hashable) -> Explanation:
        """What speaks for and against `label`, by name. Raises KeyError for a label that was never learned."""
        column = self._columns[label]
        bag, arrays = self.read(x), self._arrays
        state, labels = arrays["state"], arrays["labels"]
        terms, base_rates, _, _ = kernels(compiled=False).terms(
            bag.buckets,
            bag.counts,
            bag.words,
            arrays["table"],
            labels,
            state,
            self.smoothing,
            len(self.labels),
        )
        mixture = state[layout.WEIGHTS : layout.WEIGHTS + layout.EXPERTS]
        weights = mixture @ terms[:, :, column]
        start = float(labels[0, column] + mixture @ base_rates[:, column])
        # What a bucket adds is shared by the features that are in it, as often as each is there.
        places = {
            (int(bucket), at < bag.words): float(weight / count)
            for at, (bucket, count, weight) in enumerate(zip(bag.buckets, bag.counts, weights, strict=True))
        }
        named: dict[str, float] = {}
        for found in occurrences(x, self.bits):
            share = places[found.bucket, found.is_word] * found.count
            named[found.name] = named.get(found.name, 0.0) + share
        strongest = sorted(named.items(), key=lambda item: (-abs(item[1]), item[0]))
        return Explanation(label=label, score=start + float(weights.sum()), base=start, contributions=tuple(strongest))

    def forget(self, *, keep: float) -> None:
        """After a drift: learn as fast as a younger model, and believe less of what was counted.

        Sums of squared gradients and naive Bayes' counts are multiplied with `keep`, 0 to 1; weights stay.
        """
        table, labels, state = self.arrays()
        table[:, [layout.SQUARES, layout.SQUARES_OF_WORDS]] *= keep
        logs = _per_label(table, labels.shape[-1])[:, layout.LOGS]
        logs[:] = np.log1p(keep * np.expm1(logs))
        labels[layout.DOCUMENTS :] *= keep
        state[layout.MIX_SQUARES : layout.BIAS_SQUARES + 1] *= keep

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
        """The table, the labels' and the mixture's numbers, laid out as `models.layout` says: not copies."""
        return self._arrays["table"], self._arrays["labels"], self._arrays["state"]

    def touched(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Which rows of the table are not zeros, and copies of them without what fills their last line."""
        table, labels, _ = self.arrays()
        touched = np.flatnonzero(table[:, layout.COUNTS]).astype(np.int32)
        return touched, table[touched, : _width(labels.shape[-1])]

    def restore(
        self,
        names: Sequence[Any],
        touched: NDArray[np.int32],
        rows: NDArray[np.float32],
        labels: NDArray[np.float32],
        state: NDArray[np.float64],
    ) -> None:
        """Take over what another one has learned: its labels, and of its table the rows that it has touched.

        Raises ValueError where they do not fit together, IndexError for a row beyond the table.
        """
        room = labels.shape[-1]
        right = (
            labels.shape == (layout.LABEL, room)
            and state.shape == (layout.STATE,)
            and rows.shape == (len(touched), _width(room))
            and len(set(names)) == len(names) <= room
            and room % _ROOM == 0
        )
        if not right:
            raise ValueError("the model's arrays do not fit together")
        table = empty_table(1 << self.bits, room)
        table[touched, : rows.shape[-1]] = rows
        self._arrays |= {"table": table, "labels": labels.copy(), "state": state.copy()}
        self.labels = list(names)
        self._columns = {name: at for at, name in enumerate(names)}

    def _learn(self, packed: Bags, columns: NDArray[np.int32], known: int, before: NDArray[np.float64]) -> None:
        arrays = self._arrays
        kernels(compiled=self.compiled).learn(
            packed.starts,
            packed.splits,
            packed.buckets,
            packed.counts,
            columns,
            arrays["table"],
            arrays["labels"],
            arrays["state"],
            self.smoothing,
            self.rate,
            self.mixing_rate,
            known,
            before,
        )

    def _add(self, label: Hashable) -> int:
        """Give `label` a column."""
        column = len(self.labels)
        self.labels.append(label)
        self._columns[label] = column
        if column == self._arrays["labels"].shape[-1]:
            self._widen(column + max(_ROOM, column // 3 // _ROOM * _ROOM))
        return column

    def _widen(self, room: int) -> None:
        """Make room for so many labels."""
        labels, table = self._arrays["labels"], self._arrays["table"]
        old = labels.shape[1]
        self._arrays["labels"] = np.zeros((len(labels), room), np.float32)
        self._arrays["labels"][:, :old] = labels
        wider = empty_table(len(table), room)
        touched = np.flatnonzero(table[:, layout.COUNTS])  # the others are zeros, and no memory before they are used
        wider[touched, : layout.HEAD] = table[touched, : layout.HEAD]
        _per_label(wider, room)[touched, :, :old] = _per_label(table, old)[touched]
        self._arrays["table"] = wider

    def _make_room(self) -> int:
        """Forget the label with the fewest tickets; the last one takes its column."""
        arrays, last = self._arrays, len(self.labels) - 1
        column = int(np.argmin(arrays["labels"][layout.DOCUMENTS, : last + 1]))
        for array in (arrays["labels"], _per_label(arrays["table"], arrays["labels"].shape[-1])):
            array[..., column] = array[..., last]
            array[..., last] = 0
        del self._columns[self.labels[column]]
        moved = self.labels.pop()
        if column != last:
            self.labels[column] = moved
            self._columns[moved] = column
        return last


def softmax_rows(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from log odds, row by row; shape [tickets, labels]."""
    chances = np.empty(scores.shape)
    if scores.size:
        kernels().softmax(scores, chances)
    return chances


def empty_table(size: int, room: int) -> NDArray[np.float32]:
    """Rows of zeros for `size` buckets and `room` labels, each in as few lines of the cache as can be."""
    width = -(-_width(room) // layout.LINE) * layout.LINE
    memory = np.zeros(size * width + layout.LINE, np.float32)
    start = -(memory.ctypes.data // memory.itemsize) % layout.LINE
    return memory[start : start + size * width].reshape(size, width)


def _width(room: int) -> int:
    return layout.HEAD + layout.PER_LABEL * room


def _per_label(table: NDArray[np.float32], room: int) -> NDArray[np.float32]:
    """What a table holds for each label: a view of shape [buckets, 3, room]."""
    return table[:, layout.HEAD : _width(room)].reshape(len(table), layout.PER_LABEL, room, copy=False)


def _fresh(bits: int) -> dict[str, NDArray[Any]]:
    table = empty_table(1 << bits, _ROOM)
    state = np.zeros(layout.STATE)
    state[layout.WEIGHTS : layout.WEIGHTS + layout.EXPERTS] = 1.0 / layout.EXPERTS
    state[layout.MIX_SQUARES : layout.MIX_SQUARES + layout.EXPERTS] = 1e-2
    state[layout.BIAS_SQUARES] = layout.FIRST_SQUARES
    return {"table": table, "labels": np.zeros((layout.LABEL, _ROOM), np.float32), "state": state}


def _rows(given: Any) -> Iterable[Any]:
    is_frame = hasattr(given, "to_dict") and hasattr(given, "columns")
    return given.to_dict(orient="records") if is_frame else given
