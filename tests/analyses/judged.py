"""What the policy that comes with the app says of a computation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from modelops.analyses.base import Computed
from modelops.domain.columns import Task
from modelops.domain.digest import Digest
from modelops.domain.judging import judge_rules
from modelops.domain.policy import Policy, load_policy
from modelops.domain.result import AnalysisResult, InputRecord, Protection, Verdict

_DEFAULT = Path(__file__).parents[2] / "data" / "policies" / "default.yaml"


@cache
def default_policy() -> Policy:
    """Return the policy that comes with the app."""
    return load_policy(_DEFAULT.read_text(encoding="utf-8"))


def verdicts(
    found: Computed, rule_id: str, *, task: Task = Task.CLASSIFICATION, roles: Mapping[str, str] | None = None
) -> list[Verdict]:
    """Return the verdicts of one rule of that policy; ``roles`` is what the columns are for, in words."""
    rule = default_policy().rule(rule_id)
    assert rule is not None
    return list(judge_rules([rule], result_of(found, rule.analysis, task=task, roles=roles)))


def result_of(found: Computed, key: str, *, task: Task, roles: Mapping[str, str] | None = None) -> AnalysisResult:
    """Return what would be judged."""
    data = InputRecord(digest=Digest.of(b"data"), roles=dict(roles or {}))
    return AnalysisResult(
        analysis=key,
        inputs={"data": data},
        task=task,
        parameters={},
        seed=0,
        environment={},
        protection=Protection(level="C"),
        summary=found.summary,
        measurements=found.measurements,
    )
