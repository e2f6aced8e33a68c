"""What may be shown, in which order, as which variant and with which words."""

import numpy as np
import pytest

from orchestration.science.recommendations.acts import acts_until
from orchestration.science.recommendations.lists import (
    LENGTH,
    permitted,
    rank,
    shown_variants,
)
from orchestration.science.recommendations.methods import fit_methods
from orchestration.science.recommendations.nightly import (
    METHODS,
    recommendation_table,
    recommendation_tables,
)
from tests.unit.science.recommendations import small_shops
from tests.unit.science.recommendations.small_shops import acted, catalogue, day

TODAY = 100
SHELF = catalogue(
    [
        {"variant_id": "bread", "is_replenishable": True, "cycle_days": 10.0},
        {"variant_id": "card", "is_withheld": True},
        {"variant_id": "future", "launched_date": day(TODAY + 1)},
        {"variant_id": "gone", "discontinued_date": day(TODAY)},
        {"variant_id": "jumper L", "product_id": "jumper", "title": "Jumper, L"},
        {"variant_id": "jumper M", "product_id": "jumper", "title": "Jumper, M"},
        {"variant_id": "lamp"},
        {"variant_id": "new", "launched_date": day(TODAY)},
        {"variant_id": "salt", "is_replenishable": True},
        {"variant_id": "sold out"},
    ],
    stock=[
        ("jumper M", 90, False),
        ("lamp", 80, False),
        ("lamp", 99, True),
        ("sold out", 50, True),
        ("sold out", 100, False),
        ("lamp", 101, False),
    ],
)
PRODUCTS = ["bread", "card", "future", "gone", "jumper", "lamp", "new", "salt", "sold out"]


def may_see(*rows) -> set[str]:
    """Products that Ann may be shown after what she did."""
    acts = acts_until(acted(SHELF, ["Ann"], rows), SHELF, TODAY)
    return {
        name
        for name, is_shown in zip(
            PRODUCTS, permitted(acts, SHELF, SHELF.shelf(TODAY))[0], strict=True
        )
        if is_shown
    }


EVERYTHING = {"bread", "jumper", "lamp", "new", "salt"}


def test_nothing_is_shown_that_cannot_be_had_that_day():
    assert may_see() == EVERYTHING


def test_what_a_customer_has_is_not_shown_in_another_size_either():
    assert may_see(("Ann", "jumper M", "purchase", 3)) == EVERYTHING - {"jumper"}
    assert may_see(("Ann", "jumper M", "cart", 3)) == EVERYTHING


@pytest.mark.parametrize(("bought_on", "is_shown"), [(TODAY - 9, False), (TODAY - 10, True)])
def test_what_is_used_up_is_shown_again_and_not_before(bought_on, is_shown):
    rows = [("Ann", "bread", "purchase", 20), ("Ann", "bread", "purchase", bought_on)]
    assert ("bread" in may_see(*rows)) == is_shown


def test_what_is_bought_again_without_a_known_cycle_may_be_shown_at_once():
    assert may_see(("Ann", "salt", "purchase", TODAY)) == EVERYTHING


def test_what_was_rated_badly_is_not_shown():
    rated = ("Ann", "lamp", "rating", 4, -1.0)
    assert may_see(rated) == EVERYTHING - {"lamp"}
    assert may_see(rated, ("Ann", "lamp", "rating", 5, 2.0)) == EVERYTHING


def test_the_variant_shown_is_the_customers_own_then_the_one_that_sells():
    shop = catalogue(
        [{"variant_id": f"shirt {size}", "product_id": "shirt"} for size in ("L", "M", "S")],
        stock=[("shirt L", 0, False)],
    )
    rows = [
        ("Ann", "shirt S", "view", 5),
        ("Ann", "shirt L", "view", 6),
        ("Bob", "shirt M", "view", 5),
        ("Bob", "shirt S", "cart", 5),
        ("Cleo", "shirt S", "rating", 5, -2.0),
    ]
    seen = acted(shop, ["Ann", "Bob", "Cleo"], rows)
    sales = np.array([9.0, 2.0, 1.0])
    of_product, keys, variants = shown_variants(seen, shop, shop.shelf(TODAY), sales, TODAY)
    # L sells best and is out of stock. Ann looked at S before L, Bob took S to the basket; Cleo hates hers.
    assert [shop.variant_ids[one] for one in of_product] == ["shirt M"]
    assert keys.tolist() == [0, 1]
    assert [shop.variant_ids[one] for one in variants] == ["shirt S", "shirt S"]


class Fixed:
    """Says the same of everybody."""

    name = "fixed"

    def __init__(self, shares):
        self.shares = np.array(shares, dtype=float)

    def probabilities(self, acts):
        return np.tile(self.shares, (acts.n_customers, 1))


def ranked(shares, *further):
    names = [f"P{number:02}" for number in range(len(shares))]
    shop = catalogue([{"variant_id": name} for name in names])
    acts = acts_until(acted(shop, ["Ann", "Bob"], [("Bob", "P01", "purchase", 1)]), shop, 2)
    speakers = [Fixed(one) for one in (shares, *further)]
    return rank(acts, permitted(acts, shop, shop.shelf(2)), speakers)


def test_a_list_holds_the_ten_best_and_of_equals_the_first():
    random = np.random.default_rng(4)
    for _ in range(20):
        shares = random.integers(0, 6, 40).astype(float)
        shares[:12] += 1
        lists = ranked(shares)
        order = sorted(range(40), key=lambda one: (-shares[one], one))
        assert lists.product[0].tolist() == order[:LENGTH]
        assert lists.product[1].tolist() == [one for one in order if one != 1][:LENGTH]
        assert lists.score[0] == pytest.approx(shares[order[:LENGTH]] / shares.sum())


def test_who_has_little_to_say_is_filled_up_and_nothing_is_shown_twice():
    first, second = [0, 0, 3, 1] + [0] * 10, [9, 8, 7, 6] + [1] * 10
    lists = ranked(first, second)
    assert lists.product[0].tolist() == [2, 3, 0, 1, 4, 5, 6, 7, 8, 9]
    assert lists.speaker[0].tolist() == [0, 0] + [1] * 8
    assert lists.product[1].tolist() == [2, 3, 0, 4, 5, 6, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def drawn():
    """Two hundred products in every state of the shelf, and customers who do everything with them."""
    random = np.random.default_rng(6)
    states = [
        {
            "is_withheld": random.random() < 0.1,
            "launched_date": day(int(random.integers(0, 500))),
            "discontinued_date": day(int(random.integers(300, 900))),
            "is_replenishable": random.random() < 0.3,
            "cycle_days": float(random.integers(5, 90)),
            "category_l1": "abcd"[int(random.integers(0, 4))],
            "brand": "xyz"[int(random.integers(0, 3))],
            "price": float(random.integers(1, 100)),
        }
        for _ in range(200)
    ]
    shop = catalogue(
        [
            {"variant_id": f"P{one:03}{size}", "product_id": f"P{one:03}", **state}
            for one, state in enumerate(states)
            for size in "LMS"
        ],
        stock=[
            (f"P{random.integers(0, 200):03}{'LMS'[one % 3]}", one, bool(one % 2))
            for one in range(400)
        ],
    )
    seen = small_shops.drawn_interactions(shop, 70, 6_000, 400, seed=2)
    # Most keep to one category.
    category = np.array(["abcd".index(one) for one in shop.attributes["category_l1"]])
    keeps = category[shop.product[seen.variant]] == seen.customer % 4
    return shop, seen.where(keeps | (random.random(seen.day.size) < 0.3))


@pytest.mark.parametrize("champion", METHODS)
def test_no_rule_is_broken_whoever_speaks(drawn, champion):
    shop, seen = drawn
    customers = small_shops.ids([f"C{one:02}" for one in range(seen.n_customers)])
    table = recommendation_table(customers, seen, shop, fit_methods(seen, shop, 400), champion, 400)
    rows = table.to_pylist()
    places = {}
    variant = {name: number for number, name in enumerate(shop.variant_ids)}
    shelf = shop.shelf(400)
    for row in rows:
        number = variant[row["variant_id"]]
        product = shop.product[number]
        customer = int(row["customer_id"][1:])
        own = (seen.customer == customer) & (shop.product[seen.variant] == product)
        assert shelf[number]
        bought = seen.day[own & (seen.kind == 0)]
        if bought.size:
            assert shop.is_replenishable[product]
            assert 400 - bought.max() >= shop.cycle_days[product]
        assert seen.weight[own & (seen.kind == 3)].sum() >= 0
        assert row["method"] in {champion, "popular", *(METHODS if champion == "hybrid" else ())}
        assert 0 < row["score"] <= 1
        places.setdefault(row["customer_id"], []).append((row["recommendation_rank"], product))
    assert set(places) == set(customers.to_pylist())
    for shown in places.values():
        assert [place for place, _ in shown] == list(range(1, LENGTH + 1))
        assert len({product for _, product in shown}) == LENGTH
    if champion != "popular":
        assert sum(row["method"] == champion for row in rows) > len(rows) / 2


def test_customers_in_parts_are_shown_what_they_are_shown_at_once(drawn, monkeypatch):
    shop, seen = drawn
    customers = small_shops.ids([f"C{one:02}" for one in range(seen.n_customers)])
    methods = fit_methods(seen, shop, 400)
    whole = recommendation_table(customers, seen, shop, methods, "hybrid", 400).to_pylist()
    monkeypatch.setattr(
        "orchestration.science.recommendations.nightly.CELLS_AT_ONCE", 9 * shop.n_products
    )
    parts = list(recommendation_tables(customers, seen, shop, methods, "hybrid", 400))
    assert len(parts) == 8
    assert [row for part in parts for row in part.to_pylist()] == whole


def test_reasons_name_what_the_customer_did():
    shop = catalogue(
        [
            {"variant_id": "mug 1", "product_id": "mug", "title": "Red mug, small"},
            {"variant_id": "mug 2", "product_id": "mug", "title": "Red mug, large"},
            {"variant_id": "plate", "title": "Plate, blue"},
            {"variant_id": "soap", "title": "Soap", "is_replenishable": True, "cycle_days": 9.0},
            {"variant_id": "towel"},
        ]
    )
    people = ["Ann", "Bob", "Cleo", "Dan"]
    rows = [(who, what, "purchase", 1) for who in people[1:3] for what in ("mug 1", "plate")]
    rows += [
        ("Ann", "mug 2", "cart", 1),
        ("Bob", "soap", "purchase", 1),
        ("Bob", "towel", "purchase", 1),
        ("Cleo", "soap", "wishlist", 1),
    ]
    seen = acted(shop, people, rows)
    methods = fit_methods(seen, shop, 20)
    table = recommendation_table(
        small_shops.ids(people), seen, shop, methods, "collaborative", 20
    ).to_pylist()
    said = {
        (row["customer_id"], row["variant_id"]): (row["method"], row["reason"]) for row in table
    }
    assert said["Ann", "plate"] == (
        "collaborative",
        "Goes with Red mug, which you put into the basket",
    )
    assert said["Bob", "soap"] == ("collaborative", "Bought before and likely used up by now")
    assert said["Cleo", "soap"] == ("collaborative", "On your wish list")
    assert said["Dan", "mug 1"] == ("popular", "Popular in the shop at the moment")
    assert ("Cleo", "plate") not in said


def test_content_names_the_category_the_brand_or_the_price():
    names = [f"{category}{number}" for category in ("bath", "desk") for number in range(9)]
    shop = catalogue(
        [{"variant_id": name, "category_l1": name[:4]} for name in names],
    )
    people = [f"C{number}" for number in range(8)]
    rows = [
        (who, f"{('bath', 'desk')[place % 2]}{number}", "purchase", 1)
        for place, who in enumerate(people)
        for number in range(place // 2, place // 2 + 4)
    ]
    seen = acted(shop, people, rows)
    table = recommendation_table(
        small_shops.ids(people), seen, shop, fit_methods(seen, shop, 2), "content", 2
    ).to_pylist()
    of_first = [row for row in table if row["customer_id"] == "C0"]
    assert [row["variant_id"][:4] for row in of_first[:5]] == ["bath"] * 5
    assert {row["reason"] for row in of_first[:5]} == {"From bath, which you prefer"}
    assert {row["method"] for row in of_first[:5]} == {"content"}
