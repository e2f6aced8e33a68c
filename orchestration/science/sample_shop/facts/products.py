"""The catalogue: variants, what they cost over time, and the exchange rates the shop used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import NEVER, Floats, Integers, epoch_day

CURRENCIES = ("GBP", "EUR", "USD")
CURRENCY_OF_COUNTRY = np.array([0, 1, 1, 1, 1, 2])
PRICE_FACTORS = np.array([1.0, 1.18, 1.30])
"""Price in the currency over the list price in pounds; the shop's own price list, not the rate."""
TAX_RATES = np.array([0.20, 0.23, 0.19, 0.20, 0.21, 0.0])


@dataclass(frozen=True)
class Category:
    """What the variants of a top category have in common."""

    name: str
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    options: tuple[str, ...]
    median_price: float
    cost_share: float
    return_factor: float
    cycle_days: int = 0
    is_returnable: bool = True


CATEGORIES = (
    Category("clothing", (("tops", ("T-shirt", "Shirt", "Jumper")), ("bottoms", ("Jeans", "Skirt")),
             ("outerwear", ("Rain coat", "Fleece"))), ("S", "M", "L", "XL"), 29.0, 0.42, 1.5),
    Category("shoes", (("everyday", ("Trainer", "Loafer")), ("outdoor", ("Walking boot",))),
             ("38", "40", "42", "44"), 54.0, 0.45, 1.7),
    Category("home", (("kitchen", ("Mug", "Pan", "Bread knife")), ("textiles", ("Throw", "Towel"))),
             ("Sage", "Slate"), 18.0, 0.40, 0.5),
    Category("beauty", (("skin", ("Face cream", "Cleanser")), ("hair", ("Shampoo", "Hair oil"))),
             ("100 ml", "250 ml"), 12.0, 0.33, 0.3, cycle_days=45),
    Category("electronics", (("audio", ("Earbuds", "Speaker")), ("power", ("Charger",))),
             ("Black", "White"), 64.0, 0.62, 0.9),
    Category("gift cards", (("gift cards", ("Gift card",)),), ("10", "25", "50", "100"), 25.0, 0.0,
             0.0, is_returnable=False),
    Category("inserts", (("inserts", ("Sample sachet", "Sticker set")),), ("one size",), 1.5, 0.6,
             0.0, is_returnable=False),
)  # fmt: skip
GIFT_CARDS, INSERTS = 5, 6
RANGES = ("Harbour", "Meadow", "Granite", "Willow", "Ember")
BRANDS = ("Northlane", "Fold & Field", "Tidewater", "Plain Goods")


@dataclass
class Catalogue:
    """One element per variant, grouped by category; those sold all the time come first in each."""

    category: Integers
    group: list[str]
    title: list[str]
    brand: Integers
    product: Integers
    price: Integers
    launched: Integers
    discontinued: Integers
    sibling: Integers
    """Another option of the same product (itself if there is none): what an exchange sends."""
    category_start: Integers
    evergreen: Integers
    """Number of variants per category that are always on sale."""
    popularity_edges: Floats
    cost_variant: Integers
    cost_from: Integers
    cost_pence: Integers
    cost_handling: Integers

    @property
    def return_factor(self) -> Floats:
        """Category factor of the probability that a line comes back, per variant."""
        return np.array([one.return_factor for one in CATEGORIES])[self.category]

    @property
    def is_returnable(self) -> NDArray[np.bool_]:
        """Whether a variant may be sent back."""
        return np.array([one.is_returnable for one in CATEGORIES])[self.category]


def draw_catalogue(rng: np.random.Generator, parameters: Parameters) -> Catalogue:
    """Draw the variants and their costs; a few hundred, so plain loops are clear enough."""
    start, end = epoch_day(parameters.start_date), epoch_day(parameters.end_date)
    rows: list[tuple[int, str, str, int, int, int, int, int]] = []
    product = 0
    for code, category in enumerate(CATEGORIES):
        lines = RANGES if code < GIFT_CARDS else ("",)
        for range_number, range_name in enumerate(lines):
            for group, nouns in category.groups:
                for noun in nouns:
                    product += 1
                    launched, gone = _on_sale(rng, range_number, start, end)
                    base = category.median_price * float(np.exp(0.35 * rng.standard_normal()))
                    brand = int(rng.integers(len(BRANDS)))
                    for option in category.options:
                        price = round(base) * 100 - 5
                        if code == GIFT_CARDS:
                            price = int(option) * 100
                        if option == "250 ml":
                            price = round(price * 2.1)
                        title = f"{range_name} {noun}, {option}".strip()
                        rows.append((code, group, title, brand, product, price, launched, gone))
    return _catalogue(rng, rows, start, end)


def _on_sale(rng: np.random.Generator, range_number: int, start: int, end: int) -> tuple[int, int]:
    """The first three ranges are always on sale; one starts later, one is taken off."""
    if range_number < 3:
        return start - int(rng.integers(100, 900)), int(NEVER)
    middle = start + int((end - start) * rng.uniform(0.25, 0.7))
    return (middle, int(NEVER)) if range_number == 3 else (start - 300, middle)


def _catalogue(
    rng: np.random.Generator,
    rows: list[tuple[int, str, str, int, int, int, int, int]],
    start: int,
    end: int,
) -> Catalogue:
    category, group, title, brand, product, price, launched, gone = zip(*rows, strict=True)
    codes, products = np.array(category), np.array(product)
    size = codes.size
    category_start = np.searchsorted(codes, np.arange(len(CATEGORIES) + 1))
    weights = 1 / (1 + rng.permuted(np.arange(size))) ** 0.6
    following = np.minimum(np.arange(size) + 1, size - 1)
    preceding = np.maximum(np.arange(size) - 1, 0)
    sibling = np.where(products[following] == products, following, preceding)
    sibling[(products[sibling] != products)] = np.flatnonzero(products[sibling] != products)
    discontinued = np.array(gone)
    always = (np.array(launched) <= start) & (discontinued == NEVER)
    costs = _costs(rng, codes, np.array(price), start, end)
    return Catalogue(
        category=codes,
        group=list(group),
        title=list(title),
        brand=np.array(brand),
        product=products,
        price=np.array(price),
        launched=np.array(launched),
        discontinued=discontinued,
        sibling=sibling,
        category_start=category_start,
        evergreen=np.array([always[codes == one].sum() for one in range(len(CATEGORIES))]),
        popularity_edges=np.concatenate([[0.0], np.cumsum(weights)]),
        cost_variant=costs[0],
        cost_from=costs[1],
        cost_pence=costs[2],
        cost_handling=costs[3],
    )


def _costs(
    rng: np.random.Generator, category: Integers, price: Integers, start: int, end: int
) -> tuple[Integers, Integers, Integers, Integers]:
    """Costs rise by a few percent about once a year; the first one holds from long before."""
    shares = np.array([one.cost_share for one in CATEGORIES])[category]
    size = category.size
    variants, starts, costs = [], [], []
    cost = np.floor(price * shares * rng.uniform(0.9, 1.1, size))
    first = np.full(size, start - 1000)
    for year in range((end - start) // 365 + 1):
        variants.append(np.arange(size))
        starts.append(first)
        costs.append(np.maximum(np.floor(cost), np.where(shares > 0, 1, 0)))
        cost = cost * rng.uniform(0.99, 1.07, size)
        first = start + 365 * (year + 1) - rng.integers(0, 60, size)
    handling = np.where(np.array(category) == GIFT_CARDS, 0, 45)
    variant = np.concatenate(variants)
    order = np.lexsort([np.concatenate(starts), variant])
    return (
        variant[order],
        np.concatenate(starts)[order].astype(np.int64),
        np.concatenate(costs)[order].astype(np.int64),
        handling[variant][order],
    )


def draw_exchange_rates(rng: np.random.Generator, days: int) -> Floats:
    """Draw pounds per unit of each currency and day: a slow walk that is pulled back.

    Returns
    -------
    array of float, shape (3, days)
        Rows in the order of `CURRENCIES`; the first one is all ones.
    """
    level = np.array([0.86, 0.79])
    rates = np.empty((2, days))
    deviation = np.zeros(2)
    shocks = rng.standard_normal((days, 2)) * 0.004
    for day in range(days):
        deviation = deviation * 0.99 + shocks[day]
        rates[:, day] = level * np.exp(deviation)
    return np.vstack([np.ones(days), np.round(rates, 6)])
