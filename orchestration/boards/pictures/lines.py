"""Curves over months, ages or terms, with their intervals. A missing value is a gap, never a bridge."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.boards.formats import html
from orchestration.boards.pictures.axes import (
    HEIGHT,
    WIDTH,
    Scale,
    labels_by_room,
    scale,
)
from orchestration.boards.pictures.drawing import (
    Page,
    legend,
    mark,
    numbers_below,
    places_of,
    series_name,
    series_of,
)
from orchestration.boards.reading import Answer
from orchestration.boards.specification import Chart


def draw_line(chart: Chart, answer: Answer, page: Page) -> str:
    """Columns `x`, `value`, and where there are any `series`, `low`, `high`; each series in the order of x."""
    records = answer.records()
    names = series_of(records)
    places = places_of(records)
    levels = [
        float(record[end])
        for record in records
        for end in ("value", "low", "high")
        if record.get(end) is not None
    ]
    axis = scale(
        levels,
        from_zero=chart.options.get("from_zero", True),
        ceiling=1.0 if chart.format in ("share", "whole_share") and max(levels) <= 1 else None,
    )
    across = {place: _across(index, len(places)) for index, place in enumerate(places)}
    drawn = []
    for index, name in enumerate(names):
        drawn.append(
            _curve(_own(records, name, places), across, axis, index, is_dotted=len(places) <= 40)
        )
    drawn.append(_hints(chart, records, places, across, page))
    return (
        legend(chart, names, page, filled=False)
        + frame(chart, axis, drawn, _labels(chart, places, page), page)
        + numbers_below(chart, answer, page)
    )


def frame(
    chart: Chart,
    axis: Scale,
    drawn: Sequence[str],
    labels: Sequence[tuple[float, str, str]],
    page: Page,
) -> str:
    """The picture between its axes. Labels are text of the page, so they keep their size at every width.

    `labels` are places in per cent, words, and the widths that have room for them.
    """
    form = chart.options.get("axis_format", _axis_form(chart.format, axis))
    ticks = "".join(
        f'<span style="top:{axis.percent(tick):.2f}%">{html(page.text(tick, form))}</span>'
        for tick in axis.ticks
    )
    grid = "".join(
        f'<path class="{"zero" if tick == 0 else "grid"}" d="M0 {axis.y(tick):.1f}H{WIDTH:g}"/>'
        for tick in axis.ticks
    )
    below = "".join(
        f'<span class="{rooms}" style="left:{place:.2f}%">{html(words)}</span>'
        for place, words, rooms in labels
    )
    x_label = chart.options.get("x_label", "")
    title = f'<p class="axis-title">{html(x_label)}</p>' if x_label else ""
    return (
        f'<div class="picture" role="img" aria-label="{html(chart.title)}; its numbers are in the table below">'
        f'<div class="ticks" aria-hidden="true">{ticks}</div>'
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true">'
        f"{grid}{''.join(drawn)}</svg>"
        f'<div class="labels" aria-hidden="true">{below}</div></div>{title}'
    )


def _axis_form(form: str, axis: Scale) -> str:
    """Ticks are written shorter than values, but never so short that 2.5% becomes 2%."""
    if form in ("share", "whole_share"):
        is_whole = all(abs(100 * tick - round(100 * tick)) < 1e-6 for tick in axis.ticks)
        return "whole_share" if is_whole else "share"
    return {"money": "money_short", "money_pence": "money_short"}.get(form, form)


def _across(index: int, count: int) -> float:
    return WIDTH / 2 if count == 1 else WIDTH * index / (count - 1)


def _own(
    records: Sequence[Mapping[str, Any]], name: str, places: Sequence[Any]
) -> list[Mapping[str, Any]]:
    """The records of a series from left to right; a place that only others have is one without a value."""
    own = {record["x"]: record for record in records if str(record.get("series", "")) == name}
    return [own.get(place, {}) for place in places]


def _curve(
    records: Sequence[Mapping[str, Any]],
    across: Mapping[Any, float],
    axis: Scale,
    index: int,
    *,
    is_dotted: bool,
) -> str:
    colour, stroke = mark(index)
    parts = []
    for run in _runs(records, "low"):
        upper = [f"{across[r['x']]:.1f} {axis.y(float(r['high'])):.1f}" for r in run]
        lower = [f"{across[r['x']]:.1f} {axis.y(float(r['low'])):.1f}" for r in reversed(run)]
        parts.append(f'<path class="band" fill="{colour}" d="M{"L".join(upper + lower)}Z"/>')
    for run in _runs(records, "value"):
        points = [f"{across[r['x']]:.1f} {axis.y(float(r['value'])):.1f}" for r in run]
        parts.append(
            f'<path class="curve" stroke="{colour}" stroke-dasharray="{stroke}" d="M{"L".join(points)}"/>'
        )
        # A path of no length with round ends is a dot that the stretching does not squash.
        if is_dotted or len(run) == 1:
            dots = "".join(f"M{point}h0" for point in points)
            parts.append(f'<path class="dots" stroke="{colour}" d="{dots}"/>')
    return "".join(parts)


def _runs(records: Sequence[Mapping[str, Any]], name: str) -> list[list[Mapping[str, Any]]]:
    """Neighbouring records with a value; a record without one parts them."""
    runs: list[list[Mapping[str, Any]]] = [[]]
    for record in records:
        if record.get(name) is None:
            runs.append([])
        else:
            runs[-1].append(record)
    return [run for run in runs if run]


def _labels(chart: Chart, places: Sequence[Any], page: Page) -> list[tuple[float, str, str]]:
    words = [page.text(place, chart.options.get("x_format", "text")) for place in places]
    return [
        (_across(place, len(places)) / WIDTH * 100, words[place], rooms)
        for place, rooms in labels_by_room(words)
    ]


def _hints(
    chart: Chart,
    records: Sequence[Mapping[str, Any]],
    places: Sequence[Any],
    across: Mapping[Any, float],
    page: Page,
) -> str:
    """For a pointer that rests on the picture: the numbers of that place."""
    form = chart.options.get("x_format", "text")
    width = WIDTH / max(1, len(places) - 1)
    found: dict[Any, list[str]] = {place: [] for place in places}
    for record in records:
        if record["value"] is not None:
            series = str(record.get("series", ""))
            name = f"{series_name(chart, series, page)}: " if series else ""
            found[record["x"]].append(f"{name}{page.text(record['value'], chart.format)}")
    return "".join(
        f'<rect class="hint" x="{across[place] - width / 2:.1f}" width="{width:.1f}" height="{HEIGHT:g}">'
        f"<title>{html(page.text(place, form))}\n{html(chr(10).join(lines))}</title></rect>"
        for place, lines in found.items()
    )
