"""That every table of the source contract is staged, and that deleted rows are never read by accident."""

import re

import pytest

from orchestration.contract import load_contract
from tests.project.conftest import folder, parents

TABLES = load_contract().table_names
ANNOUNCED = "-- tombstones wanted"


def test_the_contract_names_tables():
    assert len(TABLES) >= 34
    assert "orders" in TABLES


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_contract_has_its_two_models(manifest, models, table):
    base, staged = models[f"base_{table}"], models[f"stg_{table}"]
    assert {parent["name"] for parent in parents(manifest, base)} == {table}
    assert base["name"] in {parent["name"] for parent in parents(manifest, staged)}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_contract_can_be_quarantined_and_is_accounted_for(manifest, models, table):
    quarantine = {parent["name"] for parent in parents(manifest, models["quarantine_rows"])}
    landed = {parent["name"] for parent in parents(manifest, models["stg_landed_batches"])}
    health = {parent["name"] for parent in parents(manifest, models["int_health__sources"])}
    assert f"base_{table}" in quarantine
    assert table in landed
    assert {f"base_{table}", f"stg_{table}"} <= health


@pytest.mark.parametrize("table", list(load_contract()), ids=lambda table: table.name)
def test_the_parents_of_a_table_are_the_same_in_the_contract_staging_and_quarantine(
    manifest, models, table
):
    source = manifest["sources"][f"source.retention.landing.{table.name}"]
    meta = source["config"].get("meta") or source["meta"]
    named = {f"stg_{parent['table']}" for parent in meta.get("parents", [])}
    staged = {parent["name"] for parent in parents(manifest, models[f"stg_{table.name}"])}
    quarantine = {parent["name"] for parent in parents(manifest, models["quarantine_rows"])}
    assert staged == named | {f"base_{table.name}"}
    assert named <= quarantine


@pytest.mark.parametrize("table", TABLES)
def test_the_key_of_a_staged_table_is_tested(manifest, models, table):
    # Rows of a base table need no test of their own: one kept twice or lost breaks the conservation of its source.
    tested = {
        node["test_metadata"]["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and node.get("attached_node") == models[f"stg_{table}"]["unique_id"]
        and node.get("test_metadata")
    }
    assert tested & {"unique", "unique_combination"}


def test_whoever_reads_a_staged_table_leaves_out_deleted_rows_or_says_that_it_wants_them(models):
    """Counted per ref: the CTE that reads stg_<table> filters, or its line says why not."""
    wrong = [
        f"{model['name']} reads stg_{table}"
        for model in models.values()
        if not folder(model).startswith("staging")
        for table in TABLES
        for cte in _ctes_that_read(model["raw_code"], f"stg_{table}")
        if not re.search(r"not (\w+\.)?is_deleted", cte) and ANNOUNCED not in cte
    ]
    assert wrong == []


def test_the_rule_about_deleted_rows_finds_a_reader_that_forgot():
    forgetful = "a as (\n\n    select * from {{ ref('stg_orders') }}\n\n),\n\n"
    careful = "b as (\n\n    select * from {{ ref('stg_refunds') }} where not is_deleted\n\n)"
    (found,) = _ctes_that_read(forgetful + careful, "stg_orders")
    assert "is_deleted" not in found


def _ctes_that_read(sql: str, name: str) -> list[str]:
    """The CTEs of a model, by their closing bracket at the start of a line, that name the staged table."""
    return [cte for cte in re.split(r"\n\)", sql) if re.search(rf"ref\('{name}'\)", cte)]
