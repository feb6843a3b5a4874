"""Curves as SVG or PNG, one function for each shape; no browser engine and no global state of matplotlib."""

from __future__ import annotations

import io
import re
import warnings
from html import escape
from threading import Lock
from typing import IO, Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from modelops.charts import arrangement as arranged
from modelops.charts import extents
from modelops.charts.palette import FONT, LIGHT
from modelops.charts.static_shapes import MOST_ROWS, SHAPES, height_of, most_points, rows_of
from modelops.domain.result import Curve, Shape

_WIDTH = 7.2
_LEADING = 1.45
_DPI = 144
_PRINT_DPI = 200
# The ids in an SVG come from a salt that is a global setting; everything else is given to each object.
_SETTINGS: Any = {"svg.hashsalt": "modelops", "svg.fonttype": "none", "text.parse_math": False}
_ONE_AT_A_TIME = Lock()
_DOT = 0.02
_DIGITS = re.compile(r"\d+\.\d{3,}")


def static_svg(curve: Curve) -> str:
    """Return a curve as an SVG element, the same text for the same curve.

    Text stays text: it can be searched and read aloud, in any script; the title stands in ``aria-label``. Points and
    lines are thinned out to what can be seen at this size, rows beyond a page are left out and counted.
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    _save(curve, file, format="svg", metadata=nothing, facecolor="none")
    return _element(file.getvalue(), curve.title)


def static_png(curve: Curve) -> bytes:
    """Return a curve as a PNG picture on a white page, sharp enough for print; the same pixels for the same curve."""
    file = io.BytesIO()
    _save(curve, file, format="png", metadata={"Software": None}, facecolor=LIGHT.page, dpi=_PRINT_DPI)
    return file.getvalue()


def _save(curve: Curve, file: IO[Any], **how: Any) -> None:
    captions = _captions(curve)
    above = sum(size * _LEADING for _, size, _, _ in captions) / 72 + 0.16
    height = height_of(curve) + above
    with _ONE_AT_A_TIME, rc_context(_SETTINGS), warnings.catch_warnings():
        figure = Figure(figsize=(_WIDTH, height), facecolor="none", dpi=_DPI)
        figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - above / height), w_pad=0.06, h_pad=0.06)
        axes = figure.subplots()
        _plain(axes)
        SHAPES[curve.shape](axes, curve)
        _titles(axes, curve)
        _write_captions(figure, captions)
        # Letters that the measuring font lacks are measured as boxes; the reader's own fonts draw them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, **how)


def _element(document: str, title: str) -> str:
    """Return the SVG element of a document alone, without what nobody sees: comments, digits, long names of glyphs."""
    found = document[document.index("<svg ") :]
    found = re.sub(r"<!--.*?-->\s*", "", found, flags=re.DOTALL)
    found = re.sub(r' (?:d|x|y)="[^"]*"|translate\([^)]*\)', lambda part: _DIGITS.sub(_rounded, part[0]), found)
    found = re.sub(r"M (\S+) (\S+) \nL (\S+) \2 \n", _dot, found)
    found = re.sub(r"\s*\n\s*", "\n", found).replace("\nL ", "L").replace("\nM", "M")
    found = re.sub(r"'DejaVu Sans'[^;\"]*", FONT, found)
    label = escape(arranged.clean(title), quote=True)
    return found.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1).strip()


def _dot(match: re.Match[str]) -> str:
    """Write the short line that stands for a point as a point."""
    across, down, end = match.groups()
    return f"M{across} {down}h0" if abs(float(end) - float(across)) < _DOT else match[0]


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def _plain(axes: Axes) -> None:
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelsize=8.5, labelcolor=LIGHT.text, pad=5)
    axes.grid(visible=True, color=LIGHT.grid, linewidth=0.7)
    axes.set_axisbelow(True)


def _captions(curve: Curve) -> list[tuple[str, float, str, str]]:
    """Return the lines above the chart: text, size, colour and weight of each."""
    lines = [(line, 11.5, LIGHT.text, "bold") for line in arranged.wrapped(curve.title, 72)]
    notes = [text for text in (curve.note, _left_out(curve)) if text]
    return lines + [(line, 8.5, LIGHT.muted, "normal") for text in notes for line in arranged.wrapped(text, 108)]


def _left_out(curve: Curve) -> str | None:
    """Say what the static chart leaves out or cannot show by pointing."""
    parts = []
    if (rows := rows_of(curve)) > MOST_ROWS:
        parts.append(f"The first {MOST_ROWS} of {rows} rows.")
    if curve.shape is Shape.BEESWARM and any(series.shade for series in arranged.main_series(curve)):
        parts.append("Blue: low value, orange: high value.")
    points, most = max((len(series.x) for series in arranged.main_series(curve)), default=0), most_points(curve)
    if curve.shape in {Shape.SCATTER, Shape.BEESWARM} and points > most:
        parts.append(f"{most:,} of {points:,} points are drawn.")
    total = sum(len(series.x) for series in arranged.main_series(curve))
    if curve.shape is Shape.SCATTER and (beyond := extents.points_beyond(curve)):
        parts.append(extents.beyond_words(beyond, total, what="points"))
    if curve.shape is Shape.FOREST and (shown := extents.of_forest(curve)) and shown.beyond:
        parts.append(extents.beyond_words(shown.beyond, total, what="intervals"))
    return " ".join(parts) or None


def _write_captions(figure: Figure, captions: list[tuple[str, float, str, str]]) -> None:
    height = figure.get_figheight() * 72
    place = height - 6.0
    for text, size, colour, weight in captions:
        place -= size * _LEADING
        figure.text(
            6 / (72 * _WIDTH),
            (place + size * 0.3) / height,
            text,
            fontsize=size,
            color=colour,
            weight=weight,
            va="bottom",
        )


def _titles(axes: Axes, curve: Curve) -> None:
    by_row = bool(rows_of(curve)) and curve.shape is not Shape.HEATMAP
    x_title, y_title = (
        (curve.y_title, "") if by_row and curve.shape is not Shape.BEESWARM else (curve.x_title, curve.y_title)
    )
    if by_row:
        y_title = ""
    axes.set_xlabel("\n".join(arranged.wrapped(x_title, 90)), fontsize=9, color=LIGHT.muted, labelpad=6)
    lines = arranged.wrapped(y_title, max(12, int(height_of(curve) * 11)))
    axes.set_ylabel("\n".join(lines), fontsize=9, color=LIGHT.muted, labelpad=6)
