"""The comparison of two numeric columns, against scipy and numpy on every path it can take."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import ks_2samp, wasserstein_distance

from modelops.analyses.cores.arrow_numbers import float_chunks, numeric
from modelops.analyses.cores.grid import lay, sample_of
from modelops.analyses.cores.gridded_pair import pair_from_grid
from modelops.analyses.cores.kolmogorov_smirnov import SMALL, compare_numbers, kolmogorov_smirnov_statistic
from modelops.analyses.cores.numeric_pair import QUANTILES, NumericPair

ROWS = SMALL  # of each side: large enough for the path without sorting


def chunked(values: np.ndarray, pieces: int = 1) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(part) for part in np.array_split(values, pieces)])


def scipy_statistic(reference: np.ndarray, current: np.ndarray) -> float:
    kept = [side[~np.isnan(side)] if side.dtype.kind == "f" else side for side in (reference, current)]
    with warnings.catch_warnings(action="ignore"):  # of the p-value, which is not looked at here
        return float(ks_2samp(*kept, method="asymp").statistic)


def on_grid(reference: np.ndarray, current: np.ndarray) -> NumericPair | None:
    chunks = (float_chunks(chunked(reference, 3)), float_chunks(chunked(current, 2)))
    grid = lay(np.sort(np.concatenate([sample_of(part) for part in chunks])))
    if grid is None:
        return None
    return pair_from_grid(chunks, (len(reference), len(current)), grid, n_bins=10, codes=True)


values = st.one_of(
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, -0.0, 1.0, 2.0, np.inf, -np.inf, np.nan, 1e-300, 5e-324, 1e15, 3.0]),
)
samples = hnp.arrays(np.float64, st.integers(1, 120), elements=values).filter(lambda x: not np.isnan(x).all())


@settings(max_examples=300, deadline=None)
@given(samples, samples)
def test_statistic_by_grid_equals_scipy(reference, current):
    pair = on_grid(reference, current)
    if pair is not None:
        assert pair.statistic == pytest.approx(scipy_statistic(reference, current), abs=1e-12)


@settings(max_examples=300, deadline=None)
@given(samples, samples)
def test_statistic_by_sorting_equals_scipy(reference, current):
    found = kolmogorov_smirnov_statistic(reference, current)
    assert found == pytest.approx(scipy_statistic(reference, current), abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(samples, samples)
def test_both_paths_give_the_same_quantile_bins(reference, current):
    gridded, exact = on_grid(reference, current), compare_numbers(chunked(reference), chunked(current))
    if gridded is not None:
        assert gridded.quantile_bins.edges == pytest.approx(exact.quantile_bins.edges, rel=1e-12)
        assert np.array_equal(gridded.quantile_bins.reference, exact.quantile_bins.reference)
        assert np.array_equal(gridded.quantile_bins.current, exact.quantile_bins.current)


@settings(max_examples=100, deadline=None)
@given(samples, samples)
def test_codes_grow_with_the_values(reference, current):
    pair = on_grid(reference, current)
    if pair is not None:
        present = reference[~np.isnan(reference)]
        order = np.argsort(present, kind="stable")
        assert (np.diff(pair.codes[0][order].astype(int)) >= 0).all()


def made(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    normal = rng.normal(size=ROWS)
    return {
        "smooth": lambda: (normal, rng.normal(0.02, 1, ROWS + 7)),
        "heavy tails": lambda: (rng.standard_cauchy(ROWS), 1.05 * rng.standard_cauchy(ROWS)),
        "skewed": lambda: (np.exp(3 * normal), np.exp(3 * rng.normal(size=ROWS))),
        "half zeros": lambda: (
            np.where(rng.random(ROWS) < 0.5, 0, normal),
            np.where(rng.random(ROWS) < 0.52, 0, normal),
        ),
        "nearly all zero": lambda: (np.where(rng.random(ROWS) < 0.999, 0, normal), np.zeros(ROWS)),
        "rounded": lambda: (normal.round(2), rng.normal(size=ROWS).round(2)),
        "disjoint": lambda: (normal, normal + 100),
        "identical": lambda: (normal, normal),
        "constant": lambda: (np.ones(ROWS), np.ones(ROWS)),
        "two constants": lambda: (np.ones(ROWS), np.zeros(ROWS)),
        "missing": lambda: (np.where(rng.random(ROWS) < 0.3, np.nan, normal), normal),
        "infinities": lambda: (
            np.where(rng.random(ROWS) < 0.01, np.inf, normal),
            np.where(normal > 2, -np.inf, normal),
        ),
        "at the end of floats": lambda: (normal * 1e307, rng.normal(size=ROWS) * 1e307),
        "denormal": lambda: (normal * 1e-310, rng.normal(size=ROWS) * 1e-310),
        "one side tiny": lambda: (normal, rng.normal(size=3)),
        "small whole numbers": lambda: (rng.integers(0, 900, ROWS), rng.integers(0, 903, ROWS)),
        "negative whole numbers": lambda: (rng.integers(-500, -9, ROWS), rng.integers(-505, 0, ROWS)),
        "wide whole numbers": lambda: (rng.integers(0, 10**9, ROWS), rng.integers(0, 10**9 + 10**7, ROWS)),
        "beyond exact floats": lambda: (
            rng.integers(2**60, 2**60 + 70_000, ROWS),
            rng.integers(2**60, 2**60 + 71_000, ROWS),
        ),
        "few numbers": lambda: (rng.choice([0.1, 0.2, 0.3], ROWS), rng.choice([0.1, 0.2, 0.3], ROWS)),
        "whole against floating": lambda: (rng.integers(0, 50, ROWS), rng.normal(25, 15, ROWS)),
    }[kind]()


KINDS = (
    *(
        "smooth",
        "heavy tails",
        "skewed",
        "half zeros",
        "nearly all zero",
        "rounded",
        "disjoint",
        "identical",
        "constant",
    ),
    *(
        "two constants",
        "missing",
        "infinities",
        "at the end of floats",
        "denormal",
        "one side tiny",
        "small whole numbers",
    ),
    *("negative whole numbers", "wide whole numbers", "beyond exact floats", "few numbers", "whole against floating"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_statistic_of_large_columns_equals_scipy(kind):
    reference, current = made(kind, np.random.default_rng(1))
    pair = compare_numbers(chunked(reference, 4), chunked(current, 3))
    assert pair.statistic == pytest.approx(scipy_statistic(reference, current), abs=1e-12)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "at the end of floats"])
def test_summary_of_large_columns_equals_numpy(kind):
    for side, values in zip(("reference", "current"), made(kind, np.random.default_rng(2)), strict=True):
        pair = compare_numbers(*(chunked(each) for each in made(kind, np.random.default_rng(2))))
        summary, finite = getattr(pair, side), values[np.isfinite(values)].astype(np.float64)
        assert summary.mean == pytest.approx(finite.mean(), rel=1e-9, abs=1e-12 * np.abs(finite).max())
        assert summary.standard_deviation == pytest.approx(finite.std(ddof=1), rel=1e-9)
        assert (summary.minimum, summary.maximum) == (finite.min(), finite.max())
        assert summary.quantiles == pytest.approx(np.quantile(finite, QUANTILES), rel=1e-12)


@pytest.mark.parametrize(
    "kind", ["smooth", "heavy tails", "skewed", "half zeros", "rounded", "disjoint", "wide whole numbers"]
)
def test_wasserstein_distance_is_scipys_to_a_hundred_thousandth_of_a_deviation(kind):
    reference, current = made(kind, np.random.default_rng(3))
    pair = compare_numbers(chunked(reference), chunked(current))
    assert pair.wasserstein == pytest.approx(wasserstein_distance(reference, current), abs=1e-5 * reference.std())


def test_missing_and_infinite_values_are_counted():
    reference, current = made("infinities", np.random.default_rng(4))
    reference[:10] = np.nan
    pair = compare_numbers(chunked(reference), chunked(current))
    assert pair.reference.missing == 10
    assert pair.reference.infinite == np.isinf(reference).sum()
    assert pair.wasserstein is None


@pytest.mark.parametrize("offset", [0, 1, 7, 13])
def test_nulls_are_skipped_by_the_validity_bitmap_of_a_slice(offset):
    rng = np.random.default_rng(5)
    column = pa.array(rng.normal(size=2 * ROWS), mask=rng.random(2 * ROWS) < 0.2)
    sliced = pa.chunked_array([column.slice(offset, ROWS), column.slice(ROWS + offset, ROWS // 2)])
    other = rng.normal(size=ROWS)
    dense = sliced.drop_null().to_numpy()
    pair = compare_numbers(sliced, chunked(other))
    assert pair.reference.present == len(dense)
    assert pair.statistic == pytest.approx(scipy_statistic(dense, other), abs=1e-12)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "uint8", "uint32", "uint64", "float32", "float16"])
def test_every_numeric_type_is_compared(kind):
    rng = np.random.default_rng(6)
    reference, current = (rng.integers(0, 100, ROWS).astype(kind) for _ in range(2))
    pair = compare_numbers(chunked(reference), chunked(current))
    assert pair.statistic == pytest.approx(scipy_statistic(reference, current), abs=1e-12)


def test_decimals_are_numbers():
    column = pa.chunked_array([pa.array([1.5, 2.5, None]).cast(pa.decimal128(10, 2))])
    assert compare_numbers(column, column).reference.mean == 2.0


def test_times_are_seconds_since_1970():
    column = pa.chunked_array([pa.array([0, 86_400_000_000], pa.timestamp("us"))])
    assert compare_numbers(column, column).current.maximum == 86_400.0


def test_zoned_times_and_dates_are_the_same_instants():
    zoned = pa.chunked_array([pa.array([86_400], pa.timestamp("s", "Europe/Berlin"))])
    assert numeric(zoned).to_pylist() == numeric(pa.chunked_array([pa.array([1], pa.date32())])).to_pylist()


@pytest.mark.parametrize("rows", [5, 3 * SMALL])
def test_a_column_without_values_has_no_statistic(rows):
    nothing = pa.chunked_array([pa.nulls(rows, pa.float64())])
    pair = compare_numbers(chunked(np.arange(rows, dtype=np.float64)), nothing)
    assert (pair.statistic, pair.current.mean, pair.current.missing) == (None, None, rows)


def test_an_empty_table_has_no_statistic():
    pair = compare_numbers(pa.chunked_array([], pa.float64()), pa.chunked_array([], pa.float64()))
    assert (pair.statistic, pair.reference.rows) == (None, 0)


def test_overlay_counts_every_row_once():
    pair = compare_numbers(*(chunked(values) for values in made("heavy tails", np.random.default_rng(7))))
    assert pair.overlay.reference.sum() == pytest.approx(ROWS)


def test_few_distinct_values_keep_their_counts():
    reference, current = made("few numbers", np.random.default_rng(8))
    pair = compare_numbers(chunked(reference), chunked(current))
    assert pair.levels.tolist() == [0.1, 0.2, 0.3]
    assert pair.level_counts[1].tolist() == [(current == level).sum() for level in pair.levels]
