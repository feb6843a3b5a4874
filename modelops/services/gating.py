"""Asking the gate: the facts that it decides from, read from the store."""

from __future__ import annotations

from datetime import datetime

from modelops.attest.statement import open_statement
from modelops.domain.attestation import Statement
from modelops.domain.audit import SEAL
from modelops.domain.digest import Digest
from modelops.domain.gate import DecidedReview, GateDecision, ModelName, decide
from modelops.domain.instant import instant
from modelops.domain.names import printable
from modelops.domain.people import Actor, Right
from modelops.domain.review import ReviewState
from modelops.errors import VerificationFailed
from modelops.services.exporting import changes_since_approval
from modelops.services.keyring import Keys
from modelops.store import Reader, Store
from modelops.store.queries_audit import entries_about
from modelops.store.queries_inventory import reviews_of_artifact, versions_of_artifact
from modelops.store.tables import AttestationRow, AuditRow, ReviewRow

_DECIDED = frozenset(
    {ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.REVOKED, ReviewState.EXPIRED, ReviewState.SUPERSEDED}
)
_ENDED = frozenset(f"review:{state}" for state in (ReviewState.REVOKED, ReviewState.EXPIRED, ReviewState.SUPERSEDED))


def ask(
    store: Store, digest: Digest, *, keys: Keys, actor: Actor, at: datetime, environment: str | None = None
) -> GateDecision:
    """Decide whether the artifact with ``digest`` may be used now. The question and the answer are in the audit trail.

    Raises
    ------
    NotAllowed
        Without the right.
    """
    actor.require(Right.GATE)
    environment = printable(environment or "")[:80] or None
    with store.reading() as reader:
        versions = versions_of_artifact(reader, digest)
        reviews = [
            _decided(store, reader, review, ModelName(model=name, version=version.label), digest, keys)
            for review, version, name in reviews_of_artifact(reader, digest)
            if review.state in _DECIDED and review.closed_at is not None
        ]
    decision = decide(digest, versions=versions, reviews=reviews, at=instant(at), environment=environment)
    with store.transaction() as t:
        new = {"allowed": decision.allowed, "environment": environment, "reasons": list(decision.reasons)}
        t.record(actor, "gate:ask", f"gate/{digest.short}", at=at, new=new, digest=digest)
    return decision


def _decided(
    store: Store, reader: Reader, review: ReviewRow, of: ModelName, digest: Digest, keys: Keys
) -> DecidedReview:
    statement, problem = _statement(reader, review, digest, keys)
    changed = changes_since_approval(store, reader, review) if review.state is ReviewState.APPROVED else ()
    assert review.closed_at is not None
    # The end of an approval's time is no decision: a newer review that was decided before it still counts.
    lapsed = statement if review.state is ReviewState.EXPIRED else None
    return DecidedReview(
        review_id=str(review.id),
        model=of.model,
        version=of.version,
        gate=statement.predicate.gate if statement else review.gate,
        state=review.state,
        decided_at=lapsed.predicate.sealed_at if lapsed else instant(review.closed_at),
        # From what was signed: a row that was edited behind our back prolongs nothing.
        valid_until=statement.predicate.valid_until if statement else None,
        seal_problem=problem,
        differences=tuple(f"{item.what} (signed: {item.signed[:80]}; now: {item.now[:80]})" for item in changed),
        waivers=statement.predicate.waivers if statement else (),
        sign_offs=statement.predicate.sign_offs if statement else (),
    )


def _statement(reader: Reader, review: ReviewRow, digest: Digest, keys: Keys) -> tuple[Statement | None, str | None]:
    """Return the sealed statement, or why it does not stand for these bytes."""
    row = reader.find(AttestationRow, review.id)
    if row is None:
        return None, "there is none"
    try:
        statement = open_statement(row.envelope.encode(), keys.ring)
    except VerificationFailed as error:
        return None, str(error)
    problem = _misfit(statement, review, digest) or _untold(reader, review, row)
    return (None, problem) if problem else (statement, None)


def _misfit(statement: Statement, review: ReviewRow, digest: Digest) -> str | None:
    """Return why a statement is not about this review of these bytes."""
    if statement.digest_of("model") != digest:
        return "it names other bytes"
    if statement.predicate.review_id != str(review.id):
        return "it is that of another review"
    if statement.predicate.content != review.content_digest:
        return "it names another content than the review was approved with"
    return None


def _untold(reader: Reader, review: ReviewRow, row: AttestationRow) -> str | None:
    """Return what the audit trail does not say of the seal, or says of its end: a state can be set behind its back."""
    entries = [entry for entry in entries_about(reader, f"review/{review.id}") if entry.sequence >= row.audit_sequence]
    if not entries or not _is_seal(entries[0], row):
        return "the audit trail has no entry of this seal"
    ended = next((entry.action for entry in entries if entry.action in _ENDED), None)
    if ended and review.state is ReviewState.APPROVED:
        return f"the audit trail says that the approval ended ({ended})"
    return None


def _is_seal(entry: AuditRow, row: AttestationRow) -> bool:
    named = f'"{Digest.of(row.envelope.encode())}"'
    return entry.sequence == row.audit_sequence and entry.action == SEAL and named in entry.body
