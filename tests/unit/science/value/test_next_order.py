"""Days of the next order: by hand where orders have no memory, and on CDNOW by what came."""

import numpy as np
import pytest
from small_shops import ledger_of

from orchestration.science.errors import DataError
from orchestration.science.forecasts.closed_forms import ClosedForm, distinct_histories, fitted
from orchestration.science.forecasts.records import Forecast, no_forecast
from orchestration.science.purchases import bgnbd
from orchestration.science.value.next_order import CAP_DAYS, next_orders, share_ordered_by
from tests.real_shops import cdnow, cdnow_known

BGNBD = ClosedForm("bgnbd")
# Two customers are too few for a closed form: orders come at an even rate between forecasts.
TWO = ledger_of([("ann", 1, 10.0, 4.0), ("bob", 2, 10.0, 4.0)], 20)


def chance(p_order, horizon_days, level="pooled") -> Forecast:
    p = np.array(p_order, dtype=float)
    return Forecast(
        model_name="by_hand",
        horizon_days=horizon_days,
        level=level,
        verdict="by hand",
        expected_orders=p,
        p_order=p,
    )


def test_at_an_even_rate_the_days_are_those_of_an_exponential():
    # Half order within 90 days: rate log 2 / 90. Nine in ten: 90 log 10 / log 2 = 298.97.
    found = next_orders(TWO, [chance([0.5, 0.1], 90)])
    assert found.p50_days.tolist()[0] == 90
    assert found.p90_days.tolist()[0] == 299
    # Bob: 90 log 2 / -log 0.9 = 592.1, and nine in ten only beyond two years.
    assert found.p50_days.tolist()[1] == 593
    assert np.isnan(found.p90_days[1])
    assert found.level == "pooled"


def test_the_expected_day_is_the_mean_wait_of_those_who_order_within_two_years():
    found = next_orders(TWO, [chance([0.5, 0.5], 90)])
    rate = np.log(2) / 90
    end = np.exp(-rate * CAP_DAYS)
    mean = 1 / rate - CAP_DAYS * end / (1 - end)
    # Between the nodes the curve is cut straight, which errs by less than 1%.
    assert found.expected_days[0] == pytest.approx(mean, rel=0.015)


def test_the_curve_passes_through_every_forecast():
    # After 90 days 0.3, after 180 days 0.5: the rate changes at 90.
    found = next_orders(TWO, [chance([0.5, 0.5], 180), chance([0.3, 0.3], 90)])
    assert found.p50_days[0] == 180
    rate = np.log(0.7 / 0.5) / 90
    assert found.p90_days[0] == np.ceil(180 + np.log(0.5 / 0.1) / rate)


def test_who_will_more_likely_never_order_again_has_no_date():
    found = next_orders(TWO, [chance([0.01, 0.0], 365)])
    for days in (found.expected_days, found.p50_days, found.p90_days):
        assert np.isnan(days).all()


def test_who_orders_almost_surely_orders_tomorrow_at_the_earliest():
    found = next_orders(TWO, [chance([1.0, 1.0], 1)])
    assert found.p50_days.tolist() == found.p90_days.tolist() == [1, 1]


def test_without_a_forecast_or_a_closed_form_there_is_a_verdict_and_no_date():
    found = next_orders(TWO, [no_forecast("x", 90, 2, "nothing")])
    assert found.level == "none"
    assert "no closed form could be fitted" in found.verdict
    assert np.isnan(found.p50_days).all()


def test_bent_through_its_own_forecasts_a_closed_form_stays_as_it_is():
    known = cdnow_known()
    own = next_orders(known)
    bent = next_orders(known, [BGNBD.forecast(known, days) for days in (90, 365)])
    assert np.array_equal(own.p50_days, bent.p50_days, equal_nan=True)
    assert np.array_equal(own.p90_days, bent.p90_days, equal_nan=True)
    assert own.level == bent.level == "customer"


def test_the_chance_by_the_day_of_p50_is_a_half_and_the_day_before_it_is_less():
    known = cdnow_known()
    found = next_orders(known)
    fit, (x, t_x, T, position) = fitted(known, "bgnbd"), distinct_histories(known)
    rows = np.flatnonzero(~np.isnan(found.p50_days))[::50]
    history = tuple(column[position][rows] for column in (x, t_x, T))
    for shift, at_least in ((0, True), (-1, False)):
        reached = bgnbd.p_at_least_one(fit, found.p50_days[rows] + shift, *history)
        # Between nodes the hazard is straight: the chance is met to 0.004.
        assert ((reached > 0.496) if at_least else (reached < 0.504)).all()


def test_half_of_cdnow_had_ordered_by_p50_and_nine_in_ten_by_p90():
    known = cdnow_known()
    found = next_orders(known)
    half, n_half = share_ordered_by(cdnow(), known, found.p50_days)
    most, n_most = share_ordered_by(cdnow(), known, found.p90_days)
    assert n_half > 3000
    assert half == pytest.approx(0.5, abs=0.04)
    assert most == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / n_most))


def test_who_has_no_day_or_one_not_yet_over_is_not_asked():
    shop = ledger_of([("ann", 1, 9.0, 1.0), ("bob", 1, 9.0, 1.0), ("ann", 15, 9.0, 1.0)], 30)
    known = shop.known_at(10)
    assert share_ordered_by(shop, known, np.array([5.0, 20.0])) == (0.5, 2)
    assert share_ordered_by(shop, known, np.array([4.0, np.nan])) == (0.0, 1)
    share, n_asked = share_ordered_by(shop, known, np.array([21.0, np.nan]))
    assert np.isnan(share)
    assert n_asked == 0


@pytest.mark.parametrize(
    ("forecasts", "message"),
    [
        ([chance([0.5, 0.5], 90), chance([0.4, 0.4], 90)], "different horizons"),
        ([chance([0.5], 90)], "of 1 customers but the ledger has 2"),
    ],
)
def test_forecasts_that_cannot_stand_together_are_refused(forecasts, message):
    with pytest.raises(DataError, match=message):
        next_orders(TWO, forecasts)
