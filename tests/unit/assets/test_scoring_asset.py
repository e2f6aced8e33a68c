"""The scoring asset writes what science returns, with the moment of the fit, and its gates read what was written."""

from datetime import datetime

import dagster as dg
import pyarrow as pa
import pytest

from orchestration.assets.scoring import with_fitted_at
from orchestration.checks import scores as checks
from orchestration.resources.lock import WriterLock
from orchestration.resources.warehouse import Warehouse

GOOD = {
    "customer_id": ["C1", "C2"],
    "p_alive": [0.9, 1.0],
    "p_order_90d": [0.1, 0.0],
    "p_churn_90d": [0.9, 1.0],
    "expected_orders_365d": [1.5, 0.0],
    "expected_order_value_amount": [20.0, 20.0],
    "residual_clv_365d_amount": [12.0, -1.0],
}
FITS = {
    "model_name": ["bgnbd"],
    "verdict": ["converged"],
    "is_used": [True],
    "is_converged": [True],
}


@pytest.fixture
def warehouse(tmp_path):
    """Scores and fits of two customers, both of them right."""
    found = Warehouse(tmp_path / "warehouse.duckdb", WriterLock(tmp_path / "lock"))
    found.replace(
        {
            "intermediate.int_clv__purchase_summary": pa.table({"customer_id": ["C1", "C2"]}),
            "scores.customer_clv": pa.table(GOOD),
            "scores.model_fits": pa.table(FITS),
        }
    )
    return found


def outcome(check: dg.AssetChecksDefinition, warehouse: Warehouse) -> dg.AssetCheckResult:
    return check(warehouse=warehouse)


def test_right_scores_pass_every_gate(warehouse):
    assert [outcome(check, warehouse).passed for check in checks.SCORE_CHECKS] == [True] * 3


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("p_alive", 1.000001),
        ("p_churn_90d", -0.1),
        ("p_order_90d", float("nan")),
        ("expected_orders_365d", -0.5),
        ("expected_orders_365d", float("inf")),
        ("residual_clv_365d_amount", float("nan")),
    ],
)
def test_a_score_out_of_its_range_closes_the_gate_and_is_named(warehouse, column, value):
    warehouse.replace({"scores.customer_clv": pa.table(GOOD | {column: [value, GOOD[column][1]]})})
    result = outcome(checks.scores_are_in_range, warehouse)
    assert not result.passed
    assert f"{column}: 1 rows" in result.description


@pytest.mark.parametrize("ids", [["C1", "C1"], ["C1", "C9"]])
def test_a_customer_scored_twice_or_not_at_all_closes_the_gate(warehouse, ids):
    warehouse.replace({"scores.customer_clv": pa.table(GOOD | {"customer_id": ids})})
    assert not outcome(checks.every_customer_is_scored_once, warehouse).passed


def test_a_used_fit_that_did_not_converge_closes_the_gate_with_its_verdict(warehouse):
    failed = FITS | {"is_converged": [False], "verdict": ["stopped on a ridge"]}
    warehouse.replace({"scores.model_fits": pa.table(failed)})
    result = outcome(checks.every_used_fit_converged, warehouse)
    assert not result.passed
    assert "bgnbd: stopped on a ridge" in result.description


def test_a_fit_that_was_not_used_need_not_converge(warehouse):
    unused = FITS | {"is_converged": [False], "is_used": [False]}
    warehouse.replace({"scores.model_fits": pa.table(unused)})
    assert outcome(checks.every_used_fit_converged, warehouse).passed


def test_every_row_says_when_it_was_fitted():
    moment = datetime(2026, 1, 2, 3, 4, 5)
    stamped = with_fitted_at(pa.table({"customer_id": ["C1", "C2"]}), moment)
    assert stamped["fitted_at"].to_pylist() == [moment, moment]
