"""Pictures of the court: what is drawn is what was handed in, and nothing is drawn of nothing."""

from datetime import date

import numpy as np
import pytest

from orchestration.science import charts
from orchestration.science.court.calibration import Bin
from orchestration.science.court.tracking import Week
from orchestration.science.survival import survival_curve

DAY = (date(2025, 3, 1) - date(1970, 1, 1)).days
WEEKS = [
    Week(DAY, 1, 1, 10.0, 12.0, 10.0, 12.0),
    Week(DAY, 2, 1, 9.0, 7.0, 19.0, 19.0),
    Week(DAY + 91, 1, 1, 5.0, 6.0, 5.0, 6.0),
]


def drawn(line):
    return [float(value) for value in line.get_ydata()]


def test_weeks_stand_on_the_left_and_their_running_sum_on_the_right():
    weekly, running = charts.tracking_plot(WEEKS, "Orders").axes
    assert [drawn(line) for line in weekly.lines] == [[12, 7], [10, 9], [6], [5]]
    assert [drawn(line) for line in running.lines] == [[12, 19], [10, 19], [6], [5]]
    assert [text.get_text() for text in weekly.get_legend().get_texts()] == ["counted", "expected"]


def test_a_week_stands_where_it_ended():
    weekly, _ = charts.tracking_plot(WEEKS[:1], "Orders").axes
    assert weekly.lines[0].get_xdata()[0] == np.datetime64("2025-03-08")


def test_groups_by_frequency_and_by_tenth_stand_apart_each_with_its_interval():
    bins = [
        Bin("frequency", 0, "0", 50, 0.1, 0.12, 0.08, 0.16),
        Bin("decile", 10, "0.5 to 2", 5, 0.9, 0.7, 0.4, 1.0),
    ]
    frequency, decile = charts.calibration_plot(bins, "Orders").axes
    for axes, one in ((frequency, bins[0]), (decile, bins[1])):
        [_, expected] = [line for line in axes.lines if line.get_marker() in ("o", "D")]
        assert drawn(expected) == [one.expected_mean]
        [bar] = [c for c in axes.collections if len(c.get_segments())]
        assert sorted(bar.get_segments()[0][:, 1]) == pytest.approx(
            [one.actual_low, one.actual_high]
        )


def test_the_lift_begins_at_nothing_and_ends_at_all():
    axes = charts.lift_plot([3.0, 1.0, 2.0], [4, 1, 0], "Orders").axes[0]
    by_forecast, perfect, diagonal = axes.lines
    assert drawn(by_forecast) == pytest.approx([0, 0.8, 0.8, 1])
    assert drawn(perfect) == pytest.approx([0, 0.8, 1, 1])
    assert drawn(diagonal) == [0, 1]


def test_where_nothing_came_only_the_diagonal_is_drawn():
    assert len(charts.lift_plot([1.0, 2.0], [0, 0], "Orders").axes[0].lines) == 1


def test_survival_runs_on_to_the_last_membership_seen_and_no_further():
    curve = survival_curve([10, 20, 35], [True, False, False])
    nobody_left = survival_curve([5, 9], [False, False])
    axes = charts.survival_curves({"monthly": curve, "annual": nobody_left}, "x").axes[0]
    monthly, annual = axes.lines
    assert (monthly.get_xdata().tolist(), drawn(monthly)) == (
        [0, 10, 35],
        pytest.approx([1, 2 / 3, 2 / 3]),
    )
    assert (annual.get_xdata().tolist(), drawn(annual)) == ([0, 9], [1, 1])


def test_every_parameter_has_its_line_over_the_nights_in_order():
    nights = [date(2025, 12, 31), date(2025, 12, 30)] * 2
    figure = charts.parameter_history(
        nights, ["r", "r", "a", "a"], [0.3, 0.2, 0.8, np.nan], [0.01, 0.01, np.nan, np.nan], "x"
    )
    r, a = figure.axes[0].lines
    assert drawn(r) == [0.2, 0.3]
    assert drawn(a) == pytest.approx([np.nan, 0.8], nan_ok=True)
    assert [line.get_label() for line in (r, a)] == ["r", "a"]


def test_a_picture_of_no_night_is_drawn_all_the_same():
    for figure in (
        charts.tracking_plot([], "x"),
        charts.calibration_plot([], "x"),
        charts.survival_curves({}, "x"),
        charts.parameter_history([], [], [], [], "x"),
    ):
        assert charts.png(figure).startswith(b"\x89PNG")
