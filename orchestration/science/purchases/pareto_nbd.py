"""Pareto/NBD: a customer may leave at any moment, and not only at an order.

The model (Schmittlein, Morrison & Colombo 1987):

1. While active, a customer orders at random at rate lambda.
2. Rates differ between customers as a Gamma(r, alpha), mean r / alpha orders per unit of time.
3. A customer is active for an unseen lifetime, exponential with rate mu.
4. These rates differ between customers as a Gamma(s, beta), mean s / beta per unit of time.
5. The two rates are independent.

With R = r + x, A = alpha + T and B = beta + T, the equations (numbers of Fader & Hardie's
derivation of 2005, and of their note 028 where marked) are

(18) L = Gamma(R) alpha^r beta^s / Gamma(r) { A^-R B^-s + s/(r+s+x) A_0 }
(19, 20) s/(r+s+x) A_0 = s int_[t_x, T] (alpha+y)^-R (beta+y)^-(s+1) dy
(36) p_alive = A^-R B^-s / { A^-R B^-s + s/(r+s+x) A_0 }
(41) E[orders in (T, T+t]] = p_alive R B / (A (s-1)) (1 - (B/(B+t))^(s-1))
(028-16) P(n orders in (T, T+t]), here as a mixture over the moment of leaving

A_0 is usually written as a difference of two hypergeometric functions 2F1. Here the integral that
they stand for is taken by Gauss-Legendre quadrature, in logs: the difference loses its digits as
t_x nears T, its powers overflow for regulars, and the derivatives of 2F1 with respect to its
parameters, which the gradient of (18) needs, have no closed form, while under the integral they are
plain. `leaving` says why few nodes are exact to rounding.

Where all leave at one rate, s and beta run away together; the fit then ends at a bound or without
identified parameters, and says so in its verdict.

What belongs here is this model only. Units and the meaning of `frequency` are in `fits`.

Source: Schmittlein, Morrison & Colombo (1987), Counting Your Customers: Who Are They and What Will
They Do Next?, Management Science 33(1), 1-24; Fader & Hardie (2005), A Note on Deriving the
Pareto/NBD Model and Related Expressions; Fader & Hardie (2014), note 028.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, expit, gammaln

from orchestration.science.histories import Groups, checked_histories, group_customers
from orchestration.science.likelihood import Objective
from orchestration.science.purchases import leaving, nbd
from orchestration.science.purchases.fits import (
    Histories,
    PurchaseFit,
    checked_count,
    checked_horizon,
    draw_orders,
    fit_groups,
    log_negative_binomial,
)

Floats = NDArray[np.float64]

MODEL_NAME = "pareto_nbd"
PARAMETERS = ("r", "alpha", "s", "beta")
# Natural scale, with time in units of the mean age; wide enough that no real shop meets them.
BOUNDS = ((1e-4, 1e3), (1e-6, 1e5), (1e-4, 1e3), (1e-6, 1e5))
# r, s and beta of each start; alpha follows from the mean rate.
STARTS = ((0.5, 0.5, 0.5), (1.0, 1.0, 2.0), (0.3, 2.0, 5.0), (2.0, 0.3, 0.3))


@dataclass(frozen=True)
class ParetoNbdFit(PurchaseFit):
    """Fitted parameters: ``alpha`` and ``beta`` in ``time_unit``; ``r`` and ``s`` are pure."""

    label = "Pareto/NBD"
    parameters = PARAMETERS
    times = ("alpha", "beta")

    r: float
    alpha: float
    s: float
    beta: float


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weight: ArrayLike | None = None,
    time_unit: str = "day",
) -> ParetoNbdFit:
    """Fit the model by maximum likelihood (equation 18).

    Parameters
    ----------
    frequency, recency, age, weight
        As in `histories.group_customers`.
    time_unit : str
        Name of the unit of ``recency`` and ``age``. It is carried, not converted.

    Returns
    -------
    ParetoNbdFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``. Where nobody is
        seen to leave it is that of the NBD (`nbd.accept_where_nobody_leaves`).

    Raises
    ------
    DataError
        If the histories are impossible.
    """
    groups = group_customers(frequency, recency, age, weight)
    found = fit_groups(ParetoNbdFit, log_likelihood, starting_values, BOUNDS, groups, time_unit)
    return nbd.accept_where_nobody_leaves(found, groups)


def starting_values(rate: float) -> list[tuple[float, ...]]:
    """Starts for a shop with ``rate`` repeat orders per customer and mean age."""
    return [(r, r / rate, s, beta) for r, s, beta in STARTS]


def log_likelihood(groups: Groups) -> Objective:
    """Prepare the log-likelihood (equation 18 in logs) of some groups as a function.

    Returns
    -------
    function
        Takes the logarithms of (r, alpha, s, beta); returns the log-likelihood summed over
        customers and its gradient with respect to those logarithms, shape (4,).
    """
    n, total = groups.count, groups.count.sum()
    # Gamma functions depend on the frequency alone: a few dozen values, not a million.
    x, where = np.unique(groups.frequency, return_inverse=True)
    n_x = np.bincount(where, weights=n)
    silence = groups.age - groups.recency

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = np.exp(log_parameters)
        R, A, B = r + groups.frequency, alpha + groups.age, beta + groups.age
        last_A, last_B = alpha + groups.recency, beta + groups.recency
        left = leaving.moments(last_A, last_B, R, s + 1, silence)
        log_A, log_B = np.log(A), np.log(B)
        log_last_A, log_last_B = np.log(last_A), np.log(last_B)
        active = -R * log_A - s * log_B
        gone = np.log(s) - R * log_last_A - (s + 1) * log_last_B + left.log_integral
        either = np.logaddexp(active, gone)
        w_gone = np.exp(gone - either)
        w_active = 1 - w_gone

        value = (
            n_x @ (gammaln(r + x) - gammaln(r))
            + total * (r * np.log(alpha) + s * np.log(beta))
            + n @ either
        )
        d_r = (
            n_x @ (digamma(r + x) - digamma(r))
            + total * np.log(alpha)
            - n @ (w_active * log_A + w_gone * (log_last_A + left.mean_log_A))
        )
        d_s = total * np.log(beta) - n @ (
            w_active * log_B + w_gone * (log_last_B + left.mean_log_B - 1 / s)
        )
        d_alpha = total * r / alpha - n @ (R * (w_active / A + w_gone * left.mean_inverse_A))
        d_beta = total * s / beta - n @ (w_active * s / B + w_gone * (s + 1) * left.mean_inverse_B)
        return float(value), np.array([d_r * r, d_alpha * alpha, d_s * s, d_beta * beta])

    return value_and_gradient


def p_alive(fit: ParetoNbdFit, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
    """Probability that a customer has not left at the end of observation (equation 36).

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
    R, last_A, last_B = fit.r + x, fit.alpha + t_x, fit.beta + t_x
    log_odds_gone = (
        np.log(fit.s)
        - np.log(last_B)
        + R * np.log1p((T - t_x) / last_A)
        + fit.s * np.log1p((T - t_x) / last_B)
        + leaving.log_integral(last_A, last_B, R, fit.s + 1, T - t_x)
    )
    return expit(-log_odds_gone)


def p_at_least_one(
    fit: ParetoNbdFit,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Probability of at least one order in (T, T + horizon].

    p_alive int_[0, t] R/A (1+u/A)^-(R+1) (1+u/B)^-s du: the next order of an active customer has
    the first factor as its density, and finds the customer still active with the second.

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
    R, A, B = fit.r + x, fit.alpha + T, fit.beta + T
    if_alive = R / A * np.exp(leaving.log_integral(A, B, R + 1, fit.s, t))
    return p_alive(fit, x, t_x, T) * np.minimum(if_alive, 1.0)


def expected_purchases(
    fit: ParetoNbdFit,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Expected number of orders in (T, T + horizon], given the history (equation 41).

    Parameters
    ----------
    horizon, frequency, recency, age
        As in `p_at_least_one`.

    Returns
    -------
    array of float >= 0

    Examples
    --------
    >>> cdnow = ParetoNbdFit.given(r=0.553, alpha=10.578, s=0.606, beta=11.669, time_unit="week")
    >>> round(float(expected_purchases(cdnow, 52, frequency=26, recency=30.86, age=31)), 2)
    25.46
    """
    x, t_x, T = checked_histories(frequency, recency, age)
    t = checked_horizon(horizon)
    A, B = fit.alpha + T, fit.beta + T
    # (1 - q^(s-1)) / (s-1) with q = B/(B+t), whose limit at s = 1 is -log q.
    log_q = -np.log1p(t / B)
    power = fit.s - 1
    still_active = -log_q if power == 0 else -np.expm1(power * log_q) / power
    return p_alive(fit, x, t_x, T) * (fit.r + x) * B / A * still_active


def purchase_count_distribution(
    fit: ParetoNbdFit,
    count: ArrayLike,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Probability of exactly ``count`` orders in (T, T + horizon], given the history (028-16).

    An active customer either stays for the whole horizon, with probability (1+t/B)^-s, or leaves
    after a time u with density s/B (1+u/B)^-(s+1); until then the orders are negative binomial.
    The mixture over u has the same nodes for every count, so that the probabilities of all counts
    add up to 1. With frequency, recency and age 0 it is the distribution for a new customer.

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
    rows = np.broadcast_arrays(n, t, fit.r + x, fit.alpha + T, fit.beta + T)
    if_alive = np.empty(rows[0].size)
    for start in range(0, if_alive.size, leaving.BLOCK_ROWS):
        part = slice(start, start + leaving.BLOCK_ROWS)
        if_alive[part] = _count_if_alive(fit.s, *(row.ravel()[part] for row in rows))
    return alive * if_alive.reshape(rows[0].shape) + (1 - alive) * (n == 0)


def _count_if_alive(s: float, n: Floats, t: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
    """Mix the negative binomials of a customer who is active at T over the moment of leaving."""
    at = leaving.place_nodes(A, B, 0.0, s + 1, t, leaving.FINE)
    orders = log_negative_binomial(n[:, None], R[:, None], at.u / (A[:, None] + at.u))
    leaves = np.exp(at.log_weight + np.log(s / B)[:, None] + orders).sum(axis=1)
    stays = np.exp(-s * np.log1p(t / B) + log_negative_binomial(n, R, t / (A + t)))
    return leaves + stays


def simulate(fit: ParetoNbdFit, age: ArrayLike, random_state: int, later: float = 0.0) -> Histories:
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
    # A rate of leaving so small that it is 0 in floating point is a lifetime without an end.
    with np.errstate(divide="ignore"):
        lifetime = random.standard_exponential(T.size) / random.gamma(fit.s, 1 / fit.beta, T.size)
    return draw_orders(random, rate, T, later, lifetime=lifetime)
