"""The answers of the example, read from ``data/demo`` and completed with the figures that the training measured."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter
from typing import Self

from pydantic import Field, model_validator

from modelops.domain.checklist import Result, WorkStatus
from modelops.domain.record import Record
from modelops.domain.strict_yaml import load_yaml
from modelops.errors import InvalidInput
from modelops.settings import DATA

FOLDER = DATA / "demo"
Figures = dict[str, float | int | str]


class Proof(Record):
    """One piece of evidence: exactly one of a file, a link, a text, a record and an analysis run."""

    title: str = Field(default="", max_length=150)
    file: str | None = None
    link: str | None = None
    text: str | None = None
    record: str | None = None
    run: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [self.file, self.link, self.text, self.record, self.run]
        if sum(value is not None for value in given) != 1:
            raise ValueError("evidence has exactly one of file, link, text, record and run")
        if (self.link or self.text or self.record) and not self.title:
            raise ValueError("a link, a text and a record need a title")
        return self


class GivenAnswer(Record):
    """What the team says to one question."""

    result: Result
    text: str
    work_status: WorkStatus = WorkStatus.DONE
    evidence: tuple[Proof, ...] = ()


class GivenAnswers(Record):
    """The answers to one checklist, by question id."""

    answers: dict[str, GivenAnswer]


class _Texts(Record):
    texts: dict[str, str]


def texts_of(name: str) -> dict[str, str]:
    """Return the texts in ``data/demo/NAME.yaml``, figures not filled in.

    Raises
    ------
    InvalidInput
        If the file is not of this form.
    """
    return load_yaml((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), _Texts, what=f"example {name}").texts


def answers_of(name: str, figures: Figures) -> dict[str, GivenAnswer]:
    """Return the answers in ``data/demo/NAME.yaml`` with the figures filled in.

    Raises
    ------
    InvalidInput
        If the file is not of this form, or a text quotes a figure that does not exist.
    """
    read = load_yaml((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), GivenAnswers, what=f"example {name}")
    return {question: _completed(given, figures) for question, given in read.answers.items()}


def figures_in(folder: Path) -> Figures:
    """Return the figures that the training wrote into ``folder``."""
    found: Figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    return found


class _InWords(Formatter):
    """Writes shares with a space before the sign, as every other text here does."""

    def format_field(self, value: object, format_spec: str) -> str:
        """Return one figure."""
        words = str(super().format_field(value, format_spec))
        return f"{words[:-1]} %" if format_spec.endswith("%") else words


def completed(text: str, figures: Figures) -> str:
    """Return a text with its figures.

    Raises
    ------
    InvalidInput
        If it quotes a figure that does not exist, or in a form that does not fit.

    Examples
    --------
    >>> completed("{flagged:.1%} of {rows:,} loans", {"flagged": 0.1706, "rows": 2527})
    '17.1 % of 2,527 loans'
    """
    try:
        return _InWords().vformat(text, (), figures)
    except (KeyError, ValueError) as error:
        raise InvalidInput(f"The text {text[:60]!r} quotes a figure that cannot be shown: {error}.") from error


def _completed(given: GivenAnswer, figures: Figures) -> GivenAnswer:
    proofs = tuple(
        proof.model_copy(
            update={
                name: completed(value, figures)
                for name in ("text", "record")
                if (value := getattr(proof, name)) is not None
            }
        )
        for proof in given.evidence
    )
    return given.model_copy(update={"text": completed(given.text, figures), "evidence": proofs})
