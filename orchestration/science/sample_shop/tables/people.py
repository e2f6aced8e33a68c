"""The customers table, and addresses as they were typed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.science.sample_shop.columns import flags, keys, labels, moments
from orchestration.science.sample_shop.facts.people import (
    ACCOUNT_STATES,
    ACQUISITION_CHANNELS,
    CASE,
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
    SPACE,
    TAG,
    TESTER,
)
from orchestration.science.sample_shop.facts.products import CURRENCIES, CURRENCY_OF_COUNTRY
from orchestration.science.sample_shop.shop_time import NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.tables.numbers import account_numbers, begun

REGIONS = ("England", "Scotland", "Wales", "Northern Ireland")
TILL_EMAIL = "till@shop.example"


def emails(facts: Facts, person: Integers, spelling: Integers) -> pa.Array:
    """Return the address of each person as it was typed; null where the spelling is -1."""
    people = facts.people
    first = labels(people.first_name[person], [_ascii(one) for one in FIRST_NAMES])
    last = labels(people.last_name[person], [_ascii(one) for one in LAST_NAMES])
    number = pa.array(facts.offsets.people + person + 1).cast(pa.string())
    local = pc.binary_join_element_wise(first, last, number, ".")
    tagged = pc.if_else(
        pa.array(spelling == TAG), pc.binary_join_element_wise(local, "shop", "+"), local
    )
    typed = pc.binary_join_element_wise(tagged, "example.com", "@")
    typed = pc.if_else(pa.array(people.uses_till_email[person]), TILL_EMAIL, typed)
    typed = pc.if_else(pa.array(spelling == CASE), pc.utf8_upper(typed), typed)
    blank = pc.binary_join_element_wise(" ", typed, " ", "")
    typed = pc.if_else(pa.array(spelling == SPACE), blank, typed)
    return pc.if_else(pa.array((spelling >= 0) & (person >= 0)), typed, None)


def _ascii(name: str) -> str:
    return name.lower().translate(str.maketrans("éëçøüáúíèö", "eecouauieo", "’"))


def customers(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per account."""
    accounts, people = facts.accounts, facts.people
    numbers = account_numbers(facts)
    row = begun(accounts.created, numbers, before)
    person, state = accounts.person[row], accounts.state[row]
    country = people.country[person]
    updated = accounts.profile_updated[row]
    # The update of a profile is what adds the phone number.
    is_changed = updated < before
    has_phone = np.where(updated < NEVER, is_changed, accounts.has_phone[row])
    digits = pa.array(7_700_900_000 + (facts.offsets.people + person) % 1_000_000).cast(pa.string())
    phone = pc.binary_join_element_wise("+44", digits, " ")
    birth_month, birth_day = accounts.birth_month[row], accounts.birth_day[row]
    return pa.table(
        {
            "customer_id": keys("C", numbers[row]),
            "email": emails(facts, person, accounts.spelling[row]),
            "phone": pc.if_else(flags(has_phone), phone, None),
            "first_name": labels(people.first_name[person], FIRST_NAMES),
            "last_name": labels(people.last_name[person], LAST_NAMES),
            "birth_month": pa.array(birth_month.astype(np.int32), mask=birth_month < 0),
            "birth_day": pa.array(birth_day.astype(np.int32), mask=birth_day < 0),
            "country_code": labels(country, COUNTRIES),
            "region": labels(np.where(country == 0, accounts.postal[row] % 4, -1), REGIONS),
            "postal_code": pa.array(accounts.postal[row]).cast(pa.string()),
            "created_at": moments(accounts.created[row], before),
            "updated_at": moments(np.where(is_changed, updated, accounts.created[row]), before),
            "account_state": labels(state, ACCOUNT_STATES),
            "acquisition_channel": labels(people.acquisition[person], ACQUISITION_CHANNELS),
            "default_currency": labels(CURRENCY_OF_COUNTRY[country], CURRENCIES),
            "is_test": flags(people.kind[person] == TESTER),
        }
    )
