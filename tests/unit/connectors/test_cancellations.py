"""Which sale a cancellation takes back; every expectation is worked out by hand."""

from datetime import datetime
from decimal import Decimal

from orchestration.connectors.cancellations import Movement, link_cancellations


def line(line_id, day, quantity, price="2.50", customer="17850", product="85123A") -> Movement:
    return Movement(line_id, customer, product, quantity, Decimal(price), datetime(2011, 1, day))


def test_a_cancellation_goes_to_the_latest_sale_before_it():
    sales = [line("S1", 1, 5), line("S2", 3, 5), line("S3", 9, 5)]
    assert link_cancellations(sales, [line("C1", 5, 2)]) == {"C1": "S2"}


def test_a_sale_on_the_same_minute_counts_as_before():
    assert link_cancellations([line("S1", 4, 5)], [line("C1", 4, 5)]) == {"C1": "S1"}


def test_the_same_price_goes_before_a_later_sale_at_a_higher_price():
    sales = [line("S1", 1, 5, "2.50"), line("S2", 3, 5, "2.95")]
    assert link_cancellations(sales, [line("C1", 5, 2, "2.50")]) == {"C1": "S1"}


def test_a_higher_price_is_taken_where_no_sale_has_the_same():
    sales = [line("S1", 1, 5, "2.10"), line("S2", 3, 5, "2.95")]
    assert link_cancellations(sales, [line("C1", 5, 2, "2.50")]) == {"C1": "S2"}


def test_a_sale_at_a_lower_price_is_never_taken():
    assert link_cancellations([line("S1", 1, 5, "2.10")], [line("C1", 5, 2, "2.50")]) == {}


def test_a_sale_gives_back_no_more_than_was_sold():
    sales = [line("S1", 1, 5), line("S2", 3, 3)]
    cancelled = [line("C1", 5, 2), line("C2", 6, 2), line("C3", 7, 4)]
    # C1 leaves one of S2, so that C2 goes to S1, which then has three left: too few for C3.
    assert link_cancellations(sales, cancelled) == {"C1": "S2", "C2": "S1"}


def test_cancellations_are_taken_in_order_of_time_whatever_their_order_in_the_export():
    cancelled = [line("C2", 6, 3), line("C1", 5, 3)]
    assert link_cancellations([line("S1", 1, 3)], cancelled) == {"C1": "S1"}


def test_a_cancellation_is_not_split_over_two_sales():
    assert link_cancellations([line("S1", 1, 3), line("S2", 2, 3)], [line("C1", 5, 6)]) == {}


def test_another_customer_or_product_is_no_match():
    sales = [line("S1", 1, 5, customer="1"), line("S2", 1, 5, product="B")]
    assert link_cancellations(sales, [line("C1", 5, 2)]) == {}
