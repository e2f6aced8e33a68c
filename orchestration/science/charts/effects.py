"""The picture of effects: what a naive comparison says beside what is left of it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from orchestration.science.charts.canvas import COUNTED, INK, MODEL, figure
from orchestration.science.errors import DataError

Bounds = tuple[float, float, float]


def effect_forest(
    names: Sequence[str],
    naive: Sequence[Bounds | None],
    adjusted: Sequence[Bounds | None],
    title: str,
) -> Figure | None:
    """Draw one line per event: the naive gap and, where it is identified, the adjusted effect.

    Parameters
    ----------
    names : sequence of text, length n_events
    naive, adjusted : sequence of (low, value, high) or None, length n_events
        None where there is nothing to tell. An event without a naive gap is left out.
    title : str

    Returns
    -------
    Figure or None
        None where no event has a gap.

    Raises
    ------
    DataError
        If lengths differ, or bounds are not in order.
    """
    if not len(names) == len(naive) == len(adjusted):
        raise DataError(
            f"names, naive and adjusted differ in length: {len(names)}, {len(naive)},"
            f" {len(adjusted)}"
        )
    for name, *both in zip(names, naive, adjusted, strict=True):
        for bounds in both:
            if bounds is not None and not bounds[0] <= bounds[1] <= bounds[2]:
                raise DataError(f"{name}: bounds {bounds} are not in order")
    shown = [at for at, bounds in enumerate(naive) if bounds is not None]
    if not shown:
        return None
    drawn, axes = figure(7.5, 1.2 + 0.42 * len(shown))
    for kind, colour, lift, label in (
        (naive, COUNTED, 0.15, "naive gap"),
        (adjusted, MODEL, -0.15, "adjusted effect"),
    ):
        points = [
            (place, bounds)
            for place, at in enumerate(reversed(shown))
            if (bounds := kind[at]) is not None
        ]
        if not points:
            continue
        low, value, high = np.array([bounds for _, bounds in points]).T
        axes.errorbar(
            value,
            [place + lift for place, _ in points],
            xerr=[value - low, high - value],
            fmt="o",
            markersize=4,
            capsize=2,
            color=colour,
            label=label,
        )
    for place, at in enumerate(reversed(shown)):
        if adjusted[at] is None:
            axes.annotate(
                "not identified",
                (0.995, place - 0.15),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="center",
                fontsize=7,
                color=INK,
            )
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(shown)), [names[at] for at in reversed(shown)], fontsize=8)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    return drawn
