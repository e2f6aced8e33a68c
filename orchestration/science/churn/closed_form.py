"""Buy-till-you-die models as forecasters of churn, and as the ground on which trees stand.

What belongs here is the step from a ledger to the closed-form quantities of its customers. The
models and their equations are in `purchases`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration.science.churn.attribution import (
    HISTORY_FEATURES,
    bounded_log_odds,
    history_contributions,
)
from orchestration.science.churn.reasons import Reasons, reasons_from
from orchestration.science.churn.records import (
    ChurnForecast,
    checked_horizon_days,
    no_churn_forecast,
)
from orchestration.science.features import Features, customer_features
from orchestration.science.histories import distinct_rows
from orchestration.science.ledger import Ledger, PurchaseHistories
from orchestration.science.purchases.models import MODELS

Floats = NDArray[np.float64]

# In this order; the first that converges on a day speaks on that day.
CLOSED_FORMS = ("bgnbd", "mbgnbd")


@dataclass(frozen=True)
class ClosedForm:
    """What a closed form says of every customer; arrays of shape (n_customers,).

    All are NaN where the fit did not converge; ``verdict`` says why.
    """

    model_name: str
    converged: bool
    verdict: str
    p_order: Floats
    expected_orders: Floats
    p_alive: Floats

    @property
    def log_odds(self) -> Floats:
        """Log-odds of an order."""
        return bounded_log_odds(self.p_order)


def closed_form(model_name: str, histories: PurchaseHistories, horizon_days: int) -> ClosedForm:
    """Fit a model to the customers of a day and ask it about the days after.

    Fit and answers are worked out once for each distinct history, which thousands share.
    """
    model = MODELS[model_name]
    distinct, position = distinct_rows(*histories)
    fitted: Any = model.fit(*distinct, weight=np.bincount(position).astype(float))
    if not fitted.converged:
        nothing = np.full(position.size, np.nan)
        verdict = f"{fitted.label} {fitted.verdict}"
        return ClosedForm(model_name, False, verdict, nothing, nothing, nothing)
    return ClosedForm(
        model_name,
        True,
        f"{fitted.label} {fitted.verdict}",
        model.p_at_least_one(fitted, horizon_days, *distinct)[position],
        model.expected_purchases(fitted, horizon_days, *distinct)[position],
        model.p_alive(fitted, *distinct)[position],
    )


def first_closed_form(histories: PurchaseHistories, horizon_days: int) -> ClosedForm:
    """Ask the first of `CLOSED_FORMS` that converges.

    The verdict tells those that did not, too; where none does, the record says so.
    """
    tried = []
    for name in CLOSED_FORMS:
        found = closed_form(name, histories, horizon_days)
        tried.append(found.verdict)
        if found.converged:
            break
    return replace(found, verdict="; ".join(tried))


@dataclass(frozen=True)
class ClosedFormChurn:
    """One of `purchases.models.MODELS` as a forecaster of churn."""

    model_name: str

    def predict(self, ledger: Ledger, horizon_days: int) -> ChurnForecast:
        """Forecast by the model's own probability of at least one order."""
        days = checked_horizon_days(horizon_days)
        histories = ledger.histories()
        is_one_time = histories.frequency == 0
        found = closed_form(self.model_name, histories, days)
        if not found.converged:
            return no_churn_forecast(self.model_name, days, is_one_time, found.verdict)
        return ChurnForecast(
            model_name=self.model_name,
            horizon_days=days,
            level="customer",
            verdict=found.verdict,
            p_order=found.p_order,
            is_one_time=is_one_time,
            closed_form_p_order=found.p_order,
            # Features are made when somebody asks why, from the same ledger.
            why=lambda asked: history_reasons(asked, customer_features(ledger), found),
        )


def history_reasons(asked: NDArray[np.intp], features: Features, said: ClosedForm) -> Reasons:
    """Reasons of a closed form alone: silence and rhythm."""
    split, reference = history_contributions(said.p_order, said.p_alive, asked)
    return reasons_from(asked, features, HISTORY_FEATURES, -split, -reference)
