"""Marketing spend by day and acquisition channel, at a cost of a new customer that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import dates, keys, labels, money, stack
from orchestration.science.sample_shop.facts.people import ACQUISITION_CHANNELS, CUSTOMER
from orchestration.science.sample_shop.shop_time import Floats, Integers, epoch_day, local_day
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject

ADS = (("search", "Search brand"), ("search", "Search generic"), ("social", "Social prospecting"),
       ("social", "Social retargeting"))  # fmt: skip
"""Channels whose spend is told by campaign; these campaigns are the first of the campaigns table."""
SPLITS = (0.2, 0.8, 0.7, 0.3)
COST_PER_MILLE = 600
COST_PER_CLICK = 45


@dataclass
class Spend:
    """One element per day, channel and campaign; money in pence."""

    day: Integers
    channel: Integers
    campaign: Integers
    """Position in `ADS`; -1 for a channel as a whole."""
    amount: Integers
    impressions: Integers
    clicks: Integers


@subject("marketing_spend")
def draw_spend(rng: np.random.Generator, facts: Facts, frame: Frame) -> Spend:
    """Spend what the new customers of a channel cost, over the days as the season brings them."""
    habits, parameters = frame.parameters.spending, frame.parameters
    start = epoch_day(parameters.start_date)
    days = epoch_day(parameters.end_date) + 1 - start
    expected = _expected_customers(frame, days)
    people = facts.people
    found = np.bincount(
        people.acquisition[people.kind == CUSTOMER], minlength=len(ACQUISITION_CHANNELS)
    )
    named = {channel for channel, _ in ADS}
    places = [(channel, -1, 1.0) for channel in ACQUISITION_CHANNELS if channel not in named]
    places += [(channel, row, SPLITS[row]) for row, (channel, _) in enumerate(ADS)]
    parts = []
    sigma = habits.daily_sigma
    for channel, campaign, split in places:
        code = ACQUISITION_CHANNELS.index(channel)
        cost = habits.cost_per_new_customer[code] * 100
        if cost == 0:
            continue
        growth = habits.cost_growth_per_year[code] ** (np.arange(days) / 365.25)
        noise = np.exp(sigma * rng.standard_normal(days) - sigma**2 / 2)
        amount = np.round(expected * found[code] * cost * growth * split * noise)
        amount = amount.astype(np.int64)
        parts.append(
            Spend(
                day=start + np.arange(days),
                channel=np.full(days, code),
                campaign=np.full(days, campaign),
                amount=amount,
                impressions=rng.poisson(amount / COST_PER_MILLE * 1000),
                clicks=rng.poisson(amount / COST_PER_CLICK),
            )
        )
    return stack(parts)


def _expected_customers(frame: Frame, days: int) -> Floats:
    """Return the share of all new customers that comes on each day, by season and growth."""
    uniform = np.linspace(0, 1, 200_001)
    return (
        np.bincount(
            np.minimum(frame.clock.arrivals(uniform).astype(np.int64), days - 1), minlength=days
        )
        / uniform.size
    )


def marketing_spend(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per day that is over, channel and campaign."""
    spend = draw_spend(facts, frame)
    known = np.flatnonzero(spend.day < local_day(before))
    row = known[np.lexsort([spend.campaign[known], spend.channel[known], spend.day[known]])]
    campaign = spend.campaign[row]
    return pa.table(
        {
            "spend_date": dates(spend.day[row]),
            "channel": labels(spend.channel[row], ACQUISITION_CHANNELS),
            "campaign_id": keys("K", np.where(campaign >= 0, campaign + 1, -1), 4),
            "spend_amount": money(spend.amount[row]),
            "impressions": pa.array(spend.impressions[row].astype(np.int32)),
            "clicks": pa.array(spend.clicks[row].astype(np.int32)),
        }
    )
