"""Which sources a mart is made of, as the graph of a night says, and which it cannot do without, as dbt says."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.assets.night_checks import CHECKS
from orchestration.contract import load_contract
from orchestration.definitions import build_defs
from orchestration.resources.dbt_manifest import ensure_manifest, public_tables
from orchestration.settings import Settings


def sources_of_marts(settings: Settings) -> dict[str, frozenset[str]]:
    """Public mart -> every landing table that it is made of, over models and scores alike."""
    graph = build_defs({"settings": settings}).resolve_asset_graph()
    found: dict[dg.AssetKey, frozenset[str]] = {}
    # Parents first.
    for level in graph.toposorted_asset_keys_by_level:
        for key in level:
            above = [found[parent] for parent in graph.get(key).parent_keys]
            own = key.path[1:] if key.path[0] == "landing" else []
            if key == CHECKS:
                # What the checks of a night found is made of all that they looked at.
                own = load_contract().table_names
            found[key] = frozenset(own).union(*above)
    marts = {table.name for table in public_tables(ensure_manifest(settings))}
    return {key.path[-1]: sources for key, sources in found.items() if key.path[-1] in marts}


def needs_of_marts(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Mart -> the sources that it names as those that it cannot do without; of `a or b` one is enough."""
    return {
        node["name"]: node["config"]["meta"]["needs"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and "marts" in node["fqn"]
    }
