"""Charts inside a report: pictures that are part of the file, as many as fit."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from modelops.domain.result import Curve


@dataclass(frozen=True)
class Picture:
    """A chart as the address of an image; ``None`` if it is left out because the page would become too large."""

    curve: Curve
    address: str | None

    @property
    def text(self) -> str:
        """What the chart shows, in words, for those who do not see it."""
        names = ", ".join(series.name for series in self.curve.series[:12])
        note = f" {self.curve.note}" if self.curve.note else ""
        return f"{self.curve.title}: {self.curve.y_title} against {self.curve.x_title} for {names}.{note}"


def pictures(curves: Iterable[Curve], *, space: int) -> tuple[Picture, ...]:
    """Draw ``curves``, the first ones first, into ``space`` bytes of the page."""
    drawn, left = [], space
    for curve in curves:
        address = _address(curve)
        if len(address) > left:
            drawn.append(Picture(curve, None))
            continue
        left -= len(address)
        drawn.append(Picture(curve, address))
    return tuple(drawn)


def _address(curve: Curve) -> str:
    from modelops.charts import static_svg

    # As an image, unlike as markup in the page, an SVG can neither run anything nor fetch anything.
    return "data:image/svg+xml;base64," + base64.b64encode(static_svg(curve).encode()).decode()
