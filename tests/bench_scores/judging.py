"""The court on a given day: every forecaster beside what came, and the champion that was chosen without knowing it.

What belongs here is what all parts share. The rule by which a champion is chosen is the court's own;
it sees the ledger of the day and so none of the outcomes that the tables show.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from orchestration.science.court import metrics
from orchestration.science.court.candidates import Prediction, Score, orders_score
from orchestration.science.court.champions import Ruling, rule_of_tonight
from orchestration.science.court.origins import Origins, rolling_origins
from orchestration.science.court.trial import hear
from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS
from orchestration.science.ledger import Ledger
from tests.bench_scores.tables import Cell, share

Floats = NDArray[np.float64]
Say = Callable[[str], None]

COUNT_COLUMNS = (
    "", "MAE", "RMSE", "bias", "Spearman", "Gini", "top 10%", "80% holds",
)  # fmt: skip
CHANCE_COLUMNS = ("", "Brier", "log loss", "AUC", "ECE", "lift", "bias")
NOT_CHOSEN = "nobody passes"


@dataclass(frozen=True)
class Chosen:
    """The champion of a score on a day, and how it was chosen."""

    name: str | None
    origins: Origins
    ruling: Ruling

    def __str__(self) -> str:
        return (
            f"  champion {self.name or NOT_CHOSEN}, by {self.origins.note} before the day: "
            f"{self.ruling.reason}"
        )


def orders_of(horizon_days: int) -> Score:
    """The score of orders, with every forecaster of the registry."""
    return orders_score(FORECASTERS, BASELINE_NAMES, horizon_days)


def choose(score: Score, known: Ledger) -> Chosen:
    """Let the court choose the champion of a score from what was known alone."""
    origins = rolling_origins(known, score.horizon_days)
    trial = hear(score, known, origins)
    _, ruling = rule_of_tonight(trial, known, None)
    return Chosen(ruling.champion, origins, ruling)


def predictions(score: Score, known: Ledger, say: Say) -> dict[str, Prediction]:
    """What every candidate of a score says on a day."""
    said = {}
    for candidate in score.candidates:
        say(f"  {candidate.model_name}")
        said[candidate.model_name] = candidate.predict(known, score.horizon_days)
    return said


def count_row(name: str, said: Prediction, actual: Floats) -> list[Cell]:
    """Errors of one forecast of orders or money, in the columns of the published tables."""
    if said.level == "none":
        return [f"{name}: {said.verdict}"[:60], *[None] * (len(COUNT_COLUMNS) - 1)]
    covered = None
    if said.low is not None and said.high is not None:
        covered = f"{metrics.coverage(said.low, said.high, actual):.1%}"
    return [
        name,
        metrics.mean_absolute_error(said.expected, actual),
        metrics.root_mean_squared_error(said.expected, actual),
        share(metrics.total_bias(said.expected, actual)),
        metrics.spearman(said.expected, actual),
        metrics.normalised_gini(said.expected, actual),
        metrics.top_capture(said.expected, actual),
        covered,
    ]


def chance_row(name: str, said: Prediction, happened: Floats) -> list[Cell]:
    """Errors of one probability of an order."""
    if said.level == "none":
        return [f"{name}: {said.verdict}"[:60], *[None] * (len(CHANCE_COLUMNS) - 1)]
    p = said.expected
    return [
        name,
        metrics.brier_score(p, happened),
        metrics.log_loss(p, happened),
        metrics.area_under_curve(p, happened),
        metrics.expected_calibration_error(p, happened),
        metrics.lift(p, happened),
        share(metrics.total_bias(p, happened)),
    ]


def starred(name: str, chosen: Chosen) -> str:
    """Mark the champion in a table."""
    return f"{name} *" if name == chosen.name else name


def date_of(day: int) -> date:
    """The date of a day since 1970-01-01."""
    return date(1970, 1, 1) + timedelta(days=day)
