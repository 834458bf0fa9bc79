"""Making the topics of the topic table, and checking that they are as it says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError
from confluent_kafka import KafkaException

from schemas.errors import TopicsDiffer
from schemas.topics import MOST_BYTES_SETTING, Topic
from streams.settings import Settings

_CREATE_TRIES = 20
_USUAL_REPLICAS = 3
_ALTER_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """One topic as it is: whether it was `created` now, its partitions, and where it differs from the table.

    `widened` says that it was given more room for a record now.
    """

    topic: Topic
    partitions: int
    created: bool
    widened: bool
    differences: tuple[str, ...]


async def ensure_topics(table: Iterable[Topic], settings: Settings, *, create: bool = True) -> list[TopicState]:
    """Create what is missing, give topics the room for a record that they lack, and compare all.

    Raises TopicsDiffer where something is missing and `create` is off, which also leaves the room as it is.
    """
    topics = tuple(table)
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    try:
        missing = await _missing(admin, topics)
        if missing and not create:
            raise TopicsDiffer(
                f"topics are missing: {', '.join(topic.name for topic in missing)}. Create them with: triage topics"
            )
        if missing:
            await _create(admin, missing, settings)
        partitions = await _partitions(admin, topics)
        configs = await _configs(admin, topics)
        narrow = [topic for topic in topics if create and _is_narrow(topic, configs[topic.name])]
        if narrow:
            await asyncio.to_thread(_widen, narrow, settings)
            configs = await _widened_configs(admin, topics)
    finally:
        await admin.close()
    return [
        TopicState(
            topic=topic,
            partitions=partitions[topic.name],
            created=topic in missing,
            widened=topic in narrow,
            differences=_differences(topic, configs[topic.name]),
        )
        for topic in topics
    ]


async def partition_counts(names: Iterable[str], settings: Settings) -> dict[str, int]:
    """The number of partitions of each of `names` that exists."""
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    try:
        described = await admin.describe_topics(sorted(set(names) & set(await admin.list_topics())))
    finally:
        await admin.close()
    return {entry["topic"]: len(entry["partitions"]) for entry in described}


async def committed_offsets(
    group: str, places: Iterable[tuple[str, int]], settings: Settings
) -> dict[tuple[str, int], int]:
    """What a consumer group has committed, of those of `places` where it has; without joining it."""
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    try:
        return await committed_by(admin, group, places)
    finally:
        await admin.close()


async def committed_by(
    admin: AIOKafkaAdminClient, group: str, places: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """As `committed_offsets`, by a client that is there already."""
    found = await admin.list_consumer_group_offsets(group, partitions=[TopicPartition(*place) for place in places])
    return {(place.topic, place.partition): entry.offset for place, entry in found.items() if entry.offset >= 0}


def check(states: Iterable[TopicState]) -> None:
    """Raise TopicsDiffer where a topic is not as the table says, or where topics of tickets differ in partitions."""
    states = list(states)
    lines = [f"{state.topic.name}: {difference}" for state in states for difference in state.differences]
    lines += [
        f"{state.topic.name}: {state.partitions} partitions, not {state.topic.partitions}: its order would be lost"
        for state in states
        if state.topic.partitions not in (None, state.partitions)
    ]
    alike = [state for state in states if state.topic.partitions is None]
    if len({state.partitions for state in alike}) > 1:
        counts = ", ".join(f"{state.topic.name} {state.partitions}" for state in alike)
        lines.append(
            "the topics of tickets must all have the same number of partitions, so that a ticket's records meet: "
            f"{counts}"
        )
    if lines:
        raise TopicsDiffer(
            "topics differ from the topic table. Change them with Kafka's own tools, then try again:\n  "
            + "\n  ".join(lines)
        )


async def _missing(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> list[Topic]:
    known = set(await admin.list_topics())
    return [topic for topic in topics if topic.name not in known]


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic], settings: Settings) -> None:
    brokers = len((await admin.describe_cluster())["brokers"])
    wanted = [
        NewTopic(
            topic.name,
            topic.partitions or settings.topic_partitions,
            settings.topic_replication or min(_USUAL_REPLICAS, brokers),
            topic_configs=dict(topic.config()),
        )
        for topic in topics
    ]
    try:
        response: Any = await admin.create_topics(wanted)
    except TopicAlreadyExistsError:
        return  # another process was quicker
    for name, code, message in ((error[0], error[1], error[2]) for error in response.topic_errors):
        if code not in (0, TopicAlreadyExistsError.errno):
            raise TopicsDiffer(f"{name} cannot be created: {message or KafkaError.__name__} (Kafka error {code})")


async def _partitions(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> dict[str, int]:
    names = [topic.name for topic in topics]
    for _ in range(_CREATE_TRIES):
        described = {entry["topic"]: entry for entry in await admin.describe_topics(names)}
        # A topic that was just made may not have reached the broker that answers.
        if all(described[name]["error_code"] == 0 and described[name]["partitions"] for name in names):
            return {name: len(described[name]["partitions"]) for name in names}
        await asyncio.sleep(0.1)
    raise TopicsDiffer(f"Kafka does not describe the topics that it has: {', '.join(names)}")


async def _configs(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    configs: dict[str, dict[str, str]] = {}
    responses: list[Any] = await admin.describe_configs(resources)
    for response in responses:
        for resource in response.resources:
            entries: Any = resource[4]
            configs[resource[3]] = {entry[0]: entry[1] for entry in entries}
    return configs


def _is_narrow(topic: Topic, config: Mapping[str, str]) -> bool:
    return int(config.get(MOST_BYTES_SETTING) or 0) < topic.most_bytes


def _widen(topics: list[Topic], settings: Settings) -> None:
    """Give `topics` the room for a record that the table says: more of it breaks nothing, so no person has to decide.

    Blocks. aiokafka cannot change one setting without resetting the others.
    """
    from confluent_kafka import admin as client_module  # noqa: PLC0415  needed once in a cluster's life

    kafka: Any = client_module  # its stub does not say what it exports
    client = kafka.AdminClient({**settings.producer_options(), "log_level": 2})
    operation = kafka.AlterConfigOpType.SET
    changed = [
        kafka.ConfigResource(
            kafka.ResourceType.TOPIC,
            topic.name,
            incremental_configs=[
                kafka.ConfigEntry(MOST_BYTES_SETTING, str(topic.most_bytes), incremental_operation=operation)
            ],
        )
        for topic in topics
    ]
    try:
        for future in client.incremental_alter_configs(changed, request_timeout=_ALTER_WITHIN_SECONDS).values():
            future.result(_ALTER_WITHIN_SECONDS)
    except (KafkaException, TimeoutError) as error:
        names = ", ".join(topic.name for topic in topics)
        raise TopicsDiffer(
            f"{MOST_BYTES_SETTING} of {names} cannot be raised to what the topic table says: {error}. Let this user "
            "alter topics, or change it with Kafka's own tools"
        ) from error


async def _widened_configs(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> dict[str, dict[str, str]]:
    """The topics' settings once the broker that answers has heard of the change."""
    for _ in range(_CREATE_TRIES):
        configs = await _configs(admin, topics)
        if not any(_is_narrow(topic, configs[topic.name]) for topic in topics):
            return configs
        await asyncio.sleep(0.1)
    return await _configs(admin, topics)


def _differences(topic: Topic, config: Mapping[str, str]) -> tuple[str, ...]:
    differences = [
        f"{name} is {config.get(name)}, the table says {wanted}"
        for name, wanted in topic.config().items()
        if name != MOST_BYTES_SETTING and config.get(name) != wanted
    ]
    if _is_narrow(topic, config):
        differences.append(
            f"{MOST_BYTES_SETTING} is {config.get(MOST_BYTES_SETTING)}, the table says {topic.most_bytes} or more; "
            "triage topics raises it"
        )
    return tuple(differences)
