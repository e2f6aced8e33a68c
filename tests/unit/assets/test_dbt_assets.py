"""How dbt looks in Dagster, and how a failed dbt run is told."""

import json

import dagster as dg
import pytest

from orchestration.assets import dbt as dbt_module
from orchestration.assets.dbt import (
    Translator,
    failure_in_words,
    refuse_changed_project,
    with_attached_tests,
)
from orchestration.resources.lock import WriterLock
from orchestration.resources.warehouse import Warehouse, open_engine


def node(unique_id: str, **properties) -> dict:
    kind, _, name = unique_id.split(".")
    return {
        "unique_id": unique_id,
        "resource_type": kind,
        "name": name,
        "alias": name,
        "schema": "marts",
        "original_file_path": f"models/marts/{name}.sql",
        "fqn": ["retention", "marts", "orders", name],
        "config": {"group": "orders"},
        "depends_on": {"nodes": []},
        **properties,
    }


@pytest.fixture
def manifest() -> dict:
    """stg_orders -> int_orders -> fct_orders, and a singular test over the first and the last."""
    nodes = [
        node("model.retention.stg_orders"),
        node("model.retention.int_orders", depends_on={"nodes": ["model.retention.stg_orders"]}),
        node("model.retention.fct_orders", depends_on={"nodes": ["model.retention.int_orders"]}),
        node(
            "test.retention.assert_money_adds_up",
            original_file_path="tests/dbt/orders/assert_money_adds_up.sql",
            depends_on={"nodes": ["model.retention.fct_orders", "model.retention.stg_orders"]},
        ),
    ]
    return {"nodes": {each["unique_id"]: each for each in nodes}}


@pytest.fixture
def warehouse(tmp_path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse.duckdb", WriterLock(tmp_path / "lock"))


def test_a_singular_test_is_shown_at_the_last_model_that_it_reads(manifest):
    attached = with_attached_tests(manifest)["nodes"]["test.retention.assert_money_adds_up"]
    assert attached["config"]["meta"]["dagster"]["ref"] == {"name": "fct_orders"}
    untouched = manifest["nodes"]["test.retention.assert_money_adds_up"]
    assert "meta" not in untouched["config"], "the manifest that came in stays as it was"


def test_a_key_is_schema_and_name_so_that_python_and_dbt_meet_without_glue():
    translator = Translator()
    model = node("model.retention.stg_orders", schema="staging")
    source = {"resource_type": "source", "schema": "scores", "name": "customer_clv"}
    quarantine = node("model.retention.quarantine_rows", schema="quarantine", alias="rows")
    assert translator.get_asset_key(model) == dg.AssetKey(["staging", "stg_orders"])
    assert translator.get_asset_key(source) == dg.AssetKey(["scores", "customer_clv"])
    assert translator.get_asset_key(quarantine) == dg.AssetKey(["quarantine", "rows"])


def test_a_group_is_dbts_own_and_else_the_folder():
    translator = Translator()
    assert translator.get_group_name(node("model.retention.fct_orders")) == "orders"
    seed = node("seed.retention.rfm_groups", config={}, fqn=["retention", "rfm_groups"])
    assert translator.get_group_name(seed | {"schema": "reference"}) == "reference"


def test_a_failed_test_is_told_with_its_message_and_the_query_to_look_at(
    tmp_path, manifest, warehouse
):
    compiled = tmp_path / "compiled/retention/tests/dbt/orders/assert_money_adds_up.sql"
    compiled.parent.mkdir(parents=True)
    compiled.write_text("select 1")
    results = [
        {"unique_id": "model.retention.stg_orders", "status": "success", "message": "OK"},
        {
            "unique_id": "test.retention.assert_money_adds_up",
            "status": "fail",
            "message": "Got 3 results,\n configured to fail if != 0",
        },
    ]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}))
    assert failure_in_words(tmp_path, manifest, "marts", warehouse) == (
        "test assert_money_adds_up failed: Got 3 results, configured to fail if != 0\n"
        f"    look at {compiled}"
    )


def test_a_failed_test_of_many_rules_names_the_broken_ones_and_no_row(tmp_path, warehouse):
    with open_engine(warehouse.file) as connection:
        connection.execute("create table lines as select * from (values (-1), (-2), (3)) as t (n)")
    compiled = tmp_path / "compiled/retention/models/marts/fct_orders.yml/rules.sql"
    compiled.parent.mkdir(parents=True)
    compiled.write_text(
        "select 'n is positive' as broken_rules, n from warehouse.lines where n < 0"
    )
    rules = node(
        "test.retention.fct_orders_rules_hold",
        original_file_path="models/marts/fct_orders.yml",
        path="rules.sql",
        attached_node="model.retention.fct_orders",
        test_metadata={"name": "rules_hold"},
    )
    results = [{"unique_id": rules["unique_id"], "status": "fail", "message": "Got 2 results"}]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}))
    manifest = {"nodes": {rules["unique_id"]: rules}}
    assert failure_in_words(tmp_path, manifest, "marts", warehouse) == (
        "test fct_orders_rules_hold failed: Got 2 results\n"
        "    2 rows: n is positive\n"
        f"    look at {compiled}"
    )


def test_a_failed_model_is_told_with_its_own_file(tmp_path, manifest, warehouse):
    results = [
        {
            "unique_id": "model.retention.fct_orders",
            "status": "error",
            "message": "Binder Error: no column x",
        }
    ]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}))
    told = failure_in_words(tmp_path, manifest, "marts", warehouse)
    assert told.startswith("model fct_orders failed: Binder Error: no column x")
    assert told.endswith("look at models/marts/fct_orders.sql")


def test_a_dbt_that_did_not_start_points_at_its_log(tmp_path, manifest, warehouse):
    told = failure_in_words(tmp_path, manifest, "foundation", warehouse)
    assert str(tmp_path / "dbt.log") in told


def test_a_project_that_changed_after_loading_is_not_run(monkeypatch):
    monkeypatch.setattr(dbt_module, "is_changed_since", lambda manifest: True)
    with pytest.raises(dg.Failure, match="changed"):
        refuse_changed_project({})
