"""Visits of the site and the app: who comes, when, on what, and how far the visit goes.

An order of web or app is the end of a visit; around the orders lie visits of the same people that end
without one, visits of strangers, and machines. What is done in a visit is in `web_events`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, pick, stack, take
from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.relations.accounts import own_account
from orchestration.science.sample_shop.shop_time import DAY, HOUR, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject

BUYER, IDLER, STRANGER, MACHINE = range(4)
WEB, IOS, ANDROID = range(3)
PLATFORMS = ("web", "ios", "android")
MOBILE, DESKTOP, TABLET, BOT = range(4)
DEVICES = ("mobile", "desktop", "tablet", "bot")
# Who comes from where: direct, search, paid search, social, e-mail, a partner's link.
DIRECT, SEARCH, PAID, SOCIAL, EMAIL, PARTNER = range(6)
SOURCE_WEIGHTS_KNOWN = (0.40, 0.16, 0.10, 0.08, 0.22, 0.04)
SOURCE_WEIGHTS_STRANGER = (0.18, 0.34, 0.22, 0.18, 0.02, 0.06)


@dataclass
class Sessions:
    """One element per visit; -1 for no person, order or account."""

    kind: Integers
    person: Integers
    order: Integers
    account: Integers
    """Account that is logged in at some point of the visit, or that the checkout has named."""
    visitor: Integers
    """Which stranger or machine it is, for those without a person."""
    device: Integers
    platform: Integers
    source: Integers
    start: Integers
    """Second of the first event; of a buyer's visit, the second of the order."""
    lines: Integers
    """Products put into the basket; of a buyer's visit, those of the order."""
    reaches: Integers
    """Steps of the checkout that are reached, 0 to 3."""
    views: Integers
    searches: Integers
    empty_searches: Integers
    is_refused: NDArray[np.bool_]
    has_error: NDArray[np.bool_]


def first_event(frame: Frame) -> int:
    """Return the moment from which on the events of the site are kept."""
    return frame.end_moment - frame.parameters.browsing.days * DAY


@subject("web_sessions")
def draw_sessions(rng: np.random.Generator, facts: Facts, frame: Frame) -> Sessions:
    """Draw all visits of the days that are kept, sorted by their start."""
    habits, orders = frame.parameters.browsing, facts.orders
    first, end = first_event(frame), frame.end_moment
    kept = (orders.kind == NORMAL) & (orders.channel < 2)
    order = np.flatnonzero(kept & (orders.ordered >= first + HOUR) & (orders.ordered < end))
    idle = np.repeat(order, rng.poisson(habits.idle_sessions_per_order, order.size))
    strange = np.repeat(order, rng.poisson(habits.strangers_per_order, order.size))
    machines = rng.poisson(habits.bots_per_day * habits.days)
    parts = [
        _buyers(rng, facts, order),
        _idlers(rng, facts, idle),
        _strangers(rng, facts, strange),
        _machines(rng, frame, machines),
    ]
    sessions = stack(parts)
    inside = np.flatnonzero((sessions.start >= first) & (sessions.start < end - HOUR))
    buyers = np.flatnonzero(sessions.kind == BUYER)
    chosen = np.union1d(buyers, inside)
    return take(sessions, chosen[np.argsort(sessions.start[chosen], kind="stable")])


def _buyers(rng: np.random.Generator, facts: Facts, order: Integers) -> Sessions:
    """The visits that end with an order; their refused codes are those of the fates."""
    orders, size = facts.orders, order.size
    person = orders.person[order]
    lines = facts.lines
    goods = np.bincount(lines.order[~lines.is_insert], minlength=orders.kind.size)[order]
    visit_of_order = np.flatnonzero(facts.visits_inside)
    refused = facts.fates.has_refused_code[visit_of_order[order]]
    in_app = orders.channel[order] == 1
    return _sessions(
        rng,
        kind=BUYER,
        person=person,
        order=order,
        account=orders.account[order],
        device=np.maximum(orders.device[order], 0),
        platform=np.where(in_app, 1 + person % 2, WEB),
        source=pick(rng, SOURCE_WEIGHTS_KNOWN, size),
        start=orders.ordered[order],
        lines=goods,
        reaches=np.full(size, 3),
        views=rng.poisson(1.2, size),
        refused=refused,
        error_share=0.02,
    )


def _idlers(rng: np.random.Generator, facts: Facts, order: Integers) -> Sessions:
    """Visits of known people some days before or after an order; half of the time they log in."""
    orders, size = facts.orders, order.size
    person = orders.person[order]
    own = own_account(facts)[person]
    logs_in = chance(rng, 0.5, size) & (own >= 0)
    # Nobody is known before the account was opened.
    start = orders.ordered[order] + between(rng, -20 * DAY, 30 * DAY, size)
    logs_in &= facts.accounts.created[np.maximum(own, 0)] < start
    in_app = facts.people.likes_app[person] & chance(rng, 0.45, size)
    fills = chance(rng, 0.20, size)
    goes = np.where(fills & chance(rng, 0.45, size), 1 + pick(rng, (0.5, 0.3, 0.2), size), 0)
    return _sessions(
        rng,
        kind=IDLER,
        person=person,
        order=np.full(size, -1),
        account=np.where(logs_in, own, -1),
        device=np.where(in_app, MOBILE, pick(rng, (0.62, 0.30, 0.08), size)),
        platform=np.where(in_app, 1 + person % 2, WEB),
        source=pick(rng, SOURCE_WEIGHTS_KNOWN, size),
        start=start,
        lines=fills.astype(np.int64),
        reaches=goes,
        views=1 + rng.poisson(1.3, size),
        refused=np.zeros(size, dtype=bool),
        error_share=np.where(goes > 0, 0.16, 0.03),
    )


def _strangers(rng: np.random.Generator, facts: Facts, order: Integers) -> Sessions:
    """Visits of people who never say who they are, in the season of the orders."""
    size = order.size
    fills = chance(rng, 0.08, size)
    goes = np.where(fills & chance(rng, 0.5, size), 1 + pick(rng, (0.5, 0.3, 0.2), size), 0)
    return _sessions(
        rng,
        kind=STRANGER,
        person=np.full(size, -1),
        order=np.full(size, -1),
        account=np.full(size, -1),
        device=pick(rng, (0.66, 0.27, 0.07), size),
        platform=np.zeros(size, dtype=np.int64),
        source=pick(rng, SOURCE_WEIGHTS_STRANGER, size),
        start=facts.orders.ordered[order] + between(rng, -9 * DAY, 9 * DAY, size),
        lines=fills.astype(np.int64),
        reaches=goes,
        views=rng.poisson(1.1, size),
        refused=(goes > 0) & chance(rng, 0.35, size),
        error_share=np.where(goes > 0, 0.20, 0.02),
    )


def _machines(rng: np.random.Generator, frame: Frame, size: int) -> Sessions:
    """Crawlers: many products within seconds, some of which say that they are machines."""
    none = np.full(size, -1)
    nothing = np.zeros(size, dtype=np.int64)
    honest = chance(rng, 0.6, size)
    return _sessions(
        rng,
        kind=MACHINE,
        person=none,
        order=none,
        account=none,
        device=np.where(honest, BOT, DESKTOP),
        platform=nothing,
        source=nothing,
        start=between(rng, first_event(frame), frame.end_moment - HOUR, size),
        lines=nothing,
        reaches=nothing,
        views=between(rng, 15, 45, size),
        refused=np.zeros(size, dtype=bool),
        error_share=0.3,
    )


def _sessions(
    rng: np.random.Generator,
    kind: int,
    person: Integers,
    order: Integers,
    account: Integers,
    device: Integers,
    platform: Integers,
    source: Integers,
    start: Integers,
    lines: Integers,
    reaches: Integers,
    views: Integers,
    refused: NDArray[np.bool_],
    error_share: float | NDArray[np.float64],
) -> Sessions:
    size = person.size
    searches = rng.poisson(0.0 if kind == MACHINE else 0.45, size)
    # A telephone's keyboard finds nothing more often.
    empty = rng.binomial(searches, np.where(device == MOBILE, 0.17, 0.10))
    return Sessions(
        kind=np.full(size, kind),
        person=person,
        order=order,
        account=account,
        visitor=_visitors(rng, kind, size),
        device=device,
        platform=platform,
        source=source,
        start=start,
        lines=lines,
        reaches=reaches,
        views=views,
        searches=searches,
        empty_searches=empty,
        is_refused=refused,
        has_error=chance(rng, error_share, size),
    )


def _visitors(rng: np.random.Generator, kind: int, size: int) -> Integers:
    """Strangers come back now and then; a handful of machines comes all the time."""
    if kind == MACHINE:
        return between(rng, 0, 6, size)
    return between(rng, 0, max(1, int(size * 0.8)), size)
