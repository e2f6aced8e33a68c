"""Levels and calibration, against closed answers and another way to the same optimum."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from orchestration.science.churn.calibration import (
    PRIOR_DEVIATION,
    PRIOR_MEAN,
    Calibration,
    fit_calibration,
)
from orchestration.science.churn.level import carried_share, kept_share, shift_of_log_odds


def drawn(n: int, level: float, slope: float, trust: float, random_state: int = 1):
    rng = np.random.default_rng(random_state)
    closed, trees = rng.normal(-1.5, 1.0, n), rng.normal(0, 0.5, n)
    center = closed.mean()
    truth = Calibration(level, slope, trust, center).log_odds(closed, trees)
    return closed, trees, rng.random(n) < expit(truth)


def test_a_shift_turns_even_odds_into_what_happened():
    happened = np.arange(400_000) % 4 > 0
    # Three of four happened: log(3) must be added to log-odds of 0.
    assert shift_of_log_odds(np.zeros(400_000), happened) == pytest.approx(np.log(3), abs=1e-4)


def test_a_shift_makes_the_mean_probability_the_share_that_happened():
    closed, _, happened = drawn(200_000, 0.4, 1.0, 0.0)
    shift = shift_of_log_odds(closed, happened)
    assert expit(closed + shift).mean() == pytest.approx(happened.mean(), abs=1e-4)
    assert shift == pytest.approx(0.4, abs=0.02)


def test_what_never_happened_to_ten_customers_moves_the_level_a_little():
    shift = shift_of_log_odds(np.zeros(10), np.zeros(10, dtype=bool))
    # At the mode the prior's pull equals the data's: 10 x p = -shift / 0.25.
    assert 10 * expit(shift) == pytest.approx(-shift / 0.25, abs=1e-8)


def test_a_year_before_is_carried_by_least_squares_drawn_to_three_quarters():
    assert carried_share([]) == 0.75
    # (0.75 x 0.25 + 0.5 x 0.5 + 1 x 1) / (0.25 + 0.25 + 1)
    assert carried_share([(0.5, 0.5), (1.0, 1.0)]) == pytest.approx(1.4375 / 1.5)
    assert carried_share([(1.0, -1.0)]) == 0
    assert carried_share([(1.0, 3.0)]) == 1


def test_less_of_a_level_is_kept_where_shifts_move_more():
    assert kept_share([0.1, 0.1], 1.0) > kept_share([1.0, -1.0], 1.0)
    # Spread 2 of two days, with the prior 2 x 0.0225 of two more: variance 2.045 / 3.
    assert kept_share([1.0, -1.0], 2.0) == pytest.approx(0.0225 / (0.0225 + 2.045 / 3 / 2))


def test_calibration_recovers_the_map_that_made_the_data():
    found = fit_calibration(*drawn(100_000, 0.2, 0.8, 0.6))
    assert found.level == pytest.approx(0.2, abs=0.03)
    assert found.slope == pytest.approx(0.8, abs=0.03)
    assert found.trust == pytest.approx(0.6, abs=0.06)


def test_calibration_finds_the_optimum_that_another_search_finds():
    closed, trees, happened = drawn(300, 0.3, 1.2, 0.5, random_state=2)
    center = closed.mean()

    def cost(coefficients):
        level, slope, trust = coefficients
        p = expit(level + center + slope * (closed - center) + trust * trees)
        pulls = (coefficients - np.array(PRIOR_MEAN)) / np.array(PRIOR_DEVIATION)
        return -0.5 * np.log(np.where(happened, p, 1 - p)).sum() + (pulls**2).sum() / 2

    other = minimize(
        cost, [0.0, 1.0, 0.1], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    )
    found = fit_calibration(closed, trees, happened, weight=0.5)
    assert [found.level, found.slope, found.trust] == pytest.approx(other.x, abs=1e-6)


def test_few_customers_leave_the_closed_form_as_it_is():
    few = fit_calibration(*drawn(8, 1.0, 3.0, 3.0))
    assert abs(few.level) < 0.3
    assert few.slope == pytest.approx(1, abs=0.2)
    assert 0 <= few.trust < 0.5


def test_trees_that_are_wrong_are_not_believed_backwards():
    closed, trees, happened = drawn(20_000, 0.0, 1.0, -0.5)
    found = fit_calibration(closed, trees, happened)
    assert found.trust == 0
    assert found.slope == pytest.approx(1, abs=0.1)


def test_trees_are_never_believed_more_than_they_say():
    closed, trees, happened = drawn(20_000, 0.0, 1.0, 2.0)
    assert fit_calibration(closed, trees, happened).trust == 1
