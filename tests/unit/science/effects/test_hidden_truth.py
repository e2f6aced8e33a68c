"""Shops whose hidden effect is known: intervals hold it as often as they say, the naive gap does not.

A quick form of `make bench-effects`, which asks 200 shops of every kind for every outcome.
"""

import numpy as np
import pytest
from scipy.stats import binom

from orchestration.science.effects.bootstrap import bootstrap_values
from orchestration.science.effects.estimation import Settings, estimate_effect
from tests.unit.science.effects.drawn_customers import KINDS, OUTCOMES, drawn_shop

ONCE = Settings(deals=1)
SHOPS_PER_KIND = 5


@pytest.fixture(scope="module")
def answers():
    """Truth and effect of every shop; kinds and outcomes take turns."""
    found = []
    for kind in KINDS:
        for seed in range(SHOPS_PER_KIND):
            outcome = seed % len(OUTCOMES)
            shop = drawn_shop(kind, 10_000 + seed, truth_customers=20_000)
            effect = estimate_effect(
                shop.sample(outcome),
                event_name=kind.name,
                outcome_name=OUTCOMES[outcome],
                settings=ONCE,
            )
            found.append((shop.truth[outcome], effect))
    return found


def held(answers, interval):
    """How many intervals hold their truth."""
    bounds = [(truth, *interval(effect)) for truth, effect in answers]
    return sum(low <= truth <= high for truth, low, high in bounds)


@pytest.mark.parametrize("level", [80, 95])
def test_adjusted_intervals_hold_the_truth_as_often_as_they_say(answers, level):
    count = held(answers, lambda one: getattr(one.adjusted, f"interval_{level}"))
    # A right interval fails this on one seed in five hundred.
    low, high = binom.interval(0.998, len(answers), level / 100)
    assert low <= count <= high, f"{count} of {len(answers)}"


def test_intervals_of_the_naive_gap_miss_the_truth(answers):
    count = held(answers, lambda one: one.naive.interval_95)
    assert count <= 0.3 * len(answers)


def test_errors_lie_on_both_sides_of_the_truth(answers):
    errors = np.array(
        [(one.adjusted.value - truth) / one.adjusted.standard_error for truth, one in answers]
    )
    assert abs(errors.mean()) < 3.3 / np.sqrt(errors.size)


def test_every_sound_shop_is_identified(answers):
    assert all(effect.is_identified for _, effect in answers)


def test_customers_drawn_anew_spread_as_the_influence_says():
    shop = drawn_shop(KINDS[4], 1, customers=800, truth_customers=2_000)
    effect = estimate_effect(
        shop.sample(1), event_name="recovery", outcome_name=OUTCOMES[1], settings=ONCE
    )
    values = bootstrap_values(shop.sample(1), draws=60, settings=ONCE)
    # The spread of 60 draws is known to 9%; fits on drawn customers vary a little more.
    assert 0.7 < effect.adjusted.standard_error / values.std(ddof=1) < 1.3
    assert abs(values.mean() - effect.adjusted.value) < 0.6 * effect.adjusted.standard_error
