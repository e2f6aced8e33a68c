"""Whether the two groups can be compared at all, and which customers can.

What belongs here is trimming by the probability of the event, weights and balance, and the rules
by which overlap fails. What the effect is does not belong here.

Sources: Crump, Hotz, Imbens & Mitnik (2009), Biometrika 96(1), 187-199; Kish (1965), Survey
Sampling, section 11.7, for the effective count; Rubin (2001), Health Services and Outcomes Research
Methodology 2, for a quarter of a standard deviation.
"""

import numpy as np
from numpy.typing import NDArray

from orchestration.science.effects.covariates import Design
from orchestration.science.effects.doubly_robust import everybody_weights, treated_weights
from orchestration.science.effects.records import Balance, Estimand, Overlap

Floats = NDArray[np.float64]

# Who is treated nine times in ten has no untreated likeness; the rule of thumb of Crump et al.
HIGHEST_PROPENSITY = 0.9
# Fewer than so many on either side, and neither the folds nor the normal interval hold.
FEWEST_CUSTOMERS = 50
# Fewer untreated than this in effect, and a handful of them speaks for all.
FEWEST_EFFECTIVE = 30
# If most of the treated have no likeness, the rest of them do not stand for the event.
MOST_TREATED_TRIMMED = 0.5
# Regression no longer mends what weighting leaves beyond a quarter of a standard deviation (Rubin
# 2001). Small groups differ by chance, so three standard errors are allowed on top.
LARGEST_DIFFERENCE, CHANCE_ERRORS = 0.25, 3.0


def kept_bounds(propensity: Floats, estimand: Estimand) -> tuple[float, float]:
    """Range of the probability of the event within which customers are compared.

    For the effect on the treated only the upper end matters: untreated customers who could never
    have had the event weigh nothing. For everybody, the range is the one in which the average is
    known most precisely (Crump et al. 2009, Corollary 1).

    Examples
    --------
    >>> kept_bounds(np.array([0.2, 0.5, 0.8]), "att")
    (0.0, 0.9)
    >>> kept_bounds(np.array([0.2, 0.5, 0.8]), "ate")
    (0.0, 1.0)
    """
    if estimand == "att":
        return 0.0, HIGHEST_PROPENSITY
    cost = np.sort(1 / np.clip(propensity * (1 - propensity), 1e-12, None))
    # Corollary 1: keep the cost below twice its mean among those kept.
    mean = np.cumsum(cost) / np.arange(1, cost.size + 1)
    if cost[-1] <= 2 * mean[-1]:
        return 0.0, 1.0
    limit = 2 * mean[np.flatnonzero(cost <= 2 * mean)[-1]]
    lowest = float(0.5 - np.sqrt(max(0.25 - 1 / limit, 0.0)))
    return lowest, 1 - lowest


def overlap_of(
    design: Design, treated: NDArray[np.bool_], propensity: Floats, estimand: Estimand
) -> tuple[Overlap, NDArray[np.bool_]]:
    """Describe how comparable the groups are, and say which rows are compared.

    Parameters
    ----------
    design : Design
    treated : array of bool, shape (n,)
    propensity : array of float in [0, 1], shape (n,)
    estimand : {"att", "ate"}

    Returns
    -------
    overlap : Overlap
    kept : array of bool, shape (n,)
    """
    low, high = kept_bounds(propensity, estimand)
    kept = (propensity >= low) & (propensity <= high)
    weigh = treated_weights if estimand == "att" else everybody_weights
    weights = np.zeros(treated.size)
    weights[kept] = weigh(treated[kept], np.clip(propensity[kept], 1e-6, 1 - 1e-6))
    overlap = Overlap(
        propensity_lowest=float(propensity.min()),
        propensity_highest=float(propensity.max()),
        treated_median=float(np.median(propensity[treated])),
        control_median=float(np.median(propensity[~treated])),
        kept=(low, high),
        trimmed_share=float((~kept).mean()),
        trimmed_treated_share=float((~kept[treated]).mean()),
        effective_treated_count=_effective(weights[treated]),
        effective_control_count=_effective(weights[~treated]),
        balance=_balance(design, treated, weights),
    )
    return overlap, kept


def failure_of(
    overlap: Overlap, treated: NDArray[np.bool_], propensity: Floats, kept: NDArray[np.bool_]
) -> str | None:
    """Why the groups cannot be compared, or None if they can."""
    if propensity[treated].min() > propensity[~treated].max():
        return "the covariates separate customers with the event from all others"
    if overlap.trimmed_treated_share > MOST_TREATED_TRIMMED:
        return (
            f"{overlap.trimmed_treated_share:.0%} of those with the event have no likeness"
            " among the others"
        )
    left = int(kept[treated].sum()), int(kept[~treated].sum())
    if min(left) < FEWEST_CUSTOMERS:
        return f"only {left[0]} with the event and {left[1]} without it can be compared"
    effective = min(overlap.effective_treated_count, overlap.effective_control_count)
    if effective < FEWEST_EFFECTIVE:
        return f"the comparison rests on {effective:.0f} customers in effect"
    chance = np.sqrt(1 / overlap.effective_treated_count + 1 / overlap.effective_control_count)
    allowed = LARGEST_DIFFERENCE + CHANCE_ERRORS * chance
    worst = max(overlap.balance, key=lambda one: abs(one.after), default=None)
    if worst is not None and abs(worst.after) > allowed:
        return (
            f"weighting leaves {worst.name} {abs(worst.after):.2f} standard deviations apart"
            f" (at most {allowed:.2f})"
        )
    return None


def _effective(weights: Floats) -> float:
    total = weights.sum()
    return float(total**2 / (weights**2).sum()) if total > 0 else 0.0


def _balance(design: Design, treated: NDArray[np.bool_], weights: Floats) -> tuple[Balance, ...]:
    """Mean differences over the standard deviation of both groups as they came."""
    plain = design.plain
    spread = np.sqrt((plain[treated].var(axis=0) + plain[~treated].var(axis=0)) / 2)

    def apart(weight: Floats) -> Floats:
        sums = weight[treated].sum(), weight[~treated].sum()
        if min(sums) <= 0:
            return np.full(plain.shape[1], np.nan)
        means = weight[treated] @ plain[treated] / sums[0]
        gap = means - weight[~treated] @ plain[~treated] / sums[1]
        # Both groups constant and unequal: no number of standard deviations says how far.
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(gap == 0, 0.0, gap / spread)

    before, after = apart(np.ones(treated.size)), apart(weights)
    return tuple(
        Balance(name, float(one), float(other))
        for name, one, other in zip(design.plain_names, before, after, strict=True)
    )
