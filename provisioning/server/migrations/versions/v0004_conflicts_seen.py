"""A pair of calls that should not have been two can be marked as seen; the calls of a number are found by time.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the index in the place of the one by number alone."""
    op.create_table(
        "conflict_seen",
        sa.Column("earlier", sa.Text(), nullable=False),
        sa.Column("later", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["earlier"], ["call.id"], name="fk_conflict_seen_earlier", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["later"], ["call.id"], name="fk_conflict_seen_later", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("earlier", "later", name="pk_conflict_seen"),
    )
    op.create_index("ix_conflict_seen_later", "conflict_seen", ["later"])
    op.drop_index("ix_call_number", "call")
    op.create_index("ix_call_number_moment", "call", ["number", "moment"])


def downgrade() -> None:
    """Nobody has seen a pair; the index by number alone is back."""
    op.drop_index("ix_call_number_moment", "call")
    op.create_index("ix_call_number", "call", ["number"])
    op.drop_table("conflict_seen")
