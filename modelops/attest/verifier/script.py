"""What a person sees and types."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from modelops.attest.verifier.procedure import verify_bundle
from modelops.attest.verifier.reading import FAILED, UNKNOWN_SIGNER, Refused, VerificationReport
from modelops.attest.verifier.signatures import TrustedKeys

USAGE = """\
KEYS is the fingerprint of the signing key, or a public_keys.json, got from the signer by another way than the bundle
itself. Without it the most that can be said is "consistent, but signer unknown": anybody can make a consistent bundle
with a key of their own. Exit codes: 0 verified (without --trust: consistent), 1 not, 2 could not be judged.
"""


def printable(text: str) -> str:
    """Return ``text`` with control and direction characters written out, so that it cannot play with the terminal."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)


def render_text(report: VerificationReport) -> str:
    """Return the report for people: the outcome, what failed, what the statement says."""
    held = len(report.checks) - len(report.failures)
    lines = [f"{report.outcome.upper()}: {held} of {len(report.checks)} checks held."]
    for check in report.failures:
        lines += [
            f"  {check.subject}: {check.name}",
            f"      found     {check.found}",
            f"      expected  {check.expected}",
        ]
    if report.outcome == UNKNOWN_SIGNER:
        lines.append(
            "Who signed is not proved. Give the signer's key with --trust, from another source than the bundle."
        )
    width = max((len(name) for name in report.facts), default=0)
    lines += [f"  {name.replace('_', ' '):{width}}  {value}" for name, value in report.facts.items()]
    return "\n".join(printable(line) for line in lines) + "\n"


def as_dict(report: VerificationReport) -> dict[str, object]:
    """Return the report for programs."""
    return {
        "schema": "modelops.verification/1",
        "outcome": report.outcome,
        "facts": dict(report.facts),
        "checks": [asdict(check) for check in report.checks],
    }


def exit_code(report: VerificationReport) -> int:
    """Return 0 if nothing is wrong, else 1."""
    return 1 if report.outcome == FAILED else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description="Verify a sealed review offline.", epilog=USAGE)
    parser.add_argument("bundle", type=Path, help="the zip")
    parser.add_argument("--trust", "--key", metavar="KEYS", help="fingerprint, or file with public keys")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the model file that should be the signed one")
    parser.add_argument(
        "--data", type=Path, metavar="FILE", action="append", default=[], help="a dataset of the review"
    )
    parser.add_argument("--against", type=Path, metavar="FILE", help="an earlier checkpoint or bundle")
    parser.add_argument("--json", action="store_true", help="print every check, for programs")
    given = parser.parse_args(arguments)
    try:
        trust = TrustedKeys.of(given.trust) if given.trust else None
        report = verify_bundle(given.bundle, trust=trust, model=given.model, data=given.data, against=given.against)
    except OSError as error:
        sys.stderr.write(f"{printable(str(error.filename))} cannot be read: {error.strerror}.\n")
        return 2
    except Refused as refusal:
        sys.stderr.write(printable(f"--trust {refusal.subject}: {refusal.reason}.") + "\n")
        return 2
    sys.stdout.write(json.dumps(as_dict(report), indent=1) + "\n" if given.json else render_text(report))
    return exit_code(report)
