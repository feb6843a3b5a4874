"""An explanation as curves."""

from __future__ import annotations

import numpy as np

from modelops.analyses.bars import equal_bins
from modelops.analyses.explainability.explanation import Explanation
from modelops.analyses.explainability.measurements import LEVEL, NORMAL
from modelops.analyses.explainability.partial_dependence import Dependence
from modelops.analyses.explainability.tables import effect_of, short
from modelops.analyses.statistics.association import ordered_values
from modelops.domain.metric_words import metric_phrase
from modelops.domain.number_words import quantity, title_case
from modelops.domain.result import Curve, Series, Shape

_SWARM_POINTS = 250
_SINGLE_LINES = 25
_ROW_FEATURES = 10


def curves(found: Explanation, *, top: int) -> tuple[Curve, ...]:
    """Return the charts of an explanation; single features for the ``top`` most important ones only."""
    best = [int(k) for k in np.argsort(-found.shapley.importance, kind="stable")[:top]]
    return (
        _global_bars(found, best),
        _beeswarm(found, best),
        *_importance_forest(found, top),
        *_dependence_curves(found, best),
        *_row_bars(found),
        *_agreement_map(found),
    )


def _numbers(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(short(float(value)) for value in values)


def _bounds(mean: np.ndarray, error: np.ndarray) -> dict[str, tuple[float | None, ...]]:
    if not np.isfinite(error).all():
        return {}
    return {"low": _numbers(mean - NORMAL * error), "high": _numbers(mean + NORMAL * error)}


def _unit_title(found: Explanation) -> str:
    unit = found.shapley.unit
    return found.subject.output_name if unit == found.subject.unit else f"{found.subject.output_name}, {unit}"


def _global_bars(found: Explanation, top: list[int]) -> Curve:
    values = found.shapley
    mean, error = values.importance[top], values.importance_error[top]
    return Curve(
        name="mean_absolute_shap_values",
        title="What the output depends on most",
        shape=Shape.BARS,
        x_title="Feature",
        y_title=f"Mean absolute contribution ({_unit_title(found)})",
        series=(
            Series(
                name="mean absolute contribution",
                x=tuple(found.players[k] for k in top),
                y=_numbers(mean),
                size=(len(values.rows),) * len(top),
                **_bounds(mean, np.minimum(error, mean / NORMAL)),
            ),
        ),
        note=f"Bars: {LEVEL * 100:g} % interval over rows.",
    )


def _beeswarm(found: Explanation, top: list[int]) -> Curve:
    values, names = found.shapley, found.subject.names
    rows = values.rows[:_SWARM_POINTS]
    series = []
    for k in top:
        shade = None
        if found.players[k] in names:
            shade = _shade(found, names.index(found.players[k]), rows)
        points = values.phi[: len(rows), k]
        series.append(
            Series(name=found.players[k], x=_numbers(points), y=(found.players[k],) * len(points), shade=shade)
        )
    return Curve(
        name="shap_values",
        title="Contributions to single predictions",
        shape=Shape.BEESWARM,
        x_title=f"Contribution ({_unit_title(found)})",
        y_title="Feature",
        series=tuple(series),
        reference=0.0,
        note=f"{len(rows)} rows; colour: the feature's value from low to high. Grey: missing, or without an order.",
    )


def _shade(found: Explanation, feature: int, rows: np.ndarray) -> tuple[float | None, ...] | None:
    """Return where each row's value lies among the values of the pool, from 0 to 1."""
    values = ordered_values(found.subject.model.pool.iloc[:, feature])
    if values is None:
        return None
    ordered = np.sort(values[np.isfinite(values)])
    if not len(ordered):
        return None
    middle = (np.searchsorted(ordered, values[rows], "left") + np.searchsorted(ordered, values[rows], "right")) / 2
    return tuple(
        round(float(place) / len(ordered), 3) if np.isfinite(value) else None
        for place, value in zip(middle, values[rows], strict=True)
    )


def _importance_forest(found: Explanation, limit: int) -> tuple[Curve, ...]:
    scored, names = found.scored, found.subject.names
    if scored.reason:
        return ()
    ordered = sorted(scored.single, key=lambda importance: -importance.mean)[:limit]
    ordered += sorted(scored.grouped, key=lambda importance: -importance.mean)[: max(1, limit // 2)]
    intervals = [importance.interval(LEVEL) for importance in ordered]
    return (
        Curve(
            name="permutation_importance",
            title="What the score loses when a column is shuffled",
            shape=Shape.FOREST,
            x_title="Feature",
            y_title=f"{'Gain' if scored.metric == 'log_loss' else 'Loss'} of {metric_phrase(scored.metric)}",
            series=(
                Series(
                    name="permutation importance",
                    x=tuple(" + ".join(names[k] for k in importance.features) for importance in ordered),
                    y=tuple(short(importance.mean) for importance in ordered),
                    low=tuple(short(low) for low, _ in intervals),
                    high=tuple(short(high) for _, high in intervals),
                    size=(scored.rows,) * len(ordered),
                ),
            ),
            reference=0.0,
            note="Names joined by + are correlated features, shuffled together.",
        ),
    )


def _dependence_curves(found: Explanation, top: list[int]) -> list[Curve]:
    names = found.subject.names
    wanted = [found.players[k] for k in top if found.players[k] in names]
    by_name = {names[dependence.grid.feature]: dependence for dependence in found.dependences}
    return [_dependence_curve(found, by_name[name], name) for name in wanted if name in by_name]


def _dependence_curve(found: Explanation, dependence: Dependence, name: str) -> Curve:
    grid, rows = dependence.grid, found.curve_rows
    average, error = dependence.average, dependence.average_error
    is_level = grid.positions is None
    main = Series(
        name="partial dependence",
        x=grid.labels,
        y=_numbers(average),
        size=(rows,) * len(average),
        **_bounds(average, error),
    )
    series: list[Series] = [main]
    if is_level:
        counts = tuple(int(count) for count in grid.counts)
        series.append(Series(name="rows with this level", x=grid.labels, y=counts, part="density"))
    else:
        lines = dependence.curves[:_SINGLE_LINES]
        series = [
            Series(name="single rows", x=grid.labels, y=_numbers(line), part="backdrop") for line in lines
        ] + series
        if dependence.effect is not None and dependence.effect_error is not None:
            shifted = dependence.effect + float(average @ grid.counts / max(grid.counts.sum(), 1))
            bounds = _bounds(shifted, dependence.effect_error)
            series.append(Series(name="accumulated local effect", x=grid.labels, y=_numbers(shifted), **bounds))
        series += _density(dependence)
    return Curve(
        name="partial_dependence",
        title=f"How the output moves with {name}",
        shape=Shape.BARS if is_level else Shape.LINE,
        x_title=name,
        y_title=title_case(found.subject.output_name),
        series=tuple(series),
        scope={"feature": name},
        note=_companion(found, grid.feature),
    )


def _density(dependence: Dependence) -> list[Series]:
    grid = dependence.grid
    if grid.positions is None or len(grid.labels) < 2:
        return []
    if any(isinstance(label, str) for label in grid.labels):
        return [Series(name="rows", x=grid.labels, y=tuple(int(c) for c in grid.counts), part="density")]
    values = grid.positions[np.isfinite(grid.positions)]
    counts, edges = equal_bins(values, float(grid.edges[0]), float(grid.edges[-1]), bins=25)
    middles = (edges[1:] + edges[:-1]) / 2
    return [Series(name="rows", x=_numbers(middles), y=tuple(int(count) for count in counts), part="density")]


def _companion(found: Explanation, feature: int) -> str | None:
    """Name the feature that goes most with this one, where the two are correlated."""
    group = next((group for group in found.groups if feature in group), None)
    if group is None:
        return None
    place = found.kept.index(feature)
    others = [k for k in group if k != feature]
    strength = [float(found.association[place, found.kept.index(k)]) for k in others]
    best = int(np.argmax(strength))
    return (
        f"Correlated with {found.subject.names[others[best]]} ({strength[best]:.2f}): the partial dependence asks "
        "about combinations that may not occur; prefer the accumulated local effect."
    )


def _row_bars(found: Explanation) -> list[Curve]:
    curves = []
    for (name, row), fit in zip(found.shown, found.local, strict=False):
        contributions = found.shapley.phi[row]
        order = np.argsort(-np.abs(contributions), kind="stable")[:_ROW_FEATURES]
        labels = tuple(found.players[k] for k in order)
        effects = [effect_of(found, fit, int(k)) for k in order]
        series = [Series(name="Shapley value", x=labels, y=_numbers(contributions[order]))]
        if found.shapley.unit == found.subject.unit:
            series.append(_lime_series(labels, effects))
        curves.append(
            Curve(
                name="row_contributions",
                title=f"The row with the {name}: {quantity(found.shapley.output[row])}",
                shape=Shape.BARS,
                x_title="Feature",
                y_title=f"Contribution ({_unit_title(found)})",
                series=tuple(series),
                scope={"row": name},
                reference=0.0,
                note=f"LIME: {fit.badge}, R2 of the local fit {fit.fit.mean():.2f}, {len(fit.fit)} seeds.",
            )
        )
    return curves


def _lime_series(labels: tuple[str, ...], effects: list[tuple[float, float] | None]) -> Series:
    return Series(
        name="LIME effect",
        x=labels,
        y=tuple(None if effect is None else short(effect[0]) for effect in effects),
        low=tuple(None if effect is None else short(effect[0] - effect[1]) for effect in effects),
        high=tuple(None if effect is None else short(effect[0] + effect[1]) for effect in effects),
    )


def _agreement_map(found: Explanation) -> tuple[Curve, ...]:
    methods = list(dict.fromkeys(name for pair in found.agreements for name in (pair.first, pair.second)))
    known = {(pair.first, pair.second): pair.rank_correlation for pair in found.agreements}
    if not any(value is not None for value in known.values()):
        return ()
    rows = []
    for first in methods:
        values = tuple(
            1.0 if first == other else known.get((first, other), known.get((other, first))) for other in methods
        )
        rows.append(Series(name=first, x=tuple(methods), y=values))
    return (
        Curve(
            name="explanation_agreement",
            title="Do the methods agree on what matters?",
            shape=Shape.HEATMAP,
            x_title="Method",
            y_title="Method",
            series=tuple(rows),
            note="Rank correlation of the importances. 1: the same ranking of features; 0: unrelated; -1: the reverse.",
        ),
    )
