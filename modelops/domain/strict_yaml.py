"""Reading YAML that a person wrote: no tags, no aliases, no duplicate keys, limits, and errors that name the place."""

from __future__ import annotations

from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from modelops.errors import InvalidInput, TooLarge

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML was built without libyaml: ten times slower, the same result
    from yaml import SafeLoader  # type: ignore[assignment]

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 50_000
MAX_PROBLEMS = 5

R = TypeVar("R", bound=BaseModel)


class _Loader(SafeLoader):
    """A safe loader that refuses a key that is not text or stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _refused(f"got the key {key!r}, expected text (put it in quotes)", key_node)
            if key in seen:
                raise _refused(f"the key {key!r} stands twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _refused(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def load_yaml(text: str, record: type[R], *, what: str) -> R:
    """Return the one document in ``text`` as a ``record``: read, then judged, then built.

    Parameters
    ----------
    text : str
        YAML 1.1 of at most `MAX_BYTES` bytes in UTF-8.
    record : type of pydantic record
        What it must be. Unknown fields are refused by the record.
    what : str
        What is read, for the error messages, such as ``"checklist template"``.

    Raises
    ------
    TooLarge
        If the text is too long, nested too deeply or has too many nodes.
    InvalidInput
        If it is not YAML, uses tags, anchors, aliases or merge keys, repeats a key, or does not fit the record. The
        message names line and column, or the path to the place.
    """
    size = _byte_length(text, what)
    if size > MAX_BYTES:
        raise TooLarge(f"This {what} has {size:,} bytes, at most {MAX_BYTES:,} are possible.")
    try:
        _judge(text, what)
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        raise InvalidInput(f"This {what} cannot be read as YAML: {_described(error)}.") from error
    if not isinstance(content, dict):
        raise InvalidInput(f"This {what} holds {_kind(content)}, expected a mapping of names to values.")
    try:
        return record.model_validate(content)
    except ValidationError as error:
        raise InvalidInput(f"This {what} cannot be used: {_problems(error, content)}") from error


def _byte_length(text: str, what: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput(f"This {what} holds a character that is not valid Unicode: {error.reason}.") from error


def _judge(text: str, what: str) -> None:
    """Refuse, before anything is built, what could make a small text large or choose a Python type."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=SafeLoader):
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            if event.anchor is not None:
                raise InvalidInput(f"This {what} uses an anchor or alias at {_at(event)}. Write the content out.")
            tag = getattr(event, "tag", None)
            if tag is not None:
                raise InvalidInput(f"This {what} uses the tag {tag!r} at {_at(event)}. Leave tags out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise TooLarge(f"This {what} is nested deeper than {MAX_DEPTH} levels at {_at(event)}.")
        if nodes > MAX_NODES:
            raise TooLarge(f"This {what} has more than {MAX_NODES:,} entries.")


def _at(event: yaml.Event) -> str:
    return _spot(event.start_mark).removeprefix(" at ") or "an unknown place"


def _spot(mark: Any) -> str:
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _described(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        return f"{error.problem or error.context}{_spot(error.problem_mark or error.context_mark)}"
    return " ".join(str(error).split())


def _kind(content: object) -> str:
    return "nothing" if content is None else "a list" if isinstance(content, list) else f"the value {content!r:.80}"


def _problems(error: ValidationError, content: object) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{_place(problem['loc'], content)}{_sentence(problem['msg'])}" for problem in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        told.append(f"and {len(found) - MAX_PROBLEMS} more.")
    return " ".join(told)


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".") + "."


def _place(steps: tuple[int | str, ...], content: object) -> str:
    """Name the way to a place by the ids of the records on it, where they have one."""
    names: list[str] = []
    node: Any = content
    for step in steps:
        node = _child(node, step)
        own = node.get("id") if isinstance(step, int) and isinstance(node, dict) else None
        names.append(own if isinstance(own, str) else f"entry {step + 1}" if isinstance(step, int) else step)
    return " > ".join(names) + ": " if names else ""


def _child(node: Any, step: int | str) -> Any:
    if isinstance(node, dict) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None
