"""Origins: closed horizons, enough history, a quarter apart, and words where there are too few."""

import pyarrow as pa
from drawn_shop import FIRST, FIRST_DAY

from orchestration.science.court.origins import rolling_origins
from orchestration.science.ledger import ledger_from_tables


def shop_of(n_days):
    orders = pa.table({"customer_id": ["A"], "ordered_date": [FIRST]})
    return ledger_from_tables(orders, FIRST_DAY + n_days)


def test_four_seasons_are_looked_ahead_from_each_with_its_horizon_closed():
    found = rolling_origins(shop_of(720), 90)
    assert [day - FIRST_DAY for day in found.days] == [357, 448, 539, 630]
    assert found.horizon_days == 90
    assert found.note == "4 origins"


def test_every_origin_has_half_a_year_before_it():
    # 180 + 90 + 91 = 361 days are two origins and no third.
    assert [day - FIRST_DAY for day in rolling_origins(shop_of(361), 90).days] == [180, 271]
    assert [day - FIRST_DAY for day in rolling_origins(shop_of(360), 90).days] == [270]


def test_a_shop_too_young_for_a_year_is_judged_on_what_has_closed_and_says_so():
    found = rolling_origins(shop_of(400), 365)
    # 400 - 180 = 220 days of room: 31 whole weeks.
    assert found.horizon_days == 217
    assert [day - FIRST_DAY for day in found.days] == [183]
    assert "judged over 217 days, since 365 have not closed yet" in found.note
    assert "1 of 4 origins" in found.note


def test_a_shop_of_half_a_year_has_no_origin_and_says_why():
    found = rolling_origins(shop_of(200), 90)
    assert found.days == ()
    assert "200 days old" in found.note


def test_a_shop_without_an_order_has_no_origin():
    empty = shop_of(400).known_at(FIRST_DAY - 1)
    assert rolling_origins(empty, 90).days == ()
