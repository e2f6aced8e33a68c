"""Tiers: what the orders of a year give, shown as spells; decided while orders are placed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import keys, labels, moments
from orchestration.science.sample_shop.relations.accounts import order_of_visit, own_account
from orchestration.science.sample_shop.shop_time import NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import account_numbers

REASONS = ("enrolled", "orders", "lapsed")
ENROLLED, ORDERS, LAPSED = range(3)
SIGN_UP_LEAD = 300
"""Seconds before an order at which its buyer enrols at the checkout."""


@dataclass
class Tiers:
    """One element per person and start of a tier, sorted by both."""

    person: Integers
    tier: Integers
    start: Integers
    end: Integers
    reason: Integers


@subject("loyalty_tiers")
def draw_tiers(_: np.random.Generator, facts: Facts, frame: Frame) -> Tiers:
    """Collect the starts of tiers: enrolment, orders that lift, and years without enough of them."""
    course, visits, clock = facts.course, facts.visits, frame.clock
    ordered = facts.orders.ordered[order_of_visit(facts)]
    visit = np.flatnonzero(course.tier >= 0)
    person = visits.person[visit]
    is_first = np.concatenate([[True], person[1:] != person[:-1]]) if visit.size else visit > 0
    enrolled = visit[is_first]
    lifted = visit[course.lifts_tier[visit]]
    # A tier lapses when it ends before the next order, the lowest one never does.
    until = course.tier_until[visit]
    follower = np.concatenate([visit[1:], [-1]])
    same = np.concatenate([person[1:] == person[:-1], [False]]) if visit.size else visit > 0
    next_day = np.where(same, clock.calendar(course.weeks[follower]), np.inf)
    ends = (course.tier[visit] > 0) & (until < np.minimum(next_day, clock.days - 1))
    parts = [
        (visits.person[enrolled], np.zeros(enrolled.size), ordered[enrolled] - SIGN_UP_LEAD),
        (visits.person[lifted], course.tier[lifted], ordered[lifted]),
        (person[ends], np.zeros(int(ends.sum())), clock.seconds(until[ends])),
    ]
    who, tier, start = (np.concatenate(one).astype(np.int64) for one in zip(*parts, strict=True))
    reason = np.repeat([ENROLLED, ORDERS, LAPSED], [one[0].size for one in parts])
    place = np.lexsort([start, who])
    who, tier, start, reason = (one[place] for one in (who, tier, start, reason))
    follows = np.concatenate([who[1:] == who[:-1], [False]]) if who.size else who > 0
    end = np.where(follows, np.concatenate([start[1:], [NEVER]]), NEVER)
    return Tiers(who, tier, start, end, reason)


def loyalty_tier_history(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per customer and start of a tier."""
    tiers = draw_tiers(facts, frame)
    numbers = account_numbers(facts)[own_account(facts)[tiers.person]]
    row = np.flatnonzero(tiers.start < before)
    row = row[np.lexsort([numbers[row], tiers.start[row]])]
    return pa.table(
        {
            "customer_id": keys("C", numbers[row]),
            "valid_from": moments(tiers.start[row], before),
            "tier": labels(tiers.tier[row], frame.parameters.loyalty.tiers),
            "valid_to": moments(tiers.end[row], before),
            "reason": labels(tiers.reason[row], REASONS),
        }
    )
