"""How the value of a customer's orders to come is distributed: a count of orders, each worth something.

The model:

1. No order is placed with probability 1 - p; the number of orders of who places one is
   1 + NB(mean m / p - 1, size kappa), so that p and the mean m are those of the forecast of orders
   (a hurdle model: Mullahy 1986).
2. A customer's order values scatter as a Gamma(shape, nu) about their own mean.
3. What is known of nu after n orders is Gamma(A, .), A = 1 + shape (n + k), where k is the weight
   of the population's mean in orders (the posterior of Gamma-Gamma, note 025, and the credibility
   mean with the same weights).

Given n orders to come their sum is then a beta prime, (4) P(S <= y) = I_{y/(y+c)}(shape n, A),
with c = expected order value x (A - 1) / shape; the value of all orders is the mixture over the
number of orders. It hangs on p, m / p and A alone once it is measured in expected order values, so
its quantiles are tabled once and read for a million customers.

What belongs here is this distribution. Its levels are corrected to what is seen in `calibration`.

Source: Mullahy (1986), Specification and Testing of Some Modified Count Data Models, Journal of
Econometrics 33(3), 341-365; Fader & Hardie (2013), note 025.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit, gammaln, logit, xlog1py, xlogy

Floats = NDArray[np.float64]

MEANS = np.geomspace(1.0, 200.0, 40)
LEVELS = expit(np.linspace(-9.0, 9.0, 181))
# Values in expected order values. Tables end where a customer has ordered for years and daily.
VALUES = np.geomspace(1e-4, 4_000.0, 500)
N_SHAPES = 12
MAXIMUM_COUNT = 1_000
# One number is learnt from buyers: fewer say nothing, and more than these nothing new.
FEWEST_BUYERS, MOST_BUYERS = 30, 50_000


@dataclass(frozen=True)
class TotalValues:
    """Tables of the value of all orders of who places one, in expected order values.

    ``log_quantile`` has shape (N_SHAPES, MEANS.size, LEVELS.size), ``prior_shapes`` (N_SHAPES,).
    """

    prior_shapes: Floats
    log_quantile: Floats

    def quantile(self, level: Floats, p_order: Floats, mean_if_any: Floats, A: Floats) -> Floats:
        """Quantile of the value, in expected order values; 0 where no order is that likely.

        Parameters
        ----------
        level : array of float in (0, 1)
        p_order : array of float in [0, 1]
            Probability of an order at all.
        mean_if_any : array of float >= 1
            Expected orders of who places one.
        A : array of float > 1
            As in the module's docstring.
        """
        none = 1 - p_order
        inside = (level - none) / np.maximum(p_order, 1e-300)
        found = np.zeros(np.broadcast(level, p_order).shape)
        some = inside > 0
        edge = float(LEVELS[-1])
        at = self._interpolate(
            np.broadcast_to(mean_if_any, found.shape)[some],
            np.broadcast_to(A, found.shape)[some],
            logit(np.clip(inside[some], 1 - edge, edge)),
        )
        found[some] = np.exp(at)
        return found

    def probability(self, value: Floats, mean_if_any: Floats, A: Floats) -> Floats:
        """P(value of all orders <= value) of who places one, by bisection on the quantiles."""
        lower, upper = (
            np.full(value.shape, logit(LEVELS[0])),
            np.full(value.shape, -logit(LEVELS[0])),
        )
        target = np.log(np.maximum(value, VALUES[0]))
        for _ in range(30):
            middle = (lower + upper) / 2
            below = self._interpolate(mean_if_any, A, middle) < target
            lower, upper = np.where(below, middle, lower), np.where(below, upper, middle)
        return expit((lower + upper) / 2)

    def _interpolate(self, mean: Floats, A: Floats, level_logit: Floats) -> Floats:
        """Read the table between its nodes, linearly in the logarithms of all three."""
        i, u = _place(np.log(self.prior_shapes), np.log(A))
        j, v = _place(np.log(MEANS), np.log(np.maximum(mean, 1.0)))
        k, w = _place(logit(LEVELS), level_logit)
        table = self.log_quantile
        total = np.zeros(np.broadcast(i, j, k).shape)
        for di, wi in ((0, 1 - u), (1, u)):
            for dj, wj in ((0, 1 - v), (1, v)):
                for dk, wk in ((0, 1 - w), (1, w)):
                    total += wi * wj * wk * table[i + di, j + dj, k + dk]
        return total


def _place(nodes: Floats, at: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Index of the node to the left, and how far towards the next; ends are held."""
    index = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, nodes.size - 2)
    share = (at - nodes[index]) / (nodes[index + 1] - nodes[index])
    return index, np.clip(share, 0.0, 1.0)


def total_values(shape: float, shrinkage_orders: float, size: float, highest: float) -> TotalValues:
    """Table the distribution for one shop.

    Parameters
    ----------
    shape : float > 0
        Of order values about their mean.
    shrinkage_orders : float > 0
    size : float > 0
        kappa of the number of orders after the first; 1 for a geometric one.
    highest : float >= 0
        Largest number of orders seen of a customer, where the table of A ends.
    """
    lowest = 1 + shape * shrinkage_orders
    A = np.geomspace(lowest, 1 + shape * (shrinkage_orders + max(highest, 1.0)), N_SHAPES)
    counts = _counts()
    chances = _count_chances(counts, size)
    tables = np.empty((N_SHAPES, MEANS.size, LEVELS.size))
    for index, a in enumerate(A.tolist()):
        c = (a - 1) / shape
        # (4) for every number of orders and value; then its mixture for every mean.
        inside = betainc(shape * counts[:, None], a, VALUES[None, :] / (VALUES[None, :] + c))
        mixed = chances @ inside
        for row, cumulative in enumerate(mixed):
            rising = np.concatenate([[True], np.diff(np.maximum.accumulate(cumulative)) > 0])
            tables[index, row] = np.interp(LEVELS, cumulative[rising], np.log(VALUES)[rising])
    return TotalValues(A, tables)


def _counts() -> Floats:
    """Every number of orders up to 60, then ever fewer: sums of many differ little."""
    few = np.arange(1.0, 61.0)
    return np.concatenate([few, np.unique(np.geomspace(61, MAXIMUM_COUNT, 60).round())])


def _count_chances(counts: Floats, size: float) -> Floats:
    """P(orders = count) for every mean of `MEANS`, shape (MEANS.size, counts.size).

    A number that stands for its neighbours carries the chances between the midpoints around it.
    """
    every = np.arange(1.0, counts[-1] + 1)
    owner = np.searchsorted((counts[1:] + counts[:-1]) / 2, every)
    chances = np.exp(log_count_chance(every[None, :], MEANS[:, None], size))
    summed = np.zeros((MEANS.size, counts.size))
    np.add.at(summed.T, owner, chances.T)
    return summed / summed.sum(axis=1, keepdims=True)


def log_count_chance(count: Floats, mean_if_any: Floats, size: float) -> Floats:
    """Log-probability of a number of orders of who places at least one: 1 + NB(mean - 1, size)."""
    later, extra = count - 1, np.maximum(mean_if_any - 1, 0.0)
    share = extra / (extra + size)
    return (
        gammaln(size + later)
        - gammaln(size)
        - gammaln(later + 1)
        + xlog1py(size, -share)
        + xlogy(later, share)
    )


def fit_size(count: Floats, mean_if_any: Floats) -> float:
    """Size kappa of the number of orders after the first, by maximum likelihood.

    Parameters
    ----------
    count : array of float >= 1, shape (n,)
        Orders placed by those who placed any.
    mean_if_any : array of float >= 1, shape (n,)
        Expected orders of the same.

    Returns
    -------
    float
        Between 0.05 and 50; 1 (geometric) for fewer than `FEWEST_BUYERS`.
    """
    if count.size < FEWEST_BUYERS:
        return 1.0
    thin = np.s_[:: -(-count.size // MOST_BUYERS)]
    count, mean_if_any = count[thin], mean_if_any[thin]
    sizes = np.geomspace(0.05, 50.0, 41)
    return float(sizes[np.argmax([log_count_chance(count, mean_if_any, k).sum() for k in sizes])])
