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
