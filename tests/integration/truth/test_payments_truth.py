"""Payments of the sample shop beside what its generator hid: whose money is not what its rows say."""

from decimal import Decimal

from tests.integration.truth.test_version_and_parcel_truth import rows_of


def test_orders_that_are_not_settled_are_those_whose_payments_the_generator_got_wrong(sample_shop):
    hidden = {
        row["order_id"]: (row["kind"], Decimal(row["collected_too_much_amount"]))
        for row in rows_of("payment_exceptions.csv")
    }
    found = sample_shop.warehouse.query("""
        select order_id, settlement, difference_amount, orders.order_currency_code = settlements.currency_code
        from marts.fct_payment_settlements as settlements
        inner join marts.fct_orders as orders using (order_id)
        -- The money of the last day's orders is reserved, and taken when they are sent.
        where not is_settled and orders.ordered_date < settlements.as_of_date
    """)
    assert {order for order, *_ in found} == set(hidden)
    for order, settlement, difference, is_in_shop_currency in found:
        kind, amount = hidden[order]
        assert settlement == ("underpaid" if kind == "short_capture" else "overpaid")
        # The truth is in the money of the order, the mart in the shop's.
        assert not is_in_shop_currency or difference == amount
    assert sum(is_in_shop for *_, is_in_shop in found) > len(found) / 2


def test_a_membership_lost_for_want_of_money_never_got_the_fee_that_failed(sample_shop):
    [(lost, unpaid, attempted)] = sample_shop.warehouse.query("""
        select
            count(*),
            count(*) filter (where terms.payment_status = 'failed' and settlements.collected_amount = 0),
            count(*) filter (where attempts.failures > 0 and attempts.successes = 0)
        from marts.fct_payment_settlements as settlements
        inner join marts.fct_membership_terms as terms
            on settlements.membership_id = terms.membership_id and settlements.term_number = terms.term_number
        left join (
            select
                membership_term_id,
                count(*) filter (where status = 'failure') as failures,
                count(*) filter (where status = 'success') as successes
            from staging.stg_payments
            where not is_deleted
            group by 1
        ) as attempts on settlements.paid_id = attempts.membership_term_id
        where settlements.is_involuntary_churn
    """)
    assert 0 < lost == unpaid == attempted


def test_the_checks_of_the_night_are_told_whole_and_all_of_this_night(sample_shop):
    """What Dagster recorded of the night, as the published copy shows it."""
    _, rows = sample_shop.serving.query(
        "select status, check_kind, is_of_this_night, count(*) from fct_night_checks group by all"
    )
    assert {is_of_this_night for _, _, is_of_this_night, _ in rows} == {True}
    counted = {
        kind: sum(row[3] for row in rows if row[1] == kind) for kind in ("dbt_test", "asset_check")
    }
    assert counted["dbt_test"] > 250
    assert counted["asset_check"] > 40
    assert "failed" not in {status for status, *_ in rows}
