"""MBG/CNBD-k against its special case, integrals by hand and known regularity.

What holds for every model of orders is in `test_models`.
"""

import cdnow
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln, gammaincc
from scipy.stats import gamma

from orchestration.science.errors import DataError
from orchestration.science.histories import Groups, group_customers
from orchestration.science.purchases import mbgcnbd_k, mbgnbd

VALUES = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
RANDOM = mbgcnbd_k.MbgCnbdKFit.given(**VALUES, k=1, time_unit="week")
REGULAR = mbgcnbd_k.MbgCnbdKFit.given(r=0.8, alpha=25.0, a=0.8, b=2.5, k=3, time_unit="day")


def drawn_shop(n_customers):
    age = np.random.default_rng(3).integers(60, 720, n_customers).astype(float)
    return mbgcnbd_k.simulate(REGULAR, age, random_state=4), age


# The special case


def test_without_regularity_every_prediction_is_that_of_the_mbgnbd():
    data = cdnow.sample()
    history = (data.frequency, data.recency, data.age)
    other = mbgnbd.MbgNbdFit.given(**VALUES, time_unit="week")
    assert mbgcnbd_k.p_alive(RANDOM, *history) == pytest.approx(
        mbgnbd.p_alive(other, *history), abs=1e-12
    )
    for predict in ("expected_purchases", "p_at_least_one"):
        ours = getattr(mbgcnbd_k, predict)(RANDOM, 39, *history)
        assert ours == pytest.approx(getattr(mbgnbd, predict)(other, 39, *history), abs=1e-9)
    counts = np.arange(20)
    ours = mbgcnbd_k.purchase_count_distribution(RANDOM, counts, 39, 2, 30.4, 38.9)
    theirs = mbgnbd.purchase_count_distribution(other, counts, 39, 2, 30.4, 38.9)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_cdnow_shows_no_regularity_as_published():
    """BTYDplus finds k = 1 on the sample; the fit is then that of the MBG/NBD."""
    data = cdnow.sample()
    found = mbgcnbd_k.fit(data.frequency, data.recency, data.age, time_unit="week")
    assert found.k == 1
    values = [found.r, found.alpha, found.a, found.b]
    assert np.round(values, 3).tolist() == [0.525, 6.183, 0.891, 1.614]
    assert found.converged


# Independent formulas


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize(
    ("x", "recency", "age"), [(0, 0.0, 80.0), (1, 30.0, 30.0), (4, 50.0, 65.0), (12, 100.0, 190.0)]
)
def test_the_likelihood_is_the_integral_over_rates_and_dropouts(k, x, recency, age):
    r, alpha, a, b = 0.8, 25.0, 0.8, 2.5

    def over_rates(of_rate):
        # The posterior of the rate at the last order has a closed form; the rest is integrated.
        posterior = gamma(r + k * x, scale=1 / (alpha + recency))
        return quad(lambda u: of_rate(posterior.ppf(u)), 0, 1, epsabs=1e-13, limit=400)[0]

    # No k-th event in the silence: the survival function of an Erlang distribution.
    silent = over_rates(lambda rate: float(gammaincc(k, rate * (age - recency))))
    p_stay = np.exp(betaln(a, b + x + 1) - betaln(a, b))
    p_leave = np.exp(betaln(a + 1, b + x) - betaln(a, b))
    log_rates = (
        sum(np.log(r + i) for i in range(k * x))
        + r * np.log(alpha)
        - (r + k * x) * np.log(alpha + recency)
    )
    by_hand = log_rates + np.log(p_stay * silent + p_leave)
    groups = Groups(*(np.array([value]) for value in (float(x), recency, age, 1.0)))
    ours, _ = mbgcnbd_k.log_likelihood(groups, k)(np.log([r, alpha, a, b]))
    timing = mbgcnbd_k._timing(groups, k, None)
    assert ours - timing == pytest.approx(by_hand, rel=1e-8)
    fit = mbgcnbd_k.MbgCnbdKFit.given(r=r, alpha=alpha, a=a, b=b, k=k, time_unit="day")
    alive = p_stay * silent / (p_stay * silent + p_leave)
    assert float(mbgcnbd_k.p_alive(fit, x, recency, age)) == pytest.approx(alive, rel=1e-8)


def test_a_regular_customer_who_is_overdue_is_given_up_sooner():
    """One order every 20 days, ten times; the random model allows for much more silence."""
    rates = {"r": 4.0, "a": 0.8, "b": 5.0, "time_unit": "day"}
    random = mbgcnbd_k.MbgCnbdKFit.given(**rates, alpha=80.0, k=1)
    by_the_clock = mbgcnbd_k.MbgCnbdKFit.given(**rates, alpha=80.0 / 6, k=6)
    for silence, sooner in ((5, False), (60, True), (90, True)):
        given_up = [
            1 - float(mbgcnbd_k.p_alive(fit, 10, 200.0, 200.0 + silence))
            for fit in (random, by_the_clock)
        ]
        assert (given_up[1] > given_up[0]) is sooner
    # Just after an order, the next one is not due for a while.
    soon = [
        float(mbgcnbd_k.p_at_least_one(fit, 5, 10, 200.0, 200.0)) for fit in (random, by_the_clock)
    ]
    assert soon[1] < soon[0] / 5


# The choice of k


def test_known_gaps_find_the_regularity_in_a_tenth_of_the_customers():
    drawn, age = drawn_shop(900)
    found = mbgcnbd_k.fit(drawn.frequency, drawn.recency, age, log_gap_sum=drawn.log_gap_sum)
    assert found.k == 3
    # The log-likelihood at the next k is lower by far, and not by chance.
    groups = group_customers(drawn.frequency, drawn.recency, age)
    evenness = mbgcnbd_k._evenness(groups, drawn.log_gap_sum)
    point = np.log([found.r, found.alpha * 4 / 3, found.a, found.b])
    ahead, _ = mbgcnbd_k.log_likelihood(groups, 4, evenness)(point)
    assert ahead < found.log_likelihood - 5


def test_the_unit_of_the_gaps_is_that_of_the_histories():
    drawn, age = drawn_shop(900)
    in_days = mbgcnbd_k.fit(drawn.frequency, drawn.recency, age, log_gap_sum=drawn.log_gap_sum)
    n_orders = drawn.frequency.sum()
    in_weeks = mbgcnbd_k.fit(
        drawn.frequency,
        drawn.recency / 7,
        age / 7,
        time_unit="week",
        log_gap_sum=drawn.log_gap_sum - n_orders * np.log(7),
    )
    assert in_weeks.k == in_days.k
    assert in_weeks.log_likelihood == pytest.approx(
        in_days.log_likelihood + n_orders * np.log(7), abs=1e-5
    )
    with pytest.raises(DataError, match="must be of the same customers and in the same unit"):
        mbgcnbd_k.fit(drawn.frequency, drawn.recency / 7, age / 7, log_gap_sum=drawn.log_gap_sum)
    with pytest.raises(DataError, match="log_gap_sum is nan"):
        mbgcnbd_k.fit(drawn.frequency, drawn.recency, age, log_gap_sum=np.nan)


def test_orders_by_the_clock_are_beyond_the_model_and_named_so():
    clock = mbgcnbd_k.MbgCnbdKFit.given(r=3.0, alpha=2.5, a=0.8, b=4.0, k=60, time_unit="day")
    age = np.full(100, 200.0)
    drawn = mbgcnbd_k.simulate(clock, age, random_state=9)
    found = mbgcnbd_k.fit(drawn.frequency, drawn.recency, age, log_gap_sum=drawn.log_gap_sum)
    assert found.level == "at_bound"
    assert found.verdict == "not converged: the best fit lies at a bound (k = 12)"


@pytest.mark.parametrize("k", [0, 2.5])
def test_a_regularity_that_is_no_count_is_refused(k):
    with pytest.raises(DataError, match="k must be"):
        mbgcnbd_k.MbgCnbdKFit.given(**VALUES, k=k, time_unit="week")
