"""What is in an order and what it costs: lines, discounts, tax, totals. All money in whole pence
(or cents) of the order's currency, so that every sum is exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.buying.channels import NEXT_DAY, STORE
from orchestration.science.sample_shop.columns import between, chance, percent_of, pick
from orchestration.science.sample_shop.facts.orders import ANONYMOUS, TEST, Orders
from orchestration.science.sample_shop.facts.people import CATEGORY_MIX, People
from orchestration.science.sample_shop.facts.products import (
    GIFT_CARDS,
    INSERTS,
    PRICE_FACTORS,
    TAX_RATES,
    Catalogue,
)
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import Integers, day_of_month, month_of_year

PROMOTIONS = ("BLACKFRIDAY", "SUMMER15", "JAN20", "WELCOME10", "TRADE15", "MEMBERDEAL")
PROMOTION_RATES = np.array([0.25, 0.15, 0.20, 0.10, 0.15, 0.10])
BLACK_FRIDAY, SUMMER, JANUARY, WELCOME, TRADE, MEMBER_DEAL = range(6)
FREE_FROM = 5000
SHIPPING_PRICES = np.array([995, 695, 495, 395])
ABROAD = 500


@dataclass
class Lines:
    """One element per order line."""

    order: Integers
    variant: Integers
    quantity: Integers
    unit_price: Integers
    discount: Integers
    tax: Integers
    is_insert: NDArray[np.bool_]


@dataclass
class Money:
    """One element per order: amounts in its own currency, and how they came about."""

    gross: Integers
    discount: Integers
    shipping: Integers
    tax: Integers
    total: Integers
    fee: Integers
    promotion: Integers
    has_free_shipping_code: NDArray[np.bool_]
    member_shipping_saved: Integers
    """Shipping that a membership paid for, in pounds' pence."""


def fill_baskets(
    rng: np.random.Generator,
    orders: Orders,
    people: People,
    catalogue: Catalogue,
    parameters: Parameters,
    has_goods: NDArray[np.bool_],
) -> tuple[Lines, Money]:
    """Draw the lines of every order and add up what is paid; `has_goods` orders hold no card."""
    habits = parameters.baskets
    size = orders.kind.size
    known = orders.person >= 0
    basket = np.where(known, people.basket[orders.person], 1.0)
    wholesale = known & people.is_wholesale[orders.person]
    is_test = orders.kind == TEST
    count = np.where(is_test, 1, 1 + rng.poisson(habits.further_lines * basket, size))
    order = np.repeat(np.arange(size), count)
    variant = _draw_variants(rng, order, orders, people, catalogue, parameters, has_goods)
    quantity = 1 + rng.poisson(habits.further_units * basket[order])
    dozens = np.maximum(6, rng.lognormal(np.log(habits.wholesale_units), 0.6, order.size))
    quantity = np.where(wholesale[order], dozens.astype(np.int64), quantity)
    is_insert = np.zeros(order.size, dtype=bool)
    is_card = catalogue.category[variant] == GIFT_CARDS
    quantity = np.where(is_card | is_test[order], 1, quantity)

    gifts = np.flatnonzero(chance(rng, habits.gift_insert_share, size) & ~is_test)
    low, high = catalogue.category_start[INSERTS : INSERTS + 2]
    order = np.concatenate([order, gifts])
    variant = np.concatenate([variant, between(rng, low, high, gifts.size)])
    quantity = np.concatenate([quantity, np.ones(gifts.size, dtype=np.int64)])
    is_insert = np.concatenate([is_insert, np.ones(gifts.size, dtype=bool)])
    by_order = np.argsort(order, kind="stable")
    order, variant, quantity = order[by_order], variant[by_order], quantity[by_order]
    is_insert = is_insert[by_order]

    price = percent_of(catalogue.price[variant], PRICE_FACTORS[orders.currency[order]])
    price = np.where(is_insert, 0, np.where(is_test[order], 100, price))
    promotion = _promotions(rng, orders, wholesale, parameters)
    discountable = (catalogue.category[variant] < GIFT_CARDS) & ~is_insert
    rate = np.where(promotion >= 0, PROMOTION_RATES[promotion], 0.0)[order] * discountable
    discount = percent_of(quantity * price, rate)
    tax_rate = TAX_RATES[orders.country[order]] * discountable
    tax = percent_of(quantity * price - discount, tax_rate)
    lines = Lines(order, variant, quantity, price, discount, tax, is_insert)
    free_code = chance(rng, habits.free_shipping_share, size)
    return lines, _totals(
        lines, orders, promotion, free_code, _needs_parcel(lines, catalogue, size)
    )


def _needs_parcel(lines: Lines, catalogue: Catalogue, size: int) -> NDArray[np.bool_]:
    goods = catalogue.category[lines.variant] != GIFT_CARDS
    return np.bincount(lines.order[goods], minlength=size) > 0


def _draw_variants(
    rng: np.random.Generator,
    order: Integers,
    orders: Orders,
    people: People,
    catalogue: Catalogue,
    parameters: Parameters,
    has_goods: NDArray[np.bool_],
) -> Integers:
    """Draw a category and a popular variant in it that was on sale on the day of the order."""
    habits = parameters.baskets
    size = order.size
    category = pick(rng, CATEGORY_MIX, size)
    person = orders.person[order]
    likes = chance(rng, habits.favourite_share, size) & (orders.kind[order] != ANONYMOUS)
    category = np.where(likes, people.favourite[person], category)
    day = orders.local_day[order]
    december = month_of_year(day) == 12
    cards = np.where(december, habits.gift_card_december_share, habits.gift_card_share)
    category = np.where(chance(rng, cards, size) & ~has_goods[order], GIFT_CARDS, category)
    edges = catalogue.popularity_edges
    start = catalogue.category_start
    low, high = edges[start[category]], edges[start[category + 1]]
    target = low + rng.random(size) * (high - low)
    variant = np.searchsorted(edges, target, side="right") - 1
    variant = np.clip(variant, start[category], start[category + 1] - 1)
    off_sale = (day < catalogue.launched[variant]) | (day >= catalogue.discontinued[variant])
    always = between(rng, 0, catalogue.evergreen[category], size)
    return np.where(off_sale, start[category] + always, variant)


def _promotions(
    rng: np.random.Generator,
    orders: Orders,
    wholesale: NDArray[np.bool_],
    parameters: Parameters,
) -> Integers:
    habits = parameters.baskets
    size = orders.kind.size
    month, day = month_of_year(orders.local_day), day_of_month(orders.local_day)
    window = np.select(
        [
            (month == 11) & (day >= 24),
            (month == 7) & (day <= 14),
            (month == 1) & (day >= 2) & (day <= 12),
        ],
        [BLACK_FRIDAY, SUMMER, JANUARY],
        -1,
    )
    promotion = np.where(chance(rng, habits.promotion_share, size), window, -1)
    welcomed = (orders.visit_number == 0) & chance(rng, habits.welcome_share, size)
    promotion = np.where((promotion < 0) & welcomed, WELCOME, promotion)
    deal = (orders.membership >= 0) & chance(rng, habits.member_deal_share, size)
    promotion = np.where((promotion < 0) & deal, MEMBER_DEAL, promotion)
    promotion = np.where(wholesale, TRADE, promotion)
    return np.where(orders.kind == TEST, -1, promotion)


def _totals(
    lines: Lines,
    orders: Orders,
    promotion: Integers,
    free_code: NDArray[np.bool_],
    needs_parcel: NDArray[np.bool_],
) -> Money:
    size = orders.kind.size

    def summed(values: Integers) -> Integers:
        # Float sums of whole pence are exact far beyond any order.
        return np.bincount(lines.order, values, minlength=size).astype(np.int64)

    gross = summed(lines.quantity * lines.unit_price)
    discount, tax = summed(lines.discount), summed(lines.tax)
    is_free = (gross - discount >= FREE_FROM) & (orders.service > NEXT_DAY)
    price = SHIPPING_PRICES[orders.service] + np.where(orders.country > 0, ABROAD, 0)
    price = np.where(needs_parcel & (orders.channel != STORE) & ~is_free, price, 0)
    price = np.where(orders.kind == TEST, 0, price)
    by_member = orders.membership >= 0
    shipping = np.where(by_member | free_code, 0, percent_of(price, PRICE_FACTORS[orders.currency]))
    total = gross - discount + shipping + tax
    return Money(
        gross=gross,
        discount=discount,
        shipping=shipping,
        tax=tax,
        total=total,
        fee=np.where(total > 0, percent_of(total, 0.014) + 20, 0),
        promotion=promotion,
        has_free_shipping_code=free_code & (price > 0) & ~by_member,
        member_shipping_saved=np.where(by_member, price, 0),
    )
