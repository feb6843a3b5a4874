"""The first story: a model that went all the way, from registration to the seal."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import timedelta

from modelops.demo.stage import Stage, Table
from modelops.demo.texts import GivenAnswer, Proof, answers_of
from modelops.domain.checklist import Gate, Result
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.review import Decision, FindingState, Severity
from modelops.services import findings, inventory, reviews, signing
from modelops.services.signing import Signing

NAME = "Consumer credit default"
THRESHOLD = 0.15
NUMBERS = (
    "income",
    "debt_ratio",
    "age",
    "employment_years",
    "loan_amount",
    "term_months",
    "prior_defaults",
    "credit_lines",
)
FEATURES = (*NUMBERS, "region", "housing", "purpose", "channel")
KNOWN = ColumnRoles(
    features=FEATURES,
    target="default",
    sensitive=("gender", "age_band"),
    time="application_date",
    ids=("application_id",),
)
SCORED = KNOWN.model_copy(update={"prediction": "prediction", "scores": ("score",)})
MONTHS = {
    "2025-05": "May 2025",
    "2025-06": "June 2025",
    "2025-07": "July 2025",
    "2025-08": "August 2025",
    "2025-09": "September 2025",
    "2025-10": "October 2025",
}
BEFORE, AFTER = "2025-06", "2025-10"


@dataclass(frozen=True)
class Registered:
    """Numbers of what was registered: the model, its version, its tables by name."""

    model_id: int
    version_id: int
    tables: dict[str, int]


def register(stage: Stage) -> Registered:
    """Register the model, two versions and the tables."""
    folder = stage.folder / "credit_default"
    model = inventory.register_model(
        stage.store,
        actor=stage.who("author"),
        at=stage.clock(),
        name=NAME,
        purpose=stage.text("default_purpose"),
        owner_id=stage.who("owner").user_id,
        risk_tier=RiskTier.HIGH,
        business_unit="Consumer lending",
    )
    model_id = model.id
    version_id = stage.add_version(
        model_id,
        by="author",
        label="1.0",
        artifact=folder / "model.skops",
        notes=stage.text("default_notes"),
    )
    stage.add_version(
        model_id,
        by="author",
        label="1.1-challenger",
        artifact=folder / "challenger.json",
        parent_id=version_id,
        notes=stage.text("challenger_notes"),
    )
    return Registered(
        model_id, version_id, {key: stage.add_table(model_id, t, by="author") for key, t in _tables(stage)}
    )


def _tables(stage: Stage) -> list[tuple[str, Table]]:
    folder = stage.folder / "credit_default"

    def table(name: str, role: DatasetRole, file: str, roles: ColumnRoles = SCORED) -> Table:
        return Table(name, role, folder / file, roles, Task.CLASSIFICATION, "1")

    return [
        ("train", table("Loans of May 2024 to January 2025", DatasetRole.TRAIN, "train.parquet", KNOWN)),
        ("test", table("Loans of February to April 2025", DatasetRole.TEST, "test.parquet")),
        ("reference", table("Loans of twelve development months", DatasetRole.REFERENCE, "reference.parquet")),
        *(
            (month, table(f"Loans of {words}", DatasetRole.PRODUCTION, f"applications-{month}.csv"))
            for month, words in MONTHS.items()
        ),
    ]


def open_with_runs(stage: Stage, registered: Registered) -> tuple[int, dict[str, int]]:
    """Open the review and ask for its analyses; return its number and those of the runs by name."""
    tables = registered.tables
    review_id = stage.open_review(registered.version_id, Gate.PRE_DEPLOYMENT, list(tables.values()), by="author")
    ask = functools.partial(stage.request, review_id, version_id=registered.version_id, by="author")
    on_test = functools.partial(ask, data_id=tables["test"])
    against_training = functools.partial(on_test, train_id=tables["train"])
    drifted = functools.partial(ask, "drift", reference_id=tables["reference"])
    cut = {"threshold": THRESHOLD}
    return review_id, {
        "explainability": against_training("explainability", "predictions.explained"),
        "fairness": on_test("fairness", "predictions.prejudice", parameters=cut),
        "performance": on_test("performance", "works.metrics", parameters=cut),
        "baseline": against_training("baseline", "baseline.starting_point"),
        "leakage": against_training("leakage", "works.leakage"),
        "overfitting": against_training("overfitting", "works.overfitting"),
        "calibration": on_test("calibration", "predictions.plausible"),
        "subpopulations": on_test("subpopulations", "predictions.fails_when", parameters=cut),
        "robustness": on_test("robustness", "tests.extreme"),
        "drift_after": drifted("use.real_world", data_id=tables[AFTER]),
        "drift_before": drifted("monitoring.methods", data_id=tables[BEFORE]),
    }


def responsible(question_id: str) -> str:
    """Return who answers a question: the owner what concerns the business, the author the rest."""
    return "owner" if question_id.partition(".")[0] in {"problem", "use"} else "author"


def answered(stage: Stage, review_id: int) -> dict[str, GivenAnswer]:
    """Give all answers; return them."""
    given = answers_of("answers_credit_default", stage.figures)
    stage.answer_all(review_id, given, by=responsible)
    return given


def waive_prejudice(stage: Stage, review_id: int) -> None:
    """Ask for a waiver of the question on prejudice, and have it accepted."""
    days = stage.standing(review_id).policy.waiver_max_days[RiskTier.HIGH]
    waiver = findings.request_waiver(
        stage.store,
        review_id,
        actor=stage.who("author"),
        at=stage.clock(),
        question_id="predictions.prejudice",
        reason=stage.text("waiver_reason"),
        compensating_control=stage.text("waiver_control"),
        risk_owner_id=stage.who("owner").user_id,
        expires_on=stage.clock().date() + timedelta(days=days),
    )
    findings.decide_waiver(
        stage.store,
        waiver.id,
        accept=True,
        actor=stage.who("approver"),
        at=stage.clock(),
        reason=stage.text("waiver_accepted"),
    )


def reviewed(stage: Stage, review_id: int) -> None:
    """Submit, raise a finding, ask for changes, remedy, close, and submit again."""
    author, reviewer = stage.who("author"), stage.who("reviewer")
    reviews.submit(stage.store, review_id, actor=author, at=stage.clock(), note=stage.text("default_submitted"))
    stage.comment(
        review_id,
        stage.text("default_comment"),
        by="reviewer",
        question_id="predictions.prejudice",
    )
    finding = findings.raise_finding(
        stage.store,
        review_id,
        actor=reviewer,
        at=stage.clock(),
        question_id="operations.unusual",
        severity=Severity.HIGH,
        title=stage.text("default_finding_title"),
        text=stage.text("default_finding"),
        owner_id=author.user_id,
        due=stage.clock().date() + timedelta(days=14),
    )
    reviews.request_changes(
        stage.store,
        review_id,
        actor=reviewer,
        at=stage.clock(),
        reason=stage.text("default_changes"),
    )
    _remedied(stage, review_id, finding.id)
    findings.move_finding(
        stage.store,
        finding.id,
        FindingState.CLOSED,
        actor=reviewer,
        at=stage.clock(),
        reason=stage.text("default_closed"),
    )
    reviews.submit(stage.store, review_id, actor=author, at=stage.clock(), note=stage.text("default_resubmitted"))


def _remedied(stage: Stage, review_id: int, finding_id: int) -> None:
    author, reason = stage.who("author"), stage.text("default_remedy_reason")
    question_id = "operations.unusual"
    remedy = GivenAnswer(result=Result.MET, text=stage.text("default_remedy"))
    stage.answer(review_id, question_id, remedy, by="author", reason=reason)
    stage.attach(review_id, question_id, Proof(file="remedy_marketplace.md"), {}, by="author", reason=reason)
    findings.move_finding(
        stage.store, finding_id, FindingState.REMEDIATED, actor=author, at=stage.clock(), reason=reason
    )


def signed(stage: Stage, review_id: int) -> None:
    """Give every signature that the policy asks for, each with the password; the last one seals."""
    free = ["reviewer", "approver", "second.approver"]
    while missing := stage.standing(review_id).missing:
        rule = missing[0]
        login = next(login for login in free if rule.role in stage.who(login).roles)
        free.remove(login)
        player = stage.players[login]
        given = Signing(
            rule.role,
            rule.meaning,
            Decision.APPROVE,
            stage.text(f"sign_{rule.meaning}"),
            stage.standing(review_id).digest,
        )
        signing.sign_off(
            stage.store,
            review_id,
            given,
            actor=player.actor,
            authenticate=functools.partial(player.prove, stage.store, stage.clock),
            keys=stage.keys,
            at=stage.clock(),
        )
