"""Leakage: planted leaks are found and measured, and data without any gives no alarm."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from modelops.analyses.base import Run
from modelops.analyses.cores.row_hashes import row_hashes, value_hashes
from modelops.analyses.leakage import LEAKAGE, LeakageParameters
from modelops.analyses.leakage.labels import class_labels
from modelops.analyses.leakage.near import near, sides
from modelops.analyses.leakage.single import Predictor, mean_area, number_bins, strengths
from modelops.analyses.leakage.surrogate import surrogate
from modelops.domain.columns import Task
from modelops.domain.policy import load_policy
from modelops.errors import NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import arrow, evaluation, sample


class Found:
    def __init__(self, computed):
        self.computed = computed
        self._values = {(one.metric, json.dumps(one.scope)): one for one in computed.measurements}

    def one(self, metric, **scope):
        return self._values[metric, json.dumps(scope)]

    def shared(self, match, metric="shared_row_rate"):
        return self.one(metric, match=match).value


def searched(columns, train=None, task=Task.CLASSIFICATION, model=None, parameters=None, seed=0, **roles):
    roles = {"target": "y", **roles}
    outputs = {
        roles.get("target"),
        roles.get("prediction"),
        roles.get("time"),
        *roles.get("scores", ()),
        *roles.get("ids", ()),
    }
    roles.setdefault("features", tuple(name for name in columns if name not in outputs))
    data = evaluation(columns, task=task, train=train, model=model, **roles)
    return Found(LEAKAGE.compute(data, LeakageParameters(**(parameters or {})), Run(seed=seed)))


def table(rows, seed):
    """Columns that go together, some of them coarse."""
    rng = np.random.default_rng(seed)
    size = rng.gamma(6, 10, rows)
    y = rng.random(rows) < 1 / (1 + np.exp(-(size - 60) / 30))
    return {
        "size": size,
        "rooms": np.maximum(1, (size / 20 + rng.normal(0, 0.7, rows)).round()),
        "price": size * 3 + rng.normal(0, 20, rows),
        "place": list(rng.choice(["north", "south", "west"], rows)),
        "y": ["yes" if label else "no" for label in y],
    }


def joined(*parts):
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def head(columns, rows):
    return {name: np.asarray(values)[:rows] for name, values in columns.items()}


# Rows


def test_rows_of_the_training_data_are_counted_as_pandas_joins_them():
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame({"a": rng.integers(0, 6, n), "b": rng.choice(["u", "v"], n), "c": rng.integers(0, 5, n),
                      "y": rng.integers(0, 2, n)})
        for n in (300, 60)
    ]  # fmt: skip
    data, train = ({name: frame[name].to_numpy() for name in frame} for frame in frames)
    found = searched(data, train)
    keys = frames[1][["a", "b", "c"]].drop_duplicates()
    matched = frames[0].merge(keys, how="left", indicator=True)["_merge"] == "both"
    assert found.shared("exact") == pytest.approx(matched.mean())
    keys = frames[1].drop_duplicates()
    matched = frames[0].merge(keys, how="left", indicator=True)["_merge"] == "both"
    assert found.shared("exact with label") == pytest.approx(matched.mean())
    repeats = frames[0].duplicated(["a", "b", "c"]).mean()
    assert found.one("repeated_row_rate", match="exact").value == pytest.approx(repeats)


def test_planted_copies_are_found_exactly():
    train = table(800, 1)
    found = searched(joined(table(450, 2), head(train, 50)), train)
    one = found.one("excess_shared_row_rate", match="exact")
    assert one.value == 0.1
    assert one.interval[0] > 0.05
    assert "10 % of the rows stand in the training data exactly" in found.computed.summary


def test_copies_with_another_label_are_found_without_label_alone():
    train = table(800, 1)
    copies = head(train, 50)
    copies["y"] = np.where(copies["y"] == "yes", "no", "yes")
    found = searched(joined(table(450, 2), copies), train)
    assert found.shared("exact") == 0.1
    assert found.shared("exact with label") == 0


def test_copies_that_were_rounded_or_spelled_otherwise_are_found_by_rounding():
    train = table(800, 1)
    copies = head(train, 50)
    copies["size"] = copies["size"] * (1 + 1e-6)
    copies["place"] = np.array([f" {place.upper()}" for place in copies["place"]])
    found = searched(joined(table(450, 2), copies), train)
    assert found.shared("exact") == 0
    assert found.shared("rounded") >= 0.099
    assert found.shared("rounded with label") >= 0.099


def test_jittered_copies_are_found_near_with_a_probability_above_996_in_1000():
    train = table(3000, 1)
    copies = head(train, 1500)
    rng = np.random.default_rng(3)
    for name in ("size", "price"):
        deviation = np.std(train[name])
        copies[name] = copies[name] + rng.uniform(-0.009, 0.009, 1500) * deviation
    found = searched(joined(table(1500, 2), copies), train)
    chance = found.shared("near", "shared_row_rate_by_chance")
    assert found.shared("exact") == 0
    assert found.shared("near") >= 0.5 * 0.996
    assert found.shared("near with label") >= 0.5 * 0.996
    assert chance < 0.2


def test_no_row_is_near_that_is_not_near():
    rng = np.random.default_rng(5)
    columns, train = ({name: rng.normal(size=n) for name in "ab"} for n in (400, 600))
    data, other = sample(columns), sample(train)
    composed = surrogate(data, ("a", "b"), None, np.arange(400), seed=0)
    found = near(
        sides(data, other, ("a", "b"), None, (np.arange(400), np.arange(600)), composed),
        distance=0.05, seed=1, with_label=False,
    )  # fmt: skip
    spread = [(np.quantile(train[name], 0.75) - np.quantile(train[name], 0.25)) / 1.349 for name in "ab"]
    apart = np.max(
        [np.abs(columns[n][:, None] - train[n][None]) / s for n, s in zip("ab", spread, strict=True)], axis=0
    )
    truth = (apart <= 0.05).any(axis=1)
    assert not (found.mask & ~truth).any()
    assert (found.mask == truth).mean() > 0.99


def test_copies_with_one_value_changed_are_found():
    train = table(800, 1)
    copies = head(train, 50)
    copies["price"] = copies["price"] * 2
    found = searched(joined(table(450, 2), copies), train)
    assert found.shared("exact") == 0
    gain = found.shared("all but one column") - found.shared("all but one column", "shared_row_rate_by_chance")
    assert gain > 0.08


@pytest.mark.parametrize("make", ["mixed", "coarse"])
def test_columns_that_are_coarse_and_go_together_give_no_alarm(make):
    def coarse(rows, seed):
        rng = np.random.default_rng(seed)
        level = rng.normal(size=rows)
        columns = {f"q{n}": np.digitize(level + rng.normal(0, 0.7, rows), [-1, 0, 1]) for n in range(5)}
        return {**columns, "y": list(np.where(level > 0, "a", "b"))}

    made = table if make == "mixed" else coarse
    for seed in range(4):
        found = searched(made(500, 10 + seed), made(700, 30 + seed))
        for match in ("exact", "exact with label", "rounded", "near", "all but one column"):
            key = ("excess_shared_row_rate", json.dumps({"match": match}))
            one = found._values[key]
            assert one.value is None or one.interval[0] < 0.01, (match, one)


def test_the_composed_rows_keep_distributions_and_rank_correlations():
    columns = table(4000, 4)
    data = sample(columns)
    index = surrogate(data, ("size", "rooms", "price"), None, np.arange(4000), seed=2).index
    frame = pd.DataFrame({name: columns[name] for name in ("size", "rooms", "price")})
    composed = pd.DataFrame({name: frame[name].to_numpy()[index[place]] for place, name in enumerate(frame)})
    assert np.allclose(np.sort(composed["price"]), np.sort(frame["price"]))
    moved = surrogate(data, ("size", "rooms", "price"), None, np.arange(4000), seed=2).column(
        1, arrow(columns["rooms"])
    )
    assert set(moved.to_pylist()) <= set(range(1, 20))
    assert np.allclose(composed.corr("spearman"), frame.corr("spearman"), atol=0.05)
    assert composed.duplicated().sum() < 0.01 * len(composed)
    assert not (composed.to_numpy() == frame.to_numpy()).all(axis=1).any()


def test_copies_of_one_continuous_column_are_not_taken_for_chance():
    rng = np.random.default_rng(8)
    x = rng.normal(size=600)
    train = {"x": x, "flag": rng.integers(0, 2, 600), "y": ["a", "b"] * 300}
    columns = {"x": np.r_[x[:100], rng.normal(size=300)], "flag": np.r_[train["flag"][:100], rng.integers(0, 2, 300)]}
    found = searched({**columns, "y": ["a", "b"] * 200}, train)
    assert found.shared("exact") == 0.25
    assert found.shared("exact", "shared_row_rate_by_chance") == 0


def test_equal_values_have_equal_hashes_whatever_type_holds_them():
    whole, real = arrow(np.array([1, 2, 3])), arrow(np.array([1.0, np.nan, 3.0]))
    assert (value_hashes(whole) == value_hashes(real)).tolist() == [True, False, True]
    assert value_hashes(arrow(np.array([0.0])))[0] == value_hashes(arrow(np.array([-0.0])))[0]
    texts = value_hashes(arrow(["New  York", "new york "]), digits=3)
    assert texts[0] == texts[1]


def test_whole_numbers_too_long_for_a_float_stay_apart():
    hashes = value_hashes(arrow(np.array([2**60, 2**60 + 1])))
    assert hashes[0] != hashes[1]


def test_a_value_in_another_column_is_another_row():
    one, other = arrow(["a", "b"]), arrow(["b", "a"])
    hashes = row_hashes([value_hashes(one), value_hashes(other)], 2)
    assert hashes[0] != hashes[1]


# Without training data


def test_without_training_data_it_is_said_and_the_rest_is_done():
    found = searched(table(300, 1))
    for match in ("exact", "rounded", "near", "all but one column", "exact with label"):
        one = found.one("shared_row_rate", match=match)
        assert one.value is None
        assert "No training data was given" in one.note
    assert found.one("time_overlap_rate").value is None
    assert found.one("repeated_row_rate", match="exact").value == 0
    assert found.one("single_feature_roc_auc", feature="size").value > 0.6
    assert found.computed.summary.startswith("No training data was given")


def test_without_a_target_rows_are_compared_all_the_same():
    train = {name: values for name, values in table(300, 1).items() if name != "y"}
    found = searched(head(train, 60), train, target=None)
    assert found.shared("exact") == 1
    assert found.one("single_feature_roc_auc", feature="size").note == "There is no target column."


def test_without_features_there_is_nothing_to_look_at():
    with pytest.raises(NotMeasured, match="feature"):
        searched({"y": ["a", "b"]}, features=())


# Ids and times


def test_shared_ids_are_counted_as_pandas_counts_them():
    columns, train = table(300, 1), table(300, 2)
    columns["who"] = [f"c{n % 150}" for n in range(300)]
    train["who"] = [f"c{n}" for n in range(100, 400)]
    found = searched(columns, train, ids=("who",))
    expected = pd.Series(columns["who"]).isin(train["who"]).mean()
    assert found.one("shared_entity_rate", feature="who").value == pytest.approx(expected)


def test_row_numbers_that_begin_anew_are_no_shared_ids():
    columns, train = table(300, 1), table(400, 2)
    columns["row"], train["row"] = np.arange(300), np.arange(400)
    one = searched(columns, train, ids=("row",)).one("shared_entity_rate", feature="row")
    assert one.value is None
    assert "numbers the rows" in one.note


def days(first, count, step=1):
    start = datetime(2025, 1, 1)  # noqa: DTZ001
    return [start + timedelta(days=first + step * day) for day in range(count)]


def test_overlap_in_time_is_measured_from_both_sides():
    columns, train = table(100, 1), table(100, 2)
    columns["at"], train["at"] = days(90, 100), days(0, 100)
    found = searched(columns, train, time="at")
    # The data has days 90 to 189, the training data 0 to 99.
    assert found.one("time_overlap_rate").value == 0.1
    assert found.one("later_training_row_rate").value == 0.09


def test_features_from_after_the_prediction_are_found():
    columns = table(100, 1)
    columns["at"] = days(0, 100)
    columns["closed"] = [day + timedelta(days=5 if row < 30 else -5) for row, day in enumerate(columns["at"])]
    columns["opened"] = columns["at"]
    found = searched(columns, time="at", features=("size", "closed"))
    assert found.one("feature_after_prediction_rate", feature="closed").value == 0.3
    assert found.one("feature_after_prediction_rate", column="opened").value == 0
    assert "closed lies after the time of prediction in 30 % of the rows" in found.computed.summary


def test_a_day_is_not_after_the_hour_of_the_same_day():
    columns = table(100, 1)
    columns["at"] = days(0, 100)
    columns["seen"] = [day + timedelta(hours=9) for day in columns["at"]]
    found = searched(columns, time="at", features=("size", "seen"))
    assert found.one("feature_after_prediction_rate", feature="seen").value == 0


def test_the_date_of_an_outcome_is_no_leak_if_the_model_does_not_see_it():
    columns = table(100, 1)
    columns["at"] = days(0, 100)
    columns["settled"] = [day + timedelta(days=30) for day in columns["at"]]
    seen = searched(columns, time="at", features=("size", "settled")).computed
    unseen = searched(columns, time="at", features=("size",)).computed
    assert [one.verdict for one in verdicts(seen, "leakage.future")] == ["failed"]
    assert [one.verdict for one in verdicts(unseen, "leakage.future")] == ["not applicable"]
    assert "settled" in seen.summary
    assert "settled" not in unseen.summary


# Single columns


def test_the_area_of_bins_is_scikit_learns():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 30, (2, 6, 2)).astype(float)
    areas = []
    for learn, judge in ((0, 1), (1, 0)):
        prior = counts.sum(axis=(0, 1)) / counts.sum()
        score = (counts[learn, :, 1] + prior[1]) / (counts[learn].sum(axis=1) + 1)
        rows = counts[judge].astype(int)
        labels = np.concatenate([np.repeat([0, 1], row) for row in rows])
        areas.append(roc_auc_score(labels, np.repeat(score, rows.sum(axis=1))))
    assert mean_area(counts) == pytest.approx(np.mean(areas))


def test_a_planted_leak_is_the_strongest_feature_and_significant():
    columns = table(400, 1)
    rng = np.random.default_rng(2)
    columns["fee"] = np.where(np.asarray(columns["y"]) == "yes", 1.0, 0.0) + rng.normal(0, 0.1, 400)
    found = searched(columns)
    assert found.one("single_feature_roc_auc", feature="fee").value > 0.99
    assert found.one("single_feature_adjusted_p_value", feature="fee").value < 0.01
    assert "strongest feature alone is fee" in found.computed.summary


def test_a_leak_that_is_not_monotone_is_found():
    rng = np.random.default_rng(3)
    x = rng.normal(size=600)
    found = searched({"x": x, "noise": rng.normal(size=600), "y": list(np.where(np.abs(x) > 0.7, "a", "b"))})
    assert found.one("single_feature_roc_auc", feature="x").value > 0.95


def test_a_level_that_tells_the_label_is_found_among_several_classes():
    rng = np.random.default_rng(14)
    y = rng.choice(["a", "b", "c"], 400)
    found = searched({"code": [f"{label}-1" for label in y], "noise": rng.normal(size=400), "y": list(y)})
    assert found.one("single_feature_roc_auc", feature="code").value > 0.99
    assert found.one("single_feature_adjusted_p_value", feature="noise").value > 0.05


def test_a_copy_of_the_target_is_found_in_a_regression_with_a_long_tail():
    rng = np.random.default_rng(5)
    y = rng.lognormal(0, 1.2, 800)
    found = searched({"copy": y * 2 + 1, "noise": rng.normal(size=800), "y": y}, task=Task.REGRESSION)
    assert found.one("single_feature_r2", feature="copy").value > 0.999
    assert found.one("single_feature_r2", feature="noise").value < 0.05
    assert found.one("single_feature_adjusted_p_value", feature="noise").value > 0.05


def null_alarms(task, rows, runs, features=8):
    """In how many of the runs a column without any relation to the label is called significant."""
    alarms = 0
    for seed in range(runs):
        rng = np.random.default_rng([seed, rows])
        columns = {f"x{n}": rng.normal(size=rows) for n in range(features)}
        y = rng.normal(size=rows) if task is Task.REGRESSION else list(rng.choice(["a", "b"], rows))
        found = searched({**columns, "y": y}, task=task, parameters={"permutations": 60})
        alarms += min(found.one("single_feature_adjusted_p_value", feature=name).value for name in columns) <= 0.05
    return alarms / runs


@pytest.mark.parametrize(
    ("task", "rows"), [(Task.CLASSIFICATION, 60), (Task.CLASSIFICATION, 400), (Task.REGRESSION, 60)]
)
def test_noise_alarms_no_more_often_than_stated_however_few_the_rows(task, rows):
    # 120 runs at 5 %: above 11.7 % with a probability of 1 in 1,000.
    assert null_alarms(task, rows, 120) <= 0.117


def test_permutation_p_values_are_never_zero_and_uniform_without_effect():
    rng = np.random.default_rng(0)
    data = sample({"y": list(rng.choice(["a", "b"], 200))})
    p_values = []
    for seed in range(40):
        rng = np.random.default_rng(seed + 1)
        labels = class_labels(data, "y", np.arange(200), permutations=50, rng=rng)
        predictors = [Predictor(f"x{n}", number_bins(rng.normal(size=200), rows=200)) for n in range(5)]
        p_values += [one.p_value for one in strengths(predictors, labels, rng=rng, progress=lambda done: None)]
    assert min(p_values) >= 1 / 251
    # Mean of 200 uniform numbers: 0.5 with a standard error of 0.02.
    assert abs(np.mean(p_values) - 0.5) < 0.08


def test_missing_values_that_tell_the_label_are_found():
    columns = table(500, 1)
    rng = np.random.default_rng(6)
    is_yes = np.asarray(columns["y"]) == "yes"
    columns["paid_on"] = np.where(is_yes, np.nan, rng.normal(size=500))
    columns["note"] = np.where(rng.random(500) < 0.3, np.nan, rng.normal(size=500))
    found = searched(columns)
    assert found.one("missingness_roc_auc", feature="paid_on").value == 1
    assert found.one("missingness_adjusted_p_value", feature="paid_on").value < 0.02
    assert found.one("missingness_adjusted_p_value", feature="note").value > 0.05
    assert found.one("missingness_roc_auc", feature="size").value == 0.5
    assert "never or always missing" in found.one("missingness_roc_auc", feature="size").note


def test_a_file_sorted_by_label_is_noticed_and_a_mixed_one_is_not():
    columns = table(400, 1)
    order = np.argsort(np.asarray(columns["y"]), kind="stable")
    in_order = {name: np.asarray(values)[order] for name, values in columns.items()}
    assert searched(in_order).one("order_roc_auc", feature="(row order)").value > 0.99
    assert searched(columns).one("order_adjusted_p_value", feature="(row order)").value > 0.05


def over_years(rows=1200, seed=3, *, steep=0.6):
    """A file in the order of time, in which ever more labels are positive."""
    rng = np.random.default_rng(seed)
    place = np.arange(rows) / rows
    labels = rng.random(rows) < 0.2 + steep * place
    return {
        "size": rng.normal(size=rows),
        "at": days(0, rows),
        "case": np.arange(rows) + 5000,
        "y": ["yes" if label else "no" for label in labels],
    }


def outcomes_of(found, rule, task=Task.CLASSIFICATION):
    return [str(one.verdict) for one in verdicts(found.computed, rule, task=task)]


def test_a_base_rate_that_rises_in_a_file_by_time_is_no_leak():
    found = searched(over_years(), time="at", ids=("case",))
    assert found.one("order_roc_auc", feature="(row order)").value > 0.6
    assert found.one("order_adjusted_p_value", feature="case").value < 0.05
    assert outcomes_of(found, "leakage.order") == ["passed", "passed"]
    assert outcomes_of(found, "leakage.periods") == ["passed"]


def test_a_file_sorted_by_label_is_a_leak_although_it_has_times():
    columns = over_years()
    order = np.argsort(np.asarray(columns["y"]), kind="stable")
    found = searched({name: np.asarray(values)[order] for name, values in columns.items()}, time="at")
    assert outcomes_of(found, "leakage.order") == ["failed"]


def test_without_times_an_order_that_tells_the_label_is_a_leak():
    columns = over_years()
    del columns["at"]
    assert outcomes_of(searched(columns, ids=("case",)), "leakage.order") == ["failed", "failed"]


def test_classes_of_different_years_are_a_leak_although_the_file_is_in_order():
    columns = over_years()
    columns["y"] = ["no"] * 600 + ["yes"] * 600
    found = searched(columns, time="at")
    assert found.one("time_roc_auc").value > 0.99
    assert outcomes_of(found, "leakage.periods") == ["failed"]


def test_quantities_that_rise_over_time_are_no_leak_and_sorted_ones_are():
    columns = over_years()
    rng = np.random.default_rng(1)
    columns["y"] = np.arange(1200) / 100 + rng.normal(0, 3, 1200)
    rising = searched(columns, task=Task.REGRESSION, time="at")
    assert rising.one("order_r2", feature="(row order)").value > 0.3
    assert outcomes_of(rising, "leakage.order_of_quantities", Task.REGRESSION) == ["immaterial"]
    order = np.argsort(columns["y"])
    mixed = {name: np.asarray(values)[order] for name, values in columns.items()}
    found = searched(mixed, task=Task.REGRESSION, time="at")
    assert outcomes_of(found, "leakage.order_of_quantities", Task.REGRESSION) == ["failed"]


def test_an_id_that_tells_the_label_is_noticed():
    columns = table(400, 1)
    rank = rankdata([f"{label}{row:04}" for row, label in enumerate(columns["y"])])
    columns["key"] = rank.astype(int) + 7000
    assert searched(columns, ids=("key",)).one("order_roc_auc", feature="key").value > 0.99


# The model


@dataclass
class Centring:
    """A model that takes the mean of the batch off, or not."""

    peeks: bool
    features: tuple[str, ...] = ("size",)
    classes: tuple[str, ...] = ("no", "yes")
    asked: list[int] = field(default_factory=list)

    def scores(self, rows):
        self.asked.append(len(rows))
        size = rows["size"].to_numpy()
        centred = (size - (size.mean() if self.peeks else 60)) / 30
        positive = 1 / (1 + np.exp(-centred))
        return np.column_stack([1 - positive, positive])


def test_a_model_that_looks_at_the_other_rows_is_found_out():
    found = searched(table(300, 1), model=Centring(peeks=True))
    assert found.one("batch_dependent_rate").value == 1
    assert found.one("batch_difference").value > 0.1


def test_a_model_that_does_not_is_not():
    model = Centring(peeks=False)
    found = searched(table(300, 1), model=model, parameters={"single_rows": 12})
    assert found.one("batch_dependent_rate").value == 0
    assert sorted(model.asked) == [1] * 12 + [200]


def test_without_a_model_it_is_said():
    assert "No model file" in searched(table(100, 1)).one("batch_dependent_rate").note


def test_the_quality_is_that_of_scikit_learn():
    columns = table(300, 1)
    columns["score"] = np.clip(np.asarray(columns["size"]) / 150, 0, 1)
    found = searched(columns, scores=("score",))
    expected = roc_auc_score(np.asarray(columns["y"]) == "yes", columns["score"])
    assert found.one("roc_auc").value == pytest.approx(expected)


def test_the_quality_on_rows_of_the_training_data_stands_beside_that_on_new_ones():
    train = table(800, 1)
    columns = joined(table(450, 2), head(train, 50))
    rng = np.random.default_rng(0)
    right = np.r_[rng.random(450) < 0.7, np.ones(50, dtype=bool)]
    other = np.where(columns["y"] == "yes", "no", "yes")
    columns["guess"] = np.where(right, columns["y"], other)
    found = searched(columns, train, prediction="guess")
    assert found.one("accuracy", rows="in the training data").value == 1
    assert found.one("accuracy", rows="new").value == pytest.approx(right[:450].mean())


def test_the_order_of_rows_changes_nothing_where_rows_are_drawn():
    columns, train = table(600, 1), table(600, 2)
    order = np.random.default_rng(1).permutation(600)
    mixed = {name: np.asarray(values)[order] for name, values in columns.items()}
    few = {"near_rows": 200, "rows": 200, "permutations": 20}
    one, other = searched(columns, train, parameters=few), searched(mixed, train, parameters=few)
    for metric, scope in one._values:
        if "row order" not in scope:
            assert one._values[metric, scope] == other._values[metric, scope]
    assert any("200 of 600 rows" in note for note in one.computed.notes)


def test_the_built_in_rules_name_what_is_measured():
    from pathlib import Path

    policy = load_policy((Path(__file__).parents[2] / "data/policies/default.yaml").read_text(encoding="utf-8"))
    measured = {metric for metric, _ in searched(table(200, 1), table(200, 2))._values}
    wanted = {rule.metric for rule in policy.rules_for("leakage") if rule.task is not Task.REGRESSION}
    assert wanted <= measured


def test_a_feature_that_cannot_be_read_is_not_said_to_tell_nothing():
    columns = table(200, 1)
    columns["took"] = pa.chunked_array([pa.array([int(label == "yes") for label in columns["y"]], pa.duration("s"))])
    one = searched(columns).one("single_feature_roc_auc", feature="took")
    assert one.value is None
    assert "duration" in one.note
    assert searched(columns).one("single_feature_adjusted_p_value", feature="took").value is None


def test_features_of_repeated_entities_do_not_leak_by_recognising_them():
    alarms, strongest = 0, []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        columns = {"trait": rng.normal(size=60), "gap": np.where(rng.random(60) < 0.5, np.nan, 1.0)}
        columns = {name: np.repeat(values, 15) for name, values in columns.items()}
        columns["noise"] = rng.normal(size=900)
        columns["y"] = np.repeat(rng.choice(["no", "yes"], 60), 15).tolist()
        columns["who"] = np.repeat(np.arange(60), 15)
        found = searched(columns, ids=("who",), parameters={"permutations": 50})
        strongest.append(found.one("single_feature_roc_auc", feature="trait").value)
        p_values = [
            found.one(f"{kind}_adjusted_p_value", feature=name).value
            for kind, name in (("single_feature", "trait"), ("missingness", "gap"))
        ]
        alarms += min(p_values) <= 0.05
    assert np.mean(strongest) < 0.6  # 0.91 where rows of one entity are in both halves
    assert alarms <= 3
