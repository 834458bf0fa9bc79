"""The `shadow` agent: a challenger answers every lesson beside the live models, and nothing that it says has an effect.

It writes the challenger's recipe, so that a person can promote it, and how the two compare: no decision, no assignment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from models.comparison import Compared, Verdict
from models.decide import Models
from models.sets import models_of
from schemas import topics
from schemas.codec import Codec
from schemas.errors import ModelsNotReproducible
from schemas.model_log import ModelSet, ShadowCompared
from streams.batches import Record
from streams.folding import Folding
from streams.lessons import LessonReader
from streams.metrics import Metric
from streams.model_log import ModelLog, recorded
from streams.publish import Outgoing, Publisher

log = logging.getLogger("triage.shadow")

_LOOK_EVERY_SECONDS = 5.0

_SIGNS = {Verdict.BETTER: 1.0, Verdict.UNDECIDED: 0.0, Verdict.WORSE: -1.0}


class ShadowAgent:
    """Follows the lessons with two sets: the same figures as `triage models compare` has on all of them."""

    def __init__(
        self,
        *,
        challenger: ModelSet,
        make: Callable[[str, Models], Folding],
        source: LessonReader,
        model_log: ModelLog,
        codec: Codec,
        publisher: Publisher,
        propose: bool,
    ) -> None:
        """`make` gives a fold over `source` beside the live set of a version; with `propose` a person is told."""
        self._challenger = challenger
        self._make = make
        self._source = source
        self._model_log = model_log
        self._codec = codec
        self._publisher = publisher
        self._propose = propose
        self._live: str | None = None
        self._folding: Folding | None = None
        self._is_assigned = False
        self._taking = asyncio.Lock()
        self._found: Mapping[str, Compared] = {}
        self._idles_for = ""

    @property
    def waiting_for(self) -> str | None:
        """What is waited for while that takes long."""
        return self._publisher.waiting_for or (self._folding.waiting_for if self._folding else None)

    async def open(self) -> None:
        """Record the challenger where it is not yet."""
        if self._challenger.version not in self._model_log.sets:
            await self._publisher.publish([recorded(self._challenger, self._codec)])
        log.info("the challenger is %s", self._challenger.version)

    def expect(self, partitions: Collection[int]) -> None:
        """Know whether this worker is the one that follows."""
        self._is_assigned = bool(partitions)
        if not self._is_assigned:
            self._live, self._folding, self._found = None, None, {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Compare on the lessons of `records`, and on what is before them."""
        await self._take(records[-1].offset)

    async def begin(self) -> None:
        """Compare also where no lesson comes, and begin anew where other models are live: until cancelled."""
        while True:
            if self._is_assigned and (end := await self._source.end()):
                await self._take(end - 1)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _take(self, last: int) -> None:
        async with self._taking:
            await self._model_log.read()
            folding = self._beside_the_live()
            if folding is None or last <= folding.through:
                return
            await folding.come_to(last)
            await folding.keep()
            if self._folding is folding:
                await self._tell(folding.tally.compared(), last)

    def _beside_the_live(self) -> Folding | None:
        """The fold beside what is live now; None where nothing can be compared with."""
        lineage = self._model_log.lineage
        versions = {lineage.live(number) for number in self._model_log.partitions}
        live = versions.pop() if len(versions) == 1 else None
        why = ""
        if live is None:
            why = "partitions have different live models, or none"
        elif live == self._challenger.version:
            why = f"{live} is live"
        elif live != self._live:
            try:
                self._folding = self._make(live, models_of(self._model_log.sets[live]))
            except (KeyError, ModelsNotReproducible) as other:
                live, why = None, f"this release cannot decide with the live models: {other}"
            else:
                log.info("%s is compared with %s", self._challenger.version, live)
        if why:
            self._folding, self._found = None, {}
            if why != self._idles_for:
                log.info("nothing is compared: %s", why)
        self._live, self._idles_for = live, why
        return self._folding

    async def _tell(self, found: Mapping[str, Compared], through: int) -> None:
        proposed = self._propose and is_proposal(found)
        words = [
            ShadowCompared(
                live=self._live or "",
                challenger=self._challenger.version,
                head=head,
                through=through,
                lessons=one.lessons,
                live_loss=one.live_loss,
                challenger_loss=one.challenger_loss,
                live_accuracy=one.live_accuracy,
                challenger_accuracy=one.challenger_accuracy,
                difference=one.difference,
                radius=one.radius,
                verdict=one.verdict.value,
                more_needed=one.more_needed,
                proposed=proposed and one.verdict is Verdict.BETTER,
            )
            for head, one in found.items()
        ]
        await self._publisher.publish(
            Outgoing(topic=topics.MODEL_SHADOW.name, key=word.key, value=self._codec.encode(word)) for word in words
        )
        for head, one in found.items():
            before = self._found.get(head)
            if one.verdict is not (before.verdict if before else Verdict.UNDECIDED):
                log.info("%s, %s: %s after %d lessons", self._challenger.version, head, one.verdict, one.lessons)
        if proposed and not is_proposal(self._found):
            log.warning(
                "%s is better than %s on %s and worse on nothing: triage models show %s, then triage models promote %s",
                self._challenger.version,
                self._live,
                ", ".join(head for head, one in found.items() if one.verdict is Verdict.BETTER),
                self._challenger.version,
                self._challenger.version,
            )
        self._found = found

    def metrics(self) -> list[Metric]:
        """How the two compare, by head."""
        named = {"challenger": self._challenger.version, "live": self._live or ""}
        found = [({**named, "head": head}, one) for head, one in self._found.items()]
        return [
            Metric(
                name="triage_shadow_lessons",
                about="Lessons that challenger and live models are compared on.",
                samples=[(labels, float(one.lessons)) for labels, one in found],
            ),
            Metric(
                name="triage_shadow_loss_nats",
                about="Mean log loss per lesson, before it is learned.",
                samples=[
                    ({**labels, "set": which}, loss)
                    for labels, one in found
                    for which, loss in (("live", one.live_loss), ("challenger", one.challenger_loss))
                ],
            ),
            Metric(
                name="triage_shadow_difference_nats",
                about="The live models' loss less the challenger's: above 0 speaks for the challenger.",
                samples=[(labels, one.difference) for labels, one in found],
            ),
            Metric(
                name="triage_shadow_radius_nats",
                about="Half the width of the confidence sequence at 95 %, once it is believed.",
                samples=[(labels, one.radius) for labels, one in found if one.radius is not None],
            ),
            Metric(
                name="triage_shadow_verdict",
                about="1 where the challenger is better, -1 where it is worse, 0 without enough evidence.",
                samples=[(labels, _SIGNS[one.verdict]) for labels, one in found],
            ),
        ]


def is_proposal(found: Mapping[str, Compared]) -> bool:
    """Whether a challenger is worth a person's look: better on a head, and worse on none."""
    verdicts = {one.verdict for one in found.values()}
    return Verdict.BETTER in verdicts and Verdict.WORSE not in verdicts
