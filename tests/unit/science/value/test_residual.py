"""Residual margin: the figures by hand, the bounds on CDNOW, and every kind of shop that says little."""

from functools import cache

import numpy as np
import pytest
from small_shops import ledger_of

from orchestration.science.errors import DataError
from orchestration.science.forecasts.closed_forms import ClosedForm
from orchestration.science.forecasts.pooled import POOLED
from orchestration.science.forecasts.records import Forecast, no_forecast
from orchestration.science.ledger import Ledger
from orchestration.science.value.residual import (
    Earlier,
    discount_factor,
    earlier_forecasts,
    value_forecast,
)
from tests.real_shops import CDNOW_HORIZON_DAYS, cdnow, cdnow_known

PARETO = ClosedForm("pareto_nbd")
# Ann keeps 40 of 100, Bob 60 of 300; the shop 100 of 400.
ANN_AND_BOB = [("ann", 1, 100.0, 40.0), ("bob", 1, 200.0, 50.0), ("bob", 9, 100.0, 10.0)]


def orders(expected, p_order, horizon_days=365, level="customer") -> Forecast:
    return Forecast(
        model_name="by_hand",
        horizon_days=horizon_days,
        level=level,
        verdict="by hand",
        expected_orders=np.array(expected, dtype=float),
        p_order=np.array(p_order, dtype=float),
    )


def test_the_value_is_orders_times_order_value_times_margin_times_discount():
    shop = ledger_of(ANN_AND_BOB, 20)
    found = value_forecast(shop, orders([2.0, 0.5], [0.9, 0.4]), yearly_discount_rate=0.1)
    # Two customers are too few for Gamma-Gamma; means 100 and 150, population 125, k = 1.
    worth = np.array([(100 + 125) / 2, (300 + 125) / 3])
    ratio = np.array([(40 + 50) / 300, (60 + 50) / 500])
    # Evenly over a year: the integral of 1.1^-t.
    discount = (1 - 1 / 1.1) / np.log(1.1)
    assert found.order_value_model_name == "credibility_mean"
    assert found.expected_order_value == pytest.approx(worth)
    assert found.margin_ratio == pytest.approx(ratio)
    assert found.expected == pytest.approx(np.array([2.0, 0.5]) * worth * ratio * discount)


def test_who_likely_orders_nothing_has_zero_between_the_bounds():
    shop = ledger_of(ANN_AND_BOB, 20)
    found = value_forecast(shop, orders([2.0, 0.05], [0.85, 0.04]), 0.0)
    assert found.p10[0] == 0 < found.p90[0]
    assert found.p10[1] == found.p90[1] == 0


def test_a_customer_who_costs_more_than_they_bring_has_bounds_below_zero():
    shop = ledger_of([("ann", 1, 10.0, -4.0), ("ann", 5, 10.0, -4.0)], 20)
    found = value_forecast(shop, orders([3.0], [0.999]), 0.0)
    assert found.expected[0] == pytest.approx(-12)
    assert found.p10[0] < -12 < found.p90[0] < 0


def test_money_that_comes_later_is_worth_less():
    assert discount_factor(0.0, 365) == 1
    assert discount_factor(0.1, 365, [np.array([1.0])]) == pytest.approx(1 / 1.1)
    assert discount_factor(0.1, 730, [np.array([0.5]), np.array([1.0])]) == pytest.approx(
        (1 / 1.1 + 1 / 1.21) / 2
    )
    assert discount_factor(-0.05, 365) > 1


# CDNOW, 39 weeks after 39 weeks; amounts stand for margins, as in the published table.


@cache
def cdnow_value():
    known = cdnow_known()
    forecast = PARETO.forecast(known, CDNOW_HORIZON_DAYS)
    earlier = earlier_forecasts(known, PARETO, CDNOW_HORIZON_DAYS)
    found = value_forecast(known, forecast, 0.0, earlier)
    return found, forecast, cdnow().outcomes(known, CDNOW_HORIZON_DAYS)


def test_the_spend_of_cdnow_is_met_better_than_by_the_same_orders_with_repeat_orders_alone():
    found, _, outcomes = cdnow_value()
    error = found.expected - outcomes.margin_amount
    assert outcomes.margin_amount.sum() == pytest.approx(776_961.13)
    # The table: Pareto/NBD x Gamma-Gamma.
    assert np.abs(error).mean() < 31.99
    assert np.sqrt((error**2).mean()) < 92.87
    assert found.order_value_model_name == "gamma_gamma"


def test_four_in_five_outcomes_of_cdnow_lie_between_the_bounds():
    found, _, outcomes = cdnow_value()
    actual = outcomes.margin_amount
    share = ((actual >= found.p10) & (actual <= found.p90)).mean()
    assert 0.78 <= share <= 0.82
    assert "interval corrected by" in found.verdict


def test_no_group_of_cdnow_is_left_outside_much_more_than_its_share():
    found, forecast, outcomes = cdnow_value()
    inside = (outcomes.margin_amount >= found.p10) & (outcomes.margin_amount <= found.p90)
    none = 1 - forecast.p_order
    groups = {
        "regulars": none < 0.1,
        "likely": (none >= 0.1) & (none < 0.5),
        "unlikely": (none >= 0.5) & (none < 0.8),
        "silent": none >= 0.8,
    }
    for name, group in groups.items():
        # They owe 75%; one earlier day of half the length promises it to a few hundredths.
        assert inside[group].mean() > 0.68, name


def test_what_came_after_is_not_looked_at():
    """The later orders of every customer are a hundredfold; what was said before stays the same."""
    shop = cdnow()
    later = shop.orders.day > shop.until - CDNOW_HORIZON_DAYS
    raised = np.where(later, 100.0, 1.0)
    other = Ledger(
        shop.customer_ids,
        shop.orders._replace(
            net_amount=shop.orders.net_amount * raised,
            margin_amount=shop.orders.margin_amount * raised,
        ),
        shop.refunds,
        shop.until,
    ).known_at(shop.until - CDNOW_HORIZON_DAYS)
    found, forecast, _ = cdnow_value()
    again = value_forecast(
        other, forecast, 0.0, earlier_forecasts(other, PARETO, CDNOW_HORIZON_DAYS)
    )
    assert np.array_equal(again.expected, found.expected)
    assert np.array_equal(again.p90, found.p90)


# Shops from which little can be learnt


def test_a_shop_that_knows_no_margin_has_a_verdict_and_no_value():
    shop = ledger_of([("ann", 1, 10.0, 0.0)], 20)
    found = value_forecast(shop, orders([1.0], [0.5]), 0.1)
    assert (found.level, found.order_value_model_name) == ("none", None)
    assert "no order has a contribution margin" in found.verdict
    assert np.isnan(found.expected).all()


def test_a_shop_whose_orders_brought_nothing_has_a_verdict_and_no_value():
    shop = ledger_of([("ann", 1, 0.0, -3.0)], 20)
    found = value_forecast(shop, orders([1.0], [0.5]), 0.1)
    assert found.level == "none"
    assert found.verdict == "no order has a positive net amount"


def test_without_a_forecast_of_orders_there_is_no_value():
    shop = ledger_of(ANN_AND_BOB, 20)
    found = value_forecast(shop, no_forecast("bgnbd", 365, 2, "did not converge"), 0.1)
    assert found.level == "none"
    assert found.verdict == "no forecast of orders: did not converge"


def test_a_shop_of_one_time_buyers_gets_pooled_and_finite_values():
    shop = ledger_of([(f"c{n:03d}", n, 20.0 + n % 7, 8.0) for n in range(100)], 200)
    forecast = POOLED.forecast(shop, 365)
    found = value_forecast(shop, forecast, 0.1, earlier_forecasts(shop, POOLED, 365))
    assert found.level == "pooled"
    assert np.isfinite(found.expected).all()
    assert (found.expected > 0).all()


def test_one_customer_gets_a_finite_value():
    shop = ledger_of([("ann", 10 * n, 30.0, 12.0) for n in range(40)], 420)
    forecast = POOLED.forecast(shop, 90)
    found = value_forecast(shop, forecast, 0.1, earlier_forecasts(shop, POOLED, 90))
    assert found.level == "pooled"
    assert 0 < found.expected[0] < 30 * 0.4 * 60
    assert "interval not corrected" in found.verdict


def test_the_order_of_the_rows_moves_no_digit():
    rows = [(f"c{n % 60:03d}", 7 * n % 300, 15.0 + n % 11, 5.0 + n % 3) for n in range(200)]
    one, other = ledger_of(rows, 300), ledger_of(rows[::-1], 300)
    found = [value_forecast(shop, POOLED.forecast(shop, 90), 0.1) for shop in (one, other)]
    assert found[0].expected == pytest.approx(found[1].expected, rel=1e-12)
    assert found[0].p90 == pytest.approx(found[1].p90, rel=1e-9)


def test_earlier_days_lie_a_quarter_apart_and_their_horizon_is_over():
    shop = ledger_of([("ann", day, 9.0, 3.0) for day in range(0, 1000, 10)], 1000)
    found = earlier_forecasts(shop, POOLED, 365)
    assert [entry.known.until for entry in found] == [635, 544, 453]
    assert {entry.orders.horizon_days for entry in found} == {365}


def test_a_young_shop_learns_from_half_its_life():
    shop = ledger_of([(f"c{day % 4}", day, 9.0, 3.0) for day in range(0, 200, 5)], 200)
    [entry] = earlier_forecasts(shop, POOLED, 365)
    assert (entry.known.until, entry.orders.horizon_days) == (100, 100)
    assert earlier_forecasts(shop.known_at(50), POOLED, 365) == []


def test_a_forecast_of_another_ledger_is_refused():
    with pytest.raises(DataError, match="forecast is of 1 customers but the ledger has 2"):
        value_forecast(ledger_of(ANN_AND_BOB, 20), orders([1.0], [0.5]), 0.1)


def test_an_impossible_rate_is_refused():
    with pytest.raises(DataError, match="above -1; found -1"):
        value_forecast(ledger_of(ANN_AND_BOB, 20), orders([1.0, 1.0], [0.5, 0.5]), -1.0)


def test_an_earlier_day_without_a_forecast_is_left_out():
    shop = ledger_of(ANN_AND_BOB, 20)
    known = shop.known_at(5)
    silent = Earlier(known, no_forecast("x", 10, known.n_customers, "nothing"))
    found = value_forecast(shop, orders([2.0, 0.5], [0.9, 0.4]), 0.1, [silent])
    assert "not corrected: 0 earlier outcomes" in found.verdict
