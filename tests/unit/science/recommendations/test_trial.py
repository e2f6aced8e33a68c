"""Which method speaks: counts by hand, shops with nothing to learn, and the hidden taste of the sample shop."""

import math

import numpy as np
import pyarrow as pa
import pytest

from orchestration.science.recommendations.acts import Interactions
from orchestration.science.recommendations.catalogue import catalogue_from_tables
from orchestration.science.recommendations.methods import fit_methods
from orchestration.science.recommendations.metrics import coverage, hits, mean_novelty
from orchestration.science.recommendations.nightly import (
    BACKTESTS,
    backtest_table,
    recommendation_table,
)
from orchestration.science.recommendations.trial import (
    CANDIDATES,
    YARDSTICKS,
    try_methods,
)
from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.facts.products import CATEGORIES, GIFT_CARDS
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import epoch_day
from orchestration.science.sample_shop.simulation import simulate
from tests.unit.science.recommendations import small_shops
from tests.unit.science.recommendations.small_shops import acted, catalogue


def test_lists_are_held_against_what_was_bought_as_the_definitions_say():
    random = np.random.default_rng(1)
    lists = np.array([random.permutation(30)[:10] for _ in range(40)])
    lists[:5, 6:] = -1
    wanted = random.random((40, 30)) < 0.2
    wanted[:, 0] = True
    found = hits(lists, wanted)
    for row, (shown, bought) in enumerate(zip(lists, wanted, strict=True)):
        right = [one >= 0 and bool(bought[one]) for one in shown]
        gain = sum(1 / math.log2(place + 2) for place, is_right in enumerate(right) if is_right)
        best = sum(1 / math.log2(place + 2) for place in range(min(10, int(bought.sum()))))
        assert found.recall[row] == pytest.approx(sum(right) / bought.sum())
        assert found.is_hit[row] == any(right)
        assert found.ndcg[row] == pytest.approx(gain / best)


def test_coverage_and_novelty_are_of_what_was_shown():
    lists = np.array([[0, 1, -1], [1, 2, 3]])
    assert coverage(lists, 8) == 0.5
    assert mean_novelty(lists, np.array([1.0, 2.0, 3.0, 7.0, 99.0])) == 3.0


def day_by_day(rng: np.random.Generator, taste: float, customers: int = 150) -> tuple:
    """A shop of two years in which a share of purchases keeps to the customer's own category."""
    names = [f"{category}{number:02}" for category in "abcd" for number in range(15)]
    shop = catalogue([{"variant_id": name, "category_l1": name[0]} for name in names])
    size = customers * 12
    customer = np.repeat(np.arange(customers), 12)
    category = np.where(rng.random(size) < taste, customer % 4, rng.integers(0, 4, size))
    variant = category * 15 + rng.integers(0, 15, size)
    return shop, Interactions(
        customer, variant, np.zeros(size, dtype=np.int64), rng.integers(0, 730, size),
        np.ones(size), customers,
    )  # fmt: skip


def test_what_sells_is_shown_where_there_is_no_taste_to_find():
    shop, seen = day_by_day(np.random.default_rng(5), taste=0.0)
    trial = try_methods(seen, shop, 729)
    assert trial.champion == "popular"
    assert not any(one.is_passing for one in trial.verdicts)


def test_the_ablest_method_that_beats_both_yardsticks_speaks_where_customers_have_a_taste():
    shop, seen = day_by_day(np.random.default_rng(5), taste=0.9)
    trial = try_methods(seen, shop, 729)
    assert trial.champion in CANDIDATES
    verdicts = {one.method: one for one in trial.verdicts}
    assert verdicts["content"].is_passing
    assert verdicts["content"].against.low > 0
    assert not any(verdicts[name].is_passing for name in YARDSTICKS)


def test_an_origin_does_not_see_what_came_after_its_horizon():
    shop, seen = day_by_day(np.random.default_rng(7), taste=0.5)
    trial = try_methods(seen, shop, 729)
    first = min(one.origin for one in trial.measured)
    # The same purchases of every later day, by other customers.
    later = seen.day > first + 90
    customer = np.where(later, seen.n_customers - 1 - seen.customer, seen.customer)
    moved = Interactions(customer, seen.variant, seen.kind, seen.day, seen.weight, seen.n_customers)
    again = try_methods(moved, shop, 729)

    def of_first(found):
        return [one for one in found.measured if one.origin == first and one.metric != "novelty"]

    assert repr(of_first(trial)) == repr(of_first(again))
    assert repr(trial.measured) != repr(again.measured)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("Ann", "P1", "view", 3)],
        [("Ann", "P1", "purchase", 0), ("Bob", "P2", "purchase", 400), ("Ann", "P2", "cart", 401)],
    ],
)
def test_a_tiny_shop_is_shown_what_sells_if_anything_does_and_breaks_nothing(rows):
    shop = catalogue([{"variant_id": f"P{one}", "category_l1": "home"} for one in (1, 2, 3)])
    people = ["Ann", "Bob", "Cleo"]
    seen = acted(shop, people, rows)
    trial = try_methods(seen, shop, 401)
    assert trial.champion == "popular"
    assert backtest_table(trial).schema == BACKTESTS
    methods = fit_methods(seen, shop, 401)
    for champion in ("popular", *CANDIDATES):
        table = recommendation_table(small_shops.ids(people), seen, shop, methods, champion, 401)
        own = [row["variant_id"] for row in table.to_pylist() if row["customer_id"] == "Ann"]
        bought = {row[1] for row in rows if row[:1] + row[2:3] == ("Ann", "purchase")}
        # Where nothing was ever bought, nobody knows what sells.
        assert set(own) == ({"P1", "P2", "P3"} - bought if bought else set())


def test_a_shop_without_products_shows_nothing():
    shop = catalogue([])
    seen = acted(shop, ["Ann"], [])
    trial = try_methods(seen, shop, 100)
    table = recommendation_table(
        small_shops.ids(["Ann"]), seen, shop, fit_methods(seen, shop, 100), trial.champion, 100
    )
    assert table.num_rows == 0
    assert backtest_table(trial).num_rows == 0


@pytest.fixture(scope="module")
def sample():
    """The purchases of a sample shop, one customer per person, and the category each person favours."""
    parameters = Parameters(customers=2_000, defects=False, seed=5)
    frame, chunks = simulate(np.random.default_rng(5), parameters)
    [facts] = chunks
    goods = frame.catalogue
    variants = np.arange(goods.category.size)
    table = pa.table(
        {
            "variant_id": [f"V{one:04}" for one in variants],
            "product_id": [f"P{one:04}" for one in goods.product],
            "title": goods.title,
            "brand": [str(one) for one in goods.brand],
            "category_l1": [CATEGORIES[one].name for one in goods.category],
            "category_l2": goods.group,
            "category_l3": [title.rsplit(",", 1)[0].split(" ", 1)[-1] for title in goods.title],
            "price": goods.price / 100,
            "cycle_days": pa.array(np.full(variants.size, np.nan)),
            "is_replenishable": [CATEGORIES[one].cycle_days > 0 for one in goods.category],
            "is_withheld": goods.category >= GIFT_CARDS,
            "launched_date": pa.array(goods.launched.astype(np.int32)).cast(pa.date32()),
            "discontinued_date": pa.array(
                np.minimum(goods.discontinued, 10**6).astype(np.int32)
            ).cast(pa.date32()),
        }
    )
    no_stock = pa.table(
        {
            "variant_id": pa.array([], pa.string()),
            "valid_from": pa.array([], pa.date32()),
            "is_in_stock": pa.array([], pa.bool_()),
        }
    )
    lines, orders = facts.lines, facts.orders
    until = epoch_day(parameters.end_date)
    person, day = orders.person[lines.order], orders.local_day[lines.order]
    told = (orders.kind[lines.order] == NORMAL) & (person >= 0) & ~lines.is_insert & (day <= until)
    seen = Interactions(
        person[told], lines.variant[told], np.zeros(int(told.sum()), dtype=np.int64),
        day[told], np.ones(int(told.sum())), facts.people.favourite.size,
    )  # fmt: skip
    return catalogue_from_tables(table, no_stock), seen, facts.people.favourite, goods, until


def test_lists_recover_the_category_that_the_sample_shop_hid(sample):
    shop, seen, favourite, goods, until = sample
    lines = np.zeros((seen.n_customers, len(CATEGORIES)))
    np.add.at(lines, (seen.customer, goods.category[seen.variant]), 1)
    known = np.flatnonzero(lines.sum(axis=1) >= 6)
    assert known.size > 200
    customers = small_shops.ids([f"C{one:05}" for one in range(seen.n_customers)])
    methods = fit_methods(seen, shop, until)
    variant = {name: number for number, name in enumerate(shop.variant_ids)}

    def recovered(champion: str) -> np.ndarray:
        """Whether the category that a list shows most is the one that the person favours."""
        shown = np.zeros_like(lines)
        table = recommendation_table(customers, seen, shop, methods, champion, until)
        for row in table.select(["customer_id", "variant_id"]).to_pylist():
            category = goods.category[variant[row["variant_id"]]]
            shown[int(row["customer_id"][1:]), category] += 1
        return (shown.argmax(axis=1) == favourite)[known]

    # Who knows how the shop was made: half of the lines are of the favourite, the others of the shop's mix.
    parameters = Parameters()
    mix = np.bincount(goods.category[seen.variant], minlength=len(CATEGORIES)) + 1e-9
    share = parameters.baskets.favourite_share
    chance = share * np.eye(len(CATEGORIES)) + (1 - share) * mix / mix.sum()
    likely = lines @ np.log(chance).T + np.log(mix / mix.sum())
    oracle = (likely.argmax(axis=1) == favourite)[known].mean()
    plain = recovered("popular").mean()
    for champion in ("content", "hybrid"):
        found = recovered(champion).mean()
        # More than half of the way from what sells to all that can be known. Lists cannot go all of
        # it: who has bought most of a category is shown others.
        assert found - plain > 0.5 * (oracle - plain), (champion, found, plain, oracle)
    assert oracle > plain + 0.3


def test_taste_is_found_in_the_category_and_nowhere_else(sample):
    shop, seen, _, goods, until = sample
    # Three lines of each: whoever has bought nearly all of a category has to go elsewhere.
    order = np.lexsort([seen.day, seen.customer])
    place = np.arange(order.size) - np.searchsorted(seen.customer[order], seen.customer[order])
    few = np.zeros(order.size, dtype=bool)
    few[order] = place < 3
    seen = seen.where(few & (goods.category[seen.variant] < GIFT_CARDS))
    precision = {
        one.name: one.precision for one in fit_methods(seen, shop, until).content.attributes
    }
    # Half of a customer's lines are of one category, which a quarter of all pairs have in common for
    # that reason alone; 1 / (precision + 1) is how much more often two agree than chance lets them.
    assert 1 / (precision.pop("category_l1") + 1) == pytest.approx(0.25, abs=0.04)
    assert precision == {}


def test_the_method_that_speaks_for_the_sample_shop_has_beaten_both_yardsticks(sample):
    shop, seen, _, _, until = sample
    trial = try_methods(seen, shop, until)
    assert trial.champion in ("content", "hybrid")
    verdict = {one.method: one for one in trial.verdicts}[trial.champion]
    assert verdict.is_passing
    rows = backtest_table(trial).to_pylist()
    assert {row["is_champion"] for row in rows if row["method"] == trial.champion} == {True}
    assert len({row["origin_date"] for row in rows}) == 4
    assert {(row["item_scope"], row["metric_name"]) for row in rows if row["customers"]} >= {
        ("new", "recall_at_10"), ("repeat", "hit_rate_at_10"), ("all", "ndcg_at_10"), ("all", "novelty"),
    }  # fmt: skip
