"""Occasions on which the shop would send a message: dates of broadcasts, and what starts a flow.

Whether it may, and what becomes of it, is decided in `messages`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.science.sample_shop.columns import between, chance, stack, take
from orchestration.science.sample_shop.facts.memberships import ANNUAL, membership_at
from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.facts.products import CATEGORIES
from orchestration.science.sample_shop.facts.shipments import orders_arrived
from orchestration.science.sample_shop.messaging.campaigns import (
    ACTIVE,
    BROADCAST,
    MEMBERS,
    all_campaigns,
    first_message,
    flow_campaign,
)
from orchestration.science.sample_shop.messaging.consents import (
    CONSENT_CHANNELS,
    EMAIL,
    GRANTED,
    MARKETING,
    draw_consents,
)
from orchestration.science.sample_shop.messaging.experiments import in_holdout
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Integers,
    add_months,
    local_from_utc,
    midnight_utc,
)
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.subjects.people import contact_accounts, purchases


@dataclass
class Occasions:
    """One element per message that would be sent, sorted by account and time."""

    account: Integers
    campaign: Integers
    channel: Integers
    when: Integers


@subject("occasions")
def draw_occasions(rng: np.random.Generator, facts: Facts, frame: Frame) -> Occasions:
    """Collect the occasions of everybody who is not held out, while messages are kept."""
    parts = [
        *_broadcasts(rng, facts, frame),
        _welcomes(facts, frame),
        _carts(rng, facts, frame),
        *_after_deliveries(rng, facts, frame),
        _lapses(facts, frame),
        _birthdays(facts, frame),
        _renewals(facts, frame),
        _delays(facts, frame),
    ]
    found = stack(parts)
    inside = (found.when >= first_message(frame)) & (found.when < frame.end_moment)
    inside &= (found.account >= 0) & (found.when >= facts.accounts.created[found.account])
    inside &= ~in_holdout(facts, frame)[facts.accounts.person[found.account]]
    row = np.flatnonzero(inside)
    return take(found, row[np.lexsort([found.campaign[row], found.when[row], found.account[row]])])


def _of_flow(frame: Frame, flow: str, account: Integers, when: Integers) -> Occasions:
    size = account.size
    campaign = np.full(size, flow_campaign(frame, flow))
    return Occasions(account, campaign, np.full(size, EMAIL), when.astype(np.int64))


def _broadcasts(rng: np.random.Generator, facts: Facts, frame: Frame) -> list[Occasions]:
    contact = contact_accounts(facts)
    person = np.flatnonzero(contact >= 0)
    account = contact[person]
    bought = purchases(facts)
    found = []
    for place, campaign in enumerate(all_campaigns(frame)):
        if campaign.kind != BROADCAST:
            continue
        reached = facts.accounts.created[account] < campaign.starts
        if campaign.audience == ACTIVE:
            recent = facts.orders.ordered[bought]
            recent = (recent < campaign.starts) & (recent >= campaign.starts - 180 * DAY)
            reached &= np.isin(person, facts.orders.person[bought[recent]])
        if campaign.audience == MEMBERS:
            now = np.full(person.size, campaign.starts)
            reached &= membership_at(facts.members, facts.people, person, now) >= 0
        row = np.flatnonzero(reached)
        found.append(
            Occasions(
                account=account[row],
                campaign=np.full(row.size, place),
                channel=np.full(row.size, CONSENT_CHANNELS.index(campaign.channel)),
                when=campaign.starts + between(rng, 0, 2 * HOUR, row.size),
            )
        )
    return found


def _welcomes(facts: Facts, frame: Frame) -> Occasions:
    """Greet who has just asked for the newsletter, ten minutes later."""
    said = draw_consents(facts, frame)
    row = (said.channel == EMAIL) & (said.purpose == MARKETING) & (said.status == GRANTED)
    first = np.full(facts.accounts.person.size, NEVER)
    np.minimum.at(first, said.account[row], said.happened[row])
    account = np.flatnonzero(first < NEVER)
    return _of_flow(frame, "welcome", account, first[account] + 600)


def _carts(rng: np.random.Generator, facts: Facts, frame: Frame) -> Occasions:
    """Remind of a basket that was left: some days before an order, or never followed by one."""
    order = purchases(facts)
    share = frame.parameters.messaging.abandoned_carts_per_order
    chosen = order[chance(rng, share, order.size)]
    size = chosen.size
    before = facts.orders.ordered[chosen] - between(rng, DAY, 9 * DAY, size)
    after = facts.orders.ordered[chosen] + between(rng, 9 * DAY, 120 * DAY, size)
    when = np.where(chance(rng, 0.4, size), before, after) + 3 * HOUR
    account = contact_accounts(facts)[facts.orders.person[chosen]]
    return _of_flow(frame, "abandoned_cart", account, when)


def _after_deliveries(rng: np.random.Generator, facts: Facts, frame: Frame) -> list[Occasions]:
    orders, lines = facts.orders, facts.lines
    arrived = orders_arrived(orders, facts.shipments)
    order = np.flatnonzero((orders.kind == NORMAL) & (orders.person >= 0) & (arrived < NEVER))
    account = contact_accounts(facts)[orders.person]
    some = order[chance(rng, 0.3, order.size)]
    cycle = np.array([one.cycle_days for one in CATEGORIES])[frame.catalogue.category]
    runs_out = np.zeros(orders.kind.size, dtype=np.int64)
    np.maximum.at(runs_out, lines.order, cycle[lines.variant])
    again = order[(runs_out[order] > 0) & chance(rng, 0.5, order.size)]
    return [
        _of_flow(frame, "post_purchase", account[order], arrived[order] + 3 * DAY),
        _of_flow(frame, "accessory", account[some], arrived[some] + 10 * DAY),
        _of_flow(frame, "reminder", account[again], arrived[again] + runs_out[again] * DAY),
    ]


def _lapses(facts: Facts, frame: Frame) -> Occasions:
    """Ask back who has not ordered for 180 days."""
    order = purchases(facts)
    person, ordered = facts.orders.person[order], facts.orders.ordered[order]
    following = np.full(order.size, NEVER)
    same = person[1:] == person[:-1]
    following[:-1][same] = ordered[1:][same]
    when = midnight_utc(local_from_utc(ordered) // DAY + 180) + 9 * HOUR
    row = np.flatnonzero(following > when)
    return _of_flow(frame, "reengagement", contact_accounts(facts)[person[row]], when[row])


def _birthdays(facts: Facts, frame: Frame) -> Occasions:
    """Congratulate at eight in the morning, each year in which messages are kept."""
    accounts = facts.accounts
    account = np.flatnonzero(accounts.birth_month > 0)
    first = int(first_message(frame) // DAY)
    parts = []
    for year in range(frame.parameters.messaging.days // 365 + 2):
        january = np.datetime64(first, "D").astype("datetime64[Y]") + year
        start = np.full(account.size, january.astype("datetime64[D]").astype(np.int64))
        months, day = accounts.birth_month[account] - 1, accounts.birth_day[account]
        parts.append(midnight_utc(add_months(start, months, day)) + 8 * HOUR)
    everybody = np.tile(account, len(parts))
    return _of_flow(frame, "birthday", everybody, np.concatenate(parts))


def _renewals(facts: Facts, frame: Frame) -> Occasions:
    """Tell annual members two weeks ahead that their term renews."""
    terms, members = facts.terms, facts.members
    when = midnight_utc(terms.end - 14) + 9 * HOUR
    stays = members.cancel_requested[terms.membership] > when
    row = np.flatnonzero((terms.billing == ANNUAL) & stays & (terms.paid < NEVER))
    account = contact_accounts(facts)[members.person[terms.membership[row]]]
    return _of_flow(frame, "renewal", account, when[row])


def _delays(facts: Facts, frame: Frame) -> Occasions:
    """Tell of a promise that was moved, to the account that ordered."""
    parcels = facts.shipments
    row = np.flatnonzero(parcels.promise_moved < NEVER)
    order, first = np.unique(parcels.order[row], return_index=True)
    moved = parcels.promise_moved[row[first]]
    return _of_flow(frame, "delay_notice", facts.orders.account[order], moved + 120)
