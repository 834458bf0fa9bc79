"""Text as the judgement reads it: folded so that German stays intact and spelling variants meet."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_APART = re.compile(r"[\W_]+")
_LEAST_LETTERS = 3
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def fold(text: str) -> str:
    """Casefolded words with one space between and around them; umlauts stay, ß becomes ss.

    >>> fold("Größere Störung: WLAN-Zugang!")
    ' grössere störung wlan zugang '
    """
    words = _APART.sub(" ", unicodedata.normalize("NFC", text).casefold()).strip()
    return f" {words} " if words else " "


def spell_out(folded: str) -> str:
    """Umlauts as two letters, the way that keyboards without them write.

    >>> spell_out(" gerät ")
    ' geraet '
    """
    return folded.translate(_SPELLED_OUT)


def terms_of(subject: str) -> frozenset[str]:
    """The words of a subject and its pairs of neighbours, folded; numbers and short words are no terms."""
    words = [word for word in fold(subject).split() if len(word) >= _LEAST_LETTERS and not word.isdigit()]
    return frozenset([*words, *(f"{first} {second}" for first, second in pairwise(words))])
