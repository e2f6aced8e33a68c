"""Who stands before the court: forecasts of any kind in one shape, and the plain ones beside them.

What belongs here is the record that all candidates speak in, the score that they compete for, and
the way from forecasters of orders to it. How they are judged belongs to `trial` and `verdicts`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts.baselines import LAST_PERIOD_DAYS
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.forecasts.records import Forecast, Forecaster, Level
from orchestration.science.ledger import Ledger, Outcomes

Floats = NDArray[np.float64]

# count: orders. probability: of at least one order. amount: money, which may be negative.
Kind = Literal["count", "probability", "amount"]


@dataclass(frozen=True)
class Prediction:
    """What a candidate says of every customer of a ledger; arrays (n_customers,).

    ``low`` and ``high`` bound 80% of what may come, both included; None where nothing is said.
    With level ``none`` there is no prediction, and the verdict says why.
    """

    level: Level
    verdict: str
    expected: Floats
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True)
class Candidate:
    """A model by name, asked with a ledger and a horizon in days."""

    model_name: str
    predict: Callable[[Ledger, int], Prediction]
    is_baseline: bool = False


@dataclass(frozen=True)
class Score:
    """What candidates compete for: one number per customer, over one horizon."""

    score_name: str
    kind: Kind
    horizon_days: int
    candidates: tuple[Candidate, ...]
    outcome: Callable[[Outcomes], Floats]


def orders_score(
    forecasters: Mapping[str, Forecaster], baselines: tuple[str, ...], horizon_days: int
) -> Score:
    """Orders of each customer within the horizon."""

    def of(name: str) -> Candidate:
        def predict(ledger: Ledger, days: int) -> Prediction:
            said = forecast_of(ledger, forecasters[name], days)
            return Prediction(
                said.level, said.verdict, said.expected_orders, said.orders_p10, said.orders_p90
            )

        return Candidate(name, predict, name in baselines)

    return Score(
        "orders",
        "count",
        horizon_days,
        tuple(of(name) for name in forecasters),
        lambda came: came.order_count,
    )


def churn_score(
    forecasters: Mapping[str, Forecaster],
    baselines: tuple[str, ...],
    horizon_days: int,
    others: tuple[Candidate, ...] = (),
) -> Score:
    """Probability of at least one order within the horizon; churn is that of none."""

    def of(name: str) -> Candidate:
        def predict(ledger: Ledger, days: int) -> Prediction:
            said = forecast_of(ledger, forecasters[name], days)
            return Prediction(said.level, said.verdict, said.p_order)

        return Candidate(name, predict, name in baselines)

    return Score(
        "churn",
        "probability",
        horizon_days,
        (*(of(name) for name in forecasters), *others),
        lambda came: (came.order_count > 0).astype(float),
    )


def value_score(horizon_days: int, candidates: tuple[Candidate, ...]) -> Score:
    """Contribution margin of each customer within the horizon, not discounted."""
    return Score(
        "value",
        "amount",
        horizon_days,
        (*MARGIN_BASELINES, *candidates),
        lambda came: came.margin_amount,
    )


@per_ledger
def _forecast(ledger: Ledger, forecaster: Forecaster, horizon_days: int) -> Forecast:
    return forecaster.forecast(ledger, horizon_days)


def forecast_of(ledger: Ledger, forecaster: Forecaster, horizon_days: int) -> Forecast:
    """Ask a forecaster once: orders, churn and value are three readings of one forecast."""
    return _forecast(ledger, forecaster, horizon_days)


def _repeat_margins(ledger: Ledger, after: int | None = None) -> Floats:
    """Margin of each customer's repeat orders since a day, less what came back of them."""
    occasions, refunds = ledger.occasions(), ledger.refunds
    n = ledger.n_customers
    first = np.full(n, np.iinfo(np.int32).max)
    np.minimum.at(first, occasions.customer, occasions.day)

    def total(customer: NDArray, day: NDArray, amount: Floats) -> Floats:
        counted = day > first[customer]
        if after is not None:
            counted &= day > after
        return np.bincount(customer[counted], amount[counted], minlength=n)

    earned = total(occasions.customer, occasions.day, occasions.margin_amount)
    return earned - total(refunds.customer, refunds.ordered_day, refunds.margin_amount)


def _nothing(ledger: Ledger, horizon_days: int) -> Floats:
    return np.zeros(ledger.n_customers)


def _mean_margin(ledger: Ledger, horizon_days: int) -> Floats:
    days = ledger.histories().age_days.sum()
    rate = _repeat_margins(ledger).sum() / days if days else 0.0
    return np.full(ledger.n_customers, rate * horizon_days)


def _own_margin_rate(ledger: Ledger, horizon_days: int) -> Floats:
    age = ledger.histories().age_days
    rate = np.divide(_repeat_margins(ledger), age, out=np.zeros(age.size), where=age > 0)
    return rate * horizon_days


def _own_last_margin(ledger: Ledger, horizon_days: int) -> Floats:
    recent = _repeat_margins(ledger, ledger.until - LAST_PERIOD_DAYS)
    return recent * (horizon_days / LAST_PERIOD_DAYS)


def _margin_baseline(
    name: str, expect: Callable[[Ledger, int], Floats], level: Level, verdict: str
) -> Candidate:
    def predict(ledger: Ledger, horizon_days: int) -> Prediction:
        return Prediction(level, verdict, expect(ledger, horizon_days))

    return Candidate(name, predict, is_baseline=True)


# The four plain forecasts of orders, in money.
MARGIN_BASELINES = (
    _margin_baseline("zero", _nothing, "pooled", "nobody brings anything"),
    _margin_baseline("mean", _mean_margin, "pooled", "repeat margin per day, the same for all"),
    _margin_baseline(
        "own_rate", _own_margin_rate, "customer", "own repeat margin per day since the first order"
    ),
    _margin_baseline(
        "own_last_period",
        _own_last_margin,
        "customer",
        f"own repeat margin of the last {LAST_PERIOD_DAYS} days, scaled to the horizon",
    ),
)
