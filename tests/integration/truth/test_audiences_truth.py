"""The audiences of the sample shop beside what plain Python counts from the delivered files.

Only who is one person comes from the warehouse: `int_identity__map` has tests of its own.
"""

import hashlib
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from raw_files import Row, moment, newest_of, rows_of

AS_OF = date(2025, 12, 31)
NIGHT = datetime(2026, 1, 1)
SILENCE = timedelta(minutes=30)


@pytest.fixture(scope="module")
def inbox(sample_shop) -> Path:
    return sample_shop.data / "inbox"


@pytest.fixture(scope="module")
def persons(sample_shop) -> dict[str, str]:
    """Account as delivered, or a guest's address, to living customer; tests and erased persons are left out."""
    return dict(
        sample_shop.warehouse.query(
            "select source_customer_id, customer_id from intermediate.int_identity__map"
            " where not is_test and not is_erased"
        )
    )


@pytest.fixture(scope="module")
def members(sample_shop) -> list[Row]:
    names = (
        "audience", "customer_id", "channel", "variant_id", "arm", "exclusion_reason", "explanation",
        "is_included", "is_transactional", "occasion_date",
    )  # fmt: skip
    rows = sample_shop.warehouse.query(f"select {', '.join(names)} from marts.fct_audience_members")
    return [dict(zip(names, row, strict=True)) for row in rows]


def candidates(members: list[Row], audience: str, *columns: str) -> set[tuple]:
    return {
        tuple(row[column] for column in ("customer_id", *columns))
        for row in members
        if row["audience"] == audience
    }


def source_of(order: Row) -> str | None:
    """The account of an order, or of a guest the hash that stands for the address."""
    if order["customer_id"] is not None or order["email"] is None:
        return order["customer_id"]
    name, _, host = str(order["email"]).strip().lower().partition("@")
    address = f"{name.split('+')[0]}@{host}"
    hashed = hashlib.sha256(address.encode()).hexdigest()
    return "guest:" + hashlib.md5(hashed.encode()).hexdigest()


def test_birthdays_are_those_of_the_coming_week(inbox, persons, members):
    newest: dict[str, Row] = {}
    for account, row in newest_of(inbox, "customers", "customer_id", "updated_at").items():
        if account in persons and row["birth_month"] and row["birth_day"]:
            before = newest.get(persons[account])
            if before is None or moment(row["updated_at"]) > moment(before["updated_at"]):
                newest[persons[account]] = row
    days = {AS_OF + timedelta(days=ahead) for ahead in range(1, 8)}
    born = {
        (person,)
        for person, row in newest.items()
        if any((int(row["birth_month"]), int(row["birth_day"])) == (d.month, d.day) for d in days)
    }
    assert len(born) > 5
    assert candidates(members, "birthday") == born


def test_renewals_are_the_years_and_trials_that_end_within_two_weeks(inbox, persons, members):
    terms = defaultdict(list)
    for term in newest_of(inbox, "membership_terms", "membership_term_id").values():
        if term["payment_status"] not in ("failed", "refunded") and term["term_start"] <= str(
            AS_OF
        ):
            terms[term["membership_id"]].append(term)
    ending = set()
    for name, row in newest_of(inbox, "memberships", "membership_id", "updated_at").items():
        last = max(terms[name], key=lambda term: term["term_start"], default=None)
        if last is None or row["cancel_requested_at"] or row["status"] == "ended":
            continue
        days = (date.fromisoformat(last["term_end"]) - AS_OF).days
        if last["billing_period"] != "monthly" and 0 < days <= 14 and row["customer_id"] in persons:
            ending.add((persons[row["customer_id"]], AS_OF + timedelta(days=days - 14)))
    assert len(ending) > 5
    assert candidates(members, "renewal", "occasion_date") == ending


@pytest.fixture(scope="module")
def visits(inbox, persons) -> dict[str, list[Row]]:
    """The events of each customer of the last 14 days' visits in which the shop knew who it was."""
    sold = {}
    for name, order in newest_of(inbox, "orders", "order_id", "updated_at").items():
        sold[name] = persons.get(source_of(order) or "")
    sessions: list[list[Row]] = []
    last: dict[tuple, tuple] = {}
    events = newest_of(inbox, "web_events", "event_id").values()
    for event in sorted(events, key=lambda e: (moment(e["event_at"]), e["event_id"])):
        when = moment(event["event_at"])
        key = (event["anonymous_id"] or f"account {event['customer_id']}", event["session_id"])
        before = last.get(key)
        if before is None or (key[1] is None and when - before[0] >= SILENCE):
            sessions.append([])
            before = (when, len(sessions) - 1)
        sessions[before[1]].append(event)
        last[key] = (when, before[1])
    known = defaultdict(list)
    for session in sessions:
        named = {event["customer_id"] for event in session if event["customer_id"]}
        people = {persons.get(account) for account in named} or {
            sold.get(event["order_id"]) for event in session if event["event_type"] == "purchase"
        }
        if len(people) == 1 and None not in people and session[0]["device_type"] != "bot":
            known[people.pop()] += session
    return known


@pytest.fixture(scope="module")
def bought(inbox, persons, visits) -> dict[str, datetime]:
    """When each customer bought last, by the orders or by the page of thanks."""
    found: dict[str, datetime] = {}
    moments = [
        (persons.get(source_of(order) or ""), moment(order["ordered_at"]))
        for order in newest_of(inbox, "orders", "order_id", "updated_at").values()
        if order["status"] not in ("pending", "fraud", "cancelled") and order["is_test"] != "true"
    ]
    moments += [
        (person, moment(event["event_at"]))
        for person, events in visits.items()
        for event in events
        if event["event_type"] == "purchase"
    ]
    for person, when in moments:
        found[person] = max(when, found.get(person, when))
    return found


def since_the_last_purchase(visits, bought, days: int) -> dict[str, list[Row]]:
    """What customers who have left the shop did on it in so many days, and after they bought last."""
    first = NIGHT - timedelta(days=days)
    return {
        person: [
            event
            for event in events
            if moment(event["event_at"]) > max(first, bought.get(person, first))
        ]
        for person, events in visits.items()
        if max(moment(event["event_at"]) for event in events) < NIGHT - SILENCE
    }


def test_whoever_only_looked_is_retargeted(visits, bought, members):
    looked = {
        (person, max(views, key=lambda e: (moment(e["event_at"]), e["event_id"]))["variant_id"])
        for person, events in since_the_last_purchase(visits, bought, 14).items()
        if (views := [event for event in events if event["event_type"] == "product_view"])
    }
    assert len(looked) > 20
    assert candidates(members, "retargeting", "variant_id") == looked


def test_whoever_left_something_in_the_basket_is_reminded_of_it(visits, bought, members):
    left = set()
    for person, events in since_the_last_purchase(visits, bought, 3).items():
        basket: dict[object, int] = defaultdict(int)
        for event in events:
            sign = {"add_to_cart": 1, "remove_from_cart": -1}.get(str(event["event_type"]), 0)
            basket[event["variant_id"]] += sign * int(event["quantity"] or 1)
        if any(units > 0 for units in basket.values()):
            left.add((person,))
    assert left
    assert candidates(members, "abandoned_cart") == left


def test_nobody_is_left_out_for_want_of_a_consent_who_gave_it_and_nobody_else_is_in(
    inbox, persons, members
):
    """Of several accounts each one's last word counts, and the strictest of them decides."""
    strictest_last = ["granted", "pending", "bounced", "withdrawn", "complained"]
    words = [
        (moment(row["event_at"]), strictest_last.index(row["status"]), row)
        for row in newest_of(inbox, "consents", "consent_event_id").values()
        if row["channel"] == "email" and row["status"] in strictest_last
    ]
    stopped = {
        row["customer_id"]: moment(row["received_at"])
        for row in newest_of(inbox, "privacy_requests", "request_id").values()
        if row["request_type"] in ("erasure", "restrict", "opt_out_marketing")
    }
    last: dict[tuple, str] = {}
    for when, _, row in sorted(words, key=lambda word: word[:2]):
        for purpose in ("marketing", "profiling"):
            closes = (
                row["status"] in ("bounced", "complained")
                and (
                    row["customer_id"],
                    purpose,
                )
                in last
            )
            if row["purpose"] == purpose or closes:
                status = row["status"]
                if when <= stopped.get(row["customer_id"], datetime.min):
                    status = "withdrawn"
                last[row["customer_id"], purpose] = str(status)
    said = defaultdict(set)
    for (account, purpose), status in last.items():
        if account in persons:
            said[persons[account], purpose].add(status)
    judged = [
        row
        for row in members
        if row["channel"] == "email"
        and not row["is_transactional"]
        and row["exclusion_reason"] not in ("test_account", "erased", "no_channel")
    ]
    profiled = {
        "abandoned_cart", "reminder", "winback_reactivated", "accessory_cross_sell", "vip", "reengagement",
    }  # fmt: skip
    wrong = [
        (row["audience"], row["customer_id"], row["explanation"])
        for row in judged
        if (row["exclusion_reason"] != "no_consent")
        != (
            said[row["customer_id"], "marketing"] == {"granted"}
            and not (
                row["audience"] in profiled
                and said[row["customer_id"], "profiling"] & {"withdrawn", "complained"}
            )
        )
    ]
    assert len(judged) > 1000
    assert wrong == []


def test_arms_are_the_lots_of_a_hash_that_any_language_draws(sample_shop, members):
    def lot(scope: str, customer: str) -> float:
        digits = hashlib.md5(f"retention|{scope}|{customer}".encode()).hexdigest()[:8]
        return int(digits, 16) / 2**32

    kept_out_by_experiment = dict(
        sample_shop.warehouse.query(
            "select distinct customer_id, true from marts.fct_experiment_assignments"
            " where experiment_id = 'X01' and is_holdout"
        )
    )
    wrong = [
        row
        for row in members
        if not row["is_transactional"]
        and (row["arm"] == "holdout")
        != (
            lot("everything", row["customer_id"]) < 0.05
            or lot(row["audience"], row["customer_id"]) < 0.10
            or row["customer_id"] in kept_out_by_experiment
        )
    ]
    assert kept_out_by_experiment
    assert {row["arm"] for row in members if not row["is_transactional"]} == {"treated", "holdout"}
    assert wrong == []


def test_the_cap_counts_the_messages_of_the_delivered_files(inbox, persons, members):
    promotions = {
        name
        for name, row in newest_of(inbox, "campaigns", "campaign_id").items()
        if row["is_transactional"] != "true" and row["channel"] != "ads"
    }
    sent = defaultdict(set)
    for event in rows_of(inbox, "message_events"):
        if (
            event["event_type"] == "sent"
            and event["campaign_id"] in promotions
            and moment(event["event_at"]) >= NIGHT - timedelta(days=7)
            and event["customer_id"] in persons
        ):
            sent[persons[event["customer_id"]]].add(event["message_id"])
    included = {row["customer_id"] for row in members if row["is_included"] and row["arm"]}
    assert any(len(messages) >= 2 for messages in sent.values())
    assert [person for person in included if len(sent[person]) >= 2] == []


def test_a_message_names_the_list_that_it_was_sent_to(sample_shop, inbox):
    """What a sender calls by an audience's name is known by it the next night."""
    lists = defaultdict(set)
    for event in rows_of(inbox, "message_events"):
        if event["audience_id"] is not None:
            lists[event["message_id"]].add(event["audience_id"])
    told = dict(
        sample_shop.warehouse.query(
            "select message_id, audience_id from marts.fct_messages where audience_id is not null"
        )
    )
    assert len(told) > 1000
    assert {name for name, audience in told.items() if lists[name] != {audience}} == set()
    assert len(set(told.values())) == len(set().union(*lists.values()))
