import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.domain.digest import Digest
from modelops.domain.policy import Policy, Rule, Significance, judge, not_run
from modelops.domain.result import AnalysisResult, InputRecord, Measurement, Outcome, Protection

TIERS = ("low", "medium", "high")


def policy(*rules):
    return Policy(
        name="p",
        version="1",
        rules=rules,
        signatures=dict.fromkeys(TIERS, ({"role": "approver", "meaning": "approval"},)),
        approval_valid_days=dict.fromkeys(TIERS, 365),
        waiver_max_days=dict.fromkeys(TIERS, 30),
    )


def rule(**changes):
    given_ = {"id": "r", "analysis": "performance", "metric": "accuracy", "at_least": 0.8, "why": "Agreed."}
    return Rule(**{**given_, **changes})


def inapplicable(reason, *, metric="accuracy", **scope):
    return Measurement(metric=metric, value=None, sample_size=0, scope=scope, note=reason, applies=False)


def measurement(value, interval=None, *, metric="accuracy", size=100, **scope):
    return Measurement(
        metric=metric,
        value=value,
        interval=interval,
        level=0.95 if interval else None,
        sample_size=size,
        scope=scope,
        note="There were no rows." if value is None else None,
    )


def result(*measurements, analysis="performance", task="classification"):
    return AnalysisResult(
        analysis=analysis,
        inputs={},
        task=task,
        parameters={},
        seed=0,
        environment={},
        protection=Protection(level="C"),
        summary="Done.",
        measurements=measurements,
    )


def verdict(a_rule, *measurements, **about):
    (found,) = judge(policy(a_rule), result(*measurements, **about))
    return found


@pytest.mark.parametrize(
    ("value", "interval", "outcome"),
    [
        (0.9, (0.85, 0.95), Outcome.PASSED),
        (0.9, (0.7, 0.95), Outcome.PASSED),
        (0.7, (0.6, 0.75), Outcome.FAILED),
        (0.7, (0.6, 0.85), Outcome.NOT_ENOUGH_DATA),
        (0.79, (0.785, 0.795), Outcome.IMMATERIAL),
        (0.79, (0.7, 0.85), Outcome.PASSED),
        (0.7, None, Outcome.FAILED),
        (None, None, Outcome.NOT_ENOUGH_DATA),
    ],
)
def test_the_interval_decides_what_is_real_and_the_margin_what_matters(value, interval, outcome):
    assert verdict(rule(margin=0.02), measurement(value, interval)).verdict is outcome


@pytest.mark.parametrize(
    ("value", "p_value", "outcome"),
    [
        (0.3, 0.001, Outcome.FAILED),
        (0.05, 0.001, Outcome.IMMATERIAL),
        (0.3, 0.4, Outcome.NOT_ENOUGH_DATA),
        (0.05, 0.4, Outcome.PASSED),
        (0.3, None, Outcome.NOT_ENOUGH_DATA),
        (0.3, 0.05, Outcome.NOT_ENOUGH_DATA),
    ],
)
def test_with_a_p_value_it_decides_what_is_real(value, p_value, outcome):
    drifted = rule(
        metric="cramers_v",
        at_least=None,
        at_most=0.0,
        margin=0.1,
        for_each="feature",
        significance=Significance(metric="adjusted_p_value"),
    )
    found = verdict(
        drifted,
        measurement(value, (0.0, 0.9), metric="cramers_v", feature="age"),
        measurement(p_value, metric="adjusted_p_value", feature="age"),
    )
    assert found.verdict is outcome


def test_a_p_value_of_another_scope_decides_nothing():
    drifted = rule(for_each="feature", significance=Significance(metric="adjusted_p_value"))
    found = verdict(
        drifted, measurement(0.1, feature="age"), measurement(0.001, metric="adjusted_p_value", feature="sex")
    )
    assert found.verdict is Outcome.NOT_ENOUGH_DATA


def test_too_few_rows_are_never_a_pass():
    found = verdict(rule(minimum_sample=30), measurement(1.0, (0.9, 1.0), size=29))
    assert found.verdict is Outcome.NOT_ENOUGH_DATA
    assert found.because == "Accuracy rests on 29 rows; the rule asks for 30."


def test_a_rule_that_wants_to_be_certain_looks_at_the_whole_interval():
    assert verdict(rule(certain=True), measurement(0.9, (0.7, 0.95))).verdict is Outcome.NOT_ENOUGH_DATA
    assert verdict(rule(certain=True), measurement(0.9, (0.85, 0.95))).verdict is Outcome.PASSED


@given(st.floats(0, 1), st.floats(0, 1))
def test_an_improvement_never_fails(value, better):
    low, high = sorted((value, better))
    worse_is = verdict(rule(), measurement(low)).verdict
    better_is = verdict(rule(), measurement(high)).verdict
    assert not (worse_is is Outcome.PASSED and better_is is not Outcome.PASSED)


def test_each_scope_has_its_own_verdict():
    found = judge(
        policy(rule(for_each="group", metric="selection_rate")),
        result(
            measurement(0.9, metric="selection_rate", group={"sex": "f"}),
            measurement(0.1, metric="selection_rate", group={"sex": "m"}),
            measurement(0.1, metric="selection_rate", criterion="capacity"),
        ),
    )
    assert [(one.scope["group"]["sex"], one.verdict) for one in found] == [("f", "passed"), ("m", "failed")]


def test_scopes_that_also_name_a_class_are_judged_and_others_are_not():
    found = judge(
        policy(rule(for_each="feature")),
        result(
            measurement(0.9, feature="a"),
            measurement(0.9, feature="a", **{"class": "x"}),
            measurement(0.1, feature="a", table="reference"),
        ),
    )
    assert [one.verdict for one in found] == ["passed", "passed"]


def test_a_fixed_scope_is_found_exactly():
    fixed = rule(scope={"average": "weighted"})
    assert verdict(fixed, measurement(0.1), measurement(0.9, average="weighted")).verdict is Outcome.PASSED


def test_the_second_metric_is_judged_where_the_first_was_not_measured():
    either = rule(metric="cramers_v", or_metric="kolmogorov_smirnov_statistic", at_least=None, at_most=0.1)
    either = either.model_copy(update={"for_each": ("feature",)})
    found = judge(
        policy(either),
        result(
            measurement(0.5, metric="kolmogorov_smirnov_statistic", feature="age"),
            measurement(0.05, metric="cramers_v", feature="sex"),
            measurement(0.9, metric="kolmogorov_smirnov_statistic", feature="sex"),
            measurement(None, metric="cramers_v", feature="city"),
            measurement(0.02, metric="kolmogorov_smirnov_statistic", feature="city"),
        ),
    )
    outcomes = {one.scope["feature"]: (one.metric, str(one.verdict)) for one in found}
    assert outcomes == {
        "age": ("kolmogorov_smirnov_statistic", "failed"),
        "sex": ("cramers_v", "passed"),
        "city": ("kolmogorov_smirnov_statistic", "passed"),
    }


def test_what_this_run_did_not_measure_was_not_run():
    assert verdict(rule(metric="roc_auc"), measurement(0.9)).verdict is Outcome.NOT_RUN


def test_a_rule_by_class_judges_all_rows_or_each_class():
    each = rule(by_class=True)
    assert verdict(each, measurement(0.9)).verdict is Outcome.PASSED
    found = judge(policy(each), result(measurement(0.9, **{"class": "a"}), measurement(0.1, **{"class": "b"})))
    assert [one.verdict for one in found] == ["passed", "failed"]


def test_a_rule_by_class_leaves_other_scopes_alone():
    top = measurement(0.1, prediction="top label")
    assert verdict(rule(by_class=True), top).verdict is Outcome.NOT_RUN
    assert verdict(rule(by_class=True, scope={"prediction": "top label"}), top).verdict is Outcome.FAILED


def with_roles(found, **roles):
    digest = "sha256:" + "0" * 64
    return found.model_copy(update={"inputs": {"data": InputRecord(digest=digest, roles=roles)}})


def by_feature(verdicts):
    return {one.scope.get("feature"): str(one.verdict) for one in verdicts}


USED = {"for_each": "feature", "roles": ("feature", "target")}


def test_only_columns_with_a_role_of_the_rule_are_judged():
    bad = result(*(measurement(0.1, feature=name) for name in ("age", "sex", "label", "note", "id")))
    roles = {"age": "feature 1", "sex": "feature 2, sensitive", "label": "target", "id": "id"}
    found = judge(policy(rule(**USED)), with_roles(bad, **roles))
    assert by_feature(found) == dict.fromkeys(("age", "sex", "label"), "failed")


def test_where_nobody_said_what_columns_are_for_all_are_judged():
    bad = result(measurement(0.1, feature="age"), measurement(0.1, feature="note"))
    assert by_feature(judge(policy(rule(**USED)), bad)) == {"age": "failed", "note": "failed"}
    assert by_feature(judge(policy(rule(**USED)), with_roles(bad, age="id"))) == {"age": "failed", "note": "failed"}


def test_where_no_column_in_use_has_the_figure_the_rule_does_not_apply():
    bad = with_roles(result(measurement(0.1, feature="note")), age="feature")
    (found,) = judge(policy(rule(**USED)), bad)
    assert (found.verdict, found.because) == (
        Outcome.NOT_APPLICABLE,
        "Accuracy is judged of columns that are feature or target; none has a figure.",
    )


def test_a_rule_without_roles_judges_every_column():
    bad = with_roles(result(measurement(0.1, feature="note")), age="feature")
    assert by_feature(judge(policy(rule(for_each="feature")), bad)) == {"note": "failed"}


def test_what_there_is_nothing_of_does_not_apply():
    found = verdict(rule(), inapplicable("The model has no rounds."))
    assert found.verdict is Outcome.NOT_APPLICABLE
    assert found.because == "Accuracy does not apply: The model has no rounds."


def test_what_is_said_of_all_columns_is_said_of_each():
    each = rule(for_each="feature")
    assert verdict(each, inapplicable("No column holds numbers.")).verdict is Outcome.NOT_APPLICABLE
    found = verdict(each, measurement(None))
    assert (found.verdict, found.because) == (
        Outcome.NOT_ENOUGH_DATA,
        "Accuracy was not measured: There were no rows.",
    )


def test_what_is_said_of_all_columns_does_not_hide_a_column_that_was_measured():
    found = judge(policy(rule(for_each="feature")), result(measurement(None), measurement(0.1, feature="age")))
    assert [(one.scope, one.verdict) for one in found] == [({"feature": "age"}, "failed")]


def test_a_value_over_all_rows_says_nothing_of_each_column():
    assert verdict(rule(for_each="feature"), measurement(0.1)).verdict is Outcome.NOT_RUN


def test_the_reason_of_another_slice_is_not_the_reason_here():
    wanted = rule(scope={"baseline": "median"})
    assert verdict(wanted, measurement(None, baseline="mean")).verdict is Outcome.NOT_RUN


def test_what_has_a_value_applies():
    with pytest.raises(ValueError, match="so it applies"):
        Measurement(metric="accuracy", value=0.5, sample_size=1, applies=False)


def test_that_something_applies_is_not_written_down():
    assert "applies" not in measurement(0.9).model_dump(mode="json")
    written = inapplicable("The model has no rounds.").model_dump_json()
    assert Measurement.model_validate_json(written).applies is False


def test_a_rule_for_the_other_task_is_not_applicable():
    assert verdict(rule(task="regression"), measurement(0.9)).verdict is Outcome.NOT_APPLICABLE


def test_rules_for_other_analyses_say_nothing():
    assert judge(policy(rule()), result(measurement(0.1), analysis="drift")) == ()


def test_without_a_result_every_rule_of_the_analysis_was_not_run():
    found = not_run(policy(rule(), rule(id="other", analysis="drift")), "performance")
    assert [(one.rule, one.verdict) for one in found] == [("r", "not run")]


def test_the_reason_is_a_sentence_with_the_numbers():
    fair = rule(metric="false_positive_rate", at_least=None, at_most=0.1, for_each="group", margin=0.05)
    found = verdict(
        fair,
        measurement(
            0.312, (0.25, 0.36), metric="false_positive_rate", size=1500, group={"sex": "f", "age": "under 30"}
        ),
    )
    assert found.because == (
        "False positive rate of sex 'f' & age 'under 30' is 0.312 (95 % interval 0.25 to 0.36, 1,500 rows); "
        "at most 0.1 is asked for, with a margin of 0.05. The whole interval lies beyond the limit."
    )


def test_a_tiny_p_value_is_said_to_be_below_one_in_ten_thousand():
    tested = rule(at_least=0.9, significance={"metric": "adjusted_p_value", "alpha": 0.05})
    found = judge(policy(tested), result(measurement(0.5), measurement(3.4e-18, metric="adjusted_p_value")))
    assert "(adjusted p-value < 0.0001, below 0.05)" in found[0].because


def test_what_was_counted_has_no_rows_behind_it():
    counted = rule(metric="personal_data_column_count", at_least=None, at_most=0)
    found = verdict(counted, measurement(0, metric="personal_data_column_count", size=18))
    assert found.because == "Personal data column count is 0; at most 0 is asked for."


def test_a_metric_inside_a_sentence_begins_in_small_letters():
    found = verdict(rule(metric="roc_auc", for_each="group"), measurement(0.5))
    assert found.because == "This run did not measure ROC AUC for any group."
    found = verdict(rule(metric="share_of_limit", for_each="limit"), measurement(0.5))
    assert found.because == "This run did not measure share of limit for any limit."


def test_one_row_is_one_row():
    found = verdict(rule(minimum_sample=30), measurement(0.9, size=1))
    assert found.because.endswith("rests on 1 row; the rule asks for 30.")


def of_columns(roles, *measurements):
    data = InputRecord(digest=Digest.of(b"data"), roles=roles)
    return result(*measurements).model_copy(update={"inputs": {"data": data}})


@pytest.mark.parametrize(
    ("key", "outcome", "words"),
    [
        ("group", Outcome.NOT_ENOUGH_DATA, "no column has the role sensitive. Name one, or record"),
        ("feature", Outcome.NOT_ENOUGH_DATA, "no column has the role feature. Choose"),
        ("score", Outcome.NOT_APPLICABLE, "no column has the role score. Name it, if"),
        ("prediction", Outcome.NOT_APPLICABLE, "no column has the role prediction. Name it, if"),
    ],
)
def test_what_needs_a_role_that_no_column_has_says_so_and_what_to_do(key, outcome, words):
    (found,) = judge(policy(rule(for_each=key)), of_columns({"label": "target"}, measurement(0.9)))
    assert found.verdict is outcome
    assert words in found.because


def test_leaving_out_the_sensitive_column_is_no_pass():
    rules = policy(rule(id="all"), rule(id="groups", for_each="group"))
    told = {one.rule: one.verdict for one in judge(rules, of_columns({"label": "target"}, measurement(0.9)))}
    assert told == {"all": Outcome.PASSED, "groups": Outcome.NOT_ENOUGH_DATA}


def test_what_a_run_with_the_role_did_not_measure_was_not_run():
    (found,) = judge(policy(rule(for_each="group")), of_columns({"sex": "feature 1, sensitive"}, measurement(0.9)))
    assert found.verdict is Outcome.NOT_RUN
