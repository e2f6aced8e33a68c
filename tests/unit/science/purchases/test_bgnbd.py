"""BG/NBD against the published CDNOW tables, an independent package and integrals by hand.

What holds for every model of orders is in `test_models`, all of CDNOW in `test_cdnow_holdout`.
"""

import cdnow
import numpy as np
import pytest
from lifetimes import BetaGeoFitter
from scipy.integrate import quad
from scipy.stats import beta

from orchestration.science.histories import group_customers
from orchestration.science.purchases import bgnbd, fits

PUBLISHED = bgnbd.BgNbdFit.given(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259, time_unit="week")
TRUTH = bgnbd.BgNbdFit.given(r=0.6, alpha=60.0, a=0.8, b=2.5, time_unit="day")


@pytest.fixture(scope="module")
def sample_fit():
    data = cdnow.sample()
    return bgnbd.fit(data.frequency, data.recency, data.age, time_unit="week")


def reference():
    """The independent implementation, given the published parameters."""
    package = BetaGeoFitter()
    package.params_ = {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}
    return package


# Published tables


def test_the_cdnow_sample_gives_the_published_parameters(sample_fit):
    found = [sample_fit.r, sample_fit.alpha, sample_fit.a, sample_fit.b]
    assert np.round(found, 4).tolist() == [0.2426, 4.4136, 0.7929, 2.4259]
    assert round(sample_fit.log_likelihood, 3) == -9582.429
    assert sample_fit.n_customers == 2357
    assert sample_fit.verdict == "converged: 4 of 4 starts agree on the summit"


def test_the_published_conditional_expectation_comes_out_to_five_digits():
    # 1.22603 belongs to the parameters as the paper prints them.
    rounded = bgnbd.BgNbdFit.given(r=0.243, alpha=4.414, a=0.793, b=2.426, time_unit="week")
    expected = bgnbd.expected_purchases(rounded, 39, frequency=2, recency=30.43, age=38.86)
    assert round(float(expected), 5) == 1.22603


# Independent formulas


def test_expectations_and_p_alive_agree_with_lifetimes():
    data = cdnow.sample()
    history = (data.frequency, data.recency, data.age)
    package = reference()
    theirs = package.conditional_expected_number_of_purchases_up_to_time(39, *history)
    assert bgnbd.expected_purchases(PUBLISHED, 39, *history) == pytest.approx(theirs, abs=1e-6)
    theirs = package.conditional_probability_alive(*history)
    assert bgnbd.p_alive(PUBLISHED, *history) == pytest.approx(theirs, abs=1e-9)


def test_the_expectation_of_a_new_customer_agrees_with_lifetimes():
    theirs = reference().expected_number_of_purchases_up_to_time(np.array([1.0, 13.0, 39.0]))
    ours = bgnbd.expected_purchases_if_alive(PUBLISHED, [1.0, 13.0, 39.0], 0, 0)
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("a", [0.05, 0.4, 1.0, 1.000001, 3.0, 40.0])
@pytest.mark.parametrize("b", [0.3, 0.6, 2.5])
@pytest.mark.parametrize(("x", "age"), [(0, 0.0), (0, 500.0), (1, 30.0), (7, 900.0), (900, 1000.0)])
def test_the_expectation_of_an_active_customer_is_the_integral_over_their_dropout(a, b, x, age):
    fit = bgnbd.BgNbdFit.given(r=0.6, alpha=60.0, a=a, b=b, time_unit="day")
    t, k = 365.0, fit.r + x

    def given_dropout(p):
        # E[(1 - exp(-lambda p t)) / p] over lambda ~ Gamma(r + x, alpha + T)
        return -np.expm1(-k * np.log1p(p * t / (fit.alpha + age))) / p

    # By quantile, so that the integrand has no pole even for a = 0.05.
    dropout = beta(a, b + x)
    integral, _ = quad(
        lambda u: given_dropout(max(dropout.ppf(u), 1e-12)), 0, 1, limit=500, epsabs=1e-12
    )
    ours = bgnbd.expected_purchases_if_alive(fit, t, x, age)
    assert float(ours) == pytest.approx(integral, rel=1e-6)


def test_the_likelihood_is_that_of_lifetimes():
    data = cdnow.sample()
    groups = group_customers(data.frequency, data.recency, data.age)
    log_parameters = np.log([0.5, 6.0, 0.4, 1.1])
    mean_loss = BetaGeoFitter._negative_log_likelihood(
        log_parameters, groups.frequency, groups.recency, groups.age, groups.count, 0.0
    )
    ours, _ = bgnbd.log_likelihood(groups)(log_parameters)
    assert ours == pytest.approx(-mean_loss * groups.count.sum(), rel=1e-12)


def test_the_probabilities_of_all_counts_add_up_to_one():
    counts = np.arange(3000)
    probabilities = bgnbd.p_purchase_count(TRUTH, counts, 300.0)
    assert probabilities.sum() == pytest.approx(1, abs=1e-9)
    mean = float(bgnbd.expected_purchases_if_alive(TRUTH, 300.0, 0, 0))
    assert probabilities @ counts == pytest.approx(mean, rel=1e-6)
    assert bgnbd.p_purchase_count(TRUTH, [0, 1, 5], 0.0).tolist() == [1.0, 0.0, 0.0]


# Limits


def test_who_ordered_once_is_alive_for_certain_but_may_well_not_order_again():
    assert float(bgnbd.p_alive(PUBLISHED, 0, 0, 38.86)) == 1
    assert float(bgnbd.p_at_least_one(PUBLISHED, 13, 0, 0, 38.86)) < 0.1


# Grouping


def test_counts_in_any_order_give_the_fit_of_the_customers_one_by_one(sample_fit):
    data = cdnow.sample()
    groups = group_customers(data.frequency, data.recency, data.age)
    assert groups.count.sum() == 2357
    assert groups.count.size < 1100
    shuffled = np.random.default_rng(3).permutation(groups.count.size)
    x, t_x, age, count = (column[shuffled] for column in groups)
    split = np.concatenate([count * 0.25, count * 0.75])
    found = bgnbd.fit(np.tile(x, 2), np.tile(t_x, 2), np.tile(age, 2), split, time_unit="week")
    assert found.r == sample_fit.r
    assert found.log_likelihood == sample_fit.log_likelihood


def test_a_thinned_start_ends_on_the_summit_of_the_whole(sample_fit, monkeypatch):
    monkeypatch.setattr(fits, "COARSE_GROUPS", 100)
    data = cdnow.sample()
    found = bgnbd.fit(data.frequency, data.recency, data.age, time_unit="week")
    assert found.converged
    assert found.log_likelihood == pytest.approx(sample_fit.log_likelihood, abs=1e-7)
