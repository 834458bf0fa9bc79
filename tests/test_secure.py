"""Encrypted and authenticated connections, on the real Kafka and on the store's HTTPS front."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pipeline import Pipeline
from serving import PASSWORD, served

from schemas.errors import StoreUnavailable
from sinks.front import USER
from sinks.store import Store, StoreAccess
from streams.broker import Broker


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_an_https_store_is_asked_over_tls_and_its_certificate_is_checked(
    authority: trustme.CA, ca_file: Path, engine_folder: Path
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with (
        Store(StoreAccess(url=f"chdb://{engine_folder}", database="default")) as engine,
        served(engine, tls=tls) as url,
    ):
        assert url.startswith("https://")
        trusted = StoreAccess(url=url, database="default", user=USER, password=PASSWORD, ca_file=str(ca_file))
        with Store(trusted) as store:
            assert store.query("SELECT 1").rows == ((1,),)
        with pytest.raises(StoreUnavailable, match="certificate verify failed"):
            Store(StoreAccess(url=url, database="default", user=USER, password=PASSWORD))
        with pytest.raises(StoreUnavailable):
            Store(StoreAccess(url=url.replace("https", "http"), database="default", user=USER, password=PASSWORD))


def free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@pytest.mark.kafka
@pytest.mark.slow
def test_everything_works_on_a_kafka_that_asks_for_tls_and_a_password(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    plain, secure, controller = free_ports(3)
    with Broker(port=plain, properties=secured(authority, tmp_path, plain, secure, controller)):
        access = {
            "TRIAGE_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{secure}",
            "TRIAGE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "TRIAGE_KAFKA_SASL_MECHANISM": "PLAIN",
            "TRIAGE_KAFKA_USERNAME": "triage",
            "TRIAGE_KAFKA_PASSWORD": "right",
            "TRIAGE_KAFKA_CA_FILE": str(ca_file),
        }
        with Pipeline(access["TRIAGE_KAFKA_BOOTSTRAP_SERVERS"], tmp_path / "data", access=access) as pipeline:
            refused = pipeline.triage("topics", TRIAGE_KAFKA_PASSWORD="wrong")  # noqa: S106  of a test
            assert refused.returncode == 75
            assert "Invalid username or password" in refused.stderr
            assert "TRIAGE_KAFKA_" in refused.stderr
            made = pipeline.triage("topics")
            assert made.returncode == 0, made.stderr
            pipeline.start_worker()
            fed = pipeline.triage("feed", "-", stdin='{"id": "1", "subject": "VPN", "body": "The VPN is down"}\n')
            assert fed.returncode == 0, fed.stderr
            pipeline.wait_until_stored("ticket_decisions", 1)


def secured(authority: trustme.CA, folder: Path, plain: int, secure: int, controller: int) -> dict[str, str]:
    """A second listener that speaks TLS and asks for a password; the first stays for the readiness check."""
    issued = authority.issue_cert("127.0.0.1")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    store = folder / "broker.pem"
    store.write_bytes(pem + b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{secure}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": f'{module} required user_triage="right";',
    }
