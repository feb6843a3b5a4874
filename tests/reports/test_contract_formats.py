"""A data contract for other programs: its JSON Schema by an independent validator, its Python by the compiler."""

import ast
import json

import pytest
from jsonschema import Draft202012Validator

from modelops.domain.columns import ValueKind
from modelops.domain.contract import (
    AllowedRule,
    Check,
    ComparisonRule,
    Contract,
    MissingRule,
    PresenceRule,
    RangeRule,
    TypeRule,
    UniqueRule,
)
from modelops.reports.contract_formats import json_schema, pandera_source

RULES = (
    TypeRule(column="age", type=ValueKind.WHOLE_NUMBER),
    MissingRule(column="age", at_most=0),
    RangeRule(column="age", low=18, high=100),
    TypeRule(column="income", type=ValueKind.NUMBER),
    MissingRule(column="income", at_most=0.2),
    RangeRule(column="income", low=0, tolerated=0.1),
    TypeRule(column="label", type=ValueKind.TEXT, required=False),
    AllowedRule(column="sex", values=("f", "m")),
    AllowedRule(column="grade", values=("1", "2.5")),
    TypeRule(column="grade", type=ValueKind.NUMBER),
    UniqueRule(column="case"),
    RangeRule(column="day", low="2026-01-01"),
    ComparisonRule(column="paid", operator="<=", other="owed"),
    PresenceRule(column="spouse", when="married", equals="1"),
    PresenceRule(column="spouse", present=False, when="married", equals="0"),
)
GOOD = {"age": 20, "income": None, "sex": "f", "grade": 2.5, "case": 1, "spouse": "a", "married": 1}


def contract_of(*rules, name="Applicants"):
    contract = Contract(name=name, version=2)
    for rule in rules:
        contract = contract.with_check(Check(id=contract.free_id(rule), rule=rule, why="Known."))
    return contract


@pytest.fixture(scope="module")
def schema():
    found = json.loads(json_schema(contract_of(*RULES)))
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def test_a_good_row_keeps_the_schema(schema):
    assert list(schema.iter_errors([GOOD])) == []


@pytest.mark.parametrize(
    "change",
    [
        {"age": 17},
        {"age": None},
        {"age": 20.5},
        {"age": "20"},
        {"sex": "x"},
        {"grade": 1.5},
        {"income": "much"},
        {"spouse": None},
        {"spouse": "a", "married": 0},
    ],
    ids=str,
)
def test_a_row_that_breaks_a_check_breaks_the_schema(schema, change):
    assert list(schema.iter_errors([{**GOOD, **change}]))


def test_a_column_that_must_be_there_is_required_and_one_that_comes_later_is_not(schema):
    assert list(schema.iter_errors([{name: value for name, value in GOOD.items() if name != "income"}]))
    assert "label" not in GOOD


def test_what_no_row_can_show_is_said_and_not_checked(schema):
    comment = schema.schema["$comment"]
    for told in ("income: missing rate", "income: range", "case: unique", "day: range", "paid <= owed"):
        assert told in comment
    assert "age: range" not in comment
    assert list(schema.iter_errors([{**GOOD, "income": -1, "case": 1}, GOOD])) == []


def test_the_schema_names_the_contract_by_its_digest(schema):
    assert schema.schema["$id"] == f"urn:{contract_of(*RULES).digest}"


def test_the_module_for_pandera_compiles_and_holds_every_check():
    source = pandera_source(contract_of(*RULES))
    tree = ast.parse(source)
    schema = next(node for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "schema")
    made = {"is_kind", "in_range", "among", "missing_at_most", "unique", "compared", "present"}
    calls = [
        node.func.id for node in ast.walk(schema) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert sorted(call for call in calls if call in made) == sorted(
        [*["is_kind"] * 4, *["missing_at_most"] * 2, *["in_range"] * 3, *["among"] * 2, "unique", "compared"]
        + ["present"] * 2
    )


@pytest.mark.parametrize("name", ['a"""b', "a\\", "a'); import os  #", "line\nbreak", "{$name} $digest"])
def test_names_that_people_type_stay_text_in_the_module(name):
    source = pandera_source(contract_of(AllowedRule(column=name, values=(name,)), name=name))
    tree = ast.parse(source)
    assert {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names} == {
        "pandas",
        "pandera.pandas",
    }
    assert name in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
