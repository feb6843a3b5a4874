"""An explanation as measurements, with the sentence that sums it up and the notes that it needs."""

from __future__ import annotations

import numpy as np

from modelops.analyses.explainability.explanation import Explanation
from modelops.analyses.explainability.permutation_importance import Importance
from modelops.domain.names import listed
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Measurement

LEVEL = 0.95
NORMAL = 1.959963984540054


def measurements(found: Explanation) -> tuple[Measurement, ...]:
    """Return every number of an explanation; what was not measured is ``None`` with the reason."""
    return (
        *_shapley(found),
        *_importance(found),
        *_curves(found),
        *_local(found),
        *_agreement(found),
    )


def summary(found: Explanation) -> str:
    """Say in plain words what the output depends on most, and whether the methods agree."""
    importance = found.shapley.importance
    total = float(importance.sum())
    subject = found.subject.output_name
    if total == 0:
        return f"The {subject} is the same whatever the features are: nothing is there to explain."
    single = [k for k in np.argsort(-importance, kind="stable") if found.players[k] in found.subject.names]
    order = [k for k in single[:3] if importance[k] > 0]
    named = [found.players[k] for k in order]
    if not named:
        return f"The {subject} depends on no single feature that was looked at; raise the parameter features."
    if len(found.players) <= 3:
        return f"The {subject} depends on {listed(named)}, in this order. {_agreement_sentence(found)}".strip()
    share = float(importance[order].sum()) / total
    first = (
        f"The {subject} depends most on {listed(named)}: {percent(round(share, 2))} of all contributions, counted by "
        f"size, come from {'it' if len(named) == 1 else 'these'}."
    )
    return f"{first} {_agreement_sentence(found)}".strip()


def notes(found: Explanation) -> tuple[str, ...]:
    """Return what a reader must know before using the numbers."""
    subject, values = found.subject, found.shapley
    background = (
        f"Contributions start from the mean output of {len(subject.background)} background rows, drawn at random from "
        f"the data ({quantity(values.base)}). They say what the model does, not what causes the outcome."
        if values.method == "permutation"
        else f"Contributions are the model's own exact values, by {values.method}, in {values.unit}, from the base "
        f"{quantity(values.base)}. They say what the model does, not what causes the outcome."
    )
    result = [*found.notes, background]
    if found.groups:
        listed = "; ".join(" and ".join(subject.names[k] for k in group) for group in found.groups[:5])
        result.append(
            f"Features that go together: {listed}. Their importance is shared between them, each curve moves one of "
            "them alone into combinations that may not occur; the accumulated local effect does not."
        )
    if found.scored.reason:
        result.append(f"Permutation importance was not measured: {found.scored.reason}")
    else:
        result.append("Permutation importance is honest only on rows that the model was not trained on.")
    if subject.withheld:
        result.append("Values of sensitive columns and of identifiers are not shown for single rows.")
    return tuple(result)


def _shapley(found: Explanation) -> list[Measurement]:
    values, n = found.shapley, len(found.shapley.rows)
    means, errors = values.importance, values.importance_error
    unit = values.unit
    result = [
        Measurement(
            metric="mean_absolute_shap_value",
            value=float(means[k]),
            unit=unit,
            scope={"feature": name} if k < len(means) and name in found.subject.names else {"features": name},
            interval=_around(means[k], errors[k], floor=0.0),
            level=LEVEL if np.isfinite(errors[k]) else None,
            sample_size=n,
        )
        for k, name in enumerate(found.players)
    ]
    result += [
        _not_single("mean_absolute_shap_value", name) for name in found.subject.names if name not in found.players
    ]
    result.append(Measurement(metric="shap_base_value", value=values.base, unit=unit, sample_size=_base_rows(found)))
    result.append(Measurement(metric="additivity_error", value=values.additivity_error, sample_size=n))
    noise = float(np.sqrt((values.noise**2).mean()))
    result.append(Measurement(metric="shap_sampling_error", value=noise, unit=unit, sample_size=n))
    return result


def _base_rows(found: Explanation) -> int:
    return len(found.subject.background if found.shapley.method == "permutation" else found.shapley.rows)


def _around(mean: float, error: float, *, floor: float = -np.inf) -> tuple[float, float] | None:
    if not np.isfinite(error):
        return None
    return max(floor, float(mean - NORMAL * error)), float(mean + NORMAL * error)


def _not_single(metric: str, name: str) -> Measurement:
    note = "Not among the features that were looked at one by one; raise the parameter features to include it."
    return Measurement(metric=metric, value=None, scope={"feature": name}, sample_size=0, note=note)


def _importance(found: Explanation) -> list[Measurement]:
    scored, names = found.scored, found.subject.names
    # Infinite or huge outcomes leave no score to lose from.
    finite = scored.before is not None and np.isfinite(scored.before)
    reason = scored.reason or ("" if finite else f"The {scored.metric} before shuffling is not finite.")
    if reason:
        return [
            Measurement(
                metric="permutation_importance",
                value=None,
                scope={"feature": name},
                sample_size=0,
                note=reason,
            )
            for name in names
        ]
    single = {importance.features[0]: importance for importance in scored.single}
    in_group = {k: group for group in found.groups for k in group}
    result = [Measurement(metric=scored.metric, value=scored.before, sample_size=scored.rows, note="Before shuffling.")]
    for k, name in enumerate(names):
        if k not in single:
            result.append(_not_single("permutation_importance", name))
            continue
        others = [names[j] for j in in_group.get(k, ()) if j != k]
        note = f"Goes together with {listed(others)}, which can stand in for it." if others else None
        result.append(_loss(single[k], scored.metric, {"feature": name}, scored.rows, note))
    for importance in scored.grouped:
        scope = {"features": " + ".join(names[k] for k in importance.features)}
        result.append(_loss(importance, scored.metric, scope, scored.rows, "Correlated features, shuffled together."))
    return result


def _loss(importance: Importance, metric: str, scope: dict[str, str], rows: int, note: str | None) -> Measurement:
    return Measurement(
        metric="permutation_importance",
        value=importance.mean,
        unit=f"loss of {metric}" if metric != "log_loss" else "gain of log_loss",
        scope=dict(scope),
        interval=importance.interval(LEVEL),
        level=LEVEL,
        sample_size=rows,
        note=note,
    )


def _curves(found: Explanation) -> list[Measurement]:
    result = []
    for dependence in found.dependences:
        scope = {"feature": found.subject.names[dependence.grid.feature]}
        unit, rows = found.subject.unit, found.curve_rows
        spans = [
            ("partial_dependence_range", dependence.average),
            ("accumulated_local_effects_range", dependence.effect),
        ]
        for metric, curve in spans:
            value = float(np.ptp(curve)) if curve is not None else None
            note = None if curve is not None else "Only one value, or levels without an order to accumulate along."
            result.append(
                Measurement(metric=metric, value=value, unit=unit, scope=dict(scope), sample_size=rows, note=note)
            )
    return result


def _local(found: Explanation) -> list[Measurement]:
    result = []
    for (name, _), fit in zip(found.shown, found.local, strict=False):
        n = len(fit.fit)
        result.append(Measurement(metric="lime_r2", value=float(fit.fit.mean()), scope={"row": name}, sample_size=n))
        result.append(
            Measurement(
                metric="lime_stability", value=fit.stability, scope={"row": name}, sample_size=n, note=str(fit.badge)
            )
        )
    return result


def _agreement(found: Explanation) -> list[Measurement]:
    result = []
    for pair in found.agreements:
        scope = {"methods": f"{pair.first} and {pair.second}"}
        n = pair.n_features
        rank_note = None if pair.rank_correlation is not None else "Needs three features whose importances differ."
        top_note = None if pair.overlap is not None else f"With {n} features, the top {pair.top} would hold them all."
        result += [
            Measurement(
                metric="explanation_rank_correlation",
                value=pair.rank_correlation,
                scope=dict(scope),
                sample_size=n,
                note=rank_note,
            ),
            Measurement(
                metric="explanation_top_overlap", value=pair.overlap, scope=dict(scope), sample_size=n, note=top_note
            ),
        ]
    return result


def _agreement_sentence(found: Explanation) -> str:
    known = [pair for pair in found.agreements if pair.rank_correlation is not None]
    if not known:
        return ""
    lowest = min(known, key=lambda pair: pair.rank_correlation or 0.0)
    return (
        f"The methods' rankings correlate by {lowest.rank_correlation:.2f} at the least "
        f"({lowest.first} and {lowest.second})."
    )
