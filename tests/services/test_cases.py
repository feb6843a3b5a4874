"""Reading cases: rights, blindness, two readers, settling, and the record that becomes evidence."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from modelops.domain.case_reading import CaseVerdict
from modelops.domain.checklist import Gate
from modelops.domain.people import Role
from modelops.errors import Conflict, InvalidInput, NotAllowed, NotFound
from modelops.services import case_records, cases, reviews, runs
from modelops.store.queries_review import contributions, evidence
from modelops.store.tables import AuditRow, CaseReadingRow, ReviewRow, RunRow
from tests.ui.ui_inventory import MADE_AT, make, work

MODEL, LABEL, AMBIGUOUS, _ = CaseVerdict
QUESTION = "predictions.misclassified"


@pytest.fixture(scope="module")
def made(tmp_path_factory, peopled_database):
    """An inventory with one finished run of the mistakes of a table, and one of something else."""
    from modelops.store import Store
    from tests.ui.ui_inventory import author_of

    made = make(tmp_path_factory.mktemp("mistakes"), peopled_database, MADE_AT)
    store = Store.open(f"sqlite:///{made.database}", str(made.folder / "blobs"))
    asked = {"actor": author_of(store), "at": MADE_AT, "data_id": 1, "version_id": 1}
    runs.request_run(store, "misclassified", **asked, parameters={"rows": 20})
    runs.request_run(store, "performance", **asked)
    work(store, made.folder)
    store.close()
    return made


@pytest.fixture
def home(made, store, people, tmp_path):
    made.hand_files_to(tmp_path)
    source, target = sqlite3.connect(made.database), sqlite3.connect(tmp_path / "modelops.sqlite3")
    source.backup(target)
    source.close()
    target.close()
    return store


@pytest.fixture
def rows(home, people):
    return cases.case_review(home, 1, actor=people["author"]).queue.rows


@pytest.fixture
def read(home, people, now):
    """Give a verdict: ``read("author", 12, MODEL)``."""

    def give(who, row, verdict=MODEL, note="The income was typed in thousands.", **more):
        return cases.read_case(home, 1, row, actor=people[who], at=now, verdict=verdict, note=note, **more)

    return give


def review_of(home, people, who="author"):
    return cases.case_review(home, 1, actor=people[who])


def test_the_values_of_the_cases_are_kept_beside_the_result(home, rows):
    with home.reading() as reader:
        run = reader.get(RunRow, 1, what="run")
    values = cases.case_values(home, run.cases)
    assert [row[0] for row in values.rows] == list(rows)
    assert "income" in values.columns
    assert "income" not in home.blobs.read(run.result).decode().replace('"income":"feature"', "")


def test_the_queue_is_that_of_the_result(home, people, rows):
    queue = review_of(home, people).queue
    assert (len(rows), queue.judged, queue.order) == (20, 300, "confidence")
    assert queue.wrong > 20
    assert set(queue.predicted.values()) == {"0", "1"}


def test_a_verdict_stands_with_its_note_and_in_the_audit_trail(home, people, rows, read):
    read("author", rows[0], LABEL, right_label="1")
    mine = review_of(home, people).mine[rows[0]]
    assert (mine.verdict, mine.right_label) == (LABEL, "1")
    with home.reading() as reader:
        entry = [row for row in reader.all(AuditRow) if row.action == "case:read"][-1]
    assert entry.subject == "run/1"
    assert '"verdict":"label error"' in entry.body


def test_neither_reader_sees_the_others_verdict_before_giving_one(home, people, rows, read):
    read("author", rows[0])
    before = review_of(home, people, "reviewer")
    assert rows[0] in before.open_rows
    assert before.revealed == {}
    read("reviewer", rows[0], LABEL)
    after = review_of(home, people, "reviewer")
    assert [one.verdict for one in after.revealed[rows[0]]] == [MODEL, LABEL]


def test_no_count_tells_the_second_reader_what_the_first_one_said(home, people, rows, read):
    read("author", rows[0], LABEL)
    before = review_of(home, people, "reviewer")
    assert (before.read, before.readings, before.stands) == (1, (), {})
    assert before.adjusted == review_of(home, people, "auditor").adjusted == ()
    assert review_of(home, people, "author").counts[LABEL] == 1


def test_who_reads_the_audit_trail_is_no_second_reader(home, people, now, rows, read):
    both = replace(people["reviewer"], roles=people["reviewer"].roles | {Role.AUDITOR})
    given = {"actor": both, "at": now, "verdict": MODEL, "note": "Looks right."}
    read("author", rows[0])
    with pytest.raises(NotAllowed, match="no second reader"):
        cases.read_case(home, 1, rows[0], **given)
    cases.read_case(home, 1, rows[1], **given)


def test_a_verdict_can_be_changed_until_a_second_person_has_read_the_case(home, people, rows, read):
    read("author", rows[0], MODEL)
    read("author", rows[0], AMBIGUOUS)
    assert review_of(home, people).mine[rows[0]].verdict is AMBIGUOUS
    read("reviewer", rows[0])
    with pytest.raises(Conflict, match="both verdicts stand"):
        read("author", rows[0], LABEL)


def test_the_database_itself_keeps_what_two_people_have_read(home, rows, read):
    read("author", rows[0])
    read("reviewer", rows[0])
    with pytest.raises(IntegrityError, match="stands still"), home.transaction() as t:
        t.all(CaseReadingRow)[0].note = "another"
    with pytest.raises(IntegrityError, match="never deleted"), home.transaction() as t:
        t.remove(t.all(CaseReadingRow)[0])
        t.flush()


def test_a_case_is_read_by_two_people_only(home, rows, read):
    read("author", rows[0])
    read("reviewer", rows[0])
    with pytest.raises(Conflict, match="read by two people already"):
        read("approver", rows[0])


def test_of_three_at_once_two_are_taken(home, rows, read):
    refused = []

    def give(who):
        try:
            read(who, rows[1])
        except Conflict as conflict:
            refused.append(str(conflict))

    at_once = [threading.Thread(target=give, args=(who,)) for who in ("author", "reviewer", "approver")]
    for one in at_once:
        one.start()
    for one in at_once:
        one.join()
    assert len(refused) == 1
    with home.reading() as reader:
        assert len(reader.all(CaseReadingRow)) == 2


@pytest.mark.parametrize("who", ["auditor", "administrator"])
def test_who_only_looks_gives_no_verdict(rows, read, who):
    with pytest.raises(NotAllowed, match="read by authors, reviewers and approvers"):
        read(who, rows[0])


def test_a_verdict_needs_a_note(rows, read):
    with pytest.raises(InvalidInput, match="The note"):
        read("author", rows[0], note="  ")


def test_a_right_label_is_for_wrong_labels(rows, read):
    with pytest.raises(InvalidInput, match="only where the label"):
        read("author", rows[0], MODEL, right_label="1")


def test_a_case_that_is_not_queued_is_not_read(rows, read):
    with pytest.raises(NotFound, match="not in the queue"):
        read("author", max(rows) + 1000)


def test_a_run_without_a_queue_has_no_cases(home, people):
    with pytest.raises(NotFound, match="no queue of cases"):
        cases.case_review(home, 2, actor=people["author"])


def settle(home, people, now, row, **changes):
    given = {"verdict": LABEL, "note": "The file proves that it was paid.", **changes}
    return cases.settle_case(home, 1, row, actor=people["author"], at=now, **given)


def test_a_difference_is_settled_once_with_a_reason(home, people, now, rows, read):
    read("author", rows[0], MODEL)
    read("reviewer", rows[0], LABEL)
    assert review_of(home, people).differing == (rows[0],)
    settle(home, people, now, rows[0])
    found = review_of(home, people)
    assert found.differing == ()
    assert found.stands[rows[0]].verdict is LABEL
    assert found.kappa.agreed == 0
    with pytest.raises(Conflict, match="settled already"):
        settle(home, people, now, rows[0])


def test_what_one_person_read_or_both_agree_on_is_not_settled(home, people, now, rows, read):
    read("author", rows[0])
    with pytest.raises(Conflict, match="read by 1 of two people"):
        settle(home, people, now, rows[0])
    read("reviewer", rows[0])
    with pytest.raises(Conflict, match="agree"):
        settle(home, people, now, rows[0])


def test_wrong_labels_raise_the_accuracy_at_least(home, people, rows, read):
    queue = review_of(home, people).queue
    for row in rows[:4]:
        read("author", row, LABEL)
    corrected, removed = review_of(home, people).adjusted
    assert corrected.value == pytest.approx((300 - queue.wrong + 4) / 300)
    assert removed.value == pytest.approx((300 - queue.wrong) / 296)
    assert corrected.how.startswith("at least")


@pytest.fixture
def review(home, people, now):
    return reviews.open_review(home, 1, actor=people["author"], at=now, gate=Gate.PRE_DEPLOYMENT, dataset_ids=[1])


def attach(home, people, now, review, who="author"):
    return case_records.attach_readings(home, 1, review.id, QUESTION, actor=people[who], at=now)


def test_what_was_read_becomes_evidence_as_it_is_now(home, people, now, rows, read, review):
    for row in rows[:6]:
        read("author", row, MODEL if row % 2 else LABEL)
        read("reviewer", row, MODEL if row % 2 else LABEL)
    attach(home, people, now, review)
    with home.reading() as reader:
        row = evidence(reader, review.id)[-1]
    assert (row.kind, row.question_id) == ("record", QUESTION)
    assert "Read: 6, of these 6 by two people; by Author, Reviewer." in row.text
    assert "Cohen's kappa" in row.text
    assert "Accuracy with wrong labels put right" in row.text


def test_another_note_makes_another_record(home, people, now, rows, read, review):
    read("author", rows[0])
    first = attach(home, people, now, review).digest
    read("author", rows[0], note="Looked again: the branch reports in euros.")
    assert attach(home, people, now, review).digest != first


def test_nothing_read_is_no_evidence(home, people, now, review):
    with pytest.raises(Conflict, match="No case of this run was read"):
        attach(home, people, now, review)


def test_only_who_answers_attaches(home, people, now, rows, read, review):
    read("author", rows[0])
    with pytest.raises(NotAllowed):
        attach(home, people, now, review, "reviewer")


def contributors(home, review):
    with home.reading() as reader:
        return contributions(reader, reader.get(ReviewRow, review.id, what="review"))


def test_whose_verdicts_are_evidence_has_contributed(home, people, now, rows, read, review):
    reviewer = people["reviewer"].user_id
    read("reviewer", rows[0])
    assert reviewer not in contributors(home, review)
    attach(home, people, now, review)
    read("approver", rows[0])
    assert contributors(home, review)[reviewer] == ("case:read",)
    assert people["approver"].user_id not in contributors(home, review)


def test_the_database_refuses_the_signature_of_whose_verdicts_are_evidence(home, people, now, rows, read, review):
    def raw(who):
        person = people[who]
        row = (review.id, 1, person.user_id, person.name, who, "approval", "approve", "r", "s", "password", "d")
        names = "review_id, submission, user_id, printed_name, role, meaning, decision, reason, statement"
        sql = f"INSERT INTO sign_off ({names}, authentication, content_digest, at) VALUES ({', '.join('?' * 12)})"
        with closing(sqlite3.connect(home.sqlite_file)) as database:
            database.execute("UPDATE review SET state = 'submitted', submission = 1")
            database.execute(sql, (*row, now.isoformat()))

    read("reviewer", rows[0])
    raw("reviewer")
    attach(home, people, now, review)
    with pytest.raises(sqlite3.IntegrityError, match="contributor"):
        raw("reviewer")
    raw("approver")
