"""Forecasts by the models of customers who never announce that they leave, in closed form.

What belongs here is the way from a ledger to a fit and back to every customer; the models are in
`purchases`. Customers with the same history have the same forecast, so everything is worked out
once for each distinct history.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts import counts, intervals, origins
from orchestration.science.forecasts.counts import Counts
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.forecasts.records import Forecast, no_forecast
from orchestration.science.histories import distinct_rows
from orchestration.science.ledger import Ledger
from orchestration.science.purchases.fits import PurchaseFit
from orchestration.science.purchases.models import MODELS

Floats = NDArray[np.float64]


class Expectation(NamedTuple):
    """Expected orders and the chance of any; both of shape (n_customers,)."""

    expected_orders: Floats
    p_order: Floats


class DistinctHistories(NamedTuple):
    """The distinct histories of a ledger, and where each customer's stands among them.

    ``frequency``, ``recency_days`` and ``age_days`` have shape (n_distinct,), ``position`` has
    shape (n_customers,).
    """

    frequency: Floats
    recency_days: Floats
    age_days: Floats
    position: NDArray[np.intp]


@per_ledger
def distinct_histories(ledger: Ledger) -> DistinctHistories:
    """Group the customers of a ledger by history."""
    columns, position = distinct_rows(*ledger.histories())
    return DistinctHistories(*columns, position)


@per_ledger
def fitted(ledger: Ledger, model_name: str) -> PurchaseFit:
    """Fit a model of `purchases.models` to all customers of a ledger, in days."""
    x, t_x, T, position = distinct_histories(ledger)
    count = np.bincount(position, minlength=x.size).astype(float)
    return MODELS[model_name].fit(x, t_x, T, weight=count, time_unit="day")


@per_ledger
def expectation(
    ledger: Ledger, model_name: str, horizon_days: int, day: int | None = None
) -> Expectation | None:
    """Forecast every customer of a ledger by a model.

    Parameters
    ----------
    ledger : Ledger
        The model is fitted to all that is known in it.
    model_name : str
        In `purchases.models`.
    horizon_days : int > 0
    day : int, optional
        Forecast at this earlier day, from the histories as they were then (`origins.known_at`).
        The fit stays that of the whole ledger: its handful of parameters learn next to nothing of
        any one customer, half a history often has no summit, and one fit serves all days.

    Returns
    -------
    Expectation, or None if the fit may not be used
    """
    fit = fitted(ledger, model_name)
    if not fit.converged:
        return None
    known = ledger if day is None else origins.known_at(ledger, day)
    x, t_x, T, position = distinct_histories(known)
    model = MODELS[model_name]
    expected = model.expected_purchases(fit, horizon_days, x, t_x, T)
    p_order = np.minimum(model.p_at_least_one(fit, horizon_days, x, t_x, T), expected)
    return Expectation(expected[position], p_order[position])


@per_ledger
def predicted(
    ledger: Ledger, model_name: str, horizon_days: int, day: int | None = None
) -> Counts | None:
    """Complete `expectation` to a distribution; None if the fit may not be used."""
    found = expectation(ledger, model_name, horizon_days, day)
    return None if found is None else counts.of(*found)


@dataclass(frozen=True)
class ClosedForm:
    """A model of `purchases.models` as a forecaster."""

    model_name: str

    def predict(self, ledger: Ledger, horizon_days: int, day: int | None = None) -> Counts | None:
        """Forecast the distribution of every customer's orders; None if the fit failed."""
        return predicted(ledger, self.model_name, horizon_days, day)

    def forecast(self, ledger: Ledger, horizon_days: int) -> Forecast:
        """Fit the model and forecast; level ``none`` with the fit's verdict if it failed."""
        verdict = fitted(ledger, self.model_name).verdict
        found = self.predict(ledger, horizon_days)
        if found is None:
            return no_forecast(self.model_name, horizon_days, ledger.n_customers, verdict)
        return intervals.bounded(ledger, self, horizon_days, found, verdict)


CLOSED_FORMS = tuple(ClosedForm(name) for name in MODELS)
