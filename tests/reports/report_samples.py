"""A result and a review to report on, with hostile text wherever people or data can write."""

from __future__ import annotations

from datetime import date

from modelops.domain.attestation import AreaReadiness, SignOff, VersionedDigest
from modelops.domain.checklist import Question, load_template
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.content import (
    AnswerContent,
    DatasetContent,
    EvidenceContent,
    FindingContent,
    ReviewContent,
    WaiverContent,
)
from modelops.domain.digest import Digest
from modelops.domain.result import (
    AnalysisResult,
    Curve,
    InputRecord,
    Measurement,
    Outcome,
    Protection,
    ResultTable,
    Series,
    Shape,
    Verdict,
)
from modelops.domain.review import Decision, Meaning, ReviewState
from modelops.reports.content import AttachedRun, ReportContent
from modelops.settings import DATA

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\u202e"
DIGEST = Digest.of(b"content")


def sample_result(**changes: object) -> AnalysisResult:
    fields: dict[str, object] = {
        "analysis": "fairness",
        "inputs": {
            "data": InputRecord(
                digest=DIGEST,
                rows=1000,
                rows_used=998,
                dropped={"the target is missing": 2},
                roles={"age": "feature", "sex": "feature, sensitive", "y": "target", "p one": "prediction"},
            ),
            "model": InputRecord(digest=Digest.of(b"model")),
        },
        "task": "classification",
        "positive": "it's yes",
        "parameters": {"alpha": 0.05, "domain_classifier": True, "quantiles": [0.1, 0.9], "rows": None},
        "seed": 7,
        "environment": {"python": "3.11.7", "scikit-learn": "1.9.1"},
        "protection": Protection(level="A", layers=("seccomp", "Landlock")),
        "summary": f"The groups differ: {HOSTILE}",
        "measurements": (
            Measurement(metric="selection_rate", value=0.25, scope={"group": {"sex": HOSTILE}}, sample_size=400),
            Measurement(metric="accuracy", value=0.91234, interval=(0.89, 0.93), level=0.95, sample_size=998),
            Measurement(metric="f1", value=None, note="Nobody is positive.", sample_size=0),
        ),
        "curves": (
            Curve(
                name="rates",
                title=f"Rates {HOSTILE}",
                shape=Shape.BARS,
                x_title="group",
                y_title="selection rate",
                series=(Series(name="rate", x=("a", "b"), y=(0.2, 0.4)),),
            ),
        ),
        "tables": (ResultTable(name="groups", title=HOSTILE, columns=("group", "rows"), rows=((HOSTILE, 400),)),),
        "notes": (HOSTILE,),
        "verdicts": (
            Verdict(rule="accuracy at least 0.9", verdict=Outcome.PASSED, because="0.912 is above 0.9"),
            Verdict(rule="four fifths", verdict=Outcome.FAILED, because=HOSTILE, metric="selection_rate"),
        ),
    }
    return AnalysisResult.model_validate(fields | changes)


def sample_sign_off(**changes: object) -> SignOff:
    fields: dict[str, object] = {
        "printed_name": f"Approver {HOSTILE}",
        "user_id": 3,
        "role": "approver",
        "meaning": Meaning.APPROVAL,
        "decision": Decision.APPROVE,
        "reason": HOSTILE,
        "at": "2026-11-23T09:30:00.000000Z",
        "authentication": "password",
        "digest_seen": DIGEST,
        "text": "I approve this model version for use as described.",
    }
    return SignOff.model_validate(fields | changes)


def sample_review(**changes: object) -> ReportContent:
    template = load_template((DATA / "checklists" / "readiness.yaml").read_text(encoding="utf-8"))
    result = sample_result()
    run = AttachedRun(Digest.of_json(result), result)
    review = ReviewContent(
        review=7,
        gate="pre-deployment",
        round=1,
        model=f"Credit {HOSTILE}",
        purpose=f"Decide on credit. {HOSTILE}",
        risk_tier="high",
        version="2.1",
        artifact=Digest.of(b"model"),
        dependencies=None,
        template=VersionedDigest(name=template.name, version=template.version, digest=template.digest),
        policy=VersionedDigest(name="default", version="1", digest=DIGEST),
        datasets=(_dataset("train", "train"), _dataset(f"test {HOSTILE}", "test")),
        answers=_answers(template.questions, run),
        findings=(
            FindingContent(
                number=1,
                question="data.bias",
                severity="high",
                title=HOSTILE,
                text=HOSTILE,
                owner="Owner",
                due=date(2027, 1, 31),
                state="open",
            ),
        ),
        waivers=(
            WaiverContent(
                number=1,
                question="data.size",
                finding=None,
                reason=HOSTILE,
                compensating_control=HOSTILE,
                risk_owner="Head of lending",
                requested_by="Owner",
                decided_by="Approver",
                expires_on=date(2027, 3, 31),
                state="accepted",
            ),
        ),
    )
    fields: dict[str, object] = {
        "review": review,
        "template": template,
        "state": ReviewState.APPROVED,
        "owner": f"Owner {HOSTILE}",
        "readiness": (
            AreaReadiness(area="problem", title=template.areas[0].title, met=5, ready=True),
            AreaReadiness(area="data", title=template.areas[1].title, partially=1, not_assessed=12, ready=False),
        ),
        "sign_offs": (sample_sign_off(digest_seen=review.digest),),
        "runs": (run,),
        "made_at": "2026-11-23T10:00:00.000000Z",
        "valid_until": "2027-11-23T10:00:00.000000Z",
        "app_version": "0.1.0",
    }
    return ReportContent(**(fields | changes))  # type: ignore[arg-type]


def _answers(questions: tuple[Question, ...], run: AttachedRun) -> tuple[AnswerContent, ...]:
    evidence = (
        EvidenceContent(kind="analysis run", title="Fairness", digest=run.digest),
        EvidenceContent(kind="link", title="Minutes", digest=DIGEST, text="javascript:alert(3)"),
    )
    first = (
        AnswerContent(question=question.id, result="met", text=f"Answer to {question.id}. {HOSTILE}", evidence=())
        for question in questions[:5]
    )
    return (*first, AnswerContent(question="data.bias", result="partially", text="It might.", evidence=evidence))


def _dataset(name: str, role: str) -> DatasetContent:
    roles = ColumnRoles(features=("age",), target="y", sensitive=("sex",))
    return DatasetContent(
        name=name,
        role=role,
        digest=Digest.of(name.encode()),
        rows=1000,
        roles=roles,
        task=Task.CLASSIFICATION,
        positive="yes",
    )
