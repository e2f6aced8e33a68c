"""BG/BB against the published donors, an independent package, its simulator and its limits."""

from itertools import product

import numpy as np
import pytest
from donors import donors
from lifetimes import BetaGeoBetaBinomFitter
from scipy.optimize import approx_fprime
from scipy.special import betaln

from orchestration.science.errors import DataError, NotConverged
from orchestration.science.histories import Groups
from orchestration.science.purchases import bgbb

TRUTH = bgbb.BgBbFit.given(alpha=1.2, beta=0.75, gamma=0.7, delta=2.8, time_unit="year")
# gamma below, at and above 1, where the closed form of the expectation has its pole.
OTHERS = (
    {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783},
    {"alpha": 0.3, "beta": 4.0, "gamma": 2.0, "delta": 9.0},
    {"alpha": 6.0, "beta": 1.5, "gamma": 1.4, "delta": 0.4},
)


def every_history(n):
    """All (x, t_x, n) with n opportunities."""
    rows = [(0, 0, n)] + [(x, t_x, n) for t_x in range(1, n + 1) for x in range(1, t_x + 1)]
    return np.array(rows, dtype=float).T


@pytest.fixture(scope="module")
def donor_fit():
    return bgbb.fit(*donors(), time_unit="year")


# Published tables


def test_the_donors_give_the_published_parameters(donor_fit):
    found = [donor_fit.alpha, donor_fit.beta, donor_fit.gamma, donor_fit.delta]
    assert np.round(found, 3).tolist() == [1.204, 0.750, 0.657, 2.783]
    assert round(donor_fit.log_likelihood, 1) == -33225.6
    assert donor_fit.n_customers == 11104
    assert donor_fit.verdict == "converged: 4 of 4 starts agree on the summit"


def test_two_donors_are_expected_to_give_as_often_as_the_walk_through_of_btyd_prints(donor_fit):
    """Ten years ahead: nothing given in six years, and four gifts of which the last in year five."""
    expected = bgbb.expected_purchases(donor_fit, 10, [0, 4], [0, 5], 6)
    assert expected == pytest.approx([0.1302169, 3.627858], rel=1e-4)


# Independent formulas


@pytest.mark.parametrize("values", OTHERS)
@pytest.mark.parametrize(("n", "horizon"), [(1, 1), (6, 10), (12, 40)])
def test_expectations_and_p_alive_agree_with_lifetimes_on_every_history(values, n, horizon):
    history = every_history(n)
    package = BetaGeoBetaBinomFitter()
    package.params_ = values
    fit = bgbb.BgBbFit.given(**values, time_unit="year")
    # It adds 1e-15 to a part of every likelihood; left out is where that moves an expectation.
    added = 1e-15 / np.exp(betaln(fit.alpha, fit.beta) + betaln(fit.gamma, fit.delta))
    likelihood = np.exp(package._loglikelihood(tuple(values.values()), *history))
    likely = horizon * added / likelihood < 1e-7
    assert likely.mean() > 0.5
    theirs = package.conditional_expected_number_of_purchases_up_to_time(horizon, *history)
    ours = bgbb.expected_purchases(fit, horizon, *history)
    assert ours[likely] == pytest.approx(theirs[likely], abs=1e-6)
    theirs = package.conditional_probability_alive(1, *history)
    assert bgbb.p_alive(fit, *history)[likely] == pytest.approx(theirs[likely], abs=1e-6)


@pytest.mark.parametrize("values", OTHERS)
def test_the_chances_of_all_sequences_add_up_to_one_and_those_without_an_order_to_their_share(
    values,
):
    """All 2^9 sequences of nine opportunities, by (6) alone; then what (x, t_x) of six foretell."""
    fit = bgbb.BgBbFit.given(**values, time_unit="year")
    sequences = np.array(list(product([0, 1], repeat=9)), dtype=float)
    likelihood = np.exp(sequence_log_likelihood(fit, sequences))
    assert likelihood.sum() == pytest.approx(1, abs=1e-12)
    seen = (sequences[:, :6] == [1, 0, 1, 0, 0, 0]).all(axis=1)
    orders = sequences[seen, 6:].sum(axis=1)
    share = likelihood[seen] / likelihood[seen].sum()
    ours = float(bgbb.p_at_least_one(fit, 3, 2, 3, 6))
    assert ours == pytest.approx(share[orders > 0].sum(), rel=1e-10)
    assert float(bgbb.expected_purchases(fit, 3, 2, 3, 6)) == pytest.approx(share @ orders)


def sequence_log_likelihood(fit, sequences):
    """The log-likelihood of each sequence of 0 and 1, from its three numbers."""
    n = np.full(len(sequences), sequences.shape[1], dtype=float)
    last = np.where(
        sequences.any(axis=1), sequences.shape[1] - np.argmax(sequences[:, ::-1], axis=1), 0
    )
    point = np.log([fit.alpha, fit.beta, fit.gamma, fit.delta])
    rows = zip(sequences.sum(axis=1), last, n, strict=True)
    return np.array(
        [
            bgbb.log_likelihood(Groups(*(np.array([float(v)]) for v in (*row, 1))))(point)[0]
            for row in rows
        ]
    )


def test_the_gradient_is_that_of_the_likelihood():
    objective = bgbb.log_likelihood(Groups(*donors()))
    for natural in ([1.2, 0.75, 0.66, 2.8], [0.2, 5.0, 3.0, 0.4], [8.0, 8.0, 0.1, 30.0]):
        point = np.log(natural)
        numeric = approx_fprime(point, lambda p: objective(p)[0], 1e-7)
        assert objective(point)[1] == pytest.approx(numeric, rel=1e-3, abs=0.1)


# Its own simulator


def test_known_parameters_are_recovered_within_their_standard_errors():
    n = np.random.default_rng(4).integers(3, 13, 20_000)
    drawn = bgbb.simulate(TRUTH, n, random_state=5)
    found = bgbb.fit(drawn.frequency, drawn.recency, n)
    assert found.level == "converged"
    for name in bgbb.PARAMETERS:
        error = found.standard_errors[name]
        assert 0 < error < 0.15 * getattr(TRUTH, name)
        assert abs(getattr(found, name) - getattr(TRUTH, name)) < 3 * error


def test_simulated_customers_do_what_the_predictions_say():
    drawn = bgbb.simulate(TRUTH, np.full(200_000, 6), random_state=7, later=4)
    for x, t_x in ((0, 0), (1, 1), (3, 5), (6, 6)):
        later = drawn.later_frequency[(drawn.frequency == x) & (drawn.recency == t_x)]
        assert later.size > 2_000
        noise = max(later.std(), 0.01) / np.sqrt(later.size)
        assert abs(bgbb.expected_purchases(TRUTH, 4, x, t_x, 6) - later.mean()) < 4 * noise
        noise = max((later > 0).std(), 0.01) / np.sqrt(later.size)
        assert abs(bgbb.p_at_least_one(TRUTH, 4, x, t_x, 6) - (later > 0).mean()) < 4 * noise


# Limits


def test_a_longer_silence_never_raises_p_alive_and_a_thousand_opportunities_overflow_nothing():
    alive = bgbb.p_alive(TRUTH, 3, np.arange(3, 41), 40)
    assert (np.diff(alive) > 0).all()
    assert ((alive >= 0) & (alive <= 1)).all()
    assert 0.9 < float(bgbb.p_alive(TRUTH, 1000, 1000, 1000)) < 1
    assert 25 < float(bgbb.expected_purchases(TRUTH, 30, 1000, 1000, 1000)) < 30
    assert float(bgbb.p_alive(TRUTH, 900, 901, 2000)) == pytest.approx(0, abs=1e-12)


# Verdicts and refusals


@pytest.mark.parametrize(
    ("x", "t_x", "n", "count"),
    [([], [], [], []), ([1], [2], [6], [1]), ([0], [0], [6], [500])],
    ids=["nobody", "one customer", "one-time buyers only"],
)
def test_too_little_data_is_a_verdict_and_no_number(x, t_x, n, count):
    found = bgbb.fit(x, t_x, n, count)
    assert found.level == "too_little_data"
    assert np.isnan([found.alpha, found.beta, found.gamma, found.delta]).all()
    for predict in (bgbb.p_at_least_one, bgbb.expected_purchases):
        with pytest.raises(NotConverged, match="BG/BB: too little data"):
            predict(found, 4, 0, 0, 6)
    with pytest.raises(NotConverged, match="BG/BB: too little data"):
        bgbb.p_alive(found, 0, 0, 6)


def test_customers_who_never_miss_an_opportunity_are_not_called_converged():
    found = bgbb.fit([6], [6], [6], [500])
    assert not found.converged
    assert found.verdict.startswith("not converged")


@pytest.mark.parametrize(
    ("x", "t_x", "n", "message"),
    [
        (np.nan, 1, 6, "frequency must be finite and >= 0"),
        (-1, 1, 6, "frequency must be finite and >= 0"),
        (3, 2, 6, "frequency must not exceed recency: one order per opportunity"),
        (1, 1.5, 6, "recency must be a whole number of opportunities"),
        (1, 1, 6.5, "opportunities must be a whole number of opportunities"),
        (1, 7, 6, "recency must not exceed age"),
    ],
)
def test_an_impossible_history_is_refused_with_its_row(x, t_x, n, message):
    with pytest.raises(DataError, match=f"{message}; row 0 of 1"):
        bgbb.fit([x], [t_x], [n])
    with pytest.raises(DataError, match=message):
        bgbb.expected_purchases(TRUTH, 4, x, t_x, n)


def test_a_horizon_that_is_no_number_of_opportunities_is_refused():
    with pytest.raises(DataError, match="count must be a whole number >= 0"):
        bgbb.expected_purchases(TRUTH, 2.5, 0, 0, 6)
