"""The answer of the gate in the forms that people, scripts and build servers read."""

from __future__ import annotations

import json
from enum import StrEnum
from urllib.parse import quote
from xml.etree import ElementTree as ET

from modelops.domain.gate import DEMANDS, CheckOutcome, GateDecision, GateRule
from modelops.domain.instant import for_people
from modelops.domain.names import printable
from modelops.version import VERSION

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class GateFormat(StrEnum):
    """How the answer is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


def render_gate(decision: GateDecision, form: GateFormat, *, name: str | None = None) -> str:
    """Return ``decision`` in one of the forms, with a line break at the end.

    Parameters
    ----------
    decision : GateDecision
    form : GateFormat
    name : str or None
        What the caller knows the artifact by (a relative path), for people; the digest if not given.
    """
    shown = printable(name) if name else str(decision.digest)
    writers = {GateFormat.TEXT: _text, GateFormat.JSON: _json, GateFormat.SARIF: _sarif, GateFormat.JUNIT: _junit}
    return writers[form](decision, shown) + "\n"


def _text(decision: GateDecision, name: str) -> str:
    subject = f"{decision.model} {decision.version}, {name}" if decision.model else name
    where = f" in {decision.environment}" if decision.environment else ""
    lines = [f"{'ALLOWED' if decision.allowed else 'NOT ALLOWED'}{where}: {subject}"]
    marks = {CheckOutcome.PASSED: "yes", CheckOutcome.FAILED: "NO", CheckOutcome.NOT_JUDGED: "-"}
    lines += [f"  {marks[check.outcome]:3}  {check.demand} {check.because}" for check in decision.checks]
    if decision.allowed and decision.valid_until:
        lines.append(f"Valid until {for_people(decision.valid_until)}, review {decision.review_id}.")
    return "\n".join(printable(line) if not line.startswith(" ") else "  " + printable(line) for line in lines)


def _json(decision: GateDecision, name: str) -> str:
    content = decision.model_dump(mode="json", by_alias=True) | {"name": name, "reasons": list(decision.reasons)}
    return json.dumps(content, indent=2, ensure_ascii=False)


def _sarif(decision: GateDecision, name: str) -> str:
    rules = [
        {"id": f"gate/{rule}", "name": rule.name.title(), "shortDescription": {"text": DEMANDS[rule]}}
        for rule in GateRule
    ]
    artifact = {
        "location": {"uri": _uri(name), "description": {"text": name}},
        "hashes": {"sha-256": decision.digest.hex},
        "roles": ["analysisTarget"],
    }
    run = {
        "tool": {"driver": {"name": "modelops gate", "version": VERSION, "rules": rules}},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": decision.at}],
        "artifacts": [artifact],
        "results": [_sarif_result(decision, index, name) for index in range(len(decision.checks))],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _sarif_result(decision: GateDecision, index: int, name: str) -> dict[str, object]:
    check = decision.checks[index]
    kinds = {
        CheckOutcome.PASSED: ("pass", "none"),
        CheckOutcome.FAILED: ("fail", "error"),
        CheckOutcome.NOT_JUDGED: ("notApplicable", "none"),
    }
    kind, level = kinds[check.outcome]
    return {
        "ruleId": f"gate/{check.rule}",
        "ruleIndex": list(GateRule).index(check.rule),
        "kind": kind,
        "level": level,
        "message": {"text": printable(check.because)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(name), "index": 0}}}],
        "partialFingerprints": {"modelopsGate/v1": f"{decision.digest.hex}/{check.rule}"},
    }


def _uri(name: str) -> str:
    # A digest is a URI as it stands; a path on any system becomes a relative reference.
    return name if name.startswith("sha256:") else quote(name.replace("\\", "/"), safe="/")


def _junit(decision: GateDecision, name: str) -> str:
    counts = [check.outcome for check in decision.checks]
    totals = {
        "tests": str(len(counts)),
        "failures": str(counts.count(CheckOutcome.FAILED)),
        "errors": "0",
        "skipped": str(counts.count(CheckOutcome.NOT_JUDGED)),
    }
    root = ET.Element("testsuites", totals)
    suite = ET.SubElement(root, "testsuite", {"name": "modelops gate", "timestamp": decision.at[:19], **totals})
    properties = ET.SubElement(suite, "properties")
    facts = {"digest": decision.digest, "name": name, "environment": decision.environment, "model": decision.model}
    facts |= {"version": decision.version, "review": decision.review_id, "valid until": decision.valid_until}
    for key, value in facts.items():
        if value:
            ET.SubElement(properties, "property", {"name": key, "value": _xml_text(value)})
    for check in decision.checks:
        case = ET.SubElement(suite, "testcase", {"classname": "modelops.gate", "name": check.demand})
        if check.outcome is CheckOutcome.FAILED:
            failed = ET.SubElement(case, "failure", {"type": check.rule, "message": _xml_text(check.because)})
            failed.text = _xml_text(check.because)
        elif check.outcome is CheckOutcome.NOT_JUDGED:
            ET.SubElement(case, "skipped", {"message": check.because})
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def _xml_text(text: str) -> str:
    # XML has no way to write these two, not even escaped.
    return printable(text).translate({0xFFFE: None, 0xFFFF: None})
