"""The whole analysis on really fitted models."""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops.analyses.base import Contributions, Run
from modelops.analyses.explainability import EXPLAINABILITY, ExplainabilityParameters
from modelops.domain.columns import Task
from modelops.domain.result import Shape
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.fitted_model import FittedModel
from tests.analyses.samples import (
    BINARY_ROLES,
    MULTICLASS_ROLES,
    REGRESSION_ROLES,
    binary_columns,
    evaluation,
    multiclass_columns,
    permuted,
    regression_columns,
    sample,
)

QUICK = ExplainabilityParameters(
    rows=60, background=20, importance_rows=200, curve_rows=50, repeats=4, lime_rows=4, lime_samples=200, lime_seeds=3
)


def credit_model():
    features = BINARY_ROLES["features"]
    training = sample(binary_columns(800), **BINARY_ROLES)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["employment"]), remainder=SimpleImputer()
    )
    estimator = make_pipeline(encode, RandomForestClassifier(20, min_samples_leaf=5, random_state=0))
    return FittedModel(estimator.fit(training.frame(features), training.labels("default").astype(str)), features)


@pytest.fixture(scope="module")
def credit():
    return credit_model()


def explained(data, parameters=QUICK, seed=0):
    return EXPLAINABILITY.compute(data, parameters, Run(seed=seed))


def credit_data(model, columns=None, **roles):
    roles = {**BINARY_ROLES, **roles}
    return evaluation(columns or binary_columns(300, seed=5), positive="yes", model=model, **roles)


def measured(found, metric, **scope):
    return next(m for m in found.measurements if m.metric == metric and m.scope == scope)


def curve(found, name, **scope):
    return next(c for c in found.curves if c.name == name and scope.items() <= c.scope.items())


def table(found, name):
    return next(t for t in found.tables if t.name == name)


def test_every_method_reports_on_every_feature_of_a_pipeline_with_text_and_missing_values(credit):
    found = explained(credit_data(credit))
    for name in credit.features:
        assert measured(found, "mean_absolute_shap_value", feature=name).value > 0
        assert measured(found, "permutation_importance", feature=name).value is not None
        assert measured(found, "partial_dependence_range", feature=name).value > 0
    assert {c.name for c in found.curves} == {
        "mean_absolute_shap_values",
        "shap_values",
        "permutation_importance",
        "partial_dependence",
        "row_contributions",
        "explanation_agreement",
    }
    assert "income" in found.summary


def test_contributions_add_up_and_the_tables_show_it(credit):
    found = explained(credit_data(credit))
    assert measured(found, "additivity_error").value < 1e-6
    rows = [row for row in table(found, "rows").rows if row[0] == "highest score"]
    assert rows[0][1] == "(base value)"
    assert sum(row[3] for row in rows[:-1]) == pytest.approx(rows[-1][3], abs=1e-4)


def test_the_same_seed_gives_the_same_result_and_the_order_of_the_rows_changes_nothing(credit):
    columns = binary_columns(300, seed=5)
    order = np.random.default_rng(0).permutation(300)
    first = explained(credit_data(credit, columns))
    assert first == explained(credit_data(credit, columns))
    assert first == explained(credit_data(credit, permuted(columns, order)))
    assert first != explained(credit_data(credit, columns), seed=1)


def test_no_global_random_state_is_touched(credit):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    explained(credit_data(credit))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_calls_to_the_model_are_few(credit):
    credit.calls.clear()
    explained(credit_data(credit))
    assert sum(credit.calls) > 10_000
    assert len(credit.calls) < 20


def test_values_of_sensitive_features_are_withheld_for_single_rows(credit):
    found = explained(credit_data(credit, sensitive=("employment",)))
    shown = {row[1]: row[2] for row in table(found, "rows").rows}
    assert shown["employment"] == "withheld"
    assert isinstance(shown["age"], float)


def test_without_a_target_permutation_importance_is_null_with_the_reason(credit):
    found = explained(credit_data(credit, target=None))
    missing = measured(found, "permutation_importance", feature="income")
    assert missing.value is None
    assert "No target" in missing.note
    assert measured(found, "mean_absolute_shap_value", feature="income").value > 0
    assert measured(found, "explanation_rank_correlation", methods="SHAP and LIME").value is not None


def test_the_other_class_has_the_opposite_contributions(credit):
    yes = explained(credit_data(credit))
    no = explained(credit_data(credit), QUICK.model_copy(update={"explained_class": "no"}))
    for name in credit.features:
        first, second = (measured(f, "mean_absolute_shap_value", feature=name).value for f in (yes, no))
        assert first == pytest.approx(second)


def test_a_class_that_the_model_does_not_know_is_refused_with_the_known_ones(credit):
    with pytest.raises(InvalidInput, match=r"'maybe'.*'no', 'yes'"):
        explained(credit_data(credit), QUICK.model_copy(update={"explained_class": "maybe"}))


def test_missing_columns_are_named(credit):
    columns = binary_columns(50)
    del columns["age"]
    with pytest.raises(InvalidInput, match="lacks 1 of the model's 3 features: age"):
        explained(credit_data(credit, columns, features=("income", "employment")))


def test_an_empty_table_is_not_measured(credit):
    empty = {name: list(values)[:0] for name, values in binary_columns(5).items()}
    with pytest.raises(NotMeasured, match="0 rows"):
        explained(credit_data(credit, empty))


def test_two_rows_are_enough(credit):
    columns = {name: values[:2] for name, values in binary_columns(5).items()}
    found = explained(credit_data(credit, columns))
    assert measured(found, "mean_absolute_shap_value", feature="income").sample_size == 2


def test_three_classes_are_explained_one_at_a_time():
    training = sample(multiclass_columns(), **MULTICLASS_ROLES)
    features = MULTICLASS_ROLES["features"]
    estimator = RandomForestClassifier(20, min_samples_leaf=5, random_state=0)
    model = FittedModel(estimator.fit(training.frame(features), training.labels("kind").astype(str)), features)
    data = evaluation(multiclass_columns(200, seed=9), model=model, **MULTICLASS_ROLES)
    found = explained(data, QUICK.model_copy(update={"explained_class": "a"}))
    assert measured(found, "log_loss").value > 0
    assert "class a" in found.summary
    assert any("'c', is explained" in note for note in explained(data).notes)


def house_model():
    features = ("area", "rooms")
    frame = sample(regression_columns(), **REGRESSION_ROLES).frame(features)
    return FittedModel(LinearRegression().fit(frame, regression_columns()["price"]), features)


def house_data(model, rows=200):
    return evaluation(regression_columns(rows, seed=8), task=Task.REGRESSION, model=model, **REGRESSION_ROLES)


def test_a_regression_is_scored_by_r2_and_its_correlated_features_are_named_and_grouped():
    found = explained(house_data(house_model()))
    assert measured(found, "r2").value > 0.8
    assert measured(found, "permutation_importance", features="area + rooms").value > 0
    assert "area" in measured(found, "permutation_importance", feature="rooms").note
    assert any("go together: area and rooms" in note for note in found.notes)
    assert "prefer the accumulated local effect" in curve(found, "partial_dependence", feature="area").note


def test_the_mean_absolute_value_of_a_linear_model_is_the_coefficient_times_the_mean_distance():
    model = house_model()
    columns = regression_columns(100, seed=8)
    data = evaluation(columns, task=Task.REGRESSION, model=model, **REGRESSION_ROLES)
    found = explained(data, QUICK.model_copy(update={"rows": 1_000, "background": 1_000, "precision": 1e-6}))
    for name, coefficient in zip(model.features, model.estimator.coef_, strict=True):
        by_hand = np.abs(coefficient * (columns[name] - columns[name].mean())).mean()
        assert measured(found, "mean_absolute_shap_value", feature=name).value == pytest.approx(by_hand)


def test_a_models_own_contributions_are_used_and_named():
    model = house_model()
    coefficients, estimator = model.estimator.coef_, model.estimator

    def own(rows):
        centre = np.array([90.0, 4.0])
        base = float(centre @ coefficients + estimator.intercept_)
        return Contributions((rows.to_numpy() - centre) * coefficients, base, "prediction", "closed form")

    found = explained(house_data(FittedModel(estimator, model.features, own)))
    assert measured(found, "shap_sampling_error").value == 0
    assert any("own exact values, by closed form" in note for note in found.notes)
    assert [t.name for t in found.tables] == ["features", "rows"]


def test_contributions_that_do_not_add_up_are_replaced_and_it_is_said():
    model = house_model()
    lie = lambda rows: Contributions(np.ones(rows.shape), 0.0, "prediction", "made up")
    found = explained(house_data(FittedModel(model.estimator, model.features, lie)))
    assert measured(found, "additivity_error").value < 1e-6
    assert any("do not add up" in note for note in found.notes)


def test_many_features_are_capped_and_the_rest_taken_together():
    rng = np.random.default_rng(0)
    names = tuple(f"x{k}" for k in range(120))
    columns = {name: rng.normal(size=150) for name in names}
    target = columns["x3"] * 3 + columns["x50"] + columns["x70"] * 0.5
    model = FittedModel(LinearRegression().fit(np.column_stack(list(columns.values())), target), names)
    model.estimator.feature_names_in_ = np.array(names)
    data = evaluation({**columns, "y": target}, task=Task.REGRESSION, model=model, features=names, target="y")
    found = explained(data, QUICK.model_copy(update={"features": 10}))
    assert measured(found, "mean_absolute_shap_value", feature="x3").value > 1
    assert measured(found, "mean_absolute_shap_value", features="(110 other features)").value < 0.1
    unseen = [m for m in found.measurements if m.metric == "permutation_importance" and m.value is None]
    assert len(unseen) == 110
    assert any("120 features" in note for note in found.notes)
    assert measured(found, "additivity_error").value < 1e-6


def test_a_constant_model_has_nothing_to_explain():
    columns = regression_columns(60)
    model = house_model()
    model.estimator.coef_ = np.zeros(2)
    found = explained(evaluation(columns, task=Task.REGRESSION, model=model, **REGRESSION_ROLES))
    assert "nothing is there to explain" in found.summary
    assert measured(found, "explanation_rank_correlation", methods="SHAP and LIME").value is None


def test_progress_rises_to_the_end(credit):
    seen = []
    EXPLAINABILITY.compute(credit_data(credit), QUICK, Run(progress=lambda fraction, text: seen.append(fraction)))
    assert seen == sorted(seen)
    assert seen[-1] > 0.9


def test_times_and_flags_are_features_like_others():
    days = np.arange("2024-01-01", "2024-05-30", dtype="datetime64[D]").astype("datetime64[ns]")
    flags = np.arange(len(days)) % 2 == 0

    class Calendar:
        def predict(self, rows):
            return rows["day"].dt.month.to_numpy() + 2.0 * rows["flag"].to_numpy()

    columns = {"day": days, "flag": flags, "y": np.arange(len(days)) * 1.0}
    model = FittedModel(Calendar(), ("day", "flag"))
    found = explained(evaluation(columns, task=Task.REGRESSION, model=model, features=("day", "flag"), target="y"))
    assert curve(found, "partial_dependence", feature="day").shape is Shape.LINE
    assert curve(found, "partial_dependence", feature="flag").series[0].x == ("False", "True")


def test_boosting_on_categories_without_a_pipeline_is_explained():
    features = BINARY_ROLES["features"]
    training = sample(binary_columns(400), **BINARY_ROLES)
    estimator = HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype", random_state=0)
    model = FittedModel(estimator.fit(training.frame(features), training.labels("default").astype(str)), features)
    assert measured(explained(credit_data(model)), "additivity_error").value < 1e-6


def test_a_forest_of_a_planted_effect_ranks_it_first_by_all_methods():
    rng = np.random.default_rng(0)
    columns = {f"x{k}": rng.normal(size=400) for k in range(8)}
    names = tuple(columns)
    target = 5 * columns["x6"] + columns["x2"] + 0.1 * rng.normal(size=400)
    frame = sample(columns).frame(names)
    model = FittedModel(RandomForestRegressor(20, random_state=0).fit(frame, target), names)
    data = evaluation({**columns, "y": target}, task=Task.REGRESSION, model=model, features=names, target="y")
    found = explained(data)
    rows = table(found, "features").rows
    assert rows[0][0] == "x6"
    assert max(rows, key=lambda row: row[3])[0] == "x6"
    assert max(rows, key=lambda row: row[5])[0] == "x6"
    assert measured(found, "explanation_top_overlap", methods="SHAP and permutation importance").value >= 0.4
