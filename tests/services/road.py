"""Steps of the road that several tests walk, through the services alone."""

from datetime import datetime

from modelops.domain.checklist import Gate, Result, WorkStatus
from modelops.domain.inventory import RiskTier
from modelops.domain.people import Actor, Authentication
from modelops.domain.review import Decision
from modelops.services import answers, catalogue, evidence, inventory, reviews, signing
from modelops.services.answers import Answer
from modelops.services.keyring import Keys
from modelops.services.signing import Signing
from modelops.services.standing import Standing, standing
from modelops.store import Store
from modelops.store.tables import AnswerRow, ReviewRow
from tests.remembered import remembered

MET = Answer(Result.MET, "Shown in the attached note.", WorkStatus.DONE)


def read(store: Store, review_id: int, at: datetime) -> Standing:
    with store.reading() as reader:
        return standing(reader, reader.get(ReviewRow, review_id, what="review"), at=at)


@remembered
def opened(
    store: Store, people: dict[str, Actor], at: datetime, *, gate: Gate = Gate.PRE_DEPLOYMENT, tier=RiskTier.MEDIUM
):
    """Return an open review of a version without a model file."""
    catalogue.publish_built_in(store, at=at)
    author = people["author"]
    model = inventory.register_model(
        store,
        actor=author,
        at=at,
        name="Credit default",
        purpose="Who will default within a year?",
        owner_id=people["owner"].user_id,
        risk_tier=tier,
    )
    version = inventory.register_version(store, model.id, actor=author, at=at, label="1.0")
    return reviews.open_review(store, version.id, actor=author, at=at, gate=gate, dataset_ids=())


def answer(store: Store, review_id: int, question: str, given: Answer, *, actor: Actor, at: datetime, reason: str = ""):
    with store.reading() as reader:
        seen = reader.get(AnswerRow, (review_id, question), what="question").revision
    return answers.answer(store, review_id, question, given, actor=actor, at=at, seen_revision=seen, reason=reason)


@remembered
def answer_all(store: Store, review: ReviewRow, people: dict[str, Actor], at: datetime) -> None:
    """Answer every blocking question with a text and a piece of evidence."""
    author = people["author"]
    for blocker in read(store, review.id, at).blockers:
        answer(store, review.id, blocker.subject, MET, actor=author, at=at)
        note = {"title": "Note", "text": f"What was done for {blocker.subject}."}
        evidence.attach_text(store, review.id, blocker.subject, actor=author, at=at, **note)


def submitted(store: Store, people: dict[str, Actor], at: datetime, **options) -> ReviewRow:
    """Return a review that waits for signatures."""
    review = opened(store, people, at, **options)
    answer_all(store, review, people, at)
    return reviews.submit(store, review.id, actor=people["author"], at=at)


def sign(
    store: Store,
    review_id: int,
    actor: Actor,
    keys: Keys,
    at: datetime,
    *,
    decision: Decision = Decision.APPROVE,
    reason: str = "Checked.",
    seen=None,
):
    """Give the signature that the policy still wants from one of ``actor``'s roles."""
    now = read(store, review_id, at)
    rule = (signing.open_rules(now, actor) or now.missing)[0]
    given = Signing(rule.role, rule.meaning, decision, reason, seen or now.digest)
    return signing.sign_off(
        store, review_id, given, actor=actor, authenticate=lambda: Authentication.PASSWORD, keys=keys, at=at
    )
