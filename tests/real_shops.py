"""Ledgers of two real shops, for whoever measures forecasts: CDNOW and Online Retail II.

CDNOW lies inside the installed package `lifetimes` and is read from its raw transactions. Online
Retail II is not part of the project: `online_retail_file` says where it is looked for, and
`has_online_retail` whether it is there. Both hold sales alone: neither delivers costs, so that the
margin of an order is its amount, and cancellations of Online Retail II, which name no invoice, are
left out, as in the published tables.
"""

from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.science.ledger import Ledger, ledger_from_tables

EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01, as ledgers count."""
    return (day - EPOCH).days


CDNOW_FIT_END = day_number(date(1997, 9, 30))
CDNOW_LAST_DAY = day_number(date(1998, 6, 30))
# 39 weeks to fit, 39 to predict.
CDNOW_HORIZON_DAYS = CDNOW_LAST_DAY - CDNOW_FIT_END

# The last day that is known at each of the three origins; the horizon begins the day after.
ONLINE_RETAIL_ORIGINS = tuple(
    day_number(first_day_of_horizon) - 1
    for first_day_of_horizon in (date(2010, 12, 10), date(2011, 3, 11), date(2011, 6, 10))
)
ONLINE_RETAIL_HORIZON_DAYS = 26 * 7
ONLINE_RETAIL_LAST_DAY = day_number(date(2011, 12, 9))


@cache
def cdnow() -> Ledger:
    """All 23,570 customers of CDNOW, 1997-01-01 to 1998-06-30; units are CDs, amounts dollars."""
    package = find_spec("lifetimes")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "datasets" / "CDNOW_master.txt"
    return _ledger(
        rf"""
        select
            fields[1] as customer_id,
            cast(strptime(fields[2], '%Y%m%d') as date) as ordered_date,
            cast(fields[4] as double) as net_amount,
            cast(fields[3] as double) as unit_count
        from (
            select regexp_split_to_array(trim(line), '\s+') as fields
            from read_csv('{path}', columns = {{'line': 'varchar'}}, delim = '\t', header = true)
        )
        """,
        CDNOW_LAST_DAY,
    )


@cache
def cdnow_known() -> Ledger:
    """CDNOW as it was known at the end of the 39 weeks to fit."""
    return cdnow().known_at(CDNOW_FIT_END)


def online_retail_file() -> Path:
    """Both sheets of Online Retail II, beside the checkout."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout.parent / "shared" / "data" / "online_retail_ii" / "online_retail_II.csv.gz"


def has_online_retail() -> bool:
    """Whether Online Retail II lies beside the checkout."""
    return online_retail_file().exists()


@cache
def online_retail() -> Ledger:
    """Online Retail II, 2009-12-01 to 2011-12-09: sale lines with a customer, by invoice and day.

    The sheets overlap by nine days; an invoice that stands in both has its lines in each, so that
    lines of the days of the overlap are taken from the later sheet, which starts where the file's
    time goes back.
    """
    return _ledger(
        f"""
        with

        lines as (
            select
                row_number() over () as place,
                Invoice as invoice,
                "Customer ID" as customer_id,
                cast(cast(InvoiceDate as timestamp) as date) as ordered_date,
                cast(Quantity as double) as quantity,
                cast(Price as double) as price
            from read_csv('{online_retail_file()}', all_varchar = true, parallel = false)
        ),

        second_sheet as (
            select min(place) as first_place
            from (
                select place, ordered_date < lag(ordered_date) over (order by place) as goes_back
                from lines
            )
            where goes_back
        ),

        second_days as (
            select min(ordered_date) as first_date
            from lines, second_sheet
            where place >= first_place
        )

        select
            customer_id,
            min(ordered_date) as ordered_date,
            sum(quantity * price) as net_amount,
            sum(quantity) as unit_count
        from lines, second_sheet, second_days
        where
            customer_id <> ''
            and invoice not like 'C%'
            and invoice not like 'A%'
            and quantity > 0
            and price > 0
            and (place >= first_place or ordered_date < first_date)
        group by customer_id, invoice
        """,
        ONLINE_RETAIL_LAST_DAY,
    )


def _ledger(query: str, until: int) -> Ledger:
    with duckdb.connect() as connection:
        rows: pa.Table = connection.sql(query).arrow().read_all()
    return ledger_from_tables(rows.append_column("margin_amount", rows["net_amount"]), until)
