"""Customers on the day of an event: what was known before, what came after, and who else could."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from orchestration.science.effects.cohorts import PLACEBO_DAYS, event_cohort
from orchestration.science.effects.estimation import Settings, estimate_effects
from orchestration.science.effects.occasions import EventDays, events_of
from orchestration.science.errors import DataError
from orchestration.science.ledger import ledger_from_tables
from tests.unit.science.churn.late_parcels import FIRST_DAY, drawn_shop, with_another_future

HORIZON = 60
ONCE = Settings(deals=1)
EPOCH = date(1970, 1, 1)


def order_days_of(ledger):
    """Every day with an order, those that were given back later too: on their day nobody knew."""
    pairs = np.unique(np.column_stack([ledger.orders.customer, ledger.orders.day]), axis=0)
    return EventDays(ledger.customer_ids[pairs[:, 0]], pairs[:, 1].astype(np.int64))


def small_shop():
    """Ann's event is on day 34, Bob's on 3, before he was known; Cid and Dan have none."""
    orders = [
        # customer, day, margin, day on which it was given back
        ("ann", 0, 4.0, None),
        ("ann", 31, 3.0, 33),
        ("ann", 32, 5.0, None),
        ("ann", 33, 6.0, 34),
        ("ann", 34, 7.0, None),
        ("ann", 35, 8.0, None),
        ("ann", 50, 9.0, None),
        ("ann", 55, 1.0, None),
        ("bob", 5, 1.0, None),
        ("cid", 10, 2.0, None),
        ("cid", 40, 2.0, None),
        ("dan", 20, 3.0, None),
    ]
    return ledger_from_tables(
        pa.table(
            {
                "customer_id": [row[0] for row in orders],
                "ordered_date": [EPOCH + timedelta(days=row[1]) for row in orders],
                "margin_amount": [row[2] for row in orders],
                "net_amount": [10.0 for _ in orders],
                "voided_date": [
                    None if row[3] is None else EPOCH + timedelta(days=row[3]) for row in orders
                ],
            }
        ),
        80,
        refunds=pa.table(
            {
                "customer_id": ["ann", "ann"],
                "refunded_date": [EPOCH + timedelta(days=70), EPOCH + timedelta(days=36)],
                "ordered_date": [EPOCH + timedelta(days=50), EPOCH + timedelta(days=34)],
                "margin_amount": [2.5, 100.0],
                "net_amount": [3.0, 9.0],
            }
        ),
        events=pa.table(
            {
                "customer_id": ["ann", "ann", "bob"],
                "event_name": ["tier", "tier", "tier"],
                "event_date": [EPOCH + timedelta(days=one) for one in (34, 60, 3)],
                "amount": [1.0, 1.0, 1.0],
            }
        ),
    )


@pytest.fixture(scope="module")
def small():
    # Horizons must end by day 80, so the latest month is (30, 60].
    return event_cohort(small_shop(), "tier", horizon_days=20, controls_per_treated=9)


def of(cohort, name):
    return cohort.covariates[:, cohort.names.index(name)].tolist()


def test_the_first_event_makes_a_treated_customer(small):
    """Bob's came before his first order: he was no customer then, and is none without it later."""
    assert small.customer_ids.tolist() == ["ann", "cid", "dan"]
    assert small.treated.tolist() == [True, False, False]
    # The only day of an event in that month is the day of reference of everybody.
    assert small.day.tolist() == [34, 34, 34]


def test_covariates_are_those_of_the_eve_of_the_event(small):
    """Ann ordered on 0, 32 and 33; what she ordered on 31 was given back on 33, and 34 is no eve.
    The order of 33 was given back on 34, and still counted."""
    assert of(small, "order_days") == [3, 1, 1]
    assert of(small, "order_days_30d") == [2, 1, 1]
    assert of(small, "days_since_last_order") == [1, 24, 14]
    assert of(small, "days_since_first_order") == [34, 24, 14]
    assert of(small, "margin_amount_per_order_day") == [(4 + 5 + 6) / 3, 2, 3]
    assert of(small, "orders_a_year") == [365 * 3 / 214, 365 / 204, 365 / 194]
    assert of(small, "tier_count") == [0, 0, 0]
    assert of(small, "refund_count") == [0, 0, 0]
    # Day 34 is the 4th of February 1970.
    assert of(small, "month is 2") == [1, 1, 1]


def test_outcomes_begin_on_the_day_after_and_lose_what_was_given_back(small):
    """Ann's days 35 and 50 lie within (34, 54], 55 does not; 2.5 came back of the order on 50."""
    assert small.outcomes.tolist() == [[1, 2, 8.0 + 9.0 - 2.5], [1, 1, 2.0], [0, 0, 0.0]]


@pytest.fixture(scope="module")
def shop():
    return drawn_shop(customers=1_200, days=1_000)


@pytest.fixture(scope="module")
def late(shop):
    return events_of(shop, "parcel_days_late", at_least=1.0)


@pytest.fixture(scope="module")
def parcels(shop):
    return events_of(shop, "parcel_days_late")


@pytest.fixture(scope="module")
def cohort(shop, late, parcels):
    return event_cohort(shop, late, at_risk=parcels, horizon_days=HORIZON)


def test_a_time_in_which_nobody_ordered_has_outcomes_of_zero():
    """The month from 40 to 70; reference and event on 60, and no order in the ten days after."""
    event = EventDays(np.array(["dan"], dtype=object), np.array([60]))
    cohort = event_cohort(small_shop(), event, horizon_days=10, controls_per_treated=9)
    assert cohort.customer_ids.tolist() == ["dan", "ann", "bob", "cid"]
    assert cohort.outcomes.tolist() == [[0.0, 0.0, 0.0]] * 4


def test_for_what_is_decided_at_the_checkout_controls_stood_there_too():
    """Ann's event is on an order day; before it she ordered on 31, 32 and 33 of the same month, and
    of the others only Cid did, on 40."""
    ledger = small_shop()
    cohort = event_cohort(
        ledger, "tier", at_risk=order_days_of(ledger), horizon_days=20, controls_per_treated=9
    )
    assert cohort.customer_ids.tolist() == ["ann", "ann", "ann", "ann", "cid"]
    assert cohort.treated.tolist() == [True, False, False, False, False]
    assert cohort.day.tolist() == [34, 31, 32, 33, 40]
    # On the eve of the 32nd, what she ordered on 31 had not been given back yet.
    assert of(cohort, "order_days") == [3, 1, 2, 3, 1]


def test_what_may_follow_from_the_event_is_not_among_the_covariates():
    """A parcel ordered on 32, due on 34: the order of 33 tells nothing of who was late. On the eve of
    33 what Ann ordered on 31 still counted."""
    due = EventDays(np.array(["ann"], dtype=object), np.array([34]), np.array([33]))
    cohort = event_cohort(small_shop(), due, horizon_days=20)
    assert cohort.customer_ids.tolist() == ["ann", "bob", "cid", "dan"]
    assert of(cohort, "margin_amount_per_order_day") == [(4 + 3 + 5) / 3, 1, 2, 3]
    assert cohort.outcomes[0].tolist() == [1, 2, 8.0 + 9.0 - 2.5]
    late = EventDays(np.array(["ann"], dtype=object), np.array([34]), np.array([36]))
    with pytest.raises(DataError, match="must not end after"):
        event_cohort(small_shop(), late, horizon_days=20)


def test_a_naive_look_compares_with_everybody_and_the_estimate_with_who_stood_at_a_checkout():
    """On day 34, Ann's, Bob, Cid and Dan were customers without the event; the orders of the month
    before it were Ann's own, and Cid's."""
    ledger = small_shop()
    event = events_of(ledger, "tier")
    event = event.where(event.customer_ids == "ann")
    cohort, among = (
        event_cohort(
            ledger,
            event,
            at_risk=order_days_of(ledger),
            is_naive_among_occasions=flag,
            horizon_days=20,
            controls_per_treated=9,
        )
        for flag in (False, True)
    )
    assert set(cohort.customer_ids[~cohort.treated]) == {"ann", "cid"}
    assert cohort.others.customer_ids.tolist() == ["bob", "cid", "dan"]
    assert cohort.others.outcomes[:, 1].tolist() == [0, 1, 0]
    assert among.others.customer_ids.tolist() == ["ann", "ann", "ann", "cid"]
    of_all, of_occasions = (estimate_effects(one.questions("tier"))[1] for one in (cohort, among))
    # Ann ordered on two days. Of the controls, Ann's 31st was followed by four (32, 34, 35 and 50;
    # what she ordered on 33 was given back), her 32nd by 34, 35 and 50, her 33rd by the same.
    assert of_all.naive.value == pytest.approx(2 - 1 / 3)
    assert (of_all.treated_mean, of_all.others_mean) == pytest.approx((2, 1 / 3))
    assert of_occasions.others_mean == of_occasions.control_mean == pytest.approx(10 / 4)
    assert of_occasions.naive.value == pytest.approx(2 - 10 / 4)


def test_words_of_an_occasion_are_flags_and_those_of_earlier_ones_are_shares():
    ledger = small_shop()
    orders = order_days_of(ledger)
    # Ann ordered on the 31st, 32nd and 33rd by app, app and web; the 34th by app.
    channel = np.where(np.isin(orders.day, (31, 32, 34)), "app", "web").astype(object)
    orders = EventDays(orders.customer_ids, orders.day, None, {"channel": channel})
    event = EventDays(
        np.array(["ann", "bob"], dtype=object),
        np.array([34, 5]),
        None,
        {"channel": np.array(["app", "web"], dtype=object)},
    )
    few = pytest.MonkeyPatch()
    few.setattr("orchestration.science.effects.cohort_rows.FEWEST_OF_GROUP", 1)
    with few.context():
        cohort = event_cohort(
            ledger, event, at_risk=orders, history=orders, horizon_days=20, controls_per_treated=9
        )
    # Bob's, of another month, makes the web a place where the event can come.
    rows = np.isin(cohort.day, (34, 31, 32, 33, 40))
    assert cohort.day[rows].tolist() == [34, 31, 32, 33, 40]
    [flag] = [name for name in cohort.names if name.startswith("channel is")]
    of_web = [0, 0, 0, 1, 1]
    of_app = [1 - one for one in of_web]
    assert np.array(of(cohort, flag))[rows].tolist() == (of_app if "app" in flag else of_web)
    [share] = [name for name in cohort.names if name.startswith("share with")]
    # Before the 34th came 0, 31, 32 and 33; before the 31st only 0; before Cid's 40th his 10th.
    of_app = [2 / 4, 0, 1 / 2, 2 / 3, 0]
    of_web = [1 - one for one in of_app]
    told = np.array(of(cohort, share))[rows].tolist()
    assert told == (of_app if share.endswith("app") else of_web)


def test_nobody_is_compared_who_could_not_have_met_the_event():
    """Ann joined at an account's checkout; Cid's order of the same month was a guest's."""
    ledger = small_shop()
    orders = order_days_of(ledger)
    method = np.where(orders.customer_ids == "cid", "guest", "account").astype(object)
    orders = EventDays(orders.customer_ids, orders.day, None, {"checkout": method})
    joined = orders.where((orders.customer_ids == "ann") & (orders.day == 34))
    cohort = event_cohort(ledger, joined, at_risk=orders, horizon_days=20, controls_per_treated=9)
    assert set(cohort.customer_ids) == {"ann"}
    assert cohort.others.customer_ids.tolist() == ["bob", "cid", "dan"]


def test_outcomes_are_those_that_the_ledger_counts_from_the_same_day(shop, cohort):
    assert cohort.treated.sum() > 200
    for day in np.unique(cohort.day):
        known = shop.known_at(int(day))
        counted = shop.outcomes(known, HORIZON)
        rows = np.flatnonzero(cohort.day == day)
        at = np.searchsorted(known.customer_ids, cohort.customer_ids[rows])
        assert cohort.outcomes[rows, 1].tolist() == counted.order_count[at].tolist()
        assert cohort.outcomes[rows, 2] == pytest.approx(counted.margin_amount[at])
        assert cohort.outcomes[rows, 0].tolist() == (counted.order_count[at] > 0).tolist()


def test_another_future_changes_nothing_that_was_known(shop, late, parcels):
    origin = FIRST_DAY + 800
    other = with_another_future(shop, origin)
    past = [one.where(one.day <= origin) for one in (late, parcels)]
    # Months are counted back from the last day, so that both end where a month does.
    horizon = HORIZON + (shop.until - HORIZON - origin) % 30
    cohort, again = (
        event_cohort(each, past[0], at_risk=past[1], horizon_days=horizon) for each in (shop, other)
    )
    assert cohort.treated.size > 900
    for name in ("customer_ids", "day", "treated", "old_enough", "outcomes_before"):
        assert np.array_equal(getattr(cohort, name), getattr(again, name)), name
    assert cohort.old_enough.sum() > 20
    # The other future holds kinds of events that nobody had met by then.
    for names, columns in (("names", "covariates"), ("recent_names", "recent")):
        before = dict(zip(getattr(cohort, names), getattr(cohort, columns).T, strict=True))
        after = dict(zip(getattr(again, names), getattr(again, columns).T, strict=True))
        assert before.keys() <= after.keys()
        for name, column in after.items():
            met = before.get(name, np.zeros(column.size))
            assert np.array_equal(met, column, equal_nan=True), name
    # The outcomes did change: the other future is another one.
    assert not np.array_equal(
        event_cohort(shop, past[0], at_risk=past[1], horizon_days=5).outcomes,
        event_cohort(other, past[0], at_risk=past[1], horizon_days=5).outcomes,
    )


def test_a_ledger_cut_three_months_ago_tells_the_same_of_the_months_before(
    shop, late, parcels, cohort
):
    ended = shop.until - 90
    past = [one.where(one.day <= ended) for one in (late, parcels)]
    again = event_cohort(shop.known_at(ended), past[0], at_risk=past[1], horizon_days=HORIZON)
    rows = cohort.day <= ended - HORIZON
    assert 500 < rows.sum() < rows.size

    def by_row(one, chosen):
        return {
            (who, day, flag): (tuple(known), tuple(came))
            for who, day, flag, known, came in zip(
                one.customer_ids[chosen],
                one.day[chosen].tolist(),
                one.treated[chosen].tolist(),
                np.nan_to_num(one.covariates[chosen], nan=-1).tolist(),
                one.outcomes[chosen].tolist(),
                strict=True,
            )
        }

    assert cohort.names == again.names
    assert by_row(cohort, rows) == by_row(again, slice(None))


def test_controls_met_a_parcel_on_their_day_and_no_late_one_before(late, parcels, cohort):
    first = {}
    for who, day in zip(late.customer_ids, late.day, strict=True):
        first[who] = min(day, first.get(who, day))
    met = set(zip(parcels.customer_ids, parcels.day.tolist(), strict=True))
    rows = zip(cohort.customer_ids, cohort.day.tolist(), cohort.treated, strict=True)
    for who, day, treated in rows:
        assert (who, day) in met
        if treated:
            assert first[who] == day
        else:
            assert who not in first or first[who] > day
    future = sum(one in first for one in cohort.customer_ids[~cohort.treated])
    assert future > 50, "who will have the event later is a control until then"


def test_there_are_as_many_controls_as_asked_for_in_every_month(shop, late):
    cohort = event_cohort(shop, late, horizon_days=HORIZON, controls_per_treated=2)
    month = (shop.until - HORIZON - cohort.day) // 30
    for one in np.unique(month)[:-5]:
        inside = month == one
        treated = int(cohort.treated[inside].sum())
        assert int((~cohort.treated[inside]).sum()) == 2 * treated
        days = set(cohort.day[inside & cohort.treated].tolist())
        assert set(cohort.day[inside & ~cohort.treated].tolist()) <= days


def test_a_large_number_of_treated_is_drawn_by_lot(shop, late):
    few = event_cohort(shop, late, horizon_days=HORIZON, most_treated=100)
    again = event_cohort(shop, late, horizon_days=HORIZON, most_treated=100)
    assert 50 < few.treated.sum() <= 100
    assert few.customer_ids.tolist() == again.customer_ids.tolist()
    assert np.array_equal(few.covariates, again.covariates, equal_nan=True)


def test_the_placebo_asks_about_days_that_its_covariates_do_not_tell(shop, cohort):
    """Orders of the far past, changed, move the placebo's outcome and no covariate of its own."""
    old = cohort.old_enough
    known = cohort.known_before[old]
    who, day = shop.customer_ids[shop.orders.customer], shop.orders.day
    assert old.sum() > 100
    for row in range(0, int(old.sum()), 37):
        own = day[who == cohort.customer_ids[old][row]]
        # Recent are some days up to the eve; the 90 days before those are asked about.
        recent = known[row] - cohort.recent_days
        lately = own[(own >= recent) & (own < known[row])]
        inside = own[(own >= recent - PLACEBO_DAYS) & (own < recent)]
        assert cohort.outcomes_before[row, 1] == np.unique(inside).size
        assert own.min() < recent - PLACEBO_DAYS
        at = cohort.recent_names.index("order_days")
        assert cohort.recent[row, at] == np.unique(lately).size


def test_the_placebo_is_given_as_many_days_as_leave_enough_treated_from_before(shop, late):
    """A hundred, if the shop has them; how many there are is counted from the first orders."""
    born = {}
    who = shop.customer_ids[shop.orders.customer]
    for one, day in zip(who, shop.orders.day.tolist(), strict=True):
        born[one] = min(day, born.get(one, day))

    def aged(cohort, days):
        age = [
            day - born[one]
            for one, day in zip(
                cohort.customer_ids[cohort.treated],
                cohort.known_before[cohort.treated],
                strict=True,
            )
        ]
        return sum(one > days + PLACEBO_DAYS for one in age)

    for part in (late, late.where(late.customer_ids < "c00500")):
        cohort = event_cohort(shop, part, horizon_days=HORIZON)
        enough = [days for days in (365, 180, 90) if aged(cohort, days) >= 100]
        assert cohort.recent_days == (enough or [90])[0]
        assert int((cohort.treated & cohort.old_enough).sum()) == aged(cohort, cohort.recent_days)


def test_late_parcels_drive_away_and_parcels_drawn_by_lot_do_not(shop, parcels, cohort):
    """In this shop most people never order again after a late parcel, which comes by chance."""
    real = estimate_effects(cohort.questions("late_parcel"), settings=ONCE)[0]
    assert real.outcome_name == "ordered_60d"
    assert real.is_identified, real.verdict
    assert real.adjusted.interval_95[1] < -0.2
    lot = np.random.default_rng(8).random(parcels.day.size) < 0.25
    by_lot = EventDays(parcels.customer_ids[lot], parcels.day[lot])
    harmless = event_cohort(shop, by_lot, at_risk=parcels, horizon_days=HORIZON)
    for effect in estimate_effects(harmless.questions("lot"), settings=ONCE):
        assert effect.is_identified, effect.verdict
        assert abs(effect.adjusted.value) < 3 * effect.adjusted.standard_error


def test_an_event_too_young_to_judge_leaves_no_rows(shop):
    young = EventDays(shop.customer_ids[:5], np.full(5, shop.until - 10))
    cohort = event_cohort(shop, young, horizon_days=HORIZON)
    assert cohort.treated.size == 0
    for effect in estimate_effects(cohort.questions("young")):
        assert effect.verdict == "not identified: there are no customers"


def test_strangers_are_no_customers(shop, late):
    ids = np.concatenate([late.customer_ids, np.array(["a stranger", "zz"], dtype=object)])
    more = EventDays(ids, np.concatenate([late.day, [FIRST_DAY + 300] * 2]))
    one, other = (event_cohort(shop, each, horizon_days=HORIZON) for each in (late, more))
    assert one.customer_ids.tolist() == other.customer_ids.tolist()


def test_an_event_that_the_shop_does_not_deliver_is_named(shop):
    with pytest.raises(DataError, match="there are no events tier; there are parcel_days_late"):
        event_cohort(shop, "tier")
    with pytest.raises(DataError, match="must be positive"):
        event_cohort(shop, "parcel_days_late", horizon_days=0)
    with pytest.raises(DataError, match="2 customers but 1 days"):
        event_cohort(shop, EventDays(shop.customer_ids[:2], np.array([1])))
    empty = replace(shop, events={})
    with pytest.raises(DataError, match="there are none"):
        event_cohort(empty, "tier")
