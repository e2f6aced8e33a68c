"""Whether the script and the night say the same: table by table, row for row, on every column that both have.

Two programs that share no line are each other's check. Rows are compared by the sum of their hashes, which does not
depend on their order and counts a row as often as it is there.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

# What the core marts must share at the least; a column that one side lost would else go unnoticed.
MUST_SHARE = {
    "fct_orders": {
        "order_id",
        "customer_id",
        "net_amount",
        "contribution_margin_amount",
        "is_valid_order",
    },
    "fct_order_lines": {
        "order_line_id",
        "net_before_refunds_amount",
        "cogs_amount",
        "line_refund_amount",
    },
    "fct_refunds": {"order_id", "net_refund_amount", "refunded_date"},
    "dim_customers": {"customer_id", "order_count", "net_amount", "cohort_month", "first_category"},
    "fct_cohort_retention": {
        "cohort_month",
        "age",
        "retained_customers",
        "retention_rate",
        "ci_low",
        "is_mature",
    },
    "fct_cohort_value": {
        "cohort_month",
        "age",
        "net_order_dated_amount",
        "net_refund_dated_amount",
    },
    "fct_repurchase_curves": {
        "cohort_month",
        "day_n",
        "reached_customers",
        "repurchase_rate",
        "median_days",
    },
    "fct_customer_retention_months": {
        "month_start",
        "retained_customers",
        "customer_retention_rate",
    },
    "fct_customer_rfm": {"customer_id", "recency_score", "frequency_score", "monetary_score"},
    "fct_customer_churn": {"customer_id", "days_since_last_order", "is_lapsed_fixed"},
    "fct_kpi_days": {
        "calendar_date",
        "sale_count",
        "new_customers",
        "net_refund_dated_amount",
        "refund_count",
    },
}


@dataclass(frozen=True)
class Difference:
    """A table in which the two disagree, and where to look."""

    table: str
    message: str

    def __str__(self) -> str:
        return f"{self.table}: {self.message}"


def differences(script_file: Path, night_file: Path) -> list[Difference]:
    """Every core mart in which the script's file and the night's published copy are not equal."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{script_file}' as script (read_only)")
        connection.execute(f"attach '{night_file}' as night (read_only)")
        return [found for table in MUST_SHARE for found in _compare(connection, table)]


def _compare(connection: duckdb.DuckDBPyConnection, table: str) -> list[Difference]:
    script, night = (_types(connection, side, table) for side in ("script", "night"))
    if not script or not night:
        missing = "script" if not script else "night"
        return [Difference(table, f"the {missing} has no such table")]
    shared = sorted(script.keys() & night.keys())
    if lost := MUST_SHARE[table] - set(shared):
        return [Difference(table, f"not in both: {', '.join(sorted(lost))}")]
    columns = {name: _comparable(name, night[name]) for name in shared}
    found = _facts(connection, "script", table, columns)
    expected = _facts(connection, "night", table, columns)
    if found == expected:
        return []
    if found["rows"] != expected["rows"]:
        return [
            Difference(table, f"{found['rows']:,} rows by script, {expected['rows']:,} by night")
        ]
    unequal = [name for name in shared if found[name] != expected[name]]
    shown = {name: columns[name] for name in sorted(MUST_SHARE[table] | set(unequal))}
    example = connection.execute(
        f"select * from (select {_listed(shown)} from script.marts.{table} "
        f"except select {_listed(shown)} from night.marts.{table}) limit 1"
    ).fetchone()
    row = dict(zip(shown, map(str, example), strict=True)) if example else "rows repeat differently"
    return [
        Difference(
            table, f"unequal in {', '.join(unequal) or 'whole rows'}; only the script has {row}"
        )
    ]


def _types(connection: duckdb.DuckDBPyConnection, side: str, table: str) -> dict[str, str]:
    return dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() "
            "where database_name = ? and schema_name = 'marts' and table_name = ?",
            [side, table],
        ).fetchall()
    )


def _comparable(name: str, data_type: str) -> str:
    # Sums of doubles differ in their last digits with the order of rows; nine of them are the claim.
    if data_type == "DOUBLE":
        return f'round(cast("{name}" as double), 9) + 0'
    return f'cast("{name}" as {data_type})'


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f'{expression} as "{name}"' for name, expression in columns.items())


def _facts(
    connection: duckdb.DuckDBPyConnection, side: str, table: str, columns: dict[str, str]
) -> dict[str, int]:
    each = ", ".join(f'coalesce(sum(hash("{name}")), 0) as "{name}"' for name in columns)
    whole = ", ".join(f'"{name}"' for name in columns)
    answer = connection.execute(
        f'select count(*) as rows, {each}, coalesce(sum(hash({whole})), 0) as "whole row" '
        f"from (select {_listed(columns)} from {side}.marts.{table})"
    )
    names = [column[0] for column in answer.description]
    return dict(zip(names, answer.fetchone(), strict=True))
