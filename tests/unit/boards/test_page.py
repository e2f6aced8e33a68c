"""A page says what it counted, what that means and as of when; what is missing is said and is no error."""

import re

import pytest

from orchestration.boards.links import FileLinks, LiveLinks
from orchestration.boards.page import UnknownChoice, page
from orchestration.boards.site import pages
from orchestration.boards.specification import BoardError
from tests.unit.boards.conftest import BOARD, board_of


def chart(text: str, name: str) -> str:
    [found] = re.findall(rf'<article[^>]*id="{name}">.*?</article>', text, re.S)
    return re.sub(r"<[^>]+>", "", found)


def test_every_chart_says_its_number_its_unit_its_day_and_its_definition(board, night):
    text = chart(page([board], board, night, {}, LiveLinks(), ""), "orders")
    assert "50" in text
    assert "Orders, as of 31 May 2026. Orders paid. Counted once." in text


def test_a_choice_reaches_the_query(board, night):
    text = page([board], board, night, {"country": "GB"}, LiveLinks(), "")
    assert "30" in chart(text, "orders")
    assert '<option value="GB" selected>' in text


def test_a_chart_that_does_not_follow_a_choice_says_so_and_one_that_does_is_silent(board, night):
    narrowed = page([board], board, night, {"country": "GB"}, LiveLinks(), "")
    assert "Not narrowed" not in chart(narrowed, "orders")
    assert "Not narrowed by country." in chart(narrowed, "members")
    assert "Not narrowed" not in page([board], board, night, {}, LiveLinks(), "")


def test_a_choice_of_how_to_count_narrows_nothing(tmp_path, night):
    counted = board_of(
        tmp_path, BOARD.replace("label: Country\n", "label: Country\n    narrows: false\n")
    )
    text = page([counted], counted, night, {"country": "GB"}, LiveLinks(), "")
    assert "Not narrowed" not in text


def test_a_definition_of_the_catalogue_is_told_in_words(copy, board, night):
    copy.connection.execute(
        "update dim_metrics set definition = 'Orders in lapse_days before as_of_date.'"
    )
    text = chart(page([board], board, night, {}, LiveLinks(), ""), "orders")
    assert "Orders in lapse days before the as-of date. Counted once." in text


def test_a_change_is_told_in_words_and_not_by_colour_alone(board, night):
    up = chart(page([board], board, night, {}, LiveLinks(), ""), "orders")
    assert "+25.0% better" in up
    assert "40 in May" in up
    down = chart(page([board], board, night, {"country": "GB"}, LiveLinks(), ""), "orders")
    assert "−25.0% worse" in down


def test_a_source_that_the_shop_does_not_deliver_is_named_and_is_no_error(board, night):
    text = page([board], board, night, {}, LiveLinks(), "")
    assert "No data. The shop delivers no memberships." in chart(text, "members")
    assert "Members, as of 31 May 2026. People who pay." in chart(text, "members")


def test_a_chart_without_anything_to_choose_names_what_the_choices_are_made_of(tmp_path, night):
    every_country = next(line for line in BOARD.splitlines() if "options: select 'all'" in line)
    of_members = "    options: select members as value, members as label from fct_members"
    chosen = board_of(tmp_path, BOARD.replace(every_country, of_members))
    text = page([chosen], chosen, night, {}, LiveLinks(), "")
    assert "No data. The shop delivers no memberships." in chart(text, "orders")


def test_a_table_that_the_copy_does_not_hold_yet_is_named_and_is_no_error(board, night):
    text = page([board], board, night, {}, LiveLinks(), "")
    assert "No data. This copy holds no fct_parcels yet." in chart(text, "parcels")


def test_a_choice_that_does_not_exist_is_refused_by_name(board, night):
    with pytest.raises(UnknownChoice, match="Country: there is no 'FR'"):
        page([board], board, night, {"country": "FR"}, LiveLinks(), "")


def test_a_definition_that_the_catalogue_does_not_know_is_an_error(tmp_path, night):
    board = board_of(tmp_path, BOARD.replace("variant: all", "variant: some"))
    with pytest.raises(BoardError, match="no variant some of orders"):
        page([board], board, night, {}, LiveLinks(), "")


def test_what_stands_in_the_data_cannot_become_markup(copy, board, night):
    copy.connection.execute(
        "update fct_mart_status set missing_sources = '<script>alert(1)</script>'"
    )
    text = page([board], board, night, {}, LiveLinks(), "")
    assert "<script" not in text


def test_the_nightly_pages_hold_one_page_for_every_option_and_name_no_address(board, night):
    made = dict(pages([board], night, ""))
    assert len(made) == 3
    assert made["index.html"] == made["orders.html"]
    linked = set(re.findall(r'data-page="([^"]+)"', made["orders.html"]))
    assert linked == set(made) - {"index.html"}
    assert not any(re.search(r"https?://|//[a-z]", text) for text in made.values())


def test_a_chart_that_does_not_heed_a_filter_is_asked_for_once_a_night(copy, board, night):
    asked = []
    query = copy.query
    copy.query = lambda sql, parameters: asked.append(sql) or query(sql, parameters)
    made = dict(pages([board], night, ""))
    # Two countries: the orders of each, the members once.
    assert sum("fct_orders" in sql for sql in asked) == 2
    assert sum("fct_members" in sql and "fct_mart_status" not in sql for sql in asked) == 1
    [narrowed] = [text for name, text in made.items() if "gb" in name]
    assert ("50" in chart(made["orders.html"], "orders"), "30" in chart(narrowed, "orders")) == (
        True,
        True,
    )


def test_options_that_look_alike_have_pages_of_their_own():
    links = FileLinks({})
    names = {links.to("orders", {"country": value}) for value in ("a b", "a-b", "A B", "ä b")}
    assert len(names) == 4
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind: number", "kind: pie"), "kind pie is unknown"),
        (("unit: orders", "units: orders"), "has no units"),
        (("id: members", "id: orders"), "two charts are called orders"),
        (("definition: Boxes.", "definition: ''"), "says nowhere what its number means"),
    ],
)
def test_a_board_that_says_something_else_is_refused_by_name(tmp_path, change, message):
    with pytest.raises(BoardError, match=message):
        board_of(tmp_path, BOARD.replace(*change))
