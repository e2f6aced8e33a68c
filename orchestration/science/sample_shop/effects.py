"""What events really changed: the buying after them beside a world in which they did not happen.

For everybody who met an event of a kind, the first one: the past up to the order it hangs on stays as
it was, what follows is drawn anew many times, once with the event and once without it and all other
luck the same. The mean difference is the effect that an estimate has to find. What follows from the
event counts (a late parcel makes for tickets), later events of the same kind happen in both worlds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.buying.fates import Fates, draw_fates
from orchestration.science.sample_shop.buying.journeys import Journeys
from orchestration.science.sample_shop.buying.pace import (
    MEMBERSHIP,
    Course,
    Spells,
    Without,
    walk,
)
from orchestration.science.sample_shop.buying.purchases import (
    Visits,
    furthest_week,
    later_visits,
)
from orchestration.science.sample_shop.columns import keys, labels, moments, stack, take
from orchestration.science.sample_shop.facts.people import People
from orchestration.science.sample_shop.habits.relations import EFFECT_KINDS
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import (
    DAY,
    NEVER,
    Floats,
    Integers,
    local_from_utc,
    utc_from_local,
)
from orchestration.science.sample_shop.simulation import Facts, Frame, let_join, simulate
from orchestration.science.sample_shop.streams import stream

KINDS = (*EFFECT_KINDS, "membership")
REPLICATIONS = 20


@dataclass(frozen=True)
class TrueEffect:
    """What a kind of event changes in the orders of the days after it, in the mean of the exposed.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    days : int
        Length of the window after the event, open at its beginning.
    person : array of int, shape (n_exposed,)
        Who met the event so early that the window is over; places in the facts' people.
    moment : array of int, shape (n_exposed,)
        UTC second of the first event: the end of the day a parcel was promised on, the opening of
        a ticket, the solution of a compensated one, or the order of the other kinds.
    orders_with, orders_without : array of float, shape (n_exposed,)
        Expected orders in the window.
    bought_with, bought_without : array of float, shape (n_exposed,)
        Probability of one order or more.
    replications : int
        Futures drawn for each person; what is expected is their mean.
    """

    kind: str
    days: int
    person: Integers
    moment: Integers
    orders_with: Floats
    orders_without: Floats
    bought_with: Floats
    bought_without: Floats
    replications: int

    @property
    def orders(self) -> float:
        """Mean effect on the number of orders; NaN where nobody is exposed."""
        return _mean(self.orders_with - self.orders_without)

    @property
    def bought(self) -> float:
        """Mean effect on the share that orders at all; NaN where nobody is exposed."""
        return _mean(self.bought_with - self.bought_without)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def effects_truth(
    parameters: Parameters, replications: int = REPLICATIONS
) -> tuple[Frame, Facts, dict[str, TrueEffect]]:
    """Make a shop of one chunk in memory and say what each kind of event truly changes in it.

    For the bench of effects: a few thousand customers take about two seconds. Factors and
    exposures are chosen by `Parameters(effects=..., service=..., ...)`; tables are had from
    `further.all_known_tables(frame, [facts], frame.end_moment)`, and `Facts` holds who is who.

    Parameters
    ----------
    parameters : Parameters
        Of up to `chunk_customers` customers.
    replications : int
        Futures drawn for each exposed person.

    Returns
    -------
    frame : Frame
    facts : Facts
    effects : dict of str to TrueEffect
        One for each of `KINDS`.
    """
    frame, chunks = simulate(np.random.default_rng(parameters.seed), parameters)
    [facts] = chunks
    return frame, facts, true_effects(frame, facts, replications)


def true_effects(
    frame: Frame, facts: Facts, replications: int = REPLICATIONS
) -> dict[str, TrueEffect]:
    """Return the effect of every kind of event in a shop that is already drawn."""
    return {kind: _effect(frame, facts, number, replications) for number, kind in enumerate(KINDS)}


def first_events(frame: Frame, facts: Facts, kind: int) -> tuple[Integers, Integers]:
    """Return the visit that the first event of each exposed person hangs on, and its local second."""
    course, visits = facts.course, facts.visits
    row = np.flatnonzero(facts.visits_inside)
    ordered = frame.clock.local_seconds(frame.clock.calendar(course.weeks[row]))
    bad = course.is_slow | course.is_reopened
    never = np.full(row.size, NEVER)
    joined = np.zeros(row.size, dtype=bool)
    starts = facts.spells.start[0, visits.person[row]]
    joined[np.isfinite(starts)] = (course.weeks[row] == starts)[np.isfinite(starts)]
    moment = (
        course.late[row],
        np.where(bad[row], course.opened[row], never),
        np.where(course.is_compensated[row], course.resolved[row], never),
        np.where(facts.fates.has_refused_code[row], ordered, never),
        np.where(course.lifts_tier[row], ordered, never),
        np.where(
            (visits.number[row] == 0) & facts.people.is_referred[visits.person[row]], ordered, never
        ),
        np.where(joined, ordered, never),
    )[kind]
    row, moment = row[moment < NEVER], moment[moment < NEVER]
    by_time = np.lexsort([moment, visits.person[row]])
    row, moment = row[by_time], moment[by_time]
    _, first = np.unique(visits.person[row], return_index=True)
    return row[first], moment[first]


def _effect(frame: Frame, facts: Facts, kind: int, replications: int) -> TrueEffect:
    days = frame.parameters.effects.days
    visit, moment = first_events(frame, facts, kind)
    over = local_from_utc(np.asarray(frame.end_moment)) - days * DAY
    visit, moment = visit[moment <= over], moment[moment <= over]
    future = _Futures(frame, facts, kind, visit, moment, replications)
    counts = [future.orders(happens).reshape(replications, -1) for happens in (True, False)]
    return TrueEffect(
        kind=KINDS[kind],
        days=days,
        person=facts.visits.person[visit],
        moment=utc_from_local(moment),
        orders_with=counts[0].mean(axis=0),
        orders_without=counts[1].mean(axis=0),
        bought_with=(counts[0] > 0).mean(axis=0),
        bought_without=(counts[1] > 0).mean(axis=0),
        replications=replications,
    )


class _Futures:
    """Copies of the exposed with their past, and with futures drawn anew for each copy."""

    def __init__(
        self,
        frame: Frame,
        facts: Facts,
        kind: int,
        visit: Integers,
        moment: Integers,
        replications: int,
    ) -> None:
        self._frame, self._kind = frame, kind
        visits, parameters, clock = facts.visits, frame.parameters, frame.clock
        window = parameters.effects.days * DAY
        self._begin = np.tile(clock.operational_of_local(moment), replications)
        self._end = np.tile(clock.operational_of_local(moment + window), replications)
        person = np.tile(visits.person[visit], replications)
        self._number = np.tile(visits.number[visit], replications)
        self._people: People = take(facts.people, person)
        self._rng = stream(parameters.seed, f"futures {KINDS[kind]}", facts.offsets.people)
        # Visits of a person are neighbours, so the past is the rows up to the visit.
        rows = np.repeat(np.tile(visit, replications), self._number + 1)
        back = np.concatenate([np.arange(one, -1, -1) for one in self._number.tolist()] or [rows])
        rows = rows - back.astype(np.int64)
        past = take(visits, rows)
        past.person = np.repeat(np.arange(person.size), self._number + 1)
        latest = take(past, np.cumsum(self._number + 1) - 1)
        going = np.flatnonzero(~latest.is_last)
        first = past.weeks[np.cumsum(self._number + 1) - self._number - 1]
        until = furthest_week(parameters, clock, first)
        later = later_visits(
            self._rng,
            take(latest, going),
            self._people.rate[going],
            self._people.dropout[going],
            until[going],
        )
        fates, journeys = draw_fates(self._rng, later, self._people, parameters)
        both = stack([past, later])
        place = np.lexsort([both.number, both.person])
        self._visits: Visits = take(both, place)
        self._fates: Fates = take(stack([take(facts.fates, rows), fates]), place)
        self._journeys: Journeys = take(stack([take(facts.journeys, rows), journeys]), place)
        self._spells = Spells(facts.spells.start[:, person], facts.spells.end[:, person])
        weeks = facts.course.weeks[np.tile(visit, replications)]
        self._was_member = self._spells.start[0] <= weeks

    def orders(self, happens: bool) -> Integers:
        """Count the orders of each copy in the days after the event."""
        without = None if happens else Without(self._kind, self._number)
        course = self._walk(self._memberships(happens, without), without)
        who = self._visits.person
        counted = self._visits.number > self._number[who]
        counted &= (course.weeks > self._begin[who]) & (course.weeks < self._end[who])
        return np.bincount(who[counted], minlength=self._people.kind.size)

    def _walk(self, spells: Spells, without: Without | None) -> Course:
        return walk(
            self._visits, self._fates, self._journeys, self._people, spells,
            self._frame.parameters, self._frame.clock, without, self._end,
        )  # fmt: skip

    def _memberships(self, happens: bool, without: Without | None) -> Spells:
        """Keep the memberships that had begun, and let the others join at one of the new orders."""
        keeps = self._was_member & (happens or self._kind != MEMBERSHIP)
        earliest = np.where(keeps, np.iinfo(np.int64).max, self._number + 1)
        # Both worlds start from the same luck.
        luck = stream(self._frame.parameters.seed, f"later memberships {KINDS[self._kind]}")
        _, _, spells = let_join(
            luck, self._visits, self._fates, self._journeys, self._people,
            (self._spells.start[2], self._spells.end[2]), self._frame.parameters,
            self._frame.clock, earliest, without, self._end,
        )  # fmt: skip
        start = np.where(keeps, self._spells.start, spells.start)
        return Spells(start, np.where(keeps, self._spells.end, spells.end))


def effects_summary(effects: dict[str, TrueEffect], parameters: Parameters) -> dict[str, object]:
    """Return what truth.json says of the effects."""
    lift = parameters.purchasing.member_lift
    return {
        kind: {
            "factor": getattr(parameters.effects, kind, lift),
            "days": one.days,
            "exposed": int(one.person.size),
            "orders_with": round(_mean(one.orders_with), 4),
            "orders_without": round(_mean(one.orders_without), 4),
            "orders_effect": round(one.orders, 4),
            "bought_with": round(_mean(one.bought_with), 4),
            "bought_without": round(_mean(one.bought_without), 4),
            "bought_effect": round(one.bought, 4),
            "futures_drawn": one.replications,
        }
        for kind, one in effects.items()
    }


def exposures_table(effects: dict[str, TrueEffect], facts: Facts) -> pa.Table:
    """One row per kind and exposed person: when it happened first, and what it changes."""
    every = list(effects.values())
    person = np.concatenate([one.person for one in every])
    kind = np.repeat(np.arange(len(every)), [one.person.size for one in every])

    def column(name: str) -> pa.Array:
        return pa.array(np.round(np.concatenate([getattr(one, name) for one in every]), 3))

    return pa.table(
        {
            "kind": labels(kind, list(effects)),
            "person_id": keys("X", facts.offsets.people + person + 1),
            "happened_at": moments(np.concatenate([one.moment for one in every]), int(NEVER)),
            "orders_with": column("orders_with"),
            "orders_without": column("orders_without"),
            "bought_with": column("bought_with"),
            "bought_without": column("bought_without"),
        }
    )
