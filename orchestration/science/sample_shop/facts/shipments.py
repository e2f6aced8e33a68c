"""Parcels: what was promised, when it arrived, what it cost the shop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import STORE
from orchestration.science.sample_shop.buying.journeys import (
    LATE,
    LOST,
    ON_TIME,
    SENT_BACK,
    Journeys,
    travel,
)
from orchestration.science.sample_shop.columns import between, chance, take
from orchestration.science.sample_shop.facts.baskets import Lines
from orchestration.science.sample_shop.facts.orders import ANONYMOUS, EXCHANGE, NORMAL, Orders
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

COSTS = np.array([890, 560, 390, 290])
COST_ABROAD = 650
__all__ = ["LATE", "LOST", "ON_TIME", "SENT_BACK", "Shipments", "orders_arrived", "ship_orders"]


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
    journeys: Journeys,
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
    # The second parcel of an order travels with the first one, half an hour behind.
    is_second = np.concatenate([[False], order[1:] == order[:-1]]) if order.size else order > 0
    service, own = orders.service[order], take(journeys, order)
    local = local_from_utc(orders.ordered[order])
    way = travel(local, service, own, own.outcome, parameters)
    delivered = way.delivered + np.where(is_second, HOUR // 2, 0)
    arrives = (own.outcome == ON_TIME) | (own.outcome == LATE)
    promised = utc_from_local(way.promised)
    moves = own.moves_promise & (own.outcome == LATE)
    cost = COSTS[service] + np.where(orders.country[order] > 0, COST_ABROAD, 0)
    return Shipments(
        order=order,
        carrier=own.carrier,
        service=service,
        promised=promised,
        promise_moved=np.where(moves, promised - 4 * HOUR, NEVER),
        promised_later=utc_from_local(way.arrival_day * DAY + 20 * HOUR),
        shipped=utc_from_local(way.shipped),
        delivered=np.where(arrives, utc_from_local(delivered), NEVER),
        settled=np.where(arrives, NEVER, promised + habits.lost_after_days * DAY),
        outcome=own.outcome,
        address_changed=chance(rng, habits.address_changed_share, order.size),
        cost=cost + between(rng, -25, 26, order.size),
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
