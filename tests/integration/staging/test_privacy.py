"""Nothing that leaves the warehouse names an erased person: every text of every published table is looked through."""

import csv

import duckdb
import pytest

from tests.shared import TRUTH


def accounts_of_people_who_asked(shop, legal_hold: str) -> list[str]:
    """All accounts of persons with a completed erasure, or one that a law holds, by who made them in truth."""
    asked = {
        account
        for (account,) in shop.warehouse.query(
            "select customer_id from staging.stg_privacy_requests where request_type = 'erasure' "
            f"and not is_deleted and {legal_hold}"
        )
    }
    with (TRUTH / "accounts.csv").open(newline="") as file:
        person_of = {row["customer_id"]: row["person_id"] for row in csv.DictReader(file)}
    people = {person_of[account] for account in asked if account in person_of}
    return sorted(account for account, person in person_of.items() if person in people)


def tables_that_name(shop, accounts: list[str]) -> dict[str, int]:
    """Published tables with the number of their texts that are one of the accounts, or that hold it in a longer key."""
    found = {}
    with duckdb.connect(str(shop.serving.current_file()), read_only=True) as published:
        columns = published.execute(
            "select table_schema || '.' || table_name, column_name from information_schema.columns"
            " where data_type = 'VARCHAR' and table_catalog = current_database()"
        ).fetchall()
        published.execute("create temp table names as select unnest($1) as name", [accounts])
        for table, column in columns:
            ((count,),) = published.execute(
                f'select count(*) from {table} where "{column}" in (select name from names) '
                f"or split_part(\"{column}\", '|', 1) in (select name from names)"
            ).fetchall()
            if count:
                found[f"{table}.{column}"] = count
    return found


@pytest.fixture(scope="module")
def erased(sample_shop) -> list[str]:
    accounts = accounts_of_people_who_asked(
        sample_shop, "completed_at is not null and not legal_hold"
    )
    assert len(accounts) >= 5
    return accounts


def test_no_published_table_names_an_erased_person(sample_shop, erased):
    assert tables_that_name(sample_shop, erased) == {}


def test_whom_a_law_forbids_to_erase_is_found_by_the_same_search(sample_shop):
    held = accounts_of_people_who_asked(sample_shop, "legal_hold")
    found = tables_that_name(sample_shop, held)
    assert {"marts.dim_customers.customer_id", "marts.fct_orders.source_customer_id"} <= set(found)


def test_the_orders_of_an_erased_person_stay_in_the_books(sample_shop, erased):
    """The money is there, under a name that is made of the request."""
    listed = ", ".join(f"'{account}'" for account in erased)
    ((ordered,),) = sample_shop.warehouse.query(
        f"select count(*) from staging.stg_orders where customer_id in ({listed}) and not is_deleted"
    )
    _, rows = sample_shop.serving.query(
        "select count(*) from fct_orders where customer_id like 'erased:%'"
    )
    assert rows[0][0] >= ordered > 0
