"""Curves as charts: interactive ones for the pages, static ones for reports.

Both draw the same `Curve` with the same palette and the same decisions (`arrangement`); there is one function for each
`Shape`. Text from data is never read as markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelops.domain.result import Curve

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["figure", "figure_and_note", "static_png", "static_svg"]


def figure(curve: Curve, *, dark: bool = False) -> Figure:
    """Return a curve as a Plotly figure, for a light or a dark page; its background is transparent."""
    from modelops.charts.interactive import figure as draw

    return draw(curve, dark=dark)


def figure_and_note(curve: Curve, *, dark: bool = False) -> tuple[Figure, str]:
    """Return a curve as `figure` does but without its title, and the note that stands under it as plain text.

    For a page that writes both itself, where they wrap: a title in a drawing is cut on a narrow screen.
    """
    from modelops.charts.interactive import figure_and_note as draw

    return draw(curve, dark=dark)


def static_svg(curve: Curve) -> str:
    """Return a curve as an SVG element for a light page, under about 60 KB, the same bytes for the same curve."""
    from modelops.charts.static import static_svg as draw

    return draw(curve)


def static_png(curve: Curve) -> bytes:
    """Return a curve as a PNG picture on a white page."""
    from modelops.charts.static import static_png as draw

    return draw(curve)
