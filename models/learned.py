"""What has been learned from people since the rules were written: a pure function of the lessons, in their order.

It knows no taxonomy. So it stays what it is when a set of models takes over, and lessons need not be learned again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any, Self

import numpy as np

from models import layout
from models.audits import AuditBook
from models.calibration import Calibrator
from models.classifier import TextClassifier, softmax_rows
from models.cleaning import clean
from models.drift import Drift, DriftBook, kept
from models.features import Bag, TextReader
from models.packing import DAMAGE, packed, unpacked
from models.snapshots import Snapshot, from_bytes, to_bytes
from models.teaching import standing
from schemas.errors import BadSnapshot
from schemas.lessons import LEARNED_HEADS, Lesson

FORMAT = "triage.lessons.5"
"""Names what a checkpoint holds and how lessons are learned: another format is learned from the lessons anew."""

NEVER_TAUGHT = ""
"""The column of whatever label no lesson has named: what the others are compared with, also after the first lesson."""

_HELD, _TOLD = "held", "told"
"""The arrays of a checkpoint that name the lessons, and the tickets and heads that they are about."""

FLOOR = 0.002
"""Least probability that lessons leave to a label: they weigh six nats at most, twice of what all rules of one do."""

STEEPNESS = 2
"""Trust in a text is the share of its words and pairs that lessons have held, to this power.

So one lesson decides on a text nearly like its own, and says little of one that shares its greeting alone.
"""


LEARNED, MOST_TIMES = 0.9, 5
"""A lesson is learned again until its own text has its label with this probability, so many times at most.

As in passive-aggressive learning (Crammer et al. 2006): who corrects a ticket wants to see it corrected.
"""

WEAK_STEPS = 0.25
"""A weak lesson is learned once, by steps of this share of the usual ones."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What lessons say of one text: log probability per label, in nats, and how far they know such texts, 0 to 1."""

    logs: Mapping[str, float]
    trust: float

    def weight(self, label: str) -> float:
        """What they add to the score of `label`, in nats."""
        return self.trust * self.logs.get(label, self.logs[NEVER_TAUGHT])


class Learned:
    """One classifier for each head, the lessons that they hold, and how their errors rise.

    Where the error of a head rises, over the lessons as they come, most of what it has counted is forgotten
    (`models.drift.kept`): it learns as fast as a younger one, and weights stay.

    Lessons that repeat each other, as a learner writes them after a crash, are learned once: they have the same
    feedback id and place. A place alone would not do, since a topic that is made anew begins at 0 again.
    """

    def __init__(
        self,
        heads: Mapping[str, TextClassifier] | None = None,
        held: Mapping[int, int] | None = None,
        book: DriftBook | None = None,
        told: Iterable[int] = (),
        audits: AuditBook | None = None,
    ) -> None:
        self._reader = TextReader()
        self._heads = dict(heads or {})
        self._held = dict(held or {})
        """What names a lesson, to what names the feedback that is learned by it; to 0 where it taught nothing."""
        self._book = DriftBook() if book is None else book
        self._told = set(told)
        """What names a ticket and a head of which a lesson was learned: a weak one says nothing new of it."""

        self.audits = AuditBook() if audits is None else audits
        """What became of audited decisions, and how sure heads may be by that."""

    @property
    def drifts(self) -> dict[str, Drift]:
        """The rises of errors that are not over, by their ids."""
        return self._book.open

    def learn(self, lesson: Lesson) -> bool:
        """Learn `lesson`; False where it was met before."""
        return bool(self.learn_all([lesson]))

    def learn_all(self, lessons: Sequence[Lesson]) -> list[Lesson]:
        """Learn `lessons` in order, but for those that a later one takes back; gives those that were not met before.

        Raises ValueError where one takes back what is learned already: that is learned anew, without it.
        """
        if self.takes_back(lessons):
            raise ValueError("a lesson that is learned is taken back: learn anew")
        first: dict[int, Lesson] = {}
        for lesson in lessons:
            if (name := _name(lesson)) not in self._held:
                first.setdefault(name, lesson)
        self._held.update(dict.fromkeys(first, 0))
        for lesson in standing(first.values()):
            about = _said(lesson, lesson.head)
            if lesson.teaches:
                if not (lesson.weak and about in self._told):
                    self._learn(lesson)
                self._told.add(about)
            self.audits.note(lesson)
            self._held[_name(lesson)] = _said(lesson, lesson.feedback_id)
        return list(first.values())

    def takes_back(self, lessons: Sequence[Lesson]) -> bool:
        """Whether one of `lessons` takes back what is learned: then this is of no use for what comes after it."""
        revoking = [item for item in lessons if item.revokes is not None and _name(item) not in self._held]
        if not revoking:
            return False
        learned = set(self._held.values())
        return any(_said(item, item.revokes or "") in learned for item in revoking)

    def _learn(self, lesson: Lesson) -> None:
        head = self._heads.get(lesson.head)
        if head is None:
            head = self._heads[lesson.head] = TextClassifier()
            head.expect(NEVER_TAUGHT)
        bag = self.read(lesson.text)
        if lesson.weak:
            _learn_weakly(head, bag, lesson.label)
            return
        if lesson.team and (risen := self._book.note(lesson, wrong=_said_by(head, bag) != lesson.label)):
            head.forget(keep=kept(risen))
        for _ in range(MOST_TIMES):
            head.learn_bags([bag], [lesson.label])
            if softmax_rows(head.scores([bag]))[0, head.column(lesson.label)] >= LEARNED:
                break

    def read(self, text: str) -> Bag:
        """The features of a text, once for all heads."""
        return self._reader.read(clean(text).text)

    def evidence(self, head: str, bag: Bag) -> Evidence | None:
        """What lessons say of a text for `head`; None where they say nothing."""
        model = self._heads.get(head)
        if model is None:
            return None
        words, counts = bag.buckets[: bag.words], bag.counts[: bag.words]
        held = counts[model.arrays()[0][words, layout.COUNTS] > 0]
        if not len(held):
            return None
        chances = softmax_rows(model.scores([bag]))[0]
        logs = dict(zip(model.labels, np.log(chances + FLOOR).tolist(), strict=True))
        return Evidence(logs, float(held.sum() / counts.sum()) ** STEEPNESS)

    def clone(self) -> Self:
        """Another one that has learned the same, and goes on by itself."""
        heads = {name: _copied(model) for name, model in self._heads.items()}
        return type(self)(heads, self._held, self._book.clone(), self._told, self.audits.clone())

    def to_bytes(self, about: Mapping[str, Any] | None = None) -> bytes:
        """All of it, with JSON `about` it. What is read back goes on learning as this one would."""
        heads = {name: np.frombuffer(data, np.uint8) for name, data in self._parts().items()}
        heads[_HELD] = np.array(sorted(self._held.items()), "<u8").reshape(-1, 2).view(np.uint8)
        heads[_TOLD] = np.array(sorted(self._told), "<u8").view(np.uint8)
        meta = {
            "format": FORMAT,
            "about": dict(about or {}),
            "drift": self._book.to_json(),
            "audits": self.audits.to_json(),
        }
        return packed(heads, json.dumps(meta, sort_keys=True))

    @classmethod
    def from_bytes(cls, data: bytes) -> tuple[Self, Mapping[str, Any]]:
        """What `to_bytes` wrote, and what was said about it. Raises BadSnapshot for damage or another format."""
        try:
            arrays, text = unpacked(data)
            meta: dict[str, Any] = json.loads(text)
            if meta["format"] != FORMAT:
                raise BadSnapshot(f"the checkpoint's format is {meta['format']!r}, not {FORMAT!r}")
            pairs = np.ascontiguousarray(arrays.pop(_HELD)).view("<u8").reshape(-1, 2)
            held = {int(name): int(said) for name, said in pairs}
            told = [int(name) for name in np.ascontiguousarray(arrays.pop(_TOLD)).view("<u8")]
            heads = {name: from_bytes(part.tobytes()).model for name, part in arrays.items()}
            about: Mapping[str, Any] = meta["about"]
            book = DriftBook.from_json(meta["drift"])
            audits = AuditBook.from_json(meta["audits"])
        except DAMAGE as error:
            raise BadSnapshot(f"the checkpoint is damaged ({type(error).__name__})") from error
        return cls(heads, held, book, told, audits), about

    def digest(self) -> str:
        """SHA-256 of all weights, errors and of the lessons that they hold: equal for what is equal, byte for byte."""
        met = repr((sorted(self._held.items()), sorted(self._told)))
        return sha256(met.encode() + self.weights().encode()).hexdigest()

    def weights(self) -> str:
        """SHA-256 of all weights, errors and audits: equal also where other lessons were met, and taken back."""
        found = sha256(json.dumps([self._book.to_json(), self.audits.to_json()]).encode())
        for name, data in self._parts().items():
            found.update(name.encode() + data)
        return found.hexdigest()

    def _parts(self) -> dict[str, bytes]:
        return {
            name: to_bytes(Snapshot(self._heads[name], Calibrator())) for name in LEARNED_HEADS if name in self._heads
        }


def _said_by(head: TextClassifier, bag: Bag) -> str:
    """What `head` says of a text; NEVER_TAUGHT before any lesson."""
    scores = head.scores([bag])[0]
    scores[head.column(NEVER_TAUGHT)] = -np.inf if len(scores) > 1 else 0.0
    return head.labels[int(np.argmax(scores))]


def _learn_weakly(head: TextClassifier, bag: Bag, label: str) -> None:
    rate, mixing_rate = head.rate, head.mixing_rate
    head.rate, head.mixing_rate = rate * WEAK_STEPS, mixing_rate * WEAK_STEPS
    try:
        head.learn_bags([bag], [label])
    finally:
        head.rate, head.mixing_rate = rate, mixing_rate


def _name(lesson: Lesson) -> int:
    """What names a lesson: the same for a repeated one."""
    place = lesson.feedback
    return _number(lesson.feedback_id, place.topic, str(place.partition), str(place.offset))


def _said(lesson: Lesson, feedback_id: str) -> int:
    """What names a feedback on the ticket of `lesson`."""
    return _number(lesson.tenant, lesson.source, lesson.ticket_id, feedback_id)


def _number(*parts: str) -> int:
    """64 bits, not 0: among a million lessons two are alike with a probability of 3e-8."""
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest(), "little") | 1


def _copied(model: TextClassifier) -> TextClassifier:
    _, labels, state = model.arrays()
    copy = TextClassifier()
    copy.restore(model.labels, *model.touched(), labels, state)
    return copy
