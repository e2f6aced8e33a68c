"""What customers did with products: rows of interactions, and what they amount to on a day."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from orchestration.science.recommendations.catalogue import Catalogue, Flags, Floats, Integers

# Strongest first: where a customer did several things with a product, the first one is told.
KINDS = ("purchase", "cart", "wishlist", "rating", "view")
PURCHASE, RATING = KINDS.index("purchase"), KINDS.index("rating")
# An act says half as much after a year: taste lasts longer than a season, so that what was bought
# for last Christmas still speaks at this one.
HALF_LIFE_DAYS = 365


@dataclass(frozen=True)
class Interactions:
    """One element per customer, variant, kind and day; arrays (n,).

    ``weight`` is in purchases: 1 is what a purchase says, below 0 speaks against.
    """

    customer: Integers
    variant: Integers
    kind: Integers
    day: Integers
    weight: Floats
    n_customers: int

    def until(self, day: int) -> "Interactions":
        """Those that were known at the end of a day."""
        return self.where(self.day <= day)

    def within(self, first: int, last: int) -> "Interactions":
        """Those of the days from first to last."""
        return self.where((self.day >= first) & (self.day <= last))

    def of_customers(self, first: int, count: int) -> "Interactions":
        """Those of some customers that follow one another, who are numbered from 0."""
        own = self.where((self.customer >= first) & (self.customer < first + count))
        return replace(own, customer=own.customer - first, n_customers=count)

    def where(self, wanted: Flags) -> "Interactions":
        """Those that are wanted."""
        return Interactions(
            self.customer[wanted],
            self.variant[wanted],
            self.kind[wanted],
            self.day[wanted],
            self.weight[wanted],
            self.n_customers,
        )


@dataclass(frozen=True)
class Acts:
    """One element per customer and product, sorted by both, as it stands on a day; arrays (n,).

    ``interest`` is in purchases of today, below 0 where ratings outweigh; ``kind`` the strongest
    act; ``purchase_days`` counts days and ``last_purchase`` is the latest, -1 for none;
    ``is_disliked`` where the ratings of it speak against it.
    """

    customer: Integers
    product: Integers
    interest: Floats
    kind: Integers
    purchase_days: Integers
    last_purchase: Integers
    is_disliked: Flags
    day: int
    n_customers: int
    n_products: int

    def matrix(self, values: Floats) -> sparse.csr_array:
        """Values as customers by products; zeros are left out."""
        told = values != 0
        found = sparse.csr_array(
            (values[told], (self.customer[told], self.product[told])),
            shape=(self.n_customers, self.n_products),
        )
        found.sort_indices()
        return found

    def of_customers(self, customers: Integers) -> "Acts":
        """Those of some customers, ascending, who are numbered from 0."""
        place = np.searchsorted(customers, self.customer)
        own = np.append(customers, -1)[place] == self.customer
        return replace(
            self,
            customer=place[own],
            product=self.product[own],
            interest=self.interest[own],
            kind=self.kind[own],
            purchase_days=self.purchase_days[own],
            last_purchase=self.last_purchase[own],
            is_disliked=self.is_disliked[own],
            n_customers=customers.size,
        )

    def liking(self) -> sparse.csr_array:
        """Interest above zero, customers by products."""
        return self.matrix(np.maximum(self.interest, 0.0))


def interactions_from_table(
    table: pa.Table, customers: pa.Array, catalogue: Catalogue, purchase_weight: float
) -> Interactions:
    """Read interactions of these customers with variants of the catalogue.

    Parameters
    ----------
    table : pyarrow.Table
        customer_id, variant_id, interaction_type, interaction_date, weight.
    customers : pyarrow.Array of text
        Who is numbered, in this order; rows of others are left out.
    purchase_weight : float > 0
        What the table gives for a purchase.
    """
    customer = pc.index_in(pc.cast(table["customer_id"], pa.string()), customers)
    variant = pc.index_in(
        pc.cast(table["variant_id"], pa.string()), pa.array(catalogue.variant_ids, pa.string())
    )
    kind = pc.index_in(pc.cast(table["interaction_type"], pa.string()), pa.array(KINDS))
    known = pc.and_(pc.and_(pc.is_valid(customer), pc.is_valid(variant)), pc.is_valid(kind))

    def numbers(column: pa.ChunkedArray, dtype: type) -> NDArray:
        return column.filter(known).to_numpy(zero_copy_only=False).astype(dtype)

    return Interactions(
        customer=numbers(customer, np.int64),
        variant=numbers(variant, np.int64),
        kind=numbers(kind, np.int64),
        day=numbers(pc.cast(pc.cast(table["interaction_date"], pa.date32()), pa.int32()), np.int64),
        weight=numbers(pc.cast(table["weight"], pa.float64()), np.float64) / purchase_weight,
        n_customers=len(customers),
    )


def acts_until(interactions: Interactions, catalogue: Catalogue, day: int) -> Acts:
    """Add up what is known at the end of a day, by customer and product.

    Examples
    --------
    A purchase of a year ago and a look of today, which is worth a fifth of one:

    >>> from types import SimpleNamespace
    >>> shop = SimpleNamespace(product=np.array([0]), n_products=1)
    >>> zero = np.array([0, 0])
    >>> seen = Interactions(zero, zero, np.array([0, 4]), np.array([0, 365]), np.array([1, 0.2]), 1)
    >>> acts_until(seen, shop, 365).interest.tolist()
    [0.7]
    """
    known = interactions.until(day)
    product = catalogue.product[known.variant]
    key = known.customer * catalogue.n_products + product
    order = np.argsort(key, kind="stable")
    key = key[order]
    distinct, place = np.unique(key, return_inverse=True)
    size = distinct.size
    kind, when, weight = known.kind[order], known.day[order], known.weight[order]
    faded = weight * 0.5 ** ((day - when) / HALF_LIFE_DAYS)
    strongest = np.full(size, len(KINDS) - 1)
    np.minimum.at(strongest, place, kind)
    bought = kind == PURCHASE
    last = np.full(size, -1)
    np.maximum.at(last, place[bought], when[bought])
    # Two sizes bought on one day are one day.
    days = np.unique(np.stack([place[bought], when[bought]]), axis=1)[0]
    rated = np.where(kind == RATING, weight, 0.0)
    return Acts(
        customer=distinct // max(catalogue.n_products, 1),
        product=distinct % max(catalogue.n_products, 1),
        interest=np.bincount(place, faded, minlength=size),
        kind=strongest,
        purchase_days=np.bincount(days, minlength=size),
        last_purchase=last,
        is_disliked=np.bincount(place, rated, minlength=size) < 0,
        day=day,
        n_customers=interactions.n_customers,
        n_products=catalogue.n_products,
    )
