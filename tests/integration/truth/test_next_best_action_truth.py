"""The next best actions of the sample shop beside what its generator hid of every customer.

The truth of an action is reckoned from the hidden rate, dropout, basket and returns of a person and from the factor by
which the generator lets an action quicken buying; no model, and no lift that was measured, comes in.
"""

import csv
import json
import math
from datetime import date, timedelta
from functools import cache
from statistics import NormalDist, fmean
from typing import NamedTuple

import numpy as np
import pytest

from tests.shared import TRUTH

# From the middle to the end that chance passes in one shop of a thousand, in standard errors.
ONE_IN_A_THOUSAND = NormalDist().inv_cdf(1 - 0.001 / 2)
PARAMETERS = json.loads((TRUTH / "truth.json").read_text())["parameters"]
# Action -> factor on the speed of buying while it works. Every other action of the catalogue changes nothing at all in
# this shop (messages, advertisements, codes and vouchers), or is not known to.
FACTORS = {
    "free_delivery": PARAMETERS["experimenting"]["offer_lift"],
    "membership_gift": PARAMETERS["purchasing"]["member_lift"],
}
FIRST_DAY, LAST_DAY = date(2023, 1, 1), date(2025, 12, 31)


class Person(NamedTuple):
    """What the generator hid of a customer."""

    rate: float
    dropout: float
    has_dropped_out: bool
    basket: float
    return_propensity: float


class Decision(NamedTuple):
    """A row of the mart and what else is known of its customer."""

    customer_id: str
    action: str
    arm: str
    told: float
    told_low: float
    told_high: float
    may_be_offered_free_delivery: bool
    has_email_consent: bool
    p_churn: float | None


def rows_of(name: str) -> list[dict[str, str]]:
    with (TRUTH / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def persons(sample_shop) -> dict[str, Person]:
    """Customers who are one hidden person."""
    hidden = {
        row["person_id"]: Person(
            float(row["purchase_rate_per_week"]),
            float(row["dropout_probability"]),
            row["has_dropped_out"] == "true",
            float(row["basket_factor"]),
            float(row["return_propensity"]),
        )
        for row in rows_of("people.csv")
    }
    person_of = {row["customer_id"]: row["person_id"] for row in rows_of("accounts.csv")}
    behind: dict[str, set[str]] = {}
    for account, customer in sample_shop.warehouse.query(
        "select source_customer_id, customer_id from intermediate.int_identity__map"
    ):
        if account in person_of:
            behind.setdefault(customer, set()).add(person_of[account])
    return {
        customer: hidden[min(found)]
        for customer, found in behind.items()
        if len(found) == 1 and min(found) in hidden
    }


@pytest.fixture(scope="module")
def decisions(sample_shop, persons) -> list[Decision]:
    rows = sample_shop.warehouse.query("""
        select
            actions.customer_id, action, arm,
            cast(expected_incremental_margin_amount as double),
            cast(expected_incremental_margin_low_amount as double),
            cast(expected_incremental_margin_high_amount as double),
            has_email_consent and not is_member_now and actions.customer_id not in (
                select customer_id from marts.fct_consents
                where is_current and channel = 'email' and purpose = 'profiling' and not is_granted
            ),
            has_email_consent, p_churn_90d
        from marts.fct_next_best_actions as actions
        inner join marts.dim_customer_360 as profiles on actions.customer_id = profiles.customer_id""")
    found = [Decision(*row) for row in rows if row[0] in persons]
    assert len(found) > 2500
    return found


@pytest.fixture(scope="module")
def money_of_an_order(sample_shop, persons):
    """Margin and net amount of an order by the hidden basket and return propensity: least squares over all orders."""
    orders = [
        (persons[customer], margin, net)
        for customer, margin, net in sample_shop.warehouse.query("""
            select customer_id, cast(contribution_margin_amount as double), cast(net_amount as double)
            from marts.fct_orders where is_valid_order""")
        if customer in persons
    ]
    fitted = np.linalg.lstsq(
        np.array([traits(person) for person, *_ in orders]),
        np.array([amounts for _, *amounts in orders]),
        rcond=None,
    )[0]
    return lambda person: (np.array(traits(person)) @ fitted).tolist()


def traits(person: Person) -> tuple[float, float, float]:
    return 1.0, person.basket, person.basket * person.return_propensity


@cache
def operational_weeks(days: int) -> float:
    """Weeks of the shop's own time, in which seasons are stretched, in the days after the night."""

    def speed(day: date) -> float:
        season = PARAMETERS["season"]
        return season["month_factors"][day.month - 1] * season["weekday_factors"][day.weekday()]

    past = (LAST_DAY - FIRST_DAY).days + 1
    usual = fmean(speed(FIRST_DAY + timedelta(days=day)) for day in range(past))
    return sum(speed(LAST_DAY + timedelta(days=day + 1)) for day in range(days)) / usual / 7


def true_orders(person: Person, days: int, factor: float = 1) -> float:
    """Orders to come, of a rate and a chance to leave after each: (1 - exp(-rate p t)) / p."""
    if person.has_dropped_out:
        return 0.0
    weeks = operational_weeks(days) * factor
    return (1 - math.exp(-person.rate * person.dropout * weeks)) / person.dropout


@pytest.fixture(scope="module")
def true_margin(sample_shop, persons, money_of_an_order):
    """What an action truly adds to a customer's margin, delivery that is not charged and its cost taken off."""
    terms = {
        action: (days, float(cost))
        for action, days, cost in sample_shop.warehouse.query("""
            select action, window_days, cost_per_customer_amount from marts.fct_action_evidence""")
    }
    [(charge,)] = sample_shop.warehouse.query("""
        select avg(cast(shipping_amount as double)) from marts.fct_orders
        where is_valid_order and not is_member_order""")

    def added(customer: str, action: str) -> float:
        if action == "none":
            return 0.0
        person, (days, cost) = persons[customer], terms[action]
        with_it = true_orders(person, days, FACTORS[action])
        margin = money_of_an_order(person)[0]
        return margin * (with_it - true_orders(person, days)) - charge * with_it - cost

    return added


def test_only_what_truly_brings_orders_is_offered(sample_shop):
    offered = sample_shop.warehouse.query(
        "select action from marts.fct_action_evidence where verdict = 'works'"
    )
    assert {action for (action,) in offered} == set(FACTORS)
    assert all(factor > 1 for factor in FACTORS.values())


def test_the_uplift_that_an_experiment_measured_is_the_true_one_but_for_chance(
    sample_shop, persons, decisions
):
    [(measured, error, days)] = sample_shop.warehouse.query("""
        select measured_uplift, measured_uplift_error, window_days
        from marts.fct_action_evidence where action = 'free_delivery'""")
    reached = [persons[one.customer_id] for one in decisions if one.may_be_offered_free_delivery]
    without = sum(true_orders(person, days) for person in reached)
    with_it = sum(true_orders(person, days, FACTORS["free_delivery"]) for person in reached)
    assert abs(measured - (with_it / without - 1)) < ONE_IN_A_THOUSAND * error


def test_the_error_of_an_uplift_is_what_drawing_the_units_again_gives(sample_shop):
    """Bootstrap of customers, with the slope on the days before that the experiment tells; a tenth is for the share of
    the error that is read from the arms' means."""
    [(error, theta)] = sample_shop.warehouse.query("""
        select measured_uplift_error, cuped_theta
        from marts.fct_action_evidence
        inner join marts.fct_experiment_results on arm = action and metric = 'orders'
        where action = 'free_delivery' and experiment_id = 'X04'""")
    units = sample_shop.warehouse.query("""
        select
            draws.arm,
            count(*) filter (where orders.ordered_at >= draws.assigned_at),
            count(*) filter (where orders.ordered_at < draws.assigned_at)
        from marts.fct_experiment_assignments as draws
        left join marts.fct_orders as orders
            on draws.customer_id = orders.customer_id
            and orders.is_valid_order
            and orders.ordered_at >= draws.assigned_at - interval 60 day
            and orders.ordered_at < draws.assigned_at + interval 60 day
        where draws.experiment_id = 'X04' and draws.is_counted and draws.is_mature
        and draws.customer_id is not null
        group by draws.arm, draws.customer_id""")
    luck = np.random.default_rng(1)
    means = {}
    for arm in ("free_delivery", "control"):
        after, before = np.array([counts for of, *counts in units if of == arm], dtype=float).T
        drawn = luck.integers(after.size, size=(2000, after.size))
        means[arm] = after[drawn].mean(axis=1), before[drawn].mean(axis=1)
    (after, before), (after_without, before_without) = means["free_delivery"], means["control"]
    lifts = after - after_without - theta * (before - before_without)
    assert error == pytest.approx(np.std(lifts / after_without), rel=0.1)


def test_the_money_that_is_told_holds_the_money_that_is_true(decisions, true_margin):
    """All actions rest on a few measured uplifts, so bounds of customers add up to those of their sum."""
    done = [one for one in decisions if one.action != "none"]
    truth = sum(true_margin(one.customer_id, one.action) for one in done)
    assert len(done) > 500
    assert sum(one.told_low for one in done) < truth < sum(one.told_high for one in done)


def test_it_brings_more_than_a_discount_for_everybody(
    decisions, persons, true_margin, money_of_an_order
):
    """The shop sends everybody a code of 15 %, which in truth brings nobody back: it pays those who come anyway."""
    everybody = [one.customer_id for one in decisions if one.has_email_consent]
    days, share = 60, 0.15
    discount = -sum(
        share * money_of_an_order(persons[customer])[1] * true_orders(persons[customer], days)
        for customer in everybody
    )
    ours = sum(true_margin(one.customer_id, one.action) for one in decisions)
    assert ours > 0 > discount


@pytest.mark.parametrize("letters", [50, 100, 200, 400, None])
def test_it_brings_more_than_as_many_free_deliveries_to_those_likeliest_to_leave(
    decisions, true_margin, letters
):
    """Among the same customers, who may have it and are not held out; None is as many as it reaches itself."""
    may = [one for one in decisions if one.may_be_offered_free_delivery and one.arm == "treated"]
    ours = sorted((one for one in may if one.action != "none"), key=lambda one: -one.told)
    riskiest = sorted(may, key=lambda one: -(one.p_churn or 0))
    letters = letters or len(ours)
    assert len(ours) >= letters
    brought = sum(true_margin(one.customer_id, one.action) for one in ours[:letters])
    for_risk = sum(true_margin(one.customer_id, "free_delivery") for one in riskiest[:letters])
    assert brought > for_risk


def test_it_brings_more_for_each_customer_than_free_delivery_for_everybody_who_may_have_it(
    decisions, true_margin
):
    may = [one for one in decisions if one.may_be_offered_free_delivery and one.arm == "treated"]
    chosen = [one for one in may if one.action != "none"]
    assert len(chosen) < len(may)
    everybody = fmean(true_margin(one.customer_id, "free_delivery") for one in may)
    assert fmean(true_margin(one.customer_id, one.action) for one in chosen) > everybody > 0


def test_nothing_speaks_for_another_uplift_of_customers_who_buy_more(sample_shop):
    """By orders of the year before the draw, relative lifts differ as chance lets them: one share for everybody."""
    groups = sample_shop.warehouse.query("""
        with units as (
            select
                draws.customer_id,
                draws.arm = 'free_delivery' as has_it,
                count(*) filter (
                    where orders.ordered_at < draws.assigned_at
                    and orders.ordered_at >= draws.assigned_at - interval 365 day
                ) as before,
                count(*) filter (
                    where orders.ordered_at >= draws.assigned_at
                    and orders.ordered_at < draws.assigned_at + interval 60 day
                ) as after
            from marts.fct_experiment_assignments as draws
            left join marts.fct_orders as orders
                on draws.customer_id = orders.customer_id and orders.is_valid_order
            where draws.experiment_id = 'X04' and draws.is_counted and draws.is_mature
            group by 1, 2
        )
        select least(before, 2), has_it, avg(after), var_samp(after) / count(*) from units
        where customer_id is not null
        group by 1, 2""")
    means = {(before, has_it): (mean, error) for before, has_it, mean, error in groups}
    logs, weights, lifts = [], [], []
    for before in range(3):
        (with_it, noise_with), (without, noise_without) = means[before, True], means[before, False]
        logs.append(math.log(with_it / without))
        weights.append(1 / (noise_with / with_it**2 + noise_without / without**2))
        lifts.append(with_it - without)
    common = np.average(logs, weights=weights)
    homogeneity = sum(
        weight * (log - common) ** 2 for log, weight in zip(logs, weights, strict=True)
    )
    # 95 % of the chi-square distribution with two degrees of freedom, by tables.
    assert homogeneity < 5.991
    # What it adds grows with what comes anyway: that is why the own base decides.
    assert lifts[0] < lifts[1] < lifts[2]


def test_a_lasting_share_is_held_out_whatever_is_best(sample_shop, decisions):
    """Beside them, everybody whom the running experiment on all messages keeps out."""
    left_out = {
        customer
        for (customer,) in sample_shop.warehouse.query("""
            select customer_id from marts.fct_experiment_assignments
            where experiment_id = 'X01' and arm = 'holdout'""")
    }
    assert {one.arm for one in decisions if one.customer_id in left_out} == {"holdout"}
    share = sample_shop.settings.business_constant
    expected = 1 - (1 - share("holdout_share")) * (1 - share("action_holdout_share"))
    for may_be_offered in (True, False):
        drawn = [
            one.arm == "holdout"
            for one in decisions
            if one.may_be_offered_free_delivery == may_be_offered
            and one.customer_id not in left_out
        ]
        error = math.sqrt(expected * (1 - expected) / len(drawn))
        assert abs(fmean(drawn) - expected) < ONE_IN_A_THOUSAND * error
