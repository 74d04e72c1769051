"""A booth tells what the server refused so often that it is kept back, and can be asked to offer it once more.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; booths tell with their next contact."""
    op.add_column("booth", sa.Column("kept_back", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("booth", sa.Column("reasons", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("booth", sa.Column("retry", sa.Double(), nullable=True))


def downgrade() -> None:
    """Take them away again."""
    for column in ("retry", "reasons", "kept_back"):
        op.drop_column("booth", column)
