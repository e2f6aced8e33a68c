"""A whole night's scoring in science: who speaks in which shop, and what the tables hold."""

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from drawn_shop import FIRST_DAY, drawn_shop

from orchestration.science.churn.reasons import Reasons
from orchestration.science.churn.records import ChurnForecast
from orchestration.science.court.candidates import Candidate, Prediction
from orchestration.science.forecasts.per_ledger import known_at
from orchestration.science.forecasts.records import Forecast
from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS
from orchestration.science.ledger import ledger_from_tables
from orchestration.science.scoring import customer_tables, docket
from orchestration.science.scoring.court_tables import (
    backtest_table,
    calibration_table,
    champion_table,
    monitoring_table,
    tracking_table,
    verdict_table,
)
from orchestration.science.scoring.customer_tables import let_speak
from orchestration.science.scoring.docket import NightSettings, forecasters_of, hold_court
from orchestration.science.scoring.fit_tables import fit_table

SETTINGS = NightSettings(churn_horizons_days=(90,), clv_horizon_days=91, yearly_discount_rate=0.10)


class Reversed:
    """Says of the best customers what is true of the worst."""

    model_name = "reversed"

    def forecast(self, ledger, horizon_days):
        said = FORECASTERS["mbgnbd"].forecast(ledger, horizon_days)
        order = np.argsort(np.argsort(-said.expected_orders))
        return replace(
            said,
            model_name=self.model_name,
            expected_orders=np.sort(said.expected_orders)[order],
            p_order=np.sort(said.p_order)[order],
        )


@pytest.fixture(autouse=True, scope="module")
def few_candidates():
    """Two closed forms and a wrong model: the rule is on trial here, not the trees."""
    kept = {name: FORECASTERS[name] for name in (*BASELINE_NAMES, "mbgnbd", "bgnbd")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(docket, "FORECASTERS", {**kept, "reversed": Reversed()})
        patch.setattr(docket, "CHURN_FORECASTERS", {})
        yield


@cache
def shop():
    return drawn_shop(1_200, is_leaving=True)[0]


@cache
def cases(*incumbents):
    return hold_court(shop(), SETTINGS, dict(incumbents))


@cache
def spoken():
    ledger = shop()
    return let_speak(cases(), known_at(ledger, ledger.until), forecasters_of(ledger), SETTINGS)


def case(found, score_name, horizon_days):
    return next(one for one in found if one.key == (score_name, horizon_days))


def test_orders_churn_and_value_stand_trial_each_for_its_horizons():
    assert [one.key for one in cases()] == [
        ("orders", 90),
        ("orders", 91),
        ("churn", 90),
        ("value", 91),
    ]


def test_a_model_that_ranks_backwards_planted_as_champion_is_dethroned_in_every_score():
    planted = tuple((one.key, "reversed") for one in cases())
    for found in cases(*planted):
        assert found.ruling.incumbent == "reversed"
        assert found.ruling.champion in {"bgnbd", "mbgnbd"}
        assert found.ruling.reason.startswith("reversed fell: ")


def test_the_same_night_rules_and_speaks_the_same_twice():
    again = hold_court(drawn_shop(1_200, is_leaving=True)[0], SETTINGS, {})
    assert [one.ruling for one in again] == [one.ruling for one in cases()]
    assert backtest_table(again).equals(backtest_table(cases()))


def test_the_incumbent_stays_while_nobody_is_surely_better():
    other = {"bgnbd": "mbgnbd", "mbgnbd": "bgnbd"}
    first = case(cases(), "orders", 90).ruling.champion
    kept = case(cases((("orders", 90), other[first])), "orders", 90)
    assert kept.ruling.champion == other[first]
    assert kept.ruling.challenger == first


def test_every_customer_of_tonight_is_spoken_of_once_and_in_order():
    tables, customers = spoken().tables, known_at(shop(), shop().until).customer_ids.tolist()
    for name in ("customer_churn", "customer_clv", "customer_next_order"):
        assert tables[name]["customer_id"].to_pylist() == customers
    assert set(spoken().levels.values()) == {"customer"}


def test_churn_is_what_the_champion_says_of_no_order():
    table = spoken().tables["customer_churn"]
    champion = case(cases(), "churn", 90).ruling.champion
    ledger = known_at(shop(), shop().until)
    p_order = FORECASTERS[champion].forecast(ledger, 90).p_order
    assert np.allclose(table["p_churn"].to_numpy(), 1 - p_order)
    assert set(table["model_name"].to_pylist()) == {champion}


def test_value_is_discounted_for_customers_and_not_for_the_court():
    judged = case(cases(), "value", 91)
    ledger = known_at(shop(), shop().until)
    plain = judged.champion_forecast(ledger).expected.sum()
    published = sum(
        map(float, spoken().tables["customer_clv"]["residual_clv_365d_amount"].to_pylist())
    )
    # A quarter at 10% a year: between nothing and the whole quarter's discount off.
    assert (1.10 ** (-91 / 365) - 0.002) * plain < published < plain


def test_expected_orders_are_those_that_the_value_is_made_of():
    table = spoken().tables["customer_clv"]
    tonight = known_at(shop(), shop().until)
    [model] = set(table["model_name"].to_pylist())
    behind = FORECASTERS[model].forecast(tonight, 91)
    assert np.allclose(table["expected_orders_365d"].to_numpy(), behind.expected_orders)
    assert np.allclose(table["orders_365d_p90"].to_numpy(), behind.orders_p90)
    # Another model may speak for orders: what is told beside a value is the value's own.
    orders, value = case(cases(), "orders", 91), case(cases(), "value", 91)
    other = next(
        one.model_name
        for one in orders.verdicts
        if one.is_passing and one.model_name != value.ruling.champion
    )
    swapped = replace(orders, ruling=replace(orders.ruling, champion=other))
    again = let_speak([swapped, value], tonight, forecasters_of(shop()), SETTINGS)
    assert again.tables["customer_clv"].equals(table)


def test_every_candidate_stands_in_the_tables_beside_the_four_plain_forecasts():
    table = backtest_table(cases()).to_pydict()
    per_origin = {}
    for score, days, origin, model in zip(
        table["score_name"],
        table["horizon_days"],
        table["origin_date"],
        table["model_name"],
        strict=True,
    ):
        per_origin.setdefault((score, days, origin), set()).add(model)
    assert len(per_origin) == 4 * 4
    assert all(set(BASELINE_NAMES) < models for models in per_origin.values())
    assert sum(verdict_table(cases())["is_champion"].to_pylist()) == 4
    champions = champion_table(cases(), spoken().levels, spoken().silent)
    assert champions["is_published"].to_pylist() == [True] * 4


def test_the_views_of_the_court_hold_rows_of_every_champion():
    champions = {(*one.key, one.ruling.champion) for one in cases()}
    table = calibration_table(cases())
    found = set(
        zip(
            *(table[name].to_pylist() for name in ("score_name", "horizon_days", "model_name")),
            strict=True,
        )
    )
    assert champions <= found
    weeks = tracking_table(cases(), shop(), forecasters_of(shop()))
    assert set(weeks["score_name"].to_pylist()) == {"orders"}
    watched = monitoring_table(cases(), shop(), {})
    assert {"score", "feature", "group"} == set(watched["subject_type"].to_pylist())


def test_a_fit_is_used_where_a_champion_bears_its_name():
    tonight = known_at(shop(), shop().until)
    table = fit_table(tonight, {"levelled_mbgnbd"}).to_pylist()
    used = {row["model_name"] for row in table if row["is_used"]}
    assert "mbgnbd" in used
    assert "bgnbd" not in used


def test_a_champion_that_does_not_speak_tonight_is_withheld_with_its_words():
    first = case(cases(), "orders", 90)

    def silent(ledger, horizon_days):
        nothing = np.full(ledger.n_customers, np.nan)
        return Forecast(
            model_name="bgnbd",
            horizon_days=horizon_days,
            level="none",
            verdict="stopped on a ridge",
            expected_orders=nothing,
            p_order=nothing,
        )

    candidates = tuple(
        Candidate(one.model_name, silent, lambda said: Prediction("none", "", said.p_order))
        for one in first.score.candidates
    )
    muted = replace(
        first, trial=replace(first.trial, score=replace(first.score, candidates=candidates))
    )
    tonight = known_at(shop(), shop().until)
    found = let_speak([muted], tonight, forecasters_of(shop()), SETTINGS)
    assert found.tables == {}
    assert found.silent == {("orders", 90): "stopped on a ridge"}
    [row] = champion_table([muted], found.levels, found.silent).to_pylist()
    assert (row["is_published"], row["level"]) == (False, "none")
    assert "Silent tonight: stopped on a ridge" in row["reason"]


def test_in_a_large_shop_reasons_are_told_of_those_most_likely_to_order(monkeypatch):
    tonight = known_at(shop(), shop().until)
    p_order = np.linspace(0, 0.9, tonight.n_customers)
    asked = []

    def why(positions):
        asked.extend(positions.tolist())
        n = positions.size
        words = np.array([[f"of {at}", None, None] for at in positions], dtype=object)
        places = np.tile([0, -1, -1], (n, 1))
        return Reasons(positions, 0.0, ("gap",), np.ones((n, 1)), words, places)

    said = ChurnForecast(
        model_name="trees",
        horizon_days=90,
        level="customer",
        verdict="",
        p_order=p_order,
        is_one_time=np.zeros(p_order.size, dtype=bool),
        why=why,
    )
    monkeypatch.setattr(customer_tables, "CUSTOMERS_TOLD", 5)
    tables = customer_tables.churn_tables(tonight, said)
    last = tonight.n_customers
    assert asked == list(range(last - 5, last))
    told = tables["customer_churn"]["reason_1"].to_pylist()
    assert told == [None] * (last - 5) + [f"of {at}" for at in range(last - 5, last)]
    assert tables["score_reasons"]["customer_id"].to_pylist() == (
        tonight.customer_ids[-5:].tolist()
    )


def ledger_of(rows, until):
    table = pa.table(
        {
            "customer_id": [name for name, _ in rows],
            "ordered_date": pa.array([FIRST_DAY + day for _, day in rows], pa.int32()).cast(
                pa.date32()
            ),
        }
    )
    return ledger_from_tables(table, FIRST_DAY + until)


def scored(ledger):
    found = hold_court(ledger, SETTINGS)
    tonight = known_at(ledger, ledger.until)
    return found, let_speak(found, tonight, forecasters_of(ledger), SETTINGS)


def test_a_small_shop_gets_pooled_estimates_that_say_so():
    ledger, _ = drawn_shop(200, is_leaving=True)
    found, said = scored(ledger)
    assert all(one.is_pooled for one in found)
    assert said.levels[("churn", 90)] == "pooled"
    assert set(said.tables["customer_churn"]["level"].to_pylist()) == {"pooled"}
    assert "too few to judge" in case(found, "churn", 90).ruling.reason


def test_a_shop_of_one_customer_and_one_day_ends_in_words_and_without_a_number():
    found, said = scored(ledger_of([("A", 0)], 1))
    assert said.tables == {}
    assert set(said.silent) >= {("orders", 90), ("churn", 90)}
    rows = champion_table(found, said.levels, said.silent).to_pylist()
    assert not any(row["is_published"] for row in rows)
    assert all(row["reason"] for row in rows)


def test_a_shop_of_one_time_buyers_ends_in_a_named_verdict():
    random = np.random.default_rng(3)
    rows = [(f"C{n:04d}", int(day)) for n, day in enumerate(random.integers(0, 500, 900))]
    found, said = scored(ledger_of(rows, 600))
    for one in found:
        assert one.ruling.champion is None or one.key in said.levels
        if one.ruling.champion is None:
            assert "nobody passes" in one.ruling.reason
    assert ("orders", 90) not in said.levels
    assert "customer_clv" not in said.tables


def test_a_shop_without_any_order_has_nothing_to_say():
    empty = ledger_of([("A", 0)], 400).known_at(FIRST_DAY - 1)
    found, said = scored(empty)
    assert said.tables == {}
    assert [one.ruling.champion is not None and one.key in said.levels for one in found] == [
        False
    ] * len(found)
