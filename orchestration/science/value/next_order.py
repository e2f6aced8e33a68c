"""When each customer orders next: the days by which it is as likely as not, and nearly sure.

The chance of an order by day t has the shape of a closed form, bent so that it passes through the
forecasts of orders that are published: with the cumulative hazard H(t) = -log P(no order by t),

(1) H(t) = H_a(h) + (H_m(t) - H_m(h)) (H_a(k) - H_a(h)) / (H_m(k) - H_m(h)) for h < t <= k,

where h and k are neighbouring horizons with a forecast (a), and m is the closed form; beyond the
last horizon the last factor stays. Where no closed form could be fitted, H_m(t) = t: orders at an
even rate between the forecasts.

A customer may never order again, so that the waiting time need not have a mean, nor a median. p50
is the first day with P(order by then) >= 0.5, p90 with 0.9, and neither is told beyond two years.
What belongs here is dates; the chances come from `forecasts`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import DataError
from orchestration.science.forecasts.closed_forms import distinct_histories, fitted
from orchestration.science.forecasts.records import Forecast
from orchestration.science.ledger import Ledger
from orchestration.science.purchases.models import MODELS
from orchestration.science.value.records import NextOrders

Floats = NDArray[np.float64]

# A date further off says less than none.
CAP_DAYS = 730
# Days at which the chance is worked out; between them the hazard is taken as even.
NODES = np.unique(
    np.concatenate([np.arange(0, 15), np.arange(16, 60, 4), np.geomspace(60, CAP_DAYS, 24).round()])
).astype(float)
# The first that could be fitted lends its shape. Its level is the forecasts'.
CURVES = ("bgnbd", "mbgnbd", "pareto_nbd")
# A sure order would come at once: H must stay finite.
HIGHEST_P = 1 - 1e-9
CUSTOMERS_AT_ONCE = 100_000


def next_orders(ledger: Ledger, forecasts: Sequence[Forecast] = ()) -> NextOrders:
    """Say when every customer of the ledger orders next.

    Parameters
    ----------
    ledger : Ledger
    forecasts : sequence of Forecast
        Of the same ledger, each with another horizon. Those of level ``none`` are left out;
        without any, the closed form speaks alone.

    Returns
    -------
    NextOrders
        Level ``none`` where there is neither a forecast nor a closed form.

    Raises
    ------
    DataError
        If two forecasts share a horizon or are of another ledger.
    """
    spoken = sorted((f for f in forecasts if f.level != "none"), key=lambda f: f.horizon_days)
    _refuse_strangers(ledger, spoken)
    name, own = _curve(ledger)
    if own is None and not spoken:
        nothing = np.full(ledger.n_customers, np.nan)
        return NextOrders(
            model_name=name,
            level="none",
            verdict="no forecast of orders, and no closed form could be fitted",
            expected_days=nothing,
            p50_days=nothing,
            p90_days=nothing,
        )
    parts = [
        _dates(_bent(own, spoken, chosen))
        for chosen in np.array_split(
            np.arange(ledger.n_customers), max(1, -(-ledger.n_customers // CUSTOMERS_AT_ONCE))
        )
    ]
    expected, median, late = (np.concatenate(column) for column in zip(*parts, strict=True))
    horizons = ", ".join(f"{f.model_name} at {f.horizon_days} days" for f in spoken)
    level = "customer" if own is not None else "pooled"
    return NextOrders(
        model_name=spoken[0].model_name if spoken else name,
        level=spoken[0].level if spoken else level,
        verdict=f"shape of {name}" + (f", level of {horizons}" if horizons else ""),
        expected_days=expected,
        p50_days=median,
        p90_days=late,
    )


def share_ordered_by(ledger: Ledger, known: Ledger, days: Floats) -> tuple[float, int]:
    """Share of the customers of an earlier day who had ordered by their own day.

    Parameters
    ----------
    ledger : Ledger
        What is known now.
    known : Ledger
        The earlier one, whose customers are asked about.
    days : array of float, shape (known.n_customers,)
        Days after ``known.until``, such as ``NextOrders.p50_days``. Who has none, or one that is
        not over by now, is left out.

    Returns
    -------
    share : float
        0.5 and 0.9 or a little more, where p50 and p90 are right. NaN if nobody is asked.
    n_customers : int
        How many were asked.
    """
    occasions = ledger.occasions()
    later = occasions.day > known.until
    waited = np.full(ledger.n_customers, np.inf)
    np.minimum.at(waited, occasions.customer[later], occasions.day[later] - known.until)
    asked = ~np.isnan(days) & (days <= ledger.until - known.until)
    mine = waited[np.searchsorted(ledger.customer_ids, known.customer_ids)]
    n_asked = int(np.count_nonzero(asked))
    return float((mine[asked] <= days[asked]).mean()) if n_asked else float("nan"), n_asked


class _Curve:
    """Cumulative hazards of a closed form at `NODES` and any other day, by customer."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.model, self.fit = MODELS[name], fitted(ledger, name)
        self.histories = distinct_histories(ledger)

    def hazard(self, days: Floats, customers: NDArray[np.intp]) -> Floats:
        """H_m, shape (n_customers, n_days); worked out once for each distinct history."""
        x, t_x, T, position = self.histories
        rows, back = np.unique(position[customers], return_inverse=True)
        history = (column[rows, None] for column in (x, t_x, T))
        chance = self.model.p_at_least_one(self.fit, days[None, :], *history)
        return -np.log1p(-np.minimum(chance, HIGHEST_P))[back]


def _curve(ledger: Ledger) -> tuple[str, _Curve | None]:
    """The first closed form that could be fitted."""
    for name in CURVES:
        if ledger.n_customers and fitted(ledger, name).converged:
            return name, _Curve(ledger, name)
    return "even_rate", None


def _bent(own: _Curve | None, spoken: Sequence[Forecast], chosen: NDArray[np.intp]) -> Floats:
    """Equation (1) at `NODES`, shape (n_chosen, NODES.size)."""
    horizons = np.array([f.horizon_days for f in spoken], dtype=float)
    if own is None:
        at_nodes = np.repeat(NODES[None, :], chosen.size, axis=0)
        at_horizons = np.repeat(horizons[None, :], chosen.size, axis=0)
    else:
        together = own.hazard(np.concatenate([NODES, horizons]), chosen)
        at_nodes, at_horizons = together[:, : NODES.size], together[:, NODES.size :]
    hazard = np.zeros_like(at_nodes)
    reached_m, reached_a = np.zeros(chosen.size), np.zeros(chosen.size)
    factor = np.ones(chosen.size)
    start = 0.0
    for index, forecast in enumerate(spoken):
        asked = -np.log1p(-np.minimum(forecast.p_order[chosen], HIGHEST_P))
        step_m = np.maximum(at_horizons[:, index] - reached_m, 0.0)
        # A later forecast may not take back what an earlier one gave.
        step_a = np.maximum(asked - reached_a, 0.0)
        factor = np.divide(step_a, step_m, out=np.zeros(chosen.size), where=step_m > 0)
        within = (start < NODES) & (horizons[index] >= NODES)
        hazard[:, within] = reached_a[:, None] + factor[:, None] * (
            at_nodes[:, within] - reached_m[:, None]
        )
        reached_m, reached_a = at_horizons[:, index], reached_a + step_a
        start = horizons[index]
    beyond = start < NODES
    hazard[:, beyond] = reached_a[:, None] + factor[:, None] * (
        at_nodes[:, beyond] - reached_m[:, None]
    )
    # Rounding must not let a chance fall as time goes on.
    return np.maximum.accumulate(hazard, axis=1)


def _dates(hazard: Floats) -> tuple[Floats, Floats, Floats]:
    """Expected day, p50 and p90 from cumulative hazards at `NODES`."""
    median, late = (_first_day(hazard, -np.log1p(-level)) for level in (0.5, 0.9))
    surviving = np.exp(-hazard)
    end = surviving[:, -1:]
    waits = np.trapezoid(surviving - end, NODES, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.maximum(np.ceil(waits / (1 - end[:, 0])), 1.0)
    return np.where(np.isnan(median), np.nan, expected), median, late


def _first_day(hazard: Floats, target: float) -> Floats:
    """First whole day with H >= target; NaN where that is beyond the last node."""
    reaches = hazard >= target
    found = reaches.any(axis=1)
    right = np.maximum(np.argmax(reaches, axis=1), 1)
    rows = np.arange(hazard.shape[0])
    low, high = hazard[rows, right - 1], hazard[rows, right]
    rise = np.where(high > low, high - low, 1.0)
    day = NODES[right - 1] + (target - low) / rise * (NODES[right] - NODES[right - 1])
    # A day that is met to rounding is met.
    return np.where(found, np.maximum(np.ceil(day - 1e-9), 1.0), np.nan)


def _refuse_strangers(ledger: Ledger, spoken: Sequence[Forecast]) -> None:
    horizons = [forecast.horizon_days for forecast in spoken]
    if len(set(horizons)) < len(horizons):
        raise DataError(f"forecasts must have different horizons; found {horizons}")
    for forecast in spoken:
        if forecast.p_order.size != ledger.n_customers:
            raise DataError(
                f"the forecast is of {forecast.p_order.size} customers but the ledger has"
                f" {ledger.n_customers}"
            )
