"""What a customer buys again out of habit: goods that are used up, as often as this customer has bought them.

How strong the habit is, is one number of the shop, counted from its past: the part of purchases that
are of something bought before and used up since, less the part that would be so if everybody bought
by what sells. Where customers order the same week by week it is large; where they do not it is
nothing, and what is used up has no more of a list than the other methods give it.
"""

from dataclasses import dataclass

import numpy as np

from orchestration.science.recommendations.acts import PURCHASE, Acts, Interactions
from orchestration.science.recommendations.catalogue import Catalogue, Flags, Singles
from orchestration.science.recommendations.popular import Popular


@dataclass(frozen=True)
class Repeats:
    """``habit`` is the part of purchases, 0 to 1, that habit brings."""

    habit: float
    catalogue: Catalogue

    def probabilities(self, acts: Acts) -> Singles:
        """Share of each used-up product in the days on which the customer bought any; zeros for none."""
        days = np.where(is_used_up(acts, self.catalogue), acts.purchase_days, 0)
        found = acts.matrix(days.astype(np.float32)).toarray()
        total = found.sum(axis=1, keepdims=True)
        return np.divide(found, total, out=np.zeros_like(found), where=total > 0)


def is_used_up(acts: Acts, catalogue: Catalogue) -> Flags:
    """Which acts are of a product that was bought, and whose time to be bought again has come."""
    cycle = np.nan_to_num(catalogue.cycle_days[acts.product], nan=0.0)
    return (
        (acts.purchase_days > 0)
        & catalogue.is_replenishable[acts.product]
        & (acts.day - acts.last_purchase >= cycle)
    )


def fit_repeats(
    interactions: Interactions, catalogue: Catalogue, popular: Popular, day: int
) -> Repeats:
    """Count what was bought again by customers who had bought on an earlier day, and what chance would bring."""
    known = interactions.until(day)
    bought = known.kind == PURCHASE
    customer, product, when = np.unique(
        np.stack(
            [known.customer[bought], catalogue.product[known.variant[bought]], known.day[bought]]
        ),
        axis=1,
    )
    # Sorted by customer, product and day: the row before is the purchase before.
    is_same = np.zeros(when.size, dtype=bool)
    is_same[1:] = (customer[1:] == customer[:-1]) & (product[1:] == product[:-1])
    waited = np.diff(when, prepend=0)
    cycle = np.nan_to_num(catalogue.cycle_days[product], nan=0.0)
    is_again = is_same & catalogue.is_replenishable[product] & (waited >= cycle)
    # By what sells: the share of all that the customer had bought before that day and buys again.
    share = np.where(~is_same & catalogue.is_replenishable[product], popular.share[product], 0.0)
    order = np.lexsort([when, customer])
    customer, when = customer[order], when[order]
    summed = np.concatenate([[0.0], np.cumsum(share[order])])
    own = np.searchsorted(customer, customer)
    is_new_day = np.ones(when.size, dtype=bool)
    is_new_day[1:] = (customer[1:] != customer[:-1]) | (when[1:] != when[:-1])
    today = np.maximum.accumulate(np.where(is_new_day, np.arange(when.size), 0))
    later = today > own
    if not later.any():
        return Repeats(0.0, catalogue)
    by_chance = (summed[today] - summed[own])[later].mean()
    return Repeats(max(float(is_again[order][later].mean() - by_chance), 0.0), catalogue)
