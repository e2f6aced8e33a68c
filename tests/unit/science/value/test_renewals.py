"""Which model of renewals speaks for a plan interval."""

import numpy as np
import pytest

from orchestration.science import sbg
from orchestration.science.errors import DataError
from orchestration.science.value.renewals import CONSTANT_RATE, Decisions, renewal_models


def decisions(*rows) -> Decisions:
    """Rows of (billing period, term number, decided, renewed, renewed late)."""
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return Decisions(
        np.array(columns[0], dtype=object), *(np.array(c, dtype=float) for c in columns[1:])
    )


def cohort(fit, n_members, interval="monthly"):
    counts = sbg.simulate(fit, np.full(n_members, 24), random_state=6)
    return [(interval, n, due, kept, 0) for n, due, kept in zip(*counts, strict=True) if due > 0]


def test_members_who_differ_are_told_by_the_shifted_beta_geometric():
    truth = sbg.RenewalFit.given(alpha=0.7, beta=4.0)
    found = renewal_models(decisions(*cohort(truth, 20_000)))["monthly"]
    assert found.model_name == sbg.SBG
    terms = np.arange(1, 25)
    # 20,000 members, of whom 6,000 are left at the end: a rate is known to 0.005 there.
    assert found.renewal_rate(terms) == pytest.approx(sbg.renewal_rate(truth, terms), abs=0.01)


def test_duration_dependence_is_taken_in_where_it_earns_its_parameter():
    truth = sbg.RenewalFit.given(alpha=0.7, beta=4.0, c=1.6)
    found = renewal_models(decisions(*cohort(truth, 20_000)))["monthly"]
    assert found.model_name == sbg.BETA_DISCRETE_WEIBULL


def test_monthly_and_annual_plans_are_never_pooled():
    found = renewal_models(decisions(("monthly", 1, 100, 50, 0), ("annual", 1, 40, 40, 0)))
    assert found["monthly"].rate == pytest.approx(50.5 / 101)
    assert found["annual"].rate == pytest.approx(40.5 / 41)


def test_too_few_ends_leave_one_rate_for_all_terms():
    found = renewal_models(decisions(("annual", 1, 84, 82, 1), ("annual", 2, 33, 32, 0)))["annual"]
    assert found.model_name == CONSTANT_RATE
    assert found.renewal_rate(np.array([1, 2, 9])) == pytest.approx([114.5 / 118] * 3)
    assert "one rate of 97.0% for all terms, since too little data" in found.verdict


def test_who_did_not_pay_on_time_renews_as_seldom_as_such_members_did():
    # Of 100 decided 90 renewed, 6 of them late: 6 of the 16 that were not paid when due.
    found = renewal_models(decisions(("annual", 1, 100, 90, 6)))["annual"]
    assert found.late_rate == pytest.approx(6.5 / 17)


def test_a_trial_is_a_conversion_and_has_no_terms():
    found = renewal_models(decisions(("trial", 0, 190, 130, 4)))["trial"]
    assert found.model_name == CONSTANT_RATE
    assert found.rate == pytest.approx(130.5 / 191)


def test_where_nothing_was_decided_there_is_no_model():
    assert renewal_models(decisions()) == {}
    assert renewal_models(decisions(("annual", 1, 0, 0, 0))) == {}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("annual", 1, 10, 11, 0), "0 <= renewed_late <= renewed <= decided"),
        (("annual", 1, 10, 5, 6), "0 <= renewed_late <= renewed <= decided"),
        (("annual", 1, float("nan"), 5, 0), "0 <= renewed_late <= renewed <= decided"),
        (("annual", 0, 40, 20, 0), "numbered from 1"),
    ],
)
def test_impossible_counts_are_refused(row, message):
    with pytest.raises(DataError, match=message):
        renewal_models(decisions(row))
