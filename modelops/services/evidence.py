"""Evidence: a file, a link, a text, a record that the app knows, or an analysis run."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from urllib.parse import urlsplit

from modelops.domain.digest import Digest
from modelops.domain.names import clean_name, clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.review import EvidenceKind
from modelops.errors import Conflict, InvalidInput
from modelops.services import files
from modelops.services.answers import add_row
from modelops.services.refusals import audits_refusals
from modelops.services.reviews import changed, rest_on
from modelops.store import Store
from modelops.store.blobs import Staged
from modelops.store.tables import AnswerRow, EvidenceRow, ReviewRow, RunRow, VersionRow

MAX_LINK = 2_000


@audits_refusals("review/{review_id}")
def attach_text(
    store: Store,
    review_id: int,
    question_id: str,
    *,
    actor: Actor,
    at: datetime,
    title: str,
    text: str,
    kind: EvidenceKind = EvidenceKind.TEXT,
    expires_on: date | None = None,
    reason: str = "",
) -> EvidenceRow:
    """Attach a text, or a record that the app wrote out as text."""
    text = clean_text(text, what="The text", required=True)
    row = _row(review_id, question_id, kind, title, Digest.of(text.encode()), text, actor, at, expires_on)
    return _attach(store, row, actor=actor, at=at, reason=reason)


@audits_refusals("review/{review_id}")
def attach_link(
    store: Store,
    review_id: int,
    question_id: str,
    *,
    actor: Actor,
    at: datetime,
    title: str,
    url: str,
    expires_on: date | None = None,
    reason: str = "",
) -> EvidenceRow:
    """Attach a link. Only its address is recorded: what stands behind it can change, so a file proves more.

    Raises
    ------
    InvalidInput
        If it is not an http or https address.
    """
    url = clean_text(url, what="The link")
    if (
        len(url.split()) != 1
        or urlsplit(url).scheme not in {"http", "https"}
        or not urlsplit(url).netloc
        or len(url) > MAX_LINK
    ):
        raise InvalidInput("A link starts with https:// or http:// and names a host. Copy it from the browser's bar.")
    row = _row(
        review_id,
        question_id,
        EvidenceKind.LINK,
        title or url[:150],
        Digest.of(url.encode()),
        url,
        actor,
        at,
        expires_on,
    )
    return _attach(store, row, actor=actor, at=at, reason=reason)


@audits_refusals("review/{review_id}")
def attach_file(
    store: Store,
    review_id: int,
    question_id: str,
    *,
    actor: Actor,
    at: datetime,
    staged: Staged,
    file_name: str,
    expires_on: date | None = None,
    reason: str = "",
) -> EvidenceRow:
    """Attach a file. It is kept and handed out again, never opened."""
    row = _row(review_id, question_id, EvidenceKind.FILE, file_name, Digest.of(b""), "", actor, at, expires_on)
    staged.close()
    return _attach(store, row, actor=actor, at=at, reason=reason, staged=staged)


@audits_refusals("review/{review_id}")
def attach_run(
    store: Store, run_id: int, review_id: int, question_id: str, *, actor: Actor, at: datetime, reason: str = ""
) -> EvidenceRow:
    """Attach the result of a finished analysis run of the version that is reviewed.

    The data of the run become data of the review: they are signed with it, and who brought them has contributed to it.

    Raises
    ------
    Conflict
        If the run did not finish, or was made on another version.
    """
    with store.reading() as reader:
        run = reader.get(RunRow, run_id, what="analysis run")
        review = reader.get(ReviewRow, review_id, what="review")
        version = reader.get(VersionRow, review.version_id, what="model version")
    if run.result is None:
        raise Conflict(f"Run {run_id} is {run.state}: only a finished run has a result to attach.")
    if run.model_id != version.model_id or (run.version_id or version.id) != version.id:
        raise Conflict(
            "This run was made on another model version than the one that is reviewed. Run it again on this one."
        )
    title = f"{run.analysis} (run {run.id})"
    row = _row(review_id, question_id, EvidenceKind.RUN, title, run.result, run.summary, actor, at, None)
    row.run_id = run.id
    data = [each for each in (run.data_id, run.reference_id, run.train_id) if each is not None]
    return _attach(store, row, actor=actor, at=at, reason=reason, data=data)


@audits_refusals("evidence/{evidence_id}")
def detach(store: Store, evidence_id: int, *, actor: Actor, at: datetime, reason: str) -> EvidenceRow:
    """Take a piece of evidence away. It stays in the history."""
    actor.require(Right.ANSWER)
    reason = clean_text(reason, what="The reason", required=True)
    with store.transaction() as t:
        row = t.get(EvidenceRow, evidence_id, what="evidence")
        changed(t, row.review_id)
        if row.removed_at is not None:
            raise Conflict("This evidence was taken away already.")
        row.removed_by, row.removed_at = actor.user_id, at
        t.record(
            actor,
            "evidence:remove",
            f"review/{row.review_id}/question/{row.question_id}",
            at=at,
            reason=reason,
            old={"evidence_id": row.id, "kind": row.kind, "title": row.title},
            digest=row.digest,
            contributes=True,
        )
    return row


def _row(
    review_id: int,
    question_id: str,
    kind: EvidenceKind,
    title: str,
    digest: Digest,
    text: str,
    actor: Actor,
    at: datetime,
    expires_on: date | None,
) -> EvidenceRow:
    return EvidenceRow(
        review_id=review_id,
        question_id=question_id,
        kind=kind,
        title=clean_name(title, what="The title"),
        text=text,
        digest=digest,
        added_by=actor.user_id,
        added_at=at,
        expires_on=expires_on,
    )


def _attach(
    store: Store,
    row: EvidenceRow,
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    staged: Staged | None = None,
    data: Collection[int] = (),
) -> EvidenceRow:
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        review = changed(t, row.review_id)
        if review.submission and not reason.strip():
            raise InvalidInput("This review was submitted before: say why its evidence changes.")
        t.get(AnswerRow, (row.review_id, row.question_id), what="question")
        if staged:
            row.digest = files.keep(store, t, staged, at=at)
        for dataset_id in data:
            rest_on(t, review.id, dataset_id, actor=actor, at=at)
        return add_row(t, row, actor=actor, at=at, reason=reason)
