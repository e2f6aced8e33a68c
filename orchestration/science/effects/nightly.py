"""All effects of a night: occasions and ledger in, one row per event and outcome out.

What belongs here is the way from tables to questions and from effects to rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.science.effects.cohorts import event_cohort
from orchestration.science.effects.comparisons import COMPARISONS, Comparison
from orchestration.science.effects.estimation import Settings, estimate_effects
from orchestration.science.effects.occasions import EventDays
from orchestration.science.effects.records import ESTIMATE_WORDS, OVERLAP_COLUMNS, Effect
from orchestration.science.ledger import Ledger
from orchestration.science.side_by_side import side_by_side

# Nothing stands in a published table whose placebo nobody could test.
NIGHTLY = Settings(needs_placebo=True)
GROUPS = ("channel", "checkout_method", "country_code", "handling")
ORDERS = "order_placed"

SCHEMA = pa.schema(
    [
        ("event_family", pa.string()),
        ("event_name", pa.string()),
        ("ordinal", pa.int64()),
        ("outcome_name", pa.string()),
        ("horizon_days", pa.int64()),
        ("with_event", pa.string()),
        ("without_event", pa.string()),
        ("method", pa.string()),
        ("estimand", pa.string()),
        *((name, pa.int64()) for name in ("treated_count", "control_count", "customer_count")),
        ("treated_mean", pa.float64()),
        ("control_mean", pa.float64()),
        ("others_mean", pa.float64()),
        *(
            (f"{kind}_{word}", pa.float64())
            for kind in ("naive", "adjusted", "placebo")
            for word in ESTIMATE_WORDS
        ),
        ("is_placebo_passed", pa.bool_()),
        *((name, pa.float64()) for name in OVERLAP_COLUMNS),
        ("is_identified", pa.bool_()),
        ("verdict", pa.string()),
    ]
)


def effects_of_the_night(
    ledger: Ledger,
    occasions: pa.Table,
    comparisons: Sequence[Comparison] = COMPARISONS,
    settings: Settings = NIGHTLY,
) -> list[tuple[Comparison, Effect]]:
    """Estimate every effect on every outcome.

    Parameters
    ----------
    ledger : Ledger
    occasions : pyarrow.Table
        customer_id, event_name, event_date, known_before_date, is_exposed,
        earlier_bad_experiences, and the words of `GROUPS`. Rows of strangers to the ledger are
        ignored.
    comparisons : sequence of Comparison
    settings : Settings
    """
    known = pc.is_in(occasions["customer_id"], pa.array(ledger.customer_ids, pa.string()))
    occasions = occasions.filter(known)
    history = event_days(occasions, pc.equal(occasions["event_name"], ORDERS))

    def estimated(one: Comparison) -> list[tuple[Comparison, Effect]]:
        cohort = event_cohort(ledger, **cohort_arguments(occasions, one, history))
        questions = cohort.questions(one.event_name, asks_first_order=one.is_first_order)
        return [(one, effect) for effect in estimate_effects(questions, settings=settings)]

    return [effect for effects in side_by_side(estimated, comparisons) for effect in effects]


def effect_table(found: Sequence[tuple[Comparison, Effect]]) -> pa.Table:
    """One row per comparison and outcome."""
    rows = []
    for one, effect in found:
        outcome, horizon = effect.outcome_name.rsplit("_", 1)
        rows.append(
            effect.to_row()
            | {
                "event_family": one.family,
                "ordinal": one.ordinal or 1,
                "outcome_name": outcome,
                "horizon_days": int(horizon.removesuffix("d")),
                "with_event": one.with_event,
                "without_event": one.without_event,
            }
        )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def cohort_arguments(
    occasions: pa.Table, one: Comparison, history: EventDays | None = None
) -> dict[str, Any]:
    """What `event_cohort` is told of a comparison: events, occasions of those at risk, past orders."""
    if history is None:
        history = event_days(occasions, pc.equal(occasions["event_name"], ORDERS))
    return {
        "event": event_days(occasions, _of(occasions, one, one.events, is_exposed=True)),
        "at_risk": event_days(occasions, _of(occasions, one, one.occasions, is_exposed=False))
        if one.occasions
        else None,
        "history": history,
        "is_naive_among_occasions": one.is_naive_among_occasions,
    }


def _of(
    occasions: pa.Table, one: Comparison, kinds: tuple[str, ...], *, is_exposed: bool
) -> pa.ChunkedArray:
    chosen = pc.and_(
        pc.is_in(occasions["event_name"], pa.array(kinds, pa.string())),
        pc.equal(occasions["is_exposed"], is_exposed),
    )
    if one.ordinal is None:
        return chosen
    return pc.and_(chosen, pc.equal(occasions["earlier_bad_experiences"], one.ordinal - 1))


def event_days(occasions: pa.Table, chosen: pa.ChunkedArray) -> EventDays:
    """The chosen rows of the table as arrays; the order of an engine's rows moves nothing."""
    rows = occasions.filter(chosen).sort_by(
        [("customer_id", "ascending"), ("event_date", "ascending"), ("event_name", "ascending")]
    )

    def words(name: str) -> np.ndarray:
        return np.asarray(rows[name].to_pylist(), dtype=object)

    def days(name: str) -> np.ndarray:
        column = pc.cast(pc.cast(rows[name], pa.date32()), pa.int32())
        return column.to_numpy().astype(np.int64)

    return EventDays(
        words("customer_id"),
        days("event_date"),
        days("known_before_date"),
        {name: words(name) for name in GROUPS},
    )
