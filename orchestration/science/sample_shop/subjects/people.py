"""Which account of a person hears from the shop, and the day on which nothing is known any more."""

from __future__ import annotations

import numpy as np

from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.facts.people import CUSTOMER, PROSPECT
from orchestration.science.sample_shop.shop_time import NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts


def contact_accounts(facts: Facts) -> Integers:
    """Return the account of each person that hears from the shop, or -1.

    It is the registered one, or a guest's first: what a person agrees to hangs on one account, so
    that nobody has two last words.
    """
    accounts, people = facts.accounts, facts.people
    found = np.full(people.kind.size, -1)
    late_first = np.argsort(-accounts.created, kind="stable")
    found[accounts.person[late_first]] = late_first
    registered = np.flatnonzero(people.is_registered)
    # The accounts of registered persons come first, in the order of the persons.
    found[registered] = np.arange(registered.size)
    return np.where(np.isin(people.kind, (CUSTOMER, PROSPECT)), found, -1)


def purchases(facts: Facts) -> Integers:
    """Return the positions of real orders of known people, sorted by person and time."""
    orders = facts.orders
    chosen = np.flatnonzero((orders.kind == NORMAL) & (orders.person >= 0))
    return chosen[np.lexsort([orders.ordered[chosen], orders.person[chosen]])]


def last_purchase(facts: Facts) -> Integers:
    """Return the moment of each person's last order, the future included; -NEVER if there is none."""
    last = np.full(facts.people.kind.size, -NEVER)
    order = purchases(facts)
    np.maximum.at(last, facts.orders.person[order], facts.orders.ordered[order])
    return last
