"""Numbers in tables: what a person reads, and what a click on a heading sorts by."""

from __future__ import annotations

import pandas as pd

from modelops.domain.result import AnalysisResult, Curve, Measurement, Outcome, Series, Shape, Verdict
from modelops.ui.numbers import legible
from modelops.ui.results import by_word, gathered, has_points


def words(rows: pd.DataFrame, **p_rows: list[int]) -> list[list[str]]:
    """Return what stands in the cells, row by row."""
    body = legible(rows, **p_rows)._translate(False, False)["body"]
    return [[cell["display_value"] for cell in row if cell["type"] == "td"] for row in body]


def test_numbers_are_shown_with_four_digits_that_count_and_thousands_apart():
    rows = pd.DataFrame({"share": [0.123456, None], "amount": [12345.678, 3.0], "rows": [2527, 10]})
    assert words(rows) == [["0.1235", "12,346", "2,527"], ["", "3", "10"]]


def test_a_table_still_sorts_by_its_numbers():
    rows = pd.DataFrame({"p": [3.4e-18, 0.5]})
    assert legible(rows).data["p"].tolist() == [3.4e-18, 0.5]


def test_a_p_value_below_one_in_ten_thousand_says_no_more_than_that():
    rows = pd.DataFrame({"adjusted p": [3.4e-18, 0.0421], "effect": [3.4e-18, 0.0421]})
    assert words(rows) == [["< 0.0001", "3.400e-18"], ["0.0421", "0.0421"]]


def test_a_p_value_among_other_measurements_is_named_by_its_row():
    rows = pd.DataFrame({"Value": [3.4e-18, 3.4e-18], "Rows": [12, 12]})
    assert words(rows, p_rows=[1]) == [["3.400e-18", "12"], ["< 0.0001", "12"]]


def test_whole_numbers_that_name_a_row_are_no_quantities():
    assert words(pd.DataFrame({"row": [2100], "Seed": [1234], "rows": [2100]})) == [["2100", "1234", "2,100"]]


def test_a_number_beside_texts_has_few_digits_too():
    assert words(pd.DataFrame({"value": ["reject", -0.15684084013082722, 54618]}))[1] == ["-0.1568"]


def test_a_cell_with_nothing_among_texts_is_empty():
    nothing = float("nan")
    assert words(pd.DataFrame({"value": ["reject", nothing, -0.5, None]})) == [["reject"], [""], ["-0.5"], [""]]


def verdict(feature: str, because: str) -> Verdict:
    scope = {"feature": feature}
    return Verdict(rule="r", verdict=Outcome.NOT_ENOUGH_DATA, because=because, metric="label_bias", scope=scope)


def test_what_could_not_be_measured_for_one_reason_is_said_once():
    reason = "was not measured: No rows."
    found = [verdict(name, f"Label bias for feature {name!r} {reason}") for name in ("a", "b", "c", "d", "e", "f")]
    (one,) = gathered(found)
    named = "feature a, feature b, feature c, feature d and 2 more"
    assert one.because == f"Label bias was not measured: No rows. This is so for {named}."


def test_verdicts_with_reasons_of_their_own_stay_apart():
    measured = [verdict("a", "Label bias for feature 'a' is 0.1."), verdict("b", "Label bias for feature 'b' is 0.1.")]
    others = [verdict("c", "x was not measured: No rows."), verdict("d", "x was not measured: No labels.")]
    assert gathered([*measured, *others]) == [*measured, *others]


def test_what_has_no_value_is_called_not_measured_and_few_rows_not_enough_data():
    scope = {"feature": "a"}
    few = Measurement(metric="label_bias", value=0.1, sample_size=3, scope=scope)
    none = Measurement(metric="roc_auc", value=None, sample_size=90, note="Both classes are needed.")
    told = [
        verdict("a", "Label bias rests on 3 rows."),
        Verdict(rule="s", verdict=Outcome.NOT_ENOUGH_DATA, because="Not measured: one class.", metric="roc_auc"),
    ]
    result = AnalysisResult.model_validate(
        {
            "schema": "modelops.result/1", "analysis": "performance", "inputs": {}, "task": "classification",
            "parameters": {}, "seed": 0, "environment": {}, "protection": {"level": "A"}, "summary": "It is so.",
            "measurements": (few, none), "verdicts": told,
        }
    )  # fmt: skip
    assert by_word(result) == {"not enough data": told[:1], "not measured": told[1:]}


def test_a_chart_without_any_point_is_none():
    def curve(*y: float | None) -> Curve:
        series = (Series(name="model", x=tuple(range(len(y))), y=y),)
        return Curve(name="roc", title="ROC", shape=Shape.LINE, x_title="x", y_title="y", series=series)

    assert [has_points(one) for one in (curve(), curve(None, None), curve(None, 0.5))] == [False, False, True]
