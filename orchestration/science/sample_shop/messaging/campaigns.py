"""What the shop sends: advertisements that run, flows that an event starts, and broadcasts by date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import flags, keys, moments, money
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Integers,
    epoch_day,
    midnight_utc,
)
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.subjects.spend import ADS

BROADCAST, FLOW = "broadcast", "flow"
EVERYBODY, ACTIVE, MEMBERS = range(3)
AUDIENCES = ("all_subscribers", "active_180d", "members")
FLOWS = (
    # type, channel, part of an order, offer, worth of it in pence
    ("welcome", "email", False, "discount_10", 0),
    ("abandoned_cart", "email", False, None, 0),
    ("post_purchase", "email", False, None, 0),
    ("accessory", "email", False, None, 0),
    ("reminder", "email", False, None, 0),
    ("reengagement", "email", False, "voucher", 500),
    ("birthday", "email", False, "voucher", 300),
    ("renewal", "email", True, None, 0),
    ("delay_notice", "email", True, None, 0),
)  # fmt: skip
COST_PENCE = {"email": 1, "sms": 4, "push": 0}


@dataclass(frozen=True)
class Campaign:
    """One row of the campaigns table; its key is its place in the list."""

    name: str
    kind: str | None
    flow: str | None
    channel: str
    starts: int
    ends: int = int(NEVER)
    is_transactional: bool = False
    offer: str | None = None
    offer_pence: int = 0
    audience: int = EVERYBODY


def first_message(frame: Frame) -> int:
    """Return the moment from which on messages are kept."""
    return frame.end_moment - frame.parameters.messaging.days * DAY


def all_campaigns(frame: Frame) -> list[Campaign]:
    """Return every campaign; the advertisements come first, as the spend counts them."""
    opening = int(midnight_utc(epoch_day(frame.parameters.start_date)))
    start = first_message(frame)
    found = [Campaign(name, None, None, "ads", opening) for _, name in ADS]
    found += [
        Campaign(f"Flow {flow.replace('_', ' ')}", FLOW, flow, channel, start,
                 is_transactional=is_part, offer=offer, offer_pence=pence)
        for flow, channel, is_part, offer, pence in FLOWS
    ]  # fmt: skip
    return found + _broadcasts(frame, start)


def flow_campaign(frame: Frame, flow: str) -> int:
    """Return the place of a flow in the list of campaigns."""
    return [one.flow for one in all_campaigns(frame)].index(flow)


def _broadcasts(frame: Frame, start: int) -> list[Campaign]:
    """Newsletters on set days of each month, a push each month, a text message each quarter."""
    habits = frame.parameters.messaging
    end = epoch_day(frame.parameters.end_date)
    first = (start + 12 * HOUR) // DAY
    found = []
    gap = 30.4 / habits.broadcasts_per_month
    for number in range(int((end - first) / gap) + 1):
        day = int(first + 3 + number * gap)
        audience = ACTIVE if number % 6 == 5 else MEMBERS if number % 8 == 4 else EVERYBODY
        date = str(np.datetime64(day, "D"))
        is_offer = number % 4 == 3
        found.append(_broadcast(f"Newsletter {date}", "email", day, audience, is_offer))
    for number, day in enumerate(range(first + 10, end, 30)):
        found.append(_broadcast(f"App news {number + 1}", "push", day, EVERYBODY, False))
    for number, day in enumerate(range(first + 80, end, 91)):
        found.append(_broadcast(f"Text {number + 1}", "sms", day, EVERYBODY, True))
    return [one for one in found if one.starts < frame.end_moment - DAY]


def _broadcast(name: str, channel: str, day: int, audience: int, is_offer: bool) -> Campaign:
    starts = int(midnight_utc(day)) + 10 * HOUR
    return Campaign(
        name, BROADCAST, None, channel, starts, starts + 2 * HOUR,
        offer="code_15_percent" if is_offer else None, audience=audience,
    )  # fmt: skip


def campaigns(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per campaign that has begun."""
    every = all_campaigns(frame)
    row = [place for place, one in enumerate(every) if one.starts < before]
    known = [every[place] for place in row]

    def pence(values: list[int]) -> Integers:
        return np.array(values, dtype=np.int64)

    return pa.table(
        {
            "campaign_id": keys("K", pence(row) + 1, 4),
            "name": pa.array([one.name for one in known], pa.string()),
            "campaign_type": pa.array([one.kind for one in known], pa.string()),
            "flow_type": pa.array([one.flow for one in known], pa.string()),
            "channel": pa.array([one.channel for one in known], pa.string()),
            "is_transactional": flags(np.array([one.is_transactional for one in known])),
            "offer_type": pa.array([one.offer for one in known], pa.string()),
            "offer_value": money(
                pence([one.offer_pence for one in known]),
                np.array([one.offer_pence > 0 for one in known]),
            ),
            "cost_per_message": money(
                pence([COST_PENCE.get(one.channel, 0) for one in known]),
                np.array([one.channel in COST_PENCE for one in known]),
            ),
            "started_at": moments(pence([one.starts for one in known]), before),
            "ended_at": moments(pence([one.ends for one in known]), before),
        }
    )
