"""The loops of `models.kernels`, compiled by numba. `models.numpy_kernels` says in fewer lines what they compute.

numba keeps the machine code in a cache on disk: only the first run after an installation compiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]  it ships none
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

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
Room = tuple[Floats, Buckets, Floats, Buckets]

cast("Any", numba).config.SLP_VECTORIZE = 1  # four labels at a time are one operation of the processor

_AHEAD = 64
"""Rows of the table are asked for so many features before they are needed: memory answers late, but many at once."""
_BASE = np.uint64(BASE)
_BLANK = np.uint32(32)
ONE, TWO, THREE, FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
AT_SQUARES, AT_SQUARES_OF_WORDS = np.uint64(SQUARES), np.uint64(SQUARES_OF_WORDS)
AT_SPREAD, AT_COUNTS, FIRST_LABEL = np.uint64(SPREAD), np.uint64(COUNTS), np.uint64(HEAD)
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


@cast("Any", intrinsic)
def _fetch(_: Any, array: Any, place: Any) -> Any:
    """Ask for the line of the cache that holds `array[place]`, and do not wait for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = cast("Any", cgutils).get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        address = builder.bitcast(builder.gep(held.data, [arguments[1]]), byte)
        builder.call(prefetch, [address, number(0), number(3), number(1)])  # to read, to keep, data
        return context.get_dummy_value()

    return types.void(array, place), generate


@_compiled
def _bucket(hashed: np.uint64, seed: np.uint64, shift: np.uint64) -> np.int32:
    mixed = hashed ^ seed
    mixed ^= mixed >> MIX_SHIFT
    mixed *= FIRST_MIX
    mixed ^= mixed >> MIX_SHIFT
    mixed *= SECOND_MIX
    mixed ^= mixed >> MIX_SHIFT
    return np.int32(mixed >> shift)


@_compiled
def _count(bucket: np.int32, places: Buckets, buckets: Buckets, counts: Floats, total: int) -> int:
    place = places[bucket]
    if place >= 0:
        counts[place] += np.float32(1)
        return total
    places[bucket] = total
    buckets[total] = bucket
    counts[total] = np.float32(1)
    return total + 1


@_compiled
def read(
    codes: NDArray[np.uint32],
    classes: NDArray[np.uint8],
    bits: int,
    places: Buckets,
    buckets: Buckets,
    counts: Floats,
    line: NDArray[np.uint32],
) -> tuple[int, int]:
    """See `models.numpy_kernels.read`."""
    shift = np.uint64(64 - bits)
    line[0] = _BLANK
    length = 1
    total = 0
    run = np.uint64(0)
    whole = np.uint64(0)
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
            run = run * _BASE + np.uint64(code)
            whole = run
            letters += 1
            continue
        if line[length - 1] != _BLANK:
            line[length] = _BLANK
            length += 1
        if kind == JOINER and letters:
            run = run * _BASE + np.uint64(code)
            at_seam = True
            continue
        if seams:
            total = _count(_bucket(whole, SEED_JOINED, shift), places, buckets, counts, total)
        run = np.uint64(0)
        letters = 0
        seams = 0
        at_seam = False
        if kind == 2:  # noqa: PLR2004  as above
            total = _count(_bucket(np.uint64(code), SEED_MARK, shift), places, buckets, counts, total)
    word = np.uint64(0)
    before = np.uint64(0)
    is_first = True
    for at in range(1, length):
        if line[at] != _BLANK:
            word = word * _BASE + np.uint64(line[at])
            continue
        total = _count(_bucket(word, SEED_WORD, shift), places, buckets, counts, total)
        if not is_first:
            total = _count(_bucket(before * PAIR + word, SEED_PAIR, shift), places, buckets, counts, total)
        before = word
        word = np.uint64(0)
        is_first = False
    for at in range(total):
        places[buckets[at]] = -1
    words = total
    for start in range(length):
        gram = np.uint64(0)
        for end in range(start, min(start + LONGEST_GRAM, length)):
            gram = gram * _BASE + np.uint64(line[end])
            size = end - start + 1
            if size >= SHORTEST_GRAM:
                seed = SEED_CHARACTERS * np.uint64(size)
                total = _count(_bucket(gram, seed, shift), places, buckets, counts, total)
            if line[end] == _BLANK and end > start:
                break
    for at in range(words, total):
        places[buckets[at]] = -1
    return words, total


@_compiled
def read_many(
    codes: NDArray[np.uint32],
    ends: NDArray[np.int64],
    classes: NDArray[np.uint8],
    bits: int,
    places: Buckets,
    buckets: Buckets,
    counts: Floats,
    line: NDArray[np.uint32],
    starts: NDArray[np.int64],
    splits: NDArray[np.int64],
) -> None:
    """See `models.numpy_kernels.read_many`."""
    begin = 0
    for at in range(len(ends)):
        total = starts[at]
        words, found = read(codes[begin : ends[at]], classes, bits, places, buckets[total:], counts[total:], line)
        begin = ends[at]
        splits[at] = words
        starts[at + 1] = total + found


@_compiled
def _add(
    part: Doubles, label: int, first: np.float32, second: np.float32, third: np.float32, fourth: np.float32
) -> None:
    part[label] += first
    part[label + 1] += second
    part[label + 2] += third
    part[label + 3] += fourth


@_compiled
def _ask_for(flat: Floats, row: np.uint64, width: np.uint64) -> None:
    for line in range(0, width, 16):
        _fetch(flat, row + np.uint64(line))


@_compiled
def _weigh(
    flat: Floats,
    width: np.uint64,
    buckets: Buckets,
    counts: Floats,
    begin: int,
    end: int,
    most: float,
    values: Doubles,
    square: float,
) -> float:
    """Fill `values` from `begin` to `end`, rarer features with more, and add their squares to `square`."""
    for at in range(begin, end):
        if at + _AHEAD < len(buckets):
            _ask_for(flat, np.uint64(buckets[at + _AHEAD]) * width, width)
        count = counts[at]
        value = most - np.float64(flat[np.uint64(buckets[at]) * width + AT_SPREAD])
        if count != 1:
            whole = np.int64(count)
            value *= _OFTEN[whole] if whole == count and whole < len(_OFTEN) else np.log1p(np.float64(count)) / _LOG_2
        values[at] = value
        square += value * value
    return square


@_compiled
def _parts(
    buckets: Buckets,
    counts: Floats,
    words: int,
    table: Floats,
    labels: Floats,
    state: Doubles,
    smoothing: float,
    known: int,
    values: Doubles,
    parts: Doubles,
) -> tuple[float, float, float]:
    """Fill `values` and `parts`; returns how many words and character n-grams, and what makes the words' length one."""
    size = len(buckets)
    room = labels.shape[1]
    most = np.log1p(state[SEEN]) + 1.0
    of_words = 0.0
    of_characters = 0.0
    parts[:] = 0.0
    width = np.uint64(table.shape[1])
    flat = table.reshape(-1)
    for at in range(min(_AHEAD, size)):
        _ask_for(flat, np.uint64(buckets[at]) * width, width)
    square = 0.0
    # Four labels at a time, so that their sums stay in registers: rooms are multiples of four, zero beyond `known`.
    # That a text has the length one is seen to at the end, so that a row is looked up once.
    for begin in range(0, words, BLOCK):
        end = min(begin + BLOCK, words)
        square = _weigh(flat, width, buckets, counts, begin, end, most, values, square)
        for label in range(0, known, 4):
            l0 = l1 = l2 = l3 = w0 = w1 = w2 = w3 = b0 = b1 = b2 = b3 = np.float32(0)
            for at in range(begin, end):
                value = np.float32(values[at])
                count = counts[at]
                place = np.uint64(buckets[at]) * width + np.uint64(HEAD + label)
                l0 += value * flat[place]
                l1 += value * flat[place + ONE]
                l2 += value * flat[place + TWO]
                l3 += value * flat[place + THREE]
                place += np.uint64(room)
                b0 += count * flat[place]
                b1 += count * flat[place + ONE]
                b2 += count * flat[place + TWO]
                b3 += count * flat[place + THREE]
                place += np.uint64(room)
                w0 += value * flat[place]
                w1 += value * flat[place + ONE]
                w2 += value * flat[place + TWO]
                w3 += value * flat[place + THREE]
            _add(parts[0], label, l0, l1, l2, l3)
            _add(parts[1], label, w0, w1, w2, w3)
            _add(parts[2], label, b0, b1, b2, b3)
        for at in range(begin, end):
            of_words += counts[at]
    square_words = square
    for begin in range(words, size, BLOCK):
        end = min(begin + BLOCK, size)
        square = _weigh(flat, width, buckets, counts, begin, end, most, values, square)
        for label in range(0, known, 4):
            l0 = l1 = l2 = l3 = b0 = b1 = b2 = b3 = np.float32(0)
            for at in range(begin, end):
                value = np.float32(values[at])
                count = counts[at]
                place = np.uint64(buckets[at]) * width + np.uint64(HEAD + label)
                l0 += value * flat[place]
                l1 += value * flat[place + ONE]
                l2 += value * flat[place + TWO]
                l3 += value * flat[place + THREE]
                place += np.uint64(room)
                b0 += count * flat[place]
                b1 += count * flat[place + ONE]
                b2 += count * flat[place + TWO]
                b3 += count * flat[place + THREE]
            _add(parts[0], label, l0, l1, l2, l3)
            _add(parts[3], label, b0, b1, b2, b3)
        for at in range(begin, end):
            of_characters += counts[at]
    scale = 1.0 / np.sqrt(square) if square > 0 else 0.0
    ratio = np.sqrt(square / square_words) if square_words > 0 else 0.0
    for at in range(size):
        values[at] *= scale
    for label in range(known):
        parts[0, label] *= scale
        parts[1, label] *= scale * ratio
    root_words = 1.0 / np.sqrt(of_words) if of_words > 0 else 0.0
    root_characters = 1.0 / np.sqrt(of_characters) if of_characters > 0 else 0.0
    space = len(table) / 8.0
    for label in range(known):
        prior = np.log((np.float64(labels[DOCUMENTS, label]) + 0.5) / (state[SEEN] + 0.5 * known))
        parts[2, label] -= of_words * np.log(np.float64(labels[TOTALS, label]) / smoothing + space)
        parts[2, label] = parts[2, label] * root_words + prior
        parts[3, label] -= of_characters * np.log(np.float64(labels[TOTALS + 1, label]) / smoothing + space)
        parts[3, label] = parts[3, label] * root_characters + prior
    for expert in range(EXPERTS):
        mean = 0.0
        for label in range(known):
            mean += parts[expert, label]
        mean /= known
        for label in range(known):
            parts[expert, label] -= mean
    return of_words, of_characters, ratio


@_compiled
def _mixed(parts: Doubles, labels: Floats, state: Doubles, known: int, scores: Doubles) -> None:
    for label in range(known):
        score = np.float64(labels[0, label])
        for expert in range(EXPERTS):
            score += state[WEIGHTS + expert] * parts[expert, label]
        scores[label] = score


@_compiled
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


@_compiled
def _longest(starts: Ints) -> int:
    longest = 1
    for at in range(len(starts) - 1):
        longest = max(longest, starts[at + 1] - starts[at])
    return longest


@_compiled
def _descend(flat: Floats, place: np.uint64, step: np.float32, error: Floats, known: int) -> None:
    for label in range(0, known, 4):
        flat[place] -= step * error[label]
        flat[place + ONE] -= step * error[label + 1]
        flat[place + TWO] -= step * error[label + 2]
        flat[place + THREE] -= step * error[label + 3]
        place += FOUR


@_compiled
def _guess_counts(
    flat: Floats, width: np.uint64, place: np.uint64, buckets: Buckets, begin: int, end: int, room: Room
) -> None:
    """Guess n from log(1 + n / SMOOTHING), for the features from `begin` to `end`, by a polynomial for 2^x.

    Two loops without branches, so that eight are guessed at once; what is wrong is found by `_counted`.
    """
    logs, bits, powers, guesses = room
    for at in range(begin, end):
        logs[at] = min(flat[np.uint64(buckets[at]) * width + place], _LAST_LOG) * _PER_LOG_2
    for at in range(begin, end):
        bits[at] = (np.int32(logs[at]) + np.int32(127)) << np.int32(23)
    for at in range(begin, end):
        x = logs[at] - np.float32(np.int32(logs[at]))
        rest = C2 + x * (C3 + x * (C4 + x * C5))
        power = powers[at] * (np.float32(1) + x * (C1 + x * rest))
        guesses[at] = np.int32((power - np.float32(1)) * _PER_COUNT + np.float32(0.5))


@_compiled
def _counted(log: np.float32, count: np.float32, small: np.float32, guess: np.int32) -> np.float32:
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
    values = np.empty(_longest(starts), np.float64)
    parts = np.empty((EXPERTS, labels.shape[1]), np.float64)
    for at in range(len(splits)):
        chosen = slice(starts[at], starts[at + 1])
        _parts(
            *(buckets[chosen], counts[chosen], splits[at]),
            *(table, labels, state, smoothing, known, values, parts),
        )
        _mixed(parts, labels, state, known, scores[at])


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
    space = labels.shape[1]
    longest = _longest(starts)
    values = np.empty(longest, np.float64)
    bits = np.empty(longest, np.int32)
    room = (np.empty(longest, np.float32), bits, bits.view(np.float32), np.empty(longest, np.int32))
    parts = np.empty((EXPERTS, space), np.float64)
    scores = np.empty(space, np.float64)
    chances = np.empty(space, np.float64)
    error = np.zeros(space, np.float32)
    width = np.uint64(table.shape[1])
    flat = table.reshape(-1)
    small = np.float32(1.0 / smoothing)
    pace = np.float32(rate)
    first = np.float32(FIRST_SQUARES)
    for at in range(len(splits)):
        words, column = splits[at], columns[at]
        document = buckets[starts[at] : starts[at + 1]]
        often = counts[starts[at] : starts[at + 1]]
        known = max(known, column + 1)
        of_words, of_characters, ratio = _parts(
            *(document, often, words),
            *(table, labels, state, smoothing, known, values, parts),
        )
        _mixed(parts, labels, state, known, scores)
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
                    slope += chances[label] * parts[expert, label]
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
        place = FIRST_LABEL + np.uint64(space + column)
        for begin, end in ((0, words), (words, len(document))):
            _guess_counts(flat, width, place, document, begin, end, room)
            for at_feature in range(begin, end):
                row = np.uint64(document[at_feature]) * width
                if gain > 0:
                    value = np.float32(values[at_feature])
                    flat[row + AT_SQUARES] += gain * value * value
                    step = pace * value / np.sqrt(flat[row + AT_SQUARES] + first)
                    _descend(flat, row + FIRST_LABEL, step, error, known)
                    if begin < words:
                        value = np.float32(values[at_feature] * ratio)
                        flat[row + AT_SQUARES_OF_WORDS] += gain * value * value
                        step = pace * value / np.sqrt(flat[row + AT_SQUARES_OF_WORDS] + first)
                        _descend(flat, row + FIRST_LABEL + TWO * np.uint64(space), step, error, known)
                flat[row + AT_COUNTS] += np.float32(1)
                tickets = np.int64(flat[row + AT_COUNTS])
                flat[row + AT_SPREAD] = _LOGS[tickets] if tickets < len(_LOGS) else np.log1p(flat[row + AT_COUNTS])
                flat[row + place] = _counted(flat[row + place], often[at_feature], small, room[3][at_feature])
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
