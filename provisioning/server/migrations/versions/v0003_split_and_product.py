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
    """Add both columns. What was told with them, before somebody went back to an older version, is in the records."""
    op.add_column("fact", sa.Column("product", sa.Text(), nullable=False, server_default=""))
    op.add_column("call", sa.Column("claim", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_call_claim_moment", "call", ["claim", "moment"])
    postgresql = op.get_bind().dialect.name == "postgresql"
    claim, product = _IN_POSTGRESQL if postgresql else _IN_SQLITE
    op.execute(f"UPDATE call SET claim = coalesce({claim}, '')")  # noqa: S608
    told = f"UPDATE fact SET product = {product} WHERE coalesce({product}, '') <> ''"  # noqa: S608
    if postgresql:
        op.execute("ALTER TABLE fact DISABLE TRIGGER fact_stays")
        op.execute(told)
        op.execute("ALTER TABLE fact ENABLE TRIGGER fact_stays")
        return
    op.execute("DROP TRIGGER fact_no_update")
    op.execute(told)
    op.execute(
        "CREATE TRIGGER fact_no_update BEFORE UPDATE ON fact "
        "BEGIN SELECT RAISE(ABORT, 'facts are only ever added'); END"
    )


def downgrade() -> None:
    """Without the columns; a call's record still holds what its column said."""
    op.drop_index("ix_call_claim_moment", "call")
    op.drop_column("call", "claim")
    op.drop_column("fact", "product")


_IN_SQLITE = ("json_extract(record, '$.decision.claim')", "json_extract(raw, '$.product')")
_IN_POSTGRESQL = ("record::json #>> '{decision,claim}'", "raw::json #>> '{product}'")
