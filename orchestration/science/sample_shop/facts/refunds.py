"""Money that goes back: for returns, for lost parcels, as a gesture. Never more than was paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, pick, share_of, stack, take
from orchestration.science.sample_shop.facts.baskets import Lines, Money
from orchestration.science.sample_shop.facts.orders import EXCHANGE, Orders
from orchestration.science.sample_shop.facts.returns import REFUNDED, ReturnItems, Returns
from orchestration.science.sample_shop.facts.shipments import LATE, LOST, SENT_BACK, Shipments
from orchestration.science.sample_shop.parameters import Parameters, Returning
from orchestration.science.sample_shop.shop_time import DAY, HOUR, NEVER, Integers

DESTINATIONS = ("original", "store_credit", "gift_card")
REFUND_REASONS = ("return", "lost_parcel", "goodwill", "returnless")
RETURNED, LOST_PARCEL, GOODWILL, RETURNLESS = range(4)


@dataclass
class Refunds:
    """One element per refund and order line; line -1 is the order as a whole."""

    number: Integers
    """Position of the refund that the row belongs to."""
    order: Integers
    line: Integers
    parcel: Integers
    amount: Integers
    tax: Integers
    shipping: Integers
    destination: Integers
    reason: Integers
    issued: Integers


def draw_refunds(
    rng: np.random.Generator,
    orders: Orders,
    lines: Lines,
    money: Money,
    shipments: Shipments,
    returns: Returns,
    items: ReturnItems,
    parameters: Parameters,
) -> Refunds:
    """Give money back: for returns, for lost parcels, as a gesture; never more than was paid."""
    habits = parameters.returning
    parts = [_for_returns(rng, orders, lines, returns, items, habits)]
    size = orders.kind.size
    touched = np.zeros(size, dtype=bool)
    touched[returns.order] = True
    failed = (shipments.outcome == LOST) | (shipments.outcome == SENT_BACK)
    paid = (orders.kind != EXCHANGE) & (money.total > 0)
    lost_at = np.full(size, NEVER)
    np.minimum.at(lost_at, shipments.order[failed], shipments.settled[failed])
    lost = (lost_at < NEVER) & ~touched & paid
    parts.append(_whole_orders(rng, lines, money, lost, lost_at))
    was_late = np.zeros(size, dtype=bool)
    was_late[shipments.order[shipments.outcome == LATE]] = True
    first_arrival = np.full(size, NEVER)
    np.minimum.at(first_arrival, shipments.order, shipments.delivered)
    free = paid & ~touched & ~lost & (first_arrival < NEVER)
    # Late parcels get a gesture six times as often.
    gesture = habits.goodwill_share * np.where(was_late, 6.0, 1.0)
    goodwill = free & chance(rng, gesture, size)
    parts.append(_gestures(rng, money, goodwill, first_arrival))
    returnless = free & ~goodwill & chance(rng, habits.returnless_share, size)
    parts.append(_returnless(rng, lines, returnless, first_arrival))
    return _numbered(rng, parts)


def _for_returns(
    rng: np.random.Generator,
    orders: Orders,
    lines: Lines,
    returns: Returns,
    items: ReturnItems,
    habits: Returning,
) -> Refunds:
    """Pay the items of refunded returns; a fee may be kept, and is then written on the return."""
    net = lines.quantity * lines.unit_price - lines.discount
    amount = share_of(net[items.line], items.quantity, lines.quantity[items.line])
    tax = share_of(lines.tax[items.line], items.quantity, lines.quantity[items.line])
    # The second of two parcels that bring the whole line gets what the first one left.
    order = np.lexsort([items.parcel, items.line])
    later = np.concatenate([[False], items.line[order][1:] == items.line[order][:-1]])
    rows = order[np.flatnonzero(later)] if order.size else order
    earlier = order[np.flatnonzero(later) - 1] if order.size else order
    amount[rows] = net[items.line[rows]] - amount[earlier]
    tax[rows] = lines.tax[items.line[rows]] - tax[earlier]

    charges = chance(rng, habits.restocking_share, returns.order.size)
    charges &= (orders.currency[returns.order] == 0) & (returns.outcome == REFUNDED)
    fee = np.where(charges[items.parcel], np.floor(amount * habits.restocking_fee), 0)
    fee = fee.astype(np.int64)
    returns.fee = np.bincount(items.parcel, fee, minlength=returns.order.size).astype(np.int64)
    chosen = np.flatnonzero(returns.outcome[items.parcel] == REFUNDED)
    parcel = items.parcel[chosen]
    return Refunds(
        number=parcel,
        order=returns.order[parcel],
        line=items.line[chosen],
        parcel=parcel,
        amount=(amount - fee)[chosen],
        tax=tax[chosen],
        shipping=np.zeros(chosen.size, dtype=np.int64),
        destination=np.zeros(chosen.size, dtype=np.int64),
        reason=np.full(chosen.size, RETURNED),
        issued=returns.closed[parcel] - 1,
    )


def _whole_orders(
    rng: np.random.Generator,
    lines: Lines,
    money: Money,
    lost: NDArray[np.bool_],
    lost_at: Integers,
) -> Refunds:
    """Pay back every line of a lost order, and its shipping with the first line."""
    line = np.flatnonzero(lost[lines.order] & ~lines.is_insert)
    order = lines.order[line]
    is_first = np.concatenate([[True], order[1:] != order[:-1]]) if order.size else order > 0
    net = lines.quantity * lines.unit_price - lines.discount
    wait = between(rng, HOUR, 4 * DAY, lost.size)
    return _plain(
        order,
        line,
        net[line],
        lines.tax[line],
        np.where(is_first, money.shipping[order], 0),
        LOST_PARCEL,
        (lost_at + wait)[order],
    )


def _gestures(
    rng: np.random.Generator, money: Money, goodwill: NDArray[np.bool_], arrived: Integers
) -> Refunds:
    order = np.flatnonzero(goodwill)
    net = (money.gross - money.discount)[order]
    amount = np.floor(net * rng.uniform(0.05, 0.20, order.size)).astype(np.int64)
    issued = arrived[order] + between(rng, 2 * HOUR, 12 * DAY, order.size)
    nothing = np.zeros(order.size, dtype=np.int64)
    return _plain(order, np.full(order.size, -1), amount, nothing, nothing, GOODWILL, issued)


def _returnless(
    rng: np.random.Generator, lines: Lines, chosen: NDArray[np.bool_], arrived: Integers
) -> Refunds:
    """Pay back the first line of an order and let the customer keep it."""
    line = np.flatnonzero(chosen[lines.order] & ~lines.is_insert)
    order, first = np.unique(lines.order[line], return_index=True)
    line = line[first]
    net = lines.quantity * lines.unit_price - lines.discount
    issued = arrived[order] + between(rng, 2 * HOUR, 12 * DAY, order.size)
    nothing = np.zeros(order.size, dtype=np.int64)
    return _plain(order, line, net[line], lines.tax[line], nothing, RETURNLESS, issued)


def _plain(
    order: Integers,
    line: Integers,
    amount: Integers,
    tax: Integers,
    shipping: Integers,
    reason: int,
    issued: Integers,
) -> Refunds:
    _, number = np.unique(order, return_inverse=True)
    return Refunds(
        number=number.astype(np.int64),
        order=order,
        line=line,
        parcel=np.full(order.size, -1),
        amount=amount,
        tax=tax,
        shipping=shipping,
        destination=np.zeros(order.size, dtype=np.int64),
        reason=np.full(order.size, reason),
        issued=issued,
    )


def _numbered(rng: np.random.Generator, parts: list[Refunds]) -> Refunds:
    """Join the kinds of refunds, number them through, and choose where each goes."""
    used = 0
    for part in parts:
        part.number = part.number + used
        used = int(part.number.max()) + 1 if part.number.size else used
    joined = stack(parts)
    keep = joined.amount + joined.tax + joined.shipping > 0
    destination = pick(rng, (0.86, 0.10, 0.04), used)
    joined.destination = destination[joined.number]
    return take(joined, keep)
