"""Levels of intervals that covered four in five on earlier days."""

import numpy as np
import pytest

from orchestration.science.value import calibration
from orchestration.science.value.calibration import Attained

EVEN = (np.arange(10_000) + 0.5) / 10_000


def attained(probability, p_order, sign=1.0):
    return Attained(
        np.full(probability.size, p_order), np.full(probability.size, sign), probability
    )


def bounds(levels, p_order):
    low, high = levels.of(np.array([p_order]))
    return float(low[0]), float(high[0])


def test_a_right_distribution_of_regulars_keeps_the_tenth_and_the_ninetieth_percentile():
    found = calibration.learn([attained(EVEN, p_order=0.95)])
    assert bounds(found, 0.95) == pytest.approx((0.1, 0.9), abs=1e-3)


def test_who_may_order_nothing_has_zero_inside_and_all_the_rest_above():
    zeros = attained(np.full(3_000, 0.3), p_order=0.7, sign=0.0)
    rest = attained(0.3 + 0.7 * EVEN[::1][:7_000] / EVEN[6_999], p_order=0.7)
    found = calibration.learn([zeros, rest])
    assert bounds(found, 0.7) == pytest.approx((0.0, 0.8), abs=1e-3)


def test_levels_move_to_where_outcomes_would_have_been_inside():
    # Outcomes crowd at both ends: 1 - |2u - 1| is the square of what it should be.
    folded = np.abs(2 * EVEN - 1)
    crowded = np.where(EVEN > 0.5, (1 + np.sqrt(folded)) / 2, (1 - np.sqrt(folded)) / 2)
    found = calibration.learn([attained(crowded, p_order=0.95)])
    c = np.sqrt(0.8)
    assert bounds(found, 0.95) == pytest.approx(((1 - c) / 2, (1 + c) / 2), abs=1e-3)


def test_the_silent_get_the_shortest_interval_and_others_pay_for_it_down_to_three_in_four():
    # Nine in ten of the silent bring nothing; they are half of all, so that others owe 70%.
    silent = [
        attained(np.full(9_000, 0.9), p_order=0.1, sign=0.0),
        attained(0.9 + EVEN[:1_000], p_order=0.1),
    ]
    found = calibration.learn([*silent, attained(EVEN, p_order=0.95)])
    assert bounds(found, 0.1) == (0.0, 0.0)
    assert bounds(found, 0.95) == pytest.approx((0.125, 0.875), abs=1e-3)


def test_where_few_are_silent_all_together_are_covered_four_times_in_five():
    silent = attained(np.full(1_000, 0.9), p_order=0.1, sign=0.0)
    found = calibration.learn([silent, attained(EVEN, p_order=0.95)])
    # All of 1,000 are covered: the 10,000 others owe (8,800 - 1,000) / 10,000.
    assert bounds(found, 0.95) == pytest.approx((0.11, 0.89), abs=1e-3)


def test_an_outcome_on_the_other_side_of_zero_is_inside_of_no_interval():
    found = attained(np.array([0.5, 0.5]), p_order=0.95, sign=-1.0)
    assert np.isinf(found.needed).all()
    # Where a tenth is lost for good, the rest has to be covered all the more.
    lost = attained(np.full(1_000, 0.5), p_order=0.95, sign=-1.0)
    rest = attained(EVEN[::1], p_order=0.95)
    low, high = bounds(calibration.learn([lost, rest]), 0.95)
    assert high - low == pytest.approx(0.88, abs=1e-3)


def test_a_zero_of_a_regular_is_inside_once_the_lower_level_reaches_its_probability():
    # No order has the probability 0.04: [Q(0.04), Q(0.96)] is the first with zero inside.
    assert attained(np.array([0.04]), p_order=0.96, sign=0.0).needed == pytest.approx([0.92])


def test_a_group_of_few_keeps_the_level_of_the_model():
    few = attained(np.full(99, 0.99), p_order=0.7)
    found = calibration.learn([few, attained(EVEN, p_order=0.95)])
    assert bounds(found, 0.7) == (0.0, 0.8)


def test_few_outcomes_correct_nothing_and_the_verdict_says_so():
    found = calibration.learn([attained(np.full(99, 0.99), p_order=0.95)])
    assert bounds(found, 0.95) == pytest.approx((0.1, 0.9))
    assert "not corrected: 99 earlier outcomes" in found.verdict


def test_on_customers_who_are_alike_the_interval_covers_what_it_promises():
    random = np.random.default_rng(4)

    def drawn(n):
        """A forecast that is too narrow: scale 1 is said, 1.6 is true."""
        p_order = random.choice([0.3, 0.6, 0.97], n)
        actual = np.where(random.random(n) < p_order, random.exponential(1.6, n), 0.0)
        return p_order, actual

    p_order, actual = drawn(50_000)
    seen = Attained(p_order, np.sign(actual), 1 - p_order * np.exp(-actual))
    levels = calibration.learn([seen])
    p_order, actual = drawn(200_000)

    def quantile(level):
        inside = (level - (1 - p_order)) / p_order
        return np.where(inside > 0, -np.log1p(-np.clip(inside, 0, 1 - 1e-12)), 0.0)

    low, high = (quantile(level) for level in levels.of(p_order))
    assert ((actual >= low) & (actual <= high)).mean() == pytest.approx(0.8, abs=0.005)
