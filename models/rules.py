"""Phrase rules: what a taxonomy's author knows before the first ticket has been seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

import ahocorasick

from models.text import fold, spell_out
from schemas.decisions import Reason

SATURATION = 3.0
"""Nats that all rules of one label can give it at most: rules alone never make a label near certain."""

_PHRASE = re.compile(r"\*?[^*]+\*?")


class Strength(Enum):
    """How much one phrase speaks for its label, in nats of log odds."""

    STRONG = 2.5
    WEAK = 1.0
    AGAINST = -1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRules:
    """The phrases of one label and the log odds that it starts with.

    A phrase without `*` is whole words, `drucker*` starts a word, `*passwort` ends one, `*drucker*` is anywhere in
    a word, as German compounds need it.
    """

    label: str
    prior: float = 0.0
    phrases: Mapping[str, Strength] = field(default_factory=dict[str, Strength])


@dataclass(frozen=True, slots=True)
class _Needle:
    texts: tuple[str, ...]
    label: str
    phrase: str
    weight: float


class PhraseRules:
    """Scores every label of one head by the phrases that a text holds. Immutable.

    Raises ValueError for a phrase that can never match.
    """

    def __init__(self, rules: Iterable[LabelRules]) -> None:
        rules = tuple(rules)
        self.labels = tuple(rule.label for rule in rules)
        self.priors = {rule.label: rule.prior for rule in rules}
        self._needles = tuple(
            _needle(rule.label, phrase, strength) for rule in rules for phrase, strength in rule.phrases.items()
        )
        # Aho and Corasick 1975, *Efficient String Matching*: one pass over a text finds all phrases that it holds.
        self._found_by: Any = None
        texts: dict[str, list[int]] = {}
        for at, needle in enumerate(self._needles):
            for text in needle.texts:
                texts.setdefault(text, []).append(at)
        if texts:
            self._found_by = cast("Any", ahocorasick).Automaton()
            for text, places in texts.items():
                self._found_by.add_word(text, places)
            self._found_by.make_automaton()

    def score(self, folded: str) -> tuple[dict[str, float], dict[str, list[Reason]]]:
        """Log odds per label, in nats, and the phrases behind them; each label's reasons and prior sum to its score.

        `folded` is the output of `models.text.fold`. Phrases that speak for a label saturate together; those against
        it do not.
        """
        reasons: dict[str, list[Reason]] = {}
        found: set[int] = set()
        for _, places in self._found_by.iter(folded) if self._found_by is not None else ():
            found.update(places)
        for needle in map(self._needles.__getitem__, sorted(found)):
            reasons.setdefault(needle.label, []).append(Reason(text=needle.phrase, weight=needle.weight))
        scores = dict(self.priors)
        reasons = {label: _saturated(hits) for label, hits in reasons.items()}
        for label, hits in reasons.items():
            scores[label] += sum(hit.weight for hit in hits)
        return scores, reasons


def _saturated(hits: list[Reason]) -> list[Reason]:
    """The hits with those in favour scaled down to SATURATION together."""
    favour = sum(hit.weight for hit in hits if hit.weight > 0)
    if favour <= SATURATION:
        return hits
    scale = SATURATION / favour
    return [Reason(text=hit.text, weight=hit.weight * scale) if hit.weight > 0 else hit for hit in hits]


def _needle(label: str, phrase: str, strength: Strength) -> _Needle:
    words = fold(phrase.strip("*")).strip()
    if not _PHRASE.fullmatch(phrase) or not words:
        raise ValueError(f"{label}: {phrase!r} is not words with an optional * at either end")
    text = ("" if phrase.startswith("*") else " ") + words + ("" if phrase.endswith("*") else " ")
    texts = tuple(dict.fromkeys((text, spell_out(text))))
    return _Needle(texts=texts, label=label, phrase=phrase, weight=strength.value)
