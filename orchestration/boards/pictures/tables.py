"""Tables: plain ones, and heat tables whose empty cells are empty."""

from collections.abc import Mapping
from typing import Any

from orchestration.boards.formats import html, words
from orchestration.boards.pictures.drawing import Page, scrolled
from orchestration.boards.reading import Answer
from orchestration.boards.specification import Chart

_LIGHT = (241, 246, 251)
_DARK = (18, 78, 140)
_WARM = (253, 244, 236)
_WARM_DARK = (154, 52, 18)
NUMERIC = {
    "count",
    "decimal",
    "one_decimal",
    "three_decimals",
    "share",
    "whole_share",
    "points",
    "share_change",
} | {
    "money",
    "money_pence",
    "money_short",
}


# A longer table scrolls in a box of its own, under its headings, so that what stands below it is found.
LONG_ROWS = 24


def draw_heat(chart: Chart, answer: Answer, page: Page) -> str:
    """Columns `row`, `column`, `value`, and any of `place` (of the column), `size` (of the row), `note`, `code`.

    A cell without a value stays white and empty: its window is open, or nobody is in it.
    """
    records = answer.records()
    rows = list(dict.fromkeys(record["row"] for record in records))
    # Where no row has every column, the order of their first cells is not the order of the columns.
    in_order = (
        sorted(records, key=lambda record: record["place"]) if "place" in records[0] else records
    )
    columns = list(dict.fromkeys(record["column"] for record in in_order))
    cells = {(record["row"], record["column"]): record for record in records}
    options = chart.options
    values = [
        float(record["value"])
        for record in records
        if record["value"] is not None and not _is_apart(record, options)
    ]
    # The few largest would leave all others pale.
    values.sort()
    most = values[int(0.98 * (len(values) - 1))] if values else 1.0
    least = min(0.0, values[0]) if values else 0.0
    head = "".join(
        f'<th scope="col">{html(page.text(column, options.get("column_format", "text")))}</th>'
        for column in columns
    )
    has_size = "size" in answer.names
    size_head = (
        f'<th scope="col">{html(options.get("size_label", "Size"))}</th>' if has_size else ""
    )
    body = []
    for row in rows:
        sizes = {r["size"] for (name, _), r in cells.items() if name == row} if has_size else ()
        size = "".join(
            f'<td class="size">{html(page.text(each, options.get("size_format", "count")))}</td>'
            for each in list(sizes)[:1]
        )
        drawn = "".join(
            _cell(chart, cells.get((row, column)), least, most, page) for column in columns
        )
        label = html(page.text(row, options.get("row_format", "text")))
        body.append(f'<tr><th scope="row">{label}</th>{size}{drawn}</tr>')
    return (
        f'{scrolled(chart)}<table class="heat"><thead><tr>'
        f"<td>{html(options.get('row_label', ''))}</td>{size_head}{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>{_remark(chart)}"
    )


def draw_table(chart: Chart, answer: Answer, page: Page) -> str:
    """The query's columns in its order; `options.columns` gives label and form of each."""
    shown: Mapping[str, Any] = chart.options.get("columns", {})
    names = [name for name in answer.names if not shown.get(name, {}).get("hidden")]
    forms = {name: shown.get(name, {}).get("format", "text") for name in names}
    head = "".join(
        f'<th scope="col"{_side(forms[name])}>{html(shown.get(name, {}).get("label", words(name)))}</th>'
        for name in names
    )
    body = []
    records = answer.records()
    for record in records:
        cells = []
        for place, name in enumerate(names):
            text = html(page.text(record[name], forms[name]))
            if link := shown.get(name, {}).get("link"):
                target = page.link(link["board"], {link["filter"]: str(record[link["code"]])})
                text = f'<a href="{html(target)}">{text}</a>'
            alarm = shown.get(name, {}).get("alarm_above")
            is_alarming = alarm is not None and record[name] is not None and record[name] > alarm
            kind = ' class="alarm"' if is_alarming else _side(forms[name])
            cells.append(f'<th scope="row">{text}</th>' if place == 0 else f"<td{kind}>{text}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    is_long = len(records) > LONG_ROWS
    more = f'<p class="remark">{len(records):,} rows; the table scrolls.</p>' if is_long else ""
    return (
        f"{scrolled(chart, is_long=is_long)}"
        f'<table class="plain"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>{more}"
    )


def _side(form: str) -> str:
    if form in NUMERIC:
        return ' class="number"'
    return ' class="prose"' if form == "text" else ""


def _is_apart(record: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """A column that is full by its definition (age 0) says nothing about the others."""
    return "apart" in options and record["column"] == options["apart"]


def _cell(
    chart: Chart, record: Mapping[str, Any] | None, least: float, most: float, page: Page
) -> str:
    if record is None or record["value"] is None:
        return '<td class="empty"></td>'
    value = float(record["value"])
    text = html(page.text(record["value"], chart.format))
    if link := chart.options.get("link"):
        target = page.link(link["board"], {link["filter"]: str(record["code"])})
        text = f'<a href="{html(target)}">{text}</a>'
    if record.get("note"):
        text += f'<span class="note">{html(record["note"])}</span>'
    if _is_apart(record, chart.options):
        return f'<td class="apart">{text}</td>'
    if value < 0:
        paint = _paint(value / least if least else 0.0, _WARM, _WARM_DARK)
    else:
        paint = _paint(value / most if most > 0 else 0.0, _LIGHT, _DARK)
    return f'<td style="{paint}">{text}</td>'


def _paint(strength: float, light: tuple[int, int, int], dark: tuple[int, int, int]) -> str:
    """A background between two colours, and black or white on it, whichever is read better."""
    strength = min(1.0, max(0.0, strength))
    colour = [round(a + (b - a) * strength) for a, b in zip(light, dark, strict=True)]
    ink = "#000" if _luminance(colour) > 0.179 else "#fff"
    return f"background:#{''.join(f'{part:02x}' for part in colour)};color:{ink}"


def _luminance(colour: list[int]) -> float:
    """Relative luminance as WCAG 2 defines it; 0.179 is where black and white contrast alike."""
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _remark(chart: Chart) -> str:
    remark = chart.options.get("empty")
    return f'<p class="remark">{html(remark)}</p>' if remark else ""
