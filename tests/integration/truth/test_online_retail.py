"""Online Retail II from the export to the cohorts, against its published totals and a plain count over the file.

`make online-retail` prints the figures, under both rules for what a purchase is. The data are not part of
the project: where they do not lie beside it, every test here is skipped by name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.connectors import connector_named
from orchestration.resources.landing import Landing
from orchestration.settings import PROJECT_DIRECTORY
from tests.integration.staged_shop import StagedShop

DATA = PROJECT_DIRECTORY.parent / "shared" / "data" / "online_retail_ii"
BOTH_SHEETS = DATA / "online_retail_II.csv.gz"
SECOND_SHEET = DATA / "Online_Retail.csv.gz"

pytestmark = pytest.mark.skipif(
    not (BOTH_SHEETS.exists() and SECOND_SHEET.exists()),
    reason="Online Retail II does not lie in ../shared/data/online_retail_ii",
)

VARIABLES = {
    "as_of_date": "2011-12-09",
    "shop_timezone": "Europe/London",
    "shop_currency": "GBP",
}
KEEPS_FULLY_REFUNDED = "incl_fully_refunded"
DEFAULT_RULE = "net_positive"
INVOICE_TABLES = ("order_lines", "return_items")


@dataclass(frozen=True)
class RetailShop:
    """One file of the export, landed, staged and counted under both order rules."""

    shop: StagedShop
    totals: Mapping[str, Mapping[str, Any]]
    retention: Mapping[str, Mapping[tuple[date, int], Mapping[str, Any]]]

    def curve(self, cohort: date, rule: str = KEEPS_FULLY_REFUNDED) -> list[int | None]:
        """Customers retained at age 0, 1, 2 ...; None where immature."""
        cells = self.retention[rule]
        ages = sorted(age for month, age in cells if month == cohort)
        return [cells[cohort, age]["retained_customers"] for age in ages]


def delivered(directory: Path, file: Path) -> RetailShop:
    shop = StagedShop(directory)
    landing = Landing(directory)
    connector_named("online-retail-ii").deliver(landing, file)
    with shop.connect() as warehouse:
        for table, sql in landing.relations().items():
            warehouse.execute(f"drop table landing.{table}")
            warehouse.execute(f"create view landing.{table} as {sql}")

    totals, retention = {}, {}
    # The rule enters with the valued orders, so the second build starts there.
    for rule, selection in (
        (KEEPS_FULLY_REFUNDED, ["+path:models/marts/cohorts", "+quarantine_rows"]),
        (DEFAULT_RULE, ["int_orders__valued+,+path:models/marts/cohorts"]),
    ):
        variables = json.dumps(VARIABLES | {"order_rule": rule})
        shop.build("run", "--select", *selection, "--vars", variables)
        [totals[rule]] = shop.rows(
            "select count(distinct customer_id) as customers, cast(sum(order_count) as bigint) as orders, "
            "sum(gross_amount) as gross_amount, sum(net_amount) as net_amount "
            "from intermediate.int_purchases__occasions"
        )
        cells = shop.rows(
            "select * from marts.fct_cohort_retention "
            "where segment_type = 'all' and retention_type = 'bounded' and age_unit = 'month'"
        )
        retention[rule] = {(cell["cohort_month"], cell["age"]): cell for cell in cells}
    return RetailShop(shop, totals, retention)


@pytest.fixture(scope="module")
def second_sheet(tmp_path_factory: pytest.TempPathFactory) -> RetailShop:
    retail = delivered(tmp_path_factory.mktemp("second_sheet"), SECOND_SHEET)
    show("Online Retail, second sheet", retail, [date(2010, 12, 1), date(2011, 1, 1)])
    return retail


@pytest.fixture(scope="module")
def both_sheets(tmp_path_factory: pytest.TempPathFactory) -> RetailShop:
    retail = delivered(tmp_path_factory.mktemp("both_sheets"), BOTH_SHEETS)
    show("Online Retail II, both sheets", retail, [date(2009, 12, 1), date(2010, 12, 1)])
    return retail


def show(title: str, retail: RetailShop, cohorts: list[date]) -> None:
    print(f"\n{title}")
    for rule, total in retail.totals.items():
        print(
            f"  {rule:<20} {total['customers']:>6,} customers {total['orders']:>7,} orders "
            f"{total['gross_amount']:>14,.2f} gross {total['net_amount']:>14,.2f} net of refunds"
        )
        for cohort in cohorts:
            curve = " ".join("-" if n is None else str(n) for n in retail.curve(cohort, rule))
            print(f"    cohort {cohort:%Y-%m}: {curve}")
    for table, counts in conservation(retail).items():
        words = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        print(f"  {table}: {words}")


def conservation(retail: RetailShop) -> dict[str, dict[str, int]]:
    """Where the landed rows of each table are."""
    counted = {}
    for table in INVOICE_TABLES:
        [counted[table]] = retail.shop.rows(
            f"""
            select
                (select count(*) from landing.{table}) as landed,
                (select count(*) from staging.stg_{table}) as staged,
                (select count(*) from staging.base_{table} where _version_rank > 1) as superseded,
                (select count(*) from quarantine.rows where source_table = '{table}') as quarantined
            """
        )
    return counted


def sale_months(file: Path) -> dict[tuple[date, int], int]:
    """Distinct customers by cohort month and calendar month of age, straight from the file's sale lines."""
    invoice, price, customer = (
        ("Invoice", "Price", '"Customer ID"')
        if file == BOTH_SHEETS
        else ("InvoiceNo", "UnitPrice", "CustomerID")
    )
    rows = duckdb.sql(
        f"""
        with sales as (
            select {customer} as customer, date_trunc('month', InvoiceDate::timestamp)::date as month
            from read_csv('{file}', all_varchar = true)
            where {customer} <> '' and not starts_with({invoice}, 'C') and not starts_with({invoice}, 'A')
                and Quantity::int > 0 and {price}::double > 0
        ),
        firsts as (select customer, min(month) as cohort from sales group by 1)
        select cohort, date_diff('month', cohort, month)::int, count(distinct customer)
        from sales inner join firsts using (customer)
        group by all
        """
    ).fetchall()
    return {(cohort, age): customers for cohort, age, customers in rows}


def test_the_second_sheets_first_cohort_comes_back_as_published(second_sheet: RetailShop):
    published = [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445]
    # December 2011 ends with its ninth day.
    assert second_sheet.curve(date(2010, 12, 1)) == [*published, None]


def test_the_second_sheets_second_cohort_comes_back_as_published(second_sheet: RetailShop):
    published = [417, 92, 111, 96, 134, 120, 103, 101, 125, 136, 152]
    assert second_sheet.curve(date(2011, 1, 1)) == [*published, None]


def test_the_second_sheets_sales_have_the_published_totals(second_sheet: RetailShop):
    total = second_sheet.totals[KEEPS_FULLY_REFUNDED]
    assert (total["customers"], total["orders"]) == (4338, 18532)
    assert total["gross_amount"] == Decimal("8911407.90")


def test_both_sheets_without_their_overlap_have_the_published_totals(both_sheets: RetailShop):
    total = both_sheets.totals[KEEPS_FULLY_REFUNDED]
    assert (total["customers"], total["orders"]) == (5878, 36969)
    assert total["gross_amount"] == Decimal("17431533.18")


@pytest.mark.parametrize("sheets", ["second_sheet", "both_sheets"])
def test_every_cohort_cell_is_a_plain_count_over_the_file(
    sheets: str, request: pytest.FixtureRequest
):
    retail: RetailShop = request.getfixturevalue(sheets)
    counted = sale_months(SECOND_SHEET if sheets == "second_sheet" else BOTH_SHEETS)
    cells = retail.retention[KEEPS_FULLY_REFUNDED]
    assert set(counted) <= set(cells)
    assert {key: cell["retained_so_far"] for key, cell in cells.items()} == {
        key: counted.get(key, 0) for key in cells
    }


def test_what_falls_into_the_unfinished_month_has_no_rate(both_sheets: RetailShop):
    cells = both_sheets.retention[KEEPS_FULLY_REFUNDED]
    for (cohort, age), cell in cells.items():
        reaches_december = (cohort.year * 12 + cohort.month + age) == 2011 * 12 + 12
        assert cell["is_mature"] is not reaches_december
        assert (cell["retention_rate"] is None) is reaches_december


def test_the_first_cohort_of_both_sheets_is_flagged_as_left_truncated(both_sheets: RetailShop):
    flags = {
        cohort: cell["is_left_truncated"]
        for (cohort, age), cell in both_sheets.retention[KEEPS_FULLY_REFUNDED].items()
        if age == 0
    }
    # 180 days from 1 December 2009 end with 29 May 2010: May holds the last customers who may be old ones.
    assert {cohort for cohort, flag in flags.items() if flag} == {
        date(2009, 12, 1),
        *(date(2010, month, 1) for month in range(1, 6)),
    }


def test_every_row_of_the_export_is_staged_superseded_or_in_quarantine(both_sheets: RetailShop):
    counts = conservation(both_sheets)
    assert sum(table["landed"] for table in counts.values()) == 1_067_370
    for table in counts.values():
        assert table["landed"] == table["staged"] + table["superseded"] + table["quarantined"]


def test_every_cancellation_ends_as_a_return_or_in_quarantine_with_a_reason(
    both_sheets: RetailShop,
):
    [found] = both_sheets.shop.rows(
        """
        with

        delivered as (
            select distinct split_part(return_id, '/', 1) as invoice from landing.return_items
        ),

        settled as (
            select split_part(return_id, '/', 1) as invoice from staging.stg_return_items
            union
            select split_part(landed.return_id, '/', 1)
            from quarantine.rows
            inner join landing.return_items as landed
                on rows.batch_id = landed._batch_id and rows.row_number = landed._row_number
            where rows.source_table = 'return_items' and length(rows.reasons) > 0
        )

        select
            (select count(*) from delivered) as delivered,
            (select count(*) from delivered semi join settled using (invoice)) as settled
        """
    )
    assert found == {"delivered": 8292, "settled": 8292}


@pytest.mark.parametrize("sheets", ["second_sheet", "both_sheets"])
def test_the_default_rule_leaves_out_fully_refunded_orders_and_nothing_else(
    sheets: str, request: pytest.FixtureRequest
):
    retail: RetailShop = request.getfixturevalue(sheets)
    [refunded] = retail.shop.rows(
        """
        with

        refunds as (
            select order_id, sum(amount) as amount from staging.stg_refunds group by 1
        )

        select count(*) as orders, sum(gross_item_amount) as gross_amount
        from staging.stg_orders
        inner join refunds using (order_id)
        where customer_id is not null and refunds.amount >= gross_item_amount
        """
    )
    kept, default = retail.totals[KEEPS_FULLY_REFUNDED], retail.totals[DEFAULT_RULE]
    assert refunded["orders"] > 0
    assert kept["orders"] - default["orders"] == refunded["orders"]
    assert kept["gross_amount"] - default["gross_amount"] == refunded["gross_amount"]
