"""Reads about acceptance criteria: what is in force, and what a result was judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from modelops.domain.content import MovedBar
from modelops.domain.criteria import BarChange, Criteria, CriteriaSet, bar_changes
from modelops.domain.digest import Digest
from modelops.store.tables import CriteriaDraftRow, CriteriaRow, DatasetRow, RunRow, RunState, VersionRow
from modelops.store.transaction import Reader


@dataclass(frozen=True)
class Frozen:
    """Frozen criteria, with who froze them when and why."""

    row: CriteriaRow
    body: Criteria

    @property
    def number(self) -> int:
        """Which of the version's sets it is: the first is 1."""
        return self.row.number


@dataclass(frozen=True)
class Draft:
    """The criteria of a version as they are being written; ``revision`` 0 before anybody has written any."""

    body: Criteria
    revision: int
    row: CriteriaDraftRow | None = None


@dataclass(frozen=True)
class Bar:
    """What a result was judged by, held against what is in force now.

    ``changes`` are those that matter to this result; ``known_before`` are runs on the same data that had told the
    outcome before the criteria of this run were frozen.
    """

    judged: Frozen | None
    now: Frozen | None
    changes: tuple[BarChange, ...]
    known_before: tuple[int, ...]

    def moved(self, run: RunRow) -> MovedBar | None:
        """Return what has to be said of ``run``: that the bar moved after it, or was set with the result in view."""
        if run.result is None or not (self.changes or self.known_before):
            return None
        return MovedBar(
            run=run.id,
            result=run.result,
            judged_by=self.judged.number if self.judged else None,
            changes=self.changes,
            known_before=self.known_before,
        )


def frozen_sets(reader: Reader, version_id: int) -> list[Frozen]:
    """Return everything that was frozen for a version, the oldest first."""
    query = select(CriteriaRow).where(CriteriaRow.version_id == version_id).order_by(col(CriteriaRow.number))
    return [_frozen(row) for row in reader.session.exec(query)]


def frozen_by_digest(reader: Reader, digest: Digest | None) -> Frozen | None:
    """Return the criteria with this digest, or ``None``."""
    row = reader.find(CriteriaRow, digest) if digest else None
    return _frozen(row) if row else None


def _frozen(row: CriteriaRow) -> Frozen:
    return Frozen(row, CriteriaSet.model_validate_json(row.body).body)


def draft(reader: Reader, version_id: int) -> Draft:
    """Return the draft of a version: what was frozen last, until somebody changes it."""
    row = reader.find(CriteriaDraftRow, version_id)
    if row is not None:
        return Draft(Criteria.model_validate(row.body), row.revision, row)
    earlier = frozen_sets(reader, version_id)
    return Draft(earlier[-1].body if earlier else Criteria(), 0)


def bar(reader: Reader, run: RunRow) -> Bar:
    """Return what a run was judged by, and how that differs from what is in force for its version now."""
    sets = frozen_sets(reader, run.version_id) if run.version_id else []
    return bar_among(reader, run, sets)


def bar_among(reader: Reader, run: RunRow, sets: list[Frozen]) -> Bar:
    """Return the `bar` of a run, given everything that was frozen for its version."""
    judged = next((one for one in sets if one.row.digest == run.criteria), None)
    now = sets[-1] if sets else None
    if now is None or run.result is None:
        return Bar(judged, now, (), ())
    old = judged.body.for_analysis(run.analysis) if judged else Criteria()
    changes = bar_changes(old, now.body.for_analysis(run.analysis))
    return Bar(judged, now, changes, _known_before(reader, run, sets[: judged.number] if judged else []))


def _known_before(reader: Reader, run: RunRow, sets: list[Frozen]) -> tuple[int, ...]:
    """Return the runs that had told this outcome before the criteria of ``run`` were frozen.

    The bytes count, not the names: the same table and model under another version or model tell the same.
    """
    since = _standing_since(sets, run.analysis)
    if since is None:
        return ()
    earlier = (
        select(RunRow)
        .join(DatasetRow, col(DatasetRow.id) == RunRow.data_id)
        .where(
            RunRow.analysis == run.analysis,
            DatasetRow.digest == reader.get(DatasetRow, run.data_id, what="dataset").digest,
            RunRow.id < run.id,
            RunRow.state == RunState.FINISHED,
            col(RunRow.finished_at) < since,
        )
        .order_by(col(RunRow.id))
    )
    own = _told_of(reader, run)
    found = reader.session.exec(earlier).all()
    return tuple(one.id for one in found if one.version_id == run.version_id or _is_same(_told_of(reader, one), own))


def _told_of(reader: Reader, run: RunRow) -> tuple[object, object] | None:
    """Return what a run was about: predictions in its table, else a model file; ``None`` if neither."""
    roles = run.request.get("data_roles") or {}
    if roles.get("prediction") or roles.get("scores"):
        return roles.get("prediction"), roles.get("scores")
    version = reader.find(VersionRow, run.version_id) if run.version_id else None
    return ("model", version.artifact) if version and version.artifact else None


def _is_same(one: tuple[object, object] | None, other: tuple[object, object] | None) -> bool:
    """Whether two runs on one table told of the same model; what is about no model tells of the table alone."""
    return one is None or other is None or one == other


def _standing_since(sets: list[Frozen], analysis: str) -> datetime | None:
    """Return since when the criteria for an analysis stand as they do in the last of ``sets``.

    One that was dropped is a change as well. ``None`` if there never was any.
    """
    kept = [one.body.for_analysis(analysis) for one in sets]
    if not any(body.criteria for body in kept):
        return None
    since = sets[-1].row.frozen_at
    for one, body in zip(reversed(sets[:-1]), reversed(kept[:-1]), strict=True):
        if bar_changes(body, kept[-1]):
            break
        since = one.row.frozen_at
    return since
