"""A learned contract holds on the table that it was learned from, whatever is in it, and at a known rate on others."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from modelops.analyses.base import Run
from modelops.analyses.data_contract import DEFINITIONS, DataContractParameters, data_contract
from modelops.analyses.data_contract.tails import Tails, rows_beyond
from modelops.domain.contract import Check, Contract, RangeRule
from modelops.errors import NotMeasured
from tests.analyses.samples import evaluation

LAWS = {
    "normal": lambda rng, rows: rng.normal(50, 10, rows),
    "uniform": lambda rng, rows: rng.random(rows),
    "exponential": lambda rng, rows: rng.exponential(1, rows),
    "gamma": lambda rng, rows: rng.gamma(0.3, 1, rows),
    "log-normal": lambda rng, rows: rng.lognormal(0, 1, rows),
    "long log-normal": lambda rng, rows: rng.lognormal(0, 3, rows),
    "Cauchy": lambda rng, rows: rng.standard_cauchy(rows),
    "t of 3": lambda rng, rows: rng.standard_t(3, rows),
    "Pareto": lambda rng, rows: rng.pareto(0.5, rows),
    "rare outliers": lambda rng, rows: np.where(rng.random(rows) < 0.01, 20, 1) * rng.normal(0, 1, rows),
    "mostly zero": lambda rng, rows: np.where(rng.random(rows) < 0.7, 0, rng.lognormal(0, 1.2, rows)),
    "rare counts": lambda rng, rows: rng.poisson(0.02, rows),
    "few counts": lambda rng, rows: rng.poisson(0.3, rows),
    "counts": lambda rng, rows: rng.poisson(5, rows),
    "long counts": lambda rng, rows: rng.zipf(2.2, rows),
    "rating": lambda rng, rows: rng.choice([1, 2, 3], rows, p=[0.97, 0.02, 0.01]),
    "levels": lambda rng, rows: rng.choice([*"abcdef"], rows, p=[0.5, 0.3, 0.15, 0.04, 0.008, 0.002]),
    "gaps": lambda rng, rows: np.where(rng.random(rows) < 0.03, np.nan, rng.normal(0, 1, rows)),
    "infinite": lambda rng, rows: np.where(rng.random(rows) < 0.02, np.inf, rng.normal(0, 1, rows)),
}
ROWS = 500


def held(columns, reference=None, *, contract=None, **parameters):
    roles = {"features": tuple(columns)}
    data = evaluation(columns, reference=reference, **roles)
    text = contract.text if contract else ""
    return data_contract(data, DataContractParameters(contract=text, **parameters), Run(seed=0))


def learned(reference, **parameters):
    table = next(t for t in held(reference, reference, **parameters).tables if t.name == DEFINITIONS)
    return Contract(name="Learned", checks=tuple(Check.model_validate_json(row[1]) for row in table.rows))


def value(found, metric):
    return next(one.value for one in found.measurements if one.metric == metric)


def column(rows, seed):
    """A column of ``rows`` values of one of many kinds, with gaps or without."""
    rng = np.random.default_rng(seed)

    def numbers(law):
        return st.just(np.asarray(LAWS[law](rng, rows), dtype=object if law == "levels" else None))

    day = dt.date(2020, 1, 1)
    texts = st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=rows, max_size=rows)
    cells = st.floats(allow_nan=True, allow_infinity=True)
    return st.one_of(
        st.sampled_from(sorted(LAWS)).flatmap(numbers),
        st.lists(st.one_of(st.none(), cells), min_size=min(rows, 40), max_size=min(rows, 40)).map(
            lambda few: np.array([np.nan if one is None else one for one in few])[np.arange(rows) % len(few)]
        ),
        st.sampled_from([0.0, -1.5, 1e300, np.inf, np.nan]).map(lambda one: np.full(rows, one)),
        st.sampled_from([0, 2**62, -(2**53) - 1]).map(lambda one: np.full(rows, one)),
        texts if rows <= 60 else st.just([f"level {one}" for one in rng.integers(0, 10_000, rows)]),
        st.just([None] * rows).map(lambda none: pa.chunked_array([pa.array(none, pa.float64())])),
        st.just([day + dt.timedelta(days=int(one)) for one in rng.integers(0, 900, rows)]),
        st.just([bool(one) for one in rng.random(rows) < 0.01]),
        st.just(["x" * 600 if one else "short" for one in rng.random(rows) < 0.5]),
        st.just(np.where(np.arange(rows) < rows - 1, rng.random(rows), 1e308)),
        st.just(np.where(np.arange(rows) < rows - 1, 1e-300, 3e-300)),
        st.just(np.where(rng.random(rows) < 0.5, -1.7e308, 1.7e308)),
        st.floats(1e307, 1.79e308).map(lambda most: np.where(rng.random(rows) < 0.5, 0.0, most)),
        st.just(np.arange(rows)),
    )


@st.composite
def tables(draw):
    rows = draw(st.sampled_from([10, 25, 60, 400]))
    number = draw(st.integers(1, 4))
    return {f"c{place}": draw(column(rows, draw(st.integers(0, 999)))) for place in range(number)}


@settings(max_examples=100, deadline=None)
@given(tables(), st.sampled_from([100, 100_000]))
def test_a_learned_contract_holds_on_its_own_table(reference, used):
    try:
        found = held(reference, reference, rows=used)
    except NotMeasured as nothing:
        assert "too few values" in str(nothing)  # noqa: PT017
        return
    assert value(found, "contract_broken_check_share") == 0, found.tables[0].rows[0]


def test_a_column_of_ten_thousand_categories_is_kept_by_its_own_table():
    rng = np.random.default_rng(0)
    reference = {"place": [f"place {one}" for one in rng.zipf(1.3, 20_000) % 10_000]}
    found = held(reference, reference)
    assert value(found, "contract_broken_check_share") == 0
    assert {"place: type", "place: missing rate"} == {check.id for check in learned(reference).checks}


def test_the_smallest_numbers_that_there_are_have_a_range():
    reference = {"tiny": [5e-324 * number for number in range(20)]}
    assert value(held(reference, reference), "contract_broken_check_share") == 0


def test_rows_that_were_not_drawn_loosen_what_the_drawn_ones_teach():
    # One value in 20,000 that a draw of 200 rows does not have, and one that is missing.
    values = np.random.default_rng(0).uniform(0, 1, 20_000)
    values[3], values[7] = 1e6, np.nan
    contract = learned({"a": values}, rows=200)
    assert contract.check("a: range").rule.high == 1e6
    assert contract.check("a: missing rate").rule.at_most == 1 / 20_000
    assert contract.check("a: range").why.endswith("Loosened so that the whole reference keeps it.")
    assert value(held({"a": values}, contract=contract), "contract_broken_check_share") == 0


def test_a_rule_between_columns_that_a_row_that_was_not_drawn_breaks_is_not_learned():
    low = np.random.default_rng(0).uniform(0, 1, 20_000)
    high = low + np.random.default_rng(1).exponential(0.2, low.size)
    assert "low <= high" in {check.id for check in learned({"low": low, "high": high}, rows=200).checks}
    high[3] = low[3] - 1
    assert "low <= high" not in {check.id for check in learned({"low": low, "high": high}, rows=200).checks}


@pytest.mark.parametrize("law", LAWS)
def test_other_tables_of_the_same_law_are_seldom_broken(law):
    # 200 pairs of tables. The rates in the documentation are of the same laws: benchmarks/learned_contracts.py.
    broken = 0
    for seed in range(200):
        rng = np.random.default_rng([seed, 7])
        reference, other = ({"a": LAWS[law](rng, ROWS)} for _ in range(2))
        broken += value(held(other, reference), "contract_broken_check_share") > 0
    assert broken / 200 <= 0.05


@pytest.mark.parametrize(
    ("n_values", "n_open", "rows"), [(1_000, 1, 200), (1_000, 2, 200), (60, 2, 6), (90_000, 1, 200)]
)
def test_as_many_rows_lie_beyond_as_the_order_of_values_says(n_values, n_open, rows):
    # Against a draw of ranks: where `rows` new values fall among `n_values` old ones, whatever the law.
    most = rows_beyond(n_values, n_open, rows=rows, chance=0.001)
    assert betabinom.sf(most, rows, n_open, n_values + 1 - n_open) <= 0.001
    rng = np.random.default_rng(0)
    below = rng.beta(n_open, n_values + 1 - n_open, 200_000)
    beyond = rng.binomial(rows, below)
    assert np.mean(beyond > most) <= 0.0013
    assert np.mean(beyond > most - 1) > 0.001


@pytest.mark.parametrize(
    ("law", "is_open"),
    [("uniform", False), ("normal", False), ("Cauchy", True), ("Pareto", True), ("few counts", True)],
)
def test_an_end_is_open_where_nothing_says_how_far_values_reach(law, is_open):
    ends = Tails.of(np.asarray(LAWS[law](np.random.default_rng(1), 5_000), dtype=float), rows=200, chance=0.001)
    assert (ends.above is None) == is_open


@pytest.mark.parametrize("values", [[0, 1] * 300, [1, 2, 3, 4, 5] * 100, [7] * 50])
def test_a_scale_that_ends_gets_neither_room_nor_tolerance(values):
    assert learned({"a": values}).check("a: range").rule == RangeRule(column="a", low=min(values), high=max(values))


def test_numbers_from_a_wide_range_that_do_not_repeat_name_no_rows():
    amounts = np.random.default_rng(0).choice(10**9, 300, replace=False)
    assert {check.id for check in learned({"amount": amounts}).checks} == {
        "amount: type",
        "amount: missing rate",
        "amount: range",
    }


def test_numbers_of_rows_are_unique_and_have_no_range():
    checks = {check.id for check in learned({"row": np.arange(40_000, 40_300)}).checks}
    assert checks == {"row: type", "row: missing rate", "row: unique"}


def test_a_share_of_wrong_units_still_breaks_a_range_with_a_heavy_tail():
    rng = np.random.default_rng(3)
    reference = {"amount": rng.lognormal(0, 3, 2_000)}
    data = {"amount": np.r_[-rng.lognormal(0, 3, 50), rng.lognormal(0, 3, 950)]}
    assert value(held(data, reference), "contract_broken_check_share") > 0
