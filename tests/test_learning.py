"""The learning core: kernels against each other, the estimator against river's checks and the house's own laws."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest
from conftest import shared
from hypothesis import given, settings
from hypothesis import strategies as st
from river.checks import yield_checks

from models.calibration import Calibrator
from models.classifier import TextClassifier
from models.drift import RisingError
from models.features import Bag, Bags, TextReader, named_bag, occurrences
from models.prequential import CalibratedHead, prequential

TEXTS = [
    "Drucker im 3. Stock druckt nicht, Fehler E-4711",
    "Passwort vergessen, bitte zurücksetzen!",
    "Rechnung 2026-03 ist falsch",
    "printer is on fire 🔥",
    "cannot log in: ERR_CONN_RESET at https://vpn.example.com/login",
    "Wo bleibt meine Lieferung?",
    "Größere Störung im WLAN-Zugang",
    "refund for invoice 4711",
]
LABELS = ["hardware", "access", "billing", "hardware", "access", "shipping", "outage", "billing"]
LETTERS = st.text(alphabet=st.sampled_from("aäßbeE  \n.-_/!?%4é🔥한\u0301"), max_size=80)
ANY = st.one_of(LETTERS, st.text(max_size=40))


def taught(rounds: int = 3, **options: Any) -> TextClassifier:
    model = TextClassifier(**{"bits": 10, **options})
    for _ in range(rounds):
        model.learn_many(TEXTS, LABELS)
    return model


def arrays_of(model: TextClassifier) -> dict[str, Any]:
    return {name: array.copy() for name, array in model._arrays.items()}


def same_bag(one: Bag, other: Bag) -> bool:
    return (
        np.array_equal(one.buckets, other.buckets)
        and np.array_equal(one.counts, other.counts)
        and one.words == other.words
    )


@pytest.mark.parametrize("check", list(yield_checks(TextClassifier(bits=8))), ids=lambda check: check.__name__)
@pytest.mark.filterwarnings("ignore")  # river's checks use pandas as it was
def test_it_passes_every_check_of_river(check: Callable[[TextClassifier], None]) -> None:
    check(TextClassifier(bits=8))


@settings(max_examples=300, deadline=None)
@given(text=ANY, bits=st.sampled_from([4, 10, 16]))
def test_both_kernels_read_the_same_features(text: str, bits: int) -> None:
    assert same_bag(TextReader(bits, compiled=True).read(text), TextReader(bits, compiled=False).read(text))


@pytest.mark.parametrize("compiled", [True, False])
@settings(max_examples=40, deadline=None)
@given(batch=st.lists(ANY, max_size=6))
def test_texts_that_are_read_at_once_have_the_bags_of_each(compiled: bool, batch: list[str]) -> None:
    reader = TextReader(8, compiled=compiled)
    together, apart = reader.read_many(batch), Bags.of([reader.read(text) for text in batch])
    for name in ("starts", "splits", "buckets", "counts"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name))


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(ANY, max_size=20), order=st.randoms(use_true_random=False))
def test_reading_leaves_nothing_behind(texts: list[str], order: Any) -> None:
    reader = TextReader(6)
    before = [reader.read(text) for text in texts]
    again = list(enumerate(texts))
    order.shuffle(again)
    for at, text in again:
        assert same_bag(reader.read(text), before[at])


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(LETTERS, st.sampled_from("abcdefghijk")), min_size=1, max_size=30))
def test_both_kernels_learn_and_predict_the_same(rows: list[tuple[str, str]]) -> None:
    # 2^4 buckets: most features collide, also words with n-grams.
    compiled, plain = TextClassifier(bits=4, compiled=True), TextClassifier(bits=4, compiled=False)
    for text, label in rows:
        np.testing.assert_allclose(
            compiled.scores([compiled.read(text)]), plain.scores([plain.read(text)]), rtol=2e-3, atol=2e-3
        )
        compiled.learn_one(text, label)
        plain.learn_one(text, label)
    assert compiled.labels == plain.labels
    for name, array in compiled._arrays.items():
        np.testing.assert_allclose(array, plain._arrays[name], rtol=5e-3, atol=2e-3, err_msg=name)


@pytest.mark.parametrize("labels", [3, 5, 12, 17, 30])
def test_both_kernels_judge_the_same_among_any_number_of_labels(labels: int) -> None:
    compiled, plain = TextClassifier(bits=10, compiled=True), TextClassifier(bits=10, compiled=False)
    for at in range(3 * labels):
        for model in (compiled, plain):
            model.learn_one(f"{TEXTS[at % len(TEXTS)]} {at % labels}", at % labels)
    scores = [model.scores([model.read(text) for text in TEXTS]) for model in (compiled, plain)]
    np.testing.assert_allclose(*scores, rtol=2e-3, atol=2e-3)
    for one, other in zip(compiled.touched(), plain.touched(), strict=True):
        np.testing.assert_allclose(one, other, rtol=5e-3, atol=2e-3)
    copied = TextClassifier(bits=10)
    copied.restore(compiled.labels, *compiled.touched(), *compiled.arrays()[1:])
    np.testing.assert_array_equal(copied.arrays()[0], compiled.arrays()[0])


def test_learning_many_is_learning_one_after_the_other() -> None:
    many, one = TextClassifier(bits=10), TextClassifier(bits=10)
    many.learn_many(TEXTS, LABELS)
    for text, label in zip(TEXTS, LABELS, strict=True):
        one.learn_one(text, label)
    assert many.labels == one.labels
    for name, array in many._arrays.items():
        np.testing.assert_array_equal(array, one._arrays[name], err_msg=name)


@pytest.mark.parametrize("compiled", [True, False])
def test_what_is_said_before_learning_is_what_would_have_been_said(compiled: bool) -> None:
    apart, at_once = (TextClassifier(bits=10, compiled=compiled) for _ in range(2))
    for text, label in zip(TEXTS * 3, LABELS * 3, strict=True):
        bag = apart.read(text)
        for model in (apart, at_once):
            model.expect(label)
        said = apart.scores([bag])
        apart.learn_bags([bag], [label])
        np.testing.assert_array_equal(at_once.scores_then_learn(bag, label), said)
    for name, array in apart._arrays.items():
        np.testing.assert_array_equal(array, at_once._arrays[name], err_msg=name)
    with pytest.raises(KeyError):
        at_once.scores_then_learn(at_once.read("a"), "never seen")


def test_answering_and_learning_at_once_is_answering_and_then_learning() -> None:
    def rows(rng: np.random.Generator) -> list[tuple[str, str]]:
        # In the second half labels have changed places, so that errors rise; one that is new takes another's column.
        words = [("printer", "mail", "vpn")[at] for at in rng.integers(0, 3, 3_000)]
        turned = {"printer": "mail", "mail": "vpn", "vpn": "printer"}
        truths = [turned[word] if at > 1_500 else word for at, word in enumerate(words)]
        truths[2_000] = "new"
        return [
            (f"my {word} is broken {at % 7}", truth) for at, (word, truth) in enumerate(zip(words, truths, strict=True))
        ]

    apart, at_once = (CalibratedHead(TextClassifier(bits=8, max_labels=3), Calibrator()) for _ in range(2))
    for text, label in rows(np.random.default_rng(3)):
        answer, other = apart.answer(text), at_once.answer_then_learn(text, label)
        apart.learn(text, label, answer.memory)
        assert answer[:2] == other[:2]
    assert apart.drift.alarms == at_once.drift.alarms >= 1
    for name, array in apart.model._arrays.items():
        np.testing.assert_array_equal(array, at_once.model._arrays[name], err_msg=name)


def test_the_same_tickets_give_the_same_model() -> None:
    one, other = taught(), taught()
    for name, array in one._arrays.items():
        np.testing.assert_array_equal(array, other._arrays[name], err_msg=name)


def test_asking_changes_nothing_and_inputs_stay_as_they_were() -> None:
    model = taught()
    before, bag = arrays_of(model), model.read(TEXTS[0])
    given = copy.deepcopy(bag)
    model.predict_proba_one(bag)
    model.predict_proba_many(TEXTS)
    model.explain_one(TEXTS[0], "access")
    for name, array in model._arrays.items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    model.learn_one(bag, "access")
    assert same_bag(bag, given)


def test_unseen_labels_and_features_come_at_any_time() -> None:
    model = TextClassifier(bits=10)
    assert model.predict_proba_one("anything") == {}
    assert model.predict_one("anything") is None
    for number in range(40):
        model.learn_one(f"ticket about subject{number}", f"label {number}")
        chances = model.predict_proba_one("words that nobody has seen")
        assert len(chances) == number + 1
        assert sum(chances.values()) == pytest.approx(1)
    assert model.predict_one("subject7") == "label 7"


def test_a_text_without_words_gets_the_base_rates() -> None:
    model = taught()
    model.learn_many(["", "   ", "..."], ["access"] * 3)
    assert model.predict_one("") == "access"


def test_the_label_with_the_fewest_tickets_makes_room_for_a_new_one() -> None:
    model = TextClassifier(bits=10, max_labels=3)
    model.learn_many(["alpha", "alpha", "beta", "gamma", "gamma"], ["a", "a", "b", "c", "c"])
    model.learn_many(["delta", "epsilon epsilon", "gamma"], ["d", "d", "c"])
    assert sorted(model.labels) == ["a", "c", "d"]
    assert model.predict_one("gamma") == "c"
    assert model.predict_one("epsilon") == "d"
    assert model.predict_one("alpha") == "a"


def test_a_batch_of_another_length_than_its_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="1 tickets and 2 labels"):
        TextClassifier(bits=4).learn_many(["a"], ["x", "y"])


@pytest.mark.parametrize("text", ["Passwort passwort login!", TEXTS[4], "", {"impact": 2.0, "urgent": True, "age": -3}])
def test_contributions_add_up_to_the_score(text: Any) -> None:
    model = taught()
    scores = dict(zip(model.labels, model.scores([model.read(text)])[0], strict=True))
    for label, score in scores.items():
        why = model.explain_one(text, label)
        assert why.score == pytest.approx(score, abs=1e-5)
        assert why.base + sum(weight for _, weight in why.contributions) == pytest.approx(score, abs=1e-5)


def test_contributions_name_what_a_person_would() -> None:
    why = taught().explain_one("Mein Drucker meldet E-4711 🔥", "hardware")
    weights = dict(why.contributions)
    assert {"mein", "drucker", "e-4711", "🔥", "mein drucker"} <= weights.keys()
    assert why.contributions[0][0] == "drucker"
    assert weights["drucker"] > 0


@settings(max_examples=200, deadline=None)
@given(text=ANY)
def test_named_features_are_those_that_were_read(text: str) -> None:
    bag = TextReader(8).read(text)
    counted: dict[tuple[int, bool], float] = {}
    for found in occurrences(text, 8):
        counted[found.bucket, found.is_word] = counted.get((found.bucket, found.is_word), 0) + found.count
    read = {(int(bucket), at < bag.words): float(bag.counts[at]) for at, bucket in enumerate(bag.buckets)}
    assert counted == read


def test_the_order_of_named_values_does_not_matter() -> None:
    one = named_bag({"a": 1.5, "b": -2, "c": "x", "d": 0}, 4)
    assert same_bag(one, named_bag({"d": 0, "c": "x", "b": -2, "a": 1.5}, 4))
    assert one.counts.sum() == pytest.approx(4.5)


def test_a_rising_error_is_noticed_and_a_falling_one_is_not() -> None:
    random = np.random.default_rng(3)
    falling, rising = RisingError(), RisingError()
    for at in range(3_000):
        falling.update(wrong=random.random() < (0.6 if at < 1_000 else 0.2))
        rising.update(wrong=random.random() < (0.2 if at < 2_000 else 0.6))
        if at == 1_999:
            assert rising.alarms == 0
    assert falling.alarms == 0
    assert rising.alarms >= 1


def test_labels_that_change_places_are_learned_again_sooner_with_the_alarm() -> None:
    swapped = {"access": "billing", "billing": "access"}

    def right_after_the_swap(head: CalibratedHead) -> int:
        rows: list[tuple[str, str]] = []
        random = np.random.default_rng(3)
        for at, place in enumerate(random.integers(0, len(TEXTS), 2_400)):
            label = LABELS[random.integers(len(LABELS)) if random.random() < 0.25 else place]
            rows.append((f"{TEXTS[place]} {random.integers(500)}", swapped.get(label, label) if at >= 2_000 else label))
        return sum(outcome.said == outcome.truth for outcome in list(prequential(rows, head))[2_000:])

    class Deaf(RisingError):  # noqa: N818  no exception
        def update(self, *, wrong: bool) -> float:
            return super().update(wrong=wrong) * 0

    listening = CalibratedHead(TextClassifier(bits=12), Calibrator())
    deaf = CalibratedHead(TextClassifier(bits=12), Calibrator())
    deaf.drift = Deaf()
    assert right_after_the_swap(listening) > right_after_the_swap(deaf)
    assert listening.drift.alarms >= 1


def test_contributions_add_up_on_long_tickets_of_many_queues() -> None:
    with shared("softoft.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, 1_000)]
    model = TextClassifier()
    texts = [row["text"] for row in rows]
    bags = [model.read(text) for text in texts]
    model.learn_bags(bags, [row["queue"] for row in rows])
    scores = model.scores(bags)
    for at in range(0, len(texts), 5):
        column = at % len(model.labels)
        why = model.explain_one(texts[at], model.labels[column])
        assert why.base + sum(weight for _, weight in why.contributions) == pytest.approx(scores[at, column], abs=1e-5)
