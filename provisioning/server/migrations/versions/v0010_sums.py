"""Sums over all recordings, for quotas and measures, read an index and never the pictures beside the numbers.

Revision: 0010
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two indexes."""
    op.create_index("ix_recording_begun_booth_bytes", "recording", ["begun", "booth", "bytes"])
    op.create_index("ix_recording_erased_state_bytes", "recording", ["erased", "state", "bytes"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_recording_erased_state_bytes", "recording")
    op.drop_index("ix_recording_begun_booth_bytes", "recording")
