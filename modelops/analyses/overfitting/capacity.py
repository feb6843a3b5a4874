"""How much the model could memorise: copies of it trained on labels that mean nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import Findings, measured
from modelops.analyses.refitting import NO_RECIPE, Labelled, Learner, chance_score, metric_of, scored
from modelops.domain.number_words import percent
from modelops.domain.result import Scope
from modelops.errors import InvalidInput, NotMeasured

MEMORISED = "memorised_share"

Numbers = NDArray[np.float64]


def capacity_findings(
    learner: Learner,
    rows: Labelled,
    *,
    permutations: int,
    rng: np.random.Generator,
    seed: int,
    level: float,
    progress: Callable[[float], None],
) -> tuple[Findings, str]:
    """Train copies on true and on permuted labels, and score them on the very rows that they were trained on.

    A model that fits permuted labels as well as true ones can memorise: its training score says nothing then.

    Returns
    -------
    tuple of Findings and str
        The training score on true and on permuted labels (mean, and Student's interval over the permutations), the
        share of the one in the other above chance, and a sentence.

    References
    ----------
    C. Zhang et al., "Understanding deep learning requires rethinking generalization", ICLR 2017.
    """
    metric = metric_of(rows.classes)
    try:
        true = _score(learner, rows, rows.truth, seed)
        permuted = []
        for done in range(permutations):
            permuted.append(_score(learner, rows, rng.permutation(rows.truth), seed + done + 1))
            progress((done + 1) / permutations)
    except (InvalidInput, NotMeasured) as reason:
        return not_measured(metric, str(reason)), ""
    interval = _mean_interval(np.array(permuted), level)
    mean = float(np.mean(permuted))
    chance = chance_score(rows.classes)
    learned = true - chance
    share = (mean - chance) / learned if learned > 0 else np.nan
    ends = None
    if interval is not None and learned > 0:
        ends = (interval[0] - chance) / learned, (interval[1] - chance) / learned
    size = rows.n_rows
    note = f"A copy of the model, trained and scored on {size:,} rows."
    measurements = [
        measured(metric, true, size=size, scope=_scope("true"), note=note),
        measured(metric, mean, size=size, scope=_scope("permuted"), interval=interval, level=level, note=note),
        measured(
            MEMORISED,
            share,
            size=size,
            interval=ends,
            level=level,
            otherwise="A copy of the model learns nothing of the true labels either.",
        ),
    ]
    return Findings(measurements=measurements), (
        f" Trained on shuffled labels, which mean nothing, a copy of it still reaches {percent(max(share, 0.0))} of "
        "what it reaches on true ones."
        if np.isfinite(share)
        else ""
    )


def not_measured(metric: str, reason: str) -> Findings:
    """Return the measurements without values."""
    return Findings(
        measurements=[
            measured(metric, None, size=0, scope=_scope("true"), otherwise=reason),
            measured(metric, None, size=0, scope=_scope("permuted"), otherwise=reason),
            measured(MEMORISED, None, size=0, otherwise=reason),
        ]
    )


def _scope(labels: str) -> Scope:
    return {"split": "train", "labels": labels}


def _score(learner: Learner, rows: Labelled, target: np.ndarray, seed: int) -> float:
    answers = learner.answers(rows, rows.frame, seed=seed, target=target)
    if answers is None:
        raise NotMeasured(NO_RECIPE)
    return scored(answers, target, rows.classes).value


def _mean_interval(values: Numbers, level: float) -> tuple[float, float] | None:
    """Return Student's interval; ``None`` for one value, which says nothing of how far others lie."""
    from scipy.special import stdtrit

    if values.size < 2:
        return None
    half = float(stdtrit(values.size - 1, (1 + level) / 2)) * float(values.std(ddof=1)) / np.sqrt(values.size)
    return float(values.mean()) - half, float(values.mean()) + half
