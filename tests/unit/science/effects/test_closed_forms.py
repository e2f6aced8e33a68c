"""Estimates that can be worked out by hand: experiments, strata, changes of four means."""

import numpy as np
import pytest
from scipy.optimize import brentq

from orchestration.science.effects.covariates import design_of
from orchestration.science.effects.doubly_robust import (
    difference_in_means,
    effect_on_everybody,
    effect_on_treated,
    estimate_of,
    middle_of,
)
from orchestration.science.effects.overlap import kept_bounds, overlap_of
from orchestration.science.effects.records import Estimate
from orchestration.science.effects.regressions import expected_outcome, folds_of, propensity


@pytest.fixture
def strata():
    """Three strata with their own shares of treated, levels and effects."""
    random = np.random.default_rng(4)
    stratum = np.repeat([0, 1, 2], [60, 100, 40])
    treated = random.random(200) < np.array([0.2, 0.5, 0.7])[stratum]
    outcome = (
        stratum * 2.0 + treated * np.array([1.0, -1.0, 4.0])[stratum] + random.gamma(2, 1, 200)
    )
    return stratum, treated, outcome


def by_hand(stratum, treated, outcome, is_counted):
    """Differences of means in each stratum, weighted by who is counted there."""
    total = 0.0
    for one in np.unique(stratum):
        inside = stratum == one
        gap = outcome[inside & treated].mean() - outcome[inside & ~treated].mean()
        total += gap * (inside & is_counted).sum()
    return total / is_counted.sum()


def dummies(stratum):
    return np.column_stack([stratum == 1, stratum == 2]).astype(float)


def test_in_saturated_strata_the_estimate_is_the_stratified_one(strata):
    stratum, treated, outcome = strata
    columns, fold = dummies(stratum), np.zeros(200, dtype=np.int64)
    chance, _ = propensity(columns, treated, fold, penalties=(0.0,))
    untreated = expected_outcome(columns, outcome, ~treated, fold, penalties=(0.0,))
    with_event = expected_outcome(columns, outcome, treated, fold, penalties=(0.0,))
    att = effect_on_treated(treated, outcome, chance, untreated)
    assert att.value == pytest.approx(by_hand(stratum, treated, outcome, treated), abs=1e-9)
    ate = effect_on_everybody(treated, outcome, chance, untreated, with_event)
    everybody = np.ones(200, dtype=bool)
    assert ate.value == pytest.approx(by_hand(stratum, treated, outcome, everybody), abs=1e-9)


def test_either_regression_may_be_nonsense_if_the_other_is_right(strata):
    stratum, treated, outcome = strata
    columns, fold = dummies(stratum), np.zeros(200, dtype=np.int64)
    chance, _ = propensity(columns, treated, fold, penalties=(0.0,))
    untreated = expected_outcome(columns, outcome, ~treated, fold, penalties=(0.0,))
    expected = by_hand(stratum, treated, outcome, treated)
    half, level = np.full(200, 0.5), np.zeros(200)
    assert effect_on_treated(treated, outcome, chance, level).value == pytest.approx(expected)
    assert effect_on_treated(treated, outcome, half, untreated).value == pytest.approx(expected)
    neither = effect_on_treated(treated, outcome, half, level).value
    assert abs(neither - expected) > 0.3


def test_in_an_experiment_without_covariates_the_estimate_is_the_difference_in_means():
    random = np.random.default_rng(5)
    treated = np.repeat([True, False], [40, 60])
    outcome = random.gamma(1.5, 2.0, 100) + treated
    none = np.zeros((100, 0))
    # 40 and 60 divide by 5, so that every fold has the same share of treated.
    fold = folds_of(treated, np.arange(100), 5, seed=1)
    chance, _ = propensity(none, treated, fold)
    untreated = expected_outcome(none, outcome, ~treated, fold)
    assert chance == pytest.approx(np.full(100, 0.4), abs=1e-6)
    found = effect_on_treated(treated, outcome, chance, untreated).value
    assert found == pytest.approx(outcome[treated].mean() - outcome[~treated].mean(), abs=1e-9)


def test_the_standard_error_of_the_naive_difference_is_that_of_two_means():
    random = np.random.default_rng(6)
    treated = np.repeat([True, False], [30, 90])
    outcome = random.gamma(1.5, 2.0, 120)
    found = difference_in_means(treated, outcome, np.arange(120))
    assert found.value == pytest.approx(outcome[treated].mean() - outcome[~treated].mean())
    variance = outcome[treated].var() / 30 + outcome[~treated].var() / 90
    assert found.standard_error == pytest.approx(np.sqrt(variance * 120 / 119))


def test_rows_of_one_customer_told_twice_make_nothing_surer():
    random = np.random.default_rng(7)
    treated = random.random(80) < 0.4
    outcome = random.normal(0, 1, 80) + treated
    once = difference_in_means(treated, outcome, np.arange(80))
    twice = difference_in_means(np.tile(treated, 2), np.tile(outcome, 2), np.tile(np.arange(80), 2))
    assert twice.value == pytest.approx(once.value)
    assert twice.standard_error == pytest.approx(once.standard_error)


def test_without_covariates_differences_in_differences_are_those_of_four_means():
    random = np.random.default_rng(8)
    treated = np.repeat([True, False], [50, 50])
    before, after = random.poisson(2 + 3 * treated), random.poisson(3 + 4 * treated)
    half, level = np.full(100, 0.5), np.zeros(100)
    found = effect_on_treated(treated, (after - before).astype(float), half, level).value
    four = after[treated].mean() - before[treated].mean()
    four -= after[~treated].mean() - before[~treated].mean()
    assert found == pytest.approx(four)


def test_an_influence_says_how_far_the_estimate_moves_when_a_row_weighs_more(strata):
    """The derivative of the weighted estimate by the weight of a row, by finite differences."""
    stratum, treated, outcome = strata
    chance = np.array([0.2, 0.5, 0.7])[stratum]
    untreated = stratum * 2.0
    average = effect_on_treated(treated, outcome, chance, untreated)
    step = 100

    def repeated(row):
        rows = np.concatenate([np.tile(np.arange(200), step), [row]])
        return effect_on_treated(treated[rows], outcome[rows], chance[rows], untreated[rows]).value

    for row in (3, 90, 190):
        moved = (repeated(row) - average.value) * 200 * step
        assert moved == pytest.approx(average.influence[row], rel=0.02, abs=0.02)


def test_the_median_of_deals_carries_what_they_disagree_by():
    found = middle_of([Estimate(0.0, 3.0), Estimate(4.0, 3.0), Estimate(8.0, 3.0)])
    # Variances with disagreement: 9 + 16, 9, 9 + 16.
    assert found == Estimate(4.0, 5.0)


def test_bounds_are_those_of_the_normal_distribution():
    estimate = Estimate(1.0, 2.0)
    assert estimate.interval_80 == pytest.approx((-1.563103, 3.563103))
    assert estimate.interval_95 == pytest.approx((-2.919928, 4.919928))


def test_probabilities_spread_evenly_are_cut_where_crump_and_others_say():
    """Corollary 1 for a uniform propensity, whose conditional mean cost has a closed form."""

    def excess(low):
        mean_cost = 2 * np.log((1 - low) / low) / (1 - 2 * low)
        return 1 / (low * (1 - low)) - 2 * mean_cost

    expected = brentq(excess, 0.01, 0.4)
    even = (np.arange(200_000) + 0.5) / 200_000
    assert kept_bounds(even, "ate") == pytest.approx((expected, 1 - expected), abs=1e-4)


def test_weights_and_balance_are_those_counted_by_hand():
    covariate = np.array([[0.0], [1.0], [1.0], [0.0], [0.0], [0.0], [1.0]])
    treated = np.array([True, True, True, False, False, False, False])
    # Of four at 0 one is treated, of three at 1 two are.
    chance = np.where(covariate[:, 0] == 0, 1 / 4, 2 / 3)
    overlap, kept = overlap_of(design_of(covariate, ("flag",)), treated, chance, "att")
    assert kept.all()
    # Untreated weights 1/3, 1/3, 1/3 and 2: (1 + 2)^2 / (3/9 + 4).
    assert overlap.effective_control_count == pytest.approx(9 / (1 / 3 + 4))
    (balance,) = overlap.balance
    spread = np.sqrt((2 / 9 + 3 / 16) / 2)
    assert balance.before == pytest.approx((2 / 3 - 1 / 4) / spread)
    assert balance.after == pytest.approx(0.0, abs=1e-12)


def test_customers_share_folds_evenly_and_never_with_themselves():
    customer = np.repeat(np.arange(50), 3)
    treated = customer < 20
    fold = folds_of(treated, customer, 5, seed=3)
    assert all(np.unique(fold[customer == one]).size == 1 for one in range(50))
    assert np.bincount(fold[treated]).tolist() == [12] * 5
    assert np.bincount(fold[~treated]).tolist() == [18] * 5


def test_a_row_has_no_say_in_what_is_expected_of_it():
    random = np.random.default_rng(9)
    columns, outcome = random.normal(0, 1, (60, 2)), random.normal(0, 1, 60)
    group = np.ones(60, dtype=bool)
    fold = folds_of(np.arange(60) < 30, np.arange(60), 5, seed=1)
    expected = expected_outcome(columns, outcome, group, fold, penalties=(1.0,))
    louder = outcome.copy()
    louder[7] += 1_000
    again = expected_outcome(columns, louder, group, fold, penalties=(1.0,))
    same = fold == fold[7]
    assert again[same] == pytest.approx(expected[same])
    assert np.abs(again[~same] - expected[~same]).max() > 1


def test_estimates_do_not_hang_on_where_customers_start_to_count():
    treated, outcome = np.arange(40) < 15, np.arange(40.0)
    average = effect_on_treated(treated, outcome, np.full(40, 0.4), np.zeros(40))
    assert estimate_of(average, np.arange(40)) == estimate_of(average, np.arange(40) + 7)
