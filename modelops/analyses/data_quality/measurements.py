"""What was found, as measurements. Every column has the scope ``{"feature": NAME}``, whatever its role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.data_quality.columns import ColumnQuality
from modelops.analyses.data_quality.freshness import DAY, day
from modelops.analyses.data_quality.numbers import QUANTILES, NumberProfile
from modelops.analyses.data_quality.pairs import Pairs
from modelops.analyses.data_quality.texts import TextProfile
from modelops.analyses.measuring import inapplicable, measured
from modelops.analyses.statistics.intervals import newcombe, wilson
from modelops.domain.columns import Task
from modelops.domain.number_words import percent
from modelops.domain.result import Measurement

if TYPE_CHECKING:
    from modelops.analyses.data_quality.run import Quality

MOST_PAIRS = 50

Where = Mapping[str, str | float | dict[str, str]]

_NO_VALUES = "The column has no values."
_HIDDEN = "Single values are not shown: they may be somebody's, or name rows."
_SECONDS = "seconds since 1970-01-01 UTC"


def all_measurements(found: Quality, task: Task) -> Iterator[Measurement]:
    """Yield the whole table's figures, then those of each column."""
    yield from _table(found)
    yield from _rows(found, task)
    yield from _classes(found, task)
    yield from _times(found)
    if found.pairs is not None:
        yield from _pairs(found.pairs)
    for column in found.columns:
        yield from _column(column)
    yield from _of_no_column(found)


def _share(
    metric: str, count: float, total: int, *, scope: Where | None = None, note: str | None = None, otherwise: str
) -> Measurement:
    """Return a share of rows with Wilson's interval."""
    return measured(
        metric,
        count / total if total else None,
        size=total,
        scope=scope,
        interval=wilson(count, total) if total else None,
        note=note,
        otherwise=otherwise,
    )


def _named(columns: list[ColumnQuality]) -> str | None:
    return ", ".join(column.name for column in columns) or None


def _count(metric: str, columns: list[ColumnQuality], of: int) -> Measurement:
    """Return how many columns there are of a kind; their names stand in the note."""
    return measured(metric, len(columns), size=of, unit="columns", note=_named(columns))


def features(found: Quality) -> list[ColumnQuality]:
    """Return the columns that a model may learn from; all of them where nobody said which these are."""
    chosen = [column for column in found.columns if "feature" in found.roles[column.name]]
    return chosen or list(found.columns)


def _table(found: Quality) -> Iterator[Measurement]:
    columns, learned = found.columns, features(found)
    cells = found.rows * len(columns)
    # Cells of one row are not independent, so these shares of cells have no interval.
    yield measured("missing_cell_rate", sum(column.nulls for column in columns) / cells, size=cells)
    yield measured("disguised_missing_cell_rate", sum(column.disguised for column in columns) / cells, size=cells)
    yield _count("constant_feature_count", [one for one in learned if one.is_constant], len(learned))
    yield _count("id_like_feature_count", [one for one in learned if _names_rows(one, found)], len(learned))
    yield _count("personal_data_column_count", [one for one in columns if one.may_be_personal], len(columns))
    yield _count("personal_data_feature_count", [one for one in learned if one.may_be_personal], len(learned))


def _names_rows(column: ColumnQuality, found: Quality) -> bool:
    """Say whether a feature names rows: by its values, or because a person said that it is an id."""
    return column.names_rows or "id" in found.roles[column.name].split(", ")


def _excess_contradictions(found: Quality) -> Measurement:
    """Return the share of contradicting rows beyond what coarse features make alike."""
    name, twins = "excess_conflicting_label_rate", found.twins
    if twins is None or not twins.rows:
        return measured(name, None, size=0, otherwise=found.no_twins or "No row has a label.")
    share = twins.conflicting / twins.rows
    if found.alike is None:
        return measured(name, share, size=twins.rows, interval=wilson(0, twins.rows), note="no two rows contradict")
    count, rows = found.alike
    return measured(
        name,
        share - count / rows,
        size=twins.rows,
        interval=newcombe(twins.conflicting, twins.rows, count, rows),
        note=f"of {rows:,} rows composed of the same values, {percent(count / rows)} are like some row by chance",
    )


def _rows(found: Quality, task: Task) -> Iterator[Measurement]:
    whole, content = found.repeats
    yield measured("duplicate_row_rate", whole / found.rows, size=found.rows, note="equal in every column")
    yield measured(
        "duplicate_content_rate",
        None if content is None else content / found.rows,
        size=found.rows,
        note="equal in every feature and in the target, whatever the ids and times",
        otherwise="No column has the role of a feature.",
    )
    for name, (rows, again) in found.keys.items():
        yield measured(
            "duplicate_key_rate",
            again / rows if rows else None,
            size=rows,
            scope={"feature": name},
            note="rows whose id stood before; right where one entity has several rows",
            otherwise=_NO_VALUES,
        )
    if found.labelled is not None:
        yield _share("labelled_rate", found.labelled, found.rows, otherwise="The table has no rows.")
    else:
        yield measured("labelled_rate", None, size=0, otherwise=found.no_twins)
    twins = found.twins
    yield _share(
        "conflicting_label_rate",
        twins.conflicting if twins else 0,
        twins.rows if twins else 0,
        note=f"{twins.twins:,} rows share every feature with another row" if twins else None,
        otherwise=found.no_twins,
    )
    yield _excess_contradictions(found)
    yield measured(
        "attainable_accuracy" if task is Task.CLASSIFICATION else "attainable_r2",
        twins.attainable if twins else None,
        size=twins.rows if twins else 0,
        note="on these rows, by any model that knows nothing but these features",
        otherwise=found.no_twins if twins is None else "The target does not vary.",
    )


def _classes(found: Quality, task: Task) -> Iterator[Measurement]:
    labels = found.classes
    if labels is None:
        if task is Task.CLASSIFICATION:
            yield measured("minority_class_share", None, size=0, otherwise="There is no target column.")
        return
    counts = labels.counts()
    kept = np.flatnonzero(counts)
    total = int(counts.sum())
    for place in kept[np.argsort(-counts[kept], kind="stable")][:200]:
        yield _share("class_share", int(counts[place]), total, scope={"class": labels.levels[place]}, otherwise="")
    smallest = int(kept[np.argmin(counts[kept])]) if kept.size else 0
    several = kept.size > 1
    one = "There are fewer than two classes."
    yield _share(
        "minority_class_share",
        int(counts[smallest]) if several else 0,
        total if several else 0,
        note=f"the class {labels.levels[smallest]!r}" if several else None,
        otherwise=one,
    )
    ratio = float(counts.max() / counts[smallest]) if several else None
    yield measured("class_imbalance_ratio", ratio, size=total, note="largest over smallest", otherwise=one)


def _times(found: Quality) -> Iterator[Measurement]:
    fresh = found.freshness
    size = fresh.rows if fresh else 0
    reference = None if fresh is None else "the newest row" if fresh.as_of is None else day(fresh.as_of)
    unknown = "Nobody said what the date is: set as_of."
    yield measured(
        "newest_row_age",
        fresh.age if fresh else None,
        size=size,
        unit="days",
        note=None if fresh is None else f"newest row {day(fresh.newest)}, counted to {reference}",
        otherwise=unknown if fresh else found.not_fresh,
    )
    lengths: tuple[tuple[str, float | None, str], ...] = (
        ("median_row_age", fresh.median_age if fresh else None, f"counted to {reference}"),
        ("time_span", (fresh.newest - fresh.oldest) / DAY if fresh else None, "from the oldest to the newest row"),
        ("longest_time_gap", fresh.longest_gap if fresh else None, "without any row"),
    )
    for metric, value, note in lengths:
        yield measured(metric, value, size=size, unit="days", note=note, otherwise=found.not_fresh or "One row alone.")
    if fresh is not None and fresh.as_of is not None:
        yield _share("future_time_rate", fresh.later, fresh.rows, note=f"later than {reference}", otherwise="")
    else:
        yield measured("future_time_rate", None, size=size, otherwise=found.not_fresh or unknown)


def _pairs(found: Pairs) -> Iterator[Measurement]:
    yield measured("associated_pair_count", len(found.found), size=found.rows, unit="pairs")
    for pair in found.found[:MOST_PAIRS]:
        yield measured(
            "association",
            pair.strength,
            size=found.rows,
            scope={"feature": pair.first, "other": pair.second},
            interval=pair.interval,
            note=pair.how,
        )


def _column(column: ColumnQuality) -> Iterator[Measurement]:
    scope: Where = {"feature": column.name}
    yield _share("missing_rate", column.nulls, column.rows, scope=scope, otherwise="")
    yield _share(
        "disguised_missing_rate", column.disguised, column.rows, scope=scope, note=_spellings(column), otherwise=""
    )
    yield _share("effective_missing_rate", column.rows - column.present, column.rows, scope=scope, otherwise="")
    n = column.present
    yield measured("distinct_count", column.distinct, size=n, scope=scope)
    profile = column.number or column.text
    yield measured("distinct_share", column.distinct / n if n else None, size=n, scope=scope, otherwise=_NO_VALUES)
    most = profile.most_frequent if profile else 0
    finite = n - (column.number.infinite if column.number else 0)
    yield _share("most_frequent_share", most, finite, scope=scope, otherwise=_NO_VALUES)
    if column.number is not None:
        yield from _number(column, column.number, scope)
    if column.text is not None:
        yield from _text(column, column.text, scope)
    yield from _personal(column, scope)


def _of_no_column(found: Quality) -> Iterator[Measurement]:
    """Yield what no column of this table can have."""
    if all(column.number is None for column in found.columns):
        yield inapplicable("infinite_rate", "No column holds numbers.")
    if all(column.text is None for column in found.columns):
        yield inapplicable("inconsistent_spelling_rate", "No column holds text.")
    if all(column.limits is None or column.number is None for column in found.columns):
        none = "No range was stated for a column (as ranges), and no column has a name that tells one, such as age."
        yield inapplicable("out_of_range_rate", none)


def _spellings(column: ColumnQuality) -> str | None:
    text, number = column.text, column.number
    parts = []
    if text is not None and text.spellings:
        parts.append(", ".join(f"{spelling!r} {rows:,}" for spelling, rows in text.spellings[:8]))
    if text is not None and text.ambiguous:
        listed = ", ".join(f"{spelling!r} {rows:,}" for spelling, rows in text.ambiguous)
        parts.append(f"not counted, since it may be an answer: {listed}")
    if number is not None and number.codes and not column.is_time:
        parts.append(", ".join(f"{code:g} {rows:,}" for code, rows in number.codes))
    if number is not None and number.codes and column.is_time:
        parts.append(", ".join(f"{day(code)} {rows:,}" for code, rows in number.codes))
    return "; ".join(parts) or None


def _number(column: ColumnQuality, found: NumberProfile, scope: Where) -> Iterator[Measurement]:
    n, unit = found.n_values, _SECONDS if column.is_time else None
    hidden = not column.is_shown and not column.is_time
    why = _HIDDEN if hidden else "There are too few finite values, or they are too large for a floating-point number."
    for metric, value in (
        ("minimum", found.minimum),
        ("maximum", found.maximum),
        ("mean", found.mean),
        ("standard_deviation", found.deviation),
    ):
        one = "seconds" if unit and metric == "standard_deviation" else unit
        yield measured(metric, None if hidden else value, size=n, scope=scope, unit=one, otherwise=why)
    for place, probability in enumerate(QUANTILES):
        value = None if hidden or not found.quantiles else found.quantiles[place]
        where = {**scope, "probability": probability}
        yield measured("quantile", value, size=n, scope=where, unit=unit, otherwise=why)
    yield _share("infinite_rate", found.infinite, n + found.infinite, scope=scope, otherwise=_NO_VALUES)
    fences = found.fences
    beyond = None
    if fences is not None and not hidden and not column.is_time:
        beyond = f"below {fences.low:.6g} or above {fences.high:.6g} (skewness {fences.skew:.2f})"
    yield _share(
        "outlier_rate",
        found.outliers,
        n if fences else 0,
        scope=scope,
        note=beyond,
        otherwise="Half of the values and more are the same, so that there is no range to measure by."
        if n
        else _NO_VALUES,
    )
    if column.limits is not None and found.outside is not None:
        low, high = column.limits
        note = f"outside {low:g} to {high:g}"
        yield _share("out_of_range_rate", found.outside, n, scope=scope, note=note, otherwise=_NO_VALUES)
    if not column.is_time:
        yield _share("zero_rate", found.zeros, n, scope=scope, otherwise=_NO_VALUES)


def _text(column: ColumnQuality, found: TextProfile, scope: Where) -> Iterator[Measurement]:
    n = found.n_values
    minority = min(found.numbers, n - found.numbers)
    kinds = f"{found.numbers:,} numbers among {n - found.numbers:,} other texts" if minority else None
    yield _share("mixed_type_rate", minority, n, scope=scope, note=kinds, otherwise=_NO_VALUES)
    shown = [" = ".join(repr(text[:40]) for text in written) for written in found.variant_examples]
    note = "; ".join(shown) if shown and column.is_shown else None
    yield _share("inconsistent_spelling_rate", found.variants, n, scope=scope, note=note, otherwise=_NO_VALUES)
    yield _share("damaged_text_rate", found.damaged, n, scope=scope, otherwise=_NO_VALUES)
    rare = 0 if column.is_id_like else n
    why = _NO_VALUES if not n else "Nearly every value is distinct, as in an identifier: all of them are rare."
    count = found.rare_levels if rare else None
    yield measured("rare_level_count", count, size=n, scope=scope, unit="levels", otherwise=why)
    yield _share("rare_level_rate", found.rare_rows, rare, scope=scope, otherwise=why)


def _personal(column: ColumnQuality, scope: Where) -> Iterator[Measurement]:
    if column.text is None and column.kind != "whole number":
        return
    n = column.present + (column.text.spelled_missing if column.text else 0)
    largest = max((one.rows / one.of for one in column.personal if one.of), default=0.0)
    by_name = f"the column's name speaks of: {column.named}" if column.named else None
    yield measured(
        "personal_data_rate", largest if n else None, size=n, scope=scope, note=by_name, otherwise=_NO_VALUES
    )
    for one in column.personal:
        sampled = f"judged by {one.looked_at:,} distinct values" if one.rows % 1 else None
        yield _share(
            "personal_data_rate", one.rows, one.of, scope={**scope, "kind": one.kind}, note=sampled, otherwise=""
        )
