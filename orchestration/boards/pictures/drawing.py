"""What every picture is drawn with: the context of its page, series with their marks, legends, tables of numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.boards.formats import html, written
from orchestration.boards.reading import Answer
from orchestration.boards.specification import Chart

# Dark enough to stand out from white by 3:1 (WCAG 1.4.11), and told apart by their strokes where colour is not seen.
COLOURS = ("#0b5cad", "#b45309", "#0f766e", "#9d174d", "#5b21b6", "#475569", "#3f6212", "#7f1d1d")
STROKES = ("", "8 4", "2 4", "10 3 2 3", "14 4", "4 4", "1 3", "12 2")


@dataclass(frozen=True)
class Page:
    """What a picture must know of its page: the currency, and where a link leads."""

    currency: str | None
    link: Callable[[str, Mapping[str, str]], str]

    def text(self, value: Any, form: str) -> str:
        return written(value, form, self.currency)


def series_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the series, by their `place` or else in the order of the query."""
    if "place" in records[0]:
        records = sorted(records, key=lambda record: record["place"])
    return list(dict.fromkeys(str(record.get("series", "")) for record in records))


def places_of(records: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The places along a picture, from left to right.

    Days and numbers stand in their own order: of two series the second may begin before the first. Words stand in
    the order of the query.
    """
    found = list(dict.fromkeys(record["x"] for record in records))
    if any(isinstance(place, str) for place in found):
        return found
    return sorted(found, key=lambda place: (place is not None, place))


def legend(chart: Chart, names: Sequence[str], page: Page, *, filled: bool) -> str:
    """Colour and stroke of each series; nothing where there is one."""
    if len(names) < 2:
        return ""
    items = []
    for place, name in enumerate(names):
        colour, stroke = mark(place)
        if filled:
            key = f'<rect width="22" height="12" fill="{colour}"/>'
        else:
            key = (
                f'<path d="M0 6H22" stroke="{colour}" stroke-width="3" fill="none" '
                f'stroke-dasharray="{stroke}"/>'
            )
        picture = f'<svg width="22" height="12" aria-hidden="true">{key}</svg>'
        items.append(f"<li>{picture}{html(series_name(chart, name, page))}</li>")
    return f'<ul class="legend">{"".join(items)}</ul>'


def series_name(chart: Chart, name: str, page: Page) -> str:
    return page.text(name, chart.options.get("series_format", "text"))


def mark(place: int) -> tuple[str, str]:
    return COLOURS[place % len(COLOURS)], STROKES[place % len(STROKES)]


def numbers_below(chart: Chart, answer: Answer, page: Page) -> str:
    """The same numbers as a table under a picture: for copying, for checking, for screen readers."""
    records = answer.records()
    names = series_of(records)
    form = chart.options.get("x_format", "text")
    has_interval = "low" in answer.names
    places = places_of(records)
    cells = {(record["x"], str(record.get("series", ""))): record for record in records}
    head = "".join(
        f'<th scope="col">{html(series_name(chart, name, page) or chart.options.get("value_label", chart.unit))}</th>'
        for name in names
    )
    body = []
    for place in places:
        row = []
        for name in names:
            record = cells.get((place, name), {})
            text = html(page.text(record.get("value"), chart.format))
            if has_interval and record.get("low") is not None:
                low, high = (page.text(record[end], chart.format) for end in ("low", "high"))
                text += f' <span class="interval">{html(low)} to {html(high)}</span>'
            row.append(f"<td>{text}</td>")
        body.append(f'<tr><th scope="row">{html(page.text(place, form))}</th>{"".join(row)}</tr>')
    first = html(chart.options.get("x_label", ""))
    return (
        f'<details class="numbers"><summary>The numbers<span class="hidden"> of {html(chart.title)}'
        f"</span></summary>{scrolled(chart)}<table><thead><tr>"
        f"<td>{first}</td>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div></details>"
    )


def scrolled(chart: Chart, *, is_long: bool = False) -> str:
    """The opening of a box that scrolls by itself; the keyboard reaches it, so it has a name."""
    kind = "scroll long" if is_long else "scroll"
    return f'<div class="{kind}" tabindex="0" role="region" aria-label="{html(chart.title)}">'
