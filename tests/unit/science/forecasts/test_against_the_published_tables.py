"""Baselines and closed forms through the ledger, held to the tables that are known of real shops."""

import pytest

from orchestration.science.court import metrics
from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS
from tests import real_shops

# MAE, RMSE, total bias in percent; then Spearman, normalised Gini, top decile where customers differ.
CDNOW_TABLE = {
    "zero": (0.8351, 2.4674, -100.0),
    "mean": (1.3889, 2.3552, 47.3),
    "own_last_period": (0.9446, 2.2091, 9.7, 0.4575, 0.5197, 0.4259),
    "own_rate": (1.0381, 2.1582, 47.4, 0.4850, 0.6506, 0.4438),
    "bgnbd": (0.8187, 1.7329, -14.3, 0.4420, 0.6626, 0.4558),
    "pareto_nbd": (0.7938, 1.7262, -12.9, 0.4517, 0.6733, 0.4600),
}
# Known customers, their orders in 26 weeks, and of BG/NBD: MAE, RMSE, bias %, Spearman, Gini.
ONLINE_RETAIL_TABLE = (
    (4312, 5425, 1.390, 1.885, 75, 0.526, 0.727),
    (4597, 6033, 1.087, 1.641, 30, 0.575, 0.755),
    (4969, 7768, 1.042, 1.772, -1.5, 0.625, 0.773),
)


@pytest.mark.parametrize("name", list(CDNOW_TABLE))
def test_a_row_of_the_cdnow_table_is_met_to_the_printed_digits(name):
    known = real_shops.cdnow_known()
    actual = real_shops.cdnow().outcomes(known, real_shops.CDNOW_HORIZON_DAYS).order_count
    assert (actual.size, actual.sum()) == (23_570, 19_684)
    expected = FORECASTERS[name].forecast(known, real_shops.CDNOW_HORIZON_DAYS).expected_orders
    found = [
        round(metrics.mean_absolute_error(expected, actual), 4),
        round(metrics.root_mean_squared_error(expected, actual), 4),
        round(100 * metrics.total_bias(expected, actual), 1),
        round(metrics.spearman(expected, actual), 4),
        # The table takes customers of equal forecast as they come in the file.
        round(metrics.normalised_gini(expected, actual, ties="as_given"), 4),
        round(metrics.top_capture(expected, actual, ties="as_given"), 4),
    ]
    assert tuple(found[: len(CDNOW_TABLE[name])]) == CDNOW_TABLE[name]


@pytest.mark.skipif(
    not real_shops.has_online_retail(), reason="Online Retail II does not lie beside the checkout"
)
@pytest.mark.parametrize("place", range(3))
def test_bgnbd_on_online_retail_is_as_in_the_table_at_every_origin(place):
    shop, horizon_days = real_shops.online_retail(), real_shops.ONLINE_RETAIL_HORIZON_DAYS
    known = shop.known_at(real_shops.ONLINE_RETAIL_ORIGINS[place])
    actual = shop.outcomes(known, horizon_days).order_count
    expected = FORECASTERS["bgnbd"].forecast(known, horizon_days).expected_orders
    n_customers, n_orders, mae, rmse, bias, spearman, gini = ONLINE_RETAIL_TABLE[place]
    assert (known.n_customers, actual.sum()) == (n_customers, n_orders)
    assert round(metrics.mean_absolute_error(expected, actual), 3) == mae
    assert round(metrics.root_mean_squared_error(expected, actual), 3) == rmse
    assert 100 * metrics.total_bias(expected, actual) == pytest.approx(bias, abs=0.5)
    assert round(metrics.spearman(expected, actual), 3) == spearman
    assert round(metrics.normalised_gini(expected, actual), 3) == gini


def test_the_baselines_are_the_four_that_every_model_must_beat():
    assert BASELINE_NAMES == ("zero", "mean", "own_rate", "own_last_period")
    assert set(BASELINE_NAMES) < set(FORECASTERS)
    assert all(name == forecaster.model_name for name, forecaster in FORECASTERS.items())
