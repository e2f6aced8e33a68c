"""The last complete day of a shop, found in the orders as delivered, before anything is typed.

Staging types every row, but the day must be known before dbt starts, so the few newest days are read here:
first the distinct days as written (some thousand texts, whatever the number of orders), then the rows of the
newest of them in full. `tests/integration` holds the result to what staging makes of the same rows.
"""

from dataclasses import dataclass
from datetime import date

from orchestration.resources.warehouse import Connection

# A row's shop-local day lies at most one day from the day as written, so of four distinct written days the
# newest shop-local day that may count is always among their rows.
_DAYS_READ_IN_FULL = 4

# The forms that macros/typed.sql and macros/engine.sql read, after '.', '-' and 'T' became '/' and ' '.
# Two-digit years stand first: the four-digit form would read 24 as the year 24, and not the other way round.
_DAY_FORMATS = {"dmy": ("%d/%m/%y", "%d/%m/%Y"), "mdy": ("%m/%d/%y", "%m/%d/%Y")}
_YEAR_FIRST = ("%Y/%m/%d",)
_TIMES = (" %H:%M:%S", " %H:%M", "", " %I:%M:%S %p", " %I:%M %p")


class NoCompleteDayError(ValueError):
    """No day of the orders is over yet, or no order has a day that can be read."""


@dataclass(frozen=True)
class LastDay:
    """The last complete day with an order, the day with an order before it, and the newest delivery."""

    day: date
    day_before: date | None

    @property
    def gap_days(self) -> int:
        """Days without any order just before the last day."""
        return (self.day - self.day_before).days - 1 if self.day_before else 0


def last_complete_day(connection: Connection, shop_timezone: str) -> LastDay:
    """The newest shop-local day with an order that was over when the newest orders were delivered.

    Days after the newest delivery are typing errors (2099) and count for nothing. The delivery's own day is
    not over: an export made at 03:00 holds three hours of it.
    """
    [(newest_delivery,)] = connection.execute(
        "select cast(timezone(?, timezone('UTC', max(_loaded_at))) as date) from landing.orders",
        [shop_timezone],
    ).fetchall()
    connection.execute(f"""
        create or replace temp table written_days as
        with written as (
            select distinct {_day_as_written()} as day_text, _date_order
            from landing.orders where _problem is null
        )
        select day_text, _date_order, cast({_parsed("day_text")} as date) as day from written
    """)
    rows = connection.execute(
        f"""
        with newest_days as (
            select distinct day from written_days where day <= cast(? as date)
            order by day desc limit {_DAYS_READ_IN_FULL}
        ),
        moments as (
            select {_parsed("text")} as written_at, text, _timezone
            from (
                select trim(cast(ordered_at as varchar)) as text,
                    {_day_as_written()} as day_text, _date_order, _timezone
                from landing.orders where _problem is null
            )
            inner join written_days using (day_text, _date_order)
            where day in (select day from newest_days)
        ),
        instants as (
            select case
                when regexp_matches(text, '[0-9]:[0-9].*([+-][0-9]{{2}}:?[0-9]{{2}}|Z)$')
                    then timezone('UTC', try_cast(text as timestamptz))
                else timezone('UTC', timezone(_timezone, written_at))
            end as ordered_at
            from moments
        ),
        shop_days as (
            select distinct cast(timezone(?, timezone('UTC', ordered_at)) as date) as shop_day
            from instants where ordered_at is not null
        )
        select shop_day from shop_days where shop_day < cast(? as date)
        order by shop_day desc nulls last
        limit 2
        """,
        [newest_delivery, shop_timezone, newest_delivery],
    ).fetchall()
    connection.execute("drop table written_days")
    if not rows:
        raise NoCompleteDayError(
            f"no complete day in the orders: none has a readable ordered_at before {newest_delivery}, "
            "the day of the newest delivery. Deliver orders of earlier days, or name the night's last "
            "day with RETENTION_AS_OF_DATE"
        )
    days = [day for (day,) in rows]
    return LastDay(day=days[0], day_before=days[1] if len(days) > 1 else None)


def _day_as_written() -> str:
    return "split_part(translate(trim(cast(ordered_at as varchar)), 'T', ' '), ' ', 1)"


def _parsed(text: str) -> str:
    """Naive timestamp of a text: ISO first, then the delivery's order of day and month."""
    slashed = f"translate({text}, '.-T', '// ')"

    def formats(days: tuple[str, ...]) -> str:
        return "[" + ", ".join(f"'{day}{time}'" for day in days for time in _TIMES) + "]"

    return f"""coalesce(
        case when regexp_matches({text}, '^[0-9]{{4}}-') then try_cast({text} as timestamp) end,
        case
            when regexp_matches({text}, '^[0-9]{{4}}[/.-]') then try_strptime({slashed}, {formats(_YEAR_FIRST)})
            when _date_order = 'mdy' then try_strptime({slashed}, {formats(_DAY_FORMATS["mdy"])})
            else try_strptime({slashed}, {formats(_DAY_FORMATS["dmy"])})
        end
    )"""
