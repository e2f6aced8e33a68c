"""The methods of a day, fitted on what was known of a part of the customers at its end."""

from dataclasses import dataclass

import numpy as np

from orchestration.science.recommendations.acts import Acts, Interactions, acts_until
from orchestration.science.recommendations.catalogue import Catalogue, Floats, Singles
from orchestration.science.recommendations.collaborative import Collaborative, fit_collaborative
from orchestration.science.recommendations.content import Content, fit_content
from orchestration.science.recommendations.popular import Popular, fit_popular
from orchestration.science.recommendations.repeats import Repeats, fit_repeats


@dataclass(frozen=True)
class Hybrid:
    """The mean of both methods, or what the one says that has something to say; and the habit of buying again.

    What is used up has as much more of a list as habit adds to the shop's purchases of it; a customer with
    nothing of that kind is shown the mean of both methods alone.
    """

    content: Content
    collaborative: Collaborative
    repeats: Repeats
    name: str = "hybrid"

    def probabilities(self, acts: Acts) -> Singles:
        """Shares, shape (n_customers, n_products); zeros where neither speaks."""
        lift, kind = self.content.lifts(acts)
        rows = self.collaborative.rows(acts)
        counts = np.diff(rows.indptr)
        speakers = lift.any(axis=1).astype(np.float32) + (counts > 0)
        part = 1 / np.maximum(speakers, 1)
        share = self.content.popular.share.astype(np.float32)
        found = (lift * part[:, None])[:, kind] * share
        customer = np.repeat(np.arange(acts.n_customers), counts)
        found[customer, rows.indices] += rows.data * part[customer]
        if self.repeats.habit > 0:
            again = self.repeats.probabilities(acts)
            has_any = again.any(axis=1)
            found[has_any] *= 1 - self.repeats.habit
            found += again * self.repeats.habit
        return found


@dataclass(frozen=True)
class Methods:
    """What the same customers taught, from plain to able."""

    popular: Popular
    content: Content
    collaborative: Collaborative
    repeats: Repeats
    novelty: Floats

    @property
    def hybrid(self) -> Hybrid:
        """Both together."""
        return Hybrid(self.content, self.collaborative, self.repeats)


def fit_methods(interactions: Interactions, catalogue: Catalogue, day: int) -> Methods:
    """Fit everything on what was known at the end of a day."""
    acts = acts_until(interactions, catalogue, day)
    popular = fit_popular(interactions, catalogue, day)
    return Methods(
        popular,
        fit_content(acts, catalogue, popular),
        fit_collaborative(acts, catalogue),
        fit_repeats(interactions, catalogue, popular, day),
        self_information(acts),
    )


def self_information(acts: Acts) -> Floats:
    """How unlikely a customer is to have bought each product, in bits: 0 where everybody has.

    One more buyer than there were, so that what nobody has bought has a number. Source: Zhou et al.
    (2010), Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS 107(10),
    4511-4515.
    """
    bought = acts.purchase_days > 0
    buyers = np.bincount(acts.product[bought], minlength=acts.n_products)
    customers = np.unique(acts.customer[bought]).size
    return -np.log2((buyers + 1) / (customers + 1))
