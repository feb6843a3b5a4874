"""Signatures: a person, a meaning, a reason, on exactly the content that was on their screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from modelops.domain.audit import SIGN_OFF
from modelops.domain.digest import Digest
from modelops.domain.names import clean_text
from modelops.domain.people import Actor, Authentication, Right, Role
from modelops.domain.policy import SignatureRule
from modelops.domain.review import STATEMENTS, Decision, Meaning, ReviewState, check_independence
from modelops.errors import Conflict, InvalidInput, NotAllowed
from modelops.services import sealing
from modelops.services.keyring import Keys
from modelops.services.people import current_actor
from modelops.services.refusals import audited_refusals
from modelops.services.reviews import refuse_blocked
from modelops.services.standing import Standing, standing
from modelops.services.statements import sealed_sign_offs
from modelops.store import Store, Transaction
from modelops.store.tables import ReviewRow, SignOffRow, VersionRow


@dataclass(frozen=True)
class Signing:
    """What a person puts their name to. ``seen`` is the digest of the content that was on the screen."""

    role: Role
    meaning: Meaning
    decision: Decision
    reason: str
    seen: Digest


def open_rules(now: Standing, actor: Actor) -> tuple[SignatureRule, ...]:
    """Return the missing signatures that ``actor``'s roles could give, whether or not they are independent."""
    return tuple(dict.fromkeys(rule for rule in now.missing if rule.role in actor.roles))


def sign_off(
    store: Store,
    review_id: int,
    given: Signing,
    *,
    actor: Actor,
    authenticate: Callable[[], Authentication],
    keys: Keys,
    at: datetime,
) -> ReviewRow:
    """Record a signature; with the last one that the policy asks for, approve and seal. All of it or nothing.

    ``authenticate`` proves that the person is at the keyboard now (their password again, or a fresh single sign-on)
    and raises otherwise.

    Raises
    ------
    NotAllowed
        Without the right; to a contributor or somebody who signed already; with a wrong password.
    Conflict
        If the content changed since it was shown, or the review is not submitted.
    InvalidInput
        Without a reason; to approve what still has blockers.
    """
    with audited_refusals(store, actor, f"review/{review_id}", at):
        actor.require(Right.SIGN)
        reason = clean_text(given.reason, what="The reason", required=True)
        with store.reading() as reader:
            now = standing(reader, reader.get(ReviewRow, review_id, what="review"), at=at)
            _check(now, given, actor)
            authentication = authenticate()
            row = _row(now, given, actor, authentication, reason, at)
            is_last = given.decision is Decision.APPROVE and len(now.missing) == 1
            signatures = sealed_sign_offs((*now.sign_offs, row))
            prepared = sealing.prepare(store, reader, now, signatures, at=at) if is_last else None
        with store.transaction() as t:
            # Everything again: between the reading and this lock somebody may have acted, or lost a right.
            review = t.get(ReviewRow, review_id, what="review")
            now = standing(t, review, at=at)
            _check(now, given, current_actor(t, actor))
            if row.submission != review.submission:
                raise Conflict("This review was submitted anew at the same moment. Reload and sign again.")
            t.add(row)
            said = {"meaning": given.meaning, "decision": given.decision, "role": given.role}
            new = {
                **said,
                "statement": row.statement,
                "submission": review.submission,
                "authentication": authentication,
            }
            t.record(actor, SIGN_OFF, f"review/{review_id}", at=at, reason=reason, new=new, digest=given.seen)
            if given.decision is Decision.REJECT:
                _close(t, now, ReviewState.REJECTED, actor=actor, at=at)
            elif len(now.missing) == 1:
                if prepared is None or len(signatures) != len(now.sign_offs) + 1:
                    raise Conflict("Somebody else signed at the same moment. Reload and sign again.")
                review.content_digest, review.valid_until = now.digest, sealing.valid_until(now, at=at)
                _close(t, now, ReviewState.APPROVED, actor=actor, at=at)
                sealing.seal(store, t, now, prepared, signatures, keys, at=at)
    return review


def _check(now: Standing, given: Signing, actor: Actor) -> None:
    if now.review.state is not ReviewState.SUBMITTED:
        raise Conflict(f"This review is {now.review.state}; only a submitted one is signed.")
    check_independence(actor, contributors=now.contributors, signers=[row.user_id for row in now.sign_offs])
    if actor.authentication is Authentication.TOKEN:
        raise NotAllowed("An API token cannot sign: a person does, on the page.", rule="right:sign")
    if given.seen != now.digest:
        raise Conflict(
            f"The content changed since it was shown to you (seen {given.seen.short}, now {now.digest.short}). Nothing "
            "was signed. Reload, look at what changed, and sign again."
        )
    if given.role not in actor.roles:
        raise NotAllowed(f"You do not have the role {given.role}.", rule="right:sign")
    if (given.role, given.meaning) not in {(rule.role, rule.meaning) for rule in now.missing}:
        wanted = ", ".join(f"{rule.meaning} by {rule.role}" for rule in now.missing) or "none"
        raise InvalidInput(f"The policy asks for no {given.meaning} by {given.role} now. Missing: {wanted}.")
    if (given.meaning, given.decision) not in STATEMENTS:
        raise InvalidInput(f"A signature of {given.meaning} cannot {given.decision}.")
    if given.decision is Decision.APPROVE:
        _refuse_earlier_content(now)
        refuse_blocked(now.blockers, "approved")


def _refuse_earlier_content(now: Standing) -> None:
    """Refuse to add a signature to others that were given on another content."""
    earlier = [row.printed_name for row in now.sign_offs if row.content_digest != now.digest]
    if earlier:
        raise Conflict(
            f"The content changed after {', '.join(earlier)} signed it. Ask for changes: after the next submission "
            "everybody signs the same content."
        )


def _row(
    now: Standing, given: Signing, actor: Actor, authentication: Authentication, reason: str, at: datetime
) -> SignOffRow:
    return SignOffRow(
        review_id=now.review.id,
        submission=now.review.submission,
        user_id=actor.user_id,
        printed_name=actor.name,
        role=given.role,
        meaning=given.meaning,
        decision=given.decision,
        reason=reason,
        statement=STATEMENTS[given.meaning, given.decision],
        authentication=authentication,
        content_digest=given.seen,
        at=at,
    )


def _close(t: Transaction, now: Standing, state: ReviewState, *, actor: Actor, at: datetime) -> None:
    """End the review. An older approval of the same version at the same gate is superseded by a new one."""
    review = now.review
    review.state, review.closed_at = state, at
    t.flush()
    if state is ReviewState.APPROVED:
        version = t.get(VersionRow, review.version_id, what="model version")
        for older in t.all(ReviewRow, version_id=version.id, gate=review.gate, state=ReviewState.APPROVED):
            if older.id != review.id:
                older.state = ReviewState.SUPERSEDED
                new = {"by": review.id}
                t.record(actor, "review:superseded", f"review/{older.id}", at=at, new=new)
    action = f"review:{state}"
    t.record(actor, action, f"review/{review.id}", at=at, new={"state": state}, digest=now.digest)


def why_not(now: Standing, actor: Actor) -> str | None:
    """Return why ``actor`` cannot sign this submission, or ``None`` if nothing but its content stands in the way."""
    try:
        check_independence(actor, contributors=now.contributors, signers=[row.user_id for row in now.sign_offs])
    except NotAllowed as refusal:
        return str(refusal)
    if not open_rules(now, actor):
        wanted = ", ".join(f"{rule.meaning} by {rule.role}" for rule in now.missing)
        return f"No signature that your roles could give is missing. Wanted: {wanted}."
    return None
