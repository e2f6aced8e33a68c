"""Occasions: who met something on which day, and on which of them an event hardly ever comes.

What belongs here is how occasions come out of a ledger and become rows. Whom they are compared with
is decided in `cohorts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from orchestration.science.effects.cohort_rows import Keys
from orchestration.science.errors import DataError
from orchestration.science.ledger import Ledger, places_of

# On occasions of a kind that holds so small a part of its share of the events, they hardly ever come.
LEAST_LIKELY = 0.25


@dataclass(frozen=True)
class EventDays:
    """Who met something on which day; each array of shape (n_events,), in any order.

    Attributes
    ----------
    customer_ids : array of text
    day : array of int
    known_before : array of int, optional
        What happens from this day on may follow from the event itself (a parcel that was not late
        has arrived by the day it was promised), so covariates end before it. Absent, the day.
    groups : mapping of name to array of text
        What else is known of the occasion before it shows what comes of it, such as the channel of
        a ticket; None means unknown.
    """

    customer_ids: NDArray[np.object_]
    day: NDArray[np.int64]
    known_before: NDArray[np.int64] | None = None
    groups: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)

    def where(self, chosen: NDArray[np.bool_]) -> "EventDays":
        """Keep a part of them."""
        return EventDays(
            self.customer_ids[chosen],
            self.day[chosen],
            None if self.known_before is None else self.known_before[chosen],
            {name: values[chosen] for name, values in self.groups.items()},
        )


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


def unlikely_words(at_risk: EventDays, event: EventDays) -> dict[str, NDArray[np.str_]]:
    """Words of occasions on which the event hardly ever comes, by group.

    Whoever checks out as a guest has no account to join with: such occasions weigh next to nothing
    in the effect on those who had the event, and show up as an imbalance that no penalised
    probability removes. The few with the event have no likeness, and are left out as well.
    """
    found = {}
    for name, values in at_risk.groups.items():
        if name not in event.groups or not event.day.size:
            continue
        words, count = np.unique(_words(values), return_counts=True)
        met = np.array([(_words(event.groups[name]) == word).mean() for word in words])
        found[name] = words[met < LEAST_LIKELY * count / values.size]
    return found


def likely(days: EventDays, unlikely: Mapping[str, NDArray[np.str_]]) -> NDArray[np.bool_]:
    chosen = np.ones(days.day.size, dtype=bool)
    for name, words in unlikely.items():
        chosen &= ~np.isin(_words(days.groups[name]), words)
    return chosen


def _words(values: NDArray[np.object_]) -> NDArray[np.str_]:
    """Words of a group; what is unknown is a word of its own."""
    return np.where(values == None, "unknown", values).astype(str)  # noqa: E711


def keys_of(ledger: Ledger, days: EventDays) -> Keys:
    """Events of customers of the ledger, ascending by customer and day; strangers are ignored."""
    ids, day = np.asarray(days.customer_ids, dtype=object), np.asarray(days.day, dtype=np.int64)
    known = day if days.known_before is None else np.asarray(days.known_before, dtype=np.int64)
    if not ids.shape == day.shape == known.shape:
        raise DataError(
            f"events have {ids.size} customers but {day.size} days, known before {known.size}"
        )
    if (known > day).any():
        raise DataError("what is known before an event must not end after it")
    customer, is_own = places_of(ledger.customer_ids, ids)
    own = np.flatnonzero(is_own)
    ascending = np.lexsort((known[own], day[own], customer))
    own = own[ascending]
    return Keys(customer[ascending], day[own], known[own], own)


def firsts(days: Keys) -> NDArray[np.bool_]:
    """Whether a row is the first of its customer."""
    first = np.ones(days.customer.size, dtype=bool)
    first[1:] = np.diff(days.customer) != 0
    return first


def rows_of(keys: Keys, chosen: NDArray | slice) -> Keys:
    return Keys(*(column[chosen] for column in keys))
