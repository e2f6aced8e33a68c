"""Which order a visit became, and which account a registered person owns."""

from __future__ import annotations

import numpy as np

from orchestration.science.sample_shop.shop_time import Floats, Integers
from orchestration.science.sample_shop.simulation import Facts


def order_of_visit(facts: Facts) -> Integers:
    """Return the position of each visit's order, -1 beyond the simulation.

    Orders of the buying process come first, in the order of the visits.
    """
    inside = facts.visits_inside
    return np.where(inside, np.cumsum(inside) - 1, -1)


def own_account(facts: Facts) -> Integers:
    """Return the account that each person has registered, or -1; those accounts come first."""
    found = np.full(facts.people.kind.size, -1)
    registered = np.flatnonzero(facts.people.is_registered)
    found[registered] = np.arange(registered.size)
    return found


def net_pounds(facts: Facts) -> Floats:
    """Return what the goods of each order cost after discounts, in pounds."""
    money, orders = facts.money, facts.orders
    return (money.gross - money.discount) / 100 * orders.rate
