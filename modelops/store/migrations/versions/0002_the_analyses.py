"""The analyses: acceptance criteria, decisions, the champion of a run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "criteria",
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("frozen_by", sa.Integer(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["frozen_by"], ["user.id"], name=op.f("fk_criteria_frozen_by_user")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["model_version.id"], name=op.f("fk_criteria_version_id_model_version")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_criteria")),
        sa.UniqueConstraint("version_id", "number", name=op.f("uq_criteria_version_id")),
    )
    with op.batch_alter_table("criteria", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_criteria_version_id"), ["version_id"], unique=False)

    op.create_table(
        "criteria_draft",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["updated_by"], ["user.id"], name=op.f("fk_criteria_draft_updated_by_user")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["model_version.id"], name=op.f("fk_criteria_draft_version_id_model_version")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_criteria_draft")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("champion_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("criteria", sa.String(71), nullable=True))
        batch_op.add_column(sa.Column("cases", sa.String(71), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_run_champion_id_model_version"), "model_version", ["champion_id"], ["id"]
        )
        batch_op.create_foreign_key(batch_op.f("fk_run_criteria_criteria"), "criteria", ["criteria"], ["digest"])
        batch_op.create_foreign_key(batch_op.f("fk_run_cases_blob"), "blob", ["cases"], ["digest"])

    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(71), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name=op.f("fk_decision_decided_by_user")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_decision_model_id_model")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_decision_run_id_run")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["model_version.id"], name=op.f("fk_decision_version_id_model_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decision_model_id"), ["model_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_decision_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_decision_version_id"), ["version_id"], unique=False)

    op.create_table(
        "contract",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("act", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_contract_created_by_user")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_contract_model_id_model")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_contract_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("model_id", "revision", name=op.f("uq_contract_model_id")),
    )
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_model_id"), ["model_id"], unique=False)

    op.create_table(
        "case_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("case_row", sa.Integer(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("right_label", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reader_id"], ["user.id"], name=op.f("fk_case_reading_reader_id_user")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_case_reading_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_reading")),
        sa.UniqueConstraint("run_id", "case_row", "reader_id", name=op.f("uq_case_reading_run_id")),
    )
    with op.batch_alter_table("case_reading", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_reading_run_id"), ["run_id"], unique=False)

    op.create_table(
        "case_settlement",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("case_row", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("right_label", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("settled_by", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_case_settlement_run_id_run")),
        sa.ForeignKeyConstraint(["settled_by"], ["user.id"], name=op.f("fk_case_settlement_settled_by_user")),
        sa.PrimaryKeyConstraint("run_id", "case_row", name=op.f("pk_case_settlement")),
    )


def downgrade() -> None:
    raise NotImplementedError("A store is never downgraded: restore a backup.")
