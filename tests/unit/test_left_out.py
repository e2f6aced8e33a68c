"""What `make test-left-out` leaves out and reads, on contracts and pages made by hand."""

from orchestration.contract import Column, Table, load_contract
from tests.left_out.cases import cases
from tests.left_out.nights import Told, charts_of, values_without_a_meaning


def a_table(name: str, subject: str) -> Table:
    return Table(name=name, subject=subject, key=("id",), columns=(Column("id", "varchar"),))


def test_every_source_but_orders_is_left_out_alone_and_with_its_subject():
    contract = [
        a_table("orders", "shop"),
        a_table("products", "shop"),
        a_table("customers", "shop"),
        a_table("payments", "payments"),
    ]
    assert {case.name: sorted(case.tables) for case in cases(contract)} == {
        "products": ["products"],
        "customers": ["customers"],
        "payments": ["payments"],
        "all_of_shop": ["customers", "products"],
    }


def test_a_source_that_is_added_to_the_contract_is_left_out_without_a_word_more():
    before = cases(load_contract())
    after = cases([*load_contract(), a_table("warranties", "service")])
    assert {case.name for case in after} - {case.name for case in before} == {"warranties"}
    [service] = [case for case in after if case.name == "all_of_service"]
    assert "warranties" in service.tables


def test_charts_of_a_page_are_told_with_what_stands_in_place_of_a_picture():
    page = (
        '<article class="chart line half" id="drawn"><h3>A</h3><p class="reading">Falls.</p><svg/></article>'
        '<article class="chart number third" id="empty"><h3>B</h3><p class="no-data"><strong>No data.</strong>'
        ' The shop delivers no reviews.</p><p class="foot">1</p></article>'
        '<article class="chart table full" id="nothing"><h3>C</h3><p class="remark">All is well.</p></article>'
    )
    assert charts_of(page) == {
        "drawn": None,
        "empty": "No data. The shop delivers no reviews.",
        "nothing": "All is well.",
    }


def test_a_value_that_no_person_meant_is_found_and_the_name_of_a_tier_is_none():
    page = "<td>nan</td><td>NaT</td><td>−inf</td><td>None</td><td>–</td><td>Nancy</td>"
    assert values_without_a_meaning(page) == ["NaT", "nan", "−inf"]


def test_a_table_of_no_rows_is_empty_and_one_of_ten_is_not():
    told = Told(1.0, {"fct_a": "0 rows 0", "fct_b": "10 rows ab"}, {}, {}, [], [], "")
    assert told.empty_tables == {"fct_a"}
