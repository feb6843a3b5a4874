"""Reports of a review from what is stored."""

from __future__ import annotations

from datetime import datetime

from modelops.domain.attestation import SignOff
from modelops.domain.digest import Digest
from modelops.domain.instant import instant
from modelops.domain.people import Actor, Right
from modelops.domain.review import EvidenceKind
from modelops.reports.content import AttachedRun, ReportContent
from modelops.reports.review import model_card, review_report
from modelops.services.runs import read_result
from modelops.services.standing import Standing, area_readiness, standing
from modelops.services.statements import sealed_sign_offs
from modelops.store import Reader, Store
from modelops.store.tables import ModelRow, ReviewRow, UserRow, VersionRow
from modelops.version import VERSION


def report_content(
    store: Store, reader: Reader, now: Standing, sign_offs: tuple[SignOff, ...], *, at: datetime
) -> ReportContent:
    """Return what the reports of a review are made of, with these signatures."""
    version = reader.get(VersionRow, now.review.version_id, what="model version")
    model = reader.get(ModelRow, version.model_id, what="model")
    proofs = (proof for answer in now.content.answers for proof in answer.evidence if proof.kind is EvidenceKind.RUN)
    digests: dict[Digest, None] = dict.fromkeys(proof.digest for proof in proofs)
    return ReportContent(
        review=now.content,
        template=now.template,
        state=now.review.state,
        owner=reader.get(UserRow, model.owner_id, what="person").name,
        readiness=area_readiness(now),
        sign_offs=sign_offs,
        runs=tuple(AttachedRun(digest, read_result(store, digest)) for digest in digests),
        made_at=instant(at),
        valid_until=instant(now.review.valid_until) if now.review.valid_until else None,
        app_version=VERSION,
    )


def current_report(store: Store, review_id: int, *, actor: Actor, at: datetime) -> str:
    """Return the report of a review as it stands now, as HTML."""
    actor.require(Right.READ)
    with store.reading() as reader:
        return review_report(_current(store, reader, review_id, at=at))


def card(store: Store, reader: Reader, review_id: int, *, at: datetime) -> str:
    """Return the model card of a review as it stands now, as HTML."""
    return model_card(_current(store, reader, review_id, at=at))


def _current(store: Store, reader: Reader, review_id: int, *, at: datetime) -> ReportContent:
    now = standing(reader, reader.get(ReviewRow, review_id, what="review"), at=at)
    return report_content(store, reader, now, sealed_sign_offs(now.sign_offs), at=at)
