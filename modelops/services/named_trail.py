"""Entries of the audit trail with what their numbers stand for: read beside the trail, never written into it.

An entry says that account 3 changed ``dataset/12``; people ask for the dataset by its name. The names are those of now,
the printed name of who acted is that of then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from modelops.analyses.registry import ANALYSES
from modelops.domain.audit import AuditEntry, read_entry
from modelops.store import Reader
from modelops.store.queries_subjects import SHORT, Key, Known, known
from modelops.store.tables import AuditRow

_TITLES = {one.key: one.title for one in ANALYSES}
# What the numbers in old and new values stand for.
_KINDS = {
    "owner_id": "user",
    "risk_owner_id": "user",
    "model_id": "model",
    "version_id": "version",
    "parent_id": "version",
    "champion_id": "version",
    "dataset_id": "dataset",
    "data_id": "dataset",
    "reference_id": "dataset",
    "train_id": "dataset",
    "datasets": "dataset",
    "review_id": "review",
    "by": "review",
    "run_id": "run",
    "repeats": "run",
    "finding_id": "finding",
    "waiver_id": "waiver",
    "evidence_id": "evidence",
}
_DIGESTS = {"template": "template", "policy": "policy"}
_ALWAYS = {
    "audit": "the audit trail",
    "store": "the whole store",
    "user/0": "an unknown login",
    "model/0": "a new model",
    "run/0": "a new analysis run",
}
_KIND_WORDS = {"user": "account", "gate": "file", "key": "signing key", "run": "analysis run", "template": "checklist"}


@dataclass(frozen=True)
class Thing:
    """What an entry is about, in words.

    ``kind`` and ``key`` are those of its page; ``model`` is the model that it belongs to, where it is one.
    """

    words: str
    kind: str = ""
    key: str = ""
    model_id: int | None = None
    model: str = ""
    is_known: bool = False


@dataclass(frozen=True)
class Change:
    """One value that an entry speaks of, before and after, with names in the place of numbers; ``None``: not said."""

    what: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class NamedEntry:
    """One entry with its names.

    ``actor_now`` is the printed name today, and empty where it is that of the entry; ``names`` has every number in the
    old and new values, as in ``user/3``, with what it stands for.
    """

    entry: AuditEntry
    previous: str
    hash: str
    thing: Thing
    actor_now: str
    changes: tuple[Change, ...]
    names: Mapping[str, str]


def named_entries(reader: Reader, rows: Sequence[AuditRow]) -> list[NamedEntry]:
    """Return entries with their names, in the order given. There is one question for each kind of thing."""
    entries = [read_entry(row.body.encode()) for row in rows]
    wanted: set[Key] = set()
    for entry in entries:
        wanted |= {*_subject_keys(entry.subject), ("user", str(entry.actor_id))}
        wanted |= {key for values in (entry.old, entry.new) for key in _value_keys(values)}
    found = known(reader, wanted)
    return [_named(row, entry, found) for row, entry in zip(rows, entries, strict=True)]


def _named(row: AuditRow, entry: AuditEntry, found: Mapping[Key, Known]) -> NamedEntry:
    now = found.get(("user", str(entry.actor_id)))
    keys = sorted({key for values in (entry.old, entry.new) for key in _value_keys(values)})
    return NamedEntry(
        entry=entry,
        previous=row.previous,
        hash=row.hash,
        thing=_thing(entry.subject, found),
        actor_now=now.name if now and now.name != entry.actor_name else "",
        changes=tuple(_changes(entry, found)),
        names={"/".join(key): _short_words(key, found) for key in keys if key in found},
    )


def _subject_keys(subject: str) -> list[Key]:
    """Return the things that a subject names: ``review/3/run/7`` is about a review and a run."""
    parts = subject.split("/")
    return list(zip(parts[::2], parts[1::2], strict=False))


def _thing(subject: str, found: Mapping[Key, Known]) -> Thing:
    keys = _subject_keys(subject)
    if subject in _ALWAYS or not keys:
        return Thing(_ALWAYS.get(subject, subject))
    outer, *inner = keys
    of = found.get(outer)
    words = _words(outer, found)
    for kind, key in inner:
        words = f"{f'question {key}' if kind == 'question' else _words((kind, key), found, inside=True)} in the {words}"
    return Thing(words, *outer, of.model_id if of else None, of.model if of else "", is_known=of is not None)


def _words(key: Key, found: Mapping[Key, Known], *, inside: bool = False) -> str:
    """Return what a thing is called; ``inside`` another one that names the model already."""
    kind, number = key
    called = _KIND_WORDS.get(kind, kind)
    one = found.get(key)
    if one is None:
        return _words_without_name(kind, called, number)
    of = f"{one.model} {one.label}".strip()
    if kind == "run":
        about = f"on {one.name}" if inside else f"of {of} on {one.name}"
        return f"{_TITLES.get(one.also, one.also)} {about} (run {number})"
    forms = {
        "user": one.name,
        "model": f"model {one.name}",
        "template": f"{called} {one.name} {one.label}",
        "policy": f"{called} {one.name} {one.label}",
        "gate": f"file {number} ({one.name})",
        "review": f"{one.name} of {of}",
        **dict.fromkeys(("finding", "waiver", "evidence"), f"{called} {one.name or number} in the {one.also} of {of}"),
    }
    return forms.get(kind, f"{called} {one.name} of {one.model}")


def _words_without_name(kind: str, called: str, number: str) -> str:
    if kind == "key":
        return f"{called} {number}"
    if kind == "gate":
        return f"file {number}, which no version is registered with"
    return f"{called} {number}, which is not in this store"


def _short_words(key: Key, found: Mapping[Key, Known]) -> str:
    """Return what a number in a value stands for, where the field's own name says of which kind it is."""
    kind, number = key
    one = found.get(key)
    if one is None:
        return number
    if kind == "run":
        return f"{number} ({_TITLES.get(one.also, one.also)} on {one.name})"
    if kind in _DIGESTS:
        return f"{one.name} {one.label}"
    return f"{number} ({one.name})" if kind in {"review", "finding", "waiver", "evidence"} else one.name


def _value_keys(values: JsonValue) -> Iterator[Key]:
    if not isinstance(values, dict):
        return
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            key = _value_key(name, one)
            if key is not None:
                yield key


def _value_key(name: str, value: JsonValue) -> Key | None:
    if name in _KINDS and isinstance(value, int | str) and not isinstance(value, bool):
        return _KINDS[name], str(value)
    if name in _DIGESTS and isinstance(value, str):
        return _DIGESTS[name], value.rpartition(":")[2][:SHORT]
    return None


def _changes(entry: AuditEntry, found: Mapping[Key, Known]) -> Iterator[Change]:
    old, new = _flat(entry.old), _flat(entry.new)
    for name in dict.fromkeys([*old, *new]):
        before, after = (None if name not in side else _value(name, side[name], found) for side in (old, new))
        is_said = before is not None if after is None else after != before
        if is_said and (before, after) != (None, _NOTHING):
            yield Change(name.removesuffix("_id").replace("_", " "), before, after)


_NOTHING = "nothing"


def _flat(values: JsonValue) -> dict[str, JsonValue]:
    """Return values by name; those of a record inside are values of their own, as in ``roles target``."""
    if not isinstance(values, dict):
        return {} if values is None else {"value": values}
    flat: dict[str, JsonValue] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            flat |= {f"{name} {inner}": one for inner, one in value.items()}
        else:
            flat[name] = value
    return flat


def _value(name: str, value: JsonValue, found: Mapping[Key, Known]) -> str:
    if value is None or value in ("", [], {}):
        return _NOTHING
    if isinstance(value, list):
        return ", ".join(_value(name, one, found) for one in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, bool):
        return "yes" if value else "no"
    key = _value_key(name, value)
    return str(value) if key is None else _short_words(key, found)


def spoken(changes: Iterable[Change]) -> list[str]:
    """Return changes as people read them.

    Examples
    --------
    >>> spoken([Change("owner", "Author", "Approver"), Change("rows", None, "40"), Change("positive", "1", None)])
    ['owner: Author → Approver', 'rows: 40', 'positive was 1']
    """
    return [
        f"{one.what} was {one.old}"
        if one.new is None
        else f"{one.what}: {one.new}"
        if one.old is None
        else f"{one.what}: {one.old} → {one.new}"
        for one in changes
    ]
