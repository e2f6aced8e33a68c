"""BG/NBD against the published CDNOW tables, an independent package, its own simulator, its limits."""

import cdnow
import numpy as np
import pytest
from lifetimes import BetaGeoFitter
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import beta

from orchestration.science import bgnbd
from orchestration.science.errors import DataError, NotConverged
from orchestration.science.histories import Groups, group_customers

PUBLISHED = bgnbd.BgNbdFit.given(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259, time_unit="week")
TRUTH = bgnbd.BgNbdFit.given(r=0.6, alpha=60.0, a=0.8, b=2.5, time_unit="day")


@pytest.fixture(scope="module")
def sample_fit():
    data = cdnow.sample()
    return bgnbd.fit(data.frequency, data.recency, data.age, time_unit="week")


@pytest.fixture(scope="module")
def full_fit():
    data = cdnow.everyone()
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


def test_all_of_cdnow_gives_the_recomputed_parameters(full_fit):
    found = [full_fit.r, full_fit.alpha, full_fit.a, full_fit.b]
    assert np.round(found, 4).tolist() == [0.2516, 4.7889, 0.7234, 2.1611]
    assert round(full_fit.log_likelihood, 3) == -95368.444
    assert full_fit.n_customers == 23570


def test_the_published_conditional_expectation_comes_out_to_five_digits():
    # 1.22603 belongs to the parameters as the paper prints them.
    rounded = bgnbd.BgNbdFit.given(r=0.243, alpha=4.414, a=0.793, b=2.426, time_unit="week")
    expected = bgnbd.expected_purchases(rounded, 39, frequency=2, recency=30.43, age=38.86)
    assert round(float(expected), 5) == 1.22603


def test_the_cdnow_holdout_has_the_errors_that_stand_in_the_table_to_beat(full_fit):
    data = cdnow.everyone()
    actual = data.later_frequency
    history = (data.frequency, data.recency, data.age)
    expected = bgnbd.expected_purchases(full_fit, 39, *history)
    p_order = bgnbd.p_at_least_one(full_fit, 39, *history)
    assert actual.sum() == 19684
    assert round(np.abs(expected - actual).mean(), 4) == 0.8187
    assert round(np.sqrt(((expected - actual) ** 2).mean()), 4) == 1.7329
    assert round(expected.sum() / actual.sum() - 1, 3) == -0.143
    assert round(((p_order - (actual > 0)) ** 2).mean(), 4) == 0.1654


def test_days_and_weeks_give_the_same_shop(sample_fit):
    data = cdnow.sample()
    in_days = bgnbd.fit(data.frequency, data.recency * 7, data.age * 7)
    assert in_days.alpha == pytest.approx(7 * sample_fit.alpha, rel=1e-6)
    assert (in_days.r, in_days.a, in_days.b) == pytest.approx(
        (sample_fit.r, sample_fit.a, sample_fit.b), rel=1e-6
    )
    # Each of the x order times is a density: 7 days to the week, once per repeat order.
    assert in_days.log_likelihood == pytest.approx(
        sample_fit.log_likelihood - data.frequency.sum() * np.log(7), abs=1e-6
    )


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


def test_the_gradient_is_that_of_the_likelihood():
    data = cdnow.sample()
    objective = bgnbd.log_likelihood(group_customers(data.frequency, data.recency, data.age))
    for natural in ([0.24, 4.4, 0.79, 2.4], [1.5, 30.0, 0.1, 0.4], [0.05, 0.5, 5.0, 50.0]):
        point = np.log(natural)
        numeric = approx_fprime(point, lambda p: objective(p)[0], 1e-7)
        assert objective(point)[1] == pytest.approx(numeric, rel=1e-3, abs=2e-2)


def test_the_likelihood_is_that_of_lifetimes():
    data = cdnow.sample()
    groups = group_customers(data.frequency, data.recency, data.age)
    log_parameters = np.log([0.5, 6.0, 0.4, 1.1])
    mean_loss = BetaGeoFitter._negative_log_likelihood(
        log_parameters, groups.frequency, groups.recency, groups.age, groups.count, 0.0
    )
    ours, _ = bgnbd.log_likelihood(groups)(log_parameters)
    assert ours == pytest.approx(-mean_loss * groups.count.sum(), rel=1e-12)


# Its own simulator


def test_known_parameters_are_recovered_within_their_standard_errors():
    age = np.random.default_rng(11).uniform(30, 1000, 60_000)
    drawn = bgnbd.simulate(TRUTH, age, random_state=12)
    found = bgnbd.fit(drawn.frequency, drawn.recency, age)
    assert found.level == "converged"
    for name in bgnbd.PARAMETERS:
        error = found.standard_errors[name]
        assert 0 < error < 0.1 * getattr(TRUTH, name)
        assert abs(getattr(found, name) - getattr(TRUTH, name)) < 3 * error


def test_simulated_customers_do_what_the_predictions_say():
    age = np.full(400_000, 400.0)
    drawn = bgnbd.simulate(TRUTH, age, random_state=5, later=90.0)
    history = (drawn.frequency, drawn.recency, age)
    expected = bgnbd.expected_purchases(TRUTH, 90, *history)
    p_order = bgnbd.p_at_least_one(TRUTH, 90, *history)
    for frequency in (0, 1, 3, 8):
        same = drawn.frequency == frequency
        later = drawn.later_frequency[same]
        for predicted, seen in ((expected[same], later), (p_order[same], later > 0)):
            noise = seen.std() / np.sqrt(same.sum())
            assert abs(predicted.mean() - seen.mean()) < 4 * noise


def test_the_distribution_of_counts_is_that_of_the_simulator():
    drawn = bgnbd.simulate(TRUTH, np.full(200_000, 300.0), random_state=8)
    share = np.bincount(drawn.frequency, minlength=30)[:30] / 200_000
    predicted = bgnbd.p_purchase_count(TRUTH, np.arange(30), 300.0)
    assert np.abs(predicted - share).max() < 0.005


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


def test_a_more_recent_last_order_never_lowers_p_alive():
    recency = np.linspace(1, 38, 200)
    for frequency in (1, 3, 30):
        alive = bgnbd.p_alive(PUBLISHED, frequency, recency, 38.86)
        assert (np.diff(alive) > 0).all()


def test_a_longer_horizon_never_lowers_a_prediction():
    horizon = np.linspace(0, 400, 300)
    for history in ((0, 0, 20.0), (4, 15.0, 38.0), (60, 38.0, 38.5)):
        p_order = bgnbd.p_at_least_one(PUBLISHED, horizon, *history)
        assert p_order[0] == 0
        assert (np.diff(p_order) >= 0).all()
        expected = bgnbd.expected_purchases(PUBLISHED, horizon, *history)
        assert expected[0] == 0
        assert (np.diff(expected) > 0).all()


def test_at_least_one_order_is_never_more_likely_than_orders_are_expected():
    data = cdnow.sample()
    history = (data.frequency, data.recency, data.age)
    p_order = bgnbd.p_at_least_one(PUBLISHED, 39, *history)
    assert ((p_order >= 0) & (p_order <= 1)).all()
    assert (p_order <= bgnbd.expected_purchases(PUBLISHED, 39, *history) + 1e-12).all()
    assert (p_order <= bgnbd.p_alive(PUBLISHED, *history)).all()


def test_ten_thousand_orders_overflow_nothing():
    active = (10_000, 999.5, 1000.0)
    silent = (10_000, 500.0, 1000.0)
    assert float(bgnbd.p_alive(TRUTH, *active)) > 0.9
    assert float(bgnbd.p_alive(TRUTH, *silent)) == pytest.approx(0, abs=1e-12)
    # Ten orders a day go on, less the few of which one is the last: p is about .8 / 10,002.
    assert 3000 < float(bgnbd.expected_purchases(TRUTH, 365, *active)) < 3500
    groups = Groups(*(np.array([value]) for value in (*active, 1.0)))
    value, gradient = bgnbd.log_likelihood(groups)(np.log([0.6, 60.0, 0.8, 2.5]))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


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
    monkeypatch.setattr(bgnbd, "COARSE_GROUPS", 100)
    data = cdnow.sample()
    found = bgnbd.fit(data.frequency, data.recency, data.age, time_unit="week")
    assert found.converged
    assert found.log_likelihood == pytest.approx(sample_fit.log_likelihood, abs=1e-7)


# Verdicts and refusals


@pytest.mark.parametrize(
    ("frequency", "recency", "age"),
    [([], [], []), ([1], [5], [10]), ([0] * 500, [0] * 500, [90] * 500)],
    ids=["nobody", "one customer", "one-time buyers only"],
)
def test_too_little_data_is_a_verdict_and_no_number(frequency, recency, age):
    found = bgnbd.fit(frequency, recency, age)
    assert found.level == "too_little_data"
    assert not found.converged
    assert f"{len(age)} customers of whom" in found.verdict
    assert np.isnan([found.r, found.alpha, found.a, found.b, found.log_likelihood]).all()
    with pytest.raises(NotConverged, match="too little data"):
        bgnbd.p_at_least_one(found, 90, 0, 0, 90)


def test_a_shop_that_nobody_leaves_is_not_called_converged():
    """Orders by the clock up to the last day: nothing in the data says what leaving looks like."""
    age = np.random.default_rng(2).uniform(300, 400, 500)
    found = bgnbd.fit(np.full(500, 30), age - 0.01, age)
    assert not found.converged
    assert found.verdict.startswith("not converged")
    with pytest.raises(NotConverged, match="not converged"):
        bgnbd.expected_purchases(found, 90, 1, 10, 20)


@pytest.mark.parametrize(
    ("frequency", "recency", "age", "message"),
    [
        ([1.0, np.nan], [5, 5], [10, 10], "frequency must be finite and >= 0; row 1 of 2"),
        ([-1], [0], [10], "frequency must be finite and >= 0"),
        ([1.5], [5], [10], "frequency must be a whole number"),
        ([1], [11], [10], "recency must not exceed age; row 0 of 1 has frequency 1, recency 11"),
        ([0], [3], [10], "recency must be 0 where frequency is 0"),
        ([2], [0], [10], "recency must be above 0 where frequency is"),
        ([1], [5], [np.inf], "age must be finite and >= 0"),
        ([1, 2], [5], [10, 10, 10], "differ in shape"),
    ],
)
def test_an_impossible_history_is_refused_with_its_row(frequency, recency, age, message):
    with pytest.raises(DataError, match=message):
        bgnbd.fit(frequency, recency, age)


def test_a_weight_that_counts_nobody_is_refused():
    with pytest.raises(DataError, match="weight must be positive and finite; row 1 of 2"):
        bgnbd.fit([0, 0], [0, 0], [10, 20], weight=[3, 0])


def test_a_horizon_into_the_past_is_refused():
    with pytest.raises(DataError, match="horizon must be finite and >= 0"):
        bgnbd.p_at_least_one(PUBLISHED, -1, 0, 0, 10)


def test_parameters_that_are_not_positive_are_refused_by_name():
    with pytest.raises(DataError, match="alpha must be positive and finite; found -4"):
        bgnbd.BgNbdFit.given(r=0.2, alpha=-4, a=1, b=1, time_unit="week")
