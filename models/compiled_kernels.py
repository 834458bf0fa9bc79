"""The loops of `models.kernels`, compiled by numba. `models.numpy_kernels` says in fewer lines what they compute.

numba keeps the machine code in a cache on disk: only the first run after an installation compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from models.lanes import EIGHT_ZEROS, FOUR_ZEROS, SIXTEEN_ZEROS, add_to, descend, fetch, plus
from models.layout import (
    BASE,
    BASIC_PLANE,
    BIAS_SQUARES,
    BLOCK,
    COUNTS,
    DOCUMENTS,
    EMOJI,
    EXPERTS,
    FIRST_MIX,
    FIRST_SQUARES,
    HEAD,
    JOINER,
    LETTER,
    LINE,
    LONGEST_GRAM,
    MARK,
    MIX_SHIFT,
    MIX_SQUARES,
    NOTHING_TO_LEARN,
    PAIR,
    SECOND_MIX,
    SEED_CHARACTERS,
    SEED_JOINED,
    SEED_MARK,
    SEED_PAIR,
    SEED_WORD,
    SEEN,
    SHORTEST_GRAM,
    SMOOTHING,
    SPREAD,
    SQUARES,
    SQUARES_OF_WORDS,
    TOTALS,
    WEIGHTS,
)

F = TypeVar("F", bound=Callable[..., Any])
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Buckets = NDArray[np.int32]
Place = Any
"""An unsigned number: with another one, every look into an array asks whether it counts from the end."""
Rows = NDArray[np.uint64]
Room = tuple[Floats, Buckets, Floats, Buckets]
Noted = tuple[Rows, Doubles, Floats]
"""Where a feature's row begins, and its value before the ticket's length is made one: as it is, and rounded."""

cast("Any", numba).config.SLP_VECTORIZE = 1  # also what stands side by side outside of loops is one operation

AHEAD = np.uint64(64)
"""Rows of the table are asked for so many features before they are needed: memory answers late, but many at once."""
A_BLOCK = np.uint64(BLOCK)
A_STRETCH = np.uint64(128)
"""Features whose rows are gone through several times while they are in the cache."""
A_LINE = np.uint64(LINE)
_BASE = np.uint64(BASE)
_BLANK = np.uint64(32)
ONE, TWO, THREE, FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
AT_SQUARES, AT_SQUARES_OF_WORDS = np.uint64(SQUARES), np.uint64(SQUARES_OF_WORDS)
AT_SPREAD, AT_COUNTS, FIRST_LABEL = np.uint64(SPREAD), np.uint64(COUNTS), np.uint64(HEAD)
SEED_OF_THREE, SEED_OF_FOUR, SEED_OF_FIVE = (
    SEED_CHARACTERS * np.uint64(size) for size in range(SHORTEST_GRAM, LONGEST_GRAM + 1)
)
_LOG_2 = np.log(2.0)
_OFTEN = np.log1p(np.arange(64.0)) / _LOG_2  # a logarithm costs more than all else about a feature
_LOGS = np.log1p(np.arange(4096, dtype=np.float32))
_SMALL = np.float32(1.0 / SMOOTHING)
_LOGS_OF_COUNTS = np.log1p(np.arange(1 << 14) / SMOOTHING).astype(np.float32)
_PER_LOG_2 = np.float32(1.0 / np.log(2.0))
_PER_COUNT = np.float32(SMOOTHING)
C1, C2, C3, C4, C5 = np.array([0.6931476, 0.2402069, 0.05565866, 0.009196802, 0.001789665], np.float32)
"""2^x = 1 + C1 x + ... to 4e-7 for x from 0 to 1 (a Chebyshev fit of 2^x - 1 over x)."""
_LAST_LOG = _LOGS_OF_COUNTS[-1]


def _compiled(function: F) -> F:
    njit = cast("Any", numba).njit
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # no folder that may be written: every process compiles for itself
        return cast("F", njit(nogil=True, error_model="numpy")(function))


def _inlined(function: F) -> F:
    """Compiled into what calls it. Arrays are lent to it, not counted: that would cost as much as 32 features do."""
    njit = cast("Any", numba).njit
    flags = {"forceinline": True, "no_cpython_wrapper": True, "_nrt": False}
    return cast("F", njit(nogil=True, error_model="numpy", **flags)(function))


@_inlined
def _bucket(hashed: np.uint64, seed: np.uint64, shift: np.uint64) -> np.uint64:
    mixed = hashed ^ seed
    mixed ^= mixed >> MIX_SHIFT
    mixed *= FIRST_MIX
    mixed ^= mixed >> MIX_SHIFT
    mixed *= SECOND_MIX
    mixed ^= mixed >> MIX_SHIFT
    return mixed >> shift


@_inlined
def _count(bucket: np.uint64, places: Buckets, buckets: Buckets, often: Buckets, total: int) -> int:
    """Count a feature at the place of its bucket, or at a new one; without a branch, which could not be foreseen."""
    place = int(places[bucket])
    if_new = place >> 63
    place ^= (place ^ total) & if_new
    places[bucket] = place
    buckets[total] = bucket
    often[place] = (often[place] & ~if_new) + 1
    return total - if_new


@_inlined
def _read(
    codes: NDArray[np.uint32],
    classes: NDArray[np.uint8],
    shift: np.uint64,
    places: Buckets,
    buckets: Buckets,
    counts: Floats,
    line: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
) -> tuple[int, int]:
    often = counts.view(np.int32)
    line[0] = _BLANK
    length = 1
    total = 0
    run = np.uint64(0)
    whole = np.uint64(0)
    word = np.uint64(0)
    found = 0
    letters = 0
    seams = 0
    at_seam = False
    for at in range(len(codes) + 1):
        code = codes[at] if at < len(codes) else _BLANK
        kind = classes[code] if code < BASIC_PLANE else (MARK if code >= EMOJI else LETTER)
        if kind == LETTER:
            if at_seam:
                seams += 1
                at_seam = False
            line[length] = code
            length += 1
            word = word * _BASE + np.uint64(code)
            run = run * _BASE + np.uint64(code)
            whole = run
            letters += 1
            continue
        if line[length - 1] != _BLANK:
            line[length] = _BLANK
            length += 1
            hashes[found] = word
            found += 1
            word = np.uint64(0)
        if kind == JOINER and letters:
            run = run * _BASE + np.uint64(code)
            at_seam = True
            continue
        if seams:
            total = _count(_bucket(whole, SEED_JOINED, shift), places, buckets, often, total)
        run = np.uint64(0)
        letters = 0
        seams = 0
        at_seam = False
        if kind == MARK:
            total = _count(_bucket(np.uint64(code), SEED_MARK, shift), places, buckets, often, total)
    for at in range(found):
        total = _count(_bucket(hashes[at], SEED_WORD, shift), places, buckets, often, total)
        if at:
            pair = hashes[at - 1] * PAIR + hashes[at]
            total = _count(_bucket(pair, SEED_PAIR, shift), places, buckets, often, total)
    for at in range(total):
        places[buckets[at]] = -1
        counts[at] = np.float32(often[at])
    words = total
    # Nearly every place begins three n-grams, which needs no asking; the last two of a word begin fewer.
    line[length : length + 2] = _BLANK
    for start in range(length - 2):
        second = line[start + 1]
        third = line[start + 2]
        if second == _BLANK:
            continue
        gram = (line[start] * _BASE + second) * _BASE + third
        total = _count(_bucket(gram, SEED_OF_THREE, shift), places, buckets, often, total)
        if third == _BLANK:
            continue
        gram = gram * _BASE + line[start + 3]
        total = _count(_bucket(gram, SEED_OF_FOUR, shift), places, buckets, often, total)
        if line[start + 3] == _BLANK:
            continue
        gram = gram * _BASE + line[start + 4]
        total = _count(_bucket(gram, SEED_OF_FIVE, shift), places, buckets, often, total)
    for at in range(words, total):
        places[buckets[at]] = -1
        counts[at] = np.float32(often[at])
    return words, total


@_compiled
def read(
    codes: NDArray[np.uint32], classes: NDArray[np.uint8], bits: int, places: Buckets
) -> tuple[Buckets, Floats, int]:
    """See `models.numpy_kernels.read`."""
    size = len(codes)
    buckets, counts = np.empty(6 * size + 16, np.int32), np.empty(6 * size + 16, np.float32)
    line, hashes = np.empty(size + 4, np.uint64), np.empty(size + 1, np.uint64)
    words, total = _read(codes, classes, np.uint64(64 - bits), places, buckets, counts, line, hashes)
    return buckets[:total].copy(), counts[:total].copy(), words


@_compiled
def read_many(
    codes: NDArray[np.uint32], ends: Ints, classes: NDArray[np.uint8], bits: int, places: Buckets
) -> tuple[Ints, Ints, Buckets, Floats]:
    """See `models.numpy_kernels.read_many`."""
    size = len(codes)
    room = 6 * size + 16 * len(ends)
    buckets, counts = np.empty(room, np.int32), np.empty(room, np.float32)
    line, hashes = np.empty(size + 4, np.uint64), np.empty(size + 1, np.uint64)
    starts, splits = np.zeros(len(ends) + 1, np.int64), np.empty(len(ends), np.int64)
    begin = total = 0
    for at in range(len(ends)):
        splits[at], found = _read(
            *(codes[begin : ends[at]], classes, np.uint64(64 - bits), places),
            *(buckets[total:], counts[total:], line, hashes),
        )
        begin = ends[at]
        total += found
        starts[at + 1] = total
    return starts, splits, buckets[:total].copy(), counts[:total].copy()


@_inlined
def _ask_for(flat: Floats, width: Place, wanted: Place, buckets: Buckets, begin: Place, end: Place, rows: Rows) -> None:
    """Note where the rows of the features from `begin` to `end` are, and ask for the numbers `wanted` of each."""
    for at in range(begin, min(end, np.uint64(len(buckets)))):
        row = np.uint64(buckets[at]) * width
        rows[at] = row
        fetch(flat, row)
        for place in range(row + A_LINE, row + wanted, A_LINE):
            fetch(flat, place)


@_inlined
def _weigh(
    flat: Floats,
    counts: Floats,
    begin: Place,
    end: Place,
    most: float,
    noted: Noted,
    square: float,
    total: float,
) -> tuple[float, float]:
    """Note the values from `begin` to `end`, rarer features with more; add their squares up, and the counts."""
    rows, values, rounded = noted
    for at in range(begin, end):
        count = counts[at]
        whole = np.int64(count)
        few = whole == count and np.uint64(whole) < np.uint64(len(_OFTEN))
        often = _OFTEN[np.uint64(whole)] if few else np.log1p(np.float64(count)) / _LOG_2
        value = (most - np.float64(flat[rows[at] + AT_SPREAD])) * often
        values[at] = value
        rounded[at] = np.float32(value)
        square += value * value
        total += np.float64(count)
    return square, total


@_inlined
def _sum_up(
    nothing: Any,
    flat: Floats,
    label: Place,
    room: Place,
    counts: Floats,
    begin: Place,
    end: Place,
    is_words: bool,
    noted: Noted,
    parts: Doubles,
) -> None:
    """Add what the features from `begin` to `end` say of as many labels as `nothing` is wide, from `label` on."""
    rows, _, rounded = noted
    column = FIRST_LABEL + label
    shared = nothing
    logs = nothing
    for at in range(begin, end):
        place = rows[at] + column
        shared = plus(shared, rounded[at], flat, place)
        logs = plus(logs, counts[at], flat, place + room)
    add_to(parts, label, shared)
    add_to(parts, label + (TWO if is_words else THREE) * room, logs)
    if is_words:
        own = nothing
        column += TWO * room
        for at in range(begin, end):
            own = plus(own, rounded[at], flat, rows[at] + column)
        add_to(parts, label + room, own)


@_inlined
def _summed_up(
    flat: Floats,
    width: Place,
    buckets: Buckets,
    counts: Floats,
    begin: Place,
    end: Place,
    is_words: bool,
    most: float,
    room: Place,
    known: int,
    noted: Noted,
    parts: Doubles,
    square: float,
) -> tuple[float, float]:
    """Add what the features from `begin` to `end` say to the experts' `parts`, and their squares to `square`.

    Returns those, and how many there are.
    """
    total = 0.0
    wanted = FIRST_LABEL + (THREE if is_words else TWO) * room
    known_lanes = (np.uint64(known) + THREE) // FOUR * FOUR  # rooms are multiples of four, zero beyond `known`
    for first in range(begin, end, A_BLOCK):
        last = min(first + A_BLOCK, end)
        _ask_for(flat, width, wanted, buckets, first + AHEAD, last + AHEAD, noted[0])
        square, total = _weigh(flat, counts, first, last, most, noted, square, total)
        # As many labels at a time as have their sums in registers.
        label = np.uint64(0)
        while label + np.uint64(16) <= known_lanes:
            _sum_up(SIXTEEN_ZEROS(), flat, label, room, counts, first, last, is_words, noted, parts)
            label += np.uint64(16)
        if label + np.uint64(8) <= known_lanes:
            _sum_up(EIGHT_ZEROS(), flat, label, room, counts, first, last, is_words, noted, parts)
            label += np.uint64(8)
        if label < known_lanes:
            _sum_up(FOUR_ZEROS(), flat, label, room, counts, first, last, is_words, noted, parts)
    return square, total


@_inlined
def _base_rates(labels: Floats, state: Doubles, smoothing: float, size: int, known: int, rates: Doubles) -> None:
    """Fill `rates` with logarithms: of each label's share of tickets, of its words and of its character n-grams."""
    room = labels.shape[1]
    space = size / 8.0
    for label in range(known):
        rates[label] = np.log((np.float64(labels[DOCUMENTS, label]) + 0.5) / (state[SEEN] + 0.5 * known))
        rates[room + label] = np.log(np.float64(labels[TOTALS, label]) / smoothing + space)
        rates[2 * room + label] = np.log(np.float64(labels[TOTALS + 1, label]) / smoothing + space)


@_inlined
def _parts(
    buckets: Buckets,
    counts: Floats,
    words: Place,
    size: Place,
    flat: Floats,
    width: Place,
    rates: Doubles,
    room: Place,
    state: Doubles,
    known: int,
    noted: Noted,
    parts: Doubles,
) -> tuple[float, float, float, float]:
    """Fill `parts` of the ticket that `buckets` begin with, and note its features' rows and values.

    Returns how many words and character n-grams, what makes its length one, and then that of its words.
    """
    most = np.log1p(state[SEEN]) + 1.0
    for at in range(len(parts)):
        parts[at] = 0.0
    nowhere = np.uint64(0)
    _ask_for(flat, width, width, buckets, nowhere, AHEAD, noted[0])
    # That a text has the length one is seen to at the end, so that a row is looked up once.
    square_words, of_words = _summed_up(
        *(flat, width, buckets, counts, nowhere, words, True), *(most, room, known, noted, parts, 0.0)
    )
    square, of_characters = _summed_up(
        *(flat, width, buckets, counts, words, size, False), *(most, room, known, noted, parts, square_words)
    )
    scale = 1.0 / np.sqrt(square) if square > 0 else 0.0
    ratio = np.sqrt(square / square_words) if square_words > 0 else 0.0
    root_words = 1.0 / np.sqrt(of_words) if of_words > 0 else 0.0
    root_characters = 1.0 / np.sqrt(of_characters) if of_characters > 0 else 0.0
    for label in range(np.uint64(known)):
        own, words, characters = label + room, label + TWO * room, label + THREE * room
        parts[label] *= scale
        parts[own] *= scale * ratio
        parts[words] = (parts[words] - of_words * rates[own]) * root_words + rates[label]
        parts[characters] = (parts[characters] - of_characters * rates[words]) * root_characters + rates[label]
    for expert in range(np.uint64(EXPERTS)):
        mean = 0.0
        for label in range(np.uint64(known)):
            mean += parts[expert * room + label]
        mean /= known
        for label in range(np.uint64(known)):
            parts[expert * room + label] -= mean
    return of_words, of_characters, scale, ratio


@_inlined
def _mixed(parts: Doubles, room: Place, labels: Floats, state: Doubles, known: int, scores: Doubles) -> None:
    for label in range(np.uint64(known)):
        score = np.float64(labels[0, label])
        for expert in range(np.uint64(EXPERTS)):
            score += state[WEIGHTS + expert] * parts[expert * room + label]
        scores[label] = score


@_inlined
def _softmax(scores: Doubles, known: int, chances: Doubles) -> None:
    highest = scores[0]
    for label in range(1, known):
        highest = max(highest, scores[label])
    total = 0.0
    for label in range(known):
        chances[label] = np.exp(scores[label] - highest)
        total += chances[label]
    for label in range(known):
        chances[label] /= total


@_inlined
def _guess_counts(flat: Floats, rows: Rows, place: Place, begin: Place, end: Place, room: Room) -> None:
    """Guess n from log(1 + n / SMOOTHING), for the features from `begin` to `end`, by a polynomial for 2^x.

    Two loops without branches, so that eight are guessed at once; what is wrong is found by `_counted`.
    """
    logs, bits, powers, guesses = room
    for at in range(begin, end):
        logs[at] = min(flat[rows[at] + place], _LAST_LOG) * _PER_LOG_2
    for at in range(begin, end):
        bits[at] = (np.int32(logs[at]) + np.int32(127)) << np.int32(23)
    for at in range(begin, end):
        x = logs[at] - np.float32(np.int32(logs[at]))
        rest = C2 + x * (C3 + x * (C4 + x * C5))
        power = powers[at] * (np.float32(1) + x * (C1 + x * rest))
        guesses[at] = np.int32((power - np.float32(1)) * _PER_COUNT + np.float32(0.5))


@_inlined
def _descend(
    flat: Floats,
    rows: Rows,
    values: Doubles,
    at_squares: Place,
    at_weights: Place,
    begin: Place,
    end: Place,
    scale: float,
    ratio: float,
    gain: np.float32,
    pace: np.float32,
    error: Floats,
    known: int,
    squares: Floats,
    steps: Floats,
) -> None:
    """One step of AdaGrad for the weights of the features from `begin` to `end`.

    Roots and quotients have a loop of their own, so that several are taken at once.
    """
    first = np.float32(FIRST_SQUARES)
    for at in range(begin, end):
        squares[at] = flat[rows[at] + at_squares]
    for at in range(begin, end):
        value = np.float32(values[at] * scale * ratio)
        squares[at] += gain * value * value
        steps[at] = pace * value / np.sqrt(squares[at] + first)
    for at in range(begin, end):
        row = rows[at]
        flat[row + at_squares] = squares[at]
        for label in range(np.uint64(0), np.uint64(known), FOUR):
            descend(flat, row + at_weights + label, steps[at], error, label)


@_inlined
def _counted(log: Any, count: np.float32, small: np.float32, guess: np.int32) -> np.float32:
    """log(1 + small * (n + count)) from `log`, which is log(1 + small * n): the counts themselves need not be kept.

    Nearly always n and the count are whole and few, and small is what it is by default: then a table knows the answer.
    The guess is right where the table has `log` at n, to the bit.
    """
    whole = np.int32(count)
    if small == _SMALL and whole == count:
        n = np.uint64(guess)
        after = n + np.uint64(whole)
        if after < np.uint64(len(_LOGS_OF_COUNTS)) and _LOGS_OF_COUNTS[n] == log:
            return _LOGS_OF_COUNTS[after]
    return log + np.log1p(count * small * np.exp(-log))


@_compiled
def predict(
    starts: Ints,
    splits: Ints,
    buckets: Buckets,
    counts: Floats,
    table: Floats,
    labels: Floats,
    state: Doubles,
    smoothing: float,
    scores: Doubles,
) -> None:
    """See `models.numpy_kernels.predict`."""
    known = scores.shape[1]
    noted = _room_to_note(starts)
    room = np.uint64(labels.shape[1])
    parts = np.empty(EXPERTS * room, np.float64)
    rates = np.empty(3 * room, np.float64)
    flat = table.reshape(-1)
    width = np.uint64(table.shape[1])
    _base_rates(labels, state, smoothing, len(table), known, rates)
    for at in range(len(splits)):
        begin = starts[at]
        _parts(
            *(buckets[begin:], counts[begin:], np.uint64(splits[at]), np.uint64(starts[at + 1] - begin)),
            *(flat, width, rates, room, state, known, noted, parts),
        )
        _mixed(parts, room, labels, state, known, scores[at])


@_compiled
def _room_to_note(starts: Ints) -> Noted:
    longest = 0
    for at in range(len(starts) - 1):
        longest = max(longest, starts[at + 1] - starts[at])
    size = longest + A_BLOCK + AHEAD
    return np.empty(size, np.uint64), np.empty(size, np.float64), np.empty(size, np.float32)


@_compiled
def learn(
    starts: Ints,
    splits: Ints,
    buckets: Buckets,
    counts: Floats,
    columns: Buckets,
    table: Floats,
    labels: Floats,
    state: Doubles,
    smoothing: float,
    rate: float,
    mixing_rate: float,
    known: int,
    before: Doubles,
) -> None:
    """See `models.numpy_kernels.learn`."""
    noted = _room_to_note(starts)
    rows, values, _ = noted
    longest = len(rows)
    bits = np.empty(longest, np.int32)
    guessing = (np.empty(longest, np.float32), bits, bits.view(np.float32), np.empty(longest, np.int32))
    squares = np.empty(longest, np.float32)
    steps = np.empty(longest, np.float32)
    space = labels.shape[1]
    parts = np.empty(EXPERTS * space, np.float64)
    rates = np.empty(3 * space, np.float64)
    scores = np.empty(space, np.float64)
    chances = np.empty(space, np.float64)
    error = np.zeros(space, np.float32)
    flat = table.reshape(-1)
    width = np.uint64(table.shape[1])
    room = np.uint64(space)
    small = np.float32(1.0 / smoothing)
    pace = np.float32(rate)
    for at in range(len(splits)):
        column = columns[at]
        often = counts[starts[at] :]
        words = np.uint64(splits[at])
        size = np.uint64(starts[at + 1] - starts[at])
        known = max(known, column + 1)
        _base_rates(labels, state, smoothing, len(table), known, rates)
        of_words, of_characters, scale, ratio = _parts(
            *(buckets[starts[at] :], often, words, size),
            *(flat, width, rates, room, state, known, noted, parts),
        )
        _mixed(parts, room, labels, state, known, scores)
        for label in range(before.shape[1]):
            before[at, label] = scores[label]
        _softmax(scores, known, chances)
        chances[column] -= 1.0
        square = 0.0
        for label in range(known):
            error[label] = np.float32(chances[label])
            square += chances[label] * chances[label]
        # Nobody can know a label before its first ticket: that says nothing about the experts.
        if labels[DOCUMENTS, column] > 0:
            for expert in range(EXPERTS):
                slope = 0.0
                for label in range(known):
                    slope += chances[label] * parts[expert * space + label]
                state[MIX_SQUARES + expert] += slope * slope
                state[WEIGHTS + expert] -= mixing_rate * slope / np.sqrt(state[MIX_SQUARES + expert])
                state[WEIGHTS + expert] = max(0.0, state[WEIGHTS + expert])
        gain = np.float32(square) if square > NOTHING_TO_LEARN else np.float32(0)
        if gain > 0:
            state[BIAS_SQUARES] += square
            step = np.float32(0.1 * rate / np.sqrt(state[BIAS_SQUARES]))
            for label in range(known):
                labels[0, label] -= step * error[label]
        # A bucket may stand among the words and among the characters: one after the other, as it is counted.
        place = FIRST_LABEL + room + np.uint64(column)
        for is_words in (True, False):
            first, last = (np.uint64(0), words) if is_words else (words, size)
            for begin in range(first, last, A_STRETCH):
                end = min(begin + A_STRETCH, last)
                if gain > 0:
                    _descend(
                        *(flat, rows, values, AT_SQUARES, FIRST_LABEL, begin, end),
                        *(scale, 1.0, gain, pace, error, known, squares, steps),
                    )
                if gain > 0 and is_words:
                    _descend(
                        *(flat, rows, values, AT_SQUARES_OF_WORDS, FIRST_LABEL + TWO * room, begin, end),
                        *(scale, ratio, gain, pace, error, known, squares, steps),
                    )
                _guess_counts(flat, rows, place, begin, end, guessing)
                for feature in range(begin, end):
                    row = rows[feature]
                    tickets = flat[row + AT_COUNTS] + np.float32(1)
                    flat[row + AT_COUNTS] = tickets
                    known_log = tickets < np.float32(len(_LOGS))
                    flat[row + AT_SPREAD] = _LOGS[np.uint64(np.int64(tickets))] if known_log else np.log1p(tickets)
                    flat[row + place] = _counted(flat[row + place], often[feature], small, guessing[3][feature])
        state[SEEN] += 1.0
        labels[DOCUMENTS, column] += np.float32(1)
        labels[TOTALS, column] += np.float32(of_words)
        labels[TOTALS + 1, column] += np.float32(of_characters)


@_compiled
def softmax(scores: Doubles, chances: Doubles) -> None:
    """See `models.numpy_kernels.softmax`."""
    for at in range(len(scores)):
        _softmax(scores[at], scores.shape[1], chances[at])


@_compiled
def calibrated(scores: Doubles, scale: float, shift: Doubles, chances: Doubles) -> None:
    """See `models.numpy_kernels.calibrated`."""
    for label in range(len(scores)):
        chances[label] = scale * scores[label] + shift[label]
    _softmax(chances, len(scores), chances)


@_compiled
def calibrate(
    scores: Doubles,
    column: int,
    scales: Doubles,
    shift: Doubles,
    curvatures: Doubles,
    habits: Doubles,
    chances: Doubles,
) -> None:
    """See `models.numpy_kernels.calibrate`."""
    known = len(scores)
    for label in range(known):
        chances[label] = scales[0] * scores[label] + shift[label]
    _softmax(chances, known, chances)
    mean = 0.0
    for label in range(known):
        mean += chances[label] * scores[label]
    spread = 0.0
    for label in range(known):
        spread += chances[label] * (scores[label] - mean) ** 2
    scales[1] = habits[0] * scales[1] + (1 - habits[0]) * habits[1] + spread
    scales[0] = min(5.0, max(0.2, scales[0] - (mean - scores[column]) / scales[1]))
    memory, firm = habits[2], habits[3]
    for label in range(known):
        chance = chances[label]
        curvatures[label] = memory * curvatures[label] + (1 - memory) * firm + chance * (1 - chance)
        shift[label] -= (chance - (1.0 if label == column else 0.0)) / (curvatures[label] + firm)
