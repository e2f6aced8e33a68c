"""What all assets have in common: the writers' pool, how fresh a table must be, owners, pictures."""

import base64
from collections.abc import Mapping
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


def picture(png: bytes, alternative_text: str) -> dg.MarkdownMetadataValue:
    """A PNG inside the metadata itself, so that it needs no file server and lives as long as the run."""
    encoded = base64.b64encode(png).decode("ascii")
    return dg.MetadataValue.md(f"![{alternative_text}](data:image/png;base64,{encoded})")
