"""The sample shop has what makes real shops hard: each of it is in `seeds/sample`."""

import pytest
from sample_shops import default_shop, value

SITUATIONS = {
    "anonymous orders of the store": """
        select count(*) from orders where customer_id is null and email is null
    """,
    "guests with an e-mail and no account": """
        select count(*) from orders where customer_id is null and email is not null
    """,
    "addresses in other case": "select count(*) from customers where email <> lower(email)",
    "addresses with blanks": "select count(*) from customers where email <> trim(email)",
    "an address that many people share": """
        select count(*) - 10 from customers group by email having count(*) > 10
    """,
    "wholesale lines": "select count(*) from order_lines where quantity >= 24",
    "foreign currency": "select count(*) from orders where currency in ('EUR', 'USD')",
    "tills that write no currency": "select count(*) from orders where currency is null",
    "two codes in one order": "select count(*) from orders where contains(promo_codes, ',')",
    "free gifts": "select count(*) from order_lines where is_gift_insert and unit_price = 0",
    "gift cards": """
        select count(*) from order_lines inner join products using (variant_id) where is_gift_card
    """,
    "test orders": "select count(*) from orders where is_test",
    "fraud": "select count(*) from orders where status = 'fraud'",
    "payments that are still open": "select count(*) from orders where status = 'pending'",
    "two orders of a person on one day": """
        select count(*) from (
            select 1 from orders where customer_id is not null
            group by customer_id, cast(ordered_at as date) having count(*) > 1
        )
    """,
    "orders in two parcels": """
        select count(*) from (select 1 from shipments group by order_id having count(*) > 1)
    """,
    "promises that were moved": """
        select count(*) from shipments where promised_at_latest > promised_at_first
    """,
    "parcels that arrive early": """
        select count(*) from shipments where delivered_at < promised_at_first - interval 1 day
    """,
    "lost parcels": "select count(*) from shipments where delivery_status = 'lost'",
    "parcels on their way": "select count(*) from shipments where delivery_status = 'in_transit'",
    "lines that come back in two parcels": """
        select count(*) from (
            select 1 from return_items group by order_line_id having count(distinct return_id) = 2
        )
    """,
    "lines that come back in part": """
        select count(*) from return_items inner join order_lines using (order_line_id)
        where return_items.quantity < order_lines.quantity
    """,
    "returns that never come": "select count(*) from returns where status = 'cancelled'",
    "returns under way": "select count(*) from returns where status in ('approved', 'in_transit')",
    "returns without refund": """
        select count(*) from returns anti join refunds using (return_id) where status = 'closed'
    """,
    "refunds without return": """
        select count(*) from refunds where return_id is null and order_line_id is not null
    """,
    "refunds of an order as a whole": "select count(*) from refunds where order_line_id is null",
    "refunds a month and more after the order": """
        select count(*) from refunds inner join orders using (order_id)
        where issued_at > ordered_at + interval 30 days
    """,
    "restocking fees": "select count(*) from returns where restocking_fee > 0",
    "returns after the window": """
        select count(*) from returns inner join shipments using (order_id)
        where requested_at > delivered_at + interval 31 days
    """,
    "trials": "select count(*) from membership_terms where billing_period = 'trial'",
    "skipped terms": """
        select count(*) from membership_terms
        where payment_status = 'waived' and billing_period = 'monthly'
    """,
    "failed payments that were recovered": """
        select count(*) from membership_terms where paid_at > due_at + interval 1 day
    """,
    "members who rejoin": """
        select count(*) from (select 1 from memberships group by customer_id having count(*) = 2)
    """,
    "members who change to the annual plan": """
        select count(*) from membership_terms as terms
        inner join membership_terms as following
            on terms.membership_id = following.membership_id
            and terms.term_number + 1 = following.term_number
        where terms.billing_period = 'monthly' and following.billing_period = 'annual'
    """,
    "members who have asked to leave and are still in": """
        select count(*) from memberships where cancel_requested_at is not null and ended_at is null
    """,
    "memberships that payment ended": """
        select count(*) from memberships where end_type = 'involuntary'
    """,
    "discounts on a fee": "select count(*) from membership_terms where discount_amount > 0",
    "free shipping as a benefit": """
        select count(*) from membership_benefit_usage
        where benefit_code = 'shipping' and order_id is not null and retail_value_amount > 0
    """,
    "products taken off sale": """
        select count(*) from products where discontinued_at <= date '2025-12-31'
    """,
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_sample_has(situation):
    assert value(default_shop(), SITUATIONS[situation]) > 0


def test_a_few_buyers_bring_much_of_the_money_and_most_buy_once():
    once, people = default_shop().truth.summary["counts"]["people_by_orders"]["one"], 3000
    assert 0.4 < once / people < 0.6
    share_of_top_tenth = value(
        default_shop(),
        """
        with people as (
            select person_id, sum(gross_item_amount - orders.discount_amount) as net,
                percent_rank() over (order by sum(gross_item_amount - orders.discount_amount))
                    as place
            from orders inner join truth_accounts using (customer_id)
            where status in ('fulfilled', 'partially_refunded') group by 1
        )
        select sum(net) filter (where place >= 0.9) / sum(net) from people
        """,
    )
    assert 0.35 < share_of_top_tenth < 0.75


def test_products_are_never_sold_before_their_launch_or_after_their_end():
    outside = value(
        default_shop(),
        """
        select count(*) from order_lines inner join orders using (order_id)
        inner join products using (variant_id)
        where not is_exchange and not (
            cast(ordered_at + interval 1 hour as date) >= launched_at
            and cast(ordered_at as date) <= coalesce(discontinued_at, date '2999-01-01')
        )
        """,
    )
    assert outside == 0
