"""Who speaks for a score tonight: the rule by which a champion stays, falls, or is replaced.

1. An incumbent (the champion of the newest earlier night) that does not pass tonight falls at once.
2. An incumbent that passes stays, unless a challenger that passes is better by the whole interval
   of the paired difference and by more than `MINIMUM_GAIN` of its loss.
3. Without an incumbent the last in the list of candidates that passes stands in for one, and rule
   2 applies. The list goes from plain to able: where losses tell nobody apart, what the able one
   would correct had no occasion yet, and must not have to wait for one to be wrong without it.
4. If nobody passes, nobody speaks: the score is withheld.
5. Whoever has nothing to say tonight (a fit that did not converge on all that is known) does not
   pass, and the rule is applied to the others.

So two models that are equally good do not take turns, night by night, on noise.
"""

from dataclasses import dataclass, replace

from orchestration.science.court.bootstrap import Difference, paired_difference
from orchestration.science.court.trial import Trial
from orchestration.science.court.verdicts import NO_DIFFERENCE, Verdict, judge, losses_of
from orchestration.science.ledger import Ledger

# Below this a gain is noise on every data set that was tried, whatever its interval says.
MINIMUM_GAIN = 0.01


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """Tonight's champion of a score.

    Attributes
    ----------
    champion, incumbent : str or None
        None: nobody passes; there was no earlier night.
    challenger : str or None
        The best of the others that pass.
    against_challenger : Difference
        Loss of the challenger less that of the champion: below 0 it is better.
    reason : str
        Why, for a person.
    """

    champion: str | None
    incumbent: str | None
    challenger: str | None
    against_challenger: Difference
    reason: str


def rule_of_tonight(
    trial: Trial, tonight: Ledger, incumbent: str | None
) -> tuple[tuple[Verdict, ...], Ruling]:
    """Judge a trial and choose a champion that has something to say tonight.

    Parameters
    ----------
    trial : Trial
    tonight : Ledger
        What the champion will be asked about: cut at its own last day.
    incumbent : str or None
        As in `rule`.

    Returns
    -------
    verdicts : tuple of Verdict
        From `judge`; who is silent tonight does not pass, and the reason says why.
    ruling : Ruling
    """
    verdicts = judge(trial)
    asked = {candidate.model_name: candidate for candidate in trial.score.candidates}
    while True:
        ruling = rule(trial, verdicts, incumbent)
        if ruling.champion is None:
            return verdicts, ruling
        said = asked[ruling.champion].predict(tonight, trial.score.horizon_days)
        if said.level != "none":
            return verdicts, ruling
        verdicts = tuple(
            replace(one, is_converged=False, reason=f"silent tonight: {said.verdict}")
            if one.model_name == ruling.champion
            else one
            for one in verdicts
        )


def rule(trial: Trial, verdicts: tuple[Verdict, ...], incumbent: str | None) -> Ruling:
    """Choose the champion of a score.

    Parameters
    ----------
    trial : Trial
    verdicts : tuple of Verdict
        From `judge` of the same trial.
    incumbent : str or None
        Champion of the newest night before this one. A name that no longer stands trial falls.
    """
    place = {verdict.model_name: index for index, verdict in enumerate(verdicts)}
    passing = sorted(
        (verdict for verdict in verdicts if verdict.is_passing),
        key=lambda verdict: (verdict.mean_loss, verdict.model_name),
    )
    said = {verdict.model_name: verdict.reason for verdict in verdicts}
    names = [verdict.model_name for verdict in passing]
    fallen = ""
    if incumbent is not None and incumbent not in names:
        fallen = f"{incumbent} fell: {said.get(incumbent, 'it no longer stands trial')}. "
    if not names:
        why = "; ".join(
            f"{verdict.model_name}: {verdict.reason}"
            for verdict in verdicts
            if not verdict.is_baseline and verdict.model_name != incumbent
        )
        return Ruling(
            champion=None,
            incumbent=incumbent,
            challenger=None,
            against_challenger=NO_DIFFERENCE,
            reason=f"{fallen}nobody passes: {why or 'there is no other candidate'}",
        )
    ablest = max(names, key=lambda name: place[name])
    champion, reason = (
        (incumbent, f"incumbent stays: {said[incumbent]}")
        if incumbent in names
        else (ablest, f"{fallen}the ablest of those that pass: {said[ablest]}")
    )
    standing = champion
    for name in names:
        if name != standing and _takes_over(trial, name, standing):
            champion = name
            gain = _against(trial, name, standing).gain
            reason = f"{fallen}takes over from {standing}, loss {gain:.1%} smaller: {said[name]}"
            break
    challenger = next((name for name in names if name != champion), None)
    return Ruling(
        champion=champion,
        incumbent=incumbent,
        challenger=challenger,
        against_challenger=(_against(trial, challenger, champion) if challenger else NO_DIFFERENCE),
        reason=reason,
    )


def _takes_over(trial: Trial, challenger: str, incumbent: str) -> bool:
    difference = _against(trial, challenger, incumbent)
    return difference.is_better and difference.gain > MINIMUM_GAIN


def _against(trial: Trial, name: str, other: str) -> Difference:
    own, others = losses_of(trial, name), losses_of(trial, other)
    if own is None or others is None:
        return NO_DIFFERENCE
    return paired_difference(own, others, trial.customer())
