"""Kaplan-Meier against the textbook table of the `aml` trial and counts by hand."""

import numpy as np
import pytest

from orchestration.science.errors import DataError
from orchestration.science.survival import conditional_survival, log_rank, survival_curve

# Weeks to relapse in the aml trial (Miller 1981, Survival Analysis, p. 49); + is still in remission.
MAINTAINED = "9 13 13+ 18 23 28+ 31 34 45+ 48 161+"
NOT_MAINTAINED = "5 5 8 8 12 16+ 23 27 30 33 43 45"


def spells_of(written):
    weeks = written.split()
    return [float(week.rstrip("+")) for week in weeks], ["+" not in week for week in weeks]


def curve_of(written):
    return survival_curve(*spells_of(written))


def test_the_aml_trial_has_the_published_curve_and_medians():
    maintained, not_maintained = curve_of(MAINTAINED), curve_of(NOT_MAINTAINED)
    assert maintained.days.tolist() == [9, 13, 18, 23, 31, 34, 48]
    assert maintained.surviving.round(3).tolist() == [
        0.909,
        0.818,
        0.716,
        0.614,
        0.491,
        0.368,
        0.184,
    ]
    assert maintained.standard_error.round(4).tolist() == [
        0.0867,
        0.1163,
        0.1397,
        0.1526,
        0.1642,
        0.1627,
        0.1535,
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


# Who is still there


def test_survival_of_those_still_there_is_the_ratio_of_the_published_curve():
    maintained = curve_of(MAINTAINED)
    # .491 / .716 and .491 / .818, by table; from the start it is the curve itself.
    given = conditional_survival(maintained, 31, [0, 13, 18])
    assert given.surviving.round(3).tolist() == [0.491, 0.6, 0.686]
    assert given.lower[0] == pytest.approx(maintained.lower[4])
    assert given.upper[0] == pytest.approx(maintained.upper[4])


def test_those_still_there_at_a_day_are_a_study_of_their_own():
    """Left out who ended before, the rest from day 13 on has the same curve and band."""
    weeks, ended = spells_of(MAINTAINED)
    rest = [(week, end) for week, end in zip(weeks, ended, strict=True) if week > 13]
    own = survival_curve(*zip(*rest, strict=True))
    given = conditional_survival(curve_of(MAINTAINED), [18, 31, 48], 13)
    assert given.surviving == pytest.approx(own.at([18, 31, 48]))
    at = np.searchsorted(own.days, [18, 31, 48])
    assert given.lower == pytest.approx(own.lower[at])
    assert given.upper == pytest.approx(own.upper[at])


def test_where_nothing_is_known_of_those_still_there_nothing_is_said():
    curve = survival_curve([10, 20, 20, 30], [True, True, False, False])
    unseen = conditional_survival(curve, [31, 19], [20, 12])
    assert np.isnan(unseen.surviving[0])
    assert unseen.surviving[1] == 1
    assert np.isnan(unseen.lower).all()
    nobody = survival_curve([10, 20], [True, True])
    assert np.isnan(conditional_survival(nobody, 20, 20).surviving)


@pytest.mark.parametrize(("tenure", "given"), [(10, 20), (10, -1), (np.nan, 5), (10, np.nan)])
def test_a_past_that_is_not_before_the_future_is_refused(tenure, given):
    with pytest.raises(DataError, match="given_days must be between 0 and tenure_days"):
        conditional_survival(curve_of(MAINTAINED), tenure, given)


# Groups


def test_the_aml_trial_has_the_published_log_rank_test():
    """As printed by R's survdiff: 7 and 11 ends observed, 10.69 and 7.31 expected."""
    maintained, not_maintained = spells_of(MAINTAINED), spells_of(NOT_MAINTAINED)
    found = log_rank(
        maintained[0] + not_maintained[0],
        maintained[1] + not_maintained[1],
        ["maintained"] * 11 + ["not"] * 12,
    )
    assert round(found.chi_square, 4) == 3.3964
    assert round(found.p_value, 4) == 0.0653
    assert found.degrees_of_freedom == 1
    assert found.groups == ("maintained", "not")
    assert found.observed.tolist() == [7, 11]
    assert found.expected.round(2).tolist() == [10.69, 7.31]


def test_three_groups_have_the_chi_square_that_is_counted_by_hand():
    days, ended, group = [1, 2, 3, 4], [True, True, True, False], ["a", "b", "c", "a"]
    found = log_rank(days, ended, group)
    # Shares at risk (a, b, c): 2/4 1/4 1/4, then 1/3 1/3 1/3, then 1/2 0 1/2; one end each.
    assert found.expected == pytest.approx(
        [
            1 / 2 + 1 / 3 + 1 / 2,
            1 / 4 + 1 / 3,
            1 / 4 + 1 / 3 + 1 / 2,
        ]
    )
    assert found.observed.tolist() == [1, 1, 1]
    variance = np.array(
        [
            [1 / 4 + 2 / 9 + 1 / 4, -1 / 8 - 1 / 9],
            [-1 / 8 - 1 / 9, 3 / 16 + 2 / 9],
        ]
    )
    difference = np.array([1 - 4 / 3, 1 - 7 / 12])
    assert found.chi_square == pytest.approx(difference @ np.linalg.inv(variance) @ difference)
    assert found.degrees_of_freedom == 2


def test_groups_drawn_from_one_curve_differ_once_in_twenty():
    random = np.random.default_rng(8)
    p_values = []
    for _ in range(400):
        tenure, end = random.exponential(100, 80), random.uniform(20, 200, 80)
        p_values.append(log_rank(np.minimum(tenure, end), tenure <= end, np.arange(80) % 2).p_value)
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.085
    assert 0.4 < np.mean(np.array(p_values) < 0.5) < 0.6


@pytest.mark.parametrize(
    ("ended", "group", "message"),
    [
        ([True, True], ["a", "a"], "compares groups, but there is only a"),
        ([True, True], ["a"], "tenure_days has 2 values but group has 1"),
        ([False, False], ["a", "b"], "the groups cannot be compared"),
        ([False, True], ["a", "b"], "the groups cannot be compared"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(ended, group, message):
    with pytest.raises(DataError, match=message):
        log_rank([10, 20], ended, group)


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
