"""The points ledger: what orders earn, what is spent, given back, corrected, and what runs out.

Points leave in the order in which they run out. A return takes back what its order earned as far as
it has not been spent, so that no balance is ever negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.columns import (
    between,
    chance,
    dates,
    keys,
    labels,
    moments,
    money,
    pick,
)
from orchestration.science.sample_shop.facts.refunds import RETURNED
from orchestration.science.sample_shop.relations.accounts import (
    net_pounds,
    order_of_visit,
    own_account,
)
from orchestration.science.sample_shop.relations.referrals import draw_referrals
from orchestration.science.sample_shop.shop_time import (
    DAY,
    HOUR,
    NEVER,
    Integers,
    local_from_utc,
    midnight_utc,
)
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    order_numbers,
    place_at,
)

ENTRY_TYPES = ("earn", "burn", "expire", "adjust", "reverse")
EARN, BURN, EXPIRE, ADJUST, REVERSE = range(5)
REWARDS = ("discount", "product", "experience", "membership_credit")
REWARD_WEIGHTS = (0.62, 0.24, 0.05, 0.09)
SOURCES = ("order", "card", "referral", "campaign")
ORDER, CARD, REFERRAL, CAMPAIGN = range(4)
SPENT_IN = 50
"""Points are spent in whole multiples of so many."""


@dataclass
class Ledger:
    """One element per entry, sorted by moment; `lot` and `earned` are places of entries, or -1."""

    person: Integers
    kind: Integers
    points: Integers
    lot: Integers
    earned: Integers
    order: Integers
    reward: Integers
    expires: Integers
    """Last day on which an earning can be spent, in days since 1970; -1 for other entries."""
    moment: Integers
    source: Integers


@dataclass
class _Wish:
    """Something that somebody wants to do to a person's points; `order` is -1 without one."""

    moment: int
    kind: int
    points: int
    order: int = -1
    source: int = ORDER
    reward: int = -1


@dataclass
class _Lot:
    entry: int
    left: int
    expires: int


@dataclass
class _Book:
    """The entries of one person, in order of time, and what is left of each lot."""

    days: int
    burn_from: int
    entries: list[tuple[int, ...]]
    """kind, points, lot, earned, order, reward, expires, moment, source; lot and earned are places
    in this list."""
    lots: list[_Lot] = field(default_factory=list)

    def write(
        self, wish: _Wish, points: int, lot: int = -1, earned: int = -1, last: int = -1
    ) -> None:
        """Add an entry."""
        self.entries.append(
            (wish.kind, points, lot, earned, wish.order, wish.reward, last, wish.moment,
             wish.source)
        )  # fmt: skip

    def run_out(self, moment: int) -> None:
        """Let all lots expire whose last day is over at the moment."""
        for lot in self.lots:
            over = int(midnight_utc(lot.expires + 1)) + 3 * HOUR
            if over > moment:
                break
            if lot.left:
                self.write(_Wish(over, EXPIRE, 0, source=-1), -lot.left, lot=lot.entry)
                lot.left = 0
        self.lots = [lot for lot in self.lots if lot.left]

    def do(self, wish: _Wish) -> None:
        """Write what is wished, as far as there are points for it."""
        self.run_out(wish.moment)
        balance = sum(lot.left for lot in self.lots)
        if wish.points > 0 and wish.kind in (EARN, ADJUST):
            last = int(local_from_utc(np.asarray(wish.moment)) // DAY) + self.days
            place = len(self.entries)
            self.write(wish, wish.points, lot=place, last=last)
            self.lots.append(_Lot(place, wish.points, last))
        elif wish.kind == REVERSE:
            self._take_back(wish)
        elif wish.kind == BURN:
            # A wish to spend is a share of what is there, in thousandths.
            spent = balance * -wish.points // 1000 // SPENT_IN * SPENT_IN
            self._take(wish, spent if balance >= self.burn_from else 0)
        else:
            self._take(wish, min(balance, -wish.points))

    def _take(self, wish: _Wish, points: int) -> None:
        if points <= 0:
            return
        self.write(wish, -points)
        for lot in self.lots:
            taken = min(lot.left, points)
            lot.left -= taken
            points -= taken

    def _take_back(self, wish: _Wish) -> None:
        for lot in self.lots:
            kind, *_, source = self.entries[lot.entry]
            if (kind, source) == (EARN, ORDER) and self.entries[lot.entry][4] == wish.order:
                points = min(lot.left, -wish.points)
                if points:
                    self.write(wish, -points, earned=lot.entry)
                    lot.left -= points


@subject("loyalty_ledger")
def draw_ledger(rng: np.random.Generator, facts: Facts, frame: Frame) -> Ledger:
    """Keep the books of everybody who is enrolled, to the end of the simulation."""
    wishes: dict[int, list[_Wish]] = {}
    for person, wish in _wishes(rng, facts, frame):
        wishes.setdefault(person, []).append(wish)
    habits = frame.parameters.loyalty
    end = int(midnight_utc(frame.clock.start_day + frame.clock.days))
    rows: list[tuple[int, ...]] = []
    for person in sorted(wishes):
        book = _Book(habits.expiry_days, habits.burn_from, [])
        for wish in sorted(wishes[person], key=lambda one: (one.moment, one.kind)):
            book.do(wish)
        book.run_out(end)
        first = len(rows)
        for kind, points, lot, earned, *others in book.entries:
            places = (place + first if place >= 0 else -1 for place in (lot, earned))
            rows.append((person, kind, points, *places, *others))
    table = np.array(rows, dtype=np.int64).reshape(-1, 10)
    order = np.argsort(table[:, 8], kind="stable")
    place = np.empty(order.size + 1, dtype=np.int64)
    place[order] = np.arange(order.size)
    place[-1] = -1
    table = table[order]
    table[:, 3], table[:, 4] = place[table[:, 3]], place[table[:, 4]]
    return Ledger(*(table[:, column] for column in range(10)))


def _wishes(rng: np.random.Generator, facts: Facts, frame: Frame) -> Iterator[tuple[int, _Wish]]:
    """Yield what orders, returns, friends and agents do to the points of the enrolled."""
    habits, course, orders = frame.parameters.loyalty, facts.course, facts.orders
    visit = np.flatnonzero(course.tier >= 0)
    order = order_of_visit(facts)[visit]
    # A guest checkout belongs to another account, and earns nothing.
    own = orders.account[order] == own_account(facts)[facts.visits.person[visit]]
    visit, order = visit[own], order[own]
    person, size = facts.visits.person[visit], visit.size
    rate = np.array(habits.tier_rates)[course.tier[visit]]
    earned = np.floor(net_pounds(facts)[order] * rate).astype(np.int64)
    paid = orders.processed[order]
    doubled = chance(rng, habits.campaign_share, size)
    burns = chance(rng, habits.burn_share, size)
    share = 300 + between(rng, 0, 701, size)
    reward = pick(rng, REWARD_WEIGHTS, size)
    adjusted = chance(rng, habits.adjusted_share, size)
    correction = between(rng, -40, 160, size)
    later = paid + between(rng, HOUR, 20 * DAY, size)
    for row in range(size):
        who, which, when = int(person[row]), int(order[row]), int(paid[row])
        if burns[row]:
            spent = which if reward[row] == 0 else -1
            yield who, _Wish(when - 5, BURN, -int(share[row]), spent, -1, int(reward[row]))
        if earned[row] > 0:
            yield who, _Wish(when, EARN, int(earned[row]), which)
            if doubled[row]:
                yield who, _Wish(when, EARN, int(earned[row]), which, CAMPAIGN)
        if adjusted[row] and correction[row]:
            yield who, _Wish(int(later[row]), ADJUST, int(correction[row]), source=-1)
    rate_of = np.zeros(orders.kind.size)
    rate_of[order] = rate
    given = facts.refunds
    for row in np.flatnonzero((given.reason == RETURNED) & (rate_of[given.order] > 0)).tolist():
        which = int(given.order[row])
        pounds = given.amount[row] / 100 * orders.rate[which]
        points = int(np.ceil(pounds * rate_of[which]))
        yield int(orders.person[which]), _Wish(int(given.issued[row]), REVERSE, -points, which, -1)
    yield from _for_friends(facts, frame, course.tier >= 0)


def _for_friends(
    facts: Facts, frame: Frame, is_enrolled: np.ndarray
) -> Iterator[tuple[int, _Wish]]:
    """The reward for a friend is paid in points to those who are enrolled by then."""
    friends = draw_referrals(facts, frame)
    enrolled_at = np.full(facts.people.kind.size, NEVER)
    visit = np.flatnonzero(is_enrolled)
    ordered = facts.orders.ordered[order_of_visit(facts)[visit]]
    np.minimum.at(enrolled_at, facts.visits.person[visit], ordered)
    points = round(frame.parameters.referring.reward / 100 / frame.parameters.loyalty.point_value)
    paid = np.flatnonzero(friends.rewarded < NEVER)
    for row in paid[friends.rewarded[paid] >= enrolled_at[friends.referrer[paid]]].tolist():
        moment = int(friends.rewarded[row])
        yield int(friends.referrer[row]), _Wish(moment, EARN, points, source=REFERRAL)


def loyalty_ledger(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per entry; an entry is written once and never changed."""
    ledger = draw_ledger(facts, frame)
    row = np.flatnonzero(ledger.moment < before)
    number = np.arange(ledger.moment.size) + 1
    account = account_numbers(facts)[own_account(facts)[ledger.person[row]]]
    is_burn = ledger.kind[row] == BURN
    value = np.round(-ledger.points[row] * frame.parameters.loyalty.point_value * 100)
    return pa.table(
        {
            "ledger_entry_id": keys("G", number[row]),
            "customer_id": keys("C", account),
            "entry_type": labels(ledger.kind[row], ENTRY_TYPES),
            "points": pa.array(ledger.points[row].astype(np.int32)),
            "lot_id": keys("B", place_at(number, ledger.lot[row])),
            "earned_entry_id": keys("G", place_at(number, ledger.earned[row])),
            "order_id": keys("O", place_at(order_numbers(facts), ledger.order[row])),
            "reward_type": labels(ledger.reward[row], REWARDS),
            "money_value": money(np.where(is_burn, value, 0).astype(np.int64), is_burn),
            "expires_at": dates(ledger.expires[row], ledger.expires[row] >= 0),
            "event_at": moments(ledger.moment[row], before),
            "source": labels(ledger.source[row], SOURCES),
        }
    )
