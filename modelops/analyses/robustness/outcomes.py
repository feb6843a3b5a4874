"""What came of each trial: refused, no number, out of range, another answer; asked in as few questions as possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.asked import Asked, Numbers, decided, differ, distance, finite_rows
from modelops.analyses.composed import BATCH_CELLS
from modelops.analyses.robustness.scenarios import Trial, kind_of
from modelops.errors import InvalidInput, WorkerFailed

if TYPE_CHECKING:
    import pandas as pd

_MESSAGE = 200


class Fate(StrEnum):
    """How a trial ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CRASHED = "crashed"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Ruler:
    """How answers are held against those for the unchanged rows.

    ``base`` are these answers, all finite. ``low`` and ``high`` are the range that answers should keep, ``None`` where
    there is none; ``step`` is from where on a number counts as another answer, ``None`` for classes.
    """

    base: Numbers
    low: float | None
    high: float | None
    step: float | None

    def flipped(self, answers: Numbers, base: Numbers) -> np.ndarray:
        """Say for each row whether the answer is another one: another class, or a number at least a step away."""
        if self.step is None:
            return np.asarray(decided(answers) != decided(base))
        return np.asarray(distance(answers, base) >= self.step)

    def outside(self, answers: Numbers) -> np.ndarray:
        """Say for each row whether its finite answer lies out of range, by more than rounding."""
        if self.low is None or self.high is None:
            return np.zeros(len(answers), dtype=bool)
        slack = 1e-6 * max(abs(self.low), abs(self.high), 1e-300)
        beyond = (answers < self.low - slack) | (answers > self.high + slack)
        return np.asarray(beyond if beyond.ndim == 1 else beyond.any(axis=1))


@dataclass(frozen=True)
class Outcome:
    """One trial and its end; counts of rows, and how far the answer moved. ``n_finite`` rows got a number at all."""

    scenario: str
    feature: str | None
    fate: Fate
    n_rows: int
    message: str = ""
    not_finite: int = 0
    outside: int = 0
    changed: int = 0
    flipped: int = 0
    n_finite: int = 0
    largest: float | None = None
    mean: float | None = None

    @property
    def affected(self) -> float | None:
        """The share of rows that do not get the answer that the unchanged rows get; ``None`` if it was not asked."""
        if self.fate is Fate.NOT_ASKED or not self.n_rows:
            return None
        return (self.flipped + self.not_finite) / self.n_rows if self.fate is Fate.ANSWERED else 1.0


class Questioner:
    """Asks the model about trials. After its process has ended, nothing is asked any more."""

    def __init__(self, subject: Asked, ruler: Ruler) -> None:
        self._subject = subject
        self._ruler = ruler
        self._ended = ""
        self._rows = max(1, BATCH_CELLS // max(1, subject.rows.shape[1]) // 4)

    def outcomes(self, trials: Iterable[Trial]) -> Iterator[Outcome]:
        """Yield the outcome of each trial, in order."""
        waiting: list[Trial] = []
        for trial in trials:
            is_full = sum(len(one.rows) for one in waiting) + len(trial.rows) > self._rows
            if trial.is_alone or is_full or (waiting and _kinds(waiting[0]) != _kinds(trial)):
                yield from self._together(waiting)
                waiting = []
            if trial.is_alone:
                yield from self._together([trial])
            else:
                waiting.append(trial)
        yield from self._together(waiting)

    def one_by_one(self, scenario: str, count: int) -> Outcome:
        """Ask about single rows; the answers must be those that the rows get among others."""
        import pandas as pd

        pieces: list[Numbers] = []
        for position in range(min(count, self._subject.n_rows)):
            row = self._subject.rows.iloc[[position]]
            found = self._asked(row, len(pieces) + 1, scenario)
            if isinstance(found, Outcome):
                return found
            pieces.append(found)
        trial = Trial(scenario, None, pd.DataFrame(index=range(len(pieces))))
        return self._measured(trial, np.concatenate(pieces), self._ruler.base[: len(pieces)])

    def _together(self, trials: Sequence[Trial]) -> list[Outcome]:
        """Ask several trials at once; if the model refuses, halve until it is known which it refuses."""
        if not trials:
            return []
        import pandas as pd

        joined = trials[0].rows if len(trials) == 1 else pd.concat([one.rows for one in trials], ignore_index=True)
        found = self._asked(joined, len(joined), trials[0].scenario)
        if isinstance(found, Outcome):
            if found.fate is Fate.REFUSED and len(trials) > 1:
                middle = len(trials) // 2
                return self._together(trials[:middle]) + self._together(trials[middle:])
            return [
                Outcome(one.scenario, one.feature, found.fate, len(one.rows), message=found.message) for one in trials
            ]
        parts = np.split(found, np.cumsum([len(one.rows) for one in trials])[:-1])
        return [self._measured(one, part, self._ruler.base) for one, part in zip(trials, parts, strict=True)]

    def _asked(self, rows: pd.DataFrame, n_rows: int, scenario: str) -> Numbers | Outcome:
        if self._ended:
            return Outcome(scenario, None, Fate.NOT_ASKED, n_rows, message=self._ended)
        try:
            return np.asarray(self._subject.model.answers(rows), dtype=np.float64)
        except InvalidInput as reason:
            return Outcome(scenario, None, Fate.REFUSED, n_rows, message=str(reason)[:_MESSAGE])
        except WorkerFailed as reason:
            self._ended = f"The model's process had ended before, with {scenario}."
            return Outcome(scenario, None, Fate.CRASHED, n_rows, message=str(reason)[:_MESSAGE])

    def _measured(self, trial: Trial, answers: Numbers, base: Numbers) -> Outcome:
        usable = finite_rows(answers)
        found, before = answers[usable], base[usable]
        moved = distance(found, before)
        return Outcome(
            scenario=trial.scenario,
            feature=trial.feature,
            fate=Fate.ANSWERED,
            n_rows=len(answers),
            not_finite=int(np.count_nonzero(~usable)),
            outside=int(np.count_nonzero(self._ruler.outside(found))),
            changed=int(np.count_nonzero(differ(before, found))),
            flipped=int(np.count_nonzero(self._ruler.flipped(found, before))),
            n_finite=len(found),
            largest=float(moved.max()) if len(moved) else None,
            mean=float(moved.mean()) if len(moved) else None,
        )


def _kinds(trial: Trial) -> tuple[str, ...]:
    """Return what kind each column is: joined to another kind, truths would become text."""
    return tuple(kind_of(trial.rows[name]) for name in trial.rows.columns)
