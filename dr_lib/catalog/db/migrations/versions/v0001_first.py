"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _key(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=True)


def upgrade() -> None:
    """Make them."""
    _summaries()
    _history()


def _summaries() -> None:
    op.create_table(
        "assets",
        _key("asset", 200),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("observed_at", sa.DateTime, nullable=False),
        sa.Column("verified_at", sa.DateTime),
        sa.Column("protected_until", sa.DateTime),
        sa.Column("rpo_objective_s", sa.Float, nullable=False),
        sa.Column("rto_objective_s", sa.Float, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("logical_bytes", sa.BigInteger, nullable=False),
        sa.Column("stored_bytes", sa.BigInteger, nullable=False),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("failing_since", sa.DateTime),
    )
    op.create_table(
        "asset_regions",
        _key("asset", 200),
        _key("region", 200),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("newest", sa.String(64), nullable=False),
        sa.Column("verified_at", sa.DateTime),
        sa.Column("read_at", sa.DateTime),
        sa.Column("unread_s", sa.Float),
        sa.Column("locked_until", sa.DateTime),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("silent", sa.Text, nullable=False),
    )


def _history() -> None:
    op.create_table(
        "points",
        _key("asset", 200),
        _key("point", 64),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("logical_bytes", sa.BigInteger, nullable=False),
        sa.Column("stored_bytes", sa.BigInteger, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("quarantined", sa.Text, nullable=False),
    )
    op.create_table(
        "copies",
        _key("asset", 200),
        _key("point", 64),
        _key("region", 200),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("verified_at", sa.DateTime),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "drills",
        _key("asset", 200),
        sa.Column("drill", sa.String(64), primary_key=True),
        sa.Column("scenario", sa.String(40), nullable=False),
        sa.Column("expected", sa.String(20), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("finished_at", sa.DateTime, nullable=False),
        sa.Column("rto_s", sa.Float),
        sa.Column("rpo_s", sa.Float),
        sa.Column("policy_sha256", sa.String(64), nullable=False),
    )
    op.create_index("drills_of_a_scenario", "drills", ["asset", "scenario", "drill"])
