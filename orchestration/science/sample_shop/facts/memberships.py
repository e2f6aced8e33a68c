"""Memberships, their terms and the use of benefits, from hazards that are known by term number.

A renewal n -> n + 1 is decided at the end of term n: the member may have cancelled, may skip a term
(waived, and a renewal), or is charged; a charge that fails and is not recovered ends the membership
when the grace days are over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, pick, ranks, stack, take
from orchestration.science.sample_shop.facts.people import People
from orchestration.science.sample_shop.parameters import BILLING_PERIODS, Membership, Parameters
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Floats,
    Integers,
    SeasonClock,
    add_months,
    day_of_month,
    midnight_utc,
    utc_from_local,
)

TRIAL, MONTHLY, ANNUAL = range(3)
VOLUNTARY, INVOLUNTARY = 0, 1
END_TYPES = ("voluntary", "involuntary")
CANCEL_REASONS = (
    "lost_interest", "too_expensive", "enough_product", "dissatisfied", "moved", "other",
    "payment_failed",
)  # fmt: skip
CANCEL_WEIGHTS = (0.28, 0.30, 0.12, 0.12, 0.06, 0.12)
PAYMENT_FAILED = CANCEL_REASONS.index("payment_failed")
JOIN_CHANNELS = ("checkout", "account_page", "win_back")
BENEFITS = (
    "video", "music", "reading", "gaming", "photo", "grocery", "pharmacy", "early_access",
    "shipping", "deal",
)  # fmt: skip
BENEFIT_WEIGHTS = (0.38, 0.26, 0.10, 0.08, 0.05, 0.06, 0.03, 0.04)
BENEFIT_RETAIL = np.array([349, 99, 250, 199, 80, 300, 150, 100])
BENEFIT_COST = np.array([60, 25, 45, 40, 15, 140, 80, 5])


@dataclass
class Memberships:
    """One element per membership."""

    person: Integers
    joined: Integers
    joined_day: Floats
    """Days since the opening, on the simulation's clock."""
    ended: Integers
    ended_day: Floats
    cancel_requested: Integers
    end_type: Integers
    reason: Integers
    channel: Integers


@dataclass
class Terms:
    """One element per term, sorted by membership and number."""

    membership: Integers
    number: Integers
    plan: Integers
    billing: Integers
    start: Integers
    end: Integers
    due: Integers
    paid: Integers
    fee: Integers
    discount: Integers
    is_waived: NDArray[np.bool_]
    has_failed: NDArray[np.bool_]
    """The first attempt to take the fee failed."""


@dataclass
class Uses:
    """One element per use of a benefit; money in pounds' pence."""

    membership: Integers
    benefit: Integers
    used: Integers
    quantity: Integers
    retail: Integers
    cost: Integers
    order: Integers


def draw_memberships(
    rng: np.random.Generator,
    person: Integers,
    joined_day: Floats,
    parameters: Parameters,
    clock: SeasonClock,
) -> tuple[Memberships, Terms]:
    """Let the persons join on their days, renew or not, and perhaps join once more."""
    first, first_terms = _spells(rng, person, joined_day, parameters, clock, is_first=True)
    habits = parameters.membership
    again = chance(rng, habits.rejoin, person.size) & np.isfinite(first.ended_day)
    wait = 7 + rng.standard_exponential(person.size) * habits.rejoin_mean_days
    back = np.where(again, first.ended_day + wait, np.inf)
    returning = np.flatnonzero(back < clock.days - 1)
    second, second_terms = _spells(
        rng, person[returning], back[returning], parameters, clock, is_first=False
    )
    second_terms.membership = second_terms.membership + person.size
    return stack([first, second]), stack([first_terms, second_terms])


def renewal_target(membership: Membership, billing: Integers, number: Integers) -> Floats:
    """Return the probability that a term of this billing period and number is renewed."""
    monthly, annual = np.array(membership.renewal_monthly), np.array(membership.renewal_annual)
    place = np.maximum(number, 1) - 1
    return np.select(
        [billing == TRIAL, billing == MONTHLY],
        [
            np.full(billing.size, membership.renewal_trial),
            monthly[np.minimum(place, monthly.size - 1)],
        ],
        annual[np.minimum(place, annual.size - 1)],
    )


def _spells(
    rng: np.random.Generator,
    person: Integers,
    joined_day: Floats,
    parameters: Parameters,
    clock: SeasonClock,
    is_first: bool,
) -> tuple[Memberships, Terms]:
    habits = parameters.membership
    size = person.size
    members = Memberships(
        person=person,
        joined=clock.seconds(joined_day),
        joined_day=joined_day,
        ended=np.full(size, NEVER),
        ended_day=np.full(size, np.inf),
        cancel_requested=np.full(size, NEVER),
        end_type=np.full(size, -1),
        reason=np.full(size, -1),
        channel=pick(rng, (0.8, 0.2), size) if is_first else np.full(size, 2),
    )
    horizon = clock.start_day + clock.days
    plan = pick(rng, [one.weight for one in habits.plans], size)
    trial = chance(rng, habits.trial_share if is_first else 0.0, size)
    term = _Round(
        member=np.arange(size),
        plan=plan,
        number=np.where(trial, 0, 1),
        start=clock.start_day + np.floor(joined_day).astype(np.int64),
        is_waived=trial,
        has_failed=np.zeros(size, dtype=bool),
        is_recovered=np.ones(size, dtype=bool),
    )
    anchor = np.where(trial, 0, day_of_month(term.start))
    rounds: list[Terms] = []
    while term.member.size or not rounds:
        billing, end = _ends(term, anchor, habits)
        rounds.append(_written(rng, term, billing, end, members, habits))
        # A charge that was never recovered ends the membership; the others come to a decision.
        lost = term.has_failed & ~term.is_recovered
        _end(members, term.member[lost], term.start[lost] + habits.grace_days, INVOLUNTARY, clock)
        keep = ~lost & (end < horizon)
        term = _next_term(rng, take(term, keep), billing[keep], end[keep], members, habits, clock)
        # The day of the month on which a membership renews is that of its first paid term.
        fresh = term.number == 1
        anchor[term.member[fresh]] = day_of_month(term.start[fresh])
    terms = stack(rounds)
    return members, take(terms, np.lexsort([terms.number, terms.membership]))


@dataclass
class _Round:
    """The current term of every membership that still runs."""

    member: Integers
    plan: Integers
    number: Integers
    start: Integers
    is_waived: NDArray[np.bool_]
    has_failed: NDArray[np.bool_]
    is_recovered: NDArray[np.bool_]


def _ends(term: _Round, anchor: Integers, habits: Membership) -> tuple[Integers, Integers]:
    billing_of_plan = np.array([BILLING_PERIODS.index(one.billing_period) for one in habits.plans])
    months = np.array([one.months for one in habits.plans])[term.plan]
    billing = np.where(term.number == 0, TRIAL, billing_of_plan[term.plan])
    paid_end = add_months(term.start, months, anchor[term.member])
    return billing, np.where(term.number == 0, term.start + habits.trial_days, paid_end)


def _written(
    rng: np.random.Generator,
    term: _Round,
    billing: Integers,
    end: Integers,
    members: Memberships,
    habits: Membership,
) -> Terms:
    size = term.member.size
    is_joining = members.joined[term.member] >= midnight_utc(term.start)
    due = np.where(is_joining, members.joined[term.member], midnight_utc(term.start) + 6 * HOUR)
    recovery = between(rng, 2 * DAY, (habits.grace_days - 3) * DAY, size)
    delay = np.where(term.has_failed, recovery, between(rng, 5, 1800, size))
    fee = np.where(term.is_waived, 0, np.array([one.fee for one in habits.plans])[term.plan])
    discounted = chance(rng, habits.first_term_discount_share, size) & (billing == ANNUAL)
    discount = np.where(
        discounted & (term.number == 1), np.round(fee * habits.first_term_discount), 0
    )
    unpaid = term.is_waived | (term.has_failed & ~term.is_recovered)
    return Terms(
        membership=term.member,
        number=term.number,
        plan=term.plan,
        billing=billing,
        start=term.start,
        end=end,
        due=due,
        paid=np.where(unpaid, NEVER, due + delay),
        fee=fee,
        discount=discount.astype(np.int64),
        is_waived=term.is_waived,
        has_failed=term.has_failed,
    )


def _next_term(
    rng: np.random.Generator,
    term: _Round,
    billing: Integers,
    end: Integers,
    members: Memberships,
    habits: Membership,
    clock: SeasonClock,
) -> _Round:
    """Decide every renewal so that its probability is exactly the target, pauses included."""
    size = term.member.size
    is_paused = term.is_waived & (billing != TRIAL)
    pause = np.where(billing == MONTHLY, np.where(is_paused, habits.pause_again, habits.pause), 0.0)
    failing = habits.payment_failure * (1 - habits.payment_recovery)
    survives = (1 - pause) * (1 - failing) + pause
    stays = chance(rng, renewal_target(habits, billing, term.number) / survives, size)

    leaving = np.flatnonzero(~stays)
    length = (end - term.start)[leaving]
    asked = (term.start[leaving] + rng.random(leaving.size) * length) * DAY
    floor = members.joined[term.member[leaving]] + 600
    members.cancel_requested[term.member[leaving]] = np.maximum(
        utc_from_local(asked.astype(np.int64)), floor
    )
    members.reason[term.member[leaving]] = pick(rng, CANCEL_WEIGHTS, leaving.size)
    _end(members, term.member[leaving], end[leaving], VOLUNTARY, clock)

    pauses = chance(rng, pause, size)
    fails = chance(rng, habits.payment_failure, size) & ~pauses
    renewed = _Round(
        member=term.member,
        plan=np.where(pauses, term.plan, _changed_plan(rng, term.plan, billing, habits)),
        number=term.number + 1,
        start=end,
        is_waived=pauses,
        has_failed=fails,
        is_recovered=chance(rng, habits.payment_recovery, size),
    )
    return take(renewed, stays)


def _changed_plan(
    rng: np.random.Generator, plan: Integers, billing: Integers, habits: Membership
) -> Integers:
    """Move some members between the monthly, the annual and the family plan (0, 1, 2)."""
    luck = rng.random(plan.size)
    to_annual = np.where(plan == 0, habits.monthly_to_annual, habits.family_to_annual)
    changed = np.where((plan != 1) & (luck < to_annual), 1, plan)
    down = (plan == 1) & (luck < habits.annual_to_monthly)
    up = (plan == 1) & (luck > 1 - habits.annual_to_family)
    changed = np.where(down, 0, np.where(up, 2, changed))
    # Nobody has a plan to change before the first paid term.
    return np.where(billing == TRIAL, plan, changed)


def _end(
    members: Memberships, member: Integers, day: Integers, end_type: int, clock: SeasonClock
) -> None:
    members.ended[member] = midnight_utc(day)
    members.ended_day[member] = (day - clock.start_day).astype(np.float64)
    members.end_type[member] = end_type
    if end_type == INVOLUNTARY:
        members.reason[member] = PAYMENT_FAILED


def draw_uses(
    rng: np.random.Generator, members: Memberships, terms: Terms, parameters: Parameters
) -> Uses:
    """Draw the use of benefits that hang on no order, evenly over the terms that were had."""
    per_day = parameters.membership.benefit_uses_per_30_days / 30
    begin = np.maximum(midnight_utc(terms.start), members.joined[terms.membership])
    finish = np.minimum(midnight_utc(terms.end), members.ended[terms.membership])
    idle = (terms.is_waived & (terms.billing != TRIAL)) | (terms.has_failed & (terms.paid == NEVER))
    days = np.where(idle, 0.0, np.maximum(finish - begin, 0) / DAY)
    eagerness = rng.gamma(0.8, 1 / 0.8, members.person.size)[terms.membership]
    term = np.repeat(np.arange(days.size), rng.poisson(days * per_day * eagerness))
    size = term.size
    benefit = pick(rng, BENEFIT_WEIGHTS, size)
    quantity = 1 + rng.poisson(0.8, size)
    used = begin[term] + (rng.random(size) * (finish - begin)[term]).astype(np.int64)
    return Uses(
        membership=terms.membership[term],
        benefit=benefit,
        used=used,
        quantity=quantity,
        retail=BENEFIT_RETAIL[benefit] * quantity,
        cost=BENEFIT_COST[benefit] * quantity,
        order=np.full(size, -1),
    )


def membership_at(
    members: Memberships, people: People, person: Integers, moment: Integers
) -> Integers:
    """Return the membership that each person has at the moment, or -1."""
    found = np.full(person.size, -1)
    count = people.kind.size
    for spell in range(2):
        index = np.full(count, -1)
        # A person has at most two memberships; the earlier one is the first spell.
        place = _spell_number(members)
        rows = np.flatnonzero(place == spell)
        index[members.person[rows]] = rows
        one = np.where(person >= 0, index[person], -1)
        running = (
            (one >= 0) & (members.joined[one] <= moment) & (moment < members.ended[one])
            if members.person.size
            else np.zeros(person.size, dtype=bool)
        )
        found = np.where(running, one, found)
    return found


def _spell_number(members: Memberships) -> Integers:
    """Return 0 for a person's first membership and 1 for the second."""
    place = ranks(members.person, members.joined)
    ordered = np.argsort(place)
    persons = members.person[ordered]
    repeats = np.concatenate([[False], persons[1:] == persons[:-1]]) if persons.size else persons
    return np.asarray(repeats, dtype=np.int64)[place] if persons.size else place
