"""Staging makes the same of a Parquet delivery in the contract's own types as of its values written out as text."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.resources.landing import Landing
from tests.integration.staged_shop import StagedShop

TABLES = ("orders", "order_lines", "membership_terms")
# The same file in both forms: what only one form can hold or lose (a zone, a number that is none, a far
# year, an empty value, a deletion, a version) next to plain rows.
DELIVERIES = {
    "orders": """
        select * from (values
            ('O1', 'C1', timestamp '2025-03-30 01:30:00', 12.50, 0.1::double, true,
                timestamp '2025-03-30 02:00:00', null),
            ('O1', 'C1', timestamp '2025-03-30 01:30:00', 13.50, null, false,
                timestamp '2025-03-31 02:00:00.123456', null),
            ('O2', 'C2', timestamp '2025-07-01 23:59:59', -1.00, null, null, null, null),
            ('O3', 'C3', timestamp '0044-03-15 12:00:00', 1.00, null, null, null, null),
            ('O4', 'C4', timestamp '12025-01-01 00:00:00', 1.00, null, null, null, null),
            ('O5', 'C5', timestamp 'infinity', 1.00, null, null, null, null),
            ('O6', 'C6', timestamp '2025-07-02 12:00:00', 1.00, 'nan'::double, null, null, null),
            ('O7', 'C7', timestamp '2025-07-02 12:00:00', 1.00, '-inf'::double, null, null, null),
            ('O8', 'C8', null, null, null, null, null, null),
            ('O9', null, null, null, null, null, null, 'true')
        ) as orders (order_id, customer_id, ordered_at, total_amount, fx_rate_to_shop, is_test,
            updated_at, is_deleted)
    """,
    "order_lines": """
        select * from (values
            ('L1', 'O1', 2, 6.25, true), ('L1', 'O1', 3, 6.25, false), ('L2', 'O1', 0, 1.00, null),
            ('L3', 'O1', null, 1.00, null), (null, 'O1', 1, 1.00, null), ('L5', 'O9', 1, 1.00, null)
        ) as order_lines (order_line_id, order_id, quantity, unit_price, is_gift_insert)
    """,
    "membership_terms": """
        select *, 'monthly' as billing_period, 9.99 as fee_amount, 'paid' as payment_status from (values
            ('T1', 'M1', 1, date '2025-01-31', date '2025-02-28'),
            ('T2', 'M1', 2, date '2025-02-28', date '2025-01-31'),
            ('T3', 'M1', 3, date 'infinity', date '12025-01-01'),
            ('T4', 'M1', 4, date '0001-01-01', date '9999-12-31')
        ) as terms (membership_term_id, membership_id, term_number, term_start, term_end)
    """,
}
NATIVE = ("total_amount", "unit_price", "fee_amount")


def _landed(directory: Path, form: str) -> StagedShop:
    """All deliveries in one form, staged; the shop's clock is in New York."""
    landing = Landing(
        directory, timezone="America/New_York", clock=lambda: datetime(2025, 12, 1, tzinfo=UTC)
    )
    for table, rows in DELIVERIES.items():
        typed = f"select * replace ({_as_money(rows)}) from ({rows})"
        if form == "text":
            typed = f"select columns(*)::varchar from ({typed})"
        path = directory / f"{table}.parquet"
        duckdb.execute(f"copy ({typed}) to '{path}'")
        landing.deliver(path)
    shop = StagedShop(directory / "staged")
    shop.show_landing(landing.relations())
    shop.build("run", "--select", *(f"+base_{table}" for table in TABLES))
    return shop


def _as_money(rows: str) -> str:
    [column] = [name for name in NATIVE if name in rows]
    return f"{column}::decimal(18, 2) as {column}"


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StagedShop]:
    return {form: _landed(tmp_path_factory.mktemp(form), form) for form in ("typed", "text")}


@pytest.mark.parametrize("table", TABLES)
def test_typed_values_are_staged_like_their_text(shops: dict[str, StagedShop], table: str) -> None:
    staged = {
        form: shop.rows(f"select * from staging.base_{table} order by _row_number")
        for form, shop in shops.items()
    }
    assert staged["typed"] == staged["text"]


def test_the_typed_delivery_was_read_in_its_types(shops: dict[str, StagedShop]) -> None:
    types = shops["typed"].rows(
        "select typeof(ordered_at) as at, typeof(total_amount) as amount from landing.orders limit 1"
    )
    assert types == [{"at": "TIMESTAMP", "amount": "DECIMAL(18,2)"}]


def test_what_is_no_value_is_in_quarantine_by_its_own_words(shops: dict[str, StagedShop]) -> None:
    broken = shops["typed"].rows(
        "select order_id, _problems as problems from staging.base_orders "
        "where order_id in ('O4', 'O5', 'O6', 'O7') order by order_id"
    )
    assert [(row["order_id"], row["problems"]) for row in broken] == [
        ("O4", "ordered_at is not a time"),
        ("O5", "ordered_at is not a time"),
        ("O6", "fx_rate_to_shop is not a number"),
        ("O7", "fx_rate_to_shop is not a number"),
    ]
