"""The campaign of `make bench-effects` counts what it says it counts."""

import pytest

from orchestration.science.effects.records import Z_80, Z_95
from tests.bench_effects.campaign import SOUND, Answer, Tally


def answer(naive, adjusted):
    """A truth of 1, with estimates one standard error of 1 wide."""
    told = None if adjusted is None else (adjusted, 1.0)
    return Answer(1.0, (naive, 1.0), told, None, None, "")


def test_coverage_counts_intervals_that_are_told_and_hold_the_truth():
    """Errors of 0, 1.5 and -3 standard errors; the fourth shop is told nothing of."""
    tally = Tally(
        SOUND[0],
        "orders_180d",
        (answer(9.0, 1.0), answer(1.5, 2.5), answer(-4.0, -2.0), answer(5.0, None)),
    )
    assert tally.coverage(Z_80) == pytest.approx(1 / 3)
    assert tally.coverage(Z_95) == pytest.approx(2 / 3)
    assert tally.errors().tolist() == [0.0, 1.5, -3.0]
    # The naive gap is told of every shop: only the second holds the truth.
    assert tally.coverage(Z_95, is_naive=True) == pytest.approx(1 / 4)
    assert len(tally.identified) == 3


def test_every_event_that_the_shop_asks_about_has_shops_of_its_own():
    names = [case.kind.name for case in SOUND]
    assert names == [
        "membership",
        "loyalty_tier",
        "late_delivery",
        "bad_service",
        "recovery",
        "first_bad_experience",
        "referral",
        "membership_by_habit",
    ]
