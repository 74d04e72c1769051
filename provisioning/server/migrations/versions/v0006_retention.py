"""A recording may be deleted when its time is over, which its row then says; a booth says when its card will be full.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nothing has been deleted so far."""
    op.add_column("recording", sa.Column("erased", sa.Double()))
    op.add_column("recording", sa.Column("erased_why", sa.Text(), nullable=False, server_default=""))
    op.add_column("booth", sa.Column("full_in", sa.Double()))


def downgrade() -> None:
    """Forget them: rows of deleted recordings then look as if their files were missing."""
    op.drop_column("booth", "full_in")
    op.drop_column("recording", "erased_why")
    op.drop_column("recording", "erased")
