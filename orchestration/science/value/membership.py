"""What a running membership still brings by itself: the fees to come less the cost of benefits.

At the end of each term the member renews or not. With t_k the day of the k-th renewal to come and
r_k its chance given the ones before (`renewals`), the membership makes exactly k renewals within
the horizon with probability r_1 ... r_k (1 - r_{k+1}), and is then worth

(1) V_k = sum over j <= k of fee v(t_j) - cost of benefits up to t_{k+1},

v being the discount. The cost of benefits over so many (discounted) days is uncertain, too
(`benefits`), and is taken as a gamma with its mean and variance; the value is the mixture of these
over the few numbers of renewals. Fees count in full on the day they are paid; the current term is
paid and counts for its benefits alone.

A member who has asked to leave will not renew. One whose term is over but not its grace has not
paid on time, and renews as seldom as such members did (``late_rate``). Orders placed by members
are no part of this: they are in the residual margin.

Source: Fader & Hardie (2010), Marketing Science 29(1), 85-93, for the value of renewals.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import gammaincc

from orchestration.science.errors import DataError
from orchestration.science.histories import refuse_where
from orchestration.science.side_by_side import side_by_side
from orchestration.science.value.benefits import BenefitCosts, benefit_costs
from orchestration.science.value.records import MembershipValues
from orchestration.science.value.renewals import (
    TRIAL,
    Decisions,
    RenewalModel,
    renewal_models,
)

Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365
MONTHS_PER_YEAR = 12
MEMBERSHIP_COLUMNS = (
    "membership_id",
    "customer_id",
    "billing_period",
    "paid_billing_period",
    "paid_term_months",
    "term_number",
    "days_to_renewal",
    "next_fee_amount",
    "is_cancel_requested",
    "benefit_cost_amount",
    "covered_days",
)
RENEWAL_COLUMNS = (
    "billing_period",
    "term_number",
    "decided_terms",
    "renewed_terms",
    "renewed_late_terms",
)
LOWER, UPPER = 0.1, 0.9
# Where a quantile is searched, and how often the interval is halved: to a millionth of its width.
TAIL_DEVIATIONS = 12.0
HALVINGS = 30


def membership_values(
    memberships: pa.Table, renewals: pa.Table, horizon_days: int, yearly_discount_rate: float
) -> MembershipValues:
    """Value every running membership over a horizon.

    Parameters
    ----------
    memberships : pyarrow.Table
        One row per running membership:
        membership_id, customer_id : text
        billing_period : trial, or the plan's interval (monthly, annual)
        paid_billing_period : the interval that is paid after a trial; itself elsewhere
        paid_term_months : months of a paid term
        term_number : of the current term, 0 for a trial
        days_to_renewal : days until the current term is over; negative within the grace
        next_fee_amount : net fee of the next term, pauses averaged in; null if unknown
        is_cancel_requested : whether the member has asked to leave
        benefit_cost_amount, covered_days : what the benefits cost so far, and in how many days
    renewals : pyarrow.Table
        billing_period, term_number, decided_terms, renewed_terms, renewed_late_terms.
    horizon_days : int > 0
    yearly_discount_rate : float > -1

    Returns
    -------
    MembershipValues
        NaN, and no model's name, where no term of the plan's interval was ever decided or the fee
        is unknown.

    Raises
    ------
    DataError
        If a column is missing, a count is impossible, or a horizon or rate is.
    """
    _refuse_missing("memberships", memberships, MEMBERSHIP_COLUMNS)
    _refuse_missing("renewals", renewals, RENEWAL_COLUMNS)
    if horizon_days <= 0:
        raise DataError(f"horizon_days must be above 0; found {horizon_days}")
    if not (np.isfinite(yearly_discount_rate) and yearly_discount_rate > -1):
        raise DataError(f"yearly_discount_rate must be above -1; found {yearly_discount_rate}")
    memberships = memberships.sort_by("membership_id")
    models = renewal_models(
        Decisions(
            _texts(renewals, "billing_period"),
            *(_numbers(renewals, name) for name in RENEWAL_COLUMNS[1:]),
        )
    )
    size = memberships.num_rows
    paid = _texts(memberships, "paid_billing_period")
    used = _benefit_costs(memberships, paid)
    columns = {
        name: np.full(size, np.nan)
        for name in ("expected_fees", "expected_benefit_cost", "expected", "p10", "p90")
    }
    p_next = np.full(size, np.nan)
    names = np.full(size, None, dtype=object)
    is_trial = _texts(memberships, "billing_period") == TRIAL
    for interval in sorted(set(paid.tolist())):
        model, trial = models.get(interval), models.get(TRIAL)
        own = (paid == interval) & ~np.isnan(_numbers(memberships, "next_fee_amount"))
        if model is None:
            continue
        if trial is None:
            own &= ~is_trial
        rows = np.flatnonzero(own)
        if not rows.size:
            continue
        part = memberships.take(rows)
        days, chances = _renewals_to_come(part, model, trial, horizon_days)
        p_next[rows] = chances[:, 0]
        # Beyond the horizon nothing is paid, whatever is decided.
        chances = np.where(days <= horizon_days, chances, 0.0)
        found = _values(
            days,
            chances,
            _numbers(part, "next_fee_amount"),
            BenefitCosts(*(column[rows] for column in used)),
            horizon_days,
            float(np.log1p(yearly_discount_rate)) / DAYS_PER_YEAR,
        )
        for name, values in zip(columns, found, strict=True):
            columns[name][rows] = values
        names[rows] = model.model_name
    return MembershipValues(
        membership_ids=_texts(memberships, "membership_id"),
        customer_ids=_texts(memberships, "customer_id"),
        model_names=names,
        horizon_days=horizon_days,
        verdict="; ".join(f"{name}: {models[name].verdict}" for name in models)
        or "no term was ever decided",
        p_next_renewal=p_next,
        **columns,
    )


def _renewals_to_come(
    memberships: pa.Table, model: RenewalModel, trial: RenewalModel | None, horizon_days: int
) -> tuple[Floats, Floats]:
    """Days of the renewals to come and the chance of each given the ones before.

    Returns
    -------
    days, chances : arrays of float, shape (n_memberships, n_renewals + 1)
        The last day lies beyond the horizon: it closes the last term and brings no fee.
    """
    left = _numbers(memberships, "days_to_renewal")
    number = _numbers(memberships, "term_number")
    months = _numbers(memberships, "paid_term_months")
    refuse_where(~(months > 0), "paid_term_months must be above 0", paid_term_months=months)
    refuse_where(~np.isfinite(left), "days_to_renewal must be known", days_to_renewal=left)
    refuse_where(~(number >= 0), "term_number must be 0 or more", term_number=number)
    term_days = months * DAYS_PER_YEAR / MONTHS_PER_YEAR
    n_renewals = int(np.ceil(horizon_days / term_days.min())) + 1
    days = np.maximum(left, 0.0)[:, None] + term_days[:, None] * np.arange(n_renewals + 1)
    # The k-th renewal ends the term with number n + k - 1; after a trial the first ends term 0.
    numbers = number[:, None] + np.arange(n_renewals + 1)
    chances = model.renewal_rate(np.maximum(numbers, 1.0))
    if trial is not None:
        chances = np.where(numbers < 1, trial.rate, chances)
    late = left < 0
    is_trial = number < 1
    chances[late & ~is_trial, 0] = model.late_rate
    if trial is not None:
        chances[late & is_trial, 0] = trial.late_rate
    asked = pc.cast(memberships["is_cancel_requested"], pa.float64())
    chances[asked.to_numpy(zero_copy_only=False) > 0, 0] = 0.0
    return days, chances


def _values(
    days: Floats,
    chances: Floats,
    fee: Floats,
    used: BenefitCosts,
    horizon_days: int,
    daily_rate: float,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Expected fees and benefit cost, their difference, and its quantiles (equation 1)."""
    fees = np.cumsum(np.exp(-daily_rate * days) * fee[:, None], axis=1)
    fees = np.concatenate([np.zeros((fee.size, 1)), fees[:, :-1]], axis=1)
    ends = np.minimum(days, horizon_days)
    worth = ends if daily_rate == 0 else -np.expm1(-daily_rate * ends) / daily_rate
    # Exactly k renewals: k of them, and not the next.
    stays = np.cumprod(chances, axis=1)
    chance = np.concatenate([np.ones((fee.size, 1)), stays[:, :-1]], axis=1) - stays
    cost = worth * used.per_day[:, None]
    variance = worth * used.scatter[:, None] + worth**2 * used.unknown[:, None]
    expected_fees, expected_cost = (chance * fees).sum(axis=1), (chance * cost).sum(axis=1)
    low, high = side_by_side(
        lambda level: _quantile(level, chance, fees, cost, variance), (LOWER, UPPER)
    )
    return expected_fees, expected_cost, expected_fees - expected_cost, low, high


def _quantile(level: float, chance: Floats, fees: Floats, cost: Floats, variance: Floats) -> Floats:
    """Quantile of the mixture of fees less a gamma with this mean and variance, by bisection."""
    certain = (cost <= 0) | (variance <= 0)
    shape = np.where(certain, 1.0, cost**2 / np.where(certain, 1.0, variance))
    scale = np.where(certain, 1.0, variance / np.where(certain, 1.0, cost))
    low = (fees - cost - TAIL_DEVIATIONS * np.sqrt(variance)).min(axis=1)
    high = fees.max(axis=1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        saved = fees - middle[:, None]
        # The value is at most the middle where the cost is at least what the fees exceed it by.
        at_most = np.where(certain, cost >= saved, gammaincc(shape, np.maximum(saved, 0.0) / scale))
        reached = (chance * at_most).sum(axis=1) >= level
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def _benefit_costs(memberships: pa.Table, interval: NDArray[np.object_]) -> BenefitCosts:
    """Estimate by plan interval; the arrays are in the order of the memberships."""
    cost, days = (_numbers(memberships, name) for name in ("benefit_cost_amount", "covered_days"))
    found = BenefitCosts(*np.zeros((3, cost.size)))
    for name in sorted(set(interval.tolist())):
        own = interval == name
        for column, values in zip(found, benefit_costs(cost[own], days[own]), strict=True):
            column[own] = values
    return found


def _refuse_missing(what: str, table: pa.Table, columns: tuple[str, ...]) -> None:
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise DataError(f"{what} lack {', '.join(missing)}; found {table.column_names}")


def _numbers(table: pa.Table, name: str) -> Floats:
    values: Any = pc.cast(table[name], pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=float)


def _texts(table: pa.Table, name: str) -> NDArray[np.object_]:
    values = np.empty(table.num_rows, dtype=object)
    values[:] = table[name].to_pylist()
    return values
