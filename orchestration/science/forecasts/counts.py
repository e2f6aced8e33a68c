"""How many orders, given how many are expected and how likely any is.

What belongs here is one family of distributions of counts, the negative binomial, chosen because
two numbers that every forecaster has (a mean and a probability of at least one) fix it, and because
its shape stays when a mean is corrected. With mean m and shape k,

(1) P(0) = (1 + m/k)^-k, so that 1 - P(0) lies between 0 (k to 0) and 1 - exp(-m) (k to infinity).

A gamma-distributed rate has its shape as k; customers who may have left, and so order nothing more
often, bring k down. Where a probability of at least one is above the limit of (1), as regular
customers have, the count is taken as Poisson (k infinite), whose intervals are then too wide.

Source: Greenwood & Yule (1920), JRSS 83(2), 255-279.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import nbinom

Floats = NDArray[np.float64]

# Beyond these a negative binomial is, to nine digits, always zero or Poisson.
LEAST_SHAPE, LARGEST_SHAPE = 1e-6, 1e9
# Halvings of the search on the logarithm of k: 35 / 2^45 is below rounding.
HALVINGS = 45


class Counts(NamedTuple):
    """The distribution of each customer's count; arrays of shape (n_customers,).

    ``p_order`` is the forecaster's own, ``shape`` the k that goes with it and the mean (1).
    """

    expected_orders: Floats
    p_order: Floats
    shape: Floats


def of(expected_orders: Floats, p_order: Floats) -> Counts:
    """Complete a mean and a probability of at least one to a distribution."""
    return Counts(expected_orders, p_order, shape_of(expected_orders, p_order))


def scaled(given: Counts, factor: ArrayLike) -> Counts:
    """Multiply the means and keep the shapes; the probabilities follow (1).

    The odds of the parts of a mixture stay, and each part orders at a new rate: for the gamma
    distributed rates behind (1), that is exact.
    """
    mean = given.expected_orders * np.asarray(factor, dtype=float)
    return Counts(mean, p_at_least_one(mean, given.shape), given.shape)


def shape_of(mean: ArrayLike, p_order: ArrayLike) -> Floats:
    """Find the shape k of equation (1).

    Parameters
    ----------
    mean : array of float >= 0, shape (n,)
    p_order : array of float in [0, 1], shape (n,)
        Probability of at least one.

    Returns
    -------
    array of float, shape (n,)
        Within [`LEAST_SHAPE`, `LARGEST_SHAPE`].

    Examples
    --------
    >>> shape_of([2.0], [1 - (1 + 2.0 / 0.5) ** -0.5]).round(6).tolist()
    [0.5]
    """
    m = np.asarray(mean, dtype=float)
    # -log P(0) grows with k from 0 to m.
    wanted = -np.log1p(-np.minimum(np.asarray(p_order, dtype=float), 1 - 1e-15))
    low, high = np.full(m.shape, np.log(LEAST_SHAPE)), np.full(m.shape, np.log(LARGEST_SHAPE))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        k = np.exp(middle)
        falls_short = k * np.log1p(m / k) < wanted
        low, high = np.where(falls_short, middle, low), np.where(falls_short, high, middle)
    return np.exp((low + high) / 2)


def p_at_least_one(mean: ArrayLike, shape: ArrayLike) -> Floats:
    """Probability of at least one (equation 1)."""
    m, k = np.asarray(mean, dtype=float), np.asarray(shape, dtype=float)
    return -np.expm1(-k * np.log1p(m / k))


def quantile(probability: ArrayLike, mean: ArrayLike, shape: ArrayLike) -> Floats:
    """Smallest count that is not exceeded with at least this probability."""
    m, k = np.asarray(mean, dtype=float), np.asarray(shape, dtype=float)
    return np.maximum(nbinom.ppf(probability, k, k / (k + m)), 0.0)


def p_at_most(count: ArrayLike, mean: ArrayLike, shape: ArrayLike) -> Floats:
    """Probability of at most so many; 0 for a negative count."""
    m, k = np.asarray(mean, dtype=float), np.asarray(shape, dtype=float)
    return np.asarray(nbinom.cdf(count, k, k / (k + m)), dtype=float)


def interval(level: float, mean: ArrayLike, shape: ArrayLike) -> tuple[Floats, Floats]:
    """Bounds of the central interval of a nominal level, both included."""
    m, k = np.asarray(mean, dtype=float), np.asarray(shape, dtype=float)
    return quantile((1 - level) / 2, m, k), quantile((1 + level) / 2, m, k)
