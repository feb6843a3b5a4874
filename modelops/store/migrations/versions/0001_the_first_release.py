"""The first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("actor_name", sa.String(150), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(150), nullable=False),
        sa.Column("contributes", sa.Boolean(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_actor_id"), ["actor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_subject"), ["subject"], unique=False)

    op.create_table(
        "blob",
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_blob")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "fact",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_fact_named")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fact")),
    )
    op.create_table(
        "policy",
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_policy_name")),
    )
    op.create_table(
        "template",
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_template")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_template_name")),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(150), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_user_issuer")),
    )
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_login"), ["login"], unique=True)

    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_api_token_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("risk_tier", sa.String(40), nullable=False),
        sa.Column("business_unit", sa.String(150), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_model_created_by_user")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_model_owner_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("name", name=op.f("uq_model_name")),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("authentication", sa.String(40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_session_user_id_user")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_role_user_id_user")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_role")),
    )
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("file_name", sa.String(150), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("roles", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("task", sa.String(40), nullable=True),
        sa.Column("positive", sa.String(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_dataset_created_by_user")),
        sa.ForeignKeyConstraint(["digest"], ["blob.digest"], name=op.f("fk_dataset_digest_blob")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_dataset_model_id_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
    )
    with op.batch_alter_table("dataset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_model_id"), ["model_id"], unique=False)

    op.create_table(
        "model_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(150), nullable=False),
        sa.Column("artifact", sa.String(71), nullable=True),
        sa.Column("artifact_name", sa.String(150), nullable=False),
        sa.Column("summary", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("protection", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("dependencies", sa.String(71), nullable=True),
        sa.Column("dependencies_name", sa.String(150), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["artifact"], ["blob.digest"], name=op.f("fk_model_version_artifact_blob")),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_model_version_created_by_user")),
        sa.ForeignKeyConstraint(["dependencies"], ["blob.digest"], name=op.f("fk_model_version_dependencies_blob")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_model_version_model_id_model")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["model_version.id"], name=op.f("fk_model_version_parent_id_model_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_version")),
        sa.UniqueConstraint("model_id", "label", name=op.f("uq_model_version_model_id")),
    )
    with op.batch_alter_table("model_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_model_version_artifact"), ["artifact"], unique=False)
        batch_op.create_index(batch_op.f("ix_model_version_model_id"), ["model_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("gate", sa.String(40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("template", sa.String(71), nullable=False),
        sa.Column("policy", sa.String(71), nullable=False),
        sa.Column("earlier_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_digest", sa.String(71), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'approved' OR content_digest IS NOT NULL", name=op.f("ck_review_approved_content")
        ),
        sa.ForeignKeyConstraint(["earlier_id"], ["review.id"], name=op.f("fk_review_earlier_id_review")),
        sa.ForeignKeyConstraint(["opened_by"], ["user.id"], name=op.f("fk_review_opened_by_user")),
        sa.ForeignKeyConstraint(["policy"], ["policy.digest"], name=op.f("fk_review_policy_policy")),
        sa.ForeignKeyConstraint(["submitted_by"], ["user.id"], name=op.f("fk_review_submitted_by_user")),
        sa.ForeignKeyConstraint(["template"], ["template.digest"], name=op.f("fk_review_template_template")),
        sa.ForeignKeyConstraint(["version_id"], ["model_version.id"], name=op.f("fk_review_version_id_model_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("version_id", "gate", "round", name=op.f("uq_review_version_id")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_version_id"), ["version_id"], unique=False)

    op.create_table(
        "answer",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(80), nullable=False),
        sa.Column("result", sa.String(40), nullable=False),
        sa.Column("work_status", sa.String(40), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_answer_owner_id_user")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_answer_review_id_review")),
        sa.ForeignKeyConstraint(["updated_by"], ["user.id"], name=op.f("fk_answer_updated_by_user")),
        sa.PrimaryKeyConstraint("review_id", "question_id", name=op.f("pk_answer")),
    )
    op.create_table(
        "attestation",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("envelope", sa.String(), nullable=False),
        sa.Column("members", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("artifact", sa.String(71), nullable=True),
        sa.Column("audit_sequence", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_attestation_review_id_review")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_attestation")),
    )
    with op.batch_alter_table("attestation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attestation_artifact"), ["artifact"], unique=False)

    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(80), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_comment_author_id_user")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_comment_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comment_review_id"), ["review_id"], unique=False)

    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(80), nullable=True),
        sa.Column("severity", sa.String(40), nullable=False),
        sa.Column("title", sa.String(150), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("raised_by", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_finding_owner_id_user")),
        sa.ForeignKeyConstraint(["raised_by"], ["user.id"], name=op.f("fk_finding_raised_by_user")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_finding_review_id_review")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_review_id"), ["review_id"], unique=False)

    op.create_table(
        "review_dataset",
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_review_dataset_dataset_id_dataset")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_dataset_review_id_review")),
        sa.PrimaryKeyConstraint("review_id", "dataset_id", name=op.f("pk_review_dataset")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("analysis", sa.String(40), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("review_id", sa.Integer(), nullable=True),
        sa.Column("question_id", sa.String(80), nullable=True),
        sa.Column("data_id", sa.Integer(), nullable=False),
        sa.Column("reference_id", sa.Integer(), nullable=True),
        sa.Column("train_id", sa.Integer(), nullable=True),
        sa.Column("repeats_id", sa.Integer(), nullable=True),
        sa.Column("request", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("policy", sa.String(71), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("runner", sa.String(100), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(71), nullable=True),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["data_id"], ["dataset.id"], name=op.f("fk_run_data_id_dataset")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_run_model_id_model")),
        sa.ForeignKeyConstraint(["policy"], ["policy.digest"], name=op.f("fk_run_policy_policy")),
        sa.ForeignKeyConstraint(["reference_id"], ["dataset.id"], name=op.f("fk_run_reference_id_dataset")),
        sa.ForeignKeyConstraint(["repeats_id"], ["run.id"], name=op.f("fk_run_repeats_id_run")),
        sa.ForeignKeyConstraint(["requested_by"], ["user.id"], name=op.f("fk_run_requested_by_user")),
        sa.ForeignKeyConstraint(["result"], ["blob.digest"], name=op.f("fk_run_result_blob")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_run_review_id_review")),
        sa.ForeignKeyConstraint(["train_id"], ["dataset.id"], name=op.f("fk_run_train_id_dataset")),
        sa.ForeignKeyConstraint(["version_id"], ["model_version.id"], name=op.f("fk_run_version_id_model_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_model_id"), ["model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_review_id"), ["review_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_version_id"), ["version_id"], unique=False)

    op.create_table(
        "sign_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("printed_name", sa.String(150), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("meaning", sa.String(40), nullable=False),
        sa.Column("decision", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("authentication", sa.String(40), nullable=False),
        sa.Column("content_digest", sa.String(71), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_sign_off_review_id_review")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_sign_off_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_off")),
        sa.UniqueConstraint("review_id", "submission", "user_id", name=op.f("uq_sign_off_review_id")),
    )
    with op.batch_alter_table("sign_off", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_off_review_id"), ["review_id"], unique=False)

    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("title", sa.String(150), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("removed_by", sa.Integer(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["added_by"], ["user.id"], name=op.f("fk_evidence_added_by_user")),
        sa.ForeignKeyConstraint(["removed_by"], ["user.id"], name=op.f("fk_evidence_removed_by_user")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_evidence_review_id_review")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_evidence_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_review_id"), ["review_id"], unique=False)

    op.create_table(
        "waiver",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(80), nullable=True),
        sa.Column("finding_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("compensating_control", sa.String(), nullable=False),
        sa.Column("risk_owner_id", sa.Integer(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=False),
        sa.CheckConstraint("(question_id IS NULL) <> (finding_id IS NULL)", name=op.f("ck_waiver_one_subject")),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_waiver_other_decider")),
        sa.CheckConstraint("risk_owner_id <> requested_by", name=op.f("ck_waiver_other_risk_owner")),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name=op.f("fk_waiver_decided_by_user")),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_waiver_finding_id_finding")),
        sa.ForeignKeyConstraint(["requested_by"], ["user.id"], name=op.f("fk_waiver_requested_by_user")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_waiver_review_id_review")),
        sa.ForeignKeyConstraint(["risk_owner_id"], ["user.id"], name=op.f("fk_waiver_risk_owner_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
    )
    with op.batch_alter_table("waiver", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_waiver_review_id"), ["review_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("A store is never downgraded: restore a backup.")
