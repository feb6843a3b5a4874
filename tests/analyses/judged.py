"""What the policy that comes with the app says of a computation."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from modelops.analyses.base import Computed
from modelops.domain.columns import Task
from modelops.domain.judging import judge_rules
from modelops.domain.policy import Policy, load_policy
from modelops.domain.result import AnalysisResult, Protection, Verdict

_DEFAULT = Path(__file__).parents[2] / "data" / "policies" / "default.yaml"


@cache
def default_policy() -> Policy:
    """Return the policy that comes with the app."""
    return load_policy(_DEFAULT.read_text(encoding="utf-8"))


def verdicts(found: Computed, rule_id: str, *, task: Task = Task.CLASSIFICATION) -> list[Verdict]:
    """Return the verdicts of one rule of that policy."""
    rule = default_policy().rule(rule_id)
    assert rule is not None
    return list(judge_rules([rule], result_of(found, rule.analysis, task=task)))


def result_of(found: Computed, key: str, *, task: Task) -> AnalysisResult:
    """Return what would be judged."""
    return AnalysisResult(
        analysis=key,
        inputs={},
        task=task,
        parameters={},
        seed=0,
        environment={},
        protection=Protection(level="C"),
        summary=found.summary,
        measurements=found.measurements,
    )
