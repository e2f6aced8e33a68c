"""The last step of a night: the gate, then the published copy. How a copy is made is in resources/serving.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from orchestration.assets.night_checks import fill_checks, newest_results
from orchestration.assets.shared import FRESHNESS, WRITER_POOL
from orchestration.resources.dbt_manifest import PublicTable, public_tables
from orchestration.resources.progress import Progress
from orchestration.resources.serving import Publication, ServingFolder
from orchestration.resources.warehouse import Warehouse

PUBLICATION = dg.AssetKey(["serving", "publication"])


def publish_assets(
    manifest: Mapping[str, Any], checks: Iterable[dg.AssetCheckSpec], owner: str
) -> dg.AssetsDefinition:
    """The published copy, below every public mart and behind every blocking check among `checks`."""
    tables = public_tables(manifest)
    checks = sorted(checks, key=lambda spec: spec.key.to_user_string())
    gates = [spec.key for spec in checks if spec.blocking]

    @dg.multi_asset(
        name="publish",
        specs=[
            dg.AssetSpec(
                PUBLICATION,
                deps=[dg.AssetKey(["marts", table.name]) for table in tables],
                group_name="serving",
                owners=[owner],
                kinds={"duckdb", "parquet"},
                freshness_policy=FRESHNESS,
                description=(
                    "The public marts of the night as a read-only DuckDB file and as Parquet; "
                    "readers open serving/serving.duckdb."
                ),
            )
        ],
        pool=WRITER_POOL,
    )
    def publish(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        serving: dg.ResourceParam[ServingFolder],
        progress: dg.ResourceParam[Progress],
    ) -> dg.MaterializeResult:
        with progress.step("publish") as step:
            closed = closed_gates(context.instance, gates)
            if closed:
                raise dg.Failure(description=refusal(closed), allow_retries=False)
            night = warehouse.night()
            with warehouse.lock.hold("publish"):
                # Every check has spoken by now; what they said goes with the copy.
                fill_checks(warehouse, newest_results(context.instance, checks, night.run_id))
                publication = serving.publish(warehouse.file, tables, night, say=step.count)
            step.result(
                f"{len(publication.tables)} tables, {publication.rows:,} rows, "
                f"fingerprint {publication.fingerprint}"
            )
        return dg.MaterializeResult(asset_key=PUBLICATION, metadata=_metadata(publication, tables))

    return publish


def closed_gates(instance: dg.DagsterInstance, gates: Sequence[dg.AssetCheckKey]) -> list[str]:
    """The blocking checks whose newest result is not a pass, in words.

    Within a whole night a failed check has already stopped the run; this also holds when somebody runs the
    publishing alone.
    """
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(gates)
    closed = []
    for key in gates:
        record = newest.get(key)
        evaluation = record and record.event and record.event.asset_check_evaluation
        if evaluation is None:
            closed.append(f"{key.to_user_string()} has not run")
        elif not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR:
            closed.append(f"{key.to_user_string()} failed")
    return closed


def refusal(closed: Sequence[str]) -> str:
    """Why nothing is published, with the first few checks by name."""
    shown = "; ".join(closed[:5]) + (f"; and {len(closed) - 5} more" if len(closed) > 5 else "")
    return (
        f"not published: {len(closed)} blocking checks have not passed ({shown}). Run the whole "
        "night (`retention refresh`), or repair what they found"
    )


def _metadata(publication: Publication, tables: Sequence[PublicTable]) -> dict[str, Any]:
    rows = "\n".join(f"| {table.name} | {table.rows:,} |" for table in publication.tables)
    return {
        "dagster/row_count": publication.rows,
        "as_of_date": publication.as_of_date.isoformat(),
        "fingerprint": publication.fingerprint,
        "file": f"serving_{publication.label}.duckdb",
        "tables": dg.MetadataValue.md(f"| table | rows |\n|---|--:|\n{rows}"),
        "columns kept back": sum(table.kept_back for table in tables),
    }
