"""Which of the configured languages a text is in, or that it is in none of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier  # pyright: ignore[reportMissingTypeStubs]  it has none

from models.scores import judge
from schemas.decisions import Judgement, Reason
from schemas.errors import BadTaxonomy

MODEL_VERSION = "py3langid-0.4"
UNSUPPORTED = "unsupported"

READ_CHARACTERS = 300
"""More text changes the answer on none of 10,507 real tickets, and less (200) on one."""

# Chosen on short German and English texts (banking77, sb10k) against short French, Spanish, Italian, Polish, Dutch,
# Swedish and Turkish ones: a text is foreign only when the configured languages are nearly ruled out *and* another
# one stands out. Without the second condition "hello" would be Breton.
_FOREIGN_MASS = 0.05
_FOREIGN_BEST = 0.5
_HINT_FACTOR = 8.0


class LanguageJudge:
    """Judges the language of a text among `languages` (ISO 639-1). Raises BadTaxonomy for one that nobody trained.

    Source of the model: Lui and Baldwin 2012, *langid.py: An Off-the-shelf Language Identification Tool*, as
    retrained for py3langid.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self._scores = _Scores()
        if unknown := set(languages) - set(self._scores.labels):
            raise BadTaxonomy(f"languages: {', '.join(sorted(unknown))} cannot be identified")
        self._ours = [self._scores.labels.index(language) for language in self.languages]

    def judge(self, text: str, hint: str | None = None) -> Judgement:
        """The language of `text`; `hint` is what the source says, and weighs most where the text says little."""
        found, best, foreign = self._found(text)
        mass = sum(found.values())
        if mass < _FOREIGN_MASS and best >= _FOREIGN_BEST:
            probabilities = {UNSUPPORTED: 1 - mass, **found}
            return judge(probabilities, (Reason(text=f"reads like {foreign}", weight=best),))
        odds = dict(found)
        reasons: list[Reason] = []
        if hint in odds:
            odds[hint] *= _HINT_FACTOR
            reasons.append(Reason(text=f"the source says {hint}", weight=2.08))  # ln 8
        total = sum(odds.values())
        return judge({language: value / total for language, value in odds.items()}, reasons)

    def _found(self, text: str) -> tuple[dict[str, float], float, str]:
        """The probability of each of our languages; that of the most probable other one, and its name."""
        probabilities = self._scores.probabilities(text[:READ_CHARACTERS])
        found = {
            language: float(probabilities[index]) for language, index in zip(self.languages, self._ours, strict=True)
        }
        probabilities[self._ours] = -1.0
        other = int(probabilities.argmax())
        return found, float(probabilities[other]), self._scores.labels[other]


class _Scores:
    """py3langid's probabilities of all its languages, computed over a whole text at a time.

    The model's automaton (Aho and Corasick 1975) is in the state of the longest of its words that ends at a byte, and
    no word is longer than WORD_BYTES. So the state at each byte follows from that many bytes before it, and those of
    all bytes are found side by side. Sums are in double precision: in single precision they would depend on the
    machine.
    """

    WORD_BYTES = 6

    def __init__(self) -> None:
        model = cast("Any", LanguageIdentifier).from_model_file(MODEL_FILE, norm_probs=True)
        moves = model.tk_nextmove
        self._moves: NDArray[Any] = np.frombuffer(moves, dtype=f"u{moves.itemsize}")
        self._rows = np.asarray(model.tk_row, dtype=np.int64) << 8
        self._features = np.asarray(model.tk_output, dtype=np.int64)
        self._weights = np.asarray(model.nb_ptc, dtype=np.float32)  # from half precision, which is slow to compute with
        self._prior = np.asarray(model.nb_pc, dtype=np.float64)
        self._encode = model._encode  # noqa: SLF001  py3langid's own preparation of a text
        self.labels: list[str] = list(model.nb_classes)
        # A language in two scripts has two columns: the second is added to the first.
        self._twins = [
            (self.labels.index(name), at) for at, name in enumerate(self.labels) if at != self.labels.index(name)
        ]

    def probabilities(self, text: str) -> NDArray[np.float64]:
        """One probability per column of `labels`; a second column of a language has 0."""
        encoded: bytes = self._encode(text)
        features, counts = np.unique(self._seen(np.frombuffer(encoded, dtype=np.uint8)), return_counts=True)
        scores = np.log1p(counts) @ self._weights[features].astype(np.float64) + self._prior
        if not len(features):
            scores = np.zeros(len(self.labels))
        scores /= math.sqrt(len(encoded) or 1)
        odds = np.exp(scores - scores.max())
        odds /= odds.sum()
        for first, second in self._twins:
            odds[first] += odds[second]
            odds[second] = 0.0
        return odds

    def _seen(self, text: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The feature at each byte that has one."""
        states = np.zeros(len(text), dtype=np.int64)
        for back in range(min(self.WORD_BYTES, len(text)) - 1, -1, -1):
            here = states[back:]
            states[back:] = self._moves[self._rows[here] + text[: len(text) - back]]
        features = self._features[states]
        return features[features >= 0]
