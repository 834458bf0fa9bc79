"""Where things stand in the arrays that both kernels work on, and the numbers that both have to agree on."""

from __future__ import annotations

import numpy as np

EXPERTS = 4
"""Linear over words and characters, linear over words, naive Bayes over words, naive Bayes over characters."""

# A bucket has one row, so that a feature costs one look into memory: two sums of squared gradients (of the shared
# weights and of the words' own), log(1 + tickets that held it), those tickets; then, for each label, the shared
# weight, log(1 + count / smoothing), and the words' own weight.
SQUARES, SQUARES_OF_WORDS, SPREAD, COUNTS, HEAD = 0, 1, 2, 3, 4
PER_LABEL, LOGS = 3, 1
LINE = 16
"""Numbers in a line of the cache: a row of the table begins where one does, and what is left of its last stays zero."""

# Rows of a label: its bias, its tickets, its words and its character n-grams.
DOCUMENTS, TOTALS = 1, 2
LABEL = 4

# The mixture: weights of the experts, their sums of squared gradients, that of the biases, tickets seen.
WEIGHTS, MIX_SQUARES, BIAS_SQUARES, SEEN = 0, 4, 8, 9
STATE = 10

BLOCK = 32
"""Terms added up in single precision before they go into a double: fast, and as exact as a double to 1e-7."""
FIRST_SQUARES = 1e-8
"""What sums of squared gradients begin with; rows of the table hold what comes to it, so that they begin as zeros."""
SMOOTHING = 0.05
"""Tickets that naive Bayes assumes to have seen of every word with every label, by default."""
NOTHING_TO_LEARN = 1e-8
"""Squared error of the probabilities below which weights stay as they are."""

SHORTEST_GRAM, LONGEST_GRAM = 3, 5

SPACE, LETTER, MARK, JOINER = 0, 1, 2, 3
"""What a character is to the tokenizer: between tokens, part of one, one by itself, or the seam of a code or URL."""
BASIC_PLANE, EMOJI = 0x10000, 0x1F000
"""Code points with a class of their own end before the first; from the second on they are marks, else letters."""

# How hashes come about: a word is a number to this base, a pair joins two, and all are mixed before they are cut.
BASE = 0x9E3779B97F4A7C15
PAIR = np.uint64(0x2545F4914F6CDD1D)
FIRST_MIX = np.uint64(0xFF51AFD7ED558CCD)
SECOND_MIX = np.uint64(0xC4CEB9FE1A85EC53)
MIX_SHIFT = np.uint64(33)

# What is hashed is told apart by its seed.
SEED_WORD = np.uint64(0x1111)
SEED_PAIR = np.uint64(0x2222)
SEED_CHARACTERS = np.uint64(0x3333)
SEED_JOINED = np.uint64(0x51)
SEED_MARK = np.uint64(0x77)
