"""What is known of the rows of a cohort before their days, and what came after.

What belongs here is the one place where rows of a cohort meet the ledger: covariates from the cut,
orders between the cut and the day, outcomes after it, and the placebo's past. Which rows there are
is decided in `cohorts`.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.features import customer_features
from orchestration.science.ledger import Events, Ledger, Occasions, Orders, Refunds

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The placebo is what came before these days, given them alone: long enough to tell who buys often,
# short enough that a shop has customers from before. It doubts too much where the event follows
# from what is older, a tier of the whole year for one.
RECENT_DAYS = 180
OUTCOMES = ("ordered", "orders", "margin")


class Chosen(NamedTuple):
    """Rows of one cut: positions in the ledger, their days, and whether the event came."""

    known: Ledger
    customer: Integers
    day: Integers
    treated: NDArray[np.bool_]


class Rows(NamedTuple):
    """Everything about the rows of one cut."""

    customer_ids: NDArray[np.object_]
    cut_day: Integers
    day: Integers
    treated: NDArray[np.bool_]
    covariates: dict[str, Floats]
    outcomes: Floats
    old_enough: NDArray[np.bool_]
    recent: dict[str, Floats]
    outcomes_before: Floats

    @classmethod
    def of(cls, ledger: Ledger, occasions: Occasions, chosen: Chosen, horizon_days: int) -> "Rows":
        """Describe the rows from before their days, and count what came after."""
        known, customer, day, treated = chosen
        cut = np.full(customer.size, known.until, dtype=np.int64)
        ids = ledger.customer_ids[customer]
        # A customer may be a control before the event of the same month: the groups apart, so that
        # each customer has one row in either.
        groups = [treated, ~treated]
        outcomes = np.empty((customer.size, len(OUTCOMES)))
        since = np.empty(customer.size)
        for group in groups:
            outcomes[group] = _counted(
                occasions, ledger.refunds, customer[group], day[group], horizon_days
            )
            since[group] = _orders_since(ledger, customer[group], known.until, day[group])
        # What is known on the cut is the same for both rows of a customer.
        lately = {
            "orders_since_cut": since,
            "days_since_cut": (day - cut).astype(float),
            "cut_day": cut.astype(float),
        }
        seen = np.searchsorted(known.customer_ids, ids)
        lately_known = _lately_known(known)
        found = np.searchsorted(lately_known.customer_ids, ids)
        found = np.minimum(found, max(lately_known.n_customers - 1, 0))
        is_old = np.zeros(customer.size, dtype=bool)
        if lately_known.n_customers:
            age = known.histories().age_days[seen]
            is_old = (lately_known.customer_ids[found] == ids) & (age >= RECENT_DAYS + horizon_days)
        before = np.full(customer.size, known.until - RECENT_DAYS - horizon_days, dtype=np.int64)
        outcomes_before = np.empty((customer.size, len(OUTCOMES)))
        earlier = known.occasions()
        for group in groups:
            outcomes_before[group] = _counted(
                earlier, known.refunds, seen[group], before[group], horizon_days
            )
        return cls(
            ids,
            cut,
            day,
            treated,
            _described(known, seen) | lately,
            outcomes,
            is_old,
            _described(lately_known, found[is_old])
            | {name: column[is_old] for name, column in lately.items()},
            outcomes_before[is_old],
        )


def _described(known: Ledger, position: Integers) -> dict[str, Floats]:
    if not known.n_customers:
        return {}
    features = customer_features(known)
    chosen = features.matrix[position].astype(float)
    return dict(zip(features.names, chosen.T, strict=True))


def _counted(
    occasions: Occasions, refunds: Refunds, customer: Integers, day: Integers, horizon_days: int
) -> Floats:
    """Whether and how often customers ordered in the days after their own day, and the margin.

    Refunds count on the day of the order that they belong to, as in `Ledger.outcomes`.
    """
    n = customer.size
    size = max(
        int(part.max(initial=-1)) for part in (occasions.customer, refunds.customer, customer)
    )
    row, start = np.full(size + 1, -1), np.zeros(size + 1, dtype=np.int64)
    row[customer], start[customer] = np.arange(n), day

    def inside(who: NDArray, when: NDArray) -> NDArray[np.bool_]:
        return (row[who] >= 0) & (when > start[who]) & (when <= start[who] + horizon_days)

    came, back = (
        inside(occasions.customer, occasions.day),
        inside(refunds.customer, refunds.ordered_day),
    )
    ordered, given = row[occasions.customer[came]], row[refunds.customer[back]]
    orders = np.bincount(ordered, minlength=n).astype(float)
    # Of nothing, bincount makes whole numbers, whatever is to be summed.
    earned = np.bincount(ordered, occasions.margin_amount[came], minlength=n).astype(float)
    margin = earned - np.bincount(given, refunds.margin_amount[back], minlength=n)
    return np.column_stack([(orders > 0).astype(float), orders, margin])


def _orders_since(ledger: Ledger, customer: Integers, cut: int, day: Integers) -> Floats:
    """Order days after the cut and before the day, as they counted on the eve of it."""
    whole = ledger.cut_from or ledger
    position = np.searchsorted(whole.customer_ids, ledger.customer_ids[customer])
    row, end = np.full(whole.n_customers, -1), np.zeros(whole.n_customers, dtype=np.int64)
    row[position], end[position] = np.arange(customer.size), day
    orders = whole.orders
    until = end[orders.customer]
    inside = (orders.day > cut) & (orders.day < until) & (orders.void_day >= until)
    inside &= row[orders.customer] >= 0
    pairs = np.unique(np.column_stack([row[orders.customer[inside]], orders.day[inside]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=customer.size).astype(float)


def _lately_known(known: Ledger) -> Ledger:
    """The same day seen by somebody who began to look so many days ago."""
    begin = known.until - RECENT_DAYS
    fresh = known.orders.day > begin
    is_customer = np.zeros(known.n_customers, dtype=bool)
    is_customer[known.orders.customer[fresh]] = True
    given = known.refunds
    recent = replace(
        known,
        orders=Orders(*(column[fresh] for column in known.orders)),
        refunds=Refunds(*(column[given.ordered_day > begin] for column in given)),
        events={
            name: Events(*(column[found.day > begin] for column in found))
            for name, found in known.events.items()
        },
        cut_from=None,
    )
    return recent.of_customers(is_customer)
