import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from modelops.analyses.base import Run
from modelops.analyses.registry import analysis
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape
from modelops.reports.command import command_line
from modelops.reports.result import MAX_PAGE, conclusion, result_report
from modelops.reports.review import model_card, review_report
from tests.analyses.samples import evaluation
from tests.reports.report_samples import sample_result, sample_review, sample_sign_off

ALLOWED = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "h3",
        "p",
        "span",
        "div",
        "table",
        "caption",
    ),
    *(
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "code",
        "pre",
        "br",
        "figure",
        "figcaption",
        "img",
    ),
}
VOID = {"meta", "br", "img"}


class Page(HTMLParser):
    """The tags, attributes and text of a page; fails on tags that are not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], "", []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.text += " " if tag in {"td", "th"} else ""

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def pages():
    return {
        "result": result_report(sample_result()),
        "review": review_report(sample_review()),
        "card": model_card(sample_review()),
    }


each_page = pytest.mark.parametrize("name", ["result", "review", "card"])


@each_page
def test_hostile_text_is_shown_and_never_markup(pages, name):
    page = Page(pages[name])
    assert set(page.tags) <= ALLOWED
    assert "<script>alert(1)</script>" in page.text
    assert not [a for a in page.attributes if a[1].startswith("on")]


@each_page
def test_text_is_not_taken_for_a_template(pages, name):
    assert "{{ 7*7 }}" in Page(pages[name]).text


@each_page
def test_characters_that_turn_text_around_are_left_out(pages, name):
    assert "\u202e" not in pages[name]


@each_page
def test_nothing_is_fetched_and_nothing_runs(pages, name):
    page = Page(pages[name])
    policy = next(
        value for tag, key, value in page.attributes if (tag, key) == ("meta", "content") and "default-src" in value
    )
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert all(value.startswith("data:") for _, key, value in page.attributes if key in {"src", "href"})
    assert not re.search(r"url\(|@import", pages[name])


@each_page
def test_a_page_follows_light_and_dark(pages, name):
    assert "prefers-color-scheme: dark" in pages[name]


@each_page
def test_every_picture_has_a_text(pages, name):
    page = Page(pages[name])
    assert [k for tag, k, v in page.attributes if tag == "img" and k == "alt" and v] == ["alt"] * page.tags.count("img")


def test_the_same_result_gives_the_same_page(pages):
    assert result_report(sample_result()) == pages["result"]


def test_verdicts_come_first_and_the_worst_first_of_all(pages):
    text = Page(pages["result"]).text
    places = [text.index(part) for part in ("four fifths", "accuracy at least 0.9", "selection rate", "Run it again")]
    assert places == sorted(places)


def test_the_conclusion_counts_the_verdicts():
    assert conclusion(sample_result().verdicts) == "Of 2 rules: 1 failed, 1 passed."


def test_a_value_that_was_not_measured_says_so_with_its_reason(pages):
    text = " ".join(Page(pages["result"]).text.split())
    assert "F1 overall not measured 0 Nobody is positive." in text


def test_the_report_names_the_bytes_and_the_seed(pages):
    text = Page(pages["result"]).text
    assert sample_result().inputs["data"].digest in text
    assert "Seed" in text


def test_a_chart_is_part_of_the_page(pages):
    assert Page(pages["result"]).tags.count("img") == 1
    assert 'src="data:image/svg+xml;base64,' in pages["result"]


def test_the_command_names_every_choice_and_is_safe_to_paste():
    assert command_line(sample_result()) == (
        "python -m modelops analyze fairness --data DATA --model MODEL --target y --prediction 'p one' --sensitive sex "
        "--features age,sex --positive 'it'\"'\"'s yes' --task classification --param alpha=0.05 "
        "--param domain_classifier=true --param quantiles=0.1,0.9 --param rows=null --seed 7 --out RESULT.json"
    )


def test_the_command_names_the_class_of_each_score():
    data = (
        sample_result().inputs["data"].model_copy(update={"roles": {"p": "score of class a", "q": "score of class b"}})
    )
    assert "--score a=p,b=q " in command_line(sample_result(inputs={"data": data}))


def test_a_report_does_not_promise_the_same_times():
    assert "only about the same" in result_report(sample_result(analysis="footprint"))
    assert "only about the same" not in result_report(sample_result())


def test_a_huge_result_still_makes_a_small_page_that_says_what_is_missing():
    measurements = tuple(
        Measurement(metric="mean", value=1.0, scope={"feature": f"column {n}" * 5}, sample_size=n, note="long " * 40)
        for n in range(5000)
    )
    table = ResultTable(name="t", title="T", columns=("a",), rows=tuple(("x" * 200,) for _ in range(5000)))
    points = tuple(float(n % 97) for n in range(2000))
    series = tuple(Series(name=f"s{n}", x=points, y=points[::-1]) for n in range(3))
    curve = Curve(name="c", title="C", shape=Shape.LINE, x_title="x", y_title="y", series=series)
    page = result_report(sample_result(measurements=measurements, tables=(table,) * 5, curves=(curve,) * 40))
    assert len(page.encode()) <= MAX_PAGE
    assert "further measurements in the result file" in page
    assert "further rows in the result file" in page


def test_a_column_that_has_a_value_in_no_row_is_left_out():
    table = ResultTable(
        name="t", title="T", columns=("case", "class", "output"), rows=(("a", None, 1.0), ("b", None, 2.0))
    )
    page = result_report(sample_result(tables=(table,)))
    assert ">case</th>" in page
    assert ">output</th>" in page
    assert ">class</th>" not in page


def test_a_unit_stands_in_the_heading_of_its_column_and_the_name_stays_as_it_is():
    table = ResultTable(
        name="t", title="T", columns=("calls", "empty", "median"), rows=((3, None, 1.5),), units={"median": "ms"}
    )
    page = result_report(sample_result(tables=(table,)))
    assert ">median (ms)</th>" in page
    assert ">calls</th>" in page
    assert (table.filled.columns, table.filled.units) == (("calls", "median"), {"median": "ms"})


def test_units_are_written_only_where_there_are_any():
    plain = ResultTable(name="t", title="T", columns=("calls",), rows=((3,),))
    assert "units" not in plain.model_dump_json()
    assert ResultTable.model_validate_json(plain.model_dump_json()) == plain
    with_unit = plain.model_copy(update={"units": {"calls": "1/s"}})
    assert ResultTable.model_validate_json(with_unit.model_dump_json()).headings == ("calls (1/s)",)


def test_a_unit_of_no_column_is_refused():
    with pytest.raises(ValueError, match="'median', which is no column"):
        ResultTable(name="t", title="T", columns=("calls",), rows=(), units={"median": "ms"})


def test_a_long_contract_and_many_notes_leave_a_small_page():
    contract = "{" + "check, " * 200_000 + "}"
    page = result_report(
        sample_result(parameters={"contract": contract}, notes=tuple(f"note {n}" for n in range(5000)))
    )
    assert len(page.encode()) <= MAX_PAGE
    assert "1,400,002 characters, all in the result file" in page
    assert "further notes in the result file" in page


def test_a_result_without_verdicts_says_that_no_policy_judged_it():
    assert "No policy has judged this result." in result_report(sample_result(verdicts=()))


def test_a_result_of_an_analysis_that_is_gone_is_still_shown():
    assert "Old analysis" in result_report(sample_result(analysis="old_analysis"))


def test_a_review_shows_name_time_and_meaning_of_every_signature(pages):
    text = Page(pages["review"]).text
    assert "2026-11-23 09:30:00 UTC" in text
    assert "approval" in text
    assert "I approve this model version for use as described." in text


def test_a_review_shows_the_digest_that_was_signed(pages):
    assert sample_review().digest in pages["review"]


def test_a_review_names_the_area_that_is_not_ready(pages):
    assert f"Not ready: {sample_review().readiness[1].title}" in Page(pages["review"]).text


def test_a_review_shows_every_answer_under_its_area(pages):
    text = Page(pages["review"]).text
    assert all(f"Answer to {answer.question}." in text for answer in sample_review().review.answers[:5])


def test_a_link_is_shown_as_text(pages):
    assert "javascript:alert(3)" in Page(pages["review"]).text
    assert "a" not in Page(pages["review"]).tags


def test_a_review_that_nobody_signed_says_so():
    assert "Nobody has signed." in review_report(sample_review(sign_offs=(), valid_until=None))


def test_a_rejection_is_shown():
    assert '<span class="mark bad">reject</span>' in review_report(
        sample_review(sign_offs=(sample_sign_off(decision="reject"),))
    )


@pytest.mark.parametrize(
    "section",
    ["Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Ethical", "Caveats"],
)
def test_a_model_card_has_the_sections_of_model_cards(pages, section):
    assert f"<h2>{section}" in pages["card"]


def test_a_model_card_shows_the_groups(pages):
    assert "Measured by group for sex." in pages["card"]


def test_a_model_card_says_what_nobody_has_answered():
    content = sample_review()
    bare = content.review.model_copy(update={"answers": (), "datasets": (), "findings": (), "waivers": ()})
    page = model_card(sample_review(review=bare, runs=()))
    assert page.count("The review has no answers on this.") == 4
    assert "No analysis is attached." in page


def test_a_report_of_many_features_and_groups_stays_small_and_holds_no_rows():
    rng = np.random.default_rng(0)
    features = {f"average_of_quantity_{k:03d}_over_the_last_twelve_months": rng.normal(size=600) for k in range(200)}
    score = rng.beta(2, 3, 600)
    columns = {
        **features,
        "score": score,
        "label": np.where(rng.random(600) < score, "yes", "no").tolist(),
        "branch": [f"branch of the bank in district {row % 60}" for row in range(600)],
        "person": [f"person-{row:05d}" for row in range(600)],
    }
    roles = {"target": "label", "scores": ("score",), "sensitive": ("branch",), "ids": ("person",)}
    data = evaluation(columns, positive="yes", features=tuple(features), **roles)
    for key, parameters, last in (
        ("residuals", {}, "_199_over"),
        ("calibration", {"largest_groups": 100}, "district 59"),
    ):
        declared = analysis(key)
        found = declared.compute(data, declared.parameters(**parameters), Run(seed=1))
        fields = ("summary", "measurements", "curves", "tables", "notes")
        whole = sample_result(analysis=key, verdicts=(), **{name: getattr(found, name) for name in fields})
        page = result_report(whole)
        assert len(page.encode()) < MAX_PAGE
        assert "person-" not in page
        assert last in page
        pictures = re.findall(r"base64,([\w+/=]+)", page)
        assert len(pictures) == len(whole.curves)
        assert not any(b"person-" in base64.b64decode(picture) for picture in pictures)


def test_metrics_are_called_as_on_the_screen():
    found = (
        Measurement(metric="roc_auc", value=0.7, sample_size=9),
        Measurement(metric="r2", value=0.1, sample_size=9),
    )
    page = result_report(sample_result(measurements=found))
    assert "<td>ROC AUC</td>" in page
    assert "<td>R2</td>" in page
