"""Run again: the request behind a stored result, and whether a second result says the same."""

from __future__ import annotations

import math
from enum import StrEnum

from pydantic import Field

from modelops.analyses.registry import ANALYSES
from modelops.domain.canonical import canonical_bytes
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.record import Record
from modelops.domain.result import AnalysisResult, InputRecord, Measurement, Scope
from modelops.evaluation.request import MODEL_PARTS, EvaluationRequest
from modelops.evaluation.role_text import roles_from_text

RELATIVE_TOLERANCE = 1e-9
ABSOLUTE_TOLERANCE = 1e-12
"""Sums in another order differ by less than this; another library version that computes differently by more."""

COST_FACTOR = 2.0
"""Times and memory depend on the machine and its load; only a change by more than this factor is one."""


class Reproduction(StrEnum):
    """What running again has shown."""

    REPRODUCED = "reproduced"
    DRIFTED = "drifted"
    CANNOT = "cannot be compared"


class Difference(Record):
    """One number that is not the same: which, what it was and is, and by how much.

    ``part`` is ``"value"``, ``"interval low"``, ``"interval high"``, ``"sample size"`` or ``"presence"`` (a measurement
    that only one of the two has); ``change`` is new minus old where both are numbers.
    """

    metric: str
    scope: Scope = Field(default_factory=dict)
    part: str
    old: float | None
    new: float | None
    change: float | None = None


class Comparison(Record):
    """Two results of the same request, held against each other.

    ``environment`` lists libraries whose version changed, as ``name: old -> new``.
    """

    outcome: Reproduction
    because: str
    differences: tuple[Difference, ...] = ()
    compared: int = Field(default=0, ge=0)
    environment: tuple[str, ...] = ()


def request_of(result: AnalysisResult) -> EvaluationRequest:
    """Rebuild the request that leads to ``result``; running it on the same files must give the same numbers.

    Raises
    ------
    InvalidInput
        If the result names a role that does not exist.
    """
    tables = {part: record for part, record in result.inputs.items() if part not in MODEL_PARTS}
    roles = {part: roles_from_text(record.roles) for part, record in tables.items()}
    return EvaluationRequest(
        analysis=result.analysis,
        parameters=dict(result.parameters),
        seed=result.seed,
        task=Task(result.task),
        positive=result.positive,
        data_roles=roles.get("data", ColumnRoles()),
        reference_roles=roles.get("reference"),
        train_roles=roles.get("train"),
        classes={part: record.classes for part, record in result.inputs.items() if record.classes},
    )


def compare(old: AnalysisResult, new: AnalysisResult) -> Comparison:
    """Say whether ``new`` reproduces ``old``: every measurement, its interval and its sample size.

    Numbers are equal within a relative difference of 1e-9. Of times and memory (`Analysis.costs`), which no run gives
    twice, only the value is compared, and within a factor of 2; the outcome says so. Results on other inputs,
    parameters or seeds cannot be compared; that says nothing about the model.
    """
    reason = _incomparable(old, new)
    if reason:
        return Comparison(outcome=Reproduction.CANNOT, because=reason)
    before, after = _by_key(old), _by_key(new)
    keys = {**before, **after}
    costs = next((one.costs for one in ANALYSES if one.key == old.analysis), frozenset())
    found = [
        difference
        for key in keys
        for difference in _differences(before.get(key), after.get(key), is_cost=key[0] in costs)
    ]
    versions = _changed_versions(old, new)
    loose = sum(key[0] in costs for key in keys)
    held = f" Times and memory ({loose}) are held to a factor of {COST_FACTOR:g} only." if loose else ""
    if not found:
        return Comparison(
            outcome=Reproduction.REPRODUCED,
            because=f"All {len(before)} measurements are the same.{held}",
            compared=len(before),
            environment=versions,
        )
    metrics = {(one.metric, _scope_key(one.scope)) for one in found}
    versions_text = f" Changed since: {', '.join(versions)}." if versions else " The library versions are the same."
    return Comparison(
        outcome=Reproduction.DRIFTED,
        because=f"{len(metrics)} of {len(keys)} measurements differ.{held}{versions_text}",
        differences=tuple(found),
        compared=len(keys),
        environment=versions,
    )


def _incomparable(old: AnalysisResult, new: AnalysisResult) -> str | None:
    if old.analysis != new.analysis:
        return f"The old result is of {old.analysis!r}, the new one of {new.analysis!r}."
    for part in sorted(set(old.inputs) | set(new.inputs)):
        reason = _other_input(part, old.inputs.get(part), new.inputs.get(part))
        if reason:
            return reason
    names = sorted({**old.parameters, **new.parameters})
    changed = [name for name in names if _parameter(old, name) != _parameter(new, name)]
    if changed:
        return f"Other parameters: {', '.join(changed)}."
    if (old.seed, old.task, old.positive) != (new.seed, new.task, new.positive):
        return "Seed, task or positive class are not the same."
    return None


def _other_input(part: str, old: InputRecord | None, new: InputRecord | None) -> str | None:
    if old is None or new is None:
        return f"Only one of the two results has the input {part!r}."
    if old.digest != new.digest:
        return f"The input {part!r} is another file: {old.digest.short} then, {new.digest.short} now."
    return f"The columns of {part!r} have other roles now." if old.roles != new.roles else None


def _parameter(result: AnalysisResult, name: str) -> str:
    # Canonical: a stored result holds 0 where the fresh one has 0.0.
    return canonical_bytes(result.parameters[name]).decode() if name in result.parameters else ""


def _by_key(result: AnalysisResult) -> dict[tuple[str, str, int], Measurement]:
    """Index measurements by metric and scope; the third part counts those that share both."""
    found: dict[tuple[str, str, int], Measurement] = {}
    for one in result.measurements:
        position = 0
        while (key := (one.metric, _scope_key(one.scope), position)) in found:
            position += 1
        found[key] = one
    return found


def _scope_key(scope: Scope) -> str:
    return canonical_bytes(scope).decode()


def _differences(old: Measurement | None, new: Measurement | None, *, is_cost: bool) -> list[Difference]:
    one = old or new
    if one is None:
        return []
    if old is None or new is None:
        was, now = (old.value if old else None), (new.value if new else None)
        return [Difference(metric=one.metric, scope=one.scope, part="presence", old=was, new=now)]
    pairs: dict[str, tuple[float | None, float | None]] = {"value": (old.value, new.value)}
    if not is_cost:  # whose sample size is how many calls fitted into the time
        pairs["interval low"] = _end(old, 0), _end(new, 0)
        pairs["interval high"] = _end(old, 1), _end(new, 1)
        pairs["sample size"] = float(old.sample_size), float(new.sample_size)
    return [
        Difference(metric=one.metric, scope=one.scope, part=part, old=was, new=now, change=_change(was, now))
        for part, (was, now) in pairs.items()
        if not (_about_same if is_cost else _same)(was, now)
    ]


def _end(one: Measurement, position: int) -> float | None:
    return one.interval[position] if one.interval else None


def _same(was: float | None, now: float | None) -> bool:
    if was is None or now is None:
        return was is now
    return math.isclose(was, now, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)


def _about_same(was: float | None, now: float | None) -> bool:
    if was is None or now is None:
        return was is now
    return was == now or (min(was, now) > 0 and max(was, now) <= COST_FACTOR * min(was, now))


def _change(was: float | None, now: float | None) -> float | None:
    return None if was is None or now is None else now - was


def _changed_versions(old: AnalysisResult, new: AnalysisResult) -> tuple[str, ...]:
    names = sorted(set(old.environment) | set(new.environment))
    changed = [(name, old.environment.get(name, "absent"), new.environment.get(name, "absent")) for name in names]
    return tuple(f"{name}: {was} -> {now}" for name, was, now in changed if was != now)
