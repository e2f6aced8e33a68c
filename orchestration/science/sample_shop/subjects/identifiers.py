"""Identifiers: under which addresses, devices and numbers an account was seen, and since when.

Accounts of one person share the hash of their address and the devices; two people of one household
share a device and are two people all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import CHANNELS
from orchestration.science.sample_shop.columns import (
    chance,
    flags,
    keys,
    labels,
    moments,
    stack,
    take,
)
from orchestration.science.sample_shop.facts.people import GUEST
from orchestration.science.sample_shop.shop_time import NEVER, Integers
from orchestration.science.sample_shop.simulation import Facts, Frame
from orchestration.science.sample_shop.streams import subject
from orchestration.science.sample_shop.tables.numbers import (
    account_numbers,
    membership_numbers,
)
from orchestration.science.sample_shop.tables.people import emails

ID_TYPES = (
    "email_sha256", "phone", "anonymous_id", "loyalty_id", "membership_id", "device_id",
    "marketplace_id",
)  # fmt: skip
EMAIL, PHONE, ANONYMOUS_ID, LOYALTY, MEMBERSHIP, DEVICE, MARKETPLACE = range(7)
SYSTEMS = ("shop", "web_tracking", "app", "membership", "marketplace")
SHOP, TRACKING, APP, MEMBERSHIPS, MARKET = range(5)
BROWSERS = 3
"""Devices of a person: 0 mobile, 1 desktop, 2 tablet, as the orders count them."""


@dataclass
class Seen:
    """One element per account and identifier; `value` is a position whose meaning hangs on the kind:
    an account, a device of a person (person x 3 + device), or a membership."""

    account: Integers
    kind: Integers
    value: Integers
    first: Integers
    last: Integers
    """When it was last seen; NEVER where that is not kept."""
    is_verified: NDArray[np.bool_]
    system: Integers


@subject("devices")
def browsers(rng: np.random.Generator, facts: Facts, frame: Frame) -> Integers:
    """Return the browser of every person and kind of device, shape (people x 3,).

    A browser is named after its owner's place; in a household two persons use the same one.
    """
    size = facts.people.kind.size
    owner = np.arange(size * BROWSERS)
    share = frame.parameters.devices.household_share
    lives_with = np.flatnonzero(facts.people.is_registered & chance(rng, share, size))
    pairs = rng.permutation(lives_with)[: lives_with.size // 2 * 2].reshape(-1, 2)
    # It is the family's computer or, now and then, its tablet; never the telephone.
    which = np.where(rng.random(pairs.shape[0]) < 0.85, 1, 2)
    owner[pairs[:, 1] * BROWSERS + which] = pairs[:, 0] * BROWSERS + which
    return owner


def browser_names(facts: Facts, frame: Frame, browser: Sequence[int]) -> list[str]:
    """Return the anonymous id that a browser keeps."""
    base = facts.offsets.people * BROWSERS
    return [_digest(f"browser {frame.parameters.seed} {base + one}")[:16] for one in browser]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@subject("verified_addresses")
def has_verified_address(rng: np.random.Generator, facts: Facts, frame: Frame) -> NDArray[np.bool_]:
    """Draw which accounts have proved that their address is theirs; a guest never does."""
    state = facts.accounts.state
    return (state != GUEST) & chance(rng, 0.9, state.size)


def _seen_before(facts: Facts, frame: Frame, before: int) -> Seen:
    """Collect what every account was seen with before a moment."""
    accounts, orders, members = facts.accounts, facts.orders, facts.members
    every = np.arange(accounts.person.size)
    phones = np.flatnonzero(accounts.has_phone & (accounts.profile_updated == NEVER))
    updated = np.flatnonzero(accounts.profile_updated < NEVER)
    of_person = np.full(facts.people.kind.size, -1)
    registered = np.flatnonzero(facts.people.is_registered)
    of_person[registered] = np.arange(registered.size)
    member = np.arange(members.person.size)
    parts = [
        _seen(every, EMAIL, accounts.created, SHOP, has_verified_address(facts, frame)),
        _seen(phones, PHONE, accounts.created[phones], SHOP, False),
        _seen(updated, PHONE, accounts.profile_updated[updated], SHOP, True),
        _seen(of_person[members.person], MEMBERSHIP, members.joined, MEMBERSHIPS, True, member),
    ]
    placed = (orders.account >= 0) & (orders.ordered < before)
    for channel, kind, system in (("web", ANONYMOUS_ID, TRACKING), ("app", DEVICE, APP)):
        on_it = placed & (orders.channel == CHANNELS.index(channel)) & (orders.device >= 0)
        row = np.flatnonzero(on_it)
        place = orders.person[row] * BROWSERS + orders.device[row]
        parts.append(_by_orders(facts, row, kind, browsers(facts, frame)[place], system))
    row = np.flatnonzero(placed & (orders.channel == CHANNELS.index("marketplace")))
    parts.append(_by_orders(facts, row, MARKETPLACE, orders.person[row], MARKET))
    seen = stack(parts)
    return take(seen, np.flatnonzero(seen.first < before))


def _seen(
    account: Integers,
    kind: int,
    first: Integers,
    system: int,
    is_verified: NDArray[np.bool_] | bool,
    value: Integers | None = None,
) -> Seen:
    size = account.size
    return Seen(
        account=account,
        kind=np.full(size, kind),
        value=account if value is None else value,
        first=first,
        last=np.full(size, NEVER),
        is_verified=np.broadcast_to(is_verified, size).copy(),
        system=np.full(size, system),
    )


def _by_orders(facts: Facts, order: Integers, kind: int, value: Integers, system: int) -> Seen:
    """Join the orders of an account under one identifier: the first and the latest of them."""
    account, ordered = facts.orders.account[order], facts.orders.ordered[order]
    pair, place = np.unique(np.stack([account, value]), axis=1, return_inverse=True)
    place = place.reshape(-1)
    first, last = np.full(pair.shape[1], NEVER), np.full(pair.shape[1], -1)
    np.minimum.at(first, place, ordered)
    np.maximum.at(last, place, ordered)
    seen = _seen(pair[0], kind, first, system, False, pair[1])
    seen.last = last
    return seen


def _values(facts: Facts, frame: Frame, seen: Seen) -> list[str]:
    """Write every identifier out as its system does."""
    accounts = facts.accounts
    person = accounts.person[seen.account]
    typed = emails(facts, person, accounts.spelling[seen.account]).to_pylist()
    member = membership_numbers(facts)
    base = facts.offsets.people
    found = []
    for place, (kind, value) in enumerate(
        zip(seen.kind.tolist(), seen.value.tolist(), strict=True)
    ):
        if kind == EMAIL:
            # As advertisers hash it: small letters, no blanks; a +label stays.
            found.append(_digest(typed[place].strip().lower()))
        elif kind == PHONE:
            found.append(f"+44{7_700_900_000 + (base + int(person[place])) % 1_000_000}")
        elif kind == MEMBERSHIP:
            found.append(f"M{member[value]:07d}")
        elif kind == MARKETPLACE:
            found.append(f"MK-{_digest(f'marketplace {base + value}')[:10].upper()}")
        else:
            found.append(browser_names(facts, frame, [value])[0])
    return found


def customer_identifiers(facts: Facts, frame: Frame, before: int) -> pa.Table:
    """One row per account and identifier; `last_seen_at` moves with every order."""
    seen = _seen_before(facts, frame, before)
    values = np.array(_values(facts, frame, seen), dtype=object)
    row = np.lexsort(
        [values.astype(str), seen.kind, account_numbers(facts)[seen.account], seen.first]
    )
    return pa.table(
        {
            "customer_id": keys("C", account_numbers(facts)[seen.account[row]]),
            "id_type": labels(seen.kind[row], ID_TYPES),
            "id_value": pa.array(values[row], pa.string()),
            "first_seen_at": moments(seen.first[row], before),
            "last_seen_at": moments(seen.last[row], before),
            "is_verified": flags(seen.is_verified[row]),
            "source_system": labels(seen.system[row], SYSTEMS),
        }
    )
