"""Scales: round ticks, places in per cent, and which labels fit below a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Heights and widths inside every picture, whatever its size on the screen: the drawing is stretched to its box.
WIDTH = 1000.0
HEIGHT = 400.0

# What is left for the labels of a picture at least as wide as charts/style.css says for room0, room1, ...
ROOM_PIXELS = (225, 310, 500, 790)
# A letter of the labels, in the widest of the fonts that a page may be shown in.
LETTER_PIXELS = 8
GAP_PIXELS = 10
MOST_LABELS = 13


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


def labels_by_room(words: Sequence[str]) -> list[tuple[int, str]]:
    """The places whose label is shown at some width, each with the marks of those widths (`room0 room2`).

    A picture does not know how wide it will be shown, so it carries the labels of every width, and the style shows
    those of its own (charts/style.css, `@container`). Words that run into each other name nothing.
    """
    widest = max((len(text) for text in words), default=0) * LETTER_PIXELS + GAP_PIXELS
    found: dict[int, list[str]] = {}
    for number, room in enumerate(ROOM_PIXELS):
        for place in shown_places(len(words), min(MOST_LABELS, max(2, int(room / widest)))):
            found.setdefault(place, []).append(f"room{number}")
    return [(place, " ".join(marks)) for place, marks in sorted(found.items())]


def _round_step(raw: float) -> float:
    size = 10.0 ** math.floor(math.log10(raw))
    return next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= raw * 0.999)
