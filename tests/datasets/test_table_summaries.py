"""Guessed roles and tasks, and what a person sees of a table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modelops.datasets.opening import open_table
from modelops.datasets.roles import all_facts, guess_roles, guess_task
from modelops.datasets.summary import summarise
from modelops.datasets.table import Table
from modelops.domain.columns import ColumnRoles, Task

N = 120
RNG = np.random.default_rng(5)
BINARY = np.arange(N) % 2


@pytest.fixture
def table(tmp_path: Path):
    def write(**columns) -> Table:
        pd.DataFrame(columns).to_parquet(tmp_path / "t.parquet", index=False)
        return open_table(tmp_path / "t.parquet", "parquet")

    return write


def roles(table: Table, **options) -> ColumnRoles:
    return guess_roles(table, **options)


@pytest.mark.parametrize(
    "name", ["target", "label", "y_true", "Outcome", "default", "Ground Truth", "isFraud", "two_year_recid"]
)
def test_usual_names_of_the_target_are_recognised(table, name):
    found = roles(table(**{"x": RNG.random(N), name: BINARY}))
    assert found.target == name
    assert found.features == ("x",)


@pytest.mark.parametrize("name", ["prediction", "y_pred", "predicted", "yhat", "Predicted Label"])
def test_usual_names_of_the_prediction_are_recognised(table, name):
    assert roles(table(**{"x": RNG.random(N), name: BINARY})).prediction == name


@pytest.mark.parametrize("name", ["score", "proba", "probability", "p_1", "y_score", "prob_true", "pd"])
def test_usual_names_of_the_score_are_recognised(table, name):
    assert roles(table(**{"label": BINARY, name: RNG.random(N)})).scores == (name,)


def test_a_score_for_each_class_carries_its_class(table):
    label = np.array(["cat", "dog", "Red Fox"])[np.arange(N) % 3]
    found = roles(table(label=label, proba_dog=RNG.random(N), proba_cat=RNG.random(N), proba_red_fox=RNG.random(N)))
    assert dict(zip(found.scores, found.score_classes, strict=True)) == {
        "proba_dog": "dog", "proba_cat": "cat", "proba_red_fox": "Red Fox",
    }  # fmt: skip


def test_numbered_features_between_zero_and_one_are_no_scores(table):
    found = roles(table(p_1=RNG.random(N), p_2=RNG.random(N), x=RNG.random(N)))
    assert found.score_classes == ()


def test_a_credit_score_is_a_feature(table):
    assert "credit_score" in roles(table(credit_score=RNG.integers(300, 850, N), default=BINARY)).features


@pytest.mark.parametrize("name", ["gender", "Sex", "race", "ethnicity", "age_group", "marital-status", "applicant_sex"])
def test_sensitive_columns_are_recognised_and_stay_features(table, name):
    found = roles(table(**{"label": BINARY, name: np.where(BINARY, "a", "b")}))
    assert found.sensitive == (name,)
    assert name in found.features


@pytest.mark.parametrize(
    "name",
    ["Geschlecht", "Familienstand", "Staatsangehörigkeit", "staatsangehoerigkeit", "Sexe", "Nationalité", "état civil"],
)
def test_sensitive_columns_are_recognised_in_german_and_french(table, name):
    assert roles(table(**{"label": BINARY, name: np.where(BINARY, "a", "b")})).sensitive == (name,)


@pytest.mark.parametrize("name", ["age", "Age", "customer_age", "Alter", "Âge", "birth_year", "Geburtsjahr", "dob"])
def test_ages_and_years_of_birth_are_sensitive(table, name):
    found = roles(table(**{name: RNG.integers(18, 90, N), "label": BINARY}))
    assert found.sensitive == (name,)
    assert name in found.features


@pytest.mark.parametrize("name", ["date_of_birth", "Geburtsdatum", "date de naissance"])
def test_a_date_of_birth_is_sensitive_and_not_the_time_of_the_rows(table, name):
    when = pd.date_range("1960-01-01", periods=N, freq="37D")
    found = roles(table(**{name: when, "label": BINARY}))
    assert (found.sensitive, found.time) == ((name,), None)
    assert roles(table(**{name: when, "seen": when, "label": BINARY})).time == "seen"


@pytest.mark.parametrize("name", ["postcode", "ZIP code", "PLZ", "code_postal"])
def test_postcodes_stand_in_for_people_where_they_repeat(table, name):
    places = RNG.integers(10_000, 10_030, N)
    assert roles(table(**{name: places.astype(str), "label": BINARY})).sensitive == (name,)
    assert roles(table(**{name: 10_000 + np.arange(N) * 7, "label": BINARY})).sensitive == ()


@pytest.mark.parametrize("name", ["company_age", "age_of_account", "sexual_health_budget", "zip_file"])
def test_what_only_sounds_like_people_is_not_proposed(table, name):
    assert roles(table(**{name: RNG.integers(18, 90, N), "label": BINARY})).sensitive == ()


def test_a_weight_of_rows_is_recognised_and_that_of_a_person_is_not(table):
    assert roles(table(sample_weight=RNG.random(N), x=RNG.random(N))).weight == "sample_weight"
    assert roles(table(weight=RNG.random(N), x=RNG.random(N))).weight is None


def test_time_is_recognised_by_content(table):
    when = pd.date_range("2024-01-01", periods=N)
    assert roles(table(seen=when, x=RNG.random(N))).time == "seen"
    found = roles(table(birth=when, timestamp=when, x=RNG.random(N)))
    assert (found.time, found.features) == ("timestamp", ("x",))


def test_identifiers_are_recognised_by_name_or_uniqueness(table):
    found = roles(
        table(
            customer_id=RNG.permutation(N) + 1000,
            store_id=np.arange(N) % 5,
            token=[f"t{i}" for i in range(N)],
            row=np.arange(N),
            free_text=[f"a note on {i}" for i in range(N)],
        )
    )
    assert found.ids == ("customer_id", "token", "row")
    assert found.features == ("store_id", "free_text")


def test_given_roles_stay_and_take_their_columns(table):
    given = ColumnRoles(target="label", prediction="guess")
    found = roles(table(label=BINARY, target=BINARY, guess=BINARY, y_pred=BINARY), given=given)
    assert (found.target, found.prediction) == ("label", "guess")
    assert set(found.features) == {"target", "y_pred"}


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (BINARY, Task.CLASSIFICATION),
        (BINARY.astype(float), Task.CLASSIFICATION),
        (np.where(BINARY, "yes", "no"), Task.CLASSIFICATION),
        (BINARY.astype(bool), Task.CLASSIFICATION),
        (np.arange(N) % 10, Task.CLASSIFICATION),
        (RNG.normal(size=N), Task.REGRESSION),
        (np.arange(N) % 60, Task.REGRESSION),
    ],
)
def test_the_task_follows_from_the_target(table, values, task):
    opened = table(target=values, x=RNG.random(N))
    facts = all_facts(opened)
    assert guess_task(roles(opened, facts=facts), facts) is task


def test_no_target_no_task(table):
    opened = table(x=RNG.random(N))
    facts = all_facts(opened)
    assert guess_task(roles(opened, facts=facts), facts) is None


def test_summary_statistics_equal_those_of_pandas(table):
    values = np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(size=N))
    summary = summarise(table(x=values, word=np.where(BINARY, "a", "b"))).columns
    column = pd.Series(values)
    assert summary[0].missing == column.isna().sum()
    assert summary[0].distinct == column.nunique()
    assert summary[0].mean == pytest.approx(column.mean())
    assert summary[0].standard_deviation == pytest.approx(column.std())
    assert (summary[0].minimum, summary[0].maximum) == (column.min(), column.max())
    assert sum(summary[0].histogram) == column.notna().sum()
    assert summary[1].top == (("a", 60), ("b", 60))


def test_summary_shows_twenty_rows_as_text(table):
    preview = summarise(table(x=np.arange(N), word=["long " * 100] * N)).preview
    assert len(preview) == 20
    assert preview[3][0] == "3"
    assert len(preview[3][1]) <= 80


def test_extreme_columns_can_be_summarised(table):
    summary = summarise(
        table(
            constant=np.ones(N),
            empty=np.full(N, np.nan),
            infinite=np.full(N, np.inf),
            huge=np.where(BINARY, 1e308, -1e308),
            when=pd.date_range("2024-01-01", periods=N),
        )
    )
    by_name = {column.name: column for column in summary.columns}
    assert by_name["constant"].standard_deviation == 0
    assert by_name["empty"].mean is None
    assert by_name["infinite"].maximum is None
    assert by_name["when"].minimum == "2024-01-01 00:00:00"


def test_summary_of_a_csv_carries_the_notes_of_reading(tmp_path):
    (tmp_path / "t.csv").write_bytes("näme;n\nx;1,5\ny;2\n".encode("cp1252"))
    assert len(summarise(open_table(tmp_path / "t.csv", "csv")).notes) == 3


@pytest.mark.parametrize("values", [[0.3, 0.1 + 0.2], [2.0**60, 2.0**60 + 256], [2**60, 2**60 + 256]])
def test_numbers_that_differ_by_rounding_alone_have_a_summary_without_bars(table, values):
    (column,) = summarise(table(x=np.array(values * 30))).columns
    assert (column.distinct, column.histogram) == (2, ())
