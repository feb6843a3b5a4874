"""The settings of an analysis as a form, made from its parameter model: types, limits, defaults and descriptions."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from modelops.analyses.base import Parameters
from modelops.ui.text import plain

_LONG_TEXT = 300
_NO_CHOICE: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One setting: what it is called, what it may be, what it is if nobody says.

    ``choose`` names what its text is one of (``"column"``, ``"class"``), where the parameter model says so.
    """

    name: str
    kind: type[Any]
    is_optional: bool
    is_list: bool
    options: tuple[Any, ...]
    default: Any
    help: str
    low: float | None
    high: float | None
    longest: int | None
    choose: str | None

    @property
    def label(self) -> str:
        """What the form calls it."""
        return self.name.replace("_", " ").capitalize()


def fields_of(model: type[Parameters]) -> tuple[Field, ...]:
    """Return the settings of an analysis in the order in which they are declared."""
    return tuple(_field(name, info) for name, info in model.model_fields.items())


def _field(name: str, info: FieldInfo) -> Field:
    annotation, is_optional = _without_none(info.annotation)
    is_list = get_origin(annotation) in {list, tuple, set, frozenset}
    if is_list:
        annotation, _ = _without_none(next((part for part in get_args(annotation) if part is not Ellipsis), str))
    options: tuple[Any, ...] = ()
    if get_origin(annotation) is Literal:
        options = get_args(annotation)
        annotation = type(options[0])
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        options = tuple(annotation)
    low = next(
        (each.ge if isinstance(each, Ge) else each.gt for each in info.metadata if isinstance(each, Ge | Gt)), None
    )
    high = next(
        (each.le if isinstance(each, Le) else each.lt for each in info.metadata if isinstance(each, Le | Lt)), None
    )
    longest = next((each.max_length for each in info.metadata if hasattr(each, "max_length")), None)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return Field(
        name=name,
        kind=annotation if isinstance(annotation, type) else str,
        is_optional=is_optional,
        is_list=is_list,
        options=options,
        default=info.get_default(call_default_factory=True, validated_data={}),
        help=info.description or "",
        low=None if low is None else float(low),  # type: ignore[arg-type]
        high=None if high is None else float(high),  # type: ignore[arg-type]
        longest=longest,
        choose=str(extra["choose"]) if "choose" in extra else None,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in {Union, types.UnionType}:
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return parts[0], len(parts) < len(get_args(annotation))
    return annotation, False


def parameter_form(
    model: type[Parameters], *, given: Mapping[str, object], choices: Mapping[str, Sequence[str]], key: str
) -> dict[str, object]:
    """Show the settings of an analysis in two columns; return what stands in them.

    Parameters
    ----------
    given : mapping
        What they were before, by name; the defaults for the others.
    choices : mapping
        What a text that names a ``"column"`` or a ``"class"`` can be.
    key : str
        The beginning of the names under which the screen remembers what was typed.
    """
    values: dict[str, object] = {}
    fields = fields_of(model)
    for place in range(0, len(fields), 2):
        columns = st.columns(2, gap="medium", vertical_alignment="bottom")
        for column, field in zip(columns, fields[place : place + 2], strict=False):
            known = choices.get(field.choose or "", _NO_CHOICE)
            start = given.get(field.name, field.default)
            with column:
                values[field.name] = _widget(field, start, known, f"{key} {field.name}")
    return values


def _widget(field: Field, start: Any, known: Sequence[str], key: str) -> object:
    show: Callable[[Field, Any, Sequence[str], str], object] = _text
    if field.is_list:
        show = _list
    elif field.options:
        show = _options
    elif field.kind is bool:
        show = _switch
    elif field.kind in {int, float}:
        show = _number
    elif known:
        show = _choice
    return show(field, start, known, key)


def _switch(field: Field, start: Any, _known: Sequence[str], key: str) -> object:
    return st.toggle(field.label, value=bool(start), help=plain(field.help), key=key)


def _options(field: Field, start: Any, _known: Sequence[str], key: str) -> object:
    options = [*([None] if field.is_optional else []), *field.options]
    return st.selectbox(
        field.label,
        options,
        index=options.index(start) if start in options else 0,
        format_func=lambda each: "not set" if each is None else str(getattr(each, "value", each)).replace("_", " "),
        help=plain(field.help),
        key=key,
    )


def _choice(field: Field, start: Any, known: Sequence[str], key: str) -> object:
    options = list(dict.fromkeys([*known, *([str(start)] if start else [])]))
    return st.selectbox(
        field.label,
        options,
        index=options.index(str(start)) if start else None,
        accept_new_options=True,
        placeholder="not set",
        help=plain(field.help),
        key=key,
    )


def _number(field: Field, start: Any, _known: Sequence[str], key: str) -> object:
    kind = field.kind
    return st.number_input(
        field.label,
        min_value=None if field.low is None else kind(field.low),
        max_value=None if field.high is None else kind(field.high),
        value=None if start is None else kind(start),
        step=1 if kind is int else _step(field),
        format="%d" if kind is int else "%g",
        placeholder="not set" if field.is_optional else None,
        help=plain(f"{field.help}{_limits(field)}"),
        key=key,
    )


def _step(field: Field) -> float:
    return 0.01 if field.high is not None and field.high <= 1 else 0.1


def _limits(field: Field) -> str:
    if field.low is not None and field.high is not None:
        return f" From {field.low:,g} to {field.high:,g}."
    return "" if field.low is None else f" At least {field.low:,g}."


def _text(field: Field, start: Any, _known: Sequence[str], key: str) -> object:
    shown = "" if start is None else str(start)
    if (field.longest or 0) > _LONG_TEXT:
        text = st.text_area(field.label, shown, max_chars=field.longest, help=plain(field.help), height=72, key=key)
    else:
        text = st.text_input(field.label, shown, max_chars=field.longest, help=plain(field.help), key=key)
    return (text or None) if field.is_optional else text


def _list(field: Field, start: Any, known: Sequence[str], key: str) -> object:
    chosen = [str(getattr(each, "value", each)) for each in start or ()]
    options = [str(getattr(each, "value", each)) for each in field.options] or list(known)
    return st.multiselect(
        field.label,
        list(dict.fromkeys([*options, *chosen])),
        default=chosen,
        accept_new_options=not field.options,
        placeholder="none; type to add one" if not options else "none",
        help=plain(field.help),
        key=key,
    )
