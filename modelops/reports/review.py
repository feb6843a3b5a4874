"""The report of a review, and the model card that is made of the same content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelops.domain.checklist import Question
from modelops.domain.columns import ColumnRoles
from modelops.domain.content import AnswerContent
from modelops.domain.inventory import DatasetRole
from modelops.domain.result import Measurement
from modelops.domain.review import FindingState, WaiverState
from modelops.reports.content import AttachedRun, ReportContent
from modelops.reports.page import render
from modelops.reports.result import conclusion, method_of

MAX_MEASUREMENTS = 40
# What a model card has (M. Mitchell et al., "Model Cards for Model Reporting", 2019), and the answers that fill it.
# Details, factors, metrics and data are filled from the records themselves.
CARD_SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Intended use", ("problem.statement", "problem.well_posed", "problem.done", "works.solves")),
    ("Evaluation data", ("data.current", "data.representative", "data.size")),
    ("Training data", ("data.permitted", "data.labelled", "data.labels_checked", "preprocessing.steps")),
    ("Ethical considerations", ("problem.harm", "data.sensitive", "data.bias", "data.minorities")),
)


@dataclass(frozen=True)
class ReportedRun:
    """An analysis run as a review shows it: title, digest, one sentence, and what the policy says."""

    run: AttachedRun
    title: str
    conclusion: str

    @property
    def overall(self) -> tuple[Measurement, ...]:
        """The measurements of the whole data, the first few."""
        return tuple(m for m in self.run.result.measurements if not m.scope)[:MAX_MEASUREMENTS]

    @property
    def groups(self) -> tuple[Measurement, ...]:
        """The measurements by group, the first few."""
        return tuple(m for m in self.run.result.measurements if "group" in m.scope)[:MAX_MEASUREMENTS]


def review_report(content: ReportContent) -> str:
    """Return one HTML file with the whole review: readiness, answers with evidence, findings, waivers, signatures."""
    areas = [(area, content.asked(area)) for area in content.template.areas]
    return render(
        "review.html",
        content=content,
        review=content.review,
        areas=[(area, questions) for area, questions in areas if questions],
        runs=reported(content.runs),
        numbers=content.template.numbers,
    )


def model_card(content: ReportContent) -> str:
    """Return the model card as one HTML file. What nobody has answered is said to be missing, not left out."""
    waivers = [waiver for waiver in content.review.waivers if waiver.state is WaiverState.ACCEPTED]
    findings = [finding for finding in content.review.findings if finding.state is not FindingState.CLOSED]
    return render(
        "model_card.html",
        content=content,
        review=content.review,
        sections=[(title, list(_answered(content, questions))) for title, questions in CARD_SECTIONS],
        runs=reported(content.runs),
        sensitive=sensitive_columns(dataset.roles for dataset in content.review.datasets),
        training=[dataset for dataset in content.review.datasets if dataset.role is DatasetRole.TRAIN],
        evaluation=[dataset for dataset in content.review.datasets if dataset.role is not DatasetRole.TRAIN],
        waivers=waivers,
        findings=findings,
    )


def reported(runs: Iterable[AttachedRun]) -> list[ReportedRun]:
    """Return runs with their titles and what the policy says of them."""
    return [ReportedRun(run, method_of(run.result.analysis).title, conclusion(run.result.verdicts)) for run in runs]


def sensitive_columns(roles: Iterable[ColumnRoles]) -> tuple[str, ...]:
    """Return the names of all sensitive columns, each once, in the order in which they are found."""
    return tuple(dict.fromkeys(name for each in roles for name in each.sensitive))


def _answered(content: ReportContent, questions: Iterable[str]) -> Iterable[tuple[Question, AnswerContent]]:
    known = {question.id: question for question in content.template.questions}
    for question_id in questions:
        answer = content.answer(question_id)
        if answer is not None and question_id in known:
            yield known[question_id], answer
