"""What stands on a page, read as a person reads it: text into numbers, each with the half of its last digit."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(
    r"^(?P<sign>[−+]?)[£€$]?(?:[A-Z]{3} )?(?P<digits>[\d,]+(?:\.\d+)?)(?P<unit>%| pts|k|m|)$"
)
_UNITS = {"%": 0.01, " pts": 0.01, "k": 1e3, "m": 1e6, "": 1.0}


@dataclass(frozen=True)
class Shown:
    """A number as shown, and how far the true one may lie from it."""

    value: float
    half_of_last_digit: float

    def agrees_with(self, true: Any) -> bool:
        # A tie in the last digit may be rounded either way.
        return abs(self.value - float(true)) <= self.half_of_last_digit * (1 + 1e-9)


def shown(text: str) -> Shown:
    """The number in a text; a text that holds none, or more than a number, raises ValueError."""
    found = _NUMBER.match(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no number")
    digits = found["digits"].replace(",", "")
    sign = -1.0 if found["sign"] == "−" else 1.0
    unit = _UNITS[found["unit"]]
    places = -Decimal(digits).as_tuple().exponent
    return Shown(sign * float(digits) * unit, 0.5 * 10.0**-places * unit)


CELLS = """article => {
    const beside = child => child.classList && /note|interval/.test(child.className);
    const text = node => [...node.childNodes]
        .filter(child => !beside(child))
        .map(child => child.textContent).join('').trim();
    const rows = [...article.querySelectorAll('tbody tr')];
    const cells = row => [...row.children].filter(cell => !cell.classList.contains('bar'));
    return rows.map(row => cells(row).map(text));
}"""
