"""The PostgreSQL copy as a step of the night, where the settings name a database. How it is filled is in resources."""

import dagster as dg

from orchestration.assets.shared import FRESHNESS
from orchestration.resources.postgres import publish_to_postgres
from orchestration.resources.postgres_reader import READER
from orchestration.resources.progress import Progress
from orchestration.resources.serving import PostgresError, ServingFolder
from orchestration.settings import Settings

POSTGRES = dg.AssetKey(["serving", "postgres"])


def postgres_assets(settings: Settings, owner: str) -> list[dg.AssetsDefinition]:
    """The step, or none where RETENTION_POSTGRES is not set."""
    if not settings.postgres:
        return []

    @dg.multi_asset(
        name="postgres",
        specs=[
            dg.AssetSpec(
                POSTGRES,
                deps=[dg.AssetKey(["serving", "publication"])],
                group_name="serving",
                owners=[owner],
                kinds={"postgres"},
                freshness_policy=FRESHNESS,
                description=(
                    f"The published night in PostgreSQL, for BI tools with many seats: role {READER}, "
                    "schema marts."
                ),
            )
        ],
    )
    def postgres(
        serving: dg.ResourceParam[ServingFolder], progress: dg.ResourceParam[Progress]
    ) -> dg.MaterializeResult:
        with progress.step("postgres") as step:
            try:
                filled = publish_to_postgres(serving, settings.postgres, say=step.count)
            except PostgresError as error:
                raise dg.Failure(description=str(error), allow_retries=False) from None
            step.result(f"{filled.tables} tables, {filled.rows:,} rows in {filled.place}")
        return dg.MaterializeResult(
            asset_key=POSTGRES,
            metadata={
                "dagster/row_count": filled.rows,
                "tables": filled.tables,
                "as_of_date": filled.as_of_date.isoformat(),
                "database": filled.place,
            },
        )

    return [postgres]
