"""The steps of an explanation, in order: contributions, curves, importance, local surrogates, agreement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from modelops.analyses.base import EvaluationData, Progress, Run, as_labels
from modelops.analyses.composed import ComposedModel
from modelops.analyses.explainability.agreement import agreements
from modelops.analyses.explainability.explanation import Contributed, Explanation, Scored, Subject
from modelops.analyses.explainability.lime import LocalFit, local_fits
from modelops.analyses.explainability.own_shapley import own_shapley
from modelops.analyses.explainability.partial_dependence import Dependence, dependences, grid_of
from modelops.analyses.explainability.permutation_importance import (
    permutation_importance,
    prediction_changes,
    scoring,
    target_of,
)
from modelops.analyses.explainability.shapley import ShapleyValues, grown_shapley
from modelops.analyses.statistics.association import associations, groups
from modelops.domain.columns import Task
from modelops.domain.number_words import percent
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    import pandas as pd

    from modelops.analyses.explainability import ExplainabilityParameters

# Cells (rows x features) that one method may have the model look at: keeps tables of thousands of features usable.
CELLS = 400_000_000
_TOP = 5
_ASSOCIATION_ROWS = 2_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Study:
    """One explanation in the making. ``target`` holds the true values of the pool's rows."""

    data: EvaluationData
    subject: Subject
    target: pd.Series[Any] | None
    parameters: ExplainabilityParameters
    run: Run

    def explanation(self) -> Explanation:
        """Go through all the steps."""
        subject, parameters = self.subject, self.parameters
        shapley_rng, importance_rng = self.run.rng().spawn(2)
        contributed = self._contributed(shapley_rng, self._part(0.02, 0.5))
        kept = contributed.kept
        association = associations(subject.model.pool.iloc[:_ASSOCIATION_ROWS, list(kept)])
        together = groups(association, at_least=parameters.correlated_from)
        grouped = tuple(tuple(kept[k] for k in group) for group in together)
        curves, curve_rows = self._curves(kept, self._part(0.5, 0.7))
        scored = self._scored(kept, grouped, importance_rng, self._part(0.7, 0.85))
        shown = _shown_rows(contributed.shapley, parameters.shown_rows, subject)
        local = self._local(contributed, shown, self._part(0.85, 0.98))
        importances = _importances(subject.names, contributed, scored, local)
        return Explanation(
            subject=subject,
            shapley=contributed.shapley,
            players=contributed.players,
            kept=kept,
            association=association,
            groups=grouped,
            dependences=curves,
            curve_rows=curve_rows,
            scored=scored,
            local=local,
            shown=shown,
            agreements=agreements(importances, top=_TOP),
            notes=(*subject.notes, *contributed.notes),
        )

    def _part(self, start: float, end: float) -> Progress:
        return lambda fraction, text: self.run.progress(start + (end - start) * min(fraction, 1.0), text)

    def _contributed(self, rng: np.random.Generator, progress: Progress) -> Contributed:
        progress(0.0, "asking the model for its own contributions")
        names, limit = self.subject.names, self.parameters.features
        exact, notes = self._own_contributions()
        if exact is not None:
            order = np.argsort(-exact.importance, kind="stable")[:limit]
            return Contributed(exact, names, tuple(sorted(order.tolist())), notes)
        kept = tuple(range(len(names)))
        if len(names) > limit:
            progress(0.02, "choosing features to look at one by one")
            kept = _screened(self.subject.model, limit, rng)
            notes += (_screening_note(len(names), len(kept)),)
        return self._sampled(kept, notes, rng, progress)

    def _own_contributions(self) -> tuple[ShapleyValues | None, tuple[str, ...]]:
        return own_shapley(self.subject.model, self.subject.explained_rows)

    def _sampled(
        self, kept: tuple[int, ...], notes: tuple[str, ...], rng: np.random.Generator, progress: Progress
    ) -> Contributed:
        subject, parameters, names = self.subject, self.parameters, self.subject.names
        players = np.full(len(names), len(kept), dtype=np.int64)
        players[list(kept)] = np.arange(len(kept))
        labels = tuple(names[k] for k in kept)
        if len(kept) < len(names):
            labels += (f"({len(names) - len(kept):,} other features)",)
        values, why = grown_shapley(
            subject.model,
            subject.explained_rows,
            background=subject.background,
            players=players,
            rounds=parameters.rounds,
            precision=parameters.precision,
            budget=min(parameters.scored_rows, CELLS // len(names)),
            rng=rng,
            progress=lambda fraction: progress(0.05 + 0.95 * fraction, "Shapley values"),
        )
        return Contributed(replace(values, unit=subject.unit), labels, kept, (*notes, f"Shapley values: {why}"))

    def _curves(self, kept: tuple[int, ...], progress: Progress) -> tuple[tuple[Dependence, ...], int]:
        model = self.subject.model
        grids = [grid_of(model.pool.iloc[:, j], j, n_points=self.parameters.grid_points) for j in kept]
        grids = [grid for grid in grids if len(grid.sources)]
        cost = max(1, sum(len(grid.sources) + 2 for grid in grids)) * model.n_features
        n_rows = max(1, min(self.parameters.curve_rows, model.n_pool, CELLS // cost))
        found = dependences(model, np.arange(n_rows), grids)
        return tuple(_reported(found, len(grids), progress, "dependence curves")), n_rows

    def _scored(
        self,
        kept: tuple[int, ...],
        grouped: tuple[tuple[int, ...], ...],
        rng: np.random.Generator,
        progress: Progress,
    ) -> Scored:
        model, repeats = self.subject.model, self.parameters.repeats
        score = scoring(self.data.task, model.model.classes)
        columns = [(k,) for k in kept] + list(grouped)
        affordable = max(20, CELLS // (repeats * len(columns) * model.n_features))
        try:
            rows, truth = self._truth(min(self.parameters.importance_rows, affordable))
            before, found = permutation_importance(
                model, rows, truth, features=columns, score=score, repeats=repeats, rng=rng
            )
            losses = tuple(_reported(found, len(columns), progress, "permutation importance"))
        except NotMeasured as reason:
            return Scored(score.metric, None, (), (), 0, str(reason))
        return Scored(score.metric, score.sign * before, losses[: len(kept)], losses[len(kept) :], len(rows))

    def _truth(self, limit: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows of the pool that have a target, and the target as class codes or numbers."""
        target, model = self.target, self.subject.model
        if target is None:
            raise NotMeasured("No target column is given: the loss of score needs the true values.")
        rows = np.flatnonzero(target.notna().to_numpy())[:limit]
        if len(rows) < 2:
            raise NotMeasured(f"{len(rows)} rows have a target; at least two are needed.")
        if self.data.task is Task.CLASSIFICATION:
            return rows, target_of(as_labels(target.iloc[rows]), model.model.classes, model.explained)
        if target.dtype.kind not in "iuf":
            raise NotMeasured(f"The target holds {target.dtype} values, a regression needs numbers.")
        return rows, target.iloc[rows].to_numpy(dtype=np.float64)

    def _local(
        self, contributed: Contributed, shown: tuple[tuple[str, int], ...], progress: Progress
    ) -> tuple[LocalFit, ...]:
        parameters, explained = self.parameters, contributed.shapley.rows
        first = [int(explained[k]) for _, k in shown]
        others = [int(row) for row in explained if int(row) not in first]
        rows = np.array((first + others)[: max(parameters.lime_rows, len(first))])
        seeds = [self.run.seed + k for k in range(parameters.lime_seeds)]
        affordable = CELLS // (len(rows) * len(seeds) * len(self.subject.names))
        samples = max(50, min(parameters.lime_samples, affordable))
        found = local_fits(self.subject.model, rows, features=contributed.kept, samples=samples, seeds=seeds)
        return tuple(_reported(found, len(rows), progress, "local surrogates"))


def _reported(items: Iterable[Item], n: int, progress: Progress, text: str) -> Iterator[Item]:
    for k, item in enumerate(items, start=1):
        progress(k / n, text)
        yield item


def _screened(model: ComposedModel, limit: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Choose the features whose shuffling changes the output most, on as many rows as can be afforded."""
    n_rows = int(np.clip(CELLS // 4 // model.n_features**2, 8, 64))
    changes = np.fromiter(prediction_changes(model, np.arange(min(n_rows, model.n_pool)), rng), dtype=np.float64)
    return tuple(sorted(np.argsort(-changes, kind="stable")[:limit].tolist()))


def _screening_note(n_features: int, n_kept: int) -> str:
    return (
        f"The model has {n_features:,} features; the {n_kept} whose shuffling changes the output most are looked at "
        f"one by one, the other {n_features - n_kept:,} are taken together."
    )


def _shown_rows(found: ShapleyValues, n: int, subject: Subject) -> tuple[tuple[str, int], ...]:
    """Choose explained rows evenly from the highest output to the lowest; name them by where they lie."""
    order = np.argsort(-found.output, kind="stable")
    n = min(n, len(order))
    chosen = np.unique(np.linspace(0, len(order) - 1, n).round().astype(int)) if n > 1 else np.array([0])
    noun = "prediction" if subject.explained is None else "score"
    named = {0: f"highest {noun}", len(order) - 1: f"lowest {noun}"}
    if n % 2 and n > 1:
        named.setdefault(int(chosen[n // 2]), f"median {noun}")
    last = max(len(order) - 1, 1)
    above = {int(k): f"{noun} above {percent(1 - k / last)} of the rows" for k in chosen}
    return tuple((named.get(k, words), int(order[k])) for k, words in above.items())


def _importances(
    names: tuple[str, ...], contributed: Contributed, scored: Scored, local: tuple[LocalFit, ...]
) -> dict[str, np.ndarray]:
    """Return the importance of each feature by each method, NaN where it was not measured."""
    kept = list(contributed.kept)
    places = [contributed.players.index(names[k]) for k in kept]
    measured = {"SHAP": contributed.shapley.importance[places]}
    if scored.single:
        measured["permutation importance"] = np.array([importance.mean for importance in scored.single])
    measured["LIME"] = np.mean([np.abs(fit.mean) for fit in local], axis=0)
    result = {}
    for method, values in measured.items():
        result[method] = np.full(len(names), np.nan)
        result[method][kept] = values
    return result
