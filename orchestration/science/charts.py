"""Pictures of a night for the people who watch it, as PNG bytes.

What belongs here is drawing: every number arrives ready. Figures are built on their own canvas,
without pyplot, so that two assets can draw at once and nothing asks for a display.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike, NDArray

from orchestration.science.errors import DataError
from orchestration.science.histories import group_customers
from orchestration.science.intervals import wilson_interval
from orchestration.science.purchases import bgnbd

INK = "#22313f"
MODEL = "#c0562f"
COUNTED = "#2f6f8f"
# More rows than this cannot be read; the newest cohorts are the ones a person acts on.
COHORTS_SHOWN = 36
# Counts from here on share the last bar.
LAST_COUNT = 7


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


def purchase_counts(
    fit: bgnbd.BgNbdFit,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weight: ArrayLike | None = None,
) -> Figure:
    """Draw customers by number of repeat orders, as counted and as the fitted BG/NBD expects.

    The expectation is each customer's own: equation (8) at their age, summed. If the bars of
    the model leave the counted ones, its form does not suit the shop, whatever the verdict.

    Parameters
    ----------
    fit : BgNbdFit
        One that may not be used is drawn as its verdict, without bars of its own.
    frequency, recency, age, weight
        As in `histories.group_customers`.
    """
    groups = group_customers(frequency, recency, age, weight)
    figure, axes = _figure(7.5, 4.2)
    places = np.arange(LAST_COUNT + 1)
    counted = counted_by_frequency(groups.frequency, groups.count)
    axes.bar(places - 0.2, counted, 0.4, color=COUNTED, label="counted")
    if fit.converged:
        expected = expected_by_frequency(fit, groups.age, groups.count)
        axes.bar(places + 0.2, expected, 0.4, color=MODEL, label="BG/NBD")
    axes.set_xticks(places, [*map(str, places[:-1]), f"{LAST_COUNT}+"])
    axes.set_xlabel("repeat orders")
    axes.set_ylabel("customers")
    axes.legend(frameon=False)
    axes.set_title(f"Repeat orders: {fit.verdict}", loc="left", color=INK, fontsize=10)
    return figure


def counted_by_frequency(frequency: ArrayLike, weight: ArrayLike) -> NDArray[np.float64]:
    """Customers with 0, 1, ... repeat orders; the last entry holds `LAST_COUNT` and more."""
    capped = np.minimum(np.asarray(frequency, dtype=int), LAST_COUNT)
    return np.bincount(capped, weights=np.asarray(weight, float), minlength=LAST_COUNT + 1)


def expected_by_frequency(
    fit: bgnbd.BgNbdFit, age: ArrayLike, weight: ArrayLike
) -> NDArray[np.float64]:
    """Customers that the model expects with 0, 1, ... repeat orders, each at their own age."""
    ages, where = np.unique(np.asarray(age, dtype=float), return_inverse=True)
    customers = np.bincount(where, weights=np.asarray(weight, float))
    below = np.arange(LAST_COUNT)[:, None]
    expected = bgnbd.p_purchase_count(fit, below, ages[None, :]) @ customers
    return np.append(expected, max(customers.sum() - expected.sum(), 0.0))


def renewal_curve(
    term_number: Sequence[int],
    due_count: ArrayLike,
    renewed_count: ArrayLike,
    published: Mapping[int, float],
    title: str,
) -> Figure:
    """Draw the share of due terms that renewed, by term, beside published rates.

    Each point is conditional: of those whose term came due, so many renewed. Survival over
    several terms is the product of the points, not one of them.

    Parameters
    ----------
    term_number : sequence of int >= 1, shape (n_terms,)
        The term that came due. Of one billing period only: monthly and annual never mix.
    due_count, renewed_count : array of int, shape (n_terms,)
        Mature terms only. A term number with nothing due is left out.
    published : mapping of term number to rate in [0, 1]
        The benchmark to draw beside, for instance {1: 0.93, 2: 0.98}.

    Raises
    ------
    DataError
        If more renewed than were due, or a count is negative.
    """
    terms = np.asarray(term_number, dtype=int)
    due, renewed = np.asarray(due_count, dtype=float), np.asarray(renewed_count, dtype=float)
    if not terms.shape == due.shape == renewed.shape:
        raise DataError(
            f"term_number, due_count and renewed_count differ in length: {terms.size}, "
            f"{due.size}, {renewed.size}"
        )
    bad = (renewed < 0) | (renewed > due)
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"term {terms[first]} has {renewed[first]:g} renewals of {due[first]:g} terms due"
        )
    kept = np.flatnonzero(due > 0)
    kept = kept[np.argsort(terms[kept])]
    terms, due, renewed = terms[kept], due[kept], renewed[kept]
    low, high = wilson_interval(renewed, due)
    figure, axes = _figure(7.5, 4.2)
    if terms.size:
        share = renewed / due
        errors = np.clip([share - low, high - share], 0, None)
        axes.errorbar(
            terms,
            share,
            yerr=errors,
            fmt="o-",
            color=COUNTED,
            capsize=3,
            label="this shop, 95% interval",
        )
        for term, value, n in zip(terms, share, due, strict=True):
            axes.annotate(
                f"n={n:.0f}",
                (term, value),
                xytext=(6, -12),
                textcoords="offset points",
                fontsize=7,
                color=INK,
            )
    axes.plot(list(published), list(published.values()), "D", color=MODEL, label="published")
    every_term = sorted({*terms.tolist(), *published})
    axes.set_xticks(every_term)
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("term that came due")
    axes.set_ylabel("renewed")
    axes.legend(frameon=False, loc="lower right")
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    return figure


def png(figure: Figure) -> bytes:
    """Render a figure; the same figure gives the same bytes."""
    buffer = BytesIO()
    # Without the library's version in it, an upgrade that draws alike leaves the bytes alone.
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _heat_map(cells: NDArray[np.float64], names: list[str], title: str) -> Figure:
    rows, columns = cells.shape
    figure, axes = _figure(2.2 + 0.42 * columns, 1.4 + 0.26 * rows)
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
    return figure


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _month(name: Any) -> str:
    return name.strftime("%Y-%m") if hasattr(name, "strftime") else str(name)
