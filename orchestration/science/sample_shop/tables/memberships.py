"""The tables of memberships, their terms and the use of benefits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

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
from orchestration.science.sample_shop.parameters import BILLING_PERIODS, SHOP_CURRENCY
from orchestration.science.sample_shop.shop_time import NEVER, Integers, local_day
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    begun,
    membership_numbers,
    order_numbers,
    place_at,
    term_numbers,
)

STATUSES = ("trial", "active", "paused", "past_due", "cancel_scheduled", "ended")


def _status(facts: Facts, before: int) -> Integers:
    """Return the state of each membership, as a code of `STATUSES`."""
    members, terms = facts.members, facts.terms
    started = np.flatnonzero(terms.start < local_day(before))
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
    numbers = membership_numbers(facts)
    row = begun(members.joined, numbers, before)
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
            "customer_id": keys("C", account_numbers(facts)[account[members.person[row]]]),
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
    member = membership_numbers(facts)[terms.membership]
    numbers = term_numbers(facts)
    row = begun(terms.start, numbers, local_day(before))
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
            "currency": labels(np.zeros(row.size), (SHOP_CURRENCY,)),
            "discount_amount": money(terms.discount[row]),
            "payment_status": labels(status, ("paid", "failed", "waived", "due")),
            "paid_at": moments(terms.paid[row], before),
        }
    )


def membership_benefit_usage(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per use of a benefit."""
    uses = facts.uses
    numbers = facts.offsets.uses + 1 + ranks(uses.used, np.arange(uses.used.size))
    row = begun(uses.used, numbers, before)
    return pa.table(
        {
            "usage_id": keys("U", numbers[row]),
            "membership_id": keys("M", membership_numbers(facts)[uses.membership[row]]),
            "benefit_code": labels(uses.benefit[row], BENEFITS),
            "used_at": moments(uses.used[row], before),
            "quantity": pa.array(uses.quantity[row].astype(np.float64)),
            "retail_value_amount": money(uses.retail[row]),
            "cost_amount": money(uses.cost[row]),
            "order_id": keys("O", place_at(order_numbers(facts), uses.order[row])),
        }
    )
