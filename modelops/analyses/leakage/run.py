"""One run: walks through all checks, each with an outcome of its own where it cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.base import Computed, EvaluationData, Run
from modelops.analyses.composed import content_keys
from modelops.analyses.cores.arrow_numbers import Kind, kind_of
from modelops.analyses.cores.row_hashes import Hashes
from modelops.analyses.leakage import display, measurements
from modelops.analyses.leakage.duplicates import EXACT, ROUNDED, Repeated, RowKeys, Shared, repeated, row_keys, shared
from modelops.analyses.leakage.entities import (
    LateFeature,
    Overlap,
    SharedEntities,
    late_features,
    shared_entities,
    time_overlap,
)
from modelops.analyses.leakage.labels import Labels, class_labels, number_labels
from modelops.analyses.leakage.model_checks import Alone, Quality, one_row_alone, prediction_quality, split_quality
from modelops.analyses.leakage.near import ALL_BUT_ONE, NEAR, all_but_one, near, sides
from modelops.analyses.leakage.predictors import (
    id_predictor,
    missing_predictor,
    order_predictor,
    value_predictor,
)
from modelops.analyses.leakage.single import Predictor, Strength, strengths
from modelops.analyses.leakage.surrogate import surrogate, surrogate_rows
from modelops.analyses.measuring import Findings
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.leakage import LeakageParameters

NO_TRAIN = "No training data was given: what it shares with the data cannot be told."
_TRAIN_ROWS = 10
_CELLS = 20_000_000
_PERMUTED = 50_000_000
_FAMILIES = ("single_feature", "missingness", "order", "time")


@dataclass
class Leaks:
    """Everything that was found, or why not: ``reasons`` by check. ``judged`` rows were there to judge columns on."""

    task: Task
    shared: list[Shared] = field(default_factory=list)
    repeated: list[Repeated] = field(default_factory=list)
    entities: list[SharedEntities] = field(default_factory=list)
    overlap: Overlap | None = None
    late: list[LateFeature] = field(default_factory=list)
    values: list[Strength] = field(default_factory=list)
    missing: list[Strength] = field(default_factory=list)
    order: list[Strength] = field(default_factory=list)
    time: Strength | None = None
    features: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    alone: Alone | None = None
    quality: Quality | None = None
    split: list[tuple[str, Quality]] = field(default_factory=list)
    alpha: float = 0.05
    judged: int = 0
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def has_train(self) -> bool:
        """Whether there were training data to compare with."""
        return bool(self.shared)


class Searching:
    """One search for leaks."""

    def __init__(self, data: EvaluationData, parameters: LeakageParameters, run: Run) -> None:
        self.data, self.parameters, self.run = data, parameters, run
        self.sample, self.train = data.data, data.train
        self.findings = Findings()
        self.train_keys: RowKeys | None = None
        self.found = Leaks(data.task, alpha=parameters.alpha, features=self.sample.roles.features)

    def computed(self) -> Computed:
        """Make every check that can be made and return what was found."""
        if not self.sample.n_rows:
            raise NotMeasured("The data has no rows: there is nothing to look at.")
        if not self.sample.roles.features:
            raise NotMeasured("No column has the role of a feature: leakage is looked for in what the model sees.")
        names = self._compared()
        twins = self._duplicates(names)
        self._near(names)
        self._entities()
        self._times()
        self._single(twins)
        self._model()
        self.run.progress(0.98, "writing down what was found")
        self.findings.measurements += measurements.all_measurements(self.found)
        self.findings.curves += display.curves(self.found)
        self.findings.tables += display.tables(self.found)
        self.findings.notes += display.notes(self.found)
        return self.findings.computed(display.summary(self.found), dropped={})

    def _step(self, start: float, width: float, text: str) -> Callable[[float], None]:
        self.run.progress(start, text)
        return lambda done: self.run.progress(start + width * done, text)

    def _tried(self, check: str, attempt: Callable[[], None]) -> None:
        """Make a check; if it cannot be made, keep the reason."""
        try:
            attempt()
        except (NotMeasured, InvalidInput) as error:
            self.found.reasons[check] = str(error)

    def _compared(self) -> tuple[str, ...]:
        features = self.sample.roles.features
        if self.train is None or not self.train.n_rows:
            self.train = None
            self.found.reasons["train"] = NO_TRAIN if self.data.train is None else "The training data has no rows."
            return features
        common = tuple(name for name in features if name in self.train.source.names)
        if not common:
            self.train = None
            self.found.reasons["train"] = "The training data has none of the features."
            return features
        if left := sorted(set(features) - set(common)):
            self.findings.notes.append(f"The training data lacks {', '.join(left)}: rows are compared without.")
        return common

    def _target(self) -> str | None:
        """Return the target where both tables have it."""
        target = self.sample.roles.target
        if target is None or (self.train is not None and target not in self.train.source.names):
            return None
        return target

    def _duplicates(self, names: tuple[str, ...]) -> RowKeys:
        """Look for equal rows and return the keys of all rows, by which rows are drawn whatever their order."""
        self.run.progress(0.0, "looking for equal rows")
        target = self._target()
        if target is None:
            self.found.reasons["label"] = "There is no target column in both tables."
        exact = row_keys(self.sample, names, target, digits=None)
        rows = surrogate_rows(self.parameters.near_rows, len(names) + 1)
        self.positions = self._drawn(exact.whole, rows)
        self.composed = surrogate(self.sample, names, target, self.positions, seed=self.run.seed)
        self.run.progress(0.1, "looking for equal rows")
        for match, digits in ((EXACT, None), (ROUNDED, self.parameters.digits)):
            own = exact if digits is None else row_keys(self.sample, names, target, digits=digits)
            self.found.repeated += repeated(match, own)
            if self.train is None:
                continue
            train = row_keys(self.train, names, target, digits=digits)
            chance = row_keys(self.sample, names, target, digits=digits, rows=self.positions, composed=self.composed)
            self.found.shared += shared(match, own, train, chance)
            self.train_keys = self.train_keys if digits else train
            self.run.progress(0.25 if digits else 0.15, "looking for equal rows")
        return exact

    def _drawn(self, keys: Hashes, limit: int) -> np.ndarray:
        order = np.argsort(content_keys([keys], len(keys), seed=self.run.seed), kind="stable")
        return np.asarray(order[:limit])

    def _near(self, names: tuple[str, ...]) -> None:
        train = self.train
        if train is None or self.train_keys is None:
            return
        step = self._step(0.25, 0.2, "looking for nearly equal rows")
        limit = min(_TRAIN_ROWS * self.parameters.near_rows, max(1000, _CELLS // len(names)))
        positions = self.positions, self._drawn(self.train_keys.whole, limit)
        if len(positions[0]) < self.sample.n_rows or len(positions[1]) < train.n_rows:
            self.findings.notes.append(
                f"Near duplicates were looked for with {len(positions[0]):,} of {self.sample.n_rows:,} rows among"
                f" {len(positions[1]):,} of {train.n_rows:,} training rows, drawn at random (seed {self.run.seed})."
                " Where not all training rows were searched, the share is a lower bound."
            )
        table = sides(self.sample, train, names, self._target(), positions, self.composed)
        step(0.3)
        distance = self.parameters.distance
        if table.data.numbers.shape[1]:
            self.found.shared.append(near(table, distance=distance, seed=self.run.seed, with_label=False))
            step(0.6)
            if self._target() is not None:
                self.found.shared.append(near(table, distance=distance, seed=self.run.seed, with_label=True))
        else:
            self.found.reasons[NEAR] = "No feature is a number in both tables: near and equal are the same."
        step(0.8)
        other = all_but_one(table)
        if other is not None:
            self.found.shared.append(other)
        else:
            self.found.reasons[ALL_BUT_ONE] = "With fewer than three features, most rows are alike in all but one."
        step(1.0)

    def _entities(self) -> None:
        self.run.progress(0.46, "looking for shared ids")
        self.found.ids = self.sample.roles.ids
        train = self.train
        if train is None:
            return
        for name in self.found.ids:
            try:
                self.found.entities.append(shared_entities(self.sample, train, name))
            except NotMeasured as error:
                self.found.reasons[f"id {name}"] = str(error)

    def _times(self) -> None:
        self.run.progress(0.48, "comparing times")

        def overlap() -> None:
            if self.train is None:
                raise NotMeasured(self.found.reasons["train"])
            self.found.overlap = time_overlap(self.sample, self.train)

        self._tried("overlap", overlap)
        self._tried("late", lambda: self.found.late.extend(late_features(self.sample)))

    def _labels(self, twins: RowKeys) -> Labels:
        target = self.sample.roles.target
        if target is None:
            raise NotMeasured("There is no target column.")
        limit = min(self.parameters.rows, _PERMUTED // self.parameters.permutations)
        rows = self._drawn(twins.whole, limit)
        if len(rows) < self.sample.n_rows:
            self.findings.notes.append(
                f"Single columns were judged on {len(rows):,} of {self.sample.n_rows:,} rows, drawn at random (seed"
                f" {self.run.seed}); the intervals hold the error that this adds."
            )
        read = number_labels if self.data.task is Task.REGRESSION else class_labels
        rng = np.random.default_rng([self.run.seed, 31])
        return read(self.sample, target, rows, permutations=self.parameters.permutations, rng=rng)

    def _single(self, twins: RowKeys) -> None:
        step = self._step(0.5, 0.35, "judging single columns")
        try:
            labels = self._labels(twins)
        except (NotMeasured, InvalidInput) as error:
            self.found.reasons["single"] = str(error)
            return
        self.found.judged = labels.n_rows
        features = self.sample.roles.features
        for name in (*features, *self.found.ids):
            column = self.sample.source.column(name)
            if kind_of(column) is Kind.OTHER:
                for prefix in ("single_feature", "order"):
                    self.found.reasons[f"{prefix} {name}"] = f"The column holds {column.type} values."
        values = [value_predictor(self.sample, name, labels) for name in features]
        self.found.values = self._judged(values, labels, "single_feature", lambda done: step(0.6 * done))
        missing = [missing_predictor(self.sample, name, labels) for name in features]
        self.found.missing = self._judged(missing, labels, "missingness", lambda done: step(0.6 + 0.3 * done))
        order = [id_predictor(self.sample, name, labels) for name in self.found.ids if name not in features]
        self.found.order = self._judged(
            [*order, order_predictor(labels)], labels, "order", lambda done: step(0.9 + 0.07 * done)
        )
        time = self.sample.roles.time
        if time is None:
            self.found.reasons["time"] = "No column has the role of the time."
            return
        alone = self._judged(
            [id_predictor(self.sample, time, labels)], labels, "time", lambda done: step(0.97 + 0.03 * done)
        )
        self.found.time = alone[0] if alone else None
        self.found.reasons |= {} if alone else {"time": f"The time column {time!r} does not vary, or has no order."}

    def _judged(
        self,
        predictors: list[Predictor | None],
        labels: Labels,
        family: str,
        progress: Callable[[float], None],
    ) -> list[Strength]:
        usable = [predictor for predictor in predictors if predictor is not None]
        rng = np.random.default_rng([self.run.seed, 37, 1 + _FAMILIES.index(family)])
        found = strengths(usable, labels, rng=rng, progress=progress)
        for name in {one.name for one in usable} - {one.name for one in found}:
            self.found.reasons[f"{family} {name}"] = "Not enough data: no class is in both halves of the rows."
        return found

    def _model(self) -> None:
        step = self._step(0.86, 0.1, "asking the model about rows one by one")

        def alone() -> None:
            if self.data.model is None:
                raise NotMeasured("No model file was given.")
            self.found.alone = one_row_alone(
                self.data.model, self.sample, rows=self.parameters.single_rows, seed=self.run.seed, progress=step
            )

        def quality() -> None:
            self.found.quality = prediction_quality(self.data, np.random.default_rng([self.run.seed, 41]))

        def split() -> None:
            exact = next((one for one in self.found.shared if one.match == EXACT), None)
            if exact is None:
                raise NotMeasured(self.found.reasons["train"])
            self.found.split = split_quality(self.data, exact.mask)

        self._tried("alone", alone)
        self._tried("quality", quality)
        self._tried("split", split)
