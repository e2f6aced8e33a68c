"""Pictures of memberships."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from orchestration.science.charts.canvas import COUNTED, INK, MODEL, figure
from orchestration.science.errors import DataError
from orchestration.science.intervals import wilson_interval
from orchestration.science.survival import SurvivalCurve


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
    drawn, axes = figure(7.5, 4.2)
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
    return drawn


def survival_curves(curves: Mapping[str, SurvivalCurve], title: str) -> Figure:
    """Draw the share of memberships still running at each tenure, each curve with its band.

    Parameters
    ----------
    curves : mapping of name to SurvivalCurve
        Groups that never mix, such as monthly and annual plans.
    """
    drawn, axes = figure(7.5, 4.2)
    for place, (name, curve) in enumerate(curves.items()):
        days = np.append(0.0, curve.days)
        colour = f"C{place}"
        # The line runs on to the last membership seen; beyond it nothing is known.
        surviving = np.append(1.0, curve.surviving)
        axes.step(
            np.append(days, curve.last_seen_day),
            np.append(surviving, surviving[-1]),
            where="post",
            color=colour,
            label=name,
        )
        axes.fill_between(
            days,
            np.append(1.0, curve.lower),
            np.append(1.0, curve.upper),
            step="post",
            color=colour,
            alpha=0.15,
        )
    axes.set_ylim(0, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("days since the membership began; 95% band")
    axes.set_ylabel("still running")
    if curves:
        axes.legend(frameon=False, loc="lower left")
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    return drawn
