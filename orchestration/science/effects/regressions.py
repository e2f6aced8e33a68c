"""The two regressions behind an effect, each predicted by folds that did not see the row.

What belongs here are folds, the probability of the event (ridge logistic regression) and the
outcome to expect without or with it (ridge regression), with the penalty that predicts unseen
rows best. What is made of the predictions belongs elsewhere.

Sources: Hoerl & Kennard (1970), Technometrics 12(1), for ridge; le Cessie & van Houwelingen (1992),
Applied Statistics 41(1), for its logistic form; Chernozhukov et al. (2018), Econometrics Journal
21(1), Definition 3.2, for fitting on the other folds.
"""

import numpy as np
from numpy.typing import NDArray

from orchestration.science.errors import NotConverged

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Strength of the penalty in rows: as much as so many rows that say "no difference".
# Stronger ones may predict unseen rows better and still leave the groups different: what they smooth
# away of a difference stays in the effect (undersmoothing: Newey, Hsieh & Robins 2004, Econometrica
# 72(3)), which shows where few customers had the event. Without any as strong as these, a shop of a
# few thousand customers is told intervals several times as wide as those of the naive gap.
PENALTIES = (0.1, 1.0, 10.0, 100.0)
PROPENSITY_PENALTIES = (1.0, 10.0, 100.0)
MOST_STEPS = 50


def folds_of(treated: NDArray[np.bool_], customer: Integers, n_folds: int, seed: int) -> Integers:
    """Deal customers to folds so that each fold has its share of the treated.

    Parameters
    ----------
    treated : array of bool, shape (n,)
    customer : array of int, shape (n,)
        Counted from 0. All rows of a customer fall into one fold.
    n_folds, seed : int

    Returns
    -------
    array of int, shape (n,)
        The fold of each row; all 0 for one fold.
    """
    size = int(customer.max()) + 1
    ever = np.zeros(size, dtype=bool)
    ever[customer[treated]] = True
    order = np.random.default_rng(seed).permutation(size)
    order = order[np.argsort(ever[order], kind="stable")]
    fold = np.empty(size, dtype=np.int64)
    fold[order] = np.arange(size) % n_folds
    return fold[customer]


def _trained(fold: Integers, number: int) -> NDArray[np.bool_]:
    """Rows that a fold's model may see: the others, or all if there is one fold."""
    return fold != number if fold.max() > 0 else np.ones(fold.size, dtype=bool)


def propensity(
    columns: Floats,
    treated: NDArray[np.bool_],
    fold: Integers,
    penalties: tuple[float, ...] = PROPENSITY_PENALTIES,
) -> tuple[Floats, float]:
    """Probability of the event given covariates, predicted out of fold.

    Parameters
    ----------
    columns : array, shape (n, n_columns)
        Standardised, without a constant.
    treated : array of bool, shape (n,)
    fold : array of int, shape (n,)
    penalties : tuple of float >= 0
        The one with the least log-loss of unseen rows is taken.

    Returns
    -------
    chance : array of float in (0, 1), shape (n,)
    penalty : float
        The one taken.

    Raises
    ------
    NotConverged
        If Newton's steps do not settle.
    """
    found = np.empty((len(penalties), treated.size))
    for number in range(int(fold.max()) + 1):
        seen, asked = _trained(fold, number), fold == number
        start = None
        # From strong to weak: each fit starts where the one before ended.
        for position in np.argsort(penalties)[::-1]:
            start = _logistic(columns[seen], treated[seen], penalties[position], start)
            found[position, asked] = _inverse_logit(start[0] + columns[asked] @ start[1:])
    bounded = np.clip(found, 1e-9, 1 - 1e-9)
    loss = -np.where(treated, np.log(bounded), np.log1p(-bounded)).mean(axis=1)
    best = int(np.argmin(loss))
    return found[best], penalties[best]


def _inverse_logit(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(values, -35, 35)))


def _logistic(
    columns: Floats, happened: NDArray[np.bool_], penalty: float, start: Floats | None
) -> Floats:
    """Constant and slopes of penalised maximum likelihood, by Newton's method.

    The penalised log-likelihood is concave; a step that would lower it is halved.
    """
    design = np.column_stack([np.ones(len(columns)), columns])
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 0.0
    target = happened.astype(float)
    if start is None:
        start = np.zeros(design.shape[1])
        share = np.clip(target.mean(), 1e-6, 1 - 1e-6)
        start[0] = np.log(share / (1 - share))

    def likelihood(slopes: Floats) -> float:
        score = design @ slopes
        fit = target @ score - np.logaddexp(0, score).sum()
        return float(fit - (ridge * slopes**2).sum() / 2)

    slopes, best = start, likelihood(start)
    for _ in range(MOST_STEPS):
        chance = _inverse_logit(design @ slopes)
        gradient = design.T @ (target - chance) - ridge * slopes
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        curvature[np.diag_indices_from(curvature)] += ridge + 1e-10
        step = np.linalg.solve(curvature, gradient)
        # Twice what a Newton step promises to gain: the scale-free measure of being done.
        if gradient @ step < 1e-9 * max(1.0, abs(best)):
            return slopes + step
        size = 1.0
        while (value := likelihood(slopes + size * step)) < best and size > 1e-6:
            size /= 2
        slopes, best = slopes + size * step, value
    raise NotConverged(f"the probability of the event did not settle in {MOST_STEPS} steps")


def expected_outcome(
    columns: Floats,
    outcome: Floats,
    group: NDArray[np.bool_],
    fold: Integers,
    penalties: tuple[float, ...] = PENALTIES,
) -> Floats:
    """Outcome to expect in one group given covariates, predicted out of fold for every row.

    Parameters
    ----------
    columns : array, shape (n, n_columns)
    outcome : array of float, shape (n,)
    group : array of bool, shape (n,)
        The rows that are learned from: the untreated, or the treated.
    fold : array of int, shape (n,)
    penalties : tuple of float >= 0
        The one with the least squared error in unseen rows of the group is taken.
    """
    found = np.empty((len(penalties), outcome.size))
    for number in range(int(fold.max()) + 1):
        seen, asked = _trained(fold, number) & group, fold == number
        centre, level = columns[seen].mean(axis=0), outcome[seen].mean()
        known = columns[seen] - centre
        # One decomposition serves every penalty.
        spread, axes = np.linalg.eigh(known.T @ known)
        along = axes.T @ (known.T @ (outcome[seen] - level))
        rotated = (columns[asked] - centre) @ axes
        # An axis along which the group does not differ says nothing, whatever the penalty.
        speaks = spread > 1e-9 * max(spread.max(initial=0.0), 1e-300)
        for position, penalty in enumerate(penalties):
            slopes = np.where(speaks, along, 0.0) / np.where(speaks, spread + penalty, 1.0)
            found[position, asked] = level + rotated @ slopes
    error = ((outcome[group] - found[:, group]) ** 2).mean(axis=1)
    return found[int(np.argmin(error))]
