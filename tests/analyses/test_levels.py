import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.analyses.levels import coded, groups, in_order, range_names, ranges
from modelops.analyses.outcomes import outcomes
from modelops.analyses.statistics.weighting import row_entities, weighting
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.samples import evaluation, sample


def test_codes_point_to_sorted_labels_and_missing_is_minus_one():
    found = coded(sample({"a": ["y", None, "x", "y"]}), "a")
    assert (found.codes.tolist(), found.levels) == ([1, -1, 0, 1], ("x", "y"))


def test_chunks_with_their_own_dictionaries_agree():
    chunks = pa.chunked_array([pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", "b"]).dictionary_encode()])
    found = coded(sample({"a": chunks}), "a")
    assert [found.levels[code] for code in found.codes] == ["b", "a", "c", "b"]


def test_whole_numbers_are_labels_without_a_point():
    assert coded(sample({"a": [1.0, 0.0, None]}), "a").levels == ("0", "1")


def test_a_column_of_nothing_has_no_levels():
    found = coded(sample({"a": [None, None]}), "a")
    assert (found.codes.tolist(), found.levels) == ([-1, -1], ())


def test_nested_values_are_refused():
    with pytest.raises(InvalidInput, match="expected text or numbers"):
        coded(sample({"a": [[1], [2]]}), "a")


def test_a_range_of_one_whole_number_is_named_by_it():
    assert range_names(np.array([1.0, 2.0, 4.0]), whole=True) == ("under 1", "1", "2 to 3", "4 and over")


def test_labels_that_are_numbers_are_in_numeric_order():
    assert in_order(["10", "9", "nan"]) == ("10", "9", "nan")
    assert in_order(["10", "9"]) == ("9", "10")


@given(st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=200))
def test_every_number_lies_in_the_range_it_is_given(numbers):
    values = np.array(numbers)
    found = ranges(values)
    assert len(found.levels) == found.codes.max() + 1 or len(found.levels) <= 5
    order = np.argsort(values)
    assert (np.diff(found.codes[order]) >= 0).all()


def test_ages_are_cut_at_round_numbers_and_it_is_said():
    data = sample({"age": np.arange(18, 90)})
    found, note = groups(data, "age", most=20)
    assert found.levels == ("under 30", "30 to 44", "45 to 59", "60 to 74", "75 and over")
    assert "cut into the ranges" in note


def test_few_numbers_stay_as_they_are():
    found, note = groups(sample({"grade": [1, 2, 3] * 10}), "grade", most=20)
    assert (found.levels, note) == (("1", "2", "3"), None)


def test_infinite_numbers_fall_into_the_outer_ranges():
    found = ranges(np.array([-np.inf, *range(40), np.inf, np.nan]))
    assert (found.codes[0], found.codes[-2], found.codes[-1]) == (0, len(found.levels) - 1, -1)


def test_rare_levels_are_taken_together():
    names = [f"g{n}" for n in range(30) for _ in range(n + 1)]
    found, note = groups(sample({"g": names}), "g", most=5)
    assert len(found.levels) == 5
    assert found.levels[-1] == "(other)"
    assert "30 levels" in note


def test_without_a_name_the_later_label_is_positive_and_it_is_said():
    found = outcomes(evaluation({"y": ["no", "yes"], "p": ["yes", "no"]}, target="y", prediction="p"), threshold=0.5)
    assert found.classes[found.positive] == "yes"
    assert "'yes' is taken as the positive one" in found.notes[0]


def test_an_unknown_positive_class_is_refused_with_those_there_are():
    data = evaluation({"y": ["no", "yes"], "p": ["yes", "no"]}, target="y", prediction="p", positive="Yes")
    with pytest.raises(InvalidInput, match="'no', 'yes'"):
        outcomes(data, threshold=0.5)


def test_labels_that_share_nothing_are_refused():
    data = evaluation({"y": [0, 1], "p": ["no", "yes"]}, target="y", prediction="p")
    with pytest.raises(InvalidInput, match="no label is in both"):
        outcomes(data, threshold=0.5)


def test_without_predictions_the_threshold_decides():
    data = evaluation({"y": [0, 1, 1], "s": [0.2, 0.6, None]}, target="y", scores=("s",), positive="1")
    found = outcomes(data, threshold=0.6)
    assert found.predicted.tolist() == [0, 1]
    assert found.dropped == {"the prediction is missing": 1}


def test_with_more_classes_the_largest_score_decides():
    columns = {"y": ["a", "b", "c"], "a": [0.1, 0.5, 0.2], "b": [0.8, 0.3, 0.2], "c": [0.1, 0.2, 0.6]}
    data = evaluation(columns, target="y", scores=("a", "b", "c"), score_classes=("a", "b", "c"))
    found = outcomes(data, threshold=0.5)
    assert [found.classes[code] for code in found.predicted] == ["b", "a", "c"]


def test_the_score_of_the_negative_class_is_turned_round():
    data = evaluation(
        {"p": ["no", "yes"], "s": [0.9, 0.3]}, prediction="p", scores=("s",), score_classes=("no",), positive="yes"
    )
    assert outcomes(data, threshold=0.5).positive_scores == pytest.approx([0.1, 0.7])


def test_quantities_are_not_taken_for_classes():
    values = np.random.default_rng(0).normal(size=500)
    with pytest.raises(InvalidInput, match="choose the task regression"):
        outcomes(evaluation({"y": values, "p": values}, target="y", prediction="p"), threshold=0.5)


def test_nothing_to_judge_is_not_measured():
    with pytest.raises(NotMeasured, match="neither a prediction nor a score"):
        outcomes(evaluation({"y": [0, 1]}, target="y"), threshold=0.5)


def test_rows_of_unusable_weight_are_dropped_and_counted():
    columns = {"y": [0, 1, 0, 1], "p": [0, 1, 1, 1], "w": [1.0, -1.0, None, np.inf]}
    found = outcomes(evaluation(columns, target="y", prediction="p", weight="w"), threshold=0.5)
    assert found.dropped == {"the weight is missing, negative or infinite": 3}


def test_unlike_weights_cost_kishs_design_effect():
    weights = np.array([1.0, 1, 1, 5])
    assert weighting(weights, None, np.zeros(4)).design_effect == pytest.approx(4 * 28 / 64)


def test_entities_that_agree_widen_and_independent_ones_do_not():
    rng = np.random.default_rng(0)
    entities = np.repeat(np.arange(200), 5)
    alike = np.repeat(rng.integers(0, 2, 200), 5).astype(float)
    assert weighting(None, entities, alike).design_effect == pytest.approx(5, rel=0.05)
    assert weighting(None, entities, rng.integers(0, 2, 1000).astype(float)).design_effect < 1.3


def test_an_id_that_never_repeats_is_no_entity():
    assert row_entities(sample({"id": [f"r{n}" for n in range(50)]}, ids=("id",))) is None


def test_the_id_that_repeats_most_is_the_entity():
    columns = {"row": [f"r{n}" for n in range(120)], "person": [f"p{n % 40}" for n in range(120)]}
    found = row_entities(sample(columns, ids=("row", "person")))
    assert np.unique(found).size == 40
