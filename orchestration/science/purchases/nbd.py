"""NBD: a shop that nobody leaves, and what the models of leaving come to where nobody is seen to.

The model (Ehrenberg 1959), for repeat orders since the first one:

1. A customer orders at random at rate lambda, for as long as the shop is observed and after.
2. Rates differ between customers as a Gamma(r, alpha), mean r / alpha orders per unit of time.

It is the BG/NBD with a dropout probability of 0 and the Pareto/NBD with an endless lifetime. Where
nobody is seen to leave, as in a young shop, their likelihoods rise towards this one without ever
reaching it, and their fits end at the bounds of what leaving is described by, with rates of orders
that are known as well as any. `accept_where_nobody_leaves` tells this from a fit that ran away.
With R = r + x and A = alpha + T the equations are

(1) L = Gamma(R) / Gamma(r) alpha^r A^-R
(2) E[orders in (T, T+t]] = R t / A
(3) P(n orders in (T, T+t]) negative binomial with shape R and share t / (A + t)

When the last order was plays no part in any of them.

What belongs here is this model only. Units and the meaning of `frequency` are in `fits`.

Source: Ehrenberg (1959), The Pattern of Consumer Purchases, Applied Statistics 8(1), 26-41;
Schmittlein, Morrison & Colombo (1987), Management Science 33(1), 1-24, of whose model it is the
limit.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from orchestration.science.histories import Groups, checked_histories, group_customers
from orchestration.science.likelihood import Objective
from orchestration.science.purchases import beta_geometric
from orchestration.science.purchases.fits import (
    AnyFit,
    Histories,
    PurchaseFit,
    checked_count,
    checked_horizon,
    draw_orders,
    fit_groups,
    log_negative_binomial,
)

Floats = NDArray[np.float64]

MODEL_NAME = "nbd"
PARAMETERS = ("r", "alpha")
# Natural scale, with time in units of the mean age; wide enough that no real shop meets them.
BOUNDS = ((1e-4, 1e3), (1e-6, 1e5))
STARTS = (0.3, 1.0, 3.0)
# Log-likelihood units by which a model of leaving may differ from this one at its limit.
SAME_LIKELIHOOD = 0.01


@dataclass(frozen=True)
class NbdFit(PurchaseFit):
    """Fitted parameters: ``alpha`` in ``time_unit``; ``r`` is a pure number."""

    label = "NBD"
    parameters = PARAMETERS
    times = ("alpha",)

    r: float
    alpha: float


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weight: ArrayLike | None = None,
    time_unit: str = "day",
) -> NbdFit:
    """Fit the model by maximum likelihood (equation 1).

    Parameters
    ----------
    frequency, recency, age, weight
        As in `histories.group_customers`.
    time_unit : str
        Name of the unit of ``recency`` and ``age``. It is carried, not converted.

    Returns
    -------
    NbdFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``.

    Raises
    ------
    DataError
        If the histories are impossible.
    """
    return fit_groups(
        NbdFit,
        log_likelihood,
        starting_values,
        BOUNDS,
        group_customers(frequency, recency, age, weight),
        time_unit,
    )


def accept_where_nobody_leaves(found: AnyFit, groups: Groups) -> AnyFit:
    """Let a fit of a model of leaving speak that ended at a bound because nobody leaves.

    Parameters
    ----------
    found : PurchaseFit
        With parameters ``r`` and ``alpha`` for the rate of orders.
    groups : Groups
        What it was fitted to.

    Returns
    -------
    PurchaseFit
        As it was, unless it lies at a bound at which its likelihood is that of the NBD. Then
        converged, with the NBD's ``r`` and ``alpha`` and their errors; the parameters of leaving
        stay at their bounds, without an error, and the verdict says so.
    """
    if found.level != "at_bound":
        return found
    limit = fit_groups(NbdFit, log_likelihood, starting_values, BOUNDS, groups, found.time_unit)
    apart = abs(found.log_likelihood - limit.log_likelihood)
    if not (limit.converged and apart < SAME_LIKELIHOOD):
        return found
    unknown = dict.fromkeys(found.parameters, np.nan)
    return replace(
        found,
        r=limit.r,
        alpha=limit.alpha,
        level="converged",
        verdict=f"{limit.verdict}, that of the NBD: nobody is seen to leave",
        log_likelihood=limit.log_likelihood,
        standard_errors=unknown | limit.standard_errors,
    )  # type: ignore[call-arg]


def starting_values(rate: float) -> list[tuple[float, ...]]:
    """Starts for a shop with ``rate`` repeat orders per customer and mean age."""
    return [(r, r / rate) for r in STARTS]


def log_likelihood(groups: Groups) -> Objective:
    """Prepare the log-likelihood (equation 1 in logs) of some groups as a function.

    Returns
    -------
    function
        Takes the logarithms of (r, alpha); returns the log-likelihood summed over customers and
        its gradient with respect to those logarithms, shape (2,).
    """
    total = groups.count.sum()
    x, where = np.unique(groups.frequency, return_inverse=True)
    n_x = np.bincount(where, weights=groups.count)
    # Customers of one age add up, whatever their orders: a few hundred ages.
    age, where = np.unique(groups.age, return_inverse=True)
    n_age = np.bincount(where, weights=groups.count)
    x_age = np.bincount(where, weights=groups.count * groups.frequency)

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        r, alpha = np.exp(log_parameters)
        power, log_A = r * n_age + x_age, np.log(alpha + age)
        value = n_x @ (gammaln(r + x) - gammaln(r)) + total * r * np.log(alpha) - power @ log_A
        d_r = n_x @ (digamma(r + x) - digamma(r)) + total * np.log(alpha) - n_age @ log_A
        d_alpha = total * r / alpha - power @ (1 / (alpha + age))
        return float(value), np.array([d_r * r, d_alpha * alpha])

    return value_and_gradient


def p_alive(fit: NbdFit, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
    """Probability of being active still: 1 for everyone, by the model's first assumption."""
    fit.refuse_unless_converged()
    return np.ones(checked_histories(frequency, recency, age)[0].shape)


def p_at_least_one(
    fit: NbdFit, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
    """Probability of at least one order in (T, T + horizon].

    Parameters
    ----------
    horizon : array of float, broadcast with the histories
        Length of the period after the end of observation, in ``fit.time_unit``.
    frequency, recency, age : array
        As in `histories.group_customers`.

    Returns
    -------
    array of float in [0, 1]
    """
    fit.refuse_unless_converged()
    x, _, T = checked_histories(frequency, recency, age)
    return beta_geometric.p_order(checked_horizon(horizon), fit.r + x, fit.alpha + T)


def expected_purchases(
    fit: NbdFit, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
    """Expected number of orders in (T, T + horizon], given the history (equation 2).

    Parameters
    ----------
    horizon, frequency, recency, age
        As in `p_at_least_one`.

    Returns
    -------
    array of float >= 0

    Examples
    --------
    >>> shop = NbdFit.given(r=0.5, alpha=10.0, time_unit="week")
    >>> float(expected_purchases(shop, 20, frequency=2, recency=30, age=40))
    1.0
    """
    fit.refuse_unless_converged()
    x, _, T = checked_histories(frequency, recency, age)
    return (fit.r + x) / (fit.alpha + T) * checked_horizon(horizon)


def purchase_count_distribution(
    fit: NbdFit,
    count: ArrayLike,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Probability of exactly ``count`` orders in (T, T + horizon], given the history (equation 3).

    With frequency, recency and age 0 it is the distribution for a new customer.

    Parameters
    ----------
    count : array of int >= 0, broadcast with the rest
    horizon, frequency, recency, age
        As in `p_at_least_one`.

    Returns
    -------
    array of float in [0, 1]; sums to 1 over all counts
    """
    fit.refuse_unless_converged()
    n, t = checked_count(count), checked_horizon(horizon)
    x, _, T = checked_histories(frequency, recency, age)
    return np.exp(log_negative_binomial(n, fit.r + x, t / (fit.alpha + T + t)))


def simulate(fit: NbdFit, age: ArrayLike, random_state: int, later: float = 0.0) -> Histories:
    """Draw customers from the model, order by order, from its two assumptions alone.

    Parameters
    ----------
    fit, age, random_state, later
        As in `bgnbd.simulate`.

    Returns
    -------
    Histories
    """
    random = np.random.default_rng(random_state)
    T = np.asarray(age, dtype=float)
    return draw_orders(random, random.gamma(fit.r, 1 / fit.alpha, T.size), T, later)
