"""An explanation as tables for people."""

from __future__ import annotations

import numpy as np

from modelops.analyses.explainability.explanation import Explanation
from modelops.analyses.explainability.lime import LocalFit
from modelops.analyses.explainability.measurements import LEVEL, NORMAL
from modelops.analyses.statistics.association import level_codes, ordered_values
from modelops.domain.record import Scalar
from modelops.domain.result import ResultTable

_ROW_FEATURES = 10
_FEATURES = 200
_TEXT = 40


def tables(found: Explanation) -> tuple[ResultTable, ...]:
    """Return the tables of an explanation: the features, the rows shown, the background."""
    return (_features_table(found), _rows_table(found), *_background_table(found))


def short(value: float) -> float | None:
    """Return a number with six digits; ``None`` where it is not finite, which no record holds."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def effect_of(found: Explanation, fit: LocalFit, player: int) -> tuple[float, float] | None:
    """Return mean and spread of the local effect of one column of the Shapley values."""
    name = found.players[player]
    if name not in found.subject.names or found.subject.names.index(name) not in found.kept:
        return None
    place = found.kept.index(found.subject.names.index(name))
    return float(fit.mean[place]), float(fit.spread[place])


def _features_table(found: Explanation) -> ResultTable:
    values, names = found.shapley, found.subject.names
    importance = values.importance
    losses = {names[i.features[0]]: i for i in found.scored.single}
    lime = dict(zip((names[k] for k in found.kept), _mean_effects(found), strict=True))
    companions = {names[k]: found.subject.names[j] for k, j in _companions(found).items()}
    rows: list[tuple[Scalar, ...]] = []
    for k in np.argsort(-importance, kind="stable")[:_FEATURES]:
        name = found.players[k]
        loss = losses.get(name)
        rows.append(
            (
                name,
                short(importance[k]),
                short(NORMAL * values.importance_error[k]) if np.isfinite(values.importance_error[k]) else None,
                short(loss.mean) if loss else None,
                short(loss.spread) if loss else None,
                short(lime[name]) if name in lime else None,
                companions.get(name),
            )
        )
    return ResultTable(
        name="features",
        title="Importance of the features by three methods",
        columns=(
            "feature",
            "mean absolute Shapley value",
            f"plus or minus ({LEVEL * 100:g} %)",
            "permutation importance",
            "spread over repeats",
            "mean absolute LIME effect",
            "correlated with",
        ),
        rows=tuple(rows),
        note=f"The first {_FEATURES} of {len(importance):,}; all stand in the measurements."
        if len(importance) > _FEATURES
        else None,
    )


def _mean_effects(found: Explanation) -> list[float]:
    return [float(v) for v in np.mean([np.abs(fit.mean) for fit in found.local], axis=0)]


def _companions(found: Explanation) -> dict[int, int]:
    result = {}
    for group in found.groups:
        for k in group:
            others = [j for j in group if j != k]
            strength = [found.association[found.kept.index(k), found.kept.index(j)] for j in others]
            result[k] = others[int(np.argmax(strength))]
    return result


def _rows_table(found: Explanation) -> ResultTable:
    rows: list[tuple[Scalar, ...]] = []
    values = found.shapley
    for (label, row), fit in zip(found.shown, found.local, strict=False):
        contributions = values.phi[row]
        order = np.argsort(-np.abs(contributions), kind="stable")
        rows.append((label, "(base value)", None, short(values.base), None, None))
        for k in order[:_ROW_FEATURES]:
            effect = effect_of(found, fit, int(k))
            mean, spread = (None, None) if effect is None else (short(effect[0]), short(effect[1]))
            shown = _shown_value(found, found.players[k], int(values.rows[row]))
            rows.append((label, found.players[k], shown, short(contributions[k]), mean, spread))
        if len(order) > _ROW_FEATURES:
            rest = float(contributions[order[_ROW_FEATURES:]].sum())
            rows.append((label, f"({len(order) - _ROW_FEATURES:,} further features)", None, short(rest), None, None))
        total = float(contributions.sum()) + values.base
        rows.append((label, f"(sum, {values.unit})", None, short(total), None, None))
    return ResultTable(
        name="rows",
        title="Single predictions taken apart",
        columns=("row", "feature", "value", "Shapley value", "LIME effect", "LIME spread over seeds"),
        rows=tuple(rows),
        note="; ".join(f"{label}: LIME {fit.badge}" for (label, _), fit in zip(found.shown, found.local, strict=False)),
    )


def _shown_value(found: Explanation, name: str, row: int) -> Scalar:
    """Return one value for people; withheld where it could say who the row is about."""
    subject = found.subject
    if name not in subject.names:
        return None
    if name in subject.withheld:
        return "withheld"
    column = subject.model.pool[name]
    value = column.iloc[row]
    if not column.notna().iloc[row]:
        return "missing"
    if column.dtype.kind in "iuf":
        return short(float(value)) if np.isfinite(float(value)) else str(float(value))
    text = str(value)
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 3]}..."


def _background_table(found: Explanation) -> list[ResultTable]:
    """Show whether the background stands for the data."""
    if found.shapley.method != "permutation":
        return []
    subject, rows = found.subject, []
    for k in found.kept:
        column = subject.model.pool.iloc[:, k]
        numbers = ordered_values(column)
        name = subject.names[k]
        if numbers is None:
            codes, levels = level_codes(column)
            most = int(np.bincount(codes).argmax())
            here, there = float((codes == most).mean()), float((codes[subject.background] == most).mean())
            rows.append((name, f"share of {levels[most][:_TEXT]}", short(here), short(there)))
        elif column.dtype.kind != "M" and np.isfinite(numbers[subject.background]).any():
            there = float(np.nanmean(numbers[subject.background]))
            rows.append((name, "mean", short(float(np.nanmean(numbers))), short(there)))
    return [
        ResultTable(
            name="background",
            title="The background rows beside the data",
            columns=("feature", "what", "rows drawn", "background"),
            rows=tuple(rows),
            note=f"{len(subject.background)} background rows of {subject.model.n_pool:,} drawn.",
        )
    ]
