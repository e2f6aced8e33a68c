"""What a customer prefers among what is written of products: category, brand and price.

Of each attribute a customer has shares of his own (so much home, so little beauty), drawn from a
Dirichlet around the shop's shares. How far customers differ is one number for an attribute, its
precision: found from how often two products of one customer agree in it, against how often two
products of any two customers do. An attribute in which customers do not differ says nothing, and
drops out by itself. A product is then as likely as it is popular, times how much more than others
the customer likes its category, its group within the category, its kind within the group, its brand
and its price, as if these were independent.

Sources: the independence is that of Pazzani & Billsus (2007), Content-based recommendation systems,
LNCS 4321, 325-341; the estimate by agreement is the method of moments for the Dirichlet-multinomial
(Mosimann 1962, Biometrika 49, 65-82).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from orchestration.science.recommendations.acts import Acts
from orchestration.science.recommendations.catalogue import (
    LEVELS,
    Catalogue,
    Floats,
    Integers,
    Singles,
)
from orchestration.science.recommendations.popular import Popular

BRAND, PRICE = "brand", "price"
# Customers cannot differ more than this says: one act would decide everything.
LOWEST_PRECISION = 0.1
# A taste is believed in where products agree more often than chance lets them by so many standard errors.
SURE_ERRORS = 3
# Above it no customer has acted often enough to be told from the others.
HIGHEST_PRECISION = 1_000.0


@dataclass(frozen=True)
class Attribute:
    """One attribute in which customers differ.

    Attributes
    ----------
    name : str
    value, parent : arrays of int, shape (n_products,)
        What the product has, and within what it is a share; -1 where nobody says.
    share, value_parent : arrays, shape (n_values,)
        Of the shop, within the parent; and the parent of each value.
    precision : float
        Acts that the shop's shares weigh as much as.
    """

    name: str
    value: Integers
    parent: Integers
    share: Floats
    value_parent: Integers
    precision: float

    def log_lift(self, liking: sparse.csr_array) -> Floats:
        """How much more than others each customer likes each value, shape (n_customers, n_values + 1).

        The last column is that of products of which nobody says it: 0.
        """
        own = (liking @ _indicator(self.value, self.share.size)).toarray()
        within = (liking @ _indicator(self.parent, int(self.parent.max(initial=0)) + 1)).toarray()
        prior = self.precision * self.share
        lift = (own + prior) / (within[:, self.value_parent] + self.precision) / self.share
        return np.column_stack([np.log(lift), np.zeros(own.shape[0])])


@dataclass(frozen=True)
class Content:
    """Attributes that tell customers apart, and what sells."""

    attributes: tuple[Attribute, ...]
    popular: Popular
    name: str = "content"

    @cached_property
    def _kinds(self) -> tuple[Integers, Integers]:
        """Values of the kinds of products, attributes by kinds, and the kind of each product.

        Products alike in every attribute are scored once.
        """
        values = np.stack([one.value for one in self.attributes])
        kinds, kind = np.unique(values, axis=1, return_inverse=True)
        return kinds, kind.reshape(-1)

    def lifts(self, acts: Acts) -> tuple[Singles, Integers]:
        """What each kind of product is worth to each customer, and the kind of each product.

        Times what sells, a row adds up to 1 over all products; or it is zeros, for who likes nothing known.
        """
        n_products = self.popular.share.size
        if not self.attributes or not n_products:
            nothing = np.zeros((acts.n_customers, 1), dtype=np.float32)
            return nothing, np.zeros(n_products, dtype=np.int64)
        kinds, kind = self._kinds
        liking = acts.liking()
        told = np.flatnonzero(np.diff(liking.indptr))
        log_lift = np.zeros((told.size, kinds.shape[1]))
        for attribute, values in zip(self.attributes, kinds, strict=True):
            log_lift += attribute.log_lift(liking[told])[:, values]
        lift = np.exp(log_lift)
        sold = np.bincount(kind, self.popular.share, minlength=kinds.shape[1])
        found = np.zeros((acts.n_customers, kinds.shape[1]), dtype=np.float32)
        found[told] = lift / (lift @ sold)[:, None]
        return found, kind

    def probabilities(self, acts: Acts) -> Singles:
        """Shares of what the customer will like; zeros for who likes nothing known."""
        lift, kind = self.lifts(acts)
        return lift[:, kind] * self.popular.share.astype(np.float32)

    def strongest(
        self, acts: Acts, customer: Integers, product: Integers
    ) -> tuple[Integers, Floats]:
        """The attribute that speaks most for each pair, by its place, and its log-lift; -1 for none."""
        place = np.full(customer.size, -1)
        most = np.zeros(customer.size)
        liking = acts.liking()
        for number, attribute in enumerate(self.attributes):
            lift = attribute.log_lift(liking)[customer, attribute.value[product]]
            place = np.where(lift > most, number, place)
            most = np.maximum(lift, most)
        return place, most


def fit_content(acts: Acts, catalogue: Catalogue, popular: Popular) -> Content:
    """Find how far customers differ in each attribute, from what they have bought."""
    bought = acts.matrix((acts.purchase_days > 0).astype(float))
    root = np.zeros(catalogue.n_products, dtype=np.int64)
    asked: list[tuple[str, Integers, Integers]] = []
    parent = root
    for name in LEVELS:
        value = _numbered(catalogue.attributes[name], parent)
        asked.append((name, value, np.where(value >= 0, parent, -1)))
        parent = value
    brand = _numbered(catalogue.attributes[BRAND], root)
    asked.append((BRAND, brand, np.where(brand >= 0, root, -1)))
    band = catalogue.price_band
    asked.append((PRICE, band, np.where(band >= 0, root, -1)))
    found = [_attribute(name, value, parent, bought) for name, value, parent in asked]
    return Content(tuple(one for one in found if one is not None), popular)


def _attribute(
    name: str, value: Integers, parent: Integers, bought: sparse.csr_array
) -> Attribute | None:
    """An attribute with its precision; None where customers do not differ in it."""
    known = value >= 0
    if not known.any():
        return None
    n_values, n_parents = int(value.max()) + 1, int(parent.max()) + 1
    value_parent = np.zeros(n_values, dtype=np.int64)
    value_parent[value[known]] = parent[known]
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    # Half a buyer more than there are: a value that nobody has bought is not impossible.
    of_value = np.bincount(value[known], buyers[known] + 0.5, minlength=n_values)
    of_parent = np.bincount(parent[known], buyers[known] + 0.5, minlength=n_parents)
    in_use = of_value > 0
    share = np.ones(n_values)
    share[in_use] = (of_value / of_parent[value_parent])[in_use]
    precision = _precision(value, parent, value_parent, buyers, bought, n_values, n_parents)
    if precision > HIGHEST_PRECISION:
        return None
    return Attribute(name, value, parent, share, value_parent, max(precision, LOWEST_PRECISION))


def _precision(
    value: Integers,
    parent: Integers,
    value_parent: Integers,
    buyers: Floats,
    bought: sparse.csr_array,
    n_values: int,
    n_parents: int,
) -> float:
    """From how often two products of a customer agree: chance + (1 - chance) / (precision + 1).

    Pairs are of different products within one parent: the same jumper twice is no taste in jumpers. A
    customer with n products weighs as n - 1 pairs that share nothing, and not as all n (n - 1) / 2:
    the few who have bought nearly everything would speak for all.
    """
    own_parents = (bought @ _indicator(parent, n_parents)).tocsc()
    own_values = (bought @ _indicator(value, n_values)).tocsc()
    pairs = np.zeros(n_parents)
    agreed = 0.0
    for number in range(n_parents):
        column = own_parents[:, [number]].toarray().ravel()
        several = np.flatnonzero(column > 1)
        pairs[number] = (column[several] - 1).sum()
        of_parent = np.flatnonzero(value_parent == number)
        counts = own_values[:, of_parent][several].toarray()
        agreed += float(((counts * (counts - 1)).sum(axis=1) / column[several]).sum())

    def pairs_by_chance(number: Integers, size: int) -> Floats:
        own = number >= 0
        total = np.bincount(number[own], buyers[own], minlength=size)
        return total**2 - np.bincount(number[own], buyers[own] ** 2, minlength=size)

    if not pairs.sum() > 0:
        return np.inf
    agreed /= pairs.sum()
    drawn = pairs_by_chance(parent, n_parents)
    alike = np.bincount(value_parent, pairs_by_chance(value, n_values), minlength=n_parents)
    by_chance = np.divide(alike, drawn, out=np.ones(n_parents), where=drawn > 0)
    chance = float(pairs @ by_chance / pairs.sum())
    error = np.sqrt(chance * (1 - chance) / pairs.sum())
    if agreed - chance <= SURE_ERRORS * error:
        return np.inf
    return (1 - chance) / (agreed - chance) - 1


def _indicator(number: Integers, size: int) -> sparse.csr_array:
    """Products by values; a product of which nobody says it has none."""
    known = np.flatnonzero(number >= 0)
    ones = np.ones(known.size)
    return sparse.csr_array((ones, (known, number[known])), shape=(number.size, size))


def _numbered(texts: NDArray[np.object_], parent: Integers) -> Integers:
    """Numbers of texts within their parents; -1 where there is no text, or no parent."""
    found = np.full(texts.size, -1)
    known = np.flatnonzero(~np.equal(texts, None) & (parent >= 0))
    if known.size:
        keys = [f"{above}|{text}" for above, text in zip(parent[known], texts[known], strict=True)]
        found[known] = np.unique(keys, return_inverse=True)[1]
    return found
