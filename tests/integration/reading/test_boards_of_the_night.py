"""The nightly pages of the sample shop: all there, all of the published night, and every link leads somewhere."""

import re

import pytest

from orchestration.boards.specification import load_boards
from orchestration.resources.places import boards_of
from orchestration.settings import PROJECT_DIRECTORY

BOARDS = load_boards(PROJECT_DIRECTORY / "charts")


@pytest.fixture(scope="module")
def pages(sample_shop) -> dict[str, str]:
    folder = boards_of(sample_shop.settings).pointer
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def test_every_board_has_its_page_and_the_first_one_is_the_index(pages):
    assert {f"{board.name}.html" for board in BOARDS} <= set(pages)
    assert pages["index.html"] == pages[f"{BOARDS[0].name}.html"]


def test_every_page_is_of_the_published_night(sample_shop, pages):
    published = sample_shop.serving.current()
    for name, text in pages.items():
        assert set(re.findall('data-copy="([^"]+)"', text)) == {published.label}, name
        assert set(re.findall('datetime="([^"]+)"', text)) == {published.as_of_date.isoformat()}, (
            name
        )


def test_every_link_and_every_option_leads_to_a_page_of_the_night(pages):
    for name, text in pages.items():
        targets = set(re.findall(r'(?:href|data-page)="([^"#]+)"', text)) - {"data:,"}
        assert targets - set(pages) == set(), name


def test_a_shop_that_delivers_everything_sees_every_chart_of_every_board(pages):
    empty = {
        (board.name, chart)
        for board in BOARDS
        for chart in re.findall(
            r'<article class="chart [^"]*" id="([^"]+)"><h3>[^<]*</h3><p class="no-data">',
            pages[f"{board.name}.html"],
        )
    }
    assert empty == set()


def test_no_page_names_an_address_of_any_machine_or_of_any_person(pages):
    for name, text in pages.items():
        assert not re.search(r"https?://|@[a-z]+\.|guest:", text), name
