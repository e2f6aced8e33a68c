"""The effects of a night: one row per comparison and outcome, whatever a shop delivers."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from orchestration.science.effects.comparisons import BAD_EVENTS, COMPARISONS
from orchestration.science.effects.estimation import Settings
from orchestration.science.effects.nightly import (
    NIGHTLY,
    SCHEMA,
    effect_table,
    effects_of_the_night,
)
from tests.unit.science.churn.late_parcels import drawn_shop

ONCE = Settings(deals=1, needs_placebo=True)
EPOCH = date(1970, 1, 1)
NAMES = {one.event_name: one for one in COMPARISONS if one.ordinal is None}
FIRST_BAD, SECOND_BAD = (
    one for one in COMPARISONS if one.event_name == "any_bad_experience" and one.ordinal in (1, 2)
)


@pytest.fixture(scope="module")
def shop():
    return drawn_shop(customers=2_000, days=1_000, random_state=2)


@pytest.fixture(scope="module")
def occasions(shop):
    """Every parcel, known to be late or not on the day on which it arrives."""
    found = shop.events["parcel_days_late"]
    late = found.amount > 0
    order = np.lexsort((found.day, found.customer))
    earlier = np.zeros(late.size, dtype=np.int64)
    count = dict.fromkeys(range(shop.n_customers), 0)
    for at in order:
        earlier[at] = count[int(found.customer[at])]
        count[int(found.customer[at])] += int(late[at])
    day = pa.array([EPOCH + timedelta(days=int(one)) for one in found.day], pa.date32())
    words = pa.array(["web"] * late.size)
    return pa.table(
        {
            "customer_id": pa.array(shop.customer_ids[found.customer].tolist()),
            "event_name": pa.array(["late_delivery"] * late.size),
            "event_date": day,
            "known_before_date": day,
            "is_exposed": pa.array(late),
            "earlier_bad_experiences": earlier,
            "channel": words,
            "checkout_method": words,
            "country_code": words,
            "handling": words,
        }
    )


@pytest.fixture(scope="module")
def found(shop, occasions):
    asked = (NAMES["late_delivery"], FIRST_BAD, SECOND_BAD)
    return effects_of_the_night(shop, occasions, asked, ONCE)


def test_a_night_refuses_what_no_placebo_could_test():
    assert NIGHTLY.needs_placebo


def test_a_late_parcel_is_the_first_bad_experience_of_who_met_nothing_else(found):
    rows = effect_table(found).to_pylist()
    late, first = rows[:3], rows[3:6]
    assert [row["outcome_name"] for row in late] == ["ordered", "orders", "margin"]
    assert {row["horizon_days"] for row in rows} == {180}
    for one, other in zip(late, first, strict=True):
        assert one["is_identified"], one["verdict"]
        assert one["adjusted_high_95"] < 0
        same = ("treated_count", "naive_difference", "adjusted_difference", "verdict")
        assert [one[name] for name in same] == [other[name] for name in same]


def test_a_second_bad_experience_is_asked_of_those_who_had_one(found, occasions):
    second = effect_table(found).to_pylist()[6]
    assert second["ordinal"] == 2
    met = occasions.to_pylist()
    could = {row["customer_id"] for row in met if row["earlier_bad_experiences"] == 1}
    had = {
        row["customer_id"]
        for row in met
        if row["is_exposed"] and row["earlier_bad_experiences"] == 1
    }
    assert 0 < second["treated_count"] <= len(had)
    assert second["control_count"] <= len(could)


def test_the_order_of_an_engines_rows_moves_nothing(shop, occasions, found):
    mixed = occasions.take(np.random.default_rng(3).permutation(occasions.num_rows))
    again = effects_of_the_night(shop, mixed, (NAMES["late_delivery"],), ONCE)
    assert effect_table(again).equals(effect_table(found[:3]))


def test_a_shop_without_events_has_every_row_and_no_number(shop, occasions):
    table = effect_table(effects_of_the_night(shop, occasions.slice(0, 0), settings=ONCE))
    assert table.schema == SCHEMA
    assert table.num_rows == 3 * len(COMPARISONS)
    keys = ["event_family", "event_name", "ordinal", "outcome_name"]
    assert table.group_by(keys).aggregate([]).num_rows == table.num_rows
    assert not any(table["is_identified"].to_pylist())
    assert set(table["verdict"].to_pylist()) == {"not identified: there are no customers"}


def test_every_bad_event_is_a_comparison_of_its_own():
    asked = {one.events for one in COMPARISONS if one.family == "bad_experience"}
    assert asked == {BAD_EVENTS, *((kind,) for kind in BAD_EVENTS)}
