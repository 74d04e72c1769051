"""A call says how certain its answer and its end are, and why somebody who called in showed no number.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; the booths whose calls are here already told none of it."""
    op.add_column("call", sa.Column("estimated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("call", sa.Column("sure", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("call", sa.Column("hidden", sa.Text(), nullable=False, server_default=""))
