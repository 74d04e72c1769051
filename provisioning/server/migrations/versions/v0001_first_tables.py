"""The first tables.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""
    for part in (_people, _booths, _lists, _calls, _recordings, _facts):
        part()
    _facts_stay()


def downgrade() -> None:
    """Leave nothing."""
    for table in _TABLES:
        op.drop_table(table)  # with its triggers
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION fact_stays()")


_TABLES = (  # whoever points at another one first
    *("fact", "recording", "memo", "call", "assignment", "rejected_row", "list_row", "list"),
    *("shift", "claim", "token", "booth", "session", "administrator", "server_note"),
)


def _people() -> None:
    op.create_table(
        "server_note",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_server_note"),
    )
    op.create_table(
        "administrator",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="ja", nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_administrator"),
        sa.UniqueConstraint("name", name="uq_administrator_name"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("administrator", sa.Integer(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["administrator"], ["administrator.id"], name="fk_session_administrator", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_administrator", "session", ["administrator"])
    op.create_index("ix_session_expires", "session", ["expires"])


def _booths() -> None:
    op.create_table(
        "booth",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled", sa.Double(), nullable=False),
        sa.Column("revoked", sa.Double(), nullable=True),
        sa.Column("seen", sa.Double(), nullable=True),
        sa.Column("software", sa.Text(), server_default="", nullable=False),
        sa.Column("pending_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pending_recordings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("oldest", sa.Double(), nullable=True),
        sa.Column("free_bytes", sa.BigInteger(), nullable=True),
        sa.Column("faults", sa.JSON(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_booth"),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("spent_by", sa.Text(), nullable=True),
        sa.Column("revoked", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["spent_by"], ["booth.id"], name="fk_token_spent_by"),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
        sa.UniqueConstraint("secret", name="uq_token_secret"),
    )
    op.create_table(
        "claim",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("booth", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["booth"], ["booth.id"], name="fk_claim_booth"),
        sa.PrimaryKeyConstraint("number", name="pk_claim"),
    )
    op.create_index("ix_claim_expires", "claim", ["expires"])
    op.create_table(
        "shift",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("booth", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.Double(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("taken", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["booth"], ["booth.id"], name="fk_shift_booth"),
        sa.PrimaryKeyConstraint("id", name="pk_shift"),
    )
    op.create_index("ix_shift_booth_at", "shift", ["booth", "at"])


def _lists() -> None:
    op.create_table(
        "list",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sample", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("removed", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_list"),
    )
    op.create_table(
        "list_row",
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("identifier", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["list"], ["list.id"], name="fk_list_row_list", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("list", "row", name="pk_list_row"),
    )
    op.create_table(
        "rejected_row",
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["list"], ["list.id"], name="fk_rejected_row_list", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("list", "line", name="pk_rejected_row"),
    )
    op.create_table(
        "assignment",
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("booth", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["booth"], ["booth.id"], name="fk_assignment_booth", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["list"], ["list.id"], name="fk_assignment_list", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("list", "booth", name="pk_assignment"),
    )
    op.create_index("ix_assignment_booth", "assignment", ["booth"])


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("booth", sa.Text(), nullable=False),
        sa.Column("moment", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), server_default="", nullable=False),
        sa.Column("reading", sa.Text(), server_default="", nullable=False),
        sa.Column("list", sa.Text(), server_default="", nullable=False),
        sa.Column("list_name", sa.Text(), server_default="", nullable=False),
        sa.Column("list_row", sa.Integer(), nullable=True),
        sa.Column("sample", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("emergency", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("incoming", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("due", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("answered", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("party", sa.Text(), nullable=True),
        sa.Column("talk", sa.Double(), server_default="0", nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("overridden", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("taken", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["booth"], ["booth.id"], name="fk_call_booth"),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
    )
    op.create_index("ix_call_agent_moment", "call", ["agent", "moment"])
    op.create_index("ix_call_booth_moment", "call", ["booth", "moment"])
    op.create_index("ix_call_list_list_row", "call", ["list", "list_row"])
    op.create_index("ix_call_list_name_moment", "call", ["list_name", "moment"])
    op.create_index("ix_call_moment_id", "call", ["moment", "id"])
    op.create_index("ix_call_number", "call", ["number"])
    op.create_index("ix_call_result_moment", "call", ["result", "moment"])


def _recordings() -> None:
    op.create_table(
        "memo",
        sa.Column("recording", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("recording", name="pk_memo"),
    )
    op.create_index("ix_memo_call", "memo", ["call"])
    op.create_table(
        "recording",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("booth", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("answer_seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("peaks", sa.LargeBinary(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("begun", sa.Double(), nullable=False),
        sa.Column("taken", sa.Double(), nullable=True),
        sa.CheckConstraint("state IN ('partial', 'whole', 'torn', 'refused')", name="ck_recording_state"),
        sa.ForeignKeyConstraint(["booth"], ["booth.id"], name="fk_recording_booth"),
        sa.PrimaryKeyConstraint("id", name="pk_recording"),
    )
    op.create_index("ix_recording_call", "recording", ["call"])


def _facts() -> None:
    op.create_table(
        "fact",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=True),
        sa.Column("booth", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("due", sa.Double(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("taken", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["sender"], ["booth.id"], name="fk_fact_sender"),
        sa.PrimaryKeyConstraint("seq", name="pk_fact"),
        sa.UniqueConstraint("id", name="uq_fact_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fact_call", "fact", ["call"])
    op.create_index("ix_fact_number_seq", "fact", ["number", "seq"])


def _facts_stay() -> None:
    """Facts are only ever added, whoever asks for something else."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER fact_no_{what.lower()} BEFORE {what} ON fact "
                "BEGIN SELECT RAISE(ABORT, 'facts are only ever added'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION fact_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'facts are only ever added'; END $$"
    )
    op.execute(
        "CREATE TRIGGER fact_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON fact "
        "FOR EACH STATEMENT EXECUTE FUNCTION fact_stays()"
    )
