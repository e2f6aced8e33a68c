"""The whole shop's night, made once for the same code, and the table that ends the campaign."""

import os
from collections.abc import Iterator

import pytest

from orchestration.contract import load_contract
from orchestration.resources.dbt_manifest import ensure_manifest
from orchestration.settings import from_environment
from tests.bench_scores.tables import table
from tests.integration.conftest import clean_environment
from tests.left_out.lineage import needs_of_marts, sources_of_marts
from tests.left_out.nights import Nights, Told

WHOLE = "nothing"


def nights_of_this_machine() -> Nights:
    """Under the data folder, as the shops of the browser tests."""
    return Nights(from_environment().data_directory / "left_out", load_contract())


@pytest.fixture(scope="session")
def nights() -> Nights:
    return nights_of_this_machine()


@pytest.fixture(scope="session")
def whole(nights: Nights) -> Told:
    """The night of the shop that delivers everything."""
    return nights.told(WHOLE, is_kept=True)


@pytest.fixture(scope="session")
def in_this_process(nights: Nights, whole: Told) -> Iterator[None]:
    """Reading the graph sets variables for dbt and Dagster, which end with the session."""
    before = dict(os.environ)
    for name in before.keys() - clean_environment().keys():
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def sources(nights: Nights, in_this_process: None) -> dict[str, frozenset[str]]:
    return sources_of_marts(nights.night.settings)


@pytest.fixture(scope="session")
def needs(nights: Nights, in_this_process: None) -> dict[str, list[str]]:
    return needs_of_marts(ensure_manifest(nights.night.settings))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Every night of this code that is kept, also those of earlier runs."""
    told = nights_of_this_machine().reported()
    whole = told.pop(WHOLE, None)
    if whole is None:
        return
    rows = [
        [
            name,
            one.seconds / 60,
            len(one.missing),
            len(one.empty_charts.keys() - whole.empty_charts.keys()),
            len({chart.split(".")[0] for chart in one.empty_charts}),
        ]
        for name, one in told.items()
    ]
    columns = ("left out", "minutes", "marts without data", "charts without data", "on boards")
    terminalreporter.write_line(table("Nights without a source", columns, rows))
