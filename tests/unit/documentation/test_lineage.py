"""Column lineage on SQL small enough to trace by eye."""

from orchestration.documentation.lineage import ColumnLineage, column_lineage

SOURCE = {"id": "varchar", "day": "date", "price": "decimal(18,2)", "tax": "decimal(18,2)"}


def model(name: str, code: str, columns: str) -> tuple[dict, dict]:
    node = {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": "marts",
        "compiled_code": code,
    }
    return node, {
        "columns": {column: {"name": column, "type": "varchar"} for column in columns.split()}
    }


def traced(*models: tuple[dict, dict]) -> ColumnLineage:
    """The lineage of models over one source, landing.orders."""
    source = {
        "resource_type": "source",
        "name": "orders",
        "identifier": "orders",
        "schema": "landing",
    }
    nodes = {f"model.{node['name']}": node for node, _ in models}
    return column_lineage(
        {"nodes": nodes, "sources": {"source.orders": source}},
        {
            "nodes": {f"model.{node['name']}": entry for node, entry in models},
            "sources": {
                "source.orders": {
                    "columns": {name: {"name": name, "type": kind} for name, kind in SOURCE.items()}
                }
            },
        },
    )


STAGING = model(
    "stg_orders",
    "with orders as (select * from warehouse.landing.orders) "
    "select id as order_id, day, price - tax as net_amount, 'GBP' as currency from orders",
    "order_id day net_amount currency",
)


def test_a_computed_column_is_made_of_what_it_is_computed_from():
    lineage = traced(STAGING)
    assert lineage.parents["stg_orders", "net_amount"] == {
        ("landing.orders", "price"),
        ("landing.orders", "tax"),
    }
    assert lineage.parents["stg_orders", "order_id"] == {("landing.orders", "id")}


def test_a_constant_and_a_count_of_rows_are_made_of_no_column():
    counted = model(
        "fct_counts",
        "select day, count(*) as orders from marts.stg_orders group by day",
        "day orders",
    )
    lineage = traced(STAGING, counted)
    assert lineage.origins("stg_orders", "currency") == []
    assert lineage.origins("fct_counts", "orders") == []


def test_a_filter_and_a_join_decide_which_rows_and_make_no_column():
    joined = model(
        "fct_joined",
        "select a.net_amount from marts.stg_orders as a "
        "inner join marts.stg_orders as b on a.order_id = b.order_id where a.day > date '2025-01-01'",
        "net_amount",
    )
    assert traced(STAGING, joined).parents["fct_joined", "net_amount"] == {
        ("stg_orders", "net_amount")
    }


def test_a_chain_is_followed_through_unions_windows_and_stars_to_the_delivered_columns():
    chained = model(
        "fct_chained",
        "with both_halves as ("
        " select day, net_amount as amount from marts.stg_orders"
        " union all select day, null as amount from marts.stg_orders),"
        " final as (select *, sum(amount) over (order by day) as running from both_halves)"
        " select * from final",
        "day amount running",
    )
    lineage = traced(STAGING, chained)
    assert lineage.origins("fct_chained", "running") == [
        ("landing.orders", "day"),
        ("landing.orders", "price"),
        ("landing.orders", "tax"),
    ]
    assert lineage.origins("fct_chained", "amount") == [
        ("landing.orders", "price"),
        ("landing.orders", "tax"),
    ]


def test_sql_that_cannot_be_read_is_named_and_ends_the_chain_there():
    odd = model("int_odd", "select select from", "n")
    above = model("fct_above", "select n from marts.int_odd", "n")
    lineage = traced(odd, above)
    assert list(lineage.unread) == ["int_odd"]
    assert lineage.origins("fct_above", "n") == [("int_odd", "n")]


def test_a_circle_ends():
    lineage = ColumnLineage(
        {("a", "n"): frozenset({("b", "n")}), ("b", "n"): frozenset({("a", "n")})}
    )
    assert lineage.origins("a", "n") == []
