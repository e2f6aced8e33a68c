"""An offer that an experiment makes to half of the people with an account, for some weeks."""

from __future__ import annotations

import numpy as np

from orchestration.science.sample_shop.facts.people import People
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import Floats, SeasonClock, epoch_day
from orchestration.science.sample_shop.streams import stream


def offer_luck(parameters: Parameters, people: int, chunk: int) -> Floats:
    """Return the number between 0 and 1 from which each person's arm is read; the offer is above."""
    return stream(parameters.seed, "offer", chunk).random(people)


def offer_span(parameters: Parameters, clock: SeasonClock) -> tuple[float, float]:
    """Return the operational weeks between which the offer is made."""
    habits = parameters.experimenting
    first = epoch_day(parameters.end_date) + 1 - habits.offer_first_days_ago - clock.start_day
    days = np.clip(np.array([first, first + habits.offer_days], dtype=np.float64), 0, clock.days)
    begin, end = clock.operational(days).tolist()
    return begin, end


def offer_weeks(
    parameters: Parameters, people: People, chunk: int, clock: SeasonClock
) -> tuple[Floats, Floats]:
    """Return when the offer runs for each person, in operational weeks; never for the others."""
    begin, end = offer_span(parameters, clock)
    luck = offer_luck(parameters, people.kind.size, chunk)
    made = (luck >= 1 - parameters.experimenting.offer_share) & people.is_registered
    return np.where(made, begin, np.inf), np.where(made, end, np.inf)
