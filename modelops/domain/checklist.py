"""The readiness checklist: gates, questions, what proves an answer, and the template that holds them.

A template is a YAML text (`load_template`). What a team says to its questions, and how ready that makes a model, is
in `modelops.domain.readiness`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, StringConstraints, field_validator, model_validator

from modelops.domain.columns import Task
from modelops.domain.digest import Digest
from modelops.domain.inventory import RiskTier
from modelops.domain.record import Record
from modelops.domain.review import EvidenceKind
from modelops.domain.strict_yaml import load_yaml
from modelops.errors import NotFound

MAX_QUESTIONS = 500

_NAME = r"[a-z][a-z0-9_]{0,63}"
_Name = Annotated[str, StringConstraints(pattern=f"^{_NAME}$")]
_QuestionId = Annotated[str, StringConstraints(pattern=rf"^{_NAME}\.{_NAME}$")]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
_Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=3000)]


class Gate(StrEnum):
    """When a question must be settled. Gates compare in the order in which a model passes them.

    Examples
    --------
    >>> Gate.INCEPTION < Gate.PRE_DEPLOYMENT < Gate.PERIODIC
    True
    """

    INCEPTION = "inception"
    PRE_DEPLOYMENT = "pre-deployment"
    PERIODIC = "periodic"

    @property
    def rank(self) -> int:
        """0 for the first gate."""
        return tuple(Gate).index(self)

    # Text would compare by the alphabet, and "periodic" stands before "pre-deployment" there.
    def __lt__(self, other: str) -> bool:
        return self.rank < Gate(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Gate(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Gate(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Gate(other).rank


class Weight(StrEnum):
    """How much a question weighs. An open or failed blocking one forbids approval unless it is waived."""

    BLOCKING = "blocking"
    MAJOR = "major"
    MINOR = "minor"


class Result(StrEnum):
    """What the answer says."""

    MET = "met"
    PARTIALLY = "partially"
    NOT_MET = "not met"
    NOT_APPLICABLE = "not applicable"
    NOT_ASSESSED = "not assessed"


class WorkStatus(StrEnum):
    """How far the work on the answer is; kept apart from what the answer says."""

    TO_DO = "to do"
    IN_PROGRESS = "in progress"
    IN_REVIEW = "in review"
    DONE = "done"


_NAMED_KINDS = {"analysis": EvidenceKind.RUN, "record": EvidenceKind.RECORD}
_PLAIN_KINDS = {"file": EvidenceKind.FILE, "link": EvidenceKind.LINK, "text": EvidenceKind.TEXT}


class EvidenceNeed(Record):
    """One way to prove an answer.

    ``name`` is the key of the analysis for an analysis run, the name of the record for a record that the app knows,
    and ``None`` for what a person attaches. In YAML a need is one entry, such as ``analysis:fairness: What it shows.``
    """

    kind: EvidenceKind
    name: _Name | None = None
    description: _Line

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.name is not None) != (self.kind in _NAMED_KINDS.values()):
            raise ValueError(f"evidence of the kind {self.kind!s} {'needs a' if self.name is None else 'has no'} name")
        return self

    @property
    def label(self) -> str:
        """The form in the YAML text: ``analysis:fairness``, ``record:monitor``, ``file``."""
        words = [word for word, kind in _NAMED_KINDS.items() if kind is self.kind]
        return f"{words[0]}:{self.name}" if words else str(self.kind)


def _need(label: object, description: object) -> dict[str, object]:
    word, colon, name = str(label).partition(":")
    if colon and word in _NAMED_KINDS:
        return {"kind": _NAMED_KINDS[word], "name": name, "description": description}
    if label in _PLAIN_KINDS:
        return {"kind": _PLAIN_KINDS[str(label)], "description": description}
    known = ", ".join([*(f"{word}:NAME" for word in _NAMED_KINDS), *_PLAIN_KINDS])
    raise ValueError(f"got {label!r} as evidence, expected one of {known}")


@dataclass(frozen=True)
class Circumstances:
    """What is known of a model when a checklist is laid out for it. ``None``: not known, and then nothing follows."""

    task: Task | None = None
    risk_tier: RiskTier | None = None
    has_sensitive: bool | None = None


class Condition(Record):
    """For which models a question is meant. All parts that are given must hold."""

    task: tuple[Task, ...] | None = Field(default=None, min_length=1)
    risk_tier: tuple[RiskTier, ...] | None = Field(default=None, min_length=1)
    has_sensitive: StrictBool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.task is None and self.risk_tier is None and self.has_sensitive is None:
            raise ValueError("a condition needs at least one of task, risk_tier and has_sensitive")
        return self

    def contradiction(self, found: Circumstances) -> str | None:
        """Return why the question is not meant for such a model; ``None`` if it is, or if that is not known.

        Examples
        --------
        >>> Condition(task=("classification",)).contradiction(Circumstances(task=Task.REGRESSION))
        'It is asked of models for classification; this one is for regression.'
        >>> Condition(task=("classification",)).contradiction(Circumstances()) is None
        True
        """
        if self.task and found.task and found.task not in self.task:
            return f"It is asked of models for {' or '.join(self.task)}; this one is for {found.task}."
        if self.risk_tier and found.risk_tier and found.risk_tier not in self.risk_tier:
            return f"It is asked at the risk tier {' or '.join(self.risk_tier)}; this model has {found.risk_tier}."
        if None not in (self.has_sensitive, found.has_sensitive) and self.has_sensitive != found.has_sensitive:
            words = ("without", "with") if self.has_sensitive is False else ("with", "without")
            return f"It is asked of models {words[0]} sensitive columns; this one is {words[1]} them."
        return None


class Question(Record):
    """One question. The id is ``section.name`` and stable for ever: records refer to it."""

    id: _QuestionId
    text: _Line
    gate: Gate
    weight: Weight
    evidence: tuple[EvidenceNeed, ...] = Field(min_length=1)
    help: _Paragraph
    good_evidence: _Paragraph
    what_goes_wrong: _Paragraph
    when: Condition | None = None

    @field_validator("evidence", mode="before")
    @classmethod
    def _from_mapping(cls, value: Any) -> Any:
        return [_need(label, text) for label, text in value.items()] if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _each_evidence_once(self) -> Self:
        _once([need.label for need in self.evidence], "evidence")
        return self

    @property
    def section_id(self) -> str:
        """The section that it belongs to."""
        return self.id.partition(".")[0]

    @property
    def is_blocking(self) -> bool:
        """Whether an open or failed answer forbids approval."""
        return self.weight is Weight.BLOCKING

    @property
    def analyses(self) -> tuple[str, ...]:
        """The keys of the analyses that are evidence for it, in the order of the template."""
        return tuple(need.name for need in self.evidence if need.kind is EvidenceKind.RUN and need.name)


class Section(Record):
    """Questions that belong together. An area without subsections has one section, with its own id and title."""

    id: _Name
    title: _Line
    questions: tuple[Question, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _own_questions(self) -> Self:
        for question in self.questions:
            if question.section_id != self.id:
                raise ValueError(f"the id of question {question.id!r} must begin with its section, {self.id!r}")
        return self


class Area(Record):
    """One of the large questions. Readiness is judged area by area."""

    id: _Name
    title: _Line
    sections: tuple[Section, ...] = Field(min_length=1)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions of all sections, in order."""
        return tuple(question for section in self.sections for question in section.questions)


class Template(Record):
    """A version of a checklist."""

    name: _Name
    title: _Line
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){0,2}$")]
    areas: tuple[Area, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        _once([area.id for area in self.areas], "area")
        _once([section.id for area in self.areas for section in area.sections], "section")
        _once([question.id for question in self.questions], "question")
        if len(self.questions) > MAX_QUESTIONS:
            raise ValueError(f"got {len(self.questions)} questions, at most {MAX_QUESTIONS} are possible")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a changed copy that is checked again, so that it does not keep the digest of the original."""
        del deep  # what is frozen is shared
        return type(self).model_validate(self.model_dump() | dict(update or {}))

    @cached_property
    def digest(self) -> Digest:
        """The digest of the content: comments and layout of the YAML text do not count, every word does."""
        return Digest.of_json(self)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions, in order."""
        return tuple(question for area in self.areas for question in area.questions)

    def at(self, gate: Gate) -> tuple[Question, ...]:
        """Return the questions that are asked at ``gate``: its own, and once more those of every earlier gate."""
        return self._at[gate]

    def question(self, question_id: str) -> Question:
        """Return one question.

        Raises
        ------
        NotFound
            If there is none with this id.
        """
        return self._places[self._known(question_id)][2]

    def section_of(self, question_id: str) -> Section:
        """Return the section of a question; raises as `question`."""
        return self._places[self._known(question_id)][1]

    def area_of(self, question_id: str) -> Area:
        """Return the area of a question; raises as `question`."""
        return self._places[self._known(question_id)][0]

    @cached_property
    def numbers(self) -> dict[str, str]:
        """The numbers that people see, by section id: ``"2"``, or ``"4a"`` where an area has several sections."""
        return {
            section.id: f"{number}{chr(ord('a') + index) if len(area.sections) > 1 else ''}"
            for number, area in enumerate(self.areas, start=1)
            for index, section in enumerate(area.sections)
        }

    def suggestions(self, gate: Gate, found: Circumstances) -> dict[str, str]:
        """Return, by question id, why a question seems not applicable to such a model. A person decides."""
        told = ((q.id, q.when.contradiction(found)) for q in self.at(gate) if q.when)
        return {question_id: reason for question_id, reason in told if reason}

    @cached_property
    def _at(self) -> dict[Gate, tuple[Question, ...]]:
        return {gate: tuple(question for question in self.questions if question.gate <= gate) for gate in Gate}

    @cached_property
    def _places(self) -> dict[str, tuple[Area, Section, Question]]:
        return {q.id: (area, section, q) for area in self.areas for section in area.sections for q in section.questions}

    def _known(self, question_id: str) -> str:
        if question_id not in self._places:
            raise NotFound(f"The checklist {self.name} {self.version} has no question {question_id!r:.80}.")
        return question_id


def _once(names: list[str], what: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"the {what} {repeated[0]!r} stands {Counter(names)[repeated[0]]} times")


@lru_cache(maxsize=32)
def load_template(text: str) -> Template:
    """Return the template in a YAML text. The same text is read once in a process.

    Raises
    ------
    InvalidInput
        If the text is not strict YAML, a field is missing, unknown or of the wrong kind, or an id is repeated; the
        message names the place.
    """
    return load_yaml(text, Template, what="checklist template")
