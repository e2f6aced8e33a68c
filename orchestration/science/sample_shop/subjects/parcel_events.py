"""What happens to a parcel on its way: scans of the carrier, notices of delay, addresses changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    keys,
    labels,
    moments,
    pick,
    ranks,
    stack,
)
from orchestration.science.sample_shop.facts.shipments import LATE, LOST, ON_TIME, SENT_BACK
from orchestration.science.sample_shop.shop_time import DAY, HOUR, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import begun, shipment_numbers

EVENT_TYPES = (
    "label_created", "picked_up", "in_transit", "out_for_delivery", "delivery_attempted",
    "delivered", "exception", "delay_notice", "address_changed", "returned_to_sender",
)  # fmt: skip
(LABEL, PICKED_UP, TRANSIT, OUT, ATTEMPTED, DELIVERED, EXCEPTION, NOTICE, ADDRESS, BACK) = range(10)
PLACES = ("Warehouse", "Hub North", "Hub South", "Hub West", "Doorstep")
WAREHOUSE, FIRST_HUB, DOORSTEP = 0, 1, 4


@dataclass
class ParcelEvents:
    """One element per event, in the order in which a parcel meets them."""

    parcel: Integers
    kind: Integers
    happened: Integers
    place: Integers
    estimate: Integers
    """Delivery told at that moment; NEVER where none is."""


@subject("parcel_events")
def draw_parcel_events(rng: np.random.Generator, facts: Facts, frame: Frame) -> ParcelEvents:
    """Follow every parcel from its label to its end."""
    habits = frame.parameters.parcel_news
    parcels = facts.shipments
    every = np.arange(parcels.order.size)
    size = every.size
    hub = FIRST_HUB + pick(rng, (1.0, 1.0, 1.0), size)
    ordered = facts.orders.ordered[parcels.order]
    end = np.where(parcels.delivered < NEVER, parcels.delivered, parcels.settled)
    travel = end - parcels.shipped
    arrives = np.isin(parcels.outcome, (ON_TIME, LATE))
    late = parcels.outcome == LATE

    # A label is printed up to three hours before the parcel leaves, and never before the order.
    label = np.maximum(parcels.shipped - between(rng, HOUR // 4, 3 * HOUR, size), ordered + 30)
    label = np.minimum(label, parcels.shipped)
    scanned = parcels.shipped + (travel * rng.uniform(0.2, 0.5, size)).astype(np.int64)
    out = np.maximum(end - between(rng, HOUR, 6 * HOUR, size), scanned + travel // 4)
    attempted = out - between(rng, DAY // 2, DAY, size)
    tried = late & chance(rng, habits.attempted_share, size) & (attempted > scanned)
    told = _told(rng, facts, frame, late)
    stuck = parcels.outcome == LOST
    back = parcels.outcome == SENT_BACK
    changed = parcels.address_changed & (travel > 2 * HOUR)

    def events(rows: Integers, kind: int, when: Integers, place: Integers | int,
               estimate: Integers | None = None) -> ParcelEvents:  # fmt: skip
        nothing = np.full(rows.size, NEVER)
        return ParcelEvents(
            parcel=rows,
            kind=np.full(rows.size, kind),
            happened=when[rows],
            place=np.broadcast_to(place, size)[rows].astype(np.int64),
            estimate=nothing if estimate is None else estimate[rows],
        )

    delivers = np.flatnonzero(arrives)
    return stack(
        [
            events(every, LABEL, label, WAREHOUSE, parcels.promised),
            events(every, PICKED_UP, parcels.shipped, WAREHOUSE),
            events(np.flatnonzero(changed), ADDRESS, parcels.shipped + travel // 8, -1),
            events(every, TRANSIT, scanned, hub),
            events(np.flatnonzero(stuck), EXCEPTION, scanned + travel // 4, hub),
            events(np.flatnonzero(tried), ATTEMPTED, attempted, DOORSTEP),
            events(np.flatnonzero(back), ATTEMPTED, end - 2 * DAY, DOORSTEP),
            *told,
            events(delivers, OUT, np.minimum(out, end - 60), hub),
            events(delivers, DELIVERED, parcels.delivered, DOORSTEP),
            events(np.flatnonzero(back), BACK, end, WAREHOUSE),
        ]
    )


def _told(
    rng: np.random.Generator, facts: Facts, frame: Frame, late: Integers
) -> list[ParcelEvents]:
    """Tell of a delay where the promise was moved; some first guesses are too early by days."""
    parcels, habits = facts.shipments, frame.parameters.parcel_news
    moved = np.flatnonzero(parcels.promise_moved < NEVER)
    gap = (parcels.promised_later - parcels.promised)[moved]
    guessed_low = chance(rng, habits.first_guess_too_early_share, moved.size) & (gap >= 2 * DAY)
    guess = parcels.promised_later[moved] - np.where(guessed_low, (gap // (2 * DAY)) * DAY, 0)
    again = moved[guessed_low]
    corrected = np.minimum(guess[guessed_low] - 3 * HOUR, parcels.delivered[again] - HOUR)
    # Where nobody was told, some late parcels show at least that something went wrong.
    silent = np.flatnonzero(late & (parcels.promise_moved == NEVER))
    silent = silent[chance(rng, habits.exception_share, silent.size)]
    unknown = np.full(silent.size, NEVER)

    def told(rows: Integers, kind: int, when: Integers, estimate: Integers) -> ParcelEvents:
        return ParcelEvents(rows, np.full(rows.size, kind), when, np.full(rows.size, -1), estimate)

    return [
        told(moved, NOTICE, parcels.promise_moved[moved], guess),
        told(again, NOTICE, corrected, parcels.promised_later[again]),
        told(silent, EXCEPTION, parcels.promised[silent], unknown),
    ]


def shipment_events(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per event of a parcel."""
    events = draw_parcel_events(facts, frame)
    numbers = 1 + ranks(events.happened, events.parcel, np.arange(events.parcel.size))
    row = begun(events.happened, numbers, before)
    return pa.table(
        {
            "shipment_event_id": keys("SE", numbers[row]),
            "shipment_id": keys("S", shipment_numbers(facts)[events.parcel[row]]),
            "event_type": labels(events.kind[row], EVENT_TYPES),
            "event_at": moments(events.happened[row], before),
            "location": labels(events.place[row], PLACES),
            "estimated_delivery_at": moments(events.estimate[row], int(NEVER)),
        }
    )
