"""Forecasts by the models of customers who never announce that they leave, in closed form.

What belongs here is the way from a ledger to a fit and back to every customer; the models are in
`purchases`. Customers with the same history have the same forecast, so everything is worked out
once for each distinct history.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts import counts
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.forecasts.records import Forecast, no_forecast
from orchestration.science.histories import distinct_rows
from orchestration.science.ledger import Ledger
from orchestration.science.purchases.fits import PurchaseFit
from orchestration.science.purchases.models import MODELS

Floats = NDArray[np.float64]


class FittedHistories(NamedTuple):
    """A fit, the distinct histories it was made of, and where each customer's stands among them.

    ``frequency``, ``recency_days`` and ``age_days`` have shape (n_distinct,), ``position`` has
    shape (n_customers,).
    """

    fit: PurchaseFit
    frequency: Floats
    recency_days: Floats
    age_days: Floats
    position: NDArray[np.intp]


class Expectation(NamedTuple):
    """Expected orders and the chance of any; both of shape (n_customers,)."""

    expected_orders: Floats
    p_order: Floats


@per_ledger
def fitted(ledger: Ledger, model_name: str) -> FittedHistories:
    """Fit a model of `purchases.models` to all customers of a ledger, in days."""
    histories = ledger.histories()
    (x, t_x, T), position = distinct_rows(*histories)
    count = np.bincount(position, minlength=x.size).astype(float)
    return FittedHistories(
        MODELS[model_name].fit(x, t_x, T, weight=count, time_unit="day"), x, t_x, T, position
    )


@per_ledger
def expectation(ledger: Ledger, model_name: str, horizon_days: int) -> Expectation | None:
    """Forecast every customer of a ledger by a model; None if its fit may not be used."""
    fit, x, t_x, T, position = fitted(ledger, model_name)
    if not fit.converged:
        return None
    model = MODELS[model_name]
    expected = model.expected_purchases(fit, horizon_days, x, t_x, T)
    p_order = np.minimum(model.p_at_least_one(fit, horizon_days, x, t_x, T), expected)
    return Expectation(expected[position], p_order[position])


@dataclass(frozen=True)
class ClosedForm:
    """A model of `purchases.models` as a forecaster."""

    model_name: str

    def forecast(self, ledger: Ledger, horizon_days: int) -> Forecast:
        """Fit the model and forecast; level ``none`` with the fit's verdict if it failed."""
        verdict = fitted(ledger, self.model_name).fit.verdict
        found = expectation(ledger, self.model_name, horizon_days)
        if found is None:
            return no_forecast(self.model_name, horizon_days, ledger.n_customers, verdict)
        shape = counts.shape_of(found.expected_orders, found.p_order)
        low, high = counts.interval(0.8, found.expected_orders, shape)
        return Forecast(
            model_name=self.model_name,
            horizon_days=horizon_days,
            level="customer",
            verdict=verdict,
            expected_orders=found.expected_orders,
            p_order=found.p_order,
            orders_p10=low,
            orders_p90=high,
        )


CLOSED_FORMS = tuple(ClosedForm(name) for name in MODELS)
