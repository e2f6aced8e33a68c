"""The tables of `make bench-scores`: an aim is called reached only where it is."""

import pytest

from tests.bench_scores.tables import Aim, table


@pytest.mark.parametrize(
    ("reached", "bounds", "said"),
    [
        (0.79, {"at_most": 0.8}, "reached"),
        (0.83, {"at_most": 0.8}, "short by 0.030"),
        (0.75, {"at_least": 0.77}, "short by 0.020"),
        (0.80, {"at_least": 0.78, "at_most": 0.82}, "reached"),
        (0.85, {"at_least": 0.78, "at_most": 0.82}, "short by 0.030"),
        (None, {"at_least": 1.0}, "not measured"),
    ],
)
def test_what_was_reached_stands_beside_what_was_aimed_at(reached, bounds, said):
    assert str(Aim("coverage", reached, **bounds)).endswith(said)


def test_a_figure_that_is_not_a_number_is_never_called_reached():
    assert str(Aim("coverage", float("nan"), at_least=0.78)).endswith("not measured")


def test_columns_stand_below_each_other_and_what_is_unknown_is_a_dash():
    lines = table("Errors", ("", "MAE"), [["zero", 0.83512], ["a longer name", None]]).splitlines()
    assert lines[1:] == [
        "Errors",
        "                    MAE",
        "  zero           0.8351",
        "  a longer name       -",
    ]
