"""Covariates as regressions read them: unknown values named, curves as bent lines.

What belongs here is the design matrix of the two regressions behind an effect. Which covariates
there are is the caller's matter; what is regressed on them belongs elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Values beyond these shares are drawn in to them: one wholesale buyer bends no line.
EDGES = (0.005, 0.995)
# Where a line may bend: shares of the known values. Behaviour is skewed to the right.
KNOTS = (0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Design:
    """Standardised columns for regressions, and plain ones for balance.

    Attributes
    ----------
    columns : array, shape (n, n_columns)
        Lines, bends and flags of unknown values, each with mean 0 and standard deviation 1. No
        constant; none is a copy of another.
    plain : array, shape (n, n_plain)
        Covariates with unknown values at the median, then flags of unknown values.
    plain_names : tuple of text
    """

    columns: Floats
    plain: Floats
    plain_names: tuple[str, ...]


def design_of(covariates: Floats, names: tuple[str, ...]) -> Design:
    """Build the columns; a covariate without two different values has none.

    Parameters
    ----------
    covariates : array of float, shape (n, n_covariates)
        NaN means unknown.
    names : tuple of text

    Notes
    -----
    A covariate enters as a line that may bend at fixed shares of its values (a linear spline), so
    that a regression on the columns is additive, and monotone or not as the data say.
    """
    n = covariates.shape[0]
    columns: list[Floats] = []
    plain: list[Floats] = []
    plain_names: list[str] = []
    flags: list[tuple[str, Floats]] = []
    for name, values in zip(names, covariates.T, strict=True):
        known = ~np.isnan(values)
        if not known.any():
            continue
        if not known.all():
            flags.append((f"{name} is unknown", (~known).astype(float)))
        distinct = np.unique(values[known])
        if distinct.size < 2:
            continue
        # The edges of a rare flag would drop it, so few distinct values stay as they are.
        low, high = (
            (distinct[0], distinct[-1])
            if distinct.size <= 10
            else np.quantile(values[known], EDGES)
        )
        if low == high:
            low, high = distinct[0], distinct[-1]
        filled = np.clip(np.where(known, values, np.median(values[known])), low, high)
        plain.append(filled)
        plain_names.append(name)
        columns.append(filled)
        if distinct.size > 2:
            knots = np.unique(np.quantile(np.clip(values[known], low, high), KNOTS))
            columns += [np.maximum(filled - knot, 0) for knot in knots if low < knot < high]
    for name, flag in flags:
        plain.append(flag)
        plain_names.append(name)
        columns.append(flag)
    return Design(
        _standardised_distinct(columns, n),
        np.column_stack(plain) if plain else np.zeros((n, 0)),
        tuple(plain_names),
    )


def _standardised_distinct(columns: list[Floats], n: int) -> Floats:
    """Columns with mean 0 and standard deviation 1; later copies of one are dropped."""
    kept: dict[bytes, Floats] = {}
    for column in columns:
        spread = column.std()
        if spread <= 1e-12 * max(1.0, np.abs(column).max()):
            continue
        standard = (column - column.mean()) / spread
        kept.setdefault(np.round(standard, 9).tobytes(), standard)
    return np.column_stack(list(kept.values())) if kept else np.zeros((n, 0))
