"""What people see of a comparison with baselines: the sentence, the table, the charts."""

from __future__ import annotations

from collections.abc import Sequence

from modelops.analyses.baseline.results import Result, Standing
from modelops.analyses.measuring import shown
from modelops.domain.metric_words import metric_name, metric_phrase
from modelops.domain.number_words import quantity
from modelops.domain.result import Curve, ResultTable, Series, Shape

_BETTER = (Standing.BY_MARGIN, Standing.BEATS, Standing.IMMATERIAL)


def summary_of(results: Sequence[Result], metric: str, margin: float, n_rows: int) -> str:
    """Return one sentence: what it beats, by how much at least, and what it does not."""
    judged = [result for result in results if result.standing is not Standing.NOT_MEASURED]
    called = metric_phrase(metric)
    if not judged:
        return f"On these {n_rows:,} rows {called} could not be compared with any baseline."
    beaten = [result for result in judged if result.standing in _BETTER]
    text = f"In {called}, the model is better than {len(beaten)} of {len(judged)} baselines on the same rows"
    if beaten:
        strongest = min(beaten, key=lambda result: result.headline.improvement)
        pair = strongest.headline
        text += f"; the strongest of these, {strongest.rival.title}, it beats by {quantity(pair.improvement, digits=3)}"
        if pair.interval is not None:
            text += f" ({quantity(pair.interval[0], digits=3)} to {quantity(pair.interval[1], digits=3)})"
        by_margin = sum(result.standing is Standing.BY_MARGIN for result in beaten)
        text += f". By the margin of {margin:g} it beats {by_margin}"
    text += "."
    for standing, says in ((Standing.OPEN, "Not shown to be better than"), (Standing.WORSE, "Worse than")):
        if names := [result.rival.title for result in judged if result.standing is standing]:
            text += f" {says}: {', '.join(names)}."
    return text


def table_of(results: Sequence[Result], metric: str, margin: float) -> ResultTable:
    """Return one row for each baseline."""
    rows = []
    for result in results:
        pair = result.headline
        low, high = pair.interval or (None, None)
        numbers = (pair.first, pair.second, pair.improvement, low, high, result.adjusted_p_value, result.smallest)
        rows.append((result.rival.title, pair.size, *map(shown, numbers), result.standing.value))
    return ResultTable(
        name="baselines",
        title=f"The model against each baseline: {metric_phrase(metric)}",
        columns=(
            "baseline",
            "rows",
            "model",
            "baseline has",
            "improvement",
            "low",
            "high",
            "adjusted p",
            "smallest that would show",
            "outcome",
        ),
        rows=tuple(rows),
        note=f"The margin is {margin:g}; an improvement is positive where the model is better.",
    )


def charts(results: Sequence[Result], metric: str) -> list[Curve]:
    """Return how much better the model is than each baseline, and the numbers of all of them."""
    there = [result for result in results if result.standing is not Standing.NOT_MEASURED]
    if not there:
        return []
    names = tuple(result.rival.title for result in there)
    called = metric_name(metric)
    gains = [result.headline for result in there]
    improvement = Curve(
        name="improvement",
        title=f"How much better the model is than each baseline: {metric_phrase(metric)}",
        shape=Shape.FOREST,
        x_title="Baseline",
        y_title="Improvement on the same rows (above 0: the model is better)",
        series=(
            Series(
                name="improvement",
                x=names,
                y=tuple(pair.improvement for pair in gains),
                low=tuple(pair.interval[0] if pair.interval else None for pair in gains),
                high=tuple(pair.interval[1] if pair.interval else None for pair in gains),
                size=tuple(pair.size for pair in gains),
            ),
        ),
        reference=0.0,
    )
    ends = [pair.second_interval for pair in gains]
    first = gains[0]
    everybody = ("the model", *names)
    own = [first.first_interval, *ends]
    scores = Curve(
        name="scores",
        title=f"{called} of the model and of each baseline",
        shape=Shape.FOREST,
        x_title="Method",
        y_title=called,
        series=(
            Series(
                name=called,
                x=everybody,
                y=(first.first, *(pair.second for pair in gains)),
                low=tuple(one[0] if one else None for one in own),
                high=tuple(one[1] if one else None for one in own),
                size=(first.size, *(pair.size for pair in gains)),
            ),
        ),
    )
    return [improvement, scores]
