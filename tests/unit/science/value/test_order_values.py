"""Which model says what an order is worth, and whether it is allowed to."""

import numpy as np
import pytest
from small_shops import ledger_of

from orchestration.science import credibility, gamma_gamma
from orchestration.science.value.order_values import (
    estimate_order_values,
    tail_of,
    value_shape,
)
from tests.real_shops import cdnow_known

GAMMAS = gamma_gamma.GammaGammaFit.given(p=3.0, q=4.0, gamma=60.0)


def drawn_shop(n_customers=1500, wholesale=0, rising=0.0, seed=3):
    """Values drawn from Gamma-Gamma; some customers may buy 60 times as much, or more with frequency."""
    random = np.random.default_rng(seed)
    count = random.integers(1, 7, n_customers)
    mean = 180 / random.gamma(4.0, 1.0, n_customers) * (1 + rising * count)
    mean[:wholesale] *= 60
    rows = []
    for customer in range(n_customers):
        for number, value in enumerate(random.gamma(3.0, mean[customer] / 3, count[customer])):
            rows.append((f"c{customer:05d}", 10 * number, float(value), float(value)))
    return ledger_of(rows, 100)


def test_gamma_gamma_speaks_where_its_assumptions_hold():
    found = estimate_order_values(drawn_shop())
    assert found.model_name == gamma_gamma.MODEL_NAME
    assert found.tail.excess < found.tail.limit
    errors = found.fit.standard_errors
    for name in gamma_gamma.PARAMETERS:
        assert getattr(found.fit, name) == pytest.approx(
            getattr(GAMMAS, name), abs=4 * errors[name]
        )


def test_wholesale_buyers_hand_over_to_the_credibility_mean():
    found = estimate_order_values(drawn_shop(wholesale=8))
    assert found.model_name == credibility.MODEL_NAME
    assert abs(found.correlation) < gamma_gamma.CORRELATION_LIMIT
    assert found.tail.excess > 1.5 * found.tail.limit
    assert "the largest 1% of customers hold" in found.verdict


def test_spend_that_rises_with_frequency_hands_over_to_the_credibility_mean():
    found = estimate_order_values(drawn_shop(rising=0.5))
    assert found.model_name == credibility.MODEL_NAME
    assert "spend and frequency correlate" in found.verdict


def test_cdnow_may_use_gamma_gamma():
    found = estimate_order_values(cdnow_known())
    assert found.model_name == gamma_gamma.MODEL_NAME
    assert found.value_count.sum() == np.count_nonzero(cdnow_known().occasions().net_amount > 0)


def test_the_first_order_speaks_for_who_has_placed_no_other():
    shop = drawn_shop()
    found = estimate_order_values(shop)
    once = found.value_count == 1
    values = np.bincount(shop.orders.customer, shop.orders.net_amount)
    fit = found.fit
    by_hand = fit.p * (fit.gamma + values[once]) / (fit.p + fit.q - 1)
    assert found.expected[once] == pytest.approx(by_hand)


def test_a_gift_is_no_order_value():
    shop = ledger_of([("ann", 1, 30.0, 9.0), ("ann", 5, 0.0, -4.0), ("bob", 2, 10.0, 3.0)], 9)
    found = estimate_order_values(shop)
    assert found.value_count.tolist() == [1, 1]
    # Two customers are too few for a fit: (30 + 20) / 2 and (10 + 20) / 2.
    assert found.model_name == credibility.MODEL_NAME
    assert found.expected == pytest.approx([25, 15])


def test_without_any_order_value_none_is_invented():
    found = estimate_order_values(ledger_of([("ann", 1, 0.0, -1.0)], 9))
    assert found.model_name is None
    assert np.isnan(found.expected).all()


def test_a_tail_is_not_judged_from_a_handful_of_customers():
    assert np.isnan(tail_of(GAMMAS, np.ones(199), np.ones(199)).excess)


@pytest.mark.parametrize(("n_customers", "least"), [(300, 1.5), (50_000, 1.25)])
def test_a_tail_that_is_the_models_own_is_borne_in_small_shops_and_large(n_customers, least):
    count = np.arange(n_customers) % 6 + 1.0
    refused = 0
    for seed in range(20):
        tail = tail_of(GAMMAS, count, gamma_gamma.simulate(GAMMAS, count, seed))
        refused += tail.excess > tail.limit
    assert tail.limit >= least
    # One in a hundred: two or more of twenty has a chance of 0.017.
    assert refused <= 1


@pytest.mark.parametrize("shape", [0.5, 2.0, 9.0])
def test_the_shape_of_order_values_is_found_whatever_each_customers_level(shape):
    random = np.random.default_rng(5)
    owner = np.repeat(np.arange(20_000), 3)
    level = np.exp(random.normal(0, 2, 20_000))
    values = random.gamma(shape, level[owner])
    # The variance of a log is known to about 1.2% from 40,000 degrees of freedom.
    assert value_shape(owner, values, 20_000) == pytest.approx(shape, rel=0.05)


def test_where_nobody_ordered_twice_values_scatter_as_exponentials():
    assert value_shape(np.arange(3), np.array([1.0, 2.0, 3.0]), 3) == 1.0
