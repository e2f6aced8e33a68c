"""Trees that move customers against each other: where they may, by how much, and what it is worth."""

import dataclasses

import numpy as np
import pytest
from forecast_shops import steady_shop

from orchestration.science.court import metrics
from orchestration.science.forecasts.boosted import Boosted, learned
from orchestration.science.forecasts.modifiers import modifiers
from orchestration.science.forecasts.registry import FORECASTERS
from orchestration.science.ledger import Ledger
from tests import real_shops


def with_telling_baskets(shop: Ledger, told: bool) -> Ledger:
    """A shop whose frequent customers (of their whole life) buy five units at once, others one.

    Where it is not told, the units are drawn by lot.
    """
    total = np.bincount(shop.orders.customer, minlength=shop.n_customers)
    if not told:
        total = np.random.default_rng(1).permutation(total)
    units = np.where(total >= np.quantile(total, 0.8), 5.0, 1.0)
    orders = shop.orders._replace(unit_count=units[shop.orders.customer])
    return dataclasses.replace(shop, orders=orders)


def test_what_is_in_the_basket_is_used_where_it_tells_who_comes_again():
    shop = with_telling_baskets(steady_shop(4_000), told=True)
    known = shop.known_at(shop.until - 182)
    actual = shop.outcomes(known, 182).order_count
    plain, moved = (
        FORECASTERS[name].forecast(known, 182) for name in ("levelled_bgnbd", "boosted_bgnbd")
    )
    assert metrics.normalised_gini(moved.expected_orders, actual) > (
        metrics.normalised_gini(plain.expected_orders, actual) + 0.03
    )
    many = modifiers(known)[1][:, modifiers(known)[0].index("first_unit_count")] == 5
    ratio = moved.expected_orders / plain.expected_orders
    assert np.median(ratio[many]) > 1.2 * np.median(ratio[~many])
    assert moved.expected_orders.sum() == pytest.approx(plain.expected_orders.sum())


def test_where_nothing_but_the_times_tells_the_forecast_stays_that_of_the_closed_form():
    shop = with_telling_baskets(steady_shop(), told=False)
    known = shop.known_at(shop.until - 182)
    plain, moved = (
        FORECASTERS[name].forecast(known, 182) for name in ("levelled_bgnbd", "boosted_bgnbd")
    )
    assert "no trees: they save no loss beyond chance" in moved.verdict
    assert np.array_equal(plain.expected_orders, moved.expected_orders)


def test_too_few_orders_teach_no_trees():
    shop = steady_shop(150, 400)
    found = learned(shop, "bgnbd", 60)
    assert found.booster is None
    assert "200 are needed" in found.verdict


def test_no_modifier_is_what_the_closed_form_reads_already():
    names, matrix = modifiers(steady_shop())
    assert matrix.shape == (steady_shop().n_customers, len(names))
    assert not {"order_days", "age_days", "recency_days", "days_since_last_order"} & set(names)
    assert not [name for name in names if "_last_90d" in name]


def test_an_earlier_day_is_forecast_by_trees_that_had_not_seen_the_customer():
    """Predictions from the trees of all rows would flatter the intervals."""
    shop = with_telling_baskets(steady_shop(4_000), told=True)
    found = learned(shop, "bgnbd", 182)
    assert found.booster is not None
    day = max(found.unseen)
    known = shop.known_at(day)
    seen = found.booster.predict(modifiers(known)[1][:, found.columns], raw_score=True)
    assert found.unseen[day].shape == seen.shape
    assert not np.allclose(found.unseen[day], seen, atol=1e-3)
    assert np.corrcoef(found.unseen[day], seen)[0, 1] > 0.8
    assert Boosted("bgnbd").predict(shop, 182, day).expected_orders.size == known.n_customers


def test_on_cdnow_it_beats_the_best_closed_form_in_error_bias_and_ranking_at_once():
    """Its settings and trees come from the 39 weeks that are known, and from other shops."""
    known, horizon_days = real_shops.cdnow_known(), real_shops.CDNOW_HORIZON_DAYS
    actual = real_shops.cdnow().outcomes(known, horizon_days).order_count
    expected = FORECASTERS["boosted_pareto_nbd"].forecast(known, horizon_days).expected_orders
    assert metrics.mean_absolute_error(expected, actual) < 0.7938
    # A gain of less than a percent would be noise.
    assert metrics.root_mean_squared_error(expected, actual) < 0.99 * 1.7262
    assert abs(metrics.total_bias(expected, actual)) < 0.13
    assert metrics.normalised_gini(expected, actual) > 0.6733


def test_on_cdnow_it_ranks_who_buys_within_90_days_better_than_the_closed_form():
    known = real_shops.cdnow_known()
    buys = real_shops.cdnow().outcomes(known, 90).order_count > 0
    areas = [
        metrics.area_under_curve(FORECASTERS[name].forecast(known, 90).p_order, buys)
        for name in ("pareto_nbd", "boosted_pareto_nbd")
    ]
    assert areas[1] > max(areas[0], 0.77)


@pytest.mark.skipif(
    not real_shops.has_online_retail(), reason="Online Retail II does not lie beside the checkout"
)
@pytest.mark.parametrize("origin", real_shops.ONLINE_RETAIL_ORIGINS)
def test_on_online_retail_it_ranks_better_than_bgnbd_at_the_level_of_the_shop(origin):
    shop, horizon_days = real_shops.online_retail(), real_shops.ONLINE_RETAIL_HORIZON_DAYS
    known = shop.known_at(origin)
    actual = shop.outcomes(known, horizon_days).order_count
    plain, moved = (
        FORECASTERS[name].forecast(known, horizon_days).expected_orders
        for name in ("bgnbd", "boosted_bgnbd")
    )
    assert abs(metrics.total_bias(moved, actual)) < 0.10
    assert metrics.normalised_gini(moved, actual) > metrics.normalised_gini(plain, actual)
    assert metrics.mean_absolute_error(moved, actual) < metrics.mean_absolute_error(plain, actual)
