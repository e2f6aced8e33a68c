"""What the command line says about the shop and about the warehouse, as lines of text. Reads, never writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestration.resources.landing import Landing
from orchestration.resources.serving import Publication, ServingFolder
from orchestration.resources.warehouse import Warehouse
from orchestration.terminal import table_text


@dataclass(frozen=True)
class Number:
    """One line that a CRM manager would read: the tables it needs, the query, and its words."""

    needs: frozenset[str]
    sql: str
    words: str


# Each query gives one row; a line whose row is empty or NULL is left out.
NUMBERS = (
    Number(
        frozenset({"fct_customer_value"}),
        """select count(*), cast(sum(occasion_count) as bigint), sum(net_amount), min(currency_code)
        from fct_customer_value""",
        "{0:,} customers bought on {1:,} occasions, {2:,.2f} {3} net of refunds",
    ),
    Number(
        frozenset({"fct_customer_value"}),
        """select 100.0 * count(*) filter (where occasion_count >= 2) / nullif(count(*), 0)
        from fct_customer_value""",
        "{0:.1f}% of them came back at least once",
    ),
    Number(
        frozenset({"fct_cohort_retention_pooled"}),
        """select 100 * retention_rate, 100 * ci_low, 100 * ci_high, eligible_customers
        from fct_cohort_retention_pooled
        where segment_type = 'all' and retention_type = 'bounded' and age_unit = 'month'
            and method = 'weighted' and age = 12""",
        "{0:.1f}% of a cohort buys in month 12 ({1:.1f} to {2:.1f}%, {3:,} customers old enough)",
    ),
    Number(
        frozenset({"fct_customer_segments", "fct_customer_value"}),
        """select count(*), coalesce(sum(historic_clv_amount), 0), coalesce(sum(residual_clv_365d_amount), 0),
            min(currency_code)
        from fct_customer_segments
        inner join fct_customer_value using (customer_id)
        where lifecycle_stage = 'at_risk'
        having count(*) > 0""",
        "{0:,} customers are at risk: worth {1:,.0f} {3} so far, {2:,.0f} more expected in a year",
    ),
)


def shop_lines(serving: ServingFolder, numbers: Sequence[Number] = NUMBERS) -> Iterator[str]:
    """The shop's numbers from the published copy; a line that has no data is left out."""
    publication = serving.current()
    published = {table.name for table in publication.tables} if publication else set()
    for number in numbers:
        if number.needs <= published:
            _, rows = serving.query(number.sql)
            if rows and None not in rows[0]:
                yield number.words.format(*rows[0])


def published_lines(serving: ServingFolder) -> Iterator[str]:
    """The published copy: where it is, of which day, and what its numbers are."""
    publication = serving.current()
    if publication is None:
        yield "nothing is published yet: run `retention refresh`"
        return
    yield f"file          {serving.pointer} -> {serving.current_file().name}"
    yield f"parquet       {serving.parquet_pointer}"
    yield f"as of         {publication.as_of_date}"
    yield f"published     {publication.published_at:%Y-%m-%d %H:%M} UTC, {_age(publication)} ago"
    yield f"content       {len(publication.tables)} tables, {publication.rows:,} rows"
    yield f"fingerprint   {publication.fingerprint}"
    empty = [table.name for table in publication.tables if table.rows == 0]
    yield f"without data  {', '.join(empty) if empty else 'none: every mart has rows'}"


def delivery_lines(landing: Landing) -> str:
    """Every table of the contract with its batches and its newest delivery."""
    rows = []
    for name in landing.contract.table_names:
        batches = landing.batches(name)
        newest = batches[-1] if batches else None
        rows.append(
            (
                name,
                len(batches),
                sum(batch.rows for batch in batches),
                f"{newest.loaded_at:%Y-%m-%d %H:%M}" if newest else "never delivered",
                newest.file if newest else "",
            )
        )
    return table_text(("table", "deliveries", "rows", "newest (UTC)", "file"), rows)


def refusals(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """Files that the last night refused, with the reason."""
    return warehouse.query("select file, message from landing.refusals order by file nulls last")


def quarantine(warehouse: Warehouse, limit: int = 15) -> list[tuple[Any, ...]]:
    """Quarantined rows by table and reason, most first."""
    return warehouse.query(
        "select source_table, reasons, count(*) as row_count from quarantine.rows group by all"
        f" order by row_count desc nulls last, source_table nulls last, reasons nulls last limit {limit}"
    )


def conservation(warehouse: Warehouse, tables: Sequence[str]) -> list[tuple[Any, ...]]:
    """For each table: landed, staged, superseded and quarantined rows, and what is missing (0 is right)."""
    queries = [
        f"""
        select
            '{table}' as source_table,
            (select count(*) from landing.{table}) as landed,
            (select count(*) from staging.stg_{table}) as staged,
            (select count(*) from staging.base_{table} where _version_rank > 1) as superseded,
            (select count(*) from quarantine.rows where source_table = '{table}') as quarantined
        """
        for table in tables
    ]
    return warehouse.query(
        "select *, landed - staged - superseded - quarantined as missing from ("
        + " union all ".join(queries)
        + ") order by source_table nulls last"
    )


def _age(publication: Publication) -> str:
    hours = (datetime.now(UTC) - publication.published_at).total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"
