"""Sample shops in memory, asked as a night asks, beside what their generator says that events truly change.

What belongs here is the way from what happened in a shop to the tables that a night reads, without
landing and dbt, so that a hundred shops take minutes. Truth is that of the very customers who met
the event: futures drawn with it and without it (`sample_shop.effects`).
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from multiprocessing.pool import Pool
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.effects.cohorts import event_cohort
from orchestration.science.effects.comparisons import COMPARISONS, Comparison
from orchestration.science.effects.estimation import estimate_effects
from orchestration.science.effects.nightly import GROUPS, cohort_arguments
from orchestration.science.ledger import Ledger, ledger_from_tables
from orchestration.science.sample_shop.buying.channels import CHANNELS, STORE
from orchestration.science.sample_shop.buying.journeys import (
    LATE,
    LOST,
    ON_TIME,
    SENT_BACK,
    travel,
)
from orchestration.science.sample_shop.columns import take
from orchestration.science.sample_shop.effects import KINDS, effects_truth, first_events
from orchestration.science.sample_shop.facts.orders import CHECKOUTS
from orchestration.science.sample_shop.facts.people import COUNTRIES
from orchestration.science.sample_shop.habits.relations import Referring
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.relations.referrals import draw_referrals
from orchestration.science.sample_shop.shop_time import DAY, NEVER, epoch_day, local_from_utc
from orchestration.science.sample_shop.simulation import Facts, Frame
from tests.bench_effects.campaign import Answer, Tally

# Event of the night -> the kind of the generator; None: an event that changes nothing.
TRUE_KINDS = {
    "membership_joined": "membership",
    "loyalty_tier_reached": "tier",
    "came_by_referral": "referred",
    "late_delivery": "late_parcel",
    "bad_service": "bad_ticket",
    "promo_code_refused": "refused_code",
    "service_recovery": "recovery",
    "friend_invited": None,
}
ASKED = tuple(one for one in COMPARISONS if one.event_name in TRUE_KINDS and one.ordinal is None)
OUTCOMES = ("ordered_180d", "orders_180d")
REPLICATIONS = 12
# In the generator's default whoever likes the app is invited more often, which no shop can see before
# the first order and no placebo can find in people without a past. Here everybody with an account is
# invited alike: what estimates are held to is what a shop can see.
SEEN_REFERRING = Referring(share=0.14, share_app=0.14)


class SampleShop(NamedTuple):
    """What a night reads of a shop, and per kind the true difference of each person who met it."""

    ledger: Ledger
    occasions: pa.Table
    # Kind -> customer -> (day of the first event, difference in ordered, difference in orders).
    truth: dict[str, dict[str, tuple[int, float, float]]]


def sample_shop(seed: int, customers: int) -> SampleShop:
    """Draw a shop and the truth of its effects."""
    parameters = Parameters(customers=customers, seed=seed, referring=SEEN_REFERRING)
    frame, facts, effects = effects_truth(parameters, REPLICATIONS)
    until = epoch_day(parameters.end_date)
    row = np.flatnonzero(facts.visits_inside)
    local = frame.clock.local_seconds(frame.clock.calendar(facts.course.weeks[row]))
    known = local // DAY <= until
    # The first orders are those of the visits, in their order.
    orders = take(facts.orders, np.flatnonzero(known))
    net = (facts.money.gross - facts.money.discount)[: row.size][known] * orders.rate / 100
    row, local = row[known], local[known]
    visits, course, fates = take(facts.visits, row), take(facts.course, row), take(facts.fates, row)
    journeys = take(facts.journeys, row)
    member, _ = first_events(frame, facts, KINDS.index("membership"))

    day, person = local // DAY, visits.person
    channel = _words(CHANNELS, fates.channel)
    at = {
        "channel": channel,
        "checkout_method": _words(CHECKOUTS, orders.checkout),
        "country_code": _words(COUNTRIES, orders.country),
        "handling": np.full(row.size, None, dtype=object),
    }
    outcome = np.where(fates.channel == STORE, ON_TIME, journeys.outcome)
    promised = travel(local, fates.service, journeys, outcome, parameters).promised // DAY
    is_parcel = fates.channel != STORE
    arrives = is_parcel & ~np.isin(outcome, (LOST, SENT_BACK))
    parcel = at | {"handling": _joined(fates.service, journeys.carrier)}
    ordered_before = np.minimum(day + 1, promised)

    has_ticket = course.opened < NEVER
    opened = np.where(has_ticket, course.opened // DAY, until + 1)
    resolved = np.where(has_ticket, course.resolved // DAY, until + 1)
    is_bad = course.is_slow | course.is_reopened
    is_broken = (outcome != ON_TIME) & (promised <= opened)
    none = np.full(row.size, None, dtype=object)
    ticket = {
        "channel": fates.contact_channel.astype(str).astype(object),
        "checkout_method": none,
        "country_code": none,
        "handling": np.where(is_broken, "broken promise", "question").astype(object),
    }
    repaired = ticket | {"handling": _joined(is_broken, is_bad)}

    every = np.ones(row.size, dtype=bool)
    is_seen = (fates.channel < 2) & (day > until - parameters.browsing.days)
    kinds = (
        ("order_placed", every, day, day, ~every, at),
        ("late_delivery", arrives, promised, ordered_before, outcome == LATE, parcel),
        ("bad_service", has_ticket, opened, opened, is_bad, ticket),
        (
            "service_recovery",
            has_ticket & (is_bad | is_broken),
            resolved,
            opened,
            course.is_compensated,
            repaired,
        ),
        ("promo_code_refused", is_seen, day, day, fates.has_refused_code, at),
        ("loyalty_tier_reached", course.lifts_tier, day, day, every, at),
        ("membership_joined", np.isin(row, member), day, day, every, at),
        (
            "came_by_referral",
            visits.number == 0,
            day,
            day,
            facts.people.is_referred[person],
            at,
        ),
    )
    ids = np.array([f"X{one:07d}" for one in person], dtype=object)
    parts = [_occasions(kind, ids, until) for kind in kinds]
    parts.append(_invitations(facts, frame, until))
    seen = arrives & (promised <= until)
    ledger = ledger_from_tables(
        pa.table(
            {
                "customer_id": ids.tolist(),
                "ordered_date": _dates(day),
                "net_amount": net,
                "margin_amount": 0.3 * net,
                "unit_count": np.ones(row.size),
                "is_promo": np.zeros(row.size, dtype=bool),
            }
        ),
        until,
        None,
        pa.table(
            {
                "customer_id": ids[seen].tolist(),
                "event_name": ["parcel_days_late"] * int(seen.sum()),
                "event_date": _dates(promised[seen]),
                "amount": (outcome == LATE)[seen].astype(float),
            }
        ),
    )
    truth = {
        kind: {
            f"X{who:07d}": (int(moment // DAY), float(bought), float(orders))
            for who, moment, bought, orders in zip(
                one.person,
                local_from_utc(one.moment),
                one.bought_with - one.bought_without,
                one.orders_with - one.orders_without,
                strict=True,
            )
        }
        for kind, one in effects.items()
    }
    return SampleShop(ledger, pa.concat_tables(parts), truth)


def answers_of(customers: int, seed: int) -> list[tuple[str, str, Answer]]:
    """Every event and outcome of one shop; an event without a truth is left out."""
    shop = sample_shop(seed, customers)
    found = []
    for one in ASKED:
        cohort = event_cohort(shop.ledger, **cohort_arguments(shop.occasions, one))
        truth = _truth_of(
            shop, one, cohort.customer_ids[cohort.treated], cohort.day[cohort.treated]
        )
        if not truth.size:
            continue
        questions = cohort.questions(one.event_name, asks_first_order=one.is_first_order)
        for position, effect in enumerate(estimate_effects(questions[: len(OUTCOMES)])):
            assert effect.naive is not None
            adjusted, placebo = effect.adjusted, effect.placebo.estimate
            answer = Answer(
                float(truth[:, position].mean()),
                (effect.naive.value, effect.naive.standard_error),
                None if adjusted is None else (adjusted.value, adjusted.standard_error),
                effect.placebo.is_passed,
                None if placebo is None else (placebo.value, placebo.standard_error),
                effect.verdict,
            )
            found.append((one.event_name, OUTCOMES[position], answer))
    return found


def sample_tallies(
    first: int, shops: int, customers: int, processes: int
) -> Iterator[tuple[int, list[Tally]]]:
    """How many shops are done, and all events and outcomes of them, after every ten."""
    answers: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    with Pool(processes) as pool:
        asked = pool.imap(partial(answers_of, customers), range(first, first + shops))
        for done, found in enumerate(asked, start=1):
            for event, outcome, answer in found:
                answers[event, outcome].append(answer)
            if done % 10 == 0 or done == shops:
                yield done, [Tally(*key, tuple(own)) for key, own in sorted(answers.items())]


def _truth_of(
    shop: SampleShop, one: Comparison, customer_ids: NDArray, days: NDArray
) -> NDArray[np.float64]:
    """True differences of the treated, of both outcomes; a day of midnight may be the next."""
    kind = TRUE_KINDS[one.event_name]
    if kind is None:
        return np.zeros((customer_ids.size, len(OUTCOMES)))
    true = shop.truth[kind]
    found = [
        true[who][1:]
        for who, day in zip(customer_ids, days.tolist(), strict=True)
        if who in true and abs(true[who][0] - day) <= 1
    ]
    return np.array(found, dtype=float).reshape(-1, 2)


def _occasions(kind: tuple[Any, ...], ids: NDArray, until: int) -> pa.Table:
    """Rows of one kind, one per customer and day; the worst of a day counts."""
    name, chosen, when, known_before, is_exposed, groups = kind
    rows = np.flatnonzero(chosen & (when <= until))
    rows = rows[np.lexsort((~is_exposed[rows], when[rows], ids[rows].astype(str)))]
    first = np.ones(rows.size, dtype=bool)
    first[1:] = (ids[rows[1:]] != ids[rows[:-1]]) | (when[rows[1:]] != when[rows[:-1]])
    rows = rows[first]
    return pa.table(
        {
            "customer_id": pa.array(ids[rows].tolist(), pa.string()),
            "event_name": pa.array([name] * rows.size, pa.string()),
            "event_date": _dates(when[rows]),
            "known_before_date": _dates(known_before[rows]),
            "is_exposed": pa.array(is_exposed[rows]),
            # No comparison of the bench asks for the number of bad experiences.
            "earlier_bad_experiences": np.zeros(rows.size, dtype=np.int64),
            **{
                group: pa.array(values[rows].tolist(), pa.string())
                for group, values in groups.items()
            },
        }
    )


def _invitations(facts: Facts, frame: Frame, until: int) -> pa.Table:
    """Days on which customers invited somebody, whether or not anybody came."""
    drawn = draw_referrals(facts, frame)
    day = local_from_utc(drawn.invited) // DAY
    ids = np.array([f"X{one:07d}" for one in drawn.referrer], dtype=object)
    everywhere = np.ones(day.size, dtype=bool)
    none = np.full(day.size, None, dtype=object)
    kind = ("friend_invited", everywhere, day, day, everywhere, dict.fromkeys(GROUPS, none))
    return _occasions(kind, ids, until)


def _words(words: tuple[str, ...], code: NDArray) -> NDArray[np.object_]:
    return np.array(words, dtype=object)[code]


def _joined(one: NDArray, other: NDArray) -> NDArray[np.object_]:
    return np.array([f"{a} {b}" for a, b in zip(one, other, strict=True)], dtype=object)


def _dates(days: NDArray) -> pa.Array:
    return pa.array(np.asarray(days, dtype=np.int32), pa.int32()).cast(pa.date32())
