"""What the truth says of effects is what the simulation does, and not what a plain comparison shows."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from sample_shops import (
    FLAT_SEASON,
    NO_EFFECTS,
    NO_EXTRA_ORDERS,
    NO_OFFER,
    ONE_ACCOUNT_EACH,
    default_shop,
)

from orchestration.science.sample_shop import Parameters
from orchestration.science.sample_shop.effects import KINDS, effects_truth, first_events
from orchestration.science.sample_shop.parameters import Purchasing
from orchestration.science.sample_shop.shop_time import DAY, NEVER, utc_from_local

HABITS = Parameters(customers=7_000, defects=False, seed=31)
WINDOW = 180 * DAY


@cache
def drawn():
    """A shop with default habits, and its effects."""
    return effects_truth(HABITS, replications=8)


def orders_after(facts, person, moment):
    """Orders of the buying process in the 180 days after a moment, one number per person."""
    count = int(facts.visits_inside.sum())
    who, when = facts.orders.person[:count], facts.orders.ordered[:count]
    start = np.full(facts.people.kind.size, NEVER)
    start[person] = moment
    inside = (when > start[who]) & (when <= start[who] + WINDOW)
    return np.bincount(who[inside], minlength=start.size)[person]


@pytest.mark.parametrize("kind", KINDS)
def test_the_orders_that_came_after_events_are_those_expected_with_them(kind):
    _, facts, effects = drawn()
    effect = effects[kind]
    came = orders_after(facts, effect.person, effect.moment)
    assert effect.person.size > 200
    error = (came - effect.orders_with).std() / np.sqrt(came.size)
    assert abs(came.mean() - effect.orders_with.mean()) < 4 * error
    bought = effect.bought_with
    error = np.sqrt((bought * (1 - bought)).sum()) / came.size
    assert abs((came > 0).mean() - bought.mean()) < 4 * error


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_changes_orders_the_way_its_factor_says(kind):
    _, _, effects = drawn()
    parameters = HABITS
    factor = getattr(parameters.effects, kind, parameters.purchasing.member_lift)
    without = effects[kind].orders_without.mean()
    change = effects[kind].orders / without
    # People who buy faster drop out sooner, and a membership may end early: less than the factor.
    assert np.sign(change) == np.sign(factor - 1)
    assert 0.35 * abs(factor - 1) < abs(change) < abs(factor - 1)


def test_factors_of_one_change_nothing():
    parameters = dataclasses.replace(
        HABITS,
        customers=1_000,
        effects=NO_EFFECTS,
        experimenting=NO_OFFER,
        purchasing=dataclasses.replace(Purchasing(), member_lift=1.0),
    )
    frame, facts, effects = effects_truth(parameters, replications=2)
    inside = facts.visits_inside
    # Every clock is the shop's: visits come when the process without any factor has them.
    np.testing.assert_allclose(facts.course.weeks[inside], facts.visits.weeks[inside], rtol=1e-12)
    assert (facts.visits.weeks[~inside] >= frame.clock.horizon_weeks).all()
    for kind in KINDS:
        assert effects[kind].person.size > 30, kind
        np.testing.assert_array_equal(effects[kind].orders_with, effects[kind].orders_without)


def test_without_dropout_half_the_speed_is_half_the_orders():
    parameters = Parameters(
        customers=2_500,
        defects=False,
        seed=32,
        season=FLAT_SEASON,
        identity=ONE_ACCOUNT_EACH,
        extra_orders=NO_EXTRA_ORDERS,
        purchasing=Purchasing(a=1.0, b=1e9, member_lift=1.0),
        experimenting=NO_OFFER,
        effects=dataclasses.replace(NO_EFFECTS, late_parcel=0.5),
    )
    _, facts, effects = effects_truth(parameters, replications=4)
    late = effects["late_parcel"]
    expected = facts.people.rate[late.person] * 180 / 7
    # With the event the whole window runs at half the speed, whatever else comes late in it.
    spread = np.sqrt(0.5 * expected.sum() / late.replications)
    assert abs((late.orders_with - 0.5 * expected).sum()) < 4 * spread
    # Without it later parcels still come late, now and then.
    assert 0.85 < late.orders_without.sum() / expected.sum() < 1


def test_the_orders_of_a_slowed_person_come_at_half_the_pace_until_the_days_are_over():
    parameters = Parameters(
        customers=400,
        defects=False,
        seed=33,
        season=FLAT_SEASON,
        extra_orders=NO_EXTRA_ORDERS,
        purchasing=Purchasing(member_lift=1.0),
        experimenting=NO_OFFER,
        effects=dataclasses.replace(NO_EFFECTS, refused_code=0.5),
    )
    _, facts, _ = effects_truth(parameters, replications=1)
    visits, weeks = facts.visits, facts.course.weeks
    refused = facts.fates.has_refused_code & facts.visits_inside
    checked = 0
    for row in np.flatnonzero(refused[:-1]):
        person = visits.person[row]
        before = refused & (visits.person == person) & (visits.number < visits.number[row])
        follows = row + 1
        if before.any() or visits.person[follows] != person or not np.isfinite(weeks[follows]):
            continue
        gap = visits.weeks[follows] - visits.weeks[row]
        # By hand: 180 days of 7 days a week hold 180 / 14 weeks of the slowed clock.
        slow = 180 / 14
        expected = 2 * gap if gap < slow else gap + slow
        # The days begin with the second of the order, which crowds into the busy hours of its day.
        assert abs(weeks[follows] - weeks[row] - expected) < 1 / 7
        checked += 1
    assert checked > 20


@pytest.mark.parametrize("kind", ["bad_ticket", "recovery", "refused_code", "tier", "membership"])
def test_those_who_meet_an_event_are_others_than_the_rest(kind):
    frame, facts, effects = drawn()
    effect = effects[kind]
    generator = np.random.default_rng(5)
    visits = facts.visits
    # Anybody else who had ordered by the same days, one for each of the exposed.
    met = np.zeros(facts.people.kind.size, dtype=bool)
    met[visits.person[first_events(frame, facts, KINDS.index(kind))[0]]] = True
    first = np.full(met.size, NEVER)
    count = int(facts.visits_inside.sum())
    np.minimum.at(first, facts.orders.person[:count], facts.orders.ordered[:count])
    others = [generator.choice(np.flatnonzero(~met & (first < moment))) for moment in effect.moment]
    naive = (
        orders_after(facts, effect.person, effect.moment).mean()
        - orders_after(facts, np.array(others), effect.moment).mean()
    )
    # The gap is wrong by more than half the effect, and always to the side of the regulars.
    assert naive - effect.orders > 0.5 * abs(effect.orders)


def test_the_first_event_of_a_person_is_the_first_in_time():
    frame, facts, _ = drawn()
    visit, moment = first_events(frame, facts, KINDS.index("late_parcel"))
    shipments, orders = facts.shipments, facts.orders
    broken = np.full(facts.people.kind.size, NEVER)
    order = shipments.order[shipments.outcome == 1]
    promised = shipments.promised[shipments.outcome == 1]
    known = orders.visit_number[order] >= 0
    np.minimum.at(broken, orders.person[order[known]], promised[known])
    person = facts.visits.person[visit]
    assert set(person.tolist()) == set(np.flatnonzero(broken < NEVER).tolist())
    # Promised for 20:00 of the day at whose end the promise is broken.
    np.testing.assert_array_equal(utc_from_local(moment - DAY // 6), broken[person])


def test_the_truth_of_the_sample_shop_tells_effects_and_exposures():
    told = default_shop().truth.summary["effects"]
    exposures = default_shop().truth.tables["exposures"].to_pylist()
    assert list(told) == list(KINDS)
    for kind, one in told.items():
        own = [row for row in exposures if row["kind"] == kind]
        assert len(own) == one["exposed"] > 100
        mean = np.mean([row["orders_with"] - row["orders_without"] for row in own])
        assert mean == pytest.approx(one["orders_effect"], abs=0.001)
