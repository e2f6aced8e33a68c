"""Headline numbers of both shops against questions asked in another way: of orders, terms and parcels themselves.

The queries of the boards read summary tables. These read the facts below them, so a wrong summary, a wrong filter
or a wrong format shows as a difference.
"""

import pytest

from orchestration.resources.boards import CopyReader
from tests.browser.conftest import Looked
from tests.browser.on_screen import shown

# Board, chart, and the same number from the facts. The month is the last complete one, written as it is there.
MONTH = "(select max(month_start) from fct_kpi_months where is_complete)"
QUESTIONS = {
    ("overview", "active_customers"): f"""
        select count(distinct customer_id) from fct_orders
        where is_valid_order and customer_id is not null and date_trunc('month', ordered_date) = {MONTH}""",
    ("overview", "returning_share"): f"""
        with firsts as (
            select customer_id, min(date_trunc('month', ordered_date)) as first_month from fct_orders
            where is_valid_order and customer_id is not null group by 1
        )
        select avg(case when first_month < {MONTH} then 1.0 else 0 end) from (
            select distinct customer_id from fct_orders
            where is_valid_order and customer_id is not null and date_trunc('month', ordered_date) = {MONTH}
        ) inner join firsts using (customer_id)""",
    ("overview", "contribution_margin"): f"""
        select sum(contribution_margin_amount) from fct_orders
        where is_sale and date_trunc('month', ordered_date) = {MONTH}""",
    ("overview", "average_order_value"): f"""
        select sum(net_amount) / count(*) from fct_orders
        where is_valid_order and date_trunc('month', ordered_date) = {MONTH}""",
    ("overview", "promises_kept"): f"""
        select avg(cast(is_promise_kept as integer)) from fct_deliveries
        where date_trunc('month', promised_date) = {MONTH}""",
    ("members", "members"): f"""
        select count(distinct membership_id) from fct_membership_movements
        where month_start = {MONTH} and closing_mrr_amount > 0""",
    ("members", "mrr"): f"""
        select sum(closing_mrr_amount) from fct_membership_movements where month_start = {MONTH}""",
    ("value", "one_time_buyers"): """
        select avg(cast(is_one_time_buyer as integer)) from fct_customer_churn""",
    ("value", "residual_per_customer"): """
        select sum(residual_clv_365d_amount) / count(*) from fct_customer_value""",
    ("value", "high_risk"): """
        select count(*) from fct_customer_segments
        where lifecycle_stage <> 'lapsed' and risk_band in ('high', 'very_high')""",
    ("customers", "customers_chosen"): """
        select count(distinct customer_id) from fct_orders
        where is_valid_order and customer_id is not null""",
    ("health", "unexplained_rows"): "select 0",
}


def facts(looked: Looked, sql: str) -> list[tuple]:
    """Rows of a query on the copy, beside the server that has the same file open in this process."""
    reader = CopyReader(looked.shop.serving)
    try:
        with reader.opened() as copy:
            return copy.query(sql, {})[1]
    finally:
        reader.close()


@pytest.mark.parametrize(("board_name", "chart"), QUESTIONS, ids=lambda value: str(value))
def test_a_headline_number_is_the_one_that_the_facts_give(chromium, looked, board_name, chart):
    [(true,)] = facts(looked, QUESTIONS[board_name, chart])
    page = chromium.new_page()
    page.goto(looked.address("static", board_name))
    article = page.locator(f"article#{chart}")
    if article.locator(".no-data").count():
        assert not true
    else:
        assert shown(article.locator(".value").inner_text()).agrees_with(true)
    page.close()


def test_the_triangle_holds_the_share_of_a_cohort_that_the_orders_give(chromium, looked):
    """The last mature cell of the fourth cohort, counted from the orders."""
    page = chromium.new_page()
    page.goto(looked.address("static", "cohorts"))
    row = page.locator("#triangle tbody tr").nth(3)
    cells = row.locator("td:not(.size):not(.empty)")
    age = cells.count() - 1
    text, size = cells.last.inner_text(), row.locator("td.size").inner_text()
    page.close()
    [(customers, again)] = facts(
        looked,
        f"""
        with months as (
            select distinct customer_id, date_trunc('month', ordered_date) as month_start from fct_orders
            where is_valid_order and customer_id is not null
        ),
        firsts as (select customer_id, min(month_start) as cohort_month from months group by 1),
        chosen as (
            select * from firsts
            where cohort_month = (select distinct cohort_month from firsts order by 1 limit 1 offset 3)
        )
        select
            count(distinct chosen.customer_id),
            count(distinct chosen.customer_id) filter (
                where months.month_start = chosen.cohort_month + interval {age} month
            )
        from chosen inner join months using (customer_id)""",
    )
    assert int(size.replace(",", "")) == customers
    assert shown(text).agrees_with(again / customers)
