"""Experiments: who was drawn into which arm, and when they met it.

The holdout is one of them: a tenth of the people never gets a message, so that what messages do can
be told from what would have happened anyway. The retargeting is another: half of the accounts are left
out of the audience of one campaign, whose advertisements bring nobody back in this shop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.offers import offer_luck
from orchestration.science.sample_shop.columns import (
    between,
    chance,
    flags,
    keys,
    labels,
    moments,
    ranks,
    stack,
)
from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.facts.people import CUSTOMER, ENABLED, PROSPECT
from orchestration.science.sample_shop.messaging.campaigns import all_campaigns
from orchestration.science.sample_shop.shop_time import DAY, NEVER, Floats, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import stream, subject
from orchestration.science.sample_shop.subjects.people import contact_accounts
from orchestration.science.sample_shop.tables.numbers import account_numbers, begun

HOLDOUT, SUBJECT_LINE, CHECKOUT, OFFER, RETARGETING = range(5)


@dataclass(frozen=True)
class Design:
    """What is written down of an experiment before it begins; days count back from the last day."""

    name: str
    hypothesis: str
    arms: tuple[str, str]
    shares: tuple[float, float]
    first_days_ago: int
    last_days_ago: int | None
    metric: str
    window_days: int
    holds_out: bool = False
    """Whether the second arm is kept out of what is tested."""
    campaign: str = ""
    """Name of the campaign that is tested, where it is one alone."""


DESIGNS = (
    Design("Always-on holdout", "Messages bring orders that would not have come without them.",
           ("messages", "holdout"), (0.9, 0.1), 365, None, "orders", 90, holds_out=True),
    Design("Personal subject line", "A personal subject line is clicked more often.",
           ("plain", "personal"), (0.5, 0.5), 240, 30, "clicks", 30),
    Design("One-page checkout", "A checkout on one page is finished more often.",
           ("control", "one_page"), (0.5, 0.5), 240, 60, "orders", 28),
    Design("Free delivery", "Who pays no delivery for two months orders more often.",
           ("control", "free_delivery"), (0.5, 0.5), 300, 240, "orders", 60),
    Design("Retargeting audience", "Who sees our advertisements again orders more often.",
           ("audience", "left_out"), (0.5, 0.5), 56, 21, "orders", 28, holds_out=True,
           campaign="Social retargeting"),
)  # fmt: skip


@dataclass
class Assignments:
    """One element per experiment and account."""

    experiment: Integers
    account: Integers
    arm: Integers
    luck: Floats
    """The number between 0 and 1 that the arm was read from; its hash is delivered."""
    assigned: Integers
    exposed: Integers


def experiment_span(frame: Frame, experiment: int) -> tuple[int, int]:
    """Return first and last moment of an experiment; NEVER if it runs on."""
    design = DESIGNS[experiment]
    start = frame.end_moment - design.first_days_ago * DAY
    last = design.last_days_ago
    return start, int(NEVER) if last is None else frame.end_moment - last * DAY


def arms(facts: Facts, frame: Frame, experiment: int) -> tuple[Integers, Floats]:
    """Return the arm of every person, drawn or not, and the luck it was read from."""
    chunk, size = facts.offsets.people, facts.people.kind.size
    if experiment == OFFER:
        luck = offer_luck(frame.parameters, size, chunk)
    else:
        luck = stream(frame.parameters.seed, f"experiment {experiment}", chunk).random(size)
    return (luck >= DESIGNS[experiment].shares[0]).astype(np.int64), luck


def in_holdout(facts: Facts, frame: Frame) -> NDArray[np.bool_]:
    """Tell which persons never get a message."""
    return arms(facts, frame, HOLDOUT)[0] == 1


@subject("experiment_assignments")
def draw_assignments(rng: np.random.Generator, facts: Facts, frame: Frame) -> Assignments:
    """Assign people whose account is open when an experiment runs."""
    return stack([_assigned(rng, facts, frame, one) for one in range(len(DESIGNS))])


def _assigned(rng: np.random.Generator, facts: Facts, frame: Frame, experiment: int) -> Assignments:
    people, accounts = facts.people, facts.accounts
    start, end = experiment_span(frame, experiment)
    account = contact_accounts(facts)
    size = people.kind.size
    opened = np.where(account >= 0, accounts.created[account], NEVER)
    may = np.isin(people.kind, (CUSTOMER, PROSPECT)) & (opened < min(end, frame.end_moment))
    arm, luck = arms(facts, frame, experiment)
    assigned = np.maximum(opened, start)
    exposed = np.where(chance(rng, 0.85, size), assigned + between(rng, 0, 3 * DAY, size), NEVER)
    if DESIGNS[experiment].holds_out:
        # Nothing is to be met by a holdout, and nobody knows when the others would have.
        exposed = np.where(arm == 1, NEVER, exposed)
    if experiment != HOLDOUT:
        may &= people.is_registered & (accounts.state[account] == ENABLED)
    if experiment in (OFFER, RETARGETING):
        # All at once, from the list of accounts on the day that it begins.
        may &= opened < start
    if experiment == CHECKOUT:
        # They are drawn when they come to the checkout, three minutes before the order.
        assigned = _first_order_within(facts, start, end)
        exposed = assigned
        may &= assigned < NEVER
        # A filter of bots throws out some of the sessions of one arm: the shares are off.
        lost = frame.parameters.experimenting.checkout_lost_share
        may &= ~((arm == 0) & chance(rng, lost, size))
    person = np.flatnonzero(may)
    return Assignments(
        experiment=np.full(person.size, experiment),
        account=account[person],
        arm=arm[person],
        luck=luck[person],
        assigned=assigned[person],
        exposed=exposed[person],
    )


def _first_order_within(facts: Facts, start: int, end: int) -> Integers:
    orders = facts.orders
    found = np.full(facts.people.kind.size, NEVER)
    chosen = (orders.kind == NORMAL) & (orders.person >= 0)
    chosen &= (orders.ordered >= start) & (orders.ordered < end)
    np.minimum.at(found, orders.person[chosen], orders.ordered[chosen] - 180)
    return found


def experiments(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per experiment that has begun."""
    spans = [experiment_span(frame, one) for one in range(len(DESIGNS))]
    row = [one for one, (start, _) in enumerate(spans) if start < before]
    known = [DESIGNS[one] for one in row]
    start = np.array([spans[one][0] for one in row], dtype=np.int64)
    end = np.array([spans[one][1] for one in row], dtype=np.int64)
    return pa.table(
        {
            "experiment_id": keys("X", np.array(row, dtype=np.int64) + 1, 2),
            "campaign_id": keys("K", np.array([_tested(frame, one) for one in known]) + 1, 4),
            # None of them keeps anybody from recommendations.
            "recommendation_slot": pa.nulls(len(row), pa.string()),
            "name": pa.array([one.name for one in known], pa.string()),
            "hypothesis": pa.array([one.hypothesis for one in known], pa.string()),
            "unit_type": pa.array(["customer"] * len(row), pa.string()),
            "start_at": moments(start, before),
            "end_at": moments(end, before),
            "arms": pa.array([_written(one) for one in known], pa.string()),
            "primary_metric": pa.array([one.metric for one in known], pa.string()),
            "min_window_days": pa.array([one.window_days for one in known], pa.int32()),
        }
    )


def _tested(frame: Frame, design: Design) -> int:
    """Return the place of the campaign that is tested; -2 where it is none, or more than one."""
    names = [one.name for one in all_campaigns(frame)]
    return names.index(design.campaign) if design.campaign else -2


def _written(design: Design) -> str:
    pairs = zip(design.arms, design.shares, strict=True)
    return ",".join(f"{arm}={share}" for arm, share in pairs)


def experiment_assignments(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per experiment and account that was drawn into it."""
    drawn = draw_assignments(facts, frame)
    accounts = account_numbers(facts)[drawn.account]
    row = begun(drawn.assigned, ranks(drawn.assigned, drawn.experiment, accounts), before)
    experiment = drawn.experiment[row]
    names = [arm for design in DESIGNS for arm in design.arms]
    holds_out = np.array([design.holds_out for design in DESIGNS])
    hashes = (drawn.luck[row] * 2**32).astype(np.int64)
    return pa.table(
        {
            "experiment_id": keys("X", experiment + 1, 2),
            "unit_id": keys("C", accounts[row]),
            "arm": labels(experiment * 2 + drawn.arm[row], names),
            "assigned_at": moments(drawn.assigned[row], before),
            "exposed_at": moments(drawn.exposed[row], before),
            "assignment_hash": pa.array([f"{one:08x}" for one in hashes], pa.string()),
            "is_holdout": flags(holds_out[experiment] & (drawn.arm[row] == 1)),
        }
    )
