"""Cost of benefits per day."""

import numpy as np
import pytest

from orchestration.science.errors import DataError
from orchestration.science.value.benefits import benefit_costs


def drawn(n=20_000, seed=9):
    """Uses at a rate that differs between members, each costing 0.5 or 1.5."""
    random = np.random.default_rng(seed)
    rate = random.gamma(1.5, 0.02, n)
    days = random.integers(1, 900, n).astype(float)
    uses, later = random.poisson(rate * days), random.poisson(rate * 365)
    price = lambda k: 0.5 * k + random.binomial(k, 0.5)  # noqa: E731
    return price(uses), days, rate, price(later)


SEEDS = range(8)


def test_variance_within_and_between_members_is_found_again():
    within, between = [], []
    for seed in SEEDS:
        cost, days, _, _ = drawn(seed=seed)
        found = benefit_costs(cost, days)
        within.append((found.scatter / found.per_day).mean())
        between.append(found.unknown.max())
    # A use costs 1 on average and 1.25 in the mean square; rates have the variance 1.5 x 0.02^2.
    error = np.std(within) / len(within) ** 0.5
    assert np.mean(within) == pytest.approx(1.25, abs=3 * error)
    assert error < 0.1
    assert np.mean(between) == pytest.approx(1.5 * 0.02**2, rel=0.05)


def test_the_expected_cost_is_the_truths_on_average_and_follows_each_member():
    cost, days, rate, later = drawn()
    found = benefit_costs(cost, days)
    assert 365 * found.per_day.mean() == pytest.approx(later.mean(), rel=0.02)
    everyone = np.full(rate.size, rate.mean())
    assert ((found.per_day - rate) ** 2).mean() < 0.5 * ((everyone - rate) ** 2).mean()


def test_the_cost_of_the_next_year_scatters_as_was_said():
    seen, said = [], []
    for seed in SEEDS:
        cost, days, _, later = drawn(seed=seed)
        found = benefit_costs(cost, days)
        said.append((found.scatter * 365 + found.unknown * 365**2).mean())
        seen.append(((later - 365 * found.per_day) ** 2).mean())
    assert np.mean(said) == pytest.approx(np.mean(seen), rel=0.05)


def test_few_members_all_cost_the_same():
    found = benefit_costs(np.array([0.0, 30.0]), np.array([100.0, 200.0]))
    assert found.per_day == pytest.approx([0.1, 0.1])
    assert found.unknown.tolist() == [0, 0]


@pytest.mark.parametrize("days", [[0.0, 0.0], [10.0, 300.0]])
def test_benefits_that_nobody_used_cost_nothing(days):
    found = benefit_costs(np.zeros(2), np.array(days))
    assert [column.tolist() for column in found] == [[0, 0]] * 3


@pytest.mark.parametrize(("cost", "days"), [(-1.0, 5.0), (1.0, -5.0), (float("nan"), 5.0)])
def test_impossible_costs_are_refused(cost, days):
    with pytest.raises(DataError, match="must be >= 0"):
        benefit_costs(np.array([cost]), np.array([days]))
