"""Features of customers, counted by hand on a shop of three."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from orchestration.science.errors import DataError
from orchestration.science.features import customer_features
from orchestration.science.ledger import Ledger, ledger_from_tables

FIRST = date(2025, 1, 1)
UNKNOWN = float("nan")


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def number(of: int) -> int:
    return (day(of) - date(1970, 1, 1)).days


def table(rows: list[tuple], *names: str) -> pa.Table:
    return pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)})


# Ann orders on days 0 (twice), 10, 40 and 380; Bob on 395, and on 390 what he gave back on 396;
# Cid on 100 and 301. Today is day 400.
ORDERS = [
    ("ann", day(0), 10.0, 1.0, False, None),
    ("ann", day(0), 5.0, 2.0, True, None),
    ("ann", day(10), 25.0, 1.0, False, None),
    ("ann", day(40), 20.0, 3.0, False, None),
    ("ann", day(380), 40.0, 1.0, True, None),
    ("bob", day(390), 60.0, 4.0, False, day(396)),
    ("bob", day(395), 40.0, 5.0, False, None),
    ("cid", day(100), -2.0, 1.0, True, None),
    ("cid", day(301), 2.0, 1.0, True, None),
]
REFUNDS = [
    ("ann", day(50), day(40), 10.0, 4.0),
    ("ann", day(391), day(380), 15.0, 6.0),
    # What came back first is turned round on the day when the rest came back.
    ("bob", day(393), day(390), 20.0, 10.0),
    ("bob", day(396), day(390), -20.0, -5.0),
]
EVENTS = [
    ("ann", "delivery", day(13), 3.0),
    ("ann", "delivery", day(385), 1.0),
    ("ann", "delivery", day(385), 1.5),
    ("cid", "complaint", day(400), 0.0),
]


def shop(*later: tuple, refunds: tuple = (), events: tuple = (), until: int = 400) -> Ledger:
    return ledger_from_tables(
        table(
            [*ORDERS, *later],
            *("customer_id", "ordered_date", "net_amount", "unit_count", "is_promo"),
            "voided_date",
        ),
        number(until),
        refunds=table(
            [*REFUNDS, *refunds],
            *("customer_id", "refunded_date", "ordered_date", "net_amount", "margin_amount"),
        ),
        events=table([*EVENTS, *events], "customer_id", "event_name", "event_date", "amount"),
    )


BY_HAND = {
    "order_days": (4, 1, 2),
    "age_days": (400, 5, 300),
    "recency_days": (380, 0, 201),
    "days_since_last_order": (20, 5, 99),
    "silence_share": (0.05, 1, 0.33),
    "repeat_order_rate": (30 * 3 / 401, 0, 30 * 1 / 301),
    # Ann's gaps are 10, 30 and 340 days: mean 126.667, squared deviations 13611, 9344 and 45511.
    "median_gap_days": (30, UNKNOWN, 201),
    "last_gap_days": (340, UNKNOWN, 201),
    "longest_gap_days": (340, UNKNOWN, 201),
    "gap_variation": (np.sqrt(68466.667 / 2) / 126.66667, UNKNOWN, UNKNOWN),
    "silence_in_usual_gaps": (20 / 30, UNKNOWN, 99 / 201),
    "silence_in_longest_gaps": (20 / 340, UNKNOWN, 99 / 201),
    "orders_last_30d": (1, 1, 0),
    "orders_last_90d": (1, 1, 0),
    "orders_last_180d": (1, 1, 1),
    "orders_last_365d": (2, 1, 2),
    "net_amount_last_30d": (40, 40, 0),
    "net_amount_last_90d": (40, 40, 0),
    "net_amount_last_180d": (40, 40, 2),
    "net_amount_last_365d": (60, 40, 0),
    "order_trend_90d": (1, UNKNOWN, -1),
    # A year before days 401 to 490 are days 36 to 125.
    "orders_next_90d_a_year_ago": (1, UNKNOWN, UNKNOWN),
    "net_amount": (100, 40, 0),
    "mean_net_amount": (25, 40, 0),
    "first_net_amount": (15, 40, -2),
    "last_net_amount": (40, 40, 2),
    "last_over_mean_net_amount": (1.6, 1, UNKNOWN),
    "first_unit_count": (3, 5, 1),
    "mean_unit_count": (2, 5, 1),
    "promo_share": (0.5, 0, 1),
    "first_is_promo": (1, 0, 1),
    "last_is_promo": (1, 0, 1),
    # Bob's returned order left the ledger; of the one that stands nothing came back.
    "refund_count": (2, 0, 0),
    "refunded_share": (0.25, 0, UNKNOWN),
    "days_since_last_refund": (9, UNKNOWN, UNKNOWN),
    "complaint_count": (0, 0, 1),
    "complaint_amount": (UNKNOWN, UNKNOWN, 0),
    "complaint_mean_amount": (UNKNOWN, UNKNOWN, 0),
    "complaint_last_amount": (UNKNOWN, UNKNOWN, 0),
    "days_since_last_complaint": (UNKNOWN, UNKNOWN, 0),
    "delivery_count": (3, 0, 0),
    "delivery_amount": (5.5, UNKNOWN, UNKNOWN),
    "delivery_mean_amount": (5.5 / 3, UNKNOWN, UNKNOWN),
    "delivery_last_amount": (2.5, UNKNOWN, UNKNOWN),
    "days_since_last_delivery": (15, UNKNOWN, UNKNOWN),
}


def test_every_feature_is_what_a_hand_count_says():
    features = customer_features(shop().known_at(number(400)))
    assert set(features.names) == set(BY_HAND)
    assert features.matrix.dtype == np.float32
    for name, expected in BY_HAND.items():
        assert features.column(name) == pytest.approx(expected, rel=1e-6, nan_ok=True), name


def test_every_feature_has_one_name_words_and_a_unit():
    features = customer_features(shop().known_at(number(400)))
    assert len(set(features.names)) == len(set(features.words)) == features.matrix.shape[1]
    assert all(features.units)


def test_windows_include_the_last_day_and_end_before_the_day_outside():
    rows = [(f"c{ago:03d}", day(400 - ago)) for ago in (0, 29, 30, 89, 90)]
    ledger = ledger_from_tables(table(rows, "customer_id", "ordered_date"), number(400))
    features = customer_features(ledger)
    assert features.column("orders_last_30d").tolist() == [1, 1, 0, 0, 0]
    assert features.column("orders_last_90d").tolist() == [1, 1, 1, 1, 0]


def test_what_is_not_known_yet_is_unknown_at_an_earlier_day_too():
    features = customer_features(shop().known_at(number(39)))
    assert features.column("order_days").tolist() == [2]
    assert features.column("median_gap_days").tolist() == [10]
    assert np.isnan(features.column("days_since_last_refund")).all()
    assert np.isnan(features.column("order_trend_90d")).all()


def test_a_changed_future_changes_no_feature():
    origin = number(310)
    plain = shop().known_at(origin)
    changed = shop(
        ("ann", day(311), 1e6, 9.0, True, None),
        ("cid", day(399), 3.0, 9.0, True, None),
        ("dan", day(400), 3.0, 9.0, True, None),
        refunds=(("cid", day(311), day(301), 1.0, 1.0),),
        events=(("ann", "delivery", day(311), 99.0), ("ann", "survey", day(311), 9.0)),
    ).known_at(origin)
    before, after = customer_features(plain), customer_features(changed)
    assert before.names == after.names
    assert np.array_equal(before.matrix, after.matrix, equal_nan=True)


def test_a_ledger_that_forgets_to_cut_is_caught_by_that_comparison(monkeypatch):
    """The comparison above can fail: it does where the cut is left out."""
    monkeypatch.setattr(Ledger, "known_at", lambda self, day: replace(self, until=day))
    later = ("cid", day(320), 3.0, 9.0, True, None)
    uncut = [customer_features(one.known_at(number(310))) for one in (shop(), shop(later))]
    assert not np.array_equal(uncut[0].matrix, uncut[1].matrix, equal_nan=True)


def test_an_amount_that_is_no_number_is_refused_with_its_customer():
    ledger = shop().known_at(number(400))
    amounts = ledger.orders.net_amount.copy()
    amounts[-1] = np.nan
    broken = replace(ledger, orders=ledger.orders._replace(net_amount=amounts))
    with pytest.raises(DataError, match=r"an order is not a number in 1 of .* customer cid"):
        customer_features(broken)


def test_a_customer_whose_orders_were_all_given_back_is_refused():
    ledger = shop(("eva", day(399), 3.0, 1.0, False, day(400)))
    with pytest.raises(DataError, match="ask known_at"):
        customer_features(ledger)


def test_an_unknown_feature_is_refused_with_those_that_are_known():
    features = customer_features(shop().known_at(number(400)))
    with pytest.raises(DataError, match="no feature age; there are order_days"):
        features.column("age")
