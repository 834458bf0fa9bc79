"""The whole decision as one pure function: agents, replay, benchmarks and tests all call it.

The stages beside this module do not know each other; here they are joined.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from models import language, sentiment
from models.language import LanguageJudge
from models.learners import RulesThenBayes
from models.priority import with_circumstances
from models.rules import PhraseRules
from models.scores import judge, rounded, set_by_a_person, softmax
from models.sentiment import score_sentiment
from models.taxonomy import OTHER, Label, Taxonomy
from models.text import fold
from schemas.decisions import Band, Decision, Judgement, LogPosition
from schemas.events import TicketEvent
from schemas.topics import REVIEW_QUEUE

CODE_VERSION = "1"
"""The version of all code that decisions depend on: a change that changes them changes it, and a test says so."""

_DECISIONS = uuid.UUID("0f1d3c56-5f0e-5d55-9d0c-7a1f6a3a5b52")
"""The name space of decision ids: fixed for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Everything that a decision is computed with besides the event."""

    taxonomy: Taxonomy
    category: RulesThenBayes
    intent: RulesThenBayes
    priority: RulesThenBayes
    language: LanguageJudge
    versions: Mapping[str, str]


def starting_models(taxonomy: Taxonomy) -> Models:
    """Models that have learned nothing yet: the taxonomy's rules and the packaged scorers."""
    return Models(
        taxonomy=taxonomy,
        category=_head(taxonomy.categories),
        intent=_head(taxonomy.intents),
        priority=_head(taxonomy.priorities),
        language=LanguageJudge(taxonomy.languages),
        versions=starting_versions(taxonomy),
    )


def starting_versions(taxonomy: Taxonomy) -> dict[str, str]:
    """Head to the version of its model, of models that have learned nothing yet."""
    rules = dict.fromkeys(("category", "intent", "priority"), f"rules-{taxonomy.version}")
    return {**rules, "sentiment": sentiment.MODEL_VERSION, "language": language.MODEL_VERSION}


def decision_id(event: TicketEvent) -> str:
    """The id of the decision on `event`: the same for every copy of the event, wherever it stands in the log."""
    return str(uuid.uuid5(_DECISIONS, f"{event.tenant}\0{event.source}\0{event.event_id}"))


def decide(event: TicketEvent, position: LogPosition, models: Models) -> Decision:
    """The routing decision on `event`, which stands at `position` of the log.

    It reads no clock, so that the same event and models give the same decision, byte for byte, whenever asked.
    """
    text = f"{event.subject}\n{event.body}"
    folded = fold(text)
    human = event.human_set

    tongue = _or_human(human, "language") or models.language.judge(text, event.language_hint)
    mood_score, judged_mood = score_sentiment(text, tongue.label)
    mood = _or_human(human, "sentiment") or judged_mood
    category = _or_human(human, "category") or _judged(models.category, folded)
    intent = _or_human(human, "intent") or _judged(models.intent, folded)
    priority = _or_human(human, "priority") or _priority(event, folded, mood_score, models)

    team, band = _route(category, tongue, human.get("team"), models.taxonomy)
    return Decision(
        decision_id=decision_id(event),
        event_id=event.event_id,
        event=position,
        kind=event.kind,
        ticket_id=event.ticket_id,
        source=event.source,
        tenant=event.tenant,
        channel=event.channel,
        customer_tier=event.customer_tier,
        subject=event.subject,
        category=category,
        intent=intent,
        priority=priority,
        sentiment=mood,
        sentiment_score=rounded(mood_score),
        language=tongue,
        team=team,
        queue=REVIEW_QUEUE if band is Band.REVIEW else team,
        band=band,
        models=models.versions,
        occurred_at=event.occurred_at,
    )


def _head(labels: Mapping[str, Label]) -> RulesThenBayes:
    return RulesThenBayes(PhraseRules(label.rules for label in labels.values()))


def _or_human(human: Mapping[str, str], field: str) -> Judgement | None:
    return set_by_a_person(human[field]) if field in human else None


def _judged(head: RulesThenBayes, folded: str) -> Judgement:
    scores, reasons = head.explain_one(folded)
    probabilities = softmax(scores)
    return judge(probabilities, reasons.get(max(probabilities, key=probabilities.__getitem__), ()))


def _priority(event: TicketEvent, folded: str, mood_score: float, models: Models) -> Judgement:
    scores, reasons = with_circumstances(
        *models.priority.explain_one(folded),
        sentiment_score=mood_score,
        tier=event.customer_tier,
        tier_weight=models.taxonomy.tiers.get(event.customer_tier or "", 0.0),
    )
    probabilities = softmax(scores)
    return judge(probabilities, reasons.get(max(probabilities, key=probabilities.__getitem__), ()))


def _route(category: Judgement, tongue: Judgement, human_team: str | None, taxonomy: Taxonomy) -> tuple[str, Band]:
    """The proposed team and the band. What nobody can route for sure goes to review, and is never guessed."""
    if human_team is not None:
        return human_team, Band.AUTO if human_team in taxonomy.teams else Band.REVIEW
    label = taxonomy.categories.get(category.label)
    team = taxonomy.teams[(label or taxonomy.categories[OTHER]).team]
    if label is None or tongue.label == language.UNSUPPORTED:
        return team.name, Band.REVIEW
    return team.name, team.band(category.probability)
