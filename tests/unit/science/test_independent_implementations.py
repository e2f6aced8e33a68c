"""Every model beside an independent implementation of it, over grids that no one data set fills.

`lifetimes` for orders and their value, `lifelines` for survival; where they give no number (their
powers overflow for regulars), integers of any length. BG/BB is compared in `test_bgbb`, and each
model's own tests compare it on CDNOW.
"""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter, ParetoNBDFitter

from orchestration.science import gamma_gamma
from orchestration.science.purchases import bgnbd, mbgnbd, pareto_nbd
from orchestration.science.purchases.models import MODELS
from orchestration.science.survival import conditional_survival, log_rank, survival_curve

# Orders

PACKAGES = {
    "bgnbd": (BetaGeoFitter, bgnbd.BgNbdFit),
    "mbgnbd": (ModifiedBetaGeoFitter, mbgnbd.MbgNbdFit),
    "pareto_nbd": (ParetoNBDFitter, pareto_nbd.ParetoNbdFit),
}
# The published shop; one in which hardly anyone leaves; one in which many do.
SHOPS = [
    ("bgnbd", {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}),
    ("bgnbd", {"r": 2.0, "alpha": 40.0, "a": 0.1, "b": 0.5}),
    ("bgnbd", {"r": 0.5, "alpha": 10.0, "a": 3.0, "b": 9.0}),
    ("mbgnbd", {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}),
    ("mbgnbd", {"r": 2.0, "alpha": 40.0, "a": 0.1, "b": 0.5}),
    ("mbgnbd", {"r": 0.5, "alpha": 10.0, "a": 3.0, "b": 9.0}),
    ("pareto_nbd", {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}),
    ("pareto_nbd", {"r": 2.0, "alpha": 40.0, "s": 0.2, "beta": 5.0}),
    ("pareto_nbd", {"r": 0.1, "alpha": 0.5, "s": 3.0, "beta": 90.0}),
]


def histories():
    """From no repeat order to 3,000, in weeks and in years, silent for long and not at all."""
    rows = [
        (x, age * share, age)
        for x in (0, 1, 2, 5, 10, 30, 100, 300, 1000, 3000)
        for age in (5.0, 40.0, 400.0, 1500.0)
        for share in ((0.0,) if x == 0 else (0.05, 0.5, 0.9, 0.97, 1.0))
    ]
    return np.array(rows).T


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("horizon", [1.0, 39.0, 365.0])
@pytest.mark.parametrize(("name", "values"), SHOPS)
def test_expectations_are_those_of_lifetimes_and_have_a_value_where_it_has_none(
    name, values, horizon
):
    package_class, fit_class = PACKAGES[name]
    package = package_class()
    package.params_ = values
    fit, history = fit_class.given(**values, time_unit="week"), histories()
    theirs = package.conditional_expected_number_of_purchases_up_to_time(horizon, *history)
    ours = MODELS[name].expected_purchases(fit, horizon, *history)
    known = np.isfinite(theirs)
    assert known.mean() > 0.75
    assert np.abs(ours - theirs)[known].max() < 1e-6
    assert (np.isfinite(ours) & (ours >= 0)).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "values"), SHOPS)
def test_p_alive_is_that_of_lifetimes_and_has_a_value_where_it_has_none(name, values):
    package_class, fit_class = PACKAGES[name]
    package = package_class()
    package.params_ = values
    fit, history = fit_class.given(**values, time_unit="week"), histories()
    theirs = package.conditional_probability_alive(*history)
    ours = MODELS[name].p_alive(fit, *history)
    known = np.isfinite(theirs)
    assert known.mean() > 0.75
    assert np.abs(ours - theirs)[known].max() < 1e-9
    assert ((ours >= 0) & (ours <= 1)).all()


@pytest.mark.parametrize("x", [0, 10, 1000, 5000])
@pytest.mark.parametrize("silence", [0.5, 20.0])
def test_pareto_nbd_is_exact_for_thousands_of_orders(x, silence):
    """alpha = beta makes A_0 elementary; decimals of 60 digits neither overflow nor cancel."""
    r, scale, s, age, horizon = 0.5, 12.0, 1.5, 400.0, 39.0
    recency = age - silence if x else 0.0
    with localcontext() as context:
        context.prec = 60
        R, A, S = Decimal(r) + x, Decimal(scale + age), Decimal(s)
        last = Decimal(scale + recency)
        gone = S / (R + S) * (last ** -(R + S) - A ** -(R + S))
        active = A ** -(R + S)
        alive = active / (active + gone)
        stays = 1 - (A / (A + Decimal(horizon))) ** (S - 1)
        expected = alive * R * A / (A * (S - 1)) * stays
    fit = pareto_nbd.ParetoNbdFit.given(r=r, alpha=scale, s=s, beta=scale, time_unit="week")
    assert float(pareto_nbd.p_alive(fit, x, recency, age)) == pytest.approx(float(alive), rel=1e-9)
    ours = float(pareto_nbd.expected_purchases(fit, horizon, x, recency, age))
    assert ours == pytest.approx(float(expected), rel=1e-9)


# Their value


@pytest.mark.parametrize(
    "values",
    [
        {"p": 6.25, "q": 3.74, "gamma": 15.44},
        {"p": 0.8, "q": 1.1, "gamma": 300.0},
        {"p": 40.0, "q": 12.0, "gamma": 2.0},
    ],
)
def test_the_expected_order_value_and_its_likelihood_are_those_of_lifetimes(values):
    x, z = np.meshgrid([1.0, 2.0, 7.0, 100.0, 5000.0], [0.01, 3.0, 35.0, 900.0])
    x, z = x.ravel(), z.ravel()
    package = GammaGammaFitter()
    package.params_ = {"p": values["p"], "q": values["q"], "v": values["gamma"]}
    theirs = package.conditional_expected_average_profit(x, z)
    ours = gamma_gamma.expected_mean_value(gamma_gamma.GammaGammaFit.given(**values), x, z)
    assert np.abs(ours - theirs).max() < 1e-6
    point, n = np.log(list(values.values())), np.arange(1.0, x.size + 1)
    loss = GammaGammaFitter._negative_log_likelihood(point, x, z, n, 0.0)
    ours, _ = gamma_gamma.log_likelihood(x, z, n)(point)
    assert ours == pytest.approx(-loss * n.sum(), rel=1e-10)


# Survival

AML = {
    "maintained": "9 13 13+ 18 23 28+ 31 34 45+ 48 161+",
    "not maintained": "5 5 8 8 12 16+ 23 27 30 33 43 45",
}


def aml():
    rows = [(group, week) for group, written in AML.items() for week in written.split()]
    weeks = np.array([float(week.rstrip("+")) for _, week in rows])
    return (
        weeks,
        np.array(["+" not in week for _, week in rows]),
        np.array([row[0] for row in rows]),
    )


def drawn(seed, n_groups):
    """Tenures in whole days with many ties, about half of them censored."""
    random = np.random.default_rng(seed)
    tenure, seen = random.weibull(0.8, 500) * 120 + 1, random.uniform(1, 250, 500)
    return (
        np.ceil(np.minimum(tenure, seen)),
        tenure <= seen,
        random.integers(0, n_groups, 500).astype(str),
    )


SPELLS = [("aml", 2), (1, 2), (2, 3), (3, 5)]


def spells(seed, n_groups):
    return aml() if seed == "aml" else drawn(seed, n_groups)


@pytest.mark.parametrize(("seed", "n_groups"), SPELLS)
def test_the_survival_curve_and_its_band_are_those_of_lifelines(seed, n_groups):
    days, ended, group = spells(seed, n_groups)
    for name in np.unique(group):
        own = group == name
        theirs = KaplanMeierFitter().fit(days[own], ended[own])
        ours = survival_curve(days[own], ended[own])
        assert ours.at(theirs.timeline) == pytest.approx(
            theirs.survival_function_.to_numpy().ravel(), abs=1e-9
        )
        last_alive = ours.surviving > 0
        band = theirs.confidence_interval_.loc[ours.days[last_alive]].to_numpy()
        assert ours.lower[last_alive] == pytest.approx(band[:, 0], abs=1e-9)
        assert ours.upper[last_alive] == pytest.approx(band[:, 1], abs=1e-9)
        assert ours.median_days == theirs.median_survival_time_


@pytest.mark.parametrize(("seed", "n_groups"), SPELLS)
def test_the_survival_of_those_still_there_is_that_of_lifelines_for_late_entries(seed, n_groups):
    """Whoever outlived a day entered the study on it."""
    days, ended, _ = spells(seed, n_groups)
    given = float(np.quantile(days, 0.3))
    there = days > given
    theirs = KaplanMeierFitter().fit(days[there], ended[there], entry=np.full(there.sum(), given))
    later = theirs.timeline[theirs.timeline > given]
    ours = conditional_survival(survival_curve(days, ended), later, given)
    expected = theirs.survival_function_.loc[later].to_numpy().ravel()
    assert ours.surviving == pytest.approx(expected, abs=1e-9)
    inside = (expected > 0) & (expected < 1)
    band = theirs.confidence_interval_.loc[later[inside]].to_numpy()
    assert ours.lower[inside] == pytest.approx(band[:, 0], abs=1e-9)
    assert ours.upper[inside] == pytest.approx(band[:, 1], abs=1e-9)


@pytest.mark.parametrize(("seed", "n_groups"), SPELLS)
def test_the_log_rank_test_is_that_of_lifelines(seed, n_groups):
    days, ended, group = spells(seed, n_groups)
    theirs = multivariate_logrank_test(days, group, ended)
    ours = log_rank(days, ended, group)
    assert ours.chi_square == pytest.approx(theirs.test_statistic, abs=1e-9)
    assert ours.p_value == pytest.approx(theirs.p_value, abs=1e-9)
    assert ours.degrees_of_freedom == theirs.degrees_of_freedom == n_groups - 1
