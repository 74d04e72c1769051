"""Calls are found and counted without reading their records.

Revision: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes of the pages."""
    op.drop_index("ix_call_list_list_row", "call")
    op.create_index("ix_call_list_list_row_result", "call", ["list", "list_row", "result"])
    op.create_index("ix_recording_state_begun", "recording", ["state", "begun"])
    if op.get_bind().dialect.name == "sqlite":
        found = ["moment", "id", "incoming", "result", "booth", "agent", "list_name"]
        op.create_index("ix_call_found", "call", [*found, "customer", "reading", "shown", "number", "note"])


def downgrade() -> None:
    """The indexes as they were."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_call_found", "call")
    op.drop_index("ix_recording_state_begun", "recording")
    op.drop_index("ix_call_list_list_row_result", "call")
    op.create_index("ix_call_list_list_row", "call", ["list", "list_row"])
