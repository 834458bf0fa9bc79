"""The `learn` agent: what people say of tickets becomes lessons, and takes effect in all partitions of the events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from models.bands import is_drawn
from models.decide import decision_id
from models.taxonomy import Taxonomy
from models.teaching import (
    Owners,
    Taught,
    agreed,
    audit_outcomes,
    felt,
    may_end_an_audit,
    said_by_a_person,
    taught,
)
from schemas import topics
from schemas.codec import Codec
from schemas.dead_letters import Header
from schemas.decisions import Decision
from schemas.errors import DeadLettered, UnknownTicket
from schemas.events import TicketEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.held import HumanWord
from schemas.lessons import AuditOutcome, Lesson
from sinks.originals import Ticket
from streams.batches import Record, position_of
from streams.dead_letters import dead_letter
from streams.decoding import Decoder
from streams.lessons import LessonReader, lesson_activations, recorded, retraction
from streams.originals import Found, Tickets
from streams.publish import Outgoing, Publisher

log = logging.getLogger("triage.learn")

REPEATED_EVERY = timedelta(minutes=10)
"""So often what is in force is said again: whoever looks back for it finds it near, and Kafka always has it."""


_MAY_TEACH = (FeedbackKind.RESOLUTION, FeedbackKind.REASSIGNMENT, FeedbackKind.CORRECTION)


class LearnAgent:
    """Turns feedback into lessons: first the lesson is on the brokers, then it takes effect, then its feedback is done.

    After a crash a lesson may be written again; it names the place of its feedback, so that it is learned once.
    """

    def __init__(
        self,
        *,
        taxonomy: Taxonomy,
        partitions: Sequence[int],
        originals: Tickets[TicketEvent],
        decided: Tickets[Decision],
        lessons: LessonReader,
        codec: Codec,
        decoder: Decoder,
        publisher: Publisher,
        clock: Callable[[], datetime],
        csat_teaches: bool = False,
    ) -> None:
        """`partitions` are those of the events' topic; with `csat_teaches`, the worst and best ratings teach weakly."""
        self._taxonomy = taxonomy
        self._owners = Owners(taxonomy)
        self._partitions = partitions
        self._originals = originals
        self._decided = decided
        self._lessons = lessons
        self._codec = codec
        self._decoder = decoder
        self._publisher = publisher
        self._clock = clock
        self._most_audited = max(team.audit for team in taxonomy.teams.values())
        self._may_teach = (*_MAY_TEACH, *([FeedbackKind.CSAT] if csat_teaches else []))
        self._publishing = asyncio.Lock()
        self._said = -1
        """The last lesson that this agent has let take effect."""

    @property
    def waiting_for(self) -> str | None:
        """The service that is away while it is waited for."""
        return self._decoder.waiting_for or self._publisher.waiting_for

    async def __call__(self, records: Sequence[Record]) -> None:
        """Learn from `records`, and wait until that is known wherever events are decided."""
        outgoing: list[Outgoing] = []
        taught_any = False
        for record in records:
            try:
                feedback = await self._decoder.decode(record.value, Feedback)
                if isinstance(feedback, DeadLettered):
                    raise feedback
                lesson = await self._taught(feedback, record)
                holds = said_by_a_person(feedback)
            except DeadLettered as error:
                outgoing.append(dead_letter(record, "learn", error, self._clock()))
                continue
            if holds is not None:
                outgoing.append(_held(holds, record))
            if lesson is not None:
                outgoing.append(lesson)
                taught_any = True
        async with self._publishing:
            await self._publisher.publish(outgoing)
        if taught_any:
            await self.take_effect()

    async def take_effect(self) -> None:
        """Let all lessons take effect, those of other learners, too."""
        # Where two learners do so at once, the one that was behind may come last: it looks again, and goes on.
        while (last := await self._lessons.end() - 1) > self._said:
            async with self._publishing:
                await self._publisher.publish(lesson_activations(last, self._partitions))
            self._said = last

    async def repeat(self) -> None:
        """Say again what is in force, at once and then every `REPEATED_EVERY`, until cancelled."""
        while True:
            self._said = -1
            await self.take_effect()
            await asyncio.sleep(REPEATED_EVERY.total_seconds())

    async def _taught(self, feedback: Feedback, record: Record) -> Outgoing | None:
        """The lesson of `feedback`; None where it teaches nothing. Raises DeadLettered where it cannot be joined."""
        if feedback.kind is FeedbackKind.RETRACTION:
            return recorded(retraction(feedback, position_of(record)), self._codec)
        ticket = Ticket(feedback.tenant, feedback.source, feedback.ticket_id)
        what, original = taught(feedback, self._taxonomy), None
        weak = what is None
        if what is not None or feedback.kind in self._may_teach:
            original = await self._originals.first(ticket, record.partition)
        if what is None and original is not None:
            what = await self._weakly(feedback, ticket, original, record.partition)
        audit = await self._outcomes(feedback, ticket, original, record.partition) if original is not None else ()
        if what is None and not audit:
            return None
        if original is None:
            raise UnknownTicket(
                f"{topics.EVENTS.name}[{record.partition}] has no event of ticket {ticket.ticket_id} of "
                f"{ticket.source}, tenant {ticket.tenant}: it never came, or is older than Kafka keeps"
            )
        event = original.word
        lesson = Lesson(
            feedback_id=feedback.feedback_id,
            feedback=position_of(record),
            head="" if what is None else what.head,
            label="" if what is None else what.label,
            tenant=event.tenant,
            source=event.source,
            ticket_id=event.ticket_id,
            event=original.position,
            subject="" if what is None else event.subject,
            body="" if what is None else event.body,
            language_hint=event.language_hint,
            actor=feedback.actor,
            occurred_at=feedback.occurred_at,
            team="" if what is None else self._owners.owner(event, what),
            weak=weak,
            audit=audit,
        )
        return recorded(lesson, self._codec, asked_at=event.occurred_at)

    async def _outcomes(
        self, feedback: Feedback, ticket: Ticket, original: Found[TicketEvent], partition: int
    ) -> tuple[AuditOutcome, ...]:
        """How an audited decision on the ticket came out by `feedback`."""
        # To look for a decision that was made just now takes longer than all else: only where it may have been drawn.
        if not may_end_an_audit(feedback) or not is_drawn(decision_id(original.word), self._most_audited):
            return ()
        ends = await self._decided.ends(ticket, partition)
        return () if ends is None else audit_outcomes(feedback, ends[0].word, ends[1].word, self._taxonomy)

    async def _weakly(
        self, feedback: Feedback, ticket: Ticket, original: Found[TicketEvent], partition: int
    ) -> Taught | None:
        """What follows from what people did with the ticket, without their having said so; None for nothing."""
        if feedback.kind is FeedbackKind.RESOLUTION:
            ends = await self._decided.ends(ticket, partition)
            return None if ends is None else agreed(ends[0].word, ends[1].word, self._taxonomy)
        if feedback.kind is FeedbackKind.REASSIGNMENT or feedback.field == "team":
            return self._owners.likeliest(original.word, feedback.value or "")
        return None if "sentiment" in original.word.human_set else felt(feedback)


def _held(word: HumanWord, record: Record) -> Outgoing:
    """The record by which `word` holds: among the events of its ticket, whose partition the feedback shares."""
    headers: list[Header] = [word.header, ("ce_type", b"triage.field.set.v1")]
    return Outgoing(topic=topics.EVENTS.name, key=None, value=None, headers=headers, partition=record.partition)
