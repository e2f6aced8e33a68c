"""What must hold for every forecaster: its limits, its silence, and that it sees no future."""

import numpy as np
import pytest
from forecast_shops import ledger_of, sample_shop, steady_shop

from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS

EVERY = pytest.mark.parametrize("name", list(FORECASTERS))
MODELLED = pytest.mark.parametrize(
    "name", [name for name in FORECASTERS if name not in BASELINE_NAMES]
)


@EVERY
def test_a_forecast_has_a_possible_number_for_every_customer(name):
    shop = steady_shop()
    forecast = FORECASTERS[name].forecast(shop, 90)
    assert forecast.level in ("customer", "pooled")
    assert (forecast.model_name, forecast.horizon_days) == (name, 90)
    assert forecast.expected_orders.shape == forecast.p_order.shape == (shop.n_customers,)
    assert (forecast.p_order <= forecast.expected_orders + 1e-12).all()


@MODELLED
def test_bounds_are_whole_numbers_around_what_is_expected_of_regulars(name):
    forecast = FORECASTERS[name].forecast(steady_shop(), 365)
    low, high = forecast.orders_p10, forecast.orders_p90
    assert (low == np.floor(low)).all()
    assert (high == np.floor(high)).all()
    assert (low <= high).all()
    # The mean of who seldom comes lies in a tail beyond the bounds; that of a regular does not.
    regular = forecast.expected_orders > 3
    assert regular.sum() > 20
    inside = (low <= forecast.expected_orders) & (forecast.expected_orders <= high)
    assert inside[regular].mean() > 0.95


@EVERY
def test_the_same_ledger_gives_the_same_numbers_whatever_comes_later(name):
    shop = sample_shop()
    day = shop.until - 400
    earlier, again = shop.known_at(day), shop.known_at(shop.until - 50).known_at(day)
    forecasts = [FORECASTERS[name].forecast(ledger, 90) for ledger in (earlier, again)]
    for column in ("expected_orders", "p_order", "orders_p10", "orders_p90"):
        first, second = (getattr(forecast, column) for forecast in forecasts)
        assert np.array_equal(first, second) or (first is None and second is None)
    assert forecasts[0].verdict == forecasts[1].verdict


@EVERY
@pytest.mark.parametrize(
    "orders",
    [
        [("ann", 0)],
        [("ann", 0), ("ann", 30), ("ann", 60)],
        [(f"c{number}", number % 50) for number in range(400)],
    ],
    ids=["one customer", "one regular", "one-time buyers only"],
)
def test_a_shop_that_says_too_little_has_a_baseline_and_otherwise_a_verdict(name, orders):
    shop = ledger_of(orders, 500)
    forecast = FORECASTERS[name].forecast(shop, 90)
    if name in BASELINE_NAMES:
        assert forecast.level in ("customer", "pooled")
        assert np.isfinite(forecast.expected_orders).all()
    elif forecast.level == "pooled":
        assert np.isfinite(forecast.expected_orders).all()
        assert "share the chances of their group" in forecast.verdict
    else:
        assert forecast.level == "none"
        assert "too little data" in forecast.verdict
        assert np.isnan(forecast.expected_orders).all()
        assert forecast.expected_orders.size == shop.n_customers


@EVERY
def test_before_the_first_order_there_is_nobody_to_forecast_and_it_says_so(name):
    nobody = ledger_of([("ann", 10)], 20).known_at(ledger_of([("ann", 10)], 20).until - 15)
    forecast = FORECASTERS[name].forecast(nobody, 90)
    assert forecast.level == "none"
    assert forecast.verdict
    assert forecast.expected_orders.size == 0
