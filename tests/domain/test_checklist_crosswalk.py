from pathlib import Path

import pytest

from modelops.domain.checklist import load_template
from modelops.domain.crosswalk import NOTE, check_covers, load_framework
from modelops.errors import InvalidInput, NotFound

DATA = Path(__file__).parents[2] / "data"
TEMPLATE = load_template((DATA / "checklists" / "readiness.yaml").read_text("utf-8"))
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted((DATA / "crosswalks").glob("*.yaml"))}
NIST = load_framework(TEXTS["nist_ai_rmf"])
EU = load_framework(TEXTS["eu_ai_act"])
ISO = load_framework(TEXTS["iso_42001"])
SR = load_framework(TEXTS["sr_26_2"])

# How many subcategories each category of NIST AI 100-1 (January 2023) has, tables 1 to 4.
NIST_CATEGORIES = {
    "GOVERN": (7, 3, 2, 3, 2, 2),
    "MAP": (6, 3, 5, 2, 2),
    "MEASURE": (3, 13, 3, 3),
    "MANAGE": (4, 4, 2, 3),
}

# First and last control of each group of ISO/IEC 42001:2023, Annex A, table A.1.
ISO_GROUPS = {
    "A.2": (2, 4),
    "A.3": (2, 3),
    "A.4": (2, 6),
    "A.5": (2, 5),
    "A.6.1": (2, 3),
    "A.6.2": (2, 8),
    "A.7": (2, 6),
    "A.8": (2, 5),
    "A.9": (2, 4),
    "A.10": (2, 4),
}


def test_there_are_four_crosswalks():
    assert list(TEXTS) == ["eu_ai_act", "iso_42001", "nist_ai_rmf", "sr_26_2"]


@pytest.mark.parametrize("name", TEXTS)
def test_crosswalk_is_called_like_its_file(name):
    assert load_framework(TEXTS[name]).id == name


@pytest.mark.parametrize("name", TEXTS)
def test_every_section_and_the_sign_off_is_read(name):
    check_covers(load_framework(TEXTS[name]), TEMPLATE.numbers)


def test_nist_has_its_72_subcategories():
    expected = [
        f"{function} {category}.{number}"
        for function, counts in NIST_CATEGORIES.items()
        for category, count in enumerate(counts, start=1)
        for number in range(1, count + 1)
    ]
    assert list(NIST.titles) == expected
    assert len(expected) == 72


def test_iso_has_its_38_controls():
    expected = [f"{group}.{n}" for group, (first, last) in ISO_GROUPS.items() for n in range(first, last + 1)]
    assert list(ISO.titles) == expected
    assert len(expected) == 38


@pytest.mark.parametrize("framework", [NIST, ISO, EU], ids=lambda framework: framework.id)
def test_every_clause_with_a_number_has_a_title(framework):
    assert [clause.id for clause in framework.clauses if not clause.title] == []


def test_sr_topics_have_no_paragraph_numbers():
    assert not any(character.isdigit() for clause in SR.clauses for character in clause.id)


def test_sr_is_labelled_as_superseding():
    assert SR.title == "SR 26-2 (supersedes SR 11-7)"


def test_eu_status_says_from_when_duties_apply():
    assert "2 December 2027 (Annex III)" in EU.status
    assert "2 August 2028 (Annex I)" in EU.status


def test_only_whole_lists_are_called_complete():
    assert [framework.is_complete for framework in (NIST, ISO, EU, SR)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("framework", "nearest"), [(EU, ("Art. 15(2)", "Annex IV 2(b)")), (ISO, ("A.6.2.2", "A.6.2.3"))]
)
def test_missing_clause_for_a_baseline_is_said(framework, nearest):
    reading = framework.reading("baseline")
    assert reading.clauses == ()
    assert reading.no_clause
    assert reading.nearest == nearest


def test_nearest_clauses_do_not_count_as_served():
    assert EU.served_by("Art. 15(2)") == ()


def test_clause_knows_the_sections_that_serve_it():
    assert NIST.served_by("MEASURE 1.3") == ("code", "tests", "sign_off")


def test_sign_off_serves_the_signed_test_reports():
    assert EU.reading("sign_off").clauses == ("Art. 17(1)(m)", "Annex IV 2(g)")


def test_clauses_that_nothing_serves_are_listed():
    assert [clause.id for clause in ISO.unserved] == ["A.2.2", "A.2.3", "A.2.4"]


def test_note_says_that_it_is_no_legal_advice():
    assert NOTE == "This is a reading, not legal advice."


def test_id_that_the_framework_does_not_have_is_refused():
    text = TEXTS["iso_42001"].replace('clauses: ["A.3.2"]', 'clauses: ["A.3.4"]')
    with pytest.raises(InvalidInput, match=r"'sign_off' names 'A\.3\.4', which is not a clause of ISO/IEC 42001"):
        load_framework(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('clauses: ["A.3.2"]', "clauses: []", "needs either clauses or the words of no_clause"),
        ('clauses: ["A.3.2"]', 'clauses: ["A.3.2"]\n    nearest: ["A.3.3"]', "only for a section without one"),
        ('clauses: ["A.3.2"]', 'clauses: ["A.3.2", "A.3.2"]', "names a clause twice"),
        ("section: sign_off", "section: use", "a section is read twice"),
        ('{id: "A.3.3"', '{id: "A.3.2"', "stands twice in the framework's own list"),
        ('{id: "A.3.3"', "{id: 3.3", r"clauses > .* > id: Input should be a valid string"),
    ],
)
def test_unsound_crosswalk_is_refused(old, new, message):
    assert old in TEXTS["iso_42001"]
    with pytest.raises(InvalidInput, match=message):
        load_framework(TEXTS["iso_42001"].replace(old, new))


def test_crosswalk_that_leaves_a_section_out_is_refused():
    with pytest.raises(InvalidInput, match="without a reading: extra"):
        check_covers(ISO, [*TEMPLATE.numbers, "extra"])


def test_section_that_was_not_read_is_not_found():
    with pytest.raises(NotFound, match="has not been read for the section 'extra'"):
        ISO.reading("extra")


def test_unknown_clause_is_not_found():
    with pytest.raises(NotFound, match=r"has no clause 'A\.1\.1'"):
        ISO.served_by("A.1.1")
