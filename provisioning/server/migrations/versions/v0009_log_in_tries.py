"""Tries to log in are counted for all processes together, and outlive a restart.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "log_in_try",
        sa.Column("whose", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("latest", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("whose", name="pk_log_in_try"),
    )
    op.create_index("ix_log_in_try_latest", "log_in_try", ["latest"])


def downgrade() -> None:
    """Forget the tries."""
    op.drop_table("log_in_try")
