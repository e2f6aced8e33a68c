"""From the tables of the warehouse to what science reads: the ledger, the settings, who customers are."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from orchestration.resources.warehouse import Warehouse
from orchestration.science.court.trial import is_heard
from orchestration.science.ledger import Ledger, ledger_from_tables
from orchestration.science.scoring.docket import NightSettings
from orchestration.settings import Settings

EPOCH = date(1970, 1, 1)
ORDERS, REFUNDS, EVENTS = LEDGER_TABLES = (
    "intermediate.int_scores__orders",
    "intermediate.int_scores__refunds",
    "intermediate.int_scores__events",
)
CUSTOMERS = "intermediate.int_purchases__customers"
MEMBERSHIPS = "intermediate.int_clv__memberships"
RENEWALS = "intermediate.int_clv__renewals"
SPELLS = "intermediate.int_membership__spells"
# Columns of customers by which a bias is looked for, and their words.
ATTRIBUTES = {"country": "country_code", "channel": "first_channel"}


def ledger_of(
    warehouse: Warehouse, as_of_date: date, customer_ids: pa.Array | None = None
) -> Ledger:
    """All that the warehouse knows of orders, refunds and events at the end of a night's last day.

    Of all customers, or of these.
    """
    orders, refunds, events = (warehouse.read(name, customer_ids) for name in LEDGER_TABLES)
    return ledger_from_tables(orders, (as_of_date - EPOCH).days, refunds, events)


def ids_heard(warehouse: Warehouse) -> pa.Array:
    """The customers that `customers_heard` keeps of the whole ledger, without reading all of it."""
    ids = warehouse.query(f"select distinct customer_id from {ORDERS}")
    known = np.array([customer_id for (customer_id,) in ids], dtype=object)
    return pa.array(known[is_heard(known)], pa.string())


def night_settings(settings: Settings) -> NightSettings:
    """The business constants that scores depend on."""
    horizons = settings.business_constant("churn_horizons_days")
    return NightSettings(
        churn_horizons_days=tuple(int(days) for days in horizons),
        clv_horizon_days=int(settings.business_constant("clv_horizon_days")),
        yearly_discount_rate=float(settings.business_constant("yearly_discount_rate")),
    )


def attributes_of(warehouse: Warehouse, ledger: Ledger) -> dict[str, NDArray[np.object_]]:
    """What is known of each customer of the ledger beside orders; None where nothing is."""
    with warehouse.reading() as connection:
        columns = ", ".join(ATTRIBUTES.values())
        known = connection.sql(f"select customer_id, {columns} from {CUSTOMERS}").to_arrow_table()
    # Nulls where a customer has no row: whoever has given back every order.
    where = pc.index_in(
        pa.array(ledger.customer_ids, pa.string()), pc.cast(known["customer_id"], pa.string())
    )
    return {
        words: np.asarray(known[column].take(where).to_pylist(), dtype=object)
        for words, column in ATTRIBUTES.items()
    }


def table_or_none(warehouse: Warehouse, relation: str) -> pa.Table | None:
    """A relation as Arrow, or None where no night has written it yet."""
    return warehouse.read(relation) if relation in warehouse.relations() else None


def dated(table: pa.Table, **columns: Any) -> pa.Table:
    """The same rows with columns that hold one value for all."""
    for name, value in columns.items():
        column = pa.repeat(pa.scalar(value), table.num_rows)
        table = table.append_column(name, column)
    return table
