"""The level of a shop: how many orders its known customers will bring in all.

Models of single customers rank well and know no season; a shop's own series of orders knows its
season and its trend and no customer. What belongs here is the second, and the factor by which the
expectations of a model are multiplied so that both agree: the reconciliation from the top of
hierarchical forecasting, with a model's expectations as the proportions.

With A(a, b) the order days of all customers from day a to day b, d the last day that is known,
h the horizon, Y = 364 days (52 weeks, so that weekdays meet weekdays) and g = min(182, days known
before the last kY):

(1) T_k = A(d+1-kY, d+h-kY) (A(d+1-g, d) / A(d+1-g-kY, d-kY))^w for k = 1, 2, 3: the same days k
    years ago times the growth since; w = V / (V + v), with v the variance of the logarithm of that
    growth and V its variance before anything is seen, takes growth back where it was hardly seen
(2) log T = mean of log T_k, weighted by 1 / variance
(3) T (1 - s) = f (E + s T m), solved for the factor f: of T orders, the share s are first orders
    (as in the last 13 weeks); the rest are f E of the known customers and, for each newcomer, f m
    more. E is the model's total for known customers, m its orders of a new customer after the
    first, averaged over the moment of arrival.

The logarithm of f is then shrunk towards 0 by the variance of (2), as growth is in (1); what stays
unsure of it widens intervals. Weeks of campaigns that come every year are in (1); one that comes
for the first time is not.

Source: Gross & Sohl (1990), Disaggregation Methods to Expedite Product Line Forecasting, Journal of
Forecasting 9(3), 233-254; Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice,
3rd ed., sections 5.2 (seasonal naive) and 11.3 (top-down).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.forecasts import origins
from orchestration.science.forecasts.closed_forms import expectation, fitted
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.ledger import Ledger
from orchestration.science.purchases.models import MODELS

Floats = NDArray[np.float64]

YEAR_DAYS = 364
MOST_YEARS = 3
# A week of this year beside the same week of the last: less says nothing of growth.
LEAST_COMPARED_DAYS = 7
# Growth is taken from half a year: a longer period tells of a growth that is over where it slows
# down or picks up, a shorter one of a few good weeks.
GROWTH_DAYS = 182
# Where newcomers are counted: recent enough for a trend, and every weekday equally often.
NEWCOMER_DAYS = 91
# Standard deviations of logarithms before anything is seen. Growth in a year: a shop that doubles
# lies 1.4 of them out. The same days of another year, growth apart: a tenth.
GROWTH_SD = 0.5
SEASON_SD = 0.1
# Growth wanders: that of 28 days may be off by 15% as the growth of the time to come.
DRIFT_SD, DRIFT_DAYS = 0.15, 28
# A model's level in a window whose season nobody has seen. The seasons of shops that sell gifts are
# of this size, between a half and a whole year.
UNSEEN_SD = 0.25
# How far f lies from 1 before anything is seen: a model without a season that meets the end of one
# is wrong by a half and more.
FACTOR_SD = 0.5
# Moments of arrival over which the orders of newcomers are averaged.
ARRIVALS = 25


class ShopTotal(NamedTuple):
    """Order days of the whole shop within a horizon.

    ``log_sd`` is the standard deviation of the logarithm of ``orders``; ``years`` is how often
    these days of the year were seen, ``compared_days`` and ``growth`` are those of the last year
    against the one before.
    """

    orders: float
    log_sd: float
    years: int
    compared_days: int
    growth: float


class Level(NamedTuple):
    """A factor for all expectations of a model, the standard deviation of its log, and why."""

    factor: float
    log_sd: float
    verdict: str


@per_ledger
def shop_total(ledger: Ledger, horizon_days: int) -> ShopTotal | None:
    """Forecast the order days of all customers, known and new (equations 1 and 2).

    Parameters
    ----------
    ledger : Ledger
    horizon_days : int > 0
        Past a year, the last year's days stand for all later ones, and growth goes on.

    Returns
    -------
    ShopTotal, or None where less than a year and a week are known
    """
    n_days = ledger.until - ledger.first_day + 1
    years = min((n_days - LEAST_COMPARED_DAYS) // YEAR_DAYS, MOST_YEARS)
    if years < 1:
        return None
    daily = np.bincount(ledger.occasions().day - ledger.first_day, minlength=n_days).astype(float)
    dispersion = _dispersion(daily)
    so_far = np.concatenate([[0.0], np.cumsum(daily)])

    def orders_between(first: int, end: int) -> float:
        return float(so_far[end] - so_far[first])

    logs, variances, growths = [], [], []
    for k in range(1, years + 1):
        back = k * YEAR_DAYS
        compared = min(GROWTH_DAYS, n_days - back)
        now = orders_between(n_days - compared, n_days)
        then = orders_between(n_days - back - compared, n_days - back)
        days = min(horizon_days, back)
        before = orders_between(n_days - back, n_days - back + days) * horizon_days / days
        if min(now, then, before) <= 0:
            continue
        prior = k * GROWTH_SD**2
        seen = dispersion * (1 / now + 1 / then) + k * DRIFT_SD**2 * DRIFT_DAYS / compared
        weight = prior / (prior + seen)
        # From the middle of one window to the middle of the other, in units of k years.
        distance = max(1.0, (horizon_days + back) / (2 * back))
        logs.append(np.log(before) + distance * weight * np.log(now / then))
        variances.append(distance**2 * weight * seen + SEASON_SD**2 + dispersion / before)
        growths.append((compared, now / then))
    if not logs:
        return None
    share = 1 / np.array(variances)
    share /= share.sum()
    # Every year is compared with the same present, so that a second one halves no error of growth.
    return ShopTotal(
        float(np.exp(share @ np.array(logs))),
        float(np.sqrt(share @ np.array(variances))),
        len(logs),
        *growths[0],
    )


def level_of(
    ledger: Ledger, model_name: str, horizon_days: int, day: int | None = None
) -> Level | None:
    """Find the factor that reconciles a model with the shop's own series (equation 3).

    Parameters
    ----------
    ledger, model_name, horizon_days, day
        As in `closed_forms.expectation`: at an earlier day, from the orders known then.

    Returns
    -------
    Level, or None where the model's fit may not be used
        Of factor 1 where the history is too short for a season; the verdict says which it is.
    """
    found = expectation(ledger, model_name, horizon_days, day)
    if found is None:
        return None
    known = ledger if day is None else origins.known_at(ledger, day)
    total = shop_total(known, horizon_days)
    if total is None:
        return Level(
            1.0,
            UNSEEN_SD,
            f"level not corrected: {known.until - known.first_day + 1} days are too short for a"
            f" season ({YEAR_DAYS + LEAST_COMPARED_DAYS} are needed), so the interval is wider",
        )
    share = _newcomer_share(known)
    left = horizon_days * (np.arange(ARRIVALS) + 0.5) / ARRIVALS
    fit = fitted(ledger, model_name)
    later = float(MODELS[model_name].expected_purchases(fit, left, 0, 0, 0).mean())
    sum_known = float(found.expected_orders.sum())
    factor = total.orders * (1 - share) / (sum_known + share * total.orders * later)
    believed = FACTOR_SD**2 / (FACTOR_SD**2 + total.log_sd**2)
    factor **= believed
    return Level(
        float(factor),
        float(np.sqrt(believed) * total.log_sd),
        f"level x {factor:.3f}: these days of the year were seen {total.years} time"
        f"{'s' if total.years > 1 else ''}, and {total.compared_days} days grew by"
        f" {total.growth - 1:+.0%} in a year",
    )


def _newcomer_share(ledger: Ledger) -> float:
    """Share of recent order days that were a customer's first; half a count keeps it inside."""
    occasions = ledger.occasions()
    is_first = np.ones(occasions.day.size, dtype=bool)
    is_first[1:] = np.diff(occasions.customer) != 0
    recent = occasions.day > ledger.until - NEWCOMER_DAYS
    return float((np.sum(recent & is_first) + 0.5) / (np.sum(recent) + 1))


def _dispersion(daily: Floats) -> float:
    """Variance of a week's orders over their mean, from one week to the next; 1 if random."""
    weeks = daily[daily.size % 7 :].reshape(-1, 7).sum(axis=1)
    return float(max(1.0, np.mean(np.diff(weeks) ** 2) / 2 / max(weeks.mean(), 1e-9)))
