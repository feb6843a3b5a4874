"""The data contract of a model: learned, edited check by check, accepted by people, published, run, named as evidence.

Every act makes a new revision and an audit entry about the model; no revision is ever changed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from modelops.analyses.data_contract import DATA_CONTRACT, DEFINITIONS
from modelops.domain.contract import Check, Contract, Rule, demand, load_contract
from modelops.domain.names import LONGEST_TEXT, clean_name, clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.result import AnalysisResult
from modelops.domain.review import EvidenceKind
from modelops.errors import Conflict, InvalidInput
from modelops.services import evidence, runs
from modelops.services.refusals import audits_refusals
from modelops.store import Reader, Store, Transaction
from modelops.store.queries_contracts import newest, published
from modelops.store.queries_inventory import datasets_of
from modelops.store.tables import ContractRow, EvidenceRow, ModelRow, ReviewRow, RunRow, VersionRow

RECORD = "data_contract"
"""What the checklist calls a contract as evidence."""


@dataclass(frozen=True)
class Act:
    """What is done to a contract: by whom, when, on which revision that they saw, why."""

    actor: Actor
    at: datetime
    seen: int
    reason: str = ""


def contract_of(row: ContractRow) -> Contract:
    """Return the contract of a revision."""
    return load_contract(row.body)


@audits_refusals("model/{model_id}")
def begin_contract(store: Store, model_id: int, *, actor: Actor, at: datetime, name: str) -> ContractRow:
    """Start a contract without any check.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput, Conflict
        Without the right; without such a model; with an empty name; if the model has a contract.
    """
    actor.require(Right.ANSWER)
    contract = Contract(name=clean_name(name, what="The name of the contract"))
    with store.transaction() as t:
        return _write(t, model_id, contract, Act(actor, at, 0), what="begin")


@audits_refusals("model/{model_id}")
def take_over(store: Store, model_id: int, run_id: int, *, actor: Actor, at: datetime, seen: int) -> ContractRow:
    """Take the checks that a run learned, with their rates of false alarms, into the contract.

    A check that a person stated, changed or accepted stays as it is; where its rule is the same, it gets the rate.

    Raises
    ------
    NotAllowed, NotFound, Conflict
        Without the right; without such a model or run; if the run has no result, is about another model or another
        analysis, or teaches nothing new.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        run = t.get(RunRow, run_id, what="analysis run")
        if run.model_id != model_id or run.analysis != DATA_CONTRACT.key:
            raise Conflict(f"Run {run_id} is no run of the data contract of this model.")
        result = runs.result(store, run)
        if result is None:
            raise Conflict(f"Run {run_id} is {run.state}: only a finished run has learned something.")
        row = newest(t, model_id)
        before = contract_of(row) if row else Contract(name=f"Data of {t.get(ModelRow, model_id, what='model').name}")
        after = merged(before, learned_checks(result))
        if row and after.checks == before.checks:
            raise Conflict(f"Run {run_id} teaches nothing that the contract does not have already.")
        return _write(t, model_id, after, Act(actor, at, seen), what="learn", run_id=run_id, subject=f"run {run_id}")


def learned_checks(result: AnalysisResult) -> tuple[Check, ...]:
    """Return the checks that a result of the data contract holds.

    Whoever asks for a run may give it a contract of any wording. What that says of people's acceptance, of its origin
    or of false alarms is not taken over: only a rate that the run counted itself is.
    """
    table = next((table for table in result.tables if table.name == DEFINITIONS), None)
    checks = tuple(Check.model_validate_json(str(row[1])) for row in table.rows) if table else ()
    text = str(result.parameters.get("contract") or "")
    given = {check.id: check for check in load_contract(text).checks} if text else {}
    return tuple(_as_learned(check, given.get(check.id)) for check in checks)


def _as_learned(check: Check, given: Check | None) -> Check:
    said: dict[str, object] = {"accepted_by": None, "accepted_at": None}
    if given is not None:
        said |= {"origin": "stated", "false_alarms": None if given.false_alarms else check.false_alarms}
    return check.model_copy(update=said)


def merged(contract: Contract, checks: Collection[Check]) -> Contract:
    """Return a contract with checks that were learned: what a person decided stays."""
    known = {check.id: check for check in contract.checks}
    for check in checks:
        old = known.get(check.id)
        if old is not None and old.rule == check.rule:
            known[check.id] = old.model_copy(update={"false_alarms": check.false_alarms or old.false_alarms})
        elif old is None or (old.origin == "learned" and not old.is_accepted):
            known[check.id] = check
    return load_contract(contract.model_copy(update={"checks": tuple(known.values())}).text)


@audits_refusals("model/{model_id}")
def put_check(
    store: Store,
    model_id: int,
    rule: Rule,
    *,
    why: str,
    actor: Actor,
    at: datetime,
    seen: int,
    check_id: str | None = None,
) -> ContractRow:
    """Add a check that a person states, or change the one with ``check_id``; a changed rule has to be accepted anew.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput, Conflict
        Without the right; without such a model or check; without a reason; changed by somebody else in between, or not
        changed at all.
    """
    actor.require(Right.ANSWER)
    why = clean_text(why, what="Why this is demanded", required=True, longest=2_000)
    with store.transaction() as t:
        contract = _contract(t, model_id)
        old = contract.check(check_id) if check_id is not None else None
        if old is not None and (old.rule, old.why) == (rule, why):
            raise InvalidInput("Nothing was changed.")
        if old is not None and old.rule == rule:
            check = old.model_copy(update={"why": why})
        else:
            check = Check(id=old.id if old else contract.free_id(rule), rule=rule, why=why, origin="stated")
        act = Act(actor, at, seen, why)
        return _write(t, model_id, contract.with_check(check), act, what="change" if old else "add", subject=check.id)


@audits_refusals("model/{model_id}")
def remove_check(
    store: Store, model_id: int, check_id: str, *, actor: Actor, at: datetime, seen: int, reason: str
) -> ContractRow:
    """Take a check out of the contract."""
    actor.require(Right.ANSWER)
    reason = clean_text(reason, what="The reason", required=True, longest=2_000)
    with store.transaction() as t:
        contract = _contract(t, model_id).without(check_id)
        return _write(t, model_id, contract, Act(actor, at, seen, reason), what="remove", subject=check_id)


@audits_refusals("model/{model_id}")
def accept_checks(
    store: Store, model_id: int, check_ids: Collection[str], *, actor: Actor, at: datetime, seen: int
) -> ContractRow:
    """Accept checks as assumptions that one stands for; the contract then names the person and the time.

    Raises
    ------
    NotAllowed, NotFound, Conflict
        Without the right; without such a model or check; if all of them are accepted already.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        contract = _contract(t, model_id)
        open_checks = [check for check in map(contract.check, check_ids) if not check.is_accepted]
        if not open_checks:
            raise Conflict("These checks are accepted already.")
        contract = contract.with_checks(check.accepted(actor.name, at=at) for check in open_checks)
        subject = open_checks[0].id if len(open_checks) == 1 else f"{len(open_checks)} checks"
        return _write(t, model_id, contract, Act(actor, at, seen), what="accept", subject=subject)


@audits_refusals("model/{model_id}")
def publish(store: Store, model_id: int, *, actor: Actor, at: datetime, seen: int, reason: str) -> ContractRow:
    """Publish the draft as the next version: reviews name it, and *Run* under a question takes it.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput, Conflict
        Without the right; without such a model; without a reason or any check; if nothing changed since the last one.
    """
    actor.require(Right.ANSWER)
    reason = clean_text(reason, what="The reason", required=True, longest=2_000)
    with store.transaction() as t:
        contract, last = _contract(t, model_id), published(t, model_id)
        if not contract.checks:
            raise InvalidInput("The contract has no checks yet: there is nothing to publish.")
        if contract.version:
            raise Conflict(f"Version {contract.version} is published already, and nothing changed since.")
        number = (last.version or 0) + 1 if last else 1
        act = Act(actor, at, seen, reason)
        return _write(t, model_id, contract, act, what="publish", version=number, subject=f"version {number}")


def _contract(reader: Reader, model_id: int) -> Contract:
    row = newest(reader, model_id)
    if row is None:
        reader.get(ModelRow, model_id, what="model")
        raise Conflict("This model has no data contract yet. Learn one from data, or start an empty one.")
    return contract_of(row)


def _write(
    t: Transaction,
    model_id: int,
    contract: Contract,
    act: Act,
    *,
    what: str,
    subject: str = "",
    version: int | None = None,
    run_id: int | None = None,
) -> ContractRow:
    """Add a revision and its audit entry."""
    t.get(ModelRow, model_id, what="model")
    row = newest(t, model_id)
    revision = row.revision if row else 0
    if revision != act.seen:
        raise Conflict("Somebody else changed this contract meanwhile. Reload to see their version, then decide.")
    contract = contract.model_copy(update={"version": version or 0})
    added = t.add(
        ContractRow(
            model_id=model_id,
            revision=revision + 1,
            version=version,
            act=what,
            subject=subject,
            reason=act.reason,
            digest=contract.digest,
            body=contract.text,
            checks=len(contract.checks),
            run_id=run_id,
            created_by=act.actor.user_id,
            created_at=act.at,
        )
    )
    t.record(
        act.actor,
        f"contract:{what}",
        f"model/{model_id}",
        at=act.at,
        reason=act.reason or None,
        old={"contract": str(row.digest)} if row else None,
        new={"revision": added.revision, "subject": subject, "checks": added.checks},
        digest=added.digest,
        contributes=True,
    )
    return added


@audits_refusals("model/{model_id}")
def run_contract(store: Store, model_id: int, *, actor: Actor, at: datetime, data_id: int) -> RunRow:
    """Ask for the contract, as it is now, to be held against a dataset.

    False alarms that the contract does not record are counted on the newest reference or training data.
    """
    actor.require(Right.RUN)
    with store.reading() as reader:
        contract = _contract(reader, model_id)
        by_role = {row.role: row.id for row in reversed(datasets_of(reader, model_id)) if row.id != data_id}
    reference = next((by_role[role] for role in DATA_CONTRACT.compares_with if role in by_role), None)
    return runs.request_run(
        store,
        DATA_CONTRACT.key,
        actor=actor,
        at=at,
        data_id=data_id,
        reference_id=reference,
        parameters={"contract": contract.text},
    )


@audits_refusals("review/{review_id}")
def attach_contract(
    store: Store, review_id: int, question_id: str, *, actor: Actor, at: datetime, reason: str = ""
) -> EvidenceRow:
    """Attach the published contract of the reviewed model to a question, written out, with its digest.

    Raises
    ------
    Conflict
        If no version of it was published.
    """
    actor.require(Right.ANSWER)
    with store.reading() as reader:
        review = reader.get(ReviewRow, review_id, what="review")
        version = reader.get(VersionRow, review.version_id, what="model version")
        row = published(reader, version.model_id)
    if row is None:
        raise Conflict("No version of the data contract is published yet. Publish one first: a draft proves nothing.")
    contract = contract_of(row)
    return evidence.attach_text(
        store,
        review_id,
        question_id,
        actor=actor,
        at=at,
        title=f"Data contract, version {row.version}",
        text=as_text(contract),
        kind=EvidenceKind.RECORD,
        reason=reason,
    )


def as_text(contract: Contract, *, longest: int = LONGEST_TEXT) -> str:
    """Return a contract as a text for people: one line for each check, as many as fit, and the digest of the whole."""
    accepted = sum(check.is_accepted for check in contract.checks)
    head = (
        f"{contract.name}, version {contract.version}: {len(contract.checks)} checks, {accepted} accepted by a person."
    )
    tail = f"Digest of the whole contract: {contract.digest}"
    lines, left = [], longest - len(head) - len(tail) - 100
    for place, check in enumerate(contract.checks):
        line = f"{check.id}: {demand(check.rule)}. Why: {check.why}"
        line += f" Accepted by {check.accepted_by}, {check.accepted_at}." if check.is_accepted else ""
        left -= len(line) + 1
        if left < 0:
            lines.append(f"... and {len(contract.checks) - place} more checks.")
            break
        lines.append(line)
    return "\n".join([head, *lines, tail])
