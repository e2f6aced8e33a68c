"""Everything that Dagster loads, put together. Assembly only: what a thing does stands where it is defined."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.assets.boards import boards_asset
from orchestration.assets.dbt import HALVES, dbt_half, dbt_resource, with_attached_tests
from orchestration.assets.effects import effects_asset
from orchestration.assets.ingest import landing_assets
from orchestration.assets.postgres import postgres_assets
from orchestration.assets.publish import publish_assets
from orchestration.assets.recommendations import recommendation_assets
from orchestration.assets.scoring import scoring_assets
from orchestration.assets.shared import in_flow_order, owners_by_group
from orchestration.checks.effects import EFFECT_CHECKS
from orchestration.checks.health import HEALTH_CHECKS
from orchestration.checks.scores import SCORE_CHECKS
from orchestration.contract import load_contract
from orchestration.home import prepare
from orchestration.jobs import nightly
from orchestration.resources.dbt_manifest import ensure_manifest
from orchestration.resources.places import landing_of, outbox_of, serving_of, warehouse_of
from orchestration.resources.progress import SilentProgress
from orchestration.schedules import nightly_schedule
from orchestration.sensors import failed_night, new_deliveries
from orchestration.settings import Settings, from_environment

CHECKS = [*SCORE_CHECKS, *EFFECT_CHECKS, *HEALTH_CHECKS]


def build_resources(settings: Settings) -> dict[str, Any]:
    """The resources of a night, by the name that assets ask for."""
    return {
        "settings": settings,
        "landing": landing_of(settings),
        "warehouse": warehouse_of(settings, on_wait=dg.get_dagster_logger().warning),
        "serving": serving_of(settings),
        "outbox": outbox_of(settings),
        "progress": SilentProgress(),
        "dbt": dbt_resource(),
    }


def build_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions; `overrides` replaces resources by name (`settings` among them)."""
    overrides = dict(overrides or {})
    settings: Settings = overrides.get("settings") or from_environment()
    prepare(settings)
    manifest = with_attached_tests(ensure_manifest(settings))
    owners = owners_by_group(manifest)

    built = [
        landing_assets(load_contract(), owner=owners["staging"]),
        *(dbt_half(manifest, half) for half in HALVES),
        scoring_assets(customer_owner=owners["clv"], court_owner=owners["scores"]),
        effects_asset(owner=owners["effects"]),
        recommendation_assets(owner=owners["recommendations"]),
    ]
    specs = [spec for definition in [*built, *CHECKS] for spec in definition.check_specs]
    return dg.Definitions(
        assets=dg.map_asset_specs(
            in_flow_order(manifest),
            [
                *built,
                publish_assets(manifest, specs, owner=owners["staging"]),
                boards_asset(owner=owners["kpi"]),
                *postgres_assets(settings, owner=owners["staging"]),
            ],
        ),
        asset_checks=CHECKS,
        jobs=[nightly],
        schedules=[nightly_schedule(settings)],
        sensors=[new_deliveries, failed_night],
        resources={**build_resources(settings), **overrides},
        # No table travels between steps in memory; the warehouse is where they meet.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster` finds in this module; built when asked for, so that importing it costs nothing."""
    return build_defs()
