"""Whether a head has become worse: an alarm when its error rises, and what on-call is told of it."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from river import drift

from schemas.alerts import Alert, AlertKind, AlertStage, SpikeCause, SpikeSize
from schemas.lessons import Lesson

WHOLE_HEAD = ""
"""In place of a team: the lessons of a head for all teams together."""

MOST_ANSWERS = 2_000
"""Of one window: from here on it begins anew with the newer half."""

RECENT, USUAL_AFTER = 30, 300
"""Lessons: a drift is over where of the newest 30 no more are wrong than halfway back, or after 300 in any case."""

LONGEST = timedelta(days=14)
"""So long after its last rise a drift is over in any case."""

_EXAMPLES = 3
_DRIFTS = uuid.UUID("c3a0a6c0-5d0c-5b57-9b39-0d7c9a1e77f4")
"""The name space of the ids of drifts: fixed for ever."""


_LEAST_KEPT, _STEEPNESS = 0.02, 16


def kept(rise: float) -> float:
    """How much of what was counted is kept after the error has risen by `rise`, both 0 to 1: the partial reset.

    After .2 it is a fiftieth, after .02 three quarters.
    """
    return max(_LEAST_KEPT, (1.0 - rise) ** _STEEPNESS)


class RisingError:
    """ADWIN (Bifet and Gavaldà 2007, *Learning from Time-Changing Data with Adaptive Windowing*), on rises alone.

    An error that falls changes its mean too, but that is learning. `delta` is the chance of a false alarm that one
    test may have.
    """

    def __init__(self, delta: float = 0.002) -> None:
        self._window: Any = cast("Any", drift.ADWIN)(delta=delta)
        self.alarms = 0

    @property
    def width(self) -> int:
        """The answers in the window; after an alarm those that are held to be of the new kind."""
        return int(self._window.width)

    @property
    def changed(self) -> bool:
        """Whether the last answer ended the window, by a rise or a fall: the next one begins another."""
        return bool(self._window.drift_detected)

    def update(self, *, wrong: bool) -> float:
        """Take in one answer whose truth is known; returns by how much the error has risen, 0 without alarm."""
        before = float(self._window.estimation)
        self._window.update(float(wrong))
        rise = float(self._window.estimation) - before
        if not self._window.drift_detected or rise <= 0:
            return 0.0
        self.alarms += 1
        return rise


class Rise(NamedTuple):
    """An alarm: the share of wrong answers before and since, and how many answers are since."""

    before: float
    after: float
    answers: int
    by: float
    """What `RisingError.update` says: by how much the mean of the window has risen, 0 to 1."""


class RecordedError:
    """A RisingError that can be written down: as the answers of its window, from which it is made again."""

    def __init__(self, answers: str = "") -> None:
        """`answers` is of what `answers` was: 1 for each wrong one, 0 for each right one, in order."""
        self.answers = answers
        self._alarm: RisingError | None = None

    def update(self, *, wrong: bool) -> Rise | None:
        """Take in one answer; the alarm, if there is one."""
        if len(self.answers) == MOST_ANSWERS:
            self.answers, self._alarm = self.answers[MOST_ANSWERS // 2 :], None
        if self._alarm is None:  # only now: who is copied and never asked costs nothing
            self._alarm = RisingError()
            for answer in self.answers:
                self._alarm.update(wrong=answer == "1")
        risen = self._alarm.update(wrong=wrong)
        self.answers += "1" if wrong else "0"
        if not self._alarm.changed:
            return None
        since = min(len(self.answers) - 1, self._alarm.width)
        old, new = self.answers[:-since], self.answers[-since:]
        self.answers, self._alarm = "", None
        return Rise(_share(old), _share(new), since, risen) if risen else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A rise of the error that is not over: of one head, for one team or WHOLE_HEAD.

    `before` is the share of wrong answers before it; `answers`, of which `wrong` were wrong, came since then, and
    `recent` are the newest RECENT of those since the alarm. `at` is the time of the newest lesson that changed it, and
    `rises` the number of alarms.
    """

    incident_id: str
    head: str
    team: str
    opened_at: datetime
    at: datetime
    before: float
    after: float
    answers: int
    wrong: int
    rises: int = 1
    since_rise: int = 0
    risen_at: datetime
    recent: str = ""
    examples: tuple[str, ...] = ()


class DriftBook:
    """The errors of all heads and teams, and the drifts that are not over: a pure function of the lessons, in order.

    Whatever is noted twice counts twice.
    """

    def __init__(self) -> None:
        self._errors: dict[tuple[str, str], RecordedError] = {}
        self._wrong: dict[tuple[str, str], tuple[str, ...]] = {}
        """Tickets of the newest wrong answers."""
        self._lessons: dict[tuple[str, str], int] = {}
        self._open: dict[tuple[str, str], Drift] = {}

    @property
    def open(self) -> dict[str, Drift]:
        """The drifts that are not over, by their ids: a copy."""
        return {found.incident_id: found for found in self._open.values()}

    def note(self, lesson: Lesson, *, wrong: bool) -> float:
        """Note whether the head was wrong on `lesson` before it learned it; gives by how much the head's error rose.

        A rise of the error for one team counts by that team's share of the head's lessons.
        """
        now = lesson.occurred_at
        for key in [key for key, known in self._open.items() if now - known.risen_at > LONGEST]:
            del self._open[key]
        risen = 0.0
        for team in dict.fromkeys((WHOLE_HEAD, lesson.team)):
            key = lesson.head, team
            if wrong:
                self._wrong[key] = (lesson.ticket_id, *self._wrong.get(key, ()))[:_EXAMPLES]
            self._lessons[key] = self._lessons.get(key, 0) + 1
            rise = self._errors.setdefault(key, RecordedError()).update(wrong=wrong)
            if rise is not None:
                risen = max(risen, rise.by * self._lessons[key] / self._lessons[lesson.head, WHOLE_HEAD])
            self._follow(key, lesson, rise, wrong=wrong)
        return risen

    def _follow(self, key: tuple[str, str], lesson: Lesson, rise: Rise | None, *, wrong: bool) -> None:
        known, examples = self._open.get(key), self._wrong.get(key, ())
        if known is None and rise is not None:
            self._open[key] = _opened(key, lesson, rise, examples)
        elif known is not None:
            at = max(known.at, lesson.occurred_at)
            known = replace(known, at=at, answers=known.answers + 1, wrong=known.wrong + wrong, examples=examples)
            if rise is not None:
                self._open[key] = replace(
                    known, after=rise.after, rises=known.rises + 1, since_rise=0, risen_at=at, recent=""
                )
                return
            recent = (known.recent + ("1" if wrong else "0"))[-RECENT:]
            self._open[key] = known = replace(known, since_rise=known.since_rise + 1, recent=recent)
            is_back = len(recent) == RECENT and _share(recent) <= (known.before + known.after) / 2
            if is_back or known.since_rise >= USUAL_AFTER:
                del self._open[key]

    def clone(self) -> DriftBook:
        """Another one that knows the same, and goes on by itself."""
        return DriftBook.from_json(self.to_json())

    def to_json(self) -> list[dict[str, Any]]:
        """All of it, as JSON can carry it: the same gives the same."""
        found: list[dict[str, Any]] = []
        for (head, team), error in sorted(self._errors.items()):
            known = self._open.get((head, team))
            entry: dict[str, Any] = {"head": head, "team": team, "answers": error.answers}
            entry["wrong"] = list(self._wrong.get((head, team), ()))
            entry["lessons"] = self._lessons[head, team]
            if known is not None:
                entry["open"] = {
                    "incident_id": known.incident_id,
                    **{name: getattr(known, name).isoformat() for name in _TIMES},
                    **{name: getattr(known, name) for name in _NUMBERS},
                    "recent": known.recent,
                }
            found.append(entry)
        return found

    @classmethod
    def from_json(cls, entries: list[dict[str, Any]]) -> DriftBook:
        """What `to_json` gave. Raises KeyError, TypeError, ValueError or AttributeError for anything else."""
        made = cls()
        for entry in entries:
            key = str(entry["head"]), str(entry["team"])
            made._errors[key] = RecordedError(str(entry["answers"]))
            made._lessons[key] = int(entry["lessons"])
            if entry["wrong"]:
                made._wrong[key] = tuple(entry["wrong"])
            if (known := entry.get("open")) is not None:
                made._open[key] = Drift(
                    head=key[0],
                    team=key[1],
                    incident_id=known["incident_id"],
                    recent=known["recent"],
                    examples=made._wrong.get(key, ()),
                    **{name: datetime.fromisoformat(known[name]) for name in _TIMES},
                    **{name: known[name] for name in _NUMBERS},
                )
        return made


_TIMES = ("opened_at", "at", "risen_at")
_NUMBERS = ("before", "after", "answers", "wrong", "rises", "since_rise")


def words(before: Mapping[str, Drift], after: Mapping[str, Drift], lesson: Lesson) -> list[Alert]:
    """What on-call is told where `lesson` turned the open drifts `before` it into those `after` it, by their ids."""
    told: list[Alert] = []
    for name, known in before.items():
        if name not in after:
            told.append(_word(replace(known, at=max(known.at, lesson.occurred_at)), AlertStage.RESOLVED))
    for name, found in after.items():
        if name not in before:
            told.append(_word(found, AlertStage.OPENED))
        elif found.rises > before[name].rises:
            told.append(_word(found, AlertStage.UPDATED))
    return sorted(told, key=lambda word: word.incident_id)


def _opened(key: tuple[str, str], lesson: Lesson, rise: Rise, examples: tuple[str, ...]) -> Drift:
    head, team = key
    place = lesson.feedback
    parts = (head, team, lesson.feedback_id, place.topic, str(place.partition), str(place.offset))
    return Drift(
        incident_id=f"drift-{uuid.uuid5(_DRIFTS, chr(0).join(parts))}",
        head=head,
        team=team,
        opened_at=lesson.occurred_at,
        at=lesson.occurred_at,
        risen_at=lesson.occurred_at,
        before=rise.before,
        after=rise.after,
        answers=rise.answers,
        wrong=round(rise.after * rise.answers),
        examples=examples,
    )


def _word(known: Drift, stage: AlertStage) -> Alert:
    expected = known.before * known.answers
    return Alert(
        incident_id=known.incident_id,
        kind=AlertKind.DRIFT,
        stage=stage,
        subject=f"errors of {known.head}" + (f" for {known.team}" if known.team else ""),
        team=known.team,
        opened_at=known.opened_at,
        at=known.at,
        size=SpikeSize(
            observed=float(known.wrong),
            expected=round(expected, 3),
            score=round(_decades(known.wrong, known.answers, known.before), 3),
        ),
        cause=SpikeCause(examples=known.examples),
        page=False,
        note="models that have to learn again are no emergency",
    )


def _decades(wrong: int, answers: int, before: float) -> float:
    """How improbable `wrong` of `answers` are by the share of `before`: Chernoff's bound, as a negative log10."""
    usual = min(max(before, 1 / (answers + 2)), 1 - 1 / (answers + 2))
    share = wrong / answers
    if share <= usual:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - usual)) if share < 1 else 0.0
    return answers * (share * math.log(share / usual) + rest) / math.log(10)


def _share(answers: str) -> float:
    return answers.count("1") / len(answers) if answers else 0.0
