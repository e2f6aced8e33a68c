"""The catalogue's tables: products and what they cost."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import dates, flags, keys, labels, money
from orchestration.science.sample_shop.facts.products import BRANDS, CATEGORIES, GIFT_CARDS
from orchestration.science.sample_shop.shop_time import local_day
from orchestration.science.sample_shop.simulation import Frame


def products(frame: Frame, before: int) -> pa.Table:
    """One row per variant."""
    catalogue = frame.catalogue
    size = catalogue.category.size
    titles = catalogue.title
    known = catalogue.discontinued < local_day(before)
    cycle = np.array([one.cycle_days for one in CATEGORIES])[catalogue.category]
    first_group = [title.rsplit(",", 1)[0].split(" ", 1)[-1] for title in titles]
    return pa.table(
        {
            "variant_id": keys("V", np.arange(size) + 1, 4),
            "product_id": keys("P", catalogue.product, 4),
            "sku": pa.array(
                [f"{CATEGORIES[code].name[:3].upper()}-{number:04d}"
                 for number, code in enumerate(catalogue.category, start=1)]
            ),
            "title": pa.array(titles),
            "brand": labels(catalogue.brand, BRANDS),
            "category_l1": labels(catalogue.category, [one.name for one in CATEGORIES]),
            "category_l2": pa.array(catalogue.group),
            "category_l3": pa.array(first_group),
            "list_price": money(catalogue.price),
            "is_replenishable": flags(cycle > 0),
            "expected_cycle_days": pa.array(cycle.astype(np.int32), mask=cycle == 0),
            "is_gift_card": flags(catalogue.category == GIFT_CARDS),
            "is_returnable": flags(catalogue.is_returnable),
            "launched_at": dates(catalogue.launched),
            "discontinued_at": dates(np.where(known, catalogue.discontinued, 0), known),
        }
    )  # fmt: skip


def product_costs(frame: Frame, before: int) -> pa.Table:
    """One row per variant and start of validity; the last one of a variant is open."""
    catalogue = frame.catalogue
    row = np.flatnonzero(catalogue.cost_from < local_day(before))
    variant, start = catalogue.cost_variant[row], catalogue.cost_from[row]
    is_last = np.concatenate([variant[1:] != variant[:-1], [True]])
    following = np.concatenate([start[1:], [0]])
    return pa.table(
        {
            "variant_id": keys("V", variant + 1, 4),
            "valid_from": dates(start),
            "unit_cost": money(catalogue.cost_pence[row]),
            "handling_cost": money(catalogue.cost_handling[row]),
            "valid_to": dates(np.where(is_last, 0, following - 1), ~is_last),
        }
    )
