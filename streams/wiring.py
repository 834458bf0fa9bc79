"""The composition root: clients are built here, the clock is handed out here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from models.taxonomy import Taxonomy, parse_taxonomy
from schemas.errors import BadSettings, StoreUnavailable
from schemas.model_log import ModelSet
from schemas.topics import Topic, topic_table
from streams.settings import Settings, revealed

if TYPE_CHECKING:
    from models.decide import Models
    from models.watching import SpikeWatch
    from sinks.notify.receivers import Receiver
    from sinks.snapshots import SnapshotStore
    from sinks.store import Store
    from streams.decoding import Decoder
    from streams.held import LiveHeld
    from streams.lessons import Checkpoints

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def load_taxonomy(settings: Settings) -> Taxonomy:
    """The configured taxonomy, or the packaged one. Raises BadSettings or BadTaxonomy."""
    return parse_taxonomy(taxonomy_text(settings))


def taxonomy_text(settings: Settings) -> str:
    """The text of the configured taxonomy, or of the packaged one. Raises BadSettings."""
    if settings.taxonomy is None:
        return resources.files("models").joinpath("data/taxonomy.toml").read_text(encoding="utf-8")
    try:
        return settings.taxonomy.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"TRIAGE_TAXONOMY: {settings.taxonomy} cannot be read: {error}") from error


def own_models(settings: Settings) -> tuple[ModelSet, Models]:
    """The set of models that these settings and this code make, ready to decide. Raises BadSettings or BadTaxonomy."""
    from models.sets import model_set, models_of  # noqa: PLC0415  river takes a second to import, workers alone need it

    own = model_set(taxonomy_text(settings), wall_clock())
    return own, models_of(own)


def named_set(name: str, known: Mapping[str, ModelSet]) -> ModelSet:
    """The set of a version in `known`, or of a taxonomy's file. Raises BadSettings where `name` is neither."""
    from models.sets import model_set  # noqa: PLC0415  as above

    if (recorded := known.get(name)) is not None:
        return recorded
    path = Path(name)
    if not path.is_file():
        versions = ", ".join(known) or "none yet"
        raise BadSettings(f"{name} is neither a recorded set of models (there are {versions}) nor a taxonomy's file")
    try:
        return model_set(path.read_text(encoding="utf-8"), wall_clock())
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read: {error}") from error


def watch_maker(settings: Settings, partitions: int) -> Callable[[], SpikeWatch]:
    """What makes the watch of these settings, over so many sources: a snapshot of one of them fits the others.

    Holidays take a second. Raises BadSettings or BadTaxonomy.
    """
    from models.watching import SpikeWatch, WatchSettings  # noqa: PLC0415  as above

    owners = {name: label.team for name, label in load_taxonomy(settings).categories.items()}
    watched = WatchSettings(calendar=settings.calendar())
    return lambda: SpikeWatch(owners, partitions, watched)


def checkpoints(settings: Settings, name: str = "lessons", *, keep: bool = True) -> Checkpoints:
    """Where a worker keeps what it has learned, for the use of this `name`, and where learners publish it.

    With `keep` false it is only read. Raises BadSettings where no such store can be had.
    """
    from sinks.snapshots import SnapshotFolder  # noqa: PLC0415  commands that decide nothing do without
    from streams.lessons import CHECKPOINT_EVERY, NEVER, Checkpoints  # noqa: PLC0415

    folder = SnapshotFolder(settings.data_dir / name / settings.app_id)
    return Checkpoints(folder, CHECKPOINT_EVERY if keep else NEVER, others=[published_snapshots(settings)])


def published_snapshots(settings: Settings) -> SnapshotStore:
    """Where learners publish what people taught. Raises BadSettings where no such store can be had."""
    from sinks.snapshots import snapshot_store  # noqa: PLC0415  as above

    return snapshot_store(settings.snapshot_store or str(settings.data_dir / "published"), settings.app_id)


def live_held(settings: Settings, decoder: Decoder, *, keep: bool = True) -> LiveHeld:
    """What people set on tickets, kept in the data folder; with `keep` false that is only read."""
    from sinks.snapshots import SnapshotFolder  # noqa: PLC0415  as above
    from streams.held import KEPT_EVERY, LiveHeld  # noqa: PLC0415

    folder = SnapshotFolder(settings.data_dir / "held" / settings.app_id)
    return LiveHeld(settings, decoder, folder, every=KEPT_EVERY if keep else None)


def all_topics(settings: Settings) -> tuple[Topic, ...]:
    """Every topic of this pipeline."""
    return topic_table(load_taxonomy(settings).teams)


def open_store(settings: Settings) -> Store:
    """The store: the server, the embedded folder, or the process that has that folder open. Blocks."""
    from sinks.owner import find_owner  # noqa: PLC0415  it brings a web server, and a worker that decides needs none
    from sinks.store import Store  # noqa: PLC0415

    access = settings.store_access
    folder = access.embedded_folder
    if folder is None:
        return Store(access)
    if (owner := find_owner(folder)) is not None:
        try:
            return Store(owner.access(access.database))
        except StoreUnavailable:
            pass  # its owner died without saying so
    return Store(access)


def receivers(settings: Settings) -> list[Receiver]:
    """Whom the settings name to be told of alerts."""
    from sinks.notify.alertmanager import Alertmanager  # noqa: PLC0415  what only a worker that tells needs
    from sinks.notify.notices import Links  # noqa: PLC0415
    from sinks.notify.pagerduty import PagerDuty  # noqa: PLC0415
    from sinks.notify.slack import Slack  # noqa: PLC0415
    from sinks.notify.webhook import SignedWebhook, signing_key  # noqa: PLC0415

    links = Links(ticket=settings.notify_ticket_url, runbook=settings.notify_runbook_url)
    found: list[Receiver] = []
    if key := revealed(settings.notify_pagerduty_routing_key):
        found.append(PagerDuty(url=settings.notify_pagerduty_url, routing_key=key, links=links))
    if url := revealed(settings.notify_slack_url):
        found.append(Slack(url=url, links=links))
    if settings.notify_alertmanager_url:
        user, password = settings.notify_alertmanager_username, revealed(settings.notify_alertmanager_password)
        found.append(
            Alertmanager(
                url=settings.notify_alertmanager_url,
                login=None if user is None else (user, password or ""),
                links=links,
                resend_every=timedelta(seconds=settings.notify_resend_every_seconds),
            )
        )
    if settings.notify_webhook_url and (secret := revealed(settings.notify_webhook_secret)):
        found.append(SignedWebhook(url=settings.notify_webhook_url, key=signing_key(secret), links=links))
    return found
