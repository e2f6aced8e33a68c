"""Who the warehouse takes for one person, against the people behind the sample shop's accounts."""

import csv
from collections import defaultdict

from tests.shared import TRUTH


def test_two_accounts_are_one_customer_exactly_where_one_person_made_them(sample_shop):
    """Typed in other case, with blanks or with a +label; and the till's address, under which many people stand."""
    with (TRUTH / "accounts.csv").open(newline="") as file:
        person_of_account = {row["customer_id"]: row["person_id"] for row in csv.DictReader(file)}
    accounts = sample_shop.warehouse.query(
        "select source_customer_id, customer_id from intermediate.int_identity__map"
    )
    people_of_customer, customers_of_person = defaultdict(set), defaultdict(set)
    for account, customer in accounts:
        if account in person_of_account:
            people_of_customer[customer].add(person_of_account[account])
            customers_of_person[person_of_account[account]].add(customer)
    assert len(customers_of_person) == len(set(person_of_account.values())) > 2_500
    assert {c: p for c, p in people_of_customer.items() if len(p) > 1} == {}
    assert {p: c for p, c in customers_of_person.items() if len(c) > 1} == {}


def test_the_shops_own_test_accounts_are_no_customers(sample_shop):
    flagged = sample_shop.warehouse.query(
        "select customer_id from staging.stg_customers where is_test and not is_deleted"
    )
    assert len(flagged) >= 1
    _, rows = sample_shop.serving.query("select customer_id from dim_customers")
    assert {row[0] for row in flagged} & {row[0] for row in rows} == set()
