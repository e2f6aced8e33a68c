"""Credibility: a customer's mean order value, drawn towards everyone's as far as it is uncertain.

It takes over where Gamma-Gamma does not fit or its assumptions fail. It asks for no distribution:
the own mean of n orders gets the weight n / (n + k), the population's mean the rest, where k is
the ratio of the variance within customers to that between them, in orders.

k cannot be had from means alone (where big spenders also order more often, the estimate by moments
ends at 0), so it is a constant, measured once: on Online Retail II, predicting the mean value of
the orders of the next 26 weeks from three origins, 0.5 has the least mean absolute error among
0, 0.25, 0.5, 1 and 3 up to a tenth of a percent, and a smaller one than Gamma-Gamma each time.

Known limit: customers with no repeat order get the population's mean, and where spend rises with
frequency that is too much for them (10% to 34% in the same measurement).

Source: Buehlmann (1967), Experience Rating and Credibility, ASTIN Bulletin 4(3), 199-207.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestration.science.errors import DataError
from orchestration.science.histories import refuse_where

Floats = NDArray[np.float64]

MODEL_NAME = "credibility_mean"
PARAMETERS = ("population_mean", "shrinkage_orders")
SHRINKAGE_ORDERS = 0.5


@dataclass(frozen=True)
class CredibilityFit:
    """``population_mean`` in the currency of the values; ``shrinkage_orders`` is k, in orders."""

    population_mean: float
    shrinkage_orders: float
    n_customers: int


def fit(mean_value: ArrayLike) -> CredibilityFit:
    """Take the population's mean over customers, each counting once.

    Parameters
    ----------
    mean_value : array of float > 0, shape (n_customers,)
        Mean order value of each customer that has one.

    Raises
    ------
    DataError
        If there is no customer at all, or a value is not positive.
    """
    z = np.asarray(mean_value, dtype=float)
    if z.size == 0:
        raise DataError("mean_value is empty: no customer has an order value to learn from")
    refuse_where(~(np.isfinite(z) & (z > 0)), "mean_value must be finite and > 0", mean_value=z)
    return CredibilityFit(float(z.mean()), SHRINKAGE_ORDERS, z.size)


def expected_mean_value(fit: CredibilityFit, frequency: ArrayLike, mean_value: ArrayLike) -> Floats:
    """Expected value of a customer's next order.

    Parameters
    ----------
    frequency : array of int >= 0, broadcast with ``mean_value``
        Orders that each mean is taken over; 0 for customers with none, who get the population's.
    mean_value : array of float
        Ignored, and may be NaN, where ``frequency`` is 0.

    Examples
    --------
    >>> halves = CredibilityFit(population_mean=30.0, shrinkage_orders=2.0, n_customers=50)
    >>> expected_mean_value(halves, [2, 0], [50.0, float("nan")]).tolist()
    [40.0, 30.0]
    """
    n, z = np.broadcast_arrays(np.asarray(frequency, float), np.asarray(mean_value, float))
    own = n / (n + fit.shrinkage_orders)
    return (1 - own) * fit.population_mean + own * np.where(n > 0, z, 0.0)
