"""The journey of a parcel: its carrier, whether it comes late, lost or never, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import between, chance, pick
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import DAY, HOUR, Floats, Integers

ON_TIME, LATE, LOST, SENT_BACK = range(4)
LATEST_HOUR = 14
"""Orders from this local hour on leave the next day."""


@dataclass
class Journeys:
    """One element per order; its second parcel travels with the first."""

    carrier: Integers
    outcome: Integers
    early_luck: Floats
    """Where in the days of the service a parcel on time arrives."""
    delay: Integers
    leaves: Integers
    """Second of the day at which it leaves, unless it goes the same day."""
    arrives: Integers
    """Second of the day at which it arrives, unless it goes the same day."""
    same_day_travel: Integers
    moves_promise: NDArray[np.bool_]
    """A later promise is shown if it is late."""


@dataclass
class Travel:
    """When parcels travel, in wall-clock seconds."""

    shipped: Integers
    promised: Integers
    arrival_day: Integers
    delivered: Integers
    """When it arrives, or would have if it had not been lost."""


def draw_journeys(rng: np.random.Generator, service: Integers, parameters: Parameters) -> Journeys:
    """Draw a journey for each order of a service; it is used if the order sends anything."""
    habits = parameters.delivery
    size = service.size
    carrier = pick(rng, habits.carrier_weights, size)
    is_late = chance(rng, np.array(habits.late_probability)[carrier, service], size)
    fate = rng.random(size)
    lost, back = habits.lost_share, habits.lost_share + habits.returned_to_sender_share
    outcome = np.select([fate < lost, fate < back, is_late], [LOST, SENT_BACK, LATE], ON_TIME)
    return Journeys(
        carrier=carrier,
        outcome=outcome,
        early_luck=rng.random(size),
        delay=rng.geometric(0.45, size),
        leaves=between(rng, 16 * HOUR, 19 * HOUR, size),
        arrives=between(rng, 8 * HOUR, 20 * HOUR, size),
        same_day_travel=between(rng, HOUR, 5 * HOUR, size),
        moves_promise=chance(rng, habits.promise_moved_share, size),
    )


def travel(
    local: Integers,
    service: Integers,
    journeys: Journeys,
    outcome: Integers,
    parameters: Parameters,
) -> Travel:
    """Put the journeys of orders on the calendar.

    Parameters
    ----------
    local : array of int, shape (n_orders,)
        Wall-clock second of each order.
    outcome : array of int, shape (n_orders,)
        What becomes of the parcel; that of the journey, or another to ask what would have been.
    """
    base = local // DAY + (local % DAY >= LATEST_HOUR * HOUR)
    days = np.array(parameters.delivery.service_days)[service]
    same_day, is_late = service == 0, outcome == LATE
    # Same-day parcels leave in the morning or half an hour after the order; others at night.
    morning = np.maximum(local + HOUR // 2, base * DAY + 9 * HOUR)
    shipped = np.where(same_day, morning, base * DAY + journeys.leaves)
    within = np.floor(journeys.early_luck * np.maximum(days, 1)).astype(np.int64)
    usual = np.where(days > 0, base + 1 + within, base)
    arrival_day = np.where(is_late, base + days + journeys.delay, usual)
    arrival = arrival_day * DAY + journeys.arrives
    return Travel(
        shipped=shipped,
        promised=(base + days) * DAY + 20 * HOUR,
        arrival_day=arrival_day,
        delivered=np.where(same_day & ~is_late, shipped + journeys.same_day_travel, arrival),
    )
