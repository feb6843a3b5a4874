"""Commands on the store: serving, the gate, records, the audit trail, people, backups."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelops.errors import InvalidInput, VerificationFailed

if TYPE_CHECKING:
    from modelops.domain.people import Actor
    from modelops.services.keyring import Keys
    from modelops.store import Store

NOT_ALLOWED = 1
_REASON = "At the command line."
audit_app = typer.Typer(help="Verify the audit trail, or take a signed checkpoint of it elsewhere.")
user_app = typer.Typer(help="Add, disable and reset accounts.")
template_app = typer.Typer(help="Publish checklist templates.")


def add_to(app: typer.Typer) -> None:
    """Add every command of this module."""
    for command in (serve, gate, verify, export, demo, backup, restore, migrate):
        app.command()(command)
    app.add_typer(audit_app, name="audit")
    app.add_typer(user_app, name="user")
    app.add_typer(template_app, name="template")


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 if not set.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8501 if not set.")] = None,
) -> None:
    """Start the app, the API and the job runner."""
    from modelops.serve import serve as start

    start(host, port)


def gate(
    *,
    model: Annotated[Path | None, typer.Option(metavar="FILE", help="The model file.")] = None,
    digest: Annotated[
        str | None, typer.Option(metavar="sha256:HEX", help="Its digest, in the place of a file.")
    ] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Where it is to be used.")] = None,
    format_: Annotated[str, typer.Option("--format", metavar="text|json|sarif|junit")] = "text",
) -> None:
    """Say whether exactly these bytes may go to production. Exit code 0 if allowed, 1 if not."""
    from modelops.domain.digest import Digest
    from modelops.reports.gate_formats import GateFormat, render_gate
    from modelops.services.gating import ask

    if (model is None) == (digest is None):
        raise InvalidInput("Name either a model file (--model) or a digest (--digest).")
    if format_ not in list(GateFormat):
        raise InvalidInput(f"Got the format {format_!r}, expected one of: {', '.join(GateFormat)}.")
    asked = Digest(digest) if digest else Digest.of_file(existing_file(model))
    store, keys = opened_store()
    decision = ask(store, asked, keys=keys, actor=_command_line(), at=now(), environment=environment)
    print(render_gate(decision, GateFormat(format_), name=model.name if model else None))
    if not decision.allowed:
        raise typer.Exit(NOT_ALLOWED)


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE.zip")],
    *,
    trust: Annotated[
        str | None, typer.Option(metavar="KEYS", help="A public_keys.json, or a fingerprint, that you got elsewhere.")
    ] = None,
    model: Annotated[Path | None, typer.Option(metavar="FILE", help="Also compare this model file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Verify a sealed record offline. Exit code 0 only with a trusted key and everything in its place."""
    from modelops.attest.verify import as_dict, exit_code, render_text, trusted_keys, verify_bundle

    trusted = trusted_keys(trust) if trust else None
    report = verify_bundle(existing_file(bundle), trust=trusted, model=existing_file(model) if model else None)
    print(json.dumps(as_dict(report), indent=1) if as_json else render_text(report))
    code = exit_code(report)
    if code:
        raise typer.Exit(code)


def export(
    review: Annotated[int, typer.Argument(metavar="REVIEW", help="The number of a sealed review.")],
    *,
    out: Annotated[Path, typer.Option(metavar="BUNDLE.zip", help="Where to write it.")],
) -> None:
    """Write the sealed record of a review as one zip that anybody can verify."""
    from modelops.services.exporting import export_bundle

    store, keys = opened_store()
    digest = export_bundle(store, review, out, keys=keys, actor=_command_line(), at=now())
    print(f"{out} {digest}\nVerify it with: modelops verify {out} --trust {keys.key.id.hex}")


def demo() -> None:
    """Load the example workspace into an empty store: three models with data, analyses and a sealed review."""
    from modelops.demo.workspace import load

    store, keys = opened_store()
    accounts = load(
        store, keys, actor=_command_line(), at=now(), progress=lambda _, text: print(text, file=sys.stderr, flush=True)
    )
    print("The accounts of the example, with passwords that are shown only now:")
    for account in accounts:
        print(f"  {account.login:20} {account.password}")


def backup(*, out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")]) -> None:
    """Write records and files to one file. The signing key is not in it: keep that apart."""
    from modelops.services.backup import back_up

    store, _ = opened_store()
    print(f"{out} {back_up(store, out, actor=_command_line(), at=now())}")


def restore(file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Put a backup into an empty installation."""
    from modelops.services.backup import restore as put_back
    from modelops.settings import settings

    count = put_back(existing_file(file), database=settings().database, blobs=settings().blobs)
    print(f"Restored the records and {count} files. Put the signing key into {settings().keys} before you start.")


def migrate() -> None:
    """Bring the store to the version of this program. Starting the app does it as well."""
    from modelops.settings import settings
    from modelops.store.migrate import upgrade

    print("Upgraded." if upgrade(settings().database) else "Nothing to do.")


@audit_app.command("verify")
def audit_verify(
    *, anchor: Annotated[Path | None, typer.Option(metavar="FILE", help="A checkpoint that was kept elsewhere.")] = None
) -> None:
    """Verify every entry of the audit trail, and that it has only grown since the checkpoints."""
    from modelops.services.trail import verify_trail

    store, keys = opened_store()
    try:
        report = verify_trail(store, keys, anchor=existing_file(anchor).read_bytes() if anchor else None)
    except VerificationFailed as error:
        print(f"FAILED: {error}")
        raise typer.Exit(NOT_ALLOWED) from error
    held = f"{report.checkpoints} signed checkpoints" + (" and the anchor" if report.anchored else "")
    print(f"OK: {report.entries} entries, unbroken; they fit {held}.")


@audit_app.command("anchor")
def audit_anchor(*, out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")]) -> None:
    """Write a signed checkpoint of the audit trail, to be kept where this installation cannot reach it."""
    from modelops.cli.support import write_atomically
    from modelops.services.trail import anchor

    store, keys = opened_store()
    write_atomically(out, anchor(store, keys, actor=_command_line(), at=now()))
    print(out)


@user_app.command("add")
def user_add(
    login: Annotated[str, typer.Argument(metavar="LOGIN")],
    *,
    name: Annotated[str, typer.Option(help="The name that is printed under signatures.")],
    role: Annotated[list[str], typer.Option(help="author, reviewer, approver, auditor or administrator; repeatable.")],
) -> None:
    """Make an account. Its first password is printed once."""
    from modelops.domain.people import Role
    from modelops.services.people import add_person

    unknown = [text for text in role if text not in list(Role)]
    if unknown:
        raise InvalidInput(f"Got the role {unknown[0]!r}, expected one of: {', '.join(Role)}.")
    roles = frozenset(Role(text) for text in role)
    new = add_person(opened_store()[0], login=login, name=name, roles=roles, actor=_command_line(), at=now())
    print(f"{new.login} {new.password}")


@user_app.command("disable")
def user_disable(login: Annotated[str, typer.Argument(metavar="LOGIN")]) -> None:
    """Disable an account: its sessions end, its name stays in the audit trail."""
    from modelops.services.people import disable_person

    store, _ = opened_store()
    disable_person(store, _user_id(store, login), reason=_REASON, actor=_command_line(), at=now())
    print(f"{login} is disabled.")


@user_app.command("reset")
def user_reset(login: Annotated[str, typer.Argument(metavar="LOGIN")]) -> None:
    """Give an account a new password that is printed once and must be changed at the next log-in."""
    from modelops.services.people import reset_password

    store, _ = opened_store()
    new = reset_password(store, _user_id(store, login), reason=_REASON, actor=_command_line(), at=now())
    print(f"{new.login} {new.password}")


@template_app.command("publish")
def template_publish(file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Publish a checklist template for the reviews that are opened from now on."""
    from modelops.services.catalogue import publish_template

    template = publish_template(
        opened_store()[0], existing_file(file).read_text(encoding="utf-8"), actor=_command_line(), at=now()
    )
    print(f"{template.name} {template.version}")


def opened_store() -> tuple[Store, Keys]:
    """Return the store of the settings, ready for use, and its keys."""
    from modelops.services.catalogue import publish_built_in
    from modelops.services.keyring import open_keys
    from modelops.settings import settings
    from modelops.store.opened import opened

    store = opened(settings())
    publish_built_in(store, at=now())
    return store, open_keys(settings().keys, store, at=now())


def _user_id(store: Store, login: str) -> int:
    from modelops.store.queries_people import person_of_login

    with store.reading() as reader:
        return person_of_login(reader, login).id


def _command_line() -> Actor:
    from modelops.services.people import COMMAND_LINE

    return COMMAND_LINE


def existing_file(path: Path | None) -> Path:
    """Return ``path`` if it is a file."""
    from modelops.cli.support import existing

    assert path is not None
    return existing(path)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
