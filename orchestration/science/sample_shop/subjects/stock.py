"""What is known of variants beside their price: stock, what goes with what, how a marketplace shows
them. The stock is that of the variants sold most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import dates, flags, keys, labels
from orchestration.science.sample_shop.facts.orders import CANCELLED, EXCHANGE, NORMAL
from orchestration.science.sample_shop.facts.products import CATEGORIES, GIFT_CARDS
from orchestration.science.sample_shop.shop_time import (
    DAY,
    Floats,
    Integers,
    epoch_day,
    local_day,
    local_from_utc,
)
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject

RELATIONS = ("accessory", "substitute", "bundle")
ACCESSORY, SUBSTITUTE, BUNDLE = range(3)


@dataclass
class Stock:
    """One element per day and variant, sorted by both."""

    day: Integers
    variant: Integers
    on_hand: Integers


@dataclass
class Related:
    """One element per pair of variants and kind of relation."""

    variant: Integers
    other: Integers
    kind: Integers
    weight: Floats


@dataclass
class Shown:
    """One element per day and variant on the marketplace."""

    day: Integers
    variant: Integers
    buy_box: Floats
    in_stock: Floats
    rank: Integers


@subject("stock")
def draw_stock(rng: np.random.Generator, facts: Facts, frame: Frame) -> Stock:
    """Count the stock of the best sold variants down with every sale and up with every delivery.

    A delivery that is late leaves the shelf empty until just before the next sale: what was sold
    was there.
    """
    habits = frame.parameters.stocking
    end = epoch_day(frame.parameters.end_date) + 1
    first = end - habits.days
    days = habits.days + frame.parameters.future_days
    lines, orders = facts.lines, facts.orders
    sold = np.isin(orders.kind[lines.order], (NORMAL, EXCHANGE, CANCELLED))
    sold &= frame.catalogue.category[lines.variant] < GIFT_CARDS
    day = local_from_utc(orders.ordered[lines.order]) // DAY - first
    inside = np.flatnonzero(sold & (day >= 0) & (day < days))
    units = np.bincount(lines.variant[inside], lines.quantity[inside],
                        minlength=frame.catalogue.category.size)  # fmt: skip
    chosen = np.sort(np.argsort(-units, kind="stable")[: habits.variants])
    found = []
    for variant in chosen.tolist():
        mine = inside[lines.variant[inside] == variant]
        sales = np.bincount(day[mine], lines.quantity[mine], minlength=days).astype(np.int64)
        found.append(_levels(rng, sales, frame))
    return Stock(
        day=np.tile(first + np.arange(days), chosen.size),
        variant=np.repeat(chosen, days),
        on_hand=np.concatenate(found) if found else np.zeros(0, dtype=np.int64),
    )


def _levels(rng: np.random.Generator, sales: Integers, frame: Frame) -> Integers:
    """Return the units at the end of each day: ordered anew when few are left, sometimes too late."""
    habits = frame.parameters.stocking
    lot = max(6, int(np.ceil(sales.sum() / sales.size * habits.days_per_lot)))
    on_hand, arrives = lot, -1
    levels = np.empty(sales.size, dtype=np.int64)
    for today, units in enumerate(sales.tolist()):
        if today == arrives or (on_hand < units and arrives >= 0):
            on_hand, arrives = on_hand + lot, -1
        # A whole pallet at once is fetched from the supplier the same day.
        on_hand = max(on_hand, units) - units
        if on_hand <= lot // 4 and arrives < 0:
            late = rng.random() < habits.late_delivery_share
            arrives = today + int(rng.integers(4, 9)) + (habits.late_days if late else 0)
        levels[today] = on_hand
    return levels


@subject("product_relations")
def draw_related(rng: np.random.Generator, facts: Facts, frame: Frame) -> Related:
    """Relate variants: the other options of a product, things of one range, things used together."""
    catalogue = frame.catalogue
    goods = np.flatnonzero(catalogue.category < GIFT_CARDS)
    titles = [catalogue.title[one].rsplit(",", 1)[0] for one in range(catalogue.category.size)]
    noun = np.array([title.split(" ", 1)[-1] for title in titles])
    line = np.array([title.split(" ", 1)[0] for title in titles])
    pairs: dict[tuple[int, int, int], float] = {}

    def relate(kind: int, one: int, candidates: NDArray[np.int64], count: int, low: float) -> None:
        others = candidates[candidates != one]
        for other in rng.permutation(others)[:count].tolist():
            pairs[one, other, kind] = round(low + (1 - low) * float(rng.random()), 2)

    for one in goods.tolist():
        same_range = goods[line[goods] == line[one]]
        of_category = catalogue.category[same_range] == catalogue.category[one]
        alike = goods[noun[goods] == noun[one]]
        relate(SUBSTITUTE, one, alike[catalogue.product[alike] != catalogue.product[one]], 2, 0.4)
        beside = same_range[of_category & (noun[same_range] != noun[one])]
        together = BUNDLE if CATEGORIES[catalogue.category[one]].name == "beauty" else ACCESSORY
        relate(together, one, beside, 2, 0.3)
    keyed = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 3)
    weight = np.array([pairs[one] for one in sorted(pairs)])
    return Related(keyed[:, 0], keyed[:, 1], keyed[:, 2], weight)


@subject("marketplace")
def draw_shown(rng: np.random.Generator, facts: Facts, frame: Frame) -> Shown:
    """Draw how often the shop held the Buy Box: mostly, except where a rival undercut it for weeks."""
    habits = frame.parameters.stocking
    end = epoch_day(frame.parameters.end_date) + 1
    always = np.flatnonzero(frame.catalogue.category < GIFT_CARDS)
    variants = np.sort(rng.choice(always, habits.marketplace_variants, replace=False))
    days = habits.marketplace_days
    shape = (variants.size, days)
    share = rng.beta(18, 2, shape)
    lost_from = rng.integers(0, days, variants.size)
    number = np.arange(days)
    for place in range(0, variants.size, 3):
        rival = (number >= lost_from[place]) & (number < lost_from[place] + 14)
        share[place, rival] = rng.beta(2, 8, int(rival.sum()))
    rank = 1 + rng.poisson(2 + 8 * (1 - share))
    return Shown(
        day=np.tile(end - days + number, variants.size),
        variant=np.repeat(variants, days),
        buy_box=np.round(share, 3).ravel(),
        in_stock=np.round(rng.beta(40, 1, shape), 3).ravel(),
        rank=rank.ravel(),
    )


def inventory_daily(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per day that is over and variant."""
    stock = draw_stock(facts, frame)
    known = np.flatnonzero(stock.day < local_day(before))
    row = known[np.lexsort([stock.variant[known], stock.day[known]])]
    return pa.table(
        {
            "inventory_date": dates(stock.day[row]),
            "variant_id": keys("V", stock.variant[row] + 1, 4),
            "location": labels(np.zeros(row.size), ("warehouse",)),
            "on_hand": pa.array(stock.on_hand[row].astype(np.int32)),
            "is_in_stock": flags(stock.on_hand[row] > 0),
        }
    )


def product_relations(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per pair of variants and relation, once both are on sale."""
    related, launched = draw_related(facts, frame), frame.catalogue.launched
    both = np.maximum(launched[related.variant], launched[related.other])
    row = np.flatnonzero(both < local_day(before))
    return pa.table(
        {
            "variant_id": keys("V", related.variant[row] + 1, 4),
            "related_variant_id": keys("V", related.other[row] + 1, 4),
            "relation_type": labels(related.kind[row], RELATIONS),
            "weight": pa.array(related.weight[row]),
        }
    )


def marketplace_metrics(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per day that is over and variant on the marketplace."""
    shown = draw_shown(facts, frame)
    known = np.flatnonzero(shown.day < local_day(before))
    row = known[np.lexsort([shown.variant[known], shown.day[known]])]
    return pa.table(
        {
            "metric_date": dates(shown.day[row]),
            "variant_id": keys("V", shown.variant[row] + 1, 4),
            "buy_box_share": pa.array(shown.buy_box[row]),
            "in_stock_rate": pa.array(shown.in_stock[row]),
            "search_rank": pa.array(shown.rank[row].astype(np.int32)),
        }
    )
