"""MBG/CNBD-k: for shops whose customers order at regular intervals rather than at random.

The model (Reutterer, Platzer & Schroeder 2021), which is the MBG/NBD with one change in the first
assumption:

1. While active, a customer waits for the next order as for the k-th of a series of unseen events
   at rate lambda: an Erlang-k distribution, random at k = 1 and the more regular the larger k.
2. Rates differ between customers as a Gamma(r, alpha); k is the same for all.
3. After each order, the first one included, the customer leaves for good with probability p.
4. That probability differs between customers as a Beta(a, b).
5. Rate and probability are independent.

A customer who orders by the clock and is overdue has then most likely left, long before a model
of random orders would say so. At k = 1 every equation is that of `mbgnbd`.

With R = r + kx, A = alpha + T and z = (T-t_x)/A, the equations of this module are

(1) L = Gamma(R) alpha^r / Gamma(r) B(a, b+x+1)/B(a, b)
    { A^-R sum_[j<k] (R)_j/j! z^j + a/(b+x) (alpha+t_x)^-R } times what timing says of k alone
(2) p_alive = first term of { } / { }
(3) P(j unseen events since t_x | active at T) = (R)_j/j! z^j / sum_[i<k] (R)_i/i! z^i, j < k
(4) P(at least n orders in (T, T+t] | active, j) = B(a, b+x+n)/B(a, b+x+1) P(M >= nk - j),
    M negative binomial with shape R + j and share t/(A+t)

where (R)_j = R (R+1) ... (R+j-1). (4) replaces the paper's approximation of the conditional
expectation: n orders need nk - j more events and n - 1 survived tosses, so that expectations and
distributions follow by exact sums over n.

k is chosen by likelihood, from 1 upwards until it falls. The times of orders between the first and
the last enter only there. Where their gaps are known, in sum over customers of log(gap), their
densities count; where not, the density of t_x given x, which is Gamma(kx, lambda) with the others
integrated out, decides by itself. Either is 0 at k = 1, so that log-likelihoods compare with
those of the other models.

What belongs here is this model only. Units and the meaning of `frequency` are in `fits`.

Source: Reutterer, Platzer & Schroeder (2021), Leveraging Purchase Regularity for Predicting
Customer Behavior the Easy Way, International Journal of Research in Marketing 38(1), 194-215.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, digamma, expit, gammaln, logsumexp, xlogy

from orchestration.science.errors import DataError
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

MODEL_NAME = "mbgcnbd_k"
SEARCHED = ("r", "alpha", "a", "b")
PARAMETERS = (*SEARCHED, "k")
# Beyond, waiting times vary by less than 30% of their mean, which no shop's customers manage.
MOST_REGULAR = 12
# A sum over numbers of orders ends where a further one adds less than this share.
NEGLIGIBLE = 1e-13


@dataclass(frozen=True)
class MbgCnbdKFit(PurchaseFit):
    """Fitted parameters: ``alpha`` in ``time_unit``; the others are pure numbers.

    ``alpha`` belongs to the unseen events, so that r / alpha is k times the rate of orders.
    Standard errors take ``k`` as known.
    """

    label = "MBG/CNBD-k"
    parameters = SEARCHED
    times = ("alpha",)

    r: float
    alpha: float
    a: float
    b: float
    k: int

    def __post_init__(self) -> None:
        if self.k < 1 or self.k != int(self.k):
            raise DataError(f"k must be a whole number >= 1; found {self.k}")
        # Tables store it as a floating-point number.
        object.__setattr__(self, "k", int(self.k))


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weight: ArrayLike | None = None,
    time_unit: str = "day",
    log_gap_sum: float | None = None,
) -> MbgCnbdKFit:
    """Fit the model by maximum likelihood (equation 1), once for each k until it falls.

    Parameters
    ----------
    frequency, recency, age, weight
        As in `histories.group_customers`.
    time_unit : str
        Name of the unit of ``recency`` and ``age``. It is carried, not converted.
    log_gap_sum : float, optional
        Sum of the logarithms of all gaps between consecutive orders of a customer, over all
        customers, in the same unit. It tells more about k than the histories do.

    Returns
    -------
    MbgCnbdKFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``.

    Raises
    ------
    DataError
        If the histories are impossible, or the gaps cannot be those of the histories.
    """
    groups = group_customers(frequency, recency, age, weight)
    evenness = None if log_gap_sum is None else _evenness(groups, log_gap_sum)
    best: MbgCnbdKFit | None = None
    for k in range(1, MOST_REGULAR + 1):
        found = fit_groups(
            MbgCnbdKFit,
            partial(log_likelihood, k=k, evenness=evenness),
            partial(_starting_values, k=k),
            bgnbd.BOUNDS,
            groups,
            time_unit,
            k=k,
        )
        # The negation also ends the search where a log-likelihood is not a number.
        if best is not None and not found.log_likelihood > best.log_likelihood:
            # At k = 1 the limit of a shop that nobody leaves is that of `mbgnbd`.
            return nbd.accept_where_nobody_leaves(best, groups) if best.k == 1 else best
        best = found
        if found.level == "too_little_data":
            return found
    assert best is not None
    return replace(
        best,
        level="at_bound",
        verdict=f"not converged: the best fit lies at a bound (k = {MOST_REGULAR})",
    )


def _starting_values(rate: float, k: int) -> list[tuple[float, ...]]:
    """Those of the BG/NBD, with k unseen events to the order."""
    return bgnbd.starting_values(k * rate)


def _evenness(groups: Groups, log_gap_sum: float) -> float:
    """How far the logarithms of the gaps fall short of those of equal gaps; <= 0, in no unit."""
    found = log_gap_sum - _log_mean_gaps(groups)
    if not found <= 1e-6 * max(abs(log_gap_sum), 1.0):
        raise DataError(
            f"log_gap_sum is {log_gap_sum:g}, but gaps that add up to each recency have at most "
            f"{log_gap_sum - found:g}: it must be of the same customers and in the same unit"
        )
    return found


def _log_mean_gaps(groups: Groups) -> float:
    """Sum over all orders of the logarithm of the mean gap of their customer."""
    again = groups.frequency > 0
    x, t_x, n = groups.frequency[again], groups.recency[again], groups.count[again]
    return float(n @ (x * np.log(t_x / x)))


def _timing(groups: Groups, k: int, evenness: float | None) -> float:
    """What timing says of k alone, in logs and less its value at k = 1."""
    again = groups.frequency > 0
    x, t_x, n = groups.frequency[again], groups.recency[again], groups.count[again]
    if evenness is None:
        return float(n @ ((k - 1) * x * np.log(t_x) - gammaln(k * x) + gammaln(x)))
    return float((k - 1) * (evenness + _log_mean_gaps(groups)) - n @ x * gammaln(k))


def log_likelihood(groups: Groups, k: int, evenness: float | None = None) -> Objective:
    """Prepare the log-likelihood (equation 1 in logs, and timing) of some groups as a function.

    Parameters
    ----------
    groups : Groups
    k : int >= 1
    evenness : float, optional
        Where gaps are known: the sum of their logarithms less that of equal gaps.

    Returns
    -------
    function
        Takes the logarithms of (r, alpha, a, b); returns the log-likelihood summed over
        customers and its gradient with respect to those logarithms, shape (4,).
    """
    n, total = groups.count, groups.count.sum()
    x, where = np.unique(groups.frequency, return_inverse=True)
    n_x = np.bincount(where, weights=n)
    timing = _timing(groups, k, evenness)

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(log_parameters)
        R, A = r + k * groups.frequency, alpha + groups.age
        log_end, log_last = np.log(A), np.log(alpha + groups.recency)
        log_terms = _log_unseen(R, groups.recency, groups.age, alpha, k)
        log_sum = logsumexp(log_terms, axis=0)
        unseen = np.exp(log_terms - log_sum)
        active = -R * log_end + log_sum
        gone = (np.log(a) - np.log(b + x))[where] - R * log_last
        either = np.logaddexp(active, gone)
        w_gone = np.exp(gone - either)
        w_active = 1 - w_gone

        j = np.arange(k)[:, None]
        # d log (R)_j / dR = 1/R + ... + 1/(R+j-1)
        rising = np.vstack([np.zeros_like(R), np.cumsum(1 / (R + j[:-1]), axis=0)])
        value = (
            n_x @ (gammaln(r + k * x) - gammaln(r) + betaln(a, b + x + 1) - betaln(a, b))
            + total * r * np.log(alpha)
            + n @ either
            + timing
        )
        spread = n_x @ (digamma(a + b) - digamma(a + b + x + 1))
        d_r = (
            n_x @ (digamma(r + k * x) - digamma(r))
            + total * np.log(alpha)
            + n @ (w_active * ((unseen * rising).sum(axis=0) - log_end) - w_gone * log_last)
        )
        d_alpha = total * r / alpha - n @ (
            w_active * (R + (unseen * j).sum(axis=0)) / A + w_gone * R / (alpha + groups.recency)
        )
        gone_by_x = np.bincount(where, weights=n * w_gone)
        d_a = spread + gone_by_x.sum() / a
        d_b = spread + n_x @ (digamma(b + x + 1) - digamma(b)) - gone_by_x @ (1 / (b + x))
        return float(value), np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])

    return value_and_gradient


def _log_unseen(R: Floats, t_x: Floats, T: Floats, alpha: float, k: int) -> Floats:
    """Logs of the terms of the sum in (1), for j = 0 ... k-1 along the first axis."""
    j = np.arange(k).reshape(-1, *([1] * R.ndim))
    log_rising = np.concatenate([np.zeros((1, *R.shape)), np.cumsum(np.log(R + j[:-1]), axis=0)])
    return log_rising - gammaln(j + 1) + xlogy(j, (T - t_x) / (alpha + T))


def p_alive(fit: MbgCnbdKFit, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
    """Probability that a customer has not left at the end of observation (equation 2).

    Parameters
    ----------
    frequency, recency, age : array, broadcast together
        As in `histories.group_customers`.

    Returns
    -------
    array of float in [0, 1], of the broadcast shape
    """
    return _standing(fit, frequency, recency, age).alive


def p_at_least_one(
    fit: MbgCnbdKFit,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Probability of at least one order in (T, T + horizon] (equation 4 with n = 1).

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
    standing = _standing(fit, frequency, recency, age)
    return _p_at_least(fit, np.ones(()), checked_horizon(horizon), standing)


def expected_purchases(
    fit: MbgCnbdKFit,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Expected number of orders in (T, T + horizon], the sum of (4) over all n.

    Parameters
    ----------
    horizon, frequency, recency, age
        As in `p_at_least_one`.

    Returns
    -------
    array of float >= 0
    """
    histories = checked_histories(frequency, recency, age)
    rows = np.broadcast_arrays(checked_horizon(horizon), *histories)
    t, x, t_x, T = (np.ravel(row) for row in rows)
    standing = _standing(fit, x, t_x, T)
    if fit.k == 1:
        # The sum has a closed form, that of the MBG/NBD.
        if_alive = beta_geometric.expected_orders(fit.r, fit.alpha, fit.a, fit.b + 1, t, x, T)
        return (standing.alive * if_alive).reshape(rows[0].shape)
    expected = np.zeros(t.size)
    counted, n = np.arange(t.size), np.zeros(())
    while counted.size:
        n = n + 1
        more = _p_at_least(fit, n, t[counted], standing)
        expected[counted] += more
        # Terms fall with n, in the end geometrically: who has no more to add is done.
        going = more > NEGLIGIBLE * expected[counted]
        if not going.all():
            counted, standing = counted[going], standing.of(going)
    return expected.reshape(rows[0].shape)


def purchase_count_distribution(
    fit: MbgCnbdKFit,
    count: ArrayLike,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> Floats:
    """Probability of exactly ``count`` orders in (T, T + horizon], by differences of (4).

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
    standing = _standing(fit, frequency, recency, age)
    at_least = _p_at_least(fit, n, t, standing)
    return np.maximum(at_least - _p_at_least(fit, n + 1, t, standing), 0.0)


class _Standing(NamedTuple):
    """At the end of observation: (2), (3) with j along the first axis, and for who is active the
    rate of events as Gamma(R, A), the probability to leave as Beta(a, b)."""

    alive: Floats
    unseen: Floats
    R: Floats
    A: Floats
    b: Floats

    def of(self, chosen: NDArray[np.bool_]) -> "_Standing":
        alive, unseen, *gammas = self
        return _Standing(alive[chosen], unseen[:, chosen], *(column[chosen] for column in gammas))


def _standing(
    fit: MbgCnbdKFit, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> _Standing:
    fit.refuse_unless_converged()
    x, t_x, T = checked_histories(frequency, recency, age)
    R = fit.r + fit.k * x
    log_terms = _log_unseen(R, t_x, T, fit.alpha, fit.k)
    log_sum = logsumexp(log_terms, axis=0)
    log_odds_gone = (
        np.log(fit.a) - np.log(fit.b + x) + R * np.log1p((T - t_x) / (fit.alpha + t_x)) - log_sum
    )
    unseen = np.exp(log_terms - log_sum)
    return _Standing(expit(-log_odds_gone), unseen, R, fit.alpha + T, fit.b + x + 1)


def _p_at_least(fit: MbgCnbdKFit, n: Floats, t: Floats, at: _Standing) -> Floats:
    """Probability of at least ``n`` orders within ``t``, whether active or not (equation 4)."""
    share = t / (at.A + t)
    needed = np.maximum(n, 1) * fit.k
    enough = sum(at.unseen[j] * betainc(needed - j, at.R + j, share) for j in range(fit.k))
    survived = np.exp(betaln(fit.a, at.b + np.maximum(n, 1) - 1) - betaln(fit.a, at.b))
    return np.where(n > 0, at.alive * survived * enough, 1.0)


def simulate(fit: MbgCnbdKFit, age: ArrayLike, random_state: int, later: float = 0.0) -> Histories:
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
    return draw_orders(random, rate, T, later, p_leave=p_leave, lifetime=lifetime, regularity=fit.k)
