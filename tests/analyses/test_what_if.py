"""One case edited, taken apart, and led elsewhere: against what is known of a linear model and against brute force."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from modelops.analyses.base import Run
from modelops.analyses.what_if import WHAT_IF, WhatIfParameters
from modelops.analyses.what_if.distances import Scale
from modelops.analyses.what_if.row_rules import row_rule
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.fitted_model import FittedModel
from tests.analyses.samples import binary, evaluation, multiclass_columns
from tests.analyses.test_every_analysis import fitted

FEATURES = ("age", "income", "debt")


@dataclass
class Known:
    """A model that is a formula; ``says`` gives the score of class 1, or the prediction."""

    says: object
    features: tuple[str, ...]
    classes: tuple[str, ...] = ("0", "1")

    def predict(self, rows):
        score = np.asarray(self.says(rows), dtype=float)
        return np.where(score >= 0.5, "1", "0") if self.classes else score

    def scores(self, rows):
        score = np.asarray(self.says(rows), dtype=float)
        return np.column_stack([1 - score, score])

    def contributions(self, rows, *, label=None):
        return None


def compute(data, seed=1, **parameters):
    return WHAT_IF.compute(data, WhatIfParameters(**parameters), Run(seed=seed))


def value(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def table(found, name):
    return next((one for one in found.tables if one.name == name), None)


def people(says, rows=300, *, seed=0, task=Task.CLASSIFICATION, **more):
    rng = np.random.default_rng(seed)
    columns = {
        "age": rng.integers(18, 80, rows),
        "income": rng.normal(50, 12, rows).round(2),
        "debt": rng.gamma(2, 10, rows).round(2),
        "job": list(rng.choice(["clerk", "driver", "none"], rows)),
        "sex": list(rng.choice(["f", "m"], rows)),
    }
    model = Known(says, tuple(columns), () if task is Task.REGRESSION else ("0", "1"))
    positive = None if task is Task.REGRESSION else "1"
    return evaluation(
        columns, task=task, positive=positive, model=model, features=tuple(columns), sensitive=("sex",), **more
    )


def frame(data):
    return data.data.frame(data.data.roles.features)


def sets(found):
    rows = table(found, "counterfactuals")
    grouped = {}
    for number, column, start, end, *_ in rows.rows if rows else ():
        grouped.setdefault(number, {})[column] = (start, end)
    return list(grouped.values())


def by_income(rows):
    return 1 / (1 + np.exp(-(rows["income"] - 55) / 5))


def by_two(rows):
    return 1 / (1 + np.exp(-((rows["income"] - 60) / 10 - (rows["debt"] - 15) / 8)))


# --- what the model says, and why


def test_contributions_to_a_linear_model_are_slope_times_distance_from_the_background_mean():
    data = people(lambda rows: 2 * rows["income"] - 3 * rows["debt"], task=Task.REGRESSION)
    found = compute(data, row=4, changes=("income = 70",), background=300)
    others = frame(data).drop(index=3)
    assert value(found, "shap_value", feature="income", case="edited").value == pytest.approx(
        2 * (70 - others["income"].mean())
    )
    debt = frame(data)["debt"]
    expected = -3 * (debt[3] - others["debt"].mean())
    assert value(found, "shap_value", feature="debt", case="original").value == pytest.approx(expected)
    assert value(found, "additivity_error").value < 1e-9


def test_an_edit_moves_the_answer_as_the_model_does():
    data = replace(binary(300), model=fitted("binary"))
    row = data.data.frame(data.model.features).iloc[[9]]
    expected = data.model.scores(row.assign(income=30.0))[0, 1] - data.model.scores(row)[0, 1]
    found = compute(data, row=10, changes=("income = 30",))
    assert value(found, "case_output_change").value == pytest.approx(expected)
    assert "with income edited" in found.summary


def test_the_contributions_of_a_tree_model_itself_are_taken_where_they_add_up():
    from modelops.analyses.base import Contributions

    data = people(by_income, task=Task.REGRESSION)
    says = data.model.says

    def own(rows, *, label=None):
        values = np.zeros((len(rows), 5))
        values[:, 1] = says(rows) - 0.25
        return Contributions(values, 0.25, "prediction", "exact")

    data.model.contributions = own
    found = compute(data, row=2)
    expected = float(says(frame(data).iloc[[1]]).iloc[0]) - 0.25
    assert value(found, "shap_value", feature="income", case="original").value == pytest.approx(expected)


def test_one_feature_is_moved_with_all_others_kept():
    found = compute(people(by_two), row=8)
    curve = next(one for one in found.curves if one.scope == {"feature": "income"})
    debt = frame(people(by_two))["debt"][7]
    expected = by_two({"income": np.array(curve.series[0].x), "debt": debt})
    assert list(curve.series[0].y) == pytest.approx(list(expected))
    assert value(found, "sensitivity_range", feature="job").value == 0


# --- counterfactuals


def test_the_smallest_change_of_the_one_column_that_matters_is_found():
    data = people(by_income)
    incomes = frame(data)["income"]
    row = int(np.argmin(incomes)) + 1
    expected = incomes[incomes >= 55].min()
    assert sets(compute(data, row=row)) == [{"income": (incomes.min(), expected)}]


def test_two_columns_are_changed_where_one_is_not_enough_and_no_pair_of_values_is_nearer():
    data = people(lambda rows: np.where((rows["income"] > 60) & (rows["debt"] < 10), 0.9, 0.1))
    rows = frame(data)
    case = rows[(rows["income"] < 50) & (rows["debt"] > 20)].index[0]
    found = sets(compute(data, row=int(case) + 1))
    assert [set(one) for one in found] == [{"income", "debt"}]
    assert found[0]["income"][1] == rows["income"][rows["income"] > 60].min()
    assert found[0]["debt"][1] == rows["debt"][rows["debt"] < 10].max()


def test_the_search_misses_little_against_every_combination_of_real_values():
    """For ten cases, what is found is at most a tenth larger on average than the smallest that there is."""
    data = people(by_two, rows=60)
    rows = frame(data)
    ratios = []
    for case in np.flatnonzero(by_two(rows) < 0.3)[:10]:
        scale = Scale(rows, np.delete(np.arange(len(rows)), case))
        one = compute(data, row=int(case) + 1)
        sizes = [m.value for m in one.measurements if m.metric == "counterfactual_distance"]
        ratios.append(min(sizes) / _smallest(rows, scale, case))
    assert min(ratios) >= 1 - 1e-9
    assert np.mean(ratios) < 1.1


def _smallest(rows, scale, case):
    """The score depends on two columns: every value of one with every value of the other."""
    income, debt = np.meshgrid(rows["income"], rows["debt"], indexing="ij")
    places = [list(rows).index("income"), list(rows).index("debt")]
    sizes = np.abs(scale.points[:, places] - scale.points[case, places])
    return (sizes[:, 0][:, None] + sizes[:, 1])[by_two({"income": income, "debt": debt}) >= 0.5].min()


def test_what_the_wanted_outcome_does_not_need_is_never_changed():
    data = people(by_income)
    for row in range(1, 12):
        assert all(set(one) == {"income"} for one in sets(compute(data, row=row, rows=200)))


def test_an_immutable_column_that_is_not_there_is_refused():
    with pytest.raises(InvalidInput, match="no column 'incme'"):
        compute(people(by_income), immutable=("incme",))


def test_every_set_of_changes_has_the_outcome_and_keeps_every_limit():
    data = people(lambda r: 1 / (1 + np.exp(-((r["income"] - 60) / 8 - (r["debt"] - 15) / 8 + (r["age"] - 40) / 15))))
    limits = {
        "immutable": ("job",),
        "only_increase": ("age",),
        "ranges": ("income = 20 to 70",),
        "rules": ("debt <= income - 10", "age <= income + 20"),
    }
    shown = 0
    for row in range(1, 25):
        found = compute(data, row=row, rows=250, **limits)
        before = frame(data).iloc[[row - 1]]
        was = data.model.predict(before)[0]
        for one in sets(found):
            after = before.assign(**{column: end for column, (_, end) in one.items()})
            assert data.model.predict(after)[0] != was
            assert not {"job", "sex"} & set(one)
            assert (after["age"] >= before["age"]).all()
            assert "income" not in one or 20 <= after["income"].iloc[0] <= 70
            assert after["debt"].iloc[0] <= after["income"].iloc[0] - 10
            assert after["age"].iloc[0] <= after["income"].iloc[0] + 20
            shown += 1
    assert shown > 12


def test_changes_that_break_a_rule_are_dropped_and_counted():
    data = people(by_income)
    row = int(np.argmin(frame(data)["income"])) + 1
    found = compute(data, row=row, rules=("income <= 40",))
    assert sets(found) == []
    assert value(found, "counterfactual_count").value == 0
    assert any("dropped because they leave what is permitted or break a rule" in note for note in found.notes)


def test_a_rule_can_be_kept_by_one_more_change():
    data = people(by_income)
    rows = frame(data)
    case = rows[(rows["income"] < 45) & (rows["debt"] < 15)].index[0]
    found = sets(compute(data, row=int(case) + 1, rules=("if income >= 55 then debt >= 20",)))
    assert [set(one) for one in found] == [{"income", "debt"}]
    assert found[0]["debt"][1] >= 20


def test_sensitive_columns_change_only_if_that_is_allowed():
    data = people(lambda rows: np.where(rows["sex"] == "f", 0.9, 0.1))
    assert sets(compute(data, row=1)) == []
    assert sets(compute(data, row=1, sensitive_may_change=True)) == [{"sex": ("withheld", "withheld")}]


def test_levels_can_be_limited():
    data = people(lambda rows: np.where(rows["job"] == "none", 0.1, 0.9))
    row = int(np.flatnonzero(frame(data)["job"] == "none")[0]) + 1
    assert sets(compute(data, row=row, ranges=("job = driver, none",))) == [{"job": ("none", "driver")}]


def test_the_nearest_real_case_with_the_other_outcome_is_that_of_brute_force():
    data = people(by_two)
    rows = frame(data)
    scale = Scale(rows, np.delete(np.arange(len(rows)), 4))
    was = data.model.predict(rows)
    others = np.flatnonzero(was != was[4])
    expected = others[np.argmin([scale.apart(scale.points[4], scale.points[k]).sum() for k in others])]
    nearest = table(compute(data, row=5), "nearest")
    assert nearest.rows[0][0] == expected + 1


def test_a_model_that_always_says_the_same_has_no_counterfactual_and_no_other_case():
    found = compute(people(lambda rows: np.full(len(rows), 0.2)))
    assert value(found, "counterfactual_count").value == 0
    assert value(found, "nearest_other_outcome_distance").value is None
    assert "No permitted change" in found.summary


def test_a_wanted_class_of_several_is_reached():
    data = replace(evaluation_of_kinds(), model=fitted("multiclass"))
    found = compute(data, row=3, wanted_class="c")
    rows = data.data.frame(data.model.features).iloc[[2]]
    for one in sets(found):
        after = rows.assign(**{column: end for column, (_, end) in one.items()})
        assert data.model.predict(after)[0] == "c"
    assert sets(found)


def test_the_score_of_each_class_is_told_the_highest_first():
    data = replace(evaluation_of_kinds(), model=fitted("multiclass"))
    found = compute(data, row=3, changes=("length = 3",))
    rows = data.data.frame(data.model.features).iloc[[2]]
    before, after = (data.model.scores(given)[0] for given in (rows, rows.assign(length=3.0)))
    scores = {name: (before[code], after[code]) for code, name in enumerate(data.model.classes)}
    told = table(found, "class_scores")
    assert told.columns == ("class", "as it is", "as edited")
    assert {row[0]: row[1:] for row in told.rows} == {name: pytest.approx(pair) for name, pair in scores.items()}
    assert [row[2] for row in told.rows] == sorted((row[2] for row in told.rows), reverse=True)


def test_two_classes_need_no_table_of_their_scores():
    assert "class_scores" not in {one.name for one in compute(people(by_income)).tables}


def test_the_name_of_a_class_keeps_its_capitals_in_the_charts():
    columns = multiclass_columns(300)
    columns["kind"] = [f"Class {kind.upper()}" for kind in columns["kind"]]
    features = ["length", "width"]
    model = FittedModel(LogisticRegression().fit(pd.DataFrame(columns)[features], columns["kind"]), tuple(features))
    data = evaluation(columns, features=tuple(features), target="kind", model=model)
    found = compute(data, row=3)
    moved = next(one for one in found.curves if one.name == "sensitivity")
    assert moved.y_title.startswith("Score of class Class ")


def evaluation_of_kinds():
    from tests.analyses.samples import multiclass

    return multiclass(300)


def test_a_wanted_prediction_is_reached_from_either_side():
    data = people(lambda rows: rows["income"] - rows["debt"], task=Task.REGRESSION)
    found = compute(data, row=1, wanted_from=20, wanted_to=25)
    assert sets(found)
    assert all(20 <= m.value <= 25 for m in found.measurements if m.metric == "counterfactual_output")
    already = compute(data, row=1, wanted_from=-1000)
    assert value(already, "counterfactual_count").note.startswith(
        "The case has a prediction of at least -1,000 already"
    )


def test_the_threshold_decides_what_the_other_outcome_is():
    data = people(by_income)
    incomes = frame(data)["income"]
    row = int(np.argmin(incomes)) + 1
    found = sets(compute(data, row=row, threshold=0.8))
    needed = 55 + 5 * np.log(4)
    assert found[0]["income"][1] == incomes[incomes >= needed].min()


# --- edits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("income", "expected 'column = value'"),
        ("height = 3", "with a feature of the model"),
        ("income = much", "expected a number"),
    ],
)
def test_an_edit_that_cannot_be_read_is_refused(change, said):
    with pytest.raises(InvalidInput, match=said):
        compute(people(by_income), changes=(change,))


def test_an_edit_outside_of_what_the_table_holds_is_made_and_said():
    found = compute(people(by_income), changes=("income = 500", "job = astronaut"))
    assert any("income: 500 lies outside of what the table holds" in note for note in found.notes)
    assert any("job: no row of the table holds 'astronaut'" in note for note in found.notes)
    assert value(found, "case_output", case="edited").value == pytest.approx(1)


def test_a_value_can_be_taken_away():
    seen = []

    def says(rows):
        seen.append(rows["job"].isna().any() and rows["age"].isna().any())
        return by_income(rows)

    compute(people(says), changes=("job = missing", "age = "))
    assert any(seen)


def test_an_edit_that_changes_nothing_is_no_edit():
    data = people(by_income)
    found = compute(data, changes=(f"income = {frame(data)['income'][0]}",))
    assert not any(m.metric == "case_output_change" for m in found.measurements)


def test_a_rule_that_the_edited_case_breaks_is_named():
    found = compute(people(by_income), changes=("age = 20", "income = 90"), rules=("income <= age",))
    assert value(found, "broken_rule_count").value == 1
    assert any("breaks the rule 'income <= age'" in note for note in found.notes)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"row": 301}, "There is no row 301: the table has 300 rows"),
        ({"wanted_class": "7"}, "There is no class '7'"),
        ({"only_increase": ("job",)}, "levels, which have no direction"),
        ({"only_increase": ("age",), "only_decrease": ("age",)}, "neither rise nor fall"),
        ({"ranges": ("age = 60 to 20",)}, "write the lower end first"),
        ({"ranges": ("age = young",)}, "expected two numbers"),
        ({"rules": ("age is high",)}, "Got the rule"),
        ({"rules": ("1 <= 2",)}, "names no column"),
        ({"rules": ("job < 'clerk'",)}, "orders levels"),
    ],
)
def test_limits_that_make_no_sense_are_refused(parameters, said):
    with pytest.raises(InvalidInput, match=said):
        compute(people(by_income), **parameters)


def test_one_row_alone_is_not_looked_at():
    with pytest.raises(NotMeasured, match="among other rows"):
        compute(people(by_income, rows=1))


# --- rules


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("age >= 20", [True, False, True]),
        ("income < age + 10", [True, False, True]),
        ("job = 'none'", [False, True, True]),
        ("job != clerk", [False, True, True]),
        ("if job = none then income <= 0", [True, False, True]),
        ("age = 30", [True, False, True]),
    ],
)
def test_rules_hold_where_they_should_and_missing_values_break_none(text, kept):
    rows = pd.DataFrame({"age": [30, 10, np.nan], "income": [35.0, 25.0, np.nan], "job": ["clerk", "none", None]})
    assert row_rule(text, list(rows)).holds(rows).tolist() == kept


# --- what is kept apart


def test_the_values_of_the_case_stand_in_the_cases_and_not_in_the_result():
    data = people(by_income)
    columns = {name: data.data.source.column(name) for name in data.data.source.names}
    columns["street"] = [f"{row} secret road" for row in range(300)]
    model = Known(by_income, (*data.model.features, "street"))
    data = evaluation(columns, positive="1", model=model, features=model.features, sensitive=("sex",))
    found = compute(data, row=6)
    result = "".join(part.model_dump_json() for part in (*found.measurements, *found.tables))
    assert "secret road" not in result + found.summary
    street = next(row for row in found.cases.rows if row[0] == "street")
    assert street[found.cases.columns.index("value")] == "5 secret road"


def test_nothing_sensitive_of_the_other_case_is_shown():
    found = compute(people(by_income), row=6)
    sex = next(row for row in found.cases.rows if row[0] == "sex")
    assert sex[found.cases.columns.index("nearest other case")] == "withheld"
    assert sex[found.cases.columns.index("may change")] is False


def test_with_many_columns_those_that_move_the_case_are_looked_at_one_by_one():
    rng = np.random.default_rng(0)
    columns = {f"x{k}": rng.normal(size=120) for k in range(60)}
    truth = columns["x7"] * 3 - columns["x41"] * 2
    model = FittedModel(LinearRegression().fit(pd.DataFrame(columns), truth), tuple(columns))
    data = evaluation(columns, task=Task.REGRESSION, model=model, features=tuple(columns))
    found = compute(data, features=4)
    looked_at = {m.scope["feature"] for m in found.measurements if m.metric == "sensitivity_range"}
    assert {"x7", "x41"} <= looked_at
    assert len(looked_at) == 4
    assert value(found, "additivity_error").value < 1e-9


def test_a_fitted_classifier_is_led_elsewhere_by_what_it_weighs():
    rng = np.random.default_rng(1)
    columns = {"a": rng.normal(size=400), "b": rng.normal(size=400)}
    labels = (columns["a"] * 4 + rng.logistic(size=400) > 0).astype(int).astype(str)
    model = FittedModel(LogisticRegression().fit(pd.DataFrame(columns), labels), ("a", "b"))
    data = evaluation(columns, positive="1", model=model, features=("a", "b"))
    assert [set(one) for one in sets(compute(data, row=1))] == [{"a"}]
