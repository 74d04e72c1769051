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
    """Add the columns. What was told with them, before somebody went back to an older version, is in the records."""
    op.add_column("call", sa.Column("estimated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("call", sa.Column("sure", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("call", sa.Column("hidden", sa.Text(), nullable=False, server_default=""))
    told = _IN_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _IN_SQLITE
    op.execute(f"UPDATE call SET {told}")  # noqa: S608


def downgrade() -> None:
    """Without the columns; a call's record still holds what they said."""
    for name in ("hidden", "sure", "estimated"):
        op.drop_column("call", name)


_IN_SQLITE = """
    estimated = coalesce(json_extract(record, '$.estimated'), false),
    sure = coalesce(json_extract(record, '$.sure'), true),
    hidden = coalesce(json_extract(record, '$.hidden'), '')
"""
_IN_POSTGRESQL = """
    estimated = coalesce((record::json #>> '{estimated}')::boolean, false),
    sure = coalesce((record::json #>> '{sure}')::boolean, true),
    hidden = coalesce(record::json #>> '{hidden}', '')
"""
