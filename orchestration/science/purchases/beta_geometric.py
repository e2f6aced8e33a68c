"""Orders of customers for whom leaving is a coin tossed after each order.

What belongs here is what the BG/NBD and the MBG/NBD share: the part of their likelihoods in which
the last order and the end of observation meet, and the future of a customer who is known to be
active. They differ only in how many tosses the customer has survived so far, that is, in the ``b``
that they pass. The rate of orders is distributed as Gamma(shape, scale), the probability of leaving
after an order as Beta(a, b), independently.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, hyp2f1

from orchestration.science.histories import Groups, distinct_rows
from orchestration.science.purchases.fits import log_negative_binomial

Floats = NDArray[np.float64]

# Rows whose intermediate results stay in the processor's cache: whole columns of millions would be
# fetched from memory for every operation, which costs ten times the arithmetic. Below 10,000, BLAS
# leaves a dot product to one thread; above, its threads wait for each other longer than they work.
BLOCK_ROWS = 8_192


class LastOrderOrEnd(NamedTuple):
    """Sums over customers of the logarithm of equation (1) of `last_order_or_end`, and its slopes.

    ``gone`` is the expected number of customers who left, ``gone_by_b`` the same with each divided
    by b + x.
    """

    log_sum: float
    by_r: float
    by_alpha: float
    gone: float
    gone_by_b: float


def last_order_or_end(
    blocks: Iterable[Groups], r: float, alpha: float, a: float, b: float
) -> LastOrderOrEnd:
    """Sum over customers the logarithm of what both likelihoods have in braces:

    (1) (alpha+T)^-(r+x) + a/(b+x) (alpha+t_x)^-(r+x)

    still active at T, or gone right after the last order at t_x.

    Parameters
    ----------
    blocks : iterable of Groups
        From `in_blocks`.
    r, alpha, a, b : float
        ``b`` is such that b + x > 0 for every group.

    Returns
    -------
    LastOrderOrEnd
        ``by_r`` and ``by_alpha`` are derivatives of ``log_sum``. That by a is ``gone`` / a, that
        by b is minus ``gone_by_b``.
    """
    sums = np.zeros(5)
    log_a = np.log(a)
    for x, t_x, T, n in blocks:
        k, end, last, b_x = r + x, alpha + T, alpha + t_x, b + x
        log_end = np.log(end)
        log_ratio = log_end - np.log(last)
        log_odds = k * log_ratio
        log_odds += log_a - np.log(b_x)
        # log(1 + e^odds) and its slope without overflow, from the smaller of the two terms.
        smaller = np.exp(-np.abs(log_odds))
        whole = 1 + smaller
        n_gone = n * np.where(log_odds > 0, 1.0, smaller) / whole
        sums += (
            n @ (np.log(whole) + np.maximum(log_odds, 0.0) - k * log_end),
            n_gone @ log_ratio - n @ log_end,
            n_gone @ (k * (1 / end - 1 / last)) - n @ (k / end),
            n_gone.sum(),
            n_gone @ (1 / b_x),
        )
    return LastOrderOrEnd(*sums.tolist())


def in_blocks(groups: Groups) -> list[Groups]:
    """Cut groups into parts that fit into the processor's cache."""
    starts = range(0, groups.count.size, BLOCK_ROWS)
    return [Groups(*(column[at : at + BLOCK_ROWS] for column in groups)) for at in starts]


def expected_orders(
    r: float, alpha: float, a: float, b: float, horizon: Floats, frequency: Floats, age: Floats
) -> Floats:
    """Expected orders in (T, T + t] at rate Gamma(r + x, alpha + T) and dropout Beta(a, b + x).

    The printed form (a+b+x-1)/(a-1) (1 - ((alpha+T)/(alpha+T+t))^(r+x) 2F1(r+x, b+x; a+b+x-1; z)),
    z = t/(alpha+T+t), overflows for regulars, and has no value where a + b + x = 1. Euler's
    transformation makes it 2F1(a+b-1-r, a-1; a+b+x-1; z), whose terms shrink as x grows, and the
    contiguous relation C 2F1(A,B;C;z) = C 2F1(A,B;C+1;z) + A B z / (C+1) 2F1(A+1,B+1;C+2;z)
    removes the pole.

    Parameters
    ----------
    r, alpha, a, b : float > 0
        Parameters of the shop, before the customer's history.
    horizon, frequency, age : arrays, broadcast together

    Returns
    -------
    array of float >= 0
    """
    t, x, T = np.broadcast_arrays(horizon, frequency, age)
    if x.size > BLOCK_ROWS:
        # Two small whole numbers, orders and days, that thousands of customers share.
        (t_shared, x_shared, T_shared), position = distinct_rows(t.ravel(), x.ravel(), T.ravel())
        shared = _expected_orders_near(r, alpha, a, b, t_shared, x_shared, T_shared)
        return shared[position].reshape(x.shape)
    return _expected_orders_near(r, alpha, a, b, t, x, T)


def _expected_orders_near(
    r: float, alpha: float, a: float, b: float, t: Floats, x: Floats, T: Floats
) -> Floats:
    """Evaluate the expectation, at a = 1 as the limit of its neighbours."""
    # At a = 1 the expression is 0/0 with a smooth limit; its neighbours' mean is 1e-9 away.
    near = (a,) if abs(a - 1) > 1e-5 else (1 - 1e-5, 1 + 1e-5)
    values = [_expected_orders(r, alpha, value, b, t, x, T) for value in near]
    return np.maximum(np.mean(values, axis=0), 0.0)


def _expected_orders(
    r: float, alpha: float, a: float, b: float, t: Floats, x: Floats, T: Floats
) -> Floats:
    """Evaluate the expectation in the form that stays finite."""
    z = t / (alpha + T + t)
    A, B, C = a + b - 1 - r, a - 1, a + b + x - 1
    shrink = np.exp(B * np.log1p(-z))
    return C * (1 - shrink * hyp2f1(A, B, C + 1, z)) / B - shrink * A * z / (C + 1) * hyp2f1(
        A + 1, B + 1, C + 2, z
    )


def p_order(horizon: Floats, shape: Floats, scale: Floats) -> Floats:
    """Probability that an active customer orders within a horizon: 1 - (scale/(scale+t))^shape.

    Exact for any probability of leaving: a customer can leave only at an order, so one who is
    active stays so until the next order, whose waiting time is exponential with a gamma rate.
    """
    return -np.expm1(-shape * np.log1p(horizon / scale))


def count_distribution(
    count: Floats, horizon: Floats, shape: Floats, scale: Floats, a: float, b: ArrayLike
) -> Floats:
    """Probability that an active customer places exactly ``count`` orders within a horizon.

    Either ``count`` orders fall into the horizon and every toss was survived, or at least
    ``count`` would have and the last toss but none before it was lost:
    B(a, b+n)/B(a, b) NB(n) + B(a+1, b+n-1)/B(a, b) P(NB >= n), the second for n > 0 only.
    """
    share = horizon / (scale + horizon)
    n = np.maximum(count, 1)
    stays = np.exp(betaln(a, b + count) - betaln(a, b) + log_negative_binomial(count, shape, share))
    # P(at least n) of a negative binomial is an incomplete beta.
    leaves = np.exp(betaln(a + 1, b + n - 1) - betaln(a, b)) * betainc(n, shape, share)
    return stays + np.where(count > 0, leaves, 0.0)
