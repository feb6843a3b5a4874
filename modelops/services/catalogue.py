"""Templates and policies: published once, frozen, and fixed in each review when it is opened."""

from __future__ import annotations

from datetime import datetime

from modelops.domain.checklist import Template, load_template
from modelops.domain.digest import Digest
from modelops.domain.people import SYSTEM, Actor, Right
from modelops.domain.policy import Policy, load_policy
from modelops.errors import Conflict
from modelops.settings import DATA
from modelops.store import Reader, Store, Transaction
from modelops.store.tables import AuditRow, PolicyRow, TemplateRow

# What was published never changes: a digest says what it is.
_templates: dict[Digest, Template] = {}
_policies: dict[Digest, Policy] = {}


def publish_built_in(store: Store, *, at: datetime) -> None:
    """Publish the template and the policy that come with the app, where the store does not hold them yet.

    What a person published stays in force: the next version of what comes with the app does not take its place, and is
    not published where its number is taken.
    """
    template = (DATA / "checklists" / "readiness.yaml").read_text(encoding="utf-8")
    policy = (DATA / "policies" / "default.yaml").read_text(encoding="utf-8")
    with store.reading() as reader:
        wants_template = _is_wanted(reader, TemplateRow, "template", template)
        wants_policy = _is_wanted(reader, PolicyRow, "policy", policy)
    if not (wants_template or wants_policy):
        return
    with store.transaction() as t:
        if wants_template:
            _publish_template(t, template, actor=SYSTEM, at=at)
        if wants_policy:
            _publish_policy(t, policy, actor=SYSTEM, at=at)


def _is_wanted(reader: Reader, table: type[TemplateRow | PolicyRow], kind: str, body: str) -> bool:
    if reader.find(table, Digest.of(body.encode())):
        return False
    own = load_template(body) if table is TemplateRow else load_policy(body)
    if reader.first(table, name=own.name, version=own.version):
        return False
    published = sorted(reader.all(table), key=lambda row: row.published_at)
    if not published:
        return True
    by_the_app = {"action": f"{kind}:publish", "actor_id": SYSTEM.user_id}
    return reader.first(AuditRow, subject=f"{kind}/{published[-1].digest.short}", **by_the_app) is not None


def publish_template(store: Store, body: str, *, actor: Actor, at: datetime) -> Template:
    """Publish a checklist template for the reviews that are opened from now on.

    Raises
    ------
    NotAllowed, InvalidInput, Conflict
        Without the right; if it is not a template; if this name and version was published with another content.
    """
    actor.require(Right.ADMINISTER)
    with store.transaction() as t:
        return _publish_template(t, body, actor=actor, at=at)


def publish_policy(store: Store, body: str, *, actor: Actor, at: datetime) -> Policy:
    """Publish a policy for the reviews that are opened from now on; refused as `publish_template` is."""
    actor.require(Right.ADMINISTER)
    with store.transaction() as t:
        return _publish_policy(t, body, actor=actor, at=at)


def _publish_template(t: Transaction, body: str, *, actor: Actor, at: datetime) -> Template:
    template = load_template(body)
    digest = Digest.of(body.encode())
    if t.find(TemplateRow, digest):
        return template
    if t.first(TemplateRow, name=template.name, version=template.version):
        raise Conflict(
            f"The template {template.name} {template.version} was published with another content. A published template "
            "never changes: give the new one another version."
        )
    row = TemplateRow(digest=digest, name=template.name, version=template.version, body=body, published_at=at)
    t.add(row)
    new = {"name": template.name, "version": template.version}
    t.record(actor, "template:publish", f"template/{digest.short}", at=at, new=new, digest=digest)
    return template


def _publish_policy(t: Transaction, body: str, *, actor: Actor, at: datetime) -> Policy:
    policy = load_policy(body)
    digest = Digest.of(body.encode())
    if t.find(PolicyRow, digest):
        return policy
    if t.first(PolicyRow, name=policy.name, version=policy.version):
        raise Conflict(
            f"The policy {policy.name} {policy.version} was published with another content. A published policy never "
            "changes: give the new one another version."
        )
    t.add(PolicyRow(digest=digest, name=policy.name, version=policy.version, body=body, published_at=at))
    new = {"name": policy.name, "version": policy.version}
    t.record(actor, "policy:publish", f"policy/{digest.short}", at=at, new=new, digest=digest)
    return policy


def template(reader: Reader, digest: Digest) -> Template:
    """Return a published template."""
    if digest not in _templates:
        _templates[digest] = load_template(reader.get(TemplateRow, digest, what="template").body)
    return _templates[digest]


def policy(reader: Reader, digest: Digest) -> Policy:
    """Return a published policy."""
    if digest not in _policies:
        _policies[digest] = load_policy(reader.get(PolicyRow, digest, what="policy").body)
    return _policies[digest]


def latest(reader: Reader) -> tuple[TemplateRow, PolicyRow]:
    """Return the template and the policy that were published last."""
    templates = sorted(reader.all(TemplateRow), key=lambda row: row.published_at)
    policies = sorted(reader.all(PolicyRow), key=lambda row: row.published_at)
    return templates[-1], policies[-1]
