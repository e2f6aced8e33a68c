"""What the command line says about the shop and about the warehouse, as lines of text. Reads, never writes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestration.resources.landing import Landing
from orchestration.resources.serving import Publication, ServingFolder
from orchestration.resources.warehouse import Warehouse
from orchestration.terminal import table_text

Rows = list[tuple[Any, ...]]

WAREHOUSE = "the warehouse"
HEALTH_TABLES = {
    "landing.refusals",
    "marts.fct_mart_status",
    "marts.fct_quarantine_reasons",
    "marts.fct_source_conservation",
}


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
        frozenset({"fct_membership_months"}),
        """select sum(closing_members), sum(closing_mrr_amount), min(currency_code)
        from fct_membership_months
        where month_start = (select max(month_start) from fct_membership_months where is_complete)
        having sum(closing_members) > 0""",
        "{0:,} paying members, {1:,.2f} {2} a month",
    ),
    Number(
        # Monthly and annual terms never mix: a month renewed is not a year renewed.
        frozenset({"fct_membership_renewals"}),
        """select
            100.0 * sum(renewed_terms) filter (where term_number = 1)
                / nullif(sum(decided_terms) filter (where term_number = 1), 0),
            sum(decided_terms) filter (where term_number = 1),
            100.0 * sum(renewed_terms) filter (where term_number = 2)
                / nullif(sum(decided_terms) filter (where term_number = 2), 0),
            sum(decided_terms) filter (where term_number = 2)
        from fct_membership_renewals
        where billing_period = 'annual'""",
        "{0:.1f}% of annual members renew after their first year (of {1:,}), {2:.1f}% after the second (of {3:,})",
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
    # How sure the scores are: what their champion saved against the closest forecast without a model, on held-out time.
    *(
        Number(
            frozenset({"fct_score_champions", "fct_score_verdicts"}),
            f"""select horizon_days, champions.champion_model_name, 100 * verdicts.loss_gain,
                100 * verdicts.total_bias, verdicts.origins
            from fct_score_champions as champions
            inner join fct_score_verdicts as verdicts using (score_name, horizon_days, as_of_date)
            where score_name = '{score}' and champions.is_published and champions.level = 'customer'
                and verdicts.model_name = champions.champion_model_name
            order by horizon_days nulls last
            limit 1""",
            words,
        )
        for score, words in (
            (
                "churn",
                "who orders within {0} days is forecast by {1}: {2:.0f}% less loss than without a model,"
                " total off by {3:+.0f}% over {4} origins",
            ),
            (
                "value",
                "what a customer brings in {0} days is forecast by {1}: {2:.0f}% less loss than without a model,"
                " total off by {3:+.0f}% over {4} origins",
            ),
        )
    ),
    Number(
        frozenset({"fct_score_champions"}),
        """select string_agg(score_name || ' over ' || horizon_days || ' days', ', '
                order by score_name nulls last, horizon_days nulls last)
        from fct_score_champions
        where level = 'pooled'
            and as_of_date = (select max(as_of_date) from fct_score_champions)""",
        "pooled, since the shop is too small or too young to judge each customer: {0}",
    ),
    Number(
        frozenset({"fct_score_champions"}),
        """select string_agg(score_name || ' over ' || horizon_days || ' days', ', '
                order by score_name nulls last, horizon_days nulls last)
        from fct_score_champions
        where not is_published
            and as_of_date = (select max(as_of_date) from fct_score_champions)""",
        "withheld, since nobody has earned the place (last good scores stay, dated): {0}",
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


@dataclass(frozen=True)
class Health:
    """The warehouse's own marts about deliveries, from the newest place that can be read."""

    place: str
    ask: Callable[[str], Rows]

    def refusals(self) -> str:
        """Files that the last night refused, with the reason; the published copy does not know them."""
        if self.place != WAREHOUSE:
            return "shown when the night is over"
        rows = self.ask("select file, message from landing.refusals order by file nulls last")
        return "\n".join(f"{file}: {message}" for file, message in rows) or "none"

    def quarantine(self, limit: int = 15) -> str:
        """Quarantined rows by table and reason, most first."""
        rows = self.ask(
            "select source_table, reason, cast(sum(quarantined_rows) as bigint) as row_count"
            " from marts.fct_quarantine_reasons group by all"
            f" order by row_count desc nulls last, source_table nulls last, reason nulls last limit {limit}"
        )
        return table_text(("table", "reason", "rows"), rows) if rows else "empty"

    def conservation(self) -> str:
        """For each table: landed, staged, superseded and quarantined rows, and what is missing."""
        names = "source_table, landed_rows, staged_rows, superseded_rows, quarantined_rows, difference_rows"
        rows = self.ask(
            f"select {names} from marts.fct_source_conservation order by source_table nulls last"
        )
        titles = ("table", "landed", "staged", "superseded", "quarantined", "difference")
        return table_text(titles, rows)

    def marts_without_data(self) -> str:
        """Marts that are empty because the shop does not deliver what they are made of."""
        rows = self.ask(
            "select mart_name, missing_sources from marts.fct_mart_status where not has_data"
            " order by mart_name nulls last"
        )
        lines = [f"{mart} needs {sources}" for mart, sources in rows]
        return "\n".join(lines) or "none: every mart has its sources"


def health(warehouse: Warehouse, serving: ServingFolder) -> Health | None:
    """The warehouse where it can be read now, else the published copy; None before the first night."""
    if warehouse.lock.holder() is None and warehouse.file.exists():
        if warehouse.relations() >= HEALTH_TABLES:
            return Health(WAREHOUSE, warehouse.query)
        return None
    if serving.current() is None:
        return None
    return Health("the published copy", lambda sql: serving.query(sql)[1])


def _age(publication: Publication) -> str:
    hours = (datetime.now(UTC) - publication.published_at).total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"
