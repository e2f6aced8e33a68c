"""Every board of both shops as people see it: on a desk and on a phone, by mouse and by keyboard."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page

from orchestration.boards.page import choices
from orchestration.boards.reading import Night
from orchestration.boards.specification import Board, Chart
from orchestration.resources.boards import CopyReader
from tests.browser.conftest import BOARDS, Looked
from tests.browser.on_screen import CELLS, shown

WIDTHS = {"desk": 1440, "phone": 390}
# Between the two, where charts of half the width are narrowest.
TABLET = 820
WRITTEN_NUMBERS = {
    "count",
    "one_decimal",
    "decimal",
    "three_decimals",
    "share",
    "whole_share",
    "money",
    "money_pence",
}
# What a table inside a scrolling box hides from view, axe cannot judge; so all is laid open first.
LAY_OPEN = """() => {
    document.querySelectorAll('details').forEach(each => { each.open = true });
    document.querySelectorAll('.scroll').forEach(each => {
        each.style.maxHeight = 'none'; each.style.overflow = 'visible';
    });
}"""

SMALL_TEXTS = """[...document.querySelectorAll('body *')].filter(each =>
    each.children.length === 0 && each.textContent.trim()
    && parseFloat(getComputedStyle(each).fontSize) < 11).length"""


# Labels below a picture and beside it that run into each other.
RUN_TOGETHER = """() => [...document.querySelectorAll('.picture .labels, .picture .ticks')].flatMap(all => {
    const boxes = [...all.children].map(each => [each.textContent, each.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0);
    return boxes.flatMap(([text, box], place) => boxes.slice(place + 1)
        .filter(([, other]) => box.left < other.right && other.left < box.right
            && box.top < other.bottom && other.top < box.bottom)
        .map(([other]) => `${text} and ${other} in ${all.closest('article').id}`));
})"""
UNLABELLED = """[...document.querySelectorAll('.picture .labels')].filter(all =>
    ![...all.children].some(each => each.getBoundingClientRect().width > 0)
    ).map(all => all.closest('article').id)"""


class Watched:
    """A page, with every console message, error and request that it made."""

    def __init__(self, browser: Browser, width: int) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, bypass_csp=True
        )
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
@pytest.mark.parametrize("way", ["live", "static"])
def test_a_board_opens_whole_fits_the_screen_and_asks_nobody(
    chromium, looked, board, way, width, screenshots
):
    address = looked.address(way, board.name)
    with Watched(chromium, width) as watched:
        page = watched.page
        page.goto(address)
        if way == "static":
            file = screenshots / f"{looked.shop.name}-{board.name}-{width}.png"
            page.screenshot(path=file, full_page=True)
        assert page.locator("article.chart").count() == len(board.charts)
        too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        small = page.evaluate(SMALL_TEXTS)
        together, unlabelled = page.evaluate(RUN_TOGETHER), page.evaluate(UNLABELLED)
    assert watched.said == []
    assert watched.asked == [address]
    assert too_wide <= 0, f"the page is {too_wide} pixels wider than the screen"
    assert small == 0, f"{small} texts are smaller than 11 pixels"
    assert together == []
    assert unlabelled == []


def test_a_board_fits_a_tablet_and_its_labels_can_be_read(chromium, looked, board):
    with Watched(chromium, TABLET) as watched:
        watched.page.goto(looked.address("static", board.name))
        too_wide = watched.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        together, unlabelled = (watched.page.evaluate(each) for each in (RUN_TOGETHER, UNLABELLED))
    assert too_wide <= 0, f"the page is {too_wide} pixels wider than the screen"
    assert together == []
    assert unlabelled == []


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_board_can_be_read_by_everyone(chromium, looked, board, width, axe):
    with Watched(chromium, width) as watched:
        page = watched.page
        page.goto(looked.address("static", board.name))
        page.evaluate(LAY_OPEN)
        page.evaluate(axe)
        found = page.evaluate("axe.run()")
    assert [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found["violations"]] == []
    if width == WIDTHS["desk"]:
        unjudged = [
            node["html"]
            for rule in found["incomplete"]
            if rule["id"] == "color-contrast"
            for node in rule["nodes"]
            # A single sign axe leaves to people; ours have the colour of the words beside them.
            if len(re.sub("<[^>]+>", "", node["html"]).strip()) > 1
        ]
        assert unjudged == []


@pytest.mark.parametrize("way", ["live", "static"])
def test_the_keyboard_reaches_every_filter_in_order_and_chooses_with_it(
    chromium, looked, board, way
):
    with Watched(chromium, 1440) as watched:
        page = watched.page
        page.goto(looked.address(way, board.name))
        filters = page.eval_on_selector_all("form.filters select", "all => all.map(e => e.name)")
        reached = []
        for _ in range(60):
            page.keyboard.press("Tab")
            name, outline = page.evaluate(
                "[document.activeElement.name, getComputedStyle(document.activeElement).outlineStyle]"
            )
            if name in filters and name not in reached:
                reached.append(name)
                assert outline != "none", f"the focus on {name} cannot be seen"
        assert reached == filters
        for name in filters:
            page.goto(looked.address(way, board.name))
            choice = page.locator(f"select[name={name}]")
            wanted = choice.locator("option").nth(1).get_attribute("value")
            choice.focus()
            page.keyboard.press("ArrowDown")
            # On to the button, past the filters behind this one.
            while page.evaluate("document.activeElement.type") != "submit":
                page.keyboard.press("Tab")
            with page.expect_navigation():
                page.keyboard.press("Enter")
            assert page.locator(f"select[name={name}]").input_value() == wanted
        assert watched.said == []


def numbers_of(chart: Chart, rows: list[dict]) -> list[float]:
    """The numbers of a chart's query that must stand in its table, in the order of the screen."""
    if chart.kind == "table":
        shown_columns = chart.options["columns"]
        names = [n for n in rows[0] if shown_columns.get(n, {}).get("format") in WRITTEN_NUMBERS]
        return [row[name] for row in rows for name in names if row[name] is not None]
    if chart.kind in ("line", "columns"):
        # Their table has a row for every place, and a column for every series.
        places = list(dict.fromkeys(row["x"] for row in rows))
        if not isinstance(places[0], str):
            places.sort()
        ordered = sorted(rows, key=lambda row: row["place"]) if "place" in rows[0] else rows
        names = list(dict.fromkeys(row.get("series") for row in ordered))
        cells = {(row["x"], row.get("series")): row["value"] for row in rows}
        found = [cells.get((place, name)) for place in places for name in names]
        return [value for value in found if value is not None]
    if chart.kind == "intervals":
        shown_in_turn = [row[name] for row in rows for name in ("naive", "value")]
        return [value for value in shown_in_turn if value is not None]
    return [row["value"] for row in rows if row["value"] is not None]


def numbers_on(page: Page, chart: Chart) -> list:
    article = page.locator(f"article#{chart.id}")
    if chart.kind == "number":
        return [shown(article.locator(".value").inner_text())]
    rows = article.evaluate(CELLS)
    if chart.kind == "table":
        columns = list(chart.options["columns"].values())
        places = [p for p, c in enumerate(columns) if c.get("format") in WRITTEN_NUMBERS]
        cells = [row[place] for row in rows for place in places]
    else:
        first = 2 if chart.kind == "heat" and article.locator("td.size").count() else 1
        cells = [cell for row in rows for cell in row[first:]]
    return [shown(cell) for cell in cells if cell not in ("", "–")]


def check_every_chart(page: Page, board: Board, night: Night, asked: dict[str, str]) -> int:
    """Every number on the page against the query's own rows; returns how many there were."""
    chosen = choices(board, night, asked).chosen
    compared = 0
    for chart in board.charts:
        answer = night.answer(board, chart, chosen)
        empty = page.locator(f"article#{chart.id} .no-data, article#{chart.id} .remark").count()
        if answer.no_data:
            assert empty == 1, chart.id
            continue
        if chart.format not in WRITTEN_NUMBERS:
            continue
        true = numbers_of(chart, [dict(record) for record in answer.records()])
        seen = numbers_on(page, chart)
        assert len(seen) == len(true), (
            f"{chart.id}: {len(seen)} numbers shown, {len(true)} asked for"
        )
        wrong = [
            (text, value)
            for text, value in zip(seen, true, strict=True)
            if not text.agrees_with(value)
        ]
        assert wrong == [], chart.id
        compared += len(true)
    return compared


@pytest.mark.parametrize("way", ["live", "static"])
def test_every_number_on_the_screen_equals_sql_on_the_copy(chromium, looked, board, way):
    reader = CopyReader(looked.shop.serving)
    with reader.opened() as copy, Watched(chromium, 1440) as watched:
        watched.page.goto(looked.address(way, board.name))
        watched.page.evaluate(LAY_OPEN)
        check_every_chart(watched.page, board, Night(copy), {})
    reader.close()


def test_every_filter_changes_the_numbers_to_those_of_its_choice_and_filters_combine(
    chromium, looked: Looked, board: Board
):
    reader = CopyReader(looked.shop.serving)
    with reader.opened() as copy, Watched(chromium, 1440) as watched:
        night = Night(copy)
        options = choices(board, night, {}).options
        one_by_one = [{name: found[-1][0]} for name, found in options.items() if len(found) > 1]
        together = {name: found[1][0] for name, found in options.items() if len(found) > 1}
        for asked in [*one_by_one, together]:
            watched.page.goto(f"{looked.live}{board.name}?{urlencode(asked)}")
            watched.page.evaluate(LAY_OPEN)
            for name, value in asked.items():
                assert watched.page.locator(f"select[name={name}]").input_value() == value
            check_every_chart(watched.page, board, night, asked)
        assert watched.said == []
    reader.close()


def test_a_cell_of_the_map_leads_to_as_many_customers_as_its_group_has(chromium, looked):
    with Watched(chromium, 1440) as watched:
        page = watched.page
        page.goto(looked.address("live", "segments"))
        group = page.locator("#rfm_groups tbody tr").first
        name, customers = (group.locator("th, td").nth(place).inner_text() for place in (0, 1))
        group.locator("a").click()
        assert page.locator("select[name=rfm_group] option:checked").inner_text() == name
        assert page.locator("#customers_chosen .value").inner_text() == customers
        listed = page.locator("#customer_list").inner_text()
    assert "@" not in listed
    assert "guest:" not in listed


def test_a_group_of_a_narrowed_map_leads_to_the_customers_of_that_choice_alone(chromium, looked):
    reader = CopyReader(looked.shop.serving)
    with reader.opened() as copy:
        segments = next(board for board in BOARDS if board.name == "segments")
        options = choices(segments, Night(copy), {}).options
    reader.close()
    asked = {name: found[1][0] for name, found in options.items() if len(found) > 1}
    if looked.shop.name != "sample":
        # Nobody is a member there.
        del asked["membership"]
    assert "country" in asked
    with Watched(chromium, 1440) as watched:
        page = watched.page
        page.goto(f"{looked.live}segments?{urlencode(asked)}")
        group = page.locator("#rfm_groups tbody tr").first
        customers = group.locator("th, td").nth(1).inner_text()
        group.locator("a").click()
        kept = {name: page.locator(f"select[name={name}]").input_value() for name in asked}
        assert kept == asked
        assert page.locator("#customers_chosen .value").inner_text() == customers


def test_what_a_shop_does_not_deliver_is_said_on_every_chart_that_needs_it(chromium, looked):
    if looked.shop.name == "sample":
        pytest.skip("the sample shop delivers everything")
    with Watched(chromium, 1440) as watched:
        watched.page.goto(looked.address("static", "members"))
        texts = watched.page.locator("article.chart .no-data").all_inner_texts()
        charts = watched.page.locator("article.chart").count()
    assert len(texts) == charts
    assert all("The shop delivers no membership" in text for text in texts)
