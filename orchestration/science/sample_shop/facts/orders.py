"""Orders: who placed them when, under which account, and how; the money is in `baskets`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import STORE, draw_channels
from orchestration.science.sample_shop.columns import between, chance, pick, stack
from orchestration.science.sample_shop.facts.memberships import Memberships, membership_at
from orchestration.science.sample_shop.facts.people import (
    FRAUDSTER,
    PROSPECT,
    TESTER,
    Accounts,
    People,
    draw_spelling,
    guest_accounts,
    registered_accounts,
)
from orchestration.science.sample_shop.facts.products import CURRENCY_OF_COUNTRY
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Floats,
    Integers,
    SeasonClock,
    local_from_utc,
)

NORMAL, CANCELLED, UNPAID, FRAUD, TEST, ANONYMOUS, EXCHANGE = range(7)
ORDER_KINDS = ("normal", "cancelled", "unpaid", "fraud", "test", "anonymous", "exchange")
DEVICES = ("mobile", "desktop", "tablet")
CHECKOUTS = ("guest", "account", "one_click", "subscription")
GUEST_CHECKOUT = 0
CANCEL_REASONS = ("customer", "out_of_stock", "duplicate", "payment_expired")
PAYMENT_EXPIRED = CANCEL_REASONS.index("payment_expired")


@dataclass
class Orders:
    """One element per order; -1 stands for none in every column of positions or codes."""

    kind: Integers
    person: Integers
    visit_number: Integers
    """0 for the first order of the person in the buying process, -1 outside it."""
    ordered: Integers
    local_day: Integers
    account: Integers
    spelling: Integers
    """How the e-mail was typed; -1 if the order carries none."""
    channel: Integers
    device: Integers
    checkout: Integers
    service: Integers
    country: Integers
    currency: Integers
    rate: Floats
    membership: Integers
    processed: Integers
    cancelled: Integers
    cancel_reason: Integers
    exposed: Integers
    """When a fraud was found out."""
    exchange_of: Integers


def place_orders(
    rng: np.random.Generator,
    people: People,
    person: Integers,
    number: Integers,
    day: Floats,
    channel: Integers,
    service: Integers,
    members: Memberships,
    rates: Floats,
    parameters: Parameters,
    clock: SeasonClock,
) -> tuple[Orders, Accounts]:
    """Make the orders of the buying process and those around it, and the accounts they use.

    Parameters
    ----------
    person, number, day : arrays, shape (n_visits,)
        Who visits, the how-manieth time (from 0), and when in days since the opening.
    channel, service : arrays of int, shape (n_visits,)
        Where the visits order, and how fast they want it.
    rates : array of float, shape (3, n_days)
        Pounds per unit of each currency by day since the opening.
    """
    ordered = clock.seconds(day)
    kind = np.full(ordered.size, NORMAL)
    extras = _extra_orders(rng, people, person, ordered, parameters, clock)
    kind = np.concatenate([kind, extras[0]])
    person = np.concatenate([person, extras[1]])
    ordered = np.concatenate([ordered, extras[2]])
    number = np.concatenate([number, np.full(extras[0].size, -1)])
    country = np.where((person < 0) | (kind == TEST), 0, people.country[person])
    beside = slice(day.size, None)
    liking = people.likes_app[person[beside]] & (person[beside] >= 0)
    other = draw_channels(rng, np.zeros(extras[0].size, np.int64), liking, country[beside])
    channel = np.concatenate([channel, np.where(extras[0] == ANONYMOUS, STORE, other[0])])
    service = np.concatenate([service, other[1]])

    first_order = np.full(people.kind.size, NEVER)
    known = person >= 0
    np.minimum.at(first_order, person[known], ordered[known])
    visited = clock.seconds(people.first_day)
    first_order = np.where(people.kind == PROSPECT, visited, first_order)
    has_come = first_order < NEVER
    accounts = registered_accounts(rng, people, np.where(has_come, first_order, visited), clock)
    orders = _described(
        rng, people, kind, person, number, ordered, channel, service, country, rates,
        parameters, clock,
    )  # fmt: skip
    accounts = _assign_accounts(rng, people, orders, accounts, parameters)
    with_account = (orders.account >= 0) & (orders.checkout != GUEST_CHECKOUT)
    running = membership_at(members, people, orders.person, orders.ordered)
    orders.membership = np.where(with_account & (kind == NORMAL), running, -1)
    return orders, accounts


def _extra_orders(
    rng: np.random.Generator,
    people: People,
    person: Integers,
    ordered: Integers,
    parameters: Parameters,
    clock: SeasonClock,
) -> tuple[Integers, Integers, Integers]:
    """Draw the orders that are no part of the buying process: kind, person and second."""
    extra = parameters.extra_orders
    visits = person.size
    kinds, persons, seconds = [], [], []

    def add(kind: int, who: Integers, when: Integers) -> None:
        kinds.append(np.full(who.size, kind))
        persons.append(who)
        seconds.append(when)

    def anywhere(count: int) -> Integers:
        return clock.seconds(rng.random(count) * (clock.days - 1))

    # A second attempt on the same day or the next, so that nobody's first order moves.
    for kind, share in ((CANCELLED, extra.cancelled), (UNPAID, extra.unpaid)):
        again = np.flatnonzero(chance(rng, share, visits))
        add(kind, person[again], ordered[again] + between(rng, 300, 20 * HOUR, again.size))
    fraudsters = np.flatnonzero(people.kind == FRAUDSTER)
    add(FRAUD, fraudsters, anywhere(fraudsters.size))
    testers = np.flatnonzero(people.kind == TESTER)
    tests = max(testers.size, round(visits * extra.test))
    add(TEST, rng.choice(testers, tests), anywhere(tests))
    anonymous = rng.binomial(visits, extra.anonymous)
    donors = ordered[rng.integers(0, visits, anonymous)]
    add(ANONYMOUS, np.full(anonymous, -1), donors + between(rng, 60, 4 * HOUR, anonymous))
    return np.concatenate(kinds), np.concatenate(persons), np.concatenate(seconds)


def _described(
    rng: np.random.Generator,
    people: People,
    kind: Integers,
    person: Integers,
    number: Integers,
    ordered: Integers,
    channel: Integers,
    service: Integers,
    country: Integers,
    rates: Floats,
    parameters: Parameters,
    clock: SeasonClock,
) -> Orders:
    size = kind.size
    is_anonymous = kind == ANONYMOUS
    device = np.where(channel == 1, 0, pick(rng, (0.52, 0.40, 0.08), size))
    guest = ~people.is_registered[person] | is_anonymous
    guest |= chance(rng, parameters.identity.registered_guest_checkout_share, size) & (
        kind != FRAUD
    )
    guest &= kind != TEST
    # Who stands under the till's address has the shop's assistant log in.
    guest &= ~people.uses_till_email[person] | is_anonymous
    one_click = 1 + pick(rng, (0.74, 0.23, 0.03), size)
    currency = CURRENCY_OF_COUNTRY[country]
    local_day = local_from_utc(ordered) // DAY
    day = np.clip(local_day - clock.start_day, 0, rates.shape[1] - 1)
    processed = ordered + between(rng, 5, 120, size)
    cancelled = np.full(size, NEVER)
    reason = np.full(size, -1)
    gave_up = kind == CANCELLED
    cancelled[gave_up] = processed[gave_up] + between(rng, 60, 2 * DAY, int(gave_up.sum()))
    reason[gave_up] = pick(rng, (0.5, 0.3, 0.2), int(gave_up.sum()))
    unpaid = kind == UNPAID
    cancelled[unpaid] = ordered[unpaid] + parameters.extra_orders.unpaid_days * DAY
    reason[unpaid] = PAYMENT_EXPIRED
    processed[unpaid] = NEVER
    exposed = np.where(kind == FRAUD, ordered + between(rng, HOUR, 5 * DAY, size), NEVER)
    return Orders(
        kind=kind,
        person=person,
        visit_number=number,
        ordered=ordered,
        local_day=local_day,
        account=np.full(size, -1),
        spelling=np.full(size, -1),
        channel=channel,
        device=np.where(channel == STORE, -1, device),
        checkout=np.where(guest, GUEST_CHECKOUT, one_click),
        service=service,
        country=country,
        currency=currency,
        rate=rates[currency, day],
        membership=np.full(size, -1),
        processed=processed,
        cancelled=cancelled,
        cancel_reason=reason,
        exposed=exposed,
        exchange_of=np.full(size, -1),
    )


def _assign_accounts(
    rng: np.random.Generator,
    people: People,
    orders: Orders,
    accounts: Accounts,
    parameters: Parameters,
) -> Accounts:
    """Give every order its account or its e-mail, and add an account for the guests who get one."""
    of_person = np.full(people.kind.size, -1)
    of_person[accounts.person] = np.arange(accounts.person.size)
    guest: NDArray[np.bool_] = (orders.checkout == GUEST_CHECKOUT) & (orders.kind != ANONYMOUS)
    own = (orders.checkout != GUEST_CHECKOUT) & (orders.kind != ANONYMOUS)
    orders.account[own] = of_person[orders.person[own]]
    # The shop's form fills in the address of an account, and half of the exports leave it out.
    orders.spelling[own] = np.where(chance(rng, 0.5, int(own.sum())), 0, -1)
    spelling = draw_spelling(rng, int(guest.sum()), parameters)
    orders.spelling[guest] = spelling
    without = parameters.identity.guest_without_account_share
    gets_account = ~chance(rng, without, spelling.size)
    rows = np.flatnonzero(guest)[gets_account]
    orders.account[rows] = accounts.person.size + np.arange(rows.size)
    added = guest_accounts(rng, orders.person[rows], orders.ordered[rows], spelling[gets_account])
    return stack([accounts, added])
