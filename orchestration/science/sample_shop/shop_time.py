"""Time in the sample shop: local days, UTC seconds, and the season that speeds buying up.

Moments are either float days since the shop opened (local, the simulation) or integer seconds since
1970 in UTC (the data). No clock is read here.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.parameters import Season

DAY = 86_400
HOUR = 3_600
NEVER = np.int64(2**62)
"""Second of something that does not happen: later than every moment at which anyone looks."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def epoch_day(date: dt.date) -> int:
    """Return the days from 1970-01-01 to `date`."""
    return (date - dt.date(1970, 1, 1)).days


def _last_sunday(year: int, month: int) -> dt.date:
    last = dt.date(year, month, 31)
    return last - dt.timedelta(days=(last.weekday() + 1) % 7)


def _clock_changes() -> Integers:
    """London's clock goes forward and back on the last Sundays of March and October, 01:00 UTC."""
    changes = [
        epoch_day(_last_sunday(year, month)) * DAY + HOUR
        for year in range(1996, 2100)
        for month in (3, 10)
    ]
    return np.asarray(changes, dtype=np.int64)


_CHANGES = _clock_changes()
# On the wall the clock jumps from 01:00 in spring and falls back at 02:00 in autumn.
_WALL_CHANGES = _CHANGES + np.where(np.arange(_CHANGES.size) % 2 == 1, HOUR, 0)


def utc_from_local(seconds: Integers) -> Integers:
    """Turn wall-clock seconds of London into UTC seconds."""
    return seconds - HOUR * (np.searchsorted(_WALL_CHANGES, seconds, side="right") % 2)


def local_from_utc(seconds: Integers) -> Integers:
    """Turn UTC seconds into wall-clock seconds of London."""
    return seconds + HOUR * (np.searchsorted(_CHANGES, seconds, side="right") % 2)


def local_day(moment: int) -> int:
    """Return the local day (days since 1970) of a UTC second; an export holds the days before it."""
    return int(local_from_utc(np.asarray(moment, dtype=np.int64)) // DAY)


def midnight_utc(days: Integers | int) -> Integers:
    """Return the UTC second at which a local day (days since 1970) begins."""
    return utc_from_local(np.asarray(days, dtype=np.int64) * DAY)


def add_months(days: Integers, months: Integers | int, day_of_month: Integers) -> Integers:
    """Return the day `months` later on `day_of_month`, or on the month's last day if it is short."""
    month = days.astype("datetime64[D]").astype("datetime64[M]") + np.asarray(months)
    first = month.astype("datetime64[D]").astype(np.int64)
    length = (month + 1).astype("datetime64[D]").astype(np.int64) - first
    return first + np.minimum(day_of_month, length) - 1


def day_of_month(days: Integers) -> Integers:
    """Return 1 to 31 for days since 1970."""
    dates = days.astype("datetime64[D]")
    return (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1


def month_of_year(days: Integers) -> Integers:
    """Return 1 to 12 for days since 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1


class SeasonClock:
    """Maps calendar time to operational time, in which everybody buys at a constant rate.

    Operational time is in weeks and runs at the season's relative speed, whose mean over the
    observed days is one, so that a rate per operational week is a rate per week.
    """

    def __init__(self, season: Season, start: dt.date, observed_days: int, days: int) -> None:
        self.start_day = epoch_day(start)
        self.days = days
        every_day = self.start_day + np.arange(days)
        months = np.asarray(season.month_factors)[month_of_year(every_day) - 1]
        # 1970-01-01 was a Thursday, the fourth day of a week that starts on Monday.
        weekdays = np.asarray(season.weekday_factors)[(every_day + 3) % 7]
        speed = months * weekdays
        self.speed = speed / speed[:observed_days].mean()
        self._edges = np.arange(days + 1, dtype=np.float64)
        self._weeks = np.concatenate([[0.0], np.cumsum(self.speed)]) / 7
        growth = season.acquisition_growth_per_year ** (np.arange(observed_days) / 365.25)
        arrivals = np.concatenate([[0.0], np.cumsum(self.speed[:observed_days] * growth)])
        self._arrivals = arrivals / arrivals[-1]
        hours = np.concatenate([[0.0], np.cumsum(season.hour_weights)])
        self._hours = hours / hours[-1]

    @property
    def horizon_weeks(self) -> float:
        """Operational weeks from the opening to the end of the simulation."""
        return float(self._weeks[-1])

    def arrivals(self, uniform: Floats) -> Floats:
        """Turn uniform numbers into days of a first order, by season and growth."""
        observed = self._arrivals.size - 1
        return np.interp(uniform, self._arrivals, self._edges[: observed + 1])

    def operational(self, days: Floats) -> Floats:
        """Turn days since the opening into operational weeks."""
        return np.interp(days, self._edges, self._weeks)

    def calendar(self, weeks: Floats) -> Floats:
        """Turn operational weeks into days since the opening."""
        return np.interp(weeks, self._weeks, self._edges)

    def local_seconds(self, days: Floats) -> Integers:
        """Turn days since the opening into wall-clock seconds, crowded into the busy hours."""
        whole = np.floor(days).astype(np.int64)
        fraction = np.interp(days - whole, self._hours, np.linspace(0, 1, self._hours.size))
        within = np.minimum((fraction * DAY).astype(np.int64), DAY - 1)
        return (self.start_day + whole) * DAY + within

    def seconds(self, days: Floats) -> Integers:
        """Turn days since the opening into UTC seconds, crowding them into the busy hours."""
        return utc_from_local(self.local_seconds(days))

    def operational_of_local(self, seconds: Integers) -> Floats:
        """Turn wall-clock seconds into operational weeks."""
        return self.operational(seconds / DAY - self.start_day)
