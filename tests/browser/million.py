"""A published copy of a shop with a million customers, made from the sample shop's copy with SQL.

Tables of customers and memberships are the sample's rows many times over, each with an id, a country, a channel and
amounts of its own; totals of customers are counted from them anew. Tables by cohort have three times as many countries.
Tables by month, carrier or reason are as long for a large shop as for a small one. What no board reads is left out.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from orchestration.assets.boards import CHARTS_DIRECTORY
from orchestration.boards.specification import load_boards
from orchestration.resources.serving import STORAGE_VERSION, point
from orchestration.science.scoring.customer_tables import CUSTOMERS_TOLD

CUSTOMERS = 1_000_000
# Read by every page beside the charts' own tables.
ALWAYS = ("dim_metrics", "fct_mart_status", "fct_kpi_days")
# What these are counted from.
BELOW = (
    "dim_customers",
    "fct_customer_churn",
    "fct_customer_rfm",
    "fct_customer_segments",
    "fct_customer_value",
)
OWN_WORDS = {
    "country_code": ("GB", "DE", "FR", "US", "NL", "IE", "ES", "IT", "SE", "PL"),
    "first_channel": ("web", "app", "store", "marketplace"),
}
# As the models of the same names in models/marts/kpi count them.
COUNTED = {
    "fct_customer_totals": """
    select
        customers.country_code, customers.first_channel, customers.is_member_now,
        segments.lifecycle_stage, segments.value_tier, segments.risk_band,
        rfm.recency_score, rfm.frequency_monetary_score,
        max(rfm.rfm_group) as rfm_group, max(customers.currency_code) as currency_code,
        count(*) as customers, cast(sum(customers.occasion_count) as bigint) as occasion_count,
        count(*) filter (where churn.is_one_time_buyer) as one_time_buyers,
        count(*) filter (where churn.is_lapsed_fixed) as lapsed_customers,
        sum(v.historic_clv_amount) as historic_clv_amount,
        sum(v.residual_clv_365d_amount) as residual_clv_365d_amount,
        sum(v.expected_orders_365d) as expected_orders_365d,
        sum(churn.p_churn_90d) as expected_churned_90d, count(churn.p_churn_90d) as scored_customers,
        max(customers.as_of_date) as as_of_date, max(customers.published_run_id) as published_run_id
    from big.marts.fct_customer_segments as segments
    inner join big.marts.dim_customers as customers using (customer_id)
    inner join big.marts.fct_customer_rfm as rfm using (customer_id)
    inner join big.marts.fct_customer_value as v using (customer_id)
    inner join big.marts.fct_customer_churn as churn using (customer_id)
    group by all
""",
    "fct_top_customers": """
    select
        segments.customer_id, customers.country_code, customers.first_channel, customers.is_member_now,
        segments.rfm_group, segments.risk_band,
        row_number() over (
            partition by customers.country_code, customers.first_channel, customers.is_member_now,
                segments.rfm_group, segments.risk_band
            order by v.residual_clv_365d_amount desc, segments.customer_id
        ) as rank_in_group,
        segments.lifecycle_stage, segments.value_tier, v.occasion_count, v.historic_clv_amount,
        v.residual_clv_365d_amount, v.currency_code, churn.p_churn_90d,
        churn.reason_1 as churn_reason, churn.last_ordered_date,
        recommended.product_title as recommended_product_title,
        v.as_of_date, v.published_run_id
    from big.marts.fct_customer_segments as segments
    inner join big.marts.dim_customers as customers using (customer_id)
    inner join big.marts.fct_customer_value as v using (customer_id)
    inner join big.marts.fct_customer_churn as churn using (customer_id)
    left join sample.marts.fct_product_recommendations as recommended
        on recommended.customer_id = regexp_replace(segments.customer_id, '-[0-9]+$', '')
        and recommended.recommendation_rank = 1
    qualify rank_in_group <= 100
""",
}


def make(sample: Path, directory: Path) -> Path:
    """The copy behind `directory`/serving.duckdb, made where it does not stand yet."""
    pointer = directory / "serving.duckdb"
    file = directory / f"serving_{sample.stem.removeprefix('serving_')}.duckdb"
    if not (pointer.exists() and pointer.resolve() == file.resolve()):
        directory.mkdir(parents=True, exist_ok=True)
        part = directory / ".million.part"
        part.unlink(missing_ok=True)
        _fill(sample, part)
        part.rename(file)
        point(pointer, file.name)
    return file


def _fill(sample: Path, part: Path) -> None:
    boards = load_boards(CHARTS_DIRECTORY)
    wanted = {table for board in boards for table in board.tables} | {*ALWAYS, *BELOW}
    with duckdb.connect() as engine:
        engine.execute("select setseed(0.5)")
        engine.execute(f"attach '{sample}' as sample (read_only)")
        engine.execute(f"attach '{part}' as big (storage_version '{STORAGE_VERSION}')")
        engine.execute("create schema big.marts")
        columns: dict[str, list[str]] = {}
        for table, column in engine.execute(
            "select table_name, column_name from duckdb_columns() "
            "where database_name = 'sample' and schema_name = 'marts' order by table_name, column_index"
        ).fetchall():
            columns.setdefault(table, []).append(column)
        [(known,)] = engine.execute(
            "select count(*) from sample.marts.fct_customer_value"
        ).fetchall()
        for table in sorted(wanted & columns.keys() - COUNTED.keys()):
            customers = CUSTOMERS_TOLD if table == "fct_score_reasons" else CUSTOMERS
            query = _rows(table, columns[table], -(-customers // known))
            engine.execute(f"create table big.marts.{table} as {query}")
        for table, query in COUNTED.items():
            engine.execute(f"create table big.marts.{table} as {query}")


def _rows(table: str, columns: Sequence[str], times: int) -> str:
    """The rows of one table of the large shop, as a query on the sample's."""
    if "customer_id" in columns:
        return (
            f"select {', '.join(_own(name) for name in columns)} "
            f"from sample.marts.{table}, range({times}) as again (copy)"
        )
    if "segment_type" in columns:
        more = [f"segment || '-' || again.copy as {n}" if n == "segment" else n for n in columns]
        return (
            f"select * from sample.marts.{table} union all select {', '.join(more)} "
            f"from sample.marts.{table}, range(2) as again (copy) where segment_type = 'country'"
        )
    return f"select * from sample.marts.{table}"


def _own(name: str) -> str:
    if name.endswith("_id") and name != "published_run_id":
        return f"{name} || '-' || again.copy as {name}"
    # By the customer and not by the row, so that all tables agree.
    if name in OWN_WORDS:
        words = OWN_WORDS[name]
        place = f"1 + cast(hash(customer_id, again.copy, {name!r}) % {len(words)} as bigint)"
        return f"{list(words)!r}[{place}] as {name}"
    if name.endswith("_amount"):
        return f"cast({name} * (0.5 + random()) as decimal(18, 2)) as {name}"
    return name
