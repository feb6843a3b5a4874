"""A refusal leaves a trace: who was refused what, and by which rule."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import ParamSpec, TypeVar

from modelops.domain.people import Actor
from modelops.errors import NotAllowed
from modelops.store import Store

REFUSED = "refused"
P = ParamSpec("P")
R = TypeVar("R")


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


def audits_refusals(subject: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a whole service `audited_refusals`.

    Parameters
    ----------
    subject : str
        What the act is about, with the names of the service's own arguments in braces: ``review/{review_id}``.
    """

    def decorate(act: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(act)

        @functools.wraps(act)
        def audited(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            with audited_refusals(given["store"], given["actor"], subject.format_map(given), given["at"]):
                return act(*args, **kwargs)

        return audited

    return decorate
