"""How ready a model is: from the answers at one gate to progress, score and the shortest list of what is left to do.

Three things are kept apart. *Progress* is the share of questions with which nobody has to do anything any more. The
*score* is how much of what is asked has been shown, weighted. And *blockers* are the blocking questions that forbid
approval. The score of the whole is that of its weakest area: a strong model cannot make up for an unlawful use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from modelops.domain.checklist import EvidenceNeed, Gate, Question, Result, Template, Weight, WorkStatus
from modelops.domain.review import EvidenceKind
from modelops.errors import InvalidInput

# A convention, not a measurement: one blocking question counts as much as two major or four minor ones.
IMPORTANCE = {Weight.BLOCKING: 4, Weight.MAJOR: 2, Weight.MINOR: 1}
_HALVES = {Result.MET: 2, Result.PARTIALLY: 1, Result.NOT_MET: 0}


@dataclass(frozen=True, slots=True)
class AnswerState:
    """What counts of an answer.

    Parameters
    ----------
    question_id : str
    result, work_status
        What it says, and how far the work on it is.
    waived : bool
        A waiver that was accepted and has not expired stands for it.
    confirmed : bool
        False for an answer that was carried over from an earlier gate or version and not yet looked at again.
    has_evidence : bool
        Something that proves it stands under it and has not expired; the caller knows what counts.
    reason : str
        Why it does not apply. Needed for `Result.NOT_APPLICABLE` only.
    owner : str or None
        Who is to do what is left.
    """

    question_id: str
    result: Result = Result.NOT_ASSESSED
    work_status: WorkStatus = WorkStatus.TO_DO
    waived: bool = False
    confirmed: bool = True
    has_evidence: bool = False
    reason: str = ""
    owner: str | None = None


class Standing(StrEnum):
    """What an answer comes to."""

    SETTLED = "settled"
    WAIVED = "waived"
    OPEN = "open"
    FAILED = "failed"


class _Step(Enum):
    """The next step for a question that is not settled, in the order in which steps should be started."""

    REMEDY = 0  # what failed takes longest to put right
    COMPLETE = 1
    RUN = 2  # a machine can work while people answer
    ANSWER = 3
    PROVE = 4
    JUSTIFY = 5
    FINISH = 6
    CONFIRM = 7


_ADVICE = {
    _Step.REMEDY: "Put it right and answer again, or ask for a waiver with a compensating control.",
    _Step.COMPLETE: "Complete it, or ask for a waiver with a compensating control.",
    _Step.ANSWER: "Answer the question.",
    _Step.JUSTIFY: "Write down why it does not apply.",
    _Step.FINISH: "Finish the work and set its status to done.",
    _Step.CONFIRM: "Read the carried answer again, and confirm or change it.",
}
# Steps that one act can take for several questions; the others need thought for each question.
_SHARED = {_Step.RUN, _Step.FINISH, _Step.CONFIRM}


@dataclass(frozen=True, slots=True)
class Gap:
    """A question with which somebody still has to do something: why, and what."""

    question_id: str
    weight: Weight
    why: str
    what_to_do: str
    owner: str | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing to do, for one or several questions. ``owners`` is empty if nobody has been named."""

    what: str
    question_ids: tuple[str, ...]
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AreaReadiness:
    """How ready one area is.

    ``score`` goes from 0.0 (nothing shown) to 1.0 (everything met) and is ``None`` where every question was found not
    applicable: nothing is shown then, and nothing is missing.
    """

    area_id: str
    asked: int
    settled: int
    score: float | None
    gaps: tuple[Gap, ...]

    @property
    def progress(self) -> float:
        """The share of questions that are settled, 0.0 to 1.0."""
        return self.settled / self.asked

    @property
    def blockers(self) -> tuple[Gap, ...]:
        """The gaps that forbid approval."""
        return tuple(gap for gap in self.gaps if gap.weight is Weight.BLOCKING)


@dataclass(frozen=True, slots=True)
class Readiness:
    """How ready a model is at one gate, area by area and as a whole."""

    gate: Gate
    areas: tuple[AreaReadiness, ...]
    to_do: tuple[ToDo, ...]

    @property
    def asked(self) -> int:
        """How many questions are asked at this gate."""
        return sum(area.asked for area in self.areas)

    @property
    def settled(self) -> int:
        """How many of them are settled."""
        return sum(area.settled for area in self.areas)

    @property
    def progress(self) -> float:
        """The share of questions that are settled, 0.0 to 1.0."""
        return self.settled / self.asked

    @property
    def weakest(self) -> AreaReadiness | None:
        """The area with the lowest score, the first of several; ``None`` if no area has a score."""
        scored = [area for area in self.areas if area.score is not None]
        return min(scored, key=lambda area: area.score or 0.0, default=None)

    @property
    def score(self) -> float | None:
        """The score of the weakest area."""
        return self.weakest.score if self.weakest else None

    @property
    def blockers(self) -> tuple[Gap, ...]:
        """The gaps that forbid approval, in the order of the checklist."""
        return tuple(gap for area in self.areas for gap in area.blockers)

    @property
    def is_ready(self) -> bool:
        """Whether no blocking question is open or failed without a waiver."""
        return not self.blockers


def readiness(
    template: Template, gate: Gate, answers: Iterable[AnswerState], *, runnable: Mapping[str, str] | None = None
) -> Readiness:
    """Judge the answers of a review.

    A question is settled when a waiver stands for it, or when it is met, not met or partially met with its work done,
    looked at again if it was carried over, with evidence if it claims anything, and with a reason if it does not
    apply. On a blocking question *not met* and *partially* are never settled: they are put right or waived. The score
    of an area is the sum of 1 for met and 1/2 for partially over what is asked, each times its `IMPORTANCE`; not
    applicable leaves the sum; unfinished work counts 0; a waiver lifts the block and not the score.

    Parameters
    ----------
    template : Template
    gate : Gate
        Which questions are asked.
    answers : iterable of AnswerState
        In any order. A question without one is not assessed.
    runnable : mapping of str to str, optional
        The analyses that can be run, by key the title that people know; nobody is told to run another one. All, by
        their keys, if left out.

    Raises
    ------
    InvalidInput
        If nothing is asked at this gate, a question has two answers, or an answer is to a question not asked here.
    """
    asked = template.at(gate)
    if not asked:
        raise InvalidInput(f"The checklist {template.name} {template.version} asks nothing at the gate {gate}.")
    given = _by_question(answers, {question.id for question in asked}, gate)
    pairs = [(question, given.get(question.id, AnswerState(question.id))) for question in asked]
    by_area: dict[str, list[tuple[Question, AnswerState]]] = {}
    for question, answer in pairs:
        by_area.setdefault(template.area_of(question.id).id, []).append((question, answer))
    areas = tuple(_area(area_id, inside, runnable) for area_id, inside in by_area.items())
    return Readiness(gate, areas, _shortest([pair for pair in pairs if pair[0].is_blocking], runnable))


def standing(question: Question, answer: AnswerState) -> Standing:
    """Return what one answer comes to: failed is *not met* on a blocking question; see `readiness` for the rules."""
    found = _next_step(question, answer)
    if found is not None:
        return _standing_at(found[0])
    return Standing.WAIVED if answer.waived else Standing.SETTLED


def _standing_at(step: _Step) -> Standing:
    return Standing.FAILED if step is _Step.REMEDY else Standing.OPEN


def _by_question(answers: Iterable[AnswerState], asked: set[str], gate: Gate) -> dict[str, AnswerState]:
    given: dict[str, AnswerState] = {}
    for answer in answers:
        if answer.question_id in given:
            raise InvalidInput(f"Got two answers to the question {answer.question_id!r}, expected one.")
        if answer.question_id not in asked:
            raise InvalidInput(f"Got an answer to {answer.question_id!r}, which is not asked at the gate {gate}.")
        given[answer.question_id] = answer
    return given


def _area(
    area_id: str, inside: list[tuple[Question, AnswerState]], runnable: Mapping[str, str] | None
) -> AreaReadiness:
    gaps = tuple(gap for question, answer in inside if (gap := _gap(question, answer, runnable)))
    return AreaReadiness(area_id, len(inside), len(inside) - len(gaps), _score(inside), gaps)


def _score(inside: list[tuple[Question, AnswerState]]) -> float | None:
    # Whole numbers up to the division: the order of the answers cannot change the sum.
    reached = possible = 0
    for question, answer in inside:
        unfinished = _unfinished(question, answer) is not None
        if answer.result is Result.NOT_APPLICABLE and not unfinished:
            continue
        possible += 2 * IMPORTANCE[question.weight]
        reached += 0 if unfinished else _HALVES.get(answer.result, 0) * IMPORTANCE[question.weight]
    return reached / possible if possible else None


def _gap(question: Question, answer: AnswerState, runnable: Mapping[str, str] | None) -> Gap | None:
    found = _next_step(question, answer, runnable)
    if found is None:
        return None
    step, why = found
    advice = _advice(step, question, runnable)
    return Gap(question.id, question.weight, why, advice, answer.owner, _standing_at(step))


def _next_step(
    question: Question, answer: AnswerState, runnable: Mapping[str, str] | None = None
) -> tuple[_Step, str] | None:
    if answer.waived:
        return None
    if question.is_blocking and answer.result is Result.NOT_MET:
        return _Step.REMEDY, "It is not met, and it is blocking."
    unfinished = _unfinished(question, answer, runnable)
    if unfinished is None and question.is_blocking and answer.result is Result.PARTIALLY:
        return _Step.COMPLETE, "It is met only partially, and it is blocking."
    return unfinished


def _unfinished(
    question: Question, answer: AnswerState, runnable: Mapping[str, str] | None = None
) -> tuple[_Step, str] | None:
    """Return what is missing before the answer counts, whatever it says."""
    to_run = None if answer.has_evidence else _analysis_to_run(question, runnable)
    if answer.result is Result.NOT_ASSESSED:
        return (_Step.RUN if to_run else _Step.ANSWER), "It has not been assessed."
    if answer.result in {Result.MET, Result.PARTIALLY} and not answer.has_evidence:
        return (_Step.RUN if to_run else _Step.PROVE), "Nothing proves the answer."
    if answer.result is Result.NOT_APPLICABLE and not answer.reason.strip():
        return _Step.JUSTIFY, "No reason says why it does not apply."
    if answer.work_status is not WorkStatus.DONE:
        return _Step.FINISH, f"The work on it is not done; its status is '{answer.work_status}'."
    if not answer.confirmed:
        return _Step.CONFIRM, "The answer was carried over and has not been looked at again."
    return None


def _analysis_to_run(question: Question, runnable: Mapping[str, str] | None) -> str | None:
    """Return the analysis to start with, where an analysis and not a person's words is the first evidence asked for."""
    if question.evidence[0].kind is not EvidenceKind.RUN:
        return None
    return next((key for key in question.analyses if runnable is None or key in runnable), None)


def _advice(step: _Step, question: Question, runnable: Mapping[str, str] | None) -> str:
    if step is _Step.RUN:
        return f"Run {_titled(_analysis_to_run(question, runnable), runnable)} and answer from its result."
    if step is _Step.PROVE:
        return "Attach evidence: " + ", ".join(_evidence_words(need, runnable) for need in question.evidence) + "."
    return _ADVICE[step]


def _titled(key: str | None, titles: Mapping[str, str] | None) -> str:
    """Return an analysis as pages name it."""
    return f"“{(titles or {}).get(key or '', key)}”"


def _evidence_words(need: EvidenceNeed, titles: Mapping[str, str] | None) -> str:
    if need.kind is EvidenceKind.RUN:
        return f"the analysis {_titled(need.name, titles)}"
    return f"a {need.kind}" if need.name is None else f"the record “{need.name.replace('_', ' ')}”"


def _shortest(pairs: list[tuple[Question, AnswerState]], runnable: Mapping[str, str] | None) -> tuple[ToDo, ...]:
    groups: dict[tuple[int, str, str], list[tuple[Question, AnswerState]]] = {}
    for question, answer in pairs:
        found = _next_step(question, answer, runnable)
        if found is not None:
            step = found[0]
            own = "" if step in _SHARED else question.id
            groups.setdefault((step.value, _advice(step, question, runnable), own), []).append((question, answer))
    ordered = sorted(groups.items(), key=lambda item: item[0][0])
    return tuple(_to_do(what, inside) for (_, what, _), inside in ordered)


def _to_do(what: str, inside: list[tuple[Question, AnswerState]]) -> ToDo:
    owners = sorted({answer.owner for _, answer in inside if answer.owner})
    return ToDo(what, tuple(question.id for question, _ in inside), tuple(owners))
