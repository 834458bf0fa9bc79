"""The `fold` agent of the learners: publishes snapshots of what people taught, and measures how good the models are.

The lessons have one partition, so that one learner at a time does so; the others stand by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from schemas import topics
from schemas.codec import Codec
from streams.batches import Record
from streams.folding import Folding
from streams.lessons import Kept, LessonReader
from streams.metrics import Metric, Sample
from streams.model_log import ModelLog
from streams.publish import Outgoing, Publisher

if TYPE_CHECKING:
    from models.live_quality import Figures
    from models.scores import Curve

log = logging.getLogger("triage.fold")

_LOOK_EVERY_SECONDS = 1.0


class FoldAgent:
    """Follows the lessons: what it knows is theirs alone, so that a second delivery of one changes nothing."""

    def __init__(
        self,
        *,
        make: Callable[[], Folding],
        source: LessonReader,
        model_log: ModelLog,
        codec: Codec,
        publisher: Publisher,
    ) -> None:
        """`make` gives a fold that has taken nothing, over `source`."""
        self._make = make
        self._source = source
        self._model_log = model_log
        self._codec = codec
        self._publisher = publisher
        self._folding: Folding | None = None
        self._is_assigned = False
        self._taking = asyncio.Lock()
        self._figures: list[Figures] = []
        self._curves: list[tuple[str, str, Curve]] = []
        self._published = -1

    @property
    def waiting_for(self) -> str | None:
        """What is waited for while that takes long."""
        return self._publisher.waiting_for or (self._folding.waiting_for if self._folding else None)

    def expect(self, partitions: Collection[int]) -> None:
        """Know whether this worker is the one that folds."""
        self._is_assigned = bool(partitions)
        if not self._is_assigned:
            self._folding, self._figures, self._curves, self._published = None, [], [], -1

    async def __call__(self, records: Sequence[Record]) -> None:
        """Take the lessons of `records`, and what is before them."""
        await self._take(records[-1].offset)

    async def begin(self) -> None:
        """Know where the lessons stand also where no new one comes: until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            if self._is_assigned and self._folding is None and (end := await self._source.end()):
                await self._take(end - 1)

    async def _take(self, last: int) -> None:
        async with self._taking:
            folding = self._folding
            if folding is None:
                folding = self._folding = self._make()
            await self._model_log.read()
            begun_with = folding.begun_with
            await folding.come_to(last)
            if folding.begun_with is not begun_with and folding.begun_with is not None:
                await self._announce(folding.begun_with)  # whoever kept it may have died before it could
            if (kept := await folding.keep()) is not None:
                await self._announce(kept)
            figures = await asyncio.to_thread(folding.tally.figures)
            if self._folding is folding:
                self._figures, self._curves = figures, folding.curves

    async def _announce(self, kept: Kept) -> None:
        gone = [
            Outgoing(topic=topics.MODEL_SNAPSHOTS.name, key=f"{stored.head}@{stored.version}".encode(), value=None)
            for stored in kept.gone
        ]
        word = Outgoing(topic=topics.MODEL_SNAPSHOTS.name, key=kept.word.key, value=self._codec.encode(kept.word))
        await self._publisher.publish([word, *gone])
        self._published = kept.last
        log.info("snapshot %s of lessons up to %d is in %s", kept.word.version, kept.last, kept.word.store)

    def metrics(self) -> list[Metric]:
        """How good the models are, and how far the newest snapshot is."""
        figures = self._figures
        labelled = [({"head": one.head, "dimension": one.dimension, "value": one.value}, one) for one in figures]
        delays: list[Sample] = [
            ({**labels, "quantile": quantile}, delay.total_seconds())
            for labels, one in labelled
            for quantile, delay in (("0.5", one.delay_median), ("0.9", one.delay_90))
            if delay is not None
        ]
        coverage: list[Sample] = [
            ({**labels, "precision": precision}, share)
            for labels, one in labelled
            for precision, share in (("0.9", one.quality.coverage_90), ("0.95", one.quality.coverage_95))
        ]
        curves = [({"head": head, "tenant": tenant}, curve) for head, tenant, curve in self._curves]
        through = [({}, float(self._folding.through))] if self._folding and self._figures else []
        return [
            Metric(
                name="triage_quality_lessons",
                about="Lessons that the other figures of this name are over.",
                samples=[(labels, float(one.quality.tickets)) for labels, one in labelled],
            ),
            Metric(
                name="triage_quality_accuracy",
                about="Share of lessons whose label was said before it was learned.",
                samples=[(labels, one.quality.accuracy) for labels, one in labelled],
            ),
            Metric(
                name="triage_quality_macro_f1",
                about="Mean F1 of the labels that occur.",
                samples=[(labels, one.quality.macro_f1) for labels, one in labelled],
            ),
            Metric(
                name="triage_quality_ece",
                about="Expected calibration error of the probability, 15 bins.",
                samples=[(labels, one.quality.ece) for labels, one in labelled],
            ),
            Metric(
                name="triage_quality_coverage",
                about="Largest share, the surest first, that is right with this precision.",
                samples=coverage,
            ),
            Metric(
                name="triage_quality_label_delay_seconds",
                about="From the ticket to what a person said of it.",
                samples=delays,
            ),
            Metric(
                name="triage_audits_outcomes",
                about="Outcomes of audits that the calibration of a head is fitted to.",
                samples=[(labels, float(curve.audits)) for labels, curve in curves],
            ),
            Metric(
                name="triage_audits_scale",
                about="What the log odds of a head are multiplied with, by audits.",
                samples=[(labels, curve.scale) for labels, curve in curves],
            ),
            Metric(
                name="triage_audits_shift_nats",
                about="What is added to the log odds of a head, by audits.",
                samples=[(labels, curve.shift) for labels, curve in curves],
            ),
            Metric(name="triage_lessons_through", about="The last lesson that these figures know.", samples=through),
            Metric(
                name="triage_snapshot_lesson",
                about="The last lesson that the newest published snapshot holds.",
                samples=[({}, float(self._published))] if self._published >= 0 else [],
            ),
        ]
