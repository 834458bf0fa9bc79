"""One Apache Kafka node in KRaft mode on loopback, as a child process that never outlives its parent."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from aiokafka.admin import AIOKafkaAdminClient

from schemas.errors import BrokerFailed
from streams.broker.jars import Progress, ensure_jars
from streams.broker.java import find_java

HOST = "127.0.0.1"
READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 20.0
LOG_NAME = "kafka.log"
_LOG_TAIL_LINES = 15
_PORT_TRIES = 3

# What one node with a 256 MB heap needs to be quick and quiet. Everything else is Kafka's default.
_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # its default is half of our heap
    "num.network.threads": "2",
    "num.io.threads": "4",
}
_JVM_OPTIONS = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-Xmn16m", "-XX:TieredStopAtLevel=1")


class Broker:
    """A running Kafka node; use as a context manager, or `start` and `stop`.

    `folder` keeps the log between runs; without it the data is temporary. `port` 0 takes a free one. `properties`
    are added to server.properties. Raises BrokerFailed, with the end of the broker's log, where it does not come up.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int = 0,
        properties: Mapping[str, str] | None = None,
        mirror: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="triage-kafka-"))
        self.port = port
        self._wanted_port = port
        self._properties = dict(properties or {})
        self._mirror = mirror
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"{HOST}:{self.port}"

    @property
    def log_path(self) -> Path:
        """What the broker has written about itself."""
        return self.folder / LOG_NAME

    def start(self) -> None:
        """Start and wait until the broker answers metadata and its group coordinator serves."""
        jars = ensure_jars(mirror=self._mirror, progress=self._progress)
        java = find_java()
        for tries_left in reversed(range(_PORT_TRIES)):
            try:
                self._start_once(java, jars)
            except BrokerFailed:
                # A free port may be taken by another process before Kafka binds it.
                if tries_left and not self._wanted_port and "BindException" in self._log_tail():
                    continue
                raise
            return

    def stop(self) -> None:
        """Stop the broker and delete its data if it is temporary. Does nothing where it does not run."""
        if self._process is not None:
            _stdin_of(self._process).close()
            try:
                self._process.wait(STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_once(self, java: Path, jars: Path) -> None:
        self.port = self._wanted_port or _free_port()
        properties = self._write_properties(_free_port())
        self.log_path.unlink(missing_ok=True)
        command = [str(java), *_JVM_OPTIONS, f"-Dlog4j2.configurationFile={self._write_log_config()}"]
        command += ["-cp", str(jars / "*")]
        if not (self.folder / "log" / "meta.properties").exists():
            self._format(command, properties)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "streams.broker.keeper", *command, "kafka.Kafka", str(properties)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the parent, which then stops us in order
            )
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        self._wait_for_port(deadline)
        asyncio.run(self._wait_until_it_answers(deadline))

    def _format(self, command: list[str], properties: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
        arguments = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
        with self.log_path.open("ab") as log:
            code = subprocess.run([*command, *arguments], stdout=log, stderr=log, check=False).returncode  # noqa: S603
        if code:
            raise BrokerFailed(f"Kafka's storage could not be formatted.\n{self._log_tail()}")

    def _write_properties(self, controller_port: int) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        listeners = f"PLAINTEXT://{self.bootstrap},CONTROLLER://{HOST}:{controller_port}"
        values = {
            **_PROPERTIES,
            "controller.quorum.voters": f"1@{HOST}:{controller_port}",
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "log.dirs": (self.folder / "log").as_posix(),
            **self._properties,
        }
        path = self.folder / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
        return path

    def _write_log_config(self) -> Path:
        text = resources.files("streams.broker").joinpath("log4j2.properties").read_text(encoding="utf-8")
        path = self.folder / "log4j2.properties"
        path.write_text(text, encoding="utf-8")
        return path

    def _wait_for_port(self, deadline: float) -> None:
        while True:
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
            except OSError:
                self._check_time(deadline)
                time.sleep(0.05)
            else:
                return

    async def _wait_until_it_answers(self, deadline: float) -> None:
        # An open port is not a broker yet. The first group request also creates the offsets topic: doing it here
        # spares the first consumer that wait.
        quiet = logging.getLogger("aiokafka")
        level = quiet.level
        quiet.setLevel(logging.CRITICAL)
        try:
            while True:
                admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
                try:
                    await admin.start()
                    await admin.find_coordinator("triage-readiness")
                except Exception:  # noqa: BLE001  whatever it is, it is not ready; the deadline decides
                    self._check_time(deadline)
                    await asyncio.sleep(0.05)
                else:
                    return
                finally:
                    await admin.close()
        finally:
            quiet.setLevel(level)

    def _check_time(self, deadline: float) -> None:
        if not self.is_alive():
            raise BrokerFailed(f"Kafka ended while it was starting. Its log: {self.log_path}\n{self._log_tail()}")
        if time.monotonic() > deadline:
            raise BrokerFailed(
                f"Kafka was not ready within {READY_WITHIN_SECONDS:.0f} s. Its log: {self.log_path}\n{self._log_tail()}"
            )

    def _log_tail(self) -> str:
        try:
            lines = self.log_path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "(it wrote nothing)"
        return os.linesep.join(lines[-_LOG_TAIL_LINES:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _stdin_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise BrokerFailed("the broker was started without a pipe")
    return process.stdin
