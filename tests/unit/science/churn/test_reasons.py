"""Reasons: they add up, the strongest come first, and they hold the customer's own numbers."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import logit

from orchestration.science.churn.boosted import BoostedChurn
from orchestration.science.churn.models import CHURN_FORECASTERS
from orchestration.science.churn.reasons import reasons_from
from orchestration.science.features import customer_features
from orchestration.science.ledger import Ledger, ledger_from_tables
from tests.unit.science.churn.late_parcels import FIRST_DAY, drawn_shop


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return drawn_shop(customers=600).known_at(FIRST_DAY + 799)


@pytest.fixture(scope="module")
def forecast(ledger):
    return BoostedChurn().predict(ledger, 60)


def test_contributions_add_up_to_the_log_odds_of_churn(forecast):
    said = forecast.reasons()
    assert "trees on" in forecast.verdict
    total = said.base + said.contributions.sum(axis=1)
    assert total == pytest.approx(logit(forecast.p_churn), abs=1e-6)


def test_the_closed_form_alone_is_its_own_reason(ledger):
    young = BoostedChurn().predict(ledger.known_at(FIRST_DAY + 150), 60)
    assert "closed form alone" in young.verdict
    said = young.reasons()
    assert said.features == ("days_since_last_order", "repeat_order_rate")
    total = said.base + said.contributions.sum(axis=1)
    assert total == pytest.approx(logit(young.p_churn), abs=1e-9)
    # The closed form speaks by its own name too, with the same reasons.
    plain = CHURN_FORECASTERS["bgnbd"].predict(ledger.known_at(FIRST_DAY + 150), 60)
    assert plain.reasons().words.tolist() == said.words.tolist()


def test_the_strongest_come_first_and_say_their_direction(forecast):
    said = forecast.reasons()
    size = np.abs(np.take_along_axis(said.contributions, said.strongest, axis=1))
    assert (np.diff(size, axis=1) <= 0).all()
    assert (size.min(axis=1) >= np.sort(np.abs(said.contributions), axis=1)[:, -3] - 1e-12).all()
    raises = np.take_along_axis(said.contributions, said.strongest, axis=1) > 0
    told = np.array([[text.endswith("(raises the risk)") for text in row] for row in said.words])
    assert np.array_equal(told, raises)


def test_some_customers_may_be_asked_about_alone(forecast):
    everyone, two = forecast.reasons(), forecast.reasons(np.array([17, 3]))
    assert two.words.tolist() == everyone.words[[17, 3]].tolist()
    assert np.allclose(two.contributions, everyone.contributions[[17, 3]])


def test_everyones_reasons_are_worked_out_once(forecast):
    assert forecast.reasons() is forecast.reasons()


def test_columns_and_table_tell_the_same(forecast, ledger):
    said = forecast.reasons(np.array([5, 6]))
    columns, table = said.columns(), said.table(ledger.customer_ids)
    assert list(columns) == ["reason_1", "reason_2", "reason_3"]
    assert table["customer_id"].to_pylist() == ["c00005"] * 3 + ["c00006"] * 3
    assert table["reason_number"].to_pylist() == [1, 2, 3, 1, 2, 3]
    assert table["reason"].to_pylist() == [
        columns[f"reason_{1 + at % 3}"][at // 3].as_py() for at in range(6)
    ]
    for row in table.to_pylist():
        at = said.features.index(row["feature_name"])
        assert row["contribution"] in said.contributions[:, at]


def small() -> Ledger:
    """Ann orders on days 0, 35 and 70, Bob on day 20; today is day 210."""
    first = date(2025, 1, 1)
    rows = [("ann", 0), ("ann", 35), ("ann", 70), ("bob", 20)]
    return ledger_from_tables(
        pa.table(
            {
                "customer_id": [name for name, _ in rows],
                "ordered_date": [first + timedelta(days=day) for _, day in rows],
                "net_amount": [10.0, 20.0, 30.0, 7.5],
                "is_promo": [True, False, False, False],
            }
        ),
        (first - date(1970, 1, 1)).days + 210,
    )


@pytest.mark.parametrize(
    ("name", "customer", "words"),
    [
        ("closed_form", 0, "3 order days, none for 140 days, usual gap 35 days"),
        ("closed_form", 1, "1 order day, 190 days ago"),
        ("silence_in_usual_gaps", 0, "silent for 4 usual gaps of 35 days"),
        ("days_since_last_order", 0, "no order for 140 days, usual gap 35 days"),
        ("repeat_order_rate", 0, "3 order days in 210 days as a customer"),
        ("repeat_order_rate", 1, "1 order day in 190 days as a customer"),
        ("silence_in_usual_gaps", 1, "no second order day yet"),
        ("days_since_last_order", 1, "no order for 190 days"),
        ("silence_share", 0, "no order for 140 days of 210 days as a customer"),
        ("mean_net_amount", 0, "spent on an order day, on average: 20.00"),
        ("promo_share", 0, "order days with a promotion: 33%"),
        ("first_is_promo", 1, "first order with a promotion: no"),
        ("orders_last_180d", 0, "order days in the last 180 days: 2 order days"),
        ("days_since_last_refund", 0, "no refund of a part of an order"),
        ("orders_next_90d_a_year_ago", 0, "a customer for less than a year"),
    ],
)
def test_a_reason_holds_the_customers_numbers(name, customer, words):
    features = customer_features(small())
    said = reasons_from(np.array([customer]), features, [name], np.array([[0.5]]), 0.0)
    assert said.words.tolist() == [[f"{words} (raises the risk)", None, None]]


def test_a_contribution_of_nothing_is_no_reason():
    said = reasons_from(
        np.array([0]), customer_features(small()), ["age_days"], np.array([[0.0]]), 0.0
    )
    assert said.words.tolist() == [[None, None, None]]
    assert said.table(np.array(["ann", "bob"], dtype=object)).num_rows == 0
