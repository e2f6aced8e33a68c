"""From the tables of the warehouse to the ledger that every score is made and judged from."""

from datetime import date

from orchestration.resources.warehouse import Warehouse
from orchestration.science.ledger import Ledger, ledger_from_tables

EPOCH = date(1970, 1, 1)
TABLES = (
    "intermediate.int_scores__orders",
    "intermediate.int_scores__refunds",
    "intermediate.int_scores__events",
)


def ledger_of(warehouse: Warehouse, as_of_date: date) -> Ledger:
    """All that the warehouse knows of orders, refunds and events at the end of a night's last day."""
    orders, refunds, events = (warehouse.read(name) for name in TABLES)
    return ledger_from_tables(orders, (as_of_date - EPOCH).days, refunds, events)
