"""Pictures of fits: what a model says of the customers it was fitted to, and its parameters over nights."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from orchestration.science.charts.canvas import COUNTED, INK, MODEL, figure
from orchestration.science.histories import group_customers
from orchestration.science.intervals import Z_95
from orchestration.science.purchases import bgnbd

# Counts from here on share the last bar.
LAST_COUNT = 7


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
    drawn, axes = figure(7.5, 4.2)
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
    return drawn


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


def parameter_history(
    night: Sequence[date],
    parameter: Sequence[str],
    value: ArrayLike,
    standard_error: ArrayLike,
    title: str,
) -> Figure:
    """Draw the parameters of a model night by night, each with its 95% band.

    Parameters
    ----------
    night : sequence of date, shape (n,)
    parameter : sequence of text, shape (n,)
    value, standard_error : arrays of float, shape (n,)
        NaN where a fit failed, or gives no error.
    """
    nights, names = np.asarray(night, dtype="datetime64[D]"), np.asarray(parameter, dtype=str)
    values, errors = np.asarray(value, dtype=float), np.asarray(standard_error, dtype=float)
    drawn, axes = figure(7.5, 4.2)
    for place, name in enumerate(dict.fromkeys(names.tolist())):
        own = np.flatnonzero(names == name)
        own = own[np.argsort(nights[own])]
        colour = f"C{place}"
        axes.plot(nights[own], values[own], "o-", color=colour, label=name)
        half = Z_95 * np.nan_to_num(errors[own])
        axes.fill_between(
            nights[own], values[own] - half, values[own] + half, color=colour, alpha=0.15
        )
    axes.set_xlabel("night")
    axes.set_ylabel("estimate, 95% band")
    if names.size:
        axes.legend(frameon=False)
    axes.tick_params(axis="x", labelrotation=30, labelsize=7)
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    return drawn
