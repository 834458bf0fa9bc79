"""The taxonomy file: what it may say, and how it is told what is wrong."""

from __future__ import annotations

import pytest

from models.taxonomy import PRIORITIES, Taxonomy, parse_taxonomy
from schemas.errors import BadTaxonomy

GOOD = """
version = "1"
languages = ["de", "en"]

[bands]
auto = 0.8
suggest = 0.4

[[team]]
name = "it"

[[team]]
name = "desk"
auto = 0.95

[[category]]
label = "hardware"
team = "it"
strong = ["*drucker*"]
weak = ["gerät*"]

[[category]]
label = "other"
team = "desk"
prior = 0.4

[[intent]]
label = "ask"

[[priority]]
label = "P1"
[[priority]]
label = "P2"
[[priority]]
label = "P3"
[[priority]]
label = "P4"

[tier]
vip = 1
"""


def test_teams_take_the_common_thresholds_unless_they_have_their_own() -> None:
    taxonomy = parse_taxonomy(GOOD)
    assert [(team.auto, team.suggest) for team in taxonomy.teams.values()] == [(0.8, 0.4), (0.95, 0.4)]
    assert taxonomy.tiers == {"vip": 1.0}
    assert taxonomy.categories["hardware"].team == "it"


COSTS = "misroute = 60\npass_on = 10\ncheck = 1\nreview = 5\n"


def bands_of(text: str) -> dict[str, tuple[float, float, float]]:
    return {team.name: (team.auto, team.suggest, team.audit) for team in parse_taxonomy(text).teams.values()}


def test_the_audited_share_is_none_unless_it_is_given_for_all_or_for_a_team() -> None:
    assert {audit for _, _, audit in bands_of(GOOD).values()} == {0.0}
    common = GOOD.replace("suggest = 0.4", "suggest = 0.4\naudit = 0.02")
    assert [audit for _, _, audit in bands_of(common).values()] == [0.02, 0.02]
    own = common.replace("auto = 0.95", "auto = 0.95\naudit = 0")
    assert [audit for _, _, audit in bands_of(own).values()] == [0.02, 0.0]


def test_thresholds_follow_from_costs_that_hold_for_all_or_for_a_team() -> None:
    for_all = GOOD.replace("[bands]\nauto = 0.8\nsuggest = 0.4", f"[bands]\naudit = 0.5\n[costs]\n{COSTS}")
    own = for_all.replace("auto = 0.95", "costs = { misroute = 210 }")
    assert bands_of(own)["it"] == pytest.approx((0.98, 0.6, 0.5))
    assert bands_of(own)["desk"] == pytest.approx((0.995, 0.6, 0.5)), "what it does not say holds as for all"
    with_thresholds = for_all.replace("auto = 0.95", "auto = 0.95\nsuggest = 0.1")
    assert bands_of(with_thresholds)["desk"] == (0.95, 0.1, 0.5)
    alone = GOOD.replace("auto = 0.95", f"[team.costs]\n{COSTS}")
    assert bands_of(alone) == {"it": (0.8, 0.4, 0.0), "desk": pytest.approx((0.98, 0.6, 0.0))}


@pytest.mark.parametrize(
    ("team", "bands", "message"),
    [
        ("audit = 1.5", "auto = 0.8\nsuggest = 0.4", r"team 'it': 0 <= audit \(1\.5\) <= 1"),
        ('audit = "all"', "auto = 0.8\nsuggest = 0.4", "audit is a number"),
        ("costs = { review = 5 }", "auto = 0.8\nsuggest = 0.4", "team 'it', costs: check is a number, not None"),
        ("costs = 5", "auto = 0.8\nsuggest = 0.4", r"\[costs\] is a table"),
        ("costs = { reviews = 5 }", "auto = 0.8\nsuggest = 0.4", "'reviews' is not among check, misroute"),
        (f"auto = 0.7\n[team.costs]\n{COSTS}", "auto = 0.8\nsuggest = 0.4", "leave out one"),
        ("", f"auto = 0.8\n[costs]\n{COSTS}", r"\[bands\] has thresholds, and \[costs\]"),
        ("costs = { check = 7 }", f"[costs]\n{COSTS}", r"team 'it', costs: check \(7\) < review \(5\)"),
        ("costs = { review = 0 }", f"[costs]\n{COSTS}", "every cost is more than 0"),
        ("auto = 0.9", f"[costs]\n{COSTS}", "team 'it': suggest is a number, not None"),
    ],
)
def test_bands_and_costs_that_do_not_fit_are_named(team: str, bands: str, message: str) -> None:
    text = GOOD.replace("auto = 0.8\nsuggest = 0.4", bands).replace('name = "it"', f'name = "it"\n{team}')
    with pytest.raises(BadTaxonomy, match=message):
        parse_taxonomy(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("auto = 0.8", "auto = 0.3", r"suggest \(0\.4\) <= auto \(0\.3\)"),
        ("auto = 0.8", 'auto = "high"', "auto is a number"),
        ("auto = 0.8", "auto = 1.2", "<= 1 does not hold"),
        ('name = "it"', 'name = "review"', "reserved"),
        ('name = "it"', 'name = "IT desk"', "a-z, 0-9 and -"),
        ('team = "it"', 'team = "ot"', "team 'ot' is not among it, desk"),
        ('label = "hardware"', 'label = "other"', "stands twice"),
        ('label = "other"', 'label = "rest"', "labelled 'other' is needed"),
        ('weak = ["gerät*"]', 'weak = ["*drucker*"]', "stands twice"),
        ('label = "P4"', 'label = "P5"', "the priorities are P1, P2, P3, P4"),
        ('languages = ["de", "en"]', "languages = []", "languages is empty"),
        ("prior = 0.4", "prios = 0.4", "'prios' is not among"),
        ('version = "1"', "", "version is missing"),
        ('version = "1"', "version = ", "not TOML"),
        ('label = "hardware"', 'label = "hard ware"', "letters, digits and _"),
        ("vip = 1", 'vip = "much"', "vip is a number"),
        ('strong = ["*drucker*"]', 'strong = ["a*b"]', "optional \\* at either end"),
        ('strong = ["*drucker*"]', 'strong = "drucker"', "a list of phrases"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(BadTaxonomy, match=message):
        parse_taxonomy(GOOD.replace(old, new, 1))


def test_the_packaged_taxonomy_is_whole(taxonomy: Taxonomy) -> None:
    assert taxonomy.languages == ("de", "en")
    assert tuple(taxonomy.priorities) == PRIORITIES
    assert {"hardware", "software", "access", "network", "billing", "other"} <= set(taxonomy.categories)
    for team in taxonomy.teams.values():
        assert team.description, team.name
        assert any(label.team == team.name for label in taxonomy.categories.values()), f"{team.name} gets nothing"
    for label in (*taxonomy.categories.values(), *taxonomy.intents.values(), *taxonomy.priorities.values()):
        assert label.description, label.rules.label
        assert label.rules.phrases or label.rules.prior, label.rules.label
