"""Where boosting begins to overfit: the loss after each part of the rounds, on training and on test rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Model
from modelops.analyses.measuring import Findings, finite, inapplicable, measured
from modelops.analyses.refitting import Labelled
from modelops.analyses.side_by_side import probability_losses
from modelops.analyses.statistics.intervals import normal_quantile
from modelops.analyses.statistics.paired import ratio_of_means
from modelops.domain.number_words import percent
from modelops.domain.result import Curve, Series, Shape

STAGE_METRICS = ("boosting_rounds", "best_boosting_round", "loss_increase_after_best_round")
_NOT_BOOSTED = "The model is not boosted, or its file does not let single rounds be asked."
_FEWEST = 20

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Staged:
    """The losses of each row after each part of the rounds, shape (n_stages, n)."""

    rounds: NDArray[np.int64]
    losses: Numbers


def staged_losses(model: Model, rows: Labelled, *, stages: int) -> Staged | None:
    """Return the losses, or ``None`` where the model is not boosted."""
    found = model.staged(rows.frame, stages=stages)
    if found is None:
        return None
    if not rows.classes:
        return Staged(found.rounds, (np.asarray(found.answers, dtype=np.float64) - rows.truth) ** 2)
    place = [model.classes.index(label) for label in rows.classes]
    losses = [probability_losses(stage[:, place], rows.truth)["log_loss"] for stage in found.answers]
    return Staged(found.rounds, np.array(losses))


def no_stages(reason: str) -> Findings:
    """Return that the rounds of boosting were not looked at, and why."""
    return Findings(measurements=[measured(name, None, size=0, otherwise=reason) for name in STAGE_METRICS])


def stage_findings(train: Staged | None, test: Staged | None, *, loss: str, level: float) -> tuple[Findings, str]:
    """Measure how the loss on test rows goes on after its best round; return a sentence too.

    ``loss`` is what people call it.

    One half of the rows chooses the round, the other half measures the rise: the smallest of many means is always a bit
    too small on the rows that chose it.
    """
    if test is None:
        measurements = [inapplicable(name, _NOT_BOOSTED) for name in STAGE_METRICS]
        return Findings(measurements=measurements), ""
    n_rows = test.losses.shape[1]
    chooses = np.arange(n_rows) % 2 == 0
    best = int(np.argmin(test.losses[:, chooses].mean(axis=1)))
    measures = test.losses[:, ~chooses]
    ratio, ends = np.nan, None
    if measures.shape[1] >= _FEWEST:
        ratio, ends = ratio_of_means(measures[-1], measures[best], level=level)
    interval = ends and (ends[0] - 1, ends[1] - 1)
    found = Findings(
        measurements=[
            measured(STAGE_METRICS[0], float(test.rounds[-1]), size=n_rows),
            measured(STAGE_METRICS[1], float(test.rounds[best]), size=int(chooses.sum())),
            measured(
                STAGE_METRICS[2],
                ratio - 1,
                size=measures.shape[1],
                interval=interval,
                level=level,
                otherwise=f"Not enough data: {n_rows} rows to look at the rounds of boosting.",
            ),
        ],
        curves=[_chart(train, test, loss, level)],
    )
    if interval is None or interval[0] <= 0:
        return found, ""
    return found, (
        f" Its {int(test.rounds[-1])} rounds of boosting are more than it needs: the loss on test rows is "
        f"{percent(ratio - 1)} above that after round {int(test.rounds[best])}."
    )


def _chart(train: Staged | None, test: Staged, loss: str, level: float) -> Curve:
    half = normal_quantile(level) * test.losses.std(axis=1) / np.sqrt(test.losses.shape[1])
    mean = test.losses.mean(axis=1)
    rounds = tuple(float(number) for number in test.rounds)
    series = [Series(name="test", x=rounds, y=finite(mean), low=finite(mean - half), high=finite(mean + half))]
    if train is not None:
        rounds = tuple(float(number) for number in train.rounds)
        series.insert(0, Series(name="train", x=rounds, y=finite(train.losses.mean(axis=1))))
    return Curve(
        name="stages",
        title="Loss after each part of the rounds of boosting",
        shape=Shape.LINE,
        x_title="Rounds",
        y_title=loss,
        series=tuple(series),
    )
