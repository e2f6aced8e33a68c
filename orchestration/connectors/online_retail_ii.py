"""Online Retail II (UCI 502): a web shop's export, one row per invoice line, onto seven tables.

Both forms are read: the two sheets in one file (`Invoice`, `Price`, `Customer ID`) and the second
sheet alone (`InvoiceNo`, `UnitPrice`, `CustomerID`). They hold the same rows: load one of them.

Every row of the export becomes exactly one row of order_lines or, on an invoice that starts
with C, of return_items. A row that is no sale (price zero, stock write-off, bad debt) and a
cancellation whose sale cannot be found land with `_problem`, so that staging puts them into
quarantine with that reason. An invoice without any sale line makes no order. All other tables
are drawn from the rows:

- The sheets overlap by nine days. The second one starts where time goes back, and a line's key
  is made of its values and of its place among identical lines *of its sheet*: a line that
  stands in both sheets has one key and is superseded, two identical lines inside a sheet stay
  two.
- A cancellation is linked as `link_cancellations` says. One invoice may take back lines of several
  orders and is then one return per order (`C536379/536000`).
- The few prices below a penny are kept: an order's amount is the sum of its lines to the penny,
  with the rest carried to the next order, apart for orders with and without a customer, so that
  both sums stay exact.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow

from orchestration.connectors.cancellations import Movement, link_cancellations
from orchestration.connectors.countries import COUNTRY_CODES
from orchestration.connectors.online_retail_ii_tables import TABLES
from orchestration.resources.landing import Delivery, DeliveryRefused, Expected, Landing

EXPECTED = Expected(
    names=(
        "invoice",
        "stock_code",
        "description",
        "quantity",
        "invoice_date",
        "price",
        "customer_id",
        "country",
    ),
    date_names=("invoice_date",),
    required=("invoice", "stock_code", "quantity", "invoice_date", "price", "customer_id"),
    aliases={"invoice_no": "invoice", "unit_price": "price"},
)
SHOP_TIMEZONE = "Europe/London"

# Charges, corrections and tests that stand among the stock codes. They stay sale lines, as in the
# published totals.
NOT_A_PRODUCT = (
    "POST",
    "D",
    "M",
    "DOT",
    "BANK CHARGES",
    "CRUK",
    "AMAZONFEE",
    "C2",
    "C3",
    "S",
    "B",
    "ADJUST",
    "ADJUST2",
    "TEST001",
    "TEST002",
)

_TIME_FORMATS = {
    "ymd": ["%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S"],
    "dmy": ["%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M"],
    "mdy": ["%m/%d/%Y %H:%M", "%m-%d-%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M"],
}


class OnlineRetail:
    """The connector `online-retail-ii`."""

    name = "online-retail-ii"
    description = "Online Retail II (UCI 502), both sheets in one file or the second alone"

    def deliver(self, landing: Landing, path: Path) -> list[Delivery]:
        path = Path(path)

        def parts(
            engine: duckdb.DuckDBPyConnection, export: str, date_order: str
        ) -> Iterator[tuple[str, str]]:
            _read_rows(engine, path, export, date_order)
            _identify_lines(engine)
            _link(engine)
            yield from TABLES.items()

        return landing.deliver_export(path, self.name, EXPECTED, parts, timezone=SHOP_TIMEZONE)


def _read_rows(engine: duckdb.DuckDBPyConnection, path: Path, export: str, date_order: str) -> None:
    """Type the rows and tell the sheets apart: within a sheet, invoices stand in order of time."""
    engine.execute(
        f"""
        create temp table typed as
        select
            _row_number,
            _problem,
            _raw,
            nullif(upper(trim(invoice)), '') as invoice,
            nullif(upper(trim(stock_code)), '') as stock_code,
            description,
            quantity as quantity_text,
            price as price_text,
            try_cast(quantity as bigint) as quantity,
            try_cast(price as decimal(18, 4)) as price,
            coalesce(
                try_cast(invoice_date as timestamp),
                try_strptime(invoice_date, {_TIME_FORMATS[date_order]})
            ) as invoiced_at,
            -- A spreadsheet or data frame may have turned the number into 17850.0.
            nullif(regexp_replace(trim(customer_id), '\\.0$', ''), '') as customer_id,
            trim(country) as country
        from {export}
        """
    )
    engine.execute(
        """
        create temp table sheeted as
        select
            * exclude (day_before),
            sum(case when invoiced_at::date < day_before then 1 else 0 end)
                over (order by _row_number rows unbounded preceding) as sheet
        from (
            select
                *,
                lag(invoiced_at::date ignore nulls) over (order by _row_number) as day_before
            from typed
        )
        """
    )
    (last_sheet,) = engine.execute("select max(sheet) from sheeted").fetchone()
    if last_sheet is not None and last_sheet > 1:
        raise DeliveryRefused(
            path,
            f"has rows out of the order of time in {last_sheet} places, so that its two sheets "
            "cannot be told apart",
            "Export it with the rows as they were published: sheet by sheet, by invoice",
        )


def _identify_lines(engine: duckdb.DuckDBPyConnection) -> None:
    """Give each row its key and its problem, and keep the newest row of every key apart."""
    engine.execute(
        """
        create temp table lines as
        select
            *,
            content_key || '-' || row_number() over (
                partition by sheet, content_key order by _row_number
            ) as line_id,
            case
                when _problem is not null then _problem
                when invoice is null then 'no invoice number'
                when invoiced_at is null then 'invoice date cannot be read'
                when quantity is null then 'quantity is not a whole number'
                when price is null then 'price is not a number'
                when invoice like 'A%' then 'bad-debt adjustment: no sale'
                when invoice like 'C%' and quantity >= 0
                    then 'cancellation with a positive quantity'
                when invoice like 'C%' and customer_id is null
                    then 'cancellation without a customer: its sale cannot be found'
                when invoice like 'C%' and price <= 0 then 'cancellation without a price'
                when invoice like 'C%' then null
                when quantity <= 0
                    then 'stock write-off: negative quantity without a cancellation'
                when price = 0 then 'price is zero: no sale'
                when price < 0 then 'price is negative: no sale'
            end as problem
        from (
            select
                *,
                coalesce(invoice like 'C%', false) as is_cancellation,
                md5(concat_ws(
                    '|',
                    coalesce(invoice, ''),
                    coalesce(stock_code, ''),
                    coalesce(description, ''),
                    coalesce(cast(quantity as varchar), quantity_text, ''),
                    coalesce(cast(invoiced_at as varchar), ''),
                    coalesce(cast(price as varchar), price_text, ''),
                    coalesce(customer_id, ''),
                    coalesce(country, ''),
                    coalesce(_raw, '')
                )) as content_key
            from sheeted
        )
        """
    )
    engine.execute(
        """
        create temp table current_lines as
        select * from lines
        where problem is null
        qualify row_number() over (partition by line_id order by _row_number desc) = 1
        """
    )
    countries = pyarrow.table(
        {"country": list(COUNTRY_CODES.keys()), "country_code": list(COUNTRY_CODES.values())}
    )
    engine.register("delivered_countries", countries)
    engine.execute("create temp table countries as select * from delivered_countries")
    engine.unregister("delivered_countries")
    engine.execute("create temp table not_a_product (stock_code varchar)")
    engine.executemany("insert into not_a_product values (?)", [[code] for code in NOT_A_PRODUCT])


def _link(engine: duckdb.DuckDBPyConnection) -> None:
    """Write `links`, cancelled line -> sale line, and `cancelled`, all rows of cancellations."""

    def movements(condition: str) -> list[Movement]:
        rows = engine.execute(
            f"""
            select line_id, customer_id, stock_code, abs(quantity), price, invoiced_at
            from current_lines
            where {condition}
            order by _row_number
            """
        ).fetchall()
        return [Movement(*row) for row in rows]

    cancelled = movements("is_cancellation")
    sold = movements(
        """
        not is_cancellation and (customer_id, stock_code) in (
            select (customer_id, stock_code) from current_lines where is_cancellation
        )
        """
    )
    links = link_cancellations(sold, cancelled)
    linked = pyarrow.table(
        {
            "line_id": pyarrow.array(links.keys(), pyarrow.string()),
            "order_line_id": pyarrow.array(links.values(), pyarrow.string()),
        }
    )
    engine.register("found_links", linked)
    engine.execute(
        """
        create temp table links as
        select found_links.*, sales.invoice as order_id
        from found_links
        inner join current_lines as sales on found_links.order_line_id = sales.line_id
        """
    )
    engine.unregister("found_links")
    engine.execute(
        """
        create temp table cancelled as
        select
            lines.*,
            links.order_line_id,
            links.order_id,
            lines.invoice || coalesce('/' || links.order_id, '') as return_id,
            case
                when lines.problem is not null then lines.problem
                when links.order_line_id is null
                    then 'no earlier sale of this product to this customer at this price or more '
                        || 'with enough quantity left'
            end as return_problem
        from lines
        left join links on lines.line_id = links.line_id
        where lines.is_cancellation
        """
    )
