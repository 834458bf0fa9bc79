"""What the online classifier is measured against: river's and scikit-learn's best text pipelines, and Vowpal Wabbit.

Each is the strongest of its kind on the public sets, as its own documents advise; all answer and learn one row at a
time, in the same order, except scikit-learn, which learns mini-batches of 32.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from models.prequential import Answer, Contestant
from schemas.errors import BadSettings

_BATCH = 32


class RiverPipeline:
    """TFIDF into a river classifier."""

    def __init__(self, classifier: Callable[[], Any]) -> None:
        from river import feature_extraction  # noqa: PLC0415  it takes a second: for comparisons only

        self._pipeline = cast("Any", feature_extraction.TFIDF()) | classifier()

    def answer(self, text: str) -> Answer:
        """River's most probable label."""
        chances = self._pipeline.predict_proba_one(text)
        if not chances:
            return Answer(None, 0.0)
        best = max(chances, key=chances.__getitem__)
        return Answer(best, min(1.0, max(0.0, float(chances[best]))))

    def learn(self, text: str, label: Hashable, memory: Any) -> None:  # noqa: ARG002  keeps none
        """Learn one."""
        self._pipeline.learn_one(text, label)


def river_softmax() -> Contestant:
    """TFIDF -> softmax regression by SGD with a step of 1."""
    from river import linear_model, optim  # noqa: PLC0415  as above

    return RiverPipeline(lambda: linear_model.SoftmaxRegression(optimizer=optim.SGD(1.0)))


def river_one_against_rest() -> Contestant:
    """TFIDF -> one logistic regression a label, by AdaGrad."""
    from river import linear_model, multiclass, optim  # noqa: PLC0415  as above

    return RiverPipeline(
        lambda: multiclass.OneVsRestClassifier(linear_model.LogisticRegression(optimizer=optim.AdaGrad(0.5)))
    )


class SklearnHashing:
    """HashingVectorizer over words and pairs -> SGDClassifier with log loss, in mini-batches."""

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415  as above
        from sklearn.linear_model import SGDClassifier  # noqa: PLC0415  as above

        self._read: Any = HashingVectorizer(n_features=2**16, ngram_range=(1, 2), alternate_sign=False)
        self._make = lambda: cast("Any", SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0))
        self._model: Any = None
        self._labels: list[Hashable] = []
        self._waiting: list[tuple[str, Hashable]] = []

    def answer(self, text: str) -> Answer:
        """Its most probable label."""
        if self._model is None:
            return Answer(None, 0.0)
        chances = self._model.predict_proba(self._read.transform([text]))[0]
        best = int(np.argmax(chances))
        return Answer(self._labels[self._model.classes_[best]], float(chances[best]))

    def learn(self, text: str, label: Hashable, memory: Any) -> None:  # noqa: ARG002  keeps none
        """Learn when a batch is full. It has to know every label from the start: a new one begins anew."""
        self._waiting.append((text, label))
        if len(self._waiting) < _BATCH:
            return
        fresh = [label for label in dict.fromkeys(label for _, label in self._waiting) if label not in self._labels]
        if fresh:
            self._widen(fresh)
        columns = [self._labels.index(label) for _, label in self._waiting]
        classes = np.arange(len(self._labels))
        if len(classes) > 1:
            texts = self._read.transform([text for text, _ in self._waiting])
            self._model = self._model or self._make()
            self._model.partial_fit(texts, columns, classes=classes)
        self._waiting.clear()

    def _widen(self, fresh: list[Hashable]) -> None:
        """Give new labels weights of zero beside what has been learned."""
        self._labels += fresh
        old = self._model
        if old is None:
            return
        self._model = self._make()
        blank = self._read.transform([""])
        self._model.partial_fit(blank, [0], classes=np.arange(len(self._labels)))
        self._model.coef_[:] = 0
        self._model.intercept_[:] = old.intercept_.min()
        if len(old.classes_) == 2:  # noqa: PLR2004  two labels share one row of weights
            self._model.coef_[:2] = np.vstack([-old.coef_, old.coef_])
            self._model.intercept_[:2] = np.concatenate([-old.intercept_, old.intercept_])
        else:
            self._model.coef_[: len(old.classes_)] = old.coef_
            self._model.intercept_[: len(old.classes_)] = old.intercept_
        self._model.t_ = old.t_


class VowpalWabbit:
    """One against all over words and pairs of words.

    It has to know beforehand how many labels will come, and rooms that stay empty cost it speed and accuracy. So it
    begins with a few; where they are full, a larger one learns again what has come so far.
    """

    _FIRST_ROOM = 8

    def __init__(self, options: str) -> None:
        self._options = options
        self._labels: list[Hashable] = []
        self._columns: dict[Hashable, int] = {}
        self._seen: list[str] = []
        self._room = self._FIRST_ROOM
        self._model = self._make()

    def answer(self, text: str) -> Answer:
        """Its most probable label."""
        if not self._labels:
            return Answer(None, 0.0)
        scores = np.array(self._model.predict(f"| {_words(text)}")[: len(self._labels)])
        best = int(np.argmax(scores))
        if "--scores" in self._options:
            scores = np.exp(scores - scores.max())
        total = float(scores.sum())
        return Answer(self._labels[best], float(scores[best]) / total if total else 0.0)

    def learn(self, text: str, label: Hashable, memory: Any) -> None:  # noqa: ARG002  keeps none
        """Learn one."""
        if label not in self._columns:
            self._columns[label] = len(self._labels)
            self._labels.append(label)
        if len(self._labels) > self._room:
            self._room *= 2
            self._model = self._make()
            for line in self._seen:
                self._model.learn(line)
        self._seen.append(f"{self._columns[label] + 1} | {_words(text)}")
        self._model.learn(self._seen[-1])

    def _make(self) -> Any:
        pyvw: Any = import_module("vowpalwabbit.pyvw")  # not a dependency: compared with where it is installed
        return pyvw.Workspace(f"--oaa {self._room} {self._options} --quiet")


RIVALS: dict[str, dict[str, Callable[[], Contestant]]] = {
    "river": {
        "river TFIDF -> softmax SGD": river_softmax,
        "river TFIDF -> OvR LR AdaGrad": river_one_against_rest,
    },
    "sklearn": {"scikit-learn hashing -> SGD": SklearnHashing},
    # Chosen among five settings on the first 2,000 rows of three of the public sets.
    "vw": {
        "Vowpal Wabbit logistic": lambda: VowpalWabbit(
            "--loss_function logistic --probabilities -b 20 --ngram 2 -l 2 --power_t 0.3"
        ),
        "Vowpal Wabbit hinge": lambda: VowpalWabbit("--loss_function hinge --scores -b 20 --ngram 2 -l 1"),
    },
}
"""What `--against` may name, and the contestants that it stands for."""


def rivals(names: list[str]) -> tuple[dict[str, Callable[[], Contestant]], list[str]]:
    """The contestants of `names`, and what to say of those that are not there. Raises BadSettings for other names."""
    chosen: dict[str, Callable[[], Contestant]] = {}
    absent: list[str] = []
    for name in names:
        if name not in RIVALS:
            raise BadSettings(f"--against {name}: there are {', '.join(RIVALS)}")
        if name == "vw" and find_spec("vowpalwabbit") is None:
            absent.append("Vowpal Wabbit is not installed and is left out: pip install vowpalwabbit")
        else:
            chosen |= RIVALS[name]
    return chosen, absent


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
