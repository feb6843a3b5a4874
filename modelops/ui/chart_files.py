"""What a person takes away from one chart: a picture, a drawing, or its points for a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from modelops.charts import static_png, static_svg
from modelops.domain.result import Curve
from modelops.ui.safe_csv import safe_csv
from modelops.ui.text import scope_name

POINTS = ("chart", "about", "series", "part", "x", "y", "low", "high", "size")
_LONGEST_NAME = 80


def svg_file(curve: Curve) -> bytes:
    """Return a chart as an SVG file on a white page, whatever the background of the viewer is."""
    drawn = static_svg(curve).replace("<svg ", '<svg style="background:#fff" ', 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn}\n'.encode()


def points_file(curve: Curve) -> bytes:
    """Return all points of a chart as CSV, also those that a picture leaves out because nobody could see them."""
    return safe_csv(POINTS, points_of(curve))


def points_of(curve: Curve) -> Iterator[tuple[object, ...]]:
    """Yield every point of a chart as a row under the names `POINTS`."""
    for series in curve.series:
        count = len(series.x)
        low, high, size = (values or (None,) * count for values in (series.low, series.high, series.size))
        for x, y, a, b, n in zip(series.x, series.y, low, high, size, strict=True):
            yield curve.title, scope_name(curve.scope), series.name, series.part, x, y, a, b, n


def file_name(curve: Curve, ending: str) -> str:
    """Return a name for a file of this chart.

    Examples
    --------
    >>> from modelops.domain.result import Shape
    >>> chart = Curve(name="c", title="Rate by sex & age?", shape=Shape.LINE, x_title="", y_title="", series=())
    >>> file_name(chart, "png")
    'rate-by-sex-age.png'
    """
    words = re.sub(r"[^\w]+", "-", curve.title.lower()).strip("-")[:_LONGEST_NAME].strip("-")
    return f"{words or 'chart'}.{ending}"


class ChartFile(NamedTuple):
    """One kind of file: what the button says, how it is made, and what it is."""

    label: str
    make: Callable[[Curve], bytes]
    ending: str
    kind: str


CHART_FILES = (
    ChartFile("Picture (PNG)", static_png, "png", "image/png"),
    ChartFile("Drawing (SVG)", svg_file, "svg", "image/svg+xml"),
    ChartFile("Points (CSV)", points_file, "csv", "text/csv"),
)
