"""Products that go together in the hands of the same customers: item-item cosine, shrunk.

Two products are as alike as the customers who like them (cosine of their columns of interest), less
where few customers like both: one common customer makes no pair. What a customer is shown is what is
most alike to all that the customer likes, by interest.

Sources: Sarwar, Karypis, Konstan & Riedl (2001), Item-based collaborative filtering, WWW10, 285-295;
the shrinkage is that of Bell & Koren (2007), Improved neighborhood-based collaborative filtering,
KDD Cup Workshop, section 4.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from orchestration.science.recommendations.acts import Acts
from orchestration.science.recommendations.catalogue import (
    Catalogue,
    Floats,
    Integers,
    Singles,
)

# Common customers at which a pair counts half.
SHRINKAGE_CUSTOMERS = 10
# The most alike products of each; the rest is noise, and would not fit into memory.
NEIGHBOURS = 100
# Somebody who likes more than this is a reseller, whose basket pairs everything with everything.
LIKED_PRODUCTS = 500
_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Collaborative:
    """``likeness`` is products by products, at most `NEIGHBOURS` in a row, each in (0, 1]."""

    likeness: sparse.csr_array
    name: str = "collaborative"

    def rows(self, acts: Acts) -> sparse.csr_array:
        """Likeness to what the customer likes, as shares; empty rows for who likes nothing known."""
        found = sparse.csr_array(acts.liking() @ self.likeness)
        total = np.repeat(np.asarray(found.sum(axis=1)).ravel(), np.diff(found.indptr))
        found.data = (found.data / total).astype(np.float32)
        return found

    def probabilities(self, acts: Acts) -> Singles:
        """The same as an array, shape (n_customers, n_products)."""
        return self.rows(acts).toarray()

    def strongest(
        self, acts: Acts, customer: Integers, product: Integers
    ) -> tuple[Integers, Floats]:
        """The act that speaks most for each pair: its place in ``acts`` and how much; -1 for none."""
        begin = np.searchsorted(acts.customer, customer, side="left")
        count = np.searchsorted(acts.customer, customer, side="right") - begin
        pair = np.repeat(np.arange(customer.size), count)
        act = np.arange(pair.size) - np.repeat(np.cumsum(count) - count, count) + begin[pair]
        weight = np.maximum(acts.interest[act], 0) * self._likeness(
            acts.product[act], product[pair]
        )
        best = np.full(customer.size, -1)
        most = np.zeros(customer.size)
        np.maximum.at(most, pair, weight)
        is_best = (weight > 0) & (weight == most[pair])
        # Of equals the first one, whatever the order of the machine.
        best[pair[is_best][::-1]] = act[is_best][::-1]
        return best, most

    @cached_property
    def _keys(self) -> Integers:
        """Pairs of products as one number, ascending."""
        n_products = self.likeness.shape[0]
        rows = np.repeat(np.arange(n_products), np.diff(self.likeness.indptr))
        return rows * n_products + self.likeness.indices

    def _likeness(self, one: Integers, other: Integers) -> Floats:
        keys = self._keys
        asked = one * self.likeness.shape[0] + other
        place = np.minimum(np.searchsorted(keys, asked), max(keys.size - 1, 0))
        if not keys.size:
            return np.zeros(asked.size)
        return np.where(keys[place] == asked, self.likeness.data[place], 0.0)


def fit_collaborative(acts: Acts, catalogue: Catalogue) -> Collaborative:
    """Find the products most alike to each.

    A product is alike to itself only where it is bought again when it is used up.
    """
    liking = _strongest_likings(acts.liking())
    by_product = sparse.csr_array(liking.T)
    size = np.sqrt(np.asarray(liking.multiply(liking).sum(axis=0)).ravel())
    ones, by_product_ones = liking.copy(), by_product.copy()
    ones.data = np.ones_like(ones.data)
    by_product_ones.data = np.ones_like(by_product_ones.data)
    n_products = catalogue.n_products
    blocks = [sparse.csr_array((0, n_products))]
    for first in range(0, n_products, _ROWS_AT_ONCE):
        rows = slice(first, min(first + _ROWS_AT_ONCE, n_products))
        common = (by_product_ones[rows] @ ones).toarray()
        product = (by_product[rows] @ liking).toarray()
        norm = size[rows, None] * size[None, :]
        cosine = np.divide(product, norm, out=np.zeros_like(product), where=norm > 0)
        cosine *= common / (common + SHRINKAGE_CUSTOMERS)
        own = np.arange(rows.start, rows.stop)
        cosine[own - first, own] *= catalogue.is_replenishable[own]
        blocks.append(_nearest(cosine))
    likeness = sparse.csr_array(sparse.vstack(blocks))
    likeness.sort_indices()
    return Collaborative(likeness)


def _nearest(cosine: Floats) -> sparse.csr_array:
    """The largest entries of each row; of equals the first ones."""
    if cosine.shape[1] > NEIGHBOURS:
        order = np.argsort(-cosine, axis=1, kind="stable")[:, NEIGHBOURS:]
        np.put_along_axis(cosine, order, 0.0, axis=1)
    return sparse.csr_array(cosine)


def _strongest_likings(liking: sparse.csr_array) -> sparse.csr_array:
    """At most `LIKED_PRODUCTS` a customer, those liked most."""
    counts = np.diff(liking.indptr)
    if not (counts > LIKED_PRODUCTS).any():
        return liking
    kept = np.ones(liking.data.size, dtype=bool)
    for row in np.flatnonzero(counts > LIKED_PRODUCTS):
        own = slice(liking.indptr[row], liking.indptr[row + 1])
        weakest = np.argsort(-liking.data[own], kind="stable")[LIKED_PRODUCTS:]
        kept[own.start + weakest] = False
    found = liking.copy()
    found.data = np.where(kept, found.data, 0.0)
    found.eliminate_zeros()
    return found
