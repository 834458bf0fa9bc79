"""The product: its Faust app and transport, its agent where it decides, its publisher."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from work import Task

from models.decide import Models
from schemas import topics
from schemas.codec import Codec
from schemas.events import TicketEvent
from streams import runtime, wiring
from streams.agents.triage import TriageAgent
from streams.app import AgentPlan, build_app
from streams.batches import Record
from streams.decoding import Decoder
from streams.held import LiveHeld
from streams.model_log import LiveModels
from streams.publish import Outgoing, Publisher
from streams.settings import load_settings
from streams.worker import MOST_TRIAGED


class OneSet(LiveModels):
    """The models without their log: the other contestants have none either."""

    def __init__(self, models: Models) -> None:
        self._only = models

    async def refresh(self) -> None:
        pass

    async def come_to(self, partition: int, offset: int) -> None:
        pass

    async def prepare(self, partition: int) -> None:
        pass

    def at(self, partition: int, offset: int) -> Models:
        return self._only


class NothingHeld(LiveHeld):
    """No ticket has an earlier event here."""

    def __init__(self) -> None:
        pass

    @property
    def waiting_for(self) -> None:
        return None

    async def come_to(self, partition: int, offset: int) -> None:
        pass

    def of(self, record: Record, event: TicketEvent) -> Mapping[str, str]:
        return {}

    def take(self, record: Record, event: TicketEvent | None) -> None:
        pass

    async def keep_now_and_then(self) -> None:
        pass


async def main() -> None:
    task = Task()
    settings = load_settings(
        kafka_bootstrap_servers=task.servers, app_id=task.group, data_dir=Path(tempfile.mkdtemp(prefix="triage-bench-"))
    )
    async with Publisher(settings.producer_options()) as publisher:

        async def forward(records: Sequence[Record]) -> None:
            outgoing: list[Outgoing] = []
            for record in records:
                for out in task.handle(
                    record.key, record.value, record.headers, record.partition, record.offset, record.timestamp
                ):
                    outgoing.append(Outgoing(*out))
            publisher.enqueue(outgoing)
            await publisher.flush()

        codec = Codec()
        decide = TriageAgent(
            models=OneSet(wiring.own_models(settings)[1]),
            held=NothingHeld(),
            codec=codec,
            decoder=Decoder(codec, None),
            publisher=publisher,
            clock=wiring.wall_clock,
        )

        async def work(records: Sequence[Record]) -> None:
            task.arrived()
            await (decide if task.kind == "decide" else forward)(records)
            task.finished(len(records))

        source = topics.Topic(name=task.topic, key="", word=None, about="", retention=None)
        plan = AgentPlan(name="triage", topics=(source,), work=work, most=MOST_TRIAGED)
        failed = asyncio.get_running_loop().create_future()
        app = build_app(plan, settings, failed)
        runtime.settled()
        await app.start()
        await failed


if __name__ == "__main__":
    runtime.run(main())
