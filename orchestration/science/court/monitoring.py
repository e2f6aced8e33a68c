"""What changes from origin to origin: the spread of scores and features, and whom a score misjudges.

What belongs here is watching, not judging: nothing here decides who speaks. The population
stability index compares two spreads, PSI = sum (q - p) ln(q / p) over the tenths of the earlier
one (Siddiqi, "Credit Risk Scorecards", 2006: below 0.1 stable, above 0.25 another population).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.court import metrics
from orchestration.science.court.candidates import Prediction
from orchestration.science.court.trial import Hearing, Trial
from orchestration.science.features import Features

Floats = NDArray[np.float64]

PARTS = 10
# An empty part counts as one customer in ten thousand: the log of nothing is no number.
SHARE_FLOOR = 1e-4
AGE_CLASSES = ((0, "under 90 days"), (90, "90 days to a year"), (365, "a year and more"))
# Further countries or channels share one group.
GROUPS_SHOWN = 8


class Reading(NamedTuple):
    """One watched number at one origin.

    ``subject_type`` is score, feature or group; ``measure_name`` is psi (against the origin
    before), mean, missing_rate, total_bias, or the share that ordered by the day told; ``value`` is
    NaN where there is none.
    """

    subject_type: str
    subject_name: str
    measure_name: str
    origin: int
    customers: int
    value: float


def population_stability(before: Floats, after: Floats) -> float:
    """PSI of a number between two populations; what is unknown is a part of its own.

    Parameters
    ----------
    before, after : arrays of float
        Cut at the tenths of ``before``. NaN where the number is unknown.

    Examples
    --------
    >>> same = np.arange(100.0)
    >>> population_stability(same, same)
    0.0
    """
    known = before[~np.isnan(before)]
    if not known.size or not after.size:
        return np.nan
    edges = np.unique(np.quantile(known, np.arange(1, PARTS) / PARTS))
    shares = []
    for values in (before, after):
        # A part holds its upper edge, so that a value shared by many is cut off from what is above.
        part = np.searchsorted(edges, values, side="left")
        part[np.isnan(values)] = edges.size + 1
        count = np.bincount(part, minlength=edges.size + 2)
        shares.append(np.maximum(count / values.size, SHARE_FLOOR))
    p, q = shares
    return float(((q - p) * np.log(q / p)).sum())


def score_readings(
    trial: Trial, model_name: str, tonight: tuple[int, Prediction] | None = None
) -> Iterator[Reading]:
    """Mean and drift of a candidate's score, origin by origin and up to tonight.

    Parameters
    ----------
    trial : Trial
    model_name : str
    tonight : day and Prediction, optional
        What the candidate says of the night's own customers, over the horizon that was judged.
    """
    said = [(hearing.origin, hearing.predictions[model_name]) for hearing in trial.hearings]
    before: Floats | None = None
    for day, prediction in [*said, *([tonight] if tonight else [])]:
        if prediction.level == "none":
            continue
        score, n = prediction.expected, prediction.expected.size
        yield Reading("score", model_name, "mean", day, n, float(score.mean()))
        if before is not None:
            drift = population_stability(before, score)
            yield Reading("score", model_name, "psi", day, n, drift)
        before = score


def feature_readings(features: Sequence[tuple[int, Features]]) -> Iterator[Reading]:
    """Missing rate and drift of every feature from day to day, ascending."""
    before: Features | None = None
    for day, now in features:
        n = now.matrix.shape[0]
        for place, name in enumerate(now.names):
            values = now.matrix[:, place].astype(float)
            missing = float(np.isnan(values).mean()) if n else np.nan
            yield Reading("feature", name, "missing_rate", day, n, missing)
            if before is not None and name in before.names:
                drift = population_stability(before.column(name).astype(float), values)
                yield Reading("feature", name, "psi", day, n, drift)
        before = now


def group_readings(
    trial: Trial, model_name: str, attributes: Mapping[str, NDArray[np.object_]]
) -> Iterator[Reading]:
    """Total bias of a candidate within groups of customers, origin by origin.

    Parameters
    ----------
    trial : Trial
    model_name : str
    attributes : mapping of name to array of text, shape (n_customers,) of the night's ledger
        Further groups, such as country; None where unknown.
    """
    for hearing in trial.hearings:
        prediction = hearing.predictions[model_name]
        if prediction.level == "none":
            continue
        for name, inside in _groups(hearing, attributes):
            bias = metrics.total_bias(prediction.expected[inside], hearing.actual[inside])
            yield Reading("group", name, "total_bias", hearing.origin, int(inside.sum()), bias)


def _groups(
    hearing: Hearing, attributes: Mapping[str, NDArray[np.object_]]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    yield "one-time buyers", hearing.frequency == 0
    yield "repeat buyers", hearing.frequency > 0
    starts = np.array([start for start, _ in AGE_CLASSES])
    age_class = np.searchsorted(starts, hearing.age_days, side="right") - 1
    for place, (_, words) in enumerate(AGE_CLASSES):
        if (age_class == place).any():
            yield f"customers for {words}", age_class == place
    for name, of_all in attributes.items():
        values = np.array([value or "unknown" for value in of_all[hearing.customer]], dtype=str)
        found, count = np.unique(values, return_counts=True)
        if found.size < 2:
            continue
        largest = found[np.lexsort((found, -count))][:GROUPS_SHOWN]
        for value in largest.tolist():
            yield f"{name}: {value}", values == value
        others = ~np.isin(values, largest)
        if others.any():
            yield f"{name}: all others", others
