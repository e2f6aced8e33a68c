"""Which scores stand trial on a night, and who stands for each.

What belongs here is the list of cases and the order in which they are heard: orders first, since
churn and value are made of them. The rule itself is the court's; the tables are made elsewhere.

A shop that is too small or too young to judge each customer (`pooled.is_small`, or no origin whose
horizon has closed) gets pooled estimates, flagged as such: they are shown beside the plain
forecasts where that is possible, and need no verdict, since they claim nothing of a single customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.science.churn.models import BASELINES as CHURN_BASELINES
from orchestration.science.churn.models import CHURN_FORECASTERS
from orchestration.science.churn.records import ChurnForecast
from orchestration.science.court.candidates import (
    Candidate,
    Prediction,
    Score,
    churn_candidates,
    churn_score,
    forecast_of,
    orders_score,
    value_score,
)
from orchestration.science.court.champions import Ruling, rule, rule_of_tonight
from orchestration.science.court.origins import rolling_origins
from orchestration.science.court.trial import Trial, customers_heard, hear
from orchestration.science.court.verdicts import NO_DIFFERENCE, Verdict, judge
from orchestration.science.forecasts.per_ledger import known_at, per_ledger
from orchestration.science.forecasts.pooled import POOLED, is_small
from orchestration.science.forecasts.records import Forecaster
from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS
from orchestration.science.ledger import Ledger
from orchestration.science.value import ValueForecast, earlier_forecasts, value_forecast

Incumbents = Mapping[tuple[str, int], str]


@dataclass(frozen=True, kw_only=True)
class NightSettings:
    """Business constants that the scores depend on; days after the night, and a rate per year."""

    churn_horizons_days: tuple[int, ...]
    clv_horizon_days: int
    yearly_discount_rate: float


@dataclass(frozen=True)
class Case:
    """A score before the court: what was heard, found and ruled.

    ``is_pooled`` where the shop is too small or too young, so that the champion needs no verdict.
    """

    trial: Trial
    verdicts: tuple[Verdict, ...]
    ruling: Ruling
    is_pooled: bool

    @property
    def score(self) -> Score:
        """What the case is about."""
        return self.trial.score

    @property
    def key(self) -> tuple[str, int]:
        """Name of the score and its horizon in days."""
        return self.score.score_name, self.score.horizon_days

    def champion_forecast(self, tonight: Ledger) -> Any | None:
        """What the champion says of the customers of tonight; None if there is no champion."""
        for candidate in self.score.candidates:
            if candidate.model_name == self.ruling.champion:
                return candidate.forecast(tonight, self.score.horizon_days)
        return None


def hold_court(
    ledger: Ledger,
    settings: NightSettings,
    incumbents: Incumbents | None = None,
    heard: Ledger | None = None,
) -> tuple[Case, ...]:
    """Try every score of the night.

    Parameters
    ----------
    ledger : Ledger
        Of the night, with the orders that were given back.
    settings : NightSettings
    incumbents : mapping of (score name, horizon in days) to model name
        Champions of the newest earlier night.
    heard : Ledger, optional
        The part of the ledger that is judged; `customers_heard` if absent.
    """
    known = incumbents or {}
    heard = customers_heard(ledger) if heard is None else heard
    is_pooled = is_pooled_shop(ledger)
    forecasters = forecasters_of(ledger)
    horizons = sorted({*settings.churn_horizons_days, settings.clv_horizon_days})
    orders = {
        days: _try(orders_score(forecasters, BASELINE_NAMES, days), heard, known, is_pooled)
        for days in horizons
    }
    churn = [
        _try(churn_score(_churn_candidates(ledger), days), heard, known, is_pooled)
        for days in sorted(settings.churn_horizons_days)
    ]
    days = settings.clv_horizon_days
    # Value is made of orders: who speaks for them, and who came next, stand for it.
    ruling = orders[days].ruling
    names = [name for name in (ruling.champion, ruling.challenger) if name is not None]
    value = _try(
        value_score(days, tuple(value_candidate(forecasters[name], 0.0) for name in names)),
        heard,
        known,
        is_pooled,
    )
    return (*orders.values(), *churn, value)


def value_candidate(forecaster: Forecaster, yearly_discount_rate: float) -> Candidate:
    """The value of what a forecaster of orders expects.

    The court judges margins as they come and therefore asks for a rate of 0.
    """
    return Candidate(
        forecaster.model_name,
        lambda ledger, days: _value_of(ledger, forecaster, days, yearly_discount_rate),
        lambda said: Prediction(said.level, said.verdict, said.expected, said.p10, said.p90),
    )


@per_ledger
def _value_of(
    ledger: Ledger, forecaster: Forecaster, horizon_days: int, yearly_discount_rate: float
) -> ValueForecast:
    return value_forecast(
        ledger,
        forecast_of(ledger, forecaster, horizon_days),
        yearly_discount_rate,
        earlier_forecasts(ledger, forecaster, horizon_days),
    )


def is_pooled_shop(ledger: Ledger) -> bool:
    """Whether the shop is too small or too young to judge each customer."""
    return is_small(known_at(ledger, ledger.until)) or not rolling_origins(ledger, 1).days


def forecasters_of(ledger: Ledger) -> Mapping[str, Forecaster]:
    """Plain forecasts and models; in a small shop the pooled one takes the models' place."""
    if not is_pooled_shop(ledger):
        return {name: one for name, one in FORECASTERS.items() if name != POOLED.model_name}
    plain = {name: FORECASTERS[name] for name in BASELINE_NAMES}
    return {**plain, POOLED.model_name: POOLED}


def _churn_candidates(ledger: Ledger) -> tuple[Candidate, ...]:
    """Forecasters of churn, and those of orders that say something else of it."""
    forecasters = forecasters_of(ledger)
    if is_pooled_shop(ledger):
        return churn_candidates(forecasters, BASELINE_NAMES)

    def read(said: ChurnForecast) -> Prediction:
        return Prediction(said.level, said.verdict, said.p_order)

    # A closed form that forecasts orders has forecast churn by the way.
    own = tuple(
        Candidate(name, one.predict, read, name in CHURN_BASELINES)
        for name, one in CHURN_FORECASTERS.items()
        if name not in forecasters
    )
    return (*churn_candidates(forecasters, BASELINE_NAMES), *own)


def _try(score: Score, heard: Ledger, incumbents: Incumbents, is_pooled: bool) -> Case:
    origins = rolling_origins(heard, score.horizon_days)
    trial = hear(score, heard, origins)
    incumbent = incumbents.get((score.score_name, score.horizon_days))
    if not is_pooled and score.kind == "amount":
        # Whoever stands for value has spoken for the orders of tonight already.
        verdicts = judge(trial)
        return Case(trial, verdicts, rule(trial, verdicts, incumbent), False)
    if not is_pooled:
        tonight = known_at(heard, heard.until)
        return Case(trial, *rule_of_tonight(trial, tonight, incumbent), False)
    verdicts = judge(trial)
    models = [one.model_name for one in score.candidates if not one.is_baseline]
    return Case(trial, verdicts, _pooled_ruling(heard, models, incumbent), True)


def _pooled_ruling(ledger: Ledger, models: Sequence[str], incumbent: str | None) -> Ruling:
    age = ledger.until - ledger.first_day if ledger.orders.day.size else 0
    return Ruling(
        champion=models[0] if models else None,
        incumbent=incumbent,
        challenger=None,
        against_challenger=NO_DIFFERENCE,
        reason=(
            f"pooled: {ledger.n_customers} customers known for {age} days are too few to judge a"
            " forecast of each, so that groups of customers share one"
        ),
    )
