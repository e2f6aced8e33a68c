"""The picture of effects draws what it is given, and says where there is nothing to draw."""

import pytest

from orchestration.science import charts
from orchestration.science.errors import DataError

NAIVE, ADJUSTED = (0.1, 0.2, 0.3), (-0.1, 0.0, 0.1)


def test_every_event_with_a_gap_has_its_line_and_the_first_is_on_top():
    drawn = charts.effect_forest(
        ["joined", "late", "lost"], [NAIVE, NAIVE, None], [ADJUSTED, None, None], "Effects"
    )
    [axes] = drawn.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["late", "joined"]
    said = [text.get_text() for text in axes.texts]
    assert said == ["not identified"]
    assert [label.get_text() for label in axes.get_legend().get_texts()] == [
        "naive gap",
        "adjusted effect",
    ]
    points = [container.lines[0].get_xydata().tolist() for container in axes.containers]
    assert points == [[[0.2, 0.15], [0.2, 1.15]], [[0.0, 0.85]]]
    assert charts.png(drawn)[:4] == b"\x89PNG"


def test_without_a_gap_there_is_no_picture():
    assert charts.effect_forest(["joined"], [None], [None], "Effects") is None


def test_broken_bounds_are_named():
    with pytest.raises(DataError, match=r"late: bounds \(0.3, 0.2, 0.1\) are not in order"):
        charts.effect_forest(["late"], [(0.3, 0.2, 0.1)], [None], "Effects")
    with pytest.raises(DataError, match="differ in length: 1, 2, 1"):
        charts.effect_forest(["late"], [NAIVE, NAIVE], [None], "Effects")
