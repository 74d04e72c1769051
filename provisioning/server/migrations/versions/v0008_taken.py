"""A recording may be here and not open yet; what is wrong with one is kept in words that can be translated.

Revision: 0008
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BEFORE, NOW = "('partial', 'whole', 'torn', 'refused')", "('partial', 'taken', 'whole', 'torn', 'refused')"


def upgrade() -> None:
    """Let the server open once more what it had found fault with: then it finds the words."""
    _states(NOW)
    op.execute("UPDATE recording SET state = 'taken', problem = '' WHERE problem <> ''")


def downgrade() -> None:
    """What is not open yet stays so for good; its journal is in the archive."""
    op.execute("UPDATE recording SET state = 'refused', problem = 'not opened yet' WHERE state = 'taken'")
    _states(BEFORE)


def _states(known: str) -> None:
    with op.batch_alter_table("recording") as table:
        table.drop_constraint(op.f("ck_recording_state"), type_="check")
        table.create_check_constraint(op.f("ck_recording_state"), f"state IN {known}")
