"""How far a probability is off for everyone at once, and what a year ago says about it.

What belongs here are shifts of log-odds that a whole shop shares: measured on a day whose horizon
is over, carried to a day whose horizon is not. Who is more likely than whom does not belong here.

Buy-till-you-die models know no season: before Christmas they expect too few orders of everyone,
after it too many. The shift that was needed on the same day a year before is therefore carried
forward, times the share of it that came true again in the pairs of days that the past holds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

# Shifts of log-odds between seasons are rarely beyond this: a shop with few orders needs many
# of them to be believed. One standard deviation of the normal prior on a shift.
SHIFT_PRIOR_DEVIATION = 0.5
# Before any pair of days a year apart was seen, so much of last year's shift is believed, with the
# weight of four pairs that were shifted by a quarter each: their squares add up to a quarter.
CARRIED_PRIOR, CARRIED_PRIOR_WEIGHT = 0.75, 0.25
# What a closed form gets wrong from one horizon to the next is about so much; by so much, with the
# weight of so many days, do days differ beside it before any was seen. All are log-odds.
STAYING_DEVIATION, DAY_DEVIATION, DAY_DEVIATION_WEIGHT = 0.15, 0.15, 2.0
NEWTON_STEPS = 50
TOLERANCE = 1e-10


def shift_of_log_odds(log_odds: Floats, happened: NDArray[np.bool_]) -> float:
    """Find what must be added to all log-odds so that they say how often it happened.

    The posterior mode under a normal prior around 0 of `SHIFT_PRIOR_DEVIATION`, so that no
    number of customers is too few and "it never happened" has an answer.

    Parameters
    ----------
    log_odds : array of float, shape (n_customers,)
    happened : array of bool, shape (n_customers,)

    Returns
    -------
    float
    """
    precision, shift = 1 / SHIFT_PRIOR_DEVIATION**2, 0.0
    count = float(np.count_nonzero(happened))
    for _ in range(NEWTON_STEPS):
        p = expit(log_odds + shift)
        step = (count - p.sum() - precision * shift) / ((p * (1 - p)).sum() + precision)
        # The objective is concave, but far from its top a full step overshoots.
        step = float(np.clip(step, -1, 1))
        shift += step
        if abs(step) < TOLERANCE:
            break
    return shift


def carried_share(pairs: Sequence[tuple[float, float]]) -> float:
    """Estimate how much of a shift returns a year later.

    Parameters
    ----------
    pairs : sequence of (shift a year before, shift)

    Returns
    -------
    float in [0, 1]
        Least squares through the origin, drawn to `CARRIED_PRIOR`.
    """
    before = np.array([pair[0] for pair in pairs])
    after = np.array([pair[1] for pair in pairs])
    weight = CARRIED_PRIOR_WEIGHT + float(before @ before)
    share = (CARRIED_PRIOR * CARRIED_PRIOR_WEIGHT + float(before @ after)) / weight
    return float(np.clip(share, 0, 1))


def kept_share(shifts: Sequence[float], n_horizons: float) -> float:
    """How much of a level, seen over some horizons, to expect of the next one.

    Where no year ago tells the season from the level, a level that was right last quarter may be
    wrong by its double in the next. The past days tell how much shifts move: the more they do, the
    less of the level is kept, as in the mean of a random effect, t^2 / (t^2 + s^2 / n).

    Parameters
    ----------
    shifts : sequence of float
        Of days of the past, by `shift_of_log_odds`.
    n_horizons : float > 0
        Horizons that the level was found on, overlaps counted once.

    Returns
    -------
    float in (0, 1)
    """
    moved = np.asarray(shifts, dtype=float)
    spread = float(((moved - moved.mean()) ** 2).sum())
    variance = (spread + DAY_DEVIATION_WEIGHT * DAY_DEVIATION**2) / (
        moved.size - 1 + DAY_DEVIATION_WEIGHT
    )
    return STAYING_DEVIATION**2 / (STAYING_DEVIATION**2 + variance / n_horizons)
