"""Forecast beside outcome, group by group: is the level right everywhere, or only in total?

What belongs here is the cutting of customers into groups that are known at the origin: by repeat
orders so far, and into ten parts by the forecast itself. Origins are pooled.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.court.candidates import Kind
from orchestration.science.court.trial import Trial
from orchestration.science.intervals import Z_95, wilson_interval

Floats = NDArray[np.float64]

DECILES = 10
# Repeat orders from here on share the last group.
LAST_FREQUENCY = 7


class Bin(NamedTuple):
    """One group: its customers (once for each origin), the mean forecast, and what came.

    ``actual_low`` and ``actual_high`` bound the mean of what came with 95%.
    """

    bin_type: str
    bin_number: int
    bin_label: str
    customers: int
    expected_mean: float
    actual_mean: float
    actual_low: float
    actual_high: float


def calibration_bins(trial: Trial, model_name: str) -> list[Bin]:
    """Lay a candidate's forecasts beside what came; empty if it failed to speak."""
    expected = trial.expected(model_name)
    if expected is None:
        return []
    actual, kind = trial.actual(), trial.score.kind
    frequency = np.concatenate([hearing.frequency for hearing in trial.hearings])
    by_frequency = np.minimum(frequency, LAST_FREQUENCY).astype(int)
    by_forecast = score_deciles(expected)
    found = []
    for number in np.unique(by_frequency).tolist():
        label = f"{number} or more" if number == LAST_FREQUENCY else str(number)
        inside = by_frequency == number
        found.append(_bin("frequency", number, label, kind, expected[inside], actual[inside]))
    for number in np.unique(by_forecast).tolist():
        inside = by_forecast == number
        label = f"{expected[inside].min():.3g} to {expected[inside].max():.3g}"
        found.append(_bin("decile", number, label, kind, expected[inside], actual[inside]))
    return found


def score_deciles(expected: Floats) -> NDArray[np.int64]:
    """Part 1 (lowest) to 10 of each forecast; equal forecasts stay together.

    Examples
    --------
    >>> score_deciles(np.array([5.0, 1.0, 1.0, 9.0])).tolist()
    [7, 3, 3, 9]
    """
    _, position, count = np.unique(expected, return_inverse=True, return_counts=True)
    # The middle of a tie decides for all of it.
    middle = (np.cumsum(count) - count / 2)[position] / expected.size
    return np.clip(np.ceil(middle * DECILES), 1, DECILES).astype(np.int64)


def _bin(
    bin_type: str, number: int, label: str, kind: Kind, expected: Floats, actual: Floats
) -> Bin:
    n, mean = actual.size, float(actual.mean())
    if kind == "probability":
        low, high = (float(bound) for bound in wilson_interval(actual.sum(), n))
    else:
        # One customer has no spread; the interval is then as wide as nothing known.
        half = Z_95 * float(actual.std(ddof=1)) / np.sqrt(n) if n > 1 else np.nan
        low, high = mean - half, mean + half
    return Bin(bin_type, number, label, n, float(expected.mean()), mean, low, high)
