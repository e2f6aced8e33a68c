"""The membership tables and the catalogue of the source contract, as known at a given moment.

The sales tables are in `tables`; `known_tables` of this module returns all twelve.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop import tables
from orchestration.science.sample_shop.columns import (
    dates,
    flags,
    keys,
    labels,
    moments,
    money,
    ranks,
)
from orchestration.science.sample_shop.facts.memberships import (
    BENEFITS,
    CANCEL_REASONS,
    END_TYPES,
    JOIN_CHANNELS,
    TRIAL,
    VOLUNTARY,
)
from orchestration.science.sample_shop.facts.products import BRANDS, CATEGORIES, GIFT_CARDS
from orchestration.science.sample_shop.parameters import BILLING_PERIODS
from orchestration.science.sample_shop.shop_time import DAY, NEVER, Integers, local_from_utc
from orchestration.science.sample_shop.simulation import Facts, Frame

STATUSES = ("trial", "active", "paused", "past_due", "cancel_scheduled", "ended")


def _local_day(before: int) -> int:
    """Return the local day on which the export is made; rows of that day are not in it."""
    return int(local_from_utc(np.int64(before)) // DAY)


def _status(facts: Facts, before: int) -> Integers:
    """Return the state of each membership, as a code of `STATUSES`."""
    members, terms = facts.members, facts.terms
    started = np.flatnonzero(terms.start < _local_day(before))
    current = np.zeros(members.person.size, dtype=np.int64)
    np.maximum.at(current, terms.membership[started], started)
    if not terms.number.size:
        return current
    unpaid = terms.has_failed[current] & (terms.paid[current] >= before)
    asked = (members.cancel_requested < before) & (members.end_type == VOLUNTARY)
    is_trial = terms.billing[current] == TRIAL
    return np.select(
        [members.ended < before, unpaid, asked, is_trial, terms.is_waived[current]],
        [5, 3, 4, 0, 2],
        1,
    )


def memberships(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per membership."""
    members = facts.members
    numbers = tables.membership_numbers(facts)
    row = tables.begun(members.joined, numbers, before)
    account = np.full(facts.people.kind.size, -1)
    registered = np.flatnonzero(facts.people.is_registered)
    account[registered] = np.arange(registered.size)
    ended, asked = members.ended[row] < before, members.cancel_requested[row] < before
    happened = (members.joined, members.ended, members.cancel_requested)
    updated = np.max([np.where(one < before, one, 0) for one in happened], axis=0)
    # A renewal, a pause and a payment change the state of the membership too.
    for moment in (facts.terms.due, facts.terms.paid):
        np.maximum.at(updated, facts.terms.membership, np.where(moment < before, moment, 0))
    return pa.table(
        {
            "membership_id": keys("M", numbers[row]),
            "customer_id": keys(
                "C", tables.account_numbers(facts)[account[members.person[row]]]
            ),
            "program": pa.array([frame.parameters.membership.program] * row.size, pa.string()),
            "joined_at": moments(members.joined[row], before),
            "join_channel": labels(members.channel[row], JOIN_CHANNELS),
            "status": labels(_status(facts, before)[row], STATUSES),
            "cancel_requested_at": moments(members.cancel_requested[row], before),
            "ended_at": moments(members.ended[row], before),
            "cancel_reason": labels(
                np.where(ended | asked, members.reason[row], -1), CANCEL_REASONS
            ),
            "end_type": labels(np.where(ended, members.end_type[row], -1), END_TYPES),
            "auto_renew": flags(~(ended | asked)),
            "updated_at": moments(updated[row], before),
        }
    )


def membership_terms(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per term that has begun; its last day may lie ahead."""
    terms, plans = facts.terms, frame.parameters.membership.plans
    member = tables.membership_numbers(facts)[terms.membership]
    numbers = facts.offsets.terms + 1 + ranks(terms.start, member)
    row = tables.begun(terms.start, numbers, _local_day(before))
    paid = terms.paid[row] < before
    # Codes: 0 paid, 1 failed, 2 waived, 3 due.
    status = np.select(
        [terms.is_waived[row], paid, terms.has_failed[row] & (terms.due[row] < before)],
        [2, 0, 1],
        3,
    )
    return pa.table(
        {
            "membership_term_id": keys("T", numbers[row]),
            "membership_id": keys("M", member[row]),
            "term_number": pa.array(terms.number[row].astype(np.int32)),
            "plan_code": labels(terms.plan[row], [one.code for one in plans]),
            "billing_period": labels(terms.billing[row], BILLING_PERIODS),
            "term_start": dates(terms.start[row]),
            "term_end": dates(terms.end[row]),
            "due_at": moments(terms.due[row], int(NEVER)),
            "fee_amount": money(terms.fee[row]),
            "currency": labels(np.zeros(row.size), (frame.parameters.shop_currency,)),
            "discount_amount": money(terms.discount[row]),
            "payment_status": labels(status, ("paid", "failed", "waived", "due")),
            "paid_at": moments(terms.paid[row], before),
        }
    )


def membership_benefit_usage(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per use of a benefit."""
    uses = facts.uses
    numbers = facts.offsets.uses + 1 + ranks(uses.used, np.arange(uses.used.size))
    row = tables.begun(uses.used, numbers, before)
    return pa.table(
        {
            "usage_id": keys("U", numbers[row]),
            "membership_id": keys("M", tables.membership_numbers(facts)[uses.membership[row]]),
            "benefit_code": labels(uses.benefit[row], BENEFITS),
            "used_at": moments(uses.used[row], before),
            "quantity": pa.array(uses.quantity[row].astype(np.float64)),
            "retail_value_amount": money(uses.retail[row]),
            "cost_amount": money(uses.cost[row]),
            "order_id": keys("O", tables.place_at(tables.order_numbers(facts), uses.order[row])),
        }
    )


def products(frame: Frame, before: int) -> pa.Table:
    """One row per variant."""
    catalogue = frame.catalogue
    size = catalogue.category.size
    titles = catalogue.title
    known = catalogue.discontinued < _local_day(before)
    cycle = np.array([one.cycle_days for one in CATEGORIES])[catalogue.category]
    first_group = [title.rsplit(",", 1)[0].split(" ", 1)[-1] for title in titles]
    return pa.table(
        {
            "variant_id": keys("V", np.arange(size) + 1, 4),
            "product_id": keys("P", catalogue.product, 4),
            "sku": pa.array(
                [f"{CATEGORIES[code].name[:3].upper()}-{number:04d}"
                 for number, code in enumerate(catalogue.category, start=1)]
            ),
            "title": pa.array(titles),
            "brand": labels(catalogue.brand, BRANDS),
            "category_l1": labels(catalogue.category, [one.name for one in CATEGORIES]),
            "category_l2": pa.array(catalogue.group),
            "category_l3": pa.array(first_group),
            "list_price": money(catalogue.price),
            "is_replenishable": flags(cycle > 0),
            "expected_cycle_days": pa.array(cycle.astype(np.int32), mask=cycle == 0),
            "is_gift_card": flags(catalogue.category == GIFT_CARDS),
            "is_returnable": flags(catalogue.is_returnable),
            "launched_at": dates(catalogue.launched),
            "discontinued_at": dates(np.where(known, catalogue.discontinued, 0), known),
        }
    )  # fmt: skip


def product_costs(frame: Frame, before: int) -> pa.Table:
    """One row per variant and start of validity; the last one of a variant is open."""
    catalogue = frame.catalogue
    row = np.flatnonzero(catalogue.cost_from < _local_day(before))
    variant, start = catalogue.cost_variant[row], catalogue.cost_from[row]
    is_last = np.concatenate([variant[1:] != variant[:-1], [True]])
    following = np.concatenate([start[1:], [0]])
    return pa.table(
        {
            "variant_id": keys("V", variant + 1, 4),
            "valid_from": dates(start),
            "unit_cost": money(catalogue.cost_pence[row]),
            "handling_cost": money(catalogue.cost_handling[row]),
            "valid_to": dates(np.where(is_last, 0, following - 1), ~is_last),
        }
    )


SHARED_TABLES = {"products": products, "product_costs": product_costs}
CHUNK_TABLES = {
    "customers": tables.customers,
    "orders": tables.orders,
    "order_lines": tables.order_lines,
    "shipments": tables.shipments,
    "returns": tables.returns,
    "return_items": tables.return_items,
    "refunds": tables.refunds,
    "memberships": memberships,
    "membership_terms": membership_terms,
    "membership_benefit_usage": membership_benefit_usage,
}


def known_tables(frame: Frame, chunks: list[Facts], before: int) -> dict[str, pa.Table]:
    """Return all twelve tables as known before a moment (UTC seconds)."""
    shared = {name: make(frame, before) for name, make in SHARED_TABLES.items()}
    return shared | {
        name: pa.concat_tables([make(facts, frame, before) for facts in chunks])
        for name, make in CHUNK_TABLES.items()
    }
