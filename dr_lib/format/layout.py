"""Names of the objects in a vault, and how to read them back. Listing them must be enough to find everything."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

VAULT_KEY: Final = "vault.json"
PACKS: Final = "packs/"
KEYS: Final = "keys/"
POINTS: Final = "points/"
INDEX: Final = "index/"
RUNS: Final = "runs/"
EVENTS: Final = "events/"
EVIDENCE: Final = "evidence/"
PRUNES: Final = "prunes/"
KIT: Final = "kit/"
TERMS: Final = "terms/"
LEASES: Final = "leases/"
DAMAGED: Final = "damaged/"
PROBES: Final = "probes/"

_STAMP: Final = "%Y%m%dT%H%M%S%fZ"
_ASSET: Final = r"(?P<asset>[a-z0-9-]+)"
_POINT: Final = r"(?P<point>[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8})"
_POINT_KEY: Final = re.compile(rf"points/{_ASSET}/{_POINT}\.manifest")
_PLAN_KEY: Final = re.compile(rf"runs/{_ASSET}/{_POINT}/plan\.json\.zst")
_RUN_KEY_KEY: Final = re.compile(
    r"keys/(?P<id>[0-9a-f]{32})/(?P<generation>[0-9]{4})-(?P<recipients>[0-9a-f]{8})-(?P<check>[0-9a-f]{8})\.age"
)
_EVENT_KEY: Final = re.compile(
    rf"events/{_ASSET}/(?P<at>[0-9]{{8}}T[0-9]{{12}}Z)-(?P<kind>[a-z]+)-{_POINT}-(?P<check>[0-9a-f]{{8}})\.json"
)
_RUN_OBJECT: Final = re.compile(rf"runs/{_ASSET}/{_POINT}/(?P<part>[^/]+)")
_INDEX_KEY: Final = re.compile(rf"index/{_POINT}-[^/]+\.index")
_PRUNE_KEY: Final = re.compile(rf"prunes/{_POINT}\.(?P<part>json|gate|done)")
CLOSED: Final = "closed"
_NEEDS: Final = re.compile(r"needs-[0-9a-f]{8}\.json")
_EVIDENCE_KEY: Final = re.compile(rf"evidence/{_ASSET}/{_POINT}\.json")
_KIT_KEY: Final = re.compile(r"kit/(?P<format>[0-9]{4})-(?P<at>[0-9]{8}T[0-9]{12}Z)-(?P<check>[0-9a-f]{8})\.pyz")
_TERM_KEY: Final = re.compile(r"terms/(?P<number>[0-9]{8})\.(?P<part>term|go)\.json")
_LEASE_KEY: Final = re.compile(r"leases/(?P<endpoint>[a-z0-9-]+)/(?P<number>[0-9]{8})\.json")
POINT_ID: Final = re.compile(_POINT)


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
    """An event as its key alone tells; `check` is the start of its bytes' SHA-256, in hex."""

    key: str
    asset: str
    point: str
    kind: str
    at: datetime
    check: str


@dataclass(frozen=True, slots=True, order=True)
class RunKeyName:
    """A wrapped run key as its key alone tells. `recipients` is their fingerprint, `check` the start of the SHA-256
    of the object's bytes, in hex; the greatest `generation` is the one that counts."""

    id: str
    generation: int
    recipients: str
    check: str
    key: str


@dataclass(frozen=True, slots=True, order=True)
class KitName:
    """A recovery kit as its key alone tells: of which format it reads vaults, when it was made, and the start of the
    SHA-256 of the object's bytes, in hex; the greatest is the one that counts."""

    format: int
    made_at: datetime
    check: str
    key: str


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


def run_key_key(key_id: str, generation: int, recipients: str, wrapped: bytes) -> str:
    """Key of a wrapped run key, whose bytes are `wrapped`: so that a changed one no longer fits its name."""
    return f"{KEYS}{key_id}/{generation:04d}-{recipients}-{event_check(wrapped)}.age"


def parse_run_key_key(key: str) -> RunKeyName | None:
    """What the key of a wrapped run key tells, None for any other."""
    match = _RUN_KEY_KEY.fullmatch(key)
    if match is None:
        return None
    return RunKeyName(match["id"], int(match["generation"]), match["recipients"], match["check"], key)


def manifest_key(asset: str, point: str) -> str:
    """Key of a manifest: its existence is the commit of the point."""
    return f"{POINTS}{asset}/{point}.manifest"


def parse_manifest_key(key: str) -> PointName | None:
    """The point that a key names, None for a key that is no manifest's."""
    return _point_name(_POINT_KEY.fullmatch(key))


def plan_key(asset: str, point: str) -> str:
    """Key of a backup run's plan."""
    return f"{RUNS}{asset}/{point}/plan.json.zst"


def parse_plan_key(key: str) -> PointName | None:
    """The point that a run's plan is for, None for any other key."""
    return _point_name(_PLAN_KEY.fullmatch(key))


def part_key(asset: str, point: str, part: str) -> str:
    """Key of one finished part of a run: `shard-0003` or `proof`."""
    return f"{RUNS}{asset}/{point}/{part}.json.zst"


def closed_key(asset: str, point: str) -> str:
    """Key at which a run's writer and the janitor meet: whoever creates it has closed the run."""
    return f"{RUNS}{asset}/{point}/{CLOSED}"


def needs_key(asset: str, point: str, data: bytes) -> str:
    """Key of the word, whose bytes are `data`, of what a point that is about to be committed needs."""
    return f"{RUNS}{asset}/{point}/needs-{event_check(data)}.json"


def is_needs(part: str) -> bool:
    """Whether a run's object of that name (`parse_run_object`) says what its point needs."""
    return _NEEDS.fullmatch(part) is not None


def parse_run_object(key: str) -> tuple[PointName, str] | None:
    """The run that an object belongs to and the object's own name, None for any other key."""
    match = _RUN_OBJECT.fullmatch(key)
    point = _point_name(match)
    return None if match is None or point is None else (point, match["part"])


def index_point(key: str) -> str | None:
    """The point whose run or replication left an index; None for a key that is no index's."""
    match = _INDEX_KEY.fullmatch(key)
    return None if match is None else match["point"]


def prune_key(prune: str) -> str:
    """Key of a plan to delete; its id is shaped like a point's."""
    return f"{PRUNES}{prune}.json"


def prune_gate_key(prune: str) -> str:
    """Key at which the janitor, who is about to delete what only a plan's points need, and writers who need it meet."""
    return f"{PRUNES}{prune}.gate"


def prune_done_key(prune: str) -> str:
    """Key that says that a plan is done with, however it ended."""
    return f"{PRUNES}{prune}.done"


def parse_prune_key(key: str) -> tuple[str, str] | None:
    """Id of the plan and what of it an object is (`json`, `gate`, `done`), None for any other key."""
    match = _PRUNE_KEY.fullmatch(key)
    return None if match is None else (match["point"], match["part"])


def witness_key(asset: str, point: str, nonce: bytes) -> str:
    """Key of an object whose own lock tells what the store gives to a fresh one, just before a manifest is created."""
    return f"{RUNS}{asset}/{point}/witness-{nonce.hex()}"


def probe_key(nonce: bytes) -> str:
    """Key of the object that `drctl init` tries the store's locks with."""
    return f"{PROBES}lock-{nonce.hex()}"


def index_key(point: str, part: str) -> str:
    """Key of the chunk index that one part of a run, or one replication, leaves behind."""
    return f"{INDEX}{point}-{part}.index"


def event_key(asset: str, at: datetime, kind: str, point: str, data: bytes) -> str:
    """Key of the event whose bytes are `data`; listing an asset's events gives them in order of time.

    It carries the bytes' digest, so that a changed event no longer fits its name and an equal one is stored once.
    """
    return f"{EVENTS}{asset}/{stamp(at)}-{kind}-{point}-{event_check(data)}.json"


def event_check(data: bytes) -> str:
    """What an event's key says of its bytes."""
    return hashlib.sha256(data).hexdigest()[:8]


def parse_event_key(key: str) -> EventName | None:
    """What an event's key tells, None for a key that is no event's."""
    match = _EVENT_KEY.fullmatch(key)
    if match is None or not (_is_moment(match["at"]) and _point_name(match)):
        return None
    return EventName(key, match["asset"], match["point"], match["kind"], parse_stamp(match["at"]), match["check"])


def damaged_key(key: str, written_at: datetime) -> str:
    """Where a damaged object is kept aside that stood under `key` since that moment."""
    return f"{DAMAGED}{stamp(written_at)}/{key}"


def evidence_key(asset: str, drill: str) -> str:
    """Key of a drill's evidence."""
    return f"{EVIDENCE}{asset}/{drill}.json"


def is_evidence_key(key: str) -> bool:
    """Whether a key is that of a drill's evidence."""
    return _point_name(_EVIDENCE_KEY.fullmatch(key)) is not None


def kit_key(vault_format: int, made_at: datetime, data: bytes) -> str:
    """Key of a recovery kit, whose bytes are `data`."""
    return f"{KIT}{vault_format:04d}-{stamp(made_at)}-{event_check(data)}.pyz"


def parse_kit_key(key: str) -> KitName | None:
    """What the key of a recovery kit tells, None for any other."""
    match = _KIT_KEY.fullmatch(key)
    if match is None or not _is_moment(match["at"]):
        return None
    return KitName(int(match["format"]), parse_stamp(match["at"]), match["check"], key)


def term_key(number: int) -> str:
    """Key of a term: whoever creates it has it."""
    return f"{TERMS}{number:08d}.term.json"


def term_go_key(number: int) -> str:
    """Key of the word that lets a recovered orchestrator work."""
    return f"{TERMS}{number:08d}.go.json"


def parse_term_key(key: str) -> tuple[int, str] | None:
    """Number of the term and what of it an object is (`term`, `go`), None for any other key."""
    match = _TERM_KEY.fullmatch(key)
    return None if match is None else (int(match["number"]), match["part"])


def lease_key(endpoint: str, number: int) -> str:
    """Key of a record of an endpoint's lease: whoever creates it may move the endpoint's traffic."""
    return f"{LEASES}{endpoint}/{number:08d}.json"


def parse_lease_key(key: str) -> tuple[str, int] | None:
    """Endpoint and number of a lease's record, None for any other key."""
    match = _LEASE_KEY.fullmatch(key)
    return None if match is None else (match["endpoint"], int(match["number"]))


def _point_name(match: re.Match[str] | None) -> PointName | None:
    """The point of a match; None without one, and for an id whose time no calendar has."""
    if match is None or not _is_moment(match["point"].partition("-")[0]):
        return None
    return PointName(match["asset"], match["point"])


def _is_moment(text: str) -> bool:
    try:
        parse_stamp(text)
    except ValueError:
        return False
    return True
