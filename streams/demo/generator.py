"""Support tickets in German and English as a company might get them, invented from a seed.

Tickets arrive as an inhomogeneous Poisson process, drawn by thinning: Lewis and Shedler 1979, *Simulation of
nonhomogeneous Poisson processes by thinning*, Naval Research Logistics Quarterly 26(3). No clock, no I/O.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import random
import re
import unicodedata
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import accumulate, count
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from schemas.events import EventKind, TicketEvent
from streams.demo import phrases

TOPICS = (
    "hardware",
    "software",
    "access",
    "network",
    "billing",
    "account",
    "shipping",
    "product",
    "security",
    "outage",
    "hr",
    "other",
)
"""What a ticket can truly be about; `generate_labelled` tells which it is."""

HOME = ZoneInfo("Europe/Berlin")
"""Where the customers and colleagues live: the rhythm is in this zone's local time."""

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_HOUR_MS = 3_600_000
_HOURS_A_DAY = 24
_DAYS_A_WEEK = 7
_SATURDAY = 5
_MORNING = range(7, 12)

# fmt: off
_WORKDAY = (
    0.03, 0.02, 0.02, 0.02, 0.03, 0.06, 0.18, 0.50, 0.90, 1.15, 1.20, 1.05,
    0.65, 0.75, 1.00, 0.95, 0.75, 0.50, 0.30, 0.20, 0.15, 0.12, 0.08, 0.05,
)
_WEEKEND = (
    0.02, 0.02, 0.01, 0.01, 0.01, 0.02, 0.03, 0.05, 0.10, 0.14, 0.17, 0.18,
    0.16, 0.15, 0.15, 0.15, 0.14, 0.13, 0.13, 0.14, 0.13, 0.10, 0.07, 0.04,
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How many tickets are created in an hour, by hour of day and weekday.

    `base_per_hour` is the rate, in tickets per hour, where all factors are 1: that of a Wednesday at 14:00, about
    three times the mean of the week. `workday` and `weekend` hold 24 factors, by hour; `weekdays` holds 7,
    Monday first; `monday_morning` is one more factor, from 7 to 12 on Mondays. Raises ValueError.
    """

    base_per_hour: float = 60.0
    workday: tuple[float, ...] = _WORKDAY
    weekend: tuple[float, ...] = _WEEKEND
    weekdays: tuple[float, ...] = (1.1, 1.05, 1.0, 1.0, 0.85, 1.0, 0.8)
    monday_morning: float = 1.3

    def __post_init__(self) -> None:
        if not 0 < self.base_per_hour < math.inf:
            raise ValueError(f"base_per_hour is {self.base_per_hour}; it must be above 0 and finite")
        lengths = (len(self.workday), len(self.weekend), len(self.weekdays))
        if lengths != (_HOURS_A_DAY, _HOURS_A_DAY, _DAYS_A_WEEK):
            raise ValueError(f"workday, weekend and weekdays have {lengths} factors, not (24, 24, 7)")
        factors = (*self.workday, *self.weekend, *self.weekdays, self.monday_morning)
        if not all(0 <= factor < math.inf for factor in factors) or self.peak_per_hour <= 0:
            raise ValueError("the factors must be finite and not negative, and some hour must have tickets")

    def per_hour(self, local: datetime) -> float:
        """Tickets per hour at the wall clock time `local`."""
        return self._rate(local.weekday(), local.hour)

    @property
    def peak_per_hour(self) -> float:
        """Tickets per hour in the busiest hour of the week."""
        return max(self._rate(day, hour) for day in range(_DAYS_A_WEEK) for hour in range(_HOURS_A_DAY))

    def _rate(self, day: int, hour: int) -> float:
        hours = self.weekend if day >= _SATURDAY else self.workday
        morning = self.monday_morning if day == 0 and hour in _MORNING else 1.0
        return self.base_per_hour * hours[hour] * self.weekdays[day] * morning


EVERYDAY = Rhythm()
"""The rhythm of a middling company."""


def generate(*, seed: int, start: datetime, rhythm: Rhythm = EVERYDAY, tenant: str = "demo") -> Iterator[TicketEvent]:
    """An endless stream of events from `start` on, by `occurred_at`; the same arguments give the same events.

    Raises ValueError where `start` has no time zone or `tenant` is empty.
    """
    labelled = generate_labelled(seed=seed, start=start, rhythm=rhythm, tenant=tenant)
    return (event for event, _ in labelled)


def generate_labelled(
    *, seed: int, start: datetime, rhythm: Rhythm = EVERYDAY, tenant: str = "demo"
) -> Iterator[tuple[TicketEvent, str]]:
    """As `generate`, each event with the true topic of its ticket, one of TOPICS."""
    if start.tzinfo is None:
        raise ValueError("start has no time zone")
    if not tenant.strip():
        raise ValueError("tenant is empty")
    return _Desk(seed, start.astimezone(UTC), rhythm, tenant).events()


class _Lottery(Generic[_T]):
    """Draws values in proportion to their weights."""

    def __init__(self, weights: Mapping[_T, float]) -> None:
        self._values = tuple(weights)
        self._sums = tuple(accumulate(weights.values()))

    def draw(self, rng: random.Random) -> _T:
        return self._values[bisect(self._sums, rng.random() * self._sums[-1])]


_TOPIC = _Lottery(
    {
        "hardware": 10,
        "software": 14,
        "access": 14,
        "network": 9,
        "billing": 13,
        "account": 8,
        "shipping": 10,
        "product": 7,
        "security": 4,
        "outage": 5,
        "hr": 4,
        "other": 4,
    }
)
_MANNER = _Lottery(
    {
        "de": 55,
        "en": 35,
        "denglish": 3.5,
        "de quoting en": 1.75,
        "en quoting de": 1.75,
        "fr": 0.8,
        "es": 0.6,
        "pl": 0.6,
        "it": 0.5,
        "tr": 0.5,
    }
)
_TONE = _Lottery({"polite": 35, "neutral": 33, "frustrated": 18, "furious": 6, "thankful": 8})
_STAFF_TOPICS = frozenset({"hardware", "software", "access", "network", "security", "outage", "hr"})
_IT_TOPICS = _STAFF_TOPICS - {"hr"}
_PRODUCTION_TOPICS = _IT_TOPICS - {"access", "security"}
_TRADE_TOPICS = frozenset({"billing", "account", "shipping", "product"})
_URGENT_SHARE = {"outage": 0.45, "security": 0.3, "network": 0.15}
_URGENT_SHARE_ELSEWHERE = 0.06

_EMAIL, _CHAT = "email", "chat"
_STAFF_SOURCE = _Lottery(
    {
        ("jira", "portal"): 45,
        ("zendesk", _EMAIL): 15,
        ("email", _EMAIL): 25,
        ("webform", "web"): 5,
        ("chat", _CHAT): 10,
    }
)
_CUSTOMER_SOURCE = _Lottery(
    {
        ("zendesk", _EMAIL): 35,
        ("zendesk", "web"): 20,
        ("email", _EMAIL): 18,
        ("webform", "web"): 17,
        ("chat", _CHAT): 10,
    }
)
_FORMAL_SHARE = {_EMAIL: 0.65, "web": 0.6, "portal": 0.35, _CHAT: 0.1}
_GREETING_SHARE = {_EMAIL: 0.95, "web": 0.7, "portal": 0.45, _CHAT: 0.5}
_CLOSING_SHARE = {_EMAIL: 0.95, "web": 0.65, "portal": 0.45, _CHAT: 0.15}
_SMALL_LETTERS_SHARE = {_EMAIL: 0.03, "web": 0.06, "portal": 0.04, _CHAT: 0.35}

MOST_CHARACTERS = 900
_MOST_IN_THE_MIDDLE = 680  # leaves room for greeting, closing, name and signature
_MOST_BEFORE_ERROR = 640


# The language of templates: compiled once, since every ticket fills about ten of them.


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Either:
    options: tuple[_Template, ...]


_Template = tuple["str | _Slot | _Either", ...]
_PART = re.compile(r"\{(\w+)\}|\[([^\]]+)\]")


def _compile(text: str) -> _Template:
    parts: list[str | _Slot | _Either] = []
    at = 0
    for match in _PART.finditer(text):
        parts.append(text[at : match.start()])
        slot, options = match.groups()
        if slot:
            parts.append(_Slot(slot, slot.rstrip("0123456789")))
        else:
            parts.append(_Either(tuple(_compile(option.strip()) for option in options.split("|"))))
        at = match.end()
    parts.append(text[at:])
    return tuple(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Family:
    """One kind of problem: alternative subjects and the body."""

    subjects: tuple[_Template, ...]
    body: _Template


def _sections(block: str) -> Iterator[tuple[str, str]]:
    for section in re.split(r"^# ", block, flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        yield name, text.strip()


def _families(block: str) -> Mapping[str, tuple[_Family, ...]]:
    return {topic: tuple(map(_family, text.split("\n\n"))) for topic, text in _sections(block)}


def _family(paragraph: str) -> _Family:
    subjects, *lines = paragraph.split("\n")
    return _Family(tuple(map(_compile, subjects.split(" | "))), _compile(" ".join(lines)))


def _sentences(block: str) -> Mapping[str, tuple[_Template, ...]]:
    return {name: tuple(map(_compile, text.split("\n"))) for name, text in _sections(block)}


@dataclass(frozen=True, slots=True)
class _Voice:
    """How people of one language write: problems and details by topic, sentences by part of the message."""

    language: str
    families: Mapping[str, tuple[_Family, ...]]
    details: Mapping[str, tuple[_Template, ...]]
    common: Mapping[str, tuple[_Template, ...]]


_GERMAN = _Voice(
    "de",
    _families(phrases.GERMAN_FAMILIES),
    _sentences(phrases.GERMAN_DETAILS),
    _sentences(phrases.GERMAN_COMMON),
)
_ENGLISH = _Voice(
    "en",
    _families(phrases.ENGLISH_FAMILIES),
    _sentences(phrases.ENGLISH_DETAILS),
    _sentences(phrases.ENGLISH_COMMON),
)
_DENGLISH = _Voice("de", _families(phrases.MIXED_FAMILIES), _GERMAN.details, _GERMAN.common)
_ERROR_BLOCKS = _sentences(phrases.MIXED_COMMON)["error_block"]
_VOICES = {
    "de": _GERMAN,
    "en": _ENGLISH,
    "denglish": _DENGLISH,
    "de quoting en": _GERMAN,
    "en quoting de": _ENGLISH,
} | {
    language: _Voice(language, _families(families), {}, _sentences(common))
    for language, families, common in (
        ("fr", phrases.FRENCH_FAMILIES, phrases.FRENCH_COMMON),
        ("es", phrases.SPANISH_FAMILIES, phrases.SPANISH_COMMON),
        ("pl", phrases.POLISH_FAMILIES, phrases.POLISH_COMMON),
        ("it", phrases.ITALIAN_FAMILIES, phrases.ITALIAN_COMMON),
        ("tr", phrases.TURKISH_FAMILIES, phrases.TURKISH_COMMON),
    )
}


# What fills the slots.


class _Pen:
    """Fills templates for one person on one day.

    A slot keeps its value in `memo`, so that subject, body and later messages name the same order.
    """

    def __init__(self, rng: random.Random, language: str, today: date, memo: dict[str, str]) -> None:
        self.rng = rng
        self.locale = "en" if language == "en" else "de"
        self.today = today
        self.memo = memo

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, options: Sequence[_T]) -> _T:
        return options[int(self.rng.random() * len(options))]

    def write(self, template: _Template) -> str:
        return "".join([part if isinstance(part, str) else self._fill(part) for part in template])

    def one_of(self, templates: Sequence[_Template]) -> str:
        return self.write(self.pick(templates))

    def _fill(self, part: _Slot | _Either) -> str:
        if isinstance(part, _Either):
            return self.one_of(part.options)
        value = self.memo.get(part.name)
        if value is None:
            value = self.memo[part.name] = self._value(part.kind)
        return value

    def _value(self, kind: str) -> str:
        if kind in phrases.PATTERNS:
            signs = self.pick(phrases.PATTERNS[kind])
            return "".join([self.pick("0123456789") if sign == "#" else sign for sign in signs])
        if kind in phrases.RANGES:
            least, greatest = phrases.RANGES[kind]
            return str(least + int(self.rng.random() * (greatest - least + 1)))
        if kind in phrases.WORDS:
            return self.pick(phrases.WORDS[kind])
        if kind in _MAKERS:
            return _MAKERS[kind](self)
        return self.pick(phrases.LOCAL_WORDS[self.locale][kind])


def _money(pen: _Pen, least: float, greatest: float) -> str:
    """An amount between two, small ones more often; one message keeps to one way of naming the currency."""
    amount = f"{math.exp(pen.rng.uniform(math.log(least), math.log(greatest))):,.2f}"
    if pen.locale == "de":
        amount = amount.translate(_GERMAN_POINTS)
    if "currency" not in pen.memo:
        pen.memo["currency"] = pen.pick(_CURRENCIES[pen.locale])
    return pen.memo["currency"].format(amount)


def _day(pen: _Pen, days: int) -> str:
    day = pen.today + timedelta(days=days)
    month = phrases.LOCAL_WORDS[pen.locale]["month"][day.month - 1]
    if pen.locale == "de":
        return pen.pick((f"{day:%d.%m.%Y}", f"{day.day}.{day.month}.{day:%y}", f"{day.day}. {month}"))
    return pen.pick((f"{day.day} {month}", f"{month} {day.day}", day.isoformat()))


def _month(pen: _Pen, ahead: int) -> str:
    months = phrases.LOCAL_WORDS[pen.locale]["month"]
    return months[(pen.today.month - 1 + ahead) % len(months)]


def _time(pen: _Pen) -> str:
    hour, minute = 7 + int(pen.rng.random() * 11), 5 * int(pen.rng.random() * 12)
    if pen.locale == "de":
        return f"{hour}:{minute:02d}"
    return f"{(hour - 1) % 12 + 1}:{minute:02d} {'am' if hour < _NOON else 'pm'}"


def _woman(pen: _Pen) -> str:
    return f"{pen.pick(phrases.WOMEN[pen.locale])} {pen.pick(phrases.SURNAMES[pen.locale])}"


def _man(pen: _Pen) -> str:
    return f"{pen.pick(phrases.MEN[pen.locale])} {pen.pick(phrases.SURNAMES[pen.locale])}"


_NOON = 12
_LONGEST_REACH_DAYS = 20  # how far back and ahead people name dates
_CURRENCIES = {"de": ("{} EUR", "{} €", "{} Euro"), "en": ("${}", "${}", "£{}", "EUR {}")}
_GERMAN_POINTS = str.maketrans({",": ".", ".": ","})
_MAKERS: Mapping[str, Callable[[_Pen], str]] = {
    "amount": lambda pen: _money(pen, 25, 4000),
    "fee": lambda pen: _money(pen, 25, 190),
    "less": lambda pen: _money(pen, 4, 25),
    "date": lambda pen: _day(pen, -1 - int(pen.rng.random() * _LONGEST_REACH_DAYS)),
    "due": lambda pen: _day(pen, 1 + int(pen.rng.random() * _LONGEST_REACH_DAYS)),
    "month": lambda pen: _month(pen, -pen.pick((0, 1, 2))),
    "next_month": lambda pen: _month(pen, pen.pick((1, 2))),
    "time": _time,
    "woman": _woman,
    "man": _man,
    "person": lambda pen: pen.pick((_woman, _man))(pen),
    "given": lambda pen: pen.pick(pen.pick((phrases.WOMEN, phrases.MEN))[pen.locale]),
    "surname": lambda pen: pen.pick(phrases.SURNAMES[pen.locale]),
}
_LASTING = frozenset(
    {"app", "asset", "city", "contract", "currency", "customer", "dept", "error", "order", "serial", "ticket"}
)
"""Slots that later messages fill with the same."""


# Who writes.


@dataclass(frozen=True, slots=True)
class _Requester:
    address: str
    given: str
    surname: str
    tier: str | None


_REQUESTERS = {"de": 3000, "en": 2000}
_REQUESTERS_ELSEWHERE = 60
_NUMBERED_EVERY = 3  # every third one writes from an address without a name
_TIER_BELOW = ((40, None), (80, "standard"), (94, "enterprise"), (100, "vip"))
_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_ASCII_ABROAD = str.maketrans({"ł": "l", "ı": "i"})  # noqa: RUF001  the letters that are meant


@cache
def _requester(language: str, index: int) -> _Requester:
    """The same person for ever, whatever the seed; at most 6,000 are ever kept."""
    given_names = (*phrases.WOMEN[language], *phrases.MEN[language])
    surnames = phrases.SURNAMES[language]
    given = given_names[index % len(given_names)]
    surname = surnames[(index // len(given_names) + index) % len(surnames)]
    name = f"{given}.{surname}".casefold().translate(_ASCII).translate(_ASCII_ABROAD)
    local = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    if index % _NUMBERED_EVERY == 0:
        local = f"{language}-{104_729 + 7 * index}"
    elif index >= len(given_names):
        local += str(index)
    place = index * 37 % 100
    tier = next(tier for below, tier in _TIER_BELOW if place < below)
    return _Requester(f"{local}@example.com", given, surname, tier)


# What they write.


@dataclass(slots=True)
class _Ticket:
    """What the source knows of a ticket, and what later messages need of the first."""

    ticket_id: str
    source: str
    channel: str
    manner: str
    requester: _Requester
    topic: str
    tone: str
    urgent: bool
    hint: str | None
    tags: tuple[str, ...]
    product: str = ""
    subject: str = ""
    memo: dict[str, str] = field(default_factory=dict[str, str])
    events: int = 0
    last: EventKind = EventKind.CREATED

    @property
    def voice(self) -> _Voice:
        return _VOICES[self.manner]


def _subject(pen: _Pen, ticket: _Ticket, family: _Family) -> str:
    if ticket.channel == _CHAT and pen.chance(0.25):
        return ""
    subject = pen.one_of(family.subjects)
    common = ticket.voice.common
    if ticket.urgent and "subject_urgent" in common and pen.chance(0.5):
        subject = f"{pen.one_of(common['subject_urgent'])} {subject}"
    elif ticket.channel == _EMAIL and pen.chance(0.07):
        subject = f"{pen.pick(('AW', 'WG') if ticket.voice.language == 'de' else ('Re', 'Fwd'))}: {subject}"
    return subject.upper() if ticket.tone == "furious" and pen.chance(0.25) else subject


def _first_message(pen: _Pen, ticket: _Ticket, family: _Family) -> str:
    common, channel = ticket.voice.common, ticket.channel
    if ticket.voice.language not in {"de", "en"}:
        return _foreign_message(pen, ticket, family)
    manner = "formal" if pen.chance(_FORMAL_SHARE[channel]) else "informal"
    text = " ".join(_middle(pen, ticket, family, manner))
    if pen.chance(_GREETING_SHARE[channel]):
        greeting = pen.one_of(common[f"greeting_{manner}"])
        gap = " " if channel == _CHAT else pen.pick((_BLANK, _BLANK, "\n"))
        text = greeting + gap + _after(greeting, text)
    text = _as_typed(pen, ticket, text)
    if ticket.manner == "de quoting en" and ticket.topic in _IT_TOPICS and len(text) < _MOST_BEFORE_ERROR:
        text += _BLANK + pen.one_of(_ERROR_BLOCKS)
    if pen.chance(_CLOSING_SHARE[channel]):
        text += _closing(pen, ticket, manner)
    return text + _quote(pen, ticket, MOST_CHARACTERS - len(text))


def _middle(pen: _Pen, ticket: _Ticket, family: _Family, manner: str) -> list[str]:
    """Sentences in order. Those that would make the message too long are left out, the problem never."""
    voice, topic, tone = ticket.voice, ticket.topic, ticket.tone
    wordy = 0.5 if ticket.channel == _CHAT else pen.pick((0.8, 1.0, 1.0, 1.0, 1.9))
    problem = pen.write(family.body)
    room = _MOST_IN_THE_MIDDLE - len(problem)
    group = "it" if topic in _IT_TOPICS else "trade" if topic in _TRADE_TOPICS else "people"
    chosen: list[_Template] = []

    def perhaps(probability: float, part: str) -> None:
        if pen.chance(probability * wordy):
            chosen.append(pen.pick(voice.common[part]))

    perhaps(0.45, f"opening_{tone}")
    before = len(chosen)
    around = [pen.pick(voice.details[topic]) for _ in range(2) if pen.chance(0.35 * wordy)]
    contexts = ("context", "context_fault" if topic in _IT_TOPICS else "context")
    around += [pen.pick(voice.common[part]) for part in contexts if pen.chance(0.35 * wordy)]
    pen.rng.shuffle(around)
    chosen += dict.fromkeys(around)  # the same sentence never twice
    if ticket.urgent:
        urgent = "production" if topic in _PRODUCTION_TOPICS else group
        chosen.append(pen.pick(voice.common[f"urgent_{urgent}"]))
    else:
        perhaps(0.3, f"impact_{group}")
    perhaps(0.45, f"tone_{tone}")
    perhaps(0.5, f"request_{manner}")
    perhaps(0.05, "postscript")

    sentences: list[str] = []
    for place, template in enumerate(chosen):
        if place == before:
            sentences.append(problem)
        sentence = pen.write(template)
        if len(sentence) < room:
            room -= len(sentence) + 1
            sentences.append(sentence)
    return sentences if before < len(chosen) else [*sentences, problem]


_BLANK = "\n\n"
_SMALL_AFTER_COMMA = frozenset(phrases.SMALL_AFTER_COMMA.split())


def _after(greeting: str, text: str) -> str:
    """`text` as German goes on after the comma of a greeting: only nouns keep their capital."""
    first, _, rest = text.partition(" ")
    small = greeting.endswith(",") and first.rstrip(",") in _SMALL_AFTER_COMMA
    return f"{first.lower()} {rest}" if small else text


def _closing(pen: _Pen, ticket: _Ticket, manner: str) -> str:
    requester, common = ticket.requester, ticket.voice.common
    closing = pen.one_of(common[f"closing_{manner}"])
    if ticket.channel == _CHAT:
        return f" {closing}"
    name = f"{requester.given} {requester.surname}" if manner == "formal" else requester.given
    text = f"{_BLANK}{closing}\n{name}"
    if ticket.channel == _EMAIL and manner == "formal" and pen.chance(0.4):
        text += f"\n{pen.one_of(common['signature'])}"
    return text


def _quote(pen: _Pen, ticket: _Ticket, room: int) -> str:
    """The earlier mail below the answer, at most `room` characters, where somebody leaves it in."""
    common, lines = ticket.voice.common, []
    if ticket.manner in {"de quoting en", "en quoting de"}:
        other = _ENGLISH if ticket.voice is _GERMAN else _GERMAN
        pen = _Pen(pen.rng, other.language, pen.today, {})
        common, lines = other.common, [pen.one_of(other.common["request_formal"])]
    elif ticket.channel != _EMAIL or not pen.chance(0.15):
        return ""
    quoted = "\n".join([pen.one_of(common["quoted"]), *(f"> {line}" for line in lines)])
    text = f"{_BLANK}{pen.one_of(common['quote'])}\n{quoted}"
    return text if len(text) <= room else ""


def _foreign_message(pen: _Pen, ticket: _Ticket, family: _Family) -> str:
    common = ticket.voice.common
    text = pen.write(family.body)
    if pen.chance(0.5):
        text += f" {pen.one_of(common['context'])}"
    if pen.chance(0.8):
        text = f"{pen.one_of(common['greeting'])}\n{text}"
    if pen.chance(0.7):
        text += f"\n{pen.one_of(common['closing'])}\n{ticket.requester.given}"
    return text


def _later_message(pen: _Pen, ticket: _Ticket, part: str) -> str:
    common, topic = ticket.voice.common, ticket.topic
    if part == "message" and topic in _IT_TOPICS and pen.chance(0.4):
        part = "message_fault"
    text = pen.one_of(common.get(part) or common["message"])
    if part.startswith("message") and topic in ticket.voice.details and pen.chance(0.4):
        text += f" {pen.one_of(ticket.voice.details[topic])}"
    if "greeting_informal" in common and pen.chance(_GREETING_SHARE[ticket.channel] / 2):
        greeting = pen.one_of(common["greeting_informal"])
        text = greeting + (" " if ticket.channel == _CHAT else "\n") + _after(greeting, text)
    return _as_typed(pen, ticket, text)


def _as_typed(pen: _Pen, ticket: _Ticket, text: str) -> str:
    """`text` as it leaves a keyboard: without umlauts, in small letters, with a slip, each now and then."""
    if ticket.voice.language == "de" and pen.chance(0.07):
        text = text.translate(_ASCII)
    if pen.chance(_SMALL_LETTERS_SHARE[ticket.channel]):
        text = text.lower()
    if pen.chance(0.13):
        for _ in range(1 + int(pen.rng.random() * 3)):
            text = _with_slip(pen, text)
    return text


_LONG_WORD = re.compile(r"[^\W\d_]{5,}")


def _with_slip(pen: _Pen, text: str) -> str:
    words = list(_LONG_WORD.finditer(text))
    if not words:
        return text
    word = pen.pick(words)
    at = word.start() + 1 + int(pen.rng.random() * (len(word[0]) - 2))
    slip = pen.pick((text[at + 1] + text[at], text[at + 1], text[at] + text[at] + text[at + 1]))
    return text[:at] + slip + text[at + 2 :]


# What happens to a ticket after it was created.

_MINUTE_MS = 60_000
_LONGEST_DELAY_MS = 14 * _HOURS_A_DAY * _HOUR_MS
_FOLLOWED_SHARE = 0.195  # of many tickets a source tells nothing more
_MOST_PENDING = 50_000
_MOST_WAITS = 60  # a follow-up outside working hours is put off by two hours on average, at most so many times

_AFTER_OPEN = _Lottery(
    {
        EventKind.MESSAGE_ADDED: 40,
        EventKind.CHANGED: 11,
        EventKind.RESOLVED: 35,
        None: 14,
    }
)
_AFTER_RESOLVED = _Lottery(
    {
        EventKind.CLOSED: 76,
        EventKind.MESSAGE_ADDED: 12,
        EventKind.REOPENED: 5,
        None: 7,
    }
)
_AFTER_CLOSED = _Lottery({EventKind.REOPENED: 4, None: 96})

# The median in minutes and the spread of its logarithm.
_DELAY = {
    EventKind.MESSAGE_ADDED: (50.0, 1.4),
    EventKind.CHANGED: (20.0, 1.2),
    EventKind.RESOLVED: (300.0, 1.1),
    EventKind.CLOSED: (1800.0, 0.6),
    EventKind.REOPENED: (1200.0, 0.9),
}


class _Desk:
    """The company as its sources see it: draws arrivals and keeps what is to follow."""

    def __init__(self, seed: int, start: datetime, rhythm: Rhythm, tenant: str) -> None:
        self._rng = random.Random(seed)  # noqa: S311  seeded text, not security
        self._tenant = tenant
        self._start_ms = -((_EPOCH - start) // _MS)  # rounded up: nothing happens before `start`
        self._peak = rhythm.peak_per_hour
        # Zones change their offset on the hour, so that one UTC hour is one local hour.
        self._per_hour: Callable[[int], float] = lru_cache(maxsize=2048)(
            lambda hour: rhythm.per_hour((_EPOCH + timedelta(hours=hour)).astimezone(HOME))
        )
        run = hashlib.sha256(repr((seed, start.isoformat(), rhythm, tenant)).encode()).hexdigest()
        self._run = run[:8].upper()
        self._numbers = count(1)
        self._pending: list[tuple[int, int, EventKind, _Ticket]] = []
        self._pushes = count()

    def events(self) -> Iterator[tuple[TicketEvent, str]]:
        for at in self._arrivals():
            while self._pending and self._pending[0][0] <= at:
                then, _, kind, ticket = heapq.heappop(self._pending)
                yield self._followed(then, kind, ticket), ticket.topic
            event, ticket = self._created(at)
            yield event, ticket.topic

    def _arrivals(self) -> Iterator[int]:
        """When tickets are created, in milliseconds since 1970, by thinning a process at the peak's rate."""
        at = float(self._start_ms)
        while True:
            at += self._rng.expovariate(self._peak) * _HOUR_MS
            if self._works(int(at)):
                yield int(at)

    def _works(self, at: int) -> bool:
        return self._rng.random() * self._peak < self._per_hour(at // _HOUR_MS)

    def _created(self, at: int) -> tuple[TicketEvent, _Ticket]:
        rng = self._rng
        topic, manner, tone = _TOPIC.draw(rng), _MANNER.draw(rng), _TONE.draw(rng)
        source, channel = (_STAFF_SOURCE if topic in _STAFF_TOPICS else _CUSTOMER_SOURCE).draw(rng)
        voice = _VOICES[manner]
        now = _EPOCH + at * _MS
        pen = _Pen(rng, voice.language, now.astimezone(HOME).date(), {})
        people = _REQUESTERS.get(voice.language, _REQUESTERS_ELSEWHERE)
        ticket = _Ticket(
            ticket_id=f"{self._tenant.upper()}-{now:%Y%m%d}-{self._run}-{next(self._numbers):06d}",
            source=source,
            channel=channel,
            manner=manner,
            requester=_requester(voice.language, int(people * rng.random() ** 1.6)),  # a few write often
            topic=topic,
            tone=tone,
            urgent=pen.chance(_URGENT_SHARE.get(topic, _URGENT_SHARE_ELSEWHERE)),
            hint=_hint(pen, voice.language),
            tags=tuple(sorted({pen.pick(phrases.TAGS) for _ in range(2) if pen.chance(0.3)})),
            memo=pen.memo,
        )
        family = pen.pick(voice.families[topic])
        body = _first_message(pen, ticket, family)
        ticket.subject = _subject(pen, ticket, family)
        ticket.product = pen.memo.get("app", "")  # the form asks for the program where it is about one
        event = self._event(ticket, at, EventKind.CREATED, body)
        if pen.chance(_FOLLOWED_SHARE) and len(self._pending) < _MOST_PENDING:
            ticket.memo = {slot: text for slot, text in pen.memo.items() if slot in _LASTING}
            ticket.memo["date"] = _day(pen, 0)
            self._plan(at, ticket)
        return event, ticket

    def _followed(self, at: int, kind: EventKind, ticket: _Ticket) -> TicketEvent:
        today = (_EPOCH + at * _MS).astimezone(HOME).date()
        pen = _Pen(self._rng, ticket.voice.language, today, dict(ticket.memo))
        human_set: dict[str, str] = {}
        body = ""
        if kind is EventKind.CHANGED:
            if pen.chance(0.8):
                human_set["priority"] = pen.pick(("P1", "P1", "P2") if ticket.urgent else ("P2", "P3", "P3", "P4"))
            else:
                ticket.tags = tuple(sorted({*ticket.tags, pen.pick(phrases.TAGS)}))
        elif kind is EventKind.MESSAGE_ADDED:
            body = _later_message(pen, ticket, "thanks" if ticket.last is EventKind.RESOLVED else "message")
        elif kind is EventKind.REOPENED:
            body = _later_message(pen, ticket, "reopened")
        elif kind is EventKind.RESOLVED and "resolved" in ticket.voice.common and pen.chance(0.6):
            body = pen.one_of(ticket.voice.common["resolved"])
        if not (kind is EventKind.MESSAGE_ADDED and ticket.last is EventKind.RESOLVED):
            ticket.last = kind
        self._plan(at, ticket)
        return self._event(ticket, at, kind, body, human_set)

    def _plan(self, at: int, ticket: _Ticket) -> None:
        """Draw what happens next to `ticket` after the millisecond `at`; often nothing, and it is forgotten."""
        match ticket.last:
            case EventKind.RESOLVED:
                lottery = _AFTER_RESOLVED
            case EventKind.CLOSED:
                lottery = _AFTER_CLOSED
            case _:
                lottery = _AFTER_OPEN
        kind = lottery.draw(self._rng)
        if kind is None:
            return
        median, spread = _DELAY[kind]
        delay = self._rng.lognormvariate(math.log(median), spread) * _MINUTE_MS
        then = at + 1 + min(int(delay), _LONGEST_DELAY_MS)
        for _ in range(_MOST_WAITS):
            if self._works(then):
                break
            then += int(self._rng.expovariate(0.5) * _HOUR_MS)
        heapq.heappush(self._pending, (then, next(self._pushes), kind, ticket))

    def _event(
        self, ticket: _Ticket, at: int, kind: EventKind, body: str, human_set: Mapping[str, str] | None = None
    ) -> TicketEvent:
        ticket.events += 1
        return TicketEvent(
            event_id=f"{ticket.ticket_id}-{ticket.events}",
            kind=kind,
            ticket_id=ticket.ticket_id,
            source=ticket.source,
            tenant=self._tenant,
            channel=ticket.channel,
            requester=ticket.requester.address,
            subject=ticket.subject,
            body=body,
            language_hint=ticket.hint,
            tags=ticket.tags,
            product=ticket.product,
            customer_tier=ticket.requester.tier,
            human_set=human_set or {},
            occurred_at=_EPOCH + at * _MS,
        )


def _hint(pen: _Pen, language: str) -> str | None:
    """What the source believes about the language: often nothing, and wrong now and then."""
    if pen.chance(0.4):
        return None
    return pen.pick(("de", "en")) if pen.chance(0.06) else language
