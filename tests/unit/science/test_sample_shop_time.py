"""Local days and UTC seconds of the sample shop, against the time zone database."""

import datetime as dt
import zoneinfo

import numpy as np

from orchestration.science.sample_shop.parameters import Season
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    SeasonClock,
    add_months,
    day_of_month,
    epoch_day,
    local_from_utc,
    midnight_utc,
    month_of_year,
    utc_from_local,
)

LONDON = zoneinfo.ZoneInfo("Europe/London")


def test_wall_clock_of_every_hour_is_that_of_the_time_zone_database():
    hours = np.arange(epoch_day(dt.date(2022, 1, 1)) * 24, epoch_day(dt.date(2027, 1, 1)) * 24)
    offsets = [
        dt.datetime.fromtimestamp(hour * HOUR, LONDON).utcoffset().total_seconds()
        for hour in hours.tolist()
    ]
    np.testing.assert_array_equal(local_from_utc(hours * HOUR) - hours * HOUR, offsets)


def test_wall_clock_leads_back_to_utc_except_in_the_hour_that_comes_twice():
    hours = np.arange(epoch_day(dt.date(2023, 1, 1)) * 24, epoch_day(dt.date(2026, 1, 1)) * 24)
    back = utc_from_local(local_from_utc(hours * HOUR))
    assert (back != hours * HOUR).sum() == 3


def test_a_summer_day_begins_an_hour_before_utc_midnight():
    day = epoch_day(dt.date(2025, 7, 1))
    assert midnight_utc(day) == day * DAY - HOUR
    assert midnight_utc(epoch_day(dt.date(2025, 1, 1))) % DAY == 0


def test_months_end_on_their_last_day_and_come_back_to_the_first_day_of_month():
    january = np.array([epoch_day(dt.date(2024, 1, 31))])
    anchor = day_of_month(january)
    february = add_months(january, 1, anchor)
    march = add_months(february, 1, anchor)
    assert february.item() == epoch_day(dt.date(2024, 2, 29))
    assert march.item() == epoch_day(dt.date(2024, 3, 31))
    assert month_of_year(march).item() == 3


def test_operational_time_leads_back_to_the_calendar_and_has_mean_speed_one():
    clock = SeasonClock(Season(), dt.date(2023, 1, 1), 1096, 1461)
    days = np.linspace(0, 1460, 999)
    np.testing.assert_allclose(clock.calendar(clock.operational(days)), days, atol=1e-9)
    assert abs(clock.operational(np.array([1096.0])).item() - 1096 / 7) < 1e-9


def test_later_moments_of_a_day_stay_later_and_on_their_local_day():
    clock = SeasonClock(Season(), dt.date(2023, 1, 1), 1096, 1461)
    fractions = np.linspace(0, 0.999999, 5000)
    for day in (0, 84, 200, 301):
        local = local_from_utc(clock.seconds(day + fractions))
        assert (local // DAY == clock.start_day + day).all()
        # In spring an hour is missing on the wall, and what falls into it moves up.
        assert (np.diff(clock.seconds(day + fractions)) >= 0).all() or day == 84
