"""The loops of `models.kernels` in plain NumPy: the reference that the compiled ones are compared with.

The model is a mixture of four experts over hashed features (Weinberger et al. 2009, *Feature Hashing for Large Scale
Multitask Learning*). Two are linear, with AdaGrad (Duchi, Hazan and Singer 2011) and one sum of squares for each
bucket: one over words and characters, one over words alone. Two are multinomial naive Bayes, over words and over
characters, tempered by the root of the ticket's length. Features weigh as tf-idf, with document frequencies as they
are when the ticket is seen. A score is

    score(label) = bias(label) + sum over experts of weight(expert) * part(expert, label)

with each expert's parts centred over the labels. Weights of experts are learned from the same log loss, never below
zero, on the scores from before the ticket is learned; so are the linear experts, which learn what the others leave
over. Everything is a sum over features: that is what makes contributions exact.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.layout import (
    BASE,
    BASIC_PLANE,
    BIAS_SQUARES,
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
    SPREAD,
    SQUARES,
    SQUARES_OF_WORDS,
    TOTALS,
    WEIGHTS,
)

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Buckets = NDArray[np.int32]
Hashes = NDArray[np.uint64]

_BASE_INVERSE = pow(BASE, -1, 1 << 64)
_BLANK = 32


def read(
    codes: NDArray[np.uint32],
    classes: NDArray[np.uint8],
    bits: int,
    places: Buckets,  # noqa: ARG001  room that the compiled kernel works in
) -> tuple[Buckets, Floats, int]:
    """Hash the features of a text: their buckets, how often each is there, and how many of them are words.

    `codes` are the code points of the casefolded text. Words come first: codes and URLs as a whole (letters joined by
    one of `-_./:@+#&`), marks, words, pairs of words. Then come character n-grams of 3 to 5 within a word and the
    blanks around it, scikit-learn's `char_wb`. A bucket may stand once among the words and once among the characters.
    `places` is -1 for each bucket, before and after.
    """
    kinds = _kinds(codes, classes)
    letters = _line(codes, kinds)
    hashes = np.concatenate([_joined_and_marks(codes, kinds)[0], _words_and_pairs(letters)])
    words, often = _counted(_buckets(hashes, bits))
    grams, of_grams = _counted(_buckets(_character_grams(letters)[0], bits))
    return np.concatenate([words, grams]), np.concatenate([often, of_grams]), len(words)


def read_many(
    codes: NDArray[np.uint32], ends: Ints, classes: NDArray[np.uint8], bits: int, places: Buckets
) -> tuple[Ints, Ints, Buckets, Floats]:
    """`read` of several texts, whose codes stand one after the other up to their `ends`, into one bag after the other.

    The four arrays are those of `models.features.Bags`.
    """
    begins = [0, *ends.tolist()]
    found = [read(codes[begin:end], classes, bits, places) for begin, end in pairwise(begins)]
    starts = np.cumsum([0, *(len(buckets) for buckets, _, _ in found)], dtype=np.int64)
    return (
        starts,
        np.array([words for _, _, words in found], np.int64),
        np.concatenate([np.zeros(0, np.int32), *(buckets for buckets, _, _ in found)]),
        np.concatenate([np.zeros(0, np.float32), *(counts for _, counts, _ in found)]),
    )


def named(codes: NDArray[np.uint32], classes: NDArray[np.uint8], bits: int) -> list[tuple[str, int, bool]]:
    """Every feature of a text where it stands: its name, its bucket and whether it counts among the words.

    A character n-gram has the name of the word that it is in.
    """
    kinds = _kinds(codes, classes)
    line = _line(codes, kinds)
    hashes, spans = _joined_and_marks(codes, kinds)
    words = "".join(map(chr, line.tolist())).split()
    names = ["".join(map(chr, codes[start:end].tolist())) for start, end in spans]
    for at, word in enumerate(words):
        names.extend([word] if at == 0 else [word, f"{words[at - 1]} {word}"])
    found = [
        (name, bucket, True)
        for name, bucket in zip(
            names, _buckets(np.concatenate([hashes, _words_and_pairs(line)]), bits).tolist(), strict=True
        )
    ]
    grams, at_word = _character_grams(line)
    return found + [
        (words[at], bucket, False) for at, bucket in zip(at_word.tolist(), _buckets(grams, bits).tolist(), strict=True)
    ]


def _kinds(codes: NDArray[np.uint32], classes: NDArray[np.uint8]) -> NDArray[Any]:
    clipped = np.minimum(codes, np.uint32(BASIC_PLANE - 1))
    return np.where(codes < BASIC_PLANE, classes[clipped], np.where(codes >= EMOJI, MARK, LETTER))


def _line(codes: NDArray[np.uint32], kinds: NDArray[Any]) -> Hashes:
    """The letters, with one blank wherever anything else was, and one at both ends."""
    letters = np.concatenate([[_BLANK], np.where(kinds == LETTER, codes, _BLANK), [_BLANK]]).astype(np.uint64)
    blank = letters == _BLANK
    return letters[~(blank & np.concatenate([[False], blank[:-1]]))]


def _joined_and_marks(codes: NDArray[np.uint32], kinds: NDArray[Any]) -> tuple[Hashes, list[tuple[int, int]]]:
    """Hashes, and where each stands."""
    found: list[int] = []
    spans: list[tuple[int, int]] = []
    run, whole, letters, seams, at_seam = 0, 0, 0, 0, False
    begin = end = 0
    for at, (code, kind) in enumerate(zip([*codes.tolist(), _BLANK], [*kinds.tolist(), 0], strict=True)):
        if kind == LETTER:
            seams += at_seam
            at_seam = False
            run = whole = (run * BASE + code) % (1 << 64)
            begin = begin if letters else at
            letters += 1
            end = at + 1
        elif kind == JOINER and letters:
            run = (run * BASE + code) % (1 << 64)
            at_seam = True
        else:
            if seams:
                found.append(whole ^ int(SEED_JOINED))
                spans.append((begin, end))
            run, letters, seams, at_seam = 0, 0, 0, False
            if kind == MARK:
                found.append(code ^ int(SEED_MARK))
                spans.append((at, at + 1))
    return np.array(found, np.uint64), spans


def _words_and_pairs(line: Hashes) -> Hashes:
    """Each word, followed by the pair that it makes with the word before it."""
    ends = np.flatnonzero(line == _BLANK)
    if len(ends) < 2:  # noqa: PLR2004  a blank at either end of at least one word
        return np.zeros(0, np.uint64)
    # The hash of line[i:j] is the polynomial sum of line[k] * base^(j-1-k): a difference of prefix sums, as every
    # odd base has an inverse among 64-bit integers (Karp and Rabin 1987).
    powers, inverses = _powers(BASE, len(line)), _powers(_BASE_INVERSE, len(line))
    sums = np.zeros(len(line) + 1, np.uint64)
    np.cumsum(line * inverses, out=sums[1:])
    words = powers[ends[1:] - 1] * (sums[ends[1:]] - sums[ends[:-1] + 1])
    hashes = np.empty(2 * len(words) - 1, np.uint64)
    hashes[0] = words[0] ^ SEED_WORD
    hashes[1::2] = words[1:] ^ SEED_WORD
    hashes[2::2] = (words[:-1] * PAIR + words[1:]) ^ SEED_PAIR
    return hashes


def _powers(base: int, size: int) -> Hashes:
    """base^0 to base^(size - 1), modulo 2^64."""
    factors = np.full(size, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors)


def _character_grams(line: Hashes) -> tuple[Hashes, Ints]:
    """In the order of where they start, the shorter first; and which word each is in."""
    size = len(line)
    inner = np.concatenate([[0], np.cumsum(line == _BLANK)])
    grams = np.zeros((size, LONGEST_GRAM - SHORTEST_GRAM + 1), np.uint64)
    there = np.zeros(grams.shape, np.bool_)
    hashes = np.zeros(size, np.uint64)
    base = np.uint64(BASE)
    for length in range(1, LONGEST_GRAM + 1):
        starts = size - length + 1
        if starts <= 0:
            break
        hashes = hashes[:starts] * base + line[length - 1 :]
        if length >= SHORTEST_GRAM:
            at = length - SHORTEST_GRAM
            grams[:starts, at] = hashes ^ (SEED_CHARACTERS * np.uint64(length))
            # No blank strictly inside.
            there[:starts, at] = inner[length - 1 : size] == inner[1 : starts + 1]
    at_word = np.repeat(inner[1:] - 1, grams.shape[1]).reshape(grams.shape)
    return grams[there], at_word[there]


def _buckets(hashes: Hashes, bits: int) -> Buckets:
    mixed = hashes ^ (hashes >> MIX_SHIFT)
    mixed = mixed * FIRST_MIX
    mixed ^= mixed >> MIX_SHIFT
    mixed = mixed * SECOND_MIX
    mixed ^= mixed >> MIX_SHIFT
    return (mixed >> np.uint64(64 - bits)).astype(np.int32)


def _counted(found: Buckets) -> tuple[Buckets, Floats]:
    """Each bucket once, in order of its first appearance, and how often it appears."""
    unique, first, often = np.unique(found, return_index=True, return_counts=True)
    order = np.argsort(first)
    return unique[order], often[order].astype(np.float32)


def terms(
    buckets: Buckets,
    counts: Floats,
    words: int,
    table: Floats,
    labels: Floats,
    state: Doubles,
    smoothing: float,
    known: int,
) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """What each feature adds to each expert's part.

    Returns terms, shape [experts, features, labels] and centred over the labels; what the labels' base rates add,
    shape [experts, labels]; and the features' values in the two linear experts, each of length one.
    """
    size = len(buckets)
    shared, logs, own = _columns(labels, known)
    values = (np.log1p(state[SEEN]) + 1.0 - table[buckets, SPREAD].astype(np.float64)) * (
        np.log1p(counts.astype(np.float64)) / np.log(2.0)
    )
    is_word = np.arange(size) < words
    alone = np.where(is_word, values, 0.0)
    values = values / max(float(np.sqrt(values @ values)), 1e-30)
    alone = alone / max(float(np.sqrt(alone @ alone)), 1e-30)
    found = np.zeros((EXPERTS, size, known))
    base = np.zeros((EXPERTS, known))
    found[0] = values[:, None] * table[buckets, shared]
    found[1] = alone[:, None] * table[buckets, own]
    counted = table[buckets, logs].astype(np.float64)
    space = len(table) / 8.0
    for kind, chosen in enumerate((is_word, ~is_word)):
        length = float(counts[chosen].sum())
        often = np.where(chosen, counts, 0.0)[:, None]
        norms = np.log(labels[TOTALS + kind, :known].astype(np.float64) / smoothing + space)
        found[2 + kind] = often * (counted - norms) / (np.sqrt(length) if length > 0 else 1.0)
        base[2 + kind] = np.log((labels[DOCUMENTS, :known].astype(np.float64) + 0.5) / (state[SEEN] + 0.5 * known))
    found -= found.mean(axis=2, keepdims=True)
    base -= base.mean(axis=1, keepdims=True)
    return found, base, values, alone


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
    """Fill `scores`, shape [tickets, labels known].

    The features of ticket i are `buckets[starts[i]:starts[i + 1]]`, the first `splits[i]` of them words. `table`,
    `labels` and `state` are laid out as `models.layout` says.
    """
    known = scores.shape[1]
    for at, words in enumerate(splits.tolist()):
        chosen = slice(starts[at], starts[at + 1])
        found, base, _, _ = terms(buckets[chosen], counts[chosen], words, table, labels, state, smoothing, known)
        parts = found.sum(axis=1) + base
        scores[at] = labels[0, :known] + state[WEIGHTS : WEIGHTS + EXPERTS] @ parts


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
    """Learn the tickets one after the other, in place; the i-th is labelled `columns[i]`.

    `known` labels are known before the first; a column of its own makes a label known. Fills `before`, shape [tickets,
    labels wanted], with what `predict` would have said of each ticket before it was learned, of labels that were known.
    """
    for at, words in enumerate(splits.tolist()):
        chosen = slice(starts[at], starts[at + 1])
        column = int(columns[at])
        known = max(known, column + 1)
        document, often = buckets[chosen], counts[chosen]
        found, base, values, alone = terms(document, often, words, table, labels, state, smoothing, known)
        parts = found.sum(axis=1) + base
        mixture = state[WEIGHTS : WEIGHTS + EXPERTS]
        scores = labels[0, :known] + mixture @ parts
        before[at] = scores[: before.shape[1]]
        error = np.exp(scores - scores.max())
        error /= error.sum()
        error[column] -= 1.0
        square = float(error @ error)
        # Nobody can know a label before its first ticket: that says nothing about the experts.
        if labels[DOCUMENTS, column] > 0:
            slopes = parts @ error
            squares = state[MIX_SQUARES : MIX_SQUARES + EXPERTS]
            squares += slopes**2
            np.maximum(0.0, mixture - mixing_rate * slopes / np.sqrt(squares), out=mixture)
        if square > NOTHING_TO_LEARN:
            state[BIAS_SQUARES] += square
            labels[0, :known] -= 0.1 * rate / np.sqrt(state[BIAS_SQUARES]) * error
        state[SEEN] += 1.0
        labels[DOCUMENTS, column] += 1.0
        shared, logs, own = _columns(labels, known)
        # A bucket may stand among the words and among the characters: one after the other, as it is counted.
        for kind, part in enumerate((slice(0, words), slice(words, None))):
            place = document[part]
            if square > NOTHING_TO_LEARN:
                table[place, SQUARES] += square * values[part] ** 2
                table[place, shared] -= (rate * values[part] / np.sqrt(table[place, SQUARES] + FIRST_SQUARES))[
                    :, None
                ] * error
                if kind == 0:
                    table[place, SQUARES_OF_WORDS] += square * alone[part] ** 2
                    steps = rate * alone[part] / np.sqrt(table[place, SQUARES_OF_WORDS] + FIRST_SQUARES)
                    table[place, own] -= steps[:, None] * error
            table[place, COUNTS] += 1.0
            table[place, SPREAD] = np.log1p(table[place, COUNTS])
            # log(1 + (n + count) / smoothing) from log(1 + n / smoothing): the counts themselves need not be kept.
            log = table[place, logs.start + column]
            table[place, logs.start + column] = log + np.log1p(often[part] / smoothing * np.exp(-log))
            labels[TOTALS + kind, column] += often[part].sum()


def softmax(scores: Doubles, chances: Doubles) -> None:
    """Fill `chances` with the probabilities of `scores`, row by row; both of shape [tickets, labels]."""
    np.exp(scores - scores.max(axis=1, keepdims=True), out=chances)
    chances /= chances.sum(axis=1, keepdims=True)


def calibrated(scores: Doubles, scale: float, shift: Doubles, chances: Doubles) -> None:
    """Fill `chances` with softmax(scale * scores + shift); all of shape [labels]."""
    scaled = scale * scores + shift[: len(scores)]
    chances[:] = np.exp(scaled - scaled.max())
    chances /= chances.sum()


def calibrate(
    scores: Doubles,
    column: int,
    scales: Doubles,
    shift: Doubles,
    curvatures: Doubles,
    habits: Doubles,
    chances: Doubles,
) -> None:
    """One Newton step on the log loss of `column`, for the scale `scales[0]` and for each shift, in place.

    `scales[1]` and `curvatures` are sums of second derivatives. `habits` says which share of them is still there after
    a label, and where they begin and rest: first for the scale, then for the shifts.
    """
    calibrated(scores, float(scales[0]), shift, chances)
    mean = chances @ scores
    memory, firm, memory_of_shifts, firm_shifts = habits
    scales[1] = memory * scales[1] + (1 - memory) * firm + chances @ (scores - mean) ** 2
    scales[0] = min(5.0, max(0.2, scales[0] - (mean - scores[column]) / scales[1]))
    curvatures *= memory_of_shifts
    curvatures += (1 - memory_of_shifts) * firm_shifts + chances * (1 - chances)
    chances[column] -= 1.0
    shift -= chances / (curvatures + firm_shifts)


def _columns(labels: Floats, known: int) -> tuple[slice, slice, slice]:
    """Where the shared weights, the logarithms of counts and the words' own weights stand in a row of the table."""
    room = labels.shape[1]
    starts = (HEAD, HEAD + room, HEAD + 2 * room)
    shared, logs, own = (slice(start, start + known) for start in starts)
    return shared, logs, own
