"""Every metric against a truth that it did not make: the CDNOW table, scipy, or a count by hand."""

from functools import cache

import cdnow
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import mannwhitneyu, spearmanr

from orchestration.science.court import metrics
from orchestration.science.errors import DataError
from orchestration.science.purchases.models import MODELS

HORIZON_WEEKS = 39


@cache
def cdnow_forecast(name):
    """Expected orders, probability of any, and orders of all customers of CDNOW, 39/39 weeks."""
    data = cdnow.everyone()
    history = (data.frequency, data.recency, data.age)
    fit = MODELS[name].fit(*history, time_unit="week")
    return (
        MODELS[name].expected_purchases(fit, HORIZON_WEEKS, *history),
        MODELS[name].p_at_least_one(fit, HORIZON_WEEKS, *history),
        data.later_frequency,
    )


@cache
def drawn():
    """1,500 customers with counts, over-dispersed and with many ties, from a fixed seed."""
    random = np.random.default_rng(7)
    forecast = np.round(random.gamma(0.6, 1.5, 1_500), 2)
    return forecast, random.poisson(forecast * random.gamma(2, 0.5, 1_500)).astype(float)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("bgnbd", [0.8187, 1.7329, -0.143, 0.4420, 0.6626, 0.4558]),
        ("pareto_nbd", [0.7938, 1.7262, -0.129, 0.4517, 0.6733, 0.4600]),
    ],
)
def test_the_errors_on_cdnow_are_those_of_the_published_table(name, row):
    expected, _, actual = cdnow_forecast(name)
    assert [
        round(metrics.mean_absolute_error(expected, actual), 4),
        round(metrics.root_mean_squared_error(expected, actual), 4),
        round(metrics.total_bias(expected, actual), 3),
        round(metrics.spearman(expected, actual), 4),
        round(metrics.normalised_gini(expected, actual), 4),
        round(metrics.top_capture(expected, actual), 4),
    ] == row


def test_the_probabilities_on_cdnow_have_the_scores_of_the_published_table():
    _, p_order, actual = cdnow_forecast("bgnbd")
    event = actual > 0
    assert round(event.mean(), 4) == 0.2994
    assert round(metrics.brier_score(p_order, event), 4) == 0.1654
    assert round(metrics.area_under_curve(p_order, event), 4) == 0.7466
    assert round(metrics.expected_calibration_error(p_order, event), 4) == 0.0397
    assert round(metrics.lift(p_order, event), 2) == 2.67


def test_the_own_rate_on_cdnow_has_the_ranking_of_the_table_where_ties_stay_in_the_order_of_rows():
    """The table was made with a stable sort; 13,000 customers share the rate 0."""
    data = cdnow.everyone()
    rate = np.divide(data.frequency, data.age, out=np.zeros(data.age.size), where=data.age > 0)
    actual = data.later_frequency
    assert round(metrics.normalised_gini(rate, actual, ties="as_given"), 4) == 0.6506
    assert round(metrics.top_capture(rate, actual, ties="as_given"), 4) == 0.4438


def test_averaged_ties_do_not_depend_on_the_order_of_rows():
    forecast, actual = drawn()
    mixed = np.random.default_rng(1).permutation(forecast.size)
    for metric in (metrics.normalised_gini, metrics.top_capture, metrics.spearman):
        assert metric(forecast[mixed], actual[mixed]) == pytest.approx(metric(forecast, actual))


def test_averaged_ties_are_the_mean_over_random_orders():
    forecast, actual = np.round(drawn()[0]), drawn()[1]
    random = np.random.default_rng(3)
    found = []
    for _ in range(400):
        mixed = random.permutation(forecast.size)
        found.append(
            [
                metric(forecast[mixed], actual[mixed], ties="as_given")
                for metric in (metrics.normalised_gini, metrics.top_capture)
            ]
        )
    error = np.std(found, axis=0) / np.sqrt(len(found))
    exact = [
        metrics.normalised_gini(forecast, actual),
        metrics.top_capture(forecast, actual),
    ]
    assert (np.abs(np.mean(found, axis=0) - exact) < 4 * error).all()


def test_spearman_and_the_roc_area_are_those_of_scipy():
    forecast, actual = drawn()
    event = actual > 0
    assert metrics.spearman(forecast, actual) == pytest.approx(
        spearmanr(forecast, actual).statistic, abs=1e-12
    )
    u = mannwhitneyu(forecast[event], forecast[~event]).statistic
    assert metrics.area_under_curve(forecast, event) == pytest.approx(
        u / (event.sum() * (~event).sum()), abs=1e-12
    )


def test_the_gini_of_four_customers_is_that_counted_by_hand():
    # Shares captured, best first: forecast .5 .6 .6 1, perfect .5 .9 1 1, random .25 .5 .75 1.
    assert metrics.normalised_gini([4, 3, 2, 1], [5, 1, 0, 4]) == pytest.approx(0.2 / 0.9)


def test_a_perfect_order_has_gini_one_and_its_reverse_less_than_none():
    _, actual = drawn()
    assert metrics.normalised_gini(actual, actual) == pytest.approx(1)
    assert metrics.normalised_gini(-actual, actual) < 0
    assert metrics.normalised_gini(np.zeros(actual.size), actual) == pytest.approx(0, abs=1e-12)


def test_the_losses_of_one_customer_are_those_worked_out_by_hand():
    # 2 (3 ln(3/2) - 3 + 2) and 2 (0 - 0 + 0.5); ln of 1/0.8 and of 1/(1-0.25).
    assert metrics.poisson_deviances([2.0, 0.5], [3, 0]) == pytest.approx([0.4327906486, 1.0])
    assert metrics.log_losses([0.8, 0.25], [1, 0]) == pytest.approx([0.2231435513, 0.2876820725])


def test_one_certain_forecast_that_is_wrong_costs_no_more_than_one_in_a_million():
    assert metrics.log_losses([0.0, 1.0], [1, 0]) == pytest.approx([13.815510558, 13.815510558])


def test_the_base_rate_itself_has_no_brier_skill_and_a_perfect_forecast_all_of_it():
    event = np.array([1, 0, 0, 0])
    assert metrics.brier_skill(np.full(4, 0.25), event) == pytest.approx(0)
    assert metrics.brier_skill(event, event) == pytest.approx(1)


def test_ece_weighs_each_tenth_by_its_customers():
    # Bin 0.0-0.1: three of 0.05, none happened: 0.05. Bin 0.9-1: one of 1.0 and it happened: 0.
    assert metrics.expected_calibration_error([0.05, 0.05, 0.05, 1.0], [0, 0, 0, 1]) == (
        pytest.approx(0.75 * 0.05)
    )


@pytest.mark.parametrize("kind", ["logistic", "poisson"])
def test_calibration_lines_are_those_of_a_general_optimiser(kind):
    forecast, actual = drawn()
    if kind == "logistic":
        p = forecast / (forecast + 1)
        event = (actual > 0).astype(float)
        x = np.log(np.clip(p, 1e-6, 1 - 1e-6) / (1 - np.clip(p, 1e-6, 1 - 1e-6)))
        found = metrics.probability_calibration(p, event)

        def minus_likelihood(b):
            eta = b[0] + b[1] * x
            return np.logaddexp(0, eta).sum() - event @ eta
    else:
        x = np.log(np.maximum(forecast, metrics.COUNT_FLOOR))
        found = metrics.count_calibration(forecast, actual)

        def minus_likelihood(b):
            eta = b[0] + b[1] * x
            return np.exp(eta).sum() - actual @ eta

    best = minimize(minus_likelihood, [0.0, 0.5], method="Nelder-Mead", options={"xatol": 1e-9})
    assert minus_likelihood([found.intercept, found.slope]) <= best.fun + 1e-7
    assert [found.intercept, found.slope] == pytest.approx(best.x, abs=1e-4)


def test_a_line_of_amounts_solves_the_poisson_equations_whatever_their_sign():
    forecast, actual = drawn()
    amounts = 30 * actual - np.where(actual == 0, 4.0, 0.0)
    assert (amounts < 0).any()
    found = metrics.amount_calibration(20 * forecast, amounts)
    x = np.log(np.maximum(20 * forecast, metrics.AMOUNT_FLOOR * amounts.mean()))
    mean = np.exp(found.intercept + found.slope * x)
    assert (amounts - mean).sum() == pytest.approx(0, abs=1e-6 * amounts.sum())
    assert (amounts - mean) @ x == pytest.approx(0, abs=1e-6 * amounts.sum())


def test_the_tweedie_deviance_is_smallest_at_the_mean_whatever_the_sign_of_an_amount():
    amounts = np.array([-20.0, 0.0, 10.0, 90.0])
    levels = np.linspace(5, 60, 551)
    sums = [metrics.tweedie_deviances(np.full(4, level), amounts).sum() for level in levels]
    assert levels[int(np.argmin(sums))] == pytest.approx(20.0)
    # By hand, where the forecast is above the floor: 4 (9 / 2 + 2 - 2 * 3).
    assert metrics.tweedie_deviances([4.0], [9.0]).tolist() == [2.0]


def test_a_true_forecast_has_slope_one_and_one_twice_too_sure_has_half():
    random = np.random.default_rng(11)
    log_odds = random.normal(-1, 1.2, 200_000)
    event = random.random(log_odds.size) < 1 / (1 + np.exp(-log_odds))
    right = metrics.probability_calibration(1 / (1 + np.exp(-log_odds)), event)
    sure = metrics.probability_calibration(1 / (1 + np.exp(-2 * log_odds)), event)
    # Three standard errors of a slope at this size.
    assert [right.slope, right.intercept] == pytest.approx([1, 0], abs=0.02)
    assert [sure.slope, sure.intercept] == pytest.approx([0.5, 0], abs=0.02)


def test_bounds_belong_to_the_interval():
    assert metrics.coverage([0, 1, 2, 0], [0, 3, 2, 1], [0, 3, 3, 0.5]) == 0.75


@pytest.mark.parametrize(
    "metric",
    [metrics.spearman, metrics.normalised_gini, metrics.top_capture, metrics.area_under_curve],
)
def test_what_the_outcome_cannot_tell_is_no_number(metric):
    assert np.isnan(metric([0.1, 0.2, 0.3], [0, 0, 0]))


def test_no_line_is_drawn_where_there_is_none():
    apart = metrics.probability_calibration([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    constant = metrics.count_calibration([1.0, 1.0], [0, 2])
    nobody = metrics.probability_calibration([0.1, 0.2], [0, 0])
    for found in (apart, constant, nobody):
        assert np.isnan(found).all()


def test_the_bias_of_nothing_is_no_number_and_the_bias_of_zero_for_all_is_minus_one():
    assert np.isnan(metrics.total_bias([1.0], [0.0]))
    assert metrics.total_bias([0.0, 0.0], [1, 2]) == -1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: metrics.mean_absolute_error([np.nan], [1.0]), "finite"),
        (lambda: metrics.mean_absolute_error([1.0, 2.0], [1.0]), "shape"),
        (lambda: metrics.log_loss([1.2], [1]), r"\[0, 1\]"),
        (lambda: metrics.log_loss([0.2], [2]), "happened or not"),
        (lambda: metrics.poisson_deviances([1.0], [-1.0]), "negative"),
        (lambda: metrics.coverage([2.0], [1.0], [1.0]), "exceed"),
    ],
)
def test_what_is_no_forecast_or_no_outcome_is_refused_by_name(call, said):
    with pytest.raises(DataError, match=said):
        call()
