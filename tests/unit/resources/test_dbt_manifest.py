"""The allow-list of what may be published, and when a manifest is made anew."""

import pytest

from orchestration.resources.dbt_manifest import (
    PublicationRefusedError,
    project_state,
    public_tables,
)


def model(name: str, path: str = "models/marts/customers", access: str = "public", **columns):
    """A node as dbt's manifest has it; each column is its config."""
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "original_file_path": f"{path}/{name}.sql",
        "patch_path": f"retention://{path}/{name}.yml",
        "config": {"access": access},
        "description": "",
        "columns": {
            column: {"name": column, "description": "", "config": config}
            for column, config in columns.items()
        },
    }


def manifest(*nodes: dict) -> dict:
    return {"nodes": {node["name"]: node for node in nodes}}


def test_only_public_models_under_marts_are_published():
    tables = public_tables(
        manifest(
            model("dim_customers", customer_id={}),
            model("dim_hidden", access="protected", customer_id={}),
            model("stg_orders", path="models/staging/shop", order_id={}),
        )
    )
    assert [table.name for table in tables] == ["dim_customers"]


def test_a_column_marked_personal_stays_behind():
    [table] = public_tables(
        manifest(model("dim_customers", customer_id={}, email={"meta": {"personal": True}}))
    )
    assert table.columns == ("customer_id",)
    assert table.kept_back == 1


@pytest.mark.parametrize("column", ["email", "phone", "first_name", "postal_code", "Email"])
def test_a_column_that_names_a_person_is_refused_even_when_nobody_marked_it(column):
    with pytest.raises(PublicationRefusedError, match=column) as raised:
        public_tables(manifest(model("dim_customers", **{"customer_id": {}, column: {}})))
    assert "models/marts/customers/dim_customers.yml" in str(raised.value)


def test_a_public_model_without_columns_is_refused():
    with pytest.raises(PublicationRefusedError, match="names no column"):
        public_tables(manifest(model("dim_customers")))


def test_a_changed_a_new_and_a_deleted_file_each_change_the_state_of_the_project(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: retention")
    first = tmp_path / "models" / "one.sql"
    first.write_text("select 1")
    states = [project_state(tmp_path)]
    first.write_text("select 12")
    states.append(project_state(tmp_path))
    second = tmp_path / "models" / "two.sql"
    second.write_text("select 2")
    states.append(project_state(tmp_path))
    assert len(set(states)) == 3
    second.unlink()
    assert project_state(tmp_path) == states[1]
