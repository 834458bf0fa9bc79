"""What feedback teaches: which head, and which label of the taxonomy; what holds by it; which lessons still count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from models.rules import PhraseRules
from models.scores import own_log_odds, probability_of, rounded
from models.sentiment import LABELS
from models.taxonomy import OTHER, Label, Taxonomy
from models.text import fold
from schemas.decisions import Band, Decision, Judgement, LogPosition
from schemas.errors import InvalidEvent
from schemas.events import MOST_HUMAN_CHARACTERS, TicketEvent
from schemas.feedback import BEST_CSAT, WORST_CSAT, Feedback, FeedbackKind
from schemas.held import HumanWord
from schemas.lessons import AUDITED_HEADS, AuditOutcome, Lesson


class Taught(NamedTuple):
    """A head and the label that a person says is right."""

    head: str
    label: str


def taught(feedback: Feedback, taxonomy: Taxonomy) -> Taught | None:
    """What `feedback` teaches; None where it teaches nothing.

    Corrections of category, intent, priority and sentiment do. A ticket that moved to another team says its category
    where that team has one alone. Corrections of language teach nothing; resolutions, moves to a team of several
    categories, and ratings may teach weakly (`agreed`, `Owners.likeliest`, `felt`); what a retraction takes back is not
    known here. Raises InvalidEvent for a label or a team that there is not: labels are closed.
    """
    if feedback.kind is FeedbackKind.REASSIGNMENT:
        return _of_team(feedback.value or "", taxonomy)
    if feedback.kind is not FeedbackKind.CORRECTION:
        return None
    if feedback.field == "team":
        return _of_team(feedback.value or "", taxonomy)
    if feedback.field == "sentiment":
        if feedback.value not in LABELS:
            raise InvalidEvent(f"there is no sentiment {feedback.value!r}; there are {', '.join(LABELS)}")
        return Taught("sentiment", feedback.value)
    heads: Mapping[str, Mapping[str, Label]] = {
        "category": taxonomy.categories,
        "intent": taxonomy.intents,
        "priority": taxonomy.priorities,
    }
    head, label = feedback.field or "", feedback.value or ""
    if head not in heads:
        return None
    if label not in heads[head]:
        raise InvalidEvent(f"{head} {label!r} is not in the taxonomy; there are {', '.join(heads[head])}")
    return Taught(head, label)


def _of_team(team: str, taxonomy: Taxonomy) -> Taught | None:
    if team not in taxonomy.teams:
        raise InvalidEvent(f"team {team!r} is not in the taxonomy; there are {', '.join(taxonomy.teams)}")
    owned = [name for name, label in taxonomy.categories.items() if label.team == team]
    return Taught("category", owned[0]) if len(owned) == 1 else None


def agreed(first: Decision, last: Decision, taxonomy: Taxonomy) -> Taught | None:
    """What a ticket teaches that was resolved, by the first and the last decision on it; None for nothing.

    Its category, where the machine made a suggestion that its team looked at, and neither an event nor feedback changed
    it. What was routed by itself teaches nothing, since nobody need have looked; nor does what a person had to route.
    """
    label = first.category.label
    if first.band is not Band.SUGGEST or first.category.human or last.category.human:
        return None
    if (last.category.label, last.team) != (label, first.team) or label == OTHER or label not in taxonomy.categories:
        return None
    return Taught("category", label)


def felt(feedback: Feedback) -> Taught | None:
    """What a rating of the help teaches weakly, where ratings are to teach: the worst and the best alone do."""
    label = {WORST_CSAT: "negative", BEST_CSAT: "positive"}.get(feedback.score or 0)
    return Taught("sentiment", label) if feedback.kind is FeedbackKind.CSAT and label is not None else None


def may_end_an_audit(feedback: Feedback) -> bool:
    """Whether `feedback` may say how an audited decision came out."""
    if feedback.kind is FeedbackKind.CORRECTION:
        return feedback.field == "team" or feedback.field in AUDITED_HEADS
    return feedback.kind in (FeedbackKind.REASSIGNMENT, FeedbackKind.RESOLUTION)


def audit_outcomes(feedback: Feedback, first: Decision, last: Decision, taxonomy: Taxonomy) -> tuple[AuditOutcome, ...]:
    """How the audited decision `first` came out by `feedback`; `last` is the newest decision on the ticket.

    A correction says it of its field, right where it agrees. A move says it of the category: wrong where the team is
    not the category's, right where it is and has no other category. A resolution says it of all that stands as it was
    decided, or that an event has set. What was set from the start was not decided, and what was decided otherwise
    since, of a later text, says nothing. Where an open incident had the ticket, its team says nothing of the category.
    """
    if not first.audited or not may_end_an_audit(feedback):
        return ()
    if feedback.kind is FeedbackKind.RESOLUTION:
        found = {head: _stood(head, first, last) for head in AUDITED_HEADS}
    elif feedback.kind is FeedbackKind.REASSIGNMENT or feedback.field == "team":
        found = {"category": _stayed(first, feedback.value or "", taxonomy)}
    else:
        head = feedback.field or ""
        found = {head: feedback.value == _judged(head, first).label}
    said = feedback.kind is not FeedbackKind.RESOLUTION
    return tuple(
        AuditOutcome(
            head=head,
            label=(judgement := _judged(head, first)).label,
            probability=rounded(probability_of(own_log_odds(judgement))),
            right=right,
            said=said,
        )
        for head, right in found.items()
        if right is not None and not _judged(head, first).human
    )


def _judged(head: str, decision: Decision) -> Judgement:
    return {"category": decision.category, "intent": decision.intent, "priority": decision.priority}[head]


def _stood(head: str, first: Decision, last: Decision) -> bool | None:
    """Whether what was decided of `head` stands at the end; None where that cannot be said."""
    was, became = _judged(head, first), _judged(head, last)
    if became.human:
        return was.label == became.label
    moved = head == "category" and first.incident_id is last.incident_id is None and first.team != last.team
    return None if moved or was.label != became.label else True


def _stayed(first: Decision, team: str, taxonomy: Taxonomy) -> bool | None:
    """Whether a ticket that is said to be of `team` has the category that was decided; None where that is not said."""
    label = taxonomy.categories.get(first.category.label)
    if label is None or first.incident_id is not None:
        return None
    if label.team != team:
        return False
    return True if sum(other.team == team for other in taxonomy.categories.values()) == 1 else None


def said_by_a_person(feedback: Feedback) -> HumanWord | None:
    """What holds on later events of the ticket by `feedback`, which `taught` has not refused; None for nothing.

    Raises InvalidEvent for a value or an id that is too long to be held.
    """
    if feedback.kind not in (FeedbackKind.CORRECTION, FeedbackKind.REASSIGNMENT, FeedbackKind.RETRACTION):
        return None
    about = {name: getattr(feedback, name) for name in ("tenant", "source", "ticket_id", "feedback_id")}
    value = feedback.value or ""
    for name, text in {**about, "value": value}.items():
        if len(text) > MOST_HUMAN_CHARACTERS:
            raise InvalidEvent(f"{name} has {len(text)} characters, {MOST_HUMAN_CHARACTERS} are the most")
    if feedback.kind is FeedbackKind.RETRACTION:
        return HumanWord(**about, revokes=value)
    field = "team" if feedback.kind is FeedbackKind.REASSIGNMENT else feedback.field or ""
    return HumanWord(**about, field=field, value=value)


class Owners:
    """Whose tickets are: by what people said of them, else by the phrases of the taxonomy."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._rules = PhraseRules(label.rules for label in taxonomy.categories.values())

    def owner(self, event: TicketEvent, what: Taught) -> str:
        """The team of the ticket that began with `event`, of which a person said `what`."""
        if (team := event.human_set.get("team")) in self._taxonomy.teams:
            return str(team)
        category = what.label if what.head == "category" else event.human_set.get("category")
        if category not in self._taxonomy.categories:
            scores, _ = self._rules.score(fold(f"{event.subject}\n{event.body}"))
            category = max(scores, key=scores.__getitem__)
        return self._taxonomy.categories[category or OTHER].team

    def likeliest(self, event: TicketEvent, team: str) -> Taught | None:
        """Of the categories of a team, the one that phrases find more than the others; None where there is none."""
        scores, found = self._rules.score(fold(f"{event.subject}\n{event.body}"))
        owned = [name for name, label in self._taxonomy.categories.items() if label.team == team and name in found]
        best = max(owned, key=scores.__getitem__, default=None)
        if best is None or any(scores[name] == scores[best] for name in owned if name != best):
            return None
        return Taught("category", best)


def standing(lessons: Iterable[Lesson]) -> list[Lesson]:
    """Those of `lessons` that count, in order: each once, and without those that one after them takes back."""
    counting: dict[tuple[str, LogPosition], Lesson] = {}
    met: set[tuple[str, LogPosition]] = set()
    said: dict[tuple[str, str, str, str], list[tuple[str, LogPosition]]] = {}
    for lesson in lessons:
        if (name := (lesson.feedback_id, lesson.feedback)) in met:
            continue
        met.add(name)
        on_ticket = (lesson.tenant, lesson.source, lesson.ticket_id)
        if lesson.revokes is None:
            counting[name] = lesson
            said.setdefault((*on_ticket, lesson.feedback_id), []).append(name)
            continue
        for gone in said.pop((*on_ticket, lesson.revokes), ()):
            del counting[gone]
    return list(counting.values())
