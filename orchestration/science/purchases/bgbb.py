"""BG/BB: orders that can fall on set occasions only, such as one per year, box or campaign.

The model (Fader, Hardie & Shang 2010):

1. While active, a customer orders at each opportunity with probability p.
2. At the beginning of each opportunity the customer leaves for good with probability theta.
3. p differs between customers as a Beta(alpha, beta), mean alpha / (alpha + beta).
4. theta differs between customers as a Beta(gamma, delta), mean gamma / (gamma + delta).
5. p and theta are independent.

Time is a number of opportunities since the first order, which is not counted. With x orders at n
opportunities, the last at t_x, the equations (numbers of the paper) are

(6) L = B(alpha+x, beta+n-x) B(gamma, delta+n) / [B(alpha, beta) B(gamma, delta)]
    + sum over i < n-t_x of B(alpha+x, beta+t_x-x+i) B(gamma+1, delta+t_x+i) / [the same]
(11) p_alive = B(alpha+x, beta+n-x) B(gamma, delta+n+1) / [the same] / L
(13) E[orders at the h opportunities after n] = (alpha+x) / (alpha+beta+n) times the sum over them
    of the chance to be active at each; the paper gives the closed form of the sum.

(13) is summed as it stands here: its closed form divides by gamma - 1. The chance of no order at
all in the next h opportunities is L with n + h in place of n, divided by L.

What belongs here is this model only. It is not among `models.MODELS`, whose time runs without
steps; a shop that sells on every day of the year is theirs.

Source: Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual
Setting, Marketing Science 29(6), 1086-1108.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, logsumexp

from orchestration.science.histories import (
    Groups,
    checked_histories,
    group_customers,
    refuse_where,
)
from orchestration.science.likelihood import Objective
from orchestration.science.purchases.fits import Histories, PurchaseFit, checked_count, fit_groups

Floats = NDArray[np.float64]

MODEL_NAME = "bgbb"
PARAMETERS = ("alpha", "beta", "gamma", "delta")
BOUNDS = ((1e-4, 1e4),) * 4
STARTS = ((1.0, 1.0, 1.0, 1.0), (1.0, 0.5, 0.5, 3.0), (0.5, 2.0, 2.0, 10.0), (3.0, 3.0, 0.3, 1.0))


@dataclass(frozen=True)
class BgBbFit(PurchaseFit):
    """Fitted parameters, pure numbers all; ``time_unit`` names what an opportunity is."""

    label = "BG/BB"
    parameters = PARAMETERS
    times = ()

    alpha: float
    beta: float
    gamma: float
    delta: float


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    opportunities: ArrayLike,
    weight: ArrayLike | None = None,
    time_unit: str = "opportunity",
) -> BgBbFit:
    """Fit the model by maximum likelihood (equation 6).

    Parameters
    ----------
    frequency : array of int, shape (n,)
        Opportunities taken, at most one order at each.
    recency : array of int, shape (n,)
        Number of the last one taken; 0 for who took none.
    opportunities : array of int, shape (n,)
        Opportunities since the first order.
    weight : array of float, shape (n,), optional
        Customers that each row stands for; 1 if absent.
    time_unit : str
        Name of what an opportunity is. It is carried, not converted.

    Returns
    -------
    BgBbFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``.

    Raises
    ------
    DataError
        If the histories are impossible.
    """
    x, t_x, n = _checked(frequency, recency, opportunities)
    return fit_groups(
        BgBbFit,
        log_likelihood,
        lambda _: STARTS,
        BOUNDS,
        group_customers(x, t_x, n, weight),
        time_unit,
        unit=1.0,
    )


def log_likelihood(groups: Groups) -> Objective:
    """Prepare the log-likelihood (equation 6 in logs) of some groups as a function.

    Returns
    -------
    function
        Takes the logarithms of (alpha, beta, gamma, delta); returns the log-likelihood summed over
        customers and its gradient with respect to those logarithms, shape (4,).
    """
    x, count = groups.frequency[:, None], groups.count
    fates = _fates(groups.frequency, groups.recency, groups.age)

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        alpha, beta, gamma, delta = np.exp(log_parameters)
        terms = _log_terms(alpha, beta, gamma, delta, x, fates)
        log_l = logsumexp(terms, axis=1)
        weight = np.exp(terms - log_l[:, None])
        a, b = alpha + x, beta + fates.missed
        c, d = gamma + fates.left, delta + fates.stayed
        both, either = digamma(a + b), digamma(c + d)

        def slope(by_term: Floats, at_none: float) -> float:
            return float(count @ ((weight * by_term).sum(axis=1) - at_none))

        gradient = (
            slope(digamma(a) - both, digamma(alpha) - digamma(alpha + beta)),
            slope(digamma(b) - both, digamma(beta) - digamma(alpha + beta)),
            slope(digamma(c) - either, digamma(gamma) - digamma(gamma + delta)),
            slope(digamma(d) - either, digamma(delta) - digamma(gamma + delta)),
        )
        return float(count @ log_l), np.array(gradient) * (alpha, beta, gamma, delta)

    return value_and_gradient


def p_alive(
    fit: BgBbFit, frequency: ArrayLike, recency: ArrayLike, opportunities: ArrayLike
) -> Floats:
    """Probability that a customer is active at the opportunity to come, n + 1 (equation 11).

    Parameters
    ----------
    frequency, recency, opportunities : arrays, broadcast together
        As in `fit`.

    Returns
    -------
    array of float in [0, 1], of the broadcast shape
    """
    fit.refuse_unless_converged()
    return _p_active(fit, 1, *_checked(frequency, recency, opportunities))


def p_at_least_one(
    fit: BgBbFit,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    opportunities: ArrayLike,
) -> Floats:
    """Probability of at least one order at the next ``horizon`` opportunities.

    Parameters
    ----------
    horizon : array of int >= 0, broadcast with the histories
    frequency, recency, opportunities : arrays
        As in `fit`.

    Returns
    -------
    array of float in [0, 1]
    """
    fit.refuse_unless_converged()
    x, t_x, n = _checked(frequency, recency, opportunities)
    x, t_x, n, h = np.broadcast_arrays(x, t_x, n, checked_count(horizon))
    return -np.expm1(_log_l(fit, x, t_x, n + h) - _log_l(fit, x, t_x, n))


def expected_purchases(
    fit: BgBbFit,
    horizon: ArrayLike,
    frequency: ArrayLike,
    recency: ArrayLike,
    opportunities: ArrayLike,
) -> Floats:
    """Expected number of orders at the next ``horizon`` opportunities (equation 13).

    Parameters
    ----------
    horizon, frequency, recency, opportunities
        As in `p_at_least_one`.

    Returns
    -------
    array of float >= 0

    Examples
    --------
    >>> donors = BgBbFit.given(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783, time_unit="year")
    >>> expected_purchases(donors, 10, [0, 4], [0, 5], 6).round(2).tolist()
    [0.13, 3.63]
    """
    fit.refuse_unless_converged()
    x, t_x, n = _checked(frequency, recency, opportunities)
    x, t_x, n, h = np.broadcast_arrays(x, t_x, n, checked_count(horizon))
    chances = np.zeros(x.shape)
    for ahead in range(1, int(h.max(initial=0)) + 1):
        chances += np.where(ahead <= h, _p_active(fit, ahead, x, t_x, n), 0.0)
    return (fit.alpha + x) / (fit.alpha + fit.beta + n) * chances


def simulate(
    fit: BgBbFit, opportunities: ArrayLike, random_state: int, later: int = 0
) -> Histories:
    """Draw customers from the model, opportunity by opportunity, from its five assumptions alone.

    Parameters
    ----------
    fit : BgBbFit
        The truth to draw from.
    opportunities : array of int, shape (n_customers,)
        At how many each customer is observed.
    random_state : int
        The only source of randomness.
    later : int
        Further opportunities, at which orders are counted apart.

    Returns
    -------
    Histories
    """
    random = np.random.default_rng(random_state)
    n = np.asarray(opportunities, dtype=np.int64)
    p, theta = random.beta(fit.alpha, fit.beta, n.size), random.beta(fit.gamma, fit.delta, n.size)
    frequency, later_frequency = np.zeros(n.size, np.int64), np.zeros(n.size, np.int64)
    recency, log_gap_sum = np.zeros(n.size), 0.0
    active = np.ones(n.size, dtype=bool)
    for now in range(1, int(n.max(initial=0)) + later + 1):
        active &= random.random(n.size) >= theta
        orders = active & (random.random(n.size) < p)
        seen = orders & (now <= n)
        log_gap_sum += float(np.log(now - recency[seen]).sum())
        frequency[seen] += 1
        recency[seen] = now
        later_frequency[orders & (now > n) & (now <= n + later)] += 1
    return Histories(frequency, recency, later_frequency, log_gap_sum)


@dataclass(frozen=True)
class _Fates:
    """What can have become of customers, one column each: active to the end, or gone after i more.

    Arrays have shape (n_rows, 1 + longest silence): opportunities missed and stayed through while
    active, and 1 where the customer left. Where ``possible`` is False the row has no such fate.
    """

    missed: Floats
    stayed: Floats
    left: Floats
    possible: NDArray[np.bool_]


def _fates(x: Floats, t_x: Floats, n: Floats) -> _Fates:
    silence = (n - t_x)[:, None]
    after = np.arange(silence.max(initial=0))[None, :]
    end, last, x = n[:, None], t_x[:, None], x[:, None]
    # Beyond the end nothing is added up; the numbers there only have to be harmless.
    after = np.minimum(after, np.maximum(silence - 1, 0))
    stayed = np.hstack([end, last + after])
    gone = np.ones_like(stayed)
    gone[:, 0] = 0
    possible = np.ones(stayed.shape, dtype=bool)
    possible[:, 1:] = np.arange(stayed.shape[1] - 1) < silence
    return _Fates(stayed - x, stayed, gone, possible)


def _log_terms(
    alpha: float, beta: float, gamma: float, delta: float, x: Floats, fates: _Fates
) -> Floats:
    """Logarithms of the terms of (6), shape of the fates."""
    terms = (
        betaln(alpha + x, beta + fates.missed)
        - betaln(alpha, beta)
        + betaln(gamma + fates.left, delta + fates.stayed)
        - betaln(gamma, delta)
    )
    return np.where(fates.possible, terms, -np.inf)


def _log_l(fit: BgBbFit, x: Floats, t_x: Floats, n: Floats) -> Floats:
    """Logarithm of (6) for arrays of one shape."""
    flat = [column.ravel() for column in (x, t_x, n)]
    values = (fit.alpha, fit.beta, fit.gamma, fit.delta)
    terms = _log_terms(*values, flat[0][:, None], _fates(*flat))
    return logsumexp(terms, axis=1).reshape(x.shape)


def _p_active(fit: BgBbFit, ahead: int, x: Floats, t_x: Floats, n: Floats) -> Floats:
    """Probability of being active at the opportunity n + ``ahead``: (11) with that in place of 1."""
    active = (
        betaln(fit.alpha + x, fit.beta + n - x)
        - betaln(fit.alpha, fit.beta)
        + betaln(fit.gamma, fit.delta + n + ahead)
        - betaln(fit.gamma, fit.delta)
    )
    return np.exp(active - _log_l(fit, x, t_x, n))


def _checked(
    frequency: ArrayLike, recency: ArrayLike, opportunities: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Refuse histories that set occasions cannot make."""
    x, t_x, n = checked_histories(frequency, recency, opportunities)
    row = {"frequency": x, "recency": t_x, "opportunities": n}
    for name in ("recency", "opportunities"):
        whole = row[name] == np.floor(row[name])
        refuse_where(~whole, f"{name} must be a whole number of opportunities", **row)
    refuse_where(x > t_x, "frequency must not exceed recency: one order per opportunity", **row)
    return x, t_x, n
