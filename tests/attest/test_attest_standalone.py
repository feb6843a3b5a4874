import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelops.attest import verifier
from modelops.attest.keys import fingerprint
from modelops.attest.standalone import standalone_source
from modelops.attest.verify import as_dict, main, verify_bundle
from tests.attest.attest_samples import MODEL, Installation, members_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as an auditor has it: bundle, script, keys, model, and nothing of this project."""
    folder = tmp_path_factory.mktemp("auditor")
    sealed = Installation.with_sealed_review()
    sealed.export(folder / "review.zip")
    (folder / "verify.py").write_bytes(members_of(folder / "review.zip")["verify.py"])
    (folder / "keys.json").write_bytes(sealed.ring.to_bytes())
    (folder / "fingerprint").write_text(fingerprint(sealed.key.id))
    (folder / "model.onnx").write_bytes(MODEL)
    raw = bytearray((folder / "review.zip").read_bytes())
    raw[raw.index(b'"answers"') + 1] ^= 1
    (folder / "flipped.zip").write_bytes(raw)
    return folder


@pytest.fixture
def run(folder):
    def run(*arguments):
        # -I keeps this project out of the import path.
        command = [sys.executable, "-I", "verify.py", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_the_script_travels_unchanged(folder):
    assert (folder / "verify.py").read_bytes() == standalone_source()


def test_the_script_uses_only_the_standard_library_and_cryptography():
    found = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(standalone_source()))
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert found - sys.stdlib_module_names == {"cryptography"}


def test_no_name_of_the_joined_modules_is_defined_twice():
    names = [
        target
        for path in Path(verifier.__file__).parent.glob("[a-z]*.py")
        for node in ast.parse(path.read_text()).body
        for target in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            if isinstance(node, ast.Assign)
            else []
        )
    ]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("trust", ["keys.json", "fingerprint"])
def test_the_script_verifies_with_a_pinned_key(run, folder, trust):
    given = (folder / trust).read_text() if trust == "fingerprint" else trust
    done = run("review.zip", "--trust", given, "--model", "model.onnx")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED")


def test_the_script_takes_key_for_trust(run):
    assert run("review.zip", "--key", "keys.json").returncode == 0


def test_without_a_pinned_key_the_script_says_that_the_signer_is_unknown(run):
    done = run("review.zip")
    assert done.returncode == 0
    assert done.stdout.startswith("CONSISTENT, BUT SIGNER UNKNOWN")
    assert "Who signed is not proved" in done.stdout


def test_with_another_key_the_script_says_no(run):
    done = run("review.zip", "--trust", "0" * 64)
    assert (done.returncode, done.stdout[:6]) == (1, "FAILED")


def test_after_one_byte_is_flipped_the_script_names_the_file(run):
    done = run("flipped.zip", "--trust", "keys.json")
    assert done.returncode == 1
    assert "review.json: digest in the manifest" in done.stdout


def test_with_another_model_the_script_says_no(run):
    done = run("review.zip", "--trust", "keys.json", "--model", "keys.json")
    assert done.returncode == 1
    assert "keys.json: model of the statement" in done.stdout


@pytest.mark.parametrize(
    "arguments", [("missing.zip",), ("review.zip", "--trust", "missing.json"), ("review.zip", "--model", "no"), ()]
)
def test_what_cannot_be_judged_gives_two_and_one_line(run, arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_the_script_and_the_package_make_the_same_checks(run, folder):
    done = run("review.zip", "--json")
    assert json.loads(done.stdout) == json.loads(json.dumps(as_dict(verify_bundle(folder / "review.zip"))))


def test_the_package_has_the_same_command_line(folder, capsys):
    assert main([str(folder / "review.zip"), "--trust", str(folder / "keys.json")]) == 0
    assert capsys.readouterr().out.startswith("VERIFIED")
