"""The demo's three failure domains: one S3 server each, with its own ports, credentials and data.

Ports and credentials stay the same over restarts, so that a region which was lost comes back as itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from dr_lib.demo import seaweed
from dr_lib.demo.processes import REGION, end, marked, members
from dr_lib.demo.seaweed import SeaweedPorts, SeaweedRecord, SeaweedRegion
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import Refused, StoreUnavailable

REGIONS = ("us-east", "eu-west", "ap-south")
LOCKED_REGION = "ap-south"
"""Its objects are under object lock; the shortest lock there is, so that the demo can be thrown away."""


def credentials_prefix(region: str) -> str:
    """`DR_US_EAST`: what the environment variables of the region's credentials start with."""
    return f"DR_{region.upper().replace('-', '_')}"


def new_credentials() -> dict[str, str]:
    """Random credentials of all regions, by environment variable."""
    made: dict[str, str] = {}
    for region in REGIONS:
        made[f"{credentials_prefix(region)}_ACCESS_KEY_ID"] = secrets.token_hex(10)
        made[f"{credentials_prefix(region)}_SECRET_ACCESS_KEY"] = secrets.token_urlsafe(30)
    return made


@dataclass(frozen=True, slots=True)
class DemoRegions:
    """The regions of one workspace, as its state records them."""

    workspace: Workspace

    def start_missing(self) -> list[str]:
        """Start those that do not run, all at once, and wait until they take writes; their names."""
        for region in filter(self._is_revoked, REGIONS):
            self.start(region)
        missing = [region for region in REGIONS if not self.is_running(region)]
        with ThreadPoolExecutor(max_workers=len(REGIONS)) as threads, marked(REGION, self.workspace.home):
            records = list(threads.map(self._start, missing))
        self._record(dict(zip(missing, records, strict=True)))
        return missing

    def start(self, region: str) -> None:
        """Start one region, with its own credentials; nothing happens when it runs like that."""
        if self.is_running(region) and not self._is_revoked(region):
            return
        self.lose(region)
        self.end_unrecorded()
        with marked(REGION, self.workspace.home):
            record = self._start(region)
        self._record({region: record})
        self._note_revoked(region, revoked=False)

    def revoke(self, region: str) -> None:
        """Have the region refuse its credentials: the same server over the same data, with others."""
        self._note_revoked(region, revoked=True)
        self.lose(region)
        stranger = SeaweedRegion(
            self.workspace.region(region),
            secrets.token_hex(10),
            secrets.token_urlsafe(30),
            self._records()[region].ports,
        )
        with marked(REGION, self.workspace.home):
            self._record({region: stranger.start()})

    def end_unrecorded(self) -> None:
        """End servers that an interrupted start left behind before it could record them."""
        known = {record.pid for record in self._records().values() if seaweed.is_running(record)}
        end([process for process in members(self.workspace.home, REGION) if process.pid not in known])

    def ports(self) -> list[int]:
        """Every port that the regions use, gRPC twins included."""
        ports = [port for record in self._records().values() for port in asdict(record.ports).values()]
        return ports + [port + seaweed.GRPC_OFFSET for port in ports]

    def stop(self, region: str) -> None:
        """End the server of one region; nothing happens when it does not run."""
        if record := self._records().get(region):
            seaweed.stop(record)

    def lose(self, region: str) -> None:
        """End the server of one region as a disaster does: without a word. What it acknowledged is on its disk."""
        if record := self._records().get(region):
            seaweed.stop(record, at_once=True)

    def is_running(self, region: str) -> bool:
        """True while the region's server lives."""
        record = self._records().get(region)
        return record is not None and seaweed.is_running(record)

    def endpoint(self, region: str) -> str:
        """URL of the region's S3 interface; `KeyError` before its first start."""
        return self._records()[region].endpoint

    def facts(self) -> list[dict[str, Any]]:
        """What `drctl demo status` says of each region that was ever started."""
        return [
            {"region": region, "endpoint": record.endpoint, "pid": record.pid, "running": seaweed.is_running(record)}
            for region, record in self._records().items()
        ]

    def _start(self, region: str) -> SeaweedRecord:
        known = self._records().get(region)
        try:
            return self._server(region, known.ports if known else None).start()
        except StoreUnavailable:
            if known is not None:
                raise
            return self._server(region, None).start()  # regions that start at the same time may choose the same ports
        except Refused:
            # Something else took its ports while it was down; a region may move, dr.yaml is written after the start.
            return self._server(region, None).start()

    def _server(self, region: str, ports: SeaweedPorts | None) -> SeaweedRegion:
        keys, prefix = self.workspace.read_secrets(), credentials_prefix(region)
        access_key, secret_key = keys[f"{prefix}_ACCESS_KEY_ID"], keys[f"{prefix}_SECRET_ACCESS_KEY"]
        return SeaweedRegion(self.workspace.region(region), access_key, secret_key, ports)

    def _is_revoked(self, region: str) -> bool:
        return region in self.workspace.read_state().get("revoked", [])

    def _note_revoked(self, region: str, *, revoked: bool) -> None:
        state = self.workspace.read_state()
        others = [one for one in state.get("revoked", []) if one != region]
        self.workspace.write_state(state | {"revoked": [*others, region] if revoked else others})

    def _records(self) -> dict[str, SeaweedRecord]:
        recorded: Mapping[str, Any] = self.workspace.read_state().get("regions", {})
        return {region: _record_of(recorded[region]) for region in REGIONS if region in recorded}

    def _record(self, started: Mapping[str, SeaweedRecord]) -> None:
        records = self._records() | dict(started)
        regions = {region: asdict(record) for region, record in records.items()}
        self.workspace.write_state(self.workspace.read_state() | {"regions": regions})


def _record_of(facts: Mapping[str, Any]) -> SeaweedRecord:
    return SeaweedRecord(**{**facts, "ports": SeaweedPorts(**facts["ports"])})
