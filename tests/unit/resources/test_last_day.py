"""The last complete day, from orders as delivered; each expectation was read off the rows by hand."""

from datetime import date, datetime

import pytest

from orchestration.resources.last_day import NoCompleteDayError, last_complete_day
from orchestration.resources.warehouse import open_engine

DELIVERED = datetime(2024, 6, 1, 3, 0)


def landed(connection, *rows: tuple, delivered: datetime = DELIVERED) -> None:
    """`landing.orders` with (ordered_at, date order, time zone) in each row."""
    connection.execute(
        "create schema landing; create table landing.orders (ordered_at varchar, _date_order varchar, "
        "_timezone varchar, _loaded_at timestamp, _problem varchar)"
    )
    for row in rows:
        ordered_at, order, zone, *problem = (*row, None)[:4]
        connection.execute(
            "insert into landing.orders values (?, ?, ?, ?, ?)",
            [ordered_at, order, zone, delivered, problem[0]],
        )


@pytest.fixture
def connection():
    with open_engine() as opened:
        yield opened


def test_the_day_of_the_delivery_is_not_complete(connection):
    landed(
        connection,
        ("2024-06-01 01:00:00", "ymd", "UTC"),
        ("2024-05-31 09:00:00", "ymd", "UTC"),
    )
    assert last_complete_day(connection, "Europe/London").day == date(2024, 5, 31)


def test_days_after_the_delivery_and_unreadable_days_count_for_nothing(connection):
    landed(
        connection,
        ("2099-01-01 00:00:00", "ymd", "UTC"),
        ("soon", "ymd", "UTC"),
        ("", "ymd", "UTC"),
        (None, "ymd", "UTC"),
        ("2024-02-30", "ymd", "UTC"),
        ("2024-05-20", "ymd", "UTC"),
    )
    assert last_complete_day(connection, "Europe/London").day == date(2024, 5, 20)


def test_a_row_that_landing_could_not_use_counts_for_nothing(connection):
    landed(
        connection,
        ("2024-05-30", "ymd", "UTC", "line has 3 values and the header has 2"),
        ("2024-05-20", "ymd", "UTC"),
    )
    assert last_complete_day(connection, "Europe/London").day == date(2024, 5, 20)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("03/05/2024 10:15", "dmy", date(2024, 5, 3)),
        ("03/05/2024 10:15", "mdy", date(2024, 3, 5)),
        ("3.5.2024", "dmy", date(2024, 5, 3)),
        ("03/05/24 10:15", "dmy", date(2024, 5, 3)),
        ("5/3/2024 4:05 PM", "mdy", date(2024, 5, 3)),
        ("2024/05/03 10:15:00", "mdy", date(2024, 5, 3)),
        ("2024-05-03T10:15:00", "dmy", date(2024, 5, 3)),
    ],
)
def test_a_day_is_read_in_the_order_of_its_delivery(connection, text, order, day):
    landed(connection, (text, order, "UTC"))
    assert last_complete_day(connection, "UTC").day == day


@pytest.mark.parametrize(
    ("text", "source_zone", "shop_zone", "day"),
    [
        # 23:30 UTC is half past midnight in a London summer
        ("2024-05-20 23:30:00", "UTC", "Europe/London", date(2024, 5, 21)),
        ("2024-05-20 23:30:00", "Europe/London", "Europe/London", date(2024, 5, 20)),
        ("2024-05-20T23:30:00Z", "Europe/London", "Europe/London", date(2024, 5, 21)),
        ("2024-05-20T23:30:00+09:00", "UTC", "America/New_York", date(2024, 5, 20)),
        ("2024-05-20 03:00:00", "UTC", "America/New_York", date(2024, 5, 19)),
    ],
)
def test_the_day_is_the_shops_own(connection, text, source_zone, shop_zone, day):
    landed(connection, (text, "ymd", source_zone))
    assert last_complete_day(connection, shop_zone).day == day


def test_the_gap_before_the_last_day_is_told(connection):
    landed(connection, ("2024-05-31", "ymd", "UTC"), ("2024-03-01", "ymd", "UTC"))
    # March has 30 days left, April 30, May 30 before the 31st
    assert last_complete_day(connection, "UTC").gap_days == 90


def test_orders_of_one_day_after_another_have_no_gap(connection):
    landed(connection, ("2024-05-31", "ymd", "UTC"), ("2024-05-30", "ymd", "UTC"))
    assert last_complete_day(connection, "UTC").gap_days == 0


def test_orders_of_the_delivery_day_alone_are_an_error_with_a_remedy(connection):
    landed(connection, ("2024-06-01 01:00:00", "ymd", "UTC"))
    with pytest.raises(NoCompleteDayError, match="RETENTION_AS_OF_DATE"):
        last_complete_day(connection, "UTC")
