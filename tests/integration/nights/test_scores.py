"""The sample shop's scores: the ledger they are made of, and what the published copy says of them."""

from datetime import date, timedelta

import pytest

from orchestration.assets.scoring.reading import ledger_of
from orchestration.science.court.verdicts import BIAS_BAND, SLOPE_BAND

EPOCH = date(1970, 1, 1)


def asked(shop, sql):
    return shop.serving.query(sql)[1]


def test_the_orders_that_count_are_the_purchase_occasions_row_for_row(sample_shop):
    night = sample_shop.warehouse.night().as_of_date
    ledger = ledger_of(sample_shop.warehouse, night)
    known = ledger.known_at(ledger.until)
    days = known.occasions()
    found = [
        (known.customer_ids[customer], EPOCH + timedelta(days=int(day)))
        for customer, day in zip(days.customer, days.day, strict=True)
    ]
    assert found == sample_shop.warehouse.query(
        "select customer_id, ordered_date from intermediate.int_purchases__occasions"
        " order by 1 nulls last, 2 nulls last"
    )


def test_every_score_has_a_champion_and_each_beats_what_needs_no_model(sample_shop):
    rows = asked(
        sample_shop,
        """select score_name, horizon_days, verdicts.loss_difference_high, verdicts.total_bias,
            verdicts.calibration_slope, verdicts.origins
        from fct_score_champions as champions
        inner join fct_score_verdicts as verdicts using (score_name, horizon_days)
        where is_published and verdicts.model_name = champion_model_name""",
    )
    assert {(name, days) for name, days, *_ in rows} == {
        ("orders", 90),
        ("orders", 365),
        ("churn", 90),
        ("value", 365),
    }
    for _, _, high, bias, slope, origins in rows:
        assert high < 0
        assert abs(bias) <= BIAS_BAND
        assert SLOPE_BAND[0] <= slope <= SLOPE_BAND[1]
        assert origins == 4


def test_four_origins_lie_a_quarter_apart_and_their_horizons_have_closed(sample_shop):
    rows = asked(
        sample_shop,
        "select distinct horizon_days, origin_date from fct_score_backtests order by 1, 2",
    )
    night = sample_shop.serving.current().as_of_date
    for horizon in (90, 365):
        days = [day for of, day in rows if of == horizon]
        last = night - timedelta(days=horizon)
        assert days == [last - timedelta(days=91 * step) for step in (3, 2, 1, 0)]


def test_every_customer_has_each_score_of_tonight(sample_shop):
    night = sample_shop.serving.current().as_of_date
    [(customers,)] = asked(sample_shop, "select count(*) from fct_customer_churn")
    for mart, column in (
        ("fct_customer_churn", "p_churn_90d"),
        ("fct_customer_value", "residual_clv_365d_p90_amount"),
        ("fct_customer_value", "orders_365d_p90"),
        ("fct_customer_next_order", "customer_id"),
    ):
        assert asked(
            sample_shop,
            f"select count({column}), min(scored_as_of_date), max(scored_as_of_date) from {mart}",
        ) == [(customers, night, night)]


def test_members_have_the_value_of_their_membership_in_their_total(sample_shop):
    [(members, summed)] = asked(
        sample_shop,
        """select count(*), sum(total_clv_amount - historic_clv_amount - residual_clv_365d_amount)
        from fct_customer_value where membership_value_365d_amount is not null""",
    )
    # A member who has not ordered yet is no customer of that mart.
    [(running, value)] = asked(
        sample_shop,
        """select count(distinct customer_id), sum(membership_value_365d_amount)
        from fct_membership_value
        where membership_value_365d_amount is not null
            and customer_id in (select customer_id from fct_customer_value)""",
    )
    assert members == running > 200
    assert summed == value


def test_the_tracking_counts_the_orders_that_the_marts_hold(sample_shop):
    """Counted again from the orders themselves: customers known at the origin, days with an order."""
    rows = asked(
        sample_shop,
        """select origin_date, week_end_date, cumulative_actual_orders from fct_score_tracking
        where horizon_days = 90 and is_champion and week_number = 12 order by 1""",
    )
    assert len(rows) == 4
    for origin, end, counted in rows:
        [(orders,)] = asked(
            sample_shop,
            f"""with days as (
                select distinct customer_id, ordered_date from fct_orders where is_valid_order
            )
            select count(*) from days
            where ordered_date > '{origin}' and ordered_date <= '{end}'
                and customer_id in (select customer_id from days where ordered_date <= '{origin}')""",
        )
        # A customer whose only earlier order was still to be given back was known then, and is not now.
        assert counted == pytest.approx(orders, rel=0.02)
        assert counted >= orders
