import json
import zipfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelops.attest.verifier.container import EXCERPT, PROOFS
from modelops.attest.verify import render_text, verify_bundle
from tests.attest.attest_samples import members_of, repacked, sealed_anyhow, statement_of


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_any_member_is_named(sealed, exported, tmp_path, data):
    members = members_of(exported)
    name = data.draw(st.sampled_from(sorted(members)))
    raw, start = bytearray(exported.read_bytes()), _starts(exported)[name]
    at = start + data.draw(st.integers(0, len(members[name]) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "flipped.zip").write_bytes(raw)
    report = verify_bundle(tmp_path / "flipped.zip", trust=sealed.ring.trusted)
    assert report.outcome == "failed"
    assert name in {check.subject for check in report.failures}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_the_zip_itself_is_seen_and_something_is_named(sealed, exported, tmp_path, data):
    raw = bytearray(exported.read_bytes())
    outside = _outside_members(exported)
    at = data.draw(st.sampled_from(outside))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / "flipped.zip").write_bytes(raw)
    report = verify_bundle(tmp_path / "flipped.zip", trust=sealed.ring.trusted)
    assert report.outcome == "failed"
    assert all(check.subject and check.found for check in report.failures)


def _starts(path):
    with zipfile.ZipFile(path) as archive:
        return {item.filename: item.header_offset + 30 + len(item.filename) for item in archive.infolist()}


def _outside_members(path):
    sizes = {name: len(content) for name, content in members_of(path).items()}
    inside = {at for name, start in _starts(path).items() for at in range(start, start + sizes[name])}
    return sorted(set(range(path.stat().st_size)) - inside)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_bundle_that_was_cut_off_anywhere_fails(sealed, exported, tmp_path, data):
    raw = exported.read_bytes()
    (tmp_path / "cut.zip").write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    assert verify_bundle(tmp_path / "cut.zip", trust=sealed.ring.trusted).outcome == "failed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), junk=JSON)
def test_whatever_a_forger_signs_the_verifier_answers_and_does_not_crash(sealed, exported, tmp_path, data, junk):
    members = members_of(exported)
    name = data.draw(st.sampled_from(["statement", "signoff.dsse.json", "public_keys.json", PROOFS, EXCERPT, "entry"]))
    if name == "statement":
        members["signoff.dsse.json"] = sealed_anyhow(_with_junk(statement_of(sealed), junk, data), sealed.key)
    elif name in {EXCERPT, "entry"}:
        first, *rest = members[EXCERPT].splitlines(keepends=True)
        line = json.loads(first)
        if name == "entry":
            line["body"] = json.dumps(_with_junk(json.loads(line["body"]), junk, data))
        else:
            line = _with_junk(line, junk, data)
        members[EXCERPT] = json.dumps(line).encode() + b"\n" + b"".join(rest)
    else:
        members[name] = json.dumps(_with_junk(json.loads(members[name]), junk, data)).encode()
    path = repacked(tmp_path / "junk.zip", members, key=sealed.key)
    assert verify_bundle(path, trust=sealed.ring.trusted).outcome in {"failed", "verified"}
    render_text(verify_bundle(path))


def _with_junk(value, junk, data):
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return value | {key: _with_junk(value[key], junk, data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _with_junk(value[at], junk, data), *value[at + 1 :]]
    return junk
