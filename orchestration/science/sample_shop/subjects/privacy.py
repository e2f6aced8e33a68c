"""Requests of people about their own data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    flags,
    keys,
    labels,
    moments,
    pick,
    ranks,
)
from orchestration.science.sample_shop.facts.people import COUNTRIES, CUSTOMER
from orchestration.science.sample_shop.shop_time import DAY, HOUR, NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.subjects.people import contact_accounts, last_purchase
from orchestration.science.sample_shop.tables.numbers import account_numbers, begun

REQUEST_TYPES = ("access", "erasure", "restrict", "portability", "opt_out_sale")
ACCESS, ERASURE, RESTRICT, PORTABILITY, OPT_OUT = range(5)
REGIMES = ("gdpr", "ccpa")
STATUSES = ("received", "in_progress", "completed", "on_hold")


@dataclass
class Requests:
    """One element per request."""

    person: Integers
    account: Integers
    kind: Integers
    regime: Integers
    received: Integers
    due: Integers
    completed: Integers
    is_held: NDArray[np.bool_]


@subject("privacy_requests")
def draw_requests(rng: np.random.Generator, facts: Facts, frame: Frame) -> Requests:
    """Draw requests; most of those who want to be forgotten have bought for the last time."""
    habits, people = frame.parameters.privacy, facts.people
    asks = (people.kind == CUSTOMER) & people.is_registered & ~people.uses_till_email
    person = np.flatnonzero(asks & chance(rng, habits.share, people.kind.size))
    size = person.size
    account = contact_accounts(facts)[person]
    american = people.country[person] == COUNTRIES.index("US")
    kind = pick(rng, habits.type_weights, size)
    kind = np.where((kind == OPT_OUT) & ~american, ACCESS, kind)
    opened = facts.accounts.created[account]
    last = frame.end_moment + frame.parameters.future_days * DAY
    received = opened + (rng.random(size) * (last - opened)).astype(np.int64)
    # Who wants to be forgotten does not come back: the request follows the last order.
    after = last_purchase(facts)[person] + between(rng, 15 * DAY, 300 * DAY, size)
    received = np.where(kind == ERASURE, np.maximum(after, opened + DAY), received)
    allowed = np.where(american, habits.ccpa_days, habits.gdpr_days)
    share = np.minimum(rng.gamma(3.0, 0.15, size), 0.95)
    share = np.where(chance(rng, habits.late_share, size), rng.uniform(1.05, 2.0, size), share)
    held = (kind == ERASURE) & chance(rng, habits.legal_hold_share, size)
    done = received + np.maximum((allowed * DAY * share).astype(np.int64), HOUR)
    return Requests(
        person=person,
        account=account,
        kind=kind,
        regime=american.astype(np.int64),
        received=received,
        due=received + allowed * DAY,
        completed=np.where(held, NEVER, done),
        is_held=held,
    )


def privacy_requests(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per request."""
    requests = draw_requests(facts, frame)
    numbers = 1 + ranks(requests.received, requests.person)
    row = begun(requests.received, numbers, before)
    is_new = requests.received[row] + 2 * DAY >= before
    done = requests.completed[row] < before
    status = np.select([done, requests.is_held[row], is_new], [2, 3, 0], 1)
    return pa.table(
        {
            "request_id": keys("PR", numbers[row], 5),
            "customer_id": keys("C", account_numbers(facts)[requests.account[row]]),
            "request_type": labels(requests.kind[row], REQUEST_TYPES),
            "regime": labels(requests.regime[row], REGIMES),
            "received_at": moments(requests.received[row], before),
            "due_at": moments(requests.due[row], int(NEVER)),
            "completed_at": moments(requests.completed[row], before),
            "status": labels(status, STATUSES),
            "legal_hold": flags(requests.is_held[row]),
        }
    )
