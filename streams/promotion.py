"""`triage models promote|rollback`: which recorded set decides from here on, said by a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.sets import models_of
from schemas.codec import Codec
from schemas.errors import BadSettings
from schemas.model_log import MOST_SAID_CHARACTERS, ModelSet, Said
from streams.decoding import Decoder, opened_decoder
from streams.model_log import ModelLog, activations
from streams.publish import Publisher
from streams.settings import Settings

_SAY_WHICH = "say which one it is to be by triage models promote VERSION"


async def read_log(settings: Settings, *, ahead: bool = False) -> ModelLog:
    """The models' topics, read to their ends; `ahead` with what no worker has come to yet."""
    async with opened_decoder(settings, Codec()) as decoder:
        return await log_read_with(decoder, settings, ahead=ahead)


async def log_read_with(decoder: Decoder, settings: Settings, *, ahead: bool = False) -> ModelLog:
    """The same, for who has a decoder."""
    model_log = ModelLog(settings, decoder)
    await model_log.read()
    if ahead:
        await model_log.read_ahead()
    return model_log


def recorded_set(model_log: ModelLog, version: str) -> ModelSet:
    """The set of this version. Raises BadSettings, with those that there are, where it is not recorded."""
    if version not in model_log.sets:
        known = ", ".join(model_log.sets) or "none yet: a worker records its own when it starts"
        raise BadSettings(f"{version} is no recorded set of models; there are {known}")
    return model_log.sets[version]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """`version` takes over again in `partitions` partitions in place of `instead_of`, of which `said` was said."""

    version: str
    partitions: int
    instead_of: str
    said: Said


async def promote(settings: Settings, version: str, said: Said) -> int:
    """Let `version` take over in every partition; gives their number.

    Raises BadSettings where it is not recorded, and ModelsNotReproducible where other code has recorded it.
    """
    model_log = await read_log(settings)
    await _let_take_over(settings, model_log, version, said)
    return len(model_log.partitions)


async def rollback(settings: Settings, said: Said) -> RolledBack:
    """Let the set take over again that was live before the one that is; also where no worker has come to it yet.

    Raises BadSettings where it is not one set for all partitions, where there is none, or where the live set was
    rolled back to; and ModelsNotReproducible where other code has recorded it.
    """
    model_log = await read_log(settings, ahead=True)
    live, before, was_said = _newest(model_log)
    if was_said.back_from:
        raise BadSettings(
            f"{live} is live by a rollback from {was_said.back_from} already; to go on from here: "
            "triage models promote VERSION (triage models list)"
        )
    await _let_take_over(settings, model_log, before, Said(by=said.by, reason=said.reason, back_from=live))
    return RolledBack(version=before, partitions=len(model_log.partitions), instead_of=live, said=was_said)


def _newest(model_log: ModelLog) -> tuple[str, str, Said]:
    """What is live, what was before it, and what was said when it took over; the same in all partitions."""
    version = live_everywhere(model_log, _SAY_WHICH)
    if version is None:
        raise BadSettings("no models are live yet: a worker records its own when it starts")
    newest = {number: model_log.lineage.newest(number) for number in model_log.partitions}
    before = _one(
        {number: found and found[1] for number, found in newest.items()},
        f"before {version}, partitions had different models",
        _SAY_WHICH,
    )
    if before is None:
        raise BadSettings(f"there is nothing to go back to: {version} has been live from the beginning")
    said = (model_log.said.get((number, found[0]), Said()) for number, found in newest.items() if found)
    return version, before, max(said, key=lambda item: bool(item.back_from))


def live_everywhere(model_log: ModelLog, remedy: str) -> str | None:
    """The version that is live in all partitions, None before any. Raises BadSettings with a `remedy` for several."""
    live = {number: model_log.lineage.live(number) for number in model_log.partitions}
    return _one(live, "partitions have different live models", remedy)


def _one(versions: Mapping[int, str | None], trouble: str, remedy: str) -> str | None:
    """The version that all partitions have. Raises BadSettings with the `trouble` where there are several."""
    found = set(versions.values())
    if len(found) > 1:
        names = ", ".join(sorted(version or "none" for version in found))
        raise BadSettings(f"{trouble} ({names}): {remedy}")
    return found.pop() if found else None


async def _let_take_over(settings: Settings, model_log: ModelLog, version: str, said: Said) -> None:
    for text in (said.by, said.reason):
        if len(text) > MOST_SAID_CHARACTERS:
            raise BadSettings(f"--by and --reason have {MOST_SAID_CHARACTERS:,} characters at most, not {len(text):,}")
    models_of(recorded_set(model_log, version))
    async with Publisher(settings.producer_options()) as publisher:
        await publisher.publish(activations(version, model_log.partitions, said))
