"""BG/NBD: how many more orders a customer will place, when nobody announces that they leave.

The model (Fader, Hardie & Lee 2005):

1. While active, a customer orders at random at rate lambda.
2. Rates differ between customers as a Gamma(r, alpha), mean r / alpha orders per unit of time.
3. After each repeat order the customer leaves for good with probability p.
4. That probability differs between customers as a Beta(a, b).
5. Rate and probability are independent.

A customer can therefore leave only at an order. Someone who never came back has had no occasion
to leave, and their `p_alive` is 1: it is not a churn score. `p_at_least_one` is.

What belongs here is this model only: fit, predictions and its simulator. Units of time and the
meaning of `frequency` are those of `fits`.

Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24(2), 275-284. Equation numbers are that paper's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, expit, gammaln

from orchestration.science.histories import Groups, checked_histories, group_customers
from orchestration.science.likelihood import Objective
from orchestration.science.purchases import beta_geometric, nbd
from orchestration.science.purchases.fits import (
    Histories,
    PurchaseFit,
    checked_count,
    checked_horizon,
    draw_orders,
    fit_groups,
)

Floats = NDArray[np.float64]

MODEL_NAME = "bgnbd"
PARAMETERS = ("r", "alpha", "a", "b")
# Natural scale, with time in units of the mean age; wide enough that no real shop meets them.
BOUNDS = ((1e-4, 1e3), (1e-6, 1e5), (1e-4, 1e3), (1e-4, 1e4))
# r, a and b of each start; alpha follows from the mean rate.
STARTS = ((1.0, 1.0, 1.0), (0.3, 0.5, 2.0), (2.0, 1.0, 6.0), (0.5, 0.1, 1.0))


@dataclass(frozen=True)
class BgNbdFit(PurchaseFit):
    """Fitted parameters: ``alpha`` in ``time_unit``; ``r``, ``a`` and ``b`` are pure numbers."""

    label = "BG/NBD"
    parameters = PARAMETERS
    times = ("alpha",)

    r: float
    alpha: float
    a: float
    b: float


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weight: ArrayLike | None = None,
    time_unit: str = "day",
) -> BgNbdFit:
    """Fit the model by maximum likelihood (equation 7).

    Parameters
    ----------
    frequency, recency, age, weight
        As in `histories.group_customers`: one row per customer, or one per distinct history
        with its weight.
    time_unit : str
        Name of the unit of ``recency`` and ``age``. It is carried, not converted.

    Returns
    -------
    BgNbdFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``. Where nobody is
        seen to leave it is that of the NBD (`nbd.accept_where_nobody_leaves`).

    Raises
    ------
    DataError
        If the histories are impossible.
    """
    groups = group_customers(frequency, recency, age, weight)
    found = fit_groups(BgNbdFit, log_likelihood, starting_values, BOUNDS, groups, time_unit)
    return nbd.accept_where_nobody_leaves(found, groups)


def starting_values(rate: float) -> list[tuple[float, ...]]:
    """Starts for a shop with ``rate`` repeat orders per customer and mean age."""
    return [(r, r / rate, a, b) for r, a, b in STARTS]


def log_likelihood(groups: Groups) -> Objective:
    """Prepare the log-likelihood (equation 6 in logs) of some groups as a function.

    Parameters
    ----------
    groups : Groups

    Returns
    -------
    function
        Takes the logarithms of (r, alpha, a, b); returns the log-likelihood summed over
        customers and its gradient with respect to those logarithms, shape (4,).
    """
    total = groups.count.sum()
    # Gamma functions depend on the frequency alone: a few dozen values, not a million.
    x, where = np.unique(groups.frequency, return_inverse=True)
    n_x = np.bincount(where, weights=groups.count)
    once, again = groups.frequency == 0, groups.frequency > 0
    n_0, T_0 = groups.count[once], groups.age[once]
    blocks = beta_geometric.in_blocks(Groups(*(column[again] for column in groups)))

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(log_parameters)
        log_once = np.log(alpha + T_0)
        # The braces of (6): the last order of x can have been the last of all, at b + x - 1.
        end = beta_geometric.last_order_or_end(blocks, r, alpha, a, b - 1)

        value = (
            n_x @ (gammaln(r + x) - gammaln(r) + betaln(a, b + x) - betaln(a, b))
            + total * r * np.log(alpha)
            - r * (n_0 @ log_once)
            + end.log_sum
        )
        spread = n_x @ (digamma(a + b) - digamma(a + b + x))
        d_r = (
            n_x @ (digamma(r + x) - digamma(r)) + total * np.log(alpha) - n_0 @ log_once + end.by_r
        )
        d_alpha = total * r / alpha - r * (n_0 @ (1 / (alpha + T_0))) + end.by_alpha
        d_a = spread + end.gone / a
        d_b = spread + n_x @ (digamma(b + x) - digamma(b)) - end.gone_by_b
        return float(value), np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])

    return value_and_gradient


def p_alive(fit: BgNbdFit, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
    """Probability that a customer has not left at the end of observation.

    The second factor of equation (10): 1 / (1 + a/(b+x-1) ((alpha+T)/(alpha+t_x))^(r+x)).
    It is 1 for everyone who ordered once, by construction; see the module's docstring.

    Parameters
    ----------
    frequency, recency, age : array, broadcast together
        As in `histories.group_customers`.

    Returns
    -------
    array of float in [0, 1], of the broadcast shape
    """
    fit.refuse_unless_converged()
    x, t_x, T = checked_histories(frequency, recency, age)
    # In logs: ((alpha+T)/(alpha+t_x))^(r+x) overflows for a regular who fell silent.
    log_odds_gone = (
        np.log(fit.a)
        - np.log(fit.b + np.maximum(x, 1) - 1)
        + (fit.r + x) * (np.log(fit.alpha + T) - np.log(fit.alpha + t_x))
    )
    return np.where(x > 0, expit(-log_odds_gone), 1.0)


def p_at_least_one(
    fit: BgNbdFit, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
    """Probability of at least one order in (T, T + horizon].

    p_alive * (1 - ((alpha+T)/(alpha+T+t))^(r+x)), which is exact and no approximation: see
    `beta_geometric.p_order`.

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
    x, _, T = checked_histories(frequency, recency, age)
    t = checked_horizon(horizon)
    return p_alive(fit, x, recency, T) * beta_geometric.p_order(t, fit.r + x, fit.alpha + T)


def expected_purchases(
    fit: BgNbdFit, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
    """Expected number of orders in (T, T + horizon], given the history (equation 10).

    Parameters
    ----------
    horizon, frequency, recency, age
        As in `p_at_least_one`.

    Returns
    -------
    array of float >= 0

    Examples
    --------
    >>> cdnow = BgNbdFit.given(r=0.243, alpha=4.414, a=0.793, b=2.426, time_unit="week")
    >>> round(float(expected_purchases(cdnow, 39, frequency=2, recency=30.43, age=38.86)), 3)
    1.226
    """
    alive = p_alive(fit, frequency, recency, age)
    return alive * expected_purchases_if_alive(fit, horizon, frequency, age)


def expected_purchases_if_alive(
    fit: BgNbdFit, horizon: ArrayLike, frequency: ArrayLike, age: ArrayLike
) -> Floats:
    """Expected number of orders in (T, T + horizon] of a customer who is active at T.

    It does not depend on recency, so callers with many customers can compute it once for each
    distinct (frequency, age). With frequency 0 and age 0 it is equation (9), the expectation for
    a new customer.

    Parameters
    ----------
    horizon, frequency, age : array, broadcast together

    Returns
    -------
    array of float >= 0
    """
    fit.refuse_unless_converged()
    x, T = np.broadcast_arrays(np.asarray(frequency, dtype=float), np.asarray(age, dtype=float))
    t = checked_horizon(horizon)
    return beta_geometric.expected_orders(fit.r, fit.alpha, fit.a, fit.b, t, x, T)


def purchase_count_distribution(
    fit: BgNbdFit,
    count: ArrayLike,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Probability of exactly ``count`` orders in (T, T + horizon], given the history.

    Equation (8) with the rate and the dropout that the history leaves, Gamma(r + x, alpha + T)
    and Beta(a, b + x), for who is active; and no order for who is not.

    Parameters
    ----------
    count : array of int >= 0, broadcast with the rest
    horizon, frequency, recency, age
        As in `p_at_least_one`.

    Returns
    -------
    array of float in [0, 1]; sums to 1 over all counts
    """
    n, t = checked_count(count), checked_horizon(horizon)
    x, t_x, T = checked_histories(frequency, recency, age)
    alive = p_alive(fit, x, t_x, T)
    if_alive = beta_geometric.count_distribution(n, t, fit.r + x, fit.alpha + T, fit.a, fit.b + x)
    return alive * if_alive + (1 - alive) * (n == 0)


def p_purchase_count(fit: BgNbdFit, count: ArrayLike, age: ArrayLike) -> Floats:
    """Probability that a new customer places exactly ``count`` repeat orders by ``age`` (eq. 8).

    Parameters
    ----------
    count : array of int >= 0, broadcast with ``age``
    age : array of float

    Returns
    -------
    array of float in [0, 1]; sums to 1 over all counts
    """
    return purchase_count_distribution(fit, count, age, 0, 0, 0)


def simulate(fit: BgNbdFit, age: ArrayLike, random_state: int, later: float = 0.0) -> Histories:
    """Draw customers from the model, order by order, from its five assumptions alone.

    Parameters
    ----------
    fit : BgNbdFit
        The truth to draw from.
    age : array of float, shape (n_customers,)
        How long each customer is observed.
    random_state : int
        The only source of randomness.
    later : float
        Length of a further period after ``age`` in which orders are counted apart.

    Returns
    -------
    Histories
    """
    random = np.random.default_rng(random_state)
    T = np.asarray(age, dtype=float)
    rate = random.gamma(fit.r, 1 / fit.alpha, T.size)
    p_leave = random.beta(fit.a, fit.b, T.size)
    return draw_orders(random, rate, T, later, p_leave=p_leave)
