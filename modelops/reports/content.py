"""What the reports of a review are made of."""

from __future__ import annotations

from dataclasses import dataclass

from modelops.domain.attestation import AreaReadiness, SignOff
from modelops.domain.checklist import Area, Question, Template
from modelops.domain.content import AnswerContent, EvidenceContent, ReviewContent
from modelops.domain.digest import Digest
from modelops.domain.result import AnalysisResult
from modelops.domain.review import EvidenceKind, ReviewState


@dataclass(frozen=True)
class AttachedRun:
    """An analysis result that is evidence in the review, under the digest of its bytes."""

    digest: Digest
    result: AnalysisResult


@dataclass(frozen=True)
class ReportContent:
    """A review as it is reported: the signed content, the checklist that gives it words, and who signed.

    ``made_at``, ``valid_until`` and the times of signatures are of the form of `modelops.domain.instant`.
    """

    review: ReviewContent
    template: Template
    state: ReviewState
    owner: str
    readiness: tuple[AreaReadiness, ...]
    sign_offs: tuple[SignOff, ...]
    runs: tuple[AttachedRun, ...]
    made_at: str
    valid_until: str | None
    app_version: str

    @property
    def digest(self) -> Digest:
        """The digest of the content that was signed."""
        return self.review.digest

    @property
    def weakest(self) -> AreaReadiness | None:
        """The first area that is not ready."""
        return next((area for area in self.readiness if not area.ready), None)

    def answer(self, question_id: str) -> AnswerContent | None:
        """Return the answer to a question, if it was asked."""
        return next((answer for answer in self.review.answers if answer.question == question_id), None)

    def asked(self, area: Area) -> tuple[tuple[Question, AnswerContent], ...]:
        """Return the questions of ``area`` that were asked, with their answers, in the order of the checklist."""
        pairs = ((question, self.answer(question.id)) for question in area.questions)
        return tuple((question, answer) for question, answer in pairs if answer is not None)

    def run_of(self, evidence: EvidenceContent) -> AttachedRun | None:
        """Return the analysis run that a piece of evidence is, if it is one."""
        if evidence.kind is not EvidenceKind.RUN:
            return None
        return next((run for run in self.runs if run.digest == evidence.digest), None)
