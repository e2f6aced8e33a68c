"""Tickets, surveys, visits, points, tiers and invitations contradict neither the orders nor one another."""

from collections import defaultdict, deque

import numpy as np
import pytest
from sample_shops import connection, default_shop

from orchestration.science.sample_shop import Parameters
from orchestration.science.sample_shop.relations.surveys import NPS, draw_surveys
from orchestration.science.sample_shop.relations.tickets import draw_tickets
from orchestration.science.sample_shop.simulation import simulate

SHOP = default_shop()
CONNECTION = connection(SHOP)
HABITS = SHOP.parameters
ORDERS_OF_PEOPLE = """
    select order_id, ordered_at, coalesce(
        person_id,
        -- A guest without an account is told by the number in the address.
        'X' || lpad(regexp_extract(lower(email), '[.]([0-9]+)[@+]', 1), 7, '0')
    ) as person_id
    from orders left join truth_accounts using (customer_id)
    where status not in ('cancelled', 'pending', 'fraud') and not is_exchange and not is_test
        and coalesce(customer_id, email) is not null
"""


def rows(query):
    """Run SQL over the shop's clean tables and its truth."""
    return CONNECTION.execute(query).fetchall()


def value(query):
    """Return the one value of a query."""
    return rows(query)[0][0]


@pytest.mark.parametrize(
    ("child", "column", "parent", "key"),
    [
        ("support_tickets", "customer_id", "customers", "customer_id"),
        ("support_tickets", "order_id", "orders", "order_id"),
        ("survey_responses", "customer_id", "customers", "customer_id"),
        ("survey_responses", "order_id", "orders", "order_id"),
        ("survey_responses", "ticket_id", "support_tickets", "ticket_id"),
        ("web_events", "customer_id", "customers", "customer_id"),
        ("web_events", "order_id", "orders", "order_id"),
        ("web_events", "variant_id", "products", "variant_id"),
        ("loyalty_ledger", "customer_id", "customers", "customer_id"),
        ("loyalty_ledger", "order_id", "orders", "order_id"),
        ("loyalty_ledger", "earned_entry_id", "loyalty_ledger", "ledger_entry_id"),
        ("loyalty_ledger", "lot_id", "loyalty_ledger", "lot_id"),
        ("loyalty_tier_history", "customer_id", "customers", "customer_id"),
        ("referrals", "referrer_customer_id", "customers", "customer_id"),
        ("referrals", "referred_customer_id", "customers", "customer_id"),
        ("referrals", "first_order_id", "orders", "order_id"),
    ],
)
def test_every_row_has_its_parent(child, column, parent, key):
    orphans = f"""
        select {column} from {child} where {column} is not null
        except select {key} from {parent}
    """
    assert rows(orphans) == []
    assert value(f"select count({column}) from {child}") > 0


IN_ORDER = {
    "support_tickets": "first_response_at > opened_at and resolved_at > first_response_at"
    " and updated_at >= opened_at",
    "survey_responses": "responded_at > sent_at and closed_loop_at > responded_at",
    "loyalty_tier_history": "valid_to > valid_from",
    "referrals": "signed_up_at > invited_at and reward_granted_at > signed_up_at"
    " and referrer_customer_id <> referred_customer_id",
}


@pytest.mark.parametrize("table", IN_ORDER)
def test_events_follow_one_another(table):
    assert rows(f"select * from {table} where not ({IN_ORDER[table]})") == []


def test_points_leave_in_the_order_in_which_they_run_out_and_no_balance_is_negative():
    """Kept by hand, lot by lot: what expires is what is left of a lot after its last day."""
    entries = rows(
        """
        select customer_id, ledger_entry_id, entry_type, points, lot_id, earned_entry_id,
            cast(event_at as date), expires_at
        from loyalty_ledger order by event_at, ledger_entry_id
        """
    )
    lots: dict[str, deque[list]] = defaultdict(deque)
    kinds = defaultdict(int)
    for customer, entry, kind, points, lot, earned, day, expires in entries:
        own = lots[customer]
        kinds[kind] += 1
        # Nobody draws on a lot whose last day is over; it has expired before that.
        assert kind == "expire" or all(one[2] >= day or one[1] == 0 for one in own), entry
        if points > 0:
            own.append([entry, points, expires, lot])
            continue
        left = -points
        if kind == "expire":
            [found] = [one for one in own if one[3] == lot]
            assert found[2] < day
            assert found[1] == left, entry
            found[1] = 0
        elif kind == "reverse":
            [found] = [one for one in own if one[0] == earned]
            assert found[1] >= left, entry
            found[1] -= left
        else:
            for one in own:
                taken = min(one[1], left)
                one[1], left = one[1] - taken, left - taken
            assert left == 0, entry
    assert all(kinds[kind] > 10 for kind in ("earn", "burn", "expire", "adjust", "reverse"))


def test_an_order_earns_its_net_pounds_times_the_rate_of_the_tier():
    wrong = rows(
        """
        with earned as (
            select *, round(points / floor((gross_item_amount - discount_amount)
                * coalesce(fx_rate_to_shop, 1)), 2) as rate
            from loyalty_ledger inner join orders using (order_id)
            where entry_type = 'earn' and source = 'order' and points > 200
        )
        select order_id, rate, tier from earned
        asof inner join loyalty_tier_history as tiers
            on earned.customer_id = tiers.customer_id and earned.processed_at >= tiers.valid_from
        where abs(rate - case tier when 'bronze' then 1 when 'silver' then 1.25 else 1.5 end) > 0.02
        """
    )
    assert wrong == []


def test_a_tier_is_reached_by_the_orders_of_a_year_and_never_overlaps():
    overlapping = """
        select customer_id from (
            select *, lead(valid_from) over (partition by customer_id order by valid_from) as next_from
            from loyalty_tier_history
        )
        where valid_to is distinct from next_from
    """
    assert rows(overlapping) == []
    counted = rows(
        f"""
        with orders_of_people as ({ORDERS_OF_PEOPLE})
        select tiers.tier, count(distinct orders.order_id)
        from loyalty_tier_history as tiers
        inner join truth_accounts as own on tiers.customer_id = own.customer_id
        inner join orders_of_people as orders on own.person_id = orders.person_id
            and orders.ordered_at <= tiers.valid_from
            and orders.ordered_at > tiers.valid_from - interval 366 days
        where tiers.reason = 'orders' group by tiers.customer_id, tiers.valid_from, tiers.tier
        """
    )
    needed = dict(zip(HABITS.loyalty.tiers, HABITS.loyalty.tier_orders, strict=True))
    assert [tier for tier, orders in counted if orders < needed[tier]] == []
    assert [tier for tier, orders in counted if orders == needed[tier]] != []
    assert {tier for tier, _ in counted} == {"silver", "gold"}


def test_every_order_of_site_and_app_ends_one_visit():
    first = value("select min(event_at) from web_events")
    missing = f"""
        select order_id from orders
        where channel in ('web', 'app') and not is_exchange and not is_test
            and status not in ('cancelled', 'pending', 'fraud')
            and ordered_at > timestamp '{first}' + interval 2 hours
            -- What is fraud or given up shows within days.
            and ordered_at < timestamp '2025-12-20'
        except select order_id from web_events where event_type = 'purchase'
    """
    assert rows(missing) == []
    wrong = """
        select order_id from web_events inner join orders using (order_id)
        where web_events.event_at <> ordered_at or web_events.device_type <> orders.device_type
            or abs(value_amount - total_amount * coalesce(fx_rate_to_shop, 1)) > 0.011
            or web_events.customer_id is distinct from orders.customer_id
    """
    assert rows(wrong) == []
    assert value("select max(n) from (select count(*) n from web_events where order_id is not null"
                 " group by order_id)") == 1  # fmt: skip


def test_visits_hold_what_visitors_do():
    """Searches without a result, left baskets, refused codes, errors, several devices, machines."""
    visits = """
        with visits as (
            select session_id, any_value(anonymous_id) as device, max(customer_id) as customer_id,
                count(*) filter (where event_type = 'product_view') as views,
                epoch(max(event_at) - min(event_at)) as seconds,
                bool_or(event_type = 'purchase') as bought,
                bool_or(event_type = 'checkout_step') as checked_out,
                bool_or(event_type = 'add_to_cart') as filled,
                bool_or(event_type = 'promo_rejected') as refused,
                bool_or(event_type = 'search_zero_results') as found_nothing,
                bool_or(event_type = 'error') as failed
            from web_events where session_id is not null group by 1
        )
    """
    bought, left, empty, refused, failed, machines = rows(
        visits
        + """
        select avg(bought::int), count(*) filter (where filled and not bought),
            count(*) filter (where found_nothing), count(*) filter (where refused and not bought),
            count(*) filter (where failed and checked_out and not bought),
            count(*) filter (where views >= 15 and seconds < 2 * (views + 2))
        from visits
        """
    )[0]
    assert 0.2 < bought < 0.6
    assert min(left, empty) > 300
    assert min(refused, failed, machines) > 20
    devices = visits + "select count(*) from (select customer_id from visits where customer_id" \
        " is not null group by 1 having count(distinct device) > 1)"  # fmt: skip
    assert value(devices) > 100
    assert (
        value("select count(*) from web_events where platform <> 'web' and session_id is null") > 0
    )


def test_a_late_parcel_makes_for_contacts_and_a_bad_ticket_for_low_scores():
    late, other = rows(
        """
        with parcels as (
            select order_id, bool_or(delivered_at > promised_at_first + interval 4 hours) as late
            from shipments where delivered_at is not null group by 1
        )
        select avg((ticket_id is not null)::int)
        from parcels left join support_tickets using (order_id) group by late order by late desc
        """
    )
    assert late[0] > 2.5 * other[0]
    slow, quick = rows(
        """
        select avg(csat_score) from support_tickets where csat_score is not null
        group by reopened_count > 0 order by reopened_count > 0 desc
        """
    )
    assert slow[0] < quick[0] - 0.8


def test_the_answers_are_no_fair_sample_of_those_who_were_asked():
    frame, chunks = simulate(
        np.random.default_rng(9), Parameters(customers=20_000, defects=False, seed=9)
    )
    [facts] = chunks
    surveys = draw_surveys(facts, frame)
    nps = surveys.kind == NPS
    answered = surveys.responded < frame.end_moment + 400 * 86_400
    score = surveys.score[nps]
    middling = (score >= 5) & (score <= 7)
    share = answered[nps]
    assert share[~middling].mean() > 1.25 * share[middling].mean()
    # The habits' own numbers: at the middle the least, at an end the most.
    habits = frame.parameters.surveys
    ends = score == 0
    error = np.sqrt(0.4 * 0.6 / ends.sum())
    assert abs(share[ends].mean() - habits.answer - habits.answer_extreme) < 4 * error
    tickets = draw_tickets(facts, frame)
    scored = tickets.scored < 2**60
    bad = tickets.is_bad & (tickets.account >= 0) & (tickets.resolved < 2**60)
    good = ~tickets.is_bad & (tickets.account >= 0) & (tickets.resolved < 2**60)
    for share, group in zip(frame.parameters.service.csat_answer, (good, bad), strict=True):
        error = np.sqrt(share * (1 - share) / group.sum())
        assert abs(scored[group].mean() - share) < 4 * error


def test_friends_come_after_somebody_who_had_ordered_invited_them():
    strange = f"""
        with first_orders as (
            select person_id, min(ordered_at) as first_at from ({ORDERS_OF_PEOPLE}) group by 1
        )
        select referral_id from referrals
        inner join truth_accounts as inviter on referrals.referrer_customer_id = inviter.customer_id
        inner join first_orders on inviter.person_id = first_orders.person_id
        where invited_at < first_at
    """
    assert rows(strange) == []
    signed_up, vain = rows(
        "select count(signed_up_at), count(*) - count(signed_up_at) from referrals"
    )[0]
    people = value(
        "select count(*) from truth_people where is_referred and first_ordered_at is not null"
    )
    # Everybody who was referred has an invitation, once the account is open.
    assert signed_up >= people > 100
    assert vain > signed_up
