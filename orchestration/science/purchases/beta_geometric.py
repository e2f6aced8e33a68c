"""What an active customer still orders, where leaving is a coin tossed after each order.

What belongs here is the future of a customer who is known to be active, which the BG/NBD and the
MBG/NBD share: they differ only in how many tosses the customer has survived so far, that is, in
the ``b`` that they pass. The rate of orders is distributed as Gamma(shape, scale), the probability
of leaving after an order as Beta(a, b), independently.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, hyp2f1

from orchestration.science.purchases.fits import log_negative_binomial

Floats = NDArray[np.float64]


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
    # At a = 1 the expression is 0/0 with a smooth limit; its neighbours' mean is 1e-9 away.
    near = (a,) if abs(a - 1) > 1e-5 else (1 - 1e-5, 1 + 1e-5)
    values = [_expected_orders(r, alpha, value, b, horizon, frequency, age) for value in near]
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
