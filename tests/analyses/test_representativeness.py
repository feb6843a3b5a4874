"""Representativeness: against a table and stated shares, by independent libraries and published figures."""

import math
import time

import numpy as np
import pytest
from scipy.stats import binomtest, chi2_contingency, chisquare
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from modelops.analyses.base import Run
from modelops.analyses.representativeness import RepresentativenessParameters, representativeness
from modelops.analyses.representativeness.stated import stated_shares
from modelops.analyses.statistics.sample_size import margin_of_error, rows_for_precision
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import evaluation


def rows_of(**counts):
    """Return a column with so many rows of each level."""
    return [level for level, count in counts.items() for _ in range(count)]


def compared(columns, population=None, *, weight=None, parameters=None, sensitive=(), ids=(), time=None):
    roles = {"features": tuple(name for name in columns if name not in {weight, *ids}), "sensitive": sensitive}
    data = evaluation(columns, reference=population, weight=weight, ids=ids, **roles)
    return representativeness(data, RepresentativenessParameters(**(parameters or {})), Run())


def find(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def of_group(found, metric, **group):
    return find(found, metric, group=group)


def test_a_difference_from_a_table_has_newcombes_interval():
    # Published (Newcombe 1998): 56 of 70 against 48 of 80, 0.0524 to 0.3339.
    found = compared({"a": rows_of(x=56, y=14)}, {"a": rows_of(x=48, y=32)})
    one = of_group(found, "group_share_difference", a="x")
    assert one.value == pytest.approx(0.2)
    assert one.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert of_group(found, "group_share_p_value", a="x").value == pytest.approx(
        proportions_ztest([56, 48], [70, 80])[1], rel=1e-9
    )


def test_a_difference_from_a_stated_share_has_wilsons_interval():
    # Published (Wilson): 81 of 263, 0.2553 to 0.3662.
    found = compared({"a": rows_of(x=81, y=182)}, parameters={"shares": ("a: x = 0.25", "a: y = 75 %")})
    one = of_group(found, "group_share_difference", a="x")
    assert one.interval == pytest.approx((0.2553 - 0.25, 0.3662 - 0.25), abs=5e-5)
    low, high = proportion_confint(81, 263, method="wilson")
    assert of_group(found, "representation_ratio", a="x").interval == pytest.approx((low / 0.25, high / 0.25))


def test_few_expected_rows_are_judged_by_the_exact_binomial_test():
    found = compared({"a": rows_of(x=4, y=46)}, parameters={"shares": ("a: x = 0.02", "a: y = 0.98")})
    assert of_group(found, "group_share_p_value", a="x").value == pytest.approx(binomtest(4, 50, 0.02).pvalue)


def test_a_column_is_tested_for_homogeneity_against_a_table():
    counts = np.array([[300, 450, 250], [420, 380, 200]])
    found = compared({"a": rows_of(x=420, y=380, z=200)}, {"a": rows_of(x=300, y=450, z=250)})
    test = chi2_contingency(counts, correction=False)
    assert find(found, "chi_squared_statistic", feature="a").value == pytest.approx(test.statistic)
    assert find(found, "chi_squared_p_value", feature="a").value == pytest.approx(test.pvalue)
    assert find(found, "cramers_v", feature="a").value == pytest.approx(math.sqrt(test.statistic / 2000))


def test_a_column_is_tested_for_goodness_of_fit_against_stated_shares():
    found = compared(
        {"a": rows_of(x=50, y=30, z=20)}, parameters={"shares": ("a: x = 0.4", "a: y = 0.35", "a: z = 0.25")}
    )
    test = chisquare([50, 30, 20], [40, 35, 25])
    assert find(found, "chi_squared_statistic", feature="a").value == pytest.approx(test.statistic)
    assert find(found, "chi_squared_p_value", feature="a").value == pytest.approx(test.pvalue)
    assert find(found, "cohens_w", feature="a").value == pytest.approx(math.sqrt(test.statistic / 100))


def test_p_values_are_adjusted_over_all_groups():
    rng = np.random.default_rng(0)
    columns = {f"c{i}": list(rng.choice(["u", "v", "w"], 500)) for i in range(4)}
    population = {f"c{i}": list(rng.choice(["u", "v", "w"], 700, p=[0.3, 0.3, 0.4])) for i in range(4)}
    found = compared(columns, population)
    raw = [one.value for one in found.measurements if one.metric == "group_share_p_value"]
    adjusted = [one.value for one in found.measurements if one.metric == "group_share_adjusted_p_value"]
    assert adjusted == pytest.approx(multipletests(raw, method="fdr_bh")[1].tolist())


def test_a_planted_gap_is_found_and_named():
    rng = np.random.default_rng(1)
    population = {"sex": list(rng.choice(["f", "m"], 20_000)), "region": list(rng.choice(["n", "s", "w"], 20_000))}
    data = {
        "sex": list(rng.choice(["f", "m"], 2_000, p=[0.35, 0.65])),
        "region": list(rng.choice(["n", "s", "w"], 2_000)),
    }
    found = compared(data, population, sensitive=("sex",))
    assert "most of all sex:" in found.summary
    off = {row[0] for row in found.tables[0].rows if row[8]}
    assert off == {"sex: f", "sex: m"}


def test_samples_of_the_population_seldom_alarm():
    # 100 samples without any difference, 12 groups each: with the false discovery rate at 5 % about 5 may alarm; 10 and
    # more have a probability under 3 %.
    def drawn(rows, rng):
        return {f"c{i}": list(rng.choice(["u", "v", "w"], rows)) for i in range(4)}

    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        found = compared(drawn(300, rng), drawn(600, rng), parameters={"margin": 0.0})
        alarms += any(row[8] for row in found.tables[0].rows)
    assert alarms < 10


def test_a_real_difference_below_the_margin_does_not_count():
    rows = 40_000
    found = compared({"a": rows_of(x=rows // 2 + 800, y=rows // 2 - 800)}, {"a": rows_of(x=rows // 2, y=rows // 2)})
    assert of_group(found, "group_share_adjusted_p_value", a="x").value < 0.001
    assert find(found, "misrepresented_group_share").value == 0
    assert "2 differ by more than chance, but by less than matters" in found.summary


def test_groups_that_are_absent_or_unknown_are_findings_of_their_own():
    found = compared({"a": rows_of(x=60, new=40)}, {"a": rows_of(x=700, gone=300)})
    coverage = find(found, "population_coverage", feature="a")
    assert (coverage.value, coverage.note) == (pytest.approx(0.7), "absent: a: gone")
    assert find(found, "absent_group_count", feature="a").value == 1
    assert find(found, "unknown_group_share", feature="a").value == pytest.approx(0.4)
    assert find(found, "smallest_group_rows").value == 0
    assert of_group(found, "representation_ratio", a="new").value is None


def test_a_group_that_the_population_does_not_have_is_not_asked_for_rows():
    found = compared({"a": rows_of(x=400, y=390, typo=3)}, {"a": rows_of(x=700, y=700)}, sensitive=("a",))
    assert find(found, "smallest_sensitive_group_rows").value == 390
    assert [str(one.verdict) for one in verdicts(found, "representativeness.smallest_group")] == ["passed"]
    assert find(found, "unknown_group_share", feature="a").note == "3 rows"


def test_a_small_sensitive_group_fails_and_a_rare_level_of_another_column_does_not():
    data = {"sex": rows_of(f=485, m=15), "goods": ["usual"] * 499 + ["rare"]}
    told = verdicts(compared(data, sensitive=("sex",)), "representativeness.smallest_group")
    assert [str(one.verdict) for one in told] == ["failed"]
    told = verdicts(compared(data), "representativeness.smallest_group")
    assert [str(one.verdict) for one in told] == ["not enough data"]


def test_numbers_are_cut_at_the_populations_quantiles():
    rng = np.random.default_rng(2)
    found = compared({"age": rng.integers(18, 40, 300)}, {"age": rng.integers(18, 90, 3_000)})
    shares = [
        one for one in found.measurements if one.metric == "group_share" and one.scope.get("table") == "reference"
    ]
    assert len(shares) == 5
    assert all(one.value == pytest.approx(0.2, abs=0.05) for one in shares)
    assert find(found, "misrepresented_group_share").value == 1


def test_weights_count_in_shares_and_widen_intervals():
    # Weight 3 for x makes 60 of 180 rows' weight... by hand: x has 3 * 50, y has 1 * 150: one half each.
    columns = {"a": rows_of(x=50, y=150), "w": [3.0] * 50 + [1.0] * 150}
    found = compared(columns, {"a": rows_of(x=500, y=500)}, weight="w")
    one = of_group(found, "group_share", a="x")
    assert one.value == pytest.approx(0.5)
    # Kish: 300**2 / (50 * 9 + 150) = 150 rows of equal weight.
    assert one.interval == pytest.approx(proportion_confint(75, 150, method="wilson"))
    assert any("weighted by w" in note for note in found.notes)


def test_a_list_of_strata_with_weights_is_a_population():
    strata = {"a": ["x", "y", "z"], "w": [600.0, 300.0, 100.0]}
    found = compared({"a": rows_of(x=60, y=30, z=10), "w": [1.0] * 100}, strata, weight="w")
    assert find(found, "group_share", group={"a": "x"}, table="reference").value == pytest.approx(0.6)
    assert of_group(found, "group_share_difference", a="x").value == pytest.approx(0.0)


def test_repeated_entities_count_as_fewer_rows():
    groups = np.repeat(np.random.default_rng(3).choice(["x", "y"], 100), 10)
    columns = {"a": list(groups), "who": np.repeat(np.arange(100), 10)}
    population = {"a": rows_of(x=500, y=500), "who": np.arange(1000)}
    narrow = compared({"a": list(groups)}, {"a": population["a"]})
    wide = compared(columns, population, ids=("who",))
    widths = [np.ptp(of_group(found, "group_share", a="x").interval) for found in (narrow, wide)]
    assert widths[1] > 2.5 * widths[0]


def test_two_sensitive_columns_are_looked_at_together():
    # Each column alone is as in the population; women of the south are missing.
    data = {"sex": rows_of(f=100, m=100), "region": rows_of(n=100, s=100)}
    population = {"sex": rows_of(f=100, m=100), "region": ["n", "s"] * 100}
    found = compared(data, population, sensitive=("sex", "region"))
    assert of_group(found, "group_share_difference", sex="f").value == 0
    one = of_group(found, "group_share_difference", sex="f", region="s")
    assert one.value == pytest.approx(-0.25)
    assert of_group(found, "group_rows", sex="f", region="s").value == 0
    alone = compared(data, population, sensitive=("sex", "region"), parameters={"intersections": False})
    assert all(len(one.scope.get("group", {})) < 2 for one in alone.measurements)


def test_what_is_stated_says_nothing_of_two_columns_together():
    shares = ("sex: f = 0.5", "sex: m = 0.5")
    data = {"sex": rows_of(f=60, m=40), "region": ["n", "s"] * 50}
    found = compared(data, sensitive=("sex", "region"), parameters={"shares": shares})
    assert "do not say how they go together" in of_group(found, "group_share_difference", sex="f", region="n").note
    assert "No population is given" in of_group(found, "group_share_difference", region="n").note
    assert of_group(found, "group_share_difference", sex="f").value == pytest.approx(0.1)


def test_without_a_population_the_sizes_are_still_measured():
    found = compared({"a": rows_of(x=95, y=5)})
    assert find(found, "smallest_group_rows").value == 5
    assert find(found, "misrepresented_group_share").value is None
    assert "No population is given" in found.summary
    assert "No population is given" in find(found, "chi_squared_p_value", feature="a").note


@pytest.mark.parametrize("precision", [0.03, 0.05, 0.1, 0.2])
def test_the_rows_that_a_precision_needs_are_the_fewest_that_reach_it(precision):
    # Against statsmodels: the widest Wilson interval of a rate, at one half.
    def half(rows):
        low, high = proportion_confint(rows / 2, rows, method="wilson")
        return (high - low) / 2

    rows = rows_for_precision(precision)
    assert half(rows) <= precision < half(rows - 1)
    assert margin_of_error(rows) == pytest.approx(half(rows))


def test_a_sample_is_enough_when_its_rarest_group_is():
    found = compared({"a": rows_of(x=90, y=10)}, {"a": rows_of(x=950, y=50)}, parameters={"precision": 0.1})
    assert find(found, "rows_needed_in_group").value == 93
    assert find(found, "rows_needed").value == math.ceil(93 / 0.05)
    assert "decided by a: y" in find(found, "rows_needed").note


def test_missing_values_are_left_out_and_measured():
    found = compared({"a": [*rows_of(x=50, y=30), *[None] * 20]}, {"a": rows_of(x=500, y=500)})
    assert of_group(found, "group_share", a="x").value == pytest.approx(50 / 80)
    assert find(found, "missing_rate", feature="a").value == pytest.approx(0.2)
    assert find(found, "missing_rate_difference", feature="a").value == pytest.approx(0.2)


def test_a_column_with_many_levels_keeps_the_largest_of_the_population():
    rng = np.random.default_rng(5)
    names = [f"v{i:03d}" for i in range(200)]
    found = compared({"a": list(rng.choice(names, 500))}, {"a": list(rng.choice(names, 5_000))})
    groups = {one.scope["group"]["a"] for one in found.measurements if one.metric == "group_rows"}
    assert len(groups) == 30
    assert "(other)" in groups


def test_the_longest_share_is_read_at_once():
    began = time.process_time()
    for text in ("a:" + " " * 1_990 + "=1   x", " :" * 500 + " =" * 500, ":" * 1_000 + "=" * 1_000):
        with pytest.raises(InvalidInput, match="expected it as in"):
            stated_shares([text])
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("sex female 0.5",), "expected it as in"),
        (("sex: female = half",), "expected"),
        (("sex: female = 1.5",), "between 0 and 1"),
        (("sex: female = 0.6", "sex: male = 0.6"), "add up to 1.2"),
        (("sex: female = 0.5", "sex: female = 0.5"), "stated twice"),
    ],
)
def test_a_share_that_cannot_be_is_refused(given, said):
    with pytest.raises(InvalidInput, match=said):
        stated_shares(given)


def test_what_is_left_of_one_belongs_to_the_others():
    found = compared({"a": rows_of(x=40, y=30, z=30)}, parameters={"shares": ("a: x = 0.4",)})
    assert of_group(found, "group_share_difference", a="(other)").value == pytest.approx(0.0)


def test_a_stated_column_that_the_data_lacks_is_refused():
    with pytest.raises(InvalidInput, match="no column 'b'"):
        compared({"a": ["x"]}, parameters={"shares": ("b: x = 1",)})


def test_a_table_without_groups_is_not_measured():
    data = evaluation({"a": ["x"]})
    with pytest.raises(NotMeasured, match="no groups"):
        representativeness(data, RepresentativenessParameters(), Run())
