"""Curves as Plotly figures, one function for each shape."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from modelops.charts import arrangement as arranged
from modelops.charts import extents
from modelops.charts.interactive_frame import (
    LABEL,
    MOST_ROWS,
    ROW,
    UNDER_THE_CHART,
    WITHOUT_TITLE,
    below,
    layout,
    legend,
    lines,
    reference,
    remark,
    row_axis,
    safe,
    told,
    value_axis,
)
from modelops.charts.palette import DARK, LIGHT, Palette, faded, mixed, readable_on
from modelops.domain.number_words import percent
from modelops.domain.result import Curve, Series, Shape

Places = Callable[[Sequence[arranged.Value]], list[arranged.Value]]

_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross")
_MARKERS_UP_TO = 12
_NUMBERED_CELLS = 400
_MANY_COLUMNS = 8
_COLUMN = 12
_ROW_LINE = 16
# What a telephone has for the row labels and columns of a heat map, and what a letter takes, in pixels.
_NARROW, _LETTER = 290, 6.6


def figure(curve: Curve, *, dark: bool = False) -> go.Figure:
    """Return a curve as a Plotly figure.

    Text is escaped, since Plotly reads its labels as markup; long names are shortened in the middle and shown in full
    on pointing at them. What has a row for each label grows with the rows up to a height, from where it is dragged.
    """
    palette = DARK if dark else LIGHT
    drawn = go.Figure(layout=layout(curve, palette))
    _SHAPES[curve.shape](drawn, curve, palette)
    return drawn


def figure_and_note(curve: Curve, *, dark: bool = False) -> tuple[go.Figure, str]:
    """Return the figure without its title, and the note that would stand under it, as plain text."""
    drawn = figure(curve, dark=dark)
    note = drawn.layout.title.subtitle.text or ""
    above = drawn.layout.margin.t - WITHOUT_TITLE
    drawn.update_layout(title=None, height=drawn.layout.height - above, margin={"t": WITHOUT_TITLE})
    return drawn, html.unescape(note.replace("<br>", " "))


def _line(drawn: go.Figure, curve: Curve, palette: Palette) -> None:
    stepped = "hv" if curve.shape is Shape.STEP else "linear"
    main, place_of = arranged.main_series(curve), _places(drawn, curve)
    _density(drawn, curve, palette, place_of)
    for series in curve.series:
        if series.part == "backdrop":
            drawn.add_scatter(
                x=place_of(series.x),
                y=series.y,
                mode="lines",
                line={"color": faded(palette.muted, 0.28), "width": 0.8, "shape": stepped},
                hoverinfo="skip",
                showlegend=False,
            )
    for place, series in enumerate(main):
        _band(drawn, series, palette.of(place), stepped, place_of)
    for place, series in enumerate(main):
        few = len(series.x) <= _MARKERS_UP_TO
        drawn.add_scatter(
            x=place_of(series.x),
            y=series.y,
            name=safe(arranged.shortened(series.name)),
            mode="lines+markers" if few else "lines",
            line={"color": palette.of(place), "width": 2.2, "shape": stepped, "dash": _DASHES[place % len(_DASHES)]},
            marker={"size": 5, "symbol": _SYMBOLS[place % len(_SYMBOLS)]},
            hovertext=[
                told(series, k, f"{curve.x_title}: {arranged.label_of(x)}", named=len(main) > 1)
                for k, x in enumerate(series.x)
            ],
            hoverinfo="text",
        )
    reference(drawn, curve, palette, upright=False)
    if len(main) > 1:
        legend(drawn, palette, len(main))


def _places(drawn: go.Figure, curve: Curve) -> Places:
    """Set up the x axis and return how x values become places on it.

    Numbers and times stay what they are; names become their position, so that Plotly neither takes ``1e5`` for a
    number nor joins two names that look alike.
    """
    values = [x for series in arranged.main_series(curve) for x in series.x]
    if arranged.are_times(values):
        drawn.update_xaxes(type="date")
        return list
    if curve.x_scale == "log":
        ticks = arranged.log_ticks(curve)
        drawn.update_xaxes(type="log", tickvals=ticks, ticktext=[arranged.number(tick) for tick in ticks])
    if arranged.numeric(x for series in curve.series for x in series.x):
        return list
    names = list(dict.fromkeys(arranged.label_of(x) for series in curve.series for x in series.x))
    order: dict[str, arranged.Value] = {name: float(k) for k, name in enumerate(names)}
    shown = range(0, len(names), -(-len(names) // 20))
    short = [safe(name) for name in arranged.told_apart(arranged.by_their_start([names[k] for k in shown]), 18)]
    drawn.update_xaxes(tickvals=list(shown), ticktext=short)
    return lambda values: [order[arranged.label_of(value)] for value in values]


def _band(drawn: go.Figure, series: Series, colour: str, stepped: str, place_of: Places) -> None:
    for x, low, high in arranged.segments(series):
        line = {"width": 0, "shape": stepped}
        common = {"mode": "lines", "line": line, "hoverinfo": "skip", "showlegend": False}
        drawn.add_scatter(x=place_of(x), y=low, **common)
        drawn.add_scatter(x=place_of(x), y=high, fill="tonexty", fillcolor=faded(colour, 0.16), **common)


def _density(drawn: go.Figure, curve: Curve, palette: Palette, place_of: Places) -> None:
    """Draw how many rows lie where as low grey bars at the bottom, on an axis of their own."""
    for series in curve.series:
        ends = arranged.extent(series.y)
        if series.part != "density" or ends is None:
            continue
        drawn.add_bar(
            x=place_of(series.x),
            y=series.y,
            yaxis="y2",
            marker={"color": faded(palette.muted, 0.35), "line": {"width": 0}},
            hovertext=[told(series, k, named=True) for k in range(len(series.x))],
            hoverinfo="text",
            showlegend=False,
        )
        hidden = {"overlaying": "y", "range": [0, 7 * ends[1] or 1], "visible": False, "fixedrange": True}
        drawn.update_layout(bargap=0.04, yaxis2=hidden)


def _bars(drawn: go.Figure, curve: Curve, palette: Palette) -> None:
    main = arranged.main_series(curve)
    if arranged.numeric(x for series in main for x in series.x):
        _histogram(drawn, main, palette)
        reference(drawn, curve, palette, upright=False)
    else:
        _named_bars(drawn, curve, palette)
    if len(main) > 1:
        legend(drawn, palette, len(main))


def _histogram(drawn: go.Figure, main: list[Series], palette: Palette) -> None:
    for place, series in enumerate(main):
        drawn.add_bar(
            x=series.x,
            y=series.y,
            name=safe(arranged.shortened(series.name)),
            marker={"color": faded(palette.of(place), 0.55 if len(main) > 1 else 0.85), "line": {"width": 0}},
            hovertext=[told(series, k, named=len(main) > 1) for k in range(len(series.x))],
            hoverinfo="text",
        )
    drawn.update_layout(barmode="overlay", bargap=0.03)
    drawn.update_yaxes(rangemode="tozero")


def _named_bars(drawn: go.Figure, curve: Curve, palette: Palette) -> None:
    main, flat = arranged.main_series(curve), arranged.lies_flat(curve)
    names, counts = arranged.categories(curve), arranged.behind(curve)
    for place, series in enumerate(main):
        colour = palette.of(place)
        places = [names.index(arranged.label_of(x)) for x in series.x]
        reach = arranged.arms(series)
        whisker = None
        if reach is not None:
            whisker = {"type": "data", "array": reach[1], "arrayminus": reach[0], "thickness": 1.3, "width": 3}
            whisker["color"] = palette.text
        drawn.add_bar(
            x=series.y if flat else places,
            y=places if flat else series.y,
            orientation="h" if flat else "v",
            name=safe(arranged.shortened(series.name)),
            marker={"color": faded(colour, 0.85), "line": {"width": 0}},
            error_x=whisker if flat else None,
            error_y=None if flat else whisker,
            hovertext=[told(series, k, named=len(main) > 1) for k in range(len(series.x))],
            hoverinfo="text",
        )
    drawn.update_layout(barmode="group", bargap=0.32, bargroupgap=0.06)
    short = arranged.told_apart(names, LABEL if flat else arranged.LABEL)
    ticks = [
        label + (f" (n = {counts[name]:,})" if name in counts else "") for name, label in zip(names, short, strict=True)
    ]
    if flat:
        row_axis(drawn, ticks, per_row=ROW if len(main) == 1 else 20 * len(main) + 8)
        value_axis(drawn, curve.y_title, palette)
    else:
        drawn.update_xaxes(
            tickvals=list(range(len(names))), ticktext=[safe(tick) for tick in ticks], showgrid=False, tickangle=0
        )
        drawn.update_layout(bargap=0.45)
    reference(drawn, curve, palette, upright=flat)


def _forest(drawn: go.Figure, curve: Curve, palette: Palette) -> None:
    main, names = arranged.main_series(curve), arranged.categories(curve)
    apart = 0.6 / max(len(main), 1)
    for place, series in enumerate(main):
        colour = palette.of(place)
        shift = (place - (len(main) - 1) / 2) * apart
        rows = [names.index(arranged.label_of(x)) + shift for x in series.x]
        reach = arranged.arms(series)
        whisker = None
        if reach is not None:
            whisker = {"type": "data", "array": reach[1], "arrayminus": reach[0], "thickness": 1.8, "width": 0}
            whisker["color"] = colour
        drawn.add_scatter(
            x=series.y,
            y=rows,
            mode="markers",
            name=safe(arranged.shortened(series.name)),
            marker={"color": colour, "size": 9, "symbol": _SYMBOLS[place % len(_SYMBOLS)]},
            error_x=whisker,
            hovertext=[told(series, k, named=len(main) > 1) for k in range(len(series.x))],
            hoverinfo="text",
        )
        _not_measured(drawn, series, rows, palette)
    row_axis(drawn, arranged.told_apart(names, LABEL), per_row=max(ROW, 18 * len(main) + 8))
    drawn.update_yaxes(showgrid=True, gridcolor=faded(palette.grid, 0.6))
    value_axis(drawn, curve.y_title, palette)
    reference(drawn, curve, palette, upright=True)
    if shown := extents.of_forest(curve):
        drawn.update_xaxes(range=shown.with_room)
        _beyond(drawn, shown.beyond, sum(len(series.x) for series in main), "intervals")
    if len(main) > 1:
        legend(drawn, palette, len(main))


def _not_measured(drawn: go.Figure, series: Series, rows: list[float], palette: Palette) -> None:
    """Say so in the row of each value that could not be measured, instead of leaving it empty."""
    for row, value in zip(rows, series.y, strict=True):
        if value is None:
            drawn.add_annotation(
                text="not measured",
                x=0,
                xref="x domain",
                xanchor="left",
                y=row,
                showarrow=False,
                font={"size": 11, "color": palette.muted},
            )


def _heatmap(drawn: go.Figure, curve: Curve, palette: Palette) -> None:
    found = arranged.cells(curve)
    scale = [[k / 10, found.colour(found.low + (found.high - found.low) * k / 10, palette)] for k in range(11)]
    drawn.add_heatmap(
        x=list(range(len(found.columns))),
        y=list(range(len(found.rows))),
        z=found.values,
        zmin=found.low,
        zmax=found.high,
        colorscale=scale,
        xgap=2,
        ygap=2,
        hovertext=[
            [_cell(found, row, column, curve) for column in range(len(found.columns))] for row in range(len(found.rows))
        ],
        hoverinfo="text",
        hoverongaps=True,
        colorbar=_colour_bar(found, palette),
    )
    beside = row_axis(drawn, arranged.told_apart(found.rows), per_row=32, line=_ROW_LINE)
    room = max(12, min(len(found.rows), MOST_ROWS) * 4)
    drawn.update_yaxes(title_text=lines(curve.y_title, room), ticklabelstandoff=4)
    under = _column_labels(drawn, found.columns, beside)
    below(drawn, curve.x_title, palette, shift=26 + under)
    drawn.layout.height += _COLOUR_BAR
    drawn.layout.margin.b += _COLOUR_BAR
    if len(found.rows) * len(found.columns) <= _NUMBERED_CELLS and len(found.columns) <= 14:
        _numbers_in_cells(drawn, found, palette)


_COLOUR_BAR = 34
"""Pixels that the bar of colours takes under a chart, where it costs no width."""


def _colour_bar(found: arranged.Cells, palette: Palette) -> dict[str, Any]:
    ends = (found.low, (found.low + found.high) / 2, found.high)
    return {
        **UNDER_THE_CHART,
        "thickness": 8,
        "lenmode": "pixels",
        "len": 200,
        "xpad": 12,
        "ypad": 2,
        "outlinewidth": 0,
        "tickvals": ends,
        "ticktext": [arranged.number(end) for end in ends],
        "tickfont": {"color": palette.text, "size": 11},
        "tickcolor": palette.grid,
    }


def _column_labels(drawn: go.Figure, columns: Sequence[str], beside: int) -> int:
    """Write the labels under the columns of a heat map; return how many pixels more than one line they take.

    They stand upright where a narrow screen has no room for them side by side: ``beside`` is how many letters of its
    width the labels of the rows take.
    """
    short = arranged.told_apart(columns, 22)
    written = [arranged.in_two_lines(label, _COLUMN) for label in short]
    longest = max((len(line) for each in written for line in each), default=0)
    size = 12 if len(short) <= _COLUMN else 10 if len(short) <= _ROW_LINE else 9
    under = 15 * (max(map(len, written), default=1) - 1)
    turned = longest * len(written) * _LETTER > _NARROW - beside * _LETTER
    if turned:
        written, under = [(label,) for label in short], round(0.6 * size * max(map(len, short)))
    drawn.update_xaxes(
        tickvals=list(range(len(written))),
        ticktext=["<br>".join(map(safe, each)) for each in written],
        showgrid=False,
        tickangle=-90 if turned else 0,
        tickfont_size=size,
        title_text="",
    )
    drawn.layout.height += under
    drawn.layout.margin.b += under
    return under


def _cell(found: arranged.Cells, row: int, column: int, curve: Curve) -> str:
    parts = [f"{curve.y_title}: {found.rows[row]}", f"{curve.x_title}: {found.columns[column]}"]
    parts.append(arranged.number(found.values[row][column]))
    if (size := found.sizes[row][column]) is not None:
        parts.append(f"n = {size:,}")
    return "<br>".join(safe(part) for part in parts)


def _numbers_in_cells(drawn: go.Figure, found: arranged.Cells, palette: Palette) -> None:
    size = 12 if len(found.columns) <= _MANY_COLUMNS else 9
    for row, values in enumerate(found.values):
        for column, value in enumerate(values):
            if value is None:
                text, colour = "n/a", palette.muted
            else:
                text = f"{value:.2f}" if abs(value) < 100 else arranged.number(value)
                colour = readable_on(found.colour(value, palette))
            drawn.add_annotation(x=column, y=row, text=text, showarrow=False, font={"size": size, "color": colour})


def _scatter(drawn: go.Figure, curve: Curve, palette: Palette) -> None:
    main, place_of = arranged.main_series(curve), _places(drawn, curve)
    for place, series in enumerate(main):
        marker: dict[str, Any] = {"size": 6, "opacity": 0.65, "symbol": _SYMBOLS[place % len(_SYMBOLS)]}
        marker |= _shading(series, palette) if series.shade else {"color": palette.of(place)}
        drawn.add_scatter(
            x=place_of(series.x),
            y=series.y,
            mode="markers",
            name=safe(arranged.shortened(series.name)),
            marker=marker,
            hovertext=[
                told(series, k, f"{curve.x_title}: {arranged.label_of(x)}", named=len(main) > 1)
                for k, x in enumerate(series.x)
            ],
            hoverinfo="text",
        )
    reference(drawn, curve, palette, upright=False)
    across, up = extents.of_scatter(curve)
    if across:
        drawn.update_xaxes(range=across.with_room)
    if up:
        drawn.update_yaxes(range=up.with_room)
    _beyond(drawn, extents.points_beyond(curve), sum(len(series.x) for series in main), "points")
    if len(main) > 1:
        legend(drawn, palette, len(main))


def _beyond(drawn: go.Figure, count: int, total: int, what: str) -> None:
    if count:
        remark(drawn, f"{extents.beyond_words(count, total, what=what)} Double-click the chart to see all.")


def _shading(series: Series, palette: Palette) -> dict[str, Any]:
    """Return the colours of shaded points; grey where there is no shade."""
    colours = [palette.grid if shade is None else _shaded(shade, palette) for shade in series.shade or ()]
    return {"color": [faded(palette.muted, 0.5) if c == palette.grid else c for c in colours]}


def _shaded(shade: float, palette: Palette) -> str:
    if shade < 0.5:
        return mixed(palette.low, palette.middle, shade * 2)
    return mixed(palette.middle, palette.high, shade * 2 - 1)


def _beeswarm(drawn: go.Figure, curve: Curve, palette: Palette) -> None:
    main = arranged.main_series(curve)
    ends = arranged.extent(x for series in main for x in series.x) or (0.0, 1.0)
    for row, series in enumerate(main):
        offsets = arranged.swarm(series.x, ends)
        marker = _shading(series, palette) if series.shade else {"color": faded(palette.muted, 0.6)}
        drawn.add_scatter(
            x=series.x,
            y=[row - offset for offset in offsets],
            mode="markers",
            marker={"size": 5, "opacity": 0.85, **marker},
            hovertext=[_swarm_point(series, k) for k in range(len(series.x))],
            hoverinfo="text",
        )
    row_axis(drawn, arranged.told_apart([series.name for series in main], LABEL), per_row=44)
    value_axis(drawn, curve.x_title, palette)
    drawn.update_yaxes(showgrid=True, gridcolor=faded(palette.grid, 0.6))
    if any(series.shade for series in main):
        _shade_bar(drawn, palette)
    reference(drawn, curve, palette, upright=True)


def _swarm_point(series: Series, k: int) -> str:
    parts = [series.name, f"contribution {arranged.number(series.x[k])}"]
    shade = series.shade[k] if series.shade is not None else None
    if shade is not None:
        parts.append(f"value above {percent(shade)} of the rows")
    return "<br>".join(safe(part) for part in parts)


def _shade_bar(drawn: go.Figure, palette: Palette) -> None:
    drawn.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        hoverinfo="skip",
        marker={
            "color": [0],
            "cmin": 0,
            "cmax": 1,
            "showscale": True,
            "colorscale": [[0, palette.low], [0.5, palette.middle], [1, palette.high]],
            "colorbar": {
                "thickness": 10,
                "outlinewidth": 0,
                "len": 1,
                "tickvals": [0, 1],
                "ticktext": ["low", "high"],
                "tickfont": {"color": palette.text, "size": 11},
                "title": {"text": "value<br> ", "side": "top", "font": {"size": 11, "color": palette.muted}},
            },
        },
    )


_SHAPES: dict[Shape, Callable[[go.Figure, Curve, Palette], None]] = {
    Shape.LINE: _line,
    Shape.STEP: _line,
    Shape.BARS: _bars,
    Shape.FOREST: _forest,
    Shape.HEATMAP: _heatmap,
    Shape.SCATTER: _scatter,
    Shape.BEESWARM: _beeswarm,
}
