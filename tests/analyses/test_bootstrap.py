import numpy as np
import pytest
from scipy import stats

from modelops.analyses.cores.confusion_counts import cell_counts, resampled_counts
from modelops.analyses.statistics.bootstrap import (
    Resampling,
    Uncertainty,
    bca_interval,
    counts_intervals,
    draws_of_means,
    percentile_interval,
    stratified_bootstrap,
)
from modelops.analyses.statistics.rates import composed_metrics
from modelops.errors import InvalidInput


def uncertainty(seed=0, draws=1000):
    return Uncertainty(np.random.default_rng(seed), draws)


def rows_of(counts):
    truth, predicted = [], []
    for label in range(2):
        for prediction in range(2):
            truth += [label] * int(counts[label, prediction])
            predicted += [prediction] * int(counts[label, prediction])
    return np.array(truth), np.array(predicted)


def f1_of_rows(truth, predicted):
    return 2 * np.sum(truth & predicted) / (np.sum(truth) + np.sum(predicted))


COUNTS = np.array([[60.0, 12.0], [9.0, 19.0]])


def test_drawn_counts_have_the_law_of_resampled_rows():
    truth, predicted = rows_of(COUNTS)
    rng = np.random.default_rng(1)
    by_rows = np.array([f1_of_rows(truth[i], predicted[i]) for i in (rng.integers(0, 100, 100) for _ in range(2000))])
    by_counts = composed_metrics(resampled_counts(COUNTS, draws=2000, rng=rng))[:, 1]
    assert stats.ks_2samp(by_rows, by_counts).pvalue > 0.001
    assert by_counts.std() == pytest.approx(by_rows.std(), rel=0.08)


def test_counts_drawn_within_groups_have_the_law_of_rows_resampled_within_groups():
    counts = np.stack([COUNTS, [[4.0, 1.0], [2.0, 3.0]]])
    truth, predicted = zip(*(rows_of(group) for group in counts), strict=True)
    rng = np.random.default_rng(2)

    def gap_of_rows():
        drawn = [rng.integers(0, len(labels), len(labels)) for labels in truth]
        shares = [
            np.mean(labels[rows] == said[rows]) for labels, said, rows in zip(truth, predicted, drawn, strict=True)
        ]
        return shares[0] - shares[1]

    by_rows = np.array([gap_of_rows() for _ in range(4_000)])
    drawn = resampled_counts(counts, draws=4_000, rng=rng, strata=1)
    right = np.trace(drawn, axis1=2, axis2=3) / drawn.sum(axis=(2, 3))
    by_counts = right[:, 0] - right[:, 1]
    # Both have few distinct values, so the test for tables, not the one for continuous laws.
    values, inverse = np.unique(np.concatenate([by_rows, by_counts]).round(9), return_inverse=True)
    table = np.stack([np.bincount(part, minlength=len(values)) for part in np.split(inverse, 2)])
    common = table.sum(axis=0) >= 20
    pooled = np.column_stack([table[:, common], table[:, ~common].sum(axis=1)])
    assert stats.chi2_contingency(pooled[:, pooled.sum(axis=0) > 0]).pvalue > 0.001
    assert by_counts.std() == pytest.approx(by_rows.std(), rel=0.05)


def test_strata_keep_their_totals():
    counts = np.stack([COUNTS, COUNTS * 3, np.zeros((2, 2))])
    drawn = resampled_counts(counts, draws=50, rng=np.random.default_rng(0), strata=1)
    assert (drawn.sum(axis=(2, 3)) == [100, 300, 0]).all()


def test_a_design_effect_draws_fewer_rows():
    drawn = resampled_counts(COUNTS, draws=10, rng=np.random.default_rng(0), design_effect=4)
    assert (drawn.sum(axis=(1, 2)) == 25).all()


def test_cells_are_counted_with_weights():
    weights = np.array([0.5, 2.0, 1.0])
    found = cell_counts([np.array([0, 1, 1]), np.array([0, 1, 1])], [2, 2], weights=weights)
    assert found.tolist() == [[0.5, 0.0], [0.0, 3.0]]


def test_a_code_outside_its_axis_is_refused():
    with pytest.raises(InvalidInput, match="codes from 0 to 2"):
        cell_counts([np.array([0, 2])], [2])


def test_bca_equals_scipy_on_the_same_statistic():
    values = np.random.default_rng(3).exponential(size=80)
    rng = np.random.default_rng(4)
    draws = np.array([values[rng.integers(0, 80, 80)].mean() for _ in range(20_000)])
    left_out = (values.sum() - values) / 79
    found = bca_interval(values.mean(), draws, left_out, np.ones(80))
    expected = stats.bootstrap((values,), np.mean, n_resamples=20_000, rng=np.random.default_rng(5), method="BCa")
    assert found == pytest.approx(list(expected.confidence_interval), rel=0.01)


def test_the_interval_of_f1_from_counts_is_that_from_rows():
    truth, predicted = rows_of(COUNTS)
    (found,) = counts_intervals(COUNTS, lambda c: composed_metrics(c)[..., 1:2], uncertainty(draws=5000))
    expected = stats.bootstrap(
        (truth, predicted),
        f1_of_rows,
        paired=True,
        vectorized=False,
        n_resamples=1000,
        rng=np.random.default_rng(6),
        method="BCa",
    ).confidence_interval
    assert found == pytest.approx(list(expected), abs=0.02)


def test_no_errors_at_all_are_no_certainty():
    (low, high) = counts_intervals(np.diag([20.0, 10.0]), lambda c: composed_metrics(c)[..., :1], uncertainty())[0]
    assert high == 1.0
    assert 0.8 < low < 0.99


def test_a_statistic_that_is_not_defined_has_no_interval():
    found = counts_intervals(
        np.array([[30.0, 0.0], [0.0, 0.0]]), lambda c: composed_metrics(c)[..., 1:2], uncertainty()
    )
    assert found == (None,)


@pytest.mark.parametrize("rows", [400, 20_000])
def test_the_interval_of_a_mean_is_that_of_the_textbook_however_many_rows(rows):
    values = np.random.default_rng(7).normal(3, 2, rows)
    low, high = percentile_interval(draws_of_means(values[:, None], uncertainty(draws=4000))[:, 0])
    half = 1.96 * values.std(ddof=1) / np.sqrt(rows)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=half * 0.1)


def test_the_order_of_the_rows_does_not_change_the_draws():
    columns = np.random.default_rng(8).normal(size=(200, 2))
    assert np.array_equal(draws_of_means(columns, uncertainty()), draws_of_means(columns[::-1], uncertainty()))


def test_strata_of_rows_keep_their_size():
    strata = np.array([0] * 7 + [1] * 3)
    drawn = stratified_bootstrap(
        lambda rows: float(np.count_nonzero(strata[rows] == 1)),
        Resampling(strata),
        rng=np.random.default_rng(0),
        draws=20,
    )
    assert (drawn == 3).all()


def test_whole_entities_are_drawn_and_widen_the_interval():
    rng = np.random.default_rng(9)
    entities = np.repeat(np.arange(50), 10)
    values = np.repeat(rng.normal(size=50), 10)
    plain = Resampling(np.zeros(500, dtype=int))
    whole = Resampling(np.zeros(500, dtype=int), entities)
    narrow, wide = (
        stratified_bootstrap(lambda rows: values[rows].mean(), plan, rng=np.random.default_rng(1), draws=400).std()
        for plan in (plain, whole)
    )
    assert wide / narrow == pytest.approx(np.sqrt(10), rel=0.15)


def test_half_undefined_draws_give_no_interval():
    assert percentile_interval(np.array([1.0, np.nan, np.nan])) is None
