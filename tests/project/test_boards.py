"""What the boards in charts/ promise, held against dbt's manifest and the catalogue of metrics."""

import csv

import pytest

from orchestration.boards.formats import FORMS
from orchestration.boards.specification import Board, load_boards
from orchestration.settings import PROJECT_DIRECTORY


@pytest.fixture(scope="module")
def boards() -> tuple[Board, ...]:
    return load_boards(PROJECT_DIRECTORY / "charts")


def test_every_board_has_an_exposure_that_names_the_tables_it_reads(boards, manifest):
    said = {
        exposure["name"]: {
            manifest["nodes"][parent]["name"] for parent in exposure["depends_on"]["nodes"]
        }
        for exposure in manifest["exposures"].values()
        if exposure["name"].startswith("board_")
    }
    # The copy itself makes the table `publication`; no model does.
    read = {f"board_{board.name}": set(board.tables) - {"publication"} for board in boards}
    assert said == read


def test_boards_read_public_marts_only(boards, models):
    public = {model["name"] for model in models.values() if model["access"] == "public"}
    read = {table for board in boards for table in board.tables} - {"publication"}
    assert read - public == set()


def test_every_metric_that_a_board_names_stands_in_the_catalogue(boards):
    with (PROJECT_DIRECTORY / "seeds/reference/metrics.csv").open(newline="") as file:
        known = {(row["metric"], row["variant"]) for row in csv.DictReader(file)}
    named = {
        (chart.definition.metric, chart.definition.variant)
        for board in boards
        for chart in board.charts
        if chart.definition.metric and not chart.definition.variant.startswith("$")
    }
    assert named - known == set()


def test_every_format_that_a_board_names_exists(boards):
    named = set()
    for board in boards:
        for chart in board.charts:
            named.add(chart.format)
            named |= {form for key, form in chart.options.items() if key.endswith("_format")}
            named |= {
                c["format"] for c in chart.options.get("columns", {}).values() if "format" in c
            }
    assert named - set(FORMS) == set()


def test_every_heading_of_a_table_is_a_text(boards):
    """YAML reads an unquoted No as false."""
    odd = [
        (board.name, chart.id, column)
        for board in boards
        for chart in board.charts
        for column in chart.options.get("columns", {}).values()
        if not isinstance(column.get("label"), str)
    ]
    assert odd == []


def test_every_link_leads_to_a_filter_of_a_board(boards):
    filters = {(board.name, choice.name) for board in boards for choice in board.filters}
    links = [
        link
        for board in boards
        for chart in board.charts
        for link in [
            chart.options.get("link"),
            *(column.get("link") for column in chart.options.get("columns", {}).values()),
        ]
        if link
    ]
    assert links
    assert [link for link in links if (link["board"], link["filter"]) not in filters] == []
