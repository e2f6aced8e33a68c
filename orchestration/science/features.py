"""What a ledger says of each customer on its last day, as numbers with names that people can read.

What belongs here is the description of a customer: one row of numbers, made only from a ledger and
therefore only from what was known at the end of the day `Ledger.until`. No label and no model
belong here. Numbers of people, not of the shop: how many orders the whole shop had, or which month
it is, is the same for everyone on a day, so a model that is trained on a handful of days can use it
only to tell those days apart, and knows nothing on a new one. The season enters as what each
customer did at the same time a year before, which compares customers of one day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import DataError
from orchestration.science.ledger import Events, Ledger, Occasions, PurchaseHistories
from orchestration.science.ledger import Refunds as RefundEntries

Floats = NDArray[np.float64]

WINDOWS_DAYS = (30, 90, 180, 365)
TREND_DAYS = 90
DAYS_PER_YEAR = 365
# Why a gap is not known.
ONE_ORDER, TWO_ORDERS = "no second order day yet", "no third order day yet"
# Ordering rates are told per 30 days: small whole numbers for most shops.
RATE_DAYS = 30


# What an event is called, alone and several of them, and what its amount is, with its unit. Kinds
# that are not listed are told by their name.
EVENT_WORDS = {
    "parcel_days_late": ("parcel", "parcels", "days late", "days"),
    "returned_unit": ("return", "returns", "units", "units"),
    "order_given_back": ("order given back", "orders given back", "value", "money"),
    "membership_term": ("membership term", "membership terms", "fee", "money"),
    "membership_cancellation": (
        "membership cancellation",
        "membership cancellations",
        "days as a member",
        "days",
    ),
    "membership_benefit": ("membership benefit", "membership benefits", "value", "money"),
}


class Feature(NamedTuple):
    """One number of every customer: its column name, what it is in words, and its unit.

    ``unit`` is one of days, order days, orders, units, money, share, ratio, yes or no, events,
    amount (what the kind of event says) or per 30 days. ``unknown`` is what a missing number of
    a customer says.
    """

    name: str
    words: str
    unit: str
    unknown: str = "not known yet"


@dataclass(frozen=True)
class Features:
    """Customers as rows, features as columns.

    Attributes
    ----------
    described : tuple of Feature, length n_features
    matrix : array of float32, shape (n_customers, n_features)
        In the order of ``ledger.customer_ids``, column after column in memory. NaN means unknown
        (no gap between orders yet, no refund yet), never zero.
    """

    described: tuple[Feature, ...]
    matrix: NDArray[np.float32]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in the order of the matrix."""
        return tuple(feature.name for feature in self.described)

    @property
    def words(self) -> tuple[str, ...]:
        """What each column is, for a person."""
        return tuple(feature.words for feature in self.described)

    @property
    def units(self) -> tuple[str, ...]:
        """The unit of each column."""
        return tuple(feature.unit for feature in self.described)

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one feature of all customers."""
        if name not in self.names:
            raise DataError(f"there is no feature {name}; there are {', '.join(self.names)}")
        return self.matrix[:, self.names.index(name)]


def customer_features(ledger: Ledger) -> Features:
    """Describe every customer as of the last day of a ledger.

    Parameters
    ----------
    ledger : Ledger
        Every customer needs an order that counts: a ledger that holds refunded orders is asked
        for `known_at` its own last day first.

    Returns
    -------
    Features

    Raises
    ------
    DataError
        If a customer has no order that counts, or an amount is not a number.

    Notes
    -----
    Windows count backwards from the last day and include it: the last 30 days are ``until`` - 29
    to ``until``. Amounts of orders are before refunds, as in the ledger; refunds stand apart.
    """
    _refuse_what_is_no_number(ledger)
    occasions = ledger.occasions()
    histories = ledger.histories(occasions)
    columns = [
        *_history_columns(histories),
        *_gap_columns(ledger, occasions, histories),
        *_window_columns(ledger, occasions, histories),
        *_order_columns(occasions, histories),
        *_refund_columns(ledger, occasions),
        *_event_columns(ledger),
    ]
    matrix = np.empty((ledger.n_customers, len(columns)), dtype=np.float32, order="F")
    for position, (_, values) in enumerate(columns):
        matrix[:, position] = values
    return Features(tuple(feature for feature, _ in columns), matrix)


Column = tuple[Feature, NDArray]


def _history_columns(histories: PurchaseHistories) -> Iterator[Column]:
    """How often, since when, how long ago."""
    frequency, recency, age = histories
    yield Feature("order_days", "days with an order", "order days"), frequency + 1
    yield Feature("age_days", "days since the first order", "days"), age
    yield Feature("recency_days", "days from the first order to the last", "days"), recency
    yield Feature("days_since_last_order", "days since the last order", "days"), age - recency
    words = "share of the time as a customer that has passed since the last order"
    yield Feature("silence_share", words, "share"), _divided(age - recency, age)
    # The day itself counts: a customer of today has been one for a day, not for none.
    per_day = frequency / (age + 1)
    words = f"repeat orders per {RATE_DAYS} days as a customer"
    yield Feature("repeat_order_rate", words, f"per {RATE_DAYS} days"), RATE_DAYS * per_day


def _gap_columns(
    ledger: Ledger, occasions: Occasions, histories: PurchaseHistories
) -> Iterator[Column]:
    """The customer's own rhythm, and how far the present silence is from it."""
    n = ledger.n_customers
    same = occasions.customer[1:] == occasions.customer[:-1]
    owner = occasions.customer[1:][same].astype(np.int64)
    gaps = np.diff(occasions.day)[same].astype(np.int64)
    count = np.bincount(owner, minlength=n)
    since = histories.age_days - histories.recency_days

    start = np.cumsum(count) - count
    # Gaps ascending within each customer: one sort of one number that holds both.
    width = int(gaps.max()) + 1 if gaps.size else 1
    ordered = np.sort(owner * width + gaps) % width
    median, longest, last = (np.full(n, np.nan) for _ in range(3))
    some = count > 0
    lower, upper = start[some] + (count[some] - 1) // 2, start[some] + count[some] // 2
    median[some] = (ordered[lower] + ordered[upper]) / 2
    longest[some] = ordered[start[some] + count[some] - 1]
    last[some] = gaps[start[some] + count[some] - 1]

    mean = _divided(histories.recency_days, count)
    squares = np.bincount(owner, (gaps - mean[owner]) ** 2, minlength=n)
    variation = np.full(n, np.nan)
    several = count > 1
    variation[several] = np.sqrt(squares[several] / (count[several] - 1)) / mean[several]

    yield Feature("median_gap_days", "usual gap between orders", "days", ONE_ORDER), median
    yield Feature("last_gap_days", "gap before the last order", "days", ONE_ORDER), last
    yield Feature("longest_gap_days", "longest gap between orders", "days", ONE_ORDER), longest
    words = "unevenness of the gaps between orders (0: like clockwork)"
    yield Feature("gap_variation", words, "ratio", TWO_ORDERS), variation
    words = "days since the last order over the usual gap"
    yield Feature("silence_in_usual_gaps", words, "ratio", ONE_ORDER), _divided(since, median)
    words = "days since the last order over the longest gap"
    yield Feature("silence_in_longest_gaps", words, "ratio", ONE_ORDER), _divided(since, longest)


def _window_columns(
    ledger: Ledger, occasions: Occasions, histories: PurchaseHistories
) -> Iterator[Column]:
    """Order days and money of late, their trend, and the same time a year before."""
    n = ledger.n_customers
    ago = ledger.until - occasions.day

    def counted(inside: NDArray[np.bool_]) -> Floats:
        return np.bincount(occasions.customer[inside], minlength=n).astype(float)

    for window in WINDOWS_DAYS:
        inside = ago < window
        spent = np.bincount(occasions.customer[inside], occasions.net_amount[inside], minlength=n)
        words = f"in the last {window} days"
        yield (
            Feature(f"orders_last_{window}d", f"order days {words}", "order days"),
            counted(inside),
        )
        yield Feature(f"net_amount_last_{window}d", f"spent {words}", "money"), spent

    recent, before = ago < TREND_DAYS, (ago >= TREND_DAYS) & (ago < 2 * TREND_DAYS)
    trend = counted(recent) - counted(before)
    # Who was no customer during the earlier window has no trend yet.
    trend[histories.age_days < 2 * TREND_DAYS - 1] = np.nan
    words = f"order days in the last {TREND_DAYS} days less those in the {TREND_DAYS} before"
    told = f"a customer for less than {2 * TREND_DAYS} days"
    yield Feature(f"order_trend_{TREND_DAYS}d", words, "order days", told), trend

    coming = (ago < DAYS_PER_YEAR) & (ago >= DAYS_PER_YEAR - TREND_DAYS)
    season = counted(coming)
    season[histories.age_days < DAYS_PER_YEAR - 1] = np.nan
    words = f"order days in the {TREND_DAYS} days that followed this day a year ago"
    told = "a customer for less than a year"
    yield Feature(f"orders_next_{TREND_DAYS}d_a_year_ago", words, "order days", told), season


def _order_columns(occasions: Occasions, histories: PurchaseHistories) -> Iterator[Column]:
    """What was in the orders: money, units, promotions; the first, the last and all of them."""
    count = histories.frequency + 1
    last = np.cumsum(count).astype(np.int64) - 1
    first = last - count.astype(np.int64) + 1

    def summed(values: NDArray) -> Floats:
        return np.add.reduceat(values.astype(float), first) if first.size else np.zeros(0)

    total = summed(occasions.net_amount)
    latest, average = occasions.net_amount[last], total / count
    yield Feature("net_amount", "spent in all", "money"), total
    yield Feature("mean_net_amount", "spent on an order day, on average", "money"), average
    yield (
        Feature("first_net_amount", "spent on the first order day", "money"),
        occasions.net_amount[first],
    )
    yield Feature("last_net_amount", "spent on the last order day", "money"), latest
    # A ratio of money says something only where the average order had a positive value.
    usual = np.where(average > 0, average, np.nan)
    words = "spent on the last order day over the customer's average"
    yield Feature("last_over_mean_net_amount", words, "ratio"), latest / usual
    yield (
        Feature("first_unit_count", "units on the first order day", "units"),
        occasions.unit_count[first],
    )
    words = "units on an order day, on average"
    yield Feature("mean_unit_count", words, "units"), summed(occasions.unit_count) / count
    words = "order days with a promotion"
    yield Feature("promo_share", words, "share"), summed(occasions.is_promo) / count
    words = "first order with a promotion"
    yield Feature("first_is_promo", words, "yes or no"), occasions.is_promo[first]
    words = "last order with a promotion"
    yield Feature("last_is_promo", words, "yes or no"), occasions.is_promo[last]


def _refund_columns(ledger: Ledger, occasions: Occasions) -> Iterator[Column]:
    """Money given back of orders that still count, and how long ago.

    An order that was given back in full has left the ledger, and what its refunds hold is the
    shop's loss and no longer what came back: it counts by its own kind of event, not here.
    """
    n, standing = ledger.n_customers, _is_occasion(occasions, ledger.refunds)
    refunds = RefundEntries(*(column[standing] for column in ledger.refunds))
    is_money = refunds.net_amount > 0
    customer, day = refunds.customer[is_money], refunds.day[is_money]
    back = np.bincount(refunds.customer, refunds.net_amount, minlength=n)
    ordered = np.bincount(occasions.customer, occasions.net_amount, minlength=n)
    share = np.where(ordered > 0, _divided(back, ordered), np.nan)
    count = np.bincount(customer, minlength=n)
    ago = _days_since_last(customer, day, ledger)
    yield Feature("refund_count", "refunds of a part of an order", "events"), count
    yield Feature("refunded_share", "share of the ordered value given back", "share"), share
    words = "days since the last refund of a part of an order"
    yield Feature("days_since_last_refund", words, "days", "no refund of a part of an order"), ago


def _is_occasion(occasions: Occasions, refunds: RefundEntries) -> NDArray[np.bool_]:
    """Whether the order that each refund belongs to still counts."""
    if not refunds.day.size:
        return np.zeros(0, dtype=bool)
    earliest = min(int(occasions.day.min()), int(refunds.ordered_day.min()))
    width = max(int(occasions.day.max()), int(refunds.ordered_day.max())) - earliest + 1
    # Occasions ascend by customer and day, so their keys ascend too.
    keys = occasions.customer.astype(np.int64) * width + (occasions.day - earliest)
    asked = refunds.customer.astype(np.int64) * width + (refunds.ordered_day - earliest)
    found = np.minimum(np.searchsorted(keys, asked), keys.size - 1)
    return keys[found] == asked


def _event_columns(ledger: Ledger) -> Iterator[Column]:
    """How often each kind of event came, what it added up to, and what the last one was."""
    n = ledger.n_customers
    # A kind that nobody has met yet has no columns: that it will be met one day is not known.
    for name in sorted(name for name, events in ledger.events.items() if events.day.size):
        events = ledger.events[name]
        one, many, measure, unit = EVENT_WORDS.get(name, _plain_words(name))
        count = np.bincount(events.customer, minlength=n).astype(float)
        total = np.bincount(events.customer, events.amount, minlength=n)
        yield Feature(f"{name}_count", f"number of {many}", "events"), count
        # Nothing that happened adds up to nothing known: an average of no parcels is no zero.
        mean, none = _divided(total, count), f"no {one} yet"
        total[count == 0] = np.nan
        yield Feature(f"{name}_amount", f"{measure} of all {many}", unit, none), total
        yield Feature(f"{name}_mean_amount", f"average {measure} of {many}", unit, none), mean
        last = _last_amount(events, n)
        yield Feature(f"{name}_last_amount", f"{measure} of the last {one}", unit, none), last
        ago = _days_since_last(events.customer, events.day, ledger)
        yield Feature(f"days_since_last_{name}", f"days since the last {one}", "days", none), ago


def _plain_words(name: str) -> tuple[str, str, str, str]:
    words = name.replace("_", " ")
    return words, f"{words} events", "amount", "amount"


def _last_amount(events: Events, n_customers: int) -> Floats:
    """Amount of each customer's latest event; of several on a day, their sum."""
    latest = np.full(n_customers, np.iinfo(np.int32).min, dtype=np.int32)
    np.maximum.at(latest, events.customer, events.day)
    is_last = events.day == latest[events.customer]
    total = np.bincount(events.customer[is_last], events.amount[is_last], minlength=n_customers)
    total[latest == np.iinfo(np.int32).min] = np.nan
    return total


def _days_since_last(customer: NDArray[np.int32], day: NDArray[np.int32], ledger: Ledger) -> Floats:
    """Days from each customer's latest entry to the end of the ledger; NaN where there is none."""
    ago = np.full(ledger.n_customers, np.inf)
    np.minimum.at(ago, customer, (ledger.until - day).astype(float))
    ago[np.isinf(ago)] = np.nan
    return ago


def _divided(numerator: NDArray, denominator: NDArray) -> Floats:
    """Quotients; NaN where the denominator is 0 or unknown."""
    quotient = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=np.asarray(denominator) != 0)
    return quotient


def _refuse_what_is_no_number(ledger: Ledger) -> None:
    """Stop at an amount that is not finite, with the table and the customer that hold it."""
    amounts = {
        "an order": (ledger.orders.customer, ledger.orders.net_amount),
        "units of an order": (ledger.orders.customer, ledger.orders.unit_count),
        "a refund": (ledger.refunds.customer, ledger.refunds.net_amount),
    } | {f"event {name}": (one.customer, one.amount) for name, one in ledger.events.items()}
    for what, (customer, values) in amounts.items():
        bad = ~np.isfinite(values)
        if bad.any():
            who = ledger.customer_ids[customer[np.argmax(bad)]]
            raise DataError(
                f"the amount of {what} is not a number in {int(bad.sum())} of {bad.size} rows,"
                f" first for customer {who}"
            )
