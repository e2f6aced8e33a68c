"""Ledgers that the tests of forecasts look at, small enough to be counted or made by a known rule."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa

from orchestration.science.ledger import Ledger, ledger_from_tables
from orchestration.science.purchases import bgnbd
from orchestration.science.sample_shop import Parameters, generate

FIRST = date(2023, 1, 2)
FIRST_NUMBER = (FIRST - date(1970, 1, 1)).days


def ledger_of(orders: Iterable[tuple[str, int]], until: int) -> Ledger:
    """Orders as (customer, day), days counted from 0; the ledger ends with day ``until``."""
    rows = list(orders)
    table = pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "ordered_date": pa.array(
                [FIRST + timedelta(days=int(row[1])) for row in rows], pa.date32()
            ),
        }
    )
    return ledger_from_tables(table, FIRST_NUMBER + until)


@cache
def steady_shop(n_customers: int = 2_000, days: int = 1_300, seed: int = 3) -> Ledger:
    """Customers who arrive evenly and behave as BG/NBD says; no season, no growth."""
    random = np.random.default_rng(seed)
    truth = bgnbd.BgNbdFit.given(r=0.6, alpha=40.0, a=0.8, b=2.5, time_unit="day")
    rate = random.gamma(truth.r, 1 / truth.alpha, n_customers)
    p_leave = random.beta(truth.a, truth.b, n_customers)
    rows = []
    for customer, first in enumerate(random.integers(0, days, n_customers).tolist()):
        now = float(first)
        while now <= days:
            rows.append((f"c{customer:05}", int(now)))
            if now > first and random.random() < p_leave[customer]:
                break
            now += max(random.exponential(1 / rate[customer]), 1e-9)
    return ledger_of(rows, days)


@cache
def sample_shop(seed: int = 21) -> Ledger:
    """The sample shop without defects: seasons, growth, members; persons as customers."""
    shop = generate(Parameters(customers=3_000, defects=False, seed=seed))
    with duckdb.connect() as connection:
        connection.register("orders", shop.tables["orders"])
        connection.register("accounts", shop.truth.tables["accounts"])
        rows = (
            connection.sql(
                """
                select
                    cast(accounts.person_id as varchar) as customer_id,
                    cast(orders.ordered_at as date) as ordered_date
                from orders
                inner join accounts using (customer_id)
                where
                    orders.status in ('paid', 'fulfilled', 'partially_refunded')
                    and not orders.is_exchange
                    and not orders.is_test
                """
            )
            .arrow()
            .read_all()
        )
    return ledger_from_tables(rows, (date(2025, 12, 31) - date(1970, 1, 1)).days)
