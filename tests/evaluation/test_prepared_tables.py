"""Roles settled and model outputs added, in the process that holds the tables."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from modelops.analyses.base import Sample
from modelops.datasets.limits import TableFormat
from modelops.datasets.table import MemoryTable
from modelops.domain.columns import ColumnRoles, Task
from modelops.errors import InvalidInput
from modelops.evaluation.model_columns import WithModel, free_name
from modelops.evaluation.prepared import (
    in_order,
    restricted,
    settle,
    settled_positive,
    settled_task,
    with_model,
)


class Threshold:
    """A model: positive above zero. It remembers what it was shown."""

    def __init__(self, *features: str, classes: tuple[str, ...] = ("no", "yes"), is_named: bool = True) -> None:
        self.features = features or ("x",)
        self.classes = classes
        self.is_named = is_named
        self.seen: list[tuple[str, ...]] = []
        self.calls = 0

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.seen.append(tuple(rows.columns))
        self.calls += 1
        first = rows[self.features[0]].to_numpy()
        return np.where(first > 0, self.classes[1], self.classes[0]).astype(object) if self.classes else first * 2.0

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        self.seen.append(tuple(rows.columns))
        chance = 1 / (1 + np.exp(-rows[self.features[0]].to_numpy()))
        return np.column_stack([1 - chance, chance])

    def contributions(self, rows: pd.DataFrame, *, label: str | None = None) -> None:
        return None


def table(**columns: list) -> MemoryTable:
    arrays = {
        name: pa.chunked_array(
            [pa.array(values).dictionary_encode() if isinstance(values[0], str) else pa.array(values)]
        )
        for name, values in columns.items()
    }
    return MemoryTable(arrays, form=TableFormat.CSV, n_rows=len(next(iter(columns.values()))))


ROWS = table(x=[-1.0, 2.0, 3.0], y=["no", "yes", "no"], sex=["F", "M", "F"])


def settled(rows: MemoryTable = ROWS, *, guess: bool = False, model: Threshold | None = None, **roles):
    return settle(rows, ColumnRoles(**roles), guess=guess, model=model)


def test_a_role_for_a_column_that_is_not_there_is_refused():
    with pytest.raises(InvalidInput, match="no column 'z'"):
        settled(target="z")


def test_given_roles_are_not_changed_without_guessing():
    assert settled(target="y").roles == ColumnRoles(target="y")


def test_guessed_roles_are_said():
    found = settled(guess=True)
    assert (found.roles.target, found.roles.sensitive) == ("y", ("sex",))
    assert "target = y" in found.notes[0]


def test_features_are_those_of_the_model():
    assert settled(target="y", model=Threshold("x")).roles.features == ("x",)


def test_a_feature_of_the_model_is_guessed_to_be_nothing_else():
    rows = table(score=[0.1, 0.9], label=[0, 1])
    assert settled(rows, guess=True, model=Threshold("score")).roles.scores == ()


def test_missing_features_of_the_model_are_listed():
    with pytest.raises(InvalidInput, match="'income', 'age'"):
        settled(model=Threshold("x", "income", "age"))


def test_the_target_cannot_be_a_feature_of_the_model():
    with pytest.raises(InvalidInput, match="is a feature of the model"):
        settled(target="x", model=Threshold("x"))


def test_a_model_without_names_takes_features_in_the_given_order():
    rows = table(a=[1.0], b=[2.0], y=[1])
    found = settled(rows, model=Threshold("f0", "f1", is_named=False), features=("b", "a"), target="y")
    assert found.by_position
    assert found.roles.features == ("b", "a")
    assert "'b', 'a'" in found.notes[0]


def test_a_model_without_names_wants_as_many_features():
    with pytest.raises(InvalidInput, match=r"takes 2 columns.*--features"):
        settled(model=Threshold("f0", "f1", is_named=False), features=("x",))


def test_roles_said_in_another_order_are_the_same():
    one = ColumnRoles(features=("a", "b"), scores=("p", "q"), score_classes=("1", "2"))
    other = ColumnRoles(features=("b", "a"), scores=("q", "p"), score_classes=("2", "1"))
    assert in_order(one, ["a", "b", "p", "q"]) == in_order(other, ["a", "b", "p", "q"])


def test_roles_carry_over_to_the_columns_that_another_table_has():
    roles = ColumnRoles(features=("a", "b"), target="y", scores=("p", "q"), score_classes=("1", "2"), sensitive=("b",))
    assert restricted(roles, ["a", "p"]) == ColumnRoles(features=("a",))


def test_predictions_and_scores_of_the_model_become_columns():
    model = Threshold("x")
    sample, notes = with_model(
        ROWS, settled(target="y", model=model).roles, model, task=Task.CLASSIFICATION, positive="yes"
    )
    assert sample.roles.prediction == "prediction"
    assert sample.labels("prediction").tolist() == ["no", "yes", "yes"]
    assert sample.numbers("score").tolist() == pytest.approx(1 / (1 + np.exp([1.0, -2.0, -3.0])))
    assert "predictions and scores come from the model" in notes[0]


def test_the_score_is_that_of_the_positive_class():
    model = Threshold("x")
    sample, _ = with_model(ROWS, ColumnRoles(), model, task=Task.CLASSIFICATION, positive="no")
    assert sample.numbers("score").tolist() == pytest.approx(1 / (1 + np.exp([-1.0, 2.0, 3.0])))


def test_predictions_of_the_table_are_kept():
    sample, notes = with_model(
        ROWS, ColumnRoles(prediction="y"), Threshold("x"), task=Task.CLASSIFICATION, positive="yes"
    )
    assert sample.roles.prediction == "y"
    assert notes[0].startswith(
        "The scores come from the model, not from the table. The predictions are the table's column 'y'. "
        "Predictions and scores may so be of two different models"
    )


def test_scores_of_the_table_beside_predictions_of_the_model_are_named():
    sample, notes = with_model(
        ROWS, ColumnRoles(target="y", scores=("x",)), Threshold("x"), task=Task.CLASSIFICATION, positive="yes"
    )
    assert (sample.roles.prediction, sample.roles.scores) == ("prediction", ("x",))
    assert notes[0].startswith(
        "The predictions come from the model, not from the table. The scores are the table's column 'x'. "
        "Predictions and scores may so be of two different models"
    )


def test_nothing_is_said_of_the_table_where_predictions_and_scores_are_the_model_s():
    _, notes = with_model(ROWS, ColumnRoles(target="y"), Threshold("x"), task=Task.CLASSIFICATION, positive="yes")
    assert notes == ("The predictions and scores come from the model, not from the table.",)


def test_predictions_of_a_regression_are_numbers():
    model = Threshold("x", classes=())
    sample, _ = with_model(ROWS, ColumnRoles(), model, task=Task.REGRESSION, positive=None)
    assert sample.numbers("prediction").tolist() == [-2.0, 4.0, 6.0]
    assert sample.roles.scores == ()


def test_the_model_sees_features_and_no_labels():
    model = Threshold("x")
    sample, _ = with_model(ROWS, ColumnRoles(target="y"), model, task=Task.CLASSIFICATION, positive="yes")
    sample.labels("prediction")
    sample.numbers("score")
    assert set(model.seen) == {("x",)}


def test_the_model_is_asked_when_a_column_is_read_and_once():
    model = Threshold("x")
    sample, _ = with_model(ROWS, ColumnRoles(), model, task=Task.CLASSIFICATION, positive="yes")
    assert model.calls == 0
    sample.labels("prediction")
    sample.labels("prediction")
    assert model.calls == 1


def test_large_tables_are_predicted_in_batches():
    rows = table(x=np.linspace(-1, 1, 120_001).tolist())
    model = Threshold("x")
    source = WithModel(rows, model)
    source.add_prediction("p", numbers=False)
    labels = Sample(source, ColumnRoles()).labels("p")
    assert model.calls == 3
    assert (labels == "yes").sum() == 60_000


def test_names_of_added_columns_do_not_clash():
    assert free_name(["prediction", "model prediction"], "prediction") == "model prediction 2"


@pytest.mark.parametrize(
    ("labels", "given", "positive"),
    [
        (["0", "1"], None, "1"),
        (["0", "1"], "1.0", "1"),
        (["no", "yes"], None, "yes"),
        (["good", "bad"], None, "bad"),
        (["b", "a"], None, "b"),
        (["True", "False"], "true", "True"),
        (["0", "0"], None, "1"),
        (["a", "b", "c"], None, None),
        (["a", "b", "c"], "b", "b"),
    ],
)
def test_the_positive_class_is_found(labels, given, positive):
    rows = table(y=labels)
    assert settled_positive(given, settled(rows, target="y"))[0] == positive


def test_a_chosen_positive_class_is_said():
    (note,) = settled_positive(None, settled(table(y=["a", "b"]), target="y"))[1]
    assert "'b'" in note
    assert "with the columns of the dataset, or by --positive" in note


def test_a_positive_class_that_does_not_occur_is_refused():
    with pytest.raises(InvalidInput, match="'maybe' does not occur; the classes are 'no', 'yes'"):
        settled_positive("maybe", settled(target="y"))


@pytest.mark.parametrize(
    ("values", "task"), [(["a", "b"] * 5, Task.CLASSIFICATION), (np.linspace(0, 1, 10).tolist(), Task.REGRESSION)]
)
def test_the_task_follows_from_the_target(values, task):
    assert settled_task(None, settled(table(y=values), target="y"), frozenset(Task)) is task


def test_the_task_follows_from_the_model_before_the_target():
    rows = table(x=[1.0, 2.0], y=[0.1, 0.2])
    assert settled_task(None, settled(rows, target="y", model=Threshold("x")), frozenset(Task)) is Task.CLASSIFICATION
