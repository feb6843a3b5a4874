"""The other two stories: a model in review with an open finding, and one that has just begun."""

from __future__ import annotations

import functools
from datetime import timedelta

from modelops.demo.stage import Stage, Table
from modelops.demo.texts import answers_of
from modelops.domain.checklist import Gate
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.review import Severity
from modelops.services import findings, inventory, reviews

LINE, PRICING = "Credit line increase", "Instalment loan pricing"
_LINE_ROLES = ColumnRoles(
    features=(
        "income",
        "age",
        "employment_years",
        "months_on_book",
        "current_limit",
        "requested_limit",
        "utilisation",
        "late_payments",
        "cash_withdrawals",
        "collection_calls",
    ),
    target="arrears",
    sensitive=("gender", "age_band"),
    time="request_date",
    ids=("request_id",),
)
_PRICE_ROLES = ColumnRoles(
    features=("goods", "campaign", "basket", "deposit_share", "term_months", "income", "age", "late_payments"),
    target="agreed_rate",
    prediction="prediction",
    sensitive=("gender", "age_band"),
    time="quote_date",
    ids=("quote_id",),
)


def register_line(stage: Stage) -> tuple[int, dict[str, int]]:
    """Register the model with the leak, open its review and ask for its analyses; return the numbers."""
    folder = stage.folder / "credit_line"
    model = inventory.register_model(
        stage.store,
        actor=stage.who("author"),
        at=stage.clock(),
        name=LINE,
        purpose=stage.text("line_purpose"),
        owner_id=stage.who("owner").user_id,
        risk_tier=RiskTier.MEDIUM,
        business_unit="Cards",
    )
    model_id = model.id
    version_id = stage.add_version(
        model_id, by="author", label="0.3", artifact=folder / "model.txt", notes=stage.text("line_notes")
    )
    tables = {
        key: stage.add_table(
            model_id, Table(name, role, folder / file, _LINE_ROLES, Task.CLASSIFICATION, "1"), by="author"
        )
        for key, name, role, file in (
            ("train", "Requests used for training", DatasetRole.TRAIN, "train.parquet"),
            ("test", "Requests kept for the test", DatasetRole.TEST, "test.parquet"),
        )
    }
    review_id = stage.open_review(version_id, Gate.PRE_DEPLOYMENT, list(tables.values()), by="author")
    ask = functools.partial(stage.request, review_id, version_id=version_id, data_id=tables["test"], by="author")
    return review_id, {
        "explainability": ask("explainability", "predictions.explained", train_id=tables["train"]),
        "fairness": ask("fairness", "predictions.prejudice"),
        # It finds the leak; nobody attached it.
        "leakage": ask("leakage", "works.leakage", train_id=tables["train"]),
        "performance": ask("performance", "works.metrics"),
    }


def submit_line(stage: Stage, review_id: int, runs: dict[str, int]) -> None:
    """Answer the blocking questions and submit; the reviewer comments and finds the leak."""
    given = answers_of("answers_credit_line", stage.figures)
    stage.answer_all(review_id, given, by=lambda _: "author")
    stage.attach_runs(review_id, given, runs, by=lambda _: "author")
    reviews.submit(
        stage.store, review_id, actor=stage.who("author"), at=stage.clock(), note=stage.text("line_submitted")
    )
    stage.comment(
        review_id,
        stage.text("line_comment_metrics"),
        by="reviewer",
        question_id="works.metrics",
    )
    stage.comment(
        review_id,
        stage.text("line_comment_explained"),
        by="reviewer",
        question_id="predictions.explained",
    )
    stage.comment(
        review_id,
        stage.text("line_reply"),
        by="author",
        question_id="predictions.explained",
    )
    findings.raise_finding(
        stage.store,
        review_id,
        actor=stage.who("reviewer"),
        at=stage.clock(),
        question_id="works.leakage",
        severity=Severity.HIGH,
        title=stage.text("line_finding_title"),
        text=stage.text("line_finding"),
        owner_id=stage.who("author").user_id,
        due=stage.clock().date() + timedelta(days=21),
    )


def begin_pricing(stage: Stage) -> int:
    """Register the third model with predictions only and give its first two answers; return the review."""
    model = inventory.register_model(
        stage.store,
        actor=stage.who("owner"),
        at=stage.clock(),
        name=PRICING,
        purpose=stage.text("price_purpose"),
        owner_id=stage.who("owner").user_id,
        risk_tier=RiskTier.LOW,
        business_unit="Retail partners",
    )
    model_id = model.id
    version_id = stage.add_version(
        model_id,
        by="owner",
        label="0.1",
        artifact=None,
        notes=stage.text("price_notes"),
    )
    path = stage.folder / "pricing" / "predictions.csv"
    quotes = Table("Quotes with the suggested rate", DatasetRole.TEST, path, _PRICE_ROLES, Task.REGRESSION, None)
    dataset_id = stage.add_table(model_id, quotes, by="owner")
    review_id = stage.open_review(version_id, Gate.INCEPTION, [dataset_id], by="owner")
    stage.answer_all(review_id, answers_of("answers_pricing", stage.figures), by=lambda _: "owner")
    return review_id
