"""What is bought again out of habit, by a count of a few purchases and in shops with and without one."""

import numpy as np
import pytest

from orchestration.science.recommendations.acts import Interactions, acts_until
from orchestration.science.recommendations.methods import fit_methods
from orchestration.science.recommendations.popular import Popular
from orchestration.science.recommendations.repeats import fit_repeats
from orchestration.science.recommendations.trial import try_methods
from tests.unit.science.recommendations.small_shops import acted, catalogue

PANTRY = catalogue(
    [
        {"variant_id": "bread", "is_replenishable": True, "cycle_days": 10.0},
        {"variant_id": "lamp"},
        {"variant_id": "salt", "is_replenishable": True},
    ]
)


def test_habit_is_what_is_bought_again_less_what_chance_would_bring():
    seen = acted(
        PANTRY,
        ["Ann", "Bob"],
        [
            ("Ann", "bread", "purchase", 0),
            ("Ann", "bread", "purchase", 10),
            ("Ann", "salt", "purchase", 10),
            ("Ann", "bread", "purchase", 15),
            ("Ann", "lamp", "purchase", 15),
            ("Ann", "salt", "view", 16),
            ("Ann", "lamp", "purchase", 99),
            ("Bob", "bread", "purchase", 3),
        ],
    )
    popular = Popular(np.array([0.1, 0.85, 0.05]), np.zeros(3))
    # After her first day Ann bought four times until day 20. Only the bread of day 10 is bought again:
    # that of day 15 was not used up. By chance bread would be on day 10 (twice 0.1), bread or salt on
    # day 15 (twice 0.15): 0.5 of four purchases. Bob never came again.
    habit = fit_repeats(seen, PANTRY, popular, 20).habit
    assert habit == pytest.approx((1 - 0.5) / 4)


def test_nobody_who_came_twice_makes_no_habit():
    seen = acted(PANTRY, ["Ann"], [("Ann", "bread", "purchase", 0)])
    assert fit_repeats(seen, PANTRY, Popular(np.full(3, 1 / 3), np.zeros(3)), 20).habit == 0


def shop_of_weeks(habit: float) -> tuple:
    """Customers who buy something of sixty goods every ten days: with a chance what they bought before."""
    random = np.random.default_rng(12)
    shop = catalogue([{"variant_id": f"P{one:02}", "is_replenishable": True} for one in range(60)])
    customers, visits = 120, 70
    bought = np.zeros((customers, visits), dtype=np.int64)
    for customer in range(customers):
        for visit in range(visits):
            keeps = visit > 0 and random.random() < habit
            earlier = bought[customer, : max(visit, 1)]
            fresh = random.integers(10) * 6 + customer % 6
            if random.random() < 0.2:
                fresh = random.integers(60)
            bought[customer, visit] = random.choice(earlier) if keeps else fresh
    size = customers * visits
    return shop, Interactions(
        np.repeat(np.arange(customers), visits), bought.ravel(), np.zeros(size, dtype=np.int64),
        np.tile(np.arange(visits) * 10, customers), np.ones(size), customers,
    )  # fmt: skip


def test_where_customers_buy_the_same_again_the_hybrid_beats_what_each_bought_most():
    shop, seen = shop_of_weeks(habit=0.5)
    trial = try_methods(seen, shop, 699)
    assert trial.champion == "hybrid"
    verdicts = {one.method: one for one in trial.verdicts}
    assert verdicts["hybrid"].hardest == "own_most_frequent"
    assert verdicts["hybrid"].against.low > 0


def test_shares_of_habit_and_taste_add_up():
    shop, seen = shop_of_weeks(habit=0.5)
    methods = fit_methods(seen, shop, 699)
    assert 0.1 < methods.repeats.habit < 1
    shares = methods.hybrid.probabilities(acts_until(seen, shop, 699))
    assert shares.sum(axis=1) == pytest.approx(np.ones(120), abs=1e-4)
