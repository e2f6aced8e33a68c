"""Distinct rows and grouped customers, against Python's own dictionaries."""

from collections import Counter

import numpy as np
import pytest

from orchestration.science.histories import distinct_rows, group_customers


def drawn(n, step, low=0, high=40):
    random = np.random.default_rng(n)
    return [low + step * random.integers(0, high, n) for _ in range(3)]


# Whole numbers close together are looked up, those far apart sorted as one key; weeks, and what is
# wider than an integer, are sorted by column.
@pytest.mark.parametrize(
    "columns",
    [
        drawn(4_000, 1, high=8),
        drawn(900, 1, high=1_000),
        drawn(900, 1, low=-500, high=60),
        drawn(900, 1 / 7),
        drawn(900, 2.0**30),
        drawn(900, 1e300),
        drawn(1, 1),
        [np.zeros(0)] * 3,
    ],
    ids=["dense", "sparse", "negative", "weeks", "wide", "beyond integers", "one row", "no row"],
)
def test_distinct_rows_are_those_that_a_set_holds_in_order_and_lead_back_to_every_row(columns):
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    distinct, position = distinct_rows(*columns)
    found = list(zip(*(column.tolist() for column in distinct), strict=True))
    assert found == sorted(set(rows))
    assert [found[at] for at in position.tolist()] == rows


@pytest.mark.parametrize("days_per_unit", [1, 7])
def test_each_history_is_counted_as_often_as_customers_share_it(days_per_unit):
    random = np.random.default_rng(3)
    x = random.integers(0, 4, 3_000)
    t_x = np.where(x > 0, random.integers(1, 30, 3_000), 0) / days_per_unit
    T = t_x + random.integers(0, 3, 3_000) / days_per_unit
    groups = group_customers(x, t_x, T)
    counted = Counter(zip(x.tolist(), t_x.tolist(), T.tolist(), strict=True))
    found = zip(*(column.tolist() for column in groups), strict=True)
    assert {(row[0], row[1], row[2]): row[3] for row in found} == counted
    weighted = group_customers(x, t_x, T, weight=np.full(3_000, 0.5))
    assert weighted.count.tolist() == (groups.count / 2).tolist()
    assert weighted.age.tolist() == groups.age.tolist()
