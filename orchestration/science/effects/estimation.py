"""The effect of an event on an outcome, with everything that speaks for or against it.

What belongs here is the order of questions: is there anybody to compare, can they be compared, what
is the adjusted difference, does it stay at zero where it must. Each question that is answered with
no ends in a verdict that says why, and in no number.

Model: given the covariates, who has the event is independent of the outcome that would come without
it (unconfoundedness). For differences in differences: of the change that would come without it.
Regressions are additive in bent lines and are fitted to folds that do not hold the row (double
machine learning, Chernozhukov et al. 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.effects.covariates import Design, design_of
from orchestration.science.effects.doubly_robust import (
    Average,
    difference_in_means,
    effect_on_everybody,
    effect_on_treated,
    estimate_of,
    middle_of,
)
from orchestration.science.effects.overlap import (
    FEWEST_CUSTOMERS,
    failure_of,
    overlap_of,
)
from orchestration.science.effects.records import (
    Effect,
    Estimand,
    Estimate,
    Method,
    Overlap,
    Placebo,
    Sample,
)
from orchestration.science.effects.regressions import (
    PROPENSITY_PENALTIES,
    expected_outcome,
    folds_of,
    propensity,
)
from orchestration.science.errors import DataError, NotConverged

Floats = NDArray[np.float64]

FOLDS = 5
# Different deals of rows to folds; the median of an odd number is one of them.
DEALS = 3
SEED = 20_240_229
# A placebo that the covariates tell cannot fail: nothing of it is left to differ.
MOST_TOLD = 0.98

Finding = tuple[Estimate | None, Overlap | None, str | None]


class Deal(NamedTuple):
    """One deal of rows to folds, and the probability of the event out of fold; shape (n,)."""

    fold: NDArray[np.int64]
    propensity: Floats


class Question(NamedTuple):
    """Which event, which outcome, and the arrays that answer; see `estimate_effect`.

    ``others`` are outcomes and customers that a naive look compares the treated with; absent, the
    controls.
    """

    event_name: str
    outcome_name: str
    sample: Sample
    placebo: Sample | None = None
    placebo_words: str = "before the event"
    others: tuple[Floats, NDArray] | None = None


@dataclass(frozen=True)
class Settings:
    """How an effect is estimated; the defaults are those of the night.

    With ``needs_placebo``, an effect whose placebo could not be tested is not identified.
    """

    folds: int = FOLDS
    deals: int = DEALS
    seed: int = SEED
    needs_placebo: bool = False


DEFAULTS = Settings()


def estimate_effect(
    sample: Sample,
    *,
    event_name: str,
    outcome_name: str,
    estimand: Estimand = "att",
    method: Method = "doubly_robust",
    placebo: Sample | None = None,
    settings: Settings = DEFAULTS,
) -> Effect:
    """Estimate what an event did to an outcome.

    Parameters
    ----------
    sample : Sample
    event_name, outcome_name : str
        Told in the result, with the horizon: ``orders_180d``.
    estimand : {"att", "ate"}
        The effect on those who had the event, or on everybody.
    method : {"doubly_robust", "difference_in_differences"}
        The second explains the change since ``sample.outcome_before``. It bears hidden differences
        between people that last, but not an event that follows a good or bad period by chance.
    placebo : Sample, optional
        An outcome of a time before the event, with covariates that do not tell it. For differences
        in differences with an ``outcome_before`` of a time still earlier.
    settings : Settings, optional

    Returns
    -------
    Effect

    Raises
    ------
    DataError
        If arrays are broken (lengths, outcomes that are no numbers), or differences in differences
        lack what came before.
    """
    one = Question(event_name, outcome_name, sample, placebo)
    return estimate_effects([one], estimand=estimand, method=method, settings=settings)[0]


def estimate_effects(
    questions: Sequence[Question],
    *,
    estimand: Estimand = "att",
    method: Method = "doubly_robust",
    settings: Settings = DEFAULTS,
) -> list[Effect]:
    """Estimate several effects; neighbours that share event and covariates share their fit.

    Parameters
    ----------
    questions : sequence of Question
        Best with all outcomes of an event in a row.
    estimand, method, settings
        As for `estimate_effect`.
    """
    main, before = _Chances(settings), _Chances(settings)
    return [_effect(one, estimand, method, settings, main, before) for one in questions]


def _effect(
    question: Question,
    estimand: Estimand,
    method: Method,
    settings: Settings,
    main: "_Chances",
    before: "_Chances",
) -> Effect:
    given = question.sample.checked()
    asked = _differenced(given, method, "the sample")
    treated, customer = given.treated, given.customer
    assert customer is not None
    count = (
        int(np.unique(customer[treated]).size),
        int(np.unique(customer[~treated]).size),
    )
    naive, naive_means = _naive(question, given)
    adjusted, overlap, reason = _found(asked, estimand, main)
    tested = Placebo(None, None, "placebo not tested: there is no effect to doubt")
    if reason is None:
        tested = _placebo(question, estimand, method, before)
        if tested.is_passed is False or (settings.needs_placebo and not tested.is_passed):
            adjusted, reason = None, tested.words
    if reason is None:
        verdict = (
            f"identified: {count[0]:,} customers with the event against {count[1]:,} without it;"
            f" {tested.words}"
        )
    else:
        verdict = f"not identified: {reason}"
    return Effect(
        event_name=question.event_name,
        outcome_name=question.outcome_name,
        method=method,
        estimand=_estimand_words(estimand, overlap),
        treated_count=count[0],
        control_count=count[1],
        customer_count=int(np.unique(customer).size),
        treated_mean=naive_means[0],
        control_mean=_mean(given.outcome[~treated]),
        others_mean=naive_means[1],
        naive=naive,
        adjusted=adjusted,
        overlap=overlap,
        placebo=tested,
        is_identified=reason is None,
        verdict=verdict,
    )


def deals_of(sample: Sample, design: Design, settings: Settings = DEFAULTS) -> list[Deal]:
    """Predict the probability of the event by folds without the row, once for every deal.

    Raises
    ------
    NotConverged
        If it does not settle.
    """
    assert sample.customer is not None
    found: list[Deal] = []
    penalties = PROPENSITY_PENALTIES
    for number in range(settings.deals):
        fold = folds_of(sample.treated, sample.customer, settings.folds, settings.seed + number)
        chance, penalty = propensity(design.columns, sample.treated, fold, penalties)
        found.append(Deal(fold, chance))
        # What one deal finds to be the best penalty serves the others: how rows were dealt hardly
        # moves it, and the fits of the probability are what an estimate spends its time on.
        penalties = (penalty,)
    return found


def average_effect(
    sample: Sample, design: Design, deal: Deal, kept: NDArray[np.bool_], estimand: Estimand
) -> Average:
    """Average effect on the rows that are compared, with outcomes predicted out of fold."""
    treated, outcome = sample.treated, sample.outcome
    # Learned from everybody: who cannot be compared still tells what to expect.
    untreated = expected_outcome(design.columns, outcome, ~treated, deal.fold)
    parts = (treated[kept], outcome[kept], deal.propensity[kept], untreated[kept])
    if estimand == "att":
        return effect_on_treated(*parts)
    with_event = expected_outcome(design.columns, outcome, treated, deal.fold)
    return effect_on_everybody(*parts, with_event[kept])


class _Chances:
    """Design and probabilities of the event, kept while the same customers are asked about."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._last: tuple[Sample, Design, list[Deal]] | None = None

    def of(self, sample: Sample) -> tuple[Design, list[Deal]]:
        """Fit them, or return those of the sample before if only its outcome was another."""
        if self._last is None or not _same_customers(self._last[0], sample):
            design = design_of(sample.covariates, sample.names)
            has_columns = design.columns.shape[1] > 0
            deals = deals_of(sample, design, self.settings) if has_columns else []
            self._last = (sample, design, deals)
        return self._last[1], self._last[2]


def _same_customers(one: Sample, other: Sample) -> bool:
    assert one.customer is not None
    assert other.customer is not None
    return (
        one.names == other.names
        and np.array_equal(one.treated, other.treated)
        and np.array_equal(one.customer, other.customer)
        and np.array_equal(one.covariates, other.covariates, equal_nan=True)
    )


def _differenced(sample: Sample, method: Method, whose: str) -> Sample:
    if method == "doubly_robust":
        return sample
    if sample.outcome_before is None:
        raise DataError(f"differences in differences need outcome_before, which {whose} lacks")
    return sample._replace(outcome=sample.outcome - sample.outcome_before)


def _found(sample: Sample, estimand: Estimand, chances: _Chances) -> Finding:
    """The adjusted difference, overlap, and why there is none."""
    reason = _refusal(sample)
    if reason is not None:
        return None, None, reason
    try:
        design, deals = chances.of(sample)
    except NotConverged as error:
        return None, None, str(error)
    if not deals:
        return None, None, "no covariate differs between customers, so nothing can be adjusted for"
    treated, customer = sample.treated, sample.customer
    assert customer is not None
    chance = np.mean([one.propensity for one in deals], axis=0)
    overlap, kept = overlap_of(design, treated, chance, estimand)
    reason = failure_of(overlap, treated, chance, kept)
    if reason is not None:
        return None, overlap, reason
    # A single deal may lie a little outside of what all of them agree on.
    low, high = overlap.kept[0] / 2, (1 + overlap.kept[1]) / 2
    near = [Deal(one.fold, np.clip(one.propensity, low, high)) for one in deals]
    averages = [average_effect(sample, design, one, kept, estimand) for one in near]
    adjusted = middle_of([estimate_of(one, customer[kept]) for one in averages])
    if not (np.isfinite(adjusted.value) and adjusted.standard_error > 0):
        return None, overlap, "the outcome does not vary once event and covariates are known"
    return adjusted, overlap, None


def _naive(
    question: Question, given: Sample
) -> tuple[Estimate | None, tuple[float | None, float | None]]:
    """The gap as it comes, adjusted for nothing, and both means."""
    treated, outcome, customer = given.treated, given.outcome, question.sample.customer
    if question.others is not None:
        amounts, who = question.others
        outcome = np.concatenate([outcome[treated], amounts])
        own = np.arange(treated.size) if customer is None else np.asarray(customer)
        customer = np.concatenate([own[treated], who])
        treated = np.arange(outcome.size) < treated.sum()
    else:
        customer = given.customer
    means = _mean(outcome[treated]), _mean(outcome[~treated])
    place = np.unique(customer, return_inverse=True)[1]
    if not treated.any() or treated.all() or place.max() == 0:
        return None, means
    return difference_in_means(treated, outcome, place), means


def _mean(outcome: Floats) -> float | None:
    return float(outcome.mean()) if outcome.size else None


def _refusal(sample: Sample) -> str | None:
    """Why there is nobody to compare, or None."""
    treated, customer = sample.treated, sample.customer
    assert customer is not None
    if not treated.size:
        return "there are no customers"
    if not treated.any():
        return "nobody had the event"
    if treated.all():
        return "everybody had the event"
    for group, words in ((treated, "with"), (~treated, "without")):
        count = np.unique(customer[group]).size
        if count < FEWEST_CUSTOMERS:
            return f"only {count} customers {words} the event (at least {FEWEST_CUSTOMERS})"
    if sample.outcome.min() == sample.outcome.max():
        return f"the outcome is {sample.outcome[0]:g} for everybody"
    return None


def _placebo(question: Question, estimand: Estimand, method: Method, chances: _Chances) -> Placebo:
    """Ask for the effect on a time before the event, where it must be none."""
    untested, placebo = "placebo not tested: ", question.placebo
    if placebo is None:
        return Placebo(None, None, untested + "no outcome of a time before the event")
    asked = _differenced(placebo.checked(), method, "the placebo")
    reason = _refusal(asked)
    if reason is not None:
        return Placebo(None, None, untested + reason)
    estimate, _, reason = _found(asked, estimand, chances)
    if estimate is None:
        return Placebo(None, None, untested + (reason or ""))
    if _told_share(asked, *chances.of(asked)) > MOST_TOLD:
        return Placebo(None, None, untested + "the covariates tell its outcome")
    low, high = estimate.interval_95
    told = f"{estimate.value:+.3g} (95% {low:+.3g} to {high:+.3g}) {question.placebo_words}"
    # One sound effect in twenty is refused by chance. A rarer refusal would let more bias pass: an
    # empty cell does less harm than a wrong number.
    if low > 0 or high < 0:
        words = f"placebo fails: the same estimate finds {told}, which it cannot have changed"
        return Placebo(estimate, False, words)
    return Placebo(estimate, True, f"placebo passes: {told}")


def _told_share(sample: Sample, design: Design, deals: Sequence[Deal]) -> float:
    """Share of the outcome's variance among the untreated that unseen folds predict."""
    group = ~sample.treated
    outcome = sample.outcome[group]
    if outcome.min() == outcome.max():
        return 0.0
    expected = expected_outcome(design.columns, sample.outcome, group, deals[0].fold)[group]
    return float(1 - ((outcome - expected) ** 2).mean() / outcome.var())


def _estimand_words(estimand: Estimand, overlap: Overlap | None) -> str:
    whose = {
        "att": "average effect on those who had the event (ATT)",
        "ate": "average effect on everybody who could have had it (ATE)",
    }[estimand]
    if overlap is None or overlap.trimmed_share == 0:
        return whose
    low, high = overlap.kept
    return f"{whose}, propensity from {low:.2f} to {high:.2f}"
