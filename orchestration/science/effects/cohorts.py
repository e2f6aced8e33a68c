"""Customers on the day of an event, beside those who met the same occasion without it.

What belongs here is time: who is at risk, what was known before, and what counts as outcome. The
arrays that come out are what `estimation` asks; no effect is estimated here.

Rows are occasions: a parcel that was due, an order at whose checkout one could have joined. Those on
which a customer met the event for the first time are treated. Controls are drawn from the occasions
of the same month on which the customer had not had it by then: risk-set sampling (Lubin & Gail 1984,
Biometrics 40(1); Li, Propert & Rosenbaum 2001, JASA 96(455)). That they may have it later is no
reason to leave them out: nobody knew. The effect is hence that of having the event now against not
now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science.effects.cohort_rows import (
    OUTCOMES,
    Keys,
    described,
    first_order_days,
    group_columns,
    group_shares,
    ordered_on,
    outcomes_of,
)
from orchestration.science.effects.estimation import Question
from orchestration.science.effects.occasions import (
    EventDays,
    events_of,
    firsts,
    keys_of,
    likely,
    rows_of,
    unlikely_words,
)
from orchestration.science.effects.records import Sample
from orchestration.science.errors import DataError
from orchestration.science.ledger import NEVER, Ledger

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HORIZON_DAYS = 180
# Controls are of the same month as the treated beside whom they stand.
MONTH_DAYS = 30
CONTROLS_PER_TREATED = 4
# More treated than this make intervals narrower than the assumptions are good for; some are drawn.
MOST_TREATED = 2_500
# The placebo is what came in the days before these, given these alone. It doubts too much where the
# event follows from what is older still, a tier of the whole year for one, so that as many days are
# given as leave so many treated who were customers before them; a young shop has but the fewest.
RECENT_DAYS, PLACEBO_DAYS = (365, 180, 90), 90
ENOUGH_FOR_PLACEBO = 100
SEED = 20_240_229


class Bystanders(NamedTuple):
    """Customers without the event, one row each time they were drawn, and what came of them."""

    customer_ids: NDArray[np.object_]
    outcomes: Floats


@dataclass(frozen=True)
class Cohort:
    """Occasions with the event and without, one row each, and what came of them.

    Attributes
    ----------
    horizon_days : int
    customer_ids : array of text, shape (n,)
        A control may come again, and may be treated later.
    day : array of int, shape (n,)
        Of the event or of the occasion; the outcome counts the ``horizon_days`` after it.
    known_before : array of int, shape (n,)
        Covariates know the days before this one.
    treated : array of bool, shape (n,)
    covariates : array of float, shape (n, n_covariates)
    names : tuple of text
    outcomes : array of float, shape (n, 3)
        Whether they ordered, on how many days, and the margin, in the order of `OUTCOMES`.
    old_enough : array of bool, shape (n,)
        Rows that the placebo can ask: the first order lies before the days that it asks about.
    recent : array of float, shape (n_old_enough, n_recent)
        What the last ``recent_days`` alone say.
    recent_names : tuple of text
    recent_days : int
        One of `RECENT_DAYS`.
    outcomes_before : array of float, shape (n_old_enough, 3)
        As ``outcomes``, of the `PLACEBO_DAYS` before those days.
    order_value : array of float, shape (n,)
        Logarithm of one more than what was ordered on the row's own day.
    others : Bystanders
        Whoever had not had the event on days of the treated, on an occasion or not, if asked on an
        occasion of any kind: whom a naive look compares.
    """

    horizon_days: int
    customer_ids: NDArray[np.object_]
    day: Integers
    known_before: Integers
    treated: NDArray[np.bool_]
    covariates: Floats
    names: tuple[str, ...]
    outcomes: Floats
    old_enough: NDArray[np.bool_]
    recent: Floats
    recent_names: tuple[str, ...]
    recent_days: int
    outcomes_before: Floats
    order_value: Floats
    others: Bystanders

    def questions(self, event_name: str, *, asks_first_order: bool = False) -> list[Question]:
        """Ask for the effect on every outcome, each with its placebo.

        Parameters
        ----------
        event_name : str
        asks_first_order : bool
            New customers have no past: whether their first order is worth more or less than that of
            others, before anything can have come of the event, is asked instead.
        """
        everybody = np.concatenate([self.customer_ids, self.others.customer_ids])
        number = np.unique(everybody, return_inverse=True)[1]
        who, others = number[: self.treated.size], number[self.treated.size :]
        if asks_first_order:
            first = Sample(
                self.treated, self.order_value, self.covariates, self.names, customer=who
            )
            words = "in the logarithm of the first order's value"
            return [
                one._replace(placebo=first, placebo_words=words)
                for one in self.questions(event_name)
            ]
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
                others=(self.others.outcomes[:, position], others),
            )
            for position, outcome in enumerate(OUTCOMES)
        ]


def event_cohort(
    ledger: Ledger,
    event: str | EventDays,
    *,
    at_risk: EventDays | None = None,
    history: EventDays | None = None,
    is_naive_among_occasions: bool = False,
    horizon_days: int = HORIZON_DAYS,
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
        a recovery, days with an order for what is decided at the checkout (who stands there has
        just shown that they still buy). Absent, every customer is at risk on every day since the
        first order.
    history : EventDays, optional
        Earlier occasions whose groups describe a customer: by which share of the orders before came
        through the app.
    is_naive_among_occasions : bool
        Whether the naive gap is to all occasions at risk; else it is to all customers.
    horizon_days, controls_per_treated, most_treated : int > 0

    Returns
    -------
    Cohort
        Without rows, where nobody had the event early enough to know what came of it.

    Raises
    ------
    DataError
        If the ledger has no such event, or a number of days is not positive.
    """
    numbers = (horizon_days, controls_per_treated, most_treated)
    if min(numbers) <= 0:
        raise DataError(f"days and numbers of customers must be positive, got {numbers}")
    event = events_of(ledger, event) if isinstance(event, str) else event
    days = keys_of(ledger, event)
    first = firsts(days)
    treated = rows_of(days, first)
    # Whose horizon is not over tells nothing.
    treated = rows_of(treated, treated.day <= ledger.until - horizon_days)
    risk = any_risk = None
    if at_risk is not None:
        any_risk = keys_of(ledger, at_risk)
        unlikely = unlikely_words(at_risk, event)
        treated = rows_of(treated, likely(event, unlikely)[treated.place])
        at_risk = at_risk.where(likely(at_risk, unlikely))
        risk = keys_of(ledger, at_risk)
    born = first_order_days(ledger)
    # Of those who looked around and never ordered nothing is known, so that before the first order
    # the others would be known by what they did later.
    if risk is None or any_risk is None:
        treated = rows_of(treated, born[treated.customer] < treated.known_before)
    else:
        treated = rows_of(treated, born[treated.customer] <= treated.day)
        risk = rows_of(risk, born[risk.customer] <= risk.day)
        any_risk = rows_of(any_risk, born[any_risk.customer] <= any_risk.day)
    if treated.customer.size > most_treated:
        # By lot, without regard to anything that people did.
        lot = np.random.default_rng(SEED).permutation(ledger.n_customers)[treated.customer]
        treated = rows_of(treated, np.sort(np.argsort(lot)[:most_treated]))
    event_day = np.full(ledger.n_customers, NEVER, dtype=np.int64)
    event_day[days.customer[first]] = days.day[first]

    controls, others = [rows_of(treated, slice(0))], [rows_of(treated, slice(0))]
    for month, own in _months(treated, ledger.until - horizon_days):
        random = np.random.default_rng([SEED, month])
        wanted = controls_per_treated * own.customer.size
        everybody = _everybody(own, born, event_day, random)
        if risk is None or any_risk is None:
            controls.append(_drawn(everybody, wanted, random))
            others.append(controls[-1])
            continue
        controls.append(_drawn(_of_month(risk, month, event_day), wanted, random))
        beside = _of_month(any_risk, month, event_day) if is_naive_among_occasions else everybody
        others.append(_drawn(beside, wanted, random))
    control = Keys(*map(np.concatenate, zip(*controls, strict=True)))
    # Nobody is at risk by an occasion of their own where everybody is: then there are no groups.
    groups = {}
    if at_risk is not None:
        groups = {
            name: np.concatenate([event.groups[name][treated.place], values[control.place]])
            for name, values in at_risk.groups.items()
            if name in event.groups
        }
    keys = Keys(*map(np.concatenate, zip(treated, control, strict=True)))
    is_treated = np.arange(keys.customer.size) < treated.customer.size
    other = Keys(*map(np.concatenate, zip(*others, strict=True)))
    return _cohort(ledger, keys, is_treated, other, born, groups, history, horizon_days)


def _months(treated: Keys, latest: int) -> Iterator[tuple[int, Keys]]:
    """Treated of each month by its last day, from the latest that is over to the earliest."""
    number = (latest - treated.day) // MONTH_DAYS
    for one in np.unique(number):
        yield int(latest - one * MONTH_DAYS), rows_of(treated, number == one)


def _everybody(own: Keys, born: Integers, event_day: Integers, random: np.random.Generator) -> Keys:
    """Every customer on a day of reference, drawn from those of the treated."""
    number = random.choice(own.customer.size, born.size)
    day, known_before = own.day[number], own.known_before[number]
    could = np.flatnonzero((born < known_before) & (day < event_day))
    return Keys(could, day[could], known_before[could], could)


def _of_month(risk: Keys, month: int, event_day: Integers) -> Keys:
    """Occasions of a month on which their customers had not had the event."""
    inside = (risk.day > month - MONTH_DAYS) & (risk.day <= month)
    return rows_of(risk, inside & (risk.day < event_day[risk.customer]))


def _drawn(could: Keys, wanted: int, random: np.random.Generator) -> Keys:
    """So many of the rows by lot, or all if there are fewer."""
    n = could.customer.size
    return rows_of(could, np.sort(random.choice(n, min(n, wanted), replace=False)))


def _cohort(
    ledger: Ledger,
    keys: Keys,
    treated: NDArray[np.bool_],
    others: Keys,
    born: Integers,
    groups: Mapping[str, NDArray[np.object_]],
    history: EventDays | None,
    horizon_days: int,
) -> Cohort:
    earlier = None if history is None else (keys_of(ledger, history), history.groups)
    came, passed_by = (
        outcomes_of(
            ledger,
            some.customer,
            some.day,
            horizon_days,
            np.full(some.customer.size, ledger.until + 1, dtype=np.int64),
        )
        for some in (keys, others)
    )
    covariates = {
        **described(ledger, keys),
        **({} if earlier is None else group_shares(keys, *earlier)),
        **group_columns(groups),
    }
    recent_days = _recent_days(rows_of(keys, treated), born)
    recently = keys.known_before - recent_days
    begin = recently - 1 - PLACEBO_DAYS
    old = born[keys.customer] <= begin
    olds = rows_of(keys, old)
    recent = {
        **described(ledger, olds, since=recently[old]),
        **({} if earlier is None else group_shares(olds, *earlier, since=recently[old])),
        **{name: column[old] for name, column in group_columns(groups).items()},
    }
    before = outcomes_of(ledger, olds.customer, begin[old], PLACEBO_DAYS, olds.known_before)
    return Cohort(
        horizon_days,
        ledger.customer_ids[keys.customer],
        keys.day,
        keys.known_before,
        treated,
        _columns(covariates, keys.customer.size),
        tuple(covariates),
        came,
        old,
        _columns(recent, olds.customer.size),
        tuple(recent),
        recent_days,
        before,
        np.log1p(np.maximum(ordered_on(ledger, keys.customer, keys.day), 0)),
        Bystanders(ledger.customer_ids[others.customer], passed_by),
    )


def _recent_days(treated: Keys, born: Integers) -> int:
    """The longest of `RECENT_DAYS` that leaves enough treated from before, or the shortest."""
    age = treated.known_before - born[treated.customer] - 1 - PLACEBO_DAYS
    for days in RECENT_DAYS:
        if (age >= days).sum() >= ENOUGH_FOR_PLACEBO:
            return days
    return RECENT_DAYS[-1]


def _columns(columns: Mapping[str, Floats], n: int) -> Floats:
    return np.column_stack(list(columns.values())) if columns else np.zeros((n, 0))
