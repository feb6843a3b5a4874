"""From an open review to a signed and sealed one, and everything that must be refused on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from modelops.domain.checklist import Result, WorkStatus
from modelops.domain.content import differences
from modelops.domain.inventory import RiskTier
from modelops.domain.people import Authentication
from modelops.domain.review import Decision, FindingState, Meaning, ReviewState, Severity
from modelops.errors import Conflict, InvalidInput, NotAllowed
from modelops.services import answers, evidence, findings, reviews
from modelops.services.answers import Answer
from modelops.store.queries_audit import verify
from modelops.store.tables import AnswerRow, AttestationRow, AuditRow, ReviewRow, SignOffRow
from tests.services.road import MET, answer, opened, read, sign, submitted


def trail(store, action):
    with store.reading() as reader:
        assert verify(reader) is None
        return [row for row in reader.entries() if row.action == action]


def test_a_review_with_open_blocking_questions_is_not_submitted(store, people, now):
    review = opened(store, people, now)
    with pytest.raises(InvalidInput, match=r"things block it\. .*It has not been assessed"):
        reviews.submit(store, review.id, actor=people["author"], at=now)


def test_what_is_left_to_do_calls_analyses_and_records_as_pages_do(store, people, now):
    now_standing = read(store, opened(store, people, now).id, now)
    told = {step.what for step in now_standing.readiness.to_do} | {gap.what_to_do for gap in now_standing.blockers}
    assert "Run “Data quality” and answer from its result." in told
    assert not [what for what in told if "_" in what or "analysis:" in what]


def test_with_the_last_signature_the_review_is_approved_and_sealed(store, people, keys, now):
    review = submitted(store, people, now)
    assert sign(store, review.id, people["reviewer"], keys, now).state is ReviewState.SUBMITTED
    approved = sign(store, review.id, people["approver"], keys, now)
    assert approved.state is ReviewState.APPROVED
    assert approved.content_digest == read(store, review.id, now).digest
    with store.reading() as reader:
        assert reader.get(AttestationRow, review.id, what="attestation").sealed_at == now


def test_the_entry_of_the_seal_follows_the_signature(store, people, keys, now):
    review = submitted(store, people, now)
    sign(store, review.id, people["reviewer"], keys, now)
    sign(store, review.id, people["approver"], keys, now)
    (seal,) = trail(store, "review:seal")
    assert [row.sequence for row in trail(store, "review:approved")] == [seal.sequence - 1]


@pytest.mark.parametrize("who", ["author", "owner"])
def test_contributors_cannot_sign(store, people, keys, now, who):
    review = submitted(store, people, now)
    signer = replace(people[who], roles=people["reviewer"].roles | people[who].roles)
    with pytest.raises(NotAllowed, match="contributed"):
        sign(store, review.id, signer, keys, now)
    (refusal,) = trail(store, "refused")
    assert "separation of duties: contributor" in refusal.body


def test_one_person_does_not_give_two_signatures(store, people, keys, now):
    review = submitted(store, people, now, tier=RiskTier.HIGH)
    both = replace(people["reviewer"], roles=people["reviewer"].roles | people["approver"].roles)
    with store.transaction() as t:
        from modelops.store.tables import UserRoleRow

        t.add(UserRoleRow(user_id=both.user_id, role="approver"))
    sign(store, review.id, both, keys, now)
    with pytest.raises(NotAllowed, match="already signed"):
        sign(store, review.id, both, keys, now)


def test_the_database_refuses_a_contributor_whom_a_service_let_through(store, people, now):
    review = submitted(store, people, now)
    row = SignOffRow(
        review_id=review.id,
        submission=review.submission,
        user_id=people["owner"].user_id,
        printed_name="Owner",
        role="author",
        meaning=Meaning.APPROVAL,
        decision=Decision.APPROVE,
        reason="Mine.",
        statement="I approve.",
        authentication=Authentication.PASSWORD,
        content_digest=read(store, review.id, now).digest,
        at=now,
    )
    with pytest.raises(IntegrityError, match="separation of duties"), store.transaction() as t:
        t.add(row)


def test_content_that_changed_since_it_was_shown_is_not_signed(store, people, keys, now):
    review = submitted(store, people, now)
    seen = read(store, review.id, now).digest
    finding = {"severity": Severity.LOW, "title": "Typo", "text": "", "due": now.date()}
    findings.raise_finding(
        store, review.id, actor=people["reviewer"], at=now, owner_id=people["author"].user_id, **finding
    )
    with pytest.raises(Conflict, match="Nothing was signed"):
        sign(store, review.id, people["approver"], keys, now, seen=seen)


def test_submitted_answers_stand_still(store, people, now):
    review = submitted(store, people, now)
    with pytest.raises(Conflict, match="stands still"):
        answer(store, review.id, "problem.statement", replace(MET, text="Else"), actor=people["author"], at=now)
    with pytest.raises(IntegrityError, match="closed for changes"), store.transaction() as t:
        t.get(AnswerRow, (review.id, "problem.statement"), what="question").text = "Else"


def test_after_changes_were_asked_for_the_authors_can_answer_and_submit_again(store, people, keys, now):
    review = submitted(store, people, now)
    sign(store, review.id, people["reviewer"], keys, now)
    reviews.request_changes(store, review.id, actor=people["approver"], at=now, reason="Say more about harm.")
    given = replace(MET, text="More.")
    with pytest.raises(InvalidInput, match="say why"):
        answer(store, review.id, "problem.harm", given, actor=people["author"], at=now)
    answer(store, review.id, "problem.harm", given, actor=people["author"], at=now, reason="As asked.")
    reviews.submit(store, review.id, actor=people["author"], at=now)
    assert len(read(store, review.id, now).missing) == 2


def test_a_rejection_ends_the_review(store, people, keys, now):
    review = submitted(store, people, now)
    rejected = sign(store, review.id, people["reviewer"], keys, now, decision=Decision.REJECT, reason="Leak.")
    assert rejected.state is ReviewState.REJECTED
    with pytest.raises(Conflict, match="new round"):
        answer(store, review.id, "problem.harm", MET, actor=people["author"], at=now, reason="Late.")


def test_an_open_high_finding_forbids_approval_until_it_is_closed(store, people, keys, now):
    review = submitted(store, people, now)
    reviewer, author = people["reviewer"], people["author"]
    what = {"severity": Severity.HIGH, "title": "Leak", "text": "", "owner_id": author.user_id, "due": now.date()}
    finding = findings.raise_finding(store, review.id, actor=reviewer, at=now, **what)
    with pytest.raises(InvalidInput, match="Leak"):
        sign(store, review.id, reviewer, keys, now)
    findings.move_finding(store, finding.id, FindingState.CLOSED, actor=reviewer, at=now, reason="Column removed.")
    assert sign(store, review.id, reviewer, keys, now).state is ReviewState.SUBMITTED


def test_a_waiver_lifts_a_blocker_until_it_expires(store, people, now):
    review = opened(store, people, now)
    answer(
        store,
        review.id,
        "works.leakage",
        Answer(Result.NOT_MET, "Late.", WorkStatus.DONE),
        actor=people["author"],
        at=now,
    )
    waiver = findings.request_waiver(
        store,
        review.id,
        actor=people["author"],
        at=now,
        reason="Known and small.",
        compensating_control="Weekly check.",
        risk_owner_id=people["owner"].user_id,
        expires_on=now.date() + timedelta(days=10),
        question_id="works.leakage",
    )
    blocked = {blocker.subject for blocker in read(store, review.id, now).blockers}
    findings.decide_waiver(store, waiver.id, accept=True, actor=people["approver"], at=now, reason="Accepted.")
    assert blocked - {b.subject for b in read(store, review.id, now).blockers} == {"works.leakage"}
    later = now + timedelta(days=11)
    assert "works.leakage" in {blocker.subject for blocker in read(store, review.id, later).blockers}


def test_nobody_owns_the_risk_of_their_own_waiver(store, people, now):
    review = opened(store, people, now)
    author = people["author"]
    with pytest.raises(NotAllowed, match="other than the person"):
        findings.request_waiver(
            store,
            review.id,
            actor=author,
            at=now,
            reason="Known.",
            compensating_control="None.",
            risk_owner_id=author.user_id,
            expires_on=now.date() + timedelta(days=1),
            question_id="works.leakage",
        )


def test_a_change_after_approval_shows_what_differs(store, people, keys, now):
    review = submitted(store, people, now)
    sign(store, review.id, people["reviewer"], keys, now)
    sign(store, review.id, people["approver"], keys, now)
    signed = read(store, review.id, now).content
    answer(
        store, review.id, "problem.harm", replace(MET, text="Changed."), actor=people["author"], at=now, reason="Typo."
    )
    (difference,) = differences(signed, read(store, review.id, now).content)
    assert (difference.what, difference.now) == ("answer problem.harm: text", "Changed.")


def test_two_people_do_not_overwrite_each_others_answers(store, people, now):
    review = opened(store, people, now)
    answers.answer(store, review.id, "problem.harm", MET, actor=people["author"], at=now, seen_revision=0)
    with pytest.raises(Conflict, match="Somebody else answered"):
        answers.answer(
            store, review.id, "problem.harm", replace(MET, text="B"), actor=people["owner"], at=now, seen_revision=0
        )


def test_not_applicable_needs_a_reason(store, people, now):
    review = opened(store, people, now)
    given = Answer(Result.NOT_APPLICABLE, " ", WorkStatus.DONE)
    with pytest.raises(InvalidInput, match="does not apply"):
        answer(store, review.id, "problem.harm", given, actor=people["author"], at=now)


def test_a_link_that_is_not_an_address_is_refused(store, people, now):
    review = opened(store, people, now)
    with pytest.raises(InvalidInput, match="https://"):
        evidence.attach_link(
            store, review.id, "problem.harm", actor=people["author"], at=now, title="x", url="javascript:alert(1)"
        )


def test_every_change_of_an_answer_is_in_the_trail_with_old_and_new(store, people, now):
    review = opened(store, people, now)
    answer(store, review.id, "problem.harm", MET, actor=people["author"], at=now)
    (entry,) = trail(store, "answer:change")
    assert '"old":{"result":"not assessed","text":""' in entry.body
    assert '"new":{"result":"met"' in entry.body


def test_a_terminal_review_is_never_edited_even_in_the_database(store, people, now):
    review = opened(store, people, now)
    reviews.withdraw(store, review.id, actor=people["author"], at=now, reason="Wrong version.")
    with pytest.raises(IntegrityError, match="does not make this step"), store.transaction() as t:
        t.get(ReviewRow, review.id, what="review").state = ReviewState.IN_PROGRESS


def test_a_second_review_of_the_same_version_and_gate_is_refused_while_one_is_open(store, people, now):
    review = opened(store, people, now)
    with pytest.raises(Conflict, match="already"):
        reviews.open_review(store, review.version_id, actor=people["author"], at=now, gate=review.gate, dataset_ids=())


def test_only_authors_answer(store, people, now):
    review = opened(store, people, now)
    for who in ("reviewer", "approver", "auditor", "administrator"):
        with pytest.raises(NotAllowed):
            answer(store, review.id, "problem.harm", MET, actor=people[who], at=now)
    with store.reading() as reader:
        assert not [row for row in reader.all(AuditRow) if row.action == "answer:change"]
