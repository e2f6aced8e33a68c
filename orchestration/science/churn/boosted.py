"""Churn by boosted trees that stand on a closed form, calibrated on days later than they learned.

What belongs here is the order of steps, and when each is left out. A forecast of the days after
the last day of a ledger is made so:

1. The closed form is fitted to today's customers; where none converges there is no forecast.
2. Days of the past a month apart, whose horizons are over, get their own closed form and features.
3. If the same day a year ago is among them, the shift of log-odds it needed is carried forward,
   and every day's own shift is given to the trees, which then learn only how customers of a day
   differ. Without it the days are pooled, as the season cannot be told from the customers.
4. Trees learn on the older days what the closed form got wrong. The newer days say how far to
   believe them, and correct level and slope (`calibration`). No order is in both.
5. Trees learn again on all days. Today's log-odds are the calibrated sum. Where no year ago tells
   the season, only part of what this moves everyone by is kept (`level.kept_share`).

Where rows, orders or days are too few for 4, the closed form speaks alone, and the verdict says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from orchestration.science.churn.attribution import HISTORY_FEATURES, history_contributions
from orchestration.science.churn.calibration import Calibration, fit_calibration
from orchestration.science.churn.closed_form import ClosedForm, first_closed_form, history_reasons
from orchestration.science.churn.level import kept_share
from orchestration.science.churn.reasons import CLOSED_FORM, Reasons, reasons_from
from orchestration.science.churn.records import (
    ChurnForecast,
    checked_horizon_days,
    no_churn_forecast,
)
from orchestration.science.churn.training import (
    CLOSED_FORM_COLUMNS,
    MOST_TRAINED_DAYS,
    Matrix,
    PastDay,
    Season,
    calibration_split,
    described,
    drawn_customers,
    past_days,
    season_of,
    trainable_before,
    with_closed_form,
)
from orchestration.science.churn.trees import Trees, train, usable_features
from orchestration.science.features import Features, customer_features
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# Fewer rows with an order, or without one, teach trees nothing that is not chance.
FEWEST_OF_EACH, FEWEST_OF_EACH_TO_CALIBRATE = 100, 30


@dataclass(frozen=True)
class Learned:
    """What the past taught: trees, how far to believe them, today's season, and a line on it."""

    trees: Trees
    calibration: Calibration
    season: Season
    verdict: str


class BoostedChurn:
    """The forecaster; it keeps nothing between forecasts."""

    model_name = "boosted_churn"

    def predict(self, ledger: Ledger, horizon_days: int) -> ChurnForecast:
        """Forecast whether each customer orders within the horizon."""
        days = checked_horizon_days(horizon_days)
        features = customer_features(ledger)
        histories = ledger.histories()
        is_one_time = histories.frequency == 0
        said = first_closed_form(histories, days)
        if not said.converged:
            return no_churn_forecast(self.model_name, days, is_one_time, said.verdict)
        today = with_closed_form(features, said, features.names)
        learned = _learn(drawn_customers(ledger), days, features.names, said, today)
        if isinstance(learned, str):
            verdict, p_order = (
                f"closed form alone ({said.verdict}): {learned}",
                said.p_order,
            )
        else:
            verdict = f"{learned.verdict}; {said.verdict}"
            p_order = expit(_log_odds(learned, said, today))
        return ChurnForecast(
            model_name=self.model_name,
            horizon_days=days,
            level="customer",
            verdict=verdict,
            p_order=p_order,
            is_one_time=is_one_time,
            closed_form_p_order=said.p_order,
            why=lambda asked: _reasons(asked, features, said, today, learned),
        )


def _learn(
    ledger: Ledger, horizon_days: int, names: Sequence[str], said: ClosedForm, today: Matrix
) -> Learned | str:
    """Learn from the past of a ledger, or say why nothing can be learned."""
    days, n_left_out = past_days(ledger, horizon_days)
    season = season_of(days, ledger.until)
    trained = days[:MOST_TRAINED_DAYS]
    n_later = calibration_split(trained, horizon_days)
    if not n_later:
        return (
            f"{len(trained)} past days with {horizon_days} days before and after them (and a"
            " closed form) are too few to learn on some and calibrate on others"
        )
    matrices = described(trained, names)
    earlier = trainable_before(trained, n_later, horizon_days)
    later = list(range(n_later))
    for chosen, fewest, purpose in (
        (earlier, FEWEST_OF_EACH, "learn from"),
        (later, FEWEST_OF_EACH_TO_CALIBRATE, "calibrate on"),
    ):
        ordered = np.concatenate([trained[at].ordered for at in chosen])
        n_ordered = int(np.count_nonzero(ordered))
        if min(n_ordered, ordered.size - n_ordered) < fewest:
            return (
                f"{n_ordered} of {ordered.size} past rows have an order; to {purpose} them"
                f" needs {fewest} with and {fewest} without"
            )

    first, _, _ = _trees(trained, matrices, earlier, season.is_known, names, today)
    offsets = _offsets(trained, later, season.is_known)
    overlap = 1 + (trained[0].day - trained[n_later - 1].day) / horizon_days
    calibration = fit_calibration(
        offsets,
        first.correction(np.concatenate([matrices[at] for at in later])),
        np.concatenate([trained[at].ordered for at in later]),
        weight=min(1.0, overlap / n_later),
    )
    everything = list(range(len(trained)))
    trees, n_ordered, left_out = _trees(
        trained, matrices, everything, season.is_known, names, today
    )
    if not season.is_known:
        # The trees were told no day's own shift, and what all days had in common is in them.
        kept = kept_share([one.shift for one in trained], overlap)
        moved = calibration.log_odds(said.log_odds, trees.correction(today)) - said.log_odds
        level = calibration.level - (1 - kept) * float(moved.mean())
        calibration = replace(calibration, level=level)
        season_told = f"no year ago, {kept:.0%} of the level kept"
    else:
        season_told = f"season of a year ago {season.shift:+.2f}"
    told = (
        f"trees on {len(trained)} past days ({sum(len(one) for one in matrices)} rows,"
        f" {n_ordered} with an order), calibrated on {n_later} later ones: level"
        f" {calibration.level:+.2f}, slope {calibration.slope:.2f}, trust in the trees"
        f" {calibration.trust:.2f}; {season_told}"
    )
    if n_left_out:
        told += f"; {n_left_out} past days without a closed form"
    return Learned(trees, calibration, season, told + left_out)


def _trees(
    days: Sequence[PastDay],
    matrices: Sequence[Matrix],
    chosen: Sequence[int],
    with_shifts: bool,
    names: Sequence[str],
    today: Matrix,
) -> tuple[Trees, int, str]:
    """Train on some days; the trees, the number of orders, and what was left out."""
    rows = np.concatenate([matrices[at] for at in chosen])
    ordered = np.concatenate([days[at].ordered for at in chosen])
    # The closed form is not judged by the range of its values: it is a formula, and made for them.
    n_features = len(names)
    usable = usable_features(names, rows[:, :n_features], today[:, :n_features])
    closed = np.arange(n_features, n_features + len(CLOSED_FORM_COLUMNS))
    columns = np.concatenate([usable.columns, closed])
    trees = train(rows, columns, ordered, _offsets(days, chosen, with_shifts))
    left_out = ""
    if usable.constant:
        left_out += f"; constant and left out: {', '.join(usable.constant)}"
    if usable.outside:
        left_out += f"; beyond what the past held and left out: {', '.join(usable.outside)}"
    return trees, int(np.count_nonzero(ordered)), left_out


def _offsets(days: Sequence[PastDay], chosen: Sequence[int], with_shifts: bool) -> Floats:
    """Log-odds that the trees start from on some days."""
    return np.concatenate(
        [days[at].closed.log_odds + (days[at].shift if with_shifts else 0.0) for at in chosen]
    )


def _log_odds(learned: Learned, said: ClosedForm, today: Matrix) -> Floats:
    closed = said.log_odds + learned.season.shift
    return learned.calibration.log_odds(closed, learned.trees.correction(today))


def _reasons(
    asked: NDArray[np.intp],
    features: Features,
    said: ClosedForm,
    today: Matrix,
    learned: Learned | str,
) -> Reasons:
    """Split log-odds of churn by feature: the closed form's two shares and the trees' own.

    What the trees make of the closed form's own columns is told as one, the order history. A
    number that both read has one contribution.
    """
    if isinstance(learned, str):
        return history_reasons(asked, features, said)
    calibration = learned.calibration
    by_history, reference = history_contributions(said.p_order, said.p_alive, asked)
    split, mean_correction = learned.trees.contributions(today[asked])
    names = (*features.names, CLOSED_FORM)
    total = np.zeros((asked.size, len(names)))
    for at, name in enumerate(HISTORY_FEATURES):
        total[:, names.index(name)] = calibration.slope * by_history[:, at]
    for at, column in enumerate(learned.trees.columns):
        # Columns beyond the features are the closed form's.
        total[:, min(column, len(names) - 1)] += calibration.trust * split[:, at]
    base = calibration.log_odds(
        np.array(reference + learned.season.shift), np.array(mean_correction)
    )
    return reasons_from(asked, features, names, -total, -float(base))
