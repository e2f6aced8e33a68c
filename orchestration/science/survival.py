"""Kaplan-Meier survival of memberships, by tenure in days, and the log-rank test between groups.

What belongs here is the curve, its band, what is read from it, and whether two groups could share
one. A membership still running when
last seen is censored at its tenure so far: it counts as at risk up to and on that day, and as
nothing afterwards.

Source: Kaplan & Meier (1958), JASA 53(282), 457-481; variance by Greenwood (1926); band on the
log(-log) scale, which keeps it inside [0, 1]; test by Mantel (1966), Cancer Chemotherapy Reports
50(3), 163-170, and Peto & Peto (1972), JRSS A 135(2), 185-207.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtri

from orchestration.science.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SurvivalCurve:
    """A step function that starts at 1 and falls at each of ``days``; all arrays (n_days,)."""

    days: Floats
    surviving: Floats
    lower: Floats
    upper: Floats
    at_risk: NDArray[np.int64]
    ended: NDArray[np.int64]
    standard_error: Floats
    last_seen_day: float

    @property
    def median_days(self) -> float:
        """First day at which half or fewer still run; NaN if the curve stays above."""
        below = np.flatnonzero(self.surviving <= 0.5 + 1e-12)
        return float(self.days[below[0]]) if below.size else float("nan")

    def at(self, tenure_days: ArrayLike) -> Floats:
        """Share still running after each tenure; NaN beyond the last membership seen."""
        tenure = np.asarray(tenure_days, dtype=float)
        steps = np.concatenate([[1.0], self.surviving])
        found = steps[np.searchsorted(self.days, tenure, side="right")]
        return np.where(tenure <= self.last_seen_day, found, np.nan)


class ConditionalSurvival(NamedTuple):
    """Chances of those who are still there; every array has the shape of the tenures asked for."""

    surviving: Floats
    lower: Floats
    upper: Floats


class LogRank(NamedTuple):
    """Whether groups could share one curve; arrays have one value per group, as in ``groups``.

    ``p_value`` is the chance of so large a difference between observed and expected ends if they
    did.
    """

    chi_square: float
    degrees_of_freedom: int
    p_value: float
    groups: tuple[str, ...]
    observed: NDArray[np.int64]
    expected: Floats


def survival_curve(
    tenure_days: ArrayLike, has_ended: ArrayLike, confidence: float = 0.95
) -> SurvivalCurve:
    """Estimate the share of memberships still running at each tenure.

    Parameters
    ----------
    tenure_days : array of float, shape (n_memberships,)
        Days from start to end, or to the observation date if still running.
    has_ended : array of bool, shape (n_memberships,)
        False where the membership was still running when last seen.
    confidence : float
        Of the pointwise band, in (0, 1).

    Returns
    -------
    SurvivalCurve
        One point per distinct tenure at which at least one membership ended, ascending. Where
        nobody is left, the band has no width to estimate and is NaN.

    Raises
    ------
    DataError
        If the arrays differ in length or are empty, or a tenure is negative or not a number.

    Examples
    --------
    >>> curve = survival_curve([10, 20, 20, 30], [True, True, False, False])
    >>> curve.days.tolist(), curve.surviving.round(3).tolist(), curve.at_risk.tolist()
    ([10.0, 20.0], [0.75, 0.5], [4, 3])
    """
    tenure, ended = _checked(tenure_days, has_ended)
    quantile = _normal_quantile(confidence)
    days, ends = np.unique(tenure[ended], return_counts=True)
    # A membership censored on a day still counts as at risk on that day.
    at_risk = tenure.size - np.searchsorted(np.sort(tenure), days, side="left")
    surviving = np.cumprod(1 - ends / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(ends / (at_risk * (at_risk - ends)))
        lower, upper = _band(surviving, greenwood, quantile)
        error = surviving * np.sqrt(greenwood)
    return SurvivalCurve(days, surviving, lower, upper, at_risk, ends, error, float(tenure.max()))


def conditional_survival(
    curve: SurvivalCurve,
    tenure_days: ArrayLike,
    given_days: ArrayLike,
    confidence: float = 0.95,
) -> ConditionalSurvival:
    """Share of those still running after ``given_days`` who still run after ``tenure_days``.

    S(t) / S(s). Only ends after s count, so that its variance is the part of Greenwood's sum
    between s and t.

    Parameters
    ----------
    curve : SurvivalCurve
    tenure_days, given_days : arrays of float, broadcast together
        t and s, with s <= t.
    confidence : float
        Of the pointwise band, in (0, 1).

    Returns
    -------
    ConditionalSurvival
        NaN where t is beyond the last membership seen or nobody is left at s. Where nobody ended
        between s and t the share is 1 and the band has no width to estimate, and is NaN.

    Raises
    ------
    DataError
        If s is later than t, or either is negative or not a number.

    Examples
    --------
    >>> curve = survival_curve([10, 20, 20, 30], [True, True, False, False])
    >>> conditional_survival(curve, 20, given_days=10).surviving.round(3).tolist()
    0.667
    """
    quantile = _normal_quantile(confidence)
    t, s = np.broadcast_arrays(np.asarray(tenure_days, float), np.asarray(given_days, float))
    bad = ~((s >= 0) & (s <= t) & np.isfinite(t))
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"given_days must be between 0 and tenure_days; found {s.flat[first]:g} and "
            f"{t.flat[first]:g}"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.concatenate([[0.0], (curve.standard_error / curve.surviving) ** 2])
        at_t, at_s = (np.searchsorted(curve.days, when, side="right") for when in (t, s))
        # 0 / 0, where nobody is left at s, is the NaN that is promised.
        share = np.asarray(curve.at(t) / curve.at(s))
        # A share of 1 has no width on this scale: NaN, and not certainty.
        lower, upper = _band(
            np.where(share < 1, share, np.nan), greenwood[at_t] - greenwood[at_s], quantile
        )
    return ConditionalSurvival(share, lower, upper)


def log_rank(tenure_days: ArrayLike, has_ended: ArrayLike, group: ArrayLike) -> LogRank:
    """Test whether the memberships of two or more groups end alike.

    At each day with an end, the ends expected of a group are its share of those at risk; observed
    less expected, summed over days, is compared with its hypergeometric variance.

    Parameters
    ----------
    tenure_days, has_ended : arrays of shape (n_memberships,)
        As in `survival_curve`.
    group : array of str or int, shape (n_memberships,)

    Returns
    -------
    LogRank
        Chi-square with one degree of freedom less than there are groups.

    Raises
    ------
    DataError
        If there are fewer than two groups, or no day on which ends could tell them apart.
    """
    tenure, ended = _checked(tenure_days, has_ended)
    labels = np.asarray(group)
    if labels.shape != tenure.shape:
        raise DataError(f"tenure_days has {tenure.size} values but group has {labels.size}")
    names, member = np.unique(labels, return_inverse=True)
    if names.size < 2:
        raise DataError(f"log_rank compares groups, but there is only {names[0]!s}")

    days, ends = np.unique(tenure[ended], return_counts=True)
    at_risk = np.empty((names.size, days.size))
    observed = np.empty(names.size, dtype=np.int64)
    for index in range(names.size):
        own = np.sort(tenure[member == index])
        at_risk[index] = own.size - np.searchsorted(own, days, side="left")
        observed[index] = ended[member == index].sum()
    all_at_risk = at_risk.sum(axis=0)
    share = at_risk / all_at_risk
    expected = share @ ends
    # One membership left has no variance: it ends, whichever group it is of.
    spread = ends * (all_at_risk - ends) / np.maximum(all_at_risk - 1, 1)
    variance = np.diag(share @ spread) - (share * spread) @ share.T
    # The groups' differences add up to 0, so that the last one says nothing new.
    difference, kept = (observed - expected)[:-1], variance[:-1, :-1]
    if np.linalg.matrix_rank(kept) < names.size - 1:
        raise DataError(
            "log_rank finds no day on which memberships of all groups were at risk and only some "
            "of them ended: the groups cannot be compared"
        )
    chi_square = float(difference @ np.linalg.solve(kept, difference))
    freedom = names.size - 1
    return LogRank(
        chi_square,
        freedom,
        float(chdtrc(freedom, chi_square)),
        tuple(str(name) for name in names),
        observed,
        expected,
    )


def _band(share: Floats, variance_of_log: Floats, quantile: float) -> tuple[Floats, Floats]:
    """Bounds of a share on the log(-log) scale, given the variance of its logarithm."""
    half_width = quantile * np.sqrt(variance_of_log) / np.abs(np.log(share))
    return share ** np.exp(half_width), share ** np.exp(-half_width)


def _normal_quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise DataError(f"confidence must be between 0 and 1; found {confidence}")
    return float(ndtri((1 + confidence) / 2))


def _checked(tenure_days: ArrayLike, has_ended: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Refuse memberships that cannot be followed."""
    tenure = np.asarray(tenure_days, dtype=float)
    ended = np.asarray(has_ended, dtype=bool)
    if tenure.shape != ended.shape or tenure.ndim != 1:
        raise DataError(f"tenure_days has {tenure.size} values but has_ended has {ended.size}")
    if tenure.size == 0:
        raise DataError("tenure_days is empty: there is no membership to follow")
    if not (np.isfinite(tenure) & (tenure >= 0)).all():
        raise DataError(f"tenure_days must be finite and >= 0; smallest is {tenure.min()}")
    return tenure, ended
