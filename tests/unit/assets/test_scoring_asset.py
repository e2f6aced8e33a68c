"""What stays from night to night, what the asset reads, and gates that read what was written."""

from datetime import date, datetime
from functools import partial

import dagster as dg
import pyarrow as pa
import pytest

from orchestration.assets.scoring import reading
from orchestration.assets.scoring.keeping import (
    incumbents_of,
    nights_of,
    with_history,
    with_last_good,
)
from orchestration.assets.scoring.reading import attributes_of, dated, ledger_of, night_settings
from orchestration.checks import scores as checks
from orchestration.resources.lock import WriterLock
from orchestration.resources.warehouse import Warehouse
from orchestration.science.court.trial import customers_heard, is_heard
from orchestration.science.forecasts.registry import BASELINE_NAMES
from orchestration.settings import SettingError, from_environment

NIGHT, BEFORE = date(2025, 12, 31), date(2025, 12, 30)
CHAMPION = {
    "score_name": "churn",
    "horizon_days": 90,
    "champion_model_name": "trees",
    "level": "customer",
    "reason": "smallest loss of those that pass",
    "is_published": True,
    "as_of_date": NIGHT,
    "is_replay": False,
}
VERDICT = {
    "score_name": "churn",
    "horizon_days": 90,
    "model_name": "trees",
    "loss_difference_high": -0.01,
    "total_bias": 0.05,
    "calibration_slope": 1.1,
    "is_baseline": False,
    "is_passing": True,
}
CHURN = {
    "customer_id": "C1",
    "horizon_days": 90,
    "p_order": 0.1,
    "p_churn": 0.9,
    "model_name": "trees",
    "scored_as_of_date": NIGHT,
}
CLV = {
    "customer_id": "C1",
    "horizon_days": 365,
    "p_alive": 0.9,
    "expected_orders_365d": 1.5,
    "orders_365d_p10": 0.0,
    "orders_365d_p90": 3.0,
    "residual_clv_365d_amount": 12.0,
    "residual_clv_365d_p10_amount": -1.0,
    "residual_clv_365d_p90_amount": 30.0,
    "model_name": "bgnbd",
    "scored_as_of_date": BEFORE,
}
NEXT = {
    "customer_id": "C1",
    "next_order_p50_date": date(2026, 2, 1),
    "next_order_p90_date": date(2026, 5, 1),
    "model_name": "bgnbd",
    "scored_as_of_date": NIGHT,
}


def rows(*found, **changed):
    """The same rows with some columns changed."""
    return pa.Table.from_pylist([{**row, **changed} for row in found])


def champions():
    """Churn and orders were published tonight; value the night before, and not tonight."""
    return rows(
        CHAMPION,
        {**CHAMPION, "score_name": "orders", "champion_model_name": "bgnbd"},
        {
            **CHAMPION,
            "score_name": "value",
            "horizon_days": 365,
            "champion_model_name": "bgnbd",
            "as_of_date": BEFORE,
        },
        {
            **CHAMPION,
            "score_name": "value",
            "horizon_days": 365,
            "champion_model_name": None,
            "level": "none",
            "is_published": False,
            "reason": "nobody passes: bgnbd: total off by +31.0%",
        },
    )


@pytest.fixture
def warehouse(tmp_path):
    """One customer, whose churn is of tonight and whose value is the last good one."""
    found = Warehouse(tmp_path / "warehouse.duckdb", WriterLock(tmp_path / "lock"))
    found.replace(
        {
            "landing.night": pa.table({"as_of_date": [NIGHT]}),
            "intermediate.int_purchases__customers": pa.table(
                {"customer_id": ["C1"], "country_code": ["GB"], "first_channel": ["web"]}
            ),
            "scores.score_champions": champions(),
            "scores.score_verdicts": rows(
                VERDICT, {**VERDICT, "score_name": "orders", "model_name": "bgnbd"}
            ),
            "scores.score_backtests": rows(
                *(
                    {
                        "score_name": "churn",
                        "horizon_days": 90,
                        "origin_date": BEFORE,
                        "model_name": name,
                        "is_baseline": True,
                    }
                    for name in BASELINE_NAMES
                )
            ),
            "scores.customer_churn": rows(CHURN),
            "scores.score_reasons": rows(CHURN),
            "scores.customer_clv": rows(CLV),
            "scores.customer_next_order": rows(NEXT),
            "scores.model_fits": rows(
                {
                    "model_name": "bgnbd",
                    "verdict": "converged",
                    "is_used": True,
                    "is_converged": True,
                }
            ),
        }
    )
    return found


def outcome(check: dg.AssetChecksDefinition, warehouse: Warehouse) -> dg.AssetCheckResult:
    return check(warehouse=warehouse)


def test_scores_that_earned_their_place_pass_every_gate_and_a_withheld_one_only_warns(warehouse):
    passed = {check.check_key.name: outcome(check, warehouse) for check in checks.SCORE_CHECKS}
    assert [name for name, result in passed.items() if not result.passed] == [
        "no_score_was_withheld"
    ]
    withheld = passed["no_score_was_withheld"]
    assert withheld.severity == dg.AssetCheckSeverity.WARN
    assert (
        "value within 365 days: nobody passes: bgnbd: total off by +31.0%" in withheld.description
    )
    blocking = [
        spec.name for check in checks.SCORE_CHECKS for spec in check.check_specs if spec.blocking
    ]
    assert "no_score_was_withheld" not in blocking
    assert len(blocking) == len(checks.SCORE_CHECKS) - 1


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("customer_churn", {"model_name": "mbgnbd"}),
        ("customer_churn", {"horizon_days": 30}),
        ("score_reasons", {"scored_as_of_date": BEFORE}),
        ("customer_clv", {"scored_as_of_date": NIGHT}),
        ("customer_next_order", {"model_name": "trees"}),
    ],
)
def test_a_row_that_no_champion_of_its_night_said_closes_the_gate(warehouse, table, changed):
    good = {
        "customer_churn": CHURN,
        "score_reasons": CHURN,
        "customer_clv": CLV,
        "customer_next_order": NEXT,
    }[table]
    warehouse.replace({f"scores.{table}": rows(good, **changed)})
    result = outcome(checks.no_score_stands_without_a_passing_verdict, warehouse)
    assert not result.passed
    assert table in result.description


@pytest.mark.parametrize(
    "changed",
    [
        {"is_passing": False},
        {"is_baseline": True},
        {"loss_difference_high": 0.001},
        {"total_bias": 0.31},
        {"calibration_slope": 0.7},
        {"calibration_slope": None},
    ],
)
def test_a_champion_whose_numbers_do_not_bear_its_verdict_closes_the_gate(warehouse, changed):
    other = {**VERDICT, "score_name": "orders", "model_name": "bgnbd"}
    warehouse.replace({"scores.score_verdicts": rows({**VERDICT, **changed}, other)})
    assert not outcome(checks.no_score_stands_without_a_passing_verdict, warehouse).passed


def test_a_pooled_estimate_needs_no_verdict(warehouse):
    pooled = [{**row, "level": "pooled"} for row in champions().to_pylist() if row["is_published"]]
    warehouse.replace(
        {
            "scores.score_champions": rows(*pooled),
            "scores.score_verdicts": rows(VERDICT, is_passing=False),
        }
    )
    assert outcome(checks.no_score_stands_without_a_passing_verdict, warehouse).passed


@pytest.mark.parametrize("left_out", BASELINE_NAMES)
def test_a_score_that_was_judged_without_a_plain_forecast_closes_the_gate(warehouse, left_out):
    kept = [
        row
        for row in warehouse.read("scores.score_backtests").to_pylist()
        if row["model_name"] != left_out
    ]
    warehouse.replace({"scores.score_backtests": rows(*kept)})
    assert not outcome(checks.four_plain_forecasts_stand_beside_every_score, warehouse).passed


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("customer_clv", CLV, "p_alive", 1.000001),
        ("customer_churn", CHURN, "p_churn", -0.1),
        ("customer_churn", CHURN, "p_order", float("nan")),
        ("customer_clv", CLV, "expected_orders_365d", -0.5),
        ("customer_clv", CLV, "expected_orders_365d", float("inf")),
        ("customer_clv", CLV, "orders_365d_p10", 4.0),
        ("customer_next_order", NEXT, "next_order_p50_date", NIGHT),
    ],
)
def test_a_score_out_of_its_range_closes_the_gate_and_is_named(
    warehouse, table, row, column, value
):
    warehouse.replace({f"scores.{table}": rows(row, **{column: value})})
    result = outcome(checks.scores_are_in_range, warehouse)
    assert not result.passed
    assert f"{column}: 1 rows" in result.description


def test_a_customer_scored_twice_a_stranger_and_a_missing_one_close_the_gate(warehouse):
    for found in (rows(CHURN, CHURN), rows(CHURN, customer_id="C9")):
        warehouse.replace({"scores.customer_churn": found})
        assert not outcome(checks.every_customer_is_scored_once, warehouse).passed
    warehouse.replace(
        {
            "scores.customer_churn": rows(CHURN),
            "intermediate.int_purchases__customers": pa.table({"customer_id": ["C1", "C2"]}),
        }
    )
    result = outcome(checks.every_customer_is_scored_once, warehouse)
    # Last good rows need not hold a customer who is new tonight; tonight's rows do.
    assert "customer_churn (90 days): 1 rows" in result.description
    assert "customer_clv" not in result.description


@pytest.mark.parametrize(("is_used", "passed"), [(True, False), (False, True)])
def test_a_fit_that_failed_closes_the_gate_only_where_it_was_used(warehouse, is_used, passed):
    failed = {
        "model_name": "bgnbd",
        "verdict": "stopped on a ridge",
        "is_used": is_used,
        "is_converged": False,
    }
    warehouse.replace({"scores.model_fits": rows(failed)})
    result = outcome(checks.every_used_fit_converged, warehouse)
    assert result.passed == passed
    assert passed or "bgnbd: stopped on a ridge" in result.description


def kept(spoken, before, **options):
    """Ids that stand in the table after tonight."""
    found = with_last_good(
        spoken,
        before,
        empty=rows(CHURN).slice(0, 0),
        as_of_date=NIGHT,
        customers=pa.array(["C1", "C2"]),
        **{"nights": [BEFORE, NIGHT, date(2026, 1, 5)], **options},
    )
    return [
        (row["customer_id"], row["horizon_days"], row["scored_as_of_date"])
        for row in found.to_pylist()
    ]


def test_a_withheld_score_keeps_its_last_good_rows_of_who_is_still_a_customer():
    before = rows(CHURN, {**CHURN, "customer_id": "GONE"}, scored_as_of_date=BEFORE)
    assert kept(None, before) == [("C1", 90, BEFORE)]
    assert kept(None, None) == []


def test_rows_of_a_later_night_do_not_stay_when_an_earlier_one_is_run_again():
    assert kept(None, rows(CHURN, scored_as_of_date=date(2026, 1, 5))) == []
    # Nor do rows that an earlier run of this night wrote, which tonight's court does not bear out.
    assert kept(None, rows(CHURN)) == []


def test_rows_of_a_night_that_the_history_does_not_know_are_let_go():
    before = rows(CHURN, scored_as_of_date=BEFORE)
    assert kept(None, before, nights=[date(2025, 12, 1)]) == []


def test_tonights_rows_take_the_place_of_all_others_of_their_horizon_alone():
    before = rows(CHURN, {**CHURN, "horizon_days": 180}, scored_as_of_date=BEFORE)
    assert kept(rows(CHURN), None) == [("C1", 90, NIGHT)]
    assert kept(rows(CHURN), before, withheld_horizons=[]) == [("C1", 90, NIGHT)]
    assert kept(rows(CHURN), before, withheld_horizons=[180, 365]) == [
        ("C1", 90, NIGHT),
        ("C1", 180, BEFORE),
    ]


def test_rows_in_the_columns_of_an_older_version_are_let_go():
    assert kept(None, rows({"customer_id": "C1", "scored_as_of_date": BEFORE})) == []


def test_the_incumbent_is_the_champion_of_the_newest_night_before_and_of_no_later_one():
    history = rows(
        CHAMPION,
        {**CHAMPION, "champion_model_name": "older", "as_of_date": date(2025, 12, 1)},
        {**CHAMPION, "champion_model_name": "newest", "as_of_date": BEFORE},
        {**CHAMPION, "champion_model_name": "later", "as_of_date": date(2026, 1, 1)},
    )
    assert incumbents_of(history, NIGHT) == {("churn", 90): "newest"}
    assert incumbents_of(history, date(2025, 12, 1)) == {}
    assert incumbents_of(None, NIGHT) == {}
    nobody = rows({**CHAMPION, "champion_model_name": None, "as_of_date": BEFORE}, CHAMPION)
    assert incumbents_of(nobody, NIGHT) == {}


def ruled(night, champion="trees"):
    """Tonight's row of the history, before it is marked."""
    return rows(CHAMPION, champion_model_name=champion, as_of_date=night).drop_columns("is_replay")


def told(history):
    return [
        (row["as_of_date"], row["champion_model_name"], row["is_replay"])
        for row in history.to_pylist()
    ]


def test_a_night_that_is_run_again_replaces_its_own_rows_of_a_history():
    first = with_history(ruled(BEFORE), None, BEFORE)
    second = with_history(ruled(NIGHT), first, NIGHT)
    assert told(with_history(ruled(NIGHT, "bgnbd"), second, NIGHT)) == [
        (BEFORE, "trees", False),
        (NIGHT, "bgnbd", False),
    ]


def test_a_look_back_at_an_old_day_leaves_no_trace():
    newest = with_history(ruled(NIGHT), None, NIGHT)
    looked_back = with_history(ruled(BEFORE, "older"), newest, BEFORE)
    assert told(looked_back) == [(BEFORE, "older", True), (NIGHT, "trees", False)]
    assert incumbents_of(looked_back, NIGHT) == {}
    assert nights_of(looked_back) == {NIGHT}
    assert with_history(ruled(NIGHT), looked_back, NIGHT).equals(newest)


def test_every_row_says_when_it_was_made():
    moment = datetime(2026, 1, 2, 3, 4, 5)
    stamped = dated(pa.table({"customer_id": ["C1", "C2"]}), fitted_at=moment)
    assert stamped["fitted_at"].to_pylist() == [moment, moment]


def test_horizons_come_from_the_settings_and_the_one_of_the_mart_must_be_among_them():
    assert night_settings(from_environment({})).churn_horizons_days == (90,)
    several = from_environment({"RETENTION_CHURN_HORIZONS_DAYS": "180, 30,90"})
    assert night_settings(several).churn_horizons_days == (30, 90, 180)
    with pytest.raises(SettingError, match="add 90 to RETENTION_CHURN_HORIZONS_DAYS"):
        from_environment({"RETENTION_CHURN_HORIZONS_DAYS": "30"})
    with pytest.raises(SettingError, match="whole numbers of days"):
        from_environment({"RETENTION_CHURN_HORIZONS_DAYS": "0,90"})


def test_the_ledger_and_what_is_known_of_customers_come_from_the_warehouse(warehouse):
    orders = {
        "customer_id": ["C1", "C2"],
        "ordered_date": [date(2025, 12, 1), date(2025, 12, 2)],
        "net_amount": [10.0, 20.0],
        "voided_date": [None, date(2025, 12, 9)],
    }
    nothing = pa.table({"customer_id": pa.array([], pa.string())})
    warehouse.replace(
        {
            "intermediate.int_scores__orders": pa.table(orders),
            "intermediate.int_scores__refunds": nothing,
            "intermediate.int_scores__events": nothing,
        }
    )
    ledger = ledger_of(warehouse, NIGHT)
    assert ledger.customer_ids.tolist() == ["C1", "C2"]
    assert ledger.known_at(ledger.until).customer_ids.tolist() == ["C1"]
    found = attributes_of(warehouse, ledger)
    assert {name: values.tolist() for name, values in found.items()} == {
        "country": ["GB", None],
        "channel": ["web", None],
    }


def test_reading_those_heard_alone_gives_the_part_of_the_whole_ledger(warehouse, monkeypatch):
    monkeypatch.setattr(reading, "is_heard", partial(is_heard, limit=3))
    names = [f"C{number}" for number in range(9)]
    days = [date(2025, 12, 1 + number) for number in range(9)]
    warehouse.replace(
        {
            "intermediate.int_scores__orders": pa.table(
                {"customer_id": names * 2, "ordered_date": days * 2, "net_amount": range(18)}
            ),
            "intermediate.int_scores__refunds": pa.table(
                {"customer_id": names, "refunded_date": days, "ordered_date": days}
            ),
            "intermediate.int_scores__events": pa.table(
                {"customer_id": names, "event_name": ["visit"] * 9, "event_date": days}
            ),
        }
    )
    part = customers_heard(ledger_of(warehouse, NIGHT), limit=3)
    alone = ledger_of(warehouse, NIGHT, reading.ids_heard(warehouse))
    assert part.n_customers == 3
    for one, other in (
        (part.customer_ids, alone.customer_ids),
        *zip(part.orders, alone.orders, strict=True),
        *zip(part.refunds, alone.refunds, strict=True),
        *zip(part.events["visit"], alone.events["visit"], strict=True),
    ):
        assert one.tolist() == other.tolist()
