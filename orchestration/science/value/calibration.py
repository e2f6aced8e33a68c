"""Levels of an interval, corrected by what earlier forecasts attained.

A forecast distribution that is right puts an outcome below its quantile of level t with
probability t. Where earlier ones did not, the level is moved to where they would have: conformal
prediction on the probability integral transform, within groups of customers (Mondrian). An
outcome of zero, which has a probability of its own, attains every level up to that probability
alike and is spread over them, so that nothing is drawn at random.

What belongs here is this correction, for any distribution.

Source: Chernozhukov, Wuethrich & Zhu (2021), Distributional conformal prediction, PNAS 118(48);
Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World, section 4.5; Czado,
Gneiting & Held (2009), Predictive Model Assessment for Count Data, Biometrics 65(4), 1254-1261.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Customers are grouped by their chance to order: those who hardly will err otherwise than regulars.
BANDS = np.array([0.1, 0.2, 0.4, 0.6, 0.8])
# A level of 0.1 that rests on fewer outcomes is off by more than 0.03.
MINIMUM_OUTCOMES = 100
GRID = np.linspace(0.0005, 0.9995, 1_999)


class Attained(NamedTuple):
    """Levels that outcomes attained; each of shape (n,).

    ``lower`` and ``upper`` are the probabilities of less than the outcome and of no more than it;
    they differ where the outcome has a probability of its own.
    """

    p_order: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Levels:
    """Corrected levels, shape (n_levels, BANDS.size + 1), and where they come from."""

    corrected: Floats
    verdict: str

    def of(self, p_order: Floats) -> Floats:
        """Levels for each customer, shape (n_levels, n_customers)."""
        return self.corrected[:, np.searchsorted(BANDS, p_order, side="right")]


def learn(outcomes: Sequence[Attained], levels: Sequence[float]) -> Levels:
    """Find the levels whose quantiles earlier outcomes would have met.

    Parameters
    ----------
    outcomes : sequence of Attained
        One per earlier day. Every customer counts once on every day.
    levels : sequence of float in (0, 1)

    Returns
    -------
    Levels
        The levels themselves where fewer than `MINIMUM_OUTCOMES` are known.
    """
    asked = np.asarray(levels, dtype=float)
    bands = BANDS.size + 1
    nominal = np.repeat(asked[:, None], bands, axis=1)
    n = sum(seen.p_order.size for seen in outcomes)
    if n < MINIMUM_OUTCOMES:
        return Levels(
            nominal, f"interval not corrected: {n} earlier outcomes, needed are {MINIMUM_OUTCOMES}"
        )
    p_order, lower, upper = (np.concatenate(column) for column in zip(*outcomes, strict=True))
    band = np.searchsorted(BANDS, p_order, side="right")
    corrected = np.repeat(_inverse(lower, upper, asked)[:, None], bands, axis=1)
    for index in range(bands):
        own = band == index
        if np.count_nonzero(own) >= MINIMUM_OUTCOMES:
            corrected[:, index] = _inverse(lower[own], upper[own], asked)
    return Levels(corrected, f"interval corrected by {n} outcomes of {len(outcomes)} earlier days")


def zero_spread_coverage(actual: Floats, low: Floats, high: Floats, p_order: Floats) -> float:
    """Share of outcomes between p10 and p90, where zero counts for as much as lies between them.

    Most customers bring nothing within a horizon. Zero has then a probability of its own,
    1 - p_order, lies within every interval that begins at it, and makes the plain share of what
    lies between p10 and p90 large however good they are. Of the probability of zero only the part
    between the levels 0.1 and 0.9 belongs to the interval (the non-randomised transform of Czado,
    Gneiting & Held 2009); this share is 0.8 where the distribution is right.

    Parameters
    ----------
    actual, low, high, p_order : arrays of float, shape (n_customers,)
    """
    none = 1 - p_order
    inside = ((actual >= low) & (actual <= high)).astype(float)
    part = (np.minimum(none, 0.9) - 0.1) / np.where(none > 0, none, 1.0)
    at_edge = (actual == 0) & (low <= 0) & (high >= 0)
    # Below 0.1 zero lies under p10 altogether: one that is inside all the same is counted so.
    return float(np.where(at_edge & (none > 0.1), part, inside).mean())


def _inverse(lower: Floats, upper: Floats, levels: Floats) -> Floats:
    """Levels below which the shares ``levels`` of the outcomes lie."""
    return np.interp(levels, shares_below(lower, upper, GRID), GRID)


def shares_below(lower: Floats, upper: Floats, levels: Floats) -> Floats:
    """Share of outcomes that attained less than each level, spread from ``lower`` to ``upper``.

    The share rises with the slope 1 / width between the two, so that sums over all outcomes are
    differences of sums over those that have begun and those that are over.
    """
    width = upper - lower
    wide = width > 0
    slope = 1 / width[wide]
    begun = _sums_up_to(lower[wide], slope, levels) - _sums_up_to(upper[wide], slope, levels)
    offset = _sums_up_to(lower[wide], slope * lower[wide], levels)
    offset -= _sums_up_to(upper[wide], slope * lower[wide], levels)
    over = np.searchsorted(np.sort(upper), levels, side="right")
    # Points of no width are over as soon as they have begun.
    return (over + levels * begun - offset) / lower.size


def _sums_up_to(at: Floats, values: Floats, levels: Floats) -> Floats:
    """Sum of the values at or below each level."""
    order = np.argsort(at)
    total = np.concatenate([[0.0], np.cumsum(values[order])])
    return total[np.searchsorted(at[order], levels, side="right")]
