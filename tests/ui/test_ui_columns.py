"""What columns are for, as rows that a person corrects: nothing is lost on the way there and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelops.domain.columns import ColumnRoles, ColumnSummary, TableSummary
from modelops.ui.column_editor import examples
from modelops.ui.columns import (
    Chosen,
    Use,
    all_features,
    draft_of,
    exactly_features,
    likely_classes,
    no_features,
    problems,
    roles_of,
    sensitive_apart,
    told,
)

NAMES = [f"c{place}" for place in range(12)]
ONE_EACH = st.lists(st.sampled_from(list(Use)), min_size=12, max_size=12)


@st.composite
def sound_roles(draw):
    uses = draw(ONE_EACH)
    by_use = {use: [name for name, of in zip(NAMES, uses, strict=True) if of is use] for use in Use}
    scores = by_use[Use.SCORE]
    return ColumnRoles(
        features=tuple(by_use[Use.FEATURE]),
        target=next(iter(by_use[Use.TARGET]), None),
        prediction=next(iter(by_use[Use.PREDICTION]), None),
        scores=tuple(scores),
        score_classes=tuple(f"class {name}" for name in scores) if len(scores) > 1 else (),
        sensitive=tuple(name for name in NAMES if draw(st.booleans())),
        weight=next(iter(by_use[Use.WEIGHT]), None),
        time=next(iter(by_use[Use.TIME]), None),
        ids=tuple(by_use[Use.ID]),
    )


@given(sound_roles())
def test_roles_survive_the_way_to_the_screen_and_back(roles):
    draft = draft_of(NAMES, roles)
    assert problems(draft) == []
    assert ColumnRoles.model_validate(roles_of(draft)) == roles


def test_several_targets_are_a_problem_that_names_them():
    draft = {"a": Chosen(Use.TARGET), "b": Chosen(Use.TARGET)}
    assert "a, b are all the target" in problems(draft)[0]


def test_scores_of_one_class_are_a_problem():
    draft = {name: Chosen(Use.SCORE, of_class="yes") for name in "ab"}
    assert "same class" in problems(draft)[0]


def test_one_score_needs_no_class():
    assert problems({"a": Chosen(Use.SCORE)}) == []


def test_quick_actions_touch_only_what_they_name():
    draft = {"y": Chosen(Use.TARGET), "x": Chosen(Use.FEATURE), "z": Chosen(), "s": Chosen(Use.FEATURE, True)}
    assert all_features(draft)["z"].use is Use.FEATURE
    assert no_features(draft) == {"y": Chosen(Use.TARGET), "x": Chosen(), "z": Chosen(), "s": Chosen(Use.NONE, True)}
    assert sensitive_apart(draft)["s"] == Chosen(Use.NONE, True)
    assert sensitive_apart(draft)["x"] == Chosen(Use.FEATURE)
    taken = exactly_features(draft, ["z", "s", "y"])
    assert taken == draft | {"x": Chosen(), "z": Chosen(Use.FEATURE)}


def test_many_columns_are_told_in_one_sentence():
    draft = {f"s{place}": Chosen(Use.FEATURE, True) for place in range(9)}
    assert told(draft).endswith("9 features, sensitive: s0, s1, s2, s3 and 5 more.")


def summary_of(column):
    return TableSummary(format="csv", rows=9, columns=(column,), roles=ColumnRoles())


def test_the_classes_of_a_column_are_its_most_frequent_values_or_its_two_numbers():
    words = ColumnSummary(name="y", kind="text", missing=0, distinct=2, top=(("no", 7), ("yes", 2)))
    numbers = ColumnSummary(name="y", kind="whole number", missing=0, distinct=2, minimum=0.0, maximum=1.0)
    many = ColumnSummary(name="y", kind="number", missing=0, distinct=9, minimum=0.0, maximum=8.5)
    assert likely_classes(summary_of(words), "y") == ["no", "yes"]
    assert likely_classes(summary_of(numbers), "y") == ["0", "1"]
    assert likely_classes(summary_of(many), "y") == likely_classes(summary_of(many), "other") == []


def test_whole_numbers_are_shown_without_a_power_of_ten():
    column = ColumnSummary(name="id", kind="whole number", missing=0, minimum=200000.0, maximum=201499.0)
    assert examples(column) == "200,000 to 201,499"
