"""A data contract for other programs: as JSON Schema (of single rows), and as Python code for pandera."""

from __future__ import annotations

import json
from collections.abc import Iterator
from string import Template

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
    demand,
    tolerated_share,
)

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[ValueKind, str] = {
    ValueKind.WHOLE_NUMBER: "integer",
    ValueKind.NUMBER: "number",
    ValueKind.TRUE_FALSE: "boolean",
    ValueKind.TEXT: "string",
    ValueKind.TIME: "string",
}

Schema = dict[str, object]


def json_schema(contract: Contract) -> str:
    """Return the contract as JSON Schema, draft 2020-12, of a table as an array of rows.

    A schema judges row by row, so what is about the table as a whole or compares two values of a row has no place in
    it: shares that are tolerated, missing rates above 0, uniqueness and comparisons. Those stand under ``$comment``.
    """
    properties: dict[str, Schema] = {name: {} for name in contract.columns}
    required: list[str] = []
    conditions: list[Schema] = []
    left_out: list[str] = []
    types = {check.rule.column: check.rule.type for check in contract.checks if isinstance(check.rule, TypeRule)}
    never_missing = {
        check.rule.column
        for check in contract.checks
        if isinstance(check.rule, MissingRule) and check.rule.at_most == 0
    }
    for check in contract.checks:
        rule = check.rule
        if isinstance(rule, PresenceRule) and not rule.tolerated:
            conditions.append(_condition(rule, types))
        elif isinstance(rule, TypeRule):
            properties[rule.column] |= _type(rule, may_be_missing=rule.column not in never_missing)
            required += [rule.column] if rule.required else []
        elif not _keywords(check, types, properties):
            left_out.append(f"{check.id}: {demand(rule)}")
    for name in never_missing - set(types):
        properties[name]["not"] = {"type": "null"}
    rows: Schema = {"type": "object", "properties": properties}
    rows |= {"required": sorted(set(required))} if required else {}
    rows |= {"allOf": conditions} if conditions else {}
    schema: Schema = {"$schema": _DRAFT, "$id": f"urn:{contract.digest}", "title": contract.name}
    if left_out:
        schema["$comment"] = "Not about single rows, so not checked by this schema: " + "; ".join(left_out)
    return json.dumps({**schema, "type": "array", "items": rows}, indent=2, ensure_ascii=False) + "\n"


def _type(rule: TypeRule, *, may_be_missing: bool) -> Schema:
    name = _TYPES[rule.type]
    found: Schema = {"type": [name, "null"] if may_be_missing else name}
    return found | ({"format": "date-time"} if rule.type is ValueKind.TIME else {})


def _keywords(check: Check, types: dict[str, ValueKind], properties: dict[str, Schema]) -> bool:
    """Add what one check says of a single value; return whether that is all that it says."""
    rule = check.rule
    if isinstance(rule, MissingRule):
        return rule.at_most in (0.0, 1.0)
    if tolerated_share(rule) > 0:
        return False
    if isinstance(rule, RangeRule) and not rule.is_of_dates:
        bounds = {"minimum": rule.low, "maximum": rule.high}
        properties[rule.column] |= {name: end for name, end in bounds.items() if end is not None}
        return True
    if isinstance(rule, AllowedRule):
        kind = types.get(rule.column)
        properties[rule.column]["enum"] = [*(value for text in rule.values for value in _values(text, kind)), None]
        return True
    return False


def _values(label: str, kind: ValueKind | None) -> tuple[str | float | bool, ...]:
    """Return what a row may hold where the contract writes ``label``; text and number, if the kind is not known."""
    if kind is ValueKind.TRUE_FALSE:
        return (label.lower() in ("true", "1"),)
    if kind in (ValueKind.TEXT, ValueKind.TIME):
        return (label,)
    try:
        number = float(label)
    except ValueError:
        return (label,)
    number = int(number) if number.is_integer() else number
    return (label, number) if kind is None else (number,)


def _condition(rule: PresenceRule, types: dict[str, ValueKind]) -> Schema:
    holds: Schema = {"properties": {rule.when: {"enum": list(_values(rule.equals, types.get(rule.when)))}}}
    missing: Schema = {"properties": {rule.column: {"type": "null"}}}
    present: Schema = {"properties": {rule.column: {"not": {"type": "null"}}}, "required": [rule.column]}
    return {"if": {**holds, "required": [rule.when]}, "then": present if rule.present else missing}


_PANDERA = Template('''\
"""The data contract $name, $version, as a schema for pandera (0.20 or newer).

    schema.validate(pandas.read_csv("batch.csv"), lazy=True)

Made from the contract with the digest $digest.
"""

import pandas as pd
import pandera.pandas as pa


def label(value):
    """Return a value as the contract writes it: 1 and 1.0 are both "1"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def numbers(values):
    """Return values as numbers; what is none becomes missing."""
    return pd.to_numeric(values, errors="coerce")


def moments(values):
    """Return values as points in time (UTC); what is none becomes missing."""
    return pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")


def within(good, judged, tolerated):
    """Return which rows are good, or, where some are tolerated, whether enough of them are."""
    broken = judged & ~good
    return ~broken if tolerated == 0 else bool(broken.sum() <= tolerated * max(int(judged.sum()), 1))


def is_kind(kind):
    """Check that values are of one kind, read as a person would."""
    tests = {
        "number": lambda values: numbers(values).notna(),
        "whole number": lambda values: numbers(values).notna() & (numbers(values) % 1 == 0),
        "true or false": lambda values: values.map(label).isin(["True", "False", "true", "false", "0", "1"]),
        "date and time": lambda values: moments(values).notna(),
        "text": lambda values: values.notna(),
    }
    return pa.Check(lambda values: tests[kind](values) | values.isna(), error=f"no {kind}")


def in_range(low, high, tolerated, read=numbers):
    """Check that values lie between two ends."""

    def good(values):
        found = read(values)
        inside = found.notna()
        inside &= (found >= low) if low is not None else True
        inside &= (found <= high) if high is not None else True
        return within(inside, values.notna(), tolerated)

    return pa.Check(good, error=f"not from {low} to {high}")


def among(allowed, tolerated):
    """Check that values are among those listed."""
    return pa.Check(
        lambda values: within(values.map(label).isin(allowed), values.notna(), tolerated), error="not an allowed value"
    )


def missing_at_most(share):
    """Check how many values are missing."""
    return pa.Check(lambda values: bool(values.isna().mean() <= share), ignore_na=False, error="too many missing")


def unique():
    """Check that no value stands twice."""
    return pa.Check(lambda values: ~values.duplicated(keep=False) | values.isna(), error="a value stands twice")


def compared(first, operator, second, tolerated):
    """Check that one column stands to another one as the operator says."""

    def good(table):
        if second not in table or first not in table:
            return True
        one, other = table[first], table[second]
        if operator == "=":
            holds = one == other
        else:
            read = moments if numbers(one).isna().all() else numbers
            one, other = read(one), read(other)
            holds = one <= other if operator == "<=" else one < other
        return within(holds, one.notna() & other.notna(), tolerated)

    return pa.Check(good, ignore_na=False, error=f"{first} {operator} {second}")


def present(column, is_there, when, equals, tolerated):
    """Check that a column has a value (or none) where another one says so."""

    def good(table):
        if column not in table or when not in table:
            return True
        applies = table[when].notna() & (table[when].map(label) == equals)
        return within(table[column].notna() == is_there, applies, tolerated)

    return pa.Check(good, ignore_na=False, error=f"{column} where {when} is {equals}")


schema = pa.DataFrameSchema(
    columns={
$columns
    },
    checks=[
$checks
    ],
    name=$title,
    strict=False,
)
''')


def pandera_source(contract: Contract) -> str:
    """Return a Python module with the contract as a pandera schema. Every check of the contract is in it."""
    by_column: dict[str, list[Check]] = {name: [] for name in contract.columns}
    across = []
    for check in contract.checks:
        if isinstance(check.rule, ComparisonRule | PresenceRule):
            across.append(check)
        else:
            by_column[check.rule.column].append(check)
    lines = [line for name, checks in by_column.items() if checks for line in _column(name, checks)]
    return _PANDERA.substitute(
        name=_in_docstring(contract.name),
        version=f"version {contract.version}" if contract.version else "a draft",
        digest=contract.digest,
        title=repr(contract.name),
        columns="\n".join(lines),
        checks="\n".join(f"        {_call(check)}," for check in across),
    )


def _in_docstring(text: str) -> str:
    return ascii(text).replace('"', "'").replace("\\", "\\\\")


def _column(name: str, checks: list[Check]) -> Iterator[str]:
    # A column that the contract only says something of if it is there.
    required = any(isinstance(check.rule, TypeRule) and check.rule.required for check in checks)
    yield f"        {name!r}: pa.Column("
    yield "            checks=["
    yield from (f"                {_call(check)}," for check in checks)
    yield "            ],"
    yield "            nullable=True,"
    yield f"            required={required},"
    yield "        ),"


def _call(check: Check) -> str:
    match check.rule:
        case TypeRule() as rule:
            call = f"is_kind({rule.type.value!r})"
        case RangeRule() as rule if rule.is_of_dates:
            ends = ["None" if end is None else f"pd.Timestamp({end!r}, tz='UTC')" for end in (rule.low, rule.high)]
            call = f"in_range({ends[0]}, {ends[1]}, {rule.tolerated!r}, moments)"
        case RangeRule() as rule:
            call = f"in_range({rule.low!r}, {rule.high!r}, {rule.tolerated!r})"
        case AllowedRule() as rule:
            call = f"among({list(rule.values)!r}, {rule.tolerated!r})"
        case UniqueRule():
            call = "unique()"
        case MissingRule() as rule:
            call = f"missing_at_most({rule.at_most!r})"
        case ComparisonRule() as rule:
            call = f"compared({rule.column!r}, {rule.operator!r}, {rule.other!r}, {rule.tolerated!r})"
        case PresenceRule() as rule:
            call = f"present({rule.column!r}, {rule.present!r}, {rule.when!r}, {rule.equals!r}, {rule.tolerated!r})"
    return call
