"""Levels that earlier outcomes correct."""

import numpy as np
import pytest

from orchestration.science.value import calibration
from orchestration.science.value.calibration import Attained

EVEN = (np.arange(10_000) + 0.5) / 10_000


def attained(levels, p_order=0.95):
    return Attained(np.full(levels.size, p_order), levels, levels)


def test_levels_that_are_attained_as_often_as_they_say_stay():
    found = calibration.learn([attained(EVEN)], (0.1, 0.9))
    assert found.of(np.array([0.95]))[:, 0] == pytest.approx([0.1, 0.9], abs=1e-3)


def test_levels_move_to_where_outcomes_would_have_met_them():
    # Outcomes crowd at the top: the level u is attained by a share u^2.
    found = calibration.learn([attained(np.sqrt(EVEN))], (0.1, 0.9))
    expected = [np.sqrt(0.1), np.sqrt(0.9)]
    assert found.of(np.array([0.95]))[:, 0] == pytest.approx(expected, abs=1e-3)


def test_groups_of_customers_are_corrected_apart_and_thin_ones_with_all():
    regulars, rare = attained(np.sqrt(EVEN)), attained(EVEN, p_order=0.15)
    thin = attained(EVEN[:50], p_order=0.5)
    found = calibration.learn([regulars, rare, thin], (0.9,))
    levels = found.of(np.array([0.95, 0.15, 0.5]))[0]
    assert levels[:2] == pytest.approx([np.sqrt(0.9), 0.9], abs=1e-3)
    assert levels[1] < levels[2] < levels[0]


def test_few_outcomes_correct_nothing_and_the_verdict_says_so():
    found = calibration.learn([attained(np.full(99, 0.99))], (0.1, 0.9))
    assert found.of(np.array([0.05, 0.95])).tolist() == [[0.1, 0.1], [0.9, 0.9]]
    assert "not corrected: 99 earlier outcomes" in found.verdict


def test_an_outcome_with_a_probability_of_its_own_is_spread_over_it():
    # Two zeros of probability 0.5 and 0.8, one sure level of 0.6: by hand at 0.4 and 0.7.
    lower, upper = np.array([0.0, 0.0, 0.6]), np.array([0.5, 0.8, 0.6])
    found = calibration.shares_below(lower, upper, np.array([0.4, 0.7]))
    assert found == pytest.approx([(0.4 / 0.5 + 0.4 / 0.8) / 3, (1 + 0.7 / 0.8 + 1) / 3])


def test_zero_counts_for_the_part_of_it_that_lies_between_the_bounds():
    # Ann, no order with 0.5: (0.5 - 0.1) / 0.5. Bob with 0.95: 0.8 / 0.95. Cid ordered, inside.
    # Dan ordered, above. Eve, no order with 0.05, below her p10.
    found = calibration.zero_spread_coverage(
        actual=np.array([0.0, 0.0, 5.0, 50.0, 0.0]),
        low=np.array([0.0, 0.0, 0.0, 0.0, 2.0]),
        high=np.array([9.0, 0.0, 9.0, 9.0, 9.0]),
        p_order=np.array([0.5, 0.05, 0.5, 0.5, 0.95]),
    )
    assert found == pytest.approx((0.8 + 0.8 / 0.95 + 1 + 0 + 0) / 5)


def test_the_true_distribution_covers_eight_in_ten_by_that_count_and_more_by_the_plain_one():
    random = np.random.default_rng(4)
    p_order = random.choice([0.05, 0.3, 0.6, 0.97], 200_000)
    actual = np.where(random.random(200_000) < p_order, random.exponential(1, 200_000), 0.0)

    def quantile(level):
        inside = (level - (1 - p_order)) / p_order
        return np.where(inside > 0, -np.log1p(-np.maximum(inside, 0)), 0.0)

    low, high = quantile(0.1), quantile(0.9)
    plain = ((actual >= low) & (actual <= high)).mean()
    assert calibration.zero_spread_coverage(actual, low, high, p_order) == pytest.approx(
        0.8, abs=0.004
    )
    assert plain > 0.87
