"""A policy's verdicts on one result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from modelops.domain.columns import ColumnRole
from modelops.domain.metric_words import metric_name, metric_phrase
from modelops.domain.number_words import quantity
from modelops.domain.result import AnalysisResult, Measurement, Outcome, Scope, Verdict

if TYPE_CHECKING:  # `policy` hands this out: it imports this module, not the other way round.
    from modelops.domain.policy import Policy, Rule

# By whether a violation is real, and whether it is material.
_VIOLATIONS = {
    (True, True): (Outcome.FAILED, ""),
    (True, False): (Outcome.IMMATERIAL, ", but it is beyond the limit by no more than {margin:g}"),
    (False, True): (Outcome.NOT_ENOUGH_DATA, "; more data would decide"),
    (False, False): (Outcome.PASSED, ", and it is beyond the limit by no more than {margin:g}"),
}

UNMEASURED = " was not measured: "
"""What stands in a verdict between what has no value and the reason."""
SMALLEST_P = 0.0001
"""Below it how small a p-value is says nothing more."""
_COUNTED = ("_count", "_trials")

_ROLES = {
    "group": ColumnRole.SENSITIVE,
    "feature": ColumnRole.FEATURE,
    "score": ColumnRole.SCORE,
    "prediction": ColumnRole.PREDICTION,
}
"""The role of the columns that each key of a scope tells apart."""
_OWED = {
    ColumnRole.SENSITIVE: "Name one, or record under the question why there is none.",
    ColumnRole.FEATURE: "Choose the columns that the model sees.",
}
"""Roles whose absence may hide what is to be judged, and what to do about it."""

_ByScope = Mapping[tuple[str, str], Measurement]


def judge(policy: Policy, result: AnalysisResult) -> tuple[Verdict, ...]:
    """Return the verdict of every rule for this analysis, one for each scope that the rule looks at.

    With the value on the good side of the limit: passed (unless the rule wants to be certain and the interval crosses
    the limit and its margin: not enough data). With the value beyond it:

    ====================  =================  ================================
    violation             beyond the margin  within the margin
    ====================  =================  ================================
    real                  failed             immaterial (passes, and says so)
    not shown to be real  not enough data    passed
    ====================  =================  ================================

    Real: the adjusted p-value is below alpha where the rule names one; otherwise the interval lies beyond the limit as
    a whole; without an interval always. A large violation that could be chance is not a pass: more data would decide.
    A value that was not measured, and one from fewer rows than the rule asks for, are not enough data, never a pass.
    So is what was not measured because nobody named the sensitive columns, or the features: that nobody is told apart
    is for people to say, not for a file to leave out. Where the result says that there is nothing of the kind to
    measure, or no column has the role of a score or prediction, the rule is not applicable. What a result says of all
    rows, or of all columns, it says of each: a reason why nothing was measured there is the reason here.
    """
    return judge_rules(policy.rules_for(result.analysis), result)


def judge_rules(rules: Iterable[Rule], result: AnalysisResult) -> tuple[Verdict, ...]:
    """Return the verdict of each of these rules as `judge` does, whoever made them."""
    known = {(one.metric, _key(one.scope)): one for one in result.measurements}
    return tuple(verdict for rule in rules for verdict in _verdicts(rule, result, known))


def not_run(policy: Policy, analysis: str, *, reason: str | None = None) -> tuple[Verdict, ...]:
    """Return what the rules for an analysis say while it has no result; ``reason`` says why there is none."""
    because = reason or "The analysis has not been run."
    return tuple(
        Verdict(rule=rule.id, verdict=Outcome.NOT_RUN, because=because, metric=rule.metric, scope=rule.scope)
        for rule in policy.rules_for(analysis)
    )


def _key(scope: Scope) -> str:
    return json.dumps(scope, sort_keys=True)


def _verdicts(rule: Rule, result: AnalysisResult, known: _ByScope) -> Iterator[Verdict]:
    if rule.task is not None and rule.task != result.task:
        because = f"The rule is for {rule.task}, this is {result.task}."
        yield Verdict(rule=rule.id, verdict=Outcome.NOT_APPLICABLE, because=because, metric=rule.metric)
        return
    found = _judged(rule, result) or _unmeasured(rule, result)
    judged = _in_use(rule, found, result)
    if found and not judged:
        because = (
            f"{metric_name(rule.metric)} is judged of columns that are {' or '.join(rule.roles)}; none has a figure."
        )
        yield Verdict(rule=rule.id, verdict=Outcome.NOT_APPLICABLE, because=because, metric=rule.metric)
        return
    if not judged and (told := _without_role(rule, result)) is not None:
        outcome, because = told
        yield Verdict(rule=rule.id, verdict=outcome, because=because, metric=rule.metric, scope=rule.scope)
        return
    if not judged:
        because = f"This run did not measure {metric_phrase(rule.metric)}{_wanted_scope(rule)}."
        yield Verdict(rule=rule.id, verdict=Outcome.NOT_RUN, because=because, metric=rule.metric, scope=rule.scope)
        return
    for measurement in judged:
        outcome, because = _outcome(rule, measurement, known)
        yield Verdict(
            rule=rule.id,
            verdict=outcome,
            because=because,
            metric=measurement.metric,
            scope=measurement.scope,
        )


def _judged(rule: Rule, result: AnalysisResult) -> list[Measurement]:
    """For each scope the measurement of ``metric``, or that of ``or_metric`` where the first has no value."""
    chosen: dict[str, Measurement] = {}
    for metric in (rule.metric, rule.or_metric):
        for one in result.measurements:
            if one.metric == metric and rule.applies_to(one.scope):
                earlier = chosen.get(_key(one.scope))
                if earlier is None or (earlier.value is None and one.value is not None):
                    chosen[_key(one.scope)] = one
    return list(chosen.values())


def _in_use(rule: Rule, found: list[Measurement], result: AnalysisResult) -> list[Measurement]:
    """Leave out the columns that have none of the roles of the rule, where any column of the data has one."""
    data = result.inputs.get("data")
    with_role = {name for name, text in (data.roles if data else {}).items() if _words(text) & set(rule.roles)}
    if not with_role:
        return found
    return [one for one in found if one.scope.get("feature", "") in {"", *with_role}]


def _without_role(rule: Rule, result: AnalysisResult) -> tuple[Outcome, str] | None:
    """Say what it means that nothing was measured for each group or column: no column may have the role."""
    data = result.inputs.get("data")
    if data is None or not data.roles:
        return None
    there = {role for text in data.roles.values() for role in _words(text)}
    absent = next((role for key in rule.for_each if (role := _ROLES.get(key)) and role not in there), None)
    if absent is None:
        return None
    name, nobody = metric_name(rule.metric), f"no column has the role {absent}"
    if absent in _OWED:
        return Outcome.NOT_ENOUGH_DATA, f"{name}{UNMEASURED}{nobody}. {_OWED[absent]}"
    return Outcome.NOT_APPLICABLE, f"{name} does not apply: {nobody}. Name it, if the model gives one."


def _words(roles: str) -> set[str]:
    """Return the roles that stand in the text of a column: ``feature 3, sensitive`` where features have an order."""
    return {role.partition(" ")[0] for role in roles.split(", ")}


def _unmeasured(rule: Rule, result: AnalysisResult) -> list[Measurement]:
    """Return what says, of everything that the rule looks at, why it was not measured."""
    wanted = set(rule.for_each) or set(rule.scope)
    for metric in (rule.metric, rule.or_metric):
        for one in result.measurements:
            if one.metric == metric and one.value is None and _is_wider(one.scope, rule, wanted):
                return [one]
    return []


def _is_wider(scope: Scope, rule: Rule, wanted: set[str]) -> bool:
    if not rule.for_each:
        return len(scope) < len(wanted) and scope.items() <= rule.scope.items()
    return set(scope) < wanted


def _outcome(rule: Rule, one: Measurement, known: _ByScope) -> tuple[Outcome, str]:
    subject = f"{metric_name(one.metric)}{scope_words(one.scope)}"
    if not one.applies:
        return Outcome.NOT_APPLICABLE, f"{subject} does not apply: {one.note}"
    if one.value is None:
        return Outcome.NOT_ENOUGH_DATA, f"{subject}{UNMEASURED}{one.note}"
    if one.sample_size < rule.minimum_sample:
        because = f"{subject} rests on {_rows(one.sample_size)}; the rule asks for {rule.minimum_sample:,}."
        return Outcome.NOT_ENOUGH_DATA, because
    excess = rule.excess(one.value)
    stated = f"{subject} is {_with_interval(one)}; {_demand(rule)}"
    if excess <= 0:
        if rule.certain and _worst_excess(rule, one) > rule.margin:
            return Outcome.NOT_ENOUGH_DATA, f"{stated}. The value keeps the limit, but its interval reaches beyond it."
        return Outcome.PASSED, f"{stated}."
    real, evidence = _is_real(rule, one, known)
    outcome, conclusion = _VIOLATIONS[real, excess > rule.margin]
    return outcome, f"{stated}. {evidence}{conclusion.format(margin=rule.margin)}."


def _is_real(rule: Rule, one: Measurement, known: _ByScope) -> tuple[bool, str]:
    if rule.significance is not None:
        name, alpha = rule.significance.metric, rule.significance.alpha
        test = known.get((name, _key(one.scope)))
        if test is None or test.value is None:
            reason = "it is not in the result" if test is None else test.note
            tested = metric_phrase(name)
            return False, f"Whether this is more than chance could not be tested ({tested}: {reason})"
        shown = f"{metric_phrase(name)} {_p_value(test.value)}"
        if test.value < alpha:
            return True, f"This is more than chance explains ({shown}, below {alpha:g})"
        return False, f"Chance could explain this ({shown}, not below {alpha:g})"
    if one.interval is None:
        return True, "The figure is exact"
    nearest = min(rule.excess(end) for end in one.interval)
    if nearest > 0:
        return True, "The whole interval lies beyond the limit"
    return False, "The interval reaches back over the limit"


def _worst_excess(rule: Rule, one: Measurement) -> float:
    return max(rule.excess(end) for end in one.interval) if one.interval else rule.excess(one.value or 0.0)


def _demand(rule: Rule) -> str:
    side = "at most" if rule.at_most is not None else "at least"
    margin = f", with a margin of {rule.margin:g}" if rule.margin else ""
    return f"{side} {rule.limit:g} is asked for{margin}"


def _with_interval(one: Measurement) -> str:
    text = quantity(one.value or 0.0, digits=3)
    if one.interval is not None and one.level is not None:
        low, high = (quantity(end, digits=3) for end in one.interval)
        return f"{text} ({one.level * 100:g} % interval {low} to {high}, {_rows(one.sample_size)})"
    # What was counted is not counted in rows, and has no sample behind it.
    return text if one.metric.endswith(_COUNTED) else f"{text} ({_rows(one.sample_size)})"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _p_value(value: float) -> str:
    return f"< {SMALLEST_P:g}" if 0 <= value < SMALLEST_P else quantity(value, digits=3)


def scope_words(scope: Scope) -> str:
    """Return a scope for a sentence: ``of sex 'female' & region 'north'``, ``for feature 'income'``."""
    parts = []
    for key, value in scope.items():
        if isinstance(value, dict):
            parts.append("of " + " & ".join(f"{column} {level!r}" for column, level in value.items()))
        else:
            parts.append(f"for {key} {value!r}")
    return "".join(f" {part}" for part in parts)


def _wanted_scope(rule: Rule) -> str:
    return f" for any {' and '.join(rule.for_each)}" if rule.for_each else scope_words(rule.scope)
