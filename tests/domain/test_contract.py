"""The record of a data contract: what holds together, what it is called, what a change does."""

import pytest

from modelops.domain.columns import ValueKind
from modelops.domain.contract import (
    AllowedRule,
    Check,
    ComparisonRule,
    Contract,
    FalseAlarms,
    MissingRule,
    PresenceRule,
    RangeRule,
    TypeRule,
    UniqueRule,
    demand,
    load_contract,
    make_rule,
    title,
    tolerated_share,
)
from modelops.errors import InvalidInput, NotFound

RULES = (
    TypeRule(column="age", type=ValueKind.WHOLE_NUMBER),
    MissingRule(column="age", at_most=0.02),
    RangeRule(column="age", low=18, high=100, tolerated=0.01),
    AllowedRule(column="sex", values=("female", "male")),
    UniqueRule(column="case"),
    ComparisonRule(column="paid", operator="<=", other="owed"),
    PresenceRule(column="spouse", when="married", equals="yes"),
)


def with_check(fields):
    return f'{{"name": "x", "checks": [{{"id": "a", {fields}}}]}}'


def contract_with(*rules):
    contract = Contract(name="Applicants")
    for rule in rules:
        contract = contract.with_check(Check(id=contract.free_id(rule), rule=rule, why="Known."))
    return contract


def test_a_contract_survives_its_canonical_text():
    contract = contract_with(*RULES)
    assert load_contract(contract.text) == contract
    assert load_contract(contract.text).digest == contract.digest


def test_another_bound_is_another_contract():
    one = contract_with(RangeRule(column="age", low=18))
    other = contract_with(RangeRule(column="age", low=19))
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (RULES[0], "whole number"),
        (RULES[1], "at most 2 % missing"),
        (RULES[2], "from 18 to 100, but for 1 % of the rows"),
        (RULES[3], "one of female, male"),
        (RULES[4], "no value twice"),
        (RULES[5], "paid is at most owed"),
        (RULES[6], "spouse is never missing where married is yes"),
        (RangeRule(column="day", low="2026-01-01"), "at least 2026-01-01"),
    ],
)
def test_a_rule_says_what_it_demands(rule, words):
    assert demand(rule) == words


def test_a_missing_rate_tolerates_what_it_allows():
    assert [tolerated_share(rule) for rule in RULES] == [0.0, 0.02, 0.01, 0.0, 0.0, 0.0, 0.0]


def test_the_second_check_of_a_kind_gets_a_name_of_its_own():
    contract = contract_with(RangeRule(column="age", low=18), RangeRule(column="age", high=100))
    assert [check.id for check in contract.checks] == ["age: range", "age: range (2)"]


def test_a_check_replaces_the_one_of_its_name_in_its_place():
    contract = contract_with(*RULES)
    old = contract.checks[2]
    changed = contract.with_check(old.model_copy(update={"why": "Asked the desk."}))
    assert [check.id for check in changed.checks] == [check.id for check in contract.checks]
    assert changed.check(old.id).why == "Asked the desk."


def test_a_check_that_is_not_there_cannot_be_taken_out():
    with pytest.raises(NotFound, match="no check 'x'"):
        contract_with(*RULES).without("x")


def test_an_acceptance_names_person_and_time(now):
    check = contract_with(*RULES).checks[0].accepted("Owner", at=now)
    assert (check.is_accepted, check.accepted_by, check.accepted_at) == (True, "Owner", "2026-11-23T09:30:00.000000Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"name": "x", "surprise": 1}',
        with_check('"why": "", "rule": {"kind": "magic", "column": "a"}'),
        with_check('"why": "", "rule": {"kind": "missing rate", "column": "a", "at_most": NaN}'),
        with_check('"why": "", "accepted_by": "me", "rule": {"kind": "unique", "column": "a"}'),
    ],
)
def test_what_is_no_contract_is_refused_with_the_place(text):
    with pytest.raises(InvalidInput, match="This is no data contract"):
        load_contract(text)


def test_two_checks_of_one_name_are_refused():
    check = Check(id="a", rule=UniqueRule(column="a"), why="")
    with pytest.raises(ValueError, match="stands twice"):
        Contract(name="x", checks=(check, check))


def test_a_contract_that_is_too_long_is_refused():
    with pytest.raises(InvalidInput, match="at most"):
        load_contract(" " * 2_000_001)


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("range", {"column": "a"}, "at least one of low and high"),
        ("range", {"column": "a", "low": 3.0, "high": 1.0}, "begins at 3"),
        ("range", {"column": "a", "low": 3.0, "high": "2026-01-01"}, "one end of the range is a number"),
        ("range", {"column": "a", "low": "soon"}, "neither a number nor a date"),
        ("range", {"column": "", "low": 1.0}, "Column"),
        ("allowed values", {"column": "a", "values": ()}, "Values"),
        ("comparison", {"column": "a", "operator": "<=", "other": "a"}, "not with itself"),
        ("presence", {"column": "a", "when": "a", "equals": "x"}, "another column"),
    ],
)
def test_a_rule_that_does_not_hold_together_is_refused_in_words(kind, fields, said):
    with pytest.raises(InvalidInput, match=said):
        make_rule(kind, **fields)


def test_more_alarms_than_batches_are_refused():
    with pytest.raises(ValueError, match="3 alarms in 2 batches"):
        FalseAlarms(alarms=3, batches=2, batch_rows=10)


def test_titles_name_columns_and_kind():
    assert [title(rule) for rule in RULES[-2:]] == ["paid <= owed", "spouse: present where married is yes"]


def test_the_longest_names_still_make_a_check():
    rule = PresenceRule(column="a" * 500, when="b" * 500, equals="c" * 500)
    contract = contract_with(rule, rule)
    assert len({check.id for check in contract.checks}) == 2


def test_a_hostile_contract_is_refused_and_not_read_for_long():
    for text in (
        "[" * 100_000,
        '{"name": "x", "checks": ' + "[" * 100_000,
        '{"name": "\\ud800"}',
        '{"name": "x", "version": 1e400}',
        '{"name": "x", "checks": [' + ", ".join(["{}"] * 5_001) + "]}",
        " " * 2_000_001,
    ):
        with pytest.raises(InvalidInput):
            load_contract(text)
