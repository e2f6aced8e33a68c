"""Surveys: whom the shop asks, what they would say, and who answers.

Everybody has a mood of their own that nobody sees; what went wrong or well in the months before moves
the score. The pleased and the angry answer more than those between, so the answers are no fair sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, keys, labels, moments, ranks
from orchestration.science.sample_shop.facts.returns import NEVER_SENT, REJECTED
from orchestration.science.sample_shop.facts.shipments import orders_arrived
from orchestration.science.sample_shop.relations.accounts import order_of_visit, own_account
from orchestration.science.sample_shop.relations.tickets import draw_tickets, ticket_numbers
from orchestration.science.sample_shop.shop_time import DAY, HOUR, NEVER, Floats, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    begun,
    order_numbers,
    place_at,
)

SURVEY_TYPES = ("nps", "csat", "ces", "churn", "post_return")
NPS, CSAT, CES, CHURN, POST_RETURN = range(5)
TOUCHPOINTS = ("order", "delivery", "support", "membership", "return")
LOWEST = np.array([0, 1, 1, 0, 1])
HIGHEST = np.array([10, 5, 7, 10, 5])
CENTRE = np.array([8.2, 4.25, 5.6, 4.5, 3.9])
"""Score of somebody in a middling mood to whom nothing happened ..."""
MOOD = np.array([1.5, 0.5, 0.8, 2.0, 0.7])
"""... what a mood one standard deviation better adds ..."""
NOISE = np.array([1.0, 0.5, 0.7, 1.5, 0.6])
MEMORY = 90 * DAY
LATE_FELT, BAD_FELT, MADE_UP, REFUSED_FELT = -1.4, -1.9, 1.0, -0.6
"""... and what each event of the last 90 days adds to a score from 0 to 10."""
NPS_PAUSE = 180 * DAY
UNHAPPY = np.array([6, 2, 3, 3, 2])
COMMENTS = (
    "Arrived when it should, thank you.", "I waited for days and nobody told me why.",
    "The person on the phone was kind.", "Too expensive by now.", "The return took ages.",
    "All fine.",
)  # fmt: skip


@dataclass
class Surveys:
    """One element per survey sent; order and ticket are -1 where it is about none."""

    account: Integers
    kind: Integers
    sent: Integers
    responded: Integers
    score: Integers
    comment: Integers
    order: Integers
    ticket: Integers
    looped: Integers
    """When somebody came back to an unhappy customer."""


@dataclass
class _Asked:
    """Who is asked what and when, and how far the matter itself moves the score."""

    kind: int
    person: Integers
    account: Integers
    sent: Integers
    shift: Floats
    order: Integers
    ticket: Integers


@subject("survey_responses")
def draw_surveys(rng: np.random.Generator, facts: Facts, frame: Frame) -> Surveys:
    """Ask after orders, deliveries, tickets, returns and leaving, and let a part answer."""
    mood = rng.standard_normal(facts.people.kind.size)
    asked = [
        _after_orders(rng, facts, frame),
        _after_deliveries(rng, facts, frame),
        _after_tickets(rng, facts, frame),
        _after_leaving(rng, facts, frame),
        _after_returns(rng, facts, frame),
    ]
    kind = np.repeat([one.kind for one in asked], [one.sent.size for one in asked])
    person, account, sent, shift, order, ticket = (
        np.concatenate([getattr(one, name) for one in asked])
        for name in ("person", "account", "sent", "shift", "order", "ticket")
    )
    size = kind.size
    span = HIGHEST[kind] - LOWEST[kind]
    feeling = _felt(facts, person, sent) * span / 10
    score = CENTRE[kind] + MOOD[kind] * mood[person] + feeling + shift
    score = np.round(score + NOISE[kind] * rng.standard_normal(size))
    score = np.clip(score, LOWEST[kind], HIGHEST[kind]).astype(np.int64)
    habits = frame.parameters.surveys
    middle = LOWEST[kind] + 0.6 * span
    extreme = np.clip(np.abs(score - middle) / (0.5 * span), 0, 1)
    answers = chance(rng, habits.answer + habits.answer_extreme * extreme, size)
    wait = np.minimum(120 + rng.standard_exponential(size) * 14 * HOUR, 20 * DAY)
    responded = np.where(answers, sent + wait.astype(np.int64), NEVER)
    loops = answers & (score <= UNHAPPY[kind]) & chance(rng, habits.closed_loop, size)
    return Surveys(
        account=account,
        kind=kind,
        sent=sent,
        responded=responded,
        score=score,
        comment=np.where(chance(rng, 0.25, size), between(rng, 0, len(COMMENTS), size), -1),
        order=order,
        ticket=ticket,
        looped=np.where(loops, responded + between(rng, 4 * HOUR, 8 * DAY, size), NEVER),
    )


def _felt(facts: Facts, person: Integers, moment: Integers) -> Floats:
    """Add up what happened to each person in the 90 days before a moment."""
    course, visits = facts.course, facts.visits
    row = np.flatnonzero(facts.visits_inside)
    ordered = facts.orders.ordered[order_of_visit(facts)]
    bad = course.is_slow | course.is_reopened
    kinds = (
        (course.late, np.full(row.size, LATE_FELT)),
        (course.answered, np.where(bad[row], BAD_FELT, 0.0)),
        (course.resolved, np.where(course.is_compensated[row], MADE_UP, 0.0)),
        (ordered, np.where(facts.fates.has_refused_code[row], REFUSED_FELT, 0.0)),
    )
    who = np.tile(visits.person[row], len(kinds))
    when = np.concatenate([times[row] for times, _ in kinds])
    weight = np.concatenate([weights for _, weights in kinds])
    counts = (when < NEVER) & (weight != 0)
    who, when, weight = who[counts], when[counts], weight[counts]
    # One line of time for all: each person's comes behind that of the person before.
    base = int(when.min(initial=0)) - 2 * MEMORY
    length = int(max(when.max(initial=0), moment.max(initial=0))) - base + 1
    line = who * length + when - base
    order = np.argsort(line)
    line, total = line[order], np.concatenate([[0.0], np.cumsum(weight[order])])
    until = person * length + moment - base
    since = np.searchsorted(line, until - MEMORY)
    return total[np.searchsorted(line, until)] - total[since]


def _after_orders(rng: np.random.Generator, facts: Facts, frame: Frame) -> _Asked:
    """Ask for a recommendation a week after an order, and leave a person alone for half a year."""
    orders = facts.orders
    count = int(facts.visits_inside.sum())
    asks = chance(rng, frame.parameters.surveys.nps_share, count) & (orders.account[:count] >= 0)
    order = np.flatnonzero(asks)
    order = order[np.lexsort([orders.ordered[order], orders.person[order]])]
    sent = orders.ordered[order] + 7 * DAY + between(rng, 0, DAY, order.size)
    keep = np.zeros(order.size, dtype=bool)
    person, last = -1, 0
    for row, (who, when) in enumerate(
        zip(orders.person[order].tolist(), sent.tolist(), strict=True)
    ):
        if who != person or when >= last + NPS_PAUSE:
            keep[row], person, last = True, who, when
    return _asked(NPS, facts, order[keep], sent[keep])


def _after_deliveries(rng: np.random.Generator, facts: Facts, frame: Frame) -> _Asked:
    """Ask about the delivery two days after it."""
    orders = facts.orders
    count = int(facts.visits_inside.sum())
    arrived = orders_arrived(orders, facts.shipments)[:count]
    asks = chance(rng, frame.parameters.surveys.csat_share, count) & (arrived < NEVER)
    order = np.flatnonzero(asks & (orders.account[:count] >= 0) & (orders.channel[:count] < 3))
    return _asked(CSAT, facts, order, arrived[order] + 2 * DAY)


def _after_tickets(rng: np.random.Generator, facts: Facts, frame: Frame) -> _Asked:
    """Ask how easy it was an hour after a ticket is solved."""
    tickets = draw_tickets(facts, frame)
    known = (tickets.account >= 0) & (tickets.resolved < NEVER)
    asks = chance(rng, frame.parameters.surveys.ces_share, known.size) & known
    ticket = np.flatnonzero(asks)
    asked = _asked(CES, facts, tickets.order[ticket], tickets.resolved[ticket] + HOUR)
    asked.shift = np.where(tickets.is_bad[ticket], -1.2, 0.3)
    asked.ticket = ticket
    return asked


def _after_returns(rng: np.random.Generator, facts: Facts, frame: Frame) -> _Asked:
    """Ask how a return went a day after it is closed."""
    returns, orders = facts.returns, facts.orders
    known = (orders.account[returns.order] >= 0) & (returns.outcome != NEVER_SENT)
    asks = chance(rng, frame.parameters.surveys.post_return_share, known.size) & known
    row = np.flatnonzero(asks)
    asked = _asked(POST_RETURN, facts, returns.order[row], returns.closed[row] + DAY)
    weeks = (returns.closed[row] - returns.requested[row]) / (7 * DAY)
    asked.shift = np.where(returns.outcome[row] == REJECTED, -1.8, 0.0) - 0.25 * (weeks - 2)
    return asked


def _after_leaving(rng: np.random.Generator, facts: Facts, frame: Frame) -> _Asked:
    """Ask members who cancel how likely they are to come back."""
    members = facts.members
    leaves = members.cancel_requested < NEVER
    asks = chance(rng, frame.parameters.surveys.churn_share, leaves.size) & leaves
    row = np.flatnonzero(asks)
    person = members.person[row]
    none = np.full(row.size, -1)
    sent = members.cancel_requested[row] + 60
    return _Asked(CHURN, person, own_account(facts)[person], sent, np.zeros(row.size), none, none)


def _asked(kind: int, facts: Facts, order: Integers, sent: Integers) -> _Asked:
    orders = facts.orders
    return _Asked(
        kind,
        orders.person[order],
        orders.account[order],
        sent,
        np.zeros(order.size),
        order,
        np.full(order.size, -1),
    )


def survey_responses(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per survey sent, answered or not."""
    surveys = draw_surveys(facts, frame)
    numbers = 1 + ranks(surveys.sent, np.arange(surveys.sent.size))
    row = begun(surveys.sent, numbers, before)
    answered: NDArray[np.bool_] = surveys.responded[row] < before
    is_churn = surveys.kind[row] == CHURN
    return pa.table(
        {
            "response_id": keys("Q", numbers[row]),
            "customer_id": keys("C", account_numbers(facts)[surveys.account[row]]),
            "survey_type": labels(surveys.kind[row], SURVEY_TYPES),
            "sent_at": moments(surveys.sent[row], before),
            "responded_at": moments(surveys.responded[row], before),
            "score": pa.array(surveys.score[row].astype(np.int32), mask=~answered),
            "comment": labels(np.where(answered, surveys.comment[row], -1), COMMENTS),
            "order_id": keys(
                "O",
                place_at(order_numbers(facts), np.where(is_churn, -1, surveys.order[row])),
            ),
            "ticket_id": keys("K", place_at(ticket_numbers(facts, frame), surveys.ticket[row])),
            "touchpoint": labels(surveys.kind[row], TOUCHPOINTS),
            "closed_loop_at": moments(surveys.looped[row], before),
        }
    )
