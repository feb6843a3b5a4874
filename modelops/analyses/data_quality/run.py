"""One run: reads the columns one after the other, looks at whole rows, labels and times, collects what was found."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.base import Computed, EvaluationData, Run
from modelops.analyses.composed import content_keys
from modelops.analyses.cores.row_hashes import Hashes, in_place, repeats, value_hashes
from modelops.analyses.data_quality import display, measurements
from modelops.analyses.data_quality.columns import ColumnQuality, Looking, look_at
from modelops.analyses.data_quality.freshness import Freshness, freshness, instant, seconds
from modelops.analyses.data_quality.pairs import MOST_COLUMNS, Pairs, pairs
from modelops.analyses.data_quality.rows import Twins, class_twins, number_twins
from modelops.analyses.leakage.duplicates import row_keys
from modelops.analyses.leakage.surrogate import surrogate, surrogate_rows
from modelops.analyses.levels import Coded, coded
from modelops.analyses.measuring import Findings
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.data_quality import DataQualityParameters

_WORKERS = 2
_COMPOSED_ROWS = 2_000


@dataclass
class _Sums:
    """Hashes of the rows over all columns, over features and target, over features; added up column by column."""

    whole: Hashes
    content: Hashes
    features: Hashes
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Quality:
    """Everything that was found; ``repeats`` counts repeated rows of all columns, and of features and target.

    ``alike`` is how many of how many rows composed of the same values are like a row of the table, where there are
    contradicting rows to hold against that.
    """

    rows: int
    columns: tuple[ColumnQuality, ...]
    roles: dict[str, str]
    repeats: tuple[int, int | None]
    keys: dict[str, tuple[int, int]]
    twins: Twins | None
    alike: tuple[int, int] | None
    classes: Coded | None
    labelled: int | None
    pairs: Pairs | None
    freshness: Freshness | None
    not_fresh: str
    no_twins: str


class Examining:
    """One examination of a table."""

    def __init__(self, data: EvaluationData, parameters: DataQualityParameters, run: Run) -> None:
        self.data, self.parameters, self.run = data, parameters, run
        self.sample = data.data
        self.roles = data.data.roles
        outputs = {self.roles.prediction, *self.roles.scores}
        self.names = tuple(name for name in self.sample.source.names if name not in outputs)
        self.findings = Findings()

    def computed(self) -> Computed:
        """Examine everything and return what was found."""
        if not self.names:
            raise NotMeasured("Beside predictions and scores the table has no columns: there is nothing to examine.")
        if not self.sample.n_rows:
            raise NotMeasured("The table has no rows: there is nothing to examine.")
        looking = self._looking()
        as_of = instant(self.parameters.as_of)
        zeros = np.zeros(self.sample.n_rows, dtype=np.uint64)
        self._sums = _Sums(zeros, zeros.copy(), zeros.copy())
        columns = self._columns(looking)
        self.run.progress(0.75, "looking at whole rows")
        twins, classes, labelled, no_twins = self._labels()
        fresh, not_fresh = self._freshness(as_of)
        described = bool(self.roles.features)
        found = Quality(
            rows=self.sample.n_rows,
            columns=columns,
            roles={name: self._role(name) for name in self.names},
            repeats=(repeats(self._sums.whole), repeats(self._sums.content) if described else None),
            keys=self._keys(columns),
            twins=twins,
            alike=self._alike() if twins is not None and twins.conflicting else None,
            classes=classes,
            labelled=labelled,
            pairs=self._pairs(columns),
            freshness=fresh,
            not_fresh=not_fresh,
            no_twins=no_twins,
        )
        self.run.progress(0.95, "writing down what was found")
        self.findings.measurements += measurements.all_measurements(found, self.data.task)
        self.findings.curves += display.curves(found)
        self.findings.tables += display.tables(found)
        self.findings.notes += display.notes(found)
        return self.findings.computed(display.summary(found), dropped={})

    def _looking(self) -> Looking:
        return Looking(
            factor=self.parameters.fence,
            rare_rows=self.parameters.rare_rows,
            ranges=_ranges(self.parameters.ranges, self.names),
            also_missing=frozenset(text.strip().lower() for text in self.parameters.missing_values),
            answers=frozenset(text.strip().lower() for text in self.parameters.answers),
        )

    def _role(self, name: str) -> str:
        return ", ".join(role.value for role in self.roles.of(name)) or "none"

    def _columns(self, looking: Looking) -> tuple[ColumnQuality, ...]:
        """Look at all columns; at any time `_WORKERS` of them are in memory."""
        with ThreadPoolExecutor(_WORKERS) as workers:
            futures = [workers.submit(self._one, place, looking) for place in range(len(self.names))]
            try:
                for done, future in enumerate(as_completed(futures), start=1):
                    future.result()
                    self.run.progress(0.75 * done / len(futures), f"looked at {done} of {len(futures)} columns")
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise
            return tuple(future.result() for future in futures)

    def _one(self, place: int, looking: Looking) -> ColumnQuality:
        name = self.names[place]
        column = self.sample.source.column(name)
        part = in_place(value_hashes(column), place)
        is_feature = name in self.roles.features
        with self._sums.lock:
            self._sums.whole += part
            if is_feature:
                self._sums.features += part
            if is_feature or name == self.roles.target:
                self._sums.content += part
        return look_at(name, column, looking)

    def _labels(self) -> tuple[Twins | None, Coded | None, int | None, str]:
        target = self.roles.target
        if target is None:
            return None, None, None, "There is no target column."
        if self.data.task is Task.CLASSIFICATION:
            labels = coded(self.sample, target)
            known = labels.codes >= 0
            twins = class_twins(self._sums.features[known], labels.codes[known])
        else:
            try:
                numbers = self.sample.numbers(target)
            except NotMeasured as error:
                return None, None, None, str(error)
            labels, known = None, np.isfinite(numbers)
            twins = number_twins(self._sums.features[known], numbers[known])
        labelled = int(np.count_nonzero(known))
        if not self.roles.features:
            return None, labels, labelled, "No column has the role of a feature."
        return (twins if labelled else None), labels, labelled, "No row has a label."

    def _alike(self) -> tuple[int, int]:
        """Count the rows composed of the values of drawn ones that are like a row in every feature."""
        names = self.roles.features
        keys = content_keys([self._sums.whole], self.sample.n_rows, seed=self.run.seed)
        limit = surrogate_rows(_COMPOSED_ROWS, len(names) + 1)
        positions = np.asarray(np.argsort(keys, kind="stable")[:limit])
        composed = surrogate(self.sample, names, None, positions, seed=self.run.seed)
        own = row_keys(self.sample, names, None, digits=None)
        chance = row_keys(self.sample, names, None, digits=None, rows=positions, composed=composed)
        return int(np.count_nonzero(np.isin(chance.features, own.features))), len(positions)

    def _freshness(self, as_of: float | None) -> tuple[Freshness | None, str]:
        time = self.roles.time
        if time is None:
            return None, "No column has the role of the time."
        try:
            return freshness(seconds(self.sample.source.column(time), time), as_of=as_of), ""
        except NotMeasured as error:
            return None, str(error)

    def _keys(self, columns: tuple[ColumnQuality, ...]) -> dict[str, tuple[int, int]]:
        """Return rows with a key and rows whose key stood before, for each id column."""
        by_name = {column.name: column for column in columns}
        ids = [by_name[name] for name in self.roles.ids if name in by_name]
        return {column.name: (column.present, column.present - column.distinct) for column in ids}

    def _pairs(self, columns: tuple[ColumnQuality, ...]) -> Pairs | None:
        wanted = {*self.roles.features, *self.roles.sensitive, self.roles.target}
        usable = [
            column.name
            for column in columns
            if column.name in wanted and not (column.is_constant or column.is_id_like) and column.kind != "other"
        ]
        if len(usable) < 2 or not self.parameters.rows:
            return None
        if len(usable) > MOST_COLUMNS:
            self.findings.notes.append(f"The first {MOST_COLUMNS} of {len(usable)} columns were paired.")
        limit = self.parameters.rows
        positions = np.arange(self.sample.n_rows)
        if self.sample.n_rows > limit:
            keys = content_keys([self._sums.whole], self.sample.n_rows, seed=self.run.seed)
            positions = np.argsort(keys, kind="stable")[:limit]
            self.findings.notes.append(
                f"How columns go together was measured on {limit:,} of {self.sample.n_rows:,} rows, drawn at random"
                f" (seed {self.run.seed}); the intervals hold the error that this adds. All else uses every row."
            )
        self.run.progress(0.85, "pairing columns")
        return pairs(self.sample, usable[:MOST_COLUMNS], positions, at_least=self.parameters.pair_strength)


def _ranges(given: tuple[str, ...], names: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Read ``column=low..high``.

    Raises
    ------
    InvalidInput
        If one cannot be read, or names no column.
    """
    found = {}
    for text in given:
        name, _, limits = text.rpartition("=")
        low, dots, high = limits.partition("..")
        if not (name and dots):
            raise InvalidInput(f"Got the range {text!r}, expected column=low..high such as age=18..100.")
        if name not in names:
            raise InvalidInput(f"The range {text!r} is for a column that the table does not have.")
        try:
            ends = float(low or "-inf"), float(high or "inf")
        except ValueError as error:
            raise InvalidInput(f"The ends of the range {text!r} are not numbers.") from error
        if not ends[0] <= ends[1]:
            raise InvalidInput(f"The range {text!r} ends before it begins.")
        found[name] = ends
    return found
