"""The state of the deliveries as checks: what `fct_data_quality` found, told where Dagster shows the night.

They warn: old or odd deliveries are no reason to keep the shop from its other numbers. One blocks: a night whose
orders lie in quarantine would show a collapse that never was.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.resources.warehouse import Warehouse

DATA_QUALITY = dg.AssetKey(["marts", "fct_data_quality"])
NO_LOST_ORDERS = "orders_are_not_lost_to_quarantine"
SENTENCES = {
    "freshness": (
        "every_source_is_fresh",
        "Every source has brought news within its usual silence and the slack of freshness_warn_hours.",
    ),
    "volume": (
        "every_source_brought_its_usual_rows",
        "The newest day of every source lies in the band of the same weekdays before it.",
    ),
    "schema": (
        "no_delivery_changed_its_columns",
        "The newest delivery of every source has the columns of the one before.",
    ),
    "quarantine": (
        "no_source_fills_the_quarantine",
        "Every source's newest delivery has no more broken rows than it used to, or than the limit.",
    ),
}


@dg.multi_asset_check(
    name="data_quality_checks",
    specs=[
        *(
            dg.AssetCheckSpec(name, asset=DATA_QUALITY, description=sentence)
            for name, sentence in SENTENCES.values()
        ),
        dg.AssetCheckSpec(
            NO_LOST_ORDERS,
            asset=DATA_QUALITY,
            blocking=True,
            description="The newest orders and lines are not for the greater part in quarantine.",
        ),
    ],
)
def data_quality_checks(
    warehouse: dg.ResourceParam[Warehouse],
) -> Iterator[dg.AssetCheckResult]:
    """The newest finding about each source, kind by kind."""
    found = warehouse.query("""
        select check_name, source_table, status, severity, finding, failing_rows, cast(since_date as varchar)
        from marts.fct_data_quality
        where is_newest and status <> 'passed'
        order by severity nulls last, source_table nulls last
    """)
    for kind, (name, _) in SENTENCES.items():
        wrong = [row for row in found if row[0] == kind and row[2] in ("warned", "failed")]
        unjudged = [row[1] for row in found if row[0] == kind and row[2] == "not_judged"]
        is_error = any(status == "failed" for _, _, status, *_ in wrong)
        yield dg.AssetCheckResult(
            asset_key=DATA_QUALITY,
            check_name=name,
            passed=not wrong,
            severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
            description="; ".join(f"{table}: {finding}" for _, table, _, _, finding, _, _ in wrong)
            or None,
            metadata={
                "failing rows": sum(rows or 0 for *_, rows, _ in wrong),
                "sources that need a look": dg.MetadataValue.md(_table(wrong)),
                "not judged yet": ", ".join(unjudged) or "none",
            },
        )
    lost = [row for row in found if row[3] == "block"]
    yield dg.AssetCheckResult(
        asset_key=DATA_QUALITY,
        check_name=NO_LOST_ORDERS,
        passed=not lost,
        description="; ".join(f"{table}: {finding}" for _, table, _, _, finding, _, _ in lost)
        or None,
        metadata={"failing rows": sum(rows or 0 for *_, rows, _ in lost)},
    )


def _table(rows: list[tuple]) -> str:
    if not rows:
        return "none"
    lines = [
        f"| {table} | {finding} | {status} | {since} |"
        for _, table, status, _, finding, _, since in rows
    ]
    return "\n".join(["| source | finding | status | since |", "|---|---|---|---|", *lines])


HEALTH_CHECKS = [data_quality_checks]
