"""What the database itself refuses, whoever writes to it.

The services check the same rules first and explain them; these triggers hold when a service has a fault, or when
somebody writes to the database without one. They are dropped by SQLite when a migration rebuilds their table, so every
upgrade ends by making them again.
"""

from __future__ import annotations

from sqlalchemy import Connection

_APPEND_ONLY = (
    "audit",
    "checkpoint",
    "sign_off",
    "attestation",
    "template",
    "policy",
    "criteria",
    "decision",
    "contract",
    "case_settlement",
)
_EDITABLE = "('draft', 'in progress', 'changes requested', 'approved')"
_STEPS = {
    "draft": ("in progress", "withdrawn"),
    "in progress": ("submitted", "withdrawn"),
    "submitted": ("changes requested", "approved", "rejected", "withdrawn"),
    "changes requested": ("submitted", "withdrawn"),
    "approved": ("revoked", "expired", "superseded"),
}

_CONTRIBUTED = """EXISTS (
  SELECT 1 FROM review r JOIN model_version v ON v.id = r.version_id JOIN model m ON m.id = v.model_id
  WHERE r.id = NEW.review_id AND (m.owner_id = NEW.user_id OR EXISTS (
    SELECT 1 FROM audit o WHERE o.subject = 'model/' || m.id AND o.contributes AND (
      o.body LIKE '%"owner_id":' || NEW.user_id || ',%' OR o.body LIKE '%"owner_id":' || NEW.user_id || '}%'))
  OR EXISTS (
    SELECT 1 FROM audit k JOIN review e ON e.id < r.id JOIN model_version w ON w.id = e.version_id
    JOIN audit a ON a.subject = 'review/' || e.id || substr(k.subject, length('review/' || r.id) + 1)
    WHERE k.action = 'answer:keep' AND k.subject LIKE 'review/' || r.id || '/%' AND w.model_id = m.id
    AND a.contributes AND a.actor_id = NEW.user_id)
  OR EXISTS (
    SELECT 1 FROM audit k JOIN audit a ON a.subject = substr(k.subject, length('review/' || r.id) + 2)
    WHERE k.action = 'case:attach' AND k.subject LIKE 'review/' || r.id || '/%' AND a.sequence < k.sequence
    AND a.contributes AND a.actor_id = NEW.user_id)
  OR EXISTS (
    SELECT 1 FROM audit a WHERE a.actor_id = NEW.user_id AND a.contributes AND (
      a.subject = 'review/' || r.id OR a.subject LIKE 'review/' || r.id || '/%' OR a.subject = 'version/' || v.id
      OR a.subject = 'model/' || m.id
      OR a.subject IN (SELECT 'dataset/' || d.dataset_id FROM review_dataset d WHERE d.review_id = r.id)))))"""

_NOT_SUBMITTED = """NOT EXISTS (
  SELECT 1 FROM review r WHERE r.id = NEW.review_id AND r.submission = NEW.submission
  AND (r.state = 'submitted' OR NEW.meaning = 'authorship'))"""

_NOT_A_SIGNER = """(NOT EXISTS (SELECT 1 FROM "user" u WHERE u.id = NEW.user_id AND u.is_active)
  OR NOT EXISTS (SELECT 1 FROM user_role x WHERE x.user_id = NEW.user_id AND x.role = NEW.role)
  OR EXISTS (SELECT 1 FROM user_role x WHERE x.user_id = NEW.user_id AND x.role = 'administrator'))"""

_MOVED = """(NEW.version_id <> OLD.version_id OR NEW.gate <> OLD.gate OR NEW.round <> OLD.round
  OR NEW.template <> OLD.template OR NEW.policy <> OLD.policy OR NEW.submission < OLD.submission
  OR NEW.content_digest <> OLD.content_digest)"""

_OTHER_FILES = """(NEW.model_id <> OLD.model_id OR NEW.label <> OLD.label
  OR (OLD.artifact IS NOT NULL AND (NEW.artifact IS NULL OR NEW.artifact <> OLD.artifact))
  OR (OLD.dependencies IS NOT NULL AND (NEW.dependencies IS NULL OR NEW.dependencies <> OLD.dependencies)))"""

_OTHER_BAR = """(NEW.policy <> OLD.policy OR NEW.criteria IS DISTINCT FROM OLD.criteria
  OR NEW.request <> OLD.request OR NEW.analysis <> OLD.analysis
  OR NEW.model_id <> OLD.model_id OR NEW.data_id <> OLD.data_id
  OR NEW.version_id IS DISTINCT FROM OLD.version_id OR NEW.reference_id IS DISTINCT FROM OLD.reference_id
  OR NEW.train_id IS DISTINCT FROM OLD.train_id OR NEW.champion_id IS DISTINCT FROM OLD.champion_id
  OR (OLD.finished_at IS NOT NULL AND (NEW.state <> OLD.state OR NEW.finished_at IS DISTINCT FROM OLD.finished_at))
  OR (OLD.result IS NOT NULL AND (NEW.result IS DISTINCT FROM OLD.result OR NEW.cases IS DISTINCT FROM OLD.cases)))"""

_THIRD_READER = (
    """(SELECT COUNT(*) FROM case_reading c WHERE c.run_id = NEW.run_id AND c.case_row = NEW.case_row) > 1"""
)

_OTHER_READING = """(NEW.run_id <> OLD.run_id OR NEW.case_row <> OLD.case_row OR NEW.reader_id <> OLD.reader_id
  OR (SELECT COUNT(*) FROM case_reading c WHERE c.run_id = OLD.run_id AND c.case_row = OLD.case_row) > 1)"""


def _rules() -> list[tuple[str, str, str, str, str]]:
    """Return (table, event, name, condition, message) of each refusal."""
    rules = [
        (table, what, f"{table}_no_{what.lower()}", "TRUE", f"{table} is append-only")
        for table in _APPEND_ONLY
        for what in ("UPDATE", "DELETE")
    ]
    gap = (
        "NEW.sequence <> COALESCE((SELECT MAX(sequence) FROM audit), 0) + 1 OR (NEW.sequence > 1 AND NEW.previous <> "
        "(SELECT hash FROM audit WHERE sequence = NEW.sequence - 1))"
    )
    rules.append(("audit", "INSERT", "audit_no_gap", gap, "the audit trail has no gaps"))
    independent = f"NEW.meaning <> 'authorship' AND {_CONTRIBUTED}"
    rules.append(("sign_off", "INSERT", "sign_off_independent", independent, "separation of duties: contributor"))
    rules.append(("sign_off", "INSERT", "sign_off_submitted", _NOT_SUBMITTED, "only a submitted review is signed"))
    rules.append(("sign_off", "INSERT", "sign_off_person", _NOT_A_SIGNER, "this person cannot sign in this role"))
    allowed = " OR ".join(
        f"(OLD.state = '{old}' AND NEW.state IN ({', '.join(repr(s) for s in new)}))" for old, new in _STEPS.items()
    )
    step = f"NEW.state <> OLD.state AND NOT ({allowed})"
    rules.append(("review", "UPDATE", "review_step", step, "a review does not make this step"))
    rules.append(("review", "UPDATE", "review_fixed", _MOVED, "what a review is about never changes"))
    rules.append(("model_version", "UPDATE", "version_fixed", _OTHER_FILES, "the files of a version never change"))
    changed = "NEW.digest <> OLD.digest OR NEW.model_id <> OLD.model_id"
    rules.append(("dataset", "UPDATE", "dataset_fixed", changed, "the bytes of a dataset never change"))
    rules.append(("run", "UPDATE", "run_fixed", _OTHER_BAR, "the bar of a run, its inputs and its result never change"))
    rules.append(("case_reading", "INSERT", "case_reading_two", _THIRD_READER, "a case is read by two people"))
    rules.append(("case_reading", "UPDATE", "case_reading_fixed", _OTHER_READING, "what two people read stands still"))
    kept = (
        "run",
        "case_reading",
        "review",
        "finding",
        "waiver",
        "comment",
        "review_dataset",
        "model_version",
        "dataset",
    )
    rules += [(table, "DELETE", f"{table}_kept", "TRUE", f"{table} rows are never deleted") for table in kept]
    rules.append(("review_dataset", "UPDATE", "review_dataset_fixed", "TRUE", "the data of a review stay in it"))
    closed = f"(SELECT state FROM review WHERE id = NEW.review_id) NOT IN {_EDITABLE}"  # noqa: S608 - no value of anybody
    shut = "this review is closed for changes"
    rules.append(("review_dataset", "INSERT", "review_dataset_frozen", closed, shut))
    for table in ("answer", "evidence"):
        rules += [(table, what, f"{table}_frozen_{what.lower()}", closed, shut) for what in ("INSERT", "UPDATE")]
        rules.append((table, "DELETE", f"{table}_kept", "TRUE", f"{table} rows are never deleted"))
    return rules


def create_triggers(connection: Connection) -> None:
    """Make every trigger, replacing older ones of the same name."""
    make = _sqlite if connection.dialect.name == "sqlite" else _postgresql
    for table, what, name, condition, message in _rules():
        for statement in make(table, what, name, condition, message):
            connection.exec_driver_sql(statement)


def _sqlite(table: str, what: str, name: str, condition: str, message: str) -> list[str]:
    return [
        f"DROP TRIGGER IF EXISTS {name}",
        f"CREATE TRIGGER {name} BEFORE {what} ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END",
    ]


def _postgresql(table: str, what: str, name: str, condition: str, message: str) -> list[str]:
    given = "OLD" if what == "DELETE" else "NEW"
    refusal = f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'"
    body = f"BEGIN IF {condition} THEN {refusal}; END IF; RETURN {given}; END"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$".replace("%", "%%"),
        f"DROP TRIGGER IF EXISTS {name} ON {table}",
        f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
