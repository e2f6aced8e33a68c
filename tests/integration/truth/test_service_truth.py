"""Bad events and tickets of the sample shop beside what its generator did to its customers."""

import csv
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.shared import TRUTH


def rows_of(name: str) -> list[dict[str, str]]:
    with (TRUTH / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def persons_of_customer(sample_shop) -> dict[str, set[str]]:
    """The hidden persons behind each customer of the warehouse."""
    person_of_account = {row["customer_id"]: row["person_id"] for row in rows_of("accounts.csv")}
    found: dict[str, set[str]] = {}
    for account, customer in sample_shop.warehouse.query(
        "select source_customer_id, customer_id from intermediate.int_identity__map"
    ):
        if account in person_of_account:
            found.setdefault(customer, set()).add(person_of_account[account])
    return found


def exposed(kind: str) -> list[tuple[str, datetime]]:
    """Persons to whom something of a kind happened, and when it first did, in UTC."""
    found = [
        (row["person_id"], datetime.fromisoformat(row["happened_at"]))
        for row in rows_of("exposures.csv")
        if row["kind"] == kind
    ]
    assert len(found) > 100, f"the sample shop exposes nearly nobody to {kind}"
    return found


def missing(kind: str, found: list[tuple], persons_of_customer) -> list[tuple]:
    """Exposures without a row of (customer, moment) in the warehouse.

    Whoever checks out as a guest, without an account or by the mailbox of a till, is nobody's account: of
    them the row must be there at that moment, of a guest.
    """
    seen = {
        (person, moment)
        for customer, moment in found
        for person in persons_of_customer.get(customer, ())
    }
    by_guests = {moment for customer, moment in found if customer not in persons_of_customer}
    return [
        (person, moment)
        for person, moment in exposed(kind)
        if (person, moment) not in seen and moment not in by_guests
    ]


def test_every_late_parcel_that_the_generator_remembers_is_a_bad_event_of_that_day(
    sample_shop, persons_of_customer
):
    """The generator dates it by the midnight that ends the promised day, the warehouse by that day."""
    zone = ZoneInfo(sample_shop.settings.business_constant("shop_timezone"))
    rows = sample_shop.warehouse.query(
        "select customer_id, happened_date from intermediate.int_service__bad_events"
        " where event_type = 'late_delivery'"
    )
    midnights = []
    for customer, day in rows:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
        midnights.append((customer, midnight.astimezone(UTC).replace(tzinfo=None)))
    assert missing("late_parcel", midnights, persons_of_customer) == []


def test_every_ticket_that_went_badly_is_there_with_the_moment_it_was_opened(
    sample_shop, persons_of_customer
):
    _, rows = sample_shop.serving.query("select customer_id, opened_at from fct_support_tickets")
    assert missing("bad_ticket", rows, persons_of_customer) == []


def test_every_recovery_is_a_ticket_settled_with_a_compensation(sample_shop, persons_of_customer):
    _, rows = sample_shop.serving.query(
        "select customer_id, resolved_at from fct_support_tickets where is_compensated"
    )
    assert missing("recovery", rows, persons_of_customer) == []
