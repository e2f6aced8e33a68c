"""What is said of value: the residual margin, the next order, and the membership of a customer.

What belongs here is the records and their promises, so that the night and the court can read them
without knowing how they were made. Customers stand in the order of ``Ledger.customer_ids``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import DataError
from orchestration.science.forecasts.records import Level

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ValueForecast:
    """Contribution margin of each customer within a horizon; arrays (n_customers,).

    Attributes
    ----------
    model_name : str
        Of the forecast of orders behind it.
    order_value_model_name : str or None
        Of the model that was allowed to say what an order is worth; None with level ``none``.
    horizon_days : int
    level : {"customer", "pooled", "none"}
    verdict : str
        One line for a person: which models spoke and why, how the interval was calibrated.
    expected : array of float
        Expected contribution margin of the orders to come, after their refunds, discounted to the
        end of ``Ledger.until``. Negative where a customer costs more than they bring.
    p10, p90 : arrays of float
        Bounds of the 80% interval of the same, both included. Where a customer places no order
        with a probability of 0.1 or more, one of them is 0, and all that is left out of the
        interval lies beyond the other (`calibration`).
    expected_order_value : array of float
        Expected net amount of the next order, before refunds.
    margin_ratio : array of float
        Contribution margin after refunds over net amount before them.
    """

    model_name: str
    order_value_model_name: str | None
    horizon_days: int
    level: Level
    verdict: str
    expected: Floats
    p10: Floats
    p90: Floats
    expected_order_value: Floats
    margin_ratio: Floats

    def __post_init__(self) -> None:
        """Refuse a number that no reader could tell from a good one."""
        if self.level == "none":
            return
        for name in ("expected", "p10", "p90", "expected_order_value", "margin_ratio"):
            values = getattr(self, name)
            bad = ~np.isfinite(values)
            if bad.any():
                raise DataError(
                    f"{self.model_name}: {name} is not finite for {int(bad.sum())} of"
                    f" {bad.size} customers"
                )
        if (self.p10 > self.p90).any():
            raise DataError(f"{self.model_name}: p10 lies above p90")


@dataclass(frozen=True, kw_only=True)
class NextOrders:
    """When each customer orders next, in days after ``Ledger.until``; arrays (n_customers,).

    Attributes
    ----------
    model_name : str
    level : {"customer", "pooled", "none"}
    verdict : str
    p50_days, p90_days : arrays of float
        First whole day by which an order is placed with a probability of at least 0.5 and 0.9.
        NaN where that is later than `CAP_DAYS` or never.
    expected_days : array of float
        Mean waiting time, in whole days, of those who order within `CAP_DAYS`; NaN where
        ``p50_days`` is: a date is not expected of who will more likely place no order.
    """

    model_name: str
    level: Level
    verdict: str
    expected_days: Floats
    p50_days: Floats
    p90_days: Floats

    def __post_init__(self) -> None:
        """Refuse a day before tomorrow, and a median after the last decile."""
        for name in ("expected_days", "p50_days", "p90_days"):
            values = getattr(self, name)
            known = values[~np.isnan(values)]
            if not (np.isfinite(known) & (known >= 1)).all():
                raise DataError(f"{self.model_name}: {name} holds a day that is not to come")
        if (self.p50_days > self.p90_days).any():
            raise DataError(f"{self.model_name}: p50_days lies after p90_days")


@dataclass(frozen=True, kw_only=True)
class MembershipValues:
    """What running memberships bring within a horizon; one entry per membership, as asked.

    Attributes
    ----------
    membership_ids, customer_ids : arrays of text, shape (n_memberships,)
    model_names : array of text or None
        Of the model of renewals behind each, by plan interval.
    horizon_days : int
    verdict : str
    expected_fees, expected_benefit_cost : arrays of float
        Discounted to the day of the night. Of the fees only those to come: the current term is
        paid.
    expected, p10, p90 : arrays of float
        Fees less benefit cost.
    p_next_renewal : array of float in [0, 1]
        Probability that the current term is renewed, or the trial converted, whenever it ends.
    """

    membership_ids: NDArray[np.object_]
    customer_ids: NDArray[np.object_]
    model_names: NDArray[np.object_]
    horizon_days: int
    verdict: str
    expected_fees: Floats
    expected_benefit_cost: Floats
    expected: Floats
    p10: Floats
    p90: Floats
    p_next_renewal: Floats
