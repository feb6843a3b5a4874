"""States of a store that many tests begin with: walked to once in a process, and copied from then on."""

from __future__ import annotations

import copy
import functools
import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from modelops.store import Store

P = ParamSpec("P")
R = TypeVar("R")

# SQLite's header counts changes; what is stored begins after it. Two of its bytes name the kind of journal.
_HEADER, _JOURNAL, _ROLLBACK = 100, slice(18, 20), b"\x01\x01"


@dataclass(frozen=True)
class _State:
    """The records and the files of a store after a step, and what the step returned."""

    folder: Path
    returned: Any

    def put_into(self, store: Store) -> Any:
        with closing(sqlite3.connect(self.folder / "records")) as kept, closing(_opened(store)) as target:
            target.execute("PRAGMA synchronous=OFF")
            kept.backup(target)
        shutil.copytree(self.folder / "files", _files(store), dirs_exist_ok=True)
        return copy.deepcopy(self.returned)


_FOLDER = tempfile.TemporaryDirectory(prefix="modelops-remembered-", ignore_cleanup_errors=True)
_STATES: dict[tuple[str, str, str], _State] = {}


def remembered(step: Callable[Concatenate[Store, P], R]) -> Callable[Concatenate[Store, P], R]:
    """Copy what a step left in another store whose records were the same, and which was asked the same.

    The step is walked again where a single byte of the records is another one. Where the store lies plays no part, so
    folders among the arguments do not either. What a step returns is a copy too.
    """

    @functools.wraps(step)
    def walk(store: Store, *args: P.args, **kwargs: P.kwargs) -> R:
        if store.sqlite_file is None:
            return step(store, *args, **kwargs)
        key = (step.__qualname__, _without_folders(args, kwargs), hashlib.sha256(_records(store)[_HEADER:]).hexdigest())
        if key in _STATES:
            return _STATES[key].put_into(store)  # type: ignore[no-any-return]
        returned = step(store, *args, **kwargs)
        _STATES[key] = _state(store, copy.deepcopy(returned))
        return returned

    return walk


def _state(store: Store, returned: Any) -> _State:
    folder = Path(tempfile.mkdtemp(dir=_FOLDER.name))
    records = bytearray(_records(store))
    records[_JOURNAL] = _ROLLBACK
    (folder / "records").write_bytes(records)
    shutil.copytree(_files(store), folder / "files")
    return _State(folder, returned)


def _without_folders(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    given = {**{str(place): value for place, value in enumerate(args)}, **kwargs}
    return repr({name: value for name, value in given.items() if not isinstance(value, Path)})


def _records(store: Store) -> bytes:
    with closing(_opened(store)) as database:
        return database.serialize()


def _opened(store: Store) -> sqlite3.Connection:
    assert store.sqlite_file
    return sqlite3.connect(store.sqlite_file, timeout=30)


def _files(store: Store) -> Path:
    return Path(store.blobs._root)
