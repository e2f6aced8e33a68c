"""Every source can be left out without an error: a whole night without each of them, and without a whole subject.

`make test-left-out`; no part of `make test`, since each night takes about a minute.
"""

import re

import pytest

from orchestration.boards.formats import words
from orchestration.contract import load_contract
from tests.left_out.cases import REQUIRED, Case, cases
from tests.left_out.nights import Nights, Told


@pytest.fixture(scope="module", params=cases(load_contract()), ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, case: Case, nights: Nights, whole: Told) -> Told:
    """A night that was landed, built, scored, checked, published and drawn, or an error that says why not."""
    told = nights.told(case.name, case.tables)
    terminal = request.config.pluginmanager.getplugin("terminalreporter")
    terminal.write_line(
        f"  without {case}: {told.seconds:.0f} s, {len(told.missing)} marts without data"
    )
    return told


def test_a_shop_that_delivers_everything_has_data_in_every_mart_and_chart(whole):
    assert whole.missing == {}
    assert whole.broken_pages == []
    assert [chart for chart, said in whole.empty_charts.items() if "delivers no" in said] == []


def test_a_night_without_orders_is_refused_and_says_that_they_are_missing(nights):
    outcome, _ = nights.run({REQUIRED})
    assert outcome.returncode == 1
    assert "orders were not delivered, and they are the one table that a shop must deliver" in (
        outcome.stdout + outcome.stderr
    )
    assert nights.night.serving.current() is None


def test_the_status_names_the_marts_that_lost_a_source_they_need_and_no_other(told, case, needs):
    lost = {
        mart: {need for need in needed if set(need.split(" or ")) <= case.tables}
        for mart, needed in needs.items()
    }
    assert {mart: set(missing) for mart, missing in told.missing.items()} == {
        mart: missing for mart, missing in lost.items() if missing
    }


def test_the_status_on_the_command_line_names_them_too(told):
    assert [mart for mart in told.missing if mart not in told.status] == []


def test_a_mart_is_empty_where_the_status_says_so_and_nowhere_else(told, whole):
    assert told.tables.keys() == whole.tables.keys()
    lost = told.empty_tables - whole.empty_tables
    assert lost == told.missing.keys() - whole.empty_tables
    assert told.missing.keys() <= told.empty_tables


def test_a_mart_that_is_not_made_of_the_source_is_the_whole_shops(told, whole, case, sources):
    untouched = [mart for mart, made_of in sources.items() if not made_of & case.tables]
    assert [mart for mart in untouched if told.tables[mart] != whole.tables[mart]] == []


def test_every_page_is_there_and_a_chart_that_lost_its_rows_says_which_source_is_missing(
    told, whole, case
):
    assert told.broken_pages == []
    left_out = {words(table).lower() for table in case.tables}
    # A chart may say that there is nothing to tell, such as no alarm, and be right.
    lost = {
        chart: said
        for chart, said in told.empty_charts.items()
        if chart in whole.drawn_charts and said.startswith("No data. ")
    }
    named = {
        chart: re.split(", | or ", said.removeprefix("No data. The shop delivers no ").rstrip("."))
        for chart, said in lost.items()
    }
    assert {chart: lost[chart] for chart in lost if not set(named[chart]) <= left_out} == {}
