"""CDNOW: who orders within 90 days after the 39 weeks that models may see.

No parameter was chosen on these 90 days; `pytest -s` prints the table.
"""

import numpy as np
import pytest

from orchestration.science.churn.boosted import BoostedChurn
from orchestration.science.court import metrics
from tests.real_shops import CDNOW_FIT_END, cdnow

HORIZON = 90
MEASURES = {
    "log loss": metrics.log_loss,
    "Brier": metrics.brier_score,
    "AUC": metrics.area_under_curve,
    "ECE10": metrics.expected_calibration_error,
}


@pytest.fixture(scope="module")
def forecast():
    return BoostedChurn().predict(cdnow().known_at(CDNOW_FIT_END), HORIZON)


@pytest.fixture(scope="module")
def ordered():
    shop = cdnow()
    return shop.outcomes(shop.known_at(CDNOW_FIT_END), HORIZON).order_count > 0


def measured(p: np.ndarray, happened: np.ndarray) -> dict[str, float]:
    return {name: measure(p, happened) for name, measure in MEASURES.items()}


def test_everyone_of_the_full_set_is_asked_about(ordered):
    # Counted over the raw file with another tool.
    assert (ordered.size, np.count_nonzero(ordered)) == (23570, 4177)


def test_the_targets_are_met(forecast, ordered):
    found = measured(forecast.p_order, ordered)
    assert found["AUC"] >= 0.77
    assert found["ECE10"] <= 0.015


def test_trees_and_calibration_improve_on_the_closed_form_in_every_measure(forecast, ordered):
    before = measured(forecast.closed_form_p_order, ordered)
    after = measured(forecast.p_order, ordered)
    print(f"\nCDNOW, any order within {HORIZON} days ({ordered.mean():.4f} of {ordered.size}):")
    for title, found in (("closed form", before), ("boosted", after)):
        print(f"  {title:<12}" + "  ".join(f"{name} {value:.4f}" for name, value in found.items()))
    print(f"  {forecast.verdict}")
    for name in ("log loss", "Brier", "ECE10"):
        assert after[name] < before[name], name
    assert after["AUC"] > before["AUC"]


def test_one_time_buyers_and_repeat_buyers_are_told_apart_in_the_figures(forecast, ordered):
    for group in ("one-time", "repeat"):
        of_group = forecast.groups == group
        found = measured(forecast.p_order[of_group], ordered[of_group])
        plain = measured(forecast.closed_form_p_order[of_group], ordered[of_group])
        print(f"  {group:<12}" + "  ".join(f"{name} {value:.4f}" for name, value in found.items()))
        assert found["log loss"] < plain["log loss"]
    assert np.count_nonzero(forecast.is_one_time) == 14119
