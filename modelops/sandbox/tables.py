"""Columns of a table as a frame, from the analysis process to the model process.

Numbers, whole numbers, truths and texts each travel as one matrix (columns by rows); texts as codes and, for each
column, the distinct values one after the other with the places where they end.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.errors import InvalidInput
from modelops.sandbox.wire import BadFrame, Frame, Json

if TYPE_CHECKING:
    import pandas as pd

_KINDS = ("float", "int", "bool", "text")
_DTYPES = {"float": np.float64, "int": np.int64, "bool": np.uint8, "text": np.int64}


def encode(rows: pd.DataFrame) -> tuple[dict[str, Json], list[np.ndarray]]:
    """Return header fields and buffers.

    Raises
    ------
    InvalidInput
        If a column holds dates or something else that models do not take.
    """
    columns: list[Json] = []
    parts: dict[str, list[np.ndarray]] = {kind: [] for kind in _KINDS}
    vocabulary: list[bytes] = []
    sizes: list[int] = []
    for position, name in enumerate(rows.columns):
        kind, values, words = _column(rows.iloc[:, position], str(name))
        columns.append([str(name), kind])
        parts[kind].append(values)
        if kind == "text":
            sizes.append(len(words))
            vocabulary += words
    matrices = [np.array(parts[kind], dtype=_DTYPES[kind]).reshape(len(parts[kind]), len(rows)) for kind in _KINDS]
    ends = np.cumsum([len(word) for word in vocabulary], dtype=np.int64)
    joined = np.frombuffer(b"".join(vocabulary), np.uint8)
    return {"columns": columns, "rows": len(rows)}, [*matrices, np.array(sizes, np.int64), ends, joined]


def _column(column: pd.Series[Any], name: str) -> tuple[str, np.ndarray, list[bytes]]:
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype) or dtype.kind == "O":
        codes, values = pd.factorize(column, use_na_sentinel=True)
        return "text", codes.astype(np.int64), [str(value).encode(errors="replace") for value in values]
    if dtype.kind not in "iufb":
        held = "times" if dtype.kind == "M" else f"{dtype} values"
        raise InvalidInput(f"Column {name!r} holds {held}; a model takes numbers, true or false, and text.")
    if dtype.kind == "f" or column.isna().any():
        return "float", column.to_numpy(np.float64, na_value=np.nan), []
    if dtype.kind == "b":
        return "bool", column.to_numpy(bool), []
    return "int", column.to_numpy(np.int64), []


def decode(frame: Frame) -> pd.DataFrame:
    """Return the table of a frame: float64, int64, bool, and text as categories with NaN for missing.

    Raises
    ------
    BadFrame
        If names, types and buffers do not fit each other.
    """
    import pandas as pd

    declared, n_rows = frame.header.get("columns"), frame.header.get("rows")
    if not isinstance(declared, list) or type(n_rows) is not int or len(frame.buffers) != len(_KINDS) + 3:
        raise BadFrame("A table arrived without its columns.")
    names_kinds = [_declared(item) for item in declared]
    if len({name for name, _ in names_kinds}) != len(names_kinds):
        raise BadFrame("A table arrived with two columns of one name.")
    matrices = dict(zip(_KINDS, frame.buffers, strict=False))
    for kind in _KINDS:
        wanted = (sum(1 for _, own in names_kinds if own == kind), n_rows)
        if matrices[kind].shape != wanted or matrices[kind].dtype != _DTYPES[kind]:
            raise BadFrame("A table arrived with columns of another length or type than declared.")
    vocabularies = _vocabularies(*frame.buffers[len(_KINDS) :], count=len(matrices["text"]))
    used = dict.fromkeys(_KINDS, 0)
    columns: dict[str, Any] = {}
    for name, kind in names_kinds:
        values = matrices[kind][used[kind]]
        if kind == "text":
            columns[name] = _categories(values, vocabularies[used[kind]])
        else:
            columns[name] = values.astype(bool) if kind == "bool" else values
        used[kind] += 1
    return pd.DataFrame(columns, index=pd.RangeIndex(n_rows))


def _declared(item: Json) -> tuple[str, str]:
    match item:
        case [str(name), str(kind)] if kind in _KINDS:
            return name, kind
    raise BadFrame("A table arrived with a column that is none.")


def _vocabularies(sizes: np.ndarray, ends: np.ndarray, words: np.ndarray, *, count: int) -> list[list[str]]:
    fits = sizes.dtype == ends.dtype == np.int64 and words.dtype == np.uint8
    if not fits or sizes.shape != (count,) or sizes.min(initial=0) < 0 or sizes.sum() != len(ends):
        raise BadFrame("A table arrived with texts that do not fit its columns.")
    bounds = np.concatenate([[0], ends])
    if (np.diff(bounds) < 0).any() or bounds[-1] != len(words):
        raise BadFrame("A table arrived with texts that do not fit its columns.")
    content = words.tobytes()
    texts = [content[start:end].decode(errors="replace") for start, end in pairwise(bounds)]
    stops = np.cumsum(sizes)
    return [texts[stop - size : stop] for stop, size in zip(stops, sizes, strict=True)]


def _categories(codes: np.ndarray, words: list[str]) -> Any:
    import pandas as pd

    if len(codes) and (codes.min() < -1 or codes.max() >= len(words)):
        raise BadFrame("A table arrived with a text that is not in its list.")
    if len(set(words)) != len(words):
        raise BadFrame("A table arrived with one text twice in its list.")
    return pd.Categorical.from_codes(codes, categories=pd.Index(words, dtype="str"))
