"""The quality of a table for people: one sentence, what stands out, the columns, and a few charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.data_quality.columns import ColumnQuality
from modelops.analyses.data_quality.freshness import day
from modelops.analyses.data_quality.measurements import MOST_PAIRS, features
from modelops.analyses.measuring import shown
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.number_words import percent
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, ResultTable, Series, Shape

if TYPE_CHECKING:
    from modelops.analyses.data_quality.run import Quality

_MOST_BARS = 30
_MOST_IN_MAP = 25
_MOST_ISSUES = 100
_PERIODS = 40


@dataclass(frozen=True)
class Issue:
    """Something that a person should look at; ``share`` of the rows, where it is of rows."""

    what: str
    column: str
    rows: int | None
    share: float | None
    advice: str


def issues(found: Quality) -> list[Issue]:
    """Return everything that stands out, what concerns people and whole rows first, then by share of rows."""
    of_columns = [issue for column in found.columns for issue in _of_column(column, found)]
    of_columns.sort(key=lambda issue: (-(1.0 if issue.share is None else issue.share), issue.column, issue.what))
    first = [issue for issue in of_columns if issue.what.startswith("personal data")]
    return [*first, *_of_rows(found), *(issue for issue in of_columns if issue not in first)]


def _of_rows(found: Quality) -> Iterator[Issue]:
    whole = found.repeats[0]
    if whole:
        yield Issue("repeated rows", "(rows)", whole, whole / found.rows, "Keep one of each, before any split.")
    twins = found.twins
    if twins and twins.conflicting:
        share = twins.conflicting / twins.rows
        advice = "Find out which label is right, or which feature is missing that tells these rows apart."
        yield Issue("same features, other label", "(rows)", twins.conflicting, share, advice)
    if found.labelled is not None and found.labelled < found.rows:
        without = found.rows - found.labelled
        yield Issue("no label", "(rows)", without, without / found.rows, "Find out why, and whether these rows differ.")


def _of_column(column: ColumnQuality, found: Quality) -> Iterator[Issue]:
    def rows(what: str, count: int, advice: str) -> Iterator[Issue]:
        if count:
            yield Issue(what, column.name, count, count / column.rows, advice)

    for one in column.personal:
        share = one.rows / column.rows
        advice = "Drop, mask or justify it."
        yield Issue(f"personal data: {one.kind}", column.name, round(one.rows), share, advice)
    if column.named and not any(one.kind == column.named for one in column.personal):
        yield Issue(f"personal data by name: {column.named}", column.name, None, None, "Drop, mask or justify it.")
    if column.is_constant:
        yield Issue("one value only", column.name, None, None, "It tells nothing: drop it, or repair its source.")
    if column.names_rows and "feature" in found.roles[column.name]:
        yield Issue("names rows", column.name, None, None, "A model would learn rows by heart: give it the use id.")
    yield from rows("missing", column.nulls, "Find out why; missing rows may differ from the others.")
    yield from rows("stands for missing", column.disguised, "Leave the cell empty where a value is missing.")
    if column.text is not None:
        ambiguous = sum(count for _, count in column.text.ambiguous)
        yield from rows("may stand for missing", ambiguous, "If it is an answer, name it in answers.")
        yield from rows("written in several ways", column.text.variants, "Choose one spelling.")
        minority = min(column.text.numbers, column.text.n_values - column.text.numbers)
        yield from rows("numbers and texts mixed", minority, "Choose one kind of value.")
        yield from rows("broken characters", column.text.damaged, "Read the source with its own encoding.")
    if column.number is not None:
        yield from rows("infinite", column.number.infinite, "Find the division by zero.")
        yield from rows("out of range", column.number.outside or 0, "Such values cannot be: repair the source.")
        if not column.is_time:
            yield from rows("outliers", column.number.outliers, "Check whether they are errors or rare cases.")


def summary(found: Quality) -> str:
    """Return what a person should know first."""
    columns = found.columns
    sentences = [f"{found.rows:,} rows and {len(columns)} columns were examined."]
    personal = [column.name for column in columns if column.may_be_personal]
    if personal:
        verb = "column may hold" if len(personal) == 1 else "columns may hold"
        sentences.append(f"{len(personal)} {verb} personal data: {_listed(personal)}.")
    gone = sum(column.rows - column.present for column in columns)
    if gone:
        worst = max(columns, key=lambda column: column.rows - column.present)
        sentences.append(
            f"{percent(gone / (found.rows * len(columns)))} of the cells are missing or hold a value that stands for"
            f" it, most in {worst.name} ({percent((worst.rows - worst.present) / worst.rows)})."
        )
    else:
        sentences.append("No value is missing.")
    if found.repeats[0]:
        sentences.append(f"{percent(found.repeats[0] / found.rows)} of the rows repeat an earlier one.")
    if found.twins and found.twins.conflicting:
        share = percent(found.twins.conflicting / found.twins.rows)
        sentences.append(f"{share} of the labelled rows have a twin with the same features and another label.")
    useless = [column.name for column in features(found) if column.is_constant or column.names_rows]
    if useless:
        verb = "tells" if len(useless) == 1 else "tell"
        sentences.append(f"{_listed(useless)} {verb} a model nothing worth learning (one value, or an identifier).")
    if found.freshness is not None:
        sentences.append(f"The newest row is of {day(found.freshness.newest)}.")
    return " ".join(sentences)


def _listed(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def notes(found: Quality) -> Iterator[str]:
    """Yield how it was done, where that matters for reading it."""
    yield (
        "A value stands for missing if people use it for that (n/a, ?, -999, 1900-01-01) and, for numbers and dates,"
        " if it also stands apart from all others; it is then left out of ranges, outliers and levels."
    )
    if any(column.may_be_personal for column in found.columns):
        yield (
            "Personal data is found by what values look like (with check digits where there are any) and by names of"
            " columns; it may be missed, and other values may be taken for it. The values are not shown."
        )
    if found.repeats[0] or (found.twins and found.twins.twins):
        yield "Equal rows are found by 64-bit hashes of all their values."


def tables(found: Quality) -> Iterator[ResultTable]:
    """Yield what stands out, the columns, the most frequent values, and the pairs."""
    listed = issues(found)
    if listed:
        yield ResultTable(
            name="issues",
            title="What stands out",
            columns=("what", "column", "rows", "share of rows", "what to do"),
            rows=tuple(
                (issue.what, issue.column, issue.rows, issue.share, issue.advice) for issue in listed[:_MOST_ISSUES]
            ),
            note=f"The first {_MOST_ISSUES} of {len(listed)}." if len(listed) > _MOST_ISSUES else None,
        )
    yield ResultTable(
        name="columns",
        title="Columns",
        columns=(
            "column", "use", "kind", "missing", "stands for missing", "distinct", "commonest", "minimum", "median",
            "maximum", "outliers",
        ),
        rows=tuple(_column_row(column, found) for column in found.columns),
    )  # fmt: skip
    frequent = tuple(_frequent(found))
    if frequent:
        yield ResultTable(
            name="levels",
            title="Most frequent texts",
            columns=("column", "text", "rows", "share of values"),
            rows=frequent,
            note="Not shown for columns that may hold personal data or identifiers.",
        )
    if found.pairs is not None and found.pairs.found:
        yield ResultTable(
            name="pairs",
            title="Columns that go together",
            columns=("column", "other", "strength", "measured by"),
            rows=tuple((pair.first, pair.second, pair.strength, pair.how) for pair in found.pairs.found[:MOST_PAIRS]),
        )


def _column_row(column: ColumnQuality, found: Quality) -> tuple[Scalar, ...]:
    number = column.number
    ends: tuple[Scalar, Scalar, Scalar] = (None, None, None)
    if number is not None and number.quantiles and (column.is_shown or column.is_time):
        low, middle, high = number.minimum, number.quantiles[2], number.maximum
        ends = tuple(day(each or 0.0) if column.is_time else shown(each) for each in (low, middle, high))  # type: ignore[assignment]
        if column.named == "date of birth":
            ends = (None, None, None)
    profile = number or column.text
    values = column.present
    return (
        column.name,
        found.roles[column.name],
        column.kind,
        column.nulls / column.rows,
        column.disguised / column.rows,
        column.distinct,
        profile.most_frequent / values if profile and values else None,
        *ends,
        number.outliers / values if number and number.fences and values else None,
    )


def _frequent(found: Quality) -> Iterator[tuple[Scalar, ...]]:
    for column in found.columns:
        if column.text is not None and column.is_shown:
            for text, rows in column.text.top:
                yield column.name, text, rows, rows / column.text.n_values


def curves(found: Quality) -> Iterator[Curve]:
    """Yield missing values by column, the balance of classes, rows over time, and how columns go together."""
    gaps = sorted(found.columns, key=lambda column: (column.present - column.rows, column.name))
    gaps = [column for column in gaps if column.present < column.rows][:_MOST_BARS]
    if gaps:
        names = tuple(column.name for column in gaps)
        empty = tuple(column.nulls / column.rows for column in gaps)
        coded = tuple(column.disguised / column.rows for column in gaps)
        yield Curve(
            name="missing",
            title="Missing values by column",
            shape=Shape.BARS,
            x_title="column",
            y_title="share of rows",
            series=tuple(
                Series(name=name, x=names, y=shares)
                for name, shares in (("no value", empty), ("stands for missing", coded))
                if any(shares)
            ),
        )
    yield from _balance(found)
    yield from _over_time(found)
    yield from _map(found)


def _balance(found: Quality) -> Iterator[Curve]:
    if found.classes is None or not found.labelled:
        return
    counts = found.classes.counts()
    order = [place for place in np.argsort(-counts, kind="stable")[:_MOST_BARS].tolist() if counts[place]]
    total = int(counts.sum())
    intervals = [wilson(int(counts[place]), total) for place in order]
    yield Curve(
        name="classes",
        title="Balance of classes",
        shape=Shape.BARS,
        x_title="class",
        y_title="share of labelled rows",
        series=(
            Series(
                name="classes",
                x=tuple(found.classes.levels[place] for place in order),
                y=tuple(counts[place] / total for place in order),
                low=tuple(low for low, _ in intervals),
                high=tuple(high for _, high in intervals),
                size=tuple(int(counts[place]) for place in order),
            ),
        ),
    )


def _over_time(found: Quality) -> Iterator[Curve]:
    fresh = found.freshness
    if fresh is None or not fresh.newest > fresh.oldest:
        return
    counts, edges = np.histogram(fresh.ordered, bins=_PERIODS)
    yield Curve(
        name="times",
        title="Rows over time",
        shape=Shape.STEP,
        x_title="day on which the period begins",
        y_title="rows",
        series=(Series(name="rows", x=tuple(day(edge) for edge in edges), y=(*map(float, counts), float(counts[-1]))),),
    )


def _map(found: Quality) -> Iterator[Curve]:
    pairs = found.pairs
    if pairs is None or len(pairs.names) < 3:
        return
    others = pairs.matrix - np.eye(len(pairs.names))
    chosen = np.sort(np.argsort(-others.max(axis=1), kind="stable")[:_MOST_IN_MAP])
    names = tuple(pairs.names[place] for place in chosen)
    yield Curve(
        name="associations",
        title="How strongly columns go together",
        shape=Shape.HEATMAP,
        x_title="column",
        y_title="column",
        series=tuple(
            Series(name=name, x=names, y=tuple(pairs.matrix[place, chosen].tolist()))
            for name, place in zip(names, chosen, strict=True)
        ),
        note="0: not at all, 1: one tells the other."
        + (f" The {len(names)} with the strongest partners." if len(names) < len(pairs.names) else ""),
    )
