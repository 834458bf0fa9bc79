"""Bad values of the events topic, generated from a seed: what foreign programs, faults and attackers send.

`Bad.certain` says that no reading of the bytes is an event, whatever the codec thinks of it: they were made so. Of the
others (a flipped bit may leave a readable event) the codec is the judge.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from examples import NOON, position, ticket_event

from schemas import words
from schemas.codec import Codec
from schemas.dead_letters import DeadLetter
from schemas.decisions import Assignment, Band, Candidate, Decision, Judgement, Reason
from schemas.events import MOST_CHARACTERS, MOST_EVENT_BYTES, EventKind, TicketEvent
from schemas.feedback import Feedback, FeedbackKind

NOON_MS = int(NOON.timestamp() * 1000)
FIRST_MS = -62_135_596_800_000  # the year 1
LAST_MS = 253_402_300_799_999  # the end of the year 9999
SUBJECTS = ("Drucker kaputt", "Rechnung falsch", "Login geht nicht", "VPN drops", "Refund", "Größe ändern: ß, é, 漢字")


@dataclass(frozen=True)
class Bad:
    kind: str
    value: bytes | None
    certain: bool


def bad_inputs(seed: int, number: int) -> Iterator[Bad]:
    """`number` bad values, of every kind in turn; the same for the same seed."""
    rng = random.Random(seed)
    for at in range(number):
        kind, (make, certain) = KINDS[at % len(KINDS)]
        yield Bad(kind, make(rng), certain)


def varint(number: int) -> bytes:
    """Avro's int and long: zigzag, then seven bits a byte."""
    zigzag = (number << 1) ^ (number >> 63)
    out = bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


def text(data: str | bytes) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return varint(len(data)) + data


NONE = varint(0)
FIELDS: dict[str, bytes] = {
    "event_id": text("e-raw"),
    "kind": varint(0),
    "ticket_id": text("T-raw"),
    "source": text("webform"),
    "tenant": text("default"),
    "channel": text("mail"),
    "requester": text(""),
    "subject": text("Drucker"),
    "body": text("Der Drucker druckt nicht."),
    "language_hint": NONE,
    "tags": NONE,
    "customer_tier": NONE,
    "human_set": NONE,
    "occurred_at": varint(NOON_MS),
    "product": text("Lagerix"),
}
IDENTIFIERS = ("event_id", "ticket_id", "source", "tenant")
TEXTS = (*IDENTIFIERS, "channel", "requester", "subject", "body", "product")


def packaged_id(word: type) -> int:
    return words.current()[word].packaged_id


def frame(body: bytes, word: type = TicketEvent) -> bytes:
    return struct.pack(">bI", 0, packaged_id(word)) + body


def raw_event(**fields: bytes) -> bytes:
    """A framed event whose fields' bytes are given: a writer without a conscience."""
    assert fields.keys() <= FIELDS.keys()
    return frame(b"".join({**FIELDS, **fields}.values()))


def good_event(rng: random.Random) -> TicketEvent:
    return ticket_event(
        event_id=f"e-{rng.getrandbits(64):x}",
        kind=rng.choice(list(EventKind)),
        ticket_id=f"T-{rng.getrandbits(32):x}",
        subject=rng.choice(SUBJECTS),
        tags=tuple(rng.choices(("a", "büro", ""), k=rng.randrange(3))),
        human_set={"priority": "P1"} if rng.random() < 0.1 else {},
        language_hint=rng.choice((None, "de", "en")),
    )


def good(rng: random.Random) -> bytes:
    return Codec().encode(good_event(rng))


def flipped(rng: random.Random) -> bytes:
    data = bytearray(good(rng))
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def truncated(rng: random.Random) -> bytes:
    data = good(rng)
    return data[: rng.randrange(5, len(data))]


def wrong_magic(rng: random.Random) -> bytes:
    return bytes([rng.randint(1, 255)]) + good(rng)[1:]


def unknown_schema(rng: random.Random) -> bytes:
    known = {schema.packaged_id for schema in words.packaged()}
    wrong = next(number for _ in iter(int, 1) if (number := rng.getrandbits(32)) not in known)
    return struct.pack(">bI", 0, wrong) + good(rng)[5:]


@cache
def other_words() -> tuple[Decision | Assignment | Feedback | DeadLetter, ...]:
    judgement = Judgement(
        label="it",
        probability=0.5,
        top=(Candidate(label="it", probability=0.5),),
        reasons=(Reason(text="drucker", weight=1.5),),
    )
    decision = Decision(
        decision_id="d-1",
        event_id="e-1",
        event=position(4),
        kind=EventKind.CREATED,
        ticket_id="T-1",
        source="webform",
        tenant="default",
        channel="mail",
        customer_tier=None,
        subject="Drucker",
        category=judgement,
        intent=judgement,
        priority=judgement,
        sentiment=judgement,
        sentiment_score=-0.5,
        language=judgement,
        team="it",
        queue="it",
        band=Band.AUTO,
        models={"category": "rules-1"},
        occurred_at=NOON,
    )
    feedback = Feedback(
        feedback_id="f-1", kind=FeedbackKind.CSAT, ticket_id="T-1", source="webform", score=5, occurred_at=NOON
    )
    letter = DeadLetter(
        origin=position(4),
        stage="decode",
        exception="E",
        message="m",
        stacktrace="s",
        key=None,
        value=b"v",
        failed_at=NOON,
    )
    return decision, Assignment.of(decision), feedback, letter


def another_word(rng: random.Random) -> bytes:
    return Codec().encode(rng.choice(other_words()))


def under_another_words_id(rng: random.Random) -> bytes:
    return frame(good(rng)[5:], type(rng.choice(other_words())))


def not_utf8(rng: random.Random) -> bytes:
    wrong = rng.choice((b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"ok \x80", b"\xc0\x80"))
    field = rng.choice((*TEXTS, "tags", "human_set", "language_hint"))
    as_field = {
        "tags": varint(1) + text(wrong) + NONE,
        "human_set": varint(1) + text(wrong) + text("x") + NONE,
        "language_hint": varint(1) + text(wrong),
    }
    return raw_event(**{field: as_field.get(field, text(wrong))})


def no_such_enum(rng: random.Random) -> bytes:
    return raw_event(kind=varint(rng.choice((6, 7, 63, 2**31, 2**62, -7, -(2**31), -(2**63)))))


def no_such_branch(rng: random.Random) -> bytes:
    field = rng.choice(("language_hint", "customer_tier"))
    return raw_event(**{field: varint(rng.choice((2, 3, 2**31, 2**62, -3, -(2**63)))) + text("x")})


def negative_index(rng: random.Random) -> bytes:
    """What no Avro writer writes; fastavro counts it from the end, as Python does, and reads a valid event."""
    field = rng.choice(("kind", "language_hint"))
    return raw_event(
        event_id=text(f"n-{rng.getrandbits(64):x}"), **{field: varint(-1) + text("de") * (field != "kind")}
    )


def wrong_length(rng: random.Random) -> bytes:
    claimed = rng.choice((2**20, 2**31 - 1, 2**31, 2**32, 2**40, 2**62, 2**63 - 1, -1, -2, -(2**31), -(2**63)))
    return raw_event(**{rng.choice(TEXTS): varint(claimed) + b"x" * rng.randrange(20)})


def wrong_block_count(rng: random.Random) -> bytes:
    claimed = rng.choice((2**20, 2**31, 2**32, 2**62, 2**63 - 1, -(2**20), -(2**31), -(2**62), -(2**63) + 1, -(2**63)))
    size = varint(rng.choice((0, 1, 2**40, -1, -(2**63)))) if claimed < 0 else b""
    items = rng.choice((text("a") * 3, text("team") + text("it"), b""))
    return raw_event(**{rng.choice(("tags", "human_set")): varint(claimed) + size + items})


def sized_blocks(rng: random.Random) -> bytes:
    """Avro's other way to write an array, with a negative count and the block's size: legal, so an event."""
    items = text("a") * rng.randint(1, 5)
    return raw_event(tags=varint(-(len(items) // 2)) + varint(len(items)) + items + NONE)


def endless_varint(rng: random.Random) -> bytes:
    field = rng.choice(list(FIELDS))
    return raw_event(**{field: b"\xff" * rng.choice((10, 11, 100, 3_000)) + rng.choice((b"", b"\x01", b"\x7f"))})


def no_such_time(rng: random.Random) -> bytes:
    return raw_event(
        occurred_at=varint(rng.choice((LAST_MS + 1, FIRST_MS - 1, 2**53, 2**62, 2**63 - 1, -(2**62), -(2**63))))
    )


def far_away_time(rng: random.Random) -> bytes:
    """Times that Python has and other systems may not."""
    return raw_event(
        event_id=text(f"far-{rng.getrandbits(64):x}"),
        occurred_at=varint(
            rng.choice((FIRST_MS, LAST_MS, -1, 0, -(10**12), 10**14, -2_208_988_800_001, 10_413_792_000_000))
        ),
    )


def broken_rule(rng: random.Random) -> bytes:
    name = rng.choice(list(MOST_CHARACTERS))
    long = text("x" * (MOST_CHARACTERS[name] + 1))
    blank = text(rng.choice(("", " ", "\t\n", "\u2003")))
    stranger = varint(1) + text(rng.choice(("colour", "", "Team", "queue"))) + text("x") + NONE
    wordy = varint(1) + text("team") + text("x" * 1_001) + NONE
    return rng.choice(
        (
            raw_event(**{rng.choice(IDENTIFIERS): blank}),
            raw_event(**{name: varint(1) + long if name == "customer_tier" else long}),
            raw_event(human_set=stranger),
            raw_event(human_set=wordy),
        )
    )


def json_text(rng: random.Random) -> bytes:
    depth = rng.choice((1, 10, 1_000, 20_000))
    return rng.choice(
        (
            b"[" * depth + b"]" * depth,
            b'{"a":' * depth + b"NaN" + b"}" * depth,
            json.dumps({"ticket_id": "T-1", "body": "x", "score": float("nan")}).encode(),
        )
    )


def huge(rng: random.Random) -> bytes:
    """More than an event may have; compressed it is small enough for Kafka."""
    return raw_event(body=text(b"x" * (MOST_EVENT_BYTES + rng.randrange(1, 1_000))))


def large(rng: random.Random) -> bytes:
    """As large as an event may be, or nearly so: an event."""
    return raw_event(
        event_id=text(f"large-{rng.getrandbits(64):x}"),
        body=text("Der Drucker druckt nicht. ß " * rng.randint(10, 2_000)),
        tags=varint(5_000) + text("") * 5_000 + NONE,
    )


_COMMON: Sequence[tuple[str, tuple[Callable[[random.Random], bytes | None], bool]]] = (
    ("no value", (lambda _: None, True)),
    ("empty", (lambda _: b"", True)),
    ("shorter than a frame", (lambda rng: rng.randbytes(rng.randint(1, 4)), True)),
    ("random", (lambda rng: bytes([rng.randint(1, 255)]) + rng.randbytes(rng.randrange(300)), True)),
    ("random behind a frame", (lambda rng: frame(rng.randbytes(rng.randrange(300))), False)),
    ("zeros", (lambda rng: bytes(rng.randrange(5, 300)), True)),
    ("truncated", (truncated, True)),
    ("prolonged", (lambda rng: good(rng) + rng.randbytes(rng.randint(1, 40)), True)),
    ("two in one", (lambda rng: good(rng) + good(rng), True)),
    ("bits flipped", (flipped, False)),
    ("bits flipped, again", (flipped, False)),
    ("wrong magic byte", (wrong_magic, True)),
    ("unknown schema id", (unknown_schema, True)),
    ("another word", (another_word, True)),
    ("under another word's id", (under_another_words_id, True)),
    ("not UTF-8", (not_utf8, True)),
    ("no such enum", (no_such_enum, True)),
    ("no such branch", (no_such_branch, True)),
    ("negative index", (negative_index, False)),
    ("wrong length", (wrong_length, True)),
    ("wrong block count", (wrong_block_count, True)),
    ("sized blocks", (sized_blocks, False)),
    ("endless varint", (endless_varint, False)),
    ("no such time", (no_such_time, True)),
    ("far away time", (far_away_time, False)),
    ("broken rule", (broken_rule, True)),
    ("JSON", (json_text, True)),
    ("JSON behind a frame", (lambda rng: frame(json_text(rng)), True)),
)
# The large ones are rare, so that ten thousand fit into a small broker.
KINDS = [*_COMMON * 20, ("huge", (huge, True)), ("large", (large, False))]
