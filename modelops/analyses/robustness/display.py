"""What robustness shows: numbers of every trial, the heat map, the worst cases, the smallest changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelops.analyses.measuring import Findings, measured, shown, thinned
from modelops.analyses.robustness.adversarial import Turned
from modelops.analyses.robustness.outcomes import Fate, Outcome, Ruler
from modelops.analyses.robustness.scenarios import MISSING_PERCENT, NOISE_PERCENT, SHUFFLED, SINGLE, missing, noise
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.names import listed
from modelops.domain.number_words import percent
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape

ALL = "(all features)"
_WORST = 60
_TURNED = 20
_FATES = (Fate.CRASHED, Fate.NOT_ASKED, Fate.ANSWERED, Fate.REFUSED)


def trial_findings(outcomes: Sequence[Outcome], ruler: Ruler, *, unit: str) -> Findings:
    """Return the numbers of every trial, the counts over all of them, the heat map and the worst cases."""
    findings = Findings()
    asked = [one for one in outcomes if one.fate is not Fate.NOT_ASKED]
    left = len(outcomes) - len(asked)
    counts = {
        "crashed_trials": sum(one.fate is Fate.CRASHED for one in asked),
        "not_finite_trials": sum(one.not_finite > 0 for one in asked),
        "refused_trials": sum(one.fate is Fate.REFUSED for one in asked),
        "out_of_range_trials": sum(one.outside > 0 for one in asked),
    }
    for name, count in counts.items():
        # None among a part of the trials does not say that there is none.
        is_known = count > 0 or not left
        why = f"The model's process ended, and {left} of {len(outcomes)} trials were not made."
        if name == "out_of_range_trials" and ruler.low is None:
            is_known, why = False, _no_range(ruler)
        value = float(count) if is_known else None
        findings.measurements.append(measured(name, value, size=len(asked), otherwise=why))
    findings.measurements += [measurement for one in outcomes for measurement in _numbers(one, ruler, unit)]
    findings.curves += [curve for curve in (_heat_map(outcomes), _levels(outcomes)) if curve is not None]
    findings.tables += [_worst(outcomes), _by_scenario(outcomes)]
    return findings


def _no_range(ruler: Ruler) -> str:
    return "The scores are no probabilities." if ruler.step is None else "There is no target to take a range from."


def scope_of(one: Outcome) -> Scope:
    """Return the scope of a trial: its scenario, and the feature where one was spoiled."""
    scope: Scope = {"scenario": one.scenario}
    return scope | {"feature": one.feature} if one.feature else scope


def _numbers(one: Outcome, ruler: Ruler, unit: str) -> list[Measurement]:
    scope = scope_of(one)
    if one.fate is not Fate.ANSWERED:
        why = f"The model {_fate_words(one)}: {one.message}"
        names = ["not_finite_rate", "out_of_range_rate", "flip_rate", "largest_change"]
        names += [] if one.feature else ["changed_rate"]
        is_refused = None if one.fate is Fate.NOT_ASKED else float(one.fate is Fate.REFUSED)
        return [
            measured("refused", is_refused, size=one.n_rows, scope=scope, otherwise=why),
            *(measured(name, None, size=one.n_rows, scope=scope, otherwise=why) for name in names),
        ]
    nothing = "No answer was a number." if one.n_rows else "There is no row."
    found = [
        measured("refused", 0.0, size=one.n_rows, scope=scope),
        _share("not_finite_rate", one.not_finite, one.n_rows, scope, nothing),
        measured("out_of_range_rate", None, size=0, scope=scope, otherwise=_no_range(ruler))
        if ruler.low is None
        else _share("out_of_range_rate", one.outside, one.n_finite, scope, nothing),
        _share("flip_rate", one.flipped, one.n_finite, scope, nothing, is_sampled=True),
        measured("largest_change", one.largest, size=one.n_finite, scope=scope, unit=unit, otherwise=nothing),
    ]
    # Where all features keep their values, any change at all is of interest.
    return found if one.feature else [*found, _share("changed_rate", one.changed, one.n_finite, scope, nothing)]


def _share(metric: str, count: int, size: int, scope: Scope, nothing: str, *, is_sampled: bool = False) -> Measurement:
    interval = wilson(count, size) if is_sampled and size else None
    return measured(
        metric, count / size if size else None, size=size, scope=scope, interval=interval, otherwise=nothing
    )


def _fate_words(one: Outcome) -> str:
    return {Fate.REFUSED: "refused the rows", Fate.CRASHED: "ended its process"}.get(one.fate, "was not asked")


def _heat_map(outcomes: Sequence[Outcome]) -> Curve | None:
    per_feature = [one for one in outcomes if one.feature is not None]
    scenarios = tuple(dict.fromkeys(one.scenario for one in per_feature))
    features = tuple(dict.fromkeys(str(one.feature) for one in per_feature))
    if not features:
        return None
    found = {(one.feature, one.scenario): one.affected for one in per_feature}
    return Curve(
        name="scenarios",
        title="How much of the answers each kind of unusual input changes",
        shape=Shape.HEATMAP,
        x_title="scenario",
        y_title="feature",
        series=tuple(
            Series(name=feature, x=scenarios, y=tuple(found.get((feature, scenario)) for scenario in scenarios))
            for feature in features
        ),
        note="Share of rows that get another answer, no number, or (1) a refusal. Empty: does not fit the column.",
    )


def _levels(outcomes: Sequence[Outcome]) -> Curve | None:
    found = {one.scenario: one for one in outcomes if one.feature is None and one.n_finite}
    kinds = {
        "noise, % of the deviation": [(level, found.get(noise(level))) for level in NOISE_PERCENT],
        "missing, % of the values": [(level, found.get(missing(level))) for level in MISSING_PERCENT],
    }
    series = []
    for name, points in kinds.items():
        there = [(level, one) for level, one in points if one is not None]
        if there:
            ends = [wilson(one.flipped, one.n_finite) for _, one in there]
            series.append(
                Series(
                    name=name,
                    x=(0.0, *(float(level) for level, _ in there)),
                    y=(0.0, *(one.flipped / one.n_finite for _, one in there)),
                    low=(0.0, *(low for low, _ in ends)),
                    high=(0.0, *(high for _, high in ends)),
                )
            )
    if not series:
        return None
    return Curve(
        name="levels",
        title="How many answers turn as all features get noisier or emptier",
        shape=Shape.LINE,
        x_title="per cent",
        y_title="share of rows with another answer",
        series=tuple(series),
    )


def _worst(outcomes: Sequence[Outcome]) -> ResultTable:
    """The trials that a person should look at first: ends of the process, no numbers, out of range, then flips."""

    def gravity(one: Outcome) -> tuple[float, ...]:
        return (_FATES.index(one.fate), -one.not_finite, -one.outside, -one.flipped, -(one.largest or 0.0))

    ordered = sorted(outcomes, key=lambda one: (*gravity(one), one.scenario, one.feature or ""))
    return ResultTable(
        name="worst_cases",
        title="The worst cases",
        columns=("scenario", "feature", "what happened", "other answers", "largest change"),
        rows=tuple(
            (
                one.scenario,
                one.feature or ALL,
                _what_happened(one),
                one.flipped / one.n_finite if one.n_finite else None,
                shown(one.largest),
            )
            for one in ordered[:_WORST]
        ),
        note=f"The first {_WORST} of {len(ordered)} trials." if len(ordered) > _WORST else None,
    )


def _what_happened(one: Outcome) -> str:
    if one.fate is not Fate.ANSWERED:
        return f"the model {_fate_words(one)}: {one.message}"
    parts = [
        f"{one.not_finite:,} of {one.n_rows:,} answers are no numbers" if one.not_finite else "",
        f"{one.outside:,} answers out of range" if one.outside else "",
        f"{one.flipped:,} of {one.n_finite:,} answers are others" if one.flipped else "",
    ]
    return "; ".join(filter(None, parts)) or ("no answer turned" if one.changed else "nothing changed")


def _by_scenario(outcomes: Sequence[Outcome]) -> ResultTable:
    names = tuple(dict.fromkeys(one.scenario for one in outcomes))
    rows = []
    for name in names:
        own = [one for one in outcomes if one.scenario == name]
        answered = [one for one in own if one.n_finite]
        most = max(answered, key=lambda one: one.flipped / one.n_finite, default=None)
        rows.append(
            (
                name,
                len(own),
                sum(one.fate is Fate.REFUSED for one in own),
                sum(one.fate in (Fate.CRASHED, Fate.NOT_ASKED) for one in own),
                sum(one.not_finite > 0 for one in own),
                most.flipped / most.n_finite if most else None,
                (most.feature or ALL) if most and most.flipped else None,
            )
        )
    return ResultTable(
        name="by_scenario",
        title="Scenario by scenario",
        columns=("scenario", "trials", "refused", "ended or not asked", "with answers that are no numbers",
                 "most other answers", "in"),
        rows=tuple(rows),
    )  # fmt: skip


def adversarial_findings(found: Sequence[Turned], why: str, *, small: float, has_scores: bool) -> Findings:
    """Return how small a plausible change turns an answer, over the rows searched; ``why`` there are none if so."""
    lengths = np.sort(np.array([one.distance for one in found if one.changes], dtype=np.float64))
    size, within = len(found), int(np.count_nonzero(lengths <= small))
    nothing = why or "No row was searched."
    findings = Findings(
        measurements=[
            measured(
                "adversarial_flip_rate",
                count / size if size else None,
                size=size,
                scope=scope,
                interval=wilson(count, size) if size else None,
                otherwise=nothing,
            )
            for scope, count in (({}, len(lengths)), ({"distance": "small"}, within))
        ]
    )
    median = float(np.median([one.distance for one in found])) if found else float("nan")
    findings.measurements.append(
        measured(
            "adversarial_distance",
            median,
            size=size,
            unit="standard deviations",
            otherwise="For half of the rows or more no plausible change was found." if size else nothing,
        )
    )
    if lengths.size:
        kept = thinned(np.arange(1.0, lengths.size + 1))
        findings.curves.append(
            Curve(
                name="smallest_changes",
                title="How many answers a plausible change up to this size turns",
                shape=Shape.STEP,
                x_title="size of the change, standard deviations",
                y_title="share of rows",
                series=(
                    Series(
                        name="",
                        x=(0.0, *(float(lengths[k]) for k in kept)),
                        y=(0.0, *(float(k + 1) / size for k in kept)),
                    ),
                ),
                reference=None,
            )
        )
        findings.tables.append(_turned_table(found, has_scores=has_scores))
    return findings


def _turned_table(found: Sequence[Turned], *, has_scores: bool) -> ResultTable:
    ordered = sorted((one for one in found if one.changes), key=lambda one: (one.distance, str(one.changes)))
    what = "score of its class" if has_scores else "prediction"
    return ResultTable(
        name="smallest_changes",
        title="The smallest changes that turn an answer",
        columns=("change", "size, standard deviations", f"{what} before", "after"),
        rows=tuple(
            (
                "; ".join(f"{name}: {_value(old)} to {_value(new)}" for name, old, new in one.changes),
                shown(one.distance),
                shown(one.before),
                shown(one.after),
            )
            for one in ordered[:_TURNED]
        ),
        note="Every value is one that its column takes, or lies between two of them. A smaller change may exist.",
    )


def _value(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "missing"
    return f"{value:.6g}" if isinstance(value, float | int) and not isinstance(value, bool) else str(value)


def summary(outcomes: Sequence[Outcome], found: Sequence[Turned], *, n_rows: int) -> str:
    """Return one sentence for everybody."""
    asked = [one for one in outcomes if one.fate is not Fate.NOT_ASKED]
    parts = []
    if crashed := sum(one.fate is Fate.CRASHED for one in asked):
        parts.append(f"ended its process in {crashed}")
    parts.append(f"refused {sum(one.fate is Fate.REFUSED for one in asked)}")
    parts.append(f"gave answers that are no numbers in {sum(one.not_finite > 0 for one in asked) or 'none'}")
    text = f"In {len(asked)} trials of unusual input on {n_rows:,} rows the model {listed(parts)}"
    by_scenario = {one.scenario: one for one in outcomes if one.feature is None and one.n_finite}
    if (slight := by_scenario.get(noise(NOISE_PERCENT[0]))) is not None:
        turned = f"{percent(slight.flipped / slight.n_finite)} of the answers" if slight.flipped else "no answer"
        text += f"; noise of {NOISE_PERCENT[0]} % of the standard deviation of each feature turns {turned}"
    unstable = [name for name in (SINGLE, SHUFFLED) if name in by_scenario and by_scenario[name].changed]
    if unstable:
        text += f"; the answers depend on how the rows are handed over ({listed(unstable)})"
    lengths = [one.distance for one in found]
    if lengths and np.isfinite(np.median(lengths)):
        size = f"{np.median(lengths):.2g} standard deviation".removesuffix(" standard deviation")
        size += " standard deviation" if size == "1" else " standard deviations"
        text += f"; half of the answers turn with a plausible change of at most {size}"
    return f"{text}."
