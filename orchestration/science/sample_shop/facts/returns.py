"""Goods that come back, and the exchanges that are sent for them; the money is in `refunds`."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import CHANNELS, STORE
from orchestration.science.sample_shop.columns import between, chance, pick
from orchestration.science.sample_shop.facts.baskets import Lines, Money
from orchestration.science.sample_shop.facts.orders import ANONYMOUS, EXCHANGE, NORMAL, Orders
from orchestration.science.sample_shop.facts.people import People
from orchestration.science.sample_shop.facts.products import Catalogue
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
    return (
        exchanges,
        sent,
        Money(gross, gross.copy(), nothing, nothing, nothing, nothing, none, no, nothing),
    )
