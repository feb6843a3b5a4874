"""What was read of a queue of cases, written out as a record that becomes evidence."""

from __future__ import annotations

from datetime import datetime

from modelops.analyses.misclassified.readings import Adjusted
from modelops.analyses.statistics.agreement import Kappa
from modelops.domain.canonical import canonical_bytes
from modelops.domain.columns import Task
from modelops.domain.digest import Digest
from modelops.domain.number_words import percent
from modelops.domain.people import Actor, Right
from modelops.domain.review import EvidenceKind
from modelops.errors import Conflict, InvalidInput
from modelops.services.answers import add_row
from modelops.services.cases import queue_of, result_of, reviewed
from modelops.services.refusals import audits_refusals
from modelops.services.reviews import changed
from modelops.store import Reader, Store, Transaction
from modelops.store.queries_cases import ATTACH, as_reading, readings_of, settlements_of
from modelops.store.tables import AnswerRow, EvidenceRow, RunRow, UserRow, VersionRow


@audits_refusals("review/{review_id}")
def attach_readings(
    store: Store, run_id: int, review_id: int, question_id: str, *, actor: Actor, at: datetime, reason: str = ""
) -> EvidenceRow:
    """Make what was read of a run evidence under a question, as it is now: progress, verdicts, agreement, accuracy.

    Whoever gave a verdict in it has contributed to the review.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a run or question; without a reason once the review was submitted.
    Conflict
        If nothing was read, or the run is about another version.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        run = t.get(RunRow, run_id, what="analysis run")
        review = changed(t, review_id)
        version = t.get(VersionRow, review.version_id, what="model version")
        if run.model_id != version.model_id or (run.version_id or version.id) != version.id:
            raise Conflict("These cases are of another model version than the one that is reviewed.")
        if review.submission and not reason.strip():
            raise InvalidInput("This review was submitted before: say why its evidence changes.")
        t.get(AnswerRow, (review_id, question_id), what="question")
        text = record_text(store, t, run)
        row = EvidenceRow(
            review_id=review_id,
            question_id=question_id,
            kind=EvidenceKind.RECORD,
            title=f"Cases that were read (run {run_id})",
            text=text,
            digest=Digest.of(text.encode()),
            added_by=actor.user_id,
            added_at=at,
        )
        added = add_row(t, row, actor=actor, at=at, reason=reason)
        # From here on whoever gave a verdict has contributed to the review (`contributions`, and the trigger).
        t.record(actor, ATTACH, f"review/{review_id}/run/{run_id}", at=at, digest=row.digest, contributes=True)
        return added


def record_text(store: Store, reader: Reader | Transaction, run: RunRow) -> str:
    """Return what was read of a run as a record for people, ending in the digest of every verdict.

    Raises
    ------
    Conflict
        If nothing was read.
    """
    rows = readings_of(reader, run.id)
    if not rows:
        raise Conflict("No case of this run was read yet.")
    settled = settlements_of(reader, run.id)
    result = result_of(store, run)
    review = reviewed(
        queue_of(result),
        tuple(as_reading(row) for row in rows),
        {row.case_row: as_reading(row) for row in settled},
        None,
        is_classes=result.task == Task.CLASSIFICATION,
    )
    people = {row.reader_id for row in rows}
    named = [reader.get(UserRow, person, what="person").name for person in sorted(people)]
    lines = [
        f"Queued: {len(review.queue.rows):,} cases ({review.queue.wrong:,} mistakes in {review.queue.judged:,} rows).",
        f"Read: {review.read:,}, of these {review.read_twice:,} by two people; by {', '.join(named)}.",
        "Verdicts that stand: "
        + ", ".join(f"{count:,} {verdict.value}" for verdict, count in review.counts.items())
        + f"; {len(review.differing):,} on which readers differ.",
        agreement_words(review.kappa),
    ]
    lines += [adjusted_words(one) for one in review.adjusted]
    everything = [
        {
            "row": one.row,
            "by": one.reader_id,
            "settles": place >= len(rows),
            "verdict": one.verdict.value,
            "label": one.right_label,
            "note": one.note,
        }
        for place, one in enumerate((*review.readings, *review.settlements.values()))
    ]
    lines.append(f"Every verdict and note: {Digest.of(canonical_bytes(everything))}; result {run.result}.")
    return "\n".join(lines)


def agreement_words(kappa: Kappa) -> str:
    """Return the agreement of two readers in words."""
    if kappa.value is None or kappa.interval is None:
        return f"Agreement of two readers was not measured: {kappa.reason}"
    low, high = kappa.interval
    return (
        f"Two readers agree on {kappa.agreed:,} of {kappa.cases:,} cases; Cohen's kappa {kappa.value:.2f} "
        f"({low:.2f} to {high:.2f})."
    )


def adjusted_words(one: Adjusted) -> str:
    """Return an adjusted accuracy in words."""
    low, high = one.interval
    return f"{one.name[0].upper()}{one.name[1:]}: {percent(one.value)} ({percent(low)} to {percent(high)}); {one.how}."
