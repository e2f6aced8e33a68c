"""What any forecast of churn has to beat: one number for everyone, and each one's own rate.

What belongs here is forecasting without a model.
"""

import numpy as np

from orchestration.science.churn.records import (
    ChurnForecast,
    checked_horizon_days,
    no_churn_forecast,
)
from orchestration.science.ledger import Ledger


class BaseRateChurn:
    """Everyone has the share that ordered in the latest horizon that is over.

    The share is counted among who was a customer when that horizon began.
    """

    model_name = "base_rate"

    def predict(self, ledger: Ledger, horizon_days: int) -> ChurnForecast:
        """Count the share and give it to everyone."""
        days = checked_horizon_days(horizon_days)
        is_one_time = ledger.histories().frequency == 0
        known = ledger.known_at(ledger.until - days)
        if not known.n_customers:
            verdict = f"nobody was a customer {days} days before the last day"
            return no_churn_forecast(self.model_name, days, is_one_time, verdict)
        ordered = ledger.outcomes(known, days).order_count > 0
        share = float(ordered.mean())
        return ChurnForecast(
            model_name=self.model_name,
            horizon_days=days,
            level="pooled",
            verdict=f"{int(ordered.sum())} of {ordered.size} ordered in the last {days} days",
            p_order=np.full(is_one_time.size, share),
            is_one_time=is_one_time,
        )


class OwnRateChurn:
    """Everyone keeps ordering at random at the rate of their own past.

    P(at least one) = 1 - exp(-rate x horizon), the rate being repeat order days over days as a
    customer, the day of the first order counted as one. One-time buyers get a chance of 0.
    """

    model_name = "own_rate"

    def predict(self, ledger: Ledger, horizon_days: int) -> ChurnForecast:
        """Carry each customer's rate forward."""
        days = checked_horizon_days(horizon_days)
        histories = ledger.histories()
        rate = histories.frequency / (histories.age_days + 1)
        return ChurnForecast(
            model_name=self.model_name,
            horizon_days=days,
            level="customer",
            verdict="repeat orders per day as a customer, carried forward",
            p_order=-np.expm1(-rate * days),
            is_one_time=histories.frequency == 0,
        )
