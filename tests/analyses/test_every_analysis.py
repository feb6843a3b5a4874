"""What holds for every declared analysis, whatever it measures. A new analysis adds a `Case`."""

import functools
import json
import random
import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from modelops.analyses.base import Computed, EvaluationData, Need, Run
from modelops.analyses.metrics import METRICS
from modelops.analyses.registry import ANALYSES, analysis
from modelops.domain.columns import Task
from modelops.domain.result import Measurement
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
    renamed,
    sample,
)

TIMES = {"binary": "age", "multiclass": "length", "regression": "area"}
TEXT = {"employment", "sex", "region", "district", "farm"}
SEED = 3


@dataclass(frozen=True)
class Case:
    """One analysis on one kind of task; ``group`` is a text column whose levels may be renamed."""

    key: str
    kind: str
    group: str
    parameters: dict[str, Any] = field(default_factory=dict)
    draws_by_content: bool = False

    def columns(self, rows=240, seed=None):
        make = {"binary": binary_columns, "multiclass": multiclass_columns, "regression": regression_columns}[self.kind]
        return make(rows) if seed is None else make(rows, seed=seed)

    @property
    def roles(self):
        roles = {"binary": BINARY_ROLES, "multiclass": MULTICLASS_ROLES, "regression": REGRESSION_ROLES}[self.kind]
        return {**roles, "time": TIMES[self.kind]} if Need.TIME in analysis(self.key).needs else roles

    def data(self, columns=None, reference=None, **changes) -> EvaluationData:
        columns = self.columns() if columns is None else columns
        declared = analysis(self.key)
        data = evaluation(
            columns,
            task=Task.REGRESSION if self.kind == "regression" else Task.CLASSIFICATION,
            positive="yes" if self.kind == "binary" else None,
            reference=(reference or self.columns(300, seed=9)) if declared.takes(Need.REFERENCE) else None,
            train=self.columns(300, seed=7) if declared.takes(Need.TRAIN) else None,
            model=fitted(self.kind) if Need.MODEL in declared.needs else None,
            champion=fitted(self.kind, seed=12) if declared.takes(Need.CHAMPION) else None,
            **{**self.roles, **changes},
        )
        return replace(data, again=data.model) if declared.reopens else data

    @property
    def outcome(self):
        return outcome(self.key, self.kind)

    def compute(self, data=None, seed=SEED):
        declared = analysis(self.key)
        return declared.compute(data or self.data(), declared.parameters(**self.parameters), Run(seed=seed))


QUICK = {
    "rows": 40,
    "background": 10,
    "importance_rows": 60,
    "curve_rows": 30,
    "repeats": 3,
    "lime_rows": 2,
    "lime_samples": 100,
    "lime_seeds": 2,
}
ONE_CASE = {
    "row": 5,
    "rows": 60,
    "background": 5,
    "rounds": 1,
    "counterfactuals": 1,
    "most_changes": 2,
    "grid_points": 4,
}
SMALL_GROUPS = {"bins": 4, "minimum_rows": 15, "tree_depth": 2}
SPOILT = {"rows": 40, "single_rows": 2, "adversarial_rows": 3, "adversarial_features": 1, "guard_rows": 100}
AGAIN = {"rows": 60, "single_rows": 2, "seeds": 2, "train_rows": 150}
FEW_TRAININGS = {"rows": 120, "points": 3, "repeats": 2}
CASES = (
    Case("performance", "binary", "sex", {"value_true_positive": 3.0, "capacity": 0.2}),
    Case("performance", "multiclass", "farm"),
    Case("performance", "regression", "district"),
    Case("fairness", "binary", "sex", {"condition": "employment", "mitigation": True}),
    Case("fairness", "multiclass", "farm"),
    Case("fairness", "regression", "district"),
    Case("drift", "binary", "sex"),
    Case("drift", "multiclass", "farm"),
    Case("drift", "regression", "district"),
    Case("subpopulations", "binary", "sex", SMALL_GROUPS),
    Case("subpopulations", "multiclass", "farm", SMALL_GROUPS),
    Case("subpopulations", "regression", "district", SMALL_GROUPS),
    Case("misclassified", "binary", "sex", {"cost_false_negative": 4.0}),
    Case("misclassified", "multiclass", "farm", {"order": "label_suspicion", "rows": 20}),
    Case("misclassified", "regression", "district", {"rows": 20}),
    Case("what_if", "binary", "employment", {**ONE_CASE, "changes": ("income = 30",)}, draws_by_content=True),
    Case("what_if", "multiclass", "farm", ONE_CASE, draws_by_content=True),
    Case("what_if", "regression", "district", ONE_CASE, draws_by_content=True),
    Case("explainability", "binary", "employment", QUICK, draws_by_content=True),
    Case("explainability", "multiclass", "farm", QUICK, draws_by_content=True),
    Case("explainability", "regression", "district", QUICK, draws_by_content=True),
    Case("representativeness", "binary", "sex"),
    Case("representativeness", "multiclass", "farm"),
    Case("representativeness", "regression", "district"),
    Case("feedback_loop", "binary", "sex"),
    Case("feedback_loop", "multiclass", "farm"),
    Case("feedback_loop", "regression", "district"),
    Case("data_contract", "binary", "sex", {"batch_rows": 30}, draws_by_content=True),
    Case("data_contract", "multiclass", "farm", {"batch_rows": 30}, draws_by_content=True),
    Case("data_contract", "regression", "district", {"batch_rows": 30}, draws_by_content=True),
    Case("baseline", "binary", "sex", draws_by_content=True),
    Case("baseline", "multiclass", "farm", draws_by_content=True),
    Case("baseline", "regression", "district", draws_by_content=True),
    Case("overfitting", "binary", "sex"),
    Case("overfitting", "multiclass", "farm"),
    Case("overfitting", "regression", "district"),
    Case("learning_curve", "binary", "sex", FEW_TRAININGS, draws_by_content=True),
    Case("learning_curve", "multiclass", "farm", FEW_TRAININGS, draws_by_content=True),
    Case("learning_curve", "regression", "district", FEW_TRAININGS, draws_by_content=True),
    Case("champion_challenger", "binary", "sex"),
    Case("champion_challenger", "multiclass", "farm"),
    Case("champion_challenger", "regression", "district"),
    Case("calibration", "binary", "sex", draws_by_content=True),
    Case("calibration", "multiclass", "farm", draws_by_content=True),
    Case("calibration", "regression", "district", draws_by_content=True),
    Case("data_quality", "binary", "sex"),
    Case("data_quality", "multiclass", "farm"),
    Case("data_quality", "regression", "district"),
    Case("residuals", "binary", "sex"),
    Case("residuals", "multiclass", "farm"),
    Case("residuals", "regression", "district"),
    Case("footprint", "binary", "employment", {"latency_limit": 5.0, "memory_limit": 100.0}),
    Case("footprint", "multiclass", "farm"),
    Case("footprint", "regression", "district", {"calls": 5}),
    Case("reproducibility", "binary", "employment", AGAIN, draws_by_content=True),
    Case("reproducibility", "multiclass", "farm", AGAIN, draws_by_content=True),
    Case("reproducibility", "regression", "district", AGAIN, draws_by_content=True),
    Case("robustness", "binary", "employment", SPOILT, draws_by_content=True),
    Case("robustness", "multiclass", "farm", SPOILT, draws_by_content=True),
    Case("robustness", "regression", "district", SPOILT, draws_by_content=True),
    Case("leakage", "binary", "sex", {"permutations": 20}, draws_by_content=True),
    Case("leakage", "multiclass", "farm", {"permutations": 20}, draws_by_content=True),
    Case("leakage", "regression", "district", {"permutations": 20}, draws_by_content=True),
    Case("ground_truth", "binary", "sex", {"rows_per_period": 60, "value_matrix": "yes > yes = 2"}),
    Case("ground_truth", "multiclass", "farm", {"rows_per_period": 60}),
    Case("ground_truth", "regression", "district", {"rows_per_period": 60}),
    Case("label_quality", "binary", "sex", {"draws": 50}, draws_by_content=True),
    Case("label_quality", "multiclass", "farm", {"draws": 50}, draws_by_content=True),
    Case("label_quality", "regression", "district", {"draws": 50}, draws_by_content=True),
)
_MODELS: dict[tuple[str, int], FittedModel] = {}


def within_a_million(values):
    return values.clip(-1e6, 1e6)


def fitted(kind: str, seed: int = 11) -> FittedModel:
    """A linear pipeline with text and missing values, trained once."""
    if (kind, seed) not in _MODELS:
        roles = {"binary": BINARY_ROLES, "multiclass": MULTICLASS_ROLES, "regression": REGRESSION_ROLES}[kind]
        make = {"binary": binary_columns, "multiclass": multiclass_columns, "regression": regression_columns}[kind]
        training = sample(make(500, seed=seed), **roles)
        text = [name for name in roles["features"] if name in TEXT]
        numbers = [name for name in roles["features"] if name not in TEXT]
        encode = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), text),
            (make_pipeline(FunctionTransformer(within_a_million), SimpleImputer(), StandardScaler()), numbers),
        )
        last = LinearRegression() if kind == "regression" else LogisticRegression()
        labels = training.numbers(roles["target"]) if kind == "regression" else training.labels(roles["target"])
        target = labels if kind == "regression" else labels.astype(str)
        estimator = make_pipeline(encode, last).fit(training.frame(roles["features"]), target)
        _MODELS[kind, seed] = FittedModel(estimator, roles["features"])
    return _MODELS[kind, seed]


def by_scope(found) -> dict[tuple[str, str], Measurement]:
    return {(one.metric, json.dumps(one.scope, sort_keys=True)): one for one in found.measurements}


@dataclass(frozen=True)
class Outcome:
    """What one run of a case gave, what it told of its progress, and whether it left the global generators alone."""

    found: Computed
    progress: tuple[float, ...]
    leaves_random_state: bool


@functools.cache
def outcome(key: str, kind: str) -> Outcome:
    """Run a case once for every property that only reads what it gave."""
    (case,) = (case for case in CASES if (case.key, case.kind) == (key, kind))
    before, seen = random_state(), []
    declared = analysis(key)
    run = Run(seed=SEED, progress=lambda fraction, text: seen.append(fraction))
    found = declared.compute(case.data(), declared.parameters(**case.parameters), run)
    return Outcome(found, tuple(seen), random_state() == before)


def random_state() -> tuple[Any, ...]:
    name, state, *rest = np.random.get_state()  # noqa: NPY002
    return name, state.tolist(), *rest, random.getstate()


def alike(one: float | None, other: float | None) -> bool:
    return one == other if None in (one, other) else one == pytest.approx(other, rel=1e-6, abs=1e-9)


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}-{case.kind}")


def test_every_analysis_has_a_case_for_every_task_it_declares():
    covered = {(case.key, case.kind == "regression") for case in CASES}
    assert covered == {(one.key, task is Task.REGRESSION) for one in ANALYSES for task in one.tasks}


def test_keys_are_unique_and_an_unknown_one_is_refused_with_those_there_are():
    keys = [one.key for one in ANALYSES]
    assert len(set(keys)) == len(keys)
    with pytest.raises(InvalidInput, match=", ".join(keys)):
        analysis("magic")


@pytest.mark.parametrize("declared", ANALYSES, ids=lambda declared: declared.key)
def test_a_declaration_says_everything_that_a_form_needs(declared):
    assert declared.title
    assert declared.question.endswith("?")
    assert declared.serves
    assert declared.source
    for name, parameter in declared.parameters.model_fields.items():
        assert parameter.description, name
        assert not parameter.is_required(), name


@each_case
def test_metrics_are_in_the_documented_list(case):
    assert {one.metric for one in case.outcome.found.measurements} <= set(METRICS)


@each_case
def test_no_two_charts_and_no_two_tables_have_one_title(case):
    found = case.outcome.found
    for titles in ([one.title for one in found.curves], [one.title for one in found.tables]):
        assert len(set(titles)) == len(titles)


@each_case
def test_columns_of_tables_are_called_as_people_call_them(case):
    names = {name for table in case.outcome.found.tables for name in table.columns}
    assert not {name for name in names if name in METRICS and "_" in name}


@each_case
def test_no_scope_is_measured_twice(case):
    found = case.outcome.found
    assert len(by_scope(found)) == len(found.measurements)


@each_case
def test_an_interval_holds_its_value(case):
    for one in case.outcome.found.measurements:
        if one.interval is not None:
            slack = 1e-9 * max(1.0, abs(one.value))
            assert one.interval[0] - slack <= one.value <= one.interval[1] + slack, (one.metric, one.scope)


@each_case
def test_a_seed_fixes_the_result(case):
    assert case.compute() == case.outcome.found


@each_case
def test_rows_in_another_order_change_nothing(case):
    columns = case.columns()
    order = np.random.default_rng(0).permutation(len(next(iter(columns.values()))))
    there = replace(case, parameters=_moved(case.parameters, order))
    plain, mixed = by_scope(case.outcome.found), by_scope(there.compute(there.data(permuted(columns, order))))
    assert plain.keys() == mixed.keys()
    for key, one in plain.items():
        if "criterion" in one.scope and case.key == "fairness":
            continue  # which rows find the thresholds and which measure them is drawn by position
        if one.scope == {"feature": "(row order)"}:
            continue  # that is what it measures
        assert alike(mixed[key].value, one.value), key
        assert mixed[key].sample_size == one.sample_size, key


def _moved(parameters: dict[str, Any], order: np.ndarray) -> dict[str, Any]:
    """What is asked about one row is asked about the same row where it is now."""
    if "row" not in parameters:
        return parameters
    return {**parameters, "row": int(np.flatnonzero(order == parameters["row"] - 1)[0]) + 1}


@each_case
def test_a_renamed_group_renames_only_its_label(case):
    columns, reference = case.columns(), case.columns(300, seed=9)
    levels = sorted({level for level in columns[case.group] if level})
    # Names that sort as before: the order of groups is the order of their names.
    names = {level: f"{level}*" for level in levels}
    plain = by_scope(case.outcome.found)
    other = case.data(renamed(columns, case.group, names), renamed(reference, case.group, names))
    old_names = {new: old for old, new in names.items()}
    if other.model is not None:
        other = replace(other, model=Renaming(fitted(case.kind), case.group, old_names))
    if other.champion is not None:
        other = replace(other, champion=Renaming(fitted(case.kind, seed=12), case.group, old_names))
    changed = by_scope(case.compute(other))
    assert sorted(plain) == sorted((metric, _old_names(scope, names)) for metric, scope in changed)
    for (metric, scope), one in changed.items():
        before = plain[metric, _old_names(scope, names)]
        # What draws its rows by their content draws other rows under other names.
        assert case.draws_by_content or alike(one.value, before.value), (metric, scope)


def _old_names(scope: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        scope = scope.replace(new, old)
    return scope


@dataclass(frozen=True)
class Renaming:
    """A model that was trained on the old names of one column."""

    inner: FittedModel
    column: str
    names: dict[str, str]

    @property
    def features(self):
        return self.inner.features

    @property
    def classes(self):
        return self.inner.classes

    def _old(self, rows):
        if self.column not in rows:
            return rows
        if self.column not in rows:
            return rows
        return rows.assign(**{self.column: rows[self.column].map(lambda level: self.names.get(level, level))})

    def predict(self, rows):
        return self.inner.predict(self._old(rows))

    def scores(self, rows):
        return self.inner.scores(self._old(rows))

    def contributions(self, rows, *, label=None):
        return self.inner.contributions(self._old(rows), label=label)

    def answers(self, rows):
        return self.inner.answers(self._old(rows))

    def refit(self, train, target, rows, *, seed):
        return self.inner.refit(self._old(train), target, self._old(rows), seed=seed)

    def staged(self, rows, *, stages):
        return self.inner.staged(self._old(rows), stages=stages)

    def timed(self, rows, **how):
        return self.inner.timed(self._old(rows), **how)

    def resources(self, *, repeats):
        return self.inner.resources(repeats=repeats)


@each_case
def test_no_global_random_state_is_touched(case):
    assert case.outcome.leaves_random_state


@each_case
def test_curves_stay_short_enough_to_draw(case):
    for curve in case.outcome.found.curves:
        assert all(len(series.x) <= 500 for series in curve.series), curve.name


@each_case
def test_the_result_is_plain_json(case):
    found = case.outcome.found
    for part in (*found.measurements, *found.curves, *found.tables):
        json.loads(part.model_dump_json())


@each_case
def test_progress_goes_from_0_to_1_and_never_back(case):
    seen = list(case.outcome.progress)
    assert seen == sorted(seen)
    assert all(0 <= fraction <= 1 for fraction in seen)


def _with(columns, names, change):
    return {name: change(values) if name in names else values for name, values in columns.items()}


def _numbers(columns):
    return [name for name, values in columns.items() if np.asarray(values).dtype.kind in "fi"]


def _some_infinite(values):
    values = np.asarray(values, dtype=float).copy()
    values[::7], values[3::11] = np.inf, -np.inf
    return values


def _target(case):
    return [case.roles["target"], case.roles["prediction"]]


def _without_positives(case, columns):
    first = columns[case.group][0]
    spare = min(columns[case.roles["target"]])
    target = [
        spare if group == first else label
        for group, label in zip(columns[case.group], columns[case.roles["target"]], strict=True)
    ]
    return {**columns, case.roles["target"]: target}


SPOILED = {
    "constant columns": lambda case, columns: {name: [values[0]] * len(values) for name, values in columns.items()},
    "one class": lambda case, columns: _with(columns, [case.roles["target"]], lambda v: [v[0]] * len(v)),
    "one prediction": lambda case, columns: _with(columns, [case.roles["prediction"]], lambda v: [v[0]] * len(v)),
    "no positives in a group": _without_positives,
    "all missing": lambda case, columns: {name: [None] * len(values) for name, values in columns.items()},
    "target missing": lambda case, columns: _with(columns, [case.roles["target"]], lambda v: [None] * len(v)),
    "group missing": lambda case, columns: _with(columns, [case.group], lambda v: [None] * len(v)),
    "half missing": lambda case, columns: {
        name: [None if row % 2 else value for row, value in enumerate(values)] for name, values in columns.items()
    },
    "ten rows": lambda case, columns: {name: values[:10] for name, values in columns.items()},
    "one row": lambda case, columns: {name: values[:1] for name, values in columns.items()},
    "no rows": lambda case, columns: {name: values[:0] for name, values in columns.items()},
    "infinite values": lambda case, columns: _with(columns, _numbers(columns), _some_infinite),
    "huge values": lambda case, columns: _with(
        columns, _numbers(columns), lambda v: np.asarray(v, dtype=float) * 1e300
    ),
    "scores outside 0 to 1": lambda case, columns: _with(
        columns, case.roles.get("scores", ()), lambda v: np.asarray(v) * 40 - 20
    ),
    "duplicate values": lambda case, columns: {
        name: [values[row // 60] for row in range(len(values))] for name, values in columns.items()
    },
    "every row its own group": lambda case, columns: {
        **columns,
        case.group: [f"level {row}" for row in range(len(columns[case.group]))],
    },
}


@pytest.mark.parametrize("spoiled", SPOILED)
@each_case
def test_bad_data_gives_a_result_or_a_reason(case, spoiled):
    columns = SPOILED[spoiled](case, case.columns())
    try:
        found = case.compute(case.data(columns))
    except (NotMeasured, InvalidInput) as reason:
        assert len(str(reason)) > 20  # noqa: PT017
        return
    assert found.summary
    assert sum(found.dropped.values()) <= len(next(iter(columns.values())))
    assert len(by_scope(found)) == len(found.measurements)
    for one in found.measurements:
        assert one.value is not None or one.note
        assert one.interval is None or one.interval[0] <= one.value <= one.interval[1], (one.metric, one.scope)
    texts = [found.summary, *found.notes, *(one.note or "" for one in found.measurements)]
    assert not [text for text in texts if re.search(r"\b(nan|NaT)\b", text)]


@pytest.mark.parametrize("spoiled", SPOILED)
@pytest.mark.parametrize(
    "case", [case for case in CASES if analysis(case.key).takes(Need.REFERENCE)], ids=lambda case: case.kind
)
def test_a_bad_reference_gives_a_result_or_a_reason(case, spoiled):
    reference = SPOILED[spoiled](case, case.columns(240, seed=9))
    try:
        found = case.compute(case.data(reference=reference))
    except (NotMeasured, InvalidInput) as reason:
        assert len(str(reason)) > 20  # noqa: PT017
        return
    assert found.summary
