"""Boosted trees that correct log-odds, and what each feature added to the correction.

What belongs here is the use of lightgbm: parameters, which features may be trusted today, training
from given log-odds, exact contributions. What is trained on which days does not belong here.

Source: Ke et al. (2017), LightGBM, NIPS 30; contributions: Lundberg et al. (2020), From local
explanations to global understanding with explainable AI for trees, Nature Machine Intelligence 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

# Shallow and slow: what is left to correct beside a closed form is small, and a leaf must stand on
# orders of many people. Chosen on days inside the fitting period of CDNOW, on the sample shop and
# on Online Retail II; the days after CDNOW's fitting period had no part in it.
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 4,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "max_bin": 63,
    # The same input gives the same trees. One thread: small trees wait longer for a second one,
    # on a machine that does something else beside them, than it saves.
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 1,
    "verbose": -1,
}
ROUNDS = 100

# A tree knows nothing beyond the values that it saw. A feature is left out if more of today's
# values than this lie outside all but half a percent of the trained ones at either end, or if
# unknown values are so much more or less common today.
MOST_OUTSIDE, EDGE_SHARE = 0.1, 0.005
MOST_CHANGE_OF_UNKNOWN = 0.25


@dataclass(frozen=True)
class Usable:
    """Which columns may be used, and the names of those that may not, by reason."""

    columns: NDArray[np.intp]
    constant: tuple[str, ...]
    outside: tuple[str, ...]


def usable_features(names: Sequence[str], trained: Matrix, today: Matrix) -> Usable:
    """Leave out features that cannot help or that trees would be blind for today.

    Parameters
    ----------
    names : sequence of text, length n_features
    trained, today : arrays, shapes (n_rows, n_features) and (n_customers, n_features)
    """
    used, constant, outside = [], [], []
    for position, name in enumerate(names):
        before, now = trained[:, position], today[:, position]
        known, present = before[~np.isnan(before)], now[~np.isnan(now)]
        if not known.size or (known.min() == known.max() and known.size == before.size):
            constant.append(name)
        elif _is_outside(before.size, known, now.size, present):
            outside.append(name)
        else:
            used.append(position)
    return Usable(np.array(used, dtype=np.intp), tuple(constant), tuple(outside))


def _is_outside(n_before: int, known: Matrix, n_now: int, present: Matrix) -> bool:
    if abs(known.size / n_before - present.size / n_now) > MOST_CHANGE_OF_UNKNOWN:
        return True
    if not present.size:
        return False
    lowest, highest = np.quantile(known, (EDGE_SHARE, 1 - EDGE_SHARE))
    return bool(((present < lowest) | (present > highest)).mean() > MOST_OUTSIDE)


@dataclass(frozen=True)
class Trees:
    """Trained trees; they read columns in the order of ``columns``."""

    booster: lightgbm.Booster
    columns: NDArray[np.intp]

    def correction(self, matrix: Matrix) -> Floats:
        """What to add to the log-odds of each row; shape (n_rows,)."""
        return np.asarray(self.booster.predict(matrix[:, self.columns], raw_score=True))

    def contributions(self, matrix: Matrix) -> tuple[Floats, float]:
        """Split the correction of each row by feature.

        Returns
        -------
        by_feature : array of float, shape (n_rows, n_columns used)
            Exact Shapley values of the trees, in log-odds.
        average : float
            The correction of the average row; with it, a row's values add up to `correction`.
        """
        split = np.asarray(self.booster.predict(matrix[:, self.columns], pred_contrib=True))
        return split[:, :-1], float(split[0, -1]) if len(split) else 0.0


def train(
    matrix: Matrix, columns: NDArray[np.intp], happened: NDArray[np.bool_], log_odds: Floats
) -> Trees:
    """Train trees on what given log-odds got wrong.

    Parameters
    ----------
    matrix : array, shape (n_rows, n_features)
    columns : array of int
        The features to read.
    happened : array of bool, shape (n_rows,)
    log_odds : array of float, shape (n_rows,)
        Where boosting starts; trees that find nothing leave it as it is.
    """
    rows = lightgbm.Dataset(
        np.ascontiguousarray(matrix[:, columns]), happened.astype(float), init_score=log_odds
    )
    return Trees(lightgbm.train(PARAMETERS, rows, ROUNDS), columns)
