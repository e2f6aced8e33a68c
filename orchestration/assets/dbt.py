"""dbt's two halves of the night as assets: `foundation` before the scores, `marts` after them.

The only module that imports dagster_dbt. What a model means stands in its SQL and YAML, never here.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliInvocation,
    DbtCliResource,
    dbt_assets,
)
from packaging.version import Version, parse

from orchestration.assets.shared import FRESHNESS, WRITER_POOL, picture
from orchestration.resources.dbt_manifest import dbt_executable, is_changed_since, night_variables
from orchestration.resources.progress import Progress, Step
from orchestration.resources.warehouse import Warehouse
from orchestration.science import charts
from orchestration.settings import PROJECT_DIRECTORY, Settings

HALVES = ("foundation", "marts")
# The generic test that holds all rules of single rows of a table (tests/dbt/generic/rules_hold.sql).
RULES_HOLD = "rules_hold"
MOST_BROKEN_RULES = 5
COHORT_RETENTION = "marts.fct_cohort_retention"

# Unit tests of models prove code, not data: `make test` runs them, a night does not.
_BUILD = ("build", "--exclude-resource-type", "unit_test")

DbtEvent = dg.Output | dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckResult


class DbtConfig(dg.Config):
    """How one half of the dbt graph is built."""

    full_refresh: bool = False


class Dbt(DbtCliResource):
    """dbt as a child process, without the handle that dagster-dbt opens to the same file beside it.

    That handle serves `.fetch_row_counts()` and column metadata only, costs seconds a start, and stays open
    read-only in this process, where it makes the next Python asset fail.
    """

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:
        return None

    @cached_property
    def _cli_version(self) -> Version:
        # dagster-dbt starts `dbt --version` to learn this; the package knows it as well.
        return parse(installed_version("dbt-core"))


class Translator(DagsterDbtTranslator):
    """How dbt's nodes look in Dagster: key `[schema, name]`, one group and owner each, fresh every night."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=False))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        name = (
            dbt_resource_props["name"]
            if dbt_resource_props["resource_type"] == "source"
            else dbt_resource_props["alias"]
        )
        return dg.AssetKey([dbt_resource_props["schema"], name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        config = dbt_resource_props.get("config", {})
        folders = dbt_resource_props["fqn"][1:-1]
        return config.get("group") or (folders[-1] if folders else dbt_resource_props["schema"])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        described = dbt_resource_props.get("description", "").strip()
        path = dbt_resource_props["original_file_path"]
        return f"{described or _sentence(dbt_resource_props['name'])}\n\n`{path}`"

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id.startswith("source"):
            return spec
        props = self.get_resource_props(manifest, unique_id)
        kind = props["resource_type"] if props["resource_type"] == "seed" else _kind(props)
        return spec.replace_attributes(
            freshness_policy=FRESHNESS,
            kinds={"dbt", "duckdb", kind},
            owners=spec.owners or [_default_owner(manifest)],
        )

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        props = self.get_resource_props(manifest, unique_id)
        return spec._replace(description=props.get("description") or _sentence(props["name"]))


def dbt_half(manifest: Mapping[str, Any], half: str) -> dg.AssetsDefinition:
    """The assets and checks of one half; `selectors.yml` says what belongs to it."""

    @dbt_assets(
        manifest=manifest,
        selector=half,
        name=half,
        dagster_dbt_translator=Translator(),
        pool=WRITER_POOL,
    )
    def run(
        context: dg.AssetExecutionContext,
        config: DbtConfig,
        dbt: Dbt,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[DbtEvent]:
        refuse_changed_project(manifest)
        night = warehouse.night()
        arguments = [*_BUILD, "--vars", json.dumps(night_variables(settings, night.as_of_date))]
        if config.full_refresh:
            arguments.append("--full-refresh")
        with progress.step(half) as step:
            with warehouse.lock.hold(f"dbt {half}"):
                warehouse.wait_until_free()
                invocation = dbt.cli(
                    arguments,
                    context=context,
                    # One fixed folder: a new one per run would lose partial parsing and pile up.
                    target_path=settings.target_directory,
                )
                events, error = _followed(invocation, len(context.selected_asset_keys), step)
            # Events wait for the end of dbt, so that one query can count all tables at once.
            yield from _with_metadata(events, warehouse)
            if error:
                raise dg.Failure(
                    description=failure_in_words(
                        settings.target_directory, manifest, half, warehouse
                    ),
                    allow_retries=False,
                ) from error
            tables = sum(isinstance(event, dg.Output) for event in events)
            checks = sum(isinstance(event, dg.AssetCheckResult) for event in events)
            step.result(f"{tables} tables, {checks} checks")

    return run


def dbt_resource() -> Dbt:
    """dbt of this environment on this project."""
    return Dbt(
        project_dir=str(PROJECT_DIRECTORY),
        profiles_dir=str(PROJECT_DIRECTORY),
        dbt_executable=dbt_executable(),
    )


def with_attached_tests(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with every singular test attached to the last model that it reads.

    dagster-dbt shows a test of several models as an asset check only where the test names one of them; the
    one furthest down the flow is the one that a failure should be seen at.
    """
    attached = {**manifest, "nodes": dict(manifest["nodes"])}
    depth = _depths(manifest)
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] != "test" or node.get("attached_node"):
            continue
        models = [parent for parent in node["depends_on"]["nodes"] if parent in manifest["nodes"]]
        if len(models) < 2:
            continue
        last = manifest["nodes"][max(models, key=lambda name: (depth[name], name))]
        changed = copy.deepcopy(node)
        meta = changed["config"].setdefault("meta", {})
        meta.setdefault("dagster", {}).setdefault("ref", {"name": last["name"]})
        attached["nodes"][unique_id] = changed
    return attached


def refuse_changed_project(manifest: Mapping[str, Any]) -> None:
    """A project that was edited after these definitions were loaded has tables that they do not know."""
    if is_changed_since(manifest):
        raise dg.Failure(
            description=(
                "the dbt project changed after the night had been put together. Run it again; in "
                "Dagster's pages, reload the definitions first"
            ),
            allow_retries=False,
        )


def failure_in_words(
    target: Path, manifest: Mapping[str, Any], half: str, warehouse: Warehouse
) -> str:
    """What failed in dbt: each model or test with its message and the file to look at."""
    try:
        results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        results = []
    failed = [
        result for result in results if result["status"] in ("error", "fail", "runtime error")
    ]
    if not failed:
        return (
            f"dbt could not start on {half}. Its own words are at the end of {target / 'dbt.log'}"
        )
    return "\n".join(_one_failure(result, manifest, target, warehouse) for result in failed)


def _one_failure(
    result: Mapping[str, Any], manifest: Mapping[str, Any], target: Path, warehouse: Warehouse
) -> str:
    node = manifest["nodes"].get(result["unique_id"], {})
    name = node.get("name", result["unique_id"])
    kind = node.get("resource_type", "node")
    message = " ".join(str(result.get("message") or "no message").split())
    # The compiled query of a test returns the very rows that failed.
    compiled = target / "compiled" / "retention" / node.get("original_file_path", "")
    if kind == "test" and node.get("attached_node"):
        compiled = compiled / node.get("path", "")
    where = compiled if compiled.is_file() else node.get("original_file_path", "dbt_project.yml")
    broken = ""
    if (node.get("test_metadata") or {}).get("name") == RULES_HOLD and where == compiled:
        broken = _broken_rules(compiled, warehouse)
    return f"{kind} {name} failed: {message}{broken}\n    look at {where}"


def _broken_rules(compiled: Path, warehouse: Warehouse) -> str:
    """Which of a table's rules are broken, and on how many rows; the rows themselves may name a person."""
    rules = warehouse.query(
        f"select broken_rules, count(*) from ({compiled.read_text(encoding='utf-8')}) "
        f"group by 1 order by 2 desc, 1 limit {MOST_BROKEN_RULES}"
    )
    return "".join(f"\n    {rows:,} rows: {words}" for words, rows in rules)


def _followed(
    invocation: DbtCliInvocation, total: int, step: Step
) -> tuple[list[DbtEvent], DagsterDbtCliRuntimeError | None]:
    """All events of a dbt run, and its error in place of a raise, so that what was built is still told."""
    events: list[DbtEvent] = []
    done = 0
    try:
        for event in invocation.stream():
            events.append(event)
            if isinstance(event, dg.Output):
                done += 1
                step.count(done, total, event.output_name)
    except DagsterDbtCliRuntimeError as error:
        return events, error
    return events, None


def _with_metadata(events: Sequence[DbtEvent], warehouse: Warehouse) -> Iterator[DbtEvent]:
    relation_of = {
        event.output_name: event.output_name.replace("__", ".", 1)
        for event in events
        if isinstance(event, dg.Output)
    }
    counts = warehouse.row_counts(relation_of.values())
    for event in events:
        if isinstance(event, dg.Output):
            relation = relation_of[event.output_name]
            extra: dict[str, Any] = {}
            if relation in counts:
                extra["dagster/row_count"] = counts[relation]
            if relation == COHORT_RETENTION and counts.get(relation):
                extra["cohort triangle"] = _cohort_triangle(warehouse)
            event = event.with_metadata({**event.metadata, **extra})
        yield event


def _cohort_triangle(warehouse: Warehouse) -> dg.MarkdownMetadataValue:
    cells = warehouse.query(f"""
        select cohort_month, age, retention_rate from {COHORT_RETENTION}
        where segment_type = 'all' and retention_type = 'bounded' and age_unit = 'month'
        order by cohort_month nulls last, age nulls last
    """)
    cohorts, ages, rates = zip(*cells, strict=True)
    figure = charts.cohort_triangle(cohorts, ages, rates, "Customers who ordered again, by month")
    return picture(charts.png(figure), "Retention by cohort and age")


def _depths(manifest: Mapping[str, Any]) -> dict[str, int]:
    """How many steps below the sources each node stands."""
    depth: dict[str, int] = {}

    def of(unique_id: str) -> int:
        if unique_id not in depth:
            node = manifest["nodes"].get(unique_id)
            parents = node.get("depends_on", {}).get("nodes", []) if node else []
            depth[unique_id] = 1 + max((of(parent) for parent in parents), default=-1)
        return depth[unique_id]

    for unique_id in manifest["nodes"]:
        of(unique_id)
    return depth


def _default_owner(manifest: Mapping[str, Any]) -> str:
    return next(
        group["owner"]["email"]
        for group in manifest["groups"].values()
        if group["name"] == "staging"
    )


def _kind(props: Mapping[str, Any]) -> str:
    return "view" if props["config"].get("materialized") == "view" else "table"


def _sentence(name: str) -> str:
    return name.removeprefix("assert_").replace("_", " ")
