"""Acceptance criteria of a model version: the bar, frozen before the result, and what is said where it moved after it.

A criterion is a demand on one metric in one slice of the data. Frozen, the criteria of a version are one record with
one digest; a later edit is a new record with the next number. A result stays judged by those that were frozen when the
run was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import not_
from typing import Literal, Self

from pydantic import Field, model_validator

from modelops.domain.digest import Digest
from modelops.domain.inventory import DatasetRole
from modelops.domain.judging import judge_rules, scope_words
from modelops.domain.metric_words import metric_name
from modelops.domain.policy import Rule
from modelops.domain.record import Record
from modelops.domain.result import AnalysisResult, Outcome, Scope, Verdict

PREFIX = "criteria."
MOST_CRITERIA = 50
SERVES = ("problem.done",)
EACH = ("group", "feature", "class")
"""The kinds of slices of which a criterion may want every one."""

_NAME = r"^[a-z][a-z0-9_]*$"


class Criterion(Record):
    """One demand: a metric in a slice keeps a bound.

    Attributes
    ----------
    scope, for_each
        The slice: exactly the measurement with ``scope`` (empty: all rows), or every one whose scope has these keys.
    at_least, at_most
        The bound; exactly one of them.
    margin
        How far beyond the bound a value may lie without mattering.
    minimum_sample
        From fewer rows nothing is accepted. 0: from any number.
    certain
        Whether the whole interval must keep the bound, and not the value alone.
    role, dataset
        On which data it is measured: data of this role, or exactly the table with this digest; any without them.
    why
        The reason for the bound.
    """

    name: str = Field(pattern=_NAME, max_length=80)
    analysis: str = Field(pattern=_NAME, max_length=40)
    metric: str = Field(pattern=_NAME, max_length=100)
    scope: Scope = Field(default_factory=dict)
    for_each: tuple[str, ...] = Field(default=(), max_length=2)
    at_least: float | None = None
    at_most: float | None = None
    margin: float = Field(default=0.0, ge=0)
    # Left out where they demand nothing: the digests of criteria that do without them stay what they were.
    minimum_sample: int = Field(default=0, ge=0, le=10**12, exclude_if=not_)
    certain: bool = Field(default=False, exclude_if=not_)
    role: DatasetRole | None = None
    dataset: Digest | None = None
    dataset_name: str = Field(default="", max_length=150)
    why: str = Field(min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self.rule()
        if unknown := set(self.for_each) - set(EACH):
            raise ValueError(f"a criterion can be for each {', '.join(EACH)}, not for each {min(unknown)}")
        return self

    def rule(self) -> Rule:
        """Return the rule that judges it; the verdict is the policy's in every way."""
        return Rule(
            id=PREFIX + self.name,
            analysis=self.analysis,
            metric=self.metric,
            scope=self.scope,
            for_each=self.for_each,
            at_least=self.at_least,
            at_most=self.at_most,
            margin=self.margin,
            minimum_sample=max(1, self.minimum_sample),
            certain=self.certain,
            why=self.why,
            serves=SERVES,
        )

    @property
    def slice(self) -> str:
        """Of which rows, in words."""
        if self.for_each:
            return f"each {' and '.join(self.for_each)}"
        return scope_words(self.scope).strip() or "all rows"

    @property
    def data(self) -> str:
        """On which data, in words."""
        if self.dataset is not None:
            return f"the dataset {self.dataset_name or self.dataset.short}"
        return f"{self.role} data" if self.role else "any data"

    @property
    def bound(self) -> str:
        """The bound with its margin, in words."""
        side = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        side += f" (margin {self.margin:g})" if self.margin else ""
        side += " with the whole interval" if self.certain else ""
        return f"{side}, from {self.minimum_sample:,} rows on" if self.minimum_sample else side

    @property
    def words(self) -> str:
        """The whole demand in a line.

        Examples
        --------
        >>> Criterion(name="r", analysis="performance", metric="recall", at_least=0.8, why="As good as by hand.").words
        'Recall, all rows: at least 0.8, on any data'
        """
        return f"{metric_name(self.metric)}, {self.slice}: {self.bound}, on {self.data}"

    def excuse(self, result: AnalysisResult, role: DatasetRole | None) -> str | None:
        """Return why it is not for this result, or ``None`` if it is."""
        data = result.inputs.get("data")
        if self.dataset is not None and (data is None or data.digest != self.dataset):
            return f"The criterion is for {self.data}; this run looked at another table."
        if self.role is not None and role is not self.role:
            return f"The criterion is for {self.data}; this run looked at {role or 'other'} data."
        return None


class Criteria(Record):
    """What a version must show, and the two numbers by which progress is told.

    ``primary`` is the name of the criterion whose metric decides; ``business`` says in words which number of the
    business should move, how it is measured and where it stands.
    """

    criteria: tuple[Criterion, ...] = Field(default=(), max_length=MOST_CRITERIA)
    primary: str | None = None
    business: str = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [one.name for one in self.criteria]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the criterion {twice[0]!r} stands twice")
        if self.primary is not None and self.primary not in names:
            raise ValueError(f"the primary metric {self.primary!r} is none of the criteria")
        return self

    def find(self, name: str | None) -> Criterion | None:
        """Return the criterion with this name, or ``None``."""
        return next((one for one in self.criteria if one.name == name), None)

    def for_analysis(self, key: str | None) -> Criteria:
        """Return those that results of one analysis are judged by; all for ``None``."""
        if key is None:
            return self
        return Criteria(criteria=tuple(one for one in self.criteria if one.analysis == key))


class CriteriaSet(Record):
    """The criteria of a version as they were frozen: this record is what the digest stands for."""

    schema_: Literal["modelops.criteria/1"] = Field(default="modelops.criteria/1", alias="schema")
    model: str
    version: str
    number: int = Field(ge=1)
    body: Criteria

    @property
    def digest(self) -> Digest:
        """The digest that a run remembers."""
        return Digest.of_json(self)


class BarChange(Record):
    """One criterion that is not as it was when the result was judged."""

    criterion: str
    old: str
    new: str


def judge_criteria(body: Criteria, result: AnalysisResult, *, role: DatasetRole | None) -> tuple[Verdict, ...]:
    """Return what the criteria say of a result of the analysis that they name.

    ``role`` is what the data of the run are for. A criterion for other data is not applicable, with the reason.
    """
    found: list[Verdict] = []
    for one in body.for_analysis(result.analysis).criteria:
        because = one.excuse(result, role)
        if because is None:
            found.extend(judge_rules((one.rule(),), result))
        else:
            rule, outcome = PREFIX + one.name, Outcome.NOT_APPLICABLE
            found.append(Verdict(rule=rule, verdict=outcome, because=because, metric=one.metric, scope=one.scope))
    return tuple(found)


def bar_changes(old: Criteria, new: Criteria) -> tuple[BarChange, ...]:
    """Return in words what of the criteria is not what it was, in the order of the old ones.

    Examples
    --------
    >>> demand = {"name": "r", "analysis": "performance", "metric": "recall", "why": "As good as by hand."}
    >>> was, now = Criterion(**demand, at_least=0.8), Criterion(**demand, at_least=0.7)
    >>> [change.new for change in bar_changes(Criteria(criteria=(was,)), Criteria(criteria=(now,)))]
    ['Recall, all rows: at least 0.7, on any data']
    """
    changes = []
    for name in _names(old, new):
        before, after = old.find(name), new.find(name)
        if before != after:
            changes.append(BarChange(criterion=name, old=_told(before, after), new=_told(after, before)))
    for name, was, now in (
        ("primary metric", old.primary, new.primary),
        ("business metric", old.business, new.business),
    ):
        if was != now:
            changes.append(BarChange(criterion=name, old=was or "not said", new=now or "not said"))
    return tuple(changes)


def _names(*sets: Criteria) -> Iterable[str]:
    return dict.fromkeys(one.name for body in sets for one in body.criteria)


def _told(one: Criterion | None, other: Criterion | None) -> str:
    """The criterion in words; with its reason where the reason alone differs."""
    if one is None:
        return "not asked for"
    return f"{one.words}. {one.why}" if other is not None and one.words == other.words else one.words
