"""When people buy: BG/NBD in operational time, faster while a membership runs.

Source of the model: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284. What is in an order
is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.facts.people import CUSTOMER, People
from orchestration.science.sample_shop.parameters import Membership, Parameters
from orchestration.science.sample_shop.shop_time import Floats, Integers, SeasonClock


@dataclass
class Visits:
    """One element per order of the buying process, sorted by person and then by time."""

    person: Integers
    number: Integers
    """0 for the first order of a person."""
    weeks: Floats
    """Moment on the person's own clock, in operational weeks; the first order is on the shop's."""
    is_last: NDArray[np.bool_]
    """The person drops out after this order."""


@dataclass
class Boosts:
    """Up to two intervals per person in which the clock runs `lift` times as fast, in weeks."""

    start: Floats
    end: Floats

    @classmethod
    def none(cls, people: int) -> Boosts:
        """Return intervals that never begin."""
        return cls(np.full((2, people), np.inf), np.full((2, people), np.inf))


def draw_visits(
    rng: np.random.Generator, people: People, parameters: Parameters, clock: SeasonClock
) -> Visits:
    """Draw every order until dropout or until the clock of a lifelong member would run out."""
    person = np.flatnonzero(people.kind == CUSTOMER)
    moment = clock.operational(people.first_day[person])
    latest = moment + parameters.purchasing.member_lift * (clock.horizon_weeks - moment)
    rate, dropout = people.rate[person], people.dropout[person]
    parts = [(person, np.zeros(person.size, dtype=np.int64), moment, np.zeros(person.size, bool))]
    number = 0
    while person.size:
        number += 1
        moment = moment + rng.standard_exponential(person.size) / rate
        inside = moment < latest
        person, moment, latest = person[inside], moment[inside], latest[inside]
        rate, dropout = rate[inside], dropout[inside]
        is_last = rng.random(person.size) < dropout
        parts.append((person, np.full(person.size, number), moment, is_last))
        going = ~is_last
        person, moment, latest = person[going], moment[going], latest[going]
        rate, dropout = rate[going], dropout[going]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Visits(*(column[order] for column in columns))


def joining_visits(
    rng: np.random.Generator,
    visits: Visits,
    people: People,
    parameters: Parameters,
    clock: SeasonClock,
) -> Integers:
    """Return the position of the visit at which each joining person joins, at most one each."""
    probability = joining_probability(people, parameters)[visits.person]
    before_horizon = visits.weeks < clock.horizon_weeks
    may_join = people.is_registered[visits.person] & before_horizon
    joins = np.flatnonzero((rng.random(visits.person.size) < probability) & may_join)
    _, first = np.unique(visits.person[joins], return_index=True)
    return joins[first]


def joining_probability(people: People, parameters: Parameters) -> Floats:
    """Return the probability, per order and person, to join: heavier buyers join more."""
    membership: Membership = parameters.membership
    mean_rate = parameters.purchasing.r / parameters.purchasing.alpha
    relative = (people.rate / mean_rate) ** membership.join_elasticity
    return np.minimum(membership.join_probability * relative, membership.join_probability_ceiling)


def visit_days(
    visits: Visits, boosts: Boosts, parameters: Parameters, clock: SeasonClock
) -> tuple[Floats, NDArray[np.bool_]]:
    """Turn the moments of visits into days since the opening.

    Returns
    -------
    days : array of float, shape (n_visits,)
        Day of each visit; meaningless where it lies beyond the horizon.
    inside : array of bool, shape (n_visits,)
        Whether the visit lies before the end of the simulation.
    """
    shop_weeks = visits.weeks.copy()
    lift = parameters.purchasing.member_lift
    for spell in range(2):
        start, end = boosts.start[spell][visits.person], boosts.end[spell][visits.person]
        # `shop_weeks` is on the shop's clock up to the spell: a visit inside it happens earlier
        # than without it, one after it is early by what the whole spell has gained.
        with np.errstate(invalid="ignore"):
            gained = (lift - 1) * (end - start)
            in_spell = start + (shop_weeks - start) / lift
            after = shop_weeks > end + gained
            shop_weeks = np.where(
                shop_weeks <= start, shop_weeks, np.where(after, shop_weeks - gained, in_spell)
            )
    inside = shop_weeks < clock.horizon_weeks
    return clock.calendar(shop_weeks), inside
