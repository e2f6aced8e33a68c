"""Payments: every attempt to move money for an order, a refund or a term of a membership."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import STORE
from orchestration.science.sample_shop.columns import (
    between,
    chance,
    keys,
    labels,
    moments,
    money,
    pick,
    ranks,
    stack,
)
from orchestration.science.sample_shop.facts.orders import (
    ANONYMOUS,
    CANCELLED,
    FRAUD,
    NORMAL,
    TEST,
    UNPAID,
)
from orchestration.science.sample_shop.facts.products import CURRENCIES
from orchestration.science.sample_shop.facts.refunds import DESTINATIONS
from orchestration.science.sample_shop.shop_time import DAY, HOUR, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import (
    begun,
    order_numbers,
    place_at,
    term_numbers,
)

KINDS = ("sale", "capture", "authorization", "void", "refund")
SALE, CAPTURE, AUTHORIZATION, VOID, REFUND = range(5)
METHODS = (
    "card", "wallet", "pay_later", "bank_transfer", "gift_card", "cash", "store_credit",
    "direct_debit",
)  # fmt: skip
CARD, WALLET, PAY_LATER, BANK_TRANSFER, GIFT_CARD, CASH, STORE_CREDIT, DIRECT_DEBIT = range(8)
FAILURES = (
    "insufficient_funds", "card_declined", "expired_card", "authentication_failed",
    "payment_expired", "account_closed",
)  # fmt: skip
EXPIRED, CLOSED = 4, 5
EXCEPTIONS = ("double_capture", "short_capture", "refund_never_paid")
DOUBLE, SHORT, NEVER_PAID = range(3)
SHORT_BY = 100


@dataclass
class Attempts:
    """One element per attempt; it belongs to an order or to a term, the other one is -1."""

    order: Integers
    term: Integers
    kind: Integers
    method: Integers
    amount: Integers
    code: Integers
    """Why it failed, as a code of the failures; -1 where it succeeded."""
    processed: Integers
    settled: Integers
    """From when it is no longer pending."""


@dataclass
class Payments:
    """All attempts, and the orders whose money is not what their rows say."""

    attempts: Attempts
    exception_order: Integers
    exception_kind: Integers
    exception_amount: Integers
    """What was collected too much, in pence of the order's currency."""


@subject("payments")
def draw_payments(rng: np.random.Generator, facts: Facts, frame: Frame) -> Payments:
    """Draw the attempts behind every order, refund and term."""
    habits = frame.parameters.paying
    method = _methods(rng, facts, frame)
    sold = np.isin(facts.orders.kind, (NORMAL, ANONYMOUS, TEST)) & (facts.money.total > 0)
    online = sold & (facts.orders.kind == NORMAL) & (facts.orders.channel != STORE)
    settled = np.flatnonzero(online & (facts.orders.processed < frame.end_moment - 60 * DAY))
    back = _refunds(rng, facts, frame, method)
    untouched = np.setdiff1d(settled, back.order)
    odd = rng.choice(
        untouched, min(untouched.size, habits.double_captures + habits.short_captures), False
    )
    double, short = np.split(odd, [min(odd.size, habits.double_captures)])
    old = np.flatnonzero((back.issued < frame.end_moment - 60 * DAY) & (back.method < GIFT_CARD))
    lost = rng.choice(old, min(old.size, habits.refunds_never_paid), False)
    back.fails[lost], back.is_paid[lost] = True, False
    attempts = stack(
        [
            _for_orders(rng, facts, frame, method, sold, short),
            _again(facts, method, double),
            _not_taken(facts, method),
            _given_back(back),
            _for_terms(rng, facts, frame),
        ]
    )
    short_by = np.minimum(SHORT_BY, facts.money.total[short])
    return Payments(
        attempts,
        np.concatenate([double, short, back.order[lost]]),
        np.repeat([DOUBLE, SHORT, NEVER_PAID], [double.size, short.size, lost.size]),
        np.concatenate([facts.money.total[double], -short_by, back.money[lost]]),
    )


def _methods(rng: np.random.Generator, facts: Facts, frame: Frame) -> Integers:
    """Return the means by which each order is paid: cash or card in the store."""
    orders, size = facts.orders, facts.orders.kind.size
    online = pick(rng, frame.parameters.paying.method_weights, size)
    at_store = orders.channel == STORE
    method = np.where(at_store, np.where(chance(rng, 0.3, size), CASH, CARD), online)
    # What is cancelled, never paid or found to be fraud was tried with a card at most.
    by_card = np.isin(orders.kind, (CANCELLED, FRAUD)) | ((orders.kind == UNPAID) & at_store)
    return np.where(by_card, CARD, method)


def _attempts(order: Integers, kind: Integers | int, method: Integers, amount: Integers,
              processed: Integers, code: Integers | int = -1,
              settled: Integers | int = 0) -> Attempts:  # fmt: skip
    size = order.size
    return Attempts(
        order=order,
        term=np.full(size, -1),
        kind=np.broadcast_to(kind, size).astype(np.int64),
        method=method.astype(np.int64),
        amount=amount.astype(np.int64),
        code=np.broadcast_to(code, size).astype(np.int64),
        processed=processed.astype(np.int64),
        settled=np.broadcast_to(settled, size).astype(np.int64),
    )


def _for_orders(
    rng: np.random.Generator,
    facts: Facts,
    frame: Frame,
    method: Integers,
    sold: NDArray[np.bool_],
    short: Integers,
) -> Attempts:
    """Take the total of every paid order: a card is asked first and charged then, the rest at once."""
    orders, habits = facts.orders, frame.parameters.paying
    order = np.flatnonzero(sold)
    total, ordered, processed = facts.money.total, orders.ordered, orders.processed
    by_gift_card = chance(rng, habits.gift_card_share, order.size) & (total[order] >= 1000)
    by_gift_card &= orders.kind[order] == NORMAL
    part = np.where(by_gift_card, np.floor(total[order] * rng.uniform(0.2, 0.7, order.size)), 0)
    by_money = total[order] - part.astype(np.int64)
    two_steps = (method[order] == CARD) & (orders.channel[order] != STORE)
    asked = ordered[order] + (processed - ordered)[order] // 2
    taken = by_money.copy()
    place = np.searchsorted(order, np.sort(short))
    taken[place] -= np.minimum(SHORT_BY, taken[place])
    # Failures come first, in the seconds between the order and the attempt that succeeds.
    fails = chance(rng, habits.failed_share, order.size) & (orders.kind[order] == NORMAL)
    fails &= orders.channel[order] != STORE
    count = np.where(fails, 1 + chance(rng, 1 / 3, order.size), 0)
    failed = np.repeat(np.arange(order.size), count)
    code = pick(rng, habits.failure_weights, failed.size)
    early = ordered[order[failed]] + (asked - ordered[order])[failed] // 2
    kind = np.where(two_steps, AUTHORIZATION, SALE)
    cards = np.flatnonzero(by_gift_card)
    steps = np.flatnonzero(two_steps)
    return stack(
        [
            _attempts(order[failed], kind[failed], method[order[failed]], by_money[failed], early,
                      code),
            _attempts(order[steps], AUTHORIZATION, method[order[steps]], by_money[steps],
                      asked[steps]),
            _attempts(order, np.where(two_steps, CAPTURE, SALE), method[order], taken,
                      processed[order]),
            _attempts(order[cards], SALE, np.full(cards.size, GIFT_CARD), part[cards],
                      processed[order[cards]]),
        ]
    )  # fmt: skip


def _again(facts: Facts, method: Integers, double: Integers) -> Attempts:
    """Take the whole amount a second time, some minutes later, by mistake."""
    taken = np.where(method[double] == CARD, CAPTURE, SALE)
    later = facts.orders.processed[double] + HOUR // 6
    return _attempts(double, taken, method[double], facts.money.total[double], later)


def _not_taken(facts: Facts, method: Integers) -> Attempts:
    """Reserve and release what is cancelled or found to be fraud; wait in vain for the unpaid."""
    orders, total = facts.orders, facts.money.total
    reserved = np.flatnonzero(np.isin(orders.kind, (CANCELLED, FRAUD)) & (total > 0))
    released = np.minimum(orders.cancelled, orders.exposed)[reserved]
    unpaid = np.flatnonzero((orders.kind == UNPAID) & (total > 0))
    waits = np.isin(method[unpaid], (PAY_LATER, BANK_TRANSFER))
    open_ones, refused = unpaid[waits], np.repeat(unpaid[~waits], 2)
    minutes = np.where(np.arange(refused.size) % 2 == 0, 1, 5) * 60
    no_money = np.zeros(refused.size, dtype=np.int64)
    refused_kind = np.where(method[refused] == CARD, AUTHORIZATION, SALE)
    return stack(
        [
            _attempts(reserved, AUTHORIZATION, method[reserved], total[reserved],
                      orders.processed[reserved]),
            _attempts(reserved, VOID, method[reserved], total[reserved], released),
            _attempts(open_ones, SALE, method[open_ones], total[open_ones],
                      orders.ordered[open_ones] + 60, EXPIRED, orders.cancelled[open_ones]),
            _attempts(refused, refused_kind, method[refused], total[refused],
                      orders.ordered[refused] + minutes, no_money),
        ]
    )  # fmt: skip


@dataclass
class _Refunds:
    """One element per refund: where its money goes, and whether the attempts to send it succeed."""

    order: Integers
    money: Integers
    issued: Integers
    method: Integers
    fails: NDArray[np.bool_]
    is_paid: NDArray[np.bool_]


def _refunds(rng: np.random.Generator, facts: Facts, frame: Frame, method: Integers) -> _Refunds:
    rows = facts.refunds
    number, first, place = np.unique(rows.number, return_index=True, return_inverse=True)
    given = np.bincount(place, rows.amount + rows.tax + rows.shipping, minlength=number.size)
    order, destination = rows.order[first], rows.destination[first]
    to = np.select(
        [
            destination == DESTINATIONS.index("store_credit"),
            destination == DESTINATIONS.index("gift_card"),
        ],
        [STORE_CREDIT, GIFT_CARD],
        method[order],
    )
    # Only what goes through a bank can fail.
    fails = chance(rng, frame.parameters.paying.refund_failed_share, number.size)
    return _Refunds(
        order=order,
        money=given.astype(np.int64),
        issued=rows.issued[first],
        method=to,
        fails=fails & (to < GIFT_CARD),
        is_paid=np.ones(number.size, dtype=bool),
    )


def _given_back(refunds: _Refunds) -> Attempts:
    """Pay every refund, most of them at once, to where it was promised."""
    first, then = np.flatnonzero(refunds.fails), np.flatnonzero(refunds.is_paid)
    when = refunds.issued + np.where(refunds.fails, DAY, 0)
    return stack(
        [
            _attempts(refunds.order[first], REFUND, refunds.method[first], refunds.money[first],
                      refunds.issued[first], CLOSED),
            _attempts(refunds.order[then], REFUND, refunds.method[then], refunds.money[then],
                      when[then]),
        ]
    )  # fmt: skip


def _for_terms(rng: np.random.Generator, facts: Facts, frame: Frame) -> Attempts:
    """Take every fee when it is due; one that fails is tried again until it is paid or given up."""
    terms, habits = facts.terms, frame.parameters.paying
    amount = terms.fee - terms.discount
    by_debit = chance(rng, 0.3, facts.members.person.size)[terms.membership]
    method = np.where(by_debit, DIRECT_DEBIT, CARD)
    paid = np.flatnonzero((amount > 0) & (terms.paid < NEVER))
    failed = np.flatnonzero(terms.has_failed & (amount > 0))
    # A fee that is never paid is tried on the day and three and seven days later.
    tries = np.where(terms.paid[failed] < NEVER, 1, 3)
    again = np.repeat(np.arange(failed.size), tries)
    which = np.arange(again.size) - np.repeat(np.cumsum(tries) - tries, tries)
    row = failed[again]
    code = pick(rng, habits.failure_weights, failed.size)[again]
    when = terms.due[row] + np.array([0, 3, 7])[which] * DAY + between(rng, 5, 600, row.size)
    taken = _attempts(paid, SALE, method[paid], amount[paid], terms.paid[paid])
    lost = _attempts(row, SALE, method[row], amount[row], when, code)
    joined = stack([taken, lost])
    joined.term, joined.order = joined.order, np.full(joined.order.size, -1)
    return joined


def payments(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per attempt to move money."""
    attempts = draw_payments(facts, frame).attempts
    place = np.arange(attempts.order.size)
    numbers = 1 + ranks(attempts.processed, place)
    row = begun(attempts.processed, numbers, before)
    order, code = attempts.order[row], attempts.code[row]
    is_open, has_failed = attempts.settled[row] >= before, code >= 0
    # The tills of the store write no currency, and a fee is in the shop's.
    at_till = facts.orders.channel[order] == STORE
    currency = np.where(at_till, -1, facts.orders.currency[order])
    status = np.where(is_open, 2, np.where(has_failed, 1, 0))
    return pa.table(
        {
            "payment_id": keys("PY", numbers[row]),
            "order_id": keys("O", place_at(order_numbers(facts), order)),
            "membership_term_id": keys("T", place_at(term_numbers(facts), attempts.term[row])),
            "kind": labels(attempts.kind[row], KINDS),
            "status": labels(status, ("success", "failure", "pending")),
            "method": labels(attempts.method[row], METHODS),
            "amount": money(attempts.amount[row]),
            "currency": labels(np.where(order >= 0, currency, 0), CURRENCIES),
            "failure_code": labels(np.where(is_open, -1, code), FAILURES),
            "processed_at": moments(attempts.processed[row], before),
        }
    )


def payment_exceptions(facts: Facts, frame: Frame) -> pa.Table:
    """One row per order whose money is not what its rows say; part of the truth."""
    found = draw_payments(facts, frame)
    return pa.table(
        {
            "order_id": keys("O", order_numbers(facts)[found.exception_order]),
            "kind": labels(found.exception_kind, EXCEPTIONS),
            "collected_too_much_amount": money(found.exception_amount),
        }
    )
