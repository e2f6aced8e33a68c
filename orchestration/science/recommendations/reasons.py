"""Why a product is shown, in words that a customer may read."""

import numpy as np

from orchestration.science.recommendations.acts import KINDS, Acts
from orchestration.science.recommendations.catalogue import (
    LEVELS,
    Catalogue,
    Flags,
    Integers,
    Texts,
)
from orchestration.science.recommendations.content import BRAND, PRICE, Attribute
from orchestration.science.recommendations.methods import Methods

DEEDS = dict(
    zip(
        KINDS,
        ("bought", "put into the basket", "wished for", "rated well", "looked at"),
        strict=True,
    )
)
# Of the product itself, by kind: nothing is nearer to a customer.
OWN_WORDS = np.array(
    [
        "Bought before and likely used up by now",
        "In your basket before",
        "On your wish list",
        "You rated it well",
        "You looked at it",
    ],
    dtype=object,
)
SELLS = "Popular in the shop at the moment"


def reasons(
    acts: Acts,
    customer: Integers,
    product: Integers,
    says_content: Flags,
    says_collaborative: Flags,
    methods: Methods,
    catalogue: Catalogue,
) -> tuple[Texts, Flags, Flags]:
    """Say why each product is shown.

    Parameters
    ----------
    customer, product : arrays of int, shape (n,)
    says_content, says_collaborative : arrays of bool, shape (n,)
        Which method may be named; neither where what sells is shown.

    Returns
    -------
    words : array of text, shape (n,)
    by_content, by_collaborative : arrays of bool, shape (n,)
        Which methods really have something to say for it.
    """
    act, _ = methods.collaborative.strongest(acts, customer, product)
    place, _ = methods.content.strongest(acts, customer, product)
    by_collaborative = says_collaborative & (act >= 0)
    by_content = says_content & (place >= 0)
    words = np.full(customer.size, SELLS, dtype=object)
    for number, attribute in enumerate(methods.content.attributes):
        own = np.flatnonzero(by_content & (place == number))
        said = _words_of_attribute(attribute, catalogue)
        words[own] = said[attribute.value[product[own]]]
    goes_with = np.flatnonzero(by_collaborative)
    names = _names_of_products(catalogue)
    told = acts.product[act[goes_with]], acts.kind[act[goes_with]]
    # Few pairs of product and deed, many customers: each sentence is written once.
    pairs, which = np.unique(np.stack(told), axis=1, return_inverse=True)
    sentences = np.array(
        [f"Goes with {names[one]}, which you {DEEDS[KINDS[kind]]}" for one, kind in pairs.T],
        dtype=object,
    )
    words[goes_with] = sentences[which.reshape(-1)] if goes_with.size else ""
    own = _own_acts(acts, customer, product)
    words[own >= 0] = OWN_WORDS[acts.kind[own[own >= 0]]]
    # The hybrid knows the habit of buying again, too.
    again = (own >= 0) & says_content & says_collaborative
    again[again] = acts.purchase_days[own[again]] > 0
    by_content, by_collaborative = by_content | again, by_collaborative | again
    return words, by_content, by_collaborative


def _words_of_attribute(attribute: Attribute, catalogue: Catalogue) -> Texts:
    """One sentence per value."""
    found = np.full(attribute.share.size, SELLS, dtype=object)
    known = np.flatnonzero(attribute.value >= 0)
    values, first = np.unique(attribute.value[known], return_index=True)
    for value, product in zip(values, known[first], strict=True):
        if attribute.name == BRAND:
            found[value] = f"By {catalogue.attributes[BRAND][product]}, a brand that you prefer"
        elif attribute.name == PRICE:
            found[value] = "In the range of prices that you prefer"
        elif attribute.name in LEVELS:
            found[value] = f"From {catalogue.attributes[attribute.name][product]}, which you prefer"
    return found


def _names_of_products(catalogue: Catalogue) -> Texts:
    """The title of the first variant, without what only tells the variants apart."""
    names = np.full(catalogue.n_products, "", dtype=object)
    for variant in reversed(range(catalogue.n_variants)):
        names[catalogue.product[variant]] = catalogue.titles[variant]
    counts = np.bincount(catalogue.product, minlength=catalogue.n_products)
    return np.array(
        [
            name.rsplit(",", 1)[0] if count > 1 else name
            for name, count in zip(names, counts, strict=True)
        ],
        dtype=object,
    )


def _own_acts(acts: Acts, customer: Integers, product: Integers) -> Integers:
    """Where the customer did something with the product and likes it: its place in ``acts``, else -1."""
    if not acts.customer.size:
        return np.full(customer.size, -1)
    keys = acts.customer * acts.n_products + acts.product
    asked = customer * acts.n_products + product
    place = np.minimum(np.searchsorted(keys, asked), keys.size - 1)
    return np.where((keys[place] == asked) & (acts.interest[place] > 0), place, -1)
