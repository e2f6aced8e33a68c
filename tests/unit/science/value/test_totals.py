"""The distribution of the value of all orders to come, against draws and a library."""

import numpy as np
import pytest
from scipy.stats import betaprime, nbinom

from orchestration.science.value import totals

SHAPE, SHRINKAGE, SIZE = 2.5, 0.8, 0.7
TABLE = totals.total_values(SHAPE, SHRINKAGE, SIZE, highest=30)


def drawn(p_order, mean_if_any, value_count, n=400_000):
    """Values of all orders, drawn step by step from the model's three sentences."""
    random = np.random.default_rng(8)
    A = 1 + SHAPE * (value_count + SHRINKAGE)
    extra = mean_if_any - 1
    later = nbinom.rvs(SIZE, SIZE / (SIZE + extra), size=n, random_state=random) if extra else 0
    count = (1 + later) * (random.random(n) < p_order)
    rate = random.gamma(A, 1.0, n)
    # The mean of an order is 1: E[shape / rate] = shape / (A - 1).
    unit = (A - 1) / SHAPE
    return np.where(count > 0, random.gamma(SHAPE * np.maximum(count, 1), unit / rate), 0.0)


@pytest.mark.parametrize(
    ("p_order", "mean_if_any", "value_count"),
    [(1.0, 1.0, 0), (0.6, 1.8, 1), (0.95, 4.0, 5), (0.3, 1.3, 12), (0.99, 30.0, 25)],
)
def test_quantiles_are_those_of_draws_from_the_model(p_order, mean_if_any, value_count):
    values = drawn(p_order, mean_if_any, value_count)
    A = np.array([1 + SHAPE * (value_count + SHRINKAGE)])
    for level in (0.1, 0.5, 0.8, 0.9, 0.97):
        found = TABLE.quantile(np.array([level]), np.array([p_order]), np.array([mean_if_any]), A)[
            0
        ]
        below = (values <= found * (1 + 1e-9)).mean()
        # Draws are off by 0.0025 at three deviations; the table by its interpolation.
        assert below == pytest.approx(max(level, 1 - p_order), abs=0.008)


def test_one_order_of_a_new_customer_is_a_beta_prime():
    A = 1 + SHAPE * SHRINKAGE
    found = TABLE.quantile(np.array([0.5]), np.ones(1), np.ones(1), np.array([A]))[0]
    assert found == pytest.approx((A - 1) / SHAPE * betaprime.ppf(0.5, SHAPE, A), rel=2e-3)


def test_the_probability_of_a_quantile_is_its_level():
    levels = np.linspace(0.01, 0.99, 25)
    means, A = np.full(25, 3.3), np.full(25, 9.0)
    values = TABLE.quantile(levels, np.ones(25), means, A)
    assert TABLE.probability(values, means, A) == pytest.approx(levels, abs=1e-6)


def test_a_quantile_is_zero_up_to_the_probability_of_no_order():
    found = TABLE.quantile(
        np.array([0.1, 0.4, 0.41]), np.full(3, 0.6), np.full(3, 2.0), np.full(3, 5.0)
    )
    assert found[:2].tolist() == [0.0, 0.0]
    assert found[2] > 0


def test_numbers_of_orders_have_the_mean_that_was_asked_for():
    counts = np.arange(1.0, 4000)
    for mean in (1.0, 1.5, 12.0):
        chance = np.exp(totals.log_count_chance(counts, np.full(counts.size, mean), SIZE))
        assert chance.sum() == pytest.approx(1)
        assert chance @ counts == pytest.approx(mean)


@pytest.mark.parametrize("size", [0.3, 1.0, 5.0])
def test_the_scatter_of_the_number_of_orders_is_found_again(size):
    random = np.random.default_rng(2)
    mean = random.uniform(1.2, 6.0, 30_000)
    count = 1.0 + nbinom.rvs(size, size / (size + mean - 1), random_state=random)
    # The grid's steps are 19% apart.
    assert totals.fit_size(count, mean) == pytest.approx(size, rel=0.2)


def test_few_customers_say_nothing_of_the_scatter():
    assert totals.fit_size(np.full(29, 9.0), np.full(29, 1.5)) == 1.0
