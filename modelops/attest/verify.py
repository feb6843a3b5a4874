"""Verifying a bundle: the one verifier, as this package and the command line call it.

``python -m modelops.attest.verify BUNDLE.zip`` is the same program as the ``verify.py`` in a bundle.
"""

from __future__ import annotations

import sys
from pathlib import Path

from modelops.attest.refusal import refusals_raised
from modelops.attest.verifier.procedure import verify_bundle
from modelops.attest.verifier.reading import FAILED, UNKNOWN_SIGNER, VERIFIED, Check, VerificationReport
from modelops.attest.verifier.script import as_dict, exit_code, main, render_text
from modelops.attest.verifier.signatures import TrustedKeys

__all__ = [
    "FAILED",
    "UNKNOWN_SIGNER",
    "VERIFIED",
    "Check",
    "TrustedKeys",
    "VerificationReport",
    "as_dict",
    "exit_code",
    "main",
    "render_text",
    "trusted_keys",
    "verify_bundle",
]


def trusted_keys(text: str | Path) -> TrustedKeys:
    """Return the keys named by a fingerprint, or by the path of a ``public_keys.json``.

    Raises
    ------
    VerificationFailed
        If it is neither, or the file does not fit in itself.
    """
    with refusals_raised():
        return TrustedKeys.of(str(text))


if __name__ == "__main__":
    sys.exit(main())
