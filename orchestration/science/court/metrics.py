"""How far a forecast lies from what happened: errors, ranking, calibration, coverage.

What belongs here takes a forecast and its outcome, customer by customer, and gives one number. No
model, no origin and no judgement belongs here. A number that the data cannot give (a share of a
total of zero, a rank correlation with a constant) is NaN; what is not a number is refused.

Sources
-------
Spearman (1904); Gini (1912) as the area under the concentration curve; Brier (1950); Cox (1958),
"Two further applications of a model for binary regression", for slope and intercept; Hanley &
McNeil (1982) for the area under the ROC curve as a rank sum.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, xlogy
from scipy.stats import rankdata

from orchestration.science.errors import DataError
from orchestration.science.histories import refuse_where

Floats = NDArray[np.float64]

# average: customers whom the forecast cannot tell apart share what they bring, so that the number
# does not depend on the order of rows. as_given: they stay in the order of the rows.
Ties = Literal["average", "as_given"]

# A forecast of "never" that is wrong costs as much as one of one in a million; without a floor it
# would cost infinitely much and one customer would decide.
PROBABILITY_FLOOR = 1e-6
# The same for counts: nobody is forecast fewer than one order per 10,000 horizons.
COUNT_FLOOR = 1e-4
# And for amounts, in parts of the mean outcome: a customer who is forecast to cost money and then
# brings some must not decide alone.
AMOUNT_FLOOR = 0.1
MAX_STEPS = 100


class Calibration(NamedTuple):
    """A straight line from forecast to outcome; (1, 0) is perfect, NaN where none can be drawn."""

    slope: float
    intercept: float


def mean_absolute_error(forecast: ArrayLike, actual: ArrayLike) -> float:
    """Mean of the absolute differences.

    Parameters
    ----------
    forecast, actual : arrays of float, shape (n_customers,)
        In one unit: orders, or money.
    """
    f, a = _checked(forecast, actual)
    return float(np.abs(f - a).mean()) if f.size else np.nan


def root_mean_squared_error(forecast: ArrayLike, actual: ArrayLike) -> float:
    """Root of the mean of the squared differences, in the unit of both."""
    f, a = _checked(forecast, actual)
    return float(np.sqrt(((f - a) ** 2).mean())) if f.size else np.nan


def total_bias(forecast: ArrayLike, actual: ArrayLike) -> float:
    """Sum of the forecasts over the sum of what happened, less 1; NaN if that sum is not above 0.

    Examples
    --------
    >>> total_bias([1.0, 2.0], [2, 2])
    -0.25
    """
    f, a = _checked(forecast, actual)
    return float(f.sum() / a.sum() - 1) if a.sum() > 0 else np.nan


def squared_errors(forecast: ArrayLike, actual: ArrayLike) -> Floats:
    """Squared difference of each customer, shape (n_customers,)."""
    f, a = _checked(forecast, actual)
    return (f - a) ** 2


def poisson_deviances(forecast: ArrayLike, actual: ArrayLike) -> Floats:
    """Poisson deviance of each customer's count: 2 (a ln(a / f) - a + f), shape (n_customers,).

    The loss of a mean of counts that weighs an order missed among rare buyers as heavily as it
    deserves, where the squared error looks at frequent buyers only. Forecasts count as at least
    `COUNT_FLOOR`.
    """
    f, a = _checked(forecast, actual)
    refuse_where(a < 0, "a count must not be negative", actual=a)
    f = np.maximum(f, COUNT_FLOOR)
    return 2 * (xlogy(a, a / f) - a + f)


def tweedie_deviances(forecast: ArrayLike, actual: ArrayLike) -> Floats:
    """Tweedie deviance of power 1.5 of each customer's amount, shape (n_customers,).

    The loss of the mean of a number of orders times their value (a compound of Poisson counts and
    gamma amounts, Jorgensen 1987): 4 (a / sqrt(f) + sqrt(f) - 2 sqrt(max(a, 0))). It is smallest
    at the mean, whatever the sign of an amount, and spreads its weight: of a squared error the two
    or three largest customers of a shop are most. Forecasts count as at least `AMOUNT_FLOOR` of
    the mean outcome. NaN for all where that is not above 0.
    """
    f, a = _checked(forecast, actual)
    if not a.sum() > 0:
        return np.full(a.size, np.nan)
    root = np.sqrt(np.maximum(f, AMOUNT_FLOOR * a.mean()))
    return 4 * (a / root + root - 2 * np.sqrt(np.maximum(a, 0)))


def log_losses(p: ArrayLike, happened: ArrayLike) -> Floats:
    """Minus the log of the probability given to what happened, shape (n_customers,).

    Probabilities count as at least `PROBABILITY_FLOOR` away from 0 and 1.
    """
    p_event, event = _checked_chances(p, happened)
    bounded = np.clip(p_event, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
    return -np.where(event, np.log(bounded), np.log1p(-bounded))


def log_loss(p: ArrayLike, happened: ArrayLike) -> float:
    """Mean of `log_losses`."""
    return _mean(log_losses(p, happened))


def brier_score(p: ArrayLike, happened: ArrayLike) -> float:
    """Mean squared difference of probability and event (0 or 1)."""
    p_event, event = _checked_chances(p, happened)
    return _mean((p_event - event) ** 2)


def brier_skill(p: ArrayLike, happened: ArrayLike) -> float:
    """Part of the base rate's Brier score that the forecast saves; 0 is no better than the rate.

    The base rate is that of the outcome itself, so it is harder to beat than any rate known before.
    """
    p_event, event = _checked_chances(p, happened)
    rate = _mean(event.astype(float))
    spread = rate * (1 - rate)
    return float(1 - brier_score(p_event, event) / spread) if spread > 0 else np.nan


def expected_calibration_error(p: ArrayLike, happened: ArrayLike, n_bins: int = 10) -> float:
    """Mean distance of forecast and frequency over bins of equal width, weighted by customers.

    Examples
    --------
    >>> expected_calibration_error([0.1, 0.1, 0.9, 0.9], [False, False, True, False])
    0.25
    """
    p_event, event = _checked_chances(p, happened)
    if not p_event.size:
        return np.nan
    which = np.minimum((p_event * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(which, p_event - event, minlength=n_bins)
    return float(np.abs(gaps).sum() / p_event.size)


def area_under_curve(score: ArrayLike, happened: ArrayLike) -> float:
    """Chance that a customer of the event has the higher score; ties count half (the ROC's area)."""
    s, event = _checked(score, np.asarray(happened, dtype=float))
    n_events = event.sum()
    n_others = event.size - n_events
    if n_events == 0 or n_others == 0:
        return np.nan
    ranks = rankdata(s)
    return float((ranks[event > 0].sum() - n_events * (n_events + 1) / 2) / (n_events * n_others))


def spearman(forecast: ArrayLike, actual: ArrayLike) -> float:
    """Correlation of ranks, ties at their mean rank; NaN if either is constant."""
    f, a = _checked(forecast, actual)
    if f.size < 2 or np.ptp(f) == 0 or np.ptp(a) == 0:
        return np.nan
    return float(np.corrcoef(rankdata(f), rankdata(a))[0, 1])


def normalised_gini(forecast: ArrayLike, actual: ArrayLike, ties: Ties = "average") -> float:
    """Area between the captured share and the diagonal, over that of a perfect order.

    1 is a perfect order, 0 one that says nothing. NaN if the actual sum is not above 0 or all
    actual values are equal.
    """
    f, a = _checked(forecast, actual)
    if not a.sum() > 0 or np.ptp(a) == 0:
        return np.nan
    return _area_above_diagonal(f, a, ties) / _area_above_diagonal(a, a, ties)


def top_capture(
    forecast: ArrayLike, actual: ArrayLike, share: float = 0.1, ties: Ties = "average"
) -> float:
    """Share of the actual sum that the customers of highest forecast bring.

    Parameters
    ----------
    forecast, actual : arrays of float, shape (n_customers,)
    share : float in (0, 1]
        Of the customers; rounded down to whole ones, but at least one.
    ties : {"average", "as_given"}
        How customers at the edge with one and the same forecast are taken.

    Examples
    --------
    >>> top_capture([3, 2, 2, 1], [5, 4, 0, 1], share=0.5)
    0.7
    """
    f, a = _checked(forecast, actual)
    if not a.sum() > 0:
        return np.nan
    n_taken = _number_taken(share, f.size)
    if ties == "as_given":
        return float(a[np.argsort(-f, kind="stable")[:n_taken]].sum() / a.sum())
    sums, counts = _by_descending(f, a)
    before = np.cumsum(counts) - counts
    taken = np.clip(n_taken - before, 0, counts) / counts
    return float((taken * sums).sum() / a.sum())


def lift(p: ArrayLike, happened: ArrayLike, share: float = 0.1) -> float:
    """Rate of the event among the customers of highest score, over the rate among all."""
    s, event = _checked(p, np.asarray(happened, dtype=float))
    if not s.size:
        return np.nan
    return top_capture(s, event, share) * s.size / _number_taken(share, s.size)


def probability_calibration(p: ArrayLike, happened: ArrayLike) -> Calibration:
    """Slope and intercept of a logistic regression of the event on the log odds of its forecast.

    Cox (1958). A slope below 1 means that the forecast is too sure of itself, above 1 that it is
    too timid; the intercept is the log odds that are missing at even odds. NaN where the event
    happened to all or to none, where all forecasts are equal, or where they part the two perfectly.
    """
    p_event, event = _checked_chances(p, happened)
    log_odds = logit(np.clip(p_event, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR))
    if not event.size or event.all() or not event.any() or np.ptp(log_odds) == 0:
        return Calibration(np.nan, np.nan)
    return _regression(log_odds, event.astype(float), "logistic")


def count_calibration(forecast: ArrayLike, actual: ArrayLike) -> Calibration:
    """Slope and intercept of a Poisson regression of counts on the log of their forecast.

    The same question as `probability_calibration`, for counts: below 1, customers of high forecast
    bring less than it says and those of low forecast more. Forecasts count as at least
    `COUNT_FLOOR`. NaN where nothing happened or all forecasts are equal.
    """
    f, a = _checked(forecast, actual)
    refuse_where(a < 0, "a count must not be negative", actual=a)
    logs = np.log(np.maximum(f, COUNT_FLOOR))
    if not a.sum() > 0 or np.ptp(logs) == 0:
        return Calibration(np.nan, np.nan)
    return _regression(logs, a, "poisson")


def amount_calibration(forecast: ArrayLike, actual: ArrayLike) -> Calibration:
    """Slope and intercept of amounts on the log of their forecast, by the Poisson equations.

    They need no Poisson counts, only that the mean has this form (Gourieroux, Monfort & Trognon
    1984), and are moved less by the largest customer than a least-squares line. Forecasts count as
    at least `AMOUNT_FLOOR` of the mean outcome. NaN where the sum is not above 0 or all forecasts
    are equal.
    """
    f, a = _checked(forecast, actual)
    if not a.sum() > 0:
        return Calibration(np.nan, np.nan)
    mean = float(a.mean())
    logs = np.log(np.maximum(f / mean, AMOUNT_FLOOR))
    if np.ptp(logs) == 0:
        return Calibration(np.nan, np.nan)
    slope, intercept = _regression(logs, a / mean, "poisson")
    return Calibration(slope, intercept + (1 - slope) * float(np.log(mean)))


def coverage(low: ArrayLike, high: ArrayLike, actual: ArrayLike) -> float:
    """Share of customers whose outcome lies within the bounds, both included."""
    lowest, a = _checked(low, actual)
    highest, _ = _checked(high, actual)
    refuse_where(lowest > highest, "low must not exceed high", low=lowest, high=highest)
    return _mean(((a >= lowest) & (a <= highest)).astype(float))


def _number_taken(share: float, n_customers: int) -> int:
    # The small step keeps 0.29 of 100 at 29, which floats put just below.
    return max(int(share * n_customers + 1e-9), 1)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else np.nan


def _checked(forecast: ArrayLike, actual: ArrayLike) -> tuple[Floats, Floats]:
    f, a = np.asarray(forecast, dtype=float), np.asarray(actual, dtype=float)
    if f.shape != a.shape or f.ndim != 1:
        raise DataError(f"forecast has shape {f.shape} but actual has {a.shape}; one row each")
    refuse_where(
        ~(np.isfinite(f) & np.isfinite(a)), "must be finite to be judged", forecast=f, actual=a
    )
    return f, a


def _checked_chances(p: ArrayLike, happened: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    chance, event = _checked(p, np.asarray(happened, dtype=float))
    refuse_where((chance < 0) | (chance > 1), "a probability must be in [0, 1]", p=chance)
    refuse_where((event != 0) & (event != 1), "an event happened or not: 1 or 0", happened=event)
    return chance, event.astype(bool)


def _by_descending(forecast: Floats, actual: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Sum of the actual values, and customers, at each distinct forecast, highest first."""
    _, position, counts = np.unique(-forecast, return_inverse=True, return_counts=True)
    return np.bincount(position, actual, minlength=counts.size), counts


def _area_above_diagonal(forecast: Floats, actual: Floats, ties: Ties) -> float:
    """Sum over customers of the share captured so far, less that of a random order."""
    if ties == "as_given":
        captured = np.cumsum(actual[np.argsort(-forecast, kind="stable")]).sum()
    else:
        sums, counts = _by_descending(forecast, actual)
        after = np.cumsum(sums)
        # Within a tie each next customer brings the same: sums of an arithmetic series.
        captured = (counts * (after - sums) + sums * (counts + 1) / 2).sum()
    return float(captured / actual.sum() - (actual.size + 1) / 2)


def _regression(x: Floats, y: Floats, kind: Literal["logistic", "poisson"]) -> Calibration:
    """Maximum likelihood of two parameters by Newton's method with halved steps."""
    centre, spread = x.mean(), x.std()
    z = (x - centre) / spread
    rate = y.mean()
    level = float(logit(rate)) if kind == "logistic" else float(np.log(rate))

    def likelihood(beta: Floats) -> float:
        eta = beta[0] + beta[1] * z
        part = np.logaddexp(0, eta) if kind == "logistic" else np.exp(np.minimum(eta, 700))
        return float(y @ eta - part.sum())

    beta = np.array([level, 0.0])
    best = likelihood(beta)
    for _ in range(MAX_STEPS):
        eta = beta[0] + beta[1] * z
        mean = expit(eta) if kind == "logistic" else np.exp(np.minimum(eta, 700))
        weight = mean * (1 - mean) if kind == "logistic" else mean
        score = np.array([(y - mean).sum(), (y - mean) @ z])
        information = np.array([[weight.sum(), weight @ z], [weight @ z, weight @ (z * z)]])
        determinant = float(np.linalg.det(information))
        if not determinant > 1e-12 * information[0, 0] ** 2:
            return Calibration(np.nan, np.nan)
        step = np.linalg.solve(information, score)
        found = likelihood(beta + step)
        while found < best and np.abs(step).max() > 1e-12:
            step = step / 2
            found = likelihood(beta + step)
        beta, gained, best = beta + step, found - best, max(found, best)
        if np.abs(step).max() < 1e-9 or 0 <= gained < 1e-12 * abs(best):
            slope = float(beta[1] / spread)
            return Calibration(slope, float(beta[0] - slope * centre))
    return Calibration(np.nan, np.nan)
