"""Which character separates the columns of a CSV file, and which one quotes."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from modelops.errors import RefusedFile

_SEPARATORS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_RECORDS = 100
_SAMPLE = 1 << 16
_HINT = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written. ``skipped`` lines stand before the header."""

    separator: str
    quote: str
    skipped: int
    header: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, where it is not the usual."""
        unusual = []
        if self.separator != ",":
            unusual.append(f"Columns are separated by {_NAMES.get(self.separator, repr(self.separator))}.")
        if self.quote != '"':
            unusual.append("Values are quoted with a single quote.")
        return tuple(unusual)


def sniff(head: str) -> Dialect:
    r"""Find the dialect from the beginning of a file.

    The separator is the one that gives every record as many fields as the header has, and the most of them. A file of
    one column has none.

    Examples
    --------
    >>> sniff("a;b\n1,5;2\n").separator
    ';'
    """
    hint = _HINT.match(head)
    body = head[hint.end() :] if hint else head
    sample = _whole_lines(body)
    quote = _quote(sample)
    best = max(_SEPARATORS, key=lambda candidate: _score(sample, candidate, quote))
    separator = hint.group(1) if hint else best
    return Dialect(separator, quote, 1 if hint else 0, _header(body, separator, quote))


def _whole_lines(text: str) -> str:
    if len(text) <= _SAMPLE:
        return text
    end = text.rfind("\n", 0, _SAMPLE)
    return text[: end + 1] if end > 0 else text


def _quote(sample: str) -> str:
    if '"' in sample:
        return '"'
    quoted = re.findall(r"(?:^|[,;\t|])'[^'\r\n]*'(?=[,;\t|\r\n]|$)", sample, re.MULTILINE)
    return "'" if len(quoted) >= max(2, sample.count("\n") // 2) else '"'


def _score(sample: str, separator: str, quote: str) -> tuple[float, int]:
    counts = _field_counts(sample, separator, quote)
    if not counts or counts[0] < 2:
        return (0.0, 0)
    return (sum(count == counts[0] for count in counts) / len(counts), counts[0])


def _field_counts(sample: str, separator: str, quote: str) -> list[int]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator, quotechar=quote)
    counts: list[int] = []
    try:
        for record in reader:
            if record:
                counts.append(len(record))
            if len(counts) >= _RECORDS:
                break
    except csv.Error:
        return counts[:1]
    return counts


def _header(body: str, separator: str, quote: str) -> tuple[str, ...]:
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, quotechar=quote)
    try:
        return tuple(next(record for record in reader if record))
    except StopIteration:
        raise RefusedFile("The file has no header row.") from None
    except csv.Error as error:
        raise RefusedFile(f"The header row cannot be read: {error}.") from error
