"""How good a list was, customer by customer, once it is known what was bought.

All rank the whole catalogue: against a few products drawn beside those bought every method looks
good (Krichene & Rendle 2020, On sampled metrics for item recommendation, KDD, 1748-1757).
"""

from typing import NamedTuple

import numpy as np

from orchestration.science.recommendations.catalogue import Flags, Floats, Integers


class Hits(NamedTuple):
    """One element per customer who bought something that could be shown; arrays (n,)."""

    recall: Floats
    is_hit: Floats
    ndcg: Floats


def hits(lists: Integers, wanted: Flags) -> Hits:
    """Hold lists against what was bought.

    Parameters
    ----------
    lists : array of int, shape (n, length)
        Products, best first; -1 for none.
    wanted : array of bool, shape (n, n_products)
        What each customer bought, at least one product each.

    Examples
    --------
    Two products were bought; the list holds one of them, in the second place, of three:

    >>> found = hits(np.array([[4, 0, 1]]), np.array([[True, False, True, False, False]]))
    >>> found.recall.tolist(), found.is_hit.tolist(), found.ndcg.round(4).tolist()
    ([0.5], [1.0], [0.3869])
    """
    length = lists.shape[1]
    found = np.take_along_axis(wanted, np.maximum(lists, 0), axis=1) & (lists >= 0)
    bought = wanted.sum(axis=1)
    discount = 1 / np.log2(np.arange(2, length + 2))
    best = np.cumsum(discount)[np.minimum(bought, length) - 1]
    return Hits(
        recall=found.sum(axis=1) / bought,
        is_hit=found.any(axis=1).astype(float),
        ndcg=(found * discount).sum(axis=1) / best,
    )


def coverage(lists: Integers, n_shown: int) -> float:
    """Share of what could be shown that anybody was shown; NaN where nothing could."""
    return np.unique(lists[lists >= 0]).size / n_shown if n_shown else np.nan


def mean_novelty(lists: Integers, novelty: Floats) -> float:
    """Mean self-information of what was shown, in bits; NaN where nothing was."""
    told = lists[lists >= 0]
    return float(novelty[told].mean()) if told.size else np.nan
