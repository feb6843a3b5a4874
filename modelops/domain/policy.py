"""What is demanded: rules for measurements, signatures and waivers, written in one file and judged in one place.

An analysis measures and holds no threshold; a rule holds one and says why. A rule fails a measurement only where the
violation is both real (its interval excludes the limit, or its adjusted p-value is small) and material (beyond the
margin), so that large tables do not fail for trifles and small ones not for noise.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from modelops.domain.columns import ColumnRole, Task
from modelops.domain.digest import Digest
from modelops.domain.inventory import RiskTier
from modelops.domain.judging import judge, not_run
from modelops.domain.people import SIGNING_ROLES, Role
from modelops.domain.record import Record
from modelops.domain.result import Scope
from modelops.domain.review import Meaning
from modelops.domain.strict_yaml import load_yaml

__all__ = ["MOST_RULES", "Policy", "Rule", "SignatureRule", "Significance", "judge", "load_policy", "not_run"]

MOST_RULES = 500

_NAME = r"^[a-z][a-z0-9_]*$"


class Significance(Record):
    """The measurement, in the same scope, that says whether a violation is real: a p-value below ``alpha``."""

    metric: str = Field(pattern=_NAME, max_length=100)
    alpha: float = Field(default=0.05, gt=0, lt=1)


class Rule(Record):
    """One demand on one metric.

    Attributes
    ----------
    metric, or_metric
        What is judged; ``or_metric`` where the first was not measured in a scope.
    for_each
        The keys of the scopes that are judged one by one: ``feature`` judges every measurement whose scope is
        ``{"feature": ...}``, or that and a class. Empty: the one measurement with exactly ``scope``.
    by_class
        Whether a rule without ``for_each`` also judges what has ``scope`` and a class: with more than two classes an
        analysis may look at one class after the other, and then measures nothing over all of them.
    at_least, at_most
        The limit; exactly one of them. A value on the good side never fails, however far it is.
    margin
        How far beyond the limit a value may lie without mattering.
    significance
        Decides whether a violation is real; without it the interval of the measurement does, and without an interval
        (an exact figure) every violation is real.
    certain
        Whether the whole interval must keep the limit, not the value alone.
    minimum_sample
        Below it there is not enough data, whatever the value.
    roles
        Only columns that have one of these roles are judged; all where no column has one (nobody said what the columns
        are for), or where the rule names none. For measurements whose scope names a ``feature``.
    task
        The task that the rule is for; for the other one it is not applicable.
    why
        The reason for the number, shown to people.
    serves
        Ids of the checklist questions that the verdict is evidence for.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_.-]*$", max_length=100)
    analysis: str = Field(pattern=_NAME, max_length=100)
    metric: str = Field(pattern=_NAME, max_length=100)
    or_metric: str | None = Field(default=None, pattern=_NAME, max_length=100)
    for_each: tuple[str, ...] = ()
    scope: Scope = Field(default_factory=dict)
    by_class: bool = False
    at_least: float | None = None
    at_most: float | None = None
    margin: float = Field(default=0.0, ge=0)
    significance: Significance | None = None
    certain: bool = False
    minimum_sample: int = Field(default=1, ge=1)
    roles: tuple[ColumnRole, ...] = ()
    task: Task | None = None
    why: str = Field(min_length=1, max_length=2000)
    serves: tuple[str, ...] = ()

    @field_validator("for_each", "roles", "serves", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a rule has exactly one of at_least and at_most")
        if self.for_each and self.scope:
            raise ValueError("a rule has either for_each or scope, not both")
        if self.for_each and self.by_class:
            raise ValueError("a rule with for_each judges classes anyway; by_class is for rules without")
        if self.roles and "feature" not in self.for_each:
            raise ValueError("roles are for rules that judge each feature")
        return self

    @property
    def limit(self) -> float:
        """The limit, whichever side it is on."""
        return self.at_most if self.at_most is not None else float(self.at_least or 0.0)

    def excess(self, value: float) -> float:
        """Return how far ``value`` lies beyond the limit; zero or less where it keeps it."""
        return value - self.at_most if self.at_most is not None else float(self.at_least or 0.0) - value

    def applies_to(self, scope: Scope) -> bool:
        """Say whether a measurement with this scope is judged by this rule."""
        if not self.for_each:
            rest = {key: value for key, value in scope.items() if key != "class"} if self.by_class else scope
            return self.scope in (scope, rest)
        return set(self.for_each) <= set(scope) <= {*self.for_each, "class"}


class SignatureRule(Record):
    """One signature that a review needs: by whom, and what it says."""

    role: Role
    meaning: Meaning

    @model_validator(mode="after")
    def _may_sign(self) -> Self:
        if self.role not in SIGNING_ROLES:
            raise ValueError(f"the role {self.role} may not sign; {' or '.join(sorted(SIGNING_ROLES))} may")
        return self


class Policy(Record):
    """Everything that is demanded of a review, in one version.

    ``signatures`` says for each risk tier who must sign, ``approval_valid_days`` how long an approval holds,
    ``waiver_max_days`` how long a waiver may, and ``waiver_right`` which role grants one.
    """

    name: str = Field(min_length=1, max_length=100)
    version: str = Field(min_length=1, max_length=50)
    rules: tuple[Rule, ...] = Field(max_length=MOST_RULES)
    signatures: dict[RiskTier, tuple[SignatureRule, ...]]
    approval_valid_days: dict[RiskTier, int]
    waiver_max_days: dict[RiskTier, int]
    waiver_right: Role = Role.APPROVER

    @model_validator(mode="after")
    def _sound(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"the rule {twice[0]!r} stands twice")
        for name in ("signatures", "approval_valid_days", "waiver_max_days"):
            if absent := [tier for tier in RiskTier if tier not in getattr(self, name)]:
                raise ValueError(f"{name} says nothing of the risk tier {absent[0]}")
        for tier, needed in self.signatures.items():
            if not any(rule.meaning is Meaning.APPROVAL for rule in needed):
                raise ValueError(f"the risk tier {tier} needs at least one signature with the meaning approval")
        for name, most in (("approval_valid_days", 3650), ("waiver_max_days", 1095)):
            for tier, days in getattr(self, name).items():
                if not 1 <= days <= most:
                    raise ValueError(f"{name} of the risk tier {tier} is {days}, expected 1 to {most}")
        return self

    @property
    def digest(self) -> Digest:
        """The digest of the content, whatever the layout of the file it came from."""
        return Digest.of_json(self)

    def signatures_for(self, tier: RiskTier) -> tuple[SignatureRule, ...]:
        """Return the signatures that a model of this tier needs."""
        return self.signatures[tier]

    def rules_for(self, analysis: str) -> tuple[Rule, ...]:
        """Return the rules for the results of one analysis."""
        return tuple(rule for rule in self.rules if rule.analysis == analysis)

    def rule(self, rule_id: str) -> Rule | None:
        """Return one rule, or ``None`` if this policy does not have it."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def load_policy(text: str) -> Policy:
    """Read a policy from YAML.

    Raises
    ------
    TooLarge
        If the text is too long, too deep or has too many entries.
    InvalidInput
        If it is not plain YAML, has unknown or missing fields, or contradicts itself; the message names the place.
    """
    return load_yaml(text, Policy, what="policy")
