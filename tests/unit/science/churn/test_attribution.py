"""The split of a closed form into silence and rhythm, by hand and against the model itself."""

import numpy as np
import pytest

from orchestration.science.churn.attribution import history_contributions
from orchestration.science.purchases import bgnbd

FIT = bgnbd.BgNbdFit.given(time_unit="day", r=0.243, alpha=30.9, a=0.793, b=2.426)
# Frequent and recent, frequent and silent, once long ago, once yesterday.
FREQUENCY = np.array([7.0, 7.0, 0.0, 0.0])
RECENCY = np.array([195.0, 40.0, 0.0, 0.0])
AGE = np.array([200.0, 200.0, 190.0, 1.0])


def of_bgnbd() -> tuple[np.ndarray, np.ndarray]:
    history = (FREQUENCY, RECENCY, AGE)
    return bgnbd.p_at_least_one(FIT, 90, *history), bgnbd.p_alive(FIT, *history)


def test_the_split_is_the_mean_effect_over_both_orders():
    # If alive, chances of 0.5, 0.8 and 0.2: the median is 0.5.
    p_alive = np.array([1.0, 0.25, 1.0])
    p_order = np.array([0.5, 0.2, 0.2])
    found, reference = history_contributions(p_order, p_alive, np.array([0, 1, 2]))
    assert reference == pytest.approx(0)
    # The second customer goes from odds of 1 (alive, usual) to 1/4. Silence first: a chance of
    # 1/8, odds of 1/7, then rhythm to 1/4. Rhythm first: odds of 4, then silence to 1/4.
    silence = (np.log(1 / 7) + np.log((1 / 4) / 4)) / 2
    rhythm = (np.log((1 / 4) / (1 / 7)) + np.log(4)) / 2
    assert found[1] == pytest.approx([silence, rhythm])
    assert found[0] == pytest.approx([0, 0])
    assert found[2] == pytest.approx([0, np.log(1 / 4)])


def test_the_split_adds_up_to_the_closed_form():
    p_order, p_alive = of_bgnbd()
    found, reference = history_contributions(p_order, p_alive, np.array([3, 1]))
    asked = p_order[[3, 1]]
    assert reference + found.sum(axis=1) == pytest.approx(np.log(asked / (1 - asked)))


def test_silence_never_raises_the_chance_of_an_order():
    p_order, p_alive = of_bgnbd()
    found, _ = history_contributions(p_order, p_alive, np.arange(4))
    assert (found[:, 0] <= 1e-12).all()
    # Seven repeat orders in 40 days and then nothing for 160 say more than five days of silence.
    assert found[1, 0] < found[0, 0] - 1
    # Who ordered once has had no occasion to leave.
    assert found[2:, 0] == pytest.approx([0, 0])


def test_many_orders_raise_the_chance_of_an_order():
    p_order, p_alive = of_bgnbd()
    found, _ = history_contributions(p_order, p_alive, np.arange(4))
    assert (found[:2, 1] > 0).all()
    assert found[2, 1] < 0


def test_customers_who_are_as_good_as_gone_have_finite_contributions():
    found, reference = history_contributions(
        np.array([0.0, 0.3]), np.array([0.0, 0.9]), np.array([0, 1])
    )
    assert np.isfinite(found).all()
    assert np.isfinite(reference)
