"""The paired bootstrap against the normal interval, which large samples must give."""

import numpy as np
import pytest

from orchestration.science.court.bootstrap import GROUPS, paired_difference
from orchestration.science.errors import DataError


def losses(n, seed=2):
    random = np.random.default_rng(seed)
    shared = random.gamma(1.0, 3.0, n)
    return shared + random.normal(0, 0.4, n), shared + random.normal(0.05, 0.4, n)


@pytest.mark.parametrize("n", [3_000, GROUPS * 8])
def test_the_interval_is_that_of_the_mean_paired_difference(n):
    loss, other = losses(n)
    found = paired_difference(loss, other, np.arange(n))
    error = (loss - other).std(ddof=1) / np.sqrt(n)
    assert found.value == pytest.approx((loss - other).mean())
    # A quantile of 1,000 draws is known to about 6% of the standard error.
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.2 * error)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.2 * error)


def test_a_customer_judged_at_four_origins_is_one_customer():
    loss, other = losses(1_000)
    once = paired_difference(loss, other, np.arange(1_000))
    four = paired_difference(np.tile(loss, 4), np.tile(other, 4), np.tile(np.arange(1_000), 4))
    assert [four.low, four.high] == pytest.approx([once.low, once.high])


def test_what_both_share_cancels():
    loss, other = losses(500)
    noise = np.random.default_rng(9).normal(0, 100, 500)
    alone = paired_difference(loss, other, np.arange(500))
    noisy = paired_difference(loss + noise, other + noise, np.arange(500))
    assert [noisy.low, noisy.high] == pytest.approx([alone.low, alone.high])


def test_the_same_night_gives_the_same_interval():
    loss, other = losses(7_000)
    assert paired_difference(loss, other, np.arange(7_000)) == paired_difference(
        loss, other, np.arange(7_000)
    )


def test_a_gain_is_the_part_of_the_others_loss_that_is_saved():
    found = paired_difference(np.full(50, 3.0), np.full(50, 4.0), np.arange(50))
    assert (found.value, found.low, found.high, found.gain) == (-1.0, -1.0, -1.0, 0.25)
    assert found.is_better


def test_a_loss_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="not finite"):
        paired_difference(np.array([np.nan]), np.array([1.0]), np.array([0]))
    with pytest.raises(DataError, match="length"):
        paired_difference(np.ones(2), np.ones(3), np.arange(2))
