"""How far trees are to be believed, found on days later than those that they learned from.

What belongs here is the map from two log-odds, the closed form's and the trees' correction of it,
to one probability:

    log-odds = level + slope x (closed form - its mean) + trust x trees + closed form's mean

Level and slope are Platt's scaling, trust is the weight of a stack. Isotonic regression would be
free of form, but gives thousands of customers the same probability, makes 0 and 1 out of small
groups, and needs far more orders than most shops have; three numbers hold with a few hundred.
Each has a normal prior around (0, 1, 0), that is around the closed form as it stands: a shop with
few orders gets the closed form, one with many gets what its own past says, with no step between.

Source: Platt (1999), Probabilistic outputs for support vector machines; Wolpert (1992), Stacked
generalization, Neural Networks 5(2), 241-259.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

PRIOR_MEAN = (0.0, 1.0, 0.0)
# Standard deviations: a level may be off by a third in odds, a slope by a quarter; the trees are
# regularised already, and a shop with a few hundred orders may take them as they are.
PRIOR_DEVIATION = (0.3, 0.25, 0.5)
# More than the trees' own correction is never believed.
MOST_TRUST = 1.0
NEWTON_STEPS = 50
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Calibration:
    """The map; ``center`` is the mean of the closed form's log-odds where it was found."""

    level: float
    slope: float
    trust: float
    center: float

    def log_odds(self, closed: Floats, trees: Floats) -> Floats:
        """Calibrated log-odds from those of the closed form and the trees' correction."""
        return self.level + self.center + self.slope * (closed - self.center) + self.trust * trees


def fit_calibration(
    closed: Floats, trees: Floats, happened: NDArray[np.bool_], weight: float = 1.0
) -> Calibration:
    """Find the most plausible map given what happened.

    Parameters
    ----------
    closed, trees : arrays of float, shape (n,)
        Log-odds of the closed form, any season included, and the trees' correction.
    happened : array of bool, shape (n,)
    weight : float in (0, 1]
        What one row counts. Days whose horizons overlap tell the same orders several times, and
        count together as one.

    Returns
    -------
    Calibration
        Its trust is within [0, `MOST_TRUST`].
    """
    center = float(closed.mean())
    design = np.column_stack([np.ones(closed.size), closed - center, trees])
    free = np.array([True, True, True])
    found = _posterior_mode(design, center, happened, weight, free, np.array(PRIOR_MEAN))
    if not 0 <= found[2] <= MOST_TRUST:
        held = np.array([*PRIOR_MEAN[:2], np.clip(found[2], 0, MOST_TRUST)])
        free[2] = False
        found = _posterior_mode(design, center, happened, weight, free, held)
    return Calibration(float(found[0]), float(found[1]), float(found[2]), center)


def _posterior_mode(
    design: Floats,
    center: float,
    happened: NDArray[np.bool_],
    weight: float,
    free: NDArray[np.bool_],
    start: Floats,
) -> Floats:
    """Newton's method on the free coefficients; concave, so that any top is the top."""
    precision = 1 / np.array(PRIOR_DEVIATION) ** 2
    mean, found = np.array(PRIOR_MEAN), start.copy()
    for _ in range(NEWTON_STEPS):
        p = expit(center + design @ found)
        gradient = weight * (design.T @ (happened - p)) - precision * (found - mean)
        curvature = weight * (design.T * (p * (1 - p))) @ design + np.diag(precision)
        step = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        step *= min(1.0, 1.0 / max(np.abs(step).max(), 1e-12))
        found[free] += step
        if np.abs(step).max() < TOLERANCE:
            break
    return found
