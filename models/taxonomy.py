"""The taxonomy: which labels, teams and thresholds there are. Closed: no decision names anything else."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, cast

from models.bands import Costs
from models.rules import LabelRules, PhraseRules, Strength
from schemas.decisions import Band
from schemas.errors import BadTaxonomy
from schemas.topics import REVIEW_QUEUE

PRIORITIES = ("P1", "P2", "P3", "P4")
OTHER = "other"
_LABEL = re.compile(r"[a-z0-9_]+")
_TEAM = re.compile(r"[a-z0-9-]+")
_THRESHOLDS = {"auto", "suggest"}
_COSTS = {part.name for part in fields(Costs)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who owns tickets; `auto` and `suggest` are the least category probabilities of those bands.

    `audit` is the share of its new tickets, 0 to 1, that people decide whatever the probability.
    """

    name: str
    description: str
    auto: float
    suggest: float
    audit: float = 0.0

    def band(self, probability: float) -> Band:
        """The band of a decision for this team at `probability`."""
        if probability >= self.auto:
            return Band.AUTO
        return Band.SUGGEST if probability >= self.suggest else Band.REVIEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label of a head; `team` only on categories."""

    rules: LabelRules
    description: str
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """All labels of all heads, the teams, the languages, and what each customer tier adds to the priority, in nats."""

    version: str
    languages: tuple[str, ...]
    teams: Mapping[str, Team]
    categories: Mapping[str, Label]
    intents: Mapping[str, Label]
    priorities: Mapping[str, Label]
    tiers: Mapping[str, float]


@lru_cache(maxsize=8)
def parse_taxonomy(text: str) -> Taxonomy:
    """Read a taxonomy file (TOML; docs/taxonomy.md). Raises BadTaxonomy with the entry's name.

    Kept for the next one who asks: a worker needs its own three times when it starts.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadTaxonomy(f"the taxonomy is not TOML: {error}") from error
    _only(
        raw,
        {"version", "languages", "bands", "costs", "team", "category", "intent", "priority", "tier"},
        "the taxonomy",
    )
    bands, costs = _table(raw, "bands"), _table(raw, "costs")
    _only(bands, {*_THRESHOLDS, "audit"}, "[bands]")
    _only(costs, _COSTS, "[costs]")
    if costs and bands.keys() & _THRESHOLDS:
        raise BadTaxonomy("[bands] has thresholds, and [costs] says what they follow from: leave out one")
    teams = {team.name: team for team in (_team(entry, bands, costs) for entry in _tables(raw, "team"))}
    categories = _labels(raw, "category", teams)
    priorities = _labels(raw, "priority")
    if OTHER not in categories:
        raise BadTaxonomy(f"a category labelled {OTHER!r} is needed, for what fits nowhere else")
    if tuple(priorities) != PRIORITIES:
        raise BadTaxonomy(f"the priorities are {', '.join(PRIORITIES)}, in this order")
    languages = tuple(str(code) for code in raw.get("languages", ()))
    if not languages:
        raise BadTaxonomy("languages is empty; name at least one ISO 639-1 code")
    return Taxonomy(
        version=str(raw.get("version", "")) or _missing("version", "the taxonomy"),
        languages=languages,
        teams=teams,
        categories=categories,
        intents=_labels(raw, "intent"),
        priorities=priorities,
        tiers={tier: _number(_table(raw, "tier"), tier, "[tier]") for tier in _table(raw, "tier")},
    )


def _team(entry: Mapping[str, Any], bands: Mapping[str, Any], costs: Mapping[str, Any]) -> Team:
    where = f"team {entry.get('name', '?')!r}"
    _only(entry, {"name", "description", "audit", "costs", *_THRESHOLDS}, where)
    name = str(entry.get("name", ""))
    if not _TEAM.fullmatch(name):
        raise BadTaxonomy(f"{where}: a name is made of a-z, 0-9 and -")
    if name == REVIEW_QUEUE:
        raise BadTaxonomy(f"{where}: this name is reserved for the review queue")
    auto, suggest = _thresholds(entry, bands, costs, where)
    audit = _number({"audit": 0.0, **bands, **entry}, "audit", where)
    if not 0 <= audit <= 1:
        raise BadTaxonomy(f"{where}: 0 <= audit ({audit}) <= 1 does not hold")
    return Team(name=name, description=str(entry.get("description", "")), auto=auto, suggest=suggest, audit=audit)


def _thresholds(
    entry: Mapping[str, Any], bands: Mapping[str, Any], costs: Mapping[str, Any], where: str
) -> tuple[float, float]:
    """`auto` and `suggest` of a team: its own, or by its own costs, or else by what holds for all."""
    has_thresholds, own_costs = bool(entry.keys() & _THRESHOLDS), _table(entry, "costs")
    _only(own_costs, _COSTS, f"{where}, costs")
    if has_thresholds and own_costs:
        raise BadTaxonomy(f"{where}: has thresholds, and costs that they follow from: leave out one")
    if own_costs or (costs and not has_thresholds):
        given = {**costs, **own_costs}
        try:
            return Costs(**{name: _number(given, name, f"{where}, costs") for name in sorted(_COSTS)}).thresholds()
        except ValueError as error:
            raise BadTaxonomy(f"{where}, costs: {error}") from error
    given = {**bands, **entry}
    auto, suggest = _number(given, "auto", where), _number(given, "suggest", where)
    if not 0 <= suggest <= auto <= 1:
        raise BadTaxonomy(f"{where}: 0 <= suggest ({suggest}) <= auto ({auto}) <= 1 does not hold")
    return auto, suggest


def _labels(raw: Mapping[str, Any], head: str, teams: Mapping[str, Team] | None = None) -> dict[str, Label]:
    labels = [_label(entry, head, teams) for entry in _tables(raw, head)]
    doubled = [name for name, times in Counter(label.rules.label for label in labels).items() if times > 1]
    if doubled:
        raise BadTaxonomy(f"{head} {doubled[0]!r} stands twice")
    if not labels:
        raise BadTaxonomy(f"no [[{head}]] is given")
    return {label.rules.label: label for label in labels}


def _label(entry: Mapping[str, Any], head: str, teams: Mapping[str, Team] | None) -> Label:
    where = f"{head} {entry.get('label', '?')!r}"
    _only(
        entry,
        {"label", "description", "prior", "strong", "weak", "against", *(["team"] if teams else [])},
        where,
    )
    label, team = str(entry.get("label", "")), str(entry.get("team", ""))
    if not _LABEL.fullmatch(label.lower()):
        raise BadTaxonomy(f"{where}: a label is made of letters, digits and _")
    if teams is not None and team not in teams:
        raise BadTaxonomy(f"{where}: team {team!r} is not among {', '.join(teams)}")
    phrases: dict[str, Strength] = {}
    for strength in Strength:
        for phrase in _phrases(entry, strength.name.lower(), where):
            if phrase in phrases:
                raise BadTaxonomy(f"{where}: {phrase!r} stands twice")
            phrases[phrase] = strength
    prior = _number(entry, "prior", where) if "prior" in entry else 0.0
    rules = LabelRules(label=label, prior=prior, phrases=phrases)
    try:
        PhraseRules([rules])
    except ValueError as error:
        raise BadTaxonomy(f"{head} {error}") from error
    return Label(rules=rules, description=str(entry.get("description", "")), team=team)


def _phrases(entry: Mapping[str, Any], name: str, where: str) -> list[str]:
    phrases = entry.get(name, [])
    if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in cast("list[Any]", phrases)):
        raise BadTaxonomy(f"{where}: {name} is a list of phrases")
    return cast("list[str]", phrases)


def _table(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        raise BadTaxonomy(f"[{name}] is a table")
    return cast("Mapping[str, Any]", table)


def _tables(raw: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    tables = raw.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(item, dict) for item in cast("list[Any]", tables)):
        raise BadTaxonomy(f"[[{name}]] is a list of tables")
    return cast("list[Mapping[str, Any]]", tables)


def _number(table: Mapping[str, Any], name: str, where: str) -> float:
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadTaxonomy(f"{where}: {name} is a number, not {value!r}")
    return float(value)


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := table.keys() - known:
        raise BadTaxonomy(f"{where}: {min(unknown)!r} is not among {', '.join(sorted(known))}")


def _missing(name: str, where: str) -> str:
    raise BadTaxonomy(f"{where}: {name} is missing")
