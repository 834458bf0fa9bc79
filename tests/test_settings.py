"""Settings: from the environment, with every fault named and no secret shown."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.errors import BadSettings
from streams.cli import app
from streams.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _clean(settings: Settings) -> None:
    """No setting of this machine reaches these tests."""


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_TOPIC_PARTITIONS", "none")
    monkeypatch.setenv("TRIAGE_LOG_LEVEL", "LOUD")
    with pytest.raises(BadSettings, match=r"(?s)TRIAGE_TOPIC_PARTITIONS: .*TRIAGE_LOG_LEVEL: "):
        load_settings()


def test_the_common_names_of_the_environment_work_and_ours_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "a:1")
    monkeypatch.setenv("CLICKHOUSE_URL", "https://store:8443")
    assert load_settings().kafka_bootstrap_servers == "a:1"
    assert load_settings().store_access.url == "https://store:8443"
    monkeypatch.setenv("TRIAGE_KAFKA_BOOTSTRAP_SERVERS", "b:2")
    assert load_settings().kafka_bootstrap_servers == "b:2"
    assert load_settings(kafka_bootstrap_servers="c:3").kafka_bootstrap_servers == "c:3"


@pytest.mark.parametrize("name", ["TRIAGE_CLICKHOUSE_URL", "CLICKHOUSE_URL", "TRIAGE_SCHEMA_REGISTRY_URL"])
def test_a_password_in_a_url_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "https://me:s3cret@host:8443/path")
    with pytest.raises(BadSettings, match="USERNAME") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_without_a_server_the_store_is_in_the_data_folder(tmp_path: Path) -> None:
    access = load_settings(data_dir=tmp_path).store_access
    assert access.embedded_folder == tmp_path / "store"


def test_sasl_needs_both_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("TRIAGE_KAFKA_USERNAME", "me")
    with pytest.raises(BadSettings, match="TRIAGE_KAFKA_PASSWORD"):
        load_settings()
    monkeypatch.setenv("TRIAGE_KAFKA_PASSWORD", "s3cret")
    options = load_settings().kafka_options()
    assert options["sasl_plain_password"] == "s3cret"  # noqa: S105  of a test
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert isinstance(options["ssl_context"], ssl.SSLContext)


def test_tls_files_that_can_not_be_used_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIAGE_KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("TRIAGE_KAFKA_CA_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(BadSettings, match="TRIAGE_KAFKA"):
        load_settings().kafka_options()
    monkeypatch.setenv("TRIAGE_KAFKA_CERT_FILE", str(tmp_path / "cert.pem"))
    with pytest.raises(BadSettings, match="go together"):
        load_settings()


def test_secrets_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "TRIAGE_KAFKA_PASSWORD": "kafka-secret",
        "TRIAGE_KAFKA_KEY_PASSWORD": "key-secret",
        "TRIAGE_CLICKHOUSE_PASSWORD": "store-secret",
        "TRIAGE_SCHEMA_REGISTRY_PASSWORD": "registry-secret",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(app, ["settings"], env={"COLUMNS": "300"}).output + repr(load_settings())
    assert all(value not in shown for value in secrets.values())
    assert all(name in shown for name in secrets)
    assert "store-secret" not in repr(load_settings().store_access)


def test_every_setting_is_described_and_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`TRIAGE_{name.upper()}`" in page, f"TRIAGE_{name.upper()} is missing in docs/settings.md"
