"""Order histories as arrays: what makes one possible, and how many customers share it.

What belongs here is what every buy-till-you-die model needs before its first equation. Time is in
one unit throughout, which the caller chooses; the first order is at 0 and is not counted.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestration.science.errors import DataError

Floats = NDArray[np.float64]

# Up to so many possible keys for each row, looking a key up in a table beats sorting the keys.
DENSE_ROOM_PER_ROW = 4


class Groups(NamedTuple):
    """Distinct histories and how many customers share each; every array has shape (n_groups,)."""

    frequency: Floats
    recency: Floats
    age: Floats
    count: Floats


def distinct_rows(*columns: ArrayLike) -> tuple[list[Floats], NDArray[np.intp]]:
    """Find the distinct rows of some columns, sorted by the first column first.

    Parameters
    ----------
    *columns : arrays of float, each of shape (n,)

    Returns
    -------
    distinct : list of arrays, each of shape (n_distinct,)
    position : array of int, shape (n,)
        Where each row is found in ``distinct``.

    Examples
    --------
    >>> distinct, position = distinct_rows([2, 1, 2], [5, 4, 5])
    >>> [column.tolist() for column in distinct], position.tolist()
    ([[1.0, 2.0], [4.0, 5.0]], [1, 0, 1])
    """
    values = [np.asarray(column, dtype=float) for column in columns]
    packed = _pack(values)
    if packed is not None:
        distinct_keys, position = _distinct_keys(packed)
        return packed.unpack(distinct_keys), position
    order = np.lexsort(values[::-1])
    is_first = np.zeros(order.size, dtype=bool)
    is_first[:1] = True
    for column in values:
        ordered = column[order]
        is_first[1:] |= ordered[1:] != ordered[:-1]
    position = np.empty(order.size, dtype=np.intp)
    position[order] = np.cumsum(is_first) - 1
    return [column[order[is_first]] for column in values], position


class _Packed(NamedTuple):
    """Rows written as one whole number each, whose order is that of the rows."""

    keys: NDArray[np.int64]
    lowest: list[float]
    spans: list[int]

    @property
    def room(self) -> int:
        """How many keys there could be; every key is below."""
        return math.prod(self.spans)

    def unpack(self, keys: NDArray[np.int64]) -> list[Floats]:
        """Give back the columns of some keys."""
        columns = []
        for low, span in zip(reversed(self.lowest), reversed(self.spans), strict=True):
            keys, digits = np.divmod(keys, span)
            columns.append(digits + low)
        return columns[::-1]


def _pack(columns: list[Floats]) -> _Packed | None:
    """Write each row as the digits of one number, which sorts several times as fast as columns.

    None where that loses something: steps that are not whole (days in weeks), NaN, infinity, or
    more room than a 64-bit integer has.
    """
    if not columns[0].size:
        return None
    lowest = [float(column.min()) for column in columns]
    reach = [float(column.max()) - low for column, low in zip(columns, lowest, strict=True)]
    if not all(span < 2**53 for span in reach):
        return None
    spans = [int(span) + 1 for span in reach]
    if math.prod(spans) >= 2**63:
        return None
    keys = np.zeros(columns[0].size, dtype=np.int64)
    for column, low, span in zip(columns, lowest, spans, strict=True):
        digits = (column - low).astype(np.int64)
        if not np.array_equal(digits + low, column):
            return None
        keys *= span
        keys += digits
    return _Packed(keys, lowest, spans)


def _distinct_keys(packed: _Packed) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Find the distinct keys, ascending, and where each row's is among them."""
    if packed.room > DENSE_ROOM_PER_ROW * packed.keys.size:
        return np.unique(packed.keys, return_inverse=True)
    # Few possible keys, such as orders and days: a table of all of them needs no sorting.
    is_there = np.zeros(packed.room, dtype=bool)
    is_there[packed.keys] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[packed.keys]


def group_customers(
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, weight: ArrayLike | None = None
) -> Groups:
    """Count the customers of each distinct history; these counts are all that a fit needs.

    Parameters
    ----------
    frequency : array of int, shape (n,)
        Repeat orders (days with an order, less the first).
    recency : array of float, shape (n,)
        Time from first to last order, in the fit's unit; 0 for who ordered once.
    age : array of float, shape (n,)
        Time from first order to the end of observation, same unit.
    weight : array of float, shape (n,), optional
        Customers that each row stands for; 1 if absent. Rows need not be distinct or sorted.

    Raises
    ------
    DataError
        If lengths differ or a history is impossible; the message shows the first such row.

    Examples
    --------
    >>> groups = group_customers([0, 2, 0], [0, 30, 0], [90, 60, 90])
    >>> groups.frequency.tolist(), groups.age.tolist(), groups.count.tolist()
    ([0.0, 2.0], [90.0, 60.0], [2.0, 1.0])
    """
    x, t_x, T = checked_histories(frequency, recency, age)
    if x.ndim != 1:
        raise DataError(f"histories must be one-dimensional; found shape {x.shape}")
    if weight is None and (packed := _pack([x, t_x, T])) is not None:
        keys, count = np.unique(packed.keys, return_counts=True)
        return Groups(*packed.unpack(keys), count.astype(float))
    n = np.ones(x.size) if weight is None else np.asarray(weight, dtype=float)
    if n.shape != x.shape:
        raise DataError(f"frequency has {x.size} values but weight has {n.size}")
    refuse_where(~(np.isfinite(n) & (n > 0)), "weight must be positive and finite", weight=n)
    (x, t_x, T), position = distinct_rows(x, t_x, T)
    return Groups(x, t_x, T, np.bincount(position, weights=n, minlength=x.size))


def checked_histories(
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Broadcast histories and refuse impossible ones."""
    arrays = [np.asarray(column, dtype=float) for column in (frequency, recency, age)]
    try:
        x, t_x, T = np.broadcast_arrays(*arrays)
    except ValueError as problem:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise DataError(f"frequency, recency and age differ in shape: {shapes}") from problem
    found = {"frequency": x, "recency": t_x, "age": T}
    for name, values in found.items():
        refuse_where(
            ~(np.isfinite(values) & (values >= 0)), f"{name} must be finite and >= 0", **found
        )
    refuse_where(x != np.floor(x), "frequency must be a whole number", **found)
    refuse_where(t_x > T, "recency must not exceed age", **found)
    refuse_where((x == 0) & (t_x > 0), "recency must be 0 where frequency is 0", **found)
    refuse_where((x > 0) & (t_x == 0), "recency must be above 0 where frequency is", **found)
    return x, t_x, T


def refuse_where(bad: NDArray[np.bool_], rule: str, **found: Floats) -> None:
    """Raise with the first row that breaks a rule."""
    if bad.any():
        position = int(np.argmax(bad))
        row = ", ".join(f"{name} {values.flat[position]:g}" for name, values in found.items())
        raise DataError(f"{rule}; row {position} of {bad.size} has {row}")
