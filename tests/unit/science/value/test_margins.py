"""Margin ratios, counted by hand."""

import numpy as np
import pytest
from small_shops import ledger_of

from orchestration.science.value.margins import margin_ratios

# Ann orders for 100 and keeps 40; Bob for 300 and keeps 60. Shop: 100 / 400 = 0.25, 200 a customer.
ANN_AND_BOB = [("ann", 1, 100.0, 40.0), ("bob", 1, 200.0, 50.0), ("bob", 9, 100.0, 10.0)]


def test_the_own_ratio_is_drawn_to_the_shops_by_one_average_customer():
    found = margin_ratios(ledger_of(ANN_AND_BOB, 20))
    assert found == pytest.approx([(40 + 0.25 * 200) / 300, (60 + 0.25 * 200) / 500])


def test_what_came_back_takes_its_margin_and_leaves_the_amount_ordered():
    back = [("ann", 5, 1, 100.0, 48.0)]
    # Shop: (100 - 48) / 400 = 0.13.
    found = margin_ratios(ledger_of(ANN_AND_BOB, 20, back))
    assert found == pytest.approx([(40 - 48 + 0.13 * 200) / 300, (60 + 0.13 * 200) / 500])


def test_a_refund_that_is_not_yet_known_changes_nothing():
    back = [("ann", 15, 1, 100.0, 48.0)]
    early = ledger_of(ANN_AND_BOB, 20, back).known_at(14)
    assert margin_ratios(early).tolist() == margin_ratios(ledger_of(ANN_AND_BOB, 14)).tolist()


def test_who_has_paid_nothing_gets_the_shops_ratio():
    found = margin_ratios(ledger_of([*ANN_AND_BOB, ("cid", 3, 0.0, -5.0)], 20))
    assert found[2] == pytest.approx(100 / 400)


def test_a_shop_that_loses_on_every_sale_has_a_ratio_below_zero():
    found = margin_ratios(ledger_of([("ann", 1, 100.0, -10.0), ("bob", 2, 50.0, -5.0)], 20))
    assert found == pytest.approx([-0.1, -0.1])


@pytest.mark.parametrize(
    "orders", [[("ann", 1, 100.0, 0.0)], [("ann", 1, 0.0, 3.0)], [("ann", 1, -5.0, 3.0)]]
)
def test_without_a_margin_or_an_amount_there_is_no_ratio(orders):
    assert np.isnan(margin_ratios(ledger_of(orders, 20))).all()
