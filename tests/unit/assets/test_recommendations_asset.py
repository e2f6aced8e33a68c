"""The asset of recommendations: who is in its tables, in parts as at once, and what it says of them."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from orchestration.assets import recommendations as asset
from orchestration.resources.lock import WriterLock
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import from_environment

AS_OF = date(2025, 12, 31)
PEOPLE = [f"C{number}" for number in range(9)]


def variants(names: list[str]) -> pa.Table:
    size = len(names)
    text, number, day = pa.string(), pa.float64(), pa.date32()
    return pa.table(
        {
            "variant_id": pa.array(names, text),
            "product_id": pa.array(names, text),
            "price": pa.nulls(size, number),
            "cycle_days": pa.nulls(size, number),
            **{
                name: pa.nulls(size, text)
                for name in ("title", "brand", "category_l1", "category_l2", "category_l3")
            },
            "is_replenishable": pa.array([False] * size, pa.bool_()),
            "is_withheld": pa.array([False] * size, pa.bool_()),
            "launched_date": pa.nulls(size, day),
            "discontinued_date": pa.nulls(size, day),
        }
    )


def acts(rows: list[tuple[str, str, str]]) -> pa.Table:
    weights = {"purchase": 5.0, "view": 1.0}
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "variant_id": pa.array([row[1] for row in rows], pa.string()),
            "interaction_type": pa.array([row[2] for row in rows], pa.string()),
            "interaction_date": pa.array([AS_OF - timedelta(days=3)] * len(rows), pa.date32()),
            "weight": pa.array([weights[row[2]] for row in rows], pa.float64()),
        }
    )


@pytest.fixture
def shop(tmp_path):
    """A warehouse with what the asset reads; the last customer is erased."""

    def made(names: list[str], rows: list[tuple[str, str, str]]) -> Warehouse:
        warehouse = Warehouse(tmp_path / "warehouse.duckdb", WriterLock(tmp_path / "lock"))
        warehouse.replace(
            {
                asset.VARIANTS: variants(names),
                asset.STOCK: pa.table(
                    {
                        "variant_id": pa.array(["V1"], pa.string()),
                        "valid_from": pa.array([AS_OF], pa.date32()),
                        "is_in_stock": pa.array([False]),
                    }
                ),
                asset.INTERACTIONS: acts(rows),
                asset.CUSTOMERS: pa.table(
                    {"customer_id": PEOPLE, "is_erased": [one == PEOPLE[-1] for one in PEOPLE]}
                ),
                "landing.night": pa.table(
                    {"run_id": ["r"], "as_of_date": [AS_OF], "shop_timezone": ["Europe/London"]}
                ),
            }
        )
        return warehouse

    return made


BOUGHT = [(PEOPLE[number], f"V{2 + number % 3}", "purchase") for number in range(6)]
BOUGHT += [(PEOPLE[0], "V1", "view"), (PEOPLE[1], "V4", "view")]


def test_everybody_but_the_erased_is_shown_what_is_left_on_the_shelf(shop, tmp_path):
    settings = from_environment({"RETENTION_DATA": str(tmp_path)})
    warehouse = shop(["V1", "V2", "V3", "V4"], BOUGHT)
    trial, tables = asset.recommend_the_night(warehouse, settings)
    rows = warehouse.query(
        "select customer_id, variant_id, as_of_date from scores.product_recommendations"
    )
    own = {(who, what) for who, what, kind in BOUGHT if kind == "purchase"}
    # V1 is out of stock since that day; V2 to V4 are bought, each by two.
    assert {(who, what) for who, what, _ in rows} == {
        (who, what) for who in PEOPLE[:-1] for what in ("V2", "V3", "V4")
    } - own
    assert {night for *_, night in rows} == {AS_OF}
    assert trial.champion == "popular"
    assert asset.said_of(trial, tables["product_recommendations"]) == (
        "8 customers by popular; rows: popular 18"
    )
    assert warehouse.query("select count(*) from scores.recommendation_backtests") == [(0,)]


def test_customers_read_in_blocks_are_shown_what_they_are_shown_at_once(
    shop, tmp_path, monkeypatch
):
    settings = from_environment({"RETENTION_DATA": str(tmp_path)})
    warehouse = shop(["V1", "V2", "V3", "V4"], BOUGHT)
    order = "select * from scores.product_recommendations order by customer_id, recommendation_rank"
    asset.recommend_the_night(warehouse, settings)
    whole = warehouse.query(order)
    monkeypatch.setattr(asset, "CUSTOMERS_READ", 2)
    asset.recommend_the_night(warehouse, settings)
    assert warehouse.query(order) == whole


@pytest.mark.parametrize(
    ("names", "rows"), [([], []), (["V1", "V2"], []), (["V2"], [("C1", "V2", "view")])]
)
def test_where_nothing_was_bought_nobody_is_recommended_anything(shop, tmp_path, names, rows):
    settings = from_environment({"RETENTION_DATA": str(tmp_path)})
    warehouse = shop(names, rows)
    trial, tables = asset.recommend_the_night(warehouse, settings)
    assert {name: table.num_rows for name, table in tables.items()} == {
        "product_recommendations": 0,
        "recommendation_backtests": 0,
    }
    assert asset.said_of(trial, tables["product_recommendations"]).startswith("nobody")
