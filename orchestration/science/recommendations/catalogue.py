"""What may be shown: the variants of the shop, the products that they are options of, the shelf of a day.

A product is the unit of taste, a variant the unit of the shelf: whoever likes a jumper is shown one
size of it, and one that can be had.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from orchestration.science.errors import DataError

Floats = NDArray[np.float64]
# Scores of all products for all customers: half the memory, and more digits than a score has.
Singles = NDArray[np.float32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

LEVELS = ("category_l1", "category_l2", "category_l3")
LONG_AGO, NEVER = -(10**6), 10**6
# Prices are compared within a category, in fifths; fewer products have no fifths.
PRICE_BANDS = 5


@dataclass(frozen=True)
class Catalogue:
    """All variants and products, numbered by their sorted ids.

    Attributes
    ----------
    variant_ids, titles : arrays of text, shape (n_variants,)
    product : array of int, shape (n_variants,)
        Product of each variant.
    launched, discontinued : arrays of int, shape (n_variants,)
        First and last day on sale, in days since 1970-01-01.
    is_withheld : array of bool, shape (n_variants,)
        Never shown: gift cards, gifts, what is no product.
    stock : tuple of arrays (variant, day, is_in_stock)
        Changes, by variant and day; a variant without any is taken to be there.
    is_replenishable : array of bool, shape (n_products,)
    cycle_days : array of float, shape (n_products,)
        Days until one is used up, of the largest; NaN where nobody says.
    attributes : mapping of name to array of text, shape (n_products,)
        Category levels and brand; None where nobody says.
    price : array of float, shape (n_products,)
    """

    variant_ids: Texts
    titles: Texts
    product: Integers
    launched: Integers
    discontinued: Integers
    is_withheld: Flags
    stock: tuple[Integers, Integers, Flags]
    is_replenishable: Flags
    cycle_days: Floats
    attributes: dict[str, Texts]
    price: Floats

    @property
    def n_variants(self) -> int:
        """Variants, shown or not."""
        return self.variant_ids.size

    @property
    def n_products(self) -> int:
        """Products, shown or not."""
        return self.is_replenishable.size

    @cached_property
    def price_band(self) -> Integers:
        """Fifth of the price among the products of the same top category; -1 without a price."""
        band = np.full(self.n_products, -1)
        top = np.array([str(one) for one in self.attributes[LEVELS[0]]], dtype=object)
        for name in np.unique(top):
            own = np.flatnonzero((top == name) & ~np.isnan(self.price))
            if own.size >= PRICE_BANDS:
                edges = np.quantile(self.price[own], np.arange(1, PRICE_BANDS) / PRICE_BANDS)
                band[own] = np.searchsorted(edges, self.price[own], side="right")
        return band

    def shelf(self, day: int) -> Flags:
        """Which variants may be shown after the end of a day: on sale by then, still, and in stock."""
        on_sale = (self.launched <= day) & (self.discontinued > day) & ~self.is_withheld
        return on_sale & self._in_stock(day)

    def _in_stock(self, day: int) -> Flags:
        variant, changed, is_there = self.stock
        found = np.ones(self.n_variants, dtype=bool)
        known = changed <= day
        # The last change of each variant wins: they are sorted by day.
        found[variant[known]] = is_there[known]
        return found


def catalogue_from_tables(variants: pa.Table, stock: pa.Table) -> Catalogue:
    """Read the catalogue.

    Parameters
    ----------
    variants : pyarrow.Table
        One row per variant: variant_id, product_id, title, brand, category_l1 to l3, price,
        is_replenishable, cycle_days, is_withheld, launched_date, discontinued_date.
    stock : pyarrow.Table
        One row per variant and day on which it began or ceased to be there: variant_id, valid_from,
        is_in_stock.

    Raises
    ------
    DataError
        If a variant is there twice.
    """
    variants = variants.sort_by("variant_id")
    ids = _texts(variants, "variant_id")
    if np.unique(ids).size < ids.size:
        raise DataError("a variant stands twice in the catalogue")
    product_ids, product = np.unique(_texts(variants, "product_id"), return_inverse=True)
    n_products = product_ids.size
    titles = _texts(variants, "title")
    replenishable = np.zeros(n_products, dtype=bool)
    np.logical_or.at(replenishable, product, _flags(variants, "is_replenishable"))
    cycle_days = np.full(n_products, np.nan)
    np.fmax.at(cycle_days, product, _floats(variants, "cycle_days"))
    stock = stock.filter(pc.is_in(stock["variant_id"], pa.array(ids, pa.string())))
    stock = stock.sort_by([("variant_id", "ascending"), ("valid_from", "ascending")])
    return Catalogue(
        variant_ids=ids,
        titles=np.where(np.equal(titles, None), ids, titles),
        product=product,
        launched=_days(variants, "launched_date", LONG_AGO),
        discontinued=_days(variants, "discontinued_date", NEVER),
        is_withheld=_flags(variants, "is_withheld"),
        stock=(
            np.searchsorted(ids, _texts(stock, "variant_id")),
            _days(stock, "valid_from", LONG_AGO),
            _flags(stock, "is_in_stock"),
        ),
        is_replenishable=replenishable,
        cycle_days=cycle_days,
        attributes={
            name: _first_of_product(
                _texts(variants, name), product, n_products, lambda found: np.equal(found, None)
            )
            for name in (*LEVELS, "brand")
        },
        price=_first_of_product(_floats(variants, "price"), product, n_products, np.isnan),
    )


def _first_of_product(
    values: NDArray[Any], product: Integers, n_products: int, is_missing: Any
) -> NDArray[Any]:
    """What the first variant that says anything says for its product."""
    found = np.full(n_products, np.nan if values.dtype == float else None, dtype=values.dtype)
    known = np.flatnonzero(~is_missing(values))[::-1]
    found[product[known]] = values[known]
    return found


def _texts(table: pa.Table, name: str) -> Texts:
    return np.array(pc.cast(table[name], pa.string()).to_pylist(), dtype=object)


def _floats(table: pa.Table, name: str) -> Floats:
    return pc.cast(table[name], pa.float64()).to_numpy(zero_copy_only=False).astype(float)


def _flags(table: pa.Table, name: str) -> Flags:
    return np.array(pc.fill_null(table[name], False).to_pylist(), dtype=bool)


def _days(table: pa.Table, name: str, missing: int) -> Integers:
    days = pc.cast(pc.cast(table[name], pa.date32()), pa.int32())
    return pc.fill_null(days, missing).to_numpy(zero_copy_only=False).astype(np.int64)
