"""Pareto/NBD against published tables, an independent package and integrals by hand.

What holds for every model of orders is in `test_models`, all of CDNOW in `test_cdnow_holdout`.
"""

from itertools import pairwise

import cdnow
import numpy as np
import pytest
from lifetimes import ParetoNBDFitter
from scipy.integrate import quad

from orchestration.science.errors import NotConverged
from orchestration.science.histories import Groups, group_customers
from orchestration.science.purchases import pareto_nbd
from orchestration.science.purchases.fits import draw_orders

VALUES = {"r": 0.5533, "alpha": 10.5777, "s": 0.6062, "beta": 11.6687}
PUBLISHED = pareto_nbd.ParetoNbdFit.given(**VALUES, time_unit="week")
# alpha above beta, alpha equal to beta with s = 1, and alpha far below.
OTHERS = (
    {"r": 2.0, "alpha": 40.0, "s": 0.2, "beta": 5.0},
    {"r": 0.4, "alpha": 12.0, "s": 1.0, "beta": 12.0},
    {"r": 0.1, "alpha": 0.5, "s": 3.0, "beta": 90.0},
)


def reference(values):
    """The independent implementation, given parameters."""
    package = ParetoNBDFitter()
    package.params_ = values
    return package


# Published tables


def test_the_cdnow_sample_gives_the_published_parameters():
    data = cdnow.sample()
    found = pareto_nbd.fit(data.frequency, data.recency, data.age, time_unit="week")
    values = [found.r, found.alpha, found.s, found.beta]
    assert np.round(values, 4).tolist() == list(VALUES.values())
    assert round(found.log_likelihood, 3) == -9594.976
    assert found.verdict == "converged: 4 of 4 starts agree on the summit"


def test_the_published_conditional_expectation_comes_out():
    """A customer of the BTYD walk-through, with 26 orders in 31 weeks and a year to come."""
    expected = pareto_nbd.expected_purchases(PUBLISHED, 52, frequency=26, recency=30.86, age=31)
    assert round(float(expected), 2) == 25.46


# Independent formulas


@pytest.mark.parametrize("values", [VALUES, *OTHERS])
def test_expectations_and_p_alive_agree_with_lifetimes(values):
    data = cdnow.sample()
    history = (data.frequency, data.recency, data.age)
    fit = pareto_nbd.ParetoNbdFit.given(**values, time_unit="week")
    theirs = reference(values).conditional_probability_alive(*history)
    assert pareto_nbd.p_alive(fit, *history) == pytest.approx(theirs, abs=1e-8)
    if values["s"] == 1:
        return  # lifetimes divides by s - 1
    theirs = reference(values).conditional_expected_number_of_purchases_up_to_time(39, *history)
    assert pareto_nbd.expected_purchases(fit, 39, *history) == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("values", [VALUES, OTHERS[0], OTHERS[2]])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_the_distribution_of_later_orders_agrees_with_lifetimes(values, count):
    history = np.array([0, 2, 9]), np.array([0, 30.4, 30.0]), np.array([38.9, 38.9, 31])
    fit = pareto_nbd.ParetoNbdFit.given(**values, time_unit="week")
    ours = pareto_nbd.purchase_count_distribution(fit, count, 39.0, *history)
    theirs = reference(values).conditional_probability_of_n_purchases_up_to_time(
        count, 39.0, *history
    )
    assert ours == pytest.approx(theirs, abs=1e-7)


@pytest.mark.parametrize("values", [VALUES, *OTHERS])
def test_the_likelihood_is_that_of_lifetimes(values):
    data = cdnow.sample()
    groups = group_customers(data.frequency, data.recency, data.age)
    theirs = ParetoNBDFitter._conditional_log_likelihood(
        tuple(values.values()), groups.frequency, groups.recency, groups.age
    )
    ours, _ = pareto_nbd.log_likelihood(groups)(np.log(list(values.values())))
    assert ours == pytest.approx(groups.count @ theirs, rel=1e-10)


@pytest.mark.parametrize(
    ("x", "recency", "age"),
    [(0, 0.0, 0.01), (0, 0.0, 900.0), (3, 20.0, 900.0), (400, 300.0, 310.0)],
)
@pytest.mark.parametrize("alpha", [0.02, 8.0, 3000.0])
@pytest.mark.parametrize("beta", [0.005, 8.0, 20_000.0])
@pytest.mark.parametrize("s", [0.05, 40.0])
def test_having_left_is_the_integral_over_the_moment_of_leaving(x, recency, age, alpha, beta, s):
    k = 0.4 + x
    # In log(y - recency), cut into pieces: the integrand may peak anywhere on many scales.
    cuts = np.linspace(np.log(age - recency) - 40, np.log(age - recency), 60)

    def integrand(w):
        y = np.exp(w)
        orders, stays = np.log1p(y / (alpha + recency)), np.log1p(y / (beta + recency))
        return np.exp(w - k * orders - (s + 1) * stays)

    pieces = [quad(integrand, *ends, epsabs=0, epsrel=1e-11)[0] for ends in pairwise(cuts)]
    gone = s / (beta + recency) * sum(pieces)
    active = np.exp(
        -k * np.log1p((age - recency) / (alpha + recency))
        - s * np.log1p((age - recency) / (beta + recency))
    )
    fit = pareto_nbd.ParetoNbdFit.given(r=0.4, alpha=alpha, s=s, beta=beta, time_unit="day")
    ours = float(pareto_nbd.p_alive(fit, x, recency, age))
    assert ours == pytest.approx(active / (active + gone), rel=1e-8)


def test_with_one_scale_for_both_rates_the_integral_is_elementary():
    """alpha = beta: s int (c+y)^-(r+x+s+1) dy = s/(r+x+s) [(c+t_x)^-(r+x+s) - (c+T)^-(r+x+s)]."""
    r, c, s = 0.4, 12.0, 1.5
    groups = Groups(*(np.array([value]) for value in (3.0, 20.0, 50.0, 1.0)))
    ours, _ = pareto_nbd.log_likelihood(groups)(np.log([r, c, s, c]))
    power = r + 3 + s
    left = s / power * ((c + 20) ** -power - (c + 50) ** -power)
    by_hand = np.log(r * (r + 1) * (r + 2) * c ** (r + s) * ((c + 50) ** -power + left))
    assert ours == pytest.approx(by_hand, rel=1e-12)


def test_at_s_of_one_the_expectation_has_the_limit_of_its_neighbours():
    def expected(s):
        fit = pareto_nbd.ParetoNbdFit.given(r=0.4, alpha=12.0, s=s, beta=9.0, time_unit="week")
        return float(pareto_nbd.expected_purchases(fit, 39, 2, 30.0, 38.0))

    assert expected(1.0) == pytest.approx((expected(1 - 1e-6) + expected(1 + 1e-6)) / 2, rel=1e-9)


# A fit that runs away


def test_where_customers_leave_at_a_set_age_the_fit_says_that_it_ran_away():
    """No mixture of exponential lifetimes is so even: s and beta grow together without an end."""
    random = np.random.default_rng(1)
    age = random.integers(100, 720, 2_000).astype(float)
    drawn = draw_orders(
        random, random.gamma(0.8, 1 / 40, 2_000), age, 0.0, lifetime=random.normal(300, 30, 2_000)
    )
    found = pareto_nbd.fit(drawn.frequency, np.ceil(drawn.recency), age)
    assert found.level == "at_bound"
    assert found.verdict == "not converged: the best fit lies at a bound (s = 1e+03)"
    with pytest.raises(NotConverged, match="Pareto/NBD: not converged"):
        pareto_nbd.expected_purchases(found, 90, 2, 30, 60)
