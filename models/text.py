"""Text as the judgement reads it: folded so that German stays intact and spelling variants meet."""

from __future__ import annotations

import re
import unicodedata

_APART = re.compile(r"[\W_]+")
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
