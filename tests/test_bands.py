"""Thresholds from what mistakes cost, and which decisions are drawn for an audit."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bands import Costs, is_drawn

amounts = st.floats(0.01, 1000)


@given(st.tuples(amounts, amounts, amounts), st.floats(1.001, 100), st.floats(0, 1))
def test_the_band_is_the_one_that_costs_the_least(
    sizes: tuple[float, float, float], worth: float, probability: float
) -> None:
    pass_on, check, more = sizes
    misroute = pass_on + more
    review = check + worth * check * pass_on / more  # so that a suggestion can be the cheapest
    costs = Costs(misroute=misroute, pass_on=pass_on, check=check, review=review)
    auto, suggest = costs.thresholds()
    assert 0 <= suggest <= auto <= 1
    wrong = 1 - probability
    expected = {"auto": wrong * misroute, "suggest": check + wrong * pass_on, "review": review}
    band = "auto" if probability >= auto else "suggest" if probability >= suggest else "review"
    assert expected[band] <= min(expected.values()) + 1e-9 * sum(expected.values())


def test_thresholds_by_hand() -> None:
    # 60 minutes for a misroute, 10 for a suggestion that is passed on, 1 to check one, 5 to review.
    assert Costs(misroute=60, pass_on=10, check=1, review=5).thresholds() == pytest.approx((0.98, 0.6))
    dear_reviews = Costs(misroute=60, pass_on=10, check=1, review=100)
    assert dear_reviews.thresholds() == pytest.approx((0.98, 0.0)), "nothing goes to review"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"review": 0.0}, "more than 0"),
        ({"check": -1.0}, "more than 0"),
        ({"misroute": float("inf")}, "more than 0"),
        ({"misroute": float("nan")}, "more than 0"),
        ({"pass_on": 60.0}, r"pass_on \(60\) < misroute \(60\)"),
        ({"check": 5.0}, r"check \(5\) < review \(5\)"),
        ({"check": 4.0, "pass_on": 50.0}, "cheapest at no probability"),
    ],
)
def test_costs_that_do_not_fit_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Costs(**{"misroute": 60.0, "pass_on": 10.0, "check": 1.0, "review": 5.0, **changes})


def test_the_share_that_is_drawn_is_the_share_that_was_asked_for() -> None:
    names = [str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))) for number in range(10_000)]
    drawn = {share: {name for name in names if is_drawn(name, share)} for share in (0.0, 0.02, 0.2, 1.0)}
    assert (len(drawn[0.0]), len(drawn[1.0])) == (0, 10_000)
    # Six standard deviations of a fair draw: 14 and 40.
    assert abs(len(drawn[0.02]) - 200) < 6 * 14
    assert abs(len(drawn[0.2]) - 2000) < 6 * 40
    assert drawn[0.02] < drawn[0.2], "a larger share keeps those of the smaller"
    assert is_drawn("0f1d3c56-5f0e-5d55-9d0c-7a1f6a3a5b52", 0.9999), "the same in every release"
