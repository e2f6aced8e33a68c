"""Intervals of counts that hold: the nominal levels that covered four in five at earlier days.

What belongs here is the calibration of intervals, for any forecaster that has a distribution. The
interval of nominal level c is [Q((1-c)/2), Q((1+c)/2)], both bounds included, with Q(p) the
smallest count that is not exceeded with probability p. Counts are mostly zero, and none can be cut
in two, so that c = 0.8 covers far more than 80% of customers. Each customer of an earlier day needs
the level

(1) s = max(2 F(y-1) - 1, 1 - 2 F(y)),  y what came, F the distribution function forecast then,

to have y inside (the ends of the non-randomised probability integral transform of Czado, Gneiting &
Held, folded at the median), and

(2) c = the ceil(beta (n+1))-th smallest of n values of s

covers a share beta of customers who are like those n (split conformal prediction, Vovk et al., with
quantiles as Romano et al. take them). It is found apart for three groups, so that the silent do not
pay for the regular (a taxonomy of Vovk et al.): by the chance of no order,

- from 0.8 on: [0, 0] is the shortest interval there is, and covers a > 80% whatever c;
- from 0.5 to 0.8, and below: beta is such that all three together cover 80%, but at least 70%, or a
  shop full of silent customers would have an interval of [0, 0] for its regulars too.

Where earlier days look less far ahead than is asked, beta stays at 80%: what was not tested is not
narrowed. Tomorrow's season and growth may differ from all earlier days at once, which no conformal
argument covers: the bounds are those of a level that is one standard deviation lower and higher.
A larger variance of the distribution would not do, as it moves mass to zero before it moves bounds.

Source: Czado, Gneiting & Held (2009), Biometrics 65(4), 1254-1261; Vovk, Gammerman & Shafer (2005),
Algorithmic Learning in a Random World, chapters 2 and 4; Romano, Patterson & Candes (2019),
Conformalized Quantile Regression, NeurIPS 32.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts import counts, origins
from orchestration.science.forecasts.counts import Counts
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.forecasts.records import Forecast
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

COVERAGE = 0.8
LEAST_COVERAGE = 0.7
# Groups by the chance of no order; in the last one zero alone covers enough.
GROUP_EDGES = (0.5, COVERAGE)
N_CALIBRATED = 2
# The quantile at 80% of fewer scores than these may be any of them.
LEAST_CUSTOMERS = 50


class Predict(Protocol):
    """What a forecaster says of a horizon after a ledger, or after an earlier day of it."""

    def __call__(
        self, ledger: Ledger, horizon_days: int, day: int | None = None
    ) -> Counts | None: ...


class Predicts(Protocol):
    """Whoever can be asked for today and for earlier days."""

    @property
    def model_name(self) -> str: ...

    @property
    def predict(self) -> Predict: ...


class Scores(NamedTuple):
    """Of each customer of the earlier days: the group, and the level needed (equation 1).

    ``horizon_days`` is how far those days looked ahead; 0 if there were none.
    """

    group: NDArray[np.intp]
    score: Floats
    horizon_days: int


class Intervals(NamedTuple):
    """Bounds of shape (n_customers,), both included, and how they were found."""

    low: Floats
    high: Floats
    note: str


@per_ledger
def earlier_scores(ledger: Ledger, predict: Predict, horizon_days: int) -> Scores:
    """Score what was forecast at the inner origins of a ledger against what came."""
    groups, scores, tested = [], [], 0
    for origin in origins.inner_origins(ledger, horizon_days):
        predicted = predict(ledger, origin.horizon_days, origin.day)
        if predicted is None:
            continue
        mean, shape = predicted.expected_orders, predicted.shape
        y = origins.orders_after(ledger, origin)
        groups.append(_group_of(predicted.p_order))
        below, up_to = counts.p_at_most(y - 1, mean, shape), counts.p_at_most(y, mean, shape)
        scores.append(np.maximum(2 * below - 1, 1 - 2 * up_to))
        tested = origin.horizon_days
    if not scores:
        return Scores(np.zeros(0, dtype=np.intp), np.zeros(0), 0)
    return Scores(np.concatenate(groups), np.concatenate(scores), tested)


def intervals(
    ledger: Ledger, predict: Predict, horizon_days: int, predicted: Counts, log_sd: float = 0.0
) -> Intervals:
    """Find the 80% interval of every customer.

    Parameters
    ----------
    ledger : Ledger
    predict : function
        Asked what it would have said at earlier days.
    horizon_days : int > 0
    predicted : Counts
        What it says for the ledger itself.
    log_sd : float >= 0
        Standard deviation of the logarithm of the level common to all customers.
    """
    scores = earlier_scores(ledger, predict, horizon_days)
    mean, p_order, shape = predicted
    group = _group_of(p_order)
    wanted = COVERAGE
    if scores.horizon_days >= horizon_days:
        silent = group == N_CALIBRATED
        covered, n_others = np.sum(1 - p_order[silent]), max(np.sum(~silent), 1)
        wanted = float(
            np.clip((COVERAGE * group.size - covered) / n_others, LEAST_COVERAGE, COVERAGE)
        )
    level = np.zeros(group.size)
    for which in range(N_CALIBRATED):
        level[group == which] = _nominal(scores.score[scores.group == which], wanted)
    low = counts.quantile((1 - level) / 2, mean * np.exp(-log_sd), shape)
    high = counts.quantile((1 + level) / 2, mean * np.exp(log_sd), shape)
    note = f"80% interval tested {scores.horizon_days} days ahead on {scores.score.size} customers"
    if not scores.horizon_days:
        note = "80% interval untested: no earlier day has an outcome"
    return Intervals(low, high, note)


def bounded(
    ledger: Ledger,
    forecaster: Predicts,
    horizon_days: int,
    predicted: Counts,
    verdict: str,
    log_sd: float = 0.0,
) -> Forecast:
    """Complete what a forecaster says of every customer to a forecast with its 80% interval."""
    bounds = intervals(ledger, forecaster.predict, horizon_days, predicted, log_sd)
    return Forecast(
        model_name=forecaster.model_name,
        horizon_days=horizon_days,
        level="customer",
        verdict=f"{verdict}; {bounds.note}",
        expected_orders=predicted.expected_orders,
        p_order=predicted.p_order,
        orders_p10=bounds.low,
        orders_p90=bounds.high,
    )


def _nominal(scores: Floats, wanted: float) -> float:
    """The level that covered the wanted share (equation 2); the wanted share where few are known."""
    rank = int(np.ceil(wanted * (scores.size + 1)))
    if scores.size < LEAST_CUSTOMERS or rank > scores.size:
        return wanted
    # Customers of one history have one score: just above it, all of them are inside.
    return float(np.clip(np.partition(scores, rank - 1)[rank - 1] + 1e-9, 0.0, 1 - 1e-9))


def _group_of(p_order: Floats) -> NDArray[np.intp]:
    return np.searchsorted(GROUP_EDGES, 1 - p_order, side="right")
