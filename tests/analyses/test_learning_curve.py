from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit
from sklearn import metrics
from sklearn.linear_model import LinearRegression, LogisticRegression

from modelops.analyses.base import Run
from modelops.analyses.learning_curve import LEARNING_CURVE, LearningCurveParameters
from modelops.analyses.learning_curve.curve import learning_curve
from modelops.analyses.learning_curve.power_law import fitted
from modelops.analyses.learning_curve.training import Scores
from modelops.analyses.refitting import Labelled, Learner, stratified_prefixes
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.influence import (
    area_with_influence,
    balanced_accuracy_with_influence,
    r2_with_influence,
)
from modelops.domain.columns import Task
from modelops.errors import NotMeasured
from tests.analyses.fitted_model import FittedModel
from tests.analyses.samples import binary, evaluation

ROLES = {"features": ("a", "b", "c"), "target": "y"}


def compute(data, seed=1, **parameters):
    return LEARNING_CURVE.compute(data, LearningCurveParameters(**parameters), Run(seed=seed))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def sizes(found, metric):
    return {one.scope["training_rows"]: one for one in found.measurements if one.metric == metric}


def linear(rows, seed, noise=1.0):
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(size=rows) for name in ("a", "b", "c")}
    return {**columns, "y": columns["a"] - columns["b"] + noise * rng.normal(size=rows)}


def regression_with(model, train_rows=400, test_rows=2000, **changes):
    data = evaluation(linear(test_rows, 1), task=Task.REGRESSION, train=linear(train_rows, 2), **ROLES)
    frame = pd.DataFrame(linear(100, 3))
    estimator = model.fit(frame[["a", "b", "c"]], frame["y"])
    return replace(data, model=FittedModel(estimator, ("a", "b", "c")), **changes)


# The influence of a row


@pytest.mark.parametrize("seed", range(3))
def test_the_influence_of_a_row_is_what_leaving_it_out_changes(seed):
    # The jackknife: leaving row i out changes a score by -influence / (n - 1), to first order.
    rng = np.random.default_rng(seed)
    truth, scores = rng.integers(0, 2, 300), rng.normal(size=300)
    numbers = scores + rng.normal(size=300)
    predicted = (scores > 0).astype(int)
    for found, score in (
        (area_with_influence(scores, truth == 1), lambda rows: metrics.roc_auc_score(truth[rows], scores[rows])),
        (
            balanced_accuracy_with_influence(predicted, truth),
            lambda rows: metrics.balanced_accuracy_score(truth[rows], predicted[rows]),
        ),
        (r2_with_influence(scores, numbers), lambda rows: metrics.r2_score(numbers[rows], scores[rows])),
    ):
        everything = np.arange(300)
        assert found.value == pytest.approx(score(everything))
        assert found.influence.mean() == pytest.approx(0, abs=1e-9)
        left_out = np.array([score(everything[everything != row]) for row in range(60)])
        assert -found.influence[:60] / 299 == pytest.approx(left_out - found.value, rel=0.08, abs=5e-5)


# The power law


@pytest.mark.parametrize(("limit", "scale", "exponent"), [(0.1, 2.0, 0.5), (0.0, 1.0, 0.3), (0.2, 5.0, 1.0)])
def test_a_power_law_without_noise_is_recovered(limit, scale, exponent):
    rows = 50.0 * 2 ** np.arange(6)
    law = fitted(rows, (limit + scale * rows**-exponent)[None], np.ones(6))
    assert law.error(6400).item() == pytest.approx(limit + scale * 6400**-exponent, rel=0.01)
    assert law.exponent.item() == pytest.approx(exponent, abs=1e-6)


def test_the_fit_is_as_good_as_that_of_scipy():
    rng = np.random.default_rng(2)
    rows = 50.0 * 2 ** np.arange(6)
    spread = np.linspace(0.02, 0.005, 6)
    errors = 0.15 + 1.5 * rows**-0.45 + spread * rng.normal(size=6)
    law = fitted(rows, errors[None], spread**2)
    best, _ = curve_fit(
        lambda n, a, b, c: a + b * n**-c,
        rows,
        errors,
        p0=(0.1, 1, 0.5),
        sigma=spread,
        bounds=([0, 0, 0.05], [1, 50, 2]),
    )
    misfit = [
        (((errors - curve) / spread) ** 2).sum() for curve in (law.error(rows), best[0] + best[1] * rows ** -best[2])
    ]
    assert misfit[0] <= misfit[1] * 1.02 + 1e-3


def test_a_rising_error_is_a_flat_curve_and_promises_nothing():
    rows = np.array([100.0, 200, 400])
    law = fitted(rows, np.array([[0.2, 0.21, 0.22]]), np.ones(3))
    assert law.gain(400, factor=2).item() == 0


def test_rows_until_the_margin_are_where_a_doubling_brings_just_that():
    rows = 50.0 * 2 ** np.arange(6)
    law = fitted(rows, (0.1 + 2 * rows**-0.5)[None], np.ones(6))
    enough = law.rows_until(0.01).item()
    assert law.gain(enough, factor=2).item() == pytest.approx(0.01, rel=1e-6)


def test_the_interval_of_the_next_gain_covers_the_true_one():
    # Curves from a known law with noise of repeats: the true gain of the next doubling should be covered in most runs.
    rows = 100 * 2 ** np.arange(5)
    true = 0.1 + 1.5 * rows**-0.5
    gain = 1.5 * (1600**-0.5 - 3200**-0.5)
    covered = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        values = 1 - true[:, None] + rng.normal(0, 0.004, (5, 6))
        scores = Scores(rows, values, np.zeros((5, 6, 10)), Learner(1600))
        curve = learning_curve(scores, Uncertainty(rng, 400))
        _, (low, high) = curve.of_law(curve.law.gain(1600, factor=2), curve.laws.gain(1600, factor=2))
        covered += low <= gain <= high
    assert covered >= 69  # 95 % of 80 is 76; fewer than 69 has a probability under 1 % at 92 %


# The parts


def test_every_beginning_keeps_the_shares_of_the_classes():
    truth = np.random.default_rng(3).permutation(np.repeat([0, 1, 2], [700, 250, 50]))
    rows = Labelled(pd.DataFrame(index=range(1000)), truth, ("a", "b", "c"), np.arange(1000))
    order = stratified_prefixes(rows)
    for size in (20, 100, 500):
        assert np.bincount(truth[order[:size]], minlength=3) == pytest.approx(
            np.array([0.7, 0.25, 0.05]) * size, abs=1.5
        )


# The analysis


def test_the_last_point_is_the_model_trained_on_all_rows():
    data = regression_with(LinearRegression())
    found = compute(data)
    train, test = pd.DataFrame(linear(400, 2)), pd.DataFrame(linear(2000, 1))
    fit = LinearRegression().fit(train[["a", "b", "c"]], train["y"])
    expected = metrics.r2_score(test["y"], fit.predict(test[["a", "b", "c"]]))
    assert measured(found, "r2", training_rows=400).value == pytest.approx(expected)
    assert sorted(sizes(found, "r2")) == [25, 50, 100, 200, 400]


def test_the_curve_of_least_squares_is_the_known_one():
    # Of p + 1 coefficients, noise variance 1 and target variance 3, the expected R2 is about
    # 1 - (1 + (p + 1) / (n - p - 2)) / 3 for normal features (exact for the prediction error of least squares).
    found = compute(regression_with(LinearRegression(), test_rows=5000), repeats=30)
    for size, one in sizes(found, "r2").items():
        expected = 1 - (1 + 4 / (size - 5)) / 3
        assert one.value == pytest.approx(expected, abs=0.02), size
        assert one.interval[0] < one.value < one.interval[1]


def test_what_is_expected_of_twice_as_many_rows_comes_true():
    def wide(rows, seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(rows, 20))
        y = (x @ np.linspace(1, 0, 20) + 2 * rng.normal(size=rows) > 0).astype(int)
        return {**{f"x{k}": x[:, k] for k in range(20)}, "y": y}

    names = tuple(f"x{k}" for k in range(20))
    test, train = wide(4000, 1), wide(1200, 2)
    half = {name: values[:600] for name, values in train.items()}
    estimator = LogisticRegression().fit(pd.DataFrame(half)[list(names)], half["y"])
    outcomes = []
    for part in (half, train):
        data = evaluation(test, features=names, target="y", positive="1", train=part)
        outcomes.append(compute(replace(data, model=FittedModel(estimator, names)), repeats=8))
    expected = measured(outcomes[0], "extrapolated_roc_auc", training_rows=1200)
    came = measured(outcomes[1], "roc_auc", training_rows=1200).value
    assert expected.interval[0] <= came <= expected.interval[1]
    assert expected.value == pytest.approx(came, abs=0.01)


def test_labels_without_meaning_stay_at_chance_and_more_of_them_bring_nothing():
    rng = np.random.default_rng(5)
    columns = {**{name: rng.normal(size=800) for name in ("a", "b", "c")}, "y": rng.integers(0, 2, 800)}
    found = compute(evaluation(columns, positive="1", **ROLES), repeats=3)
    low, high = measured(found, "roc_auc", training_rows=560).interval
    assert low < 0.5 < high
    assert measured(found, "gain_from_next_doubling").interval[0] == pytest.approx(0, abs=1e-3)


def test_a_saturated_model_has_enough_rows():
    found = compute(regression_with(LinearRegression(), train_rows=3000))
    assert measured(found, "gain_from_next_doubling").interval[1] < 0.005
    assert measured(found, "rows_enough").value < 3000
    assert "large enough" in found.summary
    assert "e-" not in found.summary


def test_a_model_without_a_recipe_is_replaced_and_that_is_said():
    class Sealed(FittedModel):
        def refit(self, train, target, rows, *, seed):
            return None

    data = regression_with(LinearRegression(), train_rows=200, test_rows=300)
    found = compute(replace(data, model=Sealed(data.model.estimator, data.model.features)), repeats=2, points=3)
    assert any("no recipe" in note for note in found.notes)
    assert "gradient boosting" in found.summary


def test_without_training_data_the_data_is_parted():
    found = compute(binary(300), repeats=2, points=3)
    assert max(sizes(found, "roc_auc")) == 210
    assert measured(found, "roc_auc", training_rows=210).sample_size == 90
    assert any("drawn at random was scored on" in note for note in found.notes)


def test_with_time_the_latest_rows_are_scored_on():
    columns = {**linear(200, 6), "day": np.random.default_rng(7).permutation(200)}
    found = compute(evaluation(columns, task=Task.REGRESSION, time="day", **ROLES), repeats=2, points=3)
    assert any("latest rows" in note for note in found.notes)
    assert measured(found, "r2", training_rows=140).sample_size == 60


def test_rows_of_one_entity_are_never_on_both_sides():
    # One feature names the entity, and the target is the entity's own: only a leak could predict it.
    rng = np.random.default_rng(8)
    who = np.repeat(np.arange(40), 12)
    effect = rng.normal(size=40)[who]
    columns = {"a": who * 1.0, "b": rng.normal(size=480), "c": rng.normal(size=480), "y": effect, "who": who}
    parted = compute(evaluation(columns, task=Task.REGRESSION, ids=("who",), **ROLES), repeats=2, points=3)
    mixed = compute(evaluation(columns, task=Task.REGRESSION, **ROLES), repeats=2, points=3)
    largest = [max(sizes(one, "r2").items())[1].value for one in (parted, mixed)]
    assert largest[0] < 0.3 < 0.5 < largest[1]


def test_too_few_rows_are_said_to_be_too_few():
    with pytest.raises(NotMeasured, match="Not enough data"):
        compute(binary(30))


def test_few_sizes_give_a_curve_but_no_extrapolation():
    found = compute(evaluation(linear(70, 9), task=Task.REGRESSION, **ROLES), repeats=2)
    assert sorted(sizes(found, "r2")) == [24, 49]
    assert measured(found, "gain_from_next_doubling").value is None
    assert "power law needs 3" in measured(found, "gain_from_next_doubling").note
    assert "too few rows to say" in found.summary


def test_rows_without_a_target_are_counted():
    columns = linear(200, 1)
    columns["y"][:15] = np.nan
    found = compute(evaluation(columns, task=Task.REGRESSION, **ROLES), repeats=2, points=3)
    assert found.dropped == {"the target is missing or infinite": 15}


def test_one_class_is_refused_with_the_reason():
    with pytest.raises(NotMeasured, match="1 classes"):
        compute(binary(100, default=["yes"] * 100))


def test_without_a_target_nothing_is_measured():
    with pytest.raises(NotMeasured, match="target"):
        compute(evaluation(linear(100, 1), task=Task.REGRESSION, features=("a",)))


@pytest.mark.parametrize(("train_rows", "scale"), [(2_000, "log"), (60, "linear")])
def test_sizes_over_more_than_a_decade_stand_on_a_log_scale(train_rows, scale):
    found = compute(regression_with(LinearRegression(), train_rows=train_rows))
    (chart,) = [one for one in found.curves if one.name == "learning_curve"]
    reached = [x for series in chart.series for x in series.x]
    assert (max(reached) > 10 * min(reached)) == (scale == "log")
    assert chart.x_scale == scale
