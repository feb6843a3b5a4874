import json
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft7Validator

from modelops.domain.digest import Digest
from modelops.domain.gate import DecidedReview, GateRule, ModelName, decide
from modelops.domain.review import ReviewState
from modelops.reports.gate_formats import GateFormat, render_gate
from tests.reports.report_samples import sample_sign_off

DIGEST = Digest.of(b"model")
NOW = "2026-11-23T09:00:00.000000Z"
HOSTILE = 'Credit <b>"&\x1b[31m\u202e\uffff'


def decision(*, state=ReviewState.APPROVED, environment=None):
    review = DecidedReview(
        review_id="7",
        model=HOSTILE,
        version="2.1",
        gate="pre-deployment",
        state=state,
        decided_at="2026-11-01T09:00:00.000000Z",
        valid_until="2027-11-01T09:00:00.000000Z",
        sign_offs=(sample_sign_off(),),
    )
    versions = (ModelName(model=HOSTILE, version="2.1"),)
    return decide(DIGEST, versions=versions, reviews=(review,), at=NOW, environment=environment)


ALLOWED, REFUSED = decision(), decision(state=ReviewState.REVOKED)
UNKNOWN = decide(DIGEST, versions=(), reviews=(), at=NOW)

# What SARIF 2.1.0 (OASIS standard, sections 3.13 to 3.28) demands of the parts that are used here.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/run"}},
    },
    "definitions": {
        "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
        "location": {
            "type": "object",
            "properties": {
                "uri": {"type": "string", "pattern": "^[A-Za-z0-9._~:/%-]+$"},
                "index": {"type": "integer", "minimum": -1},
                "description": {"$ref": "#/definitions/message"},
            },
            "additionalProperties": False,
        },
        "rule": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "string"}, "shortDescription": {"$ref": "#/definitions/message"}},
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
                "level": {"enum": ["none", "note", "warning", "error"]},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "message": {"$ref": "#/definitions/message"},
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "required": ["artifactLocation"],
                                "properties": {"artifactLocation": {"$ref": "#/definitions/location"}},
                            }
                        },
                    },
                },
                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            # 3.27.10: level is none unless the kind is fail.
            "if": {"properties": {"kind": {"const": "fail"}}},
            "else": {"properties": {"level": {"const": "none"}}},
        },
        "run": {
            "type": "object",
            "required": ["tool"],
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "properties": {
                        "driver": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {
                                "rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/definitions/rule"}}
                            },
                        }
                    },
                },
                "invocations": {
                    "type": "array",
                    "items": {"type": "object", "required": ["executionSuccessful"]},
                },
                "artifacts": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"location": {"$ref": "#/definitions/location"}}},
                },
                "results": {"type": "array", "items": {"$ref": "#/definitions/result"}},
            },
        },
    },
}


@pytest.mark.parametrize("answer", [ALLOWED, REFUSED, UNKNOWN], ids=["allowed", "refused", "unknown"])
@pytest.mark.parametrize("name", [None, "models/my model.onnx", "C:\\models\\x.onnx"])
def test_the_sarif_file_has_the_form_of_the_standard(answer, name):
    content = json.loads(render_gate(answer, GateFormat.SARIF, name=name))
    Draft7Validator.check_schema(SARIF)
    assert [error.message for error in Draft7Validator(SARIF).iter_errors(content)] == []


def test_every_result_in_sarif_points_at_its_rule():
    (run,) = json.loads(render_gate(REFUSED, GateFormat.SARIF))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [r["ruleId"] for r in run["results"]]


def test_sarif_has_an_error_for_what_failed_and_none_if_allowed():
    def errors(answer):
        (run,) = json.loads(render_gate(answer, GateFormat.SARIF))["runs"]
        return [result["ruleId"] for result in run["results"] if result["level"] == "error"]

    assert (errors(ALLOWED), errors(REFUSED)) == ([], ["gate/approved"])


@pytest.mark.parametrize("answer", [ALLOWED, REFUSED, UNKNOWN], ids=["allowed", "refused", "unknown"])
def test_the_junit_file_is_well_formed_and_its_counts_are_right(answer):
    root = ET.fromstring(render_gate(answer, GateFormat.JUNIT))
    (suite,) = root
    cases = suite.findall("testcase")
    assert [int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")] == [
        len(cases),
        len(suite.findall("testcase/failure")),
        0,
        len(suite.findall("testcase/skipped")),
    ]
    assert len(cases) == len(GateRule)


def test_junit_says_why():
    root = ET.fromstring(render_gate(REFUSED, GateFormat.JUNIT))
    assert [failure.get("message") for failure in root.iter("failure")] == ["Review 7 is revoked."]


def test_json_holds_the_decision_and_its_reasons():
    content = json.loads(render_gate(REFUSED, GateFormat.JSON, name="model.onnx"))
    assert (content["schema"], content["allowed"], content["reasons"], content["name"]) == (
        "modelops.gate/1",
        False,
        ["Review 7 is revoked."],
        "model.onnx",
    )


def test_text_begins_with_the_answer():
    assert render_gate(ALLOWED, GateFormat.TEXT).startswith("ALLOWED: Credit")
    assert render_gate(UNKNOWN, GateFormat.TEXT).startswith(f"NOT ALLOWED: {DIGEST}")


def test_text_names_the_environment():
    assert render_gate(decision(environment="production"), GateFormat.TEXT).startswith("ALLOWED in production: ")


@pytest.mark.parametrize("form", [GateFormat.TEXT, GateFormat.JUNIT])
def test_hostile_names_do_not_reach_the_terminal(form):
    written = render_gate(ALLOWED, form, name="x\x1b]0;title\x07")
    assert not set(written) & {"\x1b", "\x07", "\u202e"}
