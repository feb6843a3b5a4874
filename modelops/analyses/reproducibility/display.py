"""What reproducibility shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelops.analyses.measuring import Findings, measured, shown, thinned
from modelops.analyses.reproducibility.repeats import Repeat, repeat_measurements
from modelops.analyses.reproducibility.trained import (
    RECIPE,
    SAME_SEED,
    Seeded,
    churn,
    deviation_interval,
    margin_of,
    row_spreads,
)
from modelops.domain.metric_words import metric_name, metric_phrase
from modelops.domain.number_words import percent
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape

_TRAINED = (RECIPE, SAME_SEED)
# A spread of this share of the answers comes from the order in which numbers were added up.
_ROUNDING = 1e-9


def repeat_findings(found: Sequence[Repeat], *, unit: str) -> Findings:
    """Return the numbers of every repeat, and the digests."""
    findings = Findings([measurement for one in found for measurement in repeat_measurements(one, unit=unit)])
    findings.tables.append(
        ResultTable(
            name="digests",
            title="The answers and their digests",
            columns=("asked", "rows", "same", "digest of what it should repeat", "digest of the answers"),
            rows=tuple(
                (
                    one.name,
                    len(one.base) if one.answers is not None else None,
                    _verdict(one),
                    Repeat("", one.base, one.base).digest if one.answers is not None else None,
                    one.digest or None,
                )
                for one in found
            ),
            note="SHA-256 of the 64-bit numbers, row by row; rows are in the order in which the seed draws them.",
        )
    )
    return findings


def _verdict(one: Repeat) -> str:
    if one.answers is None:
        return f"not measured: {one.why}"
    if one.digest == Repeat("", one.base, one.base).digest:
        return "to the last bit"
    return "up to rounding" if one.is_same else "no"


def seed_findings(found: Sequence[Seeded], why: str, *, n_rows: int, is_classes: bool, unit: str) -> Findings:
    """Return what the seed of training decides; ``why`` nothing was trained if so."""
    runs = list(found)
    if len(runs) < 2:
        names = (*(("churn_rate",) if is_classes else ()), "mean_prediction_spread")
        return Findings([measured(name, None, size=0, otherwise=why) for name in names])
    findings = Findings()
    if is_classes:
        mean, low, high = churn(runs)
        note = f"From {percent(low)} to {percent(high)} in single pairs of {len(runs)} trainings."
        findings.measurements.append(measured("churn_rate", mean, size=n_rows, note=note))
    spreads = row_spreads(runs)
    findings.measurements.append(
        measured(
            "mean_prediction_spread",
            float(np.nanmean(spreads)) if np.isfinite(spreads).any() else None,
            size=n_rows,
            unit=unit,
            otherwise="No answer is a number.",
        )
    )
    metrics = [name for name in runs[0].quality if all(name in one.quality for one in runs)]
    for name in metrics:
        findings.measurements += _of_metric(name, np.array([one.quality[name] for one in runs]))
    largest = float(np.nanmax(np.abs(runs[0].answers), initial=0.0))
    if np.nanmax(spreads, initial=0.0) > _ROUNDING * largest:
        findings.curves.append(_spread_curve(spreads, unit))
    findings.curves += [_metric_curve(name, runs) for name in metrics[:1]]
    findings.tables.append(
        ResultTable(
            name="seeds",
            title="Trained anew with other seeds",
            columns=("seed", *map(metric_phrase, metrics), "digest of the answers"),
            rows=tuple(
                (one.seed, *(shown(one.quality[name]) for name in metrics), Repeat("", one.answers, one.answers).digest)
                for one in runs
            ),
        )
    )
    return findings


def _of_metric(name: str, values: np.ndarray) -> list[Measurement]:
    deviation, n = float(values.std(ddof=1)), len(values)
    return [
        measured(
            "seed_standard_deviation",
            deviation,
            size=n,
            scope={"metric": name},
            interval=deviation_interval(deviation, n),
        ),
        measured(
            "noise_margin",
            margin_of(deviation, n),
            size=n,
            scope={"metric": name},
            note="Differences up to this are within what another seed of training does.",
        ),
    ]


def _spread_curve(spreads: np.ndarray, unit: str) -> Curve:
    known = np.sort(spreads[np.isfinite(spreads)])
    kept = thinned(np.arange(1.0, known.size + 1)) if known.size else np.zeros(0, dtype=np.intp)
    return Curve(
        name="spread_of_answers",
        title="How far another seed of training moves single answers",
        shape=Shape.STEP,
        x_title=f"standard deviation of a row's {unit} over the seeds",
        y_title="share of rows",
        series=(
            Series(
                name="",
                x=tuple(float(known[k]) for k in kept),
                y=tuple(float(k + 1) / known.size for k in kept),
            ),
        ),
    )


def _metric_curve(name: str, runs: Sequence[Seeded]) -> Curve:
    values = [one.quality[name] for one in runs]
    return Curve(
        name="quality_by_seed",
        title=f"{metric_name(name)} by the seed of training",
        shape=Shape.FOREST,
        x_title="seed",
        y_title=metric_phrase(name),
        series=(Series(name="", x=tuple(f"seed {one.seed}" for one in runs), y=tuple(values)),),
        reference=float(np.mean(values)),
        note="The line is the mean.",
    )


def summary(found: Sequence[Repeat], runs: Sequence[Seeded], *, n_rows: int, is_classes: bool) -> str:
    """Return one sentence for everybody."""
    asked = [one for one in found if one.name not in _TRAINED and one.answers is not None]
    broken = [one.name for one in asked if not one.is_same]
    if broken:
        text = f"Asked again, the model gives other answers to the same {n_rows:,} rows ({', '.join(broken)})"
    else:
        names = [one.name for one in asked]
        text = f"Asked again, the model gives the same answers to {n_rows:,} rows ({', '.join(names)})"
    by_name = {one.name: one for one in found}
    recipe = by_name.get(RECIPE)
    if recipe is not None and recipe.answers is not None:
        text += f"; trained again by its own recipe it {'is' if recipe.is_same else 'is not'} the same model"
    elif runs:
        text += "; whether its own recipe gives it back was not measured"
    else:
        return f"{text}; whether it can be trained again was not measured."
    if by_name[SAME_SEED].answers is not None and not by_name[SAME_SEED].is_same:
        text += ", and one seed does not give one model"
    if is_classes and len(runs) > 1:
        text += f"; another seed changes {percent(churn(list(runs))[0])} of the decisions"
    return f"{text}."
