"""Kaplan-Meier against the textbook table of the `aml` trial and counts by hand."""

import numpy as np
import pytest

from orchestration.science.errors import DataError
from orchestration.science.survival import survival_curve

# Weeks to relapse in the aml trial (Miller 1981, Survival Analysis, p. 49); + is still in remission.
MAINTAINED = "9 13 13+ 18 23 28+ 31 34 45+ 48 161+"
NOT_MAINTAINED = "5 5 8 8 12 16+ 23 27 30 33 43 45"


def curve_of(written):
    weeks = written.split()
    return survival_curve(
        [float(week.rstrip("+")) for week in weeks], ["+" not in week for week in weeks]
    )


def test_the_aml_trial_has_the_published_curve_and_medians():
    maintained, not_maintained = curve_of(MAINTAINED), curve_of(NOT_MAINTAINED)
    assert maintained.days.tolist() == [9, 13, 18, 23, 31, 34, 48]
    assert maintained.surviving.round(3).tolist() == [
        0.909, 0.818, 0.716, 0.614, 0.491, 0.368, 0.184,
    ]
    assert maintained.standard_error.round(4).tolist() == [
        0.0867, 0.1163, 0.1397, 0.1526, 0.1642, 0.1627, 0.1535,
    ]
    assert maintained.at_risk.tolist() == [11, 10, 8, 7, 5, 4, 2]
    assert (maintained.median_days, not_maintained.median_days) == (31, 23)


def test_a_membership_still_running_lowers_nobody_elses_survival():
    alone = survival_curve([10, 20], [True, True])
    with_censored = survival_curve([10, 20, 5], [True, True, False])
    assert with_censored.surviving.tolist() == alone.surviving.tolist() == [0.5, 0.0]


def test_a_membership_censored_on_the_day_of_an_end_was_at_risk_that_day():
    curve = survival_curve([10, 10, 20], [True, False, True])
    assert curve.at_risk.tolist() == [3, 1]
    assert curve.surviving == pytest.approx([2 / 3, 0])


def test_the_band_surrounds_the_curve_and_stays_inside_zero_and_one():
    curve = curve_of(MAINTAINED)
    assert ((curve.lower >= 0) & (curve.lower < curve.surviving)).all()
    assert ((curve.upper <= 1) & (curve.upper > curve.surviving)).all()
    wide = survival_curve([9, 13, 13, 18], [True, True, False, False], confidence=0.99)
    narrow = survival_curve([9, 13, 13, 18], [True, True, False, False], confidence=0.5)
    assert (wide.upper - wide.lower > narrow.upper - narrow.lower).all()


def test_survival_is_one_before_the_first_end_and_unknown_after_the_last_seen():
    curve = survival_curve([10, 20, 20, 30], [True, True, False, False])
    read = curve.at([0, 9.9, 10, 25, 30, 31])
    assert read[:5].tolist() == [1, 1, 0.75, 0.5, 0.5]
    assert np.isnan(read[5])


def test_without_an_end_there_is_a_flat_curve_and_no_median():
    curve = survival_curve([10, 20], [False, False])
    assert curve.days.size == 0
    assert curve.at([5, 20]).tolist() == [1, 1]
    assert np.isnan(curve.median_days)


@pytest.mark.parametrize(
    ("tenure", "ended", "message"),
    [
        ([10, 20], [True], "tenure_days has 2 values but has_ended has 1"),
        ([10, -1], [True, True], "smallest is -1"),
        ([10, np.nan], [True, True], "tenure_days must be finite"),
        ([], [], "tenure_days is empty"),
    ],
)
def test_bad_input_is_refused_by_what_was_found(tenure, ended, message):
    with pytest.raises(DataError, match=message):
        survival_curve(tenure, ended)
