"""How fast everybody's clock runs: visits of the BG/NBD process put on the calendar, one round of
visits after the other, because what happens after an order changes how soon the next one comes.

A person's clock runs in operational weeks of the shop, times a factor for every kind of event whose
days are running and for a membership while it lasts. The process on that clock stays BG/NBD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import STORE
from orchestration.science.sample_shop.buying.fates import Fates
from orchestration.science.sample_shop.buying.journeys import (
    LATE,
    LOST,
    ON_TIME,
    SENT_BACK,
    Journeys,
    travel,
)
from orchestration.science.sample_shop.buying.purchases import Visits
from orchestration.science.sample_shop.columns import take
from orchestration.science.sample_shop.facts.people import People
from orchestration.science.sample_shop.habits.relations import EFFECT_KINDS
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Floats,
    Integers,
    SeasonClock,
    month_of_year,
)

LATE_PARCEL, BAD_TICKET, RECOVERY, REFUSED_CODE, TIER, REFERRED = range(len(EFFECT_KINDS))
MEMBERSHIP = len(EFFECT_KINDS)
"""The two memberships that a person may have, and an offer, come behind the kinds of events."""
TIER_DAYS = 365


@dataclass
class Spells:
    """When each person's two memberships and an offer run, in operational weeks: (3, people)."""

    start: Floats
    end: Floats

    @classmethod
    def none(cls, people: int) -> Spells:
        """Return memberships and offers that never begin."""
        return cls(np.full((3, people), np.inf), np.full((3, people), np.inf))


@dataclass
class Without:
    """One event per person that does not happen in the world that is asked about."""

    kind: int
    number: Integers
    """Number of the visit that it hangs on, shape (people,)."""

    def hits(self, kind: int, person: Integers, number: int) -> NDArray[np.bool_]:
        """Tell whose event of this kind at this visit is taken away."""
        if kind != self.kind:
            return np.zeros(person.size, dtype=bool)
        return self.number[person] == number


@dataclass
class Course:
    """What became of each visit, one element per visit; wall-clock seconds, NEVER if it did not."""

    weeks: Floats
    """Operational weeks of the shop, infinite if the visit lies beyond the simulation."""
    late: Integers
    """End of the day on which a late parcel was promised: the promise is broken."""
    opened: Integers
    """Opening of the ticket about this order."""
    answered: Integers
    resolved: Integers
    is_slow: NDArray[np.bool_]
    is_reopened: NDArray[np.bool_]
    is_compensated: NDArray[np.bool_]
    is_enrolled: NDArray[np.bool_]
    tier: Integers
    """Tier after the order: 0 is the lowest, -1 not enrolled."""
    tier_until: Floats
    """Day since the opening on which that tier is lost without further orders."""
    lifts_tier: NDArray[np.bool_]
    """The order lifts the person into a higher tier than before, or back into a lost one."""

    @classmethod
    def of(cls, size: int) -> Course:
        """Return a course in which nothing has happened."""

        def no() -> NDArray[np.bool_]:
            return np.zeros(size, dtype=bool)

        def never() -> Integers:
            return np.full(size, NEVER)

        return cls(
            np.full(size, np.inf), never(), never(), never(), never(), no(), no(), no(), no(),
            np.full(size, -1), np.full(size, -np.inf), no(),
        )  # fmt: skip


class _Windows:
    """The running days of each kind of event and person, one interval each, in operational weeks."""

    def __init__(self, spells: Spells, parameters: Parameters, clock: SeasonClock) -> None:
        effects = parameters.effects
        self._clock, self._days = clock, effects.days
        shape = (MEMBERSHIP, spells.start.shape[1])
        self._start = np.concatenate([np.full(shape, np.inf), spells.start])
        self._end = np.concatenate([np.full(shape, -np.inf), spells.end])
        lift = parameters.purchasing.member_lift
        factors = [getattr(effects, kind) for kind in EFFECT_KINDS]
        factors += [lift, lift, parameters.experimenting.offer_lift]
        self._factor = np.array(factors)[:, np.newaxis]

    def open(self, kind: int, person: Integers, now: Floats, seconds: Integers) -> None:
        """Let the days of an event begin; days that have not ended yet are prolonged."""
        begin = self._clock.operational_of_local(seconds)
        until = self._clock.operational_of_local(seconds + self._days * DAY)
        runs = self._end[kind, person] > now
        start = np.where(runs, np.minimum(self._start[kind, person], begin), begin)
        self._start[kind, person] = start
        self._end[kind, person] = np.maximum(self._end[kind, person], until)

    def advance(self, person: Integers, now: Floats, gap: Floats) -> Floats:
        """Return the shop's week at which each person's own clock has run on by its gap."""
        now, left = now.copy(), gap.copy()
        going = np.arange(person.size)
        start, end = self._start[:, person], self._end[:, person]
        while going.size:
            begins, ends, at = start[:, going], end[:, going], now[going]
            runs = (begins <= at) & (at < ends)
            speed = np.where(runs, self._factor, 1.0).prod(axis=0)
            ahead = np.where(begins > at, begins, np.where(ends > at, ends, np.inf))
            ahead = np.where(ends > begins, ahead, np.inf).min(axis=0)
            arrival = at + left[going] / speed
            turns = ahead < arrival
            now[going] = np.where(turns, ahead, arrival)
            going, gone = going[turns], ((ahead - at) * speed)[turns]
            left[going] -= gone
        return now


class _Tiers:
    """Who is enrolled, and the tier that the orders of 365 days give and 365 days keep."""

    def __init__(self, people: int, parameters: Parameters) -> None:
        self._orders = parameters.loyalty.tier_orders
        self._last = np.full((max(self._orders), people), -np.inf)
        self._enrolled = np.zeros(people, dtype=bool)
        self._tier = np.zeros(people, dtype=np.int64)
        self._until = np.full(people, -np.inf)

    def order(
        self, person: Integers, day: Floats, enrols: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], Integers, Floats, NDArray[np.bool_]]:
        """Count an order; return who is enrolled, the tier, its end, and whether it was lifted."""
        self._last[1:, person] = self._last[:-1, person]
        self._last[0, person] = day
        earned = np.zeros(person.size, dtype=np.int64)
        for tier, orders in enumerate(self._orders):
            earned[self._last[orders - 1, person] > day - TIER_DAYS] = tier
        self._enrolled[person] |= enrols
        enrolled = self._enrolled[person]
        held = np.where(day < self._until[person], self._tier[person], 0)
        tier = np.where(enrolled, np.maximum(earned, held), 0)
        renews = enrolled & (earned >= held) & (earned > 0)
        self._tier[person] = tier
        self._until[person] = np.where(renews, day + TIER_DAYS, self._until[person])
        until = self._until[person]
        return enrolled, np.where(enrolled, tier, -1), until, enrolled & (earned > held)


def walk(
    visits: Visits,
    fates: Fates,
    journeys: Journeys,
    people: People,
    spells: Spells,
    parameters: Parameters,
    clock: SeasonClock,
    without: Without | None = None,
    until: Floats | None = None,
) -> Course:
    """Put visits on the calendar and let happen what hangs on them.

    Parameters
    ----------
    visits : Visits
        Sorted by person and then by number; the numbers of a person begin with 0.
    spells : Spells
        The memberships, which are known before: nothing but the first order of one moves it.
    without : Without, optional
        An event of each person that does not happen; everything else is as the fates have it.
    until : array of float, shape (people,), optional
        The shop's week from which on nobody asks any more what a person does.
    """
    count = people.kind.size
    course = Course.of(visits.person.size)
    if not visits.person.size:
        return course
    walker = _Walker(course, visits, fates, journeys, people, spells, parameters, clock, without)
    first = np.flatnonzero(visits.number == 0)
    visits_of = np.bincount(visits.person, minlength=count)[visits.person[first]]
    now = visits.weeks[first]
    stop = np.full(count, clock.horizon_weeks)
    if until is not None:
        stop = np.minimum(stop, until)
    number = 0
    while first.size:
        inside = now < stop[visits.person[first]]
        first, visits_of, now = first[inside], visits_of[inside], now[inside]
        walker.happens(first + number, now, number)
        number += 1
        goes_on = visits_of > number
        first, visits_of, now = first[goes_on], visits_of[goes_on], now[goes_on]
        row = first + number
        gap = visits.weeks[row] - visits.weeks[row - 1]
        now = walker.windows.advance(visits.person[row], now, gap)
    return course


class _Walker:
    """One round of visits: what happens to each, and which days it opens."""

    def __init__(
        self,
        course: Course,
        visits: Visits,
        fates: Fates,
        journeys: Journeys,
        people: People,
        spells: Spells,
        parameters: Parameters,
        clock: SeasonClock,
        without: Without | None,
    ) -> None:
        self.course, self.visits, self.fates, self.journeys = course, visits, fates, journeys
        self.people, self.parameters, self.clock = people, parameters, clock
        self.without = without or Without(-1, np.zeros(0, dtype=np.int64))
        self.windows = _Windows(spells, parameters, clock)
        self.tiers = _Tiers(people.kind.size, parameters)

    def happens(self, row: Integers, now: Floats, number: int) -> None:
        """Let the visits at these rows happen, all of the same number."""
        person = self.visits.person[row]
        self.course.weeks[row] = now
        day = self.clock.calendar(now)
        local = self.clock.local_seconds(day)
        outcome, promised = self._deliver(row, person, now, local, number)
        self._contact(row, person, now, local, outcome, promised, number)
        refused = self.fates.has_refused_code[row]
        refused &= ~self.without.hits(REFUSED_CODE, person, number)
        self.windows.open(REFUSED_CODE, person[refused], now[refused], local[refused])
        enrols = self.fates.enrols[row]
        if self.without.kind == TIER:
            # Who is not lifted is as a person who has not enrolled yet, and may still do so.
            enrols &= number > self.without.number[person]
        enrolled, tier, until, lifted = self.tiers.order(person, day, enrols)
        self.course.is_enrolled[row], self.course.tier[row] = enrolled, tier
        self.course.tier_until[row] = until
        self.course.lifts_tier[row] = lifted
        self.windows.open(TIER, person[lifted], now[lifted], local[lifted])
        if number == 0:
            invited = self.people.is_referred[person]
            invited &= ~self.without.hits(REFERRED, person, number)
            self.windows.open(REFERRED, person[invited], now[invited], local[invited])

    def _deliver(
        self, row: Integers, person: Integers, now: Floats, local: Integers, number: int
    ) -> tuple[Integers, Integers]:
        journeys = take(self.journeys, row)
        outcome = np.where(
            self.without.hits(LATE_PARCEL, person, number), ON_TIME, journeys.outcome
        )
        outcome = np.where(self.fates.channel[row] == STORE, ON_TIME, outcome)
        way = travel(local, self.fates.service[row], journeys, outcome, self.parameters)
        late = outcome == LATE
        broken = (way.promised[late] // DAY + 1) * DAY
        self.course.late[row[late]] = broken
        self.windows.open(LATE_PARCEL, person[late], now[late], broken)
        return outcome, way.promised

    def _contact(
        self,
        row: Integers,
        person: Integers,
        now: Floats,
        local: Integers,
        outcome: Integers,
        promised: Integers,
        number: int,
    ) -> None:
        habits, fates = self.parameters.service, self.fates
        earlier = min(number, habits.regular_orders)
        lost = (outcome == LOST) | (outcome == SENT_BACK)
        probability = np.select(
            [outcome == LATE, lost],
            [habits.contact_after_late, habits.contact_after_lost],
            habits.contact,
        )
        probability = probability + earlier * habits.contact_per_earlier_order
        chosen = np.flatnonzero(fates.contact_luck[row] < probability)
        row, person, now, local = row[chosen], person[chosen], now[chosen], local[chosen]
        trouble = outcome[chosen] != ON_TIME
        wait = (fates.contact_wait[row] * DAY).astype(np.int64)
        # Who waits for a parcel writes soon after the promise was broken.
        opened = np.where(trouble, promised[chosen] + wait // 4, local + wait)
        channel = fates.contact_channel[row]
        is_peak = np.isin(month_of_year(opened // DAY), habits.peak_months)
        slow = np.array(habits.slow_probability)[channel] * np.where(
            is_peak, habits.peak_factor, 1.0
        )
        spoiled = ~self.without.hits(BAD_TICKET, person, number)
        is_slow = (fates.slow_luck[row] < slow) & spoiled
        is_reopened = fates.is_reopened[row] & spoiled
        luck = fates.answer_luck[row]
        target = np.array(habits.answer_within_hours)[channel]
        hours = target * np.where(is_slow, 1.2 + 4 * luck, 0.08 + 0.85 * luck)
        answered = opened + 5 + (hours * HOUR).astype(np.int64)
        handling = fates.handling[row] * np.array(habits.handling_hours)[channel]
        handling = handling + np.where(is_reopened, 48 + 72 * luck, 0.0)
        resolved = answered + 60 + (handling * HOUR).astype(np.int64)
        share = np.where(trouble, habits.compensated_after_trouble, habits.compensated)
        share = share + earlier * habits.compensated_per_earlier_order
        compensated = fates.compensation_luck[row] < share
        compensated &= ~self.without.hits(RECOVERY, person, number)
        course = self.course
        course.opened[row], course.answered[row] = opened, answered
        course.resolved[row] = resolved
        course.is_slow[row], course.is_reopened[row] = is_slow, is_reopened
        course.is_compensated[row] = compensated
        bad = is_slow | is_reopened
        self.windows.open(BAD_TICKET, person[bad], now[bad], opened[bad])
        self.windows.open(RECOVERY, person[compensated], now[compensated], resolved[compensated])
