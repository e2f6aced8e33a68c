"""The ledger, counted by hand on a shop of three customers."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from orchestration.science.errors import DataError
from orchestration.science.ledger import Ledger, ledger_from_tables

FIRST = date(2025, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def number(of: int) -> int:
    return (day(of) - date(1970, 1, 1)).days


def small_shop(*later: tuple) -> Ledger:
    """Ann buys on days 0 (twice), 10 and 40; Bob on 5, given back on 20; Cid on 30."""
    orders = [
        ("ann", 0, 10.0, None),
        ("ann", 0, 5.0, None),
        ("bob", 5, 50.0, 20),
        ("ann", 10, 20.0, None),
        ("cid", 30, 7.0, None),
        ("ann", 40, 8.0, None),
        *later,
    ]
    return ledger_from_tables(
        pa.table(
            {
                "customer_id": [row[0] for row in orders],
                "ordered_date": [day(row[1]) for row in orders],
                "net_amount": [row[2] for row in orders],
                "voided_date": [None if row[3] is None else day(row[3]) for row in orders],
            }
        ),
        number(100),
        refunds=pa.table(
            {
                "customer_id": ["bob", "ann"],
                "refunded_date": [day(20), day(50)],
                "ordered_date": [day(5), day(40)],
                "net_amount": [50.0, 3.0],
                "margin_amount": [30.0, 1.0],
            }
        ),
        events=pa.table(
            {
                "customer_id": ["ann", "cid"],
                "event_name": ["delivery", "delivery"],
                "event_date": [day(3), day(33)],
                "amount": [0.0, 2.0],
            }
        ),
    )


def test_only_what_was_known_on_the_day_is_counted():
    before, after = small_shop().known_at(number(15)), small_shop().known_at(number(35))
    assert before.customer_ids.tolist() == ["ann", "bob"]
    assert after.customer_ids.tolist() == ["ann", "cid"]
    assert before.refunds.day.size == 0
    assert after.refunds.day.size == 0
    assert before.events["delivery"].customer.tolist() == [0]
    assert after.events["delivery"].customer.tolist() == [0, 1]
    histories = before.histories()
    assert histories.frequency.tolist() == [1, 0]
    assert histories.recency_days.tolist() == [10, 0]
    assert histories.age_days.tolist() == [15, 10]


def test_the_past_of_a_cut_ledger_is_the_past_of_the_whole_one():
    shop = small_shop()
    cut_twice = shop.known_at(number(35)).known_at(number(15))
    assert cut_twice.customer_ids.tolist() == ["ann", "bob"]
    with pytest.raises(DataError, match="nothing is known"):
        shop.known_at(number(35)).known_at(number(36))


def test_who_gave_everything_back_since_has_ordered_nothing():
    cut = small_shop().known_at(number(45))
    assert cut.customer_ids.tolist() == ["ann", "cid"]
    outcomes = cut.outcomes(cut.known_at(number(15)), 30)
    assert outcomes.order_count.tolist() == [1, 0]


@pytest.mark.parametrize("last", [35, 100])
def test_a_part_of_the_customers_is_the_same_part_on_every_earlier_day(last):
    shop = small_shop().known_at(number(last))
    part = shop.of_customers(shop.customer_ids == "cid")
    assert part.customer_ids.tolist() == ["cid"]
    assert part.occasions().net_amount.tolist() == [7.0]
    assert part.events["delivery"].amount.tolist() == [2.0]
    assert part.known_at(number(31)).customer_ids.tolist() == ["cid"]
    assert part.known_at(number(15)).n_customers == 0


def test_orders_of_one_day_are_one_occasion_of_their_sum():
    occasions = small_shop().known_at(number(15)).occasions()
    assert occasions.net_amount.tolist() == [15.0, 20.0, 50.0]


def test_outcomes_count_order_days_after_refunds_and_for_who_was_known_alone():
    shop = small_shop()
    outcomes = shop.outcomes(shop.known_at(number(15)), 30)
    assert outcomes.order_count.tolist() == [1, 0]
    assert outcomes.net_amount.tolist() == [5.0, 0.0]
    assert outcomes.margin_amount.tolist() == [-1.0, 0.0]


def test_a_horizon_that_has_not_ended_has_no_outcome():
    shop = small_shop()
    known = shop.known_at(number(80))
    shop.outcomes(known, 20)
    with pytest.raises(DataError, match="knows days up to"):
        shop.outcomes(known, 21)


def test_a_changed_future_changes_nothing_that_was_known():
    known = small_shop().known_at(number(15))
    other = small_shop(("ann", 16, 1e6, None), ("dan", 90, 1.0, None)).known_at(number(15))
    assert known.customer_ids.tolist() == other.customer_ids.tolist()
    for entries, others in ((known.orders, other.orders), (known.refunds, other.refunds)):
        for column, same in zip(entries, others, strict=True):
            assert np.array_equal(column, same)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("customer_id", None, "customer_id is null"),
        ("ordered_date", None, "ordered_date is null"),
        ("ordered_date", day(101), "must not lie after"),
        ("net_amount", float("nan"), "net_amount must be finite"),
    ],
)
def test_rows_that_mean_nothing_are_refused(column, value, message):
    row = {"customer_id": "ann", "ordered_date": day(1), "net_amount": 1.0} | {column: value}
    types = {"customer_id": pa.string(), "ordered_date": pa.date32(), "net_amount": pa.float64()}
    table = pa.table({name: pa.array([row[name]], types[name]) for name in row})
    with pytest.raises(DataError, match=message):
        ledger_from_tables(table, number(100))


def test_the_order_of_rows_moves_nothing():
    """Three amounts of one day whose sum hangs on their order, in its last digit."""
    random = np.random.default_rng(4)
    n = 300
    when = [day(int(number)) for number in random.integers(0, 20, n)]
    rows = pa.table(
        {
            "customer_id": [f"C{number}" for number in random.integers(0, 9, n)],
            "ordered_date": when,
            "refunded_date": when,
            "event_date": when,
            "event_name": ["delivery"] * n,
            "net_amount": random.choice([0.1, 0.2, 0.3, 0.7], n),
            "margin_amount": random.random(n),
            "amount": random.random(n),
        }
    )
    ledgers = [
        ledger_from_tables(shuffled, number(100), shuffled, shuffled)
        for shuffled in (rows, rows.take(pa.array(random.permutation(n))))
    ]
    first, second = ledgers
    for name in ("orders", "refunds"):
        for one, other in zip(getattr(first, name), getattr(second, name), strict=True):
            assert (one == other).all()
    for one, other in zip(first.events["delivery"], second.events["delivery"], strict=True):
        assert (one == other).all()
    for one, other in zip(first.occasions(), second.occasions(), strict=True):
        assert (one == other).all()
