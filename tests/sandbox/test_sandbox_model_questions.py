"""The questions beside predictions: raw answers, a trained copy, stages of boosting, what a model costs."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from modelops.errors import InvalidInput, NotMeasured, WorkerFailed
from modelops.sandbox import Limits, Worker
from modelops.sandbox.detect import FileKind, detect
from modelops.sandbox.model_client import ModelClient, open_model
from modelops.sandbox.model_process import Served, answer
from modelops.sandbox.model_process import open_model as opened_here
from modelops.sandbox.wire import BadFrame, Frame
from tests.sandbox import sandbox_models as made
from tests.sandbox.test_sandbox_model_process import Liar, summary

LIMITS = Limits(wall_seconds=120.0)
BOOSTERS = {"xgboost": made.xgboost, "lightgbm": made.lightgbm, "catboost": made.catboost}
BOOSTED = {
    "gradient boosting": (GradientBoostingClassifier(n_estimators=5, max_depth=2), "three"),
    "gradient boosting of two classes": (GradientBoostingClassifier(n_estimators=5, max_depth=2), "binary"),
    "gradient boosting of numbers": (GradientBoostingRegressor(n_estimators=5, max_depth=2), "number"),
    "histogram boosting": (HistGradientBoostingClassifier(max_iter=5), "three"),
    "ada boost": (AdaBoostClassifier(n_estimators=5), "three"),
    "a pipeline": (make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=5)), "binary"),
    "a pipeline of one step": (make_pipeline(HistGradientBoostingClassifier(max_iter=5)), "binary"),
}


class Local:
    """A connection to a model in this very process: what is sent is answered at once."""

    def __init__(self, case):
        kind = detect(case.path, name="m")
        self.served = Served(opened_here(case.path, kind), case.path, kind)
        self.answered = []
        self.asked = []

    def send(self, header, buffers=()):
        self.asked.append(header["kind"])
        arrived = Frame({**header}, tuple(np.frombuffer(b, np.uint8) if isinstance(b, bytes) else b for b in buffers))
        answer(Back(self.answered), arrived, self.served)

    def receive(self):
        return self.answered.pop(0)


class Back:
    """The side that the model process answers to."""

    def __init__(self, answered):
        self.answered = answered

    def send(self, header, buffers=()):
        arrays = (np.frombuffer(b, np.uint8) if isinstance(b, bytes) else np.asarray(b) for b in buffers)
        self.answered.append(Frame(dict(header), tuple(arrays)))


def client(case, **options):
    return ModelClient(Local(case), columns=tuple(case.rows.columns), **options)


def same(found, case):
    wanted = case.labels if case.scores is None else case.scores
    if wanted.ndim == 1 and case.classes:
        wanted = np.column_stack([1 - wanted, wanted])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-7)


# Raw answers


@pytest.mark.parametrize("task", ["binary", "number"])
@pytest.mark.parametrize("name", BOOSTERS)
def test_answers_of_boosters_are_the_librarys_own(name, task, tmp_path):
    case = BOOSTERS[name](tmp_path, task, missing=False, text=False)
    same(client(case).answers(case.rows), case)


def test_answers_of_onnx_and_scikit_learn_are_the_librarys_own(tmp_path):
    for case in (
        made.onnx(tmp_path, RandomForestClassifier(3, max_depth=3, random_state=0), "three"),
        made.skops(tmp_path, LogisticRegression(), "three"),
    ):
        same(client(case).answers(case.rows), case)


def test_answers_may_be_no_numbers_where_predictions_may_not(tmp_path):
    case = made.onnx(tmp_path, LinearRegression(), "number")
    rows = case.rows.assign(a=[np.nan, np.inf, *case.rows["a"].iloc[2:]])
    found = client(case).answers(rows)
    assert np.isnan(found[0])
    assert np.isinf(found[1])
    assert np.isfinite(found[2:]).all()
    with pytest.raises(NotMeasured, match="2 values that are not numbers"):
        client(case).predict(rows)


def test_rows_that_the_model_refuses_are_told_by_its_own_words(tmp_path):
    case = made.skops(tmp_path, LogisticRegression(), "three")
    with pytest.raises(InvalidInput, match="Input X contains NaN"):
        client(case).answers(case.rows.assign(a=np.nan))


# A trained copy


def pipeline(last):
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    encode = make_column_transformer((numbers, made.NUMBERS), (OneHotEncoder(handle_unknown="ignore"), ["c"]))
    return make_pipeline(encode, last)


def with_text(folder, estimator, task):
    return made.skops(folder, estimator, task, missing=True, text=True)


def as_text(frame):
    return frame.assign(c=frame["c"].astype("str"))


def test_a_trained_copy_answers_as_one_that_scikit_learn_trains(tmp_path):
    case = with_text(tmp_path, pipeline(RandomForestClassifier(5, max_depth=3, random_state=1)), "three")
    train = made.rows(missing=True, text=True, seed=5)
    target = made.three(train).astype(str)
    wanted = clone(pipeline(RandomForestClassifier(5, max_depth=3, random_state=7)))
    wanted.fit(as_text(train), target.astype(int))
    found = client(case).refit(train, target, case.rows, seed=7)
    np.testing.assert_allclose(found, wanted.predict_proba(as_text(case.rows)), atol=1e-12)


def test_the_model_itself_stays_as_it_was(tmp_path):
    case = made.skops(tmp_path, RandomForestClassifier(5, random_state=0), "three")
    model = client(case)
    model.refit(case.rows, case.labels[::-1], case.rows, seed=1)
    same(model.answers(case.rows), case)


def test_a_seed_fixes_the_copy_and_another_one_changes_it(tmp_path):
    case = made.skops(tmp_path, BaggingClassifier(DecisionTreeClassifier(splitter="random"), 3), "three")
    model = client(case)
    one, same_seed, other = (model.refit(case.rows, case.labels, case.rows, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same_seed)
    assert not np.array_equal(one, other)


def test_without_a_seed_the_recipe_of_the_file_gives_the_model_back(tmp_path):
    case = made.skops(tmp_path, RandomForestClassifier(5, max_depth=4, random_state=41), "three")
    model = client(case)
    same(model.refit(case.rows, case.labels, case.rows, seed=None), case)
    assert not np.allclose(model.refit(case.rows, case.labels, case.rows, seed=42), case.scores)


def test_a_copy_in_a_sandbox_is_that_of_this_process(tmp_path):
    case = made.skops(tmp_path, GradientBoostingClassifier(n_estimators=3, subsample=0.5), "three")
    with Worker.start("modelops.sandbox.model_process", LIMITS) as worker:
        open_model(worker, case.path, FileKind.SKOPS, name="m")
        found = ModelClient(worker).refit(case.rows, case.labels, case.rows, seed=2)
    np.testing.assert_array_equal(found, client(case).refit(case.rows, case.labels, case.rows, seed=2))


@pytest.mark.parametrize("classes", [[False, True], ["bad", "good"], [0.0, 1.0], [5, 9]])
def test_labels_come_back_as_the_estimators_own_type(classes, tmp_path):
    from skops.io import dump

    frame = made.rows()
    target = np.array(classes)[made.binary(frame)]
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(frame, target)
    dump(model, tmp_path / "m.skops")
    case = made.Case(tmp_path / "m.skops", frame, target, None)
    asked = client(case)
    labels = np.array(asked.classes, dtype=object)[made.binary(frame)]
    np.testing.assert_array_equal(asked.refit(frame, labels, frame, seed=0), model.predict_proba(frame))


def test_a_class_that_the_copy_never_saw_gets_nothing(tmp_path):
    case = made.skops(tmp_path, DecisionTreeClassifier(max_depth=3), "three")
    train = case.rows[case.labels != "1"]
    found = client(case).refit(train, case.labels[case.labels != "1"], case.rows, seed=0)
    assert (found[:, 1] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_numbers_are_learned_as_numbers(tmp_path):
    case = made.skops(tmp_path, LinearRegression(), "number")
    found = client(case).refit(case.rows, 3 * case.labels, case.rows, seed=0)
    np.testing.assert_allclose(found, 3 * case.labels, atol=1e-9)


def test_histogram_boosting_learns_categories_again(tmp_path):
    case = with_text(tmp_path, HistGradientBoostingClassifier(max_iter=5, random_state=0), "binary")
    same(client(case).refit(case.rows, case.labels, case.rows, seed=0), case)


def test_a_model_without_names_learns_by_position(tmp_path):
    from skops.io import dump

    frame = made.rows()
    target = made.three(frame)
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(frame.to_numpy(), target)
    dump(model, tmp_path / "m.skops")
    case = made.Case(tmp_path / "m.skops", frame, target, None)
    found = client(case).refit(frame, target.astype(str), frame, seed=0)
    np.testing.assert_array_equal(found, model.predict_proba(frame.to_numpy()))


@pytest.mark.parametrize("name", [*BOOSTERS, "onnx"])
def test_other_formats_hold_no_recipe_and_never_look_at_the_labels(name, tmp_path):
    if name == "onnx":
        case = made.onnx(tmp_path, LogisticRegression(), "binary")
    else:
        case = BOOSTERS[name](tmp_path, "binary", missing=False, text=False)
    connection = Local(case)
    model = ModelClient(connection, columns=tuple(case.rows.columns))
    assert model.refit(case.rows, case.labels, case.rows, seed=0) is None
    assert connection.asked == ["describe", "refit"]
    assert connection.served.refitted is None


@pytest.mark.parametrize("target", [["0", "1", "new"] * 40, [None, "1", "0"] * 40])
def test_labels_that_the_model_does_not_know_are_told(target, tmp_path):
    case = made.skops(tmp_path, LogisticRegression(), "binary")
    with pytest.raises(InvalidInput, match="missing values, or a class that the model lacks"):
        client(case).refit(case.rows.head(120), np.array(target, dtype=object), case.rows, seed=0)


def test_rows_that_nothing_can_be_learned_from_are_told(tmp_path):
    case = made.skops(tmp_path, LogisticRegression(), "binary")
    with pytest.raises(InvalidInput, match="cannot be trained on these rows"):
        client(case).refit(case.rows.head(3), np.array(["1"] * 3), case.rows, seed=0)
    model = client(made.skops(tmp_path, LinearRegression(), "number"))
    with pytest.raises(InvalidInput, match="missing or infinite"):
        model.refit(case.rows.head(2), np.array([1.0, np.nan]), case.rows, seed=0)


def test_a_copy_that_was_never_trained_is_not_asked(tmp_path):
    connection = Local(made.skops(tmp_path, LogisticRegression(), "binary"))
    with pytest.raises(BadFrame, match="before one was trained"):
        connection.send({"kind": "refitted"})


@pytest.mark.parametrize("target", [np.array([0, 2]), np.array([0.0, 1.0]), np.array([[0, 1]]), np.array([0]), None])
def test_labels_that_do_not_fit_are_refused_by_the_process(target, tmp_path):
    from modelops.sandbox import tables

    case = made.skops(tmp_path, LogisticRegression(), "binary")
    header, buffers = tables.encode(case.rows.head(2))
    with pytest.raises(BadFrame):
        Local(case).send({"kind": "refit", **header, "seed": 0}, buffers if target is None else [*buffers, target])


# Stages of boosting


@pytest.mark.parametrize("task", ["binary", "three", "number"])
@pytest.mark.parametrize("name", BOOSTERS)
def test_stages_of_a_booster_end_with_the_whole_and_begin_with_one_round(name, task, tmp_path):
    case = BOOSTERS[name](tmp_path, task, missing=True, text=True)
    found = client(case).staged(case.rows, stages=10)
    assert found.rounds.tolist() == [1, 2, 3, 4]
    same(found.answers[-1], case)
    assert not np.allclose(found.answers[0], found.answers[-1])


def test_a_stage_of_xgboost_is_what_fewer_rounds_give(tmp_path):
    import xgboost

    case = made.xgboost(tmp_path, "binary", missing=False, text=False)
    short = xgboost.XGBClassifier(n_estimators=2, max_depth=3, n_jobs=1).fit(case.rows, made.binary(case.rows))
    found = client(case).staged(case.rows, stages=10)
    np.testing.assert_allclose(found.answers[1], short.predict_proba(case.rows), atol=1e-6)


def test_a_stage_of_lightgbm_and_catboost_is_what_the_library_says(tmp_path):
    import catboost
    import lightgbm

    case = made.lightgbm(tmp_path, "binary", missing=False, text=False)
    wanted = lightgbm.Booster(model_file=case.path).predict(case.rows, num_iteration=3)
    np.testing.assert_allclose(client(case).staged(case.rows, stages=10).answers[2][:, 1], wanted, atol=1e-12)
    case = made.catboost(tmp_path, "number", missing=False, text=False)
    model = catboost.CatBoostRegressor()
    model.load_model(str(case.path))
    staged = list(model.staged_predict(case.rows))
    np.testing.assert_allclose(client(case).staged(case.rows, stages=10).answers, staged, atol=1e-12)


@pytest.mark.parametrize("name", BOOSTED)
def test_stages_of_scikit_learn_are_its_own(name, tmp_path):
    estimator, task = BOOSTED[name]
    case = made.skops(tmp_path, clone(estimator), task)
    found = client(case).staged(case.rows, stages=3)
    assert found.rounds.tolist() == [1, 3, 5]
    assert found.answers.shape == (3, len(case.rows), *((len(case.classes),) if case.classes else ()))
    same(found.answers[-1], case)


def test_many_rows_are_staged_in_parts(tmp_path, monkeypatch):
    case = made.lightgbm(tmp_path, "three", missing=False, text=False)
    whole = client(case).staged(case.rows, stages=4)
    monkeypatch.setattr("modelops.sandbox.model_client._CELLS_AT_ONCE", 500)
    np.testing.assert_array_equal(client(case).staged(case.rows, stages=4).answers, whole.answers)


@pytest.mark.parametrize("estimator", [RandomForestClassifier(2), LogisticRegression()])
def test_what_is_not_boosted_has_no_stages(estimator, tmp_path):
    case = made.skops(tmp_path, estimator, "binary")
    assert client(case).staged(case.rows, stages=3) is None


def test_side_by_side_trees_and_onnx_have_no_stages(tmp_path):
    forest = made.lightgbm(
        tmp_path, "binary", missing=False, text=False, boosting_type="rf", bagging_freq=1, bagging_fraction=0.5
    )
    assert client(forest).staged(forest.rows, stages=3) is None
    case = made.onnx(tmp_path, GradientBoostingClassifier(n_estimators=3), "binary")
    assert client(case).staged(case.rows, stages=3) is None


# What it costs


@pytest.mark.parametrize("name", [*BOOSTERS, "onnx", "skops"])
def test_times_and_sizes_of_every_format_are_measured_in_its_process(name, tmp_path):
    if name in BOOSTERS:
        case = BOOSTERS[name](tmp_path, "binary", missing=False, text=False)
    else:
        case = getattr(made, name)(tmp_path, LogisticRegression(), "binary")
    with Worker.start("modelops.sandbox.model_process", LIMITS) as worker:
        open_model(worker, case.path, detect(case.path, name="m"), name="m")
        model = ModelClient(worker, columns=tuple(case.rows.columns))
        spent = model.timed(case.rows, batch=300, repeats=5, seconds=30.0)
        found = model.resources(repeats=2)
    assert spent.shape == (5, 2)
    assert (spent[:, 0] > 0).all()
    assert found.size == case.path.stat().st_size
    assert found.load_seconds.shape == (2,)
    assert (found.load_seconds > 0).all()
    assert 10 << 20 < found.resident <= found.peak < LIMITS.memory


def test_slow_answers_are_timed_as_slow(tmp_path, monkeypatch):
    import time

    case = made.skops(tmp_path, LogisticRegression(), "binary")
    connection = Local(case)
    inner = connection.served.model.scores
    sizes = []

    def slow(rows):
        sizes.append(len(rows))
        time.sleep(0.02)
        return inner(rows)

    monkeypatch.setattr(connection.served.model, "scores", slow)
    spent = ModelClient(connection).timed(case.rows, batch=7, repeats=50, seconds=0.1)
    assert 1 <= len(spent) <= 6
    assert (spent[:, 0] >= 0.02).all()
    assert (spent[:, 1] < 0.02).all()  # asleep, not computing
    assert sizes == [7] * (len(spent) + 1)


# Hostile answers

REGRESSION = {"task": "regression", "classes": ()}
ROWS = pd.DataFrame({"a": [1.0, 2.0]})
READY = Frame({"kind": "ready"})
ROUNDS = np.array([1, 2])


@pytest.mark.parametrize(
    ("ask", "answers"),
    [
        (lambda m: m.answers(ROWS), [Frame({"kind": "scores"}, (np.zeros((2, 3)),))]),
        (lambda m: m.answers(ROWS), [Frame({"kind": "scores"}, (np.zeros(2),))]),
        (lambda m: m.answers(ROWS), [Frame({"kind": "predictions"}, (np.zeros((2, 2)),))]),
        (lambda m: m.refit(ROWS, ["no", "yes"], ROWS, seed=0), [Frame({"kind": "scores"}, (np.zeros((2, 2)),))]),
        (lambda m: m.refit(ROWS, ["no", "yes"], ROWS, seed=0), [READY, Frame({"kind": "refitted"}, (np.zeros(2),))]),
        (lambda m: m.staged(ROWS, stages=2), [Frame({"kind": "staged"}, ())]),
        (lambda m: m.staged(ROWS, stages=2), [Frame({"kind": "staged"}, (ROUNDS,))]),
        (lambda m: m.staged(ROWS, stages=2), [Frame({"kind": "staged"}, (ROUNDS, np.zeros((2, 2))))]),
        (lambda m: m.staged(ROWS, stages=2), [Frame({"kind": "staged"}, (ROUNDS[::-1], np.zeros((2, 2, 2))))]),
        (lambda m: m.staged(ROWS, stages=2), [Frame({"kind": "staged"}, (ROUNDS * 1.0, np.zeros((2, 2, 2))))]),
        (lambda m: m.staged(ROWS, stages=2), [Frame({"kind": "staged"}, (np.arange(1, 9), np.zeros((8, 2, 2))))]),
        (lambda m: m.timed(ROWS, batch=1, repeats=2, seconds=1.0), [Frame({"kind": "timed"}, (np.zeros((3, 2)),))]),
        (lambda m: m.timed(ROWS, batch=1, repeats=2, seconds=1.0), [Frame({"kind": "timed"}, (np.zeros((0, 2)),))]),
        (
            lambda m: m.timed(ROWS, batch=1, repeats=2, seconds=1.0),
            [Frame({"kind": "timed"}, (np.full((2, 2), -1.0),))],
        ),
        (lambda m: m.timed(ROWS, batch=1, repeats=2, seconds=1.0), [Frame({"kind": "timed"}, (np.zeros(2),))]),
        (lambda m: m.resources(repeats=1), [Frame({"kind": "resources", "size": 5}, (np.zeros(2),))]),
        (lambda m: m.resources(repeats=1), [Frame({"kind": "resources", "size": -5}, (np.zeros(1),))]),
        (lambda m: m.resources(repeats=1), [Frame({"kind": "resources", "size": 5, "peak": "1"}, (np.zeros(1),))]),
        (lambda m: m.resources(repeats=1), [Frame({"kind": "resources"}, (np.zeros(1),))]),
    ],
)
def test_an_answer_that_does_not_fit_is_not_believed(ask, answers):
    with pytest.raises(WorkerFailed):
        ask(ModelClient(Liar(summary(), *answers)))


def test_stages_that_change_their_rounds_are_not_believed(monkeypatch):
    monkeypatch.setattr("modelops.sandbox.model_client._CELLS_AT_ONCE", 1)
    parts = [Frame({"kind": "staged"}, (np.array(rounds), np.zeros((2, 1)))) for rounds in ([1, 2], [1, 3])]
    with pytest.raises(WorkerFailed, match="two ways"):
        ModelClient(Liar(summary(**REGRESSION), *parts)).staged(ROWS, stages=2)


def test_an_estimator_that_asks_for_its_own_loss_can_be_trained(tmp_path):
    case = made.skops(tmp_path, SGDClassifier(loss="log_loss", random_state=0), "binary")
    found = client(case).refit(case.rows, case.labels, case.rows, seed=0)
    assert found.shape == (len(case.rows), 2)
