"""The settings: environment variables `TRIAGE_*`, each described in docs/settings.md. Secrets never print."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any, Literal, Self

from platformdirs import user_data_path
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.weeks import WeekCalendar
from schemas.errors import BadSettings
from schemas.topics import PARTITIONS
from sinks.notify.notices import TICKET_FIELD
from sinks.notify.webhook import signing_key
from sinks.store import StoreAccess
from streams.calendars import calendar_of, zone_of
from streams.watch import STUCK_AFTER

EMBEDDED_STORE = "store"

_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+")


class Settings(BaseSettings):
    """Where everything is and how to get in."""

    model_config = SettingsConfigDict(env_prefix="TRIAGE_", extra="ignore", validate_default=True, frozen=True)

    kafka_bootstrap_servers: str = Field(
        default="127.0.0.1:9092",
        validation_alias=AliasChoices("TRIAGE_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"),
        description="host:port of one or more Kafka brokers, with commas between",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how brokers are spoken to"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="with SASL_*: the mechanism"
    )
    kafka_username: str | None = Field(default=None, description="with SASL_*: the user")
    kafka_password: SecretStr | None = Field(default=None, description="with SASL_*: the password")
    kafka_ca_file: Path | None = Field(
        default=None, description="with *SSL: CA certificates (PEM); the system's without it"
    )
    kafka_cert_file: Path | None = Field(default=None, description="with *SSL: the client's certificate (PEM)")
    kafka_key_file: Path | None = Field(default=None, description="with *SSL: the client's key (PEM)")
    kafka_key_password: SecretStr | None = Field(default=None, description="with *SSL: the key's password")

    schema_registry_url: str | None = Field(
        default=None,
        description="Confluent-compatible schema registry; without it the packaged schemas' own ids",
    )
    schema_registry_username: str | None = Field(default=None, description="the registry's user")
    schema_registry_password: SecretStr | None = Field(default=None, description="the registry's password")

    clickhouse_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("TRIAGE_CLICKHOUSE_URL", "CLICKHOUSE_URL"),
        description="http[s]://host:port of a ClickHouse server, or chdb:///folder; "
        "without it the embedded store in the data folder",
    )
    clickhouse_database: str = Field(
        default="triage", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="the store's database"
    )
    clickhouse_username: str | None = Field(default=None, description="the store's user")
    clickhouse_password: SecretStr | None = Field(default=None, description="the store's password")
    clickhouse_ca_file: Path | None = Field(default=None, description="with https: CA certificates (PEM)")

    app_id: str = Field(default="triage", pattern=r"^[A-Za-z0-9._-]+$", description="prefix of the consumer groups")
    instance_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="a name of this worker that stays the same when it is started again and that no other has, such "
        "as the name of a StatefulSet's pod: then a restart needs no rebalance, and after a crash no wait for the "
        "session timeout",
    )
    health_host: str = Field(default="127.0.0.1", description="the address that /livez and /readyz answer on")
    health_port: int | None = Field(
        default=None, ge=0, le=65535, description="the worker's port for /livez and /readyz; without it there is none"
    )
    stuck_after_seconds: float = Field(
        default=STUCK_AFTER.total_seconds(),
        ge=20,
        description="after so long without progress although there is work, the worker ends with exit code 75",
    )
    snapshot_seconds: float = Field(
        default=30.0,
        ge=0,
        description="how often counting and the watch keep their state: so much is read again after a crash",
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("triage"),
        description="the folder of the embedded store, of the demo's Kafka log, of the learn agent's index of "
        "tickets, of checkpoints of lessons and of the state of the watch",
    )
    snapshot_store: str | None = Field(
        default=None,
        description="where learners publish snapshots of what people taught and workers that decide begin from: a "
        "folder or a URL that fsspec knows, such as s3://bucket/triage; without it the data folder",
    )
    taxonomy: Path | None = Field(
        default=None, description="a taxonomy file; without it the packaged starting taxonomy"
    )
    challenger: str | None = Field(
        default=None,
        description="the models that are tried in the shadow: a recorded version or a taxonomy's file; without it "
        "the shadow idles",
    )
    propose_challenger: bool = Field(
        default=False, description="say so where the challenger is better than what is live; a person promotes it"
    )
    csat_teaches: bool = Field(
        default=False,
        description="the worst and the best rating of the help teach the sentiment of the ticket's text, weakly; where "
        "that was measured, it did harm",
    )
    topic_partitions: int = Field(default=PARTITIONS, ge=1, description="partitions of each topic that is created")
    topic_replication: int | None = Field(
        default=None, ge=1, description="replicas of each topic that is created; else three, or what the brokers allow"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="how much the worker writes to standard error"
    )
    notify_pagerduty_routing_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        max_length=32,
        description="PagerDuty: the routing key of an Events API v2 integration",
    )
    notify_pagerduty_url: str = Field(
        default="https://events.pagerduty.com/v2/enqueue",
        description="PagerDuty's address; https://events.eu.pagerduty.com/v2/enqueue for accounts in Europe",
    )
    notify_slack_url: SecretStr | None = Field(
        default=None, description="Slack: the URL of an incoming webhook, which is a secret"
    )
    notify_alertmanager_url: str | None = Field(
        default=None, description="Alertmanager's address without /api/v2, such as http://alertmanager:9093"
    )
    notify_alertmanager_username: str | None = Field(default=None, description="Alertmanager's user")
    notify_alertmanager_password: SecretStr | None = Field(default=None, description="Alertmanager's password")
    notify_webhook_url: str | None = Field(
        default=None, description="a URL that gets every alert as JSON, signed as Standard Webhooks says"
    )
    notify_webhook_secret: SecretStr | None = Field(
        default=None, description="the key that it is signed with: whsec_ and 24 to 64 bytes in base64"
    )
    notify_ca_file: Path | None = Field(
        default=None, description="CA certificates (PEM) of receivers by https; the system's without it"
    )
    notify_hold_back_after_seconds: float = Field(
        default=3600,
        ge=60,
        description="an incident of which there is no newer word than this is told to nobody",
    )
    notify_resend_every_seconds: float = Field(
        default=60, ge=1, le=3600, description="how often Alertmanager is told again of an open incident"
    )
    notify_ticket_url: str | None = Field(
        default=None, description="where a ticket is found, with {ticket_id} in it: then example tickets are links"
    )
    notify_runbook_url: str | None = Field(default=None, description="a page that alerts link to: what to do")
    alert_lag_records: int = Field(
        default=10_000,
        ge=0,
        description="so many records an agent may be behind before on-call is told; 0 for never",
    )
    alert_dead_letters: int = Field(
        default=20, ge=0, description="so many dead letters within ten minutes are an alert; 0 for never"
    )
    alert_sla_tickets: int = Field(
        default=5,
        ge=0,
        description="so many tickets of a team that miss their time soon are an alert; 0 for never",
    )
    alert_after_seconds: float = Field(
        default=120,
        ge=1,
        le=3600,
        description="so long these three have to last before they are told, and to be over before that is told",
    )
    alert_team: str = Field(
        default="", max_length=200, description="whose alerts on lag and dead letters are; without it nobody's"
    )
    handling_minutes: float = Field(
        default=10.0,
        gt=0,
        le=1440,
        description="the mean time that a ticket takes an agent, for the agents needed in stored forecasts",
    )
    time_zone: str = Field(
        default="UTC",
        description="the clock of those who write tickets, such as Europe/Berlin: of the watch's baseline",
    )
    holidays: str = Field(
        default="",
        description="days that are like a Sunday, with commas between: regions whose holidays they are, such as DE-BY "
        "or AT, days such as 2026-12-24, and 12-24 for every year",
    )
    maven_mirror: str | None = Field(
        default=None, description="a Maven repository to fetch the embedded broker's jars from"
    )

    @field_validator("time_zone")
    @classmethod
    def _a_known_zone(cls, name: str) -> str:
        try:
            zone_of(name)
        except BadSettings as error:
            raise ValueError(str(error)) from error
        return name

    @field_validator("clickhouse_url", "schema_registry_url", "notify_alertmanager_url", "notify_webhook_url")
    @classmethod
    def _no_login_in_a_url(cls, url: str | None) -> str | None:
        if url is not None and "@" in url.partition("://")[2].partition("/")[0]:
            raise ValueError("a user or password in the URL would show; TRIAGE_*_USERNAME and *_PASSWORD are for them")
        return url

    @field_validator("snapshot_store")
    @classmethod
    def _no_keys_in_a_url(cls, url: str | None) -> str | None:
        if url is not None and "@" in url.partition("://")[2].partition("/")[0]:
            raise ValueError(
                "a key in the URL would show; the client's own variables are for it, such as AWS_ACCESS_KEY_ID"
            )
        return url

    @field_validator(
        "notify_pagerduty_url",
        "notify_slack_url",
        "notify_alertmanager_url",
        "notify_webhook_url",
        "notify_ticket_url",
        "notify_runbook_url",
    )
    @classmethod
    def _a_web_address(cls, given: SecretStr | str | None) -> SecretStr | str | None:
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if text is not None and not _WEB_ADDRESS.match(text):
            raise ValueError("write a whole address: https://host/path")
        return given

    @field_validator("notify_ticket_url")
    @classmethod
    def _a_place_for_the_ticket(cls, url: str | None) -> str | None:
        if url is not None and TICKET_FIELD not in url:
            raise ValueError(f"it has no {TICKET_FIELD} in it")
        return url

    @field_validator("notify_webhook_secret")
    @classmethod
    def _a_signing_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            signing_key(secret.get_secret_value())
        return secret

    @model_validator(mode="after")
    def _credentials_are_whole(self) -> Self:
        if self.kafka_security_protocol.startswith("SASL") and not (self.kafka_username and self.kafka_password):
            raise ValueError("SASL needs TRIAGE_KAFKA_USERNAME and TRIAGE_KAFKA_PASSWORD")
        if (self.kafka_cert_file is None) != (self.kafka_key_file is None):
            raise ValueError("TRIAGE_KAFKA_CERT_FILE and TRIAGE_KAFKA_KEY_FILE go together")
        if (self.notify_webhook_url is None) != (self.notify_webhook_secret is None):
            raise ValueError("TRIAGE_NOTIFY_WEBHOOK_URL and TRIAGE_NOTIFY_WEBHOOK_SECRET go together")
        if self.notify_alertmanager_password is not None and self.notify_alertmanager_username is None:
            raise ValueError("TRIAGE_NOTIFY_ALERTMANAGER_PASSWORD needs TRIAGE_NOTIFY_ALERTMANAGER_USERNAME")
        return self

    @property
    def store_access(self) -> StoreAccess:
        """Where the store is."""
        return StoreAccess(
            url=self.clickhouse_url or f"chdb://{(self.data_dir / EMBEDDED_STORE).absolute()}",
            database=self.clickhouse_database,
            user=self.clickhouse_username,
            password=revealed(self.clickhouse_password),
            ca_file=str(self.clickhouse_ca_file) if self.clickhouse_ca_file else None,
        )

    def calendar(self) -> WeekCalendar:
        """The clock and the holidays of the watch and of forecasts; a second of work. Raises BadSettings."""
        try:
            return calendar_of(self.time_zone, filter(None, map(str.strip, self.holidays.split(","))))
        except BadSettings as error:
            raise BadSettings(f"TRIAGE_HOLIDAYS: {error}") from error

    def kafka_tls(self) -> ssl.SSLContext | None:
        """The TLS context for brokers, None where the protocol has none. Raises BadSettings for unusable files."""
        if not self.kafka_security_protocol.endswith("SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
            if self.kafka_cert_file is not None:
                context.load_cert_chain(self.kafka_cert_file, self.kafka_key_file, revealed(self.kafka_key_password))
        except (OSError, ssl.SSLError) as error:
            raise BadSettings(f"the TLS files of TRIAGE_KAFKA_* cannot be used: {error}") from error
        return context

    def notify_tls(self) -> ssl.SSLContext | None:
        """The TLS context for receivers of alerts, None for the system's. Raises BadSettings for an unusable file."""
        if self.notify_ca_file is None:
            return None
        try:
            return ssl.create_default_context(cafile=self.notify_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise BadSettings(f"TRIAGE_NOTIFY_CA_FILE cannot be used: {error}") from error

    def kafka_options(self) -> dict[str, Any]:
        """What every aiokafka client of ours is given."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap_servers,
            "security_protocol": self.kafka_security_protocol,
        }
        if (context := self.kafka_tls()) is not None:
            options["ssl_context"] = context
        if self.kafka_security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_username
            options["sasl_plain_password"] = revealed(self.kafka_password)
        return options

    def producer_options(self) -> dict[str, Any]:
        """The same for librdkafka, in its own words."""
        options = {
            "bootstrap.servers": self.kafka_bootstrap_servers,
            "security.protocol": self.kafka_security_protocol,
        }
        if self.kafka_tls() is not None:  # which has also checked that the files can be used
            files = {
                "ssl.ca.location": self.kafka_ca_file,
                "ssl.certificate.location": self.kafka_cert_file,
                "ssl.key.location": self.kafka_key_file,
                "ssl.key.password": revealed(self.kafka_key_password),
            }
            options |= {name: str(value) for name, value in files.items() if value is not None}
        if self.kafka_security_protocol.startswith("SASL"):
            options["sasl.mechanisms"] = self.kafka_sasl_mechanism
            options["sasl.username"] = self.kafka_username or ""
            options["sasl.password"] = revealed(self.kafka_password) or ""
        return options

    def registry_login(self) -> tuple[str, str] | None:
        """User and password of the schema registry."""
        if self.schema_registry_username is None:
            return None
        return self.schema_registry_username, revealed(self.schema_registry_password) or ""


def load_settings(**overrides: object) -> Settings:
    """The settings from the environment; `overrides` win unless None. Raises BadSettings, naming each fault."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        # Fields with a validation alias take it as their only name; model_copy takes the field's own.
        return Settings().model_copy(update=given)
    except ValidationError as error:
        lines = [
            f"  {_environment_name(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        ]
        raise BadSettings("settings are wrong:\n" + "\n".join(lines)) from error


def revealed(secret: SecretStr | None) -> str | None:
    """The secret itself, for the client that needs it."""
    return None if secret is None else secret.get_secret_value()


def _environment_name(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "together"
    return name if name.isupper() or not location else f"TRIAGE_{name.upper()}"
