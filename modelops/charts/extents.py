"""How far an axis reaches: a few far points or intervals would squash all others into a corner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from modelops.charts.arrangement import Value, extent, main_series, shared_extent
from modelops.domain.result import Curve, Shape

# Fewer values are all shown: among them none can be told to be far out.
_FEWEST = 20
# Each tail of points; of the ends of intervals more, since every group that is tiny has two that are far out.
_TAIL, _TAIL_OF_INTERVALS = 0.02, 0.05
_MARGIN = 0.5
_SQUASHED = 2.0
_ROOM = 0.04
_ALONE = 0.1

Ends = tuple[float, float]


@dataclass(frozen=True)
class Shown:
    """The ends of an axis, and how many of the points or intervals along it reach beyond them."""

    ends: Ends
    beyond: int

    @property
    def with_room(self) -> Ends:
        """The ends with a little room, so that no point stands on an edge."""
        low, high = self.ends
        room = _ROOM * (high - low)
        return low - room, high + room


def inner(values: Sequence[float], *, tail: float = _TAIL) -> Ends | None:
    """Return ends that show most values well, ``None`` where showing all of them does.

    They are those of the values but for a ``tail`` on each side, half their distance further out, where all values
    would take more than twice as much room.

    Examples
    --------
    >>> inner([*range(100), 5000]), inner(range(100))
    ((0.0, 146.0), None)
    """
    ordered = sorted(map(float, values))
    if len(ordered) < _FEWEST:
        return None
    out = max(1, int(tail * len(ordered)))
    low, high = ordered[out], ordered[-1 - out]
    margin = _MARGIN * (high - low)
    low, high = max(ordered[0], low - margin), min(ordered[-1], high + margin)
    return (low, high) if ordered[-1] - ordered[0] > _SQUASHED * (high - low) > 0 else None


def of_scatter(curve: Curve) -> tuple[Shown | None, Shown | None]:
    """Return what the axes x and y of a scatter show, each ``None`` where it shows everything."""
    across = _numbers(x for series in main_series(curve) for x in series.x)
    up = _numbers(y for series in main_series(curve) for y in series.y)
    return _of_points(across), _of_points(up)


def _of_points(values: list[float]) -> Shown | None:
    ends = inner(values)
    return ends and Shown(ends, sum(not ends[0] <= value <= ends[1] for value in values))


def _numbers(values: Iterable[Value]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float)]


def of_forest(curve: Curve) -> Shown | None:
    """Return what the axis of values of a forest plot shows: every estimate, and most intervals whole.

    ``None`` where it shows everything. Estimates that are all alike get room on both sides, in which another one would
    be seen.
    """
    main = main_series(curve)
    reference = [curve.reference] if isinstance(curve.reference, float) else []
    estimates = extent([*(y for series in main for y in series.y), *reference])
    if estimates is None:
        return None
    intervals = [
        (low, high)
        for series in main
        for low, high in zip(series.low or (), series.high or (), strict=True)
        if low is not None and high is not None
    ]
    reach = [end for interval in intervals for end in interval]
    if estimates[0] == estimates[1] and all(end == estimates[0] for end in reach):
        room = _ALONE * (abs(estimates[0]) or 1.0)
        return Shown((estimates[0] - room, estimates[0] + room), 0)
    ends = inner(reach, tail=_TAIL_OF_INTERVALS)
    if ends is None:
        return None
    low, high = min(ends[0], estimates[0]), max(ends[1], estimates[1])
    return Shown((low, high), sum(below < low or above > high for below, above in intervals))


def points_beyond(curve: Curve) -> int:
    """Return how many points of a scatter lie beyond the edges of either axis."""
    across, up = of_scatter(curve)
    return sum(
        _is_beyond(x, across) or _is_beyond(y, up)
        for series in main_series(curve)
        for x, y in zip(series.x, series.y, strict=True)
    )


def _is_beyond(value: Value, shown: Shown | None) -> bool:
    return shown is not None and isinstance(value, int | float) and not shown.ends[0] <= value <= shown.ends[1]


def of_diagonal(curve: Curve) -> Ends | None:
    """Return the ends of the diagonal: over both extents, unless an axis would take twice its own room for that.

    In a scatter of more than a few points it then stays within what both axes show, where these overlap.
    """
    whole = shared_extent(curve)
    points = sum(len(series.x) for series in main_series(curve))
    if curve.shape is not Shape.SCATTER or whole is None or points < _FEWEST:
        return whole
    across, up = (
        shown.ends if shown else extent(values)
        for shown, values in zip(
            of_scatter(curve),
            (
                [x for series in main_series(curve) for x in series.x],
                [y for series in main_series(curve) for y in series.y],
            ),
            strict=True,
        )
    )
    if across is None or up is None:
        return whole
    narrow = min(across[1] - across[0], up[1] - up[0])
    low, high = max(across[0], up[0]), min(across[1], up[1])
    return (low, high) if whole[1] - whole[0] > _SQUASHED * narrow and low < high else whole


def beyond_words(count: int, total: int, *, what: str) -> str:
    """Say how much reaches beyond the edges.

    Examples
    --------
    >>> beyond_words(1, 400, what="points"), beyond_words(3, 30, what="intervals")
    ('1 of 400 points lies beyond the edges.', '3 of 30 intervals reach beyond the edges.')
    """
    verb = {"points": ("lies", "lie"), "intervals": ("reaches", "reach")}[what][count != 1]
    return f"{count:,} of {total:,} {what} {verb} beyond the edges."
