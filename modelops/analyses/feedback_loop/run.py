"""One look at the traces that decisions leave in the data."""

from __future__ import annotations

from dataclasses import dataclass

from modelops.analyses.base import Computed, EvaluationData, Run
from modelops.analyses.feedback_loop import FeedbackLoopParameters
from modelops.analyses.feedback_loop.decisions import Decisions, decisions
from modelops.analyses.feedback_loop.earlier import earlier_findings
from modelops.analyses.feedback_loop.exploration import exploration_measurements, holdout_measurements
from modelops.analyses.feedback_loop.exposure import exposure_findings
from modelops.analyses.feedback_loop.selection import selection_findings
from modelops.analyses.measuring import Findings
from modelops.domain.number_words import percent
from modelops.domain.result import Measurement, Scope


@dataclass
class Looking:
    """Looks at labels, exploration, exposure and features, one after the other."""

    data: EvaluationData
    parameters: FeedbackLoopParameters
    run: Run

    def computed(self) -> Computed:
        """Return what was found."""
        found, sample, given = Findings(), self.data.data, self.parameters
        self.run.progress(0.0, "reading decisions and labels")
        read = decisions(self.data)
        found.notes += read.notes
        self.run.progress(0.2, "looking at whose outcome is known")
        found.add(selection_findings(read, rng=self.run.rng(), alpha=given.alpha))
        self.run.progress(0.4, "looking for decisions against the score")
        found.measurements += exploration_measurements(read, sample, given)
        self.run.progress(0.5, "looking at decisions over time")
        found.add(exposure_findings(read, periods=given.periods))
        self.run.progress(0.7, "looking for features made from earlier scores")
        found.add(earlier_findings(read, sample, progress=self._looked_at_features))
        found.measurements += holdout_measurements(read, given)
        self.run.progress(1.0, "done")
        return found.computed(summary(found.measurements, read), dropped=read.dropped)

    def _looked_at_features(self, done: float) -> None:
        self.run.progress(0.7 + 0.25 * done, "looking for features made from earlier scores")


def summary(measurements: list[Measurement], data: Decisions) -> str:
    """Return the result in a few sentences."""
    sentences = [_labels(measurements, data), _explored(measurements), _features(measurements)]
    return " ".join(sentence for sentence in sentences if sentence)


def _find(measurements: list[Measurement], metric: str, scope: Scope | None = None) -> Measurement | None:
    wanted = scope or {}
    return next((one for one in measurements if one.metric == metric and one.scope == wanted), None)


def _labels(measurements: list[Measurement], data: Decisions) -> str:
    if data.labelled is None:
        return "Without a target column it cannot be seen whose outcome is known."
    shares = [
        (one.value, place)
        for place in range(len(data.levels))
        if (one := _find(measurements, "label_coverage", data.scope(place))) is not None and one.value is not None
    ]
    if len(shares) < 2:
        known = _find(measurements, "label_coverage")
        return f"The outcome is known for {percent(known.value or 0.0)} of the rows." if known else ""
    (low, rare), (high, common) = min(shares), max(shares)
    if high - low < 1e-12:
        return f"The outcome is known for {percent(high)} of the rows, whatever was decided."
    return (
        f"The outcome is known for {percent(high)} of the rows that were decided {data.levels[common]!r}, and for"
        f" {percent(low)} of those that were decided {data.levels[rare]!r}."
    )


def _explored(measurements: list[Measurement]) -> str:
    one = _find(measurements, "exploration_share")
    if one is None or one.value is None:
        return ""
    if not one.value:
        return "Nobody whom the score would refuse was granted: whether they were rightly refused cannot be seen."
    return f"Of those whom the score would refuse, {percent(one.value)} were granted all the same."


def _features(measurements: list[Measurement]) -> str:
    found = [
        (one.value, str(one.scope["feature"]))
        for one in measurements
        if one.metric == "earlier_score_association" and one.value is not None
    ]
    if not found:
        return ""
    value, feature = max(found)
    return f"Of the features, {feature} goes along most with the score before (rank correlation {value:.2f})."
