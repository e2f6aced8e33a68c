"""When people buy: BG/NBD on a clock of their own, which `pace` puts on the calendar.

Source of the model: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284. What is in an order
is not decided here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.offers import offer_span
from orchestration.science.sample_shop.columns import stack, take
from orchestration.science.sample_shop.facts.people import CUSTOMER, People
from orchestration.science.sample_shop.habits.relations import EFFECT_KINDS
from orchestration.science.sample_shop.parameters import Parameters
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


def draw_visits(
    rng: np.random.Generator, people: People, parameters: Parameters, clock: SeasonClock
) -> Visits:
    """Draw every order until dropout or until a clock that always ran fastest would run out."""
    person = np.flatnonzero(people.kind == CUSTOMER)
    first = Visits(
        person=person,
        number=np.zeros(person.size, dtype=np.int64),
        weeks=clock.operational(people.first_day[person]),
        is_last=np.zeros(person.size, dtype=bool),
    )
    latest = furthest_week(parameters, clock, first.weeks)
    later = later_visits(rng, first, people.rate[person], people.dropout[person], latest)
    visits = stack([first, later])
    return take(visits, np.argsort(visits.person, kind="stable"))


def furthest_week(parameters: Parameters, clock: SeasonClock, first: Floats) -> Floats:
    """Return the personal week that a clock shows at the end which always ran as fast as it can.

    `first` is the week of each person's first visit, when the clock begins.
    """
    factors = [getattr(parameters.effects, kind) for kind in EFFECT_KINDS]
    fastest = math.prod(max(1.0, one) for one in (*factors, parameters.purchasing.member_lift))
    begin, end = offer_span(parameters, clock)
    gained = max(0.0, parameters.experimenting.offer_lift - 1) * (end - begin)
    return first + fastest * (clock.horizon_weeks - first + gained)


def later_visits(
    rng: np.random.Generator, latest: Visits, rate: Floats, dropout: Floats, until: Floats
) -> Visits:
    """Draw the visits that follow the latest one of each person, round by round.

    Parameters
    ----------
    rate, dropout, until : arrays of float, shape (n_persons,)
        Weekly rate, chance to drop out after a visit, and the personal week at which to stop.
    """
    person, number, moment = latest.person, latest.number, latest.weeks
    parts = [take(latest, np.zeros(0, dtype=np.int64))]
    while person.size:
        moment = moment + rng.standard_exponential(person.size) / rate
        inside = moment < until
        person, number, moment, until, rate, dropout = (
            one[inside] for one in (person, number + 1, moment, until, rate, dropout)
        )
        is_last = rng.random(person.size) < dropout
        parts.append(Visits(person, number, moment, is_last))
        person, number, moment, until, rate, dropout = (
            one[~is_last] for one in (person, number, moment, until, rate, dropout)
        )
    return stack(parts)
