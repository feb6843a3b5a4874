"""The verifier speaks no language of this package: here its refusals become our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modelops.attest.verifier.reading import Refused
from modelops.errors import VerificationFailed


@contextmanager
def refusals_raised() -> Iterator[None]:
    """Turn a refusal of the verifier into `VerificationFailed`."""
    try:
        yield
    except Refused as refusal:
        raise VerificationFailed(f"{refusal.subject}: {refusal.reason}.") from refusal
