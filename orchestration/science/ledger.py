"""The ledger of orders: what was known of every customer on any day, and what came after it.

What belongs here is time. Every model that is judged on the past reads the past through
`Ledger.known_at`, which drops each order, refund and event of a later day before any feature is
made of it; `Ledger.outcomes` counts what came within a horizon afterwards. No model, no feature
and no metric belongs here. Days are whole days since 1970-01-01, in the shop's own time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from orchestration.science.errors import DataError
from orchestration.science.histories import refuse_where

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The day on which an order that still stands stopped to count.
NEVER = np.iinfo(np.int32).max


class Orders(NamedTuple):
    """Purchases as they were placed, ascending by customer and day; each of shape (n_orders,).

    ``customer`` is a position in `Ledger.customer_ids`; ``net_amount`` and ``margin_amount`` are
    before refunds; ``void_day`` is the day from which the order no longer counts as a purchase
    (its refunds reached what was paid), `NEVER` for one that stands.
    """

    customer: NDArray[np.int32]
    day: NDArray[np.int32]
    net_amount: Floats
    margin_amount: Floats
    unit_count: Floats
    is_promo: NDArray[np.bool_]
    void_day: NDArray[np.int32]


class Refunds(NamedTuple):
    """Money given back, on the day it was; each of shape (n_refunds,).

    The two amounts are what the refund takes from net revenue and from contribution margin (goods
    that come back make the second smaller, return costs make it larger). An order that is given back
    in full leaves the ledger with its value: on that day ``net_amount`` and ``margin_amount`` hold
    what it was worth as a deduction, so that orders that count less refunds are what remained.
    """

    customer: NDArray[np.int32]
    day: NDArray[np.int32]
    ordered_day: NDArray[np.int32]
    net_amount: Floats
    margin_amount: Floats


class Events(NamedTuple):
    """Anything else that happened to a customer on a day; ``amount`` means what its kind says."""

    customer: NDArray[np.int32]
    day: NDArray[np.int32]
    amount: Floats


class Occasions(NamedTuple):
    """Days with a purchase, ascending by customer and day; several orders of a day are one."""

    customer: NDArray[np.int32]
    day: NDArray[np.int32]
    net_amount: Floats
    margin_amount: Floats
    unit_count: Floats
    is_promo: NDArray[np.bool_]


class PurchaseHistories(NamedTuple):
    """What buy-till-you-die models read, in days; each of shape (n_customers,)."""

    frequency: Floats
    recency_days: Floats
    age_days: Floats


class Outcomes(NamedTuple):
    """What came within a horizon, for each customer of the ledger that asked.

    Amounts are after the refunds that are known by the end of the ledger that answered.
    """

    order_count: Floats
    net_amount: Floats
    margin_amount: Floats


@dataclass(frozen=True)
class Ledger:
    """All that is known at the end of the day ``until``.

    Attributes
    ----------
    customer_ids : array of text, shape (n_customers,)
        Ascending; every one of them has at least one order that counts.
    orders, refunds : Orders, Refunds
    until : int
        The last complete day.
    events : mapping of name to Events
        Kinds that a shop does not deliver are absent.
    """

    customer_ids: NDArray[np.object_]
    orders: Orders
    refunds: Refunds
    until: int
    events: Mapping[str, Events] = field(default_factory=dict)
    # What this ledger was cut from. Only `known_at` asks it, and only for days that it may know:
    # an order given back by `until` still counted on the days before.
    cut_from: "Ledger | None" = field(default=None, repr=False, compare=False)

    @property
    def n_customers(self) -> int:
        """Customers with an order that counts."""
        return int(self.customer_ids.size)

    @property
    def first_day(self) -> int:
        """Day of the first order that counts."""
        if not self.orders.day.size:
            raise DataError("the ledger holds no order, so it has no first day")
        return int(self.orders.day.min())

    def known_at(self, day: int) -> "Ledger":
        """Return the ledger as it stood at the end of an earlier day.

        An order counts if it was placed by then and not yet given back in full. Whoever has no
        such order is not a customer yet, and is left out; positions are numbered anew.

        Raises
        ------
        DataError
            If the day lies after ``until``: nothing is known of it.
        """
        if day > self.until:
            raise DataError(f"nothing is known of day {day}: the ledger ends at {self.until}")
        if self.cut_from is not None:
            return self.cut_from.known_at(day)
        counted = (self.orders.day <= day) & (self.orders.void_day > day)
        orders = _where(self.orders, counted)
        is_customer = np.zeros(self.customer_ids.size, dtype=bool)
        is_customer[orders.customer] = True
        seen = replace(
            self,
            orders=orders._replace(void_day=np.full_like(orders.void_day, NEVER)),
            refunds=_where(self.refunds, self.refunds.day <= day),
            until=day,
            events={name: _where(found, found.day <= day) for name, found in self.events.items()},
        )
        # A twin, so that whoever remembers a cut does not keep this very object alive.
        return replace(seen.of_customers(is_customer), cut_from=replace(self))

    def of_customers(self, chosen: NDArray[np.bool_]) -> "Ledger":
        """Keep a part of the customers, with all that is known of each, now and on earlier days.

        Parameters
        ----------
        chosen : array of bool, shape (n_customers,)
        """
        position = np.cumsum(chosen, dtype=np.int32) - 1

        def of(entries):  # type: ignore[no-untyped-def]
            kept = _where(entries, chosen[entries.customer])
            return kept._replace(customer=position[kept.customer])

        whole = self.cut_from
        if whole is not None:
            place, _ = places_of(whole.customer_ids, self.customer_ids[chosen])
            among = np.zeros(whole.customer_ids.size, dtype=bool)
            among[place] = True
            whole = whole.of_customers(among)
        return replace(
            self,
            customer_ids=self.customer_ids[chosen],
            orders=of(self.orders),
            refunds=of(self.refunds),
            events={name: of(entries) for name, entries in self.events.items()},
            cut_from=whole,
        )

    def occasions(self) -> Occasions:
        """Sum the orders that count by customer and day."""
        counted = self.orders.void_day > self.until
        orders = self.orders if counted.all() else _where(self.orders, counted)
        is_first = np.ones(orders.day.size, dtype=bool)
        is_first[1:] = (np.diff(orders.customer) != 0) | (np.diff(orders.day) != 0)
        starts = np.flatnonzero(is_first)
        if not starts.size:
            return Occasions(orders.customer, orders.day, *orders[2:5], orders.is_promo)
        return Occasions(
            orders.customer[starts],
            orders.day[starts],
            np.add.reduceat(orders.net_amount, starts),
            np.add.reduceat(orders.margin_amount, starts),
            np.add.reduceat(orders.unit_count, starts),
            np.logical_or.reduceat(orders.is_promo, starts),
        )

    def histories(self, occasions: Occasions | None = None) -> PurchaseHistories:
        """Count repeat order days, and days from the first to the last and to ``until``."""
        days = self.occasions() if occasions is None else occasions
        count = np.bincount(days.customer, minlength=self.n_customers)
        if (count == 0).any():
            raise DataError("customers without an order that counts: ask known_at(until) first")
        last = np.cumsum(count) - 1
        first = last - count + 1
        return PurchaseHistories(
            (count - 1).astype(float),
            (days.day[last] - days.day[first]).astype(float),
            (self.until - days.day[first]).astype(float),
        )

    def outcomes(self, known: "Ledger", horizon_days: int) -> Outcomes:
        """Count what came to the customers of an earlier ledger within a horizon after it.

        Parameters
        ----------
        known : Ledger
            From `known_at`; its customers are asked about, in its order.
        horizon_days : int > 0
            The days after ``known.until``; the last one included.

        Raises
        ------
        DataError
            If the horizon has not ended: an outcome that is not known is no zero.
        """
        last = known.until + horizon_days
        if horizon_days <= 0 or last > self.until:
            raise DataError(
                f"the {horizon_days} days after day {known.until} end at {last}, but the ledger"
                f" knows days up to {self.until} only"
            )
        # Whoever gave everything back since then is no customer now, and has ordered nothing.
        position, is_found = places_of(self.customer_ids, known.customer_ids)
        asked = np.full(self.n_customers, -1)
        asked[position] = np.flatnonzero(is_found)
        days = self.occasions()
        inside = (days.day > known.until) & (days.day <= last) & (asked[days.customer] >= 0)
        given = self.refunds
        back = (given.ordered_day > known.until) & (given.ordered_day <= last)
        back &= asked[given.customer] >= 0

        def total(values: Floats, refunded: Floats | None) -> Floats:
            size = known.n_customers
            summed = np.bincount(asked[days.customer[inside]], values[inside], minlength=size)
            if refunded is None:
                return summed.astype(float)
            return summed - np.bincount(asked[given.customer[back]], refunded[back], minlength=size)

        return Outcomes(
            total(np.ones(days.day.size), None),
            total(days.net_amount, given.net_amount),
            total(days.margin_amount, given.margin_amount),
        )


def ledger_from_tables(
    orders: pa.Table,
    until: int,
    refunds: pa.Table | None = None,
    events: pa.Table | None = None,
) -> Ledger:
    """Build the ledger of a night from rows.

    Parameters
    ----------
    orders : pyarrow.Table
        customer_id, ordered_date, and where known net_amount, margin_amount, unit_count,
        is_promo and voided_date (null: the order stands). Amounts that are absent are 0.
    until : int
        The last complete day, in days since 1970-01-01. Later rows are refused.
    refunds : pyarrow.Table, optional
        customer_id, refunded_date, ordered_date, net_amount, margin_amount.
    events : pyarrow.Table, optional
        customer_id, event_name, event_date, amount.

    Raises
    ------
    DataError
        If a key or a day is null, an amount is not a number, or a day lies after ``until``.
    """
    ids = pc.cast(orders["customer_id"], pa.string())
    if ids.null_count:
        raise DataError(f"customer_id is null in {ids.null_count} of {len(ids)} orders")
    known = pc.unique(ids)
    known = known.take(pc.sort_indices(known))
    entries = Orders(
        _positions(known, ids),
        _days(orders, "ordered_date", until),
        _numbers(orders, "net_amount"),
        _numbers(orders, "margin_amount"),
        _numbers(orders, "unit_count"),
        _numbers(orders, "is_promo").astype(bool),
        _days(orders, "voided_date", None)
        if "voided_date" in orders.column_names
        else np.full(orders.num_rows, NEVER, dtype=np.int32),
    )
    # Amounts too, so that the order in which an engine hands out rows moves no last digit of a sum.
    ascending = np.lexsort(
        (entries.margin_amount, entries.net_amount, entries.day, entries.customer)
    )
    return Ledger(
        np.asarray(known.to_pylist(), dtype=object),
        _where(entries, ascending),
        _refunds(refunds, known, until),
        int(until),
        _events(events, known, until),
    )


def _refunds(table: pa.Table | None, known: pa.Array, until: int) -> Refunds:
    if table is None or not table.num_rows:
        none = np.zeros(0, dtype=np.int32)
        return Refunds(none, none, none, none.astype(float), none.astype(float))
    table = table.filter(pc.is_in(pc.cast(table["customer_id"], pa.string()), known))
    entries = Refunds(
        _positions(known, pc.cast(table["customer_id"], pa.string())),
        _days(table, "refunded_date", until),
        _days(table, "ordered_date", until),
        _numbers(table, "net_amount"),
        _numbers(table, "margin_amount"),
    )
    return _where(entries, np.lexsort(entries[::-1]))


def _events(table: pa.Table | None, known: pa.Array, until: int) -> dict[str, Events]:
    if table is None or not table.num_rows:
        return {}
    table = table.filter(pc.is_in(pc.cast(table["customer_id"], pa.string()), known))
    names = pc.unique(table["event_name"]).to_pylist()
    found = {}
    for name in sorted(names):
        rows = table.filter(pc.equal(table["event_name"], name))
        entries = Events(
            _positions(known, pc.cast(rows["customer_id"], pa.string())),
            _days(rows, "event_date", until),
            _numbers(rows, "amount"),
        )
        found[name] = _where(entries, np.lexsort(entries[::-1]))
    return found


def _positions(known: pa.Array, ids: pa.ChunkedArray) -> NDArray[np.int32]:
    return pc.index_in(ids, known).to_numpy().astype(np.int32)


def _days(table: pa.Table, name: str, until: int | None) -> NDArray[np.int32]:
    """Days of a date column; null means `NEVER`, and is refused where a last day is given."""
    column = pc.cast(pc.cast(table[name], pa.date32()), pa.int32())
    if until is None:
        return pc.fill_null(column, NEVER).to_numpy()
    if column.null_count:
        raise DataError(f"{name} is null in {column.null_count} of {len(column)} rows")
    days = column.to_numpy()
    refuse_where(days > until, f"{name} must not lie after day {until}", **{name: days})
    return days


def _numbers(table: pa.Table, name: str) -> Floats:
    """A column as floats; absent and null are 0, what is not a number is refused."""
    if name not in table.column_names:
        return np.zeros(table.num_rows)
    numbers = pc.fill_null(pc.cast(table[name], pa.float64()), 0.0).to_numpy()
    refuse_where(~np.isfinite(numbers), f"{name} must be finite", **{name: numbers})
    return numbers


def places_of(
    ids: NDArray[np.object_], asked: NDArray[np.object_]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where ids are found among others, of those that are, and which are."""
    position = pc.index_in(pa.array(asked, pa.string()), pa.array(ids, pa.string()))
    is_found = pc.is_valid(position).to_numpy(zero_copy_only=False)
    return position.drop_null().to_numpy().astype(np.intp), is_found


def _where(entries, chosen):  # type: ignore[no-untyped-def]
    """The chosen entries of every column of a record."""
    return type(entries)(*(column[chosen] for column in entries))
