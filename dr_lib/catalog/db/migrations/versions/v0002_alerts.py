"""What people were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "alerts",
        sa.Column("key", sa.String(400), primary_key=True),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("told_at", sa.DateTime),
    )
