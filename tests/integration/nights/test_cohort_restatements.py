"""Why an old cohort cell changed, lived through: two nights of a shop of four, the second with news of the past.

On the first night Ann bought in January, Ben in February and March, Cat in December and Dan in February. Before the
second it comes out that Ben's account is Ann's, and an order of Cat's of February is delivered at last.
"""

import json
from datetime import date
from typing import Any

import pytest

from tests.integration.staged_shop import StagedShop

DELIVERED = {
    "_source": "shop.csv",
    "_is_deleted": False,
    "_date_order": "ymd",
    "_timezone": "UTC",
}
FIRST_NIGHT, SECOND_NIGHT = date(2025, 4, 1), date(2025, 4, 2)
EVERYTHING = "+fct_cohort_restatements"
# What hangs on other sources has no rows in this shop, on the second night as on the first.
CHANGED = [f"base_{table}+,{EVERYTHING}" for table in ("customers", "orders")]


def accounts(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    names = ("customer_id", "email", "updated_at")
    return [{"created_at": "2024-12-01", **dict(zip(names, row, strict=True))} for row in rows]


def orders(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    names = ("order_id", "customer_id", "ordered_at")
    paid = {"status": "paid", "gross_item_amount": "10", "total_amount": "10"}
    return [paid | dict(zip(names, row, strict=True)) for row in rows]


def live(
    shop: StagedShop, night: date, tables: dict[str, list[dict[str, Any]]], *selection: str
) -> None:
    """Land a batch on the day of the night and build what leads to the restatements."""
    batch = {"_batch_id": f"b{night:%Y%m%d}", "_loaded_at": f"{night} 03:00:00"}
    for table, rows in tables.items():
        shop.land(
            table,
            [DELIVERED | batch | {"_row_number": n} | row for n, row in enumerate(rows, start=1)],
        )
    variables = json.dumps({"as_of_date": str(night), "shop_timezone": "UTC"})
    shop.build("run", "--select", *selection, "--vars", variables)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> StagedShop:
    shop = StagedShop(tmp_path_factory.mktemp("restated"))
    first = {
        "customers": accounts(
            ("ANN", "ann@shop.example", "2025-01-01"),
            ("BEN", "ben@shop.example", "2025-01-01"),
            ("CAT", "cat@shop.example", "2025-01-01"),
            ("DAN", "dan@shop.example", "2025-01-01"),
        ),
        "orders": orders(
            ("A1", "ANN", "2025-01-10 12:00:00"),
            ("B1", "BEN", "2025-02-10 12:00:00"),
            ("B2", "BEN", "2025-03-05 12:00:00"),
            ("C1", "CAT", "2024-12-20 12:00:00"),
            ("D1", "DAN", "2025-02-15 12:00:00"),
        ),
    }
    live(shop, FIRST_NIGHT, first, EVERYTHING)
    assert shop.rows("select * from marts.fct_cohort_restatements") == []
    second = {
        "customers": accounts(("BEN", "ann@shop.example", "2025-04-02")),
        "orders": orders(("C2", "CAT", "2025-02-20 12:00:00")),
    }
    live(shop, SECOND_NIGHT, second, *CHANGED)
    return shop


def test_a_late_order_and_a_merge_restate_old_cells_each_with_its_own_reason(shop):
    """Ann's are the orders of Ben: January keeps its one customer, who came back in February and March."""
    found = shop.rows("""
        select
            cohort_month, age_month, reasons, old_cohort_size, new_cohort_size,
            old_retained_customers, new_retained_customers, explained_customers
        from marts.fct_cohort_restatements order by 1, 2""")
    december, january, february = date(2024, 12, 1), date(2025, 1, 1), date(2025, 2, 1)
    assert [tuple(row.values()) for row in found] == [
        (december, 2, "late_data", 1, 1, 0, 1, 1),
        (january, 1, "identity_merge", 1, 1, 0, 1, 1),
        (january, 2, "identity_merge", 1, 1, 0, 1, 1),
        (february, 0, "identity_merge", 2, 1, 2, 1, -1),
        (february, 1, "identity_merge", 2, 1, 1, 0, -1),
    ]


def test_what_the_night_before_had_told_stays_beside_what_is_told_now(shop):
    kept = shop.rows("""
        select as_of_date, cohort_size, retained_customers from intermediate.int_cohorts__kept_cells
        where cohort_month = date '2025-02-01' and age_month = 1 order by 1""")
    assert [tuple(row.values()) for row in kept] == [(FIRST_NIGHT, 2, 1), (SECOND_NIGHT, 1, 0)]
