"""How sure a difference between two forecasts is, if other customers had come.

What belongs here is the paired bootstrap over customers (Efron 1979): both forecasts are judged on
the same draws, so that what they have in common cancels. A customer that is judged at several
origins is drawn with all of them. The draws are the same every time, so a night that is run again
gives the same interval.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import DataError

Floats = NDArray[np.float64]

DRAWS = 1_000
# Customers beyond this number are drawn in as many groups of random members. The spread of a sum
# over groups is that over their members, known to one part in a hundred from this many.
GROUPS = 5_000
CONFIDENCE = 0.95
SEED = 20_240_229


class Difference(NamedTuple):
    """Mean loss of one forecast less that of another, with its interval.

    Below 0 the first is better. ``gain`` is the part of the other's loss that the first saves.
    """

    value: float
    low: float
    high: float
    gain: float

    @property
    def is_better(self) -> bool:
        """The whole interval speaks for the first forecast."""
        return self.high < 0


def paired_difference(loss: Floats, other: Floats, customer: NDArray[np.int_]) -> Difference:
    """Compare two forecasts by their losses on the same customers.

    Parameters
    ----------
    loss, other : arrays of float, shape (n,)
        One entry per customer and origin, in the same order.
    customer : array of int >= 0, shape (n,)
        Whose entry it is.

    Raises
    ------
    DataError
        If lengths differ or a loss is not finite.

    Examples
    --------
    >>> same = np.array([1.0, 2.0, 3.0])
    >>> paired_difference(same, same, np.arange(3))
    Difference(value=0.0, low=0.0, high=0.0, gain=0.0)
    """
    if not loss.shape == other.shape == customer.shape:
        raise DataError(f"losses differ in length: {loss.size}, {other.size}, {customer.size}")
    if not (np.isfinite(loss).all() and np.isfinite(other).all()):
        raise DataError("a loss is not finite, so the forecasts cannot be compared")
    if not loss.size:
        return Difference(np.nan, np.nan, np.nan, np.nan)
    distinct, member = np.unique(customer, return_inverse=True)
    if distinct.size > GROUPS:
        member = np.random.default_rng(SEED).permutation(distinct.size)[member] % GROUPS
    n_groups = min(distinct.size, GROUPS)
    differences = np.bincount(member, loss - other, minlength=n_groups)
    entries = np.bincount(member, minlength=n_groups)
    weights = _weights(n_groups)
    drawn = (weights @ differences) / (weights @ entries)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    value, base = float((loss - other).mean()), float(other.mean())
    gain = -value / base if base > 0 else 0.0
    return Difference(value, float(low), float(high), gain + 0.0)


@lru_cache(maxsize=4)
def _weights(n_groups: int) -> Floats:
    """How often each group is drawn, in each draw: multinomial, shape (DRAWS, n_groups)."""
    random = np.random.default_rng(SEED)
    drawn = random.integers(0, n_groups, (DRAWS, n_groups))
    drawn += np.arange(DRAWS)[:, None] * n_groups
    counts = np.bincount(drawn.ravel(), minlength=DRAWS * n_groups)
    return counts.reshape(DRAWS, n_groups).astype(float)
