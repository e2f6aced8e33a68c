"""The record of a forecast, the plain forecasters, and what all of them have in common."""

import numpy as np
import pytest

from orchestration.science.churn.models import BASELINES, CHURN_FORECASTERS
from orchestration.science.churn.records import ChurnForecast, no_churn_forecast
from orchestration.science.errors import DataError
from orchestration.science.ledger import NEVER, Ledger, Orders, Refunds
from orchestration.science.purchases import bgnbd
from tests.real_shops import CDNOW_FIT_END, cdnow
from tests.unit.science.churn.late_parcels import FIRST_DAY, drawn_shop


def forecast_of(*p_order: float) -> ChurnForecast:
    return ChurnForecast(
        model_name="given",
        horizon_days=90,
        level="customer",
        verdict="given",
        p_order=np.array(p_order),
        is_one_time=np.arange(len(p_order)) % 2 == 0,
    )


def three_customers() -> Ledger:
    """Ann orders on days 0, 10 and 95, Bob on day 20, Cid on days 50 and 99; today is day 100."""
    none = np.zeros(0, dtype=np.int32)
    customer = np.array([0, 0, 0, 1, 2, 2], dtype=np.int32)
    money = np.ones(6)
    return Ledger(
        np.array(["ann", "bob", "cid"], dtype=object),
        Orders(
            customer,
            np.array([0, 10, 95, 20, 50, 99], dtype=np.int32),
            money,
            money,
            money,
            np.zeros(6, dtype=bool),
            np.full(6, NEVER, dtype=np.int32),
        ),
        Refunds(none, none, none, none.astype(float), none.astype(float)),
        100,
    )


def test_churn_is_the_absence_of_any_order():
    assert forecast_of(0.25, 0.9, 0.0).p_churn.tolist() == pytest.approx([0.75, 0.1, 1.0])


def test_bands_begin_at_half_and_double_the_odds_of_the_mean():
    # The mean is 0.25: odds of 1/3. Half of it is 1/6, a probability of 1/7; double is 2/3, 2/5.
    p = [0.142, 0.143, 0.399, 0.401]
    rest = [0.25 * 6 - sum(p) - 0.2, 0.2]
    said = forecast_of(*p, *rest)
    assert said.p_order.mean() == pytest.approx(0.25)
    assert said.bands().tolist()[:4] == ["high", "medium", "medium", "low"]


def test_equal_probabilities_are_all_in_the_middle():
    assert forecast_of(0.1, 0.1, 0.1).bands().tolist() == ["medium"] * 3
    assert forecast_of(1.0, 1.0).bands().tolist() == ["medium"] * 2
    assert forecast_of(0.0, 0.0).bands().tolist() == ["medium"] * 2


def test_a_certain_order_is_no_risk_and_no_chance_of_one_is():
    assert forecast_of(1.0, 0.0, 0.5).bands().tolist() == ["low", "high", "medium"]


def test_without_a_forecast_there_is_no_band_and_no_reason():
    said = no_churn_forecast("given", 90, np.array([True, False]), "too young")
    assert said.bands().tolist() == [None, None]
    assert said.reasons() is None
    assert said.groups.tolist() == ["one-time", "repeat"]
    assert said.verdict == "too young"


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_an_impossible_probability_is_refused(wrong):
    with pytest.raises(DataError, match="given: p_order is impossible for 1 of 2"):
        forecast_of(0.5, wrong)


def test_the_base_rate_is_counted_over_the_latest_closed_horizon():
    said = CHURN_FORECASTERS["base_rate"].predict(three_customers(), 40)
    # Of the three customers of day 60, Ann (95) and Cid (99) ordered within 40 days.
    assert said.p_order.tolist() == pytest.approx([2 / 3] * 3)
    assert said.verdict == "2 of 3 ordered in the last 40 days"
    assert said.level == "pooled"


def test_nobody_has_a_base_rate_before_the_first_horizon_is_over():
    said = CHURN_FORECASTERS["base_rate"].predict(three_customers(), 101)
    assert said.level == "none"
    assert "nobody was a customer 101 days before" in said.verdict


def test_the_own_rate_is_that_of_repeat_orders():
    said = CHURN_FORECASTERS["own_rate"].predict(three_customers(), 30)
    expected = [1 - np.exp(-30 * 2 / 101), 0, 1 - np.exp(-30 / 51)]
    assert said.p_order.tolist() == pytest.approx(expected)
    assert said.is_one_time.tolist() == [False, True, False]


def test_a_closed_form_says_what_its_model_says():
    shop = cdnow().known_at(CDNOW_FIT_END)
    said = CHURN_FORECASTERS["bgnbd"].predict(shop, 90)
    histories = shop.histories()
    # One row per customer here, one per distinct history there.
    fitted = bgnbd.fit(*histories)
    assert said.p_order == pytest.approx(bgnbd.p_at_least_one(fitted, 90, *histories), abs=1e-9)


@pytest.mark.parametrize("name", CHURN_FORECASTERS)
def test_every_forecaster_carries_its_name_and_speaks_of_every_customer(name):
    shop = drawn_shop(customers=300, days=400).known_at(FIRST_DAY + 399)
    said = CHURN_FORECASTERS[name].predict(shop, 60)
    assert said.model_name == name
    assert said.p_order.shape == said.is_one_time.shape == (shop.n_customers,)
    assert said.level == "none" or np.isfinite(said.p_order).all()
    assert np.array_equal(said.is_one_time, shop.histories().frequency == 0)


def test_baselines_are_among_the_forecasters():
    assert set(BASELINES) <= set(CHURN_FORECASTERS)
