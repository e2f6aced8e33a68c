"""A clean sample shop contradicts itself nowhere."""

import datetime as dt
import decimal

import pyarrow as pa
import pytest
from sample_shops import large_shop, rows, value

from orchestration.contract import load_contract
from orchestration.science.sample_shop.tables import CHUNK_TABLES, SHARED_TABLES

SHOP = large_shop()
CONTRACT = load_contract()
ARROW_TYPES = {
    "varchar": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "decimal(18,2)": pa.decimal128(18, 2),
}


def test_every_table_has_the_columns_and_types_of_the_contract():
    assert set(SHOP.tables) == {*SHARED_TABLES, *CHUNK_TABLES}
    for name, table in SHOP.tables.items():
        columns = {column.name: column.data_type for column in CONTRACT.table(name).columns}
        assert {field.name: field.type for field in table.schema} == {
            column: ARROW_TYPES[data_type] for column, data_type in columns.items()
        }, name


def test_every_value_is_accepted_and_every_required_one_is_there():
    for name, table in SHOP.tables.items():
        for column in CONTRACT.table(name).columns:
            values = table.column(column.name)
            if column.is_required:
                assert values.null_count == 0, (name, column.name)
            if column.accepted:
                found = {one for one in values.unique().to_pylist() if one is not None}
                assert found, (name, column.name)
                assert found <= set(column.accepted), (name, column.name)
            if column.at_least is not None:
                smallest = min(one for one in values.to_pylist() if one is not None)
                assert smallest >= decimal.Decimal(str(column.at_least)), (name, column.name)


@pytest.mark.parametrize("table", sorted(SHOP.tables))
def test_keys_are_unique(table):
    key = ", ".join(CONTRACT.table(table).key)
    assert value(SHOP, f"select count(*) from (select distinct {key} from {table})") == value(
        SHOP, f"select count(*) from {table}"
    )


@pytest.mark.parametrize(
    ("child", "column", "parent", "key"),
    [
        ("orders", "customer_id", "customers", "customer_id"),
        ("orders", "membership_id", "memberships", "membership_id"),
        ("orders", "exchange_of_order_id", "orders", "order_id"),
        ("order_lines", "order_id", "orders", "order_id"),
        ("order_lines", "variant_id", "products", "variant_id"),
        ("product_costs", "variant_id", "products", "variant_id"),
        ("shipments", "order_id", "orders", "order_id"),
        ("returns", "order_id", "orders", "order_id"),
        ("return_items", "return_id", "returns", "return_id"),
        ("return_items", "order_line_id", "order_lines", "order_line_id"),
        ("refunds", "order_id", "orders", "order_id"),
        ("refunds", "order_line_id", "order_lines", "order_line_id"),
        ("refunds", "return_id", "returns", "return_id"),
        ("memberships", "customer_id", "customers", "customer_id"),
        ("membership_terms", "membership_id", "memberships", "membership_id"),
        ("membership_benefit_usage", "membership_id", "memberships", "membership_id"),
        ("membership_benefit_usage", "order_id", "orders", "order_id"),
    ],
)
def test_every_row_has_its_parent(child, column, parent, key):
    orphans = f"""
        select {column} from {child} where {column} is not null
        except select {key} from {parent}
    """
    assert rows(SHOP, orphans) == []
    assert value(SHOP, f"select count({column}) from {child}") > 0


def test_the_total_of_an_order_is_gross_minus_discount_plus_shipping_plus_tax():
    broken = """
        select order_id from orders
        where total_amount
            <> gross_item_amount - discount_amount + shipping_amount + tax_amount
    """
    assert rows(SHOP, broken) == []


def test_the_lines_of_an_order_add_up_to_the_order():
    broken = """
        with lines as (
            select order_id, sum(quantity * unit_price) as gross, sum(discount_amount) as discount,
                sum(tax_amount) as tax
            from order_lines group by 1
        )
        select orders.order_id from orders left join lines on orders.order_id = lines.order_id
        where (gross, discount, tax) is distinct from
            (gross_item_amount, orders.discount_amount, tax_amount)
    """
    assert rows(SHOP, broken) == []


def test_refunds_never_exceed_what_was_paid_for_a_line():
    broken = """
        with given as (
            select order_line_id, sum(amount) as amount, sum(tax_amount) as tax
            from refunds group by 1
        )
        select order_line_id from given inner join order_lines using (order_line_id)
        where amount > quantity * unit_price - discount_amount or tax > tax_amount
    """
    assert rows(SHOP, broken) == []


def test_refunds_never_exceed_what_was_paid_for_an_order():
    broken = """
        with given as (
            select order_id, sum(amount + tax_amount + shipping_amount) as money
            from refunds group by 1
        )
        select order_id from given inner join orders using (order_id) where money > total_amount
    """
    assert rows(SHOP, broken) == []


def test_no_more_units_come_back_than_were_sent():
    broken = """
        with back as (
            select order_line_id, sum(quantity) as units from return_items group by 1
        )
        select order_line_id from back inner join order_lines using (order_line_id)
        where units > fulfilled_quantity
    """
    assert rows(SHOP, broken) == []


def test_an_order_is_refunded_when_its_items_are_and_partially_when_some_are():
    broken = """
        with given as (select order_id, sum(amount) as amount from refunds group by 1)
        select order_id, status from orders left join given using (order_id)
        where (status = 'refunded')
                <> coalesce(amount > 0 and amount >= gross_item_amount - discount_amount, false)
            or (status = 'partially_refunded')
                <> coalesce(amount > 0 and amount < gross_item_amount - discount_amount, false)
    """
    assert rows(SHOP, broken) == []


def test_events_of_an_order_follow_one_another():
    in_order = {
        "orders": "processed_at >= ordered_at and cancelled_at >= ordered_at",
        "shipments": "shipped_at >= ordered_at and delivered_at >= shipped_at"
        " and promised_at_first >= ordered_at",
        "returns": "requested_at >= ordered_at and approved_at >= requested_at"
        " and received_at >= approved_at and closed_at >= received_at",
        "refunds": "issued_at >= ordered_at",
    }
    for table, holds in in_order.items():
        source = table if table == "orders" else f"{table} inner join orders using (order_id)"
        assert rows(SHOP, f"select order_id from {source} where not ({holds})") == [], table


def test_goods_come_back_only_after_they_arrived():
    early = """
        with arrived as (
            select order_id, max(delivered_at) as delivered_at from shipments group by 1
        )
        select return_id from returns inner join arrived using (order_id)
        where delivered_at is null or requested_at < delivered_at
    """
    assert rows(SHOP, early) == []


def test_terms_of_a_membership_follow_without_gap_and_number():
    broken = """
        select membership_id from (
            select *, lead(term_start) over terms as next_start,
                lead(term_number) over terms as next_number
            from membership_terms
            window terms as (partition by membership_id order by term_number)
        )
        where next_start <> term_end or next_number <> term_number + 1 or term_end <= term_start
    """
    assert rows(SHOP, broken) == []
    starts = "select min(term_number) as first from membership_terms group by membership_id"
    assert rows(SHOP, f"select distinct first from ({starts}) order by 1") == [(0,), (1,)]


def test_memberships_of_a_customer_do_not_overlap():
    overlapping = """
        select customer_id from (
            select *, lead(joined_at) over (partition by customer_id order by joined_at) as next_one
            from memberships
        )
        where next_one < coalesce(ended_at, timestamp '2999-01-01')
    """
    assert rows(SHOP, overlapping) == []
    assert value(SHOP, "select count(*) - count(distinct customer_id) from memberships") > 50


def test_a_membership_ends_with_its_paid_terms_or_with_the_grace_after_a_failed_one():
    broken = """
        with last_terms as (
            select membership_id, arg_max(term_start, term_number) as term_start,
                arg_max(term_end, term_number) as term_end,
                arg_max(payment_status, term_number) as payment_status
            from membership_terms group by 1
        )
        select membership_id from memberships inner join last_terms using (membership_id)
        where ended_at is not null
            and cast(ended_at + interval 1 hour as date) <> case end_type
                when 'voluntary' then term_end
                when 'involuntary' then term_start + 14
            end
            or (end_type = 'involuntary') <> (ended_at is not null and payment_status = 'failed')
    """
    assert rows(SHOP, broken) == []


def test_orders_name_a_membership_only_while_it_runs_and_of_the_same_customer():
    broken = """
        select order_id from orders inner join memberships using (membership_id)
        where orders.customer_id <> memberships.customer_id or ordered_at < joined_at
            or ordered_at >= coalesce(ended_at, timestamp '2999-01-01')
    """
    assert rows(SHOP, broken) == []


def test_accounts_are_opened_before_their_first_order():
    late = """
        select order_id from orders inner join customers using (customer_id)
        where created_at > ordered_at
    """
    assert rows(SHOP, late) == []


def test_an_exchange_costs_nothing_and_follows_the_order_that_it_replaces():
    broken = """
        select exchanges.order_id from orders as exchanges
        left join orders as origins on exchanges.exchange_of_order_id = origins.order_id
        where exchanges.is_exchange
            and not coalesce(
                exchanges.total_amount = 0 and exchanges.ordered_at > origins.ordered_at, false
            )
    """
    assert rows(SHOP, broken) == []
    assert value(SHOP, "select count(*) from orders where is_exchange") > 300


def test_costs_cover_every_day_of_every_line_exactly_once():
    wrong = """
        select order_line_id, count(unit_cost) from order_lines
        inner join orders using (order_id)
        left join product_costs on order_lines.variant_id = product_costs.variant_id
            and cast(ordered_at as date)
                between valid_from and coalesce(valid_to, date '2999-01-01')
        group by 1 having count(unit_cost) <> 1
    """
    assert rows(SHOP, wrong) == []


def test_nothing_has_happened_after_the_last_day():
    for name, table in SHOP.tables.items():
        for column in table.schema:
            promised = column.name in ("promised_at_first", "promised_at_latest")
            if pa.types.is_timestamp(column.type) and not promised:
                last = value(SHOP, f"select max({column.name}) from {name}")
                assert last is None or last < dt.datetime(2026, 1, 1), (name, column.name)
    assert value(SHOP, "select max(term_start) from membership_terms") == dt.date(2025, 12, 31)
    assert value(SHOP, "select max(term_end) from membership_terms") > dt.date(2026, 6, 1)


def test_the_shop_earns_money_on_what_it_sells():
    margin = value(
        SHOP,
        """
        select 1 - sum(order_lines.quantity * (unit_cost + handling_cost))
            / sum(order_lines.quantity * unit_price - order_lines.discount_amount)
        from order_lines inner join orders using (order_id)
        inner join product_costs on order_lines.variant_id = product_costs.variant_id
            and cast(ordered_at as date)
                between valid_from and coalesce(valid_to, date '2999-01-01')
        where currency = 'GBP' and status in ('fulfilled', 'partially_refunded')
        """,
    )
    assert 0.35 < margin < 0.60
