"""How each shape is drawn with matplotlib; `static` puts titles around it and makes the SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

from modelops.charts import arrangement as arranged
from modelops.charts import extents
from modelops.charts.palette import LIGHT, mixed, readable_on
from modelops.domain.result import Curve, Series, Shape

MOST_ROWS = 64
_MOST_POINTS = 2_000
_LINE_POINTS = 600
_LEGEND_LETTERS = 90
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.5, 1.5)))
_MARKERS = ("o", "D", "s", "^", "X", "P")


def rows_of(curve: Curve) -> int:
    """Return how many rows the chart has, 0 for one with a free y axis."""
    main = arranged.main_series(curve)
    if curve.shape in {Shape.HEATMAP, Shape.BEESWARM}:
        return len(main)
    if curve.shape is Shape.FOREST or (curve.shape is Shape.BARS and _named(curve) and arranged.lies_flat(curve)):
        return len(arranged.categories(curve))
    return 0


def _named(curve: Curve) -> bool:
    return not arranged.numeric(x for series in arranged.main_series(curve) for x in series.x)


def height_of(curve: Curve) -> float:
    """Return the height of the chart without its captions, in inches."""
    rows = min(rows_of(curve), MOST_ROWS)
    if not rows:
        return 3.4
    n_series = len(arranged.main_series(curve))
    each = {Shape.HEATMAP: 0.32, Shape.BEESWARM: 0.42}.get(curve.shape, 0.26 if n_series < 2 else 0.16 * n_series + 0.1)
    return min(17.5, max(1.5, 0.8 + rows * each))


def most_points(curve: Curve) -> int:
    """Return how many points of each series are drawn at most."""
    return max(12, _MOST_POINTS // max(1, len(arranged.main_series(curve))))


def _figure(axes: Axes) -> Figure:
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    return figure


def _label(series: Series) -> str:
    """Return the name for the legend; matplotlib would leave out one that begins with an underscore."""
    name = arranged.shortened(series.name)
    return f" {name}" if name.startswith("_") else name


def _legend(axes: Axes, n_entries: int) -> None:
    # A series without a name has nothing to say in a legend.
    if n_entries > 1 and axes.get_legend_handles_labels()[1]:
        longest = max(len(text) for text in axes.get_legend_handles_labels()[1])
        beside = max(1, min(n_entries, _LEGEND_LETTERS // (longest + 6)))
        _figure(axes).legend(
            loc="outside lower left", ncols=min(beside, 3), frameon=False, fontsize=8.5, labelcolor=LIGHT.text
        )


def _reference(axes: Axes, curve: Curve, *, upright: bool) -> None:
    style: dict[str, Any] = {"color": LIGHT.reference, "linewidth": 1.0, "linestyle": (0, (4, 3)), "zorder": 1.5}
    if curve.reference == "diagonal":
        ends = extents.of_diagonal(curve)
        if ends is not None:
            axes.plot(ends, ends, **style)
    elif curve.reference is not None and upright:
        axes.axvline(curve.reference, **style)
    elif curve.reference is not None:
        axes.axhline(curve.reference, **style)


def _thinned(n: int, most: int) -> list[int]:
    """Return the positions of at most ``most`` of ``n`` points, evenly, both ends among them."""
    if n <= most:
        return list(range(n))
    return sorted({round(k * (n - 1) / (most - 1)) for k in range(most)})


def _nan(values: Sequence[arranged.Value]) -> list[float]:
    return [float(v) if isinstance(v, int | float) else float("nan") for v in values]


def _places(axes: Axes, curve: Curve) -> Callable[[Sequence[arranged.Value]], list[float]]:
    """Return how x values become places: numbers as they are, times and names in their order."""
    names = list(dict.fromkeys(arranged.label_of(x) for series in curve.series for x in series.x))
    if curve.x_scale == "log":
        marked = arranged.log_ticks(curve)
        axes.set_xscale("log")
        axes.set_xticks(marked, [arranged.number(tick) for tick in marked])
        axes.minorticks_off()
    if arranged.numeric(x for series in curve.series for x in series.x):
        return _nan
    order = {name: float(k) for k, name in enumerate(names)}
    shown = range(0, len(names), -(-len(names) // 7))
    ticks = arranged.by_their_start(names)
    texts = [ticks[k][:10] if arranged.are_times(ticks) else arranged.shortened(ticks[k], 16) for k in shown]
    axes.set_xticks(shown, texts)
    return lambda values: [order[arranged.label_of(value)] for value in values]


def _line(axes: Axes, curve: Curve) -> None:
    main, place_of = arranged.main_series(curve), _places(axes, curve)
    most = max(40, _LINE_POINTS // max(1, len(main)))
    style: dict[str, Any] = {"drawstyle": "steps-post"} if curve.shape is Shape.STEP else {}
    for series in curve.series:
        if series.part == "density":
            _density(axes, series, place_of)
        if series.part == "backdrop":
            axes.plot(place_of(series.x), _nan(series.y), color=LIGHT.muted, alpha=0.22, linewidth=0.6, **style)
    for place, series in enumerate(main):
        for stretch, low, high in arranged.segments(series):
            kept = _thinned(len(stretch), most)
            places = place_of(stretch)
            axes.fill_between(
                [places[k] for k in kept],
                [low[k] for k in kept],
                [high[k] for k in kept],
                color=LIGHT.of(place),
                alpha=0.16,
                linewidth=0,
                step="post" if curve.shape is Shape.STEP else None,
            )
        kept = _thinned(len(series.x), most)
        x, y = place_of(series.x), _nan(series.y)
        axes.plot(
            [x[k] for k in kept],
            [y[k] for k in kept],
            color=LIGHT.of(place),
            linewidth=1.6,
            linestyle=_DASHES[place % len(_DASHES)],
            marker=_MARKERS[place % len(_MARKERS)] if len(x) <= 12 else None,
            markersize=3.5,
            label=_label(series),
            **style,
        )
    _reference(axes, curve, upright=False)
    _legend(axes, len(main))


def _density(axes: Axes, series: Series, place_of: Callable[[Sequence[arranged.Value]], list[float]]) -> None:
    """Draw how many rows lie where as low bars in the bottom seventh of the chart."""
    heights = _nan(series.y)
    top = max(heights, default=0.0)
    x = place_of(series.x)
    if top > 0 and len(x) > 1:
        width = 0.94 * min(b - a for a, b in pairwise(x))
        axes.bar(
            x,
            [height / top / 7 for height in heights],
            width=width,
            color=LIGHT.muted,
            alpha=0.3,
            transform=axes.get_xaxis_transform(),
            zorder=0.8,
        )


def _bars(axes: Axes, curve: Curve) -> None:
    main = arranged.main_series(curve)
    if not _named(curve):
        for place, series in enumerate(main):
            x = _nan(series.x)
            width = 0.97 * min((b - a for a, b in pairwise(x)), default=0.8)
            opacity = 0.55 if len(main) > 1 else 0.85
            axes.bar(
                x,
                _nan(series.y),
                width=width,
                color=to_rgba(LIGHT.of(place), opacity),
                label=_label(series),
            )
        _reference(axes, curve, upright=False)
        _legend(axes, len(main))
    else:
        _named_bars(axes, curve, main)


def _named_bars(axes: Axes, curve: Curve, main: list[Series]) -> None:
    flat, names, counts = arranged.lies_flat(curve), arranged.categories(curve), arranged.behind(curve)
    thick = 0.7 / len(main)
    for place, series in enumerate(main):
        reach = arranged.arms(series)
        shift = (place - (len(main) - 1) / 2) * thick
        kept = [k for k, x in enumerate(series.x) if names.index(arranged.label_of(x)) < MOST_ROWS]
        places = [names.index(arranged.label_of(series.x[k])) + shift for k in kept]
        values = _nan([series.y[k] for k in kept])
        style: dict[str, Any] = {"color": to_rgba(LIGHT.of(place), 0.85), "label": _label(series)}
        error = None if reach is None else [[side[k] for k in kept] for side in reach]
        whisker = {"ecolor": LIGHT.text, "elinewidth": 1.0, "capsize": 2}
        if flat:
            axes.barh(places, values, height=thick * 0.92, xerr=error, error_kw=whisker, **style)
        else:
            axes.bar(places, values, width=thick * 0.8, yerr=error, error_kw=whisker, **style)
    short = arranged.told_apart(names)
    ticks = [
        label + (f" (n = {counts[name]:,})" if name in counts else "") for name, label in zip(names, short, strict=True)
    ]
    if flat:
        _row_axis(axes, ticks)
    else:
        axes.set_xticks(range(len(ticks)), ticks)
        axes.grid(visible=False, axis="x")
    _reference(axes, curve, upright=flat)
    _legend(axes, len(main))


def _row_axis(axes: Axes, labels: list[str]) -> None:
    """Make the y axis a list of labels, the first on top."""
    shown = labels[:MOST_ROWS]
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _forest(axes: Axes, curve: Curve) -> None:
    main, names = arranged.main_series(curve), arranged.categories(curve)
    apart = 0.6 / max(len(main), 1)
    for place, series in enumerate(main):
        shift = (place - (len(main) - 1) / 2) * apart
        reach = arranged.arms(series)
        kept = [k for k, x in enumerate(series.x) if names.index(arranged.label_of(x)) < MOST_ROWS]
        rows = [names.index(arranged.label_of(series.x[k])) + shift for k in kept]
        axes.errorbar(
            _nan([series.y[k] for k in kept]),
            rows,
            xerr=None if reach is None else [[side[k] for k in kept] for side in reach],
            fmt=_MARKERS[place % len(_MARKERS)],
            color=LIGHT.of(place),
            markersize=5,
            elinewidth=1.5,
            label=_label(series),
        )
        for row, k in zip(rows, kept, strict=True):
            if series.y[k] is None:
                axes.annotate(
                    "not measured",
                    (0, row),
                    xycoords=("axes fraction", "data"),
                    xytext=(4, 0),
                    textcoords="offset points",
                    fontsize=8,
                    color=LIGHT.muted,
                    va="center",
                )
    _row_axis(axes, arranged.told_apart(names))
    _reference(axes, curve, upright=True)
    if shown := extents.of_forest(curve):
        axes.set_xlim(*shown.with_room)
    _legend(axes, len(main))


def _heatmap(axes: Axes, curve: Curve) -> None:
    found = arranged.cells(curve)
    rows = found.values[:MOST_ROWS]
    scale = [found.colour(found.low + (found.high - found.low) * k / 10, LIGHT) for k in range(11)]
    image = axes.imshow(
        [_nan(row) for row in rows] or [[float("nan")]],
        cmap=LinearSegmentedColormap.from_list("curve", scale),
        vmin=found.low,
        vmax=found.high,
        aspect="auto",
        interpolation="none",
    )
    many = max(len(rows), len(found.columns)) > 20
    _row_axis(axes, arranged.told_apart(found.rows, 20 if many else arranged.LABEL))
    turned = 90 if len(found.columns) > 8 else 0
    names = arranged.told_apart(found.columns, 12 if many else 20)
    axes.set_xticks(range(len(names)), names, rotation=turned)
    axes.grid(visible=False)
    if not many:
        _gaps(axes, len(rows), len(names))
    if len(found.columns) <= 12 and len(rows) * len(found.columns) <= 200:
        _numbers(axes, found, rows)
    bar = _figure(axes).colorbar(image, ax=axes, pad=0.01, aspect=height_of(curve) * 7)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8, labelcolor=LIGHT.text)


def _gaps(axes: Axes, n_rows: int, n_columns: int) -> None:
    for edge in range(1, n_columns):
        axes.axvline(edge - 0.5, color=LIGHT.page, linewidth=1.2)
    for edge in range(1, n_rows):
        axes.axhline(edge - 0.5, color=LIGHT.page, linewidth=1.2)


def _numbers(axes: Axes, found: arranged.Cells, rows: Sequence[Sequence[float | None]]) -> None:
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            text, colour = "n/a", LIGHT.muted
            if value is not None:
                text = f"{value:.2f}" if abs(value) < 100 else arranged.number(value)
                colour = readable_on(found.colour(value, LIGHT))
            axes.text(column, row, text, ha="center", va="center", fontsize=8.5, color=colour)


def _points(axes: Axes, series: Series, x: Sequence[float], y: Sequence[float], *, size: float, colour: str) -> None:
    """Draw points as dots of lines without visible length: a tenth of the size of symbols in the file.

    Not wholly without: lines of length zero are dropped where they are cut at the frame.
    """
    known = [number for number in x if math.isfinite(number)]
    step = 1e-5 * ((max(known) - min(known)) or max(1.0, abs(known[0]))) if known else 0.0
    shades = series.shade or (None,) * len(x)
    grey = mixed(LIGHT.muted, LIGHT.page, 0.4) if series.shade else colour
    by_colour: dict[str, list[int]] = {}
    for k, shade in enumerate(shades):
        by_colour.setdefault(grey if shade is None else _shaded(round(shade * 8) / 8), []).append(k)
    for place, (dots, members) in enumerate(by_colour.items()):
        (line,) = axes.plot(
            [number for k in members for number in (x[k], x[k] + step, math.nan)],
            [number for k in members for number in (y[k], y[k], math.nan)],
            color=dots,
            alpha=0.75,
            linewidth=size,
            solid_capstyle="round",
            label=None if place else _label(series),
        )
        line.get_path().should_simplify = False


def _kept(series: Series, most: int) -> Series:
    """Return a series of points thinned out."""
    kept = _thinned(len(series.x), most)
    fields = {name: getattr(series, name) for name in ("x", "y", "shade")}
    return Series(name=series.name, **{name: v and tuple(v[k] for k in kept) for name, v in fields.items()})


def _shaded(shade: float) -> str:
    if shade < 0.5:
        return mixed(LIGHT.low, LIGHT.middle, shade * 2)
    return mixed(LIGHT.middle, LIGHT.high, shade * 2 - 1)


def _scatter(axes: Axes, curve: Curve) -> None:
    main, place_of = arranged.main_series(curve), _places(axes, curve)
    for place, series in enumerate(main):
        points = _kept(series, most_points(curve))
        _points(axes, points, place_of(points.x), _nan(points.y), size=4.0, colour=LIGHT.of(place))
    _reference(axes, curve, upright=False)
    across, up = extents.of_scatter(curve)
    if across:
        axes.set_xlim(*across.with_room)
    if up:
        axes.set_ylim(*up.with_room)
    _legend(axes, len(main))


def _beeswarm(axes: Axes, curve: Curve) -> None:
    main = arranged.main_series(curve)
    ends = arranged.extent(x for series in main for x in series.x) or (0.0, 1.0)
    for row, series in enumerate(main[:MOST_ROWS]):
        points = _kept(series, most_points(curve))
        places = [row - 1.3 * offset for offset in arranged.swarm(points.x, ends)]
        _points(axes, points, _nan(points.x), places, size=3.4, colour=mixed(LIGHT.muted, LIGHT.page, 0.2))
    _row_axis(axes, arranged.told_apart([series.name for series in main]))
    _reference(axes, curve, upright=True)


SHAPES: dict[Shape, Callable[[Axes, Curve], None]] = {
    Shape.LINE: _line,
    Shape.STEP: _line,
    Shape.BARS: _bars,
    Shape.FOREST: _forest,
    Shape.HEATMAP: _heatmap,
    Shape.SCATTER: _scatter,
    Shape.BEESWARM: _beeswarm,
}
