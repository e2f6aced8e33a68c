"""What each method says, against counts by hand, an independent cosine and a hidden truth."""

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from orchestration.science.recommendations.acts import acts_until
from orchestration.science.recommendations.collaborative import (
    NEIGHBOURS,
    SHRINKAGE_CUSTOMERS,
    fit_collaborative,
)
from orchestration.science.recommendations.content import (
    Attribute,
    Content,
    fit_content,
)
from orchestration.science.recommendations.lists import permitted, rank
from orchestration.science.recommendations.methods import fit_methods, self_information
from orchestration.science.recommendations.popular import (
    HALF_LIFE_DAYS,
    OwnMostFrequent,
    Popular,
    fit_popular,
)
from tests.unit.science.recommendations.small_shops import acted, catalogue, drawn_interactions

TODAY = 100
FIVE = catalogue([{"variant_id": f"P{number}"} for number in range(1, 6)])
PEOPLE = ("Ann", "Bob", "Cleo", "Dan", "Eve")
BOUGHT = {
    "Ann": ("P1", "P2"),
    "Bob": ("P1", "P2", "P3"),
    "Cleo": ("P1", "P3"),
    "Dan": ("P2", "P4"),
    "Eve": ("P5",),
}


@pytest.fixture
def five():
    """Five customers who bought of five products today."""
    return acted(
        FIVE,
        PEOPLE,
        [(who, what, "purchase", TODAY) for who, goods in BOUGHT.items() for what in goods],
    )


def test_two_products_are_as_alike_as_their_customers_less_for_few_of_them(five):
    likeness = fit_collaborative(acts_until(five, FIVE, TODAY), FIVE).likeness.toarray()
    # P1 has three customers, P2 three, P3 two, P4 and P5 one; two like P1 and P2, two P1 and P3,
    # one P2 and P3, one P2 and P4. Cosine times common / (common + 10).
    assert likeness[0, 1] == pytest.approx(2 / 3 * 2 / 12)
    assert likeness[0, 2] == pytest.approx(2 / 6**0.5 * 2 / 12)
    assert likeness[1, 2] == pytest.approx(1 / 6**0.5 * 1 / 11)
    assert likeness[1, 3] == pytest.approx(1 / 3**0.5 * 1 / 11)
    assert np.count_nonzero(likeness) == 8
    assert (likeness == likeness.T).all()


def test_a_customer_is_shown_what_goes_with_all_that_was_bought_then_what_sells(five):
    acts = acts_until(five, FIVE, TODAY)
    methods = fit_methods(five, FIVE, TODAY)
    lists = rank(
        acts,
        permitted(acts, FIVE, FIVE.shelf(TODAY)),
        (methods.collaborative, methods.popular),
    )
    # Ann has P1 and P2. P3 goes with both, P4 with P2 alone, P5 with nothing that she has.
    p3 = 2 / 6**0.5 * 2 / 12 + 1 / 6**0.5 * 1 / 11
    p4 = 1 / 3**0.5 * 1 / 11
    assert lists.product[0].tolist() == [2, 3, 4, *[-1] * 7]
    assert lists.speaker[0].tolist() == [0, 0, 1, *[-1] * 7]
    assert lists.score[0, :2] == pytest.approx([p3 / (p3 + p4), p4 / (p3 + p4)])
    # Of Eve nothing is known but what nobody else bought: what sells, P1 and P2 before P3, P4.
    assert lists.product[4].tolist() == [0, 1, 2, 3, *[-1] * 6]
    assert set(lists.speaker[4, :4]) == {1}


def test_likeness_is_the_cosine_of_another_library_times_the_shrinkage():
    shop = catalogue([{"variant_id": f"P{number:02}"} for number in range(40)])
    seen = drawn_interactions(shop, n_customers=60, n_rows=900, last_day=500, seed=3)
    acts = acts_until(seen, shop, 500)
    liking = acts.liking().toarray()
    common = (liking > 0).astype(float).T @ (liking > 0)
    expected = 1 - cdist(liking.T, liking.T, "cosine")
    expected *= common / (common + SHRINKAGE_CUSTOMERS)
    np.fill_diagonal(expected, 0)
    assert fit_collaborative(acts, shop).likeness.toarray() == pytest.approx(expected, abs=1e-12)


def test_interest_halves_in_a_year_and_ratings_take_away():
    seen = acted(
        FIVE,
        PEOPLE,
        [
            ("Ann", "P1", "purchase", 0),
            ("Ann", "P1", "view", 365),
            ("Ann", "P2", "purchase", 365),
            ("Ann", "P2", "rating", 365, -2.0),
            ("Ann", "P3", "rating", 365, -1.0),
            ("Ann", "P3", "rating", 364, 2.0),
        ],
    )
    acts = acts_until(seen, FIVE, 365)
    assert acts.interest[:2] == pytest.approx([0.5 + 0.2, 1 - 0.4])
    assert acts.is_disliked.tolist() == [False, True, False]


def test_only_the_most_alike_products_are_kept():
    shop = catalogue([{"variant_id": f"P{number:03}"} for number in range(NEIGHBOURS + 60)])
    seen = drawn_interactions(shop, n_customers=200, n_rows=20_000, last_day=10, seed=5)
    acts = acts_until(seen, shop, 10)
    likeness = fit_collaborative(acts, shop).likeness
    assert np.diff(likeness.indptr).max() == NEIGHBOURS
    liking = acts.liking().toarray()
    common = (liking > 0).astype(float).T @ (liking > 0)
    cosine = (1 - cdist(liking.T, liking.T, "cosine")) * common / (common + SHRINKAGE_CUSTOMERS)
    np.fill_diagonal(cosine, 0)
    least = np.sort(cosine, axis=1)[:, -NEIGHBOURS]
    assert likeness.toarray()[likeness.toarray() > 0].min() >= least.min() - 1e-12
    for row in range(0, shop.n_products, 17):
        kept = likeness[[row]].toarray().ravel() > 0
        assert cosine[row, kept].min() >= cosine[row, ~kept].max() - 1e-12


def test_a_customer_who_buys_three_of_four_at_home_likes_home_a_third_more_than_others():
    value = np.array([0, 0, 0, 1])
    attribute = Attribute(
        name="category_l1",
        value=value,
        parent=np.zeros(4, dtype=np.int64),
        share=np.array([0.5, 0.5]),
        value_parent=np.array([0, 0]),
        precision=2.0,
    )
    liking = sparse.csr_array(np.ones((1, 4)))
    # (3 + 2 x 0.5) / (4 + 2) = 2/3 against 1/2 of the shop; (1 + 1) / 6 = 1/3 against 1/2.
    assert np.exp(attribute.log_lift(liking))[0] == pytest.approx([4 / 3, 2 / 3, 1])
    content = Content((attribute,), Popular(np.array([0.4, 0.1, 0.1, 0.4]), np.zeros(4)))
    shop = catalogue([{"variant_id": f"P{number}"} for number in range(4)])
    seen = acted(shop, ["Ann", "Bob"], [("Ann", f"P{one}", "purchase", 9) for one in range(4)])
    shares = content.probabilities(acts_until(seen, shop, 9))
    weights = np.array([0.4 * 4 / 3, 0.1 * 4 / 3, 0.1 * 4 / 3, 0.4 * 2 / 3])
    assert shares[0] == pytest.approx(weights / weights.sum())
    assert shares[1].tolist() == [0, 0, 0, 0]


def test_how_far_customers_differ_is_found_where_it_was_hidden():
    precision, found = 4.0, []
    for seed in range(25):
        found.append(_drawn_taste(precision, seed))
    # What is estimated without a bend is how much more often than by chance two products agree.
    excess = 1 / (np.array(found) + 1)
    error = excess.std(ddof=1) / len(excess) ** 0.5
    assert error < 0.01
    assert abs(excess.mean() - 1 / (precision + 1)) < 3 * error


def _drawn_taste(precision: float, seed: int) -> float:
    """The precision found in a shop whose customers draw their shares of four categories from it."""
    random = np.random.default_rng(seed)
    share = np.array([0.4, 0.3, 0.2, 0.1])
    per_category, customers, purchases = 300, 300, 6
    names = [f"{category}{number:03}" for category in "abcd" for number in range(per_category)]
    shop = catalogue([{"variant_id": name, "category_l1": name[0]} for name in names])
    tastes = random.dirichlet(precision * share, customers)
    category = np.array([random.choice(4, purchases, p=taste) for taste in tastes])
    variant = category * per_category + random.integers(0, per_category, category.shape)
    people = [f"C{number:03}" for number in range(customers)]
    rows = [
        (people[who], names[one], "purchase", 1)
        for who, goods in enumerate(variant)
        for one in goods
    ]
    acts = acts_until(acted(shop, people, rows), shop, 1)
    [attribute] = fit_content(acts, shop, fit_popular(acted(shop, people, []), shop, 1)).attributes
    return attribute.precision


def test_an_attribute_in_which_customers_do_not_differ_says_nothing():
    random = np.random.default_rng(8)
    names = [f"{brand}{number:02}" for brand in "xy" for number in range(40)]
    shop = catalogue(
        [
            {"variant_id": name, "brand": name[0], "category_l1": "ab"[int(name[1:]) % 2]}
            for name in names
        ]
    )
    people = [f"C{number:03}" for number in range(200)]
    rows = []
    for who in people:
        # Everybody keeps to one category, and brands fall as they may.
        own = "ab"[int(who[1:]) % 2]
        goods = [name for name in names if shop.attributes["category_l1"][names.index(name)] == own]
        rows += [(who, name, "purchase", 1) for name in random.choice(goods, 5, replace=False)]
    seen = acted(shop, people, rows)
    content = fit_content(acts_until(seen, shop, 1), shop, fit_popular(seen, shop, 1))
    assert [one.name for one in content.attributes] == ["category_l1"]


def test_what_sells_counts_days_of_customers_and_half_after_a_quarter():
    seen = acted(
        FIVE,
        PEOPLE,
        [
            ("Ann", "P1", "purchase", 0),
            ("Bob", "P1", "purchase", HALF_LIFE_DAYS),
            ("Bob", "P2", "purchase", HALF_LIFE_DAYS),
            ("Cleo", "P3", "view", HALF_LIFE_DAYS),
        ],
    )
    popular = fit_popular(seen, FIVE, HALF_LIFE_DAYS)
    assert popular.variant_sales.tolist() == [1.5, 1.0, 0, 0, 0]
    assert popular.share.sum() == pytest.approx(1)
    assert popular.share[2] > 0


def test_the_yardstick_of_the_own_most_frequent_counts_days_and_not_lines():
    shop = catalogue(
        [
            {"variant_id": "P1s", "product_id": "P1"},
            {"variant_id": "P1m", "product_id": "P1"},
            {"variant_id": "P2"},
        ]
    )
    rows = [("Ann", one, "purchase", 5) for one in ("P1s", "P1m", "P2")]
    seen = acted(shop, ["Ann", "Bob"], [*rows, ("Ann", "P2", "purchase", 6)])
    shares = OwnMostFrequent().probabilities(acts_until(seen, shop, 6))
    assert shares == pytest.approx(np.array([[1 / 3, 2 / 3], [0, 0]]))


def test_a_product_that_everybody_bought_is_no_surprise_and_one_more_bit_for_half_of_them(five):
    # P1 and P2 have three of five buyers, P3 two, P4 and P5 one, each and all counted once more.
    expected = -np.log2(np.array([4, 4, 3, 2, 2]) / 6)
    assert self_information(acts_until(five, FIVE, TODAY)) == pytest.approx(expected)


def test_what_comes_later_changes_nothing_of_what_was_said():
    shop = catalogue([{"variant_id": f"P{number:02}"} for number in range(30)])
    seen = drawn_interactions(shop, n_customers=80, n_rows=2_000, last_day=400, seed=9)
    before = seen.until(200)
    for now, then in ((fit_methods(seen, shop, 200), fit_methods(before, shop, 200)),):
        acts = acts_until(seen, shop, 200)
        assert (acts.interest == acts_until(before, shop, 200).interest).all()
        for one, other in (
            (now.hybrid, then.hybrid),
            (now.popular, then.popular),
        ):
            assert (one.probabilities(acts) == other.probabilities(acts)).all()
