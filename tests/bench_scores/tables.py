"""Figures as text: tables, and aims beside what was reached."""

from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | float | int | None


@dataclass(frozen=True)
class Aim:
    """What was aimed at and what was reached; ``reached`` None or NaN where it could not be measured."""

    name: str
    reached: float | None
    at_most: float | None = None
    at_least: float | None = None
    digits: int = 3
    unit: str = ""

    @property
    def short_by(self) -> float:
        """How much is missing; 0 where the aim is reached."""
        assert self.reached is not None
        over = 0.0 if self.at_most is None else self.reached - self.at_most
        under = 0.0 if self.at_least is None else self.at_least - self.reached
        return max(over, under, 0.0)

    def __str__(self) -> str:
        bounds = [
            f"{sign} {self._number(bound)}"
            for sign, bound in ((">=", self.at_least), ("<=", self.at_most))
            if bound is not None
        ]
        aimed = f"aim {' and '.join(bounds)}"
        if self.reached is None or self.reached != self.reached:
            return f"  {self.name:<58} {aimed:<26} not measured"
        verdict = f"short by {self._number(self.short_by)}" if self.short_by > 0 else "reached"
        return f"  {self.name:<58} {aimed:<26} {self._number(self.reached):>10}  {verdict}"

    def _number(self, value: float) -> str:
        return f"{value:,.{self.digits}f}{self.unit}"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A titled table; the first column is text, the others numbers or text to the right."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [
        max(len(name), *(len(row[index]) for row in cells)) if cells else len(name)
        for index, name in enumerate(columns)
    ]
    lines = [f"\n{title}", _line(columns, widths)]
    lines += [_line(row, widths) for row in cells]
    return "\n".join(lines)


def aims(found: Sequence[Aim]) -> str:
    """All aims, one line each."""
    return "\n".join(["", *map(str, found)])


def share(value: float, digits: int = 1) -> str:
    """A share as a signed percentage."""
    return f"{value:+.{digits}%}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    return "  " + "  ".join(
        [f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)]
    )


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return "-" if cell != cell else f"{cell:,.4f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
