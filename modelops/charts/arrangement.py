"""What both ways of drawing decide alike: labels, order, orientation, extents, places of points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from modelops.charts.palette import Palette, mixed
from modelops.domain.result import Curve, Series

LABEL = 36
_UPRIGHT_LABELS = 8
_UPRIGHT_LENGTH = 12
# As many letters as stand side by side under a chart on a telephone.
_UPRIGHT_LETTERS = 40
# What a label breaks at, and how many letters longer a line may get for a better place.
_JOINTS = {" ": 3, "/": 6, ",": 6, ":": 6, "_": 9, "-": 9}
_BEESWARM_BINS = 80

Value = float | str | None


def clean(text: str) -> str:
    """Return text on one line without control characters."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in text).split())


def shortened(text: str, length: int = LABEL) -> str:
    """Return text with its middle left out where it is longer than ``length``: names often differ at their ends.

    Examples
    --------
    >>> shortened("number_of_late_payments_last_24_months", 21)
    'number_of_…_24_months'
    """
    text = clean(text)
    if len(text) <= length:
        return text
    front = (length - 1) // 2
    return f"{text[:front]}…{text[len(text) - (length - 1 - front) :]}"


def told_apart(names: Sequence[str], length: int = LABEL) -> list[str]:
    """Return short forms of names that are drawn together: different names stay different where that is possible.

    Each is shortened in its middle; those that would then look alike show the part in which they differ.

    Examples
    --------
    >>> told_apart(["average_of_column_1_in_the_last_year", "average_of_column_2_in_the_last_year"], 16)
    ['…column_1_in_th…', '…column_2_in_th…']
    >>> told_apart(["age", "income"])
    ['age', 'income']
    """
    whole = [clean(name) for name in names]
    short = [shortened(name, length) for name in whole]
    for label in {label for label in short if short.count(label) > 1}:
        alike = [place for place, other in enumerate(short) if other == label]
        if len({whole[place] for place in alike}) > 1:
            letters = zip(*(whole[place] for place in alike), strict=False)
            start = next((place for place, found in enumerate(letters) if len(set(found)) > 1), 0)
            for place in alike:
                short[place] = _window(whole[place], start, length)
    return short


def _window(text: str, place: int, length: int) -> str:
    """Return the part of ``text`` around ``place``, as long as ``length`` with the signs for what is left out."""
    inside = length - 2
    begin = min(max(0, place - inside // 2), len(text) - inside)
    return f"{'…' if begin else ''}{text[begin : begin + inside]}{'…' if begin + inside < len(text) else ''}"


def in_two_lines(label: str, width: int) -> tuple[str, ...]:
    """Return a label that is longer than ``width`` in two lines of about equal length, broken where its words join.

    It breaks before ``&`` rather than at another space, and at a space rather than inside a name. Where that leaves a
    line of more than one and a half times ``width``, it is broken in its middle.

    Examples
    --------
    >>> in_two_lines("income: under 1500 & age: under 25", 22), in_two_lines("income", 22)
    (('income: under 1500', '& age: under 25'), ('income',))
    """
    label = clean(label)
    if len(label) <= width:
        return (label,)
    cuts = {
        place + 1: max(place, len(label) - place) + (0 if label[place + 1] == "&" else _JOINTS[letter])
        for place, letter in enumerate(label)
        if letter in _JOINTS and 0 < place < len(label) - 1
    }
    cut = min(cuts, key=cuts.__getitem__, default=0)
    if max(cut, len(label) - cut) > 1.5 * width:
        cut = len(label) // 2
    return (label[:cut].rstrip(), label[cut:].lstrip()) if cut else (label,)


def by_their_start(names: Sequence[str]) -> list[str]:
    """Return names of which each is a period with the day on which it starts, other names as they are.

    Examples
    --------
    >>> by_their_start(["2025-10-01 to 2025-10-02", "2025-10-03 to 2025-10-06"]), by_their_start(["1 to 2"])
    (['2025-10-01', '2025-10-03'], ['1 to 2'])
    """
    starts = [name.partition(" to ")[0] for name in names]
    return starts if are_times(starts) and len(set(starts)) == len(starts) else list(names)


def wrapped(text: str, width: int) -> list[str]:
    """Return text in lines of about ``width`` characters."""
    import textwrap

    return textwrap.wrap(clean(text), width) or [""]


def label_of(value: Value) -> str:
    """Return an x value as a label."""
    if value is None:
        return "(missing)"
    return value if isinstance(value, str) else number(value)


def number(value: Value) -> str:
    """Return a number for people: four significant digits, thousands apart.

    Examples
    --------
    >>> number(12345678.9), number(0.123456), number(None), number(3.0)
    ('12,345,679', '0.1235', 'not measured', '3')
    """
    if value is None:
        return "not measured"
    if isinstance(value, str):
        return clean(value)
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= 9 or size < -4:
        return f"{value:.3e}"
    text = f"{value:,.{max(0, 3 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def numeric(values: Iterable[Value]) -> bool:
    """Return whether all values that are there are numbers."""
    return all(not isinstance(value, str) for value in values)


def log_ticks(curve: Curve) -> list[float]:
    """Return the ticks of an x axis on a log scale: 1, 2 and 5 of each decade, over more than three decades 1 alone.

    Examples
    --------
    >>> from modelops.domain.result import Curve, Series, Shape
    >>> sizes = Series(name="a", x=(30, 900), y=(0, 1))
    >>> log_ticks(Curve(name="c", title="", shape=Shape.LINE, x_title="", y_title="", series=(sizes,), x_scale="log"))
    [50.0, 100.0, 200.0, 500.0]
    """
    ends = extent(x for series in curve.series for x in series.x)
    if ends is None:
        return []
    first, last = (math.log10(end) for end in ends)
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    ticks = (step * 10.0**power for power in range(math.floor(first), math.ceil(last) + 1) for step in steps)
    return [tick for tick in ticks if ends[0] <= tick <= ends[1]]


def are_times(values: Sequence[Value]) -> bool:
    """Return whether all values are times as ISO 8601 writes them."""
    try:
        for value in values:
            if not isinstance(value, str) or len(value) < len("2024-01-01"):
                return False
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return bool(values)


def main_series(curve: Curve) -> list[Series]:
    """Return the series that the chart is about."""
    return [series for series in curve.series if series.part == "main"]


def categories(curve: Curve) -> list[str]:
    """Return the distinct labels of all main series, in the order in which they come."""
    return list(dict.fromkeys(label_of(x) for series in main_series(curve) for x in series.x))


def lies_flat(curve: Curve) -> bool:
    """Return whether bars with these labels are better drawn from left to right, so that the labels can be read."""
    names = categories(curve)
    longest = max(map(len, names), default=0)
    letters = longest + (len(" (n = 1,000)") if behind(curve) else 0)
    return len(names) > _UPRIGHT_LABELS or longest > _UPRIGHT_LENGTH or letters * len(names) > _UPRIGHT_LETTERS


def behind(curve: Curve) -> dict[str, int]:
    """Return how many rows stand behind each label, where the curve has a density by label."""
    density = next((series for series in curve.series if series.part == "density"), None)
    if density is None:
        return {}
    return {label_of(x): round(y) for x, y in zip(density.x, density.y, strict=True) if isinstance(y, int | float)}


def extent(values: Iterable[Value]) -> tuple[float, float] | None:
    """Return the smallest and the largest number, ``None`` if there is none."""
    found = [float(value) for value in values if isinstance(value, int | float)]
    return (min(found), max(found)) if found else None


def shared_extent(curve: Curve) -> tuple[float, float] | None:
    """Return the extent of x and y together: the ends of a diagonal."""
    return extent(value for series in main_series(curve) for value in (*series.x, *series.y))


@dataclass(frozen=True)
class Cells:
    """A heat map: ``values[row][column]``, its labels, and the ends of the colour scale (``low`` < ``high``)."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    sizes: tuple[tuple[int | None, ...], ...]
    low: float
    high: float

    @property
    def diverges(self) -> bool:
        """Whether the scale has a middle at 0."""
        return self.low < 0 < self.high

    def share(self, value: float) -> float:
        """Return where a value lies on the colour scale, 0 to 1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def colour(self, value: float, palette: Palette) -> str:
        """Return the colour of a value."""
        share = self.share(value)
        if not self.diverges:
            return mixed(palette.ground, palette.cold, share)
        if share < 0.5:
            return mixed(palette.cold, palette.ground, share * 2)
        return mixed(palette.ground, palette.warm, share * 2 - 1)


def cells(curve: Curve) -> Cells:
    """Return the series of a heat map as a table of cells; a column that a row does not name is empty."""
    columns = tuple(categories(curve))
    values, sizes = [], []
    for series in main_series(curve):
        by_label = dict(zip((label_of(x) for x in series.x), series.y, strict=True))
        counts = dict(zip((label_of(x) for x in series.x), series.size or (), strict=False))
        found = [by_label.get(name) for name in columns]
        values.append(tuple(float(v) if isinstance(v, int | float) else None for v in found))
        sizes.append(tuple(counts.get(name) for name in columns))
    low, high = _scale(extent(value for row in values for value in row))
    return Cells(tuple(s.name for s in main_series(curve)), columns, tuple(values), tuple(sizes), low, high)


def _scale(ends: tuple[float, float] | None) -> tuple[float, float]:
    if ends is None:
        return 0.0, 1.0
    low, high = ends
    if low < 0:
        size = max(-low, high)
        size = 1.0 if 0.05 < size <= 1 else size
        return -size, size
    if 0.05 < high <= 1:
        return 0.0, 1.0
    return 0.0, high or 1.0


def swarm(values: Sequence[Value], ends: tuple[float, float]) -> list[float]:
    """Return how far each point of a row moves aside, -0.4 to 0.4, so that points of like value lie side by side.

    Points are counted in narrow bins; in each, they are laid alternately above and below the middle.
    """
    low, high = ends
    width = (high - low) / _BEESWARM_BINS or 1.0
    places = [int((float(v) - low) / width) if isinstance(v, int | float) else -1 for v in values]
    counts: dict[int, int] = {}
    ranks = []
    for place in places:
        ranks.append(counts.get(place, 0))
        counts[place] = ranks[-1] + 1
    step = min(0.06, 0.8 / max(counts.values(), default=1))
    return [step * ((rank + 1) // 2) * (1 if rank % 2 else -1) for rank in ranks]


def segments(series: Series) -> Iterator[tuple[list[Value], list[float], list[float]]]:
    """Yield the stretches of a series over which its interval is known: x, low, high."""
    x: list[Value] = []
    low: list[float] = []
    high: list[float] = []
    for place, below, above in zip(series.x, series.low or (), series.high or (), strict=False):
        if below is None or above is None:
            if x:
                yield x, low, high
            x, low, high = [], [], []
        else:
            x.append(place)
            low.append(below)
            high.append(above)
    if x:
        yield x, low, high


def arms(series: Series) -> tuple[list[float], list[float]] | None:
    """Return how far the interval of each point reaches down and up; 0 where there is none, ``None`` if nowhere."""
    if series.low is None or series.high is None:
        return None
    down, up = [], []
    for y, low, high in zip(series.y, series.low, series.high, strict=True):
        known = isinstance(y, int | float) and low is not None and high is not None
        down.append(max(0.0, float(y) - low) if known and low is not None and not isinstance(y, str | None) else 0.0)
        up.append(max(0.0, high - float(y)) if known and high is not None and not isinstance(y, str | None) else 0.0)
    return down, up


def told(series: Series, k: int, *, label: str | None = None) -> list[str]:
    """Return the lines that a reader sees on pointing at a point: what, value with interval, rows behind it."""
    lines = [clean(label if label is not None else label_of(series.x[k]))]
    value = number(series.y[k])
    if series.low is not None and series.high is not None and series.low[k] is not None and series.high[k] is not None:
        value += f" ({number(series.low[k])} to {number(series.high[k])})"
    lines.append(value)
    if series.size is not None:
        lines.append(f"n = {series.size[k]:,}")
    return lines
