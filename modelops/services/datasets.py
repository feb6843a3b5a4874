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
from modelops.store.queries_inventory import ARCHIVED, CONFIRMED, RESTORED, guessed_among, reviews_using
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
        states_of_reviews(t, dataset_id)
        confirm(t, dataset, actor=actor, at=at)
    return dataset


def confirm(transaction: Transaction, dataset: DatasetRow, *, actor: Actor, at: datetime) -> None:
    """Record that somebody agrees with the guess, unless somebody has said already what the columns are for."""
    if not guessed_among(transaction, [dataset.id]):
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
    return _put(store, dataset_id, actor=actor, at=at, reason=reason, archive=True)


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
    return _put(store, dataset_id, actor=actor, at=at, reason=reason, archive=False)


def _put(store: Store, dataset_id: int, *, actor: Actor, at: datetime, reason: str, archive: bool) -> DatasetRow:
    actor.require(Right.REGISTER)
    reason = clean_text(reason, what="The reason", required=True, longest=2_000)
    with store.transaction() as t:
        dataset = t.get(DatasetRow, dataset_id, what="dataset")
        if archive is (dataset.archived_at is not None):
            raise Conflict(f"The dataset {dataset.name} is {'archived already' if archive else 'not archived'}.")
        states_of_reviews(t, dataset_id)
        dataset.archived_at = at if archive else None
        act = ARCHIVED if archive else RESTORED
        t.record(actor, act, f"dataset/{dataset_id}", at=at, reason=reason, contributes=True)
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


def states_of_reviews(transaction: Transaction, dataset_id: int) -> set[ReviewState]:
    """Return the states of the reviews that use a dataset, none of which may be submitted.

    Raises
    ------
    Conflict
        If one is.
    """
    states = {review.state for review in reviews_using(transaction, dataset_id)}
    if ReviewState.SUBMITTED in states:
        raise Conflict("A submitted review uses this dataset. Withdraw it or wait until it is decided.")
    return states
