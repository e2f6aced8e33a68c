"""Credibility: a customer's mean order value, drawn towards everyone's as far as it is uncertain.

It takes over where Gamma-Gamma does not hold or does not fit. It asks for no distribution, only
that order values have a variance within customers and one between them: the own mean of n orders
gets the weight n / (n + k) with k = variance within / variance between.

Source: Buehlmann (1967), Experience Rating and Credibility, ASTIN Bulletin 4(3), 199-207.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from orchestration.science.errors import DataError
from orchestration.science.histories import refuse_where

Floats = NDArray[np.float64]

MODEL_NAME = "credibility_mean"
PARAMETERS = ("population_mean", "shrinkage_orders")
# Means above this quantile are capped there while k is estimated (and only there): squared
# deviations would otherwise let a single wholesale order decide it.
CAP_QUANTILE = 0.99
# Fewer customers tell within from between by chance; everyone then gets the population's mean.
MINIMUM_CUSTOMERS = 10


@dataclass(frozen=True)
class CredibilityFit:
    """``population_mean`` in the currency of the values; ``shrinkage_orders`` is k, in orders.

    k is infinite where customers do not differ by more than chance.
    """

    population_mean: float
    shrinkage_orders: float
    n_customers: int


def fit(frequency: ArrayLike, mean_value: ArrayLike) -> CredibilityFit:
    """Estimate the population's mean and k by moments.

    The squared deviation of a mean of n orders from the population's is expected to be
    between + within / n, so both variances follow from a least-squares line in 1 / n that may
    not go below zero.

    Parameters
    ----------
    frequency : array of int >= 1, shape (n_customers,)
        Orders that each mean is taken over.
    mean_value : array of float > 0, shape (n_customers,)

    Raises
    ------
    DataError
        If there is no customer at all, or a value is not positive.
    """
    n, z = np.asarray(frequency, dtype=float), np.asarray(mean_value, dtype=float)
    if n.shape != z.shape or n.ndim != 1 or n.size == 0:
        raise DataError(
            f"frequency and mean_value must be of one length above 0; found {n.size} and {z.size}"
        )
    row = {"frequency": n, "mean_value": z}
    refuse_where(~(np.isfinite(n) & (n >= 1)), "frequency must be finite and >= 1", **row)
    refuse_where(~(np.isfinite(z) & (z > 0)), "mean_value must be finite and > 0", **row)
    if n.size < MINIMUM_CUSTOMERS:
        return CredibilityFit(float(z.mean()), np.inf, n.size)
    capped = np.minimum(z, np.quantile(z, CAP_QUANTILE))
    # In units of the mean, so that the least squares are as well scaled for yen as for euros.
    deviation = (capped / capped.mean() - 1) ** 2
    (between, within), _ = nnls(np.column_stack([np.ones(n.size), 1 / n]), deviation)
    k = within / between if between > 0 else np.inf
    return CredibilityFit(float(z.mean()), float(k), n.size)


def expected_mean_value(
    fit: CredibilityFit, frequency: ArrayLike, mean_value: ArrayLike
) -> Floats:
    """Expected value of a customer's next order.

    Parameters
    ----------
    frequency : array of int >= 0, broadcast with ``mean_value``
        0 for customers with no such order: they get the population's mean.
    mean_value : array of float
        Ignored, and may be NaN, where ``frequency`` is 0.

    Examples
    --------
    >>> halves = CredibilityFit(population_mean=30.0, shrinkage_orders=2.0, n_customers=50)
    >>> expected_mean_value(halves, [2, 0], [50.0, float("nan")]).tolist()
    [40.0, 30.0]
    """
    n, z = np.broadcast_arrays(np.asarray(frequency, float), np.asarray(mean_value, float))
    own = np.where(n > 0, n / (n + fit.shrinkage_orders), 0.0) if fit.shrinkage_orders else n > 0
    return fit.population_mean + own * (np.where(n > 0, z, fit.population_mean) - fit.population_mean)
