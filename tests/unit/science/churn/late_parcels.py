"""Shops drawn at random whose habits are known, for tests of churn.

Everyone orders at an own rate from a day within the first part of the shop's life, and leaves with
an own chance after each order, as BG/NBD has it. On top of that, and not known to any closed form:
one parcel of four comes late, and after a late parcel most people never order again. A season may
move everyone.
"""

from dataclasses import replace

import numpy as np

from orchestration.science.ledger import NEVER, Events, Ledger, Orders, Refunds

FIRST_DAY = 18_000


def drawn_shop(
    customers: int = 1000,
    days: int = 800,
    leaving_after_late: float = 0.8,
    season: float = 0.0,
    random_state: int = 1,
) -> Ledger:
    """Draw a shop day by day.

    ``season`` is the largest relative rise of everyone's rate, in spring.
    """
    rng = np.random.default_rng(random_state)
    first = np.sort(rng.integers(0, days * 3 // 4, customers))
    rate = rng.gamma(1.2, 1 / 40, customers)
    leaves = rng.beta(0.8, 4.0, customers)
    is_active = np.ones(customers, dtype=bool)
    owner, ordered, late = [], [], []
    for day in range(days):
        speed = 1 + season * np.sin(2 * np.pi * day / 365)
        again = (first < day) & is_active & (rng.random(customers) < rate * speed)
        found = np.flatnonzero(again | (first == day))
        is_late = rng.random(found.size) < 0.25
        owner.append(found)
        ordered.append(np.full(found.size, day))
        late.append(is_late)
        chance = np.where(is_late, leaving_after_late, leaves[found])
        is_active[found[rng.random(found.size) < chance]] = False
    customer, day = np.concatenate(owner), np.concatenate(ordered)
    order = np.lexsort((day, customer))
    days_late = np.concatenate(late)[order] * 3.0
    customer, day = customer[order].astype(np.int32), day[order].astype(np.int32) + FIRST_DAY
    arrived = day + 2
    came = arrived <= FIRST_DAY + days - 1
    amount = rng.gamma(4.0, 10.0, day.size)
    none = np.zeros(0, dtype=np.int32)
    return Ledger(
        np.array([f"c{one:05d}" for one in range(customers)], dtype=object),
        Orders(
            customer,
            day,
            amount,
            amount / 2,
            np.ones(day.size),
            rng.random(day.size) < 0.3,
            np.full(day.size, NEVER, dtype=np.int32),
        ),
        Refunds(none, none, none, none.astype(float), none.astype(float)),
        FIRST_DAY + days - 1,
        {"parcel_days_late": Events(customer[came], arrived[came], days_late[came])},
    )


def with_another_future(shop: Ledger, origin: int, random_state: int = 2) -> Ledger:
    """The same shop up to a day; afterwards other orders, refunds and events of other people."""
    rng = np.random.default_rng(random_state)
    orders, refunds = shop.orders, shop.refunds
    past = orders.day <= origin
    n = int(np.count_nonzero(past))
    customer = rng.integers(0, shop.n_customers, 3 * shop.n_customers).astype(np.int32)
    # Whoever began after the origin would be no customer at all without an order of their own.
    customer = np.concatenate([np.arange(shop.n_customers, dtype=np.int32), customer])
    day = rng.integers(origin + 1, shop.until + 1, customer.size).astype(np.int32)
    merged = Orders(
        np.concatenate([orders.customer[past], customer]),
        np.concatenate([orders.day[past], day]),
        np.concatenate([orders.net_amount[past], np.full(day.size, 1e6)]),
        np.concatenate([orders.margin_amount[past], np.full(day.size, 1e6)]),
        np.concatenate([orders.unit_count[past], np.full(day.size, 99.0)]),
        np.concatenate([orders.is_promo[past], np.ones(day.size, dtype=bool)]),
        # An order of the past that is given back one day has not been given back yet.
        np.concatenate(
            [np.where(rng.random(n) < 0.1, origin + 1, NEVER), np.full(day.size, NEVER)]
        ).astype(np.int32),
    )
    ascending = np.lexsort((merged.day, merged.customer))
    late = shop.events["parcel_days_late"]
    kept = late.day <= origin
    return replace(
        shop,
        orders=Orders(*(column[ascending] for column in merged)),
        refunds=Refunds(
            np.concatenate([refunds.customer, customer]),
            np.concatenate([refunds.day, day]),
            np.concatenate([refunds.ordered_day, np.full(day.size, origin, dtype=np.int32)]),
            np.concatenate([refunds.net_amount, np.full(day.size, 7.0)]),
            np.concatenate([refunds.margin_amount, np.full(day.size, 7.0)]),
        ),
        events={
            "parcel_days_late": Events(
                np.concatenate([late.customer[kept], customer]),
                np.concatenate([late.day[kept], day]),
                np.concatenate([late.amount[kept], np.full(day.size, 500.0)]),
            ),
            "survey": Events(customer, day, np.full(day.size, 9.0)),
        },
    )
