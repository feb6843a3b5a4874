"""What becomes of a dataset after it was added: its guessed columns are confirmed, it is archived and restored.

Nothing that evidence rests on is ever deleted. An archived dataset keeps its bytes and its number; what was made with
it opens and is computed again as before, and nothing new is made with it.
"""

from __future__ import annotations

from datetime import datetime

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.names import clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.review import ReviewState
from modelops.errors import Conflict
from modelops.services.refusals import audits_refusals
from modelops.store import Store, Transaction
from modelops.store.queries_inventory import ARCHIVED, CONFIRMED, RESTORED, are_settled, reviews_using
from modelops.store.tables import DatasetRow


@audits_refusals("dataset/{dataset_id}")
def confirm_columns(
    store: Store,
    dataset_id: int,
    *,
    actor: Actor,
    at: datetime,
    roles: ColumnRoles,
    task: Task | None,
    positive: str | None,
) -> DatasetRow:
    """Say that the guess of what the columns are for is right. Nothing changes but that a person answers for it now.

    Parameters
    ----------
    roles, task, positive : ColumnRoles, Task or None, str or None
        What was on the screen: if it has changed since, nothing is confirmed.

    Raises
    ------
    NotAllowed, NotFound
        Without the right; without such a dataset.
    Conflict
        If the columns mean something else now; while a review that uses the dataset is submitted.
    """
    actor.require(Right.REGISTER)
    with store.transaction() as t:
        dataset = t.get(DatasetRow, dataset_id, what="dataset")
        if (dataset.roles, dataset.task, dataset.positive) != (roles.model_dump(mode="json"), task, positive):
            raise Conflict(
                "Somebody changed these columns meanwhile. Reload to see what they are for now, then decide."
            )
        _not_submitted(t, dataset_id)
        confirm(t, dataset, actor=actor, at=at)
    return dataset


def confirm(transaction: Transaction, dataset: DatasetRow, *, actor: Actor, at: datetime) -> None:
    """Record that somebody agrees with the guess, unless somebody has said already what the columns are for."""
    if are_settled(transaction, [dataset.id]):
        return
    new = {"roles": dataset.roles, "task": dataset.task, "positive": dataset.positive}
    transaction.record(actor, CONFIRMED, f"dataset/{dataset.id}", at=at, new=new, contributes=True)


@audits_refusals("dataset/{dataset_id}")
def archive_dataset(store: Store, dataset_id: int, *, actor: Actor, at: datetime, reason: str) -> DatasetRow:
    """Put a dataset out of the way: no list offers it and nothing new is made with it.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a dataset; without a reason.
    Conflict
        If it is archived already; while a review that uses it is submitted.
    """
    actor.require(Right.REGISTER)
    reason = clean_text(reason, what="The reason", required=True, longest=2_000)
    with store.transaction() as t:
        dataset = t.get(DatasetRow, dataset_id, what="dataset")
        if dataset.archived_at is not None:
            raise Conflict(f"The dataset {dataset.name} is archived already.")
        _not_submitted(t, dataset_id)
        dataset.archived_at = at
        t.record(actor, ARCHIVED, f"dataset/{dataset_id}", at=at, reason=reason, contributes=True)
    return dataset


@audits_refusals("dataset/{dataset_id}")
def restore_dataset(store: Store, dataset_id: int, *, actor: Actor, at: datetime, reason: str) -> DatasetRow:
    """Bring an archived dataset back into the lists.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a dataset; without a reason.
    Conflict
        If it is not archived; while a review that uses it is submitted.
    """
    actor.require(Right.REGISTER)
    reason = clean_text(reason, what="The reason", required=True, longest=2_000)
    with store.transaction() as t:
        dataset = t.get(DatasetRow, dataset_id, what="dataset")
        if dataset.archived_at is None:
            raise Conflict(f"The dataset {dataset.name} is not archived.")
        _not_submitted(t, dataset_id)
        dataset.archived_at = None
        t.record(actor, RESTORED, f"dataset/{dataset_id}", at=at, reason=reason, contributes=True)
    return dataset


def check_in_use(dataset: DatasetRow) -> None:
    """Refuse to make something new with an archived dataset.

    Raises
    ------
    Conflict
        If it is archived.
    """
    if dataset.archived_at is not None:
        raise Conflict(f"The dataset {dataset.name} is archived. Restore it on its page, or choose another one.")


def _not_submitted(transaction: Transaction, dataset_id: int) -> None:
    if any(review.state is ReviewState.SUBMITTED for review in reviews_using(transaction, dataset_id)):
        raise Conflict("A submitted review uses this dataset. Withdraw it or wait until it is decided.")
