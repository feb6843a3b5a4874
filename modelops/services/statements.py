"""Signatures as they stand in the sealed statement and in reports."""

from __future__ import annotations

from collections.abc import Iterable

from modelops.domain.attestation import SignOff
from modelops.domain.instant import instant
from modelops.store.tables import SignOffRow


def sealed_sign_offs(rows: Iterable[SignOffRow]) -> tuple[SignOff, ...]:
    """Return signatures as they stand in the statement."""
    return tuple(
        SignOff(
            printed_name=row.printed_name,
            user_id=row.user_id,
            role=row.role,
            meaning=row.meaning,
            decision=row.decision,
            reason=row.reason,
            at=instant(row.at),
            authentication=row.authentication,
            digest_seen=row.content_digest,
            text=row.statement,
        )
        for row in rows
    )
