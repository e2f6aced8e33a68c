"""Gamma-Gamma against the published CDNOW tables, an independent package, its simulator, its limits."""

import cdnow
import numpy as np
import pytest
from lifetimes import GammaGammaFitter
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import gamma as gamma_distribution

from orchestration.science import credibility, gamma_gamma
from orchestration.science.errors import DataError, NotConverged

PUBLISHED = gamma_gamma.GammaGammaFit.given(p=6.25, q=3.74, gamma=15.44)


def repeaters(data):
    kept = (data.frequency > 0) & (data.mean_value > 0)
    return data.frequency[kept], data.mean_value[kept]


@pytest.fixture(scope="module")
def sample_fit():
    return gamma_gamma.fit(*repeaters(cdnow.sample()))


# Published tables


def test_the_cdnow_repeaters_give_the_published_parameters(sample_fit):
    found = [sample_fit.p, sample_fit.q, sample_fit.gamma]
    assert np.round(found, 3).tolist() == [6.250, 3.744, 15.444]
    assert round(sample_fit.log_likelihood, 3) == -4055.918
    assert round(sample_fit.population_mean, 3) == 35.170
    assert sample_fit.n_customers == 946
    assert sample_fit.converged


def test_all_of_cdnow_gives_the_recomputed_parameters():
    found = gamma_gamma.fit(*repeaters(cdnow.everyone()))
    assert np.round([found.p, found.q, found.gamma], 3).tolist() == [6.275, 3.624, 14.984]


def test_the_first_ten_customers_have_the_published_order_values(sample_fit):
    data = cdnow.sample()
    ours = gamma_gamma.expected_mean_value(sample_fit, data.frequency[:10], data.mean_value[:10])
    assert ours.round(2).tolist() == [
        24.65,
        18.91,
        35.17,
        35.17,
        35.17,
        71.46,
        18.91,
        35.17,
        27.28,
        35.17,
    ]


def test_the_currency_moves_nothing_but_gamma(sample_fit):
    x, z = repeaters(cdnow.sample())
    in_cents = gamma_gamma.fit(x, z * 100)
    assert (in_cents.p, in_cents.q) == pytest.approx((sample_fit.p, sample_fit.q), rel=1e-6)
    assert in_cents.gamma == pytest.approx(100 * sample_fit.gamma, rel=1e-6)
    assert in_cents.log_likelihood == pytest.approx(
        sample_fit.log_likelihood - 946 * np.log(100), abs=1e-6
    )


# Independent formulas


def test_expectations_agree_with_lifetimes():
    x, z = repeaters(cdnow.sample())
    package = GammaGammaFitter()
    package.params_ = {"p": 6.25, "q": 3.74, "v": 15.44}
    theirs = package.conditional_expected_average_profit(x, z)
    assert gamma_gamma.expected_mean_value(PUBLISHED, x, z) == pytest.approx(theirs, abs=1e-9)


def test_the_likelihood_of_one_customer_is_the_integral_over_their_scale():
    x, z, p, q, scale = 3, 22.0, 6.25, 3.74, 15.44

    def density_given(nu):
        # The mean of x Gamma(p, nu) values is Gamma(p x, nu x).
        return gamma_distribution(p * x, scale=1 / (nu * x)).pdf(z)

    mixing = gamma_distribution(q, scale=1 / scale)
    integral, _ = quad(lambda nu: density_given(nu) * mixing.pdf(nu), 0, 5, epsabs=1e-14)
    ours, _ = gamma_gamma.log_likelihood(np.array([3.0]), np.array([z]), np.array([1.0]))(
        np.log([p, q, scale])
    )
    assert ours == pytest.approx(np.log(integral), rel=1e-8)


def test_the_gradient_is_that_of_the_likelihood():
    x, z = repeaters(cdnow.sample())
    objective = gamma_gamma.log_likelihood(x, z, np.ones(x.size))
    for natural in ([6.0, 3.7, 15.0], [0.3, 0.8, 200.0], [50.0, 12.0, 2.0]):
        point = np.log(natural)
        numeric = approx_fprime(point, lambda p: objective(p)[0], 1e-7)
        assert objective(point)[1] == pytest.approx(numeric, rel=1e-3, abs=2e-2)


# Its own simulator


def test_known_parameters_are_recovered_within_their_standard_errors():
    x = np.random.default_rng(4).geometric(0.3, 20_000)
    z = gamma_gamma.simulate(PUBLISHED, x, random_state=6)
    found = gamma_gamma.fit(x, z)
    for name in gamma_gamma.PARAMETERS:
        error = found.standard_errors[name]
        assert 0 < error < 0.1 * getattr(PUBLISHED, name)
        assert abs(getattr(found, name) - getattr(PUBLISHED, name)) < 3 * error


def test_weights_stand_for_customers():
    x, z = repeaters(cdnow.sample())
    twice = gamma_gamma.fit(np.tile(x, 2), np.tile(z, 2))
    weighted = gamma_gamma.fit(x, z, weight=np.full(x.size, 2))
    assert weighted.p == pytest.approx(twice.p, rel=1e-9)
    assert weighted.n_customers == twice.n_customers == 1892


# Limits


def test_the_expected_value_lies_between_the_own_and_the_population_mean():
    own = np.array([5.0, 20.0, 300.0])
    for frequency in (1, 5, 200):
        expected = gamma_gamma.expected_mean_value(PUBLISHED, frequency, own)
        everyone = PUBLISHED.population_mean
        assert (expected > np.minimum(own, everyone)).all()
        assert (expected < np.maximum(own, everyone)).all()


def test_without_a_repeat_order_the_population_speaks_even_if_the_own_mean_is_missing():
    expected = gamma_gamma.expected_mean_value(PUBLISHED, [0, 0], [np.nan, 0.0])
    assert expected.tolist() == [PUBLISHED.population_mean] * 2


def test_ten_thousand_orders_leave_the_own_mean_as_it_is():
    expected = gamma_gamma.expected_mean_value(PUBLISHED, 10_000, 80.0)
    assert float(expected) == pytest.approx(80.0, rel=1e-4)


def test_a_population_without_a_mean_is_refused():
    heavy = gamma_gamma.GammaGammaFit.given(p=6, q=0.9, gamma=15)
    assert heavy.population_mean == np.inf
    with pytest.raises(NotConverged, match=r"q = 0\.9 <= 1"):
        gamma_gamma.expected_mean_value(heavy, 1, 20)


# Correlation


def test_the_correlation_of_cdnow_is_below_the_limit():
    found = gamma_gamma.frequency_spend_correlation(*repeaters(cdnow.sample()))
    assert round(found, 2) == 0.11  # as in Fader, Hardie & Lee (2005), RFM and CLV
    assert found < gamma_gamma.CORRELATION_LIMIT


def test_a_column_that_does_not_vary_has_no_correlation():
    assert np.isnan(gamma_gamma.frequency_spend_correlation([1, 1], [5.0, 6.0]))
    assert np.isnan(gamma_gamma.frequency_spend_correlation([3], [5.0]))


# Verdicts and refusals


def test_too_few_repeaters_are_a_verdict_and_no_number():
    found = gamma_gamma.fit([1, 2], [10.0, 20.0])
    assert found.level == "too_little_data"
    assert "2 customers with a repeat order" in found.verdict
    with pytest.raises(NotConverged, match="too little data"):
        gamma_gamma.expected_mean_value(found, 1, 20)


def test_one_price_for_all_is_a_verdict_and_no_number():
    found = gamma_gamma.fit([1, 2] * 20, [9.99] * 40)
    assert found.level == "not_identified"
    assert "every customer's mean order value is 9.99" in found.verdict


def test_customers_that_differ_by_chance_only_are_not_called_converged():
    """One scale for all: the spread between customers, which q measures, is nil."""
    random = np.random.default_rng(9)
    x = np.full(300, 5)
    z = random.gamma(10 * x, 1 / (0.5 * x))
    found = gamma_gamma.fit(x, z)
    assert not found.converged
    assert found.verdict.startswith("not converged")


@pytest.mark.parametrize(
    ("frequency", "mean_value", "message"),
    [
        ([1, 2], [10.0, 0.0], "mean_value must be finite and > 0; row 1 of 2"),
        ([1, 2], [-3.0, 5.0], "mean_value must be finite and > 0; row 0 of 2 has frequency 1"),
        ([1, 2], [10.0, np.nan], "mean_value must be finite and > 0"),
        ([0, 2], [10.0, 5.0], "frequency must be finite and >= 1"),
        ([1], [10.0, 5.0], "must be of one length; found 1, 2"),
    ],
)
def test_bad_input_is_refused_with_its_row(frequency, mean_value, message):
    with pytest.raises(DataError, match=message):
        gamma_gamma.fit(frequency, mean_value)


# The alternative


def test_one_order_counts_two_thirds_in_the_credibility_mean():
    """k = 0.5, so n / (n + k) is 1/1.5 after one order and 2/2.5 after two."""
    found = credibility.fit([10.0, 20.0, 60.0])
    assert found.population_mean == 30
    expected = credibility.expected_mean_value(found, [0, 1, 2], [np.nan, 60.0, 20.0])
    assert expected == pytest.approx([30, 50, 22])


def test_the_credibility_mean_refuses_to_learn_from_nothing():
    with pytest.raises(DataError, match="no customer has an order value"):
        credibility.fit([])
    with pytest.raises(DataError, match="row 1 of 2 has mean_value -4"):
        credibility.fit([3.0, -4.0])
