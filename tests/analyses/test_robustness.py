"""Robustness: every scenario against models whose behaviour is known by construction."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from modelops.analyses.asked import asked, decided, differ, distance
from modelops.analyses.base import Run
from modelops.analyses.robustness import ROBUSTNESS
from modelops.analyses.robustness.adversarial import turned
from modelops.analyses.robustness.guard import usual
from modelops.analyses.robustness.outcomes import Questioner, Ruler
from modelops.analyses.robustness.scenarios import NAMELESS, SHUFFLED, SINGLE, UNSEEN, trials
from modelops.domain.columns import Task
from modelops.domain.result import Shape
from modelops.errors import InvalidInput, NotMeasured, WorkerFailed
from tests.analyses.samples import evaluation

COLUMNS = {"x": np.linspace(0.0, 9.9, 100), "n": np.arange(100) % 7, "c": ["a", "b", "b", "a"] * 25}
FEATURES = ("x", "n", "c")


@dataclass
class Planted:
    """A model that answers by a formula; ``seen`` keeps what it was asked."""

    formula: Callable[[pd.DataFrame], np.ndarray]
    features: tuple[str, ...] = FEATURES
    classes: tuple[str, ...] = ("no", "yes")
    seen: list[pd.DataFrame] = field(default_factory=list)

    def answers(self, rows):
        self.seen.append(rows)
        try:
            found = np.asarray(self.formula(rows), dtype=float)
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInput(f"The model cannot predict these rows: {error}") from error
        return np.column_stack([1 - found, found]) if self.classes else found


def above_five(rows):
    """Score 0.9 where x is above 5, else 0.1; a missing x gives no number."""
    x = rows["x"].to_numpy(dtype=float)
    return np.where(np.isnan(x), np.nan, np.where(x > 5, 0.9, 0.1))


def compute(model, columns=COLUMNS, *, task=Task.CLASSIFICATION, train=None, seed=3, roles=None, **parameters):
    roles = {"features": FEATURES} | (roles or {})
    data = evaluation(columns, task=task, model=model, train=train, **roles)
    return ROBUSTNESS.compute(data, ROBUSTNESS.parameters(**parameters), Run(seed=seed))


def value(found, metric, /, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


@pytest.fixture(scope="module")
def planted():
    return compute(Planted(above_five))


# The scenarios themselves


def changed(scenario, feature, columns=COLUMNS):
    rows = pd.DataFrame(columns).astype({"c": object})
    for trial in trials(rows, FEATURES, np.random.default_rng(0)):
        if (trial.scenario, trial.feature) == (scenario, feature):
            return trial.rows
    raise AssertionError(scenario)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("zero", 0.0),
        ("max x 10", 99.0),
        ("max x 1000", 9900.0),
        ("max x 1e6", 9.9e6),
        ("min x 10", -99.0),  # the minimum is 0: the maximum with its sign turned
        ("infinity", np.inf),
        ("-infinity", -np.inf),
    ],
)
def test_a_column_takes_the_value_of_its_scenario_and_the_others_stay(scenario, expected):
    found = changed(scenario, "x")
    np.testing.assert_allclose(found["x"], expected)
    assert found["n"].tolist() == COLUMNS["n"].tolist()


def test_a_negative_minimum_is_multiplied_itself():
    found = changed("min x 10", "x", {**COLUMNS, "x": np.linspace(-3.0, 1.0, 100)})
    assert set(found["x"]) == {-30.0}


@pytest.mark.parametrize(("scenario", "expected"), [("unseen category", UNSEEN), ("empty text", "")])
def test_text_becomes_what_was_never_seen(scenario, expected):
    assert set(changed(scenario, "c")["c"]) == {expected}


def test_a_wrong_type_is_the_other_type():
    assert changed("wrong type", "x")["x"].dtype.kind == "O"
    assert changed("wrong type", "c")["c"].dtype.kind == "f"


@pytest.mark.parametrize("percent", [1, 5, 10])
def test_noise_has_the_stated_share_of_the_deviation(percent):
    rng = np.random.default_rng(1)
    columns = {"x": rng.normal(3, 20, 20_000), "n": np.zeros(20_000, dtype=int), "c": ["a"] * 20_000}
    added = changed(f"noise {percent} %", "x", columns)["x"] - columns["x"]
    assert added.std() == pytest.approx(0.2 * percent, rel=0.03)
    assert abs(added.mean()) < 0.01 * percent


def test_noise_keeps_whole_numbers_whole():
    found = changed("noise 10 %", "n", {**COLUMNS, "n": np.arange(100) * 10})["n"]
    assert (found == np.round(found)).all()
    assert (found != COLUMNS["n"] * 10).any()


@pytest.mark.parametrize("percent", [5, 10, 20, 50])
def test_missing_takes_exactly_its_share_and_more_takes_the_same_rows_and_others(percent):
    for name in FEATURES:
        gone = changed(f"missing {percent} %", name)[name].isna()
        assert gone.sum() == percent
        assert gone[changed("missing 5 %", name)[name].isna()].all()
    together = changed(f"missing {percent} %", None)
    assert together.isna().sum().tolist() == [percent] * 3


def test_columns_of_one_kind_are_swapped():
    found = changed("swapped", "x")
    np.testing.assert_array_equal(found["x"], COLUMNS["n"])
    np.testing.assert_array_equal(found["n"], COLUMNS["x"])


# What came of them


def test_flips_equal_a_hand_count(planted):
    # 49 of 100 rows lie above 5 (5.1 to 9.9, and the grid has a step of 0.1): zero turns those, an extreme the others.
    high = int((COLUMNS["x"] > 5).sum())
    assert value(planted, "flip_rate", scenario="zero", feature="x").value == high / 100
    assert value(planted, "flip_rate", scenario="max x 10", feature="x").value == 1 - high / 100
    assert value(planted, "largest_change", scenario="zero", feature="x").value == pytest.approx(0.8)


def test_the_interval_of_a_flip_rate_is_wilsons(planted):
    one = value(planted, "flip_rate", scenario="zero", feature="x")
    wanted = proportion_confint(round(one.value * 100), 100, method="wilson")
    assert one.interval == pytest.approx(wanted)


def test_a_column_that_the_model_does_not_look_at_changes_nothing(planted):
    for one in planted.measurements:
        if one.scope.get("feature") in ("n", "c") and one.metric in ("flip_rate", "largest_change"):
            is_swap = one.scope == {"scenario": "swapped", "feature": "n"}
            assert one.value == 0 or is_swap, one


def test_answers_that_are_no_numbers_are_counted_and_take_no_part_in_flips(planted):
    one = value(planted, "not_finite_rate", scenario="missing 20 %", feature="x")
    assert (one.value, one.sample_size) == (0.2, 100)
    assert value(planted, "flip_rate", scenario="missing 20 %", feature="x").sample_size == 80
    gone = value(planted, "flip_rate", scenario="missing", feature="x")
    assert gone.value is None
    assert "No answer was a number" in gone.note
    # missing and its four shares, in x alone and in all features
    assert value(planted, "not_finite_trials").value == 10


def test_a_model_that_never_minds_gets_no_alarm():
    found = compute(Planted(lambda rows: np.full(len(rows), 0.3)))
    for metric in ("flip_rate", "changed_rate", "not_finite_rate", "out_of_range_rate", "refused", "largest_change"):
        assert {one.value for one in found.measurements if one.metric == metric} == {0.0}, metric
    assert value(found, "adversarial_flip_rate").value == 0
    assert value(found, "adversarial_distance").value is None


def only_known(rows):
    if UNSEEN in set(rows["c"]):
        raise InvalidInput("Found unknown categories.")
    return above_five(rows)


def test_only_what_the_model_refuses_is_refused_though_many_are_asked_together():
    model = Planted(only_known)
    found = compute(model)
    refused = [one.scope for one in found.measurements if one.metric == "refused" and one.value == 1]
    assert {"scenario": "unseen category", "feature": "c"} in refused
    # The others: text in x, and columns without names.
    assert value(found, "refused_trials").value == len(refused) == 3
    lost = value(found, "flip_rate", scenario="unseen category", feature="c")
    assert lost.value is None
    assert "Found unknown categories" in lost.note
    # Asked one by one, it were as many questions as trials, beside the single rows, the search and the guard.
    n_trials = sum(one.metric == "refused" for one in found.measurements)
    assert len(model.seen) - 30 < n_trials


def test_trials_asked_together_get_what_they_get_alone():
    model = Planted(only_known)
    subject = asked(evaluation(COLUMNS, model=model, features=FEATURES), limit=100, seed=0)
    base = model.answers(subject.rows)
    ruler = Ruler(base, 0.0, 1.0, None)
    every = list(trials(subject.rows, FEATURES, np.random.default_rng(0)))
    together = list(Questioner(subject, ruler).outcomes(every))
    alone = [next(Questioner(subject, ruler).outcomes([one])) for one in every]
    assert together == alone


def crashing(rows):
    if np.isinf(rows["x"].to_numpy(dtype=float)).any():
        raise WorkerFailed("The model crashed its loader (signal 11).")
    return above_five(rows)


def test_a_process_that_ends_is_a_finding_and_what_comes_after_is_not_asked():
    dead = []

    def once(rows):
        if dead:
            raise WorkerFailed("The other side has closed the connection.")
        try:
            return crashing(rows)
        except WorkerFailed:
            dead.append(True)
            raise

    found = compute(Planted(once))
    assert value(found, "crashed_trials").value == 1
    assert "signal 11" in value(found, "flip_rate", scenario="infinity", feature="x").note
    later = value(found, "refused", scenario="-infinity", feature="x")
    assert later.value is None
    assert "was not asked" in later.note
    assert value(found, "guard_hit_rate", guard="any").value is None
    assert "ended its process in 1" in found.summary
    # None among the trials that were made does not say that there is none.
    assert value(found, "not_finite_trials").value is None
    assert "trials were not made" in value(found, "not_finite_trials").note
    assert "closed the connection" in value(found, "adversarial_distance").note


def test_scores_outside_0_to_1_are_out_of_range():
    found = compute(Planted(lambda rows: 0.5 + np.clip(rows["x"].to_numpy(dtype=float), 0, 20) / 25))
    one = value(found, "out_of_range_rate", scenario="max x 10", feature="x")
    assert one.value == 1.0
    assert value(found, "out_of_range_rate", scenario="zero", feature="x").value == 0.0


def test_scores_that_are_no_probabilities_have_no_range():
    found = compute(Planted(lambda rows: rows["x"].to_numpy(dtype=float) - 5))
    assert value(found, "out_of_range_trials").value is None
    assert "no probabilities" in value(found, "out_of_range_trials").note


def test_an_answer_that_depends_on_the_other_rows_is_found():
    found = compute(Planted(lambda rows: 0.5 + 0.4 * np.tanh(rows["x"] - rows["x"].mean())))
    assert value(found, "changed_rate", scenario=SINGLE).value == 1.0
    assert "depend on how the rows are handed over (single row)" in found.summary


def test_a_model_that_takes_columns_by_position_is_found():
    def by_position(rows):
        first = pd.to_numeric(rows.iloc[:, 0], errors="coerce").to_numpy(dtype=float)
        return np.where(np.nan_to_num(first, nan=9) > 5, 0.9, 0.1)

    found = compute(Planted(by_position))
    assert value(found, "flip_rate", scenario=NAMELESS).value > 0.4
    assert value(found, "flip_rate", scenario=SHUFFLED).value > 0.4
    assert "shuffled columns" in found.summary
    by_name = compute(Planted(above_five))
    assert value(by_name, "changed_rate", scenario=SHUFFLED).value == 0


def test_a_model_that_takes_columns_by_name_refuses_those_without(planted):
    assert value(planted, "refused", scenario=NAMELESS).value == 1.0


REGRESSION = {"task": Task.REGRESSION, "roles": {"target": "y"}}


def test_for_regression_another_answer_is_a_step_away_and_the_range_is_that_of_the_target():
    columns = {**COLUMNS, "y": COLUMNS["x"] * 2}
    model = Planted(lambda rows: rows["x"].to_numpy(dtype=float) * 2, classes=())
    found = compute(model, columns, other_answer=0.5, range_margin=0.1, **REGRESSION)
    base = COLUMNS["x"] * 2
    assert value(found, "flip_rate", scenario="zero", feature="x").value == (base >= 0.5 * base.std()).mean()
    assert value(found, "out_of_range_rate", scenario="max x 10", feature="x").value == 1.0
    assert value(found, "out_of_range_rate", scenario="zero", feature="x").value == 0.0
    assert value(found, "largest_change", scenario="max x 10", feature="x").value == pytest.approx(198.0)


def test_rows_without_a_number_as_they_are_are_left_out_and_said():
    columns = {**COLUMNS, "x": np.where(np.arange(100) < 10, np.nan, COLUMNS["x"])}
    found = compute(Planted(above_five), columns)
    assert value(found, "refused", scenario="zero", feature="n").sample_size == 90
    assert any(note.startswith("10 rows are left out") for note in found.notes)
    with pytest.raises(NotMeasured, match="no number for any row"):
        compute(Planted(lambda rows: np.full(len(rows), np.nan)))


def test_features_beyond_the_limit_are_said_to_be_left_out():
    found = compute(Planted(above_five), features=1)
    assert {one.scope["feature"] for one in found.measurements if "feature" in one.scope} == {"x"}
    assert any(note.startswith("2 more features") for note in found.notes)


def test_the_heat_map_and_the_worst_cases_agree_with_the_numbers(planted):
    heat = next(curve for curve in planted.curves if curve.shape is Shape.HEATMAP)
    row = next(series for series in heat.series if series.name == "x")
    assert dict(zip(row.x, row.y, strict=True))["missing 20 %"] == 0.2
    assert dict(zip(row.x, row.y, strict=True))["empty text"] is None
    worst = next(table for table in planted.tables if table.name == "worst_cases")
    assert worst.rows[0][2] == "100 of 100 answers are no numbers"


# The smallest change


def search(model, columns=COLUMNS, *, rows=20, at_once=2, step=None):
    data = evaluation(columns, model=model, features=model.features)
    subject = asked(data, limit=1000, seed=0)
    ruler = Ruler(model.answers(subject.rows), None, None, step)
    return subject, turned(
        subject, ruler, model.features, rows=rows, at_once=at_once, progress=lambda fraction, text: None
    )


def test_the_smallest_change_of_a_threshold_is_the_way_to_it():
    subject, found = search(Planted(above_five))
    x = subject.rows["x"].to_numpy()[:20]
    wanted = np.abs(x - 5) / COLUMNS["x"].std()
    lengths = np.array([one.distance for one in found])
    # Halved eight times: within 1/256 of the way to a quantile.
    np.testing.assert_allclose(lengths, wanted, atol=10 / 256 / COLUMNS["x"].std())
    assert (lengths >= wanted - 1e-12).all()
    assert {change[0] for one in found for change in one.changes} == {"x"}
    assert all((one.before > 0.5) != (one.after > 0.5) for one in found)


def test_whole_numbers_are_changed_by_whole_steps():
    model = Planted(lambda rows: np.where(rows["n"].to_numpy(dtype=float) > 3, 0.9, 0.1))
    subject, found = search(model)
    for row, one in enumerate(found):
        ((name, old, new),) = one.changes
        assert name == "n"
        assert new == (3 if old > 3 else 4), row
        assert old == subject.rows["n"][row]


def test_another_category_counts_as_one():
    _, found = search(Planted(lambda rows: np.where(rows["c"] == "a", 0.9, 0.1)))
    assert {one.distance for one in found} == {1.0}


def test_two_columns_are_changed_where_one_is_not_enough():
    def both(rows):
        return 0.1 + 0.3 * (rows["x"].to_numpy(dtype=float) > 5) + 0.3 * (rows["c"] == "a")

    subject, alone = search(Planted(both), at_once=1)
    _, found = search(Planted(both), at_once=2)
    low = ((subject.rows["x"] <= 5) & (subject.rows["c"] != "a")).to_numpy()[:20]
    assert low.any()
    for row in np.flatnonzero(low):
        assert alone[row].changes == ()
        assert len(found[row].changes) == 2
        assert found[row].after < 0.5  # the score of the class that it was in


def test_a_number_is_turned_by_the_step():
    model = Planted(lambda rows: rows["x"].to_numpy(dtype=float), classes=())
    _, found = search(model, step=2.0)
    lengths = [one.distance * COLUMNS["x"].std() for one in found]
    assert min(lengths) >= 2.0 - 1e-9
    assert max(lengths) <= 2.0 + 10 / 256


def test_the_share_turned_by_a_small_change_is_counted(planted):
    one = value(planted, "adversarial_flip_rate", distance="small")
    whole = value(planted, "adversarial_flip_rate")
    assert whole.value == 1.0
    # Of 40 rows drawn of 100 on an even grid, 0.1 deviations (0.29) on either side of 5 hold about 6 %.
    assert 0 < one.value < 0.2


# The guard


def guarded(**more):
    columns = {**COLUMNS, "y": ["yes" if x > 5 else "no" for x in COLUMNS["x"]], "g": ["u"] * 50 + ["v"] * 50}
    train = {**columns, "x": np.linspace(0, 8, 100)}
    roles = {"target": "y", "sensitive": ("g",)}
    return compute(Planted(above_five), columns, train=train, roles=roles, guard_tail=0.0, **more)


def test_the_guard_catches_what_is_outside_the_training_range():
    found = guarded()
    caught = (COLUMNS["x"] > 8).mean()
    assert value(found, "guard_hit_rate", guard="unusual input").value == pytest.approx(caught)
    assert value(found, "guard_hit_rate", guard="any", group={"g": "u"}).value == 0
    assert value(found, "guard_hit_rate", guard="any", group={"g": "v"}).value == pytest.approx(2 * caught)


def test_what_each_action_does_equals_a_hand_count():
    found = guarded()
    caught = int((COLUMNS["x"] > 8).sum())
    assert value(found, "accuracy", guard="none").value == 1.0
    assert value(found, "accuracy", guard="truncate").value == 1.0  # 8 is above 5 as well
    # The commonest class of the training target is "no": every caught row, all "yes", is answered wrong.
    assert value(found, "accuracy", guard="fall back").value == pytest.approx(1 - caught / 100)
    abstained = value(found, "accuracy", guard="abstain")
    assert (abstained.value, abstained.sample_size) == (1.0, 100 - caught)
    assert value(found, "accuracy", guard="fall back", group={"g": "v"}).value == pytest.approx(1 - caught / 50)


def test_a_fall_back_can_be_chosen_and_must_be_a_class():
    assert value(guarded(fallback="yes"), "accuracy", guard="fall back").value == 1.0
    with pytest.raises(InvalidInput, match="'maybe' is no class"):
        guarded(fallback="maybe")


def test_little_confidence_is_caught_on_demand():
    assert value(guarded(guard_confidence=0.95), "guard_hit_rate", guard="low confidence").value == 1.0
    assert value(guarded(guard_confidence=0.5), "guard_hit_rate", guard="low confidence").value == 0.0


def test_a_regression_is_truncated_into_the_range_of_the_target():
    columns = {**COLUMNS, "y": np.clip(COLUMNS["x"], 0, 5)}
    model = Planted(lambda rows: rows["x"].to_numpy(dtype=float), classes=())
    found = compute(model, columns, guard_tail=0.0, range_margin=0.0, **REGRESSION)
    outside = COLUMNS["x"] > 5
    assert value(found, "guard_hit_rate", guard="unusual prediction").value == pytest.approx(outside.mean())
    assert value(found, "mean_absolute_error", guard="none").value == pytest.approx(
        (COLUMNS["x"] - columns["y"]).mean()
    )
    assert value(found, "mean_absolute_error", guard="truncate").value == pytest.approx(0.0)
    assert value(found, "mean_absolute_error", guard="abstain").value == pytest.approx(0.0)
    assert value(found, "mean_absolute_error", guard="fall back").value == pytest.approx(
        np.abs(np.median(columns["y"]) - columns["y"])[outside].sum() / 100
    )


def test_without_a_target_the_quality_is_not_known():
    found = compute(Planted(above_five))
    assert "no target" in value(found, "accuracy", guard="none").note


def test_new_levels_and_missing_values_are_unusual():
    train = {"x": [1.0, 2.0, 3.0], "c": ["a", "b", None]}
    data = evaluation({"x": [2.0, None, 2.0, 9.0], "c": ["a", "a", "z", None]}, train=train, features=("x", "c"))
    known = usual(data, ("x", "c"), tail=0.0)
    assert known.unusual(data.data.frame(("x", "c"))).tolist() == [False, True, True, True]
    assert known.truncated(data.data.frame(("x", "c")))["x"].tolist()[3] == 3.0


# Reading answers


def test_answers_are_compared_row_by_row():
    one, other = np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([[0.2, 0.8], [0.5, 0.5]])
    assert decided(one).tolist() == [1, 0]
    np.testing.assert_allclose(distance(one, other), [0, 0.1])
    assert differ(one, other).tolist() == [False, True]
    assert differ(one, one + 1e-9).tolist() == [False, False]
    assert differ(np.array([np.nan, 1.0]), np.array([np.nan, 2.0])).tolist() == [False, True]


def test_a_table_without_a_feature_of_the_model_is_told():
    with pytest.raises(InvalidInput, match="lacks 1 of the model's 3 features: c"):
        compute(Planted(above_five), {"x": COLUMNS["x"], "n": COLUMNS["n"]}, roles={"features": ("x", "n")})


def test_every_trial_stands_in_the_table_of_scenarios(planted):
    worst = next(table for table in planted.tables if table.name == "by_scenario")
    assert sum(row[1] for row in worst.rows) == sum(one.metric == "refused" for one in planted.measurements)
