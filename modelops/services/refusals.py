"""A refusal leaves a trace: who was refused what, and by which rule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

from modelops.domain.people import Actor
from modelops.errors import NotAllowed
from modelops.store import Store

REFUSED = "refused"


@contextlib.contextmanager
def audited_refusals(store: Store, actor: Actor, subject: str, at: datetime) -> Iterator[None]:
    """Write a refusal that leaves this block to the audit trail, in a transaction of its own, and let it pass on.

    It stands around the transaction of the act, never inside it: what was refused is rolled back first.

    Parameters
    ----------
    subject : str
        What the refused act was about, as in ``review/12``.
    """
    try:
        yield
    except NotAllowed as refusal:
        with store.transaction() as transaction:
            transaction.record(actor, REFUSED, subject, at=at, reason=str(refusal), new={"rule": refusal.rule})
        raise
