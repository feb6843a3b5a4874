"""What was found out about a case, as measurements, curves, tables and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Computed, EvaluationData
from modelops.analyses.measuring import Findings, finite, measured, shown
from modelops.analyses.misclassified.queue import cells
from modelops.analyses.what_if.case import Case
from modelops.analyses.what_if.contributions import CaseContributions
from modelops.analyses.what_if.distances import Scale
from modelops.analyses.what_if.paper import case_paper
from modelops.analyses.what_if.permitted import Permitted
from modelops.analyses.what_if.response import Response
from modelops.analyses.what_if.search import Counterfactual
from modelops.analyses.what_if.wanted import Wanted, decided
from modelops.domain.number_words import percent, quantity, title_case
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, ResultTable, Series, Shape

_BARS = 12
_TYPICAL = 200
_MOST_CLASSES = 40
ORIGINAL, EDITED = "as it is", "as edited"

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Everything that was found out about the case."""

    data: EvaluationData
    case: Case
    classes: tuple[str, ...]
    outputs: Numbers
    scores: Numbers | None
    decisions: NDArray[np.intp] | None
    wanted: Wanted
    has_outcome: bool
    contributed: CaseContributions
    responses: list[Response]
    counterfactuals: tuple[Counterfactual, ...]
    searched: bool
    dropped: int
    nearest: int | None
    scale: Scale
    permitted: Permitted
    notes: tuple[str, ...]

    @property
    def output_name(self) -> str:
        """How the output is called."""
        explained = self.case.model.explained
        return "prediction" if explained is None else f"score of class {self.classes[explained]}"

    @property
    def states(self) -> tuple[tuple[str, int], ...]:
        """The case as it is, and as it is edited if it is: the name and the place in the pool."""
        original, edited = (ORIGINAL, self.case.original), (EDITED, self.case.edited)
        return (original, edited) if self.case.changed else (original,)

    def decision(self, place: int) -> str | None:
        """Return the class that a row of the pool gets."""
        return None if self.decisions is None else self.classes[int(self.decisions[place])]


def computed(found: Found, *, curve_features: int, seed: int) -> Computed:
    """Return the whole."""
    sheet = Findings(notes=list(found.notes))
    afterwards = _afterwards(found)
    _answers(found, sheet)
    _contributions(found, sheet)
    _responses(found, sheet, curve_features)
    _counterfactuals(found, sheet, afterwards)
    _nearest(found, sheet)
    n = len(found.case.others)
    if n < found.data.data.n_rows - 1:
        sheet.notes.append(f"Values and neighbours come from {n:,} rows, drawn at random with seed {seed}.")
    return sheet.computed(_summary(found, afterwards), dropped={}, cases=case_paper(found))


def _answers(found: Found, sheet: Findings) -> None:
    rows: list[tuple[Scalar, ...]] = []
    silent = "The model's answer is not a finite number."
    for name, place in found.states:
        output = float(found.outputs[place])
        scope = {"case": "original" if name == ORIGINAL else "edited"}
        sheet.measurements.append(measured("case_output", output, size=1, scope=scope, otherwise=silent))
        rows.append((name, shown(output), found.decision(place)))
    if found.case.changed:
        change = float(found.outputs[found.case.edited] - found.outputs[found.case.original])
        sheet.measurements.append(measured("case_output_change", change, size=1, otherwise=silent))
    broken = found.permitted.broken_rules(found.case.edited)
    sheet.measurements.append(measured("broken_rule_count", float(len(broken)), size=1))
    sheet.notes += [f"The case as it is edited breaks the rule {text!r}." for text in broken]
    sheet.tables.append(
        ResultTable(
            name="answer",
            title=f"What the model says of row {found.case.row}",
            columns=("case", found.output_name, "class"),
            rows=tuple(rows),
            note=f"Edited: {', '.join(found.case.changed)}." if found.case.changed else None,
        )
    )
    if found.scores is not None and len(found.classes) > 2:
        sheet.tables.append(_class_scores(found, found.scores))


def _class_scores(found: Found, scores: Numbers) -> ResultTable:
    """Return what the model gives each class, those with the highest scores first."""
    order = np.argsort(-np.nan_to_num(scores[found.states[-1][1]]), kind="stable")[:_MOST_CLASSES]
    few = len(found.classes) > order.size
    return ResultTable(
        name="class_scores",
        title=f"The score of each class for row {found.case.row}",
        columns=("class", *(name for name, _ in found.states)),
        rows=tuple(
            (found.classes[code], *(shown(float(scores[place, code])) for _, place in found.states)) for code in order
        ),
        note=f"The {order.size} highest of {len(found.classes)}." if few else None,
    )


def _contributions(found: Found, sheet: Findings) -> None:
    contributed = found.contributed
    values = contributed.values
    places = range(len(found.states))
    for state in places:
        for k in (
            contributed.kept if len(contributed.players) == len(found.case.names) else range(len(contributed.players))
        ):
            scope = {"feature": contributed.players[k], "case": ("original", "edited")[state]}
            sheet.measurements.append(
                measured("shap_value", float(values.phi[state, k]), size=1, scope=scope, otherwise="It is not finite.")
            )
    sheet.measurements += [
        measured("shap_base_value", values.base, size=1, unit=values.unit, otherwise="It is not finite."),
        measured("additivity_error", values.additivity_error, size=len(values.rows), otherwise="It is not finite."),
    ]
    order = np.argsort(-np.nan_to_num(np.abs(values.phi).max(axis=0)), kind="stable")[:_BARS]
    names = [name for name, _ in found.states]
    sheet.curves.append(
        Curve(
            name="contributions",
            title="What each feature adds",
            shape=Shape.BARS,
            x_title="Feature",
            y_title=f"Contribution ({found.output_name}{'' if values.unit == 'output' else f', {values.unit}'})",
            series=tuple(
                Series(
                    name=name,
                    x=tuple(contributed.players[k] for k in order),
                    y=finite(values.phi[state, order]),
                )
                for state, name in enumerate(names)
            ),
            reference=0.0,
            note=f"Added to {quantity(values.base)}, the mean answer, they give this one."
            if np.isfinite(values.base)
            else None,
        )
    )
    sheet.notes += contributed.notes
    if values.noise.any():
        most = float(values.noise.max())
        sheet.notes.append(f"Contributions are sampled; the largest standard error of one is {most:.2g}.")


def _responses(found: Found, sheet: Findings, most: int) -> None:
    here = float(found.outputs[found.case.edited])
    for response in found.responses:
        scope = {"feature": found.case.names[response.grid.feature]}
        sheet.measurements.append(
            measured(
                "sensitivity_range", response.reach, size=1, scope=scope, otherwise="No answer is a finite number."
            )
        )
    reaching = sorted(found.responses, key=lambda response: (-np.nan_to_num(response.reach), response.grid.feature))
    known = [response for response in reaching if np.isfinite(response.reach)][:_BARS]
    if known and np.isfinite(here):
        sheet.curves.append(
            Curve(
                name="sensitivity",
                title="How far each one could move it",
                shape=Shape.FOREST,
                x_title="Feature",
                y_title=title_case(found.output_name),
                series=(
                    Series(
                        name=found.output_name,
                        x=tuple(found.case.names[response.grid.feature] for response in known),
                        y=(here,) * len(known),
                        low=tuple(min(here, float(np.nanmin(response.outputs))) for response in known),
                        high=tuple(max(here, float(np.nanmax(response.outputs))) for response in known),
                    ),
                ),
                reference=here,
                note="Dots: this answer. Lines: all answers over real values.",
            )
        )
    for response in found.responses[:most]:
        name = found.case.names[response.grid.feature]
        sheet.curves.append(
            Curve(
                name="response",
                title=f"If only {name} were different",
                shape=Shape.BARS if response.grid.positions is None else Shape.LINE,
                x_title=name,
                y_title=title_case(found.output_name),
                series=(Series(name="this case", x=response.grid.labels, y=finite(response.outputs)),),
                scope={"feature": name},
                reference=shown(here),
                note="Dashed: the answer with its own value.",
            )
        )


@dataclass(frozen=True)
class _After:
    """What the model says after a set of changes, and how unusual the row is that they make."""

    output: float
    decision: str | None
    rarity: float


def _afterwards(found: Found) -> list[_After]:
    if not found.counterfactuals:
        return []
    sources = np.stack([one.sources for one in found.counterfactuals])
    model, scale = found.case.model, found.scale
    outputs = next(model.outputs([sources]))
    decisions: list[str | None] = [None] * len(sources)
    if found.classes:
        scores = next(model.class_scores([sources]))
        codes = decided(scores, found.wanted.positive, found.wanted.threshold)
        decisions = [found.classes[int(code)] for code in codes]
    others = scale.points[found.case.others]
    typical = scale.nearest(others[:_TYPICAL], others, skip_same=True)
    distances = scale.nearest(scale.points[sources, np.arange(sources.shape[1])], others)
    rarities = [float(np.mean(typical[np.isfinite(typical)] < distance)) for distance in distances]
    return [_After(float(o), d, r) for o, d, r in zip(outputs, decisions, rarities, strict=True)]


def _counterfactuals(found: Found, sheet: Findings, afterwards: list[_After]) -> None:
    size = len(found.case.others)
    if not found.searched:
        reason = "No changes were looked for."
    elif found.has_outcome:
        reason = f"The case has {found.wanted.text} already."
    else:
        reason = ""
    count = None if reason else float(len(found.counterfactuals))
    sheet.measurements.append(measured("counterfactual_count", count, size=size, otherwise=reason))
    rows: list[tuple[Scalar, ...]] = []
    for number, (one, after) in enumerate(zip(found.counterfactuals, afterwards, strict=True), start=1):
        scope = {"counterfactual": str(number)}
        sheet.measurements += [
            measured("counterfactual_output", after.output, size=1, scope=scope),
            measured("counterfactual_distance", one.distance, size=1, scope=scope),
            measured("changed_feature_count", float(len(one.features)), size=1, scope=scope),
        ]
        for feature in one.features:
            start, end = _from_to(found, one, feature)
            rows.append(
                (
                    number,
                    found.case.names[feature],
                    start,
                    end,
                    shown(after.output),
                    after.decision,
                    shown(one.distance),
                    shown(after.rarity),
                )
            )
    if found.dropped:
        sheet.notes.append(
            f"{found.dropped:,} sets of changes would have led to {found.wanted.text}, and were dropped because they "
            "leave what is permitted or break a rule."
        )
    if rows:
        sheet.tables.append(
            ResultTable(
                name="counterfactuals",
                title=f"Changes that would lead to {found.wanted.text}",
                columns=("set", "column", "from", "to", f"{found.output_name} then", "class then", "size", "rarity"),
                rows=tuple(rows),
                note="All changes of one set together. Size: in median absolute deviations. Rarity: the share of real "
                "rows that have a nearer neighbour than the changed row; near 1, no real case is like it.",
            )
        )


def _from_to(found: Found, one: Counterfactual, feature: int) -> tuple[Scalar, Scalar]:
    roles, name = found.data.data.roles, found.case.names[feature]
    if name in {*roles.sensitive, *roles.ids}:
        return "withheld", "withheld"
    column = found.case.model.pool[name]
    start, end = cells(column.iloc[[found.case.edited, int(one.sources[feature])]])
    return start, end


def _nearest(found: Found, sheet: Findings) -> None:
    case, scale = found.case, found.scale
    if found.nearest is None:
        reason = f"None of the {len(case.others):,} real rows looked at has {found.wanted.text}."
        sheet.measurements.append(
            measured("nearest_other_outcome_distance", None, size=len(case.others), otherwise=reason)
        )
        return
    apart = scale.apart(scale.points[case.edited], scale.points[found.nearest])
    differing = [case.names[feature] for feature in np.argsort(-apart, kind="stable") if apart[feature] > 0]
    distance = float(apart.sum())
    sheet.measurements.append(measured("nearest_other_outcome_distance", distance, size=len(case.others)))
    sheet.tables.append(
        ResultTable(
            name="nearest",
            title=f"The nearest real case with {found.wanted.text}",
            columns=("row", found.output_name, "class", "distance", "columns that differ, the most first"),
            rows=(
                (
                    int(case.table_rows[found.nearest]) + 1,
                    shown(float(found.outputs[found.nearest])),
                    found.decision(found.nearest),
                    shown(distance),
                    ", ".join(differing) or "none",
                ),
            ),
        )
    )


def _summary(found: Found, afterwards: list[_After]) -> str:
    original = found.case.original
    given = _given(found, float(found.outputs[original]), found.decision(original))
    text = f"For row {found.case.row} the model gives {given}"
    if found.case.changed:
        edited = found.case.edited
        edits = (
            " and ".join(found.case.changed) if len(found.case.changed) < 4 else f"{len(found.case.changed)} columns"
        )
        text += f"; with {edits} edited, {_given(found, float(found.outputs[edited]), found.decision(edited))}"
    text += "."
    if found.counterfactuals:
        one = found.counterfactuals[0]
        names = " and ".join(found.case.names[feature] for feature in one.features)
        text += f" A change of {names} would be enough for {found.wanted.text}."
    elif found.searched and not found.has_outcome:
        text += f" No permitted change of up to {_columns(found)} was found that leads to {found.wanted.text}."
    elif found.has_outcome:
        text += f" It has {found.wanted.text} already."
    if afterwards and min(after.rarity for after in afterwards) > 0.99:
        text += f" Every set of changes found makes a row unlike {percent(0.99)} of the real ones."
    return text


def _columns(found: Found) -> str:
    return "the columns that may change" if found.permitted.fixed else "the columns"


def _given(found: Found, output: float, decision: str | None) -> str:
    number = quantity(output) if np.isfinite(output) else "no finite number"
    if decision is None:
        return f"a prediction of {number}"
    return f"the class {decision} ({found.output_name} {number})"
