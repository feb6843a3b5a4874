"""One run: settles which scores count, finds the suspicious labels, says how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Computed, EvaluationData, Run, Sample
from modelops.analyses.composed import content_keys
from modelops.analyses.cores.row_hashes import Hashes, row_hashes, value_hashes
from modelops.analyses.label_quality import display
from modelops.analyses.label_quality.confident import ByChance, by_chance, spread, suspects
from modelops.analyses.label_quality.deviations import deviations, far_out
from modelops.analyses.label_quality.noise import label_noise
from modelops.analyses.label_quality.scoring import cross_fitted, encoded
from modelops.analyses.levels import Coded, coded
from modelops.analyses.measuring import Findings
from modelops.analyses.outcomes import MOST_CLASSES, NOT_PROBABILITIES, outcomes
from modelops.analyses.statistics.weighting import row_owners
from modelops.domain.columns import Task
from modelops.domain.number_words import percent
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.label_quality import LabelQualityParameters

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]

_MOSTLY_SEEN = 0.5
_NO_DOUBT = 1e-3


class Checking:
    """One check of the labels of a table."""

    def __init__(self, data: EvaluationData, parameters: LabelQualityParameters, run: Run) -> None:
        self.data, self.parameters, self.run = data, parameters, run
        self.sample = data.data
        self.findings = Findings()
        self.dropped: dict[str, int] = {}
        self.seen = 0.0

    def computed(self) -> Computed:
        """Check the labels and return what was found."""
        target = self.sample.roles.target
        if target is None:
            raise NotMeasured("There is no target column: no labels to check.")
        if not self.sample.n_rows:
            raise NotMeasured("The data has no rows: there are no labels to check.")
        self.run.progress(0.0, "reading labels and scores")
        self.seen = self._seen_in_training()
        summary = self._numbers(target) if self.data.task is Task.REGRESSION else self._classes(target)
        return self.findings.computed(summary, dropped=self.dropped)

    def _seen_in_training(self) -> float:
        """Return the share of rows that stand in the training data with their label: their scores have seen it."""
        train, roles = self.data.train, self.sample.roles
        if train is None or roles.target is None or roles.target not in train.source.names:
            self.findings.notes.append(
                "Whether given scores come from a model that was trained on these labels cannot be told without the"
                " training data: if they do, wrong labels are hidden, since the model has learned them."
            )
            return 0.0
        names = [name for name in roles.features if name in train.source.names]
        if not (names and train.n_rows):
            return 0.0
        own, their = (_hashes(each, [*names, roles.target]) for each in (self.sample, train))
        share = float(np.isin(own, their).mean())
        if share > 0:
            self.findings.notes.append(
                f"{percent(share)} of the rows stand in the training data with their label: given scores have seen"
                " these."
            )
        return share

    def _wants_own(self, reason: str | None) -> bool:
        """Say whether to make scores; ``reason`` is why there are none."""
        if self.parameters.scores == "given":
            if reason is not None:
                raise NotMeasured(f"{reason} Labels can only be held against scores or our own.")
            return False
        if self.parameters.scores == "cross-fitted" or reason is not None:
            return True
        return self.seen > _MOSTLY_SEEN

    def _step(self, start: float, width: float, text: str) -> Callable[[float], None]:
        self.run.progress(start, text)
        return lambda done: self.run.progress(start + width * done, text)

    def _drawn(self, known: NDArray[np.bool_], columns: list[NDArray[np.generic]]) -> Rows:
        """Return the rows with a label in an order that follows from content and seed, not from their place."""
        keys = content_keys(columns, self.sample.n_rows, seed=self.run.seed)
        order = np.argsort(keys, kind="stable")
        return np.asarray(order[known[order]])

    def _own_rows(self, known: NDArray[np.bool_]) -> Rows:
        names = self.sample.roles.features
        if not names:
            raise NotMeasured("There are neither usable scores nor features to learn some from.")
        keys = _hashes(self.sample, [*names, str(self.sample.roles.target)])
        rows = self._drawn(known, [keys])
        limit = self.parameters.rows
        if rows.size > limit:
            self.dropped["not drawn for the classifier of our own"] = int(rows.size - limit)
            self.findings.notes.append(
                f"{limit:,} of {rows.size:,} labelled rows were drawn at random (seed {self.run.seed}); the labels of"
                " the others were not checked. The intervals hold the error that this adds."
            )
        self.findings.notes.append(
            "Scores are those of histogram gradient boosting, trained in five folds so that no row was judged by a"
            " model that had seen its label, or that of another row of the same entity."
        )
        return rows[:limit]

    # Classes

    def _given_scores(self, classes: tuple[str, ...]) -> tuple[Numbers | None, str | None]:
        """Return the given scores in the order of ``classes``, or why they cannot be used."""
        try:
            found = outcomes(self.data, threshold=0.5)
        except (NotMeasured, InvalidInput) as error:
            return None, str(error)
        if found.scores is None:
            return None, found.no_scores
        inside = found.scores[np.isfinite(found.scores)]
        if inside.size and not (inside.min() >= 0 and inside.max() <= 1):
            return None, NOT_PROBABILITIES
        if missing := [label for label in classes if label not in found.classes]:
            return None, f"There is no score for the class {missing[0]!r}."
        scores = np.full((self.sample.n_rows, len(classes)), np.nan)
        scores[found.rows] = found.scores[:, [found.classes.index(label) for label in classes]]
        if not np.isfinite(scores).all(axis=1).any():
            return None, "No row has all its scores."
        return scores, None

    def _classes(self, target: str) -> str:
        labels = _occurring(coded(self.sample, target))
        known = labels.codes >= 0
        if not known.any():
            raise NotMeasured("No row has a label: there is nothing to check.")
        if len(labels.levels) > MOST_CLASSES:
            raise InvalidInput(
                f"The target holds {len(labels.levels)} classes, at most {MOST_CLASSES} are supported. If they are"
                " quantities, choose the task regression."
            )
        self._drop("the target is missing", known)
        if len(labels.levels) < 2:
            raise NotMeasured(f"All labels are {labels.levels[0]!r}: there is no other that could be the right one.")
        scores, reason = self._given_scores(labels.levels)
        if self._wants_own(reason) or scores is None:
            if reason:
                self.findings.notes.append(f"The given scores were not used: {reason}")
            rows = self._own_rows(known)
            step = self._step(0.1, 0.5, "training a classifier of our own")
            given = labels.codes[rows].astype(np.int64)
            table = encoded(self.sample, rows)
            owners = row_owners(self.sample, rows)
            used = cross_fitted(table, given, owners, n_classes=len(labels.levels), seed=self.run.seed, progress=step)
        else:
            complete = np.isfinite(scores).all(axis=1)
            self._drop("a score is missing", complete | ~known)
            columns = [scores[:, place] for place in range(scores.shape[1])]
            rows = self._drawn(known & complete, [*columns, labels.codes.astype(np.float64)])
            if not rows.size:
                raise NotMeasured("No row has both a label and its scores.")
            given = labels.codes[rows].astype(np.int64)
            used = scores[rows]
            totals = used.sum(axis=1, keepdims=True)
            if float(np.abs(totals - 1).max()) > _NO_DOUBT:
                self.findings.notes.append("The scores of a row did not add up to 1; they were divided by their sum.")
            used = np.divide(used, totals, out=np.full_like(used, 1 / used.shape[1]), where=totals > 0)
            self.findings.notes.append(
                "The labels were held against the given scores, after these were made as sure as they are right (one"
                " exponent for all)."
            )
        return self._judged_classes(labels, rows, given, used)

    def _judged_classes(self, labels: Coded, rows: Rows, given: NDArray[np.int64], scores: Numbers) -> str:
        self.run.progress(0.6, "looking for labels that the scores contradict")
        found = suspects(scores, given)
        draws, level = self.parameters.draws, self.parameters.level
        around = spread(scores, given, draws=draws, level=level, rng=np.random.default_rng([self.run.seed, 1]))
        self.run.progress(0.75, "telling wrong labels from scores that are too sure")
        noise = label_noise(scores, given)
        self.run.progress(0.8, "drawing labels from the scores")
        chance: ByChance = by_chance(
            scores, given, draws=draws, rng=np.random.default_rng([self.run.seed, 2]), doubt=noise.doubt
        )
        self.run.progress(0.95, "writing down what was found")
        self.findings.add(
            display.classes(
                found, around, chance, noise, labels.levels, rows, scores, queue=self.parameters.queue, level=level
            )
        )
        return display.summary_of_classes(found, around, chance, self.parameters.queue)

    def _drop(self, reason: str, kept: NDArray[np.bool_]) -> None:
        if left := int(np.count_nonzero(~kept)):
            self.dropped[reason] = left

    # Numbers

    def _numbers(self, target: str) -> str:
        truth = self.sample.numbers(target)
        known = np.isfinite(truth)
        if not known.any():
            raise NotMeasured("No row has a finite target.")
        self._drop("the target is missing or infinite", known)
        prediction = self.sample.roles.prediction
        reason = None if prediction is not None else "There is no prediction column."
        if self._wants_own(reason) or prediction is None:
            rows = self._own_rows(known)
            step = self._step(0.1, 0.6, "training a model of our own")
            size = float(np.abs(truth[rows]).max()) or 1.0
            table = encoded(self.sample, rows)
            owners = row_owners(self.sample, rows)
            scaled = truth[rows] / size
            values = cross_fitted(table, scaled, owners, n_classes=0, seed=self.run.seed, progress=step) * size
        else:
            predicted = self.sample.numbers(prediction)
            complete = np.isfinite(predicted)
            self._drop("the prediction is missing or infinite", complete | ~known)
            rows = self._drawn(known & complete, [truth, predicted])
            if not rows.size:
                raise NotMeasured("No row has both a target and a prediction.")
            values = predicted[rows]
            self.findings.notes.append("The targets were held against the given predictions.")
        self.run.progress(0.8, "looking for targets far from their prediction")
        targets = truth[rows]
        size = float(max(np.abs(targets).max(), np.abs(values).max())) or 1.0
        found = deviations(targets / size, values / size)
        if not found.scale > 0:
            raise NotMeasured(
                "Targets and predictions agree, or differ by the same amount everywhere: nothing stands out."
            )
        limit = self.parameters.deviations
        chance = far_out(found, limit)
        self.findings.add(
            display.numbers(found, chance, targets, values, rows, limit=limit, queue=self.parameters.queue, size=size)
        )
        return display.summary_of_numbers(found, chance, limit, self.parameters.queue)


def _hashes(sample: Sample, names: list[str]) -> Hashes:
    return row_hashes((value_hashes(sample.source.column(name)) for name in names), sample.n_rows)


def _occurring(labels: Coded) -> Coded:
    used = np.flatnonzero(labels.counts())
    table = np.full(len(labels.levels) + 1, -1, dtype=np.int32)
    table[used] = np.arange(used.size)
    return Coded(table[labels.codes], tuple(labels.levels[place] for place in used))
