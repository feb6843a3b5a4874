"""One question of a review with everything under it, read for the screen in a few queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from modelops.domain.checklist import Question, Template
from modelops.domain.content import MovedBar
from modelops.domain.readiness import Standing as AnswerStanding
from modelops.domain.readiness import standing as standing_of
from modelops.services import catalogue
from modelops.services.standing import answer_state, answer_states
from modelops.store import Reader
from modelops.store.queries_criteria import Frozen, bar_among, frozen_sets
from modelops.store.queries_review import comments, evidence, names
from modelops.store.queries_runs import runs_of
from modelops.store.tables import AnswerRow, CommentRow, EvidenceRow, ReviewRow, RunRow, WaiverRow


@dataclass(frozen=True)
class Asked:
    """A question, its answer and what stands under it. ``earlier`` is the answer of the review before this one.

    ``frozen`` are the acceptance criteria in force, ``moved`` the runs under the question for which the bar moved.
    """

    question: Question
    answer: AnswerRow
    standing: AnswerStanding
    evidence: Sequence[EvidenceRow]
    comments: Sequence[CommentRow]
    runs: Sequence[RunRow]
    waivers: Sequence[WaiverRow]
    earlier: AnswerRow | None
    people: dict[int, str]
    frozen: Frozen | None
    moved: dict[int, MovedBar]


def asked(reader: Reader, review: ReviewRow, question_id: str, *, at: datetime) -> Asked:
    """Return one question of ``review`` with everything under it."""
    template = catalogue.template(reader, review.template)
    answer = reader.get(AnswerRow, (review.id, question_id), what="question")
    proofs = evidence(reader, review.id, question_id)
    remarks = comments(reader, review.id, question_id)
    runs = runs_of(reader, review_id=review.id, question_id=question_id, limit=5)
    earlier = reader.find(AnswerRow, (review.earlier_id, question_id)) if review.earlier_id else None
    involved = [answer.owner_id, answer.updated_by, *(row.added_by for row in proofs)]
    involved += [row.author_id for row in remarks]
    people = names(reader, involved)
    owner = people.get(answer.owner_id or 0)
    question = template.question(question_id)
    waivers = reader.all(WaiverRow, review_id=review.id, question_id=question_id)
    sets = frozen_sets(reader, review.version_id)
    state = answer_state(question, answer, proofs=proofs, waivers=waivers, owner=owner, at=at)
    return Asked(
        question=question,
        answer=answer,
        standing=standing_of(question, state),
        evidence=proofs,
        comments=remarks,
        runs=runs,
        waivers=waivers,
        earlier=earlier,
        people=people,
        frozen=sets[-1] if sets else None,
        moved=_moved(reader, proofs, runs, sets),
    )


def _moved(
    reader: Reader, proofs: Sequence[EvidenceRow], runs: Sequence[RunRow], sets: list[Frozen]
) -> dict[int, MovedBar]:
    """Return for which runs under a question, attached or not, the bar moved."""
    if not sets:
        return {}
    known = {run.id: run for run in runs}
    shown = {*known, *(row.run_id for row in proofs if row.run_id)}
    rows = (known.get(run_id) or reader.get(RunRow, run_id, what="analysis run") for run_id in sorted(shown))
    told = {run.id: bar_among(reader, run, sets).moved(run) for run in rows}
    return {run_id: moved for run_id, moved in told.items() if moved}


def standings(reader: Reader, review: ReviewRow, template: Template, *, at: datetime) -> dict[str, AnswerStanding]:
    """Return what the answers of a review come to, by question."""
    states = answer_states(reader, review, template, at=at)
    return {state.question_id: standing_of(template.question(state.question_id), state) for state in states}
