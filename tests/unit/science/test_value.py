"""Customer value: discounting, the choice of the value model, and the two tables."""

from datetime import date
from decimal import Decimal

import cdnow
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from orchestration.science import value
from orchestration.science.errors import DataError
from orchestration.science.purchases import bgnbd

FIT = bgnbd.BgNbdFit.given(r=0.6, alpha=60.0, a=0.8, b=2.5, time_unit="day")


def features_of(data, **changes):
    """CDNOW's sample as the warehouse would deliver it: days, nulls, constants in columns."""
    n = data.age.size
    columns = {
        "customer_id": [f"C{number:05d}" for number in range(1, n + 1)],
        "as_of_date": [date(1997, 9, 30)] * n,
        "frequency": pa.array(data.frequency.astype(int)),
        "recency_days": pa.array(np.rint(data.recency * 7).astype(int)),
        "age_days": pa.array(np.rint(data.age * 7).astype(int)),
        "repeat_value_count": pa.array(data.frequency.astype(int)),
        "mean_repeat_net_amount": pa.array(data.mean_value, mask=data.frequency == 0),
        "margin_ratio": [0.3] * n,
        "historic_margin_amount": [Decimal("1.00")] * n,
        "churn_horizon_days": [90] * n,
        "clv_horizon_days": [365] * n,
        "yearly_discount_rate": [0.10] * n,
    }
    return pa.table({**columns, **changes})


@pytest.fixture(scope="module")
def features():
    return features_of(cdnow.sample())


@pytest.fixture(scope="module")
def scored(features):
    return value.score_customers(features)


def fit_rows(found, model_name):
    rows = found.fits.filter(pc.equal(found.fits["model_name"], model_name)).to_pylist()
    return {row["parameter"]: row for row in rows}


# Discounting


def test_monthly_steps_discount_like_daily_ones():
    history = (np.array([0, 3, 40]), np.array([0.0, 200.0, 290.0]), np.array([5.0, 400.0, 300.0]))
    _, discounted = value.discounted_orders(FIT, 365, 0.10, *history)
    days = np.arange(366)
    reached = np.stack([bgnbd.expected_purchases(FIT, day, *history) for day in days])
    daily = 1.10 ** -((days[1:] - 0.5) / 365) @ np.diff(reached, axis=0)
    assert discounted == pytest.approx(daily, rel=1e-4)


def test_without_a_discount_every_expected_order_counts_in_full():
    expected, discounted = value.discounted_orders(FIT, 365, 0.0, [2], [30], [100])
    assert discounted == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(bgnbd.expected_purchases(FIT, 365, [2], [30], [100]))


def test_a_fit_in_weeks_is_refused_for_a_horizon_in_days():
    weekly = bgnbd.BgNbdFit.given(r=0.2, alpha=4, a=0.8, b=2.4, time_unit="week")
    with pytest.raises(DataError, match="in days but the fit is in units of a week"):
        value.discounted_orders(weekly, 365, 0.1, [0], [0], [10])


# The published holdout


def test_the_cdnow_holdout_spend_has_the_errors_that_stand_in_the_table_to_beat():
    data = cdnow.everyone()
    history = (data.frequency, data.recency, data.age)
    purchases = bgnbd.fit(*history, time_unit="week")
    values = value.expected_order_values(data.frequency, data.mean_value)
    assert values.model_name == "gamma_gamma"
    spend = bgnbd.expected_purchases(purchases, 39, *history) * values.expected
    actual = data.later_value
    assert round(actual.sum(), 2) == 776961.13
    assert round(np.abs(spend - actual).mean(), 2) == 32.68
    assert round(np.sqrt(((spend - actual) ** 2).mean()), 2) == 92.94
    assert round(spend.sum() / actual.sum() - 1, 3) == -0.173


# Scores


def test_the_first_customer_of_cdnow_is_scored_as_the_formulas_say(scored):
    """x = 2, t_x = 213 days, T = 272 days, and the published parameters, by pocket calculator."""
    r, alpha, a, b = 0.2426, 4.4136 * 7, 0.7929, 2.4259
    alive = 1 / (1 + a / (b + 1) * ((alpha + 272) / (alpha + 213)) ** (r + 2))
    p_order = alive * (1 - ((alpha + 272) / (alpha + 272 + 90)) ** (r + 2))
    row = scored.scores.slice(0, 1).to_pylist()[0]
    assert row["customer_id"] == "C00001"
    assert (row["frequency"], row["recency_days"], row["age_days"]) == (2, 213, 272)
    assert row["p_alive"] == pytest.approx(alive, rel=1e-4)
    assert row["p_order_90d"] == pytest.approx(p_order, rel=1e-4)
    assert row["p_churn_90d"] == pytest.approx(1 - p_order, rel=1e-4)
    assert row["expected_order_value_amount"] == Decimal("24.65")
    # Value = orders x order value x margin, less at most a full year's discount.
    undiscounted = row["expected_orders_365d"] * 24.654 * 0.3
    assert undiscounted / 1.10 < float(row["residual_clv_365d_amount"]) < undiscounted


def test_every_customer_is_scored_once_and_says_by_what(features, scored):
    scores = scored.scores
    assert scores.schema.equals(value.SCORES_SCHEMA)
    assert scores["customer_id"].to_pylist() == sorted(features["customer_id"].to_pylist())
    assert all(column.null_count == 0 for column in scores.columns)
    assert pc.unique(scores["order_value_model_name"]).to_pylist() == ["gamma_gamma"]
    assert pc.unique(scores["as_of_date"]).to_pylist() == [date(1997, 9, 30)]


def test_the_fits_are_laid_out_with_the_published_numbers(scored):
    assert scored.fits.schema.equals(value.FITS_SCHEMA)
    purchases = fit_rows(scored, "bgnbd")
    assert list(purchases) == ["r", "alpha", "a", "b"]
    assert round(purchases["r"]["value"], 4) == 0.2426
    assert round(purchases["alpha"]["value"] / 7, 4) == 4.4136
    assert all(row["is_converged"] and row["is_used"] for row in purchases.values())
    order_values = fit_rows(scored, "gamma_gamma")
    assert round(order_values["gamma"]["value"], 3) == 15.444
    assert round(order_values["p"]["log_likelihood"], 3) == -4055.918
    assert round(order_values["frequency_spend_correlation"]["value"], 2) == 0.11
    assert fit_rows(scored, "credibility_mean") == {}


def test_the_order_of_the_rows_moves_no_digit(features, scored):
    shuffled = features.take(np.random.default_rng(5).permutation(features.num_rows))
    again = value.score_customers(shuffled)
    assert again.scores.equals(scored.scores)
    assert again.fits.equals(scored.fits)


def test_a_customer_without_a_margin_ratio_gets_the_mean_of_the_others(features, scored):
    n = features.num_rows
    ratios = [None, *[0.2, 0.4] * ((n - 1) // 2)]
    found = value.score_customers(with_column(features, "margin_ratio", ratios))
    assert (
        found.scores["residual_clv_365d_amount"][0] == scored.scores["residual_clv_365d_amount"][0]
    )


def test_without_any_margin_ratio_there_is_no_value_but_still_a_churn_score(features):
    unknown = pa.nulls(features.num_rows, pa.float64())
    found = value.score_customers(with_column(features, "margin_ratio", unknown)).scores
    assert found["residual_clv_365d_amount"].null_count == found.num_rows
    assert found["p_churn_90d"].null_count == 0


# The choice of the value model


def test_where_spend_rises_with_frequency_the_credibility_mean_takes_over(features):
    data = cdnow.sample()
    rising = pa.array(data.mean_value * (1 + data.frequency / 4), mask=data.frequency == 0)
    found = value.score_customers(with_column(features, "mean_repeat_net_amount", rising))
    refused = fit_rows(found, "gamma_gamma")["p"]
    assert not refused["is_used"]
    assert "not used: spend and frequency correlate at 0." in refused["verdict"]
    assert fit_rows(found, "credibility_mean")["shrinkage_orders"]["value"] == 0.5
    assert pc.unique(found.scores["order_value_model_name"]).to_pylist() == ["credibility_mean"]
    assert found.scores["residual_clv_365d_amount"].null_count == 0


def test_a_mean_that_is_not_positive_is_no_order_value():
    counts, means = [1] * 40 + [1, 2, 0], [*np.linspace(10, 50, 40), -5.0, 0.0, np.nan]
    found = value.expected_order_values(counts, means)
    assert found.gamma_gamma_fit.n_customers == 40
    assert len(set(found.expected[-3:])) == 1
    assert found.expected[-1] == pytest.approx(30, rel=0.05)


def test_without_any_order_value_none_is_invented():
    found = value.expected_order_values([0, 0], [np.nan, np.nan])
    assert found.model_name is None
    assert np.isnan(found.expected).all()


# Verdicts and refusals


def test_a_shop_of_one_time_buyers_gets_a_verdict_and_no_number(features):
    once = features.filter(pc.equal(features["frequency"], 0))
    found = value.score_customers(once)
    assert found.scores.num_rows == 1411
    for name in (
        "p_alive",
        "p_order_90d",
        "p_churn_90d",
        "expected_orders_365d",
        "expected_order_value_amount",
        "residual_clv_365d_amount",
    ):
        assert found.scores[name].null_count == 1411
    rows = fit_rows(found, "bgnbd")
    assert list(rows) == ["r", "alpha", "a", "b"]
    assert {row["level"] for row in rows.values()} == {"too_little_data"}
    assert not any(row["is_converged"] for row in rows.values())
    assert rows["r"]["value"] is None
    assert "of whom 0 ordered again" in rows["r"]["verdict"]


def test_a_shop_without_customers_gets_empty_scores_and_a_verdict():
    nobody = {name: [] for name in value.FEATURE_COLUMNS}
    found = value.score_customers(nobody)
    assert found.scores.num_rows == 0
    assert found.scores.schema.equals(value.SCORES_SCHEMA)
    assert fit_rows(found, "bgnbd")["r"]["level"] == "too_little_data"


@pytest.mark.parametrize(
    ("name", "days", "message"),
    [
        ("churn_horizon_days", 60, "churn_horizon_days is 60, .* named for 90 days"),
        ("clv_horizon_days", 180, "clv_horizon_days is 180, .* named for 365 days"),
    ],
)
def test_a_horizon_that_the_column_names_do_not_carry_is_refused(features, name, days, message):
    with pytest.raises(DataError, match=message):
        value.score_customers(with_column(features, name, [days] * features.num_rows))


def test_two_dates_in_one_night_are_refused(features):
    dates = [date(1997, 9, 29), *[date(1997, 9, 30)] * (features.num_rows - 1)]
    with pytest.raises(DataError, match="as_of_date must hold one value for all customers"):
        value.score_customers(with_column(features, "as_of_date", dates))


def test_a_customer_who_is_there_twice_is_refused(features):
    with pytest.raises(DataError, match="not unique in the features: 1 rows too many"):
        value.score_customers(pa.concat_tables([features, features.slice(0, 1)]))


def test_a_missing_feature_is_refused_by_name(features):
    with pytest.raises(DataError, match="features lack margin_ratio, yearly_discount_rate"):
        value.score_customers(features.drop_columns(["margin_ratio", "yearly_discount_rate"]))


def test_a_null_in_a_history_is_refused_and_not_read_as_zero(features):
    broken = [None, *features["age_days"].to_pylist()[1:]]
    with pytest.raises(DataError, match="age must be finite and >= 0; row 0 of 2357"):
        value.score_customers(with_column(features, "age_days", pa.array(broken, pa.int64())))


def with_column(table, name, values):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return table.set_column(table.column_names.index(name), name, array)
