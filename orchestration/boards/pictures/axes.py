"""Scales: round ticks, places in per cent, and which labels fit below a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Heights and widths inside every picture, whatever its size on the screen: the drawing is stretched to its box.
WIDTH = 1000.0
HEIGHT = 400.0


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on the height of a picture, with round ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """The height of a value, counted from the top."""
        return HEIGHT * (self.high - value) / (self.high - self.low)

    def percent(self, value: float) -> float:
        return 100 * (self.high - value) / (self.high - self.low)


def scale(
    values: Sequence[float], *, from_zero: bool = True, ceiling: float | None = None
) -> Scale:
    """A scale that holds all values, from zero unless a part of the range is what is to be seen."""
    low, high = min(values), max(values)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high == low and ceiling is not None and high >= ceiling:
        # A line along the ceiling, such as a share that is always one.
        low = ceiling - 1.0
    elif high == low:
        high = low + 1.0
    step = _round_step((high - low) / 4)
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if ceiling is not None:
        high = min(high, ceiling)
    count = round((high - low) / step)
    return Scale(low, high, tuple(round(low + step * place, 10) for place in range(count + 1)))


def shown_places(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, evenly apart, the last always among them."""
    if count <= 0:
        return []
    step = max(1, math.ceil(count / most))
    return list(range(count - 1, -1, -step))[::-1]


def shown_on_a_phone(places: Sequence[int], *, are_long: bool) -> set[int]:
    """Of labels that a desk has room for, those that a phone has room for: every second one of many."""
    return set(places[::-1][::2] if len(places) > (2 if are_long else 4) else places)


def _round_step(raw: float) -> float:
    size = 10.0 ** math.floor(math.log10(raw))
    return next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= raw * 0.999)
