"""Pictures: empty stays empty, a gap stays a gap, and what is written can be read."""

import re
from datetime import date

import pytest

from orchestration.boards.formats import written
from orchestration.boards.pictures.axes import labels_by_room, scale, shown_places
from orchestration.boards.pictures.drawing import Page, places_of
from orchestration.boards.pictures.intervals import draw_intervals
from orchestration.boards.pictures.lines import draw_line
from orchestration.boards.pictures.tables import LONG_ROWS, draw_heat, draw_table
from orchestration.boards.reading import Answer
from orchestration.boards.specification import Chart, Definition

PAGE = Page("GBP", lambda board, chosen: f"/{board}")


def chart(kind: str, form: str = "share", **options: object) -> Chart:
    return Chart("c", kind, "C", "share", Definition("d"), "select 1", format=form, options=options)


def contrast(cell: str) -> float:
    """Contrast of a cell's ink on its background, by WCAG 2's formula."""

    def luminance(colour: str) -> float:
        digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        lit = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * lit[0] + 0.7152 * lit[1] + 0.0722 * lit[2]

    paper, ink = re.findall(r"#([0-9a-f]+)", cell)
    light, dark = sorted((luminance(paper), luminance(ink)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_an_immature_cell_is_empty_and_a_zero_is_not():
    answer = Answer(
        ("row", "column", "value"), (("Jan", 1, 0.0), ("Jan", 2, 0.2), ("Feb", 1, None))
    )
    text = draw_heat(chart("heat"), answer, PAGE)
    assert text.count('<td class="empty"></td>') == 2
    assert ">0.0%</td>" in text


def test_columns_stand_in_their_order_where_no_row_has_them_all():
    rows = (("Jan", "b", 2, 1.0), ("Feb", "a", 1, 1.0), ("Feb", "c", 3, 1.0))
    text = draw_heat(chart("heat"), Answer(("row", "column", "place", "value"), rows), PAGE)
    assert re.findall('<th scope="col">(.)</th>', text) == ["a", "b", "c"]


def test_every_shade_of_a_heat_table_is_read_at_four_and_a_half_to_one():
    values = [share / 100 for share in range(-100, 101)]
    rows = tuple((value, 1, value) for value in values)
    text = draw_heat(chart("heat"), Answer(("row", "column", "value"), rows), PAGE)
    cells = re.findall(r'style="(background[^"]+)"', text)
    assert len(cells) == 201
    assert min(contrast(cell) for cell in cells) >= 4.5


def test_a_missing_value_is_a_gap_in_the_curve():
    rows = ((1, 0.5), (2, 0.4), (3, None), (4, 0.3), (5, 0.2))
    text = draw_line(chart("line"), Answer(("x", "value"), rows), PAGE)
    assert len(re.findall('class="curve"', text)) == 2
    assert '<th scope="row">3</th><td>–</td>' in text


def test_places_go_on_in_time_whichever_series_the_query_tells_first():
    days = [date(2025, month, 1) for month in (1, 2, 3)]
    # The first series begins a month after the second, which has no value in February.
    rows = ((days[1], "a", 0.4), (days[2], "a", 0.3), (days[0], "b", 0.2), (days[2], "b", 0.1))
    answer = Answer(("x", "series", "value"), rows)
    assert places_of(answer.records()) == days
    text = draw_line(chart("line", x_format="month"), answer, PAGE)
    assert re.findall(r'<th scope="row">(\w+ \d+)</th>', text) == [
        "Jan 2025",
        "Feb 2025",
        "Mar 2025",
    ]
    lefts = [float(left) for left in re.findall(r'class="curve"[^>]* d="M([\d.]+) ', text)]
    # One curve of a from the middle on; b has a hole there, so each of its two values stands alone.
    assert lefts == [500.0, 0.0, 1000.0]


def test_words_along_a_picture_stand_as_the_query_has_them():
    assert places_of([{"x": "small"}, {"x": "large"}, {"x": "small"}]) == ["small", "large"]


def test_a_tick_between_two_whole_percents_is_not_rounded_to_one():
    rows = ((1, 0.0), (2, 0.1))
    ticks = re.findall(
        r'%">([\d.]+%)</span>', draw_line(chart("line"), Answer(("x", "value"), rows), PAGE)
    )
    assert ticks == ["0.0%", "2.5%", "5.0%", "7.5%", "10.0%"]


def test_a_long_table_scrolls_in_a_box_and_a_short_one_does_not():
    def box(rows: int) -> str:
        answer = Answer(("name",), tuple((str(row),) for row in range(rows)))
        return re.findall('<div class="([^"]+)"', draw_table(chart("table"), answer, PAGE))[0]

    assert box(LONG_ROWS) == "scroll"
    assert box(LONG_ROWS + 1) == "scroll long"


def test_an_interval_is_drawn_and_written_beside_its_value():
    rows = ((1, 0.5, 0.4, 0.6),)
    text = draw_line(chart("line"), Answer(("x", "value", "low", "high"), rows), PAGE)
    assert 'class="band"' in text
    assert "40.0% to 60.0%" in text


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([3, 447], (0, 200, 400, 600)),
        ([0.131, 0.036], (0.0, 0.05, 0.1, 0.15)),
        ([-285, 340], (-400, -200, 0, 200, 400)),
        ([0], (0.0, 0.25, 0.5, 0.75, 1.0)),
    ],
)
def test_ticks_are_round_and_hold_all_values(values, ticks):
    assert scale(values).ticks == pytest.approx(ticks)


def test_a_share_that_ends_at_all_has_no_tick_beyond_it():
    assert scale([0.95, 1.0], from_zero=False, ceiling=1.0).high == 1.0


def test_a_line_along_its_ceiling_has_a_scale_below_it():
    always = scale([1.0, 1.0], from_zero=False, ceiling=1.0)
    assert (always.low, always.high) == (0.0, 1.0)


def test_labels_below_a_picture_always_name_its_last_place():
    assert shown_places(36, 8) == [0, 5, 10, 15, 20, 25, 30, 35]
    assert shown_places(3, 8) == [0, 1, 2]


def test_a_narrow_picture_has_fewer_labels_than_a_wide_one_and_both_name_the_last_place():
    months = [f"Mon {2000 + number}" for number in range(36)]
    shown = {
        room: [place for place, marks in labels_by_room(months) if room in marks.split()]
        for room in ("room0", "room3")
    }
    # Eight letters of 8 pixels and 10 between: 3 times in 225 pixels, 10 times in 790.
    assert shown == {"room0": [11, 23, 35], "room3": [3, 7, 11, 15, 19, 23, 27, 31, 35]}


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.3137, "share", "31.4%"),
        (-0.0281, "points", "−2.8 pts"),
        (1234.5, "count", "1,234"),
        (-12.5, "money_pence", "−£12.50"),
        (21322.99, "money", "£21,323"),
        (12_400_000, "money_short", "£12m"),
        ("at_risk", "words", "At risk"),
        ("mbgcnbd_k", "words", "MBG/CNBD-k"),
        ("boosted_pareto_nbd", "words", "Boosted Pareto/NBD"),
        (-0.017, "share", "−1.7%"),
        ("2025-12-01", "month", "Dec 2025"),
        (None, "share", "–"),
        (float("nan"), "count", "–"),
    ],
)
def test_a_value_is_written_as_people_write_it(value, form, text):
    assert written(value, form, "GBP") == text


def test_money_of_another_currency_carries_its_code():
    assert written(10, "money", "CHF") == "CHF 10"


def test_an_effect_that_is_not_identified_is_a_dash_with_its_reason_and_no_mark():
    columns = ("label", "naive", "naive_low", "naive_high", "value", "low", "high", "note")
    rows = (
        ("late", -0.2, -0.3, -0.1, -0.1, -0.2, 0.0, "of 90 customers"),
        ("tier", 0.3, 0.2, 0.4, None, None, None, "not identified: no overlap"),
    )
    text = draw_intervals(chart("intervals"), Answer(columns, rows), PAGE)
    assert text.count('class="dot naive"') == 2
    assert text.count('class="dot adjusted"') == 1
    assert "–<span" in text
    assert "not identified: no overlap" in text
    # The axis goes from -0.4 to 0.4, so zero lies in the middle and -0.2 at a quarter.
    assert text.count('class="nought" style="left:50.00%"') == 2
    assert 'class="dot naive" style="left:25.00%"' in text
