"""Customers with a hidden effect, and events that follow what they did before.

People buy at their own rate until they leave for good; both are hidden. What a shop sees of the
year before (orders, silence, order values, returns) decides who has the event, or, for hidden
habits, the rate itself does. Both futures of everybody are known here: with the event, and without.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from orchestration.science.effects.records import Sample

HORIZON, YEAR = 180, 365
OUTCOMES = ("ordered_180d", "orders_180d", "margin_180d")
MARGIN_RATE = 0.35
# Customers of one shop that the hidden truth is averaged over, with expectations and not draws.
TRUTH_CUSTOMERS = 100_000


@dataclass(frozen=True)
class Kind:
    """How one kind of event meets customers, and what it does to them.

    ``by_*`` are log-odds of the event per standard unit of what was seen; ``log_effect`` multiplies
    the rate of ordering by its exponential, ``log_effect_by_frequency`` changes that per log order
    of the last year; ``habit`` is what the hidden rate adds to the log-odds.
    """

    name: str
    customers: int
    share: float
    by_frequency: float
    by_recency: float
    by_value: float
    by_returns: float
    log_effect: float
    log_effect_by_frequency: float
    habit: float = 0.0
    leaves: bool = True


KINDS = (
    Kind("membership", 4_000, 0.12, 0.9, 0.8, 0.3, 0.0, 0.35, -0.08),
    Kind("loyalty_tier", 4_000, 0.15, 0.7, 0.4, 0.9, -0.2, 0.25, -0.05),
    Kind("late_delivery", 4_000, 0.10, 0.8, 1.0, 0.0, 0.1, -0.25, 0.05),
    Kind("bad_service", 4_000, 0.06, 0.6, 0.7, 0.2, 0.6, -0.45, 0.08),
    Kind("recovery", 1_200, 0.45, 0.8, 0.6, 0.8, -0.4, 0.40, 0.00),
    Kind("first_bad_experience", 4_000, 0.15, 0.9, 0.6, 0.1, 0.4, -0.30, 0.10),
    Kind("referral", 4_000, 0.08, 0.6, 0.9, 0.2, -0.3, 0.30, -0.10),
)
# People who join because they buy much anyway, which no covariate shows; nobody leaves, so that
# without the event one half year is like the other.
HABIT = Kind("membership_by_habit", 4_000, 0.20, 0.0, 0.0, 0.0, 0.0, 0.30, 0.0, 0.8, False)


class Shop(NamedTuple):
    """Arrays of one shop, and the truth about the treated."""

    covariates: np.ndarray
    names: tuple[str, ...]
    # Columns that do not tell the far past, for the placebo.
    recent: np.ndarray
    treated: np.ndarray
    # (n, 3) each, in the order of OUTCOMES.
    outcome: np.ndarray
    half_year_before: np.ndarray
    year_before_last: np.ndarray
    is_old_enough: np.ndarray
    truth: np.ndarray

    def sample(self, outcome: int) -> Sample:
        """What the shop knows about everybody."""
        return Sample(self.treated, self.outcome[:, outcome], self.covariates, self.names)

    def placebo(self, outcome: int) -> Sample:
        """The year before last, given the last year alone."""
        old = self.is_old_enough
        return Sample(
            self.treated[old],
            self.year_before_last[old, outcome],
            self.covariates[old][:, self.recent],
            tuple(np.array(self.names)[self.recent]),
        )

    def changed(self, outcome: int) -> tuple[Sample, Sample]:
        """For differences in differences: sample and placebo with what does not tell orders."""
        still = [self.names.index(name) for name in ("tenure_days", "region")]
        columns, names = self.covariates[:, still], tuple(self.names[one] for one in still)
        now, before = self.outcome[:, outcome], self.half_year_before[:, outcome]
        earlier = self.year_before_last[:, outcome]
        old = self.is_old_enough
        return (
            Sample(self.treated[old], now[old], columns[old], names, before[old]),
            Sample(self.treated[old], before[old], columns[old], names, earlier[old]),
        )


class _People(NamedTuple):
    rate: np.ndarray
    value: np.ndarray
    tenure: np.ndarray
    exposure: np.ndarray
    covariates: dict[str, np.ndarray]
    half_year_before: np.ndarray
    year_before_last: np.ndarray


def drawn_shop(
    kind: Kind, seed: int, customers: int | None = None, truth_customers: int = TRUTH_CUSTOMERS
) -> Shop:
    """One shop: its own strengths of confounding and effect, its customers, and the truth."""
    random = np.random.default_rng([seed, sum(map(ord, kind.name))])
    strength = random.uniform(0.7, 1.2)
    own = replace(
        kind,
        log_effect=kind.log_effect * random.uniform(0.6, 1.4),
        by_frequency=kind.by_frequency * strength,
        by_recency=kind.by_recency * strength,
        by_value=kind.by_value * strength,
        by_returns=kind.by_returns * strength,
    )
    shape, mean = random.uniform(0.9, 1.6), random.uniform(1.2, 2.2)
    many = _people(truth_customers, shape, mean, own, random)
    score = _score(many, own)
    level = _level(score, own.share)
    chance = 1 / (1 + np.exp(-(score + level)))
    is_compared = chance <= 0.9
    if not own.leaves:
        is_compared &= many.tenure >= YEAR + HORIZON
    gain = _expected(many, own, True) - _expected(many, own, False)
    weight = (chance * is_compared)[:, None]
    truth = (weight * gain).sum(axis=0) / weight.sum()

    few = _people(customers or own.customers, shape, mean, own, random)
    chance = 1 / (1 + np.exp(-(_score(few, own) + level)))
    treated = random.random(chance.size) < chance
    log_effect = np.where(treated, _log_effect(few, own), 0.0)
    count = random.poisson(few.rate * few.exposure * np.exp(log_effect))
    names = tuple(few.covariates)
    return Shop(
        np.column_stack(list(few.covariates.values())),
        names,
        np.array([name != "orders_before_last_year" for name in names]),
        treated,
        _outcomes(count, few.value, random),
        few.half_year_before,
        few.year_before_last,
        few.tenure >= YEAR + HORIZON,
        truth,
    )


def _people(n, shape, mean, kind, random):  # type: ignore[no-untyped-def]
    """Draw lives in days before the day of the event, and what the shop saw of them."""
    rate = random.gamma(shape, mean / shape, n) / HORIZON
    value = np.exp(random.normal(3.6, 0.5, n))
    tenure = random.integers(30, 1_100, n).astype(float)
    leaving = random.gamma(1.2, 1 / 500, n) if kind.leaves else np.zeros(n)
    life = random.exponential(1 / np.maximum(leaving, 1e-9))
    last_day = tenure - np.minimum(life, tenure)
    exposure = np.clip(life - tenure, 0, HORIZON)

    count = random.poisson(rate * (tenure - last_day))
    who = np.repeat(np.arange(n), count)
    ago = random.uniform(last_day[who], tenure[who])

    def within(low, high):  # type: ignore[no-untyped-def]
        return np.bincount(who[(ago >= low) & (ago < high)], minlength=n)

    silence = np.full(n, np.inf)
    np.minimum.at(silence, who, ago)
    silence[silence >= YEAR] = np.nan
    year = within(0, YEAR)
    seen_value = np.where(
        year > 0, value * random.gamma(4 * np.maximum(year, 1)) / (4 * np.maximum(year, 1)), np.nan
    )
    covariates = {
        "orders_last_30d": within(0, 30),
        "orders_last_90d": within(0, 90),
        "orders_last_180d": within(0, 180),
        "orders_last_365d": year,
        "days_since_last_order": silence,
        "value": seen_value,
        "returns": random.binomial(year, 0.15),
        "tenure_days": tenure,
        "region": random.integers(0, 2, n),
        "orders_before_last_year": within(YEAR, np.inf),
    }
    return _People(
        rate,
        value,
        tenure,
        exposure,
        {name: column.astype(float) for name, column in covariates.items()},
        _outcomes(within(0, HORIZON), value, random),
        _outcomes(within(YEAR, YEAR + HORIZON), value, random),
    )


def _score(people: _People, kind: Kind) -> np.ndarray:
    """Log-odds of the event but for their level: bends, and a product of frequency and recency."""
    seen = people.covariates
    frequency = np.log1p(seen["orders_last_365d"])
    recency = np.where(
        np.isnan(seen["days_since_last_order"]), 0, np.exp(-seen["days_since_last_order"] / 90)
    )
    value = np.where(np.isnan(seen["value"]), 0, np.log(np.maximum(seen["value"], 1)) - 3.6)
    return (
        kind.by_frequency * (frequency - 1)
        + kind.by_recency * recency
        + 0.2 * kind.by_recency * recency * frequency
        + kind.by_value * value
        + kind.by_returns * np.minimum(seen["returns"], 3)
        + 0.3 * seen["region"]
        + kind.habit * np.log(people.rate * HORIZON)
    )


def _level(score: np.ndarray, share: float) -> float:
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _share(score + middle) < share else (low, middle)
    return (low + high) / 2


def _share(score: np.ndarray) -> float:
    return float((1 / (1 + np.exp(-score))).mean())


def _log_effect(people: _People, kind: Kind) -> np.ndarray:
    frequency = np.log1p(people.covariates["orders_last_365d"])
    return kind.log_effect + kind.log_effect_by_frequency * frequency


def _expected(people: _People, kind: Kind, is_treated: bool) -> np.ndarray:
    """Expected outcomes of everybody in one of both futures, given what is hidden; (n, 3)."""
    mean = people.rate * people.exposure
    if is_treated:
        mean = mean * np.exp(_log_effect(people, kind))
    return np.column_stack([1 - np.exp(-mean), mean, mean * people.value * MARGIN_RATE])


def _outcomes(count, value, random):  # type: ignore[no-untyped-def]
    """Ordered at all, orders, and the margin of uneven orders, some of them at a loss."""
    # Parcels and returns cost money that no order earns: 1 a piece, made good by the mean.
    earned = value * MARGIN_RATE * random.gamma(2 * np.maximum(count, 1)) / 2 * (count > 0)
    noise = random.normal(0, 4, count.size) * np.sqrt(count)
    return np.column_stack([(count > 0).astype(float), count.astype(float), earned + noise])
