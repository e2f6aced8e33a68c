"""Why a customer's risk differs from the others', in words that hold the customer's own numbers.

What belongs here is the way from contributions to sentences. A contribution is a difference of
log-odds of churn: above 0 it raises the risk, below 0 it lowers it, and all of a customer's
contributions and the base, which everyone shares, add up to the log-odds of that customer's
`p_churn`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.features import Feature, Features

Floats = NDArray[np.float64]

REASONS_PER_CUSTOMER = 3
CLOSED_FORM = "closed_form"

# Features that read better as a sentence. A name in braces is that feature of the customer, told
# with its unit; the sentence is used only if all of them are known.
SENTENCES: Mapping[str, str] = {
    "days_since_last_order": "no order for {days_since_last_order}",
    "silence_share": "no order for {days_since_last_order} of {age_days} as a customer",
    "silence_in_usual_gaps": "no order for {days_since_last_order}, usual gap {median_gap_days}",
    "silence_in_longest_gaps": (
        "no order for {days_since_last_order}, longest gap {longest_gap_days}"
    ),
    "last_over_mean_net_amount": (
        "spent {last_net_amount} on the last order day, {mean_net_amount} on average"
    ),
}
# What the closed form reads, as the most that is known of it says it.
HISTORY_SENTENCES = (
    "{order_days}, none for {days_since_last_order}, usual gap {median_gap_days}",
    "{order_days}, {days_since_last_order} ago",
)


@dataclass(frozen=True)
class Reasons:
    """Contributions to the log-odds of churn, and the strongest of each customer in words.

    Attributes
    ----------
    customers : array of int, shape (n,)
        Positions in the ledger's customers.
    base : float
        Log-odds of churn before any contribution; everyone's.
    features : tuple of text, length n_features
    contributions : array of float, shape (n, n_features)
    words : array of text, shape (n, 3)
        The strongest first, each with its direction; None where fewer features contribute.
    strongest : array of int, shape (n, 3)
        Positions in ``features``; -1 where there is none.
    """

    customers: NDArray[np.intp]
    base: float
    features: tuple[str, ...]
    contributions: Floats
    words: NDArray[np.object_]
    strongest: NDArray[np.intp]

    def columns(self) -> dict[str, pa.Array]:
        """Return reason_1 to reason_3, one value per customer asked about."""
        return {
            f"reason_{rank + 1}": pa.array(self.words[:, rank], pa.string())
            for rank in range(REASONS_PER_CUSTOMER)
        }

    def table(self, customer_ids: NDArray[np.object_]) -> pa.Table:
        """Return one row per customer and reason.

        customer_id, reason_number (1 is the strongest), feature_name, contribution (log-odds of
        churn; above 0 raises the risk), reason.
        """
        row, rank = np.nonzero(self.strongest >= 0)
        feature = self.strongest[row, rank]
        return pa.table(
            {
                "customer_id": pa.array(customer_ids[self.customers[row]], pa.string()),
                "reason_number": pa.array(rank + 1, pa.int64()),
                "feature_name": pa.array([self.features[one] for one in feature], pa.string()),
                "contribution": pa.array(self.contributions[row, feature], pa.float64()),
                "reason": pa.array(self.words[row, rank], pa.string()),
            }
        )


def reasons_from(
    customers: NDArray[np.intp],
    features: Features,
    names: Sequence[str],
    contributions: Floats,
    base: float,
) -> Reasons:
    """Put the strongest contributions of each customer into words.

    Parameters
    ----------
    customers : array of int, shape (n,)
        Rows of ``features`` that ``contributions`` is about.
    features : Features
        Of every customer of the ledger.
    names : sequence of text, length n_features
        Columns of ``contributions``: names of features, or `CLOSED_FORM`.
    contributions : array of float, shape (n, n_features)
    base : float
    """
    shown = min(REASONS_PER_CUSTOMER, len(names))
    # Ties go to the feature that is named first, on every machine.
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :shown]
    strongest = np.full((customers.size, REASONS_PER_CUSTOMER), -1, dtype=np.intp)
    strongest[:, :shown] = order
    strongest[:, :shown][np.take_along_axis(contributions, order, axis=1) == 0] = -1

    words = np.full(strongest.shape, None, dtype=object)
    teller = Teller(features)
    for row, customer in enumerate(customers):
        for rank, feature in enumerate(strongest[row]):
            if feature >= 0:
                direction = "raises" if contributions[row, feature] > 0 else "lowers"
                said = teller.tell(names[feature], int(customer))
                words[row, rank] = f"{said} ({direction} the risk)"
    return Reasons(customers, base, tuple(names), contributions, words, strongest)


class Teller:
    """Says features of a customer in words."""

    def __init__(self, features: Features) -> None:
        """Remember where each feature is."""
        self._matrix = features.matrix
        self._described = {one.name: (at, one) for at, one in enumerate(features.described)}

    def tell(self, name: str, customer: int) -> str:
        """Say one feature, or the order history for the closed form."""
        sentences = HISTORY_SENTENCES if name == CLOSED_FORM else (SENTENCES.get(name, ""),)
        for sentence in sentences:
            told = self._filled(sentence, customer)
            if told is not None:
                return told
        at, feature = self._described[name]
        if np.isnan(self._matrix[customer, at]):
            return feature.unknown
        return f"{feature.words}: {number_in_words(feature, float(self._matrix[customer, at]))}"

    def _filled(self, sentence: str, customer: int) -> str | None:
        """Fill a sentence; None where it is empty or a number in it is not known."""
        if not sentence:
            return None
        filled = sentence
        for name, (at, feature) in self._described.items():
            if f"{{{name}}}" in filled:
                value = float(self._matrix[customer, at])
                if np.isnan(value):
                    return None
                filled = filled.replace(f"{{{name}}}", number_in_words(feature, value))
        return filled


def number_in_words(feature: Feature, value: float) -> str:
    """A value with its unit, as a person would say it.

    Examples
    --------
    >>> number_in_words(Feature("age_days", "days since the first order", "days"), 1.0)
    '1 day'
    >>> number_in_words(Feature("promo_share", "order days with a promotion", "share"), 0.25)
    '25%'
    """
    if feature.unit == "yes or no":
        return "yes" if value else "no"
    if feature.unit == "share":
        return f"{value:.0%}"
    if feature.unit == "money":
        return f"{value:.2f}"
    told = f"{value:.1f}".removesuffix(".0")
    if feature.unit in ("days", "order days", "units"):
        return f"{told} {feature.unit.removesuffix('s') if told == '1' else feature.unit}"
    return told
