"""The simulation from end to end: one random state, and one chunk of customers after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestration.science.sample_shop.buying.channels import STORE
from orchestration.science.sample_shop.buying.fates import Fates, draw_fates
from orchestration.science.sample_shop.buying.journeys import LATE, ON_TIME, Journeys, draw_journeys
from orchestration.science.sample_shop.buying.offers import offer_weeks
from orchestration.science.sample_shop.buying.pace import Course, Spells, Without, walk
from orchestration.science.sample_shop.buying.purchases import Visits, draw_visits
from orchestration.science.sample_shop.columns import stack, take
from orchestration.science.sample_shop.facts.baskets import (
    MEMBER_DEAL,
    Lines,
    Money,
    fill_baskets,
)
from orchestration.science.sample_shop.facts.memberships import (
    BENEFITS,
    Memberships,
    Terms,
    Uses,
    draw_memberships,
    draw_uses,
)
from orchestration.science.sample_shop.facts.orders import Orders, place_orders
from orchestration.science.sample_shop.facts.people import (
    Accounts,
    People,
    draw_people,
    plan_profile_updates,
)
from orchestration.science.sample_shop.facts.products import (
    Catalogue,
    draw_catalogue,
    draw_exchange_rates,
)
from orchestration.science.sample_shop.facts.refunds import Refunds, draw_refunds
from orchestration.science.sample_shop.facts.returns import (
    ReturnItems,
    Returns,
    draw_returns,
    exchange_orders,
)
from orchestration.science.sample_shop.facts.shipments import (
    Shipments,
    orders_arrived,
    ship_orders,
)
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import (
    Floats,
    Integers,
    SeasonClock,
    epoch_day,
    midnight_utc,
)
from orchestration.science.sample_shop.streams import stream


@dataclass
class Counters:
    """How many keys of each kind earlier chunks have used."""

    people: int = 0
    accounts: int = 0
    orders: int = 0
    lines: int = 0
    shipments: int = 0
    returns: int = 0
    return_items: int = 0
    refunds: int = 0
    memberships: int = 0
    terms: int = 0
    uses: int = 0


@dataclass
class Facts:
    """Everything that happens to one chunk of customers, the future included."""

    offsets: Counters
    people: People
    visits: Visits
    visits_inside: np.ndarray
    fates: Fates
    journeys: Journeys
    course: Course
    """Fates, journeys and course have one element per visit, as the visits have."""
    spells: Spells
    accounts: Accounts
    orders: Orders
    lines: Lines
    money: Money
    shipments: Shipments
    returns: Returns
    items: ReturnItems
    refunds: Refunds
    members: Memberships
    terms: Terms
    uses: Uses
    drawn: dict[str, Any] = field(default_factory=dict)
    """Subjects that draw from a stream of their own, by name, once somebody has asked for them."""


@dataclass
class Frame:
    """What all chunks share: the catalogue, the exchange rates and the calendar."""

    parameters: Parameters
    clock: SeasonClock
    catalogue: Catalogue
    rates: Floats

    @property
    def end_moment(self) -> int:
        """First second after the last complete day."""
        return int(midnight_utc(epoch_day(self.parameters.end_date) + 1))


def simulate(rng: np.random.Generator, parameters: Parameters) -> tuple[Frame, Iterator[Facts]]:
    """Draw what all chunks share, and return it with the chunks, which are drawn one by one."""
    observed = epoch_day(parameters.end_date) + 1 - epoch_day(parameters.start_date)
    clock = SeasonClock(
        parameters.season, parameters.start_date, observed, observed + parameters.future_days
    )
    frame = Frame(
        parameters=parameters,
        clock=clock,
        catalogue=draw_catalogue(rng, parameters),
        rates=draw_exchange_rates(rng, clock.days),
    )
    return frame, _chunks(rng, frame)


def _chunks(rng: np.random.Generator, frame: Frame) -> Iterator[Facts]:
    parameters = frame.parameters
    offsets = Counters()
    left = parameters.customers
    while left > 0:
        customers = min(left, parameters.chunk_customers)
        facts = _chunk(rng, frame, customers, offsets)
        left -= customers
        offsets = Counters(
            people=offsets.people + facts.people.kind.size,
            accounts=offsets.accounts + facts.accounts.person.size,
            orders=offsets.orders + facts.orders.kind.size,
            lines=offsets.lines + facts.lines.order.size,
            shipments=offsets.shipments + facts.shipments.order.size,
            returns=offsets.returns + facts.returns.order.size,
            return_items=offsets.return_items + facts.items.line.size,
            refunds=offsets.refunds + int(facts.refunds.number.max(initial=-1)) + 1,
            memberships=offsets.memberships + facts.members.person.size,
            terms=offsets.terms + facts.terms.number.size,
            uses=offsets.uses + facts.uses.used.size,
        )
        yield facts


def _chunk(rng: np.random.Generator, frame: Frame, customers: int, offsets: Counters) -> Facts:
    parameters, clock, catalogue = frame.parameters, frame.clock, frame.catalogue
    people = draw_people(rng, customers, parameters, clock)
    visits = draw_visits(rng, people, parameters, clock)
    own = stream(parameters.seed, "fates", offsets.people)
    fates, journeys = draw_fates(own, visits, people, parameters)
    offer = offer_weeks(parameters, people, offsets.people, clock)
    members, terms, spells = let_join(
        rng, visits, fates, journeys, people, offer, parameters, clock
    )
    course = walk(visits, fates, journeys, people, spells, parameters, clock)
    inside = np.isfinite(course.weeks)
    orders, accounts = place_orders(
        rng,
        people,
        visits.person[inside],
        visits.number[inside],
        clock.calendar(course.weeks[inside]),
        fates.channel[inside],
        fates.service[inside],
        members,
        frame.rates,
        parameters,
        clock,
    )
    count = int(inside.sum())
    beside = draw_journeys(rng, orders.service[count:], parameters)
    parcels = stack([take(journeys, inside), beside])
    plan_profile_updates(rng, accounts, parameters.identity.profile_update_share, clock)
    # A parcel that comes late or never is a parcel: its order is not of gift cards alone.
    has_goods = (parcels.outcome != ON_TIME) & (orders.channel != STORE)
    lines, money = fill_baskets(rng, orders, people, catalogue, parameters, has_goods)
    shipments = ship_orders(rng, orders, lines, catalogue, parameters, parcels)
    was_late = np.zeros(orders.kind.size, dtype=bool)
    was_late[shipments.order[shipments.outcome == LATE]] = True
    arrived = orders_arrived(orders, shipments)
    returns, items = draw_returns(
        rng, orders, lines, people, catalogue, arrived, was_late, parameters
    )
    refunds = draw_refunds(rng, orders, lines, money, shipments, returns, items, parameters)
    exchanges, sent, free = exchange_orders(rng, orders, lines, catalogue, returns, items)
    again = draw_journeys(rng, exchanges.service, parameters)
    replacements = ship_orders(rng, exchanges, sent, catalogue, parameters, again)
    base = orders.kind.size
    sent.order = sent.order + base
    replacements.order = replacements.order + base
    orders, lines = stack([orders, exchanges]), stack([lines, sent])
    money, shipments = stack([money, free]), stack([shipments, replacements])
    uses = stack(
        [draw_uses(rng, members, terms, parameters), _order_benefits(orders, money, shipments)]
    )
    return Facts(
        offsets, people, visits, inside, fates, journeys, course, spells, accounts, orders, lines,
        money, shipments, returns, items, refunds, members, terms, uses,
    )  # fmt: skip


def let_join(
    rng: np.random.Generator,
    visits: Visits,
    fates: Fates,
    journeys: Journeys,
    people: People,
    offer: tuple[Floats, Floats],
    parameters: Parameters,
    clock: SeasonClock,
    earliest: Integers | None = None,
    without: Without | None = None,
    until: Floats | None = None,
) -> tuple[Memberships, Terms, Spells]:
    """Let people join at the order that their fates name, and tell when their memberships run.

    Parameters
    ----------
    offer : two arrays of float, shape (n_people,)
        When an offer begins and ends for each person, in operational weeks.
    earliest : array of int, shape (n_people,), optional
        Number of the first order at which each person may join; absent, all may at every order.
    without, until : optional
        As in `walk`.
    """
    none = Spells.none(people.kind.size)
    none.start[2], none.end[2] = offer
    may = True if earliest is None else visits.number >= earliest[visits.person]
    joins = np.flatnonzero(fates.joins & may)
    joiner, first = np.unique(visits.person[joins], return_index=True)
    joined_at = np.full(people.kind.size, -1)
    joined_at[joiner] = visits.number[joins[first]]
    # Up to that order nobody is a member, so a walk of the joiners without memberships finds it.
    before = np.flatnonzero(visits.number <= joined_at[visits.person])
    way, its_fates, parcels = take(visits, before), take(fates, before), take(journeys, before)
    course = walk(way, its_fates, parcels, people, none, parameters, clock, without, until)
    at = np.flatnonzero((way.number == joined_at[way.person]) & np.isfinite(course.weeks))
    weeks = course.weeks[at]
    members, terms = draw_memberships(rng, way.person[at], clock.calendar(weeks), parameters, clock)
    return members, terms, membership_spells(weeks, members, none, clock)


def membership_spells(
    weeks: Floats, members: Memberships, none: Spells, clock: SeasonClock
) -> Spells:
    """Add when memberships run; `weeks` are the moments of the first ones, which come first.

    The joining order itself must keep its moment, so it is not taken through the calendar.
    """
    spells = Spells(none.start.copy(), none.end.copy())
    first, second = slice(0, weeks.size), slice(weeks.size, None)
    end = clock.operational(np.minimum(members.ended_day, clock.days))
    spells.start[0, members.person[first]] = weeks
    spells.end[0, members.person[first]] = end[first]
    spells.start[1, members.person[second]] = clock.operational(members.joined_day[second])
    spells.end[1, members.person[second]] = end[second]
    return spells


def _order_benefits(orders: Orders, money: Money, shipments: Shipments) -> Uses:
    """Write down free shipping and member deals as uses of the benefit, in pounds."""
    cost = np.bincount(shipments.order, shipments.cost, minlength=orders.kind.size)
    member = orders.membership >= 0
    by_shipping = np.flatnonzero(member & (money.member_shipping_saved > 0))
    by_deal = np.flatnonzero(member & (money.promotion == MEMBER_DEAL) & (money.discount > 0))
    order = np.concatenate([by_shipping, by_deal])
    is_deal = np.arange(order.size) >= by_shipping.size
    saved = np.floor(money.discount[order] * orders.rate[order]).astype(np.int64)
    return Uses(
        membership=orders.membership[order],
        benefit=np.where(is_deal, BENEFITS.index("deal"), BENEFITS.index("shipping")),
        used=orders.ordered[order],
        quantity=np.ones(order.size, dtype=np.int64),
        retail=np.where(is_deal, saved, money.member_shipping_saved[order]),
        cost=np.where(is_deal, saved, cost[order].astype(np.int64)),
        order=order,
    )
