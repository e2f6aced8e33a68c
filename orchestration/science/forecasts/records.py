"""What a forecast of orders is, and what may be asked of whatever makes one.

What belongs here is the record and the protocol, so that the court can loop over forecasters that
know nothing of each other. How a forecast is made, and how it is judged, belong elsewhere.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import DataError
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# customer: each customer's own history speaks. pooled: too small or too young a shop, so groups of
# customers share one number. none: no forecast was made, and every number is NaN.
Level = Literal["customer", "pooled", "none"]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Orders of each customer of a ledger within a horizon after it; arrays (n_customers,).

    Attributes
    ----------
    model_name : str
    horizon_days : int
        The days after ``ledger.until``.
    level : {"customer", "pooled", "none"}
    verdict : str
        One line for a person: how the fit ended, what was widened, why there is no forecast.
    expected_orders : array of float >= 0
        Expected days with an order.
    p_order : array of float in [0, 1]
        Probability of at least one.
    orders_p10, orders_p90 : arrays of float, or None
        Bounds of the 80% interval of the number of order days, both included; None where the
        forecaster has no distribution.
    """

    model_name: str
    horizon_days: int
    level: Level
    verdict: str
    expected_orders: Floats
    p_order: Floats
    orders_p10: Floats | None = None
    orders_p90: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse a number that no reader could tell from a good one."""
        if self.level == "none":
            return
        for name in ("expected_orders", "p_order", "orders_p10", "orders_p90"):
            values = getattr(self, name)
            if values is None:
                continue
            bad = ~(np.isfinite(values) & (values >= 0))
            if name == "p_order":
                bad |= values > 1
            if bad.any():
                raise DataError(
                    f"{self.model_name}: {name} is impossible for {int(bad.sum())} of"
                    f" {bad.size} customers, first {values[bad][0]}"
                )


class Forecaster(Protocol):
    """Whatever turns a ledger into a forecast, from that ledger alone.

    It may cut the ledger at earlier days (`Ledger.known_at`) to learn from what came after them,
    but has nothing later than ``ledger.until``. The same arguments give the same numbers. A
    forecaster that cannot speak (no convergence, no history) returns level ``none`` and says why
    in the verdict; it raises only for a ledger that is broken.
    """

    model_name: str

    def forecast(self, ledger: Ledger, horizon_days: int) -> Forecast:
        """Forecast the orders of every customer of the ledger."""
        ...


def no_forecast(model_name: str, horizon_days: int, n_customers: int, verdict: str) -> Forecast:
    """Say that there is no forecast, and why."""
    nothing = np.full(n_customers, np.nan)
    return Forecast(
        model_name=model_name,
        horizon_days=horizon_days,
        level="none",
        verdict=verdict,
        expected_orders=nothing,
        p_order=nothing,
    )
