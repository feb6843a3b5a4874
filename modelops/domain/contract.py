"""A data contract: what is assumed of a table, as checks that can be run on every batch.

A rule says what is demanded, a check adds why, who accepted it and how often it would alarm without cause, a contract
is a list of checks under a name and a version. The canonical JSON form of a contract is its identity: results,
versions and exports name its digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, Literal, Self

import pydantic
from pydantic import Field, StringConstraints, model_validator

from modelops.domain.canonical import canonical_bytes
from modelops.domain.columns import ValueKind
from modelops.domain.digest import Digest
from modelops.domain.instant import Instant, instant
from modelops.domain.record import Record
from modelops.errors import InvalidInput, NotFound

CONTRACT_SCHEMA: Final = "modelops.contract/1"
MOST_CHECKS = 5_000
MOST_VALUES = 1_000
LONGEST_LEVEL = 500
LONGEST_CONTRACT = 2_000_000
_LONGEST_TITLE = 1_180

_Column = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Text = Annotated[str, StringConstraints(max_length=2_000)]
_Share = Annotated[float, Field(ge=0, lt=1)]
Bound = float | str | None

_TOLERATED = "Share of the rows that may break the rule without an alarm."


class TypeRule(Record):
    """The column is there and its values are of one kind. A column that is not ``required`` may be absent."""

    kind: Literal["type"] = "type"
    column: _Column
    type: ValueKind
    required: bool = True


class RangeRule(Record):
    """Values lie between two bounds, both included: numbers, or dates written as in 2026-11-23."""

    kind: Literal["range"] = "range"
    column: _Column
    low: Bound = None
    high: Bound = None
    tolerated: _Share = Field(default=0.0, description=_TOLERATED)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        ends = [end for end in (self.low, self.high) if end is not None]
        if not ends:
            raise ValueError("a range has at least one of low and high")
        if len({isinstance(end, str) for end in ends}) > 1:
            raise ValueError("one end of the range is a number, the other one a date")
        for end in ends:
            if isinstance(end, str):
                seconds(end)
        if len(ends) == 2 and not _position(ends[0]) <= _position(ends[1]):
            raise ValueError(f"the range begins at {ends[0]} and ends at {ends[1]}")
        return self

    @property
    def is_of_dates(self) -> bool:
        """Whether the bounds are dates."""
        return isinstance(self.low, str) or isinstance(self.high, str)


class AllowedRule(Record):
    """Values are among those listed, as text: 1 and 1.0 are both ``"1"``."""

    kind: Literal["allowed values"] = "allowed values"
    column: _Column
    values: tuple[str, ...] = Field(min_length=1, max_length=MOST_VALUES)
    tolerated: _Share = Field(default=0.0, description=_TOLERATED)


class UniqueRule(Record):
    """No value occurs twice in a table."""

    kind: Literal["unique"] = "unique"
    column: _Column


class MissingRule(Record):
    """At most this share of the rows has no value."""

    kind: Literal["missing rate"] = "missing rate"
    column: _Column
    at_most: float = Field(ge=0, le=1)


class ComparisonRule(Record):
    """In every row one column stands to another one as ``operator`` says; rows that lack either are not judged."""

    kind: Literal["comparison"] = "comparison"
    column: _Column
    operator: Literal["<=", "<", "="]
    other: _Column
    tolerated: _Share = Field(default=0.0, description=_TOLERATED)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.column == self.other:
            raise ValueError("a column is compared with another one, not with itself")
        return self


class PresenceRule(Record):
    """Where column ``when`` holds the value ``equals``, ``column`` has a value; or, if not ``present``, has none."""

    kind: Literal["presence"] = "presence"
    column: _Column
    present: bool = True
    when: _Column
    equals: str = Field(max_length=LONGEST_LEVEL)
    tolerated: _Share = Field(default=0.0, description=_TOLERATED)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.column == self.when:
            raise ValueError("the condition is about another column than the value")
        return self


Rule = Annotated[
    TypeRule | RangeRule | AllowedRule | UniqueRule | MissingRule | ComparisonRule | PresenceRule,
    Field(discriminator="kind"),
]


def columns_of(rule: Rule) -> tuple[str, ...]:
    """Return the columns that a rule looks at."""
    if isinstance(rule, ComparisonRule):
        return rule.column, rule.other
    return (rule.column, rule.when) if isinstance(rule, PresenceRule) else (rule.column,)


def tolerated_share(rule: Rule) -> float:
    """Return the share of rows that may break a rule before it counts as broken."""
    if isinstance(rule, MissingRule):
        return rule.at_most
    return 0.0 if isinstance(rule, TypeRule | UniqueRule) else rule.tolerated


def demand(rule: Rule) -> str:
    """Return what a rule demands, for people.

    Examples
    --------
    >>> demand(RangeRule(column="age", low=18, high=100))
    'from 18 to 100'
    >>> demand(ComparisonRule(column="paid", operator="<=", other="owed"))
    'paid is at most owed'
    """
    words = _demand(rule)
    share = 0.0 if isinstance(rule, MissingRule) else tolerated_share(rule)
    return f"{words}, but for {100 * share:.3g} % of the rows" if share else words


def _demand(rule: Rule) -> str:
    match rule:
        case TypeRule():
            words = rule.type.value if rule.required else f"{rule.type.value}, if the column is there"
        case RangeRule():
            words = _between(rule.low, rule.high)
        case AllowedRule():
            more = f" and {len(rule.values) - 8} more" if len(rule.values) > 8 else ""
            words = f"one of {', '.join(rule.values[:8])}{more}"
        case UniqueRule():
            words = "no value twice"
        case MissingRule():
            words = f"at most {100 * rule.at_most:.3g} % missing" if rule.at_most else "never missing"
        case ComparisonRule():
            compared = {"<=": "is at most", "<": "is below", "=": "equals"}[rule.operator]
            words = f"{rule.column} {compared} {rule.other}"
        case PresenceRule():
            often = "never" if rule.present else "always"
            words = f"{rule.column} is {often} missing where {rule.when} is {rule.equals}"
    return words


def _between(low: Bound, high: Bound) -> str:
    if low is None or high is None:
        return f"at most {_shown(high)}" if low is None else f"at least {_shown(low)}"
    return f"from {_shown(low)} to {_shown(high)}"


def _shown(end: Bound) -> str:
    return f"{end:.12g}" if isinstance(end, float | int) else str(end)


def title(rule: Rule) -> str:
    """Return a name for a check with this rule.

    Examples
    --------
    >>> title(UniqueRule(column="case")), title(ComparisonRule(column="a", operator="<=", other="b"))
    ('case: unique', 'a <= b')
    """
    if isinstance(rule, ComparisonRule):
        return f"{rule.column} {rule.operator} {rule.other}"
    if isinstance(rule, PresenceRule):
        return f"{rule.column}: {'present' if rule.present else 'missing'} where {rule.when} is {rule.equals}"
    return f"{rule.column}: {rule.kind}"


def seconds(text: str) -> float:
    """Return a date or a point in time (UTC) as seconds since 1970.

    Raises
    ------
    ValueError
        If it is not written as in 2026-11-23 or 2026-11-23T09:30.

    Examples
    --------
    >>> seconds("1970-01-02")
    86400.0
    """
    from datetime import UTC

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is neither a number nor a date such as 2026-11-23") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _position(end: float | str) -> float:
    return seconds(end) if isinstance(end, str) else end


class FalseAlarms(Record):
    """In how many batches of rows that nothing was learned from the check would have alarmed."""

    alarms: int = Field(ge=0)
    batches: int = Field(ge=1)
    batch_rows: int = Field(ge=1)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.alarms > self.batches:
            raise ValueError(f"{self.alarms} alarms in {self.batches} batches")
        return self

    @property
    def rate(self) -> float:
        """Alarms for each batch."""
        return self.alarms / self.batches


class Check(Record):
    """One assumption: what is demanded, why, where it comes from, who accepted it.

    ``accepted_by`` is the printed name of the person who accepted it; a change takes the acceptance away.
    """

    id: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_TITLE + 20)]
    rule: Rule
    why: _Text
    origin: Literal["learned", "stated"] = "stated"
    false_alarms: FalseAlarms | None = None
    accepted_by: str | None = None
    accepted_at: Instant | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.accepted_by is None) != (self.accepted_at is None):
            raise ValueError(f"check {self.id!r}: who accepted it and when come together")
        return self

    @property
    def is_accepted(self) -> bool:
        """Whether a person has accepted it."""
        return self.accepted_by is not None

    def accepted(self, by: str, *, at: datetime) -> Check:
        """Return the check with a person's acceptance."""
        return self.model_copy(update={"accepted_by": by, "accepted_at": instant(at)})


class Contract(Record):
    """Checks under a name. ``version`` counts what was published; 0 is a draft that never was."""

    schema_: Literal["modelops.contract/1"] = Field(default=CONTRACT_SCHEMA, alias="schema")
    name: str = Field(min_length=1, max_length=150)
    version: int = Field(default=0, ge=0)
    checks: tuple[Check, ...] = Field(default=(), max_length=MOST_CHECKS)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        seen: set[str] = set()
        for check in self.checks:
            if check.id in seen:
                raise ValueError(f"the check {check.id!r} stands twice")
            seen.add(check.id)
        return self

    @property
    def digest(self) -> Digest:
        """The digest of the canonical form."""
        return Digest.of_json(self)

    @property
    def text(self) -> str:
        """The canonical JSON form."""
        return canonical_bytes(self).decode()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a check looks at, once."""
        return tuple(dict.fromkeys(name for check in self.checks for name in columns_of(check.rule)))

    def check(self, check_id: str) -> Check:
        """Return one check.

        Raises
        ------
        NotFound
            If there is none with this id.
        """
        found = next((check for check in self.checks if check.id == check_id), None)
        if found is None:
            raise NotFound(f"The contract has no check {check_id!r}.")
        return found

    def free_id(self, rule: Rule) -> str:
        """Return a name for a new check that no other check has."""
        taken, wanted = {check.id for check in self.checks}, title(rule)[:_LONGEST_TITLE]
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted} ({number})", number + 1
        return name

    def with_check(self, check: Check) -> Contract:
        """Return the contract with ``check`` in the place of the one with its id, or at the end."""
        if any(each.id == check.id for each in self.checks):
            return self._with(check if each.id == check.id else each for each in self.checks)
        return self._with((*self.checks, check))

    def with_checks(self, changed: Iterable[Check]) -> Contract:
        """Return the contract with checks in the places of those with their ids, read once however many they are."""
        by_id = {check.id: check for check in changed}
        return self._with(by_id.get(each.id, each) for each in self.checks)

    def without(self, check_id: str) -> Contract:
        """Return the contract without one check."""
        self.check(check_id)
        return self._with(each for each in self.checks if each.id != check_id)

    def _with(self, checks: Iterable[Check]) -> Contract:
        return load_contract(self.model_copy(update={"checks": tuple(checks)}).text)


def load_contract(text: str) -> Contract:
    """Read a contract from JSON.

    Raises
    ------
    InvalidInput
        If it is too long, is not JSON, or does not hold together; the message names the place.
    """
    if len(text) > LONGEST_CONTRACT:
        raise InvalidInput(f"This contract has {len(text):,} characters; at most {LONGEST_CONTRACT:,} are possible.")
    try:
        return Contract.model_validate_json(text)
    except pydantic.ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the text"
        raise InvalidInput(f"This is no data contract: {place}: {problem['msg']}.") from error


_RULES: pydantic.TypeAdapter[Rule] = pydantic.TypeAdapter(Rule)


def make_rule(kind: str, **fields: object) -> Rule:
    """Return a rule from what a person typed.

    Raises
    ------
    InvalidInput
        If something is missing or does not hold together; the message names it.

    Examples
    --------
    >>> make_rule("range", column="age", low=18.0).low
    18.0
    """
    try:
        return _RULES.validate_python({"kind": kind, **fields})
    except pydantic.ValidationError as error:
        problem = error.errors()[0]
        place = str(problem["loc"][-1]).replace("_", " ") if len(problem["loc"]) > 1 else "The check"
        text = problem["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{place[0].upper()}{place[1:]}: {text}.") from error
