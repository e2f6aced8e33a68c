"""The truth beside the data: hidden parameters, hidden habits of each person, and plain counts.

The counts come from the facts and not from the delivered files, so that a mart which agrees with them
has gone another way.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import flags, keys, labels, moments
from orchestration.science.sample_shop.delivering.defects import DELETED, QUARANTINED, PlantedDefect
from orchestration.science.sample_shop.delivering.files import TABLE_KEYS, DeliveryFile
from orchestration.science.sample_shop.facts.memberships import renewal_target
from orchestration.science.sample_shop.facts.orders import NORMAL, ORDER_KINDS
from orchestration.science.sample_shop.facts.people import (
    ACQUISITION_CHANNELS,
    CUSTOMER,
    PERSON_KINDS,
    SPELLINGS,
)
from orchestration.science.sample_shop.facts.products import CATEGORIES
from orchestration.science.sample_shop.facts.returns import RETURN_OUTCOMES, return_probability
from orchestration.science.sample_shop.facts.shipments import LATE, ON_TIME, orders_arrived
from orchestration.science.sample_shop.parameters import (
    BILLING_PERIODS,
    SHOP_CURRENCY,
    SHOP_TIMEZONE,
)
from orchestration.science.sample_shop.shop_time import DAY, NEVER, Integers, epoch_day
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.tables.numbers import account_numbers, begun
from orchestration.science.sample_shop.tables.sales import ORDER_STATUSES, order_status


@dataclass(frozen=True)
class Truth:
    """What is known about a shop that its data does not say."""

    summary: dict[str, Any]
    """Content of truth.json: parameters, counts, and rows per file and table."""
    tables: dict[str, pa.Table]
    """people, accounts, renewals, lateness and, with defects, planted_defects."""

    def with_tables(self, tables: dict[str, pa.Table]) -> Truth:
        """Add what further sources hide."""
        return Truth(self.summary, self.tables | tables)

    def with_effects(self, effects: dict[str, Any], exposures: pa.Table) -> Truth:
        """Add what events truly change, kind by kind and person by person."""
        summary = self.summary | {"effects": effects}
        return Truth(summary, self.tables | {"exposures": exposures})

    def with_deliveries(self, files: list[DeliveryFile], defects: list[PlantedDefect]) -> Truth:
        """Add what was delivered, what was planted, and what must become of every row."""
        kinds = Counter((one.table, one.kind) for one in defects)
        summary = self.summary | {
            "files": {file.name: file.row_count for file in files},
            "rows": {
                table: _expected_rows(table, files, defects)
                for table in sorted({file.table for file in files}, key=list(TABLE_KEYS).index)
            },
            "defects": {
                table: {kind: kinds[table, kind] for name, kind in sorted(kinds) if name == table}
                for table in sorted({name for name, _ in kinds})
            },
        }
        names = [one.name for one in dataclasses.fields(PlantedDefect)]
        planted = pa.table({name: [getattr(one, name) for one in defects] for name in names})
        return Truth(summary, self.tables | {"planted_defects": planted})


def _expected_rows(
    table: str, files: list[DeliveryFile], defects: list[PlantedDefect]
) -> dict[str, int]:
    """Return how many delivered rows must be staged, superseded and quarantined."""
    own = [file for file in files if file.table == table]
    landed = sum(file.row_count for file in own)
    bad = Counter((one.file, one.key) for one in defects if one.outcome == QUARANTINED)
    names = TABLE_KEYS[table]
    good = {
        (file.name, "|".join("" if row.get(one) is None else str(row[one]) for one in names))
        for file in own
        for row in file.rows
    } - set(bad)
    staged = len({key for _, key in good})
    quarantined = sum(1 for one in defects if one.table == table and one.outcome == QUARANTINED)
    deleted = sum(1 for one in defects if one.table == table and one.outcome == DELETED)
    return {
        "landed": landed,
        "staged": staged,
        "superseded": landed - staged - quarantined,
        "quarantined": quarantined,
        "staged_as_deleted": deleted,
    }


def tell_truth(frame: Frame, chunks: Iterable[Facts]) -> Truth:
    """Collect the truth of all chunks."""
    parts = [chunk_truth(frame, facts) for facts in chunks]
    return joined_truth(frame, parts)


@dataclass(frozen=True)
class ChunkTruth:
    """What one chunk adds to the truth."""

    people: pa.Table
    accounts: pa.Table
    counts: Counter[tuple[str, str]]
    renewals: np.ndarray
    """Due and renewed terms, shape (3 billing periods, terms, 2)."""
    lateness: np.ndarray
    """Delivered and late parcels, shape (carriers, services, 2)."""
    returned: np.ndarray
    """Lines that arrived, came back, and were expected back, by tenth of the propensity: (10, 3)."""


def joined_truth(frame: Frame, parts: list[ChunkTruth]) -> Truth:
    """Add the truths of chunks up."""
    parameters = frame.parameters
    counts: Counter[tuple[str, str]] = sum((part.counts for part in parts), Counter())
    renewals = sum(part.renewals for part in parts)
    lateness = sum(part.lateness for part in parts)
    returned = sum(part.returned for part in parts)
    groups = sorted({group for group, _ in counts})
    summary = {
        "about": "Hidden parameters of the sample shop and counts of what they made of it.",
        "parameters": _plain(dataclasses.asdict(parameters)),
        "shop_currency": SHOP_CURRENCY,
        "shop_timezone": SHOP_TIMEZONE,
        "start_date": parameters.start_date.isoformat(),
        "return_factors": {one.name: one.return_factor for one in CATEGORIES},
        "counts": {
            group: {name: count for (one, name), count in sorted(counts.items()) if one == group}
            for group in groups
        },
        "lines_by_propensity_tenth": [
            {"arrived": int(arrived), "returned": int(back), "expected": round(float(expected), 2)}
            for arrived, back, expected in returned
        ],
    }
    return Truth(
        summary,
        {
            "people": pa.concat_tables([part.people for part in parts]),
            "accounts": pa.concat_tables([part.accounts for part in parts]),
            "renewals": _renewal_table(frame, renewals),
            "lateness": _lateness_table(frame, lateness),
        },
    )


def chunk_truth(frame: Frame, facts: Facts) -> ChunkTruth:
    """Count one chunk."""
    return ChunkTruth(
        people=_people_table(frame, facts),
        accounts=_account_table(frame, facts),
        counts=_counts(frame, facts),
        renewals=_renewals(frame, facts),
        lateness=_lateness(frame, facts),
        returned=_returned(frame, facts),
    )


def _plain(value: Any) -> Any:
    """Make parameters fit for JSON."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _people_table(frame: Frame, facts: Facts) -> pa.Table:
    """One row per person: hidden habits, and what the future after the last day holds."""
    people, orders = facts.people, facts.orders
    count, end = people.kind.size, frame.end_moment
    normal = orders.kind == NORMAL
    first = np.full(count, NEVER)
    np.minimum.at(first, orders.person[normal], orders.ordered[normal])

    def orders_between(low: int, high: int) -> Integers:
        chosen = normal & (orders.ordered >= low) & (orders.ordered < high)
        return np.bincount(orders.person[chosen], minlength=count)

    visits = facts.visits
    when = np.full(visits.person.size, NEVER)
    when[facts.visits_inside] = orders.ordered[: int(facts.visits_inside.sum())]
    gone = np.zeros(count, dtype=bool)
    gone[visits.person[visits.is_last & (when < end)]] = True
    future = min(365, frame.parameters.future_days)
    columns = {
        "person_id": keys("X", facts.offsets.people + np.arange(count) + 1),
        "kind": labels(people.kind, PERSON_KINDS),
        "is_registered": flags(people.is_registered),
        "acquisition_channel": labels(people.acquisition, ACQUISITION_CHANNELS),
        "is_wholesale": flags(people.is_wholesale),
        "first_ordered_at": moments(first, end),
        "purchase_rate_per_week": pa.array(np.round(people.rate, 6)),
        "dropout_probability": pa.array(np.round(people.dropout, 6)),
        "has_dropped_out": flags(gone),
        "basket_factor": pa.array(np.round(people.basket, 4)),
        "return_propensity": pa.array(np.round(people.return_propensity, 5)),
        "is_referred": flags(people.is_referred),
        "order_count": pa.array(orders_between(0, end)),
        "orders_next_90_days": pa.array(orders_between(end, end + min(90, future) * DAY)),
        "orders_next_365_days": pa.array(orders_between(end, end + future * DAY)),
    }
    return pa.table(columns).filter(pa.array(people.kind == CUSTOMER))


def _account_table(frame: Frame, facts: Facts) -> pa.Table:
    """One row per delivered account: the person behind it, and how the address was typed."""
    accounts = facts.accounts
    numbers = account_numbers(facts)
    row = begun(accounts.created, numbers, frame.end_moment)
    person = accounts.person[row]
    spelling = labels(accounts.spelling[row], SPELLINGS)
    return pa.table(
        {
            "customer_id": keys("C", numbers[row]),
            "person_id": keys("X", facts.offsets.people + person + 1),
            "email_spelling": spelling,
            "uses_till_email": flags(facts.people.uses_till_email[person]),
        }
    )


def _counts(frame: Frame, facts: Facts) -> Counter[tuple[str, str]]:
    end = frame.end_moment
    orders = facts.orders
    placed = orders.ordered < end
    status = order_status(facts, end)[placed]
    counts: Counter[tuple[str, str]] = Counter()
    for code, name in enumerate(ORDER_KINDS):
        counts["orders_by_kind", name] = int((orders.kind[placed] == code).sum())
    for code, name in enumerate(ORDER_STATUSES):
        counts["orders_by_status", name] = int((status == code).sum())
    asked = facts.returns.requested < end
    for code, name in enumerate(RETURN_OUTCOMES):
        counts["returns_by_outcome", name] = int((facts.returns.outcome[asked] == code).sum())
    purchases = np.bincount(orders.person[placed & (orders.kind == NORMAL)])
    for name, number in (("one", 1), ("two", 2)):
        counts["people_by_orders", name] = int((purchases == number).sum())
    counts["people_by_orders", "three_or_more"] = int((purchases > 2).sum())
    members = facts.members
    joined = members.joined < end
    counts["memberships", "joined"] = int(joined.sum())
    counts["memberships", "running"] = int((joined & (members.ended >= end)).sum())
    for code, name in enumerate(("ended_voluntarily", "ended_involuntarily")):
        ended = (members.ended < end) & (members.end_type == code)
        counts["memberships", name] = int(ended.sum())
    return counts


def _renewals(frame: Frame, facts: Facts) -> np.ndarray:
    """Count terms whose renewal is decided (due, grace days over) and those renewed."""
    terms, members = facts.terms, facts.members
    grace = frame.parameters.membership.grace_days
    decided_by = epoch_day(frame.parameters.end_date) - grace
    found = np.zeros((3, 1 + 12 * frame.parameters.years, 2), dtype=np.int64)
    if not terms.number.size:
        return found
    follows = np.concatenate([terms.membership[1:] == terms.membership[:-1], [False]])
    # A following term that was never paid is no renewal, and nor is having no such term.
    lost = terms.has_failed & (terms.paid == NEVER)
    renewed = follows & ~np.concatenate([lost[1:], [False]])
    due = ~lost & (terms.end <= decided_by) & (members.joined[terms.membership] < frame.end_moment)
    place = (terms.billing[due], np.minimum(terms.number[due], found.shape[1] - 1))
    np.add.at(found[:, :, 0], place, 1)
    np.add.at(found[:, :, 1], place, renewed[due])
    return found


def _renewal_table(frame: Frame, renewals: np.ndarray) -> pa.Table:
    billing, number = np.nonzero(renewals[:, :, 0])
    target = renewal_target(frame.parameters.membership, billing, number)
    return pa.table(
        {
            "billing_period": labels(billing, BILLING_PERIODS),
            "term_number": pa.array(number),
            "renewal_probability": pa.array(target),
            "due": pa.array(renewals[billing, number, 0]),
            "renewed": pa.array(renewals[billing, number, 1]),
        }
    )


def _lateness(frame: Frame, facts: Facts) -> np.ndarray:
    parcels, delivery = facts.shipments, frame.parameters.delivery
    found = np.zeros((len(delivery.carriers), len(delivery.services), 2), dtype=np.int64)
    arrived = np.isin(parcels.outcome, (ON_TIME, LATE)) & (parcels.delivered < frame.end_moment)
    place = (parcels.carrier[arrived], parcels.service[arrived])
    np.add.at(found[:, :, 0], place, 1)
    np.add.at(found[:, :, 1], place, parcels.outcome[arrived] == LATE)
    return found


def _lateness_table(frame: Frame, lateness: np.ndarray) -> pa.Table:
    delivery = frame.parameters.delivery
    carrier, service = (one.ravel() for one in np.indices(lateness.shape[:2]))
    return pa.table(
        {
            "carrier": labels(carrier, delivery.carriers),
            "service_level": labels(service, delivery.services),
            "late_probability": pa.array(np.array(delivery.late_probability)[carrier, service]),
            "delivered": pa.array(lateness[carrier, service, 0]),
            "late": pa.array(lateness[carrier, service, 1]),
        }
    )


def _returned(frame: Frame, facts: Facts) -> np.ndarray:
    """Count lines whose return window is over by tenth of the person's propensity."""
    orders, lines, people = facts.orders, facts.lines, facts.people
    arrived = orders_arrived(orders, facts.shipments)[lines.order]
    settled = (arrived < frame.end_moment - 60 * DAY) & (orders.kind[lines.order] == NORMAL)
    expected = return_probability(orders, lines, people, frame.catalogue, frame.parameters)
    came_back = np.zeros(lines.order.size, dtype=bool)
    came_back[facts.items.line] = True
    line = np.flatnonzero(settled & (expected > 0))
    customers = people.return_propensity[people.kind == CUSTOMER]
    edges = np.quantile(customers, np.arange(1, 10) / 10)
    propensity = people.return_propensity[orders.person[lines.order[line]]]
    tenth = np.searchsorted(edges, propensity, side="right")
    columns = (np.ones(line.size), came_back[line], expected[line])
    return np.stack([np.bincount(tenth, one, minlength=10) for one in columns], axis=1)
