"""What the checks of a night found, as a table: Dagster's own record of it stays on the machine that ran it.

Only what a check is and how it ended: its messages and rows may quote somebody's data.
"""

from collections.abc import Mapping, Sequence

import dagster as dg
import pyarrow as pa

from orchestration.resources.warehouse import Connection, Warehouse

CHECKS = dg.AssetKey(["landing", "checks"])
CHECK_COLUMNS = pa.schema(
    [
        ("asset_name", pa.string()),
        ("check_name", pa.string()),
        ("check_kind", pa.string()),
        ("description", pa.string()),
        ("status", pa.string()),
        ("severity", pa.string()),
        ("failing_rows", pa.int64()),
        ("is_blocking", pa.bool_()),
        ("is_of_this_night", pa.bool_()),
    ]
)
# Where dbt's tests and the checks of this project say how many rows they found.
DBT_ROWS = "dagster_dbt/failed_row_count"
OUR_ROWS = "failing rows"


def empty_checks(connection: Connection) -> None:
    """The table without a row, so that nobody takes last night's results for tonight's."""
    _write(connection, CHECK_COLUMNS.empty_table())


def fill_checks(warehouse: Warehouse, results: pa.Table) -> None:
    """Replace the table; the caller holds the writer's lock."""
    with warehouse.writing_under_held_lock() as connection:
        _write(connection, results)


def newest_results(
    instance: dg.DagsterInstance, checks: Sequence[dg.AssetCheckSpec], run_id: str
) -> pa.Table:
    """One row per check: how it ended when it last ran; `not_run` where it never did."""
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [spec.key for spec in checks]
    )
    rows = []
    for spec in checks:
        record = newest.get(spec.key)
        found = record and record.event and record.event.asset_check_evaluation
        is_dbt = bool(found) and "unique_id" in found.metadata
        rows.append(
            {
                "asset_name": ".".join(spec.asset_key.path),
                "check_name": spec.name,
                "check_kind": "dbt_test" if is_dbt else "asset_check",
                "description": spec.description,
                "status": _status(found),
                "severity": found.severity.value.lower() if found else None,
                "failing_rows": _failing_rows(found.metadata) if found else None,
                "is_blocking": spec.blocking,
                "is_of_this_night": bool(found) and record.run_id == run_id,
            }
        )
    return pa.Table.from_pylist(rows, schema=CHECK_COLUMNS)


def _status(found: dg.AssetCheckEvaluation | None) -> str:
    if not found:
        return "not_run"
    if found.passed:
        return "passed"
    return "failed" if found.severity == dg.AssetCheckSeverity.ERROR else "warned"


def _failing_rows(metadata: Mapping[str, dg.MetadataValue]) -> int | None:
    for name in (DBT_ROWS, OUR_ROWS):
        if name in metadata:
            return int(metadata[name].value)
    return None


def _write(connection: Connection, table: pa.Table) -> None:
    connection.register("incoming", table)
    connection.execute("create or replace table landing.checks as select * from incoming")
    connection.unregister("incoming")
