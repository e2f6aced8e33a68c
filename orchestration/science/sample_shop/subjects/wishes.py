"""Wish lists of registered customers, and what some of them do in the shop's communities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    keys,
    labels,
    moments,
    pick,
    ranks,
    take,
)
from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.facts.people import CUSTOMER
from orchestration.science.sample_shop.facts.products import GIFT_CARDS
from orchestration.science.sample_shop.shop_time import DAY, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.subjects.people import contact_accounts
from orchestration.science.sample_shop.tables.numbers import account_numbers, begun

COMMUNITIES = ("forum", "run_club", "product_panel")
ACTS = ("joined", "posted", "attended", "left")


@dataclass
class Wishes:
    """One element per variant put on a list."""

    account: Integers
    variant: Integers
    added: Integers
    removed: Integers


@dataclass
class Acts:
    """One element per act in a community."""

    account: Integers
    community: Integers
    act: Integers
    happened: Integers


@subject("wishes")
def draw_wishes(rng: np.random.Generator, facts: Facts, frame: Frame) -> Wishes:
    """Put variants on lists: some that are ordered later, and some that never are."""
    habits, people, orders = frame.parameters.wishing, facts.people, facts.orders
    size = people.kind.size
    lists = people.is_registered & (people.kind == CUSTOMER)
    lists &= chance(rng, habits.lister_share, size)
    account = contact_accounts(facts)
    opened = np.where(account >= 0, facts.accounts.created[account], NEVER)

    lines = facts.lines
    person = orders.person[lines.order]
    wanted = (orders.kind[lines.order] == NORMAL) & lists[person] & (person >= 0)
    wanted &= ~lines.is_insert & (frame.catalogue.category[lines.variant] < GIFT_CARDS)
    wanted &= chance(rng, habits.bought_share * 0.5, lines.order.size)
    line = np.flatnonzero(wanted)
    bought = orders.ordered[lines.order[line]]
    early = bought - between(rng, DAY, 45 * DAY, line.size)
    early = np.maximum(early, opened[person[line]] + 120)
    in_time = early < bought

    others = np.repeat(
        np.flatnonzero(lists),
        rng.poisson(habits.items_per_lister * (1 - habits.bought_share), int(lists.sum())),
    )
    always = np.flatnonzero(
        (frame.catalogue.discontinued == NEVER) & (frame.catalogue.category < GIFT_CARDS)
    )
    last = frame.end_moment + frame.parameters.future_days * DAY
    added = opened[others] + (rng.random(others.size) * (last - opened[others])).astype(np.int64)
    taken_off = chance(rng, habits.removed_share, others.size)
    removed = np.where(taken_off, added + between(rng, DAY, 200 * DAY, others.size), NEVER)
    wishes = Wishes(
        account=account[np.concatenate([person[line][in_time], others])],
        variant=np.concatenate([lines.variant[line][in_time], rng.choice(always, others.size)]),
        added=np.concatenate([early[in_time], added]),
        removed=np.concatenate([bought[in_time], removed]),
    )
    # Two lines of one variant are one wish.
    place = np.stack([wishes.account, wishes.variant, wishes.added])
    return take(wishes, np.unique(place, axis=1, return_index=True)[1])


@subject("communities")
def draw_acts(rng: np.random.Generator, facts: Facts, frame: Frame) -> Acts:
    """Let a few customers join a community, take part, and perhaps leave."""
    habits, people = frame.parameters.wishing, facts.people
    joins = people.is_registered & (people.kind == CUSTOMER)
    person = np.flatnonzero(joins & chance(rng, habits.community_share, people.kind.size))
    account = contact_accounts(facts)[person]
    last = frame.end_moment + frame.parameters.future_days * DAY
    opened = facts.accounts.created[account]
    joined = opened + (rng.random(person.size) * (last - opened)).astype(np.int64)
    community = pick(rng, (0.5, 0.3, 0.2), person.size)
    leaves = chance(rng, 0.2, person.size)
    left = joined + between(rng, 30 * DAY, 300 * DAY, person.size)
    row = np.repeat(np.arange(person.size), rng.poisson(habits.community_acts, person.size))
    stay = np.where(leaves, left, last)[row] - joined[row]
    when = joined[row] + 1 + (rng.random(row.size) * np.maximum(stay - 2, 1)).astype(np.int64)
    act = np.where(community[row] == 0, 1, 1 + chance(rng, 0.6, row.size))
    gone = np.flatnonzero(leaves)
    return Acts(
        account=account[np.concatenate([np.arange(person.size), row, gone])],
        community=community[np.concatenate([np.arange(person.size), row, gone])],
        act=np.concatenate([np.zeros(person.size, np.int64), act, np.full(gone.size, 3)]),
        happened=np.concatenate([joined, when, left[gone]]),
    )


def wishlist_items(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per variant put on a list."""
    wishes = draw_wishes(facts, frame)
    row = begun(wishes.added, ranks(wishes.added, wishes.account, wishes.variant), before)
    return pa.table(
        {
            "customer_id": keys("C", account_numbers(facts)[wishes.account[row]]),
            "variant_id": keys("V", wishes.variant[row] + 1, 4),
            "added_at": moments(wishes.added[row], before),
            "removed_at": moments(wishes.removed[row], before),
        }
    )


def community_events(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per act in a community."""
    acts = draw_acts(facts, frame)
    row = begun(acts.happened, ranks(acts.happened, acts.account), before)
    return pa.table(
        {
            "customer_id": keys("C", account_numbers(facts)[acts.account[row]]),
            "event_at": moments(acts.happened[row], before),
            "community_type": labels(acts.community[row], COMMUNITIES),
            "event_type": labels(acts.act[row], ACTS),
        }
    )
