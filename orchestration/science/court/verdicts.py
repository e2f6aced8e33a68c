"""Whether a candidate has earned its place: the written rule, and the numbers it is applied to.

A candidate passes if

1. it spoke at every origin (its fit converged wherever it was asked),
2. it beats each of the four forecasts without a model: the 95% interval of the difference in loss,
   paired over customers and pooled over origins, lies on its side for every loss of its kind, and
   it ranks no worse (normalised Gini) than the best of them,
3. its level is right: over all origins its total lies within `BIAS_BAND` of what came, and the
   slope of its calibration within `SLOPE_BAND`.

Losses: Poisson deviance and squared error for counts, log loss for probabilities, Tweedie deviance
for amounts. The first of a kind is the one by which candidates are compared with each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.court import metrics
from orchestration.science.court.bootstrap import Difference, paired_difference
from orchestration.science.court.candidates import Kind
from orchestration.science.court.trial import Trial

Floats = NDArray[np.float64]
Loss = Callable[[Floats, Floats], Floats]

SLOPE_BAND = (0.8, 1.2)
# A plan made from the total errs by no more than a fifth.
BIAS_BAND = 0.2

LOSSES: dict[Kind, dict[str, Loss]] = {
    "count": {
        "poisson_deviance": metrics.poisson_deviances,
        "squared_error": metrics.squared_errors,
    },
    "probability": {"log_loss": metrics.log_losses},
    "amount": {"tweedie_deviance": metrics.tweedie_deviances},
}
CALIBRATIONS: dict[Kind, Callable[[Floats, Floats], metrics.Calibration]] = {
    "count": metrics.count_calibration,
    "probability": metrics.probability_calibration,
    "amount": metrics.amount_calibration,
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the court found of one candidate, over all origins.

    Attributes
    ----------
    model_name : str
    is_baseline, is_converged, is_beating_baselines, is_calibrated : bool
    mean_loss : float
        Of the first loss of the kind; NaN where the candidate failed to speak.
    hardest_baseline : str or None
        The plain forecast that came closest, or won.
    against_baseline : Difference
        In that loss, to that baseline.
    gini, total_bias, calibration_slope : float
    interval_coverage : float
        Share of outcomes within the 80% bounds; NaN where a candidate gives none.
    reason : str
        Why it passes or does not, for a person.
    """

    model_name: str
    is_baseline: bool
    is_converged: bool
    is_beating_baselines: bool
    is_calibrated: bool
    mean_loss: float
    hardest_baseline: str | None
    against_baseline: Difference
    gini: float
    total_bias: float
    calibration_slope: float
    interval_coverage: float
    reason: str

    @property
    def is_passing(self) -> bool:
        """All three conditions hold; a plain forecast never stands trial itself."""
        return (
            not self.is_baseline
            and self.is_converged
            and self.is_beating_baselines
            and self.is_calibrated
        )


NO_DIFFERENCE = Difference(np.nan, np.nan, np.nan, np.nan)


def judge(trial: Trial) -> tuple[Verdict, ...]:
    """Apply the rule to every candidate of a trial, in the order of its score."""
    baselines = [one.model_name for one in trial.score.candidates if one.is_baseline]
    return tuple(
        _verdict(trial, candidate.model_name, candidate.is_baseline, baselines)
        for candidate in trial.score.candidates
    )


def losses_of(trial: Trial, model_name: str, loss_name: str | None = None) -> Floats | None:
    """Losses of a candidate over all origins, of the first kind if none is named."""
    expected = trial.expected(model_name)
    if expected is None:
        return None
    losses = LOSSES[trial.score.kind]
    loss = losses[loss_name or next(iter(losses))]
    return loss(expected, trial.actual())


def _verdict(trial: Trial, name: str, is_baseline: bool, baselines: list[str]) -> Verdict:
    expected, actual = trial.expected(name), trial.actual()
    if expected is None:
        return _silent(trial, name, is_baseline)
    kind = trial.score.kind
    calibration = CALIBRATIONS[kind](expected, actual)
    bias = metrics.total_bias(expected, actual)
    gini = metrics.normalised_gini(expected, actual)
    loss_name, problems, hardest, difference = next(iter(LOSSES[kind])), [], None, NO_DIFFERENCE
    if not is_baseline:
        hardest, difference, lost = _against(trial, name, baselines)
        problems += lost
        best = max((_gini(trial, baseline) for baseline in baselines), default=-1.0)
        if gini < best:
            problems.append(f"ranks worse than a forecast without a model ({gini:.3f}, {best:.3f})")
    is_beating = not problems
    if not abs(bias) <= BIAS_BAND:
        problems.append(f"total off by {bias:+.1%}, beyond {BIAS_BAND:.0%}")
    if not SLOPE_BAND[0] <= calibration.slope <= SLOPE_BAND[1]:
        problems.append(
            f"calibration slope {calibration.slope:.2f}, outside {SLOPE_BAND[0]} to {SLOPE_BAND[1]}"
        )
    is_calibrated = abs(bias) <= BIAS_BAND and SLOPE_BAND[0] <= calibration.slope <= SLOPE_BAND[1]
    if is_baseline:
        reason = "a forecast without a model: beside the others, never champion"
    elif problems:
        reason = "; ".join(problems)
    else:
        reason = (
            f"{loss_name.replace('_', ' ')} {difference.gain:.1%} below that of {hardest},"
            f" total off by {bias:+.1%}, calibration slope {calibration.slope:.2f}"
        )
    return Verdict(
        model_name=name,
        is_baseline=is_baseline,
        is_converged=True,
        is_beating_baselines=is_beating and not is_baseline,
        is_calibrated=is_calibrated,
        mean_loss=float(LOSSES[kind][loss_name](expected, actual).mean()),
        hardest_baseline=hardest,
        against_baseline=difference,
        gini=gini,
        total_bias=bias,
        calibration_slope=calibration.slope,
        interval_coverage=_coverage(trial, name),
        reason=reason,
    )


def _against(
    trial: Trial, name: str, baselines: list[str]
) -> tuple[str | None, Difference, list[str]]:
    """The hardest baseline in the first loss, and every baseline that was not beaten in any."""
    customer, lost = trial.customer(), []
    hardest, closest = None, NO_DIFFERENCE
    for place, loss_name in enumerate(LOSSES[trial.score.kind]):
        own = losses_of(trial, name, loss_name)
        for baseline in baselines:
            other = losses_of(trial, baseline, loss_name)
            if own is None or other is None:
                continue
            difference = paired_difference(own, other, customer)
            if not difference.is_better:
                lost.append(f"does not beat {baseline} in {loss_name.replace('_', ' ')}")
            if place == 0 and (hardest is None or difference.gain < closest.gain):
                hardest, closest = baseline, difference
    return hardest, closest, lost


def _gini(trial: Trial, name: str) -> float:
    expected = trial.expected(name)
    gini = np.nan if expected is None else metrics.normalised_gini(expected, trial.actual())
    return -1.0 if np.isnan(gini) else gini


def _coverage(trial: Trial, name: str) -> float:
    bounds = [
        (hearing.predictions[name].low, hearing.predictions[name].high)
        for hearing in trial.hearings
    ]
    low, high = (
        [side for side in sides if side is not None] for sides in zip(*bounds, strict=True)
    )
    if len(low) < len(bounds) or len(high) < len(bounds):
        return np.nan
    return metrics.coverage(np.concatenate(low), np.concatenate(high), trial.actual())


def _silent(trial: Trial, name: str, is_baseline: bool) -> Verdict:
    """A candidate that did not speak at some origin has no place, whatever it said at others."""
    silent = [
        hearing.predictions[name].verdict
        for hearing in trial.hearings
        if hearing.predictions[name].level == "none"
    ]
    if not trial.hearings:
        reason = f"not judged: {trial.origins.note}"
    else:
        reason = f"no forecast at {len(silent)} of {len(trial.hearings)} origins: {silent[0]}"
    return Verdict(
        model_name=name,
        is_baseline=is_baseline,
        is_converged=False,
        is_beating_baselines=False,
        is_calibrated=False,
        mean_loss=np.nan,
        hardest_baseline=None,
        against_baseline=NO_DIFFERENCE,
        gini=np.nan,
        total_bias=np.nan,
        calibration_slope=np.nan,
        interval_coverage=np.nan,
        reason=reason,
    )
