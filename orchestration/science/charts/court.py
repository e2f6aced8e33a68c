"""Pictures of forecasts beside what came: weeks, groups, and the customers at the top."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from orchestration.science.charts.canvas import COUNTED, INK, MODEL, figure
from orchestration.science.court.calibration import Bin
from orchestration.science.court.tracking import Week


def tracking_plot(weeks: Sequence[Week], title: str) -> Figure:
    """Draw orders of each week after each origin, and since it, expected beside counted.

    Weeks on the left, their running sum on the right; one line for each origin, which begins
    where it stands in time.
    """
    drawn, left = figure(10.5, 4.2)
    left.remove()
    axes = [drawn.add_subplot(1, 2, place) for place in (1, 2)]
    for number, origin in enumerate(sorted({week.origin for week in weeks})):
        of_origin = [week for week in weeks if week.origin == origin]
        days = np.array(
            [origin + 7 * week.week_number for week in of_origin], dtype="datetime64[D]"
        )
        for axis, expected, actual in (
            (
                axes[0],
                [week.expected_orders for week in of_origin],
                [week.actual_orders for week in of_origin],
            ),
            (
                axes[1],
                [week.cumulative_expected_orders for week in of_origin],
                [week.cumulative_actual_orders for week in of_origin],
            ),
        ):
            first = number == 0
            axis.plot(days, actual, color=COUNTED, label="counted" if first else None)
            axis.plot(days, expected, "--", color=MODEL, label="expected" if first else None)
    for axis, words in zip(axes, ("orders of a week", "orders since the origin"), strict=True):
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_ylim(bottom=0)
        axis.set_ylabel(words)
        axis.tick_params(axis="x", labelrotation=30, labelsize=7)
        if weeks:
            axis.legend(frameon=False)
    axes[0].set_title(title, loc="left", color=INK, fontsize=10)
    return drawn


def calibration_plot(bins: Sequence[Bin], title: str) -> Figure:
    """Draw mean forecast beside mean outcome, by repeat orders and by tenth of the forecast.

    The outcome has its 95% interval; a forecast outside it errs for that group, not by chance.
    """
    drawn, whole = figure(10.5, 4.2)
    whole.remove()
    for place, (bin_type, words) in enumerate(
        (("frequency", "repeat orders so far"), ("decile", "tenth of the forecast, 10 is highest"))
    ):
        axis = drawn.add_subplot(1, 2, place + 1)
        axis.spines[["top", "right"]].set_visible(False)
        shown = [one for one in bins if one.bin_type == bin_type]
        numbers = [one.bin_number for one in shown]
        actual = np.array([one.actual_mean for one in shown])
        low = np.array([one.actual_low for one in shown])
        high = np.array([one.actual_high for one in shown])
        errors = np.nan_to_num(np.clip([actual - low, high - actual], 0, None))
        axis.errorbar(
            numbers, actual, yerr=errors, fmt="o", color=COUNTED, capsize=3, label="came, 95%"
        )
        axis.plot(numbers, [one.expected_mean for one in shown], "D", color=MODEL, label="expected")
        axis.set_xticks(numbers)
        axis.set_xlabel(words)
        axis.set_ylabel("mean of a customer")
        if shown:
            axis.legend(frameon=False)
        if place == 0:
            axis.set_title(title, loc="left", color=INK, fontsize=10)
    return drawn


def captured_share(forecast: ArrayLike, actual: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Share of customers, highest forecast first, and the share of what came that they brought.

    Customers of equal forecast stand in the order in which they were given.

    Examples
    --------
    >>> customers, brought = captured_share([3, 1, 2], [4, 1, 0])
    >>> customers.round(2).tolist(), brought.tolist()
    ([0.0, 0.33, 0.67, 1.0], [0.0, 0.8, 0.8, 1.0])
    """
    f, a = np.asarray(forecast, dtype=float), np.asarray(actual, dtype=float)
    brought = np.cumsum(a[np.argsort(-f, kind="stable")]) / a.sum()
    return np.linspace(0, 1, f.size + 1), np.append(0.0, brought)


def lift_plot(forecast: ArrayLike, actual: ArrayLike, title: str) -> Figure:
    """Draw how much of what came the customers of highest forecast brought.

    Parameters
    ----------
    forecast, actual : arrays of float, shape (n,)
        Over all origins. Nothing is drawn of a model where nothing came.
    """
    drawn, axes = figure(7.5, 4.2)
    f, a = np.asarray(forecast, dtype=float), np.asarray(actual, dtype=float)
    if a.sum() > 0:
        # Some hundreds of points draw the same line as a million.
        for values, colour, words in ((f, MODEL, "by forecast"), (a, COUNTED, "perfect order")):
            customers, brought = captured_share(values, a)
            shown = np.unique(np.linspace(0, f.size, 400).astype(int))
            axes.plot(customers[shown], brought[shown], color=colour, label=words)
        axes.legend(frameon=False, loc="lower right")
    axes.plot([0, 1], [0, 1], ":", color=INK)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("customers, highest forecast first")
    axes.set_ylabel("share of what came")
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    return drawn
