"""The results of a night's checks as a table: how each ended, and nothing of what it saw."""

import dagster as dg
import pytest

from orchestration.assets.night_checks import DBT_ROWS, newest_results

ORDERS = dg.AssetKey(["marts", "fct_orders"])


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def report(instance, name: str, *, passed: bool, severity=dg.AssetCheckSeverity.ERROR, **metadata):
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=ORDERS,
            check_name=name,
            passed=passed,
            severity=severity,
            description="jane@x.example has two orders",
            metadata=metadata,
        )
    )


def spec(name: str, **fields) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name, asset=ORDERS, **fields)


def results(instance, *specs: dg.AssetCheckSpec, run_id: str = "tonight") -> dict[str, dict]:
    rows = newest_results(instance, specs, run_id).to_pylist()
    return {row["check_name"]: row for row in rows}


def test_each_check_is_told_once_by_its_newest_result(instance):
    report(instance, "is_unique", passed=False, **{"unique_id": "test.a", DBT_ROWS: 3})
    report(instance, "is_unique", passed=True, **{"unique_id": "test.a", DBT_ROWS: 0})
    report(
        instance,
        "is_whole",
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        **{"failing rows": 7},
    )
    report(instance, "adds_up", passed=False)
    found = results(instance, spec("is_unique"), spec("is_whole"), spec("adds_up"), spec("new"))
    shown = {
        name: (row["check_kind"], row["status"], row["severity"], row["failing_rows"])
        for name, row in found.items()
    }
    assert shown == {
        "is_unique": ("dbt_test", "passed", "error", 0),
        "is_whole": ("asset_check", "warned", "warn", 7),
        "adds_up": ("asset_check", "failed", "error", None),
        "new": ("asset_check", "not_run", None, None),
    }


def test_the_words_of_a_result_stay_behind_and_the_sentence_of_the_check_goes_along(instance):
    report(instance, "is_unique", passed=False)
    row = results(instance, spec("is_unique", description="An order is there once."))["is_unique"]
    assert row["description"] == "An order is there once."
    assert row["asset_name"] == "marts.fct_orders"
    assert "jane" not in str(row)


def test_a_result_of_an_earlier_night_says_so():
    @dg.asset_check(asset=ORDERS)
    def is_unique():
        return dg.AssetCheckResult(passed=True)

    @dg.asset(key=ORDERS)
    def orders(): ...

    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([orders, is_unique], instance=instance)
        tonight = results(instance, *is_unique.check_specs, run_id=run.run_id)["is_unique"]
        later = results(instance, *is_unique.check_specs, run_id="the next night")["is_unique"]
    assert (tonight["is_of_this_night"], later["is_of_this_night"]) == (True, False)
