"""Colours and type.

Every colour of a series keeps a contrast of 3:1 on its page, and the first four differ for the colour-blind too.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Palette:
    """The colours of one theme.

    ``series`` follow Okabe and Ito ("Color universal design", 2008), darkened or lightened where the original is too
    faint on the page. ``low``, ``middle``, ``high`` are a scale for points; ``cold``, ``ground``, ``warm`` one for
    areas.
    """

    page: str
    text: str
    muted: str
    grid: str
    reference: str
    series: tuple[str, ...]
    low: str
    middle: str
    high: str
    cold: str
    ground: str
    warm: str
    hover: str

    def of(self, position: int) -> str:
        """Return the colour of the series at ``position``; after the last colour they come again."""
        return self.series[position % len(self.series)]


LIGHT = Palette(
    page="#FFFFFF",
    text="#1F2430",
    muted="#5F6675",
    grid="#E6E8EC",
    reference="#5F6675",
    series=("#0072B2", "#D55E00", "#006B4F", "#C9739F", "#A87900", "#3D8FC4", "#5B5B5B", "#6A4C9C"),
    low="#0072B2",
    middle="#808080",
    high="#D55E00",
    cold="#0072B2",
    ground="#F7F7F7",
    warm="#D55E00",
    hover="#FFFFFF",
)
DARK = Palette(
    page="#0E1117",
    text="#E8EAED",
    muted="#A3A9B5",
    grid="#2A2F3A",
    reference="#A3A9B5",
    series=("#4FA8E0", "#FF8A3D", "#12936B", "#F4B4D6", "#E6B800", "#8FA8FF", "#BDBDBD", "#F0E442"),
    low="#4FA8E0",
    middle="#9A9A9A",
    high="#FF8A3D",
    cold="#4FA8E0",
    ground="#1B202A",
    warm="#FF8A3D",
    hover="#1B202A",
)


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of ``#RRGGBB``, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def faded(colour: str, opacity: float) -> str:
    """Return a colour with an opacity, as CSS writes it.

    Examples
    --------
    >>> faded("#0072B2", 0.25)
    'rgba(0, 114, 178, 0.25)'
    """
    red, green, blue = channels(colour)
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def mixed(first: str, second: str, share: float) -> str:
    """Return the colour that lies at ``share`` on the way from ``first`` to ``second``."""
    parts = (round(a + (b - a) * share) for a, b in zip(channels(first), channels(second), strict=True))
    return "#" + "".join(f"{part:02X}" for part in parts)


def luminance(colour: str) -> float:
    """Return the relative luminance as WCAG 2.2 defines it, 0 black to 1 white."""
    linear = []
    for channel in channels(colour):
        share = channel / 255
        linear.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio as WCAG 2.2 defines it, 1 to 21."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def readable_on(colour: str) -> str:
    """Return black or white, whichever reads better on ``colour``."""
    return "#FFFFFF" if contrast(colour, "#FFFFFF") >= contrast(colour, "#111111") else "#111111"
