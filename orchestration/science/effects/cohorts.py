"""Customers on the day of an event, beside those who could have had it on the same days.

What belongs here is time: who is at risk, what was known before, and what counts as outcome. The
arrays that come out are what `estimation` asks; no effect is estimated here.

Customers are described on cut days, a month apart (`Ledger.known_at`). Whoever has the first event
in the month after a cut is treated, from that day on. Controls are drawn from those at risk on the
same cut who had not had the event by a day of reference in the same month: risk-set sampling (Lubin
& Gail 1984, Biometrics 40(1); Li, Propert & Rosenbaum 2001, JASA 96(455)). That they may have it
later is no reason to leave them out: nobody knew. The effect is hence that of having the event now
against not now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.effects.cohort_rows import OUTCOMES, Chosen, Rows
from orchestration.science.effects.estimation import Question
from orchestration.science.effects.records import Sample
from orchestration.science.errors import DataError
from orchestration.science.ledger import NEVER, Ledger

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HORIZON_DAYS = 180
# Customers are described anew so often; what they bought since is a covariate of its own.
CUT_EVERY_DAYS = 30
CONTROLS_PER_TREATED = 4
# More treated than this make intervals narrower than the assumptions are good for; some are drawn.
MOST_TREATED = 2_500
SEED = 20_240_229


class EventDays(NamedTuple):
    """Who met something on which day; each of shape (n_events,), in any order."""

    customer_ids: NDArray[np.object_]
    day: NDArray[np.int64]


@dataclass(frozen=True)
class Cohort:
    """Treated customers and controls, one row each, and what came of them.

    Attributes
    ----------
    horizon_days : int
    customer_ids : array of text, shape (n,)
        A control may come again on later cuts, and may be treated later.
    cut_day : array of int, shape (n,)
        Covariates are as of the end of this day.
    day : array of int, shape (n,)
        Of the event or of reference; the outcome counts the ``horizon_days`` after it.
    treated : array of bool, shape (n,)
    covariates : array of float, shape (n, n_covariates)
    names : tuple of text
    outcomes : array of float, shape (n, 3)
        Whether they ordered, on how many days, and the margin, in the order of `OUTCOMES`.
    old_enough : array of bool, shape (n,)
        Rows that the placebo can ask: customers who ordered within the days of ``recent``, and for
        the first time a horizon or more before them.
    recent : array of float, shape (n_old_enough, n_recent)
        What the last `RECENT_DAYS` alone say.
    recent_names : tuple of text
    outcomes_before : array of float, shape (n_old_enough, 3)
        As ``outcomes``, of the horizon that ended so long before the cut.
    """

    horizon_days: int
    customer_ids: NDArray[np.object_]
    cut_day: Integers
    day: Integers
    treated: NDArray[np.bool_]
    covariates: Floats
    names: tuple[str, ...]
    outcomes: Floats
    old_enough: NDArray[np.bool_]
    recent: Floats
    recent_names: tuple[str, ...]
    outcomes_before: Floats

    def questions(self, event_name: str) -> list[Question]:
        """Ask for the effect on every outcome, each with its placebo."""
        who = np.unique(self.customer_ids, return_inverse=True)[1]
        old = self.old_enough
        return [
            Question(
                event_name,
                f"{outcome}_{self.horizon_days}d",
                Sample(
                    self.treated,
                    self.outcomes[:, position],
                    self.covariates,
                    self.names,
                    customer=who,
                ),
                Sample(
                    self.treated[old],
                    self.outcomes_before[:, position],
                    self.recent,
                    self.recent_names,
                    customer=who[old],
                ),
            )
            for position, outcome in enumerate(OUTCOMES)
        ]


def events_of(ledger: Ledger, name: str, at_least: float | None = None) -> EventDays:
    """Take a kind of event from a ledger, if asked only those with an amount of so much.

    Raises
    ------
    DataError
        If the ledger has no such kind.
    """
    if name not in ledger.events:
        known = ", ".join(sorted(ledger.events)) or "none"
        raise DataError(f"there are no events {name}; there are {known}")
    found = ledger.events[name]
    chosen = slice(None) if at_least is None else found.amount >= at_least
    return EventDays(
        ledger.customer_ids[found.customer[chosen]], found.day[chosen].astype(np.int64)
    )


def order_days_of(ledger: Ledger) -> EventDays:
    """Take every day with an order: the occasions of events that come with one, like joining.

    Whoever joins at the checkout has just shown that they still buy; controls on a day without an
    order have not, and the difference would be taken for an effect.
    """
    occasions = ledger.occasions()
    return EventDays(ledger.customer_ids[occasions.customer], occasions.day.astype(np.int64))


def event_cohort(
    ledger: Ledger,
    event: str | EventDays,
    *,
    at_risk: EventDays | None = None,
    horizon_days: int = HORIZON_DAYS,
    cut_every_days: int = CUT_EVERY_DAYS,
    controls_per_treated: int = CONTROLS_PER_TREATED,
    most_treated: int = MOST_TREATED,
) -> Cohort:
    """Gather customers at the time of their first event, and controls at the same times.

    Parameters
    ----------
    ledger : Ledger
    event : str or EventDays
        A kind of event of the ledger, or customers with their days. The first of each counts.
    at_risk : EventDays, optional
        The occasions on which the event could have come: parcels for late parcels, complaints for
        a recovery, `order_days_of` for what is decided at the checkout. Controls are then those who
        met one and not the event. Absent, everybody is at risk on every day.
    horizon_days, cut_every_days, controls_per_treated, most_treated : int > 0

    Returns
    -------
    Cohort
        Without rows, where nobody had the event early enough to know what came of it.

    Raises
    ------
    DataError
        If the ledger has no such event, or a number of days is not positive.
    """
    numbers = (horizon_days, cut_every_days, controls_per_treated, most_treated)
    if min(numbers) <= 0:
        raise DataError(f"days and numbers of customers must be positive, got {numbers}")
    days = events_of(ledger, event) if isinstance(event, str) else event
    first = _first_days(ledger, days)
    treated = np.flatnonzero(first < NEVER)
    if treated.size > most_treated:
        # By lot, without regard to anything that people did.
        lot = np.random.default_rng(SEED).permutation(ledger.n_customers)[treated]
        treated = treated[np.sort(np.argsort(lot)[:most_treated])]
    is_drawn = np.zeros(ledger.n_customers, dtype=bool)
    is_drawn[treated] = True

    occasions = ledger.occasions()
    rows = [
        Rows.of(ledger, occasions, chosen, horizon_days)
        for chosen in _chosen(
            ledger, first, is_drawn, at_risk, horizon_days, cut_every_days, controls_per_treated
        )
    ]
    return _together(rows, horizon_days)


def _chosen(
    ledger: Ledger,
    first: Integers,
    is_drawn: NDArray[np.bool_],
    at_risk: EventDays | None,
    horizon_days: int,
    cut_every_days: int,
    controls_per_treated: int,
) -> Iterator[Chosen]:
    """Treated and controls of each cut, from the latest whose horizon is over to the earliest."""
    latest = ledger.until - horizon_days - cut_every_days
    for cut in range(latest, ledger.first_day - 1, -cut_every_days):
        last = cut + cut_every_days
        own = (first > cut) & (first <= last) & is_drawn
        if not own.any():
            continue
        known = ledger.known_at(cut)
        position = np.searchsorted(ledger.customer_ids, known.customer_ids)
        treated = position[own[position]]
        if not treated.size:
            continue
        random = np.random.default_rng([SEED, cut])
        if at_risk is None:
            reference = np.full(ledger.n_customers, NEVER, dtype=np.int64)
            reference[position] = random.choice(first[treated], position.size)
        else:
            reference = _first_days(ledger, at_risk, after=cut)
        could = position[(reference[position] <= last) & (first[position] > reference[position])]
        wanted = min(could.size, controls_per_treated * treated.size)
        controls = np.sort(random.choice(could, wanted, replace=False))
        customer = np.concatenate([treated, controls])
        day = np.concatenate([first[treated], reference[controls]])
        yield Chosen(known, customer, day, np.arange(customer.size) < treated.size)


def _first_days(ledger: Ledger, days: EventDays, after: int | None = None) -> Integers:
    """First day of each customer of a ledger, `NEVER` where there is none; strangers are ignored."""
    ids, day = np.asarray(days.customer_ids, dtype=object), np.asarray(days.day, dtype=np.int64)
    if ids.shape != day.shape:
        raise DataError(f"events have {ids.size} customers but {day.size} days")
    found = np.full(ledger.n_customers, NEVER, dtype=np.int64)
    if not ids.size or not ledger.n_customers:
        return found
    position = np.minimum(np.searchsorted(ledger.customer_ids, ids), ledger.n_customers - 1)
    own = ledger.customer_ids[position] == ids
    if after is not None:
        own &= day > after
    np.minimum.at(found, position[own], day[own])
    return found


def _together(rows: list[Rows], horizon_days: int) -> Cohort:
    """All cuts in one, the earliest first."""
    rows = rows[::-1]
    covariates, names = _stacked([(one.covariates, one.treated.size) for one in rows])
    recent, recent_names = _stacked([(one.recent, int(one.old_enough.sum())) for one in rows])
    none = np.zeros(0)
    wide = np.zeros((0, len(OUTCOMES)))
    return Cohort(
        horizon_days,
        np.concatenate([none.astype(object), *(one.customer_ids for one in rows)]),
        np.concatenate([none.astype(np.int64), *(one.cut_day for one in rows)]),
        np.concatenate([none.astype(np.int64), *(one.day for one in rows)]),
        np.concatenate([none.astype(bool), *(one.treated for one in rows)]),
        covariates,
        names,
        np.concatenate([wide, *(one.outcomes for one in rows)]),
        np.concatenate([none.astype(bool), *(one.old_enough for one in rows)]),
        recent,
        recent_names,
        np.concatenate([wide, *(one.outcomes_before for one in rows)]),
    )


def _stacked(parts: list[tuple[dict[str, Floats], int]]) -> tuple[Floats, tuple[str, ...]]:
    """Columns of all cuts below each other; what a cut did not know of yet is NaN there."""
    names = tuple(dict.fromkeys(name for columns, _ in parts for name in columns))
    stacked = np.full((sum(size for _, size in parts), len(names)), np.nan)
    begin = 0
    for columns, size in parts:
        for position, name in enumerate(names):
            if name in columns:
                stacked[begin : begin + size, position] = columns[name]
        begin += size
    return stacked, names
