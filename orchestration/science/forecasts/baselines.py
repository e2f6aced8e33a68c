"""Forecasts without a model, which every model must beat.

What belongs here is what a person could work out on paper: nothing, the same for everyone, the
customer's own rate, the customer's own last quarter. A customer's first order is how they became
one and no habit yet, so that repeat orders alone are counted. None has a distribution: the
probability of an order is that of a Poisson count with the forecast as its mean.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts.records import Forecast, Level, no_forecast
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# The own last period: 13 weeks, a quarter that has every weekday equally often.
LAST_PERIOD_DAYS = 91


@dataclass(frozen=True)
class Baseline:
    """A forecast by one rule.

    Attributes
    ----------
    model_name : str
    expect : function
        From a ledger and a horizon in days to orders expected of each customer.
    level : {"customer", "pooled"}
        Whether customers differ.
    verdict : str
        The rule in words.
    """

    model_name: str
    expect: Callable[[Ledger, int], Floats]
    level: Level
    verdict: str

    def forecast(self, ledger: Ledger, horizon_days: int) -> Forecast:
        """Apply the rule to every customer of the ledger."""
        if not ledger.n_customers:
            return no_forecast(self.model_name, horizon_days, 0, "no customer is known yet")
        expected = self.expect(ledger, horizon_days)
        return Forecast(
            model_name=self.model_name,
            horizon_days=horizon_days,
            level=self.level,
            verdict=self.verdict,
            expected_orders=expected,
            p_order=-np.expm1(-expected),
        )


def _nothing(ledger: Ledger, horizon_days: int) -> Floats:
    return np.zeros(ledger.n_customers)


def _mean_rate(ledger: Ledger, horizon_days: int) -> Floats:
    histories = ledger.histories()
    days = histories.age_days.sum()
    rate = histories.frequency.sum() / days if days else 0.0
    return np.full(ledger.n_customers, rate * horizon_days)


def _own_rate(ledger: Ledger, horizon_days: int) -> Floats:
    histories = ledger.histories()
    known = histories.age_days > 0
    # Who first ordered today has no rate yet.
    rate = np.divide(histories.frequency, histories.age_days, out=np.zeros(known.size), where=known)
    return rate * horizon_days


def _own_last_period(ledger: Ledger, horizon_days: int) -> Floats:
    occasions = ledger.occasions()
    is_repeat = np.ones(occasions.day.size, dtype=bool)
    is_repeat[:1] = False
    is_repeat[1:] = np.diff(occasions.customer) == 0
    counted = is_repeat & (occasions.day > ledger.until - LAST_PERIOD_DAYS)
    count = np.bincount(occasions.customer[counted], minlength=ledger.n_customers)
    return count * (horizon_days / LAST_PERIOD_DAYS)


BASELINES = (
    Baseline("zero", _nothing, "pooled", "nobody orders again"),
    Baseline("mean", _mean_rate, "pooled", "repeat orders per day known, the same for all"),
    Baseline("own_rate", _own_rate, "customer", "own repeat orders per day since the first"),
    Baseline(
        "own_last_period",
        _own_last_period,
        "customer",
        f"own repeat orders of the last {LAST_PERIOD_DAYS} days, scaled to the horizon",
    ),
)
