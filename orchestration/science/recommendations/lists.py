"""From what a method says to what a customer is shown: what may be shown, the ten best, which variant.

What belongs here is the same for every method, the yardsticks too: nothing that the customer has and
does not use up, nothing that was rated badly, nothing that cannot be had, and each product once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from orchestration.science.recommendations.acts import Acts, Interactions
from orchestration.science.recommendations.catalogue import (
    Catalogue,
    Flags,
    Floats,
    Integers,
    Singles,
)
from orchestration.science.recommendations.repeats import is_used_up

# Recommendations of a customer: a row of a page, or the products of a mail.
LENGTH = 10
# Scores of customers for all products that are in memory at once: 32 MB, and a few times that on the way.
CELLS_AT_ONCE = 8_000_000


class Method(Protocol):
    """Whatever gives every customer a share of each product."""

    @property
    def name(self) -> str:
        """The word for it."""
        ...

    def probabilities(self, acts: Acts) -> Singles:
        """Shape (n_customers, n_products); rows of zeros where it has nothing to say."""
        ...


@dataclass(frozen=True)
class Lists:
    """What customers are shown, best first; arrays (n_customers, LENGTH).

    ``product`` is -1 where nothing is left to show; ``score`` the method's share of the product
    among all that the customer may be shown; ``speaker`` the place of the method that said it.
    """

    product: Integers
    score: Floats
    speaker: Integers


def permitted(acts: Acts, catalogue: Catalogue, on_shelf: Flags) -> Flags:
    """What each customer may be shown, shape (n_customers, n_products).

    Parameters
    ----------
    on_shelf : array of bool, shape (n_variants,)
        From `Catalogue.shelf`.
    """
    can_be_had = np.zeros(catalogue.n_products, dtype=bool)
    can_be_had[catalogue.product[on_shelf]] = True
    found = np.broadcast_to(can_be_had, (acts.n_customers, catalogue.n_products)).copy()
    refused = acts.is_disliked | ((acts.purchase_days > 0) & ~is_used_up(acts, catalogue))
    found[acts.customer[refused], acts.product[refused]] = False
    return found


def rank(acts: Acts, may_be_shown: Flags, speakers: Sequence[Method]) -> Lists:
    """The ten best of the first method, filled up by those after it.

    Of equals the product with the smaller number comes first, so that a list hangs on nothing else.
    """
    size = acts.n_customers, LENGTH
    found = Lists(np.full(size, -1), np.zeros(size), np.full(size, -1))
    filled = np.zeros(acts.n_customers, dtype=np.int64)
    for place, method in enumerate(speakers):
        short = np.flatnonzero(filled < LENGTH)
        if not short.size or not acts.n_products:
            break
        shares = np.where(may_be_shown[short], method.probabilities(acts)[short], np.float32(0))
        total = shares.sum(axis=1, dtype=np.float64)
        # What is shown already is not shown again.
        customer = np.repeat(np.arange(short.size), filled[short])
        shares[customer, found.product[short][found.product[short] >= 0]] = 0
        best = _largest(shares, LENGTH)
        score = np.take_along_axis(shares, best, axis=1) / np.maximum(total, 1e-300)[:, None]
        # What is told stands first, since it is sorted.
        row, column = np.nonzero(
            (score > 0) & (np.arange(best.shape[1]) < LENGTH - filled[short][:, None])
        )
        customer, at = short[row], filled[short][row] + column
        found.product[customer, at] = best[row, column]
        found.score[customer, at] = score[row, column]
        found.speaker[customer, at] = place
        filled += np.bincount(customer, minlength=acts.n_customers)
    return found


def shown_variants(
    interactions: Interactions, catalogue: Catalogue, on_shelf: Flags, sales: Floats, day: int
) -> tuple[Integers, Integers, Integers]:
    """Which variant stands for a product: the one that the customer did something with last.

    Parameters
    ----------
    interactions : Interactions
    on_shelf : array of bool, shape (n_variants,)
    sales : array of float, shape (n_variants,)
        What sells, for everybody else.
    day : int
        Known are the days until its end.

    Returns
    -------
    of_product : array of int, shape (n_products,)
        The variant that sells best of those that can be had; -1 for none.
    keys, variants : arrays of int
        The customer's own: ``keys`` are customer * n_products + product, ascending.
    """
    known = interactions.until(day)
    own = on_shelf[known.variant] & (known.weight > 0)
    key = known.customer[own] * catalogue.n_products + catalogue.product[known.variant[own]]
    # The last day, and of one day the strongest act; of equals the first variant.
    order = np.lexsort([known.variant[own], known.kind[own], -known.day[own], key])
    keys, first = np.unique(key[order], return_index=True)
    of_product = np.full(catalogue.n_products, -1)
    there = np.flatnonzero(on_shelf)
    by_sales = there[np.lexsort([-there, sales[there]])]
    of_product[catalogue.product[by_sales]] = by_sales
    return of_product, keys, known.variant[own][order][first]


def _largest(values: Singles, count: int) -> Integers:
    """Places of the largest values of each row, largest first; of equals the smaller place."""
    size = values.shape[1]
    if size <= count:
        return np.argsort(-values, axis=1, kind="stable")
    parted = np.argpartition(values, (size - count - 1, size - count), axis=1)
    found = parted[:, size - count :]
    next_one = np.take_along_axis(values, parted[:, [size - count - 1]], axis=1)[:, 0]
    least = np.take_along_axis(values, found[:, [0]], axis=1)[:, 0]
    # The next one is as large as the last one: the parting says nothing of which of them it took.
    tied = np.flatnonzero((least > 0) & (next_one == least))
    found[tied] = np.argsort(-values[tied], axis=1, kind="stable")[:, :count]
    found = np.sort(found, axis=1)
    order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)
