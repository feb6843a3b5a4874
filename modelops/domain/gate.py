"""The gate: may exactly these bytes go to production? Decided from facts, each rule with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from modelops.domain.attestation import SealedWaiver, SignOff
from modelops.domain.checklist import Gate
from modelops.domain.digest import Digest
from modelops.domain.instant import Instant, for_people, moment
from modelops.domain.record import Record
from modelops.domain.review import ReviewState
from modelops.errors import InvalidInput

# An inception review approves that work begins, not that its outcome is used.
OPENING_GATES = frozenset({Gate.PRE_DEPLOYMENT, Gate.PERIODIC})


class GateRule(StrEnum):
    """What is demanded, in the order in which it is looked at."""

    REGISTERED = "registered"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    SEALED = "sealed"
    UNCHANGED = "unchanged"
    UNEXPIRED = "unexpired"
    WAIVERS = "waivers"


DEMANDS: dict[GateRule, str] = {
    GateRule.REGISTERED: "The bytes are those of a registered model version.",
    GateRule.REVIEWED: "A review for use in production was decided on them.",
    GateRule.APPROVED: "The newest such review is approved.",
    GateRule.SEALED: "Its sealed statement verifies and names these bytes.",
    GateRule.UNCHANGED: "What was signed has not changed since.",
    GateRule.UNEXPIRED: "The approval has not expired.",
    GateRule.WAIVERS: "No waiver that the approval rests on has expired.",
}


class CheckOutcome(StrEnum):
    """What became of one rule. Those after a failure that they depend on are not judged."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not judged"


class ModelName(Record):
    """A model version with the artifact that is asked about."""

    model: str
    version: str


class DecidedReview(Record):
    """A review of these bytes that was decided, as it stands now.

    ``seal_problem`` is why the sealed statement does not verify (``None``: it does, and names the bytes);
    ``differences`` says what of the signed content is not so any more.
    """

    review_id: str
    model: str
    version: str
    gate: Gate
    state: ReviewState
    decided_at: Instant
    valid_until: Instant | None = None
    seal_problem: str | None = None
    differences: tuple[str, ...] = ()
    waivers: tuple[SealedWaiver, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()


class GateCheck(Record):
    """One rule, what became of it, and why."""

    rule: GateRule
    demand: str
    outcome: CheckOutcome
    because: str


class GateDecision(Record):
    """The answer of the gate, with everything that it rests on."""

    schema_: Literal["modelops.gate/1"] = Field(default="modelops.gate/1", alias="schema")
    allowed: bool
    digest: Digest
    environment: str | None = None
    at: Instant
    model: str | None = None
    version: str | None = None
    review_id: str | None = None
    valid_until: Instant | None = None
    checks: tuple[GateCheck, ...]
    approvals: tuple[SignOff, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not; empty if allowed."""
        return tuple(check.because for check in self.checks if check.outcome is CheckOutcome.FAILED)


def decide(
    digest: Digest,
    *,
    versions: Sequence[ModelName],
    reviews: Iterable[DecidedReview],
    at: str,
    environment: str | None = None,
) -> GateDecision:
    """Decide whether the artifact with ``digest`` may be used.

    The newest decided review for use in production counts, and no other: an older approval does not outlive a later
    rejection.

    Parameters
    ----------
    digest : Digest
        That of the artifact's bytes.
    versions : sequence of ModelName
        The registered model versions with this artifact.
    reviews : iterable of DecidedReview
        Every decided review of those versions, in any order.
    at : str
        Now, as an `Instant`.
    environment : str or None
        Where it is to be used; it is written into the decision.

    Raises
    ------
    InvalidInput
        If there are reviews without a version.

    Examples
    --------
    >>> decision = decide(Digest.of(b"model"), versions=(), reviews=(), at="2026-11-23T09:00:00.000000Z")
    >>> decision.allowed, decision.reasons
    (False, ('No registered model version has the artifact 9372c470eead.',))
    """
    decided = sorted(reviews, key=lambda review: review.decided_at)
    if decided and not versions:
        raise InvalidInput("Got reviews of an artifact that no model version has.")
    opening = [review for review in decided if review.gate in OPENING_GATES]
    newest = opening[-1] if opening else None
    checks = _checks(digest, versions, decided, newest, at)
    return GateDecision(
        allowed=all(check.outcome is CheckOutcome.PASSED for check in checks),
        digest=digest,
        environment=environment,
        at=at,
        model=newest.model if newest else versions[-1].model if versions else None,
        version=newest.version if newest else versions[-1].version if versions else None,
        review_id=newest.review_id if newest else None,
        valid_until=newest.valid_until if newest else None,
        checks=checks,
        approvals=newest.sign_offs if newest else (),
    )


def _checks(
    digest: Digest,
    versions: Sequence[ModelName],
    decided: Sequence[DecidedReview],
    newest: DecidedReview | None,
    at: str,
) -> tuple[GateCheck, ...]:
    named = ", ".join(f"{version.model} {version.version}" for version in versions)
    known = f"It is {named}." if versions else f"No registered model version has the artifact {digest.short}."
    checks = [_check(GateRule.REGISTERED, known, passed=bool(versions))]
    if versions:
        checks.append(_check(GateRule.REVIEWED, _reviewed(named, decided, newest), passed=newest is not None))
    if newest:
        checks.append(_check(GateRule.APPROVED, *_approved(newest)))
    if newest and newest.state is ReviewState.APPROVED:
        checks += [_sealed(newest), _unchanged(newest), _unexpired(newest, at), _waivers(newest, moment(at).date())]
    judged = {check.rule for check in checks}
    rest = [rule for rule in GateRule if rule not in judged]
    because = "This depends on what failed before."
    skipped = [
        GateCheck(rule=rule, demand=DEMANDS[rule], outcome=CheckOutcome.NOT_JUDGED, because=because) for rule in rest
    ]
    return (*checks, *skipped)


def _check(rule: GateRule, because: str, passed: bool) -> GateCheck:
    outcome = CheckOutcome.PASSED if passed else CheckOutcome.FAILED
    return GateCheck(rule=rule, demand=DEMANDS[rule], outcome=outcome, because=because)


def _reviewed(named: str, decided: Sequence[DecidedReview], newest: DecidedReview | None) -> str:
    if newest:
        return f"Review {newest.review_id} ({newest.gate}) was decided at {for_people(newest.decided_at)}."
    if decided:
        return f"{named} has passed the gate {decided[-1].gate} only, which does not open this one."
    return f"No review of {named} was decided. Open one, and have it approved."


def _approved(newest: DecidedReview) -> tuple[str, bool]:
    if newest.state is not ReviewState.APPROVED:
        return f"Review {newest.review_id} is {newest.state}.", False
    who = ", ".join(f"{given.printed_name} ({given.meaning})" for given in newest.sign_offs) or "nobody"
    return f"Review {newest.review_id} was signed by {who}.", bool(newest.sign_offs)


def _sealed(newest: DecidedReview) -> GateCheck:
    problem = newest.seal_problem
    because = f"The sealed statement does not verify: {problem}" if problem else "Signature, key and bytes fit."
    return _check(GateRule.SEALED, because, passed=problem is None)


def _unchanged(newest: DecidedReview) -> GateCheck:
    shown = "; ".join(newest.differences)
    because = (
        f"Approved for an earlier state. What differs: {shown}." if shown else "The content is the one that was signed."
    )
    return _check(GateRule.UNCHANGED, because, passed=not newest.differences)


def _unexpired(newest: DecidedReview, at: str) -> GateCheck:
    until = newest.valid_until
    if until is None:
        return _check(GateRule.UNEXPIRED, "The approval has no end.", passed=True)
    expired = at >= until
    return _check(
        GateRule.UNEXPIRED, f"The approval {'ended' if expired else 'ends'} at {for_people(until)}.", passed=not expired
    )


def _waivers(newest: DecidedReview, today: date) -> GateCheck:
    over = [waiver for waiver in newest.waivers if waiver.expires_on < today]
    shown = ", ".join(f"waiver {waiver.reference} on {waiver.subject} on {waiver.expires_on}" for waiver in over)
    held = f"{len(newest.waivers)} waivers, none expired." if newest.waivers else "There are no waivers."
    return _check(GateRule.WAIVERS, f"Expired: {shown}." if over else held, passed=not over)
