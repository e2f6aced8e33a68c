"""Kaplan-Meier survival of memberships, by tenure in days.

What belongs here is the curve, its band and what is read from it. A membership still running when
last seen is censored at its tenure so far: it counts as at risk up to and on that day, and as
nothing afterwards.

Source: Kaplan & Meier (1958), JASA 53(282), 457-481; variance by Greenwood (1926); band on the
log(-log) scale, which keeps it inside [0, 1].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

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
    tenure = np.asarray(tenure_days, dtype=float)
    ended = np.asarray(has_ended, dtype=bool)
    if tenure.shape != ended.shape or tenure.ndim != 1:
        raise DataError(f"tenure_days has {tenure.size} values but has_ended has {ended.size}")
    if tenure.size == 0:
        raise DataError("tenure_days is empty: there is no membership to follow")
    if not (np.isfinite(tenure) & (tenure >= 0)).all():
        raise DataError(f"tenure_days must be finite and >= 0; smallest is {tenure.min()}")
    if not 0 < confidence < 1:
        raise DataError(f"confidence must be between 0 and 1; found {confidence}")

    days, ends = np.unique(tenure[ended], return_counts=True)
    # A membership censored on a day still counts as at risk on that day.
    at_risk = tenure.size - np.searchsorted(np.sort(tenure), days, side="left")
    surviving = np.cumprod(1 - ends / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(ends / (at_risk * (at_risk - ends)))
        half_width = ndtri((1 + confidence) / 2) * np.sqrt(greenwood) / np.abs(np.log(surviving))
        lower = surviving ** np.exp(half_width)
        upper = surviving ** np.exp(-half_width)
        error = surviving * np.sqrt(greenwood)
    return SurvivalCurve(
        days, surviving, lower, upper, at_risk, ends, error, float(tenure.max())
    )
