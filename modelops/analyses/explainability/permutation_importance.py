"""What the score loses when the values of a column are shuffled over the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.composed import ComposedModel
from modelops.domain.columns import Task
from modelops.errors import NotMeasured

Score = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Scoring:
    """How good outputs are for the true values; higher is better.

    ``metric`` is the metric's name, ``sign`` is -1 where the metric itself is better when lower. ``all_classes`` says
    that ``score`` takes the scores of all classes, shape (n, n_classes), instead of one output for each row.
    """

    metric: str
    score: Score
    sign: int = 1
    all_classes: bool = False


@dataclass(frozen=True)
class Importance:
    """The losses of score for one column, or for several that were shuffled together.

    ``losses`` has shape (repeats,): every repeat draws the rows anew, so their spread holds both the shuffling and the
    choice of rows.
    """

    features: tuple[int, ...]
    losses: np.ndarray

    @property
    def mean(self) -> float:
        """The mean loss. 0: the score does not need the column; negative: shuffling happened to help."""
        return float(self.losses.mean())

    @property
    def spread(self) -> float:
        """The standard deviation over repeats."""
        return float(self.losses.std(ddof=1))

    def interval(self, level: float) -> tuple[float, float]:
        """Return the mean and about it what the next repeat would show with probability ``level`` (Student's t)."""
        from scipy.stats import t

        half = float(t.ppf((1 + level) / 2, len(self.losses) - 1)) * self.spread
        return self.mean - half, self.mean + half


def scoring(task: Task, classes: Sequence[str]) -> Scoring:
    """Return the score that fits: R2, area under the ROC curve for two classes, log loss for more."""
    if task is Task.REGRESSION:
        return Scoring("r2", _r2)
    if len(classes) == 2:
        return Scoring("roc_auc", _roc_auc)
    return Scoring("log_loss", _negative_log_loss, sign=-1, all_classes=True)


def target_of(labels: np.ndarray, classes: Sequence[str], explained: int | None) -> np.ndarray:
    """Return labels as numbers: 1 for the explained class of two, else the position of the class.

    Raises
    ------
    NotMeasured
        If a label is none of the model's classes.
    """
    position = {label: k for k, label in enumerate(classes)}
    unknown = sorted({str(label) for label in labels} - set(position))
    if unknown:
        raise NotMeasured(
            f"The target holds {', '.join(map(repr, unknown[:3]))}, the model knows the classes "
            f"{', '.join(map(repr, list(classes)[:5]))}. Map the labels to the model's own."
        )
    codes = np.array([position[label] for label in labels], dtype=np.int64)
    return (codes == explained).astype(np.int64) if len(classes) == 2 else codes


def permutation_importance(
    model: ComposedModel,
    rows: np.ndarray,
    truth: np.ndarray,
    *,
    features: Sequence[tuple[int, ...]],
    score: Scoring,
    repeats: int,
    rng: np.random.Generator,
) -> tuple[float, Iterator[Importance]]:
    """Measure what the score loses when columns are shuffled.

    Every repeat draws the rows with replacement, scores them, shuffles the columns among them and scores again.

    Parameters
    ----------
    rows, truth : ndarray of shape (n,)
        Positions in the pool, and the true values (class codes or numbers). Rows the model was not trained on.
    features : sequence of tuple of int
        The columns to shuffle; those of one tuple are shuffled together.
    repeats : int
        At least 2.

    Returns
    -------
    float, iterator of Importance
        The score before, as a higher-is-better number, and the importances in the order of ``features``.

    Raises
    ------
    NotMeasured
        If the score is not defined: only one class, or a target without spread.

    References
    ----------
    L. Breiman, "Random forests", 2001; A. Fisher, C. Rudin, F. Dominici, "All models are wrong, but many are useful",
    JMLR 2019.
    """
    answer = model.class_scores if score.all_classes else model.outputs
    plain = next(answer([model.unchanged(rows)]))
    before = score.score(truth, plain)
    draws = [_draw(truth, score, rng) for _ in range(repeats)]
    base = [score.score(truth[draw], plain[draw]) for draw in draws]

    def importances() -> Iterator[Importance]:
        answers = answer(_shuffled(model, rows, features, draws, rng))
        for columns in features:
            losses = [base[k] - score.score(truth[draw], next(answers)) for k, draw in enumerate(draws)]
            yield Importance(columns, np.array(losses))

    return before, importances()


def _shuffled(
    model: ComposedModel,
    rows: np.ndarray,
    features: Sequence[tuple[int, ...]],
    draws: list[np.ndarray],
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    for columns in features:
        for draw in draws:
            block = model.unchanged(rows[draw])
            block[:, list(columns)] = rng.permutation(block[:, columns[0]])[:, None]
            yield block


def _draw(truth: np.ndarray, score: Scoring, rng: np.random.Generator) -> np.ndarray:
    """Draw rows with replacement, within each class where there are classes, so that none can vanish."""
    if score.metric == "r2":
        return rng.integers(len(truth), size=len(truth))
    members = [np.flatnonzero(truth == label) for label in np.unique(truth)]
    return np.concatenate([rng.choice(m, len(m)) for m in members])


def prediction_changes(model: ComposedModel, rows: np.ndarray, rng: np.random.Generator) -> Iterator[float]:
    """Yield, for each column, the mean absolute change of the output when its values are shuffled over ``rows``.

    Needs no target; the cheapest measure of whether a column matters at all.
    """
    before = model.output(rows)

    def blocks() -> Iterator[np.ndarray]:
        for feature in range(model.n_features):
            block = model.unchanged(rows)
            block[:, feature] = rng.permutation(rows)
            yield block

    for after in model.outputs(blocks()):
        yield float(np.abs(after - before).mean())


def _r2(truth: np.ndarray, output: np.ndarray) -> float:
    total = float(((truth - truth.mean()) ** 2).sum())
    if total == 0:
        raise NotMeasured("The target has the same value in every row: R2 is not defined.")
    return 1 - float(((truth - output) ** 2).sum()) / total


def _roc_auc(truth: np.ndarray, output: np.ndarray) -> float:
    from scipy.stats import rankdata

    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        raise NotMeasured(f"The target has {positives} positive and {negatives} negative rows: both are needed.")
    ranks = rankdata(output)[truth == 1].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def _negative_log_loss(truth: np.ndarray, scores: np.ndarray) -> float:
    chosen = scores[np.arange(len(truth)), truth] / scores.sum(axis=1)
    smallest = np.finfo(np.float64).eps
    return float(np.log(np.clip(chosen, smallest, 1 - smallest)).mean())
