"""How a value is written. One place, so that a share is written alike in a tile, a cell and a label."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import Any

# Where a value is missing: a window still open, or a source that the shop does not deliver.
MISSING = "–"
# Written otherwise than their codes; behind a word of ours too (boosted_bgnbd).
_NAMES = {
    "vip": "VIP",
    "ios": "iOS",
    "sms": "SMS",
    "nps": "NPS",
    "csat": "CSAT",
    "ces": "CES",
    "bgnbd": "BG/NBD",
    "mbgnbd": "MBG/NBD",
    "mbgcnbd_k": "MBG/CNBD-k",
    "pareto_nbd": "Pareto/NBD",
    "bgbb": "BG/BB",
    "nbd": "NBD",
}
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}


def written(value: Any, form: str, currency: str | None = None) -> str:
    """A value as text; None is a dash. An unknown form raises KeyError."""
    write = _FORMS[form]
    if value is None or (isinstance(value, float) and value != value):
        return MISSING
    return write(value, currency) if form.startswith("money") else write(value)


def words(code: Any) -> str:
    """A code of the tables as words: `at_risk` is At risk."""
    text = str(code)
    for known, name in _NAMES.items():
        if text == known:
            return name
        if text.endswith(f"_{known}"):
            return f"{words(text.removesuffix(f'_{known}'))} {name}"
    text = text.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def html(text: Any) -> str:
    """A text made safe inside an element or a quoted attribute."""
    return escape(str(text), quote=True)


def _count(value: Any) -> str:
    return _minus(f"{round(value):,}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _money(value: Any, currency: str | None, digits: int = 0) -> str:
    amount = round(Decimal(str(value)), digits)
    sign = "−" if amount < 0 else ""
    text = f"{abs(amount):,.{digits}f}"
    symbol = _SIGNS.get(currency or "", f"{currency} " if currency else "")
    return f"{sign}{symbol}{text}"


def _money_short(value: Any, currency: str | None) -> str:
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if abs(value) >= 10 * size:
            return _money(float(value) / size, currency) + letter
    return _money(value, currency)


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _signed_points(value: Any) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value) * 100:.1f} pts"


_FORMS: dict[str, Callable[..., str]] = {
    "count": _count,
    "decimal": lambda value: _minus(f"{value:,.2f}"),
    "three_decimals": lambda value: _minus(f"{value:,.3f}"),
    "one_decimal": lambda value: _minus(f"{value:,.1f}"),
    "share": lambda value: _minus(f"{value * 100:.1f}%"),
    "whole_share": lambda value: _minus(f"{value * 100:.0f}%"),
    "points": _signed_points,
    "share_change": lambda value: f"{'−' if value < 0 else '+'}{abs(value) * 100:.1f}%",
    "age": lambda value: f"{value:g}" if isinstance(value, float) else str(value),
    "money": _money,
    "money_pence": lambda value, currency: _money(value, currency, 2),
    "money_short": _money_short,
    "month": lambda value: f"{_day(value):%b %Y}",
    "date": lambda value: f"{_day(value).day} {_day(value):%b %Y}",
    "moment": lambda value: f"{value:%Y-%m-%d %H:%M} UTC",
    "words": words,
    "text": str,
    "yes_no": lambda value: "yes" if value else "no",
}
FORMS = tuple(_FORMS)
