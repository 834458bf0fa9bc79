"""The online classifier behind every text head: a river estimator that starts from the taxonomy's rules.

This is the one module that knows river.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, cast

from river import base

from models.rules import PhraseRules
from models.scores import softmax
from schemas.decisions import Reason


class RulesThenBayes(base.Classifier):
    """Rules as a prior, a multinomial naive Bayes over words as what has been learned since.

    score(label) = prior + rules + trust * (naive Bayes log odds against the mean label) / sqrt(words), with
    trust = n / (n + evidence) after n learned tickets: with none learned the rules stand alone. The root tempers
    naive Bayes, which takes words as independent and is therefore too sure of long texts (Rennie et al. 2003,
    *Tackling the Poor Assumptions of Naive Bayes Text Classifiers*). A text, as `models.text.fold` makes it, is
    the `x` of river's interface. Labels are those of the rules: learning any other raises ValueError.
    """

    def __init__(self, rules: PhraseRules, evidence: float = 200.0) -> None:
        self.rules = rules
        self.evidence = evidence
        self.learned = 0
        self._bayes: Any = None

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: Any, y: Any, **_: Any) -> None:
        """Learn that the text `x` is labelled `y`."""
        if y not in self.rules.priors:
            raise ValueError(f"{y!r} is not in the taxonomy")
        if self._bayes is None:
            from river import naive_bayes  # noqa: PLC0415  it takes a second to import: a worker decides before that

            self._bayes = cast("Any", naive_bayes.MultinomialNB(alpha=0.1))
        self._bayes.learn_one(Counter(x.split()), y)
        self.learned += 1

    def predict_proba_one(self, x: Any, **_: Any) -> dict[Any, float]:
        """Probability per label."""
        return softmax(self.explain_one(x)[0])

    def explain_one(self, x: str) -> tuple[dict[str, float], dict[str, list[Reason]]]:
        """Score per label in nats, and its signed contributions: they and the label's prior sum to the score."""
        scores, reasons = self.rules.score(x)
        if not self.learned:
            return scores, reasons
        counts = Counter(x.split())
        labels = [label for label in scores if label in self._bayes.class_counts]
        scale = self.learned / (self.learned + self.evidence) / math.sqrt(max(1, sum(counts.values())))
        base_rates = {label: math.log(self._bayes.p_class(label)) for label in labels}
        terms = [("(base rate)", base_rates, 1)]
        for word, count in counts.items():
            given = {label: math.log(self._bayes.p_feature_given_class(word, label)) for label in labels}
            terms.append((word, given, count))
        for text, logs, count in terms:
            mean = sum(logs.values()) / len(logs)
            for label in labels:
                weight = scale * count * (logs[label] - mean)
                scores[label] += weight
                reasons.setdefault(label, []).append(Reason(text=text, weight=weight))
        return scores, reasons
