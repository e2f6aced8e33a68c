"""What the asset of effects says of its table, and the gate that reads what was written."""

import dagster as dg
import pyarrow as pa
import pytest

from orchestration.assets.effects import metadata_of, said_of
from orchestration.checks.effects import no_effect_stands_without_overlap_and_placebo
from orchestration.resources.lock import WriterLock
from orchestration.resources.warehouse import Warehouse
from orchestration.science.effects.nightly import SCHEMA

SOUND = {
    "event_family": "service",
    "event_name": "late_delivery",
    "ordinal": 1,
    "outcome_name": "orders",
    "horizon_days": 180,
    "treated_count": 200,
    "control_count": 600,
    "customer_count": 700,
    "naive_difference": 0.1,
    "naive_low_95": 0.0,
    "naive_high_95": 0.2,
    "adjusted_difference": -0.2,
    "adjusted_low_80": -0.3,
    "adjusted_high_80": -0.1,
    "adjusted_low_95": -0.35,
    "adjusted_high_95": -0.05,
    "placebo_low_95": -0.1,
    "placebo_high_95": 0.1,
    "is_placebo_passed": True,
    "trimmed_treated_share": 0.0,
    "effective_treated_count": 200.0,
    "effective_control_count": 500.0,
    "is_identified": True,
    "verdict": "identified: 200 customers",
}
REFUSED = SOUND | {
    "event_name": "bad_service",
    "adjusted_difference": None,
    "is_placebo_passed": None,
    "is_identified": False,
    "verdict": "not identified: nobody had the event",
}


def table_of(*rows):
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path / "warehouse.duckdb", WriterLock(tmp_path / "lock"))


def gate(warehouse, *rows):
    warehouse.replace({"scores.effects": table_of(*rows)})
    result = no_effect_stands_without_overlap_and_placebo(warehouse)
    assert isinstance(result, dg.AssetCheckResult)
    return result


def test_a_sound_effect_and_a_refused_one_pass_the_gate(warehouse):
    assert gate(warehouse, SOUND, REFUSED).passed


@pytest.mark.parametrize(
    "broken",
    [
        SOUND | {"is_placebo_passed": None, "placebo_low_95": None, "placebo_high_95": None},
        SOUND | {"placebo_low_95": 0.01},
        SOUND | {"control_count": 49},
        SOUND | {"effective_control_count": 29.0},
        SOUND | {"trimmed_treated_share": 0.51},
        SOUND | {"adjusted_low_95": -0.2},
        SOUND | {"naive_difference": None},
        SOUND | {"is_identified": False},
        REFUSED | {"is_identified": True},
        REFUSED | {"verdict": "not identified: "},
    ],
)
def test_a_number_without_overlap_or_placebo_stops_the_night(warehouse, broken):
    result = gate(warehouse, REFUSED, broken)
    assert not result.passed
    assert broken["event_name"] in result.description


def test_the_terminal_names_what_is_identified():
    said = said_of(table_of(SOUND, REFUSED))
    assert said == "1 of 2 events with an identified effect: late delivery"
    assert said_of(table_of(REFUSED)) == "0 of 1 events with an identified effect: none"


def test_every_outcome_with_a_gap_has_its_picture():
    found = metadata_of(table_of(SOUND, REFUSED, SOUND | {"outcome_name": "margin"}))
    assert set(found) == {"dagster/row_count", "identified", "effects, orders", "effects, margin"}
    assert found["identified"] == 2
