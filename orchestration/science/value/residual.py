"""The contribution margin that each customer still brings, and the bounds that eight in ten keep.

expected = expected orders x expected net amount of an order x margin ratio x discount, after
refunds. Its distribution is that of `totals`, and its levels are corrected by what came after
earlier days, in `calibration`. What belongs here is this step alone: how many orders are to come
is the forecast's to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import DataError
from orchestration.science.forecasts.origins import known_at
from orchestration.science.forecasts.records import Forecast, Forecaster
from orchestration.science.ledger import Ledger
from orchestration.science.value import calibration, totals
from orchestration.science.value.margins import margin_ratios
from orchestration.science.value.order_values import OrderValueEstimate, estimate_order_values
from orchestration.science.value.records import ValueForecast

Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365
# Earlier days from which the levels are learnt, apart by a quarter: another season each.
EARLIER_DAYS = 3
DAYS_BETWEEN_EARLIER = 91
# Before an earlier day there must be something to learn from.
MINIMUM_HISTORY_DAYS = 90
MINIMUM_HORIZON_DAYS = 28
# Every k-th customer of an earlier day teaches the levels: more move them by less than 0.001.
MOST_OUTCOMES = 50_000


class Earlier(NamedTuple):
    """What was forecast on an earlier day, with what was known that day."""

    known: Ledger
    orders: Forecast


@dataclass(frozen=True)
class _Parts:
    """What the distribution of one ledger's customers is made of."""

    values: OrderValueEstimate
    ratio: Floats
    mean_if_any: Floats
    prior_shape: Floats


def earlier_forecasts(ledger: Ledger, forecaster: Forecaster, horizon_days: int) -> list[Earlier]:
    """Let a forecaster speak on earlier days whose horizon has ended by now.

    Up to three days, a quarter apart, the latest one first. A shop too young for the horizon
    lends shorter ones, down to half of its life: levels carry over better than nothing does.

    Parameters
    ----------
    ledger : Ledger
    forecaster : Forecaster
    horizon_days : int

    Returns
    -------
    list of Earlier
        Empty where the shop is too young even for that.
    """
    age = ledger.until - ledger.first_day if ledger.orders.day.size else 0
    horizon = min(horizon_days, age // 2)
    found: list[Earlier] = []
    for step in range(EARLIER_DAYS):
        day = ledger.until - horizon - step * DAYS_BETWEEN_EARLIER
        if horizon < MINIMUM_HORIZON_DAYS or day - ledger.first_day < MINIMUM_HISTORY_DAYS:
            break
        known = known_at(ledger, day)
        orders = forecaster.forecast(known, horizon)
        if orders.level != "none":
            found.append(Earlier(known, orders))
    return found


def value_forecast(
    ledger: Ledger,
    orders: Forecast,
    yearly_discount_rate: float,
    earlier: Sequence[Earlier] = (),
) -> ValueForecast:
    """Forecast the contribution margin of every customer within the horizon of ``orders``.

    Parameters
    ----------
    ledger : Ledger
    orders : Forecast
        Of the same ledger; its horizon is that of the value.
    yearly_discount_rate : float > -1
        0.10 means that a margin in one year is worth 1 / 1.10 of the same margin today.
    earlier : sequence of Earlier
        From `earlier_forecasts`, or the court's own. They teach the interval its levels and the
        discount when orders fall within a horizon; without them the interval is the model's own,
        and the verdict says so.

    Returns
    -------
    ValueForecast
        Level ``none`` where there is no forecast of orders, no order value or no margin.

    Raises
    ------
    DataError
        If the forecast is of another ledger, or the rate is impossible.
    """
    if orders.expected_orders.size != ledger.n_customers:
        raise DataError(
            f"the forecast is of {orders.expected_orders.size} customers but the ledger has"
            f" {ledger.n_customers}"
        )
    if not (np.isfinite(yearly_discount_rate) and yearly_discount_rate > -1):
        raise DataError(f"yearly_discount_rate must be above -1; found {yearly_discount_rate}")
    if orders.level == "none":
        return _no_value(orders, f"no forecast of orders: {orders.verdict}")
    values, ratio = estimate_order_values(ledger), margin_ratios(ledger)
    if values.model_name is None:
        return _no_value(orders, values.verdict)
    if np.isnan(ratio).any():
        return _no_value(orders, "no order has a contribution margin: are costs delivered?")

    learnt = [_seen(ledger, entry) for entry in earlier if entry.orders.level != "none"]
    learnt = [seen for seen in learnt if seen is not None]
    size = totals.fit_size(
        np.concatenate([seen.count for seen in learnt] or [np.zeros(0)]),
        np.concatenate([seen.mean_if_any for seen in learnt] or [np.zeros(0)]),
    )
    discount = discount_factor(yearly_discount_rate, orders.horizon_days, [s.days for s in learnt])
    table = _table(values, size)
    scale = values.expected * ratio * discount
    levels = calibration.learn([seen.attained(table) for seen in learnt])
    parts = _parts(values, ratio, orders)
    bounds = [
        table.quantile(level, orders.p_order, parts.mean_if_any, parts.prior_shape) * scale
        for level in levels.of(orders.p_order)
    ]
    return ValueForecast(
        model_name=orders.model_name,
        order_value_model_name=values.model_name,
        horizon_days=orders.horizon_days,
        level=orders.level,
        verdict=f"{values.verdict}; {levels.verdict}",
        expected=orders.expected_orders * scale,
        # A customer who costs more than they bring turns the bounds round.
        p10=np.minimum(*bounds),
        p90=np.maximum(*bounds),
        expected_order_value=values.expected,
        margin_ratio=ratio,
    )


def discount_factor(
    yearly_rate: float, horizon_days: int, days_of_orders: Sequence[Floats] = ()
) -> float:
    """Mean worth today of one unit of money that comes within a horizon.

    Parameters
    ----------
    yearly_rate : float > -1
    horizon_days : int
    days_of_orders : sequence of arrays of float
        Shares of the horizon, in (0, 1], at which orders of earlier horizons fell; without any,
        orders are taken to fall evenly, which errs by less than 1% at rates up to 20%.
    """
    if not any(days.size for days in days_of_orders):
        years = horizon_days / DAYS_PER_YEAR
        rate = np.log1p(yearly_rate)
        return 1.0 if rate == 0 else float(-np.expm1(-rate * years) / (rate * years))
    days = np.concatenate(list(days_of_orders)) * horizon_days
    return float(np.mean((1 + yearly_rate) ** (-days / DAYS_PER_YEAR)))


@dataclass(frozen=True)
class _Seen:
    """What came after an earlier day, beside what its distribution is made of."""

    parts: _Parts
    p_order: Floats
    count: Floats
    mean_if_any: Floats
    days: Floats
    margin: Floats

    def attained(self, table: totals.TotalValues) -> calibration.Attained:
        """Levels that the margins attained in the distribution of their day."""
        chosen = np.s_[:: -(-self.p_order.size // MOST_OUTCOMES)]
        p_order, margin = self.p_order[chosen], self.margin[chosen]
        scale = (self.parts.values.expected * self.parts.ratio)[chosen]
        relative = np.where(scale != 0, margin / np.where(scale != 0, scale, 1.0), 0.0)
        some = relative > 0
        probability = 1 - p_order
        probability[some] += p_order[some] * table.probability(
            relative[some],
            self.parts.mean_if_any[chosen][some],
            self.parts.prior_shape[chosen][some],
        )
        return calibration.Attained(p_order, np.sign(relative), probability)


def _seen(ledger: Ledger, entry: Earlier) -> _Seen | None:
    """Follow the customers of an earlier day; None where nothing could be said of them."""
    known, orders = entry
    values, ratio = estimate_order_values(known), margin_ratios(known)
    if values.model_name is None or np.isnan(ratio).any():
        return None
    outcomes = ledger.outcomes(known, orders.horizon_days)
    parts = _parts(values, ratio, orders)
    bought = outcomes.order_count > 0
    days = ledger.occasions()
    within = (days.day > known.until) & (days.day <= known.until + orders.horizon_days)
    place = np.searchsorted(known.customer_ids, ledger.customer_ids[days.customer[within]])
    place = np.minimum(place, known.n_customers - 1)
    theirs = known.customer_ids[place] == ledger.customer_ids[days.customer[within]]
    return _Seen(
        parts,
        orders.p_order,
        outcomes.order_count[bought],
        parts.mean_if_any[bought],
        (days.day[within][theirs] - known.until) / orders.horizon_days,
        outcomes.margin_amount,
    )


def _parts(values: OrderValueEstimate, ratio: Floats, orders: Forecast) -> _Parts:
    """Lay out what the distribution of each customer is made of."""
    p = np.maximum(orders.p_order, 1e-12)
    return _Parts(
        values,
        ratio,
        np.maximum(orders.expected_orders / p, 1.0),
        1 + values.shape * (values.value_count + values.shrinkage_orders),
    )


def _table(values: OrderValueEstimate, size: float) -> totals.TotalValues:
    return totals.total_values(
        values.shape, values.shrinkage_orders, size, float(values.value_count.max(initial=1.0))
    )


def _no_value(orders: Forecast, verdict: str) -> ValueForecast:
    """Say that there is no value, and why."""
    nothing = np.full(orders.expected_orders.size, np.nan)
    return ValueForecast(
        model_name=orders.model_name,
        order_value_model_name=None,
        horizon_days=orders.horizon_days,
        level="none",
        verdict=verdict,
        expected=nothing,
        p10=nothing,
        p90=nothing,
        expected_order_value=nothing,
        margin_ratio=nothing,
    )
