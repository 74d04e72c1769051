"""A fact names the product that was offered, and a call how the booth stood with its number.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; calls that are here already were told with what they need."""
    op.add_column("fact", sa.Column("product", sa.Text(), nullable=False, server_default=""))
    op.add_column("call", sa.Column("claim", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_call_claim_moment", "call", ["claim", "moment"])
    said = "record::json #>> '{decision,claim}'" if op.get_bind().dialect.name == "postgresql" else _IN_SQLITE
    op.execute(f"UPDATE call SET claim = coalesce({said}, '')")  # noqa: S608


_IN_SQLITE = "json_extract(record, '$.decision.claim')"
