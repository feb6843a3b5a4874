"""Commands on the store, as a script would call them."""

import json

import pytest

from modelops.cli import run
from modelops.domain.digest import Digest
from modelops.settings import settings
from modelops.store.opened import opened


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Point the commands at a store of their own."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings.cache_clear()
    yield tmp_path
    opened(settings()).close()
    settings.cache_clear()


@pytest.fixture
def author(home, capsys):
    assert run(["user", "add", "author", "--name", "Author", "--role", "author"]) == 0
    capsys.readouterr()
    return "author"


def table(folder):
    path = folder / "t.csv"
    path.write_text("label,prediction,sex\n1,1,f\n0,1,m\n1,0,f\n0,0,m\n")
    return str(path)


def test_a_new_account_gets_a_password_that_is_printed_once(home, capsys):
    assert run(["user", "add", "reviewer", "--name", "Reviewer", "--role", "reviewer"]) == 0
    login, password = capsys.readouterr().out.split()
    assert (login, len(password) >= 12) == ("reviewer", True)


def test_an_unknown_role_is_refused_in_one_line(home, capsys):
    assert run(["user", "add", "x1", "--name", "X", "--role", "king"]) == 2
    assert "expected one of: author" in capsys.readouterr().err


def test_models_versions_and_tables_are_registered_in_a_persons_name(home, author, capsys):
    assert run(["model", "add", "Churn", "--purpose", "Who leaves?", "--as", author]) == 0
    assert run(["version", "add", "Churn", "--label", "1.0", "--as", author]) == 0
    assert run(["dataset", "add", "Churn", "--data", table(home), "--as", author]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("4 rows")
    with opened(settings()).reading() as reader:
        acts = {row.action: row.actor_name for row in reader.entries()}
    assert acts["dataset:add"] == "Author"


def test_a_dataset_is_archived_and_restored_in_a_persons_name(home, author, capsys):
    run(["model", "add", "Churn", "--purpose", "Who leaves?", "--as", author])
    run(["dataset", "add", "Churn", "--data", table(home), "--as", author])
    assert run(["dataset", "archive", "1", "--reason", "The wrong month.", "--as", author]) == 0
    assert run(["dataset", "archive", "1", "--reason", "The wrong month.", "--as", author]) == 2
    assert "archived already" in capsys.readouterr().err
    assert run(["dataset", "restore", "1", "--reason", "The right one.", "--as", author]) == 0
    assert capsys.readouterr().out == "dataset 1 restored\n"
    with opened(settings()).reading() as reader:
        acts = {row.action: (row.actor_name, row.subject) for row in reader.entries()}
    assert acts["dataset:archive"] == acts["dataset:restore"] == ("Author", "dataset/1")


def test_a_person_without_the_right_registers_nothing(home, capsys):
    run(["user", "add", "auditor", "--name", "Auditor", "--role", "auditor"])
    assert run(["model", "add", "Churn", "--purpose", "Who leaves?", "--as", "auditor"]) == 2
    assert "needs the role author" in capsys.readouterr().err


def test_the_gate_is_closed_for_bytes_that_nobody_registered(home, capsys):
    digest = str(Digest.of(b"anything"))
    assert run(["gate", "--digest", digest, "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["allowed"] is False


def test_the_gate_wants_a_file_or_a_digest(home, capsys):
    assert run(["gate"]) == 2
    assert "--model" in capsys.readouterr().err


def test_the_audit_trail_verifies_and_fits_a_checkpoint_kept_elsewhere(home, author, capsys):
    anchor = str(home / "anchor.txt")
    assert run(["audit", "anchor", "--out", anchor]) == 0
    assert run(["audit", "verify", "--anchor", anchor]) == 0
    assert "and the anchor" in capsys.readouterr().out


def test_a_changed_audit_entry_makes_verification_fail(home, author, capsys):
    with opened(settings()).transaction() as t:
        connection = t.session.connection()
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.exec_driver_sql("UPDATE audit SET actor_name = 'Nobody' WHERE sequence = 2")
    assert run(["audit", "verify"]) == 1
    assert "Entry 2" in capsys.readouterr().out


def test_a_backup_is_restored_into_an_empty_home(home, author, monkeypatch, capsys):
    run(["model", "add", "Churn", "--purpose", "Who leaves?", "--as", author])
    run(["dataset", "add", "Churn", "--data", table(home), "--as", author])
    backup = str(home / "backup.zip")
    assert run(["backup", "--out", backup]) == 0
    assert run(["restore", backup]) == 2
    monkeypatch.setenv("MODELOPS_HOME", str(home / "other"))
    settings.cache_clear()
    assert run(["restore", backup]) == 0
    with opened(settings()).reading() as reader:
        assert any(row.action == "dataset:add" for row in reader.entries())


def test_a_template_is_published_once_for_each_version(home, capsys):
    from modelops.settings import DATA

    body = (DATA / "checklists" / "readiness.yaml").read_text()
    changed = home / "template.yaml"
    changed.write_text(body.replace('version: "1.0"', 'version: "1.1"', 1))
    assert run(["template", "publish", str(changed)]) == 0
    changed.write_text(body.replace('version: "1.0"', 'version: "1.1"', 1) + "\n# Another content.\n")
    assert run(["template", "publish", str(changed)]) == 2
    assert "never changes" in " ".join(capsys.readouterr().err.split())


def test_migrating_twice_does_nothing(home, capsys):
    assert run(["migrate"]) == 0
    assert run(["migrate"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing to do."
