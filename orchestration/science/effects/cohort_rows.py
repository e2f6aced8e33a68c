"""What is known of the rows of a cohort before their days, and what came after.

What belongs here is the one place where rows of a cohort meet the ledger: covariates from the days
before, outcomes from the days after, and the placebo's past. Which rows there are is decided in
`cohorts`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

OUTCOMES = ("ordered", "orders", "margin")
# Order days are counted over these stretches before the row's day, and over all time.
LOOK_BACK_DAYS = (30, 90, 180, 365)
# What happened so long ago counts for a third of what happened yesterday.
RECENCY_DAYS = 90
# Groups of fewer rows than these are not told apart.
FEWEST_OF_GROUP = 20
# A customer's pace is that of one who is so much older: one order of yesterday is no pace.
PACE_DAYS = 180


class Keys(NamedTuple):
    """Rows of a cohort: positions in the ledger and in what they come from, and days; (n_rows,) each.

    Covariates know the days before ``known_before``; the outcome begins after ``day``.
    """

    customer: Integers
    day: Integers
    known_before: Integers
    place: Integers


class Pairs(NamedTuple):
    """Every row beside every entry of the same customer; each of shape (n_pairs,)."""

    row: Integers
    entry: Integers

    @classmethod
    def of(cls, row_customer: Integers, entry_customer: NDArray) -> "Pairs":
        """Pair them; those of a row come as the entries do."""
        # Orders ascend by customer already; of other entries nobody promises it.
        place = (
            np.argsort(entry_customer, kind="stable")
            if (np.diff(entry_customer) < 0).any()
            else np.arange(entry_customer.size)
        )
        ascending = entry_customer[place]
        begin = np.searchsorted(ascending, row_customer, side="left")
        count = np.searchsorted(ascending, row_customer, side="right") - begin
        row = np.repeat(np.arange(row_customer.size), count)
        # The n-th pair of a row is the n-th entry of its customer.
        nth = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
        return cls(row, place[begin[row] + nth])


def first_order_days(ledger: Ledger) -> Integers:
    """First day on which each customer of a ledger placed an order, given back later or not."""
    first = np.full(ledger.n_customers, np.iinfo(np.int64).max)
    np.minimum.at(first, ledger.orders.customer, ledger.orders.day.astype(np.int64))
    return first


def outcomes_of(
    ledger: Ledger, customer: Integers, day: Integers, horizon_days: int, known_before: Integers
) -> Floats:
    """Whether and on how many days customers ordered in the days after their own, and the margin.

    Refunds count on the day of the order that they belong to, as in `Ledger.outcomes`; orders that
    were given back and refunds count as they were known on the eve of ``known_before``.

    Returns
    -------
    array, shape (n_rows, 3)
        In the order of `OUTCOMES`.
    """
    orders, refunds, n = ledger.orders, ledger.refunds, customer.size

    def inside(pairs: Pairs, when: NDArray) -> NDArray[np.bool_]:
        since = when[pairs.entry] - day[pairs.row]
        return (since > 0) & (since <= horizon_days)

    pairs = Pairs.of(customer, orders.customer)
    counted = inside(pairs, orders.day) & (orders.void_day[pairs.entry] >= known_before[pairs.row])
    row, entry = pairs.row[counted], pairs.entry[counted]
    order_days = np.bincount(row[_is_new_day(row, orders.day[entry])], minlength=n).astype(float)
    # Of nothing, bincount makes whole numbers, whatever is to be summed.
    margin = np.bincount(row, orders.margin_amount[entry], minlength=n).astype(float)
    pairs = Pairs.of(customer, refunds.customer)
    back = inside(pairs, refunds.ordered_day)
    back &= refunds.day[pairs.entry] < known_before[pairs.row]
    margin -= np.bincount(pairs.row[back], refunds.margin_amount[pairs.entry[back]], minlength=n)
    return np.column_stack([(order_days > 0).astype(float), order_days, margin])


def _is_new_day(row: Integers, day: NDArray) -> NDArray[np.bool_]:
    """Whether an order is the first of its day; orders ascend by customer and day."""
    is_new = np.ones(row.size, dtype=bool)
    is_new[1:] = (np.diff(row) != 0) | (np.diff(day) != 0)
    return is_new


def ordered_on(ledger: Ledger, customer: Integers, day: Integers) -> Floats:
    """What customers ordered on their day, given back later or not."""
    pairs = Pairs.of(customer, ledger.orders.customer)
    same = ledger.orders.day[pairs.entry] == day[pairs.row]
    amounts = ledger.orders.net_amount[pairs.entry[same]]
    return np.bincount(pairs.row[same], amounts, minlength=customer.size)


def described(ledger: Ledger, keys: Keys, since: Integers | None = None) -> dict[str, Floats]:
    """What was known of each row by the eve of ``known_before``.

    Parameters
    ----------
    ledger : Ledger
    keys : Keys
    since : array of int, shape (n_rows,), optional
        As somebody knows who began to look on this day; absent, from the beginning.

    Returns
    -------
    mapping of name to array of float, shape (n_rows,)
        NaN means unknown: no order yet has no date. In the same order for every ledger.
    """
    begin = np.full(keys.customer.size, np.iinfo(np.int64).min) if since is None else since
    return {
        **_of_the_calendar(keys),
        **_of_orders(ledger, keys, begin),
        **_of_refunds(ledger, keys, begin),
        **dict(_of_events(ledger, keys, begin)),
    }


def group_columns(groups: Mapping[str, NDArray[np.object_]]) -> dict[str, Floats]:
    """Flags of what an occasion was; the most frequent of each group of words is what others differ from."""
    return {
        f"{name} is {level}": (values == level).astype(float)
        for name, values in groups.items()
        for level in _levels(values)[1:]
    }


def group_shares(
    keys: Keys,
    earlier: Keys,
    groups: Mapping[str, NDArray[np.object_]],
    since: Integers | None = None,
) -> dict[str, Floats]:
    """Which share of the earlier occasions of a row's customer were of each group; NaN without one.

    Parameters
    ----------
    keys : Keys
    earlier : Keys
        Ascending by customer; ``place`` leads to ``groups``.
    groups : mapping of name to array of text
    since : array of int, shape (n_rows,), optional
        As somebody knows who began to look on this day.
    """
    begin = np.full(keys.customer.size, np.iinfo(np.int64).min) if since is None else since
    pairs = Pairs.of(keys.customer, earlier.customer)
    counted = _known(pairs, earlier.day, keys, begin)
    row, place = pairs.row[counted], earlier.place[pairs.entry[counted]]
    n = keys.customer.size
    count = np.bincount(row, minlength=n).astype(float)
    found = {}
    for name, values in groups.items():
        own = values[place]
        for level in _levels(own)[1:]:
            of_level = np.bincount(row, own == level, minlength=n)
            found[f"share with {name} {level}"] = _divided(of_level, count)
    return found


def _levels(values: NDArray[np.object_]) -> list[str]:
    """Words with enough rows, the most frequent first; of equals, by the alphabet."""
    words, count = np.unique(values[values != None].astype(str), return_counts=True)  # noqa: E711
    ordered = np.lexsort((words, -count))
    return [str(words[at]) for at in ordered if count[at] >= FEWEST_OF_GROUP]


def _of_the_calendar(keys: Keys) -> dict[str, Floats]:
    """The day, for what changes from year to year, and the month, for what comes back every year."""
    month = keys.known_before.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    return {
        "calendar_day": keys.known_before.astype(float),
        **{f"month is {one + 1}": (month == one).astype(float) for one in range(1, 12)},
    }


def _known(pairs: Pairs, when: NDArray, keys: Keys, begin: Integers) -> NDArray[np.bool_]:
    days = when[pairs.entry]
    return (days < keys.known_before[pairs.row]) & (days >= begin[pairs.row])


def _of_orders(ledger: Ledger, keys: Keys, begin: Integers) -> dict[str, Floats]:
    orders, n = ledger.orders, keys.customer.size
    pairs = Pairs.of(keys.customer, orders.customer)
    # An order that was given back later still counted on the eve.
    counted = _known(pairs, orders.day, keys, begin)
    counted &= orders.void_day[pairs.entry] >= keys.known_before[pairs.row]
    row, entry = pairs.row[counted], pairs.entry[counted]
    is_new_day = _is_new_day(row, orders.day[entry])
    ago = (keys.known_before[row] - orders.day[entry]).astype(float)

    def counts(chosen: NDArray[np.bool_]) -> Floats:
        return np.bincount(row[chosen], minlength=n).astype(float)

    def per_day(values: NDArray) -> Floats:
        return _divided(np.bincount(row, values[entry].astype(float), minlength=n), order_days)

    order_days = counts(is_new_day)
    latest, first = _least(row, ago, n), -_least(row, -ago, n)
    return {
        "order_days": order_days,
        **{f"order_days_{days}d": counts(is_new_day & (ago <= days)) for days in LOOK_BACK_DAYS},
        "days_since_last_order": latest,
        "days_since_first_order": first,
        "orders_a_year": 365 * order_days / (np.nan_to_num(first) + PACE_DAYS),
        "net_amount_per_order_day": per_day(orders.net_amount),
        "margin_amount_per_order_day": per_day(orders.margin_amount),
        "units_per_order_day": per_day(orders.unit_count),
        "promo_share": per_day(orders.is_promo),
    }


def _of_refunds(ledger: Ledger, keys: Keys, begin: Integers) -> dict[str, Floats]:
    pairs = Pairs.of(keys.customer, ledger.refunds.customer)
    counted = _known(pairs, ledger.refunds.day, keys, begin)
    row, entry = pairs.row[counted], pairs.entry[counted]
    n = keys.customer.size
    return {
        "refund_count": np.bincount(row, minlength=n).astype(float),
        "refunded_amount": np.bincount(row, ledger.refunds.net_amount[entry], minlength=n),
    }


def _of_events(ledger: Ledger, keys: Keys, begin: Integers) -> Iterator[tuple[str, Floats]]:
    n = keys.customer.size
    for name in sorted(ledger.events):
        customer, day, amount = ledger.events[name]
        pairs = Pairs.of(keys.customer, customer)
        counted = _known(pairs, day, keys, begin)
        row, entry = pairs.row[counted], pairs.entry[counted]
        count = np.bincount(row, minlength=n).astype(float)
        above = np.bincount(row, amount[entry] > 0, minlength=n)
        ago = _least(row, (keys.known_before[row] - day[entry]).astype(float), n)
        yield f"{name}_count", count
        # Bounded, so that what few customers have met unbalances nobody: of parcels, the late ones.
        yield f"{name}_share_above_zero", np.nan_to_num(_divided(above, count))
        yield f"{name}_recency", np.nan_to_num(np.exp(-ago / RECENCY_DAYS))


def _least(row: Integers, values: Floats, n: int) -> Floats:
    """Least value of each row; NaN where there is none."""
    least = np.full(n, np.inf)
    np.minimum.at(least, row, values)
    least[np.isinf(least)] = np.nan
    return least


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    quotient = np.full(numerator.size, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient
