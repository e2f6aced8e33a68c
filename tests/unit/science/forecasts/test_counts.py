"""Distributions of counts that a mean and a probability of at least one fix."""

import numpy as np
import pytest

from orchestration.science.forecasts import counts
from orchestration.science.purchases import bgnbd
from tests import real_shops


def test_a_gamma_poisson_mixture_is_found_again_from_its_mean_and_its_zeros():
    rate = np.random.default_rng(4).gamma(0.7, 2.0, 400_000)
    drawn = np.random.default_rng(5).poisson(rate)
    shape = counts.shape_of([drawn.mean()], [(drawn > 0).mean()])
    assert shape[0] == pytest.approx(0.7, rel=0.01)
    for count in (0, 1, 4, 9):
        share = (drawn <= count).mean()
        assert counts.p_at_most(count, 1.4, 0.7) == pytest.approx(share, abs=0.003)


def test_the_shape_gives_back_the_probability_it_was_made_of():
    mean = np.array([1e-6, 0.01, 0.5, 3.0, 40.0])
    p_order = np.array([0.9e-6, 0.004, 0.35, 0.6, 0.97])
    shape = counts.shape_of(mean, p_order)
    assert counts.p_at_least_one(mean, shape) == pytest.approx(p_order, rel=1e-6)


def test_regular_customers_whose_zeros_are_rarer_than_random_ones_count_as_poisson():
    shape = counts.shape_of([1.0], [0.9])
    assert counts.p_at_least_one(1.0, shape)[0] == pytest.approx(1 - np.exp(-1), rel=1e-6)


def test_nobody_expected_to_order_has_an_interval_of_nothing():
    shape = counts.shape_of([0.0], [0.0])
    assert [bound.tolist() for bound in counts.interval(0.8, [0.0], shape)] == [[0.0], [0.0]]


def test_quantiles_are_the_smallest_counts_that_reach_their_probability():
    # Poisson with mean 1: 0.3679, 0.7358, 0.9197, 0.9810 up to 0, 1, 2 and 3.
    found = [float(counts.quantile(p, 1.0, 1e9)) for p in (0.36, 0.37, 0.9, 0.92, 0.98)]
    assert found == [0, 1, 2, 3, 3]


def test_the_upper_bound_of_a_closed_form_is_within_an_order_of_its_own_distribution():
    """The family stands in for the model's own counts, which sums over tens of terms would give.

    The few beyond are regulars who fell silent, half of whose probability is at zero.
    """
    known = real_shops.cdnow_known()
    x, t_x, T = (column[::10] for column in known.histories())
    fit = bgnbd.BgNbdFit.given(r=0.2516, alpha=33.52, a=0.7234, b=2.1611, time_unit="day")
    own = bgnbd.purchase_count_distribution(fit, np.arange(120)[:, None], 273, x, t_x, T)
    own_quantile = (np.cumsum(own, axis=0) < 0.9).sum(axis=0)
    mean = bgnbd.expected_purchases(fit, 273, x, t_x, T)
    shape = counts.shape_of(mean, bgnbd.p_at_least_one(fit, 273, x, t_x, T))
    assert (np.abs(counts.quantile(0.9, mean, shape) - own_quantile) <= 1).mean() > 0.97
