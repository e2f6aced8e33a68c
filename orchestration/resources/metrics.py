"""MetricFlow over the published copy: its engine in this process, with no dbt adapter and no network between.

What a metric means stands in models/semantics. The copy is asked and not the warehouse, for three reasons: a night that
writes never meets a question, a night that failed its checks is never seen, and a metric and a board cannot disagree.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metricflow.data_table.mf_table import MetricFlowDataTable
from metricflow.engine.metricflow_engine import MetricFlowEngine
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from orchestration.resources.dbt_manifest import ensure_manifest
from orchestration.resources.places import serving_of
from orchestration.resources.warehouse import Connection, literal, open_engine, quoted
from orchestration.settings import Settings


@dataclass(frozen=True)
class Metric:
    """A metric as a person looks for it. `is_part` marks what is there to be divided, and only rarely asked for."""

    name: str
    label: str
    description: str
    aggregation: str
    is_part: bool


class PublishedClient:
    """What MetricFlow asks its questions through: one read-only connection that can reach no other file."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def query(self, stmt: str, sql_bind_parameter_set: object = None) -> MetricFlowDataTable:
        result = self._connection.execute(stmt)
        names = [column[0] for column in result.description or []]
        return MetricFlowDataTable.create_from_rows(names, result.fetchall())

    def execute(self, stmt: str, sql_bind_parameter_set: object = None) -> None:
        self._connection.execute(stmt)

    def dry_run(self, stmt: str, sql_bind_parameter_set: object = None) -> None:
        self._connection.execute(f"explain {stmt}")

    def close(self) -> None:
        self._connection.interrupt()

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        raise NotImplementedError("questions to the published copy carry no bind parameters")


def semantic_manifest_file(settings: Settings) -> Path:
    """dbt's account of the semantic models, made anew where the project has changed."""
    ensure_manifest(settings)
    return settings.target_directory / "semantic_manifest.json"


@contextmanager
def metric_engine(settings: Settings) -> Iterator[MetricFlowEngine]:
    """MetricFlow's engine on the copy that is published now; a later publish does not reach it."""
    manifest = parse_manifest_from_dbt_generated_manifest(
        semantic_manifest_file(settings).read_text(encoding="utf-8")
    )
    file = serving_of(settings).current_file()
    with open_engine() as connection:
        # Under the warehouse's own name, because that is what the semantic models call it.
        connection.execute(
            f"attach {literal(file)} as {quoted(settings.warehouse_file.stem)} (read_only)"
        )
        # Read-only alone is no fence: COPY TO and read_csv of any path would still work.
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield MetricFlowEngine(SemanticManifestLookup(manifest), PublishedClient(connection))


def known_metrics(settings: Settings) -> list[Metric]:
    """The metrics of the project by name, in the words of their definitions."""
    content = json.loads(semantic_manifest_file(settings).read_text(encoding="utf-8"))
    return sorted(
        (_metric(metric) for metric in content["metrics"]), key=lambda metric: metric.name
    )


def _metric(metric: dict[str, Any]) -> Metric:
    meta = (metric.get("config") or {}).get("meta") or {}
    return Metric(
        name=metric["name"],
        label=metric.get("label") or metric["name"].replace("_", " "),
        description=" ".join((metric.get("description") or "").split()),
        aggregation=meta.get("aggregation", ""),
        is_part="aggregation" not in meta,
    )
