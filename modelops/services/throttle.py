"""Slowing down whoever guesses passwords, counted in the database so that it holds for every process.

An attempt is counted **before** its password is looked at and taken back when it was right: many attempts at the same
moment are counted one by one and cannot slip through together. Nobody is locked out for good.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelops.errors import NotAllowed
from modelops.store import Store, Transaction
from modelops.store.queries_people import lock_people
from modelops.store.tables import ThrottleRow

THROTTLED = "login:throttled"
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
ACCOUNT_ATTEMPTS = 5
# Many people may share one address behind a router: their slips together are no attack yet.
SOURCE_ATTEMPTS = 20


@dataclass(frozen=True)
class Attempt:
    """One try at a password: for which account, from where. ``blocks_until`` is set when it was the last for now."""

    account: str
    source: str
    blocks_until: datetime | None = None


def begin(store: Store, *, login: str, origin: str, at: datetime) -> Attempt:
    """Count a try at the password of ``login`` from ``origin``.

    Raises
    ------
    NotAllowed
        If there were too many; the message says when the next is possible.
    """
    account, source = _key("account", login), _key("source", origin)
    with store.transaction() as transaction:
        lock_people(transaction)
        rows = [(_row(transaction, account, at), ACCOUNT_ATTEMPTS), (_row(transaction, source, at), SOURCE_ATTEMPTS)]
        _refuse_blocked([row for row, _ in rows], at)
        for row, free in rows:
            row.failures += 1
            row.updated_at = at
            row.blocked_until = at + _wait(row.failures - free) if row.failures >= free else None
        blocks = max((row.blocked_until for row, _ in rows if row.blocked_until), default=None)
    return Attempt(account, source, blocks)


def forgive(transaction: Transaction, attempt: Attempt) -> None:
    """Take back an attempt whose password was right: the account starts afresh, its source loses this one count."""
    account = transaction.find(ThrottleRow, attempt.account)
    if account is not None:
        transaction.remove(account)
    source = transaction.find(ThrottleRow, attempt.source)
    if source is not None:
        source.failures = max(0, source.failures - 1)
        if source.failures < SOURCE_ATTEMPTS:
            source.blocked_until = None
    transaction.flush()


def forget(transaction: Transaction, login: str) -> None:
    """Let an account try again at once, after an administrator gave it a new password."""
    row = transaction.find(ThrottleRow, _key("account", login))
    if row is not None:
        transaction.remove(row)
        transaction.flush()


def _key(kind: str, value: str) -> str:
    """What strangers type is hashed: it may be a password in the wrong field, or no storable text at all."""
    return f"{kind}:{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _row(transaction: Transaction, key: str, at: datetime) -> ThrottleRow:
    row = transaction.find(ThrottleRow, key)
    if row is None:
        return transaction.add(ThrottleRow(key=key, updated_at=at))
    if at - row.updated_at > FORGOTTEN_AFTER:
        row.failures, row.blocked_until = 0, None
    return row


def _refuse_blocked(rows: list[ThrottleRow], at: datetime) -> None:
    until = max((row.blocked_until for row in rows if row.blocked_until is not None), default=at)
    if until <= at:
        return
    seconds = int((until - at).total_seconds()) + 1
    wait = f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
    raise NotAllowed(f"Too many failed attempts. Try again in {wait}.", rule=THROTTLED)


def _wait(excess: int) -> timedelta:
    """30 seconds, and twice as long with each further failure, up to 15 minutes."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(excess, 10)))
