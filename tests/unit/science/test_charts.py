"""Pictures: what they draw, what they leave empty, what they refuse to draw."""

from datetime import date

import cdnow
import numpy as np
import pytest

from orchestration.science import charts
from orchestration.science.errors import DataError
from orchestration.science.intervals import wilson_interval
from orchestration.science.purchases import bgnbd

JANUARY, FEBRUARY, MARCH = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)
PUBLISHED = bgnbd.BgNbdFit.given(r=0.243, alpha=4.414, a=0.793, b=2.426, time_unit="week")


def written(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_an_immature_cell_is_left_empty_and_a_mature_zero_is_written():
    figure = charts.cohort_triangle(
        [JANUARY, JANUARY, JANUARY, FEBRUARY, FEBRUARY, FEBRUARY],
        [0, 1, 2, 0, 1, 2],
        [1.0, 0.25, 0.0, 1.0, 0.4, None],
        "Orders again",
    )
    assert written(figure) == ["100", "25", "0", "100", "40"]
    drawn = figure.axes[0].collections[0].get_array()
    assert np.ma.getmaskarray(drawn).tolist() == [[True, False, False], [True, False, True]]


def test_cohorts_are_rows_from_the_oldest_down_whatever_order_they_come_in():
    figure = charts.cohort_triangle([MARCH, JANUARY, FEBRUARY], [1, 1, 1], [0.3, 0.1, 0.2], "x")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["2024-01", "2024-02", "2024-03"]
    assert written(figure) == ["10", "20", "30"]
    assert figure.axes[0].get_ylim() == (3, 0)


@pytest.mark.parametrize(
    ("ages", "rates", "message"),
    [
        ([0, 1], [1.0, 35.0], "must be in \\[0, 1\\]; found 1.0 to 35.0"),
        ([1, 1], [0.3, 0.3], "has age 1 twice"),
        ([1], [0.3], "must be of one length"),
    ],
)
def test_a_triangle_that_cannot_be_true_is_refused(ages, rates, message):
    with pytest.raises(DataError, match=message):
        charts.cohort_triangle([JANUARY, JANUARY], ages, rates, "x")


def test_the_cdnow_sample_has_its_known_number_of_customers_per_repeat_order():
    """The counts of the histogram in Fader, Hardie & Lee (2005), figure 2."""
    data = cdnow.sample()
    counted = charts.counted_by_frequency(data.frequency, np.ones(2357))
    assert counted.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]


def test_expected_customers_add_up_to_all_and_follow_the_count_distribution():
    ages = np.array([10.0, 38.0])
    expected = charts.expected_by_frequency(PUBLISHED, ages, np.array([3.0, 5.0]))
    assert expected.sum() == pytest.approx(8)
    none = bgnbd.p_purchase_count(PUBLISHED, 0, ages) @ [3.0, 5.0]
    assert expected[0] == pytest.approx(none)


def test_the_fit_of_the_cdnow_sample_is_within_a_tenth_of_every_bar():
    data = cdnow.sample()
    counted = charts.counted_by_frequency(data.frequency, np.ones(2357))
    expected = charts.expected_by_frequency(PUBLISHED, data.age, np.ones(2357))
    assert expected[:5] == pytest.approx(counted[:5], rel=0.11)


def test_a_fit_that_may_not_be_used_has_no_bars_and_shows_its_verdict():
    unusable = bgnbd.fit([0, 0], [0, 0], [10, 20])
    figure = charts.purchase_counts(unusable, [0, 0], [0, 0], [10, 20])
    assert len(figure.axes[0].containers) == 1
    assert "too little data" in figure.axes[0].get_title(loc="left")


def test_renewals_are_shares_of_what_was_due_beside_the_published_rates():
    figure = charts.renewal_curve([2, 1, 3], [50, 200, 0], [45, 180, 0], {1: 0.93, 2: 0.98}, "x")
    axes = figure.axes[0]
    shop = axes.containers[0].lines[0]
    assert shop.get_xdata().tolist() == [1, 2]
    assert shop.get_ydata().tolist() == [0.9, 0.9]
    published = axes.get_lines()[-1]
    assert list(published.get_ydata()) == [0.93, 0.98]
    assert written(figure) == ["n=200", "n=50"]


def test_more_renewals_than_terms_due_are_refused():
    with pytest.raises(DataError, match="term 2 has 11 renewals of 10 terms due"):
        charts.renewal_curve([1, 2], [10, 10], [5, 11], {}, "x")


def test_the_wilson_interval_has_the_textbook_value():
    """81 of 263: .2553 to .3662 (Newcombe 1998, table I)."""
    low, high = wilson_interval([81], [263])
    assert (round(float(low[0]), 4), round(float(high[0]), 4)) == (0.2553, 0.3662)


def test_the_same_picture_has_the_same_bytes():
    def picture():
        return charts.png(charts.renewal_curve([1], [20], [18], {1: 0.93}, "Annual"))

    first = picture()
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert first == picture()
    assert b"Matplotlib" not in first
