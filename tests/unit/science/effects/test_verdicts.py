"""Every way in which an effect cannot be told has its own words and no number."""

import numpy as np
import pytest

from orchestration.science.effects.estimation import (
    Question,
    Settings,
    estimate_effect,
    estimate_effects,
)
from orchestration.science.effects.records import Effect, Placebo, Sample
from orchestration.science.errors import DataError
from tests.unit.science.effects.drawn_customers import HABIT, KINDS, drawn_shop

ONCE = Settings(deals=1)


def drawn(n=600, slope=0.8, effect=1.0, seed=1, share=0.0):
    """One covariate, an event that follows it, an outcome that follows both."""
    random = np.random.default_rng(seed)
    covariate = random.normal(0, 1, n)
    treated = random.random(n) < 1 / (1 + np.exp(-slope * covariate - share))
    outcome = covariate + effect * treated + random.normal(0, 1, n)
    return Sample(treated, outcome, covariate[:, None], ("past",))


def asked(sample, **more):
    return estimate_effect(
        sample, event_name="event", outcome_name="orders_180d", settings=ONCE, **more
    )


def is_refused(effect, words):
    assert words in effect.verdict
    assert effect.verdict.startswith("not identified: ")
    assert not effect.is_identified
    assert effect.adjusted is None
    row = effect.to_row()
    return all(row[f"adjusted_{name}"] is None for name in ("difference", "low_80", "high_95"))


def test_a_sound_comparison_is_identified_and_says_of_whom():
    effect = asked(drawn())
    assert effect.is_identified
    assert effect.estimand == "average effect on those who had the event (ATT)"
    assert effect.verdict.startswith("identified: ")
    low, high = effect.adjusted.interval_95
    assert low < 1.0 < high
    assert effect.naive.interval_95[0] > 1.0
    assert effect.treated_count + effect.control_count == 600


def test_the_effect_on_everybody_differs_where_it_grows_with_the_covariate():
    random = np.random.default_rng(2)
    covariate = random.normal(0, 1, 3_000)
    treated = random.random(3_000) < 1 / (1 + np.exp(-covariate))
    outcome = covariate + treated * (1 + covariate) + random.normal(0, 1, 3_000)
    sample = Sample(treated, outcome, covariate[:, None], ("past",))
    ate, att = asked(sample, estimand="ate"), asked(sample)
    assert ate.estimand.startswith("average effect on everybody")
    # The effect averages 1 over everybody; over the treated it is 1 + E[x | treated].
    assert abs(ate.adjusted.value - 1.0) < 3 * ate.adjusted.standard_error
    expected = 1 + covariate[treated].mean()
    assert abs(att.adjusted.value - expected) < 3 * att.adjusted.standard_error
    assert att.adjusted.value - ate.adjusted.value > 0.2


@pytest.mark.parametrize(("flag", "words"), [(False, "nobody had"), (True, "everybody had")])
def test_without_one_of_the_groups_there_is_no_difference_at_all(flag, words):
    sample = drawn()._replace(treated=np.full(600, flag))
    effect = asked(sample)
    assert is_refused(effect, words)
    assert effect.naive is None
    assert effect.to_row()["naive_difference"] is None


def test_no_customers_at_all_are_named():
    nothing = Sample(np.zeros(0, dtype=bool), np.zeros(0), np.zeros((0, 1)), ("past",))
    assert is_refused(asked(nothing), "there are no customers")


def test_tiny_groups_are_counted_in_customers_and_not_in_rows():
    sample = drawn()
    few = np.flatnonzero(sample.treated)[:49]
    keep = np.concatenate([few, np.flatnonzero(~sample.treated)])
    small = Sample(*(part[keep] for part in sample[:3]), sample.names)
    assert is_refused(asked(small), "only 49 customers with the event (at least 50)")
    doubled = Sample(
        *(np.concatenate([part[keep]] * 2) for part in sample[:3]),
        sample.names,
        None,
        np.tile(keep, 2),
    )
    assert is_refused(asked(doubled), "only 49 customers with the event")


def test_an_outcome_that_never_varies_has_no_effect_to_tell():
    constant = drawn()._replace(outcome=np.full(600, 2.0))
    assert is_refused(asked(constant), "the outcome is 2 for everybody")


def test_an_outcome_that_is_the_event_itself_has_no_interval():
    sample = drawn()
    effect = asked(sample._replace(outcome=sample.treated.astype(float)))
    assert is_refused(effect, "does not vary once event and covariates are known")


def test_covariates_that_never_vary_adjust_for_nothing():
    flat = drawn()._replace(covariates=np.ones((600, 1)))
    assert is_refused(asked(flat), "no covariate differs")
    unknown = drawn()._replace(covariates=np.full((600, 1), np.nan))
    assert is_refused(asked(unknown), "no covariate differs")


def test_perfect_separation_is_named():
    sample = drawn()
    treated = sample.covariates[:, 0] > 0.3
    assert is_refused(asked(sample._replace(treated=treated)), "separate")


def test_treated_without_likeness_are_named():
    """Nearly all of one side have the event, nearly none of the other."""
    effect = asked(drawn(n=4_000, slope=6.0))
    assert is_refused(effect, "have no likeness")
    assert effect.overlap.trimmed_treated_share > 0.5


def test_a_likeness_of_few_is_named():
    """Fifteen untreated among the frequent stand for sixty treated: each of them weighs four."""
    frequent = np.repeat([0.0, 1.0], [4_000, 75])
    treated = np.zeros(4_075, dtype=bool)
    treated[:8] = treated[4_000:4_060] = True
    outcome = np.random.default_rng(3).normal(0, 1, 4_075)
    effect = asked(Sample(treated, outcome, frequent[:, None], ("frequent",)))
    assert is_refused(effect, "customers in effect")
    # (60 + 8)^2 / (15 * 4^2) by hand; folds and penalty move it a little.
    assert effect.overlap.effective_control_count == pytest.approx(68**2 / 240, rel=0.15)


def test_unknown_values_are_a_covariate_of_their_own():
    """The unknown have the event more often and order more; filling in alone would not show it."""
    random = np.random.default_rng(4)
    n = 4_000
    unknown = random.random(n) < 0.3
    covariate = np.where(unknown, np.nan, random.normal(0, 1, n))
    treated = random.random(n) < np.where(unknown, 0.6, 0.2)
    outcome = 2.0 * unknown + 0.5 * treated + random.normal(0, 1, n)
    effect = asked(Sample(treated, outcome, covariate[:, None], ("past",)))
    assert abs(effect.adjusted.value - 0.5) < 3 * effect.adjusted.standard_error
    assert effect.naive.value > 1.0
    (flag,) = [one for one in effect.overlap.balance if one.name == "past is unknown"]
    assert flag.before > 0.5
    assert abs(flag.after) < 0.05


def test_a_placebo_that_moves_forbids_the_number():
    """What decides on the event is hidden, and moved the outcome before it too."""
    random = np.random.default_rng(5)
    hidden, seen = random.normal(0, 1, (2, 2_000))
    treated = random.random(2_000) < 1 / (1 + np.exp(-hidden - seen))
    before, after = hidden + seen + random.normal(0, 1, (2, 2_000))
    sample = Sample(treated, after, seen[:, None], ("seen",))
    trusting = asked(sample)
    assert trusting.is_identified
    assert "placebo not tested: no outcome of a time before" in trusting.verdict
    assert trusting.adjusted.interval_95[0] > 0, "without a placebo the bias would have passed"
    doubting = asked(sample, placebo=sample._replace(outcome=before))
    assert is_refused(doubting, "placebo fails")
    assert doubting.placebo.is_passed is False
    assert doubting.to_row()["placebo_low_95"] > 0


def test_a_placebo_that_the_covariates_tell_tests_nothing():
    sample = drawn()
    told = sample._replace(outcome=3 * sample.covariates[:, 0])
    effect = asked(sample, placebo=told)
    assert effect.is_identified
    assert effect.placebo.is_passed is None
    assert "the covariates tell its outcome" in effect.verdict


def test_a_placebo_that_cannot_be_compared_is_not_passed():
    sample = drawn()
    effect = asked(sample, placebo=sample._replace(outcome=np.zeros(600)))
    assert effect.placebo.is_passed is None
    assert "placebo not tested: the outcome is 0 for everybody" in effect.verdict


def test_hidden_habits_are_borne_by_differences_in_differences_alone():
    shop = drawn_shop(HABIT, 3, customers=6_000, truth_customers=30_000)
    sample, placebo = shop.changed(1)
    trusting = asked(sample)
    changed = asked(sample, placebo=placebo, method="difference_in_differences")
    assert changed.is_identified
    assert changed.placebo.is_passed
    truth = shop.truth[1]
    assert abs(changed.adjusted.value - truth) < 3 * changed.adjusted.standard_error
    assert abs(trusting.adjusted.value - truth) > 3 * trusting.adjusted.standard_error
    assert changed.naive.value == pytest.approx(trusting.naive.value)


def test_differences_in_differences_ask_for_what_came_before():
    with pytest.raises(DataError, match="need outcome_before, which the sample lacks"):
        asked(drawn(), method="difference_in_differences")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": np.full(600, np.nan)}, "outcome is not a number in 600 of 600 rows"),
        ({"outcome": np.zeros(5)}, "outcome has shape"),
        ({"covariates": np.full((600, 1), np.inf)}, "covariate past is infinite"),
        ({"covariates": np.zeros((600, 2))}, "1 names"),
        ({"treated": np.full(600, 2)}, "True and False alone"),
        ({"customer": np.arange(3)}, "customer has shape"),
    ],
)
def test_broken_arrays_are_refused_by_name(change, words):
    with pytest.raises(DataError, match=words):
        asked(drawn()._replace(**change))


def test_the_same_customers_give_the_same_numbers():
    shop = drawn_shop(KINDS[4], 2, truth_customers=2_000)
    questions = [
        Question("recovery", str(one), shop.sample(one), shop.placebo(one)) for one in (0, 1, 2)
    ]
    together = estimate_effects(questions)
    for question, effect in zip(questions, together, strict=True):
        alone = estimate_effect(
            question.sample,
            event_name="recovery",
            outcome_name=question.outcome_name,
            placebo=question.placebo,
        )
        assert alone == effect


def test_a_number_beside_a_refusal_cannot_be_made():
    with pytest.raises(DataError, match="stands if it is identified"):
        Effect(
            event_name="event",
            outcome_name="orders_180d",
            method="doubly_robust",
            estimand="",
            treated_count=1,
            control_count=1,
            customer_count=2,
            treated_mean=0.0,
            control_mean=0.0,
            others_mean=0.0,
            naive=None,
            adjusted=None,
            overlap=None,
            placebo=Placebo(None, None, ""),
            is_identified=True,
            verdict="identified",
        )
