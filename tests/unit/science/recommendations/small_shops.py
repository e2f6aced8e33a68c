"""Shops that are small enough to be counted by hand, as the tables that a night reads."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.science.recommendations.acts import Interactions, interactions_from_table
from orchestration.science.recommendations.catalogue import Catalogue, catalogue_from_tables

EPOCH = date(1970, 1, 1)
PURCHASE_WEIGHT = 5.0
WEIGHTS = {"purchase": 5.0, "cart": 3.0, "wishlist": 2.0, "view": 1.0}
VARIANT_COLUMNS = {
    "variant_id": pa.string(),
    "product_id": pa.string(),
    "title": pa.string(),
    "brand": pa.string(),
    "category_l1": pa.string(),
    "category_l2": pa.string(),
    "category_l3": pa.string(),
    "price": pa.float64(),
    "cycle_days": pa.float64(),
    "is_replenishable": pa.bool_(),
    "is_withheld": pa.bool_(),
    "launched_date": pa.date32(),
    "discontinued_date": pa.date32(),
}


def day(number: int) -> date:
    """Day 0 is 1970-01-01."""
    return EPOCH + timedelta(days=number)


def catalogue(
    variants: Sequence[Mapping[str, Any]], stock: Sequence[tuple[str, int, bool]] = ()
) -> Catalogue:
    """A catalogue; a variant is its own product unless it says otherwise."""
    rows = [{"product_id": one["variant_id"], **one} for one in variants]
    table = pa.table(
        {
            name: pa.array([row.get(name) for row in rows], kind)
            for name, kind in VARIANT_COLUMNS.items()
        }
    )
    changes = pa.table(
        {
            "variant_id": pa.array([one for one, _, _ in stock], pa.string()),
            "valid_from": pa.array([day(when) for _, when, _ in stock], pa.date32()),
            "is_in_stock": pa.array([is_there for _, _, is_there in stock], pa.bool_()),
        }
    )
    return catalogue_from_tables(table, changes)


def acted(
    shop: Catalogue,
    customers: Sequence[str],
    rows: Sequence[tuple[str, str, str, int] | tuple[str, str, str, int, float]],
) -> Interactions:
    """Interactions: customer, variant, kind, day, and of a rating its weight."""
    table = pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "variant_id": pa.array([row[1] for row in rows], pa.string()),
            "interaction_type": pa.array([row[2] for row in rows], pa.string()),
            "interaction_date": pa.array([day(row[3]) for row in rows], pa.date32()),
            "weight": pa.array(
                [row[4] if len(row) > 4 else WEIGHTS[row[2]] for row in rows], pa.float64()
            ),
        }
    )
    return interactions_from_table(table, ids(customers), shop, PURCHASE_WEIGHT)


def ids(customers: Sequence[str]) -> pa.Array:
    """Ids as Arrow."""
    return pa.array(list(customers), pa.string())


def drawn_interactions(
    shop: Catalogue, n_customers: int, n_rows: int, last_day: int, seed: int
) -> Interactions:
    """Acts of all kinds at random, half of them with the first fifth of the variants."""
    random = np.random.default_rng(seed)
    variant = random.integers(0, shop.n_variants, n_rows)
    few = random.random(n_rows) < 0.5
    variant = np.where(few, variant % max(shop.n_variants // 5, 1), variant)
    kind = random.integers(0, 5, n_rows)
    weight = np.array([1, 0.6, 0.4, 0.0, 0.2])[kind]
    weight = np.where(kind == 3, random.integers(-2, 3, n_rows) / 5, weight)
    return Interactions(
        customer=random.integers(0, n_customers, n_rows),
        variant=variant,
        kind=kind,
        day=random.integers(0, last_day + 1, n_rows),
        weight=weight,
        n_customers=n_customers,
    )
