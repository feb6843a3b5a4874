"""Data quality: planted flaws are found as they were planted, clean data gives no alarm, nothing personal is shown."""

import json
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from statsmodels.stats.stattools import medcouple as reference_medcouple

from modelops.analyses.base import Run
from modelops.analyses.data_quality import DATA_QUALITY, DataQualityParameters
from modelops.analyses.data_quality import check_digits as checks
from modelops.analyses.data_quality.numbers import medcouple, number_profile, without_codes
from modelops.analyses.data_quality.personal import by_name, by_pattern
from modelops.analyses.data_quality.texts import levels_of, text_profile
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import arrow, evaluation


def examined(columns, task=Task.CLASSIFICATION, parameters=None, **roles):
    roles.setdefault("features", tuple(name for name in columns if name not in roles.values()))
    found = DATA_QUALITY.compute(
        evaluation(columns, task=task, **roles), DataQualityParameters(**(parameters or {})), Run()
    )
    return Found(found)


class Found:
    def __init__(self, computed):
        self.computed = computed
        self._values = {(one.metric, json.dumps(one.scope)): one for one in computed.measurements}

    def one(self, metric, **scope):
        return self._values[metric, json.dumps(scope)]

    def of(self, metric, feature):
        return self.one(metric, feature=feature).value

    def table(self, name):
        return next(table for table in self.computed.tables if table.name == name)


def clean(rows=2000, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "amount": rng.lognormal(3, 0.6, rows),
        "visits": rng.poisson(4, rows),
        "channel": list(rng.choice(["web", "shop", "phone"], rows)),
        "bought": list(rng.choice(["no", "yes"], rows)),
    }


def test_clean_data_raises_nothing():
    found = examined(clean(), target="bought")
    stands_out = [row[0] for table in found.computed.tables if table.name == "issues" for row in table.rows]
    assert set(stands_out) <= {"outliers"}
    for metric in ("missing_cell_rate", "disguised_missing_cell_rate", "constant_feature_count",
                   "id_like_feature_count", "personal_data_column_count", "duplicate_row_rate"):  # fmt: skip
        assert found.one(metric).value == 0, metric
    assert found.one("labelled_rate").value == 1
    for column in ("channel", "bought"):
        for metric in ("mixed_type_rate", "inconsistent_spelling_rate", "damaged_text_rate", "personal_data_rate"):
            assert found.of(metric, column) == 0


# Missing values


def test_mixed_spellings_of_missing_are_counted_once_each():
    spellings = ["NA", "n/a", "?", "-", "none", " N/A ", "null"]
    found = examined({"job": ["clerk"] * 13 + spellings, "x": list(range(20))})
    assert found.of("disguised_missing_rate", "job") == 7 / 20
    assert found.of("missing_rate", "job") == 0
    assert found.of("effective_missing_rate", "job") == 7 / 20
    assert found.of("distinct_count", "job") == 1


@pytest.mark.parametrize(("code", "values"), [(-999, "0..80"), (9999, "0..80"), (-1, "0..80"), (999, "18..70")])
def test_numbers_that_stand_for_missing_are_found_and_left_out_of_the_range(code, values):
    low, high = map(int, values.split(".."))
    ages = np.random.default_rng(1).integers(low, high, 300)
    found = examined({"age": np.r_[ages, [code] * 15], "x": np.arange(315)})
    assert found.of("disguised_missing_rate", "age") == pytest.approx(15 / 315)
    assert found.of("minimum", "age") == ages.min()
    assert found.of("maximum", "age") == ages.max()
    assert found.of("mean", "age") == pytest.approx(ages.mean())


def test_several_codes_are_taken_off_both_ends():
    kept, codes = without_codes(np.sort([-999.0] * 5 + [9999.0] * 4 + [-99.0] * 3 + list(range(50))), times=False)
    assert dict(codes) == {-999.0: 5, -99.0: 3, 9999.0: 4}
    assert kept.tolist() == list(range(50))


@pytest.mark.parametrize("values", [[97.0, 98.0, 99.0, 99.0, 100.0], [-1.0, -1.0, -0.5, 0.0, 1.0], [999.0, 1.0, 2.0]])
def test_a_number_among_its_like_does_not_stand_for_missing(values):
    assert without_codes(np.sort(values), times=False)[1] == ()


def test_a_date_that_stands_for_missing_is_found():
    days = pd.date_range("2024-01-01", periods=100, freq="D")
    found = examined({"seen": np.r_[days.to_numpy(), [np.datetime64("1900-01-01", "ns")] * 10], "x": np.arange(110)})
    assert found.of("disguised_missing_rate", "seen") == pytest.approx(10 / 110)


def test_the_chart_of_missing_values_has_no_bars_for_what_does_not_occur():
    (chart,) = [one for one in examined({"a": [1.5, None, 2.5]}).computed.curves if one.name == "missing"]
    assert [series.name for series in chart.series] == ["no value"]


def test_none_alone_may_be_an_answer_and_is_said_to_be_one():
    found = examined({"pets": ["dog"] * 8 + ["none"] * 2})
    assert found.of("disguised_missing_rate", "pets") == 0
    assert "'none' 2" in found.one("disguised_missing_rate", feature="pets").note
    assert ("may stand for missing", "pets") in [row[:2] for row in found.table("issues").rows]


def test_a_person_says_what_is_missing_and_what_is_an_answer():
    columns = {"pets": ["dog"] * 8 + ["none", "n/a", "nix"]}
    parameters = {"answers": ("none",), "missing_values": ("Nix",)}
    assert examined(columns, parameters=parameters).of("disguised_missing_rate", "pets") == 2 / 11


def test_infinite_values_are_counted_apart():
    found = examined({"ratio": [1.0, 2.0, np.inf, -np.inf]})
    assert found.of("infinite_rate", "ratio") == 0.5
    assert found.of("maximum", "ratio") == 2


# Numbers


@pytest.mark.parametrize("seed", range(5))
def test_the_medcouple_agrees_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=101), rng.lognormal(size=200), rng.integers(0, 8, 150).astype(float),
              -rng.exponential(size=99), rng.poisson(1.0, 301).astype(float)][seed]  # fmt: skip
    assert medcouple(np.sort(values)) == pytest.approx(float(reference_medcouple(values)), abs=1e-9)


def test_the_medcouple_of_many_values_is_close_to_that_of_all():
    values = np.random.default_rng(3).lognormal(0, 1, 2001)
    assert medcouple(np.sort(values)) == pytest.approx(float(reference_medcouple(values)), abs=0.02)


@pytest.mark.parametrize("draw", ["normal", "lognormal", "exponential", "uniform"])
def test_hardly_a_value_of_a_plain_distribution_is_an_outlier(draw):
    values = getattr(np.random.default_rng(2), draw)(size=20_000)
    assert number_profile(values, factor=3.0).outliers / 20_000 < 0.004


@pytest.mark.parametrize(
    ("draw", "most"),
    [
        (lambda rng: rng.integers(1, 5, 20_000), 0.0),
        (lambda rng: rng.integers(1, 11, 20_000), 0.0),
        # P(X > 4) of a Poisson variable with mean 0.8 is 0.0014: counts beyond three interquartile ranges.
        (lambda rng: rng.poisson(0.8, 20_000), 0.003),
        (lambda rng: rng.poisson(3.0, 20_000), 0.003),
    ],
    ids=["four products", "a rating of ten", "few outages", "calls"],
)
@pytest.mark.parametrize("seed", range(4))
def test_the_ends_of_a_coarse_scale_are_no_outliers(draw, most, seed):
    values = draw(np.random.default_rng(seed)).astype(float)
    assert number_profile(values, factor=3.0).outliers / 20_000 <= most


def test_a_count_far_from_all_others_is_an_outlier():
    values = np.append(np.random.default_rng(0).integers(1, 5, 2_000), [40, 45]).astype(float)
    assert number_profile(values, factor=3.0).outliers == 2


def test_planted_outliers_are_all_found():
    values = np.r_[np.random.default_rng(2).normal(50, 5, 1000), [400.0] * 7]
    found = examined({"speed": values})
    assert found.of("outlier_rate", "speed") == pytest.approx(7 / 1007)


def test_a_column_of_mostly_one_value_has_no_fences():
    found = examined({"claims": [0] * 90 + list(range(1, 11))})
    assert found.of("outlier_rate", "claims") is None
    assert "range to measure by" in found.one("outlier_rate", feature="claims").note


def test_values_that_cannot_be_are_counted_by_name_and_by_what_a_person_said():
    columns = {"age": [30, 41, 250, -3], "score": [0.1, 0.5, 1.7, 0.3]}
    found = examined(columns, parameters={"ranges": ("score=0..1",)})
    assert found.of("out_of_range_rate", "age") == 0.5
    assert found.of("out_of_range_rate", "score") == 0.25


@pytest.mark.parametrize("text", ["age", "age=1", "age=a..b", "age=5..1", "size=0..1"])
def test_a_range_that_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidInput, match="range"):
        examined({"age": [1, 2]}, parameters={"ranges": (text,)})


@pytest.mark.parametrize("rule", ["missing", "disguised_missing", "infinite", "impossible", "spelling"])
def test_columns_that_the_model_does_not_use_fail_nothing(rule):
    bad = {
        "note": [None] * 130 + ["Berlin"] * 60 + ["berlin"] * 7 + ["n/a"] * 3,
        "age": [200.0] * 100 + [np.inf] * 100,
    }
    found = examined({"size": np.arange(200.0), "kind": ["a", "b"] * 100, **bad}, features=("size", "kind")).computed
    told = verdicts(found, f"data_quality.{rule}", roles={"size": "feature", "kind": "feature", "note": "id"})
    assert "failed" not in {str(one.verdict) for one in told}
    told = verdicts(found, f"data_quality.{rule}", roles={"size": "feature", "age": "feature", "note": "feature"})
    assert "failed" in {str(one.verdict) for one in told}


def test_what_no_column_can_have_does_not_apply():
    numbers = examined({"size": list(range(200))}, features=("size",)).computed
    words = examined({"word": ["a", "b"] * 100}, features=("word",)).computed

    def told(found, rule):
        return [str(one.verdict) for one in verdicts(found, f"data_quality.{rule}")]

    assert told(numbers, "spelling") == told(words, "infinite") == ["not applicable"]
    assert told(numbers, "infinite") == told(words, "spelling") == ["passed"]
    assert told(numbers, "impossible") == ["not applicable"]
    stated = examined({"size": list(range(200))}, features=("size",), parameters={"ranges": ("size=0..100",)}).computed
    assert told(stated, "impossible") == ["failed"]


def test_moments_and_quantiles_agree_with_pandas():
    values = np.random.default_rng(8).gamma(2, 3, 1001)
    found = examined({"x": values})
    assert found.of("standard_deviation", "x") == pytest.approx(pd.Series(values).std())
    assert found.one("quantile", feature="x", probability=0.5).value == pytest.approx(np.median(values))


# Texts


def test_one_level_written_in_several_ways_is_found():
    found = examined({"city": ["Bonn"] * 50 + ["bonn"] * 5 + ["Bonn "] * 2 + ["Kiel"] * 43})
    assert found.of("inconsistent_spelling_rate", "city") == 0.07
    assert "'bonn'" in found.one("inconsistent_spelling_rate", feature="city").note


def test_words_among_numbers_are_found():
    found = examined({"size": ["12"] * 40 + ["13.5"] * 50 + ["large"] * 10})
    assert found.of("mixed_type_rate", "size") == 0.1


def test_broken_characters_are_found():
    profile = text_profile(levels_of(arrow(["MÃ¼ller", "Müller", "Garc\ufffda", "Ångström"])), nulls=0, rare=1)
    assert profile.damaged == 2


def test_rare_levels_are_counted():
    found = examined({"kind": ["a"] * 60 + ["b"] * 36 + ["c"] * 3 + ["d"]})
    assert found.of("rare_level_count", "kind") == 2
    assert found.of("rare_level_rate", "kind") == 0.04


def test_constants_and_identifiers_are_named():
    rows = 200
    columns = {"same": ["x"] * rows, "ref": [f"K{row:05}" for row in range(rows)], "number": np.arange(rows) + 7,
               "real": np.random.default_rng(0).normal(size=rows)}  # fmt: skip
    found = examined(columns)
    assert found.one("constant_feature_count").note == "same"
    assert found.one("id_like_feature_count").note == "ref, number"


# Rows and labels


def outcomes(found, rule, task=Task.CLASSIFICATION):
    return [str(one.verdict) for one in verdicts(found.computed, f"data_quality.{rule}", task=task)]


def test_coarse_features_with_uncertain_outcomes_do_not_contradict():
    rng = np.random.default_rng(1)
    region, grade = rng.integers(0, 5, 2000), rng.integers(0, 4, 2000)
    label = rng.random(2000) < 0.2 + 0.1 * grade
    found = examined({"region": region, "grade": grade, "y": label.astype(int)}, target="y")
    assert found.one("conflicting_label_rate").value > 0.9
    assert found.one("excess_conflicting_label_rate").value <= 0
    assert outcomes(found, "contradictions") == ["passed"]


def test_the_same_rows_with_another_label_contradict():
    rng = np.random.default_rng(1)
    rows = {"size": rng.normal(size=900), "grade": rng.integers(0, 4, 900), "y": rng.integers(0, 2, 900)}
    doubled = {name: np.concatenate([values, values[:100]]) for name, values in rows.items()}
    doubled["y"][900:] = 1 - doubled["y"][900:]
    found = examined(doubled, target="y")
    assert found.one("conflicting_label_rate").value == 0.2
    # The doubled sizes can meet their grade again in a composed row: a twentieth of them do.
    assert 0.12 < found.one("excess_conflicting_label_rate").value < 0.2
    assert outcomes(found, "contradictions") == ["failed"]


def test_without_contradicting_rows_there_is_nothing_to_compare():
    found = examined({"size": np.arange(300.0), "y": np.arange(300) % 2}, target="y")
    assert outcomes(found, "contradictions") == ["passed"]
    assert "no two rows contradict" in found.one("excess_conflicting_label_rate").note


def test_amounts_and_texts_that_are_all_distinct_name_no_rows():
    rng = np.random.default_rng(2)
    cents = rng.permutation(np.unique(np.round(np.exp(rng.normal(14, 1.2, 3000)))))[:2000]
    words = rng.choice(["red", "blue", "large", "small", "old", "new"], (2000, 2))
    note = [f"{one} {other} box, {row} cm" for row, (one, other) in enumerate(words)]
    found = examined({"balance": cents.astype(int), "note": note}, features=("balance", "note"))
    assert outcomes(found, "identifiers") == ["passed"]


@pytest.mark.parametrize(
    "values",
    [
        np.arange(2000) + 70_000,
        np.arange(2000) * 13 + np.random.default_rng(1).integers(0, 13, 2000),
        np.random.default_rng(2).choice(10**9, 2000, replace=False),
        [f"case-{row:05}" for row in range(2000)],
    ],
)
def test_numbers_of_cases_name_rows_whatever_the_column_is_called(values):
    found = examined({"reading": values}, features=("reading",))
    assert outcomes(found, "identifiers") == ["failed"]


def test_what_is_called_an_id_or_said_to_be_one_names_rows():
    skewed = np.unique(np.round(np.exp(np.random.default_rng(2).normal(14, 1.2, 3000)))).astype(int)[:2000]
    assert outcomes(examined({"customerId": skewed}), "identifiers") == ["failed"]
    repeated = [f"c{row % 300}" for row in range(2000)]
    found = examined({"customer": repeated}, features=("customer",), ids=("customer",))
    assert outcomes(found, "identifiers") == ["failed"]


def test_repeated_rows_keys_and_contents_agree_with_pandas():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"a": rng.integers(0, 6, 400), "b": rng.choice(["u", "v"], 400), "y": rng.integers(0, 2, 400),
                          "key": rng.integers(0, 300, 400)})  # fmt: skip
    columns = {name: frame[name].to_numpy() if name != "b" else list(frame["b"]) for name in frame}
    found = examined(columns, target="y", ids=("key",), features=("a", "b"))
    assert found.one("duplicate_row_rate").value == frame.duplicated().mean()
    assert found.one("duplicate_content_rate").value == frame.duplicated(["a", "b", "y"]).mean()
    assert found.one("duplicate_key_rate", feature="key").value == frame.duplicated(["key"]).mean()
    kinds = frame.groupby(["a", "b"])["y"].transform("nunique")
    assert found.one("conflicting_label_rate").value == (kinds > 1).mean()
    majority = frame.groupby(["a", "b"])["y"].agg(lambda y: y.value_counts().max()).sum()
    assert found.one("attainable_accuracy").value == pytest.approx(majority / 400)


def test_the_attainable_r2_is_that_of_the_group_means():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"a": rng.integers(0, 10, 300)})
    frame["y"] = frame["a"] + rng.normal(0, 1, 300)
    found = examined({"a": frame["a"].to_numpy(), "y": frame["y"].to_numpy()}, task=Task.REGRESSION, target="y")
    means = frame.groupby("a")["y"].transform("mean")
    expected = 1 - ((frame["y"] - means) ** 2).sum() / ((frame["y"] - frame["y"].mean()) ** 2).sum()
    assert found.one("attainable_r2").value == pytest.approx(expected)


def test_classes_are_counted_with_their_intervals():
    found = examined({"x": np.arange(100.0), "y": ["a"] * 90 + ["b"] * 10}, target="y")
    assert found.one("class_share", **{"class": "b"}).value == 0.1
    assert found.one("minority_class_share").value == 0.1
    assert found.one("class_imbalance_ratio").value == 9
    # Wilson's interval of 10 in 100, by statsmodels.stats.proportion.proportion_confint.
    assert found.one("minority_class_share").interval == pytest.approx((0.05523, 0.17437), abs=1e-5)


def test_quantities_that_differ_where_features_are_coarse_are_no_contradiction():
    rng = np.random.default_rng(5)
    columns = {"a": rng.integers(0, 10, 300), "y": rng.normal(0, 1, 300)}
    found = examined(columns, task=Task.REGRESSION, target="y")
    assert found.one("conflicting_label_rate").value == 1
    told = verdicts(found.computed, "data_quality.contradictions", task=Task.REGRESSION)
    assert [one.verdict for one in told] == ["not applicable"]


def test_without_a_target_the_columns_are_examined_all_the_same():
    found = examined({"x": [1.0, 2.0, None]})
    assert found.one("labelled_rate").value is None
    assert found.one("conflicting_label_rate").note == "There is no target column."
    assert found.of("missing_rate", "x") == pytest.approx(1 / 3)


# Time


def times(days):
    start = datetime(2025, 1, 1)  # noqa: DTZ001
    return [start + timedelta(days=day) for day in days]


def test_ages_are_counted_to_the_date_that_was_given():
    columns = {"x": [1.0, 2.0, 3.0, 4.0], "at": times([0, 1, 2, 12])}
    found = examined(columns, time="at", features=("x",), parameters={"as_of": "2025-01-20"})
    assert found.one("newest_row_age").value == 7
    assert found.one("longest_time_gap").value == 10
    assert found.one("time_span").value == 12
    assert found.one("future_time_rate").value == 0


def test_rows_after_the_date_are_counted():
    columns = {"x": [1.0, 2.0], "at": times([0, 12])}
    found = examined(columns, time="at", features=("x",), parameters={"as_of": "2025-01-05"})
    assert found.one("future_time_rate").value == 0.5


def test_without_a_date_the_age_is_not_measured():
    found = examined({"x": [1.0, 2.0], "at": times([0, 12])}, time="at", features=("x",))
    assert found.one("newest_row_age").value is None
    assert found.one("median_row_age").value == 0


def test_a_date_that_does_not_read_is_refused():
    with pytest.raises(InvalidInput, match="ISO 8601"):
        examined({"x": [1.0]}, parameters={"as_of": "yesterday"})


# Pairs


def test_columns_that_go_together_are_listed_with_scipys_correlation():
    rng = np.random.default_rng(6)
    x = rng.normal(size=500)
    columns = {"x": x, "twin": x * 3 + rng.normal(0, 0.3, 500), "other": rng.normal(size=500)}
    found = examined(columns)
    assert found.one("associated_pair_count").value == 1
    pair = found.one("association", feature="x", other="twin")
    assert pair.value == pytest.approx(spearmanr(columns["x"], columns["twin"]).statistic)
    assert pair.interval[0] < pair.value < pair.interval[1]


# Personal data


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        # Published examples of the numbering systems, and the same with one digit changed.
        (checks.is_card, "378282246310005", "378282246310006"),
        (checks.is_iban, "GB82WEST12345698765432", "GB82WEST12345698765433"),
        (checks.is_us_social_security, "219-09-9999", "666-09-9999"),
        (checks.is_uk_national_insurance, "AB 12 34 56 C", "BG123456C"),
        (checks.is_spanish_identity, "12345678Z", "12345678A"),
        (checks.is_italian_fiscal_code, "RSSMRA85T10A562S", "RSSMRA85110A562S"),
        (checks.is_swiss_insurance, "756.9217.0769.85", "756.9217.0769.84"),
        (checks.is_german_tax_number, "86095742719", "86095742718"),
        (checks.is_polish_identity, "44051401359", "44051401358"),
        (checks.is_french_social_security, "255081416802538", "255081416802539"),
        (checks.is_dutch_citizen_number, "111222333", "111222334"),
    ],
)
def test_check_digits_tell_right_from_wrong(check, right, wrong):
    assert check(right)
    assert not check(wrong)


PERSONAL = {
    "e-mail address": ["ann@example.org", "please write to b.c@mail.example.com", "x@example.net"],
    "bank account (IBAN)": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    "payment card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "IP address": ["10.0.12.7", "2001:db8::ff00:42:8329"],
    "telephone number": ["+49 30 901820", "(415) 555-2671", "030 / 901820"],
    "national identity number": ["219-09-9999", "078-05-1120"],
    "name of a person": ["Anna Schmidt", "Ms. Okafor", "Miller, John"],
}


@pytest.mark.parametrize("kind", PERSONAL)
def test_personal_data_is_found_by_its_pattern(kind):
    found = {one.kind: one for one in by_pattern(levels_of(arrow(PERSONAL[kind])))}
    assert found[kind].rows == len(PERSONAL[kind])


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-31", "31.01.2024", "01-02-2024", "2024-01-31 10:30:00"],
        ["New York", "San Francisco", "Very Satisfied", "Self-Employed Worker"],
        ["A-1001", "B-2002", "10:30:00", "v1.2.3", "3.14159", "1200.50"],
        ["red", "green", "blue"],
    ],
)
def test_other_texts_are_not_taken_for_personal_data(values):
    assert by_pattern(levels_of(arrow(values))) == ()


def test_random_numbers_that_pass_a_check_digit_by_chance_are_no_cards():
    numbers = np.random.default_rng(7).integers(4 * 10**15, 5 * 10**15, 3000)
    assert examined({"reference": numbers}).of("personal_data_rate", "reference") == 0


def test_cards_in_a_column_of_numbers_are_found():
    cards = [number for number in range(4111111111110000, 4111111111114000) if checks.luhn(str(number))]
    found = examined({"reference": np.array(cards)})
    assert found.one("personal_data_rate", feature="reference", kind="payment card").value == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [("First Name", "name of a person"), ("customer_email", "e-mail address"), ("DOB", "date of birth"),
     ("ssn", "national identity number"), ("zip_code", "address"), ("phoneNumber", "telephone number"),
     ("longitude", "position"), ("income", None), ("filename", None), ("recipe", None), ("platform", None)],
)  # fmt: skip
def test_names_of_columns_speak_of_personal_data(name, kind):
    assert by_name(name) == kind


def test_personal_values_stand_nowhere_in_the_result():
    rows = 120
    emails = [f"person{row % 60}@example.org" for row in range(rows)]
    cards = [number for number in range(4111111111110000, 4111111111120000) if checks.luhn(str(number))][:rows]
    columns = {"contact": emails, "paid_with": np.array(cards), "surname": ["Smith"] * 60 + ["smith "] * 60}
    found = examined(columns)
    text = "".join(
        part.model_dump_json()
        for part in (*found.computed.measurements, *found.computed.tables, *found.computed.curves)
    ) + str((found.computed.summary, found.computed.notes))
    assert found.one("personal_data_column_count").value == 3
    assert not [
        secret
        for secret in ("person", "4111", "Smith", "smith")
        if secret in text.replace("personal", "").replace("of a person", "")
    ]


# Bad input


def test_a_table_of_outputs_alone_has_nothing_to_examine():
    with pytest.raises(NotMeasured, match="nothing to examine"):
        examined({"p": [0.1, 0.2]}, scores=("p",), features=())


def test_a_sample_for_pairs_is_said_and_does_not_depend_on_the_order_of_rows():
    columns = {name: values for name, values in clean(3000).items() if name != "bought"}
    columns["twice"] = columns["amount"] * 2 + np.random.default_rng(1).normal(0, 1, 3000)
    order = np.random.default_rng(0).permutation(3000)
    mixed = {name: np.asarray(values)[order].tolist() for name, values in columns.items()}
    one, other = (examined(each, parameters={"rows": 500}) for each in (columns, mixed))
    assert one.one("association", feature="amount", other="twice") == other.one(
        "association", feature="amount", other="twice"
    )
    assert any("500 of 3,000 rows" in note for note in one.computed.notes)
