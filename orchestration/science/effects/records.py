"""What goes into the estimate of an effect, and what comes out of it.

What belongs here are the records: the arrays that are asked, the estimate with its intervals, what
is known of overlap and placebo, and the effect that holds them all. Nothing is computed here but
the bounds of an interval and the words of a refusal.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import DataError

Floats = NDArray[np.float64]

# att: the average effect on those who had the event. ate: that on everybody who could have had it.
Estimand = Literal["att", "ate"]
Method = Literal["doubly_robust", "difference_in_differences"]

# Quantiles of the normal distribution at 90% and at 97.5%.
Z_80, Z_95 = 1.2815515655446004, 1.959963984540054

# Columns of a row: those of each estimate after its kind, and those of overlap.
ESTIMATE_WORDS = ("difference", "standard_error", "low_80", "high_80", "low_95", "high_95")
OVERLAP_COLUMNS = (
    "propensity_lowest",
    "propensity_highest",
    "trimmed_share",
    "trimmed_treated_share",
    "effective_treated_count",
    "effective_control_count",
    "largest_difference_before",
    "largest_difference_after",
)


class Sample(NamedTuple):
    """Who had the event, what came of it, and what was known of everybody before.

    Attributes
    ----------
    treated : array of bool, shape (n,)
        Whether the event came.
    outcome : array of float, shape (n,)
        What happened afterwards.
    covariates : array of float, shape (n, n_covariates)
        Known before the event could come; NaN means unknown.
    names : tuple of text, length n_covariates
    outcome_before : array of float, shape (n,), optional
        The same outcome in a period before the event, for differences in differences.
    customer : array of int or text, shape (n,), optional
        Whose row it is; absent, each row is a customer of its own.
    """

    treated: NDArray[np.bool_]
    outcome: Floats
    covariates: NDArray
    names: tuple[str, ...]
    outcome_before: Floats | None = None
    customer: NDArray | None = None

    def checked(self) -> "Sample":
        """Return the same arrays as numbers, with customers counted from 0.

        Raises
        ------
        DataError
            If lengths differ, ``treated`` is no flag, or an outcome or covariate is no number.
        """
        treated = np.asarray(self.treated)
        n = treated.size
        covariates = np.asarray(self.covariates, dtype=float)
        if treated.dtype != bool:
            if not np.isin(treated, (0, 1)).all():
                raise DataError("treated must hold True and False alone")
            treated = treated.astype(bool)
        if covariates.shape != (n, len(self.names)):
            raise DataError(
                f"covariates have shape {covariates.shape}, but there are {n} rows and"
                f" {len(self.names)} names"
            )
        infinite = np.isinf(covariates).any(axis=0)
        if infinite.any():
            raise DataError(f"covariate {self.names[int(np.argmax(infinite))]} is infinite")
        outcome = _finite("outcome", self.outcome, n)
        before = self.outcome_before
        who = np.arange(n) if self.customer is None else np.asarray(self.customer)
        if who.shape != (n,):
            raise DataError(f"customer has shape {who.shape}, but there are {n} rows")
        return Sample(
            treated,
            outcome,
            covariates,
            tuple(self.names),
            None if before is None else _finite("outcome_before", before, n),
            np.unique(who, return_inverse=True)[1],
        )


def _finite(name: str, values: Floats, n: int) -> Floats:
    numbers = np.asarray(values, dtype=float)
    if numbers.shape != (n,):
        raise DataError(f"{name} has shape {numbers.shape}, but there are {n} rows")
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise DataError(
            f"{name} is not a number in {int(bad.sum())} of {n} rows, first in row"
            f" {int(np.argmax(bad))}: leave out who is not known yet, an unknown outcome is no zero"
        )
    return numbers


@dataclass(frozen=True)
class Estimate:
    """A difference with its standard error; bounds are those of the normal distribution."""

    value: float
    standard_error: float

    @property
    def interval_80(self) -> tuple[float, float]:
        """Bounds that hold the truth four times in five."""
        return self._within(Z_80)

    @property
    def interval_95(self) -> tuple[float, float]:
        """Bounds that hold the truth nineteen times in twenty."""
        return self._within(Z_95)

    def _within(self, z: float) -> tuple[float, float]:
        half = z * self.standard_error
        return self.value - half, self.value + half


class Balance(NamedTuple):
    """Standardised mean difference of one covariate, before and after weighting."""

    name: str
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """How comparable the two groups are.

    Attributes
    ----------
    propensity_lowest, propensity_highest : float
        Range of the cross-fitted probability of the event, before trimming.
    treated_median, control_median : float
        Its median in either group.
    kept : tuple of float
        Rows whose probability lies within these bounds are compared.
    trimmed_share : float
        Share of all rows outside of them.
    trimmed_treated_share : float
        Share of the treated outside of them.
    effective_treated_count, effective_control_count : float
        Squared sum of weights over the sum of their squares (Kish 1965).
    balance : tuple of Balance
        Per covariate; an unknown value counts as the median, and as a covariate of its own.
    """

    propensity_lowest: float
    propensity_highest: float
    treated_median: float
    control_median: float
    kept: tuple[float, float]
    trimmed_share: float
    trimmed_treated_share: float
    effective_treated_count: float
    effective_control_count: float
    balance: tuple[Balance, ...]

    @property
    def largest_difference_before(self) -> float:
        """The largest standardised mean difference as the groups came, without its sign."""
        return max((abs(one.before) for one in self.balance), default=0.0)

    @property
    def largest_difference_after(self) -> float:
        """The largest that weighting left."""
        return max((abs(one.after) for one in self.balance), default=0.0)


@dataclass(frozen=True)
class Placebo:
    """The same estimate of an outcome that the event cannot have changed.

    ``is_passed`` is None where it could not be tested, and ``words`` say why.
    """

    estimate: Estimate | None
    is_passed: bool | None
    words: str


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What an event did to an outcome.

    Attributes
    ----------
    event_name, outcome_name : str
    method : {"doubly_robust", "difference_in_differences"}
    estimand : str
        Whose average effect it is, in words.
    treated_count, control_count : int
        Distinct customers with and without the event; who is in both counts in both.
    customer_count : int
        Distinct customers of both.
    treated_mean, control_mean, others_mean : float or None
        Mean outcome as it came: with the event, of the controls, and of those whom the naive gap
        is to; None if there are none.
    naive : Estimate or None
        Mean with the event less that of the others, with no adjustment; None if one is empty.
    adjusted : Estimate or None
        None unless ``is_identified``.
    overlap : Overlap or None
    placebo : Placebo
    is_identified : bool
    verdict : str
        One line for a person; begins with "identified" or "not identified".
    """

    event_name: str
    outcome_name: str
    method: Method
    estimand: str
    treated_count: int
    control_count: int
    customer_count: int
    treated_mean: float | None
    control_mean: float | None
    others_mean: float | None
    naive: Estimate | None
    adjusted: Estimate | None
    overlap: Overlap | None
    placebo: Placebo
    is_identified: bool
    verdict: str

    def __post_init__(self) -> None:
        """A number that is not identified must not be told."""
        if self.is_identified == (self.adjusted is None):
            raise DataError(f"{self.event_name}: an adjusted estimate stands if it is identified")

    def to_row(self) -> dict[str, Any]:
        """Flatten to the columns of a table; what is not known is None."""
        return {
            "event_name": self.event_name,
            "outcome_name": self.outcome_name,
            "method": self.method,
            "estimand": self.estimand,
            "treated_count": self.treated_count,
            "control_count": self.control_count,
            "customer_count": self.customer_count,
            "treated_mean": self.treated_mean,
            "control_mean": self.control_mean,
            "others_mean": self.others_mean,
            **_estimate_columns("naive", self.naive),
            **_estimate_columns("adjusted", self.adjusted),
            **_estimate_columns("placebo", self.placebo.estimate),
            "is_placebo_passed": self.placebo.is_passed,
            **_overlap_columns(self.overlap),
            "is_identified": self.is_identified,
            "verdict": self.verdict,
        }


def _estimate_columns(kind: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        values: tuple[float | None, ...] = (None,) * len(ESTIMATE_WORDS)
    else:
        values = (
            estimate.value,
            estimate.standard_error,
            *estimate.interval_80,
            *estimate.interval_95,
        )
    return {f"{kind}_{word}": value for word, value in zip(ESTIMATE_WORDS, values, strict=True)}


def _overlap_columns(overlap: Overlap | None) -> dict[str, float | None]:
    return {name: None if overlap is None else getattr(overlap, name) for name in OVERLAP_COLUMNS}
