"""Shops by the hundred, what was estimated in each, and how that lies beside the hidden truth."""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from orchestration.science.effects.bootstrap import bootstrap_values
from orchestration.science.effects.estimation import Question, estimate_effect, estimate_effects
from orchestration.science.effects.records import Method
from tests.unit.science.effects.drawn_customers import HABIT, KINDS, OUTCOMES, Kind, drawn_shop


class Case(NamedTuple):
    """Shops of one kind, and how they are asked."""

    kind: Kind
    method: Method = "doubly_robust"


# Sound shops: the assumption of the method holds, and its intervals must hold the truth.
SOUND = (*(Case(kind) for kind in KINDS), Case(HABIT, "difference_in_differences"))

_MEMBERSHIP = KINDS[0]
# Shops where the assumption is broken, and by how much: what is hidden adds so much to the log-odds
# of the event per log rate of ordering, or habits end while the methods think that they last.
UNSOUND = (
    Case(replace(_MEMBERSHIP, name="hidden_trait_1", habit=1.0)),
    Case(replace(_MEMBERSHIP, name="hidden_trait_2", habit=2.0)),
    Case(replace(_MEMBERSHIP, name="hidden_trait_2_large_shop", habit=2.0, customers=16_000)),
    Case(replace(HABIT, name="habits_that_end", leaves=True), "difference_in_differences"),
)
# Shops where hardly anybody who had the event has a likeness.
NO_OVERLAP = (
    Case(
        replace(
            _MEMBERSHIP,
            name="only_the_frequent",
            share=0.3,
            by_frequency=15.0,
            by_recency=0.0,
            by_value=0.0,
        )
    ),
)


class Answer(NamedTuple):
    """One outcome of one shop."""

    truth: float
    naive: tuple[float, float]
    adjusted: tuple[float, float] | None
    is_placebo_passed: bool | None
    placebo: tuple[float, float] | None
    verdict: str


@dataclass(frozen=True)
class Tally:
    """All shops of a case, for one outcome."""

    name: str
    outcome_name: str
    answers: tuple[Answer, ...]

    @property
    def identified(self) -> list[Answer]:
        """Shops whose adjusted number would be told."""
        return [one for one in self.answers if one.adjusted is not None]

    def coverage(self, z: float, is_naive: bool = False) -> float:
        """Share of intervals of so many standard errors that hold the truth."""
        errors = np.abs(self.errors(is_naive))
        return float((errors <= z).mean()) if errors.size else float("nan")

    def errors(self, is_naive: bool = False) -> np.ndarray:
        """Estimate less truth in standard errors; the naive one is told of every shop."""
        told = (
            [(one.truth, *one.naive) for one in self.answers]
            if is_naive
            else [(one.truth, *one.adjusted) for one in self.identified if one.adjusted]
        )
        return np.array([(value - truth) / error for truth, value, error in told])


def answers_of(case: Case, seed: int) -> list[Answer]:
    """Ask for all outcomes of one shop, as a night would."""
    shop = drawn_shop(case.kind, seed)
    pairs = [
        (shop.sample(one), shop.placebo(one))
        if case.method == "doubly_robust"
        else shop.changed(one)
        for one in range(len(OUTCOMES))
    ]
    questions = [
        Question(case.kind.name, name, *pair) for name, pair in zip(OUTCOMES, pairs, strict=True)
    ]
    effects = estimate_effects(questions, method=case.method)
    found = []
    for effect, truth in zip(effects, shop.truth, strict=True):
        assert effect.naive is not None
        placebo = effect.placebo.estimate
        found.append(
            Answer(
                float(truth),
                (effect.naive.value, effect.naive.standard_error),
                None
                if effect.adjusted is None
                else (effect.adjusted.value, effect.adjusted.standard_error),
                effect.placebo.is_passed,
                None if placebo is None else (placebo.value, placebo.standard_error),
                effect.verdict,
            )
        )
    return found


def tallies(cases: Iterable[Case], shops: int, processes: int) -> Iterable[list[Tally]]:
    """All outcomes of one case after the other."""
    with ProcessPoolExecutor(processes) as pool:
        for case in cases:
            found = list(pool.map(partial(answers_of, case), range(shops), chunksize=5))
            yield [
                Tally(case.kind.name, name, tuple(answers))
                for name, answers in zip(OUTCOMES, zip(*found, strict=True), strict=True)
            ]


def bootstrap_ratio(case: Case, seed: int = 0, draws: int = 100) -> float:
    """Standard error by influence over the one by drawing customers anew, for orders."""
    shop = drawn_shop(case.kind, seed)
    sample = shop.sample(1)
    effect = estimate_effect(sample, event_name=case.kind.name, outcome_name=OUTCOMES[1])
    if effect.adjusted is None:
        return float("nan")
    return effect.adjusted.standard_error / float(bootstrap_values(sample, draws=draws).std(ddof=1))
