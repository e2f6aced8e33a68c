"""Doubly robust averages of effects, and the influence of every row on them.

What belongs here is the algebra that turns two predictions, the probability of the event and the
outcome to expect, into an average effect and its standard error. It is right if either prediction
is (Robins, Rotnitzky & Zhao 1994, JASA 89(427), the augmented inverse probability weighted mean).
How the predictions are made, and whether they may be trusted, does not belong here.

Scores: Chernozhukov et al. (2018), Econometrics Journal 21(1), equation (5.3) for everybody and
(5.4) for the treated, with weights that sum to one in either group (Hajek 1971), so that an
estimate never leaves the range of the outcomes because weights happen to sum to more. Applied to
the change of an outcome, the second is the doubly robust form (Sant'Anna & Zhao 2020, Journal of
Econometrics 219(1), section 2) of the weighted differences in differences of Abadie (2005),
Review of Economic Studies 72(1), Lemma 3.1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.effects.records import Estimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Average(NamedTuple):
    """An average effect, and by how much each row moves it (mean 0; shape (n,))."""

    value: float
    influence: Floats


def treated_weights(treated: NDArray[np.bool_], propensity: Floats) -> Floats:
    """Weights that make the untreated look like the treated: the odds of the event."""
    return np.where(treated, 1.0, propensity / (1 - propensity))


def everybody_weights(treated: NDArray[np.bool_], propensity: Floats) -> Floats:
    """Weights that make either group look like both together."""
    return np.where(treated, 1 / propensity, 1 / (1 - propensity))


def effect_on_treated(
    treated: NDArray[np.bool_], outcome: Floats, propensity: Floats, untreated_outcome: Floats
) -> Average:
    """Average effect on those who had the event (ATT).

    Parameters
    ----------
    treated : array of bool, shape (n,)
    outcome : array of float, shape (n,)
        Or its change, for differences in differences.
    propensity : array of float in [0, 1), shape (n,)
    untreated_outcome : array of float, shape (n,)
        What to expect without the event.

    Examples
    --------
    Two customers of either kind, in a coin-toss experiment: the difference in means.

    >>> treated = np.array([True, True, False, False])
    >>> half, level = np.full(4, 0.5), np.zeros(4)
    >>> effect_on_treated(treated, np.array([4.0, 2.0, 1.0, 0.0]), half, level).value
    2.5
    """
    left = outcome - untreated_outcome
    weights = treated_weights(treated, propensity)
    with_event, with_mean = _weighted(left, weights, treated)
    without, without_mean = _weighted(left, weights, ~treated)
    return Average(with_mean - without_mean, with_event - without)


def effect_on_everybody(
    treated: NDArray[np.bool_],
    outcome: Floats,
    propensity: Floats,
    untreated_outcome: Floats,
    treated_outcome: Floats,
) -> Average:
    """Average effect on all who are compared (ATE).

    Parameters
    ----------
    treated, outcome, propensity, untreated_outcome : arrays of shape (n,)
        As for `effect_on_treated`; propensity in (0, 1).
    treated_outcome : array of float, shape (n,)
        What to expect with the event.
    """
    weights = everybody_weights(treated, propensity)
    with_event, with_mean = _weighted(outcome - treated_outcome, weights, treated)
    without, without_mean = _weighted(outcome - untreated_outcome, weights, ~treated)
    predicted = treated_outcome - untreated_outcome
    value = predicted.mean() + with_mean - without_mean
    return Average(float(value), predicted - predicted.mean() + with_event - without)


def _weighted(values: Floats, weights: Floats, group: NDArray[np.bool_]) -> tuple[Floats, float]:
    """Influence of each row on the weighted mean of a group, and that mean."""
    own = np.where(group, weights, 0.0)
    mean = float(own @ values / own.sum())
    return values.size * own * (values - mean) / own.sum(), mean


def estimate_of(average: Average, customer: Integers) -> Estimate:
    """Add the standard error: rows of one customer move the average together.

    Parameters
    ----------
    average : Average
    customer : array of int, shape (n,)
        Counted from 0; numbers that do not occur are no customers.
    """
    moved = np.bincount(customer, average.influence)
    count = np.unique(customer).size
    variance = (moved**2).sum() / average.influence.size**2 * count / (count - 1)
    return Estimate(average.value, float(np.sqrt(variance)))


def middle_of(estimates: Sequence[Estimate]) -> Estimate:
    """One estimate of several that differ by how rows were dealt to folds.

    The median, with what the deals disagree by in its standard error (Chernozhukov et al. 2018,
    Definition 3.3).

    Examples
    --------
    >>> middle_of([Estimate(1.0, 0.5), Estimate(1.0, 0.5), Estimate(9.0, 0.5)])
    Estimate(value=1.0, standard_error=0.5)
    """
    value = float(np.median([one.value for one in estimates]))
    variances = [one.standard_error**2 + (one.value - value) ** 2 for one in estimates]
    return Estimate(value, float(np.sqrt(np.median(variances))))


def difference_in_means(
    treated: NDArray[np.bool_], outcome: Floats, customer: Integers
) -> Estimate:
    """Mean with the event less mean without: the naive difference, adjusted for nothing."""
    flat = np.full(treated.size, treated.mean())
    return estimate_of(effect_on_treated(treated, outcome, flat, np.zeros(flat.size)), customer)
