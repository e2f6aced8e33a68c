"""MBG/NBD against an independent package's published fit and formulas, and what sets it apart.

What holds for every model of orders is in `test_models`.
"""

import cdnow
import numpy as np
import pytest
from lifetimes import ModifiedBetaGeoFitter

from orchestration.science.histories import group_customers
from orchestration.science.purchases import bgnbd, mbgnbd

PUBLISHED = mbgnbd.MbgNbdFit.given(r=0.525, alpha=6.183, a=0.891, b=1.614, time_unit="week")


def reference():
    """The independent implementation, given the published parameters."""
    package = ModifiedBetaGeoFitter()
    package.params_ = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
    return package


def test_the_cdnow_sample_gives_the_published_parameters():
    data = cdnow.sample()
    found = mbgnbd.fit(data.frequency, data.recency, data.age, time_unit="week")
    values = [found.r, found.alpha, found.a, found.b]
    assert np.round(values, 3).tolist() == [0.525, 6.183, 0.891, 1.614]
    assert found.verdict == "converged: 4 of 4 starts agree on the summit"


def test_expectations_and_p_alive_agree_with_lifetimes():
    data = cdnow.sample()
    history = (data.frequency, data.recency, data.age)
    theirs = reference().conditional_expected_number_of_purchases_up_to_time(39, *history)
    assert mbgnbd.expected_purchases(PUBLISHED, 39, *history) == pytest.approx(theirs, abs=1e-6)
    theirs = reference().conditional_probability_alive(*history)
    assert mbgnbd.p_alive(PUBLISHED, *history) == pytest.approx(theirs, abs=1e-9)


def test_a_new_customer_is_expected_to_order_as_lifetimes_says():
    theirs = reference().expected_number_of_purchases_up_to_time(np.array([1.0, 13.0, 39.0]))
    ours = mbgnbd.expected_purchases(PUBLISHED, [1.0, 13.0, 39.0], 0, 0, 0)
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_a_new_customer_places_so_many_orders_as_often_as_lifetimes_says(count):
    theirs = reference().probability_of_n_purchases_up_to_time(39.0, count)
    ours = mbgnbd.purchase_count_distribution(PUBLISHED, count, 39.0, 0, 0, 0)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-9)


def test_the_likelihood_is_that_of_lifetimes():
    data = cdnow.sample()
    groups = group_customers(data.frequency, data.recency, data.age)
    log_parameters = np.log([0.5, 6.0, 0.4, 1.1])
    mean_loss = ModifiedBetaGeoFitter._negative_log_likelihood(
        log_parameters, groups.frequency, groups.recency, groups.age, groups.count, 0.0
    )
    ours, _ = mbgnbd.log_likelihood(groups)(log_parameters)
    assert ours == pytest.approx(-mean_loss * groups.count.sum(), rel=1e-12)


def test_who_ordered_once_may_have_left_and_the_longer_ago_the_likelier():
    alive = mbgnbd.p_alive(PUBLISHED, 0, 0, [0.0, 10.0, 30.0])
    # At once: the one toss so far was survived with probability b / (a + b).
    assert alive[0] == pytest.approx(1.614 / (0.891 + 1.614))
    assert (np.diff(alive) < 0).all()
    as_before = bgnbd.BgNbdFit.given(r=0.525, alpha=6.183, a=0.891, b=1.614, time_unit="week")
    assert bgnbd.p_alive(as_before, 0, 0, [0.0, 10.0, 30.0]).tolist() == [1, 1, 1]
