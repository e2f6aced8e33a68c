"""Running numbers behind the keys of the tables, and which rows have begun."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import ranks
from orchestration.science.sample_shop.shop_time import Integers
from orchestration.science.sample_shop.simulation import Facts


def order_numbers(facts: Facts) -> Integers:
    """Return the running number of each order: they are numbered as they were placed."""
    orders = facts.orders
    return facts.offsets.orders + 1 + ranks(orders.ordered, np.arange(orders.kind.size))


def line_numbers(facts: Facts) -> Integers:
    """Return the running number of each order line, in the order of the orders."""
    place = order_numbers(facts)[facts.lines.order]
    return facts.offsets.lines + 1 + ranks(place, np.arange(place.size))


def account_numbers(facts: Facts) -> Integers:
    """Return the running number of each account: they are numbered as they were opened."""
    accounts = facts.accounts
    return facts.offsets.accounts + 1 + ranks(accounts.created, np.arange(accounts.person.size))


def membership_numbers(facts: Facts) -> Integers:
    """Return the running number of each membership: they are numbered as they were joined."""
    members = facts.members
    return facts.offsets.memberships + 1 + ranks(members.joined, np.arange(members.person.size))


def return_numbers(facts: Facts) -> Integers:
    """Return the running number of each return: they are numbered as they were requested."""
    requested = facts.returns.requested
    return facts.offsets.returns + 1 + ranks(requested, np.arange(requested.size))


def term_numbers(facts: Facts) -> Integers:
    """Return the running number of each term: they are numbered as they started."""
    terms = facts.terms
    member = membership_numbers(facts)[terms.membership]
    return facts.offsets.terms + 1 + ranks(terms.start, member)


def shipment_numbers(facts: Facts) -> Integers:
    """Return the running number of each parcel: they are numbered as they left."""
    shipped = facts.shipments.shipped
    return facts.offsets.shipments + 1 + ranks(shipped, np.arange(shipped.size))


def place_at(numbers: Integers, index: NDArray[np.int64]) -> Integers:
    """Return numbers[index], and -1 where the index is -1."""
    if not numbers.size:
        return np.full(index.size, -1)
    return np.where(index >= 0, numbers[index], -1)


def begun(begins: Integers, numbers: Integers, before: int) -> Integers:
    """Return the rows that have begun, in the order of their numbers."""
    order = np.argsort(numbers)
    return order[begins[order] < before]
