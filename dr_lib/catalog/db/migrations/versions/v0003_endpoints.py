"""Endpoints as they were last seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "endpoints",
        sa.Column("endpoint", sa.String(200), primary_key=True),
        sa.Column("asset", sa.String(200), nullable=False),
        sa.Column("traffic", sa.String(20), nullable=False),
        sa.Column("primary_stands", sa.String(20), nullable=False),
        sa.Column("standby_stands", sa.String(20), nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("observed_at", sa.DateTime, nullable=False),
        sa.Column("failing_since", sa.DateTime),
    )
