"""What all interactive charts have in common: safe text, layout, legend, reference line, axis of rows."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from modelops.charts import arrangement as arranged
from modelops.charts.extents import of_diagonal
from modelops.charts.palette import FONT, Palette
from modelops.domain.result import Curve, Series

_HEIGHT = 380
WITHOUT_TITLE = 26
"""Pixels above a chart without a title."""
ROW = 28
MOST_ROWS = 30
TWO_LINES = 36
"""The least height of a row whose label stands in two lines."""
LABEL = 52
"""As many letters as the label of a row may have, in its two lines."""
UNDER_THE_CHART = {
    "orientation": "h",
    "x": 0,
    "xref": "container",
    "xanchor": "left",
    "y": 0,
    "yref": "container",
    "yanchor": "bottom",
}
"""Where a legend or a bar of colours lies: in the corner at the bottom left, where it cannot cover anything."""
_LINE = 27
_TITLE_LINE = 46


def safe(text: str) -> str:
    """Return text that Plotly shows as it is: no tags, no entities, no formulas.

    Examples
    --------
    >>> safe("<b>a & b</b> $x$")
    '&lt;b&gt;a &amp; b&lt;/b&gt; &#36;x&#36;'
    """
    text = arranged.clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("$", "&#36;")


def lines(text: str, width: int) -> str:
    """Return text in lines of about ``width`` characters, safe to show."""
    return "<br>".join(safe(line) for line in arranged.wrapped(text, width))


def layout(curve: Curve, palette: Palette) -> dict[str, Any]:
    """Return what all charts have in common: title with the note under it, axes, type, colours, margins."""
    title: dict[str, Any] = {
        "text": lines(curve.title, 80),
        "font": {"size": 16, "color": palette.text, "weight": 600},
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"l": 8, "t": 10},
    }
    above = 22 * len(arranged.wrapped(curve.title, 80))
    if curve.note:
        title["subtitle"] = {"text": lines(curve.note, 110), "font": {"size": 12, "color": palette.muted}}
        above += 17 * len(arranged.wrapped(curve.note, 110))
    return {
        "template": "none",
        "title": title,
        "font": {"family": FONT, "size": 13, "color": palette.text},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "height": _HEIGHT + above,
        "margin": {"l": 64, "r": 20, "t": above + WITHOUT_TITLE, "b": 56},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": palette.hover,
            "bordercolor": palette.grid,
            "font": {"color": palette.text, "size": 13, "family": FONT},
            "align": "left",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.muted, "activecolor": palette.text},
        "showlegend": False,
        "xaxis": _axis(curve.x_title, palette, width=_TITLE_LINE),
        "yaxis": _axis(curve.y_title, palette, width=_HEIGHT // 10),
    }


def _axis(title: str, palette: Palette, *, width: int) -> dict[str, Any]:
    return {
        "title": {"text": lines(title, width), "font": {"size": 13, "color": palette.muted}, "standoff": 10},
        "automargin": True,
        "gridcolor": palette.grid,
        "linecolor": palette.grid,
        "tickcolor": palette.grid,
        "tickfont": {"color": palette.text, "size": 12},
        "zeroline": False,
        "showline": False,
    }


def legend(drawn: go.Figure, palette: Palette, n_entries: int) -> None:
    """Put the legend under the chart, where it cannot cover anything, and make room for it."""
    rows = 1 + (n_entries - 1) // 4
    drawn.update_layout(
        showlegend=True,
        height=drawn.layout.height + 24 * rows,
        legend={
            **UNDER_THE_CHART,
            "font": {"color": palette.text, "size": 12},
            "bgcolor": "rgba(0,0,0,0)",
            "traceorder": "normal",
        },
    )
    drawn.layout.margin.b += 24 * rows


def told(series: Series, k: int, label: str | None = None, *, named: bool) -> str:
    """Return what a reader sees on pointing at point ``k``; ``named`` says which series it belongs to."""
    found = arranged.told(series, k, label=label)
    first = [f"<b>{safe(series.name)}</b>"] if named else []
    return "<br>".join([*first, *(safe(line) for line in found)])


def reference(drawn: go.Figure, curve: Curve, palette: Palette, *, upright: bool) -> None:
    """Draw the line to compare with; ``upright`` where values run from left to right."""
    line = {"color": palette.reference, "width": 1.25, "dash": "dash"}
    if curve.reference == "diagonal":
        ends = of_diagonal(curve)
        if ends is not None:
            low, high = ends
            drawn.add_shape(type="line", x0=low, y0=low, x1=high, y1=high, line=line, layer="below")
    elif curve.reference is not None and upright:
        drawn.add_vline(x=curve.reference, line=line, layer="above")
    elif curve.reference is not None:
        drawn.add_hline(y=curve.reference, line=line, layer="above")


def row_axis(drawn: go.Figure, labels: list[str], *, per_row: int = ROW, line: int = _LINE) -> int:
    """Make the y axis a list of labels, the first on top; beyond a height the reader drags.

    A label of more letters than ``line`` takes two lines, which leaves the chart its room on a narrow screen. Returns
    the letters of the longest line.
    """
    written = [arranged.in_two_lines(label, line) for label in labels]
    longest = max((len(part) for each in written for part in each), default=0)
    if any(len(each) > 1 for each in written):
        per_row = max(per_row, TWO_LINES)
    shown = min(len(labels), max(8, MOST_ROWS * ROW // per_row))
    page = drawn.layout
    page.height = max(170, shown * per_row + 60) + page.margin.t + page.margin.b - 40
    page.margin.l = min(300, 20 + 7 * longest)
    drawn.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=["<br>".join(map(safe, each)) for each in written],
        range=[shown - 0.5, -0.5],
        showgrid=False,
        title_text="",
        ticklabelstandoff=6,
    )
    if shown < len(labels):
        drawn.update_layout(dragmode="pan")
        drawn.update_xaxes(fixedrange=True)
        remark(drawn, f"{shown} of {len(labels)} rows; drag up or down for the others.")
    return longest


def remark(drawn: go.Figure, text: str) -> None:
    """Add a line to the note under the title."""
    subtitle = drawn.layout.title.subtitle
    subtitle.text = f"{subtitle.text}<br>{safe(text)}" if subtitle.text else safe(text)
    subtitle.font = {"size": 12, "color": drawn.layout.yaxis.title.font.color}
    drawn.layout.margin.t += 17
    drawn.layout.height += 17


def value_axis(drawn: go.Figure, title: str, palette: Palette) -> None:
    """Make the x axis one of values beside labels of rows: few ticks, and a title that a narrow screen does not cut.

    Plotly centres the title of an axis under the plot, from where it runs over the edge; this one ends at the right
    and may reach under the labels.
    """
    # Turned ticks would run into the title, which stands at a fixed distance.
    drawn.update_xaxes(title_text="", nticks=5, tickangle=0)
    below(drawn, title, palette, shift=26)


def below(drawn: go.Figure, title: str, palette: Palette, *, shift: int) -> None:
    """Write the title of the x axis ``shift`` pixels under the plot, up to its right end."""
    if not arranged.clean(title):
        return
    more = 16 * (len(arranged.wrapped(title, _TITLE_LINE)) - 1)
    drawn.add_annotation(
        name="x title",
        text=lines(title, _TITLE_LINE),
        align="right",
        x=1,
        xref="paper",
        xanchor="right",
        y=0,
        yref="paper",
        yanchor="top",
        yshift=-shift,
        showarrow=False,
        font={"size": 13, "color": palette.muted},
    )
    drawn.layout.margin.b += more
    drawn.layout.height += more
