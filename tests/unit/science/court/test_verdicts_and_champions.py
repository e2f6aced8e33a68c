"""The rule, on candidates that are right, wrong or silent because they were made so."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from drawn_shop import drawn_shop, knowing, orders_of, silent

from orchestration.science.court.champions import rule, rule_of_tonight
from orchestration.science.court.origins import rolling_origins
from orchestration.science.court.trial import customers_heard, hear
from orchestration.science.court.verdicts import judge
from orchestration.science.errors import DataError
from orchestration.science.ledger import Ledger


@cache
def shop():
    return drawn_shop()


@cache
def trial_of_all():
    """One trial with everyone whom the tests below ask about."""
    ledger, rates = shop()
    random = np.random.default_rng(1)
    noisy = {name: rate * random.gamma(20, 1 / 20) for name, rate in rates.items()}
    score = orders_of(
        knowing("right", rates),
        knowing("almost", rates, lambda e: e * 1.01),
        knowing("blurred", noisy),
        knowing("half", rates, lambda e: e / 2),
        knowing("flat", rates, lambda e: (e + e.mean()) / 2),
        knowing("reversed", rates, lambda e: np.sort(e)[::-1][np.argsort(np.argsort(e))]),
        silent("ridge"),
    )
    return hear(score, ledger, rolling_origins(ledger, 91))


@cache
def verdicts():
    return judge(trial_of_all())


def verdict(name):
    return next(one for one in verdicts() if one.model_name == name)


def ruling(incumbent, *names):
    """The ruling over some of the candidates; over all but the twin of the right one, if none is named."""
    names = names or ("right", "blurred", "half", "flat", "reversed", "ridge")
    kept = tuple(one for one in verdicts() if one.is_baseline or one.model_name in names)
    return rule(trial_of_all(), kept, incumbent)


def test_who_knows_every_rate_passes():
    found = verdict("right")
    assert found.is_passing
    assert found.against_baseline.is_better
    assert found.calibration_slope == pytest.approx(1, abs=0.1)
    assert abs(found.total_bias) < 0.05


@pytest.mark.parametrize(
    ("name", "failed", "said"),
    [
        ("half", "is_calibrated", "total off by -5"),
        ("flat", "is_calibrated", "calibration slope 1."),
        ("reversed", "is_beating_baselines", "does not beat"),
        ("reversed", "is_calibrated", "calibration slope -"),
        ("ridge", "is_converged", "no forecast at 4 of 4 origins: stopped on a ridge"),
    ],
)
def test_who_is_wrong_does_not_pass_and_the_reason_names_it(name, failed, said):
    found = verdict(name)
    assert not found.is_passing
    assert not getattr(found, failed)
    assert said in found.reason


def test_a_forecast_without_a_model_is_never_champion():
    assert not any(one.is_passing for one in verdicts() if one.is_baseline)
    assert ruling("own_rate").champion == "right"


def test_without_an_incumbent_who_is_surely_better_than_the_last_in_the_list_speaks():
    found = ruling(None)
    assert verdict("blurred").is_passing
    assert verdict("right").mean_loss < verdict("blurred").mean_loss
    assert found.champion == "right"
    assert found.challenger == "blurred"
    assert found.incumbent is None


@pytest.mark.parametrize("order", [("right", "almost"), ("almost", "right")])
def test_of_those_whom_losses_do_not_tell_apart_the_last_in_the_list_speaks(order):
    """The list goes from plain to able: a correction that had no occasion yet changes no loss."""
    alike = tuple(verdict(name) for name in order)
    found = rule(trial_of_all(), alike, None)
    assert found.champion == order[-1]
    assert found.reason.startswith("the ablest of those that pass: ")
    assert rule(trial_of_all(), alike, order[0]).champion == order[0]


@pytest.mark.parametrize("wrong", ["half", "reversed", "ridge"])
def test_a_wrong_model_planted_as_champion_is_dethroned_at_once(wrong):
    found = ruling(wrong)
    assert found.champion == "right"
    assert found.reason.startswith(f"{wrong} fell: ")


def test_an_incumbent_that_is_as_good_stays_and_the_challenger_stays_visible():
    found = ruling("almost", "almost", "right")
    assert found.champion == "almost"
    assert found.challenger == "right"
    assert "incumbent stays" in found.reason


def test_a_challenger_takes_over_only_when_it_is_surely_and_visibly_better():
    found = ruling("blurred")
    difference = ruling("blurred", "blurred", "right").against_challenger
    is_surely_better = verdict("right").mean_loss < 0.99 * verdict("blurred").mean_loss
    # 20 is chosen so that the blur costs more than 1% of the loss.
    assert is_surely_better
    assert found.champion == "right"
    assert "takes over from blurred" in found.reason
    assert difference.gain <= 0


def test_an_incumbent_that_no_longer_stands_trial_falls():
    found = ruling("retired")
    assert found.champion == "right"
    assert "it no longer stands trial" in found.reason


def test_where_nobody_passes_nobody_speaks_and_all_reasons_are_told():
    found = ruling("half", "half", "ridge")
    assert found.champion is None
    assert found.reason.startswith("half fell: ")
    assert "ridge: no forecast" in found.reason


def test_a_shop_without_origins_is_not_judged():
    ledger, rates = shop()
    young = ledger.known_at(ledger.first_day + 100)
    found = judge(hear(orders_of(knowing("right", rates)), young, rolling_origins(young, 91)))
    assert [one.is_passing for one in found] == [False] * 3
    assert "not judged: the shop is 100 days old" in found[-1].reason


def test_no_candidate_sees_a_day_after_its_origin():
    ledger, rates = shop()
    seen = []

    def spy(known: Ledger, horizon_days: int):
        seen.append((known.until, int(known.orders.day.max()), known.orders.day.size))
        return knowing("spy", rates).predict(known, horizon_days)

    origins = rolling_origins(ledger, 91)
    hear(orders_of(replace(knowing("spy", rates), forecast=spy)), ledger, origins)
    assert sorted(until for until, _, _ in seen) == sorted(origins.days)
    assert all(last <= until for until, last, _ in seen)
    for until, _, count in seen:
        assert count == (ledger.orders.day <= until).sum()


def test_a_prediction_of_another_number_of_customers_is_refused():
    ledger, rates = shop()

    def short(known: Ledger, horizon_days: int):
        said = knowing("short", rates).predict(known, horizon_days)
        return replace(said, expected=said.expected[1:])

    with pytest.raises(DataError, match="short speaks of"):
        hear(
            orders_of(replace(knowing("short", rates), forecast=short)),
            ledger,
            rolling_origins(ledger, 91),
        )


def test_the_part_of_a_large_shop_that_is_heard_stays_when_the_shop_grows():
    ledger, _ = shop()
    part = customers_heard(ledger, 400)
    assert part.n_customers == 400
    assert set(part.customer_ids) <= set(ledger.customer_ids)
    assert customers_heard(ledger, ledger.n_customers) is ledger
    smaller = set(customers_heard(ledger, 300).customer_ids)
    assert smaller <= set(part.customer_ids)
    # Every order of who is heard, and of nobody else.
    kept = np.isin(ledger.customer_ids[ledger.orders.customer], part.customer_ids)
    assert part.orders.day.tolist() == ledger.orders.day[kept].tolist()
    assert (
        part.customer_ids[part.orders.customer] == ledger.customer_ids[ledger.orders.customer[kept]]
    ).all()


def test_a_champion_of_the_past_that_is_silent_tonight_leaves_the_word_to_the_next():
    ledger, rates = drawn_shop()
    tonight = ledger.known_at(ledger.until)

    def only_before(candidate):
        def predict(known, days):
            speaker = silent("ridge") if known.until == tonight.until else candidate
            return speaker.predict(known, days)

        return replace(candidate, forecast=predict)

    score = orders_of(
        only_before(knowing("right", rates)), knowing("almost", rates, lambda e: e * 1.01)
    )
    trial = hear(score, ledger, rolling_origins(ledger, 91))
    found, ruled = rule_of_tonight(trial, tonight, "right")
    assert ruled.champion == "almost"
    assert ruled.reason.startswith("right fell: silent tonight: stopped on a ridge")
    assert not next(one for one in found if one.model_name == "right").is_passing
