"""Names of the objects in a vault, and how to read them back. Listing them must be enough to find everything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

VAULT_KEY: Final = "vault.json"
PACKS: Final = "packs/"
POINTS: Final = "points/"
INDEX: Final = "index/"
RUNS: Final = "runs/"
EVENTS: Final = "events/"
EVIDENCE: Final = "evidence/"

_STAMP: Final = "%Y%m%dT%H%M%S%fZ"
_POINT_KEY: Final = re.compile(r"points/(?P<asset>[a-z0-9-]+)/(?P<point>\d{8}T\d{12}Z-[0-9a-f]{8})\.manifest")
_PLAN_KEY: Final = re.compile(r"runs/(?P<asset>[a-z0-9-]+)/(?P<point>\d{8}T\d{12}Z-[0-9a-f]{8})/plan\.json\.zst")
_EVENT_KEY: Final = re.compile(
    r"events/(?P<asset>[a-z0-9-]+)/(?P<at>\d{8}T\d{12}Z)-(?P<kind>[a-z]+)-(?P<point>\d{8}T\d{12}Z-[0-9a-f]{8})"
    r"-[0-9a-f]{8}\.json"
)
POINT_ID: Final = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, order=True)
class PointName:
    """A point as its key alone tells: asset, id, and the moment of its freeze."""

    asset: str
    point: str

    @property
    def created_at(self) -> datetime:
        """Moment of the freeze, microseconds, UTC."""
        return parse_stamp(self.point.partition("-")[0])


@dataclass(frozen=True, slots=True)
class EventName:
    """An event as its key alone tells."""

    key: str
    asset: str
    point: str
    kind: str
    at: datetime


def stamp(moment: datetime) -> str:
    """`20261123T180109000001Z`: sorts by time, fits a file name."""
    return moment.astimezone(UTC).strftime(_STAMP)


def parse_stamp(text: str) -> datetime:
    """Inverse of `stamp`; `ValueError` for anything else."""
    return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)


def point_id(frozen_at: datetime, nonce: bytes) -> str:
    """Id of a point: the moment of its freeze and four random bytes, so that ids sort by age and never collide."""
    return f"{stamp(frozen_at)}-{nonce[:4].hex()}"


def pack_key(sha256: str) -> str:
    """Key of a pack, fanned out over its first two hex digits."""
    return f"{PACKS}{sha256[:2]}/{sha256}"


def manifest_key(asset: str, point: str) -> str:
    """Key of a manifest: its existence is the commit of the point."""
    return f"{POINTS}{asset}/{point}.manifest"


def parse_manifest_key(key: str) -> PointName | None:
    """The point that a key names, None for a key that is no manifest's."""
    match = _POINT_KEY.fullmatch(key)
    return PointName(match["asset"], match["point"]) if match else None


def plan_key(asset: str, point: str) -> str:
    """Key of a backup run's plan."""
    return f"{RUNS}{asset}/{point}/plan.json.zst"


def parse_plan_key(key: str) -> PointName | None:
    """The point that a run's plan is for, None for any other key."""
    match = _PLAN_KEY.fullmatch(key)
    return PointName(match["asset"], match["point"]) if match else None


def part_key(asset: str, point: str, part: str) -> str:
    """Key of one finished part of a run: `shard-0003` or `proof`."""
    return f"{RUNS}{asset}/{point}/{part}.json.zst"


def index_key(point: str, part: str) -> str:
    """Key of the chunk index that one part of a run, or one replication, leaves behind."""
    return f"{INDEX}{point}-{part}.index"


def event_key(asset: str, at: datetime, kind: str, point: str, nonce: bytes) -> str:
    """Key of an event; listing an asset's events gives them in order of time."""
    return f"{EVENTS}{asset}/{stamp(at)}-{kind}-{point}-{nonce[:4].hex()}.json"


def parse_event_key(key: str) -> EventName | None:
    """What an event's key tells, None for a key that is no event's."""
    match = _EVENT_KEY.fullmatch(key)
    if match is None:
        return None
    return EventName(key, match["asset"], match["point"], match["kind"], parse_stamp(match["at"]))


def evidence_key(asset: str, drill: str) -> str:
    """Key of a drill's evidence."""
    return f"{EVIDENCE}{asset}/{drill}.json"
