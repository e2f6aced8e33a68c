"""Friends and the cost of new customers in the sample shop beside what its generator hid."""

import csv
import json
import math
from datetime import date

import pytest

from tests.shared import TRUTH

CHANNELS = ("search", "social", "referral", "email", "direct", "store")
"""In the order of the generator's parameters."""


def rows_of(name: str) -> list[dict[str, str]]:
    with (TRUTH / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def persons_of_customer(sample_shop) -> dict[str, set[str]]:
    """The hidden persons behind each customer of the warehouse: two where an address is shared."""
    person = {row["customer_id"]: row["person_id"] for row in rows_of("accounts.csv")}
    found: dict[str, set[str]] = {}
    for account, customer in sample_shop.warehouse.query(
        "select source_customer_id, customer_id from intermediate.int_identity__map"
    ):
        if account in person:
            found.setdefault(customer, set()).add(person[account])
    return found


def test_the_customers_brought_by_friends_are_those_that_the_generator_sent(
    sample_shop, persons_of_customer
):
    """Both ways, among customers with a valid order who are one hidden person and not erased."""
    sent = {row["person_id"] for row in rows_of("people.csv") if row["is_referred"] == "true"}
    judged = {
        customer: persons_of_customer[customer]
        for (customer,) in sample_shop.warehouse.query(
            "select customer_id from intermediate.int_purchases__customers"
        )
        if len(persons_of_customer.get(customer, ())) == 1
    }
    told = {
        customer
        for (customer,) in sample_shop.warehouse.query(
            "select referred_customer_id from marts.fct_referrals where has_brought_a_customer"
        )
    }
    hidden = {customer for customer, persons in judged.items() if persons <= sent}
    assert len(hidden) > 200
    assert told & judged.keys() == hidden


def test_a_new_customer_costs_by_channel_what_the_generator_spent_on_one(sample_shop):
    """Within three standard errors of the number of customers that happened to come; guests tell no channel."""
    spending = json.loads((TRUTH / "truth.json").read_text())["parameters"]["spending"]
    opened = date.fromisoformat(json.loads((TRUTH / "truth.json").read_text())["start_date"])
    months = sample_shop.warehouse.query("""
        select channel, month_start, acquisition_spend_amount, new_customers from marts.fct_acquisition_costs
        where is_complete and not is_left_truncated""")
    come = sum(number for channel, _, _, number in months if channel == "all")
    nameless = sum(number for channel, _, _, number in months if channel == "unknown")
    costs = zip(
        CHANNELS, spending["cost_per_new_customer"], spending["cost_growth_per_year"], strict=True
    )
    judged = 0
    for channel, cost, growth in costs:
        if cost == 0:
            continue
        rows = [row for row in months if row[0] == channel]
        customers = sum(number for *_, number in rows)
        # What the customers who came would have cost; those who are nameless came by all channels alike.
        hidden = sum(
            number * cost * growth ** ((month - opened).days / 365.25)
            for _, month, _, number in rows
        ) * (1 + nameless / (come - nameless))
        spent = float(sum(amount for _, _, amount, _ in rows))
        assert abs(math.log(spent / hidden)) < 3 / math.sqrt(customers), channel
        judged += 1
    assert judged == 4
