"""The search and its verdicts, on surfaces whose summits are known by construction."""

import numpy as np
import pytest

from orchestration.science.likelihood import maximise

NAMES = ("shape", "scale")
STARTS = ((1.0, 1.0), (5.0, 0.2), (0.3, 4.0))
BOUNDS = ((1e-4, 1e4), (1e-4, 1e4))


def hill(top, curvature):
    """A parabola in log parameters, with its summit at ``top`` on the natural scale."""
    summit, bend = np.log(top), np.asarray(curvature, dtype=float)

    def objective(point):
        away = point - summit
        return -50 - float(bend @ away**2) / 2, -bend * away

    return objective


def test_the_summit_of_a_hill_is_found_with_its_standard_errors():
    found = maximise(hill([2.0, 30.0], [100.0, 25.0]), NAMES, STARTS, BOUNDS)
    assert found.level == "converged"
    assert found.verdict == "converged: 3 of 3 starts agree on the summit"
    assert found.parameters == pytest.approx([2, 30], rel=1e-6)
    # The error of a logarithm is 1 / sqrt(curvature): 0.1 and 0.2, times the parameter.
    assert found.standard_errors == pytest.approx([0.2, 6.0], rel=1e-5)
    assert found.log_likelihood == pytest.approx(-50)


def test_the_starts_compete_on_the_coarse_surface_and_the_winner_climbs_the_full_one():
    found = maximise(
        hill([2.0, 30.0], [100.0, 25.0]),
        NAMES,
        STARTS,
        BOUNDS,
        coarse=hill([1.5, 20.0], [10.0, 2.5]),
    )
    assert found.parameters == pytest.approx([2, 30], rel=1e-6)


def test_a_summit_beyond_the_bounds_is_named_as_a_bound():
    found = maximise(hill([2.0, 1e6], [100.0, 25.0]), NAMES, STARTS, BOUNDS)
    assert found.level == "at_bound"
    assert found.verdict == "not converged: the best fit lies at a bound (scale = 1e+04)"


def test_a_parameter_that_changes_nothing_is_named_as_not_identified():
    found = maximise(hill([2.0, 30.0], [100.0, 0.0]), NAMES, STARTS, BOUNDS)
    assert found.level == "not_identified"
    nearly = maximise(hill([2.0, 30.0], [100.0, 1e-3]), NAMES, STARTS, BOUNDS)
    assert nearly.level == "not_identified"
    assert "do not identify scale (its logarithm has a standard error of 31.6)" in nearly.verdict


def test_a_wide_summit_is_a_summit_with_a_caution():
    found = maximise(hill([2.0, 30.0], [100.0, 0.04]), NAMES, STARTS, BOUNDS)
    assert found.level == "converged"
    assert found.verdict.endswith("scale known only by order of magnitude")


def test_starts_that_end_on_different_summits_are_not_called_converged():
    def waves(point):
        # Summits about 2 pi / 5 apart in the logarithm, each lower the further from zero.
        x, y = point
        return float(np.cos(5 * x) - 0.1 * x**2 - y**2), np.array(
            [-5 * np.sin(5 * x) - 0.2 * x, -2 * y]
        )

    starts = [(np.exp(x), 1.0) for x in (0.05, 1.26, -2.51)]
    found = maximise(waves, NAMES, starts, BOUNDS)
    assert found.level == "not_converged"
    assert found.verdict == "not converged: only 1 of 3 starts agree on the summit"


def test_a_surface_without_a_finite_value_ends_in_a_verdict_and_no_number():
    found = maximise(lambda point: (np.nan, np.full(2, np.nan)), NAMES, STARTS, BOUNDS)
    assert found.level == "not_converged"
    assert "not finite from any start" in found.verdict
    assert np.isnan(found.parameters).all()
