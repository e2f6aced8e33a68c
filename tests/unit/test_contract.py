"""The source contract as Python sees it."""

from pathlib import Path

import pytest
import yaml

from orchestration.contract import ContractError, load_contract

CONTRACT = load_contract()


def write_contract(project: Path, subject: str, tables: list[dict]) -> None:
    folder = project / "models" / "staging" / subject
    folder.mkdir(parents=True)
    content = {"sources": [{"name": "landing", "tables": tables}]}
    (folder / f"_{subject}__sources.yml").write_text(yaml.safe_dump(content))


def a_table(name: str, key: str = "id") -> dict:
    column = {"name": "id", "data_type": "varchar"}
    return {"name": name, "config": {"meta": {"key": [key]}}, "columns": [column]}


def test_tables_come_sorted_by_name_from_every_subject():
    assert list(CONTRACT.table_names) == sorted(CONTRACT.table_names)
    assert {table.subject for table in CONTRACT} == {
        "shop",
        "returns",
        "membership",
        "people",
        "catalogue",
        "deliveries",
        "payments",
        "service",
        "loyalty",
        "web",
        "campaigns",
    }


def test_orders_has_the_key_version_and_requirements_that_the_contract_states():
    orders = CONTRACT.table("orders")
    assert orders.key == ("order_id",)
    assert orders.version == "updated_at"
    assert orders.required_columns == ("order_id", "ordered_at")
    assert orders.required_any == (("customer_id", "email"), ("gross_item_amount", "total_amount"))
    assert orders.column("gross_item_amount").data_type == "decimal(18,2)"
    assert orders.column("fx_rate_to_shop").at_least == 0.000001
    assert "cancelled" in orders.column("status").accepted


def test_date_columns_are_those_typed_date_or_timestamp():
    assert CONTRACT.table("membership_terms").date_columns == (
        "term_start",
        "term_end",
        "due_at",
        "paid_at",
    )


def test_an_unknown_table_is_told_with_the_closest_name():
    with pytest.raises(ContractError, match="Did you mean orders"):
        CONTRACT.table("order")


def test_an_unknown_column_is_told_with_its_table():
    with pytest.raises(ContractError, match="orders has no column order_no"):
        CONTRACT.table("orders").column("order_no")


@pytest.mark.parametrize(
    ("file_name", "table"),
    [
        ("orders.csv", "orders"),
        ("orders_2025-11-30.csv.gz", "orders"),
        ("ORDERS-part2.tsv", "orders"),
        ("order_lines.csv", "order_lines"),
        ("order_lines.2024.parquet", "order_lines"),
        ("membership_terms_2024.jsonl", "membership_terms"),
        ("memberships.csv", "memberships"),
        ("products_new.csv", "products"),
        ("product_costs.csv", "product_costs"),
        ("returns_items.csv", "returns"),
        ("ordersold.csv", None),
        ("export.csv", None),
    ],
)
def test_a_file_belongs_to_the_longest_table_name_that_its_name_starts_with(file_name, table):
    found = CONTRACT.table_for_file(file_name)
    assert (found.name if found else None) == table


def test_a_table_in_two_files_is_an_error(tmp_path):
    write_contract(tmp_path, "shop", [a_table("orders")])
    write_contract(tmp_path, "other", [a_table("orders")])
    with pytest.raises(ContractError, match="orders stands twice"):
        load_contract(tmp_path)


def test_a_key_that_is_not_a_column_is_an_error(tmp_path):
    write_contract(tmp_path, "shop", [a_table("orders", key="order_id")])
    with pytest.raises(ContractError, match="names the column order_id but does not describe it"):
        load_contract(tmp_path)


def test_a_folder_without_a_contract_is_an_error_that_says_where_it_looked(tmp_path):
    with pytest.raises(ContractError, match=r"no source contract under .*models.staging"):
        load_contract(tmp_path)
