"""Which of the configured languages a text is in, or that it is in none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from py3langid.langid import MODEL_FILE, LanguageIdentifier  # pyright: ignore[reportMissingTypeStubs]  it has none

from models.scores import judge
from schemas.decisions import Judgement, Reason
from schemas.errors import BadTaxonomy

MODEL_VERSION = "py3langid-0.4"
UNSUPPORTED = "unsupported"

READ_CHARACTERS = 300
"""More text changes the answer on none of 10,507 real tickets, and less (200) on one; it costs 0.7 us a character."""

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
        self._identifier = cast("Any", LanguageIdentifier).from_model_file(MODEL_FILE, norm_probs=True)
        if unknown := set(languages) - set(self._identifier.labels):
            raise BadTaxonomy(f"languages: {', '.join(sorted(unknown))} cannot be identified")

    def judge(self, text: str, hint: str | None = None) -> Judgement:
        """The language of `text`; `hint` is what the source says, and weighs most where the text says little."""
        ranked = cast("list[tuple[str, float]]", self._identifier.rank(text[:READ_CHARACTERS]))
        found = dict(ranked)
        mass = sum(found[language] for language in self.languages)
        foreign, best = next(item for item in ranked if item[0] not in self.languages)
        if mass < _FOREIGN_MASS and best >= _FOREIGN_BEST:
            probabilities = {UNSUPPORTED: 1 - mass} | {language: found[language] for language in self.languages}
            return judge(probabilities, (Reason(text=f"reads like {foreign}", weight=best),))
        odds = {language: found[language] for language in self.languages}
        reasons: list[Reason] = []
        if hint in odds:
            odds[hint] *= _HINT_FACTOR
            reasons.append(Reason(text=f"the source says {hint}", weight=2.08))  # ln 8
        total = sum(odds.values())
        return judge({language: value / total for language, value in odds.items()}, reasons)
