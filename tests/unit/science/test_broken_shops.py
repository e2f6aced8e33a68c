"""Shops from which little can be learnt: every forecaster ends in a named verdict, and none in a silent number.

Each forecaster of the registry is asked; what holds for one model alone is in its own tests.
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from orchestration.science.churn.models import BASELINES as CHURN_BASELINES
from orchestration.science.churn.models import CHURN_FORECASTERS
from orchestration.science.errors import DataError
from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS
from orchestration.science.ledger import Ledger, ledger_from_tables
from orchestration.science.value.residual import value_forecast

UNTIL, HORIZON_DAYS = 1_000, 90


def shop_of(rows) -> Ledger:
    """A ledger from rows of customer, day and amount, half of which is margin."""
    customers, days, amounts = zip(*rows, strict=True)
    table = pa.table(
        {
            "customer_id": list(customers),
            "ordered_date": pa.array(days, pa.int32()).cast(pa.date32()),
            "net_amount": [float(amount) for amount in amounts],
            "margin_amount": [amount / 2 for amount in amounts],
        }
    )
    return ledger_from_tables(table, UNTIL)


@cache
def shop(name: str) -> Ledger:
    """Shops in which customers do not differ, or hardly exist."""
    many = [f"c{number:03}" for number in range(600)]
    return shop_of(
        {
            "one customer": lambda: [("a", 900, 10.0), ("a", 950, 12.0)],
            "one order": lambda: [("a", 900, 10.0)],
            "one-time buyers only": lambda: [(c, 400 + n, 9.0 + n) for n, c in enumerate(many)],
            "one history for all": lambda: [(c, d, 10.0) for c in many for d in (400, 500, 600)],
            "all came today": lambda: [(c, UNTIL, 10.0) for c in many],
            "orders by the clock": lambda: [
                (c, d, 10.0) for c in many[:50] for d in range(400, UNTIL + 1)
            ],
        }[name]()
    )


SHOPS = [
    "one customer",
    "one order",
    "one-time buyers only",
    "one history for all",
    "all came today",
    "orders by the clock",
]


@pytest.mark.parametrize("shop_name", SHOPS)
@pytest.mark.parametrize("model_name", [name for name in FORECASTERS if name not in BASELINE_NAMES])
def test_no_model_speaks_of_single_customers_where_customers_say_nothing_apart(
    model_name, shop_name
):
    said = FORECASTERS[model_name].forecast(shop(shop_name), HORIZON_DAYS)
    assert said.level in ("none", "pooled")
    assert len(said.verdict) > 10
    if said.level == "none":
        assert np.isnan(said.expected_orders).all()
        assert np.isnan(said.p_order).all()
        assert said.verdict.startswith(("too little data: ", "not converged: "))
    else:
        assert np.ptp(said.expected_orders) < 1e-9 * max(said.expected_orders.max(), 1.0)


@pytest.mark.parametrize("shop_name", SHOPS)
@pytest.mark.parametrize(
    "model_name", [name for name in CHURN_FORECASTERS if name not in CHURN_BASELINES]
)
def test_no_model_speaks_of_churn_where_customers_say_nothing_apart(model_name, shop_name):
    said = CHURN_FORECASTERS[model_name].predict(shop(shop_name), HORIZON_DAYS)
    assert said.level == "none"
    assert "too little data: " in said.verdict or "not converged: " in said.verdict
    assert np.isnan(said.p_churn).all()
    assert said.bands().tolist() == [None] * said.p_order.size


@pytest.mark.parametrize("shop_name", SHOPS)
@pytest.mark.parametrize("model_name", BASELINE_NAMES)
def test_a_forecast_without_a_model_is_a_number_for_everyone_and_names_its_rule(
    model_name, shop_name
):
    said = FORECASTERS[model_name].forecast(shop(shop_name), HORIZON_DAYS)
    assert len(said.verdict) > 10
    assert (np.isfinite(said.expected_orders) & (said.expected_orders >= 0)).all()
    assert ((said.p_order >= 0) & (said.p_order <= 1)).all()


@pytest.mark.parametrize("shop_name", ["one customer", "one-time buyers only"])
def test_without_a_forecast_of_orders_there_is_no_value_and_the_reason_is_handed_on(shop_name):
    known = shop(shop_name)
    orders = FORECASTERS["bgnbd"].forecast(known, HORIZON_DAYS)
    value = value_forecast(known, orders, 0.1)
    assert value.level == "none"
    assert value.verdict.startswith("no forecast of orders: too little data")
    assert np.isnan(value.expected).all()


@pytest.mark.parametrize("amount", [-5.0, 0.0])
def test_orders_that_bring_nothing_have_no_value_that_could_be_foretold(amount):
    rows = [(f"c{n}", day, amount) for n in range(600) for day in (400 + n % 300, 720 + n % 250)]
    known = shop_of(rows)
    orders = FORECASTERS["own_rate"].forecast(known, HORIZON_DAYS)
    value = value_forecast(known, orders, 0.1)
    assert (value.level, value.verdict) == ("none", "no order has a positive net amount")


@pytest.mark.parametrize("amount", [np.nan, np.inf, -np.inf])
def test_an_amount_that_is_no_number_is_refused_with_its_row(amount):
    with pytest.raises(DataError, match="net_amount must be finite; row 1 of 2"):
        shop_of([("a", 900, 10.0), ("b", 950, amount)])
