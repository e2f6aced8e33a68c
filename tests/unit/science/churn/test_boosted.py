"""Boosted churn: what it may know, when it learns, and what it says when it cannot."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from orchestration.science.churn import boosted, training
from orchestration.science.churn.boosted import BoostedChurn
from orchestration.science.court.metrics import area_under_curve, log_loss
from orchestration.science.errors import DataError
from orchestration.science.features import Feature, Features, customer_features
from orchestration.science.ledger import NEVER, Ledger, Orders, Outcomes, Refunds
from tests.unit.science.churn.late_parcels import FIRST_DAY, drawn_shop, with_another_future

HORIZON = 60
ORIGIN = FIRST_DAY + 700


@cache
def shop() -> Ledger:
    return drawn_shop()


@cache
def forecast():
    return BoostedChurn().predict(shop().known_at(ORIGIN), HORIZON)


def outcome() -> np.ndarray:
    return shop().outcomes(shop().known_at(ORIGIN), HORIZON).order_count > 0


def shop_of(days_of: list[list[int]], until: int, amount: float = 1.0) -> Ledger:
    """A shop in which each customer orders on the given days."""
    customer = np.repeat(np.arange(len(days_of)), [len(days) for days in days_of])
    day = np.array([FIRST_DAY + day for days in days_of for day in days], dtype=np.int32)
    money, none = np.full(day.size, amount), np.zeros(0, dtype=np.int32)
    return Ledger(
        np.array([f"c{one:05d}" for one in range(len(days_of))], dtype=object),
        Orders(
            customer.astype(np.int32),
            day,
            money,
            money,
            money,
            np.zeros(day.size, dtype=bool),
            np.full(day.size, NEVER, dtype=np.int32),
        ),
        Refunds(none, none, none, none.astype(float), none.astype(float)),
        FIRST_DAY + until,
    )


def futures() -> tuple[Ledger, Ledger]:
    """Two shops that differ in nothing that was known at the origin."""
    small = drawn_shop(customers=500, random_state=3)
    return small, with_another_future(small, ORIGIN)


def says_the_same(one: Ledger, other: Ledger) -> bool:
    said = [BoostedChurn().predict(ledger.known_at(ORIGIN), HORIZON) for ledger in (one, other)]
    return said[0].verdict == said[1].verdict and np.array_equal(said[0].p_order, said[1].p_order)


def test_another_future_changes_no_probability_and_no_word():
    before, after = futures()
    assert "trees on" in BoostedChurn().predict(before.known_at(ORIGIN), HORIZON).verdict
    assert says_the_same(before, after)


def test_a_cut_that_knows_what_will_be_given_back_is_caught_by_that_comparison(monkeypatch):
    before, after = futures()
    cut = Ledger.known_at

    def forgetful(self: Ledger, day: int) -> Ledger:
        stands = self.orders.void_day == NEVER
        return cut(replace(self, orders=Orders(*(one[stands] for one in self.orders))), day)

    monkeypatch.setattr(Ledger, "known_at", forgetful)
    assert not says_the_same(before, after)


def test_a_ledger_that_is_not_cut_at_all_is_refused(monkeypatch):
    before, _ = futures()
    monkeypatch.setattr(Ledger, "known_at", lambda self, day: replace(self, until=day))
    with pytest.raises(DataError, match="recency must not exceed age"):
        BoostedChurn().predict(before.known_at(ORIGIN), HORIZON)


def test_a_feature_that_looks_ahead_is_caught_by_that_comparison(monkeypatch):
    """A planted column holds orders that came after the day, as only a leak could know them."""
    known, changed = futures()
    whole = {"ledger": known}

    def leaking(ledger: Ledger) -> Features:
        features = customer_features(ledger)
        orders = whole["ledger"].orders
        later = orders.customer[
            (orders.day > ledger.until) & (orders.day <= ledger.until + HORIZON)
        ]
        counted = np.bincount(later, minlength=whole["ledger"].n_customers).astype(np.float32)
        position = np.searchsorted(whole["ledger"].customer_ids, ledger.customer_ids)
        return Features(
            (*features.described, Feature("leak", "orders to come", "order days")),
            np.column_stack([features.matrix, counted[position]]),
        )

    monkeypatch.setattr(boosted, "customer_features", leaking)
    monkeypatch.setattr(training, "customer_features", leaking)
    with_leak = BoostedChurn().predict(known.known_at(ORIGIN), HORIZON)
    whole["ledger"] = changed
    assert not np.array_equal(
        with_leak.p_order, BoostedChurn().predict(changed.known_at(ORIGIN), HORIZON).p_order
    )


def test_trees_find_what_no_closed_form_can_know():
    """After a late parcel four of five never order again."""
    known = forecast()
    assert area_under_curve(known.p_order, outcome()) > (
        area_under_curve(known.closed_form_p_order, outcome()) + 0.03
    )
    assert log_loss(known.p_order, outcome()) < log_loss(known.closed_form_p_order, outcome())


def test_labels_given_at_random_tell_nobody_apart(monkeypatch):
    """Nothing that is known on a day goes with what came: neither trees nor slope are believed."""
    rng, true_outcomes = np.random.default_rng(0), Ledger.outcomes

    def shuffled(self: Ledger, known: Ledger, horizon_days: int) -> Outcomes:
        came = true_outcomes(self, known, horizon_days)
        return Outcomes(*(column[rng.permutation(known.n_customers)] for column in came))

    known = shop().known_at(ORIGIN)
    monkeypatch.setattr(Ledger, "outcomes", shuffled)
    said = BoostedChurn().predict(known, HORIZON)
    assert "trees on" in said.verdict
    assert said.p_order.std() < 0.25 * forecast().p_order.std()


def test_the_same_ledger_gives_the_same_numbers():
    again = BoostedChurn().predict(shop().known_at(ORIGIN), HORIZON)
    assert np.array_equal(again.p_order, forecast().p_order)


def test_the_forecast_says_what_it_stands_on():
    assert forecast().verdict.startswith("trees on 12 past days")
    assert "trust in the trees" in forecast().verdict
    assert forecast().level == "customer"


def test_a_shop_with_few_orders_gets_its_closed_form_and_the_reason():
    small = drawn_shop(customers=100, days=400, random_state=5)
    said = BoostedChurn().predict(small, HORIZON)
    assert "closed form alone" in said.verdict
    assert "needs 100 with and 100 without" in said.verdict
    assert np.array_equal(said.p_order, said.closed_form_p_order)


def test_a_shop_without_a_closed_horizon_gets_its_closed_form_and_the_reason():
    young = shop().known_at(FIRST_DAY + 150)
    said = BoostedChurn().predict(young, HORIZON)
    assert "are too few to learn on some and calibrate on others" in said.verdict
    assert np.array_equal(said.p_order, said.closed_form_p_order)


def test_a_shop_of_one_time_buyers_alone_gets_no_forecast_and_the_reason():
    said = BoostedChurn().predict(shop_of([[day % 300] for day in range(400)], 400), HORIZON)
    assert said.level == "none"
    assert "0 ordered again" in said.verdict
    assert np.isnan(said.p_order).all()
    assert said.is_one_time.all()


def test_a_single_customer_gets_no_forecast_and_the_reason():
    said = BoostedChurn().predict(shop_of([[0, 50, 90]], 400), HORIZON)
    assert said.level == "none"
    assert "1 customer" in said.verdict
    assert np.isnan(said.p_order).all()


def test_a_shop_in_which_everyone_comes_back_has_nobody_to_learn_from():
    rng = np.random.default_rng(4)
    days_of = [sorted({0, *rng.integers(1, 500, 60).tolist()}) for _ in range(200)]
    said = BoostedChurn().predict(shop_of(days_of, 500), HORIZON)
    assert said.level == "none" or "needs 100 with and 100 without" in said.verdict
    assert not (np.isfinite(said.p_order) & (said.p_order < 0.9)).any()


def test_constant_features_are_named():
    said = forecast().verdict
    left_out = said.split("constant and left out: ")[1].split(";")[0].split(", ")
    # Nobody of this shop gives anything back, and everyone buys one unit.
    assert {"refund_count", "first_unit_count", "mean_unit_count"} <= set(left_out)


def test_negative_amounts_are_numbers_like_others():
    known = shop().known_at(ORIGIN)
    turned = replace(
        known, cut_from=None, orders=known.orders._replace(net_amount=-known.orders.net_amount)
    )
    said = BoostedChurn().predict(turned, HORIZON)
    assert said.level == "customer"
    assert np.isfinite(said.p_order).all()


def test_an_amount_that_is_no_number_is_refused():
    known = shop().known_at(ORIGIN)
    amounts = np.where(known.orders.customer == 7, np.nan, known.orders.net_amount)
    with pytest.raises(DataError, match="customer c0000"):
        BoostedChurn().predict(
            replace(known, orders=known.orders._replace(net_amount=amounts)), HORIZON
        )


@pytest.mark.parametrize("horizon", [0, -1, 1.5])
def test_a_horizon_that_is_no_number_of_days_is_refused(horizon):
    with pytest.raises(DataError, match="whole number above 0"):
        BoostedChurn().predict(shop().known_at(ORIGIN), horizon)
