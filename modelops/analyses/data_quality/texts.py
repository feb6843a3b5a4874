"""One column of text: spellings of "missing", numbers among words, one level written in several ways, rare levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Counts = NDArray[np.int64]

CLEAR_SPELLINGS = frozenset({
    "", "na", "n/a", "n.a.", "n.a", "n\\a", "#n/a", "nan", "<na>", "nat", "null", "(null)", "<null>", "nil", "\\n",
    "missing", "(missing)", "not available", "not applicable", "no data", "undefined", "unspecified", "not specified",
    "not provided", "tbd", "?", "??", "???", "-", "--", "---", ".", "..", "...", "_", "*", "#value!", "#div/0!",
    "#ref!", "#name?", "-99", "-999", "-9999", "-99999", "-999999", "9999", "99999", "999999", "empty", "blank",
    "(blank)",
})  # fmt: skip
"""What people write for "missing", in lower case."""

AMBIGUOUS_SPELLINGS = frozenset({"none", "unknown", "unk", "not known", "no answer"})
"""What may be an answer as well."""

_NUMBER = r"^[+-]?(\d+|\d{1,3}(,\d{3})+)([.,]\d+)?([eE][+-]?\d+)?\s?%?$|^[+-]?[.,]\d+$"
_SEVERAL_WORDS = r"\S\s+\S"
_DAMAGED = "\ufffd|Ã[\u0080-\u00bf©¼¶¤]|â€"


@dataclass(frozen=True)
class TextProfile:
    """What the rows of one text column hold; a value is looked at once, however many rows have it.

    ``spellings`` are the ways in which "missing" is written, with their rows; ``ambiguous`` those that may be answers
    ("none", "unknown"): they count as missing only where nulls or other spellings show that two ways of saying
    nothing are mixed. ``several_words`` counts rows with more than one word, ``variants`` those whose level is written
    otherwise in more rows.
    """

    n_values: int
    distinct: int
    most_frequent: int
    spellings: tuple[tuple[str, int], ...]
    ambiguous: tuple[tuple[str, int], ...]
    numbers: int
    variants: int
    variant_examples: tuple[tuple[str, ...], ...]
    rare_levels: int
    rare_rows: int
    damaged: int
    longest: int
    several_words: int
    top: tuple[tuple[str, int], ...]

    @property
    def spelled_missing(self) -> int:
        """How many rows spell "missing"."""
        return sum(rows for _, rows in self.spellings)


@dataclass(frozen=True)
class Levels:
    """The distinct texts of one column and how many rows each has."""

    texts: pa.Array
    counts: Counts


def levels_of(column: pa.ChunkedArray) -> Levels:
    """Return the texts that occur, in alphabetical order."""
    encoded = column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()
    whole = encoded.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return Levels(pa.array([], pa.string()), np.empty(0, dtype=np.int64))
    texts = whole.dictionary.cast(pa.string())
    counts = np.bincount(whole.indices.drop_null().to_numpy(), minlength=len(texts))
    kept = np.flatnonzero((counts > 0) & texts.is_valid().to_numpy(zero_copy_only=False))
    texts, counts = texts.take(pa.array(kept)), counts[kept]
    order = pc.sort_indices(texts)
    return Levels(texts.take(order), counts[order.to_numpy()])


def text_profile(
    levels: Levels,
    *,
    nulls: int,
    rare: int,
    also_missing: frozenset[str] = frozenset(),
    answers: frozenset[str] = frozenset(),
) -> TextProfile:
    """Look at the levels of one column.

    Parameters
    ----------
    nulls : int
        Rows without any value.
    rare : int
        Levels with fewer rows are rare.
    also_missing, answers : frozenset of str
        Further spellings of "missing", and spellings that are answers here; in lower case.

    Examples
    --------
    >>> column = pa.chunked_array([["red", "Red", "red ", "n/a", "?", "blue", "red"]])
    >>> found = text_profile(levels_of(column), nulls=0, rare=2)
    >>> found.spelled_missing, found.variants, found.n_values
    (2, 2, 5)
    """
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(levels.texts))
    clear = (CLEAR_SPELLINGS | also_missing) - answers
    is_clear = _is_in(plain, clear)
    is_possible = _is_in(plain, AMBIGUOUS_SPELLINGS - answers - also_missing)
    mixed = nulls > 0 or bool(is_clear.any()) or int(is_possible.sum()) > 1
    spelled = is_clear | is_possible if mixed else is_clear
    kept = pa.array(~spelled)
    texts, counts, plain = levels.texts.filter(kept), levels.counts[~spelled], plain.filter(kept)
    total = int(counts.sum())
    variants, examples = _variants(texts, plain, counts)
    is_rare = counts < rare
    return TextProfile(
        n_values=total,
        distinct=len(texts),
        most_frequent=int(counts.max(initial=0)),
        spellings=_named(levels, spelled),
        ambiguous=() if mixed else _named(levels, is_possible),
        numbers=_rows_matching(plain, counts, _NUMBER),
        variants=variants,
        variant_examples=examples,
        rare_levels=int(is_rare.sum()),
        rare_rows=int(counts[is_rare].sum()),
        damaged=_rows_matching(texts, counts, _DAMAGED),
        longest=int(pc.max(pc.utf8_length(texts)).as_py() or 0),
        several_words=_rows_matching(plain, counts, _SEVERAL_WORDS),
        top=_top(texts, counts),
    )


def _is_in(texts: pa.Array, wanted: frozenset[str]) -> NDArray[np.bool_]:
    found = pc.is_in(texts, value_set=pa.array(sorted(wanted), pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _named(levels: Levels, which: NDArray[np.bool_]) -> tuple[tuple[str, int], ...]:
    places = np.flatnonzero(which)
    places = places[np.argsort(-levels.counts[places], kind="stable")]
    return tuple((levels.texts[int(place)].as_py(), int(levels.counts[place])) for place in places)


def _rows_matching(texts: pa.Array, counts: Counts, pattern: str) -> int:
    matches = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return int(counts[matches.astype(np.bool_)].sum())


def _variants(texts: pa.Array, plain: pa.Array, counts: Counts) -> tuple[int, tuple[tuple[str, ...], ...]]:
    """Count the rows whose level is written otherwise (case, spaces, hyphens) in more rows; the first such levels."""
    if not len(texts):
        return 0, ()
    forms = pc.replace_substring_regex(plain, r"[\s_\-]+", " ").dictionary_encode()
    codes = forms.indices.to_numpy()
    n_forms = len(forms.dictionary)
    written = np.bincount(codes, minlength=n_forms)
    if int(written.max()) < 2:
        return 0, ()
    most = np.zeros(n_forms, dtype=np.int64)
    np.maximum.at(most, codes, counts)
    rows = np.bincount(codes, weights=counts, minlength=n_forms).astype(np.int64) - most
    several = np.flatnonzero(written > 1)
    first = several[np.argsort(-rows[several], kind="stable")][:3]
    examples = tuple(tuple(texts.filter(pa.array(codes == form)).to_pylist()[:4]) for form in first)
    return int(rows[several].sum()), examples


def _top(texts: pa.Array, counts: Counts, most: int = 5) -> tuple[tuple[str, int], ...]:
    order = np.argsort(-counts, kind="stable")[:most]
    return tuple((texts[int(place)].as_py()[:60], int(counts[place])) for place in order)
