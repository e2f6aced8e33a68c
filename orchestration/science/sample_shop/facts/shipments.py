"""Parcels: what was promised, when it arrived, what it cost the shop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, pick
from orchestration.science.sample_shop.facts.baskets import Lines
from orchestration.science.sample_shop.facts.orders import (
    ANONYMOUS,
    EXCHANGE,
    NORMAL,
    STORE,
    Orders,
)
from orchestration.science.sample_shop.facts.products import GIFT_CARDS, Catalogue
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Integers,
    local_from_utc,
    utc_from_local,
)

ON_TIME, LATE, LOST, SENT_BACK = range(4)
COSTS = np.array([890, 560, 390, 290])
COST_ABROAD = 650
LATEST_HOUR = 14
"""Orders from this local hour on leave the next day."""


@dataclass
class Shipments:
    """One element per parcel."""

    order: Integers
    carrier: Integers
    service: Integers
    promised: Integers
    promise_moved: Integers
    """When a later promise was shown; `promised_later` is that promise."""
    promised_later: Integers
    shipped: Integers
    delivered: Integers
    settled: Integers
    """When a lost or returned parcel was found to be so."""
    outcome: Integers
    address_changed: NDArray[np.bool_]
    cost: Integers


def ship_orders(
    rng: np.random.Generator,
    orders: Orders,
    lines: Lines,
    catalogue: Catalogue,
    parameters: Parameters,
) -> Shipments:
    """Send the goods of every paid order; nothing leaves for cancelled, unpaid or fraud orders."""
    habits = parameters.delivery
    size = orders.kind.size
    goods = np.bincount(
        lines.order[catalogue.category[lines.variant] != GIFT_CARDS], minlength=size
    )
    sends = np.isin(orders.kind, (NORMAL, ANONYMOUS, EXCHANGE)) & (orders.channel != STORE)
    parcels = np.where(sends & (goods > 0), 1, 0)
    parcels += (parcels > 0) & (goods > 1) & chance(rng, habits.second_parcel_share, size)
    order = np.repeat(np.arange(size), parcels)
    is_second = np.concatenate([[False], order[1:] == order[:-1]]) if order.size else order > 0
    return _travel(rng, orders, order, is_second, parameters)


def _travel(
    rng: np.random.Generator,
    orders: Orders,
    order: Integers,
    is_second: NDArray[np.bool_],
    parameters: Parameters,
) -> Shipments:
    habits = parameters.delivery
    size = order.size
    service = orders.service[order]
    carrier = pick(rng, habits.carrier_weights, size)
    local = local_from_utc(orders.ordered[order])
    base = local // DAY + (local % DAY >= LATEST_HOUR * HOUR)
    days = np.array(habits.service_days)[service]
    same_day = service == 0

    # Same-day parcels leave in the morning or half an hour after the order; others at night.
    morning = np.maximum(local + HOUR // 2, base * DAY + 9 * HOUR)
    evening = base * DAY + between(rng, 16 * HOUR, 19 * HOUR, size)
    shipped = np.where(same_day, morning, evening)
    late_share = np.array(habits.late_probability)[carrier, service]
    is_late = chance(rng, late_share, size)
    usual = np.where(days > 0, base + 1 + between(rng, 0, np.maximum(days, 1), size), base)
    delay = rng.geometric(0.45, size)
    arrival_day = np.where(is_late, base + days + delay, usual)
    arrival = arrival_day * DAY + between(rng, 8 * HOUR, 20 * HOUR, size)
    soon = shipped + between(rng, HOUR, 5 * HOUR, size)
    delivered = np.where(same_day & ~is_late, soon, arrival)
    # The second parcel of an order travels with the first one, half an hour behind.
    for column in (carrier, shipped, delivered, arrival_day):
        column[is_second] = column[np.flatnonzero(is_second) - 1]
    is_late[is_second] = is_late[np.flatnonzero(is_second) - 1]
    delivered = delivered + np.where(is_second, HOUR // 2, 0)

    promised = (base + days) * DAY + 20 * HOUR
    moves = is_late & chance(rng, habits.promise_moved_share, size)
    moves[is_second] = moves[np.flatnonzero(is_second) - 1]
    later = arrival_day * DAY + 20 * HOUR
    outcome = np.where(is_late, LATE, ON_TIME)
    fate = rng.random(size)
    outcome = np.where(fate < habits.lost_share, LOST, outcome)
    sent_back = (fate >= habits.lost_share) & (
        fate < habits.lost_share + habits.returned_to_sender_share
    )
    outcome = np.where(sent_back, SENT_BACK, outcome)
    arrives = (outcome == ON_TIME) | (outcome == LATE)
    settled = utc_from_local(promised) + habits.lost_after_days * DAY
    cost = COSTS[service] + np.where(orders.country[order] > 0, COST_ABROAD, 0)
    return Shipments(
        order=order,
        carrier=carrier,
        service=service,
        promised=utc_from_local(promised),
        promise_moved=np.where(moves & arrives, utc_from_local(promised) - 4 * HOUR, NEVER),
        promised_later=utc_from_local(later),
        shipped=utc_from_local(shipped),
        delivered=np.where(arrives, utc_from_local(delivered), NEVER),
        settled=np.where(arrives, NEVER, settled),
        outcome=outcome,
        address_changed=chance(rng, habits.address_changed_share, size),
        cost=cost + between(rng, -25, 26, size),
    )


def orders_arrived(orders: Orders, shipments: Shipments) -> Integers:
    """Return when the last parcel of each order arrived; NEVER if one did not.

    Orders of the store are handed over the counter; orders that send nothing never arrive.
    """
    arrived = np.full(orders.kind.size, -1, dtype=np.int64)
    np.maximum.at(arrived, shipments.order, shipments.delivered)
    at_counter = np.isin(orders.kind, (NORMAL, ANONYMOUS)) & (orders.channel == STORE)
    arrived = np.where(at_counter, orders.processed, arrived)
    return np.where(arrived < 0, NEVER, arrived)
