"""Intervals of counts: the conformal quantile by hand, and the coverage of customers to come."""

import numpy as np
import pytest
from forecast_shops import sample_shop, steady_shop

from orchestration.science.court import metrics
from orchestration.science.forecasts import counts, intervals, origins
from orchestration.science.forecasts.registry import FORECASTERS
from tests import real_shops

CALIBRATED = pytest.mark.parametrize(
    "name", [name for name, forecaster in FORECASTERS.items() if hasattr(forecaster, "predict")]
)


def test_the_level_is_the_score_of_the_rank_that_split_conformal_prediction_takes():
    # 99 scores: ceil(0.8 x 100) = the 80th smallest.
    scores = np.random.default_rng(0).permutation(np.arange(1, 100) / 100)
    assert intervals._nominal(scores, 0.8) == pytest.approx(0.80, abs=1e-8)
    # 60 scores: ceil(0.8 x 61) = 49th.
    assert intervals._nominal(np.arange(60) / 60, 0.8) == pytest.approx(48 / 60, abs=1e-8)
    assert intervals._nominal(np.arange(49) / 49, 0.8) == 0.8


def test_a_score_is_the_level_from_which_on_the_count_is_inside():
    mean, shape = np.array([1.7]), np.array([0.6])
    for count in range(6):
        below, up_to = (counts.p_at_most(c, mean, shape)[0] for c in (count - 1, count))
        score = max(2 * below - 1, 1 - 2 * up_to, 0.0)
        for level in (score - 1e-6, score + 1e-6):
            if 0 <= level < 1:
                low, high = counts.interval(level, mean, shape)
                assert (low[0] <= count <= high[0]) == (level > score)


@CALIBRATED
def test_on_cdnow_four_in_five_customers_fall_inside(name):
    """Chosen within the 39 weeks that are known; the 39 weeks after decide."""
    known, horizon_days = real_shops.cdnow_known(), real_shops.CDNOW_HORIZON_DAYS
    actual = real_shops.cdnow().outcomes(known, horizon_days).order_count
    forecast = FORECASTERS[name].forecast(known, horizon_days)
    assert 0.78 <= metrics.coverage(forecast.orders_p10, forecast.orders_p90, actual) <= 0.82


def test_regulars_are_covered_too_and_not_at_the_cost_of_the_silent():
    shop = steady_shop(6_000)
    known = shop.known_at(shop.until - 300)
    actual = shop.outcomes(known, 300).order_count
    forecast = FORECASTERS["bgnbd"].forecast(known, 300)
    regular = forecast.p_order > 0.5
    assert 0.1 < regular.mean() < 0.9
    for group in (regular, ~regular):
        found = metrics.coverage(
            forecast.orders_p10[group], forecast.orders_p90[group], actual[group]
        )
        assert 0.72 < found < 0.88


def test_where_no_earlier_day_has_an_outcome_the_interval_is_nominal_and_says_so():
    shop = sample_shop()
    young = shop.known_at(shop.first_day + 80)
    assert origins.inner_origins(young, 90) == ()
    predicted = counts.of(np.array([2.0]), np.array([0.6]))
    found = intervals.intervals(young, FORECASTERS["bgnbd"].predict, 90, predicted)
    low, high = counts.interval(0.8, predicted.expected_orders, predicted.shape)
    assert (found.low[0], found.high[0]) == (low[0], high[0])
    assert "untested" in found.note


def test_a_level_that_is_unsure_makes_the_interval_wider():
    shop = steady_shop()
    forecaster = FORECASTERS["bgnbd"]
    predicted = forecaster.predict(shop, 365)
    sure, unsure = (
        intervals.intervals(shop, forecaster.predict, 365, predicted, log_sd)
        for log_sd in (0.0, 0.5)
    )
    assert (unsure.high - unsure.low).mean() > (sure.high - sure.low).mean()


def test_a_large_ledger_is_scored_on_every_kth_customer_with_all_that_is_known_of_each():
    shop = steady_shop()
    thin = origins.thinned(shop, 700)
    assert thin.customer_ids.tolist() == shop.customer_ids[::3].tolist()
    whole, part = shop.histories(), thin.histories()
    for column, some in zip(whole, part, strict=True):
        assert np.array_equal(column[::3], some)
