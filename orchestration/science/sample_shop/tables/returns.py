"""The tables of returns, of what is in them, and of refunds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import keys, labels, moments, money, ranks
from orchestration.science.sample_shop.facts.refunds import DESTINATIONS, REFUND_REASONS
from orchestration.science.sample_shop.facts.returns import (
    CONDITIONS,
    DISPOSITIONS,
    NEVER_SENT,
    REASON_TEXTS,
    REASONS,
    REJECTED,
    RETURN_CHANNELS,
)
from orchestration.science.sample_shop.shop_time import DAY, NEVER
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.tables.numbers import (
    begun,
    line_numbers,
    order_numbers,
    place_at,
    return_numbers,
)

# In the order of a return's life; the codes below are places in it.
STATUSES = ("requested", "approved", "in_transit", "received", "rejected", "cancelled", "closed")
REQUESTED, APPROVED, IN_TRANSIT, RECEIVED, TURNED_DOWN, CANCELLED, CLOSED = range(7)


def returns(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per return request."""
    requests = facts.returns
    numbers = return_numbers(facts)
    row = begun(requests.requested, numbers, before)
    outcome, received = requests.outcome[row], requests.received[row] < before
    closed = requests.closed[row] < before
    on_its_way = (outcome != NEVER_SENT) & (requests.received[row] - 3 * DAY < before)
    status = np.select(
        [
            closed & (outcome == NEVER_SENT),
            closed & (outcome == REJECTED),
            closed,
            received,
            on_its_way & (requests.approved[row] < before),
            requests.approved[row] < before,
        ],
        [CANCELLED, TURNED_DOWN, CLOSED, RECEIVED, IN_TRANSIT, APPROVED],
        REQUESTED,
    )
    return pa.table(
        {
            "return_id": keys("R", numbers[row]),
            "order_id": keys("O", order_numbers(facts)[requests.order[row]]),
            "requested_at": moments(requests.requested[row], before),
            "approved_at": moments(requests.approved[row], before),
            "received_at": moments(requests.received[row], before),
            "closed_at": moments(requests.closed[row], before),
            "status": labels(status, STATUSES),
            "channel": labels(requests.channel[row], RETURN_CHANNELS),
            "return_shipping_cost": money(np.where(received, requests.shipping_cost[row], 0)),
            "restocking_fee": money(np.where(closed, requests.fee[row], 0)),
        }
    )


def return_items(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per order line in a return."""
    items, requests = facts.items, facts.returns
    place = return_numbers(facts)[items.parcel]
    numbers = facts.offsets.return_items + 1 + ranks(place, np.arange(place.size))
    row = begun(requests.requested[items.parcel], numbers, before)
    received = requests.received[items.parcel[row]] < before
    return pa.table(
        {
            "return_item_id": keys("I", numbers[row]),
            "return_id": keys("R", place[row]),
            "order_line_id": keys("L", line_numbers(facts)[items.line[row]], 8),
            "quantity": pa.array(items.quantity[row].astype(np.int32)),
            "reason_code": labels(items.reason[row], REASONS),
            "reason_text": labels(items.text[row], REASON_TEXTS),
            "disposition": labels(np.where(received, items.disposition[row], -1), DISPOSITIONS),
            "condition": labels(np.where(received, items.condition[row], -1), CONDITIONS),
        }
    )


def refunds(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per refund and order line."""
    given = facts.refunds
    size = int(given.number.max(initial=-1)) + 1
    issued = np.full(size, NEVER)
    np.minimum.at(issued, given.number, given.issued)
    number = facts.offsets.refunds + 1 + ranks(issued, np.arange(size))[given.number]
    row = begun(given.issued, ranks(number, given.line), before)
    return pa.table(
        {
            "refund_id": keys("F", number[row]),
            "order_line_id": keys("L", place_at(line_numbers(facts), given.line[row]), 8),
            "order_id": keys("O", order_numbers(facts)[given.order[row]]),
            "return_id": keys("R", place_at(return_numbers(facts), given.parcel[row])),
            "amount": money(given.amount[row]),
            "tax_amount": money(given.tax[row]),
            "shipping_amount": money(given.shipping[row]),
            "refund_destination": labels(given.destination[row], DESTINATIONS),
            "reason": labels(given.reason[row], REFUND_REASONS),
            "issued_at": moments(given.issued[row], before),
        }
    )
