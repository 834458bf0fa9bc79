"""How a customer feels, from the words alone: a lexicon and a few rules of grammar, German and English.

The rules (negation, intensifiers, capitals, exclamation marks, the clause after "but" weighs more) follow
Hutto and Gilbert 2014, *VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text*.
German puts "nicht" after the verb and builds compounds, so negation here also looks back and stems are also
found inside words.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from models import sentiment_lexicon as lexicon
from schemas.decisions import Candidate, Judgement, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODEL_VERSION = "lexicon-1"
LABELS = ("negative", "neutral", "positive")

REASONS = 5

# Log odds against "neutral" as a line in the score, fitted by maximum likelihood on every other line, from the
# first on, of the public sets airline.jsonl (English tweets to airlines, 62 % negative) and sb10k.jsonl (German
# tweets, 62 % neutral), both with equal weight: one fit for both languages, as neither class mix is that of a
# help desk.
_NEGATIVE_BIAS, _NEGATIVE_SLOPE = -0.95, 4.3
_POSITIVE_BIAS, _POSITIVE_SLOPE = -1.4, 4.5

# Set by hand and checked on the same lines; factors of a valence, but for the norm, capitals and exclamations,
# which are on the valences' own scale.
_NORM = 20.0
_NORM_PER_WORD = 0.2
_TURNED_GOOD = -0.7
_TURNED_BAD = -0.2
_SPENT_NEGATION = 0.2
_CAPITALS = 0.5
_EXCLAMATION = 0.2
_EXCLAMATIONS = 4
_BEFORE_BUT = 0.5
_AFTER_BUT = 1.4
_ASKED_COURTESY = 0.4
_OTHER_LANGUAGE = 0.5
_FREED = -0.7
_MOST_OF_FACES = 3.5  # on the valences' scale too
_UNSURE = 0.5  # of the log odds, where the language is not ours or no word was read

# In tokens.
_REACH = 3
_REACH_BACK = 5
_BOOST_REACH = 2

_LONGEST_PHRASE = 3

# In letters.
_SHORTEST_STEM = 3
_SHORTEST_FOREIGN_STEM = 6
_SHORTEST_INNER_STEM = 6
_SHORTEST_COMPOUND_START = 3
_SHORTEST_SHOUT = 3

# Bounded on purpose: matching stays linear, and no token is too long to remember.
_LINK = re.compile(r"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]{0,64}@\w[\w.-]*")
_TOKEN = re.compile(r"[^\W\d_][\w'\u2019]{0,40}|[^\w\s]{1,40}(?:[DPp](?!\w))?|\n\s*\n")
_FACE = re.compile(
    "|".join(
        re.escape(face) for face in sorted((*lexicon.EMOTICONS, *lexicon.EMOJI), key=lambda face: (-len(face), face))
    )
)
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "\u2019": "'"})
_STRETCHED = re.compile(r"(.)\1\1+")
_ENDINGS = {"de": ("en", "em", "er", "es", "e", "n", "s"), "en": ("s",)}
_FREE_OF = re.compile(r"(?:frei|los)(?:e[mnrs]?)?$")


def _fold(word: str) -> str:
    """One spelling for all: casefolded, umlauts as two letters, a plain apostrophe."""
    return word.casefold().translate(_SPELLED_OUT).rstrip("'")


class _Entries:
    """A mapping of lexicon entries, made ready for lookup: whole words, stems by prefix, phrases."""

    __slots__ = ("_exact", "_lengths", "_stems", "followers", "phrases")

    def __init__(self, entries: Mapping[str, float]) -> None:
        folded = {_fold(entry): valence for entry, valence in entries.items()}
        self._stems = {entry[:-1]: valence for entry, valence in folded.items() if entry.endswith("*")}
        self._exact = {entry: valence for entry, valence in folded.items() if " " not in entry and "*" not in entry}
        self.phrases = {entry: valence for entry, valence in folded.items() if " " in entry and "*" not in entry}
        self.followers: dict[str, set[str]] = {}
        for first, second, *_ in map(str.split, self.phrases):
            self.followers.setdefault(first, set()).add(second)
        # The lengths of the stems that share a beginning, longest first: most words need one failed lookup.
        self._lengths: dict[str, list[int]] = {}
        for stem in sorted(self._stems, key=len, reverse=True):
            lengths = self._lengths.setdefault(stem[:_SHORTEST_STEM], [])
            if len(stem) not in lengths:
                lengths.append(len(stem))

    def exact(self, word: str) -> float | None:
        return self._exact.get(word)

    def stem(self, word: str, shortest: int = _SHORTEST_STEM) -> tuple[str, float] | None:
        """The longest stem that `word` starts with, and its valence."""
        for length in self._lengths.get(word[:_SHORTEST_STEM], ()):
            if length >= shortest and (valence := self._stems.get(word[:length])) is not None:
                return word[:length], valence
        return None


@dataclass(frozen=True, slots=True)
class _Language:
    code: str
    moods: _Entries
    negated: _Entries
    negators: Mapping[str, float]
    looks_back: bool
    intensifiers: Mapping[str, float]
    contrasts: frozenset[str]
    courtesies: frozenset[str]
    requests: frozenset[str]

    def valence(self, word: str, shortest_stem: int = _SHORTEST_STEM) -> float | None:
        """The valence of a folded word, or None when the lexicon does not know it."""
        if (found := self._whole(word, shortest_stem)) is not None:
            return found
        if word.startswith("un") and (turned := self._whole(word[2:], shortest_stem)) is not None and turned > 0:
            return -turned
        return self._compound(word) if self.code == "de" else None

    def when_negated(self, word: str) -> float | None:
        if (found := self.negated.exact(word)) is not None:
            return found
        stem = self.negated.stem(word)
        return None if stem is None else stem[1]

    def _whole(self, word: str, shortest_stem: int) -> float | None:
        if (found := self.moods.exact(word)) is not None:
            return found
        if (stem := self.moods.stem(word, shortest_stem)) is not None:
            return _freed(word, *stem) if self.code == "de" else stem[1]
        for ending in _ENDINGS[self.code] if shortest_stem < _SHORTEST_FOREIGN_STEM else ():
            if word.endswith(ending) and (found := self.moods.exact(word.removesuffix(ending))) is not None:
                return found
        return None

    def _compound(self, word: str) -> float | None:
        """The valence of the last stem inside a compound, as the end of a German word names the thing."""
        for start in range(len(word) - _SHORTEST_INNER_STEM, _SHORTEST_COMPOUND_START - 1, -1):
            if (stem := self.moods.stem(word[start:], _SHORTEST_INNER_STEM)) is not None:
                return _freed(word[start:], *stem)
        return None


def _freed(word: str, stem: str, valence: float) -> float:
    """Free of errors is good, free of success is bad: `-frei` and `-los` turn a stem's valence round."""
    return _FREED * valence if _FREE_OF.search(word, len(stem)) else valence


_GERMAN = _Language(
    code="de",
    moods=_Entries(lexicon.GERMAN),
    negated=_Entries(lexicon.GERMAN_NEGATED),
    negators=lexicon.GERMAN_NEGATORS,
    looks_back=True,
    intensifiers={_fold(word): boost for word, boost in lexicon.GERMAN_INTENSIFIERS.items()},
    contrasts=lexicon.GERMAN_CONTRASTS,
    courtesies=frozenset(map(_fold, lexicon.GERMAN_COURTESIES)),
    requests=frozenset(map(_fold, lexicon.GERMAN_REQUESTS)),
)
_ENGLISH = _Language(
    code="en",
    moods=_Entries(lexicon.ENGLISH),
    negated=_Entries(lexicon.ENGLISH_NEGATED),
    negators=lexicon.ENGLISH_NEGATORS,
    looks_back=False,
    intensifiers=lexicon.ENGLISH_INTENSIFIERS,
    contrasts=lexicon.ENGLISH_CONTRASTS,
    courtesies=lexicon.ENGLISH_COURTESIES,
    requests=lexicon.ENGLISH_REQUESTS,
)
_READING_ORDER = {"de": (_GERMAN, _ENGLISH), "en": (_ENGLISH, _GERMAN)}


class _Break(Enum):
    CLAUSE = 1
    SENTENCE = 2


@dataclass(frozen=True, slots=True)
class _Word:
    """What one token means. Valences are on the lexicon's scale, -4 to 4."""

    folded: str
    valence: float = 0.0
    when_negated: float | None = None
    negator: float | None = None
    looks_back: bool = False
    boost: float = 0.0
    contrast: bool = False
    courtesy: bool = False
    request: bool = False
    followers: frozenset[str] = frozenset()
    ends: _Break | None = None


@lru_cache(maxsize=65_536)
def _look_up(token: str, language: str) -> _Word | None:
    """What `token` means in a text in `language`; None for nothing. Remembered, as most words are common."""
    if not token[0].isalpha():
        return _judge_signs(token)
    folded = _fold(token)
    word = _judge(folded, language)
    if word is None and _STRETCHED.search(folded):
        word = _judge(_STRETCHED.sub(r"\1\1", folded), language) or _judge(_STRETCHED.sub(r"\1", folded), language)
    return word


def _judge_signs(signs: str) -> _Word | None:
    """A run of punctuation, emoticons and emoji: its mood, and whether it ends a clause or a sentence."""
    faces = [lexicon.EMOTICONS.get(face, lexicon.EMOJI.get(face, 0.0)) for face in _FACE.findall(signs)]
    valence = max(-_MOST_OF_FACES, min(_MOST_OF_FACES, sum(faces)))
    if any(sign in signs for sign in ".!?\n\u2026"):
        return _Word(signs, valence=valence, ends=_Break.SENTENCE, request="?" in signs)
    if faces or any(sign in signs for sign in ",;:()"):
        return _Word(signs, valence=valence, ends=_Break.CLAUSE)
    return None


def _judge(folded: str, language: str) -> _Word | None:
    own, other = _READING_ORDER.get(language, (_ENGLISH, _GERMAN))
    foreign = folded in lexicon.FALSE_FRIENDS
    if language not in _READING_ORDER:
        return None if foreign else _in_language(folded, own, 1.0) or _in_language(folded, other, 1.0)
    word = _in_language(folded, own, 1.0)
    if word is None and not foreign:
        word = _in_language(folded, other, _OTHER_LANGUAGE)
    return word


def _in_language(folded: str, language: _Language, weight: float) -> _Word | None:
    """`folded` as a word of `language`, valences times `weight`; None when it has no role there."""
    valence = language.valence(folded, _SHORTEST_STEM if weight == 1 else _SHORTEST_FOREIGN_STEM)
    negated = language.when_negated(folded)
    negator = language.negators.get(folded)
    if negator is None and folded.endswith("n't"):
        negator = language.negators.get("n't")
    boost = language.intensifiers.get(folded, 0.0)
    contrast = folded in language.contrasts
    request = folded in language.requests
    followers = language.moods.followers.get(folded)
    if valence is negated is negator is None and not (boost or contrast or request or followers):
        return None
    return _Word(
        folded,
        valence=weight * (valence or 0.0),
        when_negated=None if negated is None else weight * negated,
        negator=None if negator is None else weight * negator,
        looks_back=language.looks_back,
        boost=boost,
        contrast=contrast,
        courtesy=folded in language.courtesies,
        request=request,
        followers=frozenset(followers or ()),
    )


def _phrase(tokens: list[str], at: int, word: _Word, language: str) -> tuple[_Word, int]:
    """The longest phrase from token `at` on and its length in tokens; without one, `word` (that token) and 1."""
    if at + 1 == len(tokens) or _fold(tokens[at + 1]) not in word.followers:
        return word, 1
    own, other = _READING_ORDER.get(language, (_ENGLISH, _GERMAN))
    folded = [_fold(token) for token in tokens[at : at + _LONGEST_PHRASE]]
    for length in range(len(folded), 1, -1):
        joined = " ".join(folded[:length])
        for tongue, weight in ((own, 1.0), (other, _OTHER_LANGUAGE if language in _READING_ORDER else 1.0)):
            if (valence := tongue.moods.phrases.get(joined)) is not None:
                return _Word(joined, valence=weight * valence, courtesy=joined in tongue.courtesies), length
    return word, 1


@dataclass(slots=True)
class _Hit:
    """A word that moves the score, with its contribution so far."""

    text: str
    at: int
    value: float
    word: _Word
    negated: bool = False


@dataclass(slots=True)
class _Negation:
    text: str
    at: int
    word: _Word
    spent: bool = False


class _Reader:
    """Reads the tokens of one text from left to right and collects what moves the score."""

    __slots__ = ("_boost", "_boost_at", "_clause", "_negation", "_sentence", "_shouts_count", "_weight", "asks", "hits")

    def __init__(self, *, shouts_count: bool) -> None:
        self.hits: list[_Hit] = []
        self.asks = False
        self._shouts_count = shouts_count
        self._negation: _Negation | None = None
        self._boost = 0.0
        self._boost_at = 0
        self._clause = 0
        self._sentence = 0
        self._weight = 1.0

    def read(self, at: int, text: str, word: _Word) -> None:
        """Take the token `text`, number `at`, which means `word`."""
        if word.request:
            self.asks = True
        if word.ends is not None:
            self._end(word.ends)
            if word.valence:
                self.hits.append(_Hit(text, at, word.valence, word))
        elif word.negator is not None:
            self._settle()
            self._negation = _Negation(text, at, word)
        else:
            if word.contrast:
                self._turn()
            if word.valence or word.when_negated is not None:
                self._take(at, text, word)
            if word.boost:
                self._boost = word.boost if at - self._boost_at > 1 else self._boost + word.boost
                self._boost_at = at

    def finish(self) -> None:
        """The text is over."""
        self._settle()

    def _take(self, at: int, text: str, word: _Word) -> None:
        hit = _Hit(text, at, word.valence * self._weight, word)
        if self._boost and word.valence and at - self._boost_at <= _BOOST_REACH:
            hit.value *= 1 + self._boost
            self._boost = 0.0
            if self.hits and self.hits[-1].at == self._boost_at:
                self.hits.pop()  # "super slow" is not super
        if self._shouts_count and len(text) >= _SHORTEST_SHOUT and text.isupper():
            hit.value += math.copysign(_CAPITALS, hit.value) if hit.value else 0.0
        negation = self._negation
        if negation is not None and at - negation.at <= _REACH:
            if not negation.spent:
                _negate(hit, f"{negation.text} {text}")
                negation.spent = True
            elif hit.value > 0:
                hit.value *= _SPENT_NEGATION
        self.hits.append(hit)

    def _settle(self) -> None:
        """The negation in force ends: if it has found no word, it looks back for one or stands for itself."""
        negation, self._negation = self._negation, None
        if negation is None or negation.spent:
            return
        if negation.word.looks_back and len(self.hits) > self._clause:
            hit = self.hits[-1]
            turnable = (hit.value > 0 or hit.word.when_negated is not None) and not hit.word.courtesy
            if turnable and not hit.negated and negation.at - hit.at <= _REACH_BACK:
                _negate(hit, f"{hit.text} {negation.text}")
                return
        self.hits.append(_Hit(negation.text, negation.at, negation.word.negator or 0.0, negation.word, negated=True))

    def _end(self, kind: _Break) -> None:
        self._settle()
        self._boost = 0.0
        self._clause = len(self.hits)
        if kind is _Break.SENTENCE:
            self._sentence = self._clause
            self._weight = 1.0

    def _turn(self) -> None:
        """The sentence says "but": what came before counts less, what follows counts more."""
        self._end(_Break.CLAUSE)
        for hit in self.hits[self._sentence :]:
            hit.value *= _BEFORE_BUT
        self._sentence = self._clause
        self._weight = _AFTER_BUT


def _negate(hit: _Hit, text: str) -> None:
    strength = hit.value / hit.word.valence if hit.word.valence else 1.0
    hit.text, hit.negated = text, True
    if hit.word.when_negated is not None:
        hit.value = hit.word.when_negated * max(1.0, strength)
    else:
        hit.value *= _TURNED_GOOD if hit.value > 0 else _TURNED_BAD


def _collect(text: str, language: str) -> tuple[list[_Hit], int]:
    """The words of `text` that move the score, and how many tokens it has."""
    tokens: list[str] = _TOKEN.findall(text)
    reader = _Reader(shouts_count=not text.isupper())
    read_to = 0
    for at, token in enumerate(tokens):
        word = _look_up(token, language)
        if word is None or at < read_to:
            continue
        if word.followers:
            word, length = _phrase(tokens, at, word, language)
            if length > 1:
                read_to = at + length
                reader.read(at, " ".join(tokens[at:read_to]), word)
                continue
        reader.read(at, token, word)
    reader.finish()
    if reader.asks:
        for hit in reader.hits:
            if hit.word.courtesy:
                hit.value *= _ASKED_COURTESY
    return reader.hits, len(tokens)


def score_sentiment(text: str, language: str) -> tuple[float, Judgement]:
    """The mood of `text`: a score from -1 (furious) to 1 (delighted), and the label with its probability.

    `language` is "de" or "en"; for any other both lexicons are read and log odds are halved, as without words.
    `top` holds all labels. Reasons are the five strongest words as written, weighed in nats for the label.
    """
    text = unicodedata.normalize("NFC", text)
    if "://" in text or "@" in text or "www." in text:
        text = _LINK.sub(" ", text)
    hits, length = _collect(text, language)
    total = sum(hit.value for hit in hits)
    if total:
        total += math.copysign(_EXCLAMATION * min(text.count("!"), _EXCLAMATIONS), total)
    norm = math.sqrt(total * total + _NORM + _NORM_PER_WORD * length)
    score = total / norm
    known = language in _READING_ORDER and length > 0 and not text.isspace()
    certainty = 1.0 if known else _UNSURE
    odds = (
        math.exp(certainty * (_NEGATIVE_BIAS - _NEGATIVE_SLOPE * score)),
        1.0,
        math.exp(certainty * (_POSITIVE_BIAS + _POSITIVE_SLOPE * score)),
    )
    mass = sum(odds)
    top = sorted(
        (Candidate(label=label, probability=odd / mass) for label, odd in zip(LABELS, odds, strict=True)),
        key=lambda candidate: -candidate.probability,
    )
    best = top[0]
    return score, Judgement(
        label=best.label,
        probability=best.probability,
        top=tuple(top),
        reasons=_reasons(hits, best.label, certainty / norm),
    )


def _reasons(hits: Iterable[_Hit], label: str, scale: float) -> tuple[Reason, ...]:
    """The strongest words, once each; `scale` makes a value a share of the score, the slope makes it nats."""
    weights: dict[str, float] = {}
    for hit in hits:
        if label == "negative":
            weight = -_NEGATIVE_SLOPE * hit.value
        elif label == "positive":
            weight = _POSITIVE_SLOPE * hit.value
        else:
            weight = -(_POSITIVE_SLOPE if hit.value > 0 else _NEGATIVE_SLOPE) * abs(hit.value)
        if weight:
            weights[hit.text] = weights.get(hit.text, 0.0) + weight * scale
    ranked = sorted(weights.items(), key=lambda item: -abs(item[1]))[:REASONS]
    return tuple(Reason(text=text, weight=weight) for text, weight in ranked)
