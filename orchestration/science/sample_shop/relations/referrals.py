"""Invitations of friends: those that brought a customer, and those that nobody took up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import between, keys, labels, moments, money, ranks
from orchestration.science.sample_shop.relations.accounts import order_of_visit, own_account
from orchestration.science.sample_shop.shop_time import DAY, HOUR, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    begun,
    order_numbers,
    place_at,
)
from orchestration.science.sample_shop.tables.people import emails

STATUSES = ("invited", "signed_up", "ordered", "rewarded", "expired")
EXPIRES_AFTER = 60 * DAY
REWARD_AFTER = 14 * DAY
INVITES_WITHIN = 120 * DAY


@dataclass
class Referrals:
    """One element per invitation; friend and first order are -1 where nobody came."""

    referrer: Integers
    friend: Integers
    invited: Integers
    signed_up: Integers
    first_order: Integers
    ordered: Integers
    rewarded: Integers


@subject("referrals")
def draw_referrals(rng: np.random.Generator, facts: Facts, frame: Frame) -> Referrals:
    """Find an inviter for everybody who was referred, and let others invite in vain."""
    people, visits, orders = facts.people, facts.visits, facts.orders
    row = order_of_visit(facts)
    may = np.flatnonzero((row >= 0) & people.is_registered[visits.person])
    may = may[np.argsort(orders.ordered[row[may]], kind="stable")]
    when = orders.ordered[row[may]]
    first = np.full(people.kind.size, -1)
    is_first = np.flatnonzero((visits.number == 0) & (row >= 0))
    first[visits.person[is_first]] = row[is_first]
    friend = np.flatnonzero(people.is_referred & (first >= 0))
    signed_up = facts.accounts.created[own_account(facts)[friend]]
    # One of the orders of the months before: who orders often invites often.
    high = np.searchsorted(when, signed_up - HOUR)
    low = np.searchsorted(when, signed_up - INVITES_WITHIN)
    low = np.where(low < high, low, 0)
    has_one = high > 0
    friend, signed_up, low, high = (one[has_one] for one in (friend, signed_up, low, high))
    chosen = between(rng, low, high, friend.size)
    after = when[chosen]
    invited = after + (rng.random(friend.size) * (signed_up - after)).astype(np.int64)
    habits = frame.parameters.referring
    share = np.where(visits.number[may] == 0, habits.invites_first, habits.invites_later)
    vain = np.repeat(may, rng.poisson(share))
    sent = orders.ordered[row[vain]] + between(rng, HOUR, 30 * DAY, vain.size)
    ordered = orders.ordered[first[friend]]
    none = np.full(vain.size, -1)
    never = np.full(vain.size, NEVER)
    return Referrals(
        referrer=np.concatenate([visits.person[may[chosen]], visits.person[vain]]),
        friend=np.concatenate([friend, none]),
        invited=np.concatenate([invited, sent]),
        signed_up=np.concatenate([signed_up, never]),
        first_order=np.concatenate([first[friend], none]),
        ordered=np.concatenate([ordered, never]),
        rewarded=np.concatenate([ordered + REWARD_AFTER, never]),
    )


def referrals(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per invitation."""
    drawn = draw_referrals(facts, frame)
    numbers = 1 + ranks(drawn.invited, np.arange(drawn.invited.size))
    row = begun(drawn.invited, numbers, before)
    own, account = own_account(facts), account_numbers(facts)
    signed_up, ordered = drawn.signed_up[row] < before, drawn.ordered[row] < before
    rewarded = drawn.rewarded[row] < before
    expired = drawn.invited[row] + EXPIRES_AFTER < before
    status = np.select([rewarded, ordered, signed_up, expired], [3, 2, 1, 4], 0)
    friend = np.where(signed_up, drawn.friend[row], -1)
    reward = np.full(row.size, frame.parameters.referring.reward)
    return pa.table(
        {
            "referral_id": keys("N", numbers[row]),
            "referrer_customer_id": keys("C", account[own[drawn.referrer[row]]]),
            "referred_email_sha256": _hashes(facts, drawn.friend[row], numbers[row]),
            "referred_customer_id": keys("C", place_at(account[own], friend)),
            "invited_at": moments(drawn.invited[row], before),
            "signed_up_at": moments(drawn.signed_up[row], before),
            "first_order_id": keys(
                "O", place_at(order_numbers(facts), np.where(ordered, drawn.first_order[row], -1))
            ),
            "reward_amount": money(reward),
            "reward_granted_at": moments(drawn.rewarded[row], before),
            "status": labels(status, STATUSES),
        }
    )


def _hashes(facts: Facts, friend: Integers, numbers: Integers) -> pa.Array:
    """Hash the address that was invited; nobody else has the address of one who never came."""
    plain = emails(facts, np.maximum(friend, 0), np.zeros(friend.size, dtype=np.int64))
    address = [
        mail if who >= 0 else f"friend.{number}@example.net"
        for mail, who, number in zip(
            plain.to_pylist(), friend.tolist(), numbers.tolist(), strict=True
        )
    ]
    return pa.array([hashlib.sha256(one.encode()).hexdigest() for one in address], pa.string())
