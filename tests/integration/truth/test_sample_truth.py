"""The built sample shop against what its generator hid: rows, defects, the buying process, return habits, the future.

`make truth` prints the figures side by side.
"""

import csv
import json
import math

import numpy as np
import pytest

from tests.shared import TRUTH

SUMMARY = json.loads((TRUTH / "truth.json").read_text())
# A figure may lie this many standard errors from its truth: one false alarm in 16,000.
STANDARD_ERRORS = 4


def rows_of(name: str) -> list[dict[str, str]]:
    with (TRUTH / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def person_of_customer(sample_shop) -> dict[str, str]:
    """The hidden person behind each customer of the warehouse."""
    person_of_account = {row["customer_id"]: row["person_id"] for row in rows_of("accounts.csv")}
    accounts = sample_shop.warehouse.query(
        "select source_customer_id, customer_id from intermediate.int_identity__map"
    )
    return {
        customer: person_of_account[account]
        for account, customer in accounts
        if account in person_of_account
    }


def test_every_landed_row_ends_where_the_generator_says(sample_shop):
    _, rows = sample_shop.serving.query(
        "select source_table, landed_rows, staged_rows, superseded_rows, quarantined_rows"
        " from fct_source_conservation"
    )
    expected = {
        (table, *(counts[name] for name in ("landed", "staged", "superseded", "quarantined")))
        for table, counts in SUMMARY["rows"].items()
    }
    assert {tuple(row) for row in rows} == expected


def test_every_planted_defect_is_quarantined_for_its_reason(sample_shop):
    quarantined = sample_shop.warehouse.query(
        "select source_table, source_file, coalesce(source_key, ''), reasons from quarantine.rows"
    )
    unexplained = []
    planted = [row for row in rows_of("planted_defects.csv") if row["outcome"] == "quarantined"]
    for row in planted:
        words = {
            "columns": "values and the header has",
            "parent": f"{row['column']} has no row in",
            "type": f"{row['column']} is not a",
            "required": f"{row['column']} is missing",
            "accepted": f"{row['column']} is not an accepted value",
            "at_least": f"{row['column']} is below",
        }.get(row["rule"], row["rule"].replace("_", " ") + " does not hold")
        found = any(
            table == row["table"] and file == row["file"] and words in reasons
            for table, file, key, reasons in quarantined
            if not row["key"] or not key or row["key"].split("|")[0] == key.split("|")[0]
        )
        if not found:
            unexplained.append((row["table"], row["key"], row["kind"], words))
    assert unexplained == []
    assert len(planted) == len(quarantined)


def test_the_fitted_buying_process_is_the_hidden_one(sample_shop):
    """BG/NBD runs in the generator's operational time: season and membership stretch it and thin a few orders away,
    so r, a and b are compared as they are and alpha in weeks."""
    _, rows = sample_shop.serving.query(
        "select parameter, parameter_value, standard_error from fct_model_fits where model_name = 'bgnbd'"
    )
    hidden = SUMMARY["parameters"]["purchasing"]
    print("\nBG/NBD     fitted   +-      hidden")
    wrong = []
    for parameter, estimate, error in rows:
        scale = 7 if parameter == "alpha" else 1
        estimate, error = estimate / scale, error / scale
        print(f"  {parameter:8} {estimate:7.3f} {error:7.3f} {hidden[parameter]:7.3f}")
        if abs(estimate - hidden[parameter]) > STANDARD_ERRORS * error:
            wrong.append((parameter, estimate, error, hidden[parameter]))
    assert len(rows) == 4
    assert wrong == []


def test_the_expected_orders_meet_the_orders_that_came(sample_shop, person_of_customer):
    """The generator lived on for a year after the last day; nothing of that year is in the files."""
    came = {row["person_id"]: int(row["orders_next_365_days"]) for row in rows_of("people.csv")}
    _, rows = sample_shop.serving.query(
        "select customer_id, expected_orders_365d from fct_customer_value"
    )
    expected: dict[str, float] = {}
    for customer, orders in rows:
        person = person_of_customer.get(customer)
        if person in came:
            expected[person] = expected.get(person, 0.0) + orders
    total, actual = sum(expected.values()), sum(came[person] for person in expected)
    print(f"\nOrders of the next 365 days: expected {total:,.0f}, came {actual:,}")
    # Counts scatter by their root, clustered orders of one person by more; the model knows no trend.
    assert len(expected) > 2_500
    assert abs(total / actual - 1) < 0.10
    ranked = sorted(expected, key=expected.__getitem__, reverse=True)
    top = sum(came[person] for person in ranked[: len(ranked) // 10]) / actual
    print(f"  the tenth that was expected to order most made {top:.0%} of them")
    assert top > 0.3


def test_lines_come_back_as_often_as_each_tenth_of_the_people_is_inclined_to(
    sample_shop, person_of_customer
):
    """People in ten groups by hidden inclination; the generator's probability of each line (inclination x category)
    says how many of a group's lines should be asked back. Orders of the last 90 days still have time."""
    _, rows = sample_shop.serving.query(
        "select lines.customer_id, count(*), count(*) filter (where returns.requested_quantity > 0)"
        " from fct_order_lines as lines"
        " join fct_orders as orders on lines.order_id = orders.order_id"
        " left join fct_returns as returns on lines.order_line_id = returns.order_line_id"
        " where orders.is_sale and not orders.is_exchange"
        " and not lines.is_gift_card and not lines.is_gift_insert"
        " and orders.ordered_date < orders.as_of_date - 90"
        " group by 1"
    )
    inclination = {
        row["person_id"]: float(row["return_propensity"]) for row in rows_of("people.csv")
    }
    of_customers = [
        float(row["return_propensity"])
        for row in rows_of("people.csv")
        if row["kind"] == "customer"
    ]
    edges = np.quantile(of_customers, np.arange(1, 10) / 10)
    lines, returned = np.zeros(10), np.zeros(10)
    for customer, line_count, returned_count in rows:
        person = person_of_customer.get(customer)
        if person in inclination:
            tenth = int(np.searchsorted(edges, inclination[person], side="right"))
            lines[tenth] += line_count
            returned[tenth] += returned_count

    hidden = SUMMARY["lines_by_propensity_tenth"]
    wrong = []
    print("\nTenth   lines  asked back   share   hidden")
    for tenth, truth in enumerate(hidden):
        share, probability = returned[tenth] / lines[tenth], truth["expected"] / truth["arrived"]
        print(
            f"  {tenth + 1:4} {lines[tenth]:7.0f} {returned[tenth]:11.0f} {share:7.1%} {probability:8.1%}"
        )
        error = math.sqrt(probability * (1 - probability) / lines[tenth])
        if abs(share - probability) > STANDARD_ERRORS * error:
            wrong.append((tenth + 1, share, probability))
    assert lines.sum() > 10_000
    assert wrong == []
