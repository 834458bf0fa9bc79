"""Sets of models that decide together: named, so that a decision can be made again from the log alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from models.decide import CODE_VERSION, Models, starting_models, starting_versions
from models.taxonomy import parse_taxonomy
from schemas.errors import BadTaxonomy, ModelsNotReproducible
from schemas.model_log import ModelSet

if TYPE_CHECKING:
    from models.learned import Learned  # a worker without lessons does not load it

SET = "set"
"""The entry of a decision's `models` that names the whole set."""

LESSONS = "lessons"
"""The entry that names the last lesson that was known; it is not there before the first one."""


def model_set(taxonomy: str, recorded_at: datetime) -> ModelSet:
    """The set that decides by the `taxonomy` of this text with this version of the code. Raises BadTaxonomy."""
    heads = starting_versions(parse_taxonomy(taxonomy))
    identity = json.dumps([CODE_VERSION, taxonomy, heads], sort_keys=True)
    version = f"m-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    return ModelSet(version=version, code=CODE_VERSION, taxonomy=taxonomy, heads=heads, recorded_at=recorded_at)


def models_of(chosen: ModelSet) -> Models:
    """The models of a recorded set. Raises ModelsNotReproducible where this version of the code decides otherwise."""
    other = ModelsNotReproducible(
        f"the models {chosen.version} were recorded by version {chosen.code} of the deciding code, and this is "
        f"version {CODE_VERSION}: use the release that recorded them"
    )
    if chosen.code != CODE_VERSION:
        raise other
    try:
        models = starting_models(parse_taxonomy(chosen.taxonomy))
    except BadTaxonomy as error:  # it was none where it was recorded
        raise other from error
    if dict(chosen.heads) != dict(models.versions):
        raise other
    return replace(models, versions={**models.versions, SET: chosen.version})


def with_lessons(models: Models, learned: Learned, last: int | None) -> Models:
    """`models` that also know what is `learned` by the lessons up to `last`."""
    return replace(models, learned=learned, versions={**models.versions, LESSONS: str(last)})
