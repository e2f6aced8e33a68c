"""What the benefits of a membership cost per day, and how far that is known.

The model (Buehlmann & Straub 1970): a member's cost over D days has the mean lambda D and the
variance phi lambda D, as sums of many uses have; lambda differs between members with mean m and
variance s2. Then

(1) E[(C - m D)^2] = phi m D + s2 D^2, from which phi and s2 are had by least squares,
(2) lambda is expected to be z C / D + (1 - z) m, z = s2 D / (s2 D + phi m),
(3) the cost of E further days has the variance phi lambda E + s2 (1 - z) E^2.

What belongs here is this model only. Money a benefit costs inside an order (a free parcel) is in
the order's margin and never here.

Source: Buehlmann & Straub (1970), Glaubwuerdigkeit fuer Schadensaetze, Mitteilungen der VSVM 70,
111-133.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from orchestration.science.histories import refuse_where

Floats = NDArray[np.float64]

# Fewer members than these cannot show how they differ: everybody costs the same.
MINIMUM_MEMBERS = 10
# A use or none within a few days says nothing of how members differ, and much of chance.
MINIMUM_DAYS = 90
# Of the variance of a typical member's cost, members' differences explain this share at most.
MOST_BETWEEN = 0.9
REWEIGHTINGS = 4


class BenefitCosts(NamedTuple):
    """Cost per day of each member and its uncertainty; arrays of shape (n_members,).

    The cost of E days has the mean ``per_day`` E and the variance ``scatter`` E + ``unknown`` E^2.
    """

    per_day: Floats
    scatter: Floats
    unknown: Floats


def benefit_costs(cost: Floats, days: Floats) -> BenefitCosts:
    """Estimate the cost per day of members who are alike in their plan.

    Parameters
    ----------
    cost : array of float >= 0, shape (n_members,)
        Of the benefits used so far.
    days : array of float >= 0, shape (n_members,)
        Covered so far.

    Returns
    -------
    BenefitCosts

    Raises
    ------
    DataError
        If a cost or a number of days is negative or unknown.
    """
    bad = ~(np.isfinite(cost) & np.isfinite(days) & (days >= 0) & (cost >= 0))
    refuse_where(bad, "benefit cost and covered days must be >= 0", cost=cost, days=days)
    seen = days > 0
    mean = cost[seen].sum() / days[seen].sum() if seen.any() else 0.0
    if mean == 0:
        return BenefitCosts(*np.zeros((3, cost.size)))
    phi, between = mean, 0.0
    long = days >= MINIMUM_DAYS
    if np.count_nonzero(long) >= MINIMUM_MEMBERS:
        squared = (cost[long] - mean * days[long]) ** 2
        causes = np.stack([mean * days[long], days[long] ** 2], axis=1)
        # A square scatters as much as it is large: weights are the inverse of what is expected.
        weight = 1 / days[long]
        for _ in range(REWEIGHTINGS):
            (phi, between), _ = nnls(causes * weight[:, None], squared * weight)
            weight = 1 / np.maximum(causes @ [phi, between], np.finfo(float).tiny)
        # Members of one age cannot tell the two causes apart, and no cost is known for certain.
        typical = days[long].mean()
        total = phi * mean + between * typical
        between = min(between, MOST_BETWEEN * total / typical)
        phi = (total - between * typical) / mean
    spread = between * days + phi * mean
    z = np.divide(between * days, spread, out=np.zeros(cost.size), where=spread > 0)
    own = np.divide(cost, days, out=np.full(cost.size, mean), where=seen)
    per_day = z * own + (1 - z) * mean
    return BenefitCosts(per_day, phi * per_day, between * (1 - z))
