"""Days to learn from: only those whose horizon is over, and never the same order twice."""

import numpy as np
import pytest

from orchestration.science.churn import training
from orchestration.science.churn.training import (
    calibration_split,
    drawn_customers,
    past_days,
    season_of,
    trainable_before,
)
from tests.unit.science.churn.late_parcels import FIRST_DAY, drawn_shop

HORIZON = 60


@pytest.fixture(scope="module")
def shop():
    return drawn_shop(customers=600, season=0.6)


@pytest.fixture(scope="module")
def days(shop):
    return past_days(shop, HORIZON)[0]


def test_every_day_has_its_horizon_behind_it_and_a_past_as_long(shop, days):
    assert days[0].day == shop.until - HORIZON
    assert all(one.day + HORIZON <= shop.until for one in days)
    assert all(one.day - shop.first_day >= HORIZON for one in days)
    assert all(one.ledger.orders.day.max() <= one.day for one in days)


def test_labels_are_orders_within_the_horizon_alone(shop, days):
    one = days[3]
    inside = (shop.orders.day > one.day) & (shop.orders.day <= one.day + HORIZON)
    came = set(shop.customer_ids[shop.orders.customer[inside]])
    assert one.ordered.tolist() == [customer in came for customer in one.ledger.customer_ids]


def test_no_order_is_both_learned_from_and_calibrated_on(days):
    n_later = calibration_split(days, HORIZON)
    earlier = trainable_before(days, n_later, HORIZON)
    assert n_later == len(days) // 3
    assert earlier
    assert max(days[at].day for at in earlier) + HORIZON <= min(one.day for one in days[:n_later])


def test_too_few_days_leave_nothing_to_calibrate_on(days):
    assert calibration_split([], HORIZON) == 0
    # The second newest day is a month before the newest, and its horizon is two.
    assert calibration_split(days[:2], HORIZON) == 0
    assert calibration_split(days[:3], HORIZON) == 1


def test_a_year_ago_tells_the_season(shop, days):
    """Orders rise with the sine of the year; the shifts of a year ago and of now go together."""
    season = season_of(days, shop.until)
    assert season.is_known
    by_day = {one.day: one.shift for one in days}
    pairs = [(by_day[day - 365], by_day[day]) for day in by_day if day - 365 in by_day]
    assert len(pairs) >= 5
    before, after = np.array(pairs).T
    assert np.corrcoef(before, after)[0, 1] > 0.7
    nearest = min(days, key=lambda one: abs(one.day - (shop.until - 365)))
    assert abs(nearest.day - (shop.until - 365)) <= 15
    assert np.sign(season.shift) == np.sign(nearest.shift)
    assert abs(season.shift) <= max(abs(one.shift) for one in days)


def test_a_shop_younger_than_a_year_has_no_season(shop):
    young = shop.known_at(FIRST_DAY + 400)
    found, _ = past_days(young, HORIZON)
    season = season_of(found, young.until)
    assert not season.is_known
    assert season.shift == 0


def test_the_first_half_year_of_a_shop_tells_no_season(shop):
    """Its old customers look new, so that a shift of those days is no season."""
    for age, is_known in ((365 + 150, False), (365 + 215, True)):
        cut = shop.known_at(shop.first_day + age)
        found, _ = past_days(cut, HORIZON)
        assert min(one.day for one in found) <= cut.until - 365
        assert season_of(found, cut.until).is_known is is_known, age


def test_large_shops_are_drawn_from_without_regard_to_what_people_did(shop, monkeypatch):
    monkeypatch.setattr(training, "MOST_CUSTOMERS", 200)
    drawn, again = drawn_customers(shop), drawn_customers(shop)
    assert drawn.n_customers == 200
    assert drawn.customer_ids.tolist() == again.customer_ids.tolist()
    assert drawn.until == shop.until
    histories = dict(zip(shop.customer_ids, zip(*shop.histories(), strict=True), strict=True))
    kept = [histories[one] for one in drawn.customer_ids]
    assert kept == list(zip(*drawn.histories(), strict=True))
    # The mean of 200 of 600 lies within four standard errors of that of all.
    frequency = shop.histories().frequency
    error = frequency.std() * np.sqrt((1 - 200 / 600) / 200)
    assert abs(drawn.histories().frequency.mean() - frequency.mean()) < 4 * error


def test_earlier_days_of_a_drawn_shop_are_those_of_the_customers_drawn(shop, monkeypatch):
    """Of a ledger that was itself cut from a later one, as in the court, too."""
    monkeypatch.setattr(training, "MOST_CUSTOMERS", 200)
    cut = shop.known_at(shop.until - 100)
    drawn = drawn_customers(cut)
    earlier = drawn.known_at(shop.until - 300)
    of_all = shop.known_at(shop.until - 300)
    everyone = dict(zip(of_all.customer_ids, zip(*of_all.histories(), strict=True), strict=True))
    expected = {one: everyone[one] for one in drawn.customer_ids if one in everyone}
    assert 0 < earlier.n_customers <= 200
    assert expected == dict(
        zip(earlier.customer_ids, zip(*earlier.histories(), strict=True), strict=True)
    )
    days, _ = past_days(drawn, HORIZON)
    assert days


def test_small_shops_are_taken_whole(shop):
    assert drawn_customers(shop) is shop
