"""Exploration: is anybody ever decided otherwise than the score says, and what would a hold-out cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.feedback_loop.decisions import Decisions, Mask, Numbers
from modelops.analyses.feedback_loop.selection import NO_TARGET
from modelops.analyses.levels import coded
from modelops.analyses.measuring import inapplicable, measured
from modelops.analyses.statistics.intervals import wilson
from modelops.analyses.statistics.ranking import ranked
from modelops.analyses.statistics.sample_size import rows_for_precision, rows_to_compare_means, rows_to_compare_rates
from modelops.domain.columns import Task
from modelops.domain.number_words import percent
from modelops.domain.result import Measurement
from modelops.errors import InvalidInput

if TYPE_CHECKING:
    from modelops.analyses.feedback_loop import FeedbackLoopParameters

_YES = frozenset({"1", "true", "yes", "y", "t"})
_DECILES = 10
_FEWEST = 20
_REFUSED = "refused_label_coverage"


@dataclass(frozen=True)
class Threshold:
    """The score from which yes is said, and whether it was read off the decisions."""

    value: float
    is_implied: bool


def implied_threshold(scores: Numbers, said_yes: Mask) -> float:
    """Return the score at which decisions by score agree best with those that were made; the largest of equals.

    Examples
    --------
    >>> implied_threshold(np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, False, True, True]))
    0.6
    """
    ranking = ranked(scores, said_yes)
    agree = ranking.positives + ranking.n_negatives - ranking.negatives
    none = ranking.n_negatives
    best = int(np.argmax(agree))
    return float(np.nextafter(scores.max(), np.inf)) if none > agree[best] else float(ranking.thresholds[best])


def exploration_measurements(
    data: Decisions, sample: Sample, parameters: FeedbackLoopParameters
) -> Iterator[Measurement]:
    """Yield who was decided against the score, how they turned out, and the share that was decided at random."""
    yield _randomised(data, sample, parameters.exploration_column)
    said_yes, scores = data.said_yes, data.scores
    metrics = ("decision_threshold", "exploration_share", "override_share", "smallest_decision_share", _REFUSED)
    if said_yes is None:
        reason = "There is no positive decision of two to look at."
        yield from (inapplicable(metric, reason, size=data.n_rows) for metric in (*metrics, "explored_positive_rate"))
        return
    if scores is None:
        reason = f"{data.no_scores} Without scores it is not known whom the model would refuse."
        for metric in (*metrics, "explored_positive_rate"):
            yield measured(metric, None, size=data.n_rows, otherwise=reason)
        return
    usable = np.isfinite(scores)
    threshold = _threshold(scores[usable], said_yes[usable], parameters.decision_threshold)
    note = "the one that fits the decisions best" if threshold.is_implied else "as given"
    yield measured("decision_threshold", threshold.value, size=int(usable.sum()), note=note)
    refused, granted = usable & (scores < threshold.value), usable & (scores >= threshold.value)
    explored = refused & said_yes
    yield _share("exploration_share", explored, refused, "The score would refuse nobody.")
    if data.labelled is None:
        yield measured(_REFUSED, None, size=int(refused.sum()), otherwise=NO_TARGET)
    else:
        yield _share(_REFUSED, refused & data.labelled, refused, "The score would refuse nobody.")
    yield _share("override_share", granted & ~said_yes, granted, "The score would grant nobody.")
    yield _smallest_share(scores[usable], said_yes[usable])
    known = explored & np.isfinite(data.outcome)
    positive = known & (np.nan_to_num(data.outcome) > 0)
    yield _share("explored_positive_rate", positive, known, "No row that was granted against the score has a label.")


def _threshold(scores: Numbers, said_yes: Mask, given: float | None) -> Threshold:
    if given is not None:
        return Threshold(given, is_implied=False)
    if not scores.size:
        return Threshold(0.5, is_implied=False)
    return Threshold(implied_threshold(scores, said_yes), is_implied=True)


def _share(metric: str, part: Mask, whole: Mask, otherwise: str) -> Measurement:
    count, total = int(np.count_nonzero(part)), int(np.count_nonzero(whole))
    return measured(
        metric,
        count / total if total else None,
        size=total,
        interval=wilson(count, total) if total else None,
        note=f"{count:,} rows",
        otherwise=otherwise,
    )


def _smallest_share(scores: Numbers, said_yes: Mask) -> Measurement:
    """Return the smallest share of yes in a tenth of the rows by score: who never gets one is never learned about."""
    if scores.size < _FEWEST * _DECILES:
        few = f"Not enough data: {scores.size} rows with a score; {_FEWEST * _DECILES} are needed for tenths of them."
        return measured("smallest_decision_share", None, size=scores.size, otherwise=few)
    edges = np.unique(np.quantile(scores, np.arange(1, _DECILES) / _DECILES))
    bins = np.searchsorted(edges, scores, side="right")
    totals = np.bincount(bins, minlength=edges.size + 1)
    hits = np.bincount(bins[said_yes], minlength=edges.size + 1)
    shares = np.where(totals > 0, hits / np.maximum(totals, 1), np.inf)
    least = int(np.argmin(shares))
    return measured(
        "smallest_decision_share",
        float(shares[least]),
        size=int(totals[least]),
        interval=wilson(int(hits[least]), int(totals[least])),
        note=f"in tenth {least + 1} of the rows by score",
    )


def _randomised(data: Decisions, sample: Sample, name: str) -> Measurement:
    if not name:
        nothing = "No column says which rows were decided at random (exploration_column)."
        return measured("randomised_share", None, size=data.n_rows, otherwise=nothing)
    if name not in sample.source.names:
        raise InvalidInput(f"The table has no column {name!r} that could mark rows which were decided at random.")
    column = coded(sample, name).take(data.rows)
    marked = np.array([*(level.lower() in _YES for level in column.levels), False], dtype=np.bool_)[column.codes]
    return _share("randomised_share", marked, np.ones(data.n_rows, dtype=np.bool_), "There are no rows.")


def holdout_measurements(data: Decisions, parameters: FeedbackLoopParameters) -> Iterator[Measurement]:
    """Yield how many rows a hold-out needs: to know how the refused turn out, and to see what the model changes."""
    alpha, power = parameters.alpha, parameters.power
    known = np.isfinite(data.outcome)
    size = int(np.count_nonzero(known))
    compare: int | None
    if data.task is Task.REGRESSION:
        yield measured(
            "holdout_rows_to_estimate",
            None,
            size=size,
            otherwise="A prediction refuses nobody: only the comparison needs a hold-out.",
        )
        compare = rows_to_compare_means(parameters.detectable_effect, alpha=alpha, power=power)
        note = f"a difference of {parameters.detectable_effect:g} standard deviations"
    else:
        yield measured(
            "holdout_rows_to_estimate",
            float(rows_for_precision(parameters.precision)),
            size=size,
            unit="rows",
            note=f"of those whom the score would refuse, to know their rate to within {parameters.precision:g}",
        )
        compare, note = _rows_to_compare(data.outcome[known], parameters)
    few = "No outcome is known, so there is no rate to plan with."
    value = None if compare is None else float(compare)
    yield measured(
        "holdout_rows_to_compare",
        value,
        size=size,
        unit="rows",
        note=f"on each side, to see {note} with {percent(power)} power",
        otherwise=few,
    )
    yield measured(
        "holdout_share",
        compare / data.n_rows if compare is not None and data.n_rows else None,
        size=data.n_rows,
        note="more rows than this table has" if compare is not None and compare > data.n_rows else None,
        otherwise=few,
    )


def _rows_to_compare(outcome: NDArray[np.float64], parameters: FeedbackLoopParameters) -> tuple[int | None, str]:
    if not outcome.size:
        return None, ""
    rate = float(outcome.mean())
    step = parameters.detectable_difference
    # Towards one half, where a rate scatters most: the larger number of the two directions.
    other = rate + step if rate < 0.5 else rate - step
    note = f"a change of the rate of positive outcomes from {rate:.3g} to {other:.3g}"
    return rows_to_compare_rates(rate, min(max(other, 0.0), 1.0), alpha=parameters.alpha, power=parameters.power), note
