"""Gamma-Gamma: what a customer's orders are worth on average, seen through a handful of them.

The model (Fader & Hardie 2013):

1. A customer's order values scatter about the customer's own mean as a Gamma(p, nu).
2. The scale nu differs between customers as a Gamma(q, gamma); p is the same for all.
3. How much is spent per order does not depend on how often orders are placed.

The third assumption is checked by `frequency_spend_correlation`, and fails in shops that sell
wholesale beside retail. What belongs here is this model only; what takes over from it is in
`credibility`.

Source: Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 025. Equation numbers
are that note's.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma

from orchestration.science.errors import DataError, NotConverged
from orchestration.science.histories import distinct_rows, refuse_where
from orchestration.science.likelihood import Level, Objective, maximise

Floats = NDArray[np.float64]

MODEL_NAME = "gamma_gamma"
PARAMETERS = ("p", "q", "gamma")
# Three parameters, of which q rests on the spread between customers.
MINIMUM_CUSTOMERS = 10
# Above this, spend is not independent of frequency in any sense that the model could bear.
CORRELATION_LIMIT = 0.15
# Natural scale, with money in units of the mean value.
BOUNDS = ((1e-3, 1e4), (1e-3, 1e3), (1e-4, 1e4))
STARTS = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (2.0, 1.2, 0.3), (3.0, 10.0, 3.0))


@dataclass(frozen=True)
class GammaGammaFit:
    """Fitted parameters and the verdict on them; ``gamma`` is in the currency of the values."""

    p: float
    q: float
    gamma: float
    level: Level
    verdict: str
    log_likelihood: float = np.nan
    n_customers: int = 0
    n_groups: int = 0
    standard_errors: dict[str, float] = field(default_factory=dict)

    @classmethod
    def given(cls, p: float, q: float, gamma: float) -> "GammaGammaFit":
        """Parameters from a publication or a simulation's truth, not from a fit."""
        for name, value in zip(PARAMETERS, (p, q, gamma), strict=True):
            if not (np.isfinite(value) and value > 0):
                raise DataError(f"{name} must be positive and finite; found {value}")
        return cls(p, q, gamma, "given", "given: taken from elsewhere, not fitted")

    @property
    def converged(self) -> bool:
        """Whether predictions may be made from these parameters."""
        return self.level in ("converged", "given")

    @property
    def population_mean(self) -> float:
        """Mean order value over all customers, p gamma / (q - 1); infinite for q <= 1."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else np.inf


def frequency_spend_correlation(frequency: ArrayLike, mean_value: ArrayLike) -> float:
    """Pearson correlation of the number of orders and their mean value, one row per customer.

    Returns
    -------
    float
        In [-1, 1]; above `CORRELATION_LIMIT` in size the model's third assumption fails. NaN
        where it has no value: fewer than two customers, or a column that does not vary.

    Examples
    --------
    >>> round(frequency_spend_correlation([1, 2, 3], [10.0, 30.0, 20.0]), 3)
    0.5
    """
    x, z, _ = _checked(frequency, mean_value, None)
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(z) == 0:
        return float("nan")
    return float(np.corrcoef(x, z)[0, 1])


def fit(
    frequency: ArrayLike, mean_value: ArrayLike, weight: ArrayLike | None = None
) -> GammaGammaFit:
    """Fit the model by maximum likelihood.

    Parameters
    ----------
    frequency : array of int >= 1, shape (n,)
        Orders that each mean is taken over. Published fits use the repeat orders only.
    mean_value : array of float > 0, shape (n,)
        Mean value of those orders.
    weight : array of float > 0, shape (n,), optional
        Customers that each row stands for; 1 if absent.

    Returns
    -------
    GammaGammaFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``.

    Raises
    ------
    DataError
        If a value is not positive, or not a number, or lengths differ.
    """
    x, z, n = _checked(frequency, mean_value, weight)
    (x, z), position = distinct_rows(x, z)
    n = np.bincount(position, weights=n, minlength=x.size)
    n_customers = round(n.sum())
    if n_customers < MINIMUM_CUSTOMERS:
        return GammaGammaFit(
            np.nan,
            np.nan,
            np.nan,
            "too_little_data",
            f"too little data: {n_customers} customers with a repeat order; "
            f"needed are {MINIMUM_CUSTOMERS}",
            n_customers=n_customers,
            n_groups=x.size,
        )
    if np.ptp(z) == 0:
        return GammaGammaFit(
            np.nan,
            np.nan,
            np.nan,
            "not_identified",
            f"not converged: every customer's mean order value is {z[0]:g}, which leaves no "
            "spread to fit",
            n_customers=n_customers,
            n_groups=x.size,
        )
    # With the mean as the unit of money, one set of starts and bounds serves every currency.
    unit = float(np.average(z, weights=n))
    found = maximise(log_likelihood(x, z / unit, n), PARAMETERS, STARTS, BOUNDS)
    in_unit = np.array([1.0, 1.0, unit])
    p, q, gamma = (found.parameters * in_unit).tolist()
    errors = dict(zip(PARAMETERS, (found.standard_errors * in_unit).tolist(), strict=True))
    # A density per unit of money, once per customer.
    value = float(found.log_likelihood - n.sum() * np.log(unit))
    return GammaGammaFit(
        p, q, gamma, found.level, found.verdict, value, n_customers, x.size, errors
    )


def log_likelihood(frequency: Floats, mean_value: Floats, weight: Floats) -> Objective:
    """Prepare the log-likelihood (equation 1a in logs) as a function.

    Parameters
    ----------
    frequency, mean_value, weight : arrays of shape (n,)

    Returns
    -------
    function
        Takes the logarithms of (p, q, gamma); returns the summed log-likelihood and its gradient
        with respect to those logarithms, shape (3,).
    """
    x, z, n = frequency, mean_value, weight
    total = x * z
    log_total, log_mean = np.log(total), n @ np.log(z)
    sizes, where = np.unique(x, return_inverse=True)
    n_size = np.bincount(where, weights=n)

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        p, q, gamma = np.exp(log_parameters)
        log_pooled = np.log(gamma + total)
        # (1a): 1/(z B(px, q)) (gamma/(gamma+xz))^q (xz/(gamma+xz))^(px)
        value = (
            -(n_size @ betaln(p * sizes, q))
            - log_mean
            + q * (n.sum() * np.log(gamma) - n @ log_pooled)
            + p * (n @ (x * (log_total - log_pooled)))
        )
        both = digamma(p * sizes + q)
        d_p = n_size @ (sizes * (both - digamma(p * sizes))) + n @ (x * (log_total - log_pooled))
        d_q = n_size @ (both - digamma(q)) + n.sum() * np.log(gamma) - n @ log_pooled
        d_gamma = n.sum() * q / gamma - n @ ((p * x + q) / (gamma + total))
        return float(value), np.array([d_p * p, d_q * q, d_gamma * gamma])

    return value_and_gradient


def expected_mean_value(fit: GammaGammaFit, frequency: ArrayLike, mean_value: ArrayLike) -> Floats:
    """Expected value of a customer's next order, given the mean of the orders seen (equation 5).

    A weighted mean of the population's mean and the customer's own, in which the own one has the
    weight p x / (p x + q - 1).

    Parameters
    ----------
    fit : GammaGammaFit
        With q > 1; below, the population has no mean.
    frequency : array of int >= 0, broadcast with ``mean_value``
        0 for customers with no such order: they get the population's mean.
    mean_value : array of float
        Ignored, and may be NaN, where ``frequency`` is 0.

    Returns
    -------
    array of float > 0

    Examples
    --------
    >>> cdnow = GammaGammaFit.given(p=6.25, q=3.74, gamma=15.44)
    >>> expected_mean_value(cdnow, [2, 0], [22.35, 0.0]).round(2).tolist()
    [24.66, 35.22]
    """
    if not fit.converged:
        raise NotConverged(f"Gamma-Gamma: {fit.verdict}")
    if fit.q <= 1:
        raise NotConverged(
            f"Gamma-Gamma: q = {fit.q:.3g} <= 1, so the mean order value is infinite"
        )
    x, z = np.broadcast_arrays(np.asarray(frequency, float), np.asarray(mean_value, float))
    z = np.where(x > 0, z, 0.0)
    refuse_where(~(np.isfinite(x) & (x >= 0)), "frequency must be finite and >= 0", frequency=x)
    refuse_where(
        (x > 0) & ~(np.isfinite(z) & (z > 0)),
        "mean_value must be finite and > 0",
        frequency=x,
        mean_value=z,
    )
    return fit.p * (fit.gamma + x * z) / (fit.p * x + fit.q - 1)


def simulate(fit: GammaGammaFit, frequency: ArrayLike, random_state: int) -> NDArray[np.float64]:
    """Draw each customer's mean order value, shape (n,), from the model's assumptions alone."""
    random = np.random.default_rng(random_state)
    x = np.asarray(frequency, dtype=np.int64)
    nu = random.gamma(fit.q, 1 / fit.gamma, x.size)
    owner = np.repeat(np.arange(x.size), x)
    values = random.gamma(fit.p, 1 / nu[owner])
    return np.bincount(owner, weights=values, minlength=x.size) / x


def _checked(
    frequency: ArrayLike, mean_value: ArrayLike, weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Refuse what the model cannot take: an order count below 1, a value that is not positive."""
    x, z = np.asarray(frequency, dtype=float), np.asarray(mean_value, dtype=float)
    n = np.ones(x.size) if weight is None else np.asarray(weight, dtype=float)
    if not x.shape == z.shape == n.shape or x.ndim != 1:
        raise DataError(
            f"frequency, mean_value and weight must be of one length; found {x.size}, {z.size} "
            f"and {n.size}"
        )
    row = {"frequency": x, "mean_value": z}
    refuse_where(~(np.isfinite(x) & (x >= 1)), "frequency must be finite and >= 1", **row)
    refuse_where(~(np.isfinite(z) & (z > 0)), "mean_value must be finite and > 0", **row)
    refuse_where(~(np.isfinite(n) & (n > 0)), "weight must be finite and > 0", weight=n)
    return x, z, n
