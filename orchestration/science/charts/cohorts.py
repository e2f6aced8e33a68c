"""Pictures of cohorts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from orchestration.science.charts.canvas import INK, figure
from orchestration.science.errors import DataError

# More rows than this cannot be read; the newest cohorts are the ones a person acts on.
COHORTS_SHOWN = 36


def cohort_triangle(
    cohort: Sequence[Any], age: ArrayLike, retention_rate: Sequence[float | None], title: str
) -> Figure:
    """Draw retention by cohort and age as a heat map; an immature cell stays empty.

    Parameters
    ----------
    cohort : sequence of date or str, shape (n_cells,)
        In long form, one entry per cell, as in `fct_cohort_months`; rows are sorted by it.
    age : array of int >= 0, shape (n_cells,)
        0 is the cohort's own period; it is 100% by definition and gets no colour.
    retention_rate : sequence of float in [0, 1] or None, shape (n_cells,)
        None (or NaN) where the cell is not mature. It is drawn as nothing, never as zero.

    Raises
    ------
    DataError
        If a rate is outside [0, 1], a cell is there twice, or there is no cell.
    """
    rates = np.array([np.nan if rate is None else float(rate) for rate in retention_rate])
    ages = np.asarray(age, dtype=int)
    if not len(cohort) == ages.size == rates.size or ages.size == 0:
        raise DataError(
            "cohort, age and retention_rate must be of one length above 0; found "
            f"{len(cohort)}, {ages.size} and {rates.size}"
        )
    if ((rates < 0) | (rates > 1)).any():
        raise DataError(
            f"retention_rate must be in [0, 1]; found {np.nanmin(rates)} to {np.nanmax(rates)}"
        )
    names = sorted(set(cohort))[-COHORTS_SHOWN:]
    row_of = {name: row for row, name in enumerate(names)}
    cells = np.full((len(names), int(ages.max()) + 1), np.nan)
    seen: set[tuple[Any, int]] = set()
    for name, column, rate in zip(cohort, ages.tolist(), rates, strict=True):
        if (name, column) in seen:
            raise DataError(f"cohort {name} has age {column} twice")
        seen.add((name, column))
        if name in row_of:
            cells[row_of[name], column] = rate
    return _heat_map(cells, [_month(name) for name in names], title)


def _heat_map(cells: NDArray[np.float64], names: list[str], title: str) -> Figure:
    rows, columns = cells.shape
    drawn, axes = figure(2.2 + 0.42 * columns, 1.4 + 0.26 * rows)
    # Age 0 is everyone by definition; in the scale it would make all other cells look alike.
    coloured = np.ma.masked_invalid(cells)
    coloured[:, 0] = np.ma.masked
    top = float(coloured.max()) if coloured.count() else 1.0
    # Above the top, so that the highest cell is a mid blue that a number can be read on.
    axes.pcolormesh(coloured, cmap="YlGnBu", vmin=0, vmax=max(1.4 * top, 0.01), edgecolors="white")
    for row, column in np.argwhere(~np.isnan(cells)):
        light = column == 0 or cells[row, column] < 0.7 * top
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{100 * cells[row, column]:.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color=INK if light else "white",
        )
    axes.set_yticks(np.arange(rows) + 0.5, names, fontsize=7)
    axes.set_xticks(np.arange(columns) + 0.5, [str(age) for age in range(columns)], fontsize=7)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.set_xlabel("age; retained in %, empty = not mature")
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    return drawn


def _month(name: Any) -> str:
    return name.strftime("%Y-%m") if hasattr(name, "strftime") else str(name)
