"""The hidden parameters come back by counting on the generated data.

A frequency may stray by four standard errors: with a fixed random state that is a statement about
this shop, and one that a wrong probability of more than a few percent does not survive.
"""

import datetime as dt

import numpy as np
import pytest
from sample_shops import large_shop, loyal_shop, plain_shop, rows, value
from scipy import special, stats

from orchestration.science.purchases import bgnbd
from orchestration.science.sample_shop import Parameters

PARAMETERS = Parameters()


def strays(successes, trials, probability):
    """Standard errors between a frequency and its probability."""
    return (successes - trials * probability) / np.sqrt(trials * probability * (1 - probability))


RENEWALS = """
    with terms as (
        select *,
            lead(payment_status) over (
                partition by membership_id order by term_number
            ) as next_status
        from membership_terms
    )
    select billing_period, term_number, count(*) as due,
        count(*) filter (where next_status in ('paid', 'waived')) as renewed
    from terms
    where payment_status <> 'failed' and term_end + 14 <= date '2025-12-31'
    group by all order by all
"""


def test_renewal_hazards_by_term_come_back():
    hazards = PARAMETERS.membership
    schedules = {
        "trial": (hazards.renewal_trial,),
        "monthly": hazards.renewal_monthly,
        "annual": hazards.renewal_annual,
    }
    checked = 0
    for billing_period, term_number, due, renewed in rows(large_shop(), RENEWALS):
        schedule = schedules[billing_period]
        probability = schedule[min(max(term_number, 1), len(schedule)) - 1]
        if due >= 200:
            checked += 1
            assert abs(strays(renewed, due, probability)) < 4, (billing_period, term_number)
    # The trial, a dozen monthly terms and the first two annual ones are many enough to count.
    assert checked >= 15


def test_the_renewals_of_the_truth_are_those_of_the_tables():
    counted = {(row[0], row[1]): row[2:] for row in rows(large_shop(), RENEWALS)}
    truth = large_shop().truth.tables["renewals"].to_pylist()
    told = {
        (row["billing_period"], row["term_number"]): (row["due"], row["renewed"]) for row in truth
    }
    assert told == counted


def test_failed_payments_are_recovered_as_often_as_they_should_be():
    lost, due = rows(
        large_shop(),
        """
        select count(*) filter (where payment_status = 'failed'), count(*)
        from membership_terms
        where payment_status <> 'waived' and term_number > 1 and term_start < date '2025-12-01'
        """,
    )[0]
    hazards = PARAMETERS.membership
    probability = hazards.payment_failure * (1 - hazards.payment_recovery)
    assert abs(strays(lost, due, probability)) < 4


def test_parcels_are_late_with_the_probability_of_their_carrier_and_service():
    delivery = PARAMETERS.delivery
    counted = rows(
        large_shop(),
        """
        select carrier, service_level, count(*),
            count(*) filter (where cast(timezone('Europe/London', timezone('UTC', delivered_at))
                as date) > cast(timezone('Europe/London', timezone('UTC', promised_at_first))
                as date))
        from shipments where delivery_status = 'delivered' and shipped_at < '2025-12-01'
        group by all
        """,
    )
    assert len(counted) == 12
    for carrier, service, delivered, late in counted:
        row, column = delivery.carriers.index(carrier), delivery.services.index(service)
        probability = delivery.late_probability[row][column]
        assert abs(strays(late, delivered, probability)) < 4, (carrier, service)


def test_first_orders_follow_season_weekday_and_growth():
    season = PARAMETERS.season
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=number) for number in range(1096)]
    weights = np.array(
        [
            season.month_factors[day.month - 1]
            * season.weekday_factors[day.weekday()]
            * season.acquisition_growth_per_year ** (number / 365.25)
            for number, day in enumerate(days)
        ]
    )
    firsts = rows(
        large_shop(),
        """
        select cast(timezone('Europe/London', timezone('UTC', first_ordered_at)) as date), count(*)
        from truth_people group by 1
        """,
    )
    found = np.zeros(len(days))
    for day, count in firsts:
        found[days.index(day)] = count
    share = weights / weights.sum()
    people = found.sum()
    assert people == 40_000
    months = np.array([day.month for day in days])
    weekdays = np.array([day.weekday() for day in days])
    years = np.array([day.year for day in days])
    for groups, size in ((months, 12), (weekdays, 7), (years, 3)):
        for group in np.unique(groups):
            chosen = groups == group
            assert abs(strays(found[chosen].sum(), people, share[chosen].sum())) < 4, group
        assert np.unique(groups).size == size


def test_christmas_is_twice_the_summer():
    by_month = dict(
        rows(
            large_shop(),
            "select month(ordered_at), count(*) from orders where year(ordered_at) = 2025 group by 1",
        )
    )
    assert by_month[12] > 1.7 * by_month[8]


def plain_histories():
    """Repeat orders, recency and age in weeks, one row per person, from the orders alone."""
    moments = rows(
        plain_shop(),
        """
        select
            count(*) - 1,
            epoch(max(ordered_at)) - epoch(min(ordered_at)),
            epoch(timestamp '2026-01-01 00:00:00') - epoch(min(ordered_at))
        from orders where not is_exchange and customer_id is not null
            and status not in ('cancelled', 'pending', 'fraud')
        group by customer_id
        """,
    )
    repeats, recency, age = np.array(moments, dtype=float).T
    week = 7 * 86_400
    return repeats, recency / week, age / week


def test_the_share_of_one_time_buyers_is_that_of_the_model():
    repeats, _, age = plain_histories()
    buying = PARAMETERS.purchasing
    # P(X(T) = 0) = (alpha / (alpha + T))^r: nobody drops out at the first order.
    expected = (buying.alpha / (buying.alpha + age)) ** buying.r
    error = np.sqrt((expected * (1 - expected)).sum())
    assert abs((repeats == 0).sum() - expected.sum()) < 4 * error
    assert 0.4 < (repeats == 0).mean() < 0.6


def test_the_mean_number_of_repeat_orders_is_that_of_the_model():
    repeats, _, age = plain_histories()
    p = PARAMETERS.purchasing
    # Fader, Hardie & Lee (2005), equation 9.
    hypergeometric = special.hyp2f1(p.r, p.b, p.a + p.b - 1, age / (p.alpha + age))
    expected = (
        (p.a + p.b - 1) / (p.a - 1) * (1 - (p.alpha / (p.alpha + age)) ** p.r * hypergeometric)
    )
    error = (repeats - expected).std() / np.sqrt(age.size)
    assert abs((repeats - expected).mean()) < 4 * error


def test_a_fit_of_bgnbd_finds_the_parameters_again():
    repeats, recency, age = plain_histories()
    fitted = bgnbd.fit(repeats, recency, age, time_unit="week")
    p = PARAMETERS.purchasing
    assert fitted.r == pytest.approx(p.r, rel=0.06)
    assert fitted.alpha == pytest.approx(p.alpha, rel=0.08)
    assert fitted.a / (fitted.a + fitted.b) == pytest.approx(p.a / (p.a + p.b), rel=0.10)


def test_members_buy_as_much_more_as_they_should():
    orders, expected = rows(
        loyal_shop(),
        """
        with spells as (
            select truth_accounts.person_id, customer_id, joined_at,
                coalesce(ended_at, timestamp '2026-01-01') as left_at
            from memberships inner join truth_accounts using (customer_id)
        ),
        during as (
            select spells.person_id, spells.joined_at, any_value(left_at) as left_at,
                count(order_id) as orders
            from spells left join orders on spells.customer_id = orders.customer_id
                and ordered_at > joined_at and ordered_at < left_at and not is_exchange
            group by all
        )
        select sum(orders), sum(
            purchase_rate_per_week * (epoch(left_at) - epoch(joined_at)) / (7 * 86400)
        )
        from during inner join truth_people using (person_id)
        """,
    )[0]
    lift = loyal_shop().parameters.purchasing.member_lift
    assert lift == 2.0
    assert abs(orders - lift * expected) < 4 * np.sqrt(lift * expected)


def test_people_join_at_an_order_with_the_probability_of_its_number():
    membership = PARAMETERS.membership
    counted = rows(
        plain_shop(),
        """
        with numbered as (
            select customer_id, ordered_at,
                row_number() over (partition by customer_id order by ordered_at) as number
            from orders where not is_exchange
        ),
        joined as (select customer_id, min(joined_at) as joined_at from memberships group by 1)
        select number, count(*), count(*) filter (where joined_at = ordered_at)
        from numbered left join joined using (customer_id)
        where joined_at is null or ordered_at <= joined_at
        group by 1 having count(*) > 500 order by 1
        """,
    )
    assert len(counted) >= 5
    for number, orders, joined in counted:
        probability = min(
            membership.join_probability * number**membership.join_growth,
            membership.join_probability_ceiling,
        )
        assert abs(strays(joined, orders, probability)) < 4, number


def test_members_are_those_who_buy_more_anyway():
    rate = dict(
        rows(
            plain_shop(),
            """
            select membership_id is not null, avg(purchase_rate_per_week)
            from truth_people inner join truth_accounts using (person_id)
            left join memberships using (customer_id) group by 1
            """,
        )
    )
    assert rate[True] > 1.5 * rate[False]


def test_lines_come_back_with_propensity_times_category_factor():
    factors = plain_shop().truth.summary["return_factors"]
    ceiling = PARAMETERS.returning.probability_ceiling
    lines = rows(
        plain_shop(),
        """
        with delivered as (
            select order_id, max(delivered_at) as delivered_at from shipments group by 1
            having count(*) = count(delivered_at)
        )
        select return_propensity, category_l1,
            order_line_id in (select order_line_id from return_items)
        from order_lines
        inner join delivered using (order_id) inner join orders using (order_id)
        inner join products using (variant_id) inner join truth_accounts using (customer_id)
        inner join truth_people using (person_id)
        where is_returnable and not is_gift_insert and not is_exchange
            and delivered_at < '2025-10-15'
        """,
    )
    propensity = np.array([line[0] for line in lines])
    chances = np.array([min(line[0] * factors[line[1]], ceiling) for line in lines])
    back = np.array([line[2] for line in lines])
    tenths = np.searchsorted(np.quantile(propensity, np.arange(1, 10) / 10), propensity)
    for tenth in range(10):
        chosen = tenths == tenth
        error = np.sqrt((chances[chosen] * (1 - chances[chosen])).sum())
        assert abs(back[chosen].sum() - chances[chosen].sum()) < 4 * error + 1, tenth
    assert back[tenths == 9].mean() > 0.4 > 0.01 > back[tenths == 0].mean()


def test_those_who_return_more_also_buy_bigger_baskets():
    people = rows(large_shop(), "select return_propensity, basket_factor from truth_people")
    found = stats.spearmanr(*np.array(people).T).statistic
    correlation = PARAMETERS.returning.propensity_basket_correlation
    # Spearman's rho of a Gaussian copula.
    assert found == pytest.approx(6 / np.pi * np.arcsin(correlation / 2), abs=0.02)


def test_the_future_holds_as_many_orders_as_the_hidden_rates_say():
    bought, expected = rows(
        plain_shop(),
        """
        select count(*) filter (where orders_next_90_days > 0),
            sum(case when has_dropped_out then 0 else
                1 - exp(-purchase_rate_per_week * 90 / 7) end)
        from truth_people
        """,
    )[0]
    assert abs(bought - expected) < 4 * np.sqrt(expected)
    dropped = "select sum(orders_next_365_days) from truth_people where has_dropped_out"
    assert value(plain_shop(), dropped) == 0


def test_orders_beside_the_buying_process_have_their_shares():
    kinds = large_shop().truth.summary["counts"]["orders_by_kind"]
    extra = PARAMETERS.extra_orders
    for kind, share in (("cancelled", extra.cancelled), ("unpaid", extra.unpaid)):
        assert abs(strays(kinds[kind], kinds["normal"], share)) < 4, kind


def test_guests_appear_under_several_accounts_and_their_addresses_agree():
    most, people = rows(
        large_shop(),
        """
        select max(accounts), count(*) filter (where accounts > 1) from (
            select count(*) as accounts from truth_accounts group by person_id
        )
        """,
    )[0]
    assert most >= 10
    assert people > 1000
    different = value(
        large_shop(),
        """
        select count(*) from (
            select person_id from truth_accounts inner join customers using (customer_id)
            where email_spelling <> 'tag' and not uses_till_email
            group by 1 having count(distinct lower(trim(email))) > 1
        )
        """,
    )
    assert different == 0
    shared = """
        select count(distinct person_id) from truth_accounts inner join customers
            using (customer_id)
        where email_spelling <> 'tag' and not uses_till_email
        group by lower(trim(email)) having count(distinct person_id) > 1
    """
    assert rows(large_shop(), shared) == []
