"""The tables of orders, their lines and their parcels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.buying.channels import CHANNELS, STORE
from orchestration.science.sample_shop.columns import (
    flags,
    keys,
    labels,
    moments,
    money,
    percent_of,
)
from orchestration.science.sample_shop.facts.baskets import PROMOTIONS
from orchestration.science.sample_shop.facts.orders import (
    ANONYMOUS,
    CANCEL_REASONS,
    CHECKOUTS,
    DEVICES,
    NORMAL,
    TEST,
)
from orchestration.science.sample_shop.facts.people import COUNTRIES
from orchestration.science.sample_shop.facts.products import CURRENCIES
from orchestration.science.sample_shop.facts.shipments import LATE, LOST, ON_TIME
from orchestration.science.sample_shop.shop_time import NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    begun,
    line_numbers,
    membership_numbers,
    order_numbers,
    place_at,
    shipment_numbers,
)
from orchestration.science.sample_shop.tables.people import emails

ORDER_STATUSES = (
    "pending", "paid", "fulfilled", "partially_refunded", "refunded", "cancelled", "fraud",
)  # fmt: skip
PENDING, PAID, FULFILLED, PARTIALLY_REFUNDED, REFUNDED, CANCELLED, FRAUD = range(7)


def _refunded(facts: Facts, before: int) -> tuple[Integers, Integers]:
    """Return item money given back and the last moment of giving, per order, before a moment."""
    refunds, size = facts.refunds, facts.orders.kind.size
    done = refunds.issued < before
    amount = np.bincount(refunds.order[done], refunds.amount[done], minlength=size)
    last = np.zeros(size, dtype=np.int64)
    np.maximum.at(last, refunds.order[done], refunds.issued[done])
    return amount.astype(np.int64), last


def order_shipped(facts: Facts) -> Integers:
    """Return when each order left; over the counter it leaves when it is paid."""
    orders = facts.orders
    shipped = np.full(orders.kind.size, NEVER)
    np.minimum.at(shipped, facts.shipments.order, facts.shipments.shipped)
    is_sale = np.isin(orders.kind, (NORMAL, ANONYMOUS))
    # Without a parcel there is only the till, and gift cards, which go out by e-mail.
    at_once = is_sale & (shipped == NEVER)
    return np.where(at_once, orders.processed, shipped)


def order_status(facts: Facts, before: int) -> Integers:
    """Return the state of each order, as a code of `ORDER_STATUSES`."""
    orders, amounts = facts.orders, facts.money
    refunded, _ = _refunded(facts, before)
    net = amounts.gross - amounts.discount
    return np.select(
        [
            orders.exposed < before,
            orders.cancelled < before,
            orders.processed >= before,
            (refunded > 0) & (refunded >= net),
            refunded > 0,
            order_shipped(facts) < before,
        ],
        [FRAUD, CANCELLED, PENDING, REFUNDED, PARTIALLY_REFUNDED, FULFILLED],
        PAID,
    )


def orders(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per order."""
    facts_orders, amounts = facts.orders, facts.money
    numbers = order_numbers(facts)
    row = begun(facts_orders.ordered, numbers, before)
    account = place_at(account_numbers(facts), facts_orders.account[row])
    happened = [
        facts_orders.ordered,
        facts_orders.processed,
        facts_orders.cancelled,
        facts_orders.exposed,
        order_shipped(facts),
        _refunded(facts, before)[1],
    ]
    updated = np.max([np.where(one < before, one, 0) for one in happened], axis=0)
    cost = np.bincount(
        facts.shipments.order, facts.shipments.cost, minlength=facts_orders.kind.size
    )
    # The tills of the store write no currency: there it can only be the shop's.
    at_till = facts_orders.channel[row] == STORE
    currency = np.where(at_till, -1, facts_orders.currency[row])
    cost_amount = percent_of(cost[row], 1 / facts_orders.rate[row])
    cost_amount = np.where(order_shipped(facts)[row] < before, cost_amount, 0)
    return pa.table(
        {
            "order_id": keys("O", numbers[row]),
            "customer_id": keys("C", account),
            "email": emails(facts, facts_orders.person[row], facts_orders.spelling[row]),
            "ordered_at": moments(facts_orders.ordered[row], before),
            "processed_at": moments(facts_orders.processed[row], before),
            "cancelled_at": moments(facts_orders.cancelled[row], before),
            "cancel_reason": labels(
                np.where(facts_orders.cancelled[row] < before, facts_orders.cancel_reason[row], -1),
                CANCEL_REASONS,
            ),
            "status": labels(order_status(facts, before)[row], ORDER_STATUSES),
            "channel": labels(facts_orders.channel[row], CHANNELS),
            "device_type": labels(facts_orders.device[row], DEVICES),
            "checkout_method": labels(facts_orders.checkout[row], CHECKOUTS),
            "currency": labels(currency, CURRENCIES),
            "fx_rate_to_shop": pa.array(facts_orders.rate[row], mask=at_till),
            "gross_item_amount": money(amounts.gross[row]),
            "discount_amount": money(amounts.discount[row]),
            "shipping_amount": money(amounts.shipping[row]),
            "tax_amount": money(amounts.tax[row]),
            "total_amount": money(amounts.total[row]),
            "payment_fee_amount": money(amounts.fee[row]),
            "shipping_cost_amount": money(cost_amount),
            "is_exchange": flags(facts_orders.exchange_of[row] >= 0),
            "exchange_of_order_id": keys("O", place_at(numbers, facts_orders.exchange_of[row])),
            "membership_id": keys(
                "M", place_at(membership_numbers(facts), facts_orders.membership[row])
            ),
            "promo_codes": _promo_codes(facts, row),
            "is_test": flags(facts_orders.kind[row] == TEST),
            "shipping_country": labels(facts_orders.country[row], COUNTRIES),
            "updated_at": moments(updated[row], before),
        }
    )


def _promo_codes(facts: Facts, row: Integers) -> pa.Array:
    """Codes used, separated by commas: a promotion, free shipping, or both."""
    names = ["FREESHIP", *PROMOTIONS, *(f"{one},FREESHIP" for one in PROMOTIONS)]
    promotion = facts.money.promotion[row]
    is_free = facts.money.has_free_shipping_code[row]
    code = np.where(promotion >= 0, 1 + promotion + len(PROMOTIONS) * is_free, is_free - 1)
    return labels(code, names)


def order_lines(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per order line."""
    lines = facts.lines
    numbers = line_numbers(facts)
    row = begun(facts.orders.ordered[lines.order], numbers, before)
    left = order_shipped(facts)[lines.order[row]] < before
    return pa.table(
        {
            "order_line_id": keys("L", numbers[row], 8),
            "order_id": keys("O", order_numbers(facts)[lines.order[row]]),
            "variant_id": keys("V", lines.variant[row] + 1, 4),
            "quantity": pa.array(lines.quantity[row].astype(np.int32)),
            "unit_price": money(lines.unit_price[row]),
            "discount_amount": money(lines.discount[row]),
            "tax_amount": money(lines.tax[row]),
            "is_gift_insert": flags(lines.is_insert[row]),
            "fulfilled_quantity": pa.array(np.where(left, lines.quantity[row], 0).astype(np.int32)),
        }
    )


def shipments(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per parcel."""
    parcels, delivery = facts.shipments, frame.parameters.delivery
    numbers = shipment_numbers(facts)
    row = begun(parcels.shipped, numbers, before)
    outcome = parcels.outcome[row]
    arrived = np.isin(outcome, (ON_TIME, LATE))
    # Codes: 0 delivered, 1 lost, 2 returned_to_sender, 3 in_transit.
    final = np.where(arrived, 0, np.where(outcome == LOST, 1, 2))
    known = np.where(arrived, parcels.delivered[row], parcels.settled[row]) < before
    moved = parcels.promise_moved[row] < before
    latest = np.where(moved, parcels.promised_later[row], parcels.promised[row])
    return pa.table(
        {
            "shipment_id": keys("S", numbers[row]),
            "order_id": keys("O", order_numbers(facts)[parcels.order[row]]),
            "carrier": labels(parcels.carrier[row], delivery.carriers),
            "service_level": labels(parcels.service[row], delivery.services),
            "promised_at_first": moments(parcels.promised[row], int(NEVER)),
            "promised_at_latest": moments(latest, int(NEVER)),
            "shipped_at": moments(parcels.shipped[row], before),
            "delivered_at": moments(parcels.delivered[row], before),
            "delivery_status": labels(
                np.where(known, final, 3), ("delivered", "lost", "returned_to_sender", "in_transit")
            ),
            "address_changed": flags(parcels.address_changed[row]),
            "cost_amount": money(parcels.cost[row]),
        }
    )
