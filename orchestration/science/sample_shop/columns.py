"""Columns: small draws and the way from NumPy arrays to Arrow columns of the source contract.

Codes stand for labels and pence for money until the very end; both are turned here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from orchestration.science.sample_shop.shop_time import Floats, Integers

Record = TypeVar("Record")


def pick(rng: np.random.Generator, weights: Sequence[float], size: int) -> Integers:
    """Draw codes 0, 1, ... with the given relative weights."""
    edges = np.cumsum(weights)
    codes = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.minimum(codes, len(weights) - 1).astype(np.int64)


def chance(rng: np.random.Generator, probability: float | Floats, size: int) -> NDArray[np.bool_]:
    """Draw true with the given probability, one for all or one for each."""
    return rng.random(size) < probability


def between(rng: np.random.Generator, low: ArrayLike, high: ArrayLike, size: int) -> Integers:
    """Draw whole numbers from low (included) to high (excluded)."""
    low = np.asarray(low, dtype=np.float64)
    return np.floor(low + rng.random(size) * (np.asarray(high) - low)).astype(np.int64)


def stack(records: Sequence[Record]) -> Record:
    """Join records of arrays end to end, field by field."""
    kind = type(records[0])
    joined: dict[str, Any] = {
        one.name: np.concatenate([getattr(record, one.name) for record in records])
        for one in fields(kind)  # type: ignore[arg-type]
    }
    return kind(**joined)


def take(record: Record, index: NDArray[Any]) -> Record:
    """Return a record with the rows at `index` (positions or a mask) of every array."""
    kind = type(record)
    return kind(**{one.name: getattr(record, one.name)[index] for one in fields(kind)})  # type: ignore[arg-type]


def ranks(*keys: NDArray[Any]) -> Integers:
    """Return the place (0, 1, ...) of each row when sorted by the keys, the first one first."""
    order = np.lexsort(keys[::-1])
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    return place


def money(pence: Integers, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Turn pence into DECIMAL(18,2); unknown ones are null."""
    words = np.empty((pence.size, 2), dtype=np.int64)
    words[:, 0] = pence
    words[:, 1] = np.where(pence < 0, -1, 0)
    column = pa.Array.from_buffers(
        pa.decimal128(18, 2), pence.size, [None, pa.py_buffer(words.tobytes())]
    )
    return column if known is None else pc.if_else(pa.array(known), column, None)


def moments(seconds: Integers, before: int) -> pa.Array:
    """Turn UTC seconds into TIMESTAMP; what has not happened before `before` is null."""
    unknown = seconds >= before
    return pa.array(np.where(unknown, 0, seconds) * 1_000_000, mask=unknown).cast(
        pa.timestamp("us")
    )


def dates(days: Integers, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Turn days since 1970 into DATE; unknown ones are null."""
    mask = None if known is None else ~known
    return pa.array(days.astype(np.int32), mask=mask).cast(pa.date32())


def labels(codes: NDArray[Any], names: Sequence[str]) -> pa.Array:
    """Turn codes into text; a negative code is null."""
    codes = np.asarray(codes)
    index = pa.array(np.where(codes < 0, 0, codes).astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(list(names), pa.string())).cast(
        pa.string()
    )


def keys(prefix: str, numbers: NDArray[Any], width: int = 7) -> pa.Array:
    """Turn numbers into keys such as O0000012; a negative number is null."""
    numbers = np.asarray(numbers, dtype=np.int64)
    text = pa.array(numbers, mask=numbers < 0).cast(pa.string())
    return pc.binary_join_element_wise(prefix, pc.utf8_lpad(text, width, "0"), "")


def flags(values: NDArray[np.bool_]) -> pa.Array:
    """Turn a mask into BOOLEAN."""
    return pa.array(np.asarray(values, dtype=bool))


def share_of(amount: Integers, part: ArrayLike, whole: ArrayLike) -> Integers:
    """Return amount x part / whole in whole pence, rounded down so that parts never exceed it."""
    return amount * np.asarray(part, dtype=np.int64) // np.asarray(whole, dtype=np.int64)


def percent_of(amount: Integers, rate: ArrayLike) -> Integers:
    """Return amount x rate in whole pence, halves up."""
    return np.floor(amount * np.asarray(rate, dtype=np.float64) + 0.5).astype(np.int64)
