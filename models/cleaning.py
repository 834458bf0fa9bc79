"""A ticket's text without what its writer did not write: wrong decoding, quoted replies, signatures, footers."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Characters that UTF-8 read as Latin-1, Windows-1252 or Mac Roman leaves behind, before one that belongs to them.
_SUSPECT = re.compile(r"[ÃÂâÐÑ√\u201aÄ][\u0080-\u00ff\u0152-\u02dc\u2013-\u2122\u2202-\u25ca]|\ufb01|\ufb02")

# From here on everything is somebody else's text.
_QUOTED_FROM = re.compile(
    r"""^[ \t]*(?:
        -{2,}[ ]*(?:original[ ]message|forwarded[ ]message|urspr(?:ü|ue)ngliche[ ]nachricht|weitergeleitete[ ]nachricht)
      | (?:on|am)\b[^\n]{6,120}\n?[^\n]{0,80}\b(?:wrote|schrieb)\b[^\n]{0,60}:[ \t]*$
      | (?:from|von):[^\n]+\n(?:(?:sent|date|gesendet|datum|to|an):[^\n]*\n?){1,3}
    )""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_QUOTED_LINE = re.compile(r"^[ \t]*>[^\n]*(?:\n|\Z)", re.MULTILINE)
# The delimiter of RFC 3676, and closings that stand on a line of their own.
_SIGNATURE = re.compile(
    r"""^(?:
        --[ ]?$
      | (?:mit[ ])?(?:freundlichen?|besten?|vielen?|herzlichen?|sch(?:ö|oe)ne|liebe)[ ]
        gr(?:ü|ue)(?:ß|ss)(?:en?)?\b[^\n]{0,40}$
      | (?:mfg|vg|lg)[,.]?$
      | (?:with[ ])?(?:best|kind|warm|many)(?:est)?[ ](?:regards|wishes)\b[^\n]{0,40}$
      | (?:yours[ ](?:sincerely|faithfully)|sincerely|regards|cheers)[,.]?$
    )""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_FOOTER = re.compile(
    r"""^[^\n]{0,40}(?:
        sent[ ]from[ ]my[ ]\w+ | get[ ]outlook[ ]for | von[ ]meinem[ ][^\n]{1,30}[ ]gesendet
      | this[ ](?:e-?mail|message)[ ][^\n]{0,80}confidential | diese[ ](?:e-?mail|nachricht)[ ][^\n]{0,80}vertraulich
      | please[ ]consider[ ]the[ ]environment
      | (?:this|dies)[ ](?:is|ist)[ ](?:an?|eine)[ ]autom[^\n]{0,20}(?:message|e-?mail|nachricht)
      | to[ ]unsubscribe\b
    )""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
# One of these is in whatever the patterns find; to look for them costs a tenth of what a pattern does.
_CUES_OF_QUOTES = ("original message", "forwarded message", "nachricht", "wrote", "schrieb", "from:", "von:")
_CUES_OF_FOOTERS = (
    "sent from",
    "get outlook",
    "gesendet",
    "confidential",
    "vertraulich",
    "consider the",
    "autom",
    "unsub",
)
_CUES_OF_SIGNATURES = ("\n--", " gr", "mfg", "vg", "lg", "regards", "wishes", "sincerely", "faithfully", "cheers")
_LONGEST_SIGNATURE = 400
"""Characters below a closing: what is longer is no signature, so that nothing of the ticket is lost."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text, whether its decoding had to be repaired, and how many characters of it were stripped."""

    text: str
    repaired: bool
    stripped: int


def clean(text: str) -> Cleaned:
    """The text that a person wrote. What would leave nothing is not stripped."""
    whole = repair(text)
    if "\n" not in whole:
        return Cleaned(whole.strip(), whole != text, 0)
    kept, lowered = whole, whole.lower()
    if _has(lowered, _CUES_OF_QUOTES):
        kept = _without_end(kept, _QUOTED_FROM, len(kept))
    if ">" in kept:
        kept = _or_all(_QUOTED_LINE.sub("", kept), kept)
    for cues, pattern in ((_CUES_OF_FOOTERS, _FOOTER), (_CUES_OF_SIGNATURES, _SIGNATURE)):
        if _has(lowered, cues):
            kept = _without_end(kept, pattern, _LONGEST_SIGNATURE)
    kept = _or_all(kept.strip(), whole)
    return Cleaned(kept, whole != text, len(whole) - len(kept))


def _without_end(text: str, pattern: re.Pattern[str], longest: int) -> str:
    """`text` up to the first line that `pattern` matches and that has no more than `longest` characters below it."""
    start = 0
    while start >= 0:
        # Line by line: a search would try every character of the text.
        if (found := pattern.match(text, start)) and len(text) - found.end() <= longest:
            return _or_all(text[:start], text)
        start = text.find("\n", start) + 1 or -1
    return text


def _or_all(part: str, whole: str) -> str:
    return part if part.strip() else whole


def _has(lowered: str, cues: tuple[str, ...]) -> bool:
    return any(cue in lowered for cue in cues)


def repair(text: str) -> str:
    """`text` as it was before it was decoded as something else; unchanged where nothing speaks for that."""
    if text.isascii() or not _SUSPECT.search(text):
        return text
    from ftfy import fix_encoding  # noqa: PLC0415  most texts never need it

    return fix_encoding(text)
