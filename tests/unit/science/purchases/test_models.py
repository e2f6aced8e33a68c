"""What must hold for every model of orders: its own simulator, its limits, its refusals."""

from functools import partial

import cdnow
import numpy as np
import pytest
from scipy.optimize import approx_fprime

from orchestration.science.errors import DataError, NotConverged
from orchestration.science.histories import Groups, group_customers
from orchestration.science.purchases import bgnbd, fits, mbgcnbd_k, mbgnbd, pareto_nbd
from orchestration.science.purchases.models import MODELS

TRUTHS = {
    "bgnbd": bgnbd.BgNbdFit.given(r=0.6, alpha=60.0, a=0.8, b=2.5, time_unit="day"),
    "pareto_nbd": pareto_nbd.ParetoNbdFit.given(
        r=0.6, alpha=60.0, s=0.7, beta=200.0, time_unit="day"
    ),
    "mbgnbd": mbgnbd.MbgNbdFit.given(r=0.6, alpha=60.0, a=0.8, b=2.5, time_unit="day"),
    "mbgcnbd_k": mbgcnbd_k.MbgCnbdKFit.given(r=0.8, alpha=25.0, a=0.8, b=2.5, k=3, time_unit="day"),
}
EVERY = pytest.mark.parametrize("name", list(MODELS))
# A one-time buyer, a new customer, one who fell silent, a regular, and one who ordered today.
HISTORIES = (
    np.array([0, 0, 4, 60, 2]),
    np.array([0, 0, 60.0, 395.0, 400.0]),
    np.array([400, 0, 400.0, 400.0, 400.0]),
)


def objective_of(name, groups):
    """The log-likelihood of a model, at the regularity of its truth where it has one."""
    if name == "mbgcnbd_k":
        return mbgcnbd_k.log_likelihood(groups, TRUTHS[name].k)
    return {"bgnbd": bgnbd, "pareto_nbd": pareto_nbd, "mbgnbd": mbgnbd}[name].log_likelihood(groups)


def predictions(name, fit):
    """Every prediction that a history and a horizon are asked for."""
    model = MODELS[name]
    return {
        "p_alive": lambda horizon, *history: model.p_alive(fit, *history),
        "p_at_least_one": partial(model.p_at_least_one, fit),
        "expected_purchases": partial(model.expected_purchases, fit),
        "count": partial(model.purchase_count_distribution, fit, 0),
    }


def test_the_models_are_found_by_the_names_that_the_score_tables_carry():
    assert list(MODELS) == ["bgnbd", "pareto_nbd", "mbgnbd", "mbgcnbd_k"]
    for name, model in MODELS.items():
        assert name == model.MODEL_NAME
        assert set(TRUTHS[name].parameters) <= set(model.PARAMETERS)


@EVERY
def test_a_fit_is_rebuilt_from_its_stored_parameters(name):
    """Tables store every parameter as a floating-point number."""
    model, truth = MODELS[name], TRUTHS[name]
    stored = {parameter: float(getattr(truth, parameter)) for parameter in model.PARAMETERS}
    rebuilt = type(truth).given(**stored, time_unit=truth.time_unit)
    # Not the fits themselves: a given one has NaN for a likelihood, which equals nothing since Python 3.13.
    assert rebuilt.parameters == truth.parameters
    assert (rebuilt.time_unit, rebuilt.level) == (truth.time_unit, truth.level)
    ours = model.expected_purchases(rebuilt, 90.0, *HISTORIES)
    assert ours.tolist() == model.expected_purchases(truth, 90.0, *HISTORIES).tolist()
    assert model.simulate(rebuilt, [100.0] * 50, 1).frequency.sum() > 0


# Its own simulator


@EVERY
def test_known_parameters_are_recovered_within_their_standard_errors(name, monkeypatch):
    monkeypatch.setattr(fits, "COARSE_GROUPS", 1_000)
    truth = TRUTHS[name]
    age = np.random.default_rng(11).uniform(30, 1000, 9_000)
    drawn = MODELS[name].simulate(truth, age, random_state=12)
    found = MODELS[name].fit(drawn.frequency, drawn.recency, age)
    assert found.level == "converged"
    for parameter in truth.parameters:
        error = found.standard_errors[parameter]
        assert 0 < error < 0.25 * getattr(truth, parameter)
        assert abs(getattr(found, parameter) - getattr(truth, parameter)) < 3 * error
    assert getattr(found, "k", None) == getattr(truth, "k", None)


@EVERY
def test_simulated_customers_do_what_the_predictions_say(name):
    model, truth = MODELS[name], TRUTHS[name]
    age = np.full(300_000, 400.0)
    drawn = model.simulate(truth, age, random_state=5, later=90.0)
    for frequency in (0, 1, 3, 8):
        same = np.flatnonzero(drawn.frequency == frequency)[:20_000]
        assert same.size > 2_000
        history = (frequency, drawn.recency[same], 400.0)
        later = drawn.later_frequency[same]
        claims = {
            "orders": (model.expected_purchases(truth, 90, *history), later),
            "any order": (model.p_at_least_one(truth, 90, *history), later > 0),
            "two orders": (model.purchase_count_distribution(truth, 2, 90, *history), later == 2),
        }
        for claim, (predicted, seen) in claims.items():
            noise = max(seen.std(), 0.01) / np.sqrt(same.size)
            assert abs(np.mean(predicted) - seen.mean()) < 4 * noise, (frequency, claim)


@EVERY
def test_the_orders_of_new_customers_are_distributed_as_the_model_says(name):
    drawn = MODELS[name].simulate(TRUTHS[name], np.full(200_000, 300.0), random_state=8)
    share = np.bincount(drawn.frequency, minlength=30)[:30] / 200_000
    predicted = MODELS[name].purchase_count_distribution(
        TRUTHS[name], np.arange(30), 300.0, 0, 0, 0
    )
    assert np.abs(predicted - share).max() < 0.005


# Predictions among themselves


@EVERY
def test_the_probabilities_of_all_counts_add_up_to_one_and_to_the_expectation(name):
    model, truth = MODELS[name], TRUTHS[name]
    counts = np.arange(600)[:, None]
    probabilities = model.purchase_count_distribution(truth, counts, 90.0, *HISTORIES)
    assert probabilities.shape == (600, 5)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert probabilities.sum(axis=0) == pytest.approx(np.ones(5), abs=1e-9)
    expected = model.expected_purchases(truth, 90.0, *HISTORIES)
    assert (probabilities * counts).sum(axis=0) == pytest.approx(expected, rel=1e-6)
    p_order = model.p_at_least_one(truth, 90.0, *HISTORIES)
    assert 1 - probabilities[0] == pytest.approx(p_order, abs=1e-9)


@EVERY
def test_at_least_one_order_is_never_more_likely_than_being_active_or_than_orders_expected(name):
    data = cdnow.sample()
    history = (data.frequency, data.recency, data.age)
    for horizon in (0.5, 39, 2000):
        p_order = MODELS[name].p_at_least_one(TRUTHS[name], horizon, *history)
        assert ((p_order >= 0) & (p_order <= 1)).all()
        expected = MODELS[name].expected_purchases(TRUTHS[name], horizon, *history)
        assert (p_order <= expected + 1e-9).all()
        assert (p_order <= MODELS[name].p_alive(TRUTHS[name], *history) + 1e-12).all()


# Limits


@EVERY
def test_a_more_recent_last_order_never_lowers_p_alive(name):
    recency = np.linspace(1, 380, 200)
    for frequency in (1, 3, 30):
        alive = MODELS[name].p_alive(TRUTHS[name], frequency, recency, 388.6)
        assert (np.diff(alive) > 0).all()
        assert ((alive >= 0) & (alive <= 1)).all()


@EVERY
def test_a_longer_horizon_never_lowers_a_prediction(name):
    horizon = np.linspace(0, 400, 100)
    for history in ((0, 0, 20.0), (4, 15.0, 38.0), (60, 38.0, 38.5)):
        p_order = MODELS[name].p_at_least_one(TRUTHS[name], horizon, *history)
        assert p_order[0] == 0
        assert (np.diff(p_order) > -1e-12).all()
        expected = MODELS[name].expected_purchases(TRUTHS[name], horizon, *history)
        assert expected[0] == 0
        assert (np.diff(expected) > 0).all()


@EVERY
def test_ten_thousand_orders_overflow_nothing(name):
    # Half a mean waiting time since the last order, and five thousand of them.
    active, silent = (10_000, 999.95, 1000.0), (10_000, 500.0, 1000.0)
    model, truth = MODELS[name], TRUTHS[name]
    assert 0.9 < float(model.p_alive(truth, *active)) <= 1
    assert float(model.p_alive(truth, *silent)) == pytest.approx(0, abs=1e-12)
    # Ten orders a day go on for 30 days, less those of the few who leave.
    assert 250 < float(model.expected_purchases(truth, 30, *active)) < 301
    distribution = model.purchase_count_distribution(truth, np.arange(600), 30, *active)
    assert distribution.sum() == pytest.approx(1, abs=1e-6)
    groups = Groups(*(np.array([value]) for value in (*active, 1.0)))
    point = np.log([getattr(truth, parameter) for parameter in truth.parameters])
    value, gradient = objective_of(name, groups)(point)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@EVERY
def test_days_and_weeks_give_the_same_shop(name):
    data = cdnow.sample()
    in_weeks = MODELS[name].fit(data.frequency, data.recency, data.age, time_unit="week")
    in_days = MODELS[name].fit(data.frequency, data.recency * 7, data.age * 7)
    for parameter in in_weeks.parameters:
        factor = 7 if parameter in in_weeks.times else 1
        assert getattr(in_days, parameter) == pytest.approx(
            factor * getattr(in_weeks, parameter), rel=1e-5
        )
    # Each of the x order times is a density: 7 days to the week, once per repeat order.
    assert in_days.log_likelihood == pytest.approx(
        in_weeks.log_likelihood - data.frequency.sum() * np.log(7), abs=1e-5
    )
    assert (in_weeks.time_unit, in_days.time_unit) == ("week", "day")


# The likelihood


@EVERY
def test_the_gradient_is_that_of_the_likelihood(name):
    data = cdnow.sample()
    objective = objective_of(name, group_customers(data.frequency, data.recency, data.age))
    for natural in ([0.24, 4.4, 0.79, 2.4], [1.5, 30.0, 0.1, 0.4], [0.05, 0.5, 5.0, 50.0]):
        point = np.log(natural)
        numeric = approx_fprime(point, lambda p: objective(p)[0], 1e-7)
        assert objective(point)[1] == pytest.approx(numeric, rel=1e-3, abs=2e-2)


@EVERY
def test_a_customer_who_ordered_on_the_last_day_has_a_finite_likelihood(name):
    groups = group_customers([3, 1], [40.0, 40.0], [40.0, 40.0])
    value, gradient = objective_of(name, groups)(np.log([0.6, 60.0, 0.8, 2.5]))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


# Verdicts and refusals


@EVERY
@pytest.mark.parametrize(
    ("frequency", "recency", "age"),
    [([], [], []), ([1], [5], [10]), ([0] * 500, [0] * 500, [90] * 500)],
    ids=["nobody", "one customer", "one-time buyers only"],
)
def test_too_little_data_is_a_verdict_and_no_number(name, frequency, recency, age):
    found = MODELS[name].fit(frequency, recency, age)
    assert found.level == "too_little_data"
    assert not found.converged
    assert f"{len(age)} customers of whom" in found.verdict
    assert np.isnan([getattr(found, parameter) for parameter in found.parameters]).all()
    assert np.isnan(found.log_likelihood)
    for predict in predictions(name, found).values():
        with pytest.raises(NotConverged, match="too little data"):
            predict(90, 0, 0, 90)


@EVERY
def test_a_shop_in_which_all_order_by_the_clock_is_not_called_converged(name):
    """Rates that do not differ have no finite shape, and nothing says what leaving looks like."""
    age = np.random.default_rng(2).uniform(300, 400, 100)
    found = MODELS[name].fit(np.full(100, 30), age - 0.01, age)
    assert not found.converged
    assert found.verdict.startswith("not converged")
    for predict in predictions(name, found).values():
        with pytest.raises(NotConverged, match=f"{found.label}: not converged"):
            predict(90, 1, 10, 20)


@EVERY
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
def test_an_impossible_history_is_refused_with_its_row(name, frequency, recency, age, message):
    with pytest.raises(DataError, match=message):
        MODELS[name].fit(frequency, recency, age)
    for predict in predictions(name, TRUTHS[name]).values():
        with pytest.raises(DataError, match=message):
            predict(90, frequency, recency, age)


@EVERY
def test_a_weight_that_counts_nobody_is_refused(name):
    with pytest.raises(DataError, match="weight must be positive and finite; row 1 of 2"):
        MODELS[name].fit([0, 0], [0, 0], [10, 20], weight=[3, 0])


@EVERY
def test_a_horizon_into_the_past_and_a_count_that_is_none_are_refused(name):
    model, truth = MODELS[name], TRUTHS[name]
    for predict in (model.p_at_least_one, model.expected_purchases):
        with pytest.raises(DataError, match="horizon must be finite and >= 0"):
            predict(truth, -1, 0, 0, 10)
    with pytest.raises(DataError, match="horizon must be finite and >= 0"):
        model.purchase_count_distribution(truth, 1, np.nan, 0, 0, 10)
    for count in (-1, 0.5, np.nan):
        with pytest.raises(DataError, match="count must be a whole number >= 0"):
            model.purchase_count_distribution(truth, count, 90, 0, 0, 10)


@EVERY
def test_parameters_that_are_not_positive_are_refused_by_name(name):
    values = {parameter: 1.0 for parameter in TRUTHS[name].parameters} | {"alpha": -4.0}
    if name == "mbgcnbd_k":
        values["k"] = 2
    with pytest.raises(DataError, match="alpha must be positive and finite; found -4"):
        type(TRUTHS[name]).given(**values, time_unit="week")
