"""The ingest asset on a small inbox: what is made, what is told, and what stops the night."""

from datetime import date

import dagster as dg
import pytest

from orchestration.assets.ingest import landing_assets
from orchestration.contract import load_contract
from orchestration.resources.places import landing_of, warehouse_of
from orchestration.resources.progress import SilentProgress
from orchestration.settings import from_environment

HEADER = "order_id,customer_id,ordered_at,total_amount\n"


@pytest.fixture
def land(tmp_path):
    """Write files into the inbox and run the ingest asset on them."""
    settings = from_environment({"RETENTION_DATA": str(tmp_path)})
    settings.inbox_directory.mkdir()

    def run(files: dict[str, str], as_of_date: str | None = None):
        for name, text in files.items():
            (settings.inbox_directory / name).write_text(text)
        result = dg.materialize(
            [landing_assets(load_contract(), owner="data@shop.example")],
            instance=dg.DagsterInstance.ephemeral(),
            resources={
                "settings": settings,
                "landing": landing_of(settings),
                "warehouse": warehouse_of(settings),
                "progress": SilentProgress(),
            },
            run_config={"ops": {"landing": {"config": {"as_of_date": as_of_date}}}},
            raise_on_error=False,
        )
        return result, warehouse_of(settings)

    return run


def check(result, name: str, table: str):
    return next(
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == name and evaluation.asset_key.path[-1] == table
    )


def reason(result) -> str:
    [failure] = [event for event in result.all_events if event.is_step_failure]
    return failure.step_failure_data.user_failure_data.description


def test_every_table_is_there_and_the_night_has_its_day(land):
    result, warehouse = land({"orders.csv": HEADER + "1,C1,2025-01-05,5\n2,C1,2025-01-07,5\n"})
    assert result.success
    assert warehouse.night().as_of_date == date(2025, 1, 7)
    assert warehouse.night().run_id == result.run_id
    assert warehouse.row_counts(["landing.orders", "landing.refunds"]) == {
        "landing.orders": 2,
        "landing.refunds": 0,
    }


def test_a_named_day_wins_over_the_orders(land):
    _, warehouse = land({"orders.csv": HEADER + "1,C1,2025-01-05,5\n"}, as_of_date="2025-01-31")
    assert warehouse.night().as_of_date == date(2025, 1, 31)


def test_without_orders_the_night_stops_and_says_where_they_belong(land, tmp_path):
    result, _ = land({"products.csv": "variant_id,title\nV1,Soap\n"})
    assert not result.success
    assert not check(result, "orders_were_delivered", "orders").passed
    assert str(tmp_path / "inbox") in reason(result)


def test_a_refused_file_is_told_and_stops_nothing(land):
    result, warehouse = land(
        {
            "orders.csv": HEADER + "1,C1,2025-01-05,5\n",
            "refunds.csv": "refund_id\nR1\n",
            "unheard_of.csv": "a,b\n1,2\n",
        }
    )
    assert result.success
    told = check(result, "every_delivery_was_readable", "refunds")
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "refunds.csv" in told.metadata["messages"].value
    assert check(result, "every_delivery_was_readable", "orders").passed
    kept = warehouse.query("select file, source_table from landing.refusals order by file")
    assert kept == [("refunds.csv", "refunds"), ("unheard_of.csv", None)]


def test_refusals_of_an_earlier_night_are_forgotten_when_the_file_is_gone(land, tmp_path):
    land({"orders.csv": HEADER + "1,C1,2025-01-05,5\n", "refunds.csv": "refund_id\nR1\n"})
    (tmp_path / "inbox" / "refunds.csv").unlink()
    _, warehouse = land({})
    assert warehouse.query("select count(*) from landing.refusals") == [(0,)]


def test_a_lone_order_long_after_all_others_is_warned_of(land):
    result, _ = land({"orders.csv": HEADER + "1,C1,2025-01-05,5\n2,C1,2025-03-05,5\n"})
    assert result.success
    stray = check(result, "the_last_day_is_no_stray", "night")
    assert not stray.passed
    # 26 days of January, 28 of February, 4 of March
    assert stray.metadata["days without an order before it"].value == 58


def test_orders_without_a_readable_day_stop_the_night_with_a_remedy(land):
    result, _ = land({"orders.csv": HEADER + "1,C1,soon,5\n"})
    assert not result.success
    assert "RETENTION_AS_OF_DATE" in reason(result)
