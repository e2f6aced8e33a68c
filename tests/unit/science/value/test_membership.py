"""Value of running memberships: by hand on a few, by draws on many."""

import numpy as np
import pyarrow as pa
import pytest

from orchestration.science import sbg
from orchestration.science.errors import DataError
from orchestration.science.value.benefits import benefit_costs
from orchestration.science.value.membership import membership_values

RENEWALS = pa.table(
    {
        "billing_period": ["annual", "trial"],
        "term_number": [1, 0],
        # (40 + 0.5) / (49 + 1) = 0.81 and (14.5 + 0.5) / (24 + 1) = 0.6
        "decided_terms": [49.0, 24.0],
        "renewed_terms": [40.0, 14.5],
        # Not paid when due: (1.75 + 0.5) / (1.75 + 9 + 1) of annual terms.
        "renewed_late_terms": [1.75, 0.0],
    }
)


def membership(**changes):
    row = {
        "membership_id": "M1",
        "customer_id": "ann",
        "billing_period": "annual",
        "paid_billing_period": "annual",
        "paid_term_months": 12,
        "term_number": 1,
        "days_to_renewal": 100,
        "next_fee_amount": 80.0,
        "is_cancel_requested": False,
        "benefit_cost_amount": 0.0,
        "covered_days": 265,
    }
    return row | changes


def valued(*rows, horizon_days=365, rate=0.0, renewals=RENEWALS):
    return membership_values(pa.Table.from_pylist(list(rows)), renewals, horizon_days, rate)


def test_an_annual_member_pays_once_if_the_term_is_renewed():
    found = valued(membership())
    assert found.p_next_renewal == pytest.approx([0.81])
    assert found.expected_fees == pytest.approx([0.81 * 80])
    # Nothing with 0.19, 80 with 0.81.
    assert found.p10[0] == pytest.approx(0, abs=1e-6)
    assert found.p90[0] == pytest.approx(80)


def test_a_fee_in_a_hundred_days_is_worth_less_than_one_today():
    found = valued(membership(), rate=0.1)
    assert found.expected_fees == pytest.approx([0.81 * 80 * 1.1 ** (-100 / 365)])


def test_a_term_that_ends_beyond_the_horizon_brings_no_fee():
    found = valued(membership(days_to_renewal=40), horizon_days=30)
    assert found.expected_fees.tolist() == [0]
    assert found.p_next_renewal == pytest.approx([0.81])


def test_who_has_asked_to_leave_pays_no_more_but_uses_benefits_until_the_term_is_over():
    found = valued(
        membership(is_cancel_requested=True, benefit_cost_amount=26.5, days_to_renewal=50)
    )
    assert found.expected_fees.tolist() == [0]
    # 26.5 in 265 days: 0.1 a day for 50 days.
    assert found.expected_benefit_cost == pytest.approx([5.0])
    assert found.expected == pytest.approx([-5.0])
    assert found.p10[0] < -5 < found.p90[0] <= 0


def test_benefits_cost_for_as_long_as_the_membership_lasts():
    found = valued(membership(benefit_cost_amount=26.5))
    # 0.1 a day: 100 days for sure, the 265 others with 0.81.
    assert found.expected_benefit_cost == pytest.approx([0.1 * (100 + 0.81 * 265)])


def test_who_is_in_the_grace_renews_as_seldom_as_those_who_did_not_pay_on_time():
    found = valued(membership(days_to_renewal=-4))
    late = 2.25 / 11.75
    assert found.p_next_renewal == pytest.approx([late])
    # Paid now, and the next one in a year, at the rate of all.
    assert found.expected_fees == pytest.approx([late * 80 * (1 + 0.81)])


def test_a_trial_converts_before_it_renews():
    trial = membership(
        billing_period="trial", term_number=0, days_to_renewal=10, next_fee_amount=70.0
    )
    found = valued(trial)
    assert found.p_next_renewal == pytest.approx([0.6])
    assert found.expected_fees == pytest.approx([0.6 * 70])
    found = valued(trial, horizon_days=400)
    assert found.expected_fees == pytest.approx([0.6 * 70 * (1 + 0.81)])


def test_monthly_values_are_those_of_members_drawn_one_by_one():
    truth = sbg.RenewalFit.given(alpha=0.8, beta=6.0)
    counts = sbg.simulate(truth, np.full(200_000, 30), random_state=4)
    renewals = pa.table(
        {
            "billing_period": ["monthly"] * 30,
            "term_number": counts.term_number,
            "decided_terms": counts.decided,
            "renewed_terms": counts.renewed,
            "renewed_late_terms": np.zeros(30),
        }
    )
    member = membership(
        billing_period="monthly",
        paid_billing_period="monthly",
        paid_term_months=1,
        term_number=3,
        days_to_renewal=15,
        next_fee_amount=9.0,
    )
    found = valued(member, renewals=renewals)
    # Members in their third term: theta given two renewals is Beta(alpha, beta + 2).
    random = np.random.default_rng(1)
    theta = random.beta(0.8, 8.0, 400_000)
    # Days 15, 15 + 30.4, ... 349.6: twelve decisions within the year.
    kept = np.minimum(random.geometric(theta) - 1, 12)
    assert found.model_names.tolist() == [sbg.SBG]
    assert found.expected_fees[0] == pytest.approx(9 * kept.mean(), rel=0.01)
    assert found.p10[0] == pytest.approx(9 * np.quantile(kept, 0.1), abs=1e-6)
    assert found.p90[0] == pytest.approx(9 * 12, abs=1e-6)


def test_bounds_with_an_uncertain_cost_hold_as_often_as_they_say():
    random = np.random.default_rng(3)
    cost = random.gamma(4.0, 10.0, 400)
    rows = [
        membership(membership_id=f"M{n:03d}", benefit_cost_amount=value, covered_days=400)
        for n, value in enumerate(cost.tolist())
    ]
    found = valued(*rows)
    # Drawn again from what was said of the first member: renewal, then a gamma cost.
    renewed = random.random(200_000) < 0.81
    days = np.where(renewed, 365, 100)
    used = benefit_costs(cost, np.full(400, 400.0))
    mean = used.per_day[0] * days
    variance = used.scatter[0] * days + used.unknown[0] * days**2
    value = np.where(renewed, 80.0, 0.0) - random.gamma(mean**2 / variance, variance / mean)
    assert found.expected[0] == pytest.approx(value.mean(), abs=0.5)
    for bound, level in ((found.p10[0], 0.1), (found.p90[0], 0.9)):
        assert (value <= bound).mean() == pytest.approx(level, abs=0.005)


def test_where_no_term_of_the_interval_was_decided_there_is_no_value():
    found = valued(
        membership(),
        membership(membership_id="M2", paid_billing_period="monthly", billing_period="monthly"),
    )
    assert np.isnan(found.expected).tolist() == [False, True]
    assert found.model_names.tolist() == ["constant_rate", None]


def test_an_unknown_fee_is_no_free_membership():
    found = valued(membership(next_fee_amount=None), membership(membership_id="M2"))
    assert np.isnan(found.expected).tolist() == [True, False]


def test_a_shop_without_memberships_gets_none():
    rows = pa.Table.from_pylist([membership()]).slice(0, 0)
    found = membership_values(rows, RENEWALS.slice(0, 0), 365, 0.1)
    assert found.expected.size == 0
    assert found.verdict == "no term was ever decided"


def test_a_missing_column_is_refused_by_name():
    rows = pa.Table.from_pylist([membership()]).drop_columns(["covered_days"])
    with pytest.raises(DataError, match="memberships lack covered_days"):
        membership_values(rows, RENEWALS, 365, 0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paid_term_months": 0}, "paid_term_months must be above 0"),
        ({"days_to_renewal": None}, "days_to_renewal must be known"),
        ({"term_number": -1}, "term_number must be 0 or more"),
        ({"benefit_cost_amount": -1.0}, "benefit cost and covered days must be >= 0"),
    ],
)
def test_impossible_memberships_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        valued(membership(**changes))
