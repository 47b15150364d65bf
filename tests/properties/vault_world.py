"""Two sealed regions in memory that outlive the processes which work on them, each of which may be killed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from dr_lib.clock import utc_now
from dr_lib.config import load_config
from dr_lib.errors import StoreUnavailable
from dr_lib.model.region import Role
from dr_lib.runtime import Runtime
from dr_lib.storage.base import ContainerStore, RegionJanitor
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.throttles import Throttles
from dr_lib.testing import faults
from dr_lib.testing.clocks import StandingClock
from dr_lib.testing.faulty_store import FaultyJanitorStore
from dr_lib.testing.schedules import nth
from dr_lib.vault.pack_reader import fetch_range, open_frames
from dr_lib.vault.vault import Vault
from dr_lib.wiring import Wiring
from tests.keys import keys

ASSETS = ("left", "right")
REGIONS = ("one", "two")
RETENTION = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "last": 1, "keep_within": None}
Files = dict[str, bytes]


@dataclass(frozen=True)
class WiredToStores(Wiring):
    """A wiring whose regions are these stores."""

    stores: Mapping[str, FaultyJanitorStore]

    def store(self, region: str, role: Role = Role.WRITER) -> ContainerStore:
        """The region's store, whoever opens it."""
        del role
        return self.stores[region]

    def janitor(self, region: str, role: Role = Role.JANITOR) -> RegionJanitor:
        """The region's store, whoever opens it."""
        del role
        return self.stores[region]


@dataclass(frozen=True)
class Mishap:
    """What befalls one process: at its `call`-th call of any store, or at the first for an object of the class that it
    forgets."""

    kind: str
    call: int = 0
    forgets: str = ""

    def fault(self) -> faults.Fault:
        """To be armed in every store of the process."""
        if self.kind == "unavailable":
            return faults.error(lambda: StoreUnavailable("for a moment"), when=nth(self.call))
        if self.kind == "answer lost":
            return faults.lost_answer(on=("create",), when=nth(self.call))
        if self.kind == "forgotten":
            return faults.forgotten(prefix=self.forgets)
        return faults.killed_at(self.call, after=self.kind == "killed after")


KINDS = ("killed before", "killed after", "answer lost", "unavailable")
CLASSES = ("packs/", "keys/", "points/", "runs/", "index/", "events/")


class VaultWorld:
    """Sources of two assets in `folder`, a clock, and the regions' objects."""

    def __init__(self, folder: Path) -> None:
        """Both vaults are made; the sources share one file."""
        self.folder = folder
        self.clock = StandingClock(utc_now() + timedelta(days=1))
        self.stores = {name: MemoryStore(f"region {name}", clock=self.clock) for name in REGIONS}
        self.changes = 0
        self._touched: dict[str, int] = {}
        for asset in ASSETS:
            (folder / asset).mkdir()
            self.write(asset, "shared", b"in both " * 300)
            self.write(asset, "own", asset.encode() * 300)
        regions = {name: {"url": f"file:///not-opened/{name}"} for name in REGIONS}
        facts = {"kind": "model", "regions": list(REGIONS), "retention": RETENTION, "gates": "none"}
        assets = {asset: facts | {"source": str(folder / asset)} for asset in ASSETS}
        more = {"limits": {"shard": "2KiB", "workers": 2}, "prune": {"grace": "5h"}} | keys().config()
        config = {"regions": regions, "assets": assets} | more
        (folder / "dr.yaml").write_text(json.dumps(config))
        self.config = load_config(folder / "dr.yaml")
        self.process().initialize()

    def process(self, mishap: Mishap | None = None) -> Runtime:
        """A fresh process with all keys, with or without something that befalls it."""
        return self.process_over(*([mishap.fault()] if mishap else []))

    def process_over(self, *armed: faults.Fault) -> Runtime:
        """A fresh process with all keys, whose every store has these faults."""
        stores = {name: FaultyJanitorStore(store, *armed) for name, store in self.stores.items()}
        throttles = Throttles({}, self.clock)
        return Runtime(WiredToStores(self.config, keys().all(), None, self.clock, self.folder, throttles, stores))

    def write(self, asset: str, name: str, content: bytes) -> None:
        """A file of an asset, old enough to be at rest, and never of the same time twice."""
        self.changes += 1
        self._touched[asset] = self.changes
        path = self.folder / asset / name
        path.write_bytes(content)
        os.utime(path, (self.changes, self.changes))
        os.utime(path.parent, (self.changes, self.changes))

    def touched(self, asset: str) -> int:
        """The number of the last change to this asset."""
        return self._touched[asset]

    def files(self, asset: str) -> Files:
        """The live files of an asset."""
        return {path.name: path.read_bytes() for path in (self.folder / asset).iterdir()}

    def committed(self) -> set[tuple[str, str, str]]:
        """Region, asset and id of every point that shows."""
        vaults = [self.process()._wiring.vault(region) for region in REGIONS]
        return {(vault.region, name.asset, name.point) for vault in vaults for name in vault.points()}

    def content(self, region: str, asset: str, point: str) -> Files:
        """Every file of a point, decoded from this region alone; raises where anything of it does not hold."""
        return content_of(self.process()._wiring.vault(region), asset, point)


def content_of(vault: Vault, asset: str, point: str) -> Files:
    """Every file of a point as the vault has it."""
    manifest = vault.manifest(asset, point)
    packs = manifest.summary.packs
    found: Files = {}
    for file in manifest.files:
        parts = []
        for frame in file.frames:
            ref = packs[frame.pack]
            stored = fetch_range(vault, ref, frame.offset, frame.length)
            parts += open_frames(vault, ref, frame.offset, stored, [frame])
        found[file.path] = b"".join(parts)
    return found
