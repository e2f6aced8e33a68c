"""The Superset bundle, read as files: it asks for what the marts have, and every reference in it meets its end."""

import json
import re

import pytest
import yaml

from tests.project.conftest import PROJECT

BUNDLE = PROJECT / "bi" / "superset"
SUPERSET_TYPES = {
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "decimal(18,2)": "DECIMAL(18,2)",
    "double": "DOUBLE",
    "integer": "INTEGER",
    "timestamp": "TIMESTAMP",
    "varchar": "VARCHAR",
}


def read(folder: str) -> dict[str, dict]:
    """The files of one kind by name."""
    files = sorted((BUNDLE / folder).rglob("*.yaml"))
    return {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}


@pytest.fixture(scope="module")
def datasets() -> dict[str, dict]:
    return read("datasets")


@pytest.fixture(scope="module")
def charts() -> dict[str, dict]:
    return read("charts")


def test_a_dataset_has_the_columns_of_its_mart_with_their_types(datasets, models):
    assert len(datasets) >= 5
    for name, dataset in datasets.items():
        found = {column["column_name"]: column["type"] for column in dataset["columns"]}
        expected = {
            column["name"]: SUPERSET_TYPES[column["data_type"]]
            for column in models[name]["columns"].values()
        }
        assert found == expected, f"bi/superset/datasets/.../{name}.yaml is not the mart any more"
        assert (dataset["table_name"], dataset["schema"]) == (name, "marts")


def test_a_rate_in_the_bundle_is_a_sum_over_a_sum(datasets):
    """A mean of rates is wrong as soon as a chart adds groups up."""
    for name, dataset in datasets.items():
        for metric in dataset["metrics"]:
            expression = metric["expression"]
            assert re.match(r"SUM\(", expression), f"{name}: {metric['metric_name']}"
            assert "AVG(" not in expression
            if "/" in expression:
                assert re.search(r"\* 1\.0 / NULLIF\(SUM\(.*\), 0\)$", expression), expression


def test_a_chart_asks_for_columns_and_metrics_of_its_dataset(charts, datasets):
    by_uuid = {dataset["uuid"]: dataset for dataset in datasets.values()}
    for name, chart in charts.items():
        dataset = by_uuid[chart["dataset_uuid"]]
        columns = {column["column_name"] for column in dataset["columns"]}
        metrics = {metric["metric_name"] for metric in dataset["metrics"]}
        [query] = json.loads(chart["query_context"])["queries"]
        asked = {
            column if isinstance(column, str) else column["sqlExpression"]
            for column in query["columns"]
        } | {condition["col"] for condition in query["filters"]}
        assert asked <= columns, f"{name} asks for {asked - columns}"
        assert query["metrics"]
        assert set(query["metrics"]) <= metrics, f"{name} asks for {query['metrics']}"
        assert len(chart["description"]) > 20, f"{name} does not say what it shows"


def test_every_chart_is_on_the_dashboard_and_the_dashboard_has_no_other(charts):
    [dashboard] = read("dashboards").values()
    shown = {
        part["meta"]["uuid"]
        for part in dashboard["position"].values()
        if isinstance(part, dict) and part["type"] == "CHART"
    }
    assert shown == {chart["uuid"] for chart in charts.values()}


def test_every_dataset_reads_the_one_database_and_no_id_is_taken_twice(charts, datasets):
    [database] = read("databases").values()
    assert {dataset["database_uuid"] for dataset in datasets.values()} == {database["uuid"]}
    ids = [found["uuid"] for found in (*charts.values(), *datasets.values(), database)]
    assert len(ids) == len(set(ids))


def test_the_database_is_opened_for_reading_alone_and_names_no_machine():
    [database] = read("databases").values()
    assert database["sqlalchemy_uri"].endswith("?access_mode=read_only")
    assert database["sqlalchemy_uri"].startswith("duckdb:////path/to/data/")
    assert not database["allow_dml"]


def test_dbt_knows_what_the_dashboard_reads(datasets, manifest):
    [exposure] = [
        found
        for found in manifest["exposures"].values()
        if found["name"] == "superset_keeping_customers"
    ]
    assert {key.rsplit(".", 1)[-1] for key in exposure["depends_on"]["nodes"]} == set(datasets)
