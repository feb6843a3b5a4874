"""What must not change any number: how a table is written, and what no row holds."""

import numpy as np
import pyarrow as pa
import pytest

from modelops.analyses.base import Need
from modelops.analyses.levels import OTHER, groups
from modelops.analyses.registry import analysis
from modelops.analyses.statistics.weighting import row_entities
from tests.analyses.samples import arrow, permuted, sample
from tests.analyses.test_every_analysis import CASES, alike, by_scope, outcome

NEVER_SEEN = ["(never seen) a", "zzz never seen"]


def with_unused_categories(columns):
    """The same rows, with categories in every dictionary that no row has: as pandas writes filtered categoricals."""
    return {name: _widened(arrow(values)) for name, values in columns.items()}


def _widened(column):
    if not pa.types.is_dictionary(column.type):
        return column
    whole = column.combine_chunks()
    levels = [NEVER_SEEN[0], *reversed(whole.dictionary.to_pylist()), NEVER_SEEN[1]]
    codes = [None if value is None else levels.index(value) for value in whole.to_pylist()]
    return pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(levels))])


QUICK = {"performance", "fairness", "calibration", "representativeness", "residuals", "misclassified", "feedback_loop"}


each_quick_case = pytest.mark.parametrize(
    "case", [case for case in CASES if case.key in QUICK], ids=lambda case: f"{case.key}-{case.kind}"
)


@each_quick_case
def test_categories_without_rows_change_nothing(case):
    takes_reference = analysis(case.key).takes(Need.REFERENCE)
    reference = with_unused_categories(case.columns(300, seed=9)) if takes_reference else None
    found = by_scope(case.compute(case.data(with_unused_categories(case.columns()), reference)))
    assert found == by_scope(outcome(case.key, case.kind).found)


def test_categories_without_rows_are_no_entities():
    columns = {"id": [f"c{number}" for number in np.random.default_rng(0).integers(0, 60, 200)]}
    plain, wide = (row_entities(sample(one, ids=("id",))) for one in (columns, with_unused_categories(columns)))
    assert plain.max() == wide.max()


def test_a_level_called_other_stands_with_the_rare_ones():
    levels = [OTHER] * 50 + [f"v{number}" for number in range(40)] * 2
    found, _ = groups(sample({"a": levels}), "a", most=10)
    assert found.levels.count(OTHER) == 1


def test_a_population_that_does_not_fill_a_column_leaves_each_group_once():
    (case,) = (case for case in CASES if (case.key, case.kind) == ("representativeness", "binary"))
    reference = {**case.columns(300, seed=9), "employment": [None] * 300}
    found = case.compute(case.data(reference=reference))
    assert len(by_scope(found)) == len(found.measurements)


def weighted(case, rows=240):
    """The columns of a case with whole weights, some of them 0, and a few missing scores or predictions."""
    columns = dict(case.columns(rows))
    rng = np.random.default_rng(8)
    name = (*case.roles.get("scores", ()), case.roles["prediction"])[0]
    columns[name] = np.where(rng.random(rows) < 0.05, np.nan, np.asarray(columns[name], dtype=float))
    return {**columns, "weight": rng.integers(0, 4, rows)}


@each_quick_case
def test_weighted_rows_in_another_order_change_nothing(case):
    columns = weighted(case)
    order = np.random.default_rng(0).permutation(240)
    plain, mixed = (
        by_scope(case.compute(case.data(one, weight="weight"))) for one in (columns, permuted(columns, order))
    )
    assert plain.keys() == mixed.keys()
    for (metric, scope), one in plain.items():
        if case.key == "fairness" and "criterion" in scope:
            continue  # which rows find the thresholds and which measure them is drawn by position
        assert alike(mixed[metric, scope].value, one.value), (metric, scope)


WEIGHTED = {
    "performance": ("accuracy", "f1", "roc_auc", "brier_score", "log_loss", "r2", "mean_absolute_error"),
    "calibration": ("calibration_slope", "calibration_intercept", "logit_calibration_in_the_large", "brier_score"),
    "misclassified": ("error_rate", "mean_confidence", "mean_absolute_error"),
    "fairness": ("selection_rate", "true_positive_rate", "roc_auc", "brier_score", "mean_error"),
}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.key in WEIGHTED], ids=lambda case: f"{case.key}-{case.kind}"
)
def test_a_row_of_weight_two_counts_as_two_rows(case):
    columns = weighted(case)
    repeated = permuted(columns, np.repeat(np.arange(240), columns["weight"]))
    heavy, many = (
        by_scope(case.compute(case.data(columns, weight="weight"))),
        by_scope(case.compute(case.data(repeated))),
    )
    held = [key for key in heavy if key[0] in WEIGHTED[case.key] and "criterion" not in key[1]]
    assert held
    for key in held:
        assert alike(heavy[key].value, many[key].value), key


def test_the_quantile_of_weighted_residuals_is_that_of_repeated_rows():
    case = next(case for case in CASES if (case.key, case.kind) == ("residuals", "regression"))
    columns = case.columns(2400)
    weight = np.where(np.asarray(columns["price"]) > np.asarray(columns["estimate"]), 3, 1)
    repeated = permuted(columns, np.repeat(np.arange(2400), weight))
    heavy = by_scope(case.compute(case.data({**columns, "weight": weight}, weight="weight")))
    many = by_scope(case.compute(case.data(repeated)))
    # Between two rows one is a step and the other interpolates: 2,400 rows lie close together.
    for share in (0.25, 0.5, 0.75):
        key = "residual_quantile", f'{{"quantile": {share}}}'
        assert heavy[key].value == pytest.approx(many[key].value, abs=0.5)


def test_the_tables_of_weighted_errors_are_those_of_repeated_rows():
    case = next(case for case in CASES if (case.key, case.kind) == ("performance", "regression"))
    columns = case.columns(2400)
    weight = np.where(np.asarray(columns["price"]) > np.asarray(columns["estimate"]), 3, 1)
    repeated = permuted(columns, np.repeat(np.arange(2400), weight))
    heavy, many = (
        {table.name: table for table in case.compute(data).tables}
        for data in (case.data({**columns, "weight": weight}, weight="weight"), case.data(repeated))
    )
    spread = [np.array(tables["error_quantiles"].rows, dtype=float)[1:-1] for tables in (heavy, many)]
    assert spread[0] == pytest.approx(spread[1], rel=0.05, abs=0.5)
