"""The whole decision as one pure function: agents, replay, benchmarks and tests all call it.

The stages beside this module do not know each other; here they are joined.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models import language, sentiment
from models.bands import is_drawn
from models.belonging import incident_of
from models.counting import series_of
from models.language import LanguageJudge
from models.priority import with_circumstances
from models.rules import PhraseRules
from models.scores import Curve, calibrated, judge, rounded, set_by_a_person, softmax
from models.sentiment import score_sentiment
from models.taxonomy import OTHER, Label, Taxonomy
from models.text import fold
from schemas.decisions import (
    AUDITED,
    CALIBRATED,
    MOST_TAG_CHARACTERS,
    MOST_TAGS,
    Band,
    Decision,
    Judgement,
    LogPosition,
    Reason,
)
from schemas.events import EventKind, TicketEvent
from schemas.open_incidents import OpenIncident
from schemas.topics import REVIEW_QUEUE

if TYPE_CHECKING:
    from models.features import Bag

    # With river and numba: two seconds that a worker without lessons does without.
    from models.learned import Evidence, Learned

CODE_VERSION = "2"
"""The version of all code that decisions depend on: a change that changes them changes it, and a test says so."""

_DECISIONS = uuid.UUID("0f1d3c56-5f0e-5d55-9d0c-7a1f6a3a5b52")
"""The name space of decision ids: fixed for ever."""

EARLIER = "set by a person earlier on this ticket"
"""The reason of a field that an earlier event or feedback has set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Everything that a decision is computed with besides the event."""

    taxonomy: Taxonomy
    category: PhraseRules
    intent: PhraseRules
    priority: PhraseRules
    language: LanguageJudge
    versions: Mapping[str, str]
    learned: Learned | None = None
    """What people have taught since; None before the first lesson."""
    incidents: tuple[OpenIncident, ...] = ()
    """The incidents that are open."""


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


def tags_of(event: TicketEvent) -> tuple[str, ...]:
    """The tags that a decision carries on: the first of `event`, without blanks around them, each once."""
    found = (tag.strip()[:MOST_TAG_CHARACTERS].rstrip() for tag in event.tags)
    return tuple(dict.fromkeys(tag for tag in found if tag))[:MOST_TAGS]


def decide(
    event: TicketEvent, position: LogPosition, models: Models, held: Mapping[str, str] | None = None
) -> Decision:
    """The routing decision on `event`, which stands at `position` of the log.

    `held` is what people set on the ticket before, by field: it stands where the event does not say otherwise. It reads
    no clock, so that the same event, models and fields give the same decision, byte for byte, whenever asked.
    """
    text = f"{event.subject}\n{event.body}"
    folded = fold(text)
    human = {field: (value, EARLIER) for field, value in (held or {}).items()}
    human |= {field: (value, "set by a person") for field, value in event.human_set.items()}

    tongue = _or_human(human, "language") or models.language.judge(text, event.language_hint)
    mood_score, judged_mood = score_sentiment(text, tongue.label)
    bag = None if models.learned is None else models.learned.read(text)
    mood = _or_human(human, "sentiment") or _mood(judged_mood, bag, models)
    curves: Mapping[str, Curve] = {} if models.learned is None else models.learned.audits.curves_of(event.tenant)
    category = _or_human(human, "category") or _judged(
        *_scored("category", models.category, folded, bag, models), curves.get("category")
    )
    intent = _or_human(human, "intent") or _judged(
        *_scored("intent", models.intent, folded, bag, models), curves.get("intent")
    )
    priority = _or_human(human, "priority") or _priority(event, folded, bag, mood_score, models, curves.get("priority"))

    name = decision_id(event)
    owner, how = human.get("team", (None, ""))
    team, band = _route(category, tongue, owner, models.taxonomy)
    if how == EARLIER:
        category = replace(category, reasons=(*category.reasons, Reason(text=f"team {EARLIER}", weight=0.0)))
    if owner is None and _is_audited(event, name, category, tongue, models.taxonomy):
        band = Band.REVIEW
        category = replace(category, reasons=(*category.reasons, Reason(text=AUDITED, weight=0.0)))
    decision = Decision(
        decision_id=name,
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
        product=event.product.strip(),
        tags=tags_of(event),
    )
    return _of_an_incident(decision, models, team_is_set="team" in human) if models.incidents else decision


def _of_an_incident(decision: Decision, models: Models, *, team_is_set: bool) -> Decision:
    """`decision`, of a ticket that may belong to an open incident: then it names it, and goes to its owner.

    It goes there as a suggestion, where it would have gone elsewhere. A team that a person set stays, and so does a
    draw for an audit.
    """
    series = series_of(decision)
    found = incident_of(decision.subject, series, decision.occurred_at, models.incidents)
    if found is None:
        return decision
    incident, held = found
    why = Reason(text=f"open incident {incident.incident_id}: {', '.join(held) or incident.series[0]}", weight=0.0)
    team, band = decision.team, decision.band
    if not team_is_set and incident.team in models.taxonomy.teams:
        elsewhere = band is Band.REVIEW or team != incident.team
        team, band = incident.team, Band.SUGGEST if elsewhere and not decision.audited else band
    return replace(
        decision,
        category=replace(decision.category, reasons=(*decision.category.reasons, why)),
        team=team,
        queue=REVIEW_QUEUE if band is Band.REVIEW else team,
        band=band,
        incident_id=incident.incident_id,
    )


def chances(head: str, text: str, models: Models, learned: Learned) -> Mapping[str, float]:
    """Probability per label of a head that learns, of a text alone: without tier, and knowing what is `learned`."""
    folded, bag = fold(text), learned.read(text)
    models = replace(models, learned=learned)
    if head in {"category", "intent"}:
        rules = models.category if head == "category" else models.intent
        return softmax(_scored(head, rules, folded, bag, models)[0])
    mood, by_lexicon = score_sentiment(text, models.language.judge(text, None).label)
    if head == "sentiment":
        return {candidate.label: candidate.probability for candidate in _mood(by_lexicon, bag, models).top}
    scored = _scored(head, models.priority, folded, bag, models)
    return softmax(with_circumstances(*scored, sentiment_score=mood, tier=None, tier_weight=0.0)[0])


def as_audited(chances: Mapping[str, float], head: str, tenant: str, learned: Learned) -> Mapping[str, float]:
    """`chances` of a ticket of `tenant`, as sure as the outcomes of audits have it."""
    curve = learned.audits.curves_of(tenant).get(head)
    return chances if curve is None else calibrated(chances, curve)[0]


def _head(labels: Mapping[str, Label]) -> PhraseRules:
    return PhraseRules(label.rules for label in labels.values())


def _or_human(human: Mapping[str, tuple[str, str]], field: str) -> Judgement | None:
    return set_by_a_person(*human[field]) if field in human else None


def _scored(
    head: str, rules: PhraseRules, folded: str, bag: Bag | None, models: Models
) -> tuple[dict[str, float], dict[str, list[Reason]]]:
    """Score per label of the taxonomy, in nats: the rules', as a prior, and what lessons add; with the reasons."""
    scores, reasons = rules.score(folded)
    _learn_from(_evidence(head, bag, models), scores, reasons)
    return scores, reasons


def _evidence(head: str, bag: Bag | None, models: Models) -> Evidence | None:
    return None if models.learned is None or bag is None else models.learned.evidence(head, bag)


def _learn_from(evidence: Evidence | None, scores: dict[str, float], reasons: dict[str, list[Reason]]) -> None:
    """Add to `scores` and `reasons` what lessons say, where they say anything."""
    if evidence is None:
        return
    weights = {label: evidence.weight(label) for label in scores}
    mean = sum(weights.values()) / len(weights)  # what is added to all labels alike says nothing
    for label, weight in weights.items():
        scores[label] += weight - mean
        reasons.setdefault(label, []).append(Reason(text="learned from corrections", weight=weight - mean))


def _mood(by_lexicon: Judgement, bag: Bag | None, models: Models) -> Judgement:
    """The mood by the lexicon, as a prior, and what lessons add. The score, on which the priority leans, stays.

    The lexicon is surer than rules: it counts the less, the more of the text lessons know, or one would turn nothing.
    """
    evidence = _evidence("sentiment", bag, models)
    if evidence is None:
        return by_lexicon
    rest = 1 - evidence.trust
    scores = {candidate.label: rest * math.log(candidate.probability) for candidate in by_lexicon.top}
    known = [replace(reason, weight=rest * reason.weight) for reason in by_lexicon.reasons if rest]
    reasons = {by_lexicon.label: known}
    _learn_from(evidence, scores, reasons)
    return _judged(scores, reasons)


def _judged(scores: Mapping[str, float], reasons: Mapping[str, list[Reason]], curve: Curve | None = None) -> Judgement:
    """The judgement by `scores`; as sure as `curve` has it, where audits have come out."""
    probabilities = softmax(scores)
    why = reasons.get(max(probabilities, key=probabilities.__getitem__), ())
    if curve is None:
        return judge(probabilities, why)
    probabilities, moved = calibrated(probabilities, curve)
    made = judge(probabilities, why)
    return replace(made, reasons=(*made.reasons, Reason(text=CALIBRATED, weight=rounded(moved))))


def _priority(
    event: TicketEvent, folded: str, bag: Bag | None, mood_score: float, models: Models, curve: Curve | None
) -> Judgement:
    return _judged(
        *with_circumstances(
            *_scored("priority", models.priority, folded, bag, models),
            sentiment_score=mood_score,
            tier=event.customer_tier,
            tier_weight=models.taxonomy.tiers.get(event.customer_tier or "", 0.0),
        ),
        curve,
    )


def _route(category: Judgement, tongue: Judgement, human_team: str | None, taxonomy: Taxonomy) -> tuple[str, Band]:
    """The proposed team and the band. What nobody can route for sure goes to review, and is never guessed."""
    if human_team is not None:
        return human_team, Band.AUTO if human_team in taxonomy.teams else Band.REVIEW
    label = taxonomy.categories.get(category.label)
    team = taxonomy.teams[(label or taxonomy.categories[OTHER]).team]
    if label is None or tongue.label == language.UNSUPPORTED:
        return team.name, Band.REVIEW
    return team.name, team.band(category.probability)


def _is_audited(event: TicketEvent, name: str, category: Judgement, tongue: Judgement, taxonomy: Taxonomy) -> bool:
    """Whether a decision is drawn for an audit: only one on a new ticket that the machine routes by itself."""
    if event.kind is not EventKind.CREATED or category.human:
        return False
    if tongue.label == language.UNSUPPORTED:
        return False
    return is_drawn(name, taxonomy.teams[taxonomy.categories[category.label].team].audit)
