"""The tables of the source contract, as an export made at a given moment would show them.

Nothing is drawn here. A row appears when it begins, and shows of its life what has happened by then.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import (
    flags,
    keys,
    labels,
    moments,
    money,
    percent_of,
    ranks,
)
from orchestration.science.sample_shop.facts.baskets import PROMOTIONS
from orchestration.science.sample_shop.facts.orders import (
    ANONYMOUS,
    CANCEL_REASONS,
    CHANNELS,
    CHECKOUTS,
    DEVICES,
    NORMAL,
    STORE,
    TEST,
)
from orchestration.science.sample_shop.facts.people import (
    ACCOUNT_STATES,
    ACQUISITION_CHANNELS,
    CASE,
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
    SPACE,
    TAG,
    TESTER,
)
from orchestration.science.sample_shop.facts.products import CURRENCIES, CURRENCY_OF_COUNTRY
from orchestration.science.sample_shop.facts.returns import (
    CONDITIONS,
    DESTINATIONS,
    DISPOSITIONS,
    NEVER_SENT,
    REASON_TEXTS,
    REASONS,
    REFUND_REASONS,
    REJECTED,
    RETURN_CHANNELS,
)
from orchestration.science.sample_shop.facts.shipments import LATE, LOST, ON_TIME
from orchestration.science.sample_shop.shop_time import DAY, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame

ORDER_STATUSES = (
    "pending", "paid", "fulfilled", "partially_refunded", "refunded", "cancelled", "fraud",
)  # fmt: skip
PENDING, PAID, FULFILLED, PARTIALLY_REFUNDED, REFUNDED, CANCELLED, FRAUD = range(7)
REGIONS = ("England", "Scotland", "Wales", "Northern Ireland")
TILL_EMAIL = "till@shop.example"


def order_numbers(facts: Facts) -> Integers:
    """Return the running number of each order: they are numbered as they were placed."""
    orders = facts.orders
    return facts.offsets.orders + 1 + ranks(orders.ordered, np.arange(orders.kind.size))


def line_numbers(facts: Facts) -> Integers:
    """Return the running number of each order line, in the order of the orders."""
    place = order_numbers(facts)[facts.lines.order]
    return facts.offsets.lines + 1 + ranks(place, np.arange(place.size))


def account_numbers(facts: Facts) -> Integers:
    """Return the running number of each account: they are numbered as they were opened."""
    accounts = facts.accounts
    return facts.offsets.accounts + 1 + ranks(accounts.created, np.arange(accounts.person.size))


def membership_numbers(facts: Facts) -> Integers:
    """Return the running number of each membership: they are numbered as they were joined."""
    members = facts.members
    return facts.offsets.memberships + 1 + ranks(members.joined, np.arange(members.person.size))


def place_at(numbers: Integers, index: NDArray[np.int64]) -> Integers:
    """Return numbers[index], and -1 where the index is -1."""
    if not numbers.size:
        return np.full(index.size, -1)
    return np.where(index >= 0, numbers[index], -1)


def begun(begins: Integers, numbers: Integers, before: int) -> Integers:
    """Return the rows that have begun, in the order of their numbers."""
    order = np.argsort(numbers)
    return order[begins[order] < before]


def _emails(facts: Facts, person: Integers, spelling: Integers) -> pa.Array:
    """Return the address of each person as it was typed; null where the spelling is -1."""
    people = facts.people
    first = labels(people.first_name[person], [_ascii(one) for one in FIRST_NAMES])
    last = labels(people.last_name[person], [_ascii(one) for one in LAST_NAMES])
    number = pa.array(facts.offsets.people + person + 1).cast(pa.string())
    local = pc.binary_join_element_wise(first, last, number, ".")
    tagged = pc.if_else(
        pa.array(spelling == TAG), pc.binary_join_element_wise(local, "shop", "+"), local
    )
    typed = pc.binary_join_element_wise(tagged, "example.com", "@")
    typed = pc.if_else(pa.array(people.uses_till_email[person]), TILL_EMAIL, typed)
    typed = pc.if_else(pa.array(spelling == CASE), pc.utf8_upper(typed), typed)
    blank = pc.binary_join_element_wise(" ", typed, " ", "")
    typed = pc.if_else(pa.array(spelling == SPACE), blank, typed)
    return pc.if_else(pa.array((spelling >= 0) & (person >= 0)), typed, None)


def _ascii(name: str) -> str:
    return name.lower().translate(str.maketrans("éëçøüáúíèö", "eecouauieo", "’"))


def customers(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per account."""
    accounts, people = facts.accounts, facts.people
    numbers = account_numbers(facts)
    row = begun(accounts.created, numbers, before)
    person, state = accounts.person[row], accounts.state[row]
    country = people.country[person]
    updated = accounts.profile_updated[row]
    # The update of a profile is what adds the phone number.
    is_changed = updated < before
    has_phone = np.where(updated < NEVER, is_changed, accounts.has_phone[row])
    digits = pa.array(7_700_900_000 + (facts.offsets.people + person) % 1_000_000).cast(pa.string())
    phone = pc.binary_join_element_wise("+44", digits, " ")
    birth_month, birth_day = accounts.birth_month[row], accounts.birth_day[row]
    return pa.table(
        {
            "customer_id": keys("C", numbers[row]),
            "email": _emails(facts, person, accounts.spelling[row]),
            "phone": pc.if_else(flags(has_phone), phone, None),
            "first_name": labels(people.first_name[person], FIRST_NAMES),
            "last_name": labels(people.last_name[person], LAST_NAMES),
            "birth_month": pa.array(birth_month.astype(np.int32), mask=birth_month < 0),
            "birth_day": pa.array(birth_day.astype(np.int32), mask=birth_day < 0),
            "country_code": labels(country, COUNTRIES),
            "region": labels(np.where(country == 0, accounts.postal[row] % 4, -1), REGIONS),
            "postal_code": pa.array(accounts.postal[row]).cast(pa.string()),
            "created_at": moments(accounts.created[row], before),
            "updated_at": moments(np.where(is_changed, updated, accounts.created[row]), before),
            "account_state": labels(state, ACCOUNT_STATES),
            "acquisition_channel": labels(people.acquisition[person], ACQUISITION_CHANNELS),
            "default_currency": labels(CURRENCY_OF_COUNTRY[country], CURRENCIES),
            "is_test": flags(people.kind[person] == TESTER),
        }
    )


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
            "email": _emails(facts, facts_orders.person[row], facts_orders.spelling[row]),
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
    numbers = facts.offsets.shipments + 1 + ranks(parcels.shipped, np.arange(parcels.order.size))
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


def _return_numbers(facts: Facts) -> Integers:
    requested = facts.returns.requested
    return facts.offsets.returns + 1 + ranks(requested, np.arange(requested.size))


def returns(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per return request."""
    requests = facts.returns
    numbers = _return_numbers(facts)
    row = begun(requests.requested, numbers, before)
    outcome, received = requests.outcome[row], requests.received[row] < before
    closed = requests.closed[row] < before
    on_its_way = ~np.isin(outcome, (NEVER_SENT,)) & (requests.received[row] - 3 * DAY < before)
    status = np.select(
        [
            closed & (outcome == NEVER_SENT),
            closed & (outcome == REJECTED),
            closed,
            received,
            on_its_way & (requests.approved[row] < before),
            requests.approved[row] < before,
        ],
        [5, 4, 6, 3, 2, 1],
        0,
    )
    names = ("requested", "approved", "in_transit", "received", "rejected", "cancelled", "closed")
    return pa.table(
        {
            "return_id": keys("R", numbers[row]),
            "order_id": keys("O", order_numbers(facts)[requests.order[row]]),
            "requested_at": moments(requests.requested[row], before),
            "approved_at": moments(requests.approved[row], before),
            "received_at": moments(requests.received[row], before),
            "closed_at": moments(requests.closed[row], before),
            "status": labels(status, names),
            "channel": labels(requests.channel[row], RETURN_CHANNELS),
            "return_shipping_cost": money(np.where(received, requests.shipping_cost[row], 0)),
            "restocking_fee": money(np.where(closed, requests.fee[row], 0)),
        }
    )


def return_items(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per order line in a return."""
    items, requests = facts.items, facts.returns
    place = _return_numbers(facts)[items.parcel]
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
            "return_id": keys("R", place_at(_return_numbers(facts), given.parcel[row])),
            "amount": money(given.amount[row]),
            "tax_amount": money(given.tax[row]),
            "shipping_amount": money(given.shipping[row]),
            "refund_destination": labels(given.destination[row], DESTINATIONS),
            "reason": labels(given.reason[row], REFUND_REASONS),
            "issued_at": moments(given.issued[row], before),
        }
    )
