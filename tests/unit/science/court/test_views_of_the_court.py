"""Calibration, tracking and monitoring, counted by hand or against the orders themselves."""

from functools import cache

import numpy as np
import pytest
from drawn_shop import FIRST_DAY, drawn_shop, knowing, orders_of, silent
from scipy.stats import entropy

from orchestration.science.court.calibration import calibration_bins, score_deciles
from orchestration.science.court.candidates import (
    Prediction,
    churn_candidates,
    churn_score,
    orders_score,
)
from orchestration.science.court.monitoring import (
    feature_readings,
    group_readings,
    population_stability,
    score_readings,
)
from orchestration.science.court.origins import rolling_origins
from orchestration.science.court.tracking import tracking
from orchestration.science.court.trial import Hearing, Trial, hear
from orchestration.science.features import customer_features
from orchestration.science.forecasts.closed_forms import ClosedForm
from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS


@cache
def shop():
    return drawn_shop(600, is_leaving=True)


def trial_by_hand(expected, actual, frequency, age=None):
    """One origin whose numbers are all written out."""
    n = len(expected)
    ledger, rates = shop()
    score = orders_of(knowing("right", rates))
    said = Prediction("customer", "told", np.array(expected, dtype=float))
    hearing = Hearing(
        FIRST_DAY,
        np.arange(n),
        np.array(frequency, dtype=float),
        np.array(age or [400] * n, dtype=float),
        np.array(actual, dtype=float),
        {"right": said},
    )
    return Trial(score, rolling_origins(ledger, 91), (hearing,))


def test_bins_hold_the_means_of_forecast_and_outcome():
    trial = trial_by_hand([1.0, 2.0, 3.0, 6.0], [0, 2, 5, 5], [0, 0, 9, 12])
    by_frequency = [one for one in calibration_bins(trial, "right") if one.bin_type == "frequency"]
    assert [(one.bin_label, one.customers) for one in by_frequency] == [("0", 2), ("7 or more", 2)]
    assert [(one.expected_mean, one.actual_mean) for one in by_frequency] == [
        (1.5, 1.0),
        (4.5, 5.0),
    ]
    # The standard error of 0 and 2 is 1; of 5 and 5 it is 0.
    assert by_frequency[0].actual_low == pytest.approx(1 - 1.959964, abs=1e-6)
    assert (by_frequency[1].actual_low, by_frequency[1].actual_high) == (5.0, 5.0)


def test_equal_forecasts_share_a_tenth_and_all_customers_are_in_one():
    deciles = score_deciles(np.array([0.0] * 50 + list(range(1, 51))))
    assert set(deciles[:50]) == {3}
    assert np.bincount(deciles)[6:].tolist() == [10] * 5


def test_a_silent_candidate_has_no_bins_and_no_weeks():
    ledger, _ = shop()
    trial = hear(orders_of(silent("ridge")), ledger, rolling_origins(ledger, 91))
    assert calibration_bins(trial, "ridge") == []
    assert list(score_readings(trial, "ridge")) == []


def test_weeks_add_up_to_the_orders_that_came():
    ledger, _ = shop()
    origins = rolling_origins(ledger, 91)
    weeks = tracking(ledger, ClosedForm("bgnbd"), origins)
    occasions = ledger.occasions()
    for origin in origins.days:
        of_origin = [week for week in weeks if week.origin == origin]
        assert [week.week_number for week in of_origin] == list(range(1, 14))
        known = ledger.known_at(origin).customer_ids
        is_known = np.isin(ledger.customer_ids[occasions.customer], known)
        for week in (of_origin[0], of_origin[6]):
            end = origin + 7 * week.week_number
            came = is_known & (occasions.day > end - 7) & (occasions.day <= end)
            assert week.actual_orders == came.sum()
        assert of_origin[-1].cumulative_actual_orders == sum(w.actual_orders for w in of_origin)
        assert of_origin[-1].cumulative_expected_orders == pytest.approx(
            sum(week.expected_orders for week in of_origin)
        )


def test_a_year_is_followed_in_thirteen_steps_of_four_weeks():
    ledger, _ = shop()
    origins = rolling_origins(ledger, 365)
    weeks = tracking(ledger, ClosedForm("bgnbd"), origins)
    of_first = [week for week in weeks if week.origin == origins.days[0]]
    assert [week.week_number for week in of_first] == list(range(4, 53, 4))
    assert {week.weeks for week in weeks} == {4}
    came = ledger.outcomes(ledger.known_at(origins.days[0]), 364).order_count.sum()
    assert sum(week.actual_orders for week in of_first) == came


def test_weeks_may_be_lent_and_the_total_stays_the_forecasters_own():
    ledger, _ = shop()
    origins = rolling_origins(ledger, 91)
    own, lent = ClosedForm("mbgnbd"), ClosedForm("bgnbd")
    weeks = tracking(ledger, own, origins, weeks_of=lent)
    of_lender = tracking(ledger, lent, origins)
    for day in origins.days:
        total = own.forecast(ledger.known_at(day), 91).expected_orders.sum()
        mine = [week.expected_orders for week in weeks if week.origin == day]
        theirs = [week.expected_orders for week in of_lender if week.origin == day]
        assert sum(mine) == pytest.approx(total)
        assert np.ptp(np.divide(mine, theirs)) == pytest.approx(0, abs=1e-9)


def test_the_stability_index_is_the_sum_of_both_relative_entropies():
    random = np.random.default_rng(4)
    before, after = random.normal(0, 1, 4_000), random.normal(0.5, 1.2, 3_000)
    edges = np.quantile(before, np.arange(1, 10) / 10)
    p = np.bincount(np.searchsorted(edges, before), minlength=10) / before.size
    q = np.bincount(np.searchsorted(edges, after), minlength=10) / after.size
    assert population_stability(before, after) == pytest.approx(entropy(p, q) + entropy(q, p))


def test_a_number_that_went_missing_is_a_drift():
    before = np.arange(1_000.0)
    after = np.where(before < 300, np.nan, before)
    assert population_stability(before, before) == 0
    assert population_stability(before, after) > 0.25
    assert np.isnan(population_stability(np.full(5, np.nan), before))


def test_the_drift_of_a_score_runs_from_origin_to_origin_and_up_to_tonight():
    said = np.linspace(1, 2, 400)
    trial = trial_by_hand(said, np.zeros(400), np.zeros(400))
    alone = list(score_readings(trial, "right"))
    assert [(one.measure_name, one.origin) for one in alone] == [("mean", FIRST_DAY)]
    tonight = (FIRST_DAY + 91, Prediction("customer", "told", said + 0.5))
    found = list(score_readings(trial, "right", tonight))
    assert [(one.measure_name, one.origin) for one in found[1:]] == [
        ("mean", FIRST_DAY + 91),
        ("psi", FIRST_DAY + 91),
    ]
    assert found[1].value == pytest.approx(2.0)
    assert found[2].value == population_stability(said, said + 0.5) > 0.25


def test_a_constant_feature_has_no_drift_until_it_changes():
    constant = np.full(100, 2.0)
    assert population_stability(constant, constant) == 0
    assert population_stability(constant, np.full(100, 3.0)) > 0.25


def test_the_bias_of_a_group_is_that_of_its_own_customers():
    trial = trial_by_hand([1.0, 1.0, 3.0, 3.0], [1, 3, 2, 2], [0, 0, 2, 4], [30, 400, 400, 500])
    countries = np.array(["GB", None, "GB", "DE"], dtype=object)
    found = {
        reading.subject_name: (reading.customers, reading.value)
        for reading in group_readings(trial, "right", {"country": countries})
    }
    assert found == {
        "one-time buyers": (2, -0.5),
        "repeat buyers": (2, 0.5),
        "customers for under 90 days": (1, 0.0),
        "customers for a year and more": (3, pytest.approx(0.0)),
        "country: DE": (1, 0.5),
        "country: GB": (2, pytest.approx(4 / 3 - 1)),
        "country: unknown": (1, pytest.approx(1 / 3 - 1)),
    }


def test_every_feature_is_watched_from_day_to_day():
    ledger, _ = shop()
    days = rolling_origins(ledger, 91).days
    described = [(day, customer_features(ledger.known_at(day))) for day in days]
    found = list(feature_readings(described))
    names = described[-1][1].names
    drifts = [one for one in found if one.measure_name == "psi" and one.origin == days[-1]]
    assert {one.subject_name for one in drifts} == set(names)
    missing = {
        one.subject_name: one.value
        for one in found
        if one.measure_name == "missing_rate" and one.origin == days[0]
    }
    matrix = described[0][1].matrix
    assert missing == {
        name: pytest.approx(np.isnan(matrix[:, place]).mean()) for place, name in enumerate(names)
    }


def test_orders_and_churn_are_two_readings_of_the_same_forecasts():
    ledger, _ = shop()
    origins = rolling_origins(ledger, 91)
    orders = hear(orders_score(FORECASTERS, BASELINE_NAMES, 91), ledger, origins)
    candidates = churn_candidates(FORECASTERS, BASELINE_NAMES)
    churn = hear(churn_score(candidates, 91), ledger, origins)
    assert ((orders.actual() > 0) == churn.actual()).all()
    p_order = churn.expected("bgnbd")
    assert ((p_order >= 0) & (p_order <= 1)).all()
    assert (p_order <= orders.expected("bgnbd") + 1e-12).all()
    assert {one.model_name for one in orders.score.candidates if one.is_baseline} == set(
        BASELINE_NAMES
    )
