"""CDNOW, the data set on which the buy-till-you-die papers are published.

Read from the raw transaction files inside the installed `lifetimes` package (whose own loader
needs a module that setuptools no longer ships), so that grouping by day, recency and means are ours
and unrounded. One order per customer and day; time in weeks; 39 weeks to fit and 39 to predict.
"""

from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FIT_END = date(1997, 9, 30)


class Cdnow(NamedTuple):
    """One row per customer, ascending by id; times in weeks, values in dollars."""

    frequency: Floats
    recency: Floats
    age: Floats
    mean_value: Floats
    later_frequency: Floats
    later_value: Floats


@cache
def sample() -> Cdnow:
    """The 1-in-10 sample of 2,357 customers that the papers use."""
    return _histories("CDNOW_sample.txt", skip=0, customer=1, day=2, dollars=4)


@cache
def everyone() -> Cdnow:
    """All 23,570 customers."""
    return _histories("CDNOW_master.txt", skip=1, customer=0, day=1, dollars=3)


def _histories(file_name: str, skip: int, customer: int, day: int, dollars: int) -> Cdnow:
    package = find_spec("lifetimes")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "datasets" / file_name
    columns = (customer, day, dollars)
    customers, days, values = np.loadtxt(path, skiprows=skip, usecols=columns, unpack=True)
    ordinal_of = {
        written: date(written // 10_000, written // 100 % 100, written % 100).toordinal()
        for written in np.unique(days).astype(int).tolist()
    }
    ordinals = np.array([ordinal_of[int(written)] for written in days])

    # One order per customer and day, worth the day's total.
    keys, order_of = np.unique(customers * 1_000_000 + ordinals, return_inverse=True)
    value = np.bincount(order_of, weights=values)
    owner_id, ordinal = keys // 1_000_000, keys % 1_000_000
    ids, first_order, owner = np.unique(owner_id, return_index=True, return_inverse=True)
    first_day = ordinal[first_order]

    is_repeat = np.ones(keys.size, dtype=bool)
    is_repeat[first_order] = False
    fitted = is_repeat & (ordinal <= FIT_END.toordinal())
    later = ordinal > FIT_END.toordinal()
    frequency = np.bincount(owner[fitted], minlength=ids.size)
    last_day = first_day.copy()
    np.maximum.at(last_day, owner[fitted], ordinal[fitted])
    spent = np.bincount(owner[fitted], weights=value[fitted], minlength=ids.size)
    return Cdnow(
        frequency=frequency.astype(float),
        recency=(last_day - first_day) / 7,
        age=(FIT_END.toordinal() - first_day) / 7,
        mean_value=np.divide(spent, frequency, out=np.zeros(ids.size), where=frequency > 0),
        later_frequency=np.bincount(owner[later], minlength=ids.size).astype(float),
        later_value=np.bincount(owner[later], weights=value[later], minlength=ids.size),
    )
