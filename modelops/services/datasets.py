"""What becomes of a dataset after it was added: its guessed columns are confirmed."""

from __future__ import annotations

from datetime import datetime

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.people import Actor, Right
from modelops.domain.review import ReviewState
from modelops.errors import Conflict
from modelops.services.refusals import audits_refusals
from modelops.store import Store, Transaction
from modelops.store.queries_inventory import CONFIRMED, are_settled, reviews_using
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
        if any(review.state is ReviewState.SUBMITTED for review in reviews_using(t, dataset_id)):
            raise Conflict("A submitted review uses this dataset. Withdraw it or wait until it is decided.")
        confirm(t, dataset, actor=actor, at=at)
    return dataset


def confirm(transaction: Transaction, dataset: DatasetRow, *, actor: Actor, at: datetime) -> None:
    """Record that somebody agrees with the guess, unless somebody has said already what the columns are for."""
    if are_settled(transaction, [dataset.id]):
        return
    new = {"roles": dataset.roles, "task": dataset.task, "positive": dataset.positive}
    transaction.record(actor, CONFIRMED, f"dataset/{dataset.id}", at=at, new=new, contributes=True)
