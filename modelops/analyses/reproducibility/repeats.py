"""Asking the same again: how many answers are the same, and the digest of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from modelops.analyses.asked import Asked, Numbers, differ, distance
from modelops.analyses.base import Model
from modelops.analyses.measuring import measured
from modelops.domain.result import Measurement
from modelops.errors import InvalidInput, NotMeasured, WorkerFailed

_REASON = 250


@dataclass(frozen=True)
class Repeat:
    """The same rows, asked or trained in another way; ``answers`` is ``None`` for the reason ``why``.

    ``base`` is what the answers should repeat.
    """

    name: str
    base: Numbers
    answers: Numbers | None
    why: str = ""

    @property
    def digest(self) -> str:
        """The digest of the answers."""
        return digest(self.answers) if self.answers is not None else ""

    @property
    def is_same(self) -> bool:
        """Whether every answer is the same up to rounding."""
        return self.answers is not None and not differ(self.base, self.answers).any()


def digest(answers: Numbers) -> str:
    """Return the SHA-256 of answers: their 64-bit numbers, little-endian, row by row in the order asked.

    Examples
    --------
    >>> digest(np.array([0.5, 1.0])) == digest(np.array([0.5, 1.0]))
    True
    """
    return "sha256:" + hashlib.sha256(np.ascontiguousarray(answers, dtype="<f8").tobytes()).hexdigest()


def repeats(
    subject: Asked, base: Numbers, again: Model | None, *, alone: int, rng: np.random.Generator
) -> Iterator[Repeat]:
    """Yield the answers to the same rows: once more, by another process, in another order, and one row at a time."""
    rows, model = subject.rows, subject.model
    yield attempted("same process", base, lambda: model.answers(rows))
    if again is None:
        yield Repeat("another process", base, None, "The model was not opened a second time.")
    else:
        yield attempted("another process", base, lambda: again.answers(rows))
    order = rng.permutation(len(rows))

    def reordered() -> Numbers:
        found = np.empty_like(base)
        found[order] = model.answers(rows.iloc[order].reset_index(drop=True))
        return found

    yield attempted("other order", base, reordered)
    chosen = rows.iloc[:alone]
    yield attempted(
        "row by row",
        base[: len(chosen)],
        lambda: np.concatenate([model.answers(chosen.iloc[[row]]) for row in range(len(chosen))]),
    )


def attempted(name: str, base: Numbers, ask: Callable[[], Numbers | None], *, otherwise: str = "") -> Repeat:
    """Return what ``ask`` answers, or why it does not: its refusal, or ``otherwise`` where it gives ``None``."""
    try:
        found = ask()
    except (InvalidInput, NotMeasured, WorkerFailed) as reason:
        return Repeat(name, base, None, str(reason)[:_REASON])
    if found is None:
        return Repeat(name, base, None, otherwise)
    return Repeat(name, base, np.asarray(found, dtype=np.float64))


def repeat_measurements(one: Repeat, *, unit: str) -> list[Measurement]:
    """Return how far a repeat is the same."""
    scope, size = {"repeat": one.name}, len(one.base)
    if one.answers is None:
        names = ("changed_rate", "identical_rate", "largest_difference")
        return [measured(name, None, size=0, scope=scope, otherwise=one.why) for name in names]
    apart = distance(one.base, one.answers)
    return [
        measured("changed_rate", float(differ(one.base, one.answers).mean()), size=size, scope=scope),
        measured("identical_rate", float(_identical(one.base, one.answers).mean()), size=size, scope=scope),
        measured(
            "largest_difference",
            float(np.nanmax(apart)) if np.isfinite(apart).any() else None,
            size=size,
            scope=scope,
            unit=unit,
            otherwise="No answer is a number.",
        ),
    ]


def _identical(first: Numbers, second: Numbers) -> np.ndarray:
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    return np.asarray(same if same.ndim == 1 else same.all(axis=1))
