"""BG/NBD: how many more orders a customer will place, when nobody announces that they leave.

The model (Fader, Hardie & Lee 2005):

1. While active, a customer orders at random at rate lambda.
2. Rates differ between customers as a Gamma(r, alpha), mean r / alpha orders per unit of time.
3. After each repeat order the customer leaves for good with probability p.
4. That probability differs between customers as a Beta(a, b).
5. Rate and probability are independent.

A customer can therefore leave only at an order. Someone who never came back has had no occasion
to leave, and their `p_alive` is 1: it is not a churn score. `p_at_least_one` is.

What belongs here is this model only: fit, predictions and its simulator. Time is in one
unit throughout (`time_unit` names it); the first order is at 0 and is not counted in `frequency`.

Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24(2), 275-284. Equation numbers are that paper's.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, digamma, expit, gammaln, hyp2f1

from orchestration.science.errors import DataError, NotConverged
from orchestration.science.histories import (
    Groups,
    checked_histories,
    group_customers,
    refuse_where,
)
from orchestration.science.likelihood import Level, Objective, maximise

Floats = NDArray[np.float64]

MODEL_NAME = "bgnbd"
PARAMETERS = ("r", "alpha", "a", "b")
# Four parameters cannot be told apart by fewer; the rest of the verdict judges what is above.
MINIMUM_CUSTOMERS = 30
MINIMUM_REPEATERS = 10
# Above this many groups of repeat buyers, the starts compete on every k-th group.
COARSE_GROUPS = 20_000
# Natural scale, with time in units of the mean age; wide enough that no real shop meets them.
BOUNDS = ((1e-4, 1e3), (1e-6, 1e5), (1e-4, 1e3), (1e-4, 1e4))
# r, a and b of each start; alpha follows from the mean rate.
STARTS = ((1.0, 1.0, 1.0), (0.3, 0.5, 2.0), (2.0, 1.0, 6.0), (0.5, 0.1, 1.0))


@dataclass(frozen=True)
class BgNbdFit:
    """Fitted parameters and the verdict on them.

    ``alpha`` is in ``time_unit``; ``r``, ``a`` and ``b`` are pure numbers. A fit whose ``level``
    is neither ``converged`` nor ``given`` is refused by every prediction.
    """

    r: float
    alpha: float
    a: float
    b: float
    time_unit: str
    level: Level
    verdict: str
    log_likelihood: float = np.nan
    n_customers: int = 0
    n_groups: int = 0
    standard_errors: dict[str, float] = field(default_factory=dict)

    @classmethod
    def given(cls, r: float, alpha: float, a: float, b: float, time_unit: str) -> "BgNbdFit":
        """Parameters from a publication or a simulation's truth, not from a fit."""
        for name, value in zip(PARAMETERS, (r, alpha, a, b), strict=True):
            if not (np.isfinite(value) and value > 0):
                raise DataError(f"{name} must be positive and finite; found {value}")
        return cls(r, alpha, a, b, time_unit, "given", "given: taken from elsewhere, not fitted")

    @property
    def converged(self) -> bool:
        """Whether predictions may be made from these parameters."""
        return self.level in ("converged", "given")


class Histories(NamedTuple):
    """Simulated customers; every array has shape (n_customers,)."""

    frequency: NDArray[np.int64]
    recency: Floats
    later_frequency: NDArray[np.int64]


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
        As in `histories.group_customers`: one row per customer, or one per distinct history with its weight.
    time_unit : str
        Name of the unit of ``recency`` and ``age``. It is carried, not converted.

    Returns
    -------
    BgNbdFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``. Its
        log-likelihood has no x! term, as the data are times of orders and not only counts.

    Raises
    ------
    DataError
        If the histories are impossible.
    """
    groups = group_customers(frequency, recency, age, weight)
    n_customers, n_groups = round(groups.count.sum()), groups.count.size
    n_repeaters = round(groups.count[groups.frequency > 0].sum())
    if n_customers < MINIMUM_CUSTOMERS or n_repeaters < MINIMUM_REPEATERS:
        return BgNbdFit(
            np.nan, np.nan, np.nan, np.nan, time_unit, "too_little_data",
            f"too little data: {n_customers} customers of whom {n_repeaters} ordered again; "
            f"needed are {MINIMUM_CUSTOMERS} and {MINIMUM_REPEATERS}",
            n_customers=n_customers, n_groups=n_groups,
        )

    # With the mean age as the unit of time, one set of starts and bounds serves days and weeks.
    unit = float(np.average(groups.age, weights=groups.count))
    scaled = groups._replace(recency=groups.recency / unit, age=groups.age / unit)
    rate = float(groups.count @ groups.frequency) / n_customers
    starts = [(r, r / rate, a, b) for r, a, b in STARTS]
    thinned = _thin(scaled)
    found = maximise(
        log_likelihood(scaled), PARAMETERS, starts, BOUNDS,
        coarse=None if thinned is None else log_likelihood(thinned),
    )
    in_unit = np.array([1.0, unit, 1.0, 1.0])
    r, alpha, a, b = (found.parameters * in_unit).tolist()
    errors = dict(zip(PARAMETERS, (found.standard_errors * in_unit).tolist(), strict=True))
    # A density per order and unit of time: each of the x orders brings one factor of the unit.
    change_of_unit = -float(groups.count @ groups.frequency) * np.log(unit)
    return BgNbdFit(
        r, alpha, a, b, time_unit, found.level, found.verdict,
        float(found.log_likelihood + change_of_unit), n_customers, n_groups, errors,
    )


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
    n = groups.count
    # Gamma functions depend on the frequency alone: a few dozen values, not a million.
    x, where = np.unique(groups.frequency, return_inverse=True)
    n_x = np.bincount(where, weights=n)
    once, again = groups.frequency == 0, groups.frequency > 0
    n_0, T_0 = n[once], groups.age[once]
    n_1, x_1 = n[again], groups.frequency[again]
    t_1, T_1 = groups.recency[again], groups.age[again]

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(log_parameters)
        k = r + x_1
        log_end, log_last, log_once = np.log(alpha + T_1), np.log(alpha + t_1), np.log(alpha + T_0)
        # The two terms of (6): still active at T, or gone right after the last order at t_x.
        active = -k * log_end
        gone = np.log(a) - np.log(b + x_1 - 1) - k * log_last
        either = np.logaddexp(active, gone)
        w_gone = np.exp(gone - either)
        w_active = 1 - w_gone

        value = (
            n_x @ (gammaln(r + x) - gammaln(r) + betaln(a, b + x) - betaln(a, b))
            + n.sum() * r * np.log(alpha)
            - r * (n_0 @ log_once)
            + n_1 @ either
        )
        spread = n_x @ (digamma(a + b) - digamma(a + b + x))
        gone_count = n_1 @ w_gone
        d_r = (
            n_x @ (digamma(r + x) - digamma(r))
            + n.sum() * np.log(alpha)
            - n_0 @ log_once
            - n_1 @ (w_active * log_end + w_gone * log_last)
        )
        d_alpha = (
            n.sum() * r / alpha
            - r * (n_0 @ (1 / (alpha + T_0)))
            - n_1 @ (k * (w_active / (alpha + T_1) + w_gone / (alpha + t_1)))
        )
        d_a = spread + gone_count / a
        d_b = spread + n_x @ (digamma(b + x) - digamma(b)) - n_1 @ (w_gone / (b + x_1 - 1))
        return float(value), np.array([d_r * r, d_alpha * alpha, d_a * a, d_b * b])

    return value_and_gradient


def p_alive(
    fit: BgNbdFit, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> Floats:
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
    _refuse_unconverged(fit)
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

    p_alive * (1 - ((alpha+T)/(alpha+T+t))^(r+x)). This is exact and no approximation: a customer
    can leave only at an order, so one who is active at T stays so until the next order, whose
    waiting time is exponential with a rate distributed as Gamma(r + x, alpha + T).

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
    t = _horizon(horizon)
    return p_alive(fit, x, recency, T) * -np.expm1(-(fit.r + x) * np.log1p(t / (fit.alpha + T)))


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

    The printed form 2F1(r+x, b+x; a+b+x-1; t/(alpha+T+t)) overflows for regulars, and has no
    value where a + b + x = 1. Euler's transformation makes it 2F1(a+b-1-r, a-1; a+b+x-1; .),
    whose terms shrink as x grows, and the contiguous relation
    C 2F1(A,B;C;z) = C 2F1(A,B;C+1;z) + A B z / (C+1) 2F1(A+1,B+1;C+2;z) removes the pole.

    Parameters
    ----------
    horizon, frequency, age : array, broadcast together

    Returns
    -------
    array of float >= 0
    """
    _refuse_unconverged(fit)
    x, T = np.broadcast_arrays(np.asarray(frequency, dtype=float), np.asarray(age, dtype=float))
    t = _horizon(horizon)
    # At a = 1 the expression is 0/0 with a smooth limit; its neighbours' mean is 1e-9 away.
    near = (fit.a,) if abs(fit.a - 1) > 1e-5 else (1 - 1e-5, 1 + 1e-5)
    values = [_if_alive(fit.r, fit.alpha, a, fit.b, t, x, T) for a in near]
    return np.maximum(np.mean(values, axis=0), 0.0)


def _if_alive(
    r: float, alpha: float, a: float, b: float, t: Floats, x: Floats, T: Floats
) -> Floats:
    """Evaluate the first factor of equation (10) in the form that stays finite."""
    z = t / (alpha + T + t)
    A, B, C = a + b - 1 - r, a - 1, a + b + x - 1
    shrink = np.exp(B * np.log1p(-z))
    return (
        C * (1 - shrink * hyp2f1(A, B, C + 1, z)) / B
        - shrink * A * z / (C + 1) * hyp2f1(A + 1, B + 1, C + 2, z)
    )


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
    _refuse_unconverged(fit)
    x, T = np.broadcast_arrays(np.asarray(count, dtype=float), np.asarray(age, dtype=float))
    share = T / (fit.alpha + T)
    at_least_one = np.maximum(x, 1)
    log_none = np.log1p(-share) * fit.r
    log_orders = np.where(x > 0, x * np.log(np.where(share > 0, share, 1)), 0.0)
    log_orders = np.where((x > 0) & (share == 0), -np.inf, log_orders)
    still_active = np.exp(
        betaln(fit.a, fit.b + x) - betaln(fit.a, fit.b)
        + gammaln(fit.r + x) - gammaln(fit.r) - gammaln(x + 1) + log_none + log_orders
    )
    # The bracket of (8) is P(at least x orders) of a negative binomial: an incomplete beta.
    left_at_x = np.exp(
        betaln(fit.a + 1, fit.b + at_least_one - 1) - betaln(fit.a, fit.b)
    ) * betainc(at_least_one, fit.r, share)
    return still_active + np.where(x > 0, left_at_x, 0.0)


def simulate(
    fit: BgNbdFit, age: ArrayLike, random_state: int, later: float = 0.0
) -> Histories:
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
    frequency = np.zeros(T.size, dtype=np.int64)
    later_frequency = np.zeros(T.size, dtype=np.int64)
    recency, now = np.zeros(T.size), np.zeros(T.size)
    active = np.flatnonzero(rate > 0)
    while active.size:
        now[active] += random.exponential(1 / rate[active])
        active = active[now[active] <= T[active] + later]
        seen = active[now[active] <= T[active]]
        frequency[seen] += 1
        recency[seen] = now[seen]
        later_frequency[active[now[active] > T[active]]] += 1
        active = active[random.random(active.size) >= p_leave[active]]
    return Histories(frequency, recency, later_frequency)


def _thin(groups: Groups) -> Groups | None:
    """Every k-th group of repeat buyers at k times its count; None where there are few."""
    once = np.flatnonzero(groups.frequency == 0)
    again = np.flatnonzero(groups.frequency > 0)
    step = again.size // COARSE_GROUPS
    if step < 2:
        return None
    # Groups are sorted by frequency, so that every k-th is a sample stratified by it.
    kept = np.concatenate([once, again[::step]])
    factor = np.where(groups.frequency[kept] > 0, again.size / again[::step].size, 1.0)
    x, t_x, T, n = (column[kept] for column in groups)
    return Groups(x, t_x, T, n * factor)


def _horizon(horizon: ArrayLike) -> Floats:
    t = np.asarray(horizon, dtype=float)
    refuse_where(~(np.isfinite(t) & (t >= 0)), "horizon must be finite and >= 0", horizon=t)
    return t


def _refuse_unconverged(fit: BgNbdFit) -> None:
    if not fit.converged:
        raise NotConverged(f"BG/NBD: {fit.verdict}")
