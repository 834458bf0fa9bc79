"""What tests share: the real Kafka, the real ClickHouse engine, and words to put through them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline import Pipeline

from models.decide import Models, starting_models
from models.taxonomy import Taxonomy
from sinks.migrations import migrate
from sinks.store import Store, StoreAccess
from streams import wiring
from streams.broker import Broker
from streams.settings import Settings, load_settings

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """host:port of a real Kafka: the one of KAFKA_BOOTSTRAP_SERVERS, else the project's own. Never skips."""
    if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield given
        return
    with Broker() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # chdb opens one folder per process: all tests of this process share it, each with a database of its own.
    return tmp_path_factory.mktemp("chdb") / "store"


@pytest.fixture
def store(engine_folder: Path) -> Iterator[Store]:
    """A store with all tables and no rows, of the engine in process."""
    with Store(StoreAccess(url=f"chdb://{engine_folder}", database=f"test_{uuid.uuid4().hex}")) as opened:
        migrate(opened)
        yield opened
        opened.command(f"DROP DATABASE {opened.database}")


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return wiring.load_taxonomy(load_settings())


@pytest.fixture(scope="session")
def models(taxonomy: Taxonomy) -> Models:
    return starting_models(taxonomy)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that see nothing of this machine's environment."""
    for name in list(os.environ):
        if name.startswith("TRIAGE_") or name in {"KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL"}:
            monkeypatch.delenv(name)
    return load_settings(data_dir=tmp_path / "data")


def shared(name: str) -> Path:
    """A public data set, which is not part of the project; skips where it is absent."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"the public data set {name} is not beside the checkout")
    return path


@pytest.fixture
def pipeline(kafka: str, tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline of its own on the shared Kafka, without a worker yet."""
    with Pipeline(kafka, tmp_path / "data").with_topics() as made:
        yield made
