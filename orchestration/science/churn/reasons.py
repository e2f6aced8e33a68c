"""Why a customer's risk differs from the others', in words that hold the customer's own numbers.

What belongs here is the way from contributions to sentences. A contribution is a difference of
log-odds of churn: above 0 it raises the risk, below 0 it lowers it, and all of a customer's
contributions and the base, which everyone shares, add up to the log-odds of that customer's
`p_churn`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.features import Feature, Features

Floats = NDArray[np.float64]

PLACEHOLDER = re.compile(r"\{(\w+)\}")
REASONS_PER_CUSTOMER = 3
CLOSED_FORM = "closed_form"

# Features that read better as a sentence. A name in braces is that feature of the customer, told
# with its unit; the sentence is used only if all of them are known.
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "repeat_order_rate": ("{order_days} in {age_days} as a customer",),
    "days_since_last_order": (
        "no order for {days_since_last_order}, usual gap {median_gap_days}",
        "no order for {days_since_last_order}",
    ),
    "silence_share": ("no order for {days_since_last_order} of {age_days} as a customer",),
    "silence_in_usual_gaps": (
        "silent for {silence_in_usual_gaps} usual gaps of {median_gap_days}",
    ),
    "silence_in_longest_gaps": (
        "no order for {days_since_last_order}, longest gap {longest_gap_days}",
    ),
    "last_over_mean_net_amount": (
        "spent {last_net_amount} on the last order day, {mean_net_amount} on average",
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
    raises = np.take_along_axis(contributions, np.maximum(strongest, 0), axis=1) > 0
    for feature in np.unique(strongest[strongest >= 0]):
        row, rank = np.nonzero(strongest == feature)
        told = teller.tell(names[feature], customers[row])
        direction = np.where(raises[row, rank], " (raises the risk)", " (lowers the risk)")
        words[row, rank] = [text + more for text, more in zip(told, direction, strict=True)]
    return Reasons(customers, base, tuple(names), contributions, words, strongest)


class Teller:
    """Says one feature of many customers in words."""

    def __init__(self, features: Features) -> None:
        """Remember where each feature is."""
        self._matrix = features.matrix
        self._described = {one.name: (at, one) for at, one in enumerate(features.described)}

    def tell(self, name: str, customers: NDArray[np.intp]) -> list[str]:
        """Say one feature, or the order history for the closed form, of some customers."""
        sentences = HISTORY_SENTENCES if name == CLOSED_FORM else SENTENCES.get(name, ())
        told: list[str | None] = [None] * customers.size
        for say in (*(partial(self._filled, one) for one in sentences), partial(self._plain, name)):
            open_yet = [at for at, text in enumerate(told) if text is None]
            if not open_yet:
                break
            for at, text in zip(open_yet, say(customers[open_yet]), strict=True):
                told[at] = text
        return [text for text in told if text is not None]

    def _plain(self, name: str, customers: NDArray[np.intp]) -> list[str]:
        """A feature by what it is called, with its number or why there is none."""
        at, feature = self._described[name]
        return [
            feature.unknown
            if isnan(value)
            else f"{feature.words}: {number_in_words(feature, value)}"
            for value in self._matrix[customers, at].tolist()
        ]

    def _filled(self, sentence: str, customers: NDArray[np.intp]) -> list[str | None]:
        """A sentence with each customer's numbers; None where one of them is not known."""
        used = PLACEHOLDER.findall(sentence)
        columns = []
        for name in used:
            at, feature = self._described[name]
            columns.append(
                [
                    None if isnan(value) else number_in_words(feature, value)
                    for value in self._matrix[customers, at].tolist()
                ]
            )
        return [
            None if None in row else sentence.format(**dict(zip(used, row, strict=True)))
            for row in zip(*columns, strict=True)
        ]


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
