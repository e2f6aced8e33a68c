"""Sample shops that several test modules look at, each made once."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import duckdb

from orchestration.science.sample_shop import Parameters, Shop, generate
from orchestration.science.sample_shop.habits.relations import EFFECT_KINDS, Effects
from orchestration.science.sample_shop.habits.subjects import Experimenting
from orchestration.science.sample_shop.parameters import (
    ExtraOrders,
    Identity,
    Membership,
    Purchasing,
    Season,
)

FLAT_SEASON = Season(
    month_factors=(1.0,) * 12, weekday_factors=(1.0,) * 7, acquisition_growth_per_year=1.0
)
ONE_ACCOUNT_EACH = Identity(
    guest_share=0.0, registered_guest_checkout_share=0.0, till_email_people=0
)
NO_EXTRA_ORDERS = ExtraOrders(
    cancelled=0.0, unpaid=0.0, fraud=0.0, test=0.0, anonymous=0.0, prospects=0.0
)
NO_OFFER = Experimenting(offer_lift=1.0)
NO_EFFECTS = Effects(**dict.fromkeys(EFFECT_KINDS, 1.0))


@cache
def default_shop() -> Shop:
    """The shop of `seeds/sample`: default parameters, defects included."""
    return generate(Parameters())


@cache
def large_shop() -> Shop:
    """Default habits, 40,000 customers, clean: frequencies settle."""
    return generate(Parameters(customers=40_000, defects=False, seed=11))


@cache
def plain_shop() -> Shop:
    """No season, no lift, no effects, one account per person: buying is BG/NBD in calendar weeks."""
    return generate(
        Parameters(
            customers=30_000,
            defects=False,
            seed=12,
            season=FLAT_SEASON,
            identity=ONE_ACCOUNT_EACH,
            extra_orders=NO_EXTRA_ORDERS,
            effects=NO_EFFECTS,
            experimenting=NO_OFFER,
            purchasing=dataclasses.replace(Purchasing(), member_lift=1.0),
        )
    )


@cache
def loyal_shop() -> Shop:
    """Nobody drops out, members buy twice as fast: what a membership adds can be counted."""
    return generate(
        Parameters(
            customers=20_000,
            defects=False,
            seed=13,
            season=FLAT_SEASON,
            identity=ONE_ACCOUNT_EACH,
            extra_orders=NO_EXTRA_ORDERS,
            effects=NO_EFFECTS,
            experimenting=NO_OFFER,
            purchasing=Purchasing(a=1.0, b=1e9, member_lift=2.0),
            membership=dataclasses.replace(Membership(), rejoin=0.5),
        )
    )


def connection(shop: Shop) -> duckdb.DuckDBPyConnection:
    """Return an engine with the shop's tables and its truth (truth_people, truth_accounts, ...)."""
    opened = duckdb.connect()
    for name, table in shop.tables.items():
        opened.register(name, table)
    for name, table in shop.truth.tables.items():
        opened.register(f"truth_{name}", table)
    return opened


def rows(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    """Run SQL over the shop's tables and its truth."""
    with connection(shop) as opened:
        return opened.execute(query).fetchall()


def value(shop: Shop, query: str) -> Any:
    """Return the one value of a query."""
    return rows(shop, query)[0][0]
