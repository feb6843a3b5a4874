"""Reproducibility: models that repeat themselves, models that do not, and what training again finds."""

import hashlib
import struct
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, mean_absolute_error, r2_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from modelops.analyses.base import Run
from modelops.analyses.reproducibility import REPRODUCIBILITY
from modelops.analyses.reproducibility.repeats import digest
from modelops.analyses.reproducibility.trained import deviation_interval, margin_of, quality
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured, WorkerFailed
from tests.analyses.fitted_model import FittedModel
from tests.analyses.samples import evaluation
from tests.analyses.test_robustness import Planted, value

FEATURES = ("a", "b")


def table(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    return {"a": a, "b": b, "y": ["yes" if x else "no" for x in a + 0.5 * b + rng.normal(size=rows) > 0]}


TRAIN, TEST = table(400, seed=1), table(200, seed=2)


def fitted(estimator, train=TRAIN):
    frame = pd.DataFrame(train)
    return FittedModel(estimator.fit(frame[list(FEATURES)], frame["y"]), FEATURES)


def compute(model, again="same", *, train=TRAIN, columns=TEST, task=Task.CLASSIFICATION, seed=3, **parameters):
    roles = {"features": model.features} | ({"target": "y"} if "y" in columns else {})
    data = evaluation(columns, task=task, model=model, train=train, **roles)
    data = replace(data, again=model if again == "same" else again)
    return REPRODUCIBILITY.compute(data, REPRODUCIBILITY.parameters(**parameters), Run(seed=seed))


@pytest.fixture(scope="module")
def forest():
    return compute(fitted(RandomForestClassifier(10, max_depth=4, random_state=17)), seeds=6)


# Asked again


def test_a_model_of_one_mind_gives_the_same_in_every_way(forest):
    for way in ("same process", "another process", "other order", "row by row"):
        assert value(forest, "changed_rate", repeat=way).value == 0, way
        assert value(forest, "identical_rate", repeat=way).value == 1, way
        assert value(forest, "largest_difference", repeat=way).value == 0, way
    assert forest.summary.startswith("Asked again, the model gives the same answers to 200 rows")


def test_an_answer_that_depends_on_when_it_is_asked_is_found():
    calls = []

    def moody(rows):
        calls.append(1)
        return np.full(len(rows), 0.5 + 0.001 * len(calls))

    found = compute(Planted(moody, FEATURES), train=None)
    assert value(found, "changed_rate", repeat="same process").value == 1
    assert value(found, "largest_difference", repeat="same process").value == pytest.approx(0.001)
    assert "other answers to the same 200 rows (same process" in found.summary


def test_an_answer_that_depends_on_the_other_rows_is_found():
    found = compute(Planted(lambda rows: 0.5 + 0.1 * np.tanh(rows["a"] - rows["a"].mean()), FEATURES), train=None)
    assert value(found, "changed_rate", repeat="same process").value == 0
    assert value(found, "changed_rate", repeat="other order").value == 0
    assert value(found, "changed_rate", repeat="row by row").value > 0.9


def test_an_answer_that_depends_on_the_place_is_found():
    found = compute(Planted(lambda rows: np.linspace(0, 1, len(rows)), FEATURES), train=None)
    assert value(found, "changed_rate", repeat="other order").value > 0.9


def test_rounding_is_told_apart_from_another_answer():
    def base(rows):
        return 1 / (1 + np.exp(-rows["a"]))

    model = Planted(base, FEATURES)
    other = Planted(lambda rows: base(rows) + 1e-12, FEATURES)
    found = compute(model, again=other, train=None)
    assert value(found, "changed_rate", repeat="another process").value == 0
    assert value(found, "identical_rate", repeat="another process").value == 0
    digests = next(one for one in found.tables if one.name == "digests")
    assert {row[0]: row[2] for row in digests.rows}["another process"] == "up to rounding"


def test_a_process_that_fails_is_a_reason_and_not_a_pass():
    def dead(rows):
        raise WorkerFailed("The model crashed its loader (signal 11).")

    found = compute(fitted(LogisticRegression()), again=Planted(dead, FEATURES), train=None)
    one = value(found, "changed_rate", repeat="another process")
    assert one.value is None
    assert "signal 11" in one.note
    alone = compute(fitted(LogisticRegression()), again=None, train=None)
    assert "not opened a second time" in value(alone, "identical_rate", repeat="another process").note


def test_a_digest_is_that_of_the_little_endian_numbers():
    numbers = [0.5, -1.25, 3.0]
    wanted = hashlib.sha256(b"".join(struct.pack("<d", number) for number in numbers)).hexdigest()
    assert digest(np.array(numbers)) == f"sha256:{wanted}"
    assert digest(np.array(numbers, dtype=">f8")) == f"sha256:{wanted}"


def test_the_digests_of_two_runs_are_the_same(forest):
    again = compute(fitted(RandomForestClassifier(10, max_depth=4, random_state=17)), seeds=6)
    assert again.tables == forest.tables


# Trained again


def test_a_recipe_gives_its_model_back(forest):
    assert value(forest, "identical_rate", repeat="trained by its recipe").value == 1
    assert value(forest, "identical_rate", repeat="trained again, same seed").value == 1
    assert "trained again by its own recipe it is the same model" in forest.summary


def test_a_recipe_without_a_random_state_does_not():
    found = compute(fitted(RandomForestClassifier(5, max_depth=4)), seeds=2)
    assert value(found, "changed_rate", repeat="trained by its recipe").value > 0.5
    assert value(found, "changed_rate", repeat="trained again, same seed").value == 0
    assert "is not the same model" in found.summary


def test_other_training_data_does_not_give_the_model_back():
    found = compute(fitted(LogisticRegression()), train=table(400, seed=9), seeds=2)
    assert value(found, "changed_rate", repeat="trained by its recipe").value == 1


def test_fewer_training_rows_than_there_are_are_said():
    found = compute(fitted(LogisticRegression()), seeds=2, train_rows=100)
    assert any(note.startswith("Trained on 100 rows") for note in found.notes)


def test_a_part_of_the_training_data_says_nothing_of_the_recipe():
    found = compute(fitted(RandomForestClassifier(5, random_state=3)), seeds=2, train_rows=100)
    recipe = value(found, "changed_rate", repeat="trained by its recipe")
    assert recipe.value is None
    assert "train_rows" in recipe.note
    assert value(found, "changed_rate", repeat="trained again, same seed").value == 0
    assert "whether its own recipe gives it back was not measured; another seed changes" in found.summary


def test_a_model_without_randomness_has_no_spread():
    found = compute(fitted(LogisticRegression()), seeds=3)
    assert value(found, "churn_rate").value == 0
    assert value(found, "mean_prediction_spread").value == pytest.approx(0, abs=1e-15)
    for metric in ("accuracy", "balanced_accuracy", "roc_auc"):
        assert value(found, "seed_standard_deviation", metric=metric).value == pytest.approx(0, abs=1e-15)
        assert value(found, "noise_margin", metric=metric).value == pytest.approx(0, abs=1e-14)


def test_a_chart_of_spread_is_drawn_only_where_there_is_one(forest):
    assert "spread_of_answers" in [curve.name for curve in forest.curves]
    found = compute(fitted(LogisticRegression()), seeds=3)
    assert [curve.name for curve in found.curves] == ["quality_by_seed"]
    assert (found.curves[0].title, found.curves[0].y_title) == ("Accuracy by the seed of training", "accuracy")


def test_churn_and_spread_are_those_of_trainings_by_hand(forest):
    train, test = pd.DataFrame(TRAIN), pd.DataFrame(TEST)
    scores = []
    for seed in range(3, 9):
        model = RandomForestClassifier(10, max_depth=4, random_state=seed).fit(train[["a", "b"]], train["y"])
        scores.append(model.predict_proba(test[["a", "b"]])[:, 1])
    chosen = [one > 0.5 for one in scores]
    pairs = [(chosen[i] != chosen[j]).mean() for i in range(6) for j in range(i)]
    # Where both classes have one half, the first is taken: as argmax does.
    assert value(forest, "churn_rate").value == pytest.approx(np.mean(pairs))
    assert value(forest, "mean_prediction_spread").value == pytest.approx(np.std(scores, axis=0, ddof=1).mean())
    accuracies = [accuracy_score(test["y"] == "yes", one) for one in chosen]
    spread = value(forest, "seed_standard_deviation", metric="accuracy")
    assert spread.value == pytest.approx(np.std(accuracies, ddof=1))
    assert spread.interval[0] < spread.value < spread.interval[1]


def test_without_a_recipe_it_is_not_measured():
    class Sealed(FittedModel):
        def refit(self, train, target, rows, *, seed):
            return None

    sealed = Sealed(fitted(LogisticRegression()).estimator, FEATURES)
    found = compute(sealed)
    for name, scope in (("changed_rate", {"repeat": "trained by its recipe"}), ("churn_rate", {})):
        one = value(found, name, **scope)
        assert one.value is None
        assert "no recipe" in one.note
    assert "whether it can be trained again was not measured" in found.summary


@pytest.mark.parametrize(
    ("train", "reason"),
    [
        (None, "No training data was given"),
        ({"a": TRAIN["a"], "b": TRAIN["b"]}, "no target column"),
        ({"a": TRAIN["a"], "y": TRAIN["y"]}, "lacks features of the model: b"),
        ({**TRAIN, "y": [None] * 400}, "No training row has a target"),
        ({**TRAIN, "y": ["yes"] * 400}, "cannot be trained"),
    ],
)
def test_training_data_that_will_not_do_is_a_reason(train, reason):
    class Refusing(FittedModel):
        def refit(self, train, target, rows, *, seed):
            try:
                return super().refit(train, target, rows, seed=seed)
            except ValueError as error:
                raise InvalidInput(f"The model cannot be trained on these rows: {error}") from error

    found = compute(Refusing(fitted(LogisticRegression()).estimator, FEATURES), train=train)
    assert reason in value(found, "changed_rate", repeat="trained by its recipe").note
    assert value(found, "changed_rate", repeat="same process").value == 0


def test_rows_without_a_target_are_not_trained_on():
    gaps = {**TRAIN, "y": [None if row % 4 == 0 else label for row, label in enumerate(TRAIN["y"])]}
    full = {name: [v for row, v in enumerate(values) if row % 4] for name, values in TRAIN.items()}
    model = fitted(DecisionTreeClassifier(max_depth=3, random_state=0), full)
    assert value(compute(model, train=gaps), "identical_rate", repeat="trained by its recipe").value == 1


def test_a_regression_has_spread_and_no_churn():
    train, test = ({**one, "y": one["a"] * 3 + one["b"]} for one in (TRAIN, TEST))
    model = fitted(GradientBoostingRegressor(n_estimators=10, subsample=0.5, random_state=1), train)
    found = compute(model, train=train, columns=test, task=Task.REGRESSION, seeds=3)
    assert value(found, "identical_rate", repeat="trained by its recipe").value == 1
    assert value(found, "mean_prediction_spread").value > 0
    assert value(found, "noise_margin", metric="r2").value > 0
    assert "churn_rate" not in {one.metric for one in found.measurements}


# The statistics


def test_quality_is_scikit_learns():
    rng = np.random.default_rng(4)
    truth, score = rng.integers(0, 2, 200).astype(float), rng.random(200)
    found = quality(np.column_stack([1 - score, score]), truth)
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, score > 0.5))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, score > 0.5))
    assert found["roc_auc"] == pytest.approx(roc_auc_score(truth, score))
    numbers = quality(score, truth)
    assert numbers["mean_absolute_error"] == pytest.approx(mean_absolute_error(truth, score))
    assert numbers["r2"] == pytest.approx(r2_score(truth, score))
    assert quality(score, None) == {}
    assert quality(score, np.full(200, np.nan)) == {}


def test_the_interval_of_a_deviation_covers_as_often_as_it_says():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(2000):
        low, high = deviation_interval(float(rng.normal(0, 2, 5).std(ddof=1)), 5)
        hits += low <= 2 <= high
    assert 0.935 < hits / 2000 < 0.965


def test_the_margin_is_exceeded_by_chance_one_time_in_twenty():
    rng = np.random.default_rng(6)
    beyond = 0
    for _ in range(4000):
        margin = margin_of(float(rng.normal(0, 1, 6).std(ddof=1)), 6)
        beyond += abs(rng.normal() - rng.normal()) > margin
    assert 0.04 < beyond / 4000 < 0.06
    assert margin_of(1.0, 10_000) == pytest.approx(norm.ppf(0.975) * np.sqrt(2), rel=1e-3)


def test_without_a_model_there_is_nothing_to_repeat():
    data = evaluation(TEST, features=FEATURES)
    with pytest.raises(NotMeasured, match="No model is given"):
        REPRODUCIBILITY.compute(data, REPRODUCIBILITY.parameters(), Run())
