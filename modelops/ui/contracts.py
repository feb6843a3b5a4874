"""What the page of a data contract shows: its checks, one of them to work on, the fields of a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from modelops.domain.columns import ValueKind
from modelops.domain.contract import (
    AllowedRule,
    Bound,
    Check,
    ComparisonRule,
    Contract,
    MissingRule,
    PresenceRule,
    RangeRule,
    Rule,
    TypeRule,
    columns_of,
    demand,
    make_rule,
)

WORDS = {
    "type": "What kind of values a column holds",
    "missing rate": "How many values may be missing",
    "range": "Between which ends values lie",
    "allowed values": "Which values there are",
    "unique": "No value twice",
    "comparison": "How two columns compare",
    "presence": "Present or missing, as another column says",
}
_COMPARED = {"<=": "is at most", "<": "is below", "=": "equals"}
_LINES = 14

Fields = dict[str, object]


def alarm_words(check: Check) -> str:
    """Return how often a check alarms without cause.

    Examples
    --------
    >>> alarm_words(Check(id="a", rule=MissingRule(column="a", at_most=0), why=""))
    'not counted yet'
    """
    found = check.false_alarms
    if found is None:
        return "not counted yet"
    return f"{found.alarms} of {found.batches} good batches of {found.batch_rows:,} rows"


def fits(check: Check, text: str) -> bool:
    """Say whether a check has something to do with what somebody looks for."""
    wanted = text.casefold().split()
    about = f"{check.id} {check.rule.kind} {demand(check.rule)} {check.why} {check.accepted_by or 'not accepted'}"
    return all(word in about.casefold() for word in wanted)


def list_of(checks: Sequence[Check], *, choose: Callable[[], None], key: str) -> None:
    """Show checks as a table; choosing a line calls ``choose``."""
    st.dataframe(
        [
            {
                "Columns": ", ".join(columns_of(check.rule)),
                "Demands": demand(check.rule),
                "Accepted by": check.accepted_by or "",
                "False alarms": None if check.false_alarms is None else 100 * check.false_alarms.rate,
                "Why": check.why,
            }
            for check in checks
        ],
        hide_index=True,
        width="stretch",
        height="content" if len(checks) <= _LINES else 520,
        on_select=choose,
        selection_mode="single-row",
        key=key,
        column_config={
            "Columns": st.column_config.TextColumn(pinned=True, width=150),
            "Demands": st.column_config.TextColumn(width=240),
            "Accepted by": st.column_config.TextColumn(width=110),
            "False alarms": st.column_config.NumberColumn(
                format="%.3g %%", width=100, help="Share of good batches, that nothing was learned from, with an alarm."
            ),
            "Why": st.column_config.TextColumn(width="large"),
        },
    )


def rule_fields(kind: str, columns: Sequence[str], rule: Rule | None, key: str) -> Fields:
    """Show the fields of one kind of rule, filled from ``rule``; return what stands in them."""
    fields: Fields = {"column": _column("Column", columns, rule.column if rule else None, f"{key} column")}
    fields |= _FIELDS[kind](columns, rule, key)
    return fields


def read_rule(kind: str, fields: Fields) -> Rule:
    """Return the rule that the fields say.

    Raises
    ------
    InvalidInput
        If it does not hold together.
    """
    return make_rule(
        kind, **{name: "" if value is None and name in _NAMES else value for name, value in fields.items()}
    )


_NAMES = {"column", "other", "when", "equals"}


def _column(label: str, columns: Sequence[str], start: str | None, key: str) -> str | None:
    options = list(dict.fromkeys([*columns, *([start] if start else [])]))
    return st.selectbox(
        label,
        options,
        index=options.index(start) if start else None,
        accept_new_options=True,
        placeholder="choose or type a column",
        key=key,
    )


def _type(_columns: Sequence[str], rule: Rule | None, key: str) -> Fields:
    given = rule if isinstance(rule, TypeRule) else TypeRule(column="any", type=ValueKind.NUMBER)
    kinds = list(ValueKind)
    chosen = st.selectbox(
        "Its values are", kinds, index=kinds.index(given.type), format_func=lambda each: each.value, key=f"{key} type"
    )
    return {"type": chosen, "required": not st.checkbox("It may be absent", not given.required, key=f"{key} absent")}


def _missing(_columns: Sequence[str], rule: Rule | None, key: str) -> Fields:
    share = rule.at_most if isinstance(rule, MissingRule) else 0.0
    return {"at_most": _percent("Missing at most (percent of the rows)", share, f"{key} most")}


def _range(_columns: Sequence[str], rule: Rule | None, key: str) -> Fields:
    given = rule if isinstance(rule, RangeRule) else None
    left, right = st.columns(2)
    note = "A number, or a date such as 2026-11-23. Empty: no end on this side."
    low = left.text_input("From", _written(given.low if given else None), max_chars=40, help=note, key=f"{key} low")
    high = right.text_input("To", _written(given.high if given else None), max_chars=40, help=note, key=f"{key} high")
    return {"low": _bound(low), "high": _bound(high), "tolerated": _tolerated(given.tolerated if given else 0.0, key)}


def _allowed(_columns: Sequence[str], rule: Rule | None, key: str) -> Fields:
    given = rule if isinstance(rule, AllowedRule) else None
    text = st.text_area(
        "Allowed values, one on each line", "\n".join(given.values) if given else "", height=140, key=f"{key} values"
    )
    values = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    return {"values": values, "tolerated": _tolerated(given.tolerated if given else 0.0, key)}


def _unique(_columns: Sequence[str], _rule: Rule | None, _key: str) -> Fields:
    return {}


def _comparison(columns: Sequence[str], rule: Rule | None, key: str) -> Fields:
    given = rule if isinstance(rule, ComparisonRule) else None
    left, right = st.columns(2)
    operators = list(_COMPARED)
    with left:
        operator = st.selectbox(
            "In every row it",
            operators,
            index=operators.index(given.operator) if given else 0,
            format_func=_COMPARED.__getitem__,
            key=f"{key} operator",
        )
    with right:
        other = _column("Other column", columns, given.other if given else None, f"{key} other")
    return {"operator": operator, "other": other, "tolerated": _tolerated(given.tolerated if given else 0.0, key)}


def _presence(columns: Sequence[str], rule: Rule | None, key: str) -> Fields:
    given = rule if isinstance(rule, PresenceRule) else None
    present = st.radio(
        "It is",
        [True, False],
        index=0 if given is None or given.present else 1,
        format_func=lambda each: "never missing" if each else "always missing",
        horizontal=True,
        key=f"{key} present",
    )
    left, right = st.columns(2)
    with left:
        when = _column("Where this column", columns, given.when if given else None, f"{key} when")
    equals = right.text_input("Holds the value", given.equals if given else "", max_chars=500, key=f"{key} equals")
    tolerated = _tolerated(given.tolerated if given else 0.0, key)
    return {"present": present, "when": when, "equals": equals, "tolerated": tolerated}


def _tolerated(share: float, key: str) -> float:
    return _percent("Rows that may break it (percent)", share, f"{key} tolerated", most=99.0)


def _percent(label: str, share: float, key: str, *, most: float = 100.0) -> float:
    found = st.number_input(label, 0.0, most, round(100 * share, 6), step=0.1, format="%g", key=key)
    return round(found / 100, 8)


def _written(bound: Bound) -> str:
    return "" if bound is None else bound if isinstance(bound, str) else f"{bound:.15g}"


def _bound(text: str) -> Bound:
    text = text.strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text


_FIELDS: dict[str, Callable[[Sequence[str], Rule | None, str], Fields]] = {
    "type": _type,
    "missing rate": _missing,
    "range": _range,
    "allowed values": _allowed,
    "unique": _unique,
    "comparison": _comparison,
    "presence": _presence,
}


def standing(contract: Contract) -> str:
    """Return how many checks there are and how many of them somebody stands for.

    Examples
    --------
    >>> standing(Contract(name="Data"))
    'No checks yet'
    """
    if not contract.checks:
        return "No checks yet"
    accepted = sum(check.is_accepted for check in contract.checks)
    return f"{len(contract.checks)} checks on {len(contract.columns)} columns, {accepted} accepted by a person"
