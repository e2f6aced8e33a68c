"""Which sale a cancellation takes back, where an export does not say. Pure: no engine, no file."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Movement:
    """A sale line or a cancelled line; the quantity is positive in both."""

    line_id: str
    customer_id: str
    product: str
    quantity: int
    unit_price: Decimal
    at: datetime


def link_cancellations(
    sales: Iterable[Movement], cancellations: Iterable[Movement]
) -> dict[str, str]:
    """Link each cancelled line to one sale line of the same customer and product, or to none.

    Cancellations are taken in order of time. One goes to the latest sale line, not after it,
    that was sold at the same price and has enough quantity left; failing that, to the latest
    one that was sold at a higher price (part of the price is given back). It is never split
    over several sale lines, and never linked to a sale at a lower price: more money would go
    back than was paid, so that sale cannot be the one.

    Both inputs may come in any order; equal times are settled by their order in the input.
    """
    sold: dict[tuple[str, str], list[Movement]] = defaultdict(list)
    left: dict[str, int] = {}
    for sale in sorted(sales, key=lambda movement: movement.at):
        sold[sale.customer_id, sale.product].append(sale)
        left[sale.line_id] = sale.quantity

    links: dict[str, str] = {}
    for cancelled in sorted(cancellations, key=lambda movement: movement.at):
        candidates = [
            sale
            for sale in reversed(sold[cancelled.customer_id, cancelled.product])
            if sale.at <= cancelled.at
            and left[sale.line_id] >= cancelled.quantity
            and sale.unit_price >= cancelled.unit_price
        ]
        if not candidates:
            continue
        same_price = (sale for sale in candidates if sale.unit_price == cancelled.unit_price)
        chosen = next(same_price, candidates[0])
        left[chosen.line_id] -= cancelled.quantity
        links[cancelled.line_id] = chosen.line_id
    return links
