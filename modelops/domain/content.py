"""What a signature is put to: the whole content of a review, in one record with one digest."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from modelops.domain.attestation import VersionedDigest
from modelops.domain.checklist import Gate, Result
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.criteria import BarChange, Criteria
from modelops.domain.digest import Digest
from modelops.domain.instant import Instant
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.record import Record
from modelops.domain.review import EvidenceKind, FindingState, Severity, WaiverState


class DatasetContent(Record):
    """A dataset that the review rests on."""

    name: str
    role: DatasetRole
    digest: Digest
    rows: int
    roles: ColumnRoles
    task: Task | None
    positive: str | None


class EvidenceContent(Record):
    """One piece of evidence; ``digest`` is that of the file, the text, the link or the result."""

    kind: EvidenceKind
    title: str
    digest: Digest
    text: str = ""
    expires_on: date | None = None


class AnswerContent(Record):
    """The answer to one question, with what proves it."""

    question: str
    result: Result
    text: str
    evidence: tuple[EvidenceContent, ...]


class FindingContent(Record):
    """A finding as it stands."""

    number: int
    question: str | None
    severity: Severity
    title: str
    text: str
    owner: str
    due: date
    state: FindingState


class WaiverContent(Record):
    """A waiver as it stands."""

    number: int
    question: str | None
    finding: int | None
    reason: str
    compensating_control: str
    risk_owner: str
    requested_by: str
    decided_by: str | None
    expires_on: date
    state: WaiverState


class AcceptanceContent(Record):
    """The acceptance criteria that are in force, and who froze them when."""

    number: int
    digest: Digest
    body: Criteria
    frozen_by: str
    frozen_at: Instant


class MovedBar(Record):
    """A result that is evidence here and was judged by another bar than the one in force, or by one set too late.

    ``judged_by`` is the number of the criteria it was judged by, ``known_before`` are runs on the same data that had
    told the outcome before those were frozen.
    """

    run: int
    result: Digest
    judged_by: int | None
    changes: tuple[BarChange, ...] = ()
    known_before: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """What happened, in a few words."""
        return "Bar moved after the result" if self.changes else "Bar set with the result in view"

    @property
    def told(self) -> str:
        """What happened, for people."""
        judged = (
            f"Run {self.run} was judged by criteria number {self.judged_by}."
            if self.judged_by
            else f"No criteria were frozen when run {self.run} was asked for: none judged it."
        )
        if not self.known_before:
            return judged
        known = ", ".join(map(str, self.known_before))
        return f"{judged} When they were frozen, the outcome on the same data was known from run {known}."


class ReviewContent(Record):
    """Everything that is signed. Names of work, due dates and comments are not part of it.

    ``acceptance`` and ``moved_bars`` came later: where there are none they are left out of what is hashed, so that what
    was signed before keeps its digest.
    """

    schema_: Literal["modelops.review/1"] = Field(default="modelops.review/1", alias="schema")
    review: int
    gate: Gate
    round: int
    model: str
    purpose: str
    risk_tier: RiskTier
    version: str
    artifact: Digest | None
    dependencies: Digest | None
    template: VersionedDigest
    policy: VersionedDigest
    datasets: tuple[DatasetContent, ...]
    answers: tuple[AnswerContent, ...]
    findings: tuple[FindingContent, ...]
    waivers: tuple[WaiverContent, ...]
    acceptance: AcceptanceContent | None = None
    moved_bars: tuple[MovedBar, ...] = ()

    @model_serializer(mode="wrap")
    def _without_later_fields(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        plain: dict[str, object] = serialize(self)
        return {name: value for name, value in plain.items() if value or name not in {"acceptance", "moved_bars"}}

    @property
    def digest(self) -> Digest:
        """The digest that is signed."""
        return Digest.of_json(self)


class Difference(Record):
    """One thing that is not as it was signed."""

    what: str
    signed: str
    now: str


def differences(signed: ReviewContent, now: ReviewContent) -> tuple[Difference, ...]:
    """Return what differs between the content that was signed and that of now, in words.

    Examples
    --------
    An equal content has no difference; then the two digests are equal too.
    """
    found = [
        Difference(what=label, signed=_shown(getattr(signed, name)), now=_shown(getattr(now, name)))
        for name, label in _PLAIN.items()
        if getattr(signed, name) != getattr(now, name)
    ]
    for name, key, label in _LISTS:
        before = {getattr(item, key): item for item in getattr(signed, name)}
        after = {getattr(item, key): item for item in getattr(now, name)}
        for identity in dict.fromkeys([*before, *after]):
            old, new = before.get(identity), after.get(identity)
            if old != new:
                found.extend(_in_item(f"{label} {identity}", old, new))
    return tuple(found)


_PLAIN = {
    "model": "model name",
    "purpose": "purpose",
    "risk_tier": "risk tier",
    "version": "version",
    "artifact": "model file",
    "dependencies": "dependency lock",
    "gate": "gate",
    "round": "round",
    "template": "checklist template",
    "policy": "policy",
    "acceptance": "acceptance criteria",
}
_LISTS = (
    ("datasets", "digest", "dataset"),
    ("answers", "question", "answer"),
    ("findings", "number", "finding"),
    ("waivers", "number", "waiver"),
    ("moved_bars", "run", "bar moved after the result of run"),
)


def _in_item(what: str, old: Record | None, new: Record | None) -> list[Difference]:
    if old is None or new is None:
        return [Difference(what=what, signed="not there" if old is None else "there", now="there" if new else "gone")]
    return [
        Difference(what=f"{what}: {name}", signed=_shown(getattr(old, name)), now=_shown(getattr(new, name)))
        for name in type(old).model_fields
        if getattr(old, name) != getattr(new, name)
    ]


def _shown(value: object) -> str:
    match value:
        case None | "" | ():
            text = "nothing"
        case tuple():
            text = ", ".join(_shown(item) for item in value)
        case EvidenceContent():
            text = f"{value.title} ({value.digest.short})"
        case Digest():
            text = value.short
        case AcceptanceContent():
            text = f"number {value.number} of {value.frozen_at[:10]} ({value.digest.short})"
        case BarChange():
            text = f"{value.criterion}: {value.old} → {value.new}"
        case VersionedDigest():
            text = f"{value.name} {value.version}"
        case _:
            text = str(value)
    return text
