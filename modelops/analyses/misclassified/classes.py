"""Mistakes of a classification: how many, how sure the model was of them, which to read first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.bars import equal_bins
from modelops.analyses.label_quality.noise import MOST_FITTED, label_noise
from modelops.analyses.measuring import Findings, finite, measured, shown
from modelops.analyses.outcomes import NOT_PROBABILITIES, Outcomes
from modelops.analyses.statistics.intervals import wilson
from modelops.analyses.statistics.ranking import area
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, Measurement, Series, Shape
from modelops.errors import NotMeasured

# Few mistakes in many bins would show noise: about ten for each.
_BINS, _FEWEST_BINS, _A_BIN = 20, 5, 10
_CONFUSIONS = 20
_LIKELIER_WRONG = 0.5

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Mistakes:
    """Labelled rows of a classification; ``costs`` has shape (k, k), rows by label, columns by prediction."""

    rows: Outcomes
    costs: Numbers
    level: float

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Which predictions are wrong."""
        return np.asarray(self.rows.truth != self.rows.predicted)

    @cached_property
    def confidence(self) -> Numbers | None:
        """The score of the predicted class, NaN where missing; ``None`` without scores."""
        if self.rows.scores is None:
            return None
        return np.asarray(self.rows.scores[np.arange(self.rows.n_rows), self.rows.predicted])

    @cached_property
    def given(self) -> Numbers | None:
        """The score of the class that the label names."""
        if self.rows.scores is None:
            return None
        return np.asarray(self.rows.scores[np.arange(self.rows.n_rows), self.rows.truth])

    @cached_property
    def usual(self) -> Numbers | None:
        """The mean score of each class on the rows that are labelled so, NaN without any."""
        scores, truth = self.rows.scores, self.rows.truth
        if scores is None:
            return None
        own = [scores[truth == code, code] for code in range(len(self.rows.classes))]
        return np.array([float(part[~np.isnan(part)].mean()) if (~np.isnan(part)).any() else np.nan for part in own])

    @cached_property
    def suspicion(self) -> Numbers | None:
        """How much more the model speaks for its class than for the label's, each measured by its usual score."""
        if self.confidence is None or self.given is None or self.usual is None:
            return None
        predicted, labelled = self.usual[self.rows.predicted], self.usual[self.rows.truth]
        return np.asarray((self.confidence - predicted) - (self.given - labelled))

    @cached_property
    def suspected(self) -> NDArray[np.bool_] | None:
        """Which mistakes have a label that is more likely wrong than right; ``None`` without probabilities.

        Not every surprise is an error: the scores are first made as sure as they are right, and what they then still
        do not explain has to be more than chance (`label_noise`).
        """
        scores, truth = self.rows.scores, self.rows.truth
        if scores is None or self.no_probabilities:
            return None
        found = np.zeros(self.rows.n_rows, dtype=np.bool_)
        total = scores.sum(axis=1)
        known = np.flatnonzero(total > 0)
        if not known.size or scores.shape[1] < 2:
            return found
        used, labels = scores[known] / total[known, None], truth[known].astype(np.int64)
        # By value: the order of the rows plays no part, also where only the first of very many are fitted.
        order = np.lexsort((used.max(axis=1), used[np.arange(labels.size), labels], labels))
        parts = labels.size // MOST_FITTED + 1
        order = np.concatenate([order[first::parts] for first in range(parts)])
        likely = label_noise(used[order], labels[order]).chance_wrong(labels[order]) > _LIKELIER_WRONG
        found[known[order]] = likely
        return np.asarray(found & self.wrong)

    @cached_property
    def no_probabilities(self) -> str | None:
        """Why the scores tell nothing of wrong labels; ``None`` if they do."""
        if self.rows.scores is None:
            return self.rows.no_scores
        known = self.rows.scores[~np.isnan(self.rows.scores)]
        return NOT_PROBABILITIES if known.size and (known.min() < 0 or known.max() > 1) else None

    @cached_property
    def cost(self) -> Numbers:
        """What each prediction costs."""
        return np.asarray(self.costs[self.rows.truth, self.rows.predicted])

    def findings(self) -> Findings:
        """Measure mistakes, and what the score knows of them."""
        found = Findings()
        n, n_wrong = self.rows.n_rows, int(np.count_nonzero(self.wrong))
        how = self.rows.weighting()
        share = 1 - float(np.average(self.wrong, weights=how.weights))
        interval = wilson(share * n / how.design_effect, n / how.design_effect, level=self.level)
        found.measurements += [
            measured("accuracy", share, size=n, interval=interval, level=self.level),
            measured("misclassified_count", n_wrong, size=n),
        ]
        for code, name in enumerate(self.rows.classes):
            mine = self.rows.truth == code
            count = float(np.count_nonzero(self.wrong & mine))
            found.measurements.append(
                measured(
                    "misclassified_count",
                    count if mine.any() else None,
                    size=int(mine.sum()),
                    scope={"class": name},
                    otherwise="No row is labelled so.",
                )
            )
        found.measurements += self._of_scores()
        found.curves += self._curves()
        found.notes += [how.note] if how.note else []
        return found

    def _of_scores(self) -> list[Measurement]:
        names = ("error_detection_roc_auc", "suspected_label_error_count")
        n = self.rows.n_rows
        if self.confidence is None:
            return [measured(name, None, size=n, otherwise=self.rows.no_scores) for name in names]
        known, how = ~np.isnan(self.confidence), self.rows.weighting()
        weights = np.ones(n) if how.weights is None else how.weights
        found = []
        for name, part in (("right", ~self.wrong), ("wrong", self.wrong)):
            place = part & known & (weights > 0)
            mine = self.confidence[place]
            mean = float(np.average(mine, weights=weights[place])) if mine.size else None
            scope = {"outcome": name}
            reason = "There is no such prediction with a score."
            found.append(measured("mean_confidence", mean, size=mine.size, scope=scope, otherwise=reason))
        try:
            detected = area(
                self.confidence[known],
                ~self.wrong[known],
                weights=None if how.weights is None else how.weights[known],
                design_effect=how.repeats_effect,
            )
            found.append(
                measured(
                    names[0],
                    detected.value,
                    size=int(known.sum()),
                    interval=detected.interval(level=self.level),
                    level=self.level,
                )
            )
        except NotMeasured:
            reason = "All predictions with a score are right, or all are wrong."
            found.append(measured(names[0], None, size=int(known.sum()), otherwise=reason))
        found.append(
            measured(
                names[1],
                None if self.suspected is None else float(np.count_nonzero(self.suspected)),
                size=int(known.sum()),
                note="An estimate, not a finding: whether a label is wrong is for people to say.",
                otherwise=self.no_probabilities or "",
            )
        )
        return found

    def _curves(self) -> list[Curve]:
        curves = [self._confusions()] if self.wrong.any() else []
        if self.confidence is not None and np.isfinite(self.confidence).any():
            curves.insert(0, self._confidences(self.confidence))
        return curves

    def _confidences(self, confidence: Numbers) -> Curve:
        known = np.isfinite(confidence)
        low, high = float(confidence[known].min()), float(confidence[known].max())
        bins = int(np.clip(np.count_nonzero(self.wrong) // _A_BIN, _FEWEST_BINS, _BINS))
        series = []
        for name, part in (("right", ~self.wrong), ("wrong", self.wrong)):
            mine = confidence[part & known]
            counts, edges = equal_bins(mine, low, high, bins=bins)
            shares = counts / mine.size if mine.size else np.zeros(bins)
            middles = (edges[1:] + edges[:-1]) / 2
            series.append(
                Series(name=name, x=finite(middles), y=finite(shares), size=tuple(int(count) for count in counts))
            )
        return Curve(
            name="confidence",
            title="How sure the model is when it is right and when it is wrong",
            shape=Shape.LINE,
            x_title="Score of the predicted class",
            y_title="Share of the predictions",
            series=tuple(series),
            note=None if low >= 0 and high <= 1 else NOT_PROBABILITIES,
        )

    def _confusions(self) -> Curve:
        counts = self.rows.confusion()
        np.fill_diagonal(counts, 0)
        places = np.argsort(-counts, axis=None, kind="stable")[:_CONFUSIONS]
        pairs = [divmod(int(place), len(self.rows.classes)) for place in places if counts.flat[place] > 0]
        classes = self.rows.classes
        return Curve(
            name="confusions",
            title="Which mistakes there are",
            shape=Shape.BARS,
            x_title="True class, and what was predicted",
            y_title="Rows",
            series=(
                Series(
                    name="rows",
                    x=tuple(f"{classes[true]} taken for {classes[said]}" for true, said in pairs),
                    y=tuple(float(counts[pair]) for pair in pairs),
                ),
            ),
        )

    def rank(self, order: str, keys: NDArray[np.uint64]) -> tuple[Numbers, str | None]:
        """Return how soon each row is to be read (NaN: it is right), and what is to be said of that."""
        chosen = {"confidence": self.confidence, "label_suspicion": self.suspicion, "cost": self.cost}.get(order)
        note = None
        if chosen is None:
            chosen = keys.astype(np.float64)
            if order != "random":
                note = f"Without scores the mistakes are queued at random, not by {order.replace('_', ' ')}."
        if order == "cost":
            # Mistakes that cost the same: the surest first.
            tie = np.zeros(self.rows.n_rows) if self.confidence is None else np.nan_to_num(self.confidence, posinf=0.0)
            place = np.lexsort((keys, tie, chosen))
            chosen = np.empty(place.size)
            chosen[place] = np.arange(place.size)
        return np.where(self.wrong, chosen, np.nan), note

    def table_columns(self) -> tuple[str, ...]:
        """Return what the queue says of a case, beside row number, true and predicted class."""
        return ("score of predicted", "score of true", "cost", "label suspected")

    def cells(self, place: int) -> tuple[Scalar, ...]:
        """Return the cells of one case in the queue."""
        classes = self.rows.classes
        return (
            classes[self.rows.truth[place]],
            classes[self.rows.predicted[place]],
            None if self.confidence is None else shown(float(self.confidence[place])),
            None if self.given is None else shown(float(self.given[place])),
            shown(float(self.cost[place])),
            None if self.suspected is None else bool(self.suspected[place]),
        )
