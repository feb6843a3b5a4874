from datetime import date

import pytest

from modelops.domain.attestation import SealedWaiver, SignOff
from modelops.domain.digest import Digest
from modelops.domain.gate import CheckOutcome, DecidedReview, GateRule, ModelName, decide
from modelops.domain.review import ReviewState
from modelops.errors import InvalidInput

DIGEST = Digest.of(b"model")
NOW = "2026-11-23T09:00:00.000000Z"
VERSIONS = (ModelName(model="Credit", version="2.1"),)
SIGNED = SignOff(
    printed_name="Approver",
    user_id=3,
    role="approver",
    meaning="approval",
    decision="approve",
    reason="It is good.",
    at="2026-11-01T09:00:00.000000Z",
    authentication="password",
    digest_seen=DIGEST,
    text="I approve.",
)


def review(**changes):
    fields = {
        "review_id": "7",
        "model": "Credit",
        "version": "2.1",
        "gate": "pre-deployment",
        "state": ReviewState.APPROVED,
        "decided_at": "2026-11-01T09:00:00.000000Z",
        "valid_until": "2027-11-01T09:00:00.000000Z",
        "sign_offs": (SIGNED,),
    }
    return DecidedReview.model_validate(fields | changes)


def waiver(expires_on):
    return SealedWaiver(
        reference="1",
        subject="data.size",
        reason="Few cases.",
        compensating_control="A person looks.",
        risk_owner="Head of lending",
        requested_by="Owner",
        expires_on=expires_on,
    )


def gate(*reviews, versions=VERSIONS, at=NOW):
    return decide(DIGEST, versions=versions, reviews=reviews, at=at)


def failed(decision):
    return [check.rule for check in decision.checks if check.outcome is CheckOutcome.FAILED]


def test_an_approved_review_opens_the_gate():
    decision = gate(review())
    assert (decision.allowed, decision.reasons, decision.review_id) == (True, (), "7")


def test_unknown_bytes_do_not_pass():
    assert failed(gate(versions=())) == [GateRule.REGISTERED]


def test_a_registered_model_without_review_does_not_pass():
    assert failed(gate()) == [GateRule.REVIEWED]


def test_an_inception_review_does_not_open_the_gate():
    assert "inception" in gate(review(gate="inception")).reasons[0]


def test_a_periodic_review_opens_the_gate():
    assert gate(review(gate="periodic")).allowed


@pytest.mark.parametrize("state", [state for state in ReviewState if state is not ReviewState.APPROVED])
def test_no_other_state_opens_the_gate(state):
    assert failed(gate(review(state=state))) == [GateRule.APPROVED]


def test_an_approval_without_signature_does_not_pass():
    assert failed(gate(review(sign_offs=()))) == [GateRule.APPROVED]


def test_a_seal_that_does_not_verify_closes_the_gate_with_its_reason():
    decision = gate(review(seal_problem="the signature does not fit"))
    assert (failed(decision), "the signature does not fit" in decision.reasons[0]) == ([GateRule.SEALED], True)


def test_an_approval_for_an_earlier_state_does_not_pass():
    decision = gate(review(differences=("answer data.bias: result",)))
    assert decision.reasons == ("Approved for an earlier state. What differs: answer data.bias: result.",)


@pytest.mark.parametrize(
    ("at", "allowed"), [("2027-11-01T08:59:59.999999Z", True), ("2027-11-01T09:00:00.000000Z", False)]
)
def test_an_approval_ends_at_its_time(at, allowed):
    assert gate(review(), at=at).allowed is allowed


def test_an_approval_may_have_no_end():
    assert gate(review(valid_until=None), at="2099-01-01T00:00:00.000000Z").allowed


@pytest.mark.parametrize(("expires_on", "allowed"), [(date(2026, 11, 23), True), (date(2026, 11, 22), False)])
def test_a_waiver_holds_until_the_end_of_its_last_day(expires_on, allowed):
    assert gate(review(waivers=(waiver(expires_on),))).allowed is allowed


def test_all_reasons_are_given_at_once():
    decision = gate(review(seal_problem="x", differences=("y",), valid_until=NOW, waivers=(waiver(date(2026, 1, 1)),)))
    assert failed(decision) == [GateRule.SEALED, GateRule.UNCHANGED, GateRule.UNEXPIRED, GateRule.WAIVERS]


def test_a_later_rejection_closes_what_an_approval_opened():
    later = review(review_id="8", gate="periodic", state="rejected", decided_at="2026-11-20T09:00:00.000000Z")
    assert not gate(review(), later).allowed


def test_a_later_approval_opens_what_a_rejection_closed():
    earlier = review(review_id="6", state="rejected", decided_at="2026-10-20T09:00:00.000000Z")
    assert gate(review(), earlier).review_id == "7"


def test_a_later_inception_review_changes_nothing():
    later = review(review_id="9", gate="inception", state="rejected", decided_at="2026-11-20T09:00:00.000000Z")
    assert gate(review(), later).allowed


@pytest.mark.parametrize("reviews", [(), (review(),), (review(state="revoked"),)])
def test_every_rule_is_answered_once(reviews):
    assert [check.rule for check in gate(*reviews).checks] == list(GateRule)


def test_nothing_failed_means_allowed_and_only_then():
    for decision in (gate(), gate(review()), gate(review(state="expired")), gate(versions=())):
        assert decision.allowed == all(check.outcome is CheckOutcome.PASSED for check in decision.checks)


def test_reviews_of_no_version_are_refused():
    with pytest.raises(InvalidInput, match="no model version has"):
        gate(review(), versions=())
