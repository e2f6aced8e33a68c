"""MBG/NBD: the BG/NBD in which a customer may leave right after the first order as well.

The model (Batislam, Denizel & Filiztekin 2007; Hoppe & Wagner 2007 call it the CBG/NBD):

1. While active, a customer orders at random at rate lambda.
2. Rates differ between customers as a Gamma(r, alpha), mean r / alpha orders per unit of time.
3. After each order, the first one included, the customer leaves for good with probability p.
4. That probability differs between customers as a Beta(a, b).
5. Rate and probability are independent.

The third assumption is all that sets it apart from `bgnbd`, and it takes away that model's
oddest prediction: `p_alive` of a customer who ordered once is below 1 and falls with time.

With R = r + x, the equations of this module are

(1) L(x, t_x, T) = Gamma(R) alpha^r / Gamma(r) B(a, b+x+1) / B(a, b)
    { (alpha+T)^-R + a/(b+x) (alpha+t_x)^-R }
(2) p_alive = 1 / (1 + a/(b+x) ((alpha+T)/(alpha+t_x))^R)
(3) E[orders in (T, T+t]] = p_alive (a+b+x)/(a-1)
    (1 - ((alpha+T)/(alpha+T+t))^R 2F1(R, b+x+1; a+b+x; t/(alpha+T+t)))

(2) is equation (5) in the appendix of Batislam et al.; (3) is that of the erratum, as the paper's
own was wrong. An active customer of age T has survived x + 1 tosses, one more than in the BG/NBD,
so that everything about the future is the BG/NBD's with b + 1 in place of b.

What belongs here is this model only. Units and the meaning of `frequency` are in `fits`.

Source: Batislam, Denizel & Filiztekin (2007), Empirical Validation and Comparison of Models for
Customer Base Analysis, International Journal of Research in Marketing 24(3), 201-209; Wagner &
Hoppe (2008), Erratum on the MBG/NBD Model, same journal 25(3), 225-226.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, expit, gammaln

from orchestration.science.histories import Groups, checked_histories, group_customers
from orchestration.science.likelihood import Objective
from orchestration.science.purchases import beta_geometric, bgnbd, nbd
from orchestration.science.purchases.fits import (
    Histories,
    PurchaseFit,
    checked_count,
    checked_horizon,
    draw_orders,
    fit_groups,
)

Floats = NDArray[np.float64]

MODEL_NAME = "mbgnbd"
PARAMETERS = ("r", "alpha", "a", "b")


@dataclass(frozen=True)
class MbgNbdFit(PurchaseFit):
    """Fitted parameters: ``alpha`` in ``time_unit``; ``r``, ``a`` and ``b`` are pure numbers."""

    label = "MBG/NBD"
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
) -> MbgNbdFit:
    """Fit the model by maximum likelihood (equation 1).

    Parameters
    ----------
    frequency, recency, age, weight
        As in `histories.group_customers`.
    time_unit : str
        Name of the unit of ``recency`` and ``age``. It is carried, not converted.

    Returns
    -------
    MbgNbdFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``. Where nobody is
        seen to leave it is that of the NBD (`nbd.accept_where_nobody_leaves`).

    Raises
    ------
    DataError
        If the histories are impossible.
    """
    groups = group_customers(frequency, recency, age, weight)
    found = fit_groups(
        MbgNbdFit, log_likelihood, bgnbd.starting_values, bgnbd.BOUNDS, groups, time_unit
    )
    return nbd.accept_where_nobody_leaves(found, groups)


def log_likelihood(groups: Groups) -> Objective:
    """Prepare the log-likelihood (equation 1 in logs) of some groups as a function.

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
    blocks = beta_geometric.in_blocks(groups)

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(log_parameters)
        end = beta_geometric.last_order_or_end(blocks, r, alpha, a, b)
        value = (
            n_x @ (gammaln(r + x) - gammaln(r) + betaln(a, b + x + 1) - betaln(a, b))
            + total * r * np.log(alpha)
            + end.log_sum
        )
        spread = n_x @ (digamma(a + b) - digamma(a + b + x + 1))
        d_r = n_x @ (digamma(r + x) - digamma(r)) + total * np.log(alpha) + end.by_r
        d_alpha = total * r / alpha + end.by_alpha
        d_a = spread + end.gone / a
        d_b = spread + n_x @ (digamma(b + x + 1) - digamma(b)) - end.gone_by_b
        return float(value), np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])

    return value_and_gradient


def p_alive(fit: MbgNbdFit, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
    """Probability that a customer has not left at the end of observation (equation 2).

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
        - np.log(fit.b + x)
        + (fit.r + x) * (np.log(fit.alpha + T) - np.log(fit.alpha + t_x))
    )
    return expit(-log_odds_gone)


def p_at_least_one(
    fit: MbgNbdFit, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
    """Probability of at least one order in (T, T + horizon], exact as in `bgnbd.p_at_least_one`.

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
    x, t_x, T = checked_histories(frequency, recency, age)
    t = checked_horizon(horizon)
    return p_alive(fit, x, t_x, T) * beta_geometric.p_order(t, fit.r + x, fit.alpha + T)


def expected_purchases(
    fit: MbgNbdFit, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
    """Expected number of orders in (T, T + horizon], given the history (equation 3).

    Parameters
    ----------
    horizon, frequency, recency, age
        As in `p_at_least_one`.

    Returns
    -------
    array of float >= 0
    """
    x, t_x, T = checked_histories(frequency, recency, age)
    t = checked_horizon(horizon)
    if_alive = beta_geometric.expected_orders(fit.r, fit.alpha, fit.a, fit.b + 1, t, x, T)
    return p_alive(fit, x, t_x, T) * if_alive


def purchase_count_distribution(
    fit: MbgNbdFit,
    count: ArrayLike,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Probability of exactly ``count`` orders in (T, T + horizon], given the history.

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
    n, t = checked_count(count), checked_horizon(horizon)
    x, t_x, T = checked_histories(frequency, recency, age)
    alive = p_alive(fit, x, t_x, T)
    if_alive = beta_geometric.count_distribution(
        n, t, fit.r + x, fit.alpha + T, fit.a, fit.b + 1 + x
    )
    return alive * if_alive + (1 - alive) * (n == 0)


def simulate(fit: MbgNbdFit, age: ArrayLike, random_state: int, later: float = 0.0) -> Histories:
    """Draw customers from the model, order by order, from its five assumptions alone.

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
    rate = random.gamma(fit.r, 1 / fit.alpha, T.size)
    p_leave = random.beta(fit.a, fit.b, T.size)
    # The toss after the first order, which is at 0.
    lifetime = np.where(random.random(T.size) < p_leave, 0.0, np.inf)
    return draw_orders(random, rate, T, later, p_leave=p_leave, lifetime=lifetime)
