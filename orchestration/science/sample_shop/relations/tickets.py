"""Support tickets: who writes and how it is handled is decided while orders are placed (`buying.pace`);
here they get their reason, their team and their words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    keys,
    labels,
    moments,
    money,
    pick,
    ranks,
)
from orchestration.science.sample_shop.facts.shipments import LOST, SENT_BACK
from orchestration.science.sample_shop.relations.accounts import net_pounds, order_of_visit
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Integers,
    utc_from_local,
)
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    begun,
    order_numbers,
    place_at,
)

CHANNELS = ("email", "chat", "phone", "social", "public_review", "bot")
EMAIL, CHAT, PHONE, SOCIAL, PUBLIC_REVIEW, BOT = range(6)
REASONS = (
    "where_is_my_order", "parcel_lost", "return_or_refund", "promo_code", "product_question",
    "size_advice", "damaged_item", "wrong_item", "payment", "account", "membership",
)  # fmt: skip
WHERE, PARCEL_LOST, RETURN, PROMO_CODE = range(4)
OTHER_WEIGHTS = (0.34, 0.20, 0.14, 0.09, 0.09, 0.08, 0.06)
"""Of the reasons from `product_question` on."""
PRIORITIES = ("low", "normal", "high", "urgent")
GROUPS = ("deliveries", "returns", "products", "accounts")
GROUP_OF_REASON = np.array([0, 0, 1, 3, 2, 2, 1, 1, 3, 3, 3])
STATUSES = ("open", "pending", "solved", "closed")
HANDLERS = ("bot", "agent", "both")
CLOSED_AFTER = 7 * DAY
WELL = (0.02, 0.05, 0.13, 0.36, 0.44)
BADLY = (0.32, 0.26, 0.21, 0.14, 0.07)
"""Scores 1 to 5 of contacts handled well and badly."""


@dataclass
class Tickets:
    """One element per ticket; order and account are -1 where the shop does not know them."""

    order: Integers
    account: Integers
    channel: Integers
    reason: Integers
    priority: Integers
    opened: Integers
    answered: Integers
    reopened: Integers
    reopened_count: Integers
    resolved: Integers
    handler: Integers
    is_bad: NDArray[np.bool_]
    """Answered after the hours of its channel, or opened again."""
    compensation: Integers
    score: Integers
    scored: Integers


@subject("support_tickets")
def draw_tickets(rng: np.random.Generator, facts: Facts, frame: Frame) -> Tickets:
    """Describe the tickets about orders, and add those of people whom the shop does not know."""
    habits, course = frame.parameters.service, facts.course
    visit = np.flatnonzero(course.opened < NEVER)
    strangers = rng.binomial(visit.size, habits.strangers / (1 - habits.strangers))
    donor = visit[rng.integers(0, max(visit.size, 1), strangers if visit.size else 0)]
    is_known = np.arange(visit.size + donor.size) < visit.size
    visit = np.concatenate([visit, donor])
    size = visit.size
    order = np.where(is_known, order_of_visit(facts)[visit], -1)
    opened, answered, resolved = (
        utc_from_local(one[visit]) for one in (course.opened, course.answered, course.resolved)
    )
    # A stranger writes on another day than the one whose ticket lends the times.
    shift = np.where(is_known, 0, between(rng, DAY, 60 * DAY, size))
    opened, answered, resolved = opened + shift, answered + shift, resolved + shift
    compensated = course.is_compensated[visit] & is_known
    unsolved = chance(rng, habits.unsolved, size) & ~compensated
    resolved = np.where(unsolved, NEVER, resolved)
    channel = facts.fates.contact_channel[visit]
    is_reopened = course.is_reopened[visit] & ~unsolved
    is_bad = course.is_slow[visit] | course.is_reopened[visit]
    reopened = np.where(is_reopened, answered + (resolved - answered) // 3, NEVER)
    reason = _reasons(rng, facts, visit, order, opened, is_known)
    trouble = (reason == WHERE) | (reason == PARCEL_LOST)
    priority = np.where(trouble, 2 + chance(rng, 0.15, size), pick(rng, (0.25, 0.7, 0.05), size))
    by_bot = np.where(channel == BOT, pick(rng, (0.6, 0.0, 0.4), size), 1)
    by_bot = np.where((channel == CHAT) & chance(rng, 0.3, size), 2, by_bot)
    answers = chance(rng, np.where(is_bad, habits.csat_answer[1], habits.csat_answer[0]), size)
    score = 1 + np.where(is_bad, pick(rng, BADLY, size), pick(rng, WELL, size))
    # A compensation makes up for some of it.
    score = np.minimum(score + (compensated & chance(rng, 0.6, size)), 5)
    scored = np.where(answers & ~unsolved, resolved + between(rng, HOUR, 3 * DAY, size), NEVER)
    return Tickets(
        order=order,
        account=np.where(is_known, facts.orders.account[order], -1),
        channel=channel,
        reason=reason,
        priority=priority,
        opened=opened,
        answered=answered,
        reopened=reopened,
        reopened_count=np.where(is_reopened, 1 + chance(rng, 0.15, size), 0),
        resolved=resolved,
        handler=by_bot,
        is_bad=is_bad,
        compensation=np.where(compensated, _compensations(rng, facts, order), 0),
        score=score,
        scored=scored,
    )


def _reasons(
    rng: np.random.Generator,
    facts: Facts,
    visit: Integers,
    order: Integers,
    opened: Integers,
    is_known: NDArray[np.bool_],
) -> Integers:
    """Give each ticket the reason that its order shows, or another one."""
    size, orders = visit.size, facts.orders.kind.size
    outcome = np.where(is_known, facts.journeys.outcome[visit], -1)
    late = is_known & (facts.course.late[visit] < NEVER)
    lost = np.isin(outcome, (LOST, SENT_BACK)) & _sends(facts)[order]
    returned = np.full(orders, NEVER)
    np.minimum.at(returned, facts.returns.order, facts.returns.requested)
    comes_back = is_known & (returned[order] < opened)
    refused = is_known & facts.fates.has_refused_code[visit] & chance(rng, 0.4, size)
    other = 4 + pick(rng, OTHER_WEIGHTS, size)
    return np.select(
        [late, lost & is_known, comes_back, refused],
        [WHERE, PARCEL_LOST, RETURN, PROMO_CODE],
        other,
    )


def _sends(facts: Facts) -> NDArray[np.bool_]:
    sends = np.zeros(facts.orders.kind.size, dtype=bool)
    sends[facts.shipments.order] = True
    return sends


def _compensations(rng: np.random.Generator, facts: Facts, order: Integers) -> Integers:
    """Return a tenth to a quarter of the order in whole pounds' pence, three pounds at least."""
    pounds = net_pounds(facts)[order] * rng.uniform(0.10, 0.25, order.size)
    return (np.clip(np.round(pounds), 3, 30) * 100).astype(np.int64)


def ticket_numbers(facts: Facts, frame: Frame) -> Integers:
    """Return the running number of each ticket: they are numbered as they were opened."""
    opened = draw_tickets(facts, frame).opened
    return 1 + ranks(opened, np.arange(opened.size))


def support_tickets(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per ticket."""
    tickets, numbers = draw_tickets(facts, frame), ticket_numbers(facts, frame)
    row = begun(tickets.opened, numbers, before)
    answered, resolved = tickets.answered[row] < before, tickets.resolved[row] < before
    is_open_again = (tickets.reopened[row] < before) & ~resolved
    closed = resolved & (tickets.resolved[row] + CLOSED_AFTER < before)
    status = np.select([closed, resolved, is_open_again, answered], [3, 2, 0, 1], 0)
    scored = tickets.scored[row] < before
    happened = (
        tickets.opened, tickets.answered, tickets.reopened, tickets.resolved, tickets.scored,
    )  # fmt: skip
    updated = np.max([np.where(one[row] < before, one[row], 0) for one in happened], axis=0)
    return pa.table(
        {
            "ticket_id": keys("K", numbers[row]),
            "customer_id": keys("C", place_at(account_numbers(facts), tickets.account[row])),
            "order_id": keys("O", place_at(order_numbers(facts), tickets.order[row])),
            "channel": labels(tickets.channel[row], CHANNELS),
            "reason_code": labels(tickets.reason[row], REASONS),
            "priority": labels(tickets.priority[row], PRIORITIES),
            "opened_at": moments(tickets.opened[row], before),
            "first_response_at": moments(tickets.answered[row], before),
            "resolved_at": moments(tickets.resolved[row], before),
            "reopened_count": pa.array(
                np.where(tickets.reopened[row] < before, tickets.reopened_count[row], 0).astype(
                    np.int32
                )
            ),
            "status": labels(status, STATUSES),
            "handled_by": labels(np.where(answered, tickets.handler[row], -1), HANDLERS),
            "agent_group": labels(
                np.where(answered, GROUP_OF_REASON[tickets.reason[row]], -1), GROUPS
            ),
            "compensation_amount": money(np.where(resolved, tickets.compensation[row], 0)),
            "csat_score": pa.array(tickets.score[row].astype(np.int32), mask=~scored),
            "source_url_hash": _post_hashes(tickets.channel[row], numbers[row]),
            "updated_at": moments(updated, before),
        }
    )


def _post_hashes(channel: Integers, numbers: Integers) -> pa.Array:
    is_post = np.isin(channel, (SOCIAL, PUBLIC_REVIEW))
    return pa.array(
        [
            hashlib.sha256(f"post {number}".encode()).hexdigest() if public else None
            for number, public in zip(numbers.tolist(), is_post.tolist(), strict=True)
        ],
        pa.string(),
    )
