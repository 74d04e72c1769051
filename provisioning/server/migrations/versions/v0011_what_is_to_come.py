"""A booth tells how many bytes of recordings wait in it, how fast they go, and when its line's hours for them begin.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; booths tell with their next contact."""
    op.add_column("booth", sa.Column("pending_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("booth", sa.Column("pace", sa.Double(), nullable=False, server_default="0"))
    op.add_column("booth", sa.Column("opens", sa.Double()))


def downgrade() -> None:
    """Take them away again."""
    for column in ("opens", "pace", "pending_bytes"):
        op.drop_column("booth", column)
