from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelops.domain.checklist import Circumstances, Condition, Gate, Template, load_template
from modelops.domain.columns import Task
from modelops.domain.inventory import RiskTier
from modelops.errors import InvalidInput, NotFound, TooLarge

BUILT_IN = (Path(__file__).parents[2] / "data" / "checklists" / "readiness.yaml").read_text(encoding="utf-8")

SMALL = """
name: small
title: A small checklist
version: "1.0"
areas:
  - id: data
    title: Data
    sections:
      - id: data
        title: Data
        questions:
          - id: data.access
            text: Is the data there?
            gate: inception
            weight: blocking
            evidence: {text: Where it is., "analysis:drift": What moved.}
            help: Look for it.
            good_evidence: A path.
            what_goes_wrong: It is not there.
          - id: data.fair
            text: Is it fair?
            gate: periodic
            weight: minor
            evidence: {"record:monitor": What is watched.}
            help: Look at it.
            good_evidence: A table.
            what_goes_wrong: It is not fair.
            when: {task: [classification], risk_tier: [medium, high]}
"""


def test_small_template_is_read():
    assert [question.id for question in load_template(SMALL).questions] == ["data.access", "data.fair"]


def test_evidence_keeps_kind_name_and_order():
    needs = load_template(SMALL).question("data.access").evidence
    assert [(need.label, need.description) for need in needs] == [
        ("text", "Where it is."),
        ("analysis:drift", "What moved."),
    ]


def test_template_survives_its_json_form():
    template = load_template(BUILT_IN)
    assert Template.model_validate_json(template.model_dump_json()).digest == template.digest


def test_digest_ignores_comments():
    assert load_template("# a comment\n" + SMALL).digest == load_template(SMALL).digest


def test_digest_sees_a_changed_word():
    assert load_template(SMALL.replace("Is it fair?", "Is it just?")).digest != load_template(SMALL).digest


def test_changed_copy_of_a_template_has_another_digest():
    template = load_template(SMALL)
    copy = template.model_copy(update={"title": "Another title than " + template.digest})
    assert copy.digest != template.digest


def test_same_text_is_read_once():
    assert load_template(str(BUILT_IN)) is load_template(BUILT_IN)


def test_section_and_area_of_a_question_are_found():
    template = load_template(BUILT_IN)
    assert (template.section_of("works.leakage").id, template.area_of("works.leakage").id) == ("works", "deployment")


def test_unknown_question_is_not_found():
    with pytest.raises(NotFound, match=r"has no question 'data\.none'"):
        load_template(SMALL).question("data.none")


def test_gates_compare_by_order_and_not_by_alphabet():
    assert sorted(Gate, reverse=True) == [Gate.PERIODIC, Gate.PRE_DEPLOYMENT, Gate.INCEPTION]
    assert Gate.PRE_DEPLOYMENT <= "periodic"


def test_question_without_matching_condition_is_suggested_as_not_applicable():
    found = load_template(SMALL).suggestions(Gate.PERIODIC, Circumstances(task=Task.REGRESSION))
    assert found == {"data.fair": "It is asked of models for classification; this one is for regression."}


def test_risk_tier_is_compared_too():
    found = Circumstances(task=Task.CLASSIFICATION, risk_tier=RiskTier.LOW)
    assert "risk tier medium or high" in load_template(SMALL).suggestions(Gate.PERIODIC, found)["data.fair"]


def test_nothing_is_suggested_from_what_is_not_known():
    assert load_template(SMALL).suggestions(Gate.PERIODIC, Circumstances()) == {}


def test_condition_on_sensitive_columns_works_both_ways():
    no_sensitive = Circumstances(has_sensitive=False)
    assert Condition(has_sensitive=True).contradiction(no_sensitive) == (
        "It is asked of models with sensitive columns; this one is without them."
    )
    assert Condition(has_sensitive=False).contradiction(no_sensitive) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gate: inception", "gate: soon", r"data > questions > data\.access > gate: Input should be 'inception'"),
        ("weight: minor", "weight: heavy", r"data\.fair > weight"),
        ("help: Look for it.", "hint: Look for it.", r"data\.access > help: Field required"),
        ("help: Look for it.", "help: ''", r"data\.access > help: String should have at least 1"),
        ("id: data.fair", "id: data.access", "the question 'data.access' stands 2 times"),
        ("id: data.fair", "id: other.fair", "'other.fair' must begin with its section, 'data'"),
        ("id: data.fair", "id: Data.Fair", "should match pattern"),
        ("record:monitor", "monitor", "got 'monitor' as evidence, expected one of analysis:NAME"),
        ("record:monitor", "record:", r"evidence > entry 1 > name: String should match"),
        ("risk_tier: [medium, high]", "risk_tier: []", "at least 1 item"),
        ("risk_tier: [medium, high]", "tier: [high]", r"when > tier: Extra inputs"),
        ('version: "1.0"', "version: 1.0", "version: Input should be a valid string"),
        ("title: A small checklist", "title: A\ntitle: B", "the key 'title' stands twice at line 4"),
        ("title: A small checklist", "1: A", r"got the key 1, expected text \(put it in quotes\)"),
        ("title: A small checklist", "title: &a A", "anchor or alias at line 3, column 8"),
        ("title: A small checklist", "title: !!python/name:os.system A", "uses the tag"),
        ("title: A small checklist", "title: [A", "cannot be read as YAML"),
        ("title: A small checklist", "title: A\n---\nb: 1", "cannot be read as YAML"),
    ],
)
def test_unsound_template_is_refused_with_the_place(old, new, message):
    assert old in SMALL
    with pytest.raises(InvalidInput, match=message):
        load_template(SMALL.replace(old, new))


@pytest.mark.parametrize(("text", "found"), [("", "nothing"), ("[1]", "a list"), ("just words", "'just words'")])
def test_what_is_not_a_mapping_is_refused(text, found):
    with pytest.raises(InvalidInput, match=f"holds .*{found}"):
        load_template(text)


def test_nested_aliases_are_refused_before_they_grow():
    bomb = "a: &a [x,x]\n" + "".join(f"{c}: &{c} [*{p},*{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(InvalidInput, match="anchor or alias"):
        load_template(bomb)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: '" + "x" * (1 << 20) + "'", "1,048,5.. bytes, at most 1,048,576"),
        ("a: " + "[" * 50 + "]" * 50, "nested deeper than 20 levels"),
        ("a: [" + "x," * 60_000 + "]", "more than 50,000 entries"),
    ],
)
def test_too_large_template_is_refused(text, message):
    with pytest.raises(TooLarge, match=message):
        load_template(text)


def test_lone_surrogate_is_refused():
    with pytest.raises(InvalidInput, match="not valid Unicode"):
        load_template("title: \ud800")


@given(st.text(max_size=200))
def test_any_text_is_either_read_or_refused(text):
    with pytest.raises(InvalidInput):
        load_template(text)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=10))
def test_any_value_in_place_of_a_question_is_refused(value):
    content = yaml.safe_load(SMALL)
    content["areas"][0]["sections"][0]["questions"][0]["evidence"] = value
    with pytest.raises(InvalidInput):
        load_template(yaml.safe_dump(content))
