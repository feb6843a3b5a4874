"""Reading cases: a verdict and a note on each, by two people who do not see each other's; and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modelops.analyses.misclassified.readings import (
    Adjusted,
    Queue,
    adjusted_accuracy,
    readers_agreement,
)
from modelops.analyses.statistics.agreement import Kappa
from modelops.domain.case_reading import CaseVerdict, Reading, settled_readings
from modelops.domain.columns import Task
from modelops.domain.digest import Digest
from modelops.domain.names import clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.result import AnalysisResult, ResultTable
from modelops.errors import Conflict, InvalidInput, NotAllowed, NotFound
from modelops.services import runs
from modelops.services.refusals import audits_refusals
from modelops.store import Store
from modelops.store.queries_cases import as_reading, readings_of, settlements_of
from modelops.store.tables import (
    CaseReadingRow,
    CaseSettlementRow,
    RunRow,
)

MOST_READERS = 2
QUEUE = "queue"
BLIND = "case:blind"


@dataclass(frozen=True)
class CaseReview:
    """What was read of one run: the queue, verdicts, how far readers agree, what it does to the accuracy.

    ``touched`` are the cases that anybody has read. Everything else rests on the verdicts that whoever looks may see:
    ``mine``, their own, and those of cases that are ``revealed``, because two people have read them. ``open_rows`` is
    what that person may still read.
    """

    queue: Queue
    touched: frozenset[int]
    readings: tuple[Reading, ...]
    settlements: dict[int, Reading]
    stands: dict[int, Reading]
    kappa: Kappa
    adjusted: tuple[Adjusted, ...]
    mine: dict[int, Reading]
    open_rows: tuple[int, ...]
    revealed: dict[int, tuple[Reading, Reading]]

    @property
    def read(self) -> int:
        """How many cases at least one person has read."""
        return len(self.touched)

    @property
    def read_twice(self) -> int:
        """How many cases two people have read."""
        return len(self.revealed)

    @property
    def differing(self) -> tuple[int, ...]:
        """The cases on which two readers differ and which nobody has settled."""
        return tuple(row for row in self.queue.rows if row in self.revealed and row not in self.stands)

    @property
    def counts(self) -> dict[CaseVerdict, int]:
        """How many cases stand with which verdict."""
        given = [one.verdict for one in self.stands.values()]
        return {verdict: given.count(verdict) for verdict in CaseVerdict}


def case_review(store: Store, run_id: int, *, actor: Actor) -> CaseReview:
    """Return what was read of a run, as ``actor`` may see it: never a verdict that could sway their own.

    Raises
    ------
    NotAllowed, NotFound, Conflict
        Without the right; without such a run; if it has no queue of cases.
    """
    actor.require(Right.READ)
    with store.reading() as reader:
        run = reader.get(RunRow, run_id, what="analysis run")
        readings = tuple(as_reading(row) for row in readings_of(reader, run_id))
        settlements = {row.case_row: as_reading(row) for row in settlements_of(reader, run_id)}
    result = result_of(store, run)
    return reviewed(
        queue_of(result), readings, settlements, actor.user_id, is_classes=result.task == Task.CLASSIFICATION
    )


def reviewed(
    queue: Queue,
    readings: tuple[Reading, ...],
    settlements: dict[int, Reading],
    person: int | None,
    *,
    is_classes: bool,
) -> CaseReview:
    """Return what some readings of a queue come to, as ``person`` may see it; all of them for ``None``.

    A count, too, tells a second reader what the first one said.
    """
    by_row: dict[int, list[Reading]] = {}
    for one in readings:
        by_row.setdefault(one.row, []).append(one)
    shown = tuple(one for one in readings if person in (None, one.reader_id) or len(by_row[one.row]) == MOST_READERS)
    stands = settled_readings(shown, settlements)
    return CaseReview(
        queue=queue,
        touched=frozenset(by_row),
        readings=shown,
        settlements=settlements,
        stands=stands,
        kappa=readers_agreement(readings),
        adjusted=adjusted_accuracy(queue, stands) if is_classes else (),
        mine={one.row: one for one in readings if one.reader_id == person},
        open_rows=tuple(
            row
            for row in queue.rows
            if len(given := by_row.get(row, [])) < MOST_READERS and all(one.reader_id != person for one in given)
        ),
        revealed={row: (given[0], given[1]) for row, given in by_row.items() if len(given) == MOST_READERS},
    )


def queue_of(result: AnalysisResult) -> Queue:
    """Return the queue of a result.

    Raises
    ------
    NotFound
        If it has none.
    """
    table = next((one for one in result.tables if one.name == QUEUE), None)
    if result.analysis != "misclassified" or table is None:
        raise NotFound("This run has no queue of cases to read.")
    rows = tuple(int(row[0]) for row in table.rows if isinstance(row[0], int))
    accuracy, wrong = result.find("accuracy"), result.find("misclassified_count")
    judged = accuracy.sample_size if accuracy else 0
    return Queue(
        judged=judged,
        wrong=int(wrong.value) if wrong and wrong.value is not None else len(rows),
        rows=rows,
        predicted={int(row[0]): str(row[2]) for row in table.rows if isinstance(row[0], int)},
        order=str(result.parameters.get("order", "")),
    )


def case_values(store: Store, digest: Digest) -> ResultTable:
    """Return the rows that people read, with their values.

    Raises
    ------
    VerificationFailed
        If the bytes are no longer those of the digest.
    """
    return ResultTable.model_validate_json(store.blobs.read(digest))


@audits_refusals("run/{run_id}")
def read_case(
    store: Store,
    run_id: int,
    row: int,
    *,
    actor: Actor,
    at: datetime,
    verdict: CaseVerdict,
    note: str,
    right_label: str | None = None,
) -> CaseReadingRow:
    """Record one person's verdict on one case, or change it while nobody else has read the case.

    Raises
    ------
    NotAllowed, NotFound
        Without the right, or as a second reader who can see the first verdict; without such a run or case.
    InvalidInput
        Without a note.
    Conflict
        If two others have read the case, or a second person has read it since.
    """
    _require(actor)
    note = clean_text(note, what="The note", required=True)
    label = clean_text(right_label or "", what="The right label") or None
    with store.reading() as reader:
        result = result_of(store, reader.get(RunRow, run_id, what="analysis run"))
    if row not in queue_of(result).rows:
        raise NotFound(f"Row {row} is not in the queue of run {run_id}.")
    if label is not None and verdict is not CaseVerdict.LABEL_ERROR:
        raise InvalidInput("A right label is named only where the label is what was wrong.")
    with store.transaction() as t:
        given = [one for one in readings_of(t, run_id) if one.case_row == row]
        mine = next((one for one in given if one.reader_id == actor.user_id), None)
        if given and mine is None and Right.READ_AUDIT in actor.rights:
            raise NotAllowed(
                "Who reads the audit trail sees the first verdict there, and so is no second reader.", rule=BLIND
            )
        if mine is None and len(given) >= MOST_READERS:
            raise Conflict(f"Row {row} was read by two people already. Read another case, or settle one.")
        if mine is not None and len(given) >= MOST_READERS:
            raise Conflict(f"A second person has read row {row} since: both verdicts stand. Settle the case instead.")
        old = {"verdict": mine.verdict, "note": mine.note} if mine else None
        if mine is None:
            mine = t.add(
                CaseReadingRow(
                    run_id=run_id,
                    case_row=row,
                    reader_id=actor.user_id,
                    verdict=verdict,
                    right_label=label,
                    note=note,
                    at=at,
                )
            )
        else:
            mine.verdict, mine.right_label, mine.note, mine.at = verdict, label, note, at
        new = {"row": row, "verdict": verdict, "right_label": label, "note": note}
        t.record(actor, "case:read", f"run/{run_id}", at=at, old=old, new=new, contributes=True)
    return mine


@audits_refusals("run/{run_id}")
def settle_case(
    store: Store,
    run_id: int,
    row: int,
    *,
    actor: Actor,
    at: datetime,
    verdict: CaseVerdict,
    note: str,
    right_label: str | None = None,
) -> CaseSettlementRow:
    """Record which verdict stands where two readers differ; the readers' own stay as they are.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a run; without a reason.
    Conflict
        If two people have not read the case, agree on it, or it was settled.
    """
    _require(actor)
    note = clean_text(note, what="The reason", required=True)
    label = clean_text(right_label or "", what="The right label") or None
    with store.transaction() as t:
        t.get(RunRow, run_id, what="analysis run")
        given = [as_reading(one) for one in readings_of(t, run_id) if one.case_row == row]
        if len(given) < MOST_READERS:
            raise Conflict(f"Row {row} was read by {len(given)} of two people: there is nothing to settle yet.")
        if row in settled_readings(given, {}):
            raise Conflict(f"Both readers of row {row} agree: there is nothing to settle.")
        if t.find(CaseSettlementRow, (run_id, row)) is not None:
            raise Conflict(f"Row {row} was settled already.")
        settled = t.add(
            CaseSettlementRow(
                run_id=run_id,
                case_row=row,
                verdict=verdict,
                right_label=label if verdict is CaseVerdict.LABEL_ERROR else None,
                note=note,
                settled_by=actor.user_id,
                at=at,
            )
        )
        new = {"row": row, "verdict": verdict, "right_label": settled.right_label}
        t.record(actor, "case:settle", f"run/{run_id}", at=at, reason=note, new=new, contributes=True)
    return settled


def _require(actor: Actor) -> None:
    """Whoever writes answers or reviews may read cases: it is work on the evidence, or a check of it."""
    if not {Right.ANSWER, Right.REVIEW} & actor.rights:
        raise NotAllowed("Cases are read by authors, reviewers and approvers.", rule="right:read cases")


def result_of(store: Store, run: RunRow) -> AnalysisResult:
    """Return the result of a run whose cases are read.

    Raises
    ------
    Conflict
        If it has none.
    """
    result = runs.result(store, run)
    if result is None:
        raise Conflict(f"Run {run.id} is {run.state}: there are no cases to read.")
    return result
