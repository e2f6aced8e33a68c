"""Forecasts for shops that are too small or too young for a model of each customer.

The model: a customer has ordered on one day, on two, or on more, the last one so many days ago.
Within a step of 30 days the members of a group (order days, by class of days since the last) order
with one chance, which is drawn to the shop's and to that of the class before; who orders has one
order day more and has just ordered, everybody else is a step older. A Markov chain of customers,
whose expectations are sums over the step of the next order:

(1) W(t) = sum over i of S_i p_i (c + R(t - i - 1)), S_i = product over j < i of (1 - p_j),

where p_i is the chance in step i of who has not ordered until then, c the order days of who orders
in a step, and R is (1) for who has just ordered. P(no order) is S at the horizon.

What belongs here is this forecast and the two limits that call for it.

Source: Pfeifer & Carraway (2000), Modeling Customer Relationships as Markov Chains, Journal of
Interactive Marketing 14(2), 43-55; Buehlmann & Straub (1970), Mitteilungen der VSVM 70, 111-133.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from orchestration.science.forecasts import counts
from orchestration.science.forecasts.per_ledger import known_at
from orchestration.science.forecasts.records import Forecast, no_forecast
from orchestration.science.histories import distinct_rows
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# Below either, groups of customers share one forecast.
SMALL_SHOP_CUSTOMERS = 500
YOUNG_SHOP_DAYS = 180

STEP_DAYS = 30
# A shop younger than four steps takes shorter ones, down to a week.
SHORTEST_STEP_DAYS = 7
MOST_STEPS = 24
# Days since the last order, up to which a class reaches.
RECENCY_EDGES = np.array([30, 60, 90, 180, 365])
# One order day, two, or more.
FREQUENCY_CLASSES = 3
# A group is not believed more than half before it has been seen for as many customer-steps.
LEAST_SHRINKAGE_STEPS = 6.0
# Jeffreys' prior of a rate: no order seen so far is not a rate of nought.
JEFFREYS = 0.5
HIGHEST_CHANCE = 0.95
# Fewer customer-steps say nothing of a rate: its prior would speak alone.
MINIMUM_STEPS_LIVED = 12


def is_small(ledger: Ledger) -> bool:
    """Whether the shop is too small or too young for a forecast of each customer."""
    if not ledger.orders.day.size:
        return True
    age_days = ledger.until - ledger.first_day
    return ledger.n_customers < SMALL_SHOP_CUSTOMERS or age_days < YOUNG_SHOP_DAYS


@dataclass(frozen=True)
class _Chances:
    """``chance`` to order within a step, shape (FREQUENCY_CLASSES, RECENCY_EDGES.size + 1)."""

    chance: Floats
    orders_of_who_orders: float
    step_days: int
    n_orders: int


@dataclass(frozen=True)
class PooledGroups:
    """The chain of groups as a forecaster."""

    model_name: str = "pooled_groups"

    def forecast(self, ledger: Ledger, horizon_days: int) -> Forecast:
        """Forecast every customer by group; level ``none`` where no step has been lived yet."""
        if not ledger.n_customers:
            return no_forecast(self.model_name, horizon_days, 0, "the shop has no customer yet")
        learnt = _learn(ledger)
        if learnt is None:
            return no_forecast(
                self.model_name,
                horizon_days,
                ledger.n_customers,
                f"too little data: {ledger.n_customers} customers known for"
                f" {ledger.until - ledger.first_day} days have lived fewer than"
                f" {MINIMUM_STEPS_LIVED} steps together",
            )
        histories = ledger.histories()
        (often, idle), position = distinct_rows(
            _frequency_class(histories.frequency), histories.age_days - histories.recency_days
        )
        expected, p_order = _expect(learnt, horizon_days, often.astype(int), idle)
        low, high = _interval(learnt, expected, p_order)
        return Forecast(
            model_name=self.model_name,
            horizon_days=horizon_days,
            level="pooled",
            verdict=(
                f"pooled: {ledger.n_customers} customers known for"
                f" {ledger.until - ledger.first_day} days share the chances of their group, learnt"
                f" from {learnt.n_orders} repeat orders"
            ),
            expected_orders=expected[position],
            p_order=p_order[position],
            orders_p10=low[position],
            orders_p90=high[position],
        )


POOLED = PooledGroups()


def _learn(ledger: Ledger) -> _Chances | None:
    """Count, over past steps, how many of each group were there and ordered."""
    age = ledger.until - ledger.first_day
    step = min(STEP_DAYS, age // 4)
    step = max(step, SHORTEST_STEP_DAYS)
    shape = (FREQUENCY_CLASSES, RECENCY_EDGES.size + 1)
    lived, ordered, orders = np.zeros(shape), np.zeros(shape), 0.0
    for back in range(1, MOST_STEPS + 1):
        day = ledger.until - back * step
        if day < ledger.first_day:
            break
        known = known_at(ledger, day)
        if not known.n_customers:
            continue
        histories = known.histories()
        group = (
            _frequency_class(histories.frequency),
            _recency_class(histories.age_days - histories.recency_days),
        )
        came = ledger.outcomes(known, step).order_count
        np.add.at(lived, group, 1.0)
        np.add.at(ordered, group, came > 0)
        orders += float(came.sum())
    if lived.sum() < MINIMUM_STEPS_LIVED:
        return None
    shop = min((ordered.sum() + JEFFREYS) / (lived.sum() + 2 * JEFFREYS), HIGHEST_CHANCE)
    own = _own_weight(lived, ordered)
    rate = np.divide(ordered, lived, out=np.zeros(shape), where=lived > 0)
    # What a class of recency does not know of itself, it takes from the one before: those who have
    # been idle for longer than anybody was yet order no more often than those idle for long.
    chance, before = np.empty(shape), np.full(FREQUENCY_CLASSES, shop)
    for place in range(shape[1]):
        before = own[:, place] * rate[:, place] + (1 - own[:, place]) * before
        chance[:, place] = before
    per_buyer = orders / ordered.sum() if ordered.any() else 1.0
    return _Chances(np.minimum(chance, HIGHEST_CHANCE), per_buyer, step, round(orders))


def _own_weight(lived: Floats, ordered: Floats) -> Floats:
    """Weight of each group's own rate beside the shop's: n / (n + k), k = within / between variance.

    The two variances are Buehlmann and Straub's estimates by moments. Groups that differ no more
    than chance makes them have no weight at all.
    """
    seen = lived > 0
    n, rate = lived[seen], ordered[seen] / lived[seen]
    mean = ordered.sum() / n.sum()
    within = float(n @ (rate * (1 - rate)) / n.sum())
    spread = float(n @ (rate - mean) ** 2) - (n.size - 1) * within
    reach = n.sum() - float(n @ n) / n.sum()
    if spread <= 0 or reach <= 0:
        return np.zeros(lived.shape)
    return lived / (lived + max(within * reach / spread, LEAST_SHRINKAGE_STEPS))


def _frequency_class(frequency: Floats) -> NDArray[np.int_]:
    return np.minimum(frequency, FREQUENCY_CLASSES - 1).astype(int)


def _recency_class(idle_days: Floats) -> NDArray[np.intp]:
    return np.searchsorted(RECENCY_EDGES, idle_days, side="left")


def _expect(
    learnt: _Chances, horizon_days: int, often: NDArray[np.int_], idle_days: Floats
) -> tuple[Floats, Floats]:
    """Expected orders and the chance of any, for each starting group and days (equation 1)."""
    # The last step may be cut short; its chance is the share of it that is left.
    ends = np.append(np.arange(learnt.step_days, horizon_days, learnt.step_days), horizon_days)
    lengths = np.diff(ends, prepend=0) / learnt.step_days
    # R by frequency class and steps left: an order falls in the middle of its step.
    just_ordered = np.zeros((FREQUENCY_CLASSES, lengths.size + 1))
    classes = np.arange(FREQUENCY_CLASSES)
    idle = np.full(FREQUENCY_CLASSES, learnt.step_days / 2)
    for left in range(1, lengths.size + 1):
        just_ordered[:, left] = _next_order(learnt, lengths[-left:], classes, idle, just_ordered)[0]
    return _next_order(learnt, lengths, often, idle_days, just_ordered)


def _next_order(
    learnt: _Chances,
    lengths: Floats,
    often: NDArray[np.int_],
    idle_days: Floats,
    just_ordered: Floats,
) -> tuple[Floats, Floats]:
    """Sum over the step of the next order (equation 1)."""
    expected, surviving = np.zeros(idle_days.size), np.ones(idle_days.size)
    after = np.minimum(often + 1, FREQUENCY_CLASSES - 1)
    for index, length in enumerate(lengths):
        idle = idle_days + index * learnt.step_days
        p = -np.expm1(np.log1p(-learnt.chance[often, _recency_class(idle)]) * length)
        later = just_ordered[after, lengths.size - index - 1]
        expected += surviving * p * (learnt.orders_of_who_orders + later)
        surviving = surviving * (1 - p)
    return expected, 1 - surviving


def _interval(learnt: _Chances, expected: Floats, p_order: Floats) -> tuple[Floats, Floats]:
    """Bounds of 80% in which the shop's own rate is uncertain, too.

    The rate behind few orders is known to a factor, the quantiles of a Gamma(orders + 1/2) over
    its mean; the lower bound is taken at the low rate and the upper at the high one, which is
    wider than 80% and meant to be.
    """
    known = learnt.n_orders + JEFFREYS
    slow, fast = gamma.ppf([0.1, 0.9], known) / known
    shape = counts.shape_of(expected, p_order)
    low, _ = counts.interval(0.8, expected * slow, shape)
    _, high = counts.interval(0.8, expected * fast, shape)
    return low, high
