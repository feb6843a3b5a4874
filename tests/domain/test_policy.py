from pathlib import Path

import pytest

from modelops.analyses.metrics import METRICS
from modelops.analyses.registry import ANALYSES
from modelops.domain.inventory import RiskTier
from modelops.domain.people import Role
from modelops.domain.policy import MOST_RULES, SignatureRule, load_policy
from modelops.domain.review import Meaning
from modelops.errors import InvalidInput, TooLarge

DEFAULT = Path(__file__).parents[2] / "data" / "policies" / "default.yaml"
HEAD = """
name: small
version: "3"
signatures:
  low: [{role: approver, meaning: approval}]
  medium: [{role: approver, meaning: approval}]
  high: [{role: reviewer, meaning: review}, {role: approver, meaning: approval}]
approval_valid_days: {low: 365, medium: 365, high: 180}
waiver_max_days: {low: 90, medium: 90, high: 30}
"""
RULE = "{id: r, analysis: performance, metric: accuracy, at_least: 0.8, why: It is agreed.}"


def policy(rules=f"[{RULE}]", head=HEAD):
    return load_policy(head + f"rules: {rules}\n")


@pytest.fixture(scope="module")
def default():
    return load_policy(DEFAULT.read_text(encoding="utf-8"))


def test_a_rule_is_read_with_its_defaults():
    (rule,) = policy().rules
    assert (rule.metric, rule.limit, rule.margin, rule.minimum_sample) == ("accuracy", 0.8, 0.0, 1)


def test_one_kind_of_scope_may_be_written_as_a_word():
    found = policy(
        "[{id: r, analysis: drift, metric: cramers_v, for_each: feature, at_most: 0.1, why: w, serves: a.b}]"
    )
    assert (found.rules[0].for_each, found.rules[0].serves) == (("feature",), ("a.b",))


def test_the_signatures_of_a_tier_are_given_in_order():
    assert policy().signatures_for(RiskTier.HIGH) == (
        SignatureRule(role=Role.REVIEWER, meaning=Meaning.REVIEW),
        SignatureRule(role=Role.APPROVER, meaning=Meaning.APPROVAL),
    )


def test_the_layout_of_the_file_does_not_change_the_digest():
    spread = "\n  - id: r\n    analysis: performance\n    metric: accuracy\n    at_least: 0.80\n    why: It is agreed."
    assert policy(spread).digest == policy().digest


def test_a_rule_is_found_by_its_id():
    assert policy().rule("r").metric == "accuracy"
    assert policy().rule("other") is None


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("[{id: r, analysis: performance, metric: accuracy, why: w}]", "exactly one of at_least and at_most"),
        (
            "[{id: r, analysis: performance, metric: accuracy, at_least: 1, at_most: 2, why: w}]",
            "exactly one of at_least and at_most",
        ),
        ("[{id: r, analysis: a, metric: b, at_least: 1, for_each: x, scope: {y: z}, why: w}]", "for_each or scope"),
        ("[{id: r, analysis: a, metric: b, at_least: 1, for_each: x, by_class: true, why: w}]", "by_class is for"),
        ("[{id: r, analysis: a, metric: b, at_least: 1, roles: feature, why: w}]", "each feature"),
        ("[{id: r, analysis: a, metric: b, at_least: 1, for_each: feature, roles: column, why: w}]", "roles"),
        ("[{id: r, analysis: a, metric: b, at_least: 1}]", "why"),
        ("[{id: r, analysis: a, metric: b, at_least: 1, why: w, treshold: 2}]", "treshold"),
        ("[{id: r, analysis: a, metric: b, at_least: .nan, why: w}]", "finite"),
        ("[{id: r, analysis: a, metric: b, at_least: 1, margin: -1, why: w}]", "margin"),
        (f"[{RULE}, {RULE}]", "'r' stands twice"),
        ("[*there]", "alias"),
        ("[!!python/object/apply:os.system [echo]]", "tag"),
        ("[}", "cannot be read as YAML"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_with_the_reason(rules, said):
    with pytest.raises(InvalidInput, match=said):
        policy(rules)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  low: [{role: approver, meaning: approval}]\n", "", "signatures says nothing of the risk tier low"),
        ("low: [{role: approver, meaning: approval}]", "low: []", "at least one signature with the meaning approval"),
        ("low: [{role: approver", "low: [{role: administrator", "may not sign"),
        ("high: 180", "high: 0", "expected 1 to 3650"),
        ("high: 30", "high: 99999", "expected 1 to 1095"),
    ],
)
def test_signatures_and_times_that_make_no_sense_are_refused(old, new, said):
    with pytest.raises(InvalidInput, match=said):
        policy(head=HEAD.replace(old, new))


def test_too_many_rules_are_refused():
    rules = ", ".join(RULE.replace("id: r", f"id: r{n}") for n in range(MOST_RULES + 1))
    with pytest.raises(InvalidInput, match="rules"):
        policy(f"[{rules}]")


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(TooLarge):
        load_policy("#" * (2 << 20))


def test_the_built_in_policy_asks_only_for_metrics_that_are_measured(default):
    keys = {analysis.key for analysis in ANALYSES}
    for rule in default.rules:
        assert rule.analysis in keys, rule.id
        named = [rule.metric, rule.or_metric, rule.significance and rule.significance.metric]
        assert set(filter(None, named)) <= set(METRICS), rule.id


def test_the_built_in_policy_covers_every_analysis(default):
    assert {rule.analysis for rule in default.rules} == {analysis.key for analysis in ANALYSES}


def test_every_built_in_rule_serves_questions_of_the_checklist(default):
    known = (DEFAULT.parents[1] / "checklists" / "readiness.yaml").read_text(encoding="utf-8")
    for rule in default.rules:
        assert rule.serves, rule.id
        assert all(question in known for question in rule.serves), rule.id


def test_every_built_in_rule_is_described_with_its_reason(default):
    page = (DEFAULT.parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    for rule in default.rules:
        line = next((line for line in page.splitlines() if line.startswith(f"| `{rule.id}` |")), "")
        assert line.endswith(f"| {' '.join(rule.why.split())} |"), rule.id
        assert f"`{rule.metric}`" in line, rule.id
    listed = [line for line in page.splitlines() if line.startswith("| `") and line.count("`") > 3 and "." in line[:40]]
    assert len(listed) == len(default.rules)


def test_more_people_sign_where_more_harm_is_possible(default):
    counts = [len(default.signatures_for(tier)) for tier in (RiskTier.LOW, RiskTier.MEDIUM, RiskTier.HIGH)]
    assert counts == [1, 2, 3]
