"""Deliveries become `landing.*`: the inbox is taken, the views are made, the night's last day is settled.

What a file looks like inside is the business of `resources/landing`; which rows are good is staging's.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from orchestration.assets.night_checks import CHECKS, empty_checks
from orchestration.assets.shared import FRESHNESS, WRITER_POOL
from orchestration.contract import Contract
from orchestration.resources.landing import Delivery, Landing, Manifest, Refusal, delivery_facts
from orchestration.resources.last_day import LastDay, NoCompleteDayError, last_complete_day
from orchestration.resources.progress import Progress
from orchestration.resources.warehouse import Connection, Night, Warehouse, literal
from orchestration.settings import Settings

READABLE = "every_delivery_was_readable"
ORDERS_DELIVERED = "orders_were_delivered"
NO_STRAY_DAY = "the_last_day_is_no_stray"
NIGHT = dg.AssetKey(["landing", "night"])
DELIVERIES = dg.AssetKey(["landing", "deliveries"])
ORDERS = dg.AssetKey(["landing", "orders"])

# A shop that sold nothing for a month and then once is more often a typing error than a shop.
STRAY_GAP_DAYS = 31


class LandingConfig(dg.Config):
    """How one night is landed."""

    as_of_date: str | None = None


def landing_assets(contract: Contract, owner: str) -> dg.AssetsDefinition:
    """One asset per table of the contract, and `landing.night` with what all later steps share."""
    tables = [
        dg.AssetSpec(
            ["landing", table.name],
            group_name="landing",
            owners=[owner],
            description=table.description or f"Deliveries of {table.name}, as they came.",
            kinds={"duckdb", "parquet"},
            freshness_policy=FRESHNESS,
            metadata={"key": ", ".join(table.key)},
        )
        for table in contract
    ]
    night = dg.AssetSpec(
        NIGHT,
        group_name="landing",
        owners=[owner],
        description="One row: the night's as_of_date, that is the last complete shop-local day.",
        kinds={"duckdb"},
        freshness_policy=FRESHNESS,
        deps=[ORDERS],
    )
    deliveries = dg.AssetSpec(
        DELIVERIES,
        group_name="landing",
        owners=[owner],
        description="One row per delivery: its rows, its time, and how its columns differ from the one before.",
        kinds={"duckdb"},
        freshness_policy=FRESHNESS,
    )
    checks = dg.AssetSpec(
        CHECKS,
        group_name="landing",
        owners=[owner],
        description=(
            "One row per check with its newest result: emptied when a night begins, filled when its last "
            "check has spoken, just before the copy is made."
        ),
        kinds={"duckdb"},
        freshness_policy=FRESHNESS,
    )
    readable = [
        dg.AssetCheckSpec(
            READABLE,
            asset=["landing", table.name],
            description="No file for this table was refused; a refused one is told again each night.",
        )
        for table in contract
    ]
    gates = [
        dg.AssetCheckSpec(
            ORDERS_DELIVERED,
            asset=ORDERS,
            blocking=True,
            description="There is at least one order, without which no mart can be built.",
        ),
        dg.AssetCheckSpec(
            NO_STRAY_DAY,
            asset=NIGHT,
            description=f"The last day with an order is not {STRAY_GAP_DAYS} days after all others.",
        ),
    ]

    @dg.multi_asset(
        name="landing",
        specs=[*tables, night, deliveries, checks],
        check_specs=[*readable, *gates],
        pool=WRITER_POOL,
    )
    def landing(
        context: dg.AssetExecutionContext,
        config: LandingConfig,
        settings: dg.ResourceParam[Settings],
        landing: dg.ResourceParam[Landing],
        warehouse: dg.ResourceParam[Warehouse],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with progress.step("landing") as step, warehouse.lock.hold("landing"):
            results = landing.deliver_inbox()
            with warehouse.writing_under_held_lock() as connection:
                make_views(connection, landing)
                record_refusals(connection, results)
                known = record_deliveries(connection, landing)
                empty_checks(connection)
            yield dg.MaterializeResult(DELIVERIES, metadata={"dagster/row_count": known})
            yield dg.MaterializeResult(CHECKS)
            for table in contract:
                batches = landing.batches(table.name)
                ours = [result for result in results if result.table == table.name]
                yield _table_result(table.name, batches, ours)
                yield _readable(table.name, ours)
                if batches:
                    step.line(_line(table.name, batches, ours))
            refusals = [result for result in results if isinstance(result, Refusal)]
            for refusal in refusals:
                context.log.warning(refusal.message)
                step.line(f"refused: {refusal.message}")

            order_rows = sum(batch.rows for batch in landing.batches("orders"))
            delivered = order_rows > 0
            yield dg.AssetCheckResult(
                asset_key=ORDERS,
                check_name=ORDERS_DELIVERED,
                passed=delivered,
                metadata={"rows": order_rows},
            )
            if not delivered:
                raise dg.Failure(description=_no_orders(settings, results), allow_retries=False)

            named = config.as_of_date or (settings.as_of_date and settings.as_of_date.isoformat())
            with warehouse.writing_under_held_lock() as connection:
                night, found = _settled_night(
                    connection,
                    context.run.run_id,
                    shop_timezone=str(settings.business_constant("shop_timezone")),
                    named=date.fromisoformat(named) if named else None,
                )
                record_night(connection, night)
            yield from _night_result(night, found, is_named=bool(named))
            new_count = sum(isinstance(r, Delivery) and r.is_new for r in results)
            step.result(f"{new_count} new deliveries, orders complete to {night.as_of_date}")

    return landing


def make_views(connection: Connection, landing: Landing) -> None:
    """`landing.<table>` for every table of the contract, empty and typed where nothing came."""
    connection.execute("create schema if not exists landing")
    for name, select in landing.relations().items():
        connection.execute(f"create or replace view landing.{name} as {select}")


def record_deliveries(connection: Connection, landing: Landing) -> int:
    """Write what is known about every delivery; returns how many there are."""
    names = landing.contract.table_names
    facts = delivery_facts(manifest for name in names for manifest in landing.batches(name))
    connection.register("incoming", facts)
    connection.execute("create or replace table landing.deliveries as select * from incoming")
    connection.unregister("incoming")
    return facts.num_rows


def record_night(connection: Connection, night: Night) -> None:
    """Write the one row that every later step reads."""
    connection.execute(f"""
        create or replace table landing.night as select
            {literal(night.run_id)} as run_id,
            date {literal(night.as_of_date)} as as_of_date,
            {literal(night.shop_timezone)} as shop_timezone
    """)


def record_refusals(connection: Connection, results: Sequence[Delivery | Refusal]) -> None:
    """Keep what was refused tonight where `retention status` finds it."""
    connection.execute(
        "create or replace table landing.refusals (file varchar, source_table varchar, message varchar)"
    )
    rows = [[r.file, r.table, r.message] for r in results if isinstance(r, Refusal)]
    if rows:
        connection.executemany("insert into landing.refusals values (?, ?, ?)", rows)


def _table_result(
    table: str, batches: Sequence[Manifest], results: Sequence[Delivery | Refusal]
) -> dg.MaterializeResult:
    refusals = [result for result in results if isinstance(result, Refusal)]
    new = [result for result in results if isinstance(result, Delivery) and result.is_new]
    return dg.MaterializeResult(
        asset_key=["landing", table],
        metadata={
            "dagster/row_count": sum(batch.rows for batch in batches),
            "batches": len(batches),
            "rows with a problem": sum(batch.problem_rows for batch in batches),
            "new deliveries": dg.MetadataValue.md(_bullets(r.message for r in new)),
            "refused files": dg.MetadataValue.md(_bullets(r.message for r in refusals)),
            "newest delivery": batches[-1].file if batches else "none: the table is empty",
        },
    )


def _readable(table: str, results: Sequence[Delivery | Refusal]) -> dg.AssetCheckResult:
    refusals = [result for result in results if isinstance(result, Refusal)]
    return dg.AssetCheckResult(
        asset_key=["landing", table],
        check_name=READABLE,
        passed=not refusals,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "refused": len(refusals),
            "messages": dg.MetadataValue.md(_bullets(r.message for r in refusals)),
        },
    )


def _night_result(
    night: Night, found: LastDay | None, *, is_named: bool
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    yield dg.MaterializeResult(
        asset_key=NIGHT,
        metadata={
            "as_of_date": night.as_of_date.isoformat(),
            "comes from": "RETENTION_AS_OF_DATE or the run's config" if is_named else "the orders",
            "shop time zone": night.shop_timezone,
        },
    )
    gap = found.gap_days if found and not is_named else 0
    yield dg.AssetCheckResult(
        asset_key=NIGHT,
        check_name=NO_STRAY_DAY,
        passed=gap < STRAY_GAP_DAYS,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "days without an order before it": gap,
            "if it is a typing error": "name the right last day with RETENTION_AS_OF_DATE",
        },
    )


def _settled_night(
    connection: Connection, run_id: str, *, shop_timezone: str, named: date | None
) -> tuple[Night, LastDay | None]:
    """The night, and what the orders say about its last day; a named day needs nothing from the orders."""
    try:
        found = last_complete_day(connection, shop_timezone)
    except NoCompleteDayError as error:
        if named is None:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        return Night(run_id, named, shop_timezone), None
    return Night(run_id, named or found.day, shop_timezone), found


def _no_orders(settings: Settings, results: Sequence[Delivery | Refusal]) -> str:
    refused = [r.message for r in results if isinstance(r, Refusal) and r.table in ("orders", None)]
    message = (
        "orders were not delivered, and they are the one table that a shop must deliver. Put "
        f"orders.csv (or .csv.gz, .tsv, .parquet, .jsonl) into {settings.inbox_directory}, or map an "
        "export onto the contract with `retention load`."
    )
    return "\n".join([message, *(f"Refused: {text}" for text in refused)])


def _line(table: str, batches: Sequence[Manifest], results: Sequence[Delivery | Refusal]) -> str:
    new = sum(isinstance(result, Delivery) and result.is_new for result in results)
    rows = sum(batch.rows for batch in batches)
    text = f"{table:<26} {rows:>12,} rows in {len(batches)} deliveries"
    return text + (f", {new} new" if new else "")


def _bullets(messages: Iterator[str]) -> str:
    return "\n".join(f"- {message}" for message in messages) or "none"
