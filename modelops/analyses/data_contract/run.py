"""One run: the contract that is given or learned, held against the table check by check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Computed, EvaluationData, Run, Sample
from modelops.analyses.data_contract import DataContractParameters
from modelops.analyses.data_contract.alarms import Rehearsal, good_rows, rehearse
from modelops.analyses.data_contract.checking import held
from modelops.analyses.data_contract.display import Line, curves, definitions, lines_table, summary
from modelops.analyses.data_contract.learning import Learner, without_doubles
from modelops.analyses.data_contract.measurements import check_measurements, missing_kinds, whole_measurements
from modelops.analyses.data_contract.relations import comparisons, presences
from modelops.analyses.data_contract.settling import settled
from modelops.analyses.data_contract.values import Values, values_of
from modelops.analyses.measuring import Findings
from modelops.domain.contract import Check, Contract, columns_of, load_contract
from modelops.errors import NotMeasured

_LEARNING, _LEARNING_AGAIN, _REHEARSING = (0.0, 0.25), (0.25, 0.4), (0.4, 0.6)
_BATCHES = 10
_SMALLEST_BATCH = 5


@dataclass
class Holding:
    """Holds a contract against the data."""

    data: EvaluationData
    parameters: DataContractParameters
    run: Run

    def __post_init__(self) -> None:
        self.findings = Findings()

    def computed(self) -> Computed:
        """Learn or read the contract, hold it, and return what was found."""
        is_given = bool(self.parameters.contract)
        if not is_given and self.data.reference is None:
            raise NotMeasured(
                "Neither a contract nor a reference table is given: there is nothing to hold the data against."
            )
        contract = load_contract(self.parameters.contract) if is_given else self._learned()
        rehearsal = self._rehearsal(contract)
        checks = [_with_alarms(check, rehearsal) for check in contract.checks]
        lines = self._held(checks)
        self.findings.measurements += whole_measurements(lines, rehearsal, is_given=is_given)
        for line in lines:
            self.findings.measurements += check_measurements(line, rehearsed=self.data.reference is not None)
        self.findings.measurements += missing_kinds(lines)
        self.findings.curves += curves(lines)
        self.findings.tables += [lines_table(lines), definitions(checks, contract, is_given=is_given)]
        self._notes(contract, is_given=is_given)
        self.run.progress(1.0, "done")
        return self.findings.computed(summary(contract, lines, is_given=is_given), dropped={})

    @cached_property
    def _reference(self) -> dict[str, Values]:
        """The rows of the reference that are used: in the order of time, or at random."""
        reference, limit, seed = self.data.reference, self.parameters.rows, self.run.seed
        if reference is None:
            raise NotMeasured("There is no reference table.")
        if limit < reference.n_rows:
            self.findings.notes.append(
                f"{limit:,} of {reference.n_rows:,} reference rows were used, drawn at random (seed {seed});"
                f" about {2 / limit:.2g} of the rows lie beyond the smallest and largest value of the rest."
            )
        names = dict.fromkeys([*reference.roles.named, *self._contract_columns])
        return good_rows(reference, names, limit=limit, seed=seed)

    @cached_property
    def _contract_columns(self) -> tuple[str, ...]:
        return load_contract(self.parameters.contract).columns if self.parameters.contract else ()

    @cached_property
    def _parts(self) -> tuple[dict[str, Values], dict[str, Values]]:
        """For the rehearsal: rows to learn from, and those that are held out: the later ones where there is time."""
        rows = np.arange(_rows_of(self._reference))
        cut = rows.size - int(rows.size * self.parameters.held_out_share)
        return _taken(self._reference, rows[:cut]), _taken(self._reference, rows[cut:])

    def _learned(self) -> Contract:
        """Learn from all reference rows that are used, so that every row of the reference keeps what comes of it."""
        reference = self.data.reference
        if reference is None or not reference.n_rows:
            raise NotMeasured("The reference table has no rows to learn checks from.")
        if not reference.roles.named:
            raise NotMeasured("No column of the reference has a role: choose which columns the contract is about.")
        self.run.progress(0.0, "reading the reference")
        is_whole = _rows_of(self._reference) == reference.n_rows
        checks = []
        for check in self._learned_from(self._reference, reference, _LEARNING):
            names = columns_of(check.rule)
            columns = {name: self._reference[name] if is_whole else values_of(reference, name) for name in names}
            checks.append(settled(check, columns, reference.n_rows))
        kept = without_doubles(check for check in checks if check is not None)
        if not kept:
            raise NotMeasured(
                f"The {_rows_of(self._reference)} reference rows to learn from hold too few values: no check came of"
                " them."
            )
        return Contract(name="Learned from the reference", checks=kept)

    def _learned_from(self, table: dict[str, Values], reference: Sample, progress: tuple[float, float]) -> list[Check]:
        given = self.parameters
        learner = Learner(reference.roles, given.range_tolerance, given.most_levels, self._batch_rows)
        checks: list[Check] = []
        for done, column in enumerate(table.values(), start=1):
            checks += learner.column_checks(column)
            self.run.progress(_between(progress, done / len(table)), f"learned from {done} of {len(table)} columns")
        checks += comparisons(table, reference.roles, most=given.comparisons)
        checks += presences(table)
        return checks

    @property
    def _good(self) -> dict[str, Values]:
        """Rows for the rehearsal: those that are kept back from it, or all where the contract is given."""
        return self._reference if self.parameters.contract else self._parts[1]

    @cached_property
    def _batch_rows(self) -> int:
        """The rows of a batch: as asked for, or fewer where the held-out rows do not fill ten of them."""
        return max(1, min(self.parameters.batch_rows, _rows_of(self._good) // _BATCHES))

    def _rehearsal(self, contract: Contract) -> Rehearsal:
        reference = self.data.reference
        if reference is None or not reference.n_rows or self._batch_rows < _SMALLEST_BATCH:
            return Rehearsal({}, None)
        checks = contract.checks
        if not self.parameters.contract:
            checks = without_doubles(self._learned_from(self._parts[0], reference, _LEARNING_AGAIN))

        def progress(done: float) -> None:
            self.run.progress(_between(_REHEARSING, done), "counting false alarms on held-out rows")

        return rehearse(checks, self._good, batch_rows=self._batch_rows, progress=progress)

    def _held(self, checks: Sequence[Check]) -> list[Line]:
        """Hold every check against the data; a column is read for the first that asks, forgotten after the last."""
        sample = self.data.data
        last = {name: place for place, check in enumerate(checks) for name in columns_of(check.rule)}
        table: dict[str, Values | None] = {}
        lines = []
        for place, check in enumerate(checks):
            for name in columns_of(check.rule):
                if name not in table:
                    table[name] = values_of(sample, name)
            lines.append(Line.of(check, held(check.rule, table, sample.n_rows)))
            for name in columns_of(check.rule):
                if last[name] == place:
                    del table[name]
            at = _between((_REHEARSING[1], 0.99), (place + 1) / len(checks))
            self.run.progress(at, f"held {place + 1} of {len(checks)} checks")
        return lines

    def _notes(self, contract: Contract, *, is_given: bool) -> None:
        if is_given:
            version = f"version {contract.version}" if contract.version else "a draft"
            self.findings.notes.append(f"The contract {contract.name!r}, {version}, has the digest {contract.digest}.")
            if self.data.reference is not None:
                self.findings.notes.append(
                    "Rates of false alarms that the contract does not record were counted on the whole reference table:"
                    " a check that was made after looking at these rows alarms more often elsewhere."
                )
            return
        order = "the later ones in time" if self.data.reference and self.data.reference.roles.time else "at random"
        learned, held_out = map(_rows_of, self._parts)
        self.findings.notes.append(
            f"Checks were learned from {learned + held_out:,} reference rows; the whole reference keeps them."
            f" False alarms were counted with what {learned:,} of these rows alone teach, on the {held_out:,} others"
            f" ({order}), in batches of {self._batch_rows:,}."
        )


def _between(ends: tuple[float, float], done: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * done


def _taken(table: dict[str, Values], rows: NDArray[np.intp]) -> dict[str, Values]:
    return {name: column.take(rows) for name, column in table.items()}


def _rows_of(table: dict[str, Values]) -> int:
    return max((column.missing.size for column in table.values()), default=0)


def _with_alarms(check: Check, rehearsal: Rehearsal) -> Check:
    """Return a check with its rate of false alarms: the recorded one, or the one that was counted here."""
    if check.false_alarms is not None:
        return check
    return check.model_copy(update={"false_alarms": rehearsal.by_check.get(check.id)})
