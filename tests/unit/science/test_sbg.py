"""Renewals against the tables of Fader & Hardie, an own simulator, and sums by hand."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import betaln, hyp2f1

from orchestration.science import sbg
from orchestration.science.errors import DataError, NotConverged
from orchestration.science.sbg import BETA_DISCRETE_WEIBULL, SBG, RenewalFit

# Survivors of 1,000 members after 0 to 12 years (Fader & Hardie 2007, table 1).
HIGH_END = np.array([1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394])
REGULAR = np.array([1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173])
YEARS = np.arange(1, 8)


def fit_survivors(survivors, model_name=SBG, years=7):
    return sbg.fit(YEARS[:years], survivors[:years], survivors[1 : years + 1], model_name)


# Published tables


@pytest.mark.parametrize(
    ("survivors", "published"),
    [(HIGH_END, (0.668, 3.806, -1611.2)), (REGULAR, (0.704, 1.182, -1680.3))],
    ids=["high end", "regular"],
)
def test_seven_years_give_the_published_parameters(survivors, published):
    found = fit_survivors(survivors)
    values = (round(found.alpha, 3), round(found.beta, 3), round(found.log_likelihood, 1))
    assert values == published
    assert found.c == 1
    assert found.verdict == "converged: 4 of 4 starts agree on the summit"
    assert (found.n_terms, found.n_decided) == (7, survivors[:7].sum())


@pytest.mark.parametrize(
    ("survivors", "published"),
    [(HIGH_END, [46.0, 43.6, 41.4, 39.5, 37.8]), (REGULAR, [22.0, 20.4, 19.1, 18.0, 17.0])],
    ids=["high end", "regular"],
)
def test_the_forecast_of_the_years_eight_to_twelve_is_the_published_one(survivors, published):
    forecast = sbg.survival(fit_survivors(survivors), np.arange(8, 13))
    assert np.round(100 * forecast, 1).tolist() == published


def test_the_discounted_residual_lifetime_is_the_published_one():
    found = fit_survivors(HIGH_END)
    assert round(float(sbg.expected_further_terms(found, 7, discount_rate=0.10)), 3) == 7.530


@pytest.mark.parametrize("survivors", [HIGH_END, REGULAR], ids=["high end", "regular"])
def test_duration_dependence_forecasts_the_published_years_closer_than_the_sbg(survivors):
    """What the paper of 2018 is about, on its own data: four years to fit, eight to predict."""
    error = {
        name: np.abs(
            1000 * sbg.survival(fit_survivors(survivors, name, years=4), np.arange(5, 13))
            - survivors[5:]
        ).mean()
        for name in (SBG, BETA_DISCRETE_WEIBULL)
    }
    assert error[BETA_DISCRETE_WEIBULL] < 0.9 * error[SBG]


# Independent formulas


def test_the_renewal_rate_is_that_of_the_paper_and_its_product_is_survival():
    fit = RenewalFit.given(alpha=0.668, beta=3.806)
    n = np.arange(1, 30)
    rates = sbg.renewal_rate(fit, n)
    assert rates == pytest.approx((3.806 + n - 1) / (0.668 + 3.806 + n - 1), rel=1e-12)
    assert np.cumprod(rates) == pytest.approx(sbg.survival(fit, n), rel=1e-12)
    assert (np.diff(rates) > 0).all()


@pytest.mark.parametrize("survivors", [HIGH_END, REGULAR], ids=["high end", "regular"])
def test_the_beta_discrete_weibull_is_where_another_search_finds_it(survivors):
    """Nelder-Mead on the likelihood of lifetimes, S(n-1) - S(n), in place of that by term."""
    n = np.arange(8)

    def loss(log_parameters):
        alpha, beta, c = np.exp(log_parameters)
        reached = np.exp(betaln(alpha, beta + n**c) - betaln(alpha, beta))
        lifetimes = -np.diff(survivors[:8]) @ np.log(-np.diff(reached))
        return -lifetimes - survivors[7] * np.log(reached[-1])

    search = minimize(
        loss,
        np.log([0.5, 1.0, 1.2]),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 5000},
    )
    found = fit_survivors(survivors, BETA_DISCRETE_WEIBULL)
    assert found.converged
    assert [found.alpha, found.beta, found.c] == pytest.approx(np.exp(search.x), rel=1e-4)
    assert found.log_likelihood == pytest.approx(-search.fun, abs=1e-6)


@pytest.mark.parametrize("made", [0, 3, 7])
def test_the_discounted_sum_is_the_closed_form_of_the_paper(made):
    """Fader & Hardie (2010): r(n) 2F1(1, beta+n; alpha+beta+n; 1/(1+d)) with n = renewals + 1."""
    alpha, beta, d, n = 0.668, 3.806, 0.1, made + 1
    closed = (
        (beta + n - 1) / (alpha + beta + n - 1) * hyp2f1(1, beta + n, alpha + beta + n, 1 / (1 + d))
    )
    ours = sbg.expected_further_terms(RenewalFit.given(alpha, beta), made, discount_rate=d)
    assert float(ours) == pytest.approx(closed, rel=1e-10)


def test_further_terms_within_a_horizon_are_the_sum_of_the_chances_to_reach_them():
    fit = RenewalFit.given(alpha=0.5, beta=2.0, c=1.3)
    s = sbg.survival(fit, [2, 3, 4, 5])
    by_hand = (s[1] + s[2] + s[3]) / s[0]
    assert float(sbg.expected_further_terms(fit, 2, n_terms=3)) == pytest.approx(by_hand)
    discounted = (s[1] + s[2] / 1.05 + s[3] / 1.05**2) / s[0]
    ours = sbg.expected_further_terms(fit, 2, discount_rate=0.05, n_terms=3)
    assert float(ours) == pytest.approx(discounted)


@pytest.mark.parametrize("model_name", [SBG, BETA_DISCRETE_WEIBULL])
def test_the_gradient_is_that_of_the_likelihood(model_name):
    counts = sbg.RenewalCounts(YEARS.astype(float), HIGH_END[:7] * 1.0, HIGH_END[1:8] * 1.0)
    objective = sbg.log_likelihood(counts, model_name)
    for natural in ([0.7, 3.8, 1.0], [5.0, 0.4, 0.6], [0.1, 20.0, 2.0]):
        point = np.log(natural[: len(sbg.PARAMETERS[model_name])])
        numeric = approx_fprime(point, lambda p: objective(p)[0], 1e-7)
        assert objective(point)[1] == pytest.approx(numeric, rel=1e-3, abs=2e-2)


# Its own simulator


@pytest.mark.parametrize(
    ("truth", "model_name"),
    [
        (RenewalFit.given(alpha=0.8, beta=4.0), SBG),
        (RenewalFit.given(alpha=0.8, beta=4.0, c=1.4), BETA_DISCRETE_WEIBULL),
    ],
)
def test_known_parameters_are_recovered_although_most_members_are_censored(truth, model_name):
    observed = np.random.default_rng(4).integers(0, 13, 40_000)
    drawn = sbg.simulate(truth, observed, random_state=6)
    found = sbg.fit(*drawn, model_name)
    assert found.level == "converged"
    for name in sbg.PARAMETERS[model_name]:
        error = found.standard_errors[name]
        assert 0 < error < 0.2 * getattr(truth, name)
        assert abs(getattr(found, name) - getattr(truth, name)) < 3 * error


def test_simulated_members_renew_as_often_as_the_model_says():
    truth = RenewalFit.given(alpha=0.8, beta=4.0, c=1.4)
    drawn = sbg.simulate(truth, np.full(200_000, 6), random_state=2)
    assert drawn.renewed / 200_000 == pytest.approx(sbg.survival(truth, YEARS[:6]), abs=0.004)
    assert drawn.decided[1:].tolist() == drawn.renewed[:-1].tolist()


# Counts


def test_cohorts_may_come_in_rows_of_their_own_and_open_terms_say_nothing():
    whole = fit_survivors(HIGH_END)
    half = HIGH_END // 2
    rows = sbg.fit(
        [*YEARS, *YEARS[::-1], 8],
        [*half[:7], *(HIGH_END - half)[:7][::-1], 0],
        [*half[1:8], *(HIGH_END - half)[1:8][::-1], 0],
    )
    assert (rows.alpha, rows.beta, rows.n_terms) == (whole.alpha, whole.beta, 7)


def test_members_who_came_late_are_compared_only_with_decisions_at_their_own_term():
    """Counts from term 4 on alone, as after a change of system, find the same cohort."""
    truth = RenewalFit.given(alpha=0.8, beta=4.0)
    drawn = sbg.simulate(truth, np.full(200_000, 9), random_state=3)
    late = sbg.fit(drawn.term_number[3:], drawn.decided[3:], drawn.renewed[3:])
    assert late.converged
    assert abs(late.beta - 4.0) < 3 * late.standard_errors["beta"]


# Verdicts and refusals


def test_members_who_are_all_alike_have_no_finite_fit_and_the_verdict_says_so():
    found = sbg.fit([1, 2, 3, 4], [10_000, 9_000, 8_100, 7_290], [9_000, 8_100, 7_290, 6_561])
    assert not found.converged
    assert found.verdict.startswith("not converged")
    with pytest.raises(NotConverged, match="sbg: not converged"):
        sbg.survival(found, 3)


@pytest.mark.parametrize(
    ("term_number", "decided", "renewed", "said"),
    [
        ([], [], [], "0 decided terms of 0 term numbers"),
        ([1, 2], [10, 9], [9, 8], "19 decided terms of 2 term numbers, of which 2 ended"),
        ([1], [1000], [900], "1000 decided terms of 1 term numbers"),
        ([1, 2, 3], [1000, 1000, 1000], [1000, 1000, 1000], "of which 0 ended"),
    ],
)
def test_too_little_data_is_a_verdict_and_no_number(term_number, decided, renewed, said):
    found = sbg.fit(term_number, decided, renewed)
    assert found.level == "too_little_data"
    assert said in found.verdict
    assert np.isnan([found.alpha, found.beta, found.c]).all()
    with pytest.raises(NotConverged, match="too little data"):
        sbg.renewal_rate(found, 1)


@pytest.mark.parametrize(
    ("term_number", "decided", "renewed", "message"),
    [
        ([0, 1], [10, 5], [5, 3], "term_number must be a whole number >= 1 .* row 0 of 2"),
        ([1.5], [10], [5], "term_number must be a whole number"),
        ([1], [-1], [0], "decided must be finite and >= 0"),
        ([1], [np.nan], [0], "decided must be finite and >= 0"),
        ([1], [10], [11], "renewed must lie between 0 and decided; row 0 of 1"),
        ([1], [10], [np.nan], "renewed must lie between 0 and decided"),
        ([1, 2], [10], [5], "must be of one length; found 2, 1 and 1"),
    ],
)
def test_impossible_counts_are_refused_with_their_row(term_number, decided, renewed, message):
    with pytest.raises(DataError, match=message):
        sbg.fit(term_number, decided, renewed)


def test_questions_without_an_answer_are_refused():
    fit = RenewalFit.given(alpha=0.7, beta=1.2)
    with pytest.raises(DataError, match="may have no finite sum"):
        sbg.expected_further_terms(fit, 0)
    with pytest.raises(DataError, match=r"discount_rate must be finite and >= 0; found -0\.1"):
        sbg.expected_further_terms(fit, 0, discount_rate=-0.1)
    with pytest.raises(DataError, match="n_terms must be at least 1; found 0"):
        sbg.expected_further_terms(fit, 0, n_terms=0)
    with pytest.raises(DataError, match="renewals must be a whole number >= 0"):
        sbg.survival(fit, -1)
    with pytest.raises(DataError, match="term_number must be a whole number >= 1"):
        sbg.renewal_rate(fit, 0)
    with pytest.raises(DataError, match="model_name must be one of sbg, beta_discrete_weibull"):
        sbg.fit([1], [10], [5], "weibull")
    with pytest.raises(DataError, match="beta must be positive and finite; found 0"):
        RenewalFit.given(alpha=1.0, beta=0.0)
