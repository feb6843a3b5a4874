"""What becomes of a dataset after it was added."""

from __future__ import annotations

import pytest

from modelops.domain.columns import ColumnRoles
from modelops.errors import Conflict, InvalidInput, NotAllowed
from modelops.services import datasets, inventory, reviews, runs
from modelops.store.queries_audit import verify
from modelops.store.queries_inventory import datasets_of, guessed_among
from modelops.store.queries_review import content
from modelops.store.tables import AuditRow, DatasetRow, ReviewRow, RunRow, RunState
from tests.services.road import answer_all, opened
from tests.store.road_store import approved_with_a_run, finished, with_data


@pytest.fixture
def review(store, people, now):
    return opened(store, people, now)


@pytest.fixture
def data(store, people, now, review) -> DatasetRow:
    return with_data(store, people["author"], now)


def seen(data: DatasetRow) -> dict:
    return {"roles": ColumnRoles.model_validate(data.roles), "task": data.task, "positive": data.positive}


def entries(store, action: str):
    with store.reading() as reader:
        return reader.all(AuditRow, action=action)


def is_settled(store, data: DatasetRow) -> bool:
    with store.reading() as reader:
        return not guessed_among(reader, [data.id])


def test_columns_are_guessed_until_somebody_confirms_them(store, people, now, data):
    assert not is_settled(store, data)
    datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **seen(data))
    assert is_settled(store, data)
    (entry,) = entries(store, "dataset:confirm")
    assert (entry.actor_name, entry.at, entry.subject) == ("Author", now, f"dataset/{data.id}")


def test_a_confirmation_changes_nothing_of_the_dataset(store, people, now, data):
    before = data.model_dump()
    datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **seen(data))
    with store.reading() as reader:
        assert reader.get(DatasetRow, data.id, what="dataset").model_dump() == before


def test_who_confirms_is_no_longer_independent(store, people, now, data):
    datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **seen(data))
    assert entries(store, "dataset:confirm")[0].contributes


def test_columns_are_confirmed_once(store, people, now, data):
    for _ in range(2):
        datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **seen(data))
    assert len(entries(store, "dataset:confirm")) == 1


def test_to_say_what_was_guessed_is_to_confirm_it(store, people, now, data):
    inventory.correct_columns(store, data.id, actor=people["author"], at=now, **seen(data))
    assert len(entries(store, "dataset:confirm")) == 1
    assert entries(store, "dataset:columns") == []


def test_corrected_columns_need_no_confirmation(store, people, now, data):
    given = seen(data) | {"roles": ColumnRoles(target="target", features=("income",))}
    inventory.correct_columns(store, data.id, actor=people["author"], at=now, **given)
    assert is_settled(store, data)
    datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **given)
    assert entries(store, "dataset:confirm") == []


def test_what_was_changed_meanwhile_is_not_confirmed(store, people, now, data):
    old = seen(data)
    given = old | {"positive": "no"}
    inventory.correct_columns(store, data.id, actor=people["author"], at=now, **given)
    with pytest.raises(Conflict, match="meanwhile"):
        datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **old)


@pytest.mark.parametrize("who", ["reviewer", "approver", "auditor", "administrator"])
def test_only_those_who_register_data_confirm_columns(store, people, now, data, who):
    with pytest.raises(NotAllowed, match="author"):
        datasets.confirm_columns(store, data.id, actor=people[who], at=now, **seen(data))
    assert not is_settled(store, data)
    assert entries(store, "refused")[0].subject == f"dataset/{data.id}"


def test_columns_are_not_confirmed_under_a_submitted_review(store, people, now, review, data):
    reviews.use_dataset(store, review.id, data.id, actor=people["author"], at=now)
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    with pytest.raises(Conflict, match="submitted"):
        datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **seen(data))


def test_of_several_datasets_those_with_a_guess_are_told(store, people, now, data):
    assert not is_settled(store, data)
    with store.blobs.stage() as staged:
        staged.add(b"a,b\n1,2\n3,4\n")
        other = inventory.add_dataset(
            store, 1, actor=people["author"], at=now, name="other", role="test", staged=staged, file_name="other.csv"
        )
    datasets.confirm_columns(store, data.id, actor=people["author"], at=now, **seen(data))
    with store.reading() as reader:
        assert guessed_among(reader, [data.id, other.id]) == {other.id}


def archived(store, data: DatasetRow, people, now) -> DatasetRow:
    return datasets.archive_dataset(store, data.id, actor=people["author"], at=now, reason="Uploaded by mistake.")


def listed(store, **options) -> list[int]:
    with store.reading() as reader:
        return [row.id for row in datasets_of(reader, 1, **options)]


def test_an_archived_dataset_is_in_no_list_unless_it_is_asked_for(store, people, now, data):
    archived(store, data, people, now)
    assert listed(store) == []
    assert listed(store, with_archived=True) == [data.id]


def test_who_archived_a_dataset_when_and_why_is_in_the_audit_trail(store, people, now, data):
    archived(store, data, people, now)
    (entry,) = entries(store, "dataset:archive")
    assert (entry.actor_name, entry.at, entry.subject) == ("Author", now, f"dataset/{data.id}")
    assert '"reason":"Uploaded by mistake."' in entry.body
    with store.reading() as reader:
        assert verify(reader) is None


def test_an_archived_dataset_is_restored_as_it_was(store, people, now, data):
    archived(store, data, people, now)
    datasets.restore_dataset(store, data.id, actor=people["author"], at=now, reason="It was right.")
    with store.reading() as reader:
        assert reader.get(DatasetRow, data.id, what="dataset").model_dump() == data.model_dump() | {"archived_at": None}
    assert listed(store) == [data.id]
    assert entries(store, "dataset:restore")[0].actor_name == "Author"


@pytest.mark.parametrize("act", [datasets.archive_dataset, datasets.restore_dataset])
def test_a_dataset_is_neither_archived_nor_restored_without_a_reason(store, people, now, data, act):
    with pytest.raises(InvalidInput, match="reason"):
        act(store, data.id, actor=people["author"], at=now, reason="  ")


@pytest.mark.parametrize("act", [datasets.archive_dataset, datasets.restore_dataset])
@pytest.mark.parametrize("who", ["reviewer", "approver", "auditor", "administrator"])
def test_only_those_who_register_data_archive_and_restore_it(store, people, now, data, act, who):
    with pytest.raises(NotAllowed, match="author"):
        act(store, data.id, actor=people[who], at=now, reason="Mine.")
    assert entries(store, "refused")[0].subject == f"dataset/{data.id}"


def test_a_dataset_is_archived_once_and_restored_once(store, people, now, data):
    with pytest.raises(Conflict, match="is not archived"):
        datasets.restore_dataset(store, data.id, actor=people["author"], at=now, reason="Why not.")
    archived(store, data, people, now)
    with pytest.raises(Conflict, match="archived already"):
        archived(store, data, people, now)


def test_a_dataset_of_a_submitted_review_stays_where_it_is(store, people, now, review, data):
    reviews.use_dataset(store, review.id, data.id, actor=people["author"], at=now)
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    with pytest.raises(Conflict, match="submitted"):
        archived(store, data, people, now)


def test_no_analysis_is_run_on_an_archived_dataset(store, people, now, data):
    archived(store, data, people, now)
    with pytest.raises(Conflict, match="Holdout is archived"):
        runs.request_run(store, "performance", actor=people["author"], at=now, data_id=data.id)


@pytest.mark.parametrize("place", ["reference_id", "train_id"])
def test_no_analysis_is_compared_with_an_archived_dataset(store, people, now, data, place):
    other = with_another(store, people, now)
    archived(store, data, people, now)
    with pytest.raises(Conflict, match="Holdout is archived"):
        runs.request_run(store, "drift", actor=people["author"], at=now, data_id=other, **{place: data.id})


def with_another(store, people, now) -> int:
    with store.blobs.stage() as staged:
        staged.add(b"income,target,score\n1,yes,0.5\n3,no,0.4\n")
        return inventory.add_dataset(
            store, 1, actor=people["author"], at=now, name="other", role="test", staged=staged, file_name="other.csv"
        ).id


def test_no_review_begins_to_rest_on_an_archived_dataset(store, people, now, review, data):
    archived(store, data, people, now)
    with pytest.raises(Conflict, match="is archived"):
        reviews.use_dataset(store, review.id, data.id, actor=people["author"], at=now)
    with pytest.raises(Conflict, match="is archived"):
        reviews.open_review(store, 1, actor=people["author"], at=now, gate="inception", dataset_ids=[data.id])


def test_a_question_takes_the_data_of_its_review_that_is_not_archived(store, people, now, review, data):
    author = people["author"]
    other = with_another(store, people, now)
    for number in (other, data.id):
        reviews.use_dataset(store, review.id, number, actor=author, at=now)
    with store.reading() as reader:
        (usual,) = {run.data for run in [runs._inputs_of(reader, runs.analysis("performance"), review)] if run}
    assert usual == max(other, data.id)
    datasets.archive_dataset(store, usual, actor=author, at=now, reason="Uploaded by mistake.")
    run = runs.run_for_question(store, "performance", review.id, "problem.done", actor=author, at=now)
    assert run.data_id == min(other, data.id)


def test_a_result_on_an_archived_dataset_is_computed_again(store, people, now, data):
    author = people["author"]
    run = finished(store, author, now, data_id=data.id, version_id=1)
    archived(store, data, people, now)
    again = runs.run_again(store, run.id, actor=author, at=now)
    assert (again.state, again.data_id) == (RunState.QUEUED, data.id)
    with store.reading() as reader:
        assert runs.result(store, reader.get(RunRow, run.id, what="run")) is not None
        assert runs.missing_files(store, reader, again) == ()


def test_what_was_approved_stays_approved_when_its_data_is_archived(store, people, keys, now):
    review = approved_with_a_run(store, people, keys, now)
    with store.reading() as reader:
        data = reader.all(DatasetRow)[0]
    archived(store, data, people, now)
    with store.reading() as reader:
        now_is = reader.get(ReviewRow, review.id, what="review")
        assert content(reader, now_is).digest == review.content_digest
