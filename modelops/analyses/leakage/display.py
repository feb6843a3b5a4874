"""Leaks for people: one sentence, rows that both tables share, features that predict too well, all checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.leakage.duplicates import EXACT
from modelops.analyses.leakage.single import Strength
from modelops.analyses.measuring import shown
from modelops.domain.columns import Task
from modelops.domain.number_words import decimals, percent
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, ResultTable, Series, Shape

if TYPE_CHECKING:
    from modelops.analyses.leakage.run import Leaks

_MOST_FEATURES = 30


def _measure(found: Leaks) -> str:
    return "R2" if found.task is Task.REGRESSION else "area under the ROC curve"


def strongest(family: list[Strength]) -> Strength | None:
    """Return the column that predicts best."""
    return max(family, key=lambda one: (one.value, one.name), default=None)


def summary(found: Leaks) -> str:
    """Return the outcome in words."""
    sentences = [_sentence_on_rows(found)]
    for entity in found.entities:
        if entity.count:
            share = percent(entity.count / entity.rows)
            sentences.append(f"{share} of the rows have a {entity.name} that the training data has as well.")
    if found.overlap is not None and found.overlap.not_later:
        share = percent(found.overlap.not_later / found.overlap.rows)
        sentences.append(f"{share} of the rows are not later than the newest training row.")
    best = strongest(found.values)
    if best is not None:
        sentences.append(
            f"The strongest feature alone is {best.name}: {_measure(found)} {decimals(best.value)}"
            f" ({decimals(best.by_chance)} with permuted labels)."
        )
    else:
        sentences.append(f"Single features were not judged: {found.reasons.get('single', 'none has two values.')}")
    sentences += _sentences_on_tells(found)
    return " ".join(sentences)


def _sentence_on_rows(found: Leaks) -> str:
    if not found.has_train:
        return found.reasons["train"]
    exact = next(one for one in found.shared if one.match == EXACT)
    widest = max(found.shared, key=lambda one: one.share - one.chance)
    if widest.share <= widest.chance:
        return "No more rows of the data stand in the training data than chance explains."
    text = f"{percent(exact.share)} of the rows stand in the training data exactly"
    text += f" ({percent(exact.chance)} by chance)"
    if widest is not exact:
        text += f", {percent(widest.share)} by the match {widest.match!r}"
        text += f" ({percent(widest.chance)} by chance)"
    return text + "."


def _sentences_on_tells(found: Leaks) -> Iterator[str]:
    gaps = [one for one in found.missing if one.adjusted <= found.alpha]
    if gaps:
        names = ", ".join(one.name for one in gaps[:3]) + (", ..." if len(gaps) > 3 else "")
        yield f"That a value is missing predicts the label in {names}."
    for one in found.order:
        if one.adjusted <= found.alpha:
            yield f"{one.name} predicts the label: {_measure(found)} {decimals(one.value)}."
    for late in found.late:
        if late.count and late.is_feature:
            yield f"{late.name} lies after the time of prediction in {percent(late.count / late.rows)} of the rows."
    if found.alone is not None and found.alone.different:
        yield f"The model answers {found.alone.different} of {found.alone.rows} rows otherwise alone than in a batch."


def notes(found: Leaks) -> Iterator[str]:
    """Yield how it was done."""
    if found.has_train:
        yield (
            "By chance: as many rows would match that are composed of the same values with the same rank correlations."
            " Few and coarse columns make rows alike without any leak."
        )
    if found.values:
        yield (
            "A single column is cut into bins; what they predict is learned on one half of the rows and judged on the"
            " other, both ways, and then again with permuted labels. p-values are (1 + b) / (1 + B) over the"
            " standardised permutations of all columns, adjusted by Benjamini and Hochberg."
        )
    if found.overlap is not None:
        yield "Overlap in time is natural for a random split; it is a leak where the model is to predict the future."


def curves(found: Leaks) -> Iterator[Curve]:
    """Yield the rows that both tables share, where there are any, and the strongest features."""
    if found.has_train and any(one.share or one.chance for one in found.shared):
        matches = tuple(one.match for one in found.shared)
        yield Curve(
            name="shared_rows",
            title="Rows that also stand in the training data",
            shape=Shape.BARS,
            x_title="match",
            y_title="share of rows",
            series=(
                Series(name="found", x=matches, y=tuple(one.share for one in found.shared)),
                Series(name="by chance", x=matches, y=tuple(one.chance for one in found.shared)),
            ),
        )
    if found.values:
        top = sorted(found.values, key=lambda one: (-one.value, one.name))[:_MOST_FEATURES]
        yield Curve(
            name="single_features",
            title="How well each feature alone predicts the label",
            shape=Shape.FOREST,
            x_title="feature",
            y_title=_measure(found),
            series=(
                Series(
                    name="alone",
                    x=tuple(one.name for one in top),
                    y=tuple(one.value for one in top),
                    low=tuple(one.interval[0] if one.interval else None for one in top),
                    high=tuple(one.interval[1] if one.interval else None for one in top),
                    size=tuple(one.rows for one in top),
                ),
            ),
            reference=float(np.mean([one.by_chance for one in top])),
            note="Line: with permuted labels.",
        )


def tables(found: Leaks) -> Iterator[ResultTable]:
    """Yield all checks with their outcome, and all columns."""
    yield ResultTable(
        name="checks",
        title="What was looked for",
        columns=("check", "outcome", "on"),
        rows=tuple(_checks(found)),
    )
    for name, title, family in (
        ("features", "Features by how well each alone predicts the label", found.values),
        ("missingness", "How well missing values predict the label", found.missing),
        ("order", "Ids and order of rows", found.order),
    ):
        if family:
            ordered = sorted(family, key=lambda one: (-one.value, one.name))
            yield ResultTable(
                name=name,
                title=title,
                columns=("column", _measure(found), "low", "high", "with permuted labels", "p", "adjusted p"),
                rows=tuple(_row(one) for one in ordered),
            )


def _row(one: Strength) -> tuple[Scalar, ...]:
    low, high = one.interval or (None, None)
    return one.name, shown(one.value), low, high, shown(one.by_chance), one.p_value, one.adjusted


def _checks(found: Leaks) -> Iterator[tuple[str, str, str | None]]:
    not_made = "not looked for: "
    for one in found.shared:
        on = f"{one.rows:,} rows"
        share, chance = percent(one.share), percent(one.chance)
        yield f"rows in the training data ({one.match})", f"{share}, {chance} by chance", on
    if not found.has_train:
        yield "rows in the training data", not_made + found.reasons["train"], None
    for again in found.repeated:
        outcome = percent(again.count / again.rows)
        yield f"rows repeated within the data ({again.match})", outcome, f"{again.rows:,} rows"
    for entity in found.entities:
        yield f"shared ids ({entity.name})", percent(entity.count / entity.rows), f"{entity.rows:,} rows"
    if not found.entities:
        reasons = [reason for check, reason in found.reasons.items() if check.startswith("id ")]
        no_ids = "No column has the role of an id." if not found.ids else ""
        yield "shared ids", not_made + (no_ids or (reasons or [found.reasons.get("train", "")])[0]), None
    if found.overlap is not None:
        overlap = found.overlap
        yield "overlap in time", f"{percent(overlap.not_later / overlap.rows)} of the rows", f"{overlap.rows:,} rows"
    else:
        yield "overlap in time", not_made + found.reasons["overlap"], None
    for late in found.late:
        share = percent(late.count / late.rows) if late.rows else "no rows"
        yield f"after the prediction ({late.name})", share, f"{late.rows:,} rows"
    if not found.late:
        reason = found.reasons.get("late", "No other column holds times.")
        yield "features from after the prediction", not_made + reason, None
    yield from _tells(found, not_made)


def _tells(found: Leaks, not_made: str) -> Iterator[tuple[str, str, str | None]]:
    reason = found.reasons.get("single", "no column has two values, or misses any.")
    for what, family in (
        ("one feature alone", found.values),
        ("missing values", found.missing),
        ("ids and order of rows", found.order),
    ):
        best = strongest(family)
        if best is None:
            yield f"{what} predicting the label", not_made + reason, None
        else:
            real = sum(one.adjusted <= found.alpha for one in family)
            outcome = f"best {best.name} ({_measure(found)} {best.value:.3f}); {real} of {len(family)} beyond chance"
            yield f"{what} predicting the label", outcome, f"{best.rows:,} rows"
    alone = found.alone
    if alone is not None:
        outcome = f"{alone.different} of {alone.rows} rows differ"
        yield "one row alone and in a batch", outcome, f"{alone.rows:,} rows"
    else:
        yield "one row alone and in a batch", not_made + found.reasons["alone"], None
    if found.quality is not None:
        outcome = f"{found.quality.metric.replace('_', ' ')} {found.quality.value:.3f}"
        yield "results too good to be true", outcome, f"{found.quality.rows:,} rows"
    else:
        yield "results too good to be true", not_made + found.reasons["quality"], None
