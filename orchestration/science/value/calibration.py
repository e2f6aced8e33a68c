"""Bounds that hold: the levels of intervals that covered four in five on earlier days.

The value of the orders to come is 0 for most customers, with a probability of its own that cannot
be cut in two. So the interval of nominal level c has one of two forms, Q(p) being the quantile:

- [0, Q(c)] for who orders nothing with a probability of 0.1 or more: below zero there is nothing
  to leave out, so that all that is left out is above;
- [Q((1-c)/2), Q((1+c)/2)] for all others.

Each customer of an earlier day needs a level for what came to lie inside (`Attained.needed`), and
the share beta of them that is to be covered has its quantile as c: split conformal prediction on
the probability integral transform, apart for groups by the chance of no order (a taxonomy). Where
that is 0.8 or more, [0, 0] may cover far more than 80% and cannot be made shorter; so that all
together cover 80%, beta is less for the other groups, but never below 75%: who may well buy shall
not pay for all who will not.

What belongs here is this correction, for any distribution. For counts, `forecasts.intervals` does
the same.

Source: Chernozhukov, Wuethrich & Zhu (2021), Distributional conformal prediction, PNAS 118(48);
Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World, chapters 2 and 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COVERAGE = 0.8
LEAST_COVERAGE = 0.75
# Up to this chance of no order the interval has two sides.
TWO_SIDED_UP_TO = 0.1
# Groups by the chance of no order; in the last one zero alone covers enough.
GROUP_EDGES = np.array([TWO_SIDED_UP_TO, 0.5, COVERAGE])
SILENT = GROUP_EDGES.size
# The level of 80% that rests on fewer outcomes is off by more than 0.04.
MINIMUM_OUTCOMES = 100


class Attained(NamedTuple):
    """What outcomes attained in the distribution that was forecast; each of shape (n,).

    ``p_order`` is the forecast probability of an order; ``sign`` is that of the outcome, -1 where
    it lies on the other side of zero than was expected; ``probability`` is that of no more than
    the outcome, for those with sign 1.
    """

    p_order: Floats
    sign: Floats
    probability: Floats

    @property
    def needed(self) -> Floats:
        """Nominal level from which on the interval has the outcome inside; infinite for none."""
        none = 1 - self.p_order
        one_sided = np.where(self.sign == 0, 0.0, self.probability)
        two_sided = np.where(self.sign == 0, 1 - 2 * none, np.abs(2 * self.probability - 1))
        needed = np.where(none >= TWO_SIDED_UP_TO, one_sided, np.maximum(two_sided, 0.0))
        return np.where(self.sign < 0, np.inf, needed)


@dataclass(frozen=True)
class Levels:
    """Nominal level of each group, shape (SILENT + 1,), and where it comes from."""

    nominal: Floats
    verdict: str

    def of(self, p_order: Floats) -> tuple[Floats, Floats]:
        """Levels of the lower and of the upper bound of each customer."""
        none = 1 - p_order
        c = self.nominal[_group(none)]
        both = none < TWO_SIDED_UP_TO
        return np.where(both, (1 - c) / 2, 0.0), np.where(both, (1 + c) / 2, c)


def learn(outcomes: Sequence[Attained]) -> Levels:
    """Find the nominal levels that would have covered 80% of earlier outcomes.

    Parameters
    ----------
    outcomes : sequence of Attained
        One per earlier day. Every customer counts once on every day.

    Returns
    -------
    Levels
        80% for a group of which fewer than `MINIMUM_OUTCOMES` are known.
    """
    n = sum(seen.p_order.size for seen in outcomes)
    nominal = np.full(SILENT + 1, COVERAGE)
    if n < MINIMUM_OUTCOMES:
        return Levels(
            nominal, f"interval not corrected: {n} earlier outcomes, needed are {MINIMUM_OUTCOMES}"
        )
    group = np.concatenate([_group(1 - seen.p_order) for seen in outcomes])
    needed = np.concatenate([seen.needed for seen in outcomes])
    silent = group == SILENT
    if np.count_nonzero(silent) >= MINIMUM_OUTCOMES:
        nominal[SILENT] = _quantile(needed[silent], COVERAGE)
    covered = float((needed[silent] <= nominal[SILENT]).mean()) if silent.any() else COVERAGE
    share = float(silent.mean())
    beta = (COVERAGE - share * covered) / (1 - share) if share < 1 else COVERAGE
    beta = min(max(beta, LEAST_COVERAGE), COVERAGE)
    for index in range(SILENT):
        own = group == index
        if np.count_nonzero(own) >= MINIMUM_OUTCOMES:
            nominal[index] = _quantile(needed[own], beta)
    return Levels(nominal, f"interval corrected by {n} outcomes of {len(outcomes)} earlier days")


def _group(none: Floats) -> NDArray[np.intp]:
    return np.searchsorted(GROUP_EDGES, none, side="right")


def _quantile(needed: Floats, beta: float) -> float:
    """The ceil(beta (n + 1))-th smallest, or certainty where so many were never covered."""
    place = int(np.ceil(beta * (needed.size + 1) - 1e-9))
    found = np.sort(needed)[min(place, needed.size) - 1]
    return float(min(found, 1.0))
