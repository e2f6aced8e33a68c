"""Goods that come back and money that goes back: returns, refunds and the exchanges they cause."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, pick, share_of
from orchestration.science.sample_shop.facts.baskets import Lines, Money
from orchestration.science.sample_shop.facts.orders import (
    ANONYMOUS,
    CHANNELS,
    EXCHANGE,
    NORMAL,
    STORE,
    Orders,
)
from orchestration.science.sample_shop.facts.people import People
from orchestration.science.sample_shop.facts.products import Catalogue
from orchestration.science.sample_shop.facts.shipments import LATE, LOST, SENT_BACK, Shipments
from orchestration.science.sample_shop.parameters import Parameters, Returning
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Floats,
    Integers,
    local_from_utc,
)

REFUNDED, NEVER_SENT, REJECTED, EXCHANGED, UNREFUNDED = range(5)
RETURN_OUTCOMES = ("refunded", "never_sent", "rejected", "exchanged", "unrefunded")
REASONS = (
    "size_fit", "defect", "not_as_described", "late", "changed_mind", "wrong_item", "other",
)  # fmt: skip
LATE_REASON = REASONS.index("late")
REASON_WEIGHTS_WORN = (0.52, 0.07, 0.12, 0.0, 0.20, 0.05, 0.04)
REASON_WEIGHTS_OTHER = (0.03, 0.28, 0.20, 0.0, 0.33, 0.09, 0.07)
REASON_TEXTS = ("", "too small", "not what I expected", "arrived broken", "kept another one")
DISPOSITIONS = ("restock", "refurbish", "scrap", "vendor")
CONDITIONS = ("as new", "opened", "worn", "damaged")
RETURN_CHANNELS = ("self_service", "agent", "store")
DESTINATIONS = ("original", "store_credit", "gift_card")
REFUND_REASONS = ("return", "lost_parcel", "goodwill", "returnless")
RETURNED, LOST_PARCEL, GOODWILL, RETURNLESS = range(4)


@dataclass
class Returns:
    """One element per return request."""

    order: Integers
    outcome: Integers
    requested: Integers
    approved: Integers
    received: Integers
    closed: Integers
    channel: Integers
    shipping_cost: Integers
    fee: Integers


@dataclass
class ReturnItems:
    """One element per order line in a return."""

    parcel: Integers
    """Position of the return."""
    line: Integers
    quantity: Integers
    reason: Integers
    text: Integers
    disposition: Integers
    condition: Integers


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


def draw_returns(
    rng: np.random.Generator,
    orders: Orders,
    lines: Lines,
    people: People,
    catalogue: Catalogue,
    arrived: Integers,
    was_late: NDArray[np.bool_],
    parameters: Parameters,
) -> tuple[Returns, ReturnItems]:
    """Send lines back by the person's propensity, some in two parcels, some never.

    Parameters
    ----------
    arrived : array of int, shape (n_orders,)
        When the last parcel arrived, NEVER if it did not.
    was_late : array of bool, shape (n_orders,)
        Whether it came after the promised day.
    """
    habits = parameters.returning
    line = _returned_lines(rng, orders, lines, people, catalogue, arrived, parameters)
    ordered = lines.quantity[line]
    partly = (ordered > 1) & chance(rng, habits.partial_share, line.size)
    quantity = np.where(partly, between(rng, 1, np.maximum(ordered, 2), line.size), ordered)
    splits = (quantity > 1) & ~partly & chance(rng, habits.two_parcels_share, line.size)
    first = np.where(splits, between(rng, 1, np.maximum(quantity, 2), line.size), quantity)
    second = np.flatnonzero(splits)
    line = np.concatenate([line, line[second]])
    quantity = np.concatenate([first, (quantity - first)[second]])
    part = np.concatenate([np.zeros(first.size, np.int64), np.ones(second.size, np.int64)])

    request, parcel = np.unique(lines.order[line] * 2 + part, return_inverse=True)
    returns = _requests(rng, orders, request, arrived, habits)
    worn = catalogue.category[lines.variant[line]] < 2
    size = line.size
    reason = np.where(
        worn, pick(rng, REASON_WEIGHTS_WORN, size), pick(rng, REASON_WEIGHTS_OTHER, size)
    )
    reason = np.where(was_late[lines.order[line]] & chance(rng, 0.3, size), LATE_REASON, reason)
    defective = reason == REASONS.index("defect")
    disposition = np.where(
        defective, pick(rng, (0.0, 0.3, 0.4, 0.3), size), pick(rng, (0.85, 0.08, 0.05, 0.02), size)
    )
    items = ReturnItems(
        parcel=parcel,
        line=line,
        quantity=quantity,
        reason=reason,
        text=np.where(chance(rng, 0.25, size), between(rng, 1, len(REASON_TEXTS), size), -1),
        disposition=disposition,
        condition=np.where(defective, 3, pick(rng, (0.7, 0.22, 0.08), size)),
    )
    return returns, items


def return_probability(
    orders: Orders, lines: Lines, people: People, catalogue: Catalogue, parameters: Parameters
) -> Floats:
    """Return the probability that each line comes back if it arrives; zero if it may not."""
    known = orders.person >= 0
    mean = parameters.returning.propensity_mean
    propensity = np.where(known, people.return_propensity[orders.person], mean)
    chances = propensity[lines.order] * catalogue.return_factor[lines.variant]
    allowed = catalogue.is_returnable[lines.variant] & ~lines.is_insert
    return np.minimum(chances, parameters.returning.probability_ceiling) * allowed


def _returned_lines(
    rng: np.random.Generator,
    orders: Orders,
    lines: Lines,
    people: People,
    catalogue: Catalogue,
    arrived: Integers,
    parameters: Parameters,
) -> Integers:
    comes_back = np.isin(orders.kind, (NORMAL, ANONYMOUS)) & (arrived < NEVER)
    probability = return_probability(orders, lines, people, catalogue, parameters)
    luck = rng.random(lines.order.size) < probability
    return np.flatnonzero(luck & comes_back[lines.order])


def _requests(
    rng: np.random.Generator,
    orders: Orders,
    request: Integers,
    arrived: Integers,
    habits: Returning,
) -> Returns:
    order, is_second = request // 2, request % 2 == 1
    size = order.size
    wait = np.minimum(1 + rng.gamma(2.0, 4.5, size), 29)
    # A few ask after the window and are let through.
    wait = np.where(chance(rng, 0.02, size), 31 + 14 * rng.random(size), wait)
    wait = wait + np.where(is_second, 3 + 9 * rng.random(size), 0)
    requested = arrived[order] + (wait * DAY).astype(np.int64)
    approved = requested + between(rng, 60, 30 * HOUR, size)
    received = approved + ((1.5 + rng.gamma(2.5, 2.4, size)) * DAY).astype(np.int64)
    shares = (
        habits.never_sent_share,
        habits.rejected_share,
        habits.exchange_share,
        habits.unrefunded_share,
    )
    outcome = pick(rng, (1 - sum(shares), *shares), size)
    # Goods are exchanged for a person whose account is known.
    outcome = np.where((outcome == EXCHANGED) & (orders.person[order] < 0), REFUNDED, outcome)
    never = outcome == NEVER_SENT
    settling = between(rng, 6 * HOUR, 9 * DAY, size)
    closed = np.where(never, requested + habits.cancelled_after_days * DAY, received + settling)
    channel = pick(rng, (0.72, 0.18, 0.10), size)
    channel = np.where(orders.channel[order] == STORE, 2, channel)
    cost = np.where(channel == 2, 0, 280 + between(rng, 0, 120, size))
    return Returns(
        order=order,
        outcome=outcome,
        requested=requested,
        approved=approved,
        received=np.where(never, NEVER, received),
        closed=closed,
        channel=channel,
        shipping_cost=np.where(never, 0, cost),
        fee=np.zeros(size, dtype=np.int64),
    )


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
    joined = Refunds(
        **{
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(Refunds)
        }
    )
    keep = joined.amount + joined.tax + joined.shipping > 0
    destination = pick(rng, (0.86, 0.10, 0.04), used)
    joined.destination = destination[joined.number]
    return Refunds(**{one.name: getattr(joined, one.name)[keep] for one in fields(Refunds)})


def exchange_orders(
    rng: np.random.Generator,
    orders: Orders,
    lines: Lines,
    catalogue: Catalogue,
    returns: Returns,
    items: ReturnItems,
) -> tuple[Orders, Lines, Money]:
    """Send another option of the product for every exchanged return, free of charge."""
    parcel = np.flatnonzero(returns.outcome == EXCHANGED)
    size = parcel.size
    origin = returns.order[parcel]
    ordered = returns.received[parcel] + between(rng, 2 * HOUR, 2 * DAY, size)
    columns = {one.name: getattr(orders, one.name)[origin] for one in fields(Orders)}
    columns |= {
        "kind": np.full(size, EXCHANGE),
        "visit_number": np.full(size, -1),
        "ordered": ordered,
        "local_day": local_from_utc(ordered) // DAY,
        "channel": np.full(size, CHANNELS.index("web")),
        "membership": np.full(size, -1),
        "processed": ordered + 60,
        "exchange_of": origin,
    }
    exchanges = Orders(**columns)
    place = np.full(returns.order.size, -1)
    place[parcel] = np.arange(size)
    chosen = np.flatnonzero(place[items.parcel] >= 0)
    chosen = chosen[np.argsort(place[items.parcel[chosen]], kind="stable")]
    line = items.line[chosen]
    quantity, price = items.quantity[chosen], lines.unit_price[line]
    order = place[items.parcel[chosen]]
    free = np.zeros(chosen.size, dtype=np.int64)
    sent = Lines(
        order=order,
        variant=catalogue.sibling[lines.variant[line]],
        quantity=quantity,
        unit_price=price,
        discount=quantity * price,
        tax=free,
        is_insert=np.zeros(chosen.size, dtype=bool),
    )
    gross = np.bincount(order, quantity * price, minlength=size).astype(np.int64)
    nothing = np.zeros(size, dtype=np.int64)
    no = np.zeros(size, dtype=bool)
    none = np.full(size, -1)
    return exchanges, sent, Money(
        gross, gross.copy(), nothing, nothing, nothing, nothing, none, no, nothing
    )
