"""Ledgers written by hand, one line per order."""

from collections.abc import Iterable

import pyarrow as pa

from orchestration.science.ledger import Ledger, ledger_from_tables

Order = tuple[str, int, float, float]


def ledger_of(
    orders: Iterable[Order],
    until: int,
    refunds: Iterable[tuple[str, int, int, float, float]] = (),
) -> Ledger:
    """Orders are (customer, day, net amount, margin); refunds (customer, day, of day, net, margin)."""
    rows, back = list(orders), list(refunds)
    return ledger_from_tables(
        pa.table(
            {
                "customer_id": pa.array([row[0] for row in rows], pa.string()),
                "ordered_date": dates([row[1] for row in rows]),
                "net_amount": pa.array([row[2] for row in rows], pa.float64()),
                "margin_amount": pa.array([row[3] for row in rows], pa.float64()),
            }
        ),
        until,
        refunds=pa.table(
            {
                "customer_id": pa.array([row[0] for row in back], pa.string()),
                "refunded_date": dates([row[1] for row in back]),
                "ordered_date": dates([row[2] for row in back]),
                "net_amount": pa.array([row[3] for row in back], pa.float64()),
                "margin_amount": pa.array([row[4] for row in back], pa.float64()),
            }
        ),
    )


def dates(days: list[int]) -> pa.Array:
    return pa.array(days, pa.int32()).cast(pa.date32())
