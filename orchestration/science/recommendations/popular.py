"""What sells: the fallback of every method, and the first yardstick that they must beat."""

from dataclasses import dataclass

import numpy as np

from orchestration.science.recommendations.acts import PURCHASE, Acts, Interactions
from orchestration.science.recommendations.catalogue import Catalogue, Floats, Singles

# What sells changes with the season: a purchase counts half after a quarter.
HALF_LIFE_DAYS = 91
# Half a purchase more for each: what is new has none, and can be what a customer looks for all the same.
NEVER_BOUGHT = 0.5


@dataclass(frozen=True)
class Popular:
    """Shares of recent purchases; arrays (n_products,) and (n_variants,), the first adds up to 1."""

    share: Floats
    variant_sales: Floats
    name: str = "popular"

    def probabilities(self, acts: Acts) -> Singles:
        """The same for every customer, shape (n_customers, n_products)."""
        share = self.share.astype(np.float32)
        return np.broadcast_to(share, (acts.n_customers, share.size))


@dataclass(frozen=True)
class OwnMostFrequent:
    """The second yardstick: what a customer has bought on most days."""

    name: str = "own_most_frequent"

    def probabilities(self, acts: Acts) -> Singles:
        """Share of the customer's days of purchase, shape (n_customers, n_products)."""
        days = acts.matrix(acts.purchase_days.astype(np.float32)).toarray()
        total = days.sum(axis=1, keepdims=True)
        return np.divide(days, total, out=np.zeros_like(days), where=total > 0)


def fit_popular(interactions: Interactions, catalogue: Catalogue, day: int) -> Popular:
    """Count purchases, each day of a customer once for each variant, recent ones more."""
    known = interactions.until(day)
    bought = known.kind == PURCHASE
    faded = 0.5 ** ((day - known.day[bought]) / HALF_LIFE_DAYS)
    sales = np.bincount(known.variant[bought], faded, minlength=catalogue.n_variants)
    of_product = np.bincount(catalogue.product, sales, minlength=catalogue.n_products)
    counted = of_product + NEVER_BOUGHT
    return Popular(counted / counted.sum() if counted.size else counted, sales)
