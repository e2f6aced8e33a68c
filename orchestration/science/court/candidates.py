"""Who stands before the court: forecasts of any kind in one shape, and the plain ones beside them.

What belongs here is the record that all candidates speak in, the score that they compete for, and
the way from forecasters of orders to it. How they are judged belongs to `trial` and `verdicts`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
    """A model by name, asked with a ledger and a horizon in days.

    ``forecast`` gives all that the model says, for whoever publishes it; ``read`` takes from it
    what the court judges.
    """

    model_name: str
    forecast: Callable[[Ledger, int], Any]
    read: Callable[[Any], Prediction]
    is_baseline: bool = False

    def predict(self, ledger: Ledger, horizon_days: int) -> Prediction:
        """Forecast, and read the forecast."""
        return self.read(self.forecast(ledger, horizon_days))


@dataclass(frozen=True)
class Score:
    """What candidates compete for: one number per customer, over one horizon."""

    score_name: str
    kind: Kind
    horizon_days: int
    candidates: tuple[Candidate, ...]
    outcome: Callable[[Outcomes], Floats]


def orders_score(
    forecasters: Mapping[str, Forecaster], baselines: Collection[str], horizon_days: int
) -> Score:
    """Orders of each customer within the horizon."""
    return Score(
        "orders",
        "count",
        horizon_days,
        tuple(
            Candidate(name, asking(forecaster), _orders_of, name in baselines)
            for name, forecaster in forecasters.items()
        ),
        lambda came: came.order_count,
    )


def churn_score(candidates: tuple[Candidate, ...], horizon_days: int) -> Score:
    """Probability of at least one order within the horizon; churn is that of none."""
    return Score(
        "churn",
        "probability",
        horizon_days,
        candidates,
        lambda came: (came.order_count > 0).astype(float),
    )


def churn_candidates(
    forecasters: Mapping[str, Forecaster], baselines: Collection[str]
) -> tuple[Candidate, ...]:
    """Forecasts of orders, read as the chance of any."""
    return tuple(
        Candidate(name, asking(forecaster), _any_order_of, name in baselines)
        for name, forecaster in forecasters.items()
    )


def _orders_of(said: Forecast) -> Prediction:
    return Prediction(
        said.level, said.verdict, said.expected_orders, said.orders_p10, said.orders_p90
    )


def _any_order_of(said: Forecast) -> Prediction:
    return Prediction(said.level, said.verdict, said.p_order)


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
def forecast_of(ledger: Ledger, forecaster: Forecaster, horizon_days: int) -> Forecast:
    """Ask a forecaster once: orders, churn and value are three readings of one forecast."""
    return forecaster.forecast(ledger, horizon_days)


def asking(forecaster: Forecaster) -> Callable[[Ledger, int], Forecast]:
    """What a candidate needs of a forecaster."""
    return lambda ledger, horizon_days: forecast_of(ledger, forecaster, horizon_days)


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
    def forecast(ledger: Ledger, horizon_days: int) -> Prediction:
        return Prediction(level, verdict, expect(ledger, horizon_days))

    return Candidate(name, forecast, lambda said: said, is_baseline=True)


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
