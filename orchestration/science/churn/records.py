"""What a forecast of churn is, and what may be asked of whatever makes one.

What belongs here is the record, the protocol and the two ways in which people read a probability:
bands of risk, and one-time buyers apart from the others. Churn within a horizon is the absence of
any order in it: `p_churn` = 1 - `p_order`. How a forecast is made, and how it is judged, belong
elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from orchestration.science.churn.reasons import Reasons
from orchestration.science.errors import DataError
from orchestration.science.forecasts.records import Level
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# The odds of an order at which a customer leaves the middle, against the average customer's.
BAND_ODDS_RATIO = 2.0
ONE_TIME, REPEAT = "one-time", "repeat"


@dataclass(frozen=True, kw_only=True)
class ChurnForecast:
    """Chance of each customer of a ledger to order within a horizon after it; (n_customers,).

    Attributes
    ----------
    model_name : str
    horizon_days : int
        The days after ``ledger.until``; an order on any of them is no churn.
    level : {"customer", "pooled", "none"}
        As in `forecasts.records`: whether each customer's own history speaks.
    verdict : str
        One line for a person: what was trained on what, what was left out and why.
    p_order : array of float in [0, 1]
        Probability of at least one order; NaN for everyone where the level is none.
    is_one_time : array of bool
        Customers with a single order day, who are reported apart: nothing is known of their
        rhythm, and a shop has so many of them that they hide how well the others are told apart.
    closed_form_p_order : array of float in [0, 1], or None
        The same probability by the closed form alone, where the forecaster starts from one.
    why : function, or None
        From positions of customers to their `Reasons`; see `reasons`.
    """

    model_name: str
    horizon_days: int
    level: Level
    verdict: str
    p_order: Floats
    is_one_time: NDArray[np.bool_]
    closed_form_p_order: Floats | None = None
    why: Callable[[NDArray[np.intp]], Reasons] | None = None

    def __post_init__(self) -> None:
        """Refuse a number that no reader could tell from a good one."""
        if self.level == "none":
            return
        bad = ~((self.p_order >= 0) & (self.p_order <= 1))
        if bad.any():
            raise DataError(
                f"{self.model_name}: p_order is impossible for {int(bad.sum())} of {bad.size}"
                f" customers, first {self.p_order[bad][0]}"
            )

    @property
    def p_churn(self) -> Floats:
        """Probability of no order within the horizon."""
        return 1 - self.p_order

    @property
    def groups(self) -> NDArray[np.object_]:
        """Either ``one-time`` or ``repeat`` for each customer, for figures by group."""
        return np.where(self.is_one_time, ONE_TIME, REPEAT).astype(object)

    def bands(self) -> NDArray[np.object_]:
        """Risk of churn in three words, against the average customer of the same night.

        ``high`` where the odds of an order are less than half of those at the mean probability,
        ``low`` where they are more than twice those, else ``medium``; None without a forecast.
        A fixed probability would put nearly everyone of a shop with rare orders into one band.
        """
        if self.level == "none" or not self.p_order.size:
            return np.full(self.p_order.size, None, dtype=object)
        p, mean = self.p_order, float(self.p_order.mean())
        # Odds compared by products, so that a probability of 1 needs no division.
        ahead, usual = p * (1 - mean), mean * (1 - p)
        is_low, is_high = ahead > BAND_ODDS_RATIO * usual, usual > BAND_ODDS_RATIO * ahead
        return np.select([is_high, is_low], ["high", "low"], "medium").astype(object)

    def reasons(self, customers: NDArray[np.intp] | None = None) -> Reasons | None:
        """Say what moved each customer's risk; None where the forecaster has no reasons.

        Computed when asked: the court judges probabilities alone and never pays for it.

        Parameters
        ----------
        customers : array of int, optional
            Positions in the ledger's customers; everyone if absent.
        """
        if self.why is None:
            return None
        return self._of_everyone if customers is None else self.why(np.asarray(customers))

    @cached_property
    def _of_everyone(self) -> Reasons:
        """Asked for as columns and as a table, and the dearest part of a forecast."""
        assert self.why is not None
        return self.why(np.arange(self.p_order.size))


class ChurnForecaster(Protocol):
    """Whatever turns a ledger into a forecast of churn, from that ledger alone.

    The rules are those of `forecasts.records.Forecaster`: nothing later than ``ledger.until``,
    the same numbers for the same arguments, level ``none`` with a verdict instead of an error
    unless the ledger is broken.
    """

    model_name: str

    def predict(self, ledger: Ledger, horizon_days: int) -> ChurnForecast:
        """Forecast whether each customer of the ledger orders within the horizon."""
        ...


def no_churn_forecast(
    model_name: str, horizon_days: int, is_one_time: NDArray[np.bool_], verdict: str
) -> ChurnForecast:
    """Say that there is no forecast, and why."""
    return ChurnForecast(
        model_name=model_name,
        horizon_days=horizon_days,
        level="none",
        verdict=verdict,
        p_order=np.full(is_one_time.size, np.nan),
        is_one_time=is_one_time,
    )


def checked_horizon_days(horizon_days: int) -> int:
    """Refuse a horizon that is not a whole number of days above 0."""
    if horizon_days != int(horizon_days) or horizon_days <= 0:
        raise DataError(f"horizon_days must be a whole number above 0; found {horizon_days}")
    return int(horizon_days)
