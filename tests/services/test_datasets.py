"""What becomes of a dataset after it was added."""

from __future__ import annotations

import pytest

from modelops.domain.columns import ColumnRoles
from modelops.errors import Conflict, NotAllowed
from modelops.services import datasets, inventory, reviews
from modelops.store.queries_inventory import are_settled, guessed_among
from modelops.store.tables import AuditRow, DatasetRow
from tests.services.road import answer_all, opened
from tests.store.road_store import with_data


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
        return are_settled(reader, [data.id])


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
