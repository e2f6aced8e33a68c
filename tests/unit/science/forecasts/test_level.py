"""The level of a shop: counted by hand, and held to what came in shops with a season."""

import numpy as np
import pytest
from forecast_shops import ledger_of, sample_shop, steady_shop

from orchestration.science.court import metrics
from orchestration.science.forecasts.closed_forms import expectation, fitted
from orchestration.science.forecasts.level import level_of, shop_total
from orchestration.science.forecasts.registry import FORECASTERS
from orchestration.science.purchases import bgnbd
from tests import real_shops

WEEKS = 52


def weekly(*orders_of_each_week: int):
    """So many customers on the Monday of each week, each of whom comes on one day only once."""
    return [
        (f"c{customer:03}", 7 * week)
        for week, count in enumerate(orders_of_each_week)
        for customer in range(count)
    ]


def test_a_shop_without_growth_does_again_what_it_did_a_year_ago():
    season = [20] * 40 + [60] * 12
    shop = ledger_of(weekly(*season, *season), 7 * 2 * WEEKS - 1)
    # 8 weeks from the first of the year, and the last 12 that stand at its end.
    assert shop_total(shop, 56).orders == pytest.approx(160)
    assert shop_total(shop, 7 * WEEKS).orders == pytest.approx(40 * 20 + 12 * 60)


def test_growth_is_taken_from_half_a_year_and_taken_back_by_its_noise():
    shop = ledger_of(weekly(*[40] * WEEKS, *[60] * WEEKS), 7 * 2 * WEEKS - 1)
    total = shop_total(shop, 28)
    assert total.growth == pytest.approx(1.5)
    assert total.compared_days == 182
    # The same four weeks of last year had 240 orders; less than half as many again are expected.
    assert 240 * 1.3 < total.orders < 240 * 1.5
    assert 0.1 < total.log_sd < 0.2


def test_a_season_that_was_seen_once_and_hardly_compared_is_less_sure():
    weeks = [40] * 54
    short = shop_total(ledger_of(weekly(*weeks), 7 * 54 - 1), 28)
    long = shop_total(ledger_of(weekly(*weeks, *weeks), 7 * 108 - 1), 28)
    assert (short.years, short.compared_days) == (1, 14)
    assert (long.years, long.compared_days) == (2, 182)
    assert short.log_sd > 1.3 * long.log_sd


def test_a_year_and_a_week_are_needed_for_a_season():
    assert shop_total(ledger_of(weekly(*[40] * 53), 370), 28) is not None
    assert shop_total(ledger_of(weekly(*[40] * 53), 369), 28) is None


def test_the_factor_makes_known_and_new_customers_add_up_to_the_shop():
    shop, horizon_days = steady_shop(), 182
    known = shop.known_at(shop.until - horizon_days)
    level = level_of(known, "bgnbd", horizon_days)
    fit = fitted(known, "bgnbd")
    occasions = known.occasions()
    recent = occasions.day > known.until - 91
    is_first = np.r_[True, np.diff(occasions.customer) != 0]
    newcomers = (recent & is_first).sum() / recent.sum()
    total = shop_total(known, horizon_days)
    later = bgnbd.expected_purchases(fit, np.linspace(0, horizon_days, 2_001), 0, 0, 0).mean()
    of_known = level.factor * expectation(known, "bgnbd", horizon_days).expected_orders.sum()
    of_new = newcomers * total.orders * (1 + level.factor * later)
    # What shrinkage by noise takes away is less than a percent here.
    assert of_known + of_new == pytest.approx(total.orders, rel=0.01)


def test_where_there_is_no_season_the_level_is_left_nearly_as_it_is():
    shop = steady_shop()
    for back in (182, 273, 364):
        known = shop.known_at(shop.until - back)
        assert level_of(known, "bgnbd", 182).factor == pytest.approx(1, abs=0.15)


def test_on_the_sample_shop_the_level_errs_less_than_without_a_season():
    errors = {"bgnbd": [], "levelled_bgnbd": []}
    for seed in (21, 22):
        shop = sample_shop(seed)
        for horizon_days in (90, 182):
            for quarter in range(4):
                known = shop.known_at(shop.until - horizon_days - 91 * quarter)
                actual = shop.outcomes(known, horizon_days).order_count
                for name, found in errors.items():
                    expected = FORECASTERS[name].predict(known, horizon_days).expected_orders
                    found.append(np.log(expected.sum() / actual.sum()))
    root_mean_square = {name: np.sqrt(np.mean(np.square(found))) for name, found in errors.items()}
    assert root_mean_square["levelled_bgnbd"] < 0.75 * root_mean_square["bgnbd"]


@pytest.mark.skipif(
    not real_shops.has_online_retail(), reason="Online Retail II does not lie beside the checkout"
)
@pytest.mark.parametrize("origin", real_shops.ONLINE_RETAIL_ORIGINS)
def test_on_online_retail_the_total_is_within_a_tenth_and_the_ranking_is_kept(origin):
    shop, horizon_days = real_shops.online_retail(), real_shops.ONLINE_RETAIL_HORIZON_DAYS
    known = shop.known_at(origin)
    actual = shop.outcomes(known, horizon_days).order_count
    plain = FORECASTERS["bgnbd"].forecast(known, horizon_days)
    levelled = FORECASTERS["levelled_bgnbd"].forecast(known, horizon_days)
    assert abs(metrics.total_bias(levelled.expected_orders, actual)) < 0.10
    gini = metrics.normalised_gini(levelled.expected_orders, actual)
    assert gini == pytest.approx(metrics.normalised_gini(plain.expected_orders, actual), abs=1e-12)
    assert metrics.mean_absolute_error(levelled.expected_orders, actual) < (
        metrics.mean_absolute_error(plain.expected_orders, actual)
    )
    assert 0.75 < metrics.coverage(levelled.orders_p10, levelled.orders_p90, actual) < 0.9


def test_a_shop_too_young_for_a_season_says_so_and_keeps_its_level():
    forecast = FORECASTERS["levelled_bgnbd"].forecast(real_shops.cdnow_known(), 273)
    plain = FORECASTERS["bgnbd"].forecast(real_shops.cdnow_known(), 273)
    assert "273 days are too short for a season (371 are needed)" in forecast.verdict
    assert np.array_equal(forecast.expected_orders, plain.expected_orders)
    widths = [(each.orders_p90 - each.orders_p10).mean() for each in (forecast, plain)]
    assert widths[0] > widths[1]
