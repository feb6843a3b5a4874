"""The bundle of a sealed review: one zip that anybody can verify without us."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path

from modelops.attest.bundle import MODEL_CARD, REVIEW, BundleContent, build_bundle
from modelops.domain.audit import ChainRow
from modelops.domain.content import Difference, ReviewContent, differences
from modelops.domain.digest import Digest
from modelops.domain.people import Actor, Right
from modelops.errors import Conflict
from modelops.services.keyring import Keys
from modelops.services.refusals import audits_refusals
from modelops.services.reporting import card
from modelops.services.sealing import checkpoint
from modelops.store import Reader, Store
from modelops.store.queries_audit import entries_about, hashes
from modelops.store.queries_review import content
from modelops.store.tables import AttestationRow, CheckpointRow, ReviewRow


@audits_refusals("review/{review_id}")
def export_bundle(store: Store, review_id: int, path: Path, *, keys: Keys, actor: Actor, at: datetime) -> Digest:
    """Write the bundle of a sealed review to ``path`` and return its digest. The export is in the audit trail.

    Raises
    ------
    NotAllowed, NotFound, Conflict
        Without the right; without such a review; if it was never sealed.
    VerificationFailed
        If anything that is stored no longer fits the seal: a bundle that does not verify is not handed out.
    """
    actor.require(Right.EXPORT)
    with store.transaction() as t:
        sealed = attestation(t, review_id)
        t.record(actor, "review:export", f"review/{review_id}", at=at)
        newest = checkpoint(t, keys, at=at)
        excerpt = [
            ChainRow(row.sequence, row.previous, row.body.encode(), row.hash)
            for row in entries_about(t, f"review/{review_id}")
        ]
        leaves = hashes(t, size=newest.sequence)
        earlier = [row.sequence for row in t.all(CheckpointRow)]
        made = card(store, t, review_id, at=at)
    with contextlib.ExitStack() as stack:
        files = {
            name: stack.enter_context(store.blobs.local(Digest(digest))) for name, digest in sealed.members.items()
        }
        bundle = BundleContent(
            envelope=sealed.envelope.encode(),
            files={**files, MODEL_CARD: made.encode()},
            excerpt=excerpt,
            hashes=leaves,
            checkpoint=newest.text.encode(),
            ring=keys.ring,
            earlier=earlier,
        )
        return build_bundle(path, bundle, key=keys.key, at=at)


def attestation(reader: Reader, review_id: int) -> AttestationRow:
    """Return the seal of a review.

    Raises
    ------
    NotFound, Conflict
        Without such a review; if it was never sealed.
    """
    review = reader.get(ReviewRow, review_id, what="review")
    found = reader.find(AttestationRow, review_id)
    if found is None:
        raise Conflict(f"Review {review_id} is {review.state}: only an approved review has a sealed record.")
    return found


def changes_since_approval(store: Store, reader: Reader, review: ReviewRow) -> tuple[Difference, ...]:
    """Return what is no longer as it was signed; empty if everything is, or the review was never sealed."""
    sealed = reader.find(AttestationRow, review.id)
    if sealed is None:
        return ()
    now = content(reader, review)
    if now.digest == review.content_digest:
        return ()
    signed = ReviewContent.model_validate_json(store.blobs.read(Digest(sealed.members[REVIEW])))
    # Two different contents never pass for the same, even if no difference can be put into words.
    whole = Difference(what="content", signed=signed.digest.short, now=now.digest.short)
    return differences(signed, now) or (whole,)
