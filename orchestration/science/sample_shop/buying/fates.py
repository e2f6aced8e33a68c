"""What is in store for every order of the buying process, before anybody knows when it is placed.

Drawn once, from streams of their own, so that a world in which one event does not happen differs from
this one by that event and nothing else. Nothing here depends on the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import draw_channels
from orchestration.science.sample_shop.buying.journeys import Journeys, draw_journeys
from orchestration.science.sample_shop.buying.purchases import Visits
from orchestration.science.sample_shop.columns import chance, pick
from orchestration.science.sample_shop.facts.people import People
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import Floats, Integers


@dataclass
class Fates:
    """One element per visit; `luck` is a uniform number that a probability is held against."""

    channel: Integers
    service: Integers
    contact_luck: Floats
    contact_wait: Floats
    """Days from the order, or from the broken promise, to a contact."""
    contact_channel: Integers
    slow_luck: Floats
    answer_luck: Floats
    handling: Floats
    """Standard exponential; times the mean of the channel it is the time to the solution."""
    is_reopened: NDArray[np.bool_]
    compensation_luck: Floats
    has_refused_code: NDArray[np.bool_]
    enrols: NDArray[np.bool_]
    joins: NDArray[np.bool_]


def draw_fates(
    rng: np.random.Generator, visits: Visits, people: People, parameters: Parameters
) -> tuple[Fates, Journeys]:
    """Draw the fates of visits and the journeys of their parcels."""
    size = visits.person.size
    service, loyalty, browsing = parameters.service, parameters.loyalty, parameters.browsing
    is_first = visits.number == 0
    country = people.country[visits.person]
    channel, speed = draw_channels(rng, visits.number, people.likes_app[visits.person], country)
    online = channel < 2
    refused = np.where(is_first, browsing.refused_first, browsing.refused_later)
    enrols = np.where(is_first, loyalty.enrols_first, loyalty.enrols_later)
    has_account = people.is_registered[visits.person]
    fates = Fates(
        channel=channel,
        service=speed,
        contact_luck=rng.random(size),
        contact_wait=0.25 + np.minimum(rng.standard_exponential(size) * 4.0, 40.0),
        contact_channel=pick(rng, service.channel_weights, size),
        slow_luck=rng.random(size),
        answer_luck=rng.random(size),
        handling=rng.standard_exponential(size),
        is_reopened=chance(rng, service.reopened, size),
        compensation_luck=rng.random(size),
        has_refused_code=chance(rng, refused, size) & online,
        enrols=chance(rng, enrols, size) & has_account,
        joins=chance(rng, joining_probability(visits.number, parameters), size) & has_account,
    )
    return fates, draw_journeys(rng, speed, parameters)


def joining_probability(number: Integers, parameters: Parameters) -> Floats:
    """Return the probability to join at the order of this number, counted from 0."""
    membership = parameters.membership
    growth = (number + 1.0) ** membership.join_growth
    return np.minimum(membership.join_probability * growth, membership.join_probability_ceiling)
