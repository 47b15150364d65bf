"""The tables. Every row is a fact that was observed; none is needed to restore."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """A time in UTC. Not every database keeps an offset, so none is stored."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """As UTC without saying so."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """As UTC that says so."""
        return None if value is None else value.replace(tzinfo=UTC)


METADATA: Final = MetaData()
_NAME: Final = String(200)
_ID: Final = String(64)

ASSETS: Final = Table(
    "assets",
    METADATA,
    Column("asset", _NAME, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("observed_at", Moment, nullable=False),
    Column("verified_at", Moment),
    Column("protected_until", Moment),
    Column("rpo_objective_s", Float, nullable=False),
    Column("rto_objective_s", Float, nullable=False),
    Column("points", Integer, nullable=False),
    Column("logical_bytes", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("problems", Text, nullable=False),
    Column("failing_since", Moment),
)
REGIONS: Final = Table(
    "asset_regions",
    METADATA,
    Column("asset", _NAME, primary_key=True),
    Column("region", _NAME, primary_key=True),
    Column("place", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("newest", _ID, nullable=False),
    Column("verified_at", Moment),
    Column("read_at", Moment),
    Column("unread_s", Float),
    Column("locked_until", Moment),
    Column("points", Integer, nullable=False),
    Column("silent", Text, nullable=False),
)
POINTS: Final = Table(
    "points",
    METADATA,
    Column("asset", _NAME, primary_key=True),
    Column("point", _ID, primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("logical_bytes", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("files", Integer, nullable=False),
    Column("quarantined", Text, nullable=False),
)
COPIES: Final = Table(
    "copies",
    METADATA,
    Column("asset", _NAME, primary_key=True),
    Column("point", _ID, primary_key=True),
    Column("region", _NAME, primary_key=True),
    Column("state", String(20), nullable=False),
    Column("verified_at", Moment),
    Column("detail", Text, nullable=False),
)
DRILLS: Final = Table(
    "drills",
    METADATA,
    Column("asset", _NAME, primary_key=True),
    Column("drill", _ID, primary_key=True),
    Column("scenario", String(40), nullable=False),
    Column("expected", String(20), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("rto_s", Float),
    Column("rpo_s", Float),
    Column("policy_sha256", _ID, nullable=False),
)
Index("drills_of_a_scenario", DRILLS.c.asset, DRILLS.c.scenario, DRILLS.c.drill)
ALERTS: Final = Table(
    "alerts",
    METADATA,
    Column("key", String(400), primary_key=True),
    Column("severity", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("told_at", Moment),
)
ENDPOINTS: Final = Table(
    "endpoints",
    METADATA,
    Column("endpoint", _NAME, primary_key=True),
    Column("asset", _NAME, nullable=False),
    Column("traffic", String(20), nullable=False),
    Column("primary_stands", String(20), nullable=False),
    Column("standby_stands", String(20), nullable=False),
    Column("problem", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("observed_at", Moment, nullable=False),
    Column("failing_since", Moment),
)
