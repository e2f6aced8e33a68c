"""NBD against scipy and its own simulator, and as the limit of models of leaving where nobody leaves."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import gamma, nbinom, poisson

from orchestration.science.errors import NotConverged
from orchestration.science.histories import Groups, group_customers
from orchestration.science.purchases import nbd
from orchestration.science.purchases.models import MODELS

TRUTH = nbd.NbdFit.given(r=0.9, alpha=70.0, time_unit="day")


def young_shop():
    """Four months of a shop that nobody leaves."""
    age = np.random.default_rng(1).integers(1, 120, 4_000).astype(float)
    drawn = nbd.simulate(TRUTH, age, random_state=1)
    return drawn.frequency, np.ceil(drawn.recency), age


# Independent formulas


def test_the_likelihood_of_one_customer_is_the_integral_over_their_rate():
    """Two orders in 40 days, as a density of their times: rate^2 exp(-40 rate)."""
    groups = Groups(*(np.array([value]) for value in (2.0, 30.0, 40.0, 1.0)))
    mixing = gamma(0.9, scale=1 / 70.0)
    integral, _ = quad(lambda rate: rate**2 * np.exp(-40 * rate) * mixing.pdf(rate), 0, 1)
    ours, _ = nbd.log_likelihood(groups)(np.log([0.9, 70.0]))
    assert ours == pytest.approx(np.log(integral), rel=1e-8)


def test_the_counts_to_come_are_those_of_scipy_and_of_a_mixture_of_poissons():
    n = np.arange(40)
    ours = nbd.purchase_count_distribution(TRUTH, n, 90.0, 3, 50.0, 80.0)
    assert ours == pytest.approx(nbinom(3.9, 150 / 240).pmf(n), rel=1e-10)
    left = gamma(3.9, scale=1 / 150.0)
    mixed, _ = quad(lambda rate: poisson.pmf(2, 90 * rate) * left.pdf(rate), 0, 1)
    assert ours[2] == pytest.approx(mixed, rel=1e-8)
    assert float(nbd.expected_purchases(TRUTH, 90.0, 3, 50.0, 80.0)) == pytest.approx(ours @ n)
    assert float(nbd.p_at_least_one(TRUTH, 90.0, 3, 50.0, 80.0)) == pytest.approx(1 - ours[0])
    assert nbd.p_alive(TRUTH, [0, 3], [0.0, 1.0], 900.0).tolist() == [1, 1]


def test_the_gradient_is_that_of_the_likelihood():
    objective = nbd.log_likelihood(group_customers(*young_shop()))
    for natural in ([0.9, 70.0], [0.05, 900.0], [20.0, 3.0]):
        point = np.log(natural)
        numeric = approx_fprime(point, lambda p: objective(p)[0], 1e-7)
        assert objective(point)[1] == pytest.approx(numeric, rel=1e-3, abs=2e-2)


# Its own simulator


def test_known_parameters_are_recovered_within_their_standard_errors():
    age = np.random.default_rng(3).uniform(30, 1000, 9_000)
    drawn = nbd.simulate(TRUTH, age, random_state=4)
    found = nbd.fit(drawn.frequency, drawn.recency, age)
    assert found.level == "converged"
    for name in nbd.PARAMETERS:
        error = found.standard_errors[name]
        assert 0 < error < 0.1 * getattr(TRUTH, name)
        assert abs(getattr(found, name) - getattr(TRUTH, name)) < 3 * error


# As a limit


@pytest.mark.parametrize("name", list(MODELS))
def test_where_nobody_leaves_every_model_of_leaving_says_what_the_nbd_says(name):
    history = young_shop()
    found, limit = MODELS[name].fit(*history), nbd.fit(*history)
    assert found.converged
    assert found.verdict.endswith("that of the NBD: nobody is seen to leave")
    assert (found.r, found.alpha) == (limit.r, limit.alpha)
    assert found.log_likelihood == limit.log_likelihood
    errors = found.standard_errors
    assert errors.keys() == set(found.parameters)
    assert errors["r"] == limit.standard_errors["r"]
    of_leaving = set(found.parameters) - {"r", "alpha"}
    assert np.isnan([errors[parameter] for parameter in of_leaving]).all()
    for days in (30.0, 182.0):
        ours = MODELS[name].expected_purchases(found, days, *history)
        assert ours == pytest.approx(nbd.expected_purchases(limit, days, *history), rel=1e-4)
        ours = MODELS[name].p_at_least_one(found, days, *history)
        assert ours == pytest.approx(nbd.p_at_least_one(limit, days, *history), rel=1e-4)


def test_a_fit_that_ran_away_from_customers_who_do_leave_stays_refused():
    """Everyone leaves after the same time: at a bound as well, but far from a shop nobody leaves."""
    random = np.random.default_rng(5)
    age = random.integers(200, 700, 3_000).astype(float)
    drawn = nbd.simulate(TRUTH, np.minimum(age, 180.0), random_state=6)
    found = MODELS["pareto_nbd"].fit(drawn.frequency, np.ceil(drawn.recency), age)
    assert found.level == "at_bound"
    with pytest.raises(NotConverged, match="Pareto/NBD: not converged: the best fit lies at a"):
        MODELS["pareto_nbd"].expected_purchases(found, 90, 0, 0, 200)


# Verdicts


@pytest.mark.parametrize("n_customers", [0, 1, 500])
def test_too_little_data_is_a_verdict_and_no_number(n_customers):
    found = nbd.fit(np.zeros(n_customers), np.zeros(n_customers), np.full(n_customers, 90.0))
    assert found.level == "too_little_data"
    for predict in (nbd.p_at_least_one, nbd.expected_purchases):
        with pytest.raises(NotConverged, match="NBD: too little data"):
            predict(found, 90, 0, 0, 90)
    with pytest.raises(NotConverged, match="NBD: too little data"):
        nbd.p_alive(found, 0, 0, 90)
