"""What all assets have in common: the writers' pool, how fresh a table must be, owners, pictures."""

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

# One writer at a time: the warehouse is one file. `dagster.yaml` gives every pool the limit 1.
WRITER_POOL = "duckdb_writer"

# A night a day; two hours of slack before a warning, half a day more before it is a failure.
FRESHNESS = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=26), fail_window=timedelta(hours=36)
)


def owners_by_group(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Who answers for a group, as `models/_groups.yml` says."""
    return {group["name"]: group["owner"]["email"] for group in manifest.get("groups", {}).values()}


# Groups of steps that are no dbt models: before these, before the scores, and behind everything.
BEFORE = ("landing", "reference")
COURT = "court"
BEHIND = ("serving",)


def in_flow_order(manifest: Mapping[str, Any]) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Numbers the group of an asset by its place in `models/_groups.yml`: Dagster lists groups by name."""
    groups = [group["name"] for group in manifest.get("groups", {}).values()]
    # The court sits before the first table that tells what it decided.
    first_told = min(groups.index(name) for name in ("churn", "clv", "scores"))
    flow = [*BEFORE, *groups[:first_told], COURT, *groups[first_told:], *BEHIND]
    numbered = {name: f"{place:02}_{name}" for place, name in enumerate(flow, start=1)}

    def number(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(group_name=numbered[spec.group_name])

    return number


def picture(png: bytes, alternative_text: str) -> dg.MarkdownMetadataValue:
    """A PNG inside the metadata itself, so that it needs no file server and lives as long as the run."""
    encoded = base64.b64encode(png).decode("ascii")
    return dg.MetadataValue.md(f"![{alternative_text}](data:image/png;base64,{encoded})")
