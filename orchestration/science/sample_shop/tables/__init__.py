"""The tables of the source contract, as an export made at a given moment would show them.

Nothing is drawn here. A row appears when it begins, and shows of its life what has happened by then.
"""

from __future__ import annotations

import pyarrow as pa

from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.tables.catalogue import product_costs, products
from orchestration.science.sample_shop.tables.memberships import (
    membership_benefit_usage,
    membership_terms,
    memberships,
)
from orchestration.science.sample_shop.tables.people import customers
from orchestration.science.sample_shop.tables.returns import refunds, return_items, returns
from orchestration.science.sample_shop.tables.sales import order_lines, orders, shipments

SHARED_TABLES = {"products": products, "product_costs": product_costs}
CHUNK_TABLES = {
    "customers": customers,
    "orders": orders,
    "order_lines": order_lines,
    "shipments": shipments,
    "returns": returns,
    "return_items": return_items,
    "refunds": refunds,
    "memberships": memberships,
    "membership_terms": membership_terms,
    "membership_benefit_usage": membership_benefit_usage,
}


def known_tables(frame: Frame, chunks: list[Facts], before: int) -> dict[str, pa.Table]:
    """Return all twelve tables as known before a moment (UTC seconds)."""
    shared = {name: make(frame, before) for name, make in SHARED_TABLES.items()}
    return shared | {
        name: pa.concat_tables([make(facts, frame, before) for facts in chunks])
        for name, make in CHUNK_TABLES.items()
    }
