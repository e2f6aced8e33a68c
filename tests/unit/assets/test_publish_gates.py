"""The gate before publishing: open only when the newest result of every blocking check is a pass."""

import dagster as dg
import pytest

from orchestration.assets.publish import closed_gates, publish_assets, refusal
from orchestration.resources.progress import SilentProgress

ORDERS = dg.AssetKey(["marts", "fct_orders"])
ADDS_UP = dg.AssetCheckKey(ORDERS, "assert_money_adds_up")
UNIQUE = dg.AssetCheckKey(ORDERS, "unique_order_id")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def report(instance, key: dg.AssetCheckKey, passed: bool, severity=dg.AssetCheckSeverity.ERROR):
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=key.asset_key, check_name=key.name, passed=passed, severity=severity
        )
    )


def test_a_check_that_never_ran_keeps_the_gate_closed(instance):
    report(instance, ADDS_UP, passed=True)
    assert closed_gates(instance, [ADDS_UP, UNIQUE]) == [
        "marts/fct_orders:unique_order_id has not run"
    ]


def test_a_failed_check_keeps_the_gate_closed_until_it_passes_again(instance):
    report(instance, ADDS_UP, passed=True)
    report(instance, ADDS_UP, passed=False)
    assert closed_gates(instance, [ADDS_UP]) == ["marts/fct_orders:assert_money_adds_up failed"]
    report(instance, ADDS_UP, passed=True)
    assert closed_gates(instance, [ADDS_UP]) == []


def test_a_warning_lets_the_night_through(instance):
    report(instance, ADDS_UP, passed=False, severity=dg.AssetCheckSeverity.WARN)
    assert closed_gates(instance, [ADDS_UP]) == []


def test_a_refusal_names_the_first_checks_and_counts_the_rest():
    text = refusal([f"marts/fct_orders:test_{n} failed" for n in range(7)])
    assert "7 blocking checks" in text
    assert "test_4" in text
    assert "test_5" not in text
    assert "and 2 more" in text


def test_publishing_alone_after_a_failed_check_publishes_nothing(instance):
    report(instance, ADDS_UP, passed=False)
    gate = dg.AssetCheckSpec(ADDS_UP.name, asset=ORDERS, blocking=True)
    publish = publish_assets({"nodes": {}}, [gate], owner="data@shop.example")

    class Untouched:
        def __getattr__(self, name: str):
            if name.startswith("_"):
                raise AttributeError(name)
            raise AssertionError(f"the gate is closed, and yet {name} was asked for")

    result = dg.materialize(
        [publish],
        instance=instance,
        resources={"warehouse": Untouched(), "serving": Untouched(), "progress": SilentProgress()},
        raise_on_error=False,
    )
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "assert_money_adds_up failed" in failure.step_failure_data.user_failure_data.description
